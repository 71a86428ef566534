"""Exercise 07.5: decay that is not divided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Property, exercise
from companion.checks.ch07_optimizers.e3_a_rate_for_every_weight import walks
from companion.checks.ch07_optimizers.e5_mistakes import MISTAKES
from companion.checks.ch07_optimizers.lists import (
    ALONE,
    F32,
    LAYERS,
    NEW_WEIGHTS,
    STEPS,
    Tensors,
    in_time,
    of_steps,
    steps_of,
    tensors_in,
)
from companion.checks.numbers import number, rows, vector
from companion.checks.trace import Case


class AdamW:
    """Adam, with a decay of some of the weights that its division does not reach."""

    def __init__(self, lr: float, betas: tuple[float, float], eps: float, decay: float, decays: list[bool]) -> None:
        """Keep the settings; both means begin at 0, and no step has been taken yet."""
        self.lr, self.betas, self.eps = lr, betas, eps
        self.decay, self.decays = decay, decays
        self.first: list[torch.Tensor] = []
        self.second: list[torch.Tensor] = []
        self.k = 0

    def step(self, weights: list[torch.Tensor], slopes: list[torch.Tensor]) -> list[torch.Tensor]:
        """Return the new weights: the slopes go into both means, then comes the decay, and then the step of Adam."""
        beta1, beta2 = self.betas
        if self.k == 0:
            self.first = [torch.zeros_like(g) for g in slopes]
            self.second = [torch.zeros_like(g) for g in slopes]
        self.k += 1
        self.first = [beta1 * m + (1 - beta1) * g for m, g in zip(self.first, slopes)]
        self.second = [beta2 * s + (1 - beta2) * g.square() for s, g in zip(self.second, slopes)]
        moved = []
        for w, m, s, decays in zip(weights, self.first, self.second, self.decays):
            if decays:
                w = (1 - self.lr * self.decay) * w
            m_hat = m / (1 - beta1**self.k)
            s_hat = s / (1 - beta2**self.k)
            moved.append(w - self.lr * m_hat / (s_hat.sqrt() + self.eps))
        return moved


class _BothFromTheOldWeights:
    """Take decay and step off at once, both computed from the weights that came in."""

    def __init__(self, lr: float, betas: tuple[float, float], eps: float, decay: float, decays: Sequence[bool]) -> None:
        self.lr, self.betas, self.eps, self.k = lr, betas, eps, 0
        self.shares = [decay * flag for flag in decays]
        self.kept: dict[int, tuple[Tensor, Tensor]] = {}

    def step(self, weights: Sequence[Tensor], slopes: Sequence[Tensor]) -> tuple[Tensor, ...]:
        (b1, b2), self.k = self.betas, self.k + 1
        moved = []
        for n, (w, g) in enumerate(zip(weights, slopes)):
            m, s = self.kept.get(n, (torch.zeros_like(g), torch.zeros_like(g)))
            self.kept[n] = m, s = torch.lerp(m, g, 1 - b1), torch.lerp(s, g * g, 1 - b2)
            way = m / (1 - b1**self.k) / ((s / (1 - b2**self.k)).sqrt() + self.eps)
            moved.append(w - self.lr * (way + self.shares[n] * w))
        return tuple(moved)


class _ByAFactor:
    """Keep a factor for each tensor, 1 where nothing decays, and means that need no correction."""

    def __init__(self, lr: float, betas: tuple[float, float], eps: float, decay: float, decays: Sequence[bool]) -> None:
        self.lr, self.betas, self.eps, self.past = lr, betas, eps, 0
        self.factors = [1 - lr * decay if flag else 1.0 for flag in decays]
        self.means: list[Tensors] = []

    def step(self, weights: Tensors, slopes: Tensors) -> Tensors:
        if not self.means:
            self.means = [[torch.zeros_like(g) for g in slopes] for _ in self.betas]
        self.past += 1
        one, two = ((1 - b) / (1 - b**self.past) for b in self.betas)
        for g, m, s in zip(slopes, *self.means):
            m += one * (g - m)
            s += two * (g**2 - s)
        steps = [m / (s**0.5 + self.eps) for m, s in zip(*self.means)]
        return [torch.sub(f * w, step, alpha=self.lr) for f, w, step in zip(self.factors, weights, steps)]


SETTINGS = ("lr", "betas", "eps", "decay", "decays")


def _cases(seed: int) -> list[Case]:
    walk = walks(seed)

    def case(
        name: str,
        pair: tuple[list[Tensors], list[Tensors]],
        lr: float,
        betas: tuple[float, float],
        eps: float,
        decay: float,
        decays: list[bool],
        *,
        example: bool = False,
    ) -> Case:
        given = {"lr": lr, "betas": betas, "eps": eps, "decay": decay, "decays": decays}
        return Case(name, {**given, "weights": pair[0], "slopes": pair[1]}, example=example)

    usual = (0.9, 0.999)
    still = ([[vector(2, -4, 0), vector(3)]] * 2, [[vector(0, 0, 0), vector(0)]] * 2)
    at_zero = ([[vector(0, 5), number(-3)]] * 2, [[vector(2, -1), number(0.5)], [vector(1, 3), number(-2)]])
    return [
        case(
            "the step worked out",
            ([[vector(4, -2), vector(3)]], [[vector(2, -1), vector(0.5)]]),
            0.5,
            (0.5, 0.75),
            0.0001,
            0.2,
            [True, False],
            example=True,
        ),
        case("slopes of 0", still, 0.25, (0.8, 0.9), 0.01, 0.4, [True, False]),
        case("a weight of 0", at_zero, 0.5, (0.6, 0.9), 0.1, 0.5, [True, True]),
        case("no decay", ([[rows([2, -1, 0.5], [1, 3, -2])]] * 2, [[rows([4, -2, 1], [0.5, -3, 2])], [rows([1, 1, -2], [0.25, 2, -1])]]), 0.3, usual, 0.01, 0.0, [True]),
        case("nothing that decays", walk(2, [(2, 3), (4,)]), 0.2, (0.7, 0.9), 0.1, 0.9, [False, False]),
        case("a table that is spared and a vector that is not", walk(3, [(3, 4), (4,), (2, 5)]), 0.2, usual, 0.5, 0.6, [False, True, True]),
        case("a single number in float64", walk(4, [()]), 0.1, usual, 0.001, 1.5, [True]),
        case("a tensor without entries between two others", walk(3, [(2, 3), (0, 2), (4,)]), 0.3, (0.8, 0.95), 0.05, 0.7, [True, True, False]),
        case("two layers in float64", walk(STEPS, LAYERS), 0.2, usual, 1e-8, 0.3, [True, False, True, False]),
        case("two tables in float32, with gaps in memory", walk(4, [(4, 2), (3, 4)], F32, strided=True), 0.4, (0.85, 0.98), 0.1, 0.25, [False, True]),
    ]  # fmt: skip


def _spared(case: Case, observed: Observed) -> bool:
    """Return whether tensors that do not decay stay where they are while all their slopes are 0."""
    first = zip(case.args["weights"][0], case.args["slopes"][0], case.args["decays"], tensors_in(observed, "step 1"))
    return all(decays or bool((g != 0).any()) or bool(torch.isclose(w, new).all()) for w, g, decays, new in first)


_SPARED = Property(
    "what does not decay stays where its slopes are 0",
    _spared,
    "A tensor with False in `decays` moves, although all its slopes are 0.",
    "Nothing pulls at it: it has no slope, and it is spared the decay. So it should come back as it was.",
    "Follow that tensor through your `step`, line by line. Which line changes it?",
)


@exercise("07.5", title="Decay that is not divided", points=2)
class DecayThatIsNotDivided:
    """AdamW, with a list that says which weights decay."""

    reference = AdamW
    read = "Decay that is not divided"
    returns = tuple(Out(f"step {k}", "tensors") for k in range(1, STEPS + 1))
    script = steps_of("AdamW", SETTINGS)
    observe = of_steps
    properties = (NEW_WEIGHTS, ALONE, _SPARED, *in_time(lambda case: AdamW(*(case.args[s] for s in SETTINGS))))
    forbidden: ClassVar = {"optim": "It holds AdamW ready-made. Here you put the decay where it belongs yourself."}
    statement = r"""
        A decay pulls weights towards 0. Put into the slopes of Adam it is divided by the root like them, so that it is weak where
        slopes are steep. AdamW keeps it out of the means and out of the division. First a share of the weight is taken off, then Adam's
        step is taken, as in exercise 07.4:

        $$w \leftarrow (1 - \eta \cdot \text{decay})\, w, \qquad w \leftarrow w - \eta\, \frac{\hat m}{\sqrt{\hat s} + \varepsilon}$$

        The means take in the slopes as they came in. And not every weight decays: biases are spared as a rule, for example.

        Write a class `AdamW(lr, betas, eps, decay, decays)`. `decay` is a number. `decays` is a list of True and False, one for each tensor: True
        says that this tensor decays. Its method `step(weights, slopes)` is that of 07.4: two lists of tensors come in, and a **new list of
        new tensors** goes out. A tensor that does not decay takes Adam's step alone. You may begin with your class of 07.4.

        Example: `AdamW(0.5, (0.5, 0.75), 0.0001, 0.2, [True, False])`, the weights `[[4, -2], [3]]` and the slopes `[[2, -1], [0.5]]`. In the first
        step the hats are the slopes and their squares, so that Adam's step is about 0.5 for each weight, against its slope. The
        first tensor decays: $1 - 0.5 \cdot 0.2 = 0.9$ makes `[3.6, -1.8]` of it, and the step leads to about `[3.1, -1.3]`. The second
        does not: it goes from 3 to about 2.5. The check writes a list for each step around these: `[[[4, -2], [3]]]` and
        `[[[2, -1], [0.5]]]`.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "decay and step at once, from the old weights": _BothFromTheOldWeights,
        "by a factor for each tensor": _ByAFactor,
    }
    hints = (
        "Copy your class of 07.4 and let it take two more settings. Which of its lines know nothing of the decay?",
        "Only the last loop changes. It goes through weights and both means; let it go through `decays` as well, in the same `zip`.",
        "At the top of each round: `if decays: w = (1 - self.lr * self.decay) * w`. The line with Adam's step stays as it is, and takes the new `w`.",
    )
