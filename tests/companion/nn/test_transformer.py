"""The transformer's encoder against PyTorch's: values, gradients, both places of the norm, dropout, refusals."""

import copy
import inspect
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_common import NATIVE, Spy
from torch._subclasses.fake_tensor import FakeTensorMode

from companion import functional as F
from companion import nn
from companion.random import generator

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
TOLERANCE = {torch.float64: 1e-10, torch.float32: 5e-5, torch.bfloat16: 1.5e-1}
FORMS = [{}, {"norm_first": True}, {"bias": False}, {"activation": "gelu", "batch_first": True}]
EVERY_FORM = pytest.mark.parametrize("options", FORMS, ids=str)


def random(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=generator(seed), dtype=torch.float64).to(dtype)


def stack(home, *, num_layers=2, last_norm=True, **options):
    """Make an encoder of a few layers from one of the two libraries."""
    settings_of_torch = {} if home is nn else {"enable_nested_tensor": False}
    eps, dtype = options.get("layer_norm_eps", 1e-5), options.get("dtype", torch.float64)
    norm = home.LayerNorm(4, eps, dtype=dtype) if last_norm else None
    layer = home.TransformerEncoderLayer(
        **{"d_model": 4, "nhead": 2, "dim_feedforward": 6, "dropout": 0.0, "dtype": dtype, **options}
    )
    return home.TransformerEncoder(layer, num_layers, norm, **settings_of_torch)


def couple(**options):
    """Make our encoder and PyTorch's with the same parameters, other than those they start with."""
    ours, theirs = stack(nn, **options), stack(torch.nn, **options)
    for i, parameter in enumerate(theirs.parameters()):
        parameter.data = (0.7 * random(*parameter.shape, seed=10 + i)).to(parameter.dtype)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def results_and_gradients(layer, x, *masks, **options):
    leaf = x.detach().requires_grad_()
    y = layer(leaf, *masks, **options)
    total = (y.double() * torch.cos(torch.arange(y.numel(), device=y.device)).reshape(y.shape)).sum()
    return [y, *torch.autograd.grad(total, [leaf, *layer.parameters()])]


def assert_same(ours, theirs, x, *masks, tolerance=1e-10, **options):
    got, want = (results_and_gradients(layer, x, *masks, **options) for layer in (ours, theirs))
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def hidden(*shape, seed=0):
    """Return a bool mask, true where a place is hidden, never the first of a row."""
    mask = torch.rand(*shape, generator=generator(seed)) < 0.4
    mask[..., 0] = False
    return mask


@PROPERTY
@given(
    sizes=st.tuples(st.integers(1, 4), st.sampled_from([None, 1, 3])),
    flags=st.tuples(*[st.booleans()] * 4),
    activation=st.sampled_from(["relu", "gelu", torch.tanh]),
    eps=st.sampled_from([1e-5, 0.1]),
    masks=st.tuples(*[st.sampled_from([None, "bool", "float"])] * 2),
    num_layers=st.integers(1, 3),
)
def test_encoder_agrees_with_torch_whatever_the_arguments(sizes, flags, activation, eps, masks, num_layers):
    batch_first, norm_first, bias, last_norm = flags
    (steps, batch), options = sizes, {"batch_first": batch_first, "norm_first": norm_first, "bias": bias}
    options |= {"activation": activation, "layer_norm_eps": eps, "num_layers": num_layers, "last_norm": last_norm}
    ours, theirs = couple(**options)
    x = random(steps, 4) if batch is None else random(*((batch, steps) if batch_first else (steps, batch)), 4)
    kinds = {"bool": hidden, "float": lambda *shape, seed: random(*shape, seed=seed)}
    mask = kinds[masks[0]](steps, steps, seed=1) if masks[0] else None
    shape = (steps,) if batch is None else (batch, steps)
    kind = masks[1] and (masks[0] or masks[1])  # PyTorch wants both masks of one kind
    padding = kinds[kind](*shape, seed=2) if kind else None
    assert_same(ours, theirs, x, mask, padding)


@EVERY_FORM
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_encoder_agrees_with_torch_in_every_float_type(options, dtype):
    ours, theirs = couple(dtype=dtype, **options)
    x = random(3, 2, 4, dtype=dtype)
    got, want = ours(x), theirs(x)
    assert got.dtype == dtype
    torch.testing.assert_close(got, want, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    if dtype != torch.bfloat16:  # the norms' slopes enlarge what 8 bits leave
        assert_same(ours, theirs, x, tolerance=10 * TOLERANCE[dtype])


@EVERY_FORM
def test_encoder_agrees_with_torch_on_strided_and_empty_input(options):
    ours, theirs = couple(**options)
    assert_same(ours, theirs, random(6, 4, 3).mT[::2])
    empty = (
        torch.zeros(0, 3, 4, dtype=torch.float64)
        if options.get("batch_first")
        else torch.zeros(3, 0, 4, dtype=torch.float64)
    )
    y = ours(empty)
    assert y.shape == empty.shape
    y.sum().backward()
    assert all((p.grad == 0).all() for p in ours.parameters())


def test_layer_agrees_with_torch_in_eval_mode_where_torch_takes_another_path():
    ours, theirs = couple(batch_first=True, last_norm=False)
    x, padding = random(2, 5, 4), torch.tensor([[False] * 5, [False, False, False, True, True]])
    with torch.no_grad():
        got, want = (encoder.eval()(x, src_key_padding_mask=padding) for encoder in (ours, theirs))
    torch.testing.assert_close(got[~padding], want[~padding])


def test_layer_equals_its_parts_put_together_by_hand():
    layer = couple(last_norm=False)[0].layers[0]
    x = random(3, 2, 4)
    attended = layer.self_attn(x, x, x)[0]
    u = layer.norm1(x + attended)
    want = layer.norm2(u + layer.linear2(F.relu(layer.linear1(u))))
    torch.testing.assert_close(layer(x), want)
    layer.norm_first = True
    normed = layer.norm1(x)
    u = x + layer.self_attn(normed, normed, normed)[0]
    want = u + layer.linear2(F.relu(layer.linear1(layer.norm2(u))))
    torch.testing.assert_close(layer(x), want)


def test_encoder_does_not_see_the_future_when_causal():
    ours, theirs = couple()
    x = random(5, 2, 4)
    y = ours(x, is_causal=True)
    mask = torch.ones(5, 5, dtype=torch.bool).triu(1)
    torch.testing.assert_close(y, theirs(x, mask, is_causal=True))
    torch.testing.assert_close(y, ours(x, mask))
    x[3:] += 1
    torch.testing.assert_close(ours(x, is_causal=True)[:3], y[:3], rtol=0, atol=0)


def test_encoder_knows_no_order_of_the_places():
    """Why transformers need positions: moved input, moved output."""
    encoder, x = couple()[0], random(5, 2, 4)
    order = [3, 0, 4, 1, 2]
    torch.testing.assert_close(encoder(x[order]), encoder(x)[order])


def test_padded_places_change_nothing_for_the_others():
    encoder = couple(batch_first=True)[0]
    x, padding = random(2, 5, 4), torch.tensor([[False] * 5, [False, False, False, True, True]])
    y = encoder(x, src_key_padding_mask=padding)
    torch.testing.assert_close(y[1, :3], encoder(x[1, :3]))
    torch.testing.assert_close(y[0], encoder(x[0]))


def test_layer_with_dropout_of_one_is_only_its_norms():
    options = {"d_model": 4, "nhead": 2, "dim_feedforward": 6, "dropout": 1.0, "dtype": torch.float64}
    layer, x = nn.TransformerEncoderLayer(**options), random(3, 2, 4)
    torch.testing.assert_close(layer(x), layer.norm2(layer.norm1(x)))
    torch.testing.assert_close(nn.TransformerEncoderLayer(**options, norm_first=True)(x), x)


@pytest.mark.parametrize("place", ["dropout", "dropout1", "dropout2", "self_attn"])
def test_dropout_acts_in_four_places_and_in_training_only(place):
    layer = nn.TransformerEncoderLayer(8, 2, 50, 0.0, norm_first=True, generator=generator(0), dtype=torch.float64)
    x = random(7, 3, 8)
    want = layer(x)
    part = getattr(layer, place)
    setattr(part, "dropout" if place == "self_attn" else "p", 0.5)
    assert not torch.allclose(layer(x), want)
    assert not torch.equal(layer(x), layer(x))
    assert torch.equal(layer.eval()(x), want)


def test_dropout_draws_from_the_generator_of_the_layer_and_each_layer_anew():
    before = torch.random.get_rng_state()
    layer = nn.TransformerEncoderLayer(8, 2, 16, 0.5, generator=generator(0), dtype=torch.float64)
    encoder = nn.TransformerEncoder(layer, 2)
    x = random(5, 3, 8)
    first, second = encoder(x), encoder(x)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not torch.equal(first, second)
    sources = {id(m.generator) for m in encoder.modules() if getattr(m, "generator", None) is not None}
    assert sources == {id(layer.generator)}, "copies would drop the same numbers in every layer"
    state = layer.generator.get_state()
    one = encoder(x)
    layer.generator.set_state(state)
    assert torch.equal(encoder(x), one)


def test_layers_of_an_encoder_start_alike_and_are_their_own():
    layer = nn.TransformerEncoderLayer(4, 2, 6)
    encoder = nn.TransformerEncoder(layer, 3)
    assert len(encoder.layers) == encoder.num_layers == 3
    torch.testing.assert_close(encoder.layers[0].state_dict(), encoder.layers[2].state_dict(), rtol=0, atol=0)
    assert len({id(p) for p in [*encoder.parameters(), *layer.parameters()]}) == 4 * 12
    encoder.layers[0].linear1.weight.data += 1
    assert torch.equal(encoder.layers[1].linear1.weight, layer.linear1.weight)


@EVERY_FORM
def test_encoder_exchanges_its_state_with_torch_both_ways(options):
    ours, theirs = stack(nn, **options), stack(torch.nn, **options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = random(3, 2, 4)
    before = ours(x)
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(theirs(x), before)


@EVERY_FORM
def test_encoder_starts_where_torch_starts_from_the_same_global_seed(options):
    states = []
    for library in (nn, torch.nn):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            states.append(stack(library, **options).state_dict())
    torch.testing.assert_close(*states)


def test_layer_start_is_reproducible_from_a_generator():
    a, b, c = (nn.TransformerEncoderLayer(4, 2, 6, generator=generator(seed)).state_dict() for seed in (0, 0, 1))
    torch.testing.assert_close(a, b, rtol=0, atol=0)
    for name in ("self_attn.in_proj_weight", "self_attn.out_proj.weight", "linear1.weight", "linear2.bias"):
        assert not torch.equal(a[name], c[name])


@EVERY_FORM
def test_encoder_calls_no_native_version(options):
    encoder, x = stack(nn, **{"dropout": 0.1, **options}), random(3, 2, 4).requires_grad_()
    with Spy() as spy:
        encoder(x, is_causal=True).sum().backward()
    assert "bmm" in spy.seen
    assert not spy.seen & NATIVE


@EVERY_FORM
def test_encoder_runs_on_a_pretended_gpu(options):
    """Its parameters are made there, as PyTorch cannot copy a pretended layer."""
    encoder = stack(nn, **{"dropout": 0.1, **options})
    with FakeTensorMode(), torch.no_grad():
        numbers = {k: torch.empty(p.shape, dtype=p.dtype, device="cuda") for k, p in encoder.named_parameters()}
        x, mask = (
            torch.empty(3, 2, 4, dtype=torch.float64, device="cuda"),
            torch.zeros(3, 3, dtype=torch.bool, device="cuda"),
        )
        first = x.transpose(0, 1) if options.get("batch_first") else x
        assert torch.func.functional_call(encoder, numbers, (first, mask)).device.type == "cuda"
        assert nn.TransformerEncoderLayer(4, 2, 6, device="cuda")(x.float(), mask).device.type == "cuda"


@EVERY_FORM
def test_encoder_runs_backwards_on_a_device_that_computes_nothing(options):
    encoder = stack(nn, **{"dropout": 0.1, "device": "meta", **options}, last_norm=False)
    encoder(torch.empty(3, 2, 4, dtype=torch.float64, device="meta")).sum().backward()
    assert {p.grad.device.type for p in encoder.parameters()} == {"meta"}


@EVERY_FORM
def test_encoder_agrees_with_torch_on_every_device_present(options, device):
    ours, theirs = (encoder.to(device) for encoder in couple(**options))
    assert_same(ours, theirs, random(3, 2, 4).to(device), tolerance=1e-9)


def test_encoder_survives_copying_pickling_and_another_type():
    encoder = stack(nn, generator=generator(0), dtype=torch.float32)
    x = random(3, 2, 4, dtype=torch.float32)
    want = encoder(x)
    for other in (copy.deepcopy(encoder), pickle.loads(pickle.dumps(encoder))):
        assert torch.equal(other(x), want)
    torch.testing.assert_close(copy.deepcopy(encoder).half()(x.half()).float(), want, rtol=2e-2, atol=2e-2)
    torch.testing.assert_close(encoder.double()(x.double()).float(), want)


# The compiler builds an object that PyTorch's own autograd has declared out of date
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@EVERY_FORM
def test_encoder_can_be_captured_whole_by_the_compiler_with_its_gradient(options):
    encoder, x = stack(nn, **options), random(3, 2, 4)
    compiled = torch.compile(encoder, backend="aot_eager", fullgraph=True)
    for got, want in zip(results_and_gradients(compiled, x), results_and_gradients(encoder, x), strict=True):
        torch.testing.assert_close(got, want)


def test_encoder_can_be_differentiated_for_each_example():
    encoder, x = couple(batch_first=True)[0], random(2, 3, 4)
    numbers = {name: p.detach() for name, p in encoder.named_parameters()}

    def loss(parameters, one):
        return torch.func.functional_call(encoder, parameters, (one,)).square().sum()

    got = torch.func.vmap(torch.func.grad(loss), (None, 0))(numbers, x)
    for i in range(2):
        want = torch.autograd.grad(encoder(x[i]).square().sum(), list(encoder.parameters()))
        torch.testing.assert_close([g[i] for g in got.values()], list(want))


def test_encoder_second_derivative_agrees_with_torch():
    """PyTorch's quick attention has none; with weights asked for it has."""
    ours, theirs = couple(last_norm=False, activation="gelu")
    seconds = []
    for encoder in (ours, theirs):
        x = random(3, 2, 4).requires_grad_()
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            (first,) = torch.autograd.grad(encoder(x).sin().sum(), x, create_graph=True)
            seconds.append(torch.autograd.grad(first.square().sum(), [x, *encoder.parameters()], allow_unused=True))
    for got, want in zip(*seconds, strict=True):
        if want is not None:
            torch.testing.assert_close(got, want, rtol=1e-8, atol=1e-8)


def test_encoder_trains_like_torch():
    ours, theirs = couple()
    x, target = random(6, 4, 4), random(6, 4, 4, seed=1)
    for encoder in (ours, theirs):
        optimizer = torch.optim.SGD(encoder.parameters(), lr=0.1)
        for _ in range(5):
            optimizer.zero_grad()
            (encoder(x) - target).square().mean().backward()
            optimizer.step()
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


def test_encoder_runs_under_autocast():
    encoder, x = stack(nn, dtype=torch.float32), random(3, 2, 4, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = encoder(x)
    got.float().sum().backward()
    torch.testing.assert_close(got.float(), encoder(x), rtol=5e-2, atol=5e-2)
    assert all(torch.isfinite(p.grad).all() for p in encoder.parameters())


@pytest.mark.parametrize("name", ["TransformerEncoderLayer", "TransformerEncoder"])
def test_layer_takes_the_arguments_of_torch(name):
    for method in ("__init__", "forward"):
        mine, reference = (
            {k: p.default for k, p in inspect.signature(getattr(getattr(home, name), method)).parameters.items()}
            for home in (nn, torch.nn)
        )
        assert list(mine)[: len(reference)] == list(reference)
        assert {k: v for k, v in mine.items() if k in reference and k != "activation"} == {
            k: v
            for k, v in reference.items()
            if k != "activation"  # there the default is a function
        }


def test_layer_takes_a_module_as_activation():
    layer = nn.TransformerEncoderLayer(4, 2, 6, 0.0, nn.GELU())
    named = nn.TransformerEncoderLayer(4, 2, 6, 0.0, "gelu")
    named.load_state_dict(layer.state_dict())
    x = random(3, 2, 4, dtype=torch.float32)
    assert torch.equal(layer(x), named(x))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.TransformerEncoderLayer(4, 3), ValueError, "MultiheadAttention: num_heads expected a divisor of the 4 features, got 3"),
        (lambda: nn.TransformerEncoderLayer(4, 2, 0), ValueError, "TransformerEncoderLayer: dim_feedforward expected 1 or more, got 0"),
        (lambda: nn.TransformerEncoderLayer(4, 2, 6, 2.0), ValueError, "TransformerEncoderLayer: dropout expected a number from 0 to 1, got 2.0"),
        (lambda: nn.TransformerEncoderLayer(4, 2, 6, activation="sine"), ValueError, "TransformerEncoderLayer: activation expected 'relu' or 'gelu', got 'sine'"),
        (lambda: nn.TransformerEncoderLayer(4, 2, 6, activation=None), TypeError, "TransformerEncoderLayer: activation expected 'relu' or 'gelu', got NoneType"),
        (lambda: nn.TransformerEncoderLayer(4, 2, 6, layer_norm_eps=0), ValueError, "LayerNorm: eps expected a finite number above 0, got 0"),
        (lambda: nn.TransformerEncoder("layer", 2), TypeError, "TransformerEncoder: encoder_layer expected a module, got str"),
        (lambda: nn.TransformerEncoder(None, 2), TypeError, "TransformerEncoder: encoder_layer expected a module, got NoneType"),
        (lambda: nn.TransformerEncoder(nn.ReLU(), 2, "norm"), TypeError, "TransformerEncoder: norm expected a module, got str"),
        (lambda: nn.TransformerEncoder(nn.ReLU(), 0), ValueError, "TransformerEncoder: num_layers expected 1 or more, got 0"),
        (lambda: nn.TransformerEncoder(nn.ReLU(), 2.5), TypeError, "TransformerEncoder: num_layers expected a whole number, got float"),
        (lambda: stack(nn)(torch.ones(3, 2, 5).double()), ValueError, "MultiheadAttention: query expected shape (L, N, 4) or (L, 4), got (3, 2, 5)"),
        (lambda: stack(nn)(torch.ones(3, 2, 4).double(), torch.ones(2, 2)), ValueError, "MultiheadAttention: attn_mask expected shape (3, 3), got (2, 2); or one for each sequence and head"),
    ],
)  # fmt: skip
def test_layer_refuses_what_does_not_fit(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
