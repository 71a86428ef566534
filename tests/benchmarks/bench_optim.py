"""How long a step of the hand-written optimizers takes beside PyTorch's default; nothing is asserted on time."""

import pytest
import torch
from timing import QUICK, WHO

from companion import optim
from companion.random import generator

# name: shapes of all parameters
MODELS = {
    "small: 64-32-10": [(32, 64), (32,), (10, 32), (10,)],
    "medium: ten layers of 256": [(256, 256), (256,)] * 10,
    "large: four layers of 1024": [(1024, 1024), (1024,)] * 4,
}
KINDS = {
    "SGD": ("SGD", {"lr": 1e-6}),
    "SGD, momentum": ("SGD", {"lr": 1e-6, "momentum": 0.9}),
    "Adagrad": ("Adagrad", {"lr": 1e-6}),
    "RMSprop": ("RMSprop", {"lr": 1e-6}),
    "Adam": ("Adam", {"lr": 1e-6}),
    "AdamW": ("AdamW", {"lr": 1e-6}),
}


def parameters(model):
    rng = generator(0)
    params = [torch.nn.Parameter(torch.randn(shape, generator=rng)) for shape in MODELS[model]]
    for p in params:
        p.grad = torch.randn(p.shape, generator=rng)
    return params


@QUICK
@WHO
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", KINDS)
def test_optimizer_step(benchmark, name, model, who, threads):
    benchmark.group = f"{name}, {model}, threads {threads}"
    kind, options = KINDS[name]
    params = parameters(model)
    before = [p.detach().clone() for p in params]
    optimizer = getattr(optim if who == "ours" else torch.optim, kind)(params, **options)
    benchmark(optimizer.step)
    assert all((a != b).any() for a, b in zip(params, before))


@QUICK
@WHO
@pytest.mark.parametrize("model", MODELS)
def test_clip_by_norm(benchmark, model, who, threads):
    benchmark.group = f"clip_grad_norm_, {model}, threads {threads}"
    params = parameters(model)
    clip = optim.clip_grad_norm_ if who == "ours" else torch.nn.utils.clip_grad_norm_
    norm = benchmark(clip, params, 1e9)
    torch.testing.assert_close(norm, torch.cat([p.grad.flatten() for p in params]).norm(), rtol=1e-4, atol=0)
