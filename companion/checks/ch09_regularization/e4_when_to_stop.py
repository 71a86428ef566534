"""Exercise 09.4: when to stop."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Property, exercise, rng
from companion.checks.ch09_regularization.e4_mistakes import MISTAKES
from companion.checks.numbers import vector
from companion.checks.trace import Call, Case, Trace

nan = math.nan


class Stopper:
    """Watch one number of a training: say when to stop, and remember the best weights."""

    def __init__(self, patience: int, min_delta: float, mode: str) -> None:
        """Keep the settings; nothing has been looked at yet."""
        self.patience, self.min_delta = patience, min_delta
        self.sign = 1 if mode == "min" else -1  # turned round, higher becomes lower
        self.best = torch.inf
        self.best_epoch: int | None = None
        self.weights: list[torch.Tensor] = []
        self.epoch = self.waited = 0

    def look(self, value: float, weights: list[torch.Tensor]) -> bool:
        """Take in the value of one more epoch and the weights that have it; say whether to stop."""
        if self.sign * value < self.best - self.min_delta:  # false for nan
            self.best = self.sign * value
            self.best_epoch = self.epoch
            self.weights = [w.detach().clone() for w in weights]
            self.waited = 0
        else:
            self.waited += 1
        self.epoch += 1
        return self.waited >= self.patience


class _ByPlaces:
    """Keep all values, and count from the place of the best."""

    def __init__(self, patience: int, min_delta: float, mode: str) -> None:
        self.patience, self.min_delta, self.mode = patience, min_delta, mode
        self.seen: list[float] = []
        self.best_epoch: int | None = None
        self.weights: list[Tensor] | None = None

    def look(self, value: float, weights: Sequence[Tensor]) -> Tensor:
        self.seen.append(value)
        gain = math.inf if self.best_epoch is None else self.seen[self.best_epoch] - value
        if self.mode == "max" and self.best_epoch is not None:
            gain = -gain
        if not math.isnan(value) and gain > self.min_delta:
            self.best_epoch, self.weights = len(self.seen) - 1, copy.deepcopy(list(weights))
        last_best = -1 if self.best_epoch is None else self.best_epoch
        return torch.tensor(len(self.seen) - 1 - last_best >= self.patience)


class _ByTwoRules:
    """Write both modes out, and count down."""

    def __init__(self, patience: int, min_delta: float, mode: str) -> None:
        self.patience, self.left, self.step = patience, patience, -1
        worse = {"min": math.inf, "max": -math.inf}[mode]
        self.best, self.delta, self.mode = worse, min_delta, mode
        self.best_epoch: int | None = None
        self.weights: tuple[Tensor, ...] = ()

    def look(self, value: float, weights: Sequence[Tensor]) -> int:
        self.step += 1
        self.left -= 1
        if self.mode == "min":
            better = value < self.best and self.best - value > self.delta
        else:
            better = value > self.best and value - self.best > self.delta
        if better:
            self.best, self.best_epoch, self.left = value, self.step, self.patience
            self.weights = tuple(torch.tensor(w.tolist()) for w in weights)
        return int(self.left <= 0)


def _cases(seed: int) -> list[Case]:
    g = rng(seed + 94)

    def case(name: str, values: list[float], patience: int, min_delta: float = 0.0, mode: str = "min") -> Case:
        odd = any(math.isnan(value) for value in values)
        drawn = [[torch.randn(2, 3, generator=g), torch.randn(4, generator=g).double()] for _ in range(len(values) + 1)]
        # plain numbers, which say of which epoch they are
        moving = tuple([vector(k, 10 * k)] for k in range(len(values) + 1))
        given = {"patience": patience, "min_delta": min_delta, "mode": mode}
        return Case(name, {**given, "values": values, "weights": moving if len(values) < 9 else drawn}, aside=odd)

    return [
        case("the curve worked out", [1.0, 0.8, 0.9, 0.7, 0.75, 0.72, 0.71], 3),
        case("a patience of 1, and calls after the stop", [3.0, 2.0, 2.5, 2.75, 1.0, 1.5], 1),
        case("a value that comes again", [2.0, 1.0, 1.0, 1.0], 2),
        case("higher is better", [0.25, 0.5, 0.375, 0.75, 0.625, 0.5, 0.25], 2, mode="max"),
        case("gains that are too small", [4.0, 3.75, 3.5, 3.25, 3.125], 4, 1.0),
        case("gains that are too small for a while", [4.0, 3.75, 3.25, 2.75, 2.5, 2.25, 2.0], 3, 0.5),
        case("a gain of exactly min_delta", [2.0, 1.5, 1.75], 2, 0.5),
        case("a gain of exactly min_delta, higher is better", [1.0, 1.5, 1.25, 2.0, 2.25], 3, 0.5, "max"),
        case("values below 0, higher is better", [-5.0, -3.0, -4.0, -3.5], 2, mode="max"),
        case("losses above 1", [40.0, 20.0, 25.0, 10.0, 12.0], 3),
        case("a loss that becomes negative", [1.0, -1.0, 0.5, -2.0, -1.5, -1.75], 2, 0.25),
        case("a loss that is not a number on the way", [2.0, nan, 1.5, nan, 1.75], 2),
        case("a loss that is not a number at first", [nan, nan, 2.0, 1.0, 1.5], 3),
        case("nothing but losses that are not numbers", [nan, nan], 2),
        case("rises that do not follow one another", [5.0, 6.0, 4.0, 5.0, 3.0, 4.0, 2.0], 2),
        case("a long training", [9.0, 7.0, 8.0, 6.5, 7.5, 7.0, 6.75, 4.0, 5.0, 3.5, 3.625, 3.75, 3.875, 4.0], 4, 0.25),
    ]  # fmt: skip


def _script(case: Case) -> list[Call]:
    settings = tuple(case.args[name] for name in ("patience", "min_delta", "mode"))
    values, weights = case.args["values"], case.args["weights"]
    calls = [
        Call("Stopper", settings, ("patience", "min_delta", "mode"), keep="stopper"),
        Call("@leaves", (weights[0],), keep="weights"),
    ]
    for k, (value, numbers) in enumerate(zip(values, weights)):
        calls += [
            Call("@write", ("$weights", numbers), returns=()),
            Call("$stopper.look", (value, "$weights"), ("value", "weights"), returns=(f"stop {k}",)),
            Call("@attribute", ("$stopper", "best_epoch"), returns=(f"best {k}",)),
        ]
    calls += [
        Call("@listed", ("$weights",), returns=("given",)),
        Call("@write", ("$weights", weights[-1]), returns=()),  # the training goes on for a step
    ]
    if _right(case)[-1][1] is None:  # what stands for the weights while there are none is up to the learner
        return calls
    return [
        *calls,
        Call("@attribute", ("$stopper", "weights"), keep="kept"),
        Call("@listed", ("$kept",), returns=("kept",)),
    ]


def _observe(case: Case, trace: Trace) -> Observed:
    """Return after each look whether to stop and where the best was, and the weights that were kept."""
    t = trace.tensors
    answers = {n: v.reshape(()).bool() if v.numel() == 1 else v for n, v in t.items() if n.startswith("stop ")}
    places = {n: v for n, v in t.items() if n.startswith("best ")}
    return {**answers, **places, **{n: v for n, v in t.items() if n.startswith(("kept.", "given."))}}


def _answers(case: Case, o: Observed) -> bool:
    return all(o.get(f"stop {k}", vector(1, 2)).dim() == 0 for k in range(len(case.args["values"])))


def _right(case: Case) -> list[tuple[bool, int | None]]:
    stopper = Stopper(*(case.args[name] for name in ("patience", "min_delta", "mode")))
    return [(stopper.look(value, []), stopper.best_epoch) for value in case.args["values"]]


def _finds_the_best(case: Case, o: Observed) -> bool:
    due = [None if at is None else float(at) for _, at in _right(case)]
    return due == [None if f"best {k}" not in o else float(o[f"best {k}"]) for k in range(len(due))]


def _stops(case: Case, o: Observed) -> bool:
    return [stop for stop, _ in _right(case)] == [bool(o[f"stop {k}"]) for k in range(len(case.args["values"]))]


_PROPERTIES = (
    Property(
        "look answers with True or False",
        _answers,
        "`look` should return True or False each time, and yours returns something else, or nothing.",
        "The loop of the training asks `if stopper.look(value, weights): break`. A function without `return` hands back None.",
        "Print what `look` returns, for an epoch that is a new best and for one that is not.",
    ),
    Property(
        "the best epoch is found",
        _finds_the_best,
        "`best_epoch` is not the epoch of the last new best.",
        "New is a best that beats the old one by more than min_delta, in the direction of `mode`. Whatever is no number beats nothing.",
        "Print value, best and best_epoch in each call, for the case shown. In which epoch do they go wrong first?",
    ),
    Property(
        "it stops in time",
        _stops,
        "You find the best epochs. What `look` returns is not right in some epoch of the case shown.",
        "It is True once as many epochs in a row as `patience` says have brought no new best.",
        "Write a row of the looks without a new best under the values: it begins anew at each best. Where does it reach the patience?",
    ),
    Property(
        "the best weights are kept",
        lambda case, o: False,
        "Epochs and stops are right. `weights` does not hold the weights of the best epoch, tensor by tensor.",
        "The training goes on writing into the same tensors, so that what is not copied changes with them.",
        "Print `stopper.weights` after a new best, and again after two more epochs.",
    ),
)


@exercise("09.4", title="When to stop", points=2)
class WhenToStop:
    """Early stopping: a best with a margin, a patience, and weights that are put aside."""

    reference = Stopper
    read = "Stop early"
    returns = ()
    script = _script
    observe = _observe
    properties = _PROPERTIES
    tolerance = 1e-6
    statement = r"""
        After each epoch of a training something is measured on the validation set. You write the object that looks at these values.

        Write a class `Stopper(patience, min_delta, mode)` with the method `look(value, weights)`. It is called once after each
        epoch, with the value and with a list of the network's tensors as they are now. It returns **True if the training is to stop**, and
        otherwise False.

        * With `mode` "min" lower is better, as for a loss. With "max" higher is, as for an accuracy.
        * A value is a **new best** if it beats the best so far by **more than** `min_delta`. Only a new best becomes "the best so far". While there is none, any
          number is a new best.
        * Training is to stop when `patience` values in a row were no new best.
        * nan (not a number) is never a new best, and counts as one of those in a row.

        Two attributes can be read at any time: `best_epoch`, the number of the epoch of the best, counted from 0 (None while there is none); and `weights`,
        a list of the weights that the network had then. The training writes into its tensors in each step. So it is copies
        that you have to keep. `patience` is 1 or more, and `min_delta` 0 or more. If
        `look` is called again after a True, it answers by the same rules.

        Example: `Stopper(3, 0.0, "min")`, and the values `[1.0, 0.8, 0.9, 0.7, 0.75, 0.72, 0.71]`. New bests are those of the epochs 0, 1 and 3.
        After 0.7 three others come. So `look` returns False six times, and True for 0.71. Then `best_epoch` is 3, and `weights` holds
        what came with the 0.7.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {"by places in a list": _ByPlaces, "both modes written out, counting down": _ByTwoRules}
    hints = (
        "Write a table for the example on paper: value, best so far, looks without a new best. What does each row need to know of the row before? "
        "These are your attributes.",
        'Begin with the best at infinity, so that the first value beats it. For "max" you may turn all signs round, or begin at minus infinity. '
        "A comparison with nan is always False: arrange yours so that this is the right answer.",
        "`if sign * value < self.best - self.min_delta:` is the new best. There, keep value, epoch and `[w.detach().clone() for w in weights]`, and set "
        "the count to 0. Otherwise it goes up by 1. Return whether it has reached the patience.",
    )
