"""What goes wrong with a split by persons and classes (exercise 10.1), and what to say about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case

Sizes = Callable[[int, list[float], int, int], tuple[int, int]]
"""From the number of units of a class, the shares, the number of all units and of classes, to how many validation and test get."""
Parts = tuple[Any, Any, Any]
Split = Callable[[list[int], list[int], list[float], Generator], Any]


def _due(n: int, shares: list[float], every: int, kinds: int) -> tuple[int, int]:
    return round(shares[0] * n), round(shares[1] * n)


def _cut(units: Tensor, a: int, b: int) -> list[Tensor]:
    """Return those for training, validation and test."""
    return [units[a + b :], units[:a], units[a : a + b]]


def _rows_of(people: Tensor, who: Tensor) -> Tensor:
    return torch.isin(who, people).nonzero().flatten()


def by(
    *,
    units: Callable[[Tensor], Tensor] = lambda who: who,
    within: bool = True,
    sizes: Sizes = _due,
    cut: Callable[[Tensor, int, int], list[Tensor]] = _cut,
    shuffled: Callable[[Tensor, Generator], Tensor] = lambda u, g: u[torch.randperm(len(u), generator=g)],
    rows: Callable[[Tensor, Tensor], Tensor] = _rows_of,
    labels_of: Callable[[Tensor], list[int]] = lambda labels: labels.unique().tolist(),
    order: tuple[int, int, int] = (0, 1, 2),
    prepared: Callable[[Generator], Generator] = lambda g: g,
    after: Callable[[list[Tensor], int], list[Any]] = lambda parts, n: list(parts),
) -> Split:
    """Return a split by other rules.

    Args:
        units: what is drawn, from the persons of the rows: the same number for what stays together.
        within: whether it is drawn within each class.
        sizes: how many validation and test get.
        cut: how an order is cut into training, validation and test.
        shuffled: the order, from the units and the generator.
        rows: the rows of some units.
        labels_of: which classes there are.
        order: in which the parts are returned.
        prepared: what becomes of the generator first.
        after: what becomes of the parts in the end, with the number of rows.
    """

    def split(persons: list[int], classes: list[int], shares: list[float], generator: Generator) -> Any:
        who, labels = units(torch.tensor(persons)), torch.tensor(classes)
        generator = prepared(generator)
        found: list[list[Tensor]] = [[], [], []]
        kinds = labels_of(labels) if within else [0]
        for label in kinds:
            people = (who[labels == label] if within else who).unique()
            a, b = sizes(len(people), shares, len(who.unique()), len(kinds))
            for part, its in zip(found, cut(shuffled(people, generator), a, b)):
                part.append(rows(its, who))
        parts = after([torch.cat(part) if part else torch.zeros(0, dtype=torch.int64) for part in found], len(who))
        return tuple(parts[k] for k in order)

    return split


def _each_row(who: Tensor) -> Tensor:
    return torch.arange(len(who))


def _stretches(who: Tensor) -> Tensor:
    """Return a number of its own for each stretch of rows of one person."""
    return torch.unique_consecutive(who, return_inverse=True)[1]


def _first_row(people: Tensor, who: Tensor) -> Tensor:
    return torch.tensor([int((who == p).nonzero()[0]) for p in people], dtype=torch.int64)


def _down(n: int, shares: list[float], every: int, kinds: int) -> tuple[int, int]:
    return int(shares[0] * n), int(shares[1] * n)


def _up(n: int, shares: list[float], every: int, kinds: int) -> tuple[int, int]:
    a, b = (math.ceil(share * n - 1e-9) for share in shares)
    return a, min(b, n - a)


def _a_throw_for_each_row(persons: list[int], classes: list[int], shares: list[float], generator: Generator) -> Parts:
    luck = torch.rand(len(persons), generator=generator)
    a, b = shares
    return tuple(w.nonzero().flatten() for w in (luck >= a + b, luck < a, (luck >= a) & (luck < a + b)))  # type: ignore[return-value]


def _a_throw_for_each_person(
    persons: list[int], classes: list[int], shares: list[float], generator: Generator
) -> Parts:
    people, place = torch.tensor(persons).unique(return_inverse=True)
    luck = torch.rand(len(people), generator=generator)[place]
    a, b = shares
    return tuple(w.nonzero().flatten() for w in (luck >= a + b, luck < a, (luck >= a) & (luck < a + b)))  # type: ignore[return-value]


def _drawn_twice(persons: list[int], classes: list[int], shares: list[float], generator: Generator) -> Parts:
    """Draw validation and test each from all persons of a class."""
    who, labels = torch.tensor(persons), torch.tensor(classes)
    found: list[list[Tensor]] = [[], [], []]
    for label in labels.unique():
        people = who[labels == label].unique()
        chosen = [people[torch.randperm(len(people), generator=generator)][: round(s * len(people))] for s in shares]
        left = people[~torch.isin(people, torch.cat(chosen))]
        for part, its in zip(found, (left, *chosen)):
            part.append(_rows_of(its, who))
    return torch.cat(found[0]), torch.cat(found[1]), torch.cat(found[2])


def _until_enough_rows(persons: list[int], classes: list[int], shares: list[float], generator: Generator) -> Parts:
    """Fill validation and test with persons until they have their share of the rows of each class."""
    who, labels = torch.tensor(persons), torch.tensor(classes)
    found: list[list[int]] = [[], [], []]
    for label in labels.unique():
        people = who[labels == label].unique()
        people = people[torch.randperm(len(people), generator=generator)]
        whole = int((labels == label).sum())
        got = [0, 0]
        for person in people:
            mine = (who == person).nonzero().flatten().tolist()
            part = next((k for k in (0, 1) if got[k] < shares[k] * whole - 0.5), None)
            if part is None:
                found[0] += mine
            else:
                got[part] += len(mine)
                found[part + 1] += mine
    return found[0], found[1], found[2]


def _counts_rows(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise shares of rows: with one row of each person the number of persons is fixed, and with several it is not."""
    if any("persons" not in o or bool(o["persons on two sides"]) or bool(o["lost"]) for o in observed):
        return False
    steady = [bool((o["persons"] >= 0).all()) for o in observed]
    alone = [len(set(case.args["persons"])) == len(case.args["persons"]) for case in cases]
    several = [s for s, one in zip(steady, alone) if not one]
    return any(alone) and all(s for s, one in zip(steady, alone) if one) and sum(several) <= len(several) / 2


def _masks(parts: list[Tensor], n: int) -> list[Tensor]:
    rows = torch.arange(n)
    return [torch.isin(rows, part) for part in parts]


_LEAKS = (
    Mistake(
        "draws rows and not persons",
        by(units=_each_row),
        "You share out rows. Where a person has several of them, they end in two or three parts.",
        "The classes have their shares, and that is half of it. A row of somebody who was trained on is no new question.",
        "Over what does your `randperm` run? What should be shuffled in its place?",
    ),
    Mistake(
        "shuffles all rows and cuts",
        by(units=_each_row, within=False),
        "You shuffle all rows and cut. Persons end on two sides, and a rare class comes to a part by luck.",
        "That is the random split, which is right for rows that know nothing of each other and for classes that are all common.",
        "Begin with the persons: make a list in which each of them stands once. Shuffle that one, class by class.",
    ),
    Mistake(
        "throws a die for each row",
        _a_throw_for_each_row,
        "In yours each row goes its own way by a random number: persons are torn apart, and the sizes are another matter of luck in each draw.",
        "A share that is met in the mean over many draws need not be met in yours. And a person has as many throws as rows.",
        "Shuffle and cut: then the sizes are fixed, and only who goes where is drawn.",
    ),
    Mistake(
        "leaves to luck how many persons are drawn",
        _a_throw_for_each_person,
        "Your persons stay whole. How many come to a part is a matter of luck, in all and in each class.",
        "A die for each person meets a share in the mean only. So does an order of all numbers up to the highest: numbers have gaps, and persons are names.",
        "Which line of yours says how many persons of a class are due? There should be one.",
    ),
    Mistake(
        "draws validation and test from everybody",
        _drawn_twice,
        "Some persons are in your validation and in your test.",
        "Each of the two is drawn from all persons of the class, and knows nothing of the other. One order, cut in three, cannot overlap.",
        "How many shuffles has a class in your code? Cut validation and test from a single one.",
    ),
    Mistake(
        "begins both parts at the same place",
        by(cut=lambda u, a, b: [u[max(a, b) :], u[:a], u[:b]]),
        "Your validation and your test hold the same persons, as far as the smaller one reaches.",
        "Both are cut from the beginning of the order. The second has to begin where the first one ends.",
        "Which persons stand in `people[:a]`, and which ones in `people[:b]`?",
    ),
    Mistake(
        "trains on everybody",
        by(cut=lambda u, a, b: [u, u[:a], u[a : a + b]]),
        "Your training part holds all rows, those of validation and test too.",
        "Whoever judges may not have been trained on. What is left for training begins after both other parts.",
        "From which place of the order on does your training part begin?",
    ),
    Mistake(
        "trains on the persons of the test",
        by(cut=lambda u, a, b: [u[a:], u[:a], u[a : a + b]]),
        "The persons of your test are in your training part as well.",
        "The training part begins right after the validation. In the order that was cut the test comes next, and the training behind both.",
        "Write three names under an order of ten persons, two of them for validation and three for test. Where does the training begin?",
    ),
    Mistake(
        "tests on everybody who is left",
        by(cut=lambda u, a, b: [u[a + b :], u[:a], u[a:]]),
        "The persons of your training are in your test as well: it runs to the end of the order.",
        "`people[a:]` takes everybody from place a on. The slice of the test has an end, too, where the training begins.",
        "How long is your test for ten persons, two of them for validation and three for test?",
    ),
    Mistake(
        "takes the test's size for its end",
        by(cut=lambda u, a, b: [u[a + b :], u[:a], u[a:b]]),
        "Persons between your validation and your training are in no part: your test is too short, or empty.",
        "The second number of a slice is the place where it ends, and not how long it is. `people[a:b]` ends at place b.",
        "The validation has two persons and the test three. What is `people[2:3]`, and at which place should it end?",
    ),
    Mistake(
        "takes stretches of rows for persons",
        by(units=_stretches),
        "It is right as long as the rows of a person stand side by side. Where they do not, persons are torn apart.",
        "`unique_consecutive`, or a new number whenever the person changes, sees a stretch of rows. The same person may come again further down.",
        "Try the persons 1, 2, 1. How many persons are there, and how many do you find?",
        best="rows of a person in any order",
    ),
    Mistake(
        "keeps one row of each person",
        by(rows=_first_row),
        "Your parts hold one row of each person. All the others are in none.",
        "`unique` with places, `index`, or a dict from person to row keeps a single row. Nobody is torn apart then, and the data are gone.",
        "The person 4 of the example has two rows. Where are they in your parts?",
    ),
    Mistake(
        "returns persons",
        by(rows=lambda people, who: people),
        "Your parts hold the numbers of persons, and not those of their rows.",
        "The table is read by row numbers. With persons in their place `X[train]` reads other rows, and says nothing as long as they are there.",
        "What is left is the second step: which rows belong to the persons of a part?",
    ),
    Mistake(
        "returns masks",
        by(after=_masks),
        "Your parts are masks, one True or False for each row.",
        "A mask reads a table as well. The task asks for row numbers, which can be shuffled and cut into batches.",
        "What does `mask.nonzero().flatten()` make of a mask?",
    ),
)

_SIZES = (
    Mistake(
        "forgets the classes",
        by(within=False),
        "No person is torn apart. How many of a class come to a part is a matter of luck.",
        "All persons are shuffled together. A class of six may then be missing in the test, and its score with it.",
        "Put your lines into a loop over the classes. What changes in each round?",
    ),
    Mistake(
        "knows the classes 0 and 1 only",
        by(labels_of=lambda labels: [0, 1]),
        "Rows of other classes than 0 and 1 are in none of your parts.",
        "Classes are names. There may be three of them, and they may be called -1 and 4.",
        "Ask the table which classes there are, with `set(classes)` or `unique()`.",
    ),
    Mistake(
        "counts rows for the shares",
        _until_enough_rows,
        "You fill a part with persons until it has its share of the rows. The number of persons then changes from draw to draw.",
        "That is a fair rule, and another one than the task's. Here the share is one of the persons of the class.",
        "Of which number do you take the share? Count the persons of the class in its place.",
        matches=_counts_rows,
    ),
    Mistake(
        "gives every class the same number",
        by(sizes=lambda n, shares, every, kinds: (
            min(n, round(shares[0] * every / kinds)),
            min(n - min(n, round(shares[0] * every / kinds)), round(shares[1] * every / kinds)),
        )),
        "Each class of yours gives as many persons to a part as the others, whether it is rare or common.",
        "The share is taken of all persons and divided by the number of classes. A rare class is then used up, and a common one is hardly asked.",
        "How many persons has the class of this round? The share is one of these.",
    ),
    Mistake(
        "rounds down",
        by(sizes=_down),
        "Your validation and your test are too small wherever the share is no whole number of persons.",
        "`int(...)` and `//` cut off: 1.9 persons become 1. Over many small classes nearly everything is lost in this way.",
        "What does `round` make of 1.9, and what does `int`?",
    ),
    Mistake(
        "rounds up",
        by(sizes=_up),
        "Your validation or your test has a person too many wherever the share is no whole number.",
        "`ceil` makes 2 persons of 1.1. The task asks for the nearest whole number.",
        "What should come out for 1.1 persons, and what for 1.9?",
    ),
    Mistake(
        "always draws somebody",
        by(sizes=lambda n, shares, every, kinds: (max(1, round(shares[0] * n)), max(1, round(shares[1] * n)))),
        "In a small class at least one person comes to each of your parts, also where the share rounds to none.",
        "Of two persons none would be left for training. That may be wished for in a test, and the task rounds.",
        "How many persons is a share of 0.1 of two, rounded?",
        best="two persons of a class",
    ),
    Mistake(
        "takes the test's share of what is left",
        by(sizes=lambda n, shares, every, kinds: (
            round(shares[0] * n), round(shares[1] * (n - round(shares[0] * n))),
        )),
        "Your validation has the right size, and your test is too small.",
        "The second split works on what the first one has left, so that a share of 0.3 is one of the remaining persons.",
        "Of how many persons should the test's share be taken? Of all of the class, before anything is cut.",
    ),
    Mistake(
        "takes the validation's share of what is left",
        by(sizes=lambda n, shares, every, kinds: (
            round(shares[0] * (n - round(shares[1] * n))), round(shares[1] * n),
        )),
        "Your test has the right size, and your validation is too small.",
        "The test is cut first, and then validation gets its share of the remaining persons. Both shares are of the whole class.",
        "With shares of 0.2 and 0.3 and a hundred persons, how many are left for training? How many in yours?",
    ),
    Mistake(
        "exchanges validation and test",
        by(order=(0, 2, 1)),
        "Your second part has the size of the test, and your third that of the validation.",
        "The shares come as validation and test, and the parts go back as training, validation and test.",
        "Which of your parts is cut with `shares[0]`, and at which place do you return it?",
    ),
    Mistake(
        "puts the training last",
        by(order=(1, 2, 0)),
        "Your parts are right, and come in the order validation, test, training.",
        "They are read by their place. Whoever writes `train, val, test = split(...)` then trains on the validation.",
        "Read the last line of your function beside the task.",
    ),
)  # fmt: skip

_CHANCE = (
    Mistake(
        "does not shuffle",
        by(shuffled=lambda u, g: u),
        "Your split is the same for every generator: the persons with the lowest numbers are always in the same part.",
        "Numbers are given in some order, often that of time or place. Whoever cuts without a shuffle holds out a kind of person.",
        "Which line of yours uses `generator`? It should be the one that orders the persons.",
    ),
    Mistake(
        "begins the generator anew",
        by(prepared=lambda g: g.manual_seed(0)),
        "Your split is the same for every generator: its seed is set within your function.",
        "The caller's seed is thrown away, and the caller's generator is moved back. A second split is then the first one again.",
        "Look for `manual_seed`. Who should decide about the seed?",
    ),
    Mistake(
        "makes a generator of its own",
        by(prepared=lambda g: Generator().manual_seed(g.initial_seed())),
        "A second call with the same generator gives the same split once more.",
        "You begin a new one from the seed of the old. The generator that came in does not move, so that five repeats are one.",
        "Draw with the generator that came in. What does `initial_seed` tell about what has been drawn since?",
    ),
    Mistake(
        "draws from the shared generator",
        by(shuffled=lambda u, g: u[torch.randperm(len(u))]),
        "The same generator does not give the same split twice: you draw without it.",
        "`torch.randperm(n)` asks the generator that everybody shares, and `random` and NumPy have one of their own. "
        "What was drawn elsewhere before then decides about your split.",
        "Which line of yours draws, and does `generator=generator` stand in it?",
    ),
    Mistake(
        "shuffles a few persons only",
        by(shuffled=lambda u, g: torch.cat([u[: len(u) // 2][torch.randperm(len(u) // 2, generator=g)], u[len(u) // 2 :]])),
        "Half of the persons of each class are never drawn for validation.",
        "Only a part of the order is shuffled, or the draw runs over fewer places than there are persons.",
        "What is the length of your `randperm`, and how many persons has the class?",
    ),
)  # fmt: skip

_PAIRS = (
    Mistake(
        "draws rows and not persons, and rounds down",
        by(units=_each_row, sizes=_down),
        "You share out rows within each class, and shares that are no whole number lose their fraction.",
        "Two things at once: persons are torn apart, and `int(...)` cuts off where the nearest whole number is asked for.",
        "Mend the draw first, so that no person is in two parts. Then look at the rounding.",
    ),
    Mistake(
        "forgets the classes, and rounds down",
        by(within=False, sizes=_down),
        "Persons stay whole. All classes are shuffled together, and the parts are too small by a fraction of a person.",
        "Two things at once: the loop over the classes is missing, and `int(...)` cuts off.",
        "Put a loop over the classes around your lines. Then compare `int` with `round`.",
    ),
    Mistake(
        "takes the test's share of what is left, and rounds down",
        by(sizes=lambda n, shares, every, kinds: (
            int(shares[0] * n), int(shares[1] * (n - int(shares[0] * n))),
        )),
        "Your test gets its share of what the validation has left, and both parts lose what is no whole person.",
        "Two things at once: both shares are of all persons of the class, and `int(...)` cuts off where the nearest whole number is asked for.",
        "Count the persons of the class once, before anything is cut, and take both shares of that number. Then compare `int` with `round`.",
    ),
    Mistake(
        "takes stretches of rows for persons, and exchanges validation and test",
        by(units=_stretches, order=(0, 2, 1)),
        "Where rows of a person do not stand side by side they are torn apart, and your second part has the size of the test.",
        "Two things at once: a stretch of rows is no person, and the parts come back in another order.",
        "Look at the order of the parts first, in the last line. Then count the persons of 1, 2, 1.",
    ),
    Mistake(
        "forgets the classes, and does not shuffle",
        by(within=False, shuffled=lambda u, g: u),
        "Your split is the same for every generator, and it does not know of the classes.",
        "Two things at once: the order is that of the numbers, and it runs over all persons together.",
        "Put a loop over the classes around your lines. Then draw an order within each of them, with the generator.",
    ),
)  # fmt: skip

MISTAKES = (*_LEAKS, *_SIZES, *_CHANCE, *_PAIRS)
