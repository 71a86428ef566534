"""Three ways to spend a budget of trials: every point of a grid, points by chance, and where a Gaussian process expects the most."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import NamedTuple

import torch
from torch import Tensor

from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_float, require_whole
from companion.search.improvement import expected_improvement
from companion.search.kernels import Kernel, matern52
from companion.search.process import likeliest_process

Objective = Callable[[int], float]


class Trials(NamedTuple):
    """What was tried, in this order.

    Attributes:
        indices: the candidates' numbers, (t,), int64.
        values: what the objective said of each, (t,), float64.
    """

    indices: Tensor
    values: Tensor

    @property
    def best(self) -> Tensor:
        """Return the lowest value after each trial, (t,): it never rises."""
        return self.values.cummin(dim=0).values

    @property
    def chosen(self) -> int:
        """Return the number of the candidate with the lowest value, of several the first that was tried."""
        return int(self.indices[self.values.argmin()])


def random_search(
    objective: Objective, candidates: Tensor, trials: int, generator: torch.Generator | None = None
) -> Trials:
    """Try candidates drawn by chance, none twice.

    Where two of five hyperparameters matter, n trials by chance see n different values of each of the two; a grid of n sees
    the fifth root of n.

    Args:
        objective: takes a candidate's number, gives what is to be small.
        candidates: points of the unit cube.
        trials: how many may be tried.
        generator: where the draws come from.

    Shape:
        candidates (n, d).

    Returns:
        ``Trials(indices, values)``, with ``.best`` after each trial and the candidate ``.chosen`` in the end.

    Raises:
        TypeError: If candidates are no tensor, ``trials`` is no whole number, or the objective gives no number.
        ValueError: If there are more trials than candidates, a coordinate is not from 0 to 1, or a value is not finite.

    Source:
        Bergstra and Bengio (2012), Random search for hyper-parameter optimization.

    >>> found = random_search(lambda k: (k - 70) ** 2, torch.rand(100, 2), 10, torch.Generator().manual_seed(0))
    >>> found.chosen, found.best[-1].item()
    (71, 1.0)
    """
    _require("random_search", "candidates", candidates, trials)
    order = torch.randperm(len(candidates), generator=generator)[:trials]
    return _tried("random_search", objective, order)


def grid_search(objective: Objective, grid: Tensor, trials: int | None = None) -> Trials:
    """Try the points of a grid from the first to the last.

    A grid is planned for its budget: one that is broken off has seen one side of the space only.

    Args:
        objective: takes the number of a grid's point, gives what is to be small.
        grid: points of the unit cube, such as :meth:`Space.grid` makes.
        trials: how many may be tried; None is all.

    Shape:
        grid (n, d).

    Returns:
        ``Trials(indices, values)``, with ``.best`` after each trial and the candidate ``.chosen`` in the end.

    Raises:
        TypeError: If the grid is no tensor, ``trials`` is no whole number, or the objective gives no number.
        ValueError: If there are more trials than points, a coordinate is not from 0 to 1, or a value is not finite.

    >>> found = grid_search(lambda k: (k - 7) ** 2, torch.rand(9, 2))
    >>> found.best.tolist()
    [49.0, 36.0, 25.0, 16.0, 9.0, 4.0, 1.0, 0.0, 0.0]
    """
    require_float("grid_search", "grid", grid)
    trials = len(grid) if trials is None else trials
    _require("grid_search", "grid", grid, trials)
    return _tried("grid_search", objective, torch.arange(trials))


def bayesian(
    objective: Objective,
    candidates: Tensor,
    trials: int,
    generator: torch.Generator | None = None,
    *,
    first: int | Sequence[int] = 5,
    margin: float = 0.0,
    kernel: Kernel = matern52,
) -> Trials:
    r"""Try some candidates by chance, then always the one from which a Gaussian process expects the largest improvement.

    After each trial the values are brought to mean 0 and standard deviation 1, the likeliest process is fitted to them
    (:func:`likeliest_process`), and

    .. math:: k = \arg\max_{k \text{ untried}} EI \bigl( \mu(x_k), s(x_k), f^* \bigr)

    is tried next. As trainings are noisy, the best so far, :math:`f^*`, is the lowest *guess* at a place tried, not the luckiest value.

    Args:
        objective: takes a candidate's number, gives what is to be small.
        candidates: points of the unit cube.
        trials: how many may be tried.
        generator: where the first draws come from, and the choice between candidates that promise the same.
        first: how many are drawn by chance before the process is asked, or the numbers of those to begin with; it stops
            there if ``trials`` is less.
        margin: how much an improvement has to be to count, in standard deviations of the values seen.
        kernel: how alike values are at a distance.

    Shape:
        candidates (n, d).

    Returns:
        ``Trials(indices, values)``, with ``.best`` after each trial and the candidate ``.chosen`` in the end.

    Raises:
        TypeError: If candidates are no tensor, ``trials`` or ``first`` is no whole number, or the objective gives none.
        ValueError: If there are more trials than candidates, a coordinate is not from 0 to 1, a value is not finite, or
            ``first`` is below 1, or names no candidate, one that there is not, or one twice.

    Source:
        Snoek, Larochelle and Adams (2012), Practical Bayesian optimization of machine learning algorithms.

    >>> places = torch.linspace(0, 1, 101)[:, None]
    >>> bayesian(lambda k: (k / 100 - 0.7) ** 2, places, 10, torch.Generator().manual_seed(0)).chosen
    70
    """
    _require("bayesian", "candidates", candidates, trials)
    done = _tried("bayesian", objective, _beginning(len(candidates), first, generator)[:trials])
    while len(done.indices) < trials:
        gain = _promise(candidates, done, margin, kernel)
        highest = (gain == gain.max()).nonzero().flatten()
        lot = torch.randint(len(highest), (1,), generator=generator)
        new = _tried("bayesian", objective, highest[lot])
        done = Trials(*[torch.cat(parts) for parts in zip(done, new)])
    return done


def _beginning(n: int, first: int | Sequence[int], generator: torch.Generator | None) -> Tensor:
    """Return the numbers of the candidates to begin with: so many by chance, or those that are named."""
    if isinstance(first, Sequence) and not isinstance(first, str):
        for i, k in enumerate(first):
            require_whole("bayesian", f"first[{i}]", k, least=0)
        if not first or len(set(first)) < len(first) or not set(first) <= set(range(n)):
            raise bad_value("bayesian", "first", f"different numbers from 0 to {n - 1}, one or more", list(first))
        return torch.tensor(first)
    require_whole("bayesian", "first", first, least=1)
    return torch.randperm(n, generator=generator)[:first]


def _promise(candidates: Tensor, done: Trials, margin: float, kernel: Kernel) -> Tensor:
    """Return the expected improvement of each candidate in standard deviations, below 0 for those tried: (n,)."""
    spread = done.values.std(correction=0)
    y = (done.values - done.values.mean()) / (spread if spread > 0 else 1)
    process = likeliest_process(candidates[done.indices], y, kernel=kernel)
    mean, std = process.predict(candidates)
    gain = expected_improvement(mean, std, float(mean[done.indices].min()), margin=margin)
    return gain.index_fill(0, done.indices, -1)


def _tried(where: str, objective: Objective, indices: Tensor) -> Trials:
    values: list[float] = []
    for k in indices.tolist():
        value: object = objective(k)
        if isinstance(value, Tensor) and value.numel() == 1:
            value = value.item()
        if isinstance(value, bool) or not isinstance(value, Real):
            raise bad_type(where, f"objective({k})", "one number", value)
        if not math.isfinite(value):
            hint = "give a training that diverged the worst value there is"
            raise bad_value(where, f"objective({k})", "a finite number", value, hint)
        values.append(float(value))
    return Trials(indices, torch.tensor(values, dtype=torch.double))


def _require(where: str, argument: str, candidates: Tensor, trials: int) -> None:
    require_float(where, argument, candidates)
    if candidates.ndim != 2 or not candidates.numel():
        raise bad_value(where, argument, "points of the unit cube, shape (n, d)", tuple(candidates.shape))
    if not bool(((candidates >= 0) & (candidates <= 1)).all()):
        raise bad_value(where, argument, "coordinates from 0 to 1", "others", "Space.unit brings settings there")
    require_whole(where, "trials", trials, least=1)
    if trials > len(candidates):
        raise bad_value(where, "trials", f"at most {len(candidates)}, as many as there are {argument}", trials)
