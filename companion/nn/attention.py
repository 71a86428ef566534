"""Attention with several heads as a layer."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from companion import functional as F
from companion import init
from companion.errors import bad_value
from companion.functional._arguments import require_device, require_float, require_shape, require_share, require_whole
from companion.functional.attention import additive_mask, future
from companion.nn.linear import Linear


class MultiheadAttention(Module):
    r"""Look at the same places with several pairs of eyes: attention in H subspaces side by side.

    .. math:: \operatorname{head}_h = \operatorname{attention}(Q W_h^Q, K W_h^K, V W_h^V), \qquad
              y = [\operatorname{head}_1, \ldots, \operatorname{head}_H] \, W^O

    Each head is :func:`companion.functional.scaled_dot_product_attention` on E / H features of its own.

    Args:
        embed_dim: Number of features E of queries and results, 1 or more.
        num_heads: Number of heads H, a divisor of E.
        dropout: Probability with which weights are dropped in training mode, from 0 to 1.
        bias: Whether the projections have biases.
        add_bias_kv: Only False; the argument exists because PyTorch's layer has it.
        add_zero_attn: Only False, for the same reason.
        kdim: Number of features of the keys; None is E.
        vdim: Number of features of the values; None is E.
        batch_first: Whether the batch comes first: (N, L, E) instead of (L, N, E).
        device: Where the parameters live.
        dtype: Their float type.
        generator: Where initial numbers and dropout come from; None takes PyTorch's global generator. The
            projections start from Xavier's uniform distribution, their biases from 0.

    Shape:
        Query (L, N, E), key (S, N, kdim), value (S, N, vdim), or without N; see ``forward``.

    Attributes:
        in_proj_weight: Parameter of shape (3E, E) for queries, keys, values; None where their widths differ.
        q_proj_weight: Parameter of shape (E, E) in that case, else None.
        k_proj_weight: Parameter of shape (E, kdim) in that case, else None.
        v_proj_weight: Parameter of shape (E, vdim) in that case, else None.
        in_proj_bias: Parameter of shape (3E,), or None.
        out_proj: The last projection, a :class:`Linear` layer.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If a number is out of range or the heads do not divide the features.

    Source:
        Vaswani et al. (2017), Attention is all you need.

    >>> x = torch.zeros(7, 2, 6)
    >>> y, weights = MultiheadAttention(6, 3)(x, x, x)
    >>> y.shape, weights.shape
    (torch.Size([7, 2, 6]), torch.Size([2, 7, 7]))
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.kdim, self.vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        self.batch_first, self.generator = batch_first, generator
        self._require_options(add_bias_kv, add_zero_attn)
        self.head_dim = embed_dim // num_heads
        together = self.kdim == self.vdim == embed_dim
        shapes = {
            "q_proj_weight": None if together else (embed_dim, embed_dim),
            "k_proj_weight": None if together else (embed_dim, self.kdim),
            "v_proj_weight": None if together else (embed_dim, self.vdim),
            "in_proj_weight": (3 * embed_dim, embed_dim) if together else None,
            "in_proj_bias": (3 * embed_dim,) if bias else None,
        }
        for name, shape in shapes.items():
            parameter = None if shape is None else Parameter(torch.empty(shape, device=device, dtype=dtype))
            self.register_parameter(name, parameter)
        self.out_proj = Linear(embed_dim, embed_dim, bias, device, dtype, generator)
        self._draw(generator)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw all parameters anew.

        Args:
            generator: Where the numbers come from; None takes PyTorch's global generator.
        """
        self.out_proj.reset_parameters(generator)
        self._draw(generator)

    def _draw(self, generator: torch.Generator | None) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight, generator=generator)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                bias.data = torch.zeros_like(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Let every query look at every key, in each head.

        Args:
            query: (L, N, E), (N, L, E) with ``batch_first``, or (L, E).
            key: (S, N, kdim), (N, S, kdim) or (S, kdim).
            value: (S, N, vdim), (N, S, vdim) or (S, vdim).
            key_padding_mask: (N, S) or (S,); bool, true where a key is padding, or floats to be added.
            need_weights: Whether to return the weights; without them the layer is quicker.
            attn_mask: (L, S) or (N H, L, S); bool, true where a query must *not* look, or floats to be added.
            average_attn_weights: Whether to return the mean over the heads.
            is_causal: Says that the mask is the causal one; without a mask, makes it.

        Returns:
            The results, of the query's shape, and the weights (N, L, S), with heads (N, H, L, S), without N as
            the query; or None. Where a query may look nowhere, they are nan when weights are asked for, and its
            result is the last bias when not, both as in PyTorch.
        """
        batched = self._require_inputs(query, key, value)
        q, k, v = (self._heads(part, batched) for part in self._project(query, key, value))  # (N, H, L or S, E / H)
        mask = self._mask(q, k, key_padding_mask, attn_mask, is_causal, batched)
        dropout = self.dropout if self.training else 0.0
        if need_weights:
            scores = (q / self.head_dim**0.5) @ k.mT  # (N, H, L, E / H) @ (N, H, E / H, S) -> (N, H, L, S)
            weights = F.softmax(scores if mask is None else scores + mask)
            weights = F.dropout(weights, dropout, generator=self.generator)
            y = weights @ v  # (N, H, L, S) @ (N, H, S, E / H) -> (N, H, L, E / H)
        else:
            y = F.scaled_dot_product_attention(q, k, v, mask, dropout, generator=self.generator)
        y = self.out_proj(y.transpose(1, 2).flatten(2))  # (N, H, L, E / H) -> (N, L, E)
        y = self._as_given(y, batched)
        if not need_weights:
            return y, None
        weights = weights.mean(1) if average_attn_weights else weights  # (N, H, L, S) -> (N, L, S)
        return y, weights if batched else weights.squeeze(0)

    def _project(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, ...]:
        """Give queries, keys and values their E features each; one product where all three are the same."""
        biases = (None, None, None) if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        if self.in_proj_weight is None:
            weights: tuple = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        elif query is key and key is value:
            return F.linear(query, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)  # (.., 3E) -> 3 x (.., E)
        else:
            weights = self.in_proj_weight.chunk(3)  # (3E, E) -> 3 x (E, E)
        return tuple(F.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True))

    def _heads(self, x: Tensor, batched: bool) -> Tensor:
        """Bring the batch to the front and cut the features into heads."""
        x = x.unsqueeze(0) if not batched else x if self.batch_first else x.transpose(0, 1)  # -> (N, L, E)
        return x.unflatten(2, (self.num_heads, self.head_dim)).transpose(1, 2)  # (N, L, E) -> (N, H, L, E / H)

    def _as_given(self, y: Tensor, batched: bool) -> Tensor:
        return y.squeeze(0) if not batched else y if self.batch_first else y.transpose(0, 1)  # (N, L, E) ->

    def _mask(
        self,
        q: Tensor,
        k: Tensor,
        padding: Tensor | None,
        attention: Tensor | None,
        is_causal: bool,
        batched: bool,
    ) -> Tensor | None:
        """Add both masks up to one that broadcasts to (N, H, L, S)."""
        where, batch, heads, lengths = "MultiheadAttention", q.shape[0], self.num_heads, (q.shape[2], k.shape[2])
        if attention is None and is_causal:
            attention = future(q, k)
        if attention is not None:
            attention = additive_mask(where, "attn_mask", attention, q, hides=True)
            if attention.ndim == 3:
                require_shape(where, "attn_mask", attention, (batch * heads, *lengths), "or (L, S) for all")
                attention = attention.unflatten(0, (batch, heads))  # (N H, L, S) -> (N, H, L, S)
            else:
                require_shape(where, "attn_mask", attention, lengths, "or one for each sequence and head")
        if padding is None:
            return attention
        padding = additive_mask(where, "key_padding_mask", padding, q, hides=True)
        require_shape(where, "key_padding_mask", padding, (batch, lengths[1]) if batched else lengths[1:])
        padding = padding.reshape(batch, 1, 1, lengths[1])  # (N, S) -> (N, 1, 1, S)
        return padding if attention is None else padding + attention

    def _require_inputs(self, query: Tensor, key: Tensor, value: Tensor) -> bool:
        """Refuse what does not fit; say whether there is a batch."""
        where = "MultiheadAttention"
        for name, tensor in (("query", query), ("key", key), ("value", value)):
            require_float(where, name, tensor)
            require_device(where, name, tensor, beside=self.out_proj.weight)
        if query.ndim not in (2, 3) or query.shape[-1] != self.embed_dim:
            batch = f"(N, L, {self.embed_dim})" if self.batch_first else f"(L, N, {self.embed_dim})"
            raise bad_value(where, "query", f"shape {batch} or (L, {self.embed_dim})", tuple(query.shape))
        batched = query.ndim == 3
        time = 1 if batched and self.batch_first else 0
        places = key.shape[time] if key.ndim == query.ndim else query.shape[time]  # L may differ from S
        shape = (*query.shape[:time], places, *query.shape[time + 1 : -1])
        hint = "as many sequences as the query, as many values as keys"
        require_shape(where, "key", key, (*shape, self.kdim), hint)
        require_shape(where, "value", value, (*shape, self.vdim), hint)
        return batched

    def _require_options(self, add_bias_kv: bool, add_zero_attn: bool) -> None:
        where = "MultiheadAttention"
        sizes = {"embed_dim": self.embed_dim, "num_heads": self.num_heads, "kdim": self.kdim, "vdim": self.vdim}
        for name, size in sizes.items():
            require_whole(where, name, size, least=1)
        require_share(where, "dropout", self.dropout)
        if self.embed_dim % self.num_heads:
            raise bad_value(where, "num_heads", f"a divisor of the {self.embed_dim} features", self.num_heads)
        for name, option in (("add_bias_kv", add_bias_kv), ("add_zero_attn", add_zero_attn)):
            if option:
                raise bad_value(where, name, "False", option, "no chapter uses it, and no transformer since 2017")

    def extra_repr(self) -> str:
        """Name the sizes when the layer is printed."""
        return f"embed_dim={self.embed_dim}, num_heads={self.num_heads}, batch_first={self.batch_first}"
