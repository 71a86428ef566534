"""What goes wrong with dropout (exercise 09.3), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from companion.checks.bank import Mistake

Drop = Callable[[Tensor, Tensor, float, bool], Tensor]
Table = Callable[[Tensor, Tensor, float], Tensor]


def _stays(h: Tensor, u: Tensor, p: float) -> Tensor:
    return u >= p


def _enlarged(h: Tensor, stays: Tensor, p: float) -> Tensor:
    return torch.where(stays, h / (1 - p), 0.0) if p < 1 else 0 * h


def _as_it_is(h: Tensor, u: Tensor, p: float) -> Tensor:
    return h


def _kept(h: Tensor, stays: Tensor, p: float) -> Tensor:
    return torch.where(stays, h, 0.0)


def by(
    stays: Table = _stays,
    scaled: Table = _enlarged,
    evaluated: Table = _as_it_is,
) -> Drop:
    """Return dropout by other rules.

    Args:
        stays: which numbers stay, from h, u and p.
        scaled: what training makes of h, from h, those that stay, and p.
        evaluated: what evaluation makes of h, from h, u and p.
    """

    def drop(h: Tensor, u: Tensor, p: float, training: bool) -> Tensor:
        return scaled(h, stays(h, u, p), p) if training else evaluated(h, u, p)

    return drop


def _divided_by(divisor: Callable[[float], float]) -> Table:
    def scaled(h: Tensor, stays: Tensor, p: float) -> Tensor:
        return torch.where(stays, h / divisor(p), 0.0) if divisor(p) > 0 else 0 * h

    return scaled


def _right(h: Tensor, u: Tensor, p: float) -> Tensor:
    return _enlarged(h, u >= p, p)


def _by_row(h: Tensor, u: Tensor, p: float) -> Tensor:
    return (u[(slice(None), *[slice(0, 1)] * (u.dim() - 1))] >= p).expand_as(h)


def _by_the_count(h: Tensor, stays: Tensor, p: float) -> Tensor:
    return torch.where(stays, h / stays.to(h.dtype).mean().clamp(min=1e-6), 0.0)


def _to_the_old_sum(h: Tensor, stays: Tensor, p: float) -> Tensor:
    """Scale by what was there and what is left."""
    kept = torch.where(stays, h, 0.0)
    left = kept.sum()
    return kept * (h.sum() / left) if bool(left != 0) else kept


def _into_h(dropped: Callable[[Tensor, float], Tensor]) -> Drop:
    def drop(h: Tensor, u: Tensor, p: float, training: bool) -> Tensor:
        if not training:
            return h
        h[dropped(u, p)] = 0
        return h / (1 - p) if p < 1 else h

    return drop


def _by_rows_and_columns(h: Tensor, u: Tensor, p: float, training: bool) -> Tensor:
    if not training:
        return h
    out = torch.zeros_like(h)
    for i in range(h.shape[0]):
        for j in range(h.shape[1]):
            if u[i, j] >= p:
                out[i, j] = h[i, j] / (1 - p)
    return out


def _exchanged(drop: Drop) -> Drop:
    return lambda h, u, p, training: drop(h, u, p, not training)


def _no_graph(h: Tensor, stays: Tensor, p: float) -> Tensor:
    """Let the slope pass those that were dropped as well."""
    return h + (_enlarged(h, stays, p) - h).detach()


_WHO = (
    Mistake(
        "drops those that should stay",
        by(stays=lambda h, u, p: u < p),
        "In training, the numbers that should stay are 0 in your result, and those to be dropped have stayed.",
        "`u < p` is True with the probability p, and p is the probability to be dropped. Who stays is the opposite.",
        "Take p = 0.1. How many of ten numbers should be 0 afterwards, and how many are it with your mask?",
    ),
    Mistake(
        "takes p for the share that stays",
        by(stays=lambda h, u, p: u < p, scaled=_divided_by(lambda p: p)),
        "Your dropout keeps a share p and divides by it: it fits together, with p for the probability to stay.",
        "Some books and older programs call the share that is kept p. Here, as in PyTorch, p is the probability to be dropped.",
        "With p = 0.25, is a quarter of the units dropped, or three quarters? Put 1 - p for p in two places.",
    ),
    Mistake(
        "drops a number at exactly p",
        by(stays=lambda h, u, p: u > p),
        "Nearly all is right. A number whose `u` is exactly p is dropped, and should stay.",
        "Dropped is what lies below p. With p = 0 nobody may go, not even where u is 0, and a strict comparison drops there.",
        "Which sign stands in the formula of the task, and which in your code? Try p = 0 with a 0 in u.",
    ),
    Mistake(
        "drops at the upper end",
        by(stays=lambda h, u, p: u < 1 - p),
        "You drop a share p, and others than the task says: those whose `u` lies at the upper end, from 1 - p on.",
        "By chance alone nobody would notice. Here the lots are handed in, and dropped is what lies below p.",
        "With p = 0.25 and a u of 0.1: is this number dropped by the formula, and is it by your mask?",
    ),
    Mistake(
        "drops whole columns",
        by(stays=lambda h, u, p: (u[:1] >= p).expand_as(h)),
        "The same units are dropped for every example: the first row of `u` decides for all of them.",
        "Every number of h has a chance of its own, so that each example goes through another thinned network.",
        "Print the shape of your mask before it meets h. Has it as many rows as h?",
    ),
    Mistake(
        "drops whole rows",
        by(stays=_by_row),
        "Your result drops an example as a whole, or keeps it as a whole.",
        "One number of `u` decides for all units of its row. An example of which nothing is left tells the network nothing.",
        "Print the shape of your mask before it meets h. Has it as many columns as h?",
    ),
    Mistake(
        "asks whether u lies below one half",
        by(stays=lambda h, u, p: u >= 0.5),
        "Which numbers are dropped does not change with p in your result.",
        "With p = 0.5 the limits are the same, so that the usual example does not show it. The limit has to be p.",
        "Call your function with p = 0.1 and with p = 0.9. How many zeros should there be in each?",
    ),
    Mistake(
        "rounds u to a mask",
        by(stays=lambda h, u, p: (u - p).round() != 0),
        "Numbers stay whose `u` lies more than one half away from p, and others go.",
        "`round` turns to the next whole number, which is 0 for everything between -0.5 and 0.5. A mask is a comparison.",
        "Print your mask beside u and p for the example. For which numbers of u do the two questions differ?",
    ),
    Mistake(
        "multiplies by the drawn numbers",
        by(stays=lambda h, u, p: u, scaled=lambda h, u, p: h * u / (1 - p) if p < 1 else 0 * h),
        "Nothing is dropped in your result: each number is multiplied by its `u`.",
        "`u` is only the lot that is drawn. It decides about yes or no, and its size has no part in the result.",
        "What becomes of the lots in the formula: are they a factor, or are they compared with something?",
    ),
)

_SIZE = (
    Mistake(
        "leaves those that stay as they are",
        by(scaled=_kept),
        "You drop the right numbers. Those that stay are as large as before.",
        "With some units gone the sums become smaller than the next layer will see in evaluation. What stays has to make up for it.",
        "What is the mean of a unit of 3 over many steps, if it is 0 in a quarter of them and 3 in the others?",
    ),
    Mistake(
        "divides by p",
        by(scaled=_divided_by(lambda p: p)),
        "You drop the right numbers, and divide the others by p. With p = 0.1 they become ten times as large.",
        "The units that stay are a share of 1 - p. To make up for the others they are divided by their own share.",
        "With p = 0.1 nearly everybody stays. By how much should those be enlarged: a little, or a lot?",
    ),
    Mistake(
        "shrinks those that stay",
        by(scaled=lambda h, stays, p: torch.where(stays, h * (1 - p), 0.0)),
        "The numbers that stay come out smaller than they went in: they are multiplied by 1 - p.",
        "This factor belongs to the first form of dropout, and there to evaluation. In training a share is missing, so that the rest must grow.",
        "Some are 0 already. Must the others become larger or smaller, so that the mean stays?",
    ),
    Mistake(
        "scales twice",
        by(scaled=_divided_by(lambda p: (1 - p) ** 2)),
        "The numbers that stay are divided by 1 - p two times.",
        "Once is right: the mean is then what it was. A second time, in the mask and again in the result for example, makes it too large.",
        "Go through your lines with h = 3 and p = 0.25. After which of them is it 4, and what do the later ones do?",
    ),
    Mistake(
        "keeps the spread in place of the mean",
        by(scaled=_divided_by(lambda p: (1 - p) ** 0.5)),
        "The numbers that stay are divided by the root of 1 - p.",
        "The root keeps the mean of the squares. What the next layer adds up are the numbers themselves, so it is their mean that must stay.",
        "With p = 0.75, what must a 3 become in one case of four, so that the mean of the four is 3?",
    ),
    Mistake(
        "scales by the share that happened to stay",
        by(scaled=_by_the_count),
        "You divide by the share of numbers that stayed in this very draw, and not by 1 - p.",
        "In a large layer the two are nearly alike. In a small one the factor then hangs on luck, and on the neighbours in the batch.",
        "In the example four of six stay. Is the divisor 4/6, or 1 - p?",
    ),
    Mistake(
        "restores the sum of each draw",
        by(scaled=_to_the_old_sum),
        "You enlarge what stays so that the sum of all numbers is the same as before, in each single draw.",
        "The mean is kept over many draws, by one factor for all of them. Where numbers of both signs meet, a sum can even be near 0.",
        "Which number of the task does the factor depend on? Does yours change when one entry of h does?",
    ),
    Mistake(
        "divides by 0 when everything is dropped",
        by(scaled=lambda h, stays, p: h * stays / (torch.tensor(1.0, dtype=h.dtype) - p)),
        "With p = 1 your result is nan. All other cases are right.",
        "Nobody stays, so 1 - p is 0, and 0 divided by 0 has no value. The result should be 0 everywhere.",
        "Before which line can you ask whether anybody stays at all, and what is returned if not?",
    ),
)

_WHEN = (
    Mistake(
        "drops in evaluation",
        by(evaluated=_right),
        "With `training` False your result is the same as with True: units are dropped while the network is used.",
        "The answers then change by chance. In a program this is a `dropout` that is called without its flag, or a forgotten `model.eval()`.",
        "In which line does your function ask for `training`?",
    ),
    Mistake(
        "drops in evaluation alone",
        _exchanged(by()),
        "Training and evaluation are exchanged: you drop with `training` False, and do nothing with True.",
        "The `if` asks the wrong way round, or a `not` is there once too often.",
        "What does your function return for `training=True`? Read the `if` aloud.",
    ),
    Mistake(
        "shrinks in evaluation as well",
        by(evaluated=lambda h, u, p: h * (1 - p)),
        "Training is right. In evaluation you multiply by 1 - p.",
        "That belongs to the first form of dropout, which enlarges nothing in training. Whoever does both makes the sums too small.",
        "After your training step, what is the mean of a unit of 3? What is left to correct in evaluation?",
    ),
    Mistake(
        "shrinks in evaluation in place of enlarging in training",
        by(scaled=_kept, evaluated=lambda h, u, p: h * (1 - p)),
        "Your two halves fit each other: nothing is enlarged in training, and evaluation multiplies by 1 - p.",
        "This is how dropout was first published. Asked for is the inverted form, in which whoever uses the network need not know of it.",
        "In which of the two modes does the task change the sizes? Move the factor there, and turn it round.",
    ),
    Mistake(
        "enlarges in evaluation",
        by(evaluated=lambda h, u, p: h / (1 - p) if p < 1 else 0 * h),
        "Training is right. In evaluation nothing is dropped, and still everything is divided by 1 - p.",
        "The division makes up for units that are missing. In evaluation none is.",
        "Does the line with 1 - p stand inside of the `if` for training, or behind it?",
    ),
    Mistake(
        "returns zeros in evaluation",
        by(evaluated=lambda h, u, p: 0 * h),
        "In evaluation your result is 0 everywhere.",
        "It looks as if everything were dropped there. Evaluation hands h on as it came: the whole team is present.",
        "Which value stands behind the `return` for `training=False`?",
    ),
    Mistake(
        "lets slopes pass where numbers were dropped",
        by(scaled=_no_graph),
        "Your values are right. The slope by h is 1 everywhere, also where a number was dropped.",
        "A part of the computation is hidden from autograd. A dropped unit has no say in the loss, so that no slope may reach it.",
        "Which line of yours uses `detach`, `data` or `no_grad`? What should the slope be: 0, or 1/(1 - p)?",
    ),
    Mistake(
        "writes into h",
        _into_h(lambda u, p: u < p),
        "Your numbers are right, and the caller's own h has been changed on the way.",
        "`h[...] = 0`, `h *= ...` and names that end in _ write into what came in. The step back still needs the old numbers.",
        "Make a new tensor, by `torch.where`, by a product with the mask, or on a `h.clone()`.",
    ),
    Mistake(
        "writes into h, and drops a number at exactly p",
        _into_h(lambda u, p: u <= p),
        "The caller's own h has been changed, and a number whose `u` is exactly p is dropped as well.",
        "Two things at once: `h[...] = 0` writes into what came in, and `<=` takes one number more than `<`.",
        "Make a new tensor first, by `torch.where` or on a `h.clone()`. Then compare the sign with the formula.",
    ),
    Mistake(
        "knows rows and columns only",
        _by_rows_and_columns,
        "With a table your result is right. With images your code stops: it goes through two axes, and these have four.",
        "`h[i, j]` is a single number in a table. With more axes it is a tensor, of which `if` cannot ask whether it is true.",
        "Which operations of torch work on all entries at once, whatever the shape is? A comparison is one of them.",
        best="images",
    ),
    Mistake(
        "leaves those that stay as they are, and drops in evaluation",
        by(scaled=_kept, evaluated=lambda h, u, p: _kept(h, u >= p, p)),
        "Units are dropped in training and in evaluation alike, and nothing makes up for them.",
        "Two things at once: the mask does not ask for the mode, and the factor is missing.",
        "Begin with the flag: what should come out if `training` is False? Then look at the mean of a unit in training.",
    ),
)

MISTAKES = (*_WHO, *_SIZE, *_WHEN)
