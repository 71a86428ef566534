"""Metrics of predicted probabilities: how much they knew, and whether they meant what they said."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_device
from companion.metrics._labels import require_numbers, whole_labels


class CalibrationCurve(NamedTuple):
    """Share of positives and mean prediction in each bin that is not empty, both of shape (bins,)."""

    prob_true: Tensor
    prob_pred: Tensor


def log_loss(y_true: Tensor, y_pred: Tensor, *, normalize: bool = True, labels: Tensor | None = None) -> float:
    r"""Average the surprise at the true class: the cross-entropy of probabilities.

    .. math:: -\frac{1}{N} \sum_n \log \hat p_{n, y_n}

    Probabilities are kept a rounding step away from 0 and 1, so that one wrong certainty costs much and not
    everything. For training use the loss on logits.

    Args:
        y_true: the class of each sample.
        y_pred: probability of each class, or of the larger one of two.
        normalize: the mean, else the sum.
        labels: the class of each column, sorted; None takes the sorted classes of ``y_true``.

    Shape:
        ``y_true`` (N,), ``y_pred`` (N, K) or (N,).

    Returns:
        0 or more in nats, best is 0; log K for shares that say nothing.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: If shapes or devices do not fit, values are no probabilities, rows do not sum to 1, or only
            one class occurs and ``labels`` was not given.

    Source:
        Good (1952), Rational decisions.

    >>> log_loss(torch.tensor([0, 1]), torch.tensor([0.25, 0.5]))
    0.4904146265058631
    """
    classes, shares = _shares("log_loss", y_true, y_pred, labels)
    eps = torch.finfo(y_pred.dtype).eps if y_pred.is_floating_point() else 0.0
    at = torch.searchsorted(classes, y_true.long().contiguous())
    surprise = -torch.log(shares.clamp(eps, 1 - eps).gather(1, at[:, None]))  # (N, K) -> (N, 1)
    return float(surprise.mean() if normalize else surprise.sum())


def brier_score_loss(
    y_true: Tensor, y_proba: Tensor, *, labels: Tensor | None = None, scale_by_half: bool | str = "auto"
) -> float:
    r"""Average the squared distance of the probabilities from what happened.

    .. math:: \frac{1}{N} \sum_n \sum_k \left( \hat p_{nk} - [y_n = k] \right)^2
              \qquad \left( \times \tfrac{1}{2} \text{ for two classes} \right)

    Args:
        y_true: the class of each sample.
        y_proba: as in :func:`log_loss`.
        labels: as in :func:`log_loss`.
        scale_by_half: halve the sum, so that it lies in [0, 1]; ``"auto"`` does so for two classes.

    Shape:
        ``y_true`` (N,), ``y_proba`` (N, K) or (N,).

    Returns:
        0 to 1, or to 2 unscaled; best is 0. For two classes 0.25 when every answer is one half.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: As for :func:`log_loss`.

    Source:
        Brier (1950), Verification of forecasts expressed in terms of probability.

    >>> brier_score_loss(torch.tensor([0, 1, 1]), torch.tensor([0.0, 0.5, 1.0]))
    0.08333333333333333
    """
    if scale_by_half not in (True, False, "auto"):
        raise bad_value("brier_score_loss", "scale_by_half", "True, False or 'auto'", repr(scale_by_half))
    classes, shares = _shares("brier_score_loss", y_true, y_proba, labels)
    distance = ((shares - (y_true[:, None] == classes).double()) ** 2).sum(1)  # (N, K) -> (N,)
    half = scale_by_half if isinstance(scale_by_half, bool) else len(classes) == 2
    return float(distance.mean()) / (2 if half else 1)


def expected_calibration_error(y_true: Tensor, y_proba: Tensor, *, n_bins: int = 10) -> float:
    r"""Average, over bins of confidence, the gap between confidence and accuracy.

    .. math:: \text{ECE} = \sum_b \frac{|B_b|}{N}
              \left| \operatorname{acc}(B_b) - \operatorname{conf}(B_b) \right|

    A perfectly calibrated model does not score 0: with few samples the gaps of chance alone add up, so compare
    with the same number of samples drawn from the model's own probabilities.

    Args:
        y_true: the class of each sample; 0 or 1 where there is one probability per sample.
        y_proba: probability of each class (the largest one is the confidence), or of class 1.
        n_bins: how many bins of equal width on [0, 1]; a confidence on an edge belongs to the lower bin.

    Shape:
        ``y_true`` (N,), ``y_proba`` (N, K) or (N,).

    Returns:
        0 to 1, best is 0.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: If shapes or devices do not fit, values are no probabilities, or rows do not sum to 1.

    Source:
        Naeini, Cooper and Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian binning.

    >>> expected_calibration_error(torch.tensor([1, 1, 0, 1]), torch.tensor([0.5, 0.5, 0.5, 0.5]))
    0.25
    """
    where = "expected_calibration_error"
    if y_proba.ndim == 1:
        right, confidence = _two_classes(where, y_true, y_proba), y_proba.double()
    else:
        _, shares = _shares(where, y_true, y_proba, torch.arange(y_proba.shape[-1]))
        confidence, answer = shares.max(1)
        right = (answer == y_true).double()
    count, summed = _binned(where, confidence, right - confidence, n_bins)
    del count  # the share of a bin and the mean within it cancel to a sum
    return float(summed.abs().sum() / len(y_true))


def calibration_curve(
    y_true: Tensor, y_prob: Tensor, *, n_bins: int = 5, strategy: str = "uniform"
) -> CalibrationCurve:
    r"""Compare, bin by bin, what the probabilities said with what happened: the reliability diagram.

    Args:
        y_true: 0 or 1.
        y_prob: probability of class 1.
        n_bins: how many bins.
        strategy: ``"uniform"`` for equal widths, ``"quantile"`` for equally many samples.

    Shape:
        Both (N,).

    Returns:
        ``(prob_true, prob_pred)`` of the bins that are not empty; equal for a calibrated model, up to chance.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: As for :func:`expected_calibration_error`, and for an unknown strategy.

    Source:
        Niculescu-Mizil and Caruana (2005), Predicting good probabilities with supervised learning.

    >>> calibration_curve(torch.tensor([0, 1, 1, 1]), torch.tensor([0.1, 0.4, 0.6, 0.9]), n_bins=2).prob_true
    tensor([0.5000, 1.0000], dtype=torch.float64)
    """
    where = "calibration_curve"
    positive, prob = _two_classes(where, y_true, y_prob), y_prob.double()
    if strategy not in ("uniform", "quantile"):
        raise bad_value(where, "strategy", "'uniform' or 'quantile'", repr(strategy))
    edges = None
    if strategy == "quantile":
        edges = torch.quantile(prob, torch.linspace(0, 1, n_bins + 1, dtype=torch.double, device=prob.device))
    count, hits = _binned(where, prob, positive, n_bins, edges)
    _, said = _binned(where, prob, prob, n_bins, edges)
    kept = count > 0
    return CalibrationCurve(hits[kept] / count[kept], said[kept] / count[kept])


def _binned(where: str, at: Tensor, values: Tensor, n_bins: int, edges: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return how many samples fall into each bin, and the sum of their values there."""
    if isinstance(n_bins, bool) or not isinstance(n_bins, int) or n_bins < 1:
        raise bad_value(where, "n_bins", "a whole number from 1", n_bins)
    if edges is None:
        edges = torch.linspace(0, 1, n_bins + 1, dtype=torch.double, device=at.device)
    which = torch.bucketize(at.contiguous(), edges[1:-1])  # (N,), 0 .. n_bins - 1
    return torch.bincount(which, minlength=n_bins), torch.bincount(which, weights=values, minlength=n_bins)


def _two_classes(where: str, y_true: Tensor, y_prob: Tensor) -> Tensor:
    """Return 0 and 1 as float64."""
    _shares(where, y_true, y_prob, torch.arange(2))
    if y_prob.ndim != 1:
        raise bad_value(where, "y_prob", "one probability per sample, shape (N,)", f"shape {tuple(y_prob.shape)}")
    return y_true.double()


def _shares(where: str, y_true: Tensor, y_proba: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the classes and the probability of each, (N, K) in float64, after all checks."""
    require_numbers(where, "y_true", y_true)
    require_numbers(where, "y_proba", y_proba)
    require_device(where, "y_proba", y_proba, y_true)
    if y_true.ndim != 1 or y_proba.ndim not in (1, 2) or len(y_true) != len(y_proba) or len(y_true) == 0:
        shapes = f"{tuple(y_true.shape)} and {tuple(y_proba.shape)}"
        raise bad_value(where, "y_true and y_proba", "shapes (N,) and (N, K), N at least 1", shapes)
    shares = y_proba.double()
    if bool(((shares < 0) | (shares > 1)).any()):
        raise bad_value(
            where, "y_proba", "probabilities from 0 to 1", "others", "softmax or sigmoid turns logits into them"
        )
    if shares.ndim == 1:
        shares = torch.stack([1 - shares, shares], 1)  # (N,) -> (N, 2)
    total = shares.sum(1)
    if not torch.allclose(total, torch.ones_like(total), atol=1e-5):
        worst = float(total[(total - 1).abs().argmax()])
        raise bad_value(
            where, "y_proba", "rows that sum to 1", f"a row summing to {worst:.4g}", "softmax(logits, dim=1)"
        )
    true = whole_labels(where, "y_true", y_true)
    classes = true.unique() if labels is None else torch.as_tensor(labels).to(true.device)
    if len(classes) != shares.shape[1]:
        got = f"{shares.shape[1]} columns for {len(classes)} classes"
        raise bad_value(where, "y_proba", "one column per class", got, "pass labels= when y_true lacks a class")
    if not bool((classes.diff() > 0).all()) or not bool(torch.isin(true, classes).all()):
        raise bad_value(where, "labels", "all classes of y_true, sorted", classes.tolist())
    return classes, shares
