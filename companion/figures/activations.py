"""Figures of chapter 02: activation functions with their slopes, and softmax with a temperature."""

from __future__ import annotations

import math

import torch

from companion import functional as F
from companion.figures.controls import Choice, Slider
from companion.figures.figure import Figure, figure, minus
from companion.figures.svg import Picture

# name: (label, range of values in words, vertical axis)
_SHAPES: dict[str, tuple[str, str, tuple[float, float]]] = {
    "step": ("step", "0 or 1", (-0.25, 1.25)),
    "sigmoid": ("sigmoid", "(0, 1)", (-0.25, 1.25)),
    "tanh": ("tanh", "(−1, 1)", (-1.25, 1.25)),
    "relu": ("ReLU", "[0, ∞)", (-1.0, 4.0)),
    "leaky_relu": ("leaky ReLU (0.01)", "(−∞, ∞)", (-1.0, 4.0)),
    "elu": ("ELU", "(−1, ∞)", (-1.5, 4.0)),
    "gelu": ("GELU", "[{low}, ∞)", (-1.0, 4.0)),
    "silu": ("SiLU", "[{low}, ∞)", (-1.0, 4.0)),
    "softplus": ("softplus", "(0, ∞)", (-1.0, 4.0)),
}
_SPAN = (-6.0, 6.0)


def value_and_slope(name: str, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return an activation of the companion and its derivative, by autograd, at each ``x``."""
    x = x.detach().clone().requires_grad_(True)
    value = getattr(F, name)(x)
    (slope,) = torch.autograd.grad(value.sum(), x)
    return value.detach(), slope


def _at(name: str, x: float) -> tuple[float, float]:
    value, slope = value_and_slope(name, torch.tensor([x], dtype=torch.float64))
    return value.item(), slope.item()


@figure("02", "Activations and their slopes")
def activation_explorer() -> Figure:
    """Return nine activations with slope and tangent at a point, and the gradient left after n layers."""
    grid = torch.linspace(*_SPAN, 241, dtype=torch.float64)
    functions = []
    for name, (label, values, y) in _SHAPES.items():
        low = minus(f"{value_and_slope(name, grid)[0].min().item():.2f}")
        functions.append({"name": name, "label": label, "range": values.format(low=low), "y": y})
    (value, slope), (_, top) = _at("sigmoid", 1.0), _at("sigmoid", 0.0)
    alt = minus(
        f"The sigmoid and its derivative from -6 to 6. At x = 1 the value is {value:.4f} and the slope "
        f"{slope:.4f}; after 10 layers with this slope {slope**10:.1e} of a gradient is left."
    )
    answer = minus(
        f"At x = 0, where the slope is {top:.2f}. Even there {top:.2f} to the power of 10 "
        f"leaves {top**10:.1e} "
        "of the gradient. For ReLU any x above 0 has slope 1: all of it is left."
    )
    shares = (0.5, 0.01, 0.0)
    guesses = ("more than half", "between 1 % and half", "less than 1 %")
    return Figure(
        "activation_explorer",
        {"functions": functions, "x": _SPAN},
        alt=alt,
        caption="Where an activation is flat its slope is near 0, and a product of such slopes wipes out a gradient.",
        controls={
            "name": Choice("function", {name: label for name, (label, *_) in _SHAPES.items()}, "sigmoid"),
            "x": Slider("x", *_SPAN, 0.05, 1.0),
            "n": Slider("layers n", 1, 20, 1, 10),
        },
        task="Move x to where the slope of the sigmoid is largest. Predict: how much of a gradient is left there after 10 layers?",
        guesses=guesses,
        right=next(i for i, share in enumerate(shares) if top**10 >= share),
        answer=answer,
        fallback=_curves("sigmoid", grid, alt),
    )


def _curves(name: str, grid: torch.Tensor, alt: str) -> str:
    value, slope = value_and_slope(name, grid)
    ticks = (range(-6, 7, 2), (0, 0.5, 1))
    picture = Picture(_SPAN, (-0.25, 1.25), xlabel="x", ylabel="f(x) and f′(x)", ticks=ticks)
    picture.line(zip(grid.tolist(), slope.tolist()), "b", dash="7 5")
    picture.line(zip(grid.tolist(), value.tolist()), "a", width=2.6)
    picture.ring((1.0, _at(name, 1.0)[0]), "ink")
    return picture.svg(alt) + "<p>solid: f(x), dashed: derivative f′(x), ring: x = 1</p>"


@figure("02", "Softmax, temperature and overflow")
def softmax_temperature() -> Figure:
    """Return softmax of three logits with temperature and common shift: naive in float32 beside stable."""
    logits, names = [2.0, 1.0, 0.0], ["A", "B", "C"]
    z = torch.tensor(logits, dtype=torch.float64)
    p = F.softmax(z)
    entropy = -(p * p.log()).sum().item()
    info = torch.finfo(torch.float32)
    limits = (math.log(info.smallest_normal * info.eps / 2), math.log(info.max))  # outside exp is 0 or inf
    shift = next(c for c in range(1001) if not torch.exp(torch.tensor(logits) + c).isfinite().all())
    cold = next(t for t in range(100, -101, -1) if F.softmax(z, temperature=10 ** (t / 100)).max() >= 0.99)
    alt = (
        "Bars of three classes with logits 2, 1 and 0 at temperature 1: probabilities "
        f"{p[0]:.3f}, {p[1]:.3f} "
        f"and {p[2]:.3f}, entropy {entropy:.3f} nats. Naive and stable formula agree."
    )
    answer = (
        f"From a shift of {shift} on: the largest exponent is then "
        f"{logits[0] + shift:.0f}, above {limits[1]:.2f}, "
        "where exp leaves float32. (Far below zero all exponentials become 0, and 0 / 0 "
        "is no number either.) "
        f"The winner has 99 % at a temperature of about {10 ** (cold / 100):.2f} and below."
    )
    return Figure(
        "softmax_temperature",
        {"names": names, "limits": limits},
        alt=alt,
        caption="A common shift of the logits never moves the probabilities, but it can break the formula for them.",
        controls={
            **{f"z{name}": Slider(f"logit of {name}", -5, 5, 0.1, z) for name, z in zip(names, logits)},
            "logT": Slider("temperature T", -1, 1, 0.01, 0.0),
            "shift": Slider("common shift c", -300, 300, 1, 0),
        },
        task="Predict: at which common shift do the naive bars vanish while the stable ones stand still? Find it. Then, "
        "with shift 0, find the temperature at which the winner has 99 %.",
        guesses=[f"at about {c}" for c in (10, 90, 700)],
        right=min(range(3), key=lambda i: abs(shift - (10, 90, 700)[i])),
        answer=answer,
        fallback=_bars(names, p.tolist(), alt),
    )


def _bars(names: list[str], shares: list[float], alt: str) -> str:
    picture = Picture((0, 3), (0, 1), xlabel="class", ylabel="probability", ticks=((), (0, 0.5, 1)))
    for i, share in enumerate(shares):
        picture.bar(i + 0.2, i + 0.8, share)
        x, y = picture.at((i + 0.5, share))
        picture.words(x, y - 5, f"{names[i]}: {share:.3f}")
    return picture.svg(alt)
