"""The recurrent cells: one step forward in time, and one step of the gradient back.

Each cell is a class that nobody makes an object of; it holds three functions.

``step(parts, state, weight, bias)`` is the equation. ``parts`` is what the input contributes to every gate: it
needs no memory, so it is computed before the loop over time. ``state`` is (h,) or (h, c). The new state comes
back with the numbers that the gradient needs, the former h last.

``slopes(*kept)`` turns those numbers, of all steps at once, into the derivatives that the way back multiplies
by. It needs no loop either.

``back(slopes, d_state, weight)`` takes the gradient of the state through one step and returns the gradient of
the gates before their activations, and that of the former state.
"""

from __future__ import annotations

import torch
from torch import Tensor

from companion.functional.activations import relu, sigmoid, tanh

Tensors = tuple[Tensor, ...]


class Cell:
    """What a cell has to offer; see the module's text."""

    gates: int  # how many numbers an input contributes to, for each remembered one
    states: int  # 1 for h, 2 for h and c
    scales_bias = False  # whether the memory's bias is more than added

    @staticmethod
    def step(parts: Tensor, state: Tensors, weight: Tensor, bias: Tensor | None) -> tuple[Tensors, Tensors]:
        """Return the new state and what its gradient needs."""
        raise NotImplementedError

    @staticmethod
    def slopes(*kept: Tensor) -> Tensors:
        """Return the derivatives that the way back multiplies by."""
        raise NotImplementedError

    @staticmethod
    def back(slopes: Tensors, d_state: Tensors, weight: Tensor) -> tuple[Tensor, Tensors]:
        """Return the gradient of the gates and that of the former state."""
        raise NotImplementedError

    @staticmethod
    def split(d_gates: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Return the gradient of the input's contributions and that of the memory's; mostly the same."""
        return d_gates, d_gates


class TanhCell(Cell):
    r"""The plain cell: :math:`h' = \tanh(p + W h + b)`."""

    gates, states = 1, 1

    @staticmethod
    def step(parts: Tensor, state: Tensors, weight: Tensor, bias: Tensor | None) -> tuple[Tensors, Tensors]:
        """Add what came in to what is remembered, and squash."""
        (h,) = state
        new = _tanh(parts + _recall(h, weight, bias))
        return (new,), (new, h)

    @staticmethod
    def slopes(*kept: Tensor) -> Tensors:
        """Give the derivative of tanh from its value."""
        new, _ = kept
        return (1 - new * new,)

    @staticmethod
    def back(slopes: Tensors, d_state: Tensors, weight: Tensor) -> tuple[Tensor, Tensors]:
        """Pass the activation, then the weights."""
        d_gates = d_state[0] * slopes[0]
        return d_gates, (d_gates @ weight,)  # (n, H) @ (H, H) -> (n, H)


class ReluCell(TanhCell):
    r"""The plain cell with a rectifier: :math:`h' = \max(0, p + W h + b)`."""

    @staticmethod
    def step(parts: Tensor, state: Tensors, weight: Tensor, bias: Tensor | None) -> tuple[Tensors, Tensors]:
        """Add what came in to what is remembered, and cut off what is negative."""
        (h,) = state
        new = _relu(parts + _recall(h, weight, bias))
        return (new,), (new, h)

    @staticmethod
    def slopes(*kept: Tensor) -> Tensors:
        """Give the derivative of the rectifier from its value."""
        new, _ = kept
        return (torch.sign(new),)


class LstmCell(Cell):
    r"""Long short-term memory, its gates in PyTorch's order i, f, g, o.

    .. math:: c' = f \odot c + i \odot g, \qquad h' = o \odot \tanh c'
    """

    gates, states = 4, 2

    @staticmethod
    def step(parts: Tensor, state: Tensors, weight: Tensor, bias: Tensor | None) -> tuple[Tensors, Tensors]:
        """Forget, write, show. One sigmoid serves all gates; what it makes of g is thrown away."""
        h, c = state
        z = parts + _recall(h, weight, bias)
        gates = _sigmoid(z)
        i, f, _, o = gates.chunk(4, dim=1)  # (n, 4H) -> 4 x (n, H)
        g = _tanh(z.chunk(4, dim=1)[2])
        new_c = f * c + i * g
        shown = _tanh(new_c)
        return (o * shown, new_c), (gates, g, c, shown, h)

    @staticmethod
    def slopes(*kept: Tensor) -> Tensors:
        """Give dc'/d(i, f, g) and dh'/do, each before its activation, then dh'/dc' and dc'/dc."""
        gates, g, c, shown, _ = kept
        i, f, _, o = gates.chunk(4, dim=1)
        d_i, d_f, _, d_o = (gates * (1 - gates)).chunk(4, dim=1)
        to_gates = torch.cat([g * d_i, c * d_f, i * (1 - g * g), shown * d_o], dim=1)  # (N, 4H)
        return to_gates, o * (1 - shown * shown), f

    @staticmethod
    def back(slopes: Tensors, d_state: Tensors, weight: Tensor) -> tuple[Tensor, Tensors]:
        """Pass h' into c', then c' into three gates and h' into the fourth."""
        to_gates, to_cell, f = slopes
        d_h, d_c = d_state
        d_c = torch.addcmul(d_c, d_h, to_cell)
        d_gates = torch.cat([d_c, d_c, d_c, d_h], dim=1) * to_gates  # (n, 4H)
        return d_gates, (d_gates @ weight, d_c * f)  # (n, 4H) @ (4H, H) -> (n, H)


class GruCell(Cell):
    r"""The gated recurrent unit, its gates in PyTorch's order r, z, n.

    .. math:: n = \tanh(p_n + r \odot (W_n h + b_n)), \qquad h' = (1 - z) \odot n + z \odot h
    """

    gates, states, scales_bias = 3, 1, True

    @staticmethod
    def step(parts: Tensor, state: Tensors, weight: Tensor, bias: Tensor | None) -> tuple[Tensors, Tensors]:
        """Look at the memory through the gate r, then move from it towards n."""
        (h,) = state
        widths = (2 * h.shape[1], h.shape[1])
        for_gates, for_n = parts.split(widths, dim=1)  # (n, 3H) -> (n, 2H), (n, H)
        recalled, seen = _recall(h, weight, bias).split(widths, dim=1)
        gates = _sigmoid(for_gates + recalled)
        r, z = gates.chunk(2, dim=1)  # (n, 2H) -> 2 x (n, H)
        n = _tanh(for_n + r * seen)
        return (n + z * (h - n),), (gates, n, seen, h)

    @staticmethod
    def slopes(*kept: Tensor) -> Tensors:
        """Give dh'/d(r, z), dh'/d(W h + b) and dh'/dp for n, before the activations, then dh'/dh."""
        gates, n, seen, h = kept
        r, z = gates.chunk(2, dim=1)
        d_r, d_z = (gates * (1 - gates)).chunk(2, dim=1)
        to_n = (1 - z) * (1 - n * n)
        return torch.cat([to_n * seen * d_r, (h - n) * d_z, to_n * r, to_n], dim=1), z  # (N, 4H), (N, H)

    @staticmethod
    def back(slopes: Tensors, d_state: Tensors, weight: Tensor) -> tuple[Tensor, Tensors]:
        """Pass h' into the gates, and into h by two ways: through the weights and past them."""
        to_gates, z = slopes
        (d_h,) = d_state
        d_gates = torch.cat([d_h, d_h, d_h, d_h], dim=1) * to_gates  # (n, 4H)
        d_recalled = d_gates.narrow(1, 0, len(weight))  # (n, 4H) -> (n, 3H)
        return d_gates, (torch.addcmul(d_recalled @ weight, d_h, z),)  # (n, 3H) @ (3H, H) -> (n, H)

    @staticmethod
    def split(d_gates: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Take n from the fourth quarter for the input (not seen through r), from the third for the memory."""
        d_rz, _, d_n = d_gates.split((2 * size, size, size), dim=1)
        return torch.cat([d_rz, d_n], dim=1), d_gates.narrow(1, 0, 3 * size)  # (N, 4H) -> 2 x (N, 3H)


def _recall(h: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Give what the memory contributes to every gate."""
    recalled = h @ weight.mT  # (n, H) @ (H, gates H) -> (n, gates H)
    return recalled if bias is None else recalled + bias


# In the loop over time a hundred small calls follow each other, and what the functions of the course do beside
# computing (checking, remembering) would cost more than the computing. Where nothing is recorded, the same
# formulas are computed in place.


def _sigmoid(z: Tensor) -> Tensor:
    return sigmoid(z) if torch.is_grad_enabled() else z.neg().exp_().add_(1).reciprocal_()


def _tanh(z: Tensor) -> Tensor:
    if torch.is_grad_enabled():
        return tanh(z)
    t = z.abs().mul_(-2).expm1_()
    return t.div_(t + 2).copysign_(z)


def _relu(z: Tensor) -> Tensor:
    return relu(z) if torch.is_grad_enabled() else z.clamp(min=0)
