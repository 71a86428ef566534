"""What goes wrong with a rate for every weight (exercise 07.3), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from companion.checks.bank import Mistake
from companion.checks.ch07_optimizers.lists import Tensors

Keep = Callable[[Tensor, Tensor, float], Tensor]
"""What is remembered, from what was, the slopes and alpha."""


def divided(w: Tensor, g: Tensor, s: Tensor, lr: float, eps: float) -> Tensor:
    """Return the weights after a step along the slopes, each divided by the root of what is remembered."""
    return w - lr * g / (s.sqrt() + eps)


def rule(
    name: str,
    keep: Keep,
    move: Callable[[Tensor, Tensor, Tensor, float, float], Tensor] = divided,
    *,
    read: Callable[[Tensor, Tensor, int, float], Tensor] = lambda s, before, k, alpha: s,
    start: Callable[[Tensor], Tensor] = torch.zeros_like,
) -> type:
    """Return a class of this name by other rules.

    Args:
        name: ``"Adagrad"``, which takes a rate and eps, or ``"RMSProp"``, which takes alpha between them.
        keep: what is remembered.
        move: the new weights.
        read: what the step divides by the root of: from what is remembered now and was before, the number of the step, and alpha.
        start: what is remembered at first, from the slopes.
    """

    def __init__(self: Any, lr: float, *others: float) -> None:
        self.lr, self.alpha, self.eps = lr, others[0] if len(others) > 1 else 0.0, others[-1]
        self.kept, self.k = {}, 0

    def step(self: Any, weights: Tensors, slopes: Tensors) -> Tensors:
        self.k += 1
        moved = []
        for n, (w, g) in enumerate(zip(weights, slopes)):
            before = self.kept.get(n, start(g))
            self.kept[n] = keep(before, g, self.alpha)
            moved.append(move(w, g, read(self.kept[n], before, self.k, self.alpha), self.lr, self.eps))
        return moved

    arguments = _init_of(name, __init__)
    return type(name, (), {"__init__": arguments, "step": step})


def _init_of(name: str, init: Callable[..., None]) -> Callable[..., None]:
    """Return a constructor that takes what the class of this name takes."""

    def of_adagrad(self: Any, lr: float, eps: float) -> None:
        init(self, lr, eps)

    def of_rmsprop(self: Any, lr: float, alpha: float, eps: float) -> None:
        init(self, lr, alpha, eps)

    return of_adagrad if name == "Adagrad" else of_rmsprop


def summed(s: Tensor, g: Tensor, alpha: float) -> Tensor:
    """Return the sum of squares with these added."""
    return s + g.square()


def averaged(s: Tensor, g: Tensor, alpha: float) -> Tensor:
    """Return the running mean of squares with these taken in."""
    return alpha * s + (1 - alpha) * g.square()


def _in_place(w: Tensor, g: Tensor, s: Tensor, lr: float, eps: float) -> Tensor:
    return w.sub_(lr * g / (s.sqrt() + eps))


def _squares_in_place(w: Tensor, g: Tensor, s: Tensor, lr: float, eps: float) -> Tensor:
    new = divided(w, g, s, lr, eps)
    g.square_()
    return new


