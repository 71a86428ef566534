"""The multilayer perceptron as a row of layers."""

import pytest
import torch

from companion import nn
from companion.models import mlp
from companion.random import generator


def test_mlp_equals_the_same_row_of_torch_layers():
    ours = mlp([4, 8, 8, 3], activation=nn.Tanh, generator=generator(0))
    T = torch.nn
    theirs = T.Sequential(T.Linear(4, 8), T.Tanh(), T.Linear(8, 8), T.Tanh(), T.Linear(8, 3))
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(5, 4, generator=generator(1))
    torch.testing.assert_close(ours(x), theirs(x))
    ours.load_state_dict(theirs.state_dict())


def test_mlp_has_an_activation_after_each_layer_but_the_last():
    names = [type(layer).__name__ for layer in mlp([2, 3, 4, 1])]
    assert names == ["Linear", "ReLU", "Linear", "ReLU", "Linear"]
    assert [type(layer).__name__ for layer in mlp([2, 1])] == ["Linear"]
    assert [type(layer).__name__ for layer in mlp([2, 1], out_activation=nn.Sigmoid)] == ["Linear", "Sigmoid"]


def test_mlp_makes_a_new_activation_for_each_layer_from_any_maker():
    model = mlp([2, 3, 3, 1], activation=lambda: nn.LeakyReLU(0.2))
    assert model[1] is not model[3]
    assert model[1].negative_slope == 0.2


def test_mlp_is_reproducible_from_its_generator():
    a, b, c = (mlp([3, 5, 2], generator=generator(seed)) for seed in (0, 0, 1))
    for name, value in a.state_dict().items():
        assert torch.equal(value, b.state_dict()[name])
    assert not torch.equal(a[0].weight, c[0].weight)
    assert not torch.equal(a[0].weight.flatten()[:4], a[2].weight.flatten()[:4]), "layers continue one stream"


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (([3],), {}, ValueError, "mlp: sizes expected two numbers or more, inputs and outputs, got [3]; try [2, 3, 1]"),
        (([3, 0, 1],), {}, ValueError, "Linear: out_features expected 1 or more, got 0"),
        (([3, 1],), {"activation": nn.ReLU()}, TypeError, "mlp: activation expected what makes a layer, got ReLU; leave out the brackets: nn.ReLU, not nn.ReLU()"),
        (([3, 1],), {"out_activation": nn.Sigmoid()}, TypeError, "mlp: out_activation expected what makes a layer, got Sigmoid; leave out the brackets: nn.ReLU, not nn.ReLU()"),
    ],
)  # fmt: skip
def test_mlp_refuses_what_makes_no_network(arguments, options, error, message):
    with pytest.raises(error) as caught:
        mlp(*arguments, **options)
    assert str(caught.value) == message


def test_mlp_says_that_its_input_is_of_another_float_type():
    net, x = mlp([3, 4, 1]), torch.zeros(5, 3).double()
    with pytest.raises(TypeError) as caught:
        net(x)
    assert str(caught.value) == ("linear: x expected float32 like the weights, got float64; x.float(), or net.double()")
    assert net(x.float()).dtype == torch.float32
    assert net.double()(x).dtype == torch.float64
