"""Numbers behind the reports of exercise 11.6 that need a simulation: cohorts made up so that the truth is known."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from companion.checks.bank import rng

F64 = torch.float64


class Chosen(NamedTuple):
    """F1 in the mean over cohorts: at one half, the best of all thresholds, and that threshold on new patients."""

    at_half: float
    best: float
    new: float


def _cohort(n: int, ill: int, g: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return labels, and probabilities that can be taken at their word."""
    y = torch.zeros(n, dtype=F64)
    y[:ill] = 1
    apart = 1.7
    x = torch.randn(n, generator=g, dtype=F64) + apart * y
    odds = apart * x - apart**2 / 2 + torch.logit(torch.tensor(ill / n, dtype=F64))
    return y, torch.sigmoid(odds)


def _f1(y: Tensor, p: Tensor, threshold: Tensor) -> Tensor:
    called = (p >= threshold[:, None]).to(F64)
    tp = (called * y).sum(dim=1)
    return 2 * tp / (called.sum(dim=1) + y.sum())


def chosen_on_the_test(cohorts: int = 400) -> Chosen:
    """Return what a threshold gains that was chosen on the test part, 120 patients with 24 ill, and what is left on new ones."""
    g = rng(1106)
    found = []
    for _ in range(cohorts):
        y, p = _cohort(120, 24, g)
        lines = p.unique()
        scores = _f1(y, p, lines)
        best = lines[scores.argmax()][None]
        new_y, new_p = _cohort(12_000, 2_400, g)
        found.append(
            (float(_f1(y, p, torch.tensor([0.5], dtype=F64))), float(scores.max()), float(_f1(new_y, new_p, best)))
        )
    return Chosen(*torch.tensor(found, dtype=F64).mean(dim=0).tolist())


class Calibrated(NamedTuple):
    """The calibration error of perfectly calibrated answers: its mean, and what 95 percent stay below."""

    mean: float
    most: float


def calibrated_by_chance(n: int = 360, bins: int = 10, draws: int = 2000) -> Calibrated:
    """Return the calibration error of answers that are right exactly as often as they say, over many draws of chance."""
    g = rng(1107)
    confidence = 1 - 0.5 * torch.rand(n, generator=g, dtype=F64) ** 3
    place = (confidence * bins).ceil().long().clamp(1, bins) - 1
    right = (torch.rand(draws, n, generator=g, dtype=F64) < confidence).to(F64)
    gaps = torch.zeros(draws, bins, dtype=F64).index_add(1, place, right - confidence)
    errors = gaps.abs().sum(dim=1) / n
    return Calibrated(float(errors.mean()), float(errors.quantile(0.95)))
