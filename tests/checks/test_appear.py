"""In a notebook an answer appears wherever its call stands in a cell, and once."""

from __future__ import annotations

import sys

import pytest

IPython = pytest.importorskip("IPython")
from IPython.core.interactiveshell import InteractiveShell  # noqa: E402
from IPython.utils.capture import capture_output  # noqa: E402

from companion.checks import appear, hint  # noqa: E402


@pytest.fixture
def run():
    """Return a function that runs a cell and gives what appears."""
    shell = InteractiveShell.instance()
    shell.run_cell("from companion.checks import check, hint, progress, solution", silent=True)

    def run(cell):
        with capture_output(display=False) as said:
            shell.run_cell(cell, store_history=False)
        return said.stdout

    yield run
    for shell_with_answers in appear._shells:
        shell_with_answers.events.unregister("post_run_cell", appear._cell_has_ended)
    appear._shells.clear()
    appear._waiting.clear()
    InteractiveShell.clear_instance()


@pytest.mark.parametrize(
    ("cell", "hints"),
    [
        ('hint("01.1")', [1]),
        ('hint("01.1")\nx = 1', [1]),
        ('hint("01.1");', [1]),
        ('h = hint("01.1")', [1]),
        ('h = hint("01.1")\nh', [1]),
        ('print(hint("01.1"))', [1]),
        ('print(hint("01.1"))\nx = 1', [1]),
        ('hint("01.1")\nhint("01.1")', [1, 2]),
        ('hint("01.1")\nhint("01.1")\nx = 1', [1, 2]),
        ('if True:\n    hint("01.1")', [1]),
        ('def f():\n    hint("01.1")\nf()', [1]),
        ('hint("01.1")\nraise ValueError("stop")', [1]),
        ('[hint("01.1"), hint("01.1")]', [1, 2]),
        ("x = 1", []),
    ],
)
def test_hint_appears_once_wherever_it_stands(run, cell, hints):
    text = run(cell)
    found = [n for n in range(1, 4) for _ in range(text.count(f"01.1 hint {n} of"))]
    assert found == hints, text
    places = [text.index(f"01.1 hint {n} of") for n in hints]
    assert places == sorted(places), "in the order in which they were asked for"


def test_hint_is_not_shown_again_by_a_later_cell(run):
    run('h = hint("01.1")')
    assert "hint 1" not in run("x = 1")
    assert run("h").count("01.1 hint 1 of") == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ('solution("01.1", insist=True)', "01.1 Weighted sum, one of several ways"),
        ("progress()", "Your progress: "),
        ('check("01.1", lambda x, weight, bias: x @ weight)', "01.1 wrong: "),
    ],
)
def test_other_answers_appear_once_too(run, call, words):
    for cell in (call, f"{call}\nx = 1", f"x = {call}"):
        assert run(cell).count(words) == 1, cell


def test_outside_a_notebook_nothing_is_shown_or_kept(capsys):
    hint("01.1")
    assert appear._waiting == []
    assert capsys.readouterr().out == ""


def test_where_ipython_was_never_loaded_it_is_not_asked(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython")
    assert appear._shell() is None
