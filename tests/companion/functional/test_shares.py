"""Softmax, log-softmax and log-sum-exp against PyTorch's, and where a naive formula breaks."""

import math

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from companion import functional as F

INF, NAN = math.inf, math.nan
# PyTorch's own forward mode scripts its rules on first use and warns about that
FORWARD_MODE = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
PAIRS = {
    "softmax": (F.softmax, torch.softmax),
    "log_softmax": (F.log_softmax, torch.log_softmax),
    "logsumexp": (F.logsumexp, torch.logsumexp),
}
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-6, torch.float16: 2e-3, torch.bfloat16: 2e-2}
each = pytest.mark.parametrize("name", PAIRS)


def value_and_gradient(f, z, **options):
    z = z.clone().requires_grad_()
    y = f(z, **options)
    upstream = torch.linspace(-1, 2, y.numel(), dtype=z.dtype, device=z.device).reshape(y.shape)
    (gradient,) = torch.autograd.grad(y, z, upstream)
    return y.detach(), gradient


def logits(*shape, dtype=torch.float64, scale=3.0):
    return (torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * scale).to(dtype)


@each
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("dim", [-3, -2, -1, 0, 1, 2])
def test_share_agrees_with_torch_along_every_axis(name, dtype, dim, device):
    ours, theirs = PAIRS[name]
    z = logits(2, 3, 4, dtype=dtype).to(device)
    tolerance = TOLERANCE[dtype]
    for got, want in zip(value_and_gradient(ours, z, dim=dim), value_and_gradient(theirs, z, dim=dim)):
        assert got.dtype == dtype
        torch.testing.assert_close(got, want, rtol=tolerance, atol=tolerance)


@each
def test_share_defaults_to_the_last_axis(name):
    ours, theirs = PAIRS[name]
    z = logits(2, 3)
    torch.testing.assert_close(ours(z), theirs(z, dim=-1))


@each
@pytest.mark.parametrize("scale", [1e2, 1e4])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_share_agrees_with_torch_when_logits_are_huge(name, scale, dtype):
    ours, theirs = PAIRS[name]
    z = logits(5, 4, dtype=dtype, scale=scale)
    for got, want in zip(value_and_gradient(ours, z, dim=-1), value_and_gradient(theirs, z, dim=-1)):
        assert torch.isfinite(got).all()
        torch.testing.assert_close(got, want, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@FORWARD_MODE
@each
def test_share_passes_gradcheck_twice(name):
    z = logits(2, 3).requires_grad_()
    assert gradcheck(PAIRS[name][0], z, check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(PAIRS[name][0], z)


@each
@pytest.mark.parametrize(
    "row",
    [[-INF, 0.0], [-INF, -INF], [INF, 0.0], [INF, -INF], [INF, INF], [NAN, 0.0], [2.0, 2.0], [7.0], [-INF]],
    ids=str,
)
def test_share_agrees_with_torch_at_the_limits(name, row):
    ours, theirs = PAIRS[name]
    z = torch.tensor([row, [0.0] * len(row)], dtype=torch.float64)
    got, gradient = value_and_gradient(ours, z, dim=-1)
    want, expected = value_and_gradient(theirs, z, dim=-1)
    torch.testing.assert_close(got, want, equal_nan=True)
    if name == "logsumexp" and max(row) == -INF:
        expected = torch.where(torch.isnan(expected), 0.0, expected)  # ours: nothing to sum, nothing to learn
    torch.testing.assert_close(gradient, expected, equal_nan=True)


def test_softmax_equals_what_one_computes_by_hand():
    z = torch.log(torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64))
    assert F.softmax(z).tolist() == pytest.approx([0.125, 0.25, 0.625], abs=1e-15)
    assert F.log_softmax(z).exp().tolist() == pytest.approx([0.125, 0.25, 0.625], abs=1e-15)
    assert F.logsumexp(z).item() == pytest.approx(math.log(8), abs=1e-15)
    # squares of 1, 2, 5 in proportion at half the temperature
    assert F.softmax(z, temperature=0.5).tolist() == pytest.approx([1 / 30, 4 / 30, 25 / 30], abs=1e-15)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 3, 100.0])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_temperature_divides_the_logits(name, temperature):
    ours, theirs = PAIRS[name]
    z = logits(4, 5)
    got = value_and_gradient(ours, z, temperature=temperature)
    want = value_and_gradient(lambda x: theirs(x / temperature, dim=-1), z)
    for a, b in zip(got, want):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_temperature_goes_from_the_winner_takes_all_to_even_shares():
    z = torch.tensor([1.0, 2.0, 4.0])
    assert F.softmax(z, temperature=1e-3).tolist() == [0, 0, 1]
    assert F.softmax(z, temperature=1e6).tolist() == pytest.approx([1 / 3] * 3, abs=1e-5)


def test_softmax_keeps_rows_apart():
    z = torch.tensor([[0.0, 1.0], [-200.0, -201.0]])
    alone = torch.stack([F.softmax(row) for row in z])
    assert torch.equal(F.softmax(z, dim=-1), alone)


def test_logsumexp_keeps_the_axis_on_request():
    z = logits(2, 3)
    assert F.logsumexp(z, dim=0, keepdim=True).shape == (1, 3)
    assert F.logsumexp(z, dim=0).shape == (3,)


@each
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0,), (1,), (1, 1)], ids=str)
def test_share_agrees_with_torch_on_empty_and_single_tensors(name, shape):
    ours, theirs = PAIRS[name]
    assert torch.equal(ours(torch.zeros(shape)), theirs(torch.zeros(shape), dim=-1))


@each
def test_share_handles_strided_views_and_leaves_its_argument_alone(name):
    ours, theirs = PAIRS[name]
    z = logits(4, 6)
    before = z.clone()
    for view in (z.T, z[:, ::2], z[1:, 1:]):
        torch.testing.assert_close(ours(view), theirs(view, dim=-1), rtol=1e-12, atol=1e-12)
    assert torch.equal(z, before)


@FORWARD_MODE
@each
def test_share_works_under_torch_func(name):
    ours, theirs = PAIRS[name]
    z = logits(2, 3)
    torch.testing.assert_close(torch.func.vmap(ours)(z), theirs(z, dim=-1))
    ours_jacobian = torch.func.vmap(torch.func.jacrev(ours))(z)
    torch.testing.assert_close(ours_jacobian, torch.func.vmap(torch.func.jacrev(lambda r: theirs(r, dim=-1)))(z))
    torch.testing.assert_close(torch.func.vmap(torch.func.jacfwd(ours))(z), ours_jacobian)


@each
def test_share_refuses_wrong_arguments(name):
    f = PAIRS[name][0]
    hint = "the last axis (-1) usually holds the classes"
    refusals = [
        ((torch.zeros(2, 3), 2), ValueError, f"{name}: dim expected an axis from -2 to 1, got 2; {hint}"),
        ((torch.zeros(2, 3), -3), ValueError, f"{name}: dim expected an axis from -2 to 1, got -3; {hint}"),
        ((torch.zeros(2), 1.0), TypeError, f"{name}: dim expected the number of one axis, got float; -1 is the last axis"),
        ((torch.zeros(2), None), TypeError, f"{name}: dim expected the number of one axis, got NoneType; -1 is the last axis"),
        ((torch.tensor(1.0), -1), ValueError, f"{name}: z expected at least one axis, got a single number; there is nothing to share with"),
        (([1.0], -1), TypeError, f"{name}: z expected a tensor, got list; torch.as_tensor(z) makes one"),
        ((torch.tensor([1]), -1), ValueError, f"{name}: z expected a float tensor, got torch.int64; z.float() converts it"),
    ]  # fmt: skip
    for arguments, error, message in refusals:
        with pytest.raises(error) as caught:
            f(*arguments)
        assert str(caught.value) == message


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize(
    ("temperature", "error", "got"),
    [(0, ValueError, "0"), (-1.0, ValueError, "-1.0"), (NAN, ValueError, "nan"), (INF, ValueError, "inf"), ("1", TypeError, "str")],
)  # fmt: skip
def test_temperature_is_refused_unless_it_is_above_zero(name, temperature, error, got):
    with pytest.raises(error, match=f"^{name}: temperature expected a finite number above 0, got {got}$"):
        PAIRS[name][0](torch.zeros(2), temperature=temperature)
