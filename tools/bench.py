"""Run the benchmarks and record them: `python tools/bench.py`; the book shows tests/benchmarks/results.json.

Each benchmark runs our code and the library's in the same process, one after the other; only their ratio means much on another machine.
Medians are kept, because a machine that does something else for a moment lengthens the mean and not the median.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import notebooks

RESULTS = notebooks.ROOT / "tests" / "benchmarks" / "results.json"
OURS = ("ours", "fit")
LIBRARIES = ("torch", "numpy", "scikit-learn")


def measured() -> list[dict[str, Any]]:
    """Run the benchmarks; return pytest-benchmark's entries."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.json"
        command = [sys.executable, "-m", "pytest", "tests/benchmarks", "-q", "--no-header", "-p", "no:cacheprovider"]
        command += [f"--benchmark-json={record}", "--benchmark-columns=median,rounds", "--benchmark-sort=name"]
        if subprocess.run(command, cwd=notebooks.ROOT, env=notebooks.environment()).returncode:
            sys.exit("bench: a benchmark failed, so nothing was recorded; the message is above")
        return json.loads(record.read_text(encoding="utf-8"))["benchmarks"]


def rows(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row for each comparison: a group has our time and one or more times of others."""
    groups: dict[str, dict[str, float]] = defaultdict(dict)
    for entry in entries:
        groups[entry["group"]][entry["params"]["who"]] = entry["stats"]["median"] * 1e6
    found = []
    for group, times in groups.items():
        ours = [time for who, time in times.items() if who in OURS]
        others = {who: time for who, time in times.items() if who not in OURS}
        if len(ours) != 1 or not others:
            sys.exit(
                f"bench: the group {group!r} must have one of {OURS} and something to compare with, and has {sorted(times)}"
            )
        for who, theirs in others.items():
            name = group if who == "torch" else f"{group}: against the {who}"
            found.append(
                {
                    "name": name,
                    "ours_us": round(ours[0], 2),
                    "theirs_us": round(theirs, 2),
                    "ratio": round(ours[0] / theirs, 3),
                }
            )
    return found


def machine() -> str:
    """Describe the machine: kind of processor, cores, system; no name of a host."""
    model = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = f"{names[0]} ({platform.machine()})" if names else model
    threads = notebooks.environment()["OMP_NUM_THREADS"]
    return f"{model}, {os.cpu_count()} cores, {threads} thread used, {platform.system()}"


def versions() -> str:
    """Name the versions of Python and of the libraries."""
    return ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in LIBRARIES)])


def main() -> None:
    """Measure, record, say the ratio that summarises."""
    found = rows(measured())
    record = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "rows": found,
    }
    RESULTS.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    slowest = max(found, key=lambda row: row["ratio"])
    print(
        f"bench: {len(found)} comparisons in {RESULTS.relative_to(notebooks.ROOT)}; highest ratio {slowest['ratio']:.2f} ({slowest['name']})"
    )


if __name__ == "__main__":
    main()
