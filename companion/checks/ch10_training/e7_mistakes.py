"""What goes wrong with expected improvement (exercise 10.7), and what to say about it."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from companion.checks.bank import Mistake

Function = Callable[[Tensor], Tensor]
Gain = Callable[[Tensor, float, float], Tensor]
"""From the mean, the best and the margin."""
Joined = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
"""From gain, standard deviation, z, and the two functions at z."""
Improvement = Callable[[Tensor, Tensor, float, float], Tensor]


def _phi(z: Tensor) -> Tensor:
    return torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi)


def _chance(z: Tensor) -> Tensor:
    return (1 + torch.erf(z / math.sqrt(2))) / 2


def _gain(mean: Tensor, best: float, margin: float) -> Tensor:
    return best - margin - mean


def by(
    joined: Joined = lambda g, s, z, chance, height: g * chance + s * height,
    *,
    gain: Gain = _gain,
    gain_of_z: Gain | None = None,
    unit: Function = lambda std: std,
    chance: Function = _chance,
    height: Function = _phi,
    known: Function | None = lambda g: g.clamp(min=0),
    after: Function = lambda ei: ei,
) -> Improvement:
    """Return expected improvement by other rules.

    Args:
        joined: how the parts are put together.
        gain: what is g, from mean, best and margin.
        gain_of_z: the same for z, where it is another one.
        unit: what z is divided by, from the standard deviations.
        chance: in place of the distribution function.
        height: in place of the density.
        known: what a candidate is worth that is known, from its gain; none: nothing is done about it.
        after: what becomes of the result.
    """

    def expected_improvement(mean: Tensor, std: Tensor, best: float, margin: float) -> Tensor:
        g = gain(mean, best, margin)
        s = std if known is None else torch.where(std > 0, std, torch.ones_like(std))
        z = (g if gain_of_z is None else gain_of_z(mean, best, margin)) / unit(s)
        value = joined(g, s, z, chance(z), height(z))
        if known is not None:
            value = torch.where(std > 0, value, known(g))
        return after(value)

    return expected_improvement


def _without(mean: Tensor, best: float, margin: float) -> Tensor:
    return best - mean


def _plus(mean: Tensor, best: float, margin: float) -> Tensor:
    return best + margin - mean


_WAY = (
    Mistake(
        "looks for the highest",
        by(gain=lambda mean, best, margin: mean - best - margin),
        "Your candidates are worth more, the higher their mean is: you count what lies above the best.",
        "That is the formula for a score that should be high. An error should be low, and improvement is what falls below the best.",
        "In the example, which of the two candidates is known to be better, and what is it worth with you?",
    ),
    Mistake(
        "looks for the highest, on the side of the margin",
        by(gain=lambda mean, best, margin: mean - best + margin),
        "You take the best off the mean, and the margin with it: higher candidates are worth more.",
        "All signs of g are turned round. Improvement is what falls below the best, by more than the margin.",
        "What should g be for a mean of 1 and a best of 2?",
        best="a margin",
    ),
    Mistake(
        "adds the margin",
        by(gain=_plus),
        "With a margin your candidates are worth more than without one.",
        "A margin asks for more than a hair's breadth, so that it makes it harder to improve. On the wrong side it makes it easier.",
        "The best is 2 and the margin is 0.5. From which error on should an improvement count?",
        best="a margin",
    ),
    Mistake(
        "leaves the margin out",
        by(gain=_without),
        "Your result is the same for every margin.",
        "Without one a search often goes on beside the best so far, where gains are sure and tiny.",
        "Where does `margin` stand in your code? It belongs to g, and with it to z.",
        best="a margin",
    ),
    Mistake(
        "has the margin in z only",
        by(gain=_without, gain_of_z=_gain),
        "Your z knows the margin, and the gain that Φ multiplies does not.",
        "Both come from the same g. If they differ, the result is the mean of nothing, and may be too large by the whole margin.",
        "Give g a name, and use it in both places.",
        best="a margin",
    ),
    Mistake(
        "has the margin in the gain only",
        by(gain_of_z=_without),
        "The gain that Φ multiplies knows the margin, and your z does not.",
        "Both come from the same g. If they differ, the result may even fall below 0.",
        "Write g once, with the margin, and divide it by the standard deviation to get z.",
        best="a margin",
    ),
    Mistake(
        "takes the margin off the result",
        lambda mean, std, best, margin: (by(gain=_without)(mean, std, best, margin) - margin).clamp(min=0),
        "You compute the worth without a margin and take the margin off in the end.",
        "The margin moves the line from which on improvements count, inside of the mean. Taken off afterwards it makes 0 of nearly everything.",
        "Where in the first formula of the task does the margin stand?",
        best="a margin",
    ),
)

_PARTS = (
    Mistake(
        "returns the chance to improve",
        by(lambda g, s, z, chance, height: chance, known=lambda g: (g > 0).to(g.dtype)),
        "You return Φ(z): how likely it is that the candidate is better, by however little.",
        "That is the probability of improvement. It loves candidates that are better by a hair and for sure. Here the size counts, too.",
        "Which two terms does the closed form add up?",
    ),
    Mistake(
        "forgets the second term",
        by(lambda g, s, z, chance, height: g * chance),
        "Your result is negative where the mean lies above the best: the term with φ is missing.",
        "A mean of something that is never below 0 cannot be negative. The second term is what uncertainty is worth.",
        "What is the first candidate of the example worth with you, and can that be?",
    ),
    Mistake(
        "forgets the first term",
        by(lambda g, s, z, chance, height: s * height),
        "You return the term with φ alone, std times φ(z).",
        "It says what uncertainty is worth near the best. A candidate that is far better has a small φ, and should be worth much.",
        "What is a candidate worth whose mean lies four standard deviations below the best?",
        best="a best that is far above",
    ),
    Mistake(
        "takes one term off the other",
        by(lambda g, s, z, chance, height: g * chance - s * height),
        "Your second term is taken off, where it should be added.",
        "Uncertainty would then make a candidate worse. In a search it is what makes an unknown one worth a try.",
        "Which sign stands between the two terms?",
    ),
    Mistake(
        "has no standard deviation before φ",
        by(lambda g, s, z, chance, height: g * chance + height),
        "Your second term is φ(z) alone, whatever the standard deviation is.",
        "It is in no unit, and the first one is in that of the error. Told in percent instead of shares, the choice would be another one.",
        "Multiply mean, std and best by 100. By what should the result be multiplied?",
        best="a best below 0, in large units",
    ),
    Mistake(
        "has z where the gain belongs",
        by(lambda g, s, z, chance, height: z * chance + s * height),
        "Your first term is z Φ(z), where it should be the gain times Φ(z).",
        "z is the gain in standard deviations. Either the gain stands there, or z with the standard deviation before the whole bracket.",
        "Which unit have your two terms? They have to have the same.",
        best="no margin",
    ),
    Mistake(
        "multiplies the gain by the standard deviation",
        by(lambda g, s, z, chance, height: s * (g * chance + height)),
        "The standard deviation stands before both of your terms, with the gain in the first one.",
        "Taken out of the bracket it leaves z behind, and not the gain.",
        "Take std out of the formula with pencil and paper. What is left of g?",
        best="no margin",
    ),
    Mistake(
        "exchanges the two functions",
        by(lambda g, s, z, chance, height: g * height + s * chance),
        "Φ and φ have changed places: the gain is multiplied by the density.",
        "The large one is a chance, from 0 to 1, and belongs to the gain. The small one is a height and belongs to the standard deviation.",
        "Which of your two functions rises from 0 to 1, and by what is it multiplied?",
    ),
    Mistake(
        "counts the mean only",
        by(lambda g, s, z, chance, height: g.clamp(min=0)),
        "Your result does not change with the standard deviation: it is the gain of the mean, and 0 where there is none.",
        "A search by the mean alone goes where it has been. A candidate that nobody knows may be far better than its mean.",
        "What is a candidate worth whose mean is a little above the best, and whose standard deviation is large?",
    ),
    Mistake(
        "cuts the gain off first",
        by(lambda g, s, z, chance, height: g.clamp(min=0) * chance + s * height),
        "Where the mean lies above the best you set the gain to 0 before the formula uses it.",
        "The formula has averaged over the cut already. A second cut makes bad candidates worth too much.",
        "What are g and the first term for the first candidate of the example?",
    ),
    Mistake(
        "takes a bound for the worth",
        by(lambda g, s, z, chance, height: g + 2 * s, known=None),
        "Your result is the gain plus two standard deviations: a bound of what may happen.",
        "That is the rule of confidence bounds, a good one as well. It is no mean, and the task asks for the mean improvement.",
        "Over what does the task take a mean? Over what may happen.",
    ),
    Mistake(
        "averages over the candidates",
        by(after=lambda ei: ei.mean().expand(ei.shape)),
        "All your candidates are worth the same: the mean over them.",
        "The mean is one over what a candidate may turn out to be. It has been taken by the closed form, for each candidate.",
        "Where does your code call `mean`, and over what does it run?",
    ),
    Mistake(
        "returns the logarithm",
        by(after=lambda ei: ei.clamp(min=1e-300).log()),
        "Your result is the logarithm of the expected improvement.",
        "It has its highest place at the same candidate, and helps where numbers become very small. The task asks for the number itself.",
        "Take your last function away. What is the second candidate of the example worth?",
    ),
)

_FUNCTIONS = (
    Mistake(
        "divides by the variance",
        by(unit=lambda s: s.square()),
        "Your z is the gain divided by the square of the standard deviation.",
        "z counts standard deviations and has no unit. Divided by the variance it has one.",
        "What is z for a gain of 2 and a standard deviation of 2?",
        best="no margin",
    ),
    Mistake(
        "takes std for the variance",
        lambda mean, std, best, margin: by()(mean, std.sqrt(), best, margin),
        "You take the root of `std` before you use it.",
        "Some models hand back variances, and then it is right. Here the task says standard deviation.",
        "Which of the two is called `std`, and what does the square root turn into what?",
        best="no margin",
    ),
    Mistake(
        "takes std for a root",
        lambda mean, std, best, margin: by()(mean, std.square(), best, margin),
        "You square `std` before you use it, in both places.",
        "The square of a standard deviation is the variance. The formula asks for the standard deviation itself.",
        "What is the standard deviation of a candidate whose `std` is 0.5?",
        best="no margin",
    ),
    Mistake(
        "has z upside down",
        lambda mean, std, best, margin: _upside_down(mean, std, best, margin),
        "Your z is the standard deviation divided by the gain.",
        "z says how many standard deviations the best lies away from the mean. Upside down it is large where the gain is nearly 0.",
        "What should z be for a candidate whose mean is at the best?",
        best="no margin",
    ),
    Mistake(
        "takes the chance to be worse",
        by(chance=lambda z: _chance(-z)),
        "Your Φ is the chance that the candidate is worse than the best.",
        "1 minus the right one, or a z with the sign turned. A candidate that is surely better is then worth nothing.",
        "What should Φ be near to, where the mean lies far below the best?",
    ),
    Mistake(
        "forgets the root of 2 in erf",
        by(chance=lambda z: (1 + torch.erf(z)) / 2),
        "Your Φ rises too steeply: z goes into `erf` without being divided by the root of 2.",
        "`erf` belongs to a distribution with a variance of one half. The root of 2 leads from z to its unit.",
        "What is your Φ at z = -1? The example says 0.1587.",
    ),
    Mistake(
        "takes erf for the chance",
        by(chance=lambda z: torch.erf(z / math.sqrt(2))),
        "Your Φ runs from -1 to 1: it is `erf` itself.",
        "A chance lies between 0 and 1. 1 has to be added, and the sum halved.",
        "What is your Φ at z = 0, and what should it be?",
    ),
    Mistake(
        "takes a sigmoid for the chance",
        by(chance=torch.sigmoid),
        "Your Φ is a sigmoid. It has a similar form, and rises more slowly.",
        "The distribution function of a normal distribution has no closed form but that by `erf`.",
        "Compute your Φ for the first candidate of the example, and compare with the 0.1587.",
        best="no margin",
    ),
    Mistake(
        "forgets the factor before the density",
        by(height=lambda z: torch.exp(-z.square() / 2)),
        "Your φ is too high by a factor of 2.5: the division by the root of 2π is missing.",
        "Without it the area below the curve is no 1, and uncertainty is worth two and a half times too much.",
        "What is your φ at z = -1? The example says 0.2420.",
    ),
    Mistake(
        "forgets the half in the density",
        by(height=lambda z: torch.exp(-z.square()) / math.sqrt(2 * math.pi)),
        "Your φ falls too fast: the exponent is -z², and not half of it.",
        "With that exponent the curve belongs to another spread than 1.",
        "Compute your φ at z = -1 and at 0, and compare with 0.2420 and 0.3989.",
    ),
    Mistake(
        "divides by 2π without the root",
        by(height=lambda z: torch.exp(-z.square() / 2) / (2 * math.pi)),
        "Your φ is too low by a factor of 2.5: it is divided by 2π, and not by its root.",
        "Without the root the factor is that of a distribution in two dimensions.",
        "What is your φ at z = 0? It should be 0.3989.",
    ),
    Mistake(
        "puts the gain into the density",
        lambda mean, std, best, margin: _gain_in_the_density(mean, std, best, margin),
        "Your φ is taken at the gain, and not at z.",
        "The density of the task is that of the standard normal distribution. A gain of 2 is much or little, as the standard deviation is.",
        "Which letter stands in the bracket of φ in the task?",
        best="no margin",
    ),
)


def _upside_down(mean: Tensor, std: Tensor, best: float, margin: float) -> Tensor:
    g = best - margin - mean
    z = std / torch.where(g != 0, g, torch.ones_like(g))
    return torch.where(std > 0, g * _chance(z) + std * _phi(z), g.clamp(min=0))


def _gain_in_the_density(mean: Tensor, std: Tensor, best: float, margin: float) -> Tensor:
    g = best - margin - mean
    z = g / torch.where(std > 0, std, torch.ones_like(std))
    return torch.where(std > 0, g * _chance(z) + std * _phi(g), g.clamp(min=0))


_KNOWN = (
    Mistake(
        "divides by a standard deviation of 0",
        by(known=None),
        "A known candidate whose mean lies exactly at the line comes out as nan. Others come out right, because Φ and φ bear an infinite z.",
        "A gain divided by 0 is infinite, and 0 / 0 is nan. In a search that happens at once: the best that was tried is known, and lies at the line.",
        "Divide by something harmless where the standard deviation is 0, and choose the result afterwards.",
        best="a known candidate at the line",
    ),
    Mistake(
        "says that a known candidate is worth nothing",
        by(known=lambda g: torch.zeros_like(g)),
        "Your candidates with a standard deviation of 0 are all worth 0.",
        "That suits a search in which only those are known that have been tried. A candidate that is known to be better is worth its gain.",
        "What is the second candidate of the example worth?",
    ),
    Mistake(
        "lets a known candidate be worth less than nothing",
        by(known=lambda g: g),
        "Your known candidates that are worse than the best come out negative.",
        "Nobody has to take them. What does not improve is worth 0, and never less.",
        "In which case is g negative, and what does the task say then?",
        best="candidates that are known",
    ),
    Mistake(
        "calls known candidates infinitely good",
        by(known=lambda g: torch.full_like(g, math.inf)),
        "Your candidates with a standard deviation of 0 are worth infinitely much.",
        "Something is divided by 0 there. The search would try the same candidate for ever.",
        "What is the second candidate of the example worth? And one whose gain is negative?",
    ),
    Mistake(
        "returns nan for known candidates",
        by(known=lambda g: torch.full_like(g, math.nan)),
        "Your candidates with a standard deviation of 0 come out as nan.",
        "0 times an infinite number, or 0 / 0, has no value. A `max` or an `argmax` over all candidates is then nan, too, or points there.",
        "Print z for the second candidate of the example. Which step makes nan of it?",
    ),
)

_PAIRS = (
    Mistake(
        "takes std for the variance, and divides by a standard deviation of 0",
        lambda mean, std, best, margin: by(known=None)(mean, std.sqrt(), best, margin),
        "You take the root of `std` before you use it, and a known candidate whose mean lies at the line comes out as nan.",
        "Two things at once: the task hands over standard deviations, whose roots have been taken, and 0 / 0 is nan.",
        "Begin with the root. Then think of a candidate with a standard deviation of 0 whose gain is 0.",
        best="a known candidate at the line",
    ),
    Mistake(
        "leaves the margin out, and says that a known candidate is worth nothing",
        by(gain=_without, known=lambda g: torch.zeros_like(g)),
        "Your result is the same for every margin, and known candidates are worth 0.",
        "Two things at once: g has no margin, and a candidate that is known to be better is worth its gain.",
        "Begin with the second candidate of the example. Then look for `margin` in your code.",
    ),
    Mistake(
        "adds the margin, and says that a known candidate is worth nothing",
        by(gain=_plus, known=lambda g: torch.zeros_like(g)),
        "With a margin candidates are worth more with you, and known ones are worth 0.",
        "Two things at once: the margin stands on the wrong side, and a candidate that is known to be better is worth its gain.",
        "Begin with the second candidate of the example. Then ask from which error on an improvement counts.",
    ),
    Mistake(
        "looks for the highest, and says that a known candidate is worth nothing",
        by(gain=lambda mean, best, margin: mean - best - margin, known=lambda g: torch.zeros_like(g)),
        "You count what lies above the best, and known candidates are worth 0.",
        "Two things at once: an error should be low, so that the gain has the other sign, and a known gain is worth what it is.",
        "Do both candidates of the example by hand, beginning with the sign of g.",
    ),
    Mistake(
        "adds the margin, and lets a known candidate be worth less than nothing",
        by(gain=_plus, known=lambda g: g),
        "With a margin candidates are worth more with you, and known ones may be negative.",
        "Two things at once: the margin stands on the wrong side, and what does not improve is worth 0.",
        "Begin with the sign of the margin. Then look at the known candidates that are worse than the best.",
    ),
)

MISTAKES = (*_WAY, *_PARTS, *_FUNCTIONS, *_KNOWN, *_PAIRS)
