"""Run an experiment that is too long for a chapter and record it: `python tools/experiments.py ablation`, or `make experiments NAME=ablation`."""

from __future__ import annotations

import argparse
import datetime
import json
import time
from collections.abc import Sequence

import bench
import notebooks
import torch

from companion import experiments

RECORDED = notebooks.ROOT / "companion" / "recorded"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the experiments that are named, or all; write one file for each when it is whole."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "names", nargs="*", choices=[[], *experiments.NAMES], metavar="NAME", help="all, if none is named"
    )
    for name in parser.parse_args(arguments).names or experiments.NAMES:
        path = RECORDED / f"{name}.json"
        path.write_text(json.dumps(record(name), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"experiments: {path.relative_to(notebooks.ROOT)} written; store the notebooks that show it")


def record(name: str) -> dict[str, object]:
    """Run an experiment with one thread; return its results with how they were made."""
    torch.set_num_threads(1)
    began = time.perf_counter()
    results = experiments.module(name).run()
    made = {
        "command": f"make experiments NAME={name}",
        "date": datetime.date.today().isoformat(),
        "seconds": round(time.perf_counter() - began),
        "machine": bench.machine(),
        "versions": bench.versions(),
    }
    return {"results": results, "made": made, "code": experiments.fingerprint(name)}


if __name__ == "__main__":
    main()
