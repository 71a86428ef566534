"""Code on the page: companion names lead to their API entry, long code has its output beside it where the window is wide.

``sphinx-codeautolink`` was tried first: it cannot read the set-up cell (``%pip``), so it knew no import and made no link, and its
titles are dotted names instead of what a function does.
"""

from __future__ import annotations

import ast
import html
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx

#: Output stands beside code of more lines than this; code of more columns wants a wider window for it.
LONG, WIDE = 12, 76
CELL = re.compile(
    r'(<div class="cell_input[^"]*">\s*<div class="highlight-[^"]*"><div class="highlight"><pre>)(.*?)(</pre>)', re.S
)
NAME = r'<span class="n\w*">[A-Za-z_][\w.]*</span>'
DOT = r'<span class="o">\.</span>'
CHAIN = re.compile(rf"{NAME}(?:{DOT}{NAME})*")
ASKED = re.compile(r'<p class="api-entry" data-api="([\w.]+)"></p>')


class Entry(NamedTuple):
    """Where the API documents a thing, and the first line of what it says."""

    page: str
    anchor: str
    line: str


def api(app: Sphinx) -> dict[str, Entry]:
    """Return the API entries by every dotted name under which a notebook may reach them."""
    if not hasattr(app, "neurons_api"):
        app.neurons_api = documented(app.env.domains["py"].objects)  # type: ignore[attr-defined]
    return app.neurons_api  # type: ignore[attr-defined, no-any-return]


def documented(objects: dict[str, Any]) -> dict[str, Entry]:
    """Return the entries of the companion in Sphinx' own list; a thing counts under its home's name too."""
    found: dict[str, Entry] = {}
    for name, place in objects.items():
        if not name.startswith("companion.") or place.objtype not in ("function", "class"):
            continue
        thing = reached(name)
        if thing is None:
            continue
        line = (inspect.getdoc(thing) or "").strip().split("\n")[0]
        entry = Entry(place.docname, place.node_id, line)
        found[name] = entry
        found.setdefault(f"{thing.__module__}.{thing.__qualname__}", entry)
    return found


def reached(name: str) -> Any:
    """Return what a dotted name leads to, or nothing.

    >>> reached("companion.functional.sigmoid").__name__, reached("companion.functional.nothing")
    ('sigmoid', None)
    """
    module, _, last = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), last, None)
    except ImportError:
        return None


def entry_of(name: str, known: dict[str, Entry]) -> Entry | None:
    """Return the API entry of a dotted name, also when the thing is documented under another one."""
    if name in known:
        return known[name]
    thing = reached(name)
    home = f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '')}"
    return known.get(home)


# ---- what the names of a page mean


def imported(cells: list[str]) -> dict[str, str]:
    """Return what each imported name of a page stands for; a name that the page gives to something else is left out.

    >>> imported(["from companion import functional as F\\nfrom companion.training import accuracy, fit", "accuracy = 3"])
    {'F': 'companion.functional', 'fit': 'companion.training.fit'}
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for tree in filter(None, map(parsed, cells)):
        for node in ast.walk(tree):
            found |= dict(bindings(node))
            taken |= given(node)
    return {name: full for name, full in found.items() if name not in taken or is_module(full)}


def parsed(code: str) -> ast.Module | None:
    """Return a cell's syntax tree; lines for the notebook's shell count as nothing."""
    try:
        return ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", code, flags=re.M))
    except SyntaxError:
        return None


def bindings(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the names that an import of the companion binds, with what they stand for."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "companion":
        for name in node.names:
            yield name.asname or name.name, f"{node.module}.{name.name}"
    elif isinstance(node, ast.Import):
        for name in node.names:
            if name.name.split(".")[0] == "companion":
                yield name.asname or "companion", name.name if name.asname else "companion"


def given(node: ast.AST) -> set[str]:
    """Return the names to which a piece of code gives a value of its own."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return {node.id}
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    return {node.arg} if isinstance(node, ast.arg) else set()


def is_module(name: str) -> bool:
    """Say whether a dotted name is a module: ``data.iris`` means the companion's even where a function has an argument ``data``."""
    return inspect.ismodule(reached(name)) or name == "companion"


# ---- HTML


def code_of(doctree: nodes.document | None) -> list[str]:
    """Return the source of every code cell of a page."""
    if doctree is None:
        return []
    boxes = [box for box in doctree.findall(nodes.container) if "cell_input" in box["classes"]]
    return [block.astext() for box in boxes for block in box.findall(nodes.literal_block)]


def linked(app: Sphinx, page: str, body: str, doctree: nodes.document | None) -> str:
    """Return a page's HTML with links from companion names to the API, once a name and cell."""
    names = imported(code_of(doctree))
    known = api(app)

    def cell(found: re.Match[str]) -> str:
        return found[1] + linked_cell(found[2], names, known, lambda entry: address(app, page, entry)) + found[3]

    def entry(found: re.Match[str]) -> str:
        place = entry_of(found[1], known)
        if place is None:
            return ""
        return f'<p class="api-entry"><a href="{address(app, page, place)}">Its entry in the API: {found[1]}</a></p>'

    return ASKED.sub(entry, CELL.sub(cell, body) if names else body)


def address(app: Sphinx, page: str, entry: Entry) -> str:
    """Return the address of an API entry as seen from a page."""
    return f"{app.builder.get_relative_uri(page, entry.page)}#{entry.anchor}"


def linked_cell(code: str, names: dict[str, str], known: dict[str, Entry], where: Any) -> str:
    """Return highlighted code in which the first use of each companion name is a link; its title says what the thing does."""
    done: set[str] = set()

    def link(found: re.Match[str]) -> str:
        before, after = code[: found.start()], code[found.end() :]
        if re.search(rf"{DOT}$", before) or after.startswith('<span class="o">=</span>'):
            return found[0]  # an attribute of something else, or an argument's name
        spans = re.split(f"({DOT})", found[0])
        parts = [re.sub(r"<[^>]+>", "", span) for span in spans[::2]]
        full = ".".join([names.get(parts[0], ""), *parts[1:]])
        for length in range(len(parts), 0, -1):
            name = full if length == len(parts) else full.rsplit(".", len(parts) - length)[0]
            entry = entry_of(name, known) if name.startswith("companion.") else None
            if entry is None:
                continue
            if name in done:
                return found[0]
            done.add(name)
            inner, rest = "".join(spans[: 2 * length - 1]), "".join(spans[2 * length - 1 :])
            title = html.escape(entry.line, quote=True)
            return f'<a class="api" href="{where(entry)}" title="{title}">{inner}</a>{rest}'
        return found[0]

    return CHAIN.sub(link, code)


def beside(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Name the cells whose output may stand beside their code: long code, text as output, nothing folded."""
    for cell in doctree.findall(nodes.container):
        if "cell" not in cell["classes"] or any(c.startswith("tag_hide") for c in cell["classes"]):
            continue
        boxes = {
            kind: box for box in cell.children for kind in box.get("classes", []) if isinstance(box, nodes.container)
        }
        if "cell_input" not in boxes or "cell_output" not in boxes:
            continue
        code = "".join(block.astext() for block in boxes["cell_input"].findall(nodes.literal_block))
        shown = list(
            boxes["cell_output"].findall(lambda n: isinstance(n, (nodes.raw, nodes.image, nodes.literal_block)))
        )
        if len(code.splitlines()) > LONG and shown and all(map(_is_text, shown)):
            columns = max(map(len, code.splitlines()))
            cell["classes"] += ["beside"] if columns <= WIDE else ["beside", "wide-code"]


def _is_text(shown: nodes.Node) -> bool:
    """Tell lines of text, claims among them, from pictures and widgets."""
    return isinstance(shown, nodes.literal_block) or shown.astext().startswith('<pre class="claim">')


def connect(app: Sphinx) -> None:
    """Connect the hooks."""
    app.connect("doctree-resolved", beside, priority=900)
