"""How long hand-written layers take beside PyTorch's, in one run; nothing is asserted on time."""

import pytest
import torch
from timing import BOTH_WAYS, QUICK, WHO, once, way

from companion import nn
from companion.random import generator


def numbers(*shape):
    return torch.randn(shape, generator=generator(0)).requires_grad_()


def indices(*shape):
    return torch.randint(50, shape, generator=generator(0))


# name: (layer, its arguments by size, what makes the input, its shape by size)
SIZES = {"small": 0, "medium": 1, "large": 2}
CASES = {
    "Linear": ("Linear", [(64, 32), (256, 128), (1024, 512)], numbers, [(32, 64), (128, 256), (256, 1024)]),
    "Conv1d": ("Conv1d", [(4, 8, 3), (16, 32, 5), (32, 64, 5)], numbers, [(8, 4, 64), (32, 16, 128), (64, 32, 256)]),
    "Conv2d": ("Conv2d", [(1, 8, 3), (8, 16, 3), (32, 64, 3)], numbers, [(32, 1, 8, 8), (32, 8, 28, 28), (16, 32, 32, 32)]),
    "Conv2d, stride 2": (
        "Conv2d", [(1, 8, 3, 2), (8, 16, 3, 2), (32, 64, 3, 2)], numbers, [(32, 1, 8, 8), (32, 8, 28, 28), (16, 32, 32, 32)],
    ),
    "Conv2d, depthwise": (
        "Conv2d", [(8, 8, 3, 1, 1, 1, 8), (16, 16, 3, 1, 1, 1, 16), (64, 64, 3, 1, 1, 1, 64)], numbers,
        [(32, 8, 8, 8), (32, 16, 28, 28), (16, 64, 32, 32)],
    ),
    "ConvTranspose2d": (
        "ConvTranspose2d", [(8, 1, 4, 2), (16, 8, 4, 2), (64, 32, 4, 2)], numbers, [(32, 8, 4, 4), (32, 16, 14, 14), (16, 64, 16, 16)],
    ),
    "MaxPool2d": ("MaxPool2d", [(2,)] * 3, numbers, [(32, 8, 8, 8), (32, 16, 28, 28), (16, 64, 32, 32)]),
    "AvgPool2d": ("AvgPool2d", [(2,)] * 3, numbers, [(32, 8, 8, 8), (32, 16, 28, 28), (16, 64, 32, 32)]),
    "AdaptiveAvgPool2d": ("AdaptiveAvgPool2d", [(1,)] * 3, numbers, [(32, 8, 8, 8), (32, 16, 28, 28), (16, 64, 32, 32)]),
    "BatchNorm1d": ("BatchNorm1d", [(32,), (256,), (1024,)], numbers, [(32, 32), (128, 256), (256, 1024)]),
    "BatchNorm2d": ("BatchNorm2d", [(8,), (16,), (64,)], numbers, [(32, 8, 8, 8), (32, 16, 28, 28), (16, 64, 32, 32)]),
    "LayerNorm": ("LayerNorm", [(32,), (256,), (1024,)], numbers, [(32, 32), (128, 256), (256, 1024)]),
    "GroupNorm": ("GroupNorm", [(4, 8), (4, 16), (8, 64)], numbers, [(32, 8, 8, 8), (32, 16, 28, 28), (16, 64, 32, 32)]),
    "Embedding": ("Embedding", [(50, 8), (5000, 64), (5000, 512)], indices, [(32, 16), (32, 64), (32, 128)]),
}  # fmt: skip


def layers(name, size):
    """Return our layer and PyTorch's with the same parameters, and an input."""
    kind, arguments, make, shapes = CASES[name]
    theirs = getattr(torch.nn, kind)(*arguments[SIZES[size]])
    ours = getattr(nn, kind)(*arguments[SIZES[size]])
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs, make(*shapes[SIZES[size]])


@QUICK
@WHO
@BOTH_WAYS
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CASES)
def test_layer(benchmark, name, size, backward, who, threads):
    benchmark.group = f"{name}, {size}, {way(backward)}, threads {threads}"
    ours, theirs, x = layers(name, size)
    layer = ours if who == "ours" else theirs
    got = benchmark(once(layer, x, layer.parameters(), backward=backward))
    layer.load_state_dict(theirs.state_dict())  # benchmarking moved the running numbers of batch normalisation
    want = once(theirs, x, theirs.parameters(), backward=backward)()
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-3)


@QUICK
@WHO
@pytest.mark.parametrize("size", SIZES)
def test_dropout(benchmark, size, who, threads):
    benchmark.group = f"Dropout, {size}, forward + backward, threads {threads}"
    x = numbers(*[(32, 32), (128, 256), (256, 1024)][SIZES[size]])
    layer = (nn if who == "ours" else torch.nn).Dropout(0.3)
    gradient = benchmark(once(layer, x))
    kept = gradient != 0
    assert abs(kept.double().mean().item() - 0.7) < 0.1
    torch.testing.assert_close(gradient[kept], torch.full_like(gradient[kept], 1 / 0.7))
