"""Chapter 8: the numbers that the statements of 08.5 and 08.7 name are measured again."""

from __future__ import annotations

import pytest
import torch

from companion.checks import bank
from companion.checks.bank import rng
from companion.checks.ch08_challenges import e7_tables as data
from companion.checks.ch08_challenges.e5_curves import MEASURED, TRAININGS, measure
from companion.checks.ch08_challenges.e5_mistakes import _AGAINST, FINDINGS, choice
from companion.checks.ch08_challenges.e7_mistakes import _all, _not_train, evaluated


@pytest.mark.parametrize("name", [n for n in TRAININGS if n != "thrown about"])
def test_training_comes_out_as_the_table_says(name):
    found, stated = measure(TRAININGS[name]), MEASURED[name]
    assert [r[0] for r in found.rows] == [r[0] for r in stated.rows]
    for got, due in zip(found.rows, stated.rows):
        assert got[1:3] == pytest.approx(due[1:3], abs=0.1)  # rounding in another order leads training a bit elsewhere
        assert got[3:] == pytest.approx(due[3:], abs=0.05)
    assert found.new == pytest.approx(stated.new, abs=0.04)


def test_rate_that_is_too_large_throws_the_loss_about_on_every_machine():
    found = measure(TRAININGS["thrown about"])
    assert found.rows[0][3] > 0.6
    assert found.rows[-1][1] > 2.25
    assert found.new < 0.2


def test_findings_differ_in_their_letter_and_each_training_has_another_right_one():
    assert sorted(t.right for t in TRAININGS.values()) == sorted(FINDINGS)


@pytest.mark.parametrize("name", TRAININGS)
def test_numbers_that_speak_against_a_finding_stand_in_the_table(name):
    statement = next(e for e in bank.variants("08.5") if e.parameter["training"] == name).statement
    given = {w.strip(".,") for line in statement.splitlines() for w in line.replace("|", " ").split()} | {
        "100",
        "twenty",
    }
    for letter, text in _AGAINST[name].items():
        numbers = {w.strip(".,") for w in text.split() if w.strip(".,").replace(".", "").isdigit()}
        assert numbers <= given, (letter, numbers - given)
    assert set(_AGAINST[name]) == set(FINDINGS) - {choice(name).right}


def over_draws(table, k, **rows):
    return torch.tensor([float(evaluated(**rows)(*table(rng(500 + s)), k)) for s in range(20)]).mean().item()


def test_evaluation_of_the_statement_finds_on_noise_what_the_statement_says():
    found = over_draws(data.noise, 10, scaled=_all, chosen=_all, asked=_all)
    assert found == pytest.approx(0.88, abs=0.01)
    assert "comes to 0.88" in bank.get("08.7").statement
    assert over_draws(data.noise, 10) == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize(
    ("table", "k", "leak"),
    [
        (data.noise, 10, {"chosen": _all}),
        (data.again, 5, {"asked": _not_train}),
        (data.sensor, 2, {"scaled": _all}),
        (data.mixed, 6, {"asked": _all}),
    ],
    ids=["columns", "patients", "scale", "training rows"],
)
def test_each_leak_flatters_on_the_data_made_for_it(table, k, leak):
    assert over_draws(table, k, **leak) > over_draws(table, k) + 0.15
