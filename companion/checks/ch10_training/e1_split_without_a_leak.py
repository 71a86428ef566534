"""Exercise 10.1: split without a leak."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import torch

from companion.checks.bank import Observed, Property, exercise, rng
from companion.checks.ch10_training.e1_mistakes import MISTAKES
from companion.checks.splits import ROWS
from companion.checks.trace import Call, Case, Trace


def split(
    persons: list[int], classes: list[int], shares: list[float], generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the numbers of the rows for training, validation and test; no person is in two of them."""
    who, labels = torch.tensor(persons), torch.tensor(classes)
    parts: list[list[torch.Tensor]] = [[], [], []]
    for label in labels.unique():
        people = who[labels == label].unique()
        people = people[torch.randperm(len(people), generator=generator)]
        a, b = (round(share * len(people)) for share in shares)
        for part, its in zip(parts, (people[a + b :], people[:a], people[a : a + b])):
            part.append(torch.isin(who, its).nonzero().flatten())
    return torch.cat(parts[0]), torch.cat(parts[1]), torch.cat(parts[2])


def _by_a_dict(
    persons: list[int], classes: list[int], shares: list[float], generator: torch.Generator
) -> list[list[int]]:
    """Give each person a part, and each row the part of its person."""
    kind = dict(zip(persons, classes))
    part_of: dict[int, int] = {}
    for label in set(classes):
        people = sorted(p for p, its in kind.items() if its == label)
        luck = torch.rand(len(people), generator=generator).tolist()
        drawn = [p for _, p in sorted(zip(luck, people))]
        a, b = (int(share * len(people) + 0.5) for share in shares)
        for place, person in enumerate(drawn):
            part_of[person] = 1 if place < a else 2 if place < a + b else 0
    return [[row for row, p in enumerate(persons) if part_of[p] == part] for part in (0, 1, 2)]


def _by_places(
    persons: list[int], classes: list[int], shares: list[float], generator: torch.Generator
) -> dict[str, torch.Tensor]:
    """Shuffle all persons once, and cut the order at other places in each class."""
    people, place = torch.tensor(persons).unique(return_inverse=True)
    its = torch.zeros_like(people).scatter(0, place, torch.tensor(classes))
    order = torch.randperm(len(people), generator=generator)
    part = torch.zeros(len(people), dtype=torch.int64)
    for label in its.unique():
        drawn = order[its[order] == label]
        a, b = torch.tensor(shares).mul(len(drawn)).round().int().tolist()
        part[drawn[len(drawn) - a :]] = 1
        part[drawn[len(drawn) - a - b : len(drawn) - a]] = 2
    return {name: torch.where(part[place] == n)[0] for n, name in enumerate(("train", "validation", "test"))}


def _table(
    people: list[int], most: int, numbers: list[int], labels: list[int], g: torch.Generator
) -> dict[str, object]:
    """Return persons and classes of a table: so many persons of each class, each with up to ``most`` rows, in any order."""
    whose = torch.tensor(numbers)[torch.randperm(len(numbers), generator=g)].tolist()
    rows: list[tuple[int, int]] = []
    for label, count in zip(labels, people):
        for _ in range(count):
            person = whose.pop()
            rows += [(person, label)] * int(torch.randint(1, most + 1, (1,), generator=g))
    order = torch.randperm(len(rows), generator=g).tolist()
    return {"persons": [rows[i][0] for i in order], "classes": [rows[i][1] for i in order]}


def _cases(seed: int) -> list[Case]:
    g = rng(seed + 101)
    worked_out = {"persons": [7, 3, 3, 5, 9, 2, 2, 8, 4, 4, 6], "classes": [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]}
    scattered = _table([11, 8], 4, list(range(19)), [0, 1], g)
    patients = _table([34, 12, 6], 5, list(range(1000, 1156, 3)), [0, 1, 2], g)
    alone = _table([13, 27], 1, list(range(1, 41)), [1, 0], g)
    codes = _table([17, 23], 3, [5 * k * k + 2 for k in range(40)], [4, -1], g)
    few = _table([2, 3, 21], 6, list(range(50, 76)), [2, 0, 1], g)

    def case(name: str, table: Mapping[str, object], *shares: float) -> Case:
        return Case(name, {**table, "shares": list(shares), "seed": 1000 * seed + len(name)})

    return [
        case("the eight persons worked out", worked_out, 0.25, 0.25),
        case("rows of a person in any order", scattered, 0.25, 0.13),
        case("three kinds of patients", patients, 0.2, 0.15),
        case("a single row of each person", alone, 0.2, 0.3),
        case("classes -1 and 4, and numbers of persons with gaps", codes, 0.4, 0.22),
        case("two persons of a class", few, 0.2, 0.1),
    ]


def _script(case: Case) -> list[Call]:
    return [Call("@splits", ("$split", *case.args.values()), ("split", *case.args), ("split",))]


def _observe(case: Case, trace: Trace) -> Observed:
    return {name.removeprefix("split."): t for name, t in trace.tensors.items() if name.startswith("split.")}


def _none(name: str) -> Callable[[Case, Observed], bool]:
    return lambda case, o: not bool(o[name])


def _due(case: Case) -> list[list[int]]:
    """Return how many persons of each class are due in each part."""
    kind = dict(zip(case.args["persons"], case.args["classes"]))
    counts = [sum(its == label for its in kind.values()) for label in sorted(set(kind.values()))]
    parts = [[round(share * n) for share in case.args["shares"]] for n in counts]
    return [[n - a - b, a, b] for n, (a, b) in zip(counts, parts)]


def _has_the_sizes(case: Case, o: Observed) -> bool:
    return bool(o["persons of all classes"].tolist() == [sum(column) for column in zip(*_due(case))])


_PROPERTIES = (
    Property(
        "the parts are row numbers",
        lambda case, o: int(o["kind"]) == ROWS,
        "Your function should return three lists or tensors of row numbers: training, validation and test, in this order.",
        "The table is then read by `X[train]`, for the inputs and for the classes alike. A mask or a list of something else is another agreement.",
        "Print what you return for the example. Which whole numbers from 0 on should stand in it?",
    ),
    Property("the rows are there", _none("no such row"),
        "Among your row numbers are some that the table does not have: below 0, or as many as there are rows or more.",
        "What a part holds are places in the lists that came in, counted from 0. Numbers of persons or of classes are something else.",
        "Print the largest number of each part beside `len(persons)`.",
    ),
    Property("no person is torn apart", _none("persons on two sides"),
        "In your split the same person is in two parts.",
        "Rows of one person are alike. Whoever has seen one of them in training is not asked anything new by another.",
        "Print the persons of the rows in each part. What has to be drawn, so that a person can only be in one of them?",
    ),
    Property("no row is lost", _none("lost"),
        "Some rows are in none of your three parts.",
        "Whoever is not drawn for validation or test belongs to the training, with all rows that there are of them.",
        "Put the three parts together and sort. Which numbers are missing, and whose rows are they?",
    ),
    Property("no row is there twice", lambda case, o: not bool(o["twice"]) and not bool(o["on two sides"]),
        "Some row stands twice in your parts.",
        "A row that counts twice weighs twice, in a loss or in a score. Each row is in one part, once.",
        "Compare the length of each part with the number of different entries in it.",
    ),
    Property("how many come to a part is no matter of luck", lambda case, o: bool((o["persons of all classes"] >= 0).all()),
        "How many persons come to a part changes from draw to draw.",
        "The share is one of the persons of a class, so that the numbers are known before anything is drawn. "
        "Whoever throws a die for each person, or fills a part with rows, leaves them to luck.",
        "Which line of yours says how many persons of a class are due in each part? Let it come before the draw.",
    ),
    Property("the sizes are right", _has_the_sizes,
        "The parts do not hold as many persons as they should, over all classes.",
        "In each class validation and test get their share of the persons, rounded to the nearest whole number. The others are for training.",
        "Write down for the case shown how many persons each class has, and how many are due in each part.",
    ),
    Property("each class has its share", lambda case, o: o["persons"].tolist() == _due(case),
        "The parts have the right sizes. The classes are not shared out as they should be.",
        "Drawn over all persons at once, a rare class comes to a part by luck. Drawn within each class, every part has its share.",
        "Print how many persons of each class are in each part, for a few generators.",
    ),
    Property("the generator decides", lambda case, o: bool(o["again"]) and not bool(o["always the same"]),
        "Your split is not decided by the generator: the same seed should give the same split, and another seed another one.",
        "Without a generator the split cannot be drawn again, or it is always the same and hangs on the order of the table.",
        "Which of your lines draws, and does `generator=generator` stand in it?",
    ),
    Property("a generator goes on", lambda case, o: bool(o["goes on"]),
        "Two calls in a row with the same generator give the same split.",
        "A generator moves on with each draw, so that a second split is a new one. In yours it begins anew in each call, or another one is made.",
        "Look for `manual_seed` and `initial_seed`. What should the generator that came in be used for?",
    ),
    Property("everybody may come anywhere", lambda case, o: False,
        "Some persons are never drawn for a part, whatever the generator is.",
        "Then the part is not a picture of all. Each person of a class has the same chance to be in each part.",
        "Over whom does your draw run, and who is left out of it?",
    ),
)  # fmt: skip


@exercise("10.1", title="Split without a leak: groups and strata", points=2)
class SplitWithoutALeak:
    """Three parts by persons and within classes."""

    reference = split
    read = "By chance, by class, by group, by time"
    returns = ()
    script = _script
    observe = _observe
    properties = _PROPERTIES
    tolerance = 0.0
    statement = r"""
        A hospital has a table with several rows of each person. Rows of one person are alike, and some kinds of patients are rare. So the split is
        drawn **by persons**, and **within each class**.

        Write `split(persons, classes, shares, generator)`. `persons` and `classes` are lists of whole numbers, an entry for each row: whose row it
        is, and the class. All rows of a person have the same class. `shares` holds the shares of validation and test, such as `[0.2, 0.1]`. Return
        the numbers of the rows for training, for validation and for test, in this order, as three tensors or lists. Rows count from 0, and may stand
        in any order within a part.

        * No person is in two parts. Each row of the table is in one part, once.
        * Of the n **persons** of a class, validation gets `share * n`, rounded to the nearest whole number, and test likewise. All others of the
          class are for training. (None of the numbers lies half-way between two whole ones.)
        * Who goes where is drawn with the `generator`, and with nothing else. Each person of a class has the same chance. A generator of the same
          seed gives the same split, and a second call with the same generator gives a new one.

        Rows of a person need not stand side by side. Numbers of persons and classes may be any, with gaps.

        Example: `persons = [7, 3, 3, 5, 9, 2, 2, 8, 4, 4, 6]` and `classes = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]`, with the shares `[0.25, 0.25]`.
        Class 0 has the four persons 7, 3, 5 and 9, and class 1 the four persons 2, 8, 4 and 6. In each class one is drawn for validation and one for
        test. With 5 and 4 for validation, and 3 and 6 for test, the result is `[0, 4, 5, 6, 7]`, `[3, 8, 9]` and `[1, 2, 10]`. Part by part the
        number of rows is a matter of luck.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {"by a dict from person to part": _by_a_dict, "by places in one order": _by_places}
    hints = (
        "There are two steps. First share out persons, and forget the rows. Then look up for each row where its person went.",
        "The persons of one class are `who[labels == label].unique()`, once you have made tensors of the two lists. Shuffle them with "
        "`torch.randperm(n, generator=generator)`, and cut the order in three.",
        "`torch.isin(who, chosen).nonzero().flatten()` are the rows of some chosen persons. Collect them class by class in three lists, and join each with `torch.cat`.",
    )
