"""What goes wrong with folding the interval (exercise 03.4), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.levels import near
from companion.checks.numbers import F64
from companion.checks.trace import Case

Network = tuple[list[Tensor], list[Tensor]]
POINTS = 1537
"""3 * 512 and one: every corner of nine folds is among them, and points between the corners."""


def sizes(network: Network) -> list[int] | None:
    """Return the sizes of a network, the input first, or ``None`` if its tensors do not fit each other."""
    weights, biases = network
    if not weights or len(weights) != len(biases):
        return None
    if any(w.dim() != 2 or b.shape != w.shape[:1] for w, b in zip(weights, biases)):
        return None
    if any(b.shape[1] != a.shape[0] for a, b in pairwise(weights)):
        return None
    return [weights[0].shape[1], *[w.shape[0] for w in weights]]


def misfit(network: Network) -> list[int]:
    """Return of the first layer that does not fit: its number, how many numbers reach it, rows, columns, how many biases.

    The first is 0 if the lists are of different lengths or a tensor has other axes than these.
    """
    weights, biases = network
    coming = 1
    if len(weights) == len(biases):
        for k, (w, b) in enumerate(zip(weights, biases), 1):
            if w.dim() != 2 or b.dim() != 1:
                break
            if w.shape[1] != coming or b.shape[0] != w.shape[0]:
                return [k, coming, *w.shape, len(b)]
            coming = w.shape[0]
    return [0] * 5


def answers(network: Network) -> Tensor:
    """Return what a network of one input and one output answers on points from 0 to 1."""
    x = torch.linspace(0, 1, POINTS, dtype=F64)[:, None]
    for k, (w, b) in enumerate(zip(*network), 1):
        x = x @ w.to(F64).T + b.to(F64)
        x = x if k == len(network[0]) else x.clamp(min=0)
    return x[:, 0]


Rows = Sequence[Sequence[float]]


def _chain(
    depth: int,
    *,
    between: Rows = ((2, -4), (2, -4)),
    bias: Sequence[float] = (0, -0.5),
    later: Sequence[float] | None = None,
    out: Rows = ((2, -4),),
) -> Network:
    """Return a network 1-2-...-2-1 from what is written into its layers."""
    many = max(depth - 1, 0)

    def t(numbers: object) -> Tensor:
        return torch.tensor(numbers, dtype=torch.float32)

    weights = [t([[1], [1]]), *[t(between) for _ in range(many)], t(out)]
    return weights, [t(bias), *[t(bias if later is None else later) for _ in range(many)], t([0])]


def _known(name: str, make: Callable[[int], Network], seen: str, why: str, next: str) -> Mistake:
    """Return a mistake that is recognised by the sizes and the answers of the network."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        def same(case: Case, o: Observed) -> bool:
            theirs = make(case.args["depth"])
            return (
                "sizes" in o
                and o["sizes"].tolist() == sizes(theirs)
                and bool(near(o["out"], answers(theirs), 1e-3).all())
            )

        return all(same(case, o) for case, o in zip(cases, observed))

    return Mistake(name, make, seen, why, next, matches=matches)


def _too_few(depth: int) -> Network:
    return _chain(depth - 1) if depth > 1 else ([torch.ones(1, 1)], [torch.zeros(1)])


def _wide(depth: int) -> Network:
    pieces = 2**depth
    corners = torch.arange(pieces) / pieces
    slopes = torch.tensor([pieces, *[(-1) ** n * 2 * pieces for n in range(1, pieces)]], dtype=torch.float32)
    return [torch.ones(pieces, 1), slopes[None]], [-corners, torch.zeros(1)]


def _with_joints(depth: int) -> Network:
    weights, biases = _chain(1)
    return weights * depth, biases * depth


_SIZES = (
    _known(
        "folds once too often",
        lambda depth: _chain(depth + 1),
        "For one fold your network has two hidden layers, and it has twice as many teeth as it should in every case.",
        "The first hidden layer folds already. With one more layer for each fold there is one too many at the end.",
        "Count the hidden layers of your network for a depth of 1. How often does your loop run there?",
    ),
    _known(
        "folds once too few",
        _too_few,
        "For one fold your network has no hidden layer, and it has half as many teeth as it should in every case.",
        "The output layer has no bend, so it cannot fold. Each fold needs a hidden layer of its own.",
        "Count the hidden layers of your network for a depth of 1, and the number of rounds that your loop takes.",
    ),
    _known(
        "builds one wide layer",
        _wide,
        "Your network has the right teeth, and one hidden layer with a unit for each of its straight pieces.",
        "A corner for each unit is the way of a shallow network: twice as many units for each further fold. The task is "
        "to do it with two more.",
        "Which two numbers does one fold hand on? Let the next layer fold these, without asking where they came from.",
    ),
    _known(
        "keeps a layer for each tent",
        _with_joints,
        "Your network has the right teeth, and between two folds a layer of a single unit.",
        "You write the tent's output down as a layer and start again from it. A sum of sums is a sum: both steps fit into "
        "one table of weights.",
        "Multiply the weights (1, 2) of a tent's output with the (2, 1) of the next fold on paper. Which shape comes out?",
    ),
)

_NUMBERS = (
    _known(
        "goes level after the middle",
        lambda depth: _chain(depth, between=((2, -2), (2, -2)), out=((2, -2),)),
        "One fold of yours rises to 1 and stays there: nothing comes back down.",
        "With -2 the second unit takes away the first one's slope and no more. To come down as steeply it has to take it "
        "away twice.",
        "How steep is the tent left of 0.5, and right of it? By how much does the slope change at the corner?",
    ),
    _known(
        "goes level after the middle in the output",
        lambda depth: _chain(depth, out=((2, -2),)),
        "The hidden layers fold as they should, and the last fold rises to 1 and stays there.",
        "In the output layer stands -2 where the other layers have -4. It reads the last fold and has to be as steep as "
        "the rest.",
        "Compare the weights of your output layer with one row of those before it. What should they have in common?",
    ),
    _known(
        "adds the second unit",
        lambda depth: _chain(depth, between=((2, 4), (2, 4)), out=((2, 4),)),
        "One fold of yours rises to the middle and rises three times as steeply behind it.",
        "The second unit is added where it should be taken off. It switches on in the middle, to turn the slope round.",
        "Do x = 0.75 on paper: which two numbers do the units give, and which sign should the second one get?",
    ),
    _known(
        "makes tents of half the height",
        lambda depth: _chain(depth, between=((1, -2), (1, -2)), out=((1, -2),)),
        "One fold of yours reaches 0.5 at its top, and the next one has nothing left to fold.",
        "With 1 and -2 the slopes are half as steep. The folded paper has to cover the interval from 0 to 1 again, or the "
        "corner at 0.5 is never passed.",
        "Which value has the tent at 0.5, and which has yours?",
    ),
    _known(
        "puts the corner at a quarter",
        lambda depth: _chain(depth, bias=(0, -0.25)),
        "One fold of yours turns round at x = 0.25 and falls below 0.",
        "A unit switches on where its sum is 0, and that is where the corner lies. The interval is folded in its middle.",
        "Set the sum of your second unit to 0. At which x does it switch on?",
    ),
    _known(
        "moves the corner to the wrong side",
        lambda depth: _chain(depth, bias=(0, 0.5)),
        "One fold of yours falls from x = 0 on: both units are on in the whole interval.",
        "With a bias of +0.5 the second unit switches on at -0.5, left of the interval. In ReLU(x - 1/2) the half is "
        "taken off.",
        "Set the sum of your second unit to 0. At which x does it switch on, and at which should it?",
    ),
)

_LAYERS = (
    _known(
        "folds in the output only",
        lambda depth: _chain(depth, between=((1, 0), (0, 1)), later=(0, 0)),
        "One fold is right, and every deeper network of yours folds once as well.",
        "Your later layers hand on what they are given: a ReLU does nothing to numbers that are not negative. Only the "
        "output makes a tent of it.",
        "Which two numbers enter the second hidden layer, and which number should be folded there?",
    ),
    _known(
        "lets the units go on side by side",
        lambda depth: _chain(depth, between=((1, 0), (0, 1))),
        "One fold is right; in deeper networks of yours the second half rises instead of falling.",
        "Each unit reads only the one before it in its row. But what is to be folded again is the tent, which is made of "
        "both.",
        "Write tent(x) with the two units of the first layer. Where do the 2 and the -4 stand in your second table?",
    ),
    _known(
        "writes a column for each unit",
        lambda depth: _chain(depth, between=((2, 2), (-4, -4))),
        "One fold is right; in deeper networks of yours the second table lies on its side.",
        "A row holds the weights of one unit. Read in rows, one unit adds both of the layer before, and the other is "
        "never on.",
        "Both units of the second layer should read the same number. What does that mean for the rows of the table?",
    ),
    _known(
        "forgets the later corners",
        lambda depth: _chain(depth, later=(0, 0)),
        "One fold is right; with two, your network turns the first tent upside down instead of folding it.",
        "Without a bias both units of a later layer switch on at 0, where all that arrives is above it. So there is no "
        "corner in it.",
        "Every layer folds at the same place. Which biases does your second layer have, and which has the first?",
    ),
    _known(
        "goes level after the middle, and folds once too few",
        lambda depth: _chain(depth - 1, between=((2, -2), (2, -2)), out=((2, -2),)) if depth > 1 else _too_few(1),
        "For one fold your network has no hidden layer, and with two it rises to 1 and stays there.",
        "Two things at once: a fold needs a hidden layer of its own, and with -2 the slope behind the corner is level.",
        "Begin with one fold and make it right on paper, at 0.25 and at 0.75. Then count the layers for two.",
    ),
)

MISTAKES = (*_SIZES, *_NUMBERS, *_LAYERS)
