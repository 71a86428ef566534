"""Figure of chapter 04: the loss of one neuron over its two weights, as a surface that is turned by hand."""

from __future__ import annotations

import math
from functools import cache
from html import escape

import torch
from torch import Tensor

from companion import functional as F
from companion.figures.controls import Choice, Control, Slider, Steps
from companion.figures.figure import Figure, figure, minus

#: Two inputs and a target: three examples of class 1, two of class 0, and one of class 0 that lies among the others, so that no
#: neuron without a bias gets all six right and each loss has a lowest place inside of the picture.
_POINTS = [[1.0, 0.5, 1], [0.6, 1.2, 1], [1.2, -0.2, 1], [-1.0, -0.3, 0], [-0.2, -1.1, 0], [0.5, 0.4, 0]]
_LOSSES = {
    "bowl": "squared error, linear",
    "entropy": "cross-entropy, sigmoid",
    "square": "squared error, sigmoid",
}
_TOPS = {"bowl": 130, "entropy": 10, "square": 1}  # the loss at the top of the picture
_EDGE, _CELLS = 8, 20  # weights from -8 to 8, in so many cells along each side
_LR, _STEPS = 0.5, 40
_PLAIN = 0.01  # where the slope is smaller than this and the loss is not near its lowest, the surface counts as a plain
_VIEW = (-35, 35)  # degrees of turn and of tilt
_HIGH = 1.1  # height of the picture's box, where half of its side is 1


def loss_at(kind: str, weights: Tensor) -> Tensor:
    """Return the mean loss over the six examples for each pair of weights.

    Shape: ``weights (N, 2)`` in float64; the result has ``(N,)``.
    """
    points = torch.tensor(_POINTS, dtype=torch.float64)
    z = F.linear(weights, points[:, :2])  # (N, 2) @ (2, 6) -> (N, 6)
    targets = points[:, 2].expand_as(z)
    if kind == "entropy":
        return F.binary_cross_entropy_with_logits(z, targets, reduction="none").mean(dim=1)
    answers = z if kind == "bowl" else F.sigmoid(z)
    return F.mse_loss(answers, targets, reduction="none").mean(dim=1)


def slope_at(kind: str, weights: Tensor) -> Tensor:
    """Return the gradient of that loss by the weights, by automatic differentiation: ``(N, 2)`` for ``weights (N, 2)``."""
    weights = weights.detach().requires_grad_()
    (slope,) = torch.autograd.grad(loss_at(kind, weights).sum(), weights)
    return slope


def descended(kind: str, weights: Tensor, n: int) -> Tensor:
    """Return where ``n`` steps of gradient descent lead from each pair of weights ``(N, 2)``."""
    for _ in range(n):
        weights = weights - _LR * slope_at(kind, weights)
    return weights


@cache
def lowest(kind: str) -> float:
    """Return the loss at the lowest place of the picture, by a grid that is made finer ten times."""
    middle, reach = torch.zeros(2, dtype=torch.float64), float(_EDGE)
    for _ in range(10):
        line = torch.linspace(-reach, reach, 41, dtype=torch.float64)
        grid = (middle + torch.cartesian_prod(line, line)).clamp(-_EDGE, _EDGE)  # (1681, 2)
        middle, reach = grid[loss_at(kind, grid).argmin()], reach / 4
    return round(loss_at(kind, middle[None]).item(), 9)


def share(kind: str, start: Tensor, n: int) -> float:
    """Return how much of the way down to the lowest place, measured by the loss, ``n`` steps from ``start (1, 2)`` cover."""
    first, last = loss_at(kind, start).item(), loss_at(kind, descended(kind, start, n)).item()
    return (first - last) / (first - lowest(kind))


@figure("04", "The surface of a loss")
def loss_surface() -> Figure:
    """Return the loss over two weights as a surface to be turned, a ball on it, and its way downhill by gradient descent."""
    controls: dict[str, Control] = {
        "loss": Choice("loss", _LOSSES, "bowl"),
        "w1": Slider("weight w₁", -_EDGE, _EDGE, 0.1, -6.0),
        "w2": Slider("weight w₂", -_EDGE, _EDGE, 0.1, -5.0),
        "turn": Slider("turn", -179, 180, 1, _VIEW[0]),
        "tilt": Slider("tilt", 15, 42, 1, _VIEW[1]),
        "step": Steps("steps downhill", _STEPS),
    }
    start = torch.tensor([[-6.0, -5.0]], dtype=torch.float64)
    first = {kind: loss_at(kind, start).item() for kind in _LOSSES}
    slopes = {kind: slope_at(kind, start)[0] for kind in _LOSSES}
    down = {kind: share(kind, start, _STEPS) for kind in _LOSSES}
    ends = {kind: loss_at(kind, descended(kind, start, _STEPS)).item() for kind in _LOSSES}
    stuck = [kind for kind in _LOSSES if down[kind] < 0.05]
    guesses = (
        "to the bottom of all three, only more slowly on some",
        "nearly to the bottom of the first two; on the third it hardly moves",
        "fastest on the third, because there the neuron is most wrong",
    )
    w1, w2 = slopes["bowl"].tolist()
    alt = minus(
        f"The squared error of a linear neuron over its weights from -{_EDGE} to {_EDGE}: a bowl, lowest with {lowest('bowl'):.3f}. A ball "
        f"stands at (-6, -5), where the loss is {first['bowl']:.1f} and its slopes are {w1:.2f} and {w2:.2f}. Below, the cut along w₁."
    )
    answer = minus(
        f"In {_STEPS} steps of learning rate {_LR:g} it comes {_percent(down['bowl'])} of the way down the bowl, {_percent(down['entropy'])} on "
        f"cross-entropy and {_percent(down['square'])} on the squared error of the sigmoid. There its loss goes from {first['square']:.5f} to "
        f"{ends['square']:.5f}: the slope is {slopes['square'].norm():.4f} in size, for the sigmoid is flat where the neuron is sure. On "
        f"cross-entropy it is {slopes['entropy'].norm():.2f}, and in the bowl {slopes['bowl'].norm():.1f}."
    )
    return Figure(
        "loss_surface",
        {
            "points": _POINTS,
            "edge": _EDGE,
            "cells": _CELLS,
            "tops": _TOPS,
            "lr": _LR,
            "plain": _PLAIN,
            "high": _HIGH,
            "lowest": {kind: lowest(kind) for kind in _LOSSES},
        },
        alt=alt,
        caption=f"One neuron, six examples, three surfaces: a bowl, a slope all the way, and plains. From a place that is sure and wrong {_STEPS} "
        f"steps lead down {_percent(down['bowl'])}, {_percent(down['entropy'])} and {_percent(down['square'])} of the way.",
        controls=controls,
        task=minus(
            f"Predict: at (-6, -5) the neuron is sure and wrong about most examples. How far does a ball get from there in {_STEPS} steps "
            "downhill, on each of the three surfaces? Then choose them one by one and play the steps."
        ),
        guesses=guesses,
        right=1 if stuck == ["square"] and min(down["bowl"], down["entropy"]) > 0.95 else 0,
        answer=answer,
        fallback=_drawn("bowl", start, alt),
    )


def _percent(part: float) -> str:
    return f"{100 * part:.3f} %" if part < 0.01 else f"{100 * part:.1f} %"


def seen(points: Tensor, turn: float, tilt: float) -> Tensor:
    """Return places in the box as they are seen: to the right, upwards, and how far away.

    Shape: ``points (N, 3)`` with ground from -1 to 1 and height; the result is ``(N, 3)``. Degrees of turn and of tilt.
    """
    a, b = math.radians(turn), math.radians(tilt)
    right = points[:, 0] * math.cos(a) - points[:, 1] * math.sin(a)
    away = points[:, 0] * math.sin(a) + points[:, 1] * math.cos(a)
    up = away * math.sin(b) + (points[:, 2] - _HIGH / 2) * math.cos(b)
    return torch.stack([right, up, away], dim=1)


def _drawn(kind: str, start: Tensor, alt: str, cells: int = 14) -> str:
    """Return the surface as one SVG, the cells that are farthest away first."""
    line = torch.linspace(-1, 1, cells + 1, dtype=torch.float64)
    ground = torch.cartesian_prod(line, line)  # ((cells + 1)², 2)

    def on_paper(ground: Tensor) -> Tensor:
        height = loss_at(kind, _EDGE * ground) / _TOPS[kind] * _HIGH
        return seen(torch.cat([ground, height[:, None]], dim=1), *_VIEW) * torch.tensor([110.0, -110.0, 1.0])

    at = on_paper(ground)
    corners = [(i * (cells + 1) + j, 1, cells + 2, cells + 1) for i in range(cells) for j in range(cells)]
    quads = [[k, *(k + more for more in rest)] for k, *rest in corners]
    quads.sort(key=lambda quad: -at[quad, 2].mean().item())
    whole = [[f"{x + 180:.0f} {y + 140:.0f}" for x, y in at[quad, :2].tolist()] for quad in quads]
    body = "".join(f'<path d="M{"L".join(places)}z"/>' for places in whole)
    x, y, _ = on_paper(start / _EDGE)[0].tolist()
    ink = "fill:var(--nf-bg,#fff);stroke:var(--nf-a,#0b5cad)"
    ball = f'<circle cx="{x + 180:.0f}" cy="{y + 140:.0f}" r="6" style="fill:var(--nf-b,#a84300)"/>'
    picture = f'<svg viewBox="10 44 340 208" role="img" aria-label="{escape(alt)}"><g style="{ink}" stroke-width="0.8">{body}</g>{ball}</svg>'
    words = f"to the right w₁ and to the back w₂, both from −{_EDGE} to {_EDGE}; upwards the loss, 0 to {_TOPS[kind]}"
    return f"{picture}<p>{words}</p>"
