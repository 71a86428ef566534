"""Figures of chapter 05: slopes that come back through a small graph, and a small change that goes forward to the loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from companion.autograd import Value, trace
from companion.figures.controls import Choice, Slider, Steps, Text
from companion.figures.figure import Figure, figure, minus
from companion.figures.svg import Picture, named_rows

# ---- slopes that come back


class Node(NamedTuple):
    """A value of a graph: its name, the operation and the parents that it is made from, and its place (column, row)."""

    name: str
    operation: str
    parents: tuple[str, ...]
    at: tuple[float, float]


_GIVEN = {"b": 0.0, "t": 1.0}  # leaves that stay as they are; w and x are the reader's
_APPLY: dict[str, Callable[..., Value]] = {
    "+": lambda a, b: a + b,
    "−": lambda a, b: a - b,
    "·": lambda a, b: a * b,
    "tanh": lambda a: a.tanh(),
    "relu": lambda a: a.relu(),
    "²": lambda a: a**2,
}


def _ended(row: float, last: str, nodes: list[Node]) -> list[Node]:
    """Return a graph with the error against t and its square behind the value ``last``."""
    t, e = Node("t", "", (), (2, row)), Node("e", "−", (last, "t"), (1.35, row + 1))
    return [*nodes, t, e, Node("L", "²", ("e",), (1.35, row + 2))]


def _leaf(name: str, column: float, row: float = 0) -> Node:
    return Node(name, "", (), (column, row))


#: Graphs of five operations each, in the order of computing.
GRAPHS: dict[str, list[Node]] = {
    "neuron": _ended(
        3,
        "h",
        [
            _leaf("w", 0),
            _leaf("x", 1.1),
            Node("u", "·", ("w", "x"), (0.55, 1)),
            _leaf("b", 2, 1),
            Node("s", "+", ("u", "b"), (1, 2)),
            Node("h", "tanh", ("s",), (0.8, 3)),
        ],
    ),
    "meet": _ended(
        2,
        "s",
        [
            _leaf("w", 0.35),
            _leaf("x", 1.5),
            Node("p", "·", ("w", "w"), (0.1, 1)),
            Node("q", "·", ("w", "x"), (1.2, 1)),
            Node("s", "+", ("p", "q"), (0.7, 2)),
        ],
    ),
    "skip": _ended(
        3,
        "s",
        [
            _leaf("w", 0.5),
            _leaf("x", 1.6),
            Node("u", "·", ("w", "x"), (1, 1)),
            Node("h", "relu", ("u",), (0.1, 2)),
            Node("s", "+", ("h", "u"), (0.8, 3)),
        ],
    ),
    "double": _ended(
        3,
        "d",
        [
            _leaf("w", 0.5),
            Node("a", "+", ("w", "w"), (0.5, 1)),
            Node("c", "+", ("a", "a"), (0.5, 2)),
            _leaf("x", 1.6, 2),
            Node("d", "·", ("c", "x"), (0.8, 3)),
        ],
    ),
}
_WORDS = {
    "neuron": "one neuron",
    "meet": "w used three times",
    "skip": "a unit and a way around it",
    "double": "doubled twice",
    "own": "a formula of your own",
}
_OPERATIONS, _MOST = 5, 10  # of the graphs above, and of the longest formula with the error and its square
_FORMULAS = ("tanh(w·x) + relu(x − w)", "relu(w·x) + w·x", "tanh(w·x + b) · tanh(w·x + b)", "((w²)² − 2x)²")
_HINT = (
    "w, x, b, numbers, + − ·, ², tanh( ) and relu( ); * and ^2 do as well. What stands there twice is computed once."
)


def swept(graph: str, w: float, x: float) -> dict[str, dict[str, Any]]:
    """Return for each value of a graph what the engine gives: ``value`` and ``gradient``, by its name."""
    given = _GIVEN | {"w": w, "x": x}
    values: dict[str, Value] = {}
    for node in GRAPHS[graph]:
        parents = [values[name] for name in node.parents]
        values[node.name] = _APPLY[node.operation](*parents) if parents else Value(given[node.name])
        values[node.name].name = node.name
    return {step["name"]: step for step in trace(values["L"])["forward"]}


def ways(graph: str) -> int:
    """Return in how many ways w reaches the loss."""
    counted = {"w": 1}
    for node in GRAPHS[graph]:
        counted[node.name] = counted.get(node.name, 0) if not node.parents else sum(counted[p] for p in node.parents)
    return counted["L"]


@figure("05", "Slopes that come back, node by node")
def backprop_graph() -> Figure:
    """Return a small graph whose values go forward and whose slopes come back, one operation a step."""
    w, x = 0.5, 2.0
    at, off = swept("neuron", w, x), swept("skip", -1.0, x)
    slope = off["w"]["gradient"]
    answer = minus(
        f"Yes, over the way around it. At w = -1 and x = {x:g} the unit's input is {off['u']['value']:g}, so ReLU passes nothing back. "
        f"But u also goes straight into s, and over this way w gets {slope:g}. With the unit alone it would get 0 and learn nothing: "
        "this is what skip connections are for."
    )
    alt = minus(
        f"A graph of one neuron with w = {w:g} and x = {x:g}, before its first step. Five steps forward lead to L = "
        f"{at['L']['value']:.4f}, five steps back to the slope {at['w']['gradient']:.4f} by w."
    )
    return Figure(
        "backprop_graph",
        {
            "given": _GIVEN,
            "graphs": {
                name: [[n.name, n.operation, list(n.parents), *n.at] for n in nodes] for name, nodes in GRAPHS.items()
            },
        },
        alt=alt,
        caption=f"Five steps forward, five steps back: the sweep takes each operation once, also where w reaches the loss in "
        f"{ways('double')} ways.",
        controls={
            "graph": Choice("graph", _WORDS, "neuron"),
            "own": Text("your own y", _FORMULAS[0], _HINT, _FORMULAS),
            "w": Slider("w", -2, 2, 0.25, w),
            "x": Slider("x", -3, 3, 0.25, x),
            "step": Steps("step", 2 * _MOST, now=2 * _OPERATIONS),
        },
        task="Predict: a unit and a way around it, at w = −1 and x = 2. The ReLU is off. Does w still get a slope? Then choose the graph, "
        "set w, and go through the steps.",
        guesses=("no, the unit is off", "yes, over the way around it", "yes, over both ways"),
        right=1 if slope and off["h"]["value"] == 0 else 0,
        answer=answer,
        fallback=_table(at),
    )


def _table(at: dict[str, dict[str, Any]]) -> str:
    """Return all values and slopes of the first graph as a table."""
    return named_rows(
        "One neuron: values from top to bottom, slopes from bottom to top",
        ("made by", "value", "slope of L by it"),
        [(_written(n), [minus(f"{at[n.name][kind]:.4f}") for kind in ("value", "gradient")]) for n in GRAPHS["neuron"]],
    )


def _written(node: Node) -> str:
    if not node.parents:
        return node.name
    if len(node.parents) == 2:
        return f"{node.name} = {node.parents[0]} {node.operation} {node.parents[1]}"
    made = f"{node.parents[0]}²" if node.operation == "²" else f"{node.operation} {node.parents[0]}"
    return f"{node.name} = {made}"


# ---- a small change that goes forward

_NET = {"w": 0.5, "a": 1.5, "k": 1.0}  # what can be turned, as it stands before
_FIXED = {"other": -1.0, "second": 0.4, "target": -0.4}
_TURNED = {"w": "w, at the beginning", "a": "a, into the first unit only", "k": "k, at the end"}
PASSED = ("u", "s", "h1", "h2", "y", "L")  # what comes after, in the order of computing


def forward(x: float, w: float, a: float, k: float) -> dict[str, float]:
    """Return the values of the network at its weights: u, s, h1, h2, y and L."""
    return {name: float(value.data) for name, value in _values(*map(Value, (x, w, a, k))).items()}


def predicted(turned: str, x: float, delta: float) -> dict[str, float]:
    """Return for each value by how much it changes according to its slope, when a weight is turned by ``delta``."""
    found = {}
    for name in PASSED:  # one sweep for each value: reverse mode answers for one result
        weights = {key: Value(start) for key, start in _NET.items()}
        _values(Value(x), **weights)[name].backward()
        found[name] = float(weights[turned].grad) * delta
    return found


def _values(x: Value, w: Value, a: Value, k: Value) -> dict[str, Value]:
    u = w * x
    s = u.tanh()
    h1, h2 = (a * s).tanh(), (s * _FIXED["other"]).tanh()
    y = k * h1 + h2 * _FIXED["second"]
    return {"u": u, "s": s, "h1": h1, "h2": h2, "y": y, "L": (y - _FIXED["target"]) ** 2}


def changed(turned: str, x: float, delta: float) -> dict[str, float]:
    """Return for each value by how much it changes in truth."""
    before, after = forward(x, **_NET), forward(x, **(_NET | {turned: _NET[turned] + delta}))
    return {name: after[name] - before[name] for name in PASSED}


@figure("05", "A small change on its way to the loss")
def small_change() -> Figure:
    """Return a network through which a change of one weight is dragged, with what the slopes predict beside it."""
    x, delta = 1.0, 0.4

    def missed(d: float) -> float:
        return abs(changed("w", x, d)["L"] - predicted("w", x, d)["L"])

    true, told = changed("w", x, delta), predicted("w", x, delta)
    ratio = missed(delta) / missed(delta / 2)
    guesses = ("half as large", "about a quarter", "as large as before")
    answer = minus(
        f"About a quarter. Turned by {delta:g} the slope misses the change of the loss by {missed(delta):.4f}, turned by {delta / 2:g} "
        f"by {missed(delta / 2):.4f}, which is {ratio:.1f} times less. What a slope misses goes with the square of the step."
    )
    alt = minus(
        f"w is turned up by {delta:g}. The change goes to u ({true['u']:.2f}) and s ({true['s']:.2f}), parts to h1 ({true['h1']:.2f}) and "
        f"h2 ({true['h2']:.2f}), meets in y ({true['y']:.2f}) and reaches L: {true['L']:.3f}, where the slopes say {told['L']:.3f}."
    )
    return Figure(
        "small_change",
        {"net": _NET, "fixed": _FIXED},
        alt=alt,
        caption="Every value passes the change on, times its slope; where ways meet the changes are added, and what the slopes miss "
        "goes with the square of the step.",
        controls={
            "turned": Choice("turned", _TURNED, "w"),
            "delta": Slider("turned by δ", -1, 1, 0.05, delta),
            "x": Slider("input x", -2, 2, 0.25, x),
        },
        task=f"Predict: turned by {delta:g}, the slopes miss the change of the loss by a little. By how much do they miss it for "
        f"{delta / 2:g}? Then drag the point.",
        guesses=guesses,
        right=1 if 3 < ratio < 5 else 0,
        answer=answer,
        fallback=_loss_over(x, delta, alt) + _changes(true, told),
    )


def _loss_over(x: float, delta: float, alt: str) -> str:
    """Draw the loss over the change of w, the straight line of its slope, and the default state."""
    picture = Picture((-1, 1), (0, 2), xlabel="w turned by δ", ylabel="loss", ticks=((-1, 0, 1), (0, 1, 2)))
    start, slope = forward(x, **_NET)["L"], predicted("w", x, 1.0)["L"]
    steps = [n / 20 for n in range(-20, 21)]
    picture.line([(d, start + changed("w", x, d)["L"]) for d in steps], "a")
    picture.line([(d, start + slope * d) for d in steps], "b", dash="7 5")
    picture.mark((delta, start + changed("w", x, delta)["L"]), 0)
    return picture.svg(alt) + "<p>solid: the loss; dashed: what its slope at δ = 0 says</p>"


def _changes(true: dict[str, float], told: dict[str, float]) -> str:
    """Return the changes of the default state as a table."""
    return named_rows(
        "What a change of w does on its way to the loss",
        ("value", "change", "predicted"),
        [(name, [minus(f"{change[name]:+.4f}") for change in (true, told)]) for name in PASSED],
    )
