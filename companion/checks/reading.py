"""Hand fresh arguments to a learner's code; copy what it gave back into named tensors, and say what kind of thing each was."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

LISTS = ("list", "tuple")


class WrongSignature(Exception):
    """The function does not accept the arguments it is called with."""


def fits(function: Callable[..., Any], given: Sequence[Any]) -> None:
    """Raise :class:`WrongSignature` if a function cannot be called with these arguments."""
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return  # some built-in functions have no readable signature
    try:
        signature.bind(*given)
    except TypeError:
        raise WrongSignature(", ".join(signature.parameters)) from None


def read(value: Any, returns: Sequence[str], tensors: dict[str, Tensor], facts: dict[str, str]) -> None:
    """Copy one result, or several under their names; note in ``facts["structure"]`` when they are not as many."""
    if len(returns) == 1:
        _read_one(returns[0], value, tensors, facts)
    elif type(value) is dict and set(value) == set(returns):
        for name in returns:
            _read_one(name, value[name], tensors, facts)
    elif issubclass(type(value), tuple | list) and len(value) == len(returns):
        for name, item in zip(returns, value):
            _read_one(name, item, tensors, facts)
    elif issubclass(type(value), tuple | list):
        facts["structure"] = f"{type(value).__name__} of {len(value)}"
    else:
        facts["structure"] = "nothing (None)" if value is None else f"one {kind_of(value)}"


def _read_one(name: str, value: Any, tensors: dict[str, Tensor], facts: dict[str, str]) -> None:
    facts[f"{name}.type"] = kind = kind_of(value)
    if kind == "tensor":
        facts[f"{name}.device"] = value.device.type
        plain = (
            value.detach().as_subclass(Tensor).cpu().clone()
            if value.device.type != "meta"
            else torch.zeros(value.shape, dtype=value.dtype)
        )
        facts[f"{name}.dtype"] = str(plain.dtype).removeprefix("torch.")
        tensors[name] = plain
    elif kind in ("bool", "int", "float", *LISTS, "numpy array", "numpy number"):
        if kind in LISTS and (holds := _holds(value)):
            facts[f"{name}.holds"] = holds
        with contextlib.suppress(ValueError, TypeError, RuntimeError, OverflowError):
            plain_list = [v.item() if issubclass(type(v), Tensor) else v for v in value] if kind in LISTS else value
            tensors[name] = torch.as_tensor(np.array(plain_list)).clone()


def _holds(values: Any) -> str:
    """Return what a list holds: ``"tensors"``, ``"numbers"`` (also in lists of it), or nothing for anything else."""
    kinds = {_holds(v) if issubclass(type(v), tuple | list) else kind_of(v) for v in values}
    if kinds == {"tensor"}:
        return "tensors"
    return "numbers" if kinds and kinds <= {"int", "float", "bool", "numpy number", "numbers"} else ""


def kind_of(value: Any) -> str:
    """Return what to call a value's type, whatever the value claims to be."""
    kind = type(value)
    if value is None:
        return "None"
    if issubclass(kind, Tensor):
        return "tensor"
    if issubclass(kind, np.ndarray):
        return "numpy array"
    if issubclass(kind, np.generic):
        return "numpy number"
    if issubclass(kind, torch.nn.Module):
        return "network"
    return kind.__name__


def fresh(value: Any) -> Any:
    """Return a copy that nobody else holds."""
    if isinstance(value, Tensor):
        return value.detach().clone() if value.is_contiguous() else _same_layout(value.detach())
    if isinstance(value, list):
        return [fresh(v) for v in value]
    if type(value) is dict:
        return {k: fresh(v) for k, v in value.items()}
    return value


def left_slopes(given: Any) -> bool:
    """Return whether a tensor among arguments, or in a list or dict of them, holds a slope of its own.

    >>> w = torch.ones(2, requires_grad=True)
    >>> left_slopes([1.0, [w]]), (w * w).sum().backward(), left_slopes([1.0, [w]])
    (False, None, True)
    """
    if isinstance(given, Tensor):
        return given.is_leaf and given.grad is not None
    items = given.values() if type(given) is dict else given if type(given) in (list, tuple) else ()
    return any(left_slopes(item) for item in items)


def unchanged(now: Any, before: Any) -> bool:
    """Return whether an argument still holds what it held, down to the entries of its lists and dicts.

    A text such as ``"$layer"`` stands for something that is kept, and is not looked into.
    """
    if isinstance(before, str) and before.startswith("$"):
        return True
    if isinstance(before, Tensor):
        alike = isinstance(now, Tensor) and (now.shape, now.dtype) == (before.shape, before.dtype)
        return alike and bool(torch.isclose(now, before, rtol=0.0, atol=0.0, equal_nan=True).all())
    if type(before) in (list, tuple, dict):
        if type(now) is not type(before) or len(now) != len(before):
            return False
        if isinstance(before, dict):
            return all(k in now and unchanged(now[k], v) for k, v in before.items())
        return all(unchanged(n, b) for n, b in zip(now, before))
    return type(now) is type(before) and bool(now == before or now != now)


def hands_back(value: Any, given: Any) -> bool:
    """Return whether a tensor in a result lies in the memory of a tensor in an argument.

    >>> came = [torch.ones(2), torch.ones(3)]
    >>> hands_back(([came[0] * 1, came[1].view(3, 1)], 5.0), came), hands_back([came[0].clone()], came)
    (True, False)
    """
    places = {t.untyped_storage().data_ptr() for t in _tensors_in(given) if t.numel()}
    return any(t.untyped_storage().data_ptr() in places for t in _tensors_in(value) if t.numel())


def _tensors_in(value: Any) -> list[Tensor]:
    """Return the tensors in a value, also those in lists and tuples, and in lists in these."""
    if issubclass(type(value), Tensor):
        return [value] if value.device.type == "cpu" and value.layout == torch.strided else []
    if issubclass(type(value), list | tuple):
        return [t for v in value for t in _tensors_in(v)]
    return []


def _same_layout(value: Tensor) -> Tensor:
    """Return a copy with gaps in memory where the original has them."""
    room = torch.empty(*value.shape, 2, dtype=value.dtype)[..., 0]
    return room.copy_(value)
