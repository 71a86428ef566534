"""Steps on a loss of one weight (exercise 06.5): the regimes, wrong numbers of steps, and what to say about each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case


@dataclass(frozen=True)
class Regime:
    """A curvature and a rate, with what is asked about the steps.

    Args:
        curvature: of the loss.
        rate: of the steps.
        start: where they begin, which the answer does not depend on.
        times: by how many times the distance is to shrink, or to grow where the steps run away.
        question: what is asked, in words that follow "for the first time".
    """

    curvature: float
    rate: float
    start: float
    times: float
    question: str

    @property
    def factor(self) -> float:
        """By what a step multiplies the weight."""
        return 1 - self.rate * self.curvature

    @property
    def runs_away(self) -> bool:
        """Whether the distance grows."""
        return abs(self.factor) > 1

    def exactly(self, factor: float, times: float = 0.0) -> float:
        """Return how many steps by a factor change the distance so many times, not rounded."""
        return math.log(times or self.times) / abs(math.log(abs(factor)))

    def steps(self) -> int:
        """Return the first whole number of steps that is enough."""
        return math.ceil(self.exactly(self.factor))


REGIMES = {
    "swinging": Regime(8.0, 0.23, 5.0, 1e3, "nearer to 0 than a thousandth of where it started"),
    "creeping": Regime(0.4, 0.075, 3.0, 1e3, "nearer to 0 than a thousandth of where it started"),
    "diverging": Regime(10.0, 0.215, 3.0, 1e3, "more than a thousand times as far from 0 as where it started"),
    "right": Regime(3.0, 0.2, 20.0, 1e9, "nearer to 0 than a billionth (1e-9) of where it started"),
}
"""By the variant's parameter."""
EXAMPLE = Regime(2.0, 0.1, 7.0, 1e3, "nearer to 0 than a thousandth of where it started").steps()
"""What the statement works out, and the answer to none of the variants."""


def _wrong_numbers(r: Regime) -> dict[str, int]:
    """Return wrong numbers of steps by the mistake that leads to them."""
    exact, way = r.exactly(r.factor), r.rate * r.curvature
    from_1 = r.times / r.start if r.runs_away else r.times * r.start
    if (
        r.factor < 0 and not r.runs_away
    ):  # one step, and w is below every goal: so it is for steps that are equally long
        last = {"looks at w and not at its distance from 0": 1}
    else:
        last = {"makes all steps equally long": math.ceil((r.times - 1 if r.runs_away else 1 - 1 / r.times) / way)}
    return {
        "stops a step too early": math.floor(exact),
        "asks about the loss": math.ceil(exact / 2),
        "stops a step too early, and asks about the loss": math.floor(exact / 2),
        "counts the start as a step": math.ceil(exact) + 1,
        "mixes two kinds of logarithm": math.ceil(exact / math.log(10)),
        "forgets the half of the loss": math.ceil(r.exactly(1 - 2 * way)),
        "forgets the 1 of the factor": math.ceil(r.exactly(way)),
        "goes uphill": math.ceil(r.exactly(1 + way)),
        "lets the distance shrink without steps": math.ceil(math.log(r.times) / way),
        "measures from 1 and not from the start": math.ceil(r.exactly(r.factor, from_1)),
        "forgets the curvature": math.ceil(r.exactly(1 - r.rate)),
        "counts the half of the loss twice": math.ceil(r.exactly(1 - way / 2)),
        "stops a step too early, and measures from 1 and not from the start": math.floor(r.exactly(r.factor, from_1)),
        **last,
    }


_SAID = {
    "counts the start as a step": (
        "Your number is too large by one: a step less is enough already.",
        "You counted the places and not the steps between them, or took one more after the goal was reached. The start is the "
        "place after 0 steps.",
        "How many steps have been taken when w stands where it started? Which number does your code begin to count at?",
    ),
    "stops a step too early": (
        "Your number is too small by one: after so many steps the distance asked for is not reached yet.",
        "The logarithms give a number with decimals, and it was rounded down. Half a step cannot be taken, so the next whole one "
        "is needed.",
        "Compute the size of the factor to the power of your number. On which side of the share asked for does it lie?",
    ),
    "asks about the loss": (
        "Your number is half of what it should be: so many steps are enough for the loss, and not for the distance.",
        "The loss goes with the square of the distance, so it shrinks or grows by the square of the factor. The question is about w.",
        "By what is w multiplied in a step, and by what is w²? Which of the two did you put into your logarithm?",
    ),
    "stops a step too early, and asks about the loss": (
        "Your number is less than half of what it should be.",
        "Two things at once: the factor was squared, as for the loss, and the number of steps was rounded down.",
        "Begin with the factor of w alone. Then put your number into its power: is the distance asked for reached?",
    ),
    "mixes two kinds of logarithm": (
        "Your number is too small by a factor of about 2.3.",
        "One of your two logarithms has base 10, and the other has base e. In their ratio the base cancels if it is the same.",
        "What does `math.log` use as its base, and what `math.log10`? Take one of them for both.",
    ),
    "forgets the half of the loss": (
        "Your factor belongs to a bowl that is twice as steep as the one in the question.",
        "The slope of ½ λ w² is λ w: the 2 that comes down from the square cancels the half. You have 2 λ w there.",
        "Differentiate the loss of the question on paper. Which number stands before w?",
    ),
    "forgets the 1 of the factor": (
        "You multiply w by rate times curvature in each step. That is how long the step is, and not where it leads.",
        "The new w is the old one minus the step. So what is left of w is 1 minus rate times curvature.",
        "At a rate close to 0 the weight hardly moves. By what should a step multiply it then, and what does your factor say?",
    ),
    "goes uphill": (
        "Your factor is 1 plus rate times curvature: the distance would grow at every rate.",
        "The step is taken against the slope. For a positive w the slope is positive, so that w becomes smaller.",
        "Take the example of the question: curvature 2, rate 0.1. Where does a step from 7 lead?",
    ),
    "lets the distance shrink without steps": (
        "Your number belongs to a way in endlessly small steps, with e to the power of minus rate times curvature for each.",
        "That is near to the truth for creeping alone. A real step is a straight line: it multiplies w by 1 minus rate times curvature.",
        "Compare exp(-x) and 1 - x for your x, rate times curvature. How far are they apart?",
    ),
    "measures from 1 and not from the start": (
        "Your number counts how far w is from 0 in itself, as if it had started at 1.",
        "The question asks about a share of the start. Each step multiplies the distance by the same factor, wherever it began.",
        "Divide w after k steps by w at the start. Does the start stand in the result?",
    ),
    "forgets the curvature": (
        "Your number is the same for every curvature: what you take for the factor is 1 minus the rate.",
        "The slope of ½ λ w² is λ w, so the step is rate times curvature times w. In a steep bowl the same rate makes a longer step.",
        "Take the example of the question: curvature 2, rate 0.1. Why is its factor 0.8, and not 0.9?",
    ),
    "counts the half of the loss twice": (
        "Your factor belongs to a bowl that is half as steep as the one in the question.",
        "You took the number in front of w² for that in front of w in the slope. But a 2 comes down from the square, and cancels the half.",
        "What is the slope of w² at w = 5: 5, or 10? Then do the same with the loss of the question.",
    ),
    "stops a step too early, and measures from 1 and not from the start": (
        "Your number asks when w itself passes the share, as if it had started at 1, and is rounded down.",
        "Two things at once: the question is about a share of the start, and part of a step is not enough.",
        "Divide w after k steps by w at the start, and see what is left. Then put your number into the power: is the share reached?",
    ),
    "looks at w and not at its distance from 0": (
        "After one step w is on the other side of 0, and still far from it.",
        "A loop such as `while w > goal` ends there, as any number below 0 is below the goal. So does a sum of steps that are all as "
        "long as the first.",
        "Print w after each of the first four steps. What happens to its sign, and what to its size?",
    ),
    "makes all steps equally long": (
        "Your number takes every step to be as long as the first.",
        "The slope is the curvature times w, so it changes as w does. Every step has a length of its own, and the ratio is what stays.",
        "How long is the first step in the example, from 7 with a factor of 0.8, and how long is the second?",
    ),
}


def _answers(test: Callable[[float], bool]) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    """Recognise an answer that can be no number of steps."""
    return lambda cases, observed: all("answer" in o and test(float(o["answer"])) for o in observed)


def mistakes_of(regime: Regime) -> tuple[Mistake, ...]:
    """Return the wrong numbers of a regime as known mistakes."""
    numbers = tuple(Mistake(name, number, *_SAID[name]) for name, number in _wrong_numbers(regime).items())
    return (
        Mistake(
            "leaves the number of steps below 0",
            -regime.steps(),
            "Your number lies below 0, and a number of steps cannot.",
            "The logarithm of a number below 1 is negative. If one of your two logarithms is negative the other has to be so too, or "
            "both are taken without their sign.",
            "Print both logarithms. Which of them should change its sign, and what did you take the logarithm of?",
            matches=_answers(lambda number: number < 0),
        ),
        Mistake(
            "hands in the number of the example",
            EXAMPLE,
            "Your number is the one of the example. It has another curvature and another rate than your question.",
            "The factor is 0.8 there. Your own is 1 minus the product of your two numbers, and each factor has its own number "
            "of steps.",
            "Which curvature and which rate stand in the first sentence of the question? Put them where the example has 2 and 0.1.",
        ),
        Mistake(
            "does not round",
            regime.exactly(regime.factor),
            "Your number is not whole, and a step is taken or not taken.",
            "The ratio of the logarithms says when a curve between the steps would reach the goal. The weight is there only after "
            "whole steps.",
            "Look at the two whole numbers next to yours. After which of them is the goal reached?",
            matches=_answers(lambda number: 0 < number < math.inf and not number.is_integer()),
        ),
        *numbers,
    )
