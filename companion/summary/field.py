"""What one number of the output can see of the input."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import Module

from companion.errors import bad_value
from companion.functional._arguments import require_module, require_whole
from companion.functional._modes import evaluating


def receptive_field(model: Module, shape: Sequence[int]) -> tuple[int, ...]:
    r"""Find how much of the input one number in the middle of the output can see.

    For layers in a row with kernels k, strides s and dilations d it is

    .. math:: r = 1 + \sum_l d_l (k_l - 1) \prod_{m < l} s_m

    Here it is found by poison instead, which works for any network: one row of the input is set to nan, and
    whatever depends on it becomes nan.

    Args:
        model: Layers whose output has as many spatial axes as the input, such as a network without its
            classifier. It is put into eval mode meanwhile, because statistics of a batch see everything.
        shape: Channels and size of one input: (C, L) or (C, H, W). Too small an image cuts the field off.

    Returns:
        The field's size along each spatial axis.

    Raises:
        TypeError: If ``model`` is no module or a size is not whole.
        ValueError: If the shape has other axes, or the output has not as many spatial axes as the input.

    Source:
        Araujo, Norris and Sim (2019), Computing receptive fields of convolutional neural networks.

    >>> from torch.nn import Conv1d, Sequential
    >>> receptive_field(Sequential(Conv1d(1, 1, 3), Conv1d(1, 1, 3)), (1, 20))
    (5,)
    """
    require_module("receptive_field", "model", model)
    if len(shape) not in (2, 3):
        raise bad_value("receptive_field", "shape", "(C, L) or (C, H, W)", tuple(shape))
    for size in shape:
        require_whole("receptive_field", "shape", size, least=1)
    with evaluating(model):
        return tuple(_field_along(model, tuple(shape), axis) for axis in range(1, len(shape)))


def _field_along(model: Module, shape: tuple[int, ...], axis: int) -> int:
    """Poison one row of the input after the other; return how far apart those are that the output's middle feels."""
    like = next(model.parameters(), torch.zeros(()))
    x = torch.zeros(shape[axis], *shape, device=like.device, dtype=like.dtype)
    for row in range(shape[axis]):
        x[row].select(axis, row).fill_(math.nan)
    y = model(x)
    if not isinstance(y, Tensor) or y.ndim != x.ndim:
        got = tuple(y.shape) if isinstance(y, Tensor) else type(y).__name__
        hint = "leave out the layers after the last feature map"
        raise bad_value("receptive_field", "model", f"a result with {x.ndim} axes", got, hint)
    for spatial in range(2, y.ndim):
        y = y.narrow(spatial, y.shape[spatial] // 2, 1)  # (rows, C, ...) -> (rows, C, 1, 1)
    felt = y.isnan().flatten(1).any(1).nonzero()
    return int(felt.max() - felt.min() + 1) if len(felt) else 0
