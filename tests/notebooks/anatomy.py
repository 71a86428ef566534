"""What a chapter must hold: the counts and the order of its parts in one place, and how the tests read a notebook.

Counts are floors, not aims. ``00_start`` is short and exempt; each page of 20a-20f has a third of it.
"""

from __future__ import annotations

import html
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from myst_parser.mdit_to_docutils.base import default_slugify

from companion import study

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))  # the course's own tools: notebooks, build_site, lock

Cell = dict[str, Any]

AT_LEAST = {
    "words of prose": 3500,
    "figures": 10,
    "interactive figures": 2,
    "quiz questions": 10,
    "flashcards": 10,
    "exercises": 6,
    "mistakes of an exercise": 4,
    "exercises with variants": 1,
    "pitfalls": 3,
    "sources": 6,
    "beliefs broken": 2,
    "characters of alt text": 40,
}
#: Pages of one application each: two exercises, one interactive figure, a third of the rest.
AT_LEAST_IN_A_PART = {
    **{name: -(-floor // 3) for name, floor in AT_LEAST.items()},
    "interactive figures": 1,
    "exercises": 2,
    "mistakes of an exercise": AT_LEAST["mistakes of an exercise"],
    "characters of alt text": AT_LEAST["characters of alt text"],
}
LONGEST_CELL = 25
MEDIAN_CELL = 8  # lines; measured when the first chapters were done: 5, 6 and 6
EXEMPT = {"00"}
#: The second half of every chapter, in this order, and what a code cell of that part calls.
PARTS = {
    "Pitfalls": "",
    "Dialogue": "study.dialogue",
    "Summary": "study.summary",
    "Memory aids": "study.memory",
    "Flashcards": "study.flashcards",
    "Practice test": "study.quiz",
    "Open questions": "study.open_questions",
    "Exercises": "",
    "Further reading": "",
}
FIGURE, INTERACTIVE = "Figure: ", "Interactive figure: "
_MARKDOWN = MarkdownIt("commonmark").enable("table")


def floors(chapter: str) -> dict[str, int]:
    """Return the counts that hold for a chapter."""
    return AT_LEAST_IN_A_PART if re.fullmatch(r"20[a-f]", chapter) else AT_LEAST


def page(chapter: str) -> Path:
    """Return a chapter's notebook."""
    return next((ROOT / "book").glob(f"{chapter}_*.ipynb"))


def by_status(status: str) -> list[str]:
    """Return the chapters with this status in their aids, without those that are exempt."""
    return [c for c in study.chapters() if c not in EXEMPT and study.load(c).status == status]


def read(path: Path) -> list[Cell]:
    """Return a notebook's cells with their sources as text."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in cells]


def tags(cell: Cell) -> list[str]:
    """Return a cell's tags."""
    return cell["metadata"].get("tags", [])


def markdown(cells: Iterable[Cell]) -> str:
    """Return the text of all markdown cells."""
    return "\n\n".join(c["source"] for c in cells if c["cell_type"] == "markdown")


def output(cell: Cell) -> str:
    """Return what a code cell has stored, as one text."""
    parts = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.get("outputs", [])]
    return "\n".join("".join(part) for part in parts)


def sections(cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    """Return the cells under each heading of level 2; a cell that holds such a heading is cut there."""
    found: dict[str, list[Cell]] = {"": []}
    here = ""
    for cell in cells:
        if cell["cell_type"] != "markdown":
            found[here].append(cell)
            continue
        for piece in re.split(r"(?m)^(?=## )", cell["source"]):
            if piece.startswith("## "):
                here = piece.splitlines()[0][3:].strip()
                found.setdefault(here, [])
            found[here].append({**cell, "source": piece})
    return found


def without_math(text: str) -> str:
    """Return Markdown without code and formulas."""
    text = re.sub(r"(?ms)^(```|~~~).*?^\1", " ", text)
    text = re.sub(r"`[^`\n]*`", " ", text)
    text = re.sub(r"\$\$.*?\$\$", " ", text, flags=re.S)
    return re.sub(r"(?<!\\)\$[^$\n]+\$", " ", text)


def rendered(text: str) -> str:
    """Return Markdown as a renderer without any extension of ours shows it."""
    return _MARKDOWN.render(text)


def words(text: str) -> int:
    """Count the words of prose that are read: no code, no formulas, no addresses."""
    plain = html.unescape(re.sub(r"<[^>]+>", " ", rendered(without_math(text))))
    return len(re.findall(r"[^\W\d_][\w’'-]*", plain))


def headings(text: str) -> list[tuple[int, str]]:
    """Return level and words of each heading."""
    tokens = _MARKDOWN.parse(text)
    return [(int(t.tag[1]), tokens[k + 1].content) for k, t in enumerate(tokens) if t.type == "heading_open"]


def anchors(path: Path) -> set[str]:
    """Return the anchors that the site gives the headings of a page (levels 1 to 3)."""
    text = markdown(read(path)) if path.suffix == ".ipynb" else path.read_text(encoding="utf-8")
    return {default_slugify(re.sub(r"[`*]", "", title)) for level, title in headings(text) if level <= 3}


def links(text: str) -> list[str]:
    """Return the addresses that a text links to."""

    def walk(tokens: Iterable[Any]) -> Iterator[str]:
        for token in tokens:
            if token.type == "link_open":
                yield token.attrs["href"]
            yield from walk(token.children or [])

    return list(walk(_MARKDOWN.parse(text)))


def figures(cells: Iterable[Cell]) -> list[str]:
    """Return the stored text of each figure; study aids are none."""
    found = [output(c) for c in cells if c["cell_type"] == "code" and "aid" not in tags(c)]
    return [t for text in found for t in re.split(rf"(?m)^(?={FIGURE}|{INTERACTIVE})", text) if is_figure(t)]


def is_figure(text: str) -> bool:
    """Say whether a stored text is a figure's."""
    return text.startswith((FIGURE, INTERACTIVE))


def alt_text(figure: str) -> str:
    """Return the alt text in a figure's stored text."""
    found = re.search(r"^Alt text: (.*)", figure, flags=re.M)
    return found[1] if found else [*figure.splitlines(), "", ""][1]
