"""Augmentations of images: crop, flip, shift, turn, erase, add noise."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from companion.data.augment.examples import add_noise, change_some, image_batch, lots, require_spread, whole_lots
from companion.data.augment.geometry import rotate, window
from companion.errors import bad_value
from companion.functional._arguments import require_number, require_whole, whole_numbers


def random_crop(
    images: Tensor, size: int | Sequence[int], *, padding: int = 0, generator: Generator | None = None
) -> Tensor:
    """Cut a window out of each image, at a place of its own, after a margin of zeros was laid around.

    Args:
        images: Any numbers.
        size: Height and width of the window, or one number for both; at most the image's with its margins.
        padding: Width of the margin on every side, in pixels, 0 or more.
        generator: Where the random numbers come from; None takes PyTorch's global generator.

    Shape:
        (B, C, H, W) or (C, H, W) to (B, C, h, w) or (C, h, w).

    Returns:
        New tensor of the type of ``images``.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If the shape is no image's or the window does not fit.

    Source:
        Krizhevsky, Sutskever and Hinton (2012), ImageNet classification with deep convolutional neural networks.

    >>> random_crop(torch.ones(5, 3, 8, 8), 6).shape
    torch.Size([5, 3, 6, 6])
    """
    batch = image_batch("random_crop", images)
    height, width = whole_numbers("random_crop", "size", size, 2, 1)
    require_whole("random_crop", "padding", padding, least=0)
    rows, columns = batch.shape[2] + 2 * padding - height, batch.shape[3] + 2 * padding - width
    if rows < 0 or columns < 0:
        expected = f"at most {batch.shape[2] + 2 * padding} x {batch.shape[3] + 2 * padding}"
        raise bad_value("random_crop", "size", expected, f"{height} x {width}", "a larger padding makes room")
    top = whole_lots(batch, rows + 1, generator) - padding
    left = whole_lots(batch, columns + 1, generator) - padding
    return window(batch, top, left, height, width).reshape(*images.shape[:-2], height, width)


def random_flip(images: Tensor, *, p: float = 0.5, generator: Generator | None = None) -> Tensor:
    """Exchange left and right. Not for digits or letters: a mirrored 2 is no 2.

    Args:
        images: Any numbers.
        p: Probability that an image is changed, from 0 to 1, decided for each on its own.
        generator: Where the random numbers come from; None takes PyTorch's global generator.

    Shape:
        (B, C, H, W) or (C, H, W); the result has the same.

    Returns:
        New tensor of the type of ``images``.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If the shape is no image's or p out of range.

    Source:
        Krizhevsky, Sutskever and Hinton (2012), ImageNet classification with deep convolutional neural networks.

    >>> random_flip(torch.tensor([[[1, 2, 3]]]), p=1)
    tensor([[[3, 2, 1]]])
    """
    batch = image_batch("random_flip", images, p)
    return change_some(batch, batch.flip(-1), p, generator).reshape(images.shape)


def random_shift(
    images: Tensor, by: int | Sequence[int], *, p: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Move each image up or down and to a side by whole pixels; zeros follow from outside.

    Args:
        images: Any numbers.
        by: The furthest move in pixels, vertically and horizontally or one number for both, 0 or more; all moves up
            to it are equally likely.
        p: Probability that an image is changed, from 0 to 1, decided for each on its own.
        generator: Where the random numbers come from; None takes PyTorch's global generator.

    Shape:
        (B, C, H, W) or (C, H, W); the result has the same.

    Returns:
        New tensor of the type of ``images``.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If the shape is no image's or a number out of range.

    Source:
        Simard, Steinkraus and Platt (2003), Best practices for convolutional neural networks applied to visual
        document analysis.

    >>> random_shift(torch.ones(3, 1, 5, 5), (0, 2)).sum(2).amax()
    tensor(5.)
    """
    batch = image_batch("random_shift", images, p)
    down, across = whole_numbers("random_shift", "by", by, 2, 0)
    top = whole_lots(batch, 2 * down + 1, generator) - down
    left = whole_lots(batch, 2 * across + 1, generator) - across
    moved = window(batch, top, left, *batch.shape[2:])
    return change_some(batch, moved, p, generator).reshape(images.shape)


def random_rotation(images: Tensor, degrees: float, *, p: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Turn each image about its middle by an angle of its own; zeros follow from outside.

    Pixels are interpolated between their four neighbours, which blurs a little.

    Args:
        images: Float tensor.
        degrees: The largest angle to either side, from 0 to 180; all up to it are equally likely. For digits stay
            well below 90: a 6 must not become a 9.
        p: Probability that an image is changed, from 0 to 1, decided for each on its own.
        generator: Where the random numbers come from; None takes PyTorch's global generator.

    Shape:
        (B, C, H, W) or (C, H, W); the result has the same.

    Returns:
        New tensor of the type of ``images``.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If the shape is no image's, the numbers are no floats or an argument is out of range.

    Source:
        Simard, Steinkraus and Platt (2003), Best practices for convolutional neural networks applied to visual
        document analysis.

    >>> random_rotation(torch.ones(2, 1, 9, 9), 20)[:, :, 4, 4].round().flatten()
    tensor([1., 1.])
    """
    batch = image_batch("random_rotation", images, p, floats=True)
    require_number("random_rotation", "degrees", degrees)
    if not 0 <= degrees <= 180:
        raise bad_value("random_rotation", "degrees", "an angle from 0 to 180", degrees)
    turned = rotate(batch, lots(batch, generator, -degrees, degrees))
    return change_some(batch, turned, p, generator).reshape(images.shape)


def random_erase(
    images: Tensor, size: int | Sequence[int], *, p: float = 0.5, generator: Generator | None = None
) -> Tensor:
    """Set a rectangle of each image to 0, so that no single part may decide (cutout).

    The middle of the rectangle is any pixel with equal chance: near the border a part of it lies outside. After
    standardising, 0 is the mean brightness.

    Args:
        images: Any numbers.
        size: Height and width of the rectangle in pixels, or one number for both, 1 or more.
        p: Probability that an image is changed, from 0 to 1, decided for each on its own.
        generator: Where the random numbers come from; None takes PyTorch's global generator.

    Shape:
        (B, C, H, W) or (C, H, W); the result has the same.

    Returns:
        New tensor of the type of ``images``.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If the shape is no image's or a number out of range.

    Source:
        DeVries and Taylor (2017), Improved regularization of convolutional neural networks with cutout; Zhong,
        Zheng, Kang, Li and Yang (2020), Random erasing data augmentation.

    >>> random_erase(torch.ones(1, 1, 1, 5), 9, p=1)
    tensor([[[[0., 0., 0., 0., 0.]]]])
    """
    batch = image_batch("random_erase", images, p)
    height, width = whole_numbers("random_erase", "size", size, 2, 1)
    row = torch.arange(batch.shape[2], device=batch.device).unsqueeze(1)  # (H, 1)
    column = torch.arange(batch.shape[3], device=batch.device)  # (W,)
    top = whole_lots(batch, batch.shape[2], generator).reshape(-1, 1, 1) - height // 2  # (B, 1, 1)
    left = whole_lots(batch, batch.shape[3], generator).reshape(-1, 1, 1) - width // 2
    within = (row >= top) & (row < top + height) & (column >= left) & (column < left + width)  # (B, H, W)
    return change_some(batch, batch.masked_fill(within.unsqueeze(1), 0), p, generator).reshape(images.shape)


def random_noise(images: Tensor, std: float, *, p: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Add noise with mean 0 to every pixel of every channel; brightness may leave its range.

    Args:
        images: Float tensor.
        std: Standard deviation of the noise, 0 or more, in units of the brightness.
        p: Probability that an image is changed, from 0 to 1, decided for each on its own.
        generator: Where the random numbers come from; None takes PyTorch's global generator.

    Shape:
        (B, C, H, W) or (C, H, W); the result has the same.

    Returns:
        New tensor of the type of ``images``.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If the shape is no image's, the numbers are no floats or an argument is out of range.

    Source:
        Bishop (1995), Training with noise is equivalent to Tikhonov regularization.

    >>> random_noise(torch.zeros(1, 1, 100, 100), 0.5).std().round(decimals=1)
    tensor(0.5000)
    """
    batch = image_batch("random_noise", images, p, floats=True)
    require_spread("random_noise", std)
    return add_noise(batch, std, p, generator).reshape(images.shape)
