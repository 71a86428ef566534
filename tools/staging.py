"""Make files in a copy of the repository and move them when they are whole: shared by tools/chapter.py and tools/exercise.py."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import notebooks

ROOT = notebooks.ROOT
TEMPLATES = Path(__file__).resolve().parent / "templates"


def through_a_copy(tool: str, make: Callable[[Path], list[str]]) -> list[str]:
    """Make files in a copy, move them when all are whole, and say which; leave in one sentence if that fails."""
    try:
        with tempfile.TemporaryDirectory(prefix=f"{tool}-") as folder:
            written = make(Path(folder))
            move(Path(folder), written)
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(f"{tool}: nothing was written, because {error}")
    print("\n".join(f"written: {w}" for w in written))
    return written


def untitled(title: str) -> str:
    """Return in one sentence why these words are no title, or nothing."""
    if re.fullmatch(r"\w[\w ,:;'()!?&/+.–-]{1,58}[\w)!?]", title):
        return ""
    return f"TITLE expected 3 to 60 letters, digits, spaces and plain punctuation, got {title!r}; markup would break a file."


def copy(stage: Path, files: Iterable[str]) -> None:
    """Copy what the notebooks of a chapter are made from, and some files more."""
    for folder in ("companion", "tools"):
        shutil.copytree(ROOT / folder, stage / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in notebooks.FOLDERS:
        (stage / folder).mkdir()
    for file in ("_config.yml", "constraints.txt", *files):
        shutil.copyfile(ROOT / file, stage / file)


def write(stage: Path, files: Mapping[str, str]) -> None:
    """Write files of the copy, with the folders that they need."""
    for path, text in files.items():
        (stage / path).parent.mkdir(parents=True, exist_ok=True)
        (stage / path).write_text(text, encoding="utf-8")


def run(stage: Path, statements: str) -> None:
    """Run Python with the copy's companion and tools; nobody's progress is touched.

    Raises:
        RuntimeError: with the last line of what it said, if it fails.
    """
    env = {
        **os.environ,
        "NEURONS_HOME": ":memory:",
        "PYTHONPATH": os.pathsep.join([str(stage), str(stage / "tools")]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run([sys.executable, "-c", statements], cwd=stage, env=env, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr.strip() or "it stopped without a word").splitlines()[-1]
        raise RuntimeError(f"the templates do not run: {said}")


def filled(name: str, words: Mapping[str, str]) -> str:
    """Return a template's text with its words filled in."""
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text


def move(stage: Path, written: Iterable[str], put: Callable[[Path, Path], object] = shutil.copyfile) -> None:
    """Move the files into the repository: all of them, or none."""
    paths = list(written)
    before = {path: (ROOT / path).read_bytes() for path in paths if (ROOT / path).exists()}
    folders = sorted({(ROOT / path).parent for path in paths if not (ROOT / path).parent.exists()})
    try:
        for folder in folders:
            folder.mkdir()
        for path in paths:
            target = ROOT / path
            part = target.with_name(f".{target.name}.part")
            try:
                put(stage / path, part)
                os.replace(part, target)
            finally:
                with contextlib.suppress(OSError):
                    part.unlink()
    except BaseException:
        for path in paths:
            if path in before:
                (ROOT / path).write_bytes(before[path])
            else:
                (ROOT / path).unlink(missing_ok=True)
        for folder in folders:
            with contextlib.suppress(OSError):  # it may not be there yet
                folder.rmdir()
        raise
