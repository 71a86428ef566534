"""Exercise 09.1: a price on long weights."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Property, exercise
from companion.checks.cases import draw
from companion.checks.ch09_regularization.e1_mistakes import MISTAKES
from companion.checks.numbers import F64, rows
from companion.checks.trace import Case


def ridge(X: torch.Tensor, Y: torch.Tensor, strength: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the weights (D, K) and the biases (K,) that minimise half the squared errors plus the price of the weights."""
    x_mean, y_mean = X.mean(dim=0), Y.mean(dim=0)
    A, B = X - x_mean, Y - y_mean  # around their means the best bias is 0
    price = strength * torch.eye(X.shape[1], dtype=X.dtype)
    weight = torch.linalg.solve(A.T @ A + price, A.T @ B)
    return weight, y_mean - x_mean @ weight


def _with_a_column_of_ones(X: Tensor, Y: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """Let the bias be the weight of a column of ones, whose place on the diagonal stays free."""
    with_ones = torch.cat([X, torch.ones_like(X[:, :1])], dim=1)
    diagonal = torch.full_like(with_ones[0], strength)
    diagonal[-1] = 0
    both = torch.linalg.inv(with_ones.T @ with_ones + torch.diag(diagonal)) @ with_ones.T @ Y
    return both[:-1], both[-1]


def _by_more_examples(X: Tensor, Y: Tensor, strength: float) -> list[Tensor]:
    """Write the price as further examples: one for each weight, which asks for 0."""
    n, d = X.shape
    A = torch.cat([X - X.mean(0), strength**0.5 * torch.eye(d, dtype=X.dtype)])
    B = torch.cat([Y, torch.zeros(d, Y.shape[1], dtype=Y.dtype)])
    weight = torch.linalg.lstsq(A, B).solution
    return [weight, (Y - X @ weight).sum(0) / n]


def _by_directions(X: Tensor, Y: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """Shrink direction by direction, in float64."""
    U, s, V = torch.linalg.svd((X - X.mean(dim=0)).double(), full_matrices=False)
    weight = (V.T @ ((s / (s.square() + strength))[:, None] * (U.T @ Y.double()))).to(X.dtype)
    return weight, Y.mean(dim=0) - X.mean(dim=0) @ weight


def _cases(seed: int) -> list[Case]:
    def case(name: str, X: Tensor, Y: Tensor, strength: float, *, example: bool = False, aside: bool = False) -> Case:
        return Case(name, {"X": X, "Y": Y, "strength": strength}, example=example, aside=aside)

    def drawn(name: str, n: int, d: int, k: int, strength: float, dtype: torch.dtype = F64, **options: Any) -> Case:
        sizes = {"N": n, "D": d, "K": k}
        axes = {"X": "N D", "Y": "N K"}
        return draw(name, axes, 9 * seed + n, sizes=sizes, plus={"strength": strength}, dtype=dtype, **options)

    return [
        case("the three examples worked out", rows([1], [2], [6]), rows([2], [5], [8]), 1.0, example=True),
        case("two weights", rows([2, 0], [0, 1], [1, 3], [5, 4]), rows([3], [-1], [2], [8]), 2.0),
        case("targets far from 0", rows([1, 2], [2, -1], [3, 2]), rows([101], [104], [102]), 3.0),
        case("inputs far from 0", rows([41, 2], [42, 5], [46, 2], [43, 1]), rows([1, 0], [2, 1], [5, -2], [3, 3]), 0.5),
        case("no price", rows([1, 2], [2, 0], [4, 1], [3, 5]), rows([2], [3], [7], [1]), 0.0),
        case("more features than examples", rows([1, 0, 2, -1], [3, 1, 0, 2], [2, -2, 1, 1]), rows([4], [1], [0]), 0.25, aside=True),
        case("a very high price", rows([1, 5], [3, -2], [8, 1]), rows([2, -1], [4, 3], [6, 7]), 1000.0),
        drawn("three targets for each example", 9, 4, 3, 5.0),
        drawn("as many examples as features", 5, 5, 2, 1.5),
        drawn("float32, with gaps in memory", 12, 3, 2, 4.0, torch.float32, strided=True),
    ]  # fmt: skip


def _passes_the_middle(case: Case, observed: Observed) -> bool:
    """Return whether the mean example gets the mean target."""
    X, Y = case.args["X"].to(F64), case.args["Y"].to(F64)
    W, b = observed["weight"].to(F64), observed["bias"].to(F64)
    return W.shape != (X.shape[1], Y.shape[1]) or bool(((X @ W + b - Y).mean(dim=0).abs() < 1e-3).all())


_PROPERTIES = (
    Property(
        "the errors add up to 0",
        _passes_the_middle,
        "Over all examples your predictions are too high or too low on average.",
        "The bias costs nothing, so the best one takes every error away that all examples share. Yours has not.",
        "Print `(X @ weight + bias - Y).mean(dim=0)`. If it is not 0, which bias would make it so?",
    ),
    Property(
        "the weights balance errors and price",
        lambda case, observed: False,
        "Your bias fits your weights. The weights themselves are not the ones with the lowest sum of loss and price.",
        "At the best weights the slope of the loss and that of the price cancel: the products of errors and inputs, and λ times the weights.",
        "Do the example on paper, then print the same steps: the centred inputs, the table of their products, and its diagonal with the price.",
    ),
)


@exercise("09.1", title="A price on long weights", points=1)
class APriceOnLongWeights:
    """Ridge regression in closed form, with a bias that costs nothing."""

    reference = ridge
    read = "A price on long weights"
    returns = (Out("weight"), Out("bias"))
    properties = _PROPERTIES
    tolerance = 1e-4
    statement = r"""
        A linear model predicts $X W + b$: each row of $X$ is an example, each column of $W$ belongs to one target. Find
        the weights and biases with the lowest

        $$\frac{1}{2} \sum_{n, k} \big(X W + b - Y\big)_{nk}^2 + \frac{\lambda}{2} \sum_{d, k} W_{dk}^2$$

        The first part is half the **sum** of the squared errors over all examples, as in the chapter. The second is the price. It stands
        on the weights alone: **the bias $b$ costs nothing**. A model that has to pay for its bias would be wrong about
        the mean of the targets, and being far from 0 is no sign of a model that is too flexible.

        Without a bias the chapter has the formula, $W = (X^\top X + \lambda I)^{-1} X^\top Y$. With a free bias it takes one
        more thought. Whatever the weights are, the best bias is the one for which all errors together add up to 0. So take the mean of its
        column off every input and every target, and the bias is out of the way. At the end it comes back.

        Write `ridge(X, Y, strength)`. `X` has the shape (N, D), `Y` the shape (N, K), and `strength` is $\lambda$, 0 or more.
        Return `(weight, bias)`, of the shapes (D, K) and (K,), in the dtype of X. `torch.linalg` may be used. scikit-learn may not.

        Example: `X = [[1], [2], [6]]`, `Y = [[2], [5], [8]]` and `strength = 1`. The means are 3 and 5. Without them the inputs are -2, -1
        and 3, and the targets -3, 0 and 3. The products of inputs and targets add up to $6 + 0 + 9 = 15$, the squares of the inputs to
        $4 + 1 + 9 = 14$. So the weight is $15 / (14 + 1) = 1$, and the bias $5 - 3 \cdot 1 = 2$: the result is
        `([[1.]], [2.])`. Without a price the weight would be 15/14.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "a column of ones": _with_a_column_of_ones,
        "further examples": _by_more_examples,
        "direction by direction": _by_directions,
    }
    hints = (
        "Do it for a single weight first, as in the example. What is left of the formula once inputs and targets have the mean 0?",
        "Keep the two means, `X.mean(dim=0)` and `Y.mean(dim=0)`. Use the chapter's formula on what is left. Which bias gives the mean "
        "example the mean target?",
        "`torch.linalg.solve(A.T @ A + strength * torch.eye(D), A.T @ B)` with the centred tables A and B makes the weights (mind the dtype of "
        "`eye`). The bias is the mean target minus `x_mean @ weight`.",
    )
