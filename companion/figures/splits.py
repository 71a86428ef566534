"""The figure of chapter 10 on splits: people seen several times, four ways to part them, and what each score foretells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from statistics import mean
from typing import NamedTuple

import torch

from companion.data import train_val_test_split
from companion.figures.chance import seeded
from companion.figures.controls import Choice, Control, Slider, Toggle
from companion.figures.figure import Figure, figure
from companion.figures.svg import Picture, named_rows
from companion.random import generator

PEOPLE, VISITS, WITH, REPEATS, ASKED, SHARE = 30, 4, 12, 24, 120, 0.25
SIGNAL, NOISE = 1.5, 0.15
WAYS = {"chance": "by chance", "class": "by class", "person": "by person", "time": "by time"}
USES = {"new": "new people", "later": "the same people, later", "both": "new people, later"}

Place = tuple[float, float]


class Case(NamedTuple):
    """An example: who, when, whether they have what is asked for, and two measurements."""

    who: int
    time: float
    has: bool
    at: Place


class Found(NamedTuple):
    """What becomes of a split: the score on its test part, how many people stand on both sides, how many test examples lie nearest to one of the same person."""

    score: float
    both: int
    own: int


def bell(draw: Callable[[], float]) -> float:
    """Return a number of mean 0 and variance 1, nearly from a bell curve: three draws together."""
    return 2 * (draw() + draw() + draw() - 1.5)


def time_of(who: int, visit: int) -> float:
    """Return when somebody is seen, from 0 to 1: all over the time, each at other days."""
    return (visit + who * 7 % PEOPLE / PEOPLE) / VISITS


def _measured(has: bool, styles: Sequence[Place], shares: Sequence[float], draw: Callable[[], float]) -> Place:
    """Return two measurements: the first tells what is asked for; both carry what the person and the quarter add, and noise."""
    one, two = (sum(share * style[i] for share, style in zip(shares, styles)) + NOISE * bell(draw) for i in (0, 1))
    return SIGNAL * has + one, two


def _styles(draw: Callable[[], float], n: int) -> list[Place]:
    return [(bell(draw), bell(draw)) for _ in range(n)]


def listed(repeat: int, person: float, quarter: float) -> list[Case]:
    """Return the examples that there are, person by person: 30 people, 4 visits each, 12 of them with what is asked for."""
    draw = seeded(3 * repeat)
    quarters, people = _styles(draw, VISITS + 1), _styles(draw, PEOPLE)
    cases = []
    for who in range(PEOPLE):
        for visit in range(VISITS):
            at = _measured(who < WITH, (people[who], quarters[visit]), (person, quarter), draw)
            cases.append(Case(who, time_of(who, visit), who < WITH, at))
    return cases


def in_use(repeat: int, use: str, person: float, quarter: float) -> list[Case]:
    """Return examples that nobody has yet: of new people, of the same ones at times from 1 to 1.25, or both."""
    old = seeded(3 * repeat)
    quarters, people = _styles(old, VISITS + 1), _styles(old, PEOPLE)
    draw = seeded(3 * repeat + (1 if use == "new" else 2))
    cases = []
    for i in range(ASKED):
        who = i % PEOPLE
        style = people[who] if use == "later" else _styles(draw, 1)[0]
        time = (i + 0.5) / ASKED if use == "new" else 1 + (i + 0.5) / ASKED / VISITS
        at = _measured(who < WITH, (style, quarters[int(time * VISITS)]), (person, quarter), draw)
        cases.append(Case(who, time, who < WITH, at))
    return cases


@cache
def split(way: str, repeat: int) -> frozenset[int]:
    """Return the rows that the companion's split puts into the test part."""
    who = torch.arange(PEOPLE).repeat_interleave(VISITS)
    times = torch.tensor([time_of(w, v) for w in range(PEOPLE) for v in range(VISITS)])
    keywords = {"chance": {}, "class": {"stratify": who < WITH}, "person": {"groups": who}, "time": {"times": times}}
    parts = train_val_test_split(len(who), val=0, test=SHARE, generator=generator(repeat), **keywords[way])
    return frozenset(parts.test.tolist())


def nearest(known: Sequence[Case], at: Place, k: int) -> list[Case]:
    """Return the k known cases nearest to a place, of equally near ones the first."""
    return sorted(known, key=lambda c: (c.at[0] - at[0]) ** 2 + (c.at[1] - at[1]) ** 2)[:k]


def right(known: Sequence[Case], asked: Sequence[Case], k: int) -> float:
    """Return the share of cases for which most of the k nearest known ones, k odd, say what is true."""
    hits = [2 * sum(n.has for n in nearest(known, c.at, k)) > k for c in asked]
    return sum(hit == c.has for hit, c in zip(hits, asked)) / len(asked)


@cache
def outcome(way: str, repeat: int, person: float, quarter: float, k: int) -> Found:
    """Return what becomes of one split."""
    rows, test = listed(repeat, person, quarter), split(way, repeat)
    known, asked = ([c for i, c in enumerate(rows) if (i in test) == side] for side in (False, True))
    own = sum(nearest(known, c.at, 1)[0].who == c.who for c in asked)
    return Found(right(known, asked, k), len({c.who for c in known} & {c.who for c in asked}), own)


@cache
def worth(use: str, repeat: int, person: float, quarter: float, k: int) -> float:
    """Return the share right in use, of a model that has learned from all examples there are: what a score is to foretell."""
    return right(listed(repeat, person, quarter), in_use(repeat, use, person, quarter), k)


def packed(rows: frozenset[int]) -> str:
    """Return which rows are in a test part, as hexadecimal digits of four rows each, the first row in the highest place.

    >>> packed(frozenset({0, 5}))[:2]
    '84'
    """
    bits = sum(1 << (PEOPLE * VISITS - 1 - row) for row in rows)
    return f"{bits:0{PEOPLE * VISITS // 4}x}"


@figure("10", "Who is on which side")
def split_designer() -> Figure:
    """Return people seen several times and four ways to part them; the use and what a person and a quarter add are the reader's."""
    person, quarter, k, repeat, use = 0.8, 0.0, 1, 1, "new"
    repeats = range(1, REPEATS + 1)
    now = outcome("chance", repeat, person, quarter, k)
    scores = {way: mean(outcome(way, r, person, quarter, k).score for r in repeats) for way in WAYS}
    used = {name: mean(worth(name, r, person, quarter, k) for r in repeats) for name in USES}
    turned = {way: mean(outcome(way, r, 0.0, 1.0, k).score for r in repeats) for way in WAYS}
    tomorrow = mean(worth("later", r, 0.0, 1.0, k) for r in repeats)
    alt = (
        f"{PEOPLE} people, one a line, {VISITS} examples of each over time, parted by chance: a quarter of the examples is in the test part, and {now.both} people stand on both sides. "
        f"Of the test part {now.score:.2f} is right. In the plane of the two measurements people form clumps: {now.own} of {round(SHARE * PEOPLE * VISITS)} test examples lie nearest to one of the same person. "
        f"Over {REPEATS} splits the score is {scores['chance']:.2f} by chance and {scores['person']:.2f} by person; on new people {used['new']:.2f} is right."
    )
    answer = (
        f"By person: {scores['person']:.2f} in the mean of {REPEATS} splits, against {used['new']:.2f} on new people. By chance it is {scores['chance']:.2f}, by class {scores['class']:.2f} and by time {scores['time']:.2f}: "
        f"there a test example mostly lies nearest to another one of the same person, and what is measured is whether people are known again. "
        f"That is no mistake if the use is the same people, later: then {used['later']:.2f} is right. The split has to be made as the use will be. "
        f"Take the person's share to 0, the season's to 1, and the use to the same people, later: now it is time that leaks. By chance the score is {turned['chance']:.2f}, by time {turned['time']:.2f}, and {tomorrow:.2f} is right."
    )
    controls: dict[str, Control] = {
        "way": Choice("split", WAYS, "chance"),
        "use": Choice("used on", USES, use),
        "person": Slider("the person's own share", 0, 1.5, 0.1, person),
        "quarter": Slider("each season's own share", 0, 1.5, 0.1, quarter),
        "k": Slider("neighbours asked", 1, 9, 2, k),
        "repeat": Slider("repeat", 1, REPEATS, 1, repeat),
        "all": Toggle("the scores of all four splits"),
    }
    guesses = ("by chance", "by class", "by person", "by time")
    return Figure(
        "split_designer",
        {"people": PEOPLE, "visits": VISITS, "has": WITH, "signal": SIGNAL, "noise": NOISE, "asked": ASKED,
         "splits": {way: [packed(split(way, r)) for r in repeats] for way in WAYS}},
        alt=alt,
        caption="A score is measured on a test part, and is to foretell what is right in use. It does if the test part differs from the training part as the use will. "
        "A person on both sides is known again, and so is a season: its instruments were set in one way.",
        controls=controls,
        task=f"Predict: the model asks for the nearest example that it knows. By chance {now.score:.2f} of the test part is right. It will be used on people it has never met. "
        "Which split has a score that says how well it will do there?",
        guesses=guesses,
        right=guesses.index("by person"),
        answer=answer,
        fallback=_parted(alt, person, quarter, k),
    )  # fmt: skip


def _parted(alt: str, person: float, quarter: float, k: int) -> str:
    """Draw who is where by chance in the first repeat, and a table of scores and of what is right in use."""
    test = split("chance", 1)
    picture = Picture((0, 1), (0, PEOPLE + 1), xlabel="time", ylabel="person", height=330, ticks=((0, 0.5, 1), ()))
    for i, case in enumerate(listed(1, person, quarter)):
        picture.mark((case.time, case.who + 1), int(i in test))
    repeats = range(1, REPEATS + 1)
    found = {way: [outcome(way, r, person, quarter, k) for r in repeats] for way in WAYS}
    rows = [
        (
            words,
            [
                f"{mean(f.score for f in found[way]):.2f}",
                f"{mean(f.both for f in found[way]):.0f}",
                f"{mean(f.own for f in found[way]):.0f}",
            ],
        )
        for way, words in WAYS.items()
    ]
    rows += [
        (f"in use: {words}", [f"{mean(worth(use, r, person, quarter, k) for r in repeats):.2f}", "", ""])
        for use, words in USES.items()
    ]
    table = named_rows(
        f"Mean of {REPEATS} splits", ("", "share right", "people on both sides", "nearest is oneself"), rows
    )
    return f"{picture.svg(alt)}<p>dot: training part; triangle: test part</p>{table}"
