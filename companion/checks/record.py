"""What you have done so far, kept in one file on your machine: which exercise, when, and what came of it.

None of your code is in it and none of its values, and nothing is sent. The file is ``progress.sqlite3`` in the
folder that ``NEURONS_HOME`` names, else in ``~/.neurons-to-gans``; ``NEURONS_HOME=:memory:`` keeps nothing.

Each write is a transaction of its own over a connection of its own, so that two notebooks may write at once
and a process may be killed at any moment. It does not wait for the disk, which would cost more than most
checks; what only a power cut can do, a damaged file, is kept aside. What cannot be written stays in memory,
and the next write tries again.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import sys
from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from companion import __version__

if TYPE_CHECKING:
    import sqlite3

VERSION = 1
"""Of the file's layout. A file of a higher one was written by a newer companion and is left alone."""
NOWHERE = ":memory:"
"""What ``NEURONS_HOME`` holds where nothing is to be kept: in the builds and tests of the course."""
PATIENCE = 0.5
"""Seconds to wait for another notebook that is writing."""
LATER = (5, 6)  # SQLITE_BUSY, SQLITE_LOCKED
DAMAGED = (1, 11, 26)  # SQLITE_ERROR (a table is missing), SQLITE_CORRUPT, SQLITE_NOTADB
LAYOUT = (
    "CREATE TABLE IF NOT EXISTS entries (at TEXT NOT NULL, what TEXT NOT NULL, exercise TEXT NOT NULL, "
    "number INTEGER NOT NULL, status TEXT NOT NULL, cause TEXT NOT NULL)"
)
# The casts make text of what a damaged page may hold instead.
READ = (
    "SELECT CAST(at AS TEXT), CAST(what AS TEXT), CAST(exercise AS TEXT), CAST(number AS INTEGER), "
    "CAST(status AS TEXT), CAST(cause AS TEXT) FROM entries"
)
T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """One thing that happened.

    Attributes:
        at: when, in local time with its offset, such as ``"2026-03-01T18:30:00+01:00"``.
        what: ``"check"``, ``"hint"`` or ``"solution"``.
        exercise: its number.
        number: of the variant, or of the hint.
        status: what the check said.
        cause: the known mistake that was recognised, or else the kind of fault.
    """

    at: str
    what: str
    exercise: str
    number: int
    status: str = ""
    cause: str = ""


class _Newer(Exception):
    """The file was written by a newer companion."""


class Record:
    """Entries in one folder, or in memory only.

    Args:
        folder: where the file is to be; ``None`` for none.
        reason: why there is no folder, if that is worth a sentence.

    >>> record = Record(None)
    >>> record.add("hint", "01.1", 2)
    >>> [(entry.exercise, entry.number) for entry in record.entries()]
    [('01.1', 2)]
    """

    def __init__(self, folder: Path | None, reason: str = "") -> None:
        self.path = folder / "progress.sqlite3" if folder else None
        self.keeps: tuple[str, ...] = ("check", "hint", "solution")
        self.notices: list[str] = []
        self._waiting: list[Entry] = []  # not in the file yet
        self._patience = PATIENCE
        self._reason = reason

    def add(self, what: str, exercise: str, number: int, status: str = "", cause: str = "") -> None:
        """Keep one thing that happened now."""
        if what not in self.keeps:
            return
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        self._waiting.append(Entry(now, what, exercise, number, status, cause))
        if self._reason:
            self._session_only(self._reason)
        self.flush()

    def entries(self, exercise: str | None = None) -> list[Entry]:
        """Return what happened, in order; of one exercise, if one is named."""

        def read(connection: sqlite3.Connection) -> list[Entry]:
            only, given = (" WHERE exercise = ?", (exercise,)) if exercise else ("", ())
            return [Entry(*row) for row in connection.execute(f"{READ}{only} ORDER BY rowid", given)]

        kept = self._with_file(read) if self.path and os.path.exists(self.path) else None
        return (kept or []) + [e for e in self._waiting if exercise in (None, e.exercise)]

    def flush(self) -> None:
        """Write what waits; whatever keeps it from being written, it goes on waiting."""

        def write(connection: sqlite3.Connection) -> int:
            rows = [astuple(entry) for entry in self._waiting]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
            return len(rows)

        if self.path and self._waiting:
            del self._waiting[: self._with_file(write) or 0]

    def forget(self) -> Path | None:
        """Begin anew; return where the old file is kept, if there was one.

        Raises:
            OSError: if the file cannot be moved.
        """
        self._waiting.clear()
        return self._put_aside("old") if self.path and os.path.exists(self.path) else None

    # -- the file ---------------------------------------------------------------------------------

    def _with_file(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do some work on the file; return ``None`` and say why, once, where that cannot be."""
        try:
            import sqlite3
        except ImportError:
            self._session_only("this Python comes without SQLite")
            return None
        try:
            try:
                done = self._work(work)
            except sqlite3.Error as error:
                if _code(error) not in DAMAGED:
                    raise
                self._mend()
                done = self._work(work)
        except _Newer:
            self._session_only(f"{self.path} is of a newer companion than yours ({__version__}), and stays as it is")
        except sqlite3.Error as error:
            if _code(error) in LATER:
                self._patience = 0.0  # somebody holds the file: do not wait at every check
                atexit.register(self.flush)
            else:
                self._session_only(f"{self.path} cannot be used ({error})")
        except (OSError, ValueError) as error:
            self._session_only(f"{self.path} cannot be used ({getattr(error, 'strerror', None) or error})")
        else:
            self._patience = PATIENCE
            return done
        return None

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        assert self.path is not None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(self._open(self.path)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise _Newer
            if version < VERSION:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(LAYOUT)
                connection.execute(f"PRAGMA user_version = {VERSION}")
                connection.execute("COMMIT")
            return work(connection)

    def _open(self, path: Path) -> sqlite3.Connection:
        import sqlite3

        connection = sqlite3.connect(str(path), timeout=self._patience, isolation_level=None)
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    def _mend(self) -> None:
        """Put a damaged file aside, unless another notebook has done so meanwhile.

        Only one notebook at a time looks and moves: a second one would move what the first has begun anew, and with
        it the journal of a write under way, which takes that write back.
        """
        assert self.path is not None
        with contextlib.closing(self._open(self.path.with_suffix(".mending"))) as only_one:
            only_one.execute("BEGIN EXCLUSIVE")
            if self._is_damaged():
                aside = self._put_aside("corrupt")
                self._say(f"Your progress file was damaged. It is kept as {aside}, and a new one is begun.")

    def _is_damaged(self) -> bool:
        import sqlite3

        assert self.path is not None
        try:
            with contextlib.closing(self._open(self.path)) as connection:
                connection.execute("BEGIN")  # version and table as of one moment: another notebook may be at the layout
                if connection.execute("PRAGMA user_version").fetchone() != (0,):
                    connection.execute(f"{READ} LIMIT 0")
                return bool(connection.execute("PRAGMA quick_check").fetchone() != ("ok",))
        except sqlite3.Error as error:
            if _code(error) not in DAMAGED:
                raise
            return True

    def _put_aside(self, word: str) -> Path:
        """Move the file, and a journal that belongs to it, to the first free name."""
        assert self.path is not None
        for n in itertools.count(1):
            target = self.path.with_name(f"progress.{word}-{n}.sqlite3")
            try:
                os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))  # nobody else gets this name
                break
            except FileExistsError:
                continue
        try:
            os.replace(self.path, target)
        except OSError:
            target.unlink()
            raise
        with contextlib.suppress(FileNotFoundError):  # left behind, it would be played into the new file
            os.replace(f"{self.path}-journal", f"{target}-journal")
        return target

    # -- what is said -----------------------------------------------------------------------------

    def _session_only(self, reason: str) -> None:
        self._say(f"Your progress is kept for this session only: {reason}.")

    def _say(self, sentence: str) -> None:
        if sentence not in self.notices:
            self.notices.append(sentence)
            print(sentence, file=sys.stderr)


_records: dict[str, Record] = {}


def current() -> Record:
    """Return the record in the folder that the environment names now."""
    home = os.environ.get("NEURONS_HOME", "")
    if home not in _records:
        _records[home] = _made(home)
    return _records[home]


def _made(home: str) -> Record:
    if home == NOWHERE:
        return Record(None)
    try:
        return Record(Path(home).expanduser().absolute() if home else Path.home() / ".neurons-to-gans")
    except (OSError, RuntimeError):
        return Record(None, "there is no home folder; NEURONS_HOME can name another")


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's number for an error without its details; -1 if it has none."""
    code = getattr(error, "sqlite_errorcode", -1)
    return code & 0xFF if code >= 0 else code
