"""Areas under the curves of scores: one number for all thresholds, for two classes and for many."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_device
from companion.metrics._labels import require_numbers, whole_labels
from companion.metrics.curves import require_two_classes, running_counts


def roc_auc_score(
    y_true: Tensor,
    y_score: Tensor,
    *,
    average: str | None = "macro",
    multi_class: str = "raise",
    labels: Tensor | None = None,
) -> float | Tensor:
    r"""Give the probability that a positive sample scores higher than a negative one, ties counting half.

    .. math:: \text{AUC} = P(s^+ > s^-) + \tfrac{1}{2} P(s^+ = s^-)

    It equals the area under :func:`roc_curve`, and it needs the scores: rounding them to classes first
    changes it. One sort and two running sums; no pair is compared with another.

    Args:
        y_true: the class of each sample.
        y_score: for two classes the score of the larger one; for more, probabilities that sum to 1 per row.
        average: ``"macro"``, ``"weighted"`` by how often each class is true, ``"micro"`` (one-vs-rest only), or
            None for one number per class (one-vs-rest only).
        multi_class: for more than two classes: ``"ovr"`` each class against the rest, ``"ovo"`` each pair of
            classes among its own samples.
        labels: the class of each column, sorted; None takes the sorted classes of ``y_true``.

    Shape:
        ``y_true`` (N,), ``y_score`` (N,) or (N, K).

    Returns:
        0 to 1, best is 1, 0.5 for scores that say nothing; a tensor (K,) for ``average=None``.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: If only one class occurs, shapes do not fit, probabilities do not sum to 1, or there are more
            than two classes and ``multi_class`` was not chosen.

    Source:
        Hanley and McNeil (1982), The meaning and use of the area under a ROC curve; one-vs-one: Hand and Till
        (2001), A simple generalisation of the area under the ROC curve for multiple class classification.

    >>> roc_auc_score(torch.tensor([0, 0, 1, 1]), torch.tensor([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    where = "roc_auc_score"
    require_numbers(where, "y_score", y_score)
    if y_score.ndim < 2:
        return _area(require_two_classes(where, y_true, y_score, None), y_score)
    classes = _columns(where, y_true, y_score, labels)
    _require_shares(where, y_score)
    if multi_class == "ovr":
        return _one_vs_rest(where, y_true, y_score, classes, average, _area)
    if multi_class == "ovo":
        return _one_vs_one(where, y_true, y_score, classes, average)
    hint = "'ovr' compares each class with the rest, 'ovo' each pair of classes"
    raise bad_value(where, "multi_class", "'ovr' or 'ovo' for more than two classes", repr(multi_class), hint)


def average_precision_score(
    y_true: Tensor, y_score: Tensor, *, average: str | None = "macro", pos_label: int | None = None
) -> float | Tensor:
    r"""Average precision over the recall gained at each threshold.

    .. math:: \text{AP} = \sum_t (R_t - R_{t-1}) \, P_t

    Not the area by straight lines between the points: that would be too good, since precision does not fall in
    a straight line.

    Args:
        y_true: the class of each sample.
        y_score: the score of the positive class, or one column per class.
        average: for one column per class, as in :func:`roc_auc_score`.
        pos_label: for two classes, as in :func:`roc_curve`.

    Shape:
        ``y_true`` (N,), ``y_score`` (N,) or (N, K).

    Returns:
        0 to 1, best is 1; scores that say nothing give about the share of positive samples.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: As for :func:`roc_auc_score`.

    Source:
        Zhu (2004), Recall, precision and average precision.

    >>> average_precision_score(torch.tensor([0, 0, 1, 1]), torch.tensor([0.1, 0.4, 0.35, 0.8]))
    0.8333333333333333
    """
    where = "average_precision_score"
    require_numbers(where, "y_score", y_score)
    if y_score.ndim < 2:
        return _steps(require_two_classes(where, y_true, y_score, pos_label), y_score)
    classes = _columns(where, y_true, y_score, None)
    return _one_vs_rest(where, y_true, y_score, classes, average, _steps)


def _area(positive: Tensor, score: Tensor) -> float:
    fps, tps, _ = running_counts(positive, score)
    before = torch.cat([tps.new_zeros(1), tps[:-1]])
    new = fps.diff(prepend=fps.new_zeros(1))
    return float((new * (tps + before)).sum().double() / (2 * fps[-1].double() * tps[-1]))


def _steps(positive: Tensor, score: Tensor) -> float:
    fps, tps, _ = running_counts(positive, score)
    gained = tps.diff(prepend=tps.new_zeros(1)).double() / tps[-1]
    return float((gained * tps / (tps + fps)).sum())


def _columns(where: str, y_true: Tensor, y_score: Tensor, labels: Tensor | None) -> Tensor:
    """Return the class of each column."""
    require_numbers(where, "y_true", y_true)
    require_device(where, "y_score", y_score, y_true)
    if y_true.ndim != 1 or y_score.ndim != 2 or len(y_true) != len(y_score) or len(y_true) == 0:
        shapes = f"{tuple(y_true.shape)} and {tuple(y_score.shape)}"
        raise bad_value(where, "y_true and y_score", "shapes (N,) and (N, K), N at least 1", shapes)
    true = whole_labels(where, "y_true", y_true)
    classes = (
        true.unique() if labels is None else whole_labels(where, "labels", torch.as_tensor(labels)).to(true.device)
    )
    if len(classes) != y_score.shape[1]:
        hint = "a class that does not occur in y_true has no curve" if labels is None else ""
        got = f"{y_score.shape[1]} columns"
        raise bad_value(where, "y_score", f"one column for each of {len(classes)} classes", got, hint)
    if not bool((classes.diff() > 0).all()) or not bool(torch.isin(true, classes).all()):
        raise bad_value(where, "labels", "all classes of y_true, sorted", classes.tolist())
    if len(classes) < 2:
        raise bad_value(where, "y_true", "two classes or more", len(classes), "take a larger or a stratified sample")
    return classes


def _require_shares(where: str, y_score: Tensor) -> None:
    total = y_score.double().sum(1)
    if bool((y_score < 0).any()) or not torch.allclose(total, torch.ones_like(total), atol=1e-5):
        worst = float(total[(total - 1).abs().argmax()])
        hint = "softmax turns logits into probabilities"
        raise bad_value(where, "y_score", "probabilities, each row summing to 1", f"a row summing to {worst:.4g}", hint)


def _one_vs_rest(
    where: str,
    y_true: Tensor,
    y_score: Tensor,
    classes: Tensor,
    average: str | None,
    score: Callable[[Tensor, Tensor], float],
) -> float | Tensor:
    truth = y_true[:, None] == classes  # (N,) -> (N, K)
    if average == "micro":
        return score(truth.flatten(), y_score.flatten())
    missing = classes[~truth.any(0)].tolist()
    if missing:
        raise bad_value(
            where, "y_true", "every class of labels", f"none of {missing}", "a class that does not occur has no curve"
        )
    each = torch.tensor([score(truth[:, k], y_score[:, k]) for k in range(len(classes))], dtype=torch.double)
    if average is None:
        return each.to(y_score.device)
    if average not in ("macro", "weighted"):
        raise bad_value(where, "average", "'macro', 'weighted', 'micro' or None", repr(average))
    weight = truth.sum(0).double().cpu() if average == "weighted" else torch.ones_like(each)
    return float((each * weight).sum() / weight.sum())


def _one_vs_one(where: str, y_true: Tensor, y_score: Tensor, classes: Tensor, average: str | None) -> float:
    if average not in ("macro", "weighted"):
        raise bad_value(where, "average", "'macro' or 'weighted' for 'ovo'", repr(average))
    scores, weights = [], []
    for i, j in torch.combinations(torch.arange(len(classes))).tolist():
        first, second = y_true == classes[i], y_true == classes[j]
        among = first | second
        if not (bool(first.any()) and bool(second.any())):
            raise bad_value(where, "y_true", "every class of labels", "a class without samples")
        scores.append((_area(first[among], y_score[among, i]) + _area(second[among], y_score[among, j])) / 2)
        weights.append(float(among.double().mean()) if average == "weighted" else 1.0)
    return sum(s * w for s, w in zip(scores, weights, strict=True)) / sum(weights)
