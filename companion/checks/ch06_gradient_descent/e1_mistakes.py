"""What goes wrong with one step of gradient descent (exercise 06.1), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case

Tensors = list[Tensor]
Step = Callable[[Tensors, Tensors, float], Tensors]


def _each(new: Callable[[Tensor, Tensor, float], Tensor]) -> Step:
    """Return a step by another rule, a function of a tensor of weights, its slopes and the rate."""
    return lambda weights, slopes, lr: [new(w, g, lr) for w, g in zip(weights, slopes)]


def _in_place(weights: Tensors, slopes: Tensors, lr: float) -> Tensors:
    for w, g in zip(weights, slopes):
        w -= lr * g
    return weights


def _scales_in_place(weights: Tensors, slopes: Tensors, lr: float) -> Tensors:
    for g in slopes:
        g *= lr
    return [w - g for w, g in zip(weights, slopes)]


def _uphill_in_place(weights: Tensors, slopes: Tensors, lr: float) -> Tensors:
    for w, g in zip(weights, slopes):
        w += lr * g
    return weights


def _in_pairs(weights: Tensors, slopes: Tensors, lr: float) -> Tensors:
    whole = len(weights) // 2 * 2
    return [w - lr * g for w, g in zip(weights[:whole], slopes[:whole])]


def _first_only(weights: Tensors, slopes: Tensors, lr: float) -> Tensors:
    return [weights[0] - lr * slopes[0], *weights[1:]]


def _drops_the_others(weights: Tensors, slopes: Tensors, lr: float) -> Tensors:
    for w, g in zip(weights, slopes):
        return [w - lr * g]
    return []


def _in_all(slopes: Tensors) -> Tensor:
    return torch.stack([g.square().sum() for g in slopes]).sum().sqrt()


def _divided_by(
    *lengths: Callable[[Tensor, Tensors], Tensor],
) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    """Recognise steps along slopes that are divided by one of these lengths, of a tensor's slopes and of all.

    Where a slope is 0 the length may be, too: then 0 / 0 gives nan, and whoever adds a little to the length gets 0.
    """

    def moved(case: Case, observed: Observed, length: Callable[[Tensor, Tensors], Tensor]) -> bool:
        weights, slopes, lr = case.args.values()
        if {n: t.shape for n, t in observed.items()} != {str(n): w.shape for n, w in enumerate(weights, 1)}:
            return False
        for new, w, g in zip(observed.values(), weights, slopes):
            due = torch.where(g == 0, w, w - lr * g / length(g, slopes))
            if not bool((torch.isclose(new, due, rtol=1e-4, atol=1e-5) | (new.isnan() & (g == 0))).all()):
                return False
        return True

    return lambda cases, observed: any(all(moved(c, o, length) for c, o in zip(cases, observed)) for length in lengths)


_RULE = (
    Mistake(
        "goes uphill",
        _each(lambda w, g, lr: w + lr * g),
        "Your steps have the right length and lead the wrong way: with them the loss grows.",
        "The slope says in which direction the loss grows. To make it smaller, a weight has to go the other way.",
        "Take a weight whose slope is positive. Must it become larger or smaller for the loss to fall?",
    ),
    Mistake(
        "forgets the rate",
        _each(lambda w, g, lr: w - g),
        "Your result is the same for every `lr`: the whole slope is taken off.",
        "A slope says how steep it is, and not how far to go. The rate turns the one into the other.",
        "Call your function with `lr=0.1` and with `lr=0.2`. By how many times should the second step be longer?",
    ),
    Mistake(
        "divides by the rate",
        _each(lambda w, g, lr: w - g / lr),
        "A small rate gives you long steps, and a large rate short ones.",
        "You divide by the rate where the rule multiplies. A rate of 0.1 should give a tenth of the slope, and not ten times it.",
        "What should be left of a step when the rate goes to 0? What does your code make of it?",
    ),
    Mistake(
        "multiplies the weights by the rate as well",
        _each(lambda w, g, lr: lr * (w - g)),
        "Even where the slope is 0 your weights change: each becomes `lr` times what it was.",
        "The rate stands before the difference, where it belongs to the slope alone. Brackets make it reach the weight, too.",
        "Put a slope of 0 into your line. Which weight should come out, and which one does?",
    ),
    Mistake(
        "makes the step relative to the weight",
        _each(lambda w, g, lr: w - lr * g * w),
        "Your step grows with the weight itself, and a weight of 1 alone is moved as it should be.",
        "The weight stands in the product a second time. The rule moves a weight of 100 as far as one of 1, if their slopes agree.",
        "How far does your code move a weight of exactly 0, and how far should it?",
    ),
    Mistake(
        "returns the steps and not the weights",
        _each(lambda w, g, lr: -lr * g),
        "What you return does not depend on the weights: it is by how much they should change.",
        "A step is a change. The new place is the old one plus the change, and the old one is missing in your result.",
        "Where stands `w` in your line? Compare the example: 4 goes to 3.4, and not to -0.6.",
    ),
)

_LENGTH = (
    Mistake(
        "makes every slope equally long",
        _each(lambda w, g, lr: w - lr * g / g.norm().clamp(min=1e-12)),
        "Each of your tensors moves by exactly `lr`, however steep it is there.",
        "The slopes were divided by their length. In the chapter's rule a step is long where it is steep, and short near the bottom.",
        "Double all slopes of the example. Should the step stay as it is? Look at what your code does with the length of `g`.",
        matches=_divided_by(lambda g, slopes: g.norm()),
    ),
    Mistake(
        "divides by the length of all slopes together",
        lambda weights, slopes, lr: [w - lr * g / _in_all(slopes) for w, g in zip(weights, slopes)],
        "All your weights together move by exactly `lr`, however steep it is there.",
        "You divide by one length that is taken over all slopes. That keeps the direction, and throws away how steep it is.",
        "Double all slopes of the example. By how many times should the step grow, and by how many times does yours?",
        matches=_divided_by(lambda g, slopes: _in_all(slopes)),
    ),
    Mistake(
        "makes the slopes of every row equally long",
        _each(lambda w, g, lr: w - lr * torch.nn.functional.normalize(g, dim=-1) if g.dim() else w - lr * g.sign()),
        "Each row of your tables moves by exactly `lr`, however steep it is there.",
        "The slopes were divided by their length, row by row. In the chapter's rule nothing is divided: steep rows take longer steps.",
        "Look at two rows of one table, and double the slopes of the second. By how much should each of them move then?",
        matches=_divided_by(lambda g, slopes: g.norm(dim=-1, keepdim=True) if g.dim() else g.abs()),
    ),
    Mistake(
        "follows the sign of the slope alone",
        _each(lambda w, g, lr: w - lr * g.sign()),
        "Every one of your weights moves by the same amount, `lr`, up or down.",
        "Only the sign of the slope is left. So a steep direction and a flat one get the same step, and the direction of the whole "
        "is another one.",
        "In the example the first tensor has the slopes 4 and 10. How should their two steps stand to one another?",
        matches=_divided_by(lambda g, slopes: g.abs()),
    ),
    Mistake(
        "divides by the number of weights",
        _each(lambda w, g, lr: w - lr * g / g.numel()),
        "Your steps are too short, and the more numbers a tensor holds the shorter they are.",
        "Each slope is divided by how many weights there are. A mean over the examples is in the slopes already, and over weights "
        "no mean is taken.",
        "Does the step of one weight depend on how many others there are? Read the formula for a single weight.",
    ),
    Mistake(
        "takes the mean of the slopes",
        _each(lambda w, g, lr: w - lr * g.mean()),
        "All weights of a tensor move by the same amount in your result.",
        "The slopes of a tensor were averaged into one number. Each weight has a slope of its own, which stands at its place.",
        "Print `lr * g` for the first tensor of the example: how many numbers are there, and how many do you take off?",
    ),
)

_LIST = (
    Mistake(
        "writes into the lists that came in",
        _in_place,
        "The numbers you return are right, and the caller's own weights are changed with them.",
        "`w -= ...`, `w.sub_(...)` and `weights[k] = ...` write into what came in. Whoever called you still needs the old place, "
        "for instance to try another rate.",
        "Which line changes something that you did not make? Write `w - ...` there, and put the result into a new list.",
    ),
    Mistake(
        "writes into the slopes",
        _scales_in_place,
        "The numbers you return are right, and the caller's own slopes are changed with them.",
        "`g *= lr`, `g.mul_(lr)` and `slopes[k] = ...` write into what came in. Whoever called you needs the slopes again, for "
        "instance to try another rate with them.",
        "Print `slopes` before and after a call. Which line of yours gives them other numbers? Write `lr * g` there: that is new.",
    ),
    Mistake(
        "goes through the list in pairs",
        _in_pairs,
        "With an even number of tensors you are right. With an odd number the last one is missing.",
        "You take a table and its biases at a time, and `len(weights) // 2` forgets a tensor that has no partner. The rule is the "
        "same for every tensor, whatever it belongs to.",
        "How many rounds does your loop make for a list of one tensor, and how many for a list of three?",
    ),
    Mistake(
        "moves the first tensor only",
        _first_only,
        "Your first tensor is right. All others come back as they were.",
        "The step is taken for `weights[0]` alone. Tables and biases of all layers move in the same step.",
        "How many tensors has the list, and how often does your line with the slope run?",
    ),
    Mistake(
        "returns after the first tensor",
        _drops_the_others,
        "Your list has one tensor, however many there are in `weights`.",
        "A `return` inside the loop ends the function in its first round. The other tensors are never reached.",
        "How far to the right does your `return` stand? It should run when the loop is over.",
    ),
    Mistake(
        "goes uphill, and forgets the rate",
        _each(lambda w, g, lr: w + g),
        "You add the whole slope to each weight: the way leads uphill, and `lr` has no say.",
        "Two things at once: the sign makes the loss grow, and without the rate a step is as long as the slope is steep.",
        "Read the formula from left to right and compare it sign by sign with your line. Which two signs differ?",
    ),
    Mistake(
        "goes uphill, and writes into the lists that came in",
        _uphill_in_place,
        "Your steps lead the wrong way, and the caller's own weights are changed with them.",
        "Two things at once: the slope is added, so that the loss grows, and `w += ...` or `weights[k] = ...` writes into what came "
        "in.",
        "Begin a new list, and put one new tensor into it in each round. Then ask which way a weight with a positive slope must go.",
    ),
    Mistake(
        "forgets the rate, and moves the first tensor only",
        lambda weights, slopes, lr: [weights[0] - slopes[0], *weights[1:]],
        "The first tensor loses its whole slope, and all others come back as they were.",
        "Two things at once: the rate is not in your line, and the line runs for `weights[0]` alone.",
        "Set the first tensor right with the example: 4 goes to 3.4. Then let the same line run for each pair of the two lists.",
    ),
)

MISTAKES = (*_RULE, *_LENGTH, *_LIST)
