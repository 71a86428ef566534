"""What goes wrong with the likelihoods that have a spread (exercise 04.2): Gaussian and Laplace."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from companion.checks.bank import Mistake
from companion.checks.ch04_losses.e2_families import mean_of

_ROOT = math.log(2 * math.pi) / 2


def of_gaussian() -> list[Mistake]:
    """Return what goes wrong with a Gaussian whose spread the model gives too."""

    def steps(f: Tensor, s: Tensor, t: Tensor) -> Tensor:
        return (t - f) / torch.exp(s)

    return [
        Mistake(
            "leaves the constant out",
            mean_of(lambda f, s, t: steps(f, s, t).square() / 2 + s),
            "Your loss is too small by one and the same amount, with every input.",
            "The factor before the exponential holds a root of 2 pi. No training would miss it, but without it the number is no "
            "likelihood, and cannot be compared with another model's.",
            "Which part of the density depends neither on the model nor on the target? Take its logarithm as well.",
        ),
        Mistake(
            "leaves the spread's own term out",
            mean_of(lambda f, s, t: steps(f, s, t).square() / 2 + _ROOT),
            "At a spread of 1 your loss is right. Elsewhere a term is missing, and a larger spread always costs less.",
            "The spread stands below the line before the exponential as well. Without that term the model does best when it says "
            "that it knows nothing at all.",
            "What happens to your loss when s goes to infinity? What should stop that?",
        ),
        Mistake(
            "takes the spread for the variance",
            mean_of(lambda f, s, t: (t - f).square() / (2 * torch.exp(s)) + s + _ROOT),
            "At a spread of 1 your loss is right. Elsewhere the distance is measured with the wrong unit.",
            "The squared distance is divided by the spread. Both have to be squared, or neither before the division.",
            "Follow the units: t in metres, the spread in metres. Which unit does your first term have?",
        ),
        Mistake(
            "takes s for the logarithm of the variance",
            mean_of(lambda f, s, t: (t - f).square() / (2 * torch.exp(s)) + s / 2 + _ROOT),
            "At a spread of 1 your loss is right. Elsewhere it is the loss of a model that gives the logarithm of the variance.",
            "Many networks give log of sigma squared, and then both terms look like yours. Here s is the logarithm of sigma.",
            "What is sigma squared in terms of s, and what is the logarithm of sigma?",
        ),
        Mistake(
            "takes s for the spread",
            mean_of(lambda f, s, t: ((t - f) / s).square() / 2 + torch.log(s) + _ROOT),
            "Your loss is infinite or nan where s is 0 or negative, and wrong elsewhere.",
            "s is put where the spread belongs, and its logarithm is taken once more. A logarithm of a spread may be negative.",
            "The spread is above 0 whatever s is. How do you get it from s, and what is its logarithm?",
        ),
        Mistake(
            "forgets the half",
            mean_of(lambda f, s, t: steps(f, s, t).square() + s + _ROOT),
            "Targets on the prediction come out right. The further away they are, the more your loss is too large.",
            "The exponent of the bell holds a 2 below the line. Without it the spread that fits best comes out too wide.",
            "Write the exponent of the density down with all its factors, and compare it with your first term.",
        ),
        Mistake(
            "forgets the root",
            mean_of(lambda f, s, t: steps(f, s, t).square() / 2 + s + 2 * _ROOT),
            "Your loss is too large by one and the same amount, with every input.",
            "The constant before the exponential stands under a root, and the logarithm of a root is half a logarithm.",
            "What is the logarithm of the root of x, in terms of log x?",
        ),
        Mistake(
            "exchanges middle and spread",
            mean_of(lambda f, s, t: steps(s, f, t).square() / 2 + f + _ROOT),
            "Your distances are measured from s and not from f, and the spread is made from f.",
            "The arguments come by position: first the middle, then the logarithm of the spread, then the target.",
            "Compare the order of names in your `def` line with the one in the task.",
        ),
        Mistake(
            "takes the spread's own term off",
            mean_of(lambda f, s, t: steps(f, s, t).square() / 2 - s + _ROOT),
            "At a spread of 1 your loss is right. Elsewhere the term that holds s alone has the wrong sign.",
            "The spread stands below the line. Minus the logarithm of 1 divided by it is the logarithm of the spread itself.",
            "Which model does your loss prefer on targets that it hits, the one with the small or with the large spread?",
        ),
        Mistake(
            "leaves the constant out, and adds up",
            lambda f, s, t: (steps(f, s, t).square() / 2 + s).sum(),
            "Your loss grows with the number of examples, and each of them lacks the same amount.",
            "You return a sum where a mean is asked. And the root of 2 pi has been dropped.",
            "Mend the reduction first, with two equal examples. Then take the logarithm of the factor before the exponential.",
        ),
    ]


def of_laplace() -> list[Mistake]:
    """Return what goes wrong with a Laplace distribution of a given scale."""
    return [
        Mistake(
            "leaves the constant out",
            mean_of(lambda f, t, b: (t - f).abs() / b),
            "Your loss is too small by an amount that depends on b alone.",
            "The factor before the exponential makes the density add up to 1. Without it two scales cannot be compared: the "
            "largest would always win.",
            "Which factor of the density did you not take the logarithm of?",
        ),
        Mistake(
            "forgets the 2 before b",
            mean_of(lambda f, t, b: (t - f).abs() / b + math.log(b)),
            "Your loss is too small by one and the same amount, with every input and every b.",
            "The peak has two sides, so the factor before the exponential is one half of 1 divided by b.",
            "What is minus the logarithm of the factor before the exponential, written with all that stands below the line?",
        ),
        Mistake(
            "squares the distance",
            mean_of(lambda f, t, b: (t - f).square() / b + math.log(2 * b)),
            "Distances of 0 and 1 come out right. Larger ones cost too much, and far targets far too much.",
            "A square belongs to the Gaussian. The Laplace distribution has the distance itself in its exponent, hence its long "
            "tails.",
            "Compare the exponent in the task with your first term.",
        ),
        Mistake(
            "does not divide by the scale",
            mean_of(lambda f, t, b: (t - f).abs() + math.log(2 * b)),
            "With a scale of 1 your loss is right. With another one the distances count too much or too little.",
            "The distance is measured in units of b, and yours in its own. The constant alone sees the scale.",
            "How should the price of a distance change when b is doubled?",
        ),
        Mistake(
            "multiplies by the scale",
            mean_of(lambda f, t, b: (t - f).abs() * b + math.log(2 * b)),
            "With a scale of 1 your loss is right. With a larger one far targets cost more, where they should cost less.",
            "b stands below the line of the exponent. A wide distribution forgives large distances.",
            "How should the price of a distance change when b is doubled, and how does yours?",
        ),
        Mistake(
            "takes the constant off",
            mean_of(lambda f, t, b: (t - f).abs() / b - math.log(2 * b)),
            "The distances are right. The term that holds b alone has the wrong sign.",
            "2b stands below the line. Minus the logarithm of 1 divided by it is the logarithm of 2b itself.",
            "Take the logarithm of one quarter, and then minus that. Is it above or below 0?",
        ),
        Mistake(
            "keeps the sign of the distance",
            mean_of(lambda f, t, b: (t - f) / b + math.log(2 * b)),
            "Targets above the prediction come out right. Those below it make your loss smaller, without end.",
            "The exponent holds the size of the difference. With its sign, a prediction that is much too high is rewarded.",
            "What do a target 3 above and one 3 below the prediction cost by the formula?",
        ),
        Mistake(
            "leaves the constant out, and adds up",
            lambda f, t, b: ((t - f).abs() / b).sum(),
            "Your loss grows with the number of examples, and each of them lacks the same amount.",
            "You return a sum where a mean is asked. And the factor before the exponential has been dropped.",
            "Mend the reduction first, with two equal examples. Then take the logarithm of the density factor by factor.",
        ),
    ]
