"""What must hold for every function and layer of the numeric core, and a test that none is left out."""

import copy
import inspect
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from companion import functional as F
from companion import nn
from companion.functional import activations, losses

# PyTorch's own forward mode scripts its rules on first use and warns about that
FORWARD_MODE = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
POINTWISE, SHARE = "pointwise", "share"

# name: (kind, the range as low and high, further properties)
PROPERTIES = {
    "step": (POINTWISE, (0, 1), {"monotonic"}),
    "sigmoid": (POINTWISE, (0, 1), {"monotonic", "odd about one half"}),
    "tanh": (POINTWISE, (-1, 1), {"monotonic", "odd"}),
    "relu": (POINTWISE, (0, math.inf), {"monotonic", "scales"}),
    "leaky_relu": (POINTWISE, (-math.inf, math.inf), {"monotonic", "scales"}),
    "elu": (POINTWISE, (-1, math.inf), {"monotonic"}),
    "gelu": (POINTWISE, (-0.17, math.inf), {"differs from its mirror by z"}),
    "silu": (POINTWISE, (-0.2785, math.inf), {"differs from its mirror by z"}),
    "softplus": (POINTWISE, (0, math.inf), {"monotonic", "differs from its mirror by z"}),
    "softmax": (SHARE, (0, 1), {"ignores a shift", "sums to one"}),
    "log_softmax": (SHARE, (-math.inf, 0), {"ignores a shift", "exponentials sum to one"}),
    "logsumexp": ("reduction", (-math.inf, math.inf), {"moves with a shift", "between max and max + log n"}),
    "linear": ("affine", (-math.inf, math.inf), {"additive"}),
}

# name of the layer: how to make it, its function, PyTorch's layer
LAYERS = {
    "Step": (nn.Step, F.step, None),
    "Sigmoid": (nn.Sigmoid, F.sigmoid, torch.nn.Sigmoid),
    "Tanh": (nn.Tanh, F.tanh, torch.nn.Tanh),
    "ReLU": (nn.ReLU, F.relu, torch.nn.ReLU),
    "LeakyReLU": (nn.LeakyReLU, F.leaky_relu, torch.nn.LeakyReLU),
    "ELU": (nn.ELU, F.elu, torch.nn.ELU),
    "GELU": (nn.GELU, F.gelu, torch.nn.GELU),
    "SiLU": (nn.SiLU, F.silu, torch.nn.SiLU),
    "Softplus": (nn.Softplus, F.softplus, torch.nn.Softplus),
    "Softmax": (nn.Softmax, F.softmax, torch.nn.Softmax),
    "LogSoftmax": (nn.LogSoftmax, F.log_softmax, torch.nn.LogSoftmax),
    "Linear": (lambda: nn.Linear(5, 3), None, torch.nn.Linear),
}
CONTAINERS = {"Module", "Sequential", "Parameter", "Flatten"}

# PyTorch's own versions: whoever dispatches one of these has not written the function by hand
NATIVE = {
    "sigmoid", "tanh", "relu", "threshold", "leaky_relu", "elu", "gelu", "silu", "softplus", "heaviside", "log_sigmoid_forward",
    "_softmax", "_log_softmax", "softmax", "log_softmax", "logsumexp", "logaddexp", "addmm", "addmv", "baddbmm", "linear",
    "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div",
    "nll_loss", "nll_loss2d", "nll_loss_nd", "cross_entropy_loss", "xlogy",
}  # fmt: skip

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)  # the same cases on every run
EVERY_FUNCTION = pytest.mark.parametrize("name", PROPERTIES)
EVERY_LAYER = pytest.mark.parametrize("name", LAYERS)


def variants(name):
    """Every form of a function that takes another path, as functions of one tensor."""
    f = getattr(F, name)
    if name == "gelu":
        return [f, lambda z: f(z, approximate="tanh")]
    if name in ("softmax", "log_softmax"):
        return [f, lambda z: f(z, dim=0, temperature=0.5)]
    if name == "linear":
        weight, bias = torch.linspace(-1, 1, 15).reshape(3, 5), torch.arange(3.0)
        return [
            lambda x: f(x, weight.to(x.device, x.dtype), bias.to(x.device, x.dtype)),
            lambda x: f(x, weight.to(x.device, x.dtype)),
        ]
    return [f]


rows = st.lists(st.lists(st.floats(-1e4, 1e4, width=32), min_size=5, max_size=5), min_size=1, max_size=4).map(
    lambda values: torch.tensor(values, dtype=torch.float64)
)  # (N, 5)


def test_every_public_function_and_layer_stands_in_a_table():
    assert set(PROPERTIES) == set(F.__all__) - set(losses.__all__)  # losses have their own table in test_losses
    assert set(LAYERS) | CONTAINERS == {n for n in nn.__all__ if not n.endswith("Loss")}
    written = {
        n for n, f in vars(activations).items() if inspect.isfunction(f) and f.__module__ == activations.__name__
    }
    assert written <= set(F.__all__), "a public activation is missing in functional/__init__.py"
    for name in CONTAINERS:
        assert getattr(nn, name) is getattr(torch.nn, name)


@EVERY_FUNCTION
@PROPERTY
@given(z=rows)
def test_values_stay_in_range(name, z):
    low, high = PROPERTIES[name][1]
    for f in variants(name):
        y = f(z)
        assert torch.isfinite(y).all()
        assert ((y >= low) & (y <= high)).all()


def having(*wanted):
    return pytest.mark.parametrize("name", [n for n, (_, _, has) in PROPERTIES.items() if has & set(wanted)])


@having("monotonic")
@PROPERTY
@given(z=rows)
def test_monotonic_functions_never_fall(name, z):
    y = getattr(F, name)(z.flatten().sort().values)
    assert (y.diff() >= -1e-12).all()


def test_gelu_and_silu_are_not_monotonic():
    z = torch.tensor([-10.0, -1.0])
    for f in (F.gelu, F.silu):
        assert f(z).diff() < -0.1


@having("odd", "odd about one half", "differs from its mirror by z", "scales")
@PROPERTY
@given(z=rows)
def test_symmetries_hold(name, z):
    f, has = getattr(F, name), PROPERTIES[name][2]
    expected = {
        "odd": lambda: -f(z),
        "odd about one half": lambda: 1 - f(z),
        "differs from its mirror by z": lambda: f(z) - z if name == "softplus" else z.sub(f(z)).neg(),
        "scales": lambda: None,
    }
    if "scales" in has:
        torch.testing.assert_close(f(3 * z), 3 * f(z))
        return
    (key,) = has & set(expected)
    torch.testing.assert_close(f(-z), expected[key](), rtol=1e-9, atol=1e-8)


@having("ignores a shift", "moves with a shift")
@PROPERTY
@given(z=rows, shift=st.floats(-1e4, 1e4))
def test_a_common_shift_cancels_or_passes(name, z, shift):
    f = getattr(F, name)
    moved = shift if "moves with a shift" in PROPERTIES[name][2] else 0
    torch.testing.assert_close(f(z + shift), f(z) + moved, rtol=1e-9, atol=1e-9)


@having("sums to one", "exponentials sum to one")
@PROPERTY
@given(z=rows)
def test_shares_sum_to_one_and_keep_the_order(name, z):
    y = getattr(F, name)(z)
    total = (y if name == "softmax" else y.exp()).sum(-1)
    torch.testing.assert_close(total, torch.ones_like(total))
    order = z.argsort(dim=-1)
    assert (y.gather(-1, order).diff(dim=-1) >= 0).all()


@PROPERTY
@given(z=rows)
def test_logsumexp_lies_between_the_maximum_and_log_n_above(z):
    excess = F.logsumexp(z) - z.amax(-1)
    assert ((excess >= 0) & (excess <= math.log(5) + 1e-9)).all()


@PROPERTY
@given(z=rows)
def test_linear_is_additive(z):
    weight = torch.linspace(-1, 1, 15, dtype=torch.float64).reshape(3, 5)
    torch.testing.assert_close(F.linear(z + z.flip(0), weight), F.linear(z, weight) + F.linear(z.flip(0), weight))


class Spy(TorchDispatchMode):
    """Collect the names of the operations that PyTorch is really asked for."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen.add(func.overloadpacket.__name__.removesuffix("_backward").removesuffix("_forward"))
        return func(*args, **(kwargs or {}))


def operations(f, x):
    with Spy() as spy:
        f(x.requires_grad_()).sum().backward()
    return spy.seen


@pytest.mark.parametrize("native", [
    torch.sigmoid, torch.tanh, torch.relu, torch.nn.functional.leaky_relu, torch.nn.functional.elu, torch.nn.functional.gelu,
    torch.nn.functional.silu, torch.nn.functional.softplus, lambda x: torch.softmax(x, -1), lambda x: torch.log_softmax(x, -1),
    lambda x: torch.logsumexp(x, -1), torch.nn.Linear(5, 3),
])  # fmt: skip
def test_spy_sees_each_native_operation(native):
    assert operations(native, torch.zeros(2, 5)) & NATIVE


@EVERY_FUNCTION
def test_function_calls_no_native_version(name):
    for f in variants(name):
        seen = operations(f, torch.zeros(2, 5))
        assert seen, "the spy saw nothing at all"
        assert not seen & NATIVE


@EVERY_LAYER
def test_layer_calls_no_native_version(name):
    seen = operations(LAYERS[name][0](), torch.zeros(2, 5))
    assert seen
    assert not seen & NATIVE


# Forward mode, because backward() on a pretended GPU ends the whole process in a PyTorch built without CUDA; the
# slopes that both modes share are reached all the same, and backward() is asked for on "meta", where nothing is computed.
@FORWARD_MODE
@EVERY_FUNCTION
def test_function_and_derivative_run_on_a_pretended_gpu(name):
    with FakeTensorMode():
        for f in variants(name):
            z = torch.empty(2, 5, device="cuda")
            y, tangent = torch.func.jvp(f, (z,), (torch.ones_like(z),))
            assert y.device.type == tangent.device.type == "cuda"


@EVERY_FUNCTION
def test_function_runs_backwards_on_a_device_that_computes_nothing(name):
    for f in variants(name):
        z = torch.empty(2, 5, device="meta", requires_grad=True)
        f(z).sum().backward()
        assert z.grad.device.type == "meta"


def test_pretended_gpu_finds_a_tensor_left_on_the_cpu():
    with FakeTensorMode(), pytest.raises(Exception, match="device"):
        torch.empty(3, device="cuda") + torch.ones(3)


@EVERY_LAYER
def test_layer_runs_on_a_pretended_gpu(name):
    with FakeTensorMode(), torch.no_grad():
        layer = LAYERS[name][0]() if name != "Linear" else nn.Linear(5, 3, device="cuda")
        assert layer(torch.empty(2, 5, device="cuda")).device.type == "cuda"


def test_linear_on_a_pretended_gpu_accepts_a_generator_of_the_cpu():
    with FakeTensorMode(), torch.no_grad():
        layer = nn.Linear(5, 3, device="cuda", generator=torch.Generator().manual_seed(0))
        assert layer.weight.device.type == "cuda"


@EVERY_LAYER
def test_layer_runs_on_every_device_present(name, device):
    layer = LAYERS[name][0]().to(device)
    y = layer(torch.zeros(2, 5, device=device))
    assert y.device.type == device.type
    assert torch.isfinite(y).all()


@EVERY_LAYER
def test_layer_equals_its_function_and_survives_a_deep_copy(name):
    make, function, _ = LAYERS[name]
    layer = make()
    z = torch.linspace(-3, 3, 10).reshape(2, 5)
    other = copy.deepcopy(layer)
    assert torch.equal(other(z), layer(z))
    if function is not None:
        assert torch.equal(layer(z), function(z))
    assert list(layer.state_dict()) == list(other.state_dict())


# The compiler builds an object that PyTorch's own autograd has declared out of date
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@EVERY_LAYER
def test_layer_can_be_captured_whole_by_the_compiler(name):
    layer = LAYERS[name][0]()
    z = torch.linspace(-3, 3, 10).reshape(2, 5)
    torch.testing.assert_close(torch.compile(layer, backend="eager", fullgraph=True)(z), layer(z))


@EVERY_LAYER
def test_layer_takes_the_arguments_of_torch(name):
    ours, _, theirs = LAYERS[name]
    if theirs is None:
        return
    ours = nn.Linear if name == "Linear" else ours
    mine, reference = (list(inspect.signature(layer).parameters) for layer in (ours, theirs))
    assert mine[: len(reference)] == reference
    assert theirs.__name__ == name
