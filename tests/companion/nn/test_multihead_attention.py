"""The attention layer against PyTorch's: values, weights, gradients, masks, exchange of states, refusals."""

import copy
import inspect
import math
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from test_common import NATIVE, Spy
from torch._subclasses.fake_tensor import FakeTensorMode

from companion import nn
from companion.random import generator

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
TOLERANCE = {torch.float64: 1e-11, torch.float32: 2e-5, torch.bfloat16: 6e-2}
# name: forms that take another path, by their further arguments
LAYERS = {"MultiheadAttention": [{}, {"bias": False}, {"kdim": 3, "vdim": 5}]}
EVERY_FORM = pytest.mark.parametrize("options", LAYERS["MultiheadAttention"], ids=str)


def random(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64).to(dtype)


def couple(*sizes, dtype=torch.float64, **options):
    """Make our layer and PyTorch's with the same parameters, biases too."""
    ours, theirs = (home.MultiheadAttention(*sizes, dtype=dtype, **options) for home in (nn, torch.nn))
    for i, parameter in enumerate(theirs.parameters()):
        parameter.data = random(*parameter.shape, seed=10 + i, dtype=dtype)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def inputs(layer, length=3, places=4, batch=2, dtype=torch.float64):
    """Return a query, keys and values in the order of axes that the layer wants; no batch for None."""

    def one(count, width, seed):
        shape = (count, width) if batch is None else (batch, count, width)
        x = random(*shape, seed=seed, dtype=dtype)
        return x if batch is None or layer.batch_first else x.transpose(0, 1)

    return one(length, layer.embed_dim, 1), one(places, layer.kdim, 2), one(places, layer.vdim, 3)


def results_and_gradients(layer, tensors, **options):
    """Return result and weights, and the gradients of inputs and parameters."""
    leaves = [t.detach().requires_grad_() for t in tensors]
    given_results = [y for y in layer(*leaves, **options) if y is not None]
    total = sum((y.double() * torch.cos(torch.arange(y.numel())).reshape(y.shape)).sum() for y in given_results)
    return [*given_results, *torch.autograd.grad(total, [*leaves, *layer.parameters()])]


def assert_same(ours, theirs, tensors, tolerance=1e-11, **options):
    got, want = (results_and_gradients(layer, tensors, **options) for layer in (ours, theirs))
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def hidden(*shape, seed=0):
    """Return a bool mask, true where a place is hidden, never the first of a row."""
    mask = torch.rand(*shape, generator=generator(seed)) < 0.4
    mask[..., 0] = False
    return mask


@PROPERTY
@given(
    heads=st.sampled_from([1, 2, 4]),
    widths=st.sampled_from([(None, None), (3, None), (None, 5), (3, 5), (4, 4)]),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 4), st.sampled_from([None, 1, 3])),
    flags=st.tuples(*[st.booleans()] * 4),
    masks=st.tuples(
        st.sampled_from([None, "bool", "float"]), st.sampled_from([None, "bool", "float", "bool each", "float each"])
    ),
)
def test_layer_agrees_with_torch_whatever_the_arguments(heads, widths, sizes, flags, masks):
    bias, batch_first, need_weights, average = flags
    ours, theirs = couple(4, heads, bias=bias, batch_first=batch_first, kdim=widths[0], vdim=widths[1])
    length, places, batch = sizes
    tensors = inputs(ours, *sizes)
    padding_shape = (places,) if batch is None else (batch, places)
    each = (heads * (batch or 1), length, places) if masks[1] and "each" in masks[1] else (length, places)
    options = {"need_weights": need_weights, "average_attn_weights": average}
    kind = masks[1] and masks[1].split()[0]
    if masks[0]:  # PyTorch wants both masks of one kind
        padding = hidden(*padding_shape)
        options["key_padding_mask"] = padding if (kind or masks[0]) == "bool" else random(*padding_shape, seed=6)
    if kind:
        options["attn_mask"] = hidden(*each, seed=1) if kind == "bool" else random(*each, seed=7)
    assert_same(ours, theirs, tensors, **options)


@EVERY_FORM
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("need_weights", [True, False])
def test_layer_agrees_with_torch_in_every_float_type(options, dtype, need_weights):
    ours, theirs = couple(4, 2, dtype=dtype, **options)
    for layer in (ours, theirs):  # numbers of the size that a layer starts with
        for parameter in layer.parameters():
            parameter.data /= 4
    tensors = inputs(ours, dtype=dtype)
    assert_same(ours, theirs, tensors, TOLERANCE[dtype], need_weights=need_weights)
    assert {y.dtype for y in ours(*tensors)} == {dtype}


@pytest.mark.parametrize("need_weights", [True, False])
def test_layer_attends_to_its_own_input_as_in_torch(need_weights):
    ours, theirs = couple(4, 2)
    x = random(3, 2, 4)
    for one, other in zip(*(layer(x, x, x, need_weights=need_weights) for layer in (ours, theirs)), strict=True):
        torch.testing.assert_close(one, other)
    gradients = []
    for layer in (ours, theirs):
        leaf = x.clone().requires_grad_()
        y = layer(leaf, leaf, leaf, need_weights=need_weights)[0]
        gradients.append(torch.autograd.grad(y.square().sum(), [leaf, *layer.parameters()]))
    torch.testing.assert_close(*gradients)


def test_layer_agrees_with_torch_where_only_some_of_the_three_are_one_tensor():
    ours, theirs = couple(4, 2)
    x, other = random(3, 2, 4), random(3, 2, 4, seed=1)
    for three in ((x, x, other), (x, other, x), (x, other, other)):
        torch.testing.assert_close(ours(*three), theirs(*three))


@EVERY_FORM
@pytest.mark.parametrize("batch_first", [True, False])
def test_layer_takes_an_empty_batch_and_a_single_place(options, batch_first):
    ours, theirs = couple(4, 2, batch_first=batch_first, **options)
    assert_same(ours, theirs, inputs(ours, batch=0), need_weights=False)
    y, weights = ours(*inputs(ours, batch=0))
    assert y.shape == ((0, 3, 4) if batch_first else (3, 0, 4))
    assert weights.shape == (0, 3, 4)
    assert_same(ours, theirs, inputs(ours, 1, 1, 1))


@pytest.mark.parametrize("need_weights", [True, False])
def test_query_that_may_look_nowhere_gets_what_torch_gives(need_weights):
    ours, theirs = couple(4, 2, batch_first=True)
    padding = torch.tensor([[True] * 4, [False, False, True, True]])
    tensors = inputs(ours)
    got, want = (layer(*tensors, padding, need_weights=need_weights)[0] for layer in (ours, theirs))
    torch.testing.assert_close(got, want, equal_nan=True)
    assert torch.isnan(got[0]).all() == need_weights
    if not need_weights:
        torch.testing.assert_close(got[0], ours.out_proj.bias.expand(3, 4))


@pytest.mark.parametrize("need_weights", [True, False])
def test_padding_changes_nothing_for_the_places_that_are_there(need_weights):
    layer = couple(4, 2, batch_first=True)[0]
    query, key, value = inputs(layer)
    padding = torch.tensor([[False, False, True, True], [False] * 4])
    y, weights = layer(query, key, value, padding, need_weights)
    alone, _ = layer(query[0], key[0, :2], value[0, :2])
    torch.testing.assert_close(y[0], alone)
    if need_weights:
        assert (weights[0, :, 2:] == 0).all()
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, dtype=torch.float64))


def test_both_masks_add_up_also_of_two_kinds():
    layer = couple(4, 2, batch_first=True)[0]
    tensors, padding, attention = inputs(layer), hidden(2, 4), hidden(3, 4, seed=1)
    one = layer(*tensors, padding, attn_mask=attention)
    both = (padding[:, None, :] | attention).repeat_interleave(2, 0)  # (N, L, S) -> (N H, L, S)
    torch.testing.assert_close(one, layer(*tensors, attn_mask=both))
    as_floats = torch.zeros(3, 4, dtype=torch.float64).masked_fill(attention, -math.inf)
    torch.testing.assert_close(one, layer(*tensors, padding, attn_mask=as_floats))


@pytest.mark.parametrize("need_weights", [True, False])
def test_causal_is_what_the_causal_mask_does(need_weights):
    ours, theirs = couple(4, 2)
    x = random(5, 2, 4)
    mask = torch.ones(5, 5, dtype=torch.bool).triu(1)
    want, weights = theirs(x, x, x, need_weights=need_weights, attn_mask=mask, is_causal=True)
    for options in ({"is_causal": True}, {"attn_mask": mask}, {"attn_mask": mask, "is_causal": True}):
        got, ours_weights = ours(x, x, x, need_weights=need_weights, **options)
        torch.testing.assert_close(got, want)
        torch.testing.assert_close(ours_weights, weights)


def test_mask_for_each_head_is_read_sequence_by_sequence():
    layer = couple(4, 2, batch_first=True)[0]
    mask = torch.zeros(4, 3, 4, dtype=torch.bool)  # N = 2, H = 2
    mask[1, :, 2:] = True  # first sequence, second head
    _, weights = layer(*inputs(layer), attn_mask=mask, average_attn_weights=False)
    assert (weights[0, 1, :, 2:] == 0).all()
    assert (weights[0, 0] > 0).all()
    assert (weights[1] > 0).all()


def test_dropout_drops_weights_in_training_only():
    layer = nn.MultiheadAttention(4, 2, dropout=0.5, generator=generator(0), dtype=torch.float64)
    plain = nn.MultiheadAttention(4, 2, dtype=torch.float64)
    plain.load_state_dict(layer.state_dict())
    tensors = inputs(layer, 50, 60, 5)
    torch.testing.assert_close(layer.eval()(*tensors), plain(*tensors))
    torch.testing.assert_close(layer(*tensors, need_weights=False), plain(*tensors, need_weights=False))
    layer.train()
    _, weights = layer(*tensors, average_attn_weights=False)
    assert (weights == 0).double().mean().item() == pytest.approx(0.5, abs=0.01)
    _, whole = plain(*tensors, average_attn_weights=False)
    kept = weights != 0
    torch.testing.assert_close(weights[kept], 2 * whole[kept])
    first, second = (layer(*tensors, need_weights=False)[0] for _ in range(2))
    assert not torch.equal(first, second)
    for need_weights in (True, False):
        layer.generator = generator(3)
        again = layer(*tensors, need_weights=need_weights)[0]
        layer.generator = generator(3)
        assert torch.equal(layer(*tensors, need_weights=need_weights)[0], again)


def test_no_random_number_is_drawn_without_dropout():
    layer = nn.MultiheadAttention(4, 2)
    x = torch.ones(3, 2, 4)
    before = torch.random.get_rng_state()
    layer(x, x, x)
    layer(x, x, x, need_weights=False)
    assert torch.equal(torch.random.get_rng_state(), before)


@EVERY_FORM
def test_layer_exchanges_its_state_with_torch_both_ways(options):
    ours, theirs = nn.MultiheadAttention(4, 2, **options), torch.nn.MultiheadAttention(4, 2, **options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    tensors = inputs(ours, dtype=torch.float32)
    before = ours(*tensors)
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(theirs(*tensors), before)


@EVERY_FORM
def test_layer_starts_where_torch_starts_from_the_same_global_seed(options):
    states = []
    for library in (nn, torch.nn):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            states.append(library.MultiheadAttention(4, 2, **options).state_dict())
    torch.testing.assert_close(*states)


def test_layer_starts_from_xavier_and_zeros():
    layer = nn.MultiheadAttention(32, 2, generator=generator(1))
    bound = math.sqrt(6 / (32 + 3 * 32))  # all three projections count as one matrix
    numbers = layer.in_proj_weight.detach().flatten().numpy()
    assert stats.kstest(numbers, "uniform", args=(-bound, 2 * bound)).pvalue > 0.01
    assert (layer.in_proj_bias == 0).all()
    assert (layer.out_proj.bias == 0).all()
    assert layer.out_proj.weight.abs().max() <= 1 / math.sqrt(32)


def test_layer_start_is_reproducible_and_can_be_drawn_again():
    before = torch.random.get_rng_state()
    a, b = (nn.MultiheadAttention(4, 2, generator=generator(0)) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.testing.assert_close(a.state_dict(), b.state_dict(), rtol=0, atol=0)
    first, weight = copy.deepcopy(a.state_dict()), a.in_proj_weight
    a.out_proj.bias.data += 1
    a.reset_parameters(generator(1))
    assert a.in_proj_weight is weight
    assert (a.out_proj.bias == 0).all()
    assert not torch.equal(weight, first["in_proj_weight"])
    assert not torch.equal(a.out_proj.weight, first["out_proj.weight"])
    a.reset_parameters(generator(0))
    torch.testing.assert_close(a.state_dict(), first, rtol=0, atol=0)


@EVERY_FORM
@pytest.mark.parametrize("need_weights", [True, False])
def test_layer_calls_no_native_version(options, need_weights):
    layer = nn.MultiheadAttention(4, 2, 0.5, **options)
    with Spy() as spy:
        y, _ = layer(*inputs(layer, dtype=torch.float32), attn_mask=hidden(3, 4), need_weights=need_weights)
        y.sum().backward()
    assert {"mm", "bmm"} & spy.seen
    assert not spy.seen & NATIVE


@EVERY_FORM
@pytest.mark.parametrize("need_weights", [True, False])
def test_layer_runs_on_a_pretended_gpu(options, need_weights):
    with FakeTensorMode(), torch.no_grad():
        layer = nn.MultiheadAttention(4, 2, 0.5, device="cuda", generator=torch.Generator().manual_seed(0), **options)
        tensors = [torch.empty(3, 2, width, device="cuda") for width in (4, layer.kdim, layer.vdim)]
        padding = torch.zeros(2, 3, dtype=torch.bool, device="cuda")
        y, weights = layer(*tensors, padding, need_weights, is_causal=True)
        assert y.device.type == "cuda"
        assert weights is None or weights.device.type == "cuda"


@EVERY_FORM
@pytest.mark.parametrize("need_weights", [True, False])
def test_layer_runs_backwards_on_a_device_that_computes_nothing(options, need_weights):
    layer = nn.MultiheadAttention(4, 2, 0.5, device="meta", **options)
    tensors = [torch.empty(3, 2, width, device="meta") for width in (4, layer.kdim, layer.vdim)]
    layer(*tensors, need_weights=need_weights)[0].sum().backward()
    assert {p.grad.device.type for p in layer.parameters()} == {"meta"}


@EVERY_FORM
def test_layer_agrees_with_torch_on_every_device_present(options, device):
    ours, theirs = (layer.to(device) for layer in couple(4, 2, **options))
    tensors = [t.to(device) for t in inputs(ours)]
    for need_weights in (True, False):
        mask = hidden(3, 4).to(device)
        got, want = (layer(*tensors, attn_mask=mask, need_weights=need_weights) for layer in (ours, theirs))
        torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-9)


@EVERY_FORM
def test_layer_survives_copying_pickling_and_another_type(options):
    layer = nn.MultiheadAttention(4, 2, generator=generator(0), **options)
    tensors = inputs(layer, dtype=torch.float32)
    want, _ = layer(*tensors)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(*tensors)[0], want)
    half = copy.deepcopy(layer).half()(*(t.half() for t in tensors))[0]
    torch.testing.assert_close(half.float(), want, rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(layer.double()(*(t.double() for t in tensors))[0].float(), want)


# The compiler builds an object that PyTorch's own autograd has declared out of date
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.parametrize("need_weights", [True, False])
def test_layer_can_be_captured_whole_by_the_compiler_with_its_gradient(need_weights):
    layer = nn.MultiheadAttention(4, 2)
    tensors = inputs(layer, dtype=torch.float32)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    for got, want in zip(
        results_and_gradients(compiled, tensors, need_weights=need_weights),
        results_and_gradients(layer, tensors, need_weights=need_weights),
        strict=True,
    ):
        torch.testing.assert_close(got, want)


def test_layer_can_be_mapped_over_networks_and_differentiated_for_each_example():
    layer = couple(4, 2, batch_first=True)[0]
    query, key, value = inputs(layer)

    def loss(numbers, q, k, v):
        return torch.func.functional_call(layer, numbers, (q, k, v), {"need_weights": False})[0].square().sum()

    numbers = {name: p.detach() for name, p in layer.named_parameters()}
    got = torch.func.vmap(torch.func.grad(loss), (None, 0, 0, 0))(numbers, query, key, value)
    for i in range(2):
        want = torch.autograd.grad(layer(query[i], key[i], value[i])[0].square().sum(), list(layer.parameters()))
        torch.testing.assert_close([g[i] for g in got.values()], list(want))


@pytest.mark.parametrize("need_weights", [True, False])
def test_layer_runs_under_autocast(need_weights):
    layer = nn.MultiheadAttention(4, 2, generator=generator(0))
    tensors = inputs(layer, dtype=torch.float32)
    mask = random(3, 4, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got, _ = layer(*tensors, attn_mask=mask, need_weights=need_weights)
    got.float().sum().backward()
    torch.testing.assert_close(got.float(), layer(*tensors, attn_mask=mask)[0], rtol=5e-2, atol=5e-2)
    assert torch.isfinite(layer.in_proj_weight.grad).all()


def test_layer_takes_the_arguments_of_torch():
    for name in ("__init__", "forward"):
        mine, reference = (
            list(inspect.signature(getattr(home.MultiheadAttention, name)).parameters) for home in (nn, torch.nn)
        )
        assert mine[: len(reference)] == reference


def test_layer_prints_its_sizes():
    assert repr(nn.MultiheadAttention(6, 3, batch_first=True)).startswith(
        "MultiheadAttention(\n  embed_dim=6, num_heads=3, batch_first=True"
    )


def call(layer=(4, 2), query=(3, 2, 4), key=(5, 2, 4), value=(5, 2, 4), **options):
    """Call a layer of some sizes with tensors of some shapes, or with the tensors."""
    layer = nn.MultiheadAttention(*layer, **options.pop("make", {}))
    given_tensors = [torch.ones(x) if isinstance(x, tuple) else x for x in (query, key, value)]
    return layer(*given_tensors, **options)


HINT = "as many sequences as the query, as many values as keys"


@pytest.mark.parametrize(
    ("refused", "error", "message"),
    [
        (lambda: nn.MultiheadAttention(0, 1), ValueError, "embed_dim expected 1 or more, got 0"),
        (lambda: nn.MultiheadAttention(4, 2.0), TypeError, "num_heads expected a whole number, got float"),
        (lambda: nn.MultiheadAttention(4, 3), ValueError, "num_heads expected a divisor of the 4 features, got 3"),
        (lambda: nn.MultiheadAttention(4, 2, 1.5), ValueError, "dropout expected a number from 0 to 1, got 1.5"),
        (lambda: nn.MultiheadAttention(4, 2, kdim=0), ValueError, "kdim expected 1 or more, got 0"),
        (lambda: nn.MultiheadAttention(4, 2, vdim="4"), TypeError, "vdim expected a whole number, got str"),
        (lambda: nn.MultiheadAttention(4, 2, add_bias_kv=True), ValueError, "add_bias_kv expected False, got True; no chapter uses it, and no transformer since 2017"),
        (lambda: nn.MultiheadAttention(4, 2, add_zero_attn=True), ValueError, "add_zero_attn expected False, got True; no chapter uses it, and no transformer since 2017"),
        (lambda: call(query=[1.0]), TypeError, "query expected a tensor, got list; torch.as_tensor(query) makes one"),
        (lambda: call(key=torch.ones(5, 2, 4).long()), ValueError, "key expected a float tensor, got torch.int64; key.float() converts it"),
        (lambda: call(value=torch.ones(5, 2, 4, device="meta")), ValueError, "value expected a tensor on cpu, got one on meta; value.to('cpu') moves it"),
        (lambda: call(query=(3, 2, 5)), ValueError, "query expected shape (L, N, 4) or (L, 4), got (3, 2, 5)"),
        (lambda: call(query=(4,), make={"batch_first": True}), ValueError, "query expected shape (N, L, 4) or (L, 4), got (4,)"),
        (lambda: call(key=(5, 1, 4)), ValueError, f"key expected shape (5, 2, 4), got (5, 1, 4); {HINT}"),
        (lambda: call(key=(5, 4)), ValueError, f"key expected shape (3, 2, 4), got (5, 4); {HINT}"),
        (lambda: call(query=(3, 4)), ValueError, f"key expected shape (3, 4), got (5, 2, 4); {HINT}"),
        (lambda: call(query=(2, 3, 4), make={"batch_first": True}), ValueError, f"key expected shape (2, 2, 4), got (5, 2, 4); {HINT}"),
        (lambda: call(value=(6, 2, 4)), ValueError, f"value expected shape (5, 2, 4), got (6, 2, 4); {HINT}"),
        (lambda: call(make={"vdim": 3}), ValueError, f"value expected shape (5, 2, 3), got (5, 2, 4); {HINT}"),
        (lambda: call(attn_mask=torch.ones(5, 3)), ValueError, "attn_mask expected shape (3, 5), got (5, 3); or one for each sequence and head"),
        (lambda: call(attn_mask=torch.ones(2, 3, 5)), ValueError, "attn_mask expected shape (4, 3, 5), got (2, 3, 5); or (L, S) for all"),
        (lambda: call(attn_mask=torch.ones(3, 5).long()), ValueError, "attn_mask expected bool or floats, got torch.int64; attn_mask.bool() converts it"),
        (lambda: call(attn_mask=[[0.0]]), TypeError, "attn_mask expected a tensor, got list; torch.as_tensor(attn_mask) makes one"),
        (lambda: call(key_padding_mask=torch.ones(5, 2)), ValueError, "key_padding_mask expected shape (2, 5), got (5, 2)"),
        (lambda: call(query=(3, 4), key=(5, 4), value=(5, 4), key_padding_mask=torch.ones(1, 5)), ValueError, "key_padding_mask expected shape (5,), got (1, 5)"),
        (lambda: call(key_padding_mask=torch.ones(2, 5).int()), ValueError, "key_padding_mask expected bool or floats, got torch.int32; key_padding_mask.bool() converts it"),
    ],
)  # fmt: skip
def test_layer_refuses_what_does_not_fit(refused, error, message):
    with pytest.raises(error) as caught:
        refused()
    assert str(caught.value) == "MultiheadAttention: " + message
