"""The order of steps: an optimizer's before its schedule's, and one schedule for one optimizer."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, ref

import torch

from companion.errors import bad_value

_CALLER = 6  # calls from a warning here to the line that called the schedule's step


class _Order:
    """What has happened to an optimizer since its first schedule was made.

    It hangs on the optimizer as a hook, and is no part of any ``state_dict`` or pickle: of a copy nothing is
    known, so nothing is said.
    """

    def __init__(self) -> None:
        self.stepped = self.told = self.told_of_two = False
        self.acting: object = None  # the schedule whose step or beginning is going on; what it calls is its own
        self.writer: ref | None = None  # the schedule whose step set the rates last
        self.seen: WeakSet[Any] = WeakSet()  # the schedules that have stepped

    def note_step(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        self.stepped = True


_ORDERS: WeakKeyDictionary[torch.optim.Optimizer, _Order] = WeakKeyDictionary()
_BEGINNING = object()


def watch(optimizer: torch.optim.Optimizer) -> None:
    """Begin to note what happens to an optimizer."""
    if optimizer not in _ORDERS:
        order = _ORDERS[optimizer] = _Order()
        optimizer.register_step_post_hook(order.note_step)


def beginning(schedule: Any) -> AbstractContextManager[None]:
    """Let a schedule set the rates of step 0: that is no step."""
    return _acting(schedule, _BEGINNING)


@contextmanager
def turn(schedule: Any, *, first: bool = True) -> Iterator[None]:
    """Look, before a schedule steps, whether its turn has come, and warn if not.

    Args:
        schedule: Which steps.
        first: Whether a step of the optimizer has to come before.
    """
    order = _ORDERS.get(schedule.optimizer)
    if order is not None and order.acting is None:
        if first:
            _look_for_a_step(order, schedule)
        _look_for_another(order, schedule)
        order.seen.add(schedule)
    with _acting(schedule, schedule):
        yield


def written(schedule: Any) -> None:
    """Note that a schedule has set the rates, by itself or within the step of another."""
    order = _ORDERS.get(schedule.optimizer)
    if order is not None and order.acting not in (None, _BEGINNING):
        order.writer = ref(order.acting)


@contextmanager
def _acting(schedule: Any, who: object) -> Iterator[None]:
    order = _ORDERS.get(schedule.optimizer)
    if order is None or order.acting is not None:
        yield
        return
    order.acting = who
    try:
        yield
    finally:
        order.acting = None


def _look_for_a_step(order: _Order, schedule: Any) -> None:
    if order.stepped or order.told or schedule.last_epoch != 0 or _has_overflowed(schedule.optimizer):
        return
    order.told = True
    hint = "no step is taken with the first rate; call optimizer.step() first, then that of the schedule"
    _warn(bad_value(type(schedule).__name__, "step", "a call after optimizer.step()", "one before it", hint))


def _look_for_another(order: _Order, schedule: Any) -> None:
    other = order.writer() if order.writer else None
    if other is None or other is schedule or schedule not in order.seen or order.told_of_two:
        return
    order.told_of_two = True
    hint = "each sets the rates anew, and SequentialLR puts one after the other"
    got = f"rates that {type(other).__name__} had set in between"
    _warn(bad_value(type(schedule).__name__, "optimizer", "one schedule at a time", got, hint))


def _has_overflowed(optimizer: torch.optim.Optimizer) -> bool:
    """Say whether a gradient is not finite: then a scaler of gradients has left the optimizer's step out."""
    grads = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    return any(not grad.sum().isfinite() for grad in grads)


def _warn(sentence: ValueError) -> None:
    warnings.warn(str(sentence), stacklevel=_CALLER)
