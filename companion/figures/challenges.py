"""Figures of chapter 08: where a slope vanishes, predicted and measured in a random network."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from companion.figures.activations import value_and_slope
from companion.figures.chance import drawn_at_once
from companion.figures.controls import Choice, Control, Slider
from companion.figures.figure import Figure, figure, minus
from companion.figures.svg import Picture, named_rows

# ---- where a slope vanishes

ACTIVATIONS = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU", "linear": "none (linear)"}


class Start(NamedTuple):
    """A way to draw weights: its name, and the standard deviation ``scale * n ** power`` for ``n`` inputs."""

    label: str
    scale: float
    power: float = -0.5


STARTS = {
    "small": Start("standard deviation 0.01", 0.01, 0),
    "large": Start("standard deviation 1", 1, 0),
    "xavier": Start("Xavier", 1),
    "he": Start("He", math.sqrt(2)),
    "torch": Start("PyTorch's default", math.sqrt(1 / 3)),
}
TIMES = [0.25, 0.35, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0]
WIDTHS = [10, 30, 100]
DEEPEST, EXAMPLES, NETWORKS = 40, 4, 20
_DEPTH, _WIDTH = 20, 100
_LOST, _ASKED = 1e-6, 5  # of the task: the share that is left, and how many networks are asked


class Flow(NamedTuple):
    """Layer by layer: mean square of the sums, length of the slope by the sums, and by the weights."""

    forward: list[float]
    sums: list[float]
    weights: list[float]


class Net(NamedTuple):
    """A network's case: activation, start, factor on its standard deviation, layers, and units of each."""

    activation: str = "sigmoid"
    start: str = "xavier"
    times: float = 1.0
    depth: int = _DEPTH
    width: int = _WIDTH

    @property
    def std(self) -> float:
        """Return the standard deviation of a weight."""
        _, scale, power = STARTS[self.start]
        return self.times * scale * self.width**power


def _both(name: str, z: Tensor) -> tuple[Tensor, Tensor]:
    return (z, torch.ones_like(z)) if name == "linear" else value_and_slope(name, z)


@cache
def _bell() -> tuple[Tensor, Tensor]:
    """Return places and weights for a mean over a standard normal, dense near 0, where a steep activation turns."""
    t = (torch.arange(200, dtype=torch.float64) + 0.5) / 200
    z = 8 * t**3
    weights = t.square() * torch.exp(-z.square() / 2)
    return torch.cat([z, -z]), torch.cat([weights, weights]) / (2 * weights.sum())


def moments(activation: str, q: float) -> tuple[float, float]:
    """Return the mean squares of an activation's value and of its slope where the sums are normal with the variance ``q``."""
    z, weights = _bell()
    value, slope = _both(activation, math.sqrt(q) * z)
    return (weights @ value.square()).item(), (weights @ slope.square()).item()


def predicted(net: Net) -> Flow:
    r"""Return what the calculation of variances says, from inputs of mean square 1 and a slope of length 1 by the last sums.

    .. math:: q_1 = \sigma^2, \quad q_{l+1} = \sigma^2\,\overline{f(\sqrt{q_l}\,z)^2}, \quad
              \lVert\delta_l\rVert^2 = \lVert\delta_{l+1}\rVert^2 \sigma^2\,\overline{f'(\sqrt{q_l}\,z)^2}, \quad
              \sigma^2 = n \operatorname{Var}(w)

    The slope by a layer's weights is as long as the slope by its sums times its inputs.
    """
    spread = net.width * net.std**2
    q, chi = [spread], []
    for _ in range(net.depth - 1):
        value, slope = moments(net.activation, q[-1])
        q.append(spread * value)
        chi.append(spread * slope)
    squares = [1.0]
    for factor in reversed(chi):
        squares.insert(0, squares[0] * factor)
    weights = [math.sqrt(a * b) / net.std for a, b in zip(q, squares)]
    return Flow(q, [math.sqrt(v) for v in squares], weights)


@cache
def drawn(seed: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return a network's chance: inputs of mean square 1, slopes of length 1 by the last sums, and weights of variance 1.

    All of it is drawn evenly, number by number, as the page draws it. Shapes: (K, n), (K, n) and (40, n, n).
    """
    shapes = ((EXAMPLES, width), (EXAMPLES, width), (DEEPEST, width, width))
    numbers = drawn_at_once(seed, sum(map(math.prod, shapes))).split([math.prod(shape) for shape in shapes])
    x, back, tables = (math.sqrt(12) * (part - 0.5).reshape(shape) for part, shape in zip(numbers, shapes))
    root = x.square().mean(dim=1, keepdim=True).sqrt()
    return x / root, back / back.norm(dim=1, keepdim=True), tables


def measured(net: Net, seed: int) -> Flow:
    """Return the same of a network with random weights, without biases: means, and roots of mean squares, over its examples."""
    x, back, tables = drawn(seed, net.width)
    tables = tables[: net.depth] * net.std
    inputs, slopes, forward = list[Tensor](), list[Tensor](), list[float]()
    for table in tables:
        inputs.append(x.square().sum(dim=1))
        z = x @ table  # (K, n) @ (n, n) -> (K, n)
        x, slope = _both(net.activation, z)
        slopes.append(slope)
        forward.append(z.square().mean().item())
    sums, weights = list[float](), list[float]()
    for k in reversed(range(net.depth)):
        long = back.square().sum(dim=1)
        sums.insert(0, long.mean().sqrt().item())
        weights.insert(0, (long * inputs[k]).mean().sqrt().item())
        if k:
            back = back @ tables[k].T * slopes[k - 1]
    return Flow(forward, sums, weights)


def share_of_first(flow: Flow) -> float:
    """Return the slope of layer 1 as a share of the last layer's, both by their weights."""
    return flow.weights[0] / flow.weights[-1]


def factor_back(flow: Flow) -> float:
    """Return by what a layer multiplies the length of a slope on the way back, in the geometric mean."""
    return math.pow(flow.sums[0], 1 / (len(flow.sums) - 1))


@cache
def depth_that_loses(share: float, seed: int = 0) -> int:
    """Return the smallest depth at which a sigmoid network with Xavier's start loses so much: predicted, or with a seed measured."""
    for depth in range(2, DEEPEST + 1):
        net = Net(depth=depth)
        if share_of_first(measured(net, seed) if seed else predicted(net)) <= share:
            return depth
    return 0


@figure("08", "Where a slope vanishes")
def gradient_flow() -> Figure:
    """Return the slope of each layer of a random network, measured and predicted; activation, start, depth and width are the reader's."""
    net = Net()
    told, found = predicted(net), measured(net, 1)
    alt = minus(
        f"The length of the slope by each layer's weights, as a power of ten, for {net.depth} layers of {net.width} sigmoid units with Xavier's start. "
        f"Predicted, a line: 10^{math.log10(told.weights[-1]):.1f} in the last layer, 10^{math.log10(told.weights[0]):.1f} in the first. "
        f"Measured, dots close to it: 10^{math.log10(found.weights[-1]):.1f} and 10^{math.log10(found.weights[0]):.1f}."
    )
    depth, depths = depth_that_loses(_LOST), [depth_that_loses(_LOST, seed) for seed in range(1, _ASKED + 1)]
    bold = factor_back(predicted(net._replace(times=4.0)))
    answer = minus(
        f"At {depth} layers by the calculation, and at {min(depths)} to {max(depths)} in the first {_ASKED} networks of the figure. Each layer multiplies the slope by about "
        f"{factor_back(told):.2f}, and {depth - 1} such factors are less than a millionth. Weights four times as large, against the quarter, are not enough: then many sums lie where the "
        f"sigmoid is flat, and a layer still leaves only {bold:.2f} of the slope. Choose tanh, or ReLU with He's start, and the slope crosses {DEEPEST} layers."
    )
    guesses = (4, 11, 24)
    controls: dict[str, Control] = {
        "activation": Choice("activation", ACTIVATIONS, net.activation),
        "start": Choice("start", {name: start.label for name, start in STARTS.items()}, net.start),
        "times": Slider("weights times", 0, len(TIMES) - 1, 1, TIMES.index(net.times)),
        "depth": Slider("layers", 2, DEEPEST, 1, net.depth),
        "width": Slider("units in a layer", 0, len(WIDTHS) - 1, 1, WIDTHS.index(net.width)),
        "shown": Choice(
            "shown",
            {"weights": "slope by the weights", "sums": "slope by the sums", "forward": "size of the sums"},
            "weights",
        ),
        "seed": Slider("random network", 1, NETWORKS, 1, 1),
    }
    return Figure(
        "gradient_flow",
        {
            "starts": {name: start[1:] for name, start in STARTS.items()},
            "times": TIMES,
            "widths": WIDTHS,
            "examples": EXAMPLES,
        },
        alt=alt,
        caption=f"The calculation of variances knows where a slope is lost: sigmoids with Xavier's start leave layer 1 of {net.depth} with {_e(share_of_first(found))} of the last "
        f"layer's slope, predicted {_e(share_of_first(told))}. Wide networks keep to it, narrow ones scatter. (Weights are drawn evenly; there are no biases.)",
        controls=controls,
        task="Predict: a sigmoid network with Xavier's start becomes deeper, layer by layer. At which depth is the slope of layer 1 for the first time "
        "a millionth of the last layer's, or less? Then move the layers.",
        guesses=[f"at about {n} layers" for n in guesses],
        right=min(range(3), key=lambda i: abs(depth - guesses[i])),
        answer=answer,
        fallback=_falling(told, found, alt),
    )


def _e(v: float) -> str:
    """Return a number in the form 9.5e−12."""
    digits, power = f"{v:.1e}".split("e")
    return minus(f"{digits}e{int(power)}")


def _falling(told: Flow, found: Flow, alt: str) -> str:
    """Draw the slope by layer, predicted as a line and measured as dots, and a table of other activations and starts."""
    low = math.floor(math.log10(min(*told.weights, *found.weights)) / 4) * 4
    picture = Picture(
        (0, _DEPTH + 1),
        (low, 4),
        xlabel="layer",
        ylabel="length of the slope, power of ten",
        ticks=((1, 5, 10, 15, 20), range(low, 5, 4)),
    )
    picture.line([(k + 1, math.log10(v)) for k, v in enumerate(told.weights)], "b", dash="7 5")
    for k, v in enumerate(found.weights):
        picture.mark((k + 1, math.log10(v)), 0)
    rows = [
        (ACTIVATIONS[name], [_e(measured(Net(name, start), 1).weights[0]) for start in STARTS])
        for name in ("sigmoid", "tanh", "relu")
    ]
    table = named_rows(f"Slope of layer 1 of {_DEPTH}, measured", ("", *(s.label for s in STARTS.values())), rows)
    return f"{picture.svg(alt)}<p>dashed line: predicted, dots: measured</p>{table}"
