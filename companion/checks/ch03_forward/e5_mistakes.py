"""Ways to count a network's cost (exercise 03.5), what goes wrong with each, and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from companion.checks.bank import Mistake

WidthFor = Callable[[int, int, int, int], Any]


@dataclass(frozen=True)
class Kind:
    """A way to count: what each number costs, whether biases count, and the words of the statement."""

    each: int
    biased: bool
    rule: str
    example: tuple[int, int, str]
    hint: str

    def cost(self, sizes: Sequence[int]) -> int:
        """Return what a fully connected network of these sizes costs."""
        return self.each * sum((a + self.biased) * b for a, b in pairwise(sizes))


KINDS = {
    "parameters": Kind(
        1,
        True,
        "The cost is the number of parameters, weights and biases.",
        (
            40,
            3,
            "By hand: 3-3-3-2 has $(3 + 1) \\cdot 3 + (3 + 1) \\cdot 3 + (3 + 1) \\cdot 2 = 32$ parameters, and 3-4-4-2 has "
            "$16 + 20 + 10 = 46$, which is too many.",
        ),
        "The sizes are `[inputs] + [width] * depth + [outputs]`; add up `(a + 1) * b` over the pairs, and return the last "
        "width for which the sum is not above the budget.",
    ),
    "weights": Kind(
        1,
        False,
        "The layers have **no biases**; the cost is the number of weights.",
        (
            40,
            4,
            "By hand: 3-4-4-2 has $3 \\cdot 4 + 4 \\cdot 4 + 4 \\cdot 2 = 36$ weights, and 3-5-5-2 has $15 + 25 + 10 = 50$, "
            "which is too many.",
        ),
        "The sizes are `[inputs] + [width] * depth + [outputs]`; add up `a * b` over the pairs, and return the last width "
        "for which the sum is not above the budget.",
    ),
    "bytes": Kind(
        4,
        True,
        "The cost is the memory of the parameters in **bytes**: weights and biases are float32, 4 bytes each.",
        (
            160,
            3,
            "By hand: 3-3-3-2 has $(3 + 1) \\cdot 3 + (3 + 1) \\cdot 3 + (3 + 1) \\cdot 2 = 32$ parameters, which take 128 "
            "bytes; 3-4-4-2 has 46, which take 184, too many.",
        ),
        "The sizes are `[inputs] + [width] * depth + [outputs]`; add up `(a + 1) * b` over the pairs, times 4, and return "
        "the last width for which that is not above the budget.",
    ),
    "flops": Kind(
        2,
        False,
        "The cost is the number of **FLOPs for one example**: two for each weight, none for biases and bends.",
        (
            60,
            3,
            "By hand: 3-3-3-2 has $9 + 9 + 6 = 24$ weights and takes 48 FLOPs; 3-4-4-2 has 36 and takes 72, too many.",
        ),
        "The sizes are `[inputs] + [width] * depth + [outputs]`; add up `2 * a * b` over the pairs, and return the last "
        "width for which the sum is not above the budget.",
    ),
}
"""By the variant's parameter."""


def _largest(fits: Callable[[int], bool]) -> int:
    width = 0
    while fits(width + 1):
        width += 1
    return width


def _with(cost: Callable[[int, int, int, int], int]) -> WidthFor:
    """Return the search with another cost, a function of width, inputs, outputs and depth."""

    def width_for(budget: int, inputs: int, outputs: int, depth: int) -> int:
        return _largest(lambda w: cost(w, inputs, outputs, depth) <= budget)

    return width_for


def mistakes_of(kind: Kind) -> list[Mistake]:
    """Return what goes wrong with one way to count."""
    return [*_searches(kind), *_layers(kind), *_numbers(kind)]


def _sizes(w: int, inputs: int, outputs: int, depth: int) -> list[int]:
    return [inputs, *[w] * depth, outputs]


def _searches(kind: Kind) -> list[Mistake]:
    def found(budget: int, inputs: int, outputs: int, depth: int, room: int = 0) -> int:
        return _largest(lambda w: kind.cost(_sizes(w, inputs, outputs, depth)) <= budget - room)

    def closest(budget: int, inputs: int, outputs: int, depth: int) -> int:
        w = found(budget, inputs, outputs, depth)
        below, above = (kind.cost(_sizes(n, inputs, outputs, depth)) for n in (w, w + 1))
        return w if budget - below <= above - budget else w + 1

    return [
        Mistake(
            "takes the first width that is too wide",
            lambda budget, inputs, outputs, depth: found(budget, inputs, outputs, depth) + 1,
            "Your network is always one unit too wide: it costs more than the budget.",
            "The search ends when a width no longer fits, and returns that one. The last width that did fit was the one "
            "before.",
            "Put your answer back into the count for the task's example. On which side of the budget does it lie?",
        ),
        Mistake(
            "stays below the budget",
            lambda budget, inputs, outputs, depth: found(budget, inputs, outputs, depth, room=1),
            "Where a network costs exactly the budget, yours is one unit narrower; elsewhere it is right.",
            "At most means that the budget may be used up. Your comparison leaves out the case that both are equal.",
            "Take a budget that is just the cost of some width. What does your comparison say about that width?",
        ),
        Mistake(
            "takes the closest width",
            closest,
            "Sometimes your network costs a little more than the budget: where the next width is nearer to it.",
            "You look for the width whose cost lies closest to the budget, on either side. In a fair contest nobody may "
            "spend more than the others.",
            "Is the cost of your answer above the budget or below it? Ask that for each of your answers.",
        ),
        Mistake(
            "gives at least one unit",
            lambda budget, inputs, outputs, depth: max(found(budget, inputs, outputs, depth), 1),
            "With a budget too small for a single unit your answer is a network that costs too much.",
            "Your search begins with one unit and takes for granted that it fits. The task asks for 0 where it does not.",
            "Call your function with the budget 1. Which width comes out, and what does it cost?",
        ),
    ]


def _layers(kind: Kind) -> list[Mistake]:
    return [
        Mistake(
            "counts a hidden layer too few",
            _with(lambda w, i, o, d: kind.cost(_sizes(w, i, o, max(d - 1, 1)))),
            "With one hidden layer your width is right; with more of them your network has room for another layer.",
            "You count one hidden layer less than asked for, and so spend its share on the others. Between n hidden layers "
            "lie n - 1 tables, and one more stands at either end.",
            "Write down the sizes that you count for a depth of 3. How many of them are hidden layers?",
        ),
        Mistake(
            "counts a hidden layer too many",
            _with(lambda w, i, o, d: kind.cost(_sizes(w, i, o, d + 1))),
            "Your network is too narrow, and most of all where one hidden layer is asked for.",
            "Your sizes hold one hidden layer more than asked for, and its table uses up what the others could have.",
            "Write down your list of sizes for a depth of 1. How many of its entries are hidden layers?",
        ),
        Mistake(
            "leaves out the output layer",
            _with(lambda w, i, o, d: kind.cost([i, *[w] * d])),
            "Your network is too wide, and its width does not change with `outputs`.",
            "The count ends with the last hidden layer. What comes behind it has a table too: from the last hidden layer "
            "to the outputs.",
            "Call your function with 1 output and with 100. Should the width be the same?",
        ),
        Mistake(
            "leaves out what lies between hidden layers",
            _with(lambda w, i, o, d: kind.cost([i, w]) + kind.cost([w, o])),
            "With one hidden layer your width is right; with more of them it does not change with the depth.",
            "Your count has a table from the inputs and a table to the outputs. Every two hidden layers have one between "
            "them as well, width times width.",
            "Draw 3-4-4-2 and count the wires between each two columns. Which of the three numbers is not in your sum?",
        ),
        Mistake(
            "joins hidden layers one to one",
            _with(
                lambda w, i, o, d: kind.cost([i, w]) + kind.cost([w, o]) + (d - 1) * kind.each * (1 + kind.biased) * w
            ),
            "With one hidden layer your width is right; with more of them it comes out too large.",
            "Between two hidden layers you count one weight for each unit. In a full layer each unit reads every unit of "
            "the layer before it.",
            "Draw two neighbouring layers of 3 units and all wires between them. How many are there?",
        ),
    ]


def _numbers(kind: Kind) -> list[Mistake]:
    other = replace(kind, biased=not kind.biased)
    found = [_biases(kind, other)]
    if kind.biased:
        found.append(
            Mistake(
                "forgets the biases of the output layer",
                _with(lambda w, i, o, d: kind.cost(_sizes(w, i, o, d)) - kind.each * o),
                "In tight budgets your network is a unit too wide: its count is short by the number of outputs.",
                "The units of the output layer have biases like the hidden ones. Only the input has none.",
                "Count the biases of 3-3-3-2 on paper, layer by layer. How many does your sum hold?",
            )
        )
    if kind.each == 4:
        bare, double = replace(kind, each=1), replace(kind, each=8)
        found += [
            Mistake(
                "takes the budget for a number of parameters",
                _with(lambda w, i, o, d: bare.cost(_sizes(w, i, o, d))),
                "Your networks take about four times the memory that they may.",
                "The budget is in bytes, and you compare it with a count of numbers. Each of them takes up more room.",
                "How many bits has a float32, and how many bits has a byte?",
            ),
            Mistake(
                "takes eight bytes for each number",
                _with(lambda w, i, o, d: double.cost(_sizes(w, i, o, d))),
                "Your networks use about half of the memory that they may.",
                "Eight bytes are the size of a float64, Python's own kind of decimal number. Tensors are float32 unless "
                "told otherwise.",
                "What does `torch.zeros(1).element_size()` say, and which factor stands in your code?",
            ),
        ]
    if kind.each == 2:
        bare = replace(kind, each=1)
        found.append(
            Mistake(
                "counts multiplications only",
                _with(lambda w, i, o, d: bare.cost(_sizes(w, i, o, d))),
                "Your networks take about twice the work that they may.",
                "For each weight you count the multiplication. Its product is added to the sum as well, which is a second "
                "operation.",
                "Count the operations of $2 \\cdot 3 + 1 \\cdot 4$, with the sum that begins at 0. How many belong to each "
                "weight?",
            )
        )
    exclusive = "takes the first width that is too wide"
    found.append(
        Mistake(
            f"{found[0].name}, and {exclusive}",
            lambda budget, inputs, outputs, depth: (
                _with(lambda w, i, o, d: other.cost(_sizes(w, i, o, d)))(budget, inputs, outputs, depth) + 1
            ),
            "Your answer is off by a unit or more in every case, and the count behind it is another one than the task's.",
            f"Two things at once: your count {'leaves the biases out' if kind.biased else 'has biases in it'}, and the "
            "search returns the first width that does not fit.",
            "Begin with the count: let it print the cost of 3-3-3-2 and compare with the task. Then look at where the "
            "search ends.",
        )
    )
    return found


def _biases(kind: Kind, other: Kind) -> Mistake:
    """Return the mistake about biases: left out where they count, counted where they do not."""
    answer = _with(lambda w, i, o, d: other.cost(_sizes(w, i, o, d)))
    if kind.biased:
        return Mistake(
            "forgets the biases",
            answer,
            "Your network is too wide where the budget is tight: with its biases it costs more than it may.",
            "You count the weights alone. Each unit of the hidden layers and of the output has a bias besides.",
            "Compare your count for 3-3-3-2 with the one in the task. Which numbers are missing in each layer?",
        )
    return Mistake(
        "counts biases",
        answer,
        "Your network is too narrow where the budget is tight: it could have had a unit more.",
        "Your count has a number for each bias. In this task biases cost nothing, and the budget is for the weights.",
        "Compare your count for 3-3-3-2 with the task's rule. Which numbers are too many in each layer?",
    )
