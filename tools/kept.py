"""What is long to make and seldom changes, kept in _build/made/ under the hash of all that it is made from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import notebooks

FOLDER = notebooks.ROOT / "_build" / "made"


def kept(made_from: Iterable[bytes | str | Path], make: Callable[[], bytes]) -> bytes:
    """Return what was made from the same things before, else make it and keep it, unless nothing could be made.

    Args:
        made_from: everything that the result depends on, in order; a path stands for its name and its content.
        make: makes it.
    """
    file = FOLDER / digest(made_from)
    if not file.exists():
        if not (made := make()):
            return made
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f"{file.name}.{os.getpid()}.part")
        part.write_bytes(made)
        part.replace(file)
    return file.read_bytes()


def digest(parts: Iterable[bytes | str | Path]) -> str:
    """Return one name for a row of things; where one ends and the next begins counts too."""
    whole = hashlib.sha256()
    for part in parts:
        for piece in (str(part).encode(), part.read_bytes()) if isinstance(part, Path) else (part,):
            data = piece.encode() if isinstance(piece, str) else piece
            whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()[:32]


def sources(*folders: str) -> list[Path]:
    """Return the files below folders of the repository, without what Python compiles from them."""
    found = [path for folder in folders for path in sorted((notebooks.ROOT / folder).rglob("*")) if path.is_file()]
    return [path for path in found if "__pycache__" not in path.parts]
