"""Exercise 03.4: fold the interval."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Verdict, exercise
from companion.checks.ch03_forward.e4_mistakes import MISTAKES, POINTS, Network, answers, misfit, sizes
from companion.checks.levels import near
from companion.checks.numbers import F64
from companion.checks.trace import Call, Case, Trace


def folds(depth: int) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Return weights and biases of a ReLU network 1-2-...-2-1 that computes the tent depth times."""
    weights, biases = [torch.tensor([[1.0], [1.0]])], [torch.tensor([0.0, -0.5])]
    for _ in range(depth - 1):
        weights.append(torch.tensor([[2.0, -4.0], [2.0, -4.0]]))  # the tent before, for both units
        biases.append(torch.tensor([0.0, -0.5]))
    return [*weights, torch.tensor([[2.0, -4.0]])], [*biases, torch.zeros(1)]


def _mirrored(depth: int) -> Network:
    weights, biases = [torch.tensor([[-1.0], [-1.0]])], [torch.tensor([0.5, 1.0])]  # from the right end of the interval
    for _ in range(1, depth):
        weights += [torch.tensor([[4.0, -2.0], [4.0, -2.0]])]
        biases += [torch.tensor([0.5, 1.0])]
    return [*weights, torch.tensor([[-4.0, 2.0]])], [*biases, torch.tensor([0.0])]


def _larger_units(depth: int) -> Network:
    first, fold = torch.tensor([[2.0], [4.0]], dtype=F64), torch.tensor([[1.0, -1.0]], dtype=F64)
    bias = torch.tensor([0.0, -2.0], dtype=F64)
    return [first, *[first @ fold] * (depth - 1), fold], [*[bias] * depth, torch.zeros(1, dtype=F64)]


def _down_and_up(depth: int) -> Network:
    """Fold with the two slopes left and right of the middle; the tent is 1 minus their sum."""
    first, fold = torch.tensor([[-2.0], [2.0]]), torch.tensor([[-1.0, -1.0]])
    bias, top = torch.tensor([1.0, -1.0]), torch.tensor([1.0])
    later = bias + (first * top).flatten()
    return [first] + [first @ fold for _ in range(depth - 1)] + [fold], [bias] + [later] * (depth - 1) + [top]


def _cases(seed: int) -> list[Case]:
    words = {1: "one fold", 2: "two folds", 3: "three folds"}
    return [Case(words.get(n, f"{n} folds"), {"depth": n}) for n in (1, 2, 3, 4 + seed % 2, 7)]


def _script(case: Case) -> list[Call]:
    return [
        Call("folds", (case.args["depth"],), ("depth",), keep="network"),
        Call("@listed", ("$network",), returns=("network",)),
    ]


def _network(case: Case, trace: Trace) -> Observed:
    lists: tuple[list[Tensor], list[Tensor]] = ([], [])
    for name, tensor in trace.tensors.items():
        which, _, below = name.removeprefix("network.").partition(".")
        if which not in ("1", "2") or not below.isdecimal():
            return {}
        lists[int(which) - 1].append(tensor)
    found = sizes(lists)
    if found is None:
        return {"misfit": torch.tensor(misfit(lists))}
    return {"sizes": torch.tensor(found), "out": answers(lists) if found[0] == found[-1] == 1 else torch.zeros(0)}


def _judge(case: Case, observed: Observed, expected: Observed) -> Verdict:
    layer, *shapes = observed["misfit"].tolist() if "misfit" in observed else (0,)
    if layer:
        return _does_not_fit(case, layer, *shapes)
    if "sizes" not in observed:
        return (
            f"With {case.name} what came back cannot be read as a network: two lists are asked for, as long as each other.",
            "The first holds the weights, a table of shape (units, inputs) for each layer; the second the biases, of shape "
            "(units,). What a layer hands on has to fit the next one.",
            "Print the shapes of both lists below each other. Does the number of columns of each table fit the row before?",
        )
    if observed["sizes"].tolist() != expected["sizes"].tolist():
        return (
            f"With {case.name} your network has the sizes {'-'.join(str(n) for n in observed['sizes'].tolist())}.",
            "Asked for is a hidden layer of two units for each fold, one input, and one output without a bend.",
            "Count the folds in your network. What does the last layer do, and does it need units of its own?",
        )
    wrong = ~near(observed["out"], expected["out"], 1e-3)
    if not bool(wrong.any()):
        return None
    steps = (n for n in (192, 96, 48, 24, 1) if bool(wrong[::n].any()))  # an eighth is easier on paper than 1/1536
    step = next(steps)
    place = step * int(wrong[::step].nonzero()[0])
    return (
        f"With {case.name} your network is wrong at x = {place / (POINTS - 1):.4g}: it gives {observed['out'][place].item():.4g}.",
        "Its sizes are right, so some weight or bias is another one. Each layer should do the same to what it is handed.",
        "Follow this x through your layers on paper, beside the tent, applied as often. In which layer do they part?",
    )


def _does_not_fit(case: Case, layer: int, coming: int, rows: int, columns: int, shifts: int) -> Verdict:
    numbers = "1 number" if coming == 1 else f"{coming} numbers"
    return (
        f"With {case.name} layer {layer} does not fit: it is handed {numbers}, its weights have the shape "
        f"({rows}, {columns}), its biases ({shifts},).",
        "The weights of a layer are a table of shape (units, inputs), with as many columns as it is handed numbers; its "
        "biases have the shape (units,).",
        "Print the shapes of both lists below each other. Which axis of this layer's weights belongs to its units?",
    )


@exercise("03.4", title="Fold the interval", points=2)
class Folds:
    """What depth can do that width cannot."""

    reference = folds
    read = "Depth against width"
    returns = (Out("network", "tensors"),)
    script = _script
    observe = _network
    judge = _judge
    statement = r"""
        The tent folds the interval from 0 to 1 in its middle:

        $$\operatorname{tent}(x) = 2\operatorname{ReLU}(x) - 4\operatorname{ReLU}\!\left(x - \tfrac12\right)$$

        Applied $k$ times it has $2^k$ straight pieces. Write it as a network of ReLUs with `depth` hidden layers of
        **two** units each: 1-2-1 for one fold, 1-2-2-1 for two, 1-2-2-2-1 for three. There is no layer for a tent's own
        output: the next layer's weights take in the 2 and the -4.

        Write `folds(depth)` for `depth` of 1 or more. Return two lists, `weights` and `biases`, with an entry for each
        layer, as your `forward` of 03.2 takes them: weights of shape (units, inputs), biases of shape (units,). There is
        a ReLU behind every layer but the last. The network is judged by its sizes and by what it answers from 0 to 1, so
        other weights with the same answers are as good. Write numbers down and train nothing.

        Example: one fold has the weights `[[1], [1]]`, shape (2, 1), with the biases `[0, -0.5]`, and `[[2, -4]]`, shape
        (1, 2), with the bias `[0]`. By hand at x = 0.75: the hidden units give 0.75 and 0.25, and the output
        $2 \cdot 0.75 - 4 \cdot 0.25 = 0.5$.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "mirrored": _mirrored,
        "larger units, float64": _larger_units,
        "one minus two slopes": _down_and_up,
    }
    hints = (
        "For two folds, write the tent of the tent with four ReLUs. What do the two inner ones hand to the two outer ones?",
        "Both units of the second layer need tent(x), which is 2 times the first unit minus 4 times the second. So both "
        "rows of its weights are alike.",
        "First `[[1], [1]]`, then `[[2, -4], [2, -4]]` once for each further fold, always with the biases `[0, -0.5]`; at "
        "last `[[2, -4]]` with the bias `[0]`.",
    )
