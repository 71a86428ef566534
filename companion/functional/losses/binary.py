"""Losses for yes-or-no questions: how sure an answer was of the wrong thing."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_number
from companion.functional.activations import sigmoid, softplus
from companion.functional.losses._shared import reduced, require_pair, require_weight, require_within, widened


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    r"""Take minus the logarithm of the probability that was given to what came true.

    .. math:: \ell_i = -w_i \left( t_i \log p_i + (1 - t_i) \log(1 - p_i) \right), \qquad
              \frac{\partial \ell_i}{\partial p_i} = w_i \, \frac{p_i - t_i}{p_i (1 - p_i)}

    As in PyTorch a logarithm counts at most 100 and the denominator at least 1e-12, so that a probability
    that rounded to 0 or 1 costs much instead of everything. From logits,
    :func:`binary_cross_entropy_with_logits` needs neither.

    Args:
        input: Probabilities p of a yes, in [0, 1].
        target: 0 for no, 1 for yes, or a share of yes between them.
        weight: What each entry counts; spreads over the shape of the others.
        reduction: ``"mean"`` over all entries, ``"sum"``, or ``"none"`` for one loss an entry.

    Shape:
        Any, the same for input and target; the result is () or, with ``"none"``, has that shape.

    Returns:
        Values in [0, 100] times the weight; 0 is best.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If shapes or devices differ, a tensor does not hold floats, the reduction is unknown, or
            probabilities or targets leave [0, 1].

    Source:
        Cox (1958), The regression analysis of binary sequences.

    >>> binary_cross_entropy(torch.tensor([0.5, 0.25]), torch.tensor([1.0, 0.0]), reduction="none")
    tensor([0.6931, 0.2877])
    """
    name = "binary_cross_entropy"
    require_pair(name, input, target, reduction)
    require_weight(name, "weight", weight, input)
    hint = "for logits there is binary_cross_entropy_with_logits"
    require_within(name, "input", input, 0, 1, "probabilities from 0 to 1", hint, nan=True)
    _require_shares(name, target)
    losses = (_Bernoulli if torch.compiler.is_compiling() else _BothWays).apply(*widened(input, target))
    return _weighted(losses, weight, reduction, input, target)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    r"""Take :func:`binary_cross_entropy` straight from logits, without probabilities that round to 0 or 1.

    .. math:: \ell_i = w_i \left( v \, t_i \operatorname{softplus}(-z_i)
              + (1 - t_i) \operatorname{softplus}(z_i) \right), \qquad
              \operatorname{softplus}(-z) = -\log \sigma(z), \quad
              \operatorname{softplus}(z) = -\log(1 - \sigma(z))

    Without weights the slope is :math:`\sigma(z_i) - t_i`: probability minus target. Both halves are computed,
    so that value and slope keep their digits however sure the model is.

    Args:
        input: Logits z, any numbers.
        target: 0 for no, 1 for yes, or a share of yes between them.
        weight: What each entry counts; spreads over the shape of the others.
        reduction: ``"mean"`` over all entries, ``"sum"``, or ``"none"`` for one loss an entry.
        pos_weight: What a yes counts beside a no (v), one number for each class; above 1 where yes is rare.

    Shape:
        Any, the same for input and target; the result is () or, with ``"none"``, has that shape.

    Returns:
        Values in [0, inf); 0 is best.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If shapes or devices differ, a tensor does not hold floats, the reduction is unknown, or
            targets leave [0, 1].

    Source:
        Cox (1958), The regression analysis of binary sequences.

    >>> binary_cross_entropy_with_logits(torch.tensor([0.0, 1000.0]), torch.tensor([1.0, 0.0]), reduction="none")
    tensor([6.9315e-01, 1.0000e+03])
    """
    name = "binary_cross_entropy_with_logits"
    require_pair(name, input, target, reduction)
    require_weight(name, "weight", weight, input)
    require_weight(name, "pos_weight", pos_weight, input)
    _require_shares(name, target)
    z, t = widened(input, target)
    yes = t if pos_weight is None else t * widened(pos_weight)[0]
    return _weighted(_from_logits(z, yes, 1 - t), weight, reduction, input, target)


def sigmoid_focal_loss(
    inputs: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2, reduction: str = "none"
) -> Tensor:
    r"""Take binary cross-entropy and count each example less, the surer the model already is of it.

    .. math:: \ell_i = -\alpha_i \, (1 - q_i)^\gamma \log q_i, \qquad
              q_i = \begin{cases} \sigma(z_i) & t_i = 1 \\ 1 - \sigma(z_i) & t_i = 0 \end{cases}, \quad
              \alpha_i = \begin{cases} \alpha & t_i = 1 \\ 1 - \alpha & t_i = 0 \end{cases}

    Thousands of easy examples (background in a picture) then no longer drown a few hard ones. A target
    between 0 and 1 mixes the two cases of q and of alpha.

    Args:
        inputs: Logits z, any numbers.
        targets: 0 for no, 1 for yes, or a share of yes between them.
        alpha: What a yes counts, in [0, 1], beside a no with 1 - alpha; -1 leaves both at 1.
        gamma: How fast sure examples lose their weight, 0 or more; 0 is plain cross-entropy.
        reduction: ``"none"`` for one loss an entry, ``"mean"`` over all entries, or ``"sum"``.

    Shape:
        Any, the same for both; the result is () or, with ``"none"``, has that shape.

    Returns:
        Values in [0, inf); 0 is best.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If shapes or devices differ, a tensor does not hold floats, the reduction is unknown,
            targets leave [0, 1], alpha is out of range or gamma below 0.

    Source:
        Lin, Goyal, Girshick, He and Dollár (2017), Focal loss for dense object detection.

    >>> sigmoid_focal_loss(torch.tensor([0.0, 0.0]), torch.tensor([1.0, 0.0]))
    tensor([0.0433, 0.1300])
    """
    name = "sigmoid_focal_loss"
    require_pair(name, inputs, targets, reduction, names=("inputs", "targets"))
    require_number(name, "alpha", alpha)
    require_number(name, "gamma", gamma)
    if alpha != -1 and not 0 <= alpha <= 1:
        raise bad_value(name, "alpha", "0 to 1, or -1 for no balance", alpha)
    if gamma < 0:
        raise bad_value(name, "gamma", "0 or more", gamma)
    _require_shares(name, targets, "targets")
    z, t = widened(inputs, targets)
    unsure = t * sigmoid(-z) + (1 - t) * sigmoid(z)  # 1 - q, to its last digit
    unsure = unsure.clamp(min=torch.finfo(unsure.dtype).tiny)  # at 0 a root has no slope
    losses = _from_logits(z, t, 1 - t) * unsure**gamma
    if alpha != -1:
        losses = losses * (alpha * t + (1 - alpha) * (1 - t))
    return reduced(losses, reduction, inputs, targets)


class _Bernoulli(torch.autograd.Function):
    """Minus the log-probability, with the two slopes by hand: at p = 0 the automatic one would be 0 / 0."""

    generate_vmap_rule = True

    @staticmethod
    def forward(p: Tensor, t: Tensor) -> Tensor:
        log_yes, log_no = _clamped_logs(p)
        return -(t * log_yes + (1 - t) * log_no)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None]:
        p, t = ctx.saved_tensors
        return gradient * _slope(p, t), gradient * _slope_of_target(p) if ctx.needs_input_grad[1] else None


class _BothWays(_Bernoulli):
    """Forward mode too; the compiler takes no function that has it into its graph."""

    @staticmethod
    def jvp(ctx: Any, p_tangent: Tensor, t_tangent: Tensor) -> Tensor:
        p, t = ctx.saved_tensors
        return p_tangent * _slope(p, t) + t_tangent * _slope_of_target(p)


def _clamped_logs(p: Tensor) -> tuple[Tensor, Tensor]:
    return torch.log(p).clamp(min=-100), torch.log1p(-p).clamp(min=-100)


def _slope(p: Tensor, t: Tensor) -> Tensor:
    return (p - t) / (p * (1 - p)).clamp(min=1e-12)


def _slope_of_target(p: Tensor) -> Tensor:
    log_yes, log_no = _clamped_logs(p)
    return log_no - log_yes


class _Charged(torch.autograd.Function):
    """What a yes costs, softplus(-z), by its share, plus what a no costs, softplus(z), by its.

    Both are the same curve, log(1 + exp(-|z|)), plus a straight part on one side.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(z: Tensor, yes: Tensor, no: Tensor) -> Tensor:
        curve = torch.abs(z).neg_().exp_().log1p_()
        straight = torch.clamp(z, min=0)
        return ((yes + no) * curve).add_(no * straight).add_(yes * (straight - z))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        z, yes, no = ctx.saved_tensors
        by_yes = gradient * _cost(-z) if ctx.needs_input_grad[1] else None
        by_no = gradient * _cost(z) if ctx.needs_input_grad[2] else None
        return gradient * _slope_of_logit(z, yes, no), by_yes, by_no


class _ChargedBothWays(_Charged):
    """Forward mode too; the compiler takes no function that has it into its graph."""

    @staticmethod
    def jvp(ctx: Any, z_tangent: Tensor, yes_tangent: Tensor, no_tangent: Tensor) -> Tensor:
        z, yes, no = ctx.saved_tensors
        return z_tangent * _slope_of_logit(z, yes, no) + yes_tangent * _cost(-z) + no_tangent * _cost(z)


def _cost(z: Tensor) -> Tensor:
    return softplus(z, threshold=math.inf)


def _slope_of_logit(z: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    return no * sigmoid(z) - yes * sigmoid(-z)


def _from_logits(z: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    return (_Charged if torch.compiler.is_compiling() else _ChargedBothWays).apply(z, yes, no)


def _require_shares(name: str, target: Tensor, argument: str = "target") -> None:
    hint = "0 means no, 1 means yes; for more classes there is cross_entropy"
    require_within(name, argument, target, 0, 1, "values from 0 to 1", hint)


def _weighted(losses: Tensor, weight: Tensor | None, reduction: str, *sources: Tensor) -> Tensor:
    return reduced(losses if weight is None else losses * weight, reduction, *sources)
