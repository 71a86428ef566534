"""Convolution and transposed convolution, over one axis and over images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import in_one_type, require_float, require_tensor, require_whole, whole_numbers
from companion.functional._windows import Windows, correlate, spread

Size = int | Sequence[int]


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: str | Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    r"""Slide small kernels over images and give the weighted sum of what each covers.

    .. math:: y_{nohw} = b_o + \sum_{c,i,j} w_{ocij} \, x_{n, \, c, \, s h + d i - p, \, s w + d j - p}, \qquad
              H_{out} = \left\lfloor \frac{H + 2 p - d (k - 1) - 1}{s} \right\rfloor + 1

    with stride s, padding p and dilation d; beyond the edge x is 0. All windows are written out as rows of one
    matrix, with the channels last because they then lie together in memory, and one matrix product does the
    sums: one to two times PyTorch's time, where loops take about 25 times.

    Args:
        x: Images.
        weight: One kernel for each output channel.
        bias: One number for each output channel, or None.
        stride: Steps from one window to the next, 1 or more; one number, or one for each axis.
        padding: Rows and columns of zeros around the image, 0 or more; ``"valid"`` is 0, ``"same"`` keeps the
            size (at stride 1; of an odd total the end gets one more).
        dilation: Steps from one kernel entry to the next, 1 or more.
        groups: Into how many separate convolutions the channels are cut; both numbers of channels are
            multiples of it.

    Shape:
        x (N, C, H, W) or (C, H, W), weight (O, C / groups, kh, kw), bias (O,); the result is (N, O, H_out,
        W_out) or (O, H_out, W_out).

    Returns:
        The weighted sums.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If shapes do not meet, a number is out of range, or the kernel is larger than the image.

    Source:
        LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document recognition.

    >>> edge = torch.tensor([[[[-1.0, 1.0]]]])
    >>> conv2d(torch.tensor([[[0.0, 0.0, 5.0, 5.0]]]), edge)
    tensor([[[0., 5., 0.]]])
    """
    return _convolve("conv2d", 2, x, weight, bias, stride, padding, dilation, groups)


def conv1d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: str | Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    r"""Slide small kernels along sequences: :func:`conv2d` over images of height 1.

    .. math:: y_{nol} = b_o + \sum_{c,i} w_{oci} \, x_{n, \, c, \, s l + d i - p}

    Args:
        x: Sequences.
        weight: One kernel for each output channel.
        bias: One number for each output channel, or None.
        stride: Steps from one window to the next, 1 or more.
        padding: Zeros at both ends, 0 or more, ``"valid"`` or ``"same"``.
        dilation: Steps from one kernel entry to the next, 1 or more.
        groups: Into how many separate convolutions the channels are cut.

    Shape:
        x (N, C, L) or (C, L), weight (O, C / groups, k), bias (O,); the result is (N, O, L_out) or (O, L_out).

    Returns:
        The weighted sums.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If shapes do not meet, a number is out of range, or the kernel is larger than the sequence.

    Source:
        Waibel, Hanazawa, Hinton, Shikano and Lang (1989), Phoneme recognition using time-delay neural
        networks.

    >>> conv1d(torch.tensor([[1.0, 2.0, 4.0]]), torch.tensor([[[-1.0, 1.0]]]))
    tensor([[1., 2.]])
    """
    return _convolve("conv1d", 1, x, weight, bias, stride, padding, dilation, groups)


def conv_transpose2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    r"""Lay down a kernel at each pixel, as strong as the pixel, and add up what overlaps.

    .. math:: y_{n, \, o, \, s h + d i - p, \, s w + d j - p} = b_o + \sum_{c,h,w,i,j} w_{coij} \, x_{nchw}, \qquad
              H_{out} = (H - 1) s - 2 p + d (k - 1) + p_{out} + 1

    It is the gradient of :func:`conv2d` with respect to its image (its matrix is that of the convolution,
    transposed), which is how it is computed; with a stride it enlarges.

    Args:
        x: Images.
        weight: One kernel for each pair of channels.
        bias: One number for each output channel, or None.
        stride: Steps from one kernel's place to the next, 1 or more.
        padding: Rows and columns cut off around the result, 0 or more.
        output_padding: Rows and columns added at the end, below stride or dilation: several sizes shrink to the
            same one under a stride, and this says which to return to.
        groups: Into how many separate convolutions the channels are cut.
        dilation: Steps from one kernel entry to the next, 1 or more.

    Shape:
        x (N, C, H, W) or (C, H, W), weight (C, O / groups, kh, kw), bias (O,); the result is (N, O, H_out,
        W_out) or (O, H_out, W_out).

    Returns:
        The sums.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If shapes do not meet or a number is out of range.

    Source:
        Zeiler, Krishnan, Taylor and Fergus (2010), Deconvolutional networks; the arithmetic: Dumoulin and Visin
        (2016), A guide to convolution arithmetic for deep learning.

    >>> conv_transpose2d(torch.tensor([[[1.0, 10.0]]]), torch.ones(1, 1, 1, 2), stride=(1, 2))
    tensor([[[ 1.,  1., 10., 10.]]])
    """
    where = "conv_transpose2d"
    _require_images(where, 2, x, weight, groups)
    if x.shape[-3] != weight.shape[0]:
        expected = f"{weight.shape[0]} channels (the first axis of weight)"
        raise bad_value(where, "x", expected, f"shape {tuple(x.shape)}")
    if weight.shape[0] % groups:
        raise bad_value(where, "groups", f"a divisor of the {weight.shape[0]} channels", groups)
    _require_bias(where, bias, weight.shape[1] * groups)
    s, d = whole_numbers(where, "stride", stride, 2, 1), whole_numbers(where, "dilation", dilation, 2, 1)
    p = whole_numbers(where, "padding", padding, 2, 0)
    extra = whole_numbers(where, "output_padding", output_padding, 2, 0)
    for e, limit in zip(extra, map(max, s, d)):
        if e >= limit:
            raise bad_value(where, "output_padding", "less than stride or dilation", extra)
    count, kernel = tuple(x.shape[-2:]), tuple(weight.shape[2:])
    size = tuple((n - 1) * t + u * (k - 1) + 1 + e for n, t, u, k, e in zip(count, s, d, kernel, extra))
    if any(n < 1 or full - 2 * q < 1 for n, full, q in zip(count, size, p)):
        raise bad_value(where, "x", "an image that leaves one pixel or more", f"{count} with padding {p}")
    batched = x.ndim == 4
    x, weight = in_one_type(where, x=x, weight=weight)
    windows = Windows(size, count, kernel, s, d, groups)
    y = spread(x if batched else x.unsqueeze(0), weight, windows)
    y = y.narrow(1, p[0], size[0] - 2 * p[0]).narrow(2, p[1], size[1] - 2 * p[1])  # cut the padding off
    y = y.permute(0, 3, 1, 2).clone(memory_format=torch.contiguous_format)  # (N, H, W, O) -> (N, O, H, W)
    return _finished(y, bias, batched)


def _convolve(
    where: str,
    axes: int,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Size,
    padding: str | Size,
    dilation: Size,
    groups: int,
) -> Tensor:
    """Check the arguments, pad, convolve; a sequence is an image of height 1."""
    _require_images(where, axes, x, weight, groups)
    if x.shape[-1 - axes] != weight.shape[1] * groups:
        expected = f"{weight.shape[1] * groups} channels (the second axis of weight times groups)"
        raise bad_value(where, "x", expected, f"shape {tuple(x.shape)}")
    if weight.shape[0] % groups:
        raise bad_value(where, "groups", f"a divisor of the {weight.shape[0]} output channels", groups)
    _require_bias(where, bias, weight.shape[0])
    s, d = whole_numbers(where, "stride", stride, axes, 1), whole_numbers(where, "dilation", dilation, axes, 1)
    pads = paddings(where, padding, tuple(weight.shape[2:]), s, d)
    x, weight = in_one_type(where, x=x, weight=weight)
    if axes == 1:
        x, weight = x.unsqueeze(-2), weight.unsqueeze(-2)  # (N, C, L) -> (N, C, 1, L), (O, C, k) -> (O, C, 1, k)
        s, d, pads = (1, *s), (1, *d), [(0, 0), *pads]
    batched = x.ndim == 4
    padded = _padded((x if batched else x.unsqueeze(0)).permute(0, 2, 3, 1), pads)  # -> (N, H + 2 p, W + 2 p, C)
    size, kernel = tuple(padded.shape[1:3]), tuple(weight.shape[2:])
    count = tuple((n - u * (k - 1) - 1) // t + 1 for n, u, k, t in zip(size, d, kernel, s))
    if min(count) < 1:
        got = f"a kernel that reaches over {tuple(u * (k - 1) + 1 for u, k in zip(d, kernel))[-axes:]}"
        raise bad_value(where, "weight", f"a kernel within the padded size {size[-axes:]}", got)
    y = _finished(correlate(padded, weight, Windows(size, count, kernel, s, d, groups)), bias, batched)
    return y.squeeze(-2) if axes == 1 else y  # (N, O, 1, L) -> (N, O, L)


def _finished(y: Tensor, bias: Tensor | None, batched: bool) -> Tensor:
    """Add the bias, and take the axis of a single image away again."""
    if bias is not None:
        y = y + bias.to(y.dtype).reshape(-1, 1, 1)
    return y if batched else y.squeeze(0)


def _padded(x: Tensor, pads: Sequence[tuple[int, int]]) -> Tensor:
    """Put zeros around (N, H, W, C), and its numbers in that order in memory."""
    (top, bottom), (left, right) = pads
    if top == bottom == left == right == 0:
        return x.clone(memory_format=torch.contiguous_format)
    return torch.nn.functional.pad(x, (0, 0, left, right, top, bottom))


def paddings(
    where: str, padding: str | Size, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> list[tuple[int, int]]:
    """Return the zeros at start and end of each axis."""
    if not isinstance(padding, str):
        return [(p, p) for p in whole_numbers(where, "padding", padding, len(kernel), 0)]
    if padding not in ("valid", "same"):
        raise bad_value(where, "padding", "numbers, 'valid' or 'same'", repr(padding))
    if padding == "valid":
        return [(0, 0)] * len(kernel)
    if max(stride) > 1:
        raise bad_value(where, "padding", "numbers where the stride is above 1", "'same'", "a stride changes the size")
    totals = [d * (k - 1) for k, d in zip(kernel, dilation)]
    return [(total // 2, total - total // 2) for total in totals]


def _require_images(where: str, axes: int, x: Tensor, weight: Tensor, groups: int) -> None:
    """Refuse what cannot be images (or sequences) and kernels."""
    require_float(where, "x", x)
    require_tensor(where, "weight", weight)
    require_whole(where, "groups", groups, least=1)
    names = "L" if axes == 1 else "H, W"
    if x.ndim not in (axes + 1, axes + 2):
        raise bad_value(where, "x", f"shape (N, C, {names}) or (C, {names})", tuple(x.shape))
    if weight.ndim != axes + 2 or 0 in weight.shape:
        raise bad_value(where, "weight", f"{axes + 2} axes, none of them empty", tuple(weight.shape))


def _require_bias(where: str, bias: Tensor | None, channels: int) -> None:
    if bias is None:
        return
    require_tensor(where, "bias", bias)
    if bias.shape != (channels,):
        raise bad_value(where, "bias", f"shape ({channels},), a number for each output channel", tuple(bias.shape))
