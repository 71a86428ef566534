"""Schedules one after the other."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import torch

from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_whole
from companion.lr_scheduler.base import LRScheduler, require_nothing, require_optimizer
from companion.lr_scheduler.order import beginning, turn, watch
from companion.lr_scheduler.plateau import ReduceLROnPlateau


class SequentialLR(LRScheduler):
    """Follow one schedule until a milestone, then the next from its own step 0: warm-up and decay.

    Args:
        optimizer: Whose rates are set.
        schedulers: The schedules, made with the same optimizer.
        milestones: The steps at which the next one takes over, rising, one fewer than schedules.
        last_epoch: Only -1; the argument exists because PyTorch's schedule has it.

    Raises:
        TypeError: If a schedule is none of this module, a milestone no whole number, or either stands alone
            instead of in a list.
        ValueError: If there is none, one watches a value or belongs to another optimizer, or the milestones
            do not fit.

    Source:
        Goyal et al. (2017), Accurate, large minibatch SGD: training ImageNet in 1 hour (warm-up, then decay).

    >>> from companion.lr_scheduler import ExponentialLR, LinearLR
    >>> from companion.optim import SGD
    >>> o = SGD([torch.zeros(1)], lr=1.0)
    >>> SequentialLR(o, [LinearLR(o, 0.5, total_iters=2), ExponentialLR(o, 0.5)], milestones=[2]).get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        require_optimizer("SequentialLR", optimizer)
        for argument, value, one in (("schedulers", schedulers, "schedules"), ("milestones", milestones, "steps")):
            if not isinstance(value, (list, tuple)):
                raise bad_type("SequentialLR", argument, f"a list of {one}", value)
        for i, scheduler in enumerate(schedulers):
            _require_member(f"schedulers[{i}]", scheduler, optimizer)
        for milestone in milestones:
            require_whole("SequentialLR", "milestones", milestone, least=0)
        expected = f"{len(schedulers) - 1} rising steps for {len(schedulers)} schedules"
        if not schedulers:
            raise bad_value("SequentialLR", "schedulers", "one schedule or more", "none")
        if len(milestones) != len(schedulers) - 1 or sorted(set(milestones)) != list(milestones):
            raise bad_value("SequentialLR", "milestones", expected, milestones)
        if last_epoch != -1:
            hint = "load_state_dict goes on from where a sequence was saved"
            raise bad_value("SequentialLR", "last_epoch", "-1", last_epoch, hint)
        self.optimizer = optimizer
        self._schedulers = list(schedulers)
        self._milestones = list(milestones)
        watch(optimizer)
        self.restart()

    def restart(self) -> None:
        """Go back to step 0."""
        self.last_epoch = -1
        with beginning(self):
            self._advance()

    def step(self, *given: object) -> None:
        """Go one step on with the schedule whose turn it is; a new turn begins at that schedule's step 0."""
        require_nothing("SequentialLR", given)
        with turn(self):
            self._advance()

    def _advance(self) -> None:
        self.last_epoch += 1
        scheduler = self._schedulers[bisect_right(self._milestones, self.last_epoch)]
        if self.last_epoch in (0, *self._milestones):
            scheduler.restart()
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on, with the states of all schedules in it."""
        return {**super().state_dict(), "_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from where such a sequence was saved.

        Args:
            state_dict: What ``state_dict()`` of such a sequence returned.

        Raises:
            ValueError: If it comes from another sequence; nothing is loaded then.
        """
        own, schedulers = self.known(state_dict), self._schedulers
        states = own.pop("_schedulers")
        if len(states) != len(schedulers):
            raise bad_value("SequentialLR", "state_dict", f"states of {len(schedulers)} schedules", len(states))
        for scheduler, state in zip(schedulers, states):
            scheduler.known(state)
        for scheduler, state in zip(schedulers, states):
            scheduler.load_state_dict(state)
        self.__dict__.update(own)


def _require_member(argument: str, scheduler: LRScheduler, optimizer: torch.optim.Optimizer) -> None:
    if not isinstance(scheduler, LRScheduler):
        raise bad_type("SequentialLR", argument, "a schedule of companion.lr_scheduler", scheduler)
    if isinstance(scheduler, ReduceLROnPlateau):
        hint = "it needs a value at each step"
        raise bad_value("SequentialLR", argument, "a schedule of steps alone", "ReduceLROnPlateau", hint)
    if scheduler.optimizer is not optimizer:
        raise bad_value("SequentialLR", argument, "a schedule of the same optimizer", "one of another")
