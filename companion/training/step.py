"""The middle of an optimizer step: from batches to gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.nn import Module

from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_choice
from companion.functional.losses import NAMED
from companion.training.batches import Batch
from companion.training.first_look import FirstLook
from companion.training.run import NotFinite, Run, finite

LossFunction = Callable[[Tensor, Tensor], Tensor]


class Step:
    """The middle of a step: forward and backward through the batches that share it.

    Args:
        model: What is trained.
        loss_of: The mean loss of outputs and targets.
        look: What looks at the first batch.
        place: Where it happens.
        precision: ``"bfloat16"``, ``"float16"`` or None.
        compile: Whether to compile, or a backend's name.
    """

    def __init__(
        self,
        model: Module,
        loss_of: LossFunction,
        look: FirstLook,
        place: torch.device,
        precision: str | None,
        compile: bool | str,
    ) -> None:
        self.loss_of = loss_of
        self.look: FirstLook | None = look
        self.precise: AbstractContextManager = nullcontext()
        if precision is not None:
            require_choice("fit", "precision", precision, ("bfloat16", "float16"))
            if precision == "float16" and place.type != "cuda":
                hint = "float16 needs its losses scaled, which is for CUDA"
                raise bad_value("fit", "precision", f"'bfloat16' on {place.type}", "'float16'", hint)
            self.precise = torch.autocast(place.type, getattr(torch, precision))
        self.scaler = torch.amp.GradScaler(place.type, enabled=precision == "float16")
        if not isinstance(compile, (bool, str)):
            raise bad_type("fit", "compile", "True, False or the name of a backend", compile)
        backend = compile if isinstance(compile, str) else "inductor"
        self.forward = torch.compile(model, backend=backend) if compile else model

    def backward(self, run: Run, group: list[Batch], size: int) -> float:
        """Add up the gradients of batches, each by its share of the examples; return their mean loss."""
        mean = 0.0
        for X, y in group:
            with self.precise:
                loss = self._loss(X, y)
            value = loss.item()
            if not math.isfinite(value):
                raise _not_finite(value, run, X, y)
            if not loss.requires_grad:
                hint = "detach(), item() and no_grad cut the way back"
                raise bad_value("fit", "loss", "a loss that depends on the model", "one that does not", hint)
            share = len(y) / size
            self.scaler.scale(loss if share == 1 else loss * share).backward()
            mean += value * share
            run.batch += 1
        return mean

    def _loss(self, X: Tensor, y: Tensor) -> Tensor:
        """Return the loss of a batch, with a look at the first one."""
        if self.look is None:
            return self.loss_of(self.forward(X), y)
        outputs = self.look.outputs(self.forward, X)
        loss = self.loss_of(outputs, y)
        self.look.after_loss(outputs, y)
        self.look = None
        return loss


def loss_function(loss: str | LossFunction) -> LossFunction:
    """Return a loss by its name, or a function that is asked for a single number."""
    if isinstance(loss, str):
        if loss not in NAMED:
            expected = "'mse', 'bce', 'cross_entropy' or a function"
            raise bad_value("fit", "loss", expected, repr(loss), "a function takes outputs and targets")
        return NAMED[loss]
    if isinstance(loss, type):
        prefix = "nn." if issubclass(loss, Module) else ""
        hint = f"{prefix}{loss.__name__}() makes one of it"
        expected = "a name or a function of outputs and targets"
        raise TypeError(str(bad_value("fit", "loss", expected, f"the class {loss.__name__}", hint)))
    if not callable(loss):
        raise bad_type("fit", "loss", "a name or a function of outputs and targets", loss)
    return lambda outputs, targets: _require_scalar(loss(outputs, targets))


def _require_scalar(loss: Tensor) -> Tensor:
    if not isinstance(loss, Tensor):
        raise bad_type("fit", "loss", "a function that returns a tensor", loss)
    if loss.ndim:
        raise bad_value("fit", "loss", "a single number for the batch", tuple(loss.shape), "take the mean")
    return loss


def _not_finite(value: float, run: Run, X: Tensor, y: Tensor) -> NotFinite:
    """Say where the loss left the numbers, and what to look at next."""
    rate = run.optimizer.param_groups[0]["lr"]
    if not finite(X):
        advice = "X of this batch holds nan or inf: clean the data"
    elif not finite(y):
        advice = "y of this batch holds nan or inf: clean the data"
    elif run.step == 0:
        advice = "nothing was learned yet: look for numbers too large to be squared, or a logarithm of 0"
    else:
        advice = f"try a learning rate below {rate} (a tenth), standardise the inputs, or clip with ClipGradients"
    where = f"batch {run.batch} of epoch {run.epoch}, step {run.step}, all counted from 0"
    return NotFinite(f"fit: the loss became {value} ({where}); {advice}", run.history)
