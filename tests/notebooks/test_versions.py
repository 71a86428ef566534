"""The trial of other versions: what it installs, what it would notice, and that nothing is left out."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import anatomy
import lock
import notebooks
import pytest
import versions
import yaml

ROOT = anatomy.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def here(*words):
    """Run Python with this checkout's companion, as versions.py does with the installed one."""
    return subprocess.run([sys.executable, *words], capture_output=True, encoding="utf-8", cwd=ROOT)


def like(answers):
    """Return a run that gives each command's expected answer, with others planted."""

    def run(*words):
        if words == ("python", "-c", versions.NAMES):
            return SimpleNamespace(stdout=answers.get("known", " ".join(versions.COMMANDS)), stderr="", returncode=0)
        _, status, said = versions.COMMANDS[words[1]]
        status, said = answers.get(words[1], (status, said))
        return SimpleNamespace(stdout=said, stderr="", returncode=status)

    return run


# ---- what is installed


def test_lowest_names_every_dependency_by_its_bound():
    pins = versions.pins("lowest")
    assert [f"{name}>={version}" for name, version in {"torch": versions.bounds()["torch"], **pins}.items()] == PROJECT[
        "dependencies"
    ]


def test_torch_is_named_apart_and_exactly():
    assert all("torch" not in versions.pins(which) for which in versions.WHICH)
    text = lock.LOCK.read_text(encoding="utf-8")
    assert versions.locked() == lock.pins(text)
    assert f"torch=={versions.locked()['torch']}" == lock.TORCH
    assert versions.pins("locked")["numpy"] == lock.pins(text)["numpy"]
    assert versions.pins("newest") == {}
    assert versions.pins("colab")["ipywidgets"] == "7.7.1"


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({"numpy": "2.0.2", "new": "1"}, []),
        ({"numpy": "1.26.0"}, ["numpy was 2.0.2 and is 1.26.0"]),
        ({"numpy": "2.3.0"}, ["numpy was 2.0.2 and is 2.3.0"]),
        ({}, ["numpy was 2.0.2 and is gone"]),
    ],
)
def test_what_an_installation_changes_is_named(after, said):
    assert versions.changes({"numpy": "2.0.2"}, after) == said


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ({"scikit-learn": "1.4.0"}, []),
        ({"Scikit_Learn": "1.4"}, []),
        ({"scikit-learn": "1.4.1"}, ["scikit-learn is 1.4.1, wanted 1.4"]),
        ({"scikit-learn": "1.40"}, ["scikit-learn is 1.40, wanted 1.4"]),
    ],
)
def test_an_environment_of_other_versions_than_asked_for_is_noticed(there, said):
    assert versions.differences({"scikit-learn": "1.4"}, there) == said


def test_a_build_beside_the_sources_does_not_pass_for_an_installation(monkeypatch, tmp_path, capfd):
    left = tmp_path / "made_up.egg-info"
    left.mkdir()
    (left / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: made-up\nVersion: 0.1.0\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    env = object.__new__(versions.Environment)
    env.python = Path(sys.executable)
    assert "made-up" not in env.installed()
    with pytest.raises(SystemExit, match=r"^versions: pip could not show made-up; its last words stand above$"):
        env.pip("show", "made-up")
    assert "Package(s) not found: made-up" in capfd.readouterr().err


def test_no_package_is_needed_to_begin():
    done = subprocess.run(
        [sys.executable, "-S", "tools/versions.py", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, "lowest" in done.stdout) == (0, True), done.stderr  # -S: nothing but the standard library


# ---- what is tried


def test_every_command_of_neurons_is_tried():
    known = here("-c", versions.NAMES)
    assert known.stdout.split() == list(versions.COMMANDS)
    assert versions.commands(like({})) == []


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"known": "list grade"}, "neurons grade: tools/versions.py does not try it"),
        (
            {"doctor": (1, "Exercise notebooks: none found")},
            "neurons doctor: expected 'Exercise notebooks: ' and status 0, got 1",
        ),
        ({"hint": (0, "Traceback")}, "neurons hint: expected '02.3 hint 1 of' and status 0, got 0: Traceback"),
    ],
)
def test_a_command_that_fails_or_is_left_out_is_named(answers, said):
    [found] = versions.commands(like(answers))
    assert found.startswith(said)


def test_first_cells_that_fail_are_told():
    assert versions.first_cells(lambda *_: SimpleNamespace(returncode=1, stderr="ImportError: psygnal")) == [
        "chapter 1: ImportError: psygnal"
    ]
    assert versions.first_cells(lambda *_: SimpleNamespace(returncode=0, stderr="")) == []


def test_notebooks_that_are_tried_exist_and_leave_the_site_s_copies_alone(monkeypatch):
    assert all((ROOT / name).exists() for name in versions.NOTEBOOKS)
    path = ROOT / versions.NOTEBOOKS[0]
    usual = notebooks.executed(path)
    monkeypatch.setenv(notebooks.EXECUTED, "versions-lowest")
    assert notebooks.executed(path) != usual


def test_warnings_of_old_libraries_fail_nothing_and_those_of_others_do(monkeypatch, tmp_path):
    ran = []
    monkeypatch.setattr(
        versions.subprocess, "run", lambda words, **_: ran.append(words) or SimpleNamespace(returncode=0)
    )
    for which in ("lowest", "newest"):
        assert versions.tests(SimpleNamespace(python=sys.executable, folder=tmp_path / which)) == []
    assert ["-W" in words for words in ran if "pytest" in words] == [True, False]


@pytest.mark.parametrize("failing", [(), ("unit tests",), ("notebooks",), ("unit tests", "notebooks")])
def test_tests_that_fail_are_named(failing, monkeypatch, tmp_path):
    def run(words, **_):
        what = "unit tests" if "pytest" in words else "notebooks"
        return SimpleNamespace(returncode=int(what in failing))

    monkeypatch.setattr(versions.subprocess, "run", run)
    env = SimpleNamespace(python=sys.executable, folder=tmp_path)
    assert versions.tests(env) == [f"{what} failed" for what in failing]


@pytest.mark.parametrize("wrong", [[], ["numpy was 2.0.2 and is 1.26.0"]])
def test_anything_wrong_makes_the_trial_fail(wrong, monkeypatch, tmp_path, capsys):
    env = SimpleNamespace(
        python=sys.executable, folder=tmp_path, installed=lambda: dict.fromkeys(versions.bounds(), "1")
    )
    monkeypatch.setattr(versions, "install", lambda which, torch: (env, list(wrong)))
    monkeypatch.setattr(versions, "commands", lambda run: [])
    monkeypatch.setattr(versions, "first_cells", lambda run: [])
    monkeypatch.setattr(sys, "argv", ["versions.py", "colab"])
    if wrong:
        with pytest.raises(SystemExit, match=r"versions: numpy was 2\.0\.2 and is 1\.26\.0"):
            versions.main()
    else:
        versions.main()
        assert "everything that was tried works" in capsys.readouterr().out


def test_the_workflow_tries_all_of_them_with_the_declared_lowest_torch():
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "versions.yml").read_text(encoding="utf-8"))
    rows = {row["which"]: row for row in flow["jobs"]["try"]["strategy"]["matrix"]["include"]}
    assert tuple(rows) == versions.WHICH
    assert rows["lowest"]["torch"] == f"torch=={versions.bounds()['torch']}.*"
    assert rows["lowest"]["python"] == PROJECT["requires-python"].removeprefix(">=")
