"""Exercise 07.1: momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Property, exercise
from companion.checks.ch07_optimizers.e1_mistakes import MISTAKES
from companion.checks.ch07_optimizers.lists import (
    F32,
    LAYERS,
    TWO_LISTS,
    Tensors,
    drawing,
    of_both,
    tensors_in,
    two_lists,
)
from companion.checks.numbers import number, rows, vector
from companion.checks.trace import Case


def momentum_step(
    weights: list[torch.Tensor],
    slopes: list[torch.Tensor],
    velocity: list[torch.Tensor],
    lr: float,
    momentum: float,
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Return the weights and the velocity after one step with momentum, as two new lists of new tensors."""
    velocity = [momentum * v + g for v, g in zip(velocity, slopes)]
    return [w - lr * v for w, v in zip(weights, velocity)], velocity


def _by_index(
    weights: Sequence[Tensor], slopes: Sequence[Tensor], velocity: Sequence[Tensor], lr: float, momentum: float
) -> list[list[Tensor]]:
    moved, speeds = [], []
    for k in range(len(weights)):
        speeds.append(slopes[k].add(velocity[k], alpha=momentum))
        moved.append(torch.sub(weights[k], speeds[k], alpha=lr))
    return [moved, speeds]


def _on_copies(
    weights: Sequence[Tensor], slopes: Sequence[Tensor], velocity: Sequence[Tensor], lr: float, momentum: float
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    moved, speeds = tuple(w.clone() for w in weights), tuple(v.clone() for v in velocity)
    for w, g, v in zip(moved, slopes, speeds):
        v *= momentum
        v += g
        w -= lr * v
    return moved, speeds


def _in_two_parts(
    weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, momentum: float
) -> tuple[Tensors, Tensors]:
    """Go on with the old speed first, then follow the slope: the same step, in two parts."""
    kept = [momentum * v for v in velocity]
    moved = [(w - lr * v) - lr * g for w, g, v in zip(weights, slopes, kept)]
    return moved, [v + g for v, g in zip(kept, slopes)]


def cases(seed: int) -> list[Case]:
    """Return lists of weights, slopes and velocities; 07.2 is asked about the same ones."""
    draw = drawing(seed)

    def case(
        name: str, weights: Tensors, slopes: Tensors, velocity: Tensors, lr: float, mu: float, *, example: bool = False
    ) -> Case:
        given = {"weights": weights, "slopes": slopes, "velocity": velocity, "lr": lr, "momentum": mu}
        return Case(name, given, example=example)

    def drawn(name: str, shapes: Sequence[Sequence[int]], lr: float, mu: float, dtype: torch.dtype) -> Case:
        weights, slopes, velocity = (draw(*shapes, dtype=dtype, strided=dtype is F32) for _ in range(3))
        return case(name, weights, slopes, velocity, lr, mu)

    return [
        case(
            "the step worked out",
            [vector(4, 1), vector(2)],
            [vector(2, -1), vector(3)],
            [vector(1, 0.5), vector(-2)],
            0.1,
            0.5,
            example=True,
        ),
        case("a velocity of 0", [vector(3, -2), vector(1)], [vector(4, -6), vector(2)], [vector(0, 0), vector(0)], 0.25, 0.9),
        case("slopes of 0 in one of two tensors", [vector(2, 5), number(3)], [vector(0, 0), number(-4)], [vector(4, -2), number(1)], 0.5, 0.75),
        case("no momentum", [rows([1, -2, 3], [0.5, 4, -1])], [rows([2, 1, -3], [-1, 0.5, 4])], [rows([3, 5, 1], [2, -4, 6])], 0.2, 0.0),
        case("a rate above 1", [vector(2, -1, 4)], [vector(0.5, 1, -0.25)], [vector(-1, 0.5, 2)], 2.0, 0.3),
        drawn("a single number in float64", [()], 0.3, 0.6, torch.float64),
        drawn("a tensor without entries between two others", [(2, 3), (0, 3), (4,)], 0.1, 0.9, torch.float64),
        drawn("two layers in float64", LAYERS, 0.05, 0.9, torch.float64),
        drawn("two tables in float32, with gaps in memory", [(4, 2), (3, 4)], 0.4, 0.8, F32),
    ]  # fmt: skip


def _moved(case: Case, observed: Observed) -> bool:
    """Return whether the weights have gone by rate times the velocity that is handed back."""
    made = tensors_in(observed)
    count = len(case.args["weights"])
    return all(
        bool(torch.isclose(w - case.args["lr"] * v, new, rtol=1e-3, atol=1e-4).all())
        for w, new, v in zip(case.args["weights"], made[:count], made[count:])
    )


_FITS = Property(
    "the step is rate times the new velocity",
    _moved,
    "Your new weights and your new velocity do not fit together: the step should be `lr` times what you hand back.",
    "There are two formulas, one after the other. The second takes the velocity that the first has made.",
    "Take an entry of the case shown: old weight minus new weight, divided by `lr`. Is it the velocity that you hand back?",
)


@exercise("07.1", title="Momentum", points=1)
class Momentum:
    """The rule of the chapter in PyTorch's form, for any number of tensors."""

    reference = momentum_step
    read = "Momentum"
    returns = (Out("made", "tensors"),)
    script = two_lists("momentum_step")
    observe = of_both
    properties = (TWO_LISTS, _FITS)
    forbidden: ClassVar = {"optim": "It has momentum built in. Here you write the two lines that are in it."}
    statement = r"""
        A sledge keeps part of its speed. In each step the velocity $v$ loses some of itself to friction and takes up the slope
        $g$. Then the weights go along it:

        $$v \leftarrow \mu\, v + g, \qquad w \leftarrow w - \eta\, v$$

        This is PyTorch's form. The slope goes into the velocity whole, and the rate $\eta$ stays outside of it. A velocity of
        zeros is the start of a training: the first step is then one of plain gradient descent.

        Write `momentum_step(weights, slopes, velocity, lr, momentum)`. The first three are lists of the same length, and tensors at the
        same place have the same shape. `lr` is the rate $\eta$ and `momentum` is $\mu$, both plain numbers. Return two **new
        lists of new tensors**: `return weights, velocity`, both after the step.

        The lists that came in are used again by whoever calls you. None of them may hold other tensors or other numbers
        afterwards.

        Example: weights `[[4, 1], [2]]`, slopes `[[2, -1], [3]]`, velocity `[[1, 0.5], [-2]]`, a rate of 0.1 and a momentum of 0.5. The
        new velocity is $0.5 \cdot 1 + 2 = 2.5$, then $0.5 \cdot 0.5 - 1 = -0.75$, and $0.5 \cdot (-2) + 3 = 2$. The weights go to
        $4 - 0.1 \cdot 2.5 = 3.75$, to $1.075$ and to $1.8$. So the result is `[tensor([3.75, 1.075]), tensor([1.8])]` and
        `[tensor([2.5, -0.75]), tensor([2.0])]`.
    """
    cases = cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "by index, in a list": _by_index,
        "on copies, in tuples": _on_copies,
        "old speed first, then the slope": _in_two_parts,
    }
    hints = (
        "Do the example on paper for one weight. Which of the two formulas comes first, and which of its letters is new in the second?",
        "Make the list of new velocities first, from the old ones and the slopes. Then go through weights and new velocities side by "
        "side with `zip`.",
        "`[momentum * v + g for v, g in zip(velocity, slopes)]` is the first list. The second has the same form, with the weights, "
        "`lr` and the first list.",
    )
