"""Exercise 04.3: Huber and its slope."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Property, exercise
from companion.checks.cases import draw
from companion.checks.ch04_losses.e3_mistakes import MISTAKES, named_as
from companion.checks.levels import near
from companion.checks.numbers import number, vector
from companion.checks.trace import Case


def huber(error: torch.Tensor, delta: float) -> torch.Tensor:
    """Return Huber's loss of every error: a parabola up to delta, straight lines beyond, in the shape of error."""
    size = error.abs()
    return torch.where(size <= delta, error.square() / 2, delta * size - delta**2 / 2)


def huber_slope(error: torch.Tensor, delta: float) -> torch.Tensor:
    """Return the slope of Huber's loss at every error, in the shape of error."""
    return error.clamp(-delta, delta)


def _by_near_part(error: Tensor, delta: float) -> Tensor:
    near = error.abs().clamp(max=delta)
    return near * (error.abs() - near / 2)


def _by_mask(error: Tensor, delta: float) -> Tensor:
    inside = (error.abs() <= delta).to(error.dtype)
    return inside * 0.5 * error**2 + (1 - inside) * delta * (error.abs() - 0.5 * delta)


def _by_loop(error: Tensor, delta: float) -> Tensor:
    losses = []
    for e in error.flatten():
        if -delta <= e <= delta:
            losses.append(0.5 * e * e)
        else:
            losses.append(delta * torch.abs(e) - 0.5 * delta * delta)
    return torch.stack(losses).reshape(error.shape)


def _slope_by_cases(error: Tensor, delta: float) -> Tensor:
    return torch.where(error.abs() <= delta, error, delta * torch.sign(error))


def _slope_by_size(error: Tensor, delta: float) -> Tensor:
    return error.sign() * torch.minimum(error.abs(), torch.full_like(error, delta))


def _slope_by_division(error: Tensor, delta: float) -> Tensor:
    return error / (error.abs() / delta).clamp(min=1)


def _cases(seed: int) -> list[Case]:
    """Return the same errors for both functions: autograd goes through the first alone."""
    cases = []
    for function, word, grad in (("huber", "the loss", ("error",)), ("huber_slope", "the slope", ())):
        cases += [
            Case(
                f"the errors worked out, for {word}",
                {"error": vector(1.0, -2.0, 5.0, -7.0), "delta": 3.0},
                function,
                grad,
                example=True,
            ),
            Case(
                f"errors where parabola and line meet, and at 0, for {word}",
                {"error": vector(-1.5, 0.0, 1.5), "delta": 1.5},
                function,
                grad,
            ),
            Case(
                f"a small delta, for {word}",
                {"error": vector(-2.0, -0.25, 0.5, 4.0), "delta": 0.4},
                function,
                grad,
            ),
            Case(
                f"far outliers, for {word}",
                {"error": vector(10000.0, -3000.0, 0.5), "delta": 2.0},
                function,
                grad,
            ),
            Case(f"a single number, for {word}", {"error": number(-0.75), "delta": 0.5}, function, grad),
            draw(
                f"a table in float64, for {word}",
                {"error": "N D"},
                3 * seed,
                plus={"delta": 1.2},
                function=function,
                grad=grad,
            ),
            draw(
                f"three axes in float32, with gaps in memory, for {word}",
                {"error": "A B C"},
                3 * seed + 1,
                dtype=torch.float32,
                sizes={"A": 2, "B": 3, "C": 4},
                plus={"delta": 0.7},
                strided=True,
                function=function,
                grad=grad,
            ),
        ]
    return cases


_LOSSES = (
    "nn.functional.huber_loss",
    "nn.functional.smooth_l1_loss",
    "nn.functional.l1_loss",
    "nn.functional.mse_loss",
    "_C._nn.huber_loss",
    "_C._nn.smooth_l1_loss",
)
_AUTOGRAD = (
    "autograd.grad",
    "autograd.backward",
    "Tensor.backward",
    "autograd.functional.jacobian",
    "func.grad",
    "func.vjp",
)


def _right(function: str, inside: bool) -> Callable[[Case, Observed], bool]:
    """Return whether the errors within delta, or those beyond it, are right in one of the functions."""

    def holds(case: Case, observed: Observed) -> bool:
        error, delta, got = case.args["error"], case.args["delta"], observed.get("out")
        if case.function != function or got is None or got.shape != error.shape:
            return True
        due = huber(error, delta) if function == "huber" else huber_slope(error, delta)
        return bool(near(got, due, 1e-5)[(error.abs() <= delta) == inside].all())

    return holds


_PROPERTIES = (
    Property(
        "the loss of small errors",
        _right("huber", inside=True),
        "Your loss is not right where the size of the error is at most delta.",
        "There it is the first line of the formula, the parabola alone. Delta decides only where that line ends.",
        "Take one such error and put it into the first line by hand. Does your code take that line for it?",
    ),
    Property(
        "the loss of large errors",
        _right("huber", inside=False),
        "Your loss is right for errors within delta, and not for those beyond it.",
        "There it is a straight line in the size of the error. It goes on as steep as the parabola ends, from the same height.",
        "Put an error of exactly delta into both lines of your code: do they agree? How much should one more in size cost?",
    ),
    Property(
        "the slope of small errors",
        _right("huber_slope", inside=True),
        "Your slope is not right where the size of the error is at most delta.",
        "There the loss is the parabola alone, and its derivative does not know of delta.",
        "Differentiate the first line of the formula, and put one such error into it by hand.",
    ),
    Property(
        "the slope of large errors",
        _right("huber_slope", inside=False),
        "Your slope is right for errors within delta, and not for those beyond it.",
        "There the loss is a straight line on each side of 0. A line has one slope, the same however far out you are.",
        "Differentiate the second line of the formula, once for positive and once for negative errors.",
    ),
)


@exercise("04.3", title="Huber and its slope", points=2)
class HuberAndItsSlope:
    """A parabola and two lines that meet without a corner."""

    reference = (huber, huber_slope)
    read = "Outliers: squared, absolute, Huber"
    statement = r"""
        Huber's loss of an error $e$ is a parabola near 0 and straight outside, for any $\delta > 0$:

        $$\operatorname{huber}_\delta(e) = \begin{cases} \frac12 e^2 & |e| \le \delta \\ \delta\,|e| - \frac12 \delta^2 & |e| >
        \delta \end{cases}$$

        Write two functions, for a tensor `error` of any shape and a number `delta`:

        * `huber(error, delta)` returns the loss **of each error**, in the shape and dtype of `error`. No mean is taken;
        * `huber_slope(error, delta)` returns the derivative of that loss by each error. Find it on paper: the derivative of
          each line, and what both give where they meet.

        Value and slope join at $|e| = \delta$. The first function should let gradients through, also at errors of exactly 0.
        Do not call a ready-made loss, and leave autograd out of the second function. It is there to check yourself.

        Example: `error = [1, -2, 5, -7]` with $\delta = 3$. The first two lie inside: $\frac12 \cdot 1 = 0.5$ and $\frac12
        \cdot 4 = 2$. The others cost $3 \cdot 5 - 4.5 = 10.5$ and $3 \cdot 7 - 4.5 = 16.5$. The slopes are `[1, -2, 3, -3]`.
    """
    cases = _cases
    forbidden: ClassVar = {
        **dict.fromkeys(_LOSSES, "Write the two lines of the formula yourself: the point is where and how they join."),
        **dict.fromkeys(_AUTOGRAD, "Find the derivative on paper: autograd is there to check it."),
    }
    mistakes = MISTAKES
    properties = _PROPERTIES
    alternatives: ClassVar = {
        "near part and rest": (named_as("huber", _by_near_part), named_as("huber_slope", _slope_by_cases)),
        "masks": (named_as("huber", _by_mask), named_as("huber_slope", _slope_by_size)),
        "loop, and a division": (named_as("huber", _by_loop), named_as("huber_slope", _slope_by_division)),
    }
    hints = (
        "Draw the loss for one delta: a parabola, and at delta a straight line that goes on as steep as the parabola is there.",
        "`torch.where` takes a condition and both lines of the formula. The condition asks for the size of the error, so "
        "that negative errors go the same way as positive ones.",
        "The derivative inside is the error itself, and outside it is delta with the sign of the error. So nothing is ever "
        "above delta or below -delta: a function of torch cuts off on both sides.",
    )
