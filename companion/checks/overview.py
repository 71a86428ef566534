"""What ``progress`` answers: a table of exercises, what to read again, and how many went well in a row."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from companion.checks import bank
from companion.checks.appear import seen
from companion.checks.record import Entry

_LEFT = ' style="text-align:left"'  # Jupyter aligns tables to the right
HEAD = ("exercise", "title", "result", "attempts", "hints", "where to read")


@dataclass(frozen=True)
class Row:
    """How far one exercise is. ``read`` is the section that explains it, empty once it is right."""

    id: str
    title: str
    points: int
    status: str
    attempts: int
    hints: str
    read: str = ""

    @property
    def chapter(self) -> str:
        """The number of its chapter."""
        return self.id[:2]

    @property
    def cells(self) -> tuple[str, ...]:
        """What the table shows, in the order of ``HEAD``."""
        attempts = str(self.attempts) if self.attempts else ""
        return (self.id, self.title, self.status, attempts, self.hints, self.read)


@dataclass(frozen=True, repr=False)
class Progress:
    """The answer of :func:`companion.checks.progress`.

    Attributes:
        rows: one for each exercise.
        in_a_row: how many different exercises were right in the latest checks, with none wrong in between.
        days: on how many days in a row something was tried, up to today or yesterday.
        text: a sentence instead of a table, where there is nothing to show.
    """

    rows: tuple[Row, ...] = ()
    in_a_row: int = 0
    days: int = 0
    text: str = ""

    @property
    def head(self) -> str:
        """The line above the table."""
        right = sum(row.status == "right" for row in self.rows)
        return f"Your progress: {right} of {len(self.rows)} exercises right, {_reached(self.rows)}"

    @property
    def chapters(self) -> list[tuple[str, list[Row]]]:
        """The rows by chapter, each with a line that sums them up."""
        by_chapter = [(c, list(rows)) for c, rows in groupby(self.rows, lambda row: row.chapter)]
        return [(f"Chapter {chapter}: {_reached(rows)}", rows) for chapter, rows in by_chapter]

    @property
    def streak(self) -> str:
        """What went well in a row; nothing where there is nothing to tell."""
        told = [f"{self.in_a_row} right in a row"] if self.in_a_row > 1 else []
        told += [f"{self.days} days in a row"] if self.days > 1 else []
        return ", ".join(told)

    def __repr__(self) -> str:
        seen(self)
        if self.text:
            return f"progress: {self.text}"
        table = iter(in_columns([HEAD, *(row.cells for row in self.rows)]))
        lines = [f"{self.head}.", "", next(table)]
        for title, rows in self.chapters:
            lines += [title, *(next(table) for _ in rows)]
        return "\n".join(lines + (["", f"{self.streak}."] if self.streak else []))

    def _repr_html_(self) -> str:
        seen(self)
        if self.text:
            return f'<div role="status"><strong>progress</strong>: {html.escape(self.text)}</div>'
        bodies = []
        for title, rows in self.chapters:
            group = f'<tr><th scope="rowgroup" colspan="{len(HEAD)}"{_LEFT}>{html.escape(title)}</th></tr>'
            bodies.append(f"<tbody>{group}{''.join(map(_html_row, rows))}</tbody>")
        columns = "".join(f'<th scope="col"{_LEFT}>{name}</th>' for name in HEAD)
        streak = f"<p>{self.streak}.</p>" if self.streak else ""
        return (
            f"<table><caption>{html.escape(self.head)}</caption><thead><tr>{columns}</tr></thead>"
            f"{''.join(bodies)}</table>{streak}"
        )


def overview(entries: Sequence[Entry], chapter: str | None = None, today: date | None = None) -> Progress:
    """Return how far the exercises are, of one chapter or of all.

    >>> overview([], "01").rows[0].status
    'not attempted'
    """
    by_exercise: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_exercise[entry.exercise].append(entry)
    rows = tuple(_row(number, by_exercise[number]) for number in bank.ids(chapter))
    tried = _tried(entries)
    return Progress(rows, _in_a_row(tried), _days({e.at[:10] for e in tried}, today or date.today()))


def attempted(entries: Sequence[Entry]) -> bool:
    """Return whether there is a check among them that found something to judge.

    >>> attempted([])
    False
    """
    return bool(_tried(entries))


def in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines of text whose cells stand below each other.

    >>> in_columns([("a", "1"), ("bcd", "2")])
    ['a    1', 'bcd  2']
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def _tried(entries: Sequence[Entry]) -> list[Entry]:
    return [e for e in entries if e.what == "check" and e.status != "not attempted"]


def _row(number: str, entries: Sequence[Entry]) -> Row:
    exercise = bank.get(number)
    tried = _tried(entries)
    if any(e.status == "right" for e in tried):
        status = "right"  # and stays so, whatever is tried afterwards
    else:
        status = "wrong" if tried else "not attempted"
    hints = len({e.number for e in entries if e.what == "hint"})
    seen = [f"{hints} of {len(exercise.hints)}"] if hints else []
    seen += ["solution"] if any(e.what == "solution" for e in entries) else []
    read = "" if status == "right" else exercise.read
    return Row(number, exercise.title, exercise.points, status, len(tried), ", ".join(seen), read)


def _in_a_row(tried: Sequence[Entry]) -> int:
    """Count the different exercises from the last wrong answer on: the same one checked twice counts once."""
    found: set[str] = set()
    for entry in reversed(tried):
        if entry.status != "right":
            break
        found.add(entry.exercise)
    return len(found)


def _days(days: set[str], today: date) -> int:
    day = today if today.isoformat() in days else today - timedelta(days=1)
    count = 0
    while day.isoformat() in days:
        count += 1
        day -= timedelta(days=1)
    return count


def _reached(rows: Sequence[Row]) -> str:
    return f"{sum(r.points for r in rows if r.status == 'right')} of {sum(r.points for r in rows)} points"


def _html_row(row: Row) -> str:
    first, *others = map(html.escape, row.cells)
    return f'<tr><th scope="row"{_LEFT}>{first}</th>{"".join(f"<td{_LEFT}>{cell}</td>" for cell in others)}</tr>'
