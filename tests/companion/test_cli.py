"""The command as a learner meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from companion import cli
from companion.checks import bank

ROOT = Path(__file__).resolve().parents[2]
run = CliRunner()


def neurons(*arguments: object):
    return run.invoke(cli.app, [str(a) for a in arguments])


def notebook(path: Path, *cells: str) -> Path:
    content = {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"{n:08x}",
                "metadata": {},
                "outputs": [],
                "source": s,
            }
            for n, s in enumerate(cells)
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


SETUP = "import torch\nfrom companion.checks import check, hint"


def test_list_names_every_exercise():
    result = neurons("list")
    assert result.exit_code == 0
    assert [line[:4] for line in result.output.splitlines()] == bank.ids()
    assert "02.3  Stable softmax (2 points)" in result.output


# -- get -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["02", "2"])
def test_get_copies_the_notebook_whole(tmp_path, asked):
    result = neurons("get", asked, "--to", tmp_path / "new")
    assert result.exit_code == 0
    copied = tmp_path / "new" / "02_activations.ipynb"
    assert copied.read_bytes() == (ROOT / "exercises" / copied.name).read_bytes()
    assert [p.name for p in copied.parent.iterdir()] == [copied.name]
    assert f"jupyter lab {copied}" in result.output


def test_get_never_overwrites(tmp_path):
    mine = tmp_path / "02_activations.ipynb"
    mine.write_text("hours of work")
    result = neurons("get", "02", "--to", tmp_path)
    assert result.exit_code == 2
    assert "already there and stays as it is" in result.output
    assert mine.read_text() == "hours of work"


def test_get_leaves_nothing_half_written(tmp_path, monkeypatch):
    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    result = neurons("get", "02", "--to", tmp_path)
    assert result.exit_code == 2
    assert "No space left on device" in result.output
    assert list(tmp_path.iterdir()) == []


def test_get_unknown_chapter_says_which_there_are(tmp_path):
    result = neurons("get", "77", "--to", tmp_path)
    assert result.exit_code == 2
    assert "there are: 01, 02" in result.output


def test_get_where_a_file_stands_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    result = neurons("get", "02", "--to", tmp_path / "file")
    assert result.exit_code == 2
    assert "cannot be made a folder" in result.output


# -- check -----------------------------------------------------------------------------------------


def test_check_of_the_solutions_is_all_right():
    result = neurons("check", ROOT / "solutions" / "01_neurons.ipynb")
    assert result.exit_code == 0, result.output
    total = sum(bank.get(i).points for i in bank.ids("01"))
    assert f"7 of 7 exercises right, {total} of {total} points." in result.output


def test_check_of_the_empty_exercises_is_not_attempted():
    result = neurons("check", ROOT / "exercises" / "01_neurons.ipynb")
    assert result.exit_code == 1
    assert result.output.count("not attempted") == 7
    assert "0 of 7 exercises right" in result.output


def test_check_of_wrong_answers_tells_each_in_one_sentence(tmp_path):
    path = notebook(
        tmp_path / "work.ipynb",
        SETUP,
        "def weighted_sum(x, weight, bias):\n    return x @ weight",
        "print('learner prints')\ncheck('01.1', weighted_sum)",
        "def fires(z, threshold):\n    return z.oops()",
        "def count_parameters(sizes, bias=True):\n    while True: pass",
        "def perceptron_update(x, target, weight, bias, lr):\n    ...",
        "raise ValueError('a cell that stops')",
        "def gate_network():\n    raise SystemExit",
    )
    result = neurons("check", path)
    assert result.exit_code == 1
    lines = {line[:4]: line for line in result.output.splitlines()}
    assert "wrong" in lines["01.1"]
    assert "the bias is missing." in lines["01.1"]
    assert "wrong" in lines["01.2"]
    assert "not attempted" in lines["01.3"]
    assert "not attempted" in lines["01.4"]
    assert "wrong" in lines["01.5"]
    assert "did not come to an end" in result.output
    assert "Code cell 7 stops with ValueError: a cell that stops." in result.output
    assert "learner prints" not in result.output


def test_check_counts_the_latest_answer(tmp_path):
    path = notebook(
        tmp_path / "work.ipynb",
        SETUP,
        "def weighted_sum(x, weight, bias):\n    return x @ weight\ncheck('01.1', weighted_sum)",
        "def weighted_sum(x, weight, bias):\n    return x @ weight + bias\ncheck('01.1', weighted_sum)",
    )
    assert "1 of 7 exercises right, 1 of 12 points" in neurons("check", path).output


def test_check_finds_functions_that_were_never_checked(tmp_path):
    path = notebook(
        tmp_path / "work.ipynb",
        SETUP,
        "def fires(z, threshold):\n    return (z >= threshold).to(z.dtype)",
        "if False:\n    check('01.2', fires)",
    )
    assert "1 of 7 exercises right" in neurons("check", path).output


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (None, "does not exist"),
        ("", "damaged"),
        ("{", "damaged"),
        ("[]", "not a notebook"),
        ('{"cells": 3}', "not a notebook"),
        ('{"cells": []}', "holds no exercise"),
        (b"\xff\xfe\x00", "damaged"),
    ],
)
def test_check_of_a_file_that_cannot_be_used_is_one_sentence(tmp_path, content, word):
    path = tmp_path / "work.ipynb"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        path.write_text(content)
    result = neurons("check", path)
    assert result.exit_code == 2
    assert word in result.output
    assert "Traceback" not in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_check_of_a_folder_is_one_sentence(tmp_path):
    result = neurons("check", tmp_path)
    assert result.exit_code == 2
    assert "cannot be read" in result.output


def test_check_of_an_unknown_exercise_says_so(tmp_path):
    path = notebook(tmp_path / "work.ipynb", SETUP, "check('99.1', print)")
    result = neurons("check", path)
    assert result.exit_code == 2
    assert "holds no exercise" in result.output


def test_check_of_a_notebook_that_never_ends_is_stopped(tmp_path):
    path = notebook(tmp_path / "work.ipynb", SETUP + "\nif False: check('01.1', None)", "while True: pass")
    result = neurons("check", path, "--timeout", 8)
    assert result.exit_code == 1
    assert "did not come to an end within 8 seconds" in result.output


def test_check_of_a_notebook_that_ends_python_says_so(tmp_path):
    path = notebook(tmp_path / "work.ipynb", SETUP + "\nif False: check('01.1', None)", "import os\nos._exit(3)")
    result = neurons("check", path)
    assert result.exit_code == 1
    assert "stopped the Python that ran it" in result.output


# -- hint, doctor, help ----------------------------------------------------------------------------


def test_hint_goes_from_nudge_to_nearly_there():
    first, last = neurons("hint", "02.3"), neurons("hint", "02.3", "--number", "3")
    assert first.exit_code == last.exit_code == 0
    assert first.output.startswith("02.3 hint 1 of 3: ")
    assert "neurons hint 02.3 --number 2" in first.output
    assert "The next one" not in last.output


def test_hint_for_an_unknown_exercise_names_the_nearest():
    result = neurons("hint", "02.33")
    assert result.exit_code == 2
    assert "nearest is '02.3'" in result.output


def test_doctor_says_one_line_for_each_thing():
    result = neurons("doctor")
    assert result.exit_code == 0, result.output
    assert [line.split(":")[0] for line in result.output.splitlines()] == [
        "ok    Python",
        "ok    PyTorch",
        "ok    Interactive figures",
        "ok    Exercise notebooks",
    ]


def test_doctor_says_what_to_install(monkeypatch):
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    monkeypatch.setattr(cli, "_notebooks", dict)
    result = neurons("doctor")
    assert result.exit_code == 1
    assert "pip install anywidget ipywidgets" in result.output
    assert "pip install torch" in result.output


@pytest.mark.parametrize("command", [[], ["check"], ["get"], ["hint"], ["list"], ["doctor"]])
def test_help_is_in_plain_words(command):
    result = neurons(*command, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.output
    assert "``" not in result.output


def test_command_starts_without_torch():
    code = "import sys, companion.cli; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
