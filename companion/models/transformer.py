"""A transformer's encoder as a whole model: tokens and their places in, one decision out."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from companion import nn
from companion.errors import bad_value
from companion.functional._arguments import require_choice, require_whole


def sinusoidal_positions(length: int, dim: int) -> Tensor:
    r"""Give each place in a sequence a row of sines and cosines, from quick to slow.

    .. math:: P_{t, 2i} = \sin \frac{t}{10000^{2i / E}}, \qquad P_{t, 2i+1} = \cos \frac{t}{10000^{2i / E}}

    Attention by itself does not know the order of what it sees. A shift by a fixed number of places turns each
    pair of sine and cosine by a fixed angle, whatever the place: that is easy to learn.

    Args:
        length: How many places, 1 or more.
        dim: Length E of a row, even, 2 or more.

    Returns:
        Tensor (length, dim) of numbers from -1 to 1.

    Raises:
        TypeError: If a number is not whole.
        ValueError: If a number is below its least or ``dim`` is odd.

    Source:
        Vaswani et al. (2017), Attention is all you need.

    >>> sinusoidal_positions(2, 2)
    tensor([[0.0000, 1.0000],
            [0.8415, 0.5403]])
    """
    require_whole("sinusoidal_positions", "length", length, least=1)
    require_whole("sinusoidal_positions", "dim", dim, least=2)
    if dim % 2:
        raise bad_value("sinusoidal_positions", "dim", "an even number", dim, "sines and cosines come in pairs")
    speeds = torch.exp(torch.arange(0, dim, 2, dtype=torch.float64) * (-math.log(10000) / dim))  # (E / 2,)
    angles = torch.arange(length, dtype=torch.float64).unsqueeze(1) * speeds  # (T, 1) * (E / 2,) -> (T, E / 2)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1).to(torch.get_default_dtype())  # -> (T, E)


class TransformerClassifier(nn.Module):
    """Let the tokens of a sequence exchange what they know, average them, and decide.

    Norms stand first, so that deep stacks train without a warm-up.

    Args:
        vocab_size: How many different tokens.
        num_classes: How many classes.
        d_model: Length of a token's row, a multiple of ``nhead``.
        nhead: Heads of attention.
        num_layers: Layers of attention and feed-forward.
        dim_feedforward: Width of the feed-forward part; None is four times ``d_model``.
        max_length: The longest sequence.
        positions: ``"sinusoidal"`` for fixed rows, ``"learned"``, or ``"none"`` for a bag of tokens.
        dropout: Probability of dropout while training.
        padding_idx: The token that fills short sequences: nobody looks at it and it does not count.
        generator: Where the initial weights and dropout come from.

    Shape:
        Input (B, T) of token numbers, output (B, num_classes) of logits.

    Attributes:
        encoder: The layers of attention and feed-forward.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If a number is out of range or a sequence too long.

    Source:
        Vaswani et al. (2017), Attention is all you need; norm first: Xiong et al. (2020), On layer normalization
        in the transformer architecture.

    >>> TransformerClassifier(30, 2, d_model=8, nhead=2)(torch.ones(5, 7, dtype=torch.long)).shape
    torch.Size([5, 2])
    """

    places: Tensor | None

    def __init__(
        self,
        vocab_size: int,
        num_classes: int,
        *,
        d_model: int = 64,
        nhead: int = 4,
        num_layers: int = 2,
        dim_feedforward: int | None = None,
        max_length: int = 256,
        positions: str = "sinusoidal",
        dropout: float = 0.1,
        padding_idx: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        where = "TransformerClassifier"
        require_whole(where, "max_length", max_length, least=1)
        require_choice(where, "positions", positions, ("sinusoidal", "learned", "none"))
        self.max_length, self.padding_idx = max_length, padding_idx
        self.embedding = nn.Embedding(vocab_size, d_model, padding_idx=padding_idx, generator=generator)
        self.learned = nn.Embedding(max_length, d_model, generator=generator) if positions == "learned" else None
        fixed = sinusoidal_positions(max_length, d_model) if positions == "sinusoidal" else None
        self.register_buffer("places", fixed, persistent=False)
        self.dropout = nn.Dropout(dropout, generator=generator)
        width = 4 * d_model if dim_feedforward is None else dim_feedforward
        layer = nn.TransformerEncoderLayer(
            d_model, nhead, width, dropout, "gelu", batch_first=True, norm_first=True, generator=generator
        )
        self.encoder = nn.TransformerEncoder(layer, num_layers, nn.LayerNorm(d_model), enable_nested_tensor=False)
        self.head = nn.Linear(d_model, num_classes, generator=generator)

    def encode(self, tokens: Tensor) -> Tensor:
        """Give each token a row that knows its neighbours: (B, T) -> (B, T, d_model)."""
        if tokens.ndim != 2 or not 1 <= tokens.shape[1] <= self.max_length:
            expected = f"shape (B, T) with T from 1 to {self.max_length}"
            raise bad_value("TransformerClassifier", "tokens", expected, tuple(tokens.shape))
        x = self.embedding(tokens)
        if self.learned is not None:
            x = x + self.learned(torch.arange(tokens.shape[1], device=tokens.device))
        elif self.places is not None:
            x = x + self.places.narrow(0, 0, tokens.shape[1])
        hidden: Tensor = self.encoder(self.dropout(x), src_key_padding_mask=self._padding(tokens))
        return hidden

    def forward(self, tokens: Tensor) -> Tensor:
        """Give the logits of each sequence."""
        hidden, padding = self.encode(tokens), self._padding(tokens)
        if padding is None:
            mean = hidden.mean(1)  # (B, T, E) -> (B, E)
        else:
            counts = padding.logical_not().unsqueeze(2).to(hidden.dtype)  # (B, T) -> (B, T, 1)
            mean = (hidden * counts).sum(1) / counts.sum(1).clamp(min=1)
        logits: Tensor = self.head(mean)
        return logits

    def _padding(self, tokens: Tensor) -> Tensor | None:
        return None if self.padding_idx is None else tokens == self.padding_idx
