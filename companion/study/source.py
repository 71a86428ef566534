"""The source of a function of the companion, read from the package's own file, as a notebook shows it."""

from __future__ import annotations

import html
import inspect
import sys
from typing import Any

from companion.errors import bad_type
from companion.study.aids import Panel


def source(thing: Any) -> Panel:
    """Show a function or class of the companion as its own file has it, folded.

    Args:
        thing: what to show, for example ``F.sigmoid``; the notebook's file keeps its signature and the first line of its docstring.
    """
    home = getattr(thing, "__module__", "") or ""
    if not (inspect.isfunction(thing) or inspect.isclass(thing)) or home.split(".")[0] != "companion":
        hint = "pass the function itself, without brackets: source(F.sigmoid)"
        raise bad_type("source", "thing", "a function or class of the companion", thing, hint)
    parts = home.split(".")
    outer = (".".join(parts[:n]) for n in range(1, len(parts) + 1))
    word = str(thing.__name__)
    name = next(f"{m}.{word}" for m in outer if getattr(sys.modules[m], word, None) is thing)
    asked = inspect.signature(thing)
    bare = asked.replace(
        parameters=[p.replace(annotation=p.empty) for p in asked.parameters.values()], return_annotation=asked.empty
    )
    line = (inspect.getdoc(thing) or "").split("\n")[0]
    from pygments import highlight  # comes with IPython, so wherever a notebook runs
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    code = highlight(inspect.getsource(thing), PythonLexer(), HtmlFormatter(nowrap=True))
    shown = html.escape(name)
    body = (
        f'<details class="source"><summary>Source of <code>{shown}</code></summary>'
        f'<div class="highlight"><pre>{code}</pre></div><p class="api-entry" data-api="{shown}"></p></details>'
    )
    return Panel(body, f"Source of {name}{bare}\n{line}")
