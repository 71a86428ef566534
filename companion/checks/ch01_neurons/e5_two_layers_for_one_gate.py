"""Exercise 01.5: two layers for one gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed, Out, Parameter, exercise, per_variant, rng
from companion.checks.numbers import F64, number, rows, vector
from companion.checks.trace import Case, Trace

CORNERS = rows([0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0])
GATES: dict[str, tuple[float, float, float, float]] = {
    "xor": (0.0, 1.0, 1.0, 0.0),
    "xnor": (1.0, 0.0, 0.0, 1.0),
    "x1 and not x2": (0.0, 0.0, 1.0, 0.0),
    "x2 implies x1": (1.0, 0.0, 1.0, 1.0),
    "or": (0.0, 1.0, 1.0, 1.0),
    "and": (0.0, 0.0, 0.0, 1.0),
    "nand": (1.0, 1.0, 1.0, 0.0),
    "nor": (1.0, 0.0, 0.0, 0.0),
    "always 0": (0.0, 0.0, 0.0, 0.0),
    "always 1": (1.0, 1.0, 1.0, 1.0),
}
Network = tuple[Tensor, Tensor, Tensor, Tensor]


def _xor_network() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return hidden_weight (2, 2), hidden_bias (2,), out_weight (2,) and out_bias () of a step network."""
    hidden_weight = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    hidden_bias = torch.tensor([-0.5, -1.5])  # at least one input; both inputs
    out_weight = torch.tensor([1.0, -1.0])  # at least one, and not both
    return hidden_weight, hidden_bias, out_weight, torch.tensor(-0.5)


def _xnor_network() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return hidden_weight (2, 2), hidden_bias (2,), out_weight (2,) and out_bias () of a step network."""
    hidden_weight = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
    hidden_bias = torch.tensor([0.5, -1.5])  # no input; both inputs
    out_weight = torch.tensor([1.0, 1.0])  # either of the two
    return hidden_weight, hidden_bias, out_weight, torch.tensor(-0.5)


def _first_only_network() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return hidden_weight (2, 2), hidden_bias (2,), out_weight (2,) and out_bias () of a step network."""
    hidden_weight = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    hidden_bias = torch.tensor([-0.5, -0.5])  # the first input; the second input
    out_weight = torch.tensor([1.0, -1.0])  # the first, and not the second
    return hidden_weight, hidden_bias, out_weight, torch.tensor(-0.5)


def _implies_network() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return hidden_weight (2, 2), hidden_bias (2,), out_weight (2,) and out_bias () of a step network."""
    hidden_weight = torch.tensor([[1.0, 0.0], [0.0, -1.0]])
    hidden_bias = torch.tensor([-0.5, 0.5])  # the first input; not the second input
    out_weight = torch.tensor([1.0, 1.0])  # either of the two
    return hidden_weight, hidden_bias, out_weight, torch.tensor(-0.5)


_NETWORKS = {
    "xor": _xor_network,
    "xnor": _xnor_network,
    "x1 and not x2": _first_only_network,
    "x2 implies x1": _implies_network,
}


def _network_for(gate: str) -> Callable[[], Network]:
    """Return some 2-2-1 network for any gate: known mistakes are right networks of other gates."""
    if gate in _NETWORKS:
        return _NETWORKS[gate]
    w1, b1 = {
        "or": (1.0, -0.5),
        "and": (1.0, -1.5),
        "nand": (-1.0, 1.5),
        "nor": (-1.0, 0.5),
        "always 0": (0.0, -1.0),
        "always 1": (0.0, 1.0),
    }[gate]

    def network() -> Network:
        return torch.full((2, 2), w1), torch.full((2,), b1), vector(1.0, 1.0), number(-0.5)

    return network


def _without_margin(gate: str) -> Callable[[], Network]:
    """Return a network that is right on the corners and sits on the threshold there."""

    def network() -> Network:
        hidden_weight, hidden_bias, out_weight, out_bias = _NETWORKS[gate]()
        least = (CORNERS @ hidden_weight.T + hidden_bias).where(CORNERS @ hidden_weight.T + hidden_bias >= 0, torch.inf)
        return hidden_weight, hidden_bias - least.amin(dim=0), out_weight, out_bias

    return network


def _network_doubled(gate: str) -> tuple[Callable[[], Network], Callable[[], Network]]:
    """Return two other right networks: hidden units swapped and scaled, and a larger output sum."""

    def swapped() -> Network:
        w, b, v, c = _NETWORKS[gate]()
        return 20 * w.flip(0), 20 * b.flip(0), v.flip(0), c

    def larger() -> Network:
        w, b, v, c = _NETWORKS[gate]()
        return w, b, 7 * v, 7 * c

    return swapped, larger


def _network_output(case: Case, trace: Trace) -> Observed:
    names = ("hidden_weight", "hidden_bias", "out_weight", "out_bias")
    if any(n not in trace.tensors for n in names):
        return {}
    w, b, v, c = (trace.tensors[n].to(F64) for n in names)
    if (w.shape, b.shape, v.shape, c.shape) != ((2, 2), (2,), (2,), ()):
        return {}
    x = case.secret["x"].to(F64)
    hidden = (x @ w.T + b >= 0).to(F64)
    return {"out": (hidden @ v + c >= 0).to(F64)}


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


def _same_corners(gate: str) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        return bool(observed[0]) and observed[0]["out"].tolist() == list(GATES[gate])

    return matches


def _margin_missing(gate: str) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    right, wrong = _NETWORKS[gate](), _without_margin(gate)()

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        theirs = [_output(wrong, c.secret["x"]) for c in cases]
        return all(bool(o) and bool((o["out"] == t).all()) for o, t in zip(observed, theirs))

    assert (_output(right, CORNERS) == _output(wrong, CORNERS)).all()
    return matches


def _output(network: Network, x: Tensor) -> Tensor:
    names = ("hidden_weight", "hidden_bias", "out_weight", "out_bias")
    return _network_output(Case("", secret={"x": x}), Trace(dict(zip(names, network)), {}))["out"]


_GATE_MESSAGES = {
    "or": "Your network computes OR: it fires when at least one input is 1. One neuron "
    "can do that. Look at your rows (0, 0) and (1, 1).",
    "and": "Your network computes AND: it fires only for (1, 1). Which second hidden unit would you set "
    "beside this one?",
    "nand": "Your network computes NAND: 0 only for (1, 1). Which rows does the table treat differently?",
    "nor": "Your network computes NOR: 1 only for (0, 0). Which rows does the table treat differently?",
    "xor": "Your network computes XOR: it fires when the inputs differ. Compare that with the table.",
    "xnor": "Your network computes XNOR: it fires when the inputs are equal, the opposite of XOR. Compare "
    "that with the table.",
    "x1 and not x2": "Your network fires only for (1, 0). Which other rows does the table want?",
    "x2 implies x1": "Your network rests only for (0, 1). Compare that with the table row by row.",
    "always 0": "Your network never fires. Is the output's bias too low for its hidden units to lift it?",
    "always 1": "Your network always fires. A sum of exactly 0 fires too, and with all weights 0 it is 0.",
}


@exercise(
    "01.5",
    title="Two layers for one gate",
    points=2,
    parameters=({"gate": "xor"}, {"gate": "xnor"}, {"gate": "x1 and not x2"}, {"gate": "x2 implies x1"}),
)
class GateNetwork:
    """Weights by hand for a 2-2-1 network of steps."""

    name = "gate_network"
    returns = (Out("hidden_weight"), Out("hidden_bias"), Out("out_weight"), Out("out_bias", "number"))
    observe = _network_output
    judge = _judge_gate

    @per_variant
    def reference(p: Parameter) -> Callable[[], Network]:
        """Return the network of this gate."""
        return _NETWORKS[p["gate"]]

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

        *Serves the objective: show what one neuron cannot do and how a second layer does it.*
        """

    @per_variant
    def cases(p: Parameter) -> Callable[[int], list[Case]]:
        """Return the corners and their neighbourhood."""
        return _gate_cases(p["gate"])

    @per_variant
    def mistakes(p: Parameter) -> list[Mistake]:
        """Return every other gate as a mistake, and the right gate without room to spare."""
        gate = p["gate"]
        others = [
            Mistake(f"computes {g}", _network_for(g), _GATE_MESSAGES[g], matches=_same_corners(g))
            for g in GATES
            if g != gate
        ]
        tight = Mistake(
            "leaves no room at a threshold",
            _without_margin(gate),
            "Right at the four corners, but a sum there is exactly 0, right on the threshold: the smallest "
            "push on an input flips the answer. Put each threshold half-way between the sums it should "
            "separate.",
            matches=_margin_missing(gate),
        )
        return [*others, tight]

    @per_variant
    def alternatives(p: Parameter) -> Mapping[str, Callable[[], Network]]:
        """Return right networks with other weights."""
        swapped, larger = _network_doubled(p["gate"])
        return {"hidden units swapped and scaled": swapped, "larger output weights": larger}

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
