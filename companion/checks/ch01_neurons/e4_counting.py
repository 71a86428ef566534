"""Known mistakes of exercise 01.4 in counting: training goes right, and the list of mistakes does not tell of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.ch01_neurons.e4_training import training
from companion.checks.numbers import F64
from companion.checks.trace import Case

Write = Callable[[Tensor], Tensor]
"""From the errors (epochs, N), each -1, 0 or 1, to the list that is handed back."""


def _errors(X: Tensor, y: Tensor, epochs: int) -> Tensor:
    """Return the error of each row in each epoch of a perceptron that trains on to the end: (epochs, N)."""
    weight, bias = torch.zeros_like(X[0]), torch.zeros_like(y[0])
    errors = torch.zeros(epochs, len(X), dtype=F64)
    for epoch in errors:
        for n, (x, target) in enumerate(zip(X, y)):
            error = target - (x @ weight + bias >= 0).to(X.dtype)
            weight, bias = weight + error * x, bias + error
            epoch[n] = error
        if not bool(epoch.any()):
            break  # nothing changes from here on
    return errors


def _lists(*writes: Write) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    """Return a test whether all lists are written in one of these ways, whenever training stopped."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        if any(set(o) != {"weight", "bias", "mistakes"} or o["mistakes"].dim() != 1 for o in observed):
            return False
        errors = [_errors(*c.args.values()) for c in cases]
        return any(all(_is_written(w, *each) for each in zip(cases, observed, errors)) for w in writes)

    return matches


def _is_written(write: Write, case: Case, seen: Observed, errors: Tensor) -> bool:
    """Return whether this is what a way of writing makes of the first epochs, beside the weights after these."""
    for n in range(1, len(errors) + 1):
        due = write(errors[:n])
        if due.shape == seen["mistakes"].shape and torch.equal(due, seen["mistakes"].to(F64)):
            weight, bias, _ = training(until="the end")(case.args["X"], case.args["y"], n)
            pairs = ((weight, seen["weight"]), (bias, seen["bias"]))
            return all(a.shape == b.shape and torch.allclose(a.to(F64), b.to(F64), 1e-4, 1e-5) for a, b in pairs)
    return False


def _signed(errors: Tensor) -> Tensor:
    return errors.sum(dim=1)


def _signed_total(errors: Tensor) -> Tensor:
    return _signed(errors).cumsum(dim=0)


def _total(errors: Tensor) -> Tensor:
    return (errors != 0).to(F64).sum(dim=1).cumsum(dim=0)


def _of_one_tensor(write: Write) -> Write:
    """Return a list that holds one tensor again and again: every entry shows its last value."""
    return lambda errors: write(errors)[-1].expand(len(errors))


def _missed(errors: Tensor) -> Tensor:
    return (errors > 0).to(F64).sum(dim=1)


def _false_alarms(errors: Tensor) -> Tensor:
    return (errors < 0).to(F64).sum(dim=1)


def _row_by_row(errors: Tensor) -> Tensor:
    return (errors != 0).to(F64).cumsum(dim=1).flatten()


def _written(write: Write) -> Callable[..., tuple[Tensor, Tensor, list[int]]]:
    """Return a training that goes on to the end and writes its list in this way."""

    def train(X: Tensor, y: Tensor, max_epochs: int) -> tuple[Tensor, Tensor, list[int]]:
        weight, bias, _ = training(until="the end")(X, y, max_epochs)
        return weight, bias, [int(n) for n in write(_errors(X, y, max_epochs))]

    return train


COUNTING = (
    Mistake(
        "never sets the count back",
        training(reset_count=False),
        "The numbers of your list never fall: each holds the mistakes of all epochs up to its own.",
        "The count begins once and is carried on, so you list a running total. The mistakes of one epoch need a fresh "
        "count.",
        "Take the differences of neighbours in your list: do they tell what the task asks for? Then look where your "
        "count begins.",
        matches=_lists(_total),
    ),
    Mistake(
        "adds up the errors with their sign",
        training(counts=int),
        "A number of your list is negative, or smaller than the mistakes of its epoch, and may be 0 too early.",
        "You add up the errors themselves, and a missed example, +1, cancels a false alarm, -1. Such a sum is the "
        "balance of the mistakes; the task asks how many there were.",
        "Write down the error of each row in the first epoch of OR. How many of these differ from 0, and what is their "
        "sum?",
        matches=_lists(_signed),
    ),
    Mistake(
        "adds up the errors with their sign, and never sets the count back",
        _written(_signed_total),
        "Your list goes down as well as up, and goes on from where the epoch before has left off.",
        "Two things at once. An error of -1 takes a mistake away where it should add one; and the count is not set back "
        "to 0 when an epoch begins, so that it holds all epochs up to its own.",
        "Print the count at the start of each epoch, and what one row adds to it. What should the first be, and can the "
        "second ever be less than 0?",
        matches=_lists(_signed_total, _of_one_tensor(_signed_total)),
    ),
    Mistake(
        "lists one tensor again and again",
        _written(_of_one_tensor(_total)),
        "All numbers of your list are the same: each is the count of the whole training, not that of its epoch.",
        "Your count is one tensor that lives through all epochs. `+=` changes it in place, and the list holds that one "
        "tensor several times: every entry shows its latest value.",
        "Where in your two loops does the count begin? Append `int(count)`, a plain number, and print the list again: "
        "what does each entry stand for now?",
        matches=_lists(_of_one_tensor(_total)),
    ),
    Mistake(
        "counts one kind of mistake only",
        training(counts=lambda error: int(error > 0)),
        "Your weights are right, and your list misses mistakes: an epoch with errors is listed with fewer, or with 0.",
        "There are two kinds: a row that should fire and rests has the error +1, one that fires and should rest has -1. "
        "Your condition sees one of them.",
        "Take a single row with the target 0, on which the first neuron fires. What is its error, and does your count "
        "notice it?",
        matches=_lists(_missed, _false_alarms),
    ),
    Mistake(
        "writes the count down after each row",
        _written(_row_by_row),
        "Your list has an entry for each row, not for each epoch: within an epoch the count grows step by step.",
        "The line that writes the count down stands inside the loop over the rows, so it runs once per row. What belongs "
        "to an epoch happens after its last row.",
        "Compare the length of your list with `max_epochs`. By how many spaces is the `append` indented, and which of "
        "the two loops does it belong to?",
        matches=_lists(_row_by_row),
    ),
    Mistake(
        "stops when the last row is right",
        training(until="a last row that is right"),
        "Your training ends although its last epoch had mistakes: your lists stop before they come to 0.",
        "After the loop over the rows, the name of the error still holds that of the last row. Whether to stop is a "
        "question about all rows of the epoch, and you ask one of them.",
        "Print the count of each epoch beside the value that your `if` looks at. In which epoch do the two disagree "
        "about stopping?",
    ),
)
"""The known mistakes of 01.4 that lie in the list, or in when it ends."""
