"""Figures of chapter 04: a neuron that is sure and wrong under two losses, and one bell for two humps by either divergence."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from companion import functional as F
from companion.figures.controls import Choice, Slider
from companion.figures.figure import Figure, figure, minus
from companion.figures.svg import Picture

# ---- sure and wrong

_LOGITS = (-8, 8)  # the axis; the slider goes from -8 to 4
_MOST = 300  # steps of the slider
_PATIENCE = 100_000  # steps after which nobody waits any longer


def cost(kind: str, z: Tensor) -> Tensor:
    """Return the loss of each logit ``(N,)`` where the target is 1: cross-entropy, or the squared error of the sigmoid."""
    if kind == "entropy":
        return F.binary_cross_entropy_with_logits(z, torch.ones_like(z), reduction="none")
    return F.mse_loss(F.sigmoid(z), torch.ones_like(z), reduction="none")


def pull(kind: str, z: Tensor) -> Tensor:
    """Return the slope of that loss at each logit ``(N,)``, by automatic differentiation."""
    z = z.detach().requires_grad_()
    (slope,) = torch.autograd.grad(cost(kind, z).sum(), z)
    return slope


def after(kind: str, z: Tensor, lr: Tensor, n: int) -> Tensor:
    """Return where gradient descent has brought each logit ``(N,)`` after ``n`` steps of its learning rate ``(N,)``."""
    for _ in range(n):
        z = z - lr * pull(kind, z)
    return z


@cache
def steps_until_right(kind: str, z: float, lr: float) -> int:
    """Return after how many steps the neuron gives the right class more than one half."""
    at, rate = torch.tensor([z], dtype=torch.float64), torch.tensor([lr], dtype=torch.float64)
    for step in range(_PATIENCE):
        if at > 0:
            return step
        at = after(kind, at, rate, 1)
    return _PATIENCE


@figure("04", "Sure and wrong")
def sure_and_wrong() -> Figure:
    """Return one logit with target 1 that walks down two losses, with their slopes, and the steps that each needs."""
    start, wrong, lr = -3.0, -6.0, 1.0
    quick, slow = (steps_until_right(kind, wrong, lr) for kind in ("entropy", "square"))
    z, rate = torch.tensor([start, wrong], dtype=torch.float64), torch.full((2,), lr, dtype=torch.float64)
    (p, p_wrong), (a, b) = F.sigmoid(z).tolist(), (pull(kind, z) for kind in ("entropy", "square"))
    half = after("square", z, rate, slow // 2)[1]
    guesses = (f"about {quick} with both", f"{quick} and about five times as many", f"{quick} and more than 200")
    alt = minus(
        f"Two losses against the logit from {_LOGITS[0]} to {_LOGITS[1]}, target 1. At {start:g} the neuron gives the right class "
        f"{p:.3f}. Cross-entropy is {cost('entropy', z)[0]:.3f} there with slope {a[0]:.3f}, the squared error "
        f"{cost('square', z)[0]:.3f} with slope {b[0]:.3f}. Below, the sizes of both slopes."
    )
    answer = minus(
        f"{quick} and {slow}. At {wrong:g} the neuron gives the right class {p_wrong:.5f}. Cross-entropy has the slope p − 1 = {a[1]:.3f}, "
        f"so each step carries the logit nearly 1 further. The squared error has 2(p − 1)p(1 − p) = {b[1]:.4f}, because the sigmoid is "
        f"flat there: after {slow // 2} of its {slow} steps it has come no further than {half:.1f}."
    )
    return Figure(
        "sure_and_wrong",
        {"logits": list(_LOGITS), "patience": _PATIENCE},
        alt=alt,
        caption=minus(
            f"At a logit of {wrong:g} cross-entropy pulls {a[1] / b[1]:.0f} times as hard as the squared error of the sigmoid, though "
            "the squared error is nearly as large as it gets."
        ),
        controls={
            "z": Slider("logit z", -8, 4, 0.1, start),
            "lr": Slider("learning rate", 0.1, 4, 0.1, lr),
            "n": Slider("steps taken", 0, _MOST, 1, 0),
        },
        task=minus(
            f"Predict: the target is 1, the logit {wrong:g}, the learning rate {lr:g}. How many steps does it take until p > ½, with "
            "cross-entropy and with the squared error? Then set the logit and look."
        ),
        guesses=guesses,
        right=2 if slow > 200 else 1 if slow > 2 * quick else 0,
        answer=answer,
        fallback=_two_losses(start, alt),
    )


def _two_losses(start: float, alt: str) -> str:
    z = torch.linspace(*_LOGITS, 81, dtype=torch.float64)
    ticks = ((-8, -4, 0, 4, 8), (0, 2, 4, 6, 8))
    picture = Picture(_LOGITS, (0, 8), xlabel="logit z (the target is 1)", ylabel="loss", ticks=ticks)
    for kind, ink, dash in (("entropy", "a", ""), ("square", "b", "7 5")):
        picture.line(zip(z.tolist(), cost(kind, z).tolist()), ink, dash=dash)
        at = torch.tensor([start], dtype=torch.float64)
        picture.mark((start, cost(kind, at).item()), int(kind == "square"))
    return picture.svg(alt) + "<p>solid, dot: cross-entropy; dashed, triangle: squared error of the sigmoid</p>"


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
