"""Files that are either the old one or the new one, never half of each, and that hold data and no code."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from companion.errors import bad_value

FORMAT = "companion.training checkpoint, version 1"


def write_atomically(path: Path, content: dict[str, Any]) -> None:
    """Write plain data into a file beside the wanted one, wait for the disk, and only then take its name.

    Whatever stops it, under the wanted name there is the old file or the new one, whole. A process that is
    killed in between leaves a hidden file that ends in ``.part``.

    Args:
        path: The wanted name; its folder exists.
        content: Tensors, numbers, strings, None, and lists, tuples and dictionaries of them.

    Raises:
        OSError: If the disk refuses; the old file is untouched.
        ValueError: If there is something else in the content.
    """
    require_plain("content", content)
    _write(path, lambda file: torch.save({"format": FORMAT, **content}, file))


def write_text(path: Path, text: str) -> None:
    """Write a text file in the same way: a log, a table, a JSON file.

    Raises:
        OSError: If the disk refuses; the old file is untouched.
    """
    _write(path, lambda file: file.write(text.encode()))


def _write(path: Path, fill: Callable[[IO[bytes]], object]) -> None:
    """Fill a hidden file beside the wanted one, and have it take the name once it is on the disk."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with _ctrl_c_waits():
        try:
            with open(part, "wb") as file:
                fill(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
        _wait_for_folder(path.parent)


@contextlib.contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """Hold Ctrl-C back until the file is whole: PyTorch's writer aborts the whole process when it is interrupted."""
    before = signal.getsignal(signal.SIGINT)
    if before is None or threading.current_thread() is not threading.main_thread():
        yield  # nobody's to change
        return
    pressed: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            signal.raise_signal(signal.SIGINT)


def read_whole(where: str, path: Path) -> dict[str, Any]:
    """Return what ``write_atomically`` wrote, on the CPU; no code in the file is run.

    Raises:
        ValueError: If there is no such file, or it is truncated or something else.
    """
    if not path.is_file():
        raise bad_value(where, "path", "a checkpoint", f"{path.name}, which is no file")
    hint = "take an older one, or delete it and begin anew"
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what is wrong with the bytes decides which kind it is: seven were seen
        raise bad_value(
            where, "path", "a checkpoint", f"{path.name}, which is truncated or something else", hint
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        hint = "torch.load(path, weights_only=True) shows what it holds"
        raise bad_value(where, "path", "a checkpoint", f"{path.name}, which holds something else", hint)
    return content


def require_plain(name: str, value: Any) -> None:
    """Refuse what is neither a tensor nor could stand in JSON, and say where it is."""
    if isinstance(value, dict):
        for key, part in value.items():
            require_plain(f"{name}.{key}", part)
    elif isinstance(value, (list, tuple)):
        for i, part in enumerate(value):
            require_plain(f"{name}.{i}", part)
    elif not isinstance(value, Tensor) and type(value) not in (str, int, float, bool, type(None)):
        got = f"{type(value).__module__}.{type(value).__qualname__}"
        hint = "a file that holds other things could run code when it is opened"
        raise bad_value(
            "Checkpoint", name, "a tensor, a number, a string, or lists and dictionaries of them", got, hint
        )


def _wait_for_folder(folder: Path) -> None:
    """Have the new name on the disk too, where the system can say so."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
