"""The rows that a training measures itself on and never learns from."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from companion.errors import bad_value
from companion.training.batches import Placed, batches_in_order, require_type
from companion.training.evaluation import CHUNK, Metrics, measure, metric_functions
from companion.training.run import NotFinite, Run, finite
from companion.training.step import LossFunction


class HeldOut:
    """What measures a model after each epoch, by the names of the history; nothing where nothing is held out.

    Args:
        validation: Examples and targets, batches, or None.
        place: Where the model is.
        loss_of: The mean loss of outputs and targets.
        metrics: What else is measured.
    """

    def __init__(self, validation: Any, place: torch.device, loss_of: LossFunction, metrics: Metrics) -> None:
        self.measures, self.loss_of, self.batches = metric_functions("fit", metrics), loss_of, None
        self.first: Any = None
        self.name = "validation"
        if validation is None:
            if self.measures:
                raise bad_value(
                    "fit", "metrics", "validation data to measure them on", "none", "pass validation=(X, y)"
                )
            return
        for name in ("loss", "val_loss"):
            if name in self.measures:
                raise bad_value(
                    "fit", "metrics", f"other names than {name!r}", repr(name), "the loss is measured anyway"
                )
        X, y, names = validation, None, ("validation", "validation")
        if isinstance(validation, (tuple, list)) and len(validation) == 2 and isinstance(validation[0], Tensor):
            (X, y), names = validation, ("validation[0]", "validation[1]")
        self.batches = batches_in_order("fit", names, X, y, CHUNK, place)
        self.name, source = names[0], self.batches.source
        if isinstance(source, (tuple, list)) and source:
            self.first = source[0]

    def require_type(self, model: Module) -> None:
        """Refuse examples with floats of another type than the model, which measures in full precision."""
        if isinstance(self.first, (tuple, list)) and self.first:
            require_type(self.name, self.first[0], model, None)

    def rehearse(self, model: Module, training: tuple[Any, Any]) -> None:
        """Measure the first batch where it is at hand, so that what does not fit shows before an epoch is trained.

        Where the training rows do not fit either, it is left to the training to say so.
        """
        if self.first is None or self.batches is None:
            return
        batches = Placed("fit", "validation", [self.first], self.batches.device)
        ((X, y),) = batches
        fault = self._fault(model, batches)
        if fault is None:
            return
        if all(isinstance(part, Tensor) for part in training):
            rows = [tuple(part[:CHUNK] for part in training)]
            if self._fault(model, Placed("fit", "X", rows, self.batches.device)) is not None:
                return
        shapes = " and ".join(str(tuple(part.shape)) for part in (X, y) if isinstance(part, Tensor))
        expected = "examples and targets that model and loss take"
        raise bad_value("fit", "validation", expected, f"a batch of shapes {shapes}", str(fault)) from fault

    def _fault(self, model: Module, batches: Placed) -> Exception | None:
        """Return what measuring the loss raises, if anything; no random number is used up."""
        place = batches.device
        try:
            with torch.random.fork_rng(devices=[place] if place is not None and place.type == "cuda" else []):
                measure("fit", model, batches, {"val_loss": self.loss_of}, {})
        except (ValueError, TypeError, RuntimeError, IndexError) as error:
            return error
        return None

    def measure(self, run: Run) -> dict[str, float]:
        """Return the validation loss and the metrics of the present epoch."""
        if self.batches is None:
            return {}
        return measure("fit", run.model, self.batches, {"val_loss": self.loss_of}, self.measures)

    def require_finite(self, run: Run) -> None:
        """End the training where the validation loss has left the numbers; the history holds the epoch."""
        if self.batches is None or math.isfinite(value := run.history.val_loss[-1]):
            return
        rate = run.optimizer.param_groups[0]["lr"]
        advice = (
            f"the loss of the training rows was {run.history.loss[-1]:.4g}: look for numbers in the validation rows "
            f"that training has not seen, or try a learning rate below {rate} (a tenth)"
        )
        for X, y in self.batches:
            for name, part in (("X", X), ("y", y)):
                if not finite(part):
                    advice = f"{name} of the validation rows holds nan or inf: clean the data"
        where = f"after epoch {run.epoch}, step {run.step}, both counted from 0"
        raise NotFinite(f"fit: the validation loss became {value} ({where}); {advice}", run.history)
