"""Convolution and its transpose against PyTorch's, by value, gradient and second derivative, for every argument."""

import functools

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
SAME = pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")


def draw(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def value_and_gradients(f, *inputs):
    inputs = [t.detach().requires_grad_() for t in inputs]
    y = f(*inputs)
    return [y.detach(), *torch.autograd.grad(y, inputs, draw(*y.shape, seed=9, dtype=y.dtype))]


def agree(ours, theirs, *inputs, tolerance=1e-10):
    for got, want in zip(value_and_gradients(ours, *inputs), value_and_gradients(theirs, *inputs)):
        assert got.dtype == want.dtype
        torch.testing.assert_close(got, want, rtol=tolerance, atol=tolerance)


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
borders = st.one_of(
    st.sampled_from(["same", "valid"]), st.tuples(st.integers(0, 3), st.integers(0, 3)), st.integers(0, 2)
)


@SAME
@PROPERTY
@given(
    batch=st.integers(0, 3), groups=st.integers(1, 3), per_group=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)), kernel=pairs, stride=pairs, dilation=pairs, padding=borders, bias=st.booleans(),
)  # fmt: skip
def test_conv2d_agrees_with_torch_for_every_argument(
    batch, groups, per_group, size, kernel, stride, dilation, padding, bias
):
    stride = (1, 1) if padding == "same" else stride
    x, w = draw(batch, groups * per_group[0], *size), draw(groups * per_group[1], per_group[0], *kernel, seed=1)
    inputs = (x, w, draw(len(w), seed=2)) if bias else (x, w)
    options = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)
    if padding not in ("same", "valid"):
        both = (padding, padding) if isinstance(padding, int) else padding
        reach = [n + 2 * p - d * (k - 1) for n, p, d, k in zip(size, both, dilation, kernel)]
        assume(min(reach) >= 1)
    else:
        assume(padding == "same" or all(n > d * (k - 1) for n, d, k in zip(size, dilation, kernel)))
    agree(lambda *a: F.conv2d(*a, **options), lambda *a: oracle.conv2d(*a, **options), *inputs)


@SAME
@PROPERTY
@given(
    batch=st.integers(0, 2), groups=st.integers(1, 2), length=st.integers(5, 12), kernel=st.integers(1, 3),
    stride=st.integers(1, 3), dilation=st.integers(1, 2), padding=st.sampled_from([0, 2, "same", "valid"]),
)  # fmt: skip
def test_conv1d_agrees_with_torch_for_every_argument(batch, groups, length, kernel, stride, dilation, padding):
    stride = 1 if padding == "same" else stride
    options = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)
    inputs = draw(batch, 2 * groups, length), draw(3 * groups, 2, kernel, seed=1), draw(3 * groups, seed=2)
    agree(lambda *a: F.conv1d(*a, **options), lambda *a: oracle.conv1d(*a, **options), *inputs)


@PROPERTY
@given(
    batch=st.integers(0, 3), groups=st.integers(1, 3), per_group=st.tuples(st.integers(1, 3), st.integers(1, 3)), bias=st.booleans(),
    size=st.tuples(st.integers(1, 5), st.integers(1, 5)), kernel=pairs, stride=pairs, dilation=pairs, padding=st.integers(0, 2),
    extra=st.tuples(st.integers(0, 2), st.integers(0, 2)),
)  # fmt: skip
def test_conv_transpose2d_agrees_with_torch_for_every_argument(
    batch, groups, per_group, bias, size, kernel, stride, dilation, padding, extra
):
    assume(all(e < max(s, d) for e, s, d in zip(extra, stride, dilation)))
    out = [
        (n - 1) * s - 2 * padding + d * (k - 1) + e + 1 for n, s, d, k, e in zip(size, stride, dilation, kernel, extra)
    ]
    assume(min(out) >= 1)
    x, w = draw(batch, groups * per_group[0], *size), draw(groups * per_group[0], per_group[1], *kernel, seed=1)
    inputs = (x, w, draw(groups * per_group[1], seed=2)) if bias else (x, w)
    options = dict(stride=stride, padding=padding, output_padding=extra, groups=groups, dilation=dilation)
    agree(lambda *a: F.conv_transpose2d(*a, **options), lambda *a: oracle.conv_transpose2d(*a, **options), *inputs)


def test_conv2d_of_an_example_done_by_hand():
    x = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]])
    w = torch.tensor([[[[1.0, 0.0], [0.0, -2.0]]]])
    assert F.conv2d(x, w, torch.tensor([0.5])).tolist() == [
        [[1 - 10 + 0.5, 2 - 12 + 0.5], [4 - 16 + 0.5, 5 - 18 + 0.5]]
    ]


def test_conv_transpose2d_is_the_gradient_of_conv2d():
    x, w = draw(2, 4, 7, 8).requires_grad_(), draw(6, 2, 3, 2, seed=1)
    options = dict(stride=2, padding=1, groups=2)
    y = F.conv2d(x, w, **options)
    upstream = draw(*y.shape, seed=3)
    (gradient,) = torch.autograd.grad(y, x, upstream)
    torch.testing.assert_close(
        F.conv_transpose2d(upstream, w, output_padding=(0, 0), **options), gradient[:, :, :7, :8]
    )


TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 6e-2}


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_convolutions_agree_in_shorter_floats(dtype, device):
    x, w, v, b = (t.to(device) for t in (
        draw(2, 4, 9, 8, dtype=dtype), draw(4, 4, 3, 3, seed=1, dtype=dtype), draw(4, 4, 2, 2, seed=4, dtype=dtype), draw(4, seed=2, dtype=dtype)
    ))  # fmt: skip
    agree(
        lambda *a: F.conv2d(*a, padding=1),
        lambda *a: oracle.conv2d(*a, padding=1),
        x,
        w,
        b,
        tolerance=TOLERANCE[dtype] * 4,
    )
    agree(F.conv_transpose2d, oracle.conv_transpose2d, x, v, b, tolerance=TOLERANCE[dtype] * 4)


def test_conv2d_of_a_view_of_one_image_and_of_one_pixel_agrees_with_torch():
    x, w = draw(8, 9, 4).permute(2, 1, 0), draw(3, 4, 3, 3, seed=1).flip(2).mT
    agree(F.conv2d, oracle.conv2d, x, w)
    agree(F.conv2d, oracle.conv2d, draw(2, 4, 9, 8)[:, :, ::2, 1:], w)
    agree(F.conv2d, oracle.conv2d, draw(1, 1, 1, 1), draw(1, 1, 1, 1, seed=1))
    agree(F.conv1d, oracle.conv1d, draw(4, 9), draw(3, 4, 3, seed=1))
    agree(F.conv_transpose2d, oracle.conv_transpose2d, draw(4, 3, 3), draw(4, 3, 2, 2, seed=1))


@pytest.mark.parametrize("where", [0, 1])
@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e300])
def test_conv2d_keeps_an_extreme_value_where_torch_keeps_it(value, where):
    inputs = [draw(1, 1, 5, 5), draw(1, 1, 2, 2, seed=1)]
    inputs[where][0, 0, 1, 1] = value
    torch.testing.assert_close(F.conv2d(*inputs), oracle.conv2d(*inputs), equal_nan=True)


def test_convolutions_give_results_that_lie_in_order_and_leave_their_arguments_alone():
    x, w = draw(2, 3, 6, 6), draw(3, 3, 2, 2, seed=1)
    before = x.clone(), w.clone()
    for y in (F.conv2d(x, w), F.conv2d(x, w, padding=1), F.conv_transpose2d(x, w)):
        assert y.is_contiguous()
        assert y.view(2, -1).shape[0] == 2
    assert torch.equal(x, before[0])
    assert torch.equal(w, before[1])


@FORWARD_MODE
@pytest.mark.parametrize("groups", [1, 2])
def test_derivatives_of_convolutions_are_those_of_their_values_to_second_order(groups):
    x, b = draw(1, 2, 3, 3).requires_grad_(), draw(4, seed=2).requires_grad_()
    w = draw(4, 2 // groups, 2, 2, seed=1).requires_grad_()

    def conv(*a):
        return F.conv2d(*a, stride=(2, 1), padding=1, groups=groups)

    assert gradcheck(conv, (x, w, b), check_forward_ad=True)
    assert gradgradcheck(conv, (x, w, b))
    v = draw(2, 4 // groups, 2, 2, seed=1).requires_grad_()

    def transpose(*a):
        return F.conv_transpose2d(*a, stride=2, padding=1, output_padding=1, groups=groups)

    assert gradcheck(transpose, (x, v, b), check_forward_ad=True)
    assert gradgradcheck(transpose, (x, v, b))


@FORWARD_MODE
def test_forward_mode_follows_image_and_kernel_alone_or_together():
    x, w, dx, dw = draw(1, 2, 5, 5), draw(3, 2, 2, 2, seed=1), draw(1, 2, 5, 5, seed=3), draw(3, 2, 2, 2, seed=4)
    by_x = torch.func.jvp(lambda x: F.conv2d(x, w), (x,), (dx,))[1]
    by_w = torch.func.jvp(lambda w: F.conv2d(x, w), (w,), (dw,))[1]
    torch.testing.assert_close(by_x, oracle.conv2d(dx, w))
    torch.testing.assert_close(by_w, oracle.conv2d(x, dw))
    torch.testing.assert_close(torch.func.jvp(F.conv2d, (x, w), (dx, dw))[1], by_x + by_w)


def test_gradient_that_nobody_asks_for_is_not_computed(monkeypatch):
    from companion.functional import _windows

    asked = []
    for name in "yxw":
        original = _windows._COMPUTE[name]
        monkeypatch.setitem(_windows._COMPUTE, name, lambda *a, o=original, n=name: asked.append(n) or o(*a))
    w = draw(3, 2, 2, 2).requires_grad_()
    F.conv2d(draw(1, 2, 5, 5), w).sum().backward()
    assert asked == ["y", "w"]


@FORWARD_MODE
def test_vmap_over_images_and_kernels_agrees_with_a_loop():
    x, w = draw(3, 2, 2, 5, 5), draw(3, 4, 1, 2, 2, seed=1)

    def loss(x, w):
        return (F.conv2d(x, w, stride=2, groups=2) ** 2).sum()

    for dims in ((0, 0), (0, None), (None, 0)):
        a, b = (t if d == 0 else t[0] for t, d in zip((x, w), dims))
        got = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1)), in_dims=dims)(a, b)
        for i in range(3):
            one = torch.func.grad(loss, argnums=(0, 1))(a[i] if dims[0] == 0 else a, b[i] if dims[1] == 0 else b)
            for g, want in zip(got, one):
                torch.testing.assert_close(g[i], want)


@pytest.mark.parametrize(("ours", "theirs"), [(F.conv2d, oracle.conv2d), (F.conv_transpose2d, oracle.conv_transpose2d)])
def test_autocast_shortens_the_result_but_not_the_gradients(ours, theirs):
    inputs = draw(2, 3, 6, 6, dtype=torch.float32), draw(3, 3, 3, 3, seed=1, dtype=torch.float32)

    b = draw(3, seed=2, dtype=torch.float32)
    results = []
    for f in (ours, theirs):
        leaves = [t.clone().requires_grad_() for t in (*inputs, b)]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = f(*leaves)
        y.float().pow(2).sum().backward()
        results.append([y.detach(), *(t.grad for t in leaves)])
    for got, want in zip(*results):
        assert got.dtype == want.dtype
        torch.testing.assert_close(got, want, rtol=5e-2, atol=0.02 * want.abs().max().item())


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_compiled_convolution_has_the_same_gradients():
    inputs = draw(2, 4, 6, 5), draw(6, 2, 2, 3, seed=1), draw(6, seed=2)

    def conv(*a):
        return F.conv2d(*a, stride=2, padding=1, groups=2)

    agree(torch.compile(conv, backend="aot_eager", fullgraph=True), conv, *inputs)


X, W = torch.zeros(2, 4, 6, 6), torch.zeros(3, 4, 3, 3)


@pytest.mark.parametrize(("f", "arguments", "options", "kind", "message"), [
    (F.conv2d, ([1.0], W), {}, TypeError, "conv2d: x expected a tensor, got list"),
    (F.conv2d, (X.long(), W), {}, ValueError, "conv2d: x expected a float tensor, got torch.int64"),
    (F.conv2d, (X, None), {}, TypeError, "conv2d: weight expected a tensor, got NoneType"),
    (F.conv2d, (X[0, 0], W), {}, ValueError, r"x expected shape \(N, C, H, W\) or \(C, H, W\), got \(6, 6\)"),
    (F.conv1d, (X, W[0]), {}, ValueError, r"conv1d: x expected shape \(N, C, L\) or \(C, L\), got \(2, 4, 6, 6\)"),
    (F.conv2d, (X, W[0]), {}, ValueError, r"weight expected 4 axes, none of them empty, got \(4, 3, 3\)"),
    (F.conv2d, (X, W[:, :3]), {}, ValueError, r"x expected 3 channels \(the second axis of weight times groups\), got shape \(2, 4"),
    (F.conv2d, (X, W[:, :2]), {"groups": 2}, ValueError, "groups expected a divisor of the 3 output channels, got 2"),
    (F.conv2d, (X, W), {"groups": 0}, ValueError, "groups expected 1 or more, got 0"),
    (F.conv2d, (X, W, torch.zeros(4)), {}, ValueError, r"bias expected shape \(3,\), a number for each output channel, got \(4,\)"),
    (F.conv2d, (X, W, 0.5), {}, TypeError, "conv2d: bias expected a tensor, got float"),
    (F.conv2d, (X, W), {"stride": 0}, ValueError, "stride expected 1 or more, got 0"),
    (F.conv2d, (X, W), {"stride": 1.5}, TypeError, "stride expected a whole number, got float"),
    (F.conv2d, (X, W), {"stride": (1, 2, 3)}, ValueError, r"stride expected a whole number or 2 of them, got \(1, 2, 3\)"),
    (F.conv2d, (X, W), {"dilation": 0}, ValueError, "dilation expected 1 or more, got 0"),
    (F.conv2d, (X, W), {"padding": -1}, ValueError, "padding expected 0 or more, got -1"),
    (F.conv2d, (X, W), {"padding": "full"}, ValueError, "padding expected numbers, 'valid' or 'same', got 'full'"),
    (F.conv2d, (X, W), {"padding": "same", "stride": 2}, ValueError, "padding expected numbers where the stride is above 1, got 'same'"),
    (F.conv2d, (X, W), {"dilation": 3}, ValueError, r"weight expected a kernel within the padded size \(6, 6\), got a kernel that reaches over \(7, 7\)"),
    (F.conv1d, (X[0, :, :3], W[0]), {"dilation": 3}, ValueError, r"within the padded size \(6,\), got a kernel that reaches over \(7,\)"),
    (F.conv2d, (X, W.double()), {}, ValueError, "weight expected torch.float32 on cpu, like x, got torch.float64 on cpu"),
    (F.conv2d, (X, W.to("meta")), {}, ValueError, "weight expected torch.float32 on cpu, like x, got torch.float32 on meta"),
    (F.conv_transpose2d, (X, W), {}, ValueError, r"conv_transpose2d: x expected 3 channels \(the first axis of weight\), got shape \(2, 4, 6, 6\)"),
    (F.conv_transpose2d, (X[:, :3], W), {"groups": 2}, ValueError, "groups expected a divisor of the 3 channels, got 2"),
    (F.conv_transpose2d, (X[:, :3], W, torch.zeros(3)), {}, ValueError, r"bias expected shape \(4,\)"),
    (F.conv_transpose2d, (X[:, :3], W), {"output_padding": 1}, ValueError, r"output_padding expected less than stride or dilation, got \(1, 1\)"),
    (F.conv_transpose2d, (X[:, :3], W), {"padding": 4}, ValueError, r"x expected an image that leaves one pixel or more, got \(6, 6\) with padding \(4, 4\)"),
])  # fmt: skip
def test_convolutions_refuse_what_does_not_fit_in_words(f, arguments, options, kind, message):
    with pytest.raises(kind, match=message):
        f(*arguments, **options)


def test_conv_transpose2d_cuts_its_own_padding_off_each_axis():
    x, w = draw(2, 4, 5, 6), draw(4, 3, 4, 5, seed=1)
    for padding in ((0, 2), (2, 0), (1, 3)):
        agree(
            functools.partial(F.conv_transpose2d, padding=padding),
            functools.partial(oracle.conv_transpose2d, padding=padding),
            x,
            w,
        )


@pytest.mark.parametrize(("ours", "theirs"), [(F.conv2d, oracle.conv2d), (F.conv_transpose2d, oracle.conv_transpose2d)])
@pytest.mark.parametrize("over", [(0, None), (None, 0), (0, 0)])
def test_a_kernel_for_each_channel_is_mapped_over_batches_of_either(ours, theirs, over):
    x, w = draw(3, 2, 4, 6, 7), draw(3, 4, 1, 3, 2, seed=1)
    given = [a if axis == 0 else a[0] for a, axis in zip((x, w), over)]
    both = (functools.partial(f, stride=2, groups=4) for f in (ours, theirs))
    mine, reference = (torch.func.vmap(f, over)(*given) for f in both)
    torch.testing.assert_close(mine, reference)


@FORWARD_MODE
@pytest.mark.parametrize("f", [F.conv2d, F.conv_transpose2d])
def test_a_kernel_for_each_channel_passes_gradcheck_twice(f):
    x, w = draw(2, 3, 5, 4).requires_grad_(), draw(3, 1, 3, 2, seed=1).requires_grad_()
    g = functools.partial(f, stride=(2, 1), padding=(1, 0), groups=3)
    assert gradcheck(g, (x, w), check_forward_ad=True)
    assert gradgradcheck(g, (x, w))
