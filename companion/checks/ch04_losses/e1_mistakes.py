"""What goes wrong with a cross-entropy from logits (exercise 04.1), and what to say about it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.ch04_losses.e1_targets import (
    CODINGS,
    WRONG,
    Each,
    Loss,
    Of,
    of_minus_and_plus_one,
    of_zero_and_one,
    outs,
    stable,
)
from companion.checks.trace import Case


def mistakes_of(coding: str) -> list[Mistake]:
    """Return the known mistakes for one way to write targets."""
    wrong, yes = CODINGS[coding], (lambda t: t) if coding == "0 and 1" else (lambda t: (t + 1) / 2)

    def of(each: Each) -> Loss:
        """Return the mean of a function of how far each logit lies on the wrong side."""
        return lambda z, t: each(wrong(z, t)).mean()

    def naive(z: Tensor, t: Tensor) -> Tensor:
        if coding == "-1 and 1":
            return torch.log(1 + torch.exp(-t * z))
        p = torch.sigmoid(z)
        return -(t * p.log() + (1 - t) * (1 - p).log())

    own = of_zero_and_one(of) if coding == "0 and 1" else of_minus_and_plus_one(of)
    return [
        *_breaks(of, naive),
        *_cut_off(of, yes),
        *_slopes_at_zero(of),
        *_small(of, wrong),
        *_formulas(of, naive, wrong),
        _squared(yes),
        *own,
    ]


def _clamped(w: Tensor) -> Tensor:
    return w.clamp(min=0) + torch.log1p(torch.exp(-w.abs()))


# -- recognised by more than equal numbers -----------------------------------------------------------


def _limit(cases: Sequence[Case], observed: Sequence[Observed]) -> float:
    """Return at which number the loss of a sure and wrong example stops, 0 if it does not or if more is wrong."""
    found = outs(cases, observed)
    example, top = found.get("the two examples worked out", math.inf), found.get(WRONG[0], math.inf)
    return top if abs(example - 0.72009) < 0.02 and 4 < top < 99 else 0.0


def _stops_at_a_logit(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    top = _limit(cases, observed)
    return top > 0 and any(abs(top - math.log1p(math.exp(n))) < 1e-5 * top for n in (round(top), round(2 * top) / 2))


def _stops_at_a_padding(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    return _limit(cases, observed) > 0 and not _stops_at_a_logit(cases, observed)


# -- the mistakes --------------------------------------------------------------------------------------


def _breaks(of: Of, naive: Loss) -> list[Mistake]:
    return [
        Mistake(
            "takes the formula as it stands",
            lambda z, t: naive(z, t).mean(),
            "For logits of moderate size all is right. Far out your loss is infinite or nan, and so is its gradient.",
            "An exponential of 1000 is infinite, and a probability that has been rounded to 0 or 1 leaves the logarithm "
            "a 0. What the logit was cannot be got back from that.",
            "Print each intermediate result for z = -1000 and z = 1000. Which is the first that has lost its size? Could "
            "you simplify the formula on paper before that step?",
        ),
        Mistake(
            "lets the exponential overflow",
            of(lambda w: torch.log1p(torch.exp(w))),
            "Examples that are sure and wrong cost inf, and their gradient is nan. Everything else is right.",
            "Where the logit is far on the wrong side your exponent is large and positive, and an exponential above about 88.7 "
            "is infinite in float32.",
            "How large is log(1 + exp(u)) for u = 1000, nearly? Which part of it can be taken out, so that what stays in the "
            "exponent is negative?",
        ),
        Mistake(
            "replaces nan and inf afterwards",
            lambda z, t: torch.nan_to_num(naive(z, t)).mean(),
            "There is no nan or inf in your values any more, but sure and wrong examples cost an absurd amount.",
            "The overflow has happened before: what you put in its place is a number of your own, the largest that there "
            "is or a 0, and no gradient comes through it.",
            "Print the first intermediate result that is infinite for z = 1000. What could that line be given instead?",
        ),
        Mistake(
            "computes in float64",
            lambda z, t: naive(z.double(), t.double()).mean(),
            "The result has the dtype float64 although the logits came in another: print `.dtype` of both.",
            "Twice the digits move the overflow and do not cure it: in float64 exp is infinite from about 709.8 on, and "
            "logits of 1000 go beyond that.",
            "Try exp(1000) in float64 as well. Which exponents does the loss need at all, if you take the large part out?",
        ),
    ]


def _cut_off(of: Of, yes: Each) -> list[Mistake]:
    def padded(z: Tensor, t: Tensor) -> Tensor:
        p, y = torch.sigmoid(z), yes(t)
        return -(y * (p + 1e-7).log() + (1 - y) * (1 - p + 1e-7).log()).mean()

    return [
        Mistake(
            "pads the logarithm",
            padded,
            "Nothing is infinite, but a sure and wrong example costs a fixed amount at most, and no gradient comes back "
            "from it.",
            "A tiny number inside the logarithm, or a probability that is cut off, caps the loss. Beyond the cap a change of "
            "the logit changes nothing: those that are most wrong learn nothing.",
            "Print the slope of your loss at z = -5, -20 and -40 with the target 1. Then look for a form without any "
            "probability in it.",
            matches=_stops_at_a_padding,
        ),
        Mistake(
            "cuts the logit off",
            of(lambda w: stable(w.clamp(-30, 30))),
            "Nothing is infinite, but beyond some logit the loss stays the same, and the gradient there is 0.",
            "`clamp` hands on the limit in place of the logit, and autograd takes the slope of what was cut off as 0. A "
            "sure and wrong example is then not pulled back at all.",
            "What should a logit of 1000 on the wrong side cost, and what of -2000? Look for a form that needs no limit.",
            matches=_stops_at_a_logit,
        ),
        Mistake(
            "leaves the curve out",
            of(lambda w: torch.where(w > 0, w, 0.0)),
            "Far out your loss is right. Near 0 it is too small, and examples on the right side cost nothing at all.",
            "What is left is the straight part alone. The logarithm that rounds its corner is small far out, and near a "
            "logit of 0 it is the whole loss.",
            "What does a logit of 0 cost by the formula of the task, and what by your code? Which term is missing?",
        ),
    ]


def _slopes_at_zero(of: Of) -> list[Mistake]:
    return [
        Mistake(
            "doubles the gradient at 0",
            of(_clamped),
            "All values are right. At a logit of exactly 0 the gradient is twice as large as it should be.",
            "Your pieces have corners at 0. Autograd counts the slope of `clamp` there in full and that of `abs` as 0, and "
            "the two no longer add up to the slope of the sum.",
            "Differentiate each of your two terms alone at 0 and at 0.001. Which one jumps, and what else could choose the "
            "positive part?",
        ),
        Mistake(
            "loses the gradient at 0",
            of(lambda w: torch.relu(w) + torch.log1p(torch.exp(-w.abs()))),
            "All values are right. At a logit of exactly 0 no gradient comes back, as if nothing could be gained there.",
            "Your pieces have corners at 0, and autograd takes the slope of `relu` and of `abs` there as 0. The loss itself "
            "has no corner.",
            "Differentiate each of your two terms alone at 0 and at 0.001. How can the exponent be minus the size of u and "
            "still have a slope at 0?",
        ),
    ]


def _with_1_plus_e(w: Tensor) -> Tensor:
    above = torch.where(w > 0, w, 0.0)
    return torch.log(1 + torch.exp(w - 2 * above)) + above


def _small(of: Of, wrong: Loss) -> list[Mistake]:
    return [
        Mistake(
            "loses small losses",
            of(_with_1_plus_e),
            "Large logits are right, and a small loss came out as exactly 0, as if the answer could not be better.",
            "A small e is added to 1 and lost in the rounding: the sum is stored as 1, and the logarithm of 1 is 0. In "
            "`logsumexp` the same happens where you cannot see it.",
            "Print 1 + e for the e of this case. Which function of torch takes the logarithm of 1 + e without making the "
            "sum first?",
        ),
        Mistake(
            "loses small losses, and adds up",
            lambda z, t: _with_1_plus_e(wrong(z, t)).sum(),
            "With several examples your loss is too large. And a small loss came out as exactly 0.",
            "You return the sum of the losses, which grows with N. And a small e is lost where it is added to 1, because the "
            "sum is stored as 1.",
            "Mend the reduction first, with two equal examples. Then print 1 + e for a tiny e, before its logarithm is taken.",
        ),
        Mistake(
            "loses small losses, and doubles the gradient at 0",
            of(lambda w: w.clamp(min=0) + torch.log(1 + torch.exp(-w.abs()))),
            "A small loss came out as exactly 0. And at a logit of exactly 0 the gradient is twice what it should be.",
            "Two things at once: 1 + e rounds a small e away before the logarithm sees it, and the corners of `clamp` and "
            "`abs` at 0 have slopes that do not belong together.",
            "Begin with the value: print 1 + e for a small e. Then differentiate each of your terms alone at 0.",
        ),
        Mistake(
            "loses small losses, and loses the gradient at 0",
            of(lambda w: torch.relu(w) + torch.log(1 + torch.exp(-w.abs()))),
            "A small loss came out as exactly 0. And at a logit of exactly 0 no gradient comes back.",
            "The sum 1 + e is stored as 1 where e is small. And `relu` and `abs` have corners at 0, where autograd takes their "
            "slopes as 0.",
            "Mend one after the other: the logarithm of 1 + e for a tiny e, and then the slope of the exponent at 0.",
        ),
    ]


def _formulas(of: Of, naive: Loss, wrong: Loss) -> list[Mistake]:
    return [
        Mistake(
            "adds up",
            lambda z, t: stable(wrong(z, t)).sum(),
            "With a single example your loss is right. With several it is too large, and so are the gradients.",
            "You return the sum. It grows with the number of examples, so that the same learning rate takes larger steps "
            "in a larger batch.",
            "Hand in the same example once and twice. Should the loss of two equal examples be larger than that of one?",
        ),
        Mistake(
            "takes the formula as it stands, and adds up",
            lambda z, t: naive(z, t).sum(),
            "With several examples your loss is too large, and at logits of 1000 it is infinite or nan.",
            "You return the sum of the losses, which grows with N. And the formula is written as on paper, with an "
            "exponential that overflows or a logarithm that meets a 0.",
            "Mend the reduction first, with two equal examples. Then print the intermediate results for a logit of 1000.",
        ),
        Mistake(
            "turns the sign",
            of(lambda w: -stable(w)),
            "Your loss has the right size and is below 0: the worse the answer, the lower it is.",
            "The logarithm of a probability is negative. The minus before it turns that into a cost, and here it is missing "
            "or there twice.",
            "Training makes the loss small. Which of two answers would yours prefer, the good or the bad one?",
        ),
        Mistake(
            "exchanges the targets",
            of(lambda w: stable(-w)),
            "Sure and right answers cost a lot in your result, and sure and wrong ones nothing.",
            "The two targets have changed places, or a sign before z is turned: your loss asks for the opposite answer.",
            "Follow z = 2 with the target 1 through your code by hand. Is the logit on the side of the target, and is the "
            "result small?",
        ),
        Mistake(
            "bends the logits first",
            lambda z, t: stable(wrong(torch.sigmoid(z), t)).mean(),
            "Your loss lies between 0.3 and 1.4 for every logit, even where an answer is sure and right or sure and wrong.",
            "A sigmoid comes before a loss that has one inside. What enters it lies between 0 and 1, so no answer can be sure.",
            "How many sigmoids does your code hold, the one inside the formula counted? How many does the task hold?",
        ),
    ]


def _squared(yes: Each) -> Mistake:
    return Mistake(
        "squares the distance of the probability",
        lambda z, t: (torch.sigmoid(z) - yes(t)).square().mean(),
        "Your loss is never above 1, and where an answer is sure and wrong its gradient is 0.",
        "This is the squared error of a probability. Its slope holds the slope of the sigmoid, which is flat far out, and no "
        "logarithm undoes that.",
        "What does an answer cost that gives the truth a probability of one in a million? Compare the formula of the task.",
    )
