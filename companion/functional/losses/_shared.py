"""What every loss does before and after its formula: check, widen, reduce."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_choice, require_device, require_float, under_autocast, value_range

REDUCTIONS = ("none", "mean", "sum")
SLACK = 1e-3  # how far rounding, in 16 bits too, may carry a probability above 1 or a sum of them from 1


def require_pair(
    where: str,
    input: Tensor,
    target: Tensor,
    reduction: str,
    choices: tuple = REDUCTIONS,
    names: tuple[str, str] = ("input", "target"),
) -> None:
    """Refuse answers and targets that are not floats of one shape on one device, and unknown reductions."""
    require_choice(where, "reduction", reduction, choices)
    answers, targets = names
    require_float(where, answers, input)
    require_float(where, targets, target)
    require_device(where, targets, target, input)
    if input.shape != target.shape:
        hint = "broadcasting would compare every answer with every target"
        if input.shape == (*target.shape, 1):
            hint += f"; {targets}.unsqueeze(-1) makes the shapes meet"
        elif target.shape == (*input.shape, 1):
            hint += f"; {targets}.squeeze(-1) makes the shapes meet"
        raise bad_value(where, targets, f"the shape of {answers}, {tuple(input.shape)}", tuple(target.shape), hint)


def require_weight(where: str, argument: str, weight: Tensor | None, input: Tensor) -> None:
    """Refuse weights that do not spread over the shape of the answers, or would enlarge it."""
    if weight is None:
        return
    require_float(where, argument, weight)
    require_device(where, argument, weight, input)
    missing = input.ndim - weight.ndim
    if missing < 0 or any(a not in (1, b) for a, b in zip(weight.shape, input.shape[missing:])):
        expected = f"a shape that spreads over {tuple(input.shape)}"
        raise bad_value(where, argument, expected, tuple(weight.shape), "axes are matched from the last one")


def require_within(
    where: str, argument: str, value: Tensor, low: float, high: float, expected: str, hint: str, *, nan: bool = False
) -> None:
    """Refuse values outside a range.

    Values that cannot be seen (see value_range) pass; ``nan`` says whether nan passes too, to show in the
    loss.
    """
    span = value_range(value)
    if span is None or (nan and math.isnan(span[0])):
        return
    if not low <= span[0] <= span[1] <= high:
        if math.isnan(span[0]):
            raise bad_value(where, argument, expected, "nan", f"torch.isnan({argument}) finds where")
        raise bad_value(where, argument, expected, f"values from {span[0]:.6g} to {span[1]:.6g}", hint)


def widened(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Turn 16-bit floats into 32-bit ones: in 3 digits the small losses of a good model would be noise."""
    return tuple(t.float() if t.itemsize == 2 and t.is_floating_point() else t for t in tensors)


def reduced(losses: Tensor, reduction: str, *sources: Tensor) -> Tensor:
    """Take the mean, the sum or nothing, and give it the float type that PyTorch gives.

    Args:
        losses: One number for each answer.
        reduction: One of REDUCTIONS.
        sources: The tensors whose common type the result has; under autocast it is 32 bits at least.
    """
    if reduction == "mean":
        losses = losses.mean()
    elif reduction == "sum":
        losses = losses.sum()
    return losses.to(_type_of_loss(*sources))


def _type_of_loss(*sources: Tensor) -> torch.dtype:
    dtype = sources[0].dtype
    for source in sources[1:]:
        dtype = torch.promote_types(dtype, source.dtype)
    if dtype.itemsize == 2 and under_autocast(sources[0]):
        return torch.float32
    return dtype
