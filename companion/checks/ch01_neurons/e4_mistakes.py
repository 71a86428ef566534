"""Known mistakes of exercise 01.4: training loops that go wrong, and what to say about each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.ch01_neurons.e4_counting import COUNTING
from companion.checks.ch01_neurons.e4_training import step, training
from companion.checks.numbers import F64
from companion.checks.trace import Case


def _strict_step(z: Tensor) -> Tensor:
    return (z > 0).to(z.dtype)


def _sum_itself(z: Tensor) -> Tensor:
    return z


def _on_gates(cases: Sequence[Case], observed: Sequence[Observed]) -> list[Observed]:
    """Return what was observed on the gates, whose inputs are all 0 or 1."""
    return [o for c, o in zip(cases, observed) if bool(((c.args["X"] == 0) | (c.args["X"] == 1)).all())]


def _is_scaled(answer: Callable[[Tensor], Tensor]) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    """Return a test whether all is as with another learning rate, which is read from the first case."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        if any(set(seen) != {"weight", "bias", "mistakes"} for seen in observed):
            return False
        right, first = training(answer=answer)(**cases[0].args)[0].to(F64), observed[0]["weight"].to(F64)
        if first.shape != right.shape or float(first @ right) <= 0:
            return False
        lr = float(first @ right / (right @ right))
        return abs(lr - 1) > 1e-3 and all(_trained_at(lr, answer, c, o) for c, o in zip(cases, observed))

    return matches


def _trained_at(lr: float, answer: Callable[[Tensor], Tensor], case: Case, seen: Observed) -> bool:
    """Return whether this is a training times lr, or with lr: rounding makes the two differ at times."""
    weight, bias, history = training(answer=answer)(**case.args)
    for theirs in ((lr * weight, lr * bias, history), training(answer=answer, lr=lr)(**case.args)):
        pairs = [(seen[k], torch.as_tensor(t)) for k, t in zip(("weight", "bias", "mistakes"), theirs)]
        if all(a.shape == b.shape and torch.allclose(a.to(F64), b.to(F64), 1e-4, 1e-5) for a, b in pairs):
            return True
    return False


def _keeps_a_fraction(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Return whether the same fraction is left in the weights of every gate: the mark of a random start."""
    fractions = [o["weight"].to(F64) % 1 for o in _on_gates(cases, observed) if "weight" in o]
    if not fractions or any(f.shape != (2,) for f in fractions):
        return False
    whole = torch.minimum(fractions[0], 1 - fractions[0]) < 1e-5
    return not bool(whole.any()) and all(torch.allclose(f, fractions[0], atol=1e-5) for f in fractions)


MISTAKES = (
    Mistake(
        "never stops early",
        training(until="the end"),
        "Your list goes on with zeros up to max_epochs, although an epoch without a mistake lies far back.",
        "Without a mistake nothing changes, so each later epoch repeats that one. A 0 is the sign that the perceptron "
        "has converged, and your loop does not look at it.",
        "Print the number of the epoch and its mistakes. After which line of the printout is there nothing left to "
        "learn?",
    ),
    Mistake(
        "does not list the last epoch",
        training(keep_zero=False),
        "Your weight and bias are right; your list ends one epoch short, before the epoch without a mistake.",
        "You leave the loop before its last count is written down. Without that 0 nobody can tell from the list "
        "whether training converged or ran out of epochs.",
        "Follow the last epoch through your code on paper, line by line. In which order do the test and the writing "
        "down come?",
    ),
    Mistake(
        "changes the weights once per epoch",
        training(batch=True),
        "All rows of an epoch were judged with the weights that it began with: a mistake leaves the next prediction "
        "untouched.",
        "You collect the corrections and apply them at the end of the epoch. That is learning in batches; the "
        "perceptron changes after each row, and the next row meets the new weights.",
        "Print the weights that each row is judged with during the first epoch of OR. At which row should they be "
        "different for the first time?",
    ),
    Mistake(
        "starts each epoch from 0",
        training(reset_weights=True),
        "Your list repeats one number: every epoch makes the same mistakes as the first.",
        "Weights that go back to 0 when an epoch begins have nothing to build on. Learning is what stays from one "
        "epoch to the next.",
        "Sort the lines of your code: which run once in all, which once per epoch, which once per row? In which group "
        "do the first weights belong?",
    ),
    Mistake(
        "stops at the first success",
        training(until="the first success"),
        "Your epochs end at the first row that is right, so that most rows are hardly ever visited.",
        "One right answer says nothing about the other rows. Whether to stop is a question about a whole epoch, and "
        "you ask it after a single row.",
        "Print the number of the row inside your inner loop, for the four rows of OR. How many of them does an epoch "
        "of yours visit?",
    ),
    Mistake(
        "leaves the bias at 0",
        training(bias_moves=False),
        "The bias that you return is 0 for every data set, also after epochs with mistakes.",
        "Only the weights are corrected. The boundary then passes through the origin for ever, and data that needs it "
        "elsewhere is never learned.",
        "Print weight and bias after each correction, and lay them beside the rule of 01.3. How many arrows does the "
        "rule have?",
    ),
    Mistake(
        "does not fire at a sum of exactly 0",
        training(answer=_strict_step),
        "Your path differs from the first row on: its weighted sum is exactly 0, and you take the neuron to rest there.",
        "With weights and bias at 0 the first sum is 0, whatever the row. A strict comparison answers that with "
        "resting; the convention of the chapter is that the neuron fires.",
        "Work out the first two rows shown by hand, prediction and correction, and compare the weights after each of "
        "them with yours.",
    ),
    Mistake(
        "waits for a count that never goes back to 0",
        training(reset_count=False, until="a count of 0"),
        "The numbers of your list add up from epoch to epoch, and training runs on to max_epochs even where a line "
        "separates the classes.",
        "The count is carried from one epoch into the next. Once it has left 0 it cannot return, so the test that "
        "should end the loop never succeeds.",
        "Print your count at the beginning of each epoch. Which value must it have there for the test at the end to "
        "make sense?",
    ),
    Mistake(
        "uses another learning rate",
        training(lr=0.1),
        "Your mistakes come in the right places; weight and bias are off by one common factor.",
        "From a start at 0 the learning rate scales the weights and decides nothing: a boundary does not move when all "
        "its numbers are multiplied alike. That is why the task fixes the rate.",
        "Subtract the weights before your first correction from those after it, and compare with the row. By what is "
        "the row multiplied, and what does the task name?",
        matches=_is_scaled(step),
    ),
    Mistake(
        "starts from ones",
        training(start=torch.ones_like),
        "Before the first row is seen your weights are 1 each, and from there training takes another path.",
        "Where a perceptron starts decides which rows it gets wrong, and so where it ends. Any start is fine in "
        "itself, but results can be compared only from the same one.",
        "Print your weight before the first row, and read again the first of the three points of the task.",
    ),
    Mistake(
        "counts the rows that are right",
        training(hits=True),
        "Your list counts hits: a row that is predicted rightly raises a number, and a wrong one does not.",
        "Right rows and wrong rows make up the whole epoch, so nothing is lost, but the reading turns round: in the task "
        "a 0 means that training is done.",
        "Compare the last number of your list for OR with the number of its rows. Under which condition does your "
        "count go up?",
    ),
    Mistake(
        "starts from random weights",
        training(start=torch.randn_like),
        "Your weights are no whole numbers, although every input shown is 0 or 1 and each correction adds or takes away "
        "inputs.",
        "A random start leaves its fractions in the result. Hidden layers need one, so that their units become "
        "different; a single neuron has nobody to differ from, and here it begins at 0.",
        "Call your function twice on the same data and compare the two weights. What is different in the second call?",
        matches=_keeps_a_fraction,
    ),
    Mistake(
        "uses the weighted sum as the prediction",
        training(answer=_sum_itself),
        "A row on the right side of 0 is still counted and corrected by you, unless its sum hits the target exactly.",
        "Your error is target minus weighted sum: the delta rule, whose corrections have many sizes. The perceptron "
        "compares the target with its answer, which is 0 or 1.",
        "Print sum, prediction and target for each row of the first epoch. In which rows is the prediction right "
        "while your error is not 0?",
    ),
    Mistake(
        "does not fire at a sum of exactly 0, and uses another learning rate",
        training(answer=_strict_step, lr=0.1),
        "Your first row goes another way, its sum being exactly 0, and all your corrections are off by one factor.",
        "The comparison leaves out equality, so the neuron rests where it should fire; and a rate stands in your code "
        "that the task fixes otherwise. From a start at 0 the rate scales the weights alone.",
        "Mend the prediction first and follow the counts of OR on paper. Then compare the size of one correction with "
        "the row that caused it.",
        matches=_is_scaled(_strict_step),
    ),
    Mistake(
        "does not fire at a sum of exactly 0, and never stops early",
        training(answer=_strict_step, until="the end"),
        "Your first row goes another way, its sum being exactly 0, and where the data is learned your list goes on "
        "with zeros.",
        "Two conditions are off. The comparison in your prediction leaves out equality, and your loop has no condition "
        "that ends it when an epoch passes without a mistake.",
        "Mend the prediction first and compare one epoch of OR with your own paper. Then ask what should happen after "
        "an epoch whose count is 0.",
    ),
    Mistake(
        "does not fire at a sum of exactly 0, and does not list the last epoch",
        training(answer=_strict_step, keep_zero=False),
        "Your first row goes another way, its sum being exactly 0, and no list of yours ends with a 0.",
        "The prediction leaves out equality, and the loop is left before the last count is written down. One changes "
        "the numbers of the list, the other its length, so each hides the other.",
        "Compare the first epoch alone, row by row, until its count agrees with your paper. Then watch what your loop "
        "does with the last count.",
    ),
    *COUNTING,
)
"""Every known mistake of 01.4."""
