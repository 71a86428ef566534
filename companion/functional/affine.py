"""The affine map: what every fully connected layer computes before its activation."""

from __future__ import annotations

from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_float, require_float_like, require_tensor, under_autocast


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    r"""Give every output neuron its weighted sum of the inputs, plus its bias.

    .. math:: y = x W^\top + b, \qquad y_o = \sum_i W_{oi} \, x_i + b_o

    Args:
        x: Inputs; the last axis holds the features.
        weight: One row for each output neuron.
        bias: One number for each output neuron, or None.

    Shape:
        x (..., in), weight (out, in), bias (out,); the result is (..., out).

    Returns:
        The weighted sums.

    Raises:
        TypeError: If an argument is no tensor, or x holds floats of another type than the weights; under autocast
            PyTorch chooses the type.
        ValueError: If an argument does not hold floats or the shapes do not meet.

    Source:
        Rosenblatt (1958), The perceptron: a probabilistic model for information storage and organization.

    >>> import torch
    >>> linear(torch.tensor([1.0, 2.0]), torch.tensor([[10.0, 1.0]]), torch.tensor([0.5]))
    tensor([12.5000])
    """
    require_float("linear", "x", x)
    require_tensor("linear", "weight", weight)
    if weight.ndim != 2:
        raise bad_value("linear", "weight", "two axes, (out, in)", tuple(weight.shape))
    if x.ndim == 0 or x.shape[-1] != weight.shape[1]:
        hint = "the last axis holds the features"
        raise bad_value("linear", "x", f"shape (..., {weight.shape[1]})", tuple(x.shape), hint)
    if x.dtype != weight.dtype and not under_autocast(x):
        require_float_like("linear", "x", x, [weight.dtype], "the weights", owner="net")
    y = x @ weight.mT  # (..., in) @ (in, out) -> (..., out)
    if bias is None:
        return y
    require_tensor("linear", "bias", bias)
    if bias.shape != weight.shape[:1]:
        raise bad_value("linear", "bias", f"shape ({weight.shape[0]},)", tuple(bias.shape))
    if y.dtype != weight.dtype:  # autocast multiplies in 16 bits, and the sum shall not undo it
        bias = bias.to(y.dtype)
    return y + bias
