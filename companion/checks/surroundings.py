"""What surrounds a learner's code while it runs: a time limit, silence, a known seed, and everything put back."""

from __future__ import annotations

import contextlib
import ctypes
import io
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

_GRACE = 1.0  # seconds that a thread gets to end after its time is up


class TimeUp(BaseException):
    """Raised inside the learner's thread; not an ``Exception``, so that ``except Exception`` lets it pass."""


def with_time_limit(work: Callable[[], None], seconds: float, late: Callable[[Any], None] | None = None) -> str:
    """Run ``work`` in a daemon thread; return ``ended``, ``stopped``, or ``still running``.

    When its time is up ``late`` is called with the frame that is running, before that is stopped.
    """
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
    if late is not None and (frame := sys._current_frames().get(thread.ident or 0)) is not None:
        late(frame)
    give_up = time.monotonic() + _GRACE
    while thread.is_alive() and time.monotonic() < give_up:
        _raise_in(thread)  # repeated, because a bare `except:` inside a loop swallows it
        thread.join(0.05)
    return "still running" if thread.is_alive() else "stopped"


def _raise_in(thread: threading.Thread) -> None:
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(TimeUp))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Show nothing that is printed or warned of."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def put_back() -> Iterator[None]:
    """Leave random numbers and torch's settings as they were."""
    state = torch.get_rng_state(), np.random.get_state(), random.getstate()
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_rng_state(state[0])
        np.random.set_state(state[1])
        random.setstate(state[2])
        torch.set_default_dtype(dtype)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)


def set_seed(seed: int) -> None:
    """Seed every generator that a learner may draw from."""
    torch.default_generator.manual_seed(seed)  # the CPU's only: a check wakes no GPU
    np.random.seed(seed % 2**32)
    random.seed(seed)
    torch.set_grad_enabled(True)


SEED_OF_TORCH = "the seed of torch"


def settings() -> dict[str, Any]:
    """Return what everybody shares, to be compared before and after a learner's code."""
    return {
        SEED_OF_TORCH: torch.initial_seed(),
        "torch's default dtype": torch.get_default_dtype(),
        "the recording of gradients": torch.is_grad_enabled(),
        "the number of threads": torch.get_num_threads(),
    }


def drawn() -> dict[str, Any]:
    """Return where the shared generators stand."""
    kind, keys, place, *_ = np.random.get_state()  # type: ignore[misc]
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": (kind, keys.tobytes(), place),  # type: ignore[union-attr, attr-defined]
        "random": random.getstate(),
    }
