"""What recurrent layers share whatever their cell: stacking, directions, and sequences of unequal length."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module, Parameter
from torch.nn.utils.rnn import PackedSequence

from companion import functional as F
from companion.errors import bad_value
from companion.functional._arguments import (
    require_device,
    require_float,
    require_pair,
    require_shape,
    require_share,
    require_whole,
)
from companion.functional._cells import Cell, Tensors
from companion.functional._through_time import through_time
from companion.nn.recurrent.cells import draw_recurrent


class Recurrent(Module):
    """Everything of a recurrent layer but the cell; the arguments are explained in :class:`RNN`."""

    weight_ih_l0: Parameter

    def __init__(
        self,
        cell: type[Cell],
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        where = type(self).__name__
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size), ("num_layers", num_layers)):
            require_whole(where, name, size, least=1)
        require_share(where, "dropout", dropout)
        if dropout and num_layers == 1:
            warnings.warn(f"{where}: dropout acts between layers, and a single layer has nothing between", stacklevel=3)
        self.cell, self.generator = cell, generator
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout, self.bidirectional = bias, batch_first, dropout, bidirectional
        rows = cell.gates * hidden_size
        for layer in range(num_layers):
            width = input_size if layer == 0 else len(self._suffixes(0)) * hidden_size
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, width), "weight_hh": (rows, hidden_size)}
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {}
            for suffix in self._suffixes(layer):
                for name, shape in shapes.items():
                    parameter = Parameter(torch.empty(shape, device=device, dtype=dtype))
                    self.register_parameter(name + suffix, parameter)
        self.reset_parameters(generator)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw all parameters anew.

        Args:
            generator: Where the numbers come from; None takes PyTorch's global generator.
        """
        draw_recurrent(self, self.hidden_size, generator)

    def forward(self, x: Tensor | PackedSequence, hx: Any = None) -> tuple[Any, Any]:
        """Run over the sequences; return the outputs of the last layer and the last state of every layer.

        Args:
            x: Sequences of one length as a tensor, or of any lengths packed by PyTorch's
                ``pack_padded_sequence`` or ``pack_sequence``.
            hx: The first state of every layer and direction; None starts from zeros.
        """
        given = self._given(hx)
        outputs: Tensor | PackedSequence
        if isinstance(x, PackedSequence):
            outputs, state = self._over_packed(x, given)
        else:
            outputs, state = self._over_tensor(x, given)
        return outputs, state if self.cell.states == 2 else state[0]

    def _over_packed(self, x: PackedSequence, given: Tensors | None) -> tuple[PackedSequence, Tensors]:
        """Run over sequences of unequal length, in the caller's order of them."""
        if given is not None and x.sorted_indices is not None:
            self._require_state(given, int(x.batch_sizes[0]))
            given = tuple(s.index_select(1, x.sorted_indices) for s in given)
        rows, state = self._over_rows(x.data, x.batch_sizes.tolist(), given)
        if x.unsorted_indices is not None:
            state = tuple(s.index_select(1, x.unsorted_indices) for s in state)
        return PackedSequence(rows, x.batch_sizes, x.sorted_indices, x.unsorted_indices), state

    def _over_tensor(self, x: Tensor, given: Tensors | None) -> tuple[Tensor, Tensors]:
        """Run over sequences of one length, or over a single one."""
        where = type(self).__name__
        require_float(where, "x", x)
        if x.ndim not in (2, 3):
            expected = "shape (B, T, in) or (T, in)" if self.batch_first else "shape (T, B, in) or (T, in)"
            raise bad_value(where, "x", expected, tuple(x.shape))
        if x.ndim == 2:
            given = None if given is None else tuple(self._with_batch(s) for s in given)
            outputs, state = self._over_time_first(x.unsqueeze(1), given)  # (T, in) -> (T, 1, in)
            return outputs.squeeze(1), tuple(s.squeeze(1) for s in state)
        if not self.batch_first:
            return self._over_time_first(x, given)
        outputs, state = self._over_time_first(x.transpose(0, 1), given)  # (B, T, in) -> (T, B, in)
        return outputs.transpose(0, 1), state

    def _over_time_first(self, x: Tensor, given: Tensors | None) -> tuple[Tensor, Tensors]:
        steps, batch = x.shape[:2]
        if not steps:
            raise bad_value(type(self).__name__, "x", "one time step or more", f"shape {tuple(x.shape)}")
        rows, state = self._over_rows(x.flatten(0, 1), [batch] * steps, given)  # (T, B, in) -> (T B, in)
        return rows.unflatten(0, (steps, batch)), state

    def _over_rows(self, rows: Tensor, sizes: list[int], given: Tensors | None) -> tuple[Tensor, Tensors]:
        """Run layer over layer on packed rows; between layers some numbers are dropped while training."""
        require_device(type(self).__name__, "x", rows, beside=self.weight_ih_l0)
        if rows.shape[1] != self.input_size:
            hint = "the last axis holds the features"
            raise bad_value(type(self).__name__, "x", f"{self.input_size} features at each step", rows.shape[1], hint)
        if given is None:
            given = (rows.new_zeros(self._places, sizes[0], self.hidden_size),) * self.cell.states
        self._require_state(given, sizes[0])
        ends: list[Tensors] = []
        for layer in range(self.num_layers):
            if layer:
                rows = F.dropout(rows, self.dropout, self.training, generator=self.generator)
            outputs = []
            for direction, suffix in enumerate(self._suffixes(layer)):
                start = tuple(s.select(0, len(ends)) for s in given)  # (layers directions, B, H) -> (B, H)
                output, end = self._one_direction(rows, sizes, suffix, bool(direction), start)
                outputs.append(output)
                ends.append(end)
            rows = torch.cat(outputs, dim=1)  # (N, H) for each direction -> (N, directions H)
        return rows, tuple(torch.stack(column) for column in zip(*ends, strict=True))

    def _one_direction(
        self, rows: Tensor, sizes: list[int], suffix: str, reverse: bool, start: Tensors
    ) -> tuple[Tensor, Tensors]:
        """Give all steps their inputs at once, then go through time."""
        weight_ih, weight_hh = getattr(self, "weight_ih" + suffix), getattr(self, "weight_hh" + suffix)
        bias_ih, bias_hh = getattr(self, "bias_ih" + suffix, None), getattr(self, "bias_hh" + suffix, None)
        if bias_ih is not None and bias_hh is not None and not self.cell.scales_bias:  # one sum for all steps
            bias_ih, bias_hh = bias_ih + bias_hh, None
        parts = F.linear(rows, weight_ih, bias_ih)  # (N, in) -> (N, gates H)
        return through_time(self.cell, parts, start, weight_hh, bias_hh, sizes, reverse)

    def _suffixes(self, layer: int) -> list[str]:
        return [f"_l{layer}", f"_l{layer}_reverse"] if self.bidirectional else [f"_l{layer}"]

    @property
    def _places(self) -> int:
        """Count the states: one for each layer and direction."""
        return self.num_layers * len(self._suffixes(0))

    def _given(self, hx: Any) -> Tensors | None:
        """Return the state that came in as one tensor or two."""
        if hx is None:
            return None
        return require_pair(type(self).__name__, "hx", hx) if self.cell.states == 2 else (hx,)

    def _with_batch(self, state: Tensor) -> Tensor:
        require_shape(type(self).__name__, "hx", state, (self._places, self.hidden_size))
        return state.unsqueeze(1)  # (layers directions, H) -> (layers directions, 1, H)

    def _require_state(self, state: Tensors, batch: int) -> None:
        hint = "layers times directions, sequences, hidden_size; batch_first does not change it"
        for s in state:
            require_shape(type(self).__name__, "hx", s, (self._places, batch, self.hidden_size), hint)

    def extra_repr(self) -> str:
        """Name the sizes and the options that differ from the usual when the layer is printed."""
        options = {
            "num_layers": (self.num_layers, 1),
            "bias": (self.bias, True),
            "batch_first": (self.batch_first, False),
            "dropout": (self.dropout, 0),
            "bidirectional": (self.bidirectional, False),
        }
        changed = [f"{name}={value}" for name, (value, usual) in options.items() if value != usual]
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *changed])
