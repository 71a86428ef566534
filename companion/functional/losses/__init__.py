"""Losses: how wrong an answer is, as one number to make small, written by hand.

Names and arguments are PyTorch's, less those that it calls deprecated (``size_average``, ``reduce``). Two
things are stricter: shapes must meet exactly, as broadcasting would compare every answer with every target,
and targets that no target can be (class 7 of 3, a probability of 1.2) are refused in words.
"""

from companion.functional.losses._shared import REDUCTIONS
from companion.functional.losses.binary import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    sigmoid_focal_loss,
)
from companion.functional.losses.classes import cross_entropy, nll_loss
from companion.functional.losses.divergence import kl_div
from companion.functional.losses.regression import huber_loss, l1_loss, mse_loss

#: The losses that functions for training take by a short name: outputs and targets to a mean.
NAMED = {"mse": mse_loss, "bce": binary_cross_entropy_with_logits, "cross_entropy": cross_entropy}

__all__ = [
    "NAMED",
    "REDUCTIONS",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "sigmoid_focal_loss",
]
