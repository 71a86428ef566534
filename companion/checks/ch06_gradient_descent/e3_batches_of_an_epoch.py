"""Exercise 06.3: batches of an epoch."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Verdict, exercise
from companion.checks.ch06_gradient_descent.e3_mistakes import EPOCHS, FEW, MISTAKES, facts
from companion.checks.trace import Call, Case, Trace


def batches(n: int, size: int, generator: torch.Generator) -> list[torch.Tensor]:
    """Return the rows 0 to n - 1 in an order drawn by chance, in batches of a size; the last may be shorter."""
    order = torch.randperm(n, generator=generator)
    return [order[start : start + size] for start in range(0, n, size)]


def _by_split(n: int, size: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    return torch.randperm(n, generator=generator).split(size)


def _by_sorting_noise(n: int, size: int, generator: torch.Generator) -> list[Tensor]:
    rows = torch.rand(n, generator=generator, dtype=torch.float64).argsort().tolist()
    made = []
    while rows:
        made.append(torch.tensor(rows[:size]))
        rows = rows[size:]
    return made


def _by_exchanging(n: int, size: int, generator: torch.Generator) -> list[Tensor]:
    """Exchange each place with one that is drawn from those up to it."""
    rows = list(range(n))
    for last in range(n - 1, 0, -1):
        other = int(torch.randint(last + 1, (1,), generator=generator))
        rows[last], rows[other] = rows[other], rows[last]
    return [torch.tensor(rows[i * size : (i + 1) * size]) for i in range(-(-n // size))]


def _by_weights(n: int, size: int, generator: torch.Generator) -> list[Tensor]:
    order = torch.ones(n).multinomial(n, replacement=False, generator=generator)
    return list(order.chunk(1)[0].split(size))


def _cases(seed: int) -> list[Case]:
    def case(name: str, n: int, size: int, *, example: bool = False) -> Case:
        given = {"n": n, "size": size, "generator": 20 * seed + n + size}
        return Case(name, given, example=example, seed=7919 * (seed + 1) + n)

    return [
        case("seven rows in batches of three", 7, 3, example=True),
        case("eight rows in batches of four", 8, 4),
        case("a batch larger than all rows", 5, 64),
        case("a batch of all rows", 6, 6),
        case("batches of one", 4, 1),
        case("a single row", 1, 1),
        case(f"{EPOCHS} epochs of five rows in batches of two", *FEW),
        case("sixty rows in batches of eight", 60, 8),
        case("the 1,347 pictures of the chapter in batches of 64", 1347, 64),
    ]


def _script(case: Case) -> list[Call]:
    n, size, seed = case.args.values()
    names = ("n", "size", "generator")

    def call(chance: str, what: str) -> list[Call]:
        return [
            Call("batches", (n, size, f"${chance}"), names, keep=what),
            Call("@listed", (f"${what}",), returns=(what,)),
        ]

    many = [  # before anything is kept: `$batches` is the learner's function here, and later what came back
        Call("@generator", (seed,), keep="many"),
        Call("@orders", ("$batches", n, size, "$many", EPOCHS), returns=("orders",)),
    ]
    return [
        *(many if (n, size) == FEW else []),
        Call("@generator", (seed,), keep="one"),
        Call("@generator", (seed,), keep="alike"),
        *call("one", "batches"),
        *call("one", "next"),
        *call("alike", "repeated"),
    ]


def _observe(case: Case, trace: Trace) -> Observed:
    return facts(case, trace)


_WHOLE = (
    "Each batch should be a tensor with one axis that holds whole numbers (int64).",
    "The numbers are used as `X[batch]`, which picks rows. Decimal numbers, a table or a plain list pick something else or nothing.",
    "Print the first batch with its shape and its dtype.",
)
_SIZES = (
    "every one but the last should have {size} rows, and the last what is left, at least one.",
    "The rows are dealt out in batches of `size` until none is left. A batch without rows has no mean, so there is none.",
    "Write the sizes for 7 rows in batches of 3 on paper: 3, 3 and 1. Which sizes does your code give for the case shown?",
)
_ONCE = (
    "an epoch should hold each of the numbers from 0 to {last} exactly once, and yours does not.",
    "In an epoch each example is looked at once. A row that is missing is not learned in it, and one that comes twice counts double.",
    "Put all batches together with `torch.cat`, sort, and compare with `torch.arange(n)`.",
)
_MIXED = (
    "the rows of your batches are not mixed well: too many neighbours stand together, or keep their order.",
    "If the rows are sorted by class, neighbours are alike. A batch has to be drawn from everywhere to stand for all the data.",
    "Print the first batch of sixty rows. From which part of 0 to 59 do its rows come?",
)
_RENEWED = (
    "two calls in a row with the same generator give the same batches.",
    "A generator moves on whenever something is drawn from it. Yours was set back, or another one with a fixed seed was used.",
    "Look for `manual_seed`, `initial_seed` and `Generator()` in your code. Whose task is it to choose the seed?",
)
_FROM_IT = (
    "two generators with the same seed give different batches.",
    "Something is drawn from elsewhere than from `generator`. Then nobody can repeat your training.",
    "Which functions of yours draw? Each of them needs `generator=generator`.",
)
_ANEW = (
    "half of your batches or more hold the same rows in two epochs, one after the other.",
    "Which rows stand together is to be drawn anew. The same batches again give the same few slopes again, in another order.",
    "Keep the first batch of one epoch, sorted. Is there a batch with the same rows in the next epoch?",
)
_EVENLY = (
    "some orders of the rows never come, or come far more often than others.",
    "Any rows must be able to stand together, and none may have a place of its own. Otherwise the batches lean to one side.",
    "Count the orders of 600 epochs of 3 rows with `collections.Counter`. There are six. How often should each of them come?",
)


def _judge(case: Case, observed: Observed, expected: Observed) -> Verdict:
    n, size = case.args["n"], case.args["size"]
    told = {
        "whole": _WHOLE,
        "fits": _SIZES,
        "once": _ONCE,
        "mixed": _MIXED,
        "renewed": _RENEWED,
        "repeats": _FROM_IT,
        "anew": _ANEW,
        "evenly": _EVENLY,
    }
    for name, (seen, why, next) in told.items():
        if not observed.get(name, False):
            seen = seen.format(size=size, last=n - 1)
            return (seen if name == "whole" else f"With {case.name}, {seen}", why, next)
    return None


@exercise("06.3", title="Batches of an epoch", points=2)
class BatchesOfAnEpoch:
    """Every row once, in an order drawn by chance."""

    reference = batches
    read = "All, one, or a few"
    returns = (Out("batches", "tensors"),)
    script = _script
    observe = _observe
    judge = _judge
    random = True  # told as a mistake of its own, because chance is part of this task
    statement = r"""
        An epoch goes through all examples once, in batches. Which examples stand together is drawn anew for each epoch, so that
        a batch stands for all the data even if the rows are sorted.

        Write `batches(n, size, generator)`. It returns the batches of one epoch: a list of tensors of whole numbers (int64) with
        one axis each. They hold the row numbers, so that `X[batch]` picks the examples.

        * Every number from 0 to n - 1 stands in exactly one batch.
        * Every batch has `size` rows, but for the last one. It holds what is left and may be shorter, and it is never empty.
        * The order is drawn by chance from `generator`, a `torch.Generator`. Every order of all rows is to be possible,
          and as likely as any other.
        * Whoever calls you has set the generator's seed. The next call with the same generator gives another epoch, and two
          generators with the same seed give the same one.

        Example: `batches(7, 3, torch.Generator().manual_seed(0))` may be `[tensor([2, 5, 0]), tensor([1, 6, 3]), tensor([4])]`.
        Your order may be another one, as there is more than one way to draw from a generator. The sizes 3, 3 and 1 may not.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "split, in a tuple": _by_split,
        "by sorting noise": _by_sorting_noise,
        "by exchanging places": _by_exchanging,
        "drawn without replacement": _by_weights,
    }
    hints = (
        "Two steps: bring all row numbers into an order drawn by chance, then cut this order into pieces.",
        "`torch.randperm` gives each number below n once, and takes a `generator`. A piece is `order[start : start + size]`.",
        "`start` goes through `range(0, n, size)`. A slice that reaches beyond the end stops there by itself, so that the last "
        "piece needs no line of its own.",
    )
