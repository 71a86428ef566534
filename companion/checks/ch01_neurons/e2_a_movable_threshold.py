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


def _fires_in_two_writes(z: Tensor, threshold: float) -> Tensor:
    out = z.clone()
    out[out >= threshold] = 1
    out[out < threshold] = 0
    return out


def _fires_cases(seed: int) -> list[Case]:
    z = torch.randn(3, 4, generator=rng(seed), dtype=F64)
    return [
        Case("a weighted sum on each side", {"z": vector(-1.0, 2.0, 3.0), "threshold": 0.0}),
        Case("a threshold of 1.5", {"z": vector(-2.0, 0.0, 1.0, 4.0), "threshold": 1.5}),
        Case("a negative threshold", {"z": vector(-2.0, -0.5, 1.0), "threshold": -1.0}),
        Case("a weighted sum right at the threshold", {"z": vector(0.25, 0.5, 0.75), "threshold": 0.5}, example=True),
        Case("weighted sums close to the threshold", {"z": vector(0.4995, 0.5, 0.5005), "threshold": 0.5}),
        Case("two numbers in float64", {"z": vector(-1.0, 2.0, dtype=F64), "threshold": 0.5}),
        Case("two axes in float64", {"z": z, "threshold": 0.3}),
    ]


@exercise("01.2", title="A movable threshold", points=1)
class Fires:
    """The step function with its threshold as an argument."""

    reference = fires
    read = "The step, and a decision"
    statement = r"""
        A neuron fires when its weighted sum reaches a threshold $\theta$:

        $$f(z) = \begin{cases} 1 & z \ge \theta \\ 0 & z < \theta \end{cases}$$

        Write `fires(z, threshold)`. `z` has any shape and `threshold` is a Python number; the result has the
        shape **and the dtype** of `z` and holds only 0 and 1.

        Example: `z = [0.25, 0.5, 0.75]` and `threshold = 0.5` give `[0, 1, 1]`.
    """
    cases = _fires_cases
    mistakes = (
        Mistake(
            "does not fire at the threshold itself",
            lambda z, threshold: (z > threshold).to(z.dtype),
            "Your answer is wrong where z equals the threshold, and right everywhere above and below it.",
            "Your comparison leaves out equality, and the formula includes it. It is a convention, but it decides the "
            "first step of learning: with all weights at 0 each sum is exactly 0.",
            "Find the entry shown that equals the threshold, and read the two cases of the formula again. Which of "
            "them does this entry belong to?",
        ),
        Mistake(
            "ignores the threshold",
            lambda z, threshold: (z >= 0).to(z.dtype),
            "Your answers change at 0 and nowhere else: each z from 0 on gives 1, whatever the threshold is.",
            "A step at 0 belongs to a neuron whose threshold has been moved into its bias. Here it comes as an "
            "argument, and your answers do not depend on it.",
            "Call your function twice on the same z, once with a low threshold and once with a high one. Should the "
            "two results differ?",
        ),
        Mistake(
            "adds the threshold",
            lambda z, threshold: (z + threshold >= 0).to(z.dtype),
            "Raising the threshold makes your neuron fire more often: a z between minus the threshold and the "
            "threshold gets the wrong answer.",
            "What is added to a sum is a bias; a threshold is what the sum has to reach. They are one number with "
            "opposite signs, and you used the one in the place of the other.",
            "Mark the z shown for which the neuron should fire, and compute by hand what you compare with 0 for each "
            "of them. Which sign would a hurdle have in that sum?",
        ),
        Mistake(
            "fires below the threshold",
            lambda z, threshold: (z <= threshold).to(z.dtype),
            "You give 1 where z is small and 0 where z is large: the ones lie on the wrong side of the threshold.",
            "Your comparison asks whether z stays under a limit. A neuron fires when enough evidence has come "
            "together, so a larger sum must never turn a 1 into a 0.",
            "Read your comparison aloud with each number shown in its place, and say after each whether it has "
            "reached the threshold.",
        ),
        Mistake(
            "returns truth values",
            lambda z, threshold: z >= threshold,
            "True and False come back, in the right places: the dtype of your result is bool, not that of z.",
            "A comparison answers with truth values. The next layer multiplies by its weights what a neuron sends "
            "out, and for that it needs numbers of the same kind as its own.",
            "Print `result.dtype` beside `z.dtype`. How does a tensor change its dtype while its entries stay where "
            "they are?",
        ),
        Mistake(
            "answers with -1 and 1",
            lambda z, threshold: (z >= threshold).to(z.dtype) * 2 - 1,
            "Where the neuron rests you return -1; the ones are in the right places.",
            "A step has two conventions, 0 and 1 or -1 and 1. Formulas written for the one go wrong with the other, "
            "and this chapter keeps to the first.",
            "Look up the value in the lower line of the formula, and compare it with the smallest entry of your "
            "result.",
        ),
        Mistake(
            "takes the sign",
            lambda z, threshold: torch.sign(z - threshold),
            "Below the threshold you return -1, and a z that meets the threshold gets a third answer, 0.",
            "The sign function sorts numbers into negative, zero and positive. A step knows two states only, and to "
            "meet the threshold counts as firing.",
            "Make a table with three rows: z below, at, and above the threshold. Fill in the formula's answers and "
            "yours.",
        ),
        Mistake(
            "passes the sum on",
            lambda z, threshold: torch.where(z >= threshold, z, torch.zeros_like(z)),
            "Where the neuron fires you return z itself, so that a larger sum gives a larger answer.",
            "You keep the sums that reach the threshold and drop the others: a filter. A step is a switch. It forgets "
            "how large the sum was, and that makes it a decision.",
            "Double each z above the threshold in the input shown. Should a decision change by that? Look at what "
            "your function returns.",
        ),
        Mistake(
            "answers gradually",
            lambda z, threshold: torch.sigmoid(z - threshold),
            "Your answers rise smoothly with z: none of the entries shown comes out as exactly 0 or 1.",
            "A sigmoid is a dimmer, which tells how far z is from the threshold. The step of this task is a switch "
            "with two positions and nothing between them.",
            "Print your result for a z a little below the threshold and for one a little above. How far apart are "
            "the two, and what would a light switch do?",
        ),
        Mistake(
            "passes on what exceeds the threshold",
            lambda z, threshold: torch.relu(z - threshold),
            "You return the distance by which z exceeds the threshold: it grows with z and is 0 at the threshold.",
            "A ReLU, moved to the threshold, keeps the size of what is left over. A step tells only whether the "
            "threshold was reached.",
            "Compare two entries that both lie above the threshold. Should the neuron's answer differ between them?",
        ),
        Mistake(
            "compares again what it has written",
            _fires_in_two_writes,
            "With a threshold above 1 nothing fires: every entry of your result is 0, also that of the largest z.",
            "You write 1 into a tensor and then compare the same tensor again. The 1 is taken for a weighted sum, and "
            "under a threshold above 1 it is wiped out.",
            "Print your tensor after each of the two assignments for the input shown. On which numbers should both "
            "comparisons be made?",
        ),
        Mistake(
            "fires below the threshold, and does not fire at the threshold itself",
            lambda z, threshold: (z < threshold).to(z.dtype),
            "Every one of your answers is the opposite of the right one, that at the threshold included.",
            "Two things are turned round: small sums fire, and equality counts as resting. The direction of a "
            "comparison is one decision, whether it includes equality another.",
            "Settle the direction first, with a z far above the threshold. Then test a z that equals it, and read in "
            "the formula where it belongs.",
        ),
        Mistake(
            "ignores the threshold, and does not fire at the threshold itself",
            lambda z, threshold: (z > 0).to(z.dtype),
            "Your step stays at 0 for every threshold, and a z of exactly 0 rests.",
            "This is the step as one remembers it, with a fixed 0 and a strict comparison. The one of this task has "
            "its threshold as an argument, and meeting it is enough to fire.",
            "Test one z in three calls, with a threshold below it, equal to it and above it. Write the formula's "
            "three answers beside yours.",
        ),
    )
    alternatives: ClassVar = {"where": _fires_by_where, "heaviside": _fires_by_heaviside}
    hints = (
        "A comparison of a tensor with a number compares each entry and gives True or False.",
        "Which of >, >=, < and <= is right at the threshold itself? The formula above says it.",
        "Compare `z` with `threshold`, then turn truth values into numbers with `.to(...)` and the dtype of `z`.",
    )
