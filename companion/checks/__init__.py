"""Checks for the exercises: ``check("01.1", weighted_sum)`` says right, wrong (and why), or not attempted."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

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
    )

    if exercise is None or type(exercise) is not str:
        return Result("", "not attempted", 'it needs the exercise and your function: check("01.1", weighted_sum).')
    try:
        found = bank.get(exercise, variant)
    except KeyError as error:
        return Result("", "not attempted", f"{error.args[0]}.")
    functions, sentence = _named(found.functions, answer)
    if sentence:
        usage = f'check("{found.id}", {", ".join(found.functions)})'
        status = "wrong" if answer else "not attempted"
        result = Result(found.id, status, f"{sentence}: {usage}.", kind="usage")
    elif empty := [name for name, function in functions.items() if _is_empty(function)]:
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


def _named(names: tuple[str, ...], answer: tuple[object, ...]) -> tuple[dict[str, Callable[..., Any]], str]:
    """Return the answers by name, or a sentence on why that is not possible."""
    if not answer:
        return {}, "pass your function too"
    if len(answer) != len(names):
        few = "one function" if len(names) == 1 else f"{len(names)} functions"
        return {}, f"this exercise takes {few}"
    for one in answer:
        if one is ...:
            continue
        if one is None:
            return {}, "None came instead of a function; pass the function itself, without parentheses"
        if inspect.isclass(one):
            return {}, f"the class {one.__name__} came instead of a function"
        if not callable(one) or _has_forward(one):
            kind = type(one).__name__
            return (
                {},
                f"an object of type {kind} came instead of a function; pass the function itself, without parentheses",
            )
    functions: dict[str, Any] = dict(zip(names, answer))
    given = [getattr(a, "__name__", "") for a in answer]
    if len(names) > 1 and all(type(g) is str for g in given) and sorted(given) == sorted(names):
        functions = {name: answer[given.index(name)] for name in names}  # right functions in another order
    return functions, ""


def _has_forward(thing: object) -> bool:
    return callable(getattr(type(thing), "forward", None))  # a network is callable, but is not a function


def _is_empty(function: object) -> bool:
    """Return whether this is ``...`` or a function that does nothing: the stub as it was handed out."""
    if function is ...:
        return True
    if type(function) is not FunctionType:
        return False
    doing = [i for i in dis.get_instructions(function) if i.opname not in ("RESUME", "NOP", "CACHE", "POP_TOP")]
    constants = [i for i in doing if i.opname in ("LOAD_CONST", "RETURN_CONST", "LOAD_COMMON_CONSTANT")]
    others = [
        i for i in doing if i.opname not in ("LOAD_CONST", "RETURN_CONST", "LOAD_COMMON_CONSTANT", "RETURN_VALUE")
    ]
    return not others and all(c.argval is None or c.argval is ... for c in constants)
