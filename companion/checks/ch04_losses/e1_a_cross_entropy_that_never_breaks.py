"""Exercise 04.1: a cross-entropy that never breaks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed, Parameter, Property, exercise, per_variant, rng
from companion.checks.ch04_losses.e1_mistakes import mistakes_of
from companion.checks.ch04_losses.e1_targets import CODINGS, SMALL, WRONG, Loss
from companion.checks.numbers import F64, vector
from companion.checks.trace import Case


def _zero_or_one() -> Loss:
    def bce_from_logits(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the mean binary cross-entropy of logits (N,) with targets 0 or 1 (N,), exact for every logit."""
        wrong = (1 - 2 * targets) * logits  # how far the logit lies on the wrong side of 0
        above = torch.where(wrong > 0, wrong, 0.0)
        small = torch.exp(wrong - 2 * above)  # the exponent is minus the size of the logit, so small is at most 1
        return (above + torch.log1p(small)).mean()

    return bce_from_logits


def _minus_or_plus_one() -> Loss:
    def bce_from_logits(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the mean of log(1 + exp(-t z)) of logits (N,) with targets -1 or 1 (N,), exact for every logit."""
        wrong = -targets * logits  # how far the logit lies on the wrong side of 0
        above = torch.where(wrong > 0, wrong, 0.0)
        small = torch.exp(wrong - 2 * above)  # the exponent is minus the size of the logit, so small is at most 1
        return (above + torch.log1p(small)).mean()

    return bce_from_logits


def _by_logaddexp(coding: str) -> Loss:
    def bce(z: Tensor, t: Tensor) -> Tensor:
        wrong = CODINGS[coding](z, t)
        return torch.logaddexp(wrong, torch.zeros_like(wrong)).mean()

    return bce


def _by_maximum(coding: str) -> Loss:
    """Return the sum of two pieces: of two equal numbers `maximum` sends half of the slope to each."""

    def bce(z: Tensor, t: Tensor) -> Tensor:
        wrong = CODINGS[coding](z, t)
        return (torch.maximum(wrong, torch.zeros_like(wrong)) + torch.log1p(torch.exp(-z.abs()))).mean()

    return bce


def _by_three_terms(z: Tensor, t: Tensor) -> Tensor:
    return (torch.max(z, torch.tensor(0.0)) - t * z + torch.log1p(torch.exp(-abs(z)))).mean()


def _by_loop(coding: str) -> Loss:
    def bce(z: Tensor, t: Tensor) -> Tensor:
        total = torch.zeros_like(z[0])
        for w in CODINGS[coding](z, t):
            total = total + (w + torch.log1p(torch.exp(-w)) if w > 0 else torch.log1p(torch.exp(w)))
        return total / len(z)

    return bce


def _by_both_answers(coding: str) -> Loss:
    def bce(z: Tensor, t: Tensor) -> Tensor:
        yes, zero = (t > 0).to(z.dtype), torch.zeros_like(z)
        return (yes * torch.logaddexp(zero, -z) + (1 - yes) * torch.logaddexp(zero, z)).sum() / z.numel()

    return bce


def _cases_of(no: float) -> Callable[[int], list[Case]]:
    def case(name: str, logits: Tensor, *targets: float, example: bool = False) -> Case:
        args = {"logits": logits, "targets": vector(*targets, dtype=logits.dtype)}
        # In bfloat16 the slopes of a right answer's terms may cancel otherwise than its values: those are asked alone.
        return Case(name, args, grad=("logits",) if logits.dtype != torch.bfloat16 else (), example=example)

    def drawn(seed: int, n: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        g = rng(seed)
        logits = 3 * torch.randn(n, 2, generator=g, dtype=F64) + 0.5
        yes = torch.rand(n, 2, generator=g, dtype=F64) < 0.4
        yes[:2] = torch.tensor([[True], [False]])  # both targets, whatever is drawn
        return logits.to(dtype), torch.where(yes, 1.0, no).to(dtype)

    def cases(seed: int) -> list[Case]:
        half = torch.bfloat16
        logits, targets = drawn(2 * seed, 7, F64)
        gaps, its = drawn(2 * seed + 1, 5, torch.float32)
        return [
            case("the two examples worked out", vector(2.0, -1.0), 1.0, 1.0, example=True),
            case("logits that are exactly 0", vector(0.0, 0.0, 1.0), 1.0, no, no),
            case(WRONG[0], vector(-1000.0), 1.0),
            case(WRONG[1], vector(1000.0), no),
            case("logits of 1000 and -1000 on the right side", vector(1000.0, -1000.0), 1.0, no),
            case("logits of 20, -40 and 95 on the wrong side", vector(20.0, -40.0, 95.0), no, 1.0, no),
            case(SMALL[0], vector(9.0, 10.0, dtype=half), 1.0, 1.0),
            case(SMALL[1], vector(-9.5, -10.0, dtype=half), no, no),
            Case("seven examples in float64", {"logits": logits[:, 0], "targets": targets[:, 0]}, grad=("logits",)),
            Case("five examples, with gaps in memory", {"logits": gaps[:, 0], "targets": its[:, 0]}, grad=("logits",)),
        ]

    return cases


def _is(name: str, low: float, high: float) -> Callable[[Case, Observed], bool]:
    """Return whether the loss of one case lies between two numbers; every other case passes."""

    def holds(case: Case, observed: Observed) -> bool:
        return case.name != name or "out" not in observed or low <= observed["out"].item() <= high

    return holds


_PROPERTIES = (
    Property(
        "no loss is below 0",
        lambda case, o: "out" not in o or not bool((o["out"] < -1e-6).any()),
        "Your loss is below 0.",
        "A probability is at most 1, so its logarithm is at most 0, and minus that is never below 0.",
        "Which sign stands before your logarithm, and can what is inside it be larger than 1?",
    ),
    *(
        Property(
            f"it grows with the logit, with {name}",
            _is(name, 999.0, 1001.0),
            "An example that is sure and wrong does not cost what its logit says.",
            "Far on the wrong side the loss is a straight line: one more in the logit costs one more.",
            "Go through your code with this one logit. After which line is its size gone?",
        )
        for name in WRONG
    ),
    *(
        Property(
            f"a small loss stays, with {name}",
            _is(name, 1e-5, 1e-3),
            "A sure and right answer, with a small loss of its own, came out as 0 or far from what it is.",
            "bfloat16 keeps about three digits. A small number that is added to a large one, or taken off it, is lost there.",
            "Print each intermediate result for this input: where does the small number stand beside a large one?",
        )
        for name in SMALL
    ),
    Property(
        "being sure and right is free",
        _is("logits of 1000 and -1000 on the right side", -1e-6, 1e-6),
        "Examples that are sure and right cost something in your result.",
        "A logit of 1000 on the right side is a probability of 1, and the logarithm of 1 is 0.",
        "Print what each of the two examples costs. Which term is left over?",
    ),
)


@exercise(
    "04.1",
    title="A cross-entropy that never breaks",
    points=2,
    parameters=({"coding": "0 and 1"}, {"coding": "-1 and 1"}),
)
class CrossEntropyFromLogits:
    """Value and gradient of binary cross-entropy for every logit."""

    name = "bce_from_logits"
    read = "Logits and the stable form"
    properties = _PROPERTIES
    forbidden = dict.fromkeys(
        (
            "nn.functional.binary_cross_entropy_with_logits",
            "nn.functional.binary_cross_entropy",
            "nn.functional.soft_margin_loss",
            "nn.functional.multilabel_soft_margin_loss",
            "nn.functional.cross_entropy",
            "nn.functional.logsigmoid",
            "nn.functional.softplus",
            "nn.functional.log_softmax",
            "log_softmax",
            "Tensor.log_softmax",
            "special.log_softmax",
            "binary_cross_entropy_with_logits",
            "_C._nn.log_sigmoid",
            "_C._nn.softplus",
            "_C._nn.soft_margin_loss",
        ),
        "It holds the stable form ready-made. Build it from exp and log1p, or from logaddexp: the point is where it breaks.",
    )

    @per_variant
    def reference(p: Parameter) -> Loss:
        """Return the loss for this variant's targets."""
        return _zero_or_one() if p["coding"] == "0 and 1" else _minus_or_plus_one()

    @per_variant
    def statement(p: Parameter) -> str:
        """Return the task with this variant's targets and formula."""
        no = "0" if p["coding"] == "0 and 1" else "-1"
        formula = (
            r"-t \log \sigma(z) - (1 - t) \log\bigl(1 - \sigma(z)\bigr) = (1 - t)\,z + \log\left(1 + e^{-z}\right)"
            if no == "0"
            else r"-\log \sigma(t\,z) = \log\left(1 + e^{-t z}\right)"
        )
        return rf"""
        A logit $z$ and a target $t$, which is **{no} or 1**, cost

        $${formula}$$

        Write `bce_from_logits(logits, targets)`. Both have the shape (N,) and the same dtype, and the result is the **mean**
        over the N examples, a tensor without axes and of that dtype. Your function should keep three promises, which no
        formula above keeps as it stands:

        * logits of 1000 and of -1000 give the right loss in float32, neither `inf` nor `nan` nor a number cut off;
        * the gradient by each logit is right as well: of full size where the answer is sure and wrong, and also at exactly
          $z = 0$, where a function with a corner such as `abs`, `relu` or `clamp` has another slope for autograd;
        * a small loss stays what it is. A logit of 20 on the right side costs $2 \cdot 10^{{-9}}$ and not 0. The check asks
          this in bfloat16, the short numbers in which large networks are trained: there $1 + e$ is 1 for every e below 0.004.

        Do not call a ready-made loss, `logsigmoid` or `softplus`. `exp`, `log1p` and `logaddexp` are allowed.

        Example: the logits `[2, -1]` with the targets `[1, 1]`. The first costs $\log(1 + e^{{-2}}) = 0.127$, the second
        $\log(1 + e^{{1}}) = 1.313$, and the result is 0.720.
        """

    @per_variant
    def cases(p: Parameter) -> Callable[[int], list[Case]]:
        """Return the same logits with this variant's targets."""
        return _cases_of(0.0 if p["coding"] == "0 and 1" else -1.0)

    @per_variant
    def mistakes(p: Parameter) -> list[Mistake]:
        """Return the known mistakes with this variant's targets."""
        return mistakes_of(p["coding"])

    @per_variant
    def alternatives(p: Parameter) -> dict[str, Loss]:
        """Return other right answers for this variant's targets."""
        c = p["coding"]
        return {
            "logaddexp": _by_logaddexp(c),
            "maximum and abs": _by_maximum(c),
            **({"the chapter's form, with maximum": _by_three_terms} if c == "0 and 1" else {}),
            "loop over examples": _by_loop(c),
            "both answers, one counted": _by_both_answers(c),
        }

    @per_variant
    def hints(p: Parameter) -> tuple[str, ...]:
        """Return hints that fit the targets."""
        factor = "1 - 2t" if p["coding"] == "0 and 1" else "-t"
        return (
            "Print `torch.exp` of 1000 and of -1000. Which of the two is harmless, and which does your formula meet?",
            f"Let u be ({factor}) z: positive on the wrong side, negative on the right one. The loss is log(1 + exp(u)). "
            "Take the large part out of it, so that no exponent is above 0.",
            "log(1 + exp(u)) is max(u, 0) plus `log1p` of exp(-|u|). To have the right slope at 0, choose with "
            "`torch.where(u > 0, u, 0.0)` and write -|u| as u minus twice that. Or look up `torch.logaddexp`.",
        )
