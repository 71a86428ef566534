"""Exercise 02.7: a deep and narrow network that learns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from companion.checks import kinds
from companion.checks.bank import Observed, Verdict, exercise, rng
from companion.checks.cases import digits, held_out
from companion.checks.ch02_activations.e7_mistakes import MISTAKES, build_stack, deep_enough, is_linear, narrow_enough
from companion.checks.numbers import F64
from companion.checks.trace import Call, Case, Trace

TARGET = 0.9
SETTINGS = {"lr": 0.1, "steps": 400, "batch": 64, "classes": 10}
SEEDS = (0, 1, 2)


def _network_cases(seed: int) -> list[Case]:
    seeds = [s + 1000 * seed for s in SEEDS]
    return [Case(f"training {n}", secret={"seed": torch.tensor(s)}, seed=s, show=False) for n, s in enumerate(seeds, 1)]


def _parts(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    X, y = digits()
    X, y, X_test, y_test = held_out(X / 16, y, rng(seed))
    return X - X.mean(dim=0), y, X_test - X.mean(dim=0), y_test


def _train_script(case: Case) -> list[Call]:
    seed = int(case.secret["seed"])
    x, y, x_test, _ = _parts(seed)
    probe = torch.stack([torch.zeros(64), x[0], x[1], x[0] + x[1], x[0]])
    settings = {**SETTINGS, "seed": seed, "x": x, "y": y, "probe": probe, "held_out": x_test}
    return [Call("@train", ("$make_network", settings), returns=("network",))]


def make_network() -> torch.nn.Module:
    """Return a new, untrained network from 64 inputs to 10 scores, with 6 hidden layers or more."""
    sizes = [64, 32, 32, 32, 32, 32, 32, 10]
    layers: list[torch.nn.Module] = []
    inputs = sizes[0]
    for outputs in sizes[1:]:
        linear = torch.nn.Linear(inputs, outputs)
        # This spread keeps the size of the signal from layer to layer.
        torch.nn.init.normal_(linear.weight, std=(2 / inputs) ** 0.5)
        torch.nn.init.zeros_(linear.bias)
        layers += [linear, torch.nn.LeakyReLU(0.1)]
        inputs = outputs
    return torch.nn.Sequential(*layers[:-1])  # scores, so no activation at the end


class _Residual(nn.Module):
    """Six hidden layers around which the signal may also pass unchanged."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(64, 32)
        self.inner = nn.ModuleList(nn.Linear(32, 32) for _ in range(5))
        self.scores = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores."""
        h = torch.relu(self.first(x))
        for layer in self.inner:
            h = h + torch.relu(layer(h))
        return self.scores(h)


def _last_layer_at_zero() -> nn.Module:
    network = build_stack(nn.ReLU, "he")
    for parameter in [*network.parameters()][-2:]:
        nn.init.zeros_(parameter)
    return network


def _normalised() -> nn.Module:
    layers: list[nn.Module] = []
    for layer in build_stack(nn.ReLU).children():
        layers += [layer] if isinstance(layer, nn.Linear) else [nn.BatchNorm1d(32), layer]
    return nn.Sequential(*layers)


class _Gated(_Residual):
    """The same, with a factor before each hidden layer that starts at 0: at the start a straight line."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = nn.Parameter(torch.zeros(5))

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores."""
        h = self.first(x)
        for gate, layer in zip(self.gates, self.inner):
            h = h + gate * torch.relu(layer(h))
        return self.scores(h)


def _hard_tanh() -> nn.Module:
    network = build_stack(nn.Hardtanh)
    for parameter in network.parameters():
        if parameter.dim() == 2:
            nn.init.orthogonal_(parameter)
    return network


BASELINES: dict[str, Callable[[], nn.Module]] = {
    "sigmoid, default start": lambda: build_stack(nn.Sigmoid),
    "ReLU, default start": lambda: build_stack(nn.ReLU),
    "tanh, default start": lambda: build_stack(nn.Tanh),
    "ELU, default start": lambda: build_stack(nn.ELU),
    "ReLU, all weights drawn with spread 1": lambda: build_stack(nn.ReLU, "large"),
}
"""What the statement's table shows; a test computes it again."""


def _network_facts(case: Case, trace: Trace) -> Observed:
    t = {name.removeprefix("network."): tensor for name, tensor in trace.tensors.items()}
    seen = {"is a network": torch.tensor("shared" in t)}
    if not seen["is a network"]:
        return seen
    seen["shared"] = t["shared"]
    labels = _parts(int(case.secret["seed"]))[3]
    seen |= {name: t[name] for name in ("shapes", "start", "twins", "in a row")}
    if "scores" in t:
        accuracy = (t["scores"].argmax(dim=1) == labels).to(F64).mean()
        seen |= {
            "accuracy": accuracy,
            "loss": t["loss"],
            "reach": torch.stack(torch.aminmax(t["scores"])),
            "far": t["far"],
        }
    return seen


def _judge_network(case: Case, observed: Observed, expected: Observed) -> Verdict:
    if not observed or not observed["is a network"]:
        return "make_network should return a torch.nn.Module."
    if not deep_enough(observed):
        seen = f"6 hidden layers have 7 weight matrices with the output's; yours has {len(observed['shapes'])}"
        if len(observed["shapes"]) < 7:
            return f"{seen}."
        return f"{seen}, and the longest way from pixels to scores passes {int(observed['in a row'])} of them."
    if not narrow_enough(observed):
        widest = int(observed["shapes"][:-1, 0].max())
        return f"A hidden layer may have at most 32 units; your widest has {widest}."
    if "accuracy" not in observed:
        shape = tuple(observed["start"].shape)
        return f"The network should give 10 scores per picture; for 5 pictures yours gives the shape {shape}."
    if bool(observed["shared"]):
        return "make_network should build a new network in each call."
    if is_linear(observed):
        return "The whole network is linear: there is no activation between its layers."
    got = observed["accuracy"].item()
    if got >= TARGET:
        return None
    return (
        f"On {case.name} your network is right for {got:.2f} of the held-out digits; {TARGET} is needed.",
        "In 400 steps it has learned too little, or something that does not hold for other digits. How much is learned "
        "depends on what reaches the last layer and on what comes back from it.",
        "Train it yourself and print the loss every 50 steps. If it hardly falls, print the spread of the activations "
        "after each layer, before training. If it falls, but too slowly, draw other starting weights for each linear "
        "layer: the end of the task names the functions that do so, and for which activation each is made.",
    )


def _network_scores(observed: Sequence[Observed]) -> str:
    return kinds.standing(observed, kinds.board(DeepNetwork.statement))


@exercise("02.7", title="A deep and narrow network that learns", points=3)
class DeepNetwork:
    """Open-ended: choose activation and starting weights so that six hidden layers can be trained."""

    reference = make_network
    read = "Choosing an activation"
    returns = ()
    script = _train_script
    needs_reference = False
    random = True
    allowed = ("companion.random", "companion.nn", "companion.functional", "companion.init")
    observe = _network_facts
    judge = _judge_network
    scores = _network_scores
    timeout = 60.0
    statement = r"""
        Six hidden layers, at most 32 units each, and a fixed training: that is enough to see what an
        activation does to the signal that passes through it.

        Write `make_network()`, without arguments. It returns a new, untrained `torch.nn.Module` that turns
        (N, 64) pixel values into (N, 10) scores for the digits 0 to 9, with at least 6 hidden layers and at
        most 32 units in each. Everything else is yours: the activation, the starting weights, what lies
        between the layers.

        The check trains it with plain gradient descent on cross-entropy: learning rate 0.1, 400 steps of 64
        digits (a bit under 20 epochs), on three different draws of 1,347 digits to train on and 450 held out.
        Pixels lie between 0 and 1 with the mean of the training rows subtracted. **Target: 0.9 of the
        held-out digits in each of the three trainings.**

        | Baseline (6 hidden layers of 32) | training 1 | training 2 | training 3 |
        |---|---|---|---|
        | sigmoid, default start | 0.10 | 0.10 | 0.09 |
        | ReLU, default start | 0.10 | 0.09 | 0.09 |
        | tanh, default start | 0.74 | 0.68 | 0.74 |
        | ELU, default start | 0.78 | 0.68 | 0.56 |
        | ReLU, all weights drawn with spread 1 | 0.09 | 0.12 | 0.13 |

        "Default start" is what `torch.nn.Linear` draws by itself. You can draw again:
        `torch.nn.init.kaiming_normal_(linear.weight)` fills the weight of one linear layer, in place, with random
        numbers of a spread that keeps a signal alive from layer to layer behind ReLUs, and
        `torch.nn.init.xavier_normal_(linear.weight)` does so for tanh. Call it once for each linear layer, before you
        return the network. The check takes a few seconds.
    """
    cases = _network_cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "ReLU, He start": lambda: build_stack(nn.ReLU, "he"),
        "tanh, Xavier start": lambda: build_stack(nn.Tanh, "xavier"),
        "SiLU, He start": lambda: build_stack(nn.SiLU, "he"),
        "ELU, He start": lambda: build_stack(nn.ELU, "he"),
        "log-softmax at the end": lambda: build_stack(nn.LeakyReLU, "he", last=lambda: nn.LogSoftmax(dim=-1)),
        "last layer starts at 0": _last_layer_at_zero,
        "normalised, default start": _normalised,
        "residual, a module of its own": _Residual,
        "residual, every branch off at the start": _Gated,
        "hard tanh, orthogonal start": _hard_tanh,
    }
    hints = (
        "Build a plain stack with ReLU, send the pixels of a few digits through it and print the standard "
        "deviation after each layer.",
        "The default start makes weights too small for a ReLU. To keep the spread, a unit with n inputs "
        "needs weights with a spread of about sqrt(2 / n).",
        "For each Linear: `torch.nn.init.kaiming_normal_(linear.weight)`, which draws with that spread, and biases at 0; "
        "then ReLU, leaky ReLU or ELU.",
    )
