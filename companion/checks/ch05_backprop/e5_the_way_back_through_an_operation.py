"""Exercise 05.5: the way back through an operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from companion.checks.bank import Mistake, Observed, Parameter, Property, exercise, per_variant
from companion.checks.cases import draw
from companion.checks.ch05_backprop.by_hand import AUTOGRAD
from companion.checks.ch05_backprop.e5_mistakes import LOGSUMEXP, SOFTMAX
from companion.checks.ch05_backprop.e5_operations import OPERATIONS, Operation, Way
from companion.checks.ch05_backprop.e5_rows import LENGTH, STANDARDISE
from companion.checks.statements import paragraphs
from companion.checks.trace import Case

MISTAKES = {"length": LENGTH, "softmax": SOFTMAX, "logsumexp": LOGSUMEXP, "standardise": STANDARDISE}


def _cases_of(operation: Operation) -> Callable[[int], list[Case]]:
    axes = {"x": "B D", "g": operation.g}

    def case(name: str, args: tuple[object, object], *, example: bool = False) -> Case:
        x, g = (torch.tensor(a, dtype=torch.float32) for a in args)
        return Case(name, {"x": x, "g": g}, example=example)

    def cases(seed: int) -> list[Case]:
        return [
            case("the example worked out", operation.given, example=True),
            *(case(name, args) for name, args in operation.plain.items()),
            draw("a batch of one in float64", axes, 3 * seed, sizes={"B": 1, "D": 4}),
            draw("three rows of five in float64", axes, 3 * seed + 1),
            draw(
                "five rows of four in float32, with gaps in memory",
                axes,
                3 * seed + 2,
                dtype=torch.float32,
                sizes={"B": 5, "D": 4},
                strided=True,
            ),
        ]

    return cases


def _adds_up_to_0(why: str, next: str) -> Property:
    def holds(case: Case, observed: Observed) -> bool:
        out = observed["out"].to(torch.float64)
        return bool((out.sum(dim=-1).abs() <= 1e-3 * out.abs().amax(dim=-1) + 1e-4).all())

    return Property(
        "every row adds up to 0", holds, "Your rows do not add up to 0. For this operation they must.", why, next
    )


_OF_MOVING = _adds_up_to_0(
    "Adding the same number to all entries of a row changes nothing in y. So the slopes of a row have to cancel.",
    "Move every entry of a row by the same small number. Which of the ways to y do you have to add so that nothing changes?",
)
_OF_STRETCHING = Property(
    "a row and its slope are at a right angle",
    lambda case, o: bool(
        ((o["out"] * case.args["x"]).sum(dim=-1).abs() <= 1e-3 * (1 + case.args["g"].norm(dim=-1))).all()
    ),
    "Multiply your slopes by the entries of their row and add: the sum should be 0, and it is not.",
    "Making a row longer changes nothing in y, which keeps its direction. So there is no slope along the row itself.",
    "Which way to the loss leads over the length? It has to cancel what comes directly, along the row.",
)
PROPERTIES: dict[str, tuple[Property, ...]] = {
    "length": (_OF_STRETCHING,),
    "softmax": (_OF_MOVING,),
    "standardise": (_OF_MOVING,),
}


@exercise(
    "05.5",
    title="The way back through an operation",
    points=2,
    parameters=tuple({"operation": name} for name in OPERATIONS),
)
class WayBack:
    """A pullback that is derived and not looked up."""

    name = "way_back"
    read = "A recipe for any operation"
    tolerance = 1e-4  # in float32 a share of nearly 1 leaves few digits of what it lacks
    forbidden = dict.fromkeys(
        (*AUTOGRAD, "_softmax_backward_data"),
        "It goes the way back for you. Derive it on paper with the recipe, and ask autograd afterwards whether it agrees.",
    )

    @per_variant
    def reference(p: Parameter) -> Way:
        """Return the way back through this operation."""
        return OPERATIONS[p["operation"]].reference

    @per_variant
    def statement(p: Parameter) -> str:
        """Return the task with this operation."""
        operation = OPERATIONS[p["operation"]]
        parts = (
            operation.intro,
            f"$${operation.formula}$$",
            operation.signature,
            r"Derive it with the three lines of the chapter's recipe: which inputs enter which results, with what slope, and then "
            r"the sum over the results, $\bar x_j = \sum_i \bar y_i\, \frac{\partial y_i}{\partial x_j}$. Leave autograd out, until "
            "you want to compare.",
            f"Example: {operation.example}",
        )
        return paragraphs(*parts)

    @per_variant
    def cases(p: Parameter) -> Callable[[int], list[Case]]:
        """Return inputs for this operation."""
        return _cases_of(OPERATIONS[p["operation"]])

    @per_variant
    def mistakes(p: Parameter) -> tuple[Mistake, ...]:
        """Return what goes wrong with this operation."""
        return MISTAKES[p["operation"]]

    @per_variant
    def alternatives(p: Parameter) -> Mapping[str, Way]:
        """Return other right ways back."""
        return OPERATIONS[p["operation"]].alternatives

    @per_variant
    def properties(p: Parameter) -> tuple[Property, ...]:
        """Return what every right way back has in common."""
        return PROPERTIES.get(p["operation"], ())

    @per_variant
    def hints(p: Parameter) -> tuple[str, ...]:
        """Return hints for this operation."""
        return OPERATIONS[p["operation"]].hints
