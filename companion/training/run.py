"""A training under way: its record, its state, and the moments at which callbacks are called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from companion.errors import bad_type, bad_value


@dataclass
class History:
    """How the loss went, one number an epoch.

    Attributes:
        loss: Mean over the training rows, each counted once, while the model was changing.
        val_loss: Mean over the validation rows after each epoch; empty where there are none.
        metrics: What else was measured on the validation rows after each epoch, by name.
        interrupted: Whether Ctrl-C ended the training.
    """

    loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    interrupted: bool = False

    def add(self, loss: float, measured: dict[str, float]) -> None:
        """Write down an epoch: its loss, and what was measured on the validation rows."""
        self.loss.append(loss)
        for name, value in measured.items():
            column = self.val_loss if name == "val_loss" else self.metrics.setdefault(name, [])
            column.append(value)

    def columns(self) -> dict[str, list[float]]:
        """Return all that was recorded, by name."""
        return {
            "loss": self.loss,
            **({"val_loss": self.val_loss} if self.val_loss else {}),
            **self.metrics,
        }


class NotFinite(FloatingPointError):
    """A loss has left the numbers.

    Attributes:
        history: What was measured until then.
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


def finite(value: Any) -> bool:
    """Tell whether there is neither nan nor inf in a tensor; what is no tensor cannot be looked at."""
    return not isinstance(value, Tensor) or bool(torch.isfinite(value).all())


@dataclass
class Run:
    """What a callback may look at and change.

    Attributes:
        model: What is trained.
        optimizer: What moves its parameters.
        epochs: How many epochs were asked for.
        batches: How many batches an epoch has; None where the data does not say.
        generator: What shuffles the data, or None for PyTorch's global generator.
        scaler: What keeps float16 gradients from vanishing; without effect for other types.
        callbacks: Everything that is called, in this order; checkpoints come last.
        history: What was measured so far.
        epoch: The number of the present epoch, from 0.
        batch: How many batches of this epoch have gone through the model.
        step: How many optimizer steps were taken.
        loss: The loss of the present step, before it moves anything.
        stop: Set it to end the training after this epoch.
    """

    model: Module
    optimizer: torch.optim.Optimizer
    epochs: int
    batches: int | None = None
    generator: torch.Generator | None = None
    scaler: torch.amp.GradScaler = field(default_factory=lambda: torch.amp.GradScaler("cpu", enabled=False))
    callbacks: list[Callback] = field(default_factory=list)
    history: History = field(default_factory=History)
    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss: float = float("nan")
    stop: bool = False

    def __post_init__(self) -> None:
        self._hooks = {name: _overridden(self.callbacks, name) for name in HOOKS}

    def call(self, hook: str) -> None:
        """Call a hook of every callback that has written it."""
        for function in self._hooks[hook]:
            function(self)


class Callback:
    """Look on while a model is trained, and step in: write the methods that you need.

    For each epoch ``fit`` calls ``on_epoch_start``, then for each optimizer step
    ``on_before_optimizer_step`` (the gradients are there) and ``on_step_end``, then ``on_epoch_end`` (the
    validation is measured, in ``run.history``). ``on_fit_start`` and ``on_fit_end`` stand around it all, the
    latter also after Ctrl-C or an error.

    >>> class Shout(Callback):
    ...     def on_epoch_end(self, run): print(f"epoch {run.epoch} is over")
    """

    last = False  # whether it is called after the others, because it keeps what they remember

    def on_fit_start(self, run: Run) -> None:
        """Begin: the model is on its device, nothing is trained."""

    def on_epoch_start(self, run: Run) -> None:
        """Begin an epoch: the model is in train mode."""

    def on_before_optimizer_step(self, run: Run) -> None:
        """Look at the gradients, or change them."""

    def on_step_end(self, run: Run) -> None:
        """Go on after the parameters have moved."""

    def on_epoch_end(self, run: Run) -> None:
        """Look at what the epoch brought."""

    def on_fit_end(self, run: Run) -> None:
        """Tidy up, whatever ended the training."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint has to keep of this callback: tensors, numbers, strings, lists and dicts."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what ``state_dict`` returned; called after ``on_fit_start``."""


HOOKS = [name for name in vars(Callback) if name.startswith("on_")]


def in_order(callbacks: object) -> list[Callback]:
    """Return callbacks as a list, those last that say so; refuse what is none."""
    if isinstance(callbacks, Callback) or not isinstance(callbacks, (list, tuple)):
        raise bad_type("fit", "callbacks", "a list of callbacks", callbacks, "put a single one into a list")
    for i, callback in enumerate(callbacks):
        if isinstance(callback, type):
            raise bad_value(
                "fit", f"callbacks[{i}]", "a callback", f"the class {callback.__name__}", "make one of it: ()"
            )
        if not isinstance(callback, Callback):
            raise bad_type("fit", f"callbacks[{i}]", "a callback", callback, "companion.training.Callback is the mould")
    return sorted(callbacks, key=lambda callback: callback.last)


def _overridden(callbacks: list[Callback], hook: str) -> list[Any]:
    """Return the methods that do something, so that a step pays for no others."""
    return [getattr(c, hook) for c in callbacks if getattr(type(c), hook) is not getattr(Callback, hook)]
