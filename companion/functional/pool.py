"""Pooling: summarise neighbourhoods of an image by their largest or mean pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_float, require_number, whole_numbers
from companion.functional._standardise import widen
from companion.functional._windows import Windows, correlate, every

Size = int | Sequence[int]


def max_pool2d(
    x: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    r"""Give the largest pixel of each window.

    .. math:: y_{nchw} = \max_{i,j} x_{n, \, c, \, s h + d i - p, \, s w + d j - p}

    The place of each winner is found first, without recording gradients; picking the pixels out by their
    places then is all that has to be differentiated: the gradient goes to the winner, of equals to the first.
    A nan wins, so that a mistake upstream stays visible.

    Args:
        x: Images.
        kernel_size: Height and width of a window, 1 or more; one number, or one for each axis.
        stride: Steps from one window to the next, 1 or more; None is the kernel's size.
        padding: Rows and columns around the image that never win, from 0 to half the window.
        dilation: Steps from one pixel of a window to the next, 1 or more.
        ceil_mode: Whether windows may reach over the end, as long as they start before it.
        return_indices: Whether the winners' places come too, counted along the rows of the image.

    Shape:
        x (N, C, H, W) or (C, H, W); the result has the same axes.

    Returns:
        The largest pixels, and with ``return_indices`` their places.

    Raises:
        TypeError: If x is no tensor or a number is not whole.
        ValueError: If shapes do not fit or a number is out of range.

    Source:
        Ranzato, Huang, Boureau and LeCun (2007), Unsupervised learning of invariant feature hierarchies.

    >>> max_pool2d(torch.tensor([[[1.0, 4.0, 3.0, 2.0], [0.0, 1.0, 2.0, 5.0]]]), 2)
    tensor([[[4., 5.]]])
    """
    k, s, p, d = _window("max_pool2d", x, kernel_size, stride, padding, dilation)
    count = _counts("max_pool2d", x, k, s, p, d, ceil_mode)
    bordered = _bordered(x, k, s, p, d, count, value=-math.inf)
    with torch.no_grad():
        places = _winners(bordered, k, s, p, d, count)
    y = bordered.flatten(-2).gather(-1, places.flatten(-2)).unflatten(-1, count)  # (..., P Q) -> (..., P, Q)
    if not return_indices:
        return y
    width = bordered.shape[-1]
    return y, (places // width - p[0]) * x.shape[-1] + places % width - p[1]


def avg_pool2d(
    x: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    r"""Give the mean pixel of each window.

    .. math:: y_{nchw} = \frac{1}{k_h k_w} \sum_{i,j} x_{n, \, c, \, s h + i - p, \, s w + j - p}

    It is a convolution of each channel by itself, with equal weights.

    Args:
        x: Images.
        kernel_size: Height and width of a window, 1 or more; one number, or one for each axis.
        stride: Steps from one window to the next, 1 or more; None is the kernel's size.
        padding: Rows and columns of zeros around the image, from 0 to half the window.
        ceil_mode: Whether windows may reach over the end, as long as they start before it.
        count_include_pad: Whether the zeros of the padding count in the divisor. What reaches further never does.
        divisor_override: What to divide the sums by instead, not 0.

    Shape:
        x (N, C, H, W) or (C, H, W); the result has the same axes.

    Returns:
        The means.

    Raises:
        TypeError: If x is no tensor or a number is not whole.
        ValueError: If shapes do not fit or a number is out of range.

    Source:
        LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document recognition.

    >>> avg_pool2d(torch.tensor([[[1.0, 4.0, 3.0, 2.0], [0.0, 3.0, 2.0, 5.0]]]), 2)
    tensor([[[2., 3.]]])
    """
    k, s, p, d = _window("avg_pool2d", x, kernel_size, stride, padding, 1)
    count = _counts("avg_pool2d", x, k, s, p, d, ceil_mode)
    y = _window_means(widen(_bordered(x, k, s, p, d, count, value=0.0)), k, s, count)
    if divisor_override is not None:
        require_number("avg_pool2d", "divisor_override", divisor_override)
        if divisor_override == 0:
            raise bad_value("avg_pool2d", "divisor_override", "a number other than 0", 0)
        return (y * (k[0] * k[1] / divisor_override)).to(x.dtype)
    if not (ceil_mode or (any(p) and not count_include_pad)):
        return y.to(x.dtype)
    shares = [_shares(x, a, k[a], s[a], p[a], count[a], count_include_pad) for a in (0, 1)]
    return (y / (shares[0].unsqueeze(1) * shares[1])).to(x.dtype)  # (P, 1), (Q,) -> (P, Q)


def adaptive_avg_pool2d(x: Tensor, output_size: int | Sequence[int | None]) -> Tensor:
    r"""Cut an image into a grid of a wanted size and give the mean of each cell.

    .. math:: y_{ncij} = \operatorname{mean} \, x_{n, \, c, \, a_i : b_i, \, a_j : b_j}, \qquad
              a_i = \left\lfloor \frac{i H}{H_{out}} \right\rfloor, \quad
              b_i = \left\lceil \frac{(i + 1) H}{H_{out}} \right\rceil

    Where the sizes do not divide, cells overlap by a row or column. Size 1 is the mean of the whole image.

    Args:
        x: Images.
        output_size: Height and width of the grid; one number for both, None to keep an axis as it is.

    Shape:
        x (N, C, H, W) or (C, H, W); the result ends in the grid's size.

    Returns:
        The means.

    Raises:
        TypeError: If x is no tensor or a size is not whole.
        ValueError: If x has other axes or a size is below 1.

    Source:
        The whole image: Lin, Chen and Yan (2014), Network in network.

    >>> adaptive_avg_pool2d(torch.tensor([[[1.0, 2.0, 6.0]]]), (1, 2))
    tensor([[[1.5000, 4.0000]]])
    """
    _require_images("adaptive_avg_pool2d", x)
    sizes = tuple(output_size) if isinstance(output_size, Sequence) else (output_size, output_size)
    if len(sizes) != 2:
        raise bad_value("adaptive_avg_pool2d", "output_size", "a whole number or 2 of them", sizes)
    kept = tuple(size if want is None else want for size, want in zip(x.shape[-2:], sizes))
    wanted = whole_numbers("adaptive_avg_pool2d", "output_size", kept, 2, 1)
    for axis, cells in zip((-2, -1), wanted):
        size = x.shape[axis]
        if size % cells == 0:  # equal cells are one reshape away: (..., H, W) -> (..., P, H / P, W)
            x = x.unflatten(axis, (cells, size // cells)).mean(axis)
        else:
            bounds = [(i * size // cells, -(-(i + 1) * size // cells)) for i in range(cells)]
            x = torch.stack([x.narrow(axis, a, b - a).mean(axis) for a, b in bounds], axis)
    return x


def _window(
    where: str, x: Tensor, kernel_size: Size, stride: Size | None, padding: Size, dilation: Size
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Check the arguments that windows share; return kernel, stride, padding and dilation for both axes."""
    _require_images(where, x)
    k = whole_numbers(where, "kernel_size", kernel_size, 2, 1)
    s = k if stride is None else whole_numbers(where, "stride", stride, 2, 1)
    p = whole_numbers(where, "padding", padding, 2, 0)
    d = whole_numbers(where, "dilation", dilation, 2, 1)
    reach = tuple(e * (n - 1) + 1 for n, e in zip(k, d))
    if any(2 * q > n for q, n in zip(p, reach)):
        raise bad_value(where, "padding", f"at most half of the window's size {reach}", p)
    return k, s, p, d


def _require_images(where: str, x: Tensor) -> None:
    require_float(where, "x", x)
    if x.ndim not in (3, 4) or 0 in x.shape[1:]:
        raise bad_value(where, "x", "shape (N, C, H, W) or (C, H, W), none of them empty but N", tuple(x.shape))


def _counts(
    where: str,
    x: Tensor,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    ceil_mode: bool,
) -> tuple[int, ...]:
    """Return how many windows fit along each axis."""
    counts = []
    for n, k, s, p, d in zip(x.shape[-2:], kernel, stride, padding, dilation):
        room = n + 2 * p - d * (k - 1) - 1
        count = (-(-room // s) if ceil_mode else room // s) + 1
        counts.append(count - 1 if ceil_mode and (count - 1) * s >= n + p else count)  # starts beyond the image
    if min(counts) < 1:
        raise bad_value(where, "kernel_size", f"a window within the image {tuple(x.shape[-2:])}", kernel)
    return tuple(counts)


def _bordered(
    x: Tensor,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    count: tuple[int, ...],
    value: float,
) -> Tensor:
    """Put a border around images and cut or fill the end, so that all windows fit exactly."""
    pads = []
    for n, k, s, p, d, c in zip(x.shape[-2:], kernel, stride, padding, dilation, count):
        pads.append((p, (c - 1) * s + d * (k - 1) + 1 - n - p))
    (top, bottom), (left, right) = pads
    if top == bottom == left == right == 0:
        return x
    return torch.nn.functional.pad(x, (left, right, top, bottom), value=value)


def _window_means(x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...], count: tuple[int, ...]) -> Tensor:
    """Average windows that fit exactly: those that tile the image by a reshape, others by equal weights."""
    if kernel == stride:  # (..., H, W) -> (..., P, kh, Q, kw) -> (..., P, Q)
        return x.unflatten(-1, (count[1], kernel[1])).unflatten(-3, (count[0], kernel[0])).mean((-3, -1))
    alone = x.flatten(0, -3).unsqueeze(-1)  # (N, C, H, W) -> (N C, H, W, 1)
    equal = x.new_full((1, 1, *kernel), 1 / math.prod(kernel))
    y = correlate(alone, equal, Windows(tuple(alone.shape[1:3]), count, kernel, stride, (1, 1), groups=1))
    return y.reshape(*x.shape[:-2], *count)  # (N C, 1, P, Q) -> (..., P, Q)


def _winners(
    bordered: Tensor,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    count: tuple[int, ...],
) -> Tensor:
    """Return the place of each window's largest pixel, counted along the rows of the bordered image."""
    width = bordered.shape[-1]
    starts = [torch.arange(c, device=bordered.device) * s for c, s in zip(count, stride)]
    # a window of -inf alone: its first pixel that is no border
    first = [a + (p - a).clamp(min=0).add(d - 1) // d * d for a, p, d in zip(starts, padding, dilation)]
    places = first[0].unsqueeze(1) * width + first[1]  # (P, 1), (Q,) -> (P, Q)
    best: Tensor | None = None
    for i in range(0, kernel[0] * dilation[0], dilation[0]):
        for j in range(0, kernel[1] * dilation[1], dilation[1]):
            seen = every(bordered, bordered.ndim - 2, i, stride[0], count[0])  # (..., H, W) -> (..., P, W)
            seen = every(seen, bordered.ndim - 1, j, stride[1], count[1])  # (..., P, W) -> (..., P, Q)
            here = (starts[0] + i).unsqueeze(1) * width + (starts[1] + j)
            wins = (seen > (-math.inf if best is None else best)) | torch.isnan(seen)
            places = torch.where(wins, here, places)
            best = seen if best is None else torch.where(wins, seen, best)
    return places


def _shares(x: Tensor, axis: int, kernel: int, stride: int, padding: int, count: int, border_counts: bool) -> Tensor:
    """Return which share of each window's length counts in the divisor."""
    size = x.shape[axis - 2]
    start = torch.arange(count, device=x.device) * stride - padding
    end = (start + kernel).clamp(max=size + padding)
    if not border_counts:
        start, end = start.clamp(min=0), end.clamp(max=size)
    return (end - start).to(widen(x).dtype) / kernel
