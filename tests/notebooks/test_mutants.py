"""The tool that plants faults: it plants them, notices who notices, and its list of harmless ones is about code that exists."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import mutants  # noqa: E402

AFFINE = ROOT / "companion" / "functional" / "affine.py"


def test_every_module_of_the_numeric_core_has_tests_that_exist():
    for module in mutants.modules([]):
        assert all((ROOT / path).exists() for path in mutants.tests_of(module))
    held = set(mutants.modules([]))
    for package in ("functional", "autograd", "metrics", "optim", "lr_scheduler", "search"):
        files = {p for p in (ROOT / "companion" / package).rglob("*.py") if p.name not in ("__init__.py",)}
        assert {".".join(p.relative_to(ROOT).with_suffix("").parts) for p in files} <= held


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def f(x: str) -> str:\n    y: str = x\n    return y", False),
        ("def f(x: int) -> int:\n    y: int = 2 * x\n    return y", True),
        ("def f(x: int) -> int:\n    return return", False),
    ],
)
def test_a_fault_is_valid_and_computes_something_else(code, expected):
    assert mutants.differs(code, "def f(x: int) -> int:\n    y: int = x\n    return y") == expected


def test_a_planted_fault_is_noticed_and_none_is_not(tmp_path):
    test = tmp_path / "test_it.py"
    test.write_text(
        "import torch\nfrom companion.functional import linear\n\n\n"
        "def test_it():\n    assert linear(torch.ones(1), torch.ones(1, 1), torch.ones(1)).item() == 2\n"
    )
    source = AFFINE.read_text(encoding="utf-8")
    faulty = source.replace("+ bias", "- bias")
    assert faulty != source
    fault = mutants.Mutant("companion.functional.affine", faulty, "", "")
    endless = mutants.Mutant("companion.functional.affine", "while True:\n    pass\n", "", "")
    jobs = [(None, [str(test)]), (fault, [str(test)]), (endless, [str(test)])]
    assert mutants.run(jobs, [60.0, 60.0, 10.0], workers=2) == [True, False, False]
    assert AFFINE.read_text(encoding="utf-8") == source


def test_every_harmless_fault_is_about_a_line_that_is_there_and_has_a_reason():
    for entry in mutants.explained():
        assert set(entry) == {"module", "before", "after", "why"}
        text = (ROOT / Path(*entry["module"].split("."))).with_suffix(".py").read_text(encoding="utf-8")
        flat = " ".join(text.split())
        assert " ".join(entry["before"].split()) in flat, f"{entry['module']} has no line {entry['before']!r}"
        assert len(entry["why"].split()) >= 4
