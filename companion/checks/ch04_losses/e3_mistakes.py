"""What goes wrong with Huber's loss and its slope (exercise 04.3), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from companion.checks.bank import Mistake

Function = Callable[[Tensor, float], Tensor]


def named_as(name: str, function: Function) -> Function:
    """Return the same function under the name by which an exercise knows it."""
    function.__name__ = name
    return function


def _of_value(name: str, function: Function, seen: str, why: str, next: str) -> Mistake:
    return Mistake(name, named_as("huber", function), seen, why, next)


def _of_slope(name: str, function: Function, seen: str, why: str, next: str) -> Mistake:
    return Mistake(name, named_as("huber_slope", function), seen, why, next)


def _parts(error: Tensor, delta: float, inside: Tensor, outside: Tensor) -> Tensor:
    return torch.where(error.abs() <= delta, inside, outside)


def _root(error: Tensor, delta: float) -> Tensor:
    size = torch.sqrt(error.square())
    return torch.where(size <= delta, error.square() / 2, delta * size - delta**2 / 2)


def _once(error: Tensor, delta: float) -> Tensor:
    if error.abs().max() <= delta:
        return error.square() / 2
    return delta * error.abs() - delta**2 / 2


# Every lambda below is called with error and delta.

_OUTSIDE = (
    _of_value(
        "leaves the constant out",
        lambda e, d: _parts(e, d, e.square() / 2, d * e.abs()),
        "Inside delta your loss is right. Outside it is too large by the same amount everywhere, so it jumps at delta.",
        "A line through 0 with the slope delta meets the parabola at 2 delta and not at delta. It has to be moved down until "
        "both have the same value at delta.",
        "Compute both lines of your formula at an error of exactly delta. By how much do they differ?",
    ),
    _of_value(
        "takes off the whole square of delta",
        lambda e, d: _parts(e, d, e.square() / 2, d * e.abs() - d**2),
        "Inside delta your loss is right. Outside it is too small by the same amount, and starts again from 0 at delta.",
        "What is taken off the line is a constant that makes it meet the parabola. Yours is twice as large.",
        "What does the parabola give at an error of exactly delta, and what does your line give there?",
    ),
    _of_value(
        "takes off half of delta",
        lambda e, d: _parts(e, d, e.square() / 2, d * e.abs() - d / 2),
        "With a delta of 1 your loss would be right. With another one it jumps where parabola and line meet.",
        "The constant that joins both has the unit of a squared error. With delta = 1 a missing square does not show.",
        "Set both lines of the formula equal at an error of delta, and solve for the constant.",
    ),
    _of_value(
        "keeps the sign of the error outside",
        lambda e, d: _parts(e, d, e.square() / 2, d * e - d**2 / 2),
        "Large positive errors are right. Large negative ones have a loss below 0, the lower the worse they are.",
        "Outside delta the line runs through the error itself and not through its size. So it falls without end to the left.",
        "What does an error of -7 cost by the formula, and what by yours? Which of your terms should not see the sign?",
    ),
    _of_value(
        "compares without the size",
        lambda e, d: torch.where(e <= d, e.square() / 2, d * e.abs() - d**2 / 2),
        "Large positive errors are right. Large negative ones are squared, as if they lay inside.",
        "Your condition asks whether the error is below delta, and every negative number is. It is the distance from 0 that "
        "counts.",
        "Put -7 into your condition with delta = 3. Which line is taken, and on which side of delta does this error lie?",
    ),
    _of_value(
        "squares everywhere",
        lambda e, d: e.square() / 2,
        "Small errors are right. Large ones cost as much as with the squared error, whatever delta is.",
        "There is one line in your function where the formula has two, so an outlier pulls with its full size.",
        "Call your function with two values of delta. Which line of yours should have made a difference?",
    ),
    _of_value(
        "stops growing at delta",
        lambda e, d: e.clamp(-d, d).square() / 2,
        "Small errors are right. Beyond delta all errors cost the same, and no gradient comes back from them.",
        "You cut the error off and square what is left. It is the slope of Huber's loss that is cut off, and the loss goes on "
        "growing.",
        "What should an error of 10 cost, compared with one of 5? Integrate the clipped slope, do not square it.",
    ),
    _of_value(
        "exchanges the two lines",
        lambda e, d: _parts(e, d, d * e.abs() - d**2 / 2, e.square() / 2),
        "Errors near 0 have a loss below 0, and large ones cost as much as with the squared error.",
        "The straight line is used inside and the parabola outside: the condition is turned round, or its two results have "
        "changed places.",
        "Follow an error of 0 through your code. Which line does it take, and what should a perfect prediction cost?",
    ),
    _of_value(
        "leaves the constant out, and compares without the size",
        lambda e, d: torch.where(e <= d, e.square() / 2, d * e.abs()),
        "Large positive errors cost too much, with a jump at delta, and large negative ones are squared as if they lay inside.",
        "The line is not moved down to meet the parabola. And the condition looks at the error with its sign, so that every "
        "negative error counts as small.",
        "Mend the condition first, with an error of -7. Then compare both lines of your formula at exactly delta.",
    ),
)

_SCALE = (
    _of_value(
        "forgets the half of the parabola",
        lambda e, d: _parts(e, d, e.square(), d * e.abs() - d**2 / 2),
        "Errors inside delta cost twice what they should. Those outside are right.",
        "Without the half the parabola is twice as steep, and at delta the line neither meets it nor goes on as steep.",
        "What is the derivative of your parabola at delta, and what is the slope of the line?",
    ),
    _of_value(
        "divides by delta",
        lambda e, d: _parts(e, d, e.square() / (2 * d), e.abs() - d / 2),
        "With a delta of 1 your loss would be right. With another one everything is off by one and the same factor.",
        "This is the loss that PyTorch calls smooth L1. It is Huber's divided by delta, so that the slope outside is 1.",
        "What is the slope of your function outside delta, and what is it in the formula of the task?",
    ),
    _of_value(
        "works for a delta of 1 only",
        lambda e, d: _parts(e, 1.0, e.square() / 2, e.abs() - 0.5),
        "Your result does not depend on delta: it is the loss for a delta of 1, whatever the call asks for.",
        "A number fixed in your code stands where the argument should be read.",
        "Call your function twice on the same errors, with 0.5 and with 2. Which places of the formula hold delta?",
    ),
    _of_value(
        "takes the mean",
        lambda e, d: _parts(e, d, e.square() / 2, d * e.abs() - d**2 / 2).mean(),
        "One number came back where each error should have a loss of its own.",
        "The losses are averaged at the end, as a loss for training would do it. The task asks for the curve itself.",
        "Which shape has `error`, and which has your result? Look at the last step.",
    ),
    _of_value(
        "decides once for the whole tensor",
        _once,
        "All errors were treated alike, all as small or all as large, although there are both among them.",
        "Your `if` asks one question of the whole tensor, and one answer serves every entry. Each error has to choose for "
        "itself.",
        "Print the condition that your `if` asks. How many truth values does it hold, and how many errors are there?",
    ),
    _of_value(
        "takes the size as the root of a square",
        _root,
        "All values are right, but where an error is exactly 0 the gradient is nan.",
        "A square root has an infinite slope at 0. torch.where sends a gradient of 0 into the line that it did not pick, and "
        "0 times infinity is nan.",
        "Differentiate the root of e squared alone at e = 0. Which function of torch has the size of a number without a root?",
    ),
)

_SLOPES = (
    _of_slope(
        "does not cut the slope off",
        lambda e, d: e.clone(),
        "Small errors have the right slope. Large ones pull with their full size, as with the squared error.",
        "The derivative of the parabola is used for all errors. Outside the loss is a line, whose slope does not grow.",
        "How steep is the line outside delta? Draw your slope against the error, for errors from -7 to 7.",
    ),
    _of_slope(
        "loses the sign of the slope",
        lambda e, d: e.abs().clamp(max=d),
        "Positive errors are right. For negative ones the slope has the right size and the wrong sign.",
        "The loss falls on the left of 0 and rises on the right. A slope made from the size of the error cannot tell the two "
        "apart.",
        "On the left of 0, does the loss rise or fall when the error grows? Draw it.",
    ),
    _of_slope(
        "forgets the sign outside",
        lambda e, d: _parts(e, d, e, torch.full_like(e, d)),
        "Small errors are right, and large positive ones. Large negative errors have a slope above 0.",
        "Outside you return delta for both sides. Left of 0 the line falls, and there its slope is below 0.",
        "What is the derivative of |e| for e = -7? Which function of torch gives it?",
    ),
    _of_slope(
        "forgets delta outside",
        lambda e, d: _parts(e, d, e, torch.sign(e)),
        "Small errors are right. Outside your slope is 1 or -1, so that it jumps at delta.",
        "The derivative of delta times |e| keeps its factor. With a delta of 1 the missing factor does not show.",
        "Write down the second line of the loss and differentiate it. What becomes of the number before |e|?",
    ),
    _of_slope(
        "multiplies by delta outside",
        lambda e, d: _parts(e, d, e, d * e),
        "Small errors are right. Outside your slope grows on with the error, by a factor of delta.",
        "You have multiplied the error by delta where |e| should have been differentiated. A line has the same slope "
        "everywhere.",
        "How much does delta times |e| grow when e goes from 5 to 6, and from 6 to 7?",
    ),
    _of_slope(
        "gives outliers no slope",
        lambda e, d: _parts(e, d, e, torch.zeros_like(e)),
        "Small errors are right. Beyond delta your slope is 0, so that an outlier is not pulled at all.",
        "The loss goes on growing outside, as a line does. Only a loss that is level there has the slope 0.",
        "How much more does an error of 6 cost than one of 5, by the second line of the formula?",
    ),
    _of_slope(
        "takes the slope of smooth L1",
        lambda e, d: (e / d).clamp(-1, 1),
        "With a delta of 1 your slope would be right. With another one it is off by one factor, and ends at 1 and -1.",
        "This is the derivative of Huber's loss divided by delta, which PyTorch calls smooth L1. There delta stands elsewhere.",
        "Differentiate half of e squared. Is there a delta in it?",
    ),
    _of_slope(
        "takes the slope without the half",
        lambda e, d: _parts(e, d, 2 * e, d * torch.sign(e)),
        "Large errors are right. Inside delta your slope is twice as large as it should be, and jumps at delta.",
        "This is the derivative of e squared. The formula has a half before it, which cancels the 2.",
        "Differentiate the first line of the formula on paper, with its factor. What is left before e?",
    ),
    _of_slope(
        "turns the sign of the slope",
        lambda e, d: -e.clamp(-d, d),
        "Your slope has the right size everywhere, and the wrong sign.",
        "It is the direction in which the loss falls, which is what a training step wants. The derivative points uphill.",
        "At an error of 1, does the loss grow or shrink when the error grows a little?",
    ),
    _of_slope(
        "cuts the slope off at 1",
        lambda e, d: e.clamp(-1, 1),
        "With a delta of 1 your slope would be right. With another one it stops growing at the wrong place.",
        "The limits are numbers fixed in your code, and `delta` is never read.",
        "Call your function with a delta of 0.5 and of 2 on the same errors. Which places should have made a difference?",
    ),
    _of_slope(
        "returns the loss",
        lambda e, d: _parts(e, d, e.square() / 2, d * e.abs() - d**2 / 2),
        "What comes back is never below 0 and is largest for outliers: it is the loss once more, and not its slope.",
        "The slope says how much the loss changes when the error grows a little. It is below 0 where the loss falls.",
        "Differentiate the two lines of the formula one by one. What is the derivative of half of e squared?",
    ),
    _of_slope(
        "loses the sign of the slope, and cuts the slope off at 1",
        lambda e, d: e.abs().clamp(max=1),
        "Your slope is never below 0, and beyond an error of 1 it does not grow, whatever delta is.",
        "It is made from the size of the error, which cannot tell left from right. And the limit is a number in your code, so "
        "delta is never read.",
        "Begin with the sign: does the loss fall or rise left of 0? Then call it with two deltas and compare.",
    ),
)

MISTAKES = (*_OUTSIDE, *_SCALE, *_SLOPES)
