"""The figure of chapter 10 on searching: a grid, chance and a Gaussian process on a slice of the recorded table."""

from __future__ import annotations

import math
from functools import cache
from statistics import median

from companion import experiments
from companion.experiments.search import unpacked
from companion.experiments.search_race import SIDES, SLICE_COUNTS, slice_candidates, slice_of, table
from companion.figures.chance import seeded, shuffled
from companion.figures.controls import Choice, Control, Slider, Steps, Toggle
from companion.figures.figure import Figure, figure, minus
from companion.figures.svg import Picture, named_rows
from companion.search import bayesian
from companion.search.process import LENGTHS, NOISES

FIRST, MOST, NEAR, REPEATS = 5, SIDES[-1] ** 2, 0.01, 40
BUDGETS = tuple(m * m for m in SIDES)
NAMES = {"grid": "a grid", "random": "chance", "gp": "a Gaussian process"}
RECORDED = {"grid": "grid", "random": "random", "gp": "Gaussian process"}


@cache
def cells() -> list[list[float]]:
    """Return the share wrong of each setting of the slice, once for each seed: (91, 8)."""
    return [[round(v, 4) for v in cell] for cell in slice_of(table()).tolist()]


@cache
def means() -> list[float]:
    """Return the mean of each setting of the slice."""
    return [sum(cell) / len(cell) for cell in cells()]


@cache
def dealt(repeat: int) -> tuple[list[float], list[int]]:
    """Return for a repeat what each setting shows, and the order in which chance tries them."""
    draw = seeded(2 * repeat)
    shown = [cell[int(draw() * len(cell))] for cell in cells()]
    return shown, shuffled(range(len(shown)), draw)


def grid_of(repeat: int, m: int) -> list[int]:
    """Return the settings of a grid of m by m: one in each equal part of an axis, at one chance offset along each."""
    draw = seeded(2 * repeat + 1)
    axes = []
    for count in SLICE_COUNTS:
        offset = draw()
        axes.append([int((i + offset) * count / m) for i in range(m)])
    return [x * SLICE_COUNTS[1] + y for x in axes[0] for y in axes[1]]


@cache
def guided(repeat: int) -> list[int]:
    """Return what the companion's Gaussian process tries, beginning with the first trials of chance."""
    shown, order = dealt(repeat)
    return bayesian(shown.__getitem__, slice_candidates(), MOST, first=order[:FIRST]).indices.tolist()


def tried(method: str, repeat: int, budget: int) -> list[int]:
    """Return what a method tries under a budget, in its order."""
    if method == "grid":
        return grid_of(repeat, math.isqrt(budget))
    return (guided(repeat) if method == "gp" else dealt(repeat)[1])[:budget]


def best_of(method: str, repeat: int, budget: int, trials: int | None = None) -> tuple[int, float, float]:
    """Return the setting that a method chooses after so many trials, what it saw of it, and the mean of its other trainings."""
    shown = dealt(repeat)[0]
    k = min(tried(method, repeat, budget)[:trials], key=shown.__getitem__)  # of equal ones the first
    return k, shown[k], (sum(cells()[k]) - shown[k]) / (len(cells()[k]) - 1)


@cache
def judged(method: str, budget: int) -> list[float]:
    """Return how a method was judged in the 200 recorded repeats on the slice."""
    texts = experiments.recorded("search_race").results["slice"][RECORDED[method]]
    return unpacked(texts[str(budget)]).tolist()


def near(method: str, budget: int) -> float:
    """Return the share of the recorded repeats in which a method came near the best setting."""
    values = judged(method, budget)
    return sum(v <= min(means()) + NEAR for v in values) / len(values)


def values_of(axis: str) -> list[float]:
    """Return the values on an axis of the table, to four digits."""
    return [float(f"{v:.4g}") for v in experiments.recorded("search").results["axes"][axis]]
