"""Run a learner's functions through scripted calls and bring back traces.

Nothing here knows an expected answer. The learner's code runs in a thread of its own; when its time is up, an
exception is raised inside that thread, again and again, and if it does not end it is left behind. This works
on every system, where an alarm signal would not.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import inspect
import io
import linecache
import random
import sysconfig
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode, resolve_name

from companion.checks.trace import Call, Crash, Trace, Value

_GRACE = 1.0  # seconds that a thread gets to end after its time is up
_LISTS = ("list", "tuple")
_LIBRARIES = tuple(str(Path(p).resolve()) for p in (sysconfig.get_path("stdlib"), torch.__path__[0]))


class TimeUp(BaseException):
    """Raised inside the learner's thread; not an ``Exception``, so that ``except Exception`` lets it pass."""


class WrongSignature(Exception):
    """The function does not accept the arguments it is called with."""


def drive(
    functions: Mapping[str, Callable[..., Any]],
    scripts: Sequence[tuple[Sequence[Call], int]],
    *,
    timeout: float,
    watch: Sequence[str] = (),
) -> list[Trace]:
    """Run each script (calls and seed) and return one trace per script, whatever the functions do.

    Args:
        functions: the learner's functions by name.
        scripts: per case its calls and the seed set before them.
        timeout: seconds for all of them together.
        watch: names of torch functions whose use is recorded in ``facts["used"]``.
    """
    done: list[Trace] = []

    def work() -> None:
        for calls, seed in scripts:
            _seed(seed)
            done.append(_run(functions, calls, watch))

    with _quiet(), _same_randomness_afterwards():
        how = _with_time_limit(work, timeout)
    traces = done[: len(scripts)]
    if how != "ended":
        traces = [*traces, Trace({}, {}, Crash("timeout", text=how))]
    return [*traces, *[Trace({}, {}, Crash("not reached"))] * len(scripts)][: len(scripts)]


def _run(functions: Mapping[str, Callable[..., Any]], calls: Sequence[Call], watch: Sequence[str]) -> Trace:
    tensors: dict[str, Tensor] = {}
    facts: dict[str, str] = {}
    for call in calls:
        try:
            _do(_watched(functions[call.function], watch, facts), call, tensors, facts)
        except TimeUp:
            raise
        except BaseException as error:  # whatever a learner's code raises, SystemExit too, is a finding and not our end
            return Trace(tensors, facts, _describe(error))
    return Trace(tensors, facts)


def _do(function: Callable[..., Any], call: Call, tensors: dict[str, Tensor], facts: dict[str, str]) -> None:
    given = [_fresh(a) for a in call.args]
    _fits(function, given)
    value = function(*given)
    if call.then == "train":
        _train(function, value, call.settings, tensors, facts)
        return
    _read(value, call.returns, tensors, facts)
    for name, argument in zip(call.names, given):
        if isinstance(argument, Tensor):
            tensors[f"after.{name}"] = argument.detach().clone()
    if call.repeat:
        second: dict[str, Tensor] = {}
        _read(function(*[_fresh(a) for a in call.args]), call.returns, second, {})
        tensors.update({f"again.{name}": tensor for name, tensor in second.items()})
    changed = any(
        isinstance(a, Tensor) and not torch.equal(a, tensors[f"after.{n}"]) for n, a in zip(call.names, call.args)
    )
    if call.grad and not changed:  # autograd would stumble over the change, which has been recorded
        _differentiate(function, call, tensors, facts)


def _differentiate(function: Callable[..., Any], call: Call, tensors: dict[str, Tensor], facts: dict[str, str]) -> None:
    leaves = {n: _fresh(a).requires_grad_() for n, a in zip(call.names, call.args) if n in call.grad}
    # Not the leaf itself: writing into a leaf raises, and a caller's tensor is rarely a leaf.
    value = function(*[leaves[n] * 1 if n in leaves else _fresh(a) for n, a in zip(call.names, call.args)])
    first = value[0] if type(value) in (tuple, list) and value else value
    if not issubclass(type(first), Tensor) or not first.requires_grad:
        facts.update({f"grad.{n}": "lost" for n in leaves})
        return
    # A different factor for each entry: with all ones, errors that cancel in the sum would not show.
    factor = torch.linspace(0.5, 1.5, first.numel(), dtype=first.dtype).reshape(first.shape)
    grads = torch.autograd.grad(first, list(leaves.values()), factor, allow_unused=True)
    for name, grad in zip(leaves, grads):
        if grad is None:
            facts[f"grad.{name}"] = "lost"
        else:
            tensors[f"grad.{name}"] = grad.detach().clone()


def _read(value: Any, returns: Sequence[str], tensors: dict[str, Tensor], facts: dict[str, str]) -> None:
    """Copy what came back into named tensors and say what kind of thing each was."""
    if len(returns) == 1:
        _read_one(returns[0], value, tensors, facts)
    elif type(value) is dict and set(value) == set(returns):
        for name in returns:
            _read_one(name, value[name], tensors, facts)
    elif issubclass(type(value), tuple | list) and len(value) == len(returns):
        for name, item in zip(returns, value):
            _read_one(name, item, tensors, facts)
    elif issubclass(type(value), tuple | list):
        facts["structure"] = f"{type(value).__name__} of {len(value)}"
    else:
        facts["structure"] = "nothing (None)" if value is None else f"one {_kind(value)}"


def _read_one(name: str, value: Any, tensors: dict[str, Tensor], facts: dict[str, str]) -> None:
    facts[f"{name}.type"] = kind = _kind(value)
    if kind == "tensor":
        plain = value.detach().as_subclass(Tensor).cpu().clone()
        facts[f"{name}.dtype"] = str(plain.dtype).removeprefix("torch.")
        tensors[name] = plain
    elif kind in ("bool", "int", "float", *_LISTS, "numpy array", "numpy number"):
        with contextlib.suppress(ValueError, TypeError, RuntimeError, OverflowError):
            plain_list = [v.item() if issubclass(type(v), Tensor) else v for v in value] if kind in _LISTS else value
            tensors[name] = torch.as_tensor(np.array(plain_list)).clone()


def _kind(value: Any) -> str:
    kind = type(value)
    if value is None:
        return "None"
    if issubclass(kind, Tensor):
        return "tensor"
    if issubclass(kind, np.ndarray):
        return "numpy array"
    if issubclass(kind, np.generic):
        return "numpy number"
    return kind.__name__


def _train(
    make: Callable[..., Any],
    network: Any,
    settings: Mapping[str, Value],
    tensors: dict[str, Tensor],
    facts: dict[str, str],
) -> None:
    """Train a network by plain gradient descent on cross-entropy; record its scores for held-out rows."""
    facts["network.type"] = "network" if issubclass(type(network), torch.nn.Module) else _kind(network)
    if facts["network.type"] != "network":
        return
    facts["network.shared"] = "yes" if make() is network else "no"
    parameters = [p for p in network.parameters() if p.requires_grad]
    matrices = [p for p in parameters if p.dim() == 2]
    tensors["shapes"] = torch.tensor([list(p.shape) for p in matrices], dtype=torch.int64).reshape(-1, 2)
    tensors["twins"] = torch.tensor([float(len(p) > 1 and bool((p == p[0]).all())) for p in matrices])
    x, y, probe, held_out = (settings[k] for k in ("x", "y", "probe", "held_out"))
    with torch.no_grad():
        tensors["start"] = network(probe.clone()).detach().clone()
    if tensors["start"].shape != (len(probe), settings["classes"]) or not parameters:
        return
    picks = torch.Generator().manual_seed(int(settings["seed"]))
    losses = []
    for _ in range(int(settings["steps"])):
        rows = torch.randint(len(x), (int(settings["batch"]),), generator=picks)
        loss = torch.nn.functional.cross_entropy(network(x[rows]), y[rows])
        losses.append(loss.item())
        grads = torch.autograd.grad(loss, parameters, allow_unused=True)
        with torch.no_grad():
            for parameter, grad in zip(parameters, grads):
                if grad is not None:
                    parameter -= settings["lr"] * grad
    network.eval()
    with torch.no_grad():
        tensors["scores"] = network(held_out.clone()).detach().clone()
    tensors["loss"] = torch.tensor(losses)


# -- boundaries ---------------------------------------------------------------------------------------


def _with_time_limit(work: Callable[[], None], seconds: float) -> str:
    """Run ``work`` in a daemon thread; return ``ended``, ``stopped``, or ``still running``."""
    stopped = False

    def body() -> None:
        nonlocal stopped
        try:
            work()
        except TimeUp:
            stopped = True

    thread = threading.Thread(target=body, daemon=True, name="exercise check")
    thread.start()
    try:
        thread.join(seconds)
    except BaseException:  # the learner interrupts the kernel: stop their code too
        _raise_in(thread)
        raise
    if not thread.is_alive():
        return "stopped" if stopped else "ended"
    give_up = time.monotonic() + _GRACE
    while thread.is_alive() and time.monotonic() < give_up:
        _raise_in(thread)  # repeated, because a bare `except:` inside a loop swallows it
        thread.join(0.05)
    return "still running" if thread.is_alive() else "stopped"


def _raise_in(thread: threading.Thread) -> None:
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(TimeUp))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _same_randomness_afterwards() -> Iterator[None]:
    state = torch.get_rng_state(), np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        torch.set_rng_state(state[0])
        np.random.set_state(state[1])
        random.setstate(state[2])


def _seed(seed: int) -> None:
    torch.default_generator.manual_seed(seed)  # the CPU's only: a check wakes no GPU
    np.random.seed(seed)
    random.seed(seed)


class _Watcher(TorchFunctionMode):
    """Note which of the watched torch functions are called."""

    def __init__(self, names: Sequence[str], facts: dict[str, str]) -> None:
        super().__init__()
        self.names, self.facts = set(names), facts

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = resolve_name(func) or f"{func.__module__}.{getattr(func, '__qualname__', '')}"
        if name.removeprefix("torch.") in self.names:
            self.facts["used"] = name
        return func(*args, **(kwargs or {}))


def _watched(function: Callable[..., Any], names: Sequence[str], facts: dict[str, str]) -> Callable[..., Any]:
    if not names:
        return function

    @functools.wraps(function)
    def watched(*args: Any) -> Any:
        with _Watcher(names, facts):
            return function(*args)

    return watched


def _fresh(value: Value) -> Value:
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, list):
        return [_fresh(v) for v in value]
    return value


def _fits(function: Callable[..., Any], given: Sequence[Value]) -> None:
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return  # some built-in functions have no readable signature
    try:
        signature.bind(*given)
    except TypeError:
        raise WrongSignature(", ".join(signature.parameters)) from None


def _describe(error: BaseException) -> Crash:
    """Name the error and the last line of the learner's own code that led to it."""
    try:
        text = " ".join(str(error).split())
    except BaseException:  # an exception whose text cannot be made
        text = ""
    if isinstance(error, WrongSignature):
        return Crash("signature", text=text)
    number, line = 0, ""
    for frame, lineno in traceback.walk_tb(error.__traceback__):
        filename = frame.f_code.co_filename
        if not _ours_or_library(filename):
            number, line = lineno, linecache.getline(filename, lineno).strip()
    return Crash("raised", type(error).__name__, text[:160], number, line)


def _ours_or_library(filename: str) -> bool:
    path = Path(filename)
    if path == Path(__file__) or "site-packages" in path.parts or filename.startswith("<frozen"):
        return True
    return path.is_absolute() and str(path.resolve()).startswith(_LIBRARIES)
