"""The fully connected layer."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from companion import functional as F
from companion import init
from companion.functional._arguments import require_whole


class Linear(Module):
    r"""Connect every input with every output neuron: :func:`companion.functional.linear` with learned
    numbers.

    .. math:: y = x W^\top + b, \qquad W_{oi}, \, b_o \sim
              U \left( -\tfrac{1}{\sqrt{\text{in}}}, \tfrac{1}{\sqrt{\text{in}}} \right) \text{ at the start}

    Args:
        in_features: Number of inputs, 1 or more.
        out_features: Number of output neurons, 1 or more.
        bias: Whether each neuron has a bias.
        device: Where the parameters live.
        dtype: Their float type.
        generator: Where the initial numbers come from; None takes PyTorch's global generator. The numbers are
            drawn on the generator's device, so a CPU generator starts every device alike.

    Shape:
        Input (..., in_features), output (..., out_features).

    Attributes:
        weight: Parameter of shape (out_features, in_features).
        bias: Parameter of shape (out_features,), or None.

    Raises:
        TypeError: If a number of features is no whole number.
        ValueError: If it is below 1.

    Source:
        The scale: LeCun, Bottou, Orr and Müller (1998), Efficient BackProp; the distribution is PyTorch's.

    >>> Linear(3, 2)(torch.zeros(5, 3)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        require_whole("Linear", "in_features", in_features, least=1)
        require_whole("Linear", "out_features", out_features, least=1)
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(torch.empty(out_features, in_features, device=device, dtype=dtype))
        self.bias = Parameter(torch.empty(out_features, device=device, dtype=dtype)) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weight and bias anew.

        Args:
            generator: Where the numbers come from; None takes PyTorch's global generator.
        """
        bound = 1 / math.sqrt(self.in_features)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Give every output neuron its weighted sum plus its bias."""
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Name the sizes when the layer is printed."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
