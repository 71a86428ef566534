"""What is looked at once, on the first batch of a training: mistakes that cost learning and raise no error."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from companion import nn
from companion.errors import bad_value
from companion.functional.losses import NAMED
from companion.training.batches import require_type

APPLIES = {"bce": "a sigmoid", "cross_entropy": "a softmax"}
_LOSSES = {
    "bce": (NAMED["bce"], torch.nn.functional.binary_cross_entropy_with_logits),
    "cross_entropy": (NAMED["cross_entropy"], torch.nn.functional.cross_entropy),
}
_LOSS_LAYERS = {
    "bce": (nn.BCEWithLogitsLoss, torch.nn.BCEWithLogitsLoss),
    "cross_entropy": (nn.CrossEntropyLoss, torch.nn.CrossEntropyLoss),
}
_SHARES = (nn.Sigmoid, nn.Softmax, torch.nn.Sigmoid, torch.nn.Softmax, torch.nn.Softmax2d)
_CALLER = 7  # calls from a warning here to the line that called fit


class FirstLook:
    """Look at the first batch on its way through model and loss.

    Args:
        model: What is trained.
        loss: What ``fit`` was given.
        precision: What ``fit`` was given.
    """

    def __init__(self, model: Module, loss: Any, precision: str | None) -> None:
        self.model, self.logits_for, self.precision = model, takes_logits(loss), precision
        self._last: str | None = None

    def outputs(self, forward: Callable[[Any], Any], X: Any) -> Any:
        """Return the model's outputs, and remember the sigmoid or softmax that they came from."""
        require_type("X", X, self.model, self.precision)
        if self.logits_for is None:
            return forward(X)
        outputs = self._watched(forward, X)
        if self.logits_for == "cross_entropy":
            _require_two_classes(outputs)
        return outputs

    def _watched(self, forward: Callable[[Any], Any], X: Any) -> Any:
        """Return the model's outputs, and remember the layer."""
        if forward is not self.model:  # compiled: a hook would have it compiled twice
            self._last = _ends_in(self.model)
            return forward(X)
        made: list[tuple[str, Tensor]] = []
        hooks = [
            layer.register_forward_hook(lambda layer, _, out: made.append((type(layer).__name__, out)))
            for layer in self.model.modules()
            if isinstance(layer, _SHARES)
        ]
        try:
            outputs = forward(X)
        finally:
            for hook in hooks:
                hook.remove()
        self._last = next((name for name, out in made if _same_numbers(out, outputs)), None)
        return outputs

    def after_loss(self, outputs: Any, y: Tensor) -> None:
        """Warn of what the loss has borne without a word."""
        if self._last is not None and self.logits_for is not None:
            expected = f"logits as outputs, which the loss {self.logits_for!r} wants"
            hint = (
                f"the loss applies {APPLIES[self.logits_for]} itself: leave the layer out (accuracy takes logits too)"
            )
            _warn(bad_value("fit", "model", expected, f"those of a last layer {self._last}", hint))
        _warn_of_broadcasting(outputs, y)


def takes_logits(loss: Any) -> str | None:
    """Return ``"bce"`` or ``"cross_entropy"`` where a loss is one of these, under whatever name."""
    while isinstance(loss, functools.partial):
        loss = loss.func
    for name in APPLIES:
        if loss in (name, *_LOSSES[name]) or isinstance(loss, _LOSS_LAYERS[name]):
            return name
    return None


def _require_two_classes(outputs: Any) -> None:
    """Refuse a single class: it has all the probability whatever the model says."""
    if isinstance(outputs, Tensor) and outputs.ndim > 1 and outputs.shape[1] == 1:
        expected = "two outputs or more for cross-entropy, one for each class"
        hint = "the loss of a single class is always 0; loss='bce' tells two classes apart by one output"
        raise bad_value("fit", "model", expected, tuple(outputs.shape), hint)


def _ends_in(model: Module) -> str | None:
    """Return the name of the sigmoid or softmax at the end of layers in a row."""
    while isinstance(model, torch.nn.Sequential) and len(model):
        model = model[-1]
    return type(model).__name__ if isinstance(model, _SHARES) else None


def _same_numbers(a: Any, b: Any) -> bool:
    """Tell whether two tensors are one, or one a view of the other."""
    return a is b or (isinstance(b, Tensor) and a.data_ptr() == b.data_ptr() != 0)


def _warn_of_broadcasting(outputs: Any, y: Tensor) -> None:
    """Warn of a column beside a row, which a loss function by somebody else takes for a table."""
    n = len(y)
    shapes = (tuple(outputs.shape) if isinstance(outputs, Tensor) else None, tuple(y.shape))
    if n < 2 or shapes not in (((n, 1), (n,)), ((n,), (n, 1))):
        return
    fix = "y[:, None]" if y.ndim == 1 else "y[:, 0]"
    hint = (
        f"most losses will broadcast the two to ({n}, {n}) and compare every output with every target; "
        f"{fix} makes the shapes meet"
    )
    _warn(bad_value("fit", "y", f"the shape of the outputs, {shapes[0]}", shapes[1], hint), _CALLER + 1)


def _warn(sentence: ValueError, level: int = _CALLER) -> None:
    warnings.warn(str(sentence), stacklevel=level)
