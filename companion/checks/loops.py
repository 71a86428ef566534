"""A network, an optimizer and a schedule that keep a diary while a learner's loop uses them.

They do their work as those of PyTorch do, and note beside it what they were asked for, in which order, and in which
state everything was. None knows what a loop should look like.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

FORWARD, BACKWARD, STEP, SCHEDULE = 1, 2, 3, 4
Batches = Sequence[tuple[Tensor, Tensor]]


class _Token:
    """Something that lives as long as the record of a computation does."""


class Diary:
    """What happened, in order."""

    def __init__(self) -> None:
        self.events: list[int] = []
        self.rows: list[int] = []
        self.training: list[bool] = []
        self.recorded: list[bool] = []
        self.alive: list[int] = []
        self.norms: list[float] = []
        self.rates: list[float] = []
        self.tokens: list[weakref.ref[_Token]] = []

    def __deepcopy__(self, memo: dict[int, Any]) -> Diary:
        """Stay the same: a copy of a network writes into the diary of the network."""
        return self

    def graphs(self) -> int:
        """Return how many records of computations are still held by somebody."""
        return sum(token() is not None for token in self.tokens)


class Watched(nn.Module):
    """A small network with batch normalisation and dropout; it notes each batch that it is asked about."""

    def __init__(self, sizes: Sequence[int], seed: int, dtype: torch.dtype, drop: float) -> None:
        super().__init__()
        inputs, hidden, classes = sizes
        self.layers = nn.Sequential(
            nn.Linear(inputs, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Dropout(drop), nn.Linear(hidden, classes)
        ).to(dtype)
        chance = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for p in self.parameters():
                p.copy_(torch.randn(p.shape, generator=chance))
            for name, b in self.named_buffers():
                if b.is_floating_point():
                    b.copy_(torch.rand(b.shape, generator=chance) + float(name.endswith("var")))
        object.__setattr__(self, "diary", Diary())
        object.__setattr__(self, "before", {n: t.clone() for n, t in self.state_dict().items()})

    diary: Diary
    before: dict[str, Tensor]

    def forward(self, x: Tensor) -> Tensor:
        """Return scores, and note how it was asked."""
        note = self.diary
        note.alive.append(note.graphs())
        note.events.append(FORWARD)
        note.rows.append(len(x))
        note.training.append(self.training and all(m.training for m in self.layers))
        note.recorded.append(torch.is_grad_enabled())
        scores: Tensor = self.layers(x)
        if scores.requires_grad:
            token = _Token()

            def goes_back(slope: Tensor, held: _Token = token) -> None:  # the record of the computation holds it
                note.events.append(BACKWARD)  # by backward() and by autograd.grad alike

            scores.register_hook(goes_back)
            note.tokens.append(weakref.ref(token))
        return scores


class WatchedSGD(torch.optim.SGD):
    """Gradient descent with momentum that notes each step: its rate, and how long the slopes are."""

    def __init__(self, net: Watched, lr: float, momentum: float) -> None:
        super().__init__(net.parameters(), lr=lr, momentum=momentum)
        self.diary = net.diary

    def step(self, closure: Any = None) -> Any:  # type: ignore[override]
        """Take a step, after what a closure does: it asks the network and goes back."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        slopes = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        self.diary.events.append(STEP)
        self.diary.norms.append(length(slopes))
        self.diary.rates.append(self.param_groups[0]["lr"])
        super().step()
        return loss


def length(slopes: Sequence[Tensor]) -> float:
    """Return the length of several tensors as one long vector."""
    return float(torch.stack([s.norm() for s in slopes]).norm()) if slopes else 0.0


class Falling:
    """A schedule that takes a part of the rate away at each step."""

    def __init__(self, optimizer: WatchedSGD, factor: float) -> None:
        self.optimizer, self.factor = optimizer, factor

    def step(self) -> None:
        """Let the rate fall."""
        self.optimizer.diary.events.append(SCHEDULE)
        for group in self.optimizer.param_groups:
            group["lr"] *= self.factor

    def get_last_lr(self) -> list[float]:
        """Return the rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]


def network(sizes: Sequence[int], seed: int, wide: bool, drop: float, training: bool, slopes: bool = False) -> Watched:
    """Return a watched network in one of the two modes, with slopes left over from something else or without any."""
    net = Watched(sizes, seed, torch.float64 if wide else torch.float32, drop)
    if slopes:
        for n, p in enumerate(net.parameters()):
            p.grad = torch.full_like(p, 0.5 + n)
    return net.train(training)


def once(batches: Batches) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches, as a loader does: it can be gone through once and has no length."""
    yield from ((x.clone(), y.clone()) for x, y in batches)


def descent(net: Watched, lr: float, momentum: float) -> WatchedSGD:
    """Return a watched optimizer."""
    return WatchedSGD(net, lr, momentum)


def falling(optimizer: WatchedSGD, factor: float) -> Falling:
    """Return a watched schedule."""
    return Falling(optimizer, factor)


def diary(net: Watched, names: Sequence[str]) -> dict[str, Tensor]:
    """Return what a watched network was asked, and how it differs from what it was, as far as an exercise asks for it.

    Args:
        net: the network.
        names: of what is returned. What an exercise leaves to the learner may not make two answers differ.
    """
    note, now = net.diary, net.state_dict()
    modes = {m.training for m in net.modules()}
    parameters = dict(net.named_parameters())
    found = {
        "events": torch.tensor(note.events, dtype=torch.int64),
        "rows": torch.tensor(note.rows, dtype=torch.int64),
        "in training": torch.tensor(note.training, dtype=torch.bool),
        "recorded": torch.tensor(note.recorded, dtype=torch.bool),
        "records pile up": torch.tensor(any(count > 1 for count in note.alive)),
        "norms": torch.tensor(note.norms, dtype=torch.float64),
        "rates": torch.tensor(note.rates, dtype=torch.float64),
        "mode": torch.tensor(net.training if len(modes) == 1 else -1),
        "moved": torch.tensor(any(not torch.equal(now[n], net.before[n]) for n in parameters)),
        "statistics moved": torch.tensor(any(not torch.equal(now[n], net.before[n]) for n in now if n not in parameters)),
        "slopes": torch.tensor(any(p.grad is not None for p in parameters.values())),
        "length in the end": torch.tensor(length([p.grad for p in parameters.values() if p.grad is not None])),
        "weights": torch.cat([p.detach().flatten() for p in parameters.values()]).double(),
    }  # fmt: skip
    return {name: found[name] for name in names}


LOOPS = (network, once, descent, falling, diary)
"""What a script can ask for of this module."""
