"""Small tensors for cases, in the fewest words."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

F64 = torch.float64


def rows(*rows: Sequence[float], dtype: torch.dtype = torch.float32) -> Tensor:
    """Return a matrix from its rows."""
    return torch.tensor(rows, dtype=dtype)


def vector(*numbers: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return a vector from its numbers."""
    return torch.tensor(numbers, dtype=dtype)


def number(number: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return a tensor without axes."""
    return torch.tensor(number, dtype=dtype)
