"""Exercise 11.2: the line from the costs."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from companion.checks.bank import Out, exercise, rng
from companion.checks.ch11_metrics.e2_mistakes import MISTAKES
from companion.checks.numbers import F64
from companion.checks.trace import Case


def best_threshold(
    y: torch.Tensor, scores: torch.Tensor, cost_fp: float, cost_fn: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the threshold of least cost, and what it costs per patient; of several the highest threshold."""
    thresholds = torch.cat([scores.unique(), scores.new_tensor([torch.inf])])  # rising, and nobody at the end
    flagged = scores >= thresholds[:, None]  # (T, N)
    false_alarms = (flagged & (y == 0)).sum(dim=1)
    misses = (~flagged & (y == 1)).sum(dim=1)
    costs = (cost_fp * false_alarms + cost_fn * misses) / len(y)
    return thresholds[costs == costs.min()].max(), costs.min()


def _one_threshold_after_the_other(y: Tensor, scores: Tensor, cost_fp: float, cost_fn: float) -> tuple[float, float]:
    best, least = math.inf, cost_fn * y.sum().item()
    for threshold in sorted(set(scores.tolist()), reverse=True):
        called = [s >= threshold for s in scores.tolist()]
        pairs = list(zip(called, y.tolist()))
        cost = cost_fp * pairs.count((True, 0)) + cost_fn * pairs.count((False, 1))
        if cost < least:
            best, least = threshold, cost
    return best, least / len(y)


def _by_sums(y: Tensor, scores: Tensor, cost_fp: float, cost_fn: float) -> tuple[float, Tensor]:
    """Sort once, from the highest score down: each patient who is called ill as well changes the cost by one amount."""
    s, order = scores.sort(descending=True)
    change = torch.where(y[order] == 1, -cost_fn, cost_fp).cumsum(0)
    whole = torch.cat([s[1:] != s[:-1], torch.tensor([True])])  # nobody is parted from others of the same score
    s, costs = s[whole], cost_fn * (y == 1).sum() + change[whole]
    k = int(costs.argmin())  # the first of several is the highest threshold
    nobody = cost_fn * (y == 1).sum()
    if nobody <= costs[k]:
        return math.inf, nobody / len(y)
    return s[k].item(), costs[k] / len(y)


def _with_numpy(y: Tensor, scores: Tensor, cost_fp: float, cost_fn: float) -> dict[str, object]:
    truth, s = y.numpy(), scores.numpy()
    line = np.append(np.unique(s), np.inf)[::-1]
    costs = [np.where(truth == 1, cost_fn * (s < t), cost_fp * (s >= t)).mean() for t in line]
    return {"threshold": line[np.argmin(np.round(costs, 9))], "cost": min(costs)}


def _cases(seed: int) -> list[Case]:
    g = rng(seed + 112)
    axes = {"y": ("N",), "scores": ("N",)}

    def case(
        name: str,
        y: list[int],
        scores: list[float],
        costs: tuple[float, float],
        dtype: torch.dtype = F64,
        example: bool = False,
    ) -> Case:
        args = {"y": torch.tensor(y), "scores": torch.tensor(scores, dtype=dtype)}
        return Case(name, {**args, "cost_fp": costs[0], "cost_fn": costs[1]}, axes=axes, example=example)

    def drawn(
        name: str, ill: int, healthy: int, costs: tuple[float, float], unit: float, dtype: torch.dtype = F64
    ) -> Case:
        y = torch.tensor([1] * ill + [0] * healthy)
        scores = unit * (torch.randn(len(y), generator=g, dtype=F64) * 5 + 5 * y + 2).round()
        order = torch.randperm(len(y), generator=g)
        args = {"y": y[order], "scores": scores[order].to(dtype)}
        return Case(name, {**args, "cost_fp": costs[0], "cost_fn": costs[1]}, axes=axes)

    six = [0.875, 0.25, 0.75, 0.125, 0.5, 0.625]
    return [
        case("the six patients worked out", [1, 1, 0, 0, 0, 1], six, (1.0, 5.0), example=True),
        case("costs the other way round", [1, 1, 0, 0, 0, 1], six, (5.0, 1.0)),
        case("patients of the same score", [0, 1, 1, 0, 1, 0, 0], [0.25, 0.5, 0.5, 0.5, 0.75, 0.25, 0.5], (1.0, 3.0)),
        case("two thresholds that cost the same", [1, 0, 0, 1, 0, 0], [0.75, 0.625, 0.5, 0.375, 0.25, 0.125], (1.0, 2.0)),
        case("equal costs, and two thresholds that cost the same", [0, 1, 0, 1, 0], [0.125, 0.5, 0.625, 0.75, 0.25], (2.0, 2.0)),
        case("alarms that are not worth it", [0, 1, 0, 0, 0], [0.875, 0.25, 0.5, 0.75, 0.125], (2.0, 3.0)),
        case("nobody called ill at the same cost as some", [0, 1, 1, 0], [0.75, 0.5, 0.25, 0.125], (2.0, 1.0)),
        case("misses that are so dear that everybody is called ill", [0, 1, 0, 0, 1], [0.875, 0.75, 0.5, 0.25, 0.125], (1.0, 50.0)),
        case("scores of any size", [1, 0, 1, 0, 0], [-1.5, -4.0, 12.0, 3.0, -2.5], (1.0, 4.0)),
        case("nobody ill", [0, 0, 0], [0.5, 0.25, 0.75], (1.0, 10.0)),
        case("nobody healthy", [1, 1, 1, 1], [0.5, 0.25, 0.75, 0.5], (3.0, 2.0)),
        case("one patient, who is ill", [1], [0.25], (1.0, 2.0)),
        drawn("a rare illness, in float32", 6, 50, (1.0, 10.0), 0.0625, torch.float32),
        drawn("a common illness, scores below 0 and above", 22, 15, (3.0, 1.0), 0.5),
        drawn("a rare illness whose misses are no dearer", 4, 37, (1.0, 1.0), 0.125),
        drawn("costs with fractions", 9, 25, (0.25, 1.5), 0.25),
    ]  # fmt: skip


@exercise("11.2", title="The line from the costs", points=2)
class TheLineFromTheCosts:
    """The threshold that costs least."""

    reference = best_threshold
    returns = (Out("threshold", "number"), Out("cost", "number"))
    read = "Where to draw the line"
    statement = r"""
        A threshold is a decision, and decisions have costs. A **false alarm**, a healthy patient who is called ill, costs `cost_fp`. A **miss**, an
        ill patient who is called healthy, costs `cost_fn`. Right answers cost nothing. The scores need not be calibrated, so the line is found by
        trying: on patients whose illness is known, which threshold would have cost least?

        Write `best_threshold(y, scores, cost_fp, cost_fn)`. `y` has the shape (N,), 1 for ill and 0 for healthy. `scores` has the same shape, and
        higher means more ill: any numbers, in any order, and several patients may have the same. Both costs are above 0. Return two numbers: the
        threshold, and what it costs **per patient**, which is the sum of all costs divided by N.

        * Who **reaches** the threshold is called ill: score ≥ threshold. Patients with the same score are always treated alike.
        * The thresholds to try are **the scores that occur**, and **infinity**, `float("inf")`, with which nobody is called ill. The lowest score
          calls everybody ill.
        * If several of them cost the same, take the **highest**: it raises the fewest alarms.

        Example: `y = [1, 1, 0, 0, 0, 1]`, `scores = [0.875, 0.25, 0.75, 0.125, 0.5, 0.625]`, and costs of 1 for a false alarm and 5 for a miss.

        | threshold | ∞ | 0.875 | 0.75 | 0.625 | 0.5 | 0.25 | 0.125 |
        |---|---|---|---|---|---|---|---|
        | false alarms | 0 | 0 | 1 | 1 | 2 | 2 | 3 |
        | misses | 3 | 2 | 2 | 1 | 1 | 0 | 0 |
        | cost | 15 | 10 | 11 | 6 | 7 | **2** | 3 |

        The result is 0.25 and 2/6 = 0.3333. With the costs exchanged it would be 0.875 and the same 2/6: one line, and another question.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "one threshold after the other": _one_threshold_after_the_other,
        "sorted once, by sums": _by_sums,
        "with numpy": _with_numpy,
    }
    hints = (
        "Write a helper first that says what one threshold costs, and check it with the table of the example. Trying all of them is then a loop.",
        'The list of thresholds is `[*scores.unique().tolist(), float("inf")]`. What does your helper say of infinity, and of the lowest score?',
        "Go through the thresholds from the highest down, and take a new one only if it costs **less** than the best so far. Then the highest of several stays.",
    )
