"""Three searches: each keeps its budget, follows its generator, and the third learns from what it saw."""

import math

import pytest
import torch

from companion.random import generator
from companion.search import (
    Axis,
    Space,
    Trials,
    bayesian,
    expected_improvement,
    grid_search,
    likeliest_process,
    matern52,
    random_search,
    squared_exponential,
)

CUBE = Space({name: Axis(0, 1) for name in "abc"})
PLACES = CUBE.random(150, generator(9))


def bowl(k):
    """Only the first two of three axes matter, the first most."""
    a, b, _ = PLACES[k].tolist()
    return 3 * (a - 0.7) ** 2 + (b - 0.3) ** 2


METHODS = {
    "random_search": lambda objective, trials, seed: random_search(objective, PLACES, trials, generator(seed)),
    "bayesian": lambda objective, trials, seed: bayesian(objective, PLACES, trials, generator(seed)),
    "grid_search": lambda objective, trials, _: grid_search(objective, PLACES, trials),
}
EVERY_METHOD = pytest.mark.parametrize("name", METHODS)


@EVERY_METHOD
@pytest.mark.parametrize("trials", [1, 3, 12])
def test_method_asks_the_objective_once_for_each_of_different_candidates(name, trials):
    asked = []

    def objective(k):
        asked.append(k)
        return bowl(k)

    found = METHODS[name](objective, trials, 0)
    assert isinstance(found, Trials)
    assert asked == found.indices.tolist()
    assert {type(k) for k in asked} == {int}
    assert len(set(asked)) == trials
    assert found.values.tolist() == [bowl(k) for k in asked]
    assert found.values.dtype == torch.double
    assert found.best.tolist() == [min(found.values[: t + 1].tolist()) for t in range(trials)]
    assert bowl(found.chosen) == found.best[-1]


@pytest.mark.parametrize("name", ["random_search", "bayesian"])
def test_method_gives_the_same_trials_for_the_same_generator(name):
    one, same, other = (METHODS[name](bowl, 12, seed) for seed in (5, 5, 6))
    assert torch.equal(one.indices, same.indices)
    assert torch.equal(one.values, same.values)
    assert not torch.equal(one.indices, other.indices)
    torch.manual_seed(1)  # the global generator has no say
    assert torch.equal(METHODS[name](bowl, 12, 5).indices, one.indices)


@pytest.mark.parametrize("name", ["random_search", "bayesian"])
def test_longer_search_begins_as_the_shorter_one(name):
    short, long = (METHODS[name](bowl, trials, 0) for trials in (9, 13))
    assert torch.equal(long.indices[:9], short.indices)


def test_random_search_takes_each_candidate_equally_often():
    counts = torch.zeros(10)
    for seed in range(600):
        counts[random_search(lambda k: 0.0, PLACES[:10], 4, generator(seed)).indices] += 1
    assert (counts - 240).abs().max() < 50  # 4 standard deviations


def test_whole_set_of_candidates_is_searched_when_the_budget_reaches_that_far():
    for found in (
        random_search(bowl, PLACES[:20], 20, generator(0)),
        bayesian(bowl, PLACES[:20], 20, generator(0)),
        grid_search(bowl, PLACES[:20]),
    ):
        assert found.indices.sort().values.tolist() == list(range(20))


def test_bayesian_begins_with_as_many_trials_by_chance_as_asked():
    chance = random_search(bowl, PLACES, 7, generator(0)).indices
    found = bayesian(bowl, PLACES, 9, generator(0), first=7).indices
    assert torch.equal(found[:7], chance)
    assert torch.equal(bayesian(bowl, PLACES, 4, generator(0), first=7).indices, chance[:4])


def test_bayesian_begins_with_five_and_asks_for_no_margin_unless_told():
    plain = bayesian(bowl, PLACES, 12, generator(4)).indices
    assert torch.equal(bayesian(bowl, PLACES, 12, generator(4), first=5, margin=0.0).indices, plain)
    chance = random_search(bowl, PLACES, 6, generator(4)).indices
    assert torch.equal(plain[:5], chance[:5])
    for other in ({"first": 4}, {"first": 6}, {"margin": 1.0}):
        assert not torch.equal(bayesian(bowl, PLACES, 12, generator(4), **other).indices, plain), other


@pytest.mark.parametrize(("kernel", "margin"), [(matern52, 0.0), (squared_exponential, 0.5)])
def test_bayesian_tries_next_what_promises_most(kernel, margin):
    found = bayesian(bowl, PLACES, 8, generator(3), first=7, kernel=kernel, margin=margin)
    seen, y = found.indices[:7], found.values[:7]
    y = (y - y.mean()) / y.std(correction=0)
    mean, std = likeliest_process(PLACES[seen], y, kernel=kernel).predict(PLACES)
    gain = expected_improvement(mean, std, mean[seen].min().item(), margin=margin)
    gain[seen] = 0
    assert found.indices[7] == gain.argmax()


def test_bayesian_beats_chance_on_a_smooth_bowl():
    repeats = range(12)
    chance = torch.stack([random_search(bowl, PLACES, 15, generator(s)).best[-1] for s in repeats])
    guided = torch.stack([bayesian(bowl, PLACES, 15, generator(s)).best[-1] for s in repeats])
    assert guided.median() < chance.median()
    assert (guided < chance).sum() >= 8


def test_bayesian_lives_with_equal_values_equal_candidates_and_one_axis():
    flat = bayesian(lambda k: 0.25, PLACES, 12, generator(0))
    assert flat.best.tolist() == [0.25] * 12
    same = bayesian(lambda k: float(k), torch.full((9, 2), 0.5), 9, generator(0))
    assert same.indices.sort().values.tolist() == list(range(9))
    line = bayesian(lambda k: abs(k - 6), torch.linspace(0, 1, 11)[:, None], 8, generator(0))
    assert line.chosen == 6


def test_choice_between_candidates_that_promise_the_same_is_by_chance():
    same = torch.full((30, 2), 0.5)
    orders = {tuple(bayesian(lambda k: 1.0, same, 4, generator(s), first=1).indices[1:].tolist()) for s in range(5)}
    assert len(orders) == 5


def test_first_of_equally_good_candidates_is_chosen():
    found = random_search(lambda k: 0.0 if k in (2, 5) else 1.0, PLACES[:8], 8, generator(1))
    assert found.chosen == next(k for k in found.indices.tolist() if k in (2, 5))


def test_objective_may_give_a_tensor_or_a_whole_number_and_candidates_stay_as_they_are():
    before = PLACES.clone()
    assert grid_search(lambda k: torch.tensor(k / 4), PLACES, 3).values.tolist() == [0, 0.25, 0.5]
    assert grid_search(lambda k: k, PLACES, 3).values.tolist() == [0, 1, 2]
    bayesian(bowl, PLACES, 8, generator(0))
    assert torch.equal(PLACES, before)


@EVERY_METHOD
@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (math.nan, ValueError, "expected a finite number, got nan; give a training that diverged the worst value"),
        (math.inf, ValueError, "expected a finite number, got inf"),
        (None, TypeError, "expected one number, got NoneType"),
        (True, TypeError, "expected one number, got bool"),
        (torch.ones(2), TypeError, "expected one number, got Tensor"),
    ],
)
def test_value_that_is_no_finite_number_is_refused_with_its_candidate(name, value, error, said):
    with pytest.raises(error, match=rf"{name}: objective\(\d+\) {said}"):
        METHODS[name](lambda k: value, 3, 0)


@EVERY_METHOD
@pytest.mark.parametrize(
    ("trials", "error", "said"),
    [
        (0, ValueError, "trials expected 1 or more, got 0"),
        (151, ValueError, "trials expected at most 150, as many as there are (candidates|grid), got 151"),
        (2.0, TypeError, "trials expected a whole number, got float"),
    ],
)
def test_budget_that_cannot_be_kept_is_refused_in_words(name, trials, error, said):
    with pytest.raises(error, match=f"{name}: {said}"):
        METHODS[name](bowl, trials, 0)


@pytest.mark.parametrize(
    ("candidates", "error", "said"),
    [
        ([[0.5]], TypeError, "expected a tensor, got list"),
        (torch.zeros(3, dtype=torch.long), ValueError, "expected a float tensor"),
        (torch.zeros(3), ValueError, r"points of the unit cube, shape \(n, d\), got \(3,\)"),
        (torch.zeros(0, 2), ValueError, r"got \(0, 2\)"),
        (torch.tensor([[1.2]]), ValueError, "coordinates from 0 to 1, got others; Space.unit brings settings there"),
        (torch.tensor([[math.nan]]), ValueError, "coordinates from 0 to 1"),
    ],
)
def test_candidates_that_are_none_are_refused_in_words(candidates, error, said):
    for search in (random_search, grid_search, bayesian):
        with pytest.raises(error, match=said):
            search(bowl, candidates, 1)
    with pytest.raises(TypeError, match="grid_search: grid expected a tensor, got NoneType"):
        grid_search(bowl, None)


def test_bayesian_begins_with_the_candidates_that_are_named():
    found = bayesian(bowl, PLACES, 6, generator(0), first=[9, 2, 77])
    assert found.indices[:3].tolist() == [9, 2, 77]
    assert torch.equal(bayesian(bowl, PLACES, 6, generator(1), first=(9, 2, 77)).indices, found.indices)
    assert bayesian(bowl, PLACES, 2, generator(0), first=[9, 2, 77]).indices.tolist() == [9, 2]


@pytest.mark.parametrize(
    ("first", "error", "said"),
    [
        (0, ValueError, "first expected 1 or more, got 0"),
        (2.5, TypeError, "first expected a whole number, got float"),
        ("12", TypeError, "first expected a whole number, got str"),
        ([], ValueError, r"first expected different numbers from 0 to 149, one or more, got \[\]"),
        ([3, 3], ValueError, r"first expected different numbers from 0 to 149, one or more, got \[3, 3\]"),
        ([150], ValueError, r"first expected different numbers from 0 to 149"),
        ([2, 4.0], TypeError, r"first\[1\] expected a whole number, got float"),
    ],
)
def test_bayesian_refuses_a_beginning_that_is_none(first, error, said):
    with pytest.raises(error, match=f"bayesian: {said}"):
        bayesian(bowl, PLACES, 3, generator(0), first=first)
