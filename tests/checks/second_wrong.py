"""One wrong answer of the second bank, as a learner would have typed it."""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Wrong:
    """A wrong answer.

    Args:
        belief: what the learner believed or did.
        code: the cell, as text; it may rely on ``torch``, which the notebook imports.
        treats: what a good message should speak about, in our words.
    """

    belief: str
    code: str
    treats: str


def run_cell(code: str, name: str) -> dict[str, Any]:
    """Run a cell as a notebook would, so that its lines can be quoted, and return what it defined.

    Args:
        code: the cell.
        name: a name for it, different for each cell.
    """
    file = f"<cell {name}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    names: dict[str, Any] = {"torch": torch, "__name__": "__main__"}
    exec(compile(code, file, "exec"), names)
    return names
