"""Ways to learn from a hundred digits (exercise 09.8), known mistakes, how they are recognised, and what to say about each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from companion import data
from companion.checks import kinds
from companion.checks.bank import Mistake, Observed

TARGET = 0.915
Predictor = Callable[[Tensor], Tensor]
Learn = Callable[[Tensor, Tensor], Predictor]
Change = Callable[[Tensor], Tensor]
"""What is made of a batch of flat pictures (B, 64) in each step, anew."""


def as_images(change: Callable[[Tensor], Tensor]) -> Change:
    """Return a change of flat pictures from one of pictures with rows and columns."""
    return lambda x: change(x.view(-1, 1, 8, 8)).reshape(-1, 64)


def shifted(p: float) -> Change:
    """Return what moves a share of the pictures by up to a pixel."""
    return as_images(lambda x: data.random_shift(x, 1, p=p))


def turned(degrees: float) -> Change:
    """Return what turns pictures by up to so many degrees."""
    return as_images(lambda x: data.random_rotation(x, degrees))


def noisy(sigma: float) -> Change:
    """Return what adds noise."""
    return lambda x: x + sigma * torch.randn_like(x)


def layers(width: int = 256, *, norm: bool = False, drop: float = 0.0) -> nn.Sequential:
    """Return a network with one hidden layer, with batch normalisation and dropout where they are asked for."""
    between: list[nn.Module] = [nn.BatchNorm1d(width)] if norm else []
    behind: list[nn.Module] = [nn.Dropout(drop)] if drop else []
    return nn.Sequential(nn.Linear(64, width), *between, nn.ReLU(), *behind, nn.Linear(width, 10))


def fitted(
    net: nn.Module,
    x: Tensor,
    y: Tensor,
    *changes: Change,
    steps: int = 600,
    lr: float = 0.002,
    decay: float = 0.0,
    smoothing: float = 0.0,
    falls: bool = True,
) -> nn.Module:
    """Return a network, trained in batches of 25 by AdamW and put into evaluation."""
    optimizer = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    net.train()
    for _ in range(steps):
        rows = torch.randint(len(x), (25,))
        batch = x[rows]
        for change in changes:
            batch = change(batch)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(batch), y[rows], label_smoothing=smoothing).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if falls:
            schedule.step()
    return net.eval()


def plainly(*changes: Change, **options: Any) -> Learn:
    """Return a way to learn with the plain network."""
    return lambda x, y: fitted(layers(), x, y, *changes, **options)


# -- what goes wrong ------------------------------------------------------------------------------------


def _left_on(x: Tensor, y: Tensor) -> Predictor:
    return fitted(layers(drop=0.5), x, y, noisy(0.2), steps=200).train()


def _by_the_batch(x: Tensor, y: Tensor) -> Predictor:
    return fitted(layers(norm=True), x, y, noisy(0.2), steps=200).train()


def _untrained(x: Tensor, y: Tensor) -> Predictor:
    return layers()


def _mismatched(x: Tensor, y: Tensor) -> Predictor:
    return fitted(layers(), x, y[torch.randperm(len(y))], steps=400)


def _with_sixty(x: Tensor, y: Tensor) -> Predictor:
    return fitted(layers(), x[:60], y[:60], noisy(0.2), steps=400)


def _asked_raw(x: Tensor, y: Tensor) -> Predictor:
    mean, spread = x.mean(dim=0), x.std(dim=0).clamp(min=0.1)
    return fitted(layers(norm=True), (x - mean) / spread, y, noisy(0.5))


def _digits(x: Tensor, y: Tensor) -> Predictor:
    net = plainly(steps=200)(x, y)
    return lambda new: net(new).argmax(dim=1)


def _the_same(x: Tensor, y: Tensor) -> Predictor:
    return lambda new: torch.eye(10)[3].expand(len(new), 10)


def _from_one(x: Tensor, y: Tensor) -> Predictor:
    net = plainly(steps=200)(x, y)
    return lambda new: net(new).roll(1, dims=1)


def _lost(x: Tensor, y: Tensor) -> Predictor:
    return fitted(layers(), x, y, steps=100, lr=1000.0, falls=False)


def _with_a_part_of_the_labels(x: Tensor, y: Tensor) -> Predictor:
    kept = y < 9
    return fitted(layers(), x[kept], y[kept], noisy(0.2), steps=300)


# -- how they are recognised ------------------------------------------------------------------------------


def finding(o: Observed) -> str:
    """Return what is found first about a predictor, from its answers alone; nothing where there are not ten scores for each digit."""
    if "accuracy" not in o:
        return ""
    share = {name: float(v) for name, v in o.items() if v.numel() == 1}
    right, own, kinds_said = share["accuracy"], share["of training"], int(o["kinds"])
    looks = (
        ("lost", not bool(o["finite"]) or share["size"] > 1e4),
        ("by chance", kinds.answers_by_chance(o)),
        ("by companions", kinds.asks_its_companions(o)),
        ("the same", kinds_said == 1),
        ("from one", share["next"] > 0.5),
        ("raw", share["prepared"] > 0.84 and right < share["prepared"] - 0.08),
        ("mismatched", own < 0.45 and share["sure"] > 0.45),
        ("untrained", own < 0.45),
        ("mirrored", share["mirrored"] > 0.72),
        ("half turn", share["upside down"] > 0.54),
        ("a class is missing", kinds_said < 10 and own > 0.82),
        ("too far", share["moved"] > right - 0.06),
        ("too little", own < 0.85),
        ("a part", own < 0.97),
        ("by heart", share["moved"] < 0.47),
        ("not enough", True),
    )
    return next(name for name, seen in looks if seen)


def _found(name: str) -> kinds.Matches:
    """Recognise a finding that is the same in all draws."""
    return kinds.every(lambda o: finding(o) == name)


def _flat(o: Observed) -> bool:
    return o["shape"].tolist() in ([1697], [1697, 1])


# -- what is said -------------------------------------------------------------------------------------------

_IN_USE = (
    Mistake(
        "leaves the dropout on",
        _left_on,
        "Asked twice about the same digits, your network gives two different answers.",
        "It still draws by chance when it is used: dropout in training mode, or noise that is added in the answer as well.",
        "What does `net.training` say of the network that you return? See what `net.eval()` changes.",
        matches=_found("by chance"),
    ),
    Mistake(
        "normalises with the batch that it is asked about",
        _by_the_batch,
        "For the same digit your network gives other scores when other digits stand beside it.",
        "Mean and spread are those of the digits that come in: batch normalisation in training mode, or a standardising of your own. "
        "A single digit would have no spread.",
        "Which statistics does your network use when it answers, and what switches to those of the training?",
        matches=_found("by companions"),
    ),
    Mistake(
        "answers with digits",
        _digits,
        "You return one number for each digit. Asked for are ten scores, one for each class.",
        "The check takes the largest score itself, and looks at the others to find out more.",
        "Where does your predictor take an `argmax`? Leave that to whoever asks.",
        matches=kinds.every(_flat),
    ),
    Mistake(
        "is trained on prepared pixels and asked about raw ones",
        _asked_raw,
        "Your network knows standardised pixels well. It is asked about pixels from 0 to 1, and gets many of them wrong.",
        "What you take off before the training is not taken off when the network is used. Whoever asks does not know of it.",
        "What happens to x before your first layer sees it in training? Return a function that does the same to new digits.",
        matches=_found("raw"),
    ),
)

_LEARNING = (
    Mistake(
        "answers the same for every digit",
        _the_same,
        "Your network names one and the same class for all of the other digits.",
        "Either it returns a constant, or the training has killed all of its units, so that only the last biases speak.",
        "Print the scores of five digits. Do they differ from one another, and did they before the training?",
        matches=_found("the same"),
    ),
    Mistake(
        "has its classes off by one",
        _from_one,
        "Your network tells the digits apart, and names nearly all of them one too high.",
        "The columns are counted from 1, or rolled. The first column belongs to the digit 0, and the last to the 9.",
        "Which of your ten scores is the largest for a digit with y = 0?",
        matches=_found("from one"),
    ),
    Mistake(
        "never names one of the digits",
        _with_a_part_of_the_labels,
        "One of the ten digits never occurs among the answers of your network.",
        "It never occurred in the training either, or its targets were cut off. Its score has only ever been pushed down.",
        "Count the classes of the batches that you train on, with `torch.bincount`. Is one of them missing?",
        matches=_found("a class is missing"),
    ),
    Mistake(
        "is not trained",
        _untrained,
        "Even of its own hundred digits your network gets hardly more right than by guessing, and it is sure of nothing.",
        "The weights are as they were drawn, or nearly so. The optimizer holds other weights, or the steps never happen.",
        "Print the first layer's weights before and after the training. Do they move, and does the loss fall?",
        matches=_found("untrained"),
    ),
    Mistake(
        "learns with the labels of other digits",
        _mismatched,
        "Your network is sure of its answers, and gets hardly any of its own hundred digits right.",
        "It has learned something, and with labels that belong to other pictures. Pictures and labels were drawn or shuffled apart.",
        "Take one row of a batch: print the picture and the label beside it. From which line do they not belong together?",
        matches=_found("mismatched"),
    ),
    Mistake(
        "is thrown away by its steps",
        _lost,
        "The scores of your network are huge, or no numbers at all, and have nothing to do with the digits.",
        "The steps are far too long. Each overshoots, and the next one has to make up for it.",
        "Divide the rate by ten until the loss of the first hundred steps falls. For Adam something like 0.002 is a start.",
        matches=_found("lost"),
    ),
    Mistake(
        "leaves a part of its digits out",
        _with_sixty,
        "Your network gets nearly all of its own digits right, and still misses some of these hundred: it has not seen all of them.",
        "A part was held back for validation, or never drawn. That is a good way to choose settings, but with so few digits each one counts.",
        "When all settings are chosen, train once more on all hundred. Or are the batches drawn from a part of the rows?",
        matches=_found("a part"),
    ),
)

_RESTRAINT = (
    Mistake(
        "does not learn its own digits",
        plainly(steps=30, lr=0.001, falls=False),
        "Your network gets many of its own hundred digits wrong. It is held back too hard, or it is not finished.",
        "Restraint helps a network that could learn its digits by heart. This one cannot, or had too few steps for it: it is too simple.",
        "Take all restraint away first, until all hundred are right. Then add one thing after the other, each a little.",
        matches=_found("too little"),
    ),
    Mistake(
        "learns its digits by heart",
        plainly(steps=400),
        "All of its own hundred digits are right, and the others are right only if they stand in just the same place.",
        "Nothing tells your network that a digit stays the same when it moves or turns a little. Decay, dropout and noise cannot tell it that.",
        "Which changes leave a 3 a 3? Draw them anew in every step: the chapter has measured several of them.",
        matches=_found("by heart"),
    ),
    Mistake(
        "stops at a single restraint",
        plainly(shifted(0.15), steps=400),
        "Your network knows its own digits, also moved ones to some degree, and stays a little below the target.",
        "This is what one well chosen restraint brings. What goes beyond it comes from a second and a third that do something else.",
        "What have you not tried beside it: batch normalisation, small turns, noise, softer targets, several networks together?",
        matches=_found("not enough"),
    ),
    Mistake(
        "moves every digit",
        plainly(shifted(1.0), steps=600),
        "Your network does as well on digits that are moved by a pixel as on those as they are, and on neither well enough.",
        "It has seen digits in all places alike. The digits that it is asked about stand in the middle, and for these it has no time left.",
        "Which share of the digits do you move, and how far? Let most of them stay where they are.",
        matches=_found("too far"),
    ),
    Mistake(
        "trains on mirrored digits",
        plainly(as_images(data.random_flip), steps=400),
        "Your network gets mirrored digits right nearly as often as others. Nobody asks for these.",
        "A mirror does not leave a digit what it is. What looks like a 2 in it is no digit, or another one.",
        "Draw twenty of your changed digits. Would you give each of them its label?",
        matches=_found("mirrored"),
    ),
    Mistake(
        "turns digits upside down",
        plainly(turned(180.0), steps=900),
        "Your network gets digits that stand on their heads right about as often as others, and mixes up the 6 and the 9.",
        "Turned by half a turn a 6 is a 9, and keeps the label 6. Such examples teach the opposite of what is asked.",
        "By how many degrees may a digit be turned before you would hesitate yourself?",
        matches=_found("half turn"),
    ),
)

MISTAKES = (*_IN_USE, *_LEARNING, *_RESTRAINT)
