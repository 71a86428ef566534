"""Normalisation against PyTorch's, by value, gradient and second derivative, and at its limits."""

import math

import pytest
import torch
import torch.nn.functional as oracle
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

from companion import functional as F

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
# PyTorch's own forward mode scripts its rules on first use and warns about that
FORWARD_MODE = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")


def draw(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def value_and_gradients(f, x, *others):
    """Run f on leaves; an absent weight or bias stays absent."""
    leaves = [t if t is None else t.detach().requires_grad_() for t in (x, *others)]
    y = f(*leaves)
    present = [t for t in leaves if t is not None]
    return [y.detach(), *torch.autograd.grad(y, present, draw(*y.shape, seed=9, dtype=y.dtype))]


def agree(ours, theirs, *inputs, tolerance=1e-9):
    for got, want in zip(value_and_gradients(ours, *inputs), value_and_gradients(theirs, *inputs)):
        assert got.dtype == want.dtype
        torch.testing.assert_close(got, want, rtol=tolerance, atol=tolerance, equal_nan=True)


def maybe(shape, present, seed):
    return 1 + draw(*shape, seed=seed) if present else None


sizes = st.lists(st.integers(1, 4), min_size=0, max_size=2)


@PROPERTY
@given(
    batch=st.integers(0, 4), channels=st.integers(1, 4), rest=sizes, weight=st.booleans(), bias=st.booleans(), training=st.booleans(),
    momentum=st.sampled_from([0.0, 0.1, 1.0]), eps=st.sampled_from([1e-5, 0.5]), tracked=st.booleans(), scale=st.sampled_from([1.0, 1e-3]),
)  # fmt: skip
def test_batch_norm_agrees_with_torch_for_every_argument(
    batch, channels, rest, weight, bias, training, momentum, eps, tracked, scale
):
    x = 3 + scale * draw(batch, channels, *rest)
    assume(not (training and x.numel() == channels))
    assume(tracked or training)
    records = []

    def run(f):
        mean, var = (draw(channels, seed=5), 1 + draw(channels, seed=6) ** 2) if tracked else (None, None)
        records.append((mean, var))
        return lambda x, w, b: f(x, mean, var, w, b, training, momentum, eps)

    agree(run(F.batch_norm), run(oracle.batch_norm), x, maybe((channels,), weight, 1), maybe((channels,), bias, 2))
    if tracked:
        torch.testing.assert_close(records[0], records[1], rtol=1e-12, atol=1e-12)


@PROPERTY
@given(lead=sizes, shape=st.lists(st.integers(1, 4), min_size=1, max_size=2), weight=st.booleans(), bias=st.booleans(), eps=st.sampled_from([1e-5, 0.5]))  # fmt: skip
def test_layer_norm_agrees_with_torch_for_every_argument(lead, shape, weight, bias, eps):
    x = 3 + draw(*lead, *shape)
    inputs = x, maybe(shape, weight, 1), maybe(shape, bias, 2)
    agree(
        lambda *a: F.layer_norm(a[0], shape, *a[1:], eps),
        lambda *a: oracle.layer_norm(a[0], shape, *a[1:], eps),
        *inputs,
    )


@PROPERTY
@given(
    batch=st.integers(0, 3), groups=st.integers(1, 3), per_group=st.integers(1, 3), rest=sizes, weight=st.booleans(),
    bias=st.booleans(), eps=st.sampled_from([1e-5, 0.5]),
)  # fmt: skip
def test_group_norm_agrees_with_torch_for_every_argument(batch, groups, per_group, rest, weight, bias, eps):
    channels = groups * per_group
    x = 3 + draw(batch, channels, *rest)
    assume(x.numel() != groups)
    assume(weight or not bias)  # PyTorch 2.13 fails on the gradient of a bias without a weight; gradcheck holds ours
    inputs = x, maybe((channels,), weight, 1), maybe((channels,), bias, 2)
    agree(
        lambda *a: F.group_norm(a[0], groups, *a[1:], eps),
        lambda *a: oracle.group_norm(a[0], groups, *a[1:], eps),
        *inputs,
    )


def record(like):
    return like.new_ones(4), like.new_full((4,), 2)


def forms(home):
    """Every function as one of x (6, 4, 5), a weight and a bias of 4."""
    return {
        "batch_norm": lambda x, w, b: home.batch_norm(x, None, None, w, b, True),
        "batch_norm by running numbers": lambda x, w, b: home.batch_norm(x, *record(x if w is None else w), w, b),
        "layer_norm": lambda x, w, b: home.layer_norm(x.mT, (4,), w, b),
        "group_norm": lambda x, w, b: home.group_norm(x, 2, w, b),
    }


OURS, THEIRS = forms(F), forms(oracle)
EVERY = pytest.mark.parametrize("name", OURS)
TOLERANCE = {torch.float64: 1e-10, torch.float32: 2e-5, torch.bfloat16: 6e-2, torch.float16: 1e-2}


def inputs(dtype=torch.float64):
    return draw(6, 4, 5, dtype=dtype), 1 + draw(4, seed=1, dtype=dtype), draw(4, seed=2, dtype=dtype)


@EVERY
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_normalisation_agrees_in_every_float_type(name, dtype, device):
    values = [t.to(device) for t in inputs(dtype)]
    agree(OURS[name], THEIRS[name], *values, tolerance=TOLERANCE[dtype])


@EVERY
def test_normalisation_of_short_floats_with_long_weights_keeps_the_short_type(name):
    x, w, b = draw(6, 4, 5, dtype=torch.bfloat16), *inputs(torch.float32)[1:]
    agree(OURS[name], THEIRS[name], x, w, b, tolerance=6e-2)


@EVERY
def test_normalisation_of_a_view_agrees(name):
    agree(OURS[name], THEIRS[name], draw(5, 8, 6).permute(2, 1, 0)[:, ::2], *inputs()[1:])


#: Seen with 2.8, and no more with 2.11.
HUGE = pytest.mark.skipif(torch.__version__ < "2.11", reason="PyTorch before 2.11 answers nan itself")


@EVERY
@pytest.mark.parametrize("value", [math.inf, math.nan, pytest.param(1e200, marks=HUGE), -1e-200])
def test_normalisation_of_an_extreme_value_agrees(name, value):
    x, w, b = inputs()
    x[1, 2, 3] = value
    torch.testing.assert_close(OURS[name](x, w, b), THEIRS[name](x, w, b), equal_nan=True)


def test_squares_beyond_half_precision_do_not_overflow():
    x = torch.tensor([[300.0, -300.0, 600.0]], dtype=torch.float16)
    torch.testing.assert_close(F.layer_norm(x, (3,)), oracle.layer_norm(x, (3,)))


@pytest.mark.parametrize("offset", [1e4, 1e6])
def test_a_large_common_offset_does_not_drown_the_variance(offset):
    x = draw(64, 3, dtype=torch.float64)
    shifted = F.batch_norm(x + offset, None, None, training=True)
    torch.testing.assert_close(shifted, F.batch_norm(x, None, None, training=True), rtol=1e-8, atol=1e-8)


def test_constant_rows_become_zero_and_their_gradient_stays_finite():
    x = torch.full((2, 4), 7.0, requires_grad=True)
    y = F.layer_norm(x, (4,))
    (y * torch.arange(4.0)).sum().backward()
    assert torch.equal(y, torch.zeros(2, 4))
    assert torch.isfinite(x.grad).all()


def test_batch_norm_follows_mean_and_unbiased_variance_by_hand():
    mean, var = torch.zeros(1), torch.ones(1)
    F.batch_norm(torch.tensor([[1.0], [2.0], [6.0]]), mean, var, training=True, momentum=0.5)
    assert mean.item() == pytest.approx(0.5 * 3)
    assert var.item() == pytest.approx(0.5 * 1 + 0.5 * (4 + 1 + 9) / 2)


def test_batch_norm_outside_training_leaves_its_record_alone():
    mean, var = torch.tensor([1.0]), torch.tensor([4.0])
    y = F.batch_norm(torch.tensor([[5.0]]), mean, var, eps=1e-12)
    assert y.item() == pytest.approx(2)
    assert (mean.item(), var.item()) == (1, 4)


@FORWARD_MODE
@EVERY
def test_derivatives_are_those_of_the_values_to_second_order(name):
    x, w, b = draw(3, 4, 2).requires_grad_(), (1 + draw(4, seed=1)).requires_grad_(), draw(4, seed=2).requires_grad_()
    assert gradcheck(OURS[name], (x, w, b), check_forward_ad=True)
    assert gradgradcheck(OURS[name], (x, w, b))
    for part in ((x, None, None), (x, None, b), (x, w, None)):
        assert gradcheck(OURS[name], part, check_forward_ad=True)


@EVERY
def test_second_derivative_agrees_with_torch(name):
    def second(f):
        x, w, b = (t.requires_grad_() for t in inputs())
        first = torch.autograd.grad((f(x, w, b) ** 3).sum(), (x, w), create_graph=True)
        return torch.autograd.grad(sum((g**2).sum() for g in first), (x, w, b))

    for got, want in zip(second(OURS[name]), second(THEIRS[name])):
        torch.testing.assert_close(got, want, rtol=1e-8, atol=1e-8)


@FORWARD_MODE
@EVERY
def test_vmap_agrees_with_a_loop(name):
    x, w, b = draw(3, 6, 4, 5), 1 + draw(3, 4, seed=1), draw(4, seed=2)
    f = torch.func.grad(lambda x, w: (OURS[name](x, w, b) ** 3).sum(), argnums=(0, 1))
    got = torch.func.vmap(f)(x, w)
    for i in range(3):
        for g, want in zip(got, f(x[i], w[i])):
            torch.testing.assert_close(g[i], want)


@EVERY
def test_gradient_of_the_bias_alone_or_the_weight_alone_is_enough(name):
    x, w, b = inputs()
    for which in (1, 2):
        results = []
        for f in (OURS[name], THEIRS[name]):
            leaves = [x, w, b]
            leaves[which] = leaves[which].clone().requires_grad_()
            f(*leaves).pow(2).sum().backward()
            results.append(leaves[which].grad)
        torch.testing.assert_close(*results)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@EVERY
def test_compiled_normalisation_has_the_same_gradients(name):
    agree(torch.compile(OURS[name], backend="aot_eager", fullgraph=True), OURS[name], *inputs())


X, V = torch.zeros(4, 6), torch.zeros(6)


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: F.batch_norm([1.0], V, V), TypeError, "batch_norm: x expected a tensor, got list"),
    (lambda: F.batch_norm(X.int(), V, V), ValueError, "batch_norm: x expected a float tensor, got torch.int32"),
    (lambda: F.batch_norm(V, V, V), ValueError, r"batch_norm: x expected shape \(N, C, ...\), got \(6,\)"),
    (lambda: F.batch_norm(X, None, V), ValueError, "running_mean expected running numbers outside training, got None; training=True"),
    (lambda: F.batch_norm(X, V, None), ValueError, "running_mean expected running numbers outside training"),
    (lambda: F.batch_norm(X, V[:1], V), ValueError, r"running_mean expected shape \(6,\), got \(1,\); one number for each"),
    (lambda: F.batch_norm(X, V, V[:5]), ValueError, r"running_var expected shape \(6,\), got \(5,\)"),
    (lambda: F.batch_norm(X, V, V, V[:1]), ValueError, r"weight expected shape \(6,\), got \(1,\)"),
    (lambda: F.batch_norm(X, V, V, V, X), ValueError, r"bias expected shape \(6,\), got \(4, 6\)"),
    (lambda: F.batch_norm(X, V, V, 1.0), TypeError, "weight expected a tensor, got float"),
    (lambda: F.batch_norm(X, V, V, eps=0.0), ValueError, "eps expected a finite number above 0, got 0.0"),
    (lambda: F.batch_norm(X, V, V, momentum=None), TypeError, "momentum expected a finite number, got NoneType"),
    (lambda: F.batch_norm(X[:1], V, V, training=True), ValueError, r"x expected 2 values or more in each channel while training, got \(1, 6\)"),
    (lambda: F.layer_norm(3, (6,)), TypeError, "layer_norm: x expected a tensor, got int"),
    (lambda: F.layer_norm(X, (5,)), ValueError, r"layer_norm: x expected shape \(..., 5\), got \(4, 6\)"),
    (lambda: F.layer_norm(X, (1, 4, 6)), ValueError, r"x expected shape \(..., 1, 4, 6\), got \(4, 6\)"),
    (lambda: F.layer_norm(X, ()), ValueError, "x expected one axis or more to normalise"),
    (lambda: F.layer_norm(X, (6,), V[:1]), ValueError, r"weight expected shape \(6,\), got \(1,\)"),
    (lambda: F.layer_norm(X, (4, 6), None, V), ValueError, r"bias expected shape \(4, 6\), got \(6,\)"),
    (lambda: F.layer_norm(X, (6,), eps=-1), ValueError, "eps expected a finite number above 0, got -1"),
    (lambda: F.group_norm(X, 4), ValueError, "group_norm: num_groups expected a divisor of the 6 channels, got 4"),
    (lambda: F.group_norm(X, 0), ValueError, "num_groups expected 1 or more, got 0"),
    (lambda: F.group_norm(V, 1), ValueError, r"x expected shape \(N, C, ...\), got \(6,\)"),
    (lambda: F.group_norm(X[:1], 6), ValueError, r"x expected 2 values or more, got \(1, 6\); one value is its own mean"),
    (lambda: F.group_norm(X, 2, V[:2]), ValueError, r"weight expected shape \(6,\), got \(2,\)"),
    (lambda: F.group_norm(X, 2, eps=0), ValueError, "eps expected a finite number above 0"),
])  # fmt: skip
def test_normalisation_refuses_what_does_not_fit_in_words(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
