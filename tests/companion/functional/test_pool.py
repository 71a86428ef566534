"""Pooling against PyTorch's, by value, place and gradient, for every argument."""

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


def value_and_gradient(f, x):
    x = x.detach().requires_grad_()
    y = f(x)
    return y.detach(), torch.autograd.grad(y, x, draw(*y.shape, seed=9, dtype=y.dtype))[0]


def agree(ours, theirs, x, tolerance=1e-12):
    for got, want in zip(value_and_gradient(ours, x), value_and_gradient(theirs, x)):
        assert got.dtype == want.dtype
        torch.testing.assert_close(got, want, rtol=tolerance, atol=tolerance)


either = st.one_of(st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 3)))
strides = st.one_of(st.none(), either)
sizes = st.tuples(st.integers(1, 8), st.integers(1, 8))


def accepted(theirs, ours, x):
    """Say whether PyTorch takes the window; where it does not, ours must refuse too."""
    try:
        theirs(x)
    except RuntimeError:
        with pytest.raises(ValueError, match="expected"):
            ours(x)
        return False
    return True


@PROPERTY
@given(
    batch=st.one_of(st.none(), st.integers(0, 2)), size=sizes, kernel=either, stride=strides, padding=st.integers(0, 2),
    dilation=either, ceil_mode=st.booleans(), few=st.booleans(),
)  # fmt: skip
def test_max_pool2d_agrees_with_torch_for_every_argument(
    batch, size, kernel, stride, padding, dilation, ceil_mode, few
):
    x = draw(*(() if batch is None else (batch,)), 2, *size)
    x = x.round() if few else x  # many equals: the gradient goes to the first
    options = dict(kernel_size=kernel, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode)
    ours, theirs = (lambda x, home=home: home.max_pool2d(x, **options) for home in (F, oracle))
    assume(accepted(theirs, ours, x))
    agree(ours, theirs, x)
    y, places = F.max_pool2d(x, **options, return_indices=True)
    assert torch.equal(places, oracle.max_pool2d(x, **options, return_indices=True)[1])
    assert torch.equal(y, theirs(x))


@PROPERTY
@given(
    batch=st.one_of(st.none(), st.integers(0, 2)), size=sizes, kernel=either, stride=strides, padding=st.integers(0, 1),
    ceil_mode=st.booleans(), count_include_pad=st.booleans(), divisor=st.sampled_from([None, None, 3, -2]),
)  # fmt: skip
def test_avg_pool2d_agrees_with_torch_for_every_argument(
    batch, size, kernel, stride, padding, ceil_mode, count_include_pad, divisor
):
    x = draw(*(() if batch is None else (batch,)), 2, *size)
    arguments = (kernel, stride, padding, ceil_mode, count_include_pad, divisor)
    ours, theirs = (lambda x, home=home: home.avg_pool2d(x, *arguments) for home in (F, oracle))
    assume(accepted(theirs, ours, x))
    agree(ours, theirs, x)


@PROPERTY
@given(
    batch=st.one_of(st.none(), st.integers(0, 2)), size=sizes,
    output=st.one_of(st.integers(1, 9), st.tuples(*[st.one_of(st.none(), st.integers(1, 9))] * 2)),
)  # fmt: skip
def test_adaptive_avg_pool2d_agrees_with_torch_for_every_argument(batch, size, output):
    x = draw(*(() if batch is None else (batch,)), 2, *size)
    agree(lambda x: F.adaptive_avg_pool2d(x, output), lambda x: oracle.adaptive_avg_pool2d(x, output), x)


def forms(home):
    return {
        "max_pool2d": lambda x: home.max_pool2d(x, 3, 2, 1),
        "avg_pool2d": lambda x: home.avg_pool2d(x, (2, 3), 2, (0, 1), count_include_pad=False),
        "adaptive_avg_pool2d": lambda x: home.adaptive_avg_pool2d(x, (2, 3)),
    }


OURS, THEIRS = forms(F), forms(oracle)
EVERY = pytest.mark.parametrize("name", OURS)
TOLERANCE = {torch.float32: 1e-6, torch.float16: 4e-3, torch.bfloat16: 3e-2}


@EVERY
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_pooling_agrees_in_shorter_floats_and_on_views(name, dtype, device):
    x = draw(3, 7, 8, 4).permute(0, 3, 1, 2).to(device, dtype)
    assert not x.is_contiguous()
    agree(OURS[name], THEIRS[name], x, tolerance=TOLERANCE[dtype])


@EVERY
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 1e300])
def test_an_extreme_value_stays_within_its_windows(name, value):
    x = draw(1, 1, 7, 8)
    x[0, 0, 2, 3] = value
    torch.testing.assert_close(OURS[name](x), THEIRS[name](x), equal_nan=True)


def test_average_of_large_half_precision_numbers_does_not_overflow():
    x = torch.full((1, 1, 4, 4), 6e4, dtype=torch.float16)
    assert torch.equal(F.avg_pool2d(x, 2), torch.full((1, 1, 2, 2), 6e4, dtype=torch.float16))


def test_max_pool2d_by_hand_gives_the_gradient_to_the_first_of_equals():
    x = torch.tensor([[[1.0, 5.0], [5.0, 5.0]]], requires_grad=True)
    y, place = F.max_pool2d(x, 2, return_indices=True)
    y.sum().backward()
    assert (y.item(), place.item()) == (5, 1)
    assert x.grad.tolist() == [[[0, 1], [0, 0]]]


def test_a_window_of_minus_infinity_alone_names_a_place_within_the_image():
    x = torch.full((1, 3, 3), -math.inf)
    y, places = F.max_pool2d(x, 2, 2, 1, return_indices=True)
    assert (y == -math.inf).all()
    assert torch.equal(places, oracle.max_pool2d(x, 2, 2, 1, return_indices=True)[1])
    assert (places >= 0).all()


@FORWARD_MODE
@EVERY
def test_derivatives_are_those_of_the_values_to_second_order(name):
    x = draw(2, 5, 4).requires_grad_()
    assert gradcheck(OURS[name], x, check_forward_ad=True)
    assert gradgradcheck(OURS[name], x)


@EVERY
def test_vmap_agrees_with_a_loop(name):
    x = draw(3, 2, 1, 6, 5)
    f = torch.func.grad(lambda x: (OURS[name](x) ** 2).sum())
    for got, one in zip(torch.func.vmap(f)(x), x):
        torch.testing.assert_close(got, f(one))


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@EVERY
def test_compiled_pooling_has_the_same_gradient(name):
    agree(torch.compile(OURS[name], backend="aot_eager", fullgraph=True), OURS[name], draw(1, 2, 7, 8))


X = torch.zeros(2, 3, 6, 6)


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: F.max_pool2d(None, 2), TypeError, "max_pool2d: x expected a tensor, got NoneType"),
    (lambda: F.max_pool2d(X.long(), 2), ValueError, "max_pool2d: x expected a float tensor, got torch.int64"),
    (lambda: F.max_pool2d(X[0, 0], 2), ValueError, r"max_pool2d: x expected shape \(N, C, H, W\) or \(C, H, W\), none of them empty but N, got \(6, 6\)"),
    (lambda: F.max_pool2d(X[:, :0], 2), ValueError, r"none of them empty but N, got \(2, 0, 6, 6\)"),
    (lambda: F.max_pool2d(X, 0), ValueError, "kernel_size expected 1 or more, got 0"),
    (lambda: F.max_pool2d(X, 2.0), TypeError, "kernel_size expected a whole number, got float"),
    (lambda: F.max_pool2d(X, 7), ValueError, r"kernel_size expected a window within the image \(6, 6\), got \(7, 7\)"),
    (lambda: F.max_pool2d(X, 2, 0), ValueError, "stride expected 1 or more, got 0"),
    (lambda: F.max_pool2d(X, 2, padding=2), ValueError, r"padding expected at most half of the window's size \(2, 2\), got \(2, 2\)"),
    (lambda: F.max_pool2d(X, 2, dilation=0), ValueError, "dilation expected 1 or more, got 0"),
    (lambda: F.avg_pool2d(X, 2, padding=-1), ValueError, "avg_pool2d: padding expected 0 or more, got -1"),
    (lambda: F.avg_pool2d(X, (2, 2, 2)), ValueError, r"kernel_size expected a whole number or 2 of them, got \(2, 2, 2\)"),
    (lambda: F.avg_pool2d(X, 2, divisor_override=0), ValueError, "divisor_override expected a number other than 0, got 0"),
    (lambda: F.avg_pool2d(X, 2, divisor_override="2"), TypeError, "divisor_override expected a finite number, got str"),
    (lambda: F.adaptive_avg_pool2d(X, 0), ValueError, "adaptive_avg_pool2d: output_size expected 1 or more, got 0"),
    (lambda: F.adaptive_avg_pool2d(X, (1, 2, 3)), ValueError, r"output_size expected a whole number or 2 of them, got \(1, 2, 3\)"),
    (lambda: F.adaptive_avg_pool2d(X[0, 0], 1), ValueError, "adaptive_avg_pool2d: x expected shape"),
])  # fmt: skip
def test_pooling_refuses_what_does_not_fit_in_words(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
