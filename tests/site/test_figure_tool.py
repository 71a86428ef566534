"""`make figure` writes a figure that passes the tests all figures share, refuses in one sentence, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from copies import contents, of_the_repository, run

NAME = "loss_bowl"
NEW = [
    f"companion/figures/{NAME}.py",
    f"companion/figures/js/{NAME}.js",
    f"tests/site/js/{NAME}.test.mjs",
    f"tests/site/test_{NAME}_browser.py",
]


@pytest.fixture
def copy(tmp_path):
    return of_the_repository(tmp_path)


def made(copy: Path, *words: str):
    return run(copy, "tools/figure.py", *(words or (NAME, "04", "A bowl of losses")))


def test_new_figure_is_in_the_gallery_and_passes(copy):
    before = contents(copy)
    done = made(copy)
    assert done.returncode == 0, done.stderr
    after = contents(copy)
    assert sorted(set(after) - set(before)) == sorted(NEW)
    assert {path for path in before if before[path] != after[path]} == {"companion/figures/__init__.py"}
    shown = run(copy, "-c", f"from companion import figures; print(figures.GALLERY['{NAME}'], figures.{NAME}().text)")
    assert "chapter='04', title='A bowl of losses'" in shown.stdout
    tests = run(
        copy,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/companion/test_figures.py",
        "tests/site/test_js.py",
        "-k",
        f"{NAME} or files_of_a_page or what_a_module",
    )
    assert tests.returncode == 0, tests.stdout
    assert " passed" in tests.stdout
    for tool in (("ruff", "check"), ("ruff", "format", "--check")):
        linted = run(copy, "-m", *tool, "companion/figures", *(p for p in NEW if p.endswith(".py")))
        assert linted.returncode == 0, linted.stdout


@pytest.mark.browser
@pytest.mark.slow
def test_new_figure_answers_in_the_browser(copy):
    assert made(copy).returncode == 0
    wanted = ("tests/site/test_controls_browser.py", f"tests/site/test_{NAME}_browser.py", "-k", NAME)
    tests = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *wanted)
    assert tests.returncode == 0, tests.stdout
    assert " passed" in tests.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("Bowl", "04", "A bowl"), "NAME expected two or more lowercase words"),
        (("bowl", "04", "A bowl"), "NAME expected two or more lowercase words"),
        (("loss_bowl", "4", "A bowl"), "CHAPTER expected two digits"),
        (("loss_bowl", "26", "A bowl"), "CHAPTER expected two digits"),
        (("loss_bowl", "04", "<b>"), "TITLE expected"),
        (("neuron_boundary", "01", "Again"), "there is a figure neuron_boundary already"),
    ],
    ids=["capital", "one word", "one digit", "no such chapter", "markup", "taken"],
)
def test_refusal_is_one_sentence_and_changes_nothing(copy, words, told):
    before = contents(copy)
    done = made(copy, *words)
    assert done.returncode != 0
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert contents(copy) == before


def test_template_that_does_not_run_leaves_nothing(copy):
    template = copy / "tools" / "templates" / "figure" / "figure.txt"
    template.write_text(template.read_text(encoding="utf-8").replace("right=1", "right=7"), encoding="utf-8")
    before = contents(copy)
    done = made(copy)
    assert done.returncode != 0
    assert "nothing was written" in done.stderr
    assert "right expected the place of one of 3 different guesses" in done.stderr
    assert contents(copy) == before
