"""A table to search in: a small network on 300 digits, a fifth of their labels dealt anew, for 1456 settings of four hyperparameters.

Each setting is trained with eight seeds, so that the noise of one training is known. The experiment ``search_race`` searches the table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from companion import data
from companion.errors import bad_value
from companion.functional import log_softmax
from companion.random import generator
from companion.search import Axis, Space

SPACE = Space(
    {
        "lr": Axis(0.003, 3, log=True),
        "width": Axis(8, 64, log=True, integer=True),
        "decay": Axis(1e-5, 0.1, log=True),
        "dropout": Axis(0, 0.6),
    }
)
COUNTS = (13, 4, 7, 4)
SEEDS = 8
KNOWN, BATCH, STEPS, MOMENTUM, DEALT = 300, 30, 300, 0.9, 0.2
_CLASSES = 10


def errors(settings: Sequence[dict[str, float]], seeds: Sequence[int], steps: int = STEPS) -> Tensor:
    """Train a network for each setting and seed; return the share of the other digits that each gets wrong.

    Networks of one width are trained side by side. Those of one seed start from the same weights and see the same batches.

    Args:
        settings: values of the four hyperparameters by name.
        seeds: one for each training of a setting.
        steps: how many batches each sees.

    Shape:
        K settings and S seeds -> (K, S).

    Raises:
        ValueError: If there is no setting, no seed or no step.
    """
    if not settings or not len(seeds) or steps < 1:
        got = f"{len(settings)}, {len(seeds)} and {steps}"
        raise bad_value("errors", "settings, seeds and steps", "one of each or more", got)
    wrong = torch.empty(len(settings), len(seeds))
    for width in {setting["width"] for setting in settings}:
        rows = [k for k, setting in enumerate(settings) if setting["width"] == width]
        lr, decay, dropout = (torch.tensor([settings[k][name] for k in rows]) for name in ("lr", "decay", "dropout"))
        wrong[rows] = _Team(int(width), lr, decay, dropout, seeds).train(steps)
    return wrong


def digits_of_the_search() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return what is learned from, X and y with labels dealt anew, and what is asked, X and y."""
    digits = data.digits()
    order = torch.randperm(len(digits.X), generator=generator(99))
    known, asked = order[:KNOWN], order[KNOWN:]
    g = generator(98)
    anew = torch.rand(KNOWN, generator=g) < DEALT
    labels = torch.where(anew, torch.randint(_CLASSES, (KNOWN,), generator=g), digits.y[known])
    return digits.X[known] / 16, labels, digits.X[asked] / 16, digits.y[asked]


class _Team:
    """Networks of one width side by side: K settings times S seeds."""

    def __init__(self, width: int, lr: Tensor, decay: Tensor, dropout: Tensor, seeds: Sequence[int]) -> None:
        self.lr, self.decay, self.dropout = (v.view(-1, 1, 1, 1) for v in (lr, decay, dropout))
        self.width, self.draws = width, [generator(seed) for seed in seeds]
        self.X, y, self.asked, self.answers = digits_of_the_search()
        self.targets = torch.eye(_CLASSES)[y]
        first = self._all(lambda g: torch.randn(64, width, generator=g)) * math.sqrt(2 / 64)
        last = self._all(lambda g: torch.randn(width, _CLASSES, generator=g)) / math.sqrt(width)
        biases = [torch.zeros(len(seeds), 1, n) for n in (width, _CLASSES)]
        each = [p.repeat(len(lr), 1, 1, 1) for p in (first, biases[0], last, biases[1])]  # (K, S, rows, columns)
        self.parameters = [p.requires_grad_() for p in each]

    def _all(self, draw: Callable[[torch.Generator], Tensor]) -> Tensor:
        """Return what each seed draws, (S, ...); all settings share it."""
        return torch.stack([draw(g) for g in self.draws])

    def train(self, steps: int) -> Tensor:
        """Take the steps, by momentum; return the share wrong, (K, S)."""
        speed = [torch.zeros_like(p) for p in self.parameters]
        per_epoch = KNOWN // BATCH
        for step in range(steps):
            if step % per_epoch == 0:
                order = self._all(lambda g: torch.randperm(KNOWN, generator=g)).view(-1, per_epoch, BATCH)
            slopes = torch.autograd.grad(self._cost(order[:, step % per_epoch]), self.parameters)
            with torch.no_grad():
                for p, v, slope in zip(self.parameters, speed, slopes):
                    price = self.decay * p if p.shape[2] > 1 else 0  # weights pay, biases do not
                    v.mul_(MOMENTUM).add_(slope + price)
                    p.sub_(self.lr * v)
        with torch.no_grad():
            said = self._logits(self.asked, None).nan_to_num(0).argmax(dim=3)  # what ran away says 0
        return (said != self.answers).float().mean(dim=2)

    def _cost(self, rows: Tensor) -> Tensor:
        """Return the sum over all networks of the mean loss of a batch; rows are (S, B)."""
        kept = self._all(lambda g: torch.rand(BATCH, self.width, generator=g)) >= self.dropout
        logits = self._logits(self.X[rows], kept / (1 - self.dropout))
        return -(log_softmax(logits, dim=3) * self.targets[rows]).sum() / BATCH

    def _logits(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(S, B, 64) or (N, 64) -> (K, S, B or N, 10)."""
        W1, b1, W2, b2 = self.parameters
        h = (x @ W1 + b1).relu()
        return (h if mask is None else h * mask) @ W2 + b2


def unpacked(text: str, unit: float = 1e-4) -> Tensor:
    """Return recorded numbers, float64; a text of whole numbers, shares wrong in ten-thousandths.

    >>> unpacked("912 850").tolist()
    [0.0912, 0.085]
    """
    return torch.tensor([int(v) * unit for v in text.split()], dtype=torch.double)


def packed(shares: Sequence[float], unit: float = 1e-4) -> str:
    """Return numbers as a text to record.

    >>> packed([0.0912, 0.085])
    '912 850'
    """
    return " ".join(str(round(share / unit)) for share in shares)


def run() -> dict[str, Any]:
    """Return the values on each axis, and the share wrong in ten-thousandths: one text of eight for each setting, in the order of the grid."""
    settings = SPACE.points(SPACE.grid(COUNTS))
    strides = [math.prod(COUNTS[axis + 1 :]) for axis in range(len(COUNTS))]
    values = {
        name: [setting[name] for setting in settings[::stride][:count]]
        for name, count, stride in zip(SPACE.axes, COUNTS, strides)
    }
    return {"axes": values, "wrong": [packed(shares) for shares in errors(settings, range(SEEDS)).tolist()]}
