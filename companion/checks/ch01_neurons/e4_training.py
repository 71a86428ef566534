"""Training loops with one fault each, for the known mistakes of exercise 01.4."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def step(z: Tensor) -> Tensor:
    """Return 1 where a neuron fires."""
    return (z >= 0).to(z.dtype)


def _one_for_any(error: float) -> int:
    return int(error != 0)


def training(
    *,
    start: Callable[[Tensor], Tensor] = torch.zeros_like,
    answer: Callable[[Tensor], Tensor] = step,
    lr: float = 1.0,
    counts: Callable[[float], int] = _one_for_any,
    hits: bool = False,
    until: str = "no new mistake",
    keep_zero: bool = True,
    batch: bool = False,
    reset_weights: bool = False,
    reset_count: bool = True,
    bias_moves: bool = True,
) -> Callable[..., tuple[Tensor, Tensor, list[int]]]:
    """Return a training loop with one fault: each known mistake differs from the right one in one thing."""

    def train(X: Tensor, y: Tensor, max_epochs: int) -> tuple[Tensor, Tensor, list[int]]:
        weight, bias = start(X[0]), torch.zeros_like(y[0])
        history: list[int] = []
        mistakes = 0
        for _ in range(max_epochs):
            if reset_weights:
                weight, bias = torch.zeros_like(X[0]), torch.zeros_like(y[0])
            if reset_count:
                mistakes = 0
            before = mistakes
            frozen = weight, bias
            for x, target in zip(X, y):
                w, b = frozen if batch else (weight, bias)
                error = target - answer(x @ w + b)
                weight, bias = weight + lr * error * x, bias + lr * error if bias_moves else bias
                mistakes += counts(float(error))
                if until == "the first success" and error == 0:
                    break
            history.append(len(X) - mistakes if hits else mistakes)
            if until == "a last row that is right" and error == 0:
                break
            if until != "the end" and mistakes == (0 if until == "a count of 0" else before):
                break
        return weight, bias, history if keep_zero or history[-1] else history[:-1]

    return train
