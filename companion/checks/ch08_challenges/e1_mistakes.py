"""What goes wrong with the variances of a network's sums (exercise 08.1), and what to say about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake

Variances = Callable[[float, Sequence[int], Tensor, str], Tensor]


def _grown(
    factor: Callable[[int, int, Tensor], Tensor] = lambda inputs, units, spread: inputs * spread**2,
    left: Callable[[str], float] = lambda activation: 0.5 if activation == "relu" else 1.0,
    start: Callable[[float], float] = lambda first: first,
) -> Variances:
    """Return the rule with another growth in a layer, another share behind the activation, or another beginning."""

    def variances(first: float, widths: Sequence[int], spreads: Tensor, activation: str) -> Tensor:
        moment: Tensor | float = start(first)
        found: list[Tensor] = []
        for inputs, units, spread in zip(widths, widths[1:], spreads):
            q = factor(inputs, units, spread) * moment
            found.append(q)
            moment = q * left(activation)
        return torch.stack(found)

    return variances


def _then(change: Callable[[Tensor, float, str], Tensor]) -> Variances:
    """Return the right variances, and something done to them in the end."""
    return lambda first, widths, spreads, activation: change(
        _grown()(first, widths, spreads, activation), first, activation
    )


def _share(activation: str) -> float:
    return 0.5 if activation == "relu" else 1.0


def _each_by_itself(first: float, widths: Sequence[int], spreads: Tensor, activation: str) -> Tensor:
    return torch.stack([n * s**2 * first for n, s in zip(widths, spreads)])


def _halved_once(first: float, widths: Sequence[int], spreads: Tensor, activation: str) -> Tensor:
    q = _grown(left=lambda activation: 1.0)(first, widths, spreads, activation)
    q[1:] *= _share(activation)
    return q


def _next_spread(first: float, widths: Sequence[int], spreads: Tensor, activation: str) -> Tensor:
    return _grown()(first, widths, torch.cat([spreads[:1], spreads[:-1]]), activation)


_LAYER = (
    Mistake(
        "takes the number of units for the number of inputs",
        _grown(lambda inputs, units, spread: units * spread**2),
        "Where a layer has more units than inputs your variance is too large, and where it has fewer it is too small.",
        "You count how many sums the layer makes. Each sum has one product for each input, so the fan-in is what counts.",
        "Draw one unit of the first layer of the example. How many arrows end in it: 4, or 8?",
    ),
    Mistake(
        "forgets how many products are added up",
        _grown(lambda inputs, units, spread: spread**2),
        "Your variances fall much too fast: they are those of a single product, w times x.",
        "The variances of independent products add up, one for each input. The factor n of the formula is missing.",
        "Throw one die, then add up four of them. By what does the variance of the sum differ from that of one die?",
    ),
    Mistake(
        "divides by the number of inputs",
        _grown(lambda inputs, units, spread: spread**2 / inputs),
        "Your variances fall much too fast, and in wide layers most of all.",
        "That is the variance of a mean of n products. A unit takes their sum, whose variance is n times that of "
        "one product.",
        "Read the formula for z: is there a 1/n before the sum? Then decide where n belongs in the variance.",
    ),
    Mistake(
        "adds the spreads of the products",
        _grown(lambda inputs, units, spread: (inputs * spread) ** 2),
        "Your variances are too large, by the number of inputs in each layer.",
        "You multiply the standard deviation by n, and then square. Independent terms partly cancel, so it is "
        "the variances that add up.",
        "A walk of 4 steps, each to the left or the right by chance: is it usually 4 steps long, or about 2?",
    ),
    Mistake(
        "takes the standard deviation for the variance",
        _grown(lambda inputs, units, spread: inputs * spread),
        "With spreads below 1 your variances are too large, as if the weights were drawn much wider.",
        "`spreads` holds standard deviations, and the formula has the variance of a weight, which is the square.",
        "What is the variance of weights whose standard deviation is 0.5? Which of the two stands in your product?",
    ),
)

_BEHIND = (
    Mistake(
        "forgets what a ReLU takes away",
        _grown(left=lambda activation: 1.0),
        "Without an activation you are right. With ReLUs each layer behind the first is too large, and the "
        "factor grows layer by layer.",
        "A ReLU sets the negative sums to 0. With sums that lie evenly around 0 this takes one half of the mean square away.",
        "Write down four sums such as -2, -1, 1, 2, and their mean square. What is it behind a ReLU?",
    ),
    Mistake(
        "halves in the first layer already",
        _grown(lambda inputs, units, spread: inputs * spread**2, start=lambda first: first / 2, left=_share),
        "Every number is half of what it should be, from the first layer on.",
        "The network's inputs come through no activation. Their mean square enters the first layer whole.",
        "What stands in front of the first layer: a ReLU, or the data?",
    ),
    Mistake(
        "halves the sums of its own layer",
        _then(lambda q, first, activation: q * _share(activation)),
        "With ReLUs every number of yours is half of what it should be.",
        "You return the mean square behind the activation. Asked for is the variance of the sums before it, "
        "which is twice as large.",
        "Where in a layer is z, and where is what leaves it? Which of the two does your list keep?",
    ),
    Mistake(
        "halves once for all layers",
        _halved_once,
        "With ReLUs your first two layers are right. From the third on the numbers are too large.",
        "Every layer has ReLUs of its own, and each of them halves what passes. You halve once, whatever the depth.",
        "How many ReLUs does a signal pass before it enters the fourth layer? What is one half, taken so often?",
    ),
    Mistake(
        "halves the standard deviation",
        _grown(left=lambda activation: 0.25 if activation == "relu" else 1.0),
        "With ReLUs your signal dies out too fast: each layer takes three quarters of it away.",
        "It is the mean square that is halved behind a ReLU. If you halve the standard deviation, a quarter of "
        "the square is left.",
        "Take the sums -2, -1, 1, 2: which is the mean square before a ReLU, and which behind it?",
    ),
    Mistake(
        "takes the variance behind a ReLU for the mean square",
        _grown(left=lambda activation: 0.5 - 0.5 / math.pi if activation == "relu" else 1.0),
        "With ReLUs every layer behind the first is too small, by about a third each.",
        "What leaves a ReLU has a mean above 0. Its variance takes that mean off, and the sums of the next layer "
        "feel it all the same.",
        "Look at the formula of the statement: does it have the variance of x, or the mean of x squared?",
    ),
    Mistake(
        "halves where no ReLU stands and not behind one",
        _grown(left=lambda activation: 1.0 if activation == "relu" else 0.5),
        "Your two kinds of network are exchanged: the linear one loses half in each layer, and the one with ReLUs nothing.",
        "The condition is turned round: the half belongs to the ReLU, which sets the negative sums to 0.",
        "Read your line aloud: what does it do if `activation` is `relu`, and what else?",
    ),
    Mistake(
        "halves without an activation as well",
        _grown(left=lambda activation: 0.5),
        "With ReLUs you are right. Without an activation your numbers are halved from layer to layer all the same.",
        "Where no activation stands nothing is set to 0, and the sums enter the next layer as they are.",
        "Which line of your code asks what `activation` is? Try both words with the example.",
    ),
)

_FIRST = (
    Mistake(
        "forgets the inputs",
        _grown(start=lambda first: 1.0),
        "Your result is the same for every `first`, as if the mean square of the inputs were always 1.",
        "How large the inputs are decides how large everything behind them is: each later variance is a multiple of it.",
        "Double `first` in the example. What should become of both numbers, and what becomes of yours?",
    ),
    Mistake(
        "forgets what enters a layer",
        lambda first, widths, spreads, activation: torch.stack([n * s**2 for n, s in zip(widths, spreads)]),
        "Each of your numbers depends on its own layer alone: on its inputs and its weights.",
        "That is the factor by which a layer makes the signal larger or smaller. How large the signal is comes "
        "from the layers before.",
        "Which of the three factors of the formula is missing in your line, and which number should it be in the "
        "second layer?",
    ),
    Mistake(
        "squares what is a mean square already",
        _grown(start=lambda first: first**2),
        "Your numbers are off by one factor in all layers: `first` stands in them squared.",
        "`first` is E[x²], so the square has been taken. Squared again it would have the unit of x to the fourth power.",
        "If all inputs are 2, what is `first`? And with which number does the first layer begin?",
    ),
    Mistake(
        "begins every layer with the inputs",
        _each_by_itself,
        "Your first layer is right, and the others are too: but each as if the network's inputs came straight into it.",
        "What enters the second layer is what left the first. Its size has to be carried on from one layer to the next.",
        "Which number changes from round to round of your loop, and which should?",
    ),
    Mistake(
        "puts the inputs at the first place",
        _then(lambda q, first, activation: torch.cat([torch.full_like(q[:1], first), q[:-1]])),
        "Your list begins with `first`, and everything is one place too late. The last layer is missing.",
        "You keep what enters each layer, or keep it before the layer has been computed. Asked for is what each layer makes.",
        "Which number of the example belongs to the first layer: 3 inputs squared in the mean, or the variance of its sums?",
    ),
    Mistake(
        "uses the spread of the layer before",
        _next_spread,
        "Your first layer is right, and each later one is computed with the spread of the layer before it.",
        "An index is off by one. The weights of layer l stand between what enters and the sums of layer l, both "
        "at its own place.",
        "Print layer, inputs and spread side by side in each round. With which spread should 8 inputs of the example meet?",
    ),
    Mistake(
        "returns standard deviations",
        _then(lambda q, first, activation: q.sqrt()),
        "Your numbers are the square roots of what is asked for.",
        "The spread of the sums is what a histogram shows. Asked for is its square, the variance, as in the formula for q.",
        "Which letter of the formula do you return? Follow the unit: is it that of z, or that of z squared?",
    ),
    Mistake(
        "returns standard deviations, and squares what is a mean square already",
        lambda first, widths, spreads, activation: _grown(start=lambda first: first**2)(
            first, widths, spreads, activation
        ).sqrt(),
        "Your numbers are square roots, and under the root `first` stands squared.",
        "Two things at once: a variance is asked for and not its root, and `first` is E[x²], of which the square has been taken.",
        "Take one layer with one input and a spread of 1. What should come out for `first = 3`, and what does in yours?",
    ),
    Mistake(
        "takes the number of units for the number of inputs, and forgets what a ReLU takes away",
        _grown(lambda inputs, units, spread: units * spread**2, left=lambda activation: 1.0),
        "Even a single layer is off in your result, and with ReLUs a factor of 2 in each later layer comes on top.",
        "Two things at once: you count the units of a layer where its inputs belong, and nothing is taken away "
        "behind a ReLU.",
        "Set the single layer right first: how many products does one sum have? Then send -2, -1, 1, 2 through a ReLU.",
    ),
)

MISTAKES = (*_LAYER, *_BEHIND, *_FIRST)
