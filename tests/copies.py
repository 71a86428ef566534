"""Run the course's tools in a copy of the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_LEFT_OUT = (".venv", "_build", "build", ".git", "*cache*", "vendor", "node_modules", "shots", "*.egg-info")


def of_the_repository(folder: Path) -> Path:
    """Return a copy of the repository without what it installed, built or fetched."""
    return Path(shutil.copytree(ROOT, folder / "repository", ignore=shutil.ignore_patterns(*_LEFT_OUT)))


def run(repository: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a copy, with the copy's companion and tools and without anybody's progress."""
    path = os.pathsep.join([str(repository), str(repository / "tools")])
    env = {
        **os.environ,
        "PYTHONPATH": path,
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "NEURONS_OFFLINE": "1",
        "NEURONS_HOME": str(repository.parent / "home"),
    }
    return subprocess.run([sys.executable, *words], cwd=repository, env=env, capture_output=True, text=True)


def contents(repository: Path) -> dict[str, bytes]:
    """Return every file of a copy."""
    return {p.relative_to(repository).as_posix(): p.read_bytes() for p in repository.rglob("*") if p.is_file()}
