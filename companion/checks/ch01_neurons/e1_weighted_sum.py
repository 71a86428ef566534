"""Exercise 01.1: weighted sum."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Mistake, exercise
from companion.checks.cases import draw
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


def _sum_over_rows_as_features(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    z = bias
    for row, w in zip(x, weight):
        z = z + row * w
    return z


def _weighted_sum_cases(seed: int) -> list[Case]:
    def drawn(name: str, b: int, d: int, dtype: torch.dtype, grad: tuple[str, ...] = ()) -> Case:
        axes = {"x": "B D", "weight": "D", "bias": ""}
        return draw(name, axes, 100 * seed + 10 * b + d, dtype=dtype, sizes={"B": b, "D": d}, grad=grad)

    three = ("x", "weight", "bias")
    return [
        Case(
            "one row",
            {"x": rows([2.0, 1.0]), "weight": vector(3.0, -1.0), "bias": number(0.5)},
            grad=three,
            example=True,
        ),
        Case(
            "as many rows as features",
            {"x": rows([1.0, 2.0], [3.0, 5.0]), "weight": vector(1.0, -2.0), "bias": number(4.0)},
            grad=three,
        ),
        drawn("drawn numbers", 2, 3, torch.float32, three),
        drawn("a single feature", 4, 1, torch.float32),
        drawn("float64", 5, 3, F64, three),
        drawn("a batch without rows", 0, 3, torch.float32),
    ]


@exercise("01.1", title="Weighted sum", points=1)
class WeightedSum:
    """A neuron's inputs become one number."""

    reference = weighted_sum
    read = "The weighted sum"
    statement = r"""
        A neuron multiplies each input by its weight, adds the products up, and adds its bias:

        $$z_b = \sum_{d=1}^{D} x_{bd}\, w_d + b$$

        Write `weighted_sum(x, weight, bias)` for a whole batch at once. `x` has the shape (B, D), one example
        per row; `weight` has the shape (D,), `bias` the shape (). The result has the shape (B,).

        Example: with `x = [[2, 1]]`, `weight = [3, -1]` and `bias = 0.5` the result is `[5.5]`, because
        $2 \cdot 3 + 1 \cdot (-1) + 0.5 = 5.5$.
    """
    cases = _weighted_sum_cases
    mistakes = (
        Mistake(
            "leaves out the bias",
            lambda x, weight, bias: x @ weight,
            "Your result is the sum of the products and nothing more: change `bias`, and no number of yours moves.",
            "The weights alone give 0 for the input 0, whatever they are. The bias is the part of the sum that is "
            "there before any input speaks, and your code leaves it aside.",
            "Call your function twice, with `bias` at 0 and at 100, and compare. Which symbol of the formula has no "
            "counterpart in your code?",
        ),
        Mistake(
            "adds the bias once per feature",
            lambda x, weight, bias: (x * weight + bias).sum(dim=-1),
            "Your result holds the bias more than once: as many times as a row has features.",
            "Added before the sum, the bias is counted again at each feature. It belongs to the neuron, which has "
            "one, and not to its inputs.",
            "Work the row shown out on paper and mark where the formula's sum sign ends. Does your addition of `bias` "
            "come before that point or after it?",
        ),
        Mistake(
            "adds the bias to the inputs",
            lambda x, weight, bias: (x + bias) @ weight,
            "The bias reaches your result multiplied: add up the weights shown, and so many times it is counted.",
            "A bias that is added to `x` goes through the weights with it. You shift every input by the same amount, "
            "where the neuron shifts its finished sum.",
            "Try a neuron whose weights are all 0. The formula leaves something over for it: compare that with what "
            "your function returns.",
        ),
        Mistake(
            "adds the bias to the weights",
            lambda x, weight, bias: x @ (weight + bias),
            "The bias reaches your result multiplied by the inputs: a row of large numbers gets much of it, a row of "
            "zeros none.",
            "A bias that is added to `weight` becomes part of every weight and says how much an input counts. It "
            "should be the constant of the sum, the same for each row.",
            "Feed a row of zeros and print the result. Then read again, under The weighted sum, what is decided with "
            "no reason at all.",
        ),
        Mistake(
            "subtracts the bias",
            lambda x, weight, bias: x @ weight - bias,
            "The bias pushes your result the wrong way: a positive one makes it smaller, a negative one larger.",
            "That is how a threshold works, which is taken away from the evidence. The bias is the threshold with its "
            "sign turned, so that it joins the sum like everything else.",
            "Read the two forms of the umbrella rule again, the one with the threshold and the one with the bias. "
            "Which of them does the formula of this task use?",
        ),
        Mistake(
            "sums over the examples",
            lambda x, weight, bias: (x * weight).sum(dim=0) + bias,
            "You return one number per feature, not one per row: as many numbers as `weight` has.",
            "Your sum runs down the columns and adds different examples together, so that rows which have nothing to "
            "do with each other share an answer.",
            "Print `x.shape` and the shape of your result. Which axis holds the features of one example, and which "
            "axis should be gone afterwards?",
        ),
        Mistake(
            "sums over everything",
            lambda x, weight, bias: (x * weight).sum() + bias,
            "One number comes back for the whole batch: your result has no axis, however many rows there are.",
            "A sum that is given no axis adds up the entire table, and all examples end in one pot. A neuron answers "
            "each example by itself.",
            "Take a batch of two rows and sum each of them on paper. How many numbers have you written down, and "
            "along which axis did you walk?",
        ),
        Mistake(
            "averages instead of summing",
            lambda x, weight, bias: (x * weight).mean(dim=-1) + bias,
            "Your numbers stay too close to the bias: the more features a row has, the less its inputs count.",
            "A mean divides by the number of features. A neuron adds its evidence up, so that two reasons weigh more "
            "than one; an average levels that out.",
            "Append a feature that is always 0 to a row, with any weight. A weighted sum should not notice it: does "
            "yours?",
        ),
        Mistake(
            "keeps a second axis",
            lambda x, weight, bias: x @ weight[:, None] + bias,
            "The numbers are right, but they stand in a column: your result has the shape (B, 1) and should have (B,).",
            "A product of two matrices keeps an axis for the neurons, even for a single one. Beside targets of shape "
            "(B,) such a column is later broadcast to a B by B table, without an error.",
            "Print the shapes of the two factors of your product, and read again the pitfall A column compared with "
            "a row.",
        ),
        Mistake(
            "answers with the decision",
            lambda x, weight, bias: (x @ weight + bias >= 0).to(x.dtype),
            "Your result says yes or no for each row, however large its sum is.",
            "A neuron works in two stages, first the weighted sum and then the step. You went through both, and the "
            "second throws away how far the sum is from 0.",
            "Print what you have before the comparison and put it beside the worked example of the task. At which of "
            "the two stages does this task stop?",
        ),
        Mistake(
            "forgets to add up",
            lambda x, weight, bias: x * weight + bias,
            "You return a table with a column for each feature: every product, with the bias added, still stands by "
            "itself.",
            "`*` multiplies entry by entry and stops there. The sum sign of the formula has no counterpart in your "
            "code, so the evidence is never brought together.",
            "Print the shape of `x` and of your result, and compare them with the (B,) of the task. Which axis is one "
            "too many?",
        ),
        Mistake(
            "puts a sigmoid on the sum",
            lambda x, weight, bias: torch.sigmoid(x @ weight + bias),
            "All your numbers lie between 0 and 1, also where the products alone add up to far more.",
            "You squash the sum with a sigmoid. Sum and activation are two parts of a neuron; the second is the "
            "subject of chapter 2, and here it hides the number that is asked for.",
            "Work one row of the input shown out with a pencil. After which operation do you have the right-hand side "
            "of the formula, and what does your code do then?",
        ),
        Mistake(
            "cuts negative sums off",
            lambda x, weight, bias: torch.relu(x @ weight + bias),
            "A row whose sum is negative comes out as exactly 0; your other numbers are right.",
            "You apply a ReLU. It may be what leaves a neuron, but the weighted sum is what goes in there, and its "
            "sign tells on which side of the boundary a row lies.",
            "Find the row shown for which you return 0 and add its products up by hand. Which of your operations "
            "changes that number?",
        ),
        Mistake(
            "takes the rows for features",
            _sum_over_rows_as_features,
            "Your numbers mix the examples: the first weight multiplies the whole first row, a second weight the "
            "second row.",
            "A loop over a matrix hands out rows. The chapter's loop was written for one example, where each round "
            "brings one feature; on a batch the same lines pair weights with examples.",
            "Print what your loop variable holds in each round, for a batch of two rows with three features, and how "
            "many rounds there are.",
        ),
        Mistake(
            "forgets to add up, and leaves out the bias",
            lambda x, weight, bias: x * weight,
            "A table of bare products comes back: one column for each feature, and `bias` changes none of them.",
            "Two pieces of the formula are missing at once: the sum sign, which brings a row's products together, and "
            "the constant, which joins that sum once.",
            "Mend the sum first, until there is one number for each row. Then compare what your function gives at two "
            "different values of `bias`.",
        ),
        Mistake(
            "averages instead of summing, and subtracts the bias",
            lambda x, weight, bias: (x * weight).mean(dim=-1) - bias,
            "Your sum shrinks as features are added, and a positive `bias` makes your result smaller.",
            "Two things at once: a mean divides by the number of features, and the bias is taken away like a threshold. "
            "The formula adds both times.",
            "Set `bias` to 0 and make the sum of a row with two features right. Then set it to 1: in which direction "
            "should the result move?",
        ),
        Mistake(
            "answers with the decision, and leaves out the bias",
            lambda x, weight, bias: (x @ weight >= 0).to(x.dtype),
            "You return yes or no for each row, and your answers stay the same whatever `bias` is.",
            "You compare the bare sum of the products with 0. That is a neuron of threshold 0 with its step already "
            "taken; the task asks for the number before the step, moved by the bias.",
            "Take the comparison away and print what is left. Then look for the term of the formula that this number "
            "does not contain.",
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
