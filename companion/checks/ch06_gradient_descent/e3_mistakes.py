"""What goes wrong with the batches of an epoch (exercise 06.3), how it is recognised, and what to say about it.

An epoch is drawn by chance, in more ways than one. So nothing is compared with the reference: what is looked at is
which rows there are, in which sizes, and what changes from call to call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case, Trace

Batches = Callable[[int, int, Generator], object]
MANY = 40
"""From how many rows on an order can be said to be mixed, and two orders to differ."""


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
    every = torch.equal(rows.sort().values, torch.arange(n))
    same = torch.equal(rows, following)
    return {
        "whole": torch.tensor(True),
        "fits": torch.tensor(torch.equal(sizes, due)),
        "once": torch.tensor(every),
        "mixed": torch.tensor(n < MANY or not every or _mixed(first, n)),
        "renewed": torch.tensor(n < MANY or not same),
        "repeats": torch.tensor(torch.equal(rows, repeated)),
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

MISTAKES = (*_ROWS, *_SIZES, *_CHANCE)
