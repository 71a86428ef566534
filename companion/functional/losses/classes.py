"""Losses for one class out of several: minus the logarithm of the right class's probability."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import (
    require_choice,
    require_device,
    require_float,
    require_number,
    require_tensor,
    require_whole,
    value_range,
)
from companion.functional.losses._shared import REDUCTIONS, SLACK, reduced, require_within, widened
from companion.functional.shares import log_softmax


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    r"""Look up the log-probability of the right class and change its sign.

    .. math:: \ell_i = -w_{t_i} \log p_{i t_i}, \qquad \text{mean} = \frac{\sum_i \ell_i}{\sum_i w_{t_i}}

    Args:
        input: Logarithms of probabilities, each at most 0 (looked at where a target points);
            :func:`log_softmax` gives them.
        target: Class numbers of type int64, from 0 to C - 1.
        weight: What each class counts, C numbers; the mean is divided by what was counted.
        ignore_index: A class number that stands for no target: such an entry counts 0.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for one loss a target.

    Shape:
        Input (N, C), (N, C, d1, ...) or (C,); target (N,), (N, d1, ...) or (); the result is () or, with
        ``"none"``, has the shape of target.

    Returns:
        Values in [0, inf); 0 is best. Nan, as in PyTorch, is the mean of no targets.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If shapes do not meet, devices differ, a number of a class is out of range, an entry is
            no logarithm of a probability, or the reduction is unknown.

    Source:
        Fisher (1922), On the mathematical foundations of theoretical statistics.

    >>> logs = torch.log(torch.tensor([[0.5, 0.5], [0.1, 0.9]]))
    >>> nll_loss(logs, torch.tensor([0, 1]), reduction="none")
    tensor([0.6931, 0.1054])
    """
    axis = _require_scores("nll_loss", input, weight, ignore_index, reduction)
    target, ignored = _class_numbers("nll_loss", input, target, axis, ignore_index)
    right = _pick(widened(input)[0], target, axis)
    expected, hint = "logarithms of probabilities, at most 0", "log_softmax turns logits into them"
    counted = right if ignored is None else right.masked_fill(ignored, 0)
    require_within("nll_loss", "input", counted, -torch.inf, SLACK, expected, hint, nan=True)
    return _averaged(-right, target, weight, ignored, reduction, input)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    r"""Take minus the logarithm of the probability that softmax gives to the right class.

    .. math:: \ell_i = -\sum_c w_c \, q_{ic} \log \operatorname{softmax}(z_i)_c, \qquad
              q_{ic} = (1 - \varepsilon) \, t_{ic} + \frac{\varepsilon}{C}, \qquad
              \frac{\partial \ell_i}{\partial z_i} = \operatorname{softmax}(z_i) - q_i

    Here t is 1 at the right class, or the given probabilities; the slope is that without weights. A class
    number without smoothing takes the short way, one exponential an entry, forward and back.

    Args:
        input: Logits z, any numbers.
        target: Class numbers of type int64, from 0 to C - 1, or probabilities in the shape of input that
            sum to 1 over the classes.
        weight: What each class counts, C numbers. Over class numbers the mean is divided by what was
            counted, over probabilities by the number of targets.
        ignore_index: A class number that stands for no target: such an entry counts 0.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for one loss a target.
        label_smoothing: The share of each target that is spread over all classes, in [0, 1].

    Shape:
        Input (N, C), (N, C, d1, ...) or (C,); class numbers (N,), (N, d1, ...) or (); the result is () or,
        with ``"none"``, has the shape of the class numbers.

    Returns:
        Values in [0, inf). Best is 0 for class numbers, else the entropy of the target. Nan, as in PyTorch,
        is the mean of no targets. Beside probabilities a logit of -inf gives inf where its target is above 0, and
        nan, as in PyTorch, where it is 0 too.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If shapes do not meet, devices differ, a number of a class is out of range, probabilities
            do not sum to 1, the reduction is unknown or the smoothing out of range.

    Source:
        Bridle (1990), Probabilistic interpretation of feedforward classification network outputs. Smoothing:
        Szegedy, Vanhoucke, Ioffe, Shlens and Wojna (2016), Rethinking the Inception architecture.

    >>> cross_entropy(torch.tensor([[0.0, 1000.0], [0.0, 0.0]]), torch.tensor([1, 0]), reduction="none")
    tensor([0.0000, 0.6931])
    """
    axis = _require_scores("cross_entropy", input, weight, ignore_index, reduction)
    require_number("cross_entropy", "label_smoothing", label_smoothing)
    if not 0 <= label_smoothing <= 1:
        raise bad_value("cross_entropy", "label_smoothing", "0 to 1", label_smoothing)
    require_tensor("cross_entropy", "target", target)
    (z,) = widened(input)
    if target.shape == input.shape:
        _require_probabilities(target, input, axis, ignore_index)
        shares = (1 - label_smoothing) * widened(target)[0] + label_smoothing / input.shape[axis]
        return reduced(_expected(log_softmax(z, axis), shares, weight, axis), reduction, input, target)
    target, ignored = _class_numbers("cross_entropy", input, target, axis, ignore_index)
    if not label_smoothing:
        function = _CrossEntropy if torch.compiler.is_compiling() else _BothWays
        losses, _, _ = function.apply(z, target, axis)
        return _averaged(losses, target, weight, ignored, reduction, input)
    logs = log_softmax(z, axis)
    even = _expected(logs, torch.full_like(logs, 1 / input.shape[axis]), weight, axis)
    spread = (even, label_smoothing)
    return _averaged(-_pick(logs, target, axis), target, weight, ignored, reduction, input, spread)


class _CrossEntropy(torch.autograd.Function):
    """Minus the log-softmax at one class, beside the exponentials that it is made of and their sum.

    They are outputs so that the slope, probability minus one at the class, is made of them instead of a second
    exponential, and can itself be differentiated. The shift by the maximum is a constant, as in softmax.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(z: Tensor, target: Tensor, axis: int) -> tuple[Tensor, Tensor, Tensor]:
        shifted = z - z.amax(axis, keepdim=True) if z.numel() else z.clone()
        right = _pick(shifted, target, axis)
        e = shifted.exp_()
        total = e.sum(axis, keepdim=True)
        return torch.log(total).squeeze(axis) - right, e, total

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        _, target, ctx.axis = inputs
        ctx.save_for_backward(target, *output[1:])
        ctx.save_for_forward(target, *output[1:])
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(
        ctx: Any, gradient: Tensor | None, by_e: Tensor | None, by_total: Tensor | None
    ) -> tuple[Tensor | None, None, None]:
        target, e, total = ctx.saved_tensors
        shares = [by for by in (by_e, by_total) if by is not None]
        if gradient is not None:
            gradient = gradient.unsqueeze(ctx.axis)  # (N, d1, ...) -> (N, 1, d1, ...)
            shares.append(gradient / total)
        if not shares:
            return None, None, None
        slope = e * sum(shares[1:], shares[0])
        if gradient is not None:
            slope.scatter_add_(ctx.axis, target.unsqueeze(ctx.axis), -gradient)
        return slope, None, None


class _BothWays(_CrossEntropy):
    """Forward mode too; the compiler takes no function that has it into its graph."""

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: None) -> tuple[Tensor, Tensor, Tensor]:
        target, e, total = ctx.saved_tensors
        e_tangent = e * tangent
        sum_tangent = e_tangent.sum(ctx.axis, keepdim=True)
        return (sum_tangent / total).squeeze(ctx.axis) - _pick(tangent, target, ctx.axis), e_tangent, sum_tangent


def _pick(values: Tensor, target: Tensor, axis: int) -> Tensor:
    """Take the entry of each target's class."""
    # (N, C, d1, ...) at (N, 1, d1, ...) -> (N, d1, ...)
    return values.gather(axis, target.unsqueeze(axis)).squeeze(axis)


def _expected(logs: Tensor, shares: Tensor, weight: Tensor | None, axis: int) -> Tensor:
    """Average minus the logarithms over the classes, by the share and the weight of each."""
    if weight is not None:
        shares = shares * weight.reshape(-1, *[1] * (logs.ndim - 1 - axis))  # (C,) -> (C, 1, ...)
    return -(logs * shares).sum(axis)  # (N, C, d1, ...) -> (N, d1, ...)


def _averaged(
    losses: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignored: Tensor | None,
    reduction: str,
    source: Tensor,
    spread: tuple[Tensor, float] | None = None,
) -> Tensor:
    """Weigh each loss by its class, leave out the ignored ones and reduce; the mean is over what counts."""
    if weight is not None:
        losses = losses * weight[target]
    if spread is not None:
        even, share = spread
        losses = (1 - share) * losses + share * even
    if ignored is not None:
        losses = losses.masked_fill(ignored, 0)
    if reduction != "mean" or (weight is None and ignored is None):
        return reduced(losses, reduction, source)
    counts = torch.ones_like(losses) if weight is None else weight[target]
    if ignored is not None:
        counts = counts.masked_fill(ignored, 0)
    return reduced(losses.sum() / counts.sum(), "none", source)


def _require_scores(where: str, input: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> int:
    """Check all but the targets and return the axis of the classes."""
    require_choice(where, "reduction", reduction, REDUCTIONS)
    require_float(where, "input", input)
    if not input.ndim:
        raise bad_value(where, "input", "shape (N, C), (N, C, d1, ...) or (C,)", "()")
    require_whole(where, "ignore_index", ignore_index, least=-(2**63))
    axis = 0 if input.ndim == 1 else 1
    if weight is not None:
        require_float(where, "weight", weight)
        require_device(where, "weight", weight, input)
        if weight.shape != input.shape[axis : axis + 1]:
            hint = "one number for each class"
            raise bad_value(where, "weight", f"shape ({input.shape[axis]},)", tuple(weight.shape), hint)
    return axis


def _class_numbers(
    where: str, input: Tensor, target: Tensor, axis: int, ignore_index: int
) -> tuple[Tensor, Tensor | None]:
    """Return class numbers that can all be looked up, and where they are to be ignored, None for nowhere."""
    require_tensor(where, "target", target)
    require_device(where, "target", target, input)
    shape = input.shape[:axis] + input.shape[axis + 1 :]
    if target.shape != shape:
        hint = "target.squeeze(1) takes an axis of size 1 away" if target.shape == (*shape, 1) else ""
        also = f", or {tuple(input.shape)} for probabilities" if where == "cross_entropy" else ""
        raise bad_value(where, "target", f"shape {tuple(shape)}{also}", tuple(target.shape), hint)
    if target.dtype != torch.int64:
        hint = "target.long() converts them"
        raise bad_value(where, "target", "class numbers of type torch.int64", target.dtype, hint)
    span = value_range(target)
    ignored = None
    if span is None or span[0] <= ignore_index <= span[1]:
        ignored = target == ignore_index
        target = target.masked_fill(ignored, 0)
        span = value_range(target)
    classes = input.shape[axis]
    if span is not None and not 0 <= span[0] <= span[1] < classes:
        hint = f"the input has {classes} classes; ignore_index={ignore_index} marks an entry without target"
        raise bad_value(where, "target", f"class numbers from 0 to {classes - 1}", f"{span[0]} to {span[1]}", hint)
    return target, ignored


def _require_probabilities(target: Tensor, input: Tensor, axis: int, ignore_index: int) -> None:
    """Refuse targets in the shape of the input that are no probabilities over the classes."""
    where = "cross_entropy"
    require_device(where, "target", target, input)
    if not target.is_floating_point():
        hint = "class numbers have no axis of classes: target.argmax(dim=1) makes them of rows of 0 and 1"
        raise bad_value(where, "target", "probabilities, floats in the shape of input", target.dtype, hint)
    if ignore_index >= 0:
        hint = "probabilities have no class number to ignore"
        raise bad_value(where, "ignore_index", "below 0 beside probabilities", ignore_index, hint)
    hint = "log-probabilities and logits are no targets; softmax makes probabilities of them"
    require_within(where, "target", target, 0, 1 + SLACK, "probabilities from 0 to 1", hint)
    slack = max(SLACK, 2 * torch.finfo(target.dtype).eps)
    total = widened(target)[0].sum(axis)
    hint = "softmax, or a division by the sum, makes probabilities"
    require_within(where, "target", total, 1 - slack, 1 + slack, f"a sum of 1 over axis {axis}", hint)
