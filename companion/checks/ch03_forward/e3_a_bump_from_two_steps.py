"""Exercise 03.3: a bump from two steps."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Verdict, exercise, rng
from companion.checks.ch03_forward.e3_mistakes import MISTAKES, Network, answers
from companion.checks.levels import near
from companion.checks.trace import Case, Trace

TOLERANCE = 1e-4
"""Weights in float32 and a steepness of 50 leave errors of some 1e-6."""


def bump_network(
    left: float, right: float, height: float, steepness: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return W1 (2, 1), b1 (2,), W2 (1, 2) and b2 (1,): one step up at left minus one step up at right."""
    W1 = torch.tensor([[steepness], [steepness]])
    b1 = torch.tensor([-steepness * left, -steepness * right])  # steepness * (x - edge), multiplied out
    W2 = torch.tensor([[height, -height]])
    return W1, b1, W2, torch.zeros(1)


def _units_swapped(left: float, right: float, height: float, steepness: float) -> Network:
    edges = torch.tensor([right, left], dtype=torch.float64)
    return torch.full((2, 1), steepness), -steepness * edges, height * torch.tensor([[-1.0, 1.0]]), torch.tensor([0.0])


def _second_step_falls(left: float, right: float, height: float, steepness: float) -> Network:
    W1, edges = torch.tensor([[steepness], [-steepness]]), torch.tensor([left, right])
    return W1, -W1.flatten() * edges, torch.full((1, 2), height), torch.tensor([-height])


def _both_steps_fall(left: float, right: float, height: float, steepness: float) -> list[Tensor]:
    W1, b1, W2, b2 = bump_network(left, right, height, steepness)
    return [-W1, -b1, -W2, b2]


def _cases(seed: int) -> list[Case]:
    def bump(name: str, left: float, right: float, height: float, steepness: float) -> Case:
        return Case(name, {"left": left, "right": right, "height": height, "steepness": steepness})

    a, b, c = (round(n, 2) for n in torch.rand(3, generator=rng(seed), dtype=torch.float64).tolist())
    return [
        bump("a bump from 1 to 3", 1.0, 3.0, 2.0, 10.0),
        bump("a bump that lies left of 0", -2.25, -0.5, 1.5, 20.0),
        bump("a pit", 0.25, 0.75, -0.5, 50.0),
        bump("soft edges", -1.0, 1.5, 3.0, 4.0),
        bump("a bump drawn at random", a - 2, b + 0.5, c + 0.25, 15.0),
    ]


def points(case: Case) -> Tensor:
    """Return where the network is asked: (201, 1), one and a half widths to either side of the middle."""
    left, right = case.args["left"], case.args["right"]
    return torch.linspace(2 * left - right, 2 * right - left, 201, dtype=torch.float64)[:, None]


def _outputs(case: Case, trace: Trace) -> Observed:
    network = tuple(trace.tensors.get(name) for name in ("W1", "b1", "W2", "b2"))
    if [None if t is None else tuple(t.shape) for t in network] != [(2, 1), (2,), (1, 2), (1,)]:
        return {}
    return {"out": answers(network, points(case))}  # type: ignore[arg-type]


def _judge(case: Case, observed: Observed, expected: Observed) -> Verdict:
    if not observed:
        return "Return four tensors of the shapes (2, 1), (2,), (1, 2) and (1,)."
    wrong = ~near(observed["out"], expected["out"], TOLERANCE)
    if not bool(wrong.any()):
        return None
    places = {"in the middle of the bump": 100, "far left of it": 0, "far right of it": 200}
    far = ~near(observed["out"], expected["out"], 0.05 * abs(case.args["height"]))
    where = next((words for words, n in places.items() if bool(far[n])), "")
    if not where:
        return (
            f"With {case.name} the middle and both sides are right, or nearly, and the edges are not.",
            "How fast a sigmoid rises is decided by its weight, and where it rises by weight and bias together.",
            "At which x is the sum of each hidden unit 0, in your numbers? By how much does it grow for one more in x, and "
            "does that change with `steepness`?",
        )
    value = observed["out"][places[where]].item()
    return (
        f"With {case.name} your network gives {value:.4g} {where}.",
        "Left of the bump both steps should be off, in it one of them is on, and right of it both are, and cancel.",
        "Write down what each of your hidden units gives left of the bump, in it, and right of it. Then the last sum.",
    )


@exercise("03.3", title="A bump from two steps", points=2)
class BumpNetwork:
    """The brick of which any curve can be built."""

    reference = bump_network
    read = "Any curve, bump by bump"
    returns = (Out("W1"), Out("b1"), Out("W2"), Out("b2"))
    observe = _outputs
    judge = _judge
    statement = r"""
        A steep sigmoid is nearly a step. One step up at $l$ minus one step up at $r$ is a bump of height $h$:

        $$\operatorname{bump}(x) = h\,\bigl(\sigma(s\,(x - l)) - \sigma(s\,(x - r))\bigr)$$

        Choose the weights of a network 1-2-1 that computes it, with a sigmoid behind each of the two hidden units and
        nothing behind the output: $y = \sigma(x W_1^\top + b_1)\, W_2^\top + b_2$ for x of the shape (B, 1).

        Write `bump_network(left, right, height, steepness)`. The arguments are numbers, left below right, steepness above
        0; the height may be negative. Return four tensors: `W1` of shape (2, 1), one row for each hidden unit; `b1` (2,);
        `W2` (1, 2); `b2` (1,). Your network is judged by what it answers, so another one that gives the same bump is as
        good. Write numbers down and train nothing.

        Example of one unit: a step up at 2 with the steepness 10 has the sum $10\,(x - 2) = 10x - 20$. So its weight is 10
        and its bias -20, and at x = 2, where the sum is 0, it gives one half.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "units swapped, float64": _units_swapped,
        "the second step falls": _second_step_falls,
        "both steps fall": _both_steps_fall,
    }
    hints = (
        "Draw the bump, and below it the two steps of which it is the difference. What does each give in the middle?",
        "Multiply $s\\,(x - l)$ out: what stands before x is the weight, what is left over is the bias.",
        "Both hidden weights are the steepness, the biases are -steepness times each edge, and the output takes height "
        "times the first minus height times the second.",
    )
