"""The Kullback-Leibler divergence: how far one distribution lies from another."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from companion.functional.losses._shared import REDUCTIONS, SLACK, reduced, require_pair, require_within, widened


def kl_div(input: Tensor, target: Tensor, *, reduction: str = "mean", log_target: bool = False) -> Tensor:
    r"""Measure the surprise that is spent by expecting q where p is the truth, entry by entry.

    .. math:: \ell_i = p_i \, (\log p_i - \log q_i), \qquad
              D_{\mathrm{KL}}(p \,\|\, q) = \sum_i \ell_i \ge 0

    An entry with p = 0 adds nothing where q is above 0; nan, as in PyTorch, where q is 0 too. Finite logits never
    give such a q in :func:`log_softmax`. Which axis holds the distribution is not said, so that sums to 1 cannot be
    checked; each entry is.

    Args:
        input: Logarithms of the expected probabilities q, each at most 0; :func:`log_softmax` gives them.
        target: The true probabilities p, each in [0, 1], or with ``log_target`` their logarithms.
        reduction: ``"batchmean"`` is the divergence, averaged over the first axis. ``"mean"`` divides by the
            number of entries instead, classes included; further ``"sum"``, and ``"none"`` for the entries.
        log_target: Whether ``target`` holds logarithms.

    Shape:
        Any, the same for both; the result is () or, with ``"none"``, has that shape.

    Returns:
        Single entries may be negative; their sum over a distribution lies in [0, inf] and is 0 for p = q without
        zeros. It is inf where q excludes what p allows.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If shapes or devices differ, a tensor does not hold floats, the reduction is unknown, or
            an entry is no probability or no logarithm of one.

    Source:
        Kullback and Leibler (1951), On information and sufficiency.

    >>> p = torch.tensor([[0.5, 0.5]])
    >>> kl_div(torch.log(torch.tensor([[0.25, 0.75]])), p, reduction="batchmean")
    tensor(0.1438)
    """
    require_pair("kl_div", input, target, reduction, (*REDUCTIONS, "batchmean"))
    _require_logarithms("input", input)
    log_q, p = widened(input, target)
    if log_target:
        _require_logarithms("target", target)
        losses = torch.exp(p) * (p - log_q)
    else:
        hint = "with log_target=True it may hold logarithms"
        require_within("kl_div", "target", target, 0, 1 + SLACK, "probabilities from 0 to 1", hint)
        losses = p * torch.log(torch.where(p > 0, p, 1)) - p * log_q
    if reduction != "batchmean":
        return reduced(losses, reduction, input, target)
    return reduced(losses.sum() / (len(losses) if losses.ndim else 1), "none", input, target)


def _require_logarithms(argument: str, value: Tensor) -> None:
    expected, hint = "logarithms of probabilities, at most 0", "log_softmax turns logits into them"
    require_within("kl_div", argument, value, -math.inf, SLACK, expected, hint, nan=True)
