"""Exercise 04.2: from a likelihood to a loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Parameter, exercise, per_variant
from companion.checks.cases import draw
from companion.checks.ch04_losses.e2_families import FAMILIES, Family, Loss
from companion.checks.ch04_losses.e2_mistakes import mistakes_of
from companion.checks.statements import paragraphs
from companion.checks.trace import Case


def _by_loop(family: Family) -> Loss:
    def mean_nll(*args: Any) -> Tensor:
        n = len(args[0])
        rows = [[a[i : i + 1] if isinstance(a, Tensor) else a for a in args] for i in range(n)]
        return torch.cat([family.each(*row) for row in rows]).sum() / n

    return mean_nll


def _by_sums(name: str) -> Loss:
    """Return the mean taken term by term."""
    makes: dict[str, Loss] = {
        "poisson": lambda f, t: f.exp().mean() - (t @ f) / len(t) + torch.lgamma(1 + t).sum() / len(t),
        "exponential": lambda f, t: (f.exp() @ t) / len(t) - f.mean(),
        "gaussian": lambda f, s, t: (
            ((t - f) ** 2 / (2 * torch.exp(2 * s))).mean() + s.mean() + math.log(math.sqrt(2 * math.pi))
        ),
        "laplace": lambda f, t, b: torch.where(t > f, t - f, f - t).sum() / (b * len(t)) + math.log(2) + math.log(b),
    }
    return makes[name]


def _cases_of(family: Family) -> Callable[[int], list[Case]]:
    names = list(family.given)
    by_model = tuple(n for n in names if n in ("f", "s"))

    def case(
        name: str, values: Mapping[str, Any], dtype: torch.dtype = torch.float32, *, example: bool = False
    ) -> Case:
        args = {n: v if isinstance(v, float) else torch.tensor(v, dtype=dtype) for n, v in values.items()}
        corner = "b" in names and values["f"] == values["t"]  # there the size of a distance has no slope
        return Case(name, args, grad=() if corner else by_model, example=example)

    def drawn(name: str, seed: int, n: int, dtype: torch.dtype, strided: bool = False) -> Case:
        tensors = [a for a in names if a != "b"]
        numbers = draw(
            name, dict.fromkeys(tensors, "N"), seed, sizes={"N": n}, dtype=dtype, scale=1.2, strided=strided
        ).args
        args = {a: family.draws.get(a, lambda x: x)(numbers[a]) for a in tensors} | ({"b": 1.7} if "b" in names else {})
        return Case(name, args, grad=by_model)

    def cases(seed: int) -> list[Case]:
        single = {n: v if isinstance(v, float) else v[-1:] for n, v in family.far.items()}
        sixty = {n: v if n == "b" else (v,) * 60 for n, v in family.flat.items()}
        return [
            case("the two examples worked out", family.given, example=True),
            *(case(name, args) for name, args in family.plain.items()),
            case("a single example, far off", single),
            case("targets far from what the model says", family.far),
            case("sixty examples that are all alike", sixty),
            drawn("seven examples in float64", 2 * seed, 7, torch.float64),
            drawn("five examples in float32, with gaps in memory", 2 * seed + 1, 5, torch.float32, True),
        ]

    return cases


@exercise(
    "04.2",
    title="From a likelihood to a loss",
    points=2,
    parameters=tuple({"family": name} for name in FAMILIES),
)
class MeanNegativeLogLikelihood:
    """A loss that is derived and not looked up."""

    name = "mean_nll"
    read = "From likelihood to loss"
    forbidden = dict.fromkeys(
        (
            "nn.functional.poisson_nll_loss",
            "poisson_nll_loss",
            "nn.functional.gaussian_nll_loss",
            "nn.functional.mse_loss",
            "nn.functional.l1_loss",
            "distributions",
        ),
        "It is a loss that somebody else derived, often with a term left out. Take the logarithm of the density yourself.",
    )

    @per_variant
    def reference(p: Parameter) -> Loss:
        """Return the loss of this distribution."""
        return FAMILIES[p["family"]].reference

    @per_variant
    def statement(p: Parameter) -> str:
        """Return the task with this distribution."""
        family = FAMILIES[p["family"]]
        parts = (
            family.intro,
            f"$${family.formula}$$",
            "Derive the loss on paper: the **mean of the negative logarithm** of this, over the examples. Keep every term, "
            "those too that no training would change: only then can two models be compared by it.",
            f"{family.signature} Return a tensor without axes, in the dtype of `f`, that lets gradients through as every loss "
            "does. A target may lie so far from what the model says that the density itself is rounded to 0. The loss is an "
            "ordinary number there too. Do not call a ready-made loss, and leave `torch.distributions` out of the function. It "
            "is there to check yourself when you are done.",
            f"Example: {family.example}",
        )
        return paragraphs(*parts)

    @per_variant
    def cases(p: Parameter) -> Callable[[int], list[Case]]:
        """Return inputs that this distribution allows."""
        return _cases_of(FAMILIES[p["family"]])

    @per_variant
    def mistakes(p: Parameter) -> list[Mistake]:
        """Return what goes wrong with any likelihood, and with this one."""
        return mistakes_of(p["family"])

    @per_variant
    def alternatives(p: Parameter) -> dict[str, Loss]:
        """Return other right answers for this distribution."""
        name = p["family"]
        return {
            "term by term": _by_sums(name),
            "one example after another": _by_loop(FAMILIES[name]),
        }

    @per_variant
    def hints(p: Parameter) -> tuple[str, ...]:
        """Return hints for this distribution."""
        return FAMILIES[p["family"]].hints
