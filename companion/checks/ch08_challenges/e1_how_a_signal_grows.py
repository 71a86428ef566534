"""Exercise 08.1: how a signal grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import exercise, rng
from companion.checks.ch08_challenges.e1_mistakes import MISTAKES
from companion.checks.numbers import F64, vector
from companion.checks.trace import Case


def variances(first: float, widths: list[int], spreads: torch.Tensor, activation: str) -> torch.Tensor:
    """Return the variance of the sums z in each layer, before the activation: (L,)."""
    moment = first  # the mean square of what enters the layer
    found = []
    for inputs, spread in zip(widths, spreads):
        q = inputs * spread**2 * moment
        found.append(q)
        moment = q / 2 if activation == "relu" else q
    return torch.stack(found)


def _all_at_once(first: float, widths: Sequence[int], spreads: Tensor, activation: str) -> Tensor:
    grown = (torch.tensor(widths[:-1]) * spreads.square()).cumprod(dim=0)
    left = 0.5 if activation == "relu" else 1.0
    return first * grown * left ** torch.arange(len(spreads), dtype=spreads.dtype)


def _by_plain_numbers(first: float, widths: Sequence[int], spreads: Tensor, activation: str) -> Tensor:
    q = [first * widths[0] * float(spreads[0]) ** 2]
    while len(q) < len(spreads):
        entering = q[-1] if activation == "linear" else 0.5 * q[-1]
        q.append(widths[len(q)] * entering * float(spreads[len(q)]) ** 2)
    return torch.tensor(q, dtype=spreads.dtype)


def _cases(seed: int) -> list[Case]:
    g = rng(seed + 811)

    def case(
        name: str, first: float, widths: list[int], spreads: Tensor, activation: str, *, example: bool = False
    ) -> Case:
        given = {"first": first, "widths": widths, "spreads": spreads, "activation": activation}
        return Case(name, given, example=example)

    def around(widths: list[int], factor: float) -> Tensor:
        """Return spreads with which the signal grows by about this factor in each layer, by a bit more or less by chance."""
        fan_in = torch.tensor(widths[:-1], dtype=F64)
        return (factor / fan_in).sqrt() * (0.8 + 0.4 * torch.rand(len(fan_in), generator=g, dtype=F64))

    deep = [64, *(40 + int(n) for n in torch.randint(30, (12,), generator=g)), 10]
    return [
        case("the two layers worked out", 3.0, [4, 8, 2], vector(0.5, 0.25), "relu", example=True),
        case("the same layers without an activation", 3.0, [4, 8, 2], vector(0.5, 0.25), "linear"),
        case("a single layer", 0.25, [6, 3], vector(0.5), "relu"),
        case("a layer that grows and one that shrinks", 0.5, [3, 10, 5, 2], vector(1.0, 0.2, 0.6), "relu"),
        case("weights of 0 in the second of three layers", 2.0, [5, 4, 7, 3], vector(0.4, 0.0, 0.5), "linear"),
        case("thirteen layers in float64", 0.7, deep, around(deep, 1.9), "relu"),
        case("five linear layers in float64", 1.6, [9, 30, 12, 20, 7, 4], around([9, 30, 12, 20, 7, 4], 1.2), "linear"),
        case("PyTorch's own start, 1 / (3 n)", 90.0, [20, 50, 30, 10], (1 / (3 * vector(20, 50, 30))).sqrt(), "relu"),
    ]


@exercise("08.1", title="How a signal grows", points=1)
class HowASignalGrows:
    """The variance of a layer's sums, predicted layer by layer from how the weights are drawn."""

    reference = variances
    read = "A good start"
    statement = r"""
        Before any training you can say how large the numbers in a network will be. A sum $z = \sum_i w_i x_i$ of $n$
        products, with weights drawn independently with mean 0 and standard deviation $\sigma$, has the variance

        $$q = n \cdot \sigma^2 \cdot E[x^2]$$

        $E[x^2]$ is the mean square of what enters. Behind the sums stands the activation, and what leaves it enters the next
        layer. Without an activation the mean square is $q$ itself. A ReLU sets one half of the sums to 0, so that $q / 2$ is
        left.

        Write `variances(first, widths, spreads, activation)`. It returns $q_1, \dots, q_L$, the variances of the sums
        **before** the activation, in one tensor of shape (L,).

        * `first` is the mean square $E[x^2]$ of the network's inputs.
        * `widths` is a list of L + 1 whole numbers: how many inputs there are, then how many units each layer has.
        * `spreads` has the shape (L,) and holds the standard deviation of the weights of each layer. Your result has its
          dtype.
        * `activation` is `"linear"` or `"relu"`, the same in all layers. There are no biases.

        Example: `first = 3`, `widths = [4, 8, 2]`, `spreads = [0.5, 0.25]` and `"relu"`. The sums of the first layer have the
        variance $4 \cdot 0.5^2 \cdot 3 = 3$. Behind the ReLUs a mean square of 1.5 is left. The second layer adds up 8
        products: $8 \cdot 0.25^2 \cdot 1.5 = 0.75$. So the result is `tensor([3.0000, 0.7500])`.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {"all at once": _all_at_once, "by plain numbers": _by_plain_numbers}
    hints = (
        "Keep one number on the way: the mean square of what enters the next layer. For the first layer it is `first`.",
        "How many products does a unit of layer l add up? As many as there are numbers in front of it: "
        "`widths[l - 1]` if layers "
        "are counted from 1. The last width is not needed.",
        "In each round: `q = inputs * spread ** 2 * moment`, keep it, then `moment = q / 2` behind a ReLU and "
        "`moment = q` without. "
        "`zip(widths, spreads)` stops when the spreads do, and `torch.stack` makes one tensor of the list.",
    )
