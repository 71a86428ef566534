"""The page of evidence: runs that failed or are missing are refused, what was not measured keeps its day, and no number is typed."""

from __future__ import annotations

import ast
import json
import re
import statistics
import sys

import anatomy
import evidence
import evidence_page
import gate
import lighthouse
import mutants
import pytest
import torch
import yaml
from IPython.core.inputtransformer2 import TransformerManager

from companion import figures, nn
from companion.checks import bank

WHEN = {"date": "2026-01-02", "commit": "abc", "course": "0.1", "machine": "Abacus, 2 cores", "versions": "Python 3"}
STAGE = WHEN | {"passed": True, "about": "It counts.", "seconds": 90.0, "largest_gb": 1.5, "reports": ["unit.xml"]}
PASSED = {
    "tests.companion.functional.test_conv test_it[a.b]": "",
    "tests.companion.test_common test_rule": '<properties><property name="hypothesis" value="property"/></properties>',
    "tests.checks.test_bank test_mistake_is_named_as_itself[01.1-0-forgets the bias]": "",
    "tests.checks.test_bank test_mistake_is_named_as_itself[90.1-0-a sample]": "",
    "tests.site.test_site test_no_accessibility_violation[book/index.html-light]": "",
    "tests.site.test_site test_no_accessibility_violation[book/index.html-dark]": "",
    "tests.site.test_site test_no_accessibility_violation[book/00.html-dark]": "",
    "tests.site.test_site test_no_accessibility_violation_on_a_phone[book/01.html]": "",
}
SECOND = "tests.checks.test_second_bank test_wrong_answer_of_the_second_bank_is_refused[01.1-{}]"
for number, name in enumerate(("forgets the bias", "", "adds twice")):
    PASSED[SECOND.format(number)] = f'<properties><property name="mistake" value="{name}"/></properties>'
PASSED["tests.checks.test_second_bank test_right_answer_of_the_second_bank_is_accepted[01.1]"] = ""
LINKS = '<properties><property name="links" value="{}"/><property name="links to other hosts" value="{}"/></properties>'
FAULTS = "".join(f'<property name="{name}" value="{n}"/>' for name, n in (("rejected", 9), ("accepted", 1)))
for number in ("01.1", "01.2"):
    name = f"tests.checks.test_planted_faults test_every_fault_is_rejected_or_explained[{number}]@{number}"
    PASSED[name] = f"<properties>{FAULTS}</properties>"
PASSED["tests.site.test_site test_internal_links_and_anchors_lead_somewhere[a.html]"] = LINKS.format(20, 3)
PASSED["tests.site.test_site test_internal_links_and_anchors_lead_somewhere[b.html]"] = LINKS.format(30, 4)


def report(cases) -> str:
    rows = [(*key.split(" ", 1), inside) for key, inside in cases.items()]
    made = "".join(f'<testcase classname="{c}" name="{n}" time="1.5">{inside}</testcase>' for c, n, inside in rows)
    return f"<testsuites><testsuite>{made}</testsuite></testsuites>"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A place for runs and record of its own, without timed notebooks."""
    monkeypatch.setattr(evidence, "FOLDER", tmp_path / "runs")
    monkeypatch.setattr(evidence, "RECORD", tmp_path / "evidence.json")
    monkeypatch.setattr(evidence, "ROOT", tmp_path)
    monkeypatch.setattr(evidence, "timed", lambda: {})
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


def ran(folder, stage="unit", cases=PASSED, **more):
    """Leave what a stage leaves."""
    (folder / f"{stage}.xml").write_text(report(cases), encoding="utf-8")
    evidence.keep(stage, STAGE | {"reports": [f"{stage}.xml"]} | more)


def refused() -> str:
    with pytest.raises(SystemExit) as stopped:
        evidence.main()
    assert not evidence.RECORD.exists()
    said = str(stopped.value)
    assert said.startswith("evidence: ")
    assert "\n" not in said
    return said


# ---- what is refused


def test_nothing_is_recorded_when_there_was_no_run(folder):
    assert "run `make test` first" in refused()


def test_nothing_is_recorded_when_a_stage_failed(folder):
    ran(folder, "lint", passed=True)
    ran(folder, passed=False)
    assert "unit failed on 2026-01-02" in refused()


@pytest.mark.parametrize("end", ["failure", "error"])
def test_nothing_is_recorded_when_a_test_failed_that_the_stage_says_nothing_of(folder, end):
    ran(folder, cases=PASSED | {"tests.companion.test_init test_bad": f"<{end}/>"})
    assert "1 tests of the stage unit failed, the first is tests/companion/test_init.py test_bad" in refused()


@pytest.mark.parametrize("text", [None, "<testsuites><testsuite>"])
def test_nothing_is_recorded_when_a_report_is_missing_or_broken(folder, text):
    ran(folder)
    (folder / "unit.xml").unlink() if text is None else (folder / "unit.xml").write_text(text)
    assert "the report unit.xml of the stage unit is missing or broken" in refused()


def test_nothing_is_recorded_when_lighthouse_found_less_than_is_wanted(folder):
    ran(folder)
    evidence.keep("lighthouse", WHEN | {"passed": False})
    assert "lighthouse failed on 2026-01-02" in refused()


# ---- what is recorded


def test_a_run_is_counted_by_what_its_tests_noted(folder):
    ran(folder)
    ran(folder, "browser")
    ran(folder, "slow", cases=dict(list(PASSED.items())[:5]))  # part of them only
    evidence.main()
    found = json.loads(evidence.RECORD.read_text(encoding="utf-8"))
    unit = found["stages"]["unit"]
    assert (unit["passed_tests"], unit["skipped_tests"], unit["properties"]) == (16, 0, 1)
    assert unit["files"]["tests/checks/test_second_bank.py"] == [4, 6.0]
    day = {"date": "2026-01-02", "commit": "abc"}
    assert found["measured"] == {
        "known mistakes": day | {"named": 1},
        "second bank": day | {"accepted": 1, "refused": 3, "named": 2},
        "faults in right answers": day | {"exercises": 2, "rejected": 18, "accepted": 2},
        "axe on a desk": day | {"light": 1, "dark": 2},
        "axe on a phone": day | {"light": 1, "dark": 0},
        "links": day | {"pages": 2, "links": 50, "elsewhere": 7},
    }


def test_a_skipped_test_counts_as_skipped(folder):
    ran(folder, cases={**PASSED, "tests.companion.functional.test_conv test_cuda": '<skipped type="pytest.skip"/>'})
    unit = evidence.collected()["stages"]["unit"]
    assert (unit["passed_tests"], unit["skipped_tests"]) == (16, 1)
    assert unit["files"]["tests/companion/functional/test_conv.py"][0] == 1


def test_what_a_run_does_not_measure_keeps_its_record_and_its_day(folder):
    ran(folder)
    ran(folder, "browser")
    evidence.keep("mutants", WHEN | {"passed": True, "faults": 5})
    evidence.main()
    for path in folder.iterdir():
        path.unlink()
    cases = {k: v for k, v in PASSED.items() if "links" not in k}
    ran(folder, "browser", cases=cases, date="2026-03-04")
    evidence.main()
    found = json.loads(evidence.RECORD.read_text(encoding="utf-8"))
    assert {name: s["date"] for name, s in found["stages"].items()} == {"unit": "2026-01-02", "browser": "2026-03-04"}
    assert found["measured"]["links"] == {
        "date": "2026-01-02",
        "commit": "abc",
        "pages": 2,
        "links": 50,
        "elsewhere": 7,
    }
    assert found["measured"]["mutants"]["date"] == "2026-01-02"
    assert found["measured"]["axe on a desk"]["date"] == "2026-03-04"


def test_a_notebook_that_is_gone_is_left_out_and_one_not_executed_keeps_its_seconds(folder, monkeypatch):
    (evidence.ROOT / "a.ipynb").write_text("{}")
    (evidence.ROOT / "b.ipynb").write_text("{}")
    old = {"stages": {}, "measured": {}, "notebooks": {n: {"seconds": 1.0} for n in ("a.ipynb", "gone.ipynb")}}
    new = {"stages": {}, "measured": {}, "notebooks": {"b.ipynb": {"seconds": 2.0}}}
    assert evidence.merged(old, new)["notebooks"] == {"a.ipynb": {"seconds": 1.0}, "b.ipynb": {"seconds": 2.0}}


def test_every_test_that_is_counted_by_its_name_is_there():
    names = set(re.findall(r'"(test_\w+)"', (anatomy.ROOT / "tools" / "evidence.py").read_text(encoding="utf-8")))
    sources = "".join(p.read_text(encoding="utf-8") for p in (anatomy.ROOT / "tests").rglob("test_*.py"))
    assert len(names) >= 6
    assert [name for name in names if f"\ndef {name}(" not in sources] == []


def test_every_file_of_tests_that_the_page_counts_by_is_there():
    folders = [f for _, held in evidence_page.ORACLES.values() for f in held]
    assert all((anatomy.ROOT / "tests" / "companion" / f).exists() for f in folders)
    assert (anatomy.ROOT / evidence_page.TOGETHER).exists()


# ---- who leaves it


def test_the_gate_leaves_its_result_and_pytests_report(folder, monkeypatch, capsys):
    file = "tests/companion/test_common.py"
    wanted = (
        f"{file}::test_gelu_and_silu_are_not_monotonic",
        f"{file}::test_logsumexp_lies_between_the_maximum_and_log_n_above",
    )

    def unit() -> bool:
        """Two tests, one of them a property."""
        return gate.tests("unit", "-p", "no:cacheprovider", *wanted)

    monkeypatch.setattr(gate, "STAGES", {"unit": unit, "site": lambda: True})
    monkeypatch.setattr(sys, "argv", ["gate"])
    (folder / "unit-older.xml").write_text("of an earlier run")
    with pytest.raises(SystemExit) as stopped:
        gate.main()
    assert not stopped.value.code
    assert sorted(p.name for p in folder.iterdir()) == ["site.json", "unit.json", "unit.xml"]
    unit = evidence.collected()["stages"]["unit"]
    assert (unit["passed_tests"], unit["properties"], list(unit["files"])) == (2, 1, [file])
    assert (unit["about"], unit["date"]) == ("Two tests, one of them a property.", evidence.setting()["date"])
    assert unit["seconds"] > 0


def test_the_gate_leaves_that_a_stage_failed(folder, monkeypatch):
    monkeypatch.setattr(gate, "STAGES", {"site": lambda: True, "unit": lambda: False})
    monkeypatch.setattr(sys, "argv", ["gate"])
    with pytest.raises(SystemExit):
        gate.main()
    assert "unit failed on" in refused()


def test_mutants_are_kept_from_a_whole_run_only(folder):
    fault = mutants.Mutant("companion.optim", "", "no such line", "another")
    with pytest.raises(SystemExit):
        mutants.report([fault, fault], [])
    assert list(folder.iterdir()) == []
    with pytest.raises(SystemExit):
        mutants.report([fault, fault], [], whole=True)
    kept = json.loads((folder / "mutants.json").read_text(encoding="utf-8"))
    assert (kept["passed"], kept["faults"], kept["noticed"], kept["harmless"]) == (True, 2, 2, 0)
    with pytest.raises(SystemExit):
        mutants.report([fault, fault], [fault], whole=True)
    assert json.loads((folder / "mutants.json").read_text(encoding="utf-8"))["passed"] is False


@pytest.mark.parametrize("score", [100, 50])
def test_lighthouse_leaves_its_table(folder, monkeypatch, tmp_path, score):
    found = dict.fromkeys(lighthouse.WANTED, score) | {"shift": 0.001, "machine": 2000}
    monkeypatch.setattr(lighthouse, "measure", lambda url, browser: found)
    monkeypatch.setattr(lighthouse, "pages", lambda: ["book/index.html"])
    monkeypatch.setattr(lighthouse, "HTML", tmp_path)
    monkeypatch.setattr(gate, "chromium", lambda whole: "chromium")
    if score == 100:
        lighthouse.main()
    else:
        with pytest.raises(SystemExit):
            lighthouse.main()
    kept = json.loads((folder / "lighthouse.json").read_text(encoding="utf-8"))
    assert kept["passed"] is (score == 100)
    assert kept["pages"] == {"book/index.html": found}


# ---- the page


def recount() -> dict[str, list[int]]:
    """Return what the first table counts, counted in another way."""
    root = anatomy.ROOT
    paths = [p for folder in ("book", "exercises", "solutions") for p in (root / folder).glob("*.ipynb")]
    code = [c for p in paths for c in anatomy.read(p) if c["cell_type"] == "code"]
    trees = [ast.parse(TransformerManager().transform_cell(c["source"])) for c in code]
    called = [n.func for t in trees for n in ast.walk(t) if isinstance(n, ast.Call)]
    stored = [c for c in code if anatomy.output(c).strip()]
    solved = {
        c["metadata"]["exercise"]
        for p in (root / "solutions").glob("*.ipynb")
        for c in anatomy.read(p)
        if "exercise" in c["metadata"]
    }
    aids = [yaml.safe_load(p.read_text("utf-8")) for p in (root / "companion" / "aids").glob("*.yml")]
    done = [a for a in aids if a["status"] == "done"]
    second = [p.read_text("utf-8") for p in (root / "tests" / "checks").glob("second_[0-9]*.py")]
    items = re.findall(r"^  [^:#]+: (.+)$", (root / "book" / "brief.yml").read_text("utf-8"), re.M)
    return {
        "chapters": [len(done)],
        "notebooks": [len(paths)],
        "code cells": [len(code)],
        "outputs compared": [sum("nbval-ignore-output" not in anatomy.tags(c) for c in stored), len(stored)],
        "claims": [sum(isinstance(f, ast.Name) and f.id == "claim" for f in called)],
        "interactive figures": [sum(name in figures.GALLERY for name in dir(figures))],
        "exercises": [len(solved)],
        "known mistakes": [sum(len({m.seen for m in bank.get(number).mistakes}) for number in solved)],
        "second wrong answers": [sum(len(re.findall(r"\bWrong\(", text)) for text in second)],
        "quiz questions": [sum(len(a["quiz"]) for a in done)],
        "flashcards": [sum(len(a["flashcards"]) for a in done)],
        "terms": [sum(len(a["terms"]) for a in done)],
        "sources": [f"\n{(root / 'book' / 'references.bib').read_text('utf-8')}".count("\n@")],
        "items taught": [sum("#" in item for item in items), len(items)],
    }  # fmt: skip


def test_counts_of_the_page_are_those_of_the_sources():
    shown = {name: [int(n) for n in value.split(" of ")] for name, value, _ in evidence_page.counted()}
    assert shown == recount()


def test_names_with_a_twin_are_counted_without_those_that_are_pytorchs_own():
    said = evidence_page.oracles({})
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+ of \d+) \|", said[2], re.M))
    assert list(rows) == list(evidence_page.ORACLES)
    assert rows["optim"] == "8 of 8"
    assert rows["nn"] == f"{len(set(nn.__all__) & set(dir(torch.nn))) - 4} of {len(nn.__all__) - 4}"
    assert said[3].startswith("Without a twin of their name are `rnn_cell`,")
    assert said[3].endswith("not counted: `Flatten`, `Module`, `Parameter`, `Sequential`.")


FULL = {
    "stages": {
        "lint": {**WHEN, "about": "It reads.", "seconds": 60.0, "largest_gb": 0.5},
        "unit": {
            **WHEN, "about": "It counts.", "seconds": 930.0, "largest_gb": 1.5, "passed_tests": 9000, "skipped_tests": 30, "properties": 50,
            "files": {"tests/companion/test_common.py": [400, 90.0], "tests/companion/test_init.py": [60, 30.0], "tests/checks/test_a.py": [8, 600.0]},
        },
        "slow": {**WHEN, "about": "It waits.", "seconds": 1800.0, "largest_gb": 2.5, "passed_tests": 70, "skipped_tests": 2},
    },
    "measured": {
        "known mistakes": {**WHEN, "named": 2000},
        "second bank": {**WHEN, "accepted": 80, "refused": 480, "named": 300},
        "faults in right answers": {**WHEN, "exercises": 70, "rejected": 900, "accepted": 20},
        "axe on a desk": {**WHEN, "light": 9, "dark": 8},
        "links": {**WHEN, "pages": 70, "links": 5000, "elsewhere": 600},
        "lighthouse": {
            **WHEN, "lighthouse": "13.5", "runs": 3, "wanted": {"performance": 95, "seo": 100},
            "pages": {"book/index.html": {"performance": 97, "seo": 99, "shift": 0.003, "machine": 2000}},
        },
        "mutants": {**WHEN, "modules": 40, "faults": 480, "noticed": 460, "harmless": 20},
    },
    "notebooks": {
        "book/01_neurons.ipynb": {"date": "2026-01-02", "cells": 60, "seconds": 12.5},
        "exercises/01_neurons.ipynb": {"date": "2026-01-05", "cells": 20, "seconds": 2.5},
        "solutions/01_neurons.ipynb": {"date": "2026-01-03", "cells": 21, "seconds": 4.0},
        "book/02_activations.ipynb": {"date": "2026-01-02", "cells": 50, "seconds": 32.0},
    },
}  # fmt: skip


def other(record):
    """Return a record in which every number and every day is another one."""
    if isinstance(record, dict):
        return {key: other(value) for key, value in record.items()}
    if isinstance(record, list):
        return [other(value) for value in record]
    return re.sub(r"\d", lambda d: str((int(d[0]) + 3) % 10), record) if isinstance(record, str) else 7 * record + 13


def recorded(record) -> list[str]:
    """Return the numbers of the page that come from a record; names of files are none."""
    measured = record["measured"]
    said = [
        *evidence_page.minutes(record["stages"]),
        *re.findall(r"\| (\d+) \|$", evidence_page.oracles(record["stages"])[2], re.M)[-1:],
        *evidence_page.oracles(record["stages"])[4:],
        *evidence_page.answers(measured),
        *evidence_page.seconds(record["notebooks"]),
        *evidence_page.pages(measured),
        *evidence_page.lighthouse(measured.get("lighthouse")),
        *evidence_page.mutants(measured.get("mutants")),
    ]
    return re.findall(r"\d[\d.,-]*", re.sub(r"`[^`]*`|\b\d\d_\w+", "", "\n".join(said)))


def test_no_number_of_what_is_recorded_is_typed():
    one, two = recorded(FULL), recorded(other(FULL))
    assert len(one) >= 60
    assert [n for n, m in zip(one, two, strict=True) if n == m] == []
    assert recorded({"stages": {}, "measured": {}, "notebooks": {}}) == []


def test_minutes_of_the_gate_are_added_up_without_what_is_too_long_for_it():
    said = "\n".join(evidence_page.minutes(FULL["stages"]))
    assert "| together |  | 9000 | 30 | 16.5 |" in said
    assert "`lint`, `unit`, `slow`: recorded on 2026-01-02, at commit `abc`." in said
    assert "| slow | It waits. | 70 | 2 | 30.0 |" in said
    assert "| `tests/companion` | 460 | 2.0 |" in said


def test_seconds_of_notebooks_stand_by_chapter_and_add_up():
    said = evidence_page.seconds(FULL["notebooks"])
    assert "| 01_neurons | 12.5 | 4.0 | 2.5 | 101 | 2026-01-02 to 2026-01-05 |" in table_of(said)
    assert "| 02_activations | 32.0 |  |  | 50 | 2026-01-02 |" in table_of(said)
    assert "| together | 44.5 | 4.0 | 2.5 | 151 |  |" in table_of(said)


def table_of(said) -> list[str]:
    return said[-1].splitlines()


def test_tests_of_the_site_alone_are_not_told_as_nought_tests_of_the_companion():
    browser = {**FULL["stages"]["lint"], "files": {"tests/site/test_site.py": [5, 1.0]}}
    said = evidence_page.oracles({"browser": browser})
    assert re.search(r"\| `torch.nn.init` \|  \|$", said[2], re.M)
    assert said[-1] == "Nothing is recorded yet. `make unit` measures it, and `make evidence` records it."


def test_page_says_what_measures_that_which_is_not_recorded(folder):
    said = evidence_page.page()
    for command in ("test", "unit", "notebooks", "lighthouse", "mutants"):
        assert f"Nothing is recorded yet. `make {command}` measures it, and `make evidence` records it." in said


def test_mean_ratio_is_that_of_the_recorded_benchmarks():
    rows = json.loads((anatomy.ROOT / "tests" / "benchmarks" / "results.json").read_text("utf-8"))["rows"]
    mean = statistics.geometric_mean(r["ratio"] for r in rows)
    assert f"takes {mean:.2f} times as long" in evidence_page.benchmarks()[1]


def test_a_stage_that_is_not_recorded_is_named():
    said = "\n".join(evidence_page.minutes({"lint": FULL["stages"]["lint"]}))
    assert "No run is recorded yet of `unit`, `notebooks`, `site`, `browser`." in said
    assert "No run is recorded" not in "\n".join(
        evidence_page.minutes(dict.fromkeys(gate.STAGES, FULL["stages"]["lint"]))
    )


def test_record_holds_stages_of_the_gate_each_with_its_day_commit_and_machine():
    record = json.loads((anatomy.ROOT / "tests" / "evidence.json").read_text("utf-8"))
    assert set(record) == {"stages", "measured", "notebooks"}
    assert set(record["measured"]) <= {*evidence.MEASURES, *evidence.TOOLS}
    assert set(record["stages"]) <= {*gate.STAGES, "slow"}
    assert record["stages"]
    assert all({"date", "commit", "machine", "versions"} <= set(stage) for stage in record["stages"].values())
