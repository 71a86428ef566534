"""Which search is best under one budget? Five methods spend their trials on the table of the experiment ``search``, two hundred times.

A method "trains" by a look into the table. In each repeat every setting shows one of its eight trainings, drawn by chance, the same to
all methods: that is what a search sees. What it chooses is judged by the mean of the seven others, which it never saw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor

from companion import experiments
from companion.errors import bad_value
from companion.experiments.search import COUNTS, SPACE, packed, unpacked
from companion.random import generator
from companion.search import Space, Trials, bayesian, grid_search, random_search

BUDGETS, REPEATS = (4, 8, 16, 32), 200
METHODS = ("grid", "one axis at a time", "random", "Gaussian process", "TPE")


def row(places: Sequence[int], counts: Sequence[int] = COUNTS) -> int:
    """Return the number of a setting in the table from its place on each axis.

    >>> row((0, 0, 1, 2))
    6
    """
    number = 0
    for place, count in zip(places, counts):
        number = number * count + place
    return number


def shifted_grid(per_axis: Sequence[int], g: torch.Generator, counts: Sequence[int] = COUNTS) -> list[int]:
    """Return the rows of a grid with so many places on each axis: one in each equal part, on each axis at the same chance offset in it."""
    axes = []
    for m, count in zip(per_axis, counts):
        offset = float(torch.rand((), generator=g))
        axes.append(torch.tensor([min(count - 1, int((i + offset) * count / m)) for i in range(m)]))
    return [row(places, counts) for places in torch.cartesian_prod(*axes).tolist()]


def grid_of(budget: int) -> list[int]:
    """Return how many places each axis gets: they are doubled one after the other, the first axis first.

    >>> grid_of(32)
    [4, 2, 2, 2]
    """
    per_axis = [1] * len(COUNTS)
    for turn in range(int(math.log2(budget))):
        per_axis[turn % len(COUNTS)] *= 2
    return per_axis


def one_axis_at_a_time(objective: Callable[[int], float], budget: int, g: torch.Generator) -> Trials:
    """Start anywhere, try other places along one axis, go on from the best with the next axis, and around again.

    An axis has a turn of a quarter of the budget, spread over its places that were not tried. Where nothing is left to try along
    any axis, it starts anew elsewhere.
    """
    seen: dict[int, float] = {}
    per_turn = max(1, (budget - 1) // len(COUNTS))
    now: list[int] = []
    while len(seen) < budget:
        if not now or all(k in seen for axis in range(len(COUNTS)) for k in _line(now, axis)):
            now = [int(torch.randint(count, (), generator=g)) for count in COUNTS]
            seen.setdefault(row(now), objective(row(now)))
        for axis in range(len(COUNTS)):
            left = [k for k in _line(now, axis) if k not in seen]
            m = min(per_turn, len(left), budget - len(seen))
            for k in [left[int((i + 0.5) * len(left) / m)] for i in range(m)]:
                seen[k] = objective(k)
            line = _line(now, axis)
            now[axis] = line.index(min((k for k in line if k in seen), key=seen.__getitem__))
    return Trials(torch.tensor(list(seen)), torch.tensor(list(seen.values()), dtype=torch.double))


def _line(places: list[int], axis: int) -> list[int]:
    """Return the rows along an axis through a setting."""
    return [row([*places[:axis], place, *places[axis + 1 :]]) for place in range(COUNTS[axis])]


def tpe(objective: Callable[[int], float], trials: int, seed: int) -> Trials:
    """Let Optuna's tree-structured Parzen estimator, as it comes, choose places on the axes; it may choose a setting again.

    Raises:
        ImportError: If the package optuna is missing.

    Source:
        Bergstra, Bardenet, Bengio and Kégl (2011), Algorithms for hyper-parameter optimization.
    """
    try:
        import optuna
    except ImportError as error:
        hint = "pip install optuna brings it, or make env in a checkout"
        raise ImportError(str(bad_value("tpe", "environment", "the package optuna", "none", hint))) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    axes: dict[str, optuna.distributions.BaseDistribution] = {
        name: optuna.distributions.IntDistribution(0, count - 1) for name, count in zip(SPACE.axes, COUNTS)
    }
    tried = []
    for _ in range(trials):
        trial = study.ask(axes)
        tried.append((k := row([trial.params[name] for name in SPACE.axes]), objective(k)))
        study.tell(trial, tried[-1][1])
    indices, values = zip(*tried)
    return Trials(torch.tensor(indices), torch.tensor(values, dtype=torch.double))


def searched(method: str, shown: Tensor, budget: int, seed: int) -> Trials:
    """Return what a method tries of a table in which each setting shows one training.

    Args:
        method: one of :data:`METHODS`.
        shown: the share wrong of each setting, (n,).
        budget: how many trials it has.
        seed: where its own chance starts.

    Raises:
        ValueError: If there is no method of that name.
    """
    g, candidates = generator(seed), SPACE.grid(COUNTS)

    def objective(k: int) -> float:
        return float(shown[k])

    if method == "grid":
        rows = shifted_grid(grid_of(budget), g)
        found = grid_search(lambda i: objective(rows[i]), candidates[rows])
        return Trials(torch.tensor(rows)[found.indices], found.values)
    if method == "one axis at a time":
        return one_axis_at_a_time(objective, budget, g)
    if method == "random":
        return random_search(objective, candidates, budget, g)
    if method == "Gaussian process":
        return bayesian(objective, candidates, budget, g)
    if method == "TPE":
        return tpe(objective, budget, seed)
    raise bad_value("searched", "method", f"one of {', '.join(METHODS)}", method)


def shown_and_judged(wrong: Tensor, repeat: int) -> tuple[Tensor, Tensor]:
    """Return, for a repeat, the one training that each setting shows and the mean of its others: (n, S) -> (n,) and (n,)."""
    drawn = torch.randint(wrong.shape[1], (len(wrong), 1), generator=generator(10_000 + repeat))
    shown = wrong.gather(1, drawn)[:, 0]
    return shown, (wrong.sum(dim=1) - shown) / (wrong.shape[1] - 1)


def wrong_winner(a: Tensor, b: Tensor, repeats: int, draws: int = 10_000) -> float:
    """Return how often so few repeats, drawn from all, put the other one of two methods first than all repeats do; a tie counts half.

    All repeats together are taken for the truth, so the answer for all of them is 0, and for many it is too small: draw few.

    Args:
        a: what each repeat of the first method came to.
        b: the same of the second, in the same repeats.
        repeats: how many are drawn, none twice.
        draws: how often they are drawn.

    Shape:
        Both (R,).

    Raises:
        ValueError: If there are not as many repeats, or all of them together make a tie.
    """
    apart = a - b
    if not 1 <= repeats <= len(apart):
        raise bad_value("wrong_winner", "repeats", f"1 to {len(apart)}", repeats)
    if not apart.sum():
        raise bad_value("wrong_winner", "a and b", "methods that differ over all repeats", "a tie")
    order = torch.rand(draws, len(apart), generator=generator(0)).argsort(dim=1)[:, :repeats]
    sums = apart[order].sum(dim=1) * apart.sum().sign()
    even = sums.abs() < 1e-12
    return float((((sums < 0) & ~even).double() + even / 2).mean())


def races(wrong: Tensor, budgets: Sequence[int] = BUDGETS, repeats: int = REPEATS) -> dict[str, Any]:
    """Return what each method chose in each repeat: how it was judged, and what the search itself had seen of it.

    Methods that do not plan for a budget are run once, with the largest, and looked at after each smaller one; theirs is the curve, too:
    the quarters of the judgement after each trial.
    """
    results: dict[str, Any] = {}
    pairs = [shown_and_judged(wrong, repeat) for repeat in range(repeats)]
    for method in METHODS:
        planned = method in METHODS[:2]
        runs = {
            budget: [searched(method, shown, budget, seed) for seed, (shown, _) in enumerate(pairs)]
            for budget in (budgets if planned else budgets[-1:])
        }
        entry: dict[str, Any] = {"judged": {}, "shown": {}}
        for budget in budgets:
            done = [
                Trials(run.indices[:budget], run.values[:budget]) for run in runs[budget if planned else budgets[-1]]
            ]
            entry["judged"][str(budget)] = packed([float(judged[run.chosen]) for run, (_, judged) in zip(done, pairs)])
            entry["shown"][str(budget)] = packed([float(run.best[-1]) for run in done])
        if not planned:
            after = [_judged_after(run, judged) for run, (_, judged) in zip(runs[budgets[-1]], pairs)]
            quarters = torch.stack(after).quantile(torch.tensor([0.25, 0.5, 0.75], dtype=torch.double), dim=0)
            entry["curve"] = [packed(line) for line in quarters.tolist()]
        results[method] = entry
    return results


def _judged_after(run: Trials, judged: Tensor) -> Tensor:
    """Return the judgement of the setting that would be chosen after each trial, (t,)."""
    chosen = [int(run.values[: t + 1].argmin()) for t in range(len(run.values))]
    return judged[run.indices[chosen]].double()


#: The slice for the figure ``search_race``: rate and decay, at these places of width and dropout.
WIDTH_PLACE, DROPOUT_PLACE = 2, 1
SLICE_COUNTS, SIDES = (COUNTS[0], COUNTS[2]), (2, 3, 4, 5)


def slice_of(wrong: Tensor) -> Tensor:
    """Return the part of the table that has the slice's width and dropout: (1456, S) -> (91, S), decay changing fastest."""
    return wrong.view(*COUNTS, -1)[:, WIDTH_PLACE, :, DROPOUT_PLACE].flatten(0, 1)


def slice_candidates() -> Tensor:
    """Return the settings of the slice as points of the unit square, (91, 2)."""
    return Space({name: SPACE.axes[name] for name in ("lr", "decay")}).grid(SLICE_COUNTS)


def slice_races(wrong: Tensor, repeats: int = REPEATS) -> dict[str, dict[str, str]]:
    """Return how three methods were judged in each repeat on the slice, under budgets of 4, 9, 16 and 25 trials."""
    cells, candidates, most = slice_of(wrong), slice_candidates(), SIDES[-1] ** 2
    found: dict[str, dict[str, list[float]]] = {
        name: {str(m * m): [] for m in SIDES} for name in ("grid", "random", "Gaussian process")
    }
    for repeat in range(repeats):
        shown, judged = shown_and_judged(cells, repeat)
        ask = shown.tolist().__getitem__
        runs = {
            "random": random_search(ask, candidates, most, generator(repeat)),
            "Gaussian process": bayesian(ask, candidates, most, generator(repeat)),
        }
        for m in SIDES:
            rows = torch.tensor(shifted_grid((m, m), generator(repeat), SLICE_COUNTS))
            runs["grid"] = Trials(rows, shown[rows])
            for name, run in runs.items():
                chosen = Trials(run.indices[: m * m], run.values[: m * m]).chosen
                found[name][str(m * m)].append(float(judged[chosen]))
    return {name: {budget: packed(values) for budget, values in by.items()} for name, by in found.items()}


def table() -> Tensor:
    """Return the recorded share wrong of each setting and seed, (1456, 8), float64."""
    return torch.stack([unpacked(text) for text in experiments.recorded("search").results["wrong"]])


def run() -> dict[str, Any]:
    """Return the races of five methods on the table, and those of three on a slice of it."""
    wrong = table()
    made = {"table": experiments.recorded("search").code, "optuna": version("optuna")}
    return {**made, "races": races(wrong), "slice": slice_races(wrong)}
