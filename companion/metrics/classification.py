"""Metrics of predicted classes: all of them are ratios of the confusion matrix's counts."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_device
from companion.metrics._labels import count_pairs, require_numbers, require_pair, whole_labels


def accuracy_score(y_true: Tensor, y_pred: Tensor, *, normalize: bool = True) -> float:
    r"""Count the share of samples that got their own class.

    .. math:: \text{accuracy} = \frac{1}{N} \sum_n [\hat y_n = y_n]

    Args:
        y_true: true classes, whole numbers.
        y_pred: predicted classes.
        normalize: a share, else the number of samples.

    Shape:
        Both (N,), N at least 1.

    Returns:
        0 to 1, best is 1. On rare classes it misleads: always answering the common class scores its share.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: If shapes or devices differ, labels are no whole numbers or there are none.

    Source:
        Names and edge cases of scikit-learn's function.

    >>> accuracy_score(torch.tensor([0, 1, 2, 2]), torch.tensor([0, 1, 1, 2]))
    0.75
    """
    require_pair("accuracy_score", "y_true", y_true, "y_pred", y_pred)
    true, pred = whole_labels("accuracy_score", "y_true", y_true), whole_labels("accuracy_score", "y_pred", y_pred)
    hits = int((true == pred).sum())
    return hits / len(true) if normalize else float(hits)


def confusion_matrix(
    y_true: Tensor, y_pred: Tensor, *, labels: Tensor | Sequence[int] | None = None, normalize: str | None = None
) -> Tensor:
    r"""Count how often each true class (row) got each answer (column).

    .. math:: C_{ij} = \#\{n : y_n = i, \hat y_n = j\}

    Args:
        y_true: true classes.
        y_pred: predicted classes.
        labels: which classes, in which order; None for all that occur, sorted. Samples of other classes are
            left out.
        normalize: ``"true"`` divides by row sums, ``"pred"`` by column sums, ``"all"`` by the total; None
            leaves counts.

    Shape:
        Arguments (N,), result (K, K).

    Returns:
        Whole numbers, or shares where ``normalize`` is given; 0 where a row or column is empty.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: As for :func:`accuracy_score`, and for labels that do not occur or an unknown ``normalize``.

    Source:
        Kohavi and Provost (1998), Glossary of terms.

    >>> confusion_matrix(torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 1, 1]))
    tensor([[1, 0],
            [1, 2]])
    """
    if normalize not in ("true", "pred", "all", None):
        raise bad_value("confusion_matrix", "normalize", "'true', 'pred', 'all' or None", repr(normalize))
    _, counts = count_pairs("confusion_matrix", y_true, y_pred, labels)
    if labels is not None:
        counts = counts[: len(labels), : len(labels)]
    if normalize is None:
        return counts
    total = {"true": counts.sum(1, keepdim=True), "pred": counts.sum(0, keepdim=True), "all": counts.sum()}[normalize]
    return torch.where(total > 0, counts.double() / total.clamp_min(1), 0.0)


def balanced_accuracy_score(y_true: Tensor, y_pred: Tensor, *, adjusted: bool = False) -> float:
    r"""Average the share of hits over the true classes, so that a rare class counts as much as a common one.

    .. math:: \frac{1}{K} \sum_k \frac{C_{kk}}{\sum_j C_{kj}}

    Args:
        y_true: true classes.
        y_pred: predicted classes.
        adjusted: rescale so that guessing scores 0 and perfection 1.

    Shape:
        Both (N,).

    Returns:
        0 to 1, best is 1; guessing one class scores 1 / K.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: As for :func:`accuracy_score`.

    Source:
        Brodersen, Ong, Stephan and Buhmann (2010), The balanced accuracy and its posterior distribution.

    >>> balanced_accuracy_score(torch.tensor([0, 0, 0, 1]), torch.tensor([0, 0, 0, 0]))
    0.5
    """
    counts = count_pairs("balanced_accuracy_score", y_true, y_pred, None)[1].double()
    occurs = counts.sum(1) > 0
    if not bool(occurs.all()):
        warnings.warn("balanced_accuracy_score: y_pred has classes that y_true lacks; they are left out", stacklevel=2)
    recall = counts.diagonal()[occurs] / counts.sum(1)[occurs]
    score = float(recall.mean())
    chance = 1 / len(recall)
    return (score - chance) / (1 - chance) if adjusted else score


def matthews_corrcoef(y_true: Tensor, y_pred: Tensor) -> float:
    r"""Measure how far the answers follow the truth, as a correlation: high only if all four counts are good.

    .. math:: \frac{TP \cdot TN - FP \cdot FN}
              {\sqrt{(TP + FP)(TP + FN)(TN + FP)(TN + FN)}}

    for two classes; for K, with N samples, c hits, t_k true and p_k predicted samples of class k,

    .. math:: \frac{c N - \sum_k p_k t_k}{\sqrt{(N^2 - \sum_k p_k^2)(N^2 - \sum_k t_k^2)}}

    Args:
        y_true: true classes.
        y_pred: predicted classes.

    Shape:
        Both (N,).

    Returns:
        -1 to 1, best is 1; 0 for guessing, and where only one class occurs or is answered.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: As for :func:`accuracy_score`.

    Source:
        Matthews (1975), Comparison of the predicted and observed secondary structure of T4 phage lysozyme; for K
        classes Gorodkin (2004), Comparing two K-category assignments by a K-category correlation coefficient.

    >>> matthews_corrcoef(torch.tensor([1, 1, 1, 0]), torch.tensor([1, 0, 1, 1]))
    -0.3333333333333333
    """
    counts = count_pairs("matthews_corrcoef", y_true, y_pred, None)[1].double()
    true, pred, total = counts.sum(1), counts.sum(0), counts.sum()
    spread = (total**2 - pred @ pred) * (total**2 - true @ true)
    return float((counts.trace() * total - pred @ true) / spread.sqrt()) if spread > 0 else 0.0


def top_k_accuracy_score(
    y_true: Tensor,
    y_score: Tensor,
    *,
    k: int = 2,
    normalize: bool = True,
    labels: Tensor | Sequence[int] | None = None,
) -> float:
    r"""Count the share of samples whose class is among the ``k`` highest scores.

    .. math:: \frac{1}{N} \sum_n \left[ y_n \in \operatorname{top}_k(s_n) \right]

    Of equal scores the later class counts as higher, as in scikit-learn.

    Args:
        y_true: true classes.
        y_score: one score per class, or (N,) scores of the second of two classes, which is the answer
            above 0.5 for probabilities and above 0 for scores beyond [0, 1].
        k: how many answers are allowed, 1 or more.
        normalize: a share, else the number of samples.
        labels: the class of each column, sorted; None takes the sorted classes of ``y_true``.

    Shape:
        ``y_true`` (N,), ``y_score`` (N, K) or (N,).

    Returns:
        0 to 1, best is 1; with k = K always 1.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: If shapes or devices do not fit, or the columns are not as many as the classes.

    Source:
        Names and edge cases of scikit-learn's function.

    >>> top_k_accuracy_score(torch.tensor([0, 1, 2]), torch.tensor([[.5, .3, .2], [.4, .1, .5], [.2, .3, .5]]))
    0.6666666666666666
    """
    where = "top_k_accuracy_score"
    require_numbers(where, "y_true", y_true)
    require_numbers(where, "y_score", y_score)
    require_device(where, "y_score", y_score, y_true)
    if y_true.ndim != 1 or y_score.ndim not in (1, 2) or len(y_score) != len(y_true) or len(y_true) == 0:
        shapes = f"{tuple(y_true.shape)} and {tuple(y_score.shape)}"
        raise bad_value(where, "y_true and y_score", "shapes (N,) and (N, K), N at least 1", shapes)
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise bad_value(where, "k", "a whole number from 1", k)
    true = whole_labels(where, "y_true", y_true)
    classes = (
        true.unique() if labels is None else whole_labels(where, "labels", torch.as_tensor(labels)).to(true.device)
    )
    if not bool(torch.isin(true, classes).all()) or not bool((classes.diff() > 0).all()):
        raise bad_value(where, "labels", "all classes of y_true, sorted", classes.tolist())
    scores = _of_two(y_score) if y_score.ndim == 1 else y_score
    if len(classes) != scores.shape[1]:
        hint = "pass labels= when y_true lacks a class"
        raise bad_value(
            where, "y_score", f"one column for each of {len(classes)} classes", f"{scores.shape[1]} columns", hint
        )
    ranking = torch.argsort(scores, dim=1, stable=True).flip(1)[:, :k]  # (N, K) -> (N, k)
    hits = int((classes[ranking] == true[:, None]).any(1).sum())
    return hits / len(true) if normalize else float(hits)


def _of_two(y_score: Tensor) -> Tensor:
    """Return a column for each of two classes, 1 for the answer."""
    threshold = 0.5 if bool(((y_score >= 0) & (y_score <= 1)).all()) else 0.0
    return torch.stack([y_score <= threshold, y_score > threshold], 1).long()  # (N,) -> (N, 2)
