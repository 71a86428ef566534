"""Exercise 08.6: bias and variance."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Out, Property, exercise
from companion.checks.cases import draw
from companion.checks.ch08_challenges.e6_mistakes import MISTAKES
from companion.checks.numbers import rows, vector
from companion.checks.trace import Case


def bias_variance(
    predictions: torch.Tensor, truth: torch.Tensor, noise: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return squared bias, variance, and the mean squared error to expect with new targets, averaged over the points."""
    middle = predictions.mean(dim=0)  # (M, N) -> what the models say on average, point by point
    bias2 = (middle - truth).square().mean()
    variance = (predictions - middle).square().mean()
    return bias2, variance, bias2 + variance + noise**2


def _from_the_error(predictions: Tensor, truth: Tensor, noise: float) -> tuple[Tensor, Tensor, Tensor]:
    """Take the mean squared error against the truth apart: what is not variance is bias."""
    error = torch.nn.functional.mse_loss(predictions, truth.expand_as(predictions))
    variance = predictions.var(dim=0, correction=0).mean()
    return error - variance, variance, error + noise * noise


def _by_loops(predictions: Tensor, truth: Tensor, noise: float) -> list[float]:
    bias2 = variance = 0.0
    for column, due in zip(predictions.T.tolist(), truth.tolist()):
        middle = sum(column) / len(column)
        bias2 += (due - middle) ** 2 / len(truth)
        variance += sum((p - middle) ** 2 for p in column) / len(column) / len(truth)
    return [bias2, variance, bias2 + variance + noise**2]


def _by_squares(predictions: Tensor, truth: Tensor, noise: float) -> tuple[Tensor, Tensor, Tensor]:
    """Take the variance as the mean of the squares without the square of the mean."""
    p = (predictions - truth).double()
    bias2 = p.mean(0).pow(2).mean()
    variance = (p.pow(2).mean(0) - p.mean(0).pow(2)).mean()
    return bias2, variance, p.pow(2).mean() + noise**2


def _cases(seed: int) -> list[Case]:
    def drawn(
        name: str, models: int, points: int, noise: float, dtype: torch.dtype = torch.float64, *, strided: bool = False
    ) -> Case:
        return draw(
            name,
            {"predictions": "M N", "truth": "N"},
            9 * seed + models,
            sizes={"M": models, "N": points},
            plus={"noise": noise},
            dtype=dtype,
            strided=strided,
        )

    def case(name: str, predictions: Tensor, truth: Tensor, noise: float, *, example: bool = False) -> Case:
        return Case(name, {"predictions": predictions, "truth": truth, "noise": noise}, example=example)

    three = rows([1, 4], [3, 4], [2, 1])
    return [
        case("the three models worked out", three, vector(0, 4), 0.5, example=True),
        case("a single model", rows([2, -1, 5, 0]), vector(1, 1, 2, 0), 2.0),
        case("models that all agree", rows([3, 1, -2], [3, 1, -2], [3, 1, -2], [3, 1, -2]), vector(1, 2, 2), 0.3),
        case("models that are right on average", rows([3, 0, 5], [1, -4, 1]), vector(2, -2, 3), 0.0),
        case("errors to both sides that cancel over the points", rows([2, 3], [4, 3], [3, 3]), vector(5, 1), 0.1),
        drawn("forty points", 6, 40, 1.5),
        drawn("many models of few points", 25, 3, 0.8),
        drawn("as many models as points", 7, 7, 0.6),
        drawn("targets without noise", 4, 9, 0.0),
        drawn("float32, with gaps in memory", 5, 11, 0.7, torch.float32, strided=True),
    ]


_PROPERTIES = (
    Property(
        "the parts add up",
        lambda case, o: bool(
            (o["error"].double() - o["bias2"].double() - o["variance"].double() - case.args["noise"] ** 2).abs() < 1e-4
        ),
        "Your error is not the sum of your squared bias, your variance and the square of the noise.",
        "That sum is what the decomposition says, with no term between the parts. It holds with means over all models, 1/M.",
        "Print the three parts and the error. By how much are they apart, and is that one of the parts?",
    ),
    Property(
        "one model has no variance",
        lambda case, o: len(case.args["predictions"]) > 1 or bool(o["variance"].double().abs() < 1e-6),
        "For a single model your variance is not 0.",
        "The variance says how far the models lie from one another, point by point. One model cannot differ from itself.",
        "Over which axis does your variance run: over the models, or over the points?",
    ),
)


@exercise("08.6", title="Bias and variance", points=2)
class BiasAndVariance:
    """Why predictions miss: taken apart into what all models share and what each of them has for itself."""

    reference = bias_variance
    read = "Two ways to be wrong"
    returns = (Out("bias2", "number"), Out("variance", "number"), Out("error", "number"))
    properties = _PROPERTIES
    statement = r"""
        The same network is trained M times, each time with other examples. Afterwards every model is asked about the same N
        points. Their misses come from two sides. Some are shared by all models: these are too simple, or drawn to one side.
        Others differ from model to model: each has learned the chance in its own examples.

        Write `bias_variance(predictions, truth, noise)`. It returns three numbers, `(bias2, variance, error)`.

        * `predictions` has the shape (M, N): in each row what one model says of the N points.
        * `truth` has the shape (N,): what is true there, without noise.
        * `noise` is the **standard deviation** of the noise in new targets.

        With $\bar f(x)$ for the mean of the M predictions at a point $x$, and means over the N points:

        $$\text{bias}^2 = \operatorname{mean}_x \big(\bar f(x) - t(x)\big)^2 \qquad
        \text{variance} = \operatorname{mean}_x \frac{1}{M} \sum_{m=1}^{M} \big(f_m(x) - \bar f(x)\big)^2$$

        `error` is the mean squared error that is to be expected when one of the models, drawn by chance, meets new targets:
        the squared bias plus the variance plus the variance of the noise. The variance divides by M and not by M - 1. With
        1/M the three parts add up exactly.

        Example: three models and two points, `predictions = [[1, 4], [3, 4], [2, 1]]`, `truth = [0, 4]`, `noise = 0.5`. On
        average the models say 2 and 3. So the bias is 2 and -1, squared 4 and 1, in the mean 2.5. At the first point the
        models lie 1, 1 and 0 from their mean, at the second 1, 1 and 2. The variances are 2/3 and 2, in the mean 1.3333. The
        error is $2.5 + 1.3333 + 0.5^2 = 4.0833$, and the result is `(2.5, 1.3333, 4.0833)`.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {"from the error": _from_the_error, "by loops": _by_loops, "by squares": _by_squares}
    hints = (
        "Begin with the mean prediction at each point. It has N numbers: over which axis is that mean taken?",
        "The bias compares this mean with the truth: subtract, square, and only then take the mean over the points.",
        "With `middle = predictions.mean(dim=0)` the variance is `(predictions - middle).square().mean()`, "
        "because the mean over models and "
        "the mean over points make one mean over all entries. The error adds both, and `noise ** 2`.",
    )
