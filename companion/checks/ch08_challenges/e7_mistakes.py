"""What goes wrong with an evaluation (exercise 08.7), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case

Rows = Callable[[Tensor, Tensor], Tensor]
"""From the rows to train on, and those whose patient is trained on, to some rows."""
Evaluation = Callable[[Tensor, Tensor, Tensor, Tensor, int], Tensor]


def _train(train: Tensor, known: Tensor) -> Tensor:
    return train


def _held_out(train: Tensor, known: Tensor) -> Tensor:
    return ~known


def _all(train: Tensor, known: Tensor) -> Tensor:
    return torch.ones_like(train)


def _not_train(train: Tensor, known: Tensor) -> Tensor:
    return ~train


def _known(train: Tensor, known: Tensor) -> Tensor:
    return known


def evaluated(
    scaled: Rows | None = _train,
    chosen: Rows | None = _train,
    trained: Rows = _train,
    asked: Rows = _held_out,
    *,
    rank: Callable[[Tensor], Tensor] = torch.abs,
    raw: bool = False,
    by_themselves: Rows | None = None,
) -> Evaluation:
    """Return the evaluation with something learned from other rows.

    Args:
        scaled: from which rows mean and spread come; none: nothing is standardised.
        chosen: from which rows the choice of columns comes; none: all are kept.
        trained: among which rows the nearest is looked for.
        asked: which rows are answered.
        rank: from the difference of the classes to what is large in a column that is kept.
        raw: choose before anything is standardised.
        by_themselves: which rows are standardised with their own mean and spread.
    """

    def accuracy(X: Tensor, y: Tensor, patients: Tensor, train: Tensor, k: int) -> Tensor:
        known = torch.isin(patients, patients[train])
        first, kept = X, torch.arange(X.shape[1])
        if scaled is not None:
            S = X[scaled(train, known)]
            X = (X - S.mean(dim=0)) / S.std(dim=0)
        if by_themselves is not None:
            own = by_themselves(train, known)
            T = first[own]
            X = torch.where(own[:, None], (first - T.mean(dim=0)) / T.std(dim=0), X)
        if chosen is not None:
            use = chosen(train, known)
            C, c = (first if raw else X)[use], y[use]
            kept = rank(C[c == 1].mean(dim=0) - C[c == 0].mean(dim=0)).topk(k).indices
        A, a, now = X[trained(train, known)], y[trained(train, known)], asked(train, known)
        nearest = torch.cdist(X[now][:, kept], A[:, kept]).argmin(dim=1)
        return (a[nearest] == y[now]).double().mean()

    return accuracy


def _then(change: Callable[[Tensor], Tensor]) -> Evaluation:
    return lambda X, y, patients, train, k: change(evaluated()(X, y, patients, train, k))


def _without_their_patients(X: Tensor, y: Tensor, patients: Tensor, train: Tensor, k: int) -> Tensor:
    """Ask about all rows outside of train, and train on no row of their patients."""
    left = train & ~torch.isin(patients, patients[~train])
    if len(y[left].unique()) < 2:
        left = train
    return evaluated(
        trained=lambda t, known: left, scaled=lambda t, known: left, chosen=lambda t, known: left, asked=_not_train
    )(X, y, patients, train, k)


def _always_1(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    return all("out" in o and o["out"].item() == 1.0 for o in observed)


_LEAKS = (
    Mistake(
        "standardises with all rows",
        evaluated(scaled=_all),
        "Mean and spread of your columns come from all rows, held-out ones too.",
        "A held-out row helps to decide how long a step in each column is. With a sensor that scatters more in "
        "new rows this hides the trouble.",
        "Change a held-out row and print the standardised training rows. Should any of them move?",
        best="a sensor that was exchanged",
    ),
    Mistake(
        "selects columns with all rows",
        evaluated(chosen=_all),
        "On pure noise your accuracy is far above one half: the columns were chosen with the held-out rows.",
        "Among 400 columns of noise some fit all classes by luck. If the held-out rows take part in the choice, "
        "the luck includes them.",
        "Which rows does `apart` depend on? In use the classes of new patients are not there.",
        best="noise in 400 columns",
    ),
    Mistake(
        "selects columns with the held-out rows",
        evaluated(chosen=_held_out),
        "On pure noise your accuracy is far above one half: the columns were chosen by the rows that are asked about.",
        "The choice is part of what is learned. Chosen for the held-out rows, columns fit these, and no others.",
        "Which rows may be learned from, and which ones does your choice look at?",
        best="noise in 400 columns",
    ),
    Mistake(
        "leaves rows of the same patients on both sides",
        evaluated(asked=_not_train),
        "Where patients come again your accuracy is too high: you ask about patients of whom another row was trained on.",
        "Their rows are nearly alike, so the nearest row is one of their own and brings its class with it. That "
        "is recognition, not diagnosis.",
        "How many of the patients that you ask about occur in `patients[train]`? It should be none.",
        best="patients who come again",
    ),
    Mistake(
        "asks about the training rows too",
        evaluated(asked=lambda train, known: train | ~known),
        "Among the rows that you ask about are the training rows, and each of these is its own nearest row.",
        "They are answered right without exception, whatever the method is worth, and pull the mean up.",
        "Print how many rows your mean runs over, and how many of them are in `train`.",
    ),
    Mistake(
        "asks about all rows",
        evaluated(asked=_all),
        "Your mean runs over all N rows. Most of them are known: trained on, or of a patient who was trained on.",
        "A training row is its own nearest row. What remains to be measured are patients of whom the method has "
        "seen nothing.",
        "Which rows may be asked about? Write down for each of the seven rows of the example what it is used for.",
    ),
    Mistake(
        "finds each row itself",
        evaluated(asked=_train),
        "Your accuracy is 1 in every case, on pure noise too.",
        "The rows that are asked about are among those that are searched. The nearest row is then the row "
        "itself, at a distance of 0.",
        "Which rows stand on the left in `cdist`, and which on the right? They should have none in common.",
        matches=_always_1,
    ),
    Mistake(
        "hands in the evaluation as it was",
        evaluated(scaled=_all, chosen=_all, asked=_all),
        "This is the evaluation of the task, with all of its four leaks.",
        "Scale, choice of columns and the rows asked about all come from everything. What is held out has been seen before.",
        "Begin with the last line: which rows are asked about? Then go upwards, and ask of each number where it comes from.",
    ),
    Mistake(
        "standardises the held-out rows by themselves",
        evaluated(by_themselves=_held_out),
        "Your held-out rows are standardised with their own mean and spread.",
        "The answer for a patient then depends on who is asked about beside them, and a shift of all new rows is wiped away.",
        "What would your method do for one new patient alone? A single row has no spread.",
        best="a sensor that was exchanged",
    ),
    Mistake(
        "standardises all rows outside of the training by themselves",
        evaluated(by_themselves=_not_train),
        "The rows outside of `train` are standardised with a mean and a spread of their own.",
        "What is learned from the training rows has to be used as it is. In yours the answer for a patient depends on the rows beside them.",
        "With which mean and which spread would your method standardise one new patient who comes alone?",
        best="a sensor that was exchanged",
    ),
)

_SPLIT = (
    Mistake(
        "trains on other rows of known patients",
        evaluated(scaled=_known, chosen=_known, trained=_known),
        "Nothing leaks in yours, but you learn from rows that are not in `train`.",
        "You moved all rows of known patients into the training. That is a clean split, and another one than the task's.",
        "What does the task say about rows that are neither trained on nor held out?",
    ),
    Mistake(
        "takes patients out of the training",
        _without_their_patients,
        "You leave rows of `train` aside, and ask about patients who should drop out.",
        "A patient with rows on both sides can be cleared out on either of them. The task keeps all rows of `train`.",
        "Which of the two is to stay whole: the rows to train on, or the rows outside of them?",
    ),
)

_METHOD = (
    Mistake(
        "forgets to standardise",
        evaluated(scaled=None),
        "No leak is left, but the method is another one: nothing is standardised.",
        "A column in large units then decides both which columns are kept and which row is nearest.",
        "Which statistics may be used to standardise? Leaving the step out is no way to mend it.",
    ),
    Mistake(
        "selects columns before it standardises",
        evaluated(raw=True),
        "The columns that you keep are those with the largest units.",
        "The difference of the classes is taken in the units of each column. The method compares it after standardising.",
        "Print `kept` for a table in which one column is multiplied by 1000. Should the choice change?",
    ),
    Mistake(
        "keeps all columns",
        evaluated(chosen=None),
        "Your result does not depend on k: all columns are kept.",
        "The choice has gone together with its leak. It is part of the method, and can be made from the training rows alone.",
        "From which rows may the difference of the classes be computed?",
    ),
    Mistake(
        "forgets the size of the difference",
        evaluated(rank=lambda apart: apart),
        "Columns in which class 1 lies lower are never kept in yours.",
        "A difference of -2 tells the classes apart as well as one of 2. The largest differences are meant, "
        "whatever their sign.",
        "Print `apart` and `kept`. Which column with a large negative difference is left out?",
    ),
    Mistake(
        "keeps the columns that differ least",
        evaluated(rank=lambda apart: -apart.abs()),
        "You keep the k columns in which the classes are most alike.",
        "An order from small to large was cut at its beginning. What tells the classes apart stands at its end.",
        "Does `sort` or `argsort` begin with the smallest or with the largest number?",
    ),
    Mistake(
        "returns the share of wrong answers",
        _then(lambda share: 1 - share),
        "Your number is what is missing from the right one to 1.",
        "It counts the rows that are answered wrongly. An accuracy counts those that are right.",
        "Is your comparison made with `==` or with `!=`, and what is then averaged?",
    ),
    Mistake(
        "counts the right answers",
        lambda X, y, patients, train, k: (
            evaluated()(X, y, patients, train, k) * (~torch.isin(patients, patients[train])).sum()
        ),
        "Your number says how many answers are right, and not which share of them.",
        "A sum grows with how many rows are asked about. Divided by their number it is the accuracy.",
        "Can an accuracy be 20? By what should your number be divided?",
    ),
    Mistake(
        "returns a number in percent",
        _then(lambda share: 100 * share),
        "Your number is a hundred times what it should be.",
        "A share lies between 0 and 1. In percent it is the same thing in another unit, and the task asks for the share.",
        "Can a share be larger than 1? Look at your last line.",
    ),
)

_PAIRS = (
    Mistake(
        "standardises with all rows, and selects columns with all rows",
        evaluated(scaled=_all, chosen=_all),
        "The rows that you ask about are the right ones. Scale and choice of columns still come from all rows.",
        "Two leaks are left. Both happen before the split is used: whatever is computed before it has seen everything.",
        "In which line does `train` occur for the first time? Everything above it sees the held-out rows.",
    ),
    Mistake(
        "selects columns with all rows, and leaves rows of the same patients on both sides",
        evaluated(chosen=_all, asked=_not_train),
        "Mean and spread are right. The choice of columns still sees all rows, and known patients are asked about.",
        "Two leaks are left: columns that fit the held-out rows by luck, and rows that find their own patient.",
        "Mend the choice first: from which rows may `apart` come? Then print which patients occur on both sides.",
    ),
    Mistake(
        "standardises with all rows, and leaves rows of the same patients on both sides",
        evaluated(scaled=_all, asked=_not_train),
        "The choice of columns is right. Mean and spread still come from all rows, and known patients are asked about.",
        "Two leaks are left: the length of a step in each column has seen the held-out rows, and rows find their "
        "own patient.",
        "Look at your first line: whose mean is it? Then print which patients occur on both sides.",
    ),
    Mistake(
        "standardises with all rows, and asks about all rows",
        evaluated(scaled=_all, asked=_all),
        "The choice of columns is right. Mean and spread still come from all rows, and all rows are asked about.",
        "Two leaks are left: the scale has seen the held-out rows, and training rows are answered by themselves.",
        "Begin with the last line: over which rows does your mean run? Then look at the first.",
    ),
    Mistake(
        "selects columns with all rows, and asks about all rows",
        evaluated(chosen=_all, asked=_all),
        "Mean and spread are right. The choice of columns still sees all rows, and all rows are asked about.",
        "Two leaks are left: columns that fit the held-out rows by luck, and training rows that are answered by themselves.",
        "Begin with the last line: over which rows does your mean run? Then look at where `apart` comes from.",
    ),
    Mistake(
        "standardises with all rows, selects columns with all rows and leaves patients on both sides",
        evaluated(scaled=_all, chosen=_all, asked=_not_train),
        "One leak is mended: the training rows are not asked about any more. Three are left.",
        "Scale and choice of columns come from all rows, and among the rows outside of `train` are patients who "
        "were trained on.",
        "Mend them from the top: the mean, then `apart`. In the end print which patients occur on both sides.",
    ),
)

MISTAKES = (*_LEAKS, *_SPLIT, *_METHOD, *_PAIRS)
