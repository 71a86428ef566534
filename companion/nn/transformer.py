"""The transformer's encoder: attention and a small network in turn, each beside a way past it."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import Module, ModuleList

from companion import functional as F
from companion.functional._arguments import require_choice, require_module, require_share, require_whole
from companion.nn.attention import MultiheadAttention
from companion.nn.dropout import Dropout
from companion.nn.linear import Linear
from companion.nn.norm import LayerNorm

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}


class TransformerEncoderLayer(Module):
    r"""Let the places of a sequence exchange what they know, then let each think for itself.

    .. math:: \begin{aligned} \text{norm last:} \quad  & u = \operatorname{norm}_1(x + \operatorname{attend}(x)),
              & y = \operatorname{norm}_2(u + \operatorname{feed}(u)) \\
              \text{norm first:} \quad & u = x + \operatorname{attend}(\operatorname{norm}_1(x)),
              & y = u + \operatorname{feed}(\operatorname{norm}_2(u)) \end{aligned}

    feed is two :class:`Linear` layers with an activation between, the same for every place. The sums are ways
    on which signal and gradient pass every layer unchanged; with the norm first they are never normalised away,
    and deep stacks train without a warm-up of the learning rate.

    Args:
        d_model: Number of features E of each place, 1 or more.
        nhead: Number of heads, a divisor of E.
        dim_feedforward: Number of hidden neurons of feed, 1 or more.
        dropout: Probability of dropout on the weights of attention, inside feed and after both, from 0 to 1.
        activation: ``"relu"``, ``"gelu"`` or a function of a tensor.
        layer_norm_eps: Added to the variance in the norms, above 0.
        batch_first: Whether the batch comes first: (N, T, E) instead of (T, N, E).
        norm_first: Whether the norms stand before attention and feed.
        bias: Whether projections and norms have biases.
        device: Where the parameters live.
        dtype: Their float type.
        generator: Where initial numbers and dropout come from; None takes PyTorch's global generator.

    Shape:
        Input and output (T, N, E), (N, T, E) with ``batch_first``, or (T, E).

    Attributes:
        self_attn: :class:`MultiheadAttention`.
        linear1: :class:`Linear` from E to dim_feedforward.
        linear2: :class:`Linear` back.
        norm1: :class:`LayerNorm` beside attention.
        norm2: :class:`LayerNorm` beside feed.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If a number is out of range, or the activation unknown.

    Source:
        Vaswani et al. (2017), Attention is all you need; norm first: Xiong et al. (2020), On layer
        normalization in the transformer architecture.

    >>> TransformerEncoderLayer(6, 3, 8)(torch.zeros(7, 2, 6)).shape
    torch.Size([7, 2, 6])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        where, sizes = (
            "TransformerEncoderLayer",
            {"d_model": d_model, "nhead": nhead, "dim_feedforward": dim_feedforward},
        )
        for name, size in sizes.items():
            require_whole(where, name, size, least=1)
        require_share(where, "dropout", dropout)
        if not callable(activation):
            require_choice(where, "activation", activation, _ACTIVATIONS)
        self.activation = activation if callable(activation) else _ACTIVATIONS[activation]
        self.norm_first, self.generator = norm_first, generator
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, device=device, dtype=dtype, generator=generator
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, device, dtype, generator)
        self.dropout = Dropout(dropout, generator=generator)
        self.linear2 = Linear(dim_feedforward, d_model, bias, device, dtype, generator)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)
        self.dropout1 = Dropout(dropout, generator=generator)
        self.dropout2 = Dropout(dropout, generator=generator)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Attend, then feed.

        Args:
            src: The places of the sequences.
            src_mask: Which place must not look at which, as ``attn_mask`` of :class:`MultiheadAttention`.
            src_key_padding_mask: Which places are padding, (N, T) or (T,).
            is_causal: Says that the mask is the causal one; without a mask, makes it.
        """
        if self.norm_first:
            src = src + self._attend(self.norm1(src), src_mask, src_key_padding_mask, is_causal)
            return src + self._feed(self.norm2(src))
        src = self.norm1(src + self._attend(src, src_mask, src_key_padding_mask, is_causal))
        return self.norm2(src + self._feed(src))

    def _attend(self, x: Tensor, mask: Tensor | None, padding: Tensor | None, is_causal: bool) -> Tensor:
        y, _ = self.self_attn(x, x, x, padding, need_weights=False, attn_mask=mask, is_causal=is_causal)
        return self.dropout1(y)

    def _feed(self, x: Tensor) -> Tensor:
        hidden = self.dropout(self.activation(self.linear1(x)))  # (..., E) -> (..., dim_feedforward)
        return self.dropout2(self.linear2(hidden))  # (..., dim_feedforward) -> (..., E)


class TransformerEncoder(Module):
    """Stack encoder layers, and put a norm at the end if one is given.

    Args:
        encoder_layer: What is copied; as in PyTorch all copies begin with the same numbers.
        num_layers: How many copies, 1 or more.
        norm: The last layer, or None. Layers with the norm first need one.
        enable_nested_tensor: Without effect; the argument exists because PyTorch's layer has it. There, in
            eval mode, it lets padded places come out as 0, which here they do not.
        mask_check: Without effect, for the same reason.

    Shape:
        As the layer's.

    Attributes:
        layers: The copies.
        norm: The last layer, or None.

    Raises:
        TypeError: If the layer or the norm is no module, or the number no whole number.
        ValueError: If the number is below 1.

    Source:
        Vaswani et al. (2017), Attention is all you need.

    >>> TransformerEncoder(TransformerEncoderLayer(6, 3, 8), num_layers=2)(torch.zeros(7, 2, 6)).shape
    torch.Size([7, 2, 6])
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        require_module("TransformerEncoder", "encoder_layer", encoder_layer)
        if norm is not None:
            require_module("TransformerEncoder", "norm", norm)
        require_whole("TransformerEncoder", "num_layers", num_layers, least=1)
        drawn_from = getattr(encoder_layer, "generator", None)
        shared = {id(drawn_from): drawn_from}  # copies of it would drop the same numbers in every layer
        self.layers = ModuleList(copy.deepcopy(encoder_layer, dict(shared)) for _ in range(num_layers))
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Pass the sequences through every layer.

        Args:
            src: The places of the sequences.
            mask: Which place must not look at which, as ``attn_mask`` of :class:`MultiheadAttention`.
            src_key_padding_mask: Which places are padding, (N, T) or (T,).
            is_causal: Says that the mask is the causal one; without a mask, makes it. None is no.
        """
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=bool(is_causal))
        return src if self.norm is None else self.norm(src)
