"""Style and types of the course's JavaScript: ESLint and the TypeScript compiler, pinned in tools/js, nothing of which is shipped."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import notebooks

ROOT = notebooks.ROOT
HERE = ROOT / "tools" / "js"
CODE = ["companion/figures/js", "site", "tests/site/js"]


def main() -> None:
    """Install the two tools when the lock has changed, then run both; the exit status is theirs."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**notebooks.environment(), "PATH": path}
    installed(environment)
    found = HERE / "node_modules" / ".bin"
    commands = [
        [found / "eslint", "--config", HERE / "eslint.config.js", "--max-warnings=0", *CODE],
        [found / "tsc", "-p", HERE / "tsconfig.json"],
    ]
    ended = [subprocess.run([str(w) for w in words], cwd=ROOT, env=environment).returncode for words in commands]
    sys.exit(1 if any(ended) else 0)


def installed(environment: dict[str, str]) -> None:
    """Install what package-lock.json pins by its hashes, unless that was done."""
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    stamp = HERE / "node_modules" / "installed-for"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    done = subprocess.run(
        ["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=HERE,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"javascript: npm could not install ESLint and TypeScript (no network?): {done.stderr.strip()[-300:]}")
    stamp.write_text(wanted)


if __name__ == "__main__":
    main()
