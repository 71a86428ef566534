"""How long a check takes beyond the learner's own code: right answers, known mistakes, mistakes that nobody foresaw."""

import contextlib
from itertools import cycle, islice

import pytest
import torch

from companion.checks import bank, diagnose, mutate


def is_plain(exercise):
    """Return whether the learner's functions alone are called, and compared with the reference's."""
    called = {call.function for case in exercise.cases(0) for call in exercise.calls(case)}
    return exercise.needs_reference and exercise.written is None and called <= set(exercise.functions)


CLOSED = [number for number in bank.ids() if is_plain(bank.get(number))]
pytestmark = pytest.mark.usefixtures("one_thread")


def written_out(number):
    """Return the right functions as a learner would have written them."""
    return bank.defined(bank.get(number).source(), bank.get(number).functions)


def unforeseen(number):
    """Return a wrong answer that no known mistake explains."""
    exercise = bank.get(number)
    for fault in mutate.mutants(exercise.source()):
        functions = dict(zip(exercise.functions, fault.functions(*exercise.functions)))
        result = diagnose.assess(exercise, functions, timeout=2.0)
        if result.status == "wrong" and result.kind == "value":
            return functions
    return exercise.answer(exercise.mistakes[0].answer)


ANSWERS = {
    "right": written_out,
    "a known mistake": lambda number: bank.get(number).answer(bank.get(number).mistakes[-1].answer),
    "a mistake nobody foresaw": unforeseen,
}


def alone(exercise, functions):
    """Call the functions once with the inputs of every case."""
    for case in exercise.cases(0):
        for call in exercise.calls(case):
            with contextlib.suppress(Exception):  # a wrong answer may stop on some of its cases
                functions[call.function](*[a.clone() if isinstance(a, torch.Tensor) else a for a in call.args])


@pytest.mark.parametrize("who", ["ours", "answers alone"])
@pytest.mark.parametrize("kind", ANSWERS)
def test_sixty_checks(benchmark, kind, who):
    benchmark.group = f"60 checks, {kind}"
    pairs = [(bank.get(number), ANSWERS[kind](number)) for number in islice(cycle(CLOSED), 60)]

    def run():
        if who == "ours":
            return [diagnose.assess(e, f, ours=True).status for e, f in pairs]
        for e, f in pairs:
            alone(e, f)
        return []

    said = benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    assert set(said) <= {"right" if kind == "right" else "wrong"}
