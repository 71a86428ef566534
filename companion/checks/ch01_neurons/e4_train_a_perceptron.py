"""Exercise 01.4: train a perceptron."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Out, exercise, rng
from companion.checks.ch01_neurons.e4_mistakes import MISTAKES
from companion.checks.numbers import F64, rows, vector
from companion.checks.trace import Case


def train_perceptron(X: torch.Tensor, y: torch.Tensor, max_epochs: int) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
    """Return weight (D,), bias () and the mistakes of each epoch, from X (N, D) and targets y (N,)."""
    weight, bias = torch.zeros_like(X[0]), torch.zeros_like(y[0])
    history = []
    for _ in range(max_epochs):
        mistakes = 0
        for x, target in zip(X, y):
            error = target - (x @ weight + bias >= 0).to(X.dtype)
            weight, bias = weight + error * x, bias + error
            mistakes += int(error != 0)
        history.append(mistakes)
        if mistakes == 0:
            break
    return weight, bias, history


def _train_by_while(X: Tensor, y: Tensor, max_epochs: int) -> tuple[Tensor, Tensor, Tensor]:
    theta = torch.zeros(X.shape[1] + 1, dtype=X.dtype)  # the bias as the weight of an input that is always 1
    rows = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)
    counts: list[int] = []
    while len(counts) < max_epochs and (not counts or counts[-1] > 0):
        counts.append(0)
        for row, target in zip(rows, y):
            fired = bool((row * theta).sum() >= 0)
            if fired != bool(target):
                theta = theta - row if fired else theta + row
                counts[-1] += 1
    return theta[:-1], theta[-1], torch.tensor(counts)


def _train_cases(seed: int) -> list[Case]:
    g = rng(seed)
    corners = rows([0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0])
    X = torch.randn(8, 3, generator=g, dtype=F64)
    y = (X @ vector(2.0, -1.0, 0.5, dtype=F64) >= 0.3).to(F64)
    hard = torch.randn(9, 2, generator=g)
    return [
        Case("one epoch of OR", {"X": corners, "y": vector(0.0, 1.0, 1.0, 1.0), "max_epochs": 1}),
        Case("the four rows of OR", {"X": corners, "y": vector(0.0, 1.0, 1.0, 1.0), "max_epochs": 8}, example=True),
        Case("the four rows of AND", {"X": corners, "y": vector(0.0, 0.0, 0.0, 1.0), "max_epochs": 30}),
        Case("a single row", {"X": rows([2.0, -1.0]), "y": vector(0.0), "max_epochs": 4}),
        Case("XOR, which has no solution", {"X": corners, "y": vector(0.0, 1.0, 1.0, 0.0), "max_epochs": 7}),
        Case("three features in float64", {"X": X, "y": y, "max_epochs": 100}),
        Case(
            "mixed-up targets",
            {"X": hard, "y": vector(1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0), "max_epochs": 5},
        ),
    ]


@exercise("01.4", title="Train a perceptron", points=2)
class TrainPerceptron:
    """The whole training, epoch by epoch."""

    reference = train_perceptron
    returns = (Out("weight"), Out("bias"), Out("mistakes", "counts"))
    read = "Learning from mistakes"
    statement = r"""
        Put the rule of 01.3 into a loop. Write `train_perceptron(X, y, max_epochs)` for examples `X` of shape
        (N, D) and targets `y` of shape (N,), 0.0 or 1.0:

        * start with all weights and the bias at 0, and use the learning rate 1;
        * in each epoch go through the rows in their order; after each row the weights change at once;
        * count the mistakes of each epoch; stop after an epoch without a mistake, at the latest after
          `max_epochs`.

        Return the weight (D,), the bias (), and the list of mistakes per epoch, the last epoch included: for
        separable data the list ends with 0.

        Example: the four rows of OR, `[[0, 0], [0, 1], [1, 0], [1, 1]]` with `y = [0, 1, 1, 1]`, give `weight
        = [1, 1]`, `bias = -1` and the mistakes `[2, 2, 1, 0]`.
    """
    cases = _train_cases
    mistakes = MISTAKES
    alternatives: ClassVar = {"while, bias as a weight": _train_by_while}
    hints = (
        "Two loops: the outer one over epochs, the inner one over rows. Write down what each of them must set up.",
        "Before the outer loop: weight, bias, an empty list. At its start: mistakes = 0. At its end: "
        "append, then perhaps break.",
        "Inside the inner loop: error = target - (1.0 if x @ weight + bias >= 0 else 0.0), then move by "
        "error, then count.",
    )
