"""Known mistakes of exercise 01.5: networks for another gate, or with their numbers in another form."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from companion.checks.bank import Mistake, Observed
from companion.checks.ch01_neurons.e5_gates import (
    CORNERS,
    GATES,
    NETWORKS,
    Network,
    answers,
    network_for,
    other_network,
    relu_network,
    without_margin,
)
from companion.checks.numbers import F64, number, rows, vector
from companion.checks.trace import Case

Matches = Callable[[Sequence[Case], Sequence[Observed]], bool]


def mistakes(gate: str) -> list[Mistake]:
    """Return what goes wrong with this gate: first a misread form, then every other gate, then no room to spare."""
    others = [
        Mistake(f"computes {name}", network_for(name), *said, matches=_computes(name))
        for name, said in _OTHER_GATES.items()
        if name != gate
    ]
    return [*_misread(gate), *others, _tight(gate)]


def _corners_are(gate: str, observed: Sequence[Observed], reading: str = "out") -> bool:
    """Return whether the four corners are this gate, in one of the ways to read the numbers."""
    return bool(observed[0]) and observed[0][reading].tolist() == list(GATES[gate])


def _computes(gate: str) -> Matches:
    return lambda cases, observed: _corners_are(gate, observed)


def _would_compute(gate: str, reading: str) -> Matches:
    return lambda cases, observed: _corners_are(gate, observed, reading) and not _corners_are(gate, observed)


def _would_compute_with_relus(gate: str) -> Matches:
    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        if not observed[0] or _corners_are(gate, observed):
            return False
        wanted = vector(*GATES[gate], dtype=F64)
        return bool(((observed[0]["sums with ReLUs"] - wanted).abs() < 1e-5).all())

    return matches


def _units_agree(gate: str) -> Matches:
    """Return a test whether both hidden units answer alike at the corners, and not the same for all of them."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        if not observed[0] or _corners_are(gate, observed):
            return False
        first, second = observed[0]["hidden"].T.tolist()
        return bool(first == second) and len(set(first)) == 2

    return matches


def _twins() -> Network:
    return rows([1.0, 1.0], [1.0, 1.0]), vector(-0.5, -0.5), vector(1.0, 1.0), number(-0.5)


def _misread(gate: str) -> list[Mistake]:
    columns, thresholds = "writes one column per hidden unit", "gives thresholds where biases are asked for"
    return [
        Mistake(
            columns,
            other_network(gate, transposed=True),
            "Your numbers fit this gate if each column of `hidden_weight` belongs to one unit; the network reads rows.",
            "The matrix holds one row of weights per neuron, as the layers of PyTorch do. Read in rows, each of your "
            "units gets one weight from the first and one from the second.",
            "Write down the two weights of the first hidden unit as the network reads them. Are these the two that you "
            "chose for it?",
            matches=_would_compute(gate, "out of columns"),
        ),
        Mistake(
            thresholds,
            other_network(gate, sign=-1.0),
            "Your numbers fit this gate if the biases are read as thresholds, as values that a sum has to reach.",
            "A threshold is what a sum is compared with; a bias is added to the sum. They are one number with opposite "
            "signs, and the network adds what you hand over.",
            "Compute the sums of your first hidden unit for the four rows, its bias added. For which rows does it fire, "
            "and for which did you mean it to?",
            matches=_would_compute(gate, "out of thresholds"),
        ),
        Mistake(
            f"{columns}, and {thresholds}",
            other_network(gate, sign=-1.0, transposed=True),
            "Your numbers fit this gate if columns are units and biases are thresholds; the network reads neither so.",
            "Two conventions differ from yours: a hidden unit is a row of the matrix, and what you give for its bias is "
            "added to its sum instead of being the mark to reach.",
            "Take the example of one unit from the task and write it in your form. Where do its weights stand there, "
            "and which sign has its last number?",
            matches=_would_compute(gate, "out of both"),
        ),
        Mistake(
            "gives numbers for hidden ReLUs",
            relu_network(gate),
            "Your numbers fit this gate if the hidden units are ReLUs; the units of this network are steps.",
            "A ReLU with a sum of 0 hands on 0, a step fires there, and it hands on 1 however large its sum is. The "
            "output is a step too: a last sum of 0 fires.",
            "List the sums of your two hidden units for the four rows. What does a step make of each, and what would a "
            "ReLU have made of it?",
            matches=_would_compute_with_relus(gate),
        ),
        Mistake(
            "makes both hidden units alike",
            _twins,
            "Your two hidden units agree in all four rows: where one fires, the other does too.",
            "Two units that always agree are one unit counted twice. The output then sees a single feature of the "
            "inputs, which it can only pass on, turn round or ignore.",
            "Put into words what each of the two should notice about the inputs. In which row should they give "
            "different answers?",
            matches=_units_agree(gate),
        ),
    ]


def _tight(gate: str) -> Mistake:
    network = without_margin(gate)()

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        theirs = [answers(network, c.secret["x"]) for c in cases]
        return all(bool(o) and bool((o["out"] == t).all()) for o, t in zip(observed, theirs))

    assert answers(network, CORNERS).tolist() == answers(NETWORKS[gate](), CORNERS).tolist()
    return Mistake(
        "leaves no room at a threshold",
        without_margin(gate),
        "The four corners are right, but nearby the answer flips: at a corner some sum of yours is exactly 0.",
        "A sum that sits on the threshold has no room: the smallest push on an input carries it across. Weights and "
        "inputs that are whole numbers easily lead there.",
        "List the sums of each hidden unit at the four corners. Between which two of them should its answer change, "
        "and how far is 0 from either?",
        matches=matches,
    )


_OTHER_GATES = {
    "or": (
        "Your network computes OR: it rests for (0, 0) and fires for every other row.",
        "Together your units ask whether at least one input is on. A single neuron can do that, so the second layer "
        "has nothing to add yet.",
        "Write down for each row which hidden units fire, and compare your last column with the table. What would tell "
        "the first wrong row from the others?",
    ),
    "and": (
        "Your network computes AND: it fires for (1, 1) and for no other row.",
        "All the evidence has to come together before your output fires: its threshold asks for everything. AND is a "
        "gate that a single neuron computes.",
        "Note the two hidden answers of each row. Is there a row that should fire and reaches the output with too "
        "little?",
    ),
    "nand": (
        "Your network computes NAND: it rests for (1, 1) and fires for every other row.",
        "Only both inputs together push your output below 0. One boundary across the square does that, and the second "
        "unit has not changed the picture.",
        "Which rows should rest and do not? Ask of each hidden unit whether its answer there differs from the rows "
        "that should fire.",
    ),
    "nor": (
        "Your network computes NOR: it fires for (0, 0) and for no other row.",
        "One input that is on already outweighs what speaks for firing. Without any evidence the output fires, and "
        "that is the work of a positive bias.",
        "Follow the first wrong row through the network on paper: two hidden sums, two hidden answers, one last sum.",
    ),
    "xor": (
        "Your network computes XOR: it fires for (0, 1) and (1, 0), where the inputs differ.",
        "Two boundaries enclose a strip of the square, and the output fires between them. That is the gate of the "
        "chapter; the one of this task has another table.",
        "Put the two tables side by side. In which rows do they differ, and whose answer has to change there?",
    ),
    "xnor": (
        "Your network computes XNOR: it fires for (0, 0) and (1, 1), where the inputs are equal.",
        "The output fires outside the strip between your two boundaries. Which side of a boundary fires is decided by "
        "the signs of the weights and of the bias.",
        "Write down the two hidden answers of each row. Which pairs of them should the output pick out, and which does "
        "it?",
    ),
    "x1 and not x2": (
        "Your network fires for (1, 0) and for no other row.",
        "One input speaks for your output and the other against it, which one boundary can do. No hidden unit of yours "
        "stands up for another row.",
        "Which rows should fire and do not? Find a yes-or-no question about the inputs to which one of these rows says "
        "yes.",
    ),
    "x2 implies x1": (
        "Your network rests for (0, 1) and fires for every other row.",
        "Nothing but the second input without the first silences your output. That is an implication, and a single "
        "neuron computes it with one weight of each sign.",
        "Go through the table from the top and stop at the first row that should rest and fires. Which unit could "
        "hold it back?",
    ),
    "always 0": (
        "Your network rests for all four rows, whatever its inputs are.",
        "Nothing lifts the sum of your output to 0: either the hidden units never fire, or the bias of the output is "
        "lower than their weights can make up for.",
        "Print the two hidden answers for each row. Then add to the bias of the output the weights of the units that "
        "fire: how near to 0 does it come?",
    ),
    "always 1": (
        "Your network fires for all four rows, whatever its inputs are.",
        "Nothing brings the sum of your output below 0. A sum of exactly 0 fires too, so a network whose numbers are "
        "all 0 never rests.",
        "Follow a row that should rest up to the output. Which term of its last sum is negative, or could be?",
    ),
}
"""What to say about a network that computes another gate than it should."""
