"""How long hand-written attention takes beside PyTorch's, in one run; nothing is asserted on time."""

import pytest
import torch
import torch.nn.functional as native
from timing import BOTH_WAYS, QUICK, WHO, once, way

from companion import functional as F
from companion import nn
from companion.random import generator

# size: (sequences, places, features, heads)
SIZES = {"small": (8, 16, 32, 4), "medium": (16, 64, 64, 4), "large": (8, 256, 256, 8)}


def numbers(*shape):
    return torch.randn(shape, generator=generator(0)).requires_grad_()


def layers(name, size):
    """Return our layer and PyTorch's with the same parameters, batch first and without dropout."""
    _, _, width, heads = SIZES[size]
    options = {"dropout": 0.0, "batch_first": True}
    if name != "MultiheadAttention":
        options["dim_feedforward"] = 4 * width
    theirs, ours = (getattr(home, name)(width, heads, **options) for home in (torch.nn, nn))
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


@QUICK
@WHO
@BOTH_WAYS
@pytest.mark.parametrize("causal", [False, True], ids=["", "causal"])
@pytest.mark.parametrize("size", SIZES)
def test_attention(benchmark, size, causal, backward, who, threads):
    benchmark.group = f"attention{' causal' * causal}, {size}, {way(backward)}, threads {threads}"
    batch, places, width, heads = SIZES[size]
    x = numbers(batch, heads, places, width // heads)
    functions = {"ours": F.scaled_dot_product_attention, "torch": native.scaled_dot_product_attention}
    got = benchmark(once(lambda x: functions[who](x, x, x, is_causal=causal), x, backward=backward))
    want = once(lambda x: functions["torch"](x, x, x, is_causal=causal), x, backward=backward)()
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-3)


@QUICK
@WHO
@BOTH_WAYS
@pytest.mark.parametrize("need_weights", [False, True], ids=["", "with weights"])
@pytest.mark.parametrize("size", SIZES)
def test_multihead_attention(benchmark, size, need_weights, backward, who, threads):
    benchmark.group = f"MultiheadAttention{', weights' * need_weights}, {size}, {way(backward)}, threads {threads}"
    ours, theirs = layers("MultiheadAttention", size)
    x = numbers(*SIZES[size][:3])

    def result_of(layer):
        return lambda x: layer(x, x, x, need_weights=need_weights)[0]

    layer = ours if who == "ours" else theirs
    got = benchmark(once(result_of(layer), x, layer.parameters(), backward=backward))
    want = once(result_of(theirs), x, theirs.parameters(), backward=backward)()
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-3)


@QUICK
@WHO
@BOTH_WAYS
@pytest.mark.parametrize("size", SIZES)
def test_transformer_encoder_layer(benchmark, size, backward, who, threads):
    benchmark.group = f"TransformerEncoderLayer, {size}, {way(backward)}, threads {threads}"
    ours, theirs = layers("TransformerEncoderLayer", size)
    x = numbers(*SIZES[size][:3])
    layer = ours if who == "ours" else theirs
    got = benchmark(once(layer, x, layer.parameters(), backward=backward))
    want = once(theirs, x, theirs.parameters(), backward=backward)()
    torch.testing.assert_close(got, want, rtol=1e-3, atol=2e-3)
