"""Pooling as layers. Each only keeps its options; formula, range and source stand with its function."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import Module

from companion import functional as F
from companion.functional.pool import Size


class MaxPool2d(Module):
    """Give the largest pixel of each window: :func:`companion.functional.max_pool2d`.

    Args:
        kernel_size: Height and width of a window; one number, or one for each axis.
        stride: Steps from one window to the next; None is the kernel's size.
        padding: Rows and columns around the image that never win.
        dilation: Steps from one pixel of a window to the next.
        return_indices: Whether the winners' places come too.
        ceil_mode: Whether windows may reach over the end.

    Shape:
        Input (N, C, H, W) or (C, H, W), output with the same axes.

    >>> import torch
    >>> MaxPool2d(2)(torch.zeros(1, 3, 8, 8)).shape
    torch.Size([1, 3, 4, 4])
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Find the largest pixels."""
        window = (self.kernel_size, self.stride, self.padding, self.dilation)
        return F.max_pool2d(x, *window, self.ceil_mode, self.return_indices)

    def extra_repr(self) -> str:
        """Name the options when the layer is printed."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class AvgPool2d(Module):
    """Give the mean pixel of each window: :func:`companion.functional.avg_pool2d`.

    Args:
        kernel_size: Height and width of a window; one number, or one for each axis.
        stride: Steps from one window to the next; None is the kernel's size.
        padding: Rows and columns of zeros around the image.
        ceil_mode: Whether windows may reach over the end.
        count_include_pad: Whether the zeros of the padding count in the divisor.
        divisor_override: What to divide the sums by instead.

    Shape:
        Input (N, C, H, W) or (C, H, W), output with the same axes.

    >>> import torch
    >>> AvgPool2d(2)(torch.zeros(1, 3, 8, 8)).shape
    torch.Size([1, 3, 4, 4])
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, x: Tensor) -> Tensor:
        """Average the windows."""
        window = (self.kernel_size, self.stride, self.padding)
        return F.avg_pool2d(x, *window, self.ceil_mode, self.count_include_pad, self.divisor_override)

    def extra_repr(self) -> str:
        """Name the options when the layer is printed."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AdaptiveAvgPool2d(Module):
    """Average the cells of a grid of a wanted size: :func:`companion.functional.adaptive_avg_pool2d`.

    Args:
        output_size: Height and width of the grid; one number for both, None to keep an axis as it is.

    Shape:
        Input (N, C, H, W) or (C, H, W), output with the same axes.

    >>> import torch
    >>> AdaptiveAvgPool2d(1)(torch.zeros(1, 3, 8, 8)).shape
    torch.Size([1, 3, 1, 1])
    """

    def __init__(self, output_size: int | Sequence[int | None]) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, x: Tensor) -> Tensor:
        """Average the cells."""
        return F.adaptive_avg_pool2d(x, self.output_size)

    def extra_repr(self) -> str:
        """Name the size when the layer is printed."""
        return f"output_size={self.output_size}"
