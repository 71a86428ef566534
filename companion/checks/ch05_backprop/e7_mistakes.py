"""Ways to train by hand (exercise 05.7), known mistakes, how they are recognised, and what to say about each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks import kinds
from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case

TARGET, WIDEST = 0.9, 32
BEHIND = 1.7
"""From which ratio on, in the mean of the draws, the first layer was left behind; with right slopes it ends near 1.3."""
Network = tuple[Tensor, Tensor, Tensor, Tensor]
Train = Callable[[Tensor, Tensor], Network]
Flags = frozenset[str]


def start(hidden: int) -> Network:
    """Return weights drawn for standardised pixels, and biases at 0."""
    W1, W2 = torch.randn(hidden, 64) / 64**0.5, torch.randn(10, hidden) / hidden**0.5
    return W1, torch.zeros(hidden), W2, torch.zeros(10)


def slopes(net: Network, x: Tensor, y: Tensor, wrong: Flags = frozenset()) -> Network:
    """Return the slopes of the mean cross-entropy by all weights and biases, wrong in the ways that are named."""
    W1, b1, W2, b2 = net
    s = x @ W1.T + b1
    h = s.clamp(min=0)
    dz = torch.softmax(h @ W2.T + b2, dim=0 if "batch" in wrong else 1)
    dz[torch.arange(len(y)), y] -= 1
    dz = dz if "sum" in wrong else dz / len(y)
    dh = dz @ W2
    ds = dh if "mask" in wrong else dh * ((dh if "mask of the slope" in wrong else s) > 0)
    return ds.T @ x, ds.sum(dim=0), dz.T @ h, dz.sum(dim=0)


def by_hand(
    X: Tensor,
    y: Tensor,
    *,
    hidden: int = 32,
    epochs: int = 30,
    lr: float = 0.3,
    batch: int = 64,
    wrong: Sequence[str] = (),
    prepare: str = "standardise",
    first: Network | None = None,
) -> Network:
    """Train by plain steps along slopes by hand.

    Args:
        X: raw pixels.
        y: classes.
        hidden: units.
        epochs: how often all pictures are gone through.
        lr: the learning rate.
        batch: pictures for a step.
        wrong: what is wrong: ``mask``, ``mask of the slope``, ``batch``, ``sum``, ``sign``, ``frozen``.
        prepare: ``standardise``, ``raw``, or standardised but ``forgotten`` in what is returned, or ``centre forgotten``.
        first: the weights to begin with.
    """
    mean, spread = (X.mean(dim=0), X.std(dim=0)) if prepare != "raw" else (torch.zeros(64), torch.ones(64))
    Z, net, flags = (X - mean) / spread, first or start(hidden), frozenset(wrong)
    step = -lr if "sign" in wrong else lr
    for _ in range(epochs):
        for rows in torch.randperm(len(Z)).split(batch):
            d1, db1, d2, db2 = slopes(net, Z[rows], y[rows], flags)
            W1, b1, W2, b2 = net
            if "frozen" not in wrong:
                W1, b1 = W1 - step * d1, b1 - step * db1
            net = (W1, b1, W2 - step * d2, b2 - step * db2)
    W1, b1, W2, b2 = net
    if prepare == "forgotten":
        return net
    W1 = W1 / spread
    return W1, b1 if prepare == "centre forgotten" else b1 - W1 @ mean, W2, b2


def _shifted_by(move: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Train:
    """Return a training whose shift is folded into the first bias by a rule made from W1 for raw pixels, mean and spread."""

    def train(X: Tensor, y: Tensor) -> Network:
        W1, b1, W2, b2 = by_hand(X, y, prepare="forgotten")
        W1 = W1 / X.std(dim=0)
        return W1, b1 - move(W1, X.mean(dim=0), X.std(dim=0)), W2, b2

    return train


def straight(X: Tensor, y: Tensor) -> Network:
    """Train without a hidden layer; return the same scores from 20 ReLUs, since ReLU(u) - ReLU(-u) = u."""
    mean, spread = X.mean(dim=0), X.std(dim=0)
    Z, W, b = (X - mean) / spread, torch.zeros(10, 64), torch.zeros(10)
    for _ in range(40):
        for rows in torch.randperm(len(Z)).split(64):
            dz = torch.softmax(Z[rows] @ W.T + b, dim=1)
            dz[torch.arange(len(rows)), y[rows]] -= 1
            W, b = W - 0.1 * dz.T @ Z[rows] / len(rows), b - 0.1 * dz.mean(dim=0)
    W = W / spread
    b = b - W @ mean
    return torch.cat([W, -W]), torch.cat([b, -b]), torch.cat([torch.eye(10), -torch.eye(10)], dim=1), torch.zeros(10)


def _on_their_side(X: Tensor, y: Tensor) -> Network:
    W1, b1, W2, b2 = by_hand(X, y)
    return W1.T, b1, W2.T, b2


def _turned_back(X: Tensor, y: Tensor) -> Network:
    W1, b1, W2, b2 = by_hand(torch.where(X.mean(dim=1, keepdim=True) > 8, 16 - X, X) / 8, y, prepare="raw")
    return W1 / 8, b1, W2, b2


def _alike(X: Tensor, y: Tensor) -> Network:
    return by_hand(X, y, first=(torch.zeros(32, 64), torch.zeros(32), torch.zeros(10, 32), torch.zeros(10)))


# -- how mistakes are recognised ----------------------------------------------------------------------


_misses = kinds.short_of(TARGET)


def _has_shapes(o: Observed, turned: bool) -> bool:
    if "shapes" not in o:
        return False
    (h, n), (hidden, none), (k, m), (ten, nothing) = o["shapes"].tolist()
    sizes = (n, h, m, k) if turned else (h, n, k, m)
    return sizes == (hidden, 64, 10, hidden) and (none, ten, nothing) == (0, 10, 0)


def _finite(o: Observed) -> bool:
    return bool(o["finite"])


def _prepared(o: Observed) -> bool:
    return _finite(o) and not o["not scaled"] and o["if prepared"].item() >= TARGET


def _centred(o: Observed) -> bool:
    return _finite(o) and bool(o["not scaled"]) and o["if centred"].item() >= TARGET


def _unexchanged(o: Observed) -> bool:
    return _finite(o) and o["if unexchanged"].item() >= max(TARGET, o["accuracy"].item() + 0.2)


def _climbs(o: Observed) -> bool:
    return _finite(o) and o["loss"].item() > 6 and o["of training"].item() < 0.3


def _alike_units(o: Observed) -> bool:
    return _finite(o) and o["difference"].item() < 1e-4


def _off(o: Observed) -> bool:
    return _finite(o) and not _climbs(o) and not _alike_units(o) and o["off"].item() >= 0.25


def _learns(o: Observed) -> bool:
    return _finite(o) and not _climbs(o) and not _alike_units(o) and o["off"].item() < 0.25


def _shifted(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise networks that another shift by the mean pixels makes good, or far better."""
    if not _misses(_finite)(cases, observed):
        return False
    now, then = (torch.stack([o[name] for o in observed]) for name in ("accuracy", "if moved"))
    gain = (then.mean() - now.mean()).item()
    return (gain >= 0.1 and bool((then >= TARGET).all())) or (gain >= 0.3 and then.mean().item() >= 0.7)


def _trained(behind: bool) -> kinds.Matches:
    """Recognise a training that falls short, in which the first layer was left behind or was not."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        if not _misses(_learns)(cases, observed):
            return False
        ratio = sum(o["behind"].item() for o in observed) / len(observed)
        if behind:
            return ratio > BEHIND
        return all(o["of training"].item() < TARGET and o["loss"].item() < 2 for o in observed)

    return matches


# -- what is said -------------------------------------------------------------------------------------

_SHAPES = (
    Mistake(
        "lays the tables on their side",
        _on_their_side,
        "Your two weight tables have a row for each input. A row for each unit is asked for: W1 with the shape (H, 64).",
        "Both ways of storing a layer are in use: x @ W with a column for each unit, and x @ W.T with a row for each. The check "
        "computes the second.",
        "Compare the shapes that you return with those in the task. What turns a table of (64, H) into one of (H, 64)?",
        matches=kinds.every(lambda o: _has_shapes(o, True)),
    ),
    Mistake(
        "has too many hidden units",
        lambda X, y: by_hand(X, y, hidden=64),
        "Your hidden layer has more than 32 units: look at the number of rows in W1.",
        "With enough units that stay as they were drawn, a network is good without any way back through them. With 32 the "
        "first layer has to learn.",
        "Which number in your code sets the rows of W1? How does the result change when it is 32?",
        matches=kinds.every(lambda o: _has_shapes(o, False) and int(o["shapes"][0, 0]) > WIDEST),
    ),
)

_PIXELS = (
    Mistake(
        "is trained on prepared pixels and asked about raw ones",
        lambda X, y: by_hand(X, y, prepare="forgotten"),
        "Your network is good on prepared pixels, scaled as in training. It is asked about raw ones, from 0 to 16.",
        "The check puts raw pixels into W1 and does not know what you did to them before.",
        "You trained on (x - m) / s. Write W1 ((x - m) / s) + b1 out on paper: which weights and which bias do the same to x?",
        matches=_misses(_prepared),
    ),
    Mistake(
        "leaves the mean of the pixels behind",
        lambda X, y: by_hand(X, y, prepare="centre forgotten"),
        "Your network is good on pixels whose mean has been taken off. On raw ones its hidden units are on or off at the wrong "
        "places.",
        "The scale of the pixels has gone into the weights. What was taken off before would have to go into the first bias.",
        "Write W1 (x - m) + b1 out on paper. Which part of it does not depend on x?",
        matches=_misses(_centred),
    ),
    Mistake(
        "folds the shift of the pixels in wrongly",
        _shifted_by(lambda W1, mean, spread: (W1 * spread) @ mean),
        "With another b1 your network would be far better: the shift of the pixels was folded into it wrongly.",
        "Most often the shift was folded in without its division by the spread, with the weights for prepared pixels and not "
        "with those for raw ones. A turned sign does it too.",
        "Write W1 (x - m) / s + b1 out. What stands before m? Put one picture through both forms and compare the sums.",
        matches=_shifted,
    ),
    Mistake(
        "turns the exchanged pictures back before it trains",
        _turned_back,
        "On pictures of bright strokes on dark ground your network is good. On exchanged ones it fails.",
        "It has never met an exchanged picture: they were turned back, or left out, before the training. The check puts them in "
        "as they are, and these weights cannot turn anything back.",
        "Put the pixels in as they come, scaled all alike. Which pictures of a batch must the hidden units tell apart?",
        matches=_misses(_unexchanged),
    ),
)

_STEPS = (
    Mistake(
        "ends in nan",
        lambda X, y: by_hand(X, y, lr=0.2, wrong=("sum",)),
        "What you return holds nan or infinite numbers.",
        "The loss has run away: steps too large for the slope (a sum over the batch, raw pixels up to 16), a slope that leads "
        "uphill, or a W2 that was changed before the way back went over it.",
        "Print the loss of the first ten steps. If it rises from the first on, look at sign and axes. If it jumps, take a "
        "rate ten times smaller.",
        matches=_misses(lambda o: not _finite(o)),
    ),
    Mistake(
        "climbs instead of descending",
        lambda X, y: by_hand(X, y, lr=0.01, epochs=5, wrong=("sign",)),
        "On the pictures of the training your loss is far above that of guessing, which is about 2.3.",
        "Nothing was learned, or the steps lead uphill: perhaps a sign is turned, the target is not taken off the shares, or the softmax runs over "
        "the batch and not over the classes.",
        "For one picture: the slope by the scores is shares minus target. Print it: do its ten numbers add up to 0, and which "
        "is below 0?",
        matches=_misses(_climbs),
    ),
    Mistake(
        "starts all hidden units alike",
        _alike,
        "All rows of your W1 are equal: the hidden layer has 32 copies of one unit, and answers like a single one.",
        "Units that begin with the same weights are sent the same slopes, and take the same steps for ever. From 0 not even the "
        "first layer gets a slope.",
        "What stands in W1 before the first step? Which slope reaches two hidden units that are equal?",
        matches=_misses(_alike_units),
    ),
    Mistake(
        "switches hidden units off for good",
        lambda X, y: by_hand(X, y, lr=0.2, wrong=("mask of the slope",)),
        "A quarter of your hidden units or more are off for every picture of the training.",
        "A unit that is always off passes no slope, so it does not come back. Steps that are too large do it, and raw pixels of up "
        "to 16 make them large. So does a way back that asks the wrong numbers which units were on.",
        "How large are the pixels that you train on, and your first steps? And where does your mask come from: the sums before the "
        "ReLU, or something else?",
        matches=_misses(_off),
    ),
    Mistake(
        "leaves the first layer behind",
        lambda X, y: by_hand(X, y, wrong=("frozen",)),
        "At your weights the loss still has a steep slope by W1, beside that by W2: the first layer has not gone down its slope.",
        "Perhaps W1 never changes or changes too slowly. Or it follows something that is not its slope, as when the way back "
        "forgets which units were off.",
        "Print W1 before and after. If it moves, compare your slope of one of its weights with a difference quotient, on eight "
        "pictures.",
        matches=_trained(True),
    ),
    Mistake(
        "stops too early",
        lambda X, y: by_hand(X, y, epochs=3, lr=0.1),
        "Your slopes seem to be right: both layers have learned. Even on the pictures of the training much is still wrong.",
        "The training ended on the way down. The steps were too few or too small for the loss to come to rest.",
        "Print the loss of each epoch. What does it do in the last ones? Try more epochs first, then another rate.",
        matches=_trained(False),
    ),
)

MISTAKES = (*_SHAPES, *_PIXELS, *_STEPS)
