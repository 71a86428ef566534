"""Logits of a network that is too sure: it knows 100 digits by heart, and answers others that it has never seen.

Trained on until its answers hardly change any more, and its sureness still grows.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from companion import data, training
from companion.models.mlp import mlp
from companion.random import generator

KNOWN, ASKED, WIDTH = 100, 480, 100
EPOCHS, BATCH, RATE = 300, 50, 0.01
GRAIN = 100


def answers(epochs: int = EPOCHS) -> tuple[Tensor, Tensor]:
    """Train the network; return the classes of the digits that are asked, (480,), and what it says of them, logits (480, 10)."""
    digits = data.digits()
    order = torch.randperm(len(digits), generator=generator(0))
    known, asked = order[:KNOWN], order[KNOWN : KNOWN + ASKED]
    net = mlp([64, WIDTH, 10], generator=generator(1))
    training.fit(
        net,
        digits.X[known] / 16,
        digits.y[known],
        loss="cross_entropy",
        epochs=epochs,
        lr=RATE,
        batch_size=BATCH,
        generator=generator(2),
    )
    return digits.y[asked], training.predict(net, digits.X[asked] / 16)


def run() -> dict[str, Any]:
    """Return the true classes, one sign each, and how far each logit lies below the largest of its digit, in whole hundredths.

    Softmax asks for nothing else: a number that all logits of a digit share changes no probability.
    """
    labels, logits = answers()
    below = GRAIN * (logits.max(dim=1, keepdim=True).values - logits)
    return {
        "labels": "".join(map(str, labels.tolist())),
        "below": [" ".join(map(str, row)) for row in below.round().long().tolist()],
    }
