"""What goes wrong with a cross-entropy from logits for one of the two ways to write targets (exercise 04.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case

Loss = Callable[[Tensor, Tensor], Tensor]
Each = Callable[[Tensor], Tensor]
Of = Callable[[Each], Loss]

CODINGS: Mapping[str, Loss] = {"0 and 1": lambda z, t: (1 - 2 * t) * z, "-1 and 1": lambda z, t: -t * z}
"""How targets are written, and how far a logit then lies on the wrong side of 0."""
WRONG = ("a logit of -1000 and the target 1", "a logit of 1000 and the other target")
SMALL = ("small losses in bfloat16, target 1", "small losses in bfloat16, the other target")
"""The names of cases by which mistakes are recognised."""


def stable(w: Tensor) -> Tensor:
    """Return log(1 + exp(w)) for every entry."""
    return torch.logaddexp(w, torch.zeros_like(w))


def outs(cases: Sequence[Case], observed: Sequence[Observed]) -> dict[str, float]:
    """Return the losses that came out, by the names of their cases."""
    return {c.name: o["out"].item() for c, o in zip(cases, observed) if "out" in o and o["out"].dim() == 0}


def of_zero_and_one(of: Of) -> list[Mistake]:
    """Return what goes wrong with targets of 0 and 1 alone."""
    return [
        Mistake(
            "takes the logarithm of the right answer's probability",
            of(lambda w: -torch.log(torch.sigmoid(-w))),
            "All is right up to some size of the logit. Examples that are sure and wrong cost inf, and their gradient is nan.",
            "The probability of the right answer is so small that it is stored as 0, and the logarithm of 0 is minus "
            "infinity. The logit it came from was an ordinary number.",
            "Write the logarithm of the sigmoid out on paper. What is left of the fraction when the logarithm is taken?",
        ),
        Mistake(
            "takes the second formula as it stands",
            lambda z, t: ((1 - t) * z + torch.log(1 + torch.exp(-z))).mean(),
            "Your loss is infinite where a logit is very negative, even where that logit is sure and right.",
            "exp(-z) is infinite there in float32. On paper the large terms cancel. The machine has met infinity before it "
            "comes to the difference.",
            "Print exp(-z) for z = -1000. Take the large part out of the logarithm on paper, and see what it cancels with.",
        ),
        Mistake(
            "takes both logarithms and picks one",
            lambda z, t: torch.where(t > 0.5, -torch.sigmoid(z).log(), -(1 - torch.sigmoid(z)).log()).mean(),
            "Sure and wrong examples cost inf, those with the target 0 already at a logit of 20, and gradients hold nan.",
            "A probability near 1 is rounded to 1, and 1 minus it is 0, whose logarithm is infinite. The choice comes too "
            "late: going back, the other branch is multiplied by 0, and 0 times inf is nan.",
            "Print 1 - p for z = 20. What is 1 minus a sigmoid as another sigmoid, and what is the logarithm of that on paper?",
        ),
        Mistake(
            "counts the corner at 0 in full",
            lambda z, t: (z.clamp(min=0) - t * z + torch.log1p(torch.exp(-z.abs()))).mean(),
            "All values are right. At a logit of exactly 0 the gradient is 1 for the target 0 and none for the target 1.",
            "The chapter's form has corners at 0 in two of its pieces. Autograd counts the slope of `clamp` there as 1 and "
            "that of `abs` as 0, and on paper they would meet halfway.",
            "Differentiate `z.clamp(min=0)` alone at 0, and then `z.abs()`. Which slope would the first have to have there?",
        ),
        Mistake(
            "loses small losses, and counts the corner at 0 in full",
            lambda z, t: (z.clamp(min=0) - t * z + torch.log(1 + torch.exp(-z.abs()))).mean(),
            "A small loss came out as exactly 0. And at a logit of exactly 0 one of the two targets gets no gradient.",
            "1 + e rounds a small e away before the logarithm sees it. And `clamp` and `abs` have corners at 0, at which "
            "autograd takes slopes that do not belong together.",
            "Mend the value first: how is the logarithm of 1 + e taken for a tiny e? Then look at each piece's slope at 0.",
        ),
        Mistake(
            "leaves the corner at 0 out",
            lambda z, t: (torch.relu(z) - t * z + torch.log1p(torch.exp(-z.abs()))).mean(),
            "All values are right. At a logit of exactly 0 the gradient is none for the target 0 and -1 for the target 1.",
            "`relu` and `abs` have corners at 0, and autograd takes both slopes there as 0. What is left is the middle term "
            "alone.",
            "Differentiate each of your three terms alone, at 0 and on both sides of it. Where does the sum of them jump?",
        ),
        Mistake(
            "loses small losses, and leaves the corner at 0 out",
            lambda z, t: (torch.relu(z) - t * z + torch.log(1 + torch.exp(-z.abs()))).mean(),
            "A small loss came out as exactly 0. And at a logit of exactly 0 the gradient is that of the middle term alone.",
            "1 + e is rounded to 1 where e is small. And the corners of `relu` and `abs` at 0 have the slope 0 for autograd, "
            "where the loss itself has no corner.",
            "Two things to look at, one after the other: 1 + e for the smallest e you meet, and the slope of each term at 0.",
        ),
        Mistake(
            "forgets the other answer",
            lambda z, t: (t * stable(-z)).mean(),
            "Examples with the target 0 cost nothing in your result, however wrong they are.",
            "The term with t is 0 for them, and the term with 1 - t is missing. A network that always says yes would be "
            "perfect.",
            "Put t = 0 into your formula. What is left, and what should the loss then look at?",
        ),
        Mistake(
            "takes logits for probabilities",
            lambda z, t: -(t * z.log() + (1 - t) * (1 - z).log()).mean(),
            "Your loss holds nan, already for logits of moderate size: the logarithm of a negative number has no value.",
            "A logit may be any number and is put into a logarithm as if it were a probability. What makes a probability of "
            "it is missing.",
            "What turns a logit into a number between 0 and 1? Put that into the formula on paper, and simplify.",
        ),
        Mistake(
            "reads the targets as -1 and 1",
            lambda z, t: stable(-t * z).mean(),
            "Examples with the target 0 all cost the same, log 2, whatever the logit is, and get no gradient.",
            "The short form log(1 + exp(-t z)) belongs to targets of -1 and 1. With t = 0 the logit is multiplied away.",
            "Put t = 0 into your exponent. Which factor is 1 for one target and -1 for the other?",
        ),
    ]


def of_minus_and_plus_one(of: Of) -> list[Mistake]:
    """Return what goes wrong with targets of -1 and 1 alone."""
    return [
        Mistake(
            "reads the targets as 0 and 1",
            lambda z, t: (stable(z) - t * z).mean(),
            "Examples with the target 1 are right. Those with -1 cost too much, and are pulled on even when they are right.",
            "The form with a term of -t z is made for targets of 0 and 1. With t = -1 it pulls once more by the whole logit.",
            "Put t = -1 and a logit of -5 into your formula: sure and right. What should it cost, and what does it?",
        ),
        Mistake(
            "takes the hinge",
            of(lambda w: torch.clamp(1 + w, min=0)),
            "Examples that are right by 1 or more cost nothing, and at a logit of 0 your loss is 1.",
            "This is the hinge loss, a straight line with a corner at t z = 1. It has another curve and is the logarithm of "
            "no probability.",
            "Draw both over t z from -3 to 3. Where does the formula of the task bend, and does it ever reach 0?",
        ),
        Mistake(
            "leaves the targets out",
            lambda z, t: stable(-z).mean(),
            "Examples with the target 1 are right. For the others your loss asks for the opposite answer.",
            "The target does not enter the exponent, so every example is treated as one with the target 1.",
            "Change one target from 1 to -1 and call your function again. Which line should have made a difference?",
        ),
    ]
