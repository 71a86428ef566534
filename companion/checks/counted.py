"""What a script hands to a learner's function to be asked: it answers, and keeps a list of what it was asked for.

None knows what the learner should find. The lists go into the trace, where they are judged.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from companion.errors import bad_value


class Product:
    """The product of a symmetric table with a vector, for whoever may not see the table."""

    def __init__(self, table: Tensor) -> None:
        self._table, self._calls = table, 0

    def __call__(self, v: Tensor) -> Tensor:
        """Return the product with a vector of decimal numbers."""
        n = len(self._table)
        if not isinstance(v, Tensor) or v.shape != (n,) or not v.is_floating_point():
            raise bad_value("times", "v", f"a vector of shape ({n},) with decimal numbers", _what(v))
        self._calls += 1
        return (self._table.to(v.dtype) @ v.detach()).clone()

    def asked(self) -> dict[str, Tensor]:
        """Return how often it was called."""
        return {"calls": torch.tensor(self._calls)}


class Slopes:
    """The mean slope of a small network's loss over some examples, for whoever may not see the examples.

    The network has one layer of ReLUs; its weights are one long vector, table and biases layer by layer.
    """

    def __init__(self, X: Tensor, y: Tensor, hidden: int, classes: int) -> None:
        self._X, self._y, self._sizes = X, y, (hidden, X.shape[1], classes)
        self._rows: list[Tensor] = []
        self._last: tuple[Tensor, Tensor] | None = None
        self._rates: list[float] = []

    def __call__(self, w: Tensor, rows: Tensor) -> Tensor:
        """Return the mean slope by every weight over the examples of these numbers."""
        hidden, inputs, classes = self._sizes
        count = hidden * (inputs + 1) + classes * (hidden + 1)
        if not isinstance(w, Tensor) or w.shape != (count,):
            raise bad_value("slopes", "w", f"weights of shape ({count},)", _what(w))
        whole = isinstance(rows, Tensor) and rows.dtype in (torch.int64, torch.int32)
        if not whole or rows.dim() != 1 or not len(rows):
            raise bad_value(
                "slopes", "rows", "the numbers of one row or more, an int64 tensor with one axis", _what(rows)
            )
        w = w.detach().clone()
        self._note(w)
        self._rows.append(rows.clone())
        g = slopes_of(w, self._X[rows], self._y[rows], hidden)
        self._last = w, g
        return g.clone()

    def _note(self, w: Tensor) -> None:
        """Keep how far the weights went along the last slope, as a multiple of it."""
        if self._last is not None:
            before, g = self._last
            self._rates.append((torch.dot(before - w, g) / torch.dot(g, g).clamp(min=1e-30)).item())

    def asked(self) -> dict[str, Tensor]:
        """Return all rows that were asked for, how many each time, and the rates of the steps between the calls."""
        return {
            "rows": torch.cat(self._rows) if self._rows else torch.zeros(0, dtype=torch.int64),
            "sizes": torch.tensor([len(r) for r in self._rows], dtype=torch.int64),
            "rates": torch.tensor(self._rates, dtype=torch.float64),
        }


class Rounds:
    """The mean slope of a small network's loss over the next few examples, epoch after epoch, each in an order of its own.

    The network is that of :class:`Slopes`. Whoever holds this can call it, and learns nothing else from it.
    """

    __slots__ = ("_called", "_data", "_moves", "_order", "_rows", "_size", "_sizes")

    def __init__(self, X: Tensor, y: Tensor, hidden: int, classes: int, size: int, seed: int) -> None:
        self._data, self._sizes, self._size = (X, y), (hidden, X.shape[1], classes), size
        self._order, self._rows = torch.Generator().manual_seed(seed), list[Tensor]()
        self._called, self._moves = 0, Moves()

    def __getattribute__(self, name: str) -> Any:
        if name in ("asked", "__class__", "__doc__"):
            return object.__getattribute__(self, name)
        raise AttributeError(
            "slopes tells the slopes at the weights that it is called with, slopes(w), and nothing else"
        )

    def __call__(self, w: Tensor) -> Tensor:
        """Return the mean slope by every weight over the next few examples."""
        its = partial(object.__getattribute__, self)
        (X, y), (hidden, inputs, classes), rows = its("_data"), its("_sizes"), its("_rows")
        count = hidden * (inputs + 1) + classes * (hidden + 1)
        if not isinstance(w, Tensor) or w.shape != (count,) or not w.is_floating_point():
            raise bad_value("slopes", "w", f"weights of shape ({count},), decimal numbers", _what(w))
        if not rows:
            rows += torch.randperm(len(X), generator=its("_order")).split(its("_size"))
        now = rows.pop(0)
        w = w.detach().clone()
        g = slopes_of(w, X[now].to(w.dtype), y[now], hidden)
        its("_moves").note(w.float(), g.float())
        object.__setattr__(self, "_called", its("_called") + 1)
        return g.clone()

    def asked(self) -> dict[str, Tensor]:
        """Return how often it was called, and how the weights went between the calls."""
        its = partial(object.__getattribute__, self)
        return {"calls": torch.tensor(its("_called")), **its("_moves").told()}


class Moves:
    """How weights move between two calls that ask for their slopes: along the last slope, along older ones, or otherwise.

    Looked at is every third move, from the second on.
    """

    def __init__(self) -> None:
        self._w = self._g = self._older = self._move = torch.zeros(0)
        self._calls = 0
        self._found: list[Tensor] = []

    def note(self, w: Tensor, g: Tensor) -> None:
        """Take in the weights of a call and the slopes that it returns."""
        if len(self._w):
            move = self._w - w
            if self._calls % 3 == 2:
                self._found.append(self._of(move))
            self._older, self._move = self._g, move
        self._w, self._g = w, g
        self._calls += 1

    def _of(self, move: Tensor) -> Tensor:
        """Return the length, the rate along the last slope, what that leaves, what older ones leave, how unlike the entries are, and the share kept of the move before."""
        length, g = move.norm(), self._g
        rate = torch.dot(move, g) / torch.dot(g, g).clamp(min=1e-30)
        known = torch.stack([g, self._older, self._move])
        known = known / known.norm(dim=1, keepdim=True).clamp(min=1e-30)
        table = (known @ known.T).double() + 1e-9 * torch.eye(3, dtype=torch.float64)
        shares = torch.zeros(3)  # of weights that have run away no more can be said
        if table.isfinite().all() and length.isfinite():
            shares = torch.linalg.solve(table, (known @ move).double()).float()
        sizes = move[g != 0].abs()
        unlike = sizes.std() / sizes.mean().clamp(min=1e-30) if len(sizes) > 1 else torch.tensor(0.0)
        left = (move - rate * g).norm(), (move - shares @ known).norm()
        scale = length.clamp(min=1e-30)
        kept = shares[2] / self._move.norm().clamp(min=1e-30)
        return torch.stack([length, rate, left[0] / scale, left[1] / scale, unlike, kept]).double()

    def told(self) -> dict[str, Tensor]:
        """Return these numbers for each move that was looked at, in columns of their names."""
        names = ("lengths", "rates", "beside the slope", "beside older slopes", "unlike", "kept")
        table = torch.stack(self._found) if self._found else torch.zeros(0, len(names), dtype=torch.float64)
        return dict(zip(names, table.T.contiguous()))


def layers(w: Tensor, inputs: int, hidden: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the tables and biases that one long vector holds: W1 (H, D), b1 (H,), W2 (C, H), b2 (C,)."""
    first, b1, rest = w.split([hidden * inputs, hidden, len(w) - hidden * (inputs + 1)])
    classes = len(rest) // (hidden + 1)
    return first.view(hidden, inputs), b1, rest[:-classes].view(classes, hidden), rest[-classes:]


def start(inputs: int, hidden: int, classes: int, generator: torch.Generator) -> Tensor:
    """Return weights drawn by chance and biases at 0, as one long vector."""
    W1 = torch.randn(hidden * inputs, generator=generator) * (2 / inputs) ** 0.5
    W2 = torch.randn(classes * hidden, generator=generator) / hidden**0.5
    return torch.cat([W1, torch.zeros(hidden), W2, torch.zeros(classes)])


def scores(w: Tensor, x: Tensor, hidden: int) -> Tensor:
    """Return what the network says of examples: (N, D) -> (N, C)."""
    W1, b1, W2, b2 = layers(w, x.shape[1], hidden)
    return (x @ W1.T + b1).clamp(min=0) @ W2.T + b2


def slopes_of(w: Tensor, x: Tensor, y: Tensor, hidden: int) -> Tensor:
    """Return the slope of the mean cross-entropy by every weight, as one long vector."""
    W1, b1, W2, b2 = layers(w, x.shape[1], hidden)
    s = x @ W1.T + b1
    h = s.clamp(min=0)
    dz = torch.softmax(h @ W2.T + b2, dim=1)
    dz[torch.arange(len(y)), y] -= 1
    dz = dz / len(y)
    ds = (dz @ W2) * (s > 0)
    return torch.cat([(ds.T @ x).flatten(), ds.sum(dim=0), (dz.T @ h).flatten(), dz.sum(dim=0)])


def _what(value: Any) -> str:
    if not isinstance(value, Tensor):
        return "nothing" if value is None else f"something of type {type(value).__name__}"
    return f"a tensor of shape {tuple(value.shape)} and dtype {str(value.dtype).removeprefix('torch.')}"
