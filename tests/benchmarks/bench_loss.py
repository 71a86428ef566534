"""How long the hand-written losses take beside PyTorch's, in one run; nothing is asserted on time."""

import functools

import pytest
import torch
import torch.nn.functional as native
from timing import BOTH_WAYS, QUICK, WHO, once, way

from companion import functional as F
from companion.random import generator


def numbers(n, c):
    return torch.randn(n, c, generator=generator(0)), torch.randn(n, c, generator=generator(1))


def yes_or_no(n, c):
    return torch.randn(n, c, generator=generator(0)), torch.randint(2, (n, c), generator=generator(1)).float()


def chances(n, c):
    z, t = yes_or_no(n, c)
    return torch.sigmoid(z), t


def classes(n, c):
    return torch.randn(n, c, generator=generator(0)), torch.randint(c, (n,), generator=generator(1))


def logs(n, c):
    z, t = classes(n, c)
    return native.log_softmax(z, 1), t


def shares(n, c):
    z, q = numbers(n, c)
    return native.log_softmax(z, 1), native.softmax(q, 1)


def soft(n, c):
    z, q = numbers(n, c)
    return z, native.softmax(q, 1)


# name: (function, arguments, options)
CASES = {
    "mse_loss": ("mse_loss", numbers, {}),
    "l1_loss": ("l1_loss", numbers, {}),
    "huber_loss": ("huber_loss", numbers, {}),
    "binary_cross_entropy": ("binary_cross_entropy", chances, {}),
    "binary_cross_entropy_with_logits": ("binary_cross_entropy_with_logits", yes_or_no, {}),
    "nll_loss": ("nll_loss", logs, {}),
    "cross_entropy": ("cross_entropy", classes, {}),
    "cross_entropy, smoothed": ("cross_entropy", classes, {"label_smoothing": 0.1}),
    "cross_entropy, probabilities": ("cross_entropy", soft, {}),
    "kl_div": ("kl_div", shares, {"reduction": "batchmean"}),
}
SIZES = {"32x10": (32, 10), "256x256": (256, 256), "1024x1000": (1024, 1000)}


@QUICK
@WHO
@BOTH_WAYS
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CASES)
def test_loss(benchmark, name, size, backward, who, threads):
    benchmark.group = f"{name} {size}, {way(backward)}, threads {threads}"
    function, arguments, options = CASES[name]
    answers, targets = arguments(*SIZES[size])
    answers.requires_grad_()
    losses = [functools.partial(getattr(m, function), target=targets, **options) for m in (F, native)]
    calls = [once(loss, answers, backward=backward) for loss in losses]
    got = benchmark(calls[who == "torch"])
    torch.testing.assert_close(got, calls[1](), rtol=1e-4, atol=1e-6)
