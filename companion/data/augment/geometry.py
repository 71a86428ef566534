"""Where the pixels of a moved image come from."""

from __future__ import annotations

import torch
from torch import Tensor


def pick(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Read the pixel at each row and column; outside the image there is 0.

    Args:
        images: Shape (B, C, H, W).
        rows: Whole numbers, shape (B, h, w); those below 0 or from H on lie outside.
        columns: The same for columns.

    Returns:
        Shape (B, C, h, w).

    >>> pick(torch.tensor([[[[1, 2], [3, 4]]]]), torch.tensor([[[0, 1]]]), torch.tensor([[[1, 2]]]))
    tensor([[[[2, 0]]]])
    """
    channels, height, width = images.shape[1:]
    outside = (rows < 0) | (rows >= height) | (columns < 0) | (columns >= width)
    place = rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1)  # (B, h, w)
    index = place.flatten(1).unsqueeze(1).expand(-1, channels, -1)  # (B, h, w) -> (B, C, h*w)
    read = images.flatten(2).gather(2, index).unflatten(2, rows.shape[1:])  # (B, C, h*w) -> (B, C, h, w)
    return read.masked_fill(outside.unsqueeze(1), 0)


def window(images: Tensor, top: Tensor, left: Tensor, height: int, width: int) -> Tensor:
    """Read a window of each image that begins at its own row and column and may reach over the border.

    >>> window(torch.ones(1, 1, 2, 2), torch.tensor([1]), torch.tensor([0]), 2, 2)
    tensor([[[[1., 1.],
              [0., 0.]]]])
    """
    rows = top.reshape(-1, 1, 1) + torch.arange(height, device=images.device).unsqueeze(1)  # (B, h, 1)
    columns = left.reshape(-1, 1, 1) + torch.arange(width, device=images.device)  # (B, 1, w)
    return pick(images, *torch.broadcast_tensors(rows, columns))


def rotate(images: Tensor, degrees: Tensor) -> Tensor:
    r"""Turn each image about its middle, counter-clockwise, by bilinear interpolation.

    .. math:: \begin{pmatrix} x' \\ y' \end{pmatrix} =
              \begin{pmatrix} \cos a & -\sin a \\ \sin a & \cos a \end{pmatrix} \begin{pmatrix} x \\ y \end{pmatrix}

    The pixel at (x, y), counted from the middle with y downwards, is read at (x', y'), between four neighbours in
    proportion to their nearness.

    Args:
        images: Floats, shape (B, C, H, W).
        degrees: One angle for each image, shape (B,).

    Returns:
        Shape (B, C, H, W); what was outside is 0.

    >>> rotate(torch.tensor([[[[0.0, 1.0], [0.0, 0.0]]]]), torch.tensor([90.0])).round()
    tensor([[[[1., 0.],
              [0., 0.]]]])
    """
    precise = torch.float64 if images.dtype == torch.float64 else torch.float32
    height, width = images.shape[-2:]
    y = torch.arange(height, device=images.device, dtype=precise).unsqueeze(1) - (height - 1) / 2  # (H, 1)
    x = torch.arange(width, device=images.device, dtype=precise) - (width - 1) / 2  # (W,)
    angle = torch.deg2rad(degrees.to(precise)).reshape(-1, 1, 1)  # (B, 1, 1)
    rows = x * angle.sin() + y * angle.cos() + (height - 1) / 2  # (B, H, W)
    columns = x * angle.cos() - y * angle.sin() + (width - 1) / 2
    top, left = rows.floor(), columns.floor()
    turned = torch.zeros_like(images)
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        nearness = (1 - (rows - top - row).abs()) * (1 - (columns - left - column).abs())  # (B, H, W)
        pixels = pick(images, (top + row).long(), (left + column).long())
        turned += nearness.unsqueeze(1).to(images.dtype) * pixels
    return turned
