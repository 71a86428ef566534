"""What every metric asks of its arguments, each refusal in the house form, and how class labels become row numbers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_device, require_tensor


def require_pair(where: str, first: str, a: Tensor, second: str, b: Tensor) -> None:
    """Refuse two answers that are not tensors of one number per sample, of equal length, without nan."""
    for name, value in ((first, a), (second, b)):
        require_numbers(where, name, value)
        if value.ndim != 1:
            hint = "squeeze(-1) drops an axis of size 1" if value.ndim == 2 and value.shape[1] == 1 else ""
            raise bad_value(where, name, "one number per sample, shape (N,)", f"shape {tuple(value.shape)}", hint)
    if a.shape != b.shape:
        raise bad_value(where, second, f"{len(a)} samples, as many as {first}", f"{len(b)} samples")
    require_device(where, second, b, a)
    if len(a) == 0:
        raise bad_value(where, first, "at least one sample", "an empty tensor", "a metric of nothing has no value")


def require_numbers(where: str, name: str, value: Tensor) -> None:
    """Refuse what is no tensor of numbers, or holds nan or infinity."""
    require_tensor(where, name, value)
    if value.is_complex():
        raise bad_value(where, name, "real numbers", value.dtype)
    if value.is_floating_point() and not bool(torch.isfinite(value).all()):
        raise bad_value(
            where, name, "finite numbers", "nan or infinity", "look for the model's first nan, do not drop rows"
        )


def whole_labels(where: str, name: str, value: Tensor) -> Tensor:
    """Return labels as whole numbers; refuse those that are not, such as scores where classes are wanted."""
    if value.is_floating_point():
        if not bool((value == value.round()).all()):
            hint = "scores become classes by a threshold or argmax, probabilities belong to log_loss or roc_auc_score"
            raise bad_value(where, name, "class labels, whole numbers", "fractions", hint)
        value = value.long()
    return value.long()


def count_pairs(
    where: str, y_true: Tensor, y_pred: Tensor, labels: Tensor | Sequence[int] | None
) -> tuple[Tensor, Tensor]:
    """Return the labels that occur and how often each pair of true (row) and predicted (column) label does.

    One pass of ``bincount`` over the pairs, numbered ``row * K + column``: several times as quick as filling a
    table pair by pair. Small labels are their own row numbers; others are looked up in the sorted ones.

    Args:
        where: the metric that is asking.
        y_true: labels of shape (N,).
        y_pred: labels of shape (N,).
        labels: which labels to put first, in this order; None for all that occur, sorted.

    Returns:
        ``(classes, counts)`` of shapes (K,) and (K, K); the first ``len(labels)`` are the ones asked for.
    """
    require_pair(where, "y_true", y_true, "y_pred", y_pred)
    true, pred = whole_labels(where, "y_true", y_true), whole_labels(where, "y_pred", y_pred)
    (low_true, high_true), (low_pred, high_pred) = true.aminmax(), pred.aminmax()
    low = int(torch.minimum(low_true, low_pred))
    span = int(torch.maximum(high_true, high_pred)) - low + 1
    if span > 1000:
        classes = torch.cat([true.unique(), pred.unique()]).unique()
        true, pred = torch.searchsorted(classes, true.contiguous()), torch.searchsorted(classes, pred.contiguous())
    else:
        classes = torch.arange(low, low + span, device=true.device)
        true, pred = (true - low, pred - low) if low else (true, pred)
    size = len(classes)
    counts = torch.bincount(torch.add(pred, true, alpha=size), minlength=size**2).reshape(size, size)  # (N,) -> (K, K)
    occurs = (counts.sum(0) + counts.sum(1)) > 0
    classes, counts = classes[occurs], counts[occurs][:, occurs]
    return (classes, counts) if labels is None else _asked_first(where, torch.as_tensor(labels), classes, counts)


def _asked_first(where: str, labels: Tensor, classes: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Put the labels that were asked for first, with empty rows and columns for those that do not occur."""
    if labels.ndim != 1 or len(labels) == 0 or len(labels.unique()) != len(labels):
        raise bad_value(where, "labels", "different labels in one row", labels.tolist())
    labels = whole_labels(where, "labels", labels).to(classes.device)
    if not bool(torch.isin(labels, classes[counts.sum(1) > 0]).any()):
        raise bad_value(where, "labels", "at least one label that occurs in y_true", labels.tolist())
    everything = torch.cat([labels, classes[~torch.isin(classes, labels)]])
    at = torch.searchsorted(classes, everything).clamp_max(len(classes) - 1)
    known = classes[at] == everything
    return everything, torch.where(known[:, None] & known, counts[at][:, at], 0)  # (K, K) -> (asked and others, same)
