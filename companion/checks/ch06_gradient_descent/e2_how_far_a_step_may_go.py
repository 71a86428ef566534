"""Exercise 06.2: how far a step may go."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Out, exercise, rng
from companion.checks.ch06_gradient_descent.e2_mistakes import MISTAKES, Rates
from companion.checks.numbers import F64, rows
from companion.checks.trace import Case

NAMES = ("limit", "best", "factor")


def rates(hessian: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the largest rate that does not diverge, the best one, and by what each step of that multiplies the distance."""
    curvatures = torch.linalg.eigvalsh(hessian)  # from the flattest direction to the steepest
    flat, steep = curvatures[0], curvatures[-1]
    condition = steep / flat
    return 2 / steep, 2 / (flat + steep), (condition - 1) / (condition + 1)


def _by_norms(hessian: Tensor) -> dict[str, Tensor]:
    steep, flat = torch.linalg.matrix_norm(hessian, 2), torch.linalg.matrix_norm(hessian, -2)
    best = 1 / (0.5 * flat + 0.5 * steep)
    return {"limit": 1 / (steep / 2), "best": best, "factor": steep * best - 1}


def _by_any_eigenvalues(hessian: Tensor) -> list[float]:
    found = sorted(torch.linalg.eigvals(hessian.double()).real.tolist(), reverse=True)
    steep, flat = found[0], found[-1]
    return [2 / steep, 2 / (steep + flat), 1 - 2 * flat / (steep + flat)]


def _by_singular_values(hessian: Tensor) -> Rates:
    found = torch.linalg.svdvals(hessian)  # of such a table the eigenvalues, the largest first
    steep, flat = found[0], found[-1]
    return 2 / steep, 2 / (steep + flat), (steep - flat) / (steep + flat)


def _bowl(curvatures: list[float], seed: int) -> Tensor:
    """Return a bowl with these curvatures, in directions drawn by chance."""
    turned, _ = torch.linalg.qr(torch.randn(len(curvatures), len(curvatures), generator=rng(seed), dtype=F64))
    table = turned @ torch.diag(torch.tensor(curvatures, dtype=F64)) @ turned.T
    return (table + table.T) / 2


def _cases(seed: int) -> list[Case]:
    room = torch.zeros(3, 3, 2, dtype=torch.float32)
    with_gaps = room[..., 0].copy_(_bowl([0.7, 1.1, 4.2], 10 * seed + 3))
    drawn = (0.2 + 5 * torch.rand(5, generator=rng(seed), dtype=F64)).tolist()
    return [
        Case("the valley worked out", {"hessian": rows([5, 2], [2, 2])}, example=True),
        Case("the valley of the chapter", {"hessian": rows([1, 0], [0, 10])}),
        Case("the steep direction first", {"hessian": rows([8, 0, 0], [0, 1, 0], [0, 0, 4])}),
        Case("weights that pull against each other", {"hessian": rows([3, -2], [-2, 4])}),
        Case("a single weight", {"hessian": rows([4])}),
        Case("a round bowl", {"hessian": rows([0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5])}),
        Case("four curvatures, three of them small", {"hessian": _bowl([0.5, 0.6, 0.7, 9.0], 10 * seed + 1)}),
        Case("a very narrow valley", {"hessian": _bowl([0.02, 3.0, 30.0], 10 * seed + 2)}),
        Case("three directions in float32, with gaps in memory", {"hessian": with_gaps}),
        Case("five directions drawn by chance", {"hessian": _bowl(drawn, 10 * seed + 4)}),
    ]


@exercise("06.2", title="How far a step may go", points=2)
class HowFarAStepMayGo:
    """Three numbers that the curvatures of a bowl decide."""

    reference = rates
    read = "A long narrow valley"
    returns = tuple(Out(name, "number") for name in NAMES)
    tolerance = 1e-4  # in float32 a small eigenvalue beside a large one has few digits
    statement = r"""
        Near a minimum a loss is a bowl, and the Hessian $H$ says how it curves. Its eigenvalues are the curvatures along its
        main directions, from the flattest, $\lambda_{\min}$, to the steepest, $\lambda_{\max}$. For one rate $\eta$ in all
        directions they decide everything:

        $$\text{limit} = \frac{2}{\lambda_{\max}}, \qquad \text{best} = \frac{2}{\lambda_{\min} + \lambda_{\max}}, \qquad
        \text{factor} = \frac{\kappa - 1}{\kappa + 1} \quad \text{with } \kappa = \frac{\lambda_{\max}}{\lambda_{\min}}$$

        Above `limit` the steps run away. At `best` the slowest direction is as fast as one rate can make it. There each step
        multiplies the distance to the minimum by `factor`, in the flattest and in the steepest direction.

        Write `rates(hessian)`. `hessian` is a symmetric table of shape (n, n) in float32 or float64, and all its eigenvalues are
        above 0. Most of the tables are not diagonal. Return the three numbers in this order: `return limit, best, factor`.

        Example: `hessian = [[5, 2], [2, 2]]` has the eigenvalues 1 and 6. Check: $(5 - 6)(2 - 6) - 2 \cdot 2 = 0$ and
        $(5 - 1)(2 - 1) - 2 \cdot 2 = 0$. So the limit is $2/6 = 0.3333$, the best rate is $2/7 = 0.2857$, and with
        $\kappa = 6$ the factor is $5/7 = 0.7143$.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "by norms, in a dict": _by_norms,
        "by eigenvalues in any order": _by_any_eigenvalues,
        "by singular values": _by_singular_values,
    }
    hints = (
        "Everything is made of two numbers. Which function of `torch.linalg` gives the eigenvalues of a symmetric table?",
        "`torch.linalg.eigvalsh(hessian)` returns them in ascending order. The flattest direction stands first, and the steepest "
        "one last.",
        "With `flat` and `steep` for the first and the last: `2 / steep`, then `2 / (flat + steep)`, then the factor from "
        "`condition = steep / flat`.",
    )
