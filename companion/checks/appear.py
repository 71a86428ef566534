"""Show an answer in a notebook wherever its call stands: a notebook shows by itself what the last line of a cell gives.

What ``hint`` answers anywhere else in a cell would be lost, and the hint spent. So every answer waits until the cell
has ended; what was shown by then, by the last line or by ``print``, is not shown a second time.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_waiting: list[object] = []
_shells: list[object] = []


def wherever(function: Callable[P, T]) -> Callable[P, T]:
    """Let what a function returns appear in a notebook, also where its call is not the last line of a cell."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        answer = function(*args, **kwargs)
        if shell := _shell():
            if shell not in _shells:
                shell.events.register("post_run_cell", _cell_has_ended)
                _shells.append(shell)
            _waiting.append(answer)
        return answer

    return wrapped


def seen(answer: object) -> None:
    """Note that an answer is being shown; those that were asked for before it come first."""
    place = next((n for n, waiting in enumerate(_waiting) if waiting is answer), None)
    if place is not None:
        before = _waiting[:place]
        del _waiting[: place + 1]
        _display(before)


def _cell_has_ended(result: object = None) -> None:
    rest = list(_waiting)
    _waiting.clear()
    _display(rest)


def _display(answers: list[object]) -> None:
    if answers:
        from IPython.display import display

        display(*answers)


def _shell() -> Any:
    """Return the notebook's shell; nothing in a script or in plain Python, where IPython was never loaded."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None
