"""What goes wrong with AdamW (exercise 07.5), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from companion.checks.bank import Mistake
from companion.checks.ch07_optimizers.e4_mistakes import Correct, Keep, corrected, taken_in
from companion.checks.ch07_optimizers.lists import Tensors

Before = Callable[[Tensor, float, float], Tensor]
"""The weights from which Adam steps, from those that came in, the rate and the decay."""


def shrunk(w: Tensor, lr: float, decay: float) -> Tensor:
    """Return weights with a share of themselves taken off."""
    return (1 - lr * decay) * w


def as_they_are(w: Tensor, lr: float, decay: float) -> Tensor:
    """Return weights without a decay."""
    return w


def rule(
    before: Before = shrunk,
    *,
    after: Before = as_they_are,
    slope: Callable[[Tensor, Tensor, float], Tensor] = lambda g, w, decay: g,
    above: Callable[[Tensor, Tensor, float], Tensor] = lambda m, w, decay: m,
    flag: Callable[[Sequence[bool], int, Tensor], bool] = lambda decays, n, w: bool(decays[n]),
    skips: bool = False,
    keep: Keep = taken_in,
    correct: Correct = corrected,
    count: Callable[[int, int, int], int] = lambda k, n, tensors: k,
    root: Callable[[Tensor, float], Tensor] = lambda s, eps: s.sqrt() + eps,
    sign: float = 1.0,
    keeps_corrected: bool = False,
    shared: bool = False,
    own: bool = False,
) -> type:
    """Return an AdamW by other rules.

    Args:
        before: the decay before the step.
        after: a decay after the step.
        slope: what the means take in, from slopes, weights and decay.
        above: what stands above the line, from the corrected mean, weights and decay.
        flag: whether a tensor decays, from the flags, its number and the tensor.
        skips: whether tensors that do not decay take no step.
        keep: the two means.
        correct: the means as the step uses them.
        count: the number of the step, from the right one, the number of the tensor and how many there are.
        root: what stands below the line, from the corrected mean of squares and eps.
        sign: of Adam's step; -1 leads uphill.
        keeps_corrected: whether the corrected means are those that are remembered.
        shared: whether all tensors of the list have one pair of means.
        own: whether each step starts from the weights that the object's last step has made.
    """

    class AdamW:
        def __init__(
            self, lr: float, betas: tuple[float, float], eps: float, decay: float, decays: Sequence[bool]
        ) -> None:
            self.lr, self.betas, self.eps, self.decay, self.decays = lr, betas, eps, decay, decays
            self.kept: dict[int, tuple[Tensor, Tensor]] = {}
            self.k = 0
            self.mine: Tensors = []

        def step(self, weights: Tensors, slopes: Tensors) -> Tensors:
            self.k += 1
            begin = self.mine if own and self.mine else weights
            self.mine = [self.one(n, w, g, len(weights)) for n, (w, g) in enumerate(zip(begin, slopes))]
            return list(self.mine)

        def one(self, n: int, w: Tensor, g: Tensor, tensors: int) -> Tensor:
            decays = flag(self.decays, n, w)
            decay = self.decay if decays else 0.0
            zeros, place = torch.zeros_like(g), 0 if shared else n
            self.kept[place] = keep(*self.kept.get(place, (zeros, zeros)), slope(g, w, decay), *self.betas)
            m, s = correct(*self.kept[place], count(self.k, n, tensors), *self.betas)
            if skips and not decays:
                return w
            if keeps_corrected:
                self.kept[place] = m, s
            way = sign * self.lr * above(m, w, decay) / root(s, self.eps)
            new = (before(w, self.lr, decay) if decays else w) - way
            return after(new, self.lr, decay) if decays else new

    return AdamW


def _plus(g: Tensor, w: Tensor, decay: float) -> Tensor:
    return g + decay * w


class _Writes:
    """Shrink and move the caller's own tensors."""

    def __init__(self, lr: float, betas: tuple[float, float], eps: float, decay: float, decays: Sequence[bool]) -> None:
        self.right: Any = rule()(lr, betas, eps, decay, decays)

    def step(self, weights: Tensors, slopes: Tensors) -> Tensors:
        for w, new in zip(weights, self.right.step(weights, slopes)):
            w.copy_(new)
        return weights


_WHERE = (
    Mistake(
        "adds the decay to the slopes",
        rule(as_they_are, slope=_plus),
        "The decay goes into your slopes, and through both means: it is divided by the root like them.",
        "That is L2 in Adam, which AdamW was made to replace. A weight with steep slopes then hardly decays, and one with flat slopes a lot.",
        "In which of your lines does the decay meet the weights, and does that line come before or behind the division?",
    ),
    Mistake(
        "adds the decay above the line",
        rule(as_they_are, above=_plus),
        "The decay stands above the line, beside the mean of slopes, and is divided by the root with it.",
        "It stays out of the means, and not out of the division. A decay that is not divided shrinks every weight by the same share.",
        "What does the whole fraction become for a weight with steep slopes, and what for one with flat slopes?",
    ),
    Mistake(
        "decays twice",
        rule(slope=_plus),
        "Your weights decay twice: a share of them is taken off, and the slopes hold the decay as well.",
        "The two ways stand for each other. AdamW has the first alone, and its means see the slopes as they came in.",
        "In how many lines does your decay stand? Which one is in the task?",
    ),
    Mistake(
        "decays after the step",
        rule(as_they_are, after=shrunk),
        "Your decay reaches the step as well: what Adam has moved is shrunk with the weights.",
        "The decay comes first, and then Adam's step as long as it is. In the other order the step loses a share of itself.",
        "Let a weight be 0, and the slope not. Should the decay change anything in this step?",
    ),
    Mistake(
        "decays before the step and after it",
        rule(after=shrunk),
        "Your weights lose their share twice in a step: before it and behind it.",
        "Once a step is what the task asks for. With two the decay is about twice as strong as it says.",
        "Set all slopes to 0. By which factor should a weight shrink in one step, and by which does yours?",
    ),
)

_HOW = (
    Mistake(
        "leaves the decay out",
        rule(as_they_are),
        "Your weights take Adam's step and nothing else: no tensor decays.",
        "Setting the decay is one thing and using it another. The share has to be taken off in every step.",
        "Set all slopes of a tensor to 0. Does it become smaller with your code?",
    ),
    Mistake(
        "does not multiply the decay by the rate",
        rule(lambda w, lr, decay: (1 - decay) * w),
        "Your weights shrink by the share `decay` in each step, whatever the rate is.",
        "Here the share is rate times decay. So a schedule that lowers the rate lowers the decay with it, and both calm down together.",
        "Halve `lr` and set the slopes to 0. Should the weights shrink less than before?",
    ),
    Mistake(
        "lets the weights grow",
        rule(lambda w, lr, decay: (1 + lr * decay) * w),
        "Your weights grow by the share that they should lose.",
        "To decay is to become smaller: the factor is a little below 1. A plus makes it a little above, and weights run away.",
        "Set all slopes to 0. Which way should a weight of 2 go, and a weight of -2?",
    ),
    Mistake(
        "shrinks the weights to the share that they should lose",
        rule(lambda w, lr, decay: lr * decay * w),
        "Almost nothing is left of your weights after a step: they are multiplied by what should be taken off.",
        "Rate times decay is the share that goes. What stays is 1 minus that.",
        "For a rate of 0.1 and a decay of 0.01: which share should be left after a step?",
    ),
    Mistake(
        "takes the same amount off every weight",
        rule(lambda w, lr, decay: w - lr * decay),
        "Your decay is the same number for every weight, so that small weights are pulled through 0.",
        "A decay takes a share: large weights lose much, small ones little, and a weight of 0 nothing.",
        "What does your line make of a weight of 0, with all slopes 0?",
    ),
    Mistake(
        "takes the same amount off, by the sign of the weight",
        rule(lambda w, lr, decay: w - lr * decay * w.sign()),
        "All your weights come nearer to 0 by the same amount, however large they are.",
        "That is the decay that belongs to a penalty on sizes, L1. The one of the task takes off a share of each weight.",
        "How much should a weight of 10 lose, if a weight of 1 loses 0.01?",
    ),
    Mistake(
        "squares the rate in the decay",
        rule(lambda w, lr, decay: (1 - lr * lr * decay) * w),
        "Your decay is weaker than it should be by the factor `lr`: the rate is in it twice.",
        "The decay is multiplied by the rate and put under a minus with another rate before it. Only the step of Adam needs its own.",
        "Write your line out without brackets. How often does `lr` stand before the weight?",
    ),
)

_WHICH = (
    Mistake(
        "decays every tensor",
        rule(flag=lambda decays, n, w: True),
        "Tensors with False in `decays` shrink as well.",
        "Biases, and the scale and shift of a normalisation, are often left alone: a decay there pulls the outputs themselves towards 0.",
        "Is `decays` used in your `step`? Go through it side by side with the weights.",
    ),
    Mistake(
        "decays those that should not",
        rule(flag=lambda decays, n, w: not decays[n]),
        "Tensors with True in `decays` are not shrunk, and those with False are.",
        "The list says who decays, and not who is spared.",
        "Read the first entry of `decays` in the example aloud, and the condition in your code. Do they say the same?",
    ),
    Mistake(
        "goes by the number of axes",
        rule(flag=lambda decays, n, w: w.dim() > 1),
        "Your tables decay and your vectors do not, whatever `decays` says.",
        "As a rule of thumb that is not bad. Here the list decides, because whoever calls you knows which tensor is what.",
        "Which entry of `decays` does your condition ask about?",
    ),
    Mistake(
        "goes by the place in the list",
        rule(flag=lambda decays, n, w: n % 2 == 0),
        "Every other tensor of yours decays, from the first on, whatever `decays` says.",
        "In many networks tables and biases take turns, and in the example they do. Here the list decides: it may say True twice in a row, or never.",
        "What does your code do where all entries of `decays` are True?",
    ),
    Mistake(
        "takes the first entry for all tensors",
        rule(flag=lambda decays, n, w: bool(decays[0])),
        "Either all of your tensors decay or none: the first entry of `decays` decides.",
        "There is one entry for each tensor, at the same place in its list.",
        "Which entry belongs to the tensor in the third round of your loop?",
    ),
    Mistake(
        "reads the list from its other end",
        rule(flag=lambda decays, n, w: bool(decays[-1 - n])),
        "The entries of `decays` reach your tensors in reversed order.",
        "The list is used up from its end, as `pop` does, while the tensors are taken from the front.",
        "Print the number of the tensor and the entry that it gets, side by side.",
    ),
    Mistake(
        "takes no step where nothing decays",
        rule(skips=True),
        "Tensors with False in `decays` come back as they were: they do not move at all.",
        "They are spared the decay, and not the step. `continue` leaves the round before Adam has had its turn.",
        "Which lines of your loop should such a tensor still go through?",
    ),
)

_ADAM = (
    Mistake(
        "leaves out the correction",
        rule(correct=lambda m, s, k, b1, b2: (m, s)),
        "The decay is right, and Adam's first steps have the wrong length: the means are used without their correction.",
        "Both begin at 0 and are too small at first, as in exercise 07.4.",
        "Where do the two hats of the formula stand in your code?",
    ),
    Mistake(
        "counts a step for each tensor",
        rule(count=lambda k, n, tensors: (k - 1) * tensors + n + 1),
        "With one tensor you are right. With several the correction of the later ones is too weak.",
        "The count is moved on in the loop over the tensors. It belongs before it: one step, one count.",
        "What does your count say after the first call, if there are four tensors?",
    ),
    Mistake(
        "puts eps inside the root",
        rule(root=lambda s, eps: (s + eps).sqrt()),
        "The decay is right, and Adam's steps are too short where slopes are small beside eps.",
        "Inside the root eps acts as its own root. It is added to the root, as in exercise 07.4.",
        "Put the root of your code beside the root of the formula. What does each reach over?",
    ),
    Mistake(
        "leaves out the root",
        rule(root=lambda s, eps: s + eps),
        "The decay is right, and Adam's step is divided by the mean of squares itself.",
        "The root makes the mean of squares as large as a slope, so that about `lr` is left of the step.",
        "How long is your first step for a slope of 0.5 without a decay? It should be about `lr`.",
    ),
    Mistake(
        "goes uphill",
        rule(sign=-1.0),
        "The decay is right, and Adam's step goes the way in which the loss grows.",
        "The hat of m points uphill, as slopes do. Only the minus before the rate turns it round.",
        "In the example the slope of the second tensor is positive. Must its weight become larger or smaller?",
    ),
    Mistake(
        "corrects what it keeps",
        rule(keeps_corrected=True),
        "Your first step is right. From the second on the means are wrong: you remember them with their hats.",
        "The hats are for one step. What is remembered goes on without them, or the next correction comes on top.",
        "Which names does the next step read, and do they hold means with hats or without?",
    ),
    Mistake(
        "remembers nothing from step to step",
        rule(keep=lambda m, s, g, b1, b2: taken_in(0 * m, 0 * s, g, b1, b2), count=lambda k, n, tensors: 1),
        "The decay is right, and each step of Adam is a first step: what was before has no part in it.",
        "The means are made inside `step`, or are looked up by the tensor of weights, which is a new one in the next call.",
        "Which attribute of the object holds the means when the second call of `step` begins?",
    ),
    Mistake(
        "keeps one pair of means for all tensors",
        rule(shared=True),
        "All tensors of your list go through one and the same pair of means, one after the other.",
        "The means belong to a place in the list, as in exercise 07.4. With a single tensor one pair is enough, and here there are several.",
        "Under which number or name does your object find the means of the second tensor?",
    ),
    Mistake(
        "goes on from its own weights",
        rule(own=True),
        "Your first step is right. Each later one decays and moves weights that your object has kept, and not those that it is given.",
        "What the object remembers are the means and the count, as in exercise 07.4. Weights come in anew with each call.",
        "Change the weights between two calls of `step`. Does your second result change with them?",
        best="slopes of 0",
    ),
    Mistake(
        "never moves the count on",
        rule(count=lambda k, n, tensors: 1),
        "Your first step is right. Later ones are corrected as if each were the first.",
        "The power of the betas has to grow with the steps, so that the correction fades.",
        "Print the count in two calls of `step`. Which line should have changed it?",
    ),
    Mistake(
        "writes into the weights that came in",
        _Writes,
        "The numbers are right, and the caller's own weights have been changed.",
        "`w *= 1 - lr * decay`, `w.mul_(...)` and `w -= ...` write into tensors of the caller.",
        "The shrunk weights are new ones: `w = (1 - ...) * w` makes a new tensor, and leaves the old one as it was.",
    ),
    Mistake(
        "decays every tensor, and decays after the step",
        rule(as_they_are, after=shrunk, flag=lambda decays, n, w: True),
        "Your decay comes behind the step and shrinks that as well, and it reaches tensors with False in `decays`.",
        "Two things at once: the order of decay and step, and the list that nobody asks.",
        "Look at a tensor with False first: should it differ from what Adam alone makes of it? Then at the order.",
    ),
)

MISTAKES = (*_WHERE, *_HOW, *_WHICH, *_ADAM)
