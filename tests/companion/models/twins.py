"""The same model file, built from PyTorch's layers instead of ours: what every model is compared with."""

from types import SimpleNamespace

import torch

from companion import nn


def without_generator(layer):
    """Return what makes PyTorch's layer from the arguments of ours."""

    def make(*args, generator=None, **options):
        return layer(*args, **options)

    return make


def torch_layers():
    """Return PyTorch's layers under the names of ours."""
    made = {n: without_generator(getattr(torch.nn, n)) for n in nn.__all__ if hasattr(torch.nn, n)}
    return SimpleNamespace(**{**made, "Module": torch.nn.Module, "Sequential": torch.nn.Sequential})


def named(layers, options):
    """Replace the name of a layer among the options by the layer."""
    return {k: getattr(layers, v) if k in ("activation", "pool") else v for k, v in options.items()}
