"""Exercise 11.3: the area under the ROC curve."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Property, exercise, rng
from companion.checks.ch11_metrics.e3_mistakes import MISTAKES
from companion.checks.levels import close
from companion.checks.numbers import F64, vector
from companion.checks.trace import Case, Trace


def roc(y: torch.Tensor, scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return false-positive rates and true-positive rates from (0, 0) to (1, 1), and the area below them."""
    thresholds = scores.unique().flip(0)  # falling
    flagged = scores >= thresholds[:, None]  # (T, N)
    zero = torch.zeros(1, dtype=torch.float64)
    tpr = torch.cat([zero, (flagged & (y == 1)).sum(dim=1) / (y == 1).sum().double()])
    fpr = torch.cat([zero, (flagged & (y == 0)).sum(dim=1) / (y == 0).sum().double()])
    area = ((fpr[1:] - fpr[:-1]) * (tpr[1:] + tpr[:-1]) / 2).sum()
    return fpr, tpr, area


def _sorted_once(y: Tensor, scores: Tensor) -> tuple[Tensor, Tensor, float]:
    """Sort, add up, and keep the last of each run of equal scores."""
    s, order = torch.sort(scores, descending=True)
    ill = y[order].double()
    last = torch.ones(len(s), dtype=torch.bool)
    last[:-1] = s[1:] != s[:-1]
    start = torch.zeros(1, dtype=torch.float64)
    x, z = (torch.cat([start, (part.cumsum(0) / part.sum())[last]]) for part in (1 - ill, ill))
    return x, z, float(torch.trapezoid(z, x))


def _by_pairs(y: Tensor, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Take the area as a chance: an ill patient has a higher score than a healthy one."""
    ill, healthy = scores[y == 1], scores[y == 0]
    lines = [float("inf"), *sorted(set(scores.tolist()), reverse=True)]
    points = [((healthy >= t).float().mean(), (ill >= t).float().mean()) for t in lines]
    fpr, tpr = torch.tensor(points).T
    return fpr, tpr, 0.5 + torch.sign(ill[:, None] - healthy).mean() / 2


def _by_ranks(y: Tensor, scores: Tensor) -> dict[str, object]:
    """Take the area from the sum of ranks, ties at their mean rank."""
    s, truth = scores.numpy(), y.numpy().astype(bool)
    _, place, times = np.unique(s, return_inverse=True, return_counts=True)
    rank = (np.cumsum(times) - (times - 1) / 2)[place]
    n_ill, n_healthy = truth.sum(), (~truth).sum()
    both = np.stack([np.bincount(place, weights=w)[::-1].cumsum() for w in (~truth, truth)])
    curves = np.concatenate([np.zeros((2, 1)), both / [[n_healthy], [n_ill]]], axis=1)
    area = (rank[truth].sum() - n_ill * (n_ill + 1) / 2) / (n_ill * n_healthy)
    return {"fpr": torch.from_numpy(curves[0]), "tpr": torch.from_numpy(curves[1]), "area": area}


def _cases(seed: int) -> list[Case]:
    g = rng(seed + 113)

    def case(name: str, y: list[int], scores: Tensor, example: bool = False) -> Case:
        return Case(name, {"y": torch.tensor(y), "scores": scores}, example=example)

    def drawn(name: str, ill: int, healthy: int, unit: float, apart: float, dtype: torch.dtype = F64) -> Case:
        y = torch.tensor([1] * ill + [0] * healthy)
        scores = unit * (torch.randn(len(y), generator=g, dtype=F64) * 4 + apart * y + 1).round()
        order = torch.randperm(len(y), generator=g)
        return Case(name, {"y": y[order], "scores": scores[order].to(dtype)})

    def fine(name: str, ill: int, healthy: int, dtype: torch.dtype) -> Case:
        y = torch.tensor([1] * ill + [0] * healthy)
        scores = (torch.randn(len(y), generator=g, dtype=F64) + y).to(dtype)
        order = torch.randperm(len(y), generator=g)
        return Case(name, {"y": y[order], "scores": scores[order]})

    return [
        case("the five patients worked out", [1, 0, 1, 0, 0], vector(0.75, 0.5, 0.5, 0.25, 0.125, dtype=F64), True),
        case("scores that are all different", [0, 1, 0, 1, 1], vector(0.25, 0.875, 0.625, 0.5, 0.75)),
        case("one score for everybody", [1, 0, 0, 1, 0], vector(0.5, 0.5, 0.5, 0.5, 0.5)),
        case("a perfect order", [0, 1, 0, 0], vector(0.25, 0.75, 0.125, 0.5)),
        case("an order that is all wrong", [0, 1, 0, 1, 1], vector(0.75, 0.25, 0.875, 0.125, 0.5)),
        case("two kinds of scores", [1, 0, 0, 1, 0, 0, 1], vector(1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0)),
        drawn("many ties", 9, 14, 1.0, 3.0),
        drawn("a few ill among many, in float32", 4, 45, 0.125, 5.0, torch.float32),
        drawn("more ill than healthy, and scores below 0", 21, 6, 2.0, -1.0),
        fine("scores of any size, all different", 7, 12, F64),
        fine("forty patients, in float32", 13, 27, torch.float32),
    ]


def _observe(case: Case, trace: Trace) -> Observed:
    return {name: trace.tensors[name] for name in ("fpr", "tpr", "area") if name in trace.tensors}


def _under(o: Observed) -> Tensor:
    x, z = o["fpr"].double(), o["tpr"].double()
    return torch.trapezoid(z, x)


_PROPERTIES = (
    Property(
        "the curve begins at (0, 0)",
        lambda case, o: bool(o["fpr"][0] == 0) and bool(o["tpr"][0] == 0),
        "Your curve does not begin at (0, 0).",
        "Above the highest score nobody is called ill: no true alarm, and no false one. The curve rises from there.",
        "What are the two rates at an infinite threshold?",
    ),
    Property(
        "the curve ends at (1, 1)",
        lambda case, o: close(o["fpr"][-1:], torch.ones(1), 1e-5) and close(o["tpr"][-1:], torch.ones(1), 1e-5),
        "Your curve does not end at (1, 1).",
        "At the lowest score everybody is called ill: all of the ill, and all of the healthy. Rates are shares of these two groups.",
        "By what do you divide the two counts, and is the lowest score among your thresholds?",
    ),
    Property(
        "the curve never turns back",
        lambda case, o: bool((o["fpr"].diff() >= 0).all()) and bool((o["tpr"].diff() >= 0).all()),
        "Your curve turns back somewhere: one of the rates gets smaller from point to point.",
        "As the threshold comes down more and more people are called ill. No rate can fall.",
        "In which order do your thresholds come?",
    ),
    Property(
        "the area is that below the curve",
        lambda case, o: close(_under(o), o["area"].double(), 1e-5),
        "Your area is not the one below your own curve.",
        "Between two points the curve is straight. What lies below it is a trapezium: its width times the mean of its two heights.",
        "Draw the curve of the example on squared paper and count the area. Which piece do you count otherwise?",
    ),
)


@exercise("11.3", title="The area under the ROC curve", points=2)
class TheAreaUnderTheRocCurve:
    """The curve over all thresholds, and the area below it."""

    reference = roc
    returns = (Out("fpr"), Out("tpr"), Out("area", "number"))
    observe = _observe
    properties = _PROPERTIES
    read = "Every threshold at once"
    statement = r"""
        Let the threshold come down from above the highest score to the lowest one. At each place two rates can be read:

        $$\text{TPR} = \frac{\text{ill patients with score} \ge \text{threshold}}{\text{all ill patients}} \qquad
        \text{FPR} = \frac{\text{healthy patients with score} \ge \text{threshold}}{\text{all healthy patients}}$$

        The ROC curve has the FPR to the right and the TPR upwards. Write `roc(y, scores)`. `y` has the shape (N,), 1 for ill and 0 for healthy, and
        there is at least one of each. `scores` has the same shape: any numbers in any order, higher for more ill. Return three things.

        * `fpr` and `tpr`, two tensors of the shape (T + 1,), where T is how many **different** scores there are. They begin with the point (0, 0),
          where nobody is called ill. Then comes a point for each different score, from the highest to the lowest, and the last is (1, 1). All patients
          of one score are called ill at once.
        * the **area** below the curve, a number. Between two points the curve is straight, so that the area is a sum of trapezia: width times mean height.

        Where an ill and a healthy patient have the same score the curve rises at a slant, and half of that step's box lies below it. So the area is
        the chance that an ill patient, drawn at random, has a higher score than a healthy one, with **ties counted as half**.

        Example: `y = [1, 0, 1, 0, 0]`, `scores = [0.75, 0.5, 0.5, 0.25, 0.125]`. The thresholds are 0.75, 0.5, 0.25 and 0.125. `tpr` is
        `[0, 0.5, 1, 1, 1]` and `fpr` is `[0, 0, 0.3333, 0.6667, 1]`. The area is $0 + \frac13 \cdot 0.75 + \frac13 + \frac13 = 0.9167$. By pairs:
        of the 2 · 3 pairs five are in the right order and one is a tie, $5.5 / 6$.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "sorted once": _sorted_once,
        "the area by pairs": _by_pairs,
        "the area by ranks": _by_ranks,
    }
    hints = (
        "Write down for the example, threshold by threshold, how many ill and how many healthy patients reach it. Divide the first column by 2 and the second by 3.",
        "`scores.unique().flip(0)` holds the thresholds. For one of them, `(scores[y == 1] >= t).double().mean()` is the TPR.",
        "With the point (0, 0) in front, the widths are `fpr[1:] - fpr[:-1]`, and the mean heights `(tpr[1:] + tpr[:-1]) / 2`.",
    )
