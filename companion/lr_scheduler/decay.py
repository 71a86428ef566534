"""Schedules that multiply the first rate by a factor of the step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from numbers import Real
from types import FunctionType
from typing import Any

import torch
from torch import Tensor

from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_number, require_whole
from companion.lr_scheduler.base import LRScheduler, one_for_each_group, require_optimizer


class StepLR(LRScheduler):
    r"""Multiply the rate by gamma after every so many steps.

    .. math:: \eta_t = \eta_0 \, \gamma^{\lfloor t / s \rfloor}

    Args:
        optimizer: Whose rates are set.
        step_size: The number s of steps between two falls, 1 or more.
        gamma: What the rate is multiplied by.
        last_epoch: The step to go on from; -1 starts anew.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If ``step_size`` is below 1.

    Source:
        He, Zhang, Ren and Sun (2016), Deep residual learning for image recognition.

    >>> from companion.optim import SGD
    >>> schedule = StepLR(SGD([torch.zeros(1)], lr=0.5), step_size=1, gamma=0.5)
    >>> schedule.optimizer.step(); schedule.step(); schedule.get_last_lr()
    [0.25]
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        require_whole("StepLR", "step_size", step_size, least=1)
        require_number("StepLR", "gamma", gamma)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float) -> float:
        """Multiply by gamma as often as ``step_size`` steps are over."""
        return base * self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(LRScheduler):
    r"""Multiply the rate by gamma at each of some steps.

    .. math:: \eta_t = \eta_0 \, \gamma^{\, \#\{ m : m \le t \}}

    Args:
        optimizer: Whose rates are set.
        milestones: The steps m; one that stands twice counts twice.
        gamma: What the rate is multiplied by.
        last_epoch: The step to go on from; -1 starts anew.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If a milestone is below 0.

    Source:
        He, Zhang, Ren and Sun (2016), Deep residual learning for image recognition.

    >>> from companion.optim import SGD
    >>> schedule = MultiStepLR(SGD([torch.zeros(1)], lr=0.5), milestones=[1, 5], gamma=0.5)
    >>> schedule.optimizer.step(); schedule.step(); schedule.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        if not isinstance(milestones, Iterable):
            raise bad_type("MultiStepLR", "milestones", "a list of steps", milestones, "[30] is one of a single step")
        milestones = list(milestones)
        for milestone in milestones:
            require_whole("MultiStepLR", "milestones", milestone, least=0)
        require_number("MultiStepLR", "gamma", gamma)
        self.milestones = Counter(milestones)  # PyTorch's form: step and how often it counts
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float) -> float:
        """Multiply by gamma once for each milestone that is reached."""
        return base * self.gamma ** sum(n for step, n in self.milestones.items() if step <= self.last_epoch)


class ExponentialLR(LRScheduler):
    r"""Multiply the rate by gamma at every step.

    .. math:: \eta_t = \eta_0 \, \gamma^t

    Args:
        optimizer: Whose rates are set.
        gamma: What the rate is multiplied by, usually a little below 1.
        last_epoch: The step to go on from; -1 starts anew.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If gamma is not finite.

    Source:
        Senior, Heigold, Ranzato and Yang (2013), An empirical study of learning rates in deep neural networks for
        speech recognition.

    >>> from companion.optim import SGD
    >>> schedule = ExponentialLR(SGD([torch.zeros(1)], lr=0.5), gamma=0.5)
    >>> schedule.optimizer.step(); schedule.step(); schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: torch.optim.Optimizer, gamma: float, last_epoch: int = -1) -> None:
        require_number("ExponentialLR", "gamma", gamma)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float) -> float:
        """Multiply by gamma once for each step."""
        return base * self.gamma**self.last_epoch


class LinearLR(LRScheduler):
    r"""Go from one share of the rate to another along a line: warm-up, when it starts low.

    .. math:: \eta_t = \eta_0 \left( a + (b - a) \, \frac{\min(t, T)}{T} \right)

    Args:
        optimizer: Whose rates are set.
        start_factor: The first share a, above 0 and up to 1.
        end_factor: The last share b, in [0, 1].
        total_iters: The number T of steps between them, 1 or more.
        last_epoch: The step to go on from; -1 starts anew.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range.

    Source:
        Goyal et al. (2017), Accurate, large minibatch SGD: training ImageNet in 1 hour.

    >>> from companion.optim import SGD
    >>> schedule = LinearLR(SGD([torch.zeros(1)], lr=0.5), start_factor=0.5, total_iters=2)
    >>> schedule.optimizer.step(); schedule.step(); schedule.get_last_lr()
    [0.375]
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        require_number("LinearLR", "start_factor", start_factor, positive=True)
        require_number("LinearLR", "end_factor", end_factor)
        require_whole("LinearLR", "total_iters", total_iters, least=1)
        if start_factor > 1:
            raise bad_value("LinearLR", "start_factor", "above 0 and up to 1", start_factor)
        if not 0 <= end_factor <= 1:
            raise bad_value("LinearLR", "end_factor", "0 to 1", end_factor)
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float) -> float:
        """Take the share that the line has reached."""
        done = min(self.last_epoch, self.total_iters) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * done)


class LambdaLR(LRScheduler):
    r"""Multiply the first rate by any function of the step.

    .. math:: \eta_t = \eta_0 \, f(t)

    Args:
        optimizer: Whose rates are set.
        lr_lambda: The function f from the step to a factor, or one for each parameter group.
        last_epoch: The step to go on from; -1 starts anew.

    Raises:
        TypeError: If a function cannot be called or returns no number.
        ValueError: If there are not as many as parameter groups.

    Source:
        The general form of the others; as an example Vaswani et al. (2017), Attention is all you need.

    >>> from companion.optim import SGD
    >>> schedule = LambdaLR(SGD([torch.zeros(1)], lr=0.5), lambda t: 1 / (1 + t))
    >>> schedule.optimizer.step(); schedule.step(); schedule.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        require_optimizer("LambdaLR", optimizer)
        self.lr_lambdas = one_for_each_group("LambdaLR", "lr_lambda", lr_lambda, optimizer)
        for function in self.lr_lambdas:
            if not callable(function):
                raise bad_type("LambdaLR", "lr_lambda", "a function of the step", function)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of the present step, each by its group's function."""
        factors = [function(self.last_epoch) for function in self.lr_lambdas]
        for factor in factors:
            if not isinstance(factor, (Real, Tensor)):
                raise bad_type("LambdaLR", "lr_lambda", "a function that returns a number", factor)
        return [base * factor for base, factor in zip(self.base_lrs, factors)]

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on; of functions nothing, of other callables their attributes."""
        kept = [None if isinstance(f, FunctionType) else dict(f.__dict__) for f in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from where a schedule was saved; the functions stay, callables get their attributes back."""
        functions = self.lr_lambdas
        super().load_state_dict(state_dict)
        for function, kept in zip(functions, self.lr_lambdas):
            if kept is not None:
                function.__dict__.update(kept)
        self.lr_lambdas = functions
