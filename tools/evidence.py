"""Keep what runs of the gate find, and record it for the book's page of evidence: `make evidence`, after `make test`.

Each stage of the gate leaves its result and pytest's own reports in _build/evidence/; lighthouse.py and mutants.py leave theirs there;
the seconds of a notebook lie beside its executed copy. This merges them into tests/evidence.json, from which tools/evidence_page.py
makes the page. What the last run did not measure keeps its earlier record, with its own date. A run that failed is not recorded.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bench
import notebooks

ROOT = notebooks.ROOT
FOLDER = ROOT / "_build" / "evidence"
RECORD = ROOT / "tests" / "evidence.json"
#: What is kept under its own name and is no stage of the gate.
TOOLS = ("lighthouse", "mutants")
Record = dict[str, Any]


# ---- what a run leaves behind


def setting() -> Record:
    """Say of when and what a run is: date, commit, version of the course, machine, versions of the libraries."""
    from companion import __version__

    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "course": __version__,
        "machine": bench.machine(),
        "versions": bench.versions(),
    }


def commit() -> str:
    """Name the commit that is checked out, with a plus sign when files differ from it; "unknown" where git knows nothing."""
    words = ["git", "describe", "--always", "--exclude=*", "--abbrev=10", "--dirty=+"]
    try:
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def keep(name: str, found: Record) -> None:
    """Keep what a stage or a tool found, in one step, so that nobody reads half of it."""
    write(FOLDER / f"{name}.json", found)


def write(path: Path, record: Record) -> None:
    """Write JSON whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    text = re.sub(r"\[\s+(\S+),\s+(\S+)\s+\]", r"[\1, \2]", json.dumps(record, indent=1, ensure_ascii=False))
    part.write_text(text + "\n", encoding="utf-8")  # pairs of numbers in one line
    os.replace(part, path)


def forget(stage: str) -> None:
    """Remove what an earlier run of a stage left, so that one that is broken off leaves nothing."""
    for path in (FOLDER / f"{stage}.json", *reports(stage)):
        path.unlink(missing_ok=True)


def reports(stage: str) -> list[Path]:
    """Return pytest's reports of a stage: STAGE.xml, and STAGE-MORE.xml where it runs pytest more than once."""
    return sorted([*FOLDER.glob(f"{stage}.xml"), *FOLDER.glob(f"{stage}-*.xml")])


# ---- pytest's reports


@dataclass(frozen=True)
class Case:
    """One test of a report: its file, its name with parameters, how long it took, how it ended, and what it noted."""

    file: str
    name: str
    seconds: float
    outcome: str
    noted: dict[str, str]


def cases(report: Path) -> list[Case]:
    """Return the tests of one of pytest's reports."""
    found = []
    for node in ElementTree.parse(report).iter("testcase"):
        parts = node.get("classname", "").split(".")
        last = next((i for i, part in enumerate(parts) if part.startswith(("test_", "bench_"))), len(parts) - 1)
        ends = [end for end in ("failure", "error", "skipped") if node.find(end) is not None]
        noted = {p.get("name", ""): p.get("value", "") for p in node.iter("property")}
        file = "/".join(parts[: last + 1]) + ".py"
        name = re.sub(r"@[^\]@]*$", "", node.get("name", ""))  # pytest-xdist adds the group that goes to one worker
        found.append(Case(file, name, float(node.get("time", 0)), ends[0] if ends else "passed", noted))
    return found


def tests(found: list[Case]) -> Record:
    """Return how many tests passed, were skipped and are properties, and of each file how many passed and their seconds."""
    files: dict[str, list[float]] = {}
    for case in found:
        row = files.setdefault(case.file, [0, 0.0])
        row[0] += case.outcome == "passed"
        row[1] += case.seconds
    ends = Counter(case.outcome for case in found)
    return {
        "passed_tests": ends["passed"],
        "skipped_tests": ends["skipped"],
        "properties": sum("hypothesis" in case.noted for case in found if case.outcome == "passed"),
        "files": {file: [n, round(seconds, 1)] for file, (n, seconds) in sorted(files.items())},
    }


def of(found: list[Case], name: str) -> list[Case]:
    """Return the tests that passed and have this name, whatever their parameters."""
    return [case for case in found if case.outcome == "passed" and re.fullmatch(rf"{name}(\[.*\])?", case.name, re.S)]


def known_mistakes(found: list[Case]) -> Record:
    """Count the known mistakes, in every variant, that the checks named as themselves; samples of the tests' own are none."""
    named = [c for c in of(found, "test_mistake_is_named_as_itself") if re.search(r"\[(?!90\.)\d", c.name)]
    return {"named": len(named)} if named else {}


def second_bank(found: list[Case]) -> Record:
    """Count the answers of the second bank: right ones accepted, wrong ones refused, and of these how many by a known mistake's name."""
    refused = of(found, "test_wrong_answer_of_the_second_bank_is_refused")
    right = of(found, "test_right_answer_of_the_second_bank_is_accepted")
    if not right or not refused or not all("mistake" in case.noted for case in refused):
        return {}
    return {"accepted": len(right), "refused": len(refused), "named": sum(bool(c.noted["mistake"]) for c in refused)}


def planted(found: list[Case]) -> Record:
    """Count the faults planted in right answers: rejected by a case, or accepted because they change nothing."""
    exercises = of(found, "test_every_fault_is_rejected_or_explained")
    kinds = ("rejected", "accepted")
    if not exercises or not all(set(kinds) <= set(case.noted) for case in exercises):
        return {}
    return {"exercises": len(exercises)} | {kind: sum(int(c.noted[kind]) for c in exercises) for kind in kinds}


def axe(name: str) -> Callable[[list[Case]], Record]:
    """Return what counts the pages on which axe found nothing, in light and in dark mode."""

    def counted(found: list[Case]) -> Record:
        pages = of(found, name)
        dark = sum(case.name.endswith("-dark]") for case in pages)
        return {"light": len(pages) - dark, "dark": dark} if pages else {}

    return counted


def links(found: list[Case]) -> Record:
    """Count the links and addresses within the site that lead somewhere, and those to other hosts, which nobody followed."""
    pages = of(found, "test_internal_links_and_anchors_lead_somewhere")
    if not pages or not all("links" in case.noted for case in pages):
        return {}
    inside, outside = (sum(int(case.noted[k]) for case in pages) for k in ("links", "links to other hosts"))
    return {"pages": len(pages), "links": inside, "elsewhere": outside}


#: What is counted, each in the stage that runs all of its tests.
MEASURES: dict[str, tuple[str, Callable[[list[Case]], Record]]] = {
    "known mistakes": ("unit", known_mistakes),
    "second bank": ("unit", second_bank),
    "faults in right answers": ("unit", planted),
    "axe on a desk": ("browser", axe("test_no_accessibility_violation")),
    "axe on a phone": ("browser", axe("test_no_accessibility_violation_on_a_phone")),
    "axe on all other pages": ("browser", axe("test_no_accessibility_violation_anywhere_else")),
    "links": ("browser", links),
}


# ---- the record


def collected() -> Record:
    """Return what the last runs found: stages, measures, notebooks.

    Raises:
        ValueError: if there is no run, one failed, or a report is missing or cannot be read.
    """
    kept = sorted(FOLDER.glob("*.json"))
    if not kept:
        raise ValueError("no run has left anything in _build/evidence; run `make test` first")
    stages, measured = {}, {}
    for path in kept:
        found, name = json.loads(path.read_text(encoding="utf-8")), path.stem
        if not found.pop("passed"):
            raise ValueError(f"{name} failed on {found['date']}, so nothing was recorded; mend it and run it again")
        if name in TOOLS:
            measured[name] = found
            continue
        there = [case for report in found.pop("reports") for case in read(name, report)]
        stages[name] = found | (tests(there) if there else {})
        when = {key: found[key] for key in ("date", "commit")}
        counts = {key: count(there) for key, (stage, count) in MEASURES.items() if stage == name}
        measured |= {key: when | counted for key, counted in counts.items() if counted}
    return {"stages": stages, "measured": measured, "notebooks": timed()}


def read(stage: str, report: str) -> list[Case]:
    """Return the tests of a stage's report, if all is well with it."""
    path = FOLDER / report
    try:
        found = cases(path)
    except (OSError, ElementTree.ParseError):
        raise ValueError(
            f"the report {report} of the stage {stage} is missing or broken; run the stage again"
        ) from None
    if bad := [case for case in found if case.outcome in ("failure", "error")]:
        raise ValueError(f"{len(bad)} tests of the stage {stage} failed, the first is {bad[0].file} {bad[0].name}")
    return found


def timed() -> Record:
    """Return of each notebook that is executed and unchanged since how many code cells it has, their seconds, and the day."""
    found = {}
    for path in notebooks.notebooks():
        beside = notebooks.executed(path).with_suffix(".json")
        if beside.exists() and notebooks.is_current(path):
            found[path.relative_to(ROOT).as_posix()] = json.loads(beside.read_text(encoding="utf-8"))
    return found


def earlier() -> Record:
    """Return what is recorded, or an empty record."""
    empty: Record = {"stages": {}, "measured": {}, "notebooks": {}}
    return json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else empty


def merged(old: Record, new: Record) -> Record:
    """Return the new record, with what only the old one holds; notebooks that are gone are left out."""
    both = {part: {**old[part], **new[part]} for part in new}
    both["notebooks"] = {name: row for name, row in sorted(both["notebooks"].items()) if (ROOT / name).exists()}
    return both


def main() -> None:
    """Read, merge, record, say what is new."""
    try:
        new = collected()
    except ValueError as error:
        sys.exit(f"evidence: {error}")
    write(RECORD, merged(earlier(), new))
    said = [*new["stages"], *new["measured"], f"{len(new['notebooks'])} notebooks"]
    print(f"evidence: recorded in {RECORD.relative_to(ROOT).as_posix()}: {', '.join(said)}")


if __name__ == "__main__":
    main()
