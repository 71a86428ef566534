"""The losses against PyTorch's and against closed forms: every argument, every shape, extreme values."""

import functools
import itertools
import math

import pytest
import torch
import torch.nn.functional as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

from companion import functional as F

INF = math.inf
FORWARD_MODE = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
MANY = settings(max_examples=40, deadline=None, derandomize=True)
TOLERANCE = {torch.float64: 1e-11, torch.float32: 2e-5, torch.bfloat16: 2e-2}
EVERY_TYPE = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
# PyTorch warns that its mean of the divergence is no divergence
KL_WARNING = pytest.mark.filterwarnings("ignore:reduction.*mean.*divides:UserWarning")
SHAPES = [(7,), (4, 3), (2, 3, 4), (1,), (), (0, 3)]


def draw(*shape, dtype=torch.float64, seed=0, scale=2.0):
    z = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (scale * z).to(dtype)


def share(*shape, dtype=torch.float64, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def classes(count, *shape, seed=2):
    return torch.randint(count, shape, generator=torch.Generator().manual_seed(seed))


def value_and_gradients(f, inputs):
    inputs = [t.detach().clone().requires_grad_(t.is_floating_point()) for t in inputs]
    y = f(*inputs)
    upstream = torch.linspace(0.5, 2, y.numel(), dtype=y.dtype).reshape(y.shape)
    wanted = [t for t in inputs if t.requires_grad]
    return [y.detach(), *torch.autograd.grad(y, wanted, upstream)]


def agree(ours, theirs, inputs, tolerance=1e-11, **options):
    got, want = (value_and_gradients(functools.partial(f, **options), inputs) for f in (ours, theirs))
    for a, b in zip(got, want, strict=True):
        assert a.dtype == b.dtype
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)


# -- numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("types", [(torch.float32, torch.float64), (torch.float64, torch.float32)], ids=str)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss"])
def test_loss_of_two_types_has_the_wider_one_as_pytorch_s(name, types):
    inputs = [draw(4, 3, dtype=dtype, seed=seed) for seed, dtype in enumerate(types)]
    torch.testing.assert_close(getattr(F, name)(*inputs), getattr(oracle, name)(*inputs))  # compares types too


@pytest.mark.parametrize("types", [(torch.float32, torch.float64), (torch.float64, torch.float32)], ids=str)
@pytest.mark.parametrize("name", ["huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"])
def test_loss_of_two_types_has_the_wider_one_where_pytorch_has_no_rule(name, types):
    """PyTorch takes the first one's, the second one's, or neither."""
    assert getattr(F, name)(*[share(4, 3, dtype=dtype) for dtype in types]).dtype == torch.float64


@EVERY_TYPE
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_distance_agrees_with_torch(name, shape, reduction, dtype):
    inputs = [draw(*shape, dtype=dtype), draw(*shape, dtype=dtype, seed=1)]
    ours, theirs = getattr(F, name), getattr(oracle, name)
    agree(
        lambda a, b: ours(a, b, reduction=reduction),
        lambda a, b: theirs(a, b, reduction=reduction),
        inputs,
        TOLERANCE[dtype],
    )


@MANY
@given(delta=st.floats(1e-3, 1e3), far=st.floats(-1e4, 1e4))
def test_huber_agrees_with_torch_for_every_delta_and_distance(delta, far):
    inputs = [torch.tensor([far, delta, -delta, 0.0], dtype=torch.float64), torch.zeros(4, dtype=torch.float64)]
    for reduction in ("none", "mean", "sum"):
        agree(
            F.huber_loss,
            oracle.huber_loss,
            inputs,
            reduction=reduction,
            delta=delta,
        )


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_distance_agrees_with_torch_at_infinity_and_nan(name):
    inputs = [torch.tensor([INF, -INF, math.nan, 1e200, 0.0], dtype=torch.float64), torch.zeros(5, dtype=torch.float64)]
    ours, theirs = getattr(F, name), getattr(oracle, name)
    agree(lambda a, b: ours(a, b, reduction="none"), lambda a, b: theirs(a, b, reduction="none"), inputs)


def test_distances_equal_what_one_computes_by_hand():
    answers, targets = torch.tensor([3.0, -1.0, 0.5]), torch.tensor([1.0, -1.0, 1.0])
    assert F.mse_loss(answers, targets, reduction="none").tolist() == [4.0, 0.0, 0.25]
    assert F.l1_loss(answers, targets, reduction="none").tolist() == [2.0, 0.0, 0.5]
    assert F.huber_loss(answers, targets, "none", 0.5).tolist() == [0.875, 0.0, 0.125]
    assert F.mse_loss(answers, targets).item() == pytest.approx(4.25 / 3)


# -- yes or no -------------------------------------------------------------------------------------


@EVERY_TYPE
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_binary_cross_entropy_agrees_with_torch(shape, reduction, weighted, dtype):
    weight = 0.5 + share(*shape, dtype=dtype, seed=3) if weighted else None
    p = 0.02 + 0.96 * share(*shape)
    agree(
        lambda p, t: F.binary_cross_entropy(p, t, weight, reduction=reduction),
        lambda p, t: oracle.binary_cross_entropy(p, t, weight, reduction=reduction),
        [p.to(dtype), share(*shape, dtype=dtype, seed=4)],
        TOLERANCE[dtype],
    )


def test_binary_cross_entropy_agrees_with_torch_where_logarithms_end():
    p = torch.tensor([0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1e-300, 1e-13, 1 - 1e-16], dtype=torch.float64)
    t = torch.tensor([0.0, 0.3, 1.0, 0.0, 0.3, 1.0, 1.0, 0.0, 1.0], dtype=torch.float64)
    ours = lambda p: F.binary_cross_entropy(p, t, reduction="none")  # noqa: E731
    # PyTorch keeps its least denominator, 1e-12, in 32 bits
    agree(ours, lambda p: oracle.binary_cross_entropy(p, t, reduction="none"), [p], 1e-8)
    assert ours(p).max() == 100


@EVERY_TYPE
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("weighted", "counted"), list(itertools.product([False, True], repeat=2)))
def test_binary_cross_entropy_with_logits_agrees_with_torch(shape, reduction, weighted, counted, dtype):
    options = {
        "weight": 0.5 + share(*shape[-1:], dtype=dtype, seed=3) if weighted else None,
        "pos_weight": 3 * share(*shape[-1:], dtype=dtype, seed=5) if counted else None,
        "reduction": reduction,
    }
    agree(
        lambda z, t: F.binary_cross_entropy_with_logits(z, t, **options),
        lambda z, t: oracle.binary_cross_entropy_with_logits(z, t, **options),
        [draw(*shape, dtype=dtype), share(*shape, dtype=dtype, seed=4)],
        TOLERANCE[dtype],
    )


@MANY
@given(z=st.floats(-1e5, 1e5), t=st.sampled_from([0.0, 0.25, 1.0]), v=st.floats(0, 100))
def test_binary_cross_entropy_with_logits_agrees_with_torch_however_sure(z, t, v):
    v = torch.tensor([v], dtype=torch.float64)
    inputs = [torch.tensor([z], dtype=torch.float64), torch.tensor([t], dtype=torch.float64)]
    agree(
        lambda z, t: F.binary_cross_entropy_with_logits(z, t, pos_weight=v),
        lambda z, t: oracle.binary_cross_entropy_with_logits(z, t, pos_weight=v),
        inputs,
        1e-10,
    )


def test_binary_cross_entropy_with_logits_keeps_the_slope_of_a_sure_right_answer_on_both_sides():
    z = torch.tensor([-50.0, 50.0], dtype=torch.float64, requires_grad=True)
    y = F.binary_cross_entropy_with_logits(z, torch.tensor([0.0, 1.0], dtype=torch.float64), reduction="none")
    (gradient,) = torch.autograd.grad(y.sum(), z)
    assert y.tolist() == pytest.approx([math.exp(-50)] * 2, rel=1e-12)
    assert gradient.tolist() == pytest.approx([math.exp(-50), -math.exp(-50)], rel=1e-12)


def test_weights_of_yes_or_no_pass_gradients():
    z, t, w, v = draw(4, 3), share(4, 3), share(4, 3, seed=6), share(3, seed=7)
    _, slope = value_and_gradients(lambda w: F.binary_cross_entropy_with_logits(z, t, w, reduction="none"), [w])
    upstream = torch.linspace(0.5, 2, 12, dtype=torch.float64).reshape(4, 3)
    torch.testing.assert_close(slope, upstream * oracle.binary_cross_entropy_with_logits(z, t, reduction="none"))
    _, slope = value_and_gradients(lambda v: F.binary_cross_entropy_with_logits(z, t, w, pos_weight=v), [v])
    torch.testing.assert_close(slope, 0.5 * (w * t * oracle.softplus(-z)).mean(0) / 3)


def focal(z, t, alpha, gamma):
    """The closed form, from probabilities."""
    p = 1 / (1 + torch.exp(-z))
    q = torch.where(t == 1, p, 1 - p)
    balance = torch.where(t == 1, alpha, 1 - alpha) if alpha != -1 else 1
    return -balance * (1 - q) ** gamma * torch.log(q)


@MANY
@given(alpha=st.sampled_from([-1, 0.0, 0.25, 1.0]), gamma=st.floats(0, 5), seed=st.integers(0, 99))
def test_focal_loss_agrees_with_its_closed_form(alpha, gamma, seed):
    z, t = draw(3, 4, seed=seed), (share(3, 4, seed=seed + 1) > 0.5).double()
    expected = functools.partial(focal, t=t, alpha=alpha, gamma=gamma)
    ours = functools.partial(F.sigmoid_focal_loss, targets=t, alpha=alpha, gamma=gamma)
    agree(ours, expected, [z])
    agree(functools.partial(ours, reduction="mean"), lambda z: expected(z).mean(), [z])
    agree(functools.partial(ours, reduction="sum"), lambda z: expected(z).sum(), [z])


def test_focal_loss_without_focus_and_balance_is_binary_cross_entropy():
    z, t = draw(5, 2), share(5, 2)
    got = F.sigmoid_focal_loss(z, t, alpha=-1, gamma=0)
    torch.testing.assert_close(got, oracle.binary_cross_entropy_with_logits(z, t, reduction="none"))
    assert F.sigmoid_focal_loss(z, t).shape == (5, 2), "torchvision's default is one loss an entry"


def test_focal_loss_mixes_both_sides_for_a_target_between_them():
    z, t, p = (
        torch.tensor([0.7], dtype=torch.float64),
        torch.tensor([0.3], dtype=torch.float64),
        1 / (1 + math.exp(-0.7)),
    )
    cross = -(0.3 * math.log(p) + 0.7 * math.log(1 - p))
    expected = cross * (0.3 * (1 - p) + 0.7 * p) ** 2 * (0.25 * 0.3 + 0.75 * 0.7)
    assert F.sigmoid_focal_loss(z, t).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("gamma", [0, 0.5, 1, 2])
def test_focal_loss_has_finite_slopes_however_sure_the_model_is(gamma):
    z = torch.tensor([-1e4, -800.0, 0.0, 800.0, 1e4], dtype=torch.float64, requires_grad=True)
    for t in (0.0, 1.0):
        y = F.sigmoid_focal_loss(z, torch.full_like(z, t), gamma=gamma)
        (gradient,) = torch.autograd.grad(y.sum(), z)
        assert torch.isfinite(y).all()
        assert torch.isfinite(gradient).all()
        assert (gradient * (1 - 2 * t) >= 0).all()


# -- classes ---------------------------------------------------------------------------------------

SCORES = [(5, 4), (4,), (2, 4, 3), (2, 4, 3, 2), (1, 4), (3, 1), (0, 4)]


def case(shape, kind, weighted, ignored, dtype=torch.float64):
    """Make logits, targets and options of the classes' losses, for PyTorch and ours alike."""
    axis = 0 if len(shape) == 1 else 1
    count = shape[axis]
    z = draw(*shape, dtype=dtype)
    options = {"weight": 0.2 + share(count, dtype=dtype, seed=8) if weighted else None}
    if kind == "probabilities":
        return z, oracle.softmax(draw(*shape, seed=9), axis).to(dtype), options
    target = classes(count, *shape[:axis], *shape[axis + 1 :])
    if ignored == "outside" and target.ndim and len(target):
        target[0] = options["ignore_index"] = -100
    if ignored == "a class":
        options["ignore_index"] = 1
    return z, target, options


@EVERY_TYPE
@pytest.mark.parametrize("shape", SCORES, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["class", "probabilities"])
@pytest.mark.parametrize("ignored", ["nothing", "outside", "a class"])
def test_cross_entropy_agrees_with_torch(shape, kind, weighted, ignored, dtype):
    if kind == "probabilities" and ignored != "nothing":
        ignored = "nothing"
    z, target, options = case(shape, kind, weighted, ignored, dtype)
    for reduction, smoothing in itertools.product(["none", "mean", "sum"], [0.0, 0.1, 1.0]):
        more = options | {"reduction": reduction, "label_smoothing": smoothing}
        agree(
            F.cross_entropy,
            oracle.cross_entropy,
            [z, target],
            TOLERANCE[dtype],
            **more,
        )


@EVERY_TYPE
@pytest.mark.parametrize("shape", SCORES, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignored", ["nothing", "outside", "a class"])
def test_nll_agrees_with_torch(shape, weighted, ignored, dtype):
    z, target, options = case(shape, "class", weighted, ignored, dtype)
    logs = oracle.log_softmax(z, 0 if z.ndim == 1 else 1)
    for reduction in ("none", "mean", "sum"):
        more = options | {"reduction": reduction}
        agree(
            F.nll_loss,
            oracle.nll_loss,
            [logs, target],
            TOLERANCE[dtype],
            **more,
        )


@MANY
@given(data=st.data())
def test_cross_entropy_agrees_with_torch_for_drawn_arguments(data):
    n, count = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 6))
    rest = data.draw(st.sampled_from([(), (2,), (2, 3)]))
    z = draw(
        n, count, *rest, seed=data.draw(st.integers(0, 99)), scale=data.draw(st.sampled_from([1e-3, 1.0, 100.0, 1e4]))
    )
    options = {
        "weight": share(count, seed=3) if data.draw(st.booleans()) else None,
        "reduction": data.draw(st.sampled_from(["none", "mean", "sum"])),
        "label_smoothing": data.draw(st.sampled_from([0.0, 0.05, 0.9])),
    }
    if data.draw(st.booleans()):
        target = classes(count, n, *rest)
        options["ignore_index"] = data.draw(st.integers(-2, count))
    else:
        target = oracle.softmax(draw(n, count, *rest, seed=5), 1)
    agree(lambda *z: F.cross_entropy(*z, **options), lambda *z: oracle.cross_entropy(*z, **options), [z, target], 1e-10)


@pytest.mark.parametrize("ignored", [0, 1])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_without_any_target_is_nan_and_without_slope_like_torch(ignored, weighted):
    z, target = draw(3, 2), torch.full((3,), ignored)
    options = {"ignore_index": ignored, "weight": share(2) if weighted else None}
    agree(lambda z: F.cross_entropy(z, target, **options), lambda z: oracle.cross_entropy(z, target, **options), [z])
    assert math.isnan(F.cross_entropy(z, target, **options))
    assert F.cross_entropy(z, target, reduction="sum", **options) == 0


def test_cross_entropy_of_an_ignored_row_is_zero_whatever_stands_there():
    z = torch.tensor([[math.nan, INF], [0.0, 0.0]])
    for f, answers in ((F.cross_entropy, z), (F.nll_loss, torch.where(torch.isinf(z), -INF, z))):
        assert f(answers, torch.tensor([-100, 0]), reduction="sum").item() == pytest.approx(
            math.log(2) * (f is F.cross_entropy)
        )


@pytest.mark.parametrize(
    "row", [[INF, 0.0], [-INF, 0.0], [0.0, -INF], [-INF, -INF], [INF, INF], [math.nan, 0.0], [1e308, -1e308]]
)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_agrees_with_torch_at_the_limits(row, smoothing):
    z = torch.tensor([row, [1.0, 2.0]], dtype=torch.float64)
    target = torch.tensor([0, 1])
    options = {"reduction": "none", "label_smoothing": smoothing}
    got, want = (f(z, target, **options) for f in (F.cross_entropy, oracle.cross_entropy))
    torch.testing.assert_close(got, want, equal_nan=True)


def test_cross_entropy_equals_what_one_computes_by_hand():
    z = torch.log(torch.tensor([[1.0, 1.0, 2.0], [1.0, 3.0, 4.0]], dtype=torch.float64)).requires_grad_()
    loss = F.cross_entropy(z, torch.tensor([2, 0]), torch.tensor([1.0, 1.0, 3.0], dtype=torch.float64))
    assert loss.item() == pytest.approx((3 * math.log(2) + math.log(8)) / 4)  # shares 1/2 and 1/8
    (gradient,) = torch.autograd.grad(loss, z)
    expected = [[3 / 16, 3 / 16, -3 / 8], [-7 / 32, 3 / 32, 1 / 8]]  # share minus target, weighted, over 4
    assert gradient.tolist() == [pytest.approx(row) for row in expected]


def test_cross_entropy_of_the_best_smoothed_answer_is_the_entropy_of_the_target():
    q = torch.tensor([[0.925, 0.025, 0.025, 0.025]], dtype=torch.float64)
    loss = F.cross_entropy(q.log(), torch.tensor([0]), label_smoothing=0.1)
    assert loss.item() == pytest.approx(-(q * q.log()).sum().item())


@FORWARD_MODE
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 2), (4,)], ids=str)
def test_cross_entropy_passes_gradcheck_twice(shape):
    axis = 0 if len(shape) == 1 else 1
    target = classes(shape[axis], *shape[:axis], *shape[axis + 1 :])
    z = draw(*shape).requires_grad_()
    for options in (
        {},
        {"label_smoothing": 0.2},
        {"weight": share(shape[axis]), "ignore_index": 0, "reduction": "sum"},
    ):
        f = lambda z: F.cross_entropy(z, target, **options)  # noqa: E731, B023
        assert gradcheck(f, z, check_forward_ad=True, check_batched_grad=True)
        assert gradgradcheck(f, z)
    q = F.softmax(draw(*shape, seed=3), axis)
    assert gradcheck(lambda z: F.cross_entropy(z, q), z, check_forward_ad=True)


@FORWARD_MODE
def test_exponentials_of_the_cross_entropy_function_pass_gradients_and_tangents():
    from companion.functional.losses.classes import _BothWays

    z, target = draw(3, 4).requires_grad_(), classes(4, 3)
    share = lambda z: torch.div(*_BothWays.apply(z, target, 1)[1:])  # noqa: E731
    torch.testing.assert_close(share(z), oracle.softmax(z, 1))
    assert gradcheck(share, z, check_forward_ad=True, check_batched_grad=True)
    mixed = lambda z: share(z).sum(1) * _BothWays.apply(z, target, 1)[0]  # noqa: E731
    assert gradcheck(mixed, z, check_forward_ad=True)
    assert gradgradcheck(mixed, z)


@FORWARD_MODE
def test_binary_cross_entropy_passes_gradcheck_twice_in_both_arguments():
    p, t = (0.1 + 0.8 * share(6)).requires_grad_(), share(6, seed=4).requires_grad_()
    f = lambda p, t: F.binary_cross_entropy(p, t.clamp(0, 1))  # noqa: E731
    assert gradcheck(f, (p, t), check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(f, (p, t))
    ours, theirs = (
        torch.autograd.functional.hessian(functools.partial(g, target=t.detach()), p.detach())
        for g in (F.binary_cross_entropy, oracle.binary_cross_entropy)
    )
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    "name", ["mse_loss", "l1_loss", "huber_loss", "binary_cross_entropy_with_logits", "cross_entropy", "kl_div"]
)
def test_loss_handles_strided_views(name):
    base, other = draw(8, 6), oracle.softmax(draw(8, 6, seed=1), 1)
    answers, targets = base.T[::2], other.T[::2]
    if name == "cross_entropy":
        targets = classes(8, 12)[::2][:3]
    if name == "kl_div":
        answers = oracle.log_softmax(base, 0).T[::2]
    agree(
        lambda z: getattr(F, name)(z.clone().T.contiguous().T, targets, reduction="sum"),
        lambda z: getattr(oracle, name)(z, targets, reduction="sum"),
        [answers],
    )


# -- distributions ---------------------------------------------------------------------------------


@KL_WARNING
@EVERY_TYPE
@pytest.mark.parametrize("reduction", ["none", "mean", "sum", "batchmean"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("log_target", [False, True])
def test_kl_div_agrees_with_torch(shape, reduction, log_target, dtype):
    log_q, p = -draw(*shape).abs().to(dtype), share(*shape)
    p = (torch.log(p) if log_target else p).to(dtype)
    options = {"reduction": reduction, "log_target": log_target}
    agree(lambda *a: F.kl_div(*a, **options), lambda *a: oracle.kl_div(*a, **options), [log_q, p], 2 * TOLERANCE[dtype])


def test_kl_div_counts_nothing_where_the_truth_is_impossible():
    p, q = torch.tensor([[0.0, 1.0]], dtype=torch.float64), torch.tensor([[0.25, 0.75]], dtype=torch.float64)
    log_q = q.log().requires_grad_()
    loss = F.kl_div(log_q, p, reduction="batchmean")
    assert loss.item() == pytest.approx(-math.log(0.75))
    assert torch.autograd.grad(loss, log_q)[0].tolist() == [[0.0, -1.0]]


def test_kl_div_equals_cross_entropy_less_entropy():
    z, p = draw(4, 5), oracle.softmax(draw(4, 5, seed=1), 1)
    entropy = -(p * p.log()).sum(1).mean()
    got = F.kl_div(F.log_softmax(z), p, reduction="batchmean")
    torch.testing.assert_close(got, F.cross_entropy(z, p) - entropy)


def test_probabilities_with_the_rounding_of_16_bits_are_taken():
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        p = oracle.softmax(draw(50, 37), 1).to(dtype)
        assert torch.isfinite(F.cross_entropy(draw(50, 37, dtype=dtype), p))
        assert torch.isfinite(F.kl_div(oracle.log_softmax(draw(50, 37), 1).to(dtype), p, reduction="sum"))


@FORWARD_MODE
def test_binary_cross_entropy_with_logits_passes_gradcheck_in_both_arguments():
    z, t = draw(6).requires_grad_(), share(6, seed=4).requires_grad_()
    weight = torch.linspace(0.5, 3, 6, dtype=torch.float64)
    f = lambda z, t: F.binary_cross_entropy_with_logits(z, t.clamp(0, 1), pos_weight=weight)  # noqa: E731
    assert gradcheck(f, (z, t), check_forward_ad=True)
    assert gradgradcheck(f, (z, t))


@KL_WARNING
@pytest.mark.parametrize("reduction", ["none", "mean", "sum", "batchmean"])
@pytest.mark.parametrize("log_target", [False, True])
def test_kl_div_agrees_with_torch_where_probabilities_are_zero(reduction, log_target):
    p, q = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).double(), torch.tensor([[0.5, 0.5], [1.0, 0.0]]).double()
    options = {"reduction": reduction, "log_target": log_target}
    for expected, truth in itertools.product([p, q], repeat=2):
        target = truth.log() if log_target else truth
        agree(F.kl_div, oracle.kl_div, [expected.log()], target=target, **options)


def test_kl_div_is_nan_as_documented_where_both_probabilities_are_zero_and_inf_where_one_is_excluded():
    p = torch.tensor([1.0, 0.0], dtype=torch.float64)
    single = F.kl_div(p.log(), p, reduction="none")
    assert single[0] == 0
    assert math.isnan(single[1])
    assert F.kl_div(p.log(), p.flip(0), reduction="sum") == INF
    for text in (F.kl_div.__doc__, F.cross_entropy.__doc__):
        assert "nan, as in PyTorch, where" in text


@pytest.mark.parametrize("row", [[0.0, -INF], [-INF, 0.0], [INF, 0.0], [INF, -INF], [1e308, -1e308]], ids=str)
@pytest.mark.parametrize("target", [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], ids=str)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_agrees_with_torch_at_the_limits_beside_probabilities(row, target, smoothing):
    inputs = [torch.tensor([row, [1.0, 2.0]]).double(), torch.tensor([target, [0.0, 1.0]]).double()]
    options = {"reduction": "none", "label_smoothing": smoothing}
    got, want = (f(*inputs, **options) for f in (F.cross_entropy, oracle.cross_entropy))
    torch.testing.assert_close(got, want, equal_nan=True)
    assert math.isfinite(got[1])
