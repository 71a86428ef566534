"""Mini-batches of tensors in memory, epoch after epoch, and a state from which training goes on bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Generator, Tensor

from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_tensor, require_whole

Batch = tuple[Tensor, ...]


class Epochs:
    """Hand out batches; each ``for`` loop over it is one epoch, with an order of its own.

    A subclass says where rows come from: ``_cut(skip)`` draws the order of an epoch and hands out its batches but the
    first ``skip``. It must draw the same random numbers whatever ``skip`` is.

    Attributes:
        epoch: How many epochs are complete.
    """

    def __init__(
        self, where: str, rows: int, batch_size: int, shuffle: bool, drop_last: bool, generator: Generator | None
    ) -> None:
        require_whole(where, "batch_size", batch_size, least=1)
        for name, switch in (("shuffle", shuffle), ("drop_last", drop_last)):
            if not isinstance(switch, bool):
                raise bad_type(where, name, "True or False", switch)
        if generator is not None and not isinstance(generator, Generator):
            raise bad_type(
                where, "generator", "a torch.Generator", generator, "companion.random.generator(0) makes one"
            )
        self.where, self.rows, self.batch_size = where, rows, int(batch_size)
        self.shuffle, self.drop_last, self.generator = shuffle, drop_last, generator
        self.epoch = 0
        self._done = 0  # batches of the epoch that were handed out
        self._skip = 0  # batches to leave out when an epoch is resumed
        self._start: Tensor | None = None  # the generator's state before the epoch's order was drawn

    def __len__(self) -> int:
        whole, rest = divmod(self.rows, self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Batch]:
        skip, self._skip = self._skip, 0
        self._done = skip
        self._start = None if self.generator is None else self.generator.get_state()
        for batch in self._cut(skip):
            self._done += 1
            yield batch
        self.epoch += 1
        self._done = 0

    def _cut(self, skip: int) -> Iterator[Batch]:
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to go on: epoch, batches handed out, and the generator's state before this epoch.

        In the middle of an epoch the next batch is the one that would have come next.

        Returns:
            Whole numbers and a tensor of bytes, which ``torch.save`` keeps and ``torch.load`` reads with
            ``weights_only=True``.

        Raises:
            ValueError: If rows are shuffled by PyTorch's global generator, whose state others change too.
        """
        if self.shuffle and self.generator is None:
            hint = "pass generator= to make the order repeatable"
            raise bad_value(f"{self.where}.state_dict", "generator", "one of its own", "none", hint)
        inside = bool(self._done or self._skip)
        drawn = None
        if self.generator is not None:
            drawn = self._start if inside and self._start is not None else self.generator.get_state()
        return {
            "epoch": self.epoch,
            "done": self._done or self._skip,
            "generator": drawn,
            "rows": self.rows,
            "batch_size": self.batch_size,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where another run stood: the next loop hands out what is left of its epoch.

        Args:
            state: What ``state_dict`` returned for the same data and batch size.

        Raises:
            ValueError: If it belongs to other batches.
        """
        where = f"{self.where}.load_state_dict"
        missing = {"epoch", "done", "generator", "rows", "batch_size"} - set(state)
        if missing:
            raise bad_value(where, "state", "what state_dict returned", f"none of {', '.join(sorted(missing))}")
        for name, here in (("rows", self.rows), ("batch_size", self.batch_size)):
            if state[name] != here:
                raise bad_value(where, "state", f"{name} {here}, as here", state[name], "it belongs to other batches")
        if (state["generator"] is None) != (self.generator is None):
            expected = "no generator" if self.generator is None else "a generator's state"
            got = "none" if state["generator"] is None else "one"
            raise bad_value(where, "state", f"{expected}, as here", got, "it belongs to other batches")
        if self.generator is not None:
            self.generator.set_state(state["generator"])
        self._start = state["generator"]
        self.epoch, self._done, self._skip = state["epoch"], 0, state["done"]


class Batches(Epochs):
    """Cut tensors in memory into batches; each ``for`` loop is one epoch, in a new order.

    The rows are indexed by a permutation, which is quicker than a ``DataLoader`` that collects them one by one.
    Without shuffling the batches are views of the tensors, not copies.

    Args:
        tensors: One or more with equally many rows on one device: X and y, or X alone.
        batch_size: Rows in each batch, 1 or more; the last one may be shorter.
        shuffle: Whether each epoch has an order of its own.
        drop_last: Whether a shorter last batch is left out; shuffled, these are other rows each time.
        generator: A CPU generator for the order, and for nothing else if it is to be resumed in the middle of an
            epoch; None takes PyTorch's global generator.

    Attributes:
        epoch: How many epochs are complete.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If there is no row, or the tensors differ in rows or device.

    Source:
        Bengio (2012), Practical recommendations for gradient-based training of deep architectures.

    >>> X, y = torch.arange(5).unsqueeze(1), torch.arange(5)
    >>> [len(targets) for _, targets in Batches(X, y, batch_size=2)]
    [2, 2, 1]
    """

    def __init__(
        self,
        *tensors: Tensor,
        batch_size: int,
        shuffle: bool = True,
        drop_last: bool = False,
        generator: Generator | None = None,
    ) -> None:
        if not tensors:
            raise bad_value("Batches", "tensors", "one tensor or more", "none")
        for i, tensor in enumerate(tensors):
            require_tensor("Batches", f"tensors[{i}]", tensor)
            if tensor.ndim == 0 or not len(tensor):
                raise bad_value("Batches", f"tensors[{i}]", "one row or more", f"{tuple(tensor.shape)}")
            if len(tensor) != len(tensors[0]):
                raise bad_value("Batches", f"tensors[{i}]", f"{len(tensors[0])} rows, as in the first", len(tensor))
            if tensor.device != tensors[0].device:
                expected = f"a tensor on {tensors[0].device}, as the first"
                raise bad_value("Batches", f"tensors[{i}]", expected, f"one on {tensor.device}")
        super().__init__("Batches", len(tensors[0]), batch_size, shuffle, drop_last, generator)
        self.tensors = tensors

    def _cut(self, skip: int) -> Iterator[Batch]:
        if not self.shuffle:
            for k in range(skip, len(self)):
                yield tuple(t[k * self.batch_size : (k + 1) * self.batch_size] for t in self.tensors)
            return
        order = torch.randperm(self.rows, generator=self.generator).to(self.tensors[0].device)
        for rows in order.split(self.batch_size)[skip : len(self)]:
            yield tuple(tensor[rows] for tensor in self.tensors)
