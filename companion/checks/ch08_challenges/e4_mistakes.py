"""What goes wrong with a residual block (exercise 08.4), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case, Trace

Forward = Callable[[Any, Tensor], Tensor]
Matches = Callable[[Sequence[Case], Sequence[Observed]], bool]


def facts(case: Case, trace: Trace) -> Observed:
    """Return what the check compares: results, slopes, which parameters there are, and how a new block begins."""
    t, values = trace.tensors, case.args["values"]
    if "start" not in t or "out" not in t:
        return {}
    there = {n.removeprefix("shapes."): tuple(s.tolist()) for n, s in t.items() if n.startswith("shapes.")}
    x = case.args["x"]
    due = x if "shortcut.weight" not in values else x @ values["shortcut.weight"].T
    found = {
        "out": t["out"],
        "start": t["start"],
        "start of another": t.get("start of another", torch.zeros(0)),
        "out again": t.get("out again", torch.zeros(0)),
        "named": torch.tensor(there == {n: tuple(v.shape) for n, v in values.items()}),
        "lacks the table": torch.tensor(there.keys() == values.keys() - {"shortcut.weight"} != values.keys()),
        "table around": torch.tensor("shortcut.weight" in there),
        "bias around": torch.tensor("shortcut.bias" in there),
        "drawn": torch.tensor(all(bool(t.get(f"drawn.{n}", True)) for n in ("first.weight", "shortcut.weight"))),
        "learns": torch.tensor(bool(t.get("first slopes.last.weight", torch.zeros(1)).abs().max() > 1e-6)),
        "off at the start": torch.tensor(float("inf")),
        "same for all rows": torch.tensor(False),
    }
    if t["start"].shape == due.shape:
        off = t["start"] - due
        found["off at the start"] = off.abs().max()
        found["same for all rows"] = (off - off[0]).abs().max() < 1e-5
    slopes = {n: s for n, s in t.items() if n.startswith("slopes.") and n.removeprefix("slopes.") in values}
    return found | slopes | {"begins": found["off at the start"] < 1e-5}


def _right_later(case: Case, o: Observed, bent: bool = False) -> bool:
    """Return whether the results are right once the layers have been filled, or would be with a ReLU in front of the first."""
    values, x = case.args["values"], case.args["x"]
    enters = x.clamp(min=0) if bent else x
    hidden = (enters @ values["first.weight"].T + values["first.bias"]).clamp(min=0)
    around = x @ values["shortcut.weight"].T if "shortcut.weight" in values else x
    due = around + hidden @ values["last.weight"].T + values["last.bias"]
    return o["out"].shape == due.shape and torch.allclose(o["out"], due, rtol=1e-4, atol=1e-5)


def _seen(test: Callable[[Case, Observed], bool], of: Callable[..., bool] = all) -> Matches:
    """Recognise a mistake by what was observed in all cases, or in one of them."""
    return lambda cases, observed: all(observed) and of(test(c, o) for c, o in zip(cases, observed))


class Block(nn.Module):
    """The right block, to be changed in one thing."""

    equal: Callable[[int], nn.Module | None] = staticmethod(lambda inputs: None)
    bias = False
    table = True

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs)
        around = nn.Linear(inputs, outputs, bias=self.bias) if inputs != outputs else self.equal(inputs)
        self.shortcut = around if self.table else None
        self.begin()

    def begin(self) -> None:
        """Set the last layer to 0."""
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def around(self, x: Tensor) -> Tensor:
        """Return what goes around the layers."""
        return x if self.shortcut is None else self.shortcut(x)

    def added(self, x: Tensor) -> Tensor:
        """Return what the layers add."""
        out: Tensor = self.last(torch.relu(self.first(x)))
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum."""
        return self.around(x) + self.added(x)


def _block(**changes: Any) -> type[Block]:
    """Return the class with other methods."""
    return type("ResidualBlock", (Block,), changes)


def _forward(rule: Callable[[Tensor, Tensor], Tensor]) -> type[Block]:
    """Return the class that puts the two ways together by another rule."""
    return _block(forward=lambda self, x: rule(self.around(x), self.added(x)))


def _in_place(self: Block, x: Tensor) -> Tensor:
    if self.shortcut is not None:
        return self.shortcut(x) + self.added(x)
    x += self.added(x)
    return x


def _both_at_0(self: Block) -> None:
    for p in [*self.first.parameters(), *self.last.parameters()]:
        nn.init.zeros_(p)


def _first_at_0(self: Block) -> None:
    nn.init.zeros_(self.first.weight)
    nn.init.zeros_(self.first.bias)


def _around_at_0(self: Block) -> None:
    Block.begin(self)
    for p in [] if self.shortcut is None else self.shortcut.parameters():
        nn.init.zeros_(p)


def _cut_or_filled(self: Block, x: Tensor) -> Tensor:
    out = self.added(x)
    n = min(x.shape[1], out.shape[1])
    return out + nn.functional.pad(x[:, :n], (0, out.shape[1] - n))


def _only_where_equal(self: Block, x: Tensor) -> Tensor:
    return self.added(x) if self.shortcut is not None else x + self.added(x)


def _only_where_it_fits(self: Block, x: Tensor) -> Tensor:
    out = self.added(x)
    return x + out if x.shape == out.shape else out


def _always_x(self: Block, x: Tensor) -> Tensor:
    return self.around(x) + 0 * self.added(x)


class _Shared(Block):
    """All blocks of the same sizes have the layers of the first one."""

    made: ClassVar[dict[tuple[int, int, int], tuple[Any, Any, Any]]] = {}

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__(inputs, hidden, outputs)
        mine = self.first, self.last, self.shortcut
        self.first, self.last, self.shortcut = _Shared.made.setdefault((inputs, hidden, outputs), mine)
        self.begin()


_SUM = (
    Mistake(
        "leaves out what came in",
        _forward(lambda around, added: added),
        "A new block of yours returns 0, whatever comes in: these are two layers, and nothing goes around them.",
        "The sum is missing. Without it the slope has to pass through both layers, in every block anew.",
        "Which term of the formula does your last line not have? What should a new block return?",
    ),
    Mistake(
        "puts a ReLU behind the sum",
        _forward(lambda around, added: torch.relu(around + added)),
        "No result of yours is negative: -5 and -9 come in, and 0 comes out.",
        "An activation behind the sum cuts what goes around, in every block. Here the way around is to stay untouched.",
        "Read the formula from the inside: behind which sum stands the ReLU, and behind which none?",
    ),
    Mistake(
        "puts a ReLU behind the last layer",
        _forward(lambda around, added: around + torch.relu(added)),
        "What your layers add is never negative, so that a block can only make numbers larger.",
        "The ReLU stands between the two layers. A second one behind the last takes away everything that is to "
        "be subtracted.",
        "Can your block learn to turn 5 into 3? What would its layers have to add?",
    ),
    Mistake(
        "has no ReLU",
        _block(added=lambda self, x: self.last(self.first(x))),
        "Where the hidden sum is negative your block adds something all the same.",
        "Without a bend the two layers are one, and the whole block is a straight line: so are thirty of them.",
        "What does the hidden unit of the example hold for (1, 3)? And what reaches the last layer?",
    ),
    Mistake(
        "bends what comes in first",
        _block(added=lambda self, x: self.last(torch.relu(self.first(torch.relu(x))))),
        "Where a negative number comes in your layers do not see it.",
        "Some blocks have an activation in front of each layer. In this task x enters the first layer as it is.",
        "How many ReLUs has the formula, and what stands in their brackets?",
    ),
    Mistake(
        "adds what came in twice",
        _forward(lambda around, added: 2 * around + added),
        "A new block of yours returns twice what came in.",
        "It is added within the layers' part and once more in the end. After thirty blocks the signal is a "
        "billion times as large.",
        "Follow x through your forward with a pencil: how often does it reach the sum?",
    ),
    Mistake(
        "multiplies",
        _forward(lambda around, added: around * added),
        "A new block of yours returns 0: what came in is multiplied by what the layers make.",
        "A product is 0 as soon as one of the two is. The slope of a sum is 1 on the way around, and that is "
        "what this is about.",
        "Which sign stands between x and the layers in the formula?",
    ),
    Mistake(
        "takes off what the layers make",
        _forward(lambda around, added: around - added),
        "Your new block is the identity. Later its layers count with the wrong sign.",
        "A subtraction is learned as well as a sum, but it is another function: the check puts numbers into your layers.",
        "What should come out for (3, 1) in the example: (7, 7), or (-1, -5)?",
    ),
    Mistake(
        "takes the mean of both ways",
        _forward(lambda around, added: (around + added) / 2),
        "A new block of yours returns half of what came in.",
        "A mean keeps numbers small for one block. After thirty blocks a billionth is left of what came in, and "
        "of the slope too.",
        "What is one half to the power of 30? Is there a division in the formula?",
    ),
    Mistake(
        "puts both ways side by side",
        _forward(lambda around, added: torch.cat([around, added], dim=1)),
        "Your result has twice as many columns as asked for: what came in and what the layers make, side by side.",
        "`cat` joins, and does not add. With it each block would make the next one wider.",
        "Which shape has the result in the task? Which operation keeps it?",
    ),
    Mistake(
        "switches its layers off for good",
        _block(forward=_always_x),
        "Whatever stands in your layers, your block returns what came in.",
        "The identity is where a block begins. If it is fixed in `forward`, by a 0 or by leaving the layers out, "
        "nothing can be learned.",
        "Where should the zeros stand that make a new block the identity: in `forward`, or in a weight that can change?",
    ),
)

_GRADIENT = (
    Mistake(
        "writes into what came in",
        _block(forward=_in_place),
        "The numbers you return are right, and the caller's own x is changed with them.",
        "`x += ...` writes into the tensor that was handed over. The layers need it on the way back, and so may others.",
        "Write `x + ...` in that line. What is the difference between `x += 1` and `y = x + 1` for whoever holds x?",
    ),
    Mistake(
        "cuts the way around off from the slope",
        _block(forward=lambda self, x: self.around(x).detach() + self.added(x)),
        "The numbers are right, and on the way back nothing goes around the layers.",
        "`detach`, `.data` or `no_grad` hides the way around from autograd. Its slope of 1 is the reason why there is one.",
        "In a new block the slope by x should be that by the result. Where is it lost in yours?",
    ),
    Mistake(
        "cuts its layers off from the slope",
        _block(forward=lambda self, x: self.around(x) + self.last(torch.relu(self.first(x)).detach())),
        "The numbers are right, and no slope reaches the first layer.",
        "`detach`, `.data` or `no_grad` stands between the first layer and the sum. What is hidden from autograd "
        "is never trained.",
        "Print `block.first.weight.grad` after going back. Which line of your forward is it cut off by?",
    ),
)

_START = (
    Mistake(
        "forgets the bias of the last layer",
        _block(begin=lambda self: nn.init.zeros_(self.last.weight)),
        "A new block of yours adds the same small numbers to every row.",
        "The weight of the last layer begins at 0 and its bias does not: `torch.nn.Linear` draws both.",
        "Print `block.last.bias` of a new block. What should be there?",
        matches=_seen(
            lambda c, o: (
                _right_later(c, o) and not bool(o["begins"]) and bool(o["same for all rows"]) and bool(o["learns"])
            )
        ),
    ),
    Mistake(
        "sets the first layer to 0 and not the last",
        _block(begin=_first_at_0),
        "A new block of yours adds the same small numbers to every row: the first layer is 0, and the last one is not.",
        "With the first layer at 0 the hidden units hold 0, and what is left is the bias of the last. Its table gets no slope in this way.",
        "Print `block.first.weight` and `block.last.weight` of a new block. Which of the two is to be 0 in the task?",
        matches=_seen(
            lambda c, o: (
                _right_later(c, o)
                and not bool(o["begins"])
                and bool(o["same for all rows"])
                and not bool(o["drawn"])
                and not bool(o["learns"])
            )
        ),
    ),
    Mistake(
        "does not begin as the identity",
        _block(begin=lambda self: None),
        "A new block of yours adds something by chance to what came in.",
        "The last layer begins as PyTorch draws it. In thirty blocks these additions pile up, and the signal grows.",
        "Which two tensors have to be 0 for the layers to add nothing? `torch.nn.init.zeros_` sets one of them.",
        matches=_seen(lambda c, o: _right_later(c, o) and not bool(o["begins"]) and bool(o["named"])),
    ),
    Mistake(
        "sets both layers to 0",
        _block(begin=_both_at_0),
        "A new block of yours is the identity, and all it can learn is to add the same to every row: no slope reaches its tables.",
        "With the first layer at 0 the hidden units hold 0, so the last layer has slope 0. With the last at 0 "
        "the first has none, too.",
        "Write the slope by the last weight as a product. Which of its factors is 0 in your block, and who could change it?",
        matches=_seen(
            lambda c, o: _right_later(c, o) and bool(o["begins"]) and not bool(o["learns"]) and not bool(o["drawn"])
        ),
    ),
    Mistake(
        "begins the way around at 0",
        _block(begin=_around_at_0),
        "With as many outputs as inputs you are right. With other widths a new block of yours returns 0, whatever comes in.",
        "The zeros of the last layer are there so that x passes untouched. A way around that is 0 as well lets nothing through.",
        "Which layers of your block are set to 0? Print what a new block with 3 inputs and 5 outputs returns.",
        matches=_seen(
            lambda c, o: (
                _right_later(c, o)
                and bool(o["begins"])
                and bool(o["learns"])
                and bool(o["drawn"]) == ("shortcut.weight" not in c.args["values"])
            )
        ),
    ),
    Mistake(
        "shares its layers with other blocks",
        _Shared,
        "When a second block is made, the first one gives other results than before: they have the same layers.",
        "The layers belong to the class, or to something outside of it. A stack of thirty blocks would be one "
        "block, thirty times.",
        "In which function are your layers made? Each block makes its own in `__init__`, as `self.first` and so on.",
        matches=_seen(
            lambda c, o: (
                _right_later(c, o)
                and o["out again"].shape == o["out"].shape
                and not torch.allclose(o["out again"], o["out"], atol=1e-3)
            ),
        ),
    ),
)

_AROUND = (
    Mistake(
        "always has a table on the way around",
        _block(equal=staticmethod(lambda inputs: nn.Linear(inputs, inputs, bias=False))),
        "With as many outputs as inputs your block has a shortcut with weights of its own.",
        "A table drawn by chance is no identity, and thirty of them in a row are the product that the way around "
        "should avoid.",
        "When can x be added as it is? Make the table only where it cannot.",
        matches=_seen(
            lambda c, o: (
                bool(o["table around"]) and not bool(o["bias around"]) and "shortcut.weight" not in c.args["values"]
            ),
            of=lambda found: any(found),
        ),
    ),
    Mistake(
        "bends what comes in first, and gives the way around a bias",
        _block(bias=True, added=lambda self, x: self.last(torch.relu(self.first(torch.relu(x))))),
        "Where a negative number comes in your layers do not see it, and where the widths differ your shortcut has a bias.",
        "Two things at once: x enters the first layer as it is, without a ReLU in front, and the way around has a table alone.",
        "How many ReLUs has the formula, and what stands in their brackets? Then look which argument of `torch.nn.Linear` leaves a bias out.",
        matches=lambda cases, observed: (
            all(observed)
            and any(bool(o["bias around"]) for o in observed)
            and all(
                _right_later(c, o, bent=True) and not _right_later(c, o)
                for c, o in zip(cases, observed)
                if "shortcut.weight" not in c.args["values"]
            )
        ),
    ),
    Mistake(
        "gives the way around a bias",
        _block(bias=True),
        "Where the widths differ your shortcut has a bias, and the task asks for none.",
        "The last layer has a bias already, and two of them add up to one. `torch.nn.Linear` makes one unless "
        "told otherwise.",
        "Which argument of `torch.nn.Linear` leaves the bias out?",
        matches=_seen(lambda c, o: bool(o["bias around"]), of=lambda found: any(found)),
    ),
    Mistake(
        "has no table on the way around where the widths differ",
        _block(table=False, forward=_only_where_it_fits),
        "With as many outputs as inputs you are right. With other widths your block has no `shortcut`.",
        "Leaving x out there, cutting it or filling it up with 0 loses what came in, or a part of it. A table brings all of it to the other width.",
        "Print `[name for name, _ in ResidualBlock(3, 7, 5).named_parameters()]`. Which of the task's names is missing?",
        matches=lambda cases, observed: (
            all(observed)
            and any(bool(o["lacks the table"]) for o in observed)
            and all(bool(o["lacks the table"]) or _right_later(c, o) for c, o in zip(cases, observed))
        ),
    ),
    Mistake(
        "cuts what came in, or fills it up with 0",
        _block(forward=_cut_or_filled),
        "With as many outputs as inputs you are right. With other widths you add the first columns of x as they are.",
        "Cutting throws away what stands in the other columns, and zeros leave outputs without a way around. "
        "Here a table mixes them.",
        "Which layer of yours has the shape (outputs, inputs)? In your forward it is not used.",
    ),
    Mistake(
        "has nothing on the way around where the widths differ",
        _block(forward=_only_where_equal),
        "With as many outputs as inputs you are right. With other widths a new block of yours returns 0.",
        "Where x does not fit you leave it out. One such block in a stack, and nothing that came in gets past it.",
        "What is `shortcut` for? Print what your block adds up with 3 inputs and 5 outputs.",
    ),
    Mistake(
        "leaves out what came in, and puts a ReLU behind the last layer",
        _forward(lambda around, added: torch.relu(added)),
        "A new block of yours returns 0, and no block ever returns a negative number.",
        "Two things at once: nothing goes around the layers, and a second ReLU cuts what the last one makes.",
        "Write the formula beside your last line. Which term has no counterpart, and which ReLU has none?",
    ),
)

MISTAKES = (*_SUM, *_GRADIENT, *_START, *_AROUND)
