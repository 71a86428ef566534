"""The one lock file: `python tools/lock.py` renews constraints.txt, `--check` says whether it fits pyproject.toml.

The pins are what a fresh environment resolves for the package with all its extras; the first line holds a hash of
the dependency lists in pyproject.toml, so that a changed dependency with an unchanged lock is caught without a network.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "constraints.txt"
EXTRAS = "book,test,dev,mutation,tensorboard,peers"
#: What is held back, and why.
OLDER = (
    "soupsieve<3",  # later ones need Python 3.11.5, and pyproject.toml allows 3.11.0
    "pytest<9.2",  # pytest-xdist 3.8 groups no tests with later ones: it writes the group into a name that they no longer read
    "jsonschema<4.25",  # later ones compile 39 grammars at each import of nbformat: 1.8 s, where this one takes 0.1 s
)
TORCH = "torch==2.13.0"  # named exactly: any other way to ask for it may bring gigabytes of GPU libraries


def wanted() -> str:
    """Return the hash of what pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["requires-python"], project["dependencies"], project["optional-dependencies"], TORCH]
    return hashlib.sha256(json.dumps(lists, sort_keys=True).encode()).hexdigest()[:16]


def pins(text: str) -> dict[str, str]:
    """Return name and version of each pin."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)$", text, flags=re.M))


def problems(text: str) -> list[str]:
    """Return what is wrong with a lock's text, in sentences."""
    from packaging.specifiers import (
        SpecifierSet,  # what is read without an environment needs the standard library alone
    )

    found = re.search(r"wants ([0-9a-f]{16})", text)
    if not found or found[1] != wanted():
        return ["constraints.txt was made for other dependencies than pyproject.toml lists: run `make lock`"]
    wrong = []
    for name, pinned in pins(text).items():
        try:
            here = version(name).split("+")[0]
        except PackageNotFoundError:
            continue  # a pin for another platform
        if here != pinned:
            wrong.append(f"{name} {here} is installed, constraints.txt pins {pinned}: remove .venv and run `make env`")
        elif not SpecifierSet(needs := metadata(name)["Requires-Python"] or "").contains(lowest()):
            wrong.append(
                f"{name} {pinned} needs Python {needs}, and pyproject.toml allows {lowest()}: "
                "name the last version for it in OLDER in tools/lock.py, then run `make lock`"
            )
    return wrong


def lowest() -> str:
    """Return the lowest version of Python that pyproject.toml allows, with all its parts."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"{project['requires-python'].removeprefix('>=')}.0"


def renew() -> None:
    """Resolve in a fresh environment and write the lock."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "-q", TORCH], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", f"{ROOT}[{EXTRAS}]", *OLDER], check=True)
        frozen = subprocess.run([python, "-m", "pip", "freeze"], check=True, capture_output=True, text=True).stdout
    write(frozen)


def write(frozen: str) -> None:
    """Write the lock from `pip freeze`'s lines, without local build tags and without this package."""
    lines = [re.sub(r"\+\w+$", "", line) for line in frozen.splitlines() if re.match(r"[\w.-]+==", line)]
    lines = sorted((x for x in lines if not x.startswith("neurons-to-gans")), key=str.lower)
    LOCK.write_text(
        f"# Made by `make lock`, never by hand. It wants {wanted()} (the dependency lists of pyproject.toml).\n"
        + "\n".join(lines)
        + "\n"
    )
    print(f"lock: {len(lines)} pins")


if __name__ == "__main__":
    if "--check" in sys.argv:
        faults = problems(LOCK.read_text(encoding="utf-8"))
        if faults:
            sys.exit("lock: " + "; ".join(faults))
        print("lock: constraints.txt fits pyproject.toml and what is installed")
    elif "--from-here" in sys.argv:
        write(
            subprocess.run([sys.executable, "-m", "pip", "freeze"], check=True, capture_output=True, text=True).stdout
        )
    else:
        renew()
