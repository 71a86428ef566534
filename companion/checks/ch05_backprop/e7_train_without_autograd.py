"""Exercise 05.7: train without autograd."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks import kinds
from companion.checks.bank import Observed, Out, Verdict, exercise, rng
from companion.checks.cases import digits, held_out
from companion.checks.ch05_backprop.by_hand import AUTOGRAD
from companion.checks.ch05_backprop.e7_mistakes import (
    MISTAKES,
    TARGET,
    WIDEST,
    Network,
    Train,
    by_hand,
    slopes,
    start,
    straight,
)
from companion.checks.numbers import F64
from companion.checks.trace import Call, Case, Trace

SEEDS = (0, 1, 2)
NAMES = ("W1", "b1", "W2", "b2")


def train_by_hand(X: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return W1 (H, 64), b1 (H,), W2 (10, H) and b2 (10,) of a network for raw pixels, trained by slopes of our own."""
    mean, spread = X.mean(dim=0), X.std(dim=0)
    Z = (X - mean) / spread
    W1, b1 = torch.randn(32, 64) / 8, torch.zeros(32)
    W2, b2 = torch.randn(10, 32) / 32**0.5, torch.zeros(10)
    lr = 0.3
    for _ in range(40):
        for rows in torch.randperm(len(Z)).split(64):
            x = Z[rows]
            s = x @ W1.T + b1  # forwards: (B, 64) -> (B, 32)
            h = s.clamp(min=0)
            dz = torch.softmax(h @ W2.T + b2, dim=1)  # (B, 10)
            dz[torch.arange(len(rows)), y[rows]] -= 1  # shares minus target
            dz = dz / len(rows)
            ds = (dz @ W2) * (s > 0)  # backwards, over the W2 that carried the signal
            W1, b1 = W1 - lr * ds.T @ x, b1 - lr * ds.sum(dim=0)
            W2, b2 = W2 - lr * dz.T @ h, b2 - lr * dz.sum(dim=0)
    W1 = W1 / spread  # W1 ((x - mean) / spread) + b1, written as weights and bias for x
    return W1, b1 - W1 @ mean, W2, b2


def _with_momentum(X: Tensor, y: Tensor) -> Network:
    Z, net = X / 8 - 1, start(24)
    speed: tuple[Tensor, ...] = tuple(torch.zeros_like(p) for p in net)
    for _ in range(40):
        for rows in torch.randperm(len(Z)).split(100):
            speed = tuple(0.9 * v - 0.05 * d for v, d in zip(speed, slopes(net, Z[rows], y[rows])))
            W1, b1, W2, b2 = (p + v for p, v in zip(net, speed))
            net = (W1, b1, W2, b2)
    W1, b1, W2, b2 = net
    return W1 / 8, b1 - W1.sum(dim=1), W2, b2


def _by_adam(X: Tensor, y: Tensor) -> Network:
    net = start(32)
    Z = X / 16
    optimizer = torch.optim.Adam(net, lr=0.01)
    for _ in range(60):
        for rows in torch.randperm(len(Z)).split(64):
            for p, slope in zip(net, slopes(net, Z[rows], y[rows])):
                p.grad = slope
            optimizer.step()
    return net[0] / 16, *net[1:]


BASELINES: dict[str, Train] = {
    "no hidden layer, written as 20 ReLUs": straight,
    "32 ReLUs, first layer as it was drawn": lambda X, y: by_hand(X, y, wrong=("frozen",)),
    "32 ReLUs, their slope left out on the way back": lambda X, y: by_hand(X, y, lr=0.2, wrong=("mask",)),
    "32 ReLUs, five epochs at a rate of 0.1": lambda X, y: by_hand(X, y, epochs=5, lr=0.1),
}
"""What the statement's table shows; a test computes it again."""


# -- what is handed over, and what is judged ---------------------------------------------------------


def parts(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return X, y, X_test and y_test: 1,347 pictures to train on and 450 held out, about half of all as negatives."""
    X, y = digits()
    chance = rng(seed + 17)
    negative = torch.rand(len(X), 1, generator=chance) < 0.5
    return held_out(torch.where(negative, 16 - X, X), y, chance)


def _cases(seed: int) -> list[Case]:
    def case(n: int, s: int) -> Case:
        X, y, _, y_test = parts(s)
        return Case(f"draw {n}", {"X": X, "y": y}, secret={"y_test": y_test}, seed=s, show=False)

    return [case(n, s + 1000 * seed) for n, s in enumerate(SEEDS, 1)]


def _script(case: Case) -> list[Call]:
    X, y = case.args["X"], case.args["y"]
    return [Call("train_by_hand", (X, y), ("X", "y"), NAMES, repeat=False)]


def scores(net: Sequence[Tensor], x: Tensor) -> Tensor:
    """Return what a network says of pictures, as the statement has it: (N, 64) -> (N, 10)."""
    W1, b1, W2, b2 = net
    return (x @ W1.T + b1).clamp(min=0) @ W2.T + b2


def _best_if_moved(net: Sequence[Tensor], x: Tensor, y: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
    """Return the best accuracy with another first bias: one that is moved by a multiple of what the mean pixels add.

    This is what is left to mend where (x - mean) / spread was folded into the first layer with a wrong shift.
    """
    W1, b1, W2, b2 = net
    sums = x @ W1.T + b1  # (B, H)
    added = W1 @ mean
    moves = [n / 4 * added for n in range(-80, 81)] + [W1 @ ((spread - 1) * mean), -W1 @ ((spread + 1) * mean)]
    found = [((sums + move).clamp(min=0) @ W2.T + b2).argmax(dim=1) == y for move in moves]
    return torch.stack(found).to(F64).mean(dim=1).max()


def _facts(case: Case, trace: Trace) -> Observed:
    if any(name not in trace.tensors for name in NAMES):
        return {}
    W1, b1, W2, b2 = net = [trace.tensors[name].to(F64) for name in NAMES]
    sizes = [[*t.shape, 0, 0][:2] if t.dim() in (1, 2) else [-1, -1] for t in net]
    seen: Observed = {"shapes": torch.tensor(sizes)}
    hidden = len(b1) if b1.dim() == 1 else 0
    if sizes != [[hidden, 64], [hidden, 0], [10, hidden], [10, 0]] or not 0 < hidden <= WIDEST:
        return seen
    X, X_test = case.args["X"].to(F64), parts(case.seed)[2].to(F64)
    y, due = case.args["y"], case.secret["y_test"]

    def share(x: Tensor, labels: Tensor) -> Tensor:
        return (scores(net, x).argmax(dim=1) == labels).to(F64).mean()

    def loss(x: Tensor, labels: Tensor) -> Tensor:
        return -torch.log_softmax(scores(net, x), dim=1)[torch.arange(len(labels)), labels].mean()

    mean, spread = X.mean(dim=0), X.std(dim=0).clamp(min=1.0)
    ways = [(X_test - mean) / spread, X_test / 16, X_test / 8 - 1, X_test / 8]
    prepared = min(ways, key=lambda x: loss(x, due).item())
    on_standardised = (W1 * spread, b1 + W1 @ mean, W2, b2)  # there all pixels count alike
    d1, _, d2, _ = slopes(on_standardised, (X - mean) / spread, y)
    return {
        **seen,
        "finite": torch.stack([t.isfinite().all() for t in net]).all(),
        "accuracy": share(X_test, due),
        "of training": share(X, y),
        "if prepared": share(prepared, due),
        "if centred": share(X_test - mean, due),
        "if moved": _best_if_moved(net, X_test, due, mean, spread),
        "if unexchanged": share(torch.where(X_test.mean(dim=1, keepdim=True) > 8, 16 - X_test, X_test), due),
        "not scaled": loss(X_test - mean, due) < loss(prepared, due),
        "loss": loss(X, y),
        "difference": (W1 - W1[0]).abs().max() / W1.abs().max().clamp(min=1e-30),
        "off": (X @ W1.T + b1 <= 0).all(dim=0).to(F64).mean(),
        "behind": (d1.norm() * on_standardised[0].norm()) / (d2.norm() * W2.norm()).clamp(min=1e-300),
    }


def _judge(case: Case, observed: Observed, expected: Observed) -> Verdict:
    if not observed:
        return "train_by_hand should return four tensors, W1, b1, W2 and b2."
    if "accuracy" not in observed:
        axes = {name: [n for n in size if n] for name, size in zip(NAMES, observed["shapes"].tolist())}
        told = ", ".join(f"{name} {tuple(size)}" for name, size in axes.items())
        return (
            f"The shapes should be W1 (H, 64), b1 (H,), W2 (10, H) and b2 (10,), with H at most {WIDEST}. Yours are {told}.",
            "The check computes `(x @ W1.T + b1).clamp(min=0) @ W2.T + b2` from what you return.",
            "Which of the four differs? Put them into this line yourself, with five pictures, before you return them.",
        )
    got = observed["accuracy"].item()
    if got >= TARGET and bool(observed["finite"]):
        return None
    return (
        f"On {case.name} your network is right for {got:.2f} of the held-out pictures; {TARGET} is needed.",
        f"On the pictures of the training it is right for {observed['of training'].item():.2f}, with a loss of "
        f"{observed['loss'].item():.3g}. Guessing has about 2.3. If the loss lies near 0, it has learned them by heart. If not, "
        "the slopes or the steps are to blame.",
        "Check the slopes first, on eight pictures, with difference quotients as in exercise 05.6. When they are right, look at "
        "the loss of each epoch.",
    )


def _scores(observed: Sequence[Observed]) -> str:
    return kinds.standing(observed, kinds.board(TrainByHand.statement))


@exercise("05.7", title="Train without autograd", points=3)
class TrainByHand:
    """Open-ended: train a network by slopes that are written out."""

    reference = train_by_hand
    read = "The same in matrices"
    returns = tuple(Out(name) for name in NAMES)
    script = _script
    needs_reference = False
    random = True
    forbidden = dict.fromkeys(
        AUTOGRAD,
        "It finds the slopes for you. Here you write the way back yourself, a line for each layer.",
    )
    observe = _facts
    judge = _judge
    scores = _scores
    timeout = 60.0
    statement = r"""
        The digits again, with a twist: in about half of the pictures, chosen by chance, black and white are exchanged. A pixel
        by itself now says nothing about the digit. Without a hidden layer one gets about 0.2 of the pictures right. So the
        hidden layer has to learn, and you teach it **without autograd**: every slope is computed by lines of yours. An engine
        of your own counts as lines of yours, and `companion.autograd` does not.

        Write `train_by_hand(X, y)`. `X` has the shape (1347, 64): pictures of 8 by 8 pixels, row by row, each from 0 to 16. `y`
        holds the digits, 0 to 9. Train a network with one hidden layer of **at most 32 ReLUs** and return its weights as a
        tuple of torch tensors, `W1, b1, W2, b2`, of the shapes (H, 64), (H,), (10, H) and (10,). The check puts **raw pixels**
        into them,

        $$z = \operatorname{ReLU}(x\, W_1^\top + b_1)\, W_2^\top + b_2,$$

        and takes the largest of the ten scores as the answer. If you scale the pixels before you train, these weights have to do
        the same: $W_1 \frac{x - m}{s} + b_1$ is again weights times $x$ plus a bias.

        How you take the steps is up to you, and so are batches, rates and starting weights. `torch.optim` may take them along
        slopes of yours. Autograd may not find them, and the companion's `fit`, models and optimizers stay outside.

        It is judged on three draws of 450 held-out pictures. Your function is called once for each draw. **Target: 0.9 on each
        of the three.**

        | Baseline | draw 1 | draw 2 | draw 3 |
        |---|---|---|---|
        | no hidden layer, written as 20 ReLUs | 0.28 | 0.17 | 0.14 |
        | 32 ReLUs, first layer as it was drawn | 0.67 | 0.60 | 0.62 |
        | 32 ReLUs, their slope left out on the way back | 0.17 | 0.15 | 0.13 |
        | 32 ReLUs, five epochs at a rate of 0.1 | 0.84 | 0.82 | 0.64 |

        The first hands each score on through two ReLUs: $z = \operatorname{ReLU}(z) - \operatorname{ReLU}(-z)$. The
        first three show what is missing where no slope comes through the ReLU, or a wrong one. Four trainings of ours
        came to between 0.960 and 0.965 in the mean of six other draws, with a spread of 0.005 to 0.010 from draw to
        draw. The check takes a few seconds. Once it says right: how few hidden units still reach the target?
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "24 ReLUs, with momentum": _with_momentum,
        "Adam along slopes by hand": _by_adam,
        "batches of 16": lambda X, y: by_hand(X, y, batch=16, lr=0.1),
    }
    hints = (
        "Start from `by_hand` of the chapter, which gives all four slopes for a batch. What is missing is the loop around it, and "
        "the line that takes a step.",
        "Use up all slopes of a step before you change a weight: the way back goes over the W2 that carried the signal. Draw the "
        "starting weights at random: for standardised pixels start W1 at a spread of sqrt(2/64). Expect to need more than ten "
        "epochs. A rate of 0.3 and 40 epochs in batches of 64 are enough.",
        "Train on Z = (X - mean) / spread. Then `W1 / spread` are the weights for raw pixels, and `b1 - (W1 / spread) @ mean` is "
        "their bias.",
    )
