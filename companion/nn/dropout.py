"""Dropout as layers: active in training mode, absent in eval mode."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Module

from companion import functional as F
from companion.functional._arguments import require_share
from companion.nn.activation import refuse_inplace


class Dropout(Module):
    """Silence single numbers at random in training mode: :func:`companion.functional.dropout`.

    Args:
        p: Probability of being dropped, from 0 to 1.
        inplace: Only False; the argument exists because PyTorch's layer has it.
        generator: Where the random numbers come from; None takes PyTorch's global generator.

    Shape:
        Any; the output has the same.

    Raises:
        TypeError: If p is no number.
        ValueError: If p is not from 0 to 1 or ``inplace`` is true.

    >>> Dropout(0.5).eval()(torch.ones(3))
    tensor([1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False, generator: torch.Generator | None = None) -> None:
        super().__init__()
        require_share(type(self).__name__, "p", p)
        refuse_inplace(type(self).__name__, inplace)
        self.p = p
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """Drop in training mode, pass on in eval mode."""
        return F.dropout(x, self.p, self.training, generator=self.generator)

    def extra_repr(self) -> str:
        """Name the probability when the layer is printed."""
        return f"p={self.p}"


class Dropout2d(Dropout):
    """Silence whole channels at random in training mode: :func:`companion.functional.dropout2d`.

    Arguments and errors are those of :class:`Dropout`.

    Shape:
        Input and output (N, C, H, W).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Drop in training mode, pass on in eval mode."""
        return F.dropout2d(x, self.p, self.training, generator=self.generator)
