"""Exercise 02.6: count the dead units."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Out, exercise
from companion.checks.cases import draw
from companion.checks.ch02_activations.e6_mistakes import MISTAKES
from companion.checks.numbers import rows
from companion.checks.trace import Case


def dead_share(activations: torch.Tensor) -> torch.Tensor:
    """Return the share of units that are 0 for every sample: outputs of a ReLU layer (N, H) -> ()."""
    dead = (activations == 0).all(dim=0)  # (N, H) -> (H,)
    return dead.to(activations.dtype).mean()


def _dead_by_maximum(activations: Tensor) -> float:
    return (activations.amax(dim=0) == 0).float().mean().item()


def _dead_by_count(activations: Tensor) -> float:
    fired = (activations > 0).sum(dim=0)
    return 1 - torch.count_nonzero(fired).item() / activations.shape[1]


def _dead_by_loop(activations: Tensor) -> float:
    dead = [float(column.sum()) == 0 for column in activations.T]
    return sum(dead) / len(dead)


def _dead_cases(seed: int) -> list[Case]:
    drawn = draw("a drawn table in float64", {"activations": "N H"}, seed, sizes={"N": 6, "H": 5})
    activations = torch.relu(drawn.args["activations"])
    activations[:, 3] = 0
    activations[:, 4] += 0.5  # never 0
    return [
        Case(
            "one dead unit of three",
            {"activations": rows([1.0, 0.0, 0.0], [0.0, 0.0, 2.0])},
            example=True,
        ),
        Case(
            "a silent sample and one dead unit of four",
            {"activations": rows([0.0, 0.0, 0.0, 0.0], [3.0, 0.0, 1.0, 0.0], [0.0, 0.0, 2.0, 0.5])},
        ),
        Case("no dead unit", {"activations": rows([1.0, 0.0, 3.0], [0.0, 2.0, 1.0])}),
        Case("all units dead", {"activations": torch.zeros(2, 3)}),
        Case("tiny activations", {"activations": rows([1e-12, 0.0], [0.0, 0.0])}),
        dataclasses.replace(drawn, args={"activations": activations}),
    ]


@exercise("02.6", title="Count the dead units", points=1)
class DeadShare:
    """Which ReLU units have stopped listening."""

    reference = dead_share
    read = "Dying ReLUs"
    returns = (Out("out", "number"),)
    statement = r"""
        A ReLU unit is *dead* on a data set if it gives 0 for every sample: no gradient passes through it, so
        nothing can bring it back.

        Write `dead_share(activations)`. `activations` holds the outputs of a ReLU layer, shape (N, H): one
        row per sample, one column per unit. Return which share of the units is dead, from 0 to 1, as one
        number.

        Example: `[[1, 0, 0], [0, 0, 2]]` gives 0.3333: only the middle unit is 0 in both rows.
    """
    cases = _dead_cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "maximum is 0": _dead_by_maximum,
        "count those that fire": _dead_by_count,
        "loop over units": _dead_by_loop,
    }
    hints = (
        "Mark the zeros in the example above with a pencil. Which column is marked from top to bottom?",
        "`(activations == 0)` has the shape (N, H). Which of `all` and `any` do you need, along which axis?",
        "`.all(dim=0)` leaves one truth value per unit. The mean of truth values, once they are numbers, is a share.",
    )
