"""What is to be seen of a split that a learner's function makes: who is where, who is lost, and what chance does.

None of this knows how many are due. A split is drawn many times, since what one draw shows may be luck.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from companion.checks.reading import fits

DRAWS, FOLLOWING = 60, 4
"""So many generators are tried, and so many further splits are drawn from the last of them: a single one may be the same by luck."""
OPEN = 0.7
"""Which share of a class has to have been in a part of the split in some draw, where anybody of the class was.

A fair split leaves out a person who is due once in ten draws by luck, in one table out of thirty: it may not be all of them.
"""
ROWS, MASKS, OTHERWISE = 0, 1, 2
"""How the parts came: as numbers of rows, as one True or False for each row, or as something else."""
Parts = list[list[int]]


def splits(
    split: Callable[..., Any], persons: list[int], classes: list[int], shares: list[float], seed: int
) -> dict[str, Tensor]:
    """Return what can be said of the splits of one table by a learner's function, over many generators.

    Numbers of rows and persons that are not the same in every draw come as -1.
    """
    fits(split, (persons, classes, shares, torch.Generator()))
    drawn: list[Parts] = []
    moved = torch.tensor(False)

    def draw(generator: torch.Generator) -> tuple[Parts, int]:
        return _read(split(list(persons), list(classes), list(shares), generator), len(persons))

    for k in range(DRAWS):
        generator = torch.Generator().manual_seed(seed + k)
        before = generator.get_state()
        parts, kind = draw(generator)
        if kind != ROWS:
            return {"kind": torch.tensor(kind)}
        moved |= not torch.equal(before, generator.get_state())
        drawn.append(parts)
    again, _ = draw(torch.Generator().manual_seed(seed))
    follows = [draw(generator)[0] for _ in range(FOLLOWING)]  # of a generator that has been used
    return {
        "kind": torch.tensor(ROWS),
        **_who(drawn, persons, classes),
        "again": torch.tensor(_sets(again) == _sets(drawn[0])),
        "always the same": torch.tensor(all(_sets(parts) == _sets(drawn[0]) for parts in drawn)),
        "goes on": torch.tensor(any(_sets(parts) != _sets(drawn[-1]) for parts in follows)),
        "generator used": moved,
        "open to all": _open(drawn, persons, classes),
    }


def _read(value: Any, n: int) -> tuple[Parts, int]:
    """Return three lists of whole numbers, and how they came."""
    if type(value) is dict:
        value = list(value.values())
    if not issubclass(type(value), tuple | list) or len(value) != 3:
        return [], OTHERWISE
    parts: Parts = []
    for part in value:
        numbers = part.detach().cpu().tolist() if issubclass(type(part), Tensor) else part
        if hasattr(numbers, "tolist") and not issubclass(type(numbers), list):
            numbers = numbers.tolist()
        if not issubclass(type(numbers), list | tuple | set):
            return [], OTHERWISE
        items = [i.item() if getattr(i, "ndim", None) == 0 else i for i in numbers]  # of torch and of NumPy
        if len(items) == n and all(type(i) is bool for i in items):
            return [], MASKS
        if not all(type(i) is int for i in items):
            return [], OTHERWISE
        parts.append(items)
    return parts, ROWS


def _sets(parts: Parts) -> list[set[int]]:
    return [set(part) for part in parts]


def _who(drawn: Sequence[Parts], persons: list[int], classes: list[int]) -> dict[str, Tensor]:
    """Return whether rows are lost or stand twice, whether persons stand on two sides, and how many of whom are where."""
    n = len(persons)
    found = dict.fromkeys(("no such row", "lost", "twice", "on two sides", "persons on two sides"), False)
    counts: list[tuple[Tensor, Tensor]] = []
    labels = sorted(set(classes))
    for parts in drawn:
        found["no such row"] |= any(not 0 <= i < n for part in parts for i in part)
        known = [[i for i in part if 0 <= i < n] for part in parts]
        sides = Counter(i for part in _sets(known) for i in part)
        found["lost"] |= len(sides) < n
        found["twice"] |= any(len(set(part)) < len(part) for part in known)
        found["on two sides"] |= any(count > 1 for count in sides.values())
        people = [{persons[i] for i in part} for part in known]
        found["persons on two sides"] |= any(c > 1 for c in Counter(p for part in people for p in part).values())
        rows = torch.tensor([[sum(classes[i] == label for i in part) for part in known] for label in labels])
        heads = torch.tensor(
            [[len({persons[i] for i in part if classes[i] == label}) for part in known] for label in labels]
        )
        counts.append((rows, heads))
    rows, heads = (torch.stack(several) for several in zip(*counts))
    return {
        **{name: torch.tensor(value) for name, value in found.items()},
        "rows": _steady(rows),
        "persons": _steady(heads),
        "rows of all classes": _steady(rows.sum(dim=1)),
        "persons of all classes": _steady(heads.sum(dim=1)),
    }


def _steady(drawn: Tensor) -> Tensor:
    """Return what is the same in every draw, and -1 for what is not."""
    return torch.where((drawn == drawn[0]).all(dim=0), drawn[0], -1)


def _open(drawn: Sequence[Parts], persons: list[int], classes: list[int]) -> Tensor:
    """Return for each part whether most persons of each class were in it in some draw, or nobody of the class ever."""
    found = []
    for part in range(3):
        seen = {persons[i] for parts in drawn for i in parts[part] if 0 <= i < len(persons)}
        everybody = [{p for p, c in zip(persons, classes) if c == label} for label in set(classes)]
        found.append(all(len(seen & of) >= OPEN * len(of) for of in everybody if seen & of))
    return torch.tensor(found)
