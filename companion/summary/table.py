"""A model as a table: its layers in the order of their calls, and what each costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module
from torch.utils.flop_counter import FlopCounterMode

from companion.functional._arguments import require_module
from companion.summary._passes import flop_counter, require_call, undisturbed
from companion.summary.counts import count_parameters, saved_bytes


@dataclass(frozen=True)
class Row:
    """One call of one layer.

    Attributes:
        name: Its name in the model, such as ``features.0``.
        kind: Its class.
        shape: Of its output; of the first one, where it gives several.
        parameters: How many numbers it can learn; 0 where an earlier row has counted them.
        flops: Operations in its products.
        bytes: Size of its outputs.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    flops: int
    bytes: int


@dataclass(frozen=True)
class Summary:
    """What :func:`summary` found; printed it is a table.

    Attributes:
        rows: The layers that do the work, in the order of their calls.
        parameters: How many numbers the model can learn.
        trainable: How many of them are not frozen.
        flops: Operations in the products of one forward pass.
        bytes: Size of all layers' outputs together.
        saved_bytes: Memory that training keeps for the backward pass.
    """

    rows: tuple[Row, ...]
    parameters: int
    trainable: int
    flops: int
    bytes: int
    saved_bytes: int

    def __str__(self) -> str:
        """Set the rows in columns."""
        cells = [("layer", "kind", "output", "parameters", "FLOPs", "output bytes")]
        for r in self.rows:
            cells.append((r.name, r.kind, str(r.shape), f"{r.parameters:,}", f"{r.flops:,}", f"{r.bytes:,}"))
        cells.append(("total", "", "", f"{self.parameters:,}", f"{self.flops:,}", f"{self.bytes:,}"))
        lines = columns(cells, left=3)
        rule = "-" * len(lines[0])
        note = f"{self.saved_bytes:,} bytes are kept for the backward pass"
        if frozen := self.parameters - self.trainable:
            note = f"{frozen:,} parameters are frozen; {note}"
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1], note])


def columns(cells: Sequence[tuple[str, ...]], left: int) -> list[str]:
    """Set rows of texts in columns; the first ones are flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*cells)]
    align = [str.ljust] * left + [str.rjust] * (len(widths) - left)
    return ["  ".join(f(c, w) for f, c, w in zip(align, row, widths)) for row in cells]


def summary(model: Module, *inputs: Tensor) -> Summary:
    """Run a model once and list its layers with what each costs.

    A layer is a module that calls no other. What modules compute between their layers counts in the totals.

    Args:
        model: Any module. A copy of it is run, in the mode it is in: while training more is kept.
        inputs: What it is called with; the numbers in it do not matter, the shapes do.

    Returns:
        One row for each call of a layer, and totals. ``print`` shows a table.

    Raises:
        TypeError: If ``model`` is no module or an input no tensor.

    >>> from companion.models import mlp
    >>> summary(mlp([2, 3, 1]), torch.zeros(5, 2)).flops
    90
    """
    require_module("summary", "model", model)
    require_call("summary", model, inputs)
    with (
        undisturbed(model, inputs) as twin,
        torch.no_grad(),
        flop_counter() as counter,
        _watched(twin, counter) as rows,
    ):
        twin(*inputs)
    with torch.enable_grad():  # what training keeps, also where no gradients are asked for now
        saved = saved_bytes(model, *inputs)
    trainable = sum(p.numel() for p in twin.parameters() if p.requires_grad)
    total = sum(row.bytes for row in rows)
    return Summary(tuple(rows), count_parameters(twin), trainable, counter.get_total_flops(), total, saved)


@contextmanager
def _watched(model: Module, counter: FlopCounterMode) -> Iterator[list[Row]]:
    """Write a row for each call of a module that calls no other."""
    rows: list[Row] = []
    running: list[tuple[int, int]] = []  # of each module that runs: operations and rows before it
    seen: set[Module] = set()

    def before(_module: Module, _inputs: Any) -> None:
        running.append((counter.get_total_flops(), len(rows)))

    def after(name: str, module: Module, output: Any) -> None:
        flops, called = running.pop()
        if called == len(rows):
            outputs = list(tensors_in(output))
            shape = tuple(outputs[0].shape) if outputs else ()
            parameters = 0 if module in seen else count_parameters(module)
            size = sum(value.numel() * value.element_size() for value in outputs)
            seen.add(module)
            rows.append(Row(name, type(module).__name__, shape, parameters, counter.get_total_flops() - flops, size))

    with ExitStack() as hooks:
        for name, module in model.named_modules():
            hooks.callback(module.register_forward_pre_hook(before).remove)
            hook = module.register_forward_hook(lambda m, _, output, name=name: after(name, m, output))
            hooks.callback(hook.remove)
        yield rows


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Return the tensors in a result, which may be nested."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from tensors_in(part)
