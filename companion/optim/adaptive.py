"""Optimizers that give every parameter a step size of its own, from the squares of its gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from companion.optim.base import Optimizer, column, count_steps, require_options


class Adagrad(Optimizer):
    r"""Divide each step by the root of all squared gradients so far: what moved much moves less.

    .. math:: s \leftarrow s + g^2, \qquad
              \theta \leftarrow \theta - \frac{\eta}{1 + (t - 1) \, \gamma} \, \frac{g}{\sqrt{s} + \varepsilon}

    Args:
        params: Tensors, pairs of name and tensor, or groups of them.
        lr: The step size, 0 or more.
        lr_decay: How fast the step size falls with the number t of steps, 0 or more.
        weight_decay: How strongly parameters are drawn to 0 (L2), 0 or more.
        initial_accumulator_value: The first s, 0 or more.
        eps: Keeps the denominator from 0, 0 or more.
        maximize: Whether to climb instead of descending.

    Raises:
        TypeError: If an option is no number, or ``params`` a single tensor or a module.
        ValueError: If an option is below 0 or unknown, or there is no parameter, or one of whole numbers.

    Source:
        Duchi, Hazan and Singer (2011), Adaptive subgradient methods for online learning.

    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> Adagrad([x], lr=0.1).step(); x
    tensor([3.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        numbers = dict(lr=lr, lr_decay=lr_decay, eps=eps, weight_decay=weight_decay)
        numbers["initial_accumulator_value"] = initial_accumulator_value
        self.require(numbers)
        switches = dict(foreach=None, differentiable=False, fused=None)  # PyTorch's keys, so that it can load them
        super().__init__(params, **numbers, maximize=maximize, **switches)

    def require(self, options: dict[str, Any], of: str = "") -> None:
        """Refuse options that are out of range."""
        names = ("lr", "lr_decay", "eps", "weight_decay", "initial_accumulator_value")
        require_options(type(self).__name__, of, options, *names)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take in further parameters; their sums start here, as PyTorch expects them before the first step."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for p in group["params"]:
            self.memory_of(p, group)["sum"].fill_(group["initial_accumulator_value"])

    def memories(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Name the sum of squares."""
        return ("sum",)

    def update(self, params: list[Tensor], grads: list[Tensor], states: list[dict], group: dict[str, Any]) -> None:
        """Add the squares and divide the step by their root."""
        rates = [-group["lr"] / (1 + (step - 1) * group["lr_decay"]) for step in count_steps(states)]
        sums = column(states, "sum")
        torch._foreach_addcmul_(sums, grads, grads)
        denominators = torch._foreach_sqrt(sums)
        torch._foreach_add_(denominators, group["eps"])
        torch._foreach_addcdiv_(params, grads, denominators, rates)


class RMSprop(Optimizer):
    r"""Divide each step by the root of a running mean of squared gradients: old ones are forgotten.

    .. math:: s \leftarrow \alpha s + (1 - \alpha) \, g^2, \qquad
              \theta \leftarrow \theta - \eta \, \frac{g}{\sqrt{s} + \varepsilon}

    Centered, the square of the running mean of g is taken from s. With momentum the fraction is added to a
    running sum, and that is what is subtracted.

    Args:
        params: Tensors, pairs of name and tensor, or groups of them.
        lr: The step size, 0 or more.
        alpha: How much of the old mean is kept, 0 or more, usually 0.9 to 0.99.
        eps: Keeps the denominator from 0, 0 or more.
        weight_decay: How strongly parameters are drawn to 0 (L2), 0 or more.
        momentum: How much of the last direction is kept, 0 or more.
        centered: Whether to divide by an estimate of the variance instead.
        maximize: Whether to climb instead of descending.

    Raises:
        TypeError: If an option is no number, or ``params`` a single tensor or a module.
        ValueError: If an option is below 0 or unknown, or there is no parameter, or one of whole numbers.

    Source:
        Tieleman and Hinton (2012), Lecture 6.5, rmsprop. Centered: Graves (2013), Generating sequences with
        recurrent neural networks.

    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> RMSprop([x], lr=0.1).step(); x
    tensor([3.], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        numbers = dict(lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum)
        self.require(numbers)
        switches = dict(foreach=None, capturable=False, differentiable=False)  # PyTorch's keys
        super().__init__(params, **numbers, centered=centered, maximize=maximize, **switches)

    def require(self, options: dict[str, Any], of: str = "") -> None:
        """Refuse options that are out of range."""
        require_options(type(self).__name__, of, options, "lr", "alpha", "eps", "weight_decay", "momentum")

    def memories(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Name the memories that momentum and centering need."""
        names = ["square_avg"]
        if group["momentum"] > 0:
            names.append("momentum_buffer")
        if group["centered"]:
            names.append("grad_avg")
        return tuple(names)

    def update(self, params: list[Tensor], grads: list[Tensor], states: list[dict], group: dict[str, Any]) -> None:
        """Renew the running mean of squares and divide the step by its root."""
        count_steps(states)
        squares, alpha = column(states, "square_avg"), group["alpha"]
        torch._foreach_mul_(squares, alpha)
        torch._foreach_addcmul_(squares, grads, grads, value=1 - alpha)
        if group["centered"]:
            means = column(states, "grad_avg")
            torch._foreach_lerp_(means, grads, 1 - alpha)
            squares = list(torch._foreach_addcmul(squares, means, means, value=-1))
        denominators = torch._foreach_sqrt(squares)
        torch._foreach_add_(denominators, group["eps"])
        if not group["momentum"]:
            torch._foreach_addcdiv_(params, grads, denominators, value=-group["lr"])
            return
        directions = column(states, "momentum_buffer")
        torch._foreach_mul_(directions, group["momentum"])
        torch._foreach_addcdiv_(directions, grads, denominators)
        torch._foreach_add_(params, directions, alpha=-group["lr"])
