"""Dropout: silence at random while training."""

from __future__ import annotations

from torch import Generator, Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_float, require_share
from companion.random import uniform


def dropout(x: Tensor, p: float = 0.5, training: bool = True, *, generator: Generator | None = None) -> Tensor:
    r"""Replace each number by 0 with probability p and enlarge the others, so that the mean stays.

    .. math:: y_i = \frac{m_i}{1 - p} \, x_i, \qquad m_i \sim \operatorname{Bernoulli}(1 - p)

    The same m scales the gradient. Outside training nothing happens.

    Args:
        x: Float tensor.
        p: Probability of being dropped, from 0 to 1.
        training: Whether to drop at all.
        generator: Where the random numbers come from; None takes PyTorch's global generator.

    Shape:
        Any; the result has the same.

    Returns:
        0 or x / (1 - p) in each place; x itself outside training and for p = 0.

    Raises:
        TypeError: If x is no tensor or p no number.
        ValueError: If x does not hold floats or p is not from 0 to 1.

    Source:
        Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), Dropout: a simple way to prevent
        neural networks from overfitting.

    >>> import torch
    >>> rng = torch.Generator().manual_seed(1)
    >>> dropout(torch.ones(6), p=0.5, generator=rng)
    tensor([2., 0., 0., 2., 0., 2.])
    """
    require_float("dropout", "x", x)
    require_share("dropout", "p", p)
    return _silence(x, tuple(x.shape), p, generator) if training and p else x


def dropout2d(x: Tensor, p: float = 0.5, training: bool = True, *, generator: Generator | None = None) -> Tensor:
    r"""Replace each whole channel by 0 with probability p and enlarge the others.

    .. math:: y_{nc} = \frac{m_{nc}}{1 - p} \, x_{nc}, \qquad m_{nc} \sim \operatorname{Bernoulli}(1 - p)

    Neighbouring pixels say nearly the same: what a dropped pixel knew, the next one still tells. So a channel
    is kept or dropped as a whole.

    Args:
        x: Float tensor of images.
        p: Probability that a channel is dropped, from 0 to 1.
        training: Whether to drop at all.
        generator: Where the random numbers come from; None takes PyTorch's global generator.

    Shape:
        x (N, C, H, W); the result has the same. PyTorch also takes three axes, as (N, C, L) with a warning that
        it will read them as (C, H, W) some day; here they are refused.

    Returns:
        0 or x / (1 - p), alike in all places of a channel; x itself outside training and for p = 0.

    Raises:
        TypeError: If x is no tensor or p no number.
        ValueError: If x does not hold floats, has not four axes, or p is not from 0 to 1.

    Source:
        Tompson, Goroshin, Jain, LeCun and Bregler (2015), Efficient object localization using convolutional
        networks.

    >>> import torch
    >>> dropout2d(torch.ones(1, 4, 5, 5), p=0.5).shape
    torch.Size([1, 4, 5, 5])
    """
    require_float("dropout2d", "x", x)
    require_share("dropout2d", "p", p)
    if x.ndim != 4:
        hint = "x.unsqueeze(0) makes a batch of one image"
        raise bad_value("dropout2d", "x", "shape (N, C, H, W)", tuple(x.shape), hint)
    return _silence(x, (*x.shape[:2], 1, 1), p, generator) if training and p else x


def _silence(x: Tensor, shape: tuple[int, ...], p: float, generator: Generator | None) -> Tensor:
    """Drop with probability p, independently over ``shape``, which broadcasts to x."""
    keep = uniform(shape, generator=generator, device=x.device) >= p  # numbers below 1: p = 1 drops all
    factor = 0.0 if p == 1 else 1 / (1 - p)
    return x * (keep * factor).to(x.dtype)
