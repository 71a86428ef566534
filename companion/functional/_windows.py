"""The three products of convolution: each is the derivative of the other two.

Images stand in channels-last order, (N, H, W, C), because there a row of neighbouring pixels with all their channels is
one stretch of memory: a window is copied in a few long pieces, and one matrix product for each image does the rest.
Results stand in channels-first order, (N, O, P, Q), which is how that product leaves them. (Measured on one thread: loops
over the output take about 25 times as long as PyTorch, this form 1 to 3 times.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Windows:
    """How a kernel slides over an image; each as (height, width).

    Attributes:
        size: The image, padding included.
        count: How many windows fit, which is the size of the result.
        kernel: The kernel.
        stride: Steps from one window to the next.
        dilation: Steps from one kernel entry to the next.
        groups: Into how many separate convolutions the channels are cut.
    """

    size: tuple[int, ...]
    count: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int


def correlate(x: Tensor, weight: Tensor, windows: Windows) -> Tensor:
    r"""Slide a kernel over images and give the weighted sum at each stop.

    .. math:: L = \sum_{n,p,o,k,c} y_{npo} \, w_{ock} \, x_{n, \, s p + d k, \, c}, \qquad
              \frac{\partial L}{\partial y} = \operatorname{correlate}(x, w), \quad
              \frac{\partial L}{\partial x} = \operatorname{spread}(y, w), \quad
              \frac{\partial L}{\partial w} = \operatorname{relate}(x, y)

    L is linear in each of y, x and w, so each of its three derivatives is a product of two of them, and the
    derivatives of those products are again the other two. One rule therefore serves convolution, transposed
    convolution, their gradients, and the gradients of these.

    Args:
        x: Images (N, H, W, C).
        weight: Kernels (O, C / groups, kernel height, kernel width).
        windows: How they slide.

    Returns:
        (N, O, \*count).
    """
    return _product("y", {"x": x, "w": weight}, windows)


def spread(y: Tensor, weight: Tensor, windows: Windows) -> Tensor:
    r"""Lay down a kernel at each stop, as high as y says, and add up: the transpose of :func:`correlate`.

    Args:
        y: (N, O, \*count).
        weight: Kernels (O, C / groups, kernel height, kernel width).
        windows: How they slide.

    Returns:
        Images (N, H, W, C).
    """
    return _product("x", {"y": y, "w": weight}, windows)


_FACTORS = {"y": ("x", "w"), "x": ("y", "w"), "w": ("x", "y")}


def _product(wanted: str, known: dict[str, Tensor], windows: Windows) -> Tensor:
    """Return the derivative of L by one of y, x and w, given the other two."""
    a, b = (known[name] for name in _FACTORS[wanted])
    if torch.compiler.is_compiling():  # the compiler derives the steps itself, and takes no jvp
        return _COMPUTE[wanted](a, b, windows)
    return _Product.apply(a, b, wanted, windows)


class _Product(torch.autograd.Function):
    generate_vmap_rule = True  # lets torch.func map it over batches

    @staticmethod
    def forward(a: Tensor, b: Tensor, wanted: str, windows: Windows) -> Tensor:
        return _COMPUTE[wanted](a, b, windows)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        a, b, ctx.wanted, ctx.windows = inputs
        ctx.save_for_backward(a, b)
        ctx.save_for_forward(a, b)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        names = _FACTORS[ctx.wanted]
        known = {ctx.wanted: gradient, **dict(zip(names, ctx.saved_tensors))}
        needed = zip(names, ctx.needs_input_grad)
        return *(_product(name, known, ctx.windows) if need else None for name, need in needed), None, None

    @staticmethod
    def jvp(ctx: Any, a_change: Tensor | None, b_change: Tensor | None, *_: None) -> Tensor:
        a, b = ctx.saved_tensors
        parts = [(a_change, b), (a, b_change)]
        first, *rest = [_COMPUTE[ctx.wanted](*p, ctx.windows) for p in parts if p[0] is not None and p[1] is not None]
        return sum(rest, first)


def _correlate(x: Tensor, weight: Tensor, windows: Windows) -> Tensor:
    columns = _columns(x, windows).flatten(0, 1)  # (G, N, L, K) -> (G N, L, K)
    y = torch.bmm(_matrix(weight, windows.groups, x.shape[0]), columns.mT)  # -> (G N, O / G, L)
    y = y.unflatten(0, (windows.groups, x.shape[0])).transpose(0, 1)  # -> (N, G, O / G, L)
    return y.reshape(x.shape[0], weight.shape[0], *windows.count)  # -> (N, O, P, Q)


def _spread(y: Tensor, weight: Tensor, windows: Windows) -> Tensor:
    batch, groups = y.shape[0], windows.groups
    grouped = _grouped(y, groups).flatten(0, 1)  # (G, N, O / G, L) -> (G N, O / G, L)
    parts = torch.bmm(grouped.mT, _matrix(weight, groups, batch))  # -> (G N, L, K)
    parts = parts.reshape(groups, batch, *windows.count, *windows.kernel, weight.shape[1])
    parts = parts.permute(4, 5, 1, 2, 3, 0, 6)  # (G, N, P, Q, kh, kw, C / G) -> (kh, kw, N, P, Q, G, C / G)
    canvas = parts.new_zeros(batch, *windows.size, groups, weight.shape[1])
    for i in range(windows.kernel[0]):
        rows = every(canvas, 1, i * windows.dilation[0], windows.stride[0], windows.count[0])
        for j in range(windows.kernel[1]):
            stops = every(rows, 2, j * windows.dilation[1], windows.stride[1], windows.count[1])
            stops.add_(parts.select(0, i).select(0, j))
    return canvas.flatten(3)  # (N, H, W, G, C / G) -> (N, H, W, C)


def _relate(x: Tensor, y: Tensor, windows: Windows) -> Tensor:
    grouped = _grouped(y, windows.groups).transpose(1, 2).flatten(2)  # (G, N, O / G, L) -> (G, O / G, N L)
    weight = torch.bmm(grouped, _columns(x, windows).flatten(1, 2))  # (G, N L, K) -> (G, O / G, K)
    weight = weight.reshape(y.shape[1], *windows.kernel, x.shape[-1] // windows.groups)  # -> (O, kh, kw, C / G)
    return weight.permute(0, 3, 1, 2)  # -> (O, C / G, kh, kw)


_COMPUTE = {"y": _correlate, "x": _spread, "w": _relate}


def _columns(x: Tensor, windows: Windows) -> Tensor:
    """Write out each window as a row: (N, H, W, C) -> (G, N, L, K) with L = P Q and K = kh kw C / G."""
    for axis in (0, 1):
        step, length = windows.dilation[axis], windows.kernel[axis]
        x = x.unfold(1 + axis, step * (length - 1) + 1, windows.stride[axis])  # (N, H, W, C) -> (N, P, W, C, reach)
        x = every(x, x.ndim - 1, 0, step, length)  # (N, P, W, C, reach) -> (N, P, W, C, kh), then Q and kw
    batch, groups, (rows, columns) = x.shape[0], windows.groups, windows.count
    x = x.narrow(1, 0, rows).narrow(2, 0, columns).unflatten(3, (groups, x.shape[3] // groups))
    x = x.permute(3, 0, 1, 2, 5, 6, 4)  # (N, P, Q, G, C / G, kh, kw) -> (G, N, P, Q, kh, kw, C / G)
    return x.reshape(groups, batch, rows * columns, x.shape[4] * x.shape[5] * x.shape[6])


def _matrix(weight: Tensor, groups: int, batch: int) -> Tensor:
    """Write out each kernel as a row, and repeat them for each image: (O, C / G, kh, kw) -> (G N, O / G, K)."""
    flat = weight.permute(0, 2, 3, 1).flatten(1).unflatten(0, (groups, -1))  # (O, C / G, kh, kw) -> (G, O / G, K)
    return flat.unsqueeze(1).expand(-1, batch, -1, -1).flatten(0, 1)  # -> (G, N, O / G, K) -> (G N, O / G, K)


def _grouped(y: Tensor, groups: int) -> Tensor:
    """Put the groups first: (N, O, P, Q) -> (G, N, O / G, L)."""
    return y.flatten(2).unflatten(1, (groups, y.shape[1] // groups)).transpose(0, 1)


def every(x: Tensor, axis: int, start: int, step: int, count: int) -> Tensor:
    """Return a view of every ``step``-th entry along an axis: ``x[start : start + step * count : step]``.

    In this form, rather than by brackets, because those ask for a real GPU even where one is only pretended.
    """
    return x.narrow(axis, start, step * (count - 1) + 1).unfold(axis, 1, step).squeeze(-1)
