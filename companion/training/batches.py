"""Where batches come from: tensors in memory, or anything that yields pairs and can start anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from companion.data import Batches
from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_float_like, require_tensor

Batch = tuple[Tensor, Tensor]
SHORT = {torch.float32, torch.bfloat16, torch.float16}


class Placed:
    """Batches of an iterable, each looked at and moved to a device."""

    def __init__(self, where: str, name: str, source: Iterable[Any], device: torch.device | None) -> None:
        if isinstance(source, Iterator) or not isinstance(source, Iterable):
            hint = "an iterator is used up after one epoch; a list or a DataLoader starts anew"
            raise bad_type(where, name, "a tensor, or batches that can be gone through again", source, hint)
        self.where, self.name, self.source, self.device = where, name, source, device

    def __len__(self) -> int:
        return len(self.source)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Batch]:
        i = -1
        for i, batch in enumerate(self.source):
            X, y = _pair(self.where, f"batch {i} of {self.name}", batch)
            yield moved(X, self.device), moved(y, self.device)
        if i < 0:
            raise bad_value(self.where, self.name, "one batch or more", "none")


def training_batches(
    X: Any, y: Tensor | None, size: int, generator: torch.Generator | None, device: torch.device
) -> Batches | Placed:
    """Return what one goes through in each epoch of a training."""
    if y is None and not isinstance(X, Tensor):
        return Placed("fit", "X", X, device)
    y = require_examples("fit", "X", X, "y", y)
    return Batches(X.to(device), y.to(device), batch_size=size, generator=generator)


def batches_in_order(
    where: str, names: tuple[str, str], X: Any, y: Tensor | None, size: int, device: torch.device | None
) -> Placed:
    """Return what one goes through to measure: rows in their order, or the iterable's batches."""
    if y is None and not isinstance(X, Tensor):
        return Placed(where, names[0], X, device)
    y = require_examples(where, names[0], X, names[1], y)
    return Placed(where, names[0], list(zip(X.split(size), y.split(size))), device)


def require_examples(where: str, x_name: str, X: Tensor, y_name: str, y: Tensor | None) -> Tensor:
    """Refuse examples and targets that cannot belong together; return the targets."""
    require_tensor(where, x_name, X)
    if X.ndim == 0 or not len(X):
        raise bad_value(where, x_name, "one example or more", tuple(X.shape))
    if not isinstance(y, Tensor):
        raise bad_type(where, y_name, "a tensor", y, f"torch.as_tensor({y_name}) makes one")
    if y.ndim == 0 or len(y) != len(X):
        raise bad_value(where, y_name, f"{len(X)} targets, one for each example", tuple(y.shape))
    return y


def require_type(argument: str, X: object, model: Module, precision: str | None) -> None:
    """Refuse floats of another type than the parameters that they meet first; integers, for embeddings, pass."""
    dtypes = list(dict.fromkeys(p.dtype for p in model.parameters() if p.is_floating_point()))
    if precision is not None and set(dtypes) & SHORT:
        dtypes += list(SHORT)  # autocast brings these together itself
    require_float_like("fit", argument, X, dtypes, "the model's parameters")


def in_groups(batches: Iterable[Any], count: int) -> Iterator[list[Batch]]:
    """Hand out several batches at a time; the last time it may be fewer."""
    iterator = iter(batches)
    while group := list(islice(iterator, count)):
        yield group


def device_of(model: object) -> torch.device | None:
    """Return where a module's parameters are; None where it has none."""
    parameters = model.parameters() if isinstance(model, Module) else iter(())
    first = next(parameters, None)
    return None if first is None else first.device


def moved(value: Any, device: torch.device | None) -> Any:
    """Return a tensor, or what else can be moved, on a device."""
    return value if device is None or not hasattr(value, "to") else value.to(device)


def _pair(where: str, name: str, batch: Any) -> Batch:
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        got = f"{len(batch)} things" if isinstance(batch, (tuple, list)) else type(batch).__name__
        raise bad_value(where, name, "a pair of examples and targets", got)
    X, y = batch
    if not isinstance(y, Tensor):
        raise bad_type(where, name, "targets as a tensor", y, "torch.as_tensor makes one")
    if y.ndim == 0 or not len(y):
        raise bad_value(where, name, "one target or more", tuple(y.shape))
    if isinstance(X, Tensor) and (X.ndim == 0 or len(X) != len(y)):
        raise bad_value(where, name, f"{len(y)} examples, as many as targets", tuple(X.shape))
    return X, y
