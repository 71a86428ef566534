"""The checks that functions, layers and models share, each refusing in the house form."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from numbers import Integral, Real

import torch
from torch import Tensor
from torch.nn import Module

from companion.errors import bad_dtype, bad_type, bad_value


def require_tensor(where: str, argument: str, value: Tensor) -> None:
    """Refuse what is no tensor."""
    if not isinstance(value, Tensor):
        raise bad_type(where, argument, "a tensor", value, f"torch.as_tensor({argument}) makes one")


def require_float(where: str, argument: str, value: Tensor) -> None:
    """Refuse what is no tensor of floating-point numbers."""
    require_tensor(where, argument, value)
    if not value.is_floating_point():
        raise bad_value(where, argument, "a float tensor", value.dtype, f"{argument}.float() converts it")


_CONVERTED_BY = {torch.float32: "float", torch.float64: "double", torch.float16: "half", torch.bfloat16: "bfloat16"}


def require_float_like(
    where: str, argument: str, value: object, dtypes: Collection[torch.dtype], like: str, owner: str = ""
) -> None:
    """Refuse a float tensor of another float type than those given, the first of which is named; others pass.

    ``owner`` is what may be converted instead of the argument.
    """
    if not isinstance(value, Tensor) or value.dtype in dtypes or not {value.dtype, *dtypes} <= _CONVERTED_BY.keys():
        return
    wanted = next(iter(dtypes), value.dtype)
    if wanted != value.dtype:
        hint = f"{argument}.{_CONVERTED_BY[wanted]}()"
        hint += f", or {owner}.{_CONVERTED_BY[value.dtype]}()" if owner else ""
        raise bad_dtype(where, argument, wanted, like, value.dtype, hint)


def under_autocast(value: Tensor) -> bool:
    """Say whether PyTorch chooses the float type of products on the tensor's device."""
    kind = value.device.type
    return torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)


def require_module(where: str, argument: str, value: Module) -> None:
    """Refuse what is no module."""
    if not isinstance(value, Module):
        raise bad_type(where, argument, "a module", value)


def require_number(
    where: str, argument: str, value: float, *, positive: bool = False, least: float | None = None
) -> None:
    """Refuse what is no finite number, is not above 0 where it has to be, or is below the least that makes sense."""
    expected = "a finite number above 0" if positive else "a finite number"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise bad_type(where, argument, expected, value)
    if not math.isfinite(value) or (positive and value <= 0):
        raise bad_value(where, argument, expected, value)
    if least is not None and value < least:
        raise bad_value(where, argument, f"{least} or more", value)


def require_share(where: str, argument: str, value: float) -> None:
    """Refuse what is no number from 0 to 1."""
    expected = "a number from 0 to 1"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise bad_type(where, argument, expected, value)
    if not 0 <= value <= 1:
        raise bad_value(where, argument, expected, value)


def require_whole(where: str, argument: str, value: int, least: int) -> None:
    """Refuse what is no whole number, or is below the least that makes sense."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise bad_type(where, argument, "a whole number", value)
    if value < least:
        raise bad_value(where, argument, f"{least} or more", value)


def require_axis(where: str, z: Tensor, dim: int) -> None:
    """Refuse an axis that the tensor does not have."""
    if isinstance(dim, bool) or not isinstance(dim, Integral):
        raise bad_type(where, "dim", "the number of one axis", dim, "-1 is the last axis")
    if z.ndim == 0:
        raise bad_value(where, "z", "at least one axis", "a single number", "there is nothing to share with")
    if not -z.ndim <= dim < z.ndim:
        expected = f"an axis from {-z.ndim} to {z.ndim - 1}"
        raise bad_value(where, "dim", expected, dim, "the last axis (-1) usually holds the classes")


def whole_numbers(where: str, argument: str, value: int | Sequence[int], axes: int, least: int) -> tuple[int, ...]:
    """Return one whole number for each axis from a single one or from a sequence; refuse what is neither."""
    numbers = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,) * axes
    if len(numbers) != axes:
        raise bad_value(where, argument, f"a whole number or {axes} of them", numbers)
    for number in numbers:
        require_whole(where, argument, number, least)
    return tuple(int(number) for number in numbers)


def require_choice(where: str, argument: str, value: str, choices: Collection[str]) -> None:
    """Refuse what is none of a few words."""
    expected = " or ".join(repr(choice) for choice in choices)
    if not isinstance(value, str):
        raise bad_type(where, argument, expected, value)
    if value not in choices:
        raise bad_value(where, argument, expected, repr(value))


def require_device(where: str, argument: str, value: Tensor, beside: Tensor) -> None:
    """Refuse a tensor that lives elsewhere than the one it is used with."""
    if value.device != beside.device:
        hint = f"{argument}.to('{beside.device}') moves it"
        raise bad_value(where, argument, f"a tensor on {beside.device}", f"one on {value.device}", hint)


def in_one_type(where: str, **tensors: Tensor) -> tuple[Tensor, ...]:
    """Return tensors in the type that a product of them has: under autocast that may be a shorter one."""
    (name, first), *others = tensors.items()
    dtype = None
    for other, value in others:
        try:
            dtype = (first.new_empty(1, 0) @ value.new_empty(0, 1)).dtype if value.device == first.device else None
        except RuntimeError:
            dtype = None
        if dtype is None:
            expected, got = f"{first.dtype} on {first.device}, like {name}", f"{value.dtype} on {value.device}"
            raise bad_value(where, other, expected, got, f"{other}.to({name}) converts it")
    return tuple(value.to(dtype) for value in tensors.values())


def require_shape(where: str, argument: str, value: Tensor, shape: Sequence[int], hint: str = "") -> None:
    """Refuse a tensor of another shape than the one that fits."""
    require_tensor(where, argument, value)
    if tuple(value.shape) != tuple(shape):
        raise bad_value(where, argument, f"shape {tuple(shape)}", tuple(value.shape), hint)


def require_pair(where: str, argument: str, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Return the two tensors of an LSTM's state; refuse what is no pair."""
    if not isinstance(state, tuple | list):
        raise bad_type(where, argument, "a pair (h, c)", state)
    if len(state) != 2:
        raise bad_value(where, argument, "a pair (h, c)", f"{len(state)} of them")
    return state[0], state[1]


def value_range(value: Tensor) -> tuple[float, float] | None:
    """Return the least and the largest entry, or None where there is none to be seen.

    Nothing is seen of an empty tensor, while the compiler or a recorder of GPU work looks on, under ``vmap``,
    and of tensors that only pretend to hold values (fake and meta). On a GPU it waits for the values, as
    ``loss.item()`` does; a class number out of range would otherwise end the whole process there.
    """
    if value.numel() == 0 or torch.compiler.is_compiling():
        return None
    if value.is_cuda and torch.cuda.is_available() and torch.cuda.is_current_stream_capturing():
        return None
    try:
        low, high = value.detach().aminmax()
        return low.item(), high.item()
    except RuntimeError:  # under vmap, fake or meta: PyTorch itself says that there is no value
        return None
