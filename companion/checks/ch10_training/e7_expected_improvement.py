"""Exercise 10.7: expected improvement."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import exercise, rng
from companion.checks.ch10_training.e7_mistakes import MISTAKES
from companion.checks.numbers import F64, vector
from companion.checks.trace import Case


def expected_improvement(mean: torch.Tensor, std: torch.Tensor, best: float, margin: float) -> torch.Tensor:
    """Return for each candidate by how much it is expected to fall below ``best - margin``."""
    gain = best - margin - mean
    z = gain / torch.where(std > 0, std, 1.0)
    chance = (1 + torch.erf(z / 2**0.5)) / 2
    height = torch.exp(-(z**2) / 2) / (2 * torch.pi) ** 0.5
    return torch.where(std > 0, gain * chance + std * height, gain.clamp(min=0))


def _by_a_distribution(mean: Tensor, std: Tensor, best: float, margin: float) -> Tensor:
    normal = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    least = std + 1e-12  # so small that only a standard deviation of 0 takes notice
    z = (best - margin - mean) / least
    return least * (z * normal.cdf(z) + normal.log_prob(z).exp())


def _by_entries(mean: Tensor, std: Tensor, best: float, margin: float) -> Tensor:
    def one(m: float, s: float) -> float:
        gain = best - margin - m
        if s == 0:
            return max(gain, 0.0)
        z = gain / s
        return gain * math.erfc(-z / math.sqrt(2)) / 2 + s * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    pairs = zip(mean.flatten().tolist(), std.flatten().tolist())
    return torch.tensor([one(m, s) for m, s in pairs], dtype=mean.dtype).reshape(mean.shape)


def _by_special(mean: Tensor, std: Tensor, best: float, margin: float) -> Tensor:
    gain = best - mean - margin
    known = std == 0
    s = std.masked_fill(known, 1.0)
    z = gain.div(s)
    expected = gain * torch.special.ndtr(z) + s * torch.exp(-0.5 * z.square()) * math.sqrt(0.5 / math.pi)
    expected[known] = torch.relu(gain[known])
    return expected


def _cases(seed: int) -> list[Case]:
    g = rng(seed + 107)

    def case(
        name: str,
        shape: tuple[int, ...],
        best: float,
        margin: float,
        *,
        unit: float = 1.0,
        known: int = 0,
        dtype: torch.dtype = F64,
    ) -> Case:
        mean = unit * (torch.randn(shape, generator=g, dtype=F64) + 0.5)
        std = unit * (0.2 + torch.rand(shape, generator=g, dtype=F64) * 1.5)
        std.view(-1)[:known] = 0.0
        names = ("N", "D")[: len(shape)]
        args = {"mean": mean.to(dtype), "std": std.to(dtype), "best": best, "margin": margin}
        return Case(name, args, axes={"mean": names, "std": names})

    worked_out = {"mean": vector(3, 1, dtype=F64), "std": vector(1, 0, dtype=F64), "best": 2.0, "margin": 0.0}
    at_the_line = {"mean": vector(2.5, 2, 1), "std": vector(0.5, 0, 0), "best": 2.0, "margin": 0.0}
    return [
        Case("the two candidates worked out", worked_out, example=True),
        case("no margin", (4,), 0.5, 0.0),
        case("a margin", (5,), 0.75, 0.25),
        case("candidates in a table, in float32", (3, 5), 0.25, 0.125, dtype=torch.float32),
        case("candidates that are known", (7,), 0.75, 0.0, known=5),
        case("candidates that are known, and a margin", (6,), 0.5, 0.375, known=4),
        Case("a known candidate at the line", at_the_line, axes={"mean": ("N",), "std": ("N",)}),
        case("a best below 0, in large units", (5,), -40.0, 10.0, unit=50.0),
        case("a best that is far below", (4,), -3.0, 0.0),
        case("a best that is far above", (3,), 4.0, 0.5),
    ]


@exercise("10.7", title="Expected improvement", points=2)
class ExpectedImprovement:
    """What a candidate is worth before it has been tried."""

    reference = expected_improvement
    read = "A model of what was not tried"
    statement = r"""
        A search has tried some settings. The lowest error so far is `best`. For every candidate a model says what error it expects, and how sure it
        is: a normal distribution with a mean and a standard deviation. Which one is to be tried next? Worth is what falls **below** the best: an
        error y improves it by $\max(\text{best} - y, 0)$, and a candidate is worth the mean of that over its distribution. With a **margin**,
        improvements count from $\text{best} - \text{margin}$ on. With

        $$g = \text{best} - \text{margin} - \text{mean}, \qquad z = \frac{g}{\text{std}}$$

        the mean has a closed form:

        $$\text{EI} = g\, \Phi(z) + \text{std}\; \varphi(z)$$

        $$\Phi(z) = \tfrac12 \Bigl(1 + \operatorname{erf} \frac{z}{\sqrt 2}\Bigr), \qquad \varphi(z) = \frac{1}{\sqrt{2 \pi}}\, e^{-z^2/2}$$

        Write `expected_improvement(mean, std, best, margin)`. `mean` and `std` are tensors of one shape, whatever it is, with an entry for each
        candidate. `best` and `margin` are numbers, and the margin is 0 or more. Return a tensor of that shape. A standard deviation of **0** is
        allowed: such a candidate is known, there is nothing to average over, and it is worth $\max(g, 0)$.

        Example: `mean = [3, 1]`, `std = [1, 0]`, `best = 2` and no margin. The first candidate is expected to be worse by 1, with $z = -1$,
        $\Phi = 0.1587$ and $\varphi = 0.2420$: it is worth $-0.1587 + 0.2420 = 0.0833$, because it may turn out well. The second is known to be
        better by 1, and worth 1. The result is `[0.0833, 1]`.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "by a distribution of torch": _by_a_distribution,
        "entry by entry": _by_entries,
        "by special functions": _by_special,
    }
    hints = (
        "Begin with candidates that are not known for sure, and write g, z, the two functions and their sum line by line. `torch.erf` and `torch.exp` work entry by entry.",
        "Check with a candidate whose mean lies exactly at the best: there g and z are 0, and it is worth 0.3989 times its standard deviation.",
        "For a standard deviation of 0 divide by something else, such as 1, and choose afterwards: `torch.where(std > 0, formula, gain.clamp(min=0))`.",
    )
