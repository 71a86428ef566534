"""Data on which each leak flatters (exercise 08.7): noise in many columns, patients that come again, another sensor."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from companion.checks.bank import rng
from companion.checks.numbers import F64, rows
from companion.checks.trace import Case

Table = tuple[Tensor, Tensor, Tensor, Tensor]
"""X, y, patients, train."""


def _labels(n: int, g: Generator) -> Tensor:
    """Return as many of one class as of the other, in an order drawn by chance."""
    return (torch.randperm(n, generator=g) % 2).long()


def _chosen(n: int, share: float, g: Generator) -> Tensor:
    return torch.randperm(n, generator=g) < int(share * n)


def noise(g: Generator, n: int = 60, columns: int = 400, share: float = 0.6) -> Table:
    """Return measurements that have nothing to do with the classes, of patients who came once."""
    X = 3 * torch.randn(n, columns, generator=g, dtype=F64) + 1
    return X, _labels(n, g), torch.randperm(n, generator=g), _chosen(n, share, g)


def again(g: Generator, people: int = 30, visits: int = 4, columns: int = 12) -> Table:
    """Return patients who come several times, their class by chance; ten of them are not trained on."""
    who = torch.arange(people).repeat_interleave(visits)[torch.randperm(people * visits, generator=g)]
    spread = 1 + 9 * torch.rand(columns, generator=g, dtype=F64)
    middle = torch.randn(people, columns, generator=g, dtype=F64)
    X = (middle[who] + 0.1 * torch.randn(len(who), columns, generator=g, dtype=F64)) * spread
    return X, _labels(people, g)[who], who, _chosen(len(who), 0.6, g) & (who >= 10)


def sensor(g: Generator, n: int = 90, columns: int = 5) -> Table:
    """Return measurements of which one tells nothing in the held-out rows: it comes from another device there."""
    y, train = _labels(n, g), _chosen(n, 0.5, g)
    X = torch.randn(n, columns, generator=g, dtype=F64) + y[:, None] * torch.tensor([2.6, -2.4, 0.9, 0.3, 0.2])
    X[~train, 1] = 40 * torch.randn(int((~train).sum()), generator=g, dtype=F64)
    X[:, 2] *= 50
    return X, y, torch.randperm(n, generator=g), train


def mixed(g: Generator, columns: int = 20) -> Table:
    """Return a few columns that tell something, with units of their own, and patients who come once to five times."""
    visits = torch.randint(1, 6, (40,), generator=g)
    who = torch.arange(40).repeat_interleave(visits)
    who = who[torch.randperm(len(who), generator=g)]
    y = _labels(40, g)[who]
    tells = torch.linspace(-0.9, 0.7, columns, dtype=F64)[torch.randperm(columns, generator=g)]
    unit = 10 ** (2 * torch.rand(columns, generator=g, dtype=F64) - 1)
    middle = torch.randn(40, columns, generator=g, dtype=F64)
    X = (middle[who] + y[:, None] * tells + 0.4 * torch.randn(len(who), columns, generator=g, dtype=F64)) * unit
    return X + 5, y, 3 * who + 100, _chosen(len(who), 0.5, g) & (who >= 12)


TABLES: dict[str, Callable[[Generator], Table]] = {
    "noise in 400 columns": noise,
    "patients who come again": again,
    "a sensor that was exchanged": sensor,
    "a bit of everything": mixed,
}


def cases_of(seed: int) -> list[Case]:
    """Return the cases of the exercise."""
    g = rng(seed + 87)

    def case(name: str, table: Table, k: int, *, dtype: torch.dtype = F64, strided: bool = False) -> Case:
        X, y, patients, train = table
        X = X.to(dtype)
        if strided:
            X = torch.zeros(*X.shape, 2, dtype=dtype)[..., 0].copy_(X)
        return Case(name, {"X": X, "y": y, "patients": patients, "train": train, "k": k})

    seven = rows([0, 5], [2, 1], [8, 4], [10, 2], [1.5, 9], [8.5, 0], [7.8, 3])
    worked_out = {
        "X": seven,
        "y": torch.tensor([0, 0, 1, 1, 0, 0, 1]),
        "patients": torch.tensor([1, 2, 3, 4, 5, 6, 3]),
        "train": torch.tensor([True] * 4 + [False] * 3),
        "k": 1,
    }
    return [
        Case("the seven rows worked out", worked_out),
        case("a bit of everything", mixed(g), 6),
        case("a sensor that was exchanged", sensor(g), 2),
        case("patients who come again", again(g), 5),
        case("noise in 400 columns", noise(g), 10),
        case("a single column that is kept", mixed(g, 9), 1),
        case("all columns kept", mixed(g, 7), 7),
        case(
            "noise in 50 columns, in float32 and with gaps in memory",
            noise(g, 80, 50, 0.5),
            5,
            dtype=torch.float32,
            strided=True,
        ),
        case("another sensor that was exchanged", sensor(g, 120), 3),
        case("another bit of everything", mixed(g, 30), 4),
    ]
