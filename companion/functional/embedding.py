"""Embedding: a learned row of numbers for each word, item or class."""

from __future__ import annotations

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_float, require_tensor, require_whole


def embedding(indices: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    r"""Look up the row of each index in a table.

    .. math:: y_n = W_{i_n} = \operatorname{onehot}(i_n)^\top W

    It is a matrix product with rows that hold a single 1, without the multiplications by 0. The gradient of a
    row is the sum over the places where it was looked up.

    Args:
        indices: Whole numbers from 0 to V - 1, of type int64 or int32.
        weight: The table, one row for each index.
        padding_idx: A row that is looked up but gets no gradient; negative counts from the end. None for no
            such row.

    Shape:
        indices (...), weight (V, D); the result is (..., D).

    Returns:
        The rows.

    Raises:
        TypeError: If an argument is no tensor or ``padding_idx`` no whole number.
        ValueError: If an index is no whole number or out of range (on a GPU PyTorch stops instead, because
            looking at the indices would make it wait), or weight has other axes.

    Source:
        Bengio, Ducharme, Vincent and Jauvin (2003), A neural probabilistic language model.

    >>> embedding(torch.tensor([2, 0]), torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]))
    tensor([[4., 5.],
            [0., 1.]])
    """
    require_tensor("embedding", "indices", indices)
    if indices.dtype not in (torch.int64, torch.int32):
        raise bad_value("embedding", "indices", "whole numbers", indices.dtype, "indices.long() converts them")
    require_float("embedding", "weight", weight)
    if weight.ndim != 2:
        raise bad_value("embedding", "weight", "two axes, (V, D)", tuple(weight.shape))
    size = weight.shape[0]
    try:
        rows = weight.index_select(0, indices.flatten())  # (V, D) -> (indices, D)
    except IndexError:
        got = f"{indices.min().item()} to {indices.max().item()}"
        raise bad_value("embedding", "indices", f"numbers from 0 to {size - 1}, the rows of weight", got) from None
    rows = rows.reshape(*indices.shape, weight.shape[1])  # (indices, D) -> (..., D)
    if padding_idx is None:
        return rows
    require_whole("embedding", "padding_idx", padding_idx, least=-size)
    if padding_idx >= size:
        raise bad_value("embedding", "padding_idx", f"a row from {-size} to {size - 1}", padding_idx)
    is_padding = (indices == padding_idx % size).unsqueeze(-1)  # (...) -> (..., 1)
    return torch.where(is_padding, rows.detach(), rows)
