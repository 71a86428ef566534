"""Curves of scores: what happens to hits and false alarms as the threshold moves from the highest score to the lowest."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.metrics._labels import require_pair


class RocCurve(NamedTuple):
    """False-positive rates, true-positive rates and thresholds, each of shape (T,), thresholds falling."""

    fpr: Tensor
    tpr: Tensor
    thresholds: Tensor


class PrecisionRecallCurve(NamedTuple):
    """Precision (T + 1,), recall (T + 1,) and thresholds (T,), thresholds rising."""

    precision: Tensor
    recall: Tensor
    thresholds: Tensor


def roc_curve(
    y_true: Tensor, y_score: Tensor, *, pos_label: int | None = None, drop_intermediate: bool = True
) -> RocCurve:
    r"""Trace false-positive rate and true-positive rate over all thresholds.

    .. math:: \text{TPR}(\theta) = \frac{\#\{n : s_n \ge \theta, y_n = 1\}}{\#\{n : y_n = 1\}}, \qquad
              \text{FPR}(\theta) = \frac{\#\{n : s_n \ge \theta, y_n = 0\}}{\#\{n : y_n = 0\}}

    Samples of equal score are called positive together, so they give one point and not a staircase that
    depends on their order.

    Args:
        y_true: the class of each sample.
        y_score: a score or probability, higher for the positive class; never the rounded answer.
        pos_label: the positive class; None takes 1, where the classes are 0 and 1 or -1 and 1.
        drop_intermediate: leave out points on a straight line between their neighbours.

    Shape:
        Both (N,).

    Returns:
        ``(fpr, tpr, thresholds)``, from (0, 0) at an infinite threshold to (1, 1).

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: If shapes or devices differ, a score is nan, or only one class occurs.

    Source:
        Fawcett (2006), An introduction to ROC analysis.

    >>> roc_curve(torch.tensor([0, 0, 1, 1]), torch.tensor([0.1, 0.4, 0.35, 0.8])).tpr
    tensor([0.0000, 0.5000, 0.5000, 1.0000, 1.0000], dtype=torch.float64)
    """
    positive = require_two_classes("roc_curve", y_true, y_score, pos_label)
    fps, tps, thresholds = running_counts(positive, y_score)
    if drop_intermediate and len(fps) > 2:
        bends = (fps.diff(n=2) != 0) | (tps.diff(n=2) != 0)
        ends = torch.ones(1, dtype=torch.bool, device=fps.device)
        kept = torch.cat([ends, bends, ends])
        fps, tps, thresholds = fps[kept], tps[kept], thresholds[kept]
    start = fps.new_zeros(1)
    fps, tps = torch.cat([start, fps]), torch.cat([start, tps])
    top = torch.full(
        (1,), math.inf, dtype=torch.promote_types(thresholds.dtype, torch.float32), device=thresholds.device
    )
    return RocCurve(fps.double() / fps[-1], tps.double() / tps[-1], torch.cat([top, thresholds]))


def precision_recall_curve(
    y_true: Tensor, y_score: Tensor, *, pos_label: int | None = None, drop_intermediate: bool = False
) -> PrecisionRecallCurve:
    r"""Trace precision and recall over all thresholds.

    .. math:: P(\theta) = \frac{TP(\theta)}{TP(\theta) + FP(\theta)}, \qquad
              R(\theta) = \frac{TP(\theta)}{TP(\theta) + FN(\theta)}

    The last point, precision 1 and recall 0, has no threshold: it is where the curve meets its axis.

    Args:
        y_true: as in :func:`roc_curve`.
        y_score: as in :func:`roc_curve`.
        pos_label: as in :func:`roc_curve`.
        drop_intermediate: leave out thresholds at which the number of hits is that of both neighbours.

    Shape:
        Both (N,).

    Returns:
        ``(precision, recall, thresholds)``, thresholds rising, recall falling.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: As for :func:`roc_curve`.

    Source:
        Davis and Goadrich (2006), The relationship between precision-recall and ROC curves.

    >>> precision_recall_curve(torch.tensor([0, 0, 1, 1]), torch.tensor([0.1, 0.4, 0.35, 0.8])).recall
    tensor([1.0000, 1.0000, 0.5000, 0.5000, 0.0000], dtype=torch.float64)
    """
    positive = require_two_classes("precision_recall_curve", y_true, y_score, pos_label)
    fps, tps, thresholds = running_counts(positive, y_score)
    if drop_intermediate and len(fps) > 2:
        ends = torch.ones(1, dtype=torch.bool, device=fps.device)
        kept = torch.cat([ends, (tps[1:-1] != tps[:-2]) | (tps[1:-1] != tps[2:]), ends])
        fps, tps, thresholds = fps[kept], tps[kept], thresholds[kept]
    one = torch.ones(1, dtype=torch.double, device=fps.device)
    precision, recall = tps.double() / (tps + fps), tps.double() / tps[-1]
    return PrecisionRecallCurve(
        torch.cat([precision.flip(0), one]), torch.cat([recall.flip(0), 0 * one]), thresholds.flip(0)
    )


def auc(x: Tensor, y: Tensor) -> float:
    r"""Measure the area under a curve of straight pieces.

    .. math:: \sum_t (x_{t+1} - x_t) \, \frac{y_{t+1} + y_t}{2}

    Args:
        x: places, rising or falling.
        y: heights.

    Shape:
        Both (T,), T at least 2.

    Returns:
        The area, positive for heights above 0.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: If there are fewer than two points or x turns round.

    Source:
        The trapezoidal rule.

    >>> auc(torch.tensor([0.0, 0.5, 1.0]), torch.tensor([0.0, 1.0, 1.0]))
    0.75
    """
    require_pair("auc", "x", x, "y", y)
    if len(x) < 2:
        raise bad_value("auc", "x", "two points or more", f"{len(x)}")
    steps = x.double().diff()
    if bool((steps < 0).any()) and bool((steps > 0).any()):
        raise bad_value("auc", "x", "places that only rise or only fall", "both", "sort the points by x")
    area = float((steps * (y.double()[1:] + y.double()[:-1]) / 2).sum())
    return -area if bool((steps < 0).any()) else area


def running_counts(positive: Tensor, score: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return false and true positives at each distinct score, from the highest down, and those scores."""
    falling, hits = _sorted(positive, score)
    last = torch.nonzero(falling[1:] != falling[:-1]).flatten()
    last = torch.cat([last, last.new_tensor([len(score) - 1])])  # the last of each run of equal scores
    tps = hits.cumsum(0)[last]
    return 1 + last - tps, tps, falling[last].to(score.dtype)


def _sorted(positive: Tensor, score: Tensor) -> tuple[Tensor, Tensor]:
    """Return the scores from the highest down and, in the same order, which are positive.

    A score of 32 bits and its label are sorted as one whole number, which is several times as quick as sorting
    places and fetching labels by them: the bits of a float, read as a whole number, rise with it (for negative
    floats after turning their lower bits round).
    """
    if score.dtype not in (torch.float32, torch.float16, torch.bfloat16):
        falling, order = torch.sort(score, descending=True)
        return falling, positive[order]
    bits = (score.float() + 0.0).view(torch.int32)  # -0.0 becomes 0.0, which equals it
    key = torch.sort(_rising(bits).long() << 1 | positive).values.flip(0)  # falling directly takes twice as long
    return _rising((key >> 1).int()).view(torch.float32), key & 1


def _rising(bits: Tensor) -> Tensor:
    """Turn the lower bits of negative floats round, or back."""
    return bits ^ (bits >> 31 & 0x7FFFFFFF)


def require_two_classes(where: str, y_true: Tensor, y_score: Tensor, pos_label: int | None) -> Tensor:
    """Return which samples are positive; refuse what no threshold can be moved over."""
    require_pair(where, "y_true", y_true, "y_score", y_score)
    low, high = y_true.aminmax()
    classes = (
        torch.stack([low, high])
        if bool(((y_true == low) | (y_true == high)).all()) and low != high
        else y_true.unique()
    )
    if len(classes) != 2:
        hint = "pass one column of scores per class" if len(classes) > 2 else "take a larger or a stratified sample"
        raise bad_value(where, "y_true", "two classes", f"{len(classes)}", hint)
    if pos_label is None and where == "roc_auc_score":
        pos_label = int(classes[1])  # of two classes the larger one, whatever they are called
    if pos_label is None and classes.tolist() not in ([0, 1], [-1, 1]):
        raise bad_value(where, "pos_label", f"one of {classes.tolist()}", None, "only 0/1 and -1/1 need no name")
    wanted = 1 if pos_label is None else pos_label
    if wanted not in classes.tolist():
        raise bad_value(where, "pos_label", f"one of {classes.tolist()}", pos_label)
    return y_true == wanted
