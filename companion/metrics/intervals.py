"""How far a measured score may be off, and whether one model is better than another by more than luck."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.metrics._labels import require_numbers, require_pair


class Interval(NamedTuple):
    """The ends of an interval and the resampled statistics behind it, of shape (n_resamples,)."""

    low: float
    high: float
    distribution: Tensor


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


def bootstrap_interval(
    statistic: Callable[..., float],
    *samples: Tensor,
    confidence_level: float = 0.95,
    n_resamples: int = 2000,
    method: str = "BCa",
    generator: torch.Generator | None = None,
) -> Interval:
    r"""Draw samples with replacement from the sample, and take the middle part of what the statistic does.

    All tensors are resampled by the same rows, so ``bootstrap_interval(accuracy_score, y_true, y_pred)`` keeps
    each answer beside its truth. The percentile interval takes the quantiles
    :math:`\alpha/2` and :math:`1 - \alpha/2`. BCa moves them for bias :math:`z_0` and for a spread that changes
    with the value (acceleration :math:`a`, from leaving out one sample at a time):

    .. math:: \alpha_1 = \Phi \! \left( z_0 + \frac{z_0 + z_{\alpha/2}}{1 - a (z_0 + z_{\alpha/2})} \right)

    Args:
        statistic: maps the resampled tensors to one number.
        samples: tensors of equal length; row n of all belongs to sample n.
        confidence_level: between 0 and 1.
        n_resamples: how many resamples; 2000 settle the second digit of the ends.
        method: ``"BCa"`` or ``"percentile"``.
        generator: where the draws come from.

    Shape:
        Each sample (N, ...), N at least 2.

    Returns:
        ``(low, high, distribution)``.

    Raises:
        TypeError: If a sample is no tensor.
        ValueError: If lengths differ or are below 2, the level is not between 0 and 1, the method is unknown, or
            BCa meets a statistic that never changes.

    Source:
        Efron (1987), Better bootstrap confidence intervals.

    >>> g = torch.Generator().manual_seed(0)
    >>> found = bootstrap_interval(lambda x: float(x.mean()), torch.arange(100.0), generator=g)
    >>> 43 < found.low < 45 and 54 < found.high < 56
    True
    """
    size = _check_samples(samples, confidence_level, n_resamples, method)
    rows = torch.randint(size, (n_resamples, size), generator=generator, device=generator.device if generator else None)
    draws = (tuple(s[r.to(s.device)] for s in samples) for r in rows)
    spread = torch.tensor([float(statistic(*drawn)) for drawn in draws], dtype=torch.double)
    tail = (1 - confidence_level) / 2
    ends = torch.tensor([tail, 1 - tail], dtype=torch.double)
    if method == "BCa":
        ends = _moved(statistic, samples, spread, ends)
    low, high = torch.quantile(spread, ends).tolist()
    return Interval(low, high, spread)


def _check_samples(samples: tuple[Tensor, ...], level: float, n_resamples: int, method: str) -> int:
    where = "bootstrap_interval"
    if not samples:
        raise bad_value(where, "samples", "at least one tensor", "none")
    for k, sample in enumerate(samples):
        require_numbers(where, f"samples[{k}]", sample)
    sizes = {len(s) if s.ndim else 0 for s in samples}
    if len(sizes) != 1 or min(sizes) < 2:
        raise bad_value(where, "samples", "tensors of equal length, two rows or more", f"lengths {sorted(sizes)}")
    if not 0 < level < 1:
        raise bad_value(where, "confidence_level", "a number between 0 and 1", level, "0.95 is usual")
    if isinstance(n_resamples, bool) or not isinstance(n_resamples, int) or n_resamples < 1:
        raise bad_value(where, "n_resamples", "a whole number from 1", n_resamples)
    if method not in ("BCa", "percentile"):
        raise bad_value(where, "method", "'BCa' or 'percentile'", repr(method))
    return sizes.pop()


def _moved(statistic: Callable[..., float], samples: tuple[Tensor, ...], spread: Tensor, ends: Tensor) -> Tensor:
    """Return BCa's quantiles in place of the plain ones."""
    value = float(statistic(*samples))
    below = ((spread < value).double().mean() + (spread <= value).double().mean()) / 2
    size = len(samples[0])
    others = [torch.arange(size) != n for n in range(size)]
    left_out = torch.tensor(
        [float(statistic(*(s[keep.to(s.device)] for s in samples))) for keep in others], dtype=torch.double
    )
    off = left_out.mean() - left_out
    if below in (0, 1) or not bool((off != 0).any()):
        hint = "take method='percentile', or more samples"
        raise bad_value(
            "bootstrap_interval", "statistic", "one that varies over resamples for BCa", "one that does not", hint
        )
    acceleration = (off**3).sum() / (6 * (off**2).sum() ** 1.5)
    shift = torch.special.ndtri(below)
    reach = shift + torch.special.ndtri(ends)
    return torch.special.ndtr(shift + reach / (1 - acceleration * reach))


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
