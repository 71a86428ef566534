"""What goes wrong with a softmax along any axis (exercise 02.3), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case


def _shifted(z: Tensor, dim: int) -> Tensor:
    return torch.exp(z - z.amax(dim=dim, keepdim=True))


def _shares(e: Tensor, dim: int) -> Tensor:
    return e / e.sum(dim=dim, keepdim=True)


def _in_place(z: Tensor, dim: int) -> Tensor:
    z -= z.amax(dim=dim, keepdim=True)
    return _shares(torch.exp(z), dim)


def _without_any_keepdim(z: Tensor, dim: int) -> Tensor:
    e = torch.exp(z - z.amax(dim=dim))
    return e / e.sum(dim=dim)


def _without_keepdim_in_the_maximum(z: Tensor, dim: int) -> Tensor:
    return _shares(torch.exp(z - z.amax(dim=dim)), dim)


def _of_one_shift_without_keepdim(z: Tensor, dim: int) -> Tensor:
    e = torch.exp(z - z.max())
    return e / e.sum(dim=dim)


def _of_whole_shifted(z: Tensor, dim: int) -> Tensor:
    e = torch.exp(z - z.max())
    return e / e.sum()


def _without_exp(z: Tensor, dim: int) -> Tensor:
    return _shares(z - z.amin(dim=dim, keepdim=True), dim)


def _shifted_afterwards(z: Tensor, dim: int) -> Tensor:
    e = torch.exp(z)
    return _shares(e / e.amax(dim=dim, keepdim=True), dim)


def _is_clipped(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise logits that were cut off, wherever: 100 and 99 have become the same number."""
    out = next((o["out"] for case, o in zip(cases, observed) if case.name == "a logit of 100" and "out" in o), None)
    return out is not None and out.shape == (1, 3) and bool(((out[0, :2] - 0.5).abs() < 1e-3).all())


def _divided(z: Tensor, dim: int) -> Tensor:
    return _shares(torch.exp(z / z.abs().amax(dim=dim, keepdim=True)), dim)


def _is_divided(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise logits divided by their largest, or by their largest size."""

    def by_largest(z: Tensor, dim: int) -> Tensor:
        return _shares(torch.exp(z / z.amax(dim=dim, keepdim=True)), dim)

    def agrees(theirs: Callable[..., Tensor]) -> bool:
        pairs = [(o.get("out"), theirs(**case.args)) for case, o in zip(cases, observed)]
        return all(a is not None and a.shape == b.shape and torch.allclose(a.to(b.dtype), b, 1e-3) for a, b in pairs)

    return agrees(_divided) or agrees(by_largest)


_AXES = (
    Mistake(
        "always sums over the first axis",
        lambda z, dim: _shares(_shifted(z, 0), 0),
        "Your columns sum to 1, not your rows; a row that is alone in its batch gets 1 for every class.",
        "The first axis is the batch. You share out among the samples, so a sample's answer depends on who else is in "
        "the batch, and `dim` is never asked.",
        "Add up your result along axis 0 and along the axis that the call names: which gives ones? The chapter's pitfall "
        "on the wrong axis shows this table.",
    ),
    Mistake(
        "always sums over the last axis",
        lambda z, dim: _shares(_shifted(z, -1), -1),
        "This call names another axis, and it is still the last axis of your result that sums to 1.",
        "An axis is fixed in your code. That fits a table with the classes last; with (batch, classes, time) it lets "
        "moments share instead of classes, and nothing complains.",
        "Search your code for -1 and for calls without an axis. Then take z of shape (2, 3, 4) and add up the result "
        "along dim=1.",
    ),
    Mistake(
        "always sums over axis 1",
        lambda z, dim: _shares(_shifted(z, 1), 1),
        "With dim=0 it is still axis 1 of your result that sums to 1; and a vector, which has no axis 1, stops it.",
        "The axis of a table with the classes in its columns is fixed in your code, so `dim` is accepted and never read. "
        "With three axes and dim=1 it happens to be right.",
        "Search your code for a 1 that stands for an axis. Then call it on the same table with both values of `dim` and "
        "compare the sums.",
    ),
    Mistake(
        "divides by the sum of everything",
        lambda z, dim: _shifted(z, dim) / _shifted(z, dim).sum(),
        "All entries of your table sum to 1 together; no row does so by itself.",
        "A sum without an axis is one number for the whole batch, so the samples share a single pie. With a batch of one "
        "row that cannot be seen.",
        "Print the shape of what you divide by. How many sums does a table of two rows need?",
    ),
    Mistake(
        "shifts and divides by the whole tensor",
        _of_whole_shifted,
        "The results of all rows together sum to 1, and the row with the largest logit has taken nearly all of it.",
        "Neither the maximum nor the sum was given an axis: one shift and one pie for all samples, so that rows compete "
        "with each other as if they were classes.",
        "Count how many maxima and how many sums a table of two rows needs. Then print the shapes of yours.",
    ),
    Mistake(
        "drops the summed axis",
        lambda z, dim: _shifted(z, dim) / _shifted(z, dim).sum(dim=dim),
        "Your rows do not sum to 1: the second entry of the first row was divided by the second row's sum.",
        "The sum has lost the axis along which it was taken. Broadcasting lines shapes up from the right, so the row "
        "sums are laid along the columns; in a square table nothing complains.",
        "Print the shapes of the exponentials and of their sum for 2 rows and 3 columns. Which shape would let each row "
        "meet its own sum?",
    ),
    Mistake(
        "drops the axis of the maximum",
        _without_keepdim_in_the_maximum,
        "Your rows sum to 1, and still the shares are wrong: within a row the entries were shifted by different numbers.",
        "The maximum has lost the axis along which it was taken. Broadcasting lines shapes up from the right, so the "
        "maxima of the rows are laid along the columns, where they meet entries of other rows.",
        "Print the shape of the maximum beside that of z. Your sum keeps the axis that it adds up: what does that line "
        "say that the maximum's does not?",
    ),
    Mistake(
        "shifts by the maximum of everything, and drops the summed axis",
        _of_one_shift_without_keepdim,
        "Your rows do not sum to 1: entries were divided by the sum of another row.",
        "The sum has lost its axis, so broadcasting lays the row sums along the columns. And the one maximum of the whole "
        "table leaves only zeros of a row that lies far below it: 0 / 0 is nan.",
        "Print the shape of the sum and write the (2, 1) beside it that two row sums need. Then ask whether each row "
        "should be shifted by a maximum of its own.",
    ),
    Mistake(
        "drops the axis of the maximum as well",
        _without_any_keepdim,
        "Your rows do not sum to 1 and one of your shares is above 1: numbers of another row have come in.",
        "Maximum and sum have both lost the axis along which they were taken. Broadcasting lays them along the columns, "
        "so entries are shifted and divided by what belongs to another row.",
        "Print the shape of the maximum just before you subtract it and compare it with that of z. Then do the same with "
        "the sum.",
    ),
)

_OVERFLOWS = (
    Mistake(
        "does not shift",
        lambda z, dim: _shares(torch.exp(z), dim),
        "The large logits of this row came out as nan; tables of small logits are right.",
        "exp overflows float32 from about 88.7 on, and inf divided by inf is nan. The formula is right on paper; the "
        "machine computes it step by step.",
        "Think of the master volume in the chapter: which change of all logits leaves every share as it is? Choose one "
        "after which no exponent is large.",
    ),
    Mistake(
        "adds the shift",
        lambda z, dim: _shares(torch.exp(z + z.amax(dim=dim, keepdim=True)), dim),
        "Every entry of this row came out as nan, the small ones as well; rows of small logits are right.",
        "You add the largest logit, which doubles the largest exponent. On paper any shift is as good as another; in "
        "float32 it matters in which direction it goes.",
        "Print the exponents that go into exp here. Is the largest of them larger or smaller than before the shift?",
    ),
    Mistake(
        "shifts by the maximum of everything",
        lambda z, dim: _shares(torch.exp(z - z.max()), dim),
        "One row is right; the row whose logits lie far below the other's came out as nan.",
        "You subtract one number from the whole table. A row 200 below it has only exponentials that round to 0, and 0 "
        "divided by 0 is nan.",
        "Print the largest exponent of each row after your shift. Are they the same for all rows, and should they be?",
    ),
    Mistake(
        "shifts by the mean",
        lambda z, dim: _shares(torch.exp(z - z.mean(dim=dim, keepdim=True)), dim),
        "The one large logit of this row came out as nan; rows without such an outlier are right.",
        "Any shift gives the right value on paper, but a mean always leaves some logits above it. One large among many "
        "small ones stays far above, and its exponential overflows.",
        "Print the exponents after your shift, for this row. Which of the row's own numbers could be subtracted so that "
        "none is positive?",
    ),
    Mistake(
        "shifts after the exponential",
        _shifted_afterwards,
        "This row is nan from end to end, although your code does scale it by its largest number.",
        "You divide by the largest power, after exp. On paper that is the same as subtracting before; in float32 the "
        "infinities have arrived by then, and inf / inf is nan.",
        "Print exp(z) for this row before anything else is done with it. At which point must the scaling happen so that "
        "this line holds no inf?",
    ),
    Mistake(
        "divides by the maximum",
        _divided,
        "Your shares are too much alike: a logit of 100 and one of 0, side by side, would hardly be told apart.",
        "You divide the logits by the largest. That keeps exp small and changes the question: shares depend on "
        "differences, and a division shrinks each difference, as a temperature does.",
        "Multiply all logits of a row by 10: do your shares stay as they were, and should they? Look for a change that "
        "leaves each difference alone.",
        matches=_is_divided,
    ),
    Mistake(
        "cuts large logits off",
        lambda z, dim: _shares(torch.exp(z.clamp(max=80)), dim),
        "Two different large logits got exactly the same share: above your cut nothing tells them apart.",
        "A cut keeps exp finite and changes the question: all logits beyond it become one number. Shares depend on the "
        "differences between logits, and a cut destroys them.",
        "Which operation on all logits of a row keeps every difference between them? Try it on 100 and 99 on paper.",
        matches=_is_clipped,
    ),
    Mistake(
        "does not shift, and divides by the sum of everything",
        lambda z, dim: torch.exp(z) / torch.exp(z).sum(),
        "Large logits came out as nan; and in a table of small ones all entries together sum to 1, not each row.",
        "exp overflows from about 88.7 on, and inf / inf is nan. Besides, a sum without an axis makes one pie for the "
        "whole batch, which a single row cannot show.",
        "Test on [[0, 1], [5, 1]] and add up each row: mend the sums first. Then look for a change of the logits that no "
        "share notices.",
    ),
    Mistake(
        "does not shift, and always sums over the last axis",
        lambda z, dim: _shares(torch.exp(z), -1),
        "Large logits came out as nan; and with dim=0 it is still the last axis of your result that sums to 1.",
        "This is the chapter's first attempt, softmax by formula: it overflows from about 88.7 on, and its axis is "
        "fixed, so `dim` changes nothing.",
        "Two repairs, one at a time: call it with dim=0 and add up the result both ways; then print exp(z) for a logit "
        "of 100.",
    ),
    Mistake(
        "does not shift, and always sums over axis 1",
        lambda z, dim: _shares(torch.exp(z), 1),
        "Large logits came out as nan; and with dim=0 it is axis 1 of your result that sums to 1.",
        "exp overflows from about 88.7 on, and inf / inf is nan. Besides, the axis is a number in your code, so that "
        "`dim` changes nothing.",
        "First call it with dim=0 on [[0, 1, 3], [2, 1, -1]] and add up both ways. Then print exp(z) for a logit of 100 "
        "and look for a change that no share notices.",
    ),
    Mistake(
        "does not shift, and drops the summed axis",
        lambda z, dim: torch.exp(z) / torch.exp(z).sum(dim=dim),
        "Large logits came out as nan; and in a square table of small ones the rows do not sum to 1.",
        "exp overflows from about 88.7 on. And the sum has lost its axis, so broadcasting lays the row sums along the "
        "columns, where entries meet another row's sum.",
        "Print the shape of the sum beside that of z, for 2 rows and 3 columns. When the two fit, ask what exp(100) is "
        "in float32.",
    ),
)

_SHARES = (
    Mistake(
        "does not divide",
        _shifted,
        "The largest entry of each row is exactly 1 and the others come on top: the row sums to more than 1.",
        "The shift is right and nothing overflows. But powers are not shares yet: a share is a part of a whole, and the "
        "whole has not been computed.",
        "Read the loudness picture in the chapter once more: which two steps lead from loudness to a share, and which "
        "have you taken?",
    ),
    Mistake(
        "divides by the mean",
        lambda z, dim: _shifted(z, dim) / _shifted(z, dim).mean(dim=dim, keepdim=True),
        "Each row of your result sums to the number of its classes and not to 1.",
        "A mean is a sum divided by a count, so every share came out larger by that count. Shares compare a class with "
        "the whole, not with the average class.",
        "Add up a row of three classes and a row of five. Where in your code does that factor come from?",
    ),
    Mistake(
        "leaves out the exponential",
        _without_exp,
        "The smallest logit of each row gets exactly 0, and the shares grow in a straight line with the logits.",
        "You share out the distances from the smallest logit. They are not negative, but the step from loudness to power "
        "is missing: one more in a logit should multiply a share, not add to it.",
        "Raise the two logits of [1.0, 2.0] by steps and compare your shares with the figure of the chapter. Can a class "
        "ever be left with nothing at all?",
    ),
    Mistake(
        "takes shares of the logits",
        lambda z, dim: _shares(z, dim),
        "Your results stand in the proportion of the logits themselves, and a logit of 0 got nothing.",
        "Dividing by the sum makes shares of positive numbers only. A negative logit gets a negative share here, and "
        "logits that sum to 0 divide by 0.",
        "Try it on [1.0, -1.0]. What must happen to the logits before the pie can be cut?",
    ),
    Mistake(
        "returns the logarithm",
        lambda z, dim: z - torch.logsumexp(z, dim=dim, keepdim=True),
        "Every number of your result is 0 or below, while shares lie between 0 and 1.",
        "A logit minus log-sum-exp is the logarithm of a share. Losses want that form, because it keeps tiny shares "
        "apart; a share it is not.",
        "Read the chapter's section on log-sum-exp: how does one get back from a logarithm to the number itself?",
    ),
    Mistake(
        "writes into its argument",
        _in_place,
        "The shares are right, but the logits that you were given have changed: print z before and after the call.",
        "`z -= ...` subtracts inside the caller's tensor. A loss that reads the logits afterwards, or the backward pass, "
        "meets the shifted numbers.",
        "Find the assignment that has an operator in front of its `=`. Under which name of its own could the shifted "
        "tensor live?",
    ),
)

MISTAKES = (*_AXES, *_OVERFLOWS, *_SHARES)
