"""What goes wrong with the batches of an epoch (exercise 06.3), how it is recognised, and what to say about it.

An epoch is drawn by chance, in more ways than one. So nothing is compared with the reference: what is looked at is
which rows there are, in which sizes, what changes from call to call, and in a case of few rows how often each order comes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case, Trace

Batches = Callable[[int, int, Generator], object]
MANY = 40
"""From how many rows on an order can be said to be mixed, and two orders to differ."""
FEW = (5, 2)
"""Rows and size of the case in which the orders of many epochs are counted: 120 orders, and one row is left over."""
EPOCHS = 6000
"""How many: each order is due 50 times."""
UNEVEN = 280.0
"""From which sum of squared deviations on, each divided by what is due, the orders do not come alike.

It follows the chi-square law with 119 degrees of freedom if they do: above 280 with a chance of 5e-15. An order that never
comes adds 50. If each place is exchanged with any other, some come 1.8 times as often as due and some 0.6 times: the
sum is about 417 then, and below 280 with a chance of 3e-5.
"""


def _parts(trace: Trace, name: str) -> list[Tensor]:
    return [t for key, t in trace.tensors.items() if key.startswith(f"{name}.")]


def facts(case: Case, trace: Trace) -> Observed:
    """Return what holds for the batches of three calls, and for a mistake in them by what it can be recognised."""
    n, size = case.args["n"], case.args["size"]
    calls = [_parts(trace, name) for name in ("batches", "next", "repeated")]
    first = calls[0]
    if not all(t.dim() == 1 and t.dtype == torch.int64 for parts in calls for t in parts) or (not first and size <= n):
        return {"whole": torch.tensor(False)}
    none = torch.zeros(0, dtype=torch.int64)
    rows, following, repeated = (torch.cat([none, *parts]) for parts in calls)
    sizes = torch.tensor([len(t) for t in first], dtype=torch.int64)
    due = torch.tensor([min(size, n - start) for start in range(0, n, size)])
    orders = trace.tensors.get("orders", none.reshape(0, n))
    every = torch.equal(rows.sort().values, torch.arange(n)) and _all_whole(orders)
    same = torch.equal(rows, following)
    drawn = _drawn(orders) if every else ""
    return {
        "whole": torch.tensor(True),
        "fits": torch.tensor(torch.equal(sizes, due)),
        "once": torch.tensor(every),
        "mixed": torch.tensor(not every or (drawn != "straight" if n < MANY else _mixed(first, n))),
        "renewed": torch.tensor(n < MANY or not same),
        "repeats": torch.tensor(torch.equal(rows, repeated)),
        "anew": torch.tensor(n < MANY or size == 1 or _anew(first, calls[1])),
        "evenly": torch.tensor(not drawn),
        "drawn": torch.tensor(DRAWN.index(drawn)),
        "kind": torch.tensor(KINDS.index(_kind(first, rows, sizes, due, n, size))),
    }


KINDS = (
    "",
    "in order",
    "pieces of the order",
    "mixed within pieces",
    "one short",
    "filled up",
    "an empty end",
    "as many as the size",
    "nearly equal",
    "again within a batch",
    "again between batches",
    "from 1",
    "in order, and one short",
    "by their number",
    "short elsewhere",
)
"""What a wrong epoch can look like, by number."""


def _kind(first: Sequence[Tensor], rows: Tensor, sizes: Tensor, due: Tensor, n: int, size: int) -> str:
    """Return by which of the kinds a list of batches is wrong; empty where it is none of them."""
    whole = torch.equal(rows.sort().values, torch.arange(n))
    in_order = len(rows) > 1 and torch.equal(rows, torch.arange(len(rows)))
    if whole and n >= MANY and not in_order and int((rows[1:] - rows[:-1] == 1).sum()) >= n - len(due):
        return "pieces of the order"
    if not torch.equal(sizes, due):
        return _of_sizes(sizes, due, size, n, whole, in_order)
    if not whole:
        found = rows.unique()
        if torch.equal(found, torch.arange(1, n + 1)):
            return "from 1"
        twice = any(len(t.unique()) < len(t) for t in first)
        return "again within a batch" if twice else "again between batches"
    if n < MANY or in_order:
        return "in order" if in_order else ""
    starts = torch.arange(0, n, size)
    return "mixed within pieces" if torch.equal(torch.stack([t.min() for t in first]), starts) else ""


def _of_sizes(sizes: Tensor, due: Tensor, size: int, n: int, whole: bool, in_order: bool) -> str:
    """Return how the sizes of the batches are wrong."""
    if torch.equal(sizes, due[:-1]) and due[-1] < size:
        return "in order, and one short" if in_order else "one short"
    if torch.equal(sizes[:-1], due) and sizes[-1] == 0:
        return "an empty end"
    if torch.equal(sizes, torch.full_like(due, size)):
        return "filled up"
    if whole and torch.equal(sizes.sort(descending=True).values, due):
        return "short elsewhere"
    if whole and len(sizes) == min(size, n):
        return "as many as the size"
    if len(sizes) == len(due) and int(sizes.max() - sizes.min()) <= 1:
        return "nearly equal"
    even = -(-n // len(due))  # what `chunk` makes of a number of batches
    return "by their number" if whole and torch.equal(sizes[:-1], torch.full_like(sizes[:-1], even)) else ""


DRAWN = (
    "",
    "always one",
    "straight",
    "turned",
    "in steps",
    "one in its place",
    "never in its place",
    "not all",
    "unevenly",
)
"""How the orders of many epochs can fail to be drawn alike, by number."""


def _all_whole(orders: Tensor) -> bool:
    """Return whether each of many epochs holds every row once."""
    return bool((orders.sort(dim=1).values == torch.arange(orders.shape[1])).all())


def _drawn(orders: Tensor) -> str:
    """Return in which of the ways the orders of many epochs are not drawn alike; empty where they are."""
    if not len(orders):
        return ""
    n = orders.shape[1]
    found, counts = orders.unique(dim=0, return_counts=True)
    due, possible = len(orders) / math.factorial(n), math.factorial(n)
    if ((counts - due).square() / due).sum() + due * (possible - len(found)) <= UNEVEN:
        return ""
    if len(found) == possible:
        return "unevenly"
    if len(found) == 1:
        return "straight" if bool(((found[:, 1:] - found[:, :-1]).abs() == 1).all()) else "always one"
    places = found.argsort(dim=1)  # of each row
    if bool(((places - places[:, :1]) % n == (places - places[:, :1])[0] % n).all()):
        return "turned"
    hops = (found.roll(-1, 1) - found) % n
    if bool((hops == hops[:, :1]).all()):
        return "in steps"
    if bool((found == found[0]).all(dim=0).any()):
        return "one in its place"
    return "not all" if bool((found == torch.arange(n)).any()) else "never in its place"


def _anew(first: Sequence[Tensor], following: Sequence[Tensor]) -> bool:
    """Return whether fewer than half of the batches hold the same rows as one of the next epoch.

    That even three of eight batches of 60 rows come again in an epoch that is drawn anew has a chance below 1e-20.
    """
    own, again = ([frozenset(t.tolist()) for t in parts] for parts in (first, following))
    return len(own) < 3 or sum(rows in again for rows in own) < len(own) / 2


def _mixed(first: Sequence[Tensor], n: int) -> bool:
    """Return whether an order has few neighbours side by side, and every batch comes from far apart."""
    rows = torch.cat(list(first))
    beside = int(((rows[1:] - rows[:-1]).abs() == 1).sum())
    whole = [t for t in first if len(t) >= 8]
    apart = all(int(t.max() - t.min()) > n / 8 for t in whole)
    moved = int((rows == torch.arange(n)).sum())
    return beside <= n / 4 and moved <= n / 4 and apart


# -- how a mistake is recognised ----------------------------------------------------------------------


def _of_kind(*words: str, least: int = 1) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    """Recognise what is wrong in one way wherever it is wrong in its rows or its sizes: in the first of these, at least so often."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        if not all(bool(o.get("whole", False)) for o in observed):
            return False
        kinds = [KINDS[int(o["kind"])] for o in observed if not (o["fits"] and o["once"] and o["mixed"])]
        return set(kinds) <= set(words) and kinds.count(words[0]) >= least

    return matches


def _without(name: str) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    """Recognise batches that are right one by one, where something does not hold from call to call."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        right = all(bool(o.get("whole", False)) and o["fits"] and o["once"] and o["mixed"] for o in observed)
        return right and any(not o[name] for o in observed)

    return matches


def _all_but(*names: str) -> Callable[[Observed], bool]:
    """Return a test whether all but these facts hold."""
    facts = {"whole", "fits", "once", "mixed", "renewed", "repeats", "anew", "evenly"} - set(names)
    return lambda o: all(bool(o.get(name, False)) for name in facts)


def _same_rows_together(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise batches that hold the same rows in the next epoch, and are right otherwise."""
    return all(map(_all_but("anew", "evenly"), observed)) and any(not o["anew"] for o in observed)


def _with_orders(word: str, *beside: str) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    """Recognise epochs that are not drawn alike in this way, and are right otherwise, or but for some facts beside."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        return all(map(_all_but("evenly", *beside), observed)) and word in {DRAWN[int(o["drawn"])] for o in observed}

    return matches


# -- wrong answers -----------------------------------------------------------------------------------


def _order(n: int, g: Generator) -> Tensor:
    return torch.randperm(n, generator=g)


def _with_replacement(n: int, size: int, g: Generator) -> list[Tensor]:
    return list(torch.randint(n, (n,), generator=g).split(size))


def _anew_for_each_batch(n: int, size: int, g: Generator) -> list[Tensor]:
    return [_order(n, g)[: min(size, n - start)] for start in range(0, n, size)]


def _filled_up(n: int, size: int, g: Generator) -> list[Tensor]:
    order, count = _order(n, g), -(-n // size)
    return list(order.repeat(size)[: count * size].split(size))


def _batches_only(n: int, size: int, g: Generator) -> list[Tensor]:
    parts = [p for p in torch.arange(n).split(size) if len(p) == size]
    rest = torch.arange(n)[len(parts) * size :]
    return [parts[k] for k in _order(len(parts), g)] + ([rest] if len(rest) else [])


def _inside_only(n: int, size: int, g: Generator) -> list[Tensor]:
    return [p[_order(len(p), g)] for p in torch.arange(n).split(size)]


def _same_again(n: int, size: int, g: Generator) -> list[Tensor]:
    return list(_order(n, torch.Generator().manual_seed(0)).split(size))


def _by_hops(n: int, size: int, g: Generator) -> list[Tensor]:
    order, count = _order(n, g), -(-n // size)
    return [order[k::count] for k in range(count)]


def _with_an_end(n: int, size: int, g: Generator) -> list[Tensor]:
    order = _order(n, g)
    return [order[k * size : (k + 1) * size] for k in range(n // size + 1)]


def _fixed(n: int) -> Tensor:
    return torch.randperm(n, generator=Generator().manual_seed(1))


def _fixed_batches(n: int, size: int, g: Generator) -> list[Tensor]:
    parts, full = _fixed(n).split(size), n // size
    return [*(parts[k] for k in _order(full, g)), *parts[full:]]


def _turned(n: int, size: int, g: Generator) -> list[Tensor]:
    return list(_fixed(n).roll(int(torch.randint(n, (1,), generator=g))).split(size))


def _in_steps(n: int, size: int, g: Generator) -> list[Tensor]:
    steps = [k for k in range(1, n + 1) if math.gcd(k, n) == 1]
    if n >= MANY:  # steps of 1, 2 or 3 either way would leave neighbours together
        steps = [k for k in steps if 6 < k < n - 6]
    step, shift = (int(torch.randint(most, (1,), generator=g)) for most in (len(steps), n))
    return list(((torch.arange(n) * steps[step] + shift) % n).split(size))


def _last_stays(n: int, size: int, g: Generator) -> list[Tensor]:
    return list(torch.cat([_order(n - 1, g), torch.tensor([n - 1])]).split(size))


def _exchanged(n: int, size: int, g: Generator, least: int, most: Callable[[int], int]) -> list[Tensor]:
    """Exchange each place, from the last down to one, with a place drawn from so many."""
    rows = list(range(n))
    for k in range(n - 1, least - 1, -1):
        other = int(torch.randint(most(k), (1,), generator=g))
        rows[k], rows[other] = rows[other], rows[k]
    return list(torch.tensor(rows).split(size))


_ROWS = (
    Mistake(
        "draws with replacement",
        _with_replacement,
        "Some rows come several times in your epoch, even within one batch, and others do not come at all.",
        "Each row number was drawn from all of them again. After n draws about a third of the rows have never been seen.",
        "Think of a pack of cards that is dealt out. Which function of torch gives every number exactly once?",
        matches=_of_kind("again within a batch", "again between batches", "filled up"),
    ),
    Mistake(
        "draws a new order for each batch",
        _anew_for_each_batch,
        "Within a batch no row comes twice, and from batch to batch rows come again.",
        "The order is drawn anew in each round of the loop, so that a batch does not know what the ones before it took.",
        "How often does your line with `randperm` run in one epoch? One order is enough for all batches.",
        matches=_of_kind("again between batches", "filled up"),
    ),
    Mistake(
        "counts from 1",
        lambda n, size, g: list((_order(n, g) + 1).split(size)),
        "Your rows run from 1 to n. Row 0 is never looked at, and row n does not exist.",
        "The rows of a tensor are counted from 0, and so is what `randperm` gives.",
        "What does `X[batch]` do with the number n when X has n rows?",
        matches=_of_kind("from 1"),
    ),
    Mistake(
        "leaves the rows in order",
        lambda n, size, g: list(torch.arange(n).split(size)),
        "Your batches hold the rows in the order of the data, 0, 1, 2 and so on.",
        "Nothing is drawn. If the data are sorted by class, a batch has one class alone, and its slope says what suits that one.",
        "Print your first batch for sixty rows. From where should its rows come?",
        matches=_of_kind("in order"),
    ),
    Mistake(
        "mixes whole batches only",
        _batches_only,
        "The batches come in an order drawn by chance, and each of them holds neighbours.",
        "The rows were cut into batches first and mixed afterwards. So the same rows stand together in every epoch.",
        "Which comes first in your code, the cutting or the drawing? Exchange them.",
        matches=_of_kind("pieces of the order", "short elsewhere", ""),
    ),
    Mistake(
        "mixes inside each batch only",
        _inside_only,
        "Within a batch the order is drawn, and each batch has the same rows in every epoch: the first the smallest numbers.",
        "The rows were cut into batches first. For the mean over a batch the order inside it does not matter at all.",
        "Which rows can come into your first batch? All of them should have a chance.",
        matches=_of_kind("mixed within pieces"),
    ),
)

_SIZES = (
    Mistake(
        "drops the last short batch",
        lambda n, size, g: [p for p in _order(n, g).split(size) if len(p) == size] or [_order(n, g)],
        "Where the rows do not fit, the last batch is missing, and a few rows of the epoch with it.",
        "The loop runs `n // size` times and forgets the rest, or a short batch is thrown away. An epoch holds every row.",
        "How many batches have 7 rows in batches of 3? What does `7 // 3` say?",
        matches=_of_kind("one short"),
    ),
    Mistake(
        "fills the last batch up",
        _filled_up,
        "Your last batch has as many rows as the others. To get there, some rows come twice.",
        "Rows that were used already fill the gap. In this epoch they count double.",
        "What should the last batch of 7 rows in batches of 3 hold? A short batch is no harm, if its own mean is taken.",
        matches=_of_kind("filled up"),
    ),
    Mistake(
        "ends with an empty batch",
        _with_an_end,
        "Where the rows fit exactly, a batch without any row stands at the end.",
        "The loop runs once too often: `n // size + 1` is right only if something is left over.",
        "How many batches have 8 rows in batches of 4? And what is the mean of a batch without rows?",
        matches=_of_kind("an empty end"),
    ),
    Mistake(
        "makes as many batches as the size says",
        lambda n, size, g: list(_order(n, g).tensor_split(min(size, n))),
        "You return `size` batches. What is asked for are batches of `size` rows.",
        "`chunk` and `tensor_split` are told how many pieces to make. `split` is told how long a piece is.",
        "How many batches have 7 rows in batches of 3, and how many rows has each of them?",
        matches=_of_kind("as many as the size", "", least=2),
    ),
    Mistake(
        "deals the rows out evenly",
        _by_hops,
        "You have the right number of batches, and their sizes are nearly equal.",
        "The rows were dealt out one by one, or by `tensor_split`. Then no batch is short, and most of them are not full.",
        "Write down the sizes for 60 rows in batches of 8. Seven batches are full, and how long is the last one?",
        matches=_of_kind("nearly equal", "as many as the size"),
    ),
    Mistake(
        "puts the short batch in another place",
        lambda n, size, g: (
            [order[:first], *order[first:].split(size)]
            if (first := n % size) and first < len(order := _order(n, g))
            else list(_order(n, g).split(size))
        ),
        "Every batch has the right size but for its place: the short one is not the last.",
        "What is left over was cut off first, or the batches were put into another order after the cutting.",
        "Print the sizes for 7 rows in batches of 3. In which place stands the 1?",
        matches=_of_kind("short elsewhere"),
    ),
    Mistake(
        "asks for a number of batches",
        lambda n, size, g: list(_order(n, g).chunk(-(-n // size))),
        "The sizes of your batches are alike but for the last, and for some numbers of rows none of them is `size`.",
        "`chunk` is told how many pieces to make, and makes them as long as each other. `split` is told how long a piece is.",
        "Try `torch.arange(9).chunk(3)` and `torch.arange(9).split(4)`. In which of them do the batches have 4 rows?",
        matches=_of_kind("by their number", "nearly equal"),
    ),
    Mistake(
        "leaves the rows in order, and drops the last short batch",
        lambda n, size, g: [p for p in torch.arange(n).split(size) if len(p) == size] or [torch.arange(n)],
        "Your batches hold the rows in the order of the data, and where they do not fit some are missing at the end.",
        "Two things at once: nothing is drawn, and a batch that is not full is thrown away. So the same rows are never seen.",
        "Draw an order first. Then cut it with `range(0, n, size)`, and look at what becomes of the last piece.",
        matches=_of_kind("in order, and one short", "in order"),
    ),
)

_CHANCE = (
    Mistake(
        "gives the same order at each call",
        _same_again,
        "Two calls in a row give the very same batches: every epoch is the same.",
        "A seed is set inside the function, or the generator is set back. Then the draw begins at the same place each time.",
        "Look for `manual_seed`, `initial_seed` and `Generator()` in your code. Draw from the generator as it comes.",
        matches=_without("renewed"),
    ),
    Mistake(
        "does not draw from the generator",
        lambda n, size, g: list(torch.randperm(n).split(size)),
        "Two generators with the same seed give different batches.",
        "You draw from the generator that all of the program shares. Whoever sets the seed of `generator` cannot repeat the epoch.",
        "Which argument of your function has no effect? `torch.randperm` takes it by name.",
        matches=_without("repeats"),
    ),
)

_BY_A_RULE = (
    Mistake(
        "turns one order round",
        _turned,
        "Each of your epochs goes round the same circle of rows, and begins at another place.",
        "An order is shifted by a number that is drawn. For 5 rows that gives 5 orders, and there are 120. Whoever stands side by side "
        "stays so.",
        "Which row follows after row 0 in your epochs? Print it for ten epochs of five rows.",
        matches=_with_orders("turned", "mixed", "renewed", "anew"),
    ),
    Mistake(
        "goes through the rows in steps of one length",
        _in_steps,
        "From each row to the next it is equally far in your epochs, counted round the end.",
        "Two numbers are drawn, a length and a start, and they fix all rows. For 5 rows that gives 20 orders, and there are 120.",
        "Take the first two rows of an epoch. Can you tell all others from them? In an order drawn by chance nobody can.",
        matches=_with_orders("in steps", "mixed", "renewed", "anew"),
    ),
)

_LIKELY = (
    Mistake(
        "draws the order of the batches only",
        _fixed_batches,
        "Your rows are mixed, and in the next epoch the same rows stand together again, batch by batch.",
        "The order of the rows was found once, and is not drawn from `generator`. What you draw is which batch comes first. So there are "
        "only a few slopes, the same in every epoch.",
        "Sort the first batch, and look for the same rows in the next epoch. Which of your lines should draw, and does not?",
        matches=_same_rows_together,
    ),
    Mistake(
        "leaves a row in its place",
        _last_stays,
        "One of the places has the same row in every epoch.",
        "A row is left out of the draw, as by `randperm(n - 1)`, or the rows of the short batch are set aside first. It never "
        "stands together with some of the others.",
        "Print the last row of ten epochs of five rows. How many numbers can your draw give?",
        matches=_with_orders("one in its place"),
    ),
    Mistake(
        "lets no row stay in its place",
        lambda n, size, g: _exchanged(n, size, g, 1, lambda k: k),
        "In no epoch of yours a row stands in the place of its own number.",
        "Each place is exchanged with one before it, and never with itself. To stay has to be possible, too. Of the 120 "
        "orders of 5 rows 24 are left.",
        "With two rows there are two orders. Which of them does your code give?",
        matches=_with_orders("never in its place"),
    ),
    Mistake(
        "prefers some orders",
        lambda n, size, g: _exchanged(n, size, g, 0, lambda k: n),
        "All orders come in your epochs, and some of them far more often than others.",
        "If each place is exchanged with one drawn from all n, there are n to the power of n ways. They cannot be shared out evenly "
        "among n! orders.",
        "Count the six orders of three rows in 2,700 epochs. In how many ways can your code draw, and is that a multiple of 6?",
        matches=_with_orders("unevenly"),
    ),
)

MISTAKES = (*_BY_A_RULE, *_ROWS, *_SIZES, *_CHANCE, *_LIKELY)
