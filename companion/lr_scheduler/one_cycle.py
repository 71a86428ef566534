"""The one-cycle schedule: up, down, and far down, while momentum goes the other way."""

from __future__ import annotations

import math
from typing import Any

import torch

from companion.errors import bad_value
from companion.functional._arguments import require_choice, require_number, require_whole
from companion.lr_scheduler.base import LRScheduler, one_for_each_group, require_optimizer


class OneCycleLR(LRScheduler):
    r"""Raise the rate to a peak, lower it far below the start, and move momentum against it.

    .. math:: \frac{\eta_{\max}}{d} \;\to\; \eta_{\max} \;\to\; \frac{\eta_{\max}}{d \, f}, \qquad
              \eta = b + \tfrac{1}{2} (a - b)(1 + \cos \pi u) \text{ from } a \text{ to } b
              \text{ while } u \text{ goes from 0 to 1}

    Call it after each batch, not each epoch.

    Args:
        optimizer: Whose rates, and momentum or first beta, are set.
        max_lr: The peak, above 0, or one for each parameter group.
        total_steps: Steps of the whole cycle, 1 or more; or else give ``epochs`` and ``steps_per_epoch``.
        epochs: Epochs of the whole cycle.
        steps_per_epoch: Batches of one epoch.
        pct_start: The share of steps that lead up, in [0, 1].
        anneal_strategy: ``"cos"`` or ``"linear"``.
        cycle_momentum: Whether momentum is moved; the optimizer must have one.
        base_momentum: Momentum at the peak, or one for each group.
        max_momentum: Momentum at both ends, or one for each group.
        div_factor: How far the start lies below the peak, d.
        final_div_factor: How far the end lies below the start, f.
        three_phase: Whether to come down to the start first, as fast as it went up, and fall then.
        last_epoch: The step to go on from; -1 starts anew.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or at a step beyond the last.

    Source:
        Smith and Topin (2018), Super-convergence: very fast training of neural networks using large learning
        rates.

    >>> from companion.optim import SGD
    >>> schedule = OneCycleLR(SGD([torch.zeros(1)]), max_lr=1.0, total_steps=10, cycle_momentum=False)
    >>> [round(schedule.optimizer.step() or schedule.step() or schedule.get_last_lr()[0], 3) for _ in range(3)]
    [0.52, 1.0, 0.95]
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        require_optimizer("OneCycleLR", optimizer)
        require_number("OneCycleLR", "pct_start", pct_start)
        if not 0 <= pct_start <= 1:
            raise bad_value("OneCycleLR", "pct_start", "0 to 1", pct_start)
        require_choice("OneCycleLR", "anneal_strategy", anneal_strategy, ("cos", "linear"))
        require_number("OneCycleLR", "div_factor", div_factor, positive=True)
        require_number("OneCycleLR", "final_div_factor", final_div_factor, positive=True)
        self.total_steps = _length(total_steps, epochs, steps_per_epoch)
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        self._anneal_func_type = anneal_strategy
        self.cycle_momentum = cycle_momentum
        peaks = one_for_each_group("OneCycleLR", "max_lr", max_lr, optimizer)
        for group, peak in zip(optimizer.param_groups, peaks):
            require_number("OneCycleLR", "max_lr", peak, positive=True)
            if last_epoch == -1:
                group["initial_lr"] = peak / div_factor
                group["max_lr"] = peak
                group["min_lr"] = group["initial_lr"] / final_div_factor
        if cycle_momentum:
            self.use_beta1 = "betas" in optimizer.defaults
            self._begin_momentum(optimizer, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def _begin_momentum(self, optimizer: torch.optim.Optimizer, base: Any, top: Any, last_epoch: int) -> None:
        """Write the bounds of momentum into the groups, in PyTorch's words."""
        if not self.use_beta1 and "momentum" not in optimizer.defaults:
            hint = "cycle_momentum=False leaves it out"
            raise bad_value("OneCycleLR", "optimizer", "one with momentum or betas", type(optimizer).__name__, hint)
        tops = one_for_each_group("OneCycleLR", "max_momentum", top, optimizer)
        bases = one_for_each_group("OneCycleLR", "base_momentum", base, optimizer)
        for group, low, high in zip(optimizer.param_groups, bases, tops):
            require_number("OneCycleLR", "base_momentum", low)
            require_number("OneCycleLR", "max_momentum", high)
            if last_epoch == -1:
                group["max_momentum"] = high
                group["base_momentum"] = low

    def get_lr(self) -> list[float]:
        """Return the rates of the present step, and set the momentum that belongs to them."""
        if self.last_epoch > self.total_steps:
            hint = "the cycle is over; total_steps counts batches, not epochs"
            raise bad_value("OneCycleLR", "step", f"at most {self.total_steps} steps", self.last_epoch, hint)
        phase, done = self._where()
        groups = self.optimizer.param_groups
        for group in groups if self.cycle_momentum else []:
            momentum = self._between(group[phase["start_momentum"]], group[phase["end_momentum"]], done)
            if self.use_beta1:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum
        return [self._between(group[phase["start_lr"]], group[phase["end_lr"]], done) for group in groups]

    def _where(self) -> tuple[dict[str, Any], float]:
        """Return the present phase and which share of it is over."""
        start = 0.0
        for phase in self._schedule_phases[:-1]:
            if self.last_epoch <= phase["end_step"]:
                break
            start = phase["end_step"]
        else:
            phase = self._schedule_phases[-1]
        length = phase["end_step"] - start
        if not length:  # pct_start=1 leaves nothing for the way down
            return phase, 1.0
        return phase, (self.last_epoch - start) / length

    def _between(self, start: float, end: float, done: float) -> float:
        left = (1 + math.cos(math.pi * done)) / 2 if self._anneal_func_type == "cos" else 1 - done
        return end + (start - end) * left


def _length(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is not None:
        require_whole("OneCycleLR", "total_steps", total_steps, least=1)
        return total_steps
    if epochs is None or steps_per_epoch is None:
        raise bad_value("OneCycleLR", "total_steps", "a number, or epochs and steps_per_epoch", "neither")
    require_whole("OneCycleLR", "epochs", epochs, least=1)
    require_whole("OneCycleLR", "steps_per_epoch", steps_per_epoch, least=1)
    return epochs * steps_per_epoch


def _phases(total: int, share: float, three: bool) -> list[dict[str, Any]]:
    """Return where each phase ends and what it goes between, in PyTorch's words so that it can load them."""
    up = (share * total - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    down = (total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")
    back = (2 * share * total - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum")
    fall = (total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum")
    names = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
    return [dict(zip(names, phase)) for phase in ([up, back, fall] if three else [up, down])]
