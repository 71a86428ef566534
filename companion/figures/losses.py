"""Figures of chapter 04: one bell for two humps, by either direction of the Kullback-Leibler divergence."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from companion.figures.controls import Choice, Slider
from companion.figures.figure import Figure, figure, minus
from companion.figures.svg import Picture

# ---- one bell for two humps

_END, _PARTS = 8, 320  # the places where both distributions are compared: -8, -7.95, ..., 8
_HUMPS = {
    "twins": ((-2.0, 0.6, 0.5), (2.0, 0.6, 0.5)),
    "unequal": ((-2.0, 0.6, 0.8), (2.5, 0.9, 0.2)),
    "near": ((-1.0, 0.8, 0.5), (1.0, 0.8, 0.5)),
}
_WORDS = {"twins": "two equal humps", "unequal": "a large and a small hump", "near": "humps that overlap"}
_SMALLEST = 1e-300  # so small a share counts instead of 0, whose logarithm is infinite


def places() -> Tensor:
    """Return where the distributions are compared, in float64: ``(321,)``."""
    return torch.linspace(-_END, _END, _PARTS + 1, dtype=torch.float64)


def bell(middle: float | Tensor, spread: float | Tensor) -> Tensor:
    """Return a Gaussian at the places as shares that add up to 1: ``(321,)``, or ``(N, 321)`` for columns of N settings."""
    q = torch.exp(-((places() - middle) ** 2) / (2 * spread**2))
    return q / q.sum(dim=-1, keepdim=True)


def humps(name: str) -> Tensor:
    """Return a mixture of two bells at the places: ``(321,)``."""
    return torch.stack([share * bell(middle, spread) for middle, spread, share in _HUMPS[name]]).sum(dim=0)


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence ``KL(p || q)`` in nats, over the last axis; where both are 0 nothing is added."""
    return (p * (p.clamp(min=_SMALLEST).log() - q.clamp(min=_SMALLEST).log())).sum(dim=-1)


@cache
def best(name: str, forward: bool) -> tuple[float, float]:
    """Return middle and spread of the best bell, among those that the sliders can be set to."""
    middles, spreads = torch.arange(-80, 81, dtype=torch.float64) / 20, torch.arange(4, 81, dtype=torch.float64) / 20
    settings = torch.cartesian_prod(middles, spreads)  # (161 * 77, 2)
    p, q = humps(name), bell(settings[:, :1], settings[:, 1:])
    middle, spread = settings[(divergence(p, q) if forward else divergence(q, p)).argmin()].tolist()
    return middle, spread


@figure("04", "One bell for two humps")
def two_humps() -> Figure:
    """Return a bell that is moved and widened over two humps, with the divergence in both directions."""
    middle, spread = 0.0, 1.0
    p, q = humps("twins"), bell(middle, spread)
    covering, picking = best("twins", True), best("twins", False)
    guesses = ("between them, wide", "on one of them, narrow", "far away from both")
    answer = minus(
        f"On one of them: at {abs(picking[0]):g} or -{abs(picking[0]):g} with a spread of {picking[1]:g}, where KL(q, p) is "
        f"{divergence(bell(*picking), p):.3f}. In the middle with a spread of {covering[1]:g}, the best by KL(p, q), it is "
        f"{divergence(bell(*covering), p):.1f}. KL(q, p) is weighted by the bell: it pays for standing where there are no data, and "
        "nothing for leaving data out. KL(p, q) is weighted by the data and forgives no place that is left out."
    )
    alt = minus(
        f"Two humps at -2 and 2 and a bell at {middle:g} with a spread of {spread:g}. KL(p, q) is {divergence(p, q):.3f} and KL(q, p) "
        f"{divergence(q, p):.3f}. Below, both against the bell's middle."
    )
    return Figure(
        "two_humps",
        {
            "end": _END,
            "parts": _PARTS,
            "humps": {name: [list(one) for one in two] for name, two in _HUMPS.items()},
            "smallest": _SMALLEST,
        },
        alt=alt,
        caption=f"KL(p, q) covers: its best bell lies between the humps with a spread of {covering[1]:g}. KL(q, p) picks: its best bell "
        f"sits on one of them with a spread of {picking[1]:g}.",
        controls={
            "target": Choice("p", _WORDS, "twins"),
            "middle": Slider("middle of q", -4, 4, 0.05, middle),
            "spread": Slider("spread of q", 0.2, 4, 0.05, spread),
        },
        task="Predict: where does the bell q have to stand to make KL(q, p) smallest, for two equal humps? Then look for the place, and for "
        "that of KL(p, q).",
        guesses=guesses,
        right=1 if abs(abs(picking[0]) - 2) < 0.5 and picking[1] < 1 else 0,
        answer=answer,
        fallback=_two_curves(p, q, alt),
    )


def _two_curves(p: Tensor, q: Tensor, alt: str) -> str:
    top = 0.03
    picture = Picture(
        (-_END, _END), (0, top), xlabel="x", ylabel="share", ticks=((-8, -4, 0, 4, 8), (0, 0.01, 0.02, 0.03))
    )
    picture.line(zip(places().tolist(), p.tolist()), "b", dash="7 5")
    picture.line(zip(places().tolist(), q.tolist()), "a", width=2.6)
    return picture.svg(alt) + "<p>dashed: p, two humps; solid: q, one bell</p>"
