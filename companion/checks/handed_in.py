"""Look at what was handed in before anything runs: is it the kind of thing the exercise asks for, is it still empty?"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from companion.checks.bank import Exercise


def named(exercise: Exercise, answer: tuple[object, ...]) -> tuple[dict[str, Any], str]:
    """Return the answers by name, or a sentence on why that is not possible."""
    names = exercise.functions
    kind = "answer" if exercise.written else "class" if inspect.isclass(exercise.reference[0]) else "function"
    if not answer:
        return {}, f"pass your {kind} too"
    if len(answer) != len(names):
        several = f"{len(names)} {'classes' if kind == 'class' else f'{kind}s'}"
        return {}, f"this exercise takes {f'one {kind}' if len(names) == 1 else several}"
    if not exercise.written:
        for one in answer:
            if one is not ... and (sentence := _no_function(one, kind)):
                return {}, sentence
    given = [getattr(a, "__name__", "") for a in answer]
    if len(names) > 1 and all(type(g) is str for g in given) and sorted(given) == sorted(names):
        return {name: answer[given.index(name)] for name in names}, ""  # right functions in another order
    return dict(zip(names, answer)), ""


def _no_function(one: object, kind: str) -> str:
    """Say why this is no function, or no class where one is asked for."""
    if one is None:
        return f"None came instead of a {kind}; pass the {kind} itself, without parentheses"
    if kind == "class":
        if inspect.isclass(one):
            return ""
        return f"an object of type {type(one).__name__} came instead of a class; pass the class itself, without parentheses"
    if inspect.isclass(one):
        return f"the class {one.__name__} came instead of a function"
    if not callable(one) or callable(getattr(type(one), "forward", None)):  # a network is callable, but is no function
        thing = f"an object of type {type(one).__name__}"
        return f"{thing} came instead of a function; pass the function itself, without parentheses"
    return ""


def empty(functions: Mapping[str, Any]) -> list[str]:
    """Return the names of those that are still as they were handed out."""
    return [name for name, function in functions.items() if _is_empty(function)]


def _is_empty(thing: object) -> bool:
    """Return whether this is ``...``, a function that does nothing, or a class all of whose methods do nothing."""
    if thing is ...:
        return True
    if inspect.isclass(thing):
        methods = [m for m in vars(thing).values() if type(m) is FunctionType]
        return bool(methods) and all(_is_empty(m) for m in methods)
    if type(thing) is not FunctionType:
        return False
    idle = ("RESUME", "NOP", "CACHE", "POP_TOP")
    loads = ("LOAD_CONST", "RETURN_CONST", "LOAD_COMMON_CONSTANT")
    doing = [i for i in dis.get_instructions(thing) if i.opname not in idle]
    others = [i for i in doing if i.opname not in (*loads, "RETURN_VALUE")]
    return not others and all(i.argval is None or i.argval is ... for i in doing if i.opname in loads)
