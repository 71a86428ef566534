"""Examples between examples."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_float, require_number, require_tensor, require_whole, value_range


def mixup(
    X: Tensor, y: Tensor, alpha: float = 0.2, *, num_classes: int | None = None, generator: Generator | None = None
) -> tuple[Tensor, Tensor]:
    r"""Blend each example and its target with those of a randomly chosen other one.

    .. math:: \tilde{x} = \lambda x_i + (1 - \lambda) x_j, \qquad \tilde{y} = \lambda y_i + (1 - \lambda) y_j,
              \qquad \lambda \sim \operatorname{Beta}(\alpha, \alpha)

    Each example has a :math:`\lambda` of its own; the partners are a shuffle of the batch, so each is partner once.

    Args:
        X: Float examples; the first axis counts them.
        y: Class numbers (int64), or float targets.
        alpha: Above 0. Small: mostly near one of the two; 1: any blend; large: mostly half and half.
        num_classes: How many classes there are; needed for class numbers and for nothing else.
        generator: Where the random numbers come from; None takes PyTorch's global generator of the CPU.

    Shape:
        X (B, ...); y (B,), or (B, ...) for floats.

    Returns:
        ``(X, y)``, mixed: X as it came in; y as class shares (B, num_classes) of X's type that sum to 1, ready for a
        cross-entropy with probabilities, or in the shape in which floats came.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If shapes or types do not fit, a number is out of range, or ``num_classes`` is missing.

    Source:
        Zhang, Cisse, Dauphin and Lopez-Paz (2018), mixup: beyond empirical risk minimization.

    >>> X, y = mixup(torch.rand(4, 2), torch.tensor([0, 1, 2, 1]), num_classes=3)
    >>> y.shape, y.sum(1).round()
    (torch.Size([4, 3]), tensor([1., 1., 1., 1.]))
    """
    require_float("mixup", "X", X)
    require_number("mixup", "alpha", alpha, positive=True)
    require_tensor("mixup", "y", y)
    if X.ndim == 0 or y.ndim == 0 or len(X) != len(y):
        raise bad_value("mixup", "y", "one target for each example of X", f"{tuple(y.shape)} beside {tuple(X.shape)}")
    shares = _class_shares(y, num_classes, X)
    home = "cpu" if generator is None else generator.device
    blend = torch.full((len(X), 2), float(alpha), dtype=torch.float64, device=home)
    # torch's Beta distribution calls the same and takes no generator
    keep = torch._sample_dirichlet(blend, generator=generator)[:, 0].to(X.device)
    partner = torch.randperm(len(X), generator=generator, device=home).to(X.device)
    return _blend(X, keep, partner), _blend(shares, keep, partner)


def _blend(values: Tensor, keep: Tensor, partner: Tensor) -> Tensor:
    share = keep.to(values.dtype).reshape(-1, *[1] * (values.ndim - 1))  # (B,) -> (B, 1, ...)
    return share * values + (1 - share) * values.index_select(0, partner)


def _class_shares(y: Tensor, num_classes: int | None, X: Tensor) -> Tensor:
    """Turn class numbers into rows of 0 and 1, and leave floats as they are."""
    if y.is_floating_point():
        if num_classes is not None:
            raise bad_value("mixup", "num_classes", "None beside float targets", num_classes)
        return y
    if y.dtype != torch.int64 or y.ndim != 1:
        raise bad_value("mixup", "y", "class numbers (int64, shape (B,)) or floats", f"{y.dtype}, {tuple(y.shape)}")
    if num_classes is None:
        raise bad_type("mixup", "num_classes", "the number of classes", None, "a batch need not contain all of them")
    require_whole("mixup", "num_classes", num_classes, least=1)
    seen = value_range(y)
    if seen is not None and not 0 <= seen[0] <= seen[1] < num_classes:
        got = f"{seen[0]} to {seen[1]}"
        raise bad_value("mixup", "y", f"class numbers from 0 to {num_classes - 1}", got)
    return (y.unsqueeze(1) == torch.arange(num_classes, device=y.device)).to(X.dtype)  # (B,) -> (B, K)
