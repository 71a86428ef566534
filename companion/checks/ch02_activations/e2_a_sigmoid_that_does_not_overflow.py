"""Exercise 02.2: a sigmoid that does not overflow."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import exercise, rng
from companion.checks.ch02_activations.e2_mistakes import MISTAKES
from companion.checks.numbers import F64, vector
from companion.checks.trace import Case


def sigmoid(z: torch.Tensor) -> torch.Tensor:
    """Return 1 / (1 + exp(-z)) for every entry, without overflow in value or gradient."""
    e = torch.exp(-torch.where(z >= 0, z, -z))  # the exponent is never positive, so e lies in (0, 1]
    return torch.where(z >= 0, torch.ones_like(e), e) / (1 + e)


def _sigmoid_by_tanh(z: Tensor) -> Tensor:
    return 0.5 * (1 + torch.tanh(z / 2))


def _sigmoid_by_clamp(z: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-z.clamp(-80, 80)))


def _sigmoid_by_logaddexp(z: Tensor) -> Tensor:
    return torch.exp(-torch.logaddexp(torch.zeros_like(z), -z))


def _sigmoid_by_loop(z: Tensor) -> Tensor:
    entries = [1 / (1 + torch.exp(-v)) if v >= 0 else torch.exp(v) / (1 + torch.exp(v)) for v in z.flatten()]
    return torch.stack(entries).reshape(z.shape)


def _sigmoid_cases(seed: int) -> list[Case]:
    drawn = 3 * torch.randn(2, 3, generator=rng(seed), dtype=F64)
    return [
        Case("z = 0", {"z": vector(0.0)}, grad=("z",)),
        Case("numbers of moderate size", {"z": vector(-2.0, 1.0, 3.0)}, grad=("z",)),
        Case("a sum of 1000", {"z": vector(1000.0, 1.0)}, grad=("z",)),
        Case("a sum of -1000", {"z": vector(-1000.0, -1.0)}, grad=("z",)),
        Case("sums of -100 and -300", {"z": vector(-100.0, -300.0)}, grad=("z",)),
        Case("sums of 8 and -8", {"z": vector(8.0, -8.0)}, grad=("z",)),
        Case("sums of 1000 and -1000 side by side", {"z": vector(1000.0, -1000.0, 0.5)}, grad=("z",)),
        Case("two axes in float64", {"z": drawn}, grad=("z",)),
    ]


@exercise("02.2", title="A sigmoid that does not overflow", points=2)
class Sigmoid:
    """Value and gradient for every number that float32 can hold."""

    reference = sigmoid
    read = "Softmax"
    statement = r"""
        $$\sigma(z) = \frac{1}{1 + e^{-z}} = \frac{e^{z}}{1 + e^{z}}$$

        Both forms are right on paper. In float32 an exponential is infinite from about 88.7 on, so each of
        them fails on one side, one of them only in the gradient.

        Write `sigmoid(z)` for a tensor of any shape, so that value **and gradient** are right for all
        numbers, among them 1000, -1000 and 0. The gradient at 0 is 0.25. Do not call a ready-made sigmoid.

        Example: `z = [0, 1000, -1000]` gives `[0.5, 1, 0]`.
    """
    cases = _sigmoid_cases
    tolerance = 1e-6  # a sum cut off at 15 shows in no value that is near 1, and in the seventh digit near 0
    forbidden = dict.fromkeys(
        (
            "sigmoid",
            "Tensor.sigmoid",
            "Tensor.sigmoid_",
            "sigmoid_",
            "special.expit",
            "nn.functional.sigmoid",
            "nn.functional.logsigmoid",
            "_C._nn.log_sigmoid",
            "_C._special.special_expit",
            "special_expit",
        ),
        "Build it from exp (or tanh): the point is to see where the overflow comes from.",
    )
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "tanh": _sigmoid_by_tanh,
        "wide clamp": _sigmoid_by_clamp,
        "logaddexp": _sigmoid_by_logaddexp,
        "loop over entries": _sigmoid_by_loop,
    }
    hints = (
        "Try `torch.exp(torch.tensor(1000.0))` and `torch.exp(torch.tensor(-1000.0))`. Which of the two is harmless?",
        "Only take exponentials of numbers that are not positive: -z where z >= 0 and z elsewhere. Choose "
        "*before* exp.",
        "With e = exp(-|z|), the value is 1/(1+e) for z >= 0 and e/(1+e) elsewhere. Mind the slope of |z| "
        "at 0: use torch.where.",
    )
