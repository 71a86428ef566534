"""Exercise 09.7: blend and soften."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Property, exercise, rng
from companion.checks.cases import draw
from companion.checks.ch09_regularization.e7_mistakes import MISTAKES
from companion.checks.levels import close
from companion.checks.numbers import F64, rows, vector
from companion.checks.trace import Case


def blend(
    x: torch.Tensor,
    labels: torch.Tensor,
    share: torch.Tensor,
    partner: torch.Tensor,
    smoothing: float,
    classes: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return blended inputs, their soft targets (N, classes), and the lowest mean loss that these targets allow."""
    targets = torch.full((len(x), classes), smoothing / classes, dtype=x.dtype)
    targets[torch.arange(len(x)), labels] = 1 - smoothing + smoothing / classes
    rows = share[:, None]  # (N, 1)
    targets = rows * targets + (1 - rows) * targets[partner]
    wide = share.reshape(-1, *[1] * (x.dim() - 1))  # (N, 1, ..., 1), to fit images as well
    inputs = wide * x + (1 - wide) * x[partner]
    floor = -torch.special.xlogy(targets, targets).sum(dim=1).mean()  # 0 where a target is 0
    return inputs, targets, floor


def _by_one_hot(
    x: Tensor, labels: Tensor, share: Tensor, partner: Tensor, smoothing: float, classes: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Blend one-hot rows first, and soften what comes out."""
    one_hot = torch.nn.functional.one_hot(labels, classes).to(x.dtype)
    hard = torch.lerp(one_hot[partner], one_hot, share[:, None])
    soft = (1 - smoothing) * hard + smoothing / classes
    flat = x.flatten(1)
    inputs = torch.lerp(flat[partner], flat, share[:, None]).view(x.shape)
    terms = torch.where(soft > 0, soft * soft.clamp(min=1e-300 if x.dtype == F64 else 1e-38).log(), 0.0)
    return inputs, soft, -terms.sum() / len(x)


def _row_by_row(x: Tensor, labels: Tensor, share: Tensor, partner: Tensor, smoothing: float, classes: int) -> list[Any]:
    inputs, targets, floor = torch.empty_like(x), torch.zeros(len(x), classes, dtype=x.dtype), 0.0
    for n, (part, other) in enumerate(zip(share.tolist(), partner.tolist())):
        inputs[n] = part * x[n] + (1 - part) * x[other]
        targets[n] += smoothing / classes
        targets[n, labels[n]] += (1 - smoothing) * part
        targets[n, labels[other]] += (1 - smoothing) * (1 - part)
        floor -= sum(t * math.log(t) for t in targets[n].tolist() if t > 0) / len(x)
    return [inputs, targets, floor]


def _by_entropy(
    x: Tensor, labels: Tensor, share: Tensor, partner: Tensor, smoothing: float, classes: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Take the blend for a product with a table that has a row for each example."""
    n = len(x)
    table = torch.zeros(n, n, dtype=x.dtype)
    table[range(n), range(n)] += share
    table[range(n), partner] += 1 - share  # a partner may be the example itself
    whole = torch.eye(classes, dtype=x.dtype)[labels] * (1 - smoothing) + smoothing / classes
    targets = table @ whole
    return torch.einsum("nm,m...->n...", table, x), targets, torch.special.entr(targets).sum(1).mean()


def _cases(seed: int) -> list[Case]:
    def case(
        name: str,
        x: Tensor,
        labels: list[int],
        share: Tensor,
        partner: list[int],
        smoothing: float,
        classes: int,
        *,
        example: bool = False,
    ) -> Case:
        given = {"x": x, "labels": torch.tensor(labels), "share": share, "partner": torch.tensor(partner)}
        return Case(name, {**given, "smoothing": smoothing, "classes": classes}, example=example)

    def drawn(
        name: str, axes: str, n: int, smoothing: float, classes: int, dtype: torch.dtype = F64, **options: Any
    ) -> Case:
        g = rng(3 * seed + n)
        x = draw(name, {"x": axes}, seed + n, sizes={"N": n}, dtype=dtype, **options).args["x"]
        labels = torch.randint(classes - 1, (n,), generator=g).tolist()  # the last class does not occur
        partner = torch.randperm(n, generator=g)
        while bool((partner == torch.argsort(partner)).all()):
            partner = torch.randperm(n, generator=g)
        share = torch.rand(n, generator=g, dtype=F64).to(dtype)
        return case(name, x, labels, share, partner.tolist(), smoothing, classes)

    return [
        case("the two examples worked out", rows([10, 0], [0, 20]), [0, 2], vector(0.75, 0.5), [1, 0], 0.2, 4, example=True),
        case("no smoothing", rows([4, 0, 2], [8, 6, 1]), [1, 0], vector(0.25, 0.875), [1, 0], 0.0, 3),
        case("three partners in a ring", rows([1, 2], [3, 5], [9, -4]), [2, 0, 1], vector(0.75, 0.25, 0.625), [1, 2, 0], 0.3, 3),
        case("everybody as it was", rows([1, 2, 5], [3, -1, 0]), [1, 3], vector(1, 1), [1, 0], 0.1, 5),
        case("hard targets", rows([2, 7], [4, 1]), [1, 0], vector(1, 0), [1, 0], 0.0, 3),
        case("a partner of the same class", rows([2], [6], [5]), [1, 0, 1], vector(0.75, 0.5, 0.25), [2, 0, 1], 0.1, 2),
        case("a smoothing of 1", rows([1, 3], [5, 2], [0, 1]), [0, 2, 1], vector(0.5, 0.25, 0.75), [2, 0, 1], 1.0, 3),
        case("one who is its own partner", rows([1, 3], [5, 2], [0, 1]), [0, 2, 1], vector(0.5, 0.25, 0.75), [2, 1, 0], 0.25, 4),
        drawn("more examples, in float64", "N D", 7, 0.1, 6),
        drawn("images", "N C H W", 5, 0.15, 4),
        drawn("float32, with gaps in memory", "N D", 6, 0.2, 3, torch.float32, strided=True),
    ]  # fmt: skip


def _inputs_are_right(case: Case, o: Observed) -> bool:
    return close(o["inputs"], blend(*case.args.values())[0], 1e-4)


def _rows_add_up(case: Case, o: Observed) -> bool:
    return bool(((o["targets"].sum(dim=-1) - 1).abs() < 1e-4).all())


def _fits_the_targets(case: Case, o: Observed) -> bool:
    t = o["targets"].to(F64)
    return close(o["floor"].to(F64).reshape(()), -torch.special.xlogy(t, t).sum(dim=1).mean(), 1e-4)


_PROPERTIES = (
    Property(
        "the inputs are blended",
        _inputs_are_right,
        "The blended inputs are not right yet.",
        "Each example keeps its own share of itself, and takes the rest from its partner as that came in. The share has one number for each example.",
        "Do the first row of the case shown on paper, and print it. Which axis does `share` run along in your product?",
    ),
    Property(
        "each row of targets adds up to 1",
        _rows_add_up,
        "A row of your targets does not add up to 1.",
        "One is shared out between the classes: by the smoothing first, and by the blend between two such rows. Nothing may be lost on the way.",
        "Print the sums before the blend and after it. Where is the 1 lost?",
    ),
    Property(
        "the lowest loss is that of the targets",
        _fits_the_targets,
        "Inputs and row sums are in order. Your lowest loss is not the one that your own targets allow.",
        "The loss is lowest where the probabilities are the targets. It is minus the sum of t log t in each row, and the mean over the rows.",
        "Put your targets of the case shown into the formula by hand, with 0 for a target of 0.",
    ),
    Property(
        "the targets are right",
        lambda case, o: False,
        "Your inputs are right, and your lowest loss fits your targets. The targets are not right yet.",
        "The one class gets 1 - ε + ε/C and each other ε/C. Two such rows are blended with the same share as the inputs.",
        "Write both rows of the example before the blend on paper, then blend them class by class.",
    ),
)


@exercise("09.7", title="Blend and soften", points=2)
class BlendAndSoften:
    """Mixup with smoothed labels, and the loss that cannot be undercut."""

    reference = blend
    read = "Softer targets"
    returns = (Out("inputs"), Out("targets"), Out("floor", "number"))
    properties = _PROPERTIES
    tolerance = 1e-4
    statement = r"""
        Mixup lays two examples over each other, and asks for both of their classes. Label smoothing takes a little from the right class and gives
        it to all. Here both are done to one batch.

        Write `blend(x, labels, share, partner, smoothing, classes)`.

        * `x` holds N examples along its first axis. It may have the shape (N, D), or (N, C, H, W) for images. `labels` has their classes, from 0 to
          `classes - 1`. Not every class need occur in a batch.
        * `share` has a number from 0 to 1 for each example: how much of **itself** example $i$ keeps. `partner` says of which row the rest comes: example $i$ is
          blended with row `partner[i]` of the batch as it came in.
        * `smoothing` is $\varepsilon$, from 0 to 1.

        Return three things: `(inputs, targets, floor)`. With $s_i$ for the share and $j$ for the partner of $i$ they are

        $$\tilde x_i = s_i x_i + (1 - s_i)\, x_j, \qquad \tilde t_i = s_i t_i + (1 - s_i)\, t_j, \qquad \text{floor} = -\frac{1}{N} \sum_{i, k} \tilde t_{ik} \ln \tilde t_{ik}$$

        where $t_i$ is the smoothed target of example $i$: $1 - \varepsilon + \varepsilon/C$ at its class, and $\varepsilon/C$ at each other of the $C$ classes. The
        targets have the shape (N, classes) and the dtype of x. The floor is one number: the mean cross-entropy of a network whose
        probabilities are exactly the targets. No network can do better. A target of 0 adds 0 to it. Leave everything that came in as it was.

        Example: `x = [[10, 0], [0, 20]]`, labels `[0, 2]`, shares `[0.75, 0.5]`, partners `[1, 0]`, a smoothing of 0.2 and 4 classes. The inputs become
        `[[7.5, 5], [5, 10]]`. Smoothed, the targets are `[0.85, 0.05, 0.05, 0.05]` and `[0.05, 0.05, 0.85, 0.05]`. Blended
        they are `[0.65, 0.05, 0.25, 0.05]` and `[0.45, 0.05, 0.45, 0.05]`. The rows have the losses 0.926 and 1.018, so that the floor is 0.972.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "one-hot rows, blended first": _by_one_hot,
        "row by row": _row_by_row,
        "as a product with a table": _by_entropy,
    }
    hints = (
        "Three pieces of work, one after the other: smoothed targets for every example; the blend, of inputs and of targets; the floor. Test each on the example.",
        "`targets[partner]` and `x[partner]` are the rows of the partners. For the product, `share` needs as many axes as what it meets: `share[:, None]` for a "
        "table, and one more for each further axis.",
        "`torch.special.xlogy(t, t)` is t ln t, with 0 where t is 0. The floor is minus its sum over the classes, averaged over the examples.",
    )
