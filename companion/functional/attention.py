"""Scaled dot-product attention: every query takes a weighted mean of the values whose keys it resembles."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_float, require_number, require_share, require_tensor
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
    require_share(where, "dropout_p", dropout_p)
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    require_number(where, "scale", scale)
    lengths = (query.shape[-2], key.shape[-2])
    if is_causal:
        if attn_mask is not None:
            raise bad_value(where, "attn_mask", "None with is_causal", "both", "put the future into the mask")
        attn_mask = torch.ones(lengths, dtype=torch.bool, device=query.device).tril()  # (L, S)
    if attn_mask is not None:
        attn_mask = additive_mask(where, "attn_mask", attn_mask, query.dtype, hides=False)
        _require_broadcast(where, attn_mask, (*query.shape[:-2], *lengths))
    kept = None
    if dropout_p:
        kept = dropout(query.new_ones(*query.shape[:-2], *lengths), dropout_p, generator=generator)
    out, _ = _Attention.apply(query, key, value, attn_mask, kept, scale)
    return out


def additive_mask(where: str, argument: str, mask: Tensor, dtype: torch.dtype, *, hides: bool) -> Tensor:
    """Return a mask to be added to scores: 0 where one may look, -inf where not.

    Args:
        where: Who asks, for the error.
        argument: What the mask is called there.
        mask: Bool, or floats, which come back as they are.
        dtype: The float type of a bool mask's result.
        hides: Whether true hides a place (``MultiheadAttention``) or shows it (this module). PyTorch has both.

    Returns:
        Float tensor of the same shape.
    """
    require_tensor(where, argument, mask)
    if mask.dtype == torch.bool:
        return torch.zeros_like(mask, dtype=dtype).masked_fill(mask if hides else ~mask, -math.inf)
    if not mask.is_floating_point():
        raise bad_value(where, argument, "bool or floats", mask.dtype, f"{argument}.bool() converts it")
    return mask


class _Attention(torch.autograd.Function):
    """The three products and the softmax, with their derivatives written out: about twice as quick."""

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

    @staticmethod
    def backward(ctx: Any, d_out: Tensor | None, _: Tensor | None) -> tuple:
        query, key, value, mask, kept, weights = ctx.saved_tensors
        if d_out is None:
            return None, None, None, None, None, None
        if torch.is_grad_enabled():  # the gradient will be differentiated: let it depend on the inputs
            weights = _weights(query, key, mask, ctx.scale)
        d_weights = d_out @ value.mT  # (..., L, F) @ (..., F, S) -> (..., L, S)
        dropped = weights if kept is None else weights * kept
        if kept is not None:
            d_weights = d_weights * kept
        d_scores = weights * (d_weights - (weights * d_weights).sum(-1, keepdim=True))
        d_mask = d_scores.sum_to_size(mask.shape) if ctx.needs_input_grad[3] else None
        d_query = (d_scores @ key) * ctx.scale  # (..., L, S) @ (..., S, E) -> (..., L, E)
        d_key = (d_scores.mT @ query) * ctx.scale  # (..., S, L) @ (..., L, E) -> (..., S, E)
        return d_query, d_key, dropped.mT @ d_out, d_mask, None, None


def _weights(query: Tensor, key: Tensor, mask: Tensor | None, scale: float) -> Tensor:
    """Share one unit of attention over the keys; none where all are hidden."""
    scores = (query * scale) @ key.mT  # (..., L, E) @ (..., E, S) -> (..., L, S)
    if mask is not None:
        scores = scores + mask
    if not scores.shape[-1]:
        return scores
    top = scores.detach().amax(-1, keepdim=True)
    e = torch.exp(scores - top.masked_fill(top == -math.inf, 0))
    total = e.sum(-1, keepdim=True)
    return e / (total + (total == 0))


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
    """Refuse a mask that would not fit, or would make the scores larger."""
    sizes = tuple(mask.shape)
    fits = len(sizes) <= len(shape) and all(a in (1, b) for a, b in zip(sizes[::-1], shape[::-1], strict=False))
    if not fits:
        raise bad_value(where, "attn_mask", f"what broadcasts to {shape}", sizes, "(L, S) serves all")
