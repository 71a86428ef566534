"""Exercise 11.4: one number for many classes."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Out, exercise, rng
from companion.checks.ch11_metrics.e4_mistakes import MISTAKES
from companion.checks.numbers import F64
from companion.checks.trace import Case


def f1_scores(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the macro, micro and weighted F1 of a confusion matrix (C, C), true classes in its rows."""
    hits, true, said = matrix.diagonal(), matrix.sum(dim=1), matrix.sum(dim=0)
    there = true + said > 0  # a class that neither occurs nor is said was not asked about
    f1 = 2 * hits[there] / (true + said)[there]
    micro = hits.sum() / matrix.sum()
    weighted = (true[there] * f1).sum() / matrix.sum()
    return f1.mean(), micro, weighted


def _class_by_class(matrix: Tensor) -> tuple[float, float, float]:
    table = matrix.tolist()
    classes, total = range(len(table)), sum(map(sum, table))
    scores: dict[int, float] = {}
    for c in classes:
        tp = table[c][c]
        fn, fp = sum(table[c]) - tp, sum(row[c] for row in table) - tp
        if tp + fn + fp > 0:
            scores[c] = tp / (tp + (fp + fn) / 2)
    macro = sum(scores.values()) / len(scores)
    micro = sum(table[c][c] for c in classes) / total
    return macro, micro, sum(scores[c] * sum(table[c]) / total for c in scores)


def _by_precision_and_recall(matrix: Tensor) -> dict[str, Tensor]:
    """Make precision and recall first, with 0/0 as 0, and F1 of each pair."""
    m = matrix.to(torch.float64)
    recall = (m.diag() / m.sum(1)).nan_to_num(0.0)
    precision = (m.diag() / m.sum(0)).nan_to_num(0.0)
    f1 = (2 * precision * recall / (precision + recall)).nan_to_num(0.0)
    count, occurs = m.sum(1), (m.sum(0) > 0) | (m.sum(1) > 0)
    return {"macro": f1[occurs].mean(), "micro": m.trace() / m.sum(), "weighted": count @ f1 / count.sum()}


def _by_examples(matrix: Tensor) -> tuple[float, Tensor, Tensor]:
    """Write each cell as true and said class, with its count as weight, and count again."""
    true, said = matrix.nonzero().T
    weight = matrix[true, said].double()
    kinds = torch.cat([true, said]).unique()
    right = weight * (true == said)
    f1 = torch.stack([
        2 * right[true == k].sum() / (weight[true == k].sum() + weight[said == k].sum()) for k in kinds
    ])  # fmt: skip
    share = torch.stack([weight[true == k].sum() for k in kinds]) / weight.sum()
    return f1.sum().item() / len(kinds), right.sum() / weight.sum(), torch.dot(share, f1)


def _cases(seed: int) -> list[Case]:
    g = rng(seed + 114)

    def case(name: str, table: list[list[float]], dtype: torch.dtype = torch.int64, example: bool = False) -> Case:
        return Case(name, {"matrix": torch.tensor(table, dtype=dtype)}, example=example)

    def drawn(name: str, counts: list[int], right: float, dtype: torch.dtype = torch.int64) -> Case:
        """Draw a matrix with so many examples of each class; some classes are said more readily than others."""
        classes = len(counts)
        loud = torch.rand(classes, generator=g, dtype=F64) ** 2 + 0.05
        table = torch.zeros(classes, classes, dtype=F64)
        for c, n in enumerate(counts):
            chances = (1 - right) * loud / loud.sum() + right * (torch.arange(classes) == c)
            for k in torch.multinomial(chances, max(n, 1), replacement=True, generator=g).tolist()[:n]:
                table[c, k] += 1
        return Case(name, {"matrix": (table * (0.5 if dtype.is_floating_point else 1)).to(dtype)})

    return [
        case("the three classes worked out", [[8, 2, 0], [1, 3, 0], [0, 2, 4]], example=True),
        case("two classes", [[7, 1], [3, 2]]),
        case("a class that is never said", [[5, 1, 0], [0, 3, 0], [2, 2, 0]]),
        case("a class that is said and does not occur", [[6, 1, 2], [1, 4, 0], [0, 0, 0]]),
        case("a class that neither occurs nor is said", [[3, 0, 2], [0, 0, 0], [1, 0, 5]]),
        case("empty classes of all kinds", [[4, 0, 0, 1, 0], [0, 0, 0, 0, 0], [2, 0, 0, 3, 0], [0, 0, 0, 0, 0], [1, 0, 0, 2, 0]]),
        case("one class only", [[0, 0], [0, 9]]),
        case("nothing right", [[0, 2, 1], [3, 0, 0], [0, 4, 0]]),
        case("a rare class that is found by nobody", [[90, 0, 2], [5, 0, 0], [3, 1, 20]]),
        drawn("five classes of different sizes", [40, 3, 17, 8, 25], 0.6),
        drawn("examples of weight one half, in float64", [12, 30, 5, 9], 0.5, F64),
        drawn("examples of weight one half, in float32", [25, 4, 0, 14], 0.7, torch.float32),
    ]  # fmt: skip


@exercise("11.4", title="One number for many classes", points=2)
class OneNumberForManyClasses:
    """Macro, micro and weighted F1."""

    reference = f1_scores
    returns = (Out("macro", "number"), Out("micro", "number"), Out("weighted", "number"))
    read = "Several classes"
    statement = r"""
        Of each class one can ask as of an illness: this class, or another? With $M$ for the confusion matrix, **true classes in the rows** and said
        ones in the columns, class $c$ has

        $$TP_c = M_{cc} \qquad FN_c = \text{the rest of row } c \qquad FP_c = \text{the rest of column } c \qquad
        F_{1,c} = \frac{2\, TP_c}{2\, TP_c + FP_c + FN_c}$$

        Three ways lead from C numbers to one:

        * **macro**: the mean of $F_{1,c}$ over the classes. Each class counts the same.
        * **micro**: TP, FP and FN are each added up over all classes first, and one F1 is made of the sums. Each example counts the same.
        * **weighted**: a mean of $F_{1,c}$ in which each class counts as often as it **occurs**, which is the sum of its row.

        Write `f1_scores(matrix)`. `matrix` has the shape (C, C). Its entries are counts: whole numbers, or decimals where examples have weights.
        At least one entry is not 0. Return macro, micro and weighted, in this order (or as a dict with the names `"macro"`, `"micro"` and
        `"weighted"`).

        Classes may be **empty**. One that occurs and is never said, or is said and never occurs, has TP = 0 and an F1 of 0. One that
        **neither occurs nor is said** has an F1 of 0/0: nothing was asked about it, and it is left out of all three.

        Example: `matrix = [[8, 2, 0], [1, 3, 0], [0, 2, 4]]`. The rows add up to 10, 4 and 6, the columns to 9, 7 and 4. The three F1 are
        16/19 = 0.8421, 6/11 = 0.5455 and 8/10 = 0.8. Macro is their mean, 0.7292. Micro is 2 · 15/(2 · 15 + 5 + 5) = 0.75, and weighted
        (10 · 0.8421 + 4 · 0.5455 + 6 · 0.8)/20 = 0.7701. What else is 0.75 here?
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "class by class": _class_by_class,
        "by precision and recall": _by_precision_and_recall,
        "example by example": _by_examples,
    }
    hints = (
        "Write three lists of C numbers first: the diagonal, the sums of the rows, and the sums of the columns. Everything else is made of these.",
        "2 TP + FP + FN is the sum of the row and of the column together, because TP stands in both. Where that is 0 the class was not asked about.",
        "Added up over all classes there are as many FP as FN: each wrong answer is one of either kind. What does F1 become then?",
    )
