"""Recurrent layers over whole sequences: stacked, in one direction or both, of equal or unequal length."""

from __future__ import annotations

import torch

from companion.errors import bad_value
from companion.functional._arguments import require_choice
from companion.functional._cells import GruCell, LstmCell, ReluCell, TanhCell
from companion.nn.recurrent.stack import Recurrent


class RNN(Recurrent):
    r"""Read sequences with plain cells, h' = tanh(W x + b + U h + d): :func:`companion.functional.rnn_cell`.

    Each layer reads the outputs of the one below. In both directions, a second set of cells reads from the end,
    and both outputs stand side by side. The computing is ``companion.functional``'s backpropagation through
    time, written by hand.

    Args:
        input_size: Number of inputs at each step, 1 or more.
        hidden_size: Number of remembered numbers H, 1 or more.
        num_layers: How many layers L, 1 or more.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        bias: Whether both biases are there.
        batch_first: Whether inputs and outputs are (B, T, ...) instead of (T, B, ...).
        dropout: Probability with which numbers between layers are dropped in training mode, from 0 to 1.
        bidirectional: Whether to read in both directions; then D is 2, else 1.
        device: Where the parameters live.
        dtype: Their float type.
        generator: Where initial numbers and dropout come from; None takes PyTorch's global generator. The start
            is uniform within 1 / sqrt(H).

    Shape:
        Input (T, B, input_size), or (T, input_size) for one sequence, or packed; output (T, B, D H) and last
        state (D L, B, H) likewise.

    Attributes:
        weight_ih_l0: Parameter of shape (H, input_size); with ``_l1`` and so on (H, D H), and with ``_reverse``
            for the other direction.
        weight_hh_l0: Parameter of shape (H, H).
        bias_ih_l0: Parameter of shape (H,).
        bias_hh_l0: Parameter of shape (H,).

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If a number is out of range, or dropout is asked for where there is nothing between layers.

    Source:
        Elman (1990), Finding structure in time; both directions: Schuster and Paliwal (1997), Bidirectional
        recurrent neural networks.

    >>> outputs, last = RNN(3, 2)(torch.zeros(7, 5, 3))
    >>> outputs.shape, last.shape
    (torch.Size([7, 5, 2]), torch.Size([1, 5, 2]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        require_choice("RNN", "nonlinearity", nonlinearity, ("tanh", "relu"))
        cell = TanhCell if nonlinearity == "tanh" else ReluCell
        sizes = (input_size, hidden_size, num_layers)
        super().__init__(cell, *sizes, bias, batch_first, dropout, bidirectional, device, dtype, generator)
        self.nonlinearity = nonlinearity


class LSTM(Recurrent):
    r"""Read sequences with cells that forget, write and show: :func:`companion.functional.lstm_cell`.

    Arguments, shapes and errors are those of :class:`RNN`, without the nonlinearity. The state is a pair (h, c).

    Args:
        input_size: Number of inputs at each step, 1 or more.
        hidden_size: Number of cells H, 1 or more.
        num_layers: How many layers L, 1 or more.
        bias: Whether both biases are there.
        batch_first: Whether inputs and outputs are (B, T, ...) instead of (T, B, ...).
        dropout: Probability with which numbers between layers are dropped in training mode, from 0 to 1.
        bidirectional: Whether to read in both directions; then D is 2, else 1.
        proj_size: Only 0; the argument exists because PyTorch's layer has it.
        device: Where the parameters live.
        dtype: Their float type.
        generator: Where initial numbers and dropout come from; None takes PyTorch's global generator.

    Shape:
        Input (T, B, input_size), or (T, input_size) for one sequence, or packed; output (T, B, D H) and last
        h and c (D L, B, H) likewise.

    Attributes:
        weight_ih_l0: Parameter of shape (4H, input_size), the gates i, f, g, o stacked; see :class:`RNN`.
        weight_hh_l0: Parameter of shape (4H, H).
        bias_ih_l0: Parameter of shape (4H,).
        bias_hh_l0: Parameter of shape (4H,).

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If a number is out of range, or a projection is asked for.

    Source:
        Hochreiter and Schmidhuber (1997), Long short-term memory.

    >>> outputs, (h, c) = LSTM(3, 2, num_layers=2)(torch.zeros(7, 5, 3))
    >>> outputs.shape, h.shape, c.shape
    (torch.Size([7, 5, 2]), torch.Size([2, 5, 2]), torch.Size([2, 5, 2]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        if proj_size:
            hint = "no chapter uses a projection; a Linear layer after each step does the same"
            raise bad_value("LSTM", "proj_size", "0", proj_size, hint)
        sizes = (input_size, hidden_size, num_layers)
        super().__init__(LstmCell, *sizes, bias, batch_first, dropout, bidirectional, device, dtype, generator)


class GRU(Recurrent):
    r"""Read sequences with cells that move towards a candidate: :func:`companion.functional.gru_cell`.

    Arguments, shapes and errors are those of :class:`RNN`, without the nonlinearity.

    Args:
        input_size: Number of inputs at each step, 1 or more.
        hidden_size: Number of remembered numbers H, 1 or more.
        num_layers: How many layers L, 1 or more.
        bias: Whether both biases are there.
        batch_first: Whether inputs and outputs are (B, T, ...) instead of (T, B, ...).
        dropout: Probability with which numbers between layers are dropped in training mode, from 0 to 1.
        bidirectional: Whether to read in both directions; then D is 2, else 1.
        device: Where the parameters live.
        dtype: Their float type.
        generator: Where initial numbers and dropout come from; None takes PyTorch's global generator.

    Shape:
        Input (T, B, input_size), or (T, input_size) for one sequence, or packed; output (T, B, D H) and last
        state (D L, B, H) likewise.

    Attributes:
        weight_ih_l0: Parameter of shape (3H, input_size), the gates r, z, n stacked; see :class:`RNN`.
        weight_hh_l0: Parameter of shape (3H, H).
        bias_ih_l0: Parameter of shape (3H,).
        bias_hh_l0: Parameter of shape (3H,).

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If a number is out of range.

    Source:
        Cho et al. (2014), Learning phrase representations using RNN encoder-decoder for statistical machine
        translation.

    >>> outputs, last = GRU(3, 2, bidirectional=True)(torch.zeros(7, 5, 3))
    >>> outputs.shape, last.shape
    (torch.Size([7, 5, 4]), torch.Size([2, 5, 2]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        sizes = (input_size, hidden_size, num_layers)
        super().__init__(GruCell, *sizes, bias, batch_first, dropout, bidirectional, device, dtype, generator)
