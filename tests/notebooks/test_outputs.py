"""What notebooks store: everything that is printed, as text, in the house's form, nothing of this machine."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path

import anatomy
import notebooks
import pytest
from IPython.core.inputtransformer2 import TransformerManager

IGNORED = "nbval-ignore-output"
MOST_IGNORED = 3  # cells of one notebook whose output is not compared
SAYS = {"print", "claim", "agree", "check", "show"}
SHOWS = {"study", "figures"}
LIVE = re.compile(r"\binteract\(|perf_counter|timeit|Timer\(|\bseconds\(")
OF_A_MACHINE = re.compile(r"(?<![\w.:/])(?:/(?:home|root|work|tmp|usr|Users|opt|mnt)/|[A-Z]:\\)|site-packages")
every = pytest.mark.parametrize("path", notebooks.notebooks(), ids=lambda p: p.relative_to(notebooks.ROOT).as_posix())


def says_something(source: str) -> bool:
    """Say whether a cell prints, or ends in something that is shown, as far as its text tells."""
    body = ast.parse(TransformerManager().transform_cell(source)).body
    always = [s for s in body if not isinstance(s, ast.FunctionDef | ast.ClassDef | ast.If | ast.Try)]
    calls = [n.func for s in always for n in ast.walk(s) if isinstance(n, ast.Call)]
    if any(isinstance(f, ast.Name) and f.id in SAYS - {"show"} for f in calls):
        return True
    last = body[-1].value if body and isinstance(body[-1], ast.Expr) else None
    if not isinstance(last, ast.Call):
        return isinstance(last, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp | ast.Compare)
    name = ast.unparse(last.func)
    return name in SAYS or name.split(".")[0] in SHOWS


def problems(cells: list[anatomy.Cell]) -> list[str]:
    """Return what is wrong with the stored outputs of a notebook, each with the cell's place (from 0) and first line."""
    found = []
    count = 0
    for place, cell in enumerate(cells):
        if cell["cell_type"] != "code":
            continue
        count += 1
        at = f"cell {place} ({(cell['source'].splitlines() or [''])[-1][:50]})"
        if cell["execution_count"] != count:
            found.append(f"{at}: execution count {cell['execution_count']}, expected {count}")
        for output in cell["outputs"]:
            if output["output_type"] == "error" and "raises-exception" not in anatomy.tags(cell):
                found.append(f"{at}: stores the error {output['ename']}")
            if set(output.get("data", {})) - {"text/plain"}:
                found.append(f"{at}: stores more than text: {sorted(output['data'])}")
        ignored = IGNORED in anatomy.tags(cell)
        if not cell["outputs"] and not ignored and says_something(cell["source"]):
            found.append(f"{at}: prints or shows something, and nothing is stored")
        if ignored and not LIVE.search(cell["source"]):
            found.append(f"{at}: tagged {IGNORED}, and is neither interact(...) nor a timing")
        if machine := OF_A_MACHINE.search(cell["source"] + "\n" + anatomy.output(cell)):
            found.append(f"{at}: holds a path of a machine, {machine[0]!r}")
    if (ignored := sum(IGNORED in anatomy.tags(c) for c in cells)) > MOST_IGNORED:
        found.append(f"{ignored} cells are not compared, at most {MOST_IGNORED}")
    return found


@every
def test_outputs(path):
    cells = anatomy.read(path)
    ignored = sum(IGNORED in anatomy.tags(c) for c in cells)
    print(f"\n{path.name}: {ignored} of {sum(c['cell_type'] == 'code' for c in cells)} code cells not compared")
    assert not problems(cells)


@every
def test_house_form_and_unique_ids(path):
    text = path.read_text(encoding="utf-8")
    ids = [c["id"] for c in json.loads(text)["cells"]]
    assert len(set(ids)) == len(ids)
    assert notebooks.form(json.loads(text), path) == text, f"{path.name}: run `make normalise`"


@every
def test_set_up_fixes_the_threads(path):
    """The rerun with two threads changes this very line: without it that rerun would prove nothing."""
    setup = [c["source"] for c in anatomy.read(path) if "setup" in anatomy.tags(c)]
    assert [notebooks.THREADS in source for source in setup] == [True]


def code(source: str, *, outputs=(), count: int | None = 1, tags=()) -> anatomy.Cell:
    metadata = {"tags": list(tags)}
    return dict(cell_type="code", source=source, outputs=list(outputs), execution_count=count, metadata=metadata)


def text_output(text: str, mime: str = "text/plain") -> dict:
    return {"output_type": "display_data", "data": {mime: text}, "metadata": {}}


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (code("x = 1\nprint(x)"), "nothing is stored"),
        (code("for k in range(3):\n    print(k)"), "nothing is stored"),
        (code('claim(1, 1, what="one")'), "nothing is stored"),
        (code('study.quiz("01")'), "nothing is stored"),
        (code("show(fig, caption='c', alt='a')"), "nothing is stored"),
        (code("x = 1", count=None), "execution count None"),
        (code("x = 1", count=3), "expected 1"),
        (code("x", outputs=[text_output("<b>", "text/html")]), "more than text"),
        (code("1 / 0", outputs=[{"output_type": "error", "ename": "ZeroDivisionError"}]), "ZeroDivisionError"),
        (code("x = 1", tags=[IGNORED]), "neither interact"),
        (code("x", outputs=[text_output("in /home/me/x.py")]), "path of a machine"),
    ],
)
def test_a_fault_is_named_with_its_cell(cell, said):
    found = problems([cell])
    assert len(found) == 1
    assert found[0].startswith("cell 0 (")
    assert said in found[0]


@pytest.mark.parametrize(
    "cell",
    [
        code("def f():\n    print(1)"),
        code("fig = show"),
        code("_ = ipywidgets.interact(draw, x=(0, 1))", tags=[IGNORED]),
        code("%pip install x"),
        code("print(1)", outputs=[text_output("1")]),
    ],
)
def test_what_is_right_is_left_alone(cell):
    assert not problems([cell])


def test_fonts_and_settings_are_those_of_the_environment_and_of_nobodys_home(monkeypatch, tmp_path):
    (tmp_path / "matplotlibrc").write_text("font.size: 40\n")
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path))
    notebooks.find_fonts()
    own = Path(notebooks.environment()["MPLCONFIGDIR"])
    assert own.is_relative_to(sys.prefix)
    (listed,) = own.glob("fontlist-*.json")
    assert "fonts/ttf/DejaVuSans.ttf" in {font["fname"] for font in json.loads(listed.read_text())["ttflist"]}
    assert not list(tmp_path.glob("fontlist-*"))


def test_too_many_uncompared_cells_are_counted():
    cells = [code("interact(f)", count=k + 1, tags=[IGNORED]) for k in range(MOST_IGNORED + 1)]
    assert "not compared" in problems(cells)[0]
