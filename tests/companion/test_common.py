"""What must hold for every function and layer of the numeric core, and a test that none is left out."""

import copy
import inspect
import math
import pickle
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

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
    "conv1d": ("affine", (-math.inf, math.inf), {"additive"}),
    "conv2d": ("affine", (-math.inf, math.inf), {"additive"}),
    "conv_transpose2d": ("affine", (-math.inf, math.inf), {"additive"}),
    "avg_pool2d": ("affine", (-math.inf, math.inf), {"additive"}),
    "adaptive_avg_pool2d": ("affine", (-math.inf, math.inf), {"additive"}),
    "embedding": ("affine", (-math.inf, math.inf), {"additive"}),
    "scaled_dot_product_attention": ("affine", (-math.inf, math.inf), {"additive"}),
    "rnn_cell": ("recurrent", (-1, 1), set()),
    "gru_cell": ("recurrent", (-1, 1), set()),
    "lstm_cell": ("recurrent", (-2, 2), set()),  # c moves by at most 1 in a step, and starts within 1
    "max_pool2d": ("pooling", (-math.inf, math.inf), set()),
    "batch_norm": ("norm", (-2 - 1e-9, 2 + 1e-9), set()),  # sqrt(n - 1) for n = 5 numbers
    "layer_norm": ("norm", (-2 - 1e-9, 2 + 1e-9), set()),
    "group_norm": ("norm", (-2 - 1e-9, 2 + 1e-9), set()),
    "dropout": ("random", (-math.inf, math.inf), set()),
    "dropout2d": ("random", (-math.inf, math.inf), set()),
}


def sample(*shape):
    return lambda: torch.linspace(-3, 3, math.prod(shape)).reshape(shape)


class Layer(NamedTuple):
    """An example of a layer: constructor arguments, its function, an input, whether PyTorch has it too."""

    arguments: tuple | Callable = ()
    function: Callable | None = None
    sample: Callable = sample(2, 5)
    in_torch: bool = True

    def make(self, name, home=nn):
        arguments = self.arguments(home) if callable(self.arguments) else self.arguments
        return getattr(home, name)(*arguments)


IMAGES = sample(2, 4, 6, 6)
LAYERS = {
    "Step": Layer(function=F.step, in_torch=False),
    "Sigmoid": Layer(function=F.sigmoid),
    "Tanh": Layer(function=F.tanh),
    "ReLU": Layer(function=F.relu),
    "LeakyReLU": Layer(function=F.leaky_relu),
    "ELU": Layer(function=F.elu),
    "GELU": Layer(function=F.gelu),
    "SiLU": Layer(function=F.silu),
    "Softplus": Layer(function=F.softplus),
    "Softmax": Layer((-1,), F.softmax),
    "LogSoftmax": Layer((-1,), F.log_softmax),
    "Linear": Layer((5, 3)),
    "Conv1d": Layer((4, 6, 3, 2, 1), sample=sample(2, 4, 9)),
    "Conv2d": Layer((4, 6, 3, 2, 1, 1, 2), sample=IMAGES),
    "ConvTranspose2d": Layer((4, 6, 3, 2, 1, 1, 2), sample=IMAGES),
    "MaxPool2d": Layer((2,), lambda x: F.max_pool2d(x, 2), IMAGES),
    "AvgPool2d": Layer((2,), lambda x: F.avg_pool2d(x, 2), IMAGES),
    "AdaptiveAvgPool2d": Layer((4,), lambda x: F.adaptive_avg_pool2d(x, 4), IMAGES),
    "BatchNorm1d": Layer((5,)),
    "BatchNorm2d": Layer((4,), sample=IMAGES),
    "LayerNorm": Layer((5,), lambda x: F.layer_norm(x, (5,))),
    "GroupNorm": Layer((2, 4), lambda x: F.group_norm(x, 2), IMAGES),
    "Dropout": Layer((0.5,)),
    "Dropout2d": Layer((0.5,), sample=IMAGES),
    "Embedding": Layer((7, 3, 1), sample=lambda: torch.tensor([[1, 2, 6], [0, 1, 1]])),
    "TransformerEncoderLayer": Layer((4, 2, 6, 0.0), sample=sample(3, 2, 4)),
    "TransformerEncoder": Layer(
        lambda home: (home.TransformerEncoderLayer(4, 2, 6, 0.0), 2, None, False), sample=sample(3, 2, 4)
    ),
}
# file of tests: layers that take or give more than one tensor, and stand in the tables there
ELSEWHERE = {
    "test_recurrent.py": {"RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"},
    "test_multihead_attention.py": {"MultiheadAttention"},
}
CONTAINERS = {"Module", "Sequential", "Parameter", "Flatten"}

# PyTorch's own versions: whoever dispatches one of these has not written the function by hand
NATIVE = {
    "sigmoid", "tanh", "relu", "threshold", "leaky_relu", "elu", "gelu", "silu", "softplus", "heaviside", "log_sigmoid_forward",
    "convolution", "convolution_overrideable", "mkldnn_convolution", "thnn_conv2d", "_slow_conv2d", "slow_conv_transpose2d",
    "max_pool2d", "max_pool2d_with_indices", "avg_pool2d", "adaptive_avg_pool2d", "_adaptive_avg_pool2d", "batch_norm",
    "native_batch_norm", "_native_batch_norm_legit", "_batch_norm_with_update", "native_layer_norm", "native_group_norm",
    "dropout", "native_dropout", "feature_dropout", "embedding", "embedding_dense",
    "_softmax", "_log_softmax", "softmax", "log_softmax", "logsumexp", "logaddexp", "addmm", "addmv", "baddbmm", "linear",
    "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div",
    "nll_loss", "nll_loss2d", "nll_loss_nd", "cross_entropy_loss", "xlogy",
    "lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell", "mkldnn_rnn_layer",
    "_thnn_fused_lstm_cell", "_thnn_fused_gru_cell", "_cudnn_rnn", "_lstm_mps", "quantized_lstm", "_safe_softmax",
    "scaled_dot_product_attention", "_scaled_dot_product_attention_math", "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_flash_attention_for_cpu", "_scaled_dot_product_efficient_attention", "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_fused_attention_overrideable", "_native_multi_head_attention", "_transform_bias_rescale_qkv",
    "_transformer_encoder_layer_fwd", "_triton_multi_head_attention", "_triton_scaled_dot_attention",
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
    return OTHERS.get(name, [f])


def kernel(z, *shape):
    return torch.linspace(-1, 1, math.prod(shape)).reshape(shape).to(z.device, z.dtype)


def seeded():
    return torch.Generator().manual_seed(0)


# functions that take more than the rows z, with the rest filled in
OTHERS = {
    "conv1d": [lambda z: F.conv1d(z.unsqueeze(1), kernel(z, 2, 1, 3), padding="same")],
    "conv2d": [
        lambda z: F.conv2d(z.unsqueeze(0), kernel(z, 2, 1, 1, 3), stride=2),
        lambda z: F.conv2d(z.expand(2, -1, -1), kernel(z, 4, 1, 1, 2), kernel(z, 4), groups=2, padding=1),
    ],
    "conv_transpose2d": [lambda z: F.conv_transpose2d(z.unsqueeze(0), kernel(z, 1, 2, 2, 2), stride=2)],
    "avg_pool2d": [lambda z: F.avg_pool2d(z.unsqueeze(0), (1, 3), 1, (0, 1), False, False)],
    "adaptive_avg_pool2d": [lambda z: F.adaptive_avg_pool2d(z.unsqueeze(0), (1, 2))],
    "max_pool2d": [lambda z: F.max_pool2d(z.unsqueeze(0), (1, 3), 2, (0, 1))],
    "scaled_dot_product_attention": [
        lambda z: F.scaled_dot_product_attention(kernel(z, 3, 2), kernel(z, len(z), 2), z),
        lambda z: F.scaled_dot_product_attention(z, z, z, is_causal=True),
        lambda z: F.scaled_dot_product_attention(z, z, z, kernel(z, 1, len(z)), 0.5, generator=seeded()),
    ],
    "rnn_cell": [lambda z: F.rnn_cell(z, kernel(z, len(z), 4), kernel(z, 4, 5), kernel(z, 4, 4), kernel(z, 4))],
    "gru_cell": [lambda z: F.gru_cell(z, kernel(z, len(z), 4), kernel(z, 12, 5), kernel(z, 12, 4), kernel(z, 12))],
    "lstm_cell": [
        lambda z: torch.cat(
            F.lstm_cell(z, (kernel(z, len(z), 4),) * 2, kernel(z, 16, 5), kernel(z, 16, 4), kernel(z, 16))
        )
    ],
    "embedding": [lambda z: F.embedding(torch.zeros(3, dtype=torch.int64, device=z.device), z, 0)],
    "batch_norm": [
        lambda z: F.batch_norm(z.T, None, None, training=True),
        lambda z: F.batch_norm(z.T / 1e4, kernel(z, len(z)), 1 + kernel(z, len(z)) ** 2),
    ],
    "layer_norm": [lambda z: F.layer_norm(z, (5,))],
    "group_norm": [lambda z: F.group_norm(z.unsqueeze(0).mT, 1) if len(z) == 1 else F.group_norm(z, 1)],
    "dropout": [lambda z: F.dropout(z, generator=seeded()), lambda z: F.dropout(z, training=False) + 0],
    "dropout2d": [lambda z: F.dropout2d(z.reshape(-1, 1, 1, 5), generator=seeded())],
}


rows = st.lists(st.lists(st.floats(-1e4, 1e4, width=32), min_size=5, max_size=5), min_size=1, max_size=4).map(
    lambda values: torch.tensor(values, dtype=torch.float64)
)  # (N, 5)


def test_every_public_function_and_layer_stands_in_a_table():
    assert set(PROPERTIES) == set(F.__all__) - set(losses.__all__)  # losses have their own table in test_losses
    assert set(LAYERS) | CONTAINERS | set.union(*ELSEWHERE.values()) == {
        n for n in nn.__all__ if not n.endswith("Loss")
    }
    written = {
        n for n, f in vars(activations).items() if inspect.isfunction(f) and f.__module__ == activations.__name__
    }
    assert written <= set(F.__all__), "a public activation is missing in functional/__init__.py"
    for name in CONTAINERS:
        assert getattr(nn, name) is getattr(torch.nn, name)


@pytest.mark.parametrize("file", ELSEWHERE)
def test_layers_left_out_here_stand_in_the_tables_of_their_own_tests(file):
    there = runpy.run_path(str(Path(__file__).parent / "nn" / file))
    assert set(there["LAYERS"]) | set(there.get("CELLS", ())) == ELSEWHERE[file]


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


@having("additive")
@PROPERTY
@given(z=rows)
def test_linear_functions_are_additive(name, z):
    f = variants(name)[-1 if name == "linear" else 0]  # the one without a bias
    torch.testing.assert_close(f(z + 2 * z.flip(0)), f(z) + 2 * f(z.flip(0)), rtol=1e-9, atol=1e-9)


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
        f(x.requires_grad_() if x.is_floating_point() else x).sum().backward()
    return spy.seen


@pytest.mark.parametrize("native", [
    torch.sigmoid, torch.tanh, torch.relu, torch.nn.functional.leaky_relu, torch.nn.functional.elu, torch.nn.functional.gelu,
    torch.nn.functional.silu, torch.nn.functional.softplus, lambda x: torch.softmax(x, -1), lambda x: torch.log_softmax(x, -1),
    lambda x: torch.logsumexp(x, -1), torch.nn.Linear(5, 3), torch.nn.BatchNorm1d(5), torch.nn.LayerNorm(5),
    torch.nn.GroupNorm(1, 5), torch.nn.BatchNorm1d(5).eval(), lambda x: torch.native_dropout(x, 0.5, True)[0],
    lambda x: torch.nn.functional.embedding(torch.tensor([1]), x), lambda x: torch.nn.Conv1d(2, 1, 2)(x),
    lambda x: torch.nn.Conv2d(1, 1, 2)(x[None]), lambda x: torch.nn.ConvTranspose2d(1, 1, 2)(x[None]),
    lambda x: torch.nn.MaxPool2d(2)(x[None]), lambda x: torch.nn.AvgPool2d(2)(x[None]), lambda x: torch.nn.AdaptiveAvgPool2d(2)(x[None]),
    lambda x: torch.nn.functional.scaled_dot_product_attention(x, x, x), lambda x: torch.nn.MultiheadAttention(5, 1)(x, x, x)[0],
    lambda x: torch.nn.TransformerEncoderLayer(5, 1, 3)(x), lambda x: torch.rnn_relu_cell(x, x, *torch.ones(2, 5, 5)),
    lambda x: torch.nn.RNN(5, 3)(x)[0], lambda x: torch.nn.LSTM(5, 3)(x)[0], lambda x: torch.nn.GRU(5, 3)(x)[0],
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
    seen = operations(LAYERS[name].make(name), LAYERS[name].sample())
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


# TransformerEncoder copies a layer, and PyTorch cannot copy a pretended tensor: test_transformer.py has another way
@pytest.mark.parametrize("name", [name for name in LAYERS if name != "TransformerEncoder"])
def test_layer_runs_on_a_pretended_gpu(name):
    with FakeTensorMode(), torch.device("cuda"), torch.no_grad():
        layer = LAYERS[name].make(name)
        assert layer(LAYERS[name].sample()).device.type == "cuda"


def test_linear_on_a_pretended_gpu_accepts_a_generator_of_the_cpu():
    with FakeTensorMode(), torch.no_grad():
        layer = nn.Linear(5, 3, device="cuda", generator=torch.Generator().manual_seed(0))
        assert layer.weight.device.type == "cuda"


@EVERY_LAYER
def test_layer_runs_on_every_device_present(name, device):
    layer = LAYERS[name].make(name).to(device)
    y = layer(LAYERS[name].sample().to(device))
    assert y.device.type == device.type
    assert torch.isfinite(y).all()


@EVERY_LAYER
def test_layer_equals_its_function_and_survives_copying_and_pickling(name):
    layer, function, x = LAYERS[name].make(name).eval(), LAYERS[name].function, LAYERS[name].sample()
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x), layer(x))
        assert list(layer.state_dict()) == list(other.state_dict())
    if function is not None:
        assert torch.equal(layer(x), function(x))


@EVERY_LAYER
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_layer_works_in_other_float_types(name, dtype):
    layer, x = LAYERS[name].make(name).eval(), LAYERS[name].sample()
    want = layer(x)
    got = copy.deepcopy(layer).to(dtype)(x.to(dtype) if x.is_floating_point() else x)
    assert got.dtype == dtype
    torch.testing.assert_close(got.float(), want, rtol=3e-2, atol=3e-2)


# The compiler builds an object that PyTorch's own autograd has declared out of date
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@EVERY_LAYER
def test_layer_can_be_captured_whole_by_the_compiler(name):
    layer, x = LAYERS[name].make(name).eval(), LAYERS[name].sample()
    torch.testing.assert_close(torch.compile(layer, backend="eager", fullgraph=True)(x), layer(x))


EVERY_TWIN = pytest.mark.parametrize("name", [name for name, layer in LAYERS.items() if layer.in_torch])


@EVERY_TWIN
def test_layer_takes_the_arguments_of_torch(name):
    mine, reference = (list(inspect.signature(getattr(home, name)).parameters) for home in (nn, torch.nn))
    assert mine[: len(reference)] == reference


@EVERY_TWIN
def test_layer_and_its_twin_in_torch_load_each_others_state(name):
    ours, theirs = (LAYERS[name].make(name, home) for home in (nn, torch.nn))
    assert {k: (v.shape, v.dtype) for k, v in ours.state_dict().items()} == {
        k: (v.shape, v.dtype) for k, v in theirs.state_dict().items()
    }
    assert [k for k, _ in ours.named_parameters()] == [k for k, _ in theirs.named_parameters()]
    x = LAYERS[name].sample()
    for source, target in ((theirs, ours), (ours, theirs)):
        for parameter in source.parameters():
            torch.nn.init.uniform_(parameter)
        target.load_state_dict(source.state_dict())
        torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))
