"""Networks for images: equal to the same network made of PyTorch's layers, and what each is known for."""

import copy
import functools
import pickle

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from twins import named

from companion import nn
from companion.data import digits, standardise
from companion.models import VGG, Inception, InceptionBlock, LeNet, ResidualBlock, ResNet
from companion.random import generator
from companion.summary import count_parameters
from companion.training import accuracy, fit

# name: how it is made for one-channel images of 12 by 12 pixels and 3 classes
MODELS = {
    "LeNet": (LeNet, {"image_size": 12, "kernel_size": 3, "activation": "Tanh", "pool": "AvgPool2d"}),
    "LeNet, max and relu": (LeNet, {"image_size": 12, "activation": "ReLU", "pool": "MaxPool2d"}),
    "VGG": (VGG, {"widths": (4, 8), "depth": 2}),
    "VGG, no batch norm": (VGG, {"widths": (4,), "depth": 1, "batch_norm": False}),
    "Inception": (Inception, {"widths": (4, 8, 12)}),
    "ResNet": (ResNet, {"widths": (4, 8, 8), "depth": 2}),
    "ResNet, plain": (ResNet, {"widths": (4, 8), "depth": 1, "shortcut": False}),
}
EVERY_MODEL = pytest.mark.parametrize("name", MODELS)


def make(name):
    model, options = MODELS[name]
    return model(1, 3, generator=generator(0), **named(nn, options))


def images(n=5, size=12):
    return torch.randn(n, 1, size, size, generator=generator(1))


@EVERY_MODEL
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_model_equals_the_one_of_torch_layers_in_value_and_gradient(twin, name, training, dtype):
    model, options = MODELS[name]
    ours, theirs = (m.to(dtype).train(training) for m in twin(model, 1, 3, **options))
    x = images().to(dtype)
    near = {"rtol": 1e-8, "atol": 1e-10} if dtype == torch.float64 else {"rtol": 1e-3, "atol": 1e-4}
    torch.testing.assert_close(ours(x), theirs(x), **near)
    for m in (ours, theirs):
        m(x).square().sum().backward()
    for (label, p), q in zip(ours.named_parameters(), theirs.parameters()):
        torch.testing.assert_close(p.grad, q.grad, **near, msg=lambda text, label=label: f"{label}: {text}")
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), **near)  # running numbers moved alike


@EVERY_MODEL
def test_model_starts_alike_from_the_same_seed_and_survives_copying(name):
    ours, again = make(name), make(name)
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), again.parameters()))
    x = images()
    for other in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert torch.equal(other.eval()(x), ours.eval()(x))


@EVERY_MODEL
def test_model_runs_on_a_pretended_gpu_and_in_half_precision(name):
    x = images()
    got = make(name).eval().to(torch.bfloat16)(x.to(torch.bfloat16))
    torch.testing.assert_close(got.float(), make(name).eval()(x), rtol=0.1, atol=0.1)
    with FakeTensorMode(), torch.no_grad(), torch.device("cuda"):
        fake = make(name).eval()
        assert fake(torch.empty(5, 1, 12, 12)).device.type == "cuda"


@EVERY_MODEL
def test_eval_result_of_an_image_does_not_depend_on_its_neighbours(name):
    ours, x = make(name).eval(), images()
    torch.testing.assert_close(ours(x)[2:3], ours(x[2:3]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        functools.partial(LeNet, image_size=8, kernel_size=3),
        functools.partial(VGG, widths=(8, 16), depth=1),
        pytest.param(functools.partial(Inception, widths=(8, 16, 16)), marks=pytest.mark.slow),
        pytest.param(functools.partial(ResNet, widths=(8, 16)), marks=pytest.mark.slow),
    ],
    ids=["LeNet", "VGG", "Inception", "ResNet"],
)
def test_model_learns_digits(model):
    (data,) = standardise(digits())
    X, y = data.X[:600].reshape(-1, 1, 8, 8), data.y[:600]
    net = model(generator=generator(0))
    fit(net, X, y, loss="cross_entropy", epochs=10, lr=0.01, generator=generator(1))
    held_out = data.X[600:1000].reshape(-1, 1, 8, 8)
    assert accuracy(net, held_out, data.y[600:1000]) > 0.85


def test_lenet_has_the_parameters_of_the_paper_form():
    assert count_parameters(LeNet()) == 156 + 2416 + 48_120 + 10_164 + 850 == 61_706


def test_vgg_grows_by_the_count_of_its_convolutions():
    per_convolution = 9 * 16 * 16 + 2 * 16
    shallow, deep = VGG(3, 10, widths=(16,), depth=2), VGG(3, 10, widths=(16,), depth=5)
    assert count_parameters(deep) - count_parameters(shallow) == 3 * per_convolution
    assert sum(isinstance(m, nn.MaxPool2d) for m in VGG(widths=(4, 8, 16)).modules()) == 3


def test_residual_block_that_adds_nothing_passes_positive_numbers_on():
    block = ResidualBlock(4, 4).eval()
    torch.nn.init.zeros_(block.bn2.weight)
    x = torch.rand(2, 4, 5, 5, generator=generator(0))
    assert torch.equal(block(x), x)
    assert torch.equal(block(-x), torch.zeros_like(x))
    plain = ResidualBlock(4, 4, shortcut=False).eval()
    torch.nn.init.zeros_(plain.bn2.weight)
    assert torch.equal(plain(x), torch.zeros_like(x))


def test_only_blocks_that_change_the_shape_project_their_input():
    assert ResidualBlock(4, 4).downsample is None
    assert ResidualBlock(4, 8).downsample is not None
    assert ResidualBlock(4, 4, stride=2).downsample is not None
    assert ResidualBlock(4, 8, stride=2, shortcut=False).downsample is None


def test_plain_network_differs_by_the_projections_alone():
    residual, plain = (set(ResNet(widths=(4, 8), shortcut=s).state_dict()) for s in (True, False))
    assert plain < residual
    assert all(".downsample." in key for key in residual - plain)


def test_gradients_reach_the_first_layer_of_a_deep_network_through_shortcuts():
    def first_gradient(shortcut):
        net = ResNet(1, 3, widths=(4,), depth=20, shortcut=shortcut, generator=generator(0))
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                torch.nn.init.constant_(module.weight, 0.3)  # each layer shrinks what passes
        net.eval()(images()).square().sum().backward()
        return net.conv1.weight.grad.norm()

    assert first_gradient(True) > 1000 * first_gradient(False)


def test_names_of_resnet_are_those_of_the_vision_library():
    keys = set(ResNet(3, 10, widths=(4, 8), depth=2).state_dict())
    assert {"conv1.weight", "bn1.running_var", "layer1.0.conv2.weight", "layer2.0.downsample.1.bias"} <= keys
    assert {"layer2.1.bn2.weight", "fc.weight", "fc.bias"} <= keys


def test_inception_puts_its_branches_side_by_side_in_order():
    block = InceptionBlock(3, 8, generator=generator(0)).eval()
    x = torch.randn(2, 3, 6, 6, generator=generator(1))
    y = block(x)
    for i, branch in enumerate([block.branch1, block.branch2, block.branch3, block.branch4]):
        torch.testing.assert_close(y[:, 2 * i : 2 * i + 2], branch(x))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LeNet(kernel_size=4), "LeNet: kernel_size expected an odd number, got 4; an odd kernel has a middle"),
        (
            lambda: LeNet(image_size=8),
            "LeNet: image_size expected 12 or more, got 8; a smaller kernel, such as 3, leaves more",
        ),
        (lambda: LeNet(image_size=2.5), "LeNet: image_size expected a whole number, got float"),
        (lambda: VGG(widths=()), "VGG: widths expected the channels of one stage or more, got (); try (32, 64)"),
        (lambda: VGG(depth=0), "VGG: depth expected 1 or more, got 0"),
        (
            lambda: ResNet(widths=()),
            "ResNet: widths expected the channels of one stage or more, got (); try (16, 32, 64)",
        ),
        (lambda: ResNet(depth=0), "ResNet: depth expected 1 or more, got 0"),
        (lambda: Inception(widths=(8,)), "Inception: widths expected two or more, of the stem and of each block, got (8,)"),
        (
            lambda: InceptionBlock(4, 6),
            "InceptionBlock: out_channels expected a multiple of 4, got 6; each of the four branches gives a quarter",
        ),
        (lambda: ResNet(3)(torch.zeros(1, 1, 8, 8)), "conv2d: x expected 3 channels"),
    ],
)  # fmt: skip
def test_models_refuse_in_one_sentence(call, message):
    with pytest.raises((ValueError, TypeError)) as refusal:
        call()
    assert str(refusal.value).startswith(message)


def test_smallest_lenet_works_at_its_stated_limit():
    for kernel in (1, 3, 5):
        least = 2 * kernel + 2
        assert LeNet(image_size=least, kernel_size=kernel)(torch.zeros(1, 1, least, least)).shape == (1, 10)
        with pytest.raises(ValueError, match=f"expected {least} or more"):
            LeNet(image_size=least - 1, kernel_size=kernel)
