"""Exercise 01.6: count the parameters."""

from __future__ import annotations

from itertools import pairwise
from math import prod
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
    layers = [torch.nn.Linear(a, b, bias=bias) for a, b in pairwise(sizes)]
    return sum(p.numel() for layer in layers for p in layer.parameters())


def _count_of_the_first_round(sizes: list[int], bias: bool = True) -> int | None:
    for inputs, outputs in pairwise(sizes):
        return inputs * outputs + outputs * bias
    return None


def _count_cases(seed: int) -> list[Case]:
    drawn = torch.randint(2, 9, (4,), generator=rng(seed)).tolist()
    return [
        Case("one neuron", {"sizes": [2, 1], "bias": True}, example=True),
        Case("no value given for bias", {"sizes": [4, 3, 2]}),
        Case("no biases", {"sizes": [4, 3, 2], "bias": False}),
        Case("three layers of weights", {"sizes": [5, 1, 7, 3], "bias": True}),
        Case("a network for 8 by 8 pictures", {"sizes": [64, 32, 10], "bias": True}),
        Case("sizes drawn at random", {"sizes": drawn, "bias": True}),
        Case("an input and nothing else", {"sizes": [1000], "bias": True}),  # long, so that it is shown last
    ]


@exercise("01.6", title="Count the parameters", points=1)
class CountParameters:
    """How many numbers a network learns."""

    reference = count_parameters
    returns = (Out("out", "integer"),)
    random = True  # a network that is built to be counted draws its weights
    read = "What a parameter is, and how many there are"
    statement = r"""
        A fully connected network is described by its sizes: `[64, 32, 10]` has 64 inputs, one hidden layer of
        32 units and 10 outputs. Each unit has one weight for each number that comes in, and one bias.

        Write `count_parameters(sizes, bias=True)`, which returns how many parameters there are. With
        `bias=False` the units have none. The inputs are numbers, not units: they have no parameters.

        Example: `[2, 1]`, a single neuron, has 2 weights and 1 bias, so 3 parameters.
    """
    cases = _count_cases
    mistakes = (
        Mistake(
            "forgets the biases",
            lambda sizes, bias=True: sum(a * b for a, b in pairwise(sizes)),
            "You count the weights alone: your number is the same with `bias=True` and with `bias=False`.",
            "A bias is a parameter too, a number that training may change. Each unit after the input has one of its "
            "own, beside its weights.",
            "Write down all the numbers of the single neuron in the task's example. Which of them does your count "
            "leave out?",
        ),
        Mistake(
            "counts biases that are not there",
            lambda sizes, bias=True: sum(a * b + b for a, b in pairwise(sizes)),
            "With `bias=False` your number is as large as with `bias=True`; with biases it is right.",
            "The argument says whether the units have biases at all, and your count does not ask it. Layers without "
            "them do exist, for instance where a later step would undo every shift.",
            "Call your function twice on [4, 3, 2], with the argument True and with False. How many numbers go when "
            "the biases go?",
        ),
        Mistake(
            "gives the inputs a bias",
            lambda sizes, bias=True: sum(a * b for a, b in pairwise(sizes)) + sum(sizes) * bias,
            "Your number is too large, and the excess grows with the first of the sizes alone.",
            "The inputs are handed in: nothing is computed there, so there is nothing to shift. Biases begin with the "
            "first layer that has weights.",
            "Draw the network shown and mark each circle in which something is computed. How many circles stay "
            "unmarked?",
        ),
        Mistake(
            "counts one bias per layer",
            lambda sizes, bias=True: sum(a * b + bias for a, b in pairwise(sizes)),
            "Your number is right where each layer has one unit, and too small as soon as a layer has more.",
            "You count one bias for a whole layer. A bias is the movable threshold of one unit, and the units of a "
            "layer do not share theirs.",
            "Put three units side by side, each with two inputs, and write the parameters of each in a row of its "
            "own. How many biases have you written?",
        ),
        Mistake(
            "counts a bias per input",
            lambda sizes, bias=True: sum(a * b + a * bias for a, b in pairwise(sizes)),
            "In each layer your biases are as many as its inputs, not as many as its units.",
            "A weight sits on a connection, a bias on a unit. What arrives at a unit is multiplied, added up, and "
            "then shifted once, however many inputs there are.",
            "Count the biases of a layer with 4 inputs and 3 units on paper, one unit after the other. Which of the "
            "two sizes did you need?",
        ),
        Mistake(
            "counts units",
            lambda sizes, bias=True: sum(sizes[1:]),
            "Your number is that of the units: make the input ten times as long, and it stays the same.",
            "A unit is a place where something is computed. Its parameters are the numbers that it computes with: one "
            "weight for each input, and a bias.",
            "Take the single neuron [2, 1]. How many units has it, and how many numbers in it does training change?",
        ),
        Mistake(
            "counts the inputs and the units",
            lambda sizes, bias=True: sum(sizes),
            "Your number is the sum of the sizes: that of all circles in a drawing of the network.",
            "The circles hold values, which are others for each example. The weights lie on the wires, and a fully "
            "connected layer has a wire for each pair of circles.",
            "Draw [4, 3, 2] and count the wires between the first two columns. Which operation on the two sizes gives "
            "that number?",
        ),
        Mistake(
            "counts the first layer only",
            lambda sizes, bias=True: sizes[0] * sizes[1] + sizes[1] * bias if len(sizes) > 1 else 0,
            "Your number stays the same however many layers follow after the first two sizes.",
            "Your count ends after one pair of sizes. What a layer sends out is the input of the next one, so each "
            "neighbouring pair brings weights of its own.",
            "Write the neighbouring pairs of [5, 1, 7, 3] below each other. How many are there, and how many does "
            "your code visit?",
        ),
        Mistake(
            "returns inside the loop",
            _count_of_the_first_round,
            "You return what the first two sizes give; a single size gives None, because the loop has no round.",
            "A `return` ends the function at once, wherever it stands. Yours stands inside the loop, so the first round "
            "is also the last, and without a round it is never reached.",
            "Print the two sizes at the start of each round, for [4, 3, 2]. How many rounds do you see, and which line "
            "ends them?",
        ),
        Mistake(
            "multiplies only the ends",
            lambda sizes, bias=True: sizes[0] * sizes[-1] + sizes[-1] * bias if len(sizes) > 1 else 0,
            "Your number does not depend on the sizes in the middle: the hidden layers are left out.",
            "You connect the inputs straight to the outputs. In a feedforward network each layer is joined to its "
            "neighbour, and what lies between the ends has parameters too.",
            "Change the hidden size of 64-32-10 to 1 and try it with your function. Should a network with a far "
            "narrower layer have as many parameters?",
        ),
        Mistake(
            "forgets the biases of the output layer",
            lambda sizes, bias=True: sum(a * b for a, b in pairwise(sizes)) + sum(sizes[1:-1]) * bias,
            "Your number is too small, and what is missing grows with the last of the sizes alone.",
            "The units of the output layer are neurons like the hidden ones: they add up and shift. Only the input "
            "layer computes nothing.",
            "Take the single neuron [2, 1]: its one unit is an output unit. Which of its parameters does your "
            "function count?",
        ),
        Mistake(
            "multiplies all sizes",
            lambda sizes, bias=True: prod(sizes) + sum(sizes[1:]) * bias,
            "Your number multiplies with each further layer: it is the product of all sizes, with the biases added.",
            "The product of all sizes counts the paths from the inputs to the outputs. A weight lies on one step of "
            "such a path, and all paths that take this step share it.",
            "Draw a 2-3-2 network and count its wires. Then count the ways to walk through it from left to right.",
        ),
        Mistake(
            "stops before the last layer",
            lambda sizes, bias=True: sum(a * b + b * bias for a, b in pairwise(sizes[:-1])),
            "Your number does not change when the last of the sizes does; for a single neuron it is 0.",
            "Your count ends one pair too early. Between n sizes there are n - 1 gaps, and each of them holds a matrix "
            "of weights, also the one in front of the outputs.",
            "Print the pairs that your code visits for [4, 3, 2]. Which gap between two neighbouring sizes is missing?",
        ),
        Mistake(
            "stops before the last layer, and gives the inputs a bias",
            lambda sizes, bias=True: sum(a * b for a, b in pairwise(sizes[:-1])) + sum(sizes) * bias,
            "The weights in front of the outputs are not in your number, and biases for the inputs are.",
            "The pairs that you visit end one too early, so a matrix is missing; and a bias is given to each circle, "
            "although nothing is computed in those of the input.",
            "Compare [4, 3, 2] without biases first: write its two matrices down and count. Then ask which of the three "
            "layers has something to shift.",
        ),
        Mistake(
            "multiplies all sizes, and forgets the biases",
            lambda sizes, bias=True: prod(sizes),
            "Your number is the bare product of all sizes, with biases and without.",
            "Two ideas meet here: the product counts paths through the network instead of its wires, and the shift "
            "that each unit learns is not taken for a parameter.",
            "Begin with a network without a hidden layer, such as [2, 1], and make its number right. Then append a "
            "layer and count the new wires on paper.",
        ),
        Mistake(
            "gives the inputs a bias, and counts biases that are not there",
            lambda sizes, bias=True: sum(a * b for a, b in pairwise(sizes)) + sum(sizes),
            "Each circle of the drawing gets a bias from you, the inputs too, and `bias=False` changes nothing.",
            "You took biases for a fixed part of every circle. They are an option of the layers that compute, and the "
            "input layer only hands numbers on.",
            "Try your function on [3], and on [4, 3, 2] with the argument False. What is there for training to change "
            "in each of the two?",
        ),
    )
    alternatives: ClassVar = {"two sums": _count_by_sums, "build it and count": _count_by_building}
    hints = (
        "How many numbers does one unit need that has 4 inputs? And three such units side by side?",
        "Between a layer of a and a layer of b lie a times b weights and b biases. Go through the sizes and "
        "keep the one before.",
        "Add up `a * b + b` over the pairs, and leave out the second term when bias is False.",
    )
