"""What is wrong with one case: the first of several looks at a trace that finds something."""

from __future__ import annotations

import math

import torch

from companion.checks.bank import Exercise, Observed, Verdict
from companion.checks.crashes import advice
from companion.checks.guards import BEFORE_VALUES
from companion.checks.levels import Failure, Level, all_close, close
from companion.checks.trace import Case, Crash, Trace
from companion.checks.written import Number, Written


def first_failure(
    exercise: Exercise, case: Case, mine: Trace, right: Trace, observed: Observed, expected: Observed
) -> Failure | None:
    """Return the first thing that is wrong with a case, or ``None``."""
    if right.crash:
        raise RuntimeError(f"the reference of {exercise.id} fails on {case.name!r}: {right.crash}")
    if mine.crash:
        return _crash(exercise, case, mine.crash)
    if exercise.written is not None:
        return None if exercise.written.same(mine, right) else _answer(exercise.written, mine, right)
    for look in BEFORE_VALUES:
        if failure := look(exercise, case, mine, right):
            return failure
    if failure := _values(exercise, case, observed, expected):
        return failure
    for look in (_gradients, _pure):
        if failure := look(exercise, case, mine, right):
            return failure
    return None


def _crash(exercise: Exercise, case: Case, crash: Crash) -> Failure:
    name = case.function or exercise.functions[0]
    if crash.kind == "timeout":
        at = f"; it was at line {crash.line_number} of your code, `{crash.line}`" if crash.line else ""
        seen = f"`{name}` did not come to an end with {case.name}{at}."
        why = "A loop never meets its condition, or does far more work than is needed."
        return Failure(
            Level.CRASH,
            "timeout",
            seen,
            why,
            "Print the loop's condition in each round. Which value should change, and does not?",
        )
    if crash.kind == "not reached":
        return Failure(Level.NOT_REACHED, "not reached", f"`{name}` was stopped before this case.", "", "")
    if crash.kind == "signature":
        seen = f"`{name}` is called with ({', '.join(case.args)}), but yours takes ({crash.text or 'nothing'})."
        why = "The check calls it by position, with as many arguments as the task names."
        return Failure(Level.CRASH, "signature", seen, why, "Compare your `def` line with the one in the task.")
    if crash.kind == "missing":
        seen = f"`{name}` has no `{crash.text}`."
        why = "The check uses every method and attribute that the task names."
        return Failure(
            Level.CRASH,
            "missing",
            seen,
            why,
            "Is it spelt as in the task, and is it set for every object, in `__init__`?",
        )
    if crash.kind == "unreadable":
        why = "The check compares numbers, letters or the order of lines, and finds none in it."
        return Failure(
            Level.CRASH,
            "unreadable",
            f"It cannot be read as an answer: {crash.text}.",
            why,
            "Read below the question how to answer.",
        )
    where = f"line {crash.line_number} of your code" if crash.line_number else "your code"
    where += f", `{crash.line}`," if crash.line else ""
    text = f": {crash.text.rstrip('.')}" if crash.text else ""
    said = advice(crash)
    return Failure(
        Level.CRASH, "crash", f"With {case.name}, {where} stops with {crash.type}{text}.", said.why, said.next
    )


def _answer(written: Written, mine: Trace, right: Trace) -> Failure:
    """Say what is wrong with an answer without code, as far as that is possible without giving the right one."""
    if faults := mine.facts.get("answer.faults"):
        fault, letters = faults.split("; ")[0].split()
        seen, why = {
            "spare": (
                f"Line {letters} is not needed.",
                "It does something that the task does not ask for, or undoes something.",
            ),
            "missing": (f"Line {letters} is missing.", "What it computes is needed by another line."),
            "rule": (
                f"Line {letters[-1]} stands before line {letters[0]}.",
                "It uses something that is not there yet, or changes what the other still needs.",
            ),
        }[fault]
        return Failure(
            Level.VALUE,
            "value",
            seen,
            why,
            "Go through your order with pencil and paper: what does each name hold after each line?",
        )
    if isinstance(written, Number):
        mine_is, right_is = float(mine.tensors["answer"]), float(right.tensors["answer"])
        if mine_is * right_is < 0:
            why = "A difference is taken the other way round."
            return Failure(Level.VALUE, "value", "The sign is the wrong one.", why, "What is subtracted from what?")
        ratio = math.log10(mine_is / right_is) if mine_is and right_is else 0.5
        if abs(ratio) > 0.5 and abs(ratio - round(ratio)) < 0.005:
            why = "The digits are right: a unit or a prefix is taken for another."
            return Failure(
                Level.VALUE,
                "value",
                "It is off by a power of ten.",
                why,
                "Write the unit behind each number of your calculation.",
            )
        large = "large" if abs(mine_is) > abs(right_is) else "small"
        return Failure(
            Level.VALUE,
            "value",
            f"It is too {large}.",
            "A factor or a term is missing, or is there once too often.",
            "Do the smallest case on paper first, then this one.",
        )
    return Failure(Level.VALUE, "value", "That is not the right answer.", "", "Read the question again.")


def _values(exercise: Exercise, case: Case, observed: Observed, expected: Observed) -> Failure | None:
    if exercise.judge is not None:
        said = exercise.judge(case, observed, expected)
        return Failure(Level.VALUE, "value", *_three(said)) if said else None
    if all_close(observed, expected, exercise.tolerance):
        return None
    for p in exercise.properties:
        if not p.holds(case, observed):
            return Failure(Level.VALUE, "property", p.seen, p.why, p.next, shows_answer=True)
    return Failure(
        Level.VALUE, "value", f"The result is not right yet with {case.name}.", "", case.says, shows_answer=True
    )


def _three(said: Verdict) -> tuple[str, str, str]:
    return (said, "", "") if isinstance(said, str) else said or ("", "", "")


def _gradients(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    for name in case.grad:
        key = f"grad.{name}"
        if key not in right.tensors:
            continue
        got, wanted = mine.tensors.get(key), right.tensors[key]
        if got is None or not close(got, wanted, exercise.tolerance):
            nan = got is not None and bool(torch.isnan(got).any())
            seen = f"The values are right, but the gradient by `{name}` is {'nan' if nan else 'not right'} with {case.name}."
            if nan:
                why = "Both branches of a torch.where are differentiated, and 0 times an infinite slope is nan."
                return Failure(
                    Level.GRADIENT,
                    "gradient",
                    seen,
                    why,
                    "Make the argument harmless before the function that overflows.",
                )
            why = "A part of the computation is hidden from autograd, or another formula with the same values has another slope."
            return Failure(
                Level.GRADIENT,
                "gradient",
                seen,
                why,
                "Which step of yours is constant for autograd: an index, a mask, a detach?",
            )
    return None


def _pure(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    for out in exercise.returns:
        again = mine.tensors.get(f"again.{out.name}")
        if f"again.{out.name}" in right.tensors and (
            again is None or not close(again, mine.tensors[out.name], exercise.tolerance)
        ):
            seen = "A second call with the same arguments gives another answer."
            why = "Something is kept between calls: a global, a default argument that is a list, an attribute."
            return Failure(Level.IMPURE, "impure", seen, why, "What does the second call find that the first did not?")
    return None
