"""Checks for the exercises: ``check("01.1", weighted_sum)`` says right, wrong (and why), or not attempted."""

from __future__ import annotations

from companion.checks.result import Hint, Result

__all__ = ["Hint", "Result", "check", "hint", "history"]

history: list[Result] = []
"""Every result of this session, in order; ``neurons check`` reads it."""

_hints_shown: dict[str, int] = {}


def check(exercise: object = None, *answer: object, variant: int = 0, timeout: float | None = None) -> Result:
    """Check your answer to an exercise.

    What your code prints meanwhile is not shown: it is called many times. To see prints, call it yourself.

    Args:
        exercise: its number, such as ``"01.1"``.
        answer: your function, without parentheses; several where the exercise asks for several.
        variant: which variant of the exercise; 0 is the one in the notebook.
        timeout: seconds after which your code is stopped.

    >>> check("01.2", lambda z, threshold: (z >= threshold).to(z.dtype)).status
    'right'
    """
    from companion.checks import (  # not at the top: a notebook that only imports this stays quick
        bank,
        diagnose,
        handed_in,
    )

    if exercise is None or type(exercise) is not str:
        return Result("", "not attempted", 'it needs the exercise and your function: check("01.1", weighted_sum).')
    try:
        found = bank.get(exercise, variant)
    except KeyError as error:
        return Result("", "not attempted", f"{error.args[0]}.")
    functions, sentence = handed_in.named(found, answer)
    if sentence:
        usage = f'check("{found.id}", {", ".join(found.functions)})'
        status = "wrong" if answer else "not attempted"
        result = Result(found.id, status, f"{sentence}: {usage}.", kind="usage")
    elif empty := handed_in.empty(functions):
        result = diagnose.not_attempted(found, empty)
    else:
        result = diagnose.assess(found, functions, timeout=timeout)
    history.append(result)
    return result


def hint(exercise: object = None, number: int | None = None) -> Hint:
    """Return the next hint of an exercise, or hint ``number``."""
    from companion.checks import bank

    if type(exercise) is not str:
        return Hint("", 0, 0, 'which exercise? For example hint("01.1").')
    try:
        hints = bank.get(exercise).hints
    except KeyError as error:
        return Hint("", 0, 0, f"{error.args[0]}.")
    n = _hints_shown.get(exercise, 0) + 1 if number is None else number
    n = min(max(n, 1), len(hints))
    _hints_shown[exercise] = n
    return Hint(exercise, n, len(hints), hints[n - 1])
