"""What goes wrong with ridge regression (exercise 09.1), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from companion.checks.bank import Mistake

Model = tuple[Tensor, Tensor]
Ridge = Callable[[Tensor, Tensor, float], Model]


def _eye(A: Tensor) -> Tensor:
    return torch.eye(A.shape[1], dtype=A.dtype)


def _solved(A: Tensor, B: Tensor, strength: float) -> Tensor:
    return torch.linalg.pinv(A.T @ A + strength * _eye(A)) @ A.T @ B


def _of_columns(table: Tensor) -> Tensor:
    return table.mean(dim=0)


def by(
    *,
    solve: Callable[[Tensor, Tensor, float], Tensor] = _solved,
    priced: Callable[[float, Tensor], float] = lambda strength, X: strength,
    x_mean: Callable[[Tensor], Tensor] = _of_columns,
    y_mean: Callable[[Tensor], Tensor] = _of_columns,
    bias: Callable[[Tensor, Tensor], Tensor] = lambda y_mean, x_part: y_mean - x_part,
) -> Ridge:
    """Return ridge regression by other rules.

    Args:
        solve: the weights from centred inputs, centred targets and strength.
        priced: the strength that counts, from the right one and the inputs.
        x_mean: what is taken off the inputs.
        y_mean: what is taken off the targets.
        bias: from the mean target and what the weights make of the mean input.
    """

    def ridge(X: Tensor, Y: Tensor, strength: float) -> Model:
        weight = solve(X - x_mean(X), Y - y_mean(Y), priced(strength, X))
        return weight, bias(_of_columns(Y), _of_columns(X) @ weight)

    return ridge


def _with_ones(X: Tensor, Y: Tensor, strength: float) -> Model:
    both = _solved(torch.cat([X, torch.ones_like(X[:, :1])], dim=1), Y, strength)
    return both[:-1], both[-1]


def _no_bias(X: Tensor, Y: Tensor, strength: float) -> Model:
    return _solved(X, Y, strength), torch.zeros_like(Y[0])


def _nothing(table: Tensor) -> Tensor:
    return torch.zeros_like(table[0])


def _in_own_units(A: Tensor, B: Tensor, strength: float) -> Tensor:
    spread = A.std(dim=0, unbiased=False)
    return _solved(A / spread, B, strength) / spread[:, None]


def _left_in_own_units(A: Tensor, B: Tensor, strength: float) -> Tensor:
    return _solved(A / A.std(dim=0, unbiased=False), B, strength)


def _on_every_entry(A: Tensor, B: Tensor, strength: float) -> Tensor:
    return torch.linalg.pinv(A.T @ A + strength) @ A.T @ B


def _on_the_inverse(A: Tensor, B: Tensor, strength: float) -> Tensor:
    return (torch.linalg.pinv(A.T @ A) + strength * _eye(A)) @ A.T @ B


def _scales_the_diagonal(A: Tensor, B: Tensor, strength: float) -> Tensor:
    table = A.T @ A
    return torch.linalg.pinv(table + strength * torch.diag(torch.diag(table))) @ A.T @ B


def _shrinks_all_alike(A: Tensor, B: Tensor, strength: float) -> Tensor:
    return _solved(A, B, 0.0) / (1 + strength)


def _softly(A: Tensor, B: Tensor, strength: float) -> Tensor:
    weight = _solved(A, B, 0.0)
    return weight.sign() * (weight.abs() - strength).clamp(min=0)


_uncentred = by(x_mean=_nothing, y_mean=_nothing)


_BIAS = (
    Mistake(
        "puts a price on the bias",
        _with_ones,
        "Your predictions are pulled towards 0 as a whole: where the targets lie far from 0, your bias is too small.",
        "The bias pays like a weight. A column of ones makes it one of the weights, and then `strength * eye` covers its place as well.",
        "Which place on the diagonal belongs to the column of ones, and what should stand there if the bias is free?",
    ),
    Mistake(
        "has no bias",
        _no_bias,
        "Your bias is 0, and your weights do what a bias should do.",
        "The formula of the chapter belongs to a model without a bias. Its line passes through the origin, wherever the data lie.",
        "Add 100 to all targets. Should the weights change? Do yours?",
    ),
    Mistake(
        "takes the mean target for the bias",
        by(bias=lambda y, x: y),
        "Your weights are right. Your bias is the mean of the targets, as if the inputs had the mean 0.",
        "The weights were found for centred inputs, and the model is used with inputs as they are. What was taken off them is still missing.",
        "What does your model predict for the mean example, and what should it predict there?",
    ),
    Mistake(
        "adds what the bias should take off",
        by(bias=lambda y, x: y + x),
        "Your weights are right. In the bias, what they make of the mean input is added where it should be taken off.",
        "The mean example has to get the mean target: mean input times weights, plus bias. Solved for the bias, one of the two changes its side.",
        "Put the numbers of the example in: does your bias come to 5 - 3 or to 5 + 3?",
    ),
    Mistake(
        "has the bias with the other sign",
        by(bias=lambda y, x: x - y),
        "Your weights are right, and your bias has the right size and the wrong sign.",
        "You take the mean target off what the weights predict. The bias is what is missing to the target, and not what is too much.",
        "Which of the two is too small in the example, the prediction 3 for the mean input or the mean target 5?",
    ),
    Mistake(
        "centres the targets alone",
        by(x_mean=_nothing),
        "Your targets are centred before the weights are computed, and your inputs are not.",
        "The bias is out of the way only if the inputs have the mean 0. Otherwise the weights spend some of their length on the common offset.",
        "Print the mean of each column of the table that goes into the formula. Which of them should be 0?",
    ),
    Mistake(
        "finds the weights as if there were no bias",
        _uncentred,
        "Your bias fits your weights. The weights were found first, as if there were no bias, and do a part of its work.",
        "Nothing was centred when the formula was used. A bias that comes afterwards finds a common offset that the weights have bent to already.",
        "Add 100 to all targets. Should the weights change? Do yours? Which step has to come before the formula?",
    ),
    Mistake(
        "takes one mean off all inputs",
        by(x_mean=lambda X: X.mean()),
        "A single number is taken off all inputs: each column keeps an offset of its own.",
        "`X.mean()` without an axis is the mean of all numbers of the table. Columns with different means need one each.",
        "Print the shape of the mean that you take off. How many columns does the table have?",
    ),
)

_PRICE = (
    Mistake(
        "pays twice",
        by(priced=lambda s, X: 2 * s),
        "Your weights are those of twice the strength.",
        "The price is λ/2 times the squares. Without its half, beside half the squared errors, each weight pays double.",
        "Take the slope of both parts of the objective by hand. What stands before w in each of the two?",
    ),
    Mistake(
        "pays half",
        by(priced=lambda s, X: s / 2),
        "Your weights are those of half the strength.",
        "The half before the price stays, and the half before the squared errors is lost. In the slope both halves go, or none.",
        "Multiply the whole objective by 2. Which number stands before the sum of the squared weights then?",
    ),
    Mistake(
        "takes the mean of the squared errors",
        by(priced=lambda s, X: s * len(X)),
        "Your price grows with the number of examples: the weights are those of N times the strength.",
        "With a mean in place of the sum the loss is N times smaller, so that the same strength weighs N times more. Both forms are in use.",
        "What does the task say of the loss: a sum over the examples, or a mean? Repeat all rows once: should the weights stay?",
    ),
    Mistake(
        "divides the price by the number of examples",
        by(priced=lambda s, X: s / len(X)),
        "Your price shrinks with the number of examples: the weights are those of an N-th of the strength.",
        "The strength is divided by N, or the products of the inputs are made larger by it. The formula of the chapter has no N at all.",
        "Where in your code does a length or a mean over rows stand, and does the formula have one there?",
    ),
    Mistake(
        "squares the strength",
        by(priced=lambda s, X: s * s),
        "Where the strength is 1 or 0 your weights are right. Otherwise they are those of the squared strength.",
        "On the diagonal stands λ itself. The root of λ belongs to the way with further examples, where it is squared by the products.",
        "Try the strengths 1, 2 and 3. What is added on the diagonal in each of the three cases?",
    ),
    Mistake(
        "takes the price off",
        by(priced=lambda s, X: -s),
        "Your weights are longer than without a price: long ones are rewarded.",
        "λ is taken off the diagonal. Its slope λw stands on the same side as the slope of the loss, so that both are added up.",
        "In the example, is the weight 15/(14 + 1) or 15/(14 - 1)? Which of the two is shorter than 15/14?",
    ),
    Mistake(
        "has no price",
        by(priced=lambda s, X: 0.0),
        "Your result is the same for every strength: these are the weights without a price.",
        "The strength does not reach the formula, or what is made of it is never used.",
        "Call your function with a strength of 0 and with 1000. In which line should the difference begin?",
    ),
    Mistake(
        "adds the price to every entry",
        by(solve=_on_every_entry),
        "With a single feature your weights are right. With several, λ stands in the whole table and not on its diagonal alone.",
        "`A.T @ A + strength` adds the number to every entry, as torch broadcasts it. The I in the formula is the table of the identity.",
        "Print the table before and after the price. Which of its entries should have changed?",
    ),
    Mistake(
        "adds the price to the inverse",
        by(solve=_on_the_inverse),
        "Your weights grow with the strength: the price is added after the table has been inverted.",
        "What is added to an inverse makes the weights longer. The price belongs into the bracket, before the inverse is taken.",
        "For one weight: is it 15/(14 + 1), or 15 · (1/14 + 1)? Which of the two does your order of steps compute?",
    ),
    Mistake(
        "raises the diagonal by a share of itself",
        by(solve=_scales_the_diagonal),
        "You raise the diagonal by λ times what stands there, so that a feature with large numbers pays more.",
        "That is the price of standardised features. The task's price is the same λ for each weight, whatever its inputs look like.",
        "Print what you have added on the diagonal. Are the numbers all alike?",
    ),
    Mistake(
        "divides every weight by the same number",
        by(solve=_shrinks_all_alike),
        "You find the weights without a price, and divide all of them by 1 + λ.",
        "That is right for a single weight whose inputs have squares that add up to 1. In general each direction is shrunk by its own share.",
        "In the example, is 15/14 divided by 2, or is 1 added to the 14? What stands below the line in general?",
    ),
    Mistake(
        "cuts weights off at 0",
        by(solve=_softly),
        "Some of your weights are exactly 0: you bring them nearer to 0 by λ, and stop there.",
        "That is what a price on absolute values does. A price on squares makes each weight shorter, and none of them exactly 0.",
        "Which of the chapter's two prices is asked for here: the one with the square, or the one with the absolute value?",
    ),
    Mistake(
        "prices each column in its own unit",
        by(solve=_in_own_units),
        "Your inputs are divided by their standard deviation before the price: a feature with small numbers pays less than it should.",
        "That is often a good thing to do, and it is another task: the price then stands on the weights of standardised inputs.",
        "Which of your lines divides the inputs by their spread? The formula takes off means, and divides nothing.",
    ),
    Mistake(
        "hands back the weights of standardised inputs",
        by(solve=_left_in_own_units),
        "Your weights belong to inputs that were divided by their standard deviation, and not to those that came in.",
        "Two things have changed with the division: what the price costs, and the unit of the weights. The task divides nothing.",
        "Multiply one column of X by 10. By what should its weight change if there is no price, and does yours?",
    ),
    Mistake(
        "puts a price on the bias, and pays twice",
        lambda X, Y, strength: _with_ones(X, Y, 2 * strength),
        "Your bias pays like a weight, and the price is twice what it should be.",
        "Two things at once: the column of ones stands under the price, and the half before the price is lost.",
        "Mend the bias first: add 100 to all targets, and see whether your weights stay. Then compare the strength with the example.",
    ),
    Mistake(
        "finds the weights as if there were no bias, and pays twice",
        lambda X, Y, strength: _uncentred(X, Y, 2 * strength),
        "Your weights were found as if there were no bias, and they pay twice the price.",
        "Two things at once: nothing is centred before the formula, and the half before the price is lost.",
        "Mend the bias first: with 100 added to all targets the weights should stay. Then take the slope of half a square by hand.",
    ),
)

MISTAKES = (*_BIAS, *_PRICE)
