"""What goes wrong with a rate for every weight (exercise 07.3), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from companion.checks.bank import Mistake
from companion.checks.ch07_optimizers.lists import Tensors

Keep = Callable[[Tensor, Tensor, float], Tensor]
"""What is remembered, from what was, the slopes and alpha."""


def divided(w: Tensor, g: Tensor, s: Tensor, lr: float, eps: float) -> Tensor:
    """Return the weights after a step along the slopes, each divided by the root of what is remembered."""
    return w - lr * g / (s.sqrt() + eps)


def rule(
    name: str,
    keep: Keep,
    move: Callable[[Tensor, Tensor, Tensor, float, float], Tensor] = divided,
    *,
    read: Callable[[Tensor, Tensor, int, float], Tensor] = lambda s, before, k, alpha: s,
    start: Callable[[Tensor], Tensor] = torch.zeros_like,
    shared: bool = False,
    own: bool = False,
) -> type:
    """Return a class of this name by other rules.

    Args:
        name: ``"Adagrad"``, which takes a rate and eps, or ``"RMSProp"``, which takes alpha between them.
        keep: what is remembered.
        move: the new weights.
        read: what the step divides by the root of: from what is remembered now and was before, the number of the step, and alpha.
        start: what is remembered at first, from the slopes.
        shared: whether all tensors of the list have one memory.
        own: whether each step starts from the weights that the object's last step has made.
    """

    def __init__(self: Any, lr: float, *others: float) -> None:
        self.lr, self.alpha, self.eps = lr, others[0] if len(others) > 1 else 0.0, others[-1]
        self.kept, self.k, self.mine = {}, 0, []

    def step(self: Any, weights: Tensors, slopes: Tensors) -> Tensors:
        self.k += 1
        moved = []
        for n, (w, g) in enumerate(zip(self.mine if own and self.mine else weights, slopes)):
            place = 0 if shared else n
            before = self.kept.get(place, start(g))
            self.kept[place] = keep(before, g, self.alpha)
            moved.append(move(w, g, read(self.kept[place], before, self.k, self.alpha), self.lr, self.eps))
        self.mine = moved
        return list(moved)

    arguments = _init_of(name, __init__)
    return type(name, (), {"__init__": arguments, "step": step})


def _init_of(name: str, init: Callable[..., None]) -> Callable[..., None]:
    """Return a constructor that takes what the class of this name takes."""

    def of_adagrad(self: Any, lr: float, eps: float) -> None:
        init(self, lr, eps)

    def of_rmsprop(self: Any, lr: float, alpha: float, eps: float) -> None:
        init(self, lr, alpha, eps)

    return of_adagrad if name == "Adagrad" else of_rmsprop


def summed(s: Tensor, g: Tensor, alpha: float) -> Tensor:
    """Return the sum of squares with these added."""
    return s + g.square()


def averaged(s: Tensor, g: Tensor, alpha: float) -> Tensor:
    """Return the running mean of squares with these taken in."""
    return alpha * s + (1 - alpha) * g.square()


def _in_place(w: Tensor, g: Tensor, s: Tensor, lr: float, eps: float) -> Tensor:
    return w.sub_(lr * g / (s.sqrt() + eps))


def _squares_in_place(w: Tensor, g: Tensor, s: Tensor, lr: float, eps: float) -> Tensor:
    new = divided(w, g, s, lr, eps)
    g.square_()
    return new


ADAGRAD, RMSPROP = "Adagrad", "RMSProp"

_ADAGRAD = (
    Mistake(
        "forgets in Adagrad what came before",
        rule(ADAGRAD, lambda s, g, a: g.square()),
        "Each step of your Adagrad knows its own slopes alone: without eps every weight would move by exactly `lr`.",
        "The sum is made anew in every call. It has to live in the object, as `self. ...`, and grow from step to step.",
        "Print the sum in the third step. Does it hold the squares of all three slopes, or those of the last?",
    ),
    Mistake(
        "lets Adagrad use the sum of the steps before",
        rule(ADAGRAD, summed, read=lambda s, before, k, a: before),
        "Your Adagrad divides by what it remembered before this step. In the first step that is 0, and only eps is left.",
        "The slopes of this step go into the sum first. Otherwise the very first step is as long as one over eps makes it.",
        "In which order do the two formulas stand, and in which order do your lines?",
    ),
    Mistake(
        "leaves the root out of Adagrad",
        rule(ADAGRAD, summed, lambda w, g, s, lr, eps: w - lr * g / (s + eps)),
        "Your Adagrad divides by the sum of squares itself: steep weights hardly move, and flat ones jump.",
        "A slope divided by its own square is one over the slope. With the root the first step is about `lr` for every weight.",
        "Let a single slope be 4, and then 0.25. How long should the first step be, and how long is yours?",
    ),
    Mistake(
        "puts eps inside the root of Adagrad",
        rule(ADAGRAD, summed, lambda w, g, s, lr, eps: w - lr * g / (s + eps).sqrt()),
        "Your Adagrad is off by more the larger eps is: it stands inside the root.",
        "Inside the root eps acts as its own root: 0.000001 as 0.001. The formula takes the root first and adds eps to it.",
        "Where does the root sign end in the formula? Where do your brackets end?",
    ),
    Mistake(
        "adds up slopes in Adagrad that are not squared",
        rule(ADAGRAD, lambda s, g, a: s + g),
        "Your Adagrad gives nan where the slopes add up to something negative.",
        "The sum holds the slopes themselves. Squares are never negative, so that their root can be taken, and slopes of both signs do not cancel.",
        "What is remembered after the slopes 2 and -3? Do it on paper, and take its root.",
    ),
    Mistake(
        "adds up the sizes of slopes in Adagrad",
        rule(ADAGRAD, lambda s, g, a: s + g.abs()),
        "Your Adagrad remembers the sizes of the slopes, and takes the root of their sum.",
        "Without a square the root is not undone: slopes four times as large still make steps twice as long.",
        "Multiply all slopes of the example by 4. Should the first step change, and does yours?",
    ),
    Mistake(
        "squares the sum of slopes in Adagrad",
        rule(ADAGRAD, lambda s, g, a: s + g, lambda w, g, s, lr, eps: w - lr * g / (s.abs() + eps)),
        "Where slopes change their sign, steps of your Adagrad are too long: what is remembered has become small.",
        "You add first and square afterwards, so that up and down cancel. Each slope is squared by itself, and then added.",
        "What is remembered after the slopes 3 and -3, by the formula and by your code?",
    ),
    Mistake(
        "takes one sum in Adagrad for a whole tensor",
        rule(ADAGRAD, lambda s, g, a: s + g.square().sum()),
        "All weights of a tensor share one number in your Adagrad, and so one rate.",
        "The squares of a tensor were added up into one. What makes this method is that each weight has a sum of its own.",
        "Print the shape of what you remember. How many numbers should it hold?",
    ),
    Mistake(
        "keeps one sum in Adagrad for all tensors",
        rule(ADAGRAD, summed, shared=True),
        "Your Adagrad has one memory for all tensors of the list: what the first has added is still there for the next.",
        "With one tensor, as in the example, nobody sees it. With several, squares of one tensor are added to those of another, and their shapes "
        "are broadcast.",
        "Print what is remembered after one call with two tensors. It should be a list with one sum for each of them.",
    ),
    Mistake(
        "goes on in Adagrad from its own weights",
        rule(ADAGRAD, summed, own=True),
        "Your Adagrad starts each later step from the weights that it has made itself, and not from those that it is given.",
        "What is remembered are the sums of squares. The weights belong to the caller, who may have changed them since the last step.",
        "Which weights stand in your last line in the second call: those in `self`, or those in the arguments?",
        best="slopes of 0 in one of two tensors, Adagrad",
    ),
    Mistake(
        "divides the sum in Adagrad by the number of steps",
        rule(ADAGRAD, summed, read=lambda s, before, k, a: s / k),
        "The first step of your Adagrad is right. Later ones are too long, the later the more.",
        "A mean over the steps does not grow, so that the rate never falls. Adagrad takes the sum: its steps get shorter by themselves.",
        "With the slope 1 in every step, how long should the fourth step be beside the first?",
    ),
    Mistake(
        "leaves eps out of Adagrad",
        rule(ADAGRAD, summed, lambda w, g, s, lr, eps: w - lr * g / s.sqrt()),
        "Where a weight has had no slope yet, your Adagrad gives nan, and elsewhere its steps are a little too long.",
        "The sum is 0 there, and 0 divided by 0 is no number. A small eps below the line makes 0 of it.",
        "What do you divide by for a weight whose slopes have all been 0?",
    ),
    Mistake(
        "forgets the rate in Adagrad",
        rule(ADAGRAD, summed, lambda w, g, s, lr, eps: w - g / (s.sqrt() + eps)),
        "The first step of your Adagrad is about 1 for every weight, whatever `lr` is.",
        "What is divided by its own size has the size 1. The rate says how much of it is a step.",
        "Where does `self.lr` stand in your method `step` of Adagrad?",
    ),
    Mistake(
        "goes uphill with Adagrad",
        rule(ADAGRAD, summed, lambda w, g, s, lr, eps: w + lr * g / (s.sqrt() + eps)),
        "Every step of your Adagrad has the right length and the wrong direction.",
        "What the slope is divided by is above 0, and leaves its sign alone. The step has to be taken off, as ever.",
        "Which way does a weight with a positive slope go in your code?",
    ),
    Mistake(
        "writes in Adagrad into the weights that came in",
        rule(ADAGRAD, summed, _in_place),
        "The numbers of your Adagrad are right, and the caller's own weights have moved with them.",
        "`w -= ...` and `sub_` write into what came in. The object keeps what it has to remember; weights are not part of it.",
        "Let `step` make new tensors with `w - ...`, and return a list of them.",
    ),
)

_RMSPROP = (
    Mistake(
        "exchanges alpha and what is left of 1",
        rule(RMSPROP, lambda s, g, a: (1 - a) * s + a * g.square()),
        "Your RMSProp forgets almost everything in a step: alpha stands before the new squares.",
        "A running mean keeps the share alpha of what it was. With 0.99 it looks back over about a hundred steps, and yours over one.",
        "What should be left of the mean after a step with the slope 0, if alpha is 0.9?",
    ),
    Mistake(
        "takes up the new squares whole",
        rule(RMSPROP, lambda s, g, a: a * s + g.square()),
        "What your RMSProp remembers is too large, and the steps are too short.",
        "A mean needs shares that add up to 1: alpha for the old and what is left for the new. Without the second factor it is a sum that fades.",
        "With the slope 1 in every step, at which number should the mean come to rest?",
    ),
    Mistake(
        "adds up in RMSProp and never forgets",
        rule(RMSPROP, summed),
        "Your RMSProp is the same for every alpha: it adds up all squares.",
        "That is Adagrad. Its rate dies, and RMSProp was made so that it does not: old squares fade by the factor alpha in each step.",
        "Which argument of `__init__` is used nowhere in your `step`?",
    ),
    Mistake(
        "lets the mean of RMSProp only grow",
        rule(RMSPROP, lambda s, g, a: s + (1 - a) * g.square()),
        "What your RMSProp remembers never fades: alpha is missing before the old mean.",
        "The share alpha of the old and the rest of the new make a mean. With the whole of the old it is a sum that grows for ever.",
        "What becomes of your mean after many steps with the slope 0?",
    ),
    Mistake(
        "leaves eps out of RMSProp",
        rule(RMSPROP, averaged, lambda w, g, s, lr, eps: w - lr * g / s.sqrt()),
        "Where all slopes of a weight have been 0, your RMSProp gives nan. Elsewhere its steps are too long.",
        "Its mean is 0 there, and so is the slope: 0 divided by 0. That is one thing that eps is for.",
        "Put a slope of 0 into your line, in the first step. What is below the line?",
    ),
    Mistake(
        "forgets the rate in RMSProp",
        rule(RMSPROP, averaged, lambda w, g, s, lr, eps: w - g / (s.sqrt() + eps)),
        "The steps of your RMSProp are the same for every `lr`.",
        "A slope over the root of its mean square has about the size 1, and the rate is what makes a step of it.",
        "Where does `self.lr` stand in your method `step` of RMSProp?",
    ),
    Mistake(
        "forgets in RMSProp what came before",
        rule(RMSPROP, lambda s, g, a: (1 - a) * g.square()),
        "Each step of your RMSProp knows its own slopes alone.",
        "The running mean begins at 0 in every call. It has to be kept in the object from one call of `step` to the next.",
        "Which name in your class begins with `self.` and holds a tensor for each tensor of weights?",
    ),
    Mistake(
        "lets RMSProp use the mean of the steps before",
        rule(RMSPROP, averaged, read=lambda s, before, k, a: before),
        "Your RMSProp divides by the mean as it was before this step. At the start that is 0.",
        "The new squares go into the mean first, and then the step divides by its root. The other order divides by eps alone in the first step.",
        "How long is your first step, and how long should it be? Compare with the example.",
    ),
    Mistake(
        "leaves the root out of RMSProp",
        rule(RMSPROP, averaged, lambda w, g, s, lr, eps: w - lr * g / (s + eps)),
        "Your RMSProp divides by the mean of squares itself, and not by its root.",
        "The mean holds squares. Only its root is as large as a slope, so that the two cancel and about `lr` is left.",
        "Double every slope of the example. Should the steps become half as long, as yours do?",
    ),
    Mistake(
        "puts eps inside the root of RMSProp",
        rule(RMSPROP, averaged, lambda w, g, s, lr, eps: w - lr * g / (s + eps).sqrt()),
        "Your RMSProp is off where the slopes are small beside eps: it stands inside the root.",
        "There are libraries that do it so. Here, as in PyTorch, the root is taken first, and eps is added to it as it is.",
        "Let the mean be 0: what do you divide by, eps or the root of eps?",
    ),
    Mistake(
        "takes a mean in RMSProp of slopes that are not squared",
        rule(RMSPROP, lambda s, g, a: a * s + (1 - a) * g),
        "Your RMSProp gives nan wherever the running mean is negative.",
        "It is a mean of slopes, and a negative number has no root. RMSProp means: the root of the mean of the squares.",
        "Read the name backwards: propagation by root, mean, square. Which of the three is missing?",
    ),
    Mistake(
        "takes one mean in RMSProp for a whole tensor",
        rule(RMSPROP, lambda s, g, a: a * s + (1 - a) * g.square().mean()),
        "All weights of a tensor are divided by the same number in your RMSProp.",
        "`mean()` without more takes the mean over the weights. The running mean is one over the steps, for each weight by itself.",
        "How many numbers should be remembered for a table of 3 rows and 5 columns?",
    ),
    Mistake(
        "keeps one mean in RMSProp for all tensors",
        rule(RMSPROP, averaged, shared=True),
        "Your RMSProp has one running mean for all tensors of the list: each tensor goes on where the one before it has stopped.",
        "The mean runs over the steps, for each weight by itself. With one tensor, as in the example, one mean is enough; a list needs as many as it has tensors.",
        "How many tensors does your object remember after a call with two of them, and what are their shapes?",
    ),
    Mistake(
        "goes on in RMSProp from its own weights",
        rule(RMSPROP, averaged, own=True),
        "Your RMSProp keeps the weights of its last step, and starts the next one from there.",
        "`step` is given the weights each time, and they may have been changed in between. The object remembers the means alone.",
        "Are the `weights` of the second call used anywhere in your `step`?",
        best="slopes of 0 in one of two tensors, RMSProp",
    ),
    Mistake(
        "corrects the beginning of RMSProp",
        rule(RMSPROP, averaged, read=lambda s, before, k, a: s / (1 - a**k)),
        "The first steps of your RMSProp are too short: the mean is corrected for its start at 0.",
        "Adam does that, two sections on. RMSProp leaves the mean as it is, and its first steps are long because of it.",
        "Which formula of the task holds the number of the step?",
    ),
    Mistake(
        "begins RMSProp with the first squares",
        rule(RMSPROP, averaged, start=torch.square),
        "Your RMSProp takes the first squares whole, as if the mean had been there for ever.",
        "The mean begins at 0, so that the first squares come in with the share that alpha leaves of 1.",
        "What is s before the first step? Do the first line of the example with it.",
    ),
    Mistake(
        "goes uphill with RMSProp",
        rule(RMSPROP, averaged, lambda w, g, s, lr, eps: w + lr * g / (s.sqrt() + eps)),
        "Every step of your RMSProp leads the way in which the loss grows.",
        "Dividing by a root does not turn a slope round. The minus of the rule is missing.",
        "Compare the sign before `lr` with the last formula of the task.",
    ),
    Mistake(
        "writes in RMSProp into the slopes that came in",
        rule(RMSPROP, averaged, _squares_in_place),
        "The numbers of your RMSProp are right, and the caller finds squares where the slopes were.",
        "`g.square_()`, `g *= g` and `g **= 2` write into the tensor that came in.",
        "`g.square()` or `g * g` make a new tensor. Where do you need which of the two?",
    ),
    Mistake(
        "leaves the root out of RMSProp, and goes uphill with RMSProp",
        rule(RMSPROP, averaged, lambda w, g, s, lr, eps: w + lr * g / (s + eps)),
        "Your RMSProp divides by squares in place of their root, and leads uphill.",
        "Two things at once: the root is missing, and the step is added where it should be taken off.",
        "Set the sign right first: which way must a weight with a positive slope go? Then look at the size of the first step.",
    ),
)

MISTAKES = (*_ADAGRAD, *_RMSPROP)
