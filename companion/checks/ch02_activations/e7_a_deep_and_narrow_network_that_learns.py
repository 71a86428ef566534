"""Exercise 02.7: a deep and narrow network that learns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import ClassVar

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from companion.checks.bank import Mistake, Observed, exercise, rng
from companion.checks.numbers import F64
from companion.checks.trace import Call, Case, Trace

TARGET = 0.9
SETTINGS = {"lr": 0.1, "steps": 400, "batch": 64, "classes": 10}
SEEDS = (0, 1, 2)


@cache
def _digits() -> tuple[Tensor, Tensor]:
    digits = load_digits()
    return torch.tensor(digits.data, dtype=torch.float32) / 16, torch.tensor(digits.target)


def _network_cases(seed: int) -> list[Case]:
    seeds = [s + 1000 * seed for s in SEEDS]
    return [Case(f"training {n}", secret={"seed": torch.tensor(s)}, seed=s, show=False) for n, s in enumerate(seeds, 1)]


def _parts(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    X, y = _digits()
    rows = torch.randperm(len(X), generator=rng(seed))
    train, test = rows[:1347], rows[1347:]
    mean = X[train].mean(dim=0)
    return X[train] - mean, y[train], X[test] - mean, y[test]


def _train_script(case: Case) -> list[Call]:
    seed = int(case.secret["seed"])
    x, y, x_test, _ = _parts(seed)
    probe = torch.stack([torch.zeros(64), x[0], x[1], x[0] + x[1]])
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


def build_stack(
    activation: Callable[[], nn.Module] | None,
    init: str = "default",
    *,
    depth: int = 6,
    width: int = 32,
    outputs: int = 10,
    last: Callable[[], nn.Module] | None = None,
) -> nn.Module:
    """Return a plain stack for the statement's table, the known mistakes and the other right answers."""
    sizes = [64, *[width] * depth, outputs]
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        linear = nn.Linear(a, b)
        if init != "default":
            std = {
                "he": (2 / a) ** 0.5,
                "xavier": (2 / (a + b)) ** 0.5,
                "small": 0.01,
                "large": 1.0,
                "zero": 0.0,
            }[init]
            nn.init.normal_(linear.weight, std=std)
            nn.init.zeros_(linear.bias)
        layers += [linear] if activation is None else [linear, activation()]
    if activation is not None:
        layers = layers[:-1]
    return nn.Sequential(*layers, *([last()] if last else []))


_shared: list[nn.Module] = []


def _one_network_for_all() -> nn.Module:
    if not _shared:
        _shared.append(make_network())
    return _shared[0]


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
    seen |= {"shapes": t["shapes"], "start": t["start"], "twins": t["twins"]}
    if "scores" in t:
        accuracy = (t["scores"].argmax(dim=1) == labels).to(F64).mean()
        seen |= {"accuracy": accuracy, "loss": t["loss"]}
    return seen


def _deep_enough(o: Observed) -> bool:
    return len(o["shapes"]) >= 7


def _narrow_enough(o: Observed) -> bool:
    return bool((o["shapes"][:-1, 0] <= 32).all())


def _judge_network(case: Case, observed: Observed, expected: Observed) -> str | None:
    if not observed or not observed["is a network"]:
        return "make_network should return a torch.nn.Module."
    if not _deep_enough(observed):
        return f"6 hidden layers have 7 weight matrices with the output's; yours has {len(observed['shapes'])}."
    if not _narrow_enough(observed):
        widest = int(observed["shapes"][:-1, 0].max())
        return f"A hidden layer may have at most 32 units; your widest has {widest}."
    if "accuracy" not in observed:
        shape = tuple(observed["start"].shape)
        return f"The network should give 10 scores per picture; for 4 pictures yours gives the shape {shape}."
    if bool(observed["shared"]):
        return "make_network should build a new network in each call."
    if _linear(observed):
        return "The whole network is linear: there is no activation between its layers."
    got = observed["accuracy"].item()
    if got >= TARGET:
        return None
    return (
        f"On {case.name} your network is right for {got:.2f} of the held-out digits; {TARGET} is needed. "
        "Look at the spread of the activations layer by layer, before training: does it shrink, or grow?"
    )


def _every(test: Callable[[Observed], bool]) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        return all(bool(o) and bool(o["is a network"]) and test(o) for o in observed)

    return matches


def _some(test: Callable[[Observed], bool]) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        return any(bool(o) and bool(o["is a network"]) and test(o) for o in observed)

    return matches


def _linear(o: Observed) -> bool:
    if o["start"].shape != (4, 10):
        return False
    zero, a, b, both = o["start"].to(F64)
    spread = (a - zero).abs().max()
    return bool((a + b - zero - both).abs().max() <= 1e-4 * spread) and spread.item() > 1e-4


def _shares(o: Observed) -> bool:
    start = o["start"].to(F64)
    if start.shape != (4, 10):
        return False
    whole = torch.ones(4, dtype=F64)
    return bool((start >= 0).all()) and torch.allclose(start.sum(dim=1), whole, atol=1e-5)


def _never_moves(o: Observed) -> bool:
    return "loss" in o and bool(torch.isfinite(o["loss"]).all()) and o["loss"][-50:].mean().item() > 2.2


def _explodes(o: Observed) -> bool:
    if "loss" not in o:
        return False
    return not bool(torch.isfinite(o["loss"]).all()) or o["loss"][0].item() > 20


def _all_twins(o: Observed) -> bool:
    return bool(o["twins"].all())


def _network_scores(observed: Sequence[Observed]) -> str:
    return "accuracy in the trainings " + ", ".join(f"{o['accuracy'].item():.3f}" for o in observed)


@exercise("02.7", title="A deep and narrow network that learns", points=3)
class DeepNetwork:
    """Open-ended: choose activation and starting weights so that six hidden layers can be trained."""

    reference = make_network
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

        "Default start" is what `torch.nn.Linear` draws by itself. The check takes a few seconds.

        *Serves the objective: choose an activation for a deep network and say what goes wrong with the
        others.*
    """
    cases = _network_cases
    mistakes = (
        Mistake(
            "builds the network once and hands it out again",
            _one_network_for_all,
            "make_network gives the same network each time, so the second training starts from a trained "
            "one. Build a new one in each call.",
            matches=_some(lambda o: bool(o["shared"])),
        ),
        Mistake(
            "has too few hidden layers",
            lambda: build_stack(nn.ReLU, "he", depth=3),
            "This network is not deep enough: 6 hidden layers are asked for, so 7 weight matrices. Shallow "
            "ones train easily, which is why they are not the task.",
            matches=_every(lambda o: not _deep_enough(o)),
        ),
        Mistake(
            "has layers that are too wide",
            lambda: build_stack(nn.ReLU, "he", width=64),
            "A hidden layer of yours has more than 32 units. Width makes up for a poor start, which is why "
            "it is limited here.",
            matches=_every(lambda o: _deep_enough(o) and not _narrow_enough(o)),
        ),
        Mistake(
            "has no activations",
            lambda: build_stack(None, "xavier"),
            "Your network is linear: f(a) + f(b) equals f(0) + f(a + b). However well it does here, its "
            "seven layers are one (exercise 02.5). Put an activation between them.",
            matches=_every(_linear),
        ),
        Mistake(
            "ends in a softmax",
            lambda: build_stack(nn.LeakyReLU, "he", last=lambda: nn.Softmax(dim=-1)),
            "Your outputs are already probabilities, and the loss applies softmax to them once more: it "
            "cannot fall below 1.46 and learns slowly. Return scores and leave the softmax to the loss.",
            matches=_every(_shares),
        ),
        Mistake(
            "starts all units of a layer alike",
            lambda: build_stack(nn.ReLU, "zero"),
            "All units of a layer start with the same weights, so they compute the same and receive the "
            "same gradient: they stay twins for ever. Draw the weights at random.",
            matches=_every(_all_twins),
        ),
        Mistake(
            "loses the signal on the way",
            lambda: build_stack(nn.Sigmoid),
            "The loss stays near 2.3, which is log 10: guessing. Through seven layers the differences "
            "between pictures shrink until the last layer sees the same for all of them. Print the spread "
            "of the activations per layer, at the start.",
            matches=_every(lambda o: _never_moves(o) and not _explodes(o)),
        ),
        Mistake(
            "starts with weights that are too large",
            lambda: build_stack(nn.ReLU, "large"),
            "The first loss is already huge: each layer multiplies the signal. Starting weights should be "
            "smaller the more inputs a unit has.",
            matches=_every(_explodes),
        ),
    )
    alternatives: ClassVar = {
        "ReLU, He start": lambda: build_stack(nn.ReLU, "he"),
        "tanh, Xavier start": lambda: build_stack(nn.Tanh, "xavier"),
        "SiLU, He start": lambda: build_stack(nn.SiLU, "he"),
        "ELU, He start": lambda: build_stack(nn.ELU, "he"),
    }
    hints = (
        "Build a plain stack with ReLU, send the pixels of a few digits through it and print the standard "
        "deviation after each layer.",
        "The default start makes weights too small for a ReLU. To keep the spread, a unit with n inputs "
        "needs weights with a spread of about sqrt(2 / n).",
        "For each Linear: `torch.nn.init.normal_(linear.weight, std=(2 / inputs) ** 0.5)` and biases at 0; "
        "then ReLU, leaky ReLU or ELU.",
    )
