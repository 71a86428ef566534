"""Metrics of predicted numbers: how far they are from the true ones, and from what the mean alone would have said."""

from __future__ import annotations

import math
import warnings

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_device
from companion.metrics._labels import require_numbers


def mean_squared_error(y_true: Tensor, y_pred: Tensor, *, multioutput: str = "uniform_average") -> float | Tensor:
    r"""Average the squared differences; one large error weighs more than many small ones.

    .. math:: \text{MSE} = \frac{1}{N} \sum_n (y_n - \hat y_n)^2

    Args:
        y_true: true values.
        y_pred: predicted values; (N, 1) against (N,) is refused, it would compare everything with everything.
        multioutput: ``"uniform_average"`` over the columns, or ``"raw_values"`` for one number per column.

    Shape:
        Both (N,) or both (N, D).

    Returns:
        0 or more in the squared unit of y, best is 0; a tensor (D,) for raw values.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: If shapes or devices differ, a value is nan or there is none.

    Source:
        Gauss (1809), Theoria motus corporum coelestium, book 2, section 3.

    >>> mean_squared_error(torch.tensor([3.0, -0.5, 2.0, 7.0]), torch.tensor([2.5, 0.0, 2.0, 8.0]))
    0.375
    """
    true, pred = _pair("mean_squared_error", y_true, y_pred)
    return _over_outputs("mean_squared_error", ((true - pred) ** 2).mean(0), multioutput)


def root_mean_squared_error(y_true: Tensor, y_pred: Tensor, *, multioutput: str = "uniform_average") -> float | Tensor:
    r"""Take the root of :func:`mean_squared_error`, to be read in the unit of y.

    .. math:: \text{RMSE} = \sqrt{\frac{1}{N} \sum_n (y_n - \hat y_n)^2}

    Args:
        y_true: true values.
        y_pred: predicted values.
        multioutput: as in :func:`mean_squared_error`; the root is taken per column, then averaged.

    Shape:
        Both (N,) or both (N, D).

    Returns:
        0 or more in the unit of y, best is 0; a tensor (D,) for raw values.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: As for :func:`mean_squared_error`.

    Source:
        Names and edge cases of scikit-learn's function.

    >>> root_mean_squared_error(torch.tensor([0.0, 0.0]), torch.tensor([3.0, 4.0]))
    3.5355339059327378
    """
    true, pred = _pair("root_mean_squared_error", y_true, y_pred)
    return _over_outputs("root_mean_squared_error", ((true - pred) ** 2).mean(0).sqrt(), multioutput)


def mean_absolute_error(y_true: Tensor, y_pred: Tensor, *, multioutput: str = "uniform_average") -> float | Tensor:
    r"""Average the sizes of the differences; each unit of error costs the same.

    .. math:: \text{MAE} = \frac{1}{N} \sum_n |y_n - \hat y_n|

    Args:
        y_true: true values.
        y_pred: predicted values.
        multioutput: as in :func:`mean_squared_error`.

    Shape:
        Both (N,) or both (N, D).

    Returns:
        0 or more in the unit of y, best is 0; a tensor (D,) for raw values.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: As for :func:`mean_squared_error`.

    Source:
        Willmott and Matsuura (2005), Advantages of the mean absolute error over the root mean square error.

    >>> mean_absolute_error(torch.tensor([3.0, -0.5, 2.0, 7.0]), torch.tensor([2.5, 0.0, 2.0, 8.0]))
    0.5
    """
    true, pred = _pair("mean_absolute_error", y_true, y_pred)
    return _over_outputs("mean_absolute_error", (true - pred).abs().mean(0), multioutput)


def mean_absolute_percentage_error(
    y_true: Tensor, y_pred: Tensor, *, multioutput: str = "uniform_average"
) -> float | Tensor:
    r"""Average the differences as shares of the true value.

    .. math:: \text{MAPE} = \frac{1}{N} \sum_n \frac{|y_n - \hat y_n|}{\max(|y_n|, \varepsilon)}

    The trap: too low a guess costs at most 1, too high a guess has no limit, so the score favours models that
    guess low; and a true value near 0 outweighs all others.

    Args:
        y_true: true values, best far from 0.
        y_pred: predicted values.
        multioutput: as in :func:`mean_squared_error`.

    Shape:
        Both (N,) or both (N, D).

    Returns:
        0 or more, a share and not per cent (0.1 is ten per cent), best is 0; a tensor (D,) for raw values.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: As for :func:`mean_squared_error`.

    Source:
        Hyndman and Koehler (2006), Another look at measures of forecast accuracy.

    >>> mean_absolute_percentage_error(torch.tensor([1.0, 10.0]), torch.tensor([0.5, 10.0]))
    0.25
    """
    true, pred = _pair("mean_absolute_percentage_error", y_true, y_pred)
    share = (true - pred).abs() / true.abs().clamp_min(torch.finfo(torch.double).eps)
    return _over_outputs("mean_absolute_percentage_error", share.mean(0), multioutput)


def r2_score(y_true: Tensor, y_pred: Tensor, *, multioutput: str = "uniform_average") -> float | Tensor:
    r"""Compare the squared error with that of always predicting the mean.

    .. math:: R^2 = 1 - \frac{\sum_n (y_n - \hat y_n)^2}{\sum_n (y_n - \bar y)^2}

    It is negative for a model that is worse than the mean of the very values it is judged on. It is no square
    of anything then.

    Args:
        y_true: true values.
        y_pred: predicted values.
        multioutput: as in :func:`mean_squared_error`.

    Shape:
        Both (N,) or both (N, D).

    Returns:
        At most 1, which is best; 0 is as good as the mean. Where the true values are all equal: 1 for a perfect
        prediction, else 0. Nan with a warning for a single sample.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: As for :func:`mean_squared_error`.

    Source:
        Wright (1921), Correlation and causation; edge cases as scikit-learn's function.

    >>> r2_score(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([3.0, 2.0, 1.0]))
    -3.0
    """
    true, pred = _pair("r2_score", y_true, y_pred)
    if len(true) < 2:
        warnings.warn("r2_score: one sample has no spread to compare with, so the score is nan", stacklevel=2)
        return math.nan
    error, spread = ((true - pred) ** 2).sum(0), ((true - true.mean(0)) ** 2).sum(0)
    constant = torch.where(error == 0, 1.0, 0.0)
    score = torch.where(spread == 0, constant, 1 - error / torch.where(spread == 0, 1.0, spread))
    return _over_outputs("r2_score", score, multioutput)


def _pair(where: str, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Return both as float64 of shape (N, D)."""
    require_numbers(where, "y_true", y_true)
    require_numbers(where, "y_pred", y_pred)
    require_device(where, "y_pred", y_pred, y_true)
    if y_true.shape != y_pred.shape:
        hint = "(N,) against (N, 1) would compare every sample with every other: squeeze(-1) or unsqueeze(-1) one"
        hint = hint if y_true.numel() == y_pred.numel() else ""
        raise bad_value(where, "y_pred", f"the shape of y_true, {tuple(y_true.shape)}", f"{tuple(y_pred.shape)}", hint)
    if y_true.ndim not in (1, 2) or y_true.numel() == 0:
        raise bad_value(where, "y_true", "shape (N,) or (N, D) with at least one value", f"{tuple(y_true.shape)}")
    return y_true.double().reshape(len(y_true), -1), y_pred.double().reshape(len(y_pred), -1)  # (N,) -> (N, 1)


def _over_outputs(where: str, each: Tensor, multioutput: str) -> float | Tensor:
    if multioutput == "uniform_average":
        return float(each.mean())
    if multioutput == "raw_values":
        return each
    raise bad_value(where, "multioutput", "'uniform_average' or 'raw_values'", repr(multioutput))
