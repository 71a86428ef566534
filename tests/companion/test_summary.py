"""Counting parameters, operations, memory; receptive fields; the table: against formulas, PyTorch's counter and torchinfo."""

import copy
import math

import pytest
import torch
import torchinfo
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from companion import functional, nn
from companion.models import VGG, Inception, LeNet, ResNet, mlp
from companion.models.perceptron import Perceptron
from companion.random import generator
from companion.summary import (
    count_flops,
    count_parameters,
    gradient_norms,
    receptive_field,
    saved_bytes,
    signals,
    summary,
)

# name: model and the shape of its input
MODELS = {
    "mlp": (lambda: mlp([64, 32, 10]), (3, 64)),
    "LeNet": (LeNet, (2, 1, 28, 28)),
    "VGG": (lambda: VGG(1, 5, widths=(4, 8)), (2, 1, 12, 12)),
    "Inception": (lambda: Inception(1, 5, widths=(4, 8, 12)), (2, 1, 12, 12)),
    "ResNet": (lambda: ResNet(1, 5, widths=(4, 8)), (2, 1, 12, 12)),
    "torch's layers": (
        lambda: torch.nn.Sequential(torch.nn.Conv1d(2, 4, 3), torch.nn.Flatten(), torch.nn.Linear(32, 3)),
        (5, 2, 10),
    ),
}
EVERY_MODEL = pytest.mark.parametrize("name", MODELS)


def test_count_of_an_mlp_equals_the_count_by_hand():
    assert count_parameters(mlp([2, 3, 1])) == (2 * 3 + 3) + (3 * 1 + 1)
    assert count_parameters(mlp([64, 32, 10])) == 64 * 32 + 32 + 32 * 10 + 10


def test_count_takes_frozen_once_shared_once_and_buffers_never():
    layer = torch.nn.Linear(3, 3)
    layer.weight.requires_grad_(False)
    model = torch.nn.Sequential(layer, torch.nn.BatchNorm1d(3), layer)
    assert count_parameters(model) == 12 + 6
    assert count_parameters(torch.nn.ReLU()) == 0


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    batch=st.integers(1, 3), inputs=st.integers(1, 3), outputs=st.integers(1, 3), kernel=st.integers(1, 3),
    stride=st.integers(1, 2), padding=st.integers(0, 1), groups=st.integers(1, 2), size=st.integers(5, 9),
)  # fmt: skip
def test_flops_of_a_convolution_follow_the_formula_and_torch(
    batch, inputs, outputs, kernel, stride, padding, groups, size
):
    arguments = (inputs * groups, outputs * groups, kernel, stride, padding, 1, groups)
    x = torch.zeros(batch, inputs * groups, size, size)
    count = (size + 2 * padding - kernel) // stride + 1
    formula = 2 * batch * count**2 * outputs * groups * inputs * kernel**2
    assert count_flops(nn.Conv2d(*arguments), x) == formula == count_flops(torch.nn.Conv2d(*arguments), x)


def test_flops_of_a_network_of_fully_connected_layers_follow_the_formula():
    assert count_flops(mlp([64, 32, 10]), torch.zeros(7, 64)) == 2 * 7 * (64 * 32 + 32 * 10)
    assert count_flops(lambda a, b: a @ b, torch.zeros(2, 3), torch.zeros(3, 4)) == 2 * 2 * 3 * 4
    assert count_flops(torch.nn.ReLU(), torch.zeros(3)) == 0


def test_count_flops_sees_into_our_layers_where_those_of_torch_are_closed():
    x = torch.zeros(5, 2, 3)  # (T, B, D)
    assert count_flops(nn.LSTM(3, 4), x) == 2 * 5 * 2 * (4 * 4) * (3 + 4)
    assert count_flops(torch.nn.LSTM(3, 4), x) == 0
    q = torch.zeros(2, 3, 4)  # (B, T, D): four products with 4 x 4 weights, and two of each head's queries and keys
    attention = [kind.MultiheadAttention(4, 2, batch_first=True).eval() for kind in (nn, torch.nn)]
    assert [count_flops(layer, q, q, q) for layer in attention] == [2 * 2 * (4 * 3 * 4 * 4 + 2 * 3 * 3 * 4), 0]


def test_counting_leaves_no_gradient_and_needs_no_numbers():
    model = mlp([4, 3])
    flops = count_flops(model, torch.full((2, 4), math.nan))
    assert flops == 48
    assert all(p.grad is None for p in model.parameters())


def test_saved_bytes_count_what_autograd_keeps():
    x = torch.zeros(5, 8, requires_grad=True)
    assert saved_bytes(torch.sin, x) == 0, "its input is all that the sine keeps"
    assert saved_bytes(torch.exp, x) == 5 * 8 * 4
    assert saved_bytes(lambda x: torch.exp(torch.exp(x)), x) == 2 * 5 * 8 * 4
    assert saved_bytes(lambda x: torch.exp(x) * torch.exp(x).detach(), x) == 2 * 5 * 8 * 4
    assert saved_bytes(lambda x: torch.exp(x) ** 2 + torch.exp(x) * 0, x) == 2 * 5 * 8 * 4, "once each"


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
def test_a_bend_keeps_no_more_for_the_way_back_than_pytorchs(name):
    x, weight = torch.zeros(10, 6, requires_grad=True), torch.zeros(6, 6)
    ours, theirs = getattr(functional, name), getattr(torch, name)
    assert saved_bytes(lambda x: ours(x) @ weight, x) == saved_bytes(lambda x: theirs(x) @ weight, x)


def test_saved_bytes_of_a_network_are_its_hidden_activations():
    model = torch.nn.Sequential(torch.nn.Linear(6, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    for batch in (1, 10):
        assert saved_bytes(model, torch.zeros(batch, 6)) == batch * 4 * 4
    frozen = copy.deepcopy(model).requires_grad_(False)
    assert saved_bytes(frozen, torch.zeros(10, 6)) == 0


def test_gradient_norms_are_the_lengths_of_the_gradients():
    model = mlp([3, 4, 2], generator=generator(0))
    model[2].bias.requires_grad_(False)
    model(torch.ones(5, 3)).square().sum().backward()
    norms = gradient_norms(model)
    assert list(norms) == ["0.weight", "0.bias", "2.weight"]
    expected = model[0].weight.grad.square().sum().sqrt().item()
    assert norms["0.weight"] == pytest.approx(expected, rel=1e-6)


LAYER = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 2), st.sampled_from(["conv", "max", "mean"]))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(layers=st.lists(LAYER, min_size=1, max_size=4))
def test_receptive_field_of_layers_in_a_row_follows_the_formula(layers):
    made, field, jump = [], 1, 1
    for kernel, stride, dilation, kind in layers:
        dilation = dilation if kind == "conv" else 1
        made.append({
            "conv": lambda k, s, d: nn.Conv2d(1, 1, (k, 1), (s, 1), dilation=(d, 1)),
            "max": lambda k, s, d: nn.MaxPool2d((k, 1), (s, 1)),
            "mean": lambda k, s, d: nn.AvgPool2d((k, 1), (s, 1)),
        }[kind](kernel, stride, dilation))  # fmt: skip
        field += dilation * (kernel - 1) * jump
        jump *= stride
    model = nn.Sequential(*made, nn.ReLU())
    size = field + 2 * jump
    assert receptive_field(model, (1, size, 2)) == (field, 1)
    theirs = torch.nn.Sequential(torch.nn.Conv1d(1, 2, 3), torch.nn.ReLU(), torch.nn.Conv1d(2, 1, 5))
    assert receptive_field(theirs, (1, 30)) == (7,)


def test_receptive_field_sees_through_branches_and_shortcuts_and_is_cut_off_at_the_edge():
    assert receptive_field(Inception(1, 5, widths=(4, 8)).features, (1, 20, 20)) == (3 + 4, 3 + 4)
    assert receptive_field(VGG(1, 5, widths=(4, 8), depth=2).features, (1, 40, 40)) == (16, 16)
    assert receptive_field(VGG(1, 5, widths=(4, 8), depth=2).features, (1, 12, 12))[0] <= 12
    plain, residual = (ResNet(1, 5, widths=(4,), depth=2, shortcut=s).layer1 for s in (False, True))
    assert receptive_field(plain, (4, 20, 20)) == receptive_field(residual, (4, 20, 20)) == (9, 9)


def test_receptive_field_leaves_the_model_as_it_was():
    model = VGG(1, 5, widths=(4,)).features
    model[1].eval()
    before = copy.deepcopy(model.state_dict())
    modes = [m.training for m in model.modules()]
    receptive_field(model, (1, 12, 12))
    assert [m.training for m in model.modules()] == modes
    assert all(torch.equal(a, b) for a, b in zip(before.values(), model.state_dict().values()))


def test_receptive_field_of_a_constant_is_zero():
    class Constant(torch.nn.Module):
        def forward(self, x):
            return torch.ones_like(x)

    assert receptive_field(Constant(), (1, 5)) == (0,)


@EVERY_MODEL
def test_table_agrees_with_torchinfo(name):
    make, shape = MODELS[name]
    model, x = make(), torch.zeros(shape)
    ours = summary(model, x)
    theirs = torchinfo.summary(model, input_data=x, verbose=0)
    assert (ours.parameters, ours.trainable) == (theirs.total_params, theirs.trainable_params)
    leaves = [layer for layer in theirs.summary_list if layer.is_leaf_layer]
    assert [row.kind for row in ours.rows] == [layer.class_name for layer in leaves]
    assert [list(row.shape) for row in ours.rows] == [list(layer.output_size) for layer in leaves]
    assert [row.parameters for row in ours.rows] == [0 if k.is_recursive else max(k.num_params, 0) for k in leaves]
    for row, layer in zip(ours.rows, leaves):
        if row.kind.startswith(("Conv", "Linear")):
            bias = getattr(layer.module, "bias", None) is not None
            # torchinfo counts a bias as one more multiply-add for each output (of a Linear: once for each example)
            places = math.prod(layer.output_size) if bias else 0
            assert row.flops == 2 * (layer.macs - places)
        assert row.bytes == 4 * math.prod(layer.output_size)


@EVERY_MODEL
def test_totals_agree_with_torchs_counter_and_measure(name):
    make, shape = MODELS[name]
    model, x = make(), torch.zeros(shape)
    found = summary(model, x)
    with FlopCounterMode(display=False) as counter:
        copy.deepcopy(model)(x)
    assert found.flops == counter.get_total_flops() == sum(row.flops for row in found.rows)
    assert found.saved_bytes == saved_bytes(copy.deepcopy(model), x) > 0


def test_summary_changes_nothing_and_takes_no_random_numbers():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    summary(model, torch.randn(4, 3, generator=generator(0)))
    assert all(torch.equal(a, b) for a, b in zip(before.values(), model.state_dict().values()))
    assert torch.equal(state, torch.get_rng_state())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_printed_table_names_layers_totals_and_frozen_parameters():
    model = mlp([4, 3, 2])
    model[0].weight.requires_grad_(False)
    lines = str(summary(model, torch.zeros(5, 4))).splitlines()
    assert lines[0].split() == ["layer", "kind", "output", "parameters", "FLOPs", "output", "bytes"]
    assert lines[2].split() == ["0", "Linear", "(5,", "3)", "15", "120", "60"]
    assert lines[-2].split() == ["total", "23", "180", "160"]
    assert lines[-1].startswith("12 parameters are frozen; ")
    assert len({len(line) for line in lines[:-1]}) == 1


def test_shared_layer_has_two_rows_and_one_count():
    layer = nn.Linear(3, 3)
    rows = summary(nn.Sequential(layer, nn.Tanh(), layer), torch.zeros(2, 3)).rows
    assert [row.parameters for row in rows] == [12, 0, 0]
    assert [row.flops for row in rows] == [36, 0, 36]


def test_results_that_are_nested_are_measured_whole():
    class Two(torch.nn.Module):
        def forward(self, x):
            return {"a": x, "b": [x.double(), (x, None)]}

    (row,) = summary(Two(), torch.zeros(3)).rows
    assert (row.shape, row.bytes) == ((3,), 12 + 24 + 12)


REFUSALS = [
    (lambda: count_parameters([1]), TypeError, "count_parameters: model expected a module, got list"),
    (lambda: count_flops(3), TypeError, "count_flops: model expected a module or a function, got int"),
    (lambda: count_flops(torch.exp, 3), TypeError, "count_flops: inputs expected tensors, got int"),
    (lambda: saved_bytes(3), TypeError, "saved_bytes: model expected a module or a function, got int"),
    (lambda: gradient_norms(3), TypeError, "gradient_norms: model expected a module, got int"),
    (
        lambda: gradient_norms(mlp([2, 1])),
        ValueError,
        "gradient_norms: model expected parameters with gradients, got none; call loss.backward() first",
    ),
    (lambda: receptive_field(3, (1, 5)), TypeError, "receptive_field: model expected a module, got int"),
    (
        lambda: receptive_field(mlp([2, 1]), (5,)),
        ValueError,
        "receptive_field: shape expected (C, L) or (C, H, W), got (5,)",
    ),
    (
        lambda: receptive_field(mlp([2, 1]), (1, 2.5)),
        TypeError,
        "receptive_field: shape expected a whole number, got float",
    ),
    (
        lambda: receptive_field(LeNet(), (1, 28, 28)),
        ValueError,
        "receptive_field: model expected a result with 4 axes, got (28, 10); leave out the layers after the last feature map",
    ),
    (lambda: summary(3, torch.zeros(1)), TypeError, "summary: model expected a module, got int"),
    (lambda: summary(mlp([2, 1]), [1, 2]), TypeError, "summary: inputs expected tensors, got list"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSALS, ids=[r[2][:45] for r in REFUSALS])
def test_refusals_say_what_was_expected(call, error, message):
    with pytest.raises(error) as refusal:
        call()
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("product", "shapes", "flops"),
    [
        (lambda w, v: w @ v, [(32, 64), (64,)], 2 * 32 * 64),
        (lambda w, v: w @ v, [(5, 32, 64), (64,)], 2 * 5 * 32 * 64),
        (torch.addmv, [(3,), (3, 4), (4,)], 2 * 3 * 4),
        (torch.dot, [(64,), (64,)], 2 * 64),
        (torch.vdot, [(64,), (64,)], 2 * 64),
        (Perceptron(64).decision, [(64,)], 2 * 64),
        (Perceptron(64).decision, [(5, 64)], 2 * 5 * 64),
    ],
)
def test_products_with_a_vector_count_like_those_of_matrices(product, shapes, flops):
    class Product(torch.nn.Module):
        def forward(self, *inputs):
            return product(*inputs)

    inputs = [torch.zeros(shape) for shape in shapes]
    assert count_flops(product, *inputs) == flops
    found = summary(Product(), *inputs)
    assert (found.flops, found.rows[0].flops) == (flops, flops)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("frozen", [True, False])
def test_saved_bytes_are_the_same_for_a_model_and_for_a_function_around_it(training, frozen):
    model = torch.nn.Sequential(torch.nn.Linear(6, 4), torch.nn.BatchNorm1d(4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    model.train(training)
    model[1].requires_grad_(not frozen)
    x = torch.zeros(10, 6)
    by_hand = 2 * 10 * 4 * 4 + training * 2 * 4 * 4  # two hidden activations, and mean and spread of the batch
    assert saved_bytes(model, x) == by_hand
    assert saved_bytes(lambda x: model(x), x) == by_hand


def test_saved_bytes_leave_out_what_was_there_and_count_what_the_pass_writes():
    x, held = torch.zeros(3, requires_grad=True), torch.ones(3)
    assert saved_bytes(lambda x: x * held, x) == 0
    assert saved_bytes(lambda x: x * held.clone(), x) == 3 * 4
    assert saved_bytes(lambda x: x * torch.tensor([1.0, 2.0, 3.0]), x) == 3 * 4


def test_saved_bytes_without_gradients_are_none_and_summary_asks_for_training():
    model, x = mlp([6, 4, 2], activation=torch.nn.Tanh), torch.zeros(10, 6)
    with torch.no_grad():
        assert saved_bytes(model, x) == 0
        assert summary(model, x).saved_bytes == 10 * 4 * 4
    assert saved_bytes(torch.no_grad()(model), x) == 0


@pytest.mark.parametrize("wrapped", [False, True])
def test_saved_bytes_refuse_tensors_without_numbers(wrapped):
    model, x = torch.nn.Linear(3, 2, device="meta"), torch.zeros(1, 3, device="meta")
    with pytest.raises(ValueError) as refusal:
        saved_bytes((lambda x: model(x)) if wrapped else model, x)
    assert str(refusal.value) == (
        "saved_bytes: model and inputs expected tensors that hold numbers, got one that holds none; "
        "there is no memory to measure; count_flops needs no numbers"
    )
    assert count_flops(model, x) == 12


@pytest.mark.parametrize("look", [count_flops, saved_bytes, summary])
def test_looking_changes_neither_the_model_nor_the_random_numbers(look):
    own = generator(5)
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Dropout(0.5, generator=own))
    before, state, stream = copy.deepcopy(model.state_dict()), torch.get_rng_state(), own.get_state()
    look(model, torch.randn(4, 3, generator=generator(0)))
    assert all(torch.equal(a, b) for a, b in zip(before.values(), model.state_dict().values()))
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(stream, own.get_state())


@pytest.mark.parametrize("look", [count_flops, saved_bytes])
def test_looking_at_a_function_takes_no_random_numbers(look):
    state = torch.get_rng_state()
    look(lambda x: torch.rand(3) * x, torch.zeros(3, requires_grad=True))
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("look", [count_flops, saved_bytes, lambda *both: summary(*both).flops])
def test_looking_takes_a_module_that_holds_a_computed_tensor(look):
    class Scaled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = torch.nn.Linear(3, 2)
            self.scaled = self.inner.weight * 2

        def forward(self, x):
            return torch.tanh(x @ self.scaled.T)

    assert look(Scaled(), torch.zeros(5, 3)) == (5 * 2 * 4 if look is saved_bytes else 2 * 5 * 3 * 2)


def chain(*layers):
    return torch.nn.Sequential(*layers)


def test_signals_equal_a_count_by_hand():
    layer = torch.nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[3.0], [-4.0]]))
    found = signals(
        chain(layer, torch.nn.ReLU()), torch.tensor([[1.0], [2.0]]), torch.zeros(2), lambda out, _: out.sum()
    )
    # sums (3, -4) and (6, -8); the ReLU leaves (3, 0) and (6, 0), and passes the slope to the first unit alone: 1 + 2
    first, second = found.rows
    assert (first.name, first.kind, second.kind, found.loss) == ("0", "Linear", "ReLU", 9.0)
    assert first.size == pytest.approx(math.sqrt((9 + 16 + 36 + 64) / 4))
    assert first.apart == pytest.approx(math.sqrt((1.5**2 + 2**2) / 2))
    assert (first.zeros, second.zeros) == (0.0, 0.5)
    assert first.slope == pytest.approx(3 / 5)
    assert math.isnan(second.slope)


def test_signals_show_that_a_deep_default_network_says_the_same_of_every_example():
    torch.manual_seed(0)
    deep = chain(
        *[part for _ in range(20) for part in (torch.nn.Linear(50, 50), torch.nn.ReLU())], torch.nn.Linear(50, 3)
    )
    rows = signals(deep, torch.randn(30, 50), torch.zeros(30, dtype=torch.int64), functional.cross_entropy).rows
    assert rows[-1].size > 0.01 > 1e-6 > rows[-1].apart
    assert rows[0].apart > 0.1


def test_signals_leave_model_numbers_and_gradients_as_they_were():
    model = chain(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Dropout(0.5), torch.nn.Linear(3, 1))
    before = copy.deepcopy(model.state_dict())
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    signals(model, torch.randn(6, 2, generator=generator(0)), torch.zeros(6, 1), functional.mse_loss)
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert not any(m._forward_hooks for m in model.modules())


def test_signals_work_where_gradients_are_switched_off_and_print_a_table():
    with torch.no_grad():
        found = signals(mlp([2, 3, 1]), torch.randn(4, 2), torch.zeros(4, 1), functional.mse_loss)
    lines = str(found).splitlines()
    assert lines[0].split() == ["layer", "kind", "size", "apart", "zeros", "slope/weight"]
    assert len({len(line) for line in lines[:-1]}) == 1
    assert [line.split()[:2] for line in lines[2:-1]] == [[row.name, row.kind] for row in found.rows]
    assert len(found.rows) == 3
    assert lines[-1] == f"loss {found.loss:.2f}"


def test_signals_of_a_frozen_weight_have_no_slope_and_the_bias_lends_it_none():
    layer = torch.nn.Linear(1, 1)
    layer.weight.requires_grad_(False)
    [row] = signals(layer, torch.tensor([[1.0], [2.0]]), torch.zeros(2, 1), functional.mse_loss).rows
    assert math.isnan(row.slope)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3, torch.zeros(2, 2), torch.zeros(2), functional.mse_loss), TypeError, "signals: model expected"),
        ((mlp([2, 1]), [1.0], torch.zeros(2), functional.mse_loss), TypeError, "signals: inputs expected"),
        ((mlp([2, 1]), torch.zeros(1, 2), torch.zeros(1, 1), functional.mse_loss), ValueError, "two examples or more"),
        ((mlp([2, 1]), torch.zeros(3, 2), torch.zeros(3, 1), lambda a, b: a - b), ValueError, "returns one number"),
    ],
)
def test_signals_refuse_what_they_cannot_use(arguments, error, message):
    with pytest.raises(error, match=message):
        signals(*arguments)
