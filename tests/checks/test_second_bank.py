"""The second bank: every wrong answer in it is refused, every right one accepted."""

from __future__ import annotations

import pytest
import second_bank
import torch
from second_wrong import Wrong, run_cell

from companion.checks import bank, diagnose
from companion.checks.result import Result

ANSWERS = [
    pytest.param(id, wrong, id=f"{id}-{n}")
    for id, answers in second_bank.WRONG.items()
    for n, wrong in enumerate(answers, 1)
]


def assessed(id: str, code: str) -> Result:
    """Return what a learner is told who runs this cell and then the check."""
    exercise = bank.get(id)
    torch.manual_seed(0)
    names = run_cell(code, id)
    return diagnose.assess(exercise, {name: names[name] for name in exercise.functions})


@pytest.mark.parametrize("id", second_bank.RIGHT)
def test_right_answer_of_the_second_bank_is_accepted(id):
    assert assessed(id, second_bank.RIGHT[id]).status == "right"


@pytest.mark.parametrize(("id", "wrong"), ANSWERS)
def test_wrong_answer_of_the_second_bank_is_refused(id: str, wrong: Wrong):
    result = assessed(id, wrong.code)
    assert result.status != "right", wrong.belief


def test_second_bank_has_six_wrong_answers_to_each_exercise():
    wanted = [id for id in bank.ids() if id[:2] in ("01", "02")]
    assert sorted(second_bank.WRONG) == sorted(second_bank.RIGHT) == wanted
    assert {len(answers) for answers in second_bank.WRONG.values()} == {6}
    for answers in second_bank.WRONG.values():
        assert len({answer.code for answer in answers}) == 6
