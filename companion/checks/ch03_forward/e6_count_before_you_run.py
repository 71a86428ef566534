"""Exercise 03.6: count before you run."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import torch

from companion.checks.bank import Out, exercise, rng
from companion.checks.ch03_forward.e6_mistakes import MISTAKES
from companion.checks.trace import Case


def cost(sizes: list[int], batch: int) -> tuple[int, int, int]:
    """Return the parameters, the FLOPs of one batch, and how many numbers are kept for the way back."""
    parameters, products, inputs = 0, 0, sizes[0]
    for outputs in sizes[1:]:
        parameters += (inputs + 1) * outputs  # a weight for each input, and a bias
        products += inputs * outputs
        inputs = outputs
    return parameters, 2 * batch * products, batch * sum(sizes[1:])


def _by_sums(sizes: list[int], batch: int) -> list[int]:
    weights = sum(a * b for a, b in pairwise(sizes))
    handed_on = sum(sizes) - sizes[0]
    return [weights + handed_on, weights * batch * 2, handed_on * batch]


def _by_building(sizes: list[int], batch: int) -> tuple[int, int, int]:
    layers = [torch.nn.Linear(a, b, device="meta") for a, b in pairwise(sizes)]
    x = torch.zeros(batch, sizes[0], device="meta")
    flops = kept = 0
    for layer in layers:
        flops += 2 * x.numel() * layer.out_features
        x = layer(x)
        kept += x.numel()
    return sum(p.numel() for layer in layers for p in layer.parameters()), flops, kept


def _by_tensors(sizes: list[int], batch: int) -> dict[str, torch.Tensor]:
    n = torch.tensor(sizes)
    weights = n[:-1] @ n[1:]
    return {
        "parameters": weights + n[1:].sum(),
        "flops": 2 * batch * weights,
        "kept": (batch * n[1:]).sum(),
    }


def _cases(seed: int) -> list[Case]:
    drawn = torch.randint(2, 9, (5,), generator=rng(seed)).tolist()
    return [
        Case("the example of the task", {"sizes": [3, 4, 2], "batch": 5}),
        Case("a single picture", {"sizes": [64, 32, 10], "batch": 1}),
        Case("a single neuron", {"sizes": [2, 1], "batch": 7}),
        Case("layers that are all alike", {"sizes": [4, 4, 4], "batch": 3}),
        Case("a bottleneck", {"sizes": [5, 1, 7, 3], "batch": 3}),
        Case("50 pictures and three hidden layers", {"sizes": [64, 32, 32, 32, 10], "batch": 50}),
        Case("sizes drawn at random", {"sizes": drawn[1:], "batch": drawn[0] + 8}),
    ]


@exercise("03.6", title="Count before you run", points=1)
class Cost:
    """What a network costs, from its sizes alone."""

    reference = cost
    read = "What a forward pass costs"
    returns = (Out("parameters", "integer"), Out("flops", "integer"), Out("kept", "integer"))
    tolerance = 0.0
    statement = r"""
        A fully connected network with the sizes $n_0, n_1, \dots, n_L$, such as `[64, 32, 10]`, is to be run on a batch
        of $B$ examples. What will it cost? Write `cost(sizes, batch)`, which returns three whole numbers in this order:

        * **parameters**: all weights and biases. Every layer has biases.
        * **flops**: the operations of one forward pass of the batch. Each weight counts twice for each example, once for
          a multiplication and once for an addition. Biases and bends are left out.
        * **kept**: how many numbers a backward pass would find again. That is one for each unit of the hidden layers and
          of the output, for each example. The input is not counted, as the caller has it anyway.

        `sizes` has two entries or more. Build nothing and run nothing: count.

        Example: `cost([3, 4, 2], 5)` is `(26, 200, 30)`. By hand: $(3 + 1) \cdot 4 + (4 + 1) \cdot 2 = 26$ parameters;
        $3 \cdot 4 + 4 \cdot 2 = 20$ weights, so $2 \cdot 5 \cdot 20 = 200$ FLOPs; and $5 \cdot (4 + 2) = 30$ numbers kept,
        in tables of the shapes (5, 4) and (5, 2).
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {"two sums": _by_sums, "built without memory": _by_building, "tensors": _by_tensors}
    hints = (
        "Take the example and write under each layer: its table of weights, its biases, and what it hands on for 5 "
        "examples.",
        "Parameters do not know of the batch; operations and what is kept grow with it. Which of the three counts the "
        "biases?",
        "Over the neighbouring pairs add up `(a + 1) * b` and `a * b`. The FLOPs are `2 * batch` times the second sum, "
        "and kept is `batch * sum(sizes[1:])`.",
    )
