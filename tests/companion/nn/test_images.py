"""Convolution, pooling, normalisation, dropout and embedding as layers, beside PyTorch's."""

import copy
import math
import pickle

import pytest
import torch

from companion import nn
from companion.random import generator

SAME = pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
IMAGES = torch.randn(3, 4, 9, 8, generator=generator(0))
ROWS = torch.randn(6, 4, generator=generator(1))
NO_BIAS = pytest.mark.skipif(torch.__version__ < "2.13", reason="PyTorch before 2.13 has no such option")

# layers with options: name, positional arguments, options, input
CASES = [
    ("Conv1d", (4, 6, 3), {"padding": "same", "dilation": 2}, IMAGES[:, :, 0]),
    ("Conv1d", (4, 6, 3), {"padding": 2, "padding_mode": "circular", "bias": False}, IMAGES[:, :, 0]),
    ("Conv1d", (4, 6, 2), {"padding": "same", "padding_mode": "replicate"}, IMAGES[0, :, 0]),
    ("Conv2d", (4, 6, (3, 2)), {"stride": (2, 1), "padding": (1, 0), "groups": 2}, IMAGES),
    ("Conv2d", (4, 6, (3, 2)), {"padding": "same", "padding_mode": "reflect"}, IMAGES),
    ("Conv2d", (4, 6, 3), {"padding": (2, 1), "padding_mode": "circular"}, IMAGES),
    ("Conv2d", (4, 6, 3), {"padding": (0, 1), "padding_mode": "replicate", "dilation": 2}, IMAGES[0]),
    ("Conv2d", (4, 6, 3), {"padding": "valid"}, IMAGES),
    ("ConvTranspose2d", (4, 6, 3), {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2}, IMAGES),
    ("ConvTranspose2d", (4, 6, (1, 2)), {"dilation": 3, "bias": False, "output_padding": (0, 2)}, IMAGES),
    ("MaxPool2d", (3, 2, 1), {"ceil_mode": True, "dilation": 1}, IMAGES),
    ("AvgPool2d", ((3, 2),), {"padding": 1, "count_include_pad": False, "ceil_mode": True}, IMAGES),
    ("AvgPool2d", (2,), {"divisor_override": 3, "stride": 1}, IMAGES),
    ("AdaptiveAvgPool2d", ((None, 3),), {}, IMAGES),
    ("BatchNorm1d", (4,), {"eps": 0.1, "momentum": 0.3}, ROWS),
    ("BatchNorm1d", (4,), {"momentum": None}, IMAGES[:, :, 0]),
    ("BatchNorm1d", (4,), {"affine": False}, ROWS),
    ("BatchNorm2d", (4,), {"track_running_stats": False}, IMAGES),
    pytest.param("BatchNorm2d", (4,), {"bias": False}, IMAGES, marks=NO_BIAS),
    ("LayerNorm", ((9, 8),), {"eps": 0.1}, IMAGES),
    ("LayerNorm", (8,), {"bias": False}, IMAGES),
    ("LayerNorm", ([8],), {"elementwise_affine": False}, IMAGES),
    ("GroupNorm", (2, 4), {"eps": 0.1}, IMAGES),
    ("GroupNorm", (4, 4), {"affine": False}, IMAGES),
    pytest.param("GroupNorm", (1, 4), {"bias": False}, IMAGES, marks=NO_BIAS),
    ("Dropout", (), {"p": 0.0}, IMAGES),
    ("Dropout2d", (1.0,), {}, IMAGES),
    ("Embedding", (7, 3), {"padding_idx": -1}, torch.tensor([[0, 6], [3, 3]])),
    ("Embedding", (7, 3), {"_weight": torch.ones(7, 3), "_freeze": True}, torch.tensor([0, 6])),
]


@SAME
@pytest.mark.parametrize(("name", "arguments", "options", "x"), CASES)
def test_layer_agrees_with_its_twin_in_training_and_in_use(name, arguments, options, x):
    ours, theirs = (getattr(home, name)(*arguments, **options) for home in (nn, torch.nn))
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert [n for n, _ in ours.named_buffers()] == [n for n, _ in theirs.named_buffers()]
    assert [p.requires_grad for p in ours.parameters()] == [p.requires_grad for p in theirs.parameters()]
    if "BatchNorm" in name or "LayerNorm" in name or "GroupNorm" in name:
        for parameter in theirs.parameters():
            torch.nn.init.uniform_(parameter)
    ours.load_state_dict(theirs.state_dict())
    for _ in range(2):
        mine, reference = ours(x), theirs(x)
        torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-5)
        if any(p.requires_grad for p in ours.parameters()):
            for y in (mine, reference):
                (y * torch.linspace(-1, 1, y.numel()).reshape(y.shape)).sum().backward()
    for p, q in zip(ours.parameters(), theirs.parameters()):
        assert (p.grad is None) == (q.grad is None)
        if p.grad is not None:
            torch.testing.assert_close(p.grad, q.grad, rtol=1e-3, atol=1e-4)
    for p, q in zip(ours.buffers(), theirs.buffers()):
        torch.testing.assert_close(p, q)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x), rtol=1e-4, atol=1e-5)
    theirs.load_state_dict(ours.state_dict())


@pytest.mark.parametrize(("name", "arguments"), [
    ("Conv1d", (30, 20, 5, 1, 0, 1, 5)), ("Conv2d", (12, 40, 5)), ("Conv2d", (24, 48, 3, 1, 0, 1, 4)),
    ("ConvTranspose2d", (40, 12, 5)), ("ConvTranspose2d", (24, 48, 3, 1, 0, 0, 4)), ("Embedding", (200, 50)),
])  # fmt: skip
def test_initial_numbers_are_spread_as_in_torch(name, arguments):
    torch.manual_seed(0)
    ours, theirs = getattr(nn, name)(*arguments, generator=generator(0)), getattr(torch.nn, name)(*arguments)
    for p, q in zip(ours.parameters(), theirs.parameters()):
        few = p.numel() < 100
        assert p.std().item() == pytest.approx(q.std().item(), rel=0.4 if few else 0.05)
        if name != "Embedding":
            assert p.abs().max().item() == pytest.approx(q.abs().max().item(), rel=0.2 if few else 0.01)


@pytest.mark.parametrize("make", [
    lambda g: nn.Conv2d(3, 4, 3, generator=g), lambda g: nn.Conv1d(3, 4, 3, generator=g),
    lambda g: nn.ConvTranspose2d(3, 4, 3, generator=g), lambda g: nn.Embedding(5, 4, generator=g),
])  # fmt: skip
def test_generator_decides_the_start_and_reset_draws_anew(make):
    one, two, other = make(generator(0)), make(generator(0)), make(generator(1))
    assert all(torch.equal(p, q) for p, q in zip(one.parameters(), two.parameters()))
    assert not torch.equal(one.weight, other.weight)
    other.reset_parameters(generator(0))
    assert all(torch.equal(p, q) for p, q in zip(one.parameters(), other.parameters()))


def test_embedding_starts_its_padding_as_zeros():
    layer = nn.Embedding(5, 4, padding_idx=2)
    assert (layer.weight[2] == 0).all()
    assert (layer.weight[[0, 1, 3, 4]] != 0).all()
    layer.reset_parameters()
    assert (layer.weight[2] == 0).all()


def test_batch_norm_without_momentum_averages_all_batches():
    layer = nn.BatchNorm1d(1, momentum=None)
    for value in (0.0, 3.0, 6.0):
        layer(torch.tensor([[value - 1], [value + 1]]))
    assert layer.running_mean.item() == pytest.approx(3)
    assert layer.num_batches_tracked.item() == 3


def test_resetting_normalisation_forgets_batches_and_parameters():
    layer = nn.BatchNorm2d(4)
    fresh = copy.deepcopy(layer.state_dict())
    layer(IMAGES)
    with torch.no_grad():
        layer.weight.add_(1)
        layer.bias.add_(1)
    assert all(not torch.equal(layer.state_dict()[k], v) for k, v in fresh.items())
    layer.reset_running_stats()
    assert (layer.weight == 2).all()
    layer.reset_parameters()
    assert all(torch.equal(layer.state_dict()[k], v) for k, v in fresh.items())
    for other in (nn.LayerNorm(3), nn.GroupNorm(1, 3)):
        with torch.no_grad():
            other.weight.add_(1)
            other.bias.add_(1)
        other.reset_parameters()
        assert other.weight.tolist() == [1, 1, 1]
        assert other.bias.tolist() == [0, 0, 0]


def test_dropout_obeys_mode_and_generator_and_survives_copying():
    layer = nn.Dropout(0.5, generator=generator(0))
    x = torch.ones(50)
    other = copy.deepcopy(layer)
    pickled = pickle.loads(pickle.dumps(layer))
    y = layer(x)
    assert sorted(y.unique().tolist()) == [0, 2]
    assert torch.equal(y, other(x))
    assert torch.equal(y, pickled(x))
    assert not torch.equal(y, layer(x))
    assert layer.eval()(x) is x


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_a_small_network_trains_compiled_as_it_does_plain():
    def network():
        g = generator(0)
        return nn.Sequential(
            nn.Conv2d(4, 5, 3, padding=1, generator=g), nn.BatchNorm2d(5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(5, 6, 3, generator=g),
            nn.GroupNorm(2, 6), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(6), nn.Linear(6, 2, generator=g),
        )  # fmt: skip

    plain, compiled = network(), network()
    run = torch.compile(compiled, backend="aot_eager", fullgraph=False)
    for model in (plain, run):
        model(IMAGES).pow(2).sum().backward()
    for p, q in zip(plain.parameters(), compiled.parameters()):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(plain[1].running_var, compiled[1].running_var)


def test_a_small_network_learns_in_mixed_precision():
    model = nn.Sequential(nn.Conv2d(4, 5, 3, generator=generator(0)), nn.BatchNorm2d(5), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(45, 2, generator=generator(1)))  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    losses = []
    for _ in range(30):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = (model(IMAGES).float() - 1).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.parametrize(("layer", "text"), [
    (nn.Conv2d(3, 4, 2), "Conv2d(3, 4, kernel_size=(2, 2), stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1, bias=True, padding_mode=zeros)"),
    (nn.MaxPool2d(2), "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"),
    (nn.AvgPool2d(2, 1), "AvgPool2d(kernel_size=2, stride=1, padding=0)"),
    (nn.AdaptiveAvgPool2d(1), "AdaptiveAvgPool2d(output_size=1)"),
    (nn.BatchNorm1d(3), "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)"),
    (nn.LayerNorm(3), "LayerNorm((3,), eps=1e-05, elementwise_affine=True)"),
    (nn.GroupNorm(1, 3), "GroupNorm(1, 3, eps=1e-05, affine=True)"),
    (nn.Dropout(0.2), "Dropout(p=0.2)"),
    (nn.Embedding(5, 2, -1), "Embedding(5, 2, padding_idx=4)"),
])  # fmt: skip
def test_printed_layers_name_their_options(layer, text):
    assert repr(layer) == text


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: nn.Conv2d(0, 3, 2), ValueError, "Conv2d: in_channels expected 1 or more, got 0"),
    (lambda: nn.Conv2d(3, 2.5, 2), TypeError, "Conv2d: out_channels expected a whole number, got float"),
    (lambda: nn.Conv2d(3, 4, 2, groups=2), ValueError, "Conv2d: groups expected a divisor of 3 input and 4 output channels, got 2"),
    (lambda: nn.Conv2d(4, 3, 2, groups=2), ValueError, "Conv2d: groups expected a divisor of 4 input and 3 output channels, got 2"),
    (lambda: nn.Conv2d(3, 4, (2, 2, 2)), ValueError, r"Conv2d: kernel_size expected a whole number or 2 of them, got \(2, 2, 2\)"),
    (lambda: nn.Conv1d(3, 4, 2, stride=0), ValueError, "Conv1d: stride expected 1 or more, got 0"),
    (lambda: nn.Conv1d(3, 4, 2, stride=2, padding="same"), ValueError, "Conv1d: padding expected numbers where the stride is above 1, got 'same'"),
    (lambda: nn.Conv2d(3, 4, 2, padding_mode="mirror"), ValueError, "padding_mode expected 'zeros' or 'reflect' or 'replicate' or 'circular', got 'mirror'"),
    (lambda: nn.ConvTranspose2d(3, 4, 2, padding_mode="reflect"), ValueError, "ConvTranspose2d: padding_mode expected 'zeros', got 'reflect'"),
    (lambda: nn.ConvTranspose2d(3, 4, 2, padding="same"), ValueError, "ConvTranspose2d: padding expected a whole number or 2 of them, got 'same'"),
    (lambda: nn.BatchNorm2d(0), ValueError, "BatchNorm2d: num_features expected 1 or more, got 0"),
    (lambda: nn.BatchNorm2d(4, momentum="x"), TypeError, "BatchNorm2d: momentum expected a finite number, got str"),
    (lambda: nn.BatchNorm2d(4)(ROWS), ValueError, r"BatchNorm2d: x expected shape \(N, 4, H, W\), got \(6, 4\); the second axis holds"),
    (lambda: nn.BatchNorm1d(3)(ROWS), ValueError, r"BatchNorm1d: x expected shape \(N, 3\) or \(N, 3, L\), got \(6, 4\)"),
    (lambda: nn.BatchNorm1d(4)(IMAGES), ValueError, "BatchNorm1d: x expected shape"),
    (lambda: nn.LayerNorm(0), ValueError, "LayerNorm: normalized_shape expected 1 or more, got 0"),
    (lambda: nn.LayerNorm(3, eps=0), ValueError, "LayerNorm: eps expected a finite number above 0, got 0"),
    (lambda: nn.GroupNorm(2, 3), ValueError, "GroupNorm: num_groups expected a divisor of the 3 channels, got 2"),
    (lambda: nn.Dropout(1.1), ValueError, "Dropout: p expected a number from 0 to 1, got 1.1"),
    (lambda: nn.Dropout2d(0.5, inplace=True), ValueError, "Dropout2d: inplace expected False, got True"),
    (lambda: nn.Embedding(0, 3), ValueError, "Embedding: num_embeddings expected 1 or more, got 0"),
    (lambda: nn.Embedding(5, 3, 5), ValueError, "Embedding: padding_idx expected a row from -5 to 4, got 5"),
    (lambda: nn.Embedding(5, 3, max_norm=1.0), ValueError, "Embedding: max_norm expected None, got 1.0; PyTorch's own layer offers more"),
    (lambda: nn.Embedding(5, 3, sparse=True), ValueError, "Embedding: sparse expected False, got True"),
    (lambda: nn.Embedding(5, 3, _weight=torch.ones(3, 5)), ValueError, r"Embedding: _weight expected shape \(5, 3\), got \(3, 5\)"),
])  # fmt: skip
def test_layers_refuse_what_does_not_fit_in_words(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_bound_of_the_start_is_one_over_the_root_of_the_inputs():
    layer = nn.Conv2d(8, 200, 5, groups=2, generator=generator(0))
    bound = 1 / math.sqrt(4 * 25)
    assert bound * 0.999 < layer.weight.abs().max() <= bound
