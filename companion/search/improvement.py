"""What one more trial promises: where a guess is low, and where it is unsure."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_float, require_number, require_shape


def expected_improvement(mean: Tensor, std: Tensor, best: float, *, margin: float = 0.0) -> Tensor:
    r"""Return by how much a value will be below the best one on average, where a value above it counts as no gain.

    .. math:: EI = \mathbb E \left[ \max(f^* - m - f, 0) \right] = s \left( z \, \Phi(z) + \varphi(z) \right), \qquad
              z = \frac{f^* - m - \mu}{s}

    with the best value :math:`f^*`, the margin m, and the normal distribution's :math:`\Phi` and :math:`\varphi`. It is high where
    the guess is low, and where it is unsure. With a standard deviation of 0 nothing is open: the gain is
    :math:`\max(f^* - m - \mu, 0)`.

    Args:
        mean: what the process guesses at each place.
        std: how sure it is, from 0.
        best: the lowest value so far.
        margin: how much better it has to be to count, from 0.

    Shape:
        Both (n,); the result (n,), float64, from 0.

    Raises:
        TypeError: If an argument is no tensor, or no number.
        ValueError: If shapes differ, a standard deviation is below 0, the margin is below 0, or something is not finite.

    Source:
        Jones, Schonlau and Welch (1998), Efficient global optimization of expensive black-box functions, equation 15;
        the margin: Lizotte (2008).

    >>> expected_improvement(torch.tensor([0.5, 0.5, 0.2]), torch.tensor([0.0, 0.2, 0.0]), best=0.5)
    tensor([0.0000, 0.0798, 0.3000], dtype=torch.float64)
    """
    where = "expected_improvement"
    require_float(where, "mean", mean)
    require_float(where, "std", std)
    require_shape(where, "std", std, mean.shape, "one for each mean")
    require_number(where, "best", best)
    require_number(where, "margin", margin, least=0)
    if not bool(torch.isfinite(mean).all()):
        raise bad_value(where, "mean", "finite numbers", "nan or infinity")
    if not bool((torch.isfinite(std) & (std >= 0)).all()):
        raise bad_value(where, "std", "finite numbers from 0", "one below 0, or nan or infinity")
    gain, std = best - margin - mean.double(), std.double()
    z = gain / std  # infinite or nan where nothing is open: those places take the other branch
    density = torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    open_ = (std * (z * torch.special.ndtr(z) + density)).clamp(min=0)  # far out the two parts cancel to the last digit
    return torch.where(std == 0, gain.clamp(min=0), open_)
