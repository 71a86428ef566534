"""What all schedules share: counting steps, setting rates, saving and loading."""

from __future__ import annotations

from typing import Any

import torch

from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_whole
from companion.lr_scheduler.order import beginning, turn, watch, written


class LRScheduler:
    """Count steps and set the rate of every parameter group to ``rate`` of its first one.

    Making a schedule sets the rates of step 0. Call ``step`` after the optimizer's: a first call before it warns,
    and so do two schedules that step in turn on one optimizer.

    Args:
        optimizer: Whose rates are set.
        last_epoch: The step to go on from; -1 starts anew.

    Attributes:
        base_lrs: The rates that the optimizer was made with, one for each group.
        last_epoch: The number of the present step, from 0.

    Raises:
        TypeError: If the optimizer is none.
        ValueError: If it shall go on but no group knows its first rate.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        require_optimizer(name, optimizer)
        require_whole(name, "last_epoch", last_epoch, least=-1)
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                hint = "load the optimizer's state_dict first, or start with last_epoch=-1"
                raise bad_value(name, "last_epoch", "-1 for an optimizer that had no schedule", last_epoch, hint)
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._step_count = 0
        watch(optimizer)
        with beginning(self):
            self.step()

    def rate(self, base: float) -> float:
        """Return the rate of the present step for a group that started with another.

        Args:
            base: The group's first rate.
        """
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        """Return the rates of the present step, one for each group."""
        return [self.rate(base) for base in self.base_lrs]

    def get_last_lr(self) -> list[float]:
        """Return the rates that were set last, one for each group."""
        return self._last_lr

    def step(self, *given: object) -> None:
        """Go one step on and set the rates.

        Args:
            given: Nothing; only a schedule that watches a value takes one.

        Raises:
            TypeError: If something is given.
        """
        require_nothing(type(self).__name__, given)
        with turn(self):
            self._step_count += 1
            self.last_epoch += 1
            self.set_rates(self.get_lr())

    def restart(self) -> None:
        """Go back to step 0 and set its rates."""
        self.last_epoch = -1
        with beginning(self):
            self.step()

    def set_rates(self, rates: list[float]) -> None:
        """Write rates into the optimizer, one for each group."""
        groups = self.optimizer.param_groups
        if len(rates) != len(groups):
            hint = "make the schedule after the last add_param_group"
            raise bad_value(type(self).__name__, "optimizer", f"{len(rates)} parameter groups", len(groups), hint)
        for group, rate in zip(groups, rates):
            group["lr"] = rate
        self._last_lr = rates
        written(self)

    def state_dict(self) -> dict[str, Any]:
        """Return all that a new schedule with the same arguments needs to go on from here."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from where a schedule was saved, ours or PyTorch's.

        The optimizer's rates are left alone: they are in its own ``state_dict``.

        Args:
            state_dict: What ``state_dict()`` of a schedule of this kind returned.

        Raises:
            TypeError: If it is no dictionary.
            ValueError: If it comes from another kind of schedule; nothing is loaded then.
        """
        self.__dict__.update(self.known(state_dict))

    def known(self, state_dict: dict[str, Any]) -> dict[str, Any]:
        """Return what belongs to this kind of schedule, or refuse what lacks some of it."""
        name, own = type(self).__name__, self.state_dict()
        if not isinstance(state_dict, dict):
            raise bad_type(name, "state_dict", "what state_dict() returned", state_dict)
        missing = sorted(set(own) - set(state_dict))
        if missing:
            raise bad_value(name, "state_dict", f"one of a {name}", f"one without {', '.join(missing)}")
        return {key: state_dict[key] for key in own}


def require_optimizer(where: str, optimizer: torch.optim.Optimizer) -> None:
    """Refuse what is no optimizer."""
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise bad_type(where, "optimizer", "an optimizer", optimizer)


def require_nothing(where: str, given: tuple[object, ...]) -> None:
    """Refuse what is given to a step that takes nothing, such as a loss."""
    if given:
        hint = "ReduceLROnPlateau is the one that watches a value"
        raise bad_type(where, "step", "no argument", given[0], hint)


def one_for_each_group(where: str, argument: str, value: Any, optimizer: torch.optim.Optimizer) -> list:
    """Return a list or tuple with one value for each parameter group as a list, or repeat a single value."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * groups
    if len(value) != groups:
        raise bad_value(where, argument, f"one value, or {groups}, one for each parameter group", f"{len(value)}")
    return list(value)
