"""What goes wrong with Adam (exercise 07.4), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from companion.checks.bank import Mistake
from companion.checks.ch07_optimizers.lists import Tensors

Keep = Callable[[Tensor, Tensor, Tensor, float, float], tuple[Tensor, Tensor]]
"""The two means, from what they were, the slopes and the two betas."""
Correct = Callable[[Tensor, Tensor, int, float, float], tuple[Tensor, Tensor]]
"""The two means as the step uses them, from those that are kept, the number of the step and the two betas."""
Move = Callable[[Tensor, Tensor, Tensor, Tensor, float, float], Tensor]
"""The new weights, from weights, slopes, the two corrected means, the rate and eps."""


def taken_in(m: Tensor, s: Tensor, g: Tensor, b1: float, b2: float) -> tuple[Tensor, Tensor]:
    """Return the running means of the slopes and of their squares."""
    return b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g.square()


def corrected(m: Tensor, s: Tensor, k: int, b1: float, b2: float) -> tuple[Tensor, Tensor]:
    """Return both means divided by the share of them that is not the zeros of the start."""
    return m / (1 - b1**k), s / (1 - b2**k)


def divided(w: Tensor, g: Tensor, m: Tensor, s: Tensor, lr: float, eps: float) -> Tensor:
    """Return the weights after the step."""
    return w - lr * m / (s.sqrt() + eps)


def rule(
    keep: Keep = taken_in,
    correct: Correct = corrected,
    move: Move = divided,
    *,
    start: Callable[[Tensor], tuple[Tensor, Tensor]] = lambda g: (torch.zeros_like(g), torch.zeros_like(g)),
    keeps_corrected: bool = False,
    count: Callable[[int, int, int], int] = lambda k, n, tensors: k,
    shared: bool = False,
    own: bool = False,
) -> type:
    """Return an Adam by other rules.

    Args:
        keep: the two means.
        correct: the means as the step uses them.
        move: the new weights.
        start: the means before the first step, from the slopes.
        keeps_corrected: whether the corrected means are those that are remembered.
        count: the number of the step, from the right one, the number of the tensor and how many there are.
        shared: whether all tensors of the list have one pair of means.
        own: whether each step starts from the weights that the object's last step has made.
    """

    class Adam:
        def __init__(self, lr: float, betas: tuple[float, float], eps: float) -> None:
            self.lr, self.betas, self.eps = lr, betas, eps
            self.kept: dict[int, tuple[Tensor, Tensor]] = {}
            self.k = 0
            self.mine: Tensors = []

        def step(self, weights: Tensors, slopes: Tensors) -> Tensors:
            self.k += 1
            moved = []
            for n, (w, g) in enumerate(zip(self.mine if own and self.mine else weights, slopes)):
                place = 0 if shared else n
                kept = keep(*self.kept.get(place, start(g)), g, *self.betas)
                used = correct(*kept, count(self.k, n, len(weights)), *self.betas)
                self.kept[place] = used if keeps_corrected else kept
                moved.append(move(w, g, *used, self.lr, self.eps))
            self.mine = moved
            return list(moved)

    return Adam


class _FromNought:
    """Count the steps from 0, so that the first correction divides by 0."""

    def __init__(self, lr: float, betas: tuple[float, float], eps: float) -> None:
        self.right: Any = rule(count=lambda k, n, tensors: k - 1)(lr, betas, eps)

    def step(self, weights: Tensors, slopes: Tensors) -> Tensors:
        made: Tensors = self.right.step(weights, slopes)
        return made


def _eps_before(w: Tensor, m: Tensor, s: Tensor, k: int, lr: float, betas: tuple[float, float], eps: float) -> Tensor:
    return w - lr * (1 - betas[1] ** k) ** 0.5 / (1 - betas[0] ** k) * m / (s.sqrt() + eps)


class _EpsBefore:
    def __init__(self, lr: float, betas: tuple[float, float], eps: float) -> None:
        self.lr, self.betas, self.eps, self.k = lr, betas, eps, 0
        self.kept: dict[int, tuple[Tensor, Tensor]] = {}

    def step(self, weights: Tensors, slopes: Tensors) -> Tensors:
        self.k += 1
        moved = []
        for n, (w, g) in enumerate(zip(weights, slopes)):
            zeros = torch.zeros_like(g)
            self.kept[n] = taken_in(*self.kept.get(n, (zeros, zeros)), g, *self.betas)
            moved.append(_eps_before(w, *self.kept[n], self.k, self.lr, self.betas, self.eps))
        return moved


class _OneList:
    """Write both means into one list, tensor by tensor."""

    def __init__(self, lr: float, betas: tuple[float, float], eps: float) -> None:
        self.lr, self.betas, self.eps, self.k = lr, betas, eps, 0
        self.kept: dict[int, Tensor] = {}

    def step(self, weights: Tensors, slopes: Tensors) -> Tensors:
        self.k += 1
        moved = []
        for n, (w, g) in enumerate(zip(weights, slopes)):
            m = taken_in(self.kept.get(n, torch.zeros_like(g)), g, g, *self.betas)[0]
            self.kept[n] = taken_in(m, m, g, *self.betas)[1]
            moved.append(divided(w, g, *corrected(self.kept[n], self.kept[n], self.k, *self.betas), self.lr, self.eps))
        return moved


def _written_into(w: Tensor, g: Tensor, m: Tensor, s: Tensor, lr: float, eps: float) -> Tensor:
    return w.sub_(lr * m / (s.sqrt() + eps))


def _largest(m: Tensor, s: Tensor, g: Tensor, b1: float, b2: float) -> tuple[Tensor, Tensor]:
    m, new = taken_in(m, s, g, b1, b2)
    return m, torch.maximum(s, new)


_CORRECTION = (
    Mistake(
        "leaves out the correction",
        rule(correct=lambda m, s, k, b1, b2: (m, s)),
        "Your first steps have the wrong length: with the usual betas the first is about three times too long.",
        "Both means begin at 0, and that drags them towards 0 at first. The second is dragged more, and it stands below the line.",
        "What is m after the first step, for a slope of 4 and beta1 = 0.9? By what must it be divided to be 4 again?",
    ),
    Mistake(
        "corrects what it keeps",
        rule(keeps_corrected=True),
        "Your first step is right, and all later ones are wrong: the corrected means are what you remember.",
        "The correction is for this step alone. Where it is kept, the next step corrects what has been corrected already.",
        "Which names are left of `=` where you correct? Give the corrected means names of their own.",
    ),
    Mistake(
        "counts the steps from 0",
        _FromNought,
        "Your first step gives nan: both means are divided by 0.",
        "A beta to the power 0 is 1, and 1 - 1 is 0. That makes inf of both means, and inf over inf is no number. In the first step k has to be 1 already.",
        "Print `1 - beta1**k` in the first call. Where in `step` is the count moved on?",
    ),
    Mistake(
        "counts one step too many",
        rule(count=lambda k, n, tensors: k + 1),
        "Your corrections are too weak, in the first step most of all: the count is one ahead.",
        "In the first step the share of the mean that is real is 1 - beta, with the power 1. Yours has the power 2 there.",
        "What is k in your first call, at the place where the betas are raised to it?",
    ),
    Mistake(
        "counts a step for each tensor",
        rule(count=lambda k, n, tensors: (k - 1) * tensors + n + 1),
        "With one tensor you are right. With several the later ones are corrected as if more steps had been taken.",
        "The count is moved on inside the loop over the tensors. A step is a step of all of them.",
        "How large is your count after one call with four tensors? At which depth of your code does `+= 1` stand?",
    ),
    Mistake(
        "never moves the count on",
        rule(count=lambda k, n, tensors: 1),
        "Your first step is right. Later ones are corrected as if each were the first.",
        "The correction fades as the means fill up: beta to the power k goes to 0. With a count that stands still, or none, it stays as strong as it was.",
        "Which number stands as the power of each beta in the third call of `step`, and which should?",
    ),
    Mistake(
        "multiplies the betas by the number of the step",
        rule(correct=lambda m, s, k, b1, b2: (m / (1 - b1 * k), s / (1 - b2 * k))),
        "Your first step is right. From the second on the correction has the wrong size, and often the wrong sign.",
        "What is left of the zeros shrinks by the factor beta in each step: that is a power of beta, and not a multiple.",
        "What is 0.9 times 2, and what is 0.9 to the power 2? Which of them could be a share?",
    ),
    Mistake(
        "corrects the first mean only",
        rule(correct=lambda m, s, k, b1, b2: (m / (1 - b1**k), s)),
        "Your steps are far too long at first: the mean of squares is used as it is.",
        "It begins at 0, too, and is too small for long. The step divides by its root, so that too small means too long.",
        "How many means are there, and how many of them begin at 0?",
    ),
    Mistake(
        "corrects the second mean only",
        rule(correct=lambda m, s, k, b1, b2: (m, s / (1 - b2**k))),
        "Your steps are too short at first: the mean of slopes is used as it is.",
        "With beta1 = 0.9 it holds a tenth of the first slope. The correction of this mean makes the first step as long as the rate.",
        "How long is your first step beside `lr`, and how long should it be where eps is small?",
    ),
    Mistake(
        "exchanges the two corrections",
        rule(correct=lambda m, s, k, b1, b2: (m / (1 - b2**k), s / (1 - b1**k))),
        "Each of your means is corrected by the share that belongs to the other one.",
        "The mean of slopes fades with beta1 and the mean of squares with beta2. What is missing from each depends on its own beta.",
        "Which beta made which mean? Write it beside the two lines of your correction.",
    ),
    Mistake(
        "begins with the first slopes",
        rule(start=lambda g: (g, g.square())),
        "Your means begin at the first slopes and squares, and are corrected as if they had begun at 0.",
        "Either of the two would do: to begin at the first slopes, or to begin at 0 and correct. Both together correct too much.",
        "What are m and s of the task before the first step?",
    ),
)

_MEANS = (
    Mistake(
        "keeps both means in one list",
        _OneList,
        "Your two means are one and the same list: what is written as the one is read as the other.",
        "`self.first = self.second = [...]` gives two names to a single list. The squares go on top of what the slopes have just become.",
        "Print `self.first is self.second`. Where is each of them made?",
    ),
    Mistake(
        "remembers nothing from step to step",
        rule(lambda m, s, g, b1, b2: taken_in(0 * m, 0 * s, g, b1, b2), count=lambda k, n, tensors: 1),
        "Each of your steps is a first step: without eps every weight moves by exactly `lr`, whatever was before.",
        "What is remembered is made inside `step`, or is looked up by the tensor of weights. The next call brings new tensors, which are not found.",
        "Remember things by the place in the list, in an attribute of the object. What does it hold when the second call begins?",
    ),
    Mistake(
        "makes its means anew in every step",
        rule(lambda m, s, g, b1, b2: taken_in(0 * m, 0 * s, g, b1, b2)),
        "Your first step is right. Later ones know their own slopes alone, although the count goes on.",
        "The zeros of the start are made in every call, and not in the first alone. So both means begin at 0 again and again.",
        "Under which condition should the zeros be made? Print both means when `step` begins.",
    ),
    Mistake(
        "keeps one pair of means for all tensors",
        rule(shared=True),
        "Your object has one pair of means for all tensors of the list: each tensor goes on with what the one before it has left.",
        "With one tensor, as in the example, nobody sees it. A list needs a pair of means for each of its tensors, found by their place.",
        "Print the shapes of what is remembered after one call with two tensors. How many means should there be?",
    ),
    Mistake(
        "goes on from its own weights",
        rule(own=True),
        "Your first step is right. Each later one starts from the weights that your object has kept, and not from those that it is given.",
        "The object remembers the means and the count. The weights are the caller's, who may have changed them since the last step.",
        "From which weights is the step taken off in the second call: from those in `self`, or from the argument?",
        best="slopes that change their sign, and stop",
    ),
    Mistake(
        "exchanges the two betas",
        rule(
            lambda m, s, g, b1, b2: taken_in(m, s, g, b2, b1),
            lambda m, s, k, b1, b2: corrected(m, s, k, b2, b1),
        ),
        "Your first step is right. Later ones are not: beta1 makes your mean of squares, and beta2 your mean of slopes.",
        "The mean of slopes looks back over few steps, so that it can turn. The mean of squares looks back far, so that it is calm.",
        "In which order does `betas` hold the two? Look at the line in which you take it apart.",
    ),
    Mistake(
        "exchanges beta and what is left of 1",
        rule(lambda m, s, g, b1, b2: ((1 - b1) * m + b1 * g, (1 - b2) * s + b2 * g.square())),
        "Your means forget almost all in a step: beta stands before what is new.",
        "A mean keeps the share beta of itself. With 0.9 it takes in a tenth of the new slope, and yours nine tenths.",
        "What should be left of a mean of 10 after a slope of 0, with beta = 0.9?",
    ),
    Mistake(
        "takes up slopes and squares whole",
        rule(lambda m, s, g, b1, b2: (b1 * m + g, b2 * s + g.square())),
        "Your means take up the new slopes and squares without a factor: they are sums that fade.",
        "Momentum adds the whole slope. Adam's two are means, so that the new has the share 1 - beta, and the correction counts on that.",
        "Let the slope be 4 in every step. At which number should m come to rest?",
    ),
    Mistake(
        "takes the square of the mean",
        rule(lambda m, s, g, b1, b2: (b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * (b1 * m + (1 - b1) * g).square())),
        "Your second mean is made from the first: it holds squares of the mean slope.",
        "Where slopes go up and down, their mean is small while they are large. The second mean is there to know how large they are.",
        "Which letter stands squared in the formula of s?",
    ),
    Mistake(
        "does not square the slopes",
        rule(lambda m, s, g, b1, b2: (b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g)),
        "Your result is nan where the second mean is negative: it holds slopes and not their squares.",
        "A root of a negative number does not exist. Squares are never negative, and they forget which way a slope pointed.",
        "Print your second mean after a slope of -3. Can it have a root?",
    ),
    Mistake(
        "takes the mean of sizes and then its root",
        rule(lambda m, s, g, b1, b2: (b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g.abs())),
        "Your second mean holds sizes, and then a root is taken of it.",
        "The root belongs to the square: it undoes it. A root of sizes makes steps longer where slopes are long.",
        "Multiply all slopes by 100. Should the first step change, and does yours?",
    ),
    Mistake(
        "takes one mean of squares for a whole tensor",
        rule(lambda m, s, g, b1, b2: (b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g.square().mean())),
        "All weights of a tensor are divided by the same number in your step.",
        "`mean()` goes over the weights. The running mean of Adam goes over the steps, and each weight has one of its own.",
        "What is the shape of your second mean, and what shape have the weights?",
    ),
    Mistake(
        "follows the slope and not its mean",
        rule(move=lambda w, g, m, s, lr, eps: w - lr * g / (s.sqrt() + eps)),
        "Your first step is right. Later ones follow the newest slope alone, and what was before has no part in the direction.",
        "That is RMSProp with a correction. Adam has momentum as well: the mean of slopes stands above the line.",
        "Is your first mean used anywhere behind the line that makes it?",
    ),
    Mistake(
        "never forgets a large square",
        rule(_largest),
        "After a step with small slopes your weights move too little: the mean of squares never falls.",
        "That is close to AMSGrad, a relative of Adam that keeps the largest mean there has been. In Adam the mean goes down again.",
        "What should become of s when all slopes are 0 from now on?",
    ),
)

_STEP = (
    Mistake(
        "leaves out the root",
        rule(move=lambda w, g, m, s, lr, eps: w - lr * m / (s + eps)),
        "You divide by the mean of squares, and not by its root: flat weights jump, and steep ones hardly move.",
        "A slope divided by a square has the size of one over a slope. The root makes both equally large, so that `lr` is left.",
        "Let the only slope be 0.01. How long should the first step be, and how long is yours?",
    ),
    Mistake(
        "puts eps inside the root",
        rule(move=lambda w, g, m, s, lr, eps: w - lr * m / (s + eps).sqrt()),
        "Your steps are too short where slopes are small beside eps: it stands inside the root.",
        "There it acts as its own root: 1e-8 as 1e-4. That is ten thousand times more, and it stops weights with tiny slopes.",
        "Where does the root end in the formula? Put the brackets of your code beside it.",
    ),
    Mistake(
        "leaves eps out",
        rule(move=lambda w, g, m, s, lr, eps: w - lr * m / s.sqrt()),
        "Where all slopes of a weight have been 0 you get nan, and where they are small your steps are too long.",
        "There both means are 0, and 0 divided by 0 is no number. eps keeps what is below the line above 0.",
        "What stands below your line for a weight that has never had a slope?",
    ),
    Mistake(
        "adds eps behind the fraction",
        rule(move=lambda w, g, m, s, lr, eps: w - lr * m / s.sqrt() + eps),
        "Your eps is added to the weights themselves, and nothing keeps what is below the line above 0.",
        "Division comes before addition: `m / s.sqrt() + eps` divides first. Only brackets bring eps below the line.",
        "Put brackets around everything that stands below the line of the formula.",
    ),
    Mistake(
        "adds eps to the root before it is corrected",
        _EpsBefore,
        "Where eps is tiny you are right. Where it counts, your first steps are too short.",
        "You put both corrections into the rate. That is the same step only if eps goes along, multiplied by the root of 1 - beta2 to the "
        "power k.",
        "Divide both sides of your fraction by the root of that share. What becomes of eps?",
    ),
    Mistake(
        "goes uphill",
        rule(move=lambda w, g, m, s, lr, eps: w + lr * m / (s.sqrt() + eps)),
        "Your steps have the right length and lead the way in which the loss grows.",
        "The mean of slopes points uphill as a slope does, and a root is never negative. So the step has to be taken off.",
        "Which way should a weight go whose slopes have all been positive?",
    ),
    Mistake(
        "forgets the rate",
        rule(move=lambda w, g, m, s, lr, eps: w - m / (s.sqrt() + eps)),
        "Your first step is 1 in almost every weight, whatever `lr` is.",
        "What is left of the slopes after the division has the size 1. It is the rate alone that says how far to go.",
        "Is `self.lr` used anywhere in your `step`, and where should it be?",
    ),
    Mistake(
        "writes into the weights that came in",
        rule(move=_written_into),
        "The numbers are right, and the caller's own weights have moved with them.",
        "`w -= ...` and `w.sub_(...)` write into tensors that came in. The means are the object's own, and only those may be written into.",
        "Write `w - ...` and gather the new tensors in a list.",
    ),
    Mistake(
        "leaves out the correction, and goes uphill",
        rule(correct=lambda m, s, k, b1, b2: (m, s), move=lambda w, g, m, s, lr, eps: w + lr * m / (s.sqrt() + eps)),
        "Your means are used as they are, too small at first, and your steps lead uphill.",
        "Two things at once: the division by 1 - beta to the power k is missing, and the sign of the step is wrong.",
        "Set the sign right with the example. Then look at how long your first step is beside the rate.",
    ),
)

MISTAKES = (*_CORRECTION, *_MEANS, *_STEP)
