"""Figures of chapter 08: where a slope vanishes, predicted and measured in a random network; ten trainings to be diagnosed."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from companion.experiments import recorded
from companion.experiments.patients import EPOCHS, PATIENTS
from companion.figures.activations import value_and_slope
from companion.figures.chance import drawn_at_once
from companion.figures.controls import Choice, Control, Slider, Steps, Text, Toggle
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


# ---- ten trainings to be diagnosed


class Illness(NamedTuple):
    """What can be said of a training: its name, how its loss usually looks, and a sketch of both curves, in tenths of the height."""

    label: str
    look: str
    training: str
    validation: str


ILLNESSES = {
    "a": Illness("in good health", "both curves fall, stay near each other and come to rest low", "953221111", "953322222"),
    "b": Illness("overfitting", "training falls on, validation turns upwards", "964321100", "965445567"),
    "c": Illness("underfitting", "both curves come to rest high and close together", "987666666", "987777777"),
    "d": Illness("rate too high", "the loss leaps up after a few steps and stays up, or becomes nan", "849888888", "759888888"),
    "e": Illness("rate too high at the end", "the loss falls fast, then hovers with much noise and comes no lower", "945354645", "956465756"),
    "f": Illness("rate too low", "both curves fall slowly and evenly, and still fall at the end", "998887766", "998887776"),
    "g": Illness("slopes do not arrive", "the loss stays near log 10 = 2.303 from the first epoch on", "888888888", "999999999"),
    "h": Illness("measured in two ways", "validation lies below training, and both are low", "976554443", "954332221"),
    "i": Illness("a leak", "validation is perfect almost at once, as if the answers were known", "911000000", "921111111"),
    "j": Illness("validation set too small", "training is even, validation jumps about it", "964333222", "946253414"),
    "k": Illness("random labels", "training falls, validation rises from the start and guesses", "987654321", "567788999"),
    "l": Illness("a step of the schedule", "after many even epochs both curves drop at once", "965554111", "976665222"),
}  # fmt: skip
_NONE = "-"
_SHOWN = 8  # epochs of the default state


def _measured() -> dict[str, Any]:
    return recorded("patients").results


def curves_of(k: int) -> list[list[float]]:
    """Return loss and accuracy on the training set, then on the validation set, of patient ``k`` from 1, by epoch from 0."""
    return [[int(v) / (1000, 100)[i % 2] for v in text.split()] for i, text in enumerate(_measured()["curves"][k - 1])]


def findings(k: int) -> tuple[str, str]:
    """Return what is seen at patient ``k``, and what it comes from with the next test and what it brought."""
    (loss, acc, held, right), (after, _, held_after, right_after) = curves_of(k), _measured()["after"][k - 1]
    best = held.index(min(held))
    done = f"{right_after / 100:.2f}"
    return (
        (
            f"training falls to {loss[-1]:.2f}, and validation turns at epoch {best}, from {held[best]:.2f} up to {held[-1]:.2f}",
            "It learns its 150 digits by heart, with the wrong labels among them. First cure: the weights of "
            f"epoch {best}. With 1,000 digits, their labels put right, its accuracy on new ones is {done} in place of {right[-1]:.2f}.",
        ),
        (
            f"both curves fall by about {(loss[10] - loss[-1]) / 30:.3f} in each epoch, and nothing bends",
            f"The way is right, the steps are short. Next test: three times the rate, and again. At 30 times the validation ends at {held_after / 1000:.2f}, not {held[-1]:.2f}.",
        ),
        (
            f"after two epochs validation is right in {100 * right[2]:.0f} of 100",
            f"Three labels in ten were drawn by chance, nobody can know them: ten columns hold the answer. Next test: duplicates, and the target among the columns. Without those ten it is right in {100 * right_after / 100:.0f} of 100.",
        ),
        (
            f"the loss is {loss[0]:.2f} at first, {loss[20]:.2f} at epoch 20 and {loss[-1]:.2f} at the end",
            f"Six layers of sigmoids lose the slope on its way back. Next test: the length of the slope by layer. With ReLU in their place the accuracy on new digits is {done}.",
        ),
        (
            f"validation comes to rest at {held[-1]:.2f}, with an accuracy of {right[-1]:.2f}, and never turns or jumps; training comes to {loss[-1]:.3f}",
            f"There is nothing to treat. More examples still help: with 1,000 digits in place of 300 validation comes to {held_after / 1000:.2f}.",
        ),
        (
            f"training falls to {loss[-1]:.2f}, with an accuracy of {acc[-1]:.2f}; validation rises from {held[0]:.2f} to {held[-1]:.2f}, with {right[-1]:.2f}",
            f"All labels were drawn by chance, and it learned them by heart. Next test: look at twenty examples with their labels. With the true ones the same network has an accuracy of {done} on new digits.",
        ),
        (
            f"validation lies below training in {sum(b < a for a, b in zip(loss[1:], held[1:]))} of {EPOCHS} epochs, at epoch 5 {held[5]:.2f} against {loss[5]:.2f}, at epoch 20 {held[20]:.2f} against {loss[20]:.2f}",
            f"Dropout was at work while training was measured, not for validation. Next test: both in the same mode. Then training ends at {after / 1000:.3f}, below {held_after / 1000:.3f}.",
        ),
        (
            f"training is {loss[1]:.2f} after one epoch, {loss[2]:.2f} after two, and {loss[-1]:.2f} at the end",
            f"Long steps threw the weights to where nothing is learned. Next test: a tenth of the rate. With it the validation ends at {held_after / 1000:.2f}.",
        ),
        (
            f"training comes to {loss[-1]:.2f} and validation to {held[-1]:.2f}, and in the last ten epochs hardly anything moves",
            f"Two hidden units are too few for ten digits. Next test: a larger model. With 64 of them training ends at {after / 1000:.3f}, validation at {held_after / 1000:.2f}.",
        ),
        (
            f"the accuracy on the validation set leaps between {min(right[10:]):.2f} and {max(right[10:]):.2f} after epoch 10, by steps of a twelfth",
            f"Twelve digits cannot say more. Next test: more of them. On 450 the accuracy of the same network is {done}.",
        ),
    )[k - 1]


@figure("08", "Ten patients to diagnose")
def learning_curves() -> Figure:
    """Return ten real trainings by their curves; the reader says what is wrong and hears why it is so, or why not."""
    loss, _, held, _ = curves_of(1)
    best = held.index(min(held))
    alt = minus(
        f"Loss against the epoch, training and validation, of the first of ten trainings, up to epoch {_SHOWN}. Training falls from {loss[0]:.2f} to {loss[_SHOWN]:.2f}, "
        f"validation from {held[0]:.2f} to {held[_SHOWN]:.2f}. No diagnosis is given yet."
    )
    guesses = ("both fall on", "training falls on, validation turns upwards", "both come to rest together")
    answer = minus(
        f"Training falls on to {loss[-1]:.2f}. Validation is lowest at epoch {best}, with {held[best]:.2f}, and ends at {held[-1]:.2f}: the network learns 150 digits by heart, a fifth of them with "
        f"wrong labels. At epoch {_SHOWN} this can be suspected, since the gap of {held[_SHOWN] - loss[_SHOWN]:.2f} is growing; at epoch {EPOCHS} it can be seen. The weights of epoch {best} are the ones to keep."
    )
    choices = {"none": "not yet"} | {key: one.label for key, one in ILLNESSES.items()}
    empty = _NONE * len(PATIENTS)
    solved = "".join(patient.right for patient in PATIENTS)
    controls: dict[str, Control] = {
        "patient": Slider("patient", 1, len(PATIENTS), 1, 1),
        "diagnosis": Choice("diagnosis", choices, "none"),
        "measure": Choice("measured", {"loss": "loss", "accuracy": "accuracy"}, "loss"),
        "log": Toggle("loss on a logarithmic scale"),
        "epochs": Steps("epochs", EPOCHS, _SHOWN, interval=250),
        "sheet": Text(
            "first diagnoses", empty, "a letter for each patient, or a hyphen", (empty, solved, "l" + solved[1:])
        ),
    }
    return Figure(
        "learning_curves",
        {
            "patients": [
                {
                    "right": p.right,
                    "curves": _measured()["curves"][k - 1],
                    "after": _measured()["after"][k - 1],
                    "sign": sign,
                    "why": why,
                }
                for k, p in enumerate(PATIENTS, start=1)
                for sign, why in [tuple(map(minus, findings(k)))]
            ],
            "illnesses": ILLNESSES,
        },
        alt=alt,
        caption=f"Ten trainings on the digits, measured before the first and after each of {EPOCHS} epochs. A chart narrows the search; the next test decides.",
        controls=controls,
        task=f"Predict: the first patient after {_SHOWN} epochs. What will training and validation loss do until epoch {EPOCHS}? Then play, and diagnose all ten.",
        guesses=guesses,
        right=guesses.index(
            "training falls on, validation turns upwards" if held[-1] > held[_SHOWN] else "both fall on"
        ),
        answer=answer,
        fallback=_ten(alt),
    )


def _ten(alt: str) -> str:
    """Draw the first patient's loss as far as it is shown, and a table of what was measured of all ten."""
    loss, _, held, _ = curves_of(1)
    picture = Picture((0, EPOCHS), (0, 2.5), xlabel="epoch", ylabel="loss", ticks=((0, 10, 20, 30, 40), (0, 1, 2)))
    for curve, ink, dash in ((loss, "a", ""), (held, "b", "7 5")):
        picture.line(list(enumerate(curve[: _SHOWN + 1])), ink, dash=dash)
    rows = []
    for k in range(1, len(PATIENTS) + 1):
        a, _, b, c = curves_of(k)
        rows.append((str(k), [f"{v:.2f}" for v in (a[1], b[1], a[-1], b[-1], c[-1])]))
    columns = ("patient", "training, epoch 1", "validation", f"training, epoch {EPOCHS}", "validation", "accuracy")
    return f"{picture.svg(alt)}<p>full line: training, dashed: validation</p>{named_rows('Losses of the ten, and the accuracy on the validation set at the end', columns, rows)}"
