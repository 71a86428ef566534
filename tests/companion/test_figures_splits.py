"""What the figure of chapter 10 on splits computes: against scikit-learn's neighbours, and what each split lets through."""

from __future__ import annotations

from statistics import mean

import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from companion import figures
from companion.data import train_val_test_split
from companion.figures.chance import seeded
from companion.figures.splits import (
    ASKED,
    PEOPLE,
    REPEATS,
    SHARE,
    USES,
    VISITS,
    WAYS,
    WITH,
    bell,
    in_use,
    listed,
    outcome,
    packed,
    right,
    split,
    time_of,
    worth,
)
from companion.random import generator

N = PEOPLE * VISITS
HOW = (0.8, 0.3)


def columns(cases):
    return [c.at for c in cases], [c.has for c in cases]


@pytest.mark.parametrize("k", [1, 3, 9])
@pytest.mark.parametrize("repeat", [1, 2, 17])
def test_share_right_is_that_of_scikit_learns_neighbours(k, repeat):
    known, asked = listed(repeat, *HOW), in_use(repeat, "both", *HOW)
    model = KNeighborsClassifier(k, algorithm="brute").fit(*columns(known))
    assert right(known, asked, k) == pytest.approx(model.score(*columns(asked)))
    assert worth("both", repeat, *HOW, k) == right(known, asked, k)


def test_list_has_every_person_equally_often_and_in_each_quarter_once():
    cases = listed(1, *HOW)
    assert len(cases) == N
    assert [c.who for c in cases] == [i // VISITS for i in range(N)]
    assert {c.who for c in cases if c.has} == set(range(WITH))
    assert [int(c.time * VISITS) for c in cases] == [i % VISITS for i in range(N)]
    assert len({c.time for c in cases}) == N, "no two at one time: a split by time can cut anywhere"
    assert min(c.time for c in cases) >= 0
    assert max(c.time for c in cases) < 1


def test_people_in_use_are_new_or_the_same_and_later_is_later():
    old = listed(4, 1.0, 0.0)
    middle = {who: [mean(c.at[i] for c in old if c.who == who) for i in (0, 1)] for who in range(PEOPLE)}
    far = {
        use: mean(abs(c.at[1] - middle[c.who][1]) for c in in_use(4, use, 1.0, 0.0)) for use in USES
    }  # the second measurement tells the person alone
    assert far["later"] < 0.25
    assert min(far["new"], far["both"]) > 0.6
    for use in USES:
        cases = in_use(4, use, *HOW)
        assert len(cases) == ASKED
        assert mean(c.has for c in cases) == WITH / PEOPLE
        low, high = (0, 1) if use == "new" else (1, 1.25)
        assert all(low <= c.time <= high for c in cases)


def test_without_people_and_quarters_only_noise_is_left():
    assert all(abs(c.at[1]) < 0.15 * 3 + 1e-9 for c in listed(1, 0.0, 0.0))
    assert all(worth(use, 1, 0.0, 0.0, 1) == 1 for use in USES)


def test_quarter_moves_all_of_its_examples_together():
    cases = listed(2, 0.0, 1.5)
    for visit in range(VISITS):
        high = [c.at[1] for c in cases[visit::VISITS]]
        assert max(high) - min(high) < 6 * 0.15 + 1e-9
    centres = [mean(c.at[1] for c in cases[visit::VISITS]) for visit in range(VISITS)]
    assert max(centres) - min(centres) > 1


def test_bell_has_mean_0_and_variance_1():
    draw = seeded(1)
    values = torch.tensor([bell(draw) for _ in range(20_000)])
    assert values.mean().abs() < 0.02
    assert values.var() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("way", WAYS)
def test_split_is_the_companions_and_a_quarter_of_the_rows(way):
    who = torch.arange(PEOPLE).repeat_interleave(VISITS)
    times = torch.tensor([time_of(i // VISITS, i % VISITS) for i in range(N)])
    keyword = {"chance": {}, "class": {"stratify": who < WITH}, "person": {"groups": who}, "time": {"times": times}}[
        way
    ]
    for repeat in (1, 9):
        parts = train_val_test_split(N, val=0, test=SHARE, generator=generator(repeat), **keyword)
        assert split(way, repeat) == set(parts.test.tolist())
    sizes = {len(split(way, repeat)) for repeat in range(1, REPEATS + 1)}
    assert sizes <= set(range(28, 33))


def test_each_way_lets_through_what_it_does_not_part():
    people = {way: [outcome(way, r, *HOW, 1) for r in range(1, REPEATS + 1)] for way in WAYS}
    assert all(f.both == f.own == 0 for f in people["person"])
    assert min(f.both for f in people["chance"] + people["class"]) >= 15
    assert all(f.both == PEOPLE for f in people["time"]), "everybody is seen in the last quarter, and before"
    shares = {way: {sum(i // VISITS < WITH for i in split(way, r)) for r in range(1, 9)} for way in WAYS}
    assert shares["class"] == {12}
    assert len(shares["chance"]) > 2
    late = split("time", 1)
    assert min(time_of(i // VISITS, i % VISITS) for i in late) > max(
        time_of(i // VISITS, i % VISITS) for i in range(N) if i not in late
    )


@pytest.mark.parametrize(
    ("how", "use", "good", "flattering"),
    [((0.8, 0.0), "new", "person", ("chance", "class", "time")), ((0.0, 1.0), "later", "time", ("chance", "class", "person"))],
)  # fmt: skip
def test_score_foretells_the_use_that_its_split_is_like(how, use, good, flattering):
    repeats = range(1, REPEATS + 1)
    due = mean(worth(use, r, *how, 1) for r in repeats)
    score = {way: mean(outcome(way, r, *how, 1).score for r in repeats) for way in WAYS}
    assert score[good] == pytest.approx(due, abs=0.03)
    assert all(score[way] > due + 0.1 for way in flattering)


def test_rows_are_packed_from_the_first_to_the_last():
    assert packed(frozenset({0, 5, N - 1})) == "84" + "0" * (N // 4 - 3) + "1"
    assert len(packed(frozenset())) == N // 4


def test_split_designer_says_what_is_computed():
    figure = figures.split_designer()
    repeats = range(1, REPEATS + 1)
    person, quarter = figure.controls["person"].start, figure.controls["quarter"].start
    score = {way: mean(outcome(way, r, person, quarter, 1).score for r in repeats) for way in WAYS}
    used = mean(worth("new", r, person, quarter, 1) for r in repeats)
    assert min(WAYS, key=lambda way: abs(score[way] - used)) == "person"
    assert figure.guesses[figure.right] == WAYS["person"]
    assert f"{score['person']:.2f} in the mean of {REPEATS} splits, against {used:.2f} on new people" in figure.answer
    assert f"{outcome('chance', 1, person, quarter, 1).both} people stand on both sides" in figure.alt
    assert f"{score['chance']:.2f} by chance and {score['person']:.2f} by person" in figure.alt
    assert figure.fallback.count("<circle") == N - round(SHARE * N)
