"""Ten real trainings on the digits, and what was tried on each: the patients of the figure ``learning_curves``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from companion import data, nn
from companion import functional as F
from companion.optim import SGD
from companion.random import generator
from companion.training import Callback, Run, fit

EPOCHS = 40


@dataclass(frozen=True)
class Training:
    """How a network is trained on the digits, for 40 epochs by momentum of 0.9, 32 digits at a time.

    Args:
        hidden: units of the hidden layers.
        lr: the rate.
        rows: digits to train on.
        held_out: digits of the validation.
        wrong: the share of training and validation labels that are drawn by chance.
        activation: of the hidden layers.
        dropout: the share of outputs of a hidden layer that is left out while it trains.
        at_work: whether dropout goes on while the training curve is measured.
        copied: whether the answer stands among the inputs, as ten more columns.
    """

    hidden: tuple[int, ...] = (256,)
    lr: float = 0.01
    rows: int = 300
    held_out: int = 450
    wrong: float = 0.0
    activation: str = "relu"
    dropout: float = 0.0
    at_work: bool = False
    copied: bool = False


@dataclass(frozen=True)
class Patient:
    """A training, what is to be said about it, and the training that is the test of it or its cure."""

    right: str
    training: Training
    after: Training


def _case(right: str, training: Training, **changes: Any) -> Patient:
    return Patient(right, training, replace(training, **changes))


PATIENTS = (
    _case("b", Training(rows=150, wrong=0.2, lr=0.02), rows=1000, wrong=0.0),
    _case("f", Training((64,), lr=0.0001, rows=1000), lr=0.003),
    _case("i", Training((64,), lr=0.05, rows=1000, wrong=0.3, copied=True), copied=False),
    _case("g", Training((64,) * 6, lr=0.02, rows=1000, activation="sigmoid"), activation="relu"),
    _case("a", Training(lr=0.02), rows=1000),
    _case("k", Training(lr=0.02, wrong=1.0), wrong=0.0),
    _case("h", Training((128, 128), rows=1000, dropout=0.6, at_work=True), at_work=False),
    _case("d", Training((128, 128), lr=0.3, rows=1000), lr=0.03),
    _case("c", Training((2,), lr=0.02, rows=1000), hidden=(64,)),
    _case("j", Training((8,), lr=0.05, rows=1000, held_out=12, dropout=0.5), held_out=450),
)
"""By their number, from 1."""


class Watch(Callback):
    """Measures loss and accuracy of both sets before the first epoch and after each."""

    def __init__(self, training: Training, sets: tuple[tuple[Tensor, Tensor], ...]) -> None:
        self.training, self.sets, self.seen = training, sets, list[list[float]]()

    def on_fit_start(self, run: Run) -> None:
        """Measure the start."""
        self.on_epoch_end(run)

    def on_epoch_end(self, run: Run) -> None:
        """Measure what the epoch brought."""
        row = list[float]()
        for (x, y), mode in zip(self.sets, (self.training.at_work, False)):
            run.model.train(mode)
            with torch.no_grad():
                logits = run.model(x)
            row += [F.cross_entropy(logits, y).item(), (logits.argmax(dim=1) == y).double().mean().item()]
        self.seen.append(row)


def sets_of(training: Training) -> tuple[tuple[Tensor, Tensor], ...]:
    """Return what it trains on, and what it is held against."""
    train, test = data.standardise(*data.digits().split(seed=0))
    g, found = generator(4), list[tuple[Tensor, Tensor]]()
    for part, count in ((train, training.rows), (test, training.held_out)):
        x, y = part.X[:count], part.y[:count].clone()
        dealt = torch.rand(count, generator=g) < training.wrong
        y[dealt] = torch.randint(10, (int(dealt.sum()),), generator=g)
        found.append((torch.cat([x, 3 * torch.eye(10)[y]], dim=1) if training.copied else x, y))
    return tuple(found)


def network(training: Training) -> nn.Sequential:
    """Return the network before its first step."""
    g, masks = generator(1), generator(2)
    layers: list[Any] = []
    for inputs, outputs in pairwise([64 + 10 * training.copied, *training.hidden, 10]):
        layer = nn.Linear(inputs, outputs, generator=g)
        layers += [
            layer,
            nn.ReLU() if training.activation == "relu" else nn.Sigmoid(),
            nn.Dropout(training.dropout, generator=masks),
        ]
    return nn.Sequential(*layers[:-2])


def measure(training: Training) -> list[list[float]]:
    """Train; return loss and accuracy on the training set, then on the validation set, each before the first epoch and after every one."""
    (x, y), held_out = sets_of(training)
    watch = Watch(training, ((x, y), held_out))
    fit(
        network(training),
        x,
        y,
        loss="cross_entropy",
        epochs=EPOCHS,
        lr=training.lr,
        optimizer=partial(SGD, momentum=0.9),
        generator=generator(3),
        callbacks=[watch],
    )
    return [list(column) for column in zip(*watch.seen)]


def whole(curves: list[list[float]]) -> list[list[int]]:
    """Return losses as thousandths and accuracies as percent, whole numbers."""
    return [[round((1000, 100)[k % 2] * v) for v in curve] for k, curve in enumerate(curves)]


def run() -> dict[str, Any]:
    """Measure every patient, and each after its test or cure.

    Returns:
        ``curves``: for each patient loss and accuracy on the training set, then on the validation set, before the first epoch and
        after every one, as a line of whole numbers. ``after``: the same four after the test or the cure, after its last epoch.
    """
    return {
        "curves": [[" ".join(map(str, curve)) for curve in whole(measure(p.training))] for p in PATIENTS],
        "after": [[curve[-1] for curve in whole(measure(p.after))] for p in PATIENTS],
    }
