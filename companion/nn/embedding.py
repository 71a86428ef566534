"""The table of learned rows as a layer."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from companion import functional as F
from companion import init
from companion.errors import bad_value
from companion.functional._arguments import require_float, require_whole


class Embedding(Module):
    r"""Give each word, item or class a learned row of numbers: :func:`companion.functional.embedding`.

    .. math:: y_n = W_{i_n}, \qquad W_{vd} \sim N(0, 1) \text{ at the start}

    Args:
        num_embeddings: Number of rows V, 1 or more.
        embedding_dim: Numbers in a row D, 1 or more.
        padding_idx: A row that starts as zeros and gets no gradient; negative counts from the end.
        max_norm: Only None; this and the next three exist because PyTorch's layer has them.
        norm_type: Only 2.
        scale_grad_by_freq: Only False.
        sparse: Only False.
        _weight: A table (V, D) to start from instead.
        _freeze: Whether the table is kept from learning.
        device: Where the table lives.
        dtype: Its float type.
        generator: Where the initial numbers come from; None takes PyTorch's global generator.

    Shape:
        Input (...) of whole numbers, output (..., D).

    Attributes:
        weight: Parameter of shape (V, D).

    Raises:
        TypeError: If a size is no whole number.
        ValueError: If a number is out of range or an option is not the only one.

    Source:
        Bengio, Ducharme, Vincent and Jauvin (2003), A neural probabilistic language model.

    >>> Embedding(10, 3)(torch.tensor([[1, 2], [4, 9]])).shape
    torch.Size([2, 2, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        require_whole("Embedding", "num_embeddings", num_embeddings, least=1)
        require_whole("Embedding", "embedding_dim", embedding_dim, least=1)
        options = {"max_norm": (max_norm, None), "norm_type": (norm_type, 2), "sparse": (sparse, False)}
        for name, (value, only) in {**options, "scale_grad_by_freq": (scale_grad_by_freq, False)}.items():
            if value != only:
                raise bad_value("Embedding", name, str(only), value, "PyTorch's own layer offers more")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = _row(padding_idx, num_embeddings)
        if _weight is None:
            table = torch.empty(num_embeddings, embedding_dim, device=device, dtype=dtype)
            self.weight = Parameter(table, requires_grad=not _freeze)
            self.reset_parameters(generator)
            return
        require_float("Embedding", "_weight", _weight)
        if _weight.shape != (num_embeddings, embedding_dim):
            expected = f"shape ({num_embeddings}, {embedding_dim})"
            raise bad_value("Embedding", "_weight", expected, tuple(_weight.shape))
        self.weight = Parameter(_weight, requires_grad=not _freeze)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the table anew.

        Args:
            generator: Where the numbers come from; None takes PyTorch's global generator.
        """
        init.normal_(self.weight, generator=generator)
        if self.padding_idx is not None:
            with torch.no_grad():
                self.weight.select(0, self.padding_idx).fill_(0)

    def forward(self, indices: Tensor) -> Tensor:
        """Look up the rows."""
        return F.embedding(indices, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """Name the sizes when the layer is printed."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


def _row(index: int | None, size: int) -> int | None:
    """Return the number of a row from the start; refuse one that the table does not have."""
    if index is None:
        return None
    require_whole("Embedding", "padding_idx", index, least=-size)
    if index >= size:
        raise bad_value("Embedding", "padding_idx", f"a row from {-size} to {size - 1}", index)
    return index % size
