"""Validation curves to stop by: networks on 200 digits each, a fifth of the labels dealt anew, seen through validation sets of three sizes.

They are the twenty networks of chapter 09, trained side by side from its weights and with its batches; the first eight are recorded.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from companion import data, optim
from companion.errors import bad_value
from companion.functional import cross_entropy
from companion.random import generator

NETWORKS, RECORDED = 20, 8
KNOWN, WIDTH, BATCH, STEPS, LOOK = 200, 100, 32, 600, 10
SIZES = (10, 50, 200)  # the smaller sets are the first digits of the largest; all the other digits are asked in the end
RATE, DEALT = 0.003, 0.2
_CLASSES = 10


def curves(steps: int = STEPS) -> dict[str, Tensor]:
    """Train the networks; return what is seen at each look, every :data:`LOOK` steps.

    Shape:
        ``"held"``: (looks, networks, 3), the loss on each validation set; ``"wrong"``: (looks, networks), the share of new digits, with
        their true labels, that is wrong.

    Raises:
        ValueError: If there are fewer steps than :data:`LOOK`.
    """
    if steps < LOOK:
        raise bad_value("curves", "steps", f"{LOOK} or more", steps)
    digits = data.digits()
    pixels, true = digits.X / 16, digits.y.repeat(NETWORKS, 1)
    order = torch.stack([torch.randperm(len(pixels), generator=generator(seed)) for seed in range(NETWORKS)])
    known, held, asked = order.split([KNOWN, SIZES[-1], len(pixels) - KNOWN - SIZES[-1]], dim=1)
    labels, net, g = _dealt(true), _start(), generator(1)
    optimizer = optim.Adam(net, lr=RATE)
    seen: dict[str, list[Tensor]] = {"held": [], "wrong": []}
    for step in range(1, steps + 1):
        rows = known.gather(1, torch.randint(KNOWN, (NETWORKS, BATCH), generator=g))
        optimizer.zero_grad()
        _losses(net, pixels[rows], labels.gather(1, rows)).mean(dim=1).sum().backward()
        optimizer.step()
        if step % LOOK == 0:
            with torch.no_grad():
                losses = _losses(net, pixels[held], labels.gather(1, held))
                seen["held"].append(torch.stack([losses[:, :size].mean(dim=1) for size in SIZES], dim=1))
                said = _logits(net, pixels[asked]).argmax(dim=2)
                seen["wrong"].append((said != true.gather(1, asked)).float().mean(dim=1))
    return {name: torch.stack(looks) for name, looks in seen.items()}


def _dealt(true: Tensor) -> Tensor:
    """Return labels of which a fifth is drawn anew, by chance."""
    g = generator(99)
    anew = torch.rand(true.shape, generator=g) < DEALT
    return torch.where(anew, torch.randint(_CLASSES, true.shape, generator=g), true)


def _start() -> list[Tensor]:
    """Return weights and biases of two layers for all networks."""
    g = generator(0)
    first = torch.randn(NETWORKS, 64, WIDTH, generator=g) * math.sqrt(2 / 64)
    last = torch.randn(NETWORKS, WIDTH, _CLASSES, generator=g) / math.sqrt(WIDTH)
    return [
        w.requires_grad_() for w in (first, torch.zeros(NETWORKS, 1, WIDTH), last, torch.zeros(NETWORKS, 1, _CLASSES))
    ]


def _logits(net: list[Tensor], x: Tensor) -> Tensor:
    """(networks, B, 64) -> (networks, B, 10)."""
    return torch.relu(x @ net[0] + net[1]) @ net[2] + net[3]


def _losses(net: list[Tensor], x: Tensor, y: Tensor) -> Tensor:
    """(networks, B, 64) -> (networks, B)."""
    return cross_entropy(_logits(net, x).flatten(0, 1), y.flatten(), reduction="none").view(y.shape)


def run() -> dict[str, Any]:
    """Return the curves of the recorded networks in whole thousandths, one text each."""
    held, wrong = (
        (1000 * seen[:, :RECORDED]).round().long().movedim(0, -1).tolist() for seen in curves().values()
    )  # looks last
    return {
        "every": LOOK,
        "networks": [
            {"held": {str(size): _text(curve) for size, curve in zip(SIZES, sizes)}, "wrong": _text(shares)}
            for sizes, shares in zip(held, wrong)
        ],
    }


def _text(numbers: list[int]) -> str:
    return " ".join(map(str, numbers))
