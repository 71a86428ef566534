"""Recurrent cells as pure functions: what came in and what is remembered become what is remembered next."""

from __future__ import annotations

from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_choice, require_float, require_pair, require_shape, require_tensor
from companion.functional._cells import Cell, GruCell, LstmCell, ReluCell, TanhCell, Tensors
from companion.functional.affine import linear


def rnn_cell(
    x: Tensor,
    h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
    *,
    nonlinearity: str = "tanh",
) -> Tensor:
    r"""Mix the input with the memory and squash the sum: one step of a plain recurrent network.

    .. math:: h' = \tanh(W_{ih} x + b_{ih} + W_{hh} h + b_{hh})

    Args:
        x: The input of this step.
        h: The memory before it.
        weight_ih: From inputs to memory.
        weight_hh: From memory to memory.
        bias_ih: Added to the input's part, or None.
        bias_hh: Added to the memory's part, or None. One bias would do; PyTorch has both.
        nonlinearity: ``"tanh"`` or ``"relu"``.

    Shape:
        x (B, in) or (in,), h (B, H) or (H,), weight_ih (H, in), weight_hh (H, H), the biases (H,); the result
        is that of h.

    Returns:
        The new memory; from -1 to 1 with tanh, from 0 with relu.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: If x holds no floats, the shapes do not meet, or the nonlinearity is unknown.

    Source:
        Elman (1990), Finding structure in time.

    >>> import torch
    >>> rnn_cell(torch.tensor([1.0]), torch.tensor([0.5]), torch.tensor([[0.5]]), torch.tensor([[-1.0]]))
    tensor([0.])
    """
    require_choice("rnn_cell", "nonlinearity", nonlinearity, ("tanh", "relu"))
    cell = TanhCell if nonlinearity == "tanh" else ReluCell
    return _one_step("rnn_cell", cell, x, {"h": h}, weight_ih, weight_hh, bias_ih, bias_hh)[0]


def lstm_cell(
    x: Tensor,
    state: tuple[Tensor, Tensor],
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Forget, write and show: one step of a long short-term memory.

    .. math:: \begin{aligned} i, f, o &= \sigma(W_{i,f,o} \, x + U_{i,f,o} \, h + b_{i,f,o}), \qquad
              g = \tanh(W_g x + U_g h + b_g) \\
              c' &= f \odot c + i \odot g, \qquad h' = o \odot \tanh c' \end{aligned}

    The cell c is only scaled by f and added to: where f is 1 and i is 0, it and its gradient pass unchanged
    through any number of steps.

    Args:
        x: The input of this step.
        state: What was shown, h, and what is kept, c, before it.
        weight_ih: From inputs to the gates i, f, g, o, stacked in this order.
        weight_hh: From h to the gates.
        bias_ih: Added to the input's part, or None.
        bias_hh: Added to the memory's part, or None.

    Shape:
        x (B, in) or (in,), h and c (B, H) or (H,), weight_ih (4H, in), weight_hh (4H, H), the biases (4H,).

    Returns:
        The new h, from -1 to 1, and the new c, any numbers; each of the shape it had.

    Raises:
        TypeError: If an argument is no tensor, or the state no pair.
        ValueError: If x holds no floats or the shapes do not meet.

    Source:
        Hochreiter and Schmidhuber (1997), Long short-term memory; the gate f: Gers, Schmidhuber and Cummins
        (2000), Learning to forget.

    >>> import torch
    >>> h, c = lstm_cell(torch.ones(1), (torch.zeros(1), torch.ones(1)), torch.zeros(4, 1), torch.zeros(4, 1))
    >>> c  # half of what it was: the gate f is one half
    tensor([0.5000])
    """
    h, c = require_pair("lstm_cell", "state", state)
    new_h, new_c = _one_step("lstm_cell", LstmCell, x, {"h": h, "c": c}, weight_ih, weight_hh, bias_ih, bias_hh)
    return new_h, new_c


def gru_cell(
    x: Tensor,
    h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None = None,
    bias_hh: Tensor | None = None,
) -> Tensor:
    r"""Move the memory a part of the way towards a candidate: one step of a gated recurrent unit.

    .. math:: \begin{aligned} r, z &= \sigma(W_{r,z} \, x + b_{r,z} + U_{r,z} \, h + d_{r,z}) \\
              n &= \tanh(W_n x + b_n + r \odot (U_n h + d_n)), \qquad h' = (1 - z) \odot n + z \odot h \end{aligned}

    b is ``bias_ih`` and d is ``bias_hh``: here two biases are no luxury, as r scales only the second.

    Args:
        x: The input of this step.
        h: The memory before it.
        weight_ih: From inputs to the gates r, z, n, stacked in this order.
        weight_hh: From memory to the gates.
        bias_ih: Added to the input's part, or None.
        bias_hh: Added to the memory's part, or None.

    Shape:
        x (B, in) or (in,), h (B, H) or (H,), weight_ih (3H, in), weight_hh (3H, H), the biases (3H,); the
        result is that of h.

    Returns:
        The new memory, between the old one and a number from -1 to 1.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: If x holds no floats or the shapes do not meet.

    Source:
        Cho et al. (2014), Learning phrase representations using RNN encoder-decoder; the first version of the
        paper has r outside the product, as here and in PyTorch, later ones inside.

    >>> import torch
    >>> gru_cell(torch.ones(1), torch.ones(1), torch.zeros(3, 1), torch.zeros(3, 1))
    tensor([0.5000])
    """
    return _one_step("gru_cell", GruCell, x, {"h": h}, weight_ih, weight_hh, bias_ih, bias_hh)[0]


def _one_step(
    where: str,
    cell: type[Cell],
    x: Tensor,
    state: dict[str, Tensor],
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
) -> Tensors:
    """Check the shapes, and apply a cell once to one example or to several."""
    require_float(where, "x", x)
    if x.ndim not in (1, 2):
        raise bad_value(where, "x", "shape (B, in) or (in,)", tuple(x.shape), "time steps go in one by one")
    require_tensor(where, "weight_hh", weight_hh)
    size = weight_hh.shape[-1] if weight_hh.ndim else 0
    rows = cell.gates * size
    for name, s in state.items():
        require_shape(where, name, s, (*x.shape[:-1], size))
    require_shape(where, "weight_hh", weight_hh, (rows, size))
    require_shape(where, "weight_ih", weight_ih, (rows, x.shape[-1]))
    for name, bias in (("bias_ih", bias_ih), ("bias_hh", bias_hh)):
        if bias is not None:
            require_shape(where, name, bias, (rows,))
    parts = linear(x, weight_ih, bias_ih)
    if x.ndim == 2:
        return cell.step(parts, tuple(state.values()), weight_hh, bias_hh)[0]
    one = tuple(s.unsqueeze(0) for s in state.values())  # (H,) -> (1, H)
    new, _ = cell.step(parts.unsqueeze(0), one, weight_hh, bias_hh)
    return tuple(s.squeeze(0) for s in new)  # (1, H) -> (H,)
