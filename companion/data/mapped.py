"""Mini-batches from files that need not fit into memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from companion.data.batches import Batch, Epochs
from companion.errors import bad_value
from companion.functional._arguments import require_whole

Location = str | os.PathLike[str]


class MappedBatches(Epochs):
    """Cut ``.npy`` files into batches while only a few blocks of rows are in memory.

    A disk reads neighbours quickly and scattered rows slowly. So an epoch draws an order of *blocks* of consecutive
    rows, fills a buffer with the next few blocks, shuffles the rows in it and hands them out; then it fills the
    buffer anew.

    What this shuffling is not: not every order of rows can come out. Rows of one block always pass through the
    buffer together, and the buffer is all that a batch is drawn from: in a file that is sorted by class, a buffer of
    three blocks holds three classes at most. Shuffle such a file once when it is written. With ``block_rows=1`` and
    a buffer for all rows every order is possible.

    Args:
        paths: One file or more as ``numpy.save`` writes them, with equally many rows along the first axis: X and y.
        batch_size: Rows in each batch, 1 or more; the last one may be shorter.
        shuffle: Whether each epoch has an order of its own.
        drop_last: Whether a shorter last batch is left out.
        generator: A CPU generator for the order, and for nothing else if it is to be resumed in the middle of an
            epoch; None takes PyTorch's global generator.
        block_rows: Consecutive rows that are read together.
        buffer_rows: Rows in memory at once, at least a block.

    Attributes:
        epoch: How many epochs are complete.

    Raises:
        TypeError: If a number is of the wrong kind.
        ValueError: If a file is missing, is no complete ``.npy`` file, holds what no tensor can, or the files differ
            in rows. Pickled objects are never read: they could run any code.

    Source:
        Xu, Qiu, Yuan and others (2022), In-database machine learning with CorgiPile: stochastic gradient descent
        without full data shuffle.

    >>> import tempfile
    >>> file = tempfile.mkdtemp() + "/X.npy"
    >>> np.save(file, np.arange(10.0))
    >>> [len(X) for X, in MappedBatches(file, batch_size=4)]
    [4, 4, 2]
    """

    def __init__(
        self,
        *paths: Location,
        batch_size: int,
        shuffle: bool = True,
        drop_last: bool = False,
        generator: Generator | None = None,
        block_rows: int = 256,
        buffer_rows: int = 8192,
    ) -> None:
        if not paths:
            raise bad_value("MappedBatches", "paths", "one file or more", "none")
        require_whole("MappedBatches", "block_rows", block_rows, least=1)
        require_whole("MappedBatches", "buffer_rows", buffer_rows, least=block_rows)
        self.paths = tuple(Path(path) for path in paths)
        rows = [len(_open(path)) for path in self.paths]
        for path, count in zip(self.paths, rows, strict=True):
            if count != rows[0]:
                expected = f"{rows[0]} rows in {path.name}, as in {self.paths[0].name}"
                raise bad_value("MappedBatches", "paths", expected, count)
        super().__init__("MappedBatches", rows[0], batch_size, shuffle, drop_last, generator)
        self.block_rows, self.buffer_rows = int(block_rows), int(buffer_rows)

    def _cut(self, skip: int) -> Iterator[Batch]:
        """Hand out batches; those that are skipped cost random numbers but no reading."""
        first, end = skip * self.batch_size, min(self.rows, len(self) * self.batch_size)
        before = 0  # rows of earlier buffers
        room = self._room()
        rest: Batch = ()  # the beginning of a batch whose end is in the next buffer
        for starts, order in self._buffers():
            if before >= end:
                break
            if before + len(order) > first:
                self._read(room, starts)
                wanted = order[max(0, first - before) : end - before]
                lacking = self.batch_size - len(rest[0]) if rest else 0
                for rows in (wanted[:lacking], *wanted[lacking:].split(self.batch_size)):
                    if len(rows):
                        part = tuple(torch.from_numpy(array)[rows] for array in room)
                        rest = tuple(map(torch.cat, zip(rest, part, strict=True))) if rest else part
                    if rest and len(rest[0]) == self.batch_size:
                        yield rest
                        rest = ()
            before += len(order)
        if rest:
            yield rest

    def _buffers(self) -> Iterator[tuple[list[int], Tensor]]:
        """Draw, one buffer after the other, which blocks fill it and in which order its rows come out."""
        blocks = torch.arange(0, self.rows, self.block_rows)
        if self.shuffle:
            blocks = blocks[torch.randperm(len(blocks), generator=self.generator)]
        for chosen in blocks.split(self.buffer_rows // self.block_rows):
            starts = chosen.tolist()
            count = sum(min(self.block_rows, self.rows - start) for start in starts)
            yield starts, torch.randperm(count, generator=self.generator) if self.shuffle else torch.arange(count)

    def _room(self) -> list[np.ndarray]:
        """Make the buffer, once an epoch: new large arrays for each filling would riddle the heap with holes."""
        most = min(self.rows, self.buffer_rows // self.block_rows * self.block_rows)
        return [np.empty((most, *file.shape[1:]), file.dtype) for file in map(_open, self.paths)]

    def _read(self, room: list[np.ndarray], starts: list[int]) -> None:
        """Copy blocks out of the files into the buffer; the files are mapped for this long only."""
        for array, path in zip(room, self.paths, strict=True):
            file, at = _open(path), 0
            for start in starts:
                block = file[start : start + self.block_rows]
                array[at : at + len(block)] = block
                at += len(block)


def _open(path: Path) -> np.ndarray:
    """Map a file without reading it."""
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise bad_value("MappedBatches", "paths", "files that exist", f"no {path.name}") from None
    except (ValueError, EOFError, OSError) as error:
        got = f"{path.name}, which is not ({error})"
        raise bad_value("MappedBatches", "paths", "complete .npy files of numbers", got) from None
    if not isinstance(mapped, np.ndarray):  # an .npz archive
        mapped.close()
        raise bad_value("MappedBatches", "paths", ".npy files", f"{path.name}, an archive of several arrays")
    if mapped.ndim == 0 or not len(mapped):
        raise bad_value("MappedBatches", "paths", "arrays with one row or more", f"none in {path.name}")
    try:
        torch.from_numpy(np.empty(0, mapped.dtype))
    except (TypeError, ValueError):
        hint = "array.astype('float32') converts it"
        raise bad_value(
            "MappedBatches", "paths", "numbers that a tensor can hold", f"{mapped.dtype} in {path.name}", hint
        ) from None
    return mapped
