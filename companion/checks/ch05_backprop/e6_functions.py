"""Ways to check a slope by difference quotients (exercise 05.6), with what can go wrong as options."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

F = Callable[[Tensor], Tensor]
Gap = Callable[[F, Tensor, Tensor], Tensor]
STEP = 1e-5


def central(f: F, x: Tensor, step: float = STEP) -> Tensor:
    """Return the central difference quotients of f at x, in the shape of x."""
    return nudged(f, x, lambda e: (f(x + step * e) - f(x - step * e)) / (2 * step))


def nudged(f: F, x: Tensor, quotient: Callable[[Tensor], Tensor]) -> Tensor:
    """Return what a quotient gives for each entry, from a tensor that is 1 at the entry and 0 elsewhere."""
    units = torch.eye(x.numel(), dtype=x.dtype).reshape(-1, *x.shape)
    return torch.stack([quotient(e) for e in units]).reshape(x.shape)


def compared(q: Tensor, claimed: Tensor) -> Tensor:
    """Return the largest gap, in relation to the largest quotient if that is above 1."""
    return (q - claimed).abs().max() / q.abs().max().clamp(min=1)


def by(step: float, *, sided: str = "central") -> Gap:
    """Return a check with another step, or one that looks to one side only."""

    def largest_gap(f: F, x: Tensor, claimed: Tensor) -> Tensor:
        if sided == "central":
            return compared(central(f, x, step), claimed)
        way = step if sided == "ahead" else -step
        return compared(nudged(f, x, lambda e: (f(x + way * e) - f(x)) / way), claimed)

    return largest_gap


def comparing(compare: Callable[[Tensor, Tensor], Tensor]) -> Gap:
    """Return a check with right quotients that compares them in another way."""
    return lambda f, x, claimed: compare(central(f, x), claimed.to(x.dtype))
