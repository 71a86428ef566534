"""Exercise 09.6: who shares a mean?"""

from __future__ import annotations

from collections.abc import Mapping

from companion.checks.bank import Mistake, Out, Parameter, exercise, per_variant
from companion.checks.ch09_regularization.e6_mistakes import LAYERS, mistakes_of
from companion.checks.statements import paragraphs
from companion.checks.written import Number


@exercise("09.6", title="Who shares a mean?", points=1, parameters=tuple({"layer": name} for name in LAYERS))
class WhoSharesAMean:
    """A number of means, of numbers that share one, or of what is learned: counted from shapes."""

    read = "Layers that do not look at their neighbours"
    returns = (Out("answer", "number"),)

    @per_variant
    def written(p: Parameter) -> Number:
        """Return the count for this layer."""
        return Number(LAYERS[p["layer"]].right, tolerance=1e-6)

    @per_variant
    def statement(p: Parameter) -> str:
        """Return the question with these shapes."""
        layer = LAYERS[p["layer"]]
        return paragraphs(
            f"A batch of images has the shape (N, C, H, W) = ({layer.n}, {layer.c}, {layer.h}, {layer.w}): {layer.n} examples, {layer.c} channels, and {layer.h} rows of "
            f"{layer.w} pixels in each channel. {layer.told()} is applied to it in training.",
            f"**{layer.question()}** Store the number in `answer_09_6`.",
            "Nothing has to be run. Say first which axes share a mean, and which do not: along those a mean stands by itself.",
            "Example: on a batch of the shape (2, 3, 4, 5) some layer takes its mean over the channels alone, for each pixel of each example by itself. Then there is a mean "
            "for each example, row and column, $2 \\cdot 4 \\cdot 5 = 40$ of them. The 3 channels of a pixel share one. With a scale and a shift for "
            "each channel it learns $2 \\cdot 3 = 6$ numbers. So you would write `answer_09_6 = 40`, or 3, or 6, whichever is asked for.",
        )

    @per_variant
    def mistakes(p: Parameter) -> tuple[Mistake, ...]:
        """Return wrong counts, each with the way that leads to it."""
        return mistakes_of(LAYERS[p["layer"]])

    @per_variant
    def alternatives(p: Parameter) -> Mapping[str, object]:
        """Return other ways to write the number down."""
        right = LAYERS[p["layer"]].right
        return {"with a point": float(right), "as a text": str(right), "in a pair": (right, "")}

    hints = (
        "Draw the batch as a table: a row for each example, a column for each channel, and in every cell a small image. Which cells share a mean?",
        "The numbers that share a mean are all of the axes that it runs over, multiplied. The number of means is that of the axes that are left, multiplied.",
        "The chapter's table says for each kind which numbers share a mean. Scale and shift are learned once for each channel, and only layer "
        "normalisation has a pair for each number of the shape that it is given.",
    )
