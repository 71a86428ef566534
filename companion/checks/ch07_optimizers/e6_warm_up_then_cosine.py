"""Exercise 07.6: warm up, then cosine."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import ClassVar

import torch

from companion.checks.bank import Mistake, Out, Parameter, exercise, per_variant
from companion.checks.ch07_optimizers.e6_mistakes import Rate, mistakes_of
from companion.checks.ch07_optimizers.e6_plans import PLANS, cases_of
from companion.checks.statements import paragraphs
from companion.checks.trace import Case


def _by_tensors(plan: str) -> Rate:
    """Return the schedule with torch's cosine, as a tensor without axes."""

    def between(high: float, low: float, k: int, warm: int, total: int, up: float) -> torch.Tensor:
        if k < warm:
            return torch.tensor(high * up / warm, dtype=torch.float64)
        part = torch.tensor(1.0 if k >= total else (k - warm) / (total - warm), dtype=torch.float64)
        return low + (high - low) * torch.cos(torch.pi * part / 2).square()  # half an angle, squared: the same curve

    made: Mapping[str, Callable[..., torch.Tensor]] = {
        "down to 0": lambda step, lr, warm, total: between(lr, 0.0, step, warm, total, step + 1),
        "down to a floor": lambda step, lr, floor, warm, total: between(lr, floor, step, warm, total, step),
        "once in an epoch": lambda step, lr, warm, total, per_epoch: between(
            lr, 0.0, step // per_epoch, warm, total, step // per_epoch + 1
        ),
    }
    return made[plan]  # type: ignore[return-value]


def _by_what_is_gone(plan: str) -> Rate:
    """Return the schedule that takes off what is gone, with the part of the way cut at 1."""

    def gone(k: int, warm: int, total: int) -> float:
        part = min(1.0, (k - warm) / max(1, total - warm)) if k < total else 1.0
        return math.sin(math.pi * part / 2) ** 2

    def to_nought(step: int, lr: float, warm: int, total: int) -> float:
        return lr * min(step + 1, warm) / warm if step < warm else lr - lr * gone(step, warm, total)

    def to_floor(step: int, lr: float, floor: float, warm: int, total: int) -> float:
        return lr - lr * (warm - step) / warm if step < warm else lr - (lr - floor) * gone(step, warm, total)

    def by_epochs(step: int, lr: float, warm: int, total: int, per_epoch: int) -> float:
        return to_nought((step - step % per_epoch) // per_epoch, lr, warm, total)

    found: dict[str, Rate] = {"down to 0": to_nought, "down to a floor": to_floor, "once in an epoch": by_epochs}
    return found[plan]


@exercise("07.6", title="Warm up, then cosine", points=2, parameters=tuple({"plan": name} for name in PLANS))
class WarmUpThenCosine:
    """The rate of a step, as a function of its number."""

    name = "rate"
    read = "Schedules"
    returns = (Out("rate", "number"),)
    forbidden: ClassVar = {"optim": "It holds schedules ready-made. Here you write the two formulas of one."}

    @per_variant
    def reference(p: Parameter) -> Rate:
        """Return the rate by this schedule."""
        return PLANS[p["plan"]].reference

    @per_variant
    def statement(p: Parameter) -> str:
        """Return the task with this schedule."""
        plan = PLANS[p["plan"]]
        return paragraphs(plan.intro, f"$${plan.formula}$$", plan.signature, f"Example: {plan.example}")

    @per_variant
    def cases(p: Parameter) -> Callable[[int], list[Case]]:
        """Return steps to look at."""
        return cases_of(PLANS[p["plan"]])

    @per_variant
    def mistakes(p: Parameter) -> list[Mistake]:
        """Return what goes wrong with any schedule, and with this one."""
        return mistakes_of(p["plan"])

    @per_variant
    def alternatives(p: Parameter) -> dict[str, Rate]:
        """Return other right answers."""
        return {"as a tensor": _by_tensors(p["plan"]), "by what is gone": _by_what_is_gone(p["plan"])}

    @per_variant
    def hints(p: Parameter) -> tuple[str, ...]:
        """Return hints for this schedule."""
        return PLANS[p["plan"]].hints
