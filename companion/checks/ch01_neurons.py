"""Exercises of chapter 01: weighted sum, threshold, learning rule, and what one neuron cannot do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import ClassVar

import torch
from sklearn.datasets import load_iris
from torch import Tensor

from companion.checks.bank import Mistake, Observed, Out, Parameter, exercise, per_variant, rng
from companion.checks.trace import Call, Case, Trace

F64 = torch.float64


def _rows(*rows: Sequence[float], dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.tensor(rows, dtype=dtype)


def _vector(*numbers: float, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.tensor(numbers, dtype=dtype)


def _number(number: float, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.tensor(number, dtype=dtype)


# == 01.1 =============================================================================================


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
            {"x": _rows([2.0, 1.0]), "weight": _vector(3.0, -1.0), "bias": _number(0.5)},
            grad=three,
        ),
        Case(
            "as many rows as features",
            {"x": _rows([1.0, 2.0], [3.0, 5.0]), "weight": _vector(1.0, -2.0), "bias": _number(10.0)},
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


# == 01.2 =============================================================================================


def fires(z: torch.Tensor, threshold: float) -> torch.Tensor:
    """Return 1.0 where z reaches the threshold and 0.0 elsewhere, in the shape and dtype of z."""
    return (z >= threshold).to(z.dtype)


def _fires_by_where(z: Tensor, threshold: float) -> Tensor:
    return torch.where(z >= threshold, torch.ones_like(z), torch.zeros_like(z))


def _fires_by_heaviside(z: Tensor, threshold: float) -> Tensor:
    return torch.heaviside(z - threshold, torch.ones((), dtype=z.dtype))


def _fires_cases(seed: int) -> list[Case]:
    z = torch.randn(3, 4, generator=rng(seed), dtype=F64)
    return [
        Case("a weighted sum on each side", {"z": _vector(-1.0, 2.0, 3.0), "threshold": 0.0}),
        Case("a threshold of 1.5", {"z": _vector(-2.0, 1.0, 4.0), "threshold": 1.5}),
        Case("a negative threshold", {"z": _vector(-2.0, -0.5, 1.0), "threshold": -1.0}),
        Case("a weighted sum right at the threshold", {"z": _vector(0.25, 0.5, 0.75), "threshold": 0.5}),
        Case("two axes in float64", {"z": z, "threshold": 0.3}),
    ]


@exercise("01.2", title="A movable threshold", points=1)
class Fires:
    """The step function with its threshold as an argument."""

    reference = fires
    statement = r"""
        A neuron fires when its weighted sum reaches a threshold $\theta$:

        $$f(z) = \begin{cases} 1 & z \ge \theta \\ 0 & z < \theta \end{cases}$$

        Write `fires(z, threshold)`. `z` has any shape and `threshold` is a Python number; the result has the
        shape **and the dtype** of `z` and holds only 0 and 1.

        Example: `z = [0.25, 0.5, 0.75]` and `threshold = 0.5` give `[0, 1, 1]`.

        *Serves the objective: explain the bias as a threshold that can be learned.*
    """
    cases = _fires_cases
    mistakes = (
        Mistake(
            "does not fire at the threshold itself",
            lambda z, threshold: (z > threshold).to(z.dtype),
            "Everything is right except at the threshold itself, where the neuron should fire. Weights that "
            "start at 0 put the very first sum exactly there.",
        ),
        Mistake(
            "ignores the threshold",
            lambda z, threshold: (z >= 0).to(z.dtype),
            "Your neuron always fires from 0 on. Move the threshold and nothing changes: where does it enter?",
        ),
        Mistake(
            "adds the threshold",
            lambda z, threshold: (z + threshold >= 0).to(z.dtype),
            "You add the threshold to z. A higher threshold should make firing harder, yours makes it "
            "easier. (What you add would be a bias: the threshold with its sign turned.)",
        ),
        Mistake(
            "fires below the threshold",
            lambda z, threshold: (z <= threshold).to(z.dtype),
            "Your neuron fires where the sum is small and rests where it is large. Turn the comparison round.",
        ),
        Mistake(
            "returns truth values",
            lambda z, threshold: z >= threshold,
            "True and False in the right places. The next layer multiplies by weights, so it needs numbers: "
            "give them the dtype of z.",
        ),
        Mistake(
            "answers with -1 and 1",
            lambda z, threshold: (z >= threshold).to(z.dtype) * 2 - 1,
            "A resting neuron sends 0 here, not -1. (Some books use -1 and 1; then other formulas change too.)",
        ),
        Mistake(
            "takes the sign",
            lambda z, threshold: torch.sign(z - threshold),
            "The sign has three answers, -1, 0 and 1. A step has two: 0 below the threshold and 1 from it on.",
        ),
        Mistake(
            "passes the sum on",
            lambda z, threshold: torch.where(z >= threshold, z, torch.zeros_like(z)),
            "Where it fires you return z itself. A step says yes or no, and yes is 1, however large the sum is.",
        ),
    )
    alternatives: ClassVar = {"where": _fires_by_where, "heaviside": _fires_by_heaviside}
    hints = (
        "A comparison of a tensor with a number compares each entry and gives True or False.",
        "Which of >, >=, < and <= is right at the threshold itself? The formula above says it.",
        "Compare `z` with `threshold`, then turn truth values into numbers with `.to(...)` and the dtype of `z`.",
    )


# == 01.3 =============================================================================================


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
                "x": _vector(*x),
                "target": _number(target),
                "weight": _vector(*weight),
                "bias": _number(bias),
                "lr": lr,
            },
        )

    args = {
        "x": torch.randn(4, generator=g, dtype=F64),
        "target": _number(1.0, F64),
        "weight": torch.randn(4, generator=g, dtype=F64),
        "bias": _number(-9.0, F64),
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


# == 01.4 =============================================================================================


def train_perceptron(X: torch.Tensor, y: torch.Tensor, max_epochs: int) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
    """Return weight (D,), bias () and the mistakes of each epoch, from X (N, D) and targets y (N,)."""
    weight, bias = torch.zeros_like(X[0]), torch.zeros_like(y[0])
    history = []
    for _ in range(max_epochs):
        mistakes = 0
        for x, target in zip(X, y):
            error = target - (x @ weight + bias >= 0).to(X.dtype)
            weight, bias = weight + error * x, bias + error
            mistakes += int(error != 0)
        history.append(mistakes)
        if mistakes == 0:
            break
    return weight, bias, history


def _train_by_while(X: Tensor, y: Tensor, max_epochs: int) -> tuple[Tensor, Tensor, Tensor]:
    theta = torch.zeros(X.shape[1] + 1, dtype=X.dtype)  # the bias as the weight of an input that is always 1
    rows = torch.cat([X, torch.ones(len(X), 1, dtype=X.dtype)], dim=1)
    counts: list[int] = []
    while len(counts) < max_epochs and (not counts or counts[-1] > 0):
        counts.append(0)
        for row, target in zip(rows, y):
            fired = bool((row * theta).sum() >= 0)
            if fired != bool(target):
                theta = theta - row if fired else theta + row
                counts[-1] += 1
    return theta[:-1], theta[-1], torch.tensor(counts)


def _training(
    *,
    start: float = 0.0,
    lr: float = 1.0,
    signed: bool = False,
    stop: str = "error-free",
    keep_zero: bool = True,
    batch: bool = False,
    reset_weights: bool = False,
    reset_count: bool = True,
    bias_moves: bool = True,
    fires_at_zero: bool = True,
) -> Callable[..., tuple[Tensor, Tensor, list[int]]]:
    """Return a training loop with one fault: each known mistake differs from the right one in one thing."""

    def train(X: Tensor, y: Tensor, max_epochs: int) -> tuple[Tensor, Tensor, list[int]]:
        weight, bias = torch.full_like(X[0], start), torch.zeros_like(y[0])
        history: list[int] = []
        mistakes = 0
        for _ in range(max_epochs):
            if reset_weights:
                weight, bias = torch.zeros_like(X[0]), torch.zeros_like(y[0])
            if reset_count:
                mistakes = 0
            before = mistakes
            frozen = weight, bias
            for x, target in zip(X, y):
                w, b = frozen if batch else (weight, bias)
                z = x @ w + b
                error = target - (z >= 0 if fires_at_zero else z > 0).to(X.dtype)
                weight, bias = weight + lr * error * x, bias + lr * error if bias_moves else bias
                mistakes += int(error) if signed else int(error != 0)
                if stop == "first success" and error == 0:
                    break
            history.append(mistakes)
            if stop != "never" and mistakes == (0 if stop == "count is 0" else before):
                break
        return weight, bias, history if keep_zero or history[-1] else history[:-1]

    return train


def _train_cases(seed: int) -> list[Case]:
    g = rng(seed)
    rows = _rows([0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0])
    X = torch.randn(8, 3, generator=g, dtype=F64)
    y = (X @ _vector(2.0, -1.0, 0.5, dtype=F64) >= 0.3).to(F64)
    hard = torch.randn(9, 2, generator=g)
    return [
        Case("one epoch of OR", {"X": rows, "y": _vector(0.0, 1.0, 1.0, 1.0), "max_epochs": 1}),
        Case("the four rows of OR", {"X": rows, "y": _vector(0.0, 1.0, 1.0, 1.0), "max_epochs": 20}),
        Case("the four rows of AND", {"X": rows, "y": _vector(0.0, 0.0, 0.0, 1.0), "max_epochs": 30}),
        Case("XOR, which has no solution", {"X": rows, "y": _vector(0.0, 1.0, 1.0, 0.0), "max_epochs": 7}),
        Case("three features in float64", {"X": X, "y": y, "max_epochs": 100}),
        Case(
            "mixed-up targets",
            {"X": hard, "y": _vector(1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0), "max_epochs": 5},
        ),
    ]


@exercise("01.4", title="Train a perceptron", points=2)
class TrainPerceptron:
    """The whole training, epoch by epoch."""

    reference = train_perceptron
    returns = (Out("weight"), Out("bias"), Out("mistakes", "counts"))
    statement = r"""
        Put the rule of 01.3 into a loop. Write `train_perceptron(X, y, max_epochs)` for examples `X` of shape
        (N, D) and targets `y` of shape (N,), 0.0 or 1.0:

        * start with all weights and the bias at 0, and use the learning rate 1;
        * in each epoch go through the rows in their order; after each row the weights change at once;
        * count the mistakes of each epoch; stop after an epoch without a mistake, at the latest after
          `max_epochs`.

        Return the weight (D,), the bias (), and the list of mistakes per epoch, the last epoch included: for
        separable data the list ends with 0.

        Example: the four rows of OR, `[[0, 0], [0, 1], [1, 0], [1, 1]]` with `y = [0, 1, 1, 1]`, give `weight
        = [1, 1]`, `bias = -1` and the mistakes `[2, 2, 1, 0]`.

        *Serves the objective: train a perceptron and read from its mistakes whether the data is separable.*
    """
    cases = _train_cases
    mistakes = (
        Mistake(
            "never stops early",
            _training(stop="never"),
            "Your training goes on to max_epochs although an epoch without mistakes has passed. Nothing can "
            "change after that: each later epoch would add another 0.",
        ),
        Mistake(
            "does not list the last epoch",
            _training(keep_zero=False),
            "The weights are right; the epoch without a mistake is missing at the end of your list. Append "
            "first, then stop.",
        ),
        Mistake(
            "changes the weights once per epoch",
            _training(batch=True),
            "All rows of an epoch were judged with the weights that the epoch began with. The perceptron "
            "changes after each row, and the next row already meets the new weights.",
        ),
        Mistake(
            "starts each epoch from 0",
            _training(reset_weights=True),
            "Your weights go back to 0 at each epoch, so that nothing is kept and every epoch makes the "
            "same mistakes. What belongs before the outer loop?",
        ),
        Mistake(
            "never sets the count back",
            _training(reset_count=False),
            "Your count grows from epoch to epoch: it is never set back to 0. What belongs inside the outer loop?",
        ),
        Mistake(
            "stops at the first success",
            _training(stop="first success"),
            "An epoch of yours ends at the first row that is right. One success does not mean that all rows "
            "are right: finish the rows, then decide.",
        ),
        Mistake(
            "leaves the bias at 0",
            _training(bias_moves=False),
            "Your bias stays at 0, so that the boundary always passes through the origin. Which line moves it?",
        ),
        Mistake(
            "does not fire at a sum of exactly 0",
            _training(fires_at_zero=False),
            "All weights start at 0, so the first sum is exactly 0, and there the neuron fires (>=). Yours "
            "rests, and from the first row on it takes another path.",
        ),
        Mistake(
            "waits for a count that never goes back to 0",
            _training(reset_count=False, stop="count is 0"),
            "Your count grows from epoch to epoch, and so the test whether it is 0 never succeeds: the training runs on "
            "to max_epochs. Where should the count begin again?",
        ),
        Mistake(
            "uses another learning rate",
            _training(lr=0.1),
            "Your mistakes come in the right places, and the weights are ten times too small: each correction should be "
            "made with the learning rate 1, so add or take away the input as it is.",
        ),
        Mistake(
            "starts from ones",
            _training(start=1.0),
            "Your weights do not start at 0. From another start the neuron takes another path and makes other mistakes; "
            "the task asks for zeros.",
        ),
        Mistake(
            "adds up the errors with their sign",
            _training(signed=True),
            "You add up the errors themselves, and +1 and -1 cancel: an epoch with one mistake of each kind counts as "
            "free of mistakes, and the training stops too early. Count how many errors differ from 0.",
        ),
    )
    alternatives: ClassVar = {"while, bias as a weight": _train_by_while}
    hints = (
        "Two loops: the outer one over epochs, the inner one over rows. Write down what each of them must set up.",
        "Before the outer loop: weight, bias, an empty list. At its start: mistakes = 0. At its end: "
        "append, then perhaps break.",
        "Inside the inner loop: error = target - (1.0 if x @ weight + bias >= 0 else 0.0), then move by "
        "error, then count.",
    )


# == 01.5 =============================================================================================

CORNERS = _rows([0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0])
GATES: dict[str, tuple[float, float, float, float]] = {
    "xor": (0.0, 1.0, 1.0, 0.0),
    "xnor": (1.0, 0.0, 0.0, 1.0),
    "x1 and not x2": (0.0, 0.0, 1.0, 0.0),
    "x2 implies x1": (1.0, 0.0, 1.0, 1.0),
    "or": (0.0, 1.0, 1.0, 1.0),
    "and": (0.0, 0.0, 0.0, 1.0),
    "nand": (1.0, 1.0, 1.0, 0.0),
    "nor": (1.0, 0.0, 0.0, 0.0),
    "always 0": (0.0, 0.0, 0.0, 0.0),
    "always 1": (1.0, 1.0, 1.0, 1.0),
}
Network = tuple[Tensor, Tensor, Tensor, Tensor]


def _xor_network() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return hidden_weight (2, 2), hidden_bias (2,), out_weight (2,) and out_bias () of a step network."""
    hidden_weight = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    hidden_bias = torch.tensor([-0.5, -1.5])  # at least one input; both inputs
    out_weight = torch.tensor([1.0, -1.0])  # at least one, and not both
    return hidden_weight, hidden_bias, out_weight, torch.tensor(-0.5)


def _xnor_network() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return hidden_weight (2, 2), hidden_bias (2,), out_weight (2,) and out_bias () of a step network."""
    hidden_weight = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
    hidden_bias = torch.tensor([0.5, -1.5])  # no input; both inputs
    out_weight = torch.tensor([1.0, 1.0])  # either of the two
    return hidden_weight, hidden_bias, out_weight, torch.tensor(-0.5)


def _first_only_network() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return hidden_weight (2, 2), hidden_bias (2,), out_weight (2,) and out_bias () of a step network."""
    hidden_weight = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    hidden_bias = torch.tensor([-0.5, -0.5])  # the first input; the second input
    out_weight = torch.tensor([1.0, -1.0])  # the first, and not the second
    return hidden_weight, hidden_bias, out_weight, torch.tensor(-0.5)


def _implies_network() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return hidden_weight (2, 2), hidden_bias (2,), out_weight (2,) and out_bias () of a step network."""
    hidden_weight = torch.tensor([[1.0, 0.0], [0.0, -1.0]])
    hidden_bias = torch.tensor([-0.5, 0.5])  # the first input; not the second input
    out_weight = torch.tensor([1.0, 1.0])  # either of the two
    return hidden_weight, hidden_bias, out_weight, torch.tensor(-0.5)


_NETWORKS = {
    "xor": _xor_network,
    "xnor": _xnor_network,
    "x1 and not x2": _first_only_network,
    "x2 implies x1": _implies_network,
}


def _network_for(gate: str) -> Callable[[], Network]:
    """Return some 2-2-1 network for any gate: known mistakes are right networks of other gates."""
    if gate in _NETWORKS:
        return _NETWORKS[gate]
    w1, b1 = {
        "or": (1.0, -0.5),
        "and": (1.0, -1.5),
        "nand": (-1.0, 1.5),
        "nor": (-1.0, 0.5),
        "always 0": (0.0, -1.0),
        "always 1": (0.0, 1.0),
    }[gate]

    def network() -> Network:
        return torch.full((2, 2), w1), torch.full((2,), b1), _vector(1.0, 1.0), _number(-0.5)

    return network


def _without_margin(gate: str) -> Callable[[], Network]:
    """Return a network that is right on the corners and sits on the threshold there."""

    def network() -> Network:
        hidden_weight, hidden_bias, out_weight, out_bias = _NETWORKS[gate]()
        least = (CORNERS @ hidden_weight.T + hidden_bias).where(CORNERS @ hidden_weight.T + hidden_bias >= 0, torch.inf)
        return hidden_weight, hidden_bias - least.amin(dim=0), out_weight, out_bias

    return network


def _network_doubled(gate: str) -> tuple[Callable[[], Network], Callable[[], Network]]:
    """Return two other right networks: hidden units swapped and scaled, and a larger output sum."""

    def swapped() -> Network:
        w, b, v, c = _NETWORKS[gate]()
        return 20 * w.flip(0), 20 * b.flip(0), v.flip(0), c

    def larger() -> Network:
        w, b, v, c = _NETWORKS[gate]()
        return w, b, 7 * v, 7 * c

    return swapped, larger


def _network_output(case: Case, trace: Trace) -> Observed:
    names = ("hidden_weight", "hidden_bias", "out_weight", "out_bias")
    if any(n not in trace.tensors for n in names):
        return {}
    w, b, v, c = (trace.tensors[n].to(F64) for n in names)
    if (w.shape, b.shape, v.shape, c.shape) != ((2, 2), (2,), (2,), ()):
        return {}
    x = case.secret["x"].to(F64)
    hidden = (x @ w.T + b >= 0).to(F64)
    return {"out": (hidden @ v + c >= 0).to(F64)}


def _judge_gate(case: Case, observed: Observed, expected: Observed) -> str | None:
    if not observed:
        return "Return four things: hidden_weight (2, 2), hidden_bias (2,), out_weight (2,), out_bias ()."
    wrong = (observed["out"] != expected["out"]).nonzero().flatten().tolist()
    if not wrong:
        return None
    if len(expected["out"]) == len(CORNERS):
        rows = ", ".join(
            f"({a:.0f}, {b:.0f}) gives {o:.0f}" for (a, b), o in zip(CORNERS.tolist(), observed["out"].tolist())
        )
        return f"Not this gate yet: {rows}. Compute the two hidden units of a wrong row on paper."
    x = case.secret["x"][wrong[0]].tolist()
    return (
        f"Right at the four corners, wrong nearby: at ({x[0]:.2f}, {x[1]:.2f}) the answer flips. Put each "
        "threshold half-way between the sums that it separates."
    )


def _gate_cases(gate: str) -> Callable[[int], list[Case]]:
    def cases(seed: int) -> list[Case]:
        around = torch.cat(
            [
                CORNERS + 0.2 * shift
                for shift in (
                    _rows([1.0, 1.0]),
                    _rows([-1.0, -1.0]),
                    _rows([1.0, -1.0]),
                    _rows([-1.0, 1.0]),
                    2 * torch.rand(4, 2, generator=rng(seed)) - 1,
                )
            ]
        )
        return [
            Case("the four rows of the table", secret={"x": CORNERS}),
            Case("inputs up to 0.2 away from them", secret={"x": around}),
        ]

    return cases


def _same_corners(gate: str) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        return bool(observed[0]) and observed[0]["out"].tolist() == list(GATES[gate])

    return matches


def _margin_missing(gate: str) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    right, wrong = _NETWORKS[gate](), _without_margin(gate)()

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        theirs = [_output(wrong, c.secret["x"]) for c in cases]
        return all(bool(o) and bool((o["out"] == t).all()) for o, t in zip(observed, theirs))

    assert (_output(right, CORNERS) == _output(wrong, CORNERS)).all()
    return matches


def _output(network: Network, x: Tensor) -> Tensor:
    names = ("hidden_weight", "hidden_bias", "out_weight", "out_bias")
    return _network_output(Case("", secret={"x": x}), Trace(dict(zip(names, network)), {}))["out"]


_GATE_MESSAGES = {
    "or": "Your network computes OR: it fires when at least one input is 1. One neuron "
    "can do that. Look at your rows (0, 0) and (1, 1).",
    "and": "Your network computes AND: it fires only for (1, 1). Which second hidden unit would you set "
    "beside this one?",
    "nand": "Your network computes NAND: 0 only for (1, 1). Which rows does the table treat differently?",
    "nor": "Your network computes NOR: 1 only for (0, 0). Which rows does the table treat differently?",
    "xor": "Your network computes XOR: it fires when the inputs differ. Compare that with the table.",
    "xnor": "Your network computes XNOR: it fires when the inputs are equal, the opposite of XOR. Compare "
    "that with the table.",
    "x1 and not x2": "Your network fires only for (1, 0). Which other rows does the table want?",
    "x2 implies x1": "Your network rests only for (0, 1). Compare that with the table row by row.",
    "always 0": "Your network never fires. Is the output's bias too low for its hidden units to lift it?",
    "always 1": "Your network always fires. A sum of exactly 0 fires too, and with all weights 0 it is 0.",
}


@exercise(
    "01.5",
    title="Two layers for one gate",
    points=2,
    parameters=({"gate": "xor"}, {"gate": "xnor"}, {"gate": "x1 and not x2"}, {"gate": "x2 implies x1"}),
)
class GateNetwork:
    """Weights by hand for a 2-2-1 network of steps."""

    name = "gate_network"
    returns = (Out("hidden_weight"), Out("hidden_bias"), Out("out_weight"), Out("out_bias", "number"))
    observe = _network_output
    judge = _judge_gate

    @per_variant
    def reference(p: Parameter) -> Callable[[], Network]:
        """Return the network of this gate."""
        return _NETWORKS[p["gate"]]

    @per_variant
    def statement(p: Parameter) -> str:
        """Return the task with this gate's table."""
        rows = "\n".join(
            f"        | {a:.0f} | {b:.0f} | {o:.0f} |" for (a, b), o in zip(CORNERS.tolist(), GATES[p["gate"]])
        )
        title = p["gate"].upper() if len(p["gate"]) < 5 else p["gate"]
        cannot = " One neuron cannot do it." if p["gate"] in ("xor", "xnor") else ""
        return rf"""
        Choose the weights of a network with two inputs, two hidden units and one output unit, all of them
        steps ($1$ where the sum is $\ge 0$), so that it computes **{title}**.{cannot}

        | x₁ | x₂ | output |
        |---|---|---|
{rows}

        Write `gate_network()`, without arguments. It returns four tensors: `hidden_weight` of shape (2, 2),
        one row per hidden unit; `hidden_bias` (2,); `out_weight` (2,); `out_bias` (). Your network is judged
        by what it answers, also for inputs up to 0.2 away from the rows of the table, so leave room on both
        sides of each threshold.

        Example of one unit: the weights `[1, 1]` with the bias `-1.5` fire for (1, 1) alone, and there is 0.5
        to spare on both sides.

        *Serves the objective: show what one neuron cannot do and how a second layer does it.*
        """

    @per_variant
    def cases(p: Parameter) -> Callable[[int], list[Case]]:
        """Return the corners and their neighbourhood."""
        return _gate_cases(p["gate"])

    @per_variant
    def mistakes(p: Parameter) -> list[Mistake]:
        """Return every other gate as a mistake, and the right gate without room to spare."""
        gate = p["gate"]
        others = [
            Mistake(f"computes {g}", _network_for(g), _GATE_MESSAGES[g], _same_corners(g)) for g in GATES if g != gate
        ]
        tight = Mistake(
            "leaves no room at a threshold",
            _without_margin(gate),
            "Right at the four corners, but a sum there is exactly 0, right on the threshold: the smallest "
            "push on an input flips the answer. Put each threshold half-way between the sums it should "
            "separate.",
            _margin_missing(gate),
        )
        return [*others, tight]

    @per_variant
    def alternatives(p: Parameter) -> Mapping[str, Callable[[], Network]]:
        """Return right networks with other weights."""
        swapped, larger = _network_doubled(p["gate"])
        return {"hidden units swapped and scaled": swapped, "larger output weights": larger}

    @per_variant
    def hints(p: Parameter) -> Sequence[str]:
        """Return hints that fit the gate."""
        last = {
            "xor": "Let one hidden unit be OR and the other AND. The output should fire for OR without AND.",
            "xnor": "One hidden unit fires for (0, 0) alone, the other for (1, 1) alone. The output is OR.",
            "x1 and not x2": "Let each hidden unit copy one input. The output needs one weight of each sign.",
            "x2 implies x1": "Let one hidden unit be x1 and the other NOT x2. The output is OR.",
        }[p["gate"]]
        return (
            "Give each hidden unit a yes-or-no question about the inputs that you could put into words.",
            "Write a table with the columns x1, x2, first hidden unit, second hidden unit, output. Fill in "
            "the last column first.",
            last,
        )


# == 01.6 =============================================================================================


def count_parameters(sizes: list[int], bias: bool = True) -> int:
    """Return how many weights and biases a fully connected network with these layer sizes has."""
    total, inputs = 0, sizes[0]
    for outputs in sizes[1:]:
        total += inputs * outputs + (outputs if bias else 0)
        inputs = outputs  # what this layer sends out, the next one takes in
    return total


def _count_by_sums(sizes: list[int], bias: bool = True) -> int:
    weights = sum(a * b for a, b in pairwise(sizes))
    return weights + sum(sizes[1:]) * bias


def _count_by_building(sizes: list[int], bias: bool = True) -> int:
    layers = [torch.nn.Linear(a, b, bias=bias, device="meta") for a, b in pairwise(sizes)]
    return sum(p.numel() for layer in layers for p in layer.parameters())


def _count_cases(seed: int) -> list[Case]:
    drawn = torch.randint(2, 9, (4,), generator=rng(seed)).tolist()
    return [
        Case("one neuron", {"sizes": [2, 1], "bias": True}),
        Case("no value given for bias", {"sizes": [4, 3, 2]}),
        Case("no biases", {"sizes": [4, 3, 2], "bias": False}),
        Case("three layers of weights", {"sizes": [5, 1, 7, 3], "bias": True}),
        Case("a network for 8 by 8 pictures", {"sizes": [64, 32, 10], "bias": True}),
        Case("an input and nothing else", {"sizes": [3], "bias": True}),
        Case("sizes drawn at random", {"sizes": drawn, "bias": True}),
    ]


@exercise("01.6", title="Count the parameters", points=1)
class CountParameters:
    """How many numbers a network learns."""

    reference = count_parameters
    returns = (Out("out", "integer"),)
    statement = r"""
        A fully connected network is described by its sizes: `[64, 32, 10]` has 64 inputs, one hidden layer of
        32 units and 10 outputs. Each unit has one weight for each number that comes in, and one bias.

        Write `count_parameters(sizes, bias=True)`, which returns how many parameters there are. With
        `bias=False` the units have none. The inputs are numbers, not units: they have no parameters.

        Example: `[2, 1]`, a single neuron, has 2 weights and 1 bias, so 3 parameters.

        *Serves the objective: say what a parameter is and count a network's parameters.*
    """
    cases = _count_cases
    mistakes = (
        Mistake(
            "forgets the biases",
            lambda sizes, bias=True: sum(a * b for a, b in pairwise(sizes)),
            "You count the weights only. Each unit has a bias as well, one per unit of every layer after the input.",
        ),
        Mistake(
            "counts biases that are not there",
            lambda sizes, bias=True: sum(a * b + b for a, b in pairwise(sizes)),
            "With bias=False you still count biases. What should the argument switch off?",
        ),
        Mistake(
            "gives the inputs a bias",
            lambda sizes, bias=True: sum(a * b for a, b in pairwise(sizes)) + sum(sizes) * bias,
            "Too many by exactly the number of inputs. Inputs are given numbers; they have no bias.",
        ),
        Mistake(
            "counts one bias per layer",
            lambda sizes, bias=True: sum(a * b + bias for a, b in pairwise(sizes)),
            "You count one bias for each layer. Each unit of a layer has its own threshold, hence its own bias.",
        ),
        Mistake(
            "counts a bias per input",
            lambda sizes, bias=True: sum(a * b + a * bias for a, b in pairwise(sizes)),
            "You add as many biases as a layer has inputs. Biases belong to the units that send out, not to "
            "what comes in.",
        ),
        Mistake(
            "counts units",
            lambda sizes, bias=True: sum(sizes[1:]),
            "You counted the units. Each of them brings as many weights as it has inputs.",
        ),
        Mistake(
            "counts the inputs and the units",
            lambda sizes, bias=True: sum(sizes),
            "You added up the sizes. A parameter is a weight or a bias: how many lie between two layers?",
        ),
        Mistake(
            "counts the first layer only",
            lambda sizes, bias=True: sizes[0] * sizes[1] + sizes[1] * bias if len(sizes) > 1 else 0,
            "You count the first layer of weights and stop. The units of each layer send to the next one: "
            "go on to the end.",
        ),
        Mistake(
            "multiplies only the ends",
            lambda sizes, bias=True: sizes[0] * sizes[-1] + sizes[-1] * bias if len(sizes) > 1 else 0,
            "You connect the inputs straight to the outputs. Weights lie between each layer and the next one.",
        ),
    )
    alternatives: ClassVar = {"two sums": _count_by_sums, "build it and count": _count_by_building}
    hints = (
        "How many numbers does one unit need that has 4 inputs? And three such units side by side?",
        "Between a layer of a and a layer of b lie a times b weights and b biases. Go through the sizes and "
        "keep the one before.",
        "Add up `a * b + b` over the pairs, and leave out the second term when bias is False.",
    )


# == 01.7 =============================================================================================

TARGET = 0.9
SPLITS = (3, 6, 7)


@cache
def _flowers() -> tuple[Tensor, Tensor]:
    iris = load_iris()
    keep = iris.target > 0  # versicolor 0, virginica 1
    return torch.tensor(iris.data[keep], dtype=torch.float32), torch.tensor(
        iris.target[keep] - 1.0, dtype=torch.float32
    )


def split_flowers(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return X, y, X_test, y_test: of each kind 35 flowers to train on and 15 held out, shuffled."""
    X, y = _flowers()
    g = rng(seed)
    train, test = [], []
    for kind in (0, 1):
        rows = (y == kind).nonzero().flatten()
        rows = rows[torch.randperm(len(rows), generator=g)]
        test.append(rows[:15])
        train.append(rows[15:])
    a, b = torch.cat(train), torch.cat(test)
    a, b = a[torch.randperm(len(a), generator=g)], b[torch.randperm(len(b), generator=g)]
    return X[a], y[a], X[b], y[b]


def train_neuron(X: torch.Tensor, y: torch.Tensor, X_test: torch.Tensor) -> torch.Tensor:
    """Return 0.0 or 1.0 for each row of X_test (M, 4), from one neuron trained on X (N, 4) and y (N,)."""
    mean, std = X.mean(dim=0), X.std(dim=0)  # of the training rows only
    X, X_test = (X - mean) / std, (X_test - mean) / std
    weight, bias = torch.zeros(X.shape[1]), torch.tensor(0.0)
    best_weight, best_bias, best = weight, bias, -1.0
    for _ in range(50):
        for x, target in zip(X, y):
            error = target - (x @ weight + bias >= 0).float()
            weight, bias = weight + error * x, bias + error
            if error != 0:  # keep the best weights so far in your pocket
                right = ((X @ weight + bias >= 0).float() == y).float().mean().item()
                if right > best:
                    best_weight, best_bias, best = weight, bias, right
    return (X_test @ best_weight + best_bias >= 0).float()


def _last_weights(epochs: int, *, average: bool = False) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    def train(X: Tensor, y: Tensor, X_test: Tensor) -> Tensor:
        weight, bias = torch.zeros(X.shape[1]), torch.tensor(0.0)
        total, total_bias = weight, bias
        for _ in range(epochs):
            for x, target in zip(X, y):
                error = target - (x @ weight + bias >= 0).float()
                weight, bias = weight + error * x, bias + error
                total, total_bias = total + weight, total_bias + bias
        if average:
            weight, bias = total, total_bias
        return (X_test @ weight + bias >= 0).float()

    return train


def _nearer_mean(X: Tensor, y: Tensor, X_test: Tensor) -> Tensor:
    a, b = X[y == 0].mean(dim=0), X[y == 1].mean(dim=0)
    return (X_test @ (b - a) >= (a + b) @ (b - a) / 2).float()


def _logistic(X: Tensor, y: Tensor, X_test: Tensor) -> Tensor:
    mean, std = X.mean(dim=0), X.std(dim=0)
    X, X_test = (X - mean) / std, (X_test - mean) / std
    weight, bias = torch.zeros(X.shape[1]), torch.tensor(0.0)
    for _ in range(300):
        p = 1 / (1 + torch.exp(-(X @ weight + bias)))
        weight, bias = weight - (p - y) @ X / len(y), bias - (p - y).mean()
    return (X_test @ weight + bias >= 0).float()


def _always_one(X: Tensor, y: Tensor, X_test: Tensor) -> Tensor:
    return torch.ones(len(X_test))


BASELINES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "always virginica": _always_one,
    "perceptron, one pass": _last_weights(1),
    "perceptron, last weights after 10 epochs": _last_weights(10),
    "perceptron, last weights after 100 epochs": _last_weights(100),
    "the nearer of the two means": _nearer_mean,
}
"""What the statement's table shows; a test computes it again."""


def _flower_cases(seed: int) -> list[Case]:
    cases = []
    for number, split in enumerate(SPLITS if seed == 0 else (3 * seed + 100, 3 * seed + 101, 3 * seed + 102)):
        X, y, X_test, y_test = split_flowers(split)
        args = {"X": X, "y": y, "X_test": X_test}
        cases.append(Case(f"split {number + 1}", args, secret={"y_test": y_test}, seed=split, show=False))
    return cases


def _train_once(case: Case) -> list[Call]:
    return [Call("train_neuron", tuple(case.args.values()), tuple(case.args), ("predictions",), repeat=False)]


def _hits(case: Case, trace: Trace) -> Observed:
    said = trace.tensors.get("predictions")
    labels = case.secret["y_test"]
    if said is None or said.shape != labels.shape:
        return {}
    said = said.to(F64)
    return {
        "accuracy": (said == labels).to(F64).mean(),
        "as if a sum": ((said >= 0) == (labels == 1)).to(F64).mean(),
        "whole": ((said == 0) | (said == 1)).all(),
        "share of ones": (said == 1).to(F64).mean(),
    }


def _judge_hits(case: Case, observed: Observed, expected: Observed) -> str | None:
    if not observed:
        return "Return one answer, 0 or 1, for each row of X_test: the shape (M,)."
    got = observed["accuracy"].item()
    if got >= TARGET - 1e-9:
        return None
    return (
        f"On {case.name} your neuron is right for {got:.2f} of the held-out flowers; {TARGET} is needed. The "
        "last weights of a perceptron are those after its last mistake, not the best ones: what would you "
        "keep, or prepare, instead?"
    )


def _all_splits(
    test: Callable[[Observed], bool],
) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        return all(bool(o) and test(o) for o in observed)

    return matches


def _flower_scores(observed: Sequence[Observed]) -> str:
    return "accuracy on the splits " + ", ".join(f"{o['accuracy'].item():.2f}" for o in observed)


def _swapped(X: Tensor, y: Tensor, X_test: Tensor) -> Tensor:
    return 1 - _logistic(X, y, X_test)


def _sums(X: Tensor, y: Tensor, X_test: Tensor) -> Tensor:
    a, b = X[y == 0].mean(dim=0), X[y == 1].mean(dim=0)
    return X_test @ (b - a) - (a + b) @ (b - a) / 2


@exercise("01.7", title="Two kinds of iris, one neuron", points=3)
class TrainNeuron:
    """Open-ended: a measurable target, and your own way there."""

    reference = train_neuron
    returns = (Out("predictions"),)
    script = _train_once
    needs_reference = False
    observe = _hits
    judge = _judge_hits
    scores = _flower_scores
    timeout = 30.0
    statement = r"""
        Setosa against versicolor was easy. Versicolor (0) against virginica (1) overlap, and no line
        separates them: the perceptron never comes to rest.

        Write `train_neuron(X, y, X_test)`. `X` has the shape (N, 4): sepal length and width, petal length and
        width in cm; `y` holds 0.0 and 1.0. Train **one** neuron on them in any way you like, and return its
        answers, 0.0 or 1.0, for the rows of `X_test`, shape (M,). You never see the answers for `X_test`.

        It is judged on three fixed splits, 70 flowers to train on and 30 held out. **Target: 0.9 on each of
        the three.** They were picked because the last weights of a perceptron do badly on them; the last
        column tells how it goes on twenty other splits.

        | Baseline | split 1 | split 2 | split 3 | mean of 20 others |
        |---|---|---|---|---|
        | always virginica | 0.50 | 0.50 | 0.50 | 0.50 |
        | perceptron, one pass | 0.50 | 0.50 | 0.50 | 0.57 |
        | perceptron, last weights after 10 epochs | 1.00 | 0.53 | 0.53 | 0.85 |
        | perceptron, last weights after 100 epochs | 0.87 | 0.87 | 0.83 | 0.92 |
        | the nearer of the two means | 0.80 | 0.87 | 0.93 | 0.88 |

        Several ways lead past 0.9: better prepared inputs, or a better choice of which weights to keep.

        *Serves the objective: train a neuron on data that is not separable and judge it on rows it has not
        seen.*
    """
    cases = _flower_cases
    mistakes = (
        Mistake(
            "gives one answer for all flowers",
            _always_one,
            "Every flower gets the same answer, which is right for half of them. A perceptron does that "
            "after a single pass over this data; weights that never move do it too. Print the mistakes of "
            "each epoch.",
            _all_splits(lambda o: o["share of ones"].item() in (0.0, 1.0) and bool(o["whole"])),
        ),
        Mistake(
            "has the two kinds swapped",
            _swapped,
            "Almost every answer is the wrong one, which takes as much skill as being right: 0 and 1 are "
            "swapped. Look at the sign of the update, or at the comparison at the end.",
            _all_splits(lambda o: o["accuracy"].item() <= 0.25 and bool(o["whole"])),
        ),
        Mistake(
            "returns the sums",
            _sums,
            "These are weighted sums, not answers. The step at the end is missing: 1.0 where the sum is at "
            "least 0, else 0.0.",
            _all_splits(lambda o: not bool(o["whole"]) and o["as if a sum"].item() > 0.6),
        ),
        Mistake(
            "keeps the last weights after ten epochs",
            _last_weights(10),
            "These are the answers of a plain perceptron's last weights after 10 epochs. Each mistake still "
            "throws the line about, so that the last weights are a matter of luck. Which of all the weights "
            "you passed would you rather keep?",
        ),
        Mistake(
            "keeps the last weights after a hundred epochs",
            _last_weights(100),
            "These are the answers of a plain perceptron's last weights after 100 epochs. More epochs "
            "cannot settle what does not come to rest: keep the best weights, or average them, or bring the "
            "four features to one scale.",
        ),
    )
    alternatives: ClassVar = {
        "average of the weights": _last_weights(100, average=True),
        "sigmoid and gradient": _logistic,
    }
    hints = (
        "Print the mistakes per epoch on the training rows. Do they settle? What are the last weights then worth?",
        "The four features have different means and spreads. Subtract the mean and divide by the spread, "
        "both from X alone.",
        "After each update count the training rows that are right; keep a copy of the best weights and "
        "answer with those.",
    )
