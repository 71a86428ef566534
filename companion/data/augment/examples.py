"""What all augmentations share: which examples are changed, where lots come from, what is refused."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_float, require_number, require_share, require_tensor
from companion.random import normal, uniform


def lots(batch: Tensor, generator: Generator | None, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Draw one number from low to below high for each example, on the device of the examples."""
    drawn = uniform([len(batch)], generator=generator, device=batch.device, dtype=torch.float32)
    return low + (high - low) * drawn  # (B,)


def whole_lots(batch: Tensor, count: int, generator: Generator | None) -> Tensor:
    """Draw one whole number from 0 to count - 1 for each example, all equally likely."""
    return lots(batch, generator, high=count).floor().long()  # (B,)


def change_some(batch: Tensor, changed: Tensor, p: float, generator: Generator | None) -> Tensor:
    """Take each example from ``changed`` with probability p, and as it was otherwise.

    This is the one meaning of p in all augmentations: each example has its own lot. p = 0 copies, p = 1 changes all.
    """
    picked = lots(batch, generator) < p
    return torch.where(picked.reshape(-1, *[1] * (batch.ndim - 1)), changed, batch)  # (B,) -> (B, 1, ...)


def add_noise(batch: Tensor, std: float, p: float, generator: Generator | None) -> Tensor:
    """Add independent numbers with mean 0 and the given standard deviation to each number of an example."""
    noise = normal(batch.shape, generator=generator, device=batch.device, dtype=batch.dtype)
    return change_some(batch, batch + std * noise, p, generator)


def image_batch(where: str, images: Tensor, p: float = 1.0, *, floats: bool = False) -> Tensor:
    """Check images and p, and return a batch: (C, H, W) -> (1, C, H, W)."""
    (require_float if floats else require_tensor)(where, "images", images)
    require_share(where, "p", p)
    if images.ndim not in (3, 4) or 0 in images.shape[-3:]:
        expected = "images of shape (B, C, H, W) or (C, H, W), at least one pixel each"
        hint = "images.unsqueeze(1) gives grey pictures (B, H, W) their channel" if images.ndim == 3 else ""
        raise bad_value(where, "images", expected, f"{tuple(images.shape)}", hint)
    return images.reshape(-1, *images.shape[-3:])


def series_batch(where: str, series: Tensor, p: float = 1.0, *, floats: bool = False) -> Tensor:
    """Check series and p."""
    (require_float if floats else require_tensor)(where, "series", series)
    require_share(where, "p", p)
    if series.ndim != 3 or 0 in series.shape[1:]:
        hint = "series.unsqueeze(-1) gives (B, T) its channel" if series.ndim == 2 else ""
        raise bad_value(where, "series", "shape (B, T, C), at least one step", f"{tuple(series.shape)}", hint)
    return series


def require_spread(where: str, std: float) -> None:
    """Refuse what is no standard deviation."""
    require_number(where, "std", std)
    if std < 0:
        raise bad_value(where, "std", "a standard deviation, 0 or more", std)
