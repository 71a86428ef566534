"""Put the course's notebooks into the wheel; everything else about the package stands in pyproject.toml.

`neurons get 02` must work where only the package is installed. The notebooks live in book/ and exercises/ of the repository, so that they are
edited in one place; the build copies them to companion/notebooks/. The exercises lie there directly, the chapters in companion/notebooks/book/.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
FOLDERS = {"exercises": "", "book": "book"}  # folder of the repository -> folder below companion/notebooks/


class BuildWithNotebooks(build_py):
    """Build the package, then copy the notebooks into it."""

    def run(self) -> None:
        """Build; in an editable install nothing is copied, because the checkout itself is used."""
        super().run()
        if not self.editable_mode:
            self.copy_notebooks()

    def copy_notebooks(self) -> None:
        """Copy the notebooks; an empty folder is an error, because the wheel would be of no use to a learner."""
        target = Path(self.build_lib) / "companion" / "notebooks"
        shutil.rmtree(target, ignore_errors=True)  # a notebook that was renamed must not stay from an earlier build
        for source, below in FOLDERS.items():
            found = sorted((ROOT / source).glob("[0-9][0-9]*_*.ipynb"))
            if not found:
                raise SystemExit(f"setup.py: {source}/ holds no notebook; build from a whole checkout or sdist")
            (target / below).mkdir(parents=True, exist_ok=True)
            for path in found:
                shutil.copyfile(path, target / below / path.name)


setup(cmdclass={"build_py": BuildWithNotebooks})
