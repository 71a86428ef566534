"""Eight means against overfitting, switched on and off together: which of them helps on a hundred digits, and by how much?

Sixteen settings in place of 256: a fractional factorial design, in which each mean is on in eight settings and off in eight, and each
pair of means meets all four ways. Every setting trains on the same samples, from the same weights and with the same batches, so that
a difference between two settings of one seed is due to the settings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from companion import data, optim
from companion.data import mixup, random_noise, random_shift
from companion.errors import bad_value
from companion.functional import log_softmax
from companion.random import generator

MEANS = (
    "weight decay", "dropout", "batch norm", "shifted images",
    "label smoothing", "mixup", "early stopping", "noise on inputs",
)  # fmt: skip
SEEDS = 20
COUNT, HELD_OUT, WIDTH, BATCH, STEPS, LOOK = 100, 20, 256, 25, 1000, 20
RATE, DECAY, DROP, SHIFTED, SMOOTHING, ALPHA, NOISE = 0.002, 0.5, 0.5, 0.3, 0.1, 0.2, 0.2
_CLASSES = 10


def design() -> Tensor:
    """Return which mean is on in which setting.

    Four means take all sixteen combinations; each of the other four is the product of three of them (on is +1, off is -1). No
    main effect is mixed up with an interaction of two means then, but some interactions of two are with each other.

    Shape:
        (16, 8), bool.

    >>> design().sum(dim=0).tolist()
    [8, 8, 8, 8, 8, 8, 8, 8]
    """
    a, b, c, d = torch.cartesian_prod(*[torch.tensor([-1, 1])] * 4).T
    return torch.stack([a, b, c, d, b * c * d, a * c * d, a * b * c, a * b * d], dim=1) > 0


def errors(settings: Tensor, seeds: Sequence[int], steps: int = STEPS, *, looks: bool = True) -> Tensor:
    """Train a network for each setting and seed, all side by side; return the share of other digits that each gets wrong.

    Args:
        settings: Which mean is on, in the order of :data:`MEANS`.
        seeds: One for each sample of a hundred digits.
        steps: How many steps, :data:`LOOK` or more.
        looks: Whether those that stop early look at what they hold back; if not, they pay for it and keep their last weights.

    Shape:
        settings (K, 8), bool -> (K, S).

    Raises:
        ValueError: If the settings have another shape or kind, there is no seed, or too few steps.
    """
    if settings.dtype != torch.bool or settings.ndim != 2 or settings.shape[1] != len(MEANS):
        raise bad_value(
            "errors", "settings", f"(K, {len(MEANS)}) of bool", f"{tuple(settings.shape)} of {settings.dtype}"
        )
    if not len(seeds) or steps < LOOK:
        raise bad_value("errors", "seeds and steps", f"a seed, and {LOOK} steps or more", f"{len(seeds)} and {steps}")
    return _Team(settings, seeds).train(steps, looks)


class _Team:
    """Networks side by side: setting k, seed s stands at k * S + s."""

    def __init__(self, settings: Tensor, seeds: Sequence[int]) -> None:
        digits = data.digits()
        self.pixels, self.labels = digits.X / 16, digits.y
        self.K, self.S = len(settings), len(seeds)
        on = settings.repeat_interleave(self.S, dim=0)[..., None, None]
        self.on = dict(zip(MEANS, on.unbind(dim=1)))
        self.draws = [generator(seed) for seed in seeds]
        order = self._all(lambda g: torch.randperm(len(self.labels), generator=g))
        self.known, self.asked = order[:, :COUNT], order[:, COUNT:]
        start = self._all(lambda g: torch.randn(64 + _CLASSES, WIDTH, generator=g)).repeat(self.K, 1, 1)
        self.W1 = (start[:, :64] * math.sqrt(2 / 64)).requires_grad_()
        self.W2 = (start[:, 64:].mT / math.sqrt(WIDTH)).contiguous().requires_grad_()
        one = torch.ones(self.K * self.S, 1, WIDTH)
        self.b1, self.gamma, self.beta = (v.requires_grad_() for v in (0 * one, one.clone(), 0 * one))
        self.b2 = torch.zeros(self.K * self.S, 1, _CLASSES).requires_grad_()
        self.mean, self.variance = 0 * one, one.clone()

    def _all(self, draw: Any) -> Tensor:
        """Return what each seed draws, (S, ...)."""
        return torch.stack([draw(g) for g in self.draws])

    def _switch(self, name: str, with_it: Tensor, without: Tensor) -> Tensor:
        return torch.where(self.on[name], with_it, without)

    def logits(self, x: Tensor, training: bool) -> Tensor:
        """(K * S, B, 64) -> (K * S, B, 10)."""
        z = x @ self.W1 + self.b1
        mean, variance = self.mean, self.variance
        if training:
            mean, variance = z.mean(dim=1, keepdim=True), z.var(dim=1, keepdim=True, unbiased=False)
            with torch.no_grad():
                self.mean.lerp_(mean, 0.1)
                self.variance.lerp_(variance * BATCH / (BATCH - 1), 0.1)
        normed = (z - mean) / (variance + 1e-5).sqrt() * self.gamma + self.beta
        h = self._switch("batch norm", normed, z).relu()
        if training:
            kept = self._all(lambda g: torch.rand(BATCH, WIDTH, generator=g)).repeat(self.K, 1, 1) >= DROP
            h = self._switch("dropout", h * kept / (1 - DROP), h)
        return h @ self.W2 + self.b2

    def batch(self) -> tuple[Tensor, Tensor]:
        """Return the inputs of a step and their targets, each network's own: (K * S, B, 64), (K * S, B, 10)."""
        part = torch.tensor([COUNT, COUNT - HELD_OUT])  # who stops early trains on what is not held out
        share = self._all(lambda g: torch.rand(BATCH, generator=g)).repeat(self.K, 1)
        rows = (share * part[self.on["early stopping"].long()[:, 0]]).long()
        rows = self.known.repeat(self.K, 1).gather(1, rows)
        x, y = self.pixels[rows], torch.eye(_CLASSES)[self.labels[rows]]
        changed = [self._changed(s, x[s :: self.S], y[s :: self.S], g) for s, g in enumerate(self.draws)]
        x, y = (torch.stack(parts, dim=1).flatten(0, 1) for parts in zip(*changed))
        return x, self._switch("label smoothing", y * (1 - SMOOTHING) + SMOOTHING / _CLASSES, y)

    def _changed(self, s: int, x: Tensor, y: Tensor, g: torch.Generator) -> tuple[Tensor, Tensor]:
        """Change the batches of one seed, (K, B, ...), by the same draws for all settings."""
        stacked = x.transpose(0, 1).reshape(BATCH, self.K, 8, 8)  # images of one place in the batch move together
        shifted = random_shift(stacked, 1, p=SHIFTED, generator=g).reshape(BATCH, self.K, 64).transpose(0, 1)
        x = torch.where(self._of(s, "shifted images"), shifted, x)
        noise = random_noise(torch.zeros(BATCH, 64, 1, 1), NOISE, generator=g).flatten(1)
        x = torch.where(self._of(s, "noise on inputs"), x + noise, x)
        both, targets = mixup(x.transpose(0, 1), y.transpose(0, 1), ALPHA, generator=g)
        on = self._of(s, "mixup")
        return torch.where(on, both.transpose(0, 1), x), torch.where(on, targets.transpose(0, 1), y)

    def _of(self, s: int, name: str) -> Tensor:
        return self.on[name][s :: self.S]

    def train(self, steps: int, looks: bool) -> Tensor:
        """Take the steps; return the share wrong at the end, or at the best look of those that stop early: (K, S)."""
        optimizer = optim.Adam([self.W1, self.b1, self.gamma, self.beta, self.W2, self.b2], lr=RATE)
        lowest = torch.full((self.K * self.S,), math.inf)
        wrong = torch.ones(self.K * self.S)
        stops = self.on["early stopping"].flatten() & looks
        for step in range(1, steps + 1):
            x, y = self.batch()
            optimizer.zero_grad()
            (-(y * log_softmax(self.logits(x, training=True), dim=2)).sum() / BATCH).backward()
            optimizer.step()
            with torch.no_grad():
                for weight in (self.W1, self.W2):
                    weight.mul_(1 - RATE * DECAY * self.on["weight decay"])
                if step % LOOK == 0:
                    loss = self._held_out()
                    new = (loss < lowest) | ~stops  # those that do not stop have their last weights judged
                    lowest = torch.minimum(lowest, loss)
                    if step == steps or bool((new & stops).any()):
                        wrong = torch.where(new, self._wrong(), wrong)
        return wrong.view(self.K, self.S)

    def _held_out(self) -> Tensor:
        rows = self.known[:, COUNT - HELD_OUT :].repeat(self.K, 1)
        scores = log_softmax(self.logits(self.pixels[rows], training=False), dim=2)
        return -scores.gather(2, self.labels[rows][..., None]).mean(dim=(1, 2))

    def _wrong(self) -> Tensor:
        rows = self.asked.repeat(self.K, 1)
        said = self.logits(self.pixels[rows], training=False).argmax(dim=2)
        return (said != self.labels[rows]).float().mean(dim=1)


def chosen(*names: str) -> Tensor:
    """Return the setting in which these means are on and no others, (1, 8).

    Raises:
        ValueError: If a name is none of :data:`MEANS`.

    >>> chosen("dropout", "mixup").long().tolist()
    [[0, 1, 0, 0, 0, 1, 0, 0]]
    """
    if unknown := [name for name in names if name not in MEANS]:
        raise bad_value("chosen", "names", f"some of {', '.join(MEANS)}", ", ".join(unknown))
    return torch.tensor([[mean in names for mean in MEANS]])


#: Pairs of means whose interactions the design cannot tell from each other: all four have the same column.
PAIRS = (
    ("shifted images", "noise on inputs"), ("weight decay", "dropout"),
    ("label smoothing", "mixup"), ("batch norm", "early stopping"),
)  # fmt: skip


def run() -> dict[str, Any]:
    """Return the share wrong by setting and seed: the sixteen settings of the design, then those that were asked for after it.

    These are each mean alone, four means together, four pairs alone, and last a fifth of the digits held back for nothing.
    """
    after = [chosen(name) for name in MEANS] + [chosen("batch norm", "dropout", "shifted images", "noise on inputs")]
    settings = torch.cat([design(), *after, *[chosen(*pair) for pair in PAIRS]])
    held_back = chosen("early stopping")
    found = []
    for first in range(0, SEEDS, 5):
        seeds = range(first, first + 5)
        found.append(torch.cat([errors(settings, seeds), errors(held_back, seeds, looks=False)]))
    wrong = [[round(share, 4) for share in row] for row in torch.cat(found, dim=1).tolist()]
    return {"means": list(MEANS), "settings": torch.cat([settings, held_back]).long().tolist(), "wrong": wrong}
