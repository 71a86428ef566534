"""Exercise 02.3: stable softmax."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import exercise
from companion.checks.cases import draw
from companion.checks.ch02_activations.e3_mistakes import MISTAKES
from companion.checks.numbers import rows
from companion.checks.trace import Case


def softmax(z: torch.Tensor, dim: int) -> torch.Tensor:
    """Return probabilities along one axis, for any number of axes, without overflow."""
    e = torch.exp(z - z.amax(dim=dim, keepdim=True))  # the largest exponent is 0
    return e / e.sum(dim=dim, keepdim=True)


def _softmax_by_logsumexp(z: Tensor, dim: int) -> Tensor:
    return torch.exp(z - torch.logsumexp(z, dim=dim, keepdim=True))


def _softmax_with_detached_shift(z: Tensor, dim: int) -> Tensor:
    e = torch.exp(z - z.detach().max(dim=dim, keepdim=True).values)
    return e / e.sum(dim=dim, keepdim=True)


def _softmax_by_rows(z: Tensor, dim: int) -> Tensor:
    rows = z.movedim(dim, -1)
    out = []
    for row in rows.reshape(-1, rows.shape[-1]):
        e = (row - row.max()).exp()
        out.append(e / e.sum())
    return torch.stack(out).reshape(rows.shape).movedim(-1, dim)


def _softmax_cases(seed: int) -> list[Case]:
    three = {"B": 2, "C": 3, "T": 4}
    return [
        Case("two different rows, dim=-1", {"z": rows([0.0, 1.0], [5.0, 1.0]), "dim": -1}, grad=("z",), example=True),
        Case("two rows of three, dim=0", {"z": rows([0.0, 1.0, 3.0], [2.0, 1.0, -1.0]), "dim": 0}, grad=("z",)),
        Case("a logit of 100", {"z": rows([100.0, 99.0, 0.0]), "dim": -1}, grad=("z",)),
        Case("rows that lie 200 apart", {"z": rows([60.0, 59.0], [-140.0, -142.0]), "dim": -1}, grad=("z",)),
        Case("one large logit among small ones", {"z": rows([0.0, 0.0, 0.0, 300.0]), "dim": 1}, grad=("z",)),
        draw("a single axis in float64", {"z": "C"}, 2 * seed, sizes={"C": 4}, plus={"dim": 0}, grad=("z",)),
        draw(
            "three axes, dim=1",
            {"z": "B C T"},
            2 * seed + 1,
            sizes=three,
            plus={"dim": 1},
            grad=("z",),
            says="Right for a table; with three axes the classes may lie in the middle one. Which line "
            "assumes something about axes?",
        ),
    ]


@exercise("02.3", title="Stable softmax", points=2)
class StableSoftmax:
    """Softmax that survives large logits, along any axis."""

    reference = softmax
    read = "Softmax"
    statement = r"""
        $$\operatorname{softmax}(z)_i = \frac{e^{z_i}}{\sum_j e^{z_j}}$$

        Write `softmax(z, dim)` for a tensor with any number of axes; `dim` says along which axis the
        probabilities sum to 1. Large logits must not overflow, gradients must flow, and `z` must stay as it
        was. Do not call a ready-made softmax.

        Example: `softmax(torch.tensor([[0.0, 1.0], [5.0, 1.0]]), dim=-1)` has rows that sum to 1: `[[0.2689,
        0.7311], [0.9820, 0.0180]]`.
    """
    cases = _softmax_cases
    tolerance = 1e-4  # float32 holds -140 to 1.5e-5 only, and exp(z - logsumexp(z)) is a right answer
    forbidden = dict.fromkeys(
        (
            "softmax",
            "Tensor.softmax",
            "nn.functional.softmax",
            "special.softmax",
            "log_softmax",
            "Tensor.log_softmax",
            "nn.functional.log_softmax",
            "special.log_softmax",
            "_C._special.special_softmax",
            "nn.functional.softmin",
        ),
        "Build it from exp and a sum: the point is the shift.",
    )
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "logsumexp": _softmax_by_logsumexp,
        "detached shift": _softmax_with_detached_shift,
        "row by row": _softmax_by_rows,
    }
    hints = (
        "Write the formula down first and give it `[[100., 99., 0.]]`. What is exp(100) in float32?",
        "Subtracting the same number from all logits of a row changes nothing. Which number makes the "
        "largest exponent 0?",
        "Both the maximum and the sum are taken along `dim` with `keepdim=True`, so that they line up with z again.",
    )
