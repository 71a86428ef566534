"""Exercise 05.4: one sweep through a graph."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import ClassVar

import torch

from companion.checks.bank import Observed, Out, Property, exercise, rng
from companion.checks.ch05_backprop.e4_mistakes import MISTAKES, by_counting
from companion.checks.trace import Case, Trace

Parts = dict[str, list[tuple[str, float]]]
Slopes = dict[str, float]


def sweep(parts: dict[str, list[tuple[str, float]]], last: str) -> dict[str, float]:
    """Return the slope of the last value by every value of a graph, each by its name."""
    order: list[str] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name not in seen:
            seen.add(name)
            for part, _ in parts[name]:
                visit(part)
            order.append(name)  # after everything that it was made from

    visit(last)
    slopes = dict.fromkeys(parts, 0.0)
    slopes[last] = 1.0
    for name in reversed(order):
        for part, slope in parts[name]:
            slopes[part] += slope * slopes[name]
    return slopes


def _by_asking(parts: Parts, last: str) -> Slopes:
    """Ask each value once, by way of those that were made from it."""
    users: dict[str, list[tuple[str, float]]] = {name: [] for name in parts}
    for name, made_from in parts.items():
        for part, slope in made_from:
            users[part].append((name, slope))
    known = {last: 1.0}

    def ask(name: str) -> float:
        if name not in known:
            known[name] = sum(slope * ask(user) for user, slope in users[name])
        return known[name]

    return {name: ask(name) if name == last or users[name] else 0.0 for name in parts}


def _in_rounds(parts: Parts, last: str) -> Slopes:
    """In each round carry what has arrived one step on, until nothing moves."""
    total, moving = dict.fromkeys(parts, 0.0), {last: 1.0}
    while moving:
        arrived: dict[str, float] = {}
        for name, slope in moving.items():
            total[name] += slope
            for part, local in parts[name]:
                arrived[part] = arrived.get(part, 0.0) + local * slope
        moving = arrived
    return total


def _drawn(seed: int, size: int, last: int) -> dict[str, object]:
    """Return a graph with names and an order that tell nothing; some of its values were made from the last one."""
    g = rng(seed)
    names = [f"v{n}" for n in torch.randperm(size, generator=g).tolist()]
    parts: Parts = {}
    for n, name in enumerate(names):
        count = min(n, int(torch.randint(1, 4, (), generator=g)))
        places = torch.randint(max(0, n - 5), n, (count,), generator=g).tolist() if n else []
        local = (torch.randn(count, generator=g).double() * 10).round().tolist()
        parts[name] = [(names[p], s / 10) for p, s in zip(places, local)]
    shuffled = [names[n] for n in torch.randperm(size, generator=g).tolist()]
    return {"parts": {name: parts[name] for name in shuffled}, "last": names[last]}


def _chain(length: int, seed: int) -> dict[str, object]:
    names = [f"v{n}" for n in range(length)]
    parts: Parts = {"v0": []} | {b: [(a, (-1.0, 2.0, 0.5)[n % 3])] for n, (a, b) in enumerate(pairwise(names))}
    order = torch.randperm(length, generator=rng(seed)).tolist()
    return {"parts": {names[n]: parts[names[n]] for n in order}, "last": names[-1]}


def _doublings(times: int) -> dict[str, object]:
    parts: Parts = {"v0": []} | {f"v{n}": [(f"v{n - 1}", 1.0), (f"v{n - 1}", 1.0)] for n in range(1, times + 1)}
    return {"parts": parts, "last": f"v{times}"}


def _layers(count: int, width: int, seed: int) -> dict[str, object]:
    """Return layers of values, each made from all values of the layer before; the first of the last one is asked about."""
    local = (1 + torch.rand(count, width, width, generator=rng(seed))) / width
    parts: Parts = {f"v0.{n}": [] for n in range(width)}
    for layer in range(1, count):
        for n, row in enumerate(local[layer].tolist()):
            parts[f"v{layer}.{n}"] = [(f"v{layer - 1}.{k}", slope) for k, slope in enumerate(row)]
    return {"parts": parts, "last": f"v{count - 1}.0"}


_ONCE = (
    "Here you walk every way, and there are 2 to the 60 of them. Count how often your function comes to the first value, with "
    "10 doublings and with 11. It should come there once."
)
_ONE_SWEEP = (
    "One sweep uses every arrow once, and finds the slopes by all values. Count how often your function looks at one pair: once "
    "for every name means that it goes through the graph anew for each of them."
)


def _cases(seed: int) -> list[Case]:
    example: Parts = {"w": [], "a": [("w", 3.0), ("w", 3.0)], "b": [("w", 4.0)], "L": [("a", 1.0), ("b", 1.0)]}
    squared: Parts = {"c": [("b", 2.0), ("b", 2.0)], "a": [], "b": [("a", 1.0), ("a", 1.0)]}
    short: Parts = {"w": [], "y": [("x", 1.0), ("h", 2.0)], "h": [("x", 3.0)], "x": [("w", 5.0)]}
    long: Parts = {"x": [("w", 5.0)], "y": [("h", 2.0), ("x", 1.0)], "w": [], "k": [("x", -1.0)], "h": [("k", 3.0)]}
    beside: Parts = {"w": [], "a": [("w", 2.0)], "y": [("a", 3.0)], "side": [("a", 1.0)]}
    aside: Parts = {"n": [("L", 3.0)], "w": [], "L": [("w", -2.0)], "s": [("w", 7.0), ("v", 1.0)], "v": [], "z": []}
    return [
        Case("the graph worked out", {"parts": example, "last": "L"}, example=True),
        Case("a sum that is squared", {"parts": squared, "last": "c"}),
        Case("a short way beside a long one", {"parts": short, "last": "y"}),
        Case("a short way that is listed behind a long one", {"parts": long, "last": "y"}),
        Case("values that do not lead to the last one", {"parts": aside, "last": "L"}),
        Case("a use that does not lead to the last value", {"parts": beside, "last": "y"}),
        Case("an input as the last value", {"parts": {"b": [("w", 2.0)], "w": []}, "last": "w"}),
        Case("the same part twice with two slopes", {"parts": {"w": [], "y": [("w", 2.0), ("w", 5.0)]}, "last": "y"}),
        Case("a slope of 0 on the way", {"parts": {"y": [("h", 0.0)], "w": [], "h": [("w", 4.0)]}, "last": "y"}),
        Case("ten values in any order", _drawn(seed, 10, 8)),
        Case("thirty values in any order", _drawn(seed + 1000, 30, 26), show=False),
        Case("a chain of 300 values", _chain(300, seed), show=False),
        Case("60 doublings, so that there are 2 to the 60 ways", _doublings(60), says=_ONCE, show=False),
        Case(
            "40 layers of 45 values, each made from a whole layer", _layers(40, 45, seed), says=_ONE_SWEEP, show=False
        ),
    ]


def _observe(case: Case, trace: Trace) -> Observed:
    return {n.removeprefix("slopes."): t for n, t in trace.tensors.items() if n.startswith("slopes.")}


def _among(case: Case, which: Callable[[Parts, str, str, Slopes], bool]) -> Slopes:
    """Return the right slopes of the values for which something holds."""
    parts, last = case.args["parts"], case.args["last"]
    due = sweep(parts, last)
    return {name: slope for name, slope in due.items() if which(parts, last, name, due)}


def _used_by_last_alone(parts: Parts, last: str, name: str, due: Slopes) -> bool:
    if name not in dict(parts[last]):
        return False
    others = (made_from for user, made_from in parts.items() if user != last)
    return not any(part == name for made_from in others for part, _ in made_from)


def _as_due(observed: Observed, due: Slopes) -> bool:
    return all(n in observed and abs(observed[n].item() - s) <= 1e-5 * max(1.0, abs(s)) for n, s in due.items())


_PROPERTIES = (
    Property(
        "a number for every name",
        lambda case, observed: (
            set(observed) == set(case.args["parts"]) and all(t.numel() == 1 for t in observed.values())
        ),
        "Your dict should hold one number for every name in `parts`, and no other names.",
        "Values that do not lead to the last one have a slope as well: a change of theirs does nothing to it.",
        "Print the keys of what you return beside those of `parts`. Which are missing, which are too many?",
    ),
    Property(
        "the slope of the last value by itself",
        lambda case, observed: _as_due(observed, _among(case, lambda parts, last, name, due: name == last)),
        "The slope of the last value by itself is not right.",
        "If a value grows by a little, it grows by as much as it grows. This number is where the whole sweep begins.",
        "What does your dict hold for `last` before the first step of the sweep, and what after it?",
    ),
    Property(
        "nothing where no way leads",
        lambda case, observed: _as_due(observed, _among(case, lambda parts, last, name, due: due[name] == 0)),
        "A value that cannot change the last one has a slope other than 0.",
        "There is no way from it to the last value, or each way has a slope of 0 on it.",
        "Follow the arrows from `last` through its parts. Which names do you never come to, and what do you return for them?",
    ),
    Property(
        "the slopes one arrow before the end",
        lambda case, observed: _as_due(observed, _among(case, _used_by_last_alone)),
        "Already one arrow before the last value a slope is not right.",
        "A part that is used by the last value alone has the slopes of its own arrows, added up, and nothing else.",
        "Take such a part of the input shown, and compute its slope from the list of `last`.",
    ),
    Property(
        "the slopes farther back",
        lambda case, observed: False,
        "One arrow before the last value your slopes are right, and farther back they are not.",
        "There a slope that has arrived is passed on. It has to be complete by then, and each arrow multiplies it once.",
        "Begin at `last` and go back on paper, one value after the other. Which is the first that differs from yours?",
    ),
)


@exercise("05.4", title="One sweep through a graph", points=3)
class OneSweepThroughAGraph:
    """Reverse mode on plain data: order, multiplication, addition."""

    reference = sweep
    read = "Step 3: one sweep"
    returns = (Out("slopes", "named"),)
    observe = _observe
    properties = _PROPERTIES
    timeout = 5.0
    statement = r"""
        A graph is written down as plain data. `parts` is a dict. For each value, by its name, it holds a list of pairs: the
        name of a part from which the value was made, and the slope of the value by this part. An input has an empty list.

        Write `sweep(parts, last)`. Return a dict with **every** name of `parts`, and with it the slope of the value called
        `last` by the value of that name:

        $$\bar v = \sum_{k} \bar y_k \cdot \frac{\partial y_k}{\partial v} \qquad \text{over all uses of } v \text{, with }
        \overline{\mathit{last}} = 1$$

        * The names stand in `parts` in any order, and tell nothing about which value was made first.
        * A part may stand in a list twice, as in $w \cdot w$. Both count.
        * A value that does not lead to `last` has the slope `0.0`. Some values may have been made *from* `last`.
        * No value is made from itself, neither directly nor over others.
        * Use every arrow once, and leave `parts` as it is. One of the graphs has 2 to the 60 ways, and a function that walks
          them never ends. One has 1800 values and 79,000 arrows, too many for a sweep of its own for each value. None is
          deeper than 300 values, so a function may call itself that often.

        Example: $w = 3$, $a = w \cdot w$, $b = 4 w$, $L = a + b$ is written as `parts = {"w": [], "a": [("w", 3.0), ("w",
        3.0)], "b": [("w", 4.0)], "L": [("a", 1.0), ("b", 1.0)]}`. From `"L"` the slope 1 goes back to `a` and to `b`. From
        there $3 \cdot 1 + 3 \cdot 1 + 4 \cdot 1 = 10$ arrives at `w`. So `sweep(parts, "L")` is `{"w": 10.0, "a": 1.0,
        "b": 1.0, "L": 1.0}`.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {"by counting uses": by_counting, "by asking": _by_asking, "in rounds": _in_rounds}
    hints = (
        "A value may pass its slope on only when the slope is complete. Draw the example: who has to wait for whom?",
        "Two steps: first put the names in order, each after its parts, beginning at `last`. Then go through this order from "
        "its end.",
        "The order comes from a function that calls itself: visit all parts of a name first, then append the name, and skip "
        "names that were visited before. In the sweep each pair adds local slope times the slope of the name.",
    )
