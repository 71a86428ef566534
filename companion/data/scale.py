"""Bring features to one scale, measured where one may look: on the training rows."""

from __future__ import annotations

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_float


class Standardizer:
    r"""Give every feature mean 0 and standard deviation 1, with numbers measured by ``fit``.

    .. math:: x' = \frac{x - \mu}{\sigma}

    A column that is constant in training has no spread: it becomes 0 there, and is not divided.

    Attributes:
        mean: What is taken away, shape (D,), float64; None before ``fit``.
        scale: What is divided by, shape (D,), float64; 1 for constant columns.

    Source:
        LeCun, Bottou, Orr and Müller (1998), Efficient BackProp.

    >>> scaler = Standardizer().fit(torch.tensor([[1.5], [1.7]]))
    >>> scaler.transform(torch.tensor([[1.8]]))
    tensor([[2.0000]])
    """

    def __init__(self) -> None:
        self.mean: Tensor | None = None
        self.scale: Tensor | None = None

    def fit(self, X: Tensor) -> Standardizer:
        """Measure mean and standard deviation of every column.

        Args:
            X: The training rows and no others, shape (N, D), N at least 1.

        Returns:
            Itself.

        Raises:
            TypeError: If X is no tensor.
            ValueError: If X does not hold float rows, has none, or holds nan or infinity.
        """
        _require_rows("Standardizer.fit", X)
        if not len(X):
            raise bad_value("Standardizer.fit", "X", "one row or more", "none")
        if not bool(torch.isfinite(X).all()):
            raise bad_value(
                "Standardizer.fit", "X", "finite numbers", "nan or infinity", "one such entry spoils its column"
            )
        wide = X.double()
        constant = wide.amin(0) == wide.amax(0)
        self.mean = wide.mean(0)
        self.scale = wide.std(0, correction=0).masked_fill(constant, 1.0)
        return self

    def transform(self, X: Tensor) -> Tensor:
        """Bring rows to the training rows' scale.

        Args:
            X: Rows with the features that were measured.

        Returns:
            A tensor of the shape and type of X.

        Raises:
            TypeError: If X is no tensor.
            ValueError: If nothing was measured yet, or X has other columns.
        """
        mean, scale = self._measured("Standardizer.transform", X)
        return ((X.double() - mean) / scale).to(X.dtype)

    def inverse_transform(self, X: Tensor) -> Tensor:
        """Bring standardised rows back to their own units.

        Args:
            X: Rows as ``transform`` returns them.

        Returns:
            A tensor of the shape and type of X.

        Raises:
            TypeError: If X is no tensor.
            ValueError: If nothing was measured yet, or X has other columns.
        """
        mean, scale = self._measured("Standardizer.inverse_transform", X)
        return (X.double() * scale + mean).to(X.dtype)

    def _measured(self, where: str, X: Tensor) -> tuple[Tensor, Tensor]:
        _require_rows(where, X)
        if self.mean is None or self.scale is None:
            raise bad_value(where, "self", "a measured scale", "none yet", "call fit(training rows) first")
        if X.shape[1] != len(self.mean):
            raise bad_value(where, "X", f"{len(self.mean)} columns, as in training", X.shape[1])
        return self.mean.to(X.device), self.scale.to(X.device)


def _require_rows(where: str, X: Tensor) -> None:
    require_float(where, "X", X)
    if X.ndim != 2:
        raise bad_value(
            where, "X", "rows of features, shape (N, D)", f"{tuple(X.shape)}", "flatten(1) makes rows of pictures"
        )
