"""The three products of convolution: each is the derivative of the other two.

Everything here stands in channels-last order, (N, H, W, C): there a row of neighbouring pixels with all their channels
is one stretch of memory, so a window is copied in a few long pieces and one matrix product does the rest. (Measured
on one thread: loops over the output take about 25 times as long as PyTorch, the form with channels first about 2.)
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
        (N, \*count, O).
    """
    return _product("y", {"x": x, "w": weight}, windows)


def spread(y: Tensor, weight: Tensor, windows: Windows) -> Tensor:
    r"""Lay down a kernel at each stop, as high as y says, and add up: the transpose of :func:`correlate`.

    Args:
        y: (N, \*count, O).
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
    y = _columns(x, windows) @ _matrix(weight, windows.groups)  # (G, NP, K) @ (G, K, O / G) -> (G, NP, O / G)
    return y.permute(1, 0, 2).reshape(x.shape[0], *windows.count, weight.shape[0])  # -> (N, P, Q, O)


def _spread(y: Tensor, weight: Tensor, windows: Windows) -> Tensor:
    batch, groups, (rows, columns) = y.shape[0], windows.groups, windows.count
    parts = _grouped(y, groups) @ _matrix(weight, groups).mT  # (G, NP, O / G) @ (G, O / G, K) -> (G, NP, K)
    parts = parts.reshape(groups, batch, rows, columns, *windows.kernel, weight.shape[1])
    parts = parts.permute(4, 5, 1, 2, 3, 0, 6)  # (G, N, P, Q, kh, kw, C / G) -> (kh, kw, N, P, Q, G, C / G)
    canvas = parts.new_zeros(batch, *windows.size, groups, weight.shape[1])
    for i in range(windows.kernel[0]):
        for j in range(windows.kernel[1]):
            canvas[:, _stops(windows, 0, i), _stops(windows, 1, j)] += parts[i, j]
    return canvas.flatten(3)  # (N, H, W, G, C / G) -> (N, H, W, C)


def _relate(x: Tensor, y: Tensor, windows: Windows) -> Tensor:
    groups = windows.groups
    weight = _grouped(y, groups).mT @ _columns(x, windows)  # (G, O / G, NP) @ (G, NP, K) -> (G, O / G, K)
    weight = weight.reshape(y.shape[-1], *windows.kernel, x.shape[-1] // groups)  # -> (O, kh, kw, C / G)
    return weight.permute(0, 3, 1, 2)  # -> (O, C / G, kh, kw)


_COMPUTE = {"y": _correlate, "x": _spread, "w": _relate}


def _columns(x: Tensor, windows: Windows) -> Tensor:
    """Write out each window as a row: (N, H, W, C) -> (G, NP, K) with K = kh kw C / G."""
    for axis in (0, 1):
        step, reach = windows.dilation[axis], windows.dilation[axis] * (windows.kernel[axis] - 1) + 1
        x = x.unfold(1 + axis, reach, windows.stride[axis])[..., ::step]  # (N, H, W, C) -> (N, P, Q, C, kh, kw)
    batch, groups, (rows, columns) = x.shape[0], windows.groups, windows.count
    x = x[:, :rows, :columns].unflatten(3, (groups, x.shape[3] // groups))
    x = x.permute(3, 0, 1, 2, 5, 6, 4)  # (N, P, Q, G, C / G, kh, kw) -> (G, N, P, Q, kh, kw, C / G)
    return x.reshape(groups, batch * rows * columns, x.shape[4] * x.shape[5] * x.shape[6])


def _matrix(weight: Tensor, groups: int) -> Tensor:
    """Write out each kernel as a column: (O, C / G, kh, kw) -> (G, K, O / G)."""
    flat = weight.permute(0, 2, 3, 1).flatten(1)  # (O, C / G, kh, kw) -> (O, K)
    return flat.unflatten(0, (groups, weight.shape[0] // groups)).mT  # (O, K) -> (G, K, O / G)


def _grouped(y: Tensor, groups: int) -> Tensor:
    """Bring results into rows: (N, P, Q, O) -> (G, NP, O / G)."""
    return y.flatten(0, 2).unflatten(1, (groups, y.shape[3] // groups)).permute(1, 0, 2)


def _stops(windows: Windows, axis: int, offset: int) -> slice:
    """Return where, along an axis, the kernel's entry at ``offset`` stands at each stop."""
    start, stride = offset * windows.dilation[axis], windows.stride[axis]
    return slice(start, start + stride * (windows.count[axis] - 1) + 1, stride)
