"""Exercise 01.2: a movable threshold."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Mistake, exercise, rng
from companion.checks.numbers import F64, vector
from companion.checks.trace import Case


def fires(z: torch.Tensor, threshold: float) -> torch.Tensor:
    """Return 1.0 where z reaches the threshold and 0.0 elsewhere, in the shape and dtype of z."""
    return (z >= threshold).to(z.dtype)


def _fires_by_where(z: Tensor, threshold: float) -> Tensor:
    return torch.where(z >= threshold, torch.ones_like(z), torch.zeros_like(z))


def _fires_by_heaviside(z: Tensor, threshold: float) -> Tensor:
    return torch.heaviside(z - threshold, torch.ones((), dtype=z.dtype))


def _fires_cases(seed: int) -> list[Case]:
    z = torch.randn(3, 4, generator=rng(seed), dtype=F64)
    return [
        Case("a weighted sum on each side", {"z": vector(-1.0, 2.0, 3.0), "threshold": 0.0}),
        Case("a threshold of 1.5", {"z": vector(-2.0, 1.0, 4.0), "threshold": 1.5}),
        Case("a negative threshold", {"z": vector(-2.0, -0.5, 1.0), "threshold": -1.0}),
        Case("a weighted sum right at the threshold", {"z": vector(0.25, 0.5, 0.75), "threshold": 0.5}),
        Case("two axes in float64", {"z": z, "threshold": 0.3}),
    ]


@exercise("01.2", title="A movable threshold", points=1)
class Fires:
    """The step function with its threshold as an argument."""

    reference = fires
    statement = r"""
        A neuron fires when its weighted sum reaches a threshold $\theta$:

        $$f(z) = \begin{cases} 1 & z \ge \theta \\ 0 & z < \theta \end{cases}$$

        Write `fires(z, threshold)`. `z` has any shape and `threshold` is a Python number; the result has the
        shape **and the dtype** of `z` and holds only 0 and 1.

        Example: `z = [0.25, 0.5, 0.75]` and `threshold = 0.5` give `[0, 1, 1]`.

        *Serves the objective: explain the bias as a threshold that can be learned.*
    """
    cases = _fires_cases
    mistakes = (
        Mistake(
            "does not fire at the threshold itself",
            lambda z, threshold: (z > threshold).to(z.dtype),
            "Everything is right except at the threshold itself, where the neuron should fire. Weights that "
            "start at 0 put the very first sum exactly there.",
        ),
        Mistake(
            "ignores the threshold",
            lambda z, threshold: (z >= 0).to(z.dtype),
            "Your neuron always fires from 0 on. Move the threshold and nothing changes: where does it enter?",
        ),
        Mistake(
            "adds the threshold",
            lambda z, threshold: (z + threshold >= 0).to(z.dtype),
            "You add the threshold to z. A higher threshold should make firing harder, yours makes it "
            "easier. (What you add would be a bias: the threshold with its sign turned.)",
        ),
        Mistake(
            "fires below the threshold",
            lambda z, threshold: (z <= threshold).to(z.dtype),
            "Your neuron fires where the sum is small and rests where it is large. Turn the comparison round.",
        ),
        Mistake(
            "returns truth values",
            lambda z, threshold: z >= threshold,
            "True and False in the right places. The next layer multiplies by weights, so it needs numbers: "
            "give them the dtype of z.",
        ),
        Mistake(
            "answers with -1 and 1",
            lambda z, threshold: (z >= threshold).to(z.dtype) * 2 - 1,
            "A resting neuron sends 0 here, not -1. (Some books use -1 and 1; then other formulas change too.)",
        ),
        Mistake(
            "takes the sign",
            lambda z, threshold: torch.sign(z - threshold),
            "The sign has three answers, -1, 0 and 1. A step has two: 0 below the threshold and 1 from it on.",
        ),
        Mistake(
            "passes the sum on",
            lambda z, threshold: torch.where(z >= threshold, z, torch.zeros_like(z)),
            "Where it fires you return z itself. A step says yes or no, and yes is 1, however large the sum is.",
        ),
    )
    alternatives: ClassVar = {"where": _fires_by_where, "heaviside": _fires_by_heaviside}
    hints = (
        "A comparison of a tensor with a number compares each entry and gives True or False.",
        "Which of >, >=, < and <= is right at the threshold itself? The formula above says it.",
        "Compare `z` with `threshold`, then turn truth values into numbers with `.to(...)` and the dtype of `z`.",
    )
