"""Exercises of chapter 02: activation functions, their derivatives and range, and what they do in depth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import ClassVar

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from companion.checks.bank import Mistake, Observed, Out, Parameter, exercise, per_variant, rng
from companion.checks.trace import Call, Case, Trace

F64 = torch.float64


def _vector(*numbers: float, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.tensor(numbers, dtype=dtype)


def _rows(*rows: Sequence[float], dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.tensor(rows, dtype=dtype)


# == 02.1 =============================================================================================


def _leaky_relu_with(slope: float) -> Callable[..., Tensor]:
    def leaky_relu(z: torch.Tensor, negative_slope: float = slope) -> torch.Tensor:
        """Return z where it is positive and negative_slope times z elsewhere."""
        return torch.where(z > 0, z, negative_slope * z)

    return leaky_relu


def _leaky_mistakes(slope: float) -> list[Mistake]:
    def in_place(z: Tensor, negative_slope: float = slope) -> Tensor:
        z[z < 0] *= negative_slope
        return z

    def make(compute: Callable[[Tensor, float], Tensor]) -> Callable[..., Tensor]:
        return lambda z, negative_slope=slope: compute(z, negative_slope)

    return [
        Mistake(
            "lets nothing through below 0",
            make(lambda z, s: torch.where(z > 0, z, torch.zeros_like(z))),
            "That is the plain ReLU: below 0 nothing comes through, and no gradient either. The leak is "
            "what you are to add.",
        ),
        Mistake(
            "puts the slope on the positive side",
            make(lambda z, s: torch.where(z > 0, s * z, z)),
            "The slope is on the wrong side: positive numbers should pass unchanged, negative ones be shrunk.",
        ),
        Mistake(
            "turns the sign of negative numbers",
            make(lambda z, s: torch.where(z > 0, z, -s * z)),
            "Below 0 your result is positive. A leak keeps the sign: negative numbers stay negative, only smaller.",
        ),
        Mistake(
            "returns the slope itself",
            make(lambda z, s: torch.where(z > 0, z, torch.full_like(z, s))),
            "Below 0 you return the slope itself, the same number for every z. It should be slope times z.",
        ),
        Mistake(
            "always uses the default slope",
            make(lambda z, s: torch.where(z > 0, z, slope * z)),
            "Right for the default, and the argument makes no difference: a slope is fixed somewhere in your code.",
        ),
        Mistake(
            "adds the leak on both sides",
            make(lambda z, s: torch.relu(z) + s * z),
            "Negative numbers are right; positive ones came out a little too large, because the leak is "
            "added there as well.",
        ),
        Mistake(
            "subtracts the leak",
            make(lambda z, s: torch.clamp(z, min=0) - s * z),
            "You subtract slope times z everywhere, so negative numbers come out positive and positive ones too small.",
        ),
        Mistake(
            "decides once for the whole tensor",
            make(lambda z, s: z if z.sum() > 0 else s * z),
            "All numbers are treated alike, by one decision for the whole tensor. Each number needs its "
            "own: torch.where chooses entry by entry.",
        ),
        Mistake(
            "writes into its argument",
            in_place,
            "The numbers are right, and the z you were given has changed: z[...] *= writes into the caller's tensor.",
        ),
    ]


def _leaky_by_parts(slope: float) -> Callable[..., Tensor]:
    return lambda z, negative_slope=slope: torch.clamp(z, min=0) + negative_slope * torch.clamp(z, max=0)


def _leaky_by_mask(slope: float) -> Callable[..., Tensor]:
    def masked(z: Tensor, negative_slope: float = slope) -> Tensor:
        mask = (z > 0).to(z.dtype)
        return z * (mask + negative_slope * (1 - mask))

    return masked


def _leaky_by_maximum(slope: float) -> Callable[..., Tensor]:
    return lambda z, negative_slope=slope: torch.maximum(z, negative_slope * z)


def _leaky_cases(slope: float) -> Callable[[int], list[Case]]:
    def cases(seed: int) -> list[Case]:
        drawn = torch.randn(2, 3, generator=rng(seed), dtype=F64)
        return [
            Case("the default slope", {"z": _vector(-3.0, -1.0, 0.0, 2.0)}),
            Case(
                "a slope of 0.3",
                {"z": _vector(-4.0, -2.0, 0.0, 5.0), "negative_slope": 0.3},
                says="The default slope works, another one does not: where does the argument enter?",
            ),
            Case("a slope of 0", {"z": _vector(-2.0, 3.0), "negative_slope": 0.0}, grad=("z",)),
            Case("two axes in float64", {"z": drawn, "negative_slope": 0.15}, grad=("z",)),
            Case("large numbers", {"z": _vector(-1e4, 1e4), "negative_slope": 0.5}, grad=("z",)),
        ]

    return cases


@exercise(
    "02.1",
    title="Leaky ReLU",
    points=1,
    parameters=({"slope": 0.01}, {"slope": 0.2}, {"slope": 0.05}, {"slope": 0.125}),
)
class LeakyRelu:
    """A ReLU that lets a little through."""

    name = "leaky_relu"
    forbidden = dict.fromkeys(
        (
            "nn.functional.leaky_relu",
            "nn.functional.leaky_relu_",
            "nn.functional.prelu",
            "prelu",
            "nn.functional.rrelu",
            "rrelu",
            "_C._nn.leaky_relu",
        ),
        "Write it with comparisons and products: the point is to see where the leak enters.",
    )

    @per_variant
    def reference(p: Parameter) -> Callable[..., Tensor]:
        """Return the function with this variant's default slope."""
        return _leaky_relu_with(p["slope"])

    @per_variant
    def statement(p: Parameter) -> str:
        """Return the task with this variant's slope."""
        s = p["slope"]
        return rf"""
        A ReLU sends 0 for every negative sum, and with it no gradient: a unit that is always negative can
        never recover. The leaky ReLU lets a little through:

        $$f(z) = \begin{{cases}} z & z > 0 \\ s\,z & z \le 0 \end{{cases}}$$

        Write `leaky_relu(z, negative_slope={s})` for a tensor of any shape. Slopes lie between 0 and 1. Do
        not call a ready-made leaky ReLU, and leave `z` as it was.

        Example: `z = [-3, 2]` with the default slope gives `[{-3 * s:.4g}, 2]`.

        *Serves the objective: implement the common activation functions and say what each is for.*
        """

    @per_variant
    def cases(p: Parameter) -> Callable[[int], list[Case]]:
        """Return inputs with and without a slope given."""
        return _leaky_cases(p["slope"])

    @per_variant
    def mistakes(p: Parameter) -> list[Mistake]:
        """Return the known mistakes with this variant's default slope."""
        return _leaky_mistakes(p["slope"])

    @per_variant
    def alternatives(p: Parameter) -> dict[str, Callable[..., Tensor]]:
        """Return other right answers with this variant's default slope."""
        s = p["slope"]
        return {"two clamps": _leaky_by_parts(s), "mask": _leaky_by_mask(s), "maximum": _leaky_by_maximum(s)}

    hints = (
        "Two branches, chosen entry by entry. An `if` cannot do that for a tensor; which function of torch can?",
        "`torch.where(condition, a, b)` takes from a where the condition holds and from b elsewhere.",
        "The condition is `z > 0`, the first branch is `z`, the second is the slope times `z`.",
    )


# == 02.2 =============================================================================================


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
        Case("z = 0", {"z": _vector(0.0)}, grad=("z",)),
        Case("numbers of moderate size", {"z": _vector(-2.0, 1.0, 3.0)}, grad=("z",)),
        Case("a sum of 1000", {"z": _vector(1000.0, 1.0)}, grad=("z",)),
        Case("a sum of -1000", {"z": _vector(-1000.0, -1.0)}, grad=("z",)),
        Case("sums of 8 and -8", {"z": _vector(8.0, -8.0)}, grad=("z",)),
        Case("sums of 1000 and -1000 side by side", {"z": _vector(1000.0, -1000.0, 0.5)}, grad=("z",)),
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
            _is_cut_off,
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


# == 02.3 =============================================================================================


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
        Case("two different rows, dim=-1", {"z": _rows([0.0, 1.0], [5.0, 1.0]), "dim": -1}, grad=("z",)),
        Case("two rows of three, dim=0", {"z": _rows([0.0, 1.0, 3.0], [2.0, 1.0, -1.0]), "dim": 0}, grad=("z",)),
        Case("a logit of 100", {"z": _rows([100.0, 99.0, 0.0]), "dim": -1}, grad=("z",)),
        Case("rows that lie 200 apart", {"z": _rows([0.0, -1.0], [-200.0, -202.0]), "dim": -1}, grad=("z",)),
        Case("one large logit among small ones", {"z": _rows([0.0, 0.0, 0.0, 300.0]), "dim": 1}, grad=("z",)),
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


# == 02.4 =============================================================================================


def sigmoid_grad(z: torch.Tensor) -> torch.Tensor:
    """Return the derivative of the sigmoid at every entry of z."""
    e = torch.exp(-z.abs())  # the derivative is even, so the sign of z does not matter
    return e / (1 + e) ** 2


def tanh_grad(z: torch.Tensor) -> torch.Tensor:
    """Return the derivative of tanh at every entry of z."""
    return 1 - torch.tanh(z) ** 2


def relu_grad(z: torch.Tensor) -> torch.Tensor:
    """Return the derivative of ReLU at every entry of z, taking 0 at z = 0."""
    return (z > 0).to(z.dtype)


def _sigmoid_grad_from_output(z: Tensor) -> Tensor:
    y = torch.sigmoid(z)
    return y * (1 - y)


def _tanh_grad_from_cosh(z: Tensor) -> Tensor:
    return 4 / (torch.exp(z.clamp(-40, 40)) + torch.exp(-z.clamp(-40, 40))) ** 2


def _relu_grad_from_output(z: Tensor) -> Tensor:
    y = torch.clamp(z, min=0)
    return torch.where(y == 0, torch.zeros_like(y), torch.ones_like(y))


def _named_as(name: str, function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    function.__name__ = name
    return function


def _sigmoid_grad_by_formula(z: Tensor) -> Tensor:
    e = torch.exp(-z)
    return e / (1 + e) ** 2


def _grad_cases(seed: int) -> list[Case]:
    drawn = 2 * torch.randn(2, 3, generator=rng(seed), dtype=F64)
    cases = []
    for function, word in (("sigmoid_grad", "sigmoid"), ("tanh_grad", "tanh"), ("relu_grad", "ReLU")):
        cases += [
            Case(f"{word} at 0 and on both sides", {"z": _vector(-2.0, 0.0, 0.5)}, function),
            Case(f"{word} far out, at -100 and 100", {"z": _vector(-100.0, 100.0)}, function),
            Case(f"{word} on two axes in float64", {"z": drawn}, function),
        ]
    return cases


_BY_HAND = "Derive the formula on paper: autograd is the oracle here, not the answer."


@exercise("02.4", title="Derivatives by hand", points=2)
class Derivatives:
    """Three functions, checked against autograd's numbers."""

    reference = (sigmoid_grad, tanh_grad, relu_grad)
    statement = r"""
        Backpropagation multiplies derivatives, so you should know these three by hand. Write three functions
        of the input $z$, each for a tensor of any shape:

        * `sigmoid_grad(z)` for $\sigma(z) = 1/(1+e^{-z})$;
        * `tanh_grad(z)` for $\tanh(z)$;
        * `relu_grad(z)` for $\max(0, z)$, with 0 at $z = 0$, as PyTorch has it.

        Each returns the derivative at every entry, in the shape and dtype of `z`. You may call
        `torch.sigmoid` and `torch.tanh`; leave autograd out. Mind what your formula does at -100.

        Example: at $z = 0$ the three are 0.25, 1 and 0.

        *Serves the objective: derive the derivatives of the common activation functions and say where they
        vanish.*
    """
    cases = _grad_cases
    forbidden = dict.fromkeys(
        (
            "autograd.grad",
            "autograd.backward",
            "Tensor.backward",
            "autograd.functional.jacobian",
            "func.grad",
            "func.vjp",
        ),
        _BY_HAND,
    )
    mistakes = (
        Mistake(
            "puts z into a formula meant for the sigmoid's output",
            _named_as("sigmoid_grad", lambda z: z * (1 - z)),
            "y(1 - y) is right for y = sigmoid(z), the output. You put z itself into it: at z = 0 that "
            "gives 0 instead of 0.25.",
        ),
        Mistake(
            "returns the sigmoid itself",
            _named_as("sigmoid_grad", lambda z: torch.sigmoid(z)),
            "That is the sigmoid, not its slope. Far out the curve is flat: its derivative must go to 0 on both sides.",
        ),
        Mistake(
            "adds where it should subtract",
            _named_as("sigmoid_grad", lambda z: torch.sigmoid(z) * (1 + torch.sigmoid(z))),
            "Your slope goes to 2 for large z, where the curve is flat. Look at the sign inside y(1 - y).",
        ),
        Mistake(
            "overflows at -100",
            _named_as("sigmoid_grad", _sigmoid_grad_by_formula),
            "The formula is right, and at -100 float32 gives inf over inf, which is nan. The derivative is "
            "the same for z and -z: which of the two has the small exponential?",
        ),
        Mistake(
            "puts z into a formula meant for the output of tanh",
            _named_as("tanh_grad", lambda z: 1 - z**2),
            "1 - y squared is right for y = tanh(z), the output. You put z itself into it: at z = 2 that gives -3.",
        ),
        Mistake(
            "does not square tanh",
            _named_as("tanh_grad", lambda z: 1 - torch.tanh(z)),
            "The square is missing: your slope goes to 2 for very negative z, where tanh is flat.",
        ),
        Mistake(
            "uses the sigmoid's derivative for tanh",
            _named_as("tanh_grad", lambda z: torch.sigmoid(z) * (1 - torch.sigmoid(z))),
            "That is the sigmoid's derivative. tanh is steeper: its slope at 0 is 1, not 0.25.",
        ),
        Mistake(
            "asks whether the output of ReLU is at least 0",
            _named_as("relu_grad", lambda z: (torch.relu(z) >= 0).to(z.dtype)),
            "Your derivative is 1 everywhere: the output of a ReLU is never below 0, so asking it whether "
            "it is >= 0 says nothing. Ask z, or ask whether the output is > 0.",
        ),
        Mistake(
            "uses the sigmoid's derivative for ReLU",
            _named_as("relu_grad", lambda z: torch.sigmoid(z) * (1 - torch.sigmoid(z))),
            "That is the sigmoid's derivative. A ReLU has only two slopes: which?",
        ),
        Mistake(
            "takes 1 at z = 0",
            _named_as("relu_grad", lambda z: (z >= 0).to(z.dtype)),
            "At z = 0 the ReLU has a corner, and any slope from 0 to 1 could be defended. PyTorch takes 0, "
            "and so does this exercise.",
        ),
        Mistake(
            "returns the ReLU itself",
            _named_as("relu_grad", lambda z: torch.relu(z)),
            "That is the ReLU, not its slope. How steep is it at z = 0.5, and how steep at z = 5?",
        ),
        Mistake(
            "returns truth values",
            _named_as("relu_grad", lambda z: z > 0),
            "True and False in the right places. The chain rule multiplies by them, so they should be "
            "numbers of z's dtype.",
        ),
        Mistake(
            "squares inside the bracket for the sigmoid",
            _named_as("sigmoid_grad", lambda z: 1 - torch.sigmoid(z) ** 2),
            "1 - y squared is the derivative for y = tanh(z). For the sigmoid the two factors differ: y and what is "
            "left of 1.",
        ),
        Mistake(
            "uses the sigmoid's formula with tanh",
            _named_as("tanh_grad", lambda z: torch.tanh(z) * (1 - torch.tanh(z))),
            "y(1 - y) belongs to the sigmoid. With tanh for y it is negative for every negative z, and tanh rises "
            "everywhere. Its own formula has a square.",
        ),
        Mistake(
            "adds where tanh subtracts",
            _named_as("tanh_grad", lambda z: 1 + torch.tanh(z) ** 2),
            "Your slope goes to 2 on both sides, where tanh is flat. Look at the sign between 1 and the square.",
        ),
        Mistake(
            "takes the sign",
            _named_as("relu_grad", lambda z: torch.sign(z)),
            "The sign is -1 for negative z. A ReLU is flat there, so its slope is 0: it never falls.",
        ),
    )
    alternatives: ClassVar = {
        "from the outputs": (
            _named_as("sigmoid_grad", _sigmoid_grad_from_output),
            _named_as("tanh_grad", _tanh_grad_from_cosh),
            _named_as("relu_grad", _relu_grad_from_output),
        )
    }
    hints = (
        "Draw each curve and lay a ruler against it: where is it flat, where steepest, and how steep there?",
        "With y for the output: the sigmoid's derivative is y(1 - y), that of tanh is 1 - y squared. y is "
        "the output, not z.",
        "ReLU has slope 1 where z > 0 and 0 elsewhere: compare, then turn truth values into numbers of z's dtype.",
    )


# == 02.5 =============================================================================================


def merge_linear(
    W1: torch.Tensor, b1: torch.Tensor, W2: torch.Tensor, b2: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weight and bias of the one layer that equals layer 1 followed by layer 2."""
    return W2 @ W1, W2 @ b1 + b2


def _merge_by_probing(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> tuple[Tensor, Tensor]:
    def both(x: Tensor) -> Tensor:
        return (x @ W1.T + b1) @ W2.T + b2

    bias = both(torch.zeros(W1.shape[1], dtype=W1.dtype))
    return (both(torch.eye(W1.shape[1], dtype=W1.dtype)) - bias).T, bias


def _merge_by_einsum(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> list[Tensor]:
    return [torch.einsum("oh,hi->oi", W2, W1), torch.einsum("oh,h->o", W2, b1) + b2]


def _merge_cases(seed: int) -> list[Case]:
    g = rng(seed)

    def draw(inputs: int, hidden: int, outputs: int, dtype: torch.dtype = F64) -> dict[str, Tensor]:
        shapes = {"W1": (hidden, inputs), "b1": (hidden,), "W2": (outputs, hidden), "b2": (outputs,)}
        return {n: torch.randn(s, generator=g, dtype=dtype) + 0.5 for n, s in shapes.items()}

    square = {
        "W1": _rows([1.0, 2.0], [0.0, 1.0]),
        "b1": _vector(1.0, -1.0),
        "W2": _rows([1.0, 0.0], [3.0, 1.0]),
        "b2": _vector(10.0, 20.0),
    }
    return [
        Case("two units in each layer", square, grad=("W1", "W2")),
        Case("3 inputs, 4 hidden units, 2 outputs", draw(3, 4, 2), grad=("W1", "W2")),
        Case("5 inputs, 1 hidden unit, 3 outputs", draw(5, 1, 3, torch.float32)),
        Case("3 inputs, 3 hidden units, 3 outputs", draw(3, 3, 3)),
    ]


@exercise("02.5", title="Two linear layers are one", points=1)
class MergeLinear:
    """Why a network needs something between its layers."""

    reference = merge_linear
    returns = (Out("W"), Out("b"))
    statement = r"""
        Two linear layers with nothing between them: $h = W_1 x + b_1$, then $y = W_2 h + b_2$. Whatever they
        compute, one layer $y = W x + b$ computes it too.

        Write `merge_linear(W1, b1, W2, b2)`, which returns `W` and `b` of that one layer. Shapes as in
        PyTorch, rows for outputs: `W1` is (H, I), `b1` (H,), `W2` (O, H), `b2` (O,); the result is (O, I) and
        (O,).

        Example: with one unit everywhere, `W1 = [[2]]`, `b1 = [1]`, `W2 = [[3]]`, `b2 = [5]`, the result is
        `W = [[6]]` and `b = [8]`, because $3\,(2x + 1) + 5 = 6x + 8$.

        *Serves the objective: prove that stacked linear layers collapse into one.*
    """
    cases = _merge_cases
    mistakes = (
        Mistake(
            "multiplies in the wrong order",
            lambda W1, b1, W2, b2: (W1 @ W2, W2 @ b1 + b2),
            "W1 @ W2 does the second layer first. x meets W1 first, so W1 stands next to x, on the right. "
            "With square matrices nothing complains: that is the dangerous case.",
        ),
        Mistake(
            "adds the two biases",
            lambda W1, b1, W2, b2: (W2 @ W1, b1 + b2),
            "W is right. But b1 goes through the second layer like everything else that leaves the first: "
            "which matrix does it meet?",
        ),
        Mistake(
            "multiplies in the wrong order and adds the biases",
            lambda W1, b1, W2, b2: (W1 @ W2, b1 + b2),
            "Both are off: x meets W1 first, so W1 stands on the right of W2; and b1 still has to go "
            "through the second layer.",
        ),
        Mistake(
            "puts the bias on the wrong side",
            lambda W1, b1, W2, b2: (W2 @ W1, b1 @ W2 + b2),
            "W is right. For b you compute b1 @ W2, which is W2 transposed times b1: the matrix belongs on the left.",
        ),
        Mistake(
            "sends the second bias through the second layer",
            lambda W1, b1, W2, b2: (W2 @ W1, W2 @ (b1 + b2)),
            "W is right. But b2 is added after the second layer and meets no matrix; only b1 goes through W2.",
        ),
        Mistake(
            "drops the first bias",
            lambda W1, b1, W2, b2: (W2 @ W1, b2.clone()),
            "W is right, and b1 is lost. Put h = W1 x + b1 into the second formula and multiply out.",
        ),
        Mistake(
            "drops the second bias",
            lambda W1, b1, W2, b2: (W2 @ W1, W2 @ b1),
            "W is right, and b2 is lost: it is added at the very end.",
        ),
        Mistake(
            "returns the transpose",
            lambda W1, b1, W2, b2: ((W2 @ W1).T, W2 @ b1 + b2),
            "That is W transposed. Here rows stand for outputs: (O, I).",
        ),
        Mistake(
            "multiplies entry by entry",
            lambda W1, b1, W2, b2: (W2 * W1, W2 @ b1 + b2),
            "W2 * W1 multiplies entry by entry. One layer after another is a matrix product.",
        ),
        Mistake(
            "adds the two matrices",
            lambda W1, b1, W2, b2: (W2 + W1, b1 + b2),
            "Adding matrices is for layers side by side whose results are added. One after another they are "
            "multiplied.",
        ),
    )
    alternatives: ClassVar = {
        "probing with unit vectors": _merge_by_probing,
        "einsum, in a list": _merge_by_einsum,
    }
    hints = (
        "Do it with plain numbers first: 3 (2x + 1) + 5. What stands before x, and what is left over?",
        "Put h into the second formula: y = W2 (W1 x + b1) + b2. Multiply out, keep the order.",
        "Before x stands W2 W1. Without x remain W2 b1 and b2.",
    )


# == 02.6 =============================================================================================


def dead_share(activations: torch.Tensor) -> torch.Tensor:
    """Return the share of units that are 0 for every sample: outputs of a ReLU layer (N, H) -> ()."""
    dead = (activations == 0).all(dim=0)  # (N, H) -> (H,)
    return dead.to(activations.dtype).mean()


def _dead_by_maximum(activations: Tensor) -> float:
    return (activations.amax(dim=0) == 0).float().mean().item()


def _dead_by_count(activations: Tensor) -> float:
    fired = (activations > 0).sum(dim=0)
    return 1 - torch.count_nonzero(fired).item() / activations.shape[1]


def _dead_by_loop(activations: Tensor) -> float:
    dead = [float(column.sum()) == 0 for column in activations.T]
    return sum(dead) / len(dead)


def _dead_cases(seed: int) -> list[Case]:
    g = rng(seed)
    drawn = torch.relu(torch.randn(6, 5, generator=g, dtype=F64))
    drawn[:, 3] = 0
    return [
        Case(
            "one dead unit of three",
            {"activations": _rows([1.0, 0.0, 0.0], [0.0, 0.0, 2.0])},
        ),
        Case(
            "a silent sample and one dead unit of four",
            {"activations": _rows([0.0, 0.0, 0.0, 0.0], [3.0, 0.0, 1.0, 0.5], [0.0, 0.0, 2.0, 1.0])},
        ),
        Case("no dead unit", {"activations": _rows([1.0, 0.0], [0.0, 2.0])}),
        Case("all units dead", {"activations": torch.zeros(2, 3)}),
        Case("tiny activations", {"activations": _rows([1e-12, 0.0], [0.0, 0.0])}),
        Case("six samples of five units in float64", {"activations": drawn}),
    ]


@exercise("02.6", title="Count the dead units", points=1)
class DeadShare:
    """Which ReLU units have stopped listening."""

    reference = dead_share
    returns = (Out("out", "number"),)
    statement = r"""
        A ReLU unit is *dead* on a data set if it gives 0 for every sample: no gradient passes through it, so
        nothing can bring it back.

        Write `dead_share(activations)`. `activations` holds the outputs of a ReLU layer, shape (N, H): one
        row per sample, one column per unit. Return which share of the units is dead, from 0 to 1, as one
        number.

        Example: `[[1, 0, 0], [0, 0, 2]]` gives 0.3333: only the middle unit is 0 in both rows.

        *Serves the objective: measure dying ReLUs and say what causes and cures them.*
    """
    cases = _dead_cases
    mistakes = (
        Mistake(
            "counts zeros",
            lambda activations: (activations == 0).to(activations.dtype).mean(),
            "That is the share of zeros. A healthy ReLU is 0 for many samples; it is dead only if it is 0 "
            "for all of them.",
        ),
        Mistake(
            "looks at samples instead of units",
            lambda activations: (activations == 0).all(dim=1).to(activations.dtype).mean(),
            "You found samples for which every unit is silent. A unit is a column: which axis should disappear?",
        ),
        Mistake(
            "calls a unit dead after one zero",
            lambda activations: (activations == 0).any(dim=0).to(activations.dtype).mean(),
            "A single 0 does not make a unit dead. Ask for all samples, not for any.",
        ),
        Mistake(
            "returns a count",
            lambda activations: (activations == 0).all(dim=0).sum().to(activations.dtype),
            "That is how many units are dead. The share is that number divided by how many units there are.",
        ),
        Mistake(
            "returns the share that lives",
            lambda activations: (activations > 0).any(dim=0).to(activations.dtype).mean(),
            "That is the share of units that fire at least once. What is the share of the others?",
        ),
        Mistake(
            "divides by the number of samples",
            lambda activations: (activations == 0).all(dim=0).sum() / activations.shape[0],
            "You divide by the number of samples. It is a share of the units: columns, not rows.",
        ),
        Mistake(
            "compares the zeros of a unit with the number of units",
            lambda activations: ((activations == 0).sum(dim=0) == activations.shape[1]).to(activations.dtype).mean(),
            "You count a unit's zeros and compare with the number of units. A unit is dead if it has as "
            "many zeros as there are samples.",
        ),
        Mistake(
            "takes small activations for zero",
            lambda activations: (activations < 1e-8).all(dim=0).to(activations.dtype).mean(),
            "A unit that gives 1e-12 still passes its gradient on: a ReLU is dead at exactly 0, not at small numbers.",
        ),
        Mistake(
            "returns a percentage",
            lambda activations: 100 * (activations == 0).all(dim=0).to(activations.dtype).mean(),
            "That is a percentage. A share lies between 0 and 1: leave out the factor 100.",
        ),
        Mistake(
            "looks at the first sample only",
            lambda activations: (activations[0] == 0).to(activations.dtype).mean(),
            "You look at one sample. A unit that is silent there may speak for the next one: it is dead only if it is "
            "silent for all.",
        ),
    )
    alternatives: ClassVar = {
        "maximum is 0": _dead_by_maximum,
        "count those that fire": _dead_by_count,
        "loop over units": _dead_by_loop,
    }
    hints = (
        "Mark the zeros in the example above with a pencil. Which column is marked from top to bottom?",
        "`(activations == 0)` has the shape (N, H). Which of `all` and `any` do you need, along which axis?",
        "`.all(dim=0)` leaves one truth value per unit. The mean of truth values, once they are numbers, is a share.",
    )


# == 02.7 =============================================================================================

TARGET = 0.9
SETTINGS = {"lr": 0.1, "steps": 400, "batch": 64, "classes": 10}
SEEDS = (0, 1, 2)


@cache
def _digits() -> tuple[Tensor, Tensor]:
    digits = load_digits()
    return torch.tensor(digits.data, dtype=torch.float32) / 16, torch.tensor(digits.target)


def _network_cases(seed: int) -> list[Case]:
    seeds = [s + 1000 * seed for s in SEEDS]
    return [Case(f"training {n}", secret={"seed": torch.tensor(s)}, seed=s, show=False) for n, s in enumerate(seeds, 1)]


def _parts(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    X, y = _digits()
    rows = torch.randperm(len(X), generator=rng(seed))
    train, test = rows[:1347], rows[1347:]
    mean = X[train].mean(dim=0)
    return X[train] - mean, y[train], X[test] - mean, y[test]


def _train_script(case: Case) -> list[Call]:
    seed = int(case.secret["seed"])
    x, y, x_test, _ = _parts(seed)
    probe = torch.stack([torch.zeros(64), x[0], x[1], x[0] + x[1]])
    settings = {**SETTINGS, "seed": seed, "x": x, "y": y, "probe": probe, "held_out": x_test}
    return [Call("make_network", returns=(), repeat=False, then="train", settings=settings)]


def make_network() -> torch.nn.Module:
    """Return a new, untrained network from 64 inputs to 10 scores, with 6 hidden layers or more."""
    sizes = [64, 32, 32, 32, 32, 32, 32, 10]
    layers: list[torch.nn.Module] = []
    inputs = sizes[0]
    for outputs in sizes[1:]:
        linear = torch.nn.Linear(inputs, outputs)
        # This spread keeps the size of the signal from layer to layer.
        torch.nn.init.normal_(linear.weight, std=(2 / inputs) ** 0.5)
        torch.nn.init.zeros_(linear.bias)
        layers += [linear, torch.nn.LeakyReLU(0.1)]
        inputs = outputs
    return torch.nn.Sequential(*layers[:-1])  # scores, so no activation at the end


def build_stack(
    activation: Callable[[], nn.Module] | None,
    init: str = "default",
    *,
    depth: int = 6,
    width: int = 32,
    outputs: int = 10,
    last: Callable[[], nn.Module] | None = None,
) -> nn.Module:
    """Return a plain stack for the statement's table, the known mistakes and the other right answers."""
    sizes = [64, *[width] * depth, outputs]
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        linear = nn.Linear(a, b)
        if init != "default":
            std = {
                "he": (2 / a) ** 0.5,
                "xavier": (2 / (a + b)) ** 0.5,
                "small": 0.01,
                "large": 1.0,
                "zero": 0.0,
            }[init]
            nn.init.normal_(linear.weight, std=std)
            nn.init.zeros_(linear.bias)
        layers += [linear] if activation is None else [linear, activation()]
    if activation is not None:
        layers = layers[:-1]
    return nn.Sequential(*layers, *([last()] if last else []))


_shared: list[nn.Module] = []


def _one_network_for_all() -> nn.Module:
    if not _shared:
        _shared.append(make_network())
    return _shared[0]


BASELINES: dict[str, Callable[[], nn.Module]] = {
    "sigmoid, default start": lambda: build_stack(nn.Sigmoid),
    "ReLU, default start": lambda: build_stack(nn.ReLU),
    "tanh, default start": lambda: build_stack(nn.Tanh),
    "ELU, default start": lambda: build_stack(nn.ELU),
    "ReLU, all weights drawn with spread 1": lambda: build_stack(nn.ReLU, "large"),
}
"""What the statement's table shows; a test computes it again."""


def _network_facts(case: Case, trace: Trace) -> Observed:
    t, facts = trace.tensors, trace.facts
    seen = {
        "is a network": torch.tensor(facts.get("network.type") == "network"),
        "shared": torch.tensor(facts.get("network.shared") == "yes"),
    }
    if not seen["is a network"]:
        return seen
    labels = _parts(int(case.secret["seed"]))[3]
    seen |= {"shapes": t["shapes"], "start": t["start"], "twins": t["twins"]}
    if "scores" in t:
        accuracy = (t["scores"].argmax(dim=1) == labels).to(F64).mean()
        seen |= {"accuracy": accuracy, "loss": t["loss"]}
    return seen


def _deep_enough(o: Observed) -> bool:
    return len(o["shapes"]) >= 7


def _narrow_enough(o: Observed) -> bool:
    return bool((o["shapes"][:-1, 0] <= 32).all())


def _judge_network(case: Case, observed: Observed, expected: Observed) -> str | None:
    if not observed or not observed["is a network"]:
        return "make_network should return a torch.nn.Module."
    if not _deep_enough(observed):
        return f"6 hidden layers have 7 weight matrices with the output's; yours has {len(observed['shapes'])}."
    if not _narrow_enough(observed):
        widest = int(observed["shapes"][:-1, 0].max())
        return f"A hidden layer may have at most 32 units; your widest has {widest}."
    if "accuracy" not in observed:
        shape = tuple(observed["start"].shape)
        return f"The network should give 10 scores per picture; for 4 pictures yours gives the shape {shape}."
    if bool(observed["shared"]):
        return "make_network should build a new network in each call."
    if _linear(observed):
        return "The whole network is linear: there is no activation between its layers."
    got = observed["accuracy"].item()
    if got >= TARGET:
        return None
    return (
        f"On {case.name} your network is right for {got:.2f} of the held-out digits; {TARGET} is needed. "
        "Look at the spread of the activations layer by layer, before training: does it shrink, or grow?"
    )


def _every(test: Callable[[Observed], bool]) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        return all(bool(o) and bool(o["is a network"]) and test(o) for o in observed)

    return matches


def _some(test: Callable[[Observed], bool]) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        return any(bool(o) and bool(o["is a network"]) and test(o) for o in observed)

    return matches


def _linear(o: Observed) -> bool:
    if o["start"].shape != (4, 10):
        return False
    zero, a, b, both = o["start"].to(F64)
    spread = (a - zero).abs().max()
    return bool((a + b - zero - both).abs().max() <= 1e-4 * spread) and spread.item() > 1e-4


def _shares(o: Observed) -> bool:
    start = o["start"].to(F64)
    if start.shape != (4, 10):
        return False
    whole = torch.ones(4, dtype=F64)
    return bool((start >= 0).all()) and torch.allclose(start.sum(dim=1), whole, atol=1e-5)


def _never_moves(o: Observed) -> bool:
    return "loss" in o and bool(torch.isfinite(o["loss"]).all()) and o["loss"][-50:].mean().item() > 2.2


def _explodes(o: Observed) -> bool:
    if "loss" not in o:
        return False
    return not bool(torch.isfinite(o["loss"]).all()) or o["loss"][0].item() > 20


def _all_twins(o: Observed) -> bool:
    return bool(o["twins"].all())


def _network_scores(observed: Sequence[Observed]) -> str:
    return "accuracy in the trainings " + ", ".join(f"{o['accuracy'].item():.3f}" for o in observed)


@exercise("02.7", title="A deep and narrow network that learns", points=3)
class DeepNetwork:
    """Open-ended: choose activation and starting weights so that six hidden layers can be trained."""

    reference = make_network
    returns = ()
    script = _train_script
    needs_reference = False
    observe = _network_facts
    judge = _judge_network
    scores = _network_scores
    timeout = 60.0
    statement = r"""
        Six hidden layers, at most 32 units each, and a fixed training: that is enough to see what an
        activation does to the signal that passes through it.

        Write `make_network()`, without arguments. It returns a new, untrained `torch.nn.Module` that turns
        (N, 64) pixel values into (N, 10) scores for the digits 0 to 9, with at least 6 hidden layers and at
        most 32 units in each. Everything else is yours: the activation, the starting weights, what lies
        between the layers.

        The check trains it with plain gradient descent on cross-entropy: learning rate 0.1, 400 steps of 64
        digits (a bit under 20 epochs), on three different draws of 1,347 digits to train on and 450 held out.
        Pixels lie between 0 and 1 with the mean of the training rows subtracted. **Target: 0.9 of the
        held-out digits in each of the three trainings.**

        | Baseline (6 hidden layers of 32) | training 1 | training 2 | training 3 |
        |---|---|---|---|
        | sigmoid, default start | 0.10 | 0.10 | 0.09 |
        | ReLU, default start | 0.10 | 0.09 | 0.09 |
        | tanh, default start | 0.74 | 0.68 | 0.74 |
        | ELU, default start | 0.78 | 0.68 | 0.56 |
        | ReLU, all weights drawn with spread 1 | 0.09 | 0.12 | 0.13 |

        "Default start" is what `torch.nn.Linear` draws by itself. The check takes a few seconds.

        *Serves the objective: choose an activation for a deep network and say what goes wrong with the
        others.*
    """
    cases = _network_cases
    mistakes = (
        Mistake(
            "builds the network once and hands it out again",
            _one_network_for_all,
            "make_network gives the same network each time, so the second training starts from a trained "
            "one. Build a new one in each call.",
            _some(lambda o: bool(o["shared"])),
        ),
        Mistake(
            "has too few hidden layers",
            lambda: build_stack(nn.ReLU, "he", depth=3),
            "This network is not deep enough: 6 hidden layers are asked for, so 7 weight matrices. Shallow "
            "ones train easily, which is why they are not the task.",
            _every(lambda o: not _deep_enough(o)),
        ),
        Mistake(
            "has layers that are too wide",
            lambda: build_stack(nn.ReLU, "he", width=64),
            "A hidden layer of yours has more than 32 units. Width makes up for a poor start, which is why "
            "it is limited here.",
            _every(lambda o: _deep_enough(o) and not _narrow_enough(o)),
        ),
        Mistake(
            "has no activations",
            lambda: build_stack(None, "xavier"),
            "Your network is linear: f(a) + f(b) equals f(0) + f(a + b). However well it does here, its "
            "seven layers are one (exercise 02.5). Put an activation between them.",
            _every(_linear),
        ),
        Mistake(
            "ends in a softmax",
            lambda: build_stack(nn.LeakyReLU, "he", last=lambda: nn.Softmax(dim=-1)),
            "Your outputs are already probabilities, and the loss applies softmax to them once more: it "
            "cannot fall below 1.46 and learns slowly. Return scores and leave the softmax to the loss.",
            _every(_shares),
        ),
        Mistake(
            "starts all units of a layer alike",
            lambda: build_stack(nn.ReLU, "zero"),
            "All units of a layer start with the same weights, so they compute the same and receive the "
            "same gradient: they stay twins for ever. Draw the weights at random.",
            _every(_all_twins),
        ),
        Mistake(
            "loses the signal on the way",
            lambda: build_stack(nn.Sigmoid),
            "The loss stays near 2.3, which is log 10: guessing. Through seven layers the differences "
            "between pictures shrink until the last layer sees the same for all of them. Print the spread "
            "of the activations per layer, at the start.",
            _every(lambda o: _never_moves(o) and not _explodes(o)),
        ),
        Mistake(
            "starts with weights that are too large",
            lambda: build_stack(nn.ReLU, "large"),
            "The first loss is already huge: each layer multiplies the signal. Starting weights should be "
            "smaller the more inputs a unit has.",
            _every(_explodes),
        ),
    )
    alternatives: ClassVar = {
        "ReLU, He start": lambda: build_stack(nn.ReLU, "he"),
        "tanh, Xavier start": lambda: build_stack(nn.Tanh, "xavier"),
        "SiLU, He start": lambda: build_stack(nn.SiLU, "he"),
        "ELU, He start": lambda: build_stack(nn.ELU, "he"),
    }
    hints = (
        "Build a plain stack with ReLU, send the pixels of a few digits through it and print the standard "
        "deviation after each layer.",
        "The default start makes weights too small for a ReLU. To keep the spread, a unit with n inputs "
        "needs weights with a spread of about sqrt(2 / n).",
        "For each Linear: `torch.nn.init.normal_(linear.weight, std=(2 / inputs) ** 0.5)` and biases at 0; "
        "then ReLU, leaky ReLU or ELU.",
    )
