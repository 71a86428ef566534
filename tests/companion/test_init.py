"""Initial weights: range, moments and independence against PyTorch's; orthogonality exactly."""

import math

import pytest
import torch

from companion import init
from companion.random import generator

torch_init = torch.nn.init
SHAPES = [(400, 300), (60, 40, 3, 5)]
# name: ours, PyTorch's, whether it is uniform
PAIRS = {
    "uniform": (lambda w, g: init.uniform_(w, -1, 3, g), lambda w: torch_init.uniform_(w, -1, 3)),
    "normal": (lambda w, g: init.normal_(w, 1, 2, g), lambda w: torch_init.normal_(w, 1, 2)),
    "xavier_uniform": (lambda w, g: init.xavier_uniform_(w, 1.5, g), lambda w: torch_init.xavier_uniform_(w, 1.5)),
    "xavier_normal": (lambda w, g: init.xavier_normal_(w, 1.5, g), lambda w: torch_init.xavier_normal_(w, 1.5)),
}
for kind in ("uniform", "normal"):
    for a, mode, nonlinearity in [
        (0, "fan_in", "leaky_relu"),
        (math.sqrt(5), "fan_in", "leaky_relu"),
        (0, "fan_out", "relu"),
        (0, "fan_in", "tanh"),
    ]:
        PAIRS[f"kaiming_{kind} {a:.1f} {mode} {nonlinearity}"] = (
            lambda w, g, k=kind, o=(a, mode, nonlinearity): getattr(init, f"kaiming_{k}_")(w, *o, g),
            lambda w, k=kind, o=(a, mode, nonlinearity): getattr(torch_init, f"kaiming_{k}_")(w, *o),
        )
    PAIRS[f"lecun_{kind}"] = (
        lambda w, g, k=kind: getattr(init, f"lecun_{k}_")(w, g),
        lambda w, k=kind: getattr(torch_init, f"kaiming_{k}_")(w, nonlinearity="linear"),
    )
EVERY = pytest.mark.parametrize("name", PAIRS)


@EVERY
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_spread_and_range_are_those_of_torch(name, shape):
    ours, theirs = PAIRS[name]
    torch.manual_seed(1)
    mine = ours(torch.empty(shape, dtype=torch.float64), generator(0))
    reference = theirs(torch.empty(shape, dtype=torch.float64))
    n, std = mine.numel(), reference.std().item()
    assert abs(mine.mean() - reference.mean()) < 6 * std / math.sqrt(n)
    assert mine.std().item() == pytest.approx(std, rel=0.02)
    fourth = (((w - w.mean()) / w.std()) ** 4 for w in (mine, reference))
    a, b = (f.mean().item() for f in fourth)
    assert a == pytest.approx(b, rel=0.05)  # 1.8 for uniform, 3 for normal numbers
    if "uniform" in name:
        assert mine.max().item() == pytest.approx(
            reference.max().item(), abs=1e-3 * (reference.max() - reference.min()).item()
        )
        assert mine.min().item() == pytest.approx(
            reference.min().item(), abs=1e-3 * (reference.max() - reference.min()).item()
        )


@EVERY
def test_same_generator_gives_the_same_numbers_in_place_and_without_a_gradient(name):
    ours, _ = PAIRS[name]
    w = torch.nn.Parameter(torch.empty(6, 4))
    before = torch.random.get_rng_state()
    result = ours(w, generator(3))
    assert result is w
    assert w.requires_grad
    assert w.grad_fn is None
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(w, ours(torch.empty(6, 4), generator(3)))
    assert not torch.equal(w, ours(torch.empty(6, 4), generator(4)))
    assert len(set(w.flatten().tolist())) > 20


def test_draws_are_those_of_torch_for_the_same_seed():
    for ours, theirs in (
        (init.kaiming_normal_, torch_init.kaiming_normal_),
        (init.xavier_normal_, torch_init.xavier_normal_),
        (init.orthogonal_, torch_init.orthogonal_),
        (init.xavier_uniform_, torch_init.xavier_uniform_),
    ):
        mine, reference = (f(torch.empty(20, 30), generator=generator(5)) for f in (ours, theirs))
        torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (4, 2, 3, 3), (1, 6)], ids=str)
@pytest.mark.parametrize("gain", [1, -0.5, math.sqrt(2)])
def test_orthogonal_rows_or_columns_are_orthogonal(shape, gain):
    w = init.orthogonal_(torch.empty(shape, dtype=torch.float64), gain, generator(0)).flatten(1)
    product = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    torch.testing.assert_close(product, gain**2 * torch.eye(len(product), dtype=torch.float64))


def test_orthogonal_turns_are_equally_likely_and_come_in_short_types_too():
    rng = generator(0)
    traces = torch.tensor([init.orthogonal_(torch.empty(3, 3), generator=rng).trace().item() for _ in range(400)])
    assert abs(traces.mean()) < 0.2  # without the signs moved over it is clearly off 0
    assert init.orthogonal_(torch.empty(4, 4, dtype=torch.bfloat16)).dtype == torch.bfloat16
    assert init.orthogonal_(torch.empty(0, 4)).shape == (0, 4)


NAMES = ["linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid", "tanh", "relu", "selu"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_gain_is_that_of_torch(name):
    assert init.calculate_gain(name) == torch_init.calculate_gain(name)


@pytest.mark.parametrize("slope", [None, 0, 0.2, -1, 2.5])
def test_gain_of_the_leaky_rectifier_is_that_of_torch(slope):
    assert init.calculate_gain("leaky_relu", slope) == torch_init.calculate_gain("leaky_relu", slope)


def test_a_signal_keeps_its_size_through_twenty_rectified_layers():
    x, rng = torch.randn(256, 200, generator=generator(0)), generator(1)
    for _ in range(20):
        x = torch.clamp(x @ init.kaiming_normal_(torch.empty(200, 200), generator=rng).T, min=0)
    assert 0.2 < x.pow(2).mean() < 5


W = torch.empty(3, 4)


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: init.calculate_gain("gelu"), ValueError, "calculate_gain: nonlinearity expected one of conv1d, .*, got 'gelu'"),
    (lambda: init.calculate_gain("leaky_relu", True), TypeError, "calculate_gain: param expected a finite number, got bool"),
    (lambda: init.uniform_([1.0]), TypeError, "uniform_: tensor expected a tensor, got list"),
    (lambda: init.uniform_(W, 1, 0), ValueError, "uniform_: b expected 1 or more, the lower end, got 0"),
    (lambda: init.uniform_(W, None), TypeError, "uniform_: a expected a finite number, got NoneType"),
    (lambda: init.normal_(W.long()), ValueError, "normal_: tensor expected a float tensor, got torch.int64"),
    (lambda: init.normal_(W, 0, -1), ValueError, "normal_: std expected 0 or more, got -1"),
    (lambda: init.normal_(W, math.inf), ValueError, "normal_: mean expected a finite number, got inf"),
    (lambda: init.xavier_uniform_(W[0]), ValueError, r"xavier_uniform_: tensor expected two axes or more, \(out, in, ...\), got \(4,\)"),
    (lambda: init.xavier_normal_(W, "2"), TypeError, "xavier_normal_: gain expected a finite number, got str"),
    (lambda: init.kaiming_uniform_(W[0]), ValueError, "kaiming_uniform_: tensor expected two axes"),
    (lambda: init.kaiming_normal_(W, mode="fan"), ValueError, "kaiming_normal_: mode expected 'fan_in' or 'fan_out', got 'fan'"),
    (lambda: init.lecun_normal_(W[0]), ValueError, "lecun_normal_: tensor expected two axes"),
    (lambda: init.lecun_uniform_(W[0]), ValueError, "lecun_uniform_: tensor expected two axes"),
    (lambda: init.orthogonal_(W[0]), ValueError, "orthogonal_: tensor expected two axes"),
    (lambda: init.orthogonal_(W, math.nan), ValueError, "orthogonal_: gain expected a finite number, got nan"),
])  # fmt: skip
def test_init_refuses_what_does_not_fit_in_words(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
