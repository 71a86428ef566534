"""Exercise 02.5: two linear layers are one."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Out, exercise
from companion.checks.cases import draw
from companion.checks.ch02_activations.e5_mistakes import MISTAKES
from companion.checks.numbers import F64, rows, vector
from companion.checks.trace import Case


def merge_linear(
    W1: torch.Tensor, b1: torch.Tensor, W2: torch.Tensor, b2: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weight and bias of the one layer that equals layer 1 followed by layer 2."""
    return W2 @ W1, W2 @ b1 + b2


def _merge_by_probing(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> tuple[Tensor, Tensor]:
    def both(x: Tensor) -> Tensor:
        return (x @ W1.T + b1) @ W2.T + b2

    bias = both(torch.zeros(W1.shape[1], dtype=W1.dtype))
    return (both(torch.eye(W1.shape[1], dtype=W1.dtype)) - bias).T, bias


def _merge_by_einsum(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> list[Tensor]:
    return [torch.einsum("oh,hi->oi", W2, W1), torch.einsum("oh,h->o", W2, b1) + b2]


def _merge_by_one_more_row(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> tuple[Tensor, Tensor]:
    def with_bias(weight: Tensor, bias: Tensor) -> Tensor:
        last = torch.eye(weight.shape[1] + 1, dtype=weight.dtype)[-1:]  # hands a constant 1 on to the next layer
        return torch.cat([torch.cat([weight, bias[:, None]], dim=1), last])

    merged = with_bias(W2, b2) @ with_bias(W1, b1)
    return merged[:-1, :-1], merged[:-1, -1]


def _merge_by_loop(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> tuple[Tensor, Tensor]:
    W, b = torch.zeros(len(W2), W1.shape[1], dtype=W1.dtype), b2.clone()
    for unit in range(len(b1)):
        W = W + W2[:, unit, None] * W1[unit]
        b = b + W2[:, unit] * b1[unit]
    return W, b


def _merge_cases(seed: int) -> list[Case]:
    def drawn(
        name: str, inputs: int, hidden: int, outputs: int, dtype: torch.dtype = F64, grad: tuple[str, ...] = ()
    ) -> Case:
        axes = {"W1": "H I", "b1": "H", "W2": "O H", "b2": "O"}
        sizes = {"I": inputs, "H": hidden, "O": outputs}
        return draw(name, axes, 10 * seed + hidden, dtype=dtype, sizes=sizes, grad=grad)

    square = {
        "W1": rows([1.0, 2.0], [0.0, 1.0]),
        "b1": vector(1.0, -1.0),
        "W2": rows([1.0, 0.0], [3.0, 1.0]),
        "b2": vector(10.0, 20.0),
    }
    return [
        Case("two units in each layer", square, grad=("W1", "W2")),
        drawn("drawn weights and biases", 3, 4, 2, grad=("W1", "W2")),
        drawn("a single hidden unit", 5, 1, 3, torch.float32),
        drawn("more drawn weights and biases", 3, 3, 3),
    ]


@exercise("02.5", title="Two linear layers are one", points=1)
class MergeLinear:
    """Why a network needs something between its layers."""

    reference = merge_linear
    read = "Why a network needs a bend"
    returns = (Out("W"), Out("b"))
    statement = r"""
        Two linear layers with nothing between them: $h = W_1 x + b_1$, then $y = W_2 h + b_2$. Whatever they
        compute, one layer $y = W x + b$ computes it too.

        Write `merge_linear(W1, b1, W2, b2)`, which returns `W` and `b` of that one layer. Shapes as in
        PyTorch, rows for outputs: `W1` is (H, I), `b1` (H,), `W2` (O, H), `b2` (O,); the result is (O, I) and
        (O,).

        Example: with one unit everywhere, `W1 = [[2]]`, `b1 = [1]`, `W2 = [[3]]`, `b2 = [5]`, the result is
        `W = [[6]]` and `b = [8]`, because $3\,(2x + 1) + 5 = 6x + 8$.
    """
    cases = _merge_cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "probing with unit vectors": _merge_by_probing,
        "einsum, in a list": _merge_by_einsum,
        "one more row and column": _merge_by_one_more_row,
        "loop over hidden units": _merge_by_loop,
    }
    hints = (
        "Do it with plain numbers first: 3 (2x + 1) + 5. What stands before x, and what is left over?",
        "Put h into the second formula: y = W2 (W1 x + b1) + b2. Multiply out, keep the order.",
        "Before x stands W2 W1. Without x remain W2 b1 and b2.",
    )
