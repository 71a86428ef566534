"""The learning-rate range test: a short training with a growing rate, to see where learning starts and breaks."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Iterator
from itertools import accumulate, islice
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import Module

from companion.errors import bad_type, bad_value
from companion.functional._arguments import (
    require_choice,
    require_float_like,
    require_module,
    require_number,
    require_tensor,
    require_whole,
    under_autocast,
)
from companion.functional.losses import NAMED
from companion.optim import SGD

_KEPT = 0.9  # how much of the running mean of losses is kept at each step
_SETTLED = 10  # losses after which that mean is judged: one or two small batches are no yardstick


class RangeTest(NamedTuple):
    """What a range test saw.

    Attributes:
        rates: The learning rates that were tried, rising.
        losses: The loss of the batch before the step with each of them.
    """

    rates: list[float]
    losses: list[float]

    @property
    def smoothed(self) -> list[float]:
        """The running means of the losses by which the test is judged, one for each rate.

        Each keeps 0.9 of the one before and is corrected for its start at 0, as Adam's means are.
        """
        means = accumulate([0.0, *self.losses], _renewed)
        return [_corrected(mean, count) for count, mean in enumerate(islice(means, 1, None), start=1)]


def lr_range_test(
    model: Module,
    X: Tensor,
    y: Tensor,
    *,
    loss: str | Callable[[Tensor, Tensor], Tensor],
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    optimizer: Callable[..., torch.optim.Optimizer] = SGD,
    stop: float = 4.0,
    generator: torch.Generator | None = None,
) -> RangeTest:
    r"""Train a copy of the model while the learning rate grows, and record the loss at each rate.

    .. math:: \eta_i = \text{low} \left( \frac{\text{high}}{\text{low}} \right)^{i / (\text{steps} - 1)}

    Single batches jump, so not the loss itself tells where the test ends but its running mean (``smoothed`` of
    what is returned), from the tenth on. What does not fill a batch is left out until the next shuffling.

    A good rate lies where the loss falls fastest, about a tenth of the rate at which it turns up. The model
    itself is left as it was: weights, running averages, gradients and mode.

    Args:
        model: What would be trained, on the device of X.
        X: The examples; the first axis counts them.
        y: The targets, one for each example.
        loss: ``"mse"``, ``"bce"`` (outputs are logits), ``"cross_entropy"``, or a function of outputs and
            targets that returns a tensor with a single number.
        low: The first rate, above 0.
        high: The last rate, above ``low``.
        steps: The number of rates, 2 or more.
        batch_size: Examples for each step, 1 or more; all of them where there are fewer.
        optimizer: What makes an optimizer from parameters and ``lr=``, such as the class ``optim.Adam``.
        stop: The test ends early when the running mean of the losses is this many times its least, above 1; inf
            for never. Batches of one example are so noisy that it wants to be 10 or more. A loss that is nan or
            infinite always ends it.
        generator: A CPU generator for the shuffling; None takes PyTorch's global one.

    Returns:
        Rates and losses, at most ``steps`` of them, and the running means as ``smoothed``.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If a number is out of range, there are not as many targets as examples, the examples or
            targets hold nan, no parameter can learn, or the loss is no single number or not finite before the
            first step.

    Warns:
        UserWarning: If a loss is below 0, as ``stop`` times that has no meaning and only nan and inf end the
            test from there on; and if every loss was 0, so that no rate can be told from another.

    Source:
        Smith (2017), Cyclical learning rates for training neural networks.

    >>> X = torch.linspace(-1, 1, 64).unsqueeze(1)
    >>> seen = lr_range_test(torch.nn.Linear(1, 1), X, 3 * X, loss="mse", low=1e-3, high=100.0)
    >>> 0.1 < seen.rates[seen.losses.index(min(seen.losses))] < 10
    True
    """
    loss_of = _loss_of(loss)
    _require_numbers(low, high, steps, batch_size, stop)
    _require_data(model, X, y)
    trial = copy.deepcopy(model).train()
    trial.zero_grad()
    stepper = _made(optimizer, trial, low)
    batches, wall = _batches(len(X), min(batch_size, len(X)), generator), _Wall(stop)
    seen = RangeTest([], [])
    for i in range(steps):
        rows = next(batches).to(X.device)
        rate = low * (high / low) ** (i / (steps - 1))
        for group in stepper.param_groups:
            group["lr"] = rate
        stepper.zero_grad()
        value = _single(loss_of(trial(X[rows]), y[rows]))
        value.backward()
        seen.rates.append(rate)
        seen.losses.append(value.item())
        if not math.isfinite(seen.losses[-1]):
            _require_explosion(seen.losses, X[rows], y[rows])
            break
        if wall.reached(seen.losses[-1]):
            break
        stepper.step()
    if not any(seen.losses):
        sentence = bad_value("lr_range_test", "loss", "above 0 at one rate or more", "0 throughout")
        warnings.warn(f"{sentence}; no rate can be told from another", stacklevel=2)
    return seen


class _Wall:
    """Watch the running mean of the losses for the place where it has grown to many times its least."""

    def __init__(self, stop: float) -> None:
        self.stop, self.mean, self.count, self.least = stop, 0.0, 0, math.inf

    def reached(self, loss: float) -> bool:
        """Take in a loss and say whether the mean is beyond the bound."""
        if loss < 0 and self.stop != math.inf:
            sentence = bad_value("lr_range_test", "loss", "0 or more for a finite stop", loss)
            warnings.warn(f"{sentence}; from here on only nan or inf ends the test", stacklevel=3)
            self.stop = math.inf
        self.mean, self.count = _renewed(self.mean, loss), self.count + 1
        level = _corrected(self.mean, self.count)
        if self.count < _SETTLED or level <= 0:
            return False
        self.least = min(self.least, level)
        return level > self.stop * self.least


def _renewed(mean: float, loss: float) -> float:
    return _KEPT * mean + (1 - _KEPT) * loss


def _corrected(mean: float, count: int) -> float:
    """Mend that the running mean of so many losses began at 0."""
    return mean / (1 - _KEPT**count)


def _batches(count: int, size: int, generator: torch.Generator | None) -> Iterator[Tensor]:
    """Shuffle, cut into whole batches, and start over; the rows that are left wait for the next shuffling."""
    while True:
        yield from torch.randperm(count, generator=generator)[: count - count % size].split(size)


def _made(make: Callable[..., torch.optim.Optimizer], trial: Module, low: float) -> torch.optim.Optimizer:
    """Return the optimizer, or refuse what makes none."""
    hint = "optim.Adam, the class without a call, is such a one"
    if not callable(make):
        raise bad_type("lr_range_test", "optimizer", "what makes one from parameters and lr=", make, hint)
    stepper = make(trial.parameters(), lr=low)
    if not isinstance(stepper, torch.optim.Optimizer):
        raise bad_type("lr_range_test", "optimizer", "what returns an optimizer", stepper, hint)
    return stepper


def _single(value: Tensor) -> Tensor:
    """Return a loss that can be followed back, or refuse it."""
    if not isinstance(value, Tensor):
        raise bad_type("lr_range_test", "loss", "a function that returns a tensor", value, "leave .item() out")
    if value.numel() != 1:
        raise bad_value("lr_range_test", "loss", "a single number", f"shape {tuple(value.shape)}", ".mean() makes one")
    if not value.requires_grad:
        raise bad_value("lr_range_test", "loss", "one that hangs on the parameters", "one cut off from them")
    return value


def _require_explosion(losses: list[float], X: Tensor, y: Tensor) -> None:
    """Refuse a loss that is not finite for another reason than the rate."""
    for argument, rows in (("X", X), ("y", y)):
        if not rows.isfinite().all():
            hint = f"{argument}.isfinite() shows where"
            raise bad_value("lr_range_test", argument, "finite numbers", "nan or inf in a row", hint)
    if len(losses) == 1:
        hint = "look at the weights and at the loss itself"
        raise bad_value("lr_range_test", "loss", "a finite number before the first step", losses[0], hint)


def _loss_of(loss: str | Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    if callable(loss):
        return loss
    if not isinstance(loss, str):
        raise bad_type("lr_range_test", "loss", "a name or a function of outputs and targets", loss)
    require_choice("lr_range_test", "loss", loss, NAMED)
    return NAMED[loss]


def _require_numbers(low: float, high: float, steps: int, batch_size: int, stop: float) -> None:
    require_number("lr_range_test", "low", low, positive=True)
    require_number("lr_range_test", "high", high, positive=True)
    if high <= low:
        raise bad_value("lr_range_test", "high", f"a rate above low, {low}", high)
    require_whole("lr_range_test", "steps", steps, least=2)
    require_whole("lr_range_test", "batch_size", batch_size, least=1)
    if stop != math.inf:
        require_number("lr_range_test", "stop", stop)
        if stop <= 1:
            raise bad_value("lr_range_test", "stop", "above 1, or inf for never", stop)


def _require_data(model: Module, X: Tensor, y: Tensor) -> None:
    require_module("lr_range_test", "model", model)
    require_tensor("lr_range_test", "X", X)
    require_tensor("lr_range_test", "y", y)
    if X.ndim == 0 or not len(X):
        raise bad_value("lr_range_test", "X", "one example or more", tuple(X.shape))
    if y.ndim == 0 or len(y) != len(X):
        raise bad_value("lr_range_test", "y", f"{len(X)} targets, one for each example", tuple(y.shape))
    if not any(p.requires_grad for p in model.parameters()):
        hint = "model.requires_grad_() lets all learn"
        raise bad_value("lr_range_test", "model", "a parameter or more that can learn", "none", hint)
    if not under_autocast(X):
        dtypes = list(dict.fromkeys(p.dtype for p in model.parameters() if p.is_floating_point()))
        require_float_like("lr_range_test", "X", X, dtypes, "the model's parameters", "model")
