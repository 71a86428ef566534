"""Experiments that need more than a chapter's minute: run once, recorded in the package, and tried again in small by the chapter.

``make experiments NAME=ablation`` runs one and writes ``companion/recorded/ablation.json``. A test refuses a recording that was made
by other code than that which stands here, so a number in it can always be made again.
"""

from __future__ import annotations

import ast
import hashlib
import json
from functools import cache
from importlib import import_module
from importlib.resources import files
from types import ModuleType
from typing import Any, NamedTuple

from companion.errors import bad_value

#: Each is a module of this package with a function ``run() -> results``, made of numbers, texts, lists and dictionaries.
NAMES = ("ablation", "patients", "reliability", "search", "search_race", "stopping", "threads")

__all__ = ["NAMES", "Recording", "fingerprint", "module", "recorded"]


class Recording(NamedTuple):
    """What came out, and how it was made.

    Attributes:
        results: What the experiment returned.
        made: Date, seconds, machine and versions.
        code: The fingerprint of the code that ran.
    """

    results: dict[str, Any]
    made: dict[str, Any]
    code: str


def _require(name: str) -> None:
    if name not in NAMES:
        raise bad_value("experiments", "name", f"one of {', '.join(NAMES)}", name)


def module(name: str) -> ModuleType:
    """Return the module of an experiment.

    Raises:
        ValueError: If there is none of that name.
    """
    _require(name)
    return import_module(f"companion.experiments.{name}")


def fingerprint(name: str) -> str:
    """Return a hash of an experiment's code; comments, docstrings and line breaks do not change it.

    Raises:
        ValueError: If there is no experiment of that name.
    """
    _require(name)
    tree = ast.parse(files("companion.experiments").joinpath(f"{name}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]


@cache
def recorded(name: str) -> Recording:
    """Return what was recorded.

    Raises:
        ValueError: If there is no experiment of that name.

    >>> recorded("ablation").made["command"]
    'make experiments NAME=ablation'
    """
    _require(name)
    return Recording(**json.loads(files("companion").joinpath(f"recorded/{name}.json").read_text(encoding="utf-8")))
