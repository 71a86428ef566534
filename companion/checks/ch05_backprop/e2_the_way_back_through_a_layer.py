"""Exercise 05.2: the way back through a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Property, exercise, rng
from companion.checks.cases import draw
from companion.checks.ch05_backprop.by_hand import AUTOGRAD
from companion.checks.ch05_backprop.e2_mistakes import CANCELLING, MISTAKES
from companion.checks.levels import close
from companion.checks.numbers import F64, rows
from companion.checks.trace import Case

NAMES = ("by_X", "by_W", "by_b")
Slopes = tuple[Tensor, Tensor, Tensor]


def layer_back(X: torch.Tensor, W: torch.Tensor, G: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the slopes of the loss by X (B, D), W (K, D) and b (K,), given G (B, K), its slope by Z = X W^T + b."""
    by_X = G @ W  # (B, K) @ (K, D) -> (B, D)
    by_W = G.T @ X  # (K, B) @ (B, D) -> (K, D)
    by_b = G.sum(dim=0)  # (B, K) -> (K,)
    return by_X, by_W, by_b


def _by_einsum(X: Tensor, W: Tensor, G: Tensor) -> Slopes:
    return torch.einsum("ik,kd->id", G, W), torch.einsum("ik,id->kd", G, X), torch.einsum("ik->k", G)


def _by_examples(X: Tensor, W: Tensor, G: Tensor) -> Slopes:
    by_W, by_b, by_X = torch.zeros_like(W), torch.zeros_like(W[:, 0]), []
    for x, g in zip(X, G):
        by_W += torch.outer(g, x)
        by_b += g
        by_X.append((g[:, None] * W).sum(dim=0))
    return torch.stack(by_X), by_W, by_b


def _turned(X: Tensor, W: Tensor, G: Tensor) -> Slopes:
    ones = torch.ones_like(X[:, 0])
    return (W.T @ G.T).T, (X.T @ G).T, ones @ G


def _by_products(X: Tensor, W: Tensor, G: Tensor) -> Slopes:
    every = G[:, :, None]  # (B, K, 1), to meet X as (B, 1, D) and W as (1, K, D)
    return (every * W[None]).sum(dim=1), (every * X[:, None]).sum(dim=0), every.sum(dim=(0, 2))


def _cancelling(seed: int) -> Case:
    """Return a batch in which all sums are of large numbers, with small results."""
    chance = rng(seed)
    X, W, G = (torch.randn(size, generator=chance, dtype=F64) for size in ((8, 3), (4, 3), (8, 4)))
    G = G - G.mean(dim=0)
    return Case(CANCELLING, {"X": 30000 + X, "W": 30000 + W, "G": G - G.mean(dim=1, keepdim=True)}, tolerance=1e-9)


def _cases(seed: int) -> list[Case]:
    axes = {"X": "B D", "W": "K D", "G": "B K"}
    worked = {
        "X": rows([2.0], [-1.0]),
        "W": rows([1.0], [0.0], [3.0]),
        "G": rows([1.0, 2.0, 0.0], [0.0, 1.0, -1.0]),
    }
    square = {
        "X": rows([1.0, 2.0], [0.0, -3.0]),
        "W": rows([1.0, 4.0], [-2.0, 0.5]),
        "G": rows([1.0, -1.0], [3.0, 0.5]),
    }
    return [
        Case("two examples, one input and three neurons", worked, example=True),
        Case("as many examples as inputs and neurons", square),
        draw("a batch of one", axes, seed, sizes={"B": 1, "D": 3, "K": 2}),
        draw("a single neuron", axes, seed + 1000, dtype=torch.float32, sizes={"B": 4, "D": 3, "K": 1}),
        draw("a batch in float64", axes, seed + 2000, sizes={"B": 5, "D": 3, "K": 2}),
        draw(
            "a batch in float32, with gaps in memory",
            axes,
            seed + 3000,
            dtype=torch.float32,
            sizes={"B": 4, "D": 2, "K": 3},
            strided=True,
        ),
        draw("small slopes", axes, seed + 4000, sizes={"B": 3, "D": 4, "K": 2}, scale=0.01),
        _cancelling(seed + 5000),
    ]


def _right(name: str) -> Callable[[Case, Observed], bool]:
    def holds(case: Case, observed: Observed) -> bool:
        due = dict(zip(NAMES, layer_back(**case.args)))[name]
        return name in observed and close(observed[name], due, 1e-5)

    return holds


_PROPERTIES = (
    Property(
        "the slope by b",
        _right("by_b"),
        "The shapes are right, and the numbers of `by_b` are not.",
        "The bias of a neuron is added in every row of Z, each time as it is. So every entry of its column is a way to the "
        "loss.",
        "Do one neuron of the input shown on paper: which entries of G belong to it, and what happens to them?",
    ),
    Property(
        "the slope by W",
        _right("by_W"),
        "`by_b` is right, and the numbers of `by_W` are not.",
        "Weight (k, d) enters entry (i, k) of Z for every example i, multiplied by entry (i, d) of X. Along a way slopes are "
        "multiplied, and the ways are added.",
        "Do one entry of `by_W` on paper, for one k and one d. Which entries of G and of X did you need?",
    ),
    Property(
        "the slope by X",
        _right("by_X"),
        "`by_W` and `by_b` are right, and the numbers of `by_X` are not.",
        "Entry (i, d) of X enters all K entries of row i of Z, each time multiplied by another weight. Those are K ways.",
        "Do one entry of `by_X` on paper, for one i and one d. Which entries of G and of W did you need?",
    ),
)
_BY_HAND = "Write the three lines yourself: autograd is there to check what you found on paper."


@exercise("05.2", title="The way back through a layer", points=2)
class TheWayBackThroughALayer:
    """Three products of matrices, told apart by shapes and by one square case."""

    reference = layer_back
    read = "The same in matrices"
    returns = tuple(Out(name) for name in NAMES)
    statement = r"""
        A layer makes $Z = X W^\top + b$ of a batch. What comes after it makes a loss $L$ of $Z$. Somebody has found the
        slope of $L$ by every entry of $Z$ already. Carry it back through the layer, by the two rules: along a way slopes are
        multiplied, and where ways meet they are added.

        $$Z_{ik} = \sum_d X_{id} W_{kd} + b_k, \qquad G_{ik} = \frac{\partial L}{\partial Z_{ik}}$$

        Write `layer_back(X, W, G)` for `X` of shape (B, D), `W` of shape (K, D) and `G` of shape (B, K). Return the slopes
        of $L$ by `X`, by `W` and by `b`, in this order: `return by_X, by_W, by_b`. A slope has the shape of the thing that
        it belongs to. The bias is not handed over, for none of the three depends on it.

        Whether the loss is a sum or a mean over the batch is in `G` already. Use no autograd, and leave the arguments as
        they are.

        Example: two examples, one input and three neurons, `X = [[2], [-1]]`, `W = [[1], [0], [3]]` and
        `G = [[1, 2, 0], [0, 1, -1]]`. Each input enters three sums of $Z$, so three
        terms are added: $1 \cdot 1 + 2 \cdot 0 + 0 \cdot 3 = 1$ and
        $0 \cdot 1 + 1 \cdot 0 - 1 \cdot 3 = -3$, so `by_X = [[1], [-3]]`. Each weight enters two sums, one for each example:
        $1 \cdot 2 + 0 \cdot (-1) = 2$, $2 \cdot 2 + 1 \cdot (-1) = 3$ and $0 \cdot 2 - 1 \cdot (-1) = 1$, so
        `by_W = [[2], [3], [1]]`. And `by_b = [1, 3, -1]`.
    """
    cases = _cases
    properties = _PROPERTIES
    forbidden = dict.fromkeys(AUTOGRAD, _BY_HAND)
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "einsum": _by_einsum,
        "one example after the other": _by_examples,
        "turned, and turned back": _turned,
        "all products in one table": _by_products,
    }
    hints = (
        "Write the six shapes on paper: X, W and G, and what the slopes by X, by W and by b must have. Which axis has to "
        "disappear in each of them?",
        "Of each pair of shapes there is one product that fits. The slope by X is made from G and W, the slope by W from G "
        "and X. Which of them must be turned?",
        "(B, K) times (K, D) gives (B, D). For the weights the examples have to meet in the middle: (K, B) times (B, D). And "
        "the bias was used once in each row.",
    )
