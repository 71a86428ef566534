"""What is remembered: by one process, by two at once, after a kill, and where nothing can be written."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

import companion.checks
from companion.checks import asked, bank, check, forget, hint, needs, overview, progress, record, solution, versions
from companion.checks.overview import Row
from companion.checks.record import Entry, Record

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return a folder for progress whose name has a space and letters beyond ASCII; it is made on first use."""
    folder = tmp_path / "Mein Kurs – 演習"
    monkeypatch.setenv("NEURONS_HOME", str(folder))
    return folder


def restart():
    """Do what a restart of the kernel does to what was in memory."""
    record._records.clear()


def wrong(x, weight, bias):
    return x @ weight


def right(x, weight, bias):
    return x @ weight + bias


def seen(folder: Path) -> list[tuple[str, str, int, str, str]]:
    return [(e.what, e.exercise, e.number, e.status, e.cause) for e in Record(folder).entries()]


# -- what is kept -------------------------------------------------------------------------------------


def test_check_keeps_what_came_of_it_and_none_of_the_code(home):
    check("01.1", wrong)
    check("01.1", ...)
    check("01.1", right)
    check("01.1", 3)
    (mistake,) = {m.name for m in bank.get("01.1").mistakes} & {row[4] for row in seen(home)}
    assert seen(home) == [
        ("check", "01.1", 0, "wrong", mistake),
        ("check", "01.1", 0, "not attempted", ""),
        ("check", "01.1", 0, "right", ""),
        ("check", "01.1", 0, "wrong", "usage"),
    ]
    assert [p.name for p in home.iterdir()] == ["progress.sqlite3"]
    assert b"weight" not in (home / "progress.sqlite3").read_bytes()


def test_check_keeps_the_variant(home):
    (leaky_relu,) = bank.defined(bank.get("02.1", 1).source(), ["leaky_relu"]).values()
    check("02.1", leaky_relu, variant=1)
    assert seen(home) == [("check", "02.1", 1, "right", "")]


def test_unknown_exercise_is_not_kept(home):
    check("99.1", right)
    hint("99.1")
    solution("99.1", insist=True)
    assert not home.exists()


def test_asking_for_progress_makes_no_file(home):
    assert progress().in_a_row == 0
    assert not home.exists()


def test_import_does_nothing_with_files(home):
    code = "import sys, companion.checks; print('sqlite3' in sys.modules, 'companion.checks.record' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
    assert not home.exists()


@pytest.fixture
def opened(monkeypatch):
    """What is done with the file: for each opening its patience in seconds and the statements that follow."""
    openings = []

    def watched(*args, **options):
        connection, statements = CONNECT(*args, **options), []
        connection.set_trace_callback(statements.append)
        openings.append((options.get("timeout"), statements))
        return connection

    monkeypatch.setattr(sqlite3, "connect", watched)
    return openings


def test_keeping_costs_a_few_statements_however_much_is_kept(home, opened):
    kept = Record(home)
    for _ in range(300):
        kept.add("check", "01.1", 0, "right")
    assert len(opened) == 300
    first, second, *_, last = (len(statements) for _, statements in opened)
    assert last == second <= first
    assert 0 < last <= 6


def test_star_import_gives_the_public_names():
    names: dict = {}
    exec("from companion.checks import *", names)
    public = {"check", "hint", "solution", "progress", "forget", "needs", "Result", "Hint", "history"}
    assert set(names) - {"__builtins__"} == public == set(companion.checks.__all__)


@pytest.mark.parametrize("name", ["check", "hint", "solution", "progress", "forget", "needs"])
def test_public_functions_have_an_example_and_stay_functions(name):
    check("01.1", right), hint("01.1"), solution("01.1"), progress()  # these import modules of the package
    function = getattr(companion.checks, name)
    assert callable(function)
    assert ">>>" in function.__doc__


# -- hints and solutions ------------------------------------------------------------------------------


def test_hints_go_on_after_a_restart_and_in_another_process(home):
    assert hint("01.1").number == 1
    restart()
    code = "from companion.checks import hint; print(hint('01.1').number)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2"
    assert hint("01.1").number == 3
    assert hint("01.2").number == 1


def test_hint_by_number_and_the_next_is_the_first_unseen():
    assert hint("01.1", 2).number == 2
    assert [hint("01.1").number, hint("01.1").number] == [1, 3]
    assert hint("01.1", 0).number == 1
    assert hint("01.1", 99).number == len(bank.get("01.1").hints)


def test_after_the_last_hint_the_solution_is_named():
    for n in range(1, len(bank.get("01.1").hints) + 1):
        assert hint("01.1").number == n
    assert 'no hint is left; hint("01.1", 1) shows the first again, solution("01.1")' in repr(hint("01.1"))


def test_solution_is_shown_after_an_attempt():
    assert "try it first" in repr(solution("01.1"))
    check("01.1", ...)
    assert solution("01.1").source == ""
    assert 'solution("01.1", insist=True)' in solution("01.1").text
    check("01.1", wrong)
    assert solution("01.1").source == bank.get("01.1").source()
    assert [e.what for e in record.current().entries("01.1")] == ["check", "check", "solution"]


def test_solution_on_insisting_of_a_variant(home):
    shown = solution("02.1", insist=True, variant=1)
    assert shown.source == bank.get("02.1", 1).source() != bank.get("02.1").source()
    assert seen(home) == [("solution", "02.1", 1, "", "")]


def test_solution_is_code_in_text_and_in_html():
    shown = solution("01.2", insist=True)
    namespace: dict = {}
    exec("import torch\nfrom torch import Tensor\n" + shown.source, namespace)
    assert check("01.2", namespace["fires"]).status == "right"
    assert repr(shown).splitlines()[0] == f"01.2 {shown.title}, one of several ways:"
    page = shown._repr_html_()
    assert page.startswith("<figure><figcaption>01.2 ")
    assert "-&gt;" in page
    assert "->" not in page
    assert 'role="status"' in solution("01.1")._repr_html_()


# -- the table ----------------------------------------------------------------------------------------


def tried(*results: str, day: str = "2026-03-05") -> list[Entry]:
    """Return checks such as "01.1 right"."""
    return [Entry(f"{day}T12:00:00+01:00", "check", r[:4], 0, r[5:]) for r in results]


def test_table_shows_result_attempts_hints_and_points():
    check("01.1", wrong), check("01.1", wrong), check("01.2", ...), hint("01.1"), hint("01.1", 1), hint("01.1")
    before = {row.id: row for row in progress().rows}
    assert list(before) == bank.ids()
    one = bank.get("01.1")
    read = getattr(one, "read", "")
    assert before["01.1"] == Row("01.1", one.title, one.points, "wrong", 2, f"2 of {len(one.hints)}", read)
    assert (before["01.2"].status, before["01.2"].attempts) == ("not attempted", 0)
    check("01.1", right), solution("01.1"), check("01.1", wrong)
    after = progress("01")
    assert (after.rows[0].status, after.rows[0].attempts) == ("right", 4), "once right it stays right"
    assert after.rows[0].hints.endswith(", solution")
    total = sum(bank.get(i).points for i in bank.ids("01"))
    assert f"Chapter 01: {one.points} of {total} points" in repr(after).splitlines()
    assert repr(after).startswith(f"Your progress: 1 of {len(bank.ids('01'))} exercises right, {one.points} of {total}")


def test_what_to_read_again_is_named_until_it_is_right():
    entries = tried("01.1 wrong", "01.2 right")
    first, second, third = overview.overview(entries, "01").rows[:3]
    assert (first.read, second.read, third.read) == ("The weighted sum", "", "Learning from mistakes")
    assert "Learning from mistakes" in repr(overview.overview(entries, "01"))


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], 0),
        (["01.1 right"], 1),
        (["01.1 right", "01.1 right", "01.2 right"], 2),
        (["01.1 wrong", "01.1 right", "01.2 not attempted", "01.3 right"], 2),
        (["01.1 right", "01.2 right", "01.3 wrong"], 0),
    ],
)
def test_right_in_a_row_counts_different_exercises_since_the_last_wrong_one(results, expected):
    shown = overview.overview(tried(*results))
    assert shown.in_a_row == expected
    assert ("in a row" in repr(shown)) == (expected > 1)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([5, 6, 7], 3),
        ([5, 6], 2),
        ([7], 1),
        ([4, 5], 0),
        ([1, 2, 4, 6, 7], 2),
    ],
)
def test_days_in_a_row_end_today_or_yesterday(days, expected):
    entries = [e for day in days for e in tried("01.1 wrong", day=f"2026-03-{day:02}")]
    shown = overview.overview(entries, today=date(2026, 3, 7))
    assert shown.days == expected
    assert ("days in a row" in repr(shown)) == (expected > 1)
    assert ("days in a row" in shown._repr_html_()) == (expected > 1)


class Tags(HTMLParser):
    """Collect the tags of a page and see that each is closed."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.stack = [], []
        self.feed(page)
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag


def test_html_table_has_a_caption_and_heads_for_columns_chapters_and_rows():
    tags = Tags(progress()._repr_html_()).tags
    assert [t for t, _ in tags[:2]] == ["table", "caption"]
    scopes = [attrs["scope"] for tag, attrs in tags if tag == "th"]
    assert scopes.count("col") == 6
    assert scopes.count("rowgroup") == len(bank.chapters())
    assert scopes.count("row") == len(bank.ids())


def test_progress_of_a_chapter_that_is_not_there_is_a_sentence():
    assert repr(progress("99")) == "progress: there is no chapter '99'; there are " + ", ".join(bank.chapters()) + "."
    assert 'in quotes: "02"' in repr(progress(2))
    assert "there is no chapter" in repr(progress([]))
    assert "there is no chapter" in progress(10**5000).text
    assert "<script>" not in progress("<script>")._repr_html_()
    assert progress("2").rows == progress("02").rows


# -- forgetting ---------------------------------------------------------------------------------------


def test_forget_asks_first_then_keeps_the_old_file(home, capsys):
    hint("01.1")
    forget()
    assert hint("01.1").number == 2
    for n in (1, 2):
        forget(insist=True)
        assert hint("01.1").number == 1
        assert f"progress.old-{n}.sqlite3" in capsys.readouterr().out
    with sqlite3.connect(home / "progress.old-1.sqlite3") as old:
        assert old.execute("SELECT count(*) FROM entries").fetchone() == (2,)
    old.close()


def test_forget_with_nothing_there_and_with_a_file_that_cannot_be_moved(home, capsys, monkeypatch):
    forget(insist=True)
    assert capsys.readouterr().out == "Your progress begins anew.\n"
    hint("01.1")

    def refuse(*paths):
        raise PermissionError(13, "in use")

    monkeypatch.setattr(os, "replace", refuse)
    forget(insist=True)
    assert "cannot be moved (in use); close other notebooks" in capsys.readouterr().out
    assert [p.name for p in home.iterdir()] == ["progress.sqlite3"]


# -- two at once, and a kill --------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from companion.checks.record import Record
kept = Record(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for n in range(int(sys.argv[3])):
    kept.add("check", sys.argv[2], n, "right")
    print(n, flush=True)
kept.flush()
"""


def writer(folder: Path, exercise: str, number: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), exercise, str(number)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def go(*processes: subprocess.Popen[str]) -> list[str]:
    """Let processes that are ready begin at once; return what they said as errors."""
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    said = []
    for process in processes:
        said.append(process.communicate(timeout=100)[1])
        assert process.returncode == 0, said
    return said


def test_two_processes_write_at_once_and_nothing_is_lost(home):
    said = go(writer(home, "01.1", 150), writer(home, "02.1", 150))
    assert said == ["", ""]
    for exercise in ("01.1", "02.1"):
        assert [e.number for e in Record(home).entries(exercise)] == list(range(150))
    assert [p.name for p in home.iterdir()] == ["progress.sqlite3"]


def test_two_processes_that_find_a_damaged_file_lose_nothing(home):
    home.mkdir()
    (home / "progress.sqlite3").write_bytes(b"not a database" * 300)
    said = go(writer(home, "01.1", 20), writer(home, "02.1", 20))
    assert "".join(said).count("was damaged") == 1
    rows = [e for path in home.glob("*.sqlite3") for e in entries_of(path)]
    assert sorted(rows) == [(e, n) for e in ("01.1", "02.1") for n in range(20)]


def test_a_file_that_another_notebook_has_just_begun_is_not_put_aside(home):
    home.mkdir()
    (home / "progress.sqlite3").write_bytes(b"")  # made, and not laid out yet
    Record(home)._mend()
    assert list(home.glob("progress.corrupt-*")) == []


def test_only_one_notebook_at_a_time_puts_a_damaged_file_aside(home, capsys):
    home.mkdir()
    (home / "progress.sqlite3").write_bytes(b"not a database" * 300)
    other = Record(home)
    with contextlib.closing(other._open(home / "progress.mending")) as mending:
        mending.execute("BEGIN EXCLUSIVE")
        other.add("hint", "01.1", 1)
        assert list(home.glob("progress.corrupt-*")) == []
        assert [e.number for e in other._waiting] == [1]
    other.flush()
    assert [e.number for e in other.entries()] == [1]
    assert capsys.readouterr().err.count("was damaged") == 1


def entries_of(path: Path) -> list[tuple[str, int]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT exercise, number FROM entries").fetchall()
    except sqlite3.DatabaseError:
        return []  # the damaged one
    finally:
        connection.close()


@pytest.mark.parametrize("after", [1, 40])
def test_a_kill_between_writes_loses_nothing(home, after):
    process = writer(home, "01.1", 100_000)
    process.stdin.write("\n")
    process.stdin.flush()
    for _ in range(after):
        last = int(process.stdout.readline())
    process.kill()
    rest = process.stdout.read().split("\n")[:-1]  # what it had said by then; the line after may be cut
    process.communicate(timeout=30)
    said = int(rest[-1]) if rest else last
    restart()
    numbers = [e.number for e in record.current().entries("01.1")]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) in (said + 1, said + 2), "written, and killed before it could say so"
    assert hint("01.1").number == 1
    assert record.current().notices == []


HALF = """
import sys, time
from pathlib import Path
from companion.checks.record import Record
kept = Record(Path(sys.argv[1]))
kept.add("hint", "01.1", 1)
connection = kept._open(kept.path)
connection.execute("PRAGMA cache_size = 2")  # pages go into the file before the transaction ends
connection.execute("BEGIN IMMEDIATE")
connection.executemany("INSERT INTO entries VALUES ('', 'check', '01.1', 0, ?, '')", [("x" * 500,)] * 5000)
print("half", flush=True)
time.sleep(100)
"""


def test_a_kill_in_the_middle_of_a_write_leaves_what_was_there(home):
    process = subprocess.Popen([sys.executable, "-c", HALF, str(home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "half\n"
    process.kill()
    process.communicate(timeout=30)
    assert (home / "progress.sqlite3-journal").stat().st_size > 0
    assert (home / "progress.sqlite3").stat().st_size > 1_000_000, "nothing had been written yet"
    assert hint("01.1").number == 2
    assert seen(home) == [("hint", "01.1", 1, "", ""), ("hint", "01.1", 2, "", "")]
    assert record.current().notices == []


def test_a_file_that_somebody_holds_is_written_later_and_nobody_waits_twice(home, opened):
    hint("01.1")
    holder = sqlite3.connect(home / "progress.sqlite3", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    opened.clear()
    assert hint("01.2").number == 1
    assert hint("01.2").number == 2, "what waits counts"
    waited = [patience for patience, _ in opened]
    assert waited[0] == record.PATIENCE
    assert set(waited[1:]) == {0.0}
    holder.execute("ROLLBACK")
    holder.close()
    assert hint("01.2").number == 3
    assert [row[:3] for row in seen(home)] == [("hint", "01.1", 1), *[("hint", "01.2", n) for n in (1, 2, 3)]]
    assert record.current().notices == []


# -- files that cannot be used ------------------------------------------------------------------------


def test_damaged_file_is_kept_aside_and_said_once(home, capsys):
    home.mkdir()
    for n in (1, 2):
        (home / "progress.sqlite3").write_bytes(b"not a database" * 300 * n)
        restart()
        check("01.1", right)
        aside = home / f"progress.corrupt-{n}.sqlite3"
        assert aside.read_bytes() == b"not a database" * 300 * n
        said = capsys.readouterr().err
        assert said == f"Your progress file was damaged. It is kept as {aside}, and a new one is begun.\n"
        check("01.1", right)
        assert capsys.readouterr().err == ""
        assert len(seen(home)) == 2


def test_damaged_page_missing_table_and_empty_file(home, capsys):
    kept = Record(home)
    for n in range(400):
        kept.add("check", "01.1", n, "right")
    path = home / "progress.sqlite3"
    content = bytearray(path.read_bytes())
    content[4096 : 2 * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    kept.add("check", "01.1", 400)
    progress()
    assert (home / "progress.corrupt-1.sqlite3").read_bytes()[4096] == 0xFF
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE entries")
    connection.close()
    kept.add("check", "01.1", 401)
    assert [e.number for e in kept.entries()] == [401]
    assert (home / "progress.corrupt-2.sqlite3").exists()
    path.write_bytes(b"")
    kept.add("check", "01.1", 402)
    assert [e.number for e in kept.entries()] == [402]
    assert len(list(home.glob("progress.corrupt-*"))) == 2


def test_journal_of_a_damaged_file_goes_with_it(home):
    home.mkdir()
    (home / "progress.sqlite3").write_bytes(b"not a database" * 300)
    (home / "progress.sqlite3-journal").write_bytes(b"of the old one")
    kept = Record(home)
    kept.add("hint", "01.1", 1)
    assert len(kept.entries()) == 1
    assert not (home / "progress.sqlite3-journal").exists()


def test_file_with_odd_values_is_read_as_text(home):
    Record(home).add("check", "01.1", 0, "right")
    with sqlite3.connect(home / "progress.sqlite3") as connection:
        connection.execute("INSERT INTO entries VALUES (3, x'ff', '01.1', 'many', 2.5, '')")
    connection.close()
    assert seen(home)[1] == ("\ufffd", "01.1", 0, "2.5", "")
    assert progress().rows[0].status == "right"


def test_file_of_a_newer_companion_is_left_alone(home, capsys):
    Record(home).add("check", "01.1", 0, "right")
    path = home / "progress.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {record.VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    assert [hint("01.1").number, hint("01.1").number] == [1, 2]
    assert path.read_bytes() == before
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "is of a newer companion than yours (" in said
    assert "for this session only" in said


def no_home():
    raise RuntimeError("Could not determine home directory.")


def full(path, **options):
    """Open a database that may not grow any more."""
    connection = CONNECT(path, **options)
    connection.execute("PRAGMA max_page_count = 1")
    return connection


CONNECT = sqlite3.connect


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda home, patch: home.write_text("a file"), "cannot be used (File exists)"),
        (lambda home, patch: patch.setenv("NEURONS_HOME", str(home / "a\0b")), "embedded null"),
        (lambda home, patch: (home / "progress.sqlite3").mkdir(parents=True), "unable to open database file"),
        (lambda home, patch: patch.setattr(sqlite3, "connect", full), "database or disk is full"),
        (lambda home, patch: patch.setitem(sys.modules, "sqlite3", None), "comes without SQLite"),
        (
            lambda home, patch: (patch.setenv("NEURONS_HOME", ""), patch.setattr(Path, "home", no_home)),
            "no home folder; NEURONS_HOME can name another",
        ),
    ],
    ids=["home is a file", "no file name", "file is a folder", "disk full", "no sqlite", "no home"],
)
def test_where_nothing_can_be_written_progress_is_kept_for_the_session(home, monkeypatch, capsys, spoil, reason):
    if reason == "embedded null":  # no environment variable can hold one
        record._records[str(home)] = Record(Path("a\0b"))
    else:
        spoil(home, monkeypatch)
    assert check("01.1", wrong).status == "wrong"
    assert [hint("01.1").number, hint("01.1").number] == [1, 2]
    assert solution("01.1").source
    assert progress().rows[0].attempts == 1
    said = capsys.readouterr().err
    assert said.startswith("Your progress is kept for this session only: ")
    assert reason in said
    assert said.count("\n") == 1


def test_disk_that_has_room_again_gets_what_waited(home, monkeypatch):
    monkeypatch.setattr(sqlite3, "connect", full)
    hint("01.1")
    monkeypatch.setattr(sqlite3, "connect", CONNECT)
    assert seen(home) == []
    hint("01.1")
    assert [row[2] for row in seen(home)] == [1, 2]


def test_nowhere_keeps_nothing_and_says_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NEURONS_HOME", record.NOWHERE)
    monkeypatch.chdir(tmp_path)
    assert [hint("01.1").number, hint("01.1").number] == [1, 2]
    restart()
    assert hint("01.1").number == 1
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr() == ("", "")


def test_without_the_variable_the_file_is_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("NEURONS_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    hint("01.1")
    assert seen(tmp_path / ".neurons-to-gans") == [("hint", "01.1", 1, "", "")]


# -- what was asked for -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), 'it needs the exercise and your function: check("01.1", weighted_sum)'),
        ((None,), "it needs the exercise and your function"),
        (([],), "it needs the exercise and your function"),
        ((2.3,), 'the number of an exercise is a text, in quotes: "02.3"'),
        ((2,), 'in quotes: "02.'),
        ((float("nan"),), 'in quotes: "'),
        ((10**5000,), 'in quotes: "'),
        (("2.3", right), "nearest is '02.3'"),
        (("2", right), "nearest is '02.1'"),
        (("", right), "there is no exercise ''"),
        (("01.1", net := type("Net", (), {})), "the class Net came instead of a function"),
        (("01.1", net()), "an object of type Net came instead of a function"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_check_of_something_else_is_one_sentence(given, said):
    shown = repr(check(*given))
    assert said in shown
    assert len(shown.splitlines()) == 1


def test_function_without_its_exercise_is_recognised_by_its_name():
    assert 'check("01.2", fires)' in repr(check(bank.get("01.2").reference[0]))


@pytest.mark.parametrize("ask", [check, hint, solution])
def test_unknown_exercise_names_the_nearest_and_the_version(ask, monkeypatch):
    monkeypatch.setattr(versions, "__version__", "0.1.0")
    said = repr(ask("02.33"))
    assert "nearest is '02.3'" in said
    assert "Your companion is 0.1.0; a newer one may have it." in said


@pytest.mark.parametrize("ask", [check, hint, solution])
def test_number_for_an_exercise_is_a_sentence(ask):
    assert 'in quotes: "02.3"' in repr(ask(2.3))


@pytest.mark.parametrize("variant", [9, -1, "x", None, 0.0, True])
def test_unknown_variant_is_one_sentence(variant):
    for shown in (check("02.1", right, variant=variant), solution("02.1", variant=variant)):
        assert "variant" in repr(shown)
        assert "newer" not in repr(shown)


@pytest.mark.parametrize("number", ["x", 1.5, True, []])
def test_hint_of_an_odd_number_is_one_sentence(number):
    assert repr(hint("01.1", number)) == 'hint: which of the 3 hints? For example hint("01.1", 1).'


def test_exercise_without_hints_says_so(monkeypatch):
    import dataclasses

    bare = dataclasses.replace(bank.get("01.1"), hints=())
    monkeypatch.setattr(asked, "find", lambda *given: bare)
    assert "no hint is left; there is none" in repr(hint("01.1"))
    assert "there is none" in repr(hint("01.1", 1))


# -- versions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "older"),
    [
        ("0.4.0", False), ("0.4", False), ("0.3.9", False), ("0.4.0rc1", False), ("0.4.1", True), ("0.10.0", True),
        ("1", True), ("", False), (None, False), (3, False), ("new", False), ("9" * 5000, True),
    ],
)  # fmt: skip
def test_needs_names_both_versions_where_the_companion_is_older(wanted, older, monkeypatch, capsys):
    monkeypatch.setattr(versions, "__version__", "0.4.0")
    monkeypatch.setattr(asked, "made_for", None)
    needs(wanted)
    said = capsys.readouterr().out
    assert said.count("\n") == older
    if older:
        assert f"made for companion {wanted}, and yours is 0.4.0" in said
        assert f"made for companion {wanted}" in repr(check("99.1", right))


def test_companion_that_was_never_installed_is_not_called_old(monkeypatch):
    monkeypatch.setattr(versions, "__version__", "0+unknown")
    assert versions.older_than("3.0") == ""


def test_notebooks_name_the_version_of_the_package():
    import tomllib

    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    paths = [*ROOT.glob("exercises/*.ipynb"), *ROOT.glob("solutions/*.ipynb")]
    assert len(paths) >= 4
    for path in paths:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        assert notebook["metadata"]["neurons_to_gans"] == {"version": version}
        assert f'needs("{version}")' in "".join(notebook["cells"][1]["source"] + notebook["cells"][2]["source"])


def test_commands_work_where_no_other_program_is(home, tmp_path):
    empty = tmp_path / "no programs"
    empty.mkdir()
    code = "import companion.cli as c; c.main()"
    for arguments in (["solution", "01.1", "--insist"], ["get", "01"]):
        environment = os.environ | {"PATH": str(empty)}
        done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=empty, env=environment, capture_output=True)
        assert done.returncode == 0, done.stderr
    assert [p.name for p in empty.iterdir()] == ["01_neurons.ipynb"]
