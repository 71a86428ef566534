"""The learning-rate range test: a short training with a growing rate, to see where learning starts and breaks."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import Module

from companion.errors import bad_type, bad_value
from companion.functional._arguments import (
    require_choice,
    require_module,
    require_number,
    require_tensor,
    require_whole,
)
from companion.functional.losses import NAMED
from companion.optim import SGD


class RangeTest(NamedTuple):
    """What a range test saw.

    Attributes:
        rates: The learning rates that were tried, rising.
        losses: The loss of the batch before the step with each of them.
    """

    rates: list[float]
    losses: list[float]


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

    A good rate lies where the loss falls fastest, about a tenth of the rate at which it turns up. The model
    itself is left as it was: weights, running averages, gradients and mode.

    Args:
        model: What would be trained, on the device of X.
        X: The examples; the first axis counts them.
        y: The targets, one for each example.
        loss: ``"mse"``, ``"bce"`` (outputs are logits), ``"cross_entropy"``, or a function of outputs and
            targets that returns a single number.
        low: The first rate, above 0.
        high: The last rate, above ``low``.
        steps: The number of rates, 2 or more.
        batch_size: Examples for each step, 1 or more.
        optimizer: What makes an optimizer from parameters and ``lr=``.
        stop: The test ends early when the loss is nan, infinite, or this many times the least so far.
        generator: A CPU generator for the shuffling; None takes PyTorch's global one.

    Returns:
        Rates and losses, at most ``steps`` of them.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If a number is out of range, or there are not as many targets as examples.

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
    stepper = optimizer(trial.parameters(), lr=low)
    batches = _batches(len(X), batch_size, generator)
    seen = RangeTest([], [])
    for i in range(steps):
        rows = next(batches).to(X.device)
        rate = low * (high / low) ** (i / (steps - 1))
        for group in stepper.param_groups:
            group["lr"] = rate
        stepper.zero_grad()
        value = loss_of(trial(X[rows]), y[rows])
        value.backward()
        seen.rates.append(rate)
        seen.losses.append(value.item())
        if not seen.losses[-1] <= stop * min(seen.losses):
            break
        stepper.step()
    return seen


def _batches(count: int, size: int, generator: torch.Generator | None) -> Iterator[Tensor]:
    """Shuffle, cut into batches, and start over when all rows were seen."""
    while True:
        yield from torch.randperm(count, generator=generator).split(size)


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
