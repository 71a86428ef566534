"""The recurrent layers against PyTorch's: values, gradients, exchange of states, refusals."""

import copy
import inspect
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from test_common import NATIVE, Spy
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence, pad_packed_sequence

from companion import nn
from companion.nn import recurrent
from companion.random import generator

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
TOLERANCE = {torch.float64: 1e-11, torch.float32: 2e-5, torch.bfloat16: 6e-2}

# name: further arguments of the forms that take another path
CELLS = {"RNNCell": [{}, {"nonlinearity": "relu"}], "LSTMCell": [{}], "GRUCell": [{}]}
LAYERS = {"RNN": [{}, {"nonlinearity": "relu"}], "LSTM": [{}], "GRU": [{}]}
FORMS = [(name, options) for name, forms in {**CELLS, **LAYERS}.items() for options in forms]
EVERY_FORM = pytest.mark.parametrize(("name", "options"), FORMS, ids=str)
EVERY_LAYER = pytest.mark.parametrize("name", LAYERS)
EVERY_NAME = pytest.mark.parametrize("name", {**CELLS, **LAYERS})


def leaves(result):
    """List the float tensors of a result, whatever its form."""
    found = torch.utils._pytree.tree_leaves(tuple(result) if isinstance(result, PackedSequence) else result)
    flat = [x for y in found for x in (tuple(y) if isinstance(y, PackedSequence) else (y,))]
    return [x for x in flat if isinstance(x, torch.Tensor) and x.is_floating_point()]


def couple(name, *sizes, **options):
    """Make our layer and PyTorch's with the same parameters."""
    ours, theirs = getattr(nn, name)(*sizes, **options), getattr(torch.nn, name)(*sizes, **options)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def results_and_gradients(layer, x, hx=None):
    """Return every float tensor of the result, and the gradients of input, state and parameters."""
    inputs = [t.requires_grad_() for t in leaves((x, hx))]
    results = leaves(layer(x, hx))
    total = sum((y.double() * torch.cos(torch.arange(y.numel())).reshape(y.shape)).sum() for y in results)
    return [*results, *torch.autograd.grad(total, [*inputs, *layer.parameters()])]


def assert_same(ours, theirs, x, hx=None, tolerance=1e-11):
    for got, want in zip(results_and_gradients(ours, x, hx), results_and_gradients(theirs, x, hx), strict=True):
        torch.testing.assert_close(got, want, rtol=tolerance, atol=tolerance)


def random(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64).to(dtype)


def start(name, *shape, dtype=torch.float64):
    """Return a state of the layer's kind."""
    h, c = random(*shape, dtype=dtype, seed=5), random(*shape, dtype=dtype, seed=6)
    return (h, c) if name.startswith("LSTM") else h


def test_every_recurrent_layer_stands_in_a_table():
    assert set(CELLS) | set(LAYERS) == set(recurrent.__all__)
    assert set(recurrent.__all__) <= set(nn.__all__)


@PROPERTY
@given(
    form=st.sampled_from([f for f in FORMS if f[0] in LAYERS]),
    num_layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    batch_first=st.booleans(),
    bias=st.booleans(),
    kind=st.sampled_from(["batch", "one", "packed", "packed and sorted"]),
    with_state=st.booleans(),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3)),
)
def test_layer_agrees_with_torch_whatever_the_arguments(
    form, num_layers, bidirectional, batch_first, bias, kind, with_state, sizes
):
    (name, options), (steps, batch, width, size) = form, sizes
    options = {
        "num_layers": num_layers,
        "bidirectional": bidirectional,
        "batch_first": batch_first,
        "bias": bias,
        **options,
    }
    ours, theirs = couple(name, width, size, dtype=torch.float64, **options)
    places = num_layers * (1 + bidirectional)
    if kind == "one":
        x, shape = random(steps, width), (places, size)
    elif kind == "batch":
        x, shape = random(*((batch, steps) if batch_first else (steps, batch)), width), (places, batch, size)
    else:
        lengths = [1 + (3 * i) % steps for i in range(batch)]
        lengths = sorted(lengths, reverse=True) if kind == "packed and sorted" else lengths
        rows = [random(n, width, seed=i) for i, n in enumerate(lengths)]
        x, shape = pack_sequence(rows, enforce_sorted=kind == "packed and sorted"), (places, batch, size)
    assert_same(ours, theirs, x, start(name, *shape) if with_state else None)


@EVERY_FORM
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_layer_agrees_with_torch_in_every_float_type(name, options, dtype):
    ours, theirs = couple(name, 3, 4, dtype=dtype, **options)
    x = random(5, 2, 3, dtype=dtype) if name in LAYERS else random(5, 3, dtype=dtype)
    assert_same(ours, theirs, x, tolerance=TOLERANCE[dtype])
    assert {y.dtype for y in leaves(ours(x))} == {dtype}


@EVERY_FORM
def test_layer_agrees_with_torch_on_strided_inputs_and_extreme_ones(name, options):
    ours, theirs = couple(name, 3, 4, dtype=torch.float64, **options)
    x = random(5, 3, 4).transpose(1, 2)[:, ::2] if name in LAYERS else random(3, 5).T
    assert_same(ours, theirs, x.detach())
    for scale in (1e-9, 1e3):
        assert_same(ours, theirs, (scale * x).detach(), tolerance=1e-9)


@EVERY_NAME
def test_layer_takes_an_empty_batch(name):
    ours, theirs = couple(name, 3, 4)
    x = torch.zeros(5, 0, 3) if name in LAYERS else torch.zeros(0, 3)
    assert_same(ours, theirs, x)


@EVERY_LAYER
def test_layer_equals_its_cell_called_in_a_loop(name):
    layer = getattr(nn, name)(3, 4, dtype=torch.float64)
    cell = getattr(nn, name + "Cell")(3, 4, dtype=torch.float64)
    cell.load_state_dict({key.removesuffix("_l0"): value for key, value in layer.state_dict().items()})
    x, state = random(6, 2, 3), None
    for t in range(6):
        state = cell(x[t], state)
    outputs, last = layer(x)
    torch.testing.assert_close(leaves(last)[0][0], leaves(state)[0])
    torch.testing.assert_close(outputs[-1], leaves(state)[0])


@EVERY_LAYER
def test_padding_of_a_packed_batch_changes_nothing(name):
    """Each sequence gives what it gives alone; PyTorch's packing does the padding."""
    layer = getattr(nn, name)(3, 4, bidirectional=True, batch_first=True, dtype=torch.float64)
    lengths = [2, 5, 3]
    x = random(3, 5, 3)
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    outputs, last = layer(packed)
    padded, got_lengths = pad_packed_sequence(outputs, batch_first=True)
    assert got_lengths.tolist() == lengths
    for i, n in enumerate(lengths):
        alone, end = layer(x[i, :n])
        torch.testing.assert_close(padded[i, :n], alone)
        torch.testing.assert_close(leaves(last)[0][:, i], leaves(end)[0])


@EVERY_NAME
def test_layer_exchanges_its_state_with_torch_both_ways(name):
    options = {"num_layers": 2, "bidirectional": True} if name in LAYERS else {}
    ours, theirs = getattr(nn, name)(3, 4, generator=generator(1), **options), getattr(torch.nn, name)(3, 4, **options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = random(5, 3, dtype=torch.float32)
    before = leaves(ours(x))[0]
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(leaves(theirs(x))[0], before)


@EVERY_NAME
@pytest.mark.parametrize("bias", [True, False])
def test_layer_starts_where_torch_starts_from_the_same_global_seed(name, bias):
    options = {"num_layers": 2, "bidirectional": True} if name in LAYERS else {}
    states = []
    for library in (nn, torch.nn):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            states.append(getattr(library, name)(7, 4, bias=bias, **options).state_dict())
    torch.testing.assert_close(*states)


@EVERY_NAME
def test_layer_starts_uniformly_within_one_over_the_root_of_its_size(name):
    layer = getattr(nn, name)(30, 49, generator=generator(1))
    numbers = torch.cat([p.detach().flatten() for p in layer.parameters()])
    assert numbers.abs().max() <= 1 / 7
    assert stats.kstest(numbers.numpy(), "uniform", args=(-1 / 7, 2 / 7)).pvalue > 0.01


@EVERY_NAME
def test_layer_start_is_reproducible_and_can_be_drawn_again(name):
    before = torch.random.get_rng_state()
    a, b = (getattr(nn, name)(3, 2, generator=generator(0)) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.testing.assert_close(a.state_dict(), b.state_dict(), rtol=0, atol=0)
    weight, first = next(a.parameters()), next(a.parameters()).clone()
    a.reset_parameters(generator(1))
    assert next(a.parameters()) is weight
    assert not torch.equal(weight, first)
    a.reset_parameters(generator(0))
    assert torch.equal(weight, first)


@EVERY_LAYER
def test_dropout_acts_between_layers_and_only_in_training(name):
    layer = getattr(nn, name)(3, 8, num_layers=2, dropout=0.5, generator=generator(0))
    plain = getattr(nn, name)(3, 8, num_layers=2)
    plain.load_state_dict(layer.state_dict())
    x = random(5, 4, 3, dtype=torch.float32)
    torch.testing.assert_close(layer.eval()(x), plain(x))
    layer.train()
    first, second = layer(x), layer(x)
    assert not torch.equal(first[0], second[0])
    torch.testing.assert_close(leaves(first[1])[0][0], leaves(plain(x)[1])[0][0])
    assert (first[0] != 0).all(), "nothing is dropped after the last layer"
    layer.generator = generator(7)
    again = layer(x)[0]
    layer.generator = generator(7)
    assert torch.equal(layer(x)[0], again)


@EVERY_LAYER
def test_dropout_of_everything_leaves_the_second_layer_its_biases(name):
    layer = getattr(nn, name)(3, 4, num_layers=2, dropout=1.0)
    above = getattr(nn, name)(4, 4)
    above.load_state_dict({k.replace("_l1", "_l0"): v for k, v in layer.state_dict().items() if "_l1" in k})
    torch.testing.assert_close(layer(torch.ones(5, 2, 3))[0], above(torch.zeros(5, 2, 4))[0])


@EVERY_LAYER
def test_dropout_in_a_single_layer_warns_as_in_torch(name):
    with pytest.warns(UserWarning, match=f"{name}: dropout acts between layers"):
        getattr(nn, name)(3, 2, dropout=0.5)


@EVERY_LAYER
def test_no_random_number_is_drawn_without_dropout(name):
    layer = getattr(nn, name)(3, 2, num_layers=2)
    before = torch.random.get_rng_state()
    layer(torch.ones(5, 2, 3))
    assert torch.equal(torch.random.get_rng_state(), before)


@EVERY_FORM
def test_layer_calls_no_native_version(name, options):
    layer = getattr(nn, name)(3, 4, **options)
    x = torch.zeros(5, 2, 3) if name in LAYERS else torch.zeros(5, 3)
    with Spy() as spy:
        sum(y.sum() for y in leaves(layer(x.requires_grad_()))).backward()
    assert "mm" in spy.seen
    assert not spy.seen & NATIVE


@pytest.mark.parametrize("name", {**CELLS, **LAYERS})
def test_spy_sees_each_native_layer(name):
    x = torch.zeros(5, 2, 3) if name in LAYERS else torch.zeros(5, 3)
    with Spy() as spy:
        getattr(torch.nn, name)(3, 4)(x)
    assert spy.seen & NATIVE


@EVERY_FORM
def test_layer_runs_on_a_pretended_gpu(name, options):
    with FakeTensorMode(), torch.no_grad():
        layer = getattr(nn, name)(3, 4, device="cuda", generator=torch.Generator().manual_seed(0), **options)
        x = torch.empty(5, 2, 3, device="cuda") if name in LAYERS else torch.empty(5, 3, device="cuda")
        assert {y.device.type for y in leaves(layer(x))} == {"cuda"}


@EVERY_FORM
def test_layer_runs_backwards_on_a_device_that_computes_nothing(name, options):
    layer = getattr(nn, name)(3, 4, device="meta", **options)
    x = torch.empty(5, 2, 3, device="meta") if name in LAYERS else torch.empty(5, 3, device="meta")
    sum(y.sum() for y in leaves(layer(x))).backward()
    assert {p.grad.device.type for p in layer.parameters()} == {"meta"}


@EVERY_FORM
def test_layer_agrees_with_torch_on_every_device_present(name, options, device):
    ours, theirs = couple(name, 3, 4, device=device, dtype=torch.float64, **options)
    x = random(5, 2, 3) if name in LAYERS else random(5, 3)
    assert_same(ours, theirs, x.to(device), tolerance=1e-9)
    if name in LAYERS:
        assert_same(ours, theirs, pack_sequence([random(n, 3).to(device) for n in (4, 2)]), tolerance=1e-9)


@EVERY_NAME
def test_layer_survives_copying_pickling_and_another_type(name):
    layer = getattr(nn, name)(3, 4, generator=generator(0))
    x = random(5, 2, 3, dtype=torch.float32) if name in LAYERS else random(5, 3, dtype=torch.float32)
    want = leaves(layer(x))
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert all(torch.equal(a, b) for a, b in zip(leaves(other(x)), want))
    half = copy.deepcopy(layer).half()(x.half())
    torch.testing.assert_close(leaves(half)[0].float(), want[0], rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(leaves(layer.double()(x.double()))[0].float(), want[0])


# The compiler builds an object that PyTorch's own autograd has declared out of date
#: Seen to fail with PyTorch 2.8 and to pass with 2.11.
COMPILED = pytest.mark.skipif(
    torch.__version__ < "2.11", reason="the compiler before PyTorch 2.11 does not take it whole"
)
OUTDATED = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")


@OUTDATED
@COMPILED
@EVERY_LAYER
def test_layer_can_be_captured_whole_by_the_compiler_with_its_gradient(name):
    """PyTorch's own recurrent layers cannot, in 2.13."""
    layer, x = getattr(nn, name)(3, 4), random(5, 2, 3, dtype=torch.float32)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    for got, want in zip(results_and_gradients(compiled, x), results_and_gradients(layer, x), strict=True):
        torch.testing.assert_close(got, want)


@OUTDATED
@COMPILED
@pytest.mark.parametrize("name", CELLS)
def test_cell_can_be_captured_whole_by_the_compiler_for_its_values(name):
    """Not with its gradient: its activations bring a forward mode, which the compiler cannot read."""
    cell, x = getattr(nn, name)(3, 4), random(5, 3, dtype=torch.float32)
    with torch.no_grad():
        got, want = leaves(torch.compile(cell, backend="eager", fullgraph=True)(x)), leaves(cell(x))
    assert len(got) == len(want)
    assert all(torch.equal(a, b) for a, b in zip(got, want, strict=True))


@EVERY_LAYER
def test_layer_gradient_can_be_taken_by_torch_func(name):
    layer = getattr(nn, name)(3, 4, dtype=torch.float64)
    x, numbers = random(5, 2, 3), {k: p.detach() for k, p in layer.named_parameters()}
    got = torch.func.grad(lambda n: torch.func.functional_call(layer, n, (x,))[0].square().sum())(numbers)
    want = torch.autograd.grad(layer(x)[0].square().sum(), list(layer.parameters()))
    torch.testing.assert_close(list(got.values()), list(want))


@EVERY_LAYER
def test_layer_trains_like_torch(name):
    x, target = random(6, 4, 3), random(6, 4, 2, seed=1)
    ours, theirs = couple(name, 3, 2, num_layers=2, dtype=torch.float64)
    for layer in (ours, theirs):
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.5)
        for _ in range(5):
            optimizer.zero_grad()
            (layer(x)[0] - target).square().mean().backward()
            optimizer.step()
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


@EVERY_LAYER
def test_layer_runs_under_autocast(name):
    layer = getattr(nn, name)(3, 4)
    x = random(5, 2, 3, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = layer(x)[0]
    got.float().sum().backward()
    torch.testing.assert_close(got.float(), layer(x)[0], rtol=5e-2, atol=5e-2)
    assert torch.isfinite(layer.weight_hh_l0.grad).all()


@EVERY_NAME
def test_layer_takes_the_arguments_of_torch(name):
    mine = list(inspect.signature(getattr(nn, name)).parameters)
    reference = inspect.signature(getattr(torch.nn, name)).parameters
    if "args" not in reference:  # cells; the layers of PyTorch hide their arguments behind stars
        assert mine[: len(reference)] == list(reference)
        return
    base = [p for p in inspect.signature(torch.nn.RNNBase).parameters if p not in ("mode", "proj_size")]
    own = {"RNN": ("nonlinearity", 3), "LSTM": ("proj_size", 7)}.get(name)
    if own:
        base.insert(own[1], own[0])
    assert mine == [*base, "generator"]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: nn.RNNCell(3, 4, nonlinearity="relu"), "RNNCell(3, 4, nonlinearity=relu)"),
        (lambda: nn.LSTMCell(3, 4), "LSTMCell(3, 4)"),
        (lambda: nn.GRUCell(3, 4, bias=False), "GRUCell(3, 4, bias=False)"),
        (lambda: nn.RNN(3, 4, nonlinearity="relu"), "RNN(3, 4)"),
        (lambda: nn.LSTM(3, 4, 2, batch_first=True, dropout=0.1, bidirectional=True), "LSTM(3, 4, num_layers=2, batch_first=True, dropout=0.1, bidirectional=True)"),
        (lambda: nn.GRU(3, 4, bias=False), "GRU(3, 4, bias=False)"),
    ],
)  # fmt: skip
def test_layer_prints_its_options_as_in_torch(make, text):
    assert repr(make()) == text


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.RNN(0, 4), ValueError, "RNN: input_size expected 1 or more, got 0"),
        (lambda: nn.LSTM(3, 4.0), TypeError, "LSTM: hidden_size expected a whole number, got float"),
        (lambda: nn.GRU(3, 4, 0), ValueError, "GRU: num_layers expected 1 or more, got 0"),
        (lambda: nn.GRU(3, 4, 2, dropout=1.5), ValueError, "GRU: dropout expected a number from 0 to 1, got 1.5"),
        (lambda: nn.RNN(3, 4, nonlinearity="sine"), ValueError, "RNN: nonlinearity expected 'tanh' or 'relu', got 'sine'"),
        (lambda: nn.RNNCell(3, 4, nonlinearity=None), TypeError, "RNNCell: nonlinearity expected 'tanh' or 'relu', got NoneType"),
        (lambda: nn.GRUCell(3, -1), ValueError, "GRUCell: hidden_size expected 1 or more, got -1"),
        (lambda: nn.LSTM(3, 4, proj_size=2), ValueError, "LSTM: proj_size expected 0, got 2; no chapter uses a projection; a Linear layer after each step does the same"),
        (lambda: nn.RNN(3, 4)([1.0]), TypeError, "RNN: x expected a tensor, got list; torch.as_tensor(x) makes one"),
        (lambda: nn.RNN(3, 4)(torch.ones(5, 3).long()), ValueError, "RNN: x expected a float tensor, got torch.int64; x.float() converts it"),
        (lambda: nn.RNN(3, 4)(torch.ones(3)), ValueError, "RNN: x expected shape (T, B, in) or (T, in), got (3,)"),
        (lambda: nn.RNN(3, 4, batch_first=True)(torch.ones(3)), ValueError, "RNN: x expected shape (B, T, in) or (T, in), got (3,)"),
        (lambda: nn.GRU(3, 4)(torch.ones(5, 2, 4)), ValueError, "GRU: x expected 3 features at each step, got 4; the last axis holds the features"),
        (lambda: nn.GRU(3, 4)(pack_sequence([torch.ones(5, 4)])), ValueError, "GRU: x expected 3 features at each step, got 4; the last axis holds the features"),
        (lambda: nn.GRU(3, 4)(torch.ones(0, 2, 3)), ValueError, "GRU: x expected one time step or more, got shape (0, 2, 3)"),
        (lambda: nn.GRU(3, 4)(torch.ones(5, 2, 3, device="meta")), ValueError, "GRU: x expected a tensor on cpu, got one on meta; x.to('cpu') moves it"),
        (lambda: nn.GRU(3, 4)(torch.ones(5, 2, 3), torch.ones(2, 4)), ValueError, "GRU: hx expected shape (1, 2, 4), got (2, 4); layers times directions, sequences, hidden_size; batch_first does not change it"),
        (lambda: nn.GRU(3, 4)(torch.ones(5, 3), torch.ones(1, 1, 4)), ValueError, "GRU: hx expected shape (1, 4), got (1, 1, 4)"),
        (lambda: nn.GRU(3, 4)(pack_sequence([torch.ones(5, 3)], enforce_sorted=False), torch.ones(1, 2, 4)), ValueError, "GRU: hx expected shape (1, 1, 4), got (1, 2, 4); layers times directions, sequences, hidden_size; batch_first does not change it"),
        (lambda: nn.LSTM(3, 4)(torch.ones(5, 2, 3), torch.ones(1, 2, 4)), TypeError, "LSTM: hx expected a pair (h, c), got Tensor"),
        (lambda: nn.LSTM(3, 4)(torch.ones(5, 2, 3), (torch.ones(1, 2, 4), torch.ones(1, 1, 4))), ValueError, "LSTM: hx expected shape (1, 2, 4), got (1, 1, 4); layers times directions, sequences, hidden_size; batch_first does not change it"),
        (lambda: nn.LSTMCell(3, 4)(torch.ones(2, 3), torch.ones(2, 4)), TypeError, "LSTMCell: hx expected a pair (h, c), got Tensor"),
    ],
)  # fmt: skip
def test_layer_refuses_what_does_not_fit(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
