"""Weights and slopes as lists of tensors: how the rules of this chapter are called, and how what they return is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from companion.checks.bank import Observed, Property, rng
from companion.checks.levels import close
from companion.checks.numbers import F64
from companion.checks.trace import Call, Case, Trace

Tensors = list[Tensor]
Draw = Callable[..., Tensors]

LAYERS = ((3, 5), (3,), (2, 3), (2,))
"""The shapes of two layers: a table and its biases, twice."""
F32 = torch.float32


def drawing(seed: int) -> Draw:
    """Return a function that draws a list of tensors of these shapes: in float64 or another dtype, with gaps in memory or not."""
    g = rng(seed)

    def one(shape: Sequence[int], dtype: torch.dtype, strided: bool, scale: float) -> Tensor:
        numbers = (scale * (2 * torch.randn(list(shape), generator=g, dtype=F64) + 0.5)).to(dtype)
        if not strided:
            return numbers
        return torch.zeros(*shape, 2, dtype=dtype)[..., 0].copy_(numbers)

    def draw(*shapes: Sequence[int], dtype: torch.dtype = F64, strided: bool = False, scale: float = 1.0) -> Tensors:
        return [one(shape, dtype, strided, scale) for shape in shapes]

    return draw


def tensors_in(observed: Observed, step: str = "") -> Tensors:
    """Return the tensors that came back in a step, in their order."""
    return [t for name, t in observed.items() if name.startswith(f"{step}.") or not step]


# -- a function that hands back two lists -------------------------------------------------------------


def two_lists(function: str) -> Callable[[Case], list[Call]]:
    """Return the script of a function that takes lists and hands back two: once to see what becomes of what came in, once to read."""

    def script(case: Case) -> list[Call]:
        given, names = tuple(case.args.values()), tuple(case.args)
        return [
            Call(function, given, names, returns=(), repeat=False),
            Call(function, given, names, keep="made"),
            Call("@listed", ("$made",), returns=("made",)),
        ]

    return script


def of_both(case: Case, trace: Trace) -> Observed:
    """Return the tensors of two lists: ``1.2`` is the second of the first list."""
    return {n.removeprefix("made."): t for n, t in trace.tensors.items() if n.startswith("made.")}


def _shapes_of_both(case: Case, observed: Observed) -> bool:
    due = {f"{part}.{n}": w.shape for part in (1, 2) for n, w in enumerate(case.args["weights"], 1)}
    return {n: t.shape for n, t in observed.items()} == due


TWO_LISTS = Property(
    "two lists, with a tensor for each of the weights",
    _shapes_of_both,
    "Two lists should come back: the new weights, then the new velocity. Each holds one tensor for each tensor of weights.",
    "The next step needs both. `return a, b` hands back two things, and no shape changes on the way.",
    "Print the shapes in both of your lists, and those in `weights`. Where do they part?",
)


# -- an object that remembers ------------------------------------------------------------------------

STEPS = 5
"""The most steps that a case takes with one object."""


def steps_of(name: str, settings: Sequence[str]) -> Callable[[Case], list[Call]]:
    """Return the script of a class with a method ``step(weights, slopes)``: a step each of two objects, all of a third.

    The first shows what becomes of what came in. If the objects share a memory, the second and the third begin otherwise.
    """

    def script(case: Case) -> list[Call]:
        function = case.function or name
        given = tuple(case.args[s] for s in settings)
        pairs = list(zip(case.args["weights"], case.args["slopes"]))
        calls = [
            Call(function, given, tuple(settings), keep="first"),
            Call("$first.step", pairs[0], ("weights", "slopes"), returns=()),
            Call(function, given, tuple(settings), keep="second"),
            Call("$second.step", pairs[0], ("weights", "slopes"), keep="begun"),
            Call("@listed", ("$begun",), returns=("begun",)),
            Call(function, given, tuple(settings), keep="object"),
        ]
        for k, (weights, slopes) in enumerate(pairs, 1):
            calls.append(Call("$object.step", (weights, slopes), ("weights", "slopes"), keep=f"new {k}"))
            calls.append(Call("@listed", (f"$new {k}",), returns=(f"step {k}",)))
        return calls

    return script


def of_steps(case: Case, trace: Trace) -> Observed:
    """Return the tensors of all steps: ``step 3.2`` is the second after the third step, ``begun.2`` that of another object's first."""
    return {n: t for n, t in trace.tensors.items() if n.startswith(("step ", "begun."))}


def _shapes_of_steps(case: Case, observed: Observed) -> bool:
    due = {
        f"step {k}.{n}": w.shape for k, weights in enumerate(case.args["weights"], 1) for n, w in enumerate(weights, 1)
    }
    return {n: t.shape for n, t in observed.items() if n.startswith("step ")} == due


def _alone(case: Case, observed: Observed) -> bool:
    """Return whether two objects take the same first step."""
    return all(
        one.shape == other.shape and bool(torch.isclose(one, other, rtol=1e-4, atol=1e-6, equal_nan=True).all())
        for one, other in zip(tensors_in(observed, "begun"), tensors_in(observed, "step 1"))
    )


def _begins_well(case: Case, observed: Observed) -> bool:
    """Return whether some weight moves in the first step."""
    first = tensors_in(observed, "step 1")
    still = all(bool((g == 0).all()) for g in case.args["slopes"][0])
    return still or any(bool((new != w).any()) for new, w in zip(first, case.args["weights"][0]))


NEW_WEIGHTS = Property(
    "a tensor for each of the weights",
    _shapes_of_steps,
    "`step` should return a list with one tensor for each tensor of weights, in the same order and of the same shape.",
    "The rule is taken entry by entry, so that no shape changes. A mean, a stacked list or a list in a list changes it.",
    "Print the shapes in `weights` and in what you return, one below the other. Where do they part?",
)
ALONE = Property(
    "a new object begins anew",
    _alone,
    "A new object of your class does not begin at 0: its first step is another one than the first step of the object before it.",
    "They share what they remember: it belongs to the class, or to a list that stands outside of it, and not to the object.",
    "Everything that is remembered is made in `__init__` and begins with `self.`. Which name of yours is made elsewhere?",
)
MOVES = Property(
    "weights move in the first step",
    _begins_well,
    "In the first step all your weights stay where they are, although there are slopes.",
    "What is remembered begins at 0. Where the slope of this very step is not put in before it is used, there is nothing to follow.",
    "In which order should it go in `step`: use what is remembered, or first bring it up to date?",
)


def in_time(make: Callable[[Case], Any]) -> tuple[Property, Property]:
    """Return what is said of a wrong first step, and of wrong later ones, from what makes a right object for a case."""

    def first_is_right(case: Case, observed: Observed) -> bool:
        due = make(case).step(case.args["weights"][0], case.args["slopes"][0])
        return all(close(one, other, 1e-4) for one, other in zip(tensors_in(observed, "step 1"), due))

    return (
        Property(
            "the first step is right",
            first_is_right,
            "Your first step is not right yet. No earlier step can be to blame: what is remembered is still 0 when that one begins.",
            "So the fault is in one of the formulas, in their order, or in what is taken from `__init__`.",
            "Do the first step of the case shown on paper for one weight, line by line, and print the same lines in your code.",
        ),
        Property(
            "all steps are right",
            lambda case, observed: False,
            "Your first step is right, and a later one is not.",
            "From an empty memory your formulas do what they should. So look at what is kept between two calls, and at what it is used for.",
            "Print what your object remembers when the second call begins. Is it what the first call has made, for each tensor?",
        ),
    )
