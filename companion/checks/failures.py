"""What is wrong with one case: the first of several looks at a trace that finds something."""

from __future__ import annotations

import torch

from companion.checks.bank import Exercise, Observed, Verdict
from companion.checks.crashes import Advice, advice
from companion.checks.guards import BEFORE_VALUES
from companion.checks.levels import Failure, Level, all_close, close
from companion.checks.trace import Case, Crash, Trace
from companion.checks.written import Choice


def first_failure(
    exercise: Exercise, case: Case, mine: Trace, right: Trace, observed: Observed, expected: Observed
) -> Failure | None:
    """Return the first thing that is wrong with a case, or ``None``."""
    if right.crash:
        raise RuntimeError(f"the reference of {exercise.id} fails on {case.name!r}: {right.crash}")
    if mine.crash:
        return _crash(exercise, case, mine.crash)
    if exercise.written is not None:
        if exercise.written.same(mine, right):
            return None
        return Failure(Level.VALUE, "value", *exercise.written.fault(mine, right))
    for look in BEFORE_VALUES:
        if failure := look(exercise, case, mine, right):
            return failure
    if failure := _values(exercise, case, observed, expected):
        return failure
    for look in (_gradients, _pure, _handed_back):
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
            case.says or "Print the loop's condition in each round. Which value should change, and does not?",
        )
    if crash.kind == "not reached":
        return Failure(Level.NOT_REACHED, "not reached", f"`{name}` was stopped before this case.", "", "")
    if crash.kind == "signature":
        called, _, given = crash.line.rstrip(")").partition("(")  # empty where the script does not name the arguments
        given = given if called else ", ".join(case.args)
        seen = f"`{called or name}` is called with ({given}), but yours takes ({crash.text or 'nothing'})."
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
        seen = f"It cannot be read as an answer: {crash.text}."
        why = "The check compares a number, a letter or the order of lines, and what came has another form."
        next = "Read below the question how to answer."
        if isinstance(exercise.written, Choice):
            why = "The check compares one letter and reads no words, so it says nothing yet of what you found."
            next = (
                "Which of the lines below the question says what you mean? Store its letter alone, in quotation marks."
            )
        return Failure(Level.CRASH, "unreadable", seen, why, next)
    where = f"line {crash.line_number} of your code" if crash.line_number else "your code"
    where += f", `{crash.line}`," if crash.line else ""
    text = f": {crash.text.rstrip('.')}" if crash.text else ""
    said = advice(crash)
    absent = [name for name, value in case.args.items() if value is None]
    if absent and "NoneType" in crash.text:
        said = Advice(
            "", f"In this case `{absent[0]}` is None, as the task allows.", "Ask for it before the line that uses it."
        )
    return Failure(
        Level.CRASH, "crash", f"With {case.name}, {where} stops with {crash.type}{text}.", said.why, said.next
    )


def _values(exercise: Exercise, case: Case, observed: Observed, expected: Observed) -> Failure | None:
    if exercise.judge is not None:
        said = exercise.judge(case, observed, expected)
        return Failure(Level.VALUE, "value", *_three(said)) if said else None
    if all_close(observed, expected, case.tolerance or exercise.tolerance):
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
        if got is None and not bool(wanted.any()):
            continue  # what hangs on nothing has the slope 0 everywhere
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
            why = "Something is kept between calls: a global, a default argument that is a list, an attribute, slopes in `.grad`."
            return Failure(Level.IMPURE, "impure", seen, why, "What does the second call find that the first did not?")
    return None


def _handed_back(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    name = mine.facts.get("handed back")
    if name is None or "handed back" in right.facts:
        return None
    return Failure(
        Level.HANDED_BACK,
        "handed back",
        f"The numbers are right. With {case.name} what you hand back holds tensors of the caller, those of `{name}`.",
        f"A copy of a list holds the same tensors. Whoever writes into your result then writes into `{name}` as well.",
        "Which way through your code returns a tensor as it came in? `t.clone()` makes a new one with the same numbers.",
    )
