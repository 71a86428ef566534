"""Begin a chapter: `python tools/chapter.py ID NAME "TITLE"`, or `make chapter ID=03 NAME=forward TITLE="..."`.

Writes the notebook, the solutions, the exercises, the checks with one worked exercise, the aids (status: draft) and the entry
in _toc.yml. All of it is made and executed in a copy first and moved when whole, so that a failure leaves nothing behind.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import notebooks

ROOT = notebooks.ROOT
TEMPLATES = Path(__file__).resolve().parent / "templates"
#: The number of the last chapter that is planned.
LAST = 25
#: Run in the copy: the notebooks of one chapter from its checks, as tools/exercises.py and tools/notebooks.py make them.
DERIVE = """\
import json, sys
from pathlib import Path
import exercises, notebooks
chapter, name = sys.argv[1], sys.argv[2] + ".ipynb"
for _ in range(2):  # the second time with the set-up cell that the normaliser wrote
    solution = exercises.make_solution(chapter, name, notebooks.ROOT / "solutions" / name)
    for folder, made in (("solutions", solution), ("exercises", exercises.make_exercise(solution))):
        path = notebooks.ROOT / folder / name
        path.write_text(json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False) + "\\n", encoding="utf-8")
        notebooks.normalise(path, write=True)
notebooks.normalise(notebooks.ROOT / "book" / name, write=True)
notebooks.store(notebooks.ROOT / "book" / name)
"""


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, make the chapter, say what is next."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("id", metavar="ID", help="two digits, such as 03")
    parser.add_argument("name", metavar="NAME", help="one word for file names, such as forward")
    parser.add_argument("title", metavar="TITLE", help='the heading, such as "Forward propagation and depth"')
    options = parser.parse_args(arguments)
    chapter, name, title = options.id, options.name, " ".join(options.title.split())
    if fault := refusal(chapter, name, title):
        sys.exit(f"chapter: {fault}")
    try:
        with tempfile.TemporaryDirectory(prefix="chapter-") as folder:
            stage = Path(folder)
            written = make(stage, chapter, name, title)
            move(stage, written)
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(f"chapter: nothing was written, because {error}")
    print("\n".join(f"written: {w}" for w in written))
    print(
        f"Next: the exercises in {written[0]}, then `make exercises`, then the notebook (CONTRIBUTING.md, from step 2)."
    )


def refusal(chapter: str, name: str, title: str) -> str:
    """Return in one sentence why a chapter cannot be begun, or nothing."""
    if not re.fullmatch(r"[0-9]{2}", chapter) or not 1 <= int(chapter) <= LAST:
        return f"ID expected two digits from 01 to {LAST}, got {chapter!r}; the pages of chapter 20 are made by hand."
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or len(name) > 30:
        return f"NAME expected lowercase letters, digits and single underscores, at most 30, got {name!r}; it becomes {chapter}_NAME.ipynb."
    if not re.fullmatch(r"\w[\w ,:;'()!?&/+.–-]{1,58}[\w)!?]", title):
        return f"TITLE expected 3 to 60 letters, digits, spaces and plain punctuation, got {title!r}; markup would break a file."
    taken = [
        p
        for pattern in (f"book/{chapter}_*", f"solutions/{chapter}_*", f"exercises/{chapter}_*")
        for p in ROOT.glob(pattern)
    ]
    taken += [*ROOT.glob(f"companion/checks/ch{chapter}_*.py"), *ROOT.glob(f"companion/aids/{chapter}_*")]
    if taken:
        return f"chapter {chapter} exists already: {taken[0].relative_to(ROOT).as_posix()}; nothing was changed."
    if re.search(rf"book/{chapter}_", (ROOT / "_toc.yml").read_text(encoding="utf-8")):
        return f"_toc.yml lists a chapter {chapter} already; take it out there first."
    return ""


def make(stage: Path, chapter: str, name: str, title: str) -> list[str]:
    """Make everything in a copy of what it needs; return the paths of the files to be moved."""
    stem = f"{chapter}_{name}"
    skip = shutil.ignore_patterns("__pycache__")
    for folder in ("companion", "tools"):
        shutil.copytree(ROOT / folder, stage / folder, ignore=skip)
    for folder in notebooks.FOLDERS:
        (stage / folder).mkdir()
    for file in ("_config.yml", "constraints.txt"):
        shutil.copyfile(ROOT / file, stage / file)
    words = {"@ID@": chapter, "@NAME@": name, "@TITLE@": title, "@NUMBER@": str(int(chapter))}
    files = {
        f"companion/checks/ch{stem}.py": template("checks.txt", words),
        f"companion/aids/{stem}.yml": template("aids.yml", words),
        f"book/{stem}.ipynb": json.dumps(notebook(template("chapter.md", words))),
        "_toc.yml": listed((ROOT / "_toc.yml").read_text(encoding="utf-8"), stem),
    }
    for path, text in files.items():
        (stage / path).write_text(text, encoding="utf-8")
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(stage), str(stage / "tools")]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", DERIVE, chapter, stem], cwd=stage, env=env, capture_output=True, text=True
    )
    if done.returncode:
        said = (done.stderr.strip() or "it stopped without a word").splitlines()[-1]
        raise RuntimeError(f"the templates do not run: {said}")
    made = [f"solutions/{stem}.ipynb", f"exercises/{stem}.ipynb"]
    return [*list(files)[:3], *made, "_toc.yml"]


def template(name: str, words: dict[str, str]) -> str:
    """Return a template's text with its words filled in."""
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text


def notebook(text: str) -> dict:
    """Return Markdown with fenced Python cells as a notebook; the normaliser gives it ids and metadata."""
    cells: list[dict] = []
    for place, part in enumerate(re.split(r"^```python(.*)\n((?:.*\n)*?)```$", text, flags=re.MULTILINE)):
        if place % 3 == 0:
            kept = re.split(r"\n(?=## )", part.strip())
            cells += [{"cell_type": "markdown", "metadata": {}, "source": source.strip()} for source in kept if source]
        elif place % 3 == 1:
            tags = re.findall(r'"(\w+)"', part)
        else:
            cells.append(
                {
                    "cell_type": "code",
                    "metadata": {"tags": tags},
                    "source": part,
                    "outputs": [],
                    "execution_count": None,
                }
            )
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def listed(toc: str, stem: str) -> str:
    """Return the table of contents with the chapter behind the last one of a lower number; everything else stays as written."""
    lines = toc.splitlines(keepends=True)
    earlier = [
        n
        for n, line in enumerate(lines)
        if (found := re.match(r" *- file: book/(\d\d)_", line)) and found[1] < stem[:2] and found[1] > "00"
    ]
    if not earlier:
        raise ValueError("_toc.yml lists no chapter before this one")
    at = earlier[-1]
    indent = " " * (len(lines[at]) - len(lines[at].lstrip()))
    end = at + 1
    while end < len(lines) and lines[end].startswith(indent + " "):
        end += 1
    entry = [f"- file: book/{stem}", "  sections:", f"    - file: exercises/{stem}", f"    - file: solutions/{stem}"]
    return "".join([*lines[:end], *(f"{indent}{line}\n" for line in entry), *lines[end:]])


def move(stage: Path, written: list[str], put: Callable[[Path, Path], object] = shutil.copyfile) -> None:
    """Move the files into the repository: all of them, or none."""
    before = {path: (ROOT / path).read_bytes() for path in written if (ROOT / path).exists()}
    try:
        for path in written:
            target = ROOT / path
            part = target.with_name(f".{target.name}.part")
            try:
                put(stage / path, part)
                os.replace(part, target)
            finally:
                with contextlib.suppress(OSError):
                    part.unlink()
    except BaseException:
        for path in written:
            if path in before:
                (ROOT / path).write_bytes(before[path])
            else:
                (ROOT / path).unlink(missing_ok=True)
        raise


if __name__ == "__main__":
    main()
