"""The contract between a learner's object and everything that judges it: calls go in, named tensors come out.

A :class:`Case` is one input. An exercise's script turns it into :class:`Call` objects, which hold plain data
only, so that they can be sent to another process. Running them gives a :class:`Trace`. Whoever compares,
explains or grades reads traces and never touches the learner's object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor

SEED = 0x5EED1
"""The usual seed of a case; a learner's code that sets one of its own, such as 0, is seen by the difference."""
Value = Any
"""What a call may carry: a tensor, a number, a string, ``None``, or a list, tuple or dict of these."""


@dataclass(frozen=True)
class Call:
    """One step of a script.

    Args:
        function: the learner's function or class by its name; ``$layer`` for something that was kept, ``$layer.step``
            for a method of it; ``@state`` for a routine of the driver (:mod:`companion.checks.routines`).
        args: what it is called with, by position; the string ``"$layer"`` stands for what was kept under that name.
        names: the names of these arguments, in the same order (for reports, never used as keywords).
        returns: a name for each thing that should come back; none where only the effect matters.
        keep: keep what comes back under this name, for later steps, instead of reading it.
        grad: names of the arguments by which the first result is differentiated.
        repeat: call a function a second time with fresh copies, so that hidden state shows.
    """

    function: str
    args: tuple[Value, ...] = ()
    names: tuple[str, ...] = ()
    returns: tuple[str, ...] = ("out",)
    keep: str = ""
    grad: tuple[str, ...] = ()
    repeat: bool = True

    @property
    def plain(self) -> bool:
        """Whether one of the learner's own functions is called and its result is read."""
        return self.function[:1] not in ("$", "@") and not self.keep


@dataclass(frozen=True)
class Case:
    """One input of an exercise, in words and in values.

    Args:
        name: what is special about it, in words that follow "with".
        args: arguments by name, in the order of the call.
        function: which function it is for; empty where the exercise has one function.
        grad: arguments by which the result is differentiated.
        secret: what only the judge may know (labels of held-out rows); never part of a call.
        seed: set before the learner's code runs, so that a check says the same twice.
        says: what to tell the learner when this case is the first to fail and no known mistake explains it.
        show: whether its input may be shown.
        axes: argument to the names of its axes, where they are known: the case can then be made smaller.
        example: whether the statement works it out: shown before any other, because the learner knows it.
        aside: whether it asks for something of its own, beside the task: an answer that fails elsewhere too is compared
            with known mistakes without it.
        tolerance: how near results must come where the exercise's own tolerance is too wide; 0: as the exercise says.
    """

    name: str
    args: Mapping[str, Value] = field(default_factory=dict)
    function: str = ""
    grad: tuple[str, ...] = ()
    secret: Mapping[str, Tensor] = field(default_factory=dict)
    seed: int = SEED
    says: str = ""
    show: bool = True
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    example: bool = False
    aside: bool = False
    tolerance: float = 0.0

    @cached_property
    def size(self) -> int:
        """Number of values in its arguments: the smaller, the easier to explain, but for none at all."""
        sizes = [a.numel() if isinstance(a, Tensor) else len(str(a)) for a in self.args.values()]
        return sum(sizes) if all(sizes) else 1000

    @cached_property
    def oddness(self) -> tuple[bool, int]:
        """How hard it is to follow: the statement's example least, then by size and by numbers that nobody would choose."""
        return not self.example, self.size + sum(_oddness(a) for a in self.args.values())


def _oddness(value: Value) -> int:
    """Return by how many plain numbers a value counts for more than its size."""
    if isinstance(value, float):
        return 4 * (value == 0)  # an argument at 0 is a case of its own
    if not isinstance(value, Tensor) or not value.is_floating_point() or not value.numel():
        return 0
    numbers = value.detach().to(torch.float64).flatten()
    size = numbers.abs()
    extreme = (size >= 100) | ((size > 0) & (size < 1e-3)) | numbers.isnan()
    long = ~extreme & ((100 * numbers).round() - 100 * numbers).abs().gt(1e-3)
    alike = value.dim() > 0 and bool((numbers == numbers[0]).all())
    return int(9 * extreme.sum() + long.sum()) + 6 * alike + 3 * (value.dtype == torch.float64)


@dataclass(frozen=True)
class Crash:
    """Where and how a learner's code stopped: ``raised``, ``signature``, ``missing``, ``timeout``, or ``not reached``.

    Of a wrong signature ``line`` is the call that is not accepted, such as ``step(weights, slopes)``.
    ``names`` tells the shapes of what the line names, ``like`` a name that is there, written nearly as the missing one.
    """

    kind: str
    type: str = ""
    text: str = ""
    line_number: int = 0
    line: str = ""
    names: str = ""
    like: str = ""


@dataclass(frozen=True)
class Trace:
    """What came out of one case.

    ``tensors`` holds every result under its name, ``again.<name>`` of the second call, ``after.<argument>``
    as the caller's argument looked afterwards, and ``grad.<argument>``. ``facts`` holds short texts about
    them: ``<name>.type``, ``<name>.dtype``, ``<name>.device``, ``<name>.holds`` (what a list holds),
    ``grad.<argument>`` (``"lost"``), ``structure``, ``used`` (a ready-made function that does the work), ``touched``
    (what it changed for everybody), ``drew``, ``changed`` (arguments that are lists or dicts and hold something else now).
    """

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, str]
    crash: Crash | None = None


class Finding(NamedTuple):
    """What was found about an answer, in three parts: what is to be seen, why that happens, what to try next."""

    seen: str
    why: str
    next: str


def factors(like: Tensor) -> Tensor:
    """Return by what each entry of a result counts in the gradient that is recorded.

    All differ: with ones, errors that cancel in the sum would not show.
    """
    return torch.linspace(0.5, 1.5, like.numel(), dtype=like.dtype).reshape(like.shape)


def call_once(case: Case, functions: tuple[str, ...], returns: tuple[str, ...]) -> list[Call]:
    """Return the usual script: one call with the case's arguments."""
    return [
        Call(
            function=case.function or functions[0],
            args=tuple(case.args.values()),
            names=tuple(case.args),
            returns=returns,
            grad=case.grad,
        )
    ]
