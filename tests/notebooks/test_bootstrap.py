"""The first command on a new machine: when it cannot go on, it says why and what to do in one sentence, and leaves nothing."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import anatomy
import bootstrap
import pytest


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """Return a folder that needs an environment."""
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(anatomy.ROOT / name, tmp_path / name)
    for name, path in (
        ("ROOT", tmp_path),
        ("VENV", tmp_path / ".venv"),
        ("STAMP", tmp_path / ".venv" / "installed-for"),
    ):
        monkeypatch.setattr(bootstrap, name, path)
    return tmp_path


def said(run):
    """Return the sentence with which something ended."""
    with pytest.raises(SystemExit) as stopped:
        run()
    assert "\n" not in stopped.value.code
    return stopped.value.code


def test_an_old_python_is_named(empty, monkeypatch):
    old = SimpleNamespace(version_info=(3, 9, 2), version="3.9.2 (main)", exit=bootstrap.sys.exit)
    monkeypatch.setattr(bootstrap, "sys", old)
    assert said(bootstrap.main) == (
        "env: Python 3.11 or newer is needed and this is 3.9.2; install it, or name it: make PYTHON=/path/to/python3.11"
    )
    assert not (empty / ".venv").exists()


def test_a_folder_without_write_access_is_named(empty, monkeypatch):
    monkeypatch.setattr(bootstrap.os, "access", lambda *_: False)
    assert said(bootstrap.main).endswith("cannot be written to; copy the course to a folder of your own")


def test_a_full_disk_is_told_before_anything_is_written(empty, monkeypatch):
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda _: SimpleNamespace(free=1.25e9))
    assert said(bootstrap.main) == "env: 1.2 GB of disk are free and about 6 are needed; make room and try again"
    assert not (empty / ".venv").exists()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("NewConnectionError: Temporary failure in name resolution", "the package index cannot be reached"),
        ("noise\nERROR: No matching distribution found for torch==9", "No matching distribution found for torch==9"),
    ],
)
def test_what_pip_says_becomes_a_sentence(error, sentence):
    assert sentence in said(lambda: bootstrap.explain(error))


def test_what_was_installed_for_other_pins_is_installed_again(empty):
    before = bootstrap.wanted()
    (empty / "constraints.txt").write_text("torch==9.9\n", encoding="utf-8")
    assert bootstrap.wanted() != before
