"""Exercise 11.1: Centre rows."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Mistake, exercise
from companion.checks.cases import draw
from companion.checks.trace import Case


def centre_rows(x: torch.Tensor) -> torch.Tensor:
    """Return x with each row's mean taken off that row: (B, D) -> (B, D)."""
    return x - x.mean(dim=-1, keepdim=True)


def _by_matrix(x: Tensor) -> Tensor:
    d = x.shape[1]
    return x @ (torch.eye(d, dtype=x.dtype, device=x.device) - 1 / d)


def _by_loop(x: Tensor) -> Tensor:
    return torch.stack([row - row.sum() / row.numel() for row in x])


def _cases(seed: int) -> list[Case]:
    two_rows = torch.tensor([[1.0, 3.0, 8.0], [2.0, 6.0, 7.0]])
    return [
        Case("two rows of three numbers", {"x": two_rows}, grad=("x",)),
        draw("other numbers", {"x": "B D"}, seed, grad=("x",)),
        draw("float32, with gaps in memory", {"x": "B D"}, seed, dtype=torch.float32, strided=True),
    ]


@exercise("11.1", title="Centre rows", points=1)
class CentreRows:
    """Each example loses its own mean."""

    reference = centre_rows
    read = "First section"
    statement = r"""
        Each row of a batch has a mean of its own. Take it off, so that every row adds up to 0:

        $$y_{bd} = x_{bd} - \frac{1}{D} \sum_{k=1}^{D} x_{bk}$$

        Write `centre_rows(x)`. `x` has the shape (B, D), one example per row, and so has the result.

        Example: with `x = [[1, 3, 8]]` the mean is 4 and the result is `[[-3, -1, 4]]`.
    """
    cases = _cases
    mistakes = (
        Mistake(
            "centres the columns",
            lambda x: x - x.mean(dim=0),
            "In your result every column adds up to 0, and the rows do not.",
            "The mean runs down the batch, over different examples, so that one example changes with its neighbours.",
            "Write the shape of x with a name for each axis. Which of the two holds the features of one example?",
        ),
        Mistake(
            "subtracts one mean from everything",
            lambda x: x - x.mean(),
            "All your numbers together add up to 0, and no single row needs to.",
            "Without an axis a mean is taken over all numbers of the table: one number, taken off everywhere.",
            "Print the shape of the mean that you subtract. How many means has a batch of three rows?",
        ),
        Mistake(
            "subtracts the sum",
            lambda x: x - x.sum(dim=-1, keepdim=True),
            "Each row was moved as a whole, and much too far: its numbers now lie around another value than 0.",
            "What you take off is the row's sum. It is D times the mean, so that the row ends up on the other side.",
            "Do one row of three equal numbers on paper. What should be left of it, and what does your code leave?",
        ),
        Mistake(
            "turns the sign round",
            lambda x: x.mean(dim=-1, keepdim=True) - x,
            "Each distance from the mean has the right size and the wrong sign.",
            "The numbers are taken off the mean, where the mean should be taken off the numbers.",
            "Look at the largest number of a row: should it be above or below 0 afterwards?",
        ),
        Mistake(
            "divides by the mean",
            lambda x: x / x.mean(dim=-1, keepdim=True),
            "Each of your rows has the mean 1, whatever it was before.",
            "A division changes the scale of a row: its zeros stay where they were, and its spread does not.",
            "To centre is to move without stretching. Which operation moves all numbers of a row by the same amount?",
        ),
    )
    alternatives: ClassVar = {"by a matrix": _by_matrix, "by a loop": _by_loop}
    hints = (
        "Do it on paper for one row first: what is its mean, and what is left of each number?",
        "A mean along one axis loses that axis. What shape must it have to be taken off row by row?",
        "`mean` has the arguments `dim` and `keepdim`; with both, the result has the shape (B, 1).",
    )
