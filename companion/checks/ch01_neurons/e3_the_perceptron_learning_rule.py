"""Exercise 01.3: the perceptron learning rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Out, exercise, rng
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


def _update_variant(
    error: Callable[[Tensor, Tensor], Tensor], *, lr_used: bool = True, bias_moves: bool = True
) -> Callable[..., tuple[Tensor, Tensor]]:
    def update(x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float) -> tuple[Tensor, Tensor]:
        step = (lr if lr_used else 1.0) * error(x @ weight + bias, target)
        return weight + step * x, bias + step if bias_moves else bias.clone()

    return update


def _update_in_place(x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    error = target - (x @ weight + bias >= 0).to(x.dtype)
    weight += lr * error * x
    bias += lr * error
    return weight, bias


def _update_without_input(x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    error = target - (x @ weight + bias >= 0).to(x.dtype)
    return weight + lr * error, bias + lr * error


def _update_without_bias(x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    error = target - (x @ weight >= 0).to(x.dtype)
    return weight + lr * error * x, bias + lr * error


def _update_always_adding(x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    return weight + lr * x, bias + lr


def _update_adding_when_wrong(
    x: Tensor, target: Tensor, weight: Tensor, bias: Tensor, lr: float
) -> tuple[Tensor, Tensor]:
    wrong = (target != _step_of(x @ weight + bias)).to(x.dtype)
    return weight + lr * wrong * x, bias + lr * wrong


def _step_of(z: Tensor) -> Tensor:
    return (z >= 0).to(z.dtype)


def _update_cases(seed: int) -> list[Case]:
    g = rng(seed)

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

    args = {
        "x": torch.randn(4, generator=g, dtype=F64),
        "target": number(1.0, F64),
        "weight": torch.randn(4, generator=g, dtype=F64),
        "bias": number(-9.0, F64),
        "lr": 0.1,
    }
    return [
        case("an example that is predicted rightly (1)", [1.0, 2.0], 1.0, [1.0, 0.5], 0.25),
        case("an example that is predicted rightly (0)", [1.0, 2.0], 0.0, [-1.0, 0.5], -0.25),
        case("an example that should fire and does not", [2.0, -1.0, 0.5], 1.0, [-1.0, 0.5, 1.0], 0.25),
        case("an example that fires and should not", [2.0, -1.0], 0.0, [1.0, 0.5], 0.25),
        case("a bias that decides", [1.0, -1.0], 1.0, [1.0, 0.5], -2.0),
        case("all weights 0 and target 0", [3.0, 1.0], 0.0, [0.0, 0.0], 0.0),
        case("all weights 0 and target 1", [3.0, 1.0], 1.0, [0.0, 0.0], 0.0),
        Case("four features in float64", args),
    ]


@exercise("01.3", title="The perceptron learning rule", points=2)
class PerceptronUpdate:
    """One step of learning."""

    reference = perceptron_update
    returns = (Out("weight"), Out("bias"))
    statement = r"""
        A perceptron learns from one example at a time. It predicts $\hat y = 1$ if $w \cdot x + b \ge 0$ and
        $\hat y = 0$ otherwise, and it moves only if that was wrong:

        $$w \leftarrow w + \eta\,(y - \hat y)\,x, \qquad b \leftarrow b + \eta\,(y - \hat y)$$

        Write `perceptron_update(x, target, weight, bias, lr)`. `x` and `weight` have the shape (D,), `target`
        (0.0 or 1.0) and `bias` the shape (); `lr` is the learning rate $\eta$, a Python number. Return the
        new `weight` and the new `bias`, and leave the arguments as they were.

        Example: `x = [2, -1]`, `target = 0`, `weight = [1, 0.5]`, `bias = 0.25`, `lr = 0.5`. The sum is 1.75,
        so the neuron fires and should not. The new weight is `[0, 1]`, the new bias `-0.25`.

        *Serves the objective: carry out the perceptron learning rule by hand and in code.*
    """
    cases = _update_cases
    mistakes = (
        Mistake(
            "moves away from the target",
            _update_variant(lambda z, target: _step_of(z) - target),
            "Your weights move the wrong way: after the step the same example is predicted even more "
            "wrongly. Look at the sign of the error.",
        ),
        Mistake(
            "moves on every example",
            _update_variant(lambda z, target: 2 * target - 1),
            "Your weights also move when the prediction was right. The rule uses target minus prediction, "
            "which is 0 then.",
        ),
        Mistake(
            "uses the target as the error",
            _update_variant(lambda z, target: target),
            "You move whenever the target is 1 and never when it is 0. What matters is target minus "
            "prediction: a neuron that fires wrongly must move too, the other way.",
        ),
        Mistake(
            "leaves the bias out of the prediction",
            _update_without_bias,
            "Your prediction leaves the bias out, so that you judge another neuron than the one you train.",
        ),
        Mistake(
            "uses the weighted sum as the prediction",
            _update_variant(lambda z, target: target - z),
            "Your error is target minus weighted sum. The perceptron compares the target with its answer, 0 "
            "or 1, so the step comes first. (Without the step it is another rule, the delta rule.)",
        ),
        Mistake(
            "leaves the bias as it was",
            _update_variant(lambda z, target: target - _step_of(z), bias_moves=False),
            "The weights are right and the bias never moves. It learns too: think of it as the weight of an "
            "input that is always 1.",
        ),
        Mistake(
            "leaves out the learning rate",
            _update_variant(lambda z, target: target - _step_of(z), lr_used=False),
            "Your step has the right direction and ignores lr. Both weight and bias move by lr times the error.",
        ),
        Mistake(
            "does not fire at a sum of exactly 0",
            _update_variant(lambda z, target: target - (z > 0).to(z.dtype)),
            "At a sum of exactly 0 the neuron should fire (>=). With all weights 0, as training often "
            "starts, this decides the first step.",
        ),
        Mistake(
            "moves every weight by the same amount",
            _update_without_input,
            "Every weight moved by the same amount. A weight should move in proportion to its own input: "
            "one whose input was 0 had no part in the mistake.",
        ),
        Mistake(
            "always adds the input",
            _update_always_adding,
            "You add lr times x whatever happened, so every example pulls the sum up. The rule first looks: after a "
            "right answer nothing moves, and after a false alarm the input is taken away. Which factor says so?",
        ),
        Mistake(
            "adds the input after every mistake",
            _update_adding_when_wrong,
            "You move only after mistakes, which is right, and always the same way. A neuron that fired wrongly must "
            "move away from the input: the error has a sign, target minus prediction.",
        ),
        Mistake(
            "takes -1 for not firing",
            _update_variant(lambda z, target: target - torch.sign(z)),
            "torch.sign says -1 for a neuron that does not fire, where the rule for targets 0 and 1 says 0. So your "
            "error is 1 on a right answer, and 2 on some wrong ones. Compare with >= 0 instead.",
        ),
        Mistake(
            "predicts one half at a sum of exactly 0",
            _update_variant(lambda z, target: target - (torch.sign(z) + 1) / 2),
            "At a sum of exactly 0 torch.sign gives 0, so your prediction is one half and the neuron takes half a step. "
            "A step has two answers only, and at 0 it fires: compare with >= 0.",
        ),
        Mistake(
            "writes into its arguments",
            _update_in_place,
            "The numbers are right, but the caller's weight has changed too: += writes into the tensor you "
            "were given. Make a new one.",
        ),
    )
    alternatives: ClassVar = {"by cases": _update_by_cases}
    hints = (
        "Three things can happen: right, fired and should not have, did not fire and should have. What "
        "should each do to w?",
        "`target - prediction` is 0, -1 or 1 in these three cases. Compute the prediction as 0.0 or 1.0 first.",
        "With `error = target - prediction`, return `weight + lr * error * x` and the same for the bias without the x.",
    )
