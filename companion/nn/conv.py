"""Convolution as layers."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from companion import functional as F
from companion import init
from companion.errors import bad_value
from companion.functional._arguments import require_whole, whole_numbers
from companion.functional.conv import Size, paddings

_BORDERS = ("zeros", "reflect", "replicate", "circular")


class _Conv(Module):
    """What convolutions share whatever their number of axes and direction."""

    axes: int
    transposed = False
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: str | Size = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        where = type(self).__name__
        for name, value in (("in_channels", in_channels), ("out_channels", out_channels), ("groups", groups)):
            require_whole(where, name, value, least=1)
        if in_channels % groups or out_channels % groups:
            expected = f"a divisor of {in_channels} input and {out_channels} output channels"
            raise bad_value(where, "groups", expected, groups)
        borders = _BORDERS[:1] if self.transposed else _BORDERS
        if padding_mode not in borders:
            raise bad_value(where, "padding_mode", " or ".join(map(repr, borders)), repr(padding_mode))
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = whole_numbers(where, "kernel_size", kernel_size, self.axes, least=1)
        self.stride = whole_numbers(where, "stride", stride, self.axes, least=1)
        self.dilation = whole_numbers(where, "dilation", dilation, self.axes, least=1)
        self._borders = paddings(where, padding, self.kernel_size, self.stride, self.dilation)
        self.padding = padding if isinstance(padding, str) else tuple(start for start, _ in self._borders)
        self.padding_mode = padding_mode
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (first, second // groups, *self.kernel_size)
        self.weight = Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.bias = Parameter(torch.empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weight and bias anew.

        Args:
            generator: Where the numbers come from; None takes PyTorch's global generator.
        """
        bound = 1 / math.sqrt(math.prod(self.weight.shape[1:]))
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound, generator)

    def extra_repr(self) -> str:
        """Name the options when the layer is printed."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}, groups={self.groups}, bias={self.bias is not None}, "
            f"padding_mode={self.padding_mode}"
        )

    def _bordered(self, x: Tensor) -> tuple[Tensor, str | tuple[int, ...]]:
        """Continue the image beyond its edge where zeros are not wanted; return also what is left to pad."""
        if self.padding_mode == "zeros":
            return x, self.padding
        pads = [length for border in reversed(self._borders) for length in border]  # the last axis comes first
        return torch.nn.functional.pad(x, pads, mode=self.padding_mode), (0,) * self.axes


class Conv2d(_Conv):
    r"""Slide learned kernels over images: :func:`companion.functional.conv2d`.

    .. math:: w, b \sim U \left( -\tfrac{1}{\sqrt{k}}, \tfrac{1}{\sqrt{k}} \right) \text{ at the start}, \qquad
              k = \tfrac{C_{in}}{\text{groups}} \, k_h \, k_w

    Args:
        in_channels: Channels of the input, 1 or more.
        out_channels: Number of kernels, 1 or more.
        kernel_size: Height and width; one number, or one for each axis.
        stride: Steps from one window to the next.
        padding: Rows and columns around the image, ``"valid"`` or ``"same"``.
        dilation: Steps from one kernel entry to the next.
        groups: Into how many separate convolutions the channels are cut.
        bias: Whether each kernel has a bias.
        padding_mode: What stands beyond the edge: ``"zeros"``, or the image mirrored (``"reflect"``), its edge
            (``"replicate"``), or its other end (``"circular"``).
        device: Where the parameters live.
        dtype: Their float type.
        generator: Where the initial numbers come from; None takes PyTorch's global generator.

    Shape:
        Input (N, C_in, H, W) or (C_in, H, W), output (N, C_out, H_out, W_out) or (C_out, H_out, W_out).

    Attributes:
        weight: Parameter of shape (C_out, C_in / groups, kernel height, kernel width).
        bias: Parameter of shape (C_out,), or None.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If a number is out of range, or the groups do not divide the channels.

    Source:
        LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document recognition.

    >>> Conv2d(3, 8, kernel_size=3, padding=1)(torch.zeros(2, 3, 10, 10)).shape
    torch.Size([2, 8, 10, 10])
    """

    axes = 2

    def forward(self, x: Tensor) -> Tensor:
        """Slide the kernels over the images."""
        x, padding = self._bordered(x)
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Conv):
    """Slide learned kernels along sequences: :func:`companion.functional.conv1d`.

    Arguments, attributes, errors and the initial distribution are those of :class:`Conv2d`, with one axis less.

    Shape:
        Input (N, C_in, L) or (C_in, L), output (N, C_out, L_out) or (C_out, L_out).

    >>> Conv1d(3, 8, kernel_size=5)(torch.zeros(2, 3, 20)).shape
    torch.Size([2, 8, 16])
    """

    axes = 1

    def forward(self, x: Tensor) -> Tensor:
        """Slide the kernels along the sequences."""
        x, padding = self._bordered(x)
        return F.conv1d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class ConvTranspose2d(_Conv):
    """Lay down learned kernels at each pixel: :func:`companion.functional.conv_transpose2d`.

    Arguments, errors and the initial distribution are those of :class:`Conv2d`, but for these:

    Args:
        padding: Rows and columns cut off around the result, as numbers.
        output_padding: Rows and columns added at the end, below stride or dilation.
        padding_mode: Only ``"zeros"``.

    Shape:
        Input (N, C_in, H, W) or (C_in, H, W), output (N, C_out, H_out, W_out) or (C_out, H_out, W_out).

    Attributes:
        weight: Parameter of shape (C_in, C_out / groups, kernel height, kernel width).
        bias: Parameter of shape (C_out,), or None.

    >>> ConvTranspose2d(3, 8, kernel_size=2, stride=2)(torch.zeros(2, 3, 5, 5)).shape
    torch.Size([2, 8, 10, 10])
    """

    axes = 2
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        if isinstance(padding, str):
            raise bad_value("ConvTranspose2d", "padding", "a whole number or 2 of them", repr(padding))
        window = (kernel_size, stride, padding, dilation, groups)
        super().__init__(in_channels, out_channels, *window, bias, padding_mode, device, dtype, generator)
        self.output_padding = whole_numbers("ConvTranspose2d", "output_padding", output_padding, 2, least=0)

    def forward(self, x: Tensor) -> Tensor:
        """Lay down the kernels."""
        cut = tuple(start for start, _ in self._borders)
        sizes = (self.stride, cut, self.output_padding)
        return F.conv_transpose2d(x, self.weight, self.bias, *sizes, self.groups, self.dilation)
