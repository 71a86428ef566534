"""Dropout: which numbers go, how often, what becomes of the others, and what flows back."""

import math

import pytest
import torch
import torch.nn.functional as oracle

from companion import functional as F
from companion.random import generator

IMAGES = torch.ones(40, 50, 3, 4)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_drops_the_share_it_says_and_keeps_the_mean(p):
    y = F.dropout(torch.ones(200_000, dtype=torch.float64), p, generator=generator(0))
    kept = y[y != 0]
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - p)))
    deviation = math.sqrt(p * (1 - p) / len(y))
    assert abs((y == 0).double().mean().item() - p) < 4 * deviation
    assert abs(y.mean().item() - 1) < 4 * deviation / (1 - p)


@pytest.mark.parametrize("p", [0.2, 0.7])
def test_dropout2d_drops_whole_channels_independently(p):
    y = F.dropout2d(IMAGES.double(), p, generator=generator(0))
    per_channel = y.flatten(2)
    assert (per_channel == per_channel[..., :1]).all()
    dropped = (per_channel[..., 0] == 0).double()
    assert abs(dropped.mean().item() - p) < 4 * math.sqrt(p * (1 - p) / dropped.numel())
    assert dropped.mean(0).std() > 0
    assert dropped.mean(1).std() > 0
    torch.testing.assert_close(y.max().item(), 1 / (1 - p))


@pytest.mark.parametrize("f", [F.dropout, F.dropout2d])
def test_dropout_at_its_limits(f):
    assert torch.equal(f(IMAGES, 0.0), IMAGES)
    assert torch.equal(f(IMAGES, 1.0), torch.zeros_like(IMAGES))
    assert f(IMAGES, 0.5, training=False) is IMAGES
    assert f(IMAGES[:0], 0.5).shape == (0, 50, 3, 4)
    x = IMAGES.clone().requires_grad_()
    f(x, 1.0).sum().backward()
    assert torch.equal(x.grad, torch.zeros_like(IMAGES))


@pytest.mark.parametrize("f", [F.dropout, F.dropout2d])
def test_gradient_passes_where_the_numbers_passed(f):
    x = torch.randn(4, 5, 3, 2, generator=generator(1)).requires_grad_()
    y = f(x, 0.4, generator=generator(0))
    y.sum().backward()
    torch.testing.assert_close(y, x.grad * x)
    assert x.grad.unique().tolist() == [0.0, pytest.approx(1 / 0.6)]


@pytest.mark.parametrize(("ours", "theirs"), [(F.dropout, oracle.dropout), (F.dropout2d, oracle.dropout2d)])
def test_values_left_over_are_those_of_torch(ours, theirs):
    for x in (IMAGES, IMAGES.double(), IMAGES.bfloat16(), IMAGES.half()):
        mine, reference = ours(x, 0.3), theirs(x, 0.3)
        assert mine.dtype == reference.dtype == x.dtype
        torch.testing.assert_close(mine.unique(), reference.unique())
    for value in (math.inf, math.nan):
        x = torch.full((1, 8, 2, 2), value)
        assert torch.isnan(ours(x, 1.0)).all()
        assert torch.isnan(theirs(x, 1.0)).all()


def test_random_numbers_come_from_the_generator_and_nowhere_else():
    before = torch.random.get_rng_state()
    one, two = (F.dropout(IMAGES, generator=generator(3)) for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, F.dropout(IMAGES, generator=generator(4)))
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(5)
    first = F.dropout(IMAGES)
    torch.manual_seed(5)
    assert torch.equal(first, F.dropout(IMAGES))


def test_short_floats_are_dropped_with_the_right_probability_too():
    y = F.dropout(torch.ones(200_000, dtype=torch.bfloat16), 0.001, generator=generator(0))
    assert 120 < (y == 0).sum().item() < 280


def test_vmap_draws_as_it_is_told():
    x = torch.ones(2, 1000)
    different = torch.func.vmap(F.dropout, randomness="different")(x)
    same = torch.func.vmap(F.dropout, randomness="same")(x)
    assert not torch.equal(different[0], different[1])
    assert torch.equal(same[0], same[1])


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: F.dropout(1.0), TypeError, "dropout: x expected a tensor, got float"),
    (lambda: F.dropout(torch.tensor([1, 2])), ValueError, "dropout: x expected a float tensor, got torch.int64"),
    (lambda: F.dropout(IMAGES, -0.1), ValueError, "dropout: p expected a number from 0 to 1, got -0.1"),
    (lambda: F.dropout(IMAGES, 1.5, training=False), ValueError, "p expected a number from 0 to 1, got 1.5"),
    (lambda: F.dropout(IMAGES, math.nan), ValueError, "p expected a number from 0 to 1, got nan"),
    (lambda: F.dropout(IMAGES, True), TypeError, "p expected a number from 0 to 1, got bool"),
    (lambda: F.dropout2d(IMAGES[0], 0.5), ValueError, r"dropout2d: x expected shape \(N, C, H, W\), got \(50, 3, 4\); x.unsqueeze\(0\) makes"),
    (lambda: F.dropout2d(IMAGES, 2), ValueError, "dropout2d: p expected a number from 0 to 1, got 2"),
])  # fmt: skip
def test_dropout_refuses_what_does_not_fit_in_words(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.parametrize("name", ["dropout", "dropout2d"])
def test_dropout_of_nothing_draws_no_number_as_in_torch(name):
    x, before = torch.ones(2, 3, 4, 4), torch.random.get_rng_state()
    assert getattr(F, name)(x, 0.0) is x
    getattr(torch.nn.functional, name)(x, 0.0)
    assert torch.equal(torch.random.get_rng_state(), before)
