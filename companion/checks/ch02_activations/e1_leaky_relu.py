"""Exercise 02.1: leaky ReLU."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Parameter, exercise, per_variant
from companion.checks.cases import draw
from companion.checks.ch02_activations.e1_mistakes import leaky_mistakes
from companion.checks.numbers import vector
from companion.checks.trace import Case


def _leaky_relu_with(slope: float) -> Callable[..., Tensor]:
    def leaky_relu(z: torch.Tensor, negative_slope: float = slope) -> torch.Tensor:
        """Return z where it is positive and negative_slope times z elsewhere."""
        return torch.where(z > 0, z, negative_slope * z)

    return leaky_relu


def _leaky_by_parts(slope: float) -> Callable[..., Tensor]:
    return lambda z, negative_slope=slope: torch.clamp(z, min=0) + negative_slope * torch.clamp(z, max=0)


def _leaky_by_mask(slope: float) -> Callable[..., Tensor]:
    def masked(z: Tensor, negative_slope: float = slope) -> Tensor:
        mask = (z > 0).to(z.dtype)
        return z * (mask + negative_slope * (1 - mask))

    return masked


def _leaky_by_maximum(slope: float) -> Callable[..., Tensor]:
    return lambda z, negative_slope=slope: torch.maximum(z, negative_slope * z)


def _leaky_by_loop(slope: float) -> Callable[..., Tensor]:
    def looped(z: Tensor, negative_slope: float = slope) -> Tensor:
        return torch.stack([v if v > 0 else negative_slope * v for v in z.flatten()]).reshape(z.shape)

    return looped


def _leaky_cases(slope: float) -> Callable[[int], list[Case]]:
    def cases(seed: int) -> list[Case]:
        slope_given, sizes = {"negative_slope": 0.15}, {"N": 2, "H": 3}
        return [
            Case("the default slope", {"z": vector(-3.0, -1.0, 0.0, 2.0)}),
            Case(
                "a slope of 0.3",
                {"z": vector(-4.0, -2.0, 0.0, 5.0), "negative_slope": 0.3},
                says="The default slope works, another one does not: where does the argument enter?",
            ),
            Case("a slope of 0.5", {"z": vector(-2.0, 3.0), "negative_slope": 0.5}, grad=("z",)),
            Case("a slope of 0", {"z": vector(-2.0, 3.0), "negative_slope": 0.0}, grad=("z",)),
            draw("two axes in float64", {"z": "N H"}, seed, sizes=sizes, plus=slope_given, grad=("z",)),
            Case("large numbers", {"z": vector(-1e4, 1e4), "negative_slope": 0.5}, grad=("z",)),
        ]

    return cases


@exercise(
    "02.1",
    title="Leaky ReLU",
    points=1,
    parameters=({"slope": 0.01}, {"slope": 0.2}, {"slope": 0.05}, {"slope": 0.125}),
)
class LeakyRelu:
    """A ReLU that lets a little through."""

    name = "leaky_relu"
    read = "Leaky ReLU"
    forbidden = dict.fromkeys(
        (
            "nn.functional.leaky_relu",
            "nn.functional.leaky_relu_",
            "nn.functional.prelu",
            "prelu",
            "nn.functional.rrelu",
            "rrelu",
            "_C._nn.leaky_relu",
        ),
        "Write it with comparisons and products: the point is to see where the leak enters.",
    )

    @per_variant
    def reference(p: Parameter) -> Callable[..., Tensor]:
        """Return the function with this variant's default slope."""
        return _leaky_relu_with(p["slope"])

    @per_variant
    def statement(p: Parameter) -> str:
        """Return the task with this variant's slope."""
        s = p["slope"]
        return rf"""
        A ReLU sends 0 for every negative sum, and with it no gradient: a unit that is always negative can
        never recover. The leaky ReLU lets a little through:

        $$f(z) = \begin{{cases}} z & z > 0 \\ s\,z & z \le 0 \end{{cases}}$$

        Write `leaky_relu(z, negative_slope={s})` for a tensor of any shape. Slopes lie between 0 and 1. Do
        not call a ready-made leaky ReLU, and leave `z` as it was.

        Example: `z = [-3, 2]` with the default slope gives `[{-3 * s:.4g}, 2]`.
        """

    @per_variant
    def cases(p: Parameter) -> Callable[[int], list[Case]]:
        """Return inputs with and without a slope given."""
        return _leaky_cases(p["slope"])

    @per_variant
    def mistakes(p: Parameter) -> list[Mistake]:
        """Return the known mistakes with this variant's default slope."""
        return leaky_mistakes(p["slope"])

    @per_variant
    def alternatives(p: Parameter) -> dict[str, Callable[..., Tensor]]:
        """Return other right answers with this variant's default slope."""
        s = p["slope"]
        return {
            "two clamps": _leaky_by_parts(s),
            "mask": _leaky_by_mask(s),
            "maximum": _leaky_by_maximum(s),
            "loop over entries": _leaky_by_loop(s),
        }

    hints = (
        "Two branches, chosen entry by entry. An `if` cannot do that for a tensor; which function of torch can?",
        "`torch.where(condition, a, b)` takes from a where the condition holds and from b elsewhere.",
        "The condition is `z > 0`, the first branch is `z`, the second is the slope times `z`.",
    )
