"""Exercise 06.7: train on a budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks import counted, kinds
from companion.checks.bank import Observed, Out, Verdict, exercise, rng
from companion.checks.cases import digits, held_out
from companion.checks.ch06_gradient_descent.e7_mistakes import (
    EPOCHS,
    HIDDEN,
    MISTAKES,
    TARGET,
    Slopes,
    Train,
    by_steps,
)
from companion.checks.numbers import F64
from companion.checks.trace import Call, Case, Trace

SEEDS = (0, 1, 2)


def train(w: torch.Tensor, slopes: object, n: int, budget: int) -> torch.Tensor:
    """Return the weights after plain gradient descent that asks for the slopes of at most ``budget`` examples."""
    assert callable(slopes)
    spent = 0
    for _ in range(budget // n):
        for rows in torch.randperm(n).split(8):
            lr = 0.2 * (1 - spent / budget)  # a rate that falls lets the noise die down
            w = w - lr * slopes(w, rows)
            spent += len(rows)
    return w


def _with_momentum(w: Tensor, slopes: Slopes, n: int, budget: int) -> Tensor:
    w, speed = w.clone(), torch.zeros_like(w)
    for _ in range(budget // n):
        for rows in torch.randperm(n).split(6):
            speed = 0.8 * speed - 0.03 * slopes(w, rows)
            w += speed
    return w


def _averaged(w: Tensor, slopes: Slopes, n: int, budget: int) -> Tensor:
    """Draw each batch by itself, and return the mean of the weights of the last fifth."""
    steps, total, count = budget // 3, torch.zeros_like(w), 0
    for k in range(steps):
        w = w - 0.08 * slopes(w, torch.randint(n, (3,)))
        if k >= 0.8 * steps:
            total, count = total + w, count + 1
    return total / count


BASELINES: dict[str, Train] = {
    "all 1,347 at once, a rate of 1": by_steps(1347, 1.0),
    "batches of 64, a rate of 0.1": by_steps(64, 0.1),
    "batches of 4, a rate of 0.003": by_steps(4, 0.003),
    "one at a time, a rate of 1": by_steps(1, 1.0),
    "batches of 4, a rate of 0.1, in the order of the rows": by_steps(4, 0.1, order=torch.arange),
}
"""What the statement's table shows; a test computes it again."""


# -- what is handed over, and what is judged ---------------------------------------------------------


def parts(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return X, y, X_test and y_test: 1,347 pictures sorted by their digit, pixels from 0 to 1, and 450 held out."""
    X, y = digits()
    X, y, X_test, y_test = held_out(X / 16, y, rng(seed + 29))
    order = y.argsort(stable=True)
    return X[order], y[order], X_test, y_test


def start(seed: int) -> Tensor:
    """Return weights drawn by chance and biases at 0, as one long vector."""
    return counted.start(64, HIDDEN, 10, rng(seed + 5))


def _cases(seed: int) -> list[Case]:
    def case(number: int, s: int) -> Case:
        X, y, _, y_test = parts(s)
        given = {"w": start(s), "slopes": [X, y], "n": len(X), "budget": EPOCHS * len(X)}
        return Case(f"draw {number}", given, secret={"y_test": y_test}, seed=s, show=False)

    return [case(number, s + 1000 * seed) for number, s in enumerate(SEEDS, 1)]


def _script(case: Case) -> list[Call]:
    w, (X, y), n, budget = case.args.values()
    return [
        Call("@slopes", (X, y, HIDDEN, 10), keep="slopes"),
        Call("train", (w, "$slopes", n, budget), returns=("weights",), repeat=False),
        Call("@asked", ("$slopes",), returns=("asked",)),
    ]


def scores(w: Tensor, x: Tensor) -> Tensor:
    """Return what the network says of pictures: (N, 64) -> (N, 10)."""
    return counted.scores(w, x, HIDDEN)


def _facts(case: Case, trace: Trace) -> Observed:
    first, (X, y), n, budget = case.args.values()
    w = trace.tensors.get("weights")
    if w is None or w.shape != first.shape or not w.is_floating_point() or "asked.rows" not in trace.tensors:
        return {}
    w, X, X_test = w.to(F64), X.to(F64), parts(case.seed)[2].to(F64)
    rows, rates = trace.tensors["asked.rows"], trace.tensors["asked.rates"]

    def loss(weights: Tensor) -> Tensor:
        return -torch.log_softmax(scores(weights, X), dim=1)[torch.arange(n), y].mean()

    W1, b1, _, _ = counted.layers(w, 64, HIDDEN)
    early = rates[rates.isfinite()][:200]  # later ones may be of weights that have run away
    rate = early.median() if len(early) else torch.tensor(0.0, dtype=F64)
    return {
        "accuracy": (scores(w, X_test).argmax(dim=1) == case.secret["y_test"]).to(F64).mean(),
        "finite": w.isfinite().all(),
        "loss": loss(w),
        "first loss": loss(first.to(F64)),
        "ten times": loss(w - 10 * rate * counted.slopes_of(w, X, y, HIDDEN)) / loss(w),
        "off": (X @ W1.T + b1 <= 0).all(dim=0).to(F64).mean(),
        "moved": (w - first.to(F64)).abs().max(),
        "spent": torch.tensor(len(rows) / budget, dtype=F64),
        "steps": torch.tensor(len(trace.tensors["asked.sizes"])),
        "seen": torch.tensor(len(rows.unique()) / n, dtype=F64),
        "beside": (rows[1:] - rows[:-1] == 1).to(F64).sum() / max(len(rows), 1),
        "rate": rate,
        "still": (rates.abs() < 1e-9).to(F64).sum() / max(len(rates), 1),
    }


def _judge(case: Case, observed: Observed, expected: Observed) -> Verdict:
    if not observed:
        return kinds.no_weights("train", case.args["w"])
    spent, steps = round(observed["spent"].item() * case.args["budget"]), int(observed["steps"])
    if spent > case.args["budget"]:
        return f"On {case.name} you asked for {spent:,} slopes, and the budget is {case.args['budget']:,}."
    got = observed["accuracy"].item()
    if got >= TARGET - 1e-9 and bool(observed["finite"]):
        return None
    return (
        f"On {case.name} the network is right for {got:.2f} of the held-out pictures; {TARGET} is needed.",
        f"You took {steps:,} steps and spent {spent:,} slopes, at a rate of about {observed['rate'].item():.2g}. On the pictures of "
        f"the training the loss fell from {observed['first loss'].item():.2f} to {observed['loss'].item():.2f}.",
        "Try the neighbours in a table: half and double the batch, a third and three times the rate. Change one of them at a time.",
    )


def _scores(observed: Sequence[Observed]) -> str:
    return kinds.standing(observed, kinds.board(TrainOnABudget.statement))


@exercise("06.7", title="Train on a budget", points=3)
class TrainOnABudget:
    """Open-ended: which batch and which rate make the most of a number of slopes?"""

    reference = train
    read = "How to find a rate"
    returns = (Out("weights"),)
    script = _script
    needs_reference = False
    random = True
    observe = _facts
    judge = _judge
    scores = _scores
    timeout = 60.0
    statement = r"""
        Slopes cost. Here you get a budget of them: the slope of a single example costs 1, whether it comes alone or in a batch.
        Where do you spend it, on a few exact steps or on many noisy ones?

        The network is the small one for the digits, 64 - 32 ReLUs - 10, and its 2,410 weights stand in one long vector. You
        get neither the pictures nor the network, only a function that knows them.

        Write `train(w, slopes, n, budget)`.

        * `w` holds the weights to begin with, in a tensor of shape (2410,). You may write into it.
        * `slopes(w, rows)` returns the **mean** slope of the loss by every weight over the examples named in `rows`, in the
          shape of `w`. `rows` is a tensor of whole numbers with one axis, from 0 to n - 1. It costs `len(rows)`.
        * `n` is the number of examples, 1,347. They are **sorted by their digit**: first all zeros, then all ones, and so on.
        * `budget` is 5,388, four times n.

        Return the weights after the training, in the same shape. The rule is $w \leftarrow w - \eta g$. The size of the batch,
        the rate, whether it changes on the way, and what you do with the weights beside that are up to you.

        It is judged on three draws of 450 held-out pictures, and with three starts. Your function is called once for each.
        **Target: 0.9 on each of the three, with at most 5,388 slopes.** All of these spend the whole budget:

        | Baseline | draw 1 | draw 2 | draw 3 |
        |---|---|---|---|
        | all 1,347 at once, a rate of 1 | 0.70 | 0.69 | 0.56 |
        | batches of 64, a rate of 0.1 | 0.85 | 0.80 | 0.80 |
        | batches of 4, a rate of 0.003 | 0.73 | 0.74 | 0.66 |
        | one at a time, a rate of 1 | 0.08 | 0.10 | 0.12 |
        | batches of 4, a rate of 0.1, in the order of the rows | 0.12 | 0.17 | 0.16 |

        Five trainings of ours came to between 0.950 and 0.961 in the mean of twenty other draws, with a spread of 0.011 to 0.021
        from draw to draw. The check takes a second or two. Once it says right: with how many slopes do you still reach the target?
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "batches of 4, always the same rate": by_steps(4, 0.1),
        "two at a time, carefully": by_steps(2, 0.05),
        "with momentum": _with_momentum,
        "drawn anew for each step, weights averaged": _averaged,
    }
    hints = (
        "Begin with the loop: an order of all rows drawn by chance for each epoch, cut into batches, and a step for each. How many "
        "epochs does the budget pay for?",
        "A batch of 64 leaves 88 steps for the whole budget, and one of 4 leaves 1,348. Try a small batch, with the rates 0.01, 0.03, "
        "0.1 and 0.3.",
        "`for rows in torch.randperm(n).split(size): w = w - lr * slopes(w, rows)`, four times, with a size of 4 to 8 and a rate "
        "near 0.1. If the accuracy differs much from draw to draw, let the rate fall towards the end.",
    )
