"""What must hold for every loss, as function and as layer, and a test that none is left out."""

import copy
import inspect
import math
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_common import Spy
from torch._subclasses.fake_tensor import FakeTensorMode

from companion import functional as F
from companion import nn
from companion.functional import losses

# PyTorch's own forward mode scripts its rules on first use and warns about that
FORWARD_MODE = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
# The compiler builds an object that PyTorch's own autograd has declared out of date
COMPILER = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
DEPRECATED = {"size_average", "reduce"}
NATIVE = {
    "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div",
    "nll_loss", "nll_loss2d", "nll_loss_nd", "cross_entropy_loss", "xlogy", "_softmax", "_log_softmax", "log_sigmoid",
    "sigmoid", "softplus", "logsumexp",
}  # fmt: skip


def numbers(z):
    return z


def yes_or_no(z):
    return (z > 0).to(z.dtype)


def numbers_of_classes(z):
    return z.argmax(1)


def logs(z):
    return F.log_softmax(z.double(), 1).to(z.dtype)


def shares(z):
    return F.softmax(z.double(), 1).to(z.dtype)


# function: (its layer, PyTorch's layer, answers of logits, targets of logits, the best answer to a target, properties)
TABLE = {
    "mse_loss": (nn.MSELoss, torch.nn.MSELoss, numbers, numbers, lambda t: t, {"symmetric"}),
    "l1_loss": (nn.L1Loss, torch.nn.L1Loss, numbers, numbers, lambda t: t, {"symmetric"}),
    "huber_loss": (nn.HuberLoss, torch.nn.HuberLoss, numbers, numbers, lambda t: t, {"symmetric"}),
    "binary_cross_entropy": (nn.BCELoss, torch.nn.BCELoss, shares, yes_or_no, lambda t: t, set()),
    "binary_cross_entropy_with_logits": (
        nn.BCEWithLogitsLoss, torch.nn.BCEWithLogitsLoss, numbers, yes_or_no, lambda t: 2000 * t - 1000, set(),
    ),
    "sigmoid_focal_loss": (nn.FocalLoss, None, numbers, yes_or_no, lambda t: 2000 * t - 1000, set()),
    "nll_loss": (
        nn.NLLLoss, torch.nn.NLLLoss, logs, numbers_of_classes, lambda t: torch.nn.functional.one_hot(t, 5).double().log().clamp(min=-1e9), set(),
    ),
    "cross_entropy": (
        nn.CrossEntropyLoss, torch.nn.CrossEntropyLoss, numbers, numbers_of_classes, lambda t: 1000.0 * torch.nn.functional.one_hot(t, 5), set(),
    ),
    "kl_div": (nn.KLDivLoss, torch.nn.KLDivLoss, logs, shares, lambda t: t.log(), {"entries may be negative"}),
}  # fmt: skip
PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
EVERY_LOSS = pytest.mark.parametrize("name", TABLE)

tables = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.floats(-50, 50, width=32), min_size=10 * n, max_size=10 * n).map(
        lambda values: torch.tensor(values, dtype=torch.float64).reshape(2, n, 5)
    )
)  # logits of answers and of targets, (2, N, 5)


def pair(name, z):
    """Make answers and targets of a loss out of logits."""
    _, _, answers, targets, _, _ = TABLE[name]
    return answers(z[0]), targets(z[1])


def example(name, dtype=torch.float64, device="cpu", n=3):
    z = torch.randn(2, n, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    answers, targets = pair(name, z)
    answers, targets = (t.to(dtype if t.is_floating_point() else t.dtype) for t in (answers, targets))
    return answers.to(device), targets.to(device)


def test_no_public_loss_is_missing():
    assert set(TABLE) == {n for n in losses.__all__ if n.islower()}
    assert set(TABLE) <= set(F.__all__)
    assert {layer.__name__ for layer, *_ in TABLE.values()} == {n for n in nn.__all__ if n.endswith("Loss")}


@EVERY_LOSS
@PROPERTY
@given(z=tables)
def test_loss_is_finite_and_never_negative(name, z):
    each = getattr(F, name)(*pair(name, z), reduction="none")
    assert torch.isfinite(each).all()
    low = each.sum(1) if "entries may be negative" in TABLE[name][-1] else each
    assert (low >= -1e-12).all()


@EVERY_LOSS
@PROPERTY
@given(z=tables)
def test_loss_of_the_best_answer_is_zero(name, z):
    _, targets = pair(name, z)
    best = TABLE[name][4](targets)
    assert getattr(F, name)(best, targets, reduction="sum").item() == pytest.approx(0, abs=1e-9)


@EVERY_LOSS
@PROPERTY
@given(z=tables)
def test_reductions_are_sum_and_mean_of_the_single_losses(name, z):
    f, (answers, targets) = getattr(F, name), pair(name, z)
    each = f(answers, targets, reduction="none")
    assert each.shape == targets.shape
    torch.testing.assert_close(f(answers, targets, reduction="sum"), each.sum())
    torch.testing.assert_close(f(answers, targets, reduction="mean"), each.mean())
    if name == "kl_div":
        torch.testing.assert_close(f(answers, targets, reduction="batchmean"), each.sum() / len(answers))


@EVERY_LOSS
@PROPERTY
@given(z=tables, seed=st.integers(0, 99))
def test_order_of_the_examples_does_not_matter(name, z, seed):
    f, (answers, targets) = getattr(F, name), pair(name, z)
    order = torch.randperm(len(answers), generator=torch.Generator().manual_seed(seed))
    moved = f(answers[order], targets[order], reduction="none")
    assert torch.equal(moved, f(answers, targets, reduction="none")[order])


@pytest.mark.parametrize("name", [n for n, row in TABLE.items() if "symmetric" in row[-1]])
@PROPERTY
@given(z=tables)
def test_distance_is_the_same_from_both_sides(name, z):
    assert torch.equal(getattr(F, name)(z[0], z[1]), getattr(F, name)(z[1], z[0]))


def operations(f, answers, targets):
    with Spy() as spy:
        f(answers.requires_grad_(), targets).sum().backward()
    return spy.seen


@pytest.mark.parametrize(
    "name",
    ["mse_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "nll_loss", "cross_entropy"],
)
def test_spy_sees_each_native_loss(name):
    assert operations(TABLE[name][1](), *example(name)) & NATIVE


@EVERY_LOSS
def test_loss_calls_no_native_version(name):
    seen = operations(TABLE[name][0](), *example(name))
    assert seen, "the spy saw nothing at all"
    assert not seen & NATIVE


def test_cross_entropy_calls_no_native_version_the_long_way_either():
    weight = torch.rand(5, dtype=torch.float64)
    for options in ({"label_smoothing": 0.1}, {"weight": weight}, {"ignore_index": 0}):
        assert not operations(nn.CrossEntropyLoss(**options), *example("cross_entropy")) & NATIVE
    assert not operations(nn.CrossEntropyLoss(), example("cross_entropy")[0], shares(example("mse_loss")[1])) & NATIVE


# Forward mode, because backward() on a pretended GPU ends the whole process in a PyTorch built without CUDA
@FORWARD_MODE
@EVERY_LOSS
def test_loss_and_derivative_run_on_a_pretended_gpu(name):
    answers, targets = example(name)
    with FakeTensorMode():
        z = torch.empty(answers.shape, device="cuda")
        t = torch.empty(targets.shape, device="cuda", dtype=targets.dtype)
        layer = TABLE[name][0]().to("cuda")
        y, tangent = torch.func.jvp(lambda z: layer(z, t), (z,), (torch.ones_like(z),))
        assert y.device.type == tangent.device.type == "cuda"


@EVERY_LOSS
def test_loss_runs_backwards_on_a_device_that_computes_nothing(name):
    answers, targets = (t.to("meta") for t in example(name))
    getattr(F, name)(answers.requires_grad_(), targets, reduction="sum").backward()
    assert answers.grad.shape == answers.shape


@EVERY_LOSS
def test_loss_runs_on_every_device_present(name, device):
    answers, targets = example(name, torch.float32, device)
    y = TABLE[name][0]().to(device)(answers, targets)
    assert y.device.type == device.type
    torch.testing.assert_close(y.cpu(), TABLE[name][0]()(answers.cpu(), targets.cpu()))


@EVERY_LOSS
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_loss_keeps_the_float_type_and_the_digits_of_32_bits_inside(name, dtype):
    answers, targets = example(name, dtype)
    if name == "cross_entropy":
        answers = answers + 6 * torch.nn.functional.one_hot(targets, 5)  # losses of a hundredth
    y = TABLE[name][0]().to(dtype)(answers, targets)
    exact = TABLE[name][0]()(answers.double(), targets.double() if targets.is_floating_point() else targets)
    assert y.dtype == dtype
    torch.testing.assert_close(
        y.double(), exact, rtol=2 * torch.finfo(dtype).eps + 1e-6 * (dtype != torch.float64), atol=1e-12
    )


@EVERY_LOSS
def test_loss_under_autocast_has_32_bits(name):
    answers, targets = example(name, torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = TABLE[name][0]()(answers.requires_grad_(), targets)
    assert y.dtype == torch.float32
    y.backward()
    assert answers.grad.dtype == torch.bfloat16
    assert torch.isfinite(answers.grad).all()


@FORWARD_MODE
@EVERY_LOSS
def test_loss_works_under_torch_func_for_a_batch_of_batches(name):
    answers, targets = (torch.stack([t, t.flip(0)]) for t in example(name))
    f = getattr(F, name)

    def slope(a, t):
        return torch.func.grad(lambda a: f(a, t, reduction="sum"))(a)

    got = torch.func.vmap(slope)(answers, targets)
    torch.testing.assert_close(got, torch.stack([slope(a, t) for a, t in zip(answers, targets)]))
    values = torch.func.vmap(lambda a, t: f(a, t, reduction="mean"))(answers, targets)
    torch.testing.assert_close(values, torch.stack([f(a, t, reduction="mean") for a, t in zip(answers, targets)]))


@COMPILER
@EVERY_LOSS
def test_loss_can_be_captured_whole_by_the_compiler_with_its_slope(name):
    layer, (answers, targets) = TABLE[name][0](), example(name)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    results = []
    for run in (compiled, layer):
        z = answers.clone().requires_grad_()
        y = run(z, targets)
        y.backward()
        results.append((y.detach(), z.grad))
    torch.testing.assert_close(*results)


@EVERY_LOSS
def test_layer_equals_its_function_and_survives_copy_and_pickle(name):
    layer, (answers, targets) = TABLE[name][0](), example(name)
    expected = getattr(F, name)(answers, targets, reduction="mean")
    for other in (layer, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(answers, targets), expected)
    assert "reduction='mean'" in repr(layer)


@EVERY_LOSS
def test_arguments_are_torchs_without_the_deprecated_ones(name):
    layer, theirs, *_ = TABLE[name]
    if theirs is None:
        assert list(inspect.signature(F.sigmoid_focal_loss).parameters) == [
            "inputs",
            "targets",
            "alpha",
            "gamma",
            "reduction",
        ]
        return
    native = getattr(torch.nn.functional, name)
    extra = DEPRECATED | ({"weight"} if name in ("mse_loss", "l1_loss", "huber_loss") else set())
    for mine, reference in ((layer, theirs), (getattr(F, name), native)):
        wanted = {n: p.default for n, p in inspect.signature(reference).parameters.items() if n not in extra}
        got = inspect.signature(mine).parameters
        assert list(got) == list(wanted)
        assert {n: p.default for n, p in got.items()} == wanted
        deprecated = [n for n in inspect.signature(reference).parameters if n in DEPRECATED]
        behind = (
            list(wanted)[list(inspect.signature(reference).parameters).index(deprecated[0]) :] if deprecated else []
        )
        assert all(got[n].kind is inspect.Parameter.KEYWORD_ONLY for n in behind), "a position would mean another thing"
    assert theirs.__name__ == layer.__name__


@EVERY_LOSS
def test_loss_leaves_its_arguments_alone(name):
    answers, targets = example(name)
    kept = answers.clone(), targets.clone()
    getattr(F, name)(answers.requires_grad_(), targets, reduction="sum").backward()
    assert torch.equal(answers, kept[0])
    assert torch.equal(targets, kept[1])


@EVERY_LOSS
def test_nan_in_the_answers_shows_in_the_loss(name):
    answers, targets = example(name)
    answers[0] = math.nan
    assert math.isnan(TABLE[name][0]()(answers, targets))


@pytest.mark.parametrize("layer", [row[0] for row in TABLE.values()])
def test_layer_refuses_an_unknown_reduction_when_it_is_made(layer):
    also = " or 'batchmean'" if layer is nn.KLDivLoss else ""
    with pytest.raises(ValueError) as caught:
        layer(reduction="average")
    assert str(caught.value) == (f"{layer.__name__}: reduction expected 'none' or 'mean' or 'sum'{also}, got 'average'")
    with pytest.raises(TypeError, match=f"^{layer.__name__}: reduction expected .*, got NoneType$"):
        layer(reduction=None)


WEIGHTED = {"weight": torch.tensor([1.0, 2.0, 3.0])}


@pytest.mark.parametrize(
    ("ours", "theirs", "options"),
    [
        (nn.CrossEntropyLoss, torch.nn.CrossEntropyLoss, WEIGHTED),
        (nn.NLLLoss, torch.nn.NLLLoss, WEIGHTED),
        (nn.BCELoss, torch.nn.BCELoss, WEIGHTED),
        (nn.BCEWithLogitsLoss, torch.nn.BCEWithLogitsLoss, {"pos_weight": torch.tensor([4.0, 5.0, 6.0])} | WEIGHTED),
    ],
)
def test_weights_are_buffers_exchanged_with_torch_and_moved_by_to(ours, theirs, options):
    mine, reference = ours(**options), theirs(**{k: v.clone() for k, v in options.items()})
    assert dict(mine.state_dict()).keys() == dict(reference.state_dict()).keys() == options.keys()
    reference.load_state_dict(ours(**{k: v + 1 for k, v in options.items()}).state_dict())
    mine.load_state_dict(reference.state_dict())
    for name, weight in options.items():
        assert torch.equal(getattr(mine, name), weight + 1)
        assert getattr(copy.deepcopy(mine).half(), name).dtype == torch.float16
        assert getattr(copy.deepcopy(mine).to("meta"), name).device.type == "meta"
    assert not list(mine.parameters())


def test_layer_refuses_a_weight_that_is_no_tensor():
    with pytest.raises(TypeError, match=r"^CrossEntropyLoss: weight expected a tensor, got list; torch.as_tensor"):
        nn.CrossEntropyLoss([1.0, 2.0])


REFUSED = [
    ("mse_loss", (torch.zeros(4), torch.zeros(4, 1)), {}, "mse_loss: target expected the shape of input, (4,), got (4, 1); broadcasting would compare every answer with every target; target.squeeze(-1) makes the shapes meet"),
    ("l1_loss", (torch.zeros(4, 1), torch.zeros(4)), {}, "l1_loss: target expected the shape of input, (4, 1), got (4,); broadcasting would compare every answer with every target; target.unsqueeze(-1) makes the shapes meet"),
    ("huber_loss", (torch.zeros(4, 2), torch.zeros(4)), {}, "huber_loss: target expected the shape of input, (4, 2), got (4,); broadcasting would compare every answer with every target"),
    ("huber_loss", (torch.zeros(4), torch.zeros(4)), {"delta": 0}, "huber_loss: delta expected a finite number above 0, got 0"),
    ("mse_loss", (torch.zeros(4), torch.zeros(4, dtype=torch.int64)), {}, "mse_loss: target expected a float tensor, got torch.int64; target.float() converts it"),
    ("mse_loss", (torch.zeros(4), torch.zeros(4, device="meta")), {}, "mse_loss: target expected a tensor on cpu, got one on meta; target.to('cpu') moves it"),
    ("mse_loss", (torch.zeros(4), torch.zeros(4)), {"reduction": "batchmean"}, "mse_loss: reduction expected 'none' or 'mean' or 'sum', got 'batchmean'"),
    ("binary_cross_entropy", (torch.tensor([1.5, 0.0]), torch.zeros(2)), {}, "binary_cross_entropy: input expected probabilities from 0 to 1, got values from 0 to 1.5; for logits there is binary_cross_entropy_with_logits"),
    ("binary_cross_entropy", (torch.zeros(2), torch.tensor([-0.5, 0.0])), {}, "binary_cross_entropy: target expected values from 0 to 1, got values from -0.5 to 0; 0 means no, 1 means yes; for more classes there is cross_entropy"),
    ("binary_cross_entropy_with_logits", (torch.zeros(2), torch.tensor([2.0, 0.0])), {}, "binary_cross_entropy_with_logits: target expected values from 0 to 1, got values from 0 to 2; 0 means no, 1 means yes; for more classes there is cross_entropy"),
    ("binary_cross_entropy_with_logits", (torch.zeros(2), torch.tensor([math.nan, 0.0])), {}, "binary_cross_entropy_with_logits: target expected values from 0 to 1, got nan; torch.isnan(target) finds where"),
    ("binary_cross_entropy_with_logits", (torch.zeros(2, 3), torch.zeros(2, 3)), {"pos_weight": torch.ones(2)}, "binary_cross_entropy_with_logits: pos_weight expected a shape that spreads over (2, 3), got (2,); axes are matched from the last one"),
    ("binary_cross_entropy", (torch.zeros(3), torch.zeros(3)), {"weight": torch.ones(2, 3)}, "binary_cross_entropy: weight expected a shape that spreads over (3,), got (2, 3); axes are matched from the last one"),
    ("binary_cross_entropy", (torch.zeros(3), torch.zeros(3)), {"weight": torch.ones(3, device="meta")}, "binary_cross_entropy: weight expected a tensor on cpu, got one on meta; weight.to('cpu') moves it"),
    ("binary_cross_entropy", (torch.zeros(3), torch.zeros(3)), {"weight": torch.ones(3).long()}, "binary_cross_entropy: weight expected a float tensor, got torch.int64; weight.float() converts it"),
    ("sigmoid_focal_loss", (torch.zeros(2), torch.tensor([2.0, 0.0])), {}, "sigmoid_focal_loss: targets expected values from 0 to 1, got values from 0 to 2; 0 means no, 1 means yes; for more classes there is cross_entropy"),
    ("sigmoid_focal_loss", (torch.zeros(2), torch.zeros(2)), {"alpha": 1.5}, "sigmoid_focal_loss: alpha expected 0 to 1, or -1 for no balance, got 1.5"),
    ("sigmoid_focal_loss", (torch.zeros(2), torch.zeros(2)), {"gamma": -1}, "sigmoid_focal_loss: gamma expected 0 or more, got -1"),
    ("nll_loss", (torch.ones(2, 3), torch.tensor([0, 1])), {}, "nll_loss: input expected logarithms of probabilities, at most 0, got values from 1 to 1; log_softmax turns logits into them"),
    ("nll_loss", (torch.zeros(2, 3), torch.zeros(2, 3).long()), {}, "nll_loss: target expected shape (2,), got (2, 3)"),
    ("cross_entropy", (torch.zeros(2, 3), torch.tensor([0, 3])), {}, "cross_entropy: target expected class numbers from 0 to 2, got 0 to 3; the input has 3 classes; ignore_index=-100 marks an entry without target"),
    ("cross_entropy", (torch.zeros(3, 3), torch.tensor([-1, -100, 2])), {}, "cross_entropy: target expected class numbers from 0 to 2, got -1 to 2; the input has 3 classes; ignore_index=-100 marks an entry without target"),
    ("cross_entropy", (torch.zeros(2, 3), torch.tensor([0.0, 1.0])), {}, "cross_entropy: target expected class numbers of type torch.int64, got torch.float32; target.long() converts them"),
    ("cross_entropy", (torch.zeros(2, 3), torch.zeros(2, 1).long()), {}, "cross_entropy: target expected shape (2,), or (2, 3) for probabilities, got (2, 1); target.squeeze(1) takes an axis of size 1 away"),
    ("cross_entropy", (torch.zeros(2, 3), torch.tensor([[0, 1, 0], [1, 0, 0]])), {}, "cross_entropy: target expected probabilities, floats in the shape of input, got torch.int64; class numbers have no axis of classes: target.argmax(dim=1) makes them of rows of 0 and 1"),
    ("cross_entropy", (torch.zeros(1, 3), torch.tensor([[0.5, 0.4, 0.0]])), {}, "cross_entropy: target expected a sum of 1 over axis 1, got values from 0.9 to 0.9; softmax, or a division by the sum, makes probabilities"),
    ("cross_entropy", (torch.zeros(1, 3), torch.tensor([[1.5, -0.5, 0.0]])), {}, "cross_entropy: target expected probabilities from 0 to 1, got values from -0.5 to 1.5; log-probabilities and logits are no targets; softmax makes probabilities of them"),
    ("cross_entropy", (torch.zeros(1, 2), torch.tensor([[0.5, 0.5]])), {"ignore_index": 0}, "cross_entropy: ignore_index expected below 0 beside probabilities, got 0; probabilities have no class number to ignore"),
    ("cross_entropy", (torch.zeros(2, 3), torch.tensor([0, 1])), {"label_smoothing": 1.1}, "cross_entropy: label_smoothing expected 0 to 1, got 1.1"),
    ("cross_entropy", (torch.zeros(2, 3), torch.tensor([0, 1])), {"weight": torch.ones(2)}, "cross_entropy: weight expected shape (3,), got (2,); one number for each class"),
    ("cross_entropy", (torch.zeros(2, 3), torch.tensor([0, 1])), {"weight": torch.ones(3, device="meta")}, "cross_entropy: weight expected a tensor on cpu, got one on meta; weight.to('cpu') moves it"),
    ("cross_entropy", (torch.tensor(0.0), torch.tensor(0)), {}, "cross_entropy: input expected shape (N, C), (N, C, d1, ...) or (C,), got ()"),
    ("cross_entropy", (torch.zeros(2, 3), torch.tensor([0, 1], device="meta")), {}, "cross_entropy: target expected a tensor on cpu, got one on meta; target.to('cpu') moves it"),
    ("kl_div", (torch.tensor([[0.5, 0.5]]), torch.tensor([[0.5, 0.5]])), {}, "kl_div: input expected logarithms of probabilities, at most 0, got values from 0.5 to 0.5; log_softmax turns logits into them"),
    ("kl_div", (torch.tensor([[-0.5, -0.5]]), torch.tensor([[-0.5, -0.5]])), {}, "kl_div: target expected probabilities from 0 to 1, got values from -0.5 to -0.5; with log_target=True it may hold logarithms"),
    ("kl_div", (torch.tensor([[-0.5, -0.5]]), torch.tensor([[0.5, 0.5]])), {"log_target": True}, "kl_div: target expected logarithms of probabilities, at most 0, got values from 0.5 to 0.5; log_softmax turns logits into them"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "options", "message"), REFUSED)
def test_loss_refuses_what_does_not_fit(name, arguments, options, message):
    with pytest.raises(ValueError) as caught:
        getattr(F, name)(*arguments, **options)
    assert str(caught.value) == message


@EVERY_LOSS
def test_loss_refuses_what_is_no_tensor(name):
    answers, targets = example(name)
    one, other = ("inputs", "targets") if name == "sigmoid_focal_loss" else ("input", "target")
    with pytest.raises(TypeError, match=f"^{name}: {one} expected a tensor, got list"):
        getattr(F, name)(answers.tolist(), targets)
    with pytest.raises(TypeError, match=f"^{name}: {other} expected a tensor, got list"):
        getattr(F, name)(answers, targets.tolist())
