"""Exercise 04.4: cross-entropy with smoothed labels."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from companion.checks.bank import exercise, rng
from companion.checks.cases import draw
from companion.checks.ch04_losses.e4_mistakes import MISTAKES
from companion.checks.numbers import F64, rows
from companion.checks.trace import Case


def smoothed_cross_entropy(logits: torch.Tensor, labels: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Return the mean cross-entropy of logits (N, C) with smoothed labels (N,), one number without axes."""
    n, classes = logits.shape
    targets = torch.full_like(logits, smoothing / classes)
    targets[torch.arange(n), labels] = 1 - smoothing + smoothing / classes  # each row adds up to 1
    log_shares = logits - torch.logsumexp(logits, dim=1, keepdim=True)  # (N, C)
    return -(targets * log_shares).sum(dim=1).mean()


def _by_two_losses(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    log_shares = torch.log_softmax(logits, dim=-1)
    right = log_shares.gather(1, labels.unsqueeze(1)).squeeze(1)
    return -((1 - smoothing) * right + smoothing * log_shares.mean(dim=1)).mean()


def _by_one_hot(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    one_hot = torch.nn.functional.one_hot(labels, logits.shape[1]).to(logits.dtype)
    shifted = logits - logits.amax(dim=1, keepdim=True)
    log_shares = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    return torch.einsum("nc,nc->", (1 - smoothing) * one_hot + smoothing / logits.shape[1], -log_shares) / len(logits)


def _by_loop(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    total = logits.new_zeros(())
    for row, label in zip(logits, labels):
        whole = torch.logsumexp(row, dim=0)
        for k, logit in enumerate(row):
            share = smoothing / len(row) + (1 - smoothing if k == label else 0.0)
            total = total + share * (whole - logit)
    return total / len(labels)


def _by_logsumexp(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    wished = (1 - smoothing) * logits[range(len(labels)), labels] + smoothing * logits.mean(dim=1)
    return (torch.logsumexp(logits, dim=1) - wished).mean()


def _cases(seed: int) -> list[Case]:
    def case(name: str, logits: Tensor, labels: list[int], smoothing: float, **options: Any) -> Case:
        args = {"logits": logits, "labels": torch.tensor(labels), "smoothing": smoothing}
        return Case(name, args, grad=("logits",), **options)

    def labels(n: int, classes: int) -> Tensor:
        return torch.randint(classes, (n,), generator=rng(seed + n))

    drawn = {"logits": "N C"}
    return [
        case("the example of the task", rows([2.0, 1.0, 0.0]), [0], 0.3, example=True),
        case("two rows of three classes", rows([2.0, 1.0, 0.0], [-1.0, 0.0, 2.0]), [0, 1], 0.3),
        case("three rows of four classes", rows([1.0, 3.0, 0.0, -2.0], [0.5, 0.0, 2.0, 1.0], [4.0, -1.0, 1.0, 0.0]), [3, 2, 0], 0.2),
        case("no smoothing", rows([1.0, -1.0, 2.0], [0.0, 3.0, 1.0]), [1, 2], 0.0),
        case("a smoothing of 1, where all classes are asked for alike", rows([1.0, -1.0, 2.0, 0.0]), [2], 1.0),
        case("logits of 1000 and -1000, sure and right", rows([1000.0, -1000.0, 0.0]), [0], 0.1),
        case("a logit of 1000, sure and wrong", rows([1000.0, 0.0, 1.0, 2.0], [0.0, 2.0, 1.0, -1.0]), [2, 1], 0.1),
        case("a row far below 0", rows([-1000.0, -1001.0, -1003.0], [1.0, 0.0, -1.0], dtype=F64), [2, 0], 0.2),
        draw(
            "more classes, in float64",
            drawn,
            2 * seed,
            sizes={"N": 3, "C": 5},
            plus={"labels": labels(3, 5), "smoothing": 0.15},
            grad=("logits",),
        ),
        draw(
            "numbers with gaps in memory",
            drawn,
            2 * seed + 1,
            sizes={"N": 7, "C": 4},
            dtype=torch.float32,
            strided=True,
            plus={"labels": labels(7, 4), "smoothing": 0.4},
            grad=("logits",),
        ),
    ]  # fmt: skip


@exercise("04.4", title="Cross-entropy with smoothed labels", points=2)
class SmoothedCrossEntropy:
    """Targets that ask for a little less than 1."""

    reference = smoothed_cross_entropy
    read = "Label smoothing"
    statement = r"""
        A one-hot target asks for the probability 1. A smoothed one asks for a little less. With $C$ classes, the label
        $t_i$ of example $i$, and $\varepsilon$ for the smoothing, the targets of row $i$ are

        $$y_{ik} = \begin{cases} 1 - \varepsilon + \frac{\varepsilon}{C} & k = t_i \\ \frac{\varepsilon}{C} & \text{else} \end{cases}
        \qquad \text{and} \qquad \text{loss} = -\frac{1}{N} \sum_{i=1}^{N} \sum_{k=1}^{C} y_{ik} \log p_{ik}$$

        where $p_{i1}, \dots, p_{iC}$ is the softmax of the logits $z_{i1}, \dots, z_{iC}$ of that row.

        Write `smoothed_cross_entropy(logits, labels, smoothing)`. `logits` has the shape (N, C), `labels` the shape (N,)
        with whole numbers from 0 to C - 1, and `smoothing` is $\varepsilon$, a number from 0 to 1. Return one number, a
        tensor without axes in the dtype of the logits. Value **and gradient** must be right for logits of 1000 and -1000 as
        well. `torch.logsumexp` and `torch.log_softmax` are allowed. PyTorch's ready-made `cross_entropy` is not.

        Example: `logits = [[2, 1, 0]]` with `labels = [0]` and the smoothing 0.3. The targets are 0.8, 0.1 and 0.1. The
        logarithms of the shares are -0.4076, -1.4076 and -2.4076. So the loss is
        $0.8 \cdot 0.4076 + 0.1 \cdot 1.4076 + 0.1 \cdot 2.4076 = 0.7076$.
    """
    cases = _cases
    forbidden = dict.fromkeys(
        ("nn.functional.cross_entropy", "_C._nn.cross_entropy_loss"),
        "Its `label_smoothing` is what you are asked to write. Build the loss from log-sum-exp or log-softmax.",
    )
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "two losses mixed": _by_two_losses,
        "one-hot rows": _by_one_hot,
        "a loop": _by_loop,
        "logits and log-sum-exp": _by_logsumexp,
    }
    hints = (
        "Write the targets of the example on paper, one row for each example. What does each row have to add up to?",
        "Two tables of the shape (N, C) are needed: the targets, and the logarithms of the shares. The second comes from "
        "the logits in one step that does not overflow. Where do the two meet?",
        "`torch.full_like(logits, smoothing / C)` makes the table of the targets. One place in each row has to be "
        "another number: `targets[torch.arange(N), labels] = ...`. Multiply by `log_softmax`, add up each row, take the "
        "mean, mind the sign.",
    )
