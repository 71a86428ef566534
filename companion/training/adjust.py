"""What changes the course of a training: schedules, clipping, layers that stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import Module

from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_choice, require_module, require_number
from companion.lr_scheduler import ReduceLROnPlateau
from companion.optim import clip_grad_norm_, clip_grad_value_
from companion.training.run import Callback, Run
from companion.training.stopping import Watch

_WATCHING = (ReduceLROnPlateau, torch.optim.lr_scheduler.ReduceLROnPlateau)


class Schedule(Callback):
    """Step a learning-rate schedule after every epoch or every batch.

    Args:
        make: Makes the schedule from the optimizer: ``lambda optimizer: StepLR(optimizer, 10)``.
        every: ``"epoch"`` or ``"batch"``. With gradient accumulation a batch here is an optimizer step.
        monitor: What a schedule that watches a value (:class:`~companion.lr_scheduler.ReduceLROnPlateau`) is
            given: a name in the history, None for the validation loss where there is one, else the loss.

    Attributes:
        scheduler: The schedule, once the training has begun.

    Raises:
        TypeError: If ``make`` makes no schedule.
        ValueError: If ``every`` is neither, or a schedule that watches is to be stepped after every batch.

    >>> from companion.lr_scheduler import ExponentialLR
    >>> halving = Schedule(lambda optimizer: ExponentialLR(optimizer, gamma=0.5))
    """

    def __init__(
        self, make: Callable[[torch.optim.Optimizer], Any], every: str = "epoch", *, monitor: str | None = None
    ) -> None:
        require_choice("Schedule", "every", every, ("epoch", "batch"))
        if isinstance(make, type) or not callable(make):
            hint = "lambda optimizer: StepLR(optimizer, 10) makes one"
            raise bad_type("Schedule", "make", "a function from the optimizer to a schedule", make, hint)
        self.make, self.every, self.scheduler = make, every, None
        self._watch = Watch("Schedule", monitor, "min", 0.0)

    def on_fit_start(self, run: Run) -> None:
        """Make the schedule: it sets the rate of step 0."""
        self.scheduler = self.make(run.optimizer)
        if not hasattr(self.scheduler, "step") or not hasattr(self.scheduler, "state_dict"):
            raise bad_type("Schedule", "make", "a function that returns a schedule", self.scheduler)
        if self.every == "batch" and isinstance(self.scheduler, _WATCHING):
            hint = "its value is measured once an epoch"
            raise bad_value("Schedule", "every", "'epoch' for a schedule that watches a value", "'batch'", hint)

    def on_step_end(self, run: Run) -> None:
        """Step it after a batch."""
        if self.every == "batch":
            self._stepping.step()

    def on_epoch_end(self, run: Run) -> None:
        """Step it after an epoch."""
        if self.every == "epoch":
            values: list[float] = [self._watch.latest(run)] if isinstance(self.scheduler, _WATCHING) else []
            self._stepping.step(*values)

    def state_dict(self) -> dict[str, Any]:
        """Return the schedule's state."""
        return self._stepping.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there; the rates themselves are in the optimizer's state."""
        self._stepping.load_state_dict(state_dict)

    @property
    def _stepping(self) -> Any:
        assert self.scheduler is not None
        return self.scheduler


class ClipGradients(Callback):
    """Bound the gradients before every step, all together by their length or each entry by its size.

    Args:
        norm: The longest they may be as one vector (:func:`companion.optim.clip_grad_norm_`), above 0.
        value: The largest an entry may be (:func:`companion.optim.clip_grad_value_`), above 0.

    Raises:
        TypeError: If a bound is no number.
        ValueError: If a bound is not above 0, or not exactly one is given.

    Source:
        Pascanu, Mikolov and Bengio (2013), On the difficulty of training recurrent neural networks.

    >>> clip = ClipGradients(norm=1.0)
    """

    def __init__(self, *, norm: float | None = None, value: float | None = None) -> None:
        if (norm is None) == (value is None):
            got = "neither" if norm is None else "both"
            raise bad_value("ClipGradients", "norm, value", "one of the two", got)
        for name, bound in (("norm", norm), ("value", value)):
            if bound is not None:
                require_number("ClipGradients", name, bound, positive=True)
        self.norm, self.value = norm, value

    def on_before_optimizer_step(self, run: Run) -> None:
        """Clip."""
        if self.norm is not None:
            clip_grad_norm_(run.model.parameters(), self.norm)
        elif self.value is not None:
            clip_grad_value_(run.model.parameters(), self.value)


class FreezeNorm(Callback):
    """Keep the layers that hold running statistics, such as batch normalisation, in eval mode.

    A backbone that was trained elsewhere brings means and variances of many images; a few new ones would
    overwrite them, also where its weights need no gradient.

    Args:
        part: The part of the model whose layers are meant; None for all of it.

    Raises:
        TypeError: If ``part`` is no module.
        ValueError: If no layer in it holds running statistics.

    >>> frozen = FreezeNorm()
    """

    def __init__(self, part: Module | None = None) -> None:
        if part is not None:
            require_module("FreezeNorm", "part", part)
        self.part = part

    def on_epoch_start(self, run: Run) -> None:
        """Put them into eval mode; ``fit`` has put everything into train mode."""
        modules = (run.model if self.part is None else self.part).modules()
        frozen = [module for module in modules if getattr(module, "running_mean", None) is not None]
        if not frozen:
            raise bad_value("FreezeNorm", "part", "a layer with running statistics or more", "none")
        for module in frozen:
            module.eval()
