"""Run a learner's functions and objects through scripted calls and bring back traces.

Nothing here knows an expected answer. The learner's code runs in a thread of its own; when its time is up, an
exception is raised inside that thread, again and again, and if it does not end it is left behind. This works
on every system, where an alarm signal would not.
"""

from __future__ import annotations

import dataclasses
import importlib
import linecache
import sysconfig
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from companion.checks import around
from companion.checks.reading import WrongSignature, fits, fresh, hands_back, left_slopes, read, unchanged
from companion.checks.routines import NEEDS, ROUTINES
from companion.checks.surroundings import TimeUp, drawn, put_back, quiet, set_seed, settings, with_time_limit
from companion.checks.trace import Call, Crash, Trace, Value, factors
from companion.checks.watch import ready_made, watched

_LIBRARIES = tuple(str(Path(p).resolve()) for p in (sysconfig.get_path("stdlib"), torch.__path__[0]))


class MissingPart(Exception):
    """The learner's object has no such method or attribute."""


def drive(
    functions: Mapping[str, Callable[..., Any]],
    scripts: Sequence[tuple[Sequence[Call], int]],
    *,
    timeout: float,
    watch: Sequence[str] = (),
    allowed: Sequence[str] | None = None,
) -> list[Trace]:
    """Run each script (calls and seed) and return one trace per script, whatever the functions do.

    Args:
        functions: the learner's functions and classes by name.
        scripts: per case its calls and the seed set before them.
        timeout: seconds for all of them together.
        watch: names of torch functions whose use is recorded in ``facts["used"]``.
        allowed: what may be used of the libraries in which the answer may stand ready-made; ``None``: all of them.
    """
    done: list[Trace] = []
    mentions = [] if allowed is None else [ready_made(f, allowed, watch) for f in functions.values()]
    used = next((name for name in mentions if name), "")

    for module in {NEEDS[c.function[1:]] for calls, _ in scripts for c in calls if c.function[1:] in NEEDS}:
        importlib.import_module(module)

    def work() -> None:
        for calls, seed in scripts:
            set_seed(seed)
            before, stood = settings(), drawn()
            with put_back():
                trace = _Run(functions, watch, used).trace(calls)
                facts = _surroundings(before, stood)
            done.append(Trace(trace.tensors, {**trace.facts, **facts}, trace.crash))

    with quiet(), put_back():
        place: list[tuple[int, str]] = []
        how = with_time_limit(
            work, timeout, lambda frame: place.append(_learners_line(traceback.walk_stack(frame))[1:])
        )
    traces = done[: len(scripts)]
    if how != "ended":
        number, line = place[0] if place else (0, "")
        traces = [*traces, Trace({}, {}, Crash("timeout", "", how, number, line))]
    return [*traces, *[Trace({}, {}, Crash("not reached"))] * len(scripts)][: len(scripts)]


def _surroundings(before: Mapping[str, Any], stood: Mapping[str, Any]) -> dict[str, str]:
    """Say what a learner's code changed for everybody, and from which shared generators it drew."""
    now, stands = settings(), drawn()
    facts = {
        "touched": ", ".join(k for k in before if before[k] != now[k]),
        "drew": ", ".join(k for k in stood if stood[k] != stands[k]),
    }
    return {k: v for k, v in facts.items() if v}


class _Run:
    """One script: what was kept so far, and the trace as it grows."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]], watch: Sequence[str], used: str) -> None:
        self.functions, self.watch = functions, watch
        self.kept: dict[str, Any] = {}
        self.tensors: dict[str, Tensor] = {}
        self.facts: dict[str, str] = {"used": used} if used else {}

    def trace(self, calls: Sequence[Call]) -> Trace:
        """Take all steps, or as many as the learner's code lets happen."""
        for call in calls:
            try:
                self.step(call)
            except TimeUp:
                raise
            except (
                BaseException
            ) as error:  # whatever a learner's code raises, SystemExit too, is a finding and not our end
                return Trace(self.tensors, self.facts, _called(call, _describe(error)))
        return Trace(self.tensors, self.facts)

    def step(self, call: Call) -> None:
        """Call one function, and keep or read what comes back."""
        function = self.find(call.function)
        given = [self.given(a) for a in call.args]
        fits(function, given)
        value = function(*given)
        if call.new and (back := [n for n, g in zip(call.names, given) if hands_back(value, g)]):
            self.facts.setdefault("handed back", back[0])
        if call.keep:
            self.kept[call.keep] = value
            return
        self.read(value, call.returns)
        for name, argument in zip(call.names, given):
            if isinstance(argument, Tensor):
                self.tensors[f"after.{name}"] = argument.detach().clone()
        held = [(n, g, a) for n, g, a in zip(call.names, given, call.args) if isinstance(a, list | dict)]
        if written := ", ".join(name for name, now, before in held if not unchanged(now, before)):
            self.facts["changed"] = written
        if call.plain and call.repeat:
            second: dict[str, Tensor] = {}
            # Slopes that were left in an argument add up: they show if it comes a second time.
            args = given if left_slopes(given) else [self.given(a) for a in call.args]
            read(function(*args), call.returns, second, {})
            self.tensors.update({f"again.{name}": tensor for name, tensor in second.items()})
        changed = any(
            isinstance(a, Tensor) and not torch.equal(a, self.tensors[f"after.{n}"])
            for n, a in zip(call.names, call.args)
        )
        if call.grad and not changed:  # autograd would stumble over the change, which has been recorded
            self.differentiate(function, call)

    def find(self, name: str) -> Callable[..., Any]:
        """Return what a step calls: a routine, something kept or a method of it, a function of the learner's."""
        if name.startswith("@"):
            return ROUTINES[name[1:]]
        first, *parts = name.removeprefix("$").split(".")
        thing = self.kept[first] if name.startswith("$") else self.functions[first]
        for part in parts:
            if not hasattr(thing, part):
                raise MissingPart(part)
            thing = getattr(thing, part)
        return watched(thing, self.watch, self.facts)

    def given(self, value: Value) -> Any:
        """Return a fresh copy of an argument, or what it stands for."""
        if isinstance(value, str) and value.startswith("$"):
            return self.kept[value[1:]] if value[1:] in self.kept else self.functions[value[1:]]
        if isinstance(value, list):
            return [self.given(v) for v in value]
        return fresh(value)

    def read(self, value: Any, returns: Sequence[str]) -> None:
        """Copy a result into the trace; of a table, or of a dict of numbers, each entry under ``<name>.<entry>``."""
        if (
            len(returns) == 1
            and issubclass(type(value), dict)
            and all(issubclass(type(v), int | float) for v in value.values())
        ):
            value = {k: torch.tensor(v, dtype=torch.float64) for k, v in value.items()}
        if len(returns) == 1 and type(value) is dict and all(isinstance(v, (Tensor, str)) for v in value.values()):
            entries = {f"{returns[0]}.{k}": v for k, v in value.items()}
            self.tensors.update({k: v for k, v in entries.items() if isinstance(v, Tensor)})
            self.facts.update({k: v for k, v in entries.items() if isinstance(v, str)})
            self.facts[f"{returns[0]}.type"] = "dict"
        elif returns:
            read(value, returns, self.tensors, self.facts)

    def differentiate(self, function: Callable[..., Any], call: Call) -> None:
        """Record the gradients of the first result by the arguments that the step names."""
        leaves = {n: fresh(a).requires_grad_() for n, a in zip(call.names, call.args) if n in call.grad}
        # Not the leaf itself: writing into a leaf raises, and a caller's tensor is rarely a leaf.
        value = function(*[leaves[n] * 1 if n in leaves else self.given(a) for n, a in zip(call.names, call.args)])
        first = value[0] if type(value) in (tuple, list) and value else value
        if not issubclass(type(first), Tensor) or not first.requires_grad:
            self.facts.update({f"grad.{n}": "lost" for n in leaves})
            return
        if first.device.type != "cpu":
            return  # told as such
        grads = torch.autograd.grad(first, list(leaves.values()), factors(first), allow_unused=True)
        for name, grad in zip(leaves, grads):
            if grad is None:
                self.facts[f"grad.{name}"] = "lost"
            else:
                self.tensors[f"grad.{name}"] = grad.detach().clone()


def _called(call: Call, crash: Crash) -> Crash:
    """Return a crash that says how the function was called which does not accept it, where the script names the arguments."""
    if crash.kind != "signature" or not call.names:
        return crash
    return dataclasses.replace(crash, line=f"{call.function.split('.')[-1].lstrip('$')}({', '.join(call.names)})")


def _describe(error: BaseException) -> Crash:
    """Name the error and the last line of the learner's own code that led to it."""
    try:
        text = " ".join(str(error).split())
    except BaseException:  # an exception whose text cannot be made
        text = ""
    if isinstance(error, WrongSignature | MissingPart):
        return Crash("signature" if isinstance(error, WrongSignature) else "missing", text=text)
    frame, number, line = _learners_line(reversed(list(traceback.walk_tb(error.__traceback__))))
    missing = getattr(error, "name", None) if type(error) is NameError else None
    return Crash(
        "raised",
        type(error).__name__,
        text[:160],
        number,
        line,
        around.names_in(line, frame) if frame else "",
        around.like(missing, frame) if frame and type(missing) is str else "",
    )


def _learners_line(frames: Iterable[tuple[FrameType, int]]) -> tuple[FrameType | None, int, str]:
    """Return the first line of the learner's own code among frames, the innermost first: its frame, number and text."""
    for frame, number in frames:
        filename = frame.f_code.co_filename
        if not _ours_or_library(filename):
            return frame, number, linecache.getline(filename, number).strip()
    return None, 0, ""


_OURS = (
    *("drive.py", "watch.py", "routines.py", "counted.py", "deep.py", "modules.py", "reading.py", "surroundings.py"),
    *("splits.py", "loops.py", "resumed.py", "tables.py", "resamples.py"),
)


def _ours_or_library(filename: str) -> bool:
    path = Path(filename)
    if (path.parent == Path(__file__).parent and path.name in _OURS) or "site-packages" in path.parts:
        return True
    return filename.startswith("<frozen") or (path.is_absolute() and str(path.resolve()).startswith(_LIBRARIES))
