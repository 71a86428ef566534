"""Where the pixels of a moved image come from."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad


def pick(bordered: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Read the pixel at each row and column; outside the image there is 0.

    Args:
        bordered: Images with one line of zeros around, shape (B, C, 1 + H + 1, 1 + W + 1); whatever lies outside is
            read from that line, so no mask is needed.
        rows: Whole numbers, shape (B, h, w), counted from the first row of the image itself.
        columns: The same for columns.

    Returns:
        Shape (B, C, h, w).

    >>> pick(pad(torch.tensor([[[[1, 2], [3, 4]]]]), (1, 1, 1, 1)), torch.tensor([[[0, 1]]]), torch.tensor([[[1, 9]]]))
    tensor([[[[2, 0]]]])
    """
    channels, height, width = bordered.shape[1:]
    place = (rows + 1).clamp(0, height - 1) * width + (columns + 1).clamp(0, width - 1)  # (B, h, w)
    index = place.flatten(1).unsqueeze(1).expand(-1, channels, -1)  # (B, h, w) -> (B, C, h*w)
    return bordered.flatten(2).gather(2, index).unflatten(2, rows.shape[1:])  # (B, C, h*w) -> (B, C, h, w)


def window(images: Tensor, top: Tensor, left: Tensor, height: int, width: int) -> Tensor:
    """Read a window of each image that begins at its own row and column and may reach over the border.

    >>> window(torch.ones(1, 1, 2, 2), torch.tensor([1]), torch.tensor([0]), 2, 2)
    tensor([[[[1., 1.],
              [0., 0.]]]])
    """
    rows = top.reshape(-1, 1, 1) + torch.arange(height, device=images.device).unsqueeze(1)  # (B, h, 1)
    columns = left.reshape(-1, 1, 1) + torch.arange(width, device=images.device)  # (B, 1, w)
    return pick(pad(images, (1, 1, 1, 1)), *torch.broadcast_tensors(rows, columns))


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
    down, right = rows - top, columns - left  # how near the lower and the right neighbours are
    top, left = top.long(), left.long()
    bordered = pad(images, (1, 1, 1, 1))
    turned = torch.zeros_like(images)
    for row, near_row in ((top, 1 - down), (top + 1, down)):
        for column, near_column in ((left, 1 - right), (left + 1, right)):
            nearness = (near_row * near_column).unsqueeze(1).to(images.dtype)  # (B, 1, H, W)
            turned = turned.addcmul(nearness, pick(bordered, row, column))
    return turned
