"""What the figure of chapter 10 on searching computes: the companion's searches on the recorded slice, and what is said of them."""

from __future__ import annotations

from statistics import mean, median

import pytest
import torch

from companion import experiments, figures
from companion.experiments import search_race as races
from companion.figures import search
from companion.figures.search import (
    BUDGETS,
    FIRST,
    GOOD,
    MOST,
    NAMES,
    NEAR,
    REPEATS,
    best_of,
    cells,
    dealt,
    good_rates,
    grid_of,
    guided,
    judged,
    means,
    middle,
    near,
    tried,
    values_of,
)
from companion.search import bayesian, random_search


def test_slice_is_the_recorded_one():
    assert torch.tensor(cells(), dtype=torch.double).sub(races.slice_of(races.table())).abs().max() < 1e-9
    assert len(cells()) == len(values_of("lr")) * len(values_of("decay")) == 91
    assert means() == pytest.approx([mean(cell) for cell in cells()])
    assert values_of("lr")[::4] == [0.003, 0.03, 0.3, 3.0]


@pytest.mark.parametrize("repeat", [1, 7, REPEATS])
def test_searches_are_the_companions_and_keep_their_budgets(repeat):
    shown, order = dealt(repeat)
    assert all(v in cell for v, cell in zip(shown, cells()))
    assert sorted(order) == list(range(91))
    assert guided(repeat)[:FIRST] == order[:FIRST] == tried("random", repeat, MOST)[:FIRST]
    found = bayesian(shown.__getitem__, races.slice_candidates(), 9, first=order[:FIRST])
    assert found.indices.tolist() == tried("gp", repeat, 9)
    for budget in BUDGETS:
        for name in NAMES:
            one = tried(name, repeat, budget)
            assert len(set(one)) == budget
            chosen, seen, worth = best_of(name, repeat, budget)
            assert seen == min(shown[k] for k in one) == shown[chosen]
            assert (7 * worth + seen) / 8 == pytest.approx(means()[chosen])
    assert best_of("random", repeat, 16, 3)[1] == min(shown[k] for k in order[:3])


def test_repeats_differ():
    assert len({tuple(dealt(r)[0]) for r in range(1, REPEATS + 1)}) == REPEATS
    assert len({tuple(grid_of(r, 4)) for r in range(1, REPEATS + 1)}) > REPEATS / 2


@pytest.mark.parametrize("m", [2, 3, 4, 5])
def test_grid_has_one_place_in_each_part_of_an_axis(m):
    for repeat in range(1, REPEATS + 1):
        places = [divmod(k, 7) for k in grid_of(repeat, m)]
        for axis, count in ((0, 13), (1, 7)):
            values = sorted({place[axis] for place in places})
            assert len(values) == m
            assert max(values) < count
        assert len(set(places)) == m * m


def test_chances_are_counted_from_the_record():
    found = experiments.recorded("search_race").results["slice"]
    for name, there in (("grid", "grid"), ("random", "random"), ("gp", "Gaussian process")):
        for budget in BUDGETS:
            values = [int(v) / 1e4 for v in found[there][str(budget)].split()]
            assert judged(name, budget) == pytest.approx(values)
            assert middle(name, budget) == pytest.approx(median(values), abs=6e-5)
            assert near(name, budget) == sum(v <= min(means()) + NEAR for v in values)


def test_good_rates_are_those_with_the_lowest_means():
    low = {k // 7: min(means()[k // 7 * 7 : k // 7 * 7 + 7]) for k in range(91)}
    assert max(low[i] for i in good_rates()) < min(low[i] for i in range(13) if i not in good_rates())
    assert len(good_rates()) == GOOD


def test_search_race_says_what_is_computed():
    figure = figures.search_race()
    close = [near(name, 16) for name in NAMES]
    assert max(close) - min(close) <= 10, "of 200: no difference worth a name"
    assert figure.guesses[figure.right] == "all three about equally often"
    assert "the grid in {}, chance in {}, the process in {} of 200 repeats".format(*close) in figure.answer
    assert "they came to {:.3f}, {:.3f} and {:.3f}".format(*(middle(n, 16) for n in NAMES)) in figure.answer
    _, seen, worth = best_of("gp", 1, 16, 9)
    assert f"the best shows {seen:.3f} wrong" in figure.alt
    assert f"seven other trainings of it have {worth:.3f}" in figure.alt
    results = experiments.recorded("search_race").results["races"]
    least = float(races.table().mean(dim=1).min())
    whole = [
        sum(int(v) / 1e4 <= least + NEAR for v in results[there]["judged"]["16"].split())
        for there in search.RECORDED.values()
    ]
    assert "the grid in {}, chance in {} and the process in {} of 200".format(*whole) in figure.answer
    assert whole[2] > 1.5 * whole[1] > 1.5 * whole[0]
    own = sum(k // 7 in good_rates() for k in tried("gp", 1, 16)[FIRST:])
    assert f"{own} of the 11 trials that the process chose are at the 4 best rates" in figure.answer
    assert own > 0.5 * 11
    assert figure.state["chances"]["gp"]["16"] == [middle("gp", 16), near("gp", 16)]


def test_chance_of_the_figure_is_not_that_of_the_record_but_comes_to_the_same():
    here = [best_of("random", r, 16)[2] for r in range(1, REPEATS + 1)]
    assert median(here) == pytest.approx(median(judged("random", 16)), abs=0.006)
    shown = torch.tensor(dealt(1)[0])
    found = random_search(lambda k: float(shown[k]), races.slice_candidates(), 16, torch.Generator().manual_seed(0))
    assert found.indices.tolist() != tried("random", 1, 16)
