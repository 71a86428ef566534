"""Looking at a model without changing it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn import Module


@contextmanager
def evaluating(model: object) -> Iterator[None]:
    """Put a module into eval mode and record no gradients; afterwards every part is in its former mode."""
    modes = {part: part.training for part in model.modules()} if isinstance(model, Module) else {}
    if isinstance(model, Module):
        model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, mode in modes.items():
            part.training = mode
