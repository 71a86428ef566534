"""Ways to the logarithm of a softmax that losses with classes share (exercises 04.4 and 04.5), and the one that breaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from companion.checks.bank import Mistake

Logs = Callable[[Tensor], Tensor]


def log_shares(z: Tensor) -> Tensor:
    """Return the logarithm of the softmax, as it should be taken."""
    return torch.log_softmax(z, dim=1)


def log_of_softmax(z: Tensor) -> Tensor:
    """Return the same on paper: -inf where a share is rounded to 0."""
    return torch.softmax(z, dim=1).log()


def _exponentials_as_they_are(z: Tensor) -> Tensor:
    return z - z.exp().sum(dim=1, keepdim=True).log()


def overflow(loss: Callable[[Logs], Any]) -> Mistake:
    """Return the mistake of a loss whose exponentials are infinite; ``loss`` makes it from a way to the logarithm."""
    return Mistake(
        "adds up the exponentials as they are",
        loss(_exponentials_as_they_are),
        "Small logits come out right. With a logit of 1000 your loss is inf or nan, whatever the other logits are.",
        "In float32 an exponential is infinite from about 88.7 on, and far below 0 it is 0, whose logarithm is -inf. The "
        "formula is right on paper only.",
        "Which number can be taken off all logits of a row, so that no share changes and no exponent is large?",
    )
