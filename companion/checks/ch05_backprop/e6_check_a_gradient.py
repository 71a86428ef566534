"""Exercise 05.6: check a gradient."""

import itertools
import math
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, exercise, rng
from companion.checks.ch05_backprop.by_hand import AUTOGRAD
from companion.checks.ch05_backprop.e6_functions import F
from companion.checks.ch05_backprop.e6_mistakes import BOWL, FAR, FLOAT32, MISTAKES, NAN, WAVES
from companion.checks.numbers import F64
from companion.checks.routines import formula
from companion.checks.trace import Call, Case, Trace


def largest_gap(f: object, x: torch.Tensor, claimed: torch.Tensor) -> torch.Tensor:
    """Return the largest gap between the claimed slopes of f at x and difference quotients, relative to the slopes' size."""
    assert callable(f)
    step = 1e-5  # near the cube root of float64's precision
    flat = x.flatten()
    quotients = []
    for place in range(len(flat)):
        nudge = torch.zeros_like(flat)
        nudge[place] = step
        nudge = nudge.reshape(x.shape)
        quotients.append((f(x + nudge) - f(x - nudge)) / (2 * step))
    q = torch.stack(quotients).reshape(x.shape)
    return (q - claimed).abs().max() / q.abs().max().clamp(min=1)


def _in_place(f: F, x: Tensor, claimed: Tensor) -> float:
    moved, gaps, size = x.clone(), [], 1.0
    for place in itertools.product(*map(range, x.shape)):
        old = moved[place].item()
        moved[place] = old + 5e-6
        up = f(moved).item()
        moved[place] = old - 5e-6
        q = (up - f(moved).item()) / 1e-5
        moved[place] = old
        gaps.append(abs(q - claimed[place].item()))
        size = max(size, abs(q))
    return float("nan") if any(map(math.isnan, gaps)) else max(gaps) / size  # max() passes over a nan


def _relative_step(f: F, x: Tensor, claimed: Tensor) -> Tensor:
    eye = torch.eye(x.numel(), dtype=x.dtype).reshape(-1, *x.shape)
    q = torch.zeros_like(x)
    for unit in eye:
        step = 1e-6 * (1 + (x * unit).abs().sum())
        q = q + unit * (f(x + step * unit) - f(x - step * unit)) / (2 * step)
    scale = torch.maximum(q.abs().max(), torch.ones_like(q.abs().max()))
    return torch.amax((claimed - q).abs()) / scale


def _slope(text: str, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(formula(text)(x), x)[0]


def _case(
    name: str, text: str, x: object, claimed: object = None, *, example: bool = False, aside: bool = False
) -> Case:
    at = torch.as_tensor(x, dtype=F64)
    claim = _slope(text, at) if claimed is None else torch.as_tensor(claimed, dtype=F64)
    return Case(name, {"f": text, "x": at, "claimed": claim}, example=example, aside=aside)


def _cases(seed: int) -> list[Case]:
    numbers = 0.8 * torch.randn(2, 3, 4, generator=rng(seed), dtype=F64)
    gaps = torch.empty(3, 4, 2, dtype=F64)[..., 0]  # with gaps in memory
    drawn, mixed = gaps.copy_(numbers[0]), "x.exp().sum() + (x[0] * x[-1]).sum()"
    table, bends = numbers[1, :2, :3].clone(), "(x[0] * x[1] ** 2).sum()"
    return [
        _case("the example worked out", "(x ** 3).sum()", [1, 2], [3, 10], example=True),
        _case("a claim that is right", "(x ** 2).sum() + 3 * x[0] * x[1]", [1, -2, 0.5]),
        _case(
            "gaps to both sides",
            "(x ** 2).sum()",
            [[1, -2, 3], [0.5, 4, -1]],
            [[0.5, -4, 6], [1, 12, -2]],
        ),
        _case("a claim with its signs turned", "torch.tanh(x).sum()", [0.2, -0.5, 0.9], [-0.9610, -0.7864, -0.4869]),
        _case("slopes far below 1", "0.001 * x.sum()", [2, -1, 3], [0.001, 0.5, 0.001]),
        _case("slopes of very different size", "(x ** 2).sum()", [80, -95, 3], [160, -190, 7]),
        _case("a number without axes", "torch.exp(x)", 0.5, 2.0),
        _case(BOWL, "1000 * (x - torch.tensor([1.0, 2.0, 4.0])).square().sum()", [1, 2, 4], [0, 0, 0]),
        _case(WAVES, "torch.sin(10 * x).sum()", [[0.3, -0.2, 1.1], [0.7, 0.05, -0.4]]),
        _case(FAR, "3000 + x[:3].prod() + x[-1]", [0.5, -1.5, 2, 1e-6]),
        _case(NAN, "(x ** 2).sum()", [1, 2, 3], [2, float("nan"), 6], aside=True),
        Case(
            FLOAT32,
            {"f": bends, "x": table, "claimed": (_slope(bends, table) + torch.linspace(-0.5, 1, 6).reshape(2, 3)).float()},
        ),
        Case(
            "twelve entries with gaps in memory",
            {"f": mixed, "x": drawn, "claimed": _slope(mixed, drawn) + 0.3 * numbers[1]},
        ),
    ]  # fmt: skip


def _script(case: Case) -> list[Call]:
    return [
        Call("@formula", (case.args["f"], tuple(case.args["x"].shape)), keep="f"),
        Call("largest_gap", ("$f", case.args["x"], case.args["claimed"]), ("f", "x", "claimed"), ("gap",)),
    ]


def _observe(case: Case, trace: Trace) -> Observed:
    """Return the gap, and how far x has moved; nan and inf say the same of a claim that is nan."""
    if "gap" not in trace.tensors:
        return {}
    gap = torch.nan_to_num(trace.tensors["gap"], nan=torch.inf, posinf=torch.inf)
    return {"gap": gap, "moved": (trace.tensors["after.x"] - case.args["x"]).abs().max()}


@exercise("05.6", title="Check a gradient", points=2)
class CheckAGradient:
    """The tool by which every slope of this course is tested."""

    reference = largest_gap
    read = "Checking slopes"
    returns = (Out("gap", "number"),)
    script = _script
    observe = _observe
    forbidden = dict.fromkeys(
        AUTOGRAD,
        "It is what is to be tested by your function, so it cannot be the judge. Ask f about numbers beside x.",
    )
    statement = r"""
        Somebody hands you a function, a point, and what they say is the slope there. Is it? Turn one entry of the point a
        little, look at what the function does, and compare.

        Write `largest_gap(f, x, claimed)`. `f` takes a tensor of the shape of `x` and returns one number, as a tensor without
        axes. `x` has any shape, in float64, with entries from -100 to 100. `claimed` has the shape of `x` and holds the slope
        that somebody claims for each entry. It may be float32. For every entry $j$ take the **central** quotient, with a nudge
        $\epsilon$ of that entry alone:

        $$q_j = \frac{f(x + \epsilon\, e_j) - f(x - \epsilon\, e_j)}{2 \epsilon}, \qquad \text{result} = \frac{\max_j |q_j -
        \text{claimed}_j|}{\max(1,\ \max_j |q_j|)}$$

        Here $e_j$ is 1 at entry $j$ and 0 elsewhere. Below the line stands the largest size of a quotient, or 1 if they are all
        smaller. If a claim is nan, the result is nan or inf, and never a small number.
        Choose $\epsilon$ by what the chapter measured, so that the result is right to about $10^{-6}$. The functions are smooth.
        Some have large values, and some bend fast. At the end `x` must hold the same numbers, to the last digit. Leave autograd
        out. Return one number (a float or a tensor without axes).

        Example: $f(x) = x_1^3 + x_2^3$ at `x = [1, 2]`, claimed `[3, 10]`. With $\epsilon = 0.01$ the first quotient is
        (1.030301 - 0.970299) / 0.02 = 3.0001 and the second (8.120601 - 7.880599) / 0.02 = 12.0001. With a smaller $\epsilon$
        they come nearer to 3 and 12. The gaps are 0 and 2, the largest quotient is 12, and the result is 2 / 12 = 0.1667.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "one entry after the other, in place": _in_place,
        "a step that grows with x": _relative_step,
    }
    hints = (
        "Begin with an x of one entry. Write the quotient for it, then put a loop around it that goes over all entries.",
        "Make a tensor of zeros like x with the step at one place, and ask f about x plus it and x minus it. `x.flatten()` and "
        "`reshape(x.shape)` lead from any shape to a list of entries and back.",
        "A step of 1e-5 suits. Gather the quotients in a tensor q of the shape of x. Then the largest of `(q - claimed).abs()`, "
        "divided by the largest of `q.abs()`, which `clamp(min=1)` keeps from being below 1.",
    )
