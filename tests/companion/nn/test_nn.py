"""The layers as modules: exchange with PyTorch's, start values, printing, refusals."""

import copy
import math

import pytest
import torch
from scipy import stats

from companion import nn
from companion.random import generator


def test_linear_exchanges_its_state_with_torch_both_ways():
    x = torch.randn(4, 3, generator=generator(0))
    ours, theirs = nn.Linear(3, 2), torch.nn.Linear(3, 2)
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(x), theirs(x))
    theirs.load_state_dict(nn.Linear(3, 2, generator=generator(1)).state_dict())
    assert not torch.equal(ours.weight, theirs.weight)
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("bias", [True, False])
def test_linear_trains_like_torch(bias):
    x, target = torch.randn(8, 3, generator=generator(0)), torch.randn(8, 2, generator=generator(1))
    ours, theirs = nn.Linear(3, 2, bias=bias), torch.nn.Linear(3, 2, bias=bias)
    theirs.load_state_dict(ours.state_dict())
    for layer in (ours, theirs):
        step = torch.optim.SGD(layer.parameters(), lr=0.1)
        for _ in range(5):
            step.zero_grad()
            ((layer(x) - target) ** 2).mean().backward()
            step.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b)
    assert (ours.bias is None) is not bias


@pytest.mark.parametrize("parameter", ["weight", "bias"])
def test_linear_starts_from_the_distribution_of_torch(parameter):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        theirs = getattr(torch.nn.Linear(49, 4000), parameter).detach().flatten()
    ours = getattr(nn.Linear(49, 4000, generator=generator(1)), parameter).detach().flatten()
    bound = 1 / 7
    assert ours.abs().max() <= bound
    assert ours.abs().max() > 0.99 * bound
    assert stats.kstest(ours.numpy(), "uniform", args=(-bound, 2 * bound)).pvalue > 0.01
    assert stats.ks_2samp(ours.numpy(), theirs.numpy()).pvalue > 0.01


def test_linear_starts_where_torch_starts_from_the_same_global_seed():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        theirs = torch.nn.Linear(7, 4)
        torch.manual_seed(5)
        ours = nn.Linear(7, 4)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


def test_linear_start_is_reproducible_and_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    a, b, c = (nn.Linear(3, 2, generator=generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(a.weight, b.weight)
    assert torch.equal(a.bias, b.bias)
    assert not torch.equal(a.weight, c.weight)
    assert not torch.equal(a.weight[0, :2], a.bias), "weight and bias continue one stream"


def test_linear_follows_the_global_seed_without_a_generator():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        a = nn.Linear(3, 2)
        torch.manual_seed(3)
        b = nn.Linear(3, 2)
    assert torch.equal(a.weight, b.weight)


def test_linear_starts_alike_on_every_device_from_one_cpu_generator(device):
    here = nn.Linear(3, 2, device=device, generator=generator(0))
    assert here.weight.device.type == device.type
    assert torch.equal(here.weight.cpu(), nn.Linear(3, 2, generator=generator(0)).weight)


def test_linear_keeps_the_type_asked_for_and_its_parameters_learn():
    layer = nn.Linear(3, 2, dtype=torch.float64)
    assert layer.weight.dtype == layer.bias.dtype == torch.float64
    assert layer(torch.ones(3, dtype=torch.float64)).dtype == torch.float64
    assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in layer.parameters())
    assert nn.Linear(3, 2, device="meta").weight.device.type == "meta"


def test_linear_copy_shares_nothing():
    layer = nn.Linear(3, 2)
    other = copy.deepcopy(layer)
    with torch.no_grad():
        other.weight.zero_()
    assert layer.weight.abs().sum() > 0


def test_linear_start_of_its_parameters_can_be_drawn_again():
    layer = nn.Linear(3, 2, generator=generator(0))
    weight, first = layer.weight, layer.weight.clone()
    layer.reset_parameters(generator(1))
    assert layer.weight is weight, "an optimizer that holds the parameter must go on seeing it"
    assert not torch.equal(layer.weight, first)
    layer.reset_parameters(generator(0))
    assert torch.equal(layer.weight, first)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (nn.Linear(3, 2), "Linear(in_features=3, out_features=2, bias=True)"),
        (nn.Linear(3, 2, bias=False), "Linear(in_features=3, out_features=2, bias=False)"),
        (nn.ReLU(), "ReLU()"),
        (nn.Step(), "Step()"),
        (nn.LeakyReLU(0.2), "LeakyReLU(negative_slope=0.2)"),
        (nn.ELU(), "ELU(alpha=1.0)"),
        (nn.GELU("tanh"), "GELU(approximate='tanh')"),
        (nn.Softplus(), "Softplus(beta=1.0, threshold=20.0)"),
        (nn.Softmax(dim=1), "Softmax(dim=1)"),
        (nn.Softmax(temperature=2.0), "Softmax(dim=-1, temperature=2.0)"),
        (nn.LogSoftmax(), "LogSoftmax(dim=-1)"),
    ],
    ids=str,
)
def test_layer_prints_its_options(layer, text):
    assert repr(layer) == text


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (nn.LeakyReLU(0.3), torch.nn.LeakyReLU(0.3)),
        (nn.ELU(0.7), torch.nn.ELU(0.7)),
        (nn.GELU("tanh"), torch.nn.GELU("tanh")),
        (nn.Softplus(2.0, 3.0), torch.nn.Softplus(2.0, 3.0)),
        (nn.Softmax(0), torch.nn.Softmax(0)),
        (nn.LogSoftmax(0), torch.nn.LogSoftmax(0)),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layer_hands_its_options_to_the_function(ours, theirs):
    z = torch.linspace(-3, 3, 12).reshape(3, 4)
    torch.testing.assert_close(ours(z), theirs(z))


def test_softmax_layer_hands_on_its_temperature():
    z = torch.tensor([0.0, math.log(2)])
    assert nn.Softmax(temperature=0.5)(z).tolist() == pytest.approx([0.2, 0.8])
    assert nn.LogSoftmax(temperature=0.5)(z).exp().tolist() == pytest.approx([0.2, 0.8])


@pytest.mark.parametrize("layer", [nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SiLU])
def test_layer_refuses_to_work_in_place(layer):
    with pytest.raises(
        ValueError, match=rf"^{layer.__name__}: inplace expected False, got True; the companion never writes"
    ):
        layer(inplace=True)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 2), ValueError, "Linear: in_features expected 1 or more, got 0"),
        ((2, -1), ValueError, "Linear: out_features expected 1 or more, got -1"),
        ((2.0, 2), TypeError, "Linear: in_features expected a whole number, got float"),
        ((2, True), TypeError, "Linear: out_features expected a whole number, got bool"),
    ],
)
def test_linear_refuses_sizes_out_of_range(arguments, error, message):
    with pytest.raises(error) as caught:
        nn.Linear(*arguments)
    assert str(caught.value) == message


def test_layers_are_none_of_torchs_classes_as_the_package_says():
    own = [getattr(nn, name) for name in nn.__all__]
    shared = {nn.Flatten, nn.Module, nn.Parameter, nn.Sequential}
    named = [kind for kind in own if kind not in shared and hasattr(torch.nn, kind.__name__)]
    assert len(named) > 30
    assert not [kind for kind in named if issubclass(kind, getattr(torch.nn, kind.__name__))]
    for said in ("inplace=True", "torch.jit.script", "isinstance(layer, torch.nn.Linear)"):
        assert said in nn.__doc__
