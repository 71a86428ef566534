"""Scaled dot-product attention against PyTorch's: values, gradients, masks, dropout, refusals."""

import math

import pytest
import torch
import torch.nn.functional as native
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

from companion import functional as F
from companion.random import generator

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 3e-2}
# PyTorch's own forward mode scripts its rules on first use and warns about that
FORWARD_MODE = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
attention = F.scaled_dot_product_attention


def draw(*shape, seed=0, dtype=torch.float64, scale=1.0):
    return (scale * torch.randn(*shape, generator=generator(seed), dtype=torch.float64)).to(dtype)


def triple(front=(2,), length=3, places=4, width=2, value_width=5, **options):
    """Return a query, keys and values."""
    shapes = [(length, width), (places, width), (places, value_width)]
    return [draw(*front, *shape, seed=i, **options) for i, shape in enumerate(shapes)]


def hide_some(*shape):
    """Return a bool mask, true where one may look; its first row sees nothing."""
    mask = torch.rand(*shape, generator=generator(3)) < 0.7
    if mask.numel():
        mask[..., 0, :] = False
    return mask


def results(f, tensors, mask=None, **options):
    """Return the result and the gradient of every float tensor, weighted unevenly."""
    leaves = [t.detach().clone().requires_grad_() for t in tensors]
    if mask is not None and mask.is_floating_point():
        mask = mask.clone().requires_grad_()
        leaves.append(mask)
    y = f(*leaves[:3], mask, **options)
    weights = torch.cos(torch.arange(y.numel(), device=y.device)).reshape(y.shape).to(y.dtype)
    return [y, *torch.autograd.grad(y, leaves, weights)]


def assert_agree(tensors, mask=None, tolerance=1e-12, **options):
    got, want = (
        results(attention, tensors, mask, **options),
        results(native.scaled_dot_product_attention, tensors, mask, **options),
    )
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


@PROPERTY
@given(
    front=st.sampled_from([(), (2,), (2, 3), (1, 1)]),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3)),
    mask=st.sampled_from([None, "bool", "float", "causal", "for all", "column"]),
    scale=st.sampled_from([None, 1.0, 0.3, -2.0, 0.0]),
)
def test_attention_agrees_with_torch_whatever_the_arguments(front, sizes, mask, scale):
    length, places = sizes[:2]
    made = {
        "bool": lambda: hide_some(*front, length, places),
        "float": lambda: draw(*front, length, places, seed=7),
        "for all": lambda: draw(length, places, seed=7),
        "column": lambda: draw(length, 1, seed=7) - 1,
    }
    given_mask = made[mask]() if mask in made else None
    assert_agree(triple(front, *sizes), given_mask, is_causal=mask == "causal", scale=scale)


def test_attention_equals_what_one_computes_by_hand():
    query, keys = torch.tensor([[2.0, 0.0]]), torch.tensor([[math.sqrt(2), 5.0], [0.0, 7.0]])
    near, far = math.exp(2 * math.sqrt(2) / math.sqrt(2)), 1  # products 2 sqrt(2) and 0, divided by sqrt(2)
    y = attention(query, keys, torch.tensor([[10.0], [20.0]]))
    assert y.item() == pytest.approx((near * 10 + far * 20) / (near + far))
    assert attention(query, keys, torch.tensor([[10.0], [20.0]]), scale=0.0).item() == 15


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("mask", [None, "bool", "float"])
def test_attention_agrees_with_torch_in_every_float_type(dtype, mask):
    tensors = triple((2, 3), dtype=dtype)
    given_mask = {None: None, "bool": hide_some(3, 4), "float": draw(3, 4, dtype=dtype)}[mask]
    assert_agree(tensors, given_mask, TOLERANCE[dtype])
    assert attention(*tensors, given_mask).dtype == dtype


@pytest.mark.parametrize(
    "shapes",
    [[(0, 3, 2), (0, 4, 2), (0, 4, 5)], [(2, 0, 2), (2, 4, 2), (2, 4, 5)], [(2, 3, 2), (2, 0, 2), (2, 0, 5)],
     [(2, 3, 2), (2, 4, 2), (2, 4, 0)], [(1, 1), (1, 1), (1, 1)]],
    ids=["no sequence", "no query", "no key", "no number in a value", "one of each"],
)  # fmt: skip
def test_attention_takes_what_is_empty_and_what_is_single(shapes):
    assert_agree([draw(*shape, seed=i) for i, shape in enumerate(shapes)])


def test_attention_to_keys_without_numbers_is_the_plain_mean():
    y = attention(torch.ones(3, 0), torch.ones(2, 0), torch.tensor([[1.0], [4.0]]))
    assert y.tolist() == [[2.5], [2.5], [2.5]]


def test_attention_takes_strided_tensors_and_changes_none():
    wide = [torch.stack([t, t + 1], -1)[..., 0].transpose(0, 1) for t in triple((4, 2))]
    before = [t.clone() for t in wide]
    assert not wide[0].is_contiguous()
    assert_agree(wide, hide_some(3, 8)[:, ::2].expand(2, 4, 3, 4))
    assert_agree(wide, draw(4, 3).T)
    assert all(torch.equal(a, b) for a, b in zip(wide, before, strict=True))


@pytest.mark.parametrize("scale", [1e-8, 30.0, 1e4])
def test_attention_agrees_with_torch_far_from_one_and_close_to_zero(scale):
    assert_agree(triple(scale=scale), tolerance=1e-9)
    assert_agree(triple(scale=scale), hide_some(3, 4), tolerance=1e-9)


@pytest.mark.parametrize("mask", ["bool", "float"])
def test_query_that_may_look_nowhere_gets_zero_and_no_slope(mask):
    hidden = torch.tensor([[False, False], [True, False]])
    if mask == "float":
        hidden = torch.zeros(2, 2, dtype=torch.float64).masked_fill(~hidden, -math.inf)
    tensors = triple((), 2, 2)
    y, d_query, _, d_value, *_ = results(attention, tensors, hidden)
    assert y[0].tolist() == [0.0] * 5
    torch.testing.assert_close(y[1], tensors[2][0])
    assert d_query.tolist() == [[0.0, 0.0], [0.0, 0.0]]  # a single key in sight: nothing to weigh
    assert d_value[1].tolist() == [0.0] * 5
    assert_agree(tensors, hidden)


def test_causal_attention_does_not_see_the_future():
    query, key, value = triple((), 4, 4)
    y = attention(query, key, value, is_causal=True)
    value[2:] += 100
    key[2:] -= 100
    assert torch.equal(attention(query, key, value, is_causal=True)[:2], y[:2])
    torch.testing.assert_close(y[0], value[0])
    assert not torch.equal(attention(query, key, value, is_causal=True)[2:], y[2:])


@pytest.mark.parametrize("places", [2, 4, 6])
def test_causal_attention_aligns_the_first_query_with_the_first_key(places):
    assert_agree(triple((2,), 4, places), is_causal=True)


def test_attention_to_alike_keys_is_the_mean_and_ignores_their_order():
    value = draw(4, 3)
    y = attention(draw(2, 5), torch.ones(4, 5, dtype=torch.float64), value)
    torch.testing.assert_close(y, value.mean(0).expand(2, 3))
    query, key, value = triple((), 3, 4)
    order = [2, 0, 3, 1]
    torch.testing.assert_close(attention(query, key[order], value[order]), attention(query, key, value))


def test_nan_and_infinity_come_through_as_in_torch():
    query, key, value = triple((), 3, 4)
    key[1, 0] = math.nan
    assert torch.isnan(attention(query, key, value)).all()
    value[2, 0] = math.inf
    y = attention(query, draw(4, 2), value)
    assert (y[:, 0] == math.inf).all()
    assert torch.isfinite(y[:, 1:]).all()


def test_dropout_keeps_the_mean_and_drops_the_share_it_is_told():
    value = torch.eye(50, dtype=torch.float64)
    query, key = torch.zeros(2000, 1, dtype=torch.float64), torch.zeros(50, 1, dtype=torch.float64)
    weights = attention(query, key, value, None, 0.3, generator=generator(1))  # the weights themselves
    assert (weights == 0).double().mean().item() == pytest.approx(0.3, abs=0.005)
    torch.testing.assert_close(weights[weights != 0].unique(), torch.tensor([1 / 50 / 0.7], dtype=torch.float64))
    assert weights.sum(-1).mean().item() == pytest.approx(1, abs=0.01)
    assert torch.equal(attention(query, key, value, None, 0.3, generator=generator(1)), weights)
    assert not torch.equal(attention(query, key, value, None, 0.3, generator=generator(2)), weights)


def test_dropout_of_all_leaves_nothing_and_of_none_draws_no_number():
    tensors = triple()
    assert (attention(*tensors, None, 1.0) == 0).all()
    before = torch.random.get_rng_state()
    attention(*tensors)
    assert torch.equal(torch.random.get_rng_state(), before)


@FORWARD_MODE
@pytest.mark.parametrize("dropout_p", [0.0, 0.4])
@pytest.mark.parametrize("mask", [None, "bool", "float"])
def test_attention_passes_gradcheck_twice_and_forward_mode(mask, dropout_p):
    tensors = [t.requires_grad_() for t in triple((2,), 3, 3)]
    bias = draw(1, 3, seed=9).requires_grad_() if mask == "float" else None
    hidden = hide_some(3, 3) if mask == "bool" else None

    def f(query, key, value, bias):
        shown = hidden if bias is None else bias
        return attention(query, key, value, shown, dropout_p, generator=generator(4), scale=0.9)

    assert gradcheck(f, (*tensors, bias), check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(f, (*tensors, bias))


def test_second_derivative_agrees_with_torch():
    seconds = []
    for f in (attention, lambda *a: torch.softmax(a[0] @ a[1].mT / math.sqrt(2), -1) @ a[2]):
        leaves = [t.requires_grad_() for t in triple()]
        first = torch.autograd.grad(f(*leaves).square().sum(), leaves, create_graph=True)
        seconds.append(torch.autograd.grad(sum(g.square().sum() for g in first), leaves))
    torch.testing.assert_close(*seconds)


@pytest.mark.parametrize("wanted", range(4), ids=["query", "key", "value", "mask"])
def test_each_gradient_can_be_asked_for_alone(wanted):
    tensors = [*triple(), draw(3, 4, seed=8)]
    whole = results(attention, tensors[:3], tensors[3])[1 + wanted]
    leaf = tensors[wanted].requires_grad_()
    y = attention(*tensors)
    y.backward(torch.cos(torch.arange(y.numel())).reshape(y.shape).to(y.dtype))
    assert torch.equal(leaf.grad, whole)
    assert [t.grad is None for t in tensors].count(False) == 1


def test_attention_gives_the_same_numbers_recorded_or_not():
    tensors = triple()
    recorded = attention(*(t.clone().requires_grad_() for t in tensors), hide_some(3, 4))
    with torch.no_grad():
        assert torch.equal(attention(*tensors, hide_some(3, 4)), recorded)


@pytest.mark.parametrize("mask", ["shared", "own"])
def test_attention_can_be_mapped_over_a_further_axis(mask):
    query, key, value = triple((6, 2))
    masks = draw(6, 3, 4, seed=5)
    got = torch.func.vmap(attention, in_dims=(0, 0, 0, 0 if mask == "own" else None))(
        query, key, value, masks if mask == "own" else masks[0]
    )
    for i in range(6):
        want = attention(query[i], key[i], value[i], masks[i if mask == "own" else 0])
        torch.testing.assert_close(got[i], want)


@FORWARD_MODE
def test_jacobians_of_both_modes_agree():
    query, key, value = triple((), 2, 3)
    back, ahead = (way(lambda q: attention(q, key, value))(query) for way in (torch.func.jacrev, torch.func.jacfwd))
    torch.testing.assert_close(back, ahead)
    per_sample = torch.func.vmap(torch.func.grad(lambda q: attention(q, key, value).square().sum()))(
        torch.stack([query, 2 * query])
    )
    leaf = (2 * query).requires_grad_()
    (want,) = torch.autograd.grad(attention(leaf, key, value).square().sum(), leaf)
    torch.testing.assert_close(per_sample[1], want)


# The compiler builds an object that PyTorch's own autograd has declared out of date
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.skipif(torch.__version__ < "2.11", reason="the compiler before PyTorch 2.11 does not take it whole")
def test_attention_can_be_captured_whole_by_the_compiler_with_its_gradient():
    compiled = torch.compile(lambda *a, **k: attention(*a, **k), backend="aot_eager", fullgraph=True)
    for options in ({}, {"is_causal": True}):
        got, want = results(compiled, triple(), **options), results(attention, triple(), **options)
        for a, b in zip(got, want, strict=True):
            torch.testing.assert_close(a, b)


def test_attention_runs_under_autocast_forward_and_back():
    leaves = [t.requires_grad_() for t in triple(dtype=torch.float32)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = attention(*leaves, draw(3, 4, dtype=torch.float32))
    assert y.dtype == torch.bfloat16
    y.float().sum().backward()
    torch.testing.assert_close(y.float(), attention(*leaves, draw(3, 4, dtype=torch.float32)), rtol=5e-2, atol=5e-2)
    assert {t.grad.dtype for t in leaves} == {torch.float32}
    assert all(torch.isfinite(t.grad).all() for t in leaves)


def test_attention_agrees_with_torch_on_every_device_present(device):
    assert_agree([t.to(device) for t in triple((2, 3))], hide_some(3, 4).to(device), tolerance=1e-9)
    assert_agree([t.to(device) for t in triple((2, 3))], tolerance=1e-9, is_causal=True)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda q, k, v: attention([1.0], k, v), TypeError, "query expected a tensor, got list; torch.as_tensor(query) makes one"),
        (lambda q, k, v: attention(q, k.long(), v), ValueError, "key expected a float tensor, got torch.int64; key.float() converts it"),
        (lambda q, k, v: attention(q, k, v[0, 0]), ValueError, "value expected shape (..., places, features), got (5,)"),
        (lambda q, k, v: attention(q, k[:1], v), ValueError, "key expected shape (2, S, 2), got (1, 4, 2); a product needs vectors of one length"),
        (lambda q, k, v: attention(q, v, v), ValueError, "key expected shape (2, S, 2), got (2, 4, 5); a product needs vectors of one length"),
        (lambda q, k, v: attention(q, k, v[:, :3]), ValueError, "value expected shape (2, 4, F), got (2, 3, 5); each key has its value"),
        (lambda q, k, v: attention(q, k, v[:1]), ValueError, "value expected shape (2, 4, F), got (1, 4, 5); each key has its value"),
        (lambda q, k, v: attention(q, k.double(), v), ValueError, "key expected torch.float32 on cpu, like query, got torch.float64 on cpu; key.to(query) converts it"),
        (lambda q, k, v: attention(q, k, v.half()), ValueError, "value expected torch.float32 on cpu, like query, got torch.float16 on cpu; value.to(query) converts it"),
        (lambda q, k, v: attention(q, k, v.to("meta")), ValueError, "value expected torch.float32 on cpu, like query, got torch.float32 on meta; value.to(query) converts it"),
        (lambda q, k, v: attention(q, k, v, 1.0), TypeError, "attn_mask expected a tensor, got float; torch.as_tensor(attn_mask) makes one"),
        (lambda q, k, v: attention(q, k, v, torch.ones(3, 4).long()), ValueError, "attn_mask expected bool or floats, got torch.int64; attn_mask.bool() converts it"),
        (lambda q, k, v: attention(q, k, v, torch.ones(3, 4, device="meta")), ValueError, "attn_mask expected a tensor on cpu, got one on meta; attn_mask.to('cpu') moves it"),
        (lambda q, k, v: attention(q, k, v, torch.ones(4, 3)), ValueError, "attn_mask expected what broadcasts to (2, 3, 4), got (4, 3); (L, S) serves all"),
        (lambda q, k, v: attention(q, k, v, torch.ones(5, 2, 3, 4)), ValueError, "attn_mask expected what broadcasts to (2, 3, 4), got (5, 2, 3, 4); (L, S) serves all"),
        (lambda q, k, v: attention(q[:1], k[:1], v[:1], torch.ones(2, 3, 4)), ValueError, "attn_mask expected what broadcasts to (1, 3, 4), got (2, 3, 4); (L, S) serves all"),
        (lambda q, k, v: attention(q, k, v, torch.ones(3, 4), is_causal=True), ValueError, "attn_mask expected None with is_causal, got both; put the future into the mask"),
        (lambda q, k, v: attention(q, k, v, None, 1.5), ValueError, "dropout_p expected a number from 0 to 1, got 1.5"),
        (lambda q, k, v: attention(q, k, v, scale=math.inf), ValueError, "scale expected a finite number, got inf"),
        (lambda q, k, v: attention(q, k, v, scale="1"), TypeError, "scale expected a finite number, got str"),
    ],
)  # fmt: skip
def test_attention_refuses_what_does_not_fit(call, error, message):
    with pytest.raises(error) as caught:
        call(*triple(dtype=torch.float32))
    assert str(caught.value) == "scaled_dot_product_attention: " + message
