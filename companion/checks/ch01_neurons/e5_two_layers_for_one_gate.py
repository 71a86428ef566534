"""Exercise 01.5: two layers for one gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch

from companion.checks.bank import Mistake, Observed, Out, Parameter, exercise, per_variant, rng
from companion.checks.ch01_neurons import e5_mistakes
from companion.checks.ch01_neurons.e5_gates import (
    CORNERS,
    GATES,
    NETWORKS,
    Network,
    answers,
    other_network,
    scaled_networks,
)
from companion.checks.numbers import F64, rows
from companion.checks.trace import Case, Trace


def _network_output(case: Case, trace: Trace) -> Observed:
    """Return what the network answers, its hidden units too, and what it would answer if read in another way."""
    names = ("hidden_weight", "hidden_bias", "out_weight", "out_bias")
    if any(n not in trace.tensors for n in names):
        return {}
    w, b, v, c = (trace.tensors[n].to(F64) for n in names)
    if (w.shape, b.shape, v.shape, c.shape) != ((2, 2), (2,), (2,), ()):
        return {}
    x = case.secret["x"].to(F64)
    return {
        "out": answers((w, b, v, c), x),
        "sums with ReLUs": torch.relu(x @ w.T + b) @ v + c,
        "hidden": (x @ w.T + b >= 0).to(F64),
        "out of columns": answers((w.T, b, v, c), x),
        "out of thresholds": answers((w, -b, v, -c), x),
        "out of both": answers((w.T, -b, v, -c), x),
    }


def _judge_gate(case: Case, observed: Observed, expected: Observed) -> str | None:
    if not observed:
        return "Return four things: hidden_weight (2, 2), hidden_bias (2,), out_weight (2,), out_bias ()."
    wrong = (observed["out"] != expected["out"]).nonzero().flatten().tolist()
    if not wrong:
        return None
    if len(expected["out"]) == len(CORNERS):
        rows = ", ".join(
            f"({a:.0f}, {b:.0f}) gives {o:.0f}" for (a, b), o in zip(CORNERS.tolist(), observed["out"].tolist())
        )
        return f"Not this gate yet: {rows}. Compute the two hidden units of a wrong row on paper."
    x = case.secret["x"][wrong[0]].tolist()
    return (
        f"Right at the four corners, wrong nearby: at ({x[0]:.2f}, {x[1]:.2f}) the answer flips. Put each "
        "threshold half-way between the sums that it separates."
    )


def _gate_cases(gate: str) -> Callable[[int], list[Case]]:
    def cases(seed: int) -> list[Case]:
        around = torch.cat(
            [
                CORNERS + 0.2 * shift
                for shift in (
                    rows([1.0, 1.0]),
                    rows([-1.0, -1.0]),
                    rows([1.0, -1.0]),
                    rows([-1.0, 1.0]),
                    2 * torch.rand(4, 2, generator=rng(seed)) - 1,
                )
            ]
        )
        return [
            Case("the four rows of the table", secret={"x": CORNERS}),
            Case("inputs up to 0.2 away from them", secret={"x": around}),
        ]

    return cases


@exercise(
    "01.5",
    title="Two layers for one gate",
    points=2,
    parameters=({"gate": "xor"}, {"gate": "xnor"}, {"gate": "x1 and not x2"}, {"gate": "x2 implies x1"}),
)
class GateNetwork:
    """Weights by hand for a 2-2-1 network of steps."""

    name = "gate_network"
    read = "Two layers do it"
    returns = (Out("hidden_weight"), Out("hidden_bias"), Out("out_weight"), Out("out_bias", "number"))
    observe = _network_output
    judge = _judge_gate

    @per_variant
    def reference(p: Parameter) -> Callable[[], Network]:
        """Return the network of this gate."""
        return NETWORKS[p["gate"]]

    @per_variant
    def statement(p: Parameter) -> str:
        """Return the task with this gate's table."""
        rows = "\n".join(
            f"        | {a:.0f} | {b:.0f} | {o:.0f} |" for (a, b), o in zip(CORNERS.tolist(), GATES[p["gate"]])
        )
        title = p["gate"].upper() if len(p["gate"]) < 5 else p["gate"]
        cannot = " One neuron cannot do it." if p["gate"] in ("xor", "xnor") else ""
        return rf"""
        Choose the weights of a network with two inputs, two hidden units and one output unit, all of them
        steps ($1$ where the sum is $\ge 0$), so that it computes **{title}**.{cannot}

        | x₁ | x₂ | output |
        |---|---|---|
{rows}

        Write `gate_network()`, without arguments. It returns four tensors: `hidden_weight` of shape (2, 2),
        one row per hidden unit; `hidden_bias` (2,); `out_weight` (2,); `out_bias` (). Your network is judged
        by what it answers, also for inputs up to 0.2 away from the rows of the table, so leave room on both
        sides of each threshold.

        Example of one unit: the weights `[1, 1]` with the bias `-1.5` fire for (1, 1) alone, and there is 0.5
        to spare on both sides.
        """

    @per_variant
    def cases(p: Parameter) -> Callable[[int], list[Case]]:
        """Return the corners and their neighbourhood."""
        return _gate_cases(p["gate"])

    @per_variant
    def mistakes(p: Parameter) -> list[Mistake]:
        """Return what goes wrong with this gate."""
        return e5_mistakes.mistakes(p["gate"])

    @per_variant
    def alternatives(p: Parameter) -> Mapping[str, Callable[[], Network]]:
        """Return right networks with other weights."""
        swapped, larger = scaled_networks(p["gate"])
        return {
            "hidden units swapped and scaled": swapped,
            "larger output weights": larger,
            "other hidden units": other_network(p["gate"]),
        }

    @per_variant
    def hints(p: Parameter) -> Sequence[str]:
        """Return hints that fit the gate."""
        last = {
            "xor": "Let one hidden unit be OR and the other AND. The output should fire for OR without AND.",
            "xnor": "One hidden unit fires for (0, 0) alone, the other for (1, 1) alone. The output is OR.",
            "x1 and not x2": "Let each hidden unit copy one input. The output needs one weight of each sign.",
            "x2 implies x1": "Let one hidden unit be x1 and the other NOT x2. The output is OR.",
        }[p["gate"]]
        return (
            "Give each hidden unit a yes-or-no question about the inputs that you could put into words.",
            "Write a table with the columns x1, x2, first hidden unit, second hidden unit, output. Fill in "
            "the last column first.",
            last,
        )
