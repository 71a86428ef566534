"""Ways to train for ten epochs (exercise 07.8), known mistakes, how they are recognised, and what to say about each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks import kinds
from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case

TARGET, EPOCHS, HIDDEN, BATCH = 0.87, 10, 32, 8
Slopes = Callable[[Tensor], Tensor]
Train = Callable[[Tensor, Slopes, int], Tensor]
Schedule = Callable[[int, int], float]
"""The share of the rate from the number of the step, counted from 0, and how many there are."""


def constant(k: int, steps: int) -> float:
    """Return the whole rate, always."""
    return 1.0


def cosine(k: int, steps: int) -> float:
    """Return half a cosine from 1 down to 0."""
    return (1 + math.cos(math.pi * min(k, steps) / steps)) / 2


def plain(lr: float, schedule: Schedule = constant, momentum: float = 0.0, part: float = 1.0) -> Train:
    """Return a training with one rate for all weights, over a part of the steps."""

    def train(w: Tensor, slopes: Slopes, steps: int) -> Tensor:
        v = torch.zeros_like(w)
        for k in range(int(part * steps)):
            v = momentum * v + slopes(w)
            w = w - lr * schedule(k, steps) * v
        return w

    return train


def by_adam(
    lr: float, schedule: Schedule = constant, *, part: float = 1.0, forgets: bool = False, sign: float = 1.0
) -> Train:
    """Return a training by Adam, over a part of the steps.

    Args:
        lr: the rate at its highest.
        schedule: the share of it that is used.
        part: of the steps.
        forgets: whether nothing is remembered from step to step.
        sign: of the step; -1 leads uphill.
    """

    def train(w: Tensor, slopes: Slopes, steps: int) -> Tensor:
        m, s = torch.zeros_like(w), torch.zeros_like(w)
        for k in range(int(part * steps)):
            g = slopes(w)
            age = 1 if forgets else k + 1
            m = (0.0 if forgets else 0.9) * m + 0.1 * g
            s = (0.0 if forgets else 0.999) * s + 0.001 * g.square()
            way = m / (1 - 0.9**age) / ((s / (1 - 0.999**age)).sqrt() + 1e-8)
            w = w - sign * lr * schedule(k, steps) * way
        return w

    return train


def _given_back(w: Tensor, slopes: Slopes, steps: int) -> Tensor:
    by_adam(0.02, cosine)(w, slopes, steps)
    return w


def _from_the_start(w: Tensor, slopes: Slopes, steps: int) -> Tensor:
    return by_adam(0.02, cosine)(w, lambda new: slopes(w), steps)


# -- how mistakes are recognised ----------------------------------------------------------------------


_misses = kinds.short_of(TARGET)


def _too_much(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise that slopes were asked for more often than ten epochs allow, in any draw."""
    return any("spent" in o and o["spent"].item() > 1 for o in observed)


def _finite(o: Observed) -> bool:
    return bool(o["finite"])


def _stands_still(o: Observed) -> bool:
    return o["moved"].item() == 0


def _climbs(o: Observed) -> bool:
    return o["rate"].item() < 0


def _stale(o: Observed) -> bool:
    return _finite(o) and o["still"].item() > 0.9 and o["spent"].item() > 0.01


def _unspent(o: Observed) -> bool:
    return _finite(o) and o["spent"].item() < 0.7


def _runs_away(o: Observed) -> bool:
    """Return whether the weights are lost, or the loss is near that of a guess, 2.3, after steps that were not short."""
    return not _finite(o) or (o["loss"].item() > 1.9 and o["stride"].item() > 0.5)


def _alike(o: Observed) -> bool:
    return _finite(o) and o["unlike"].item() < 0.1


def _falls(o: Observed) -> bool:
    return o["late"].item() < 0.5


def _along(o: Observed) -> bool:
    return _finite(o) and o["beside the slope"].item() < 0.01


def _along_and_falls(o: Observed) -> bool:
    return _along(o) and _falls(o)


def _along_older(o: Observed) -> bool:
    return _finite(o) and o["beside older slopes"].item() < 0.01


def _adds_up(o: Observed) -> bool:
    """Return whether each move is the whole move before and a slope: nothing of old slopes fades."""
    return _along_older(o) and o["kept"].item() > 0.994


def _too_long(o: Observed) -> bool:
    """Return whether some step was as long as those of an adaptive method at a rate of 0.04 or more."""
    return _finite(o) and o["stride"].item() > 1.1


def _too_short(o: Observed) -> bool:
    """Return whether all steps were as short as those of an adaptive method at a rate below 0.004."""
    return _finite(o) and o["stride"].item() < 0.1


def _never_falls(o: Observed) -> bool:
    return _finite(o) and not _falls(o)


def _too_long_to_the_end(o: Observed) -> bool:
    return _too_long(o) and _never_falls(o)


# -- what is said -------------------------------------------------------------------------------------

_EPOCHS = (
    Mistake(
        "trains longer than ten epochs",
        lambda w, slopes, steps: by_adam(0.01, cosine)(w, slopes, 2 * steps),
        "You asked for slopes more often than ten epochs have batches. Each call of `slopes` is one batch.",
        "Who may train longer gets farther with almost any method. Here all have the same ten epochs, and the method makes the difference.",
        "Count the calls in your loop. A method that asks twice in a step has half as many steps.",
        matches=_too_much,
    ),
    Mistake(
        "returns the weights that came in",
        _given_back,
        "The weights that you return are those that you were given: none of them has moved.",
        "The new weights were computed under another name, or the old ones stand behind `return`.",
        "Which name holds the weights after a step, and which one do you return?",
        matches=_misses(_stands_still),
    ),
    Mistake(
        "goes uphill",
        by_adam(0.001, sign=-1.0),
        "Your steps lead the way in which the loss grows.",
        "A slope points uphill, and so does a mean of slopes. The step is taken off, whatever it is divided by.",
        "Which sign stands before the rate in the line that moves the weights?",
        matches=_misses(_climbs),
    ),
    Mistake(
        "asks about the start again and again",
        _from_the_start,
        "You ask for the slopes at the same weights in every step: those of the start.",
        "The step goes to one name, and `slopes` is called with another. So no step knows what the one before has done.",
        "Which name stands in `slopes(...)`, and which one does your step write to?",
        matches=_misses(_stale),
    ),
    Mistake(
        "leaves much of the ten epochs",
        by_adam(0.01, cosine, part=0.4),
        "A large part of the ten epochs is left: your loop ends long before `steps`.",
        "What ten epochs can teach is not learned in a part of them. And a schedule that is made for all steps has not come down when the loop ends early.",
        "How often does your loop run, and how large is `steps`?",
        matches=_misses(_unspent),
    ),
)

_RULE = (
    Mistake(
        "forgets from step to step",
        by_adam(0.01, forgets=True),
        "In each of your steps all weights move by the same amount. That is what Adam does in its very first step.",
        "Its means begin anew in every step, perhaps because the optimizer is made inside the loop. With one slope alone only its sign is left.",
        "What has to stand above your loop, and what in it? Look for the line that makes zeros or an optimizer.",
        matches=_misses(_alike),
    ),
    Mistake(
        "adds all slopes up",
        plain(0.1, cosine, 1.0),
        "Each of your moves is the whole move before it and one slope more: every slope that there has ever been still pulls.",
        "An optimizer of torch reads `p.grad`, and `+=` adds to what stands there until it is set back to 0. A momentum of 1 does the same by hand.",
        "What does `p.grad` hold in the second step? `p.grad = slopes(p)` puts the new slopes in place of the old.",
        matches=_misses(_adds_up),
    ),
    Mistake(
        "lets the training run away",
        plain(3.0),
        "Your steps are far too long: after ten epochs the network guesses, or its weights have become nan.",
        "The steepest directions allow the least. Above twice one over their curvature each step makes things worse.",
        "Divide the rate by ten until the loss falls. Then go up again by factors of two or three.",
        matches=_misses(_runs_away),
    ),
    Mistake(
        "takes plain steps at a rate that falls",
        plain(0.1, cosine),
        "Your steps go along the slope of each batch, with one rate for all weights that falls. The schedule helps, and it is not enough.",
        "The pixels come in units that differ by a factor of 500. A rate that suits one weight is far too low or far too high for others.",
        "Which of the chapter's methods makes a rate for every weight? Keep your schedule and put it around that.",
        matches=_misses(_along_and_falls),
    ),
    Mistake(
        "takes plain steps at one rate",
        plain(0.05),
        "Your steps go along the slope of each batch, at one rate for all weights and for all ten epochs. That is the baseline.",
        "Two things hold it back: the units of the pixels, which ask for a rate for every weight, and the noise of the labels, which asks for a "
        "lower rate at the end.",
        "Begin with the method, and add the schedule then. What does the accuracy do at each?",
        matches=_misses(_along),
    ),
    Mistake(
        "has momentum and one rate for all weights",
        plain(0.02, cosine, 0.9),
        "Your steps go along a velocity of slopes, with one rate for all weights.",
        "Momentum makes the best of a single rate. Here the directions differ by too much: where a pixel comes in small numbers, its weights have "
        "small slopes and hardly learn.",
        "What would you divide each slope by, so that the unit of its pixel drops out?",
        matches=_misses(_along_older),
    ),
)

_RATE = (
    Mistake(
        "takes adaptive steps that are too long, up to the end",
        by_adam(0.06),
        "Each weight has its own rate. All of them are too high, and they hardly fall: your last steps are about as long as those in the middle.",
        "Two things at once: the rate at its highest, and a schedule that is not there or hardly moves. One that counts steps and is moved on once "
        "in an epoch has only begun when the training ends.",
        "Print the rate of the first step, of one in the middle and of the last. The first should be about a third of yours, and the last near 0.",
        matches=_misses(_too_long_to_the_end),
    ),
    Mistake(
        "takes adaptive steps that are too long",
        by_adam(0.06, cosine),
        "Each weight has its own rate, and all of them are too high: your longest step is twice as long as is good here.",
        "An adaptive step is about as long as the rate, however small the slopes are. So a rate that is high for plain steps is very high here.",
        "Divide your rate by three. What does the training do with it?",
        matches=_misses(_too_long),
    ),
    Mistake(
        "takes adaptive steps that are too short",
        by_adam(0.001, cosine),
        "Each weight has its own rate, and all of them are too low: ten epochs end before you have arrived.",
        "An adaptive step is about as long as the rate. A weight that has to go by 1 or 2 cannot do it in 1,000 steps that are much shorter than "
        "a hundredth.",
        "Multiply your rate by three, and again, as long as the accuracy grows.",
        matches=_misses(_too_short),
    ),
    Mistake(
        "keeps the rate up to the end",
        by_adam(0.02),
        "Each weight has its own rate, and your last steps are as long as those in the middle of the training.",
        "Every fifth label was drawn anew, so that no batch tells the truth. At a rate that stays up the weights are thrown about to the last step.",
        "Print the rate of the first step and of the last. Which schedule of the chapter ends at 0, and is yours moved on in every step of the loop?",
        matches=_misses(_never_falls),
    ),
)

MISTAKES = (*_EPOCHS, *_RULE, *_RATE)
