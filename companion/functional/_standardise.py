"""Bringing numbers to mean 0 and variance 1, with the derivative written beside the value."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def standardise(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, dims: tuple[int, ...], eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Bring x to mean 0 and variance 1 over some axes, then scale by the weight and shift by the bias.

    .. math:: h = s (x - \mu), \quad s = \frac{1}{\sqrt{\sigma^2 + \varepsilon}}, \quad y = w h + b, \qquad
              dh = s \left( dx - \overline{dx} - h \, \overline{h \, dx} \right)

    where the bar is the mean over those axes. The derivative of h is a symmetric matrix, so one formula carries
    a change of x forward and a gradient back.

    Why by hand: automatic differentiation stores and revisits each of these steps, at two to four times the
    cost. Numbers of 16 bits are computed with 32, because their squares overflow.

    Args:
        x: Float tensor.
        weight: What broadcasts to x, or None for 1.
        bias: What broadcasts to x, or None for 0.
        dims: The axes to average over, counted from 0.
        eps: Added to the variance.

    Returns:
        The result in the shape of x; the mean; the variance, divided by n. The last two keep the axes with
        size 1 and carry no gradient.
    """
    if torch.compiler.is_compiling():  # the compiler derives and fuses the steps itself, and takes no jvp
        return _Standardise.forward(x, weight, bias, dims, eps)
    return _Standardise.apply(x, weight, bias, dims, eps)


def widen(x: Tensor) -> Tensor:
    """Return floats of 16 bits as floats of 32, others as they are."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


class _Standardise(torch.autograd.Function):
    generate_vmap_rule = True  # lets torch.func map it over batches

    @staticmethod
    def forward(
        x: Tensor, weight: Tensor | None, bias: Tensor | None, dims: tuple[int, ...], eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        centred, mean, var = _moments(x, dims)
        return _affine(centred * torch.rsqrt(var + eps), weight, bias).to(x.dtype), mean, var

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        x, weight, bias, ctx.dims, ctx.eps = inputs
        _, mean, var = output
        ctx.mark_non_differentiable(mean, var)
        ctx.save_for_backward(x, weight, bias, mean, var)
        ctx.save_for_forward(x, weight, bias, mean, var)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_others: None) -> tuple[Tensor | None, ...]:
        x, weight, bias, mean, var = ctx.saved_tensors
        if torch.is_grad_enabled():  # a second derivative sees mean and variance as functions of x
            _, mean, var = _moments(x, ctx.dims)
        s = torch.rsqrt(var + ctx.eps)
        h, g = (widen(x) - mean) * s, widen(gradient)
        needs_x, needs_weight, needs_bias, *_ = ctx.needs_input_grad
        return (
            _change(_affine(g, weight, None), h, s, ctx.dims).to(x.dtype) if needs_x else None,
            (g * h).sum_to_size(weight.shape).to(weight.dtype) if needs_weight else None,
            g.sum_to_size(bias.shape).to(bias.dtype) if needs_bias else None,
            None,
            None,
        )

    @staticmethod
    def jvp(
        ctx: Any, x_change: Tensor | None, weight_change: Tensor | None, bias_change: Tensor | None, *_others: None
    ) -> tuple[Tensor, None, None]:
        x, weight, _, mean, var = ctx.saved_tensors
        s = torch.rsqrt(var + ctx.eps)
        h = (widen(x) - mean) * s
        total = torch.zeros_like(h)
        if x_change is not None:
            total = total + _affine(_change(widen(x_change), h, s, ctx.dims), weight, None)
        if weight_change is not None:
            total = total + h * weight_change
        if bias_change is not None:
            total = total + bias_change
        return total.to(x.dtype), None, None


def _moments(x: Tensor, dims: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Return x minus its mean, the mean, and the variance divided by n; the averaged axes keep size 1."""
    x = widen(x)
    mean = x.mean(dims, keepdim=True)
    centred = x - mean
    return centred, mean, (centred * centred).mean(dims, keepdim=True)


def _affine(h: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """Scale and shift, in one pass over the numbers where both are asked for."""
    if weight is None:
        return h if bias is None else h + bias
    return h * weight if bias is None else torch.addcmul(bias, h, weight)


def _change(of_x: Tensor, h: Tensor, s: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Return how h changes with x; as the matrix is symmetric, also how a gradient of h becomes one of x."""
    along = (of_x * h).mean(dims, keepdim=True)
    return torch.addcmul(of_x - of_x.mean(dims, keepdim=True), h, along, value=-1) * s
