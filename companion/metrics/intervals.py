"""How far a measured score may be off."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.metrics._labels import require_numbers


class Interval(NamedTuple):
    """The ends of an interval and the resampled statistics behind it, of shape (n_resamples,)."""

    low: float
    high: float
    distribution: Tensor


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
    _check_level(where, level)
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


def wilson_interval(hits: int, n: int, *, confidence_level: float = 0.95) -> tuple[float, float]:
    r"""Say between which shares the truth may lie when so many of so many cases were hit.

    .. math:: \frac{1}{1 + z^2 / n} \left( \hat p + \frac{z^2}{2 n}
              \pm z \sqrt{\frac{\hat p (1 - \hat p)}{n} + \frac{z^2}{4 n^2}} \right), \qquad \hat p = \frac{h}{n}

    All shares :math:`p` for which :math:`\hat p` lies within z of *their own* standard errors
    :math:`\sqrt{p (1 - p) / n}`. Unlike :math:`\hat p` plus and minus z of the measured one it never leaves
    [0, 1], and says something when every case was hit.

    Args:
        hits: h, how many cases were right.
        n: how many cases there were.
        confidence_level: between 0 and 1.

    Returns:
        ``(low, high)``.

    Raises:
        ValueError: If n is no whole number from 1, hits none from 0 to n, or the level not between 0 and 1.

    Source:
        Wilson (1927), Probable inference, the law of succession, and statistical inference.

    >>> low, high = wilson_interval(20, 20)
    >>> round(low, 3), high
    (0.839, 1.0)
    """
    where = "wilson_interval"
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise bad_value(where, "n", "a whole number from 1", n)
    if isinstance(hits, bool) or not isinstance(hits, int) or not 0 <= hits <= n:
        raise bad_value(where, "hits", f"a whole number from 0 to {n}", hits, "a share times n, if you have the share")
    _check_level(where, confidence_level)
    z = float(torch.special.ndtri(torch.tensor((1 + confidence_level) / 2, dtype=torch.double)))
    share, extra = hits / n, z * z / n
    middle = share + extra / 2
    reach = z * math.sqrt(share * (1 - share) / n + extra / (4 * n))
    low = 0.0 if hits == 0 else (middle - reach) / (1 + extra)
    high = 1.0 if hits == n else (middle + reach) / (1 + extra)
    return low, high


def _check_level(where: str, level: float) -> None:
    if not 0 < level < 1:
        raise bad_value(where, "confidence_level", "a number between 0 and 1", level, "0.95 is usual")
