"""What goes wrong when classes are counted and weighed (exercise 04.5), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.levels import close
from companion.checks.trace import Case

Weigh = Callable[[Tensor, int], Tensor]
"""From the counts (C,), as float32, and the number of examples to weights."""


def _weights(weigh: Weigh, *, all_classes: bool = True) -> Any:
    """Return class_weights with another formula for the counts."""

    def class_weights(labels: Tensor, classes: int) -> Tensor:
        counts = torch.bincount(labels, minlength=classes if all_classes else 0)
        return weigh(counts.float(), len(labels))

    return class_weights


def _or_0(counts: Tensor, weights: Tensor) -> Tensor:
    return torch.where(counts > 0, weights, 0.0)


def _as_asked(n: Tensor, total: int) -> Tensor:
    return _or_0(n, total / (len(n) * n))


def _adding_up_to_1(n: Tensor, total: int) -> Tensor:
    return _as_asked(n, total) / _as_asked(n, total).sum()


def _for_each_example() -> Any:
    def class_weights(labels: Tensor, classes: int) -> Tensor:
        return _as_asked(torch.bincount(labels, minlength=classes).float(), len(labels))[labels]

    return class_weights


def _for_those_it_meets() -> Any:
    def class_weights(labels: Tensor, classes: int) -> Tensor:
        n = labels.unique(return_counts=True)[1].float()
        return len(labels) / (len(n) * n)

    return class_weights


def _along_the_other_axis() -> Any:
    def class_weights(labels: Tensor, classes: int) -> Tensor:
        n = torch.nn.functional.one_hot(labels, classes).sum(dim=1)
        return len(labels) / (classes * n)

    return class_weights


def _gives_to_the_missing(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise weights that are right but for classes that are not there, which get a finite one."""
    missing = 0
    for case, o in zip(cases, observed):
        if case.function != "class_weights":
            continue
        counts = torch.bincount(case.args["labels"], minlength=case.args["classes"]).float()
        due, came = _as_asked(counts, len(case.args["labels"])), o.get("out")
        there = counts > 0
        if came is None or came.shape != due.shape or not close(came[there], due[there], 1e-4):
            return False
        if not bool((came[~there].isfinite() & (came[~there] > 0)).all()):
            return False
        missing += int((~there).sum())
    return missing > 0


WEIGHTS = (
    Mistake(
        "gives a common class the larger weight",
        _weights(lambda n, total: n / total),
        "The class with the most examples has the largest weight in your result.",
        "You return the shares of the classes. The common class is then heard twice: by its many examples, and by its "
        "weight.",
        "Which class of the example should count more, the one with three examples or the one with one? Where does the "
        "count stand in the formula?",
    ),
    Mistake(
        "takes what a share lacks to 1",
        _weights(lambda n, total: 1 - n / total),
        "No weight of yours is above 1, and a class that is not there has the largest.",
        "1 minus the share of a class is larger for a rare one, but hardly: a class of 1 % gets 0.99 and one of 10 % gets "
        "0.9, where the formula has a factor of ten between them.",
        "Twice as many examples should halve the weight. Which operation does that, a difference or a quotient?",
    ),
    Mistake(
        "makes the weight of a missing class infinite",
        _weights(lambda n, total: total / (len(n) * n)),
        "Classes that are there have the right weights; one that is not there has the weight inf.",
        "Its count is 0, and a division of tensors by 0 gives inf without a word. Later inf times 0 becomes nan, and the "
        "loss with it.",
        "What does the task say about a class without examples? Look for a function that chooses entry by entry.",
    ),
    Mistake(
        "treats a missing class as if it had an example",
        _weights(lambda n, total: total / (len(n) * n.clamp(min=1))),
        "Nothing is infinite; but a class that is not there has got the largest weight of all.",
        "A count of 0 was raised to 1, or something was added to it. That saves the division and claims an example that "
        "nobody has seen.",
        "What should stand in the last entry of the example? At which point do you still know that its count was 0?",
        matches=_gives_to_the_missing,
    ),
    Mistake(
        "adds one to every count",
        _weights(lambda n, total: total / (len(n) * (n + 1))),
        "All of your weights are too small, those of rare classes most; and a class that is not there has one too.",
        "You add 1 to each count, so that no division by 0 happens. A class with one example is then weighed as if it had "
        "two.",
        "Only one of the counts of the example needs care. How can the others stay as they are?",
    ),
    Mistake(
        "leaves out the last classes if they are missing",
        _weights(_as_asked, all_classes=False),
        "Your result is too short: it ends with the largest label that occurs.",
        "The count goes as far as the labels do. Whether there are more classes cannot be seen in them; that is why "
        "`classes` is handed over. The division by C is too small as well.",
        "Print the counts of the example. How many are there, and how can you ask for as many as there are classes?",
    ),
    Mistake(
        "gives weights to those classes only that it meets",
        _for_those_it_meets(),
        "Where a class is missing your result is too short: it has an entry for each class that occurs.",
        "`unique` returns the classes that are there, and nothing for the others. So weights move to a wrong place, and C "
        "is too small where you divide by their number.",
        "Print what you count for the example, and beside it the numbers of the classes. Which entry should be there too?",
    ),
    Mistake(
        "forgets the number of classes",
        _weights(lambda n, total: _or_0(n, total / n)),
        "Each of your weights is too large, by the number of classes.",
        "You divide N by the count. With C in the formula the weight of a class is 1 if it has exactly its fair part of "
        "the examples.",
        "Take four labels, two of each of two classes. Which weights should balanced classes have, and which have yours?",
    ),
    Mistake(
        "takes one over the count",
        _weights(lambda n, total: _or_0(n, 1 / n)),
        "Your weights stand to each other as they should, and are far below 1: more examples make all of them smaller.",
        "N and C are missing. The ratios are right, but a loss that is not divided by the weights would shrink with the "
        "data.",
        "Write every label of the example twice. Do your weights change, and do those of the formula?",
    ),
    Mistake(
        "makes the weights add up to 1",
        _weights(_adding_up_to_1),
        "Your weights stand to each other as they should, and add up to 1.",
        "They were divided by their sum. That is a way to scale them too, and not that of the task.",
        "Compare with the weights of the example. Which step of yours is not in the formula?",
    ),
    Mistake(
        "takes the root",
        _weights(lambda n, total: _or_0(n, (total / (len(n) * n)).sqrt())),
        "Your weights lie nearer to 1 than they should: large ones are too small and small ones too large.",
        "Each of them is the square root of the right one. Some do that on purpose, to make the weights milder; the task "
        "does not.",
        "A class with a ninth of the others' examples: how many times their weight should it get, and how many does yours?",
    ),
    Mistake(
        "measures against the most common class",
        _weights(lambda n, total: _or_0(n, n.max() / n)),
        "The most common class has the weight 1 in your result, and all others more.",
        "You divide the largest count by the counts. The ratios are right. The task measures against N / C, the count that "
        "each class would have if all were equal.",
        "Work out N / C for the example. Which count do you divide by the others instead?",
    ),
    Mistake(
        "counts only the classes that are there",
        _weights(lambda n, total: _or_0(n, total / (int((n > 0).sum()) * n))),
        "Where all classes are there your weights are right; where one is missing all others are too large.",
        "C in your formula is the number of classes that occur. The task means `classes`, however many of them are there.",
        "What is C in the example, and by what do you divide there?",
    ),
    Mistake(
        "returns a weight for each example",
        _for_each_example(),
        "Your result has as many entries as there are labels; one for each class is asked for.",
        "You have looked up the weight of each label already. That is the next function's work, which gets one weight for "
        "each class.",
        "Which shape does the task give for the result? Look at your last step.",
    ),
    Mistake(
        "makes the weight of a missing class infinite, and forgets the number of classes",
        _weights(lambda n, total: total / n),
        "A class that is not there has the weight inf, and all the others are too large by the number of classes.",
        "The count 0 stands in the denominator, and C does not.",
        "Do the first weight of the example on paper, then the last one. Which of the two is mended by a factor?",
    ),
    Mistake(
        "counts along the wrong axis",
        _along_the_other_axis(),
        "Your result has an entry for each example, and they are all the same.",
        "The one-hot rows were added up along the classes. Each row holds a single 1, so every sum is 1, and no class has "
        "been counted.",
        "Write the shape of the one-hot table with a name for each axis. Which of them should be left after the sum?",
    ),
)
