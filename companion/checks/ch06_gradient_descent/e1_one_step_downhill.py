"""Exercise 06.1: one step downhill."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Property, exercise, rng
from companion.checks.ch06_gradient_descent.e1_mistakes import MISTAKES
from companion.checks.numbers import F64, number, rows, vector
from companion.checks.trace import Call, Case, Trace


def step(weights: list[torch.Tensor], slopes: list[torch.Tensor], lr: float) -> list[torch.Tensor]:
    """Return the weights after one step of gradient descent, as new tensors."""
    return [w - lr * g for w, g in zip(weights, slopes)]


def _by_index(weights: Sequence[Tensor], slopes: Sequence[Tensor], lr: float) -> list[Tensor]:
    moved = []
    for k in range(len(weights)):
        moved.append(torch.add(weights[k], slopes[k], alpha=-lr))
    return moved


def _on_copies(weights: Sequence[Tensor], slopes: Sequence[Tensor], lr: float) -> tuple[Tensor, ...]:
    copies = tuple(w.clone() for w in weights)
    for w, g in zip(copies, slopes):
        w -= lr * g
    return copies


def _by_the_optimizer(weights: Sequence[Tensor], slopes: Sequence[Tensor], lr: float) -> list[Tensor]:
    leaves = [w.clone().requires_grad_() for w in weights]
    for leaf, g in zip(leaves, slopes):
        leaf.grad = g.clone()
    torch.optim.SGD(leaves, lr=lr).step()
    return [leaf.detach() for leaf in leaves]


def _cases(seed: int) -> list[Case]:
    g = rng(seed)

    def drawn(*shape: int, dtype: torch.dtype = F64, strided: bool = False) -> Tensor:
        numbers = (2 * torch.randn(*shape, generator=g, dtype=F64) + 0.5).to(dtype)
        if not strided:
            return numbers
        room = torch.zeros(*shape, 2, dtype=dtype)
        return room[..., 0].copy_(numbers)

    def case(name: str, weights: list[Tensor], slopes: list[Tensor], lr: float, *, example: bool = False) -> Case:
        return Case(name, {"weights": weights, "slopes": slopes, "lr": lr}, example=example)

    shapes = ((3, 5), (3,), (2, 3), (2,))
    return [
        case("the step worked out", [vector(4, 1), vector(2)], [vector(4, 10), vector(-3)], 0.15, example=True),
        case("a single number", [number(3)], [number(-8)], 0.25),
        case("slopes of 0 in one of two tensors", [vector(2, -1, 3), vector(5)], [vector(0, 0, 0), vector(4)], 0.5),
        case("a rate above 1", [rows([1, -2, 3], [0.5, 4, -1])], [rows([2, 1, -3], [-1, 0.5, 4])], 2.0),
        case("a layer in float64", [drawn(3, 5), drawn(3)], [drawn(3, 5), drawn(3)], 0.1),
        case("two layers in float64", [drawn(*s) for s in shapes], [0.2 * drawn(*s) for s in shapes], 0.03),
        case(
            "two tables in float32, with gaps in memory",
            [drawn(4, 2, dtype=torch.float32, strided=True), drawn(3, 4, dtype=torch.float32, strided=True)],
            [drawn(4, 2, dtype=torch.float32, strided=True), drawn(3, 4, dtype=torch.float32, strided=True)],
            0.4,
        ),
    ]


def _script(case: Case) -> list[Call]:
    given, names = tuple(case.args.values()), tuple(case.args)
    return [
        Call("step", given, names, returns=(), repeat=False),  # to see whether the lists are as they were
        Call("step", given, keep="new"),
        Call("@listed", ("$new",), returns=("new",)),
    ]


def _observe(case: Case, trace: Trace) -> Observed:
    return {n.removeprefix("new."): t for n, t in trace.tensors.items() if n.startswith("new.")}


def _as_many(case: Case, observed: Observed) -> bool:
    """Return whether there is a tensor for each of the weights, of its shape."""
    shapes = {str(n): w.shape for n, w in enumerate(case.args["weights"], 1)}
    return {n: t.shape for n, t in observed.items()} == shapes


def _moved(case: Case, observed: Observed) -> bool:
    """Return whether every weight whose slope is not 0 has moved."""
    pairs = zip(case.args["weights"], case.args["slopes"], observed.values())
    return all(bool(((new != w) | (g == 0)).all()) for w, g, new in pairs)


def _downhill(case: Case, observed: Observed) -> bool:
    """Return whether no weight has moved the way in which its slope points."""
    pairs = zip(case.args["weights"], case.args["slopes"], observed.values())
    return not any(bool(((new - w) * g > 1e-6).any()) for w, g, new in pairs)


_PROPERTIES = (
    Property(
        "a tensor for each tensor, of its shape",
        _as_many,
        "The list should hold one tensor for each tensor of weights, in the same order and of the same shape.",
        "The step is taken entry by entry, so no shape changes. A list inside a list, a sum or a product of tables changes it.",
        "Print the shapes of `weights` and of what you return, one below the other. Where do they part?",
    ),
    Property(
        "every weight moves",
        _moved,
        "Some weights have a slope that is not 0, and come back as they were.",
        "Every weight takes its own step in the same round: weights in later tensors, and entries in later rows, too.",
        "Print old minus new for each tensor. Which of them are 0, and which line of yours should have reached them?",
    ),
    Property(
        "no weight goes uphill",
        _downhill,
        "Some weights move the way in which the loss grows.",
        "Where the slope is positive, a larger weight means a larger loss. So the weight has to become smaller there.",
        "Take one entry with a positive slope and one with a negative. On which side of the old weight must the new one lie?",
    ),
)


@exercise("06.1", title="One step downhill", points=1)
class OneStepDownhill:
    """The rule of the chapter, for any number of tensors."""

    reference = step
    read = "One step downhill"
    returns = (Out("new", "tensors"),)
    script = _script
    observe = _observe
    properties = _PROPERTIES
    statement = r"""
        The weights of a network are a list of tensors, one after the other: a table, its biases, the next table, and so on.
        Going back through the network gives a second list, with a slope for every weight. Now take the step:

        $$w \leftarrow w - \eta\, g$$

        Write `step(weights, slopes, lr)`. `weights` and `slopes` are lists of the same length, and tensors at the same place
        have the same shape. `lr` is the rate $\eta$, a plain number. Return a **new list of new tensors**, in the same order.

        The two lists that came in are used again by whoever calls you, to compare two rates from the same place. So neither
        of them may hold other tensors or other numbers afterwards.

        Example: two tensors of weights that hold `[[4, 1], [2]]`, their slopes `[[4, 10], [-3]]`, and a rate of 0.15. By hand:
        $4 - 0.15 \cdot 4 = 3.4$, then $1 - 0.15 \cdot 10 = -0.5$, and $2 - 0.15 \cdot (-3) = 2.45$. So the result is
        `[tensor([3.4, -0.5]), tensor([2.45])]`.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "by index": _by_index,
        "on copies, in a tuple": _on_copies,
        "by torch's optimizer": _by_the_optimizer,
    }
    hints = (
        "Do the example on paper, one weight after the other. What do you need for each of them, and where does it stand?",
        "Go through both lists side by side with `zip`. Each round gives one tensor of weights and the slopes that belong to it.",
        "`w - lr * g` makes a new tensor of the right shape, and `w -= lr * g` writes into the old one. Gather the new ones in "
        "a list of your own.",
    )
