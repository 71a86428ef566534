"""Exercise 01.3: the perceptron learning rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Out, exercise
from companion.checks.cases import draw
from companion.checks.ch01_neurons.e3_mistakes import MISTAKES
from companion.checks.numbers import F64, number, vector
from companion.checks.trace import Case


def perceptron_update(
    x: torch.Tensor, target: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, lr: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the weight (D,) and the bias () after one example x (D,) with its target, 0.0 or 1.0."""
    prediction = (x @ weight + bias >= 0).to(x.dtype)
    error = target - prediction  # -1, 0 or 1
    return weight + lr * error * x, bias + lr * error


def _update_by_cases(x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    fired = (x * weight).sum() + bias >= 0
    if fired and target == 0:
        return weight - lr * x, bias - lr
    if not fired and target == 1:
        return weight + lr * x, bias + lr
    return weight.clone(), bias.clone()


def _update_with_one_more_input(
    x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float
) -> tuple[Tensor, Tensor]:
    row = torch.cat([x, torch.ones(1, dtype=x.dtype)])  # the bias as the weight of an input that is always 1
    theta = torch.cat([weight, bias[None]])
    fired = torch.heaviside(torch.einsum("d,d->", row, theta), torch.ones((), dtype=x.dtype))
    theta = torch.add(theta, (target - fired) * row, alpha=lr)
    return theta[:-1], theta[-1]


def _update_cases(seed: int) -> list[Case]:
    def case(
        name: str, x: Sequence[float], target: float, weight: Sequence[float], bias: float, lr: float = 0.5
    ) -> Case:
        return Case(
            name,
            {
                "x": vector(*x),
                "target": number(target),
                "weight": vector(*weight),
                "bias": number(bias),
                "lr": lr,
            },
        )

    given = {"target": number(1.0, F64), "bias": number(-30.0, F64), "lr": 0.1}
    drawn = draw("float64", {"x": "D", "weight": "D"}, seed, sizes={"D": 4}, plus=given)
    in_order = {name: drawn.args[name] for name in ("x", "target", "weight", "bias", "lr")}
    worked_out = case("an example that fires and should not", [2.0, -1.0], 0.0, [1.0, 0.5], 0.25)
    return [
        case("an example that is predicted rightly (1)", [1.0, 2.0], 1.0, [1.0, -0.5], 0.25),
        case("an example that is predicted rightly (0)", [1.0, 2.0], 0.0, [-1.0, 0.5], -0.25),
        case("an example that should fire and does not", [2.0, -1.0, 1.5], 1.0, [1.0, 0.5, -2.0], 0.25),
        dataclasses.replace(worked_out, example=True),
        case("a bias that decides", [1.0, -1.0], 1.0, [1.0, 0.5], -2.0),
        case("all weights 0 and target 0", [3.0, 1.0], 0.0, [0.0, 0.0], 0.0),
        case("all weights 0 and target 1", [3.0, 1.0], 1.0, [0.0, 0.0], 0.0),
        dataclasses.replace(drawn, args=in_order),
    ]


@exercise("01.3", title="The perceptron learning rule", points=2)
class PerceptronUpdate:
    """One step of learning."""

    reference = perceptron_update
    returns = (Out("weight"), Out("bias"))
    read = "Learning from mistakes"
    statement = r"""
        A perceptron learns from one example at a time. It predicts $\hat y = 1$ if $w \cdot x + b \ge 0$ and
        $\hat y = 0$ otherwise, and it moves only if that was wrong:

        $$w \leftarrow w + \eta\,(y - \hat y)\,x, \qquad b \leftarrow b + \eta\,(y - \hat y)$$

        Write `perceptron_update(x, target, weight, bias, lr)`. `x` and `weight` have the shape (D,), `target`
        (0.0 or 1.0) and `bias` the shape (); `lr` is the learning rate $\eta$, a Python number. Return the
        new `weight` and the new `bias`, and leave the arguments as they were.

        Example: `x = [2, -1]`, `target = 0`, `weight = [1, 0.5]`, `bias = 0.25`, `lr = 0.5`. The sum is 1.75,
        so the neuron fires and should not. The new weight is `[0, 1]`, the new bias `-0.25`.
    """
    cases = _update_cases
    mistakes = MISTAKES
    alternatives: ClassVar = {"by cases": _update_by_cases, "one more input": _update_with_one_more_input}
    hints = (
        "Three things can happen: right, fired and should not have, did not fire and should have. What "
        "should each do to w?",
        "`target - prediction` is 0, -1 or 1 in these three cases. Compute the prediction as 0.0 or 1.0 first.",
        "With `error = target - prediction`, return `weight + lr * error * x` and the same for the bias without the x.",
    )
