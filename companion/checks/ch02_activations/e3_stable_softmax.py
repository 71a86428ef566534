"""Exercise 02.3: stable softmax."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Mistake, exercise, rng
from companion.checks.numbers import F64, rows
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


def _softmax_in_place(z: Tensor, dim: int) -> Tensor:
    z -= z.amax(dim=dim, keepdim=True)
    e = torch.exp(z)
    return e / e.sum(dim=dim, keepdim=True)


def _softmax_without_keepdim(z: Tensor, dim: int) -> Tensor:
    e = torch.exp(z - z.amax(dim=dim, keepdim=True))
    return e / e.sum(dim=dim)


def _softmax_without_any_keepdim(z: Tensor, dim: int) -> Tensor:
    e = torch.exp(z - z.amax(dim=dim))
    return e / e.sum(dim=dim)


def _softmax_of_whole(z: Tensor, dim: int) -> Tensor:
    e = torch.exp(z - z.amax(dim=dim, keepdim=True))
    return e / e.sum()


def _softmax_of_whole_shifted(z: Tensor, dim: int) -> Tensor:
    e = torch.exp(z - z.max())
    return e / e.sum()


def _softmax_with_added_shift(z: Tensor, dim: int) -> Tensor:
    e = torch.exp(z + z.amax(dim=dim, keepdim=True))
    return e / e.sum(dim=dim, keepdim=True)


def _softmax_by_formula(z: Tensor, dim: int) -> Tensor:
    e = torch.exp(z)
    return e / e.sum(dim=dim, keepdim=True)


def _softmax_with_one_shift(z: Tensor, dim: int) -> Tensor:
    e = torch.exp(z - z.max())
    return e / e.sum(dim=dim, keepdim=True)


def _softmax_with_mean(z: Tensor, dim: int) -> Tensor:
    e = torch.exp(z - z.mean(dim=dim, keepdim=True))
    return e / e.sum(dim=dim, keepdim=True)


def _softmax_without_exp(z: Tensor, dim: int) -> Tensor:
    shifted = z - z.amin(dim=dim, keepdim=True)
    return shifted / shifted.sum(dim=dim, keepdim=True)


def _softmax_cases(seed: int) -> list[Case]:
    g = rng(seed)
    return [
        Case("two different rows, dim=-1", {"z": rows([0.0, 1.0], [5.0, 1.0]), "dim": -1}, grad=("z",)),
        Case("two rows of three, dim=0", {"z": rows([0.0, 1.0, 3.0], [2.0, 1.0, -1.0]), "dim": 0}, grad=("z",)),
        Case("a logit of 100", {"z": rows([100.0, 99.0, 0.0]), "dim": -1}, grad=("z",)),
        Case("rows that lie 200 apart", {"z": rows([0.0, -1.0], [-200.0, -202.0]), "dim": -1}, grad=("z",)),
        Case("one large logit among small ones", {"z": rows([0.0, 0.0, 0.0, 300.0]), "dim": 1}, grad=("z",)),
        Case("a single axis in float64", {"z": torch.randn(4, generator=g, dtype=F64), "dim": 0}, grad=("z",)),
        Case(
            "three axes, dim=1",
            {"z": torch.randn(2, 3, 4, generator=g, dtype=F64), "dim": 1},
            grad=("z",),
            says="Right for a table; with three axes the classes may lie in the middle one. Which line "
            "assumes something about axes?",
        ),
    ]


@exercise("02.3", title="Stable softmax", points=2)
class StableSoftmax:
    """Softmax that survives large logits, along any axis."""

    reference = softmax
    statement = r"""
        $$\operatorname{softmax}(z)_i = \frac{e^{z_i}}{\sum_j e^{z_j}}$$

        Write `softmax(z, dim)` for a tensor with any number of axes; `dim` says along which axis the
        probabilities sum to 1. Large logits must not overflow, gradients must flow, and `z` must stay as it
        was. Do not call a ready-made softmax.

        Example: `softmax(torch.tensor([[0.0, 1.0], [5.0, 1.0]]), dim=-1)` has rows that sum to 1: `[[0.2689,
        0.7311], [0.9820, 0.0180]]`.

        *Serves the objective: implement a numerically stable softmax and say why the shift changes nothing.*
    """
    cases = _softmax_cases
    tolerance = 1e-4  # float32 holds -200 to 1.5e-5 only, and exp(z - logsumexp(z)) is a right answer
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
    mistakes = (
        Mistake(
            "always sums over the first axis",
            lambda z, dim: _softmax_by_rows(z, 0),
            "Your columns sum to 1, not your rows: a sample's answer changes when its neighbours in the "
            "batch change. Which axis holds the classes, and which argument says so?",
        ),
        Mistake(
            "always sums over the last axis",
            lambda z, dim: _softmax_by_rows(z, -1),
            "Right for the last axis, and dim makes no difference. As soon as the classes lie on another "
            "axis, as in (batch, classes, time), the wrong numbers share a sum.",
        ),
        Mistake(
            "divides by the sum of everything",
            _softmax_of_whole,
            "All your rows together sum to 1. For one row that looks right. Each row is divided by its own "
            "sum: along which axis?",
        ),
        Mistake(
            "drops the summed axis",
            _softmax_without_keepdim,
            "Your sums are right, but the summed axis is gone, so they line up with the wrong axis of e; "
            "for a square table nothing even complains. Keep the axis (keepdim).",
        ),
        Mistake(
            "drops the axis of the maximum as well",
            _softmax_without_any_keepdim,
            "Maximum and sum have lost the axis they were taken along, so each row meets the maxima of its "
            "neighbours. Keep the axis (keepdim) in both.",
        ),
        Mistake(
            "does not divide",
            lambda z, dim: torch.exp(z - z.amax(dim=dim, keepdim=True)),
            "The shift is right and nothing overflows, but the shares do not sum to 1: the division by the "
            "sum is missing.",
        ),
        Mistake(
            "does not shift",
            _softmax_by_formula,
            "exp(100) is infinite in float32, so you divide inf by inf. Softmax ignores a common shift: "
            "which shift makes the largest exponent 0?",
        ),
        Mistake(
            "shifts by the maximum of everything",
            _softmax_with_one_shift,
            "Right in value, but a row whose own largest logit is 200 below the shift became 0/0. Each row "
            "needs its own maximum.",
        ),
        Mistake(
            "shifts by the mean",
            _softmax_with_mean,
            "Any shift gives the right value, and the mean leaves large exponents: with 0, 0, 0 and 300 it "
            "is 75, and exp(225) is infinite. Which shift leaves none above 0?",
        ),
        Mistake(
            "leaves out the exponential",
            _softmax_without_exp,
            "Your numbers sum to 1, but they are shares of the logits themselves: the smallest class gets "
            "exactly 0. The exponential comes first, then the sharing.",
        ),
        Mistake(
            "writes into its argument",
            _softmax_in_place,
            "The logits you were given have changed. A caller may still need them: make a new tensor.",
        ),
        Mistake(
            "shifts and divides by the whole tensor",
            _softmax_of_whole_shifted,
            "All rows together sum to 1: both the largest logit and the sum were taken over the whole tensor. Each row "
            "has its own largest logit and its own sum: where does dim enter, and what does keepdim do?",
        ),
        Mistake(
            "takes shares of the logits",
            lambda z, dim: z / z.sum(dim=dim, keepdim=True),
            "Your numbers sum to 1, but the exponential is missing: a negative logit gets a negative share, and logits "
            "that sum to 0 divide by 0. What makes every bid positive before the pie is cut?",
        ),
        Mistake(
            "returns the logarithm",
            lambda z, dim: z - torch.logsumexp(z, dim=dim, keepdim=True),
            "None of your numbers is above 0: these are the logarithms of the shares, which a loss wants. One function is "
            "missing to make shares of them.",
        ),
        Mistake(
            "adds the shift",
            _softmax_with_added_shift,
            "You add the largest logit, so that the largest exponent doubles and overflows sooner. Which sign makes the "
            "largest exponent 0?",
        ),
    )
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
