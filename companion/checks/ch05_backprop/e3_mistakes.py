"""What goes wrong with a slope that has to be added up (exercise 05.3), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from companion.checks.bank import Mistake

Shape = tuple[int, ...]
Reduce = Callable[[Tensor, int, bool], Tensor]


def _sum(slope: Tensor, axis: int, keep: bool) -> Tensor:
    return slope.sum(dim=axis, keepdim=keep)


def _mean(slope: Tensor, axis: int, keep: bool) -> Tensor:
    return slope.mean(dim=axis, keepdim=keep)


def _first(slope: Tensor, axis: int, keep: bool) -> Tensor:
    return slope.narrow(axis, 0, 1) if keep else slope.select(axis, 0)


def _both(front: Reduce, stretched: Reduce, keep: bool = True) -> Callable[[Tensor, Shape], Tensor]:
    """Return an answer that goes over the right axes, with one operation for new ones and one for stretched ones."""

    def answer(slope: Tensor, shape: Shape) -> Tensor:
        while slope.dim() > len(shape):
            slope = front(slope, 0, False)
        for axis, size in enumerate(shape):
            if size == 1:
                slope = stretched(slope, axis, keep)
        return slope

    return answer


def _as_it_is(slope: Tensor, axis: int, keep: bool) -> Tensor:
    return slope


def _new_axes_stay(slope: Tensor, shape: Shape) -> Tensor:
    for back in range(1, len(shape) + 1):
        if shape[-back] == 1:
            slope = slope.sum(dim=-back, keepdim=True)
    return slope


def _one_new_axis(slope: Tensor, shape: Shape) -> Tensor:
    if slope.dim() > len(shape):
        slope = slope.sum(dim=0)
    for axis, size in enumerate(shape):
        if size == 1:
            slope = slope.sum(dim=axis, keepdim=True)
    return slope


def _from_the_end(slope: Tensor, shape: Shape) -> Tensor:
    while slope.dim() > len(shape):
        slope = slope.sum(dim=-1)
    for axis, size in enumerate(shape):
        if size == 1:
            slope = slope.sum(dim=axis, keepdim=True)
    return slope


def _stretched_first(slope: Tensor, shape: Shape) -> Tensor:
    for axis, size in enumerate(shape):
        if size == 1:
            slope = slope.sum(dim=axis, keepdim=True)
    while slope.dim() > len(shape):
        slope = slope.sum(dim=0)
    return slope


def _without_axes(slope: Tensor, shape: Shape) -> Tensor:
    extra = slope.dim() - len(shape)
    axes = [*range(extra), *(extra + axis for axis, size in enumerate(shape) if size == 1)]
    slope = slope.sum(dim=axes, keepdim=True)
    for _ in range(extra):
        slope = slope.squeeze(0)
    return slope


def _empty_list(ending: str, *, any_size_1: bool = False) -> Callable[[Tensor, Shape], Tensor]:
    """Return an answer that hands all axes to one sum, in a list that may be empty; it makes the shape in its own way."""

    def answer(slope: Tensor, shape: Shape) -> Tensor:
        if ending == "kept":
            while slope.dim() > len(shape):
                slope = slope.sum(dim=0)
        lined_up = (1,) * (slope.dim() - len(shape)) + tuple(shape)
        axes = [k for k, size in enumerate(lined_up) if size == 1 and (any_size_1 or slope.shape[k] != 1)]
        slope = slope.sum(dim=axes, keepdim=True)
        return slope if ending == "kept" else slope.reshape(shape)

    return answer


def _either(slope: Tensor, shape: Shape) -> Tensor:
    if slope.dim() > len(shape):
        return slope.sum(dim=tuple(range(slope.dim() - len(shape))))
    return _both(_sum, _sum)(slope, shape)


def _one_new_axis_and_lost(slope: Tensor, shape: Shape) -> Tensor:
    if slope.dim() != len(shape):
        slope = slope.sum(dim=0)
    for axis, size in enumerate(shape):
        if size == 1:
            slope = slope.sum(dim=axis)
    return slope


def _where_sizes_differ(slope: Tensor, shape: Shape) -> Tensor:
    for axis, size in enumerate(shape):
        if slope.shape[axis] != size:
            slope = slope.sum(dim=axis, keepdim=True)
    while slope.dim() > len(shape):
        slope = slope.sum(dim=0)
    return slope


def _large_ones(slope: Tensor, shape: Shape) -> Tensor:
    while slope.dim() > len(shape):
        slope = slope.sum(dim=0)
    for axis, size in enumerate(shape):
        if size != 1:
            slope = slope.sum(dim=axis, keepdim=True)
    return slope


_WHAT_IS_DONE = (
    Mistake(
        "takes the mean",
        _both(_mean, _mean),
        "The shapes are right, and every number is too small: you return means over the copies.",
        "A number that was used ten times has ten ways to the loss. They are added, and their count is not divided out.",
        "Turn a bias up by 0.01 that is used in 64 rows. How many terms of the loss change, and do they share the change?",
    ),
    Mistake(
        "averages over new axes",
        _both(_mean, _sum),
        "Where axes were stretched your numbers are right. Where axes were put in front they are means and not sums.",
        "A new axis in front is often the batch, and a mean over the batch belongs to some losses. If there is one, it is in "
        "`slope` already.",
        "Both kinds of repeating use one number many times. Why should the one be added up and the other averaged?",
    ),
    Mistake(
        "averages over stretched axes",
        _both(_sum, _mean),
        "Where axes were put in front your numbers are right. Where axes were stretched they are means and not sums.",
        "A stretched axis is one number, used many times. Every use is a way to the loss, and ways are added.",
        "With `shape = (2, 1)` and three columns: if the one number grows by 0.01, in how many columns does that show?",
    ),
    Mistake(
        "takes the first copy",
        _both(_first, _first),
        "The shapes are right, and your result depends on the first copy alone.",
        "You cut the slope down to the shape. All the other copies lead to the loss too, and what they say is thrown away.",
        "Change the last row of `slope` in the example with `shape = (3,)`. Should the result stay as it is?",
    ),
    Mistake(
        "leaves the repeating in",
        lambda slope, shape: slope,
        "What comes back is `slope` itself: it has the shape of the repeated tensor.",
        "A step with it would turn a bias into a table with one row for each example, and no message would tell you.",
        "A slope has the shape of the thing that it belongs to. Compare the shape of your result with `shape`.",
    ),
    Mistake(
        "adds up everything to one number",
        lambda slope, shape: slope.sum(),
        "Your result is one number, whatever `shape` asks for.",
        "Without an axis a sum runs over all entries, also along axes that were not repeated.",
        "For (2, 3) and `shape = (3,)`: how many numbers were there before the repeating, and how many do you return?",
    ),
    Mistake(
        "adds up the axes that were not repeated",
        _large_ones,
        "Your result has a 1 where `shape` has a larger number, and stretched axes are still there.",
        "The condition is turned round. An axis of size 1 is one that may have been stretched. The others stay as they are.",
        "Which axes of `shape` go into your sum for `shape = (2, 1)`? Print them.",
    ),
)

_WHICH_AXES = (
    Mistake(
        "adds up new axes only",
        _both(_sum, _as_it_is),
        "Axes that were put in front are gone, as they should be. Stretched axes are still as long as before.",
        "There are two ways to repeat. A tensor with the right number of axes may still have been stretched along one of size "
        "1.",
        "Take `slope` of shape (2, 3) and `shape = (2, 1)`. The number of axes agrees: what is left to do?",
    ),
    Mistake(
        "adds up stretched axes only",
        _new_axes_stay,
        "Stretched axes are right. Axes that were put in front are still there.",
        "A shape with fewer axes gets new ones on the left before it is repeated. Nothing in `shape` stands for them.",
        "Take `slope` of shape (2, 3) and `shape = (3,)`. How many axes does your result have, and how many should it?",
    ),
    Mistake(
        "takes away a single new axis",
        _one_new_axis,
        "With one new axis in front all is right. With two of them your result has an axis too many, or a number asks for more.",
        "An `if` asks once. After the first axis is gone there may be another one in front.",
        "Take `slope` of shape (2, 4, 3) and `shape = (3,)`. How many times must the question be asked?",
    ),
    Mistake(
        "takes axes away at the end",
        _from_the_end,
        "With `shape = (3,)` and a slope of shape (2, 3) you return two numbers and not three.",
        "Shapes are lined up flush right, so new axes stand on the left. You add up the last axis, which was there before.",
        "Write (2, 3) and (3,) below each other, flush right. Above which place is nothing?",
    ),
    Mistake(
        "looks for stretched axes too early",
        _stretched_first,
        "With new axes alone, or stretched ones alone, all is right. With both together it is not.",
        "Axis 0 of `shape` is axis 0 of `slope` only when both have the same number of axes. While new ones stand in front, "
        "all places are shifted.",
        "Take (4, 2, 3) and `shape = (2, 1)`. Which axis of `slope` lies above the 1, counted from the left?",
    ),
    Mistake(
        "compares the sizes from the left",
        _where_sizes_differ,
        "With as many axes on both sides all is right. With new axes in front the wrong ones are added up, or an index fails.",
        "Both shapes are read from their first axis on, as if they were lined up on the left. They are lined up on the right.",
        "Write (2, 3) and (3,) below each other, once flush left and once flush right. Which sizes meet?",
    ),
    Mistake(
        "loses the axis that it adds up",
        _both(_sum, _sum, keep=False),
        "Axes that should stay with the size 1 are gone: (2, 1) comes back as (2,). With two of them your code stops.",
        "A sum takes its axis away, unless it is told to leave one of size 1 behind. All axes behind it then move by one place.",
        "Print the shape of your result for `shape = (2, 1)`. Which argument of `sum` keeps the axis?",
    ),
    Mistake(
        "drops all axes of size 1",
        lambda slope, shape: _both(_sum, _sum)(slope, shape).squeeze(),
        "The numbers are right, but your result never has an axis of size 1, also where `shape` has one.",
        "A sum without `keepdim=True` takes its axis away, and `squeeze` takes away every axis of size 1, those that belong to "
        "the tensor too.",
        "Compare the shape before your last step with `shape`. Is there anything left to take away?",
    ),
    Mistake(
        "gives the sum an empty list of axes",
        _without_axes,
        "Where something was repeated all is right. Where nothing was, everything is added up to one number.",
        "With an empty list torch adds up over all axes and not over none.",
        "Print your list of axes for a slope whose shape is `shape` already. What should be done with it then?",
    ),
    Mistake(
        "cuts a shape from the sum over an empty list of axes",
        _empty_list("cut"),
        "Where something was repeated all is right. Where nothing was, your code stops: one number is left to cut a shape from.",
        "`sum(dim=[])` adds up over all axes and not over none. When every axis keeps its length, your list is empty.",
        "Print your list of axes for a slope whose shape is `shape` already. Should there be a sum at all then?",
    ),
    Mistake(
        "cuts a shape from the sum over all axes of size 1, or over none",
        _empty_list("cut", any_size_1=True),
        "Where `shape` has an axis of size 1 or lacks one all is right. Otherwise your code stops: one number is left to cut from.",
        "`sum(dim=[])` adds up over all axes and not over none. When no axis is to be added up, your list is empty.",
        "Print your list of axes for `slope` of shape (2, 3) and `shape = (2, 3)`. Should there be a sum at all then?",
    ),
    Mistake(
        "keeps all axes of the sum over an empty list",
        _empty_list("kept"),
        "Where an axis was stretched you are right. Where none was, a single number comes back, with as many brackets as axes.",
        "`sum(dim=[], keepdim=True)` adds up over all axes and not over none, and leaves each of them with the size 1.",
        "Print your list of stretched axes for `shape = (3,)`, after the new axis is gone. What should the sum do with it?",
    ),
    Mistake(
        "goes over new axes or over stretched ones, never both",
        _either,
        "Where axes were only put in front, or only stretched, you are right. Where both happened, a stretched axis is left long.",
        "An `if` with an `else`, or an early `return`, does one of the two. From (2, 1) to (4, 2, 3) both happened together.",
        "Take `slope` of shape (4, 2, 3) and `shape = (2, 1)`. Which shape is left after the front is added up, and what remains?",
    ),
    Mistake(
        "takes away a single new axis, and loses the axis that it adds up",
        _one_new_axis_and_lost,
        "(2, 1) comes back as (2,), and with two new axes in front your result has an axis too many, or your code stops.",
        "Two things at once: an axis of size 1 that belongs to the tensor is taken away by a sum without `keepdim=True`. And an "
        "`if` takes away one axis in front, where there may be several.",
        "Begin with `shape = (2, 1)`, where nothing stands in front. Then take (2, 4, 3) and `shape = (3,)`.",
    ),
    Mistake(
        "takes the mean, and loses the axis that it adds up",
        _both(_mean, _mean, keep=False),
        "Your numbers are too small, and axes of size 1 are gone: (2, 1) comes back as (2,). With two of them your code stops.",
        "Two things at once: copies are ways to the loss, which are added. And the tensor had an axis of size 1, which a mean "
        "takes away.",
        "Begin with the shape for `shape = (2, 1)`. Then do its first entry by hand from `slope`.",
    ),
)

MISTAKES = (*_WHAT_IS_DONE, *_WHICH_AXES)
