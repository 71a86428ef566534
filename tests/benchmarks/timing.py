"""What benchmarks have in common: how long they may take, and the call that is timed."""

import pytest
import torch

QUICK = pytest.mark.benchmark(min_rounds=12, max_time=0.15, warmup=True, warmup_iterations=5)
WHO = pytest.mark.parametrize("who", ["ours", "torch"])
BOTH_WAYS = pytest.mark.parametrize("backward", [False, True], ids=["forward", "forward + backward"])


def way(backward):
    """Name what is timed."""
    return "forward + backward" if backward else "forward"


def once(f, x, parameters=(), *, backward=True):
    """Return a call that runs f forward and gives its result, or both ways and gives the first gradient."""
    learned = [t for t in (x, *parameters) if t.requires_grad]

    def forward():
        with torch.no_grad():
            return f(x)

    def both():
        for tensor in learned:
            tensor.grad = None
        y = f(x)
        y.backward(torch.ones_like(y))
        return learned[0].grad

    return both if backward else forward
