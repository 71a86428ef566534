"""Exercise 09.2: set to zero."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Property, exercise
from companion.checks.cases import draw
from companion.checks.ch09_regularization.e2_mistakes import MISTAKES
from companion.checks.levels import close
from companion.checks.numbers import F64, number, rows, vector
from companion.checks.trace import Case


def lasso_step(
    w: torch.Tensor, b: torch.Tensor, X: torch.Tensor, y: torch.Tensor, lr: float, strength: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weights and bias after one proximal step of the lasso."""
    error = X @ w + b - y
    a = w - lr * X.T @ error / len(X)  # a plain step down the loss
    w = a.sign() * (a.abs() - lr * strength).clamp(min=0)  # then the price, which nobody pays for the bias
    return w, b - lr * error.mean()


def _by_three_cases(w: Tensor, b: Tensor, X: Tensor, y: Tensor, lr: float, strength: float) -> list[Tensor]:
    slope_b = (X @ w + b - y).mean()
    a = w - lr * ((X @ w + b - y).unsqueeze(1) * X).mean(dim=0)
    fee = lr * strength
    moved = torch.where(a > fee, a - fee, torch.where(a < -fee, a + fee, torch.zeros_like(a)))
    return [moved, b - lr * slope_b]


def _by_what_is_taken_off(
    w: Tensor, b: Tensor, X: Tensor, y: Tensor, lr: float, strength: float
) -> tuple[Tensor, Tensor]:
    """Take off a number as far as the fee allows."""
    miss = y - torch.mv(X, w) - b
    a = torch.addmv(w, X.T, miss, alpha=lr / len(y))
    fee = lr * strength
    return a - a.clamp(-fee, fee), b + lr * miss.sum() / len(y)


def _by_autograd(w: Tensor, b: Tensor, X: Tensor, y: Tensor, lr: float, strength: float) -> tuple[Tensor, Tensor]:
    leaves = [t.clone().requires_grad_() for t in (w, b)]
    loss = (X @ leaves[0] + leaves[1] - y).square().mean() / 2
    slopes = torch.autograd.grad(loss, leaves)
    a, bias = (t.detach() - lr * g for t, g in zip(leaves, slopes))
    return torch.nn.functional.softshrink(a, lr * strength), bias


def _cases(seed: int) -> list[Case]:
    def case(
        name: str, w: Tensor, b: float, X: Tensor, y: Tensor, lr: float, strength: float, *, example: bool = False
    ) -> Case:
        given = {"w": w, "b": number(b), "X": X, "y": y, "lr": lr, "strength": strength}
        return Case(name, given, example=example)

    def drawn(name: str, n: int, d: int, lr: float, strength: float, dtype: torch.dtype = F64, **options: Any) -> Case:
        axes, sizes = {"w": "D", "b": "", "X": "N D", "y": "N"}, {"N": n, "D": d}
        return draw(
            name, axes, 7 * seed + n, sizes=sizes, plus={"lr": lr, "strength": strength}, dtype=dtype, **options
        )

    return [
        case("the step worked out", vector(1, -1, 0), 0, rows([1, 2, 2], [3, 0, 0]), vector(-2, 5), 0.2, 2.0, example=True),
        case("no price", vector(1, -2), 1, rows([1, 2], [0, 1], [3, -1]), vector(2, -1, 4), 0.1, 0.0),
        case("weights that would cross 0", vector(0.5, -0.5, 0.25), 0, rows([2, -2, 4], [4, -3, 1]), vector(-4, -6), 0.25, 0.5),
        case("a high price", vector(3, -2, 1), 2, rows([1, 0, 1], [0, 2, 1]), vector(1, 3), 0.5, 20.0),
        case("an error of 0", vector(2, -3, 0.5), 1, rows([1, 1, 2], [2, 1, 0]), vector(1, 2), 0.5, 1.0),
        case("weights of 0", vector(0, 0), 3, rows([1, 4], [2, -1], [0, 2]), vector(6, 1, 9), 0.3, 2.5),
        case("a single example", vector(2, 0.5), -1, rows([2, 1]), vector(1), 0.1, 3.0),
        drawn("more features, in float64", 8, 6, 0.1, 1.5),
        drawn("more features than examples", 4, 7, 0.2, 2.0),
        drawn("float32, with gaps in memory", 9, 5, 0.1, 4.0, torch.float32, strided=True),
    ]  # fmt: skip


def _plain(case: Case) -> tuple[Tensor, Tensor]:
    """Return weights and bias after a plain step, without the price."""
    w, b, X, y, lr, _ = case.args.values()
    moved = lasso_step(w.to(F64), b.to(F64), X.to(F64), y.to(F64), lr, 0.0)
    return moved


def _bias_is_right(case: Case, o: Observed) -> bool:
    return close(o["b"], _plain(case)[1], 1e-4)


def _without_price_is_right(case: Case, o: Observed) -> bool:
    return case.args["strength"] > 0 or close(o["w"], _plain(case)[0], 1e-4)


def _zeros_are_right(case: Case, o: Observed) -> bool:
    zero = _plain(case)[0].abs() <= case.args["lr"] * case.args["strength"] + 1e-9
    return bool((zero == (o["w"] == 0)).all())


_PROPERTIES = (
    Property(
        "the bias takes a plain step",
        _bias_is_right,
        "Your new bias is not that of a plain step down the loss.",
        "It moves against the mean error, times the rate. The price has no part in it, and nor have the new weights.",
        "Print the errors `X @ w + b - y` and their mean for the case shown.",
    ),
    Property(
        "without a price it is gradient descent",
        _without_price_is_right,
        "With a strength of 0 your step is not one of plain gradient descent on half the mean squared error.",
        "The slope by w is the products of errors and inputs, added up over the examples and divided by their number.",
        "Do the slope of the first weight by hand for the case shown: error times input, example by example.",
    ),
    Property(
        "the right weights are 0",
        _zeros_are_right,
        "Not those weights are exactly 0 in your result that the plain step leaves within the rate times the strength of 0.",
        "What the plain step leaves is compared with that fee. What is not larger in size becomes exactly 0, on both sides.",
        "Print the weights after the plain step, their sizes, and `lr * strength`. Which of them should be 0?",
    ),
    Property(
        "what is left has paid the fee",
        lambda case, o: False,
        "The right weights are 0. The others do not have the right size or sign.",
        "Each of them comes nearer to 0 by the same fee, and stays on its side.",
        "Take one weight above 0 and one below it after the plain step. What should the fee make of each?",
    ),
)


@exercise("09.2", title="Set to zero", points=2)
class SetToZero:
    """One step of the lasso: down the loss, then the soft threshold, with a bias that costs nothing."""

    reference = lasso_step
    read = "A price that sets weights to zero"
    returns = (Out("w"), Out("b"))
    properties = _PROPERTIES
    tolerance = 1e-4
    statement = r"""
        The lasso puts a price on absolute values. What it makes as small as it can, with a bias that costs nothing, is

        $$\frac{1}{2N} \sum_{n=1}^{N} \big(x_n \cdot w + b - y_n\big)^2 + \lambda \sum_d \lvert w_d \rvert$$

        A proximal step has two halves. First comes a plain step of gradient descent down the **loss alone** (the first part), for the weights and for the bias, both
        from the same errors. Then the soft threshold is applied to the weights, with the rate times the strength:

        $$a = w - \eta\, \frac{\partial L}{\partial w}, \qquad w \leftarrow \operatorname{sign}(a)\, \max(\lvert a \rvert - \eta\lambda,\ 0), \qquad b \leftarrow b - \eta\, \frac{\partial L}{\partial b}$$

        Write `lasso_step(w, b, X, y, lr, strength)`. `w` has the shape (D,), `b` is a tensor without axes, `X` has the shape (N, D) and `y` the shape (N,). `lr` is
        $\eta$ and `strength` is $\lambda$. Return the new `(w, b)` as new tensors. What came in stays as it was.

        Example: `w = [1, -1, 0]`, `b = 0`, `X = [[1, 2, 2], [3, 0, 0]]`, `y = [-2, 5]`, a rate of 0.2 and a strength of 2. The predictions are -1 and 3, and the
        errors 1 and -2. The slopes by the weights are $(1 \cdot 1 - 2 \cdot 3)/2 = -2.5$, then 1 and 1, and the slope by the bias is -0.5. The plain
        step leads to `[1.5, -1.2, -0.2]` and 0.1. Now each weight comes nearer to 0 by $0.2 \cdot 2 = 0.4$, and stops there. The result is `[1.1, -0.8, 0]`
        and 0.1.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "by three cases": _by_three_cases,
        "by what is taken off": _by_what_is_taken_off,
        "slopes by autograd, PyTorch's soft threshold": _by_autograd,
    }
    hints = (
        "Write the plain step first, and test it with a strength of 0. All slopes come from the errors `X @ w + b - y`.",
        "The slope by w is `X.T @ error / N`, that by b is the mean error. Take both before you change anything.",
        "`a.sign() * (a.abs() - lr * strength).clamp(min=0)` is the soft threshold of the weights. The bias is finished after the plain step.",
    )
