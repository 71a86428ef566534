"""Exercise 06.4: how noisy is a batch?"""

from __future__ import annotations

import itertools
import math
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Out, Property, exercise
from companion.checks.cases import draw
from companion.checks.ch06_gradient_descent.e4_mistakes import MISTAKES
from companion.checks.numbers import rows
from companion.checks.trace import Case


def batch_noise(gradients: torch.Tensor, size: int) -> torch.Tensor:
    """Return the root mean square distance of a batch's mean gradient from that of all examples."""
    n = len(gradients)
    apart = gradients - gradients.mean(dim=0)
    spread = apart.square().sum(dim=1).mean()  # (N, P) -> mean squared distance of one example
    return (spread / size * (n - size) / (n - 1)).sqrt()


def _by_variances(gradients: Tensor, size: int) -> Tensor:
    n = gradients.shape[0]
    return torch.sqrt((1 / size - 1 / n) * gradients.var(dim=0).sum())


def _by_loops(gradients: Tensor, size: int) -> float:
    table = gradients.tolist()
    n = len(table)
    mean = [sum(column) / n for column in zip(*table)]
    spread = sum(math.dist(row, mean) ** 2 for row in table) / n
    return math.sqrt(spread * (n - size) / (size * (n - 1)))


def _by_all_batches(gradients: Tensor, size: int) -> Tensor:
    """Take every batch there is, where these are few."""
    n = len(gradients)
    if math.comb(n, size) > 500:
        return _by_variances(gradients, size)
    means = torch.stack([gradients[list(batch)].mean(dim=0) for batch in itertools.combinations(range(n), size)])
    return (means - gradients.mean(dim=0)).norm(dim=1).square().mean().sqrt()


def _cases(seed: int) -> list[Case]:
    three = rows([0, 0], [3, 0], [0, 6])
    return [
        Case("the three gradients worked out", {"gradients": three, "size": 2}, example=True),
        Case("a batch of one", {"gradients": rows([1, -2, 4], [3, 0, 4]), "size": 1}),
        Case("a batch of all", {"gradients": rows([2, 5], [-1, 4], [0, 3], [7, -2]), "size": 4}),
        Case("gradients that all agree", {"gradients": rows([3, -1], [3, -1], [3, -1], [3, -1], [3, -1]), "size": 2}),
        Case("two large gradients among small ones", {"gradients": rows([9, 1], [0, 0], [0, 1], [-8, 3]), "size": 3}),
        draw("all but one", {"gradients": "N P"}, 5 * seed, sizes={"N": 6, "P": 4}, plus={"size": 5}),
        draw("one weight", {"gradients": "N P"}, 5 * seed + 1, sizes={"N": 9, "P": 1}, plus={"size": 4}),
        draw("forty weights in float64", {"gradients": "N P"}, 5 * seed + 2, sizes={"N": 7, "P": 40}, plus={"size": 3}),
        draw(
            "a hundred examples in float32, with gaps in memory",
            {"gradients": "N P"},
            5 * seed + 3,
            sizes={"N": 100, "P": 3},
            plus={"size": 16},
            dtype=torch.float32,
            strided=True,
        ),
    ]


_PROPERTIES = (
    Property(
        "a batch of all has no noise",
        lambda case, o: case.args["size"] < len(case.args["gradients"]) or bool(o["out"].abs() < 1e-5),
        "With a batch of all examples your noise is not 0.",
        "A batch without replacement that holds all rows is all of the data. Its mean is the full mean, whatever was drawn.",
        "Put B = N into your formula. Which factor of it should become 0?",
    ),
    Property(
        "gradients that agree make no noise",
        lambda case, o: (
            bool((case.args["gradients"] != case.args["gradients"][0]).any()) or bool(o["out"].abs() < 1e-5)
        ),
        "All gradients agree, and your noise is not 0.",
        "Every batch has the same mean then. The noise comes from how far the gradients lie from their mean, and not from their size.",
        "What do you subtract from each row before you square?",
    ),
)


@exercise("06.4", title="How noisy is a batch?", points=2)
class HowNoisyIsABatch:
    """The spread of what a batch says about the slope."""

    reference = batch_noise
    read = "How noisy is a batch?"
    returns = (Out("out", "number"),)
    properties = _PROPERTIES
    statement = r"""
        A batch's gradient is a guess of the full gradient. How far off is it? All of the examples have been asked: `gradients`
        has the shape (N, P), with the gradient $g_i$ of one example in each row. A batch of $B$ different rows is drawn
        by chance, and $g_{\text{batch}}$ is its mean. Over all batches that can be drawn, its distance from the full mean
        $\bar g$ is

        $$\sqrt{\operatorname{mean}\, \lVert g_{\text{batch}} - \bar g \rVert^2} \;=\; \sqrt{\frac{1}{B} \cdot
        \frac{N - B}{N - 1} \cdot \frac{1}{N} \sum_{i=1}^{N} \lVert g_i - \bar g \rVert^2}$$

        Write `batch_noise(gradients, size)` that returns the right side as one number. `size` is $B$, a whole number from 1 to
        $N$, and $N$ is at least 2. Draw nothing: the formula knows what all draws together would give.

        Example: `gradients = [[0, 0], [3, 0], [0, 6]]` and batches of 2. The mean is (1, 2), and the squared distances from it
        are 5, 8 and 17, in the mean 10. So the result is $\sqrt{\frac{1}{2} \cdot \frac{1}{2} \cdot 10} = 1.5811$.
        Check it: the three batches have the means (1.5, 0), (0, 3) and (1.5, 3). Their squared distances from (1, 2) are 4.25,
        2 and 1.25, in the mean 2.5, and $\sqrt{2.5} = 1.5811$.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "by variances": _by_variances,
        "by loops": _by_loops,
        "by all batches": _by_all_batches,
    }
    hints = (
        "Begin inside the root, from the right: the mean gradient, then the squared distance of each row from it, then their mean.",
        "The mean runs down the rows, the squares are added up along them. `gradients - gradients.mean(dim=0)` holds the "
        "differences, one row for each example.",
        "`(gradients - gradients.mean(dim=0)).square().sum(dim=1).mean()` is the last of the three factors. Multiply it by "
        "`(n - size) / (n - 1) / size` and take the root.",
    )
