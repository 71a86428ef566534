"""Exercise 01.6: count the parameters."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import torch

from companion.checks.bank import Mistake, Out, exercise, rng
from companion.checks.trace import Case


def count_parameters(sizes: list[int], bias: bool = True) -> int:
    """Return how many weights and biases a fully connected network with these layer sizes has."""
    total, inputs = 0, sizes[0]
    for outputs in sizes[1:]:
        total += inputs * outputs + (outputs if bias else 0)
        inputs = outputs  # what this layer sends out, the next one takes in
    return total


def _count_by_sums(sizes: list[int], bias: bool = True) -> int:
    weights = sum(a * b for a, b in pairwise(sizes))
    return weights + sum(sizes[1:]) * bias


def _count_by_building(sizes: list[int], bias: bool = True) -> int:
    layers = [torch.nn.Linear(a, b, bias=bias, device="meta") for a, b in pairwise(sizes)]
    return sum(p.numel() for layer in layers for p in layer.parameters())


def _count_cases(seed: int) -> list[Case]:
    drawn = torch.randint(2, 9, (4,), generator=rng(seed)).tolist()
    return [
        Case("one neuron", {"sizes": [2, 1], "bias": True}),
        Case("no value given for bias", {"sizes": [4, 3, 2]}),
        Case("no biases", {"sizes": [4, 3, 2], "bias": False}),
        Case("three layers of weights", {"sizes": [5, 1, 7, 3], "bias": True}),
        Case("a network for 8 by 8 pictures", {"sizes": [64, 32, 10], "bias": True}),
        Case("an input and nothing else", {"sizes": [3], "bias": True}),
        Case("sizes drawn at random", {"sizes": drawn, "bias": True}),
    ]


@exercise("01.6", title="Count the parameters", points=1)
class CountParameters:
    """How many numbers a network learns."""

    reference = count_parameters
    returns = (Out("out", "integer"),)
    statement = r"""
        A fully connected network is described by its sizes: `[64, 32, 10]` has 64 inputs, one hidden layer of
        32 units and 10 outputs. Each unit has one weight for each number that comes in, and one bias.

        Write `count_parameters(sizes, bias=True)`, which returns how many parameters there are. With
        `bias=False` the units have none. The inputs are numbers, not units: they have no parameters.

        Example: `[2, 1]`, a single neuron, has 2 weights and 1 bias, so 3 parameters.

        *Serves the objective: say what a parameter is and count a network's parameters.*
    """
    cases = _count_cases
    mistakes = (
        Mistake(
            "forgets the biases",
            lambda sizes, bias=True: sum(a * b for a, b in pairwise(sizes)),
            "You count the weights only. Each unit has a bias as well, one per unit of every layer after the input.",
        ),
        Mistake(
            "counts biases that are not there",
            lambda sizes, bias=True: sum(a * b + b for a, b in pairwise(sizes)),
            "With bias=False you still count biases. What should the argument switch off?",
        ),
        Mistake(
            "gives the inputs a bias",
            lambda sizes, bias=True: sum(a * b for a, b in pairwise(sizes)) + sum(sizes) * bias,
            "Too many by exactly the number of inputs. Inputs are given numbers; they have no bias.",
        ),
        Mistake(
            "counts one bias per layer",
            lambda sizes, bias=True: sum(a * b + bias for a, b in pairwise(sizes)),
            "You count one bias for each layer. Each unit of a layer has its own threshold, hence its own bias.",
        ),
        Mistake(
            "counts a bias per input",
            lambda sizes, bias=True: sum(a * b + a * bias for a, b in pairwise(sizes)),
            "You add as many biases as a layer has inputs. Biases belong to the units that send out, not to "
            "what comes in.",
        ),
        Mistake(
            "counts units",
            lambda sizes, bias=True: sum(sizes[1:]),
            "You counted the units. Each of them brings as many weights as it has inputs.",
        ),
        Mistake(
            "counts the inputs and the units",
            lambda sizes, bias=True: sum(sizes),
            "You added up the sizes. A parameter is a weight or a bias: how many lie between two layers?",
        ),
        Mistake(
            "counts the first layer only",
            lambda sizes, bias=True: sizes[0] * sizes[1] + sizes[1] * bias if len(sizes) > 1 else 0,
            "You count the first layer of weights and stop. The units of each layer send to the next one: "
            "go on to the end.",
        ),
        Mistake(
            "multiplies only the ends",
            lambda sizes, bias=True: sizes[0] * sizes[-1] + sizes[-1] * bias if len(sizes) > 1 else 0,
            "You connect the inputs straight to the outputs. Weights lie between each layer and the next one.",
        ),
    )
    alternatives: ClassVar = {"two sums": _count_by_sums, "build it and count": _count_by_building}
    hints = (
        "How many numbers does one unit need that has 4 inputs? And three such units side by side?",
        "Between a layer of a and a layer of b lie a times b weights and b biases. Go through the sizes and "
        "keep the one before.",
        "Add up `a * b + b` over the pairs, and leave out the second term when bias is False.",
    )
