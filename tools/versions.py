"""Try the course with other versions of what it stands on: `python tools/versions.py WHICH`, or `make versions WHICH=lowest`.

    lowest   the lower bounds of pyproject.toml, as equalities
    locked   constraints.txt
    newest   what pip finds today
    colab    beside what Colab has (tests/companion/colab.json): nothing of it may change

Each makes a fresh environment in _build/versions/WHICH, installs the wheel there, runs every command of `neurons` in a folder with blanks
and letters beyond ASCII, then the companion's unit tests and three notebooks; on Colab's list the first cells of chapter 1. PyTorch is
installed first and named exactly (`--torch` names another one). Only the standard library is needed here.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import lock

ROOT = Path(__file__).resolve().parents[1]
COLAB = ROOT / "tests" / "companion" / "colab.json"
WHICH = ("lowest", "locked", "newest", "colab")
#: Every command of `neurons`, in this order: its words, the exit status and a part of what it says.
COMMANDS: dict[str, tuple[list[str], int, str]] = {
    "list": (["list"], 0, "02.3  Stable softmax"),
    "get": (["get", "02", "--to", "ch 2 – Übung"], 0, "is ready"),
    "check": (["check", "ch 2 – Übung/02_activations.ipynb"], 1, "0 of 7 exercises right"),
    "hint": (["hint", "02.3"], 0, "02.3 hint 1 of"),
    "solution": (["solution", "02.3", "--insist"], 0, "def softmax"),
    "progress": (["progress"], 0, "Your progress:"),
    "doctor": (["doctor"], 0, "Exercise notebooks: "),
}
#: Prints the names of all commands.
NAMES = "from companion.cli import app; print(*[c.name or c.callback.__name__ for c in app.registered_commands])"
NOTEBOOKS = ("book/00_start.ipynb", "book/01_neurons.ipynb", "book/05_backprop.ipynb")
#: Runs chapter 1 of the installed package up to its first interactive figure, in a kernel of its own.
FIRST_CELLS = """
import importlib.resources, nbformat
from nbclient import NotebookClient
path = importlib.resources.files("companion") / "notebooks" / "book" / "01_neurons.ipynb"
nb = nbformat.reads(path.read_text(encoding="utf-8"), 4)
last = next(i for i, cell in enumerate(nb.cells) if cell.source.startswith("figures."))
nb.cells = nb.cells[:last + 1]
NotebookClient(nb, kernel_name="python3", timeout=300).execute()
assert "application/vnd.jupyter.widget-view+json" in nb.cells[-1].outputs[0]["data"], "the figure shows no widget"
"""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


# ---- what is installed


def bounds() -> dict[str, str]:
    """Return the lower bound of each dependency of the package.

    >>> bounds()["torch"]
    '2.8'
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return dict(text.split(">=") for text in project["dependencies"])


def locked() -> dict[str, str]:
    """Return what constraints.txt pins."""
    return lock.pins(lock.LOCK.read_text(encoding="utf-8"))


def pins(which: str) -> dict[str, str]:
    """Return the exact versions to install, without PyTorch's, which is named apart."""
    found = {
        "lowest": bounds,
        "locked": locked,
        "newest": dict,
        "colab": lambda: json.loads(COLAB.read_text(encoding="utf-8"))["packages"],
    }[which]()
    return {name: version for name, version in found.items() if name != "torch"}


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return in sentences which packages another installation changed.

    >>> changes({"numpy": "2.0.2"}, {"numpy": "1.26.0", "tqdm": "4.66.0"})
    ['numpy was 2.0.2 and is 1.26.0']
    """
    return [f"{n} was {v} and is {after.get(n, 'gone')}" for n, v in before.items() if after.get(n) != v]


def differences(wanted: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    """Return in sentences which installed packages are not at the version that is pinned.

    >>> differences({"PyYAML": "6.0", "absent": "1"}, {"pyyaml": "6.0.1"})
    ['PyYAML is 6.0.1, wanted 6.0']
    """
    plain = {canonical(name): version for name, version in there.items()}
    rows = [(name, version, plain[canonical(name)]) for name, version in wanted.items() if canonical(name) in plain]
    return [f"{name} is {have}, wanted {version}" for name, version, have in rows if short(have) != short(version)]


def short(version: str) -> str:
    """Return a version without zeros at its end, as pip compares them."""
    return re.sub(r"(\.0)+$", "", version)


def canonical(name: str) -> str:
    """Return a package's name in the one form that all its spellings have."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Environment:
    """A fresh virtual environment."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
        self.bin = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.bin / "python"

    def pip(self, *words: str | Path) -> None:
        """Run pip; end in a sentence when it cannot.

        Isolated: by PYTHONPATH pip would find what an earlier build left beside the sources, and call the package installed.
        """
        done = subprocess.run([self.python, "-I", "-m", "pip", *words, "--quiet", "--disable-pip-version-check"])
        if done.returncode:
            sys.exit(f"versions: pip could not {' '.join(map(str, words))[:300]}; its last words stand above")

    def installed(self) -> dict[str, str]:
        """Return name and version of everything that is installed."""
        code = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
        return json.loads(subprocess.run([self.python, "-I", "-c", code], check=True, capture_output=True).stdout)


def install(which: str, torch: str) -> tuple[Environment, list[str]]:
    """Make the environment with the wheel in it; return it with what is wrong."""
    env = Environment(ROOT / "_build" / "versions" / which)
    exact = [f"{name}=={version}" for name, version in pins(which).items()]
    constraints = env.folder / "constraints.txt"
    constraints.write_text("\n".join(exact) + "\n", encoding="utf-8")
    env.pip("install", torch)
    if which == "colab":
        env.pip("install", *exact)
    before = env.installed()
    shutil.rmtree(ROOT / "build", ignore_errors=True)  # what an earlier build left would get into the wheel
    env.pip("wheel", "--no-deps", "--wheel-dir", env.folder, ROOT)
    [wheel] = env.folder.glob("*.whl")
    if which == "colab":
        env.pip("install", wheel)
        return env, changes(before, env.installed())
    env.pip("install", "--constraint", constraints, wheel)
    return env, differences(pins(which), env.installed())


def install_for_tests(env: Environment, which: str) -> list[str]:
    """Add what the tests need, in the same versions; return what is wrong."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    [wheel] = env.folder.glob("*.whl")
    env.pip("install", "--constraint", env.folder / "constraints.txt", f"{wheel}[test]", *build)
    return differences(pins(which), env.installed())


# ---- what is tried


def runner(env: Environment, folder: Path) -> Run:
    """Return a function that runs a program of the environment in a folder, with nothing but what is installed."""
    own = {"NEURONS_HOME": str(folder / "home"), "PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1"}
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [str(env.bin / words[0]), *words[1:]]
        return subprocess.run(command, cwd=folder, env=clean | own, capture_output=True, encoding="utf-8")

    return run


def commands(run: Run) -> list[str]:
    """Run every command of `neurons`; return in sentences what went wrong."""
    known = run("python", "-c", NAMES)
    wrong = [
        f"neurons {name}: tools/versions.py does not try it" for name in known.stdout.split() if name not in COMMANDS
    ]
    for name, (words, status, said) in COMMANDS.items():
        done = run("neurons", *words)
        if done.returncode != status or said not in done.stdout:
            wrong.append(
                f"neurons {name}: expected {said!r} and status {status}, got {done.returncode}: {(done.stdout + done.stderr)[-600:]}"
            )
    return wrong


def first_cells(run: Run) -> list[str]:
    """Run the first cells of chapter 1 as an installed notebook; return what went wrong."""
    done = run("python", "-c", FIRST_CELLS)
    return [] if done.returncode == 0 else [f"chapter 1: {done.stderr[-1500:]}"]


def tests(env: Environment) -> list[str]:
    """Run the companion's unit tests and three notebooks with the environment's libraries; return what failed."""
    own = {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "NEURONS_OFFLINE": "1",
        "MPLCONFIGDIR": str(env.folder / "matplotlib"),
        "NEURONS_EXECUTED": f"versions-{env.folder.name}",  # the site is built from the lock's copies alone
    }
    unit = [
        "-m",
        "pytest",
        "-q",
        "--no-header",
        "-p",
        "no:cacheprovider",
        "-n",
        "1",
        "tests/companion",
        "-m",
        "not slow",
    ]
    if env.folder.name == "lowest":  # old libraries use what newer ones call deprecated; no learner sees that
        unit += ["-W", "ignore::DeprecationWarning"]
    words = {"unit tests": unit, "notebooks": ["tools/notebooks.py", "run", "--force", *NOTEBOOKS]}
    wrong = []
    for what, command in words.items():
        if subprocess.run([env.python, *command], cwd=ROOT, env=os.environ | own).returncode:
            wrong.append(f"{what} failed")
    return wrong


def main() -> None:
    """Install and try; the exit status is 0 only if nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=WHICH)
    torch = f"torch=={locked()['torch']}"
    parser.add_argument("--torch", default=torch, help=f"what pip is asked for first, by default {torch}")
    parser.add_argument("--no-tests", action="store_true", help="install and run the commands only")
    options = parser.parse_args()
    env, wrong = install(options.which, options.torch)
    folder = env.folder / "somebody's course – Übung"
    folder.mkdir()
    run = runner(env, folder)
    wrong += commands(run)
    if options.which == "colab":
        wrong += first_cells(run)
    elif not options.no_tests:
        wrong += install_for_tests(env, options.which) + tests(env)
    there = {canonical(name): version for name, version in env.installed().items()}
    python = ".".join(map(str, sys.version_info[:3]))
    print(f"versions: {options.which}, Python {python}, " + ", ".join(f"{n} {there[canonical(n)]}" for n in bounds()))
    if wrong:
        sys.exit("\n".join(f"versions: {sentence}" for sentence in wrong))
    print("versions: everything that was tried works")


if __name__ == "__main__":
    main()
