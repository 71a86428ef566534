"""Exercise 02.2: a sigmoid that does not overflow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed, exercise, rng
from companion.checks.numbers import F64, vector
from companion.checks.trace import Case


def sigmoid(z: torch.Tensor) -> torch.Tensor:
    """Return 1 / (1 + exp(-z)) for every entry, without overflow in value or gradient."""
    e = torch.exp(-torch.where(z >= 0, z, -z))  # the exponent is never positive, so e lies in (0, 1]
    return torch.where(z >= 0, torch.ones_like(e), e) / (1 + e)


def _sigmoid_by_formula(z: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-z))


def _sigmoid_by_other_formula(z: Tensor) -> Tensor:
    return torch.exp(z) / (1 + torch.exp(z))


def _sigmoid_by_two_formulas(z: Tensor) -> Tensor:
    return torch.where(z >= 0, _sigmoid_by_formula(z), _sigmoid_by_other_formula(z))


def _sigmoid_by_abs(z: Tensor) -> Tensor:
    e = torch.exp(-z.abs())
    return torch.where(z >= 0, 1 / (1 + e), e / (1 + e))


def _sigmoid_of_abs(z: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-z.abs()))


def _sigmoid_turned(z: Tensor) -> Tensor:
    e = torch.exp(torch.where(z >= 0, -z, z))
    return torch.where(z >= 0, e, torch.ones_like(e)) / (1 + e)


def _sigmoid_clamping_in_place(z: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-z.clamp_(-80, 80)))


def _sigmoid_clamped_hard(z: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-z.clamp(-5, 5)))


def _sigmoid_deciding_once(z: Tensor) -> Tensor:
    return _sigmoid_by_formula(z) if bool((z >= 0).all()) else _sigmoid_by_other_formula(z)


def _sigmoid_hiding_nan(z: Tensor) -> Tensor:
    return torch.nan_to_num(_sigmoid_by_other_formula(z), nan=1.0)


def _sigmoid_with_softmax_shift(z: Tensor) -> Tensor:
    e = torch.exp(z - z.max())
    return e / (1 + e)


def _is_cut_off(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise a sigmoid of clamped sums, wherever it was cut: level, and visibly short of 0 and 1."""
    ends = {case.name: o["out"] for case, o in zip(cases, observed) if "out" in o}
    high, low, zero = (ends.get(name) for name in ("a sum of 1000", "a sum of -1000", "z = 0"))
    if high is None or low is None or zero is None or high.shape != (2,) or low.shape != (2,) or zero.shape != (1,):
        return False
    top, bottom, middle = high[0].item(), low[0].item(), zero[0].item()
    return abs(middle - 0.5) < 1e-5 and 0.8 < top < 1 - 1e-5 and abs(top + bottom - 1) < 1e-5


def _sigmoid_by_tanh(z: Tensor) -> Tensor:
    return 0.5 * (1 + torch.tanh(z / 2))


def _sigmoid_by_clamp(z: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-z.clamp(-80, 80)))


def _sigmoid_by_logaddexp(z: Tensor) -> Tensor:
    return torch.exp(-torch.logaddexp(torch.zeros_like(z), -z))


def _sigmoid_cases(seed: int) -> list[Case]:
    drawn = 3 * torch.randn(2, 3, generator=rng(seed), dtype=F64)
    return [
        Case("z = 0", {"z": vector(0.0)}, grad=("z",)),
        Case("numbers of moderate size", {"z": vector(-2.0, 1.0, 3.0)}, grad=("z",)),
        Case("a sum of 1000", {"z": vector(1000.0, 1.0)}, grad=("z",)),
        Case("a sum of -1000", {"z": vector(-1000.0, -1.0)}, grad=("z",)),
        Case("sums of 8 and -8", {"z": vector(8.0, -8.0)}, grad=("z",)),
        Case("sums of 1000 and -1000 side by side", {"z": vector(1000.0, -1000.0, 0.5)}, grad=("z",)),
        Case("two axes in float64", {"z": drawn}, grad=("z",)),
    ]


@exercise("02.2", title="A sigmoid that does not overflow", points=2)
class Sigmoid:
    """Value and gradient for every number that float32 can hold."""

    reference = sigmoid
    statement = r"""
        $$\sigma(z) = \frac{1}{1 + e^{-z}} = \frac{e^{z}}{1 + e^{z}}$$

        Both forms are right on paper. In float32 an exponential is infinite from about 88.7 on, so each of
        them fails on one side, one of them only in the gradient.

        Write `sigmoid(z)` for a tensor of any shape, so that value **and gradient** are right for all
        numbers, among them 1000, -1000 and 0. The gradient at 0 is 0.25. Do not call a ready-made sigmoid.

        Example: `z = [0, 1000, -1000]` gives `[0.5, 1, 0]`.

        *Serves the objective: recognise a formula that is right on paper and overflows in float32, and repair
        it.*
    """
    cases = _sigmoid_cases
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
    mistakes = (
        Mistake(
            "uses 1/(1+exp(-z)) everywhere",
            _sigmoid_by_formula,
            "All values are right, even at -1000, and the gradient there is nan: exp(1000) is infinite, and "
            "going back 0 meets inf. Which of the two forms has no large exponential where z is negative?",
        ),
        Mistake(
            "uses exp(z)/(1+exp(z)) everywhere",
            _sigmoid_by_other_formula,
            "At 1000 you divide inf by inf, which is nan. This form is the good one for negative z only.",
        ),
        Mistake(
            "computes both forms and picks one",
            _sigmoid_by_two_formulas,
            "The values are right. But torch.where picks after both forms were computed, and going back the "
            "one not picked still contributes 0 times inf, which is nan. Make the exponent itself harmless "
            "before exp.",
        ),
        Mistake(
            "loses the gradient at 0",
            _sigmoid_by_abs,
            "Right everywhere except for the gradient at exactly 0, where it should be 0.25 and yours is 0: "
            "the derivative of abs at 0 is taken as 0. What else gives -|z|, with a slope at 0?",
        ),
        Mistake(
            "forgets the sign",
            _sigmoid_of_abs,
            "Nothing overflows, and negative sums get the answer of positive ones: you never come below 0.5.",
        ),
        Mistake(
            "turns the sign",
            _sigmoid_turned,
            "Yours falls where it should rise: large sums give 0. Look at the sign of the exponent.",
        ),
        Mistake(
            "forgets to halve z",
            lambda z: 0.5 * (1 + torch.tanh(z)),
            "Half of 1 + tanh is a good idea, but this one is twice as steep: it is the sigmoid of 2z. What "
            "must go into tanh?",
        ),
        Mistake(
            "writes into its argument",
            _sigmoid_clamping_in_place,
            "The numbers are right, and the z you were given has changed: functions that end in _ write "
            "into their tensor.",
        ),
        Mistake(
            "cuts z off too early",
            _sigmoid_clamped_hard,
            "Cutting z off keeps exp small, but you cut where the sigmoid is still on its way: at 5 it is 0.007 "
            "short of 1, at 10 still 0.00005, and beyond the cut your gradient is exactly 0. Cut where float32 "
            "can no longer tell, or not at all.",
            matches=_is_cut_off,
        ),
        Mistake(
            "decides once for the whole tensor",
            _sigmoid_deciding_once,
            "Each form is right for numbers of one sign, and you choose one of them for the whole tensor: as soon as "
            "large numbers of both signs meet, it overflows. Each entry needs its own choice, made before exp.",
        ),
        Mistake(
            "replaces nan afterwards",
            _sigmoid_hiding_nan,
            "The values are right now, because you replaced nan by 1. The gradient still passes through inf / inf, and "
            "it is not right at 1000. Let no overflow happen instead of covering its result.",
        ),
        Mistake(
            "takes the shift of softmax",
            _sigmoid_with_softmax_shift,
            "Softmax may subtract its largest logit, because each share is divided by the sum of all. A sigmoid stands "
            "alone: shift z and you get the sigmoid of another number, with the largest at one half.",
        ),
    )
    alternatives: ClassVar = {
        "tanh": _sigmoid_by_tanh,
        "wide clamp": _sigmoid_by_clamp,
        "logaddexp": _sigmoid_by_logaddexp,
    }
    hints = (
        "Try `torch.exp(torch.tensor(1000.0))` and `torch.exp(torch.tensor(-1000.0))`. Which of the two is harmless?",
        "Only take exponentials of numbers that are not positive: -z where z >= 0 and z elsewhere. Choose "
        "*before* exp.",
        "With e = exp(-|z|), the value is 1/(1+e) for z >= 0 and e/(1+e) elsewhere. Mind the slope of |z| "
        "at 0: use torch.where.",
    )
