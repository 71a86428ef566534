"""Exercise 02.6: count the dead units."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Out, exercise, rng
from companion.checks.numbers import F64, rows
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
    g = rng(seed)
    drawn = torch.relu(torch.randn(6, 5, generator=g, dtype=F64))
    drawn[:, 3] = 0
    return [
        Case(
            "one dead unit of three",
            {"activations": rows([1.0, 0.0, 0.0], [0.0, 0.0, 2.0])},
        ),
        Case(
            "a silent sample and one dead unit of four",
            {"activations": rows([0.0, 0.0, 0.0, 0.0], [3.0, 0.0, 1.0, 0.5], [0.0, 0.0, 2.0, 1.0])},
        ),
        Case("no dead unit", {"activations": rows([1.0, 0.0], [0.0, 2.0])}),
        Case("all units dead", {"activations": torch.zeros(2, 3)}),
        Case("tiny activations", {"activations": rows([1e-12, 0.0], [0.0, 0.0])}),
        Case("six samples of five units in float64", {"activations": drawn}),
    ]


@exercise("02.6", title="Count the dead units", points=1)
class DeadShare:
    """Which ReLU units have stopped listening."""

    reference = dead_share
    returns = (Out("out", "number"),)
    statement = r"""
        A ReLU unit is *dead* on a data set if it gives 0 for every sample: no gradient passes through it, so
        nothing can bring it back.

        Write `dead_share(activations)`. `activations` holds the outputs of a ReLU layer, shape (N, H): one
        row per sample, one column per unit. Return which share of the units is dead, from 0 to 1, as one
        number.

        Example: `[[1, 0, 0], [0, 0, 2]]` gives 0.3333: only the middle unit is 0 in both rows.

        *Serves the objective: measure dying ReLUs and say what causes and cures them.*
    """
    cases = _dead_cases
    mistakes = (
        Mistake(
            "counts zeros",
            lambda activations: (activations == 0).to(activations.dtype).mean(),
            "That is the share of zeros. A healthy ReLU is 0 for many samples; it is dead only if it is 0 "
            "for all of them.",
        ),
        Mistake(
            "looks at samples instead of units",
            lambda activations: (activations == 0).all(dim=1).to(activations.dtype).mean(),
            "You found samples for which every unit is silent. A unit is a column: which axis should disappear?",
        ),
        Mistake(
            "calls a unit dead after one zero",
            lambda activations: (activations == 0).any(dim=0).to(activations.dtype).mean(),
            "A single 0 does not make a unit dead. Ask for all samples, not for any.",
        ),
        Mistake(
            "returns a count",
            lambda activations: (activations == 0).all(dim=0).sum().to(activations.dtype),
            "That is how many units are dead. The share is that number divided by how many units there are.",
        ),
        Mistake(
            "returns the share that lives",
            lambda activations: (activations > 0).any(dim=0).to(activations.dtype).mean(),
            "That is the share of units that fire at least once. What is the share of the others?",
        ),
        Mistake(
            "divides by the number of samples",
            lambda activations: (activations == 0).all(dim=0).sum() / activations.shape[0],
            "You divide by the number of samples. It is a share of the units: columns, not rows.",
        ),
        Mistake(
            "compares the zeros of a unit with the number of units",
            lambda activations: ((activations == 0).sum(dim=0) == activations.shape[1]).to(activations.dtype).mean(),
            "You count a unit's zeros and compare with the number of units. A unit is dead if it has as "
            "many zeros as there are samples.",
        ),
        Mistake(
            "takes small activations for zero",
            lambda activations: (activations < 1e-8).all(dim=0).to(activations.dtype).mean(),
            "A unit that gives 1e-12 still passes its gradient on: a ReLU is dead at exactly 0, not at small numbers.",
        ),
        Mistake(
            "returns a percentage",
            lambda activations: 100 * (activations == 0).all(dim=0).to(activations.dtype).mean(),
            "That is a percentage. A share lies between 0 and 1: leave out the factor 100.",
        ),
        Mistake(
            "looks at the first sample only",
            lambda activations: (activations[0] == 0).to(activations.dtype).mean(),
            "You look at one sample. A unit that is silent there may speak for the next one: it is dead only if it is "
            "silent for all.",
        ),
    )
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
