"""A search that a learner writes, on a recorded table of real trainings: what it asked for, what it was told, what it chose.

In each repeat the rows stand in another order, the axes too, and some are turned round: nobody can know beforehand where the
good settings are. What is asked is answered by one training of that setting, and by another one when it is asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from companion.checks.reading import fits
from companion.errors import bad_value

NO_CHOICE = -1
_LIMIT = 10  # times the budget: then a loop that never ends is broken off


@cache
def table() -> tuple[Tensor, Tensor]:
    """Return the settings as points of the unit cube, (n, d), and what each of its trainings got wrong, (n, S)."""
    from companion.experiments import recorded
    from companion.experiments.search import COUNTS, SPACE, unpacked

    return SPACE.grid(COUNTS), torch.stack([unpacked(text) for text in recorded("search").results["wrong"]])


class Trainings:
    """Answers how much a setting got wrong in one training. Whoever holds it can call it, and learns nothing else from it."""

    __slots__ = ("_asked", "_limit", "_rows", "_told", "_turns", "_wrong")

    def __init__(self, wrong: Tensor, rows: Tensor, limit: int, chance: torch.Generator) -> None:
        self._wrong, self._rows, self._limit = wrong, rows, limit
        self._turns = torch.rand(wrong.shape, generator=chance).argsort(dim=1)
        self._asked, self._told = list[int](), list[float]()

    def __getattribute__(self, name: str) -> Any:
        if name in ("__class__", "__doc__"):
            return object.__getattribute__(self, name)
        raise AttributeError("ask tells how much a candidate gets wrong, ask(k), and nothing else")

    def __call__(self, k: int) -> float:
        """Train candidate ``k`` once more; return the share that it gets wrong."""
        its = partial(object.__getattribute__, self)
        asked, told, rows = its("_asked"), its("_told"), its("_rows")
        number = k.item() if isinstance(k, Tensor) and k.numel() == 1 else k
        if type(number) is not int or not 0 <= number < len(rows):
            raise bad_value("ask", "k", f"the number of a candidate, a whole number from 0 to {len(rows) - 1}", k)
        if len(asked) >= its("_limit"):
            raise bad_value("ask", "trials", f"at most {its('_limit')}", "more", "the loop does not end")
        row = int(rows[number])
        turn = its("_turns")[row, asked.count(number) % its("_turns").shape[1]]
        asked.append(number)
        told.append(float(its("_wrong")[row, turn]))
        return told[-1]


def searches(search: Callable[..., Any], settings: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return, for each repeat, what a search asked for and chose.

    ``chosen`` is a row of the recorded table. Numbers of candidates are ``number``, of what was chosen, and those of the trial
    that came out best or worst, and of the last one. ``calls`` is how often it asked, ``near`` how far from the best so far the second
    half of the trials was, as a part of the mean distance to all candidates, and ``rises`` how much more these get wrong.
    """
    fits(search, (torch.zeros(1, 1), None, 1))
    points, wrong = table()
    budget, repeats = settings["budget"], []
    for repeat in range(settings["repeats"]):
        chance = torch.Generator().manual_seed(settings["seed"] + repeat)
        rows = torch.randperm(len(points), generator=chance)
        axes = torch.randperm(points.shape[1], generator=chance)
        turned = torch.rand(points.shape[1], generator=chance) < 0.5
        candidates = torch.where(turned, 1 - points, points)[rows][:, axes]
        ask = Trainings(wrong, rows, _LIMIT * budget, chance)
        value = search(candidates.clone(), ask, budget)
        chosen = value.item() if isinstance(value, Tensor) and value.numel() == 1 else value
        number = chosen if type(chosen) is int and 0 <= chosen < len(rows) else NO_CHOICE
        row = int(rows[number]) if number != NO_CHOICE else NO_CHOICE
        asked, told = (object.__getattribute__(ask, name) for name in ("_asked", "_told"))
        repeats.append({"chosen": row, "number": number, **_seen(candidates, asked, told)})
    return {name: torch.tensor([found[name] for found in repeats]) for name in repeats[0]}


def _seen(candidates: Tensor, asked: list[int], told: list[float]) -> dict[str, Any]:
    """Return what is to be seen of one search."""
    best, worst = (asked[told.index(extreme(told))] if asked else NO_CHOICE for extreme in (min, max))
    return {
        "calls": len(asked),
        "different": len(set(asked)),
        "best": best,
        "worst": worst,
        "last": asked[-1] if asked else NO_CHOICE,
        "near": _near(candidates, asked, told),
        "rises": _rises(told),
        "in lines": _in_lines(candidates, asked),
    }


def _rises(told: list[float]) -> float:
    """Return by how much more the trials of the second half get wrong than those of the first, in the mean."""
    half = len(told) // 2
    return sum(told[half:]) / len(told[half:]) - sum(told[:half]) / half if half else 0.0


def _in_lines(candidates: Tensor, asked: list[int]) -> float:
    """Return which part of the trials differs from an earlier one along one axis only."""
    points = candidates[asked]
    apart = (points[:, None] != points[None]).sum(dim=2)  # (n, n): along how many axes
    lines = [bool((apart[n, :n] == 1).any()) for n in range(1, len(asked))]
    return sum(lines) / max(1, len(lines))


def _near(candidates: Tensor, asked: list[int], told: list[float]) -> float:
    """Return how far the second half of the trials was from the best so far, as a part of the mean distance to all."""
    parts = []
    for n in range(max(1, len(asked) // 2), len(asked)):
        best = candidates[asked[told.index(min(told[:n]))]]
        everybody = (candidates - best).norm(dim=1).mean()
        parts.append(float((candidates[asked[n]] - best).norm() / everybody))
    return sum(parts) / len(parts) if parts else 0.0
