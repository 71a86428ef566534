"""Precision, recall and what is made of the two: ratios of hits to calls and to true members of a class."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.metrics._labels import count_pairs

AVERAGES = ("binary", "micro", "macro", "weighted", None)


def precision_score(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    labels: Tensor | Sequence[int] | None = None,
    pos_label: int = 1,
    average: str | None = "binary",
    zero_division: float | str = "warn",
) -> float | Tensor:
    r"""Give the share of right ones among the samples that were called positive.

    .. math:: P = \frac{TP}{TP + FP}

    Args:
        y_true: true classes.
        y_pred: predicted classes.
        labels: for ``average`` other than binary: which classes to average over; None for all that occur.
        pos_label: for ``"binary"``: the class called positive.
        average: ``"binary"`` for one class against the rest; ``"macro"`` the mean over classes, ``"weighted"``
            the mean weighted by how often each class is true, ``"micro"`` counts of all classes in one ratio;
            None returns a tensor, one entry per class.
        zero_division: the value where nothing was called positive: 0, 1, nan, or ``"warn"`` for 0 with a warning.

    Shape:
        Both (N,).

    Returns:
        0 to 1, best is 1; a tensor (K,) for ``average=None``.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: As for :func:`accuracy_score`, and where ``"binary"`` meets more than two classes.

    Source:
        van Rijsbergen (1979), Information Retrieval, chapter 7.

    >>> precision_score(torch.tensor([1, 0, 1, 0]), torch.tensor([1, 1, 1, 0]))
    0.6666666666666666
    """
    tp, called, _, support = _ingredients("precision_score", y_true, y_pred, labels, pos_label, average)
    return _averaged("precision_score", tp, called, support, average, zero_division)


def recall_score(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    labels: Tensor | Sequence[int] | None = None,
    pos_label: int = 1,
    average: str | None = "binary",
    zero_division: float | str = "warn",
) -> float | Tensor:
    r"""Give the share of the truly positive samples that were found.

    .. math:: R = \frac{TP}{TP + FN}

    Args:
        y_true: true classes.
        y_pred: predicted classes.
        labels: as in :func:`precision_score`.
        pos_label: as in :func:`precision_score`.
        average: as in :func:`precision_score`.
        zero_division: the value where no sample is truly positive.

    Shape:
        Both (N,).

    Returns:
        0 to 1, best is 1; a tensor (K,) for ``average=None``.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: As for :func:`precision_score`.

    Source:
        van Rijsbergen (1979), Information Retrieval, chapter 7.

    >>> recall_score(torch.tensor([1, 0, 1, 1]), torch.tensor([1, 1, 0, 0]))
    0.3333333333333333
    """
    tp, _, actual, support = _ingredients("recall_score", y_true, y_pred, labels, pos_label, average)
    return _averaged("recall_score", tp, actual, support, average, zero_division)


def fbeta_score(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    beta: float,
    labels: Tensor | Sequence[int] | None = None,
    pos_label: int = 1,
    average: str | None = "binary",
    zero_division: float | str = "warn",
) -> float | Tensor:
    r"""Weigh precision and recall into one number, with recall ``beta`` times as important.

    .. math:: F_\beta = \frac{(1 + \beta^2)\, TP}{(1 + \beta^2)\, TP + FP + \beta^2 FN}

    The macro average is the mean of the classes' F, not the F of mean precision and mean recall: the two
    differ.

    Args:
        y_true: true classes.
        y_pred: predicted classes.
        beta: 0 or more; 0 is precision, large is recall.
        labels: as in :func:`precision_score`.
        pos_label: as in :func:`precision_score`.
        average: as in :func:`precision_score`.
        zero_division: the value where a class is neither true nor called.

    Shape:
        Both (N,).

    Returns:
        0 to 1, best is 1; a tensor (K,) for ``average=None``.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: As for :func:`precision_score`, and for a negative beta.

    Source:
        van Rijsbergen (1979), Information Retrieval, chapter 7; on the two macro averages: Opitz and Burst
        (2019), Macro F1 and Macro F1.

    >>> fbeta_score(torch.tensor([1, 0, 1, 1]), torch.tensor([1, 0, 0, 0]), beta=2)
    0.38461538461538464
    """
    if isinstance(beta, bool) or not isinstance(beta, int | float) or not 0 <= beta < math.inf:
        raise bad_value("fbeta_score", "beta", "0 or more", beta, "1 weighs precision and recall alike")
    tp, called, actual, support = _ingredients("fbeta_score", y_true, y_pred, labels, pos_label, average)
    below = called + beta**2 * actual  # (1 + b^2) TP + FP + b^2 FN, since called = TP + FP and actual = TP + FN
    return _averaged("fbeta_score", (1 + beta**2) * tp, below, support, average, zero_division)


def f1_score(
    y_true: Tensor,
    y_pred: Tensor,
    *,
    labels: Tensor | Sequence[int] | None = None,
    pos_label: int = 1,
    average: str | None = "binary",
    zero_division: float | str = "warn",
) -> float | Tensor:
    r"""Give the harmonic mean of precision and recall: :func:`fbeta_score` with beta 1.

    .. math:: F_1 = \frac{2\, TP}{2\, TP + FP + FN} = \frac{2PR}{P + R}

    Args:
        y_true: true classes.
        y_pred: predicted classes.
        labels: as in :func:`precision_score`.
        pos_label: as in :func:`precision_score`.
        average: as in :func:`precision_score`; for classes that exclude one another, micro F1 is the accuracy.
        zero_division: as in :func:`fbeta_score`.

    Shape:
        Both (N,).

    Returns:
        0 to 1, best is 1; a tensor (K,) for ``average=None``.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: As for :func:`precision_score`.

    Source:
        van Rijsbergen (1979), Information Retrieval, chapter 7.

    >>> f1_score(torch.tensor([0, 1, 2, 2]), torch.tensor([0, 2, 2, 2]), average="macro", zero_division=0)
    0.6
    """
    return fbeta_score(
        y_true, y_pred, beta=1, labels=labels, pos_label=pos_label, average=average, zero_division=zero_division
    )


def _ingredients(
    where: str,
    y_true: Tensor,
    y_pred: Tensor,
    labels: Tensor | Sequence[int] | None,
    pos_label: int,
    average: str | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return hits, called, actual (summed for micro), and how often each class is true; one entry per class."""
    if average not in AVERAGES:
        raise bad_value(where, "average", "'binary', 'micro', 'macro', 'weighted' or None", repr(average))
    classes, pairs = count_pairs(where, y_true, y_pred, labels if average != "binary" else None)
    counts = pairs.double()
    tp, called, actual = counts.diagonal(), counts.sum(0), counts.sum(1)
    if average == "binary":
        if len(classes) > 2:
            hint = "choose average='macro', 'weighted', 'micro' or None"
            raise bad_value(where, "y_true", "two classes for average='binary'", f"{len(classes)} classes", hint)
        chosen = classes == pos_label
        if len(classes) == 2 and not bool(chosen.any()):
            raise bad_value(where, "pos_label", f"one of {classes.tolist()}", pos_label)
        none = torch.zeros(1, dtype=torch.double, device=counts.device)
        tp, called, actual = (part[chosen] if bool(chosen.any()) else none for part in (tp, called, actual))
    elif labels is not None:
        tp, called, actual = (part[: len(labels)] for part in (tp, called, actual))
    if average == "micro":
        return tp.sum()[None], called.sum()[None], actual.sum()[None], actual.sum()[None]
    return tp, called, actual, actual


def _averaged(
    where: str, above: Tensor, below: Tensor, support: Tensor, average: str | None, zero_division: float | str
) -> float | Tensor:
    """Divide, put ``zero_division`` where there is nothing to divide by, and average as asked."""
    if zero_division not in ("warn", 0, 1) and not (isinstance(zero_division, float) and math.isnan(zero_division)):
        raise bad_value(where, "zero_division", "'warn', 0, 1 or nan", repr(zero_division))
    empty = below == 0
    if zero_division == "warn" and bool(empty.any()):
        warnings.warn(f"{where}: nothing to divide by for a class, which counts as 0; set zero_division", stacklevel=3)
    filled = 0.0 if zero_division == "warn" else float(zero_division)
    ratio = torch.where(empty, filled, above / below.clamp_min(torch.finfo(below.dtype).tiny))
    if average is None:
        return ratio
    counted = ~torch.isnan(ratio)
    weight = support if average == "weighted" else torch.ones_like(ratio)
    if not bool(counted.any()):
        return math.nan
    total = weight[counted].sum()
    return float((ratio * weight)[counted].sum() / total) if total > 0 else float(filled)
