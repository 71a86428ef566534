"""How long the hand-written versions take beside PyTorch's, in one run; nothing is asserted on time.

The numbers in brackets are ratios: `pytest tests/benchmarks --benchmark-columns=min,median,rounds`.
"""

import pytest
import torch
import torch.nn.functional as native
from timing import QUICK, WHO, once

from companion import functional as F
from companion.random import generator

PAIRS = {
    "sigmoid": (F.sigmoid, torch.sigmoid),
    "tanh": (F.tanh, torch.tanh),
    "relu": (F.relu, torch.relu),
    "leaky_relu": (F.leaky_relu, native.leaky_relu),
    "elu": (F.elu, native.elu),
    "gelu": (F.gelu, native.gelu),
    "gelu tanh": (lambda z: F.gelu(z, "tanh"), lambda z: native.gelu(z, approximate="tanh")),
    "silu": (F.silu, native.silu),
    "softplus": (F.softplus, native.softplus),
    "softmax": (F.softmax, lambda z: torch.softmax(z, -1)),
    "log_softmax": (F.log_softmax, lambda z: torch.log_softmax(z, -1)),
    "logsumexp": (F.logsumexp, lambda z: torch.logsumexp(z, -1)),
}
SIZES = {"32x100": (32, 100), "256x256": (256, 256)}
pytestmark = pytest.mark.usefixtures("one_thread")


@QUICK
@WHO
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAIRS)
def test_function_forward_and_backward(benchmark, name, size, who):
    benchmark.group = f"{name} {size}"
    x = torch.randn(SIZES[size], generator=generator(0)).requires_grad_()
    ours, theirs = (once(f, x)() for f in PAIRS[name])
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    gradient = benchmark(once(PAIRS[name][who == "torch"], x))
    torch.testing.assert_close(gradient, theirs, rtol=1e-4, atol=1e-5)
