"""Exercise 01.1: weighted sum."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Mistake, exercise, rng
from companion.checks.numbers import F64, number, rows, vector
from companion.checks.trace import Case


def weighted_sum(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Return each row's weighted sum plus the bias: (B, D), (D,), () -> (B,)."""
    return x @ weight + bias


def _sum_by_einsum(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.einsum("bd,d->b", x, weight) + bias


def _sum_by_product(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return (x * weight).sum(dim=-1) + bias


def _sum_by_loop(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    z = bias.expand(len(x))
    for d in range(x.shape[1]):
        z = z + x[:, d] * weight[d]
    return z


def _weighted_sum_cases(seed: int) -> list[Case]:
    g = rng(seed)

    def draw(b: int, d: int, dtype: torch.dtype) -> dict[str, Tensor]:
        return {
            "x": torch.randn(b, d, generator=g, dtype=dtype),
            "weight": torch.randn(d, generator=g, dtype=dtype),
            "bias": torch.randn((), generator=g, dtype=dtype) + 2,
        }

    three = ("x", "weight", "bias")
    return [
        Case(
            "one row",
            {"x": rows([2.0, 1.0]), "weight": vector(3.0, -1.0), "bias": number(0.5)},
            grad=three,
        ),
        Case(
            "as many rows as features",
            {"x": rows([1.0, 2.0], [3.0, 5.0]), "weight": vector(1.0, -2.0), "bias": number(10.0)},
            grad=three,
        ),
        Case("two rows of three features", draw(2, 3, torch.float32), grad=three),
        Case("four rows of one feature", draw(4, 1, torch.float32)),
        Case("float64", draw(5, 3, F64), grad=three),
        Case("a batch without rows", draw(0, 3, torch.float32)),
    ]


@exercise("01.1", title="Weighted sum", points=1)
class WeightedSum:
    """A neuron's inputs become one number."""

    reference = weighted_sum
    statement = r"""
        A neuron multiplies each input by its weight, adds the products up, and adds its bias:

        $$z_b = \sum_{d=1}^{D} x_{bd}\, w_d + b$$

        Write `weighted_sum(x, weight, bias)` for a whole batch at once. `x` has the shape (B, D), one example
        per row; `weight` has the shape (D,), `bias` the shape (). The result has the shape (B,).

        Example: with `x = [[2, 1]]`, `weight = [3, -1]` and `bias = 0.5` the result is `[5.5]`, because
        $2 \cdot 3 + 1 \cdot (-1) + 0.5 = 5.5$.

        *Serves the objective: compute what a neuron computes, for one example and for a batch.*
    """
    cases = _weighted_sum_cases
    mistakes = (
        Mistake(
            "leaves out the bias",
            lambda x, weight, bias: x @ weight,
            "The products add up, but the bias is missing. Without it every neuron gives 0 for the input 0, "
            "whatever its weights.",
        ),
        Mistake(
            "adds the bias once per feature",
            lambda x, weight, bias: (x * weight + bias).sum(dim=-1),
            "The bias is in the sum once per feature. It belongs to the neuron, not to its inputs: is it "
            "added before or after you sum?",
        ),
        Mistake(
            "adds the bias to the inputs",
            lambda x, weight, bias: (x + bias) @ weight,
            "You add the bias to the inputs, so each weight multiplies it as well. It is added once, to the "
            "finished sum.",
        ),
        Mistake(
            "adds the bias to the weights",
            lambda x, weight, bias: x @ (weight + bias),
            "You add the bias to the weights, so it grows with the inputs. It is added to the finished sum, "
            "whatever the inputs are.",
        ),
        Mistake(
            "subtracts the bias",
            lambda x, weight, bias: x @ weight - bias,
            "You subtract the bias. A threshold would be subtracted; the bias is that threshold with its "
            "sign turned, so that it can be added.",
        ),
        Mistake(
            "sums over the examples",
            lambda x, weight, bias: (x * weight).sum(dim=0) + bias,
            "You have one number per feature: the sum runs down the batch, over different examples. Which "
            "axis of x holds one example's features?",
        ),
        Mistake(
            "sums over everything",
            lambda x, weight, bias: (x * weight).sum() + bias,
            "All examples ended up in one number. Each row needs its own sum: which axis should disappear, "
            "and which stay?",
        ),
        Mistake(
            "averages instead of summing",
            lambda x, weight, bias: (x * weight).mean(dim=-1) + bias,
            "Yours is the mean of the products. With D features it is D times too small: a neuron adds its inputs up.",
        ),
        Mistake(
            "keeps a second axis",
            lambda x, weight, bias: x @ weight[:, None] + bias,
            "The numbers are right, in a column of shape (B, 1). Beside targets of shape (B,) such a column "
            "is later stretched to a B by B table without a warning. Return the shape (B,).",
        ),
        Mistake(
            "answers with the decision",
            lambda x, weight, bias: (x @ weight + bias >= 0).to(x.dtype),
            "That is the neuron's decision, yes or no. Here only the number it decides by is wanted: the weighted "
            "sum itself, before anything is compared with 0.",
        ),
        Mistake(
            "forgets to add up",
            lambda x, weight, bias: x * weight + bias,
            "Each product is still by itself: you have one number for every feature of every row. A neuron adds "
            "them up, so that one number for each row is left; the bias joins once.",
        ),
    )
    alternatives: ClassVar = {
        "einsum": _sum_by_einsum,
        "product and sum": _sum_by_product,
        "loop": _sum_by_loop,
    }
    hints = (
        "Do it on paper for one row first: which two lists of numbers meet, and how many numbers are left?",
        "The features disappear and the rows stay. A matrix times a vector does that: (B, D) @ (D,) -> (B,).",
        "Two operations are enough: `x @ weight`, and one addition that every row shares.",
    )
