"""How long hand-written recurrent layers take beside PyTorch's, in one run; nothing is asserted on time."""

import pytest
import torch
from timing import BOTH_WAYS, QUICK, WHO, once, way
from torch.nn.utils.rnn import pack_padded_sequence

from companion import nn
from companion.random import generator

# size: (time steps, sequences, inputs, remembered numbers)
SIZES = {"small": (10, 8, 16, 16), "medium": (30, 32, 32, 64), "large": (60, 64, 64, 128)}
LAYERS = ["RNN", "LSTM", "GRU"]


def layers(name, size, **options):
    """Return our layer and PyTorch's with the same parameters, and an input."""
    steps, batch, width, hidden = SIZES[size]
    theirs = getattr(torch.nn, name)(width, hidden, **options)
    ours = getattr(nn, name)(width, hidden, **options)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs, torch.randn(steps, batch, width, generator=generator(0)).requires_grad_()


def outputs_of(layer):
    return lambda x: layer(x)[0]


@QUICK
@WHO
@BOTH_WAYS
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", LAYERS)
def test_recurrent_layer(benchmark, name, size, backward, who, threads):
    benchmark.group = f"{name}, {size}, {way(backward)}, threads {threads}"
    ours, theirs, x = layers(name, size)
    layer = ours if who == "ours" else theirs
    got = benchmark(once(outputs_of(layer), x, layer.parameters(), backward=backward))
    want = once(outputs_of(theirs), x, theirs.parameters(), backward=backward)()
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-3)


@QUICK
@WHO
@pytest.mark.parametrize("name", LAYERS)
def test_packed_sequences_in_both_directions(benchmark, name, who, one_thread):
    benchmark.group = f"{name}, medium, two layers, both directions, packed, forward + backward, threads 1"
    ours, theirs, x = layers(name, "medium", num_layers=2, bidirectional=True)
    lengths = [30 - i // 2 for i in range(32)]

    def outputs(layer):
        return lambda x: layer(pack_padded_sequence(x, lengths))[0].data

    layer = ours if who == "ours" else theirs
    gradient = benchmark(once(outputs(layer), x, layer.parameters()))
    want = once(outputs(theirs), x, theirs.parameters())()
    torch.testing.assert_close(gradient, want, rtol=1e-3, atol=1e-3)
