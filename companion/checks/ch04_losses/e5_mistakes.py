"""What goes wrong with a weighted loss (exercise 04.5), and what to say about it. Each answer has the name of its function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.ch04_losses.cut_off import cut_off
from companion.checks.ch04_losses.e5_counting import WEIGHTS
from companion.checks.ch04_losses.logarithms import Logs, log_of_softmax, log_shares, overflow
from companion.checks.levels import close
from companion.checks.trace import Case


def _picked(logs: Tensor, labels: Tensor) -> Tensor:
    return logs[torch.arange(len(labels)), labels]


Divide = Callable[[Tensor, Tensor], Any]
"""From the weights of the examples (N,) and those of the classes (C,) to what the sum is divided by."""


def _loss(
    *,
    logs: Logs = log_shares,
    divide: Divide = lambda each, weights: each.sum(),
    chosen: Callable[[Tensor, Tensor], Tensor] = lambda logits, labels: labels,
    sign: int = -1,
) -> Any:
    """Return weighted_cross_entropy with another step in one of its places."""

    def weighted_cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
        each = weights[chosen(logits, labels)]
        return sign * (each * _picked(logs(logits), labels)).sum() / divide(each, weights)

    return weighted_cross_entropy


def _other_losses() -> tuple[Any, ...]:
    """Return losses that differ in more than one step; all have the name that the task gives."""

    def all_pairs() -> Any:
        def weighted_cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
            each = weights[labels]
            return -(each * log_shares(logits)[:, labels]).sum() / each.sum()

        return weighted_cross_entropy

    def weighted_logits() -> Any:
        def weighted_cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
            return -_picked(log_shares(weights * logits), labels).mean()

        return weighted_cross_entropy

    def unweighted() -> Any:
        def weighted_cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
            return -_picked(log_shares(logits), labels).mean()

        return weighted_cross_entropy

    def by_place() -> Any:
        def weighted_cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
            return -(weights * _picked(log_shares(logits), labels)).sum() / weights.sum()

        return weighted_cross_entropy

    def for_each() -> Any:
        def weighted_cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
            return -weights[labels] * _picked(log_shares(logits), labels)

        return weighted_cross_entropy

    return all_pairs(), weighted_logits(), unweighted(), by_place(), for_each()


_ALL_PAIRS, _WEIGHTED_LOGITS, _UNWEIGHTED, _BY_PLACE, _FOR_EACH = _other_losses()


def _has_weighted_logits(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise weights in the logits, whether the losses are then averaged, divided by the weights or weighed again."""
    found = []
    for case, o in zip(cases, observed):
        if case.function != "weighted_cross_entropy":
            continue
        came, (logits, labels, weights) = o.get("out"), case.args.values()
        if came is None or came.dim():
            return False
        losses, each = -_picked(log_shares(weights * logits), labels), weights[labels]
        ways = losses.mean(), losses.sum() / each.sum(), (each * losses).sum() / each.sum(), losses.sum()
        found.append([close(came, way, 1e-4) for way in ways])
    return bool(found) and any(all(way) for way in zip(*found))


_FORMULA = (
    Mistake(
        "divides by the number of examples",
        _loss(divide=lambda each, weights: len(each)),
        "Your loss is the weighted sum, divided by N. With weights of 1 it would be right.",
        "If all weights are doubled your loss doubles too. A weighted mean divides by the weights that it has given out.",
        "What stands below the line of the formula? For the example that is 4, and there are two rows.",
    ),
    Mistake(
        "divides by the sum over the classes",
        _loss(divide=lambda each, weights: weights.sum()),
        "Each class is counted once in what you divide by, also one that no example of the batch belongs to.",
        "`weights.sum()` runs over the classes. The formula's sum runs over the examples: each of them brings the weight "
        "of its own class.",
        "For the example the two sums are 4.5 and 4. Which of them is below the line, and over which letter does it run?",
    ),
    Mistake(
        "counts each class once in what it divides by",
        _loss(divide=lambda each, weights: each.unique().sum()),
        "Where each class comes once your loss is right. Where a class comes twice it is too large.",
        "You divide by the weights of the classes that occur, each of them once. The formula's sum runs over the examples: "
        "two of one class bring its weight twice.",
        "Write every row of the example twice. Does what stands below the line double, as what stands above it does?",
    ),
    Mistake(
        "does not divide",
        _loss(divide=lambda each, weights: 1),
        "Your loss grows with the number of examples and with the weights: it is a sum.",
        "The weighted losses are added up, and the line of the formula below them is missing.",
        "Write every row of the example twice. Should the loss change?",
    ),
    Mistake(
        "takes the weight of the class with the largest logit",
        _loss(chosen=lambda logits, labels: logits.argmax(dim=1)),
        "Rows that are answered rightly have the right weight; where the largest logit is wrong, another weight is taken.",
        "You ask the model which class a row belongs to. An example of the rare class that the model misses is then weighed "
        "as a common one: the very case that the weights are for.",
        "Which class does the index of the formula's weight name, the one that is right or the one that is predicted?",
    ),
    Mistake(
        "multiplies the logits by the weights",
        _WEIGHTED_LOGITS,
        "Your weights change the shares of the model, and all examples count the same.",
        "A weight says how much an example counts. Multiplied into the logits it makes the model surer or less sure of a "
        "class, which is another thing.",
        "At which point of the formula does the weight come in, before the logarithm or after it?",
        matches=_has_weighted_logits,
    ),
    Mistake(
        "does not weigh",
        _UNWEIGHTED,
        "Your loss does not change with the weights: it is the plain mean.",
        "`weights` is never used, or used in a way that cancels.",
        "Give class 1 of the example the weight 0. What is left of the formula, and what does your function return?",
    ),
    Mistake(
        "gives each row the weight of its place",
        _BY_PLACE,
        "The weights (C,) meet the losses (N,) as they are: it stops, or the first row gets the first class's weight.",
        "There is one weight for each class and one loss for each example. They fit by chance if there are as many rows as "
        "classes, or one.",
        "Write the shape of both factors. How do you get from a label to the weight of its class?",
    ),
    Mistake(
        "takes all labels for every row",
        _ALL_PAIRS,
        "Each row is compared with the labels of all rows; with a single row your result is right.",
        "`logs[:, labels]` takes all rows, and from each of them the columns of all labels: a table of N rows and N "
        "columns.",
        "Print the shape of what you pick, for two rows. How many numbers should that be?",
    ),
    Mistake(
        "takes the softmax and then its logarithm",
        _loss(logs=log_of_softmax),
        "Small logits come out right. With logits of 1000 and -1000 your loss is inf or nan, or its gradient is.",
        "A share far below the others is rounded to exactly 0, and the logarithm of 0 is -inf.",
        "On paper the logarithm cancels the exponential of the softmax. Which function goes from logits to logarithms in "
        "one step?",
    ),
    overflow(lambda logs: _loss(logs=logs)),
    Mistake(
        "keeps the logarithm from 0 by a small number",
        _loss(logs=lambda z: (torch.softmax(z, dim=1) + 1e-7).log()),
        "Small logits come out right. With large ones your loss stays much too small, and its gradient is 0.",
        "A number is added to the shares, or shares or logits are cut off, so that the logarithm stays finite. Behind that "
        "point it makes no difference any more how wrong the model is.",
        "The chapter has a belief to break about a tiny number inside the logarithm. Which form needs no such help?",
        matches=cut_off(_loss(), "weighted_cross_entropy"),
    ),
    Mistake(
        "shares along the batch",
        _loss(logs=lambda z: torch.log_softmax(z, dim=0)),
        "With a single row your loss is 0; with more rows the columns of your shares add up to 1.",
        "The softmax runs down the batch, so that the examples compete for a class, where the classes of one example "
        "should.",
        "Write the shape of the logits with a name for each axis. Along which of them do the shares add up to 1?",
    ),
    Mistake(
        "takes the logits as they are",
        _loss(logs=lambda z: z),
        "Your result can be negative: it is a weighted mean of the logits of the right classes, with a minus.",
        "The formula has the logarithms of shares. The shares of a row add up to 1, so one class can gain only what others "
        "lose; logits can all grow together.",
        "Add 5 to all logits of the example. No share changes by that. Does your loss?",
    ),
    Mistake(
        "forgets the minus",
        _loss(sign=1),
        "Your result is the loss with the wrong sign: it is never above 0.",
        "Logarithms of shares are negative or 0. Without the minus a training that makes the result small makes the model "
        "worse.",
        "Which sign has the logarithm of a share, and which sign should a cost have?",
    ),
    Mistake(
        "returns a loss for each example",
        _FOR_EACH,
        "Each entry of your result is the weighted loss of one example. One number is asked for.",
        "The two sums of the formula are missing, the one above the line and the one below it.",
        "Print the shape of your result. What does the formula do with the N products?",
    ),
    Mistake(
        "divides by the number of examples, and takes the softmax and then its logarithm",
        _loss(logs=log_of_softmax, divide=lambda each, weights: len(each)),
        "With large logits your loss is inf or nan; and with small ones it is the weighted sum, divided by N.",
        "A share that is rounded to 0 has the logarithm -inf. And a weighted mean divides by the weights that it has given "
        "out.",
        "Mend the division first, with the example: what is below the line? Then look for a logarithm without a softmax "
        "before it.",
    ),
)

MISTAKES = (*WEIGHTS, *_FORMULA)
