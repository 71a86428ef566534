"""The schedule that watches: it lowers the rate when a measured number no longer improves."""

from __future__ import annotations

import math
from typing import Any, SupportsFloat

import torch

from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_choice, require_number, require_whole
from companion.lr_scheduler.base import LRScheduler, one_for_each_group, require_optimizer
from companion.lr_scheduler.order import turn, watch


class ReduceLROnPlateau(LRScheduler):
    r"""Multiply the rate by a factor when the best value has not been beaten for some steps.

    .. math:: \eta \leftarrow \max(\eta \cdot \text{factor}, \eta_{\min}) \quad
              \text{after more than } \textit{patience} \text{ steps without improvement}

    Args:
        optimizer: Whose rates are set.
        mode: ``"min"`` if lower is better (a loss), ``"max"`` if higher is (an accuracy).
        factor: What the rate is multiplied by, in [0, 1).
        patience: Steps without improvement that are borne, 0 or more.
        threshold: How much better counts as better, 0 or more.
        threshold_mode: ``"rel"`` for a share of the best value, ``"abs"`` for a difference.
        cooldown: Steps after a fall in which nothing counts, 0 or more.
        min_lr: The lowest rate, or one for each parameter group.
        eps: A fall of no more than this is left out.

    Attributes:
        best: The best value so far.
        num_bad_epochs: Steps since it was beaten.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range.

    Source:
        He, Zhang, Ren and Sun (2016), Deep residual learning for image recognition.

    >>> from companion.optim import SGD
    >>> schedule = ReduceLROnPlateau(SGD([torch.zeros(1)], lr=0.5), patience=1, factor=0.5)
    >>> [schedule.step(loss) or schedule.get_last_lr()[0] for loss in (3.0, 3.0, 3.0, 2.0)]
    [0.5, 0.5, 0.25, 0.25]
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        name = "ReduceLROnPlateau"
        require_optimizer(name, optimizer)
        require_choice(name, "mode", mode, ("min", "max"))
        require_choice(name, "threshold_mode", threshold_mode, ("rel", "abs"))
        require_number(name, "factor", factor)
        if not 0 <= factor < 1:
            raise bad_value(name, "factor", "0 or more and below 1", factor)
        require_whole(name, "patience", patience, least=0)
        require_whole(name, "cooldown", cooldown, least=0)
        require_number(name, "threshold", threshold)
        require_number(name, "eps", eps)
        self.optimizer = optimizer
        self.mode, self.mode_worse = mode, math.inf if mode == "min" else -math.inf
        self.factor, self.patience, self.cooldown, self.eps = factor, patience, cooldown, eps
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr
        self.min_lrs = one_for_each_group(name, "min_lr", min_lr, optimizer)
        self.best = self.mode_worse
        self.cooldown_counter = self.num_bad_epochs = self.last_epoch = 0
        self._last_lr = [group["lr"] for group in optimizer.param_groups]
        watch(optimizer)

    def step(self, metrics: SupportsFloat) -> None:  # type: ignore[override]
        """Look at a new value and lower the rates if it is time.

        Args:
            metrics: The number that is watched; nan counts as no improvement.

        Raises:
            TypeError: If it is no number.
            ValueError: If there are several.
        """
        value = _number(metrics)
        self.last_epoch += 1
        if self._is_better(value):
            self.best = value
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
            with turn(self, first=False):
                self._lower()
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def _is_better(self, value: float) -> bool:
        sign = -1 if self.mode == "min" else 1
        step = sign * self.threshold
        bar = self.best * (1 + step) if self.threshold_mode == "rel" else self.best + step
        return value < bar if self.mode == "min" else value > bar

    def _lower(self) -> None:
        groups = self.optimizer.param_groups
        rates = [max(group["lr"] * self.factor, low) for group, low in zip(groups, self.min_lrs)]
        self.set_rates([new if group["lr"] - new > self.eps else group["lr"] for group, new in zip(groups, rates)])


def _number(metrics: Any) -> float:
    """Return what is watched as a number, or refuse it."""
    if isinstance(metrics, str) or not hasattr(metrics, "__float__"):
        raise bad_type("ReduceLROnPlateau", "metrics", "a number", metrics)
    try:
        return float(metrics.detach() if isinstance(metrics, torch.Tensor) else metrics)
    except (TypeError, RuntimeError, ValueError):
        got = f"shape {tuple(getattr(metrics, 'shape', ()))}"
        raise bad_value("ReduceLROnPlateau", "metrics", "a single number", got, ".mean() makes one") from None
