"""See whether a ready-made function does the work that the learner is to do. Best effort: it can only lower a result."""

from __future__ import annotations

import dis
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, FunctionType, ModuleType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode, resolve_name

LIBRARIES = ("companion", "scipy", "sklearn")
"""Packages in which what an exercise asks for may stand ready-made; torch is watched while it runs."""


class _Watcher(TorchFunctionMode):
    """Note which of the watched torch functions are called."""

    def __init__(self, names: Sequence[str], facts: dict[str, str]) -> None:
        super().__init__()
        self.names, self.facts = set(names), facts

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = resolve_name(func) or f"{func.__module__}.{getattr(func, '__qualname__', '')}"
        if name.removeprefix("torch.") in self.names:
            self.facts["used"] = name
        return func(*args, **(kwargs or {}))


def watched(function: Callable[..., Any], names: Sequence[str], facts: dict[str, str]) -> Callable[..., Any]:
    """Return the same function; the torch functions named are noted in ``facts["used"]`` when it calls them.

    Names from watched libraries are looked for in the code, by :func:`ready_made`: no call of torch tells of them.
    """
    names = [name for name in names if not any(is_in(name, library) for library in LIBRARIES)]
    if not names:
        return function

    @functools.wraps(function, updated=())
    def noted(*args: Any) -> Any:
        with _Watcher(names, facts):
            return function(*args)

    return noted


def ready_made(thing: object, allowed: Sequence[str] = (), names: Sequence[str] = ()) -> str:
    """Return the first name from a watched library that a function's code, or code of the learner's it calls, mentions.

    Args:
        thing: the learner's function.
        allowed: what it may mention of the libraries.
        names: what it may not use of torch. Of these the modules count here: what is in them is made of functions that
            are allowed, so that no call tells of it.

    >>> from companion.functional import softmax
    >>> ready_made(lambda z: softmax(z, dim=1))
    'companion.functional.shares.softmax'
    """
    modules = [f"torch.{name}" for name in names if isinstance(_part(torch, name), ModuleType)]
    for name in (_imported_as(thing), *_mentioned(thing, set())):
        if any(is_in(name, known) for known in (*LIBRARIES, *modules)) and not any(is_in(name, a) for a in allowed):
            return name
    return ""


def _part(module: ModuleType, name: str) -> Any:
    """Return what a dotted name stands for in a module, or ``None``."""
    part: Any = module
    for step in name.split("."):
        part = getattr(part, step, None)
    return part


def is_in(name: str, whole: str) -> bool:
    """Return whether a dotted name is another one or lies below it."""
    return name == whole or name.startswith(f"{whole}.")


def _imported_as(thing: object) -> str:
    """Return the name under which a function or class can be imported, if it can: then it was not written here."""
    name = _full_name(thing)
    module, _, own = name.rpartition(".")
    return name if own and getattr(sys.modules.get(module), own, None) is thing else ""


def _mentioned(thing: object, seen: set[int]) -> Iterator[str]:
    """Yield the full names of the modules, functions and classes that a piece of code mentions."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, type):
        for part in vars(thing).values():
            yield from _mentioned(getattr(part, "__func__", part), seen)
    if type(thing) is not FunctionType:
        return
    cells = dict(zip(thing.__code__.co_freevars, thing.__closure__ or ()))
    for code in _codes(thing.__code__):
        for found in _objects(code, thing.__globals__, cells):
            if isinstance(found, str):
                yield found
            elif name := _full_name(found):
                yield name
                if name.split(".")[0] not in (*LIBRARIES, "torch", "numpy", "builtins"):
                    yield from _mentioned(found, seen)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _objects(code: CodeType, names: dict[str, Any], cells: dict[str, Any]) -> Iterator[object]:
    """Yield what a code's names stand for; of a chain such as ``a.b.c`` its end, and the text of an import."""
    now: object = None
    imported, whole = "", False
    for step in dis.get_instructions(code):
        if whole and step.opname != "IMPORT_FROM":
            yield imported  # the module itself, and not something out of it
        whole = step.opname == "IMPORT_NAME"
        if step.opname in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(now, ModuleType):
            now = getattr(now, step.argval, None)
            continue
        if now is not None:
            yield now
        now = None
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            now = names.get(step.argval)
        elif step.opname == "LOAD_DEREF" and step.argval in cells:
            now = _content(cells[step.argval])
        elif step.opname == "IMPORT_NAME":
            imported = step.argval
        elif step.opname == "IMPORT_FROM":
            yield f"{imported}.{step.argval}"


def _content(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _full_name(found: object) -> str:
    if isinstance(found, ModuleType):
        return found.__name__
    module, name = getattr(found, "__module__", None), getattr(found, "__qualname__", None)
    return f"{module}.{name}" if type(module) is str and type(name) is str else ""
