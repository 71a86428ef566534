"""How alike the values of a function are at two places, by their distance: what a Gaussian process believes beforehand."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

Kernel = Callable[[Tensor], Tensor]


def squared_exponential(r: Tensor) -> Tensor:
    r"""Return how alike values are at a distance r, for functions that are smooth without end.

    .. math:: k(r) = e^{-r^2 / 2}

    Args:
        r: distances in units of the length scale, from 0.

    Shape:
        Any; the result has the same.

    Source:
        Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, equation 4.9.

    >>> squared_exponential(torch.tensor([0.0, 1.0, 2.0]))
    tensor([1.0000, 0.6065, 0.1353])
    """
    return torch.exp(-(r**2) / 2)


def matern52(r: Tensor) -> Tensor:
    r"""Return how alike values are at a distance r, for functions that bend freely but have two derivatives.

    .. math:: k(r) = \left( 1 + \sqrt5 \, r + \frac{5 r^2}{3} \right) e^{-\sqrt5 \, r}

    Args:
        r: distances in units of the length scale, from 0.

    Shape:
        Any; the result has the same.

    Source:
        Rasmussen and Williams (2006), equation 4.17; for this use Snoek, Larochelle and Adams (2012), Practical
        Bayesian optimization of machine learning algorithms, section 3.1.

    >>> matern52(torch.tensor([0.0, 1.0, 2.0]))
    tensor([1.0000, 0.5240, 0.1387])
    """
    a = math.sqrt(5) * r
    return (1 + a + a**2 / 3) * torch.exp(-a)
