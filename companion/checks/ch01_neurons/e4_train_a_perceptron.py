"""Exercise 01.4: train a perceptron."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Out, exercise, rng
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


def _training(
    *,
    start: float = 0.0,
    lr: float = 1.0,
    signed: bool = False,
    stop: str = "error-free",
    keep_zero: bool = True,
    batch: bool = False,
    reset_weights: bool = False,
    reset_count: bool = True,
    bias_moves: bool = True,
    fires_at_zero: bool = True,
) -> Callable[..., tuple[Tensor, Tensor, list[int]]]:
    """Return a training loop with one fault: each known mistake differs from the right one in one thing."""

    def train(X: Tensor, y: Tensor, max_epochs: int) -> tuple[Tensor, Tensor, list[int]]:
        weight, bias = torch.full_like(X[0], start), torch.zeros_like(y[0])
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
                z = x @ w + b
                error = target - (z >= 0 if fires_at_zero else z > 0).to(X.dtype)
                weight, bias = weight + lr * error * x, bias + lr * error if bias_moves else bias
                mistakes += int(error) if signed else int(error != 0)
                if stop == "first success" and error == 0:
                    break
            history.append(mistakes)
            if stop != "never" and mistakes == (0 if stop == "count is 0" else before):
                break
        return weight, bias, history if keep_zero or history[-1] else history[:-1]

    return train


def _train_cases(seed: int) -> list[Case]:
    g = rng(seed)
    corners = rows([0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0])
    X = torch.randn(8, 3, generator=g, dtype=F64)
    y = (X @ vector(2.0, -1.0, 0.5, dtype=F64) >= 0.3).to(F64)
    hard = torch.randn(9, 2, generator=g)
    return [
        Case("one epoch of OR", {"X": corners, "y": vector(0.0, 1.0, 1.0, 1.0), "max_epochs": 1}),
        Case("the four rows of OR", {"X": corners, "y": vector(0.0, 1.0, 1.0, 1.0), "max_epochs": 20}),
        Case("the four rows of AND", {"X": corners, "y": vector(0.0, 0.0, 0.0, 1.0), "max_epochs": 30}),
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

        *Serves the objective: train a perceptron and read from its mistakes whether the data is separable.*
    """
    cases = _train_cases
    mistakes = (
        Mistake(
            "never stops early",
            _training(stop="never"),
            "Your training goes on to max_epochs although an epoch without mistakes has passed. Nothing can "
            "change after that: each later epoch would add another 0.",
        ),
        Mistake(
            "does not list the last epoch",
            _training(keep_zero=False),
            "The weights are right; the epoch without a mistake is missing at the end of your list. Append "
            "first, then stop.",
        ),
        Mistake(
            "changes the weights once per epoch",
            _training(batch=True),
            "All rows of an epoch were judged with the weights that the epoch began with. The perceptron "
            "changes after each row, and the next row already meets the new weights.",
        ),
        Mistake(
            "starts each epoch from 0",
            _training(reset_weights=True),
            "Your weights go back to 0 at each epoch, so that nothing is kept and every epoch makes the "
            "same mistakes. What belongs before the outer loop?",
        ),
        Mistake(
            "never sets the count back",
            _training(reset_count=False),
            "Your count grows from epoch to epoch: it is never set back to 0. What belongs inside the outer loop?",
        ),
        Mistake(
            "stops at the first success",
            _training(stop="first success"),
            "An epoch of yours ends at the first row that is right. One success does not mean that all rows "
            "are right: finish the rows, then decide.",
        ),
        Mistake(
            "leaves the bias at 0",
            _training(bias_moves=False),
            "Your bias stays at 0, so that the boundary always passes through the origin. Which line moves it?",
        ),
        Mistake(
            "does not fire at a sum of exactly 0",
            _training(fires_at_zero=False),
            "All weights start at 0, so the first sum is exactly 0, and there the neuron fires (>=). Yours "
            "rests, and from the first row on it takes another path.",
        ),
        Mistake(
            "waits for a count that never goes back to 0",
            _training(reset_count=False, stop="count is 0"),
            "Your count grows from epoch to epoch, and so the test whether it is 0 never succeeds: the training runs on "
            "to max_epochs. Where should the count begin again?",
        ),
        Mistake(
            "uses another learning rate",
            _training(lr=0.1),
            "Your mistakes come in the right places, and the weights are ten times too small: each correction should be "
            "made with the learning rate 1, so add or take away the input as it is.",
        ),
        Mistake(
            "starts from ones",
            _training(start=1.0),
            "Your weights do not start at 0. From another start the neuron takes another path and makes other mistakes; "
            "the task asks for zeros.",
        ),
        Mistake(
            "adds up the errors with their sign",
            _training(signed=True),
            "You add up the errors themselves, and +1 and -1 cancel: an epoch with one mistake of each kind counts as "
            "free of mistakes, and the training stops too early. Count how many errors differ from 0.",
        ),
    )
    alternatives: ClassVar = {"while, bias as a weight": _train_by_while}
    hints = (
        "Two loops: the outer one over epochs, the inner one over rows. Write down what each of them must set up.",
        "Before the outer loop: weight, bias, an empty list. At its start: mistakes = 0. At its end: "
        "append, then perhaps break.",
        "Inside the inner loop: error = target - (1.0 if x @ weight + bias >= 0 else 0.0), then move by "
        "error, then count.",
    )
