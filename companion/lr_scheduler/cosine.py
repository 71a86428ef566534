"""Schedules along half a wave of the cosine: slow at both ends, fast between."""

from __future__ import annotations

import math

import torch

from companion.functional._arguments import require_number, require_whole
from companion.lr_scheduler.base import LRScheduler
from companion.lr_scheduler.order import turn


class CosineAnnealingLR(LRScheduler):
    r"""Lower the rate along half a wave of the cosine.

    .. math:: \eta_t = \eta_{\min} + \tfrac{1}{2} (\eta_0 - \eta_{\min})
              \left( 1 + \cos \frac{\pi t}{T} \right)

    After T steps the wave goes on, and the rate rises again.

    Args:
        optimizer: Whose rates are set.
        T_max: The number T of steps down, 1 or more.
        eta_min: The lowest rate.
        last_epoch: The step to go on from; -1 starts anew.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If ``T_max`` is below 1.

    Source:
        Loshchilov and Hutter (2017), SGDR: stochastic gradient descent with warm restarts.

    >>> from companion.optim import SGD
    >>> schedule = CosineAnnealingLR(SGD([torch.zeros(1)], lr=0.5), T_max=2)
    >>> schedule.optimizer.step(); schedule.step(); schedule.get_last_lr()
    [0.25]
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        require_whole("CosineAnnealingLR", "T_max", T_max, least=1)
        require_number("CosineAnnealingLR", "eta_min", eta_min)
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float) -> float:
        """Take the height of the wave at the present step."""
        return _wave(base, self.eta_min, self.last_epoch / self.T_max)


class CosineAnnealingWarmRestarts(LRScheduler):
    r"""Lower the rate along half a wave of the cosine, jump back to the first one, and repeat.

    .. math:: \eta_t = \eta_{\min} + \tfrac{1}{2} (\eta_0 - \eta_{\min})
              \left( 1 + \cos \frac{\pi T_{\text{cur}}}{T_i} \right)

    Each round is ``T_mult`` times as long as the one before.

    Args:
        optimizer: Whose rates are set.
        T_0: The number of steps of the first round, 1 or more.
        T_mult: How much longer each round is, a whole number of 1 or more.
        eta_min: The lowest rate.
        last_epoch: The step to go on from; -1 starts anew.

    Attributes:
        T_cur: Steps since the last restart.
        T_i: Steps of the present round.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range.

    Source:
        Loshchilov and Hutter (2017), SGDR: stochastic gradient descent with warm restarts.

    >>> from companion.optim import SGD
    >>> schedule = CosineAnnealingWarmRestarts(SGD([torch.zeros(1)], lr=0.5), T_0=2)
    >>> [schedule.optimizer.step() or schedule.step() or schedule.get_last_lr()[0] for _ in range(3)]
    [0.25, 0.5, 0.25]
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        require_whole("CosineAnnealingWarmRestarts", "T_0", T_0, least=1)
        require_whole("CosineAnnealingWarmRestarts", "T_mult", T_mult, least=1)
        require_number("CosineAnnealingWarmRestarts", "eta_min", eta_min)
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float) -> float:
        """Take the height of the wave at the present step of the round."""
        return _wave(base, self.eta_min, self.T_cur / self.T_i)

    def step(self, epoch: float | None = None) -> None:  # type: ignore[override]
        """Go one step on, or to any point, and set the rates.

        Args:
            epoch: Where to go, 0 or more; fractions are allowed, as for batches within an epoch.
        """
        with turn(self, first=epoch is None):
            if epoch is None and self.last_epoch >= 0:
                epoch = self.last_epoch + 1
                self.T_cur += 1
            else:
                epoch = 0 if epoch is None else epoch
                require_number("CosineAnnealingWarmRestarts", "epoch", epoch, least=0)
                self.T_cur, self.T_i = epoch, self.T_0
            while self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
            self.last_epoch = math.floor(epoch)
            self.set_rates(self.get_lr())


def _wave(top: float, bottom: float, done: float) -> float:
    """Return the height of a cosine that falls from top to bottom while ``done`` goes from 0 to 1."""
    return bottom + (top - bottom) * (1 + math.cos(math.pi * done)) / 2
