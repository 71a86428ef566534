"""Read and fill a learner's module by the names of its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from companion.checks.trace import factors


def shapes(model: Any) -> dict[str, Tensor]:
    """Return the shapes of a module's parameters, by their names.

    >>> shapes(torch.nn.Linear(3, 2))
    {'weight': tensor([2, 3]), 'bias': tensor([2])}
    """
    return {name: torch.tensor(p.shape) for name, p in _module(model).named_parameters()}


def drawn(model: Any) -> dict[str, Tensor]:
    """Return for each of a module's parameters whether any of its numbers is not 0.

    >>> drawn(torch.nn.LayerNorm(3))
    {'weight': tensor(True), 'bias': tensor(False)}
    """
    return {name: (p != 0).any() for name, p in _module(model).named_parameters()}


def fill(model: Any, values: Mapping[str, Tensor], may_lack: Sequence[str] = ()) -> None:
    """Put numbers into a module's parameters, by their names; of some it is no error if they are not there."""
    there = dict(_module(model).named_parameters())
    for name, numbers in values.items():
        if name in may_lack and name not in there:
            continue
        if name not in there:
            raise TypeError(f"the module has no parameter `{name}`; it has {', '.join(there) or 'none'}")
        if there[name].shape != numbers.shape:
            raise TypeError(
                f"the parameter `{name}` should have the shape {tuple(numbers.shape)}, and has {tuple(there[name].shape)}"
            )
        with torch.no_grad():
            there[name].copy_(numbers)


def slopes_by_parameters(model: Any, x: Tensor) -> dict[str, Tensor]:
    """Return the slopes of a fixed sum of a module's outputs by each of its parameters; 0 where none arrives."""
    named = dict(_module(model).named_parameters())
    out = model(x.clone())
    if not issubclass(type(out), Tensor) or not out.requires_grad:
        return {name: torch.zeros_like(p) for name, p in named.items()}
    learning = {name: p for name, p in named.items() if p.requires_grad}
    slopes = torch.autograd.grad(out, list(learning.values()), factors(out), allow_unused=True) if learning else ()
    found = dict(zip(learning, slopes))
    return {n: torch.zeros_like(p) if found.get(n) is None else found[n] for n, p in named.items()}


def _module(thing: Any) -> Any:
    """Return a learner's module, or say that it is none."""
    if not issubclass(type(thing), torch.nn.Module):
        raise TypeError("the class should be a torch.nn.Module, with super().__init__() in its first line")
    return thing
