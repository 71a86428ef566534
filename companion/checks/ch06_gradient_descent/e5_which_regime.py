"""Exercise 06.5: which regime?"""

from __future__ import annotations

from collections.abc import Mapping

from companion.checks.bank import Mistake, Out, Parameter, exercise, per_variant
from companion.checks.ch06_gradient_descent.e5_mistakes import REGIMES, mistakes_of
from companion.checks.statements import paragraphs
from companion.checks.written import Number


@exercise("06.5", title="Which regime?", points=1, parameters=tuple({"regime": name} for name in REGIMES))
class WhichRegime:
    """A number of steps, found from a curvature and a rate without taking one."""

    read = "How long may a step be?"
    returns = (Out("answer", "number"),)

    @per_variant
    def written(p: Parameter) -> Number:
        """Return the number of steps of this regime."""
        return Number(REGIMES[p["regime"]].steps(), tolerance=1e-6)

    @per_variant
    def statement(p: Parameter) -> str:
        """Return the question with this curvature and rate."""
        case = REGIMES[p["regime"]]
        return paragraphs(
            rf"A loss has one weight and the curvature {case.curvature:g}: $L = \frac{{1}}{{2}} \cdot {case.curvature:g}\, w^2$. "
            f"Gradient descent starts at $w = {case.start:g}$ and takes steps at the rate {case.rate:g}, always the same.",
            f"After how many steps does $w$ lie, for the first time, {case.question}? Which side of 0 it is on does not matter.",
            "You need no loop. Find out in which of the chapter's regimes this is, by what each step "
            "multiplies $w$, and from that the number of steps. It is a whole number. Store it in `answer_06_5`.",
            "Example: with the curvature 2, the rate 0.1 and the start 7, each step multiplies $w$ by $1 - 0.1 \\cdot 2 = 0.8$. It "
            "stays on its side and comes nearer. To come a thousand times nearer, it takes a power of 0.8 below 0.001. After 30 steps it is 0.00124, "
            "after 31 it is 0.00099. So `answer_06_5 = 31`.",
        )

    @per_variant
    def mistakes(p: Parameter) -> tuple[Mistake, ...]:
        """Return wrong numbers of steps, each with the way that leads to it."""
        return mistakes_of(REGIMES[p["regime"]])

    @per_variant
    def alternatives(p: Parameter) -> Mapping[str, object]:
        """Return other ways to write the number down."""
        steps = REGIMES[p["regime"]].steps()
        return {"with a point": float(steps), "as a text": str(steps), "in a pair": (steps, "")}

    hints = (
        "Write down the slope of the loss at w, and then the new w. What stands before w, when you take it out of the bracket?",
        "Each step multiplies w by the same factor, 1 minus rate times curvature. Only its size matters here, and not its sign. So the "
        "start does not matter either: after k steps the distance is the start times the k-th power.",
        "The factor's size to the power k has to pass the share that is asked for. Take the logarithm of both sides: k is "
        "`log(share) / log(size)`, with the same kind of logarithm twice, rounded up.",
    )
