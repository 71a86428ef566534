"""Recurrent cells as layers: one step of time a call, the loop is the caller's."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from companion import functional as F
from companion import init
from companion.functional._arguments import require_choice, require_pair, require_whole


class _Cell(Module):
    """What the cells share: sizes, parameters, start values."""

    gates: int
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        require_whole(type(self).__name__, "input_size", input_size, least=1)
        require_whole(type(self).__name__, "hidden_size", hidden_size, least=1)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = self.gates * hidden_size
        self.weight_ih = Parameter(torch.empty(rows, input_size, device=device, dtype=dtype))
        self.weight_hh = Parameter(torch.empty(rows, hidden_size, device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(torch.empty(rows, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters(generator)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw all parameters anew.

        Args:
            generator: Where the numbers come from; None takes PyTorch's global generator.
        """
        draw_recurrent(self, self.hidden_size, generator)

    def _zeros(self, x: Tensor) -> Tensor:
        return x.new_zeros(*x.shape[:-1], self.hidden_size)

    def extra_repr(self) -> str:
        """Name the sizes when the layer is printed."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(_Cell):
    """One step of a plain recurrent network: :func:`companion.functional.rnn_cell` with learned numbers.

    Args:
        input_size: Number of inputs, 1 or more.
        hidden_size: Number of remembered numbers H, 1 or more.
        bias: Whether both biases are there.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        device: Where the parameters live.
        dtype: Their float type.
        generator: Where the initial numbers come from, uniform within 1 / sqrt(H); None takes PyTorch's global
            generator.

    Shape:
        Input (B, input_size) or (input_size,), memory and output (B, H) or (H,).

    Attributes:
        weight_ih: Parameter of shape (H, input_size).
        weight_hh: Parameter of shape (H, H).
        bias_ih: Parameter of shape (H,), or None.
        bias_hh: Parameter of shape (H,), or None.

    Raises:
        TypeError: If a size is no whole number.
        ValueError: If a size is below 1 or the nonlinearity unknown.

    >>> RNNCell(3, 2)(torch.zeros(5, 3)).shape
    torch.Size([5, 2])
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        require_choice("RNNCell", "nonlinearity", nonlinearity, ("tanh", "relu"))
        super().__init__(input_size, hidden_size, bias, device, dtype, generator)
        self.nonlinearity = nonlinearity

    def forward(self, x: Tensor, hx: Tensor | None = None) -> Tensor:
        """Take one step; without a memory start from zeros."""
        h = self._zeros(x) if hx is None else hx
        numbers = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return F.rnn_cell(x, h, *numbers, nonlinearity=self.nonlinearity)

    def extra_repr(self) -> str:
        """Name the sizes, and the nonlinearity where it is not tanh, when the layer is printed."""
        return super().extra_repr() + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")


class LSTMCell(_Cell):
    """One step of a long short-term memory: :func:`companion.functional.lstm_cell` with learned numbers.

    Args:
        input_size: Number of inputs, 1 or more.
        hidden_size: Number of cells H, 1 or more.
        bias: Whether both biases are there.
        device: Where the parameters live.
        dtype: Their float type.
        generator: Where the initial numbers come from, uniform within 1 / sqrt(H); None takes PyTorch's global
            generator.

    Shape:
        Input (B, input_size) or (input_size,); h and c, in and out, (B, H) or (H,).

    Attributes:
        weight_ih: Parameter of shape (4H, input_size), the gates i, f, g, o stacked.
        weight_hh: Parameter of shape (4H, H).
        bias_ih: Parameter of shape (4H,), or None.
        bias_hh: Parameter of shape (4H,), or None.

    Raises:
        TypeError: If a size is no whole number.
        ValueError: If a size is below 1.

    >>> h, c = LSTMCell(3, 2)(torch.zeros(5, 3))
    >>> h.shape, c.shape
    (torch.Size([5, 2]), torch.Size([5, 2]))
    """

    gates = 4

    def forward(self, x: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """Take one step; without a state start from zeros."""
        h, c = (self._zeros(x), self._zeros(x)) if hx is None else require_pair("LSTMCell", "hx", hx)
        return F.lstm_cell(x, (h, c), self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)


class GRUCell(_Cell):
    """One step of a gated recurrent unit: :func:`companion.functional.gru_cell` with learned numbers.

    Args:
        input_size: Number of inputs, 1 or more.
        hidden_size: Number of remembered numbers H, 1 or more.
        bias: Whether both biases are there.
        device: Where the parameters live.
        dtype: Their float type.
        generator: Where the initial numbers come from, uniform within 1 / sqrt(H); None takes PyTorch's global
            generator.

    Shape:
        Input (B, input_size) or (input_size,), memory and output (B, H) or (H,).

    Attributes:
        weight_ih: Parameter of shape (3H, input_size), the gates r, z, n stacked.
        weight_hh: Parameter of shape (3H, H).
        bias_ih: Parameter of shape (3H,), or None.
        bias_hh: Parameter of shape (3H,), or None.

    Raises:
        TypeError: If a size is no whole number.
        ValueError: If a size is below 1.

    >>> GRUCell(3, 2)(torch.zeros(5, 3)).shape
    torch.Size([5, 2])
    """

    gates = 3

    def forward(self, x: Tensor, hx: Tensor | None = None) -> Tensor:
        """Take one step; without a memory start from zeros."""
        h = self._zeros(x) if hx is None else hx
        return F.gru_cell(x, h, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)


def draw_recurrent(layer: Module, hidden_size: int, generator: torch.Generator | None) -> None:
    """Fill every parameter of a recurrent layer with numbers uniform within 1 / sqrt(H)."""
    bound = 1 / math.sqrt(hidden_size)
    for parameter in layer.parameters():
        init.uniform_(parameter, -bound, bound, generator)
