"""Exercise 10.4: the order of the loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from companion.checks.bank import Observed, Out, Property, exercise, rng
from companion.checks.ch10_training.e4_mistakes import MISTAKES
from companion.checks.levels import close
from companion.checks.loops import BACKWARD, FORWARD, SCHEDULE, STEP, descent, diary, falling, network, once
from companion.checks.numbers import F64
from companion.checks.trace import Call, Case, Trace


def train_epoch(
    net: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    batches: torch.utils.data.DataLoader,
    limit: float,
) -> float:
    """Take one step for each batch. Return the mean loss over all examples."""
    net.train()
    total, count = 0.0, 0
    for x, y in batches:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), limit)
        optimizer.step()
        schedule.step()
        total += loss.item() * len(y)
        count += len(y)
    return total / count


def _by_hand(net: Any, optimizer: Any, schedule: Any, batches: Any, limit: float) -> Tensor:
    """Clear by hand, clip by hand, and take the loss apart from its record."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    losses, sizes = [], []
    net.train(True)
    for x, y in batches:
        loss = nn.functional.nll_loss(net(x).log_softmax(dim=1), y)
        for p in parameters:
            p.grad = None
        loss.backward()
        length = sum(float(p.grad.square().sum()) for p in parameters) ** 0.5
        if length > limit:
            for p in parameters:
                p.grad *= limit / length
        optimizer.step()
        schedule.step()
        losses.append(loss.detach())
        sizes.append(len(y))
    weights = torch.tensor(sizes).to(losses[0])
    return (torch.stack(losses) * weights).sum() / weights.sum()


def _by_grad(net: Any, optimizer: Any, schedule: Any, batches: Any, limit: float) -> float:
    """Ask for the slopes as a list, and hand them to the weights shortened: nothing of before can be in them."""
    net.train()
    weights, seen = list(net.parameters()), []
    for x, y in batches:
        losses = nn.functional.cross_entropy(net(x), y, reduction="none")
        slopes = torch.autograd.grad(losses.mean(), weights)
        length = float(torch.cat([s.flatten() for s in slopes]).norm())
        for w, s in zip(weights, slopes):
            w.grad = s * min(1.0, limit / (length + 1e-12))
        optimizer.step()
        schedule.step()
        seen += losses.tolist()
    return sum(seen) / len(seen)


def _in_two_functions(net: Any, optimizer: Any, schedule: Any, batches: Any, limit: float) -> Any:
    """Keep the step in a function of its own, and clear before the backward pass."""

    def step(x: Tensor, y: Tensor) -> Tensor:
        loss: Tensor = nn.functional.cross_entropy(net(x), y, reduction="none")
        net.zero_grad()
        loss.mean().backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(list(net.parameters()), max_norm=limit)
        optimizer.step()
        schedule.step()
        return loss.detach()

    net.train()
    return torch.cat([step(x, y) for x, y in batches]).mean().item()


def _cases(seed: int) -> list[Case]:
    g = rng(seed + 104)

    def case(
        name: str,
        sizes: tuple[int, int, int],
        rows: list[int],
        lr: float,
        momentum: float,
        factor: float,
        limit: float,
        *,
        training: bool = True,
        slopes: bool = False,
        dtype: torch.dtype = F64,
    ) -> Case:
        batches = []
        for k, n in enumerate(rows):
            x = torch.randn(n, sizes[0], generator=g, dtype=F64) * (1 + k) - k
            batches.append((x.to(dtype), torch.randint(sizes[2], (n,), generator=g)))
        wide = dtype == F64
        net = {"sizes": sizes, "seed": 3 + len(name), "wide": wide, "drop": 0.0, "training": training, "slopes": slopes}
        settings = {"lr": lr, "momentum": momentum, "factor": factor}
        return Case(name, {"batches": batches, "limit": limit, "settings": settings, "network": net})

    return [
        case("two batches", (2, 3, 2), [4, 3], 0.1, 0.0, 0.5, 100.0),
        case("slopes that are too long", (3, 4, 3), [5, 5, 5], 0.2, 0.0, 0.9, 0.3),
        case("momentum, and a short last batch", (3, 5, 4), [8, 8, 8, 3], 0.05, 0.9, 0.8, 1.0),
        case("a network that comes in evaluation", (4, 3, 2), [4, 6], 0.1, 0.5, 0.9, 0.5, training=False),
        case("slopes left over from before", (2, 4, 3), [6, 4, 2], 0.1, 0.0, 0.7, 50.0, slopes=True),
        case("many batches, in float32", (3, 4, 2), [4] * 7, 0.05, 0.9, 0.6, 0.4, dtype=torch.float32),
        case("a single batch", (5, 3, 4), [9], 0.3, 0.0, 0.1, 0.2),
    ]


_SEEN = ("events", "rows", "in training", "norms", "rates", "records pile up", "weights")
_LEFT = ("length in the end",)
"""Nobody is judged by it: who clips too late and who never does are told apart by it."""


def _script(case: Case) -> list[Call]:
    batches, limit, settings, net = case.args.values()
    return [
        Call("@network", tuple(net.values()), keep="net"),
        Call("@descent", ("$net", settings["lr"], settings["momentum"]), keep="optimizer"),
        Call("@falling", ("$optimizer", settings["factor"]), keep="schedule"),
        Call("@once", (batches,), keep="batches"),
        Call(
            "train_epoch",
            ("$net", "$optimizer", "$schedule", "$batches", limit),
            ("net", "optimizer", "schedule", "batches", "limit"),
            ("loss",),
            repeat=False,
        ),
        Call("@diary", ("$net", (*_SEEN, *_LEFT)), returns=("net",)),
    ]


def _observe(case: Case, trace: Trace) -> Observed:
    """Return the loss, what happened in which order, the lengths and rates of the steps, and where they led."""
    t = trace.tensors
    found = {n: t[f"net.{n}"] for n in _SEEN if f"net.{n}" in t}
    loss = t.get("loss", torch.zeros(0))
    return {**found, "loss": loss.double().reshape(()) if loss.numel() == 1 else loss}


def _rows(case: Case) -> list[int]:
    return [len(y) for _, y in case.args["batches"]]


def _due(case: Case) -> list[int]:
    return [FORWARD, BACKWARD, STEP, SCHEDULE] * len(_rows(case))


def _count(code: int) -> Callable[[Case, Observed], bool]:
    return lambda case, o: int((o["events"] == code).sum()) == len(_rows(case))


def _rates(case: Case) -> Tensor:
    settings = case.args["settings"]
    return torch.tensor([settings["lr"] * settings["factor"] ** k for k in range(len(_rows(case)))], dtype=F64)


def _weights(case: Case) -> Tensor:
    """Return where the weights of a case end in the loop of the task."""
    batches, limit, settings, net = case.args.values()
    watched = network(*net.values())
    optimizer = descent(watched, settings["lr"], settings["momentum"])
    train_epoch(watched, optimizer, falling(optimizer, settings["factor"]), once(batches), limit)  # type: ignore[arg-type]
    return diary(watched, ("weights",))["weights"]


_PROPERTIES = (
    Property(
        "each batch is asked once",
        lambda case, o: o["rows"].tolist() == _rows(case),
        "The network was not asked about each batch once.",
        "In an epoch each batch takes part once, also a short last one. To ask twice moves the running statistics twice.",
        "Print the size of each input of the network, beside the sizes of the batches.",
    ),
    Property(
        "it trains in training mode",
        lambda case, o: bool(o["in training"].all()),
        "The network is not in training mode while it learns.",
        "The evaluation before may have left it otherwise. Then nothing is dropped, and running statistics stand in for those of the batch.",
        "Which call belongs above the loop of every epoch?",
    ),
    Property(
        "one backward pass for each batch",
        _count(BACKWARD),
        "There should be one backward pass for each batch, and in yours there are more or fewer.",
        "It computes the slopes of this batch. Without it a step has nothing to go by.",
        "Which of your lines goes back through the loss, and how often does it run?",
    ),
    Property(
        "one step for each batch",
        _count(STEP),
        "There should be one step of the optimizer for each batch, and in yours there are more or fewer.",
        "A step moves the weights by the slopes that are there. Twice by the same slopes is too far, and none is too little.",
        "Count the calls of `optimizer.step()` in one epoch.",
    ),
    Property(
        "the schedule moves with each step",
        _count(SCHEDULE),
        "The schedule should be moved on once after each step, and in yours it is more or less often.",
        "A schedule that counts steps and is moved on once in an epoch has hardly begun when the training ends.",
        "Count the calls of `schedule.step()` in one epoch.",
    ),
    Property(
        "the order is kept",
        lambda case, o: o["events"].tolist() == _due(case),
        "The steps of your loop come in another order than they should.",
        "Each uses what the one before has left: the loss, then the slopes, then the weights, then the rate for the next batch.",
        "Write down in which order your lines run for one batch, and for the first of the next one.",
    ),
    Property(
        "the rates are those of the schedule",
        lambda case, o: close(o["rates"], _rates(case), 1e-4),
        "Your steps were not taken at the rates that are due: the first one at the rate that came in, and then along the schedule.",
        "Who moves the schedule first loses its first rate. Who sets the rate by hand works against it.",
        "Print `optimizer.param_groups[0]['lr']` before each step.",
    ),
    Property(
        "no step is longer than the limit",
        lambda case, o: bool((o["norms"] <= case.args["limit"] * 1.001 + 1e-9).all()),
        "At some step all slopes together are longer than the limit.",
        "The length is cut between the backward pass, which writes the slopes, and the step, which uses them.",
        "Print the length of all slopes directly before `optimizer.step()`.",
    ),
    Property(
        "records do not pile up",
        lambda case, o: not bool(o["records pile up"]),
        "The records of earlier batches are still held while later ones are computed: memory grows with every batch.",
        "A loss knows how it was computed. Added to a total or put into a list as it is, it keeps all of that alive.",
        "What does `loss.item()` return, and what does `loss`?",
    ),
    Property(
        "the weights arrive where they should",
        lambda case, o: close(o["weights"], _weights(case), 1e-3),
        "Order, rates and lengths look right, and the weights end elsewhere: the slopes are not those of the task.",
        "Slopes of something else may be left in the weights, the clipping may change more than the length, or the loss of a batch is another one.",
        "Print loss and slopes of the first batch, and compare with a loop of your own that does nothing else.",
    ),
    Property(
        "the loss is the mean over all examples",
        lambda case, o: False,
        "The weights arrive where they should. Your result is not the mean loss over all examples.",
        "Each example weighs the same, with the loss that it had when its batch was asked. So a batch counts as much as it has examples.",
        "Print loss and size of each batch, and your two totals after each round.",
    ),
)  # fmt: skip


@exercise("10.4", title="The order of the loop", points=2)
class TheOrderOfTheLoop:
    """One epoch, line by line, with everything that a loop at work has."""

    reference = train_epoch
    read = "The loop, line by line"
    returns = (Out("loss", "number"),)
    script = _script
    observe = _observe
    properties = _PROPERTIES
    random = True
    tolerance = 1e-4
    statement = r"""
        You are handed everything that a training needs, and write the loop of one epoch. It looks harmless, and most of its mistakes say nothing: the
        loss still falls.

        Write `train_epoch(net, optimizer, schedule, batches, limit)`. `net` is a classifier, `optimizer` and `schedule` belong to it. `batches`
        yields pairs `x, y` of inputs (B, D) and classes (B,). It can be gone through once, and each batch is used once.

        * The network is in training mode, whatever it was before.
        * The loss of a batch is the mean cross-entropy of its examples.
        * The step goes by the slopes **of this batch alone**. When you are called, weights may still hold slopes of something else.
        * Where all slopes together, as one long vector, are longer than `limit`, they are shortened to that length. `torch.nn.utils.clip_grad_norm_`
          may be used.
        * `optimizer.step()` moves the weights, once for each batch.
        * The schedule counts steps: `schedule.step()` comes once after each of them.

        Return one number, the mean loss **over all examples** of the epoch, each with the loss that it had when its batch was asked. It may not hold
        on to the records of the batches.

        Example: two batches of 4 and 3 examples, a rate of 0.1, and a schedule that halves it in each step. The first step is taken at 0.1, the
        second at 0.05, and the rate is 0.025 when you are done. If the losses of the batches are 0.7 and 1.4, the result is
        $(4 \cdot 0.7 + 3 \cdot 1.4)/7 = 1.0$.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "by hand": _by_hand,
        "by slopes that are asked for": _by_grad,
        "a step in a function of its own": _in_two_functions,
    }
    hints = (
        "For each batch there are six things to do. Ask of each what it reads and what it writes: scores, loss, slopes, lengths, weights, rate. That leaves one order, but for "
        "the clearing of old slopes.",
        "Old slopes may be cleared anywhere before the backward pass of this batch. The length is cut right after it. The schedule comes last.",
        "`net.train()` stands above the loop. In it: `optimizer.zero_grad()`, loss, `loss.backward()`, `clip_grad_norm_(net.parameters(), limit)`, `optimizer.step()`, "
        "`schedule.step()`. For the total take `loss.item() * len(y)`.",
    )
