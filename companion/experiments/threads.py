"""One training, four times: again, with two threads, with one bit changed, and from another seed. How far apart are the networks?

Chapter 10 reads how a difference in the last bit grows, and what it does to the score. Which bits differ depends on the machine.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import torch
from torch import Tensor

from companion import data
from companion.errors import bad_value
from companion.functional import cross_entropy
from companion.random import generator

SIZES = (64, 100, 100, 10)
KNOWN, BATCH, STEPS, LOOK = 1437, 1000, 1000, 20
RATE, MOMENTUM = 0.5, 0.9
SEEDS = 10


def trained(seed: int = 0, *, threads: int = 1, nudge: bool = False, steps: int = STEPS) -> tuple[Tensor, Tensor]:
    """Train one network on digits; return what it became, and what it says of the digits that it has not seen.

    Args:
        seed: Of the weights; the batches are the same for all.
        threads: How many threads of the processor share the sums.
        nudge: Whether one weight begins at the next larger number that 32 bits can hold.
        steps: How many steps to take, :data:`LOOK` or more.

    Shape:
        All weights at each look, (looks, weights); classes said in the end, (360,).

    Raises:
        ValueError: If there are fewer steps than :data:`LOOK`.
    """
    if steps < LOOK:
        raise bad_value("trained", "steps", f"{LOOK} or more", steps)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return _train(_start(seed, nudge), steps)
    finally:
        torch.set_num_threads(before)


def _start(seed: int, nudge: bool) -> list[Tensor]:
    g, weights = generator(seed), []
    for a, b in itertools.pairwise(SIZES):
        weights += [torch.randn(a, b, generator=g) * math.sqrt(2 / a), torch.zeros(b)]
    if nudge:  # a pixel in the middle of the image, and the unit to which it has most weight
        unit = int(weights[0][28].argmax())
        weights[0][28, unit] = torch.nextafter(weights[0][28, unit], torch.tensor(math.inf))
    return [w.requires_grad_() for w in weights]


def _logits(weights: list[Tensor], x: Tensor) -> Tensor:
    for W, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        x = torch.relu(x @ W + b)
    return x @ weights[-2] + weights[-1]


def _train(weights: list[Tensor], steps: int) -> tuple[Tensor, Tensor]:
    digits = data.digits()
    order = torch.randperm(len(digits), generator=generator(0))
    x, y = digits.X[order] / 16, digits.y[order]
    optimizer, g, looks = torch.optim.SGD(weights, lr=RATE, momentum=MOMENTUM), generator(1), []
    for step in range(1, steps + 1):
        rows = torch.randint(KNOWN, (BATCH,), generator=g)
        optimizer.zero_grad()
        cross_entropy(_logits(weights, x[rows]), y[rows]).backward()
        optimizer.step()
        if step % LOOK == 0:
            looks.append(torch.cat([w.detach().flatten() for w in weights]))
    with torch.no_grad():
        said = _logits(weights, x[KNOWN:]).argmax(dim=1)
    return torch.stack(looks), said


def run() -> dict[str, Any]:
    """Return how far each rival is from the first network at every look, on how many digits they disagree, and who is wrong."""
    digits = data.digits()
    true = digits.y[torch.randperm(len(digits), generator=generator(0))][KNOWN:]
    weights, said = trained()
    rivals = {
        "again": trained(),
        "two threads": trained(threads=2),
        "one bit": trained(nudge=True),
        "another seed": trained(1),
    }
    return {
        "length": float(weights[-1].norm()),
        "apart": {name: [float(f"{d:.3e}") for d in (w - weights).norm(dim=1)] for name, (w, _) in rivals.items()},
        "different": {name: float((w[-1] != weights[-1]).double().mean()) for name, (w, _) in rivals.items()},
        "disagree": {name: int((s != said).sum()) for name, (_, s) in rivals.items()},
        "wrong": [float((trained(seed)[1] != true).double().mean()) for seed in range(SEEDS)],
    }
