"""The figure of chapter 10 on searching: a grid, chance and a Gaussian process on a slice of the recorded table."""

from __future__ import annotations

import math
from functools import cache
from statistics import mean, median

from companion import experiments
from companion.experiments.search import unpacked
from companion.experiments.search_race import SIDES, SLICE_COUNTS, slice_candidates, slice_of, table
from companion.figures.chance import seeded, shuffled
from companion.figures.controls import Choice, Control, Slider, Steps, Toggle
from companion.figures.figure import Figure, figure, minus
from companion.figures.svg import Picture, named_rows
from companion.search import bayesian
from companion.search.process import LENGTHS, NOISES

FIRST, MOST, NEAR, REPEATS, GOOD = 5, SIDES[-1] ** 2, 0.01, 40, 4
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


def good_rates() -> list[int]:
    """Return the places of the best rates, by the lowest mean that each has with any decay."""
    columns = [means()[i * SLICE_COUNTS[1] : (i + 1) * SLICE_COUNTS[1]] for i in range(SLICE_COUNTS[0])]
    return sorted(range(len(columns)), key=lambda i: min(columns[i]))[:GOOD]


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


def middle(method: str, budget: int) -> float:
    """Return what the middle one of the 200 recorded repeats came to, to four digits."""
    return round(median(judged(method, budget)), 4)


def near(method: str, budget: int) -> int:
    """Return in how many of the 200 recorded repeats a method came near the best setting."""
    return sum(v <= min(means()) + NEAR for v in judged(method, budget))


def values_of(axis: str) -> list[float]:
    """Return the values on an axis of the table, to four digits."""
    return [float(f"{v:.4g}") for v in experiments.recorded("search").results["axes"][axis]]


@figure("10", "A race of three searches")
def search_race() -> Figure:
    """Return three searches on recorded trainings, trial by trial; method, budget and repeat are the reader's."""
    repeat, method, budget, step = 1, "gp", 16, 9
    rates, decays = values_of("lr"), values_of("decay")
    k, seen, worth = best_of(method, repeat, budget, step)
    place = k // SLICE_COUNTS[1], k % SLICE_COUNTS[1]
    different = {name: len({c // SLICE_COUNTS[1] for c in tried(name, repeat, budget)}) for name in NAMES}
    close = {name: near(name, budget) for name in NAMES}
    middles = {name: middle(name, budget) for name in NAMES}
    whole = {name: _near_on_four_axes(name, budget) for name in NAMES}
    own = sum(c // SLICE_COUNTS[1] in good_rates() for c in tried("gp", repeat, budget)[FIRST:])
    luck = [mean(_raced(name, budget, "judged")) - mean(_raced(name, budget, "shown")) for name in NAMES]
    alt = (
        f"A table of {len(cells())} settings, learning rate across and weight decay upwards. A Gaussian process has tried {step} of them, {step - FIRST} where it expected most; "
        f"the best shows {seen:.3f} wrong at rate {rates[place[0]]:g} and decay {decays[place[1]]:.1e}, and seven other trainings of it have {worth:.3f}. "
        f"Below, the best so far of the three methods, and what the process guesses along the rate. With {budget} trials a grid would try {different['grid']} rates, chance {different['random']}."
    )
    answer = (
        f"All about equally often: the grid in {close['grid']}, chance in {close['random']}, the process in {close['gp']} of 200 repeats; in the middle they came to {middles['grid']:.3f}, {middles['random']:.3f} and {middles['gp']:.3f}. "
        f"On these two axes {sum(v <= min(means()) + NEAR for v in means())} of {len(means())} settings are that near, and one training is too noisy to tell them apart: what a search sees of its choice is better than the choice is worth. "
        f"On the whole table, four axes of which one matters most, the methods do differ: with {budget} trials near the best come the grid in {whole['grid']}, chance in {whole['random']} and the process in {whole['gp']} of 200 repeats. There, too, what they saw flatters, by {min(luck):.3f} to {max(luck):.3f}. "
        f"See why: the grid has tried {different['grid']} rates, chance {different['random']}, and {own} of the {budget - FIRST} trials that the process chose are at the {GOOD} best rates."
    )
    guesses = (
        "the process, clearly",
        "chance, clearly",
        "the grid, clearly",
        "all three about equally often",
    )
    controls: dict[str, Control] = {
        "method": Choice("method", NAMES, method),
        "budget": Choice("budget", {str(b): f"{b} trials" for b in BUDGETS}, str(budget)),
        "repeat": Slider("repeat", 1, REPEATS, 1, repeat),
        "step": Steps("trial", MOST, step, now=budget),
        "whole": Toggle("show the whole table"),
    }
    state = {
        "wrong": [" ".join(str(round(v * 1e4)) for v in cell) for cell in cells()],
        "rates": rates,
        "decays": decays,
        "set": [LENGTHS, NOISES],
        "chances": {name: {str(b): [middle(name, b), near(name, b)] for b in BUDGETS} for name in NAMES},
    }
    return Figure(
        "search_race",
        state,
        alt=minus(alt),
        caption="Three searches on real trainings of a network on 300 digits. Each setting was trained with eight seeds; a search sees one of them, and what it chooses is worth the mean of the other seven. "
        f"A grid of {budget} tries {different['grid']} values on each axis; chance tries {different['random']} of the {len(rates)} rates; the process tries where its guess is low or unsure.",
        controls=controls,
        task=f"Predict: each method has {budget} trials, 200 times. Which comes most often within {NEAR:g} of the best setting of this table?",
        guesses=guesses,
        right=3,
        answer=minus(answer),
        fallback=_pictured(repeat, budget, alt),
    )


def _raced(method: str, budget: int, what: str) -> list[float]:
    """Return what each repeat came to on the whole table: as it was ``"judged"``, or as it was ``"shown"`` to the search."""
    return unpacked(experiments.recorded("search_race").results["races"][RECORDED[method]][what][str(budget)]).tolist()


def _near_on_four_axes(method: str, budget: int) -> int:
    least = float(table().mean(dim=1).min())
    return sum(v <= least + NEAR for v in _raced(method, budget, "judged"))


def _pictured(repeat: int, budget: int, alt: str) -> str:
    """Draw the best so far of three methods, and a table of their results in several repeats."""
    picture = Picture(
        (0, budget),
        (-1.15, 0),
        xlabel="trial",
        ylabel="share wrong, best so far (logarithm)",
        ticks=((0, 4, 8, 12, 16), (-1, -0.5, 0)),
    )
    for name, ink, dash in (("grid", "ink", "2 5"), ("random", "b", "9 5"), ("gp", "a", "")):
        best = [best_of(name, repeat, budget, t)[1] for t in range(1, budget + 1)]
        picture.line([(t + 1, math.log10(v)) for t, v in enumerate(best)], ink, dash=dash)
    rows = []
    for r in range(1, 6):
        texts = [f"{v:.3f}" for name in NAMES for v in best_of(name, r, budget)[1:]]
        rows.append((f"repeat {r}", texts))
    columns = ("", "grid: seen", "worth", "chance: seen", "worth", "process: seen", "worth")
    words = "blue: the process; orange, dashed: chance; dotted: the grid"
    return f"{picture.svg(minus(alt))}<p>{words}</p>{named_rows(f'Best of {budget} trials', columns, rows)}"
