"""Augmentations of series: noise, amplitude, a window, a shift in time."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from companion.data.augment.examples import add_noise, change_some, require_spread, series_batch, whole_lots
from companion.errors import bad_value
from companion.functional._arguments import require_whole
from companion.random import normal


def jitter(series: Tensor, std: float, *, p: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Add noise with mean 0 to every step, as a noisier sensor would.

    Args:
        series: Float tensor.
        std: Standard deviation of the noise, 0 or more, in units of the series.
        p: Probability that a series is changed, from 0 to 1, decided for each on its own.
        generator: Where the random numbers come from; None takes PyTorch's global generator.

    Shape:
        (B, T, C); the result has the same.

    Returns:
        New tensor of the type of ``series``.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If the shape is not (B, T, C), the numbers are no floats or an argument is out of range.

    Source:
        Um, Pfister, Pichler, Endo, Lang, Hirche, Fietzek and Kulić (2017), Data augmentation of wearable sensor data
        for Parkinson's disease monitoring using convolutional neural networks.

    >>> jitter(torch.zeros(1, 1000, 1), 0.5).std().round(decimals=1)
    tensor(0.5000)
    """
    batch = series_batch("jitter", series, p, floats=True)
    require_spread("jitter", std)
    return add_noise(batch, std, p, generator)


def scaling(series: Tensor, std: float, *, p: float = 1.0, generator: Generator | None = None) -> Tensor:
    r"""Multiply each channel of each series by a factor near 1 that is the same at all steps.

    .. math:: x'_{btc} = (1 + \text{std} \cdot \varepsilon_{bc}) \, x_{btc}, \qquad \varepsilon_{bc} \sim N(0, 1)

    Args:
        series: Float tensor.
        std: Standard deviation of the factor, 0 or more; well below 1, or signs change.
        p: Probability that a series is changed, from 0 to 1, decided for each on its own.
        generator: Where the random numbers come from; None takes PyTorch's global generator.

    Shape:
        (B, T, C); the result has the same.

    Returns:
        New tensor of the type of ``series``.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If the shape is not (B, T, C), the numbers are no floats or an argument is out of range.

    Source:
        Um et al. (2017), as for :func:`jitter`.

    >>> scaled = scaling(torch.ones(1, 3, 1), 0.1)
    >>> bool((scaled == scaled[:, :1]).all())
    True
    """
    batch = series_batch("scaling", series, p, floats=True)
    require_spread("scaling", std)
    factor = 1 + std * normal(
        [len(batch), 1, batch.shape[2]], generator=generator, device=batch.device, dtype=batch.dtype
    )
    return change_some(batch, factor * batch, p, generator)


def window_slice(series: Tensor, length: int, *, generator: Generator | None = None) -> Tensor:
    """Cut a stretch of equal length out of each series, at a place of its own.

    Args:
        series: Any numbers.
        length: Steps to keep, from 1 to T.
        generator: Where the random numbers come from; None takes PyTorch's global generator.

    Shape:
        (B, T, C) to (B, length, C).

    Returns:
        New tensor of the type of ``series``.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If the shape is not (B, T, C) or the series are shorter.

    Source:
        Le Guennec, Malinowski and Tavenard (2016), Data augmentation for time series classification using
        convolutional neural networks.

    >>> window_slice(torch.arange(5).reshape(1, 5, 1), 3).diff(dim=1).flatten()
    tensor([1, 1])
    """
    batch = series_batch("window_slice", series)
    require_whole("window_slice", "length", length, least=1)
    if length > batch.shape[1]:
        raise bad_value("window_slice", "length", f"at most {batch.shape[1]} steps, as in the series", length)
    return _steps(batch, whole_lots(batch, batch.shape[1] - length + 1, generator), length)


def time_shift(series: Tensor, by: int, *, p: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Move each series earlier or later; the first or the last value stands in for what is not known.

    Args:
        series: Any numbers.
        by: The furthest move in steps, 0 or more; all moves up to it are equally likely.
        p: Probability that a series is changed, from 0 to 1, decided for each on its own.
        generator: Where the random numbers come from; None takes PyTorch's global generator.

    Shape:
        (B, T, C); the result has the same.

    Returns:
        New tensor of the type of ``series``.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If the shape is not (B, T, C) or a number out of range.

    Source:
        Iwana and Uchida (2021), An empirical survey of data augmentation for time series classification with neural
        networks.

    >>> time_shift(torch.arange(5).reshape(1, 5, 1), 0).flatten()
    tensor([0, 1, 2, 3, 4])
    """
    batch = series_batch("time_shift", series, p)
    require_whole("time_shift", "by", by, least=0)
    moved = _steps(batch, whole_lots(batch, 2 * by + 1, generator) - by, batch.shape[1])
    return change_some(batch, moved, p, generator)


def _steps(batch: Tensor, start: Tensor, length: int) -> Tensor:
    """Read a stretch of each series from its own start; beyond an end its last value repeats."""
    step = start.unsqueeze(1) + torch.arange(length, device=batch.device)  # (B, length)
    step = step.clamp(0, batch.shape[1] - 1)
    return batch.gather(1, step.unsqueeze(2).expand(-1, -1, batch.shape[2]))  # (B, T, C) -> (B, length, C)
