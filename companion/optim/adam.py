"""Adam and AdamW: momentum and a step size for each parameter at once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from companion.errors import bad_type, bad_value
from companion.optim.base import Optimizer, column, count_steps, require_kept_share, require_options


class Adam(Optimizer):
    r"""Step along a running mean of gradients, divided by the root of a running mean of their squares.

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1) \, g, \qquad
              v \leftarrow \beta_2 v + (1 - \beta_2) \, g^2, \qquad
              \theta \leftarrow \theta - \eta \,
              \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \varepsilon}

    Both means start at 0 and would be too small at first; the divisions by :math:`1 - \beta^t` mend that. The
    order of the operations is PyTorch's: where v is tiny, rounding alone would part two ways in the long run.

    Args:
        params: Tensors, pairs of name and tensor, or groups of them.
        lr: The step size, 0 or more; most steps move a parameter by less. With the usual betas a step can be up to 7.3
            times as long, where slopes grow after a long quiet time.
        betas: How much of each old mean is kept, two numbers from 0 to below 1.
        eps: Keeps the denominator from 0, 0 or more.
        weight_decay: How strongly parameters are drawn to 0 (L2, through the gradient), 0 or more.
        amsgrad: Whether to divide by the largest v so far.
        maximize: Whether to climb instead of descending.

    Raises:
        TypeError: If an option is of the wrong kind, or ``params`` a single tensor or a module.
        ValueError: If an option is out of range or unknown, or there is no parameter, or one of whole numbers.

    Source:
        Kingma and Ba (2015), Adam: a method for stochastic optimization. Amsgrad: Reddi, Kale and Kumar
        (2018), On the convergence of Adam and beyond.

    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> Adam([x], lr=0.1).step(); x
    tensor([3.9000], requires_grad=True)
    """

    _decoupled = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad)
        self.require(options)
        options["betas"] = tuple(betas)
        # PyTorch's keys, so that it can load them
        switches = dict(foreach=None, capturable=False, differentiable=False, fused=None)
        super().__init__(params, **options, maximize=maximize, decoupled_weight_decay=self._decoupled, **switches)

    def require(self, options: dict[str, Any], of: str = "") -> None:
        """Refuse options that are out of range."""
        name, betas = type(self).__name__, options["betas"]
        require_options(name, of, options, "lr", "eps", "weight_decay")
        if not isinstance(betas, (tuple, list)):
            raise bad_type(name, "betas" + of, "two numbers", betas)
        if len(betas) != 2:
            raise bad_value(name, "betas" + of, "two numbers", f"{len(betas)} of them")
        for i, beta in enumerate(betas):
            require_kept_share(name, f"betas[{i}]" + of, beta)

    def memories(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Name the two means, and the largest of the second for amsgrad."""
        return ("exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if group["amsgrad"] else []))

    def update(self, params: list[Tensor], grads: list[Tensor], states: list[dict], group: dict[str, Any]) -> None:
        """Renew both means and step along their quotient."""
        lr, (beta1, beta2) = group["lr"], group["betas"]
        steps = count_steps(states)
        means, squares = column(states, "exp_avg"), column(states, "exp_avg_sq")
        if group["decoupled_weight_decay"] and group["weight_decay"]:
            torch._foreach_mul_(params, 1 - lr * group["weight_decay"])
        torch._foreach_lerp_(means, grads, 1 - beta1)
        torch._foreach_mul_(squares, beta2)
        torch._foreach_addcmul_(squares, grads, grads, value=1 - beta2)
        if group["amsgrad"]:
            largest = column(states, "max_exp_avg_sq")
            torch._foreach_maximum_(largest, squares)
            squares = largest
        denominators = torch._foreach_sqrt(squares)
        torch._foreach_div_(denominators, [math.sqrt(1 - beta2**t) for t in steps])
        torch._foreach_add_(denominators, group["eps"])
        torch._foreach_addcdiv_(params, means, denominators, [-lr / (1 - beta1**t) for t in steps])


class AdamW(Adam):
    r"""Take Adam's step, and shrink the parameters beside it instead of through the gradient.

    .. math:: \theta \leftarrow (1 - \eta \lambda) \, \theta, \qquad \text{then Adam's step with } g = \nabla L(\theta)

    In Adam a decay that enters the gradient is divided by its size: parameters with large gradients decay
    less. Here all decay alike.

    Args:
        params: Tensors, pairs of name and tensor, or groups of them.
        lr: The step size, 0 or more.
        betas: How much of each old mean is kept, two numbers from 0 to below 1.
        eps: Keeps the denominator from 0, 0 or more.
        weight_decay: The share of each parameter, times lr, that is taken away in a step, 0 or more.
        amsgrad: Whether to divide by the largest mean square so far.
        maximize: Whether to climb instead of descending.

    Raises:
        TypeError: If an option is of the wrong kind, or ``params`` a single tensor or a module.
        ValueError: If an option is out of range or unknown, or there is no parameter, or one of whole numbers.

    Source:
        Loshchilov and Hutter (2019), Decoupled weight decay regularization.

    >>> x = torch.tensor([4.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> AdamW([x], lr=0.1, weight_decay=0.5).step(); x
    tensor([3.7000], requires_grad=True)
    """

    _decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)
