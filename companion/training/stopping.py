"""Keeping the best weights, and stopping when nothing gets better."""

from __future__ import annotations

import math
import warnings
from typing import Any

from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_choice, require_number, require_whole
from companion.training.run import Callback, Run


class Watch:
    """Follow one number of the history and remember the best.

    Args:
        where: Who asks, for the text of errors.
        monitor: A name in the history; None takes ``"val_loss"`` where there is one, else ``"loss"``.
        mode: ``"min"`` where lower is better, ``"max"`` where higher is.
        min_delta: How much better counts as better, 0 or more.
    """

    def __init__(self, where: str, monitor: str | None, mode: str, min_delta: float) -> None:
        require_choice(where, "mode", mode, ("min", "max"))
        require_number(where, "min_delta", min_delta, least=0)
        self.where, self.monitor, self.sign, self.min_delta = where, monitor, 1 if mode == "max" else -1, min_delta
        self.forget()

    def forget(self) -> None:
        """Start anew."""
        self.best = -self.sign * math.inf

    def name(self, run: Run) -> str:
        """Return the name of what is watched."""
        return self.monitor or ("val_loss" if "val_loss" in run.history.columns() else "loss")

    def latest(self, run: Run) -> float:
        """Return the number of the present epoch."""
        columns, name = run.history.columns(), self.name(run)
        if name not in columns:
            known = " or ".join(repr(column) for column in columns)
            hint = "fit(..., validation=, metrics=) measures more"
            raise bad_value(self.where, "monitor", known, repr(name), hint)
        return columns[name][-1]

    def improved(self, run: Run) -> bool:
        """Look at the present epoch; remember it and return True if it beats the best. Nan beats nothing."""
        value = self.latest(run)
        better = self.sign * value > self.sign * self.best + self.min_delta
        if better:
            self.best = value
        return better


class BestWeights(Callback):
    """Remember the weights of the best epoch, and put them back when the training ends, however it ends.

    Args:
        monitor: What is watched: ``"loss"``, ``"val_loss"`` or the name of a metric of ``fit``; None takes the
            validation loss where there is one, else the loss.
        mode: ``"min"`` where lower is better (a loss), ``"max"`` where higher is (an accuracy).
        min_delta: How much better counts as better, 0 or more.

    Attributes:
        best: The best value so far.
        best_epoch: Its epoch, from 0; None before the first.

    Raises:
        ValueError: If an argument is out of range, or nothing of that name is measured.

    >>> keep = BestWeights("accuracy", mode="max")
    >>> keep.best
    -inf
    """

    def __init__(self, monitor: str | None = None, *, mode: str = "min", min_delta: float = 0.0) -> None:
        self._watch = Watch(type(self).__name__, monitor, mode, min_delta)
        self.best_epoch: int | None = None
        self._weights: dict[str, Tensor] = {}

    @property
    def best(self) -> float:
        """Return the best value so far."""
        return self._watch.best

    def on_fit_start(self, run: Run) -> None:
        """Forget an earlier training."""
        self._watch.forget()
        self.best_epoch, self._weights = None, {}

    def on_epoch_end(self, run: Run) -> None:
        """Copy the weights of an epoch that is the best so far."""
        if self._watch.improved(run):
            self._weights = {name: value.detach().clone() for name, value in run.model.state_dict().items()}
            self.best_epoch = run.epoch

    def on_fit_end(self, run: Run) -> None:
        """Put the best weights back."""
        if self._weights:
            run.model.load_state_dict(self._weights)

    def state_dict(self) -> dict[str, Any]:
        """Return the best value, its epoch and its weights."""
        return {"best": self._watch.best, "best_epoch": self.best_epoch, "weights": self._weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self._watch.best, self.best_epoch = state_dict["best"], state_dict["best_epoch"]
        self._weights = state_dict["weights"]


class EarlyStopping(BestWeights):
    """Stop when some epochs in a row have not beaten the best, and put the best weights back.

    A metric that is nan (a loss that is ends the training) beats nothing: it warns and counts as an epoch
    without a new best.

    Args:
        patience: The number of epochs without a new best after which it stops, 1 or more.
        monitor: What is watched, as for :class:`BestWeights`.
        mode: ``"min"`` or ``"max"``.
        min_delta: How much better counts as better, 0 or more.

    Attributes:
        best: The best value so far.
        best_epoch: Its epoch, from 0; None before the first.
        waited: How many epochs ago that was.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or nothing of that name is measured.

    Source:
        Prechelt (1998), Early stopping, but when?

    >>> stopping = EarlyStopping(patience=3, min_delta=0.01)
    >>> stopping.best, stopping.waited
    (inf, 0)
    """

    def __init__(
        self, patience: int = 10, monitor: str | None = None, *, mode: str = "min", min_delta: float = 0.0
    ) -> None:
        super().__init__(monitor, mode=mode, min_delta=min_delta)
        require_whole("EarlyStopping", "patience", patience, least=1)
        self.patience = patience
        self.waited = 0

    def on_fit_start(self, run: Run) -> None:
        """Forget an earlier training."""
        super().on_fit_start(run)
        self.waited = 0

    def on_epoch_end(self, run: Run) -> None:
        """Count the epochs since the best, and stop after too many."""
        super().on_epoch_end(run)
        if math.isnan(self._watch.latest(run)):
            name = self._watch.name(run)
            warnings.warn(
                f"EarlyStopping: {name!r} is nan in epoch {run.epoch}, counted from 0; it counts as no new best",
                stacklevel=5,  # where fit was called
            )
        self.waited = 0 if self.best_epoch == run.epoch else self.waited + 1
        run.stop |= self.waited >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """Return what is remembered, and how long it has waited."""
        return {**super().state_dict(), "waited": self.waited}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        super().load_state_dict(state_dict)
        self.waited = state_dict["waited"]
