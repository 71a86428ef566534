"""Draw the inputs of an exercise: seeded, and asymmetric by construction, because symmetric inputs hide mistakes."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor

from companion.checks.bank import rng
from companion.checks.trace import Case

SIZES = (3, 5, 2, 4, 7)
"""How long the axes are, in the order in which they are first named: all different, none 1."""


def draw(
    name: str,
    axes: Mapping[str, str],
    seed: int,
    *,
    dtype: torch.dtype = torch.float64,
    scale: float = 2.0,
    sizes: Mapping[str, int] | None = None,
    strided: bool = False,
    plus: Mapping[str, Any] | None = None,
    **options: Any,
) -> Case:
    """Return a case with normal random numbers, in which axes of the same name have the same length.

    Args:
        name: what is special about it, in words that follow "with".
        axes: argument to the names of its axes, such as ``{"x": "N D", "weight": "D", "bias": ""}``.
        seed: the same numbers come out for the same seed, argument by argument.
        dtype: of all of them.
        scale: their spread; the mean is not 0, so that signs and offsets show.
        sizes: lengths of axes, where they matter.
        strided: lay the numbers out in memory with gaps, as a slice of a larger tensor would be.
        plus: further arguments as they are, after the drawn ones.
        options: what else :class:`Case` takes.

    >>> case = draw("three rows", {"x": "N D", "weight": "D"}, 0)
    >>> [tuple(a.shape) for a in case.args.values()]
    [(3, 5), (5,)]
    """
    lengths = dict(sizes or {})
    free = [s for s in SIZES if s not in lengths.values()]
    named = {argument: tuple(names.split()) for argument, names in axes.items()}
    for its in named.values():
        for axis in its:
            if axis not in lengths:
                lengths[axis] = free.pop(0)
    args = {a: _numbers([lengths[n] for n in its], f"{seed} {a}", dtype, scale, strided) for a, its in named.items()}
    return Case(name, {**args, **(plus or {})}, axes={a: its for a, its in named.items() if its}, **options)


def _numbers(shape: list[int], key: str, dtype: torch.dtype, scale: float, strided: bool) -> Tensor:
    numbers = torch.randn(shape, generator=rng(zlib.crc32(key.encode())), dtype=torch.float64)
    numbers = (scale * numbers + scale / 4).to(dtype)
    if not strided or not shape:
        return numbers
    room = torch.zeros(*shape, 2, dtype=dtype)
    room[..., 0] = numbers
    return room[..., 0]


@cache
def digits() -> tuple[Tensor, Tensor]:
    """Return the 1,797 digits: raw pixels from 0 to 16, shape (N, 64), and classes (N,)."""
    from sklearn.datasets import load_digits  # slow to import, and few exercises need it

    found = load_digits()
    return torch.tensor(found.data, dtype=torch.float32), torch.tensor(found.target)


def held_out(X: Tensor, y: Tensor, chance: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return X, y, X_test and y_test: three quarters of the rows to train on, drawn by chance, and the others."""
    rows = torch.randperm(len(X), generator=chance)
    n = len(X) * 3 // 4
    return X[rows[:n]], y[rows[:n]], X[rows[n:]], y[rows[n:]]
