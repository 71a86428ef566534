"""Exercise 07.2: look ahead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Property, exercise
from companion.checks.ch07_optimizers.e1_momentum import cases
from companion.checks.ch07_optimizers.e2_mistakes import MISTAKES
from companion.checks.ch07_optimizers.lists import TWO_LISTS, Tensors, of_both, tensors_in, two_lists
from companion.checks.trace import Case


def nesterov_step(
    weights: list[torch.Tensor],
    slopes: list[torch.Tensor],
    velocity: list[torch.Tensor],
    lr: float,
    momentum: float,
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Return the weights and the velocity after one step that looks ahead, as two new lists of new tensors."""
    velocity = [momentum * v + g for v, g in zip(velocity, slopes)]
    return [w - lr * (g + momentum * v) for w, g, v in zip(weights, slopes, velocity)], velocity


def _written_out(
    weights: Sequence[Tensor], slopes: Sequence[Tensor], velocity: Sequence[Tensor], lr: float, momentum: float
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Take the step from the old velocity: a slope, a part of it once more, and twice a part of the velocity."""
    moved = tuple(w - lr * (1 + momentum) * g - lr * momentum**2 * v for w, g, v in zip(weights, slopes, velocity))
    return moved, tuple(torch.add(g, v, alpha=momentum) for g, v in zip(slopes, velocity))


def _old_speed_and_new(
    weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, momentum: float
) -> list[Tensors]:
    """Take the plain step of momentum, and then the change from the old velocity to the new one, made smaller."""
    moved, speeds = [], []
    for w, g, old in zip(weights, slopes, velocity):
        new = momentum * old + g
        moved.append(w - lr * new - lr * momentum * (new - old))
        speeds.append(new)
    return [moved, speeds]


def _on_copies(
    weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, momentum: float
) -> tuple[Tensors, Tensors]:
    moved, speeds = [w.clone() for w in weights], [v.clone() for v in velocity]
    for w, g, v in zip(moved, slopes, speeds):
        v.mul_(momentum).add_(g)
        w.sub_(lr * g.add(v, alpha=momentum))
    return moved, speeds


def _fits_slope_and_velocity(case: Case, observed: Observed) -> bool:
    """Return whether the step is the slope and a part of the velocity that is handed back, times the rate."""
    made, a = tensors_in(observed), case.args
    count = len(a["weights"])
    return all(
        bool(torch.isclose(w - a["lr"] * (g + a["momentum"] * v), new, rtol=1e-3, atol=1e-4).all())
        for w, g, new, v in zip(a["weights"], a["slopes"], made[:count], made[count:])
    )


_FITS = Property(
    "the step is made from the slope and the new velocity",
    _fits_slope_and_velocity,
    "Your new weights do not fit the velocity that you hand back: the step should be `lr` times slope plus `momentum` times that.",
    "The second formula holds the slope as it came in, and the velocity that the first formula has made.",
    "Take an entry of the case shown. What is old weight minus new weight, divided by `lr`, and what should it be?",
)


@exercise("07.2", title="Look ahead", points=1)
class LookAhead:
    """Nesterov's momentum in PyTorch's form."""

    reference = nesterov_step
    read = "Look ahead"
    returns = (Out("made", "tensors"),)
    script = two_lists("nesterov_step")
    observe = of_both
    properties = (TWO_LISTS, _FITS)
    forbidden: ClassVar = {
        "optim": "It looks ahead by itself when `nesterov` is True. Here you write what it does then."
    }
    statement = r"""
        Nesterov's momentum looks ahead: the weights take the slope, and beside it the part of the velocity that the next step is
        about to carry on. In PyTorch's form:

        $$v \leftarrow \mu\, v + g, \qquad w \leftarrow w - \eta\, (g + \mu\, v) \quad \text{with the new } v$$

        Write `nesterov_step(weights, slopes, velocity, lr, momentum)`. Arguments and results are those of exercise 07.1: three lists
        and two numbers come in, and two **new lists of new tensors** go out, `return weights, velocity`. What came in holds the
        same tensors and the same numbers afterwards.

        You will also meet the textbook's form. It moves the weights ahead, asks for the slope there, and keeps the weights
        without the move. That is the same method seen from another place, and its weights are other numbers: PyTorch keeps the
        place that has been moved ahead. Here the slopes are handed to you and there is nothing to ask. `slopes` are those at `weights`,
        and the two formulas above are to be followed as they stand.

        Example: weights `[[4, 1], [2]]`, slopes `[[2, -1], [3]]`, velocity `[[1, 0.5], [-2]]`, a rate of 0.1 and a momentum of 0.5. The
        new velocity is 2.5, then -0.75, and 2, as in 07.1. The weights go to $4 - 0.1 \cdot (2 + 0.5 \cdot 2.5) = 3.675$, to
        $1 - 0.1 \cdot (-1 - 0.375) = 1.1375$ and to $2 - 0.1 \cdot (3 + 1) = 1.6$. So the result is
        `[tensor([3.675, 1.1375]), tensor([1.6])]` and `[tensor([2.5, -0.75]), tensor([2.0])]`.
    """
    cases = cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "written out in the old velocity, in tuples": _written_out,
        "a plain step, and the change of the velocity": _old_speed_and_new,
        "on copies": _on_copies,
    }
    hints = (
        "The first formula is that of 07.1. Copy your line, and look at the second formula: which three things does it need from each tensor?",
        "The velocity in the bracket is the new one. So make the list of new velocities first and give it a name; the old one is not needed any more.",
        "In the second list each entry is `w - lr * (g + momentum * v)`, where weights, slopes and **new** velocities go side by side "
        "through one `zip`.",
    )
