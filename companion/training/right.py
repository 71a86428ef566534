"""The share of examples that a classifier gets right, and what it cannot be taken of."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from companion.errors import bad_value

SEVERAL = (
    "accuracy is the share of examples whose one class is right, and these rows hold several labels; measure "
    "each label: metrics={'labels': lambda y, z: ((z >= 0) == y).double().mean()}"
)


def share_right(outputs: Tensor, targets: Tensor) -> float:
    """Return the share of logits that lead to the right class."""
    n = len(targets)
    if len(outputs) != n or outputs.ndim not in (1, 2):
        expected = f"outputs of shape ({n},), ({n}, 1) or ({n}, C)"
        raise bad_value("accuracy", "model", expected, tuple(outputs.shape))
    require_one_each(targets, n)
    _require_no_nan(outputs)
    classes = outputs.shape[1] if outputs.ndim == 2 else 1
    _require_classes(targets, classes)
    if classes > 1:
        said = outputs.argmax(dim=1)  # (N, C) -> (N,)
    else:
        said = (outputs >= 0).reshape(n)  # (N, 1) or (N,) -> (N,)
    return (said == targets.reshape(n)).double().mean().item()


def require_one_each(targets: Tensor, n: int) -> None:
    """Refuse targets that are not one number for each of n examples."""
    if targets.numel() == n and len(targets) == n:
        return
    hint = ""
    if targets.ndim == 2 and len(targets) == n and targets.numel():
        one_each = bool(((targets.double().sum(dim=1) - 1).abs() < 1e-3).all())
        hint = "y.argmax(dim=1) turns rows of 0 and 1 into class numbers" if one_each else SEVERAL
    raise bad_value("accuracy", "y", f"{n} class numbers", f"shape {tuple(targets.shape)}", hint)


def _require_no_nan(outputs: Tensor) -> None:
    """Refuse outputs that are not numbers: the largest of a row with nan would be the nan."""
    lost = torch.isnan(outputs).reshape(len(outputs), -1).any(dim=1)  # (N, C) -> (N,)
    if count := int(lost.sum()):
        hint = "look at the model's weights and at X for nan"
        got = f"nan for {count} of {len(outputs)} examples"
        raise bad_value("accuracy", "model", "finite outputs", got, hint)


def _require_classes(targets: Tensor, classes: int) -> None:
    """Refuse labels that no class has: they would count as wrong, or never be met."""
    values = targets.detach().reshape(-1).double()
    highest = max(classes, 2) - 1
    if ((values >= 0) & (values <= highest) & (values == values.floor())).all():
        return
    expected = "class numbers 0 and 1" if highest == 1 else f"class numbers, whole, from 0 to {highest}"
    low, high = values.min().item(), values.max().item()
    if math.isnan(low):
        raise bad_value("accuracy", "y", expected, f"nan for {int(values.isnan().sum())} of {len(values)}")
    got = f"values from {low:.6g} to {high:.6g}"
    if bool((values != values.floor()).any()):
        hint = "for targets that are no classes there are 'mse' and companion.metrics.r2_score"
    elif highest == 1 and set(values.unique().tolist()) == {-1.0, 1.0}:
        hint = "(y + 1) / 2 makes 0 and 1 of -1 and 1"
    elif low == 1 and high == highest + 1:
        hint = "y - 1 makes them start at 0"
    else:
        outputs = "one output tells two classes apart" if classes == 1 else f"the model has {classes} outputs"
        hint = f"{outputs}; a model needs one output for each class"
    raise bad_value("accuracy", "y", expected, got, hint)
