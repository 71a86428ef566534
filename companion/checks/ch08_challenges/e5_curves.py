"""Six real trainings on the digits (exercise 08.5): how each was made, and what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from companion.checks.bank import rng
from companion.checks.cases import digits

NEW = 400
"""So many digits are looked at once, after the training."""


@dataclass(frozen=True)
class Training:
    """A training on the digits.

    Args:
        right: the letter of what is to be said about it.
        rows: to train on.
        hidden: units of the hidden layers, ReLUs.
        lr: the rate of gradient descent with a momentum of 0.9, 32 digits at a time.
        epochs: those after which is measured; the last one is the end.
        wrong: the share of labels that are drawn by chance, everywhere.
        copies: how many of the 200 digits of the validation stand among those of the training.
    """

    right: str
    rows: int
    hidden: tuple[int, ...]
    lr: float
    epochs: tuple[int, ...]
    wrong: float = 0.0
    copies: int = 0


@dataclass(frozen=True)
class Measured:
    """What was measured: for each of the epochs the two losses and the two accuracies, and the accuracy on new digits."""

    rows: tuple[tuple[int, float, float, float, float], ...]
    new: float


TRAININGS = {
    "by heart": Training("b", 100, (128, 128), 0.02, (5, 10, 20, 50, 100, 200), wrong=0.2),
    "too simple": Training("a", 1000, (2,), 0.05, (5, 10, 20, 50, 100, 200)),
    "thrown about": Training("c", 1000, (128, 128), 0.6, (1, 2, 5, 10, 20)),
    "on its way": Training("d", 1000, (64,), 0.0003, (1, 2, 5, 10, 20)),
    "seen before": Training("e", 200, (128, 128), 0.02, (10, 20, 50, 100, 150), wrong=0.2, copies=190),
    "in good health": Training("f", 1000, (64,), 0.01, (1, 2, 5, 10, 20, 40)),
}
"""By the variant's parameter."""
MEASURED = {
    "by heart": Measured(
        (
            (5, 2.24, 2.28, 0.18, 0.12),
            (10, 2.14, 2.25, 0.33, 0.19),
            (20, 1.68, 1.98, 0.48, 0.34),
            (50, 0.44, 1.33, 0.89, 0.68),
            (100, 0.04, 1.94, 1.00, 0.66),
            (200, 0.01, 2.46, 1.00, 0.64),
        ),
        0.61,
    ),
    "too simple": Measured(
        (
            (5, 1.34, 1.31, 0.51, 0.49),
            (10, 1.02, 1.07, 0.60, 0.57),
            (20, 0.82, 0.93, 0.69, 0.62),
            (50, 0.71, 0.87, 0.72, 0.65),
            (100, 0.67, 0.86, 0.73, 0.66),
            (200, 0.65, 0.86, 0.76, 0.69),
        ),
        0.74,
    ),
    "thrown about": Measured(
        (
            (1, 0.80, 0.71, 0.82, 0.84),
            (2, 0.90, 1.15, 0.81, 0.79),
            (5, 2.33, 2.32, 0.10, 0.10),
            (10, 2.34, 2.32, 0.11, 0.11),
            (20, 2.38, 2.38, 0.09, 0.09),
        ),
        0.11,
    ),
    "on its way": Measured(
        (
            (1, 2.31, 2.32, 0.05, 0.06),
            (2, 2.31, 2.31, 0.07, 0.07),
            (5, 2.29, 2.30, 0.10, 0.07),
            (10, 2.27, 2.28, 0.18, 0.14),
            (20, 2.23, 2.24, 0.46, 0.34),
        ),
        0.45,
    ),
    "seen before": Measured(
        (
            (10, 1.97, 1.99, 0.36, 0.35),
            (20, 1.14, 1.15, 0.73, 0.73),
            (50, 0.33, 0.39, 0.92, 0.90),
            (100, 0.03, 0.17, 1.00, 0.97),
            (150, 0.01, 0.17, 1.00, 0.97),
        ),
        0.64,
    ),
    "in good health": Measured(
        (
            (1, 2.21, 2.22, 0.55, 0.41),
            (2, 2.01, 2.05, 0.74, 0.60),
            (5, 0.92, 1.04, 0.84, 0.78),
            (10, 0.31, 0.41, 0.94, 0.88),
            (20, 0.14, 0.21, 0.98, 0.94),
            (40, 0.07, 0.15, 0.99, 0.95),
        ),
        0.96,
    ),
}
"""What came out; a test measures it again."""


def _data(training: Training) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    X, y = digits()
    order = torch.randperm(len(X), generator=rng(5))
    X, y = X[order] / 16, y[order]
    g = rng(0)
    changed = torch.rand(len(y), generator=g) < training.wrong
    y[changed] = torch.randint(10, (int(changed.sum()),), generator=g)
    train, val, new = slice(0, training.rows), torch.arange(len(X) - NEW - 200, len(X) - NEW), slice(len(X) - NEW, None)
    val[: training.copies] = torch.arange(training.copies)
    return (
        X[train] - X[train].mean(dim=0),
        y[train],
        X[val] - X[train].mean(dim=0),
        y[val],
        X[new] - X[train].mean(dim=0),
        y[new],
    )


def measure(training: Training) -> Measured:
    """Train, and measure."""
    X, y, X_val, y_val, X_new, y_new = _data(training)
    torch.manual_seed(0)
    layers = [m for a, b in pairwise([64, *training.hidden, 10]) for m in (nn.Linear(a, b), nn.ReLU())]
    net = nn.Sequential(*layers[:-1])
    optimizer = torch.optim.SGD(net.parameters(), lr=training.lr, momentum=0.9)
    order = rng(1)
    found: list[tuple[int, float, float, float, float]] = []
    for epoch in range(1, training.epochs[-1] + 1):
        for rows in torch.randperm(len(X), generator=order).split(32):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(X[rows]), y[rows]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        if epoch in training.epochs:
            with torch.no_grad():
                parts = [(net(X), y), (net(X_val), y_val)]
            losses = [float(nn.functional.cross_entropy(z, t)) for z, t in parts]
            shares = [float((z.argmax(dim=1) == t).double().mean()) for z, t in parts]
            found.append((epoch, losses[0], losses[1], shares[0], shares[1]))
    with torch.no_grad():
        return Measured(tuple(found), float((net(X_new).argmax(dim=1) == y_new).double().mean()))
