"""How long the hand-written versions take beside PyTorch's, in one run; nothing is asserted on time.

The numbers in brackets are ratios: `pytest tests/benchmarks --benchmark-columns=min,median,rounds`.
"""

import copy

import pytest
import torch
import torch.nn.functional as native
from timing import QUICK, WHO, once

from companion import functional as F
from companion.data import digits, standardise
from companion.models import mlp
from companion.random import generator
from companion.training import fit

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


def bare_loop(model, X, y, loss, order):
    """The loop of companion.training.fit with nothing around it: no checks, no record, no validation."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for rows in torch.randperm(len(X), generator=order).split(32):
        optimizer.zero_grad()
        value = loss(model(X[rows]), y[rows])
        value.backward()
        optimizer.step()


def handwritten_cross_entropy(outputs, targets):
    return -F.log_softmax(outputs, dim=1).gather(1, targets.unsqueeze(1)).mean()


@pytest.mark.parametrize("who", ["fit", "bare loop", "bare loop, all of torch"])
def test_one_epoch_on_digits(benchmark, who):
    benchmark.group = "one epoch on digits, 64-32-10, Adam, batches of 32"
    (data,) = standardise(digits())
    model = mlp([64, 32, 10], generator=generator(0))
    if who == "bare loop, all of torch":
        model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
    loss = native.cross_entropy if who == "bare loop, all of torch" else handwritten_cross_entropy

    def run():
        copied, order = copy.deepcopy(model), generator(1)
        if who == "fit":
            fit(copied, data.X, data.y, loss="cross_entropy", epochs=1, generator=order)
        else:
            bare_loop(copied, data.X, data.y, loss, order)
        return copied

    trained = benchmark.pedantic(run, rounds=15, warmup_rounds=2)
    assert (trained(data.X).argmax(1) == data.y).double().mean() > 0.8
