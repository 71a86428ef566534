"""Exercise 03.1: a layer for any batch."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import exercise
from companion.checks.cases import draw
from companion.checks.ch03_forward.e1_mistakes import MISTAKES
from companion.checks.numbers import F64, rows, vector
from companion.checks.trace import Case


def layer(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """Return x @ weight.T + bias for any leading axes: (..., n), (m, n), (m,) or None -> (..., m)."""
    z = x @ weight.T  # (..., n) @ (n, m) -> (..., m)
    return z if bias is None else z + bias


def _by_einsum(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    z = torch.einsum("...n,mn->...m", x, weight)
    return z + (0 if bias is None else bias)


def _by_product_and_sum(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    z = (x.unsqueeze(-2) * weight).sum(dim=-1)  # (..., 1, n) * (m, n) -> (..., m, n) -> (..., m)
    return z + bias if bias is not None else z


def _by_flattening(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    z = x.reshape(-1, x.shape[-1]) @ weight.transpose(0, 1)
    z = z.reshape(*x.shape[:-1], len(weight))
    if bias is None:
        return z
    return z + bias


def _by_neurons(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    shifts = torch.zeros_like(weight[:, 0]) if bias is None else bias
    return torch.stack([(x * w).sum(dim=-1) + b for w, b in zip(weight, shifts)], dim=-1)


def _by_columns(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    z = (weight @ x[..., None])[..., 0]  # (m, n) @ (..., n, 1) -> (..., m, 1) -> (..., m)
    return z if bias is None else z.add(bias)


def _cases(seed: int) -> list[Case]:
    three, two = ("x", "weight", "bias"), ("x", "weight")
    on_paper = rows([0.5, -0.5], [1.0, 1.0], [-1.0, 0.5])
    square = {"x": rows([2.0, 1.0], [-1.0, 3.0]), "weight": rows([1.0, 2.0], [0.0, 3.0]), "bias": vector(10.0, -20.0)}
    axes = {"weight": "M N", "bias": "M"}
    return [
        Case(
            "one example and three neurons",
            {"x": rows([2.0, 1.0]), "weight": on_paper, "bias": vector(0.5, -1.0, 0.0)},
            grad=three,
        ),
        Case("two examples, two inputs and two neurons", square, grad=three),
        draw("float64", {"x": "B N", **axes}, seed, sizes={"B": 4, "N": 3, "M": 5}, grad=three),
        draw(
            "one example that has no batch axis",
            {"x": "N", **axes},
            seed + 1000,
            dtype=torch.float32,
            sizes={"N": 4, "M": 3},
            says="With a batch axis it works. Which step counts on there being two axes?",
        ),
        draw(
            "two leading axes", {"x": "B T N", **axes}, seed + 2000, dtype=F64, sizes={"B": 2, "T": 3, "N": 4, "M": 5}
        ),
        draw(
            "three leading axes",
            {"x": "B H T N", **axes},
            seed + 5000,
            dtype=torch.float32,
            sizes={"B": 2, "H": 2, "T": 3, "N": 4, "M": 5},
        ),
        draw(
            "no bias",
            {"x": "B N", "weight": "M N"},
            seed + 3000,
            dtype=torch.float32,
            sizes={"B": 2, "N": 3, "M": 4},
            plus={"bias": None},
            grad=two,
        ),
        draw("a single neuron", {"x": "B N", **axes}, seed + 4000, dtype=torch.float32, sizes={"B": 4, "N": 3, "M": 1}),
    ]


@exercise("03.1", title="A layer for any batch", points=1)
class Layer:
    """Rows of examples meet rows of weights."""

    reference = layer
    read = "A network on paper"
    statement = r"""
        A layer of $m$ neurons with $n$ inputs holds one row of weights for each neuron. Every example meets every
        row once:

        $$z = x\, W^\top + b, \qquad (\dots, n)\,(n, m) + (m,) \to (\dots, m)$$

        Write `layer(x, weight, bias)`. `weight` has the shape (m, n) and `bias` the shape (m,); `bias` may also be
        `None`, for a layer without biases. `x` has the shape (..., n): one example without a batch axis (n,), a batch
        (B, n), or more axes in front, such as (B, T, n). The result has the same axes in front, and m in place of n.
        There is no bend in it. Leave the arguments as they are.

        Do not call a ready-made layer such as `torch.nn.functional.linear`: the point is to say which axis meets which.

        Example: one example `x = [[2, 1]]` and three neurons, `weight = [[0.5, -0.5], [1, 1], [-1, 0.5]]` and
        `bias = [0.5, -1, 0]`. By hand: $2 \cdot 0.5 - 1 \cdot 0.5 + 0.5 = 1$, then $2 + 1 - 1 = 2$, then
        $-2 + 0.5 + 0 = -1.5$. The shapes are (1, 2) and (3, 2), and the result `[[1, 2, -1.5]]` is (1, 3).
    """
    cases = _cases
    forbidden = dict.fromkeys(
        ("nn.functional.linear", "_C._nn.linear", "nn.functional.bilinear", "bilinear"),
        "Write it as a product and a sum: the point is to say which axis meets which.",
    )
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "einsum": _by_einsum,
        "product and sum": _by_product_and_sum,
        "flattened and restored": _by_flattening,
        "one neuron after the other": _by_neurons,
        "each example as a column": _by_columns,
    }
    hints = (
        "Write the shapes behind each other: (B, n) and (m, n). Which two axes have to meet, and how must the second "
        "table lie for that?",
        "A matrix product with `@` uses the last axis of what stands on the left. All axes before that pass through, "
        "however many there are.",
        "`x @ weight.T` has the shape (..., m), and a bias of shape (m,) lines up with its last axis. Ask first whether "
        "`bias is None`.",
    )
