"""The operations of exercise 05.5: what each computes, its way back, and what its statement says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Way = Callable[[Tensor, Tensor], Tensor]
EPS = 1e-5
"""What the statement adds to the variance of a row."""


def _length() -> Way:
    def way_back(x: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
        """Return the slope of the loss by x (B, D), from g (B, D), its slope by the rows of x divided by their lengths."""
        length = x.norm(dim=-1, keepdim=True)  # (B, 1)
        y = x / length
        along = (g * y).sum(dim=-1, keepdim=True)  # what g asks for along the row itself, (B, 1)
        return (g - y * along) / length

    return way_back


def _softmax() -> Way:
    def way_back(x: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
        """Return the slope of the loss by the logits x (B, C), from g (B, C), its slope by the shares of each row."""
        y = torch.softmax(x, dim=-1)
        return y * (g - (g * y).sum(dim=-1, keepdim=True))

    return way_back


def _logsumexp() -> Way:
    def way_back(x: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
        """Return the slope of the loss by x (B, C), from g (B,), its slope by the log-sum-exp of each row."""
        return g[:, None] * torch.softmax(x, dim=-1)  # (B, 1) * (B, C)

    return way_back


def _standardise() -> Way:
    def way_back(x: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
        """Return the slope of the loss by x (B, D), from g (B, D), its slope by the standardised rows of x."""
        off = x - x.mean(dim=-1, keepdim=True)
        s = torch.sqrt(off.square().mean(dim=-1, keepdim=True) + 1e-5)  # (B, 1)
        y = off / s
        return (g - g.mean(dim=-1, keepdim=True) - y * (g * y).mean(dim=-1, keepdim=True)) / s

    return way_back


# -- the operations themselves, and their tables of slopes ---------------------------------------------


def lengthened(x: Tensor) -> Tensor:
    """Return the rows of x, each with the length 1."""
    return x / x.norm(dim=-1, keepdim=True)


def standardised(x: Tensor) -> Tensor:
    """Return the rows of x, each with the mean 0 and nearly the spread 1."""
    off = x - x.mean(dim=-1, keepdim=True)
    return off / (off.square().mean(dim=-1, keepdim=True) + EPS).sqrt()


def _unit(y: Tensor) -> Tensor:
    return torch.eye(len(y), dtype=y.dtype)


def _by_table(table: Callable[[Tensor], Tensor]) -> Way:
    """Return the way back by the whole table of slopes, (results, inputs), of one row after another."""
    return lambda x, g: torch.stack([slope @ table(row) for row, slope in zip(x, g.reshape(len(x), -1))])


def _length_table(row: Tensor) -> Tensor:
    return _unit(row) / row.norm() - torch.outer(row, row) / row.norm() ** 3


def _softmax_table(row: Tensor) -> Tensor:
    y = torch.softmax(row, dim=0)
    return torch.diag(y) - torch.outer(y, y)


def _standardise_table(row: Tensor) -> Tensor:
    d, y = len(row), standardised(row)
    s = (row.var(correction=0) + EPS).sqrt() if d > 1 else torch.full_like(row[0], EPS).sqrt()
    return (_unit(row) - 1 / d - torch.outer(y, y) / d) / s


def _length_in_two_ways(x: Tensor, g: Tensor) -> Tensor:
    n = torch.sqrt((x * x).sum(dim=1, keepdim=True))
    by_length = -(g * x).sum(dim=1, keepdim=True) / n**2
    return g / n + by_length * x / n


def _softmax_by_exponentials(x: Tensor, g: Tensor) -> Tensor:
    e = torch.exp(x - x.amax(dim=1, keepdim=True))
    total = e.sum(dim=1, keepdim=True)
    by_total = -(g * e).sum(dim=1, keepdim=True) / total**2
    return (g / total + by_total) * e


def _logsumexp_by_difference(x: Tensor, g: Tensor) -> Tensor:
    return torch.exp(x - torch.logsumexp(x, dim=1, keepdim=True)) * g.unsqueeze(1)


def _standardise_in_steps(x: Tensor, g: Tensor) -> Tensor:
    off = x - x.mean(dim=1, keepdim=True)
    v = (off**2).mean(dim=1, keepdim=True) + EPS
    by_v = -(g * off).sum(dim=1, keepdim=True) / (2 * v**1.5)
    by_off = g / v.sqrt() + by_v * 2 * off / x.shape[1]
    return by_off - by_off.mean(dim=1, keepdim=True)


@dataclass(frozen=True)
class Operation:
    """An operation on rows and the way back through it.

    Attributes:
        reference: the way back as a learner would write it.
        forward: the operation itself; a test compares the way back with autograd's.
        alternatives: other right ways back.
        intro: what the operation does.
        formula: the operation.
        signature: what comes in and goes out.
        example: worked by hand.
        given: arguments of the example.
        plain: further arguments by what is special about them.
        g: the axes of the slope that comes in.
        hints: from nudge to nearly there.
    """

    reference: Way
    forward: Callable[[Tensor], Tensor]
    alternatives: Mapping[str, Way]
    intro: str
    formula: str
    signature: str
    example: str
    given: tuple[Sequence[Sequence[float]], Sequence[object]]
    plain: Mapping[str, tuple[Sequence[Sequence[float]], Sequence[object]]]
    hints: tuple[str, ...]
    g: str = "B D"


_SAME = (
    "Write `way_back(x, g)`. `x` has the shape (B, D) and holds {rows}. `g` has the same shape and holds the slope of the loss "
    "by each entry of $y$, so $g = \\bar y$. Return $\\bar x$, the slope of the loss by each entry of `x`, in its shape and dtype."
)

OPERATIONS: dict[str, Operation] = {
    "length": Operation(
        reference=_length(),
        forward=lengthened,
        alternatives={"by the table of slopes": _by_table(_length_table), "numerator and length": _length_in_two_ways},
        intro="Each row of a table is divided by its own length, so that its direction is all that is left. For one row:",
        formula=r"y_i = \frac{x_i}{\lVert x \rVert}, \qquad \lVert x \rVert = \sqrt{x_1^2 + \dots + x_D^2}",
        signature=_SAME.format(rows="rows, none of which has the length 0"),
        example="`x = [[3, 4]]` and `g = [[1, 0]]`, so that the loss listens to $y_1$ alone. The length is 5 and $y = (0.6, "
        "0.8)$. Turn $x_1$ up by 0.01: the length becomes 5.006, and $y_1$ becomes 3.01 / 5.006 = 0.60128. Turn $x_2$ up by "
        "0.01 instead: the length becomes 5.008, and $y_1$ becomes 3 / 5.008 = 0.59904. Divided by 0.01 these are nearly "
        "the slopes: `[[0.128, -0.096]]`.",
        given=([[3, 4]], [[1, 0]]),
        plain={
            "a slope that points along the row": ([[6, -8]], [[3, -4]]),
            "a row of length 1": ([[0.6, 0, -0.8]], [[2, 1, 5]]),
            "two rows of different lengths": ([[1, 2, 2], [0, -6, 8]], [[3, 0, -1], [2, 5, 1]]),
            "a very short row and a long one": ([[0.003, 0.004, 0], [400, 0, -300]], [[0, 0.5, 0.25], [50, 200, 100]]),
            "a row of a single number": ([[-7]], [[3]]),
        },
        hints=(
            "An input reaches the loss in two ways: directly over its own $y_j$, and over the length, which stands below all "
            "entries of $y$. Take the slope of each, and add.",
            r"The slope of the length by $x_j$ is $x_j / \lVert x \rVert = y_j$. So $\partial y_i / \partial x_j$ is $(\delta_{ij} "
            r"- y_i y_j) / \lVert x \rVert$. Now add over $i$, with $g_i$ in the sum.",
            r"$\bar x_j = (g_j - y_j \sum_i g_i y_i) / \lVert x \rVert$. The sum runs along a row: `dim=-1` with `keepdim=True`.",
        ),
    ),
    "softmax": Operation(
        reference=_softmax(),
        forward=lambda x: torch.softmax(x, dim=-1),
        alternatives={"by the table of slopes": _by_table(_softmax_table), "e and its sum": _softmax_by_exponentials},
        intro="Each row of logits becomes a row of shares. For one row:",
        formula=r"y_i = \frac{e^{x_i}}{\sum_k e^{x_k}}",
        signature=_SAME.format(rows="one row of logits for each example, which may be as large as 1000")
        + " You may call `torch.softmax`.",
        example="`x = [[0, 0, 0.6931]]` has the shares $y = (0.25, 0.25, 0.5)$. With `g = [[4, 0, 0]]` the loss listens to $y_1$ "
        "alone. Turn $x_1$ up by 0.01: the shares become 1.01005 / 4.01005 = 0.25188 and less for the others. Turn $x_3$ up by "
        "0.01 instead: $y_1$ becomes 1 / 4.0201 = 0.24875. Divided by 0.01 and times 4 these are nearly the slopes, and the "
        "result is `[[0.75, -0.25, -0.5]]`.",
        given=([[0, 0, 0.6931472]], [[4, 0, 0]]),
        plain={
            "a slope that is the same for all shares": ([[1, 0, -1, 2]], [[3, 3, 3, 3]]),
            "two rows that differ": ([[1, 0, -1], [0, 2, 0.5]], [[1, 2, 0], [-3, 0, 5]]),
            "logits of 1000": ([[1000, 999, 990]], [[5, -2, 1]]),
            "a share that is nearly 1": ([[12, 0, 1, 0]], [[2, 7, -4, 1]]),
            "a single class": ([[3]], [[5]]),
        },
        hints=(
            "Every input enters every share, because the sum below holds them all. What does the chapter's recipe say of the "
            "softmax, and from what does its formula start?",
            r"$\partial y_i / \partial x_j = y_i (\delta_{ij} - y_j)$, where $y$ is the softmax of `x`. Add over $i$, with $g_i$ in "
            "the sum.",
            r"$\bar x_j = y_j (g_j - \sum_i g_i y_i)$. The sum runs along a row: `dim=-1` with `keepdim=True`.",
        ),
    ),
    "logsumexp": Operation(
        reference=_logsumexp(),
        forward=lambda x: torch.logsumexp(x, dim=-1),
        alternatives={
            "by the table of slopes": _by_table(lambda row: torch.softmax(row, dim=0)[None]),
            "by a difference": _logsumexp_by_difference,
        },
        intro="Each row of a table becomes one number, a smooth kind of maximum. For one row:",
        formula=r"y = \log \sum_{k} e^{x_k}",
        signature="Write `way_back(x, g)`. `x` has the shape (B, C), and its entries may be as large as 1000. `g` has the shape "
        "(B,) and holds the slope of the loss by the number of each row, so $g = \\bar y$. Return $\\bar x$, the slope of the "
        "loss by each entry of `x`, in its shape and dtype. You may call `torch.logsumexp` and `torch.softmax`.",
        example="`x = [[0, 0, 0.6931]]` has $e^x = (1, 1, 2)$, and $y = \\log 4$. Turn $x_3$ up by 0.01: $y$ becomes $\\log "
        "4.0201$, which is 0.00501 more, so its slope by $x_3$ is about 0.5. With `g = [2]` the loss changes twice as much as "
        "$y$, and the result is `[[0.5, 0.5, 1]]`.",
        given=([[0, 0, 0.6931472]], [2]),
        plain={
            "two rows with different slopes": ([[1, 0, -1], [0, 2, 0.5]], [3, -2]),
            "entries of 1000": ([[1000, 999, 990]], [4]),
            "a slope of 0 for one row": ([[2, 1], [0, 3], [-1, 1]], [0, 1, -5]),
            "a row of a single entry": ([[3]], [5]),
            "one entry far above the others": ([[50, 0, 1, 2]], [3]),
        },
        g="B",
        hints=(
            "Two functions stand one behind the other: a sum of exponentials, and a logarithm. Along a way slopes are "
            "multiplied.",
            "The slope of the logarithm is 1 divided by the sum, and that of the sum by $x_j$ is $e^{x_j}$. You have met their "
            "product under another name.",
            r"$\bar x_{bj} = g_b \operatorname{softmax}(x_b)_j$. To multiply a row by its own number, give `g` a second axis of "
            "size 1.",
        ),
    ),
    "standardise": Operation(
        reference=_standardise(),
        forward=standardised,
        alternatives={"by the table of slopes": _by_table(_standardise_table), "in steps": _standardise_in_steps},
        intro="Each row of a table loses its own mean and is divided by its own spread, as a normalising layer does it. For one row:",
        formula=r"y_i = \frac{x_i - m}{s}, \qquad m = \frac1D \sum_k x_k, \qquad s = \sqrt{\frac1D \sum_k (x_k - m)^2 + 10^{-5}}",
        signature=_SAME.format(rows="rows, some of which may hold the same number throughout")
        + " The $10^{-5}$ under the root keeps such a row from a division by 0.",
        example="`x = [[1, 1, 4]]` has the mean 2, the variance 2 and $s = 1.4142$, so $y = (-0.7071, -0.7071, 1.4142)$. With `g = "
        "[[3, 0, 0]]` the loss listens to $y_1$ alone. Turn $x_1$ up by 0.01: the mean becomes 2.00333 and $s$ becomes 1.41187, so "
        "$y_1$ becomes -0.99333 / 1.41187 = -0.70356. Divided by 0.01 and times 3 this is nearly the slope. The result is "
        "`[[1.0607, -1.0607, 0]]`.",
        given=([[1, 1, 4]], [[3, 0, 0]]),
        plain={
            "a slope that is the same for the whole row": ([[1, -2, 5, 0]], [[3, 3, 3, 3]]),
            "two rows of different spread": ([[1, 2, 6], [0, -40, 10]], [[1, 2, 0], [-3, 0, 5]]),
            "a row of equal numbers": ([[2, 2, 2]], [[1, 0, -0.5]]),
            "a row far from 0": ([[103, 100, 97, 101]], [[5, -2, 1, 0]]),
            "a row with mean 0 and spread 1": ([[-1, 1, -1, 1]], [[2, 7, -4, 1]]),
        },
        hints=(
            "An input reaches the loss in three ways: directly over its own $y_j$, over the mean $m$, and over the spread $s$. "
            "Take the slope of each, and add.",
            r"The slope of $m$ by $x_j$ is $1/D$. The slope of $s$ by $x_j$ is $(x_j - m)/(D s) = y_j / D$. So $\partial y_i / "
            r"\partial x_j$ is $(\delta_{ij} - 1/D - y_i y_j / D) / s$. Now add over $i$, with $g_i$ in the sum.",
            r"$\bar x_j = (g_j - \text{mean}(g) - y_j\, \text{mean}(g\, y)) / s$. Both means run along a row: `dim=-1` with "
            "`keepdim=True`.",
        ),
    ),
}
"""By the variant's parameter. The first is the public one."""
