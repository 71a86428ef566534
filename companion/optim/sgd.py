"""Gradient descent, with momentum if wanted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_number
from companion.optim.base import Optimizer, column, require_options


class SGD(Optimizer):
    r"""Step against the gradient, or against a running sum of gradients (momentum).

    .. math:: g \leftarrow \nabla L(\theta) + \lambda \theta, \qquad
              v \leftarrow \mu v + (1 - d) \, g, \qquad
              \theta \leftarrow \theta - \eta \, v \quad
              \left( \text{Nesterov: } \theta - \eta \, (g + \mu v) \right)

    The first v is g itself, not (1 - d) g: PyTorch's convention.

    Args:
        params: Tensors, pairs of name and tensor, or groups of them.
        lr: The step size, 0 or more.
        momentum: How much of the last direction is kept, 0 or more, usually 0.9; 0 keeps nothing.
        dampening: How much of the new gradient is left out of the direction.
        weight_decay: How strongly parameters are drawn to 0 (L2), 0 or more.
        nesterov: Whether to look one step of momentum ahead; needs momentum and no dampening.
        maximize: Whether to climb instead of descending.

    Raises:
        TypeError: If an option is no number, or ``params`` a single tensor or a module.
        ValueError: If an option is out of range or unknown, or there is no parameter, or one of whole numbers.

    Source:
        Robbins and Monro (1951), A stochastic approximation method. Momentum: Polyak (1964), Some methods of
        speeding up the convergence of iteration methods; Nesterov (1983) in the form of Sutskever, Martens,
        Dahl and Hinton (2013), On the importance of initialization and momentum in deep learning.

    >>> x = torch.tensor([1.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> SGD([x], lr=0.1).step(); x
    tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = dict(lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov)
        self.require(options)
        switches = dict(foreach=None, differentiable=False, fused=None)  # PyTorch's keys, so that it can load them
        super().__init__(params, **options, maximize=maximize, **switches)

    def require(self, options: dict[str, Any], of: str = "") -> None:
        """Refuse options that are out of range, and Nesterov's step without momentum."""
        name = type(self).__name__
        require_options(name, of, options, "lr", "momentum", "weight_decay")
        require_number(name, "dampening" + of, options["dampening"])
        if options["nesterov"] and (options["momentum"] == 0 or options["dampening"] != 0):
            got = f"momentum {options['momentum']} and dampening {options['dampening']}"
            raise bad_value(name, "nesterov" + of, "momentum above 0 and no dampening beside it", got)

    def memories(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Name the direction, which momentum needs."""
        return ("momentum_buffer",) if group["momentum"] else ()

    def memory_of(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """Return what is remembered of a parameter: its direction, once it has one, and nothing without momentum."""
        return self.state[p] if group["momentum"] else {}

    def update(self, params: list[Tensor], grads: list[Tensor], states: list[dict], group: dict[str, Any]) -> None:
        """Add the gradient to the running direction and step against it."""
        momentum = group["momentum"]
        if momentum:
            self._renew(grads, states, momentum, 1 - group["dampening"])
            directions = column(states, "momentum_buffer")
            grads = list(torch._foreach_add(grads, directions, alpha=momentum)) if group["nesterov"] else directions
        torch._foreach_add_(params, grads, alpha=-group["lr"])

    def _renew(self, grads: list[Tensor], states: list[dict], momentum: float, share: float) -> None:
        """Add gradients to the running directions; the first gradient is the first direction."""
        old = [
            (state["momentum_buffer"], g) for g, state in zip(grads, states) if state.get("momentum_buffer") is not None
        ]
        for g, state in zip(grads, states):
            if state.get("momentum_buffer") is None:
                state["momentum_buffer"] = g.clone()
        if old:
            directions, new = map(list, zip(*old))
            torch._foreach_mul_(directions, momentum)
            torch._foreach_add_(directions, new, alpha=share)
