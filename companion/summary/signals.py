"""How signals fare on their way through a model, and slopes on their way back: the first look at one that does not learn."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from companion.errors import bad_value
from companion.functional._arguments import require_module, require_tensor
from companion.summary._passes import undisturbed
from companion.summary.table import columns, tensors_in


@dataclass(frozen=True)
class Signal:
    """One call of one layer.

    Attributes:
        name: Its name in the model, such as ``features.0``.
        kind: Its class.
        size: Root of the mean square of its outputs.
        apart: Root of the mean square of what differs between the examples: each number less its mean over them.
        zeros: Share of its outputs that are exactly 0.
        slope: Length of the loss's slope by its weights, over the length of these; nan where it has none of its own.
    """

    name: str
    kind: str
    size: float
    apart: float
    zeros: float
    slope: float


@dataclass(frozen=True)
class Signals:
    """What :func:`signals` found; printed it is a table.

    Attributes:
        rows: The layers that do the work, in the order of their calls.
        loss: The loss of the examples.
    """

    rows: tuple[Signal, ...]
    loss: float

    def __str__(self) -> str:
        """Set the rows in columns."""
        cells = [("layer", "kind", "size", "apart", "zeros", "slope/weight")]
        for r in self.rows:
            slope = "" if math.isnan(r.slope) else f"{r.slope:.1e}"
            cells.append((r.name, r.kind, f"{r.size:.1e}", f"{r.apart:.1e}", f"{r.zeros:.0%}", slope))
        lines = columns(cells, left=2)
        return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:], f"loss {self.loss:.2f}"])


def signals(model: Module, inputs: Tensor, targets: Tensor, loss: Callable[[Any, Any], Tensor]) -> Signals:
    """Send examples through a model once and back, and tell layer by layer what arrives.

    Read ``size`` for signals that die or explode, ``apart`` for those that have become the same for every example,
    ``zeros`` for units that are switched off, and ``slope`` for layers that would not move. A copy of the model is run,
    in the mode it is in.

    Args:
        model: Any module.
        inputs: Two examples or more; the first axis counts them.
        targets: What the loss compares the model's answer with.
        loss: Takes the answer and the targets, and returns one number.

    Returns:
        One row for each call of a layer, and the loss. ``print`` shows a table.

    Raises:
        TypeError: If ``model`` is no module or an argument is no tensor.
        ValueError: If there are fewer than two examples, or the loss is not one number.

    >>> from torch.nn import Linear
    >>> found = signals(Linear(1, 1), torch.tensor([[1.0], [-1.0]]), torch.zeros(2, 1), torch.nn.functional.mse_loss)
    >>> [row.name for row in found.rows], found.rows[0].kind
    ([''], 'Linear')
    """
    require_module("signals", "model", model)
    require_tensor("signals", "inputs", inputs)
    require_tensor("signals", "targets", targets)
    if inputs.ndim == 0 or len(inputs) < 2:
        raise bad_value("signals", "inputs", "two examples or more", f"a tensor of shape {tuple(inputs.shape)}")
    with undisturbed(model, (inputs, targets)) as twin, torch.enable_grad(), ExitStack() as hooks:
        calls: list[tuple[str, Module, Tensor]] = []
        for name, module in twin.named_modules():
            if not list(module.children()):
                hook = module.register_forward_hook(
                    lambda m, _, out, name=name: calls.extend((name, m, t) for t in _first(out))
                )
                hooks.callback(hook.remove)
        twin.zero_grad()
        error = loss(twin(inputs), targets)
        if not isinstance(error, Tensor) or error.numel() != 1:
            raise bad_value("signals", "loss", "a function that returns one number", error)
        error.backward()
        return Signals(tuple(_row(name, module, output.detach()) for name, module, output in calls), error.item())


def _first(output: Any) -> list[Tensor]:
    """Return the first floating tensor of a layer's answer, if there is one."""
    return [value for value in tensors_in(output) if value.is_floating_point()][:1]


def _row(name: str, module: Module, output: Tensor) -> Signal:
    apart = output - output.mean(dim=0)
    slopes = [
        (p.grad.norm() / p.detach().norm()).item()
        for n, p in module.named_parameters()
        if n == "weight" and p.grad is not None
    ]
    return Signal(
        name,
        type(module).__name__,
        output.square().mean().sqrt().item(),
        apart.square().mean().sqrt().item(),
        (output == 0).double().mean().item(),
        slopes[0] if slopes else math.nan,
    )
