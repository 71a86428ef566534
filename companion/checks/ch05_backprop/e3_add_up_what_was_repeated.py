"""Exercise 05.3: add up what was repeated."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Property, exercise
from companion.checks.cases import draw
from companion.checks.ch05_backprop.by_hand import AUTOGRAD
from companion.checks.ch05_backprop.e3_mistakes import MISTAKES
from companion.checks.numbers import F64, number, rows
from companion.checks.trace import Case

Shape = tuple[int, ...]


def fitted(slope: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Return slope added up over every axis along which a tensor of this shape was repeated; the result has this shape."""
    while slope.dim() > len(shape):
        slope = slope.sum(dim=0)  # an axis that was put in front
    for axis, size in enumerate(shape):
        if size == 1:
            slope = slope.sum(dim=axis, keepdim=True)  # an axis that was stretched, or has one entry anyway
    return slope


def _in_one_sum(slope: Tensor, shape: Shape) -> Tensor:
    extra = slope.dim() - len(shape)
    axes = [*range(extra), *(extra + axis for axis, size in enumerate(shape) if size == 1)]
    return (slope.sum(dim=axes, keepdim=True) if axes else slope).reshape(shape)


def _from_the_right(slope: Tensor, shape: Shape) -> Tensor:
    for back in range(1, slope.dim() + 1):
        if back > len(shape) or shape[-back] != slope.shape[-back]:
            slope = slope.sum(dim=-back, keepdim=True)
    return slope.reshape(shape)


def _place_by_place(slope: Tensor, shape: Shape) -> Tensor:
    place = torch.arange(torch.Size(shape).numel()).reshape(shape).expand(slope.shape)  # which entry stands here
    total = torch.zeros(torch.Size(shape).numel(), dtype=slope.dtype)
    return total.index_add(0, place.reshape(-1), slope.reshape(-1)).reshape(shape)


def _drawn(name: str, slope: Sequence[int], shape: Shape, seed: int, **options: object) -> Case:
    """Return a case whose slope has random numbers; it is not made smaller, since the shape has to fit."""
    axes = "".join(chr(ord("a") + n) + " " for n in range(len(slope)))
    sizes = dict(zip(axes.split(), slope))
    case = draw(name, {"slope": axes}, seed, sizes=sizes, plus={"shape": shape}, **options)  # type: ignore[arg-type]
    return dataclasses.replace(case, axes={})


def _cases(seed: int) -> list[Case]:
    table = rows([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    square = rows([1.0, 2.0], [4.0, 8.0])
    return [
        Case("a row that was repeated", {"slope": table, "shape": (3,)}, example=True),
        Case("a column that was repeated", {"slope": table, "shape": (2, 1)}, example=True),
        Case("a number that was repeated", {"slope": table, "shape": ()}),
        Case("nothing repeated", {"slope": table, "shape": (2, 3)}),
        Case("a row in a square table", {"slope": square, "shape": (2,)}),
        Case("a column in a square table", {"slope": square, "shape": (2, 1)}),
        Case("a number on both sides", {"slope": number(-3.0), "shape": ()}),
        Case("an axis of size 1 that was not stretched", {"slope": rows([2.0], [-5.0], [0.5]), "shape": (3, 1)}),
        _drawn("a table with a row in front", (2, 3), (1, 3), seed),
        _drawn("a column, repeated along a new axis too", (4, 2, 3), (2, 1), seed + 1000, dtype=F64),
        _drawn("two new axes in front", (2, 4, 3, 5), (3, 5), seed + 2000, dtype=torch.float32, strided=True),
        _drawn("axes of size 1 at both ends", (4, 3, 2), (1, 3, 1), seed + 3000, dtype=F64),
        _drawn("some axes of size 1 stretched, and one not", (3, 2, 1, 4), (2, 1, 1), seed + 4000, dtype=torch.float32),
        _drawn(
            "two new axes and a stretched one between", (2, 3, 4, 5, 2), (4, 1, 2), seed + 5000, dtype=F64, strided=True
        ),
        Case("an empty batch", {"slope": torch.zeros(0, 3, dtype=F64), "shape": (3,)}),
    ]


def _keeps_the_sum(case: Case, observed: Observed) -> bool:
    got = observed.get("out")
    return got is None or bool(torch.isclose(got.sum(), case.args["slope"].sum(), rtol=1e-4, atol=1e-4))


_PROPERTIES = (
    Property(
        "nothing is lost",
        _keeps_the_sum,
        "The shape is right, and your numbers do not add up to the same total as `slope` does.",
        "Every entry of `slope` is one way to the loss. Each of them has to arrive somewhere, and once.",
        "Count for the input shown how many entries of `slope` belong to each entry of your result.",
    ),
    Property(
        "everything arrives where it belongs",
        lambda case, observed: False,
        "The shape is right and the total too, but some entries were added into the wrong place.",
        "An entry belongs to the number of which a copy stood in its place on the way forward.",
        "Write the two shapes below each other, flush right. Which axes were added up in your code, and which should be?",
    ),
)
_REASON = "Say yourself which axes are added up: that is the task."


@exercise("05.3", title="Add up what was repeated", points=2)
class AddUpWhatWasRepeated:
    """The way back through broadcasting, for any pair of shapes."""

    reference = fitted
    read = "Step 4: arrays"
    statement = r"""
        In a sum or a product a small tensor is repeated until it fits a large one. To repeat is to use one number many
        times, and where ways meet, slopes are added. So on the way back the slope is **summed** over whatever was repeated.

        Write `fitted(slope, shape)` for torch tensors. `slope` is the slope of the loss by the *repeated* tensor. `shape` is
        a tuple, the shape that the tensor had before. Return the slope of the loss by the tensor itself, in that shape and
        in the dtype of `slope`.

        Shapes are lined up flush right, and two things may have happened on the way forward, alone or together:

        * Axes were put in front: (3,) became (2, 3), and () became any shape.
        * Axes of size 1 were stretched: (2, 1) became (2, 3), and the axis of size 1 stays in the result.

        An axis of size 1 need not have been stretched, and perhaps nothing was repeated at all. A batch may also be empty:
        what was repeated no times has the slope 0. Do not call `sum_to_size`, and leave autograd out.

        Example: `slope = [[1, 2, 3], [4, 5, 6]]`. For `shape = (3,)` each of the three numbers was used in both rows:
        `[1 + 4, 2 + 5, 3 + 6] = [5, 7, 9]`. For `shape = (2, 1)` each of the two was used in three columns: `[[6], [15]]`.
        For `shape = ()` there was one number, and the result is 21.
    """
    cases = _cases
    timeout = 5.0  # a loop that never ends is the likeliest slip, and right answers take milliseconds
    properties = _PROPERTIES
    forbidden = dict.fromkeys((*AUTOGRAD, "Tensor.sum_to_size"), _REASON)
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "all axes in one sum": _in_one_sum,
        "from the right": _from_the_right,
        "place by place": _place_by_place,
    }
    hints = (
        "Write `slope.shape` and `shape` below each other, flush right. What can stand on the left above nothing, and what "
        "above a 1?",
        "First make the number of axes equal: which axis is added up, and how often? Then the axes of both agree in number "
        "and can be compared one by one.",
        "A `while` takes the first axis away, as long as there are too many of them. Then a `for` goes through `shape`, and "
        "wherever it finds a 1 it adds up that axis and keeps it with `keepdim=True`.",
    )
