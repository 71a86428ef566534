"""Named randomness."""

import random

import numpy as np
import pytest
import torch

from companion.random import generator, seed_everything


@pytest.fixture(autouse=True)
def _leave_global_generators_as_they_were():
    python, numpy_state = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        yield
    random.setstate(python)
    np.random.set_state(numpy_state)


def test_generator_repeats_itself_and_differs_between_seeds():
    draws = [torch.rand(4, generator=generator(seed)) for seed in (0, 0, 1)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_generator_neither_reads_nor_moves_the_global_one():
    before = torch.random.get_rng_state()
    torch.rand(3, generator=generator(0))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_generator_lives_where_asked(device):
    assert generator(0, device).device.type == device.type


def test_generator_gives_the_numbers_that_the_course_was_written_with():
    assert torch.randperm(6, generator=generator(0)).tolist() == [2, 5, 3, 0, 1, 4]


def test_seed_everything_seeds_the_three_global_generators_and_returns_a_fourth():
    def draw():
        return random.random(), np.random.rand(), torch.rand(()).item()

    rng = seed_everything(7)
    first = draw()
    again = seed_everything(7)
    assert draw() == first
    seed_everything(8)
    assert all(a != b for a, b in zip(draw(), first))
    assert torch.equal(torch.rand(3, generator=rng), torch.rand(3, generator=again))


def test_seed_everything_gives_numpy_the_last_32_bits():
    draws = {}
    for seed in (5, 2**31 + 5, 2**32 + 5):
        seed_everything(seed)
        draws[seed] = np.random.rand()
    assert draws[5] == draws[2**32 + 5] != draws[2**31 + 5]


@pytest.mark.parametrize("seed", [0, 2**32, 2**64 - 1, np.int64(5)])
def test_every_seed_in_range_is_accepted(seed):
    assert seed_everything(seed).initial_seed() == int(seed)


@pytest.mark.parametrize("f", [generator, seed_everything])
@pytest.mark.parametrize(
    ("seed", "error", "text"),
    [
        (-1, ValueError, "seed expected a whole number from 0 to 2^64 - 1, got -1"),
        (2**64, ValueError, "seed expected a whole number from 0 to 2^64 - 1, got 18446744073709551616"),
        (1.0, TypeError, "seed expected a whole number, got float; 0 is as good as any"),
        (None, TypeError, "seed expected a whole number, got NoneType; 0 is as good as any"),
        (True, TypeError, "seed expected a whole number, got bool; 0 is as good as any"),
    ],
)
def test_other_seeds_are_refused(f, seed, error, text):
    with pytest.raises(error) as caught:
        f(seed)
    assert str(caught.value) == f"{f.__name__}: {text}"
