"""The distributions of exercise 04.2: what each is, as a loss, as a density, and in the words of its statement."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

Loss = Callable[..., Tensor]


def mean_of(each: Loss) -> Loss:
    """Return the mean of what is computed for each example."""
    return lambda *args: each(*args).mean()


def _poisson() -> Loss:
    def mean_nll(f: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """Return the mean negative log-likelihood of counts t (N,) under a Poisson with log-rates f (N,)."""
        return (torch.exp(f) - t * f + torch.lgamma(t + 1)).mean()

    return mean_nll


def _exponential() -> Loss:
    def mean_nll(f: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """Return the mean negative log-likelihood of waiting times t (N,) under an exponential with log-rates f (N,)."""
        return (torch.exp(f) * t - f).mean()

    return mean_nll


def _gaussian() -> Loss:
    def mean_nll(f: torch.Tensor, s: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """Return the mean negative log-likelihood of t (N,) under a Gaussian with means f (N,) and log-spreads s (N,)."""
        steps = (t - f) / torch.exp(s)  # how many spreads the target lies away
        constant = torch.log(torch.tensor(2 * torch.pi, dtype=f.dtype)) / 2
        return (steps.square() / 2 + s + constant).mean()

    return mean_nll


def _laplace() -> Loss:
    def mean_nll(f: torch.Tensor, t: torch.Tensor, b: float) -> torch.Tensor:
        """Return the mean negative log-likelihood of t (N,) under a Laplace around f (N,) with the scale b."""
        constant = torch.log(torch.tensor(2 * b, dtype=f.dtype))
        return ((t - f).abs() / b + constant).mean()

    return mean_nll


@dataclass(frozen=True)
class Family:
    """A distribution of a target, given what the model says.

    Attributes:
        reference: The loss as a learner would write it.
        each: The same for each example, from the same arguments.
        density: Its density or probability, for each example.
        arguments: Axes of the arguments in the order of the call; ``""`` for a plain number.
        intro: What is observed and what the model gives.
        formula: The density.
        signature: The call and what it takes.
        example: Worked by hand.
        given: The arguments of the example.
        far: Arguments with a target far from what the model says.
        flat: Arguments for one example that is repeated sixty times.
        plain: Single examples in which a term drops out, by what is special about them.
        hints: From nudge to nearly there.
    """

    reference: Loss
    each: Loss
    density: Loss
    intro: str
    formula: str
    signature: str
    example: str
    given: Mapping[str, Any]
    far: Mapping[str, Any]
    flat: Mapping[str, Any]
    plain: Mapping[str, Mapping[str, Any]]
    hints: tuple[str, ...]
    draws: Mapping[str, Callable[[Tensor], Tensor]] = field(default_factory=dict)


def _gauss_each(f: Tensor, s: Tensor, t: Tensor) -> Tensor:
    return ((t - f) / torch.exp(s)).square() / 2 + s + math.log(2 * math.pi) / 2


FAMILIES: dict[str, Family] = {
    "poisson": Family(
        reference=_poisson(),
        each=lambda f, t: torch.exp(f) - t * f + torch.lgamma(t + 1),
        density=lambda f, t: torch.exp(f) ** t * torch.exp(-torch.exp(f)) / torch.exp(torch.lgamma(t + 1)),
        intro="Something is **counted**: calls in an hour, goals in a match. Counts often follow a Poisson distribution with a "
        r"rate $\lambda > 0$. So that the rate is above 0 whatever the network says, the model gives its logarithm, "
        r"$f = \log \lambda$:",
        formula=r"p(t \mid \lambda) = \frac{\lambda^t e^{-\lambda}}{t!}, \qquad t = 0, 1, 2, \dots",
        signature="Write `mean_nll(f, t)`. `f` holds the logarithm of the rate for each example and `t` the count, as a float. "
        "Both have the shape (N,). `torch.lgamma(t + 1)` is $\\log t!$.",
        example="`f = [0, 0.6931]`, so the rates are 1 and 2, and `t = [0, 3]`. The probabilities are "
        r"$\frac{1 \cdot e^{-1}}{1} = 0.368$ and $\frac{8 \cdot e^{-2}}{6} = 0.180$. Minus their logarithms are 1 and 1.712, "
        "and the result is 1.356.",
        given={"f": (0.0, math.log(2)), "t": (0.0, 3.0)},
        far={"f": (0.0, -3.0, 5.0), "t": (60.0, 40.0, 0.0)},
        flat={"f": 2.0, "t": 5.0},
        plain={"a count of 0": {"f": (1.5,), "t": (0.0,)}, "a rate of 1": {"f": (0.0,), "t": (4.0,)}},
        hints=(
            "Write the probability down for one example and take its logarithm on paper. A product becomes a sum, a power a "
            "factor, and what stands below the line is taken off.",
            "The rate is exp(f), and the logarithm of the rate is f itself. So one term holds exp(f) and another f, and none a "
            "logarithm of the rate.",
            "Minus the logarithm is: the rate, minus t times f, plus log t!. Then the mean over the examples.",
        ),
        draws={"t": lambda t: (2 * t.abs()).round()},
    ),
    "exponential": Family(
        reference=_exponential(),
        each=lambda f, t: torch.exp(f) * t - f,
        density=lambda f, t: torch.exp(f) * torch.exp(-torch.exp(f) * t),
        intro="Somebody **waits**: for a bus, for a part to fail. Waiting times often follow an exponential distribution with a "
        r"rate $\lambda > 0$ of events in a unit of time. So that the rate is above 0 whatever the network says, the model "
        r"gives its logarithm, $f = \log \lambda$:",
        formula=r"p(t \mid \lambda) = \lambda\, e^{-\lambda t}, \qquad t \ge 0",
        signature="Write `mean_nll(f, t)`. `f` holds the logarithm of the rate for each example and `t` the waiting time. Both "
        "have the shape (N,).",
        example="`f = [0, 0.6931]`, so the rates are 1 and 2, and `t = [0.5, 3]`. The densities are $e^{-0.5} = 0.607$ and $2 "
        "e^{-6} = 0.00496$. Minus their logarithms are 0.5 and $6 - 0.693 = 5.307$, and the result is 2.903.",
        given={"f": (0.0, math.log(2)), "t": (0.5, 3.0)},
        far={"f": (0.0, 3.0, -2.0), "t": (300.0, 25.0, 4.0)},
        flat={"f": -1.0, "t": 3.0},
        plain={"a wait of 0": {"f": (1.5,), "t": (0.0,)}, "a rate of 1": {"f": (0.0,), "t": (2.5,)}},
        hints=(
            "Write the density down for one example and take its logarithm on paper. A product becomes a sum, and log undoes "
            "exp.",
            "The rate is exp(f), and the logarithm of the rate is f itself. Which of the two stands before t, and which alone?",
            "Minus the logarithm is: the rate times t, minus f. Then the mean over the examples.",
        ),
        draws={"t": lambda t: t.abs()},
    ),
    "gaussian": Family(
        reference=_gaussian(),
        each=_gauss_each,
        density=lambda f, s, t: (
            torch.exp(-((t - f) ** 2) / (2 * torch.exp(s) ** 2)) / (math.sqrt(2 * math.pi) * torch.exp(s))
        ),
        intro="The model says how **sure** it is. For each example it gives the middle $f$ of a Gaussian and the logarithm of its "
        r"spread, $s = \log \sigma$, so that the spread is above 0 whatever the network says:",
        formula=r"p(t \mid f, \sigma) = \frac{1}{\sqrt{2\pi}\,\sigma}\; e^{-\frac{(t - f)^2}{2 \sigma^2}}",
        signature="Write `mean_nll(f, s, t)`. `f` holds the middle, `s` the logarithm of the spread and `t` the target of each "
        "example. All three have the shape (N,).",
        example=r"`f = [1, 0]`, `s = [0, 0.6931]`, so the spreads are 1 and 2, and `t = [3, 1]`. The first costs $\frac{2^2}{2} + "
        r"0 + \log\sqrt{2\pi} = 2 + 0.919 = 2.919$, the second $\frac{1}{8} + 0.693 + 0.919 = 1.737$, and the result is 2.328.",
        given={"f": (1.0, 0.0), "s": (0.0, math.log(2)), "t": (3.0, 1.0)},
        far={"f": (0.0, 2.0, -1.0), "s": (0.0, -2.0, 1.0), "t": (30.0, -3.0, 1.0)},
        flat={"f": 1.0, "s": 2.0, "t": 4.0},
        plain={
            "a target on the prediction": {"f": (2.0,), "s": (0.5,), "t": (2.0,)},
            "a spread of 1": {"f": (1.0,), "s": (0.0,), "t": (4.0,)},
        },
        hints=(
            "Write the density down for one example and take its logarithm on paper. What becomes of the factor before the "
            "exponential?",
            "There are three terms: one with the distance, one with the spread alone, and a constant. The spread is exp(s), and "
            "the logarithm of the spread is s itself.",
            "Half of the square of (t - f) / exp(s), plus s, plus half of log(2 pi). Then the mean over the examples.",
        ),
    ),
    "laplace": Family(
        reference=_laplace(),
        each=lambda f, t, b: (t - f).abs() / b + math.log(2 * b),
        density=lambda f, t, b: torch.exp(-(t - f).abs() / b) / (2 * b),
        intro="Targets with **long tails**: most lie near what the model says, and some far away. The Laplace distribution has a "
        "peak at the prediction $f$ and a scale $b > 0$, which is given:",
        formula=r"p(t \mid f) = \frac{1}{2b}\, e^{-\frac{|t - f|}{b}}",
        signature="Write `mean_nll(f, t, b)`. `f` holds the prediction and `t` the target of each example. Both have the shape "
        "(N,). `b` is a number.",
        example="`f = [1, 0]`, `t = [3, -1]` and $b = 2$. The densities are $\\frac14 e^{-1} = 0.0920$ and $\\frac14 e^{-0.5} = "
        "0.152$. Minus their logarithms are $1 + \\log 4 = 2.386$ and $0.5 + \\log 4 = 1.886$, and the result is 2.136.",
        given={"f": (1.0, 0.0), "t": (3.0, -1.0), "b": 2.0},
        far={"f": (0.0, 2.0, -1.0), "t": (200.0, -90.0, 1.0), "b": 0.7},
        flat={"f": 1.0, "t": 4.0, "b": 3.0},
        plain={
            "a target on the prediction": {"f": (2.0,), "t": (2.0,), "b": 3.0},
            "a scale of 1": {"f": (1.0,), "t": (4.0,), "b": 1.0},
        },
        hints=(
            "Write the density down for one example and take its logarithm on paper. What becomes of the factor before the "
            "exponential?",
            "Two terms are left: one with the distance between target and prediction, and one that holds b alone.",
            "The distance divided by b, plus log(2 b). Then the mean over the examples.",
        ),
    ),
}
"""By the variant's parameter."""
