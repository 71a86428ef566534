"""Ways to judge that several exercises share: leakage, causality, equivariance, a derivative, a bar to reach.

Each returns fields of an exercise: a script of calls, what is observed, properties. The classes and functions that are
judged stand in the chapters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Property, Verdict
from companion.checks.levels import close
from companion.checks.trace import Call, Case, Trace, factors

Script = Callable[[Case], list[Call]]
Judge = Callable[[Case, Observed, Observed], Verdict]

TRAINING = (
    "companion.random",
    "companion.nn",
    "companion.functional",
    "companion.init",
    "companion.models",
    "companion.optim",
    "companion.lr_scheduler",
    "companion.training",
)
"""What of the companion an exercise allows that asks to build a model and to train it."""


def outs(script: Script, case: Case) -> tuple[Out, ...]:
    """Return everything that a script brings back, as the ``returns`` of its exercise."""
    return tuple(Out(name) for call in script(case) for name in call.returns)


# -- a derivative -------------------------------------------------------------------------------------


def agrees_with_autograd(value: str, slope: str, argument: str) -> Callable[[Case, Trace], Observed]:
    """Return an ``observe`` that adds how far an analytic derivative is from autograd's of the learner's own value.

    The case names ``argument`` in its ``grad``; value and derivative are taken entry by entry.
    """

    def observe(case: Case, trace: Trace) -> Observed:
        found = {name: trace.tensors[name] for name in (value, slope) if name in trace.tensors}
        gradient = trace.tensors.get(f"grad.{argument}")
        if gradient is not None and slope in found and found[slope].shape == gradient.shape:
            found["agrees"] = torch.tensor(close(found[slope] * factors(gradient), gradient, 1e-4))
        return found

    return observe


DERIVATIVE = Property(
    "the derivative is that of the value",
    lambda case, observed: bool(observed.get("agrees", True)),
    "Your derivative is not that of your own values: autograd, going back through what you return, finds another one.",
    "One of the two follows another formula, or the derivative is written in terms of something else than you hand it.",
    "Take one entry, move it by 0.001, and see how much the value moves: which of the two is right?",
)


# -- leakage ------------------------------------------------------------------------------------------


def leakage(function: str) -> tuple[Script, tuple[Property, ...]]:
    """Return a script and properties for a function of (train, test) that prepares both.

    It is called three times: as it is, with other held-out rows, and with the first held-out row alone.
    """

    def script(case: Case) -> list[Call]:
        train, test = case.args["train"], case.args["test"]
        names = ("train", "test")
        return [
            Call(function, (train, test), names, ("train out", "test out")),
            Call(function, (train, test * 3 + 7), (), ("train out again", "test out again"), repeat=False),
            Call(function, (train, test[:1].clone()), (), ("train out alone", "test out alone"), repeat=False),
        ]

    return script, (
        Property(
            "held-out rows do not reach the training rows",
            lambda case, o: _same(o, "train out", "train out again"),
            "The training rows come out otherwise when only the held-out rows change.",
            "Something is computed from both parts together: what is held out has been seen before the test.",
            "Which mean, spread, minimum or list of columns is computed, and from which rows?",
        ),
        Property(
            "a held-out row does not depend on its neighbours",
            lambda case, o: (
                "test out alone" not in o or "test out" not in o or close(o["test out"][:1], o["test out alone"], 1e-5)
            ),
            "The first held-out row comes out otherwise when it is alone.",
            "It is prepared with numbers of the other held-out rows, which in use will not be there.",
            "What was learned from the training rows, and is it used for the held-out ones as it is?",
        ),
    )


def _same(observed: Observed, one: str, other: str) -> bool:
    return one not in observed or other not in observed or close(observed[one], observed[other], 1e-6)


# -- models -------------------------------------------------------------------------------------------


def causality(make: str, at: int) -> tuple[Script, tuple[Property, ...]]:
    """Return a script and properties for a model of (B, C, T): the output up to ``at`` does not see what comes later."""

    def script(case: Case) -> list[Call]:
        x = case.args["x"]
        later, shifted = x.clone(), torch.zeros_like(x)
        later[..., at + 1 :] += 5
        shifted[..., 1:] = x[..., :-1]
        return [
            Call(make, (), keep="model"),
            Call("@size", ("$model", x), returns=("size",)),
            Call("$model", (x,), ("x",), ("y",)),
            Call("$model", (later,), returns=("y, later changed",)),
            Call("$model", (shifted,), returns=("y, shifted",)),
        ]

    return script, (
        Property(
            "no output sees what comes later",
            lambda case, o: _same_up_to(o, "y", "y, later changed", at),
            f"The outputs up to place {at} change when only inputs after it change.",
            "The model looks ahead: in training it sees the answer, in use the future is not there.",
            "Which inputs does the first output see? On which side is the padding, and how much of it?",
        ),
        Property(
            "shifting the input shifts the output",
            lambda case, o: _shifted(o, "y", "y, shifted", at),
            "When the input moves by one place, the output does not move with it.",
            "The places are not treated alike: something depends on where in the sequence it is.",
            "Which step knows the number of a place, and should it?",
        ),
    )


def _same_up_to(observed: Observed, one: str, other: str, at: int) -> bool:
    a, b = observed.get(one), observed.get(other)
    return a is None or b is None or a.shape != b.shape or close(a[..., : at + 1], b[..., : at + 1], 1e-5)


def _shifted(observed: Observed, one: str, other: str, at: int) -> bool:
    a, b = observed.get(one), observed.get(other)
    return a is None or b is None or a.shape != b.shape or close(a[..., at:-1], b[..., at + 1 :], 1e-4)


# -- training -----------------------------------------------------------------------------------------


def accuracy(case: Case, trace: Trace) -> Observed:
    """Observe the share of held-out rows that are right; their labels are the case's secret ``y_test``."""
    said, labels = trace.tensors.get("predictions"), case.secret["y_test"]
    if said is None or said.shape != labels.shape:
        return {}
    found: dict[str, Tensor] = {"accuracy": (said == labels).to(torch.float64).mean()}
    found["kinds"] = torch.tensor(len(said.unique()))
    if "taken" in trace.tensors:
        found["taken"] = trace.tensors["taken"]
    return found


def bar(target: float, rows: str = "held-out rows") -> Judge:
    """Return a judge that asks for a share of right answers of ``target`` or more on every case."""

    def judge(case: Case, observed: Observed, expected: Observed) -> Verdict:
        if not observed:
            return (
                "Return one answer for each of the held-out rows, in their order.",
                "They are compared with labels that your function never sees.",
                "Print the shape of what you return.",
            )
        got = observed["accuracy"].item()
        if got >= target - 1e-9:
            return None
        return (
            f"On {case.name} {got:.2f} of the {rows} are right; {target} is needed.",
            "Chance differs from case to case, so that luck on one of them is not enough.",
            "Watch the loss on the training rows: does it fall at all, has it come to rest, or is it thrown about?",
        )

    return judge


def no_weights(function: str, first: Tensor) -> Verdict:
    """Return what is said where one long vector of weights was to come back, as long as the first, and something else came."""
    return (
        f"{function} should return the weights: one tensor of decimal numbers with the shape {tuple(first.shape)}.",
        "The check puts them into the network, in the order in which they came.",
        "Print the shape of w at the beginning of your function and at its end.",
    )


# -- a predictor that is handed in, and asked again ----------------------------------------------------

Matches = Callable[[Sequence[Case], Sequence[Observed]], bool]
STEADY = 1e-3
"""By which part of the largest answer two answers may differ that should be the same."""


def asked(predictor: str, x: Tensor, name: str, few: Tensor, strangers: Tensor) -> list[Call]:
    """Return calls that ask something kept about the same rows twice, and about a few rows alone and among strangers."""
    return [
        Call(predictor, (x,), returns=(name,)),
        Call(predictor, (x,), returns=("again",)),
        Call(predictor, (few,), returns=("alone",)),
        Call(predictor, (torch.cat([few, strangers]),), returns=("among others",)),
    ]


def steadiness(trace: Trace, name: str) -> Observed:
    """Return by how much the answers to the calls of :func:`asked` differ where they should not."""
    t = trace.tensors
    return {
        "by chance": (t[name] - t["again"]).abs().amax(),
        "by companions": (t["alone"] - t["among others"][: len(t["alone"])]).abs().amax(),
        "size": t[name].abs().amax(),
    }


def asks_its_companions(o: Observed) -> bool:
    """Return whether the answer for a row changes with the rows beside it, or from call to call."""
    return bool(torch.maximum(o["by chance"], o["by companions"]) > STEADY * o["size"])


def answers_by_chance(o: Observed) -> bool:
    """Return whether the same rows get other answers when they are asked about again."""
    return "by chance" in o and bool(o["by chance"] > STEADY * o["size"])


def every(test: Callable[[Observed], bool]) -> Matches:
    """Return what recognises a mistake that is to be seen in every case."""
    return lambda cases, observed: all(bool(o) and test(o) for o in observed)


def short_of(target: float) -> Callable[[Callable[[Observed], bool]], Matches]:
    """Return what makes recognisers of things that are to be seen in every case, where the accuracy misses a target in some."""

    def misses(test: Callable[[Observed], bool]) -> Matches:
        def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
            seen = all("accuracy" in o and test(o) for o in observed)
            return seen and any(o["accuracy"].item() < target for o in observed)

        return matches

    return misses


def board(statement: str) -> dict[str, list[float]]:
    """Return the baselines of a statement's table, with their scores case by case.

    >>> board("| Baseline | split 1 | split 2 |\\n|---|---|---|\\n| always 1 | 0.50 | 0.40 |")
    {'always 1': [0.5, 0.4]}
    """
    rows = re.findall(r"^ *\| ([^|]+) \|((?: [\d.]+ \|)+)$", statement, flags=re.MULTILINE)
    return {label: [float(x) for x in numbers.split("|")[:-1]] for label, numbers in rows}


def standing(
    observed: Sequence[Observed],
    baselines: Mapping[str, Sequence[float]],
    name: str = "accuracy",
    *,
    low: bool = False,
    digits: int = 3,
) -> str:
    """Say what was measured, case by case, and where that stands among the baselines, by the means of these cases.

    Args:
        observed: what was measured under ``name``.
        baselines: their scores case by case.
        name: of the score.
        low: whether a low score is a good one.
        digits: of the numbers.
    """
    mine = [o[name].item() for o in observed if name in o]
    mean = sum(mine) / max(len(mine), 1)
    means = [sum(b[: len(mine)]) / len(mine) for b in baselines.values()] if mine else []
    passed = sum(mean < m if low else mean > m for m in means)
    numbers = ", ".join(f"{m:.{digits}f}" for m in mine)
    return f"{name} {numbers}; in the mean {'below' if low else 'above'} {passed} of the {len(baselines)} baselines"
