"""Make the course's environment: `python3.11 tools/bootstrap.py` (called by every make target; standard library only).

Creates .venv beside this repository and installs what constraints.txt pins. Does nothing when that was done already. When it cannot,
it says why in one sentence.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / "installed-for"
NEEDED_GB = (
    6  # 1.9 GB installed, as much again while pip unpacks, and a GPU build of torch where that is what the index gives
)


def wanted() -> str:
    """Return the hash of all that decides what is installed."""
    digest = hashlib.sha256(sys.version.encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def stop(sentence: str) -> None:
    """End with one sentence."""
    sys.exit(f"env: {sentence}")


def main() -> None:
    """Create or renew the environment."""
    if sys.version_info < (3, 11):
        stop(
            f"Python 3.11 or newer is needed and this is {sys.version.split()[0]}; install it, or name it: make PYTHON=/path/to/python3.11"
        )
    if STAMP.exists() and STAMP.read_text() == wanted():
        return
    if not os.access(ROOT, os.W_OK):
        stop(f"the folder {ROOT.name} cannot be written to; copy the course to a folder of your own")
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < NEEDED_GB:
        stop(f"{free:.1f} GB of disk are free and about {NEEDED_GB} are needed; make room and try again")
    torch = re.search(r"^torch==\S+", (ROOT / "constraints.txt").read_text(), flags=re.M)
    print("env: installing the course's environment into .venv (once, a few minutes)", flush=True)
    STAMP.unlink(missing_ok=True)
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
        if made.returncode:
            stop(
                f"python's venv module failed ({made.stderr.strip()[-160:] or made.stdout.strip()[-160:]}); on Debian: apt install python3.11-venv"
            )
    pip = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-c",
        str(ROOT / "constraints.txt"),
    ]
    steps = [[torch[0]]] if torch else []
    steps.append(["-e", f"{ROOT}[book,test,dev]"])
    for step in steps:
        done = subprocess.run([*pip, *step], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            explain(done.stderr)
    STAMP.write_text(wanted())
    print("env: done", flush=True)


def explain(error: str) -> None:
    """Turn pip's last words into one sentence."""
    if "No space left" in error:
        stop("the disk is full; make room (about 6 GB) and run the same command again")
    if re.search(
        r"Name or service|Temporary failure|Connection|Network is unreachable|ProxyError|timed out|NewConnectionError",
        error,
    ):
        stop("the package index cannot be reached; connect to a network and run the same command again")
    tail = [line for line in error.strip().splitlines() if line.startswith("ERROR")] or error.strip().splitlines()
    stop(f"pip could not install the locked packages: {' '.join(tail[-2:])[-300:]}")


if __name__ == "__main__":
    main()
