"""Exercise 03.5: the widest network for a budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isqrt
from typing import Any

import torch

from companion.checks.bank import Mistake, Out, Parameter, exercise, per_variant, rng
from companion.checks.ch03_forward.e5_mistakes import KINDS, Kind, WidthFor, mistakes_of
from companion.checks.trace import Case


def _in_parameters(budget: int, inputs: int, outputs: int, depth: int) -> int:
    """Return the largest width of depth equal hidden layers for the budget, 0 if not even one unit fits."""
    width = 0
    while True:
        parameters, before = 0, inputs
        for after in [width + 1] * depth + [outputs]:  # with one unit more in each hidden layer
            parameters += (before + 1) * after
            before = after
        if parameters > budget:
            return width
        width += 1


def _in_weights(budget: int, inputs: int, outputs: int, depth: int) -> int:
    """Return the largest width of depth equal hidden layers for the budget, 0 if not even one unit fits."""
    width = 0
    while True:
        weights, before = 0, inputs
        for after in [width + 1] * depth + [outputs]:  # with one unit more in each hidden layer
            weights += before * after
            before = after
        if weights > budget:
            return width
        width += 1


def _in_bytes(budget: int, inputs: int, outputs: int, depth: int) -> int:
    """Return the largest width of depth equal hidden layers for the budget, 0 if not even one unit fits."""
    width = 0
    while True:
        parameters, before = 0, inputs
        for after in [width + 1] * depth + [outputs]:  # with one unit more in each hidden layer
            parameters += (before + 1) * after
            before = after
        if 4 * parameters > budget:  # a float32 takes 32 bits
            return width
        width += 1


def _in_flops(budget: int, inputs: int, outputs: int, depth: int) -> int:
    """Return the largest width of depth equal hidden layers for the budget, 0 if not even one unit fits."""
    width = 0
    while True:
        products, before = 0, inputs
        for after in [width + 1] * depth + [outputs]:  # with one unit more in each hidden layer
            products += before * after
            before = after
        if 2 * products > budget:  # each weight multiplies once and is added once
            return width
        width += 1


REFERENCES: Mapping[str, WidthFor] = {
    "parameters": _in_parameters,
    "weights": _in_weights,
    "bytes": _in_bytes,
    "flops": _in_flops,
}


def _by_formula(kind: Kind) -> WidthFor:
    """Solve (depth - 1) w² + (inputs + outputs + biases) w + the outputs' biases = budget for w, rounded down."""

    def width_for(budget: int, inputs: int, outputs: int, depth: int) -> int:
        each, biased = kind.each, int(kind.biased)
        a, b = each * (depth - 1), each * (inputs + outputs + biased * depth)
        left = budget - each * biased * outputs
        if left < 0:
            return 0
        return left // b if a == 0 else (isqrt(b * b + 4 * a * left) - b) // (2 * a)

    return width_for


def _by_halving(kind: Kind) -> WidthFor:
    def width_for(budget: int, inputs: int, outputs: int, depth: int) -> torch.Tensor:
        fits, fails = 0, budget + 1
        while fails - fits > 1:
            middle = (fits + fails) // 2
            if kind.cost([inputs, *[middle] * depth, outputs]) <= budget:
                fits = middle
            else:
                fails = middle
        return torch.tensor(fits)

    return width_for


def _cases(kind: Kind) -> Callable[[int], list[Case]]:
    def cases(seed: int) -> list[Case]:
        def case(name: str, budget: int, inputs: int, outputs: int, depth: int, **options: Any) -> Case:
            return Case(name, {"budget": budget, "inputs": inputs, "outputs": outputs, "depth": depth}, **options)

        def cost(width: int, inputs: int, outputs: int, depth: int) -> int:
            return kind.cost([inputs, *[width] * depth, outputs])

        drawn = torch.randint(2, 9, (3,), generator=rng(seed)).tolist()
        return [
            case("the example of the task", kind.example[0], 3, 2, 2),
            case("one hidden layer for the digits", kind.each * 5000, 64, 10, 1),
            case("a wide layer", kind.each * 100_000, 64, 10, 1),
            case("three hidden layers, one number short of a further unit", cost(7, 6, 4, 3) - 1, 6, 4, 3),
            case("a budget that is used up to the last", cost(5, 9, 2, 2), 9, 2, 2),
            case("a budget that is too small for a single unit", cost(1, 4, 3, 2) - 1, 4, 3, 2),
            case("a budget of 1", 1, 4, 3, 2),  # less than the biases of the outputs
            case("five narrow layers", kind.each * 138, 1, 6, 5),
            case("six hidden layers for the digits", kind.each * 5000, 64, 10, 6),
            case("numbers drawn at random", cost(drawn[0] + 3, drawn[1], drawn[2], 4) + 3, drawn[1], drawn[2], 4),
        ]

    return cases


@exercise(
    "03.5",
    title="The widest network for a budget",
    points=1,
    parameters=({"counted": "parameters"}, {"counted": "weights"}, {"counted": "bytes"}, {"counted": "flops"}),
)
class WidthForBudget:
    """A fair contest gives every network the same budget."""

    name = "width_for"
    read = "Depth against width"
    returns = (Out("out", "integer"),)
    tolerance = 0.0

    @per_variant
    def reference(p: Parameter) -> WidthFor:
        """Return the function that counts as this variant does."""
        return REFERENCES[p["counted"]]

    @per_variant
    def statement(p: Parameter) -> str:
        """Return the task with this variant's way to count."""
        kind = KINDS[p["counted"]]
        budget, width, by_hand = kind.example
        return rf"""
        A contest between deep and wide networks is fair if all of them get the same budget. The network has the sizes
        inputs - width - width - ... - width - outputs, with `depth` hidden layers, all equally wide, every layer joined
        to the next one in full.

        Write `width_for(budget, inputs, outputs, depth)`. It returns the largest width for which the network costs **at
        most** `budget`, as a whole number. {kind.rule} If not even one unit in each hidden layer fits, return 0. `depth`
        is 1 or more.

        Example: `width_for({budget}, 3, 2, 2)` is {width}. {by_hand}
        """

    @per_variant
    def cases(p: Parameter) -> Callable[[int], list[Case]]:
        """Return budgets in this variant's unit."""
        return _cases(KINDS[p["counted"]])

    @per_variant
    def mistakes(p: Parameter) -> list[Mistake]:
        """Return the known mistakes with this variant's way to count."""
        return mistakes_of(KINDS[p["counted"]])

    @per_variant
    def alternatives(p: Parameter) -> dict[str, WidthFor]:
        """Return other right answers with this variant's way to count."""
        kind = KINDS[p["counted"]]
        return {"by the quadratic formula": _by_formula(kind), "by halving": _by_halving(kind)}

    @per_variant
    def hints(p: Parameter) -> tuple[str, ...]:
        """Return hints that fit the way to count."""
        return (
            "First a count for one given width, on paper: list the sizes, and go through the neighbouring pairs.",
            "Then a search: begin with no unit at all, and go on as long as one unit more still fits.",
            KINDS[p["counted"]].hint,
        )
