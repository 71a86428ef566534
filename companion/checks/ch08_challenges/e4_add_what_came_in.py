"""Exercise 08.4: add what came in."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from companion.checks.bank import Observed, Out, Property, exercise, rng
from companion.checks.ch08_challenges.e4_mistakes import MISTAKES, facts
from companion.checks.numbers import F64, rows, vector
from companion.checks.trace import Call, Case, Trace

MAY_LACK = ["shortcut.weight"]
"""What a block may do without while it is looked at: what its results are then says more than that it is not there."""


class ResidualBlock(torch.nn.Module):
    """Add to what comes in what two layers make of it; at the start they add nothing."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        """Make two layers, and a shortcut where the widths differ; the last layer begins at 0."""
        super().__init__()
        self.first = torch.nn.Linear(inputs, hidden)
        self.last = torch.nn.Linear(hidden, outputs)
        self.shortcut = torch.nn.Linear(inputs, outputs, bias=False) if inputs != outputs else None
        torch.nn.init.zeros_(self.last.weight)
        torch.nn.init.zeros_(self.last.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what comes in plus what the layers add: (N, inputs) -> (N, outputs)."""
        around = x if self.shortcut is None else self.shortcut(x)
        return around + self.last(torch.relu(self.first(x)))


class _WithIdentity(nn.Module):
    """Take PyTorch's module that does nothing where the widths agree."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.shortcut = nn.Identity() if inputs == outputs else nn.Linear(inputs, outputs, bias=False)
        self.act = nn.ReLU()
        self.last = nn.Linear(hidden, outputs)
        self.first = nn.Linear(inputs, hidden)
        for p in self.last.parameters():
            p.data.zero_()

    def forward(self, x: Tensor) -> Tensor:
        h = self.act(self.first(x))
        h = self.last(h)
        h += self.shortcut(x)  # h is its own, and a linear layer does not need its output on the way back
        return h


class _ByTables(nn.Module):
    """Keep the layers, and compute with their tables."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)
        nn.init.constant_(self.last.weight, 0.0)
        self.last.bias = nn.Parameter(torch.zeros(outputs))
        self.same = inputs == outputs
        if not self.same:
            self.shortcut = nn.Linear(inputs, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = (x @ self.first.weight.T + self.first.bias).clamp(min=0)
        out = torch.addmm(self.last.bias, h, self.last.weight.T)
        return x + out if self.same else torch.nn.functional.linear(x, self.shortcut.weight) + out


def _cases(seed: int) -> list[Case]:
    g = rng(seed + 84)

    def drawn(*shape: int, scale: float = 1.0) -> Tensor:
        return (scale * torch.randn(*shape, generator=g, dtype=F64) + 0.2).to(torch.float32)

    def case(name: str, inputs: int, hidden: int, outputs: int, n: int) -> Case:
        values = {
            "first.weight": drawn(hidden, inputs),
            "first.bias": drawn(hidden),
            "last.weight": drawn(outputs, hidden),
            "last.bias": drawn(outputs),
        }
        if inputs != outputs:
            values["shortcut.weight"] = drawn(outputs, inputs)
        given = {"inputs": inputs, "hidden": hidden, "outputs": outputs, "x": drawn(n, inputs, scale=2.0)}
        return Case(name, {**given, "values": values}, grad=("x",))

    worked_out = {
        "first.weight": rows([1, -1]),
        "first.bias": vector(0),
        "last.weight": rows([2], [3]),
        "last.bias": vector(0, 0),
    }
    given = {"inputs": 2, "hidden": 1, "outputs": 2, "x": rows([3, 1], [1, 3], [-5, -9]), "values": worked_out}
    return [
        Case("the block worked out", given, grad=("x",)),
        case("as many outputs as inputs", 4, 6, 4, 5),
        case("as many hidden units as inputs", 5, 5, 5, 7),
        case("more outputs than inputs", 3, 7, 5, 4),
        case("fewer outputs than inputs", 6, 4, 2, 3),
    ]


def _script(case: Case) -> list[Call]:
    inputs, hidden, outputs, x, values = case.args.values()
    sizes, names = (inputs, hidden, outputs), ("inputs", "hidden", "outputs")
    around = {n: v for n, v in values.items() if n == "shortcut.weight"}
    return [
        Call("ResidualBlock", sizes, names, keep="block"),
        Call("@shapes", ("$block",), returns=("shapes",)),
        Call("@drawn", ("$block",), returns=("drawn",)),
        Call("@slopes_by_parameters", ("$block", x), returns=("first slopes",)),
        Call("@fill", ("$block", around, MAY_LACK), returns=()),
        Call("$block", (x,), ("x",), ("start",)),
        Call("@fill", ("$block", values, MAY_LACK), returns=()),
        Call("$block", (x,), ("x",), ("out",), grad=("x",)),
        Call("@slopes_by_parameters", ("$block", x), returns=("slopes",)),
        Call("ResidualBlock", sizes, names, keep="other"),
        Call("@fill", ("$other", around, MAY_LACK), returns=()),
        Call("$other", (x,), ("x",), ("start of another",)),
        Call("$block", (x,), ("x",), ("out again",)),
    ]


def _observe(case: Case, trace: Trace) -> Observed:
    return facts(case, trace)


_PROPERTIES = (
    Property(
        "no parameter that the task does not name",
        lambda case, o: bool(o["named"]),
        "Your block has other parameters than the task names, or one of them is missing.",
        "`first` and `last` have a weight and a bias each. `shortcut` has a weight alone, and only where the widths differ.",
        "Print `[name for name, _ in ResidualBlock(4, 6, 4).named_parameters()]`, and the same for 3 inputs and 5 outputs.",
    ),
    Property(
        "the identity at the start",
        lambda case, o: o["off at the start"].item() < 1e-5,
        "A new block of yours does not hand on what came in: it adds something from the start.",
        "With thirty such blocks the signal would grow from block to block. Only a last layer that is 0 adds "
        "nothing at first.",
        "Print `ResidualBlock(4, 6, 4)(x) - x`. Which of your numbers should be 0, and where are they set?",
    ),
    Property(
        "what is not the last layer is drawn",
        lambda case, o: bool(o["drawn"]),
        "In a new block of yours a table is 0 that should begin as PyTorch draws it.",
        "Only the last layer begins at 0. A way around that begins at 0 lets nothing of x through, and a first layer at 0 nothing to the last.",
        "Print `block.first.weight`, and `block.shortcut.weight` where there is one. In which lines are zeros written?",
    ),
    Property(
        "it can learn from the start",
        lambda case, o: bool(o["learns"]),
        "A new block of yours is the identity, and no slope reaches the table of its last layer.",
        "The slope by that table is what comes back times what the hidden units hold. If these are all 0 it never moves.",
        "Print `block.last.weight.grad` after a step backwards. What do the hidden units hold in a new block?",
    ),
)


@exercise("08.4", title="Add what came in", points=2)
class AddWhatCameIn:
    """A residual block that begins as the identity, and can leave it."""

    reference = ResidualBlock
    read = "A way around"
    returns = (Out("start"), Out("out"), Out("start of another"), Out("out again"))
    script = _script
    observe = _observe
    properties = _PROPERTIES
    random = True
    tolerance = 1e-4
    statement = r"""
        A residual block hands on what came in, and adds what its layers make of it:

        $$y = x + W_2\, \operatorname{relu}(W_1 x + b_1) + b_2$$

        Nothing stands behind the sum: no activation, so that what came in passes through thirty blocks as it is, negative
        numbers too. Where a block has another number of outputs than inputs, $x$ cannot be added. There the way around gets
        a table of its own, $y = S x + \dots$, without a bias.

        Write a class `ResidualBlock(inputs, hidden, outputs)`, a `torch.nn.Module` with the method `forward(x)` from (N,
        inputs) to (N, outputs). Its layers bear these names, because the check puts numbers into them:

        * `first`, a `torch.nn.Linear` from the inputs to the hidden units,
        * `last`, a `torch.nn.Linear` from the hidden units to the outputs,
        * `shortcut`, a `torch.nn.Linear` from the inputs to the outputs without a bias, and only if their numbers differ. If
          they agree $x$ itself is added, and nothing is learned on the way around.

        A new block has to add nothing: with as many outputs as inputs it returns exactly $x$. For that the weight and the
        bias of `last` begin at 0. All other layers begin as PyTorch draws them, so that the block can learn to add something.

        Example: with 2 inputs and 1 hidden unit let `first.weight = [[1, -1]]`, `last.weight = [[2], [3]]`, and both biases
        0. For `x = [[3, 1]]` the hidden unit holds $3 - 1 = 2$. The layers add $(4, 6)$, and the result is `[[7, 7]]`. For
        `x = [[1, 3]]` the sum is $-2$, the ReLU makes it 0, and the result is `[[1, 3]]`.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {"with an identity": _WithIdentity, "by tables": _ByTables}
    hints = (
        "Draw two ways from x to the sum: one through two layers with a ReLU between them, one around them. "
        "Which of the two needs "
        "a table, and when?",
        "In `__init__`: `super().__init__()`, then the layers. `torch.nn.init.zeros_(self.last.weight)` sets "
        "numbers to 0 in place, and "
        "the bias needs the same.",
        "In `forward`: `around = x` or `around = self.shortcut(x)`, and then "
        "`return around + self.last(torch.relu(self.first(x)))`. "
        "With `self.shortcut = None` where the widths agree, an `if self.shortcut is None` decides.",
    )
