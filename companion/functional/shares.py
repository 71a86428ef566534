"""The softmax family: functions that look along one axis and share one unit of probability there."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from companion.functional._arguments import require_axis, require_float, require_number


def softmax(z: Tensor, dim: int = -1, temperature: float = 1.0) -> Tensor:
    r"""Share one unit of probability along an axis, in proportion to the exponentials of the logits.

    .. math:: \operatorname{softmax}(z)_i = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}}
              = \frac{e^{(z_i - m) / T}}{\sum_j e^{(z_j - m) / T}}, \qquad m = \max_j z_j

    The second form is the one computed: a common shift cancels, the largest exponent becomes 0, nothing
    overflows and the sum is at least 1. The shift is a constant (detached), as it cancels in the gradient
    too.

    Args:
        z: Float tensor of logits. A logit of -inf gets probability 0 (masking).
        dim: The axis to share along.
        temperature: Above 0. Below 1 it sharpens the shares, above 1 it evens them out.

    Shape:
        Any with at least one axis; the result has the same.

    Returns:
        Values in [0, 1] that sum to 1 along ``dim``. Nan, as in PyTorch, where every logit is -inf or one
        is inf.

    Raises:
        TypeError: If z is no tensor, ``dim`` no whole number or the temperature no number.
        ValueError: If z does not hold floats, lacks the axis, or the temperature is not above 0.

    Source:
        Bridle (1990), Probabilistic interpretation of feedforward classification network outputs.
        Temperature: Hinton, Vinyals and Dean (2015), Distilling the knowledge in a neural network.

    >>> softmax(torch.tensor([1000.0, 1001.0, 1002.0]))
    tensor([0.0900, 0.2447, 0.6652])
    """
    e = torch.exp(_shifted("softmax", z, dim, temperature))
    return e / e.sum(dim, keepdim=True)


def log_softmax(z: Tensor, dim: int = -1, temperature: float = 1.0) -> Tensor:
    r"""Give the logarithm of :func:`softmax`, without passing through probabilities that round to 0.

    .. math:: \log \operatorname{softmax}(z)_i = \frac{z_i - m}{T} - \log \sum_j e^{(z_j - m) / T},
              \qquad m = \max_j z_j

    Args:
        z: Float tensor of logits. A logit of -inf stays -inf (masking).
        dim: The axis to share along.
        temperature: Above 0.

    Shape:
        Any with at least one axis; the result has the same.

    Returns:
        Values in [-inf, 0] whose exponentials sum to 1 along ``dim``.

    Raises:
        TypeError: If z is no tensor, ``dim`` no whole number or the temperature no number.
        ValueError: If z does not hold floats, lacks the axis, or the temperature is not above 0.

    Source:
        Blanchard, Higham and Higham (2021), Accurately computing the log-sum-exp and softmax functions.

    >>> log_softmax(torch.tensor([0.0, 1000.0]))
    tensor([-1000.,     0.])
    """
    shifted = _shifted("log_softmax", z, dim, temperature)
    return shifted - torch.log(torch.exp(shifted).sum(dim, keepdim=True))


def logsumexp(z: Tensor, dim: int = -1, keepdim: bool = False) -> Tensor:
    r"""Give a smooth maximum along an axis: the logarithm of the summed exponentials.

    .. math:: \operatorname{lse}(z) = \log \sum_j e^{z_j} = m + \log \sum_j e^{z_j - m}, \qquad m = \max_j z_j

    Its gradient is :func:`softmax`. An infinite maximum is not subtracted (inf - inf would be nan). Where all
    entries are -inf the sum is 0; adding 1 before the logarithm leaves the value to m = -inf and lets the
    gradient be 0 instead of 0 / 0.

    Args:
        z: Float tensor, any values.
        dim: The axis to sum along.
        keepdim: Whether the summed axis stays, with size 1.

    Shape:
        Any with at least one axis; the result lacks ``dim``, or has size 1 there.

    Returns:
        Between the maximum and the maximum plus log n, for n entries; -inf for none.

    Raises:
        TypeError: If z is no tensor or ``dim`` no whole number.
        ValueError: If z does not hold floats or lacks the axis.

    Source:
        Blanchard, Higham and Higham (2021), Accurately computing the log-sum-exp and softmax functions.

    >>> logsumexp(torch.tensor([1000.0, 1000.0]))
    tensor(1000.6932)
    """
    require_float("logsumexp", "z", z)
    require_axis("logsumexp", z, dim)
    m = _maximum(z, dim)
    total = torch.exp(z - m.masked_fill(torch.isinf(m), 0)).sum(dim, keepdim=True)
    result = torch.log(total + (m == -math.inf)) + m
    return result if keepdim else result.squeeze(dim)


def _shifted(where: str, z: Tensor, dim: int, temperature: float) -> Tensor:
    """Check the arguments, divide by the temperature and move the largest logit to 0."""
    require_float(where, "z", z)
    require_axis(where, z, dim)
    require_number(where, "temperature", temperature, positive=True)
    return (z - _maximum(z, dim)) / temperature


def _maximum(z: Tensor, dim: int) -> Tensor:
    """Return the largest entry along an axis as a constant with that axis kept; -inf where it is empty."""
    if z.shape[dim] == 0:
        return z.detach().sum(dim, keepdim=True) - math.inf
    return z.detach().amax(dim, keepdim=True)
