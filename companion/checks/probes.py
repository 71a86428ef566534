"""Where wrong values are wrong, for answers that no known mistake explains: which result, which entries, which argument.

Everything is found by comparing traces: those of the cases, and those of a case in which one argument was moved. What
is said names a place and never a number that should come out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from companion.checks.levels import close, near
from companion.checks.trace import Case, Finding

Values = Mapping[str, Tensor]
Again = Callable[[Case], tuple[Values, Values] | None]
"""Runs the learner's answer and the right one on another case; ``None`` where that is not possible."""


def where_wrong(
    shown: tuple[Case, Values, Values],
    tolerance: float,
    wrong: Sequence[tuple[Case, Values, Values]],
    fine: Sequence[Case] = (),
    again: Again | None = None,
) -> Finding | None:
    """Return the most telling thing that can be said about wrong values, or ``None``.

    Args:
        shown: the case that is shown, with the learner's results and the right ones.
        tolerance: up to which numbers are the same.
        wrong: all cases that are wrong, likewise.
        fine: those that are right.
        again: runs both on another case.
    """
    _, mine, right = shown
    if found := _length(mine, right):
        return found
    if again and (found := _without_effect([c for c, *_ in wrong[:4]], fine[:3], tolerance, again)):
        return found
    return _entries([shown, *wrong], tolerance) or _which(mine, right, tolerance)


# -- which result ------------------------------------------------------------------------------------


def _which(mine: Values, right: Values, tolerance: float) -> Finding | None:
    """Say which of several results are right and which are not."""
    wrong = [name for name in right if name not in mine or not close(mine[name], right[name], tolerance)]
    fine = [name for name in right if name not in wrong]
    if not wrong or not fine:
        return None
    first, be = _list(wrong[:1]), "is" if len(fine) == 1 else "are"
    where = f"in a line that is there for {first} alone"
    if len(wrong) > 1:
        where = f"in a line behind {first}, perhaps behind {_list(wrong[1:])} as well"
    return Finding(
        f"{_list(fine)} {be} right; {_list(wrong)} {'is' if len(wrong) == 1 else 'are'} not.",
        f"So the lines that make {_list(fine)} need no change. The mistake is {where}.",
        f"Find each line of yours that gives {first} a value, and do these lines on paper with the input shown. Which is "
        "the first after which your paper and a `print` differ?",
    )


def _list(names: Sequence[str]) -> str:
    quoted = [f"`{n}`" for n in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _length(mine: Values, right: Values) -> Finding | None:
    """Say that a list is too long or too short."""
    for name, due in right.items():
        came = mine.get(name)
        if came is None or came.dim() != 1 or due.dim() != 1 or len(came) == len(due):
            continue
        n = min(len(came), len(due))
        if not close(came[:n], due[:n], 1e-6):
            continue  # something else is wrong before its end
        way = "long" if len(came) > len(due) else "short"
        return Finding(
            f"`{name}` is too {way}: it has {len(came)} {'entry' if len(came) == 1 else 'entries'}.",
            "The loop runs once too often, or stops too early: a limit is off by one, or is looked at in the wrong place.",
            "Count the rounds for the smallest limit there is. Is the condition asked before or after something is appended?",
        )
    return None


# -- which entries -----------------------------------------------------------------------------------


def _entries(wrong: Sequence[tuple[Case, Values, Values]], tolerance: float) -> Finding | None:
    """Say which entries of the one result are wrong, where an argument of the same shape tells them apart every time."""
    common: set[str] | None = None
    order: list[str] = []
    for case, mine, right in wrong:
        (name, *others), came = right, mine.get(next(iter(right)))
        if others or came is None or came.shape != right[name].shape:
            return None
        off = ~near(came, right[name], tolerance)
        fitting = [words for words, these in _places(case, right[name]) if torch.equal(these, off)]
        common, order = (set(fitting) if common is None else common & set(fitting)), order or fitting
        if off.numel() < 2 or bool(off.all()) or not common:
            return None
    case, mine, right = wrong[0]
    words = next(w for w in order if common and w in common)
    these = dict(_places(case, next(iter(right.values()))))[words]
    return Finding(*_said(words, next(iter(mine.values()))[these]))


def _said(words: str, values: Tensor) -> tuple[str, str, str]:
    """Return the three parts for wrong entries in a place that has a name."""
    alike = values.numel() > 1 and bool((values == values[0]).all())
    more = ", and there every entry is the same" if alike else ""
    why = "That part of the definition is written otherwise in your code; the rest of it is right."
    if alike:
        why = "There your result does not depend on the entry at all: a constant stands where a formula should."
    return (
        f"Your result is wrong exactly where {words}{more}.",
        why,
        "Take one such entry, put it into the formula of the task, and follow it through your code.",
    )


def _places(case: Case, like: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Yield names of places and which entries lie there, from arguments that fit the result entry by entry."""
    scalars = {
        n: a for n, a in case.args.items() if isinstance(a, int | float) or (isinstance(a, Tensor) and not a.dim())
    }
    for name, argument in case.args.items():
        if not isinstance(argument, Tensor) or argument.shape != like.shape:
            continue
        for other, value in scalars.items():
            if float(value) != 0:
                yield f"`{name}` equals `{other}`", argument == value
                yield f"`{name}` is above `{other}`", argument > value
                yield f"`{name}` is `{other}` or above", argument >= value
                yield f"`{name}` is below `{other}`", argument < value
                yield f"`{name}` is `{other}` or below", argument <= value
        yield f"`{name}` is 0", argument == 0
        yield f"`{name}` is negative", argument < 0
        yield f"`{name}` is 0 or negative", argument <= 0
        yield f"`{name}` is positive", argument > 0
        yield f"`{name}` is 0 or positive", argument >= 0
    if like.dim() >= 1 and len(like) > 1:
        rows = torch.arange(len(like)).reshape(-1, *[1] * (like.dim() - 1)).expand(like.shape)
        yield "it is not the first row" if like.dim() > 1 else "it is not the first entry", rows > 0
        yield "it is the first row" if like.dim() > 1 else "it is the first entry", rows == 0
        yield "it is the last row" if like.dim() > 1 else "it is the last entry", rows == len(like) - 1


# -- which argument ----------------------------------------------------------------------------------


def _without_effect(wrong: Sequence[Case], fine: Sequence[Case], tolerance: float, again: Again) -> Finding | None:
    """Say which argument never makes a difference to the answer although it should, or which part where it is wrong."""
    moves = [(case, dict(_moved(case))) for case in (*wrong, *fine)]
    for words in dict.fromkeys(w for _, each in moves for w in each):
        telling = 0
        for case, each in moves[: len(wrong)] if words.startswith("the ") else moves:
            before, after = again(case), again(each[words]) if words in each else None
            if before is None or after is None:
                continue
            mine_stays, right_stays = (
                all(_same(x.get(n), y.get(n), tolerance) for n in y) for x, y in zip(after, before)
            )
            if not mine_stays:
                telling = 0
                break
            telling += not right_stays
        if telling:
            return Finding(
                f"Your result does not change when {words} changes.",
                "What is written there is never read, or is overwritten before it is used, or a fixed number stands in its place.",
                "Look for every place where your code reads it. Does each case of the task reach that place?",
            )
    return None


def _same(one: Tensor | None, other: Tensor | None, tolerance: float) -> bool:
    return one is not None and other is not None and close(one, other, tolerance)


def _moved(case: Case) -> Iterator[tuple[str, Case]]:
    """Yield the case with one argument moved, and what was moved: a number, a whole tensor, a last column or row."""
    for name, value in case.args.items():
        if isinstance(value, bool):
            yield f"`{name}`", _with(case, name, not value)
        elif isinstance(value, float):
            yield f"`{name}`", _with(case, name, value * 0.5 + 0.125)
        elif isinstance(value, Tensor) and value.is_floating_point() and value.numel():
            moved = value * 0.75 + 0.375
            yield f"`{name}`", _with(case, name, moved)
            if value.dim() and value.shape[-1] > 1:
                part = value.clone()
                part[..., -1] = moved[..., -1]
                yield f"the last {'column' if value.dim() > 1 else 'entry'} of `{name}`", _with(case, name, part)
            if value.dim() > 1 and len(value) > 1:
                part = value.clone()
                part[-1] = moved[-1]
                yield f"the last row of `{name}`", _with(case, name, part)


def _with(case: Case, name: str, value: object) -> Case:
    return dataclasses.replace(case, args={**case.args, name: value})
