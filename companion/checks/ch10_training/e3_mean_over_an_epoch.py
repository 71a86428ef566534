"""Exercise 10.3: the mean over an epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import Tensor, nn

from companion.checks.bank import Observed, Out, Property, exercise, rng
from companion.checks.ch10_training.e3_mistakes import MISTAKES
from companion.checks.levels import close
from companion.checks.numbers import F64
from companion.checks.trace import Call, Case, Trace

Batches = Iterable[tuple[Tensor, Tensor]]


def evaluate(net: torch.nn.Module, batches: torch.utils.data.DataLoader) -> tuple[float, float]:
    """Return the mean cross-entropy over all examples of the batches, and the share that is right."""
    was_training = net.training
    net.eval()
    total, right, count = 0.0, 0, 0
    with torch.no_grad():
        for x, y in batches:
            scores = net(x)
            total += torch.nn.functional.cross_entropy(scores, y, reduction="sum").item()
            right += (scores.argmax(dim=1) == y).sum().item()
            count += len(y)
    net.train(was_training)
    return total / count, right / count


def _all_together(net: nn.Module, batches: Batches) -> tuple[Tensor, Tensor]:
    """Put scores and classes of all batches into one table, and take the means at the end."""
    mode = net.training
    net.train(False)
    with torch.inference_mode():
        pairs = [(net(x), y) for x, y in batches]
        scores, targets = (torch.cat(several) for several in zip(*pairs))
        shares = torch.log_softmax(scores, dim=1)
        loss = -shares[torch.arange(len(targets)), targets].mean()
        accuracy = (scores.max(dim=1).indices == targets).double().mean()
    net.train(mode)
    return loss, accuracy


@torch.no_grad()
def _weighted(net: nn.Module, batches: Batches) -> dict[str, object]:
    """Weight the mean of each batch with its share of the examples."""
    modes = [(m, m.training) for m in net.modules()]
    net.eval()
    losses, shares, sizes = [], [], []
    for x, y in list(batches):
        z = net(x)
        losses.append(float(nn.functional.nll_loss(z.log_softmax(1), y)))
        shares.append(z.argmax(-1).eq(y).float().mean())
        sizes.append(y.numel())
    weights = torch.tensor(sizes) / sum(sizes)
    for module, mode in modes:
        module.training = mode
    return {"loss": (weights * torch.tensor(losses)).sum(), "accuracy": float((weights * torch.stack(shares)).sum())}


def _cases(seed: int) -> list[Case]:
    g = rng(seed + 103)

    def case(
        name: str, sizes: tuple[int, int, int], rows: list[int], *, training: bool = True, dtype: torch.dtype = F64
    ) -> Case:
        drawn = []
        for k, n in enumerate(rows):  # later batches are harder, so that a mean over batches is another one
            x = (1 + k) * torch.randn(n, sizes[0], generator=g, dtype=F64) - k
            drawn.append((x.to(dtype), torch.randint(sizes[2], (n,), generator=g)))
        network = {"sizes": sizes, "seed": 7 + len(name), "wide": dtype == F64, "drop": 0.4, "training": training}
        return Case(name, {"batches": drawn, "network": network})

    return [
        case("batches of 3 and 2", (2, 4, 3), [3, 2]),
        case("a short last batch", (3, 5, 4), [8, 8, 8, 3]),
        case("a network that comes in evaluation", (3, 6, 2), [5, 4], training=False),
        case("batches of many sizes", (4, 3, 3), [2, 9, 4, 6]),
        case("equal batches, in float32", (5, 4, 3), [6, 6, 6], dtype=torch.float32),
        case("a single batch", (2, 3, 4), [7]),
        case("a last batch of one example", (3, 4, 2), [5, 1]),
    ]


_SEEN = ("rows", "in training", "recorded", "mode", "moved", "statistics moved", "slopes")


def _script(case: Case) -> list[Call]:
    return [
        Call("@network", tuple(case.args["network"].values()), keep="net"),
        Call("@once", (case.args["batches"],), keep="batches"),
        Call("evaluate", ("$net", "$batches"), ("net", "batches"), ("loss", "accuracy"), repeat=False),
        Call("@diary", ("$net", _SEEN), returns=("net",)),
    ]


def _observe(case: Case, trace: Trace) -> Observed:
    """Return both numbers, and how the network was asked and left."""
    t = trace.tensors
    numbers = {n: t[n].double().reshape(()) if t[n].numel() == 1 else t[n] for n in ("loss", "accuracy") if n in t}
    return {**numbers, **{n: t[f"net.{n}"] for n in _SEEN if f"net.{n}" in t}}


def _rows(case: Case) -> list[int]:
    return [len(y) for _, y in case.args["batches"]]


_PROPERTIES = (
    Property(
        "each batch is asked once",
        lambda case, o: o["rows"].tolist() == _rows(case),
        "Your network was not asked about each batch once, as it comes.",
        "Batches come from a loader here, which can be gone through once. What is left out, or asked twice, is missing or counts double.",
        "Print the sizes of the inputs that your network gets, beside those of the batches.",
    ),
    Property(
        "the network answers in evaluation",
        lambda case, o: not bool(o["in training"].any()),
        "Your network answers in training mode: units are dropped, and each batch is normalised with its own mean.",
        "What is measured then is a network that nobody will use, and the answer to an example hangs on its batch.",
        "Which call sets dropout and normalisation to what they do in use? It has to come before the first batch.",
    ),
    Property(
        "the statistics stay",
        lambda case, o: not bool(o["statistics moved"]),
        "The running statistics of the batch normalisation have moved.",
        "An evaluation must leave no trace in the network. Validation rows would otherwise take part in the training.",
        "In which mode is the network when the first batch comes, and in which one when the last one comes?",
    ),
    Property(
        "nothing is recorded",
        lambda case, o: not bool(o["recorded"].any()),
        "The network answers while autograd records every step.",
        "`eval()` does not switch that off. The record costs memory and time, and here nobody goes back through it.",
        "Which `with` block of torch switches the record off? Your loop belongs inside it.",
    ),
    Property(
        "no slopes are left",
        lambda case, o: not bool(o["slopes"]) and not bool(o["moved"]),
        "After your evaluation the weights have slopes, or have moved.",
        "Slopes of validation rows would be added to those of the next training batch: the network would learn from what it is judged by.",
        "Look for `backward` and `step`. Neither belongs into an evaluation.",
    ),
    Property(
        "the mode is put back",
        lambda case, o: int(o["mode"]) == int(case.args["network"]["training"]),
        "The network is not in the mode in which it came.",
        "A loop that evaluates after each epoch would go on training without dropout, or somebody's finished network would begin to drop units.",
        "Note `net.training` before you change it. What does `net.train(...)` take as its argument?",
    ),
    Property(
        "the loss is the mean over all examples",
        lambda case, o: _is_right(case, o, "loss"),
        "Your loss is not the mean over all examples of all batches.",
        "Each example weighs the same, in whichever batch it stands. So every batch counts as much as it has examples.",
        "Print loss and size of each batch. With which weights do they have to go into the mean?",
    ),
    Property(
        "the accuracy is a share of all examples",
        lambda case, o: False,
        "Your loss is right. Your accuracy is not the share of all examples that are right.",
        "Right answers are counted over all batches, and divided once, by the number of all examples.",
        "Print for each batch how many are right and how many there are.",
    ),
)


def _is_right(case: Case, o: Observed, name: str) -> bool:
    """Return whether a number is what a network like the case's gives for all rows at once."""
    from companion.checks.loops import network

    net = network(*case.args["network"].values()).eval()
    x, y = (torch.cat(several) for several in zip(*case.args["batches"]))
    return close(o[name], nn.functional.cross_entropy(net(x), y).detach().double(), 1e-4)


@exercise("10.3", title="Mean over an epoch", points=1)
class MeanOverAnEpoch:
    """Loss and accuracy of a validation, over batches that are not equally large."""

    reference = evaluate
    read = "A mean over unequal batches"
    returns = (Out("loss", "number"), Out("accuracy", "number"))
    script = _script
    observe = _observe
    properties = _PROPERTIES
    random = True  # a network that stays in training draws its dropout: told as such
    tolerance = 1e-4
    statement = r"""
        After each epoch a network is judged by the validation rows. They come in batches, and the last one is often smaller than the others.

        Write `evaluate(net, batches)`. `net` is a classifier, a `torch.nn.Module` from (B, D) to scores (B, C). `batches` yields pairs `x, y`: inputs
        (B, D), and classes (B,) as whole numbers. It is a loader: it can be gone through **once**, and has no length. There is at least one batch.
        Return two numbers, **loss, accuracy**:

        * the mean cross-entropy over **all examples**, each of which weighs the same,
        * the share of all examples for which the largest score is that of the right class.

        The network is asked about each batch once, as it would be in use: in evaluation, so that nothing is dropped and no batch is normalised with
        its own mean. No record for gradients is made. Afterwards the network is in the mode in which it came, training or evaluation, and otherwise
        unchanged.

        Example: two batches. In the first are 3 examples with a mean loss of 0.5, two of them right. In the second is 1 example with a loss of 2.1,
        and it is wrong. The loss of the epoch is $(3 \cdot 0.5 + 1 \cdot 2.1)/4 = 0.9$ and the accuracy $2/4 = 0.5$. The mean of the two batches
        would say 1.3 and 0.33: one unlucky example would count as much as three others.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {"all together": _all_together, "with the weights of the batches": _weighted}
    hints = (
        "Keep three sums over the batches: the losses of all examples, the right answers, the examples. The two divisions come after the loop.",
        '`cross_entropy` gives the mean of a batch; times `len(y)` it is the sum, or ask for `reduction="sum"`. '
        "`scores.argmax(dim=1) == y` tells for each example whether it is right.",
        "`was = net.training`, then `net.eval()`, then the loop within `with torch.no_grad():`, and in the end `net.train(was)`.",
    )
