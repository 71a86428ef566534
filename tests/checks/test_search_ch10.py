"""Exercise 10.8, search on a budget: its table, ways that reach the target, what is refused, and what is read off a search."""

from __future__ import annotations

import pytest
import torch

from companion import experiments
from companion.checks import bank, diagnose, kinds, tables
from companion.checks.ch10_training import e8_search_on_a_budget as task
from companion.checks.ch10_training.e8_mistakes import BUDGET, TARGET, by_chance, by_process, luckiest


def assessed(answer, *, ours=False):
    exercise = bank.get("10.8")
    return diagnose.assess(exercise, exercise.answer(answer), ours=ours)


def errors(search, seed, repeats=40):
    torch.manual_seed(seed)
    found = tables.searches(search, {"seed": 300_000 + seed, "repeats": repeats, "budget": BUDGET})
    return tables.table()[1].mean(dim=1)[found["chosen"]]


def test_table_of_10_8_is_what_the_baselines_give():
    exercise = bank.get("10.8")
    stated = kinds.board(exercise.statement)
    assert set(stated) == set(task.BASELINES)
    cases = exercise.cases(0)
    for label, search in task.BASELINES.items():
        traces = diagnose.run(exercise, {"search": search}, cases, 120)
        got = [exercise.observe(c, t)["error"].item() for c, t in zip(cases, traces)]
        # A model that is computed a little otherwise may go elsewhere, and a few bad ends weigh much.
        assert stated[label] == pytest.approx(got, abs=0.012 if "process" in label else 0.0006)
        assert max(got) > TARGET


def test_search_of_ours_reaches_the_target_with_other_chance_too():
    groups = [errors(task.search, seed).mean().item() for seed in (1, 2)]
    assert max(groups) < TARGET


def test_search_of_ours_beats_chance_by_more_than_the_noise():
    mine, chance = (torch.cat([errors(s, seed) for seed in (1, 2)]) for s in (task.search, by_chance()))
    gap = chance.mean() - mine.mean()
    noise = (chance.var() / len(chance) + mine.var() / len(mine)).sqrt()
    assert gap > 3 * noise
    assert gap == pytest.approx(0.009, abs=0.005)


def test_task_states_what_the_table_holds():
    points, wrong = tables.table()
    truth = wrong.mean(dim=1)
    assert points.shape == (1456, 4)
    assert (points.min(), points.max()) == (0, 1)
    assert truth.median() == pytest.approx(0.48, abs=0.005)
    assert truth.min() == pytest.approx(0.089, abs=0.0005)
    assert wrong[truth.argsort()[:100]].std(dim=1).mean() == pytest.approx(0.009, abs=0.0005)


# -- what a search is told ------------------------------------------------------------------------------


def seen(search, **settings):
    return tables.searches(search, {"seed": 5, "repeats": 2, "budget": 8, **settings})


def test_ask_tells_another_training_when_it_is_asked_again_and_all_eight_in_turn():
    told = []

    def search(candidates, ask, budget):
        told.append([ask(3) for _ in range(9)])
        return 3

    found = seen(search)
    wrong = tables.table()[1]
    for values, row in zip(told, found["chosen"].tolist()):
        assert sorted(values[:8]) == pytest.approx(sorted(wrong[row].tolist()))
        assert values[8] == values[0]


def test_searches_see_the_rows_in_another_order_and_turned_axes():
    looks = []

    def search(candidates, ask, budget):
        looks.append(candidates)
        return 0

    seen(search, repeats=6)
    points = tables.table()[0]
    firsts = {tuple(c[0].tolist()) for c in looks}
    assert len(firsts) == 6
    # the two axes with most values have 13 and 7; where they stand differs from search to search
    assert len({tuple(len(axis.unique()) for axis in c.T) for c in looks}) > 1
    assert all(c.sort(dim=0).values.sum() == pytest.approx(points.sum().item()) for c in looks)


@pytest.mark.parametrize("name", ["_wrong", "_rows", "_told", "__dict__", "_turns"])
def test_ask_tells_nothing_but_answers(name):
    def search(candidates, ask, budget):
        return int(getattr(ask, name)[0])

    with pytest.raises(AttributeError, match="tells how much a candidate gets wrong"):
        seen(search)


@pytest.mark.parametrize("k", [-1, 1456, 2.0, "3", None, True, torch.tensor([1, 2])])
def test_ask_refuses_what_is_no_candidate(k):
    with pytest.raises(ValueError, match="the number of a candidate"):
        seen(lambda candidates, ask, budget: ask(k))


def test_search_that_does_not_end_is_broken_off():
    def search(candidates, ask, budget):
        while True:
            ask(0)

    with pytest.raises(ValueError, match="the loop does not end"):
        seen(search)


# -- what is refused ------------------------------------------------------------------------------------


def looks_it_up(candidates, ask, budget):
    return int(len(experiments.recorded("search").results["wrong"]) > 0)


def asks_the_table(candidates, ask, budget):
    return int(tables.table()[1].mean(dim=1).argmin())


def ready_made(candidates, ask, budget):
    from companion.search import bayesian

    return bayesian(ask, candidates, budget).chosen


def by_the_module(candidates, ask, budget):
    import companion.search as library

    return library.random_search(ask, candidates, budget).chosen


def of_scikit_learn(candidates, ask, budget):
    from sklearn.gaussian_process import GaussianProcessRegressor

    return int(GaussianProcessRegressor is None)


SLOW = pytest.param(ready_made, marks=pytest.mark.slow)  # a Gaussian process for each of its trials


@pytest.mark.parametrize("answer", [looks_it_up, asks_the_table, SLOW, by_the_module, of_scikit_learn])
def test_recorded_trainings_and_ready_made_searches_are_refused(answer):
    result = assessed(answer)
    assert (result.status, result.kind) == ("wrong", "forbidden")


IMPORT = "from companion.search import GaussianProcess, expected_improvement, matern52\n"


@pytest.mark.parametrize("at_the_top", [False, True])
def test_process_of_the_companion_may_be_used(at_the_top):
    code = bank.get("10.8").source()
    assert code.count(f"    {IMPORT}") == 1
    code = IMPORT + code.replace(f"    {IMPORT}", "") if at_the_top else code
    result = assessed(bank.defined(code, ("search",))["search"])
    assert result.status == "right", result


# -- what is read off a search ---------------------------------------------------------------------------


def in_order(candidates, ask, budget):
    told = [ask(k) for k in range(budget)]
    return told.index(min(told))


def one_more(candidates, ask, budget):
    told = {k: ask(k) for k in range(budget + 1)}
    return min(told, key=told.get)


def halving(candidates, ask, budget):
    rows = torch.randperm(len(candidates))[: budget // 2].tolist()
    told = {k: ask(k) for k in rows}
    for k in sorted(told, key=told.get)[: budget // 2]:
        told[k] = (told[k] + ask(k)) / 2
    return min(told, key=told.get)


NAMED = {
    in_order: "searches by chance",
    one_more: "trains more often than it may",
    halving: "trains the same candidates again and again",
    by_process(lambda mean, std, best: std - 0.01 * mean, luckiest): "only looks where nothing is known",
    lambda candidates, ask, budget: torch.tensor(3): "never asks",
}


@pytest.mark.parametrize("answer", NAMED, ids=range(len(NAMED)))
def test_known_mistake_in_another_form_is_named(answer):
    assert assessed(answer, ours=True).mistake == NAMED[answer]


@pytest.mark.parametrize("value", [0.1, None, 1456, -1, torch.zeros(2), "7"], ids=str)
def test_something_that_is_no_candidate_is_told_as_such(value):
    result = assessed(lambda candidates, ask, budget: value)
    assert result.status == "wrong"
    assert not result.mistake
    assert "the number of one of the candidates" in result.message
