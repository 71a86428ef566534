"""Run a learner's notebook and write the results of its exercises as JSON; started by ``neurons check``.

``python -m companion.checks.run_notebook NOTEBOOK RESULTS``. A process of its own, so that nothing a notebook
does can disturb the command, and the command can stop it.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

from companion.checks import Result, bank, check, history, record

Found = dict[str, Any]


def exercises_of(notebook: dict[str, Any]) -> list[str]:
    """Return the exercises that a notebook holds: by its cells' metadata, or by the checks written in it."""
    found: set[str] = set()
    for cell in notebook["cells"]:
        number = cell.get("metadata", {}).get("exercise")
        written = re.findall(r"""check\(\s*["'](\d\d\.\d+)["']""", _source(cell)) if _is_code(cell) else []
        found |= {n for n in (number, *written) if type(n) is str}
    known = {c for n in found for c in [n[:2]] if c in bank.chapters()}
    return [i for chapter in sorted(known) for i in bank.ids(chapter)]


def run(notebook: dict[str, Any]) -> dict[str, Any]:
    """Run all code cells, check what they did not check.

    Returns the results, the first error of a cell, and what is to be said about the file of progress.
    """
    from IPython.core.interactiveshell import InteractiveShell

    record.current().keeps = ("check",)  # a hint that a cell asks for is not read by anybody now
    shell = InteractiveShell.instance()
    shell.run_cell("%colors nocolor", silent=True)
    first_error = ""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for number, cell in enumerate((c for c in notebook["cells"] if _is_code(c)), 1):
            outcome = shell.run_cell(_source(cell), store_history=True)
            error = outcome.error_before_exec or outcome.error_in_exec
            if error is not None and not first_error:
                line = (str(error).splitlines() or [""])[0]
                first_error = f"Code cell {number} stops with {type(error).__name__}: {line}"
        latest = {result.id: result for result in history}
        results = [latest.get(i) or _check_by_name(i, shell.user_ns) for i in exercises_of(notebook)]
    notices = record.current().notices
    return {"results": [_plain(result) for result in results], "error": first_error, "notices": notices}


def _check_by_name(number: str, namespace: dict[str, Any]) -> Result:
    names = bank.get(number).functions
    missing = [name for name in names if name not in namespace]
    if missing:
        return Result(number, "not attempted", f"the notebook defines no {' and no '.join(missing)}.")
    return check(number, *(namespace[name] for name in names))


def _plain(result: Result) -> Found:
    told = [(label, text) for label, text in (*result.explained, *result.shown) if label != "hint"]
    return {"id": result.id, "status": result.status, "message": result.message, "told": told}


def _is_code(cell: dict[str, Any]) -> bool:
    return cell.get("cell_type") == "code"


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell.get("source", ""))


def main() -> None:
    """Read the notebook named first, write results to the file named second."""
    notebook = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Path(sys.argv[2]).write_text(json.dumps(run(notebook)), encoding="utf-8")


if __name__ == "__main__":
    main()
