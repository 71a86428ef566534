"""The order in which failures are told, what a failure is, and when two tensors are the same."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor

from companion.checks.bank import Observed


class Level(IntEnum):
    """In which order failures are told: what has to be mended first comes first."""

    CRASH = 0
    KIND = 1
    SHAPE = 2
    DTYPE = 3
    DEVICE = 4
    FINITE = 5
    MUTATED = 6
    FORBIDDEN = 7
    LOST = 8
    TOUCHED = 9
    VALUE = 10
    GRADIENT = 11
    IMPURE = 12
    HANDED_BACK = 13
    LATE_CRASH = 14
    NOT_REACHED = 15


GUARDS = (Level.CRASH, Level.KIND, Level.SHAPE, Level.DEVICE, Level.MUTATED, Level.FORBIDDEN, Level.LOST, Level.TOUCHED)
"""Told even when the values are those of a known mistake; dtype and nan are not: the mistake may cause them."""


@dataclass(frozen=True)
class Failure:
    """The first thing that is wrong with one case, in three parts."""

    level: Level
    kind: str
    seen: str
    why: str
    next: str
    shows_answer: bool = False


def all_close(one: Observed, other: Observed, tolerance: float) -> bool:
    """Return whether the same things were observed with nearly the same numbers."""
    return set(one) == set(other) and all(close(one[k], other[k], tolerance) for k in one)


def close(one: Tensor, other: Tensor, tolerance: float) -> bool:
    """Return whether two tensors have the same shape and nearly the same numbers, nan where nan is."""
    return one.shape == other.shape and bool(near(one, other, tolerance).all())


def near(one: Tensor, other: Tensor, tolerance: float) -> Tensor:
    """Return which entries of two tensors of one shape are nearly the same numbers, nan where nan is."""
    a, b = _decimal(one), _decimal(other)
    return torch.isclose(a, b, rtol=tolerance, atol=tolerance / 10, equal_nan=True)


def _decimal(numbers: Tensor) -> Tensor:
    """Return numbers in float64; complex ones, as from `torch.linalg.eigvals`, by their real part or as nan if there is more."""
    if numbers.is_complex():
        numbers = torch.where(numbers.imag == 0, numbers.real, torch.nan)
    return numbers.to(torch.float64)
