"""Exercise 08.2: Xavier and He."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import torch

from companion.checks.bank import Out, Property, exercise
from companion.checks.ch08_challenges.e2_mistakes import MISTAKES
from companion.checks.trace import Case


def start(shape: tuple[int, ...], rule: str) -> tuple[float, float]:
    """Return the standard deviation of a normal start and the bound of a uniform one, for a weight of this shape."""
    units, inputs, *kernel = shape
    places = 1
    for size in kernel:
        places = places * size
    fan_in, fan_out = inputs * places, units * places
    variance = 2 / (fan_in + fan_out) if rule == "xavier" else 2 / fan_in
    return variance**0.5, (3 * variance) ** 0.5


def _by_counting_weights(shape: Sequence[int], rule: str) -> tuple[float, float]:
    count = math.prod(shape)
    fan_in, fan_out = count / shape[0], count / shape[1]
    std = math.sqrt(2 / fan_in) if rule == "he" else math.sqrt(2 / (fan_in + fan_out))
    return std, std * math.sqrt(3)


def _by_a_weight(shape: Sequence[int], rule: str) -> tuple[torch.Tensor, torch.Tensor]:
    w = torch.empty(*shape, device="meta")
    fan_in, fan_out = w[0].numel(), w[:, 0].numel()
    n = torch.tensor((fan_in + fan_out) / 2 if rule == "xavier" else fan_in / 2, dtype=torch.float64)
    return n.rsqrt(), (3 / n).sqrt()


def _cases(seed: int) -> list[Case]:
    more = seed % 7

    def case(shape: tuple[int, ...], rule: str, what: str, *, example: bool = False) -> Case:
        return Case(f"{what}, by {rule.title()}", {"shape": shape, "rule": rule}, example=example)

    return [
        case((100, 50), "xavier", "the linear layer worked out", example=True),
        case((100, 50), "he", "the linear layer worked out", example=True),
        case((10, 64 + more), "he", "a layer with few units"),
        case((10, 64 + more), "xavier", "a layer with few units"),
        case((48, 3, 5, 5), "he", "a convolution of 5 by 5"),
        case((48, 3, 5, 5), "xavier", "a convolution of 5 by 5"),
        case((12, 20 + more, 3, 7), "xavier", "a convolution of 3 by 7"),
        case((12, 20 + more, 3, 7), "he", "a convolution of 3 by 7"),
        case((6, 4, 9), "xavier", "a convolution along a line"),
        case((6, 4, 9), "he", "a convolution along a line"),
        case((5, 2, 3, 4, 2), "xavier", "a convolution in a volume"),
        case((1, 30 + more), "xavier", "a single unit"),
        case((7, 16, 1, 1), "he", "a kernel of 1 by 1"),
    ]


_UNIFORM = Property(
    "standard deviation and bound belong together",
    lambda case, o: bool((o["bound"].double() / o["std"].double() - 3**0.5).abs() < 1e-4),
    "Your bound does not have the standard deviation that you return: numbers drawn evenly from -a to a have another one.",
    "Both answers are the same start, drawn from a bell or from an interval. So they must have the same variance.",
    "What is the variance of numbers drawn evenly from -a to a? Set it equal to the square of your standard deviation.",
)


@exercise("08.2", title="Xavier and He", points=1)
class XavierAndHe:
    """How widely to draw the weights of a layer, read off the shape of its weight."""

    reference = start
    read = "A good start"
    returns = (Out("std", "number"), Out("bound", "number"))
    properties = (_UNIFORM,)
    statement = r"""
        How widely a weight has to be drawn follows from its shape alone. Two rules have become the usual ones. Xavier
        Glorot's looks at both directions, forwards and back. Kaiming He's looks forwards, and makes up for what a ReLU takes
        away:

        $$\text{Xavier:}\quad \operatorname{Var}(w) = \frac{2}{n_{\text{in}} + n_{\text{out}}}
        \qquad\qquad \text{He:}\quad \operatorname{Var}(w) = \frac{2}{n_{\text{in}}}$$

        A unit adds up $n_{\text{in}}$ products, and each input goes into $n_{\text{out}}$ sums. In a convolution a unit
        looks at all places of its kernel, in every input channel. So with a kernel of $h \times w$ both numbers are channels
        times $h \cdot w$.

        Write `start(shape, rule)`. It returns two numbers, `(std, bound)`: the standard deviation for weights drawn from a
        normal distribution, and the bound $a$ for weights drawn evenly from $-a$ to $a$. Evenly drawn numbers have the
        variance $a^2 / 3$, and both ways are to have the variance of the rule.

        * `shape` is the shape of a weight as PyTorch lays it out: (units, inputs) of a linear layer, (output channels, input
          channels, then the sizes of the kernel) of a convolution along a line, in a picture or in a volume.
        * `rule` is `"xavier"` or `"he"`.

        Example: `start((100, 50), "xavier")`. The variance is $2 / (50 + 100) = 0.01333$. Its root is 0.1155, and from
        $a^2 / 3 = 0.01333$ follows $a = 0.2$. So the result is `(0.1155, 0.2)`. With `"he"` it is `(0.2, 0.3464)`.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {"by counting weights": _by_counting_weights, "by a weight of that shape": _by_a_weight}
    hints = (
        "First the two fans. In a linear layer they stand in the shape as they are: which of the two comes first?",
        "All sizes behind the first two belong to the kernel. Their product is the number of places, 1 for a "
        "linear layer, and "
        "both fans are multiplied by it.",
        "With `units, inputs, *kernel = shape` the kernel's sizes are in a list of their own. Then `variance ** 0.5` is the "
        "first answer, and `(3 * variance) ** 0.5` the second.",
    )
