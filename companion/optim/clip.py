"""Clipping: keeping gradients from growing beyond a bound before the optimizer uses them."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import Module

from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_number, require_tensor
from companion.optim.base import sparse, way_out


@torch.no_grad()
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    r"""Shorten all gradients together, as one long vector, to a length; their direction stays.

    .. math:: g \leftarrow g \cdot \min \left( 1, \frac{\text{max}}{\lVert g \rVert_p + 10^{-6}} \right)

    Args:
        parameters: Whose ``grad`` is changed in place; those without one do not count.
        max_norm: The longest that is allowed, 0 or more; inf allows all and only measures.
        norm_type: The p of the norm, above 0; inf takes the largest entry.
        error_if_nonfinite: Whether to refuse a length that is nan or inf before anything is changed.

    Returns:
        The length before, a single number; 0 where there is no gradient.

    Raises:
        TypeError: If a parameter is no tensor or an option no number.
        ValueError: If an option is out of range, a gradient is sparse, or the length is not finite and that is to
            be refused.

    Source:
        Pascanu, Mikolov and Bengio (2013), On the difficulty of training recurrent neural networks.

    >>> x = torch.zeros(2, requires_grad=True)
    >>> x.grad = torch.tensor([3.0, 4.0])
    >>> clip_grad_norm_([x], max_norm=1.0)
    tensor(5.)
    """
    if max_norm != float("inf"):
        require_number("clip_grad_norm_", "max_norm", max_norm, least=0)
    if norm_type != float("inf"):
        require_number("clip_grad_norm_", "norm_type", norm_type, positive=True)
    grads = _gradients("clip_grad_norm_", parameters)
    if not grads:
        return torch.tensor(0.0)
    norms = [norm.to(grads[0].device) for norm in torch._foreach_norm(grads, norm_type)]
    total = torch.linalg.vector_norm(torch.stack(norms), norm_type)
    if error_if_nonfinite and not torch.isfinite(total):
        hint = "a loss of nan or inf came before; error_if_nonfinite=False clips all the same"
        raise bad_value("clip_grad_norm_", "parameters", "gradients of finite length", total.item(), hint)
    factor = (max_norm / (total + 1e-6)).clamp(max=1.0)
    for grad in grads:
        grad.mul_(factor.to(grad.device))
    return total


@torch.no_grad()
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    r"""Cut every entry of every gradient to a range; their common direction may change.

    .. math:: g_i \leftarrow \min(\max(g_i, -c), c)

    Args:
        parameters: Whose ``grad`` is changed in place.
        clip_value: The largest size c of an entry, 0 or more.

    Raises:
        TypeError: If a parameter is no tensor or the value no number.
        ValueError: If the value is below 0 or not finite, or a gradient is sparse.

    Source:
        Mikolov (2012), Statistical language models based on neural networks.

    >>> x = torch.zeros(2, requires_grad=True)
    >>> x.grad = torch.tensor([3.0, -0.5])
    >>> clip_grad_value_([x], 1.0); x.grad
    tensor([ 1.0000, -0.5000])
    """
    require_number("clip_grad_value_", "clip_value", clip_value, least=0)
    for grad in _gradients("clip_grad_value_", parameters):
        grad.clamp_(-clip_value, clip_value)


def _gradients(where: str, parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    if not isinstance(parameters, Iterable) or isinstance(parameters, Module):
        raise bad_type(where, "parameters", "a tensor or an iterable of tensors", parameters, way_out(parameters))
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for p in parameters:
        require_tensor(where, "parameters", p)
    grads = [p.grad for p in parameters if p.grad is not None]
    if any(grad.is_sparse for grad in grads):
        raise sparse(where, "parameters")
    return grads
