"""Chance that a figure and its page share: the numbers of `js/kit/chance.js`, digit for digit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import torch
from torch import Tensor

Item = TypeVar("Item")

_MODULUS, _TIMES = 2**31 - 1, 48271


def seeded(seed: int) -> Callable[[], float]:
    """Return a source of numbers between 0 and 1 that are the same in Python and in JavaScript.

    Each state is the one before times 48271, modulo 2^31 - 1. The product stays below 2^53, so doubles hold it exactly.

    Source:
        Park, Miller and Stockmeyer (1993), Technical correspondence, Communications of the ACM 36(7).

    >>> draw = seeded(1)
    >>> [round(draw(), 6) for _ in range(3)]
    [0.170403, 0.52371, 0.994221]
    """
    state = _first(seed)

    def draw() -> float:
        nonlocal state
        state = state * _TIMES % _MODULUS
        return state / _MODULUS

    return draw


def _first(seed: int) -> int:
    return 1 + (seed * 1_812_433 + 987_654_321) % (_MODULUS - 1)  # neighbouring seeds start far from each other


def drawn_at_once(seed: int, count: int) -> Tensor:
    """Return the first numbers of :func:`seeded`, many at a time: the later half is the earlier one times a power of 48271.

    >>> drawn_at_once(1, 3)
    tensor([0.1704, 0.5237, 0.9942], dtype=torch.float64)
    """
    states, times = torch.tensor([_first(seed) * _TIMES % _MODULUS]), _TIMES
    while len(states) < count:  # a product is below 2^62
        states = torch.cat([states, states * times % _MODULUS])
        times = times * times % _MODULUS
    return states[:count].double() / _MODULUS


def shuffled(items: Iterable[Item], draw: Callable[[], float]) -> list[Item]:
    """Return a new list in another order, every order as likely as any other."""
    mixed = list(items)
    for i in range(len(mixed) - 1, 0, -1):
        j = int(draw() * (i + 1))
        mixed[i], mixed[j] = mixed[j], mixed[i]
    return mixed
