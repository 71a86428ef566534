"""How wrong values stand to the right ones: the same factor everywhere, the sign, the order, another axis.

For answers that no known mistake explains. What is said names the relation and never a number that should come out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from companion.checks.trace import Finding

Pair = tuple[Tensor, Tensor]


class Relation(NamedTuple):
    """A relation between wrong and right values, with the three parts of what is said about it."""

    holds: Callable[[Tensor, Tensor], bool]
    seen: str
    why: str
    next: str


def relation(pairs: Sequence[Pair], against: Sequence[Tensor] = ()) -> Finding | None:
    """Return the first relation that holds for all pairs of a wrong and a right tensor, or ``None``.

    ``against`` are results that came out right: a relation that would have made them wrong is not the one.
    """
    pairs = [(a.to(torch.float64), b.to(torch.float64)) for a, b in pairs if a.shape == b.shape]
    telling = [(a, b) for a, b in pairs if b.numel() > 1 and bool((b != b.flatten()[0]).any())]
    if not telling:
        return None
    right = [b.to(torch.float64) for b in against if b.numel()]
    found = next((r for r in RELATIONS if all(r.holds(a, b) for a, b in pairs)), None)
    if found is None:
        return None if right else _one_factor(pairs)
    refuted = any(not bool((b == 0).all()) and not found.holds(b, b) for b in right)
    return None if refuted else Finding(found.seen, found.why, found.next)


def _near(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and bool(torch.isclose(a, b, rtol=1e-4, atol=1e-6, equal_nan=True).all())


def _factor(a: Tensor, b: Tensor) -> float | None:
    """Return by what one number the right values are multiplied, if by one."""
    if not bool(torch.isfinite(a).all() and torch.isfinite(b).all()):
        return None
    scale = (a * b).sum() / (b * b).sum().clamp(min=1e-300)
    return float(scale) if float(scale) != 0 and _near(a, scale * b) else None


def _one_factor(pairs: Sequence[Pair]) -> Finding | None:
    factors = [_factor(a, b) for a, b in pairs]
    if any(f is None or f <= 0 for f in factors):
        return None
    numbers = [f for f in factors if f is not None]
    large = "large" if numbers[0] > 1 else "small"
    if max(numbers) - min(numbers) < 1e-4 * max(numbers):
        return Finding(
            f"All numbers are too {large} by one and the same factor, with every input.",
            "A constant is missing or is there once too often; the rest of the computation is right.",
            "Go through the formula's constants: a 2, a 1/2, a square root. Which one did not make it into the code?",
        )
    for axis in (0, -1):
        sizes = [float(b.shape[axis]) if b.dim() else 1.0 for _, b in pairs]
        if all(abs(max(f, 1 / f) - n) < 1e-3 * n for f, n in zip(numbers, sizes)):
            return Finding(
                f"All numbers are too {large} by a factor that is the number of {'rows' if axis == 0 else 'columns'}.",
                "A sum stands where a mean should, or the other way round.",
                "What is to be averaged, what is to be added up? Look for sum, mean and a division by a length.",
            )
    return Finding(
        f"All numbers of a result are too {large} by one factor, which changes from input to input.",
        "They are scaled by something that depends on the input: a length, a sum, a norm.",
        "Which quantity of the input is divided by, and should it be?",
    )


def _orders(a: Tensor, b: Tensor) -> bool:
    return any(_near(a, b.flip(axis)) for axis in range(b.dim()))


def _same_up_to_offset(a: Tensor, b: Tensor) -> bool:
    gap = a - b
    return bool(torch.isfinite(gap).all()) and _near(gap, gap.flatten()[0].expand_as(gap))


RELATIONS = (
    Relation(
        lambda a, b: _near(a, -b),
        "Every number has the wrong sign, and the right size.",
        "A difference is taken the other way round, or a minus is missing or doubled.",
        "Take one entry and do it on paper: which of the two is subtracted from which?",
    ),
    Relation(
        lambda a, b: b.dim() == 2 and b.shape[0] == b.shape[1] and _near(a, b.T),
        "The numbers are right, and rows and columns are exchanged.",
        "A transpose is missing or is there once too often; with a square table the shape does not tell.",
        "Write the shape behind each line, and try a table that is not square.",
    ),
    Relation(
        _orders,
        "The numbers are right, in reversed order.",
        "The loop or the index runs from the other end.",
        "Print the index beside each number as it is computed.",
    ),
    Relation(
        lambda a, b: _near(a, 1 - b),
        "Each number is what is missing from the right one to 1.",
        "The two cases, yes and no, are exchanged.",
        "Which of the two outcomes does your number stand for?",
    ),
    Relation(
        lambda a, b: bool((b > 0).all()) and _near(a, b.log()),
        "Each number is the logarithm of what it should be.",
        "The computation stays in logarithms and never leaves them.",
        "Is the task about probabilities or about their logarithms? Look at the last step.",
    ),
    Relation(
        lambda a, b: bool((a > 0).all()) and _near(a.log(), b),
        "Each number is the exponential of what it should be.",
        "An exp is applied once too often, or a log is missing.",
        "Is the task about probabilities or about their logarithms? Look at the last step.",
    ),
    Relation(
        lambda a, b: bool((b >= 0).all()) and (_near(a, b.square()) or _near(a.square(), b)),
        "Each number is the square, or the square root, of what it should be.",
        "A square root is missing or is there once too often: variance and spread, or a norm and its square.",
        "Follow the unit: is it that of the input, or its square?",
    ),
    Relation(
        _same_up_to_offset,
        "All numbers of a result are off by one and the same amount.",
        "A term that is the same for all entries is missing, or is there once too often.",
        "Subtract your result from a case done on paper: which term of the formula is that?",
    ),
)
"""From the most special to the most general."""
