"""Seven small trainings of one program, each with one bug planted in it (exercise 10.6), and what the checklist measures of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from companion.checks.bank import rng
from companion.checks.cases import digits

ROWS, VALIDATION, BATCH, EPOCHS, LR = 600, 400, 32, 30, 0.1
LOOKS = (1, 2, 5, 10, 20, 30)
RIGHT = {
    "two softmaxes": "a",
    "cleared too late": "b",
    "a schedule in a hurry": "c",
    "validation in training mode": "d",
    "labels of others": "e",
    "seen before": "f",
    "a loud start": "g",
}
"""The variants' parameter, and the letter of the bug."""


@dataclass(frozen=True)
class Evidence:
    """What was measured.

    Attributes:
        start: the loss of the first batch, before any step.
        one_batch: loss and accuracy on a single batch, after 300 steps on nothing else.
        slopes: how long the slopes are when the optimizer takes its first step.
        twice: validation accuracy of the finished network, asked twice.
        shuffled: accuracy on training and validation at the end, where all labels were shuffled first.
        curve: epoch, the two losses and the two accuracies.
    """

    start: float
    one_batch: tuple[float, float]
    slopes: float
    twice: tuple[float, float]
    shuffled: tuple[float, float]
    curve: tuple[tuple[int, float, float, float, float], ...]


class _Program:
    """Somebody's training of a small network on digits, with a bug."""

    def __init__(self, bug: str, *, shuffled: bool = False) -> None:
        self.bug = bug
        X, y = digits()
        order = torch.randperm(len(X), generator=rng(11))
        X, y = X[order] / 16, y[order]
        X = X - X[:ROWS].mean(dim=0)
        if shuffled:
            y = y[torch.randperm(len(y), generator=rng(12))]
        self.X, self.y = X[:ROWS], y[:ROWS]
        self.X_val, self.y_val = X[-VALIDATION:], y[-VALIDATION:]
        if bug == "seen before":
            self.X_val, self.y_val = X[:VALIDATION], y[:VALIDATION]
        if bug == "labels of others":
            self.X = self.X[torch.randperm(ROWS, generator=rng(13))]
        torch.manual_seed(4)
        first, last = nn.Linear(64, 128), nn.Linear(128, 10)
        self.net = nn.Sequential(first, nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(0.5), last)
        if bug == "a loud start":
            with torch.no_grad():
                last.weight.mul_(60)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=LR, momentum=0.5)
        self.schedule = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, 0.9)
        self.first_slopes: float | None = None

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the loss of a batch."""
        scores = self.net(x)
        if self.bug == "two softmaxes":
            scores = torch.softmax(scores, dim=1)
        return nn.functional.cross_entropy(scores, y)

    def step(self, x: Tensor, y: Tensor) -> None:
        """Take a step."""
        self.optimizer.zero_grad()
        self.loss(x, y).backward()  # type: ignore[no-untyped-call]
        if self.bug == "cleared too late":
            self.optimizer.zero_grad()
        slopes = [p.grad for p in self.net.parameters() if p.grad is not None]
        if self.first_slopes is None:
            self.first_slopes = float(torch.stack([s.norm() for s in slopes]).norm()) if slopes else 0.0
        self.optimizer.step()

    def train(self) -> list[tuple[int, float, float, float, float]]:
        """Train, and look at both parts after some epochs."""
        order, found = rng(15), []
        for epoch in range(1, EPOCHS + 1):
            self.net.train()
            for rows in torch.randperm(ROWS, generator=order).split(BATCH):
                self.step(self.X[rows], self.y[rows])
                if self.bug == "a schedule in a hurry":
                    self.schedule.step()
            if self.bug != "a schedule in a hurry":
                self.schedule.step()
            if epoch in LOOKS:
                losses, shares = zip(self.look(self.X, self.y, True), self.validate())
                found.append((epoch, *losses, *shares))
        return found

    def look(self, X: Tensor, y: Tensor, evaluation: bool) -> tuple[float, float]:
        """Return the mean loss and the accuracy, over batches of 50."""
        self.net.train(not evaluation)
        state = {n: t.clone() for n, t in self.net.state_dict().items()}
        with torch.no_grad():
            losses = [float(self.loss(x, t)) * len(t) for x, t in zip(X.split(50), y.split(50))]
            rights = [int((self.net(x).argmax(dim=1) == t).sum()) for x, t in zip(X.split(50), y.split(50))]
        self.net.load_state_dict(state)
        return sum(losses) / len(y), sum(rights) / len(y)

    def validate(self) -> tuple[float, float]:
        """Look at the validation rows."""
        return self.look(self.X_val, self.y_val, self.bug != "validation in training mode")


def measure(bug: str) -> Evidence:
    """Run the program and its checks."""
    program = _Program(bug)
    with torch.no_grad():
        start = float(program.loss(program.X[:BATCH], program.y[:BATCH]))
    curve = program.train()
    twice = program.validate()[1], program.validate()[1]
    alone = _Program(bug)
    for _ in range(300):
        alone.step(alone.X[:BATCH], alone.y[:BATCH])
    shuffled = _Program(bug, shuffled=True).train()[-1]
    assert program.first_slopes is not None
    one_batch = alone.look(alone.X[:BATCH], alone.y[:BATCH], True)
    return Evidence(start, one_batch, program.first_slopes, twice, (shuffled[3], shuffled[4]), tuple(curve))


MEASURED: Mapping[str, Evidence] = {
    "two softmaxes": Evidence(
        2.31,
        (1.46, 1.0),
        0.29,
        (0.94, 0.94),
        (0.21, 0.08),
        (
            (1, 2.23, 2.23, 0.64, 0.64),
            (2, 1.92, 1.92, 0.78, 0.77),
            (5, 1.66, 1.69, 0.85, 0.83),
            (10, 1.57, 1.6, 0.94, 0.93),
            (20, 1.53, 1.57, 0.97, 0.93),
            (30, 1.52, 1.56, 0.97, 0.94),
        ),
    ),
    "cleared too late": Evidence(
        2.52,
        (2.29, 0.09),
        0.00,
        (0.135, 0.135),
        (0.12, 0.07),
        (
            (1, 2.3, 2.29, 0.14, 0.14),
            (2, 2.31, 2.29, 0.14, 0.14),
            (5, 2.32, 2.3, 0.14, 0.13),
            (10, 2.32, 2.3, 0.14, 0.14),
            (20, 2.32, 2.3, 0.14, 0.14),
            (30, 2.32, 2.3, 0.14, 0.14),
        ),
    ),
    "a schedule in a hurry": Evidence(
        2.52,
        (0.0, 1.0),
        2.62,
        (0.905, 0.905),
        (0.2, 0.07),
        (
            (1, 1.38, 1.39, 0.92, 0.9),
            (2, 0.81, 0.83, 0.92, 0.9),
            (5, 0.62, 0.64, 0.92, 0.9),
            (10, 0.61, 0.64, 0.93, 0.9),
            (20, 0.62, 0.64, 0.93, 0.9),
            (30, 0.62, 0.64, 0.93, 0.91),
        ),
    ),
    "validation in training mode": Evidence(
        2.52,
        (0.0, 1.0),
        2.62,
        (0.932, 0.915),
        (0.55, 0.1),
        (
            (1, 0.91, 0.55, 0.94, 0.87),
            (2, 0.25, 0.46, 0.97, 0.9),
            (5, 0.08, 0.29, 0.99, 0.92),
            (10, 0.04, 0.24, 0.99, 0.93),
            (20, 0.03, 0.19, 1.0, 0.93),
            (30, 0.02, 0.24, 1.0, 0.93),
        ),
    ),
    "labels of others": Evidence(
        2.52,
        (0.0, 1.0),
        2.31,
        (0.088, 0.088),
        (0.57, 0.12),
        (
            (1, 2.24, 2.3, 0.18, 0.08),
            (2, 2.14, 2.47, 0.22, 0.06),
            (5, 1.97, 2.56, 0.33, 0.07),
            (10, 1.81, 2.58, 0.42, 0.09),
            (20, 1.65, 2.66, 0.48, 0.09),
            (30, 1.59, 2.69, 0.52, 0.09),
        ),
    ),
    "seen before": Evidence(
        2.52,
        (0.0, 1.0),
        2.62,
        (1.0, 1.0),
        (0.56, 0.54),
        (
            (1, 0.91, 0.92, 0.94, 0.94),
            (2, 0.25, 0.25, 0.97, 0.96),
            (5, 0.08, 0.07, 0.99, 0.99),
            (10, 0.04, 0.04, 0.99, 0.99),
            (20, 0.03, 0.03, 1.0, 1.0),
            (30, 0.02, 0.02, 1.0, 1.0),
        ),
    ),
    "a loud start": Evidence(
        61.85,
        (0.0, 1.0),
        120.12,
        (0.96, 0.96),
        (0.11, 0.1),
        (
            (1, 0.67, 1.27, 0.94, 0.91),
            (2, 0.3, 0.65, 0.97, 0.92),
            (5, 0.07, 0.37, 0.99, 0.94),
            (10, 0.05, 0.19, 0.99, 0.95),
            (20, 0.03, 0.14, 0.99, 0.96),
            (30, 0.03, 0.14, 0.99, 0.96),
        ),
    ),
}
"""What came out; a test measures it again."""
