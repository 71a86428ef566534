"""Exercise 04.5: weights for a rare class."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from companion.checks.bank import exercise, rng
from companion.checks.cases import draw
from companion.checks.ch04_losses.e5_mistakes import MISTAKES
from companion.checks.numbers import F64, rows, vector
from companion.checks.trace import Case


def class_weights(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Return a weight for each class, larger for a rarer one and 0 for one that is not there: (N,) -> (classes,)."""
    counts = torch.bincount(labels, minlength=classes)
    weights = len(labels) / (classes * counts)  # infinite where a class is not there
    return torch.where(counts > 0, weights, 0.0)


def weighted_cross_entropy(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy in which each example counts as its class does: (N, C), (N,), (C,) -> ()."""
    log_shares = logits - torch.logsumexp(logits, dim=1, keepdim=True)  # (N, C)
    losses = -log_shares[torch.arange(len(labels)), labels]  # (N,)
    each = weights[labels]  # (C,) -> (N,), the weight of each example's own class
    return (each * losses).sum() / each.sum()


def _weights_by_loop(labels: Tensor, classes: int) -> Tensor:
    found = []
    for k in range(classes):
        n = (labels == k).sum().item()
        found.append(len(labels) / (classes * n) if n else 0.0)
    return torch.tensor(found)


def _loss_by_loop(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    total, weighed = logits.new_zeros(()), weights.new_zeros(())
    for z, t in zip(logits, labels):
        total = total + weights[t] * (torch.logsumexp(z, dim=0) - z[t])
        weighed = weighed + weights[t]
    return total / weighed


def _weights_by_table(labels: Tensor, classes: int) -> Tensor:
    counts = (labels[:, None] == torch.arange(classes)).sum(dim=0).float()
    return (labels.numel() / classes) * torch.nan_to_num(1 / counts, posinf=0.0)


def _loss_by_table(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    table = torch.nn.functional.one_hot(labels, len(weights)) * weights  # (N, C)
    return -(table * torch.log_softmax(logits, dim=-1)).sum() / table.sum()


def _weights_by_scatter(labels: Tensor, classes: int) -> Tensor:
    weights = torch.zeros(classes)
    kinds, counts = labels.unique(return_counts=True)
    weights[kinds] = len(labels) / (classes * counts)
    return weights


def _loss_by_shares(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    share = weights.gather(0, labels) / weights.gather(0, labels).sum()
    return share @ (logits.logsumexp(dim=1) - logits.gather(1, labels[:, None]).squeeze(1))


def _cases(seed: int) -> list[Case]:
    def counted(name: str, labels: list[int], classes: int, **options: Any) -> Case:
        return Case(name, {"labels": torch.tensor(labels), "classes": classes}, "class_weights", **options)

    def weighed(name: str, logits: Tensor, labels: list[int], *weights: float, **options: Any) -> Case:
        args = {
            "logits": logits,
            "labels": torch.tensor(labels),
            "weights": torch.tensor(weights, dtype=logits.dtype),
        }
        return Case(name, args, "weighted_cross_entropy", grad=("logits",), **options)

    def drawn(name: str, n: int, classes: int, **options: Any) -> Case:
        g = rng(seed + 10 * n)
        plus = {
            "labels": torch.randint(classes, (n,), generator=g),
            "weights": (0.2 + 3 * torch.rand(classes, generator=g)).to(options["dtype"]),
        }
        more: dict[str, Any] = {
            "function": "weighted_cross_entropy",
            "grad": ("logits",),
            "sizes": {"N": n, "C": classes},
        }
        return draw(name, {"logits": "N C"}, seed + n, plus=plus, **more, **options)

    many = torch.multinomial(vector(0.6, 0.25, 0.0, 0.1, 0.05), 40, replacement=True, generator=rng(seed)).tolist()
    return [
        counted("the labels of the example", [0, 0, 0, 1], 3, example=True),
        counted("two classes, one of them rare", [0, 1, 0, 0, 0], 2),
        counted("a class in the middle that is not there", [2, 0, 2, 2, 3, 0], 4),
        counted("one class only", [1, 1], 2),
        counted("forty labels of five classes", many, 5),
        weighed(
            "the logits of the example", rows([2.0, 1.0, 0.0], [0.0, 0.0, 0.0]), [0, 1], 1.0, 3.0, 0.5, example=True
        ),
        weighed(
            "three rows that are answered wrongly",
            rows([1.0, 3.0], [2.0, 0.5], [-1.0, 0.0]),
            [0, 1, 0],
            0.5,
            4.0,
        ),
        weighed("a single row", rows([1.0, -1.0, 0.5]), [2], 0.5, 1.0, 4.0),
        weighed("a class of weight 0", rows([0.0, 2.0], [1.0, -1.0], [0.5, 3.0]), [1, 0, 0], 0.0, 2.5),
        weighed(
            "logits of 1000 and -1000",
            rows([1000.0, -1000.0, 0.0], [0.0, 1000.0, 900.0]),
            [2, 2],
            1.0,
            2.0,
            5.0,
        ),
        drawn("more rows, in float64", 7, 4, dtype=F64),
        drawn("numbers with gaps in memory", 5, 3, dtype=torch.float32, strided=True),
    ]


@exercise("04.5", title="Weights for a rare class", points=2)
class RareClass:
    """Count the classes, and let a rare one weigh more."""

    reference = class_weights, weighted_cross_entropy
    read = "Few ones among many zeros"
    statement = r"""
        If one class is rare, a mean over all examples hardly hears it. With weights every class can be made to count the
        same. Write two functions.

        `class_weights(labels, classes)` gets the labels (N,), whole numbers from 0 to `classes` - 1, and the number of
        classes $C$. With $n_c$ for the number of examples of class $c$ the weights are

        $$w_c = \frac{N}{C \, n_c}$$

        and a class that is not there gets the weight 0. Return them as a float32 tensor of the shape (C,).

        `weighted_cross_entropy(logits, labels, weights)` gets logits (N, C), labels (N,) and **any** weights (C,), not only
        those of the first function. They have the dtype of the logits, and the sum below is never 0. It returns the
        weighted mean of the cross-entropies, which divides by the sum of the weights that were counted:

        $$\text{loss} = -\frac{\sum_{i} w_{t_i} \log p_{i t_i}}{\sum_{i} w_{t_i}}$$

        Here $t_i$ is the label of example $i$ and $p_{i1}, \dots, p_{iC}$ is the softmax of its logits. It is one number,
        a tensor without axes, and value **and gradient** must be right for logits of 1000 and -1000 too. `torch.logsumexp`
        and `torch.log_softmax` are allowed. PyTorch's ready-made losses are not, `nll_loss` among them.

        Example: `class_weights` of `[0, 0, 0, 1]` with three classes: the counts are 3, 1 and 0, so the weights are
        $\frac{4}{3 \cdot 3} = 0.444$, $\frac{4}{3 \cdot 1} = 1.333$ and 0. For `logits = [[2, 1, 0], [0, 0, 0]]`,
        `labels = [0, 1]` and `weights = [1, 3, 0.5]` the two losses are 0.4076 and $\log 3 = 1.0986$, so the result is
        $\frac{1 \cdot 0.4076 + 3 \cdot 1.0986}{1 + 3} = 0.9259$.
    """
    cases = _cases
    forbidden = dict.fromkeys(
        ("nn.functional.cross_entropy", "_C._nn.cross_entropy_loss", "nn.functional.nll_loss", "_C._nn.nll_loss"),
        "Its `weight` is what you are asked to write. Pick the logarithms of the right classes yourself.",
    )
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "two loops": (_weights_by_loop, _loss_by_loop),
        "two tables": (_weights_by_table, _loss_by_table),
        "classes that are there, and shares": (_weights_by_scatter, _loss_by_shares),
    }
    hints = (
        "Do the example on paper. Which weight does each of the examples have in the sum, and what is the sum of those "
        "weights?",
        "`torch.bincount(labels, minlength=classes)` counts. A division by a count of 0 is infinite: choose 0 for such a "
        "class with `torch.where`.",
        "`weights[labels]` has the shape (N,): the weight of each example. Multiply it with the N losses, add up, and "
        "divide by its own sum.",
    )
