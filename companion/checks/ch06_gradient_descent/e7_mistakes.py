"""Ways to spend a budget of slopes (exercise 06.7), known mistakes, how they are recognised, and what to say about each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks import kinds
from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case

TARGET, EPOCHS, HIDDEN = 0.9, 4, 32
FEW_STEPS = 300
"""Below so many steps the batches are too large for this budget at most rates."""
ENOUGH = 150
"""From so many steps on the target can be reached with a high rate: with batches of 32 at 0.5 all three draws do."""
Slopes = Callable[[Tensor, Tensor], Tensor]
Train = Callable[[Tensor, Slopes, int, int], Tensor]


def by_steps(
    size: int,
    lr: float,
    *,
    falling: bool = False,
    order: Callable[[int], Tensor] = torch.randperm,
    part: float = 1.0,
) -> Train:
    """Return a plain gradient descent.

    Args:
        size: examples for a step.
        lr: the rate, or the first one where it falls.
        falling: whether the rate falls to 0 in a straight line.
        order: from the number of rows to the rows of an epoch.
        part: of the budget that is spent.
    """

    def train(w: Tensor, slopes: Slopes, n: int, budget: int) -> Tensor:
        whole = left = int(part * budget)
        while left:
            for rows in order(n).split(size):
                rows = rows[:left]
                if len(rows):
                    w = w - lr * (left / whole if falling else 1.0) * slopes(w, rows)
                left -= len(rows)
        return w

    return train


def _given_back(w: Tensor, slopes: Slopes, n: int, budget: int) -> Tensor:
    for _ in range(EPOCHS):
        new = w
        for rows in torch.randperm(n).split(4):
            new = new - 0.1 * slopes(new, rows)
    return w


def _from_the_start(w: Tensor, slopes: Slopes, n: int, budget: int) -> Tensor:
    new = w
    for _ in range(EPOCHS):
        for rows in torch.randperm(n).split(4):
            new = new - 0.1 * slopes(w, rows)
    return new


# -- how mistakes are recognised ----------------------------------------------------------------------


_misses = kinds.short_of(TARGET)


def _too_much(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise that more slopes were asked for than the budget allows, in any draw."""
    return any("spent" in o and o["spent"].item() > 1 for o in observed)


def _finite(o: Observed) -> bool:
    return bool(o["finite"])


def _stands_still(o: Observed) -> bool:
    return o["moved"].item() == 0


def _climbs(o: Observed) -> bool:
    return o["rate"].item() < 0


def _stale(o: Observed) -> bool:
    return _finite(o) and o["still"].item() > 0.9 and o["steps"].item() > 10


def _side_by_side(o: Observed) -> bool:
    return _finite(o) and o["beside"].item() > 0.45


def _the_same(o: Observed) -> bool:
    return _finite(o) and o["seen"].item() < 0.5 and o["spent"].item() > 0.5


def _unspent(o: Observed) -> bool:
    return _finite(o) and o["spent"].item() < 0.6


def _too_long(o: Observed) -> bool:
    return not _finite(o) or o["off"].item() >= 0.3 or o["loss"].item() > o["first loss"].item()


def _too_short(o: Observed) -> bool:
    return _finite(o) and 0.9 < o["ten times"].item() <= 1.0 and o["loss"].item() > 0.2


def _few(o: Observed) -> bool:
    """Return whether there were few steps, and it is not their shortness that should be told first."""
    tiny = o["steps"].item() >= ENOUGH and 0.98 < o["ten times"].item() <= 1.0
    return _finite(o) and o["steps"].item() < FEW_STEPS and not tiny


# -- what is said -------------------------------------------------------------------------------------

_BUDGET = (
    Mistake(
        "spends more than the budget",
        lambda w, slopes, n, budget: by_steps(4, 0.1)(w, slopes, n, 2 * budget),
        "You asked for the slopes of more examples than the budget allows. Each row that you hand to `slopes` counts as one.",
        "A row counts each time it is asked for, in a large batch as in a small one. Batches of 64 cost 64 a step.",
        "Count in your loop: `spent += len(rows)`. What does it hold at the end, and when should the loop stop?",
        matches=_too_much,
    ),
    Mistake(
        "returns the weights that came in",
        _given_back,
        "The weights that you return are those that you were given: not one of them has moved.",
        "The new weights were computed and not kept, or the old ones were returned. `w - lr * g` makes a new tensor and leaves w "
        "as it was.",
        "Which name holds the weights after a step, and which one do you return?",
        matches=_misses(_stands_still),
    ),
    Mistake(
        "goes uphill",
        by_steps(4, -0.01),
        "Your steps lead the way in which the slope points: the loss grows from step to step.",
        "The slope is added where it should be taken off. It points to where the loss becomes larger.",
        "Look at the sign before the rate in your line, and compare with the rule of the chapter.",
        matches=_misses(_climbs),
    ),
    Mistake(
        "asks about the start again and again",
        _from_the_start,
        "All slopes that you asked for belong to the same place: the weights that you hand to `slopes` never change.",
        "The step is taken with one name, and the slope is asked for with another. So every step follows a slope from the start.",
        "Which weights stand in your call of `slopes`, the first ones or the newest?",
        matches=_misses(_stale),
    ),
    Mistake(
        "looks at the same examples again and again",
        lambda w, slopes, n, budget: by_steps(4, 0.1)(w, slopes, n // 3, budget),
        "More than half of the examples were never looked at, although the budget has room for each of them.",
        "Some batch is always the first one, or row numbers are drawn from too small a range. What the others show is not learned.",
        "Gather all rows of an epoch with `torch.cat` and count the different ones. How many should there be?",
        matches=_misses(_the_same),
    ),
    Mistake(
        "leaves much of the budget",
        by_steps(4, 0.1, part=0.2),
        "A large part of your budget is left. More steps would have been possible, and the loss is still on its way down.",
        "The training ends before the budget does: an epoch costs n slopes, and the budget pays for several.",
        "How often does your loop over the epochs run, and how often could it? `budget // n` tells it.",
        matches=_misses(_unspent),
    ),
)

_WAY = (
    Mistake(
        "goes through the digits in order",
        by_steps(4, 0.1, order=torch.arange),
        "Your batches hold neighbours, and neighbours show the same digit. The network forgets each digit over the next ones.",
        "The rows are sorted. A batch of a single digit has a slope that says: answer this one, whatever the picture is.",
        "Which rows are in your first batch? Draw the order of all rows anew for each epoch, as in exercise 06.3.",
        matches=_misses(_side_by_side),
    ),
    Mistake(
        "takes steps that are too long",
        by_steps(1, 1.0),
        "Your steps are too long: hidden units were pushed so far that they are off for every picture, or the loss has run away.",
        "The slope of a few examples is noisy. A rate that is good for large batches throws the weights about with small ones. A sum "
        "in place of a mean does it as well.",
        "Divide your rate by ten and look again. Which rate is the largest at which the training still goes well?",
        matches=_misses(_too_long),
    ),
    Mistake(
        "spends the budget on few steps",
        by_steps(1347, 1.0),
        "Your budget went into few steps, each along the slope of many examples. The loss is far from its rest.",
        "Four times the batch costs four times as much, and halves the noise. Early on, many noisy steps lead farther than a few "
        "exact ones.",
        "How many steps does your batch leave for this budget? Try one of a quarter of its size, then look for its rate again.",
        matches=_misses(_few),
    ),
    Mistake(
        "takes steps that are too short",
        by_steps(4, 0.003),
        "Your steps are too short: at the end a step ten times as long would still go downhill.",
        "The way is right, and the budget is used up before the loss comes to rest. A low rate needs more steps than there are. "
        "A mean that is divided by the batch again is a low rate, too.",
        "Multiply your rate by three, as long as the training still goes well. What does the accuracy do?",
        matches=_misses(_too_short),
    ),
)

MISTAKES = (*_BUDGET, *_WAY)
