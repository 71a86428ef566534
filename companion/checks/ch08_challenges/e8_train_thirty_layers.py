"""Exercise 08.8: train thirty layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from companion.checks import kinds
from companion.checks.bank import Observed, Verdict, exercise, rng
from companion.checks.cases import digits, held_out
from companion.checks.ch08_challenges.e8_mistakes import (
    BENDS,
    HIDDEN,
    MISTAKES,
    WIDTH,
    Training,
    adam,
    bends_enough,
    by,
    deep_enough,
    have_a_say,
    is_linear,
    narrow_enough,
    residual,
    sgd,
    stack,
    tables,
)
from companion.checks.numbers import F64
from companion.checks.trace import Call, Case, Trace

TARGET = 0.9
SETTINGS = {"steps": 200, "batch": 64, "classes": 10}
SEEDS = (0, 1, 2)


def make_training() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """Return a new network with at least 30 hidden layers, and the optimizer that is to train it."""

    class Block(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = torch.nn.Linear(32, 32), torch.nn.Linear(32, 32)
            torch.nn.init.kaiming_normal_(self.first.weight)
            torch.nn.init.zeros_(self.last.weight)  # at the start each block hands on what comes in
            torch.nn.init.zeros_(self.last.bias)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.last(torch.relu(self.first(x)))

    blocks = [Block() for _ in range(15)]
    network = torch.nn.Sequential(torch.nn.Linear(64, 32), *blocks, torch.nn.Linear(32, 10))
    return network, torch.optim.Adam(network.parameters(), lr=0.002)


class _Gated(nn.Module):
    """A factor before what each layer adds, which begins at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.scores = nn.Linear(64, WIDTH), nn.Linear(WIDTH, 10)
        self.inner = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(HIDDEN - 1))
        self.gates = nn.Parameter(torch.zeros(HIDDEN - 1))

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        for gate, layer in zip(self.gates, self.inner):
            h = h + gate * torch.relu(layer(h))
        out: Tensor = self.scores(h)
        return out


class _Normalised(nn.Module):
    """A block that measures what comes in by its own mean and spread first."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.layer = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.relu(self.layer(self.norm(x)))


def _leaky() -> nn.Module:
    """Return a plain stack of leaky ReLUs that let half of a negative sum through, its tables turning alone."""
    network = stack(lambda: nn.LeakyReLU(0.5))()
    for p in network.parameters():
        if p.dim() == 2:
            nn.init.orthogonal_(p, gain=(2 / (1 + 0.5**2)) ** 0.5)
    return network


def _normalised() -> nn.Module:
    return nn.Sequential(nn.Linear(64, WIDTH), *[_Normalised() for _ in range(HIDDEN - 1)], nn.Linear(WIDTH, 10))


BASELINES: dict[str, Training] = {
    "sigmoid, PyTorch's start, SGD 0.1": by(stack(nn.Sigmoid), sgd(0.1)),
    "ReLU, PyTorch's start, SGD 0.1": by(stack(nn.ReLU), sgd(0.1)),
    "ReLU, PyTorch's start, Adam 0.001": by(stack(nn.ReLU), adam(0.001)),
    "tanh, PyTorch's start, SGD 0.1": by(stack(nn.Tanh), sgd(0.1)),
    "ReLU, He's start, SGD 0.01": by(stack(nn.ReLU, "he"), sgd(0.01)),
    "tanh, Xavier's start, SGD 0.01": by(stack(nn.Tanh, "xavier"), sgd(0.01)),
}
"""What the statement's table shows; a test computes it again."""


# -- what is handed over, and what is judged ---------------------------------------------------------


def parts(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return X, y, X_test and y_test: pixels from 0 to 1 without the mean picture of the training, 1,347 and 450 of them."""
    X, y = digits()
    X, y, X_test, y_test = held_out(X / 16, y, rng(seed + 88))
    return X - X.mean(dim=0), y, X_test - X.mean(dim=0), y_test


def _cases(seed: int) -> list[Case]:
    seeds = [s + 1000 * seed for s in SEEDS]
    return [Case(f"training {n}", secret={"seed": torch.tensor(s)}, seed=s, show=False) for n, s in enumerate(seeds, 1)]


def _script(case: Case) -> list[Call]:
    x, y, x_test, _ = parts(case.seed)
    probe = torch.stack([torch.zeros(64), x[0], x[1], x[0] + x[1], x[0]])
    settings: dict[str, Any] = {**SETTINGS, "seed": case.seed, "x": x, "y": y, "probe": probe, "held_out": x_test}
    return [Call("@train_by", ("$make_training", settings), returns=("network",))]


def _facts(case: Case, trace: Trace) -> Observed:
    t = {name.removeprefix("network."): tensor for name, tensor in trace.tensors.items()}
    if "in a row" not in t:
        return {}
    labels = parts(case.seed)[3]
    accuracy = {"accuracy": (t["scores"].argmax(dim=1) == labels).to(F64).mean()} if "scores" in t else {}
    return {name: tensor for name, tensor in t.items() if name != "scores"} | accuracy


def _judge(case: Case, observed: Observed, expected: Observed) -> Verdict:
    if not observed:
        return (
            "make_training should return two things: a torch.nn.Module, and an optimizer with the methods step "
            "and zero_grad.",
            "The check trains the first with the second. `torch.optim` has optimizers of this kind.",
            "Look at your last line: `return network, optimizer`.",
        )
    if "accuracy" not in observed:
        shape = tuple(observed["start"].shape)
        return f"The network should give 10 scores per picture; for 5 pictures yours gives the shape {shape}."
    if bool(observed["shared"]):
        return "make_training should build a new network in each call."
    if not deep_enough(observed):
        there, way = tables(observed), int(observed["in a row"])
        return f"30 hidden layers have 31 tables of weights with the last one; yours has {there}, and {way} of them in a row."
    if not narrow_enough(observed):
        widest = int(observed["shapes"][:-1, 0].max())
        return f"A hidden layer may have at most {WIDTH} units; your widest has {widest}."
    if is_linear(observed):
        return "The whole network is linear: there is no activation between its layers."
    if not bends_enough(observed):
        return f"Your network has {int(observed['bends'])} activations in a row, and at least {BENDS} are asked for."
    got = observed["accuracy"].item()
    if got >= TARGET - 1e-9:
        say = have_a_say(observed)
        return (
            None
            if say > HIDDEN
            else f"Of your tables of weights {say} have a say in the scores; {HIDDEN + 1} are asked for."
        )
    first, last = observed["loss"][0].item(), observed["loss"][-20:].mean().item()
    return (
        f"On {case.name} your network is right for {got:.2f} of the held-out digits; {TARGET} is needed.",
        f"Its loss began at {first:.2f}, and over the last 20 steps it was {last:.2f}. Guessing costs 2.30.",
        "Look at the two ends: do pictures still differ in the last layer of a new network, and does a slope "
        "reach its first layer?",
    )


def _scores(observed: Sequence[Observed]) -> str:
    return kinds.standing(observed, kinds.board(TrainThirtyLayers.statement))


@exercise("08.8", title="Train thirty layers", points=3)
class TrainThirtyLayers:
    """Open-ended: start, activation, shortcuts and optimizer, chosen so that thirty layers learn in 200 steps."""

    reference = make_training
    read = "A way around"
    returns = ()
    script = _script
    needs_reference = False
    random = True
    allowed = (
        "companion.random",
        "companion.nn",
        "companion.functional",
        "companion.init",
        "companion.optim",
        "companion.models",
    )
    observe = _facts
    judge = _judge
    scores = _scores
    timeout = 60.0
    statement = r"""
        Thirty layers, 200 steps. With what PyTorch does by itself the network stays at guessing. Everything of this chapter
        that helps is allowed.

        Write `make_training()`, without arguments. It returns two things, `(network, optimizer)`:

        * a new, untrained `torch.nn.Module` that turns (N, 64) pixel values into (N, 10) scores for the digits 0 to 9,
        * an optimizer for its weights, such as `torch.optim.SGD(network.parameters(), lr=0.1)`, or one of your own with the
          methods `step()` and `zero_grad()`.

        The network has **at least 30 hidden layers**, each with a table of weights of its own and 8 to 32 units, and an activation at
        least behind every second of them. Which activation, the starting weights, shortcuts, what lies between the layers: all of
        that is up to you. But every layer has to count. The check sets the weights of one layer at a time to 0, and at least 31
        tables have to have a say: without them the scores move by more than a hundredth of what pictures differ by.

        The check takes the 200 steps itself, on cross-entropy, with 64 digits in each. It does so for three draws of 1,347
        digits to train on and 450 held out, and calls your function anew for each. Pixels lie between 0 and 1, with the mean
        picture of the training rows subtracted. **Target: 0.9 of the held-out digits in each of the three trainings.**

        | Baseline (30 hidden layers of 32) | training 1 | training 2 | training 3 |
        |---|---|---|---|
        | sigmoid, PyTorch's start, SGD 0.1 | 0.10 | 0.10 | 0.12 |
        | ReLU, PyTorch's start, SGD 0.1 | 0.08 | 0.07 | 0.08 |
        | ReLU, PyTorch's start, Adam 0.001 | 0.08 | 0.07 | 0.08 |
        | tanh, PyTorch's start, SGD 0.1 | 0.08 | 0.07 | 0.09 |
        | ReLU, He's start, SGD 0.01 | 0.21 | 0.26 | 0.14 |
        | tanh, Xavier's start, SGD 0.01 | 0.48 | 0.43 | 0.46 |

        Eight ways of ours came to between 0.939 and 0.967 in the mean of twelve other draws, with a spread of 0.006 to 0.018
        from draw to draw. The check takes about 3 seconds. Once it says right: which of your choices can you take back one
        by one, and which one not?
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "tanh, orthogonal start, Adam": by(stack(nn.Tanh, "orthogonal"), adam(0.001)),
        "tanh, orthogonal start, plain gradient descent": by(stack(nn.Tanh, "orthogonal"), sgd(0.05)),
        "leaky ReLU, orthogonal start, Adam": by(_leaky, adam(0.001)),
        "residual, PyTorch's start, plain gradient descent": by(residual("default"), sgd(0.1)),
        "residual, momentum": by(residual(), sgd(0.01, momentum=0.9)),
        "residual, last layers small": by(residual("small"), adam(0.001)),
        "residual, with gates": by(_Gated, adam(0.003)),
        "residual, normalised": by(_normalised, adam(0.001)),
    }
    hints = (
        "Look before you train: send a few digits through a new network and print the standard deviation over "
        "them after each layer. "
        "Then go back from a loss and print the norm of the slope by each layer's weights, as in exercise 08.3.",
        "Two ways lead there. A start that neither grows nor shrinks anything, such as "
        "`torch.nn.init.orthogonal_` with tanh. Or a way "
        "around every one or two layers, as in exercise 08.4.",
        "Fifteen blocks `x + last(relu(first(x)))` whose last layer begins at 0 are the identity at the start, "
        "so that the slope arrives everywhere. "
        "With `torch.optim.Adam` and a rate of 0.001 to 0.003 they learn in 200 steps.",
    )
