"""Exercise 07.3: a rate for every weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Out, exercise
from companion.checks.ch07_optimizers.e3_mistakes import MISTAKES
from companion.checks.ch07_optimizers.lists import (
    ALONE,
    F32,
    LAYERS,
    MOVES,
    NEW_WEIGHTS,
    OF_ITS_SHAPE,
    STEPS,
    Tensors,
    drawing,
    in_time,
    of_steps,
    steps_of,
)
from companion.checks.numbers import F64, number, rows, vector
from companion.checks.trace import Call, Case


class Adagrad:
    """Gradient descent in which each weight's slope is divided by the root of the sum of its squares so far."""

    def __init__(self, lr: float, eps: float) -> None:
        """Keep the rate and eps; nothing is added up yet."""
        self.lr, self.eps = lr, eps
        self.sums: list[torch.Tensor] = []

    def step(self, weights: list[torch.Tensor], slopes: list[torch.Tensor]) -> list[torch.Tensor]:
        """Return the new weights; the squares of the slopes are added up first."""
        before = self.sums or [torch.zeros_like(g) for g in slopes]
        self.sums = [s + g.square() for s, g in zip(before, slopes)]
        return [w - self.lr * g / (s.sqrt() + self.eps) for w, g, s in zip(weights, slopes, self.sums)]


class RMSProp:
    """Gradient descent in which each weight's slope is divided by the root of a running mean of its squares."""

    def __init__(self, lr: float, alpha: float, eps: float) -> None:
        """Keep the rate, the share of the mean that stays, and eps; the mean begins at 0."""
        self.lr, self.alpha, self.eps = lr, alpha, eps
        self.means: list[torch.Tensor] = []

    def step(self, weights: list[torch.Tensor], slopes: list[torch.Tensor]) -> list[torch.Tensor]:
        """Return the new weights; the squares of the slopes go into the mean first."""
        before = self.means or [torch.zeros_like(g) for g in slopes]
        self.means = [self.alpha * s + (1 - self.alpha) * g.square() for s, g in zip(before, slopes)]
        return [w - self.lr * g / (s.sqrt() + self.eps) for w, g, s in zip(weights, slopes, self.means)]


class _AdagradByRoots:
    """Remember roots, lengths of all slopes so far, and grow them as the longest side of a triangle grows."""

    def __init__(self, lr: float, eps: float) -> None:
        self.lr, self.eps = lr, eps
        self.roots: dict[int, Tensor] = {}

    def step(self, weights: Sequence[Tensor], slopes: Sequence[Tensor]) -> tuple[Tensor, ...]:
        for n, g in enumerate(slopes):
            self.roots[n] = torch.hypot(self.roots.get(n, torch.zeros_like(g)), g)
        return tuple(torch.addcdiv(w, g, self.roots[n] + self.eps, value=-self.lr) for n, (w, g) in enumerate(zip(weights, slopes)))  # fmt: skip


class _RMSPropInPlace:
    """Move the mean in place, which is the object's own."""

    def __init__(self, lr: float, alpha: float, eps: float) -> None:
        self.lr, self.share, self.eps = lr, 1 - alpha, eps
        self.means: Tensors | None = None

    def step(self, weights: Tensors, slopes: Tensors) -> Tensors:
        if self.means is None:
            self.means = [0 * g for g in slopes]
        moved = []
        for w, g, s in zip(weights, slopes, self.means):
            s.lerp_(g * g, self.share)
            moved.append(w - g * (self.lr / (s**0.5 + self.eps)))
        return moved


class _AdagradOverAll:
    """Keep all slopes there have been and add their squares up in every step."""

    def __init__(self, lr: float, eps: float) -> None:
        self.lr, self.eps = lr, eps
        self.past: list[Tensors] = []

    def step(self, weights: Tensors, slopes: Tensors) -> Tensors:
        self.past.append([g.clone() for g in slopes])
        sums = [torch.stack(of_one).square().sum(dim=0) for of_one in zip(*self.past)]
        return [w - self.lr * g / (s.sqrt() + self.eps) for w, g, s in zip(weights, slopes, sums)]


class _RMSPropByRate:
    """Make a rate for every weight first."""

    def __init__(self, lr: float, alpha: float, eps: float) -> None:
        self.settings = lr, alpha, eps
        self.means: Tensors = []

    def rates(self, slopes: Tensors) -> Tensors:
        lr, alpha, eps = self.settings
        if not self.means:
            self.means = [(1 - alpha) * g**2 for g in slopes]
        else:
            self.means = [s - (1 - alpha) * (s - g**2) for s, g in zip(self.means, slopes)]
        return [lr / (s.sqrt() + eps) for s in self.means]

    def step(self, weights: Tensors, slopes: Tensors) -> Tensors:
        return [w - rate * g for w, g, rate in zip(weights, slopes, self.rates(slopes))]


SETTINGS = {"Adagrad": ("lr", "eps"), "RMSProp": ("lr", "alpha", "eps")}


def _right(case: Case) -> Adagrad | RMSProp:
    """Return a right object with the settings of a case."""
    make: type = {"Adagrad": Adagrad, "RMSProp": RMSProp}[case.function]
    made: Adagrad | RMSProp = make(*(case.args[s] for s in SETTINGS[case.function]))
    return made


def _script(case: Case) -> list[Call]:
    return steps_of(case.function, SETTINGS[case.function])(case)


def walks(seed: int) -> Callable[..., tuple[list[Tensors], list[Tensors]]]:
    """Return a function that draws weights and slopes for so many steps, of these shapes."""
    draw = drawing(seed)

    def walk(
        steps: int,
        shapes: Sequence[Sequence[int]],
        dtype: torch.dtype = F64,
        *,
        strided: bool = False,
        scale: float = 1.0,
    ) -> tuple[list[Tensors], list[Tensors]]:
        weights = [draw(*shapes, dtype=dtype, strided=strided) for _ in range(steps)]
        return weights, [draw(*shapes, dtype=dtype, strided=strided, scale=scale) for _ in range(steps)]

    return walk


def _cases(seed: int) -> list[Case]:
    walk = walks(seed)
    made = []

    def both(
        name: str, pair: tuple[list[Tensors], list[Tensors]], lr: float, alpha: float, eps: float, *, only: str = ""
    ) -> None:
        for function, settings in SETTINGS.items():
            if only in ("", function):
                given = {"lr": lr, "alpha": alpha, "eps": eps}
                args = {s: given[s] for s in settings} | {"weights": pair[0], "slopes": pair[1]}
                made.append(Case(f"{name}, {function}", args, function=function, example=bool(only)))

    slopes = [[vector(4, -1)], [vector(3, 0)]]
    both("the two steps worked out", ([[vector(1, 2)], [vector(0.5, 2.5)]], slopes), 0.5, 0.0, 0.0001, only="Adagrad")
    both("the two steps worked out", ([[vector(1, 2)], [vector(0.2, 2.8)]], slopes), 0.4, 0.75, 0.0001, only="RMSProp")
    one = [[rows([2, -1, 0.5], [1, 3, -2]), number(4)]]
    both("a single step", (one, [[rows([4, -2, 1], [0.5, -3, 2]), number(-0.25)]]), 0.3, 0.9, 0.01)
    flat = [[vector(1, -2, 3), vector(2)]] * 3
    both(
        "slopes of 0 in one of two tensors", (flat, [[vector(0, 0, 0), vector(3 - k)] for k in range(3)]), 0.2, 0.8, 0.5
    )
    both("an eps as large as the slopes", walk(3, [(4,), (2, 3)]), 0.5, 0.7, 2.0)
    both("a single number in float64", walk(4, [()]), 0.1, 0.6, 0.001)
    both("a tensor without entries between two others", walk(3, [(2, 3), (0, 2), (4,)]), 0.3, 0.9, 0.05)
    both("two layers in float64", walk(STEPS, LAYERS), 0.05, 0.95, 1e-8)
    both("two tables in float32, with gaps in memory", walk(4, [(4, 2), (3, 4)], F32, strided=True), 0.2, 0.9, 0.1)
    return made


@exercise("07.3", title="A rate for every weight", points=2)
class ARateForEveryWeight:
    """Two classes that remember squares, one for good and one for a while."""

    reference = (Adagrad, RMSProp)
    read = "A memory that never fades"
    returns = tuple(Out(f"step {k}", "tensors") for k in range(1, STEPS + 1))
    script = _script
    observe = of_steps
    properties = (NEW_WEIGHTS, OF_ITS_SHAPE, ALONE, MOVES, *in_time(_right))
    forbidden: ClassVar = {"optim": "It holds both methods. Here you write what they remember and what they divide by."}
    statement = r"""
        One rate for all weights is a compromise. Two methods give each weight a rate of its own, by what its slopes have been
        like so far. **Adagrad** adds up their squares:

        $$s \leftarrow s + g^2, \qquad w \leftarrow w - \eta\, \frac{g}{\sqrt{s} + \varepsilon}$$

        **RMSProp** takes a running mean of them, so that it forgets:

        $$s \leftarrow \alpha\, s + (1 - \alpha)\, g^2, \qquad w \leftarrow w - \eta\, \frac{g}{\sqrt{s} + \varepsilon}$$

        In both, $s$ begins at 0, and each weight has one of its own: squares, roots and divisions are taken entry by entry. The step
        divides by the root of the **new** $s$, and $\varepsilon$ is added to the root.

        Write two classes that remember: `Adagrad(lr, eps)` and `RMSProp(lr, alpha, eps)`. Each has a method `step(weights, slopes)` that
        takes two lists of tensors, as in 07.1, and returns a **new list of new tensors**, the weights after the step. What is
        remembered is kept in the object, and two objects know nothing of each other. `step` always starts from the weights that
        it is given, and what came in is not changed. From step to step the lists of an object keep their length, and the tensors their
        shapes. `torch.optim` is not to be used.

        Example: one tensor of two weights, with the slopes `[4, -1]` in the first step and `[3, 0]` in the second.

        * `Adagrad(0.5, 0.0001)`: the sums are `[16, 1]`, and their roots `[4, 1]`. So the weights `[1, 2]` go to about `[0.5, 2.5]`: each by
          0.5, however steep it is there. Then the sums are `[25, 1]`, and from `[0.5, 2.5]` the first weight goes by
          $0.5 \cdot 3 / 5 = 0.3$ to `[0.2, 2.5]`.
        * `RMSProp(0.4, 0.75, 0.0001)`: the means are `[4, 0.25]`, their roots `[2, 0.5]`, and `[1, 2]` goes to about `[0.2, 2.8]`. Then the
          means are $0.75 \cdot 4 + 0.25 \cdot 9 = 5.25$ and $0.1875$, and from `[0.2, 2.8]` the first weight goes by
          $0.4 \cdot 3 / 2.2913 = 0.5237$ to `[-0.3237, 2.8]`.

        The check writes a list for each step, with a list for each tensor in it: the slopes of both examples are
        `[[[4, -1]], [[3, 0]]]`. The weights are `[[[1, 2]], [[0.5, 2.5]]]` for the first and `[[[1, 2]], [[0.2, 2.8]]]` for the second.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "by roots, and in place": (_AdagradByRoots, _RMSPropInPlace),
        "over all slopes, and by rates": (_AdagradOverAll, _RMSPropByRate),
    }
    hints = (
        "Begin with Adagrad and a single tensor. What does the object have to know from one call of `step` to the next, and what is it before "
        "the first?",
        "In `__init__` the shapes are not known yet. Begin with an empty list, and let `step` put zeros into it when it is empty: "
        "`torch.zeros_like(g)` for each tensor of slopes.",
        "`self.sums = [s + g.square() for s, g in zip(self.sums, slopes)]`, then the new weights with `s.sqrt() + self.eps` below the line. RMSProp "
        "differs in the first of these two lines alone.",
    )
