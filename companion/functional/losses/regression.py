"""Losses for numbers: how far an answer lies from its target."""

from __future__ import annotations

import torch
from torch import Tensor

from companion.functional._arguments import require_number
from companion.functional._pointwise import pointwise
from companion.functional.losses._shared import reduced, require_pair, widened


def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    r"""Square the distance between answer and target: a distance twice as large costs four times as much.

    .. math:: \ell_i = (\hat y_i - y_i)^2, \qquad \frac{\partial \ell_i}{\partial \hat y_i} = 2 (\hat y_i - y_i)

    Args:
        input: Answers, any numbers.
        target: What they should have been, in the same unit.
        reduction: ``"mean"`` over all entries, ``"sum"``, or ``"none"`` for one loss an entry.

    Shape:
        Any, the same for both; the result is () or, with ``"none"``, has that shape.

    Returns:
        Values in [0, inf), in the square of the unit; 0 is best.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If shapes or devices differ, a tensor does not hold floats or the reduction is unknown.

    Source:
        Legendre (1805), Nouvelles méthodes pour la détermination des orbites des comètes.

    >>> mse_loss(torch.tensor([1.0, 5.0]), torch.tensor([0.0, 2.0]))
    tensor(5.)
    """
    require_pair("mse_loss", input, target, reduction)
    answer, wanted = widened(input, target)
    return reduced(torch.square(answer - wanted), reduction, input, target)


def l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    r"""Take the distance between answer and target as it is: outliers pull no harder than others.

    .. math:: \ell_i = |\hat y_i - y_i|, \qquad
              \frac{\partial \ell_i}{\partial \hat y_i} = \operatorname{sign}(\hat y_i - y_i)

    Args:
        input: Answers, any numbers.
        target: What they should have been, in the same unit.
        reduction: ``"mean"`` over all entries, ``"sum"``, or ``"none"`` for one loss an entry.

    Shape:
        Any, the same for both; the result is () or, with ``"none"``, has that shape.

    Returns:
        Values in [0, inf), in the unit of the target; 0 is best. The slope at 0 is 0.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If shapes or devices differ, a tensor does not hold floats or the reduction is unknown.

    Source:
        Boscovich (1757), De litteraria expeditione per pontificiam ditionem.

    >>> l1_loss(torch.tensor([1.0, 5.0]), torch.tensor([0.0, 2.0]))
    tensor(2.)
    """
    require_pair("l1_loss", input, target, reduction)
    answer, wanted = widened(input, target)
    return reduced(torch.abs(answer - wanted), reduction, input, target)


def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    r"""Square small distances, take large ones as they are: smooth near the target, calm about outliers.

    .. math:: \ell_i = \begin{cases} \tfrac{1}{2} d^2 & |d| \le \delta \\
              \delta \left( |d| - \tfrac{1}{2} \delta \right) & |d| > \delta \end{cases}
              = c \left( d - \tfrac{1}{2} c \right), \qquad
              d = \hat y_i - y_i, \quad c = \min(\max(d, -\delta), \delta)

    The last form is the one computed. The slope is c itself: clipping the error and clipping its gradient
    are one thing.

    Args:
        input: Answers, any numbers.
        target: What they should have been, in the same unit.
        reduction: ``"mean"`` over all entries, ``"sum"``, or ``"none"`` for one loss an entry.
        delta: Where the square turns into a line, above 0, in the unit of the target.

    Shape:
        Any, the same for both; the result is () or, with ``"none"``, has that shape.

    Returns:
        Values in [0, inf); 0 is best.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If shapes or devices differ, a tensor does not hold floats, the reduction is unknown or
            delta is not above 0.

    Source:
        Huber (1964), Robust estimation of a location parameter.

    >>> huber_loss(torch.tensor([1.0, 5.0]), torch.tensor([0.0, 2.0]), reduction="none")
    tensor([0.5000, 2.5000])
    """
    require_pair("huber_loss", input, target, reduction)
    require_number("huber_loss", "delta", delta, positive=True)
    answer, wanted = widened(input, target)

    def clipped(d: Tensor, _: Tensor | None = None) -> Tensor:
        return torch.clamp(d, -delta, delta)

    def value(d: Tensor) -> Tensor:
        c = clipped(d)
        return d.sub(c, alpha=0.5).mul_(c)

    return reduced(pointwise(answer - wanted, value, clipped), reduction, input, target)
