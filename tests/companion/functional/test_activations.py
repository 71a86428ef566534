"""Each activation against PyTorch's, by value, gradient and second derivative, and at its limits."""

import math

import pytest
import torch
import torch.nn.functional as oracle
from torch.autograd import gradcheck, gradgradcheck

from companion import functional as F

INF, NAN = math.inf, math.nan
# PyTorch's own forward mode scripts its rules on first use and warns about that
FORWARD_MODE = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

# name in the test report: ours, PyTorch's, whether the second derivative is worth comparing
PAIRS = {
    "sigmoid": (F.sigmoid, torch.sigmoid, True),
    "tanh": (F.tanh, torch.tanh, True),
    "relu": (F.relu, torch.relu, False),
    "leaky_relu": (F.leaky_relu, oracle.leaky_relu, False),
    "leaky_relu 0.3": (lambda z: F.leaky_relu(z, 0.3), lambda z: oracle.leaky_relu(z, 0.3), False),
    "leaky_relu -1": (lambda z: F.leaky_relu(z, -1), lambda z: oracle.leaky_relu(z, -1), False),
    "elu": (F.elu, oracle.elu, True),
    "elu 1.7": (lambda z: F.elu(z, 1.7), lambda z: oracle.elu(z, 1.7), True),
    "gelu": (F.gelu, oracle.gelu, True),
    "gelu tanh": (
        lambda z: F.gelu(z, approximate="tanh"),
        lambda z: oracle.gelu(z, approximate="tanh"),
        True,
    ),
    "silu": (F.silu, oracle.silu, True),
    "softplus": (F.softplus, oracle.softplus, True),
    "softplus 2 5.1": (lambda z: F.softplus(z, 2.0, 5.1), lambda z: oracle.softplus(z, 2.0, 5.1), True),
}
SMOOTH = [name for name, (_, _, smooth) in PAIRS.items() if smooth and not name.startswith("elu")]
TOLERANCE = {torch.float64: 1e-12, torch.float32: 5e-6, torch.float16: 2e-3, torch.bfloat16: 2e-2}

each = pytest.mark.parametrize("name", PAIRS)


def grid(dtype=torch.float64, device="cpu"):
    """Values around 0, where formulas differ, and far out, where they overflow; 0 itself included."""
    near = torch.linspace(-6, 6, 49, dtype=torch.float64)
    far = torch.tensor([1e-8, 1e-3, 9.9, 19.9, 20.1, 37.0, 50.0, 88.0, 90.0, 120.0, 710.0, 800.0, 1e4])
    return torch.cat([near, far.double(), -far.double()]).to(dtype).to(device)


def value_and_gradient(f, z):
    z = z.clone().requires_grad_()
    y = f(z)
    upstream = torch.linspace(0.5, 2, z.numel(), dtype=z.dtype, device=z.device).reshape(z.shape)
    (gradient,) = torch.autograd.grad(y, z, upstream)
    return y.detach(), gradient


@each
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_activation_agrees_with_torch_in_value_and_gradient(name, dtype, device):
    ours, theirs, _ = PAIRS[name]
    z = grid(dtype, device)
    tolerance = TOLERANCE[dtype]
    for got, want in zip(value_and_gradient(ours, z), value_and_gradient(theirs, z)):
        assert got.dtype == dtype
        assert got.device == z.device
        torch.testing.assert_close(got, want, rtol=tolerance, atol=tolerance)


@each
def test_activation_second_derivative_agrees_with_torch(name):
    ours, theirs, smooth = PAIRS[name]
    z = grid()
    z = z[z != 0]  # at the kink of elu and its kin a second derivative does not exist

    def second(f):
        x = z.clone().requires_grad_()
        (first,) = torch.autograd.grad(f(x).sum(), x, create_graph=True)
        return torch.autograd.grad((first * first).sum(), x)[0]

    torch.testing.assert_close(second(ours), second(theirs), rtol=1e-11, atol=1e-11)
    if not smooth:
        assert second(ours).abs().max() == 0


@FORWARD_MODE
@pytest.mark.parametrize("name", SMOOTH)
def test_activation_passes_gradcheck_in_both_modes(name):
    f = PAIRS[name][0]
    z = torch.linspace(-3, 3, 8, dtype=torch.float64, requires_grad=True)
    assert gradcheck(f, z, check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(f, z)


@pytest.mark.parametrize(
    ("f", "z", "value", "slope"),
    [
        (F.sigmoid, math.log(3), 0.75, 0.1875),  # 1 / (1 + 1/3), 3/4 * 1/4
        (F.tanh, math.log(2), 0.6, 0.64),  # (2 - 1/2) / (2 + 1/2), 1 - 0.36
        (F.relu, 2.5, 2.5, 1.0),
        (F.leaky_relu, -2.0, -0.02, 0.01),
        (F.elu, -math.log(2), -0.5, 0.5),
        (F.gelu, 0.0, 0.0, 0.5),
        (F.silu, math.log(3), 0.75 * math.log(3), 0.75 + 0.1875 * math.log(3)),
        (F.softplus, math.log(3), math.log(4), 0.75),
    ],
    ids=lambda v: getattr(v, "__name__", None),
)
def test_activation_equals_what_one_computes_by_hand(f, z, value, slope):
    got, gradient = value_and_gradient(f, torch.tensor([z], dtype=torch.float64))
    assert got.item() == pytest.approx(value, abs=1e-14)
    assert gradient.item() == pytest.approx(0.5 * slope, abs=1e-14)  # the upstream gradient is 0.5


@pytest.mark.parametrize(
    ("f", "low", "high", "low_slope", "high_slope"),
    [
        (F.step, 0, 1, 0, 0),
        (F.sigmoid, 0, 1, 0, 0),
        (F.tanh, -1, 1, 0, 0),
        (F.relu, 0, INF, 0, 1),
        (F.leaky_relu, -INF, INF, 0.01, 1),
        (F.elu, -1, INF, 0, 1),
        (F.gelu, 0, INF, 0, 1),
        (PAIRS["gelu tanh"][0], 0, INF, 0, 1),
        (F.silu, 0, INF, 0, 1),
        (F.softplus, 0, INF, 0, 1),
    ],
    ids=lambda v: getattr(v, "__name__", None),
)
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_activation_reaches_its_limits_at_infinity(f, low, high, low_slope, high_slope, dtype):
    z = torch.tensor([-INF, INF], dtype=dtype, requires_grad=True)
    y = f(z)
    (gradient,) = torch.autograd.grad(y.sum(), z)
    assert y.tolist() == [low, high]
    assert gradient.tolist() == pytest.approx([low_slope, high_slope], rel=1e-2)


@pytest.mark.parametrize("f", [F.step, *(pair[0] for pair in PAIRS.values())], ids=["step", *PAIRS])
def test_activation_lets_nan_through_and_harms_no_neighbour(f):
    z = torch.tensor([0.5, NAN, -0.5], requires_grad=True)
    y = f(z)
    (gradient,) = torch.autograd.grad(y.sum(), z)
    assert torch.isnan(y).tolist() == [False, True, False]
    assert torch.isfinite(gradient[[0, 2]]).all()


@pytest.mark.parametrize(
    ("f", "slope"),
    [(F.relu, 0.0), (F.leaky_relu, 0.01), (lambda z: F.elu(z, 1.7), 1.7), (F.step, 0.0)],
    ids=["relu", "leaky_relu", "elu", "step"],
)
def test_activation_takes_the_left_slope_at_its_kink(f, slope):
    z = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(f(z), z)
    assert gradient.item() == pytest.approx(slope, abs=1e-16)


def test_step_fires_at_zero_of_either_sign_and_keeps_its_type():
    for dtype in TOLERANCE:
        y = F.step(torch.tensor([-1e-7, -0.0, 0.0, 1e-7], dtype=dtype))
        assert y.tolist()[1:] == [1, 1, 1]
        assert y.dtype == dtype
    assert F.step(torch.tensor([-1e-7])).item() == 0


def test_step_passes_no_gradient_but_stays_in_the_graph():
    z = torch.linspace(-1, 1, 5, requires_grad=True)
    F.step(z).sum().backward()
    assert z.grad.tolist() == [0, 0, 0, 0, 0]


def test_tanh_and_sigmoid_keep_their_digits_where_they_are_tiny():
    z = torch.tensor([1e-12, -1e-12], dtype=torch.float64)
    torch.testing.assert_close(F.tanh(z), z, rtol=1e-14, atol=0)
    z = torch.tensor([-700.0], dtype=torch.float64)
    torch.testing.assert_close(F.sigmoid(z), torch.exp(z), rtol=1e-13, atol=0)


def test_softplus_keeps_the_formula_without_threshold():
    z = torch.tensor([25.0], dtype=torch.float64)
    assert F.softplus(z).item() == 25.0
    exact = 25.0 + math.log1p(math.exp(-25.0))
    assert F.softplus(z, threshold=INF).item() == pytest.approx(exact, abs=1e-15)
    assert exact != 25.0


@each
def test_activation_handles_empty_single_scalar_and_strided_tensors(name):
    ours, theirs, _ = PAIRS[name]
    assert ours(torch.zeros(0, 3)).shape == (0, 3)
    z = torch.linspace(-2, 2, 24, dtype=torch.float64).reshape(4, 6)
    for view in (z[:1, :1], z[2, 3], z.T, z[:, ::2], z[0].expand(3, 6)):
        torch.testing.assert_close(ours(view), theirs(view), rtol=1e-12, atol=1e-12)


@each
def test_activation_leaves_its_argument_alone(name):
    z = grid()
    before = z.clone()
    PAIRS[name][0](z)
    assert torch.equal(z, before)


@FORWARD_MODE
@each
def test_activation_works_under_torch_func(name):
    ours, theirs, _ = PAIRS[name]
    z = torch.linspace(-2, 2, 6, dtype=torch.float64).reshape(2, 3) + 0.1
    torch.testing.assert_close(torch.func.vmap(ours)(z), theirs(z))
    jacobian = torch.func.vmap(torch.func.jacrev(ours))(z)
    torch.testing.assert_close(jacobian, torch.func.vmap(torch.func.jacrev(theirs))(z))
    torch.testing.assert_close(torch.func.vmap(torch.func.jacfwd(ours))(z), jacobian)
    per_sample = torch.func.vmap(torch.func.grad(lambda row: ours(row).sum()))(z)
    torch.testing.assert_close(per_sample, torch.diagonal(jacobian, dim1=1, dim2=2))


@pytest.mark.parametrize("name", ["step", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus"])
def test_activation_refuses_what_is_no_float_tensor(name):
    f = getattr(F, name)
    with pytest.raises(TypeError, match=rf"^{name}: z expected a tensor, got list; torch.as_tensor\(z\) makes one$"):
        f([1.0])
    with pytest.raises(ValueError, match=rf"^{name}: z expected a float tensor, got torch.int64; z.float\(\) converts"):
        f(torch.tensor([1]))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda z: F.leaky_relu(z, "a"),
            TypeError,
            "leaky_relu: negative_slope expected a finite number, got str",
        ),
        (
            lambda z: F.leaky_relu(z, INF),
            ValueError,
            "leaky_relu: negative_slope expected a finite number, got inf",
        ),
        (lambda z: F.elu(z, NAN), ValueError, "elu: alpha expected a finite number, got nan"),
        (lambda z: F.elu(z, True), TypeError, "elu: alpha expected a finite number, got bool"),
        (lambda z: F.gelu(z, "fast"), ValueError, "gelu: approximate expected 'none' or 'tanh', got 'fast'"),
        (lambda z: F.gelu(z, True), TypeError, "gelu: approximate expected 'none' or 'tanh', got bool"),
        (lambda z: F.softplus(z, 0), ValueError, "softplus: beta expected a finite number above 0, got 0"),
        (
            lambda z: F.softplus(z, -1.0),
            ValueError,
            "softplus: beta expected a finite number above 0, got -1.0",
        ),
        (
            lambda z: F.softplus(z, 1, NAN),
            ValueError,
            "softplus: threshold expected a finite number, got nan",
        ),
    ],
)
def test_activation_refuses_options_out_of_range(call, error, message):
    with pytest.raises(error) as caught:
        call(torch.zeros(1))
    assert str(caught.value) == message
