"""Backpropagation through time, written by hand, for any recurrent cell and sequences of unequal length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from companion.functional._cells import ANYWHERE, Cell, Places, Tensors


def through_time(
    cell: type[Cell],
    parts: Tensor,
    state: Tensors,
    weight: Tensor,
    bias: Tensor | None,
    sizes: Sequence[int],
    reverse: bool = False,
) -> tuple[Tensor, Tensors]:
    r"""Apply a cell again and again, one step of time after the other.

    .. math:: s_t = f(p_t, s_{t-1}; W, b), \qquad
              \frac{\partial L}{\partial s_{t-1}} = \Big( \frac{\partial s_t}{\partial s_{t-1}} \Big)^\top
              \Big( \frac{\partial L}{\partial s_t} + \frac{\partial L}{\partial y_t} \Big)

    Why by hand: automatic differentiation would remember and revisit every small operation of every step. Only
    what passes from step to step needs the loop; the derivatives of the gates, and the gradient of the weights
    as one product over all steps, do not. What each step computes is written into places made once for all
    steps: joining the results afterwards took a fifth of an LSTM's time. A gradient of the gradient needs a
    record, which places do not keep; then the same equations run without them.

    Rows are packed: first those of all sequences at the first step, then at the second, and so on, longest
    sequence first, so that those which go on stand in front.

    Args:
        cell: The equations of one step.
        parts: What the inputs contribute to the gates, rows packed. Under autocast its float type differs from
            that of the others, which then follow it.
        state: h, or h and c, before the first step.
        weight: Of the memory, in every gate.
        bias: The same, or None.
        sizes: How many sequences are there at each step, never rising.
        reverse: Whether time runs backward; each sequence then begins at its own last step.

    Shape:
        parts (N, gates H) with N the sum of the sizes, each state (B, H), weight (gates H, H),
        bias (gates H,). The outputs are (N, H), each last state (B, H).

    Returns:
        The outputs h of all steps, packed, and the state in which each sequence ended.

    Source:
        Werbos (1990), Backpropagation through time: what it does and how to do it.
    """
    state, weight = tuple(s.to(parts.dtype) for s in state), weight.to(parts.dtype)
    bias = None if bias is None else bias.to(parts.dtype)
    outputs, *rest = _ThroughTime.apply(cell, tuple(sizes), reverse, parts, weight, bias, *state)
    return outputs, tuple(rest[: cell.states])


class _ThroughTime(torch.autograd.Function):
    @staticmethod
    def forward(cell: type[Cell], sizes: tuple[int, ...], reverse: bool, *inputs: Any) -> Tensors:
        state, (outputs, *rest) = _run(cell, sizes, reverse, *inputs)
        return (outputs, *state, *rest)  # what is kept has to be a result, so that torch.func can follow it

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensors) -> None:
        ctx.cell, ctx.sizes, ctx.reverse, *tensors = inputs
        outputs, *rest = output
        kept = rest[ctx.cell.states :]
        ctx.mark_non_differentiable(*kept)
        ctx.set_materialize_grads(False)  # no zeros for what is kept
        ctx.save_for_backward(*tensors, outputs, *kept)

    @staticmethod
    def backward(ctx: Any, d_outputs: Tensor | None, *rest: Tensor | None) -> tuple:
        cell, sizes, reverse = ctx.cell, ctx.sizes, ctx.reverse
        parts, weight, bias, *others = ctx.saved_tensors
        state, rows = others[: cell.states], others[cell.states :]
        d_state = tuple(torch.zeros_like(s) if d is None else d for d, s in zip(rest, state, strict=False))
        if torch.is_grad_enabled():  # the gradient will be differentiated: let it depend on the inputs
            _, rows = _run(cell, sizes, reverse, parts, weight, bias, *state)
        new, kept = rows[: cell.states], rows[cell.states :]
        before = tuple(_before(s, start, sizes, reverse) for s, start in zip(new, state, strict=True))
        slopes = cell.slopes(new, kept, before)
        d_gates, d_state = _run_back(cell, sizes, reverse, weight, slopes, d_outputs, d_state)
        d_parts, d_recalled = cell.split(d_gates, weight.shape[1])
        d_weight = d_recalled.mT @ before[0]  # (gates H, N) @ (N, H) -> (gates H, H)
        d_bias = None if bias is None else d_recalled.sum(0)
        return None, None, None, d_parts, d_weight, d_bias, *d_state


def _run(
    cell: type[Cell],
    sizes: Sequence[int],
    reverse: bool,
    parts: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    *state: Tensor,
) -> tuple[Tensors, Tensors]:
    """Go through time; return the last state, and of all steps the new states and what is kept, rows packed."""
    recorded = torch.is_grad_enabled()
    steps = torch.split_with_sizes(parts, sizes)  # (N, gates H) -> (n_t, gates H) for each t
    places: list[Places] = [ANYWHERE] * len(sizes)
    rows: Tensors = ()
    if not recorded:
        widths = [multiple * weight.shape[1] for multiple in (*[1] * cell.states, *cell.keeps)]
        rows = tuple(parts.new_empty(len(parts), width) for width in widths)
        places = list(zip(*(torch.split_with_sizes(whole, sizes) for whole in rows), strict=True))
    results: list[Tensors] = [()] * len(sizes)
    for t in _order(sizes, reverse):
        new, kept = cell.step(steps[t], _head(state, sizes[t]), weight, bias, places[t])
        state = _put(new, state)
        if recorded:
            results[t] = (*new, *kept)
    if recorded:
        rows = tuple(torch.cat(column) for column in zip(*results, strict=True))
    return tuple(s.clone() for s in state), rows


def _before(new: Tensor, start: Tensor, sizes: Sequence[int], reverse: bool) -> Tensor:
    """Return a state before each step, rows packed, from that after each step and that at the start."""
    steps = torch.split_with_sizes(new, sizes)  # (N, H) -> (n_t, H) for each t
    if not reverse:
        return torch.cat([start, *(s[:size] for s, size in zip(steps, sizes[1:], strict=False))])
    ends = (*steps[1:], start[:0])  # at its own last step a sequence begins
    return torch.cat([x for s, size in zip(ends, sizes, strict=True) for x in (s, start[len(s) : size])])


def _run_back(
    cell: type[Cell],
    sizes: Sequence[int],
    reverse: bool,
    weight: Tensor,
    slopes: Tensors,
    d_outputs: Tensor | None,
    d_state: Tensors,
) -> tuple[Tensor, Tensors]:
    """Go through time the other way; return the gradients of the gates, packed, and of the first state."""
    steps = list(zip(*(torch.split_with_sizes(column, sizes) for column in slopes), strict=True))
    d_steps = None if d_outputs is None else torch.split_with_sizes(d_outputs, sizes)
    d_gates = [weight] * len(sizes)  # places to write into
    for t in _order(sizes, not reverse):
        d_h, *d_c = _head(d_state, sizes[t])
        d_h = d_h if d_steps is None else d_h + d_steps[t]
        d_gates[t], d_before = cell.back(steps[t], (d_h, *d_c), weight)
        d_state = _put(d_before, d_state)
    return torch.cat(d_gates) if torch.is_grad_enabled() else slopes[0], d_state


def _order(sizes: Sequence[int], reverse: bool) -> range:
    return range(len(sizes) - 1, -1, -1) if reverse else range(len(sizes))


def _head(state: Tensors, size: int) -> Tensors:
    """Take the sequences that are there at this step."""
    return state if state[0].shape[0] == size else tuple(s[:size] for s in state)


def _put(new: Tensors, state: Tensors) -> Tensors:
    """Put the new state of the sequences that are there before the old one of those that are not."""
    if new[0].shape[0] == state[0].shape[0]:
        return new
    return tuple(torch.cat([a, s[len(a) :]]) for a, s in zip(new, state, strict=True))
