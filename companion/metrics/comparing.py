"""Whether one model is better than another by more than luck: on the same samples, or on the same splits."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from scipy.special import stdtr
from torch import Tensor

from companion.errors import bad_value
from companion.metrics._labels import require_pair


class McNemar(NamedTuple):
    """On how many samples only the first and only the second was right, the test statistic, and the p-value."""

    only_a: int
    only_b: int
    statistic: float
    pvalue: float


class Permutation(NamedTuple):
    """The mean difference, and how often chance alone gives one as far from 0."""

    statistic: float
    pvalue: float


class CorrectedT(NamedTuple):
    """The mean difference, t, the degrees of freedom, and how often chance alone gives a t as far from 0."""

    difference: float
    statistic: float
    df: int
    pvalue: float


def mcnemar_test(y_true: Tensor, pred_a: Tensor, pred_b: Tensor, *, exact: bool = True) -> McNemar:
    r"""Ask whether two classifiers differ, from the samples on which exactly one of them is right.

    .. math:: p = \min \! \left( 1, \; 2 \sum_{k \le \min(b, c)} \binom{b + c}{k} 2^{-(b + c)} \right), \qquad
              \chi^2 = \frac{(|b - c| - 1)^2}{b + c}

    with b and c the numbers on which only the first, only the second is right. Samples that both get right or
    both get wrong say nothing about the difference.

    Args:
        y_true: true classes.
        pred_a: answers of the first classifier to the same samples.
        pred_b: answers of the second.
        exact: the binomial test (left), else the chi-squared one with continuity correction (right), good from
            about 25 differing samples.

    Shape:
        All (N,).

    Returns:
        ``(only_a, only_b, statistic, pvalue)``; the statistic is min(b, c) or chi-squared.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: If shapes or devices differ.

    Source:
        McNemar (1947), Note on the sampling error of the difference between correlated proportions or
        percentages; correction: Edwards (1948).

    >>> mcnemar_test(torch.zeros(5), torch.tensor([0, 0, 0, 0, 1]), torch.tensor([1, 1, 1, 0, 0])).pvalue
    0.625
    """
    require_pair("mcnemar_test", "y_true", y_true, "pred_a", pred_a)
    require_pair("mcnemar_test", "y_true", y_true, "pred_b", pred_b)
    a, b = pred_a == y_true, pred_b == y_true
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    total, fewer = only_a + only_b, min(only_a, only_b)
    if total == 0:
        return McNemar(0, 0, 0.0, 1.0)
    if exact:
        below = sum(math.comb(total, k) for k in range(fewer + 1))
        return McNemar(only_a, only_b, float(fewer), min(1.0, 2 * below / 2**total))
    statistic = max(abs(only_a - only_b) - 1, 0) ** 2 / total
    tail = torch.special.gammaincc(torch.tensor(0.5).double(), torch.tensor(statistic / 2).double())
    return McNemar(only_a, only_b, statistic, float(tail))


def paired_permutation_test(
    a: Tensor, b: Tensor, *, n_resamples: int = 9999, generator: torch.Generator | None = None
) -> Permutation:
    r"""Ask whether paired scores differ: if not, each pair could as well have come the other way round.

    .. math:: p = \frac{1 + \#\{ r : |\bar d_r| \ge |\bar d| \}}{1 + R}, \qquad
              \bar d_r = \frac{1}{N} \sum_n \pm (a_n - b_n)

    Where there are no more than R ways to flip the signs, all of them are tried and p is their exact share.

    Args:
        a: scores of the first model, one per sample, fold or seed.
        b: scores of the second on the same ones.
        n_resamples: R, how many random flips.
        generator: where the flips come from.

    Shape:
        Both (N,).

    Returns:
        ``(statistic, pvalue)``: the mean of a - b, and the two-sided p-value.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: If shapes or devices differ, or there is no pair.

    Source:
        Fisher (1935), The Design of Experiments, section 21.

    >>> paired_permutation_test(torch.tensor([3.0, 2.0, 4.0]), torch.tensor([1.0, 1.0, 1.0])).pvalue
    0.25
    """
    require_pair("paired_permutation_test", "a", a, "b", b)
    if isinstance(n_resamples, bool) or not isinstance(n_resamples, int) or n_resamples < 1:
        raise bad_value("paired_permutation_test", "n_resamples", "a whole number from 1", n_resamples)
    difference = (a.double() - b.double()).cpu()
    size, observed = len(difference), float(difference.mean())
    exact = 2**size <= n_resamples
    if exact:
        bits = torch.arange(2**size)[:, None] >> torch.arange(size) & 1  # (2^N, N)
    else:
        home = generator.device if generator else None
        bits = torch.randint(2, (n_resamples, size), generator=generator, device=home).cpu()
    flipped = (1 - 2 * bits).double() @ difference / size
    far = int((flipped.abs() >= abs(observed) * (1 - 1e-12)).sum())  # sums in another order differ in the last digit
    return Permutation(observed, far / len(bits) if exact else (far + 1) / (n_resamples + 1))


def corrected_cv_ttest(a: Tensor, b: Tensor, *, test_share: float) -> CorrectedT:
    r"""Ask whether two ways to train differ, from their scores on the same repeated splits or folds.

    .. math:: t = \frac{\bar d}{\sqrt{\left( \frac{1}{J} + \frac{\rho}{1 - \rho} \right) s^2}}, \qquad
              d_j = a_j - b_j, \qquad s^2 = \frac{1}{J - 1} \sum_j (d_j - \bar d)^2

    with J splits and :math:`\rho` the share of the rows that each tests on. The usual t-test has 1 / J alone, as if
    the J differences were independent. They are not, because their models learned from nearly the same rows, and so
    that test finds a difference between equals far too often.

    Args:
        a: scores of the first on each split.
        b: scores of the second on the same splits.
        test_share: the part of the rows that each split tests on, 1 / k for k folds.

    Shape:
        Both (J,), J at least 2.

    Returns:
        ``(difference, statistic, df, pvalue)``, df = J - 1, the p-value two-sided. Where all differences are equal
        t is infinite, or 0 where they are all 0.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: If shapes or devices differ, there are fewer than two splits, or the share is not between 0 and 1.

    Source:
        Nadeau and Bengio (2003), Inference for the generalization error.

    >>> found = corrected_cv_ttest(torch.tensor([0.9, 0.8, 0.85]), torch.tensor([0.8, 0.75, 0.83]), test_share=0.25)
    >>> round(found.statistic, 3), found.df, round(found.pvalue, 3)
    (1.717, 2, 0.228)
    """
    where = "corrected_cv_ttest"
    require_pair(where, "a", a, "b", b)
    if len(a) < 2:
        raise bad_value(where, "a", "scores of two splits or more", f"{len(a)}", "one split has no spread")
    if not 0 < test_share < 1:
        raise bad_value(where, "test_share", "a number between 0 and 1", test_share, "1 / k for k folds")
    d = a.double() - b.double()
    splits, mean = len(d), float(d.mean())
    error = math.sqrt((1 / splits + test_share / (1 - test_share)) * float(d.var()))
    t = mean / error if error else math.copysign(math.inf, mean) if mean else 0.0
    return CorrectedT(mean, t, splits - 1, float(2 * stdtr(splits - 1, -abs(t))))
