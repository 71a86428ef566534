"""Normalisation: shift and scale groups of numbers to mean 0 and variance 1, then let learned numbers take over."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_float, require_number, require_shape, require_whole
from companion.functional._standardise import standardise, widen


def batch_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    r"""Normalise each channel by its mean and variance over the batch and all positions.

    .. math:: y_c = \gamma_c \frac{x_c - \mu_c}{\sqrt{\sigma_c^2 + \varepsilon}} + \beta_c, \qquad
              \text{running} \leftarrow (1 - m) \, \text{running} + m \, \text{batch}

    While training, :math:`\mu_c` and :math:`\sigma_c^2` (divided by n) come from the batch, and the running
    ones, with a variance divided by n - 1, follow by the momentum m. Afterwards the running ones are used, so
    that an example's result does not depend on its neighbours.

    Args:
        x: Float tensor whose second axis holds the channels.
        running_mean: One number for each channel, changed in place while training; None keeps no record.
        running_var: Likewise the variance.
        weight: The scale gamma, one number for each channel; None is 1.
        bias: The shift beta, one number for each channel; None is 0.
        training: Whether to normalise by the batch.
        momentum: Weight of the new batch in the running numbers, usually 0.1.
        eps: Added to the variance, above 0, so that a constant channel is not divided by 0.

    Shape:
        x (N, C, ...), the others (C,); the result is (N, C, ...).

    Returns:
        Values with mean beta and standard deviation about gamma in each channel while training.

    Raises:
        TypeError: If an argument is no tensor or no number.
        ValueError: If shapes do not meet, running numbers are missing outside training, or a channel has one
            value only while training.

    Source:
        Ioffe and Szegedy (2015), Batch normalization: accelerating deep network training.

    >>> batch_norm(torch.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    require_float("batch_norm", "x", x)
    require_number("batch_norm", "eps", eps, positive=True)
    require_number("batch_norm", "momentum", momentum)
    if x.ndim < 2:
        raise bad_value("batch_norm", "x", "shape (N, C, ...)", tuple(x.shape))
    channels = x.shape[1]
    numbers = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    for name, value in numbers.items():
        _require_shape("batch_norm", name, value, (channels,))
    column = (channels,) + (1,) * (x.ndim - 2)  # (C,) stands beside (N, C, ...) as (C, 1, ...)
    scale, shift = (None if v is None else v.reshape(column) for v in (weight, bias))
    if not training:
        if running_mean is None or running_var is None:
            hint = "training=True takes the numbers of the batch"
            raise bad_value("batch_norm", "running_mean", "running numbers outside training", None, hint)
        return _by_running(x, running_mean.reshape(column), running_var.reshape(column), scale, shift, eps)
    count = x.numel() // max(channels, 1)
    if count == 1:
        hint = "one value is its own mean: use a larger batch, or eval mode"
        raise bad_value("batch_norm", "x", "2 values or more in each channel while training", tuple(x.shape), hint)
    y, mean, var = standardise(x, scale, shift, (0, *range(2, x.ndim)), eps)
    if count:  # an empty batch teaches nothing
        _follow(running_mean, mean.reshape(channels), momentum)
        _follow(running_var, var.reshape(channels) * (count / (count - 1)), momentum)
    return y


def layer_norm(
    x: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    r"""Normalise each example by the mean and variance of its own features.

    .. math:: y_i = \gamma_i \frac{x_i - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta_i, \qquad
              \mu = \frac{1}{D} \sum_i x_i, \quad \sigma^2 = \frac{1}{D} \sum_i (x_i - \mu)^2

    Args:
        x: Float tensor.
        normalized_shape: Sizes of the last axes, those that are normalised together.
        weight: The scale gamma, of that shape; None is 1.
        bias: The shift beta, of that shape; None is 0.
        eps: Added to the variance, above 0.

    Shape:
        x (..., \*normalized_shape); the result has the same.

    Returns:
        Values with mean 0 and standard deviation about 1 along the last axes, before gamma and beta.

    Raises:
        TypeError: If an argument is no tensor or no number.
        ValueError: If shapes do not meet or eps is not above 0.

    Source:
        Ba, Kiros and Hinton (2016), Layer normalization.

    >>> layer_norm(torch.tensor([[1.0, 3.0], [10.0, 30.0]]), (2,))
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    require_float("layer_norm", "x", x)
    require_number("layer_norm", "eps", eps, positive=True)
    shape = tuple(normalized_shape)
    if not shape or x.ndim < len(shape) or x.shape[x.ndim - len(shape) :] != shape:
        expected = f"shape (..., {', '.join(map(str, shape))})" if shape else "one axis or more to normalise"
        raise bad_value("layer_norm", "x", expected, tuple(x.shape))
    _require_shape("layer_norm", "weight", weight, shape)
    _require_shape("layer_norm", "bias", bias, shape)
    scale, shift = (None if v is None else v.flatten() for v in (weight, bias))
    flat = x.flatten(x.ndim - len(shape))  # (..., *shape) -> (..., D)
    y, _, _ = standardise(flat, scale, shift, (flat.ndim - 1,), eps)
    return y.reshape(x.shape)  # (..., D) -> (..., *shape)


def group_norm(
    x: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    r"""Normalise each example by the mean and variance of groups of its channels.

    .. math:: y_{nc} = \gamma_c \frac{x_{nc} - \mu_{ng}}{\sqrt{\sigma_{ng}^2 + \varepsilon}} + \beta_c,
              \qquad g = \lfloor c \, G / C \rfloor

    One group is layer normalisation over channels and positions, C groups are instance normalisation.

    Args:
        x: Float tensor whose second axis holds the channels.
        num_groups: How many groups G the channels are cut into, a divisor of their number C.
        weight: The scale gamma, one number for each channel; None is 1.
        bias: The shift beta, one number for each channel; None is 0.
        eps: Added to the variance, above 0.

    Shape:
        x (N, C, ...), weight and bias (C,); the result is (N, C, ...).

    Returns:
        Values with mean 0 and standard deviation about 1 in each group, before gamma and beta.

    Raises:
        TypeError: If an argument is no tensor or no number.
        ValueError: If shapes do not meet, the groups do not divide the channels, or there is a single value.

    Source:
        Wu and He (2018), Group normalization.

    >>> group_norm(torch.tensor([[1.0, 3.0, 10.0, 30.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    require_float("group_norm", "x", x)
    require_whole("group_norm", "num_groups", num_groups, least=1)
    require_number("group_norm", "eps", eps, positive=True)
    if x.ndim < 2:
        raise bad_value("group_norm", "x", "shape (N, C, ...)", tuple(x.shape))
    batch, channels = x.shape[:2]
    if channels % num_groups:
        raise bad_value("group_norm", "num_groups", f"a divisor of the {channels} channels", num_groups)
    if x.numel() == num_groups:
        raise bad_value("group_norm", "x", "2 values or more", tuple(x.shape), "one value is its own mean")
    for name, value in (("weight", weight), ("bias", bias)):
        _require_shape("group_norm", name, value, (channels,))
    split = (num_groups, channels // num_groups)
    scale, shift = (None if v is None else v.reshape(*split, 1) for v in (weight, bias))
    grouped = x.reshape(batch, *split, math.prod(x.shape[2:]))  # (N, C, ...) -> (N, G, C / G, L)
    y, _, _ = standardise(grouped, scale, shift, (2, 3), eps)
    return y.reshape(x.shape)  # (N, G, C / G, L) -> (N, C, ...)


def _by_running(x: Tensor, mean: Tensor, var: Tensor, scale: Tensor | None, shift: Tensor | None, eps: float) -> Tensor:
    """Normalise by fixed numbers: one product and one sum for each value."""
    factor = torch.rsqrt(widen(var) + eps)
    factor = factor if scale is None else factor * scale
    offset = -mean * factor if shift is None else shift - mean * factor
    return torch.addcmul(offset, widen(x), factor).to(x.dtype)


def _follow(running: Tensor | None, batch: Tensor, momentum: float) -> None:
    """Move a running number towards the batch's, in place."""
    if running is not None:
        with torch.no_grad():
            running.mul_(1 - momentum).add_(momentum * batch.to(running.dtype))


def _require_shape(where: str, argument: str, value: Tensor | None, shape: tuple[int, ...]) -> None:
    if value is not None:
        require_shape(where, argument, value, shape, "one number for each normalised place")
