"""Exercise 05.1: slopes along a chain."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

import torch

from companion.checks.bank import Observed, Out, Property, exercise, rng
from companion.checks.ch05_backprop.by_hand import AUTOGRAD
from companion.checks.ch05_backprop.e1_mistakes import MISTAKES
from companion.checks.trace import Case, Trace

Slopes = tuple[float, float, float]
NAMES = ("by_w", "by_b", "by_x")


def chain_slopes(w: float, b: float, x: float, t: float) -> tuple[float, float, float]:
    """Return the slopes of L = (tanh(w x + b) - t)^2 by w, by b and by x."""
    import math

    h = math.tanh(w * x + b)
    by_h = 2 * (h - t)
    by_u = by_h * (1 - h**2)
    return by_u * x, by_u, by_u * w


def _by_cosh(w: float, b: float, x: float, t: float) -> Slopes:
    u = w * x + b
    common = 2 * (math.tanh(u) - t) / math.cosh(u) ** 2
    return common * x, common, common * w


def _in_tensors(w: float, b: float, x: float, t: float) -> list[torch.Tensor]:
    h = torch.tanh(torch.tensor(w * x + b, dtype=torch.float64))
    local = torch.tensor([x, 1.0, w], dtype=torch.float64)
    return list(2 * (h - t) * (1 + h) * (1 - h) * local)


def _in_float32(w: float, b: float, x: float, t: float) -> list[torch.Tensor]:
    h = torch.tanh(torch.tensor(w * x + b))
    back = (h - t) - h * h * (h - t)
    return [back * x + back * x, back + back, back * w + back * w]


def _cases(seed: int) -> list[Case]:
    g = rng(seed)

    def drawn(scale: float = 1.0) -> dict[str, float]:
        values = (scale * torch.randn(4, generator=g, dtype=torch.float64)).tolist()
        return dict(zip(("w", "b", "x", "t"), values))

    return [
        Case("the chain worked out", {"w": 0.5, "b": -1.0, "x": 3.0, "t": 1.0}, example=True),
        Case("the chain of the chapter", {"w": 0.5, "b": 0.0, "x": 2.0, "t": 1.0}),
        Case("an output above the target", {"w": 1.0, "b": 0.5, "x": 1.0, "t": 0.5}),
        Case("a target below what comes out", {"w": 0.8, "b": 0.3, "x": -1.5, "t": -2.0}),
        Case("a weight of 0", {"w": 0.0, "b": 0.5, "x": 2.0, "t": -1.0}),
        Case("an input of 0", {"w": 2.0, "b": -0.5, "x": 0.0, "t": 0.5}),
        Case("a target that is hit", {"w": 1.5, "b": -3.0, "x": 2.0, "t": 0.0}),
        Case("a bend far out", {"w": 2.0, "b": 1.0, "x": 4.0, "t": -1.0}),
        Case("other numbers", drawn()),
        Case("other numbers again", drawn(0.7)),
    ]


def _observe(case: Case, trace: Trace) -> Observed:
    """Return the slopes, whether each is near the right one, and whether one is no more than near."""
    found = {name: trace.tensors[name] for name in NAMES if name in trace.tensors}
    due = dict(zip(NAMES, chain_slopes(**case.args)))
    near = steps = False
    if len(found) == 3 and all(slope.numel() == 1 for slope in found.values()):
        gaps = [(t.dtype, abs(t.item() - due[n]) / max(1.0, abs(due[n]))) for n, t in found.items()]
        near = all(gap < 0.02 for _, gap in gaps)
        steps = near and any(gap > (1e-10 if dtype == torch.float64 else 1e-4) for dtype, gap in gaps)
    return {**found, "near": torch.tensor(near), "steps": torch.tensor(steps)}


def _right(name: str) -> Callable[[Case, Observed], bool]:
    def holds(case: Case, observed: Observed) -> bool:
        due = dict(zip(NAMES, chain_slopes(**case.args)))[name]
        return name in observed and abs(observed[name].item() - due) < 1e-5 * max(1.0, abs(due))

    return holds


def _in_order(case: Case, observed: Observed) -> bool:
    """Return whether the slopes are more than the right ones in another order."""
    due = chain_slopes(**case.args)
    got = [observed[name].item() for name in NAMES if name in observed]
    same = len(got) == 3 and max(abs(a - b) for a, b in zip(sorted(got), sorted(due))) < 1e-5
    return not same or max(abs(a - b) for a, b in zip(got, due)) < 1e-5


_PROPERTIES = (
    Property(
        "the order",
        _in_order,
        "Your three slopes are the right ones, in another order.",
        "The check reads them by their place: w first, then b, then x.",
        "Which name stands first behind your `return`?",
    ),
    Property(
        "the slope by b",
        _right("by_b"),
        "Your slope by b is not right: it is off in size or in sign.",
        "It is the product of the slopes on the way from u to L, for u grows as fast as b does. The slopes by w and by x "
        "hold this product too.",
        "Compute u, h, the slope of L by h and the slope of h by u on paper. Print the same four in your code.",
    ),
    Property(
        "the slope by w",
        _right("by_w"),
        "Your slope by b is right, and the one by w is not.",
        "From u to L both go the same way. They differ in the first step alone, from w to u.",
        "Turn w up by a little and hold everything else: by how many times as much does u go up?",
    ),
    Property(
        "the slope by x",
        _right("by_x"),
        "Your slopes by w and by b are right, and the one by x is not.",
        "From u to L all three go the same way. They differ in the first step alone, from x to u.",
        "Turn x up by a little and hold everything else: by how many times as much does u go up?",
    ),
)
_BY_HAND = "Multiply the slopes yourself: autograd is there to check what you found on paper."


@exercise("05.1", title="Slopes along a chain", points=1)
class SlopesAlongAChain:
    """One example, one weight, one bend, one loss."""

    reference = chain_slopes
    read = "A small change travels"
    returns = tuple(Out(name, "number") for name in NAMES)
    observe = _observe
    statement = r"""
        One input $x$, one weight $w$, one bias $b$, one bend and one target $t$ make a chain:

        $$u = w x + b, \qquad h = \tanh u, \qquad L = (h - t)^2$$

        Write `chain_slopes(w, b, x, t)` for four plain numbers. Return the slopes of $L$ by $w$, by $b$ and by $x$, in this
        order: `return by_w, by_b, by_x`.

        Along the chain slopes are multiplied. The slope of $L$ by $h$ is $2 (h - t)$, and that of $h$ by $u$ is $1 - h^2$.
        The last step, from $u$ to $w$, $b$ or $x$, is left to you. Find the slopes on paper, without autograd and without
        small steps. For the bend write `import math` at the top of your cell, and call `math.tanh`.

        Example: $w = 0.5$, $b = -1$, $x = 3$, $t = 1$. Then $u = 0.5$, $h = 0.4621$ and $1 - h^2 = 0.7864$. The slope by $h$
        is $2 \cdot (0.4621 - 1) = -1.0758$, so the slope by $u$ is $-1.0758 \cdot 0.7864 = -0.8460$. The result is
        `(-2.5381, -0.8460, -0.4230)`.
    """
    cases = _cases
    properties = _PROPERTIES
    forbidden = dict.fromkeys(AUTOGRAD, _BY_HAND)
    mistakes = MISTAKES
    alternatives: ClassVar = {"by cosh": _by_cosh, "in tensors": _in_tensors, "in float32": _in_float32}
    hints = (
        "Write the chain as boxes, w to u to h to L, with a slope at each arrow. Which arrows do w, b and x have in common?",
        "Compute h first, then the slope of L by h, then that of L by u. The three results are made from the last one.",
        "A small change of w comes out of w x + b multiplied by x. By what is a small change of b multiplied there, and by "
        "what one of x?",
    )
