"""A number that makes a trained network's probabilities as sure as they are right."""

from __future__ import annotations

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_device, require_tensor

HALVINGS = 80
COLDEST, HOTTEST = 1e-4, 1e4
"""Beyond these a temperature says nothing any more: all probabilities are 0 or 1, or all are equal."""


def fit_temperature(logits: Tensor, y_true: Tensor) -> float:
    r"""Return the temperature by which logits are to be divided, so that the cross-entropy is least.

    .. math:: T^* = \arg\min_T \; -\frac{1}{N} \sum_n \log \operatorname{softmax}(z_n / T)_{y_n}

    In :math:`\beta = 1/T` the loss is convex, and its slope is the mean of
    :math:`\sum_k p_{nk} z_{nk} - z_{n y_n}`, which only rises: where it crosses 0 is found by halving. No answer
    changes, for dividing by T leaves the largest logit the largest. Take samples that the network was not trained
    on, and not those that shall judge it.

    Args:
        logits: what the network says before softmax, finite.
        y_true: the class of each sample, 0 to K - 1.

    Shape:
        ``logits`` (N, K), ``y_true`` (N,); N at least 1, K at least 2.

    Returns:
        T above 0: above 1 where the network is too sure, below where it is not sure enough.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: If shapes or devices do not fit, a class does not exist, logits are not finite, or no temperature
            is best: every answer is right, so that colder is always better, or the answers are no better than a
            guess, so that hotter is.

    Source:
        Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks.

    >>> logits = torch.tensor([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    >>> round(fit_temperature(logits, torch.tensor([0, 0, 0, 0])), 4)  # 3 of 4 are right: ln 3 is as sure as that
    3.641
    """
    where = "fit_temperature"
    z, y = _checked(where, logits, y_true)
    own = z.gather(1, y[:, None])[:, 0].mean()

    def slope(beta: float) -> float:
        return float(((z * beta).softmax(1) * z).sum(1).mean() - own)

    cold, hot = 1 / COLDEST, 1 / HOTTEST
    if slope(cold) <= 0:
        hint = "take more samples: where none is answered wrong, the best temperature is 0"
        raise bad_value(where, "logits", "some wrong answers", "none, or too few to tell", hint)
    if slope(hot) >= 0:
        hint = "look whether logits and classes belong together, in the same order"
        raise bad_value(where, "logits", "answers better than a guess", "worse ones", hint)
    for _ in range(HALVINGS):
        middle = (cold * hot) ** 0.5
        cold, hot = (middle, hot) if slope(middle) > 0 else (cold, middle)
    return (cold * hot) ** -0.5


def _checked(where: str, logits: Tensor, y_true: Tensor) -> tuple[Tensor, Tensor]:
    require_tensor(where, "logits", logits)
    require_tensor(where, "y_true", y_true)
    if logits.ndim != 2 or logits.shape[1] < 2 or len(logits) == 0:
        raise bad_value(where, "logits", "shape (N, K), K at least 2", f"shape {tuple(logits.shape)}")
    if not bool(torch.isfinite(logits).all()):
        raise bad_value(where, "logits", "finite numbers", "nan or infinity")
    if y_true.shape != logits.shape[:1]:
        raise bad_value(where, "y_true", f"{len(logits)} classes, one per row", f"shape {tuple(y_true.shape)}")
    require_device(where, "y_true", y_true, logits)
    if y_true.is_floating_point() or y_true.is_complex() or y_true.dtype == torch.bool:
        raise bad_value(where, "y_true", "classes, whole numbers", y_true.dtype)
    if int(y_true.min()) < 0 or int(y_true.max()) >= logits.shape[1]:
        got = f"{int(y_true.min())} to {int(y_true.max())}"
        raise bad_value(where, "y_true", f"classes 0 to {logits.shape[1] - 1}", got)
    return logits.double(), y_true.long()
