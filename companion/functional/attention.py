"""Scaled dot-product attention: every query takes a weighted mean of the values whose keys it resembles."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor

from companion.errors import bad_value
from companion.functional._arguments import (
    in_one_type,
    require_device,
    require_float,
    require_number,
    require_share,
    require_tensor,
)
from companion.functional.dropout import dropout


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    generator: Generator | None = None,
) -> Tensor:
    r"""Let every query take a mean of the values, weighted by how well the keys match it.

    .. math:: \operatorname{attention}(Q, K, V) =
              \operatorname{softmax} \left( \frac{Q K^\top}{\sqrt{E}} + M \right) V

    The products of two random vectors grow with the root of their length E; divided by it they keep the softmax
    out of the region where one weight is 1 and all slopes are 0. The mask M holds -inf where a query must not
    look. A query that may look nowhere gets 0, as in PyTorch, not 0 / 0.

    Args:
        query: What each of L places looks for.
        key: What each of S places offers to be found by.
        value: What each of S places hands over.
        attn_mask: Float, added to the scores; or bool, true where a query may look. None hides nothing.
        dropout_p: Probability with which weights are dropped, from 0 to 1; 0 outside training.
        is_causal: Whether query i sees keys 0 to i only; not together with a mask.
        scale: Multiplies the products; None is 1 / sqrt(E).
        generator: Where dropout draws from; None takes PyTorch's global generator.

    Shape:
        query (..., L, E), key (..., S, E), value (..., S, F), with the same axes in front; the mask broadcasts
        to (..., L, S). The result is (..., L, F).

    Returns:
        Means of the values.

    Raises:
        TypeError: If an argument is no tensor or no number.
        ValueError: If one does not hold floats, the shapes do not meet, or a mask comes with ``is_causal``.

    Source:
        Vaswani et al. (2017), Attention is all you need.

    >>> keys, values = torch.tensor([[9.0, 0.0], [0.0, 9.0]]), torch.tensor([[1.0], [2.0]])
    >>> scaled_dot_product_attention(torch.tensor([[0.0, 9.0], [1.0, 1.0]]), keys, values)
    tensor([[2.0000],
            [1.5000]])
    """
    where = "scaled_dot_product_attention"
    _require_shapes(where, query, key, value)
    query, key, value = in_one_type(where, query=query, key=key, value=value)
    require_share(where, "dropout_p", dropout_p)
    if scale is None:
        scale = 1 / math.sqrt(max(query.shape[-1], 1))
    require_number(where, "scale", scale)
    shape = (*query.shape[:-1], key.shape[-2])  # of the scores, (..., L, S)
    if is_causal:
        if attn_mask is not None:
            raise bad_value(where, "attn_mask", "None with is_causal", "both", "put the future into the mask")
        attn_mask = future(query, key)
    if attn_mask is not None:
        attn_mask = additive_mask(where, "attn_mask", attn_mask, query, hides=is_causal)
        _require_broadcast(where, attn_mask, shape)
    kept = dropout(query.new_ones(shape), dropout_p, generator=generator) if dropout_p else None
    if torch.compiler.is_compiling() or not torch.is_grad_enabled():  # the compiler derives the steps itself
        return _Attention.forward(query, key, value, attn_mask, kept, scale)[0]
    return _Attention.apply(query, key, value, attn_mask, kept, scale)[0]


def future(query: Tensor, key: Tensor) -> Tensor:
    """Return a mask that is true where a key comes after the query, (L, S)."""
    return torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device).triu(1)


def additive_mask(where: str, argument: str, mask: Tensor, query: Tensor, *, hides: bool) -> Tensor:
    """Return a mask to be added to scores: 0 where one may look, -inf where not.

    Args:
        where: Who asks, for the error.
        argument: What the mask is called there.
        mask: Bool, or floats, which keep their values.
        query: Whose device and float type the mask has to have, or gets.
        hides: Whether true hides a place (``MultiheadAttention``) or shows it (this module). PyTorch has both.

    Returns:
        Float tensor of the mask's shape.
    """
    require_tensor(where, argument, mask)
    require_device(where, argument, mask, beside=query)
    if mask.dtype == torch.bool:
        return torch.zeros_like(mask, dtype=query.dtype).masked_fill(mask if hides else mask.logical_not(), -math.inf)
    if not mask.is_floating_point():
        raise bad_value(where, argument, "bool or floats", mask.dtype, f"{argument}.bool() converts it")
    return mask.to(query.dtype)


class _Attention(torch.autograd.Function):
    """The two products and the softmax between, with their derivatives written out: it takes half the time."""

    generate_vmap_rule = True  # lets torch.func map it over batches

    @staticmethod
    def forward(
        query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, kept: Tensor | None, scale: float
    ) -> tuple[Tensor, Tensor]:
        weights = _weights(query, key, mask, scale)
        return (weights if kept is None else weights * kept) @ value, weights  # (..., L, S) @ (..., S, F)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple[Tensor, Tensor]) -> None:
        *tensors, ctx.scale = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)  # no zeros for the weights
        ctx.save_for_backward(*tensors, output[1])
        ctx.save_for_forward(*tensors, output[1])

    @staticmethod
    def backward(ctx: Any, d_out: Tensor | None, _: Tensor | None) -> tuple:
        query, key, value, mask, kept, weights = ctx.saved_tensors
        if d_out is None:
            return None, None, None, None, None, None
        if torch.is_grad_enabled():  # the gradient will be differentiated: let it depend on the inputs
            weights = _weights(query, key, mask, ctx.scale)
        d_weights = d_out @ value.mT  # (..., L, F) @ (..., F, S) -> (..., L, S)
        d_scores = _through_softmax(weights, d_weights if kept is None else d_weights * kept)
        d_query = (d_scores @ key) * ctx.scale  # (..., L, S) @ (..., S, E) -> (..., L, E)
        d_key = (d_scores.mT @ query) * ctx.scale  # (..., S, L) @ (..., L, E) -> (..., S, E)
        d_value = (weights if kept is None else weights * kept).mT @ d_out  # -> (..., S, F)
        d_mask = d_scores.sum_to_size(mask.shape) if ctx.needs_input_grad[3] else None
        return d_query, d_key, d_value, d_mask, None, None

    @staticmethod
    def jvp(
        ctx: Any,
        of_query: Tensor | None,
        of_key: Tensor | None,
        of_value: Tensor | None,
        of_mask: Tensor | None,
        *_: None,
    ) -> tuple[Tensor, None]:
        query, key, value, _mask, kept, weights = ctx.saved_tensors
        of_scores = torch.zeros_like(weights)
        if of_query is not None:
            of_scores = of_scores + (of_query * ctx.scale) @ key.mT
        if of_key is not None:
            of_scores = of_scores + (query * ctx.scale) @ of_key.mT
        if of_mask is not None:
            of_scores = of_scores + of_mask
        factor = 1 if kept is None else kept
        of_out = (_through_softmax(weights, of_scores) * factor) @ value
        return of_out if of_value is None else of_out + (weights * factor) @ of_value, None


def _weights(query: Tensor, key: Tensor, mask: Tensor | None, scale: float) -> Tensor:
    """Share one unit of attention over the keys; none where all are hidden."""
    scores = (query * scale) @ key.mT  # (..., L, E) @ (..., E, S) -> (..., L, S)
    if mask is not None:
        scores = scores + mask
    if not scores.shape[-1]:
        return scores
    top = scores.detach().amax(-1, keepdim=True)
    e = scores.sub_(top.masked_fill(top == -math.inf, 0)).exp_()  # in place: the scores are the largest array
    total = e.sum(-1, keepdim=True)
    return e / (total + (total == 0))


def _through_softmax(weights: Tensor, change: Tensor) -> Tensor:
    """Multiply by the derivative of the softmax: a symmetric matrix, so forward and back are one formula."""
    return weights * (change - (weights * change).sum(-1, keepdim=True))


def _require_shapes(where: str, query: Tensor, key: Tensor, value: Tensor) -> None:
    for name, tensor in (("query", query), ("key", key), ("value", value)):
        require_float(where, name, tensor)
        if tensor.ndim < 2:
            raise bad_value(where, name, "shape (..., places, features)", tuple(tensor.shape))
    front = tuple(query.shape[:-2])
    if key.shape[:-2] != query.shape[:-2] or key.shape[-1] != query.shape[-1]:
        expected = f"shape {(*front, 'S', query.shape[-1])}".replace("'", "")
        raise bad_value(where, "key", expected, tuple(key.shape), "a product needs vectors of one length")
    if value.shape[:-1] != key.shape[:-1]:
        expected = f"shape {(*key.shape[:-1], 'F')}".replace("'", "")
        raise bad_value(where, "value", expected, tuple(value.shape), "each key has its value")


def _require_broadcast(where: str, mask: Tensor, shape: tuple[int, ...]) -> None:
    """Refuse a mask that does not fit, or would enlarge the scores."""
    given = tuple(mask.shape)
    pairs = zip(reversed(given), reversed(shape), strict=False)
    if len(given) > len(shape) or any(a not in (1, b) for a, b in pairs):
        raise bad_value(where, "attn_mask", f"what broadcasts to {shape}", given, "(L, S) serves all")
