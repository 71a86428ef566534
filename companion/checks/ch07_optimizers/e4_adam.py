"""Exercise 07.4: Adam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Out, exercise
from companion.checks.ch07_optimizers.e3_a_rate_for_every_weight import walks
from companion.checks.ch07_optimizers.e4_mistakes import MISTAKES
from companion.checks.ch07_optimizers.lists import (
    ALONE,
    F32,
    LAYERS,
    MOVES,
    NEW_WEIGHTS,
    STEPS,
    Tensors,
    in_time,
    of_steps,
    steps_of,
)
from companion.checks.numbers import number, rows, vector
from companion.checks.trace import Case


class Adam:
    """Gradient descent along a running mean of the slopes, divided by the root of a running mean of their squares."""

    def __init__(self, lr: float, betas: tuple[float, float], eps: float) -> None:
        """Keep the settings; both means begin at 0, and no step has been taken yet."""
        self.lr, self.betas, self.eps = lr, betas, eps
        self.first: list[torch.Tensor] = []
        self.second: list[torch.Tensor] = []
        self.k = 0

    def step(self, weights: list[torch.Tensor], slopes: list[torch.Tensor]) -> list[torch.Tensor]:
        """Return the new weights; the slopes go into both means first."""
        beta1, beta2 = self.betas
        if self.k == 0:
            self.first = [torch.zeros_like(g) for g in slopes]
            self.second = [torch.zeros_like(g) for g in slopes]
        self.k += 1
        self.first = [beta1 * m + (1 - beta1) * g for m, g in zip(self.first, slopes)]
        self.second = [beta2 * s + (1 - beta2) * g.square() for s, g in zip(self.second, slopes)]
        moved = []
        for w, m, s in zip(weights, self.first, self.second):
            m_hat = m / (1 - beta1**self.k)
            s_hat = s / (1 - beta2**self.k)
            moved.append(w - self.lr * m_hat / (s_hat.sqrt() + self.eps))
        return moved


class _Folded:
    """Put both corrections into the rate and into eps, which is the same step."""

    def __init__(self, lr: float, betas: tuple[float, float], eps: float) -> None:
        self.lr, (self.b1, self.b2), self.eps = lr, betas, eps
        self.left1 = self.left2 = 1.0
        self.kept: list[list[Tensor]] = []

    def step(self, weights: Sequence[Tensor], slopes: Sequence[Tensor]) -> tuple[Tensor, ...]:
        if not self.kept:
            self.kept = [[torch.zeros_like(g), torch.zeros_like(g)] for g in slopes]
        self.left1 *= self.b1
        self.left2 *= self.b2
        root = (1 - self.left2) ** 0.5
        moved = []
        for w, g, (m, s) in zip(weights, slopes, self.kept):
            m.lerp_(g, 1 - self.b1)
            s.mul_(self.b2).addcmul_(g, g, value=1 - self.b2)
            moved.append(w - self.lr * root / (1 - self.left1) * m / (s.sqrt() + root * self.eps))
        return tuple(moved)


class _ByShares:
    """Weigh old and new so that the means need no correction: in the first step the new has the share 1."""

    def __init__(self, lr: float, betas: tuple[float, float], eps: float) -> None:
        self.lr, self.betas, self.eps, self.k = lr, betas, eps, 0
        self.m: Tensors = []
        self.s: Tensors = []

    def step(self, weights: Tensors, slopes: Tensors) -> Tensors:
        self.k += 1
        one, two = ((1 - b) / (1 - b**self.k) for b in self.betas)
        if self.k == 1:
            self.m, self.s = [0 * g for g in slopes], [0 * g for g in slopes]
        self.m = [m + one * (g - m) for m, g in zip(self.m, slopes)]
        self.s = [s + two * (g**2 - s) for s, g in zip(self.s, slopes)]
        return [w - self.lr * m / (s**0.5 + self.eps) for w, m, s in zip(weights, self.m, self.s)]


class _OverAll:
    """Keep all slopes there have been, and take both means anew in every step."""

    def __init__(self, lr: float, betas: tuple[float, float], eps: float) -> None:
        self.lr, self.betas, self.eps = lr, betas, eps
        self.past: list[Tensors] = []

    def step(self, weights: Tensors, slopes: Tensors) -> Tensors:
        self.past.append([g.clone() for g in slopes])
        moved = []
        for w, *of_one in zip(weights, *self.past):
            first, second = (self._mean(of_one, beta, power) for power, beta in enumerate(self.betas, 1))
            moved.append(w - self.lr * first / (second.sqrt() + self.eps))
        return moved

    @staticmethod
    def _mean(slopes: Sequence[Tensor], beta: float, power: int) -> Tensor:
        shares = [beta**age for age in range(len(slopes))]
        total = torch.zeros_like(slopes[0])
        for share, g in zip(shares, reversed(slopes)):
            total = total + share * g**power
        return total / sum(shares)


SETTINGS = ("lr", "betas", "eps")


def _cases(seed: int) -> list[Case]:
    walk = walks(seed)

    def case(
        name: str,
        pair: tuple[list[Tensors], list[Tensors]],
        lr: float,
        betas: tuple[float, float],
        eps: float,
        *,
        example: bool = False,
    ) -> Case:
        given = {"lr": lr, "betas": betas, "eps": eps, "weights": pair[0], "slopes": pair[1]}
        return Case(name, given, example=example)

    usual = (0.9, 0.999)
    flat = [[vector(1, -2, 3), vector(2)]] * 3
    swinging = [[vector(4, -1)], [vector(-3, 2)], [vector(0, 0)], [vector(0.5, 0.25)]]
    return [
        case(
            "the two steps worked out",
            ([[vector(1, 2)], [vector(0.5, 2.5)]], [[vector(4, -1)], [vector(2, -1)]]),
            0.5,
            (0.5, 0.75),
            0.0001,
            example=True,
        ),
        case("a single step", ([[rows([2, -1, 0.5], [1, 3, -2]), number(4)]], [[rows([4, -2, 1], [0.5, -3, 2]), number(-0.25)]]), 0.3, usual, 0.01),
        case("slopes of 0 in one of two tensors", (flat, [[vector(0, 0, 0), vector(3 - k)] for k in range(3)]), 0.2, (0.8, 0.9), 0.5),
        case("slopes that change their sign, and stop", ([[vector(3, 5)]] * 4, swinging), 0.25, (0.6, 0.9), 0.001),
        case("an eps as large as the slopes", walk(3, [(4,), (2, 3)]), 0.5, (0.7, 0.8), 2.0),
        case("a single number in float64", walk(4, [()]), 0.1, usual, 0.001),
        case("a tensor without entries between two others", walk(3, [(2, 3), (0, 2), (4,)]), 0.3, (0.8, 0.95), 0.05),
        case("two layers in float64", walk(STEPS, LAYERS), 0.05, usual, 1e-8),
        case("tiny slopes", walk(3, [(3, 4), (2,)], scale=1e-5), 0.05, usual, 1e-5),
        case("two tables in float32, with gaps in memory", walk(4, [(4, 2), (3, 4)], F32, strided=True), 0.2, (0.85, 0.98), 0.1),
    ]  # fmt: skip


@exercise("07.4", title="Adam", points=2)
class AdamFromTheFormulas:
    """Both means, their correction, and a count of the steps."""

    reference = Adam
    read = "Adam"
    returns = tuple(Out(f"step {k}", "tensors") for k in range(1, STEPS + 1))
    script = steps_of("Adam", SETTINGS)
    observe = of_steps
    properties = (NEW_WEIGHTS, ALONE, MOVES, *in_time(lambda case: Adam(*(case.args[s] for s in SETTINGS))))
    forbidden: ClassVar = {"optim": "It holds Adam ready-made. Here you write the formulas that are in it."}
    statement = r"""
        Adam remembers two running means for each weight: $m$ of its slopes, for the direction, and $s$ of their squares, for the length.
        Both begin at 0. In step $k$, counted from 1:

        $$m \leftarrow \beta_1\, m + (1 - \beta_1)\, g, \qquad s \leftarrow \beta_2\, s + (1 - \beta_2)\, g^2$$

        $$\hat m = \frac{m}{1 - \beta_1^k}, \qquad \hat s = \frac{s}{1 - \beta_2^k}, \qquad w \leftarrow w - \eta\, \frac{\hat m}{\sqrt{\hat s} +
        \varepsilon}$$

        The zeros of the start make both means too small at first. The hats correct that, in this step alone: what is remembered
        are $m$ and $s$ without hats. All of this is done entry by entry, and $\varepsilon$ is added to the root.

        Write a class `Adam(lr, betas, eps)`, where `betas` is the pair $(\beta_1, \beta_2)$. Its method `step(weights, slopes)` takes two
        lists of tensors and returns a **new list of new tensors**, the weights after the step. As in 07.3 it starts from the weights
        that it is given, it changes nothing that came in, and two objects know nothing of each other.

        Example: `Adam(0.5, (0.5, 0.75), 0.0001)` and one tensor of two weights. In the first step the slopes are `[4, -1]`. So
        $m$ is `[2, -0.5]` and $s$ is `[4, 0.25]`, and the hats are `[4, -1]` and `[16, 1]`: the weights `[1, 2]` go by 0.5 each to about
        `[0.5, 2.5]`. In the second the slopes are `[2, -1]`. So $m$ is `[2, -0.75]` and $s$ is `[4, 0.4375]`. They are divided by
        $1 - 0.5^2 = 0.75$ and $1 - 0.75^2 = 0.4375$, which gives `[2.6667, -1]` and `[9.1429, 1]`. The weights go from `[0.5, 2.5]`
        by $0.5 \cdot 2.6667 / 3.0237 = 0.4410$ and by 0.5, to about `[0.0590, 3.0]`.

        The check writes a list for each step, with a list for each tensor in it. Of this example the weights are
        `[[[1, 2]], [[0.5, 2.5]]]` and the slopes `[[[4, -1]], [[2, -1]]]`.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "both corrections in the rate and in eps": _Folded,
        "by shares that need no correction": _ByShares,
        "over all slopes": _OverAll,
    }
    hints = (
        "Your class of 07.3 is the place to begin: the same two methods, and one more thing to remember for each tensor. Beside "
        "these, what does the correction need to know?",
        "Move the count on first, at the top of `step` and not in the loop over the tensors. Then bring both lists of means up to date.",
        "In a last loop over weights, `m` and `s`: make `m_hat = m / (1 - beta1**k)` and `s_hat` likewise, under names of their own, and "
        "append `w - lr * m_hat / (s_hat.sqrt() + eps)`.",
    )
