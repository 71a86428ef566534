"""Exercise 07.7: clip by norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Property, exercise
from companion.checks.ch07_optimizers.e7_mistakes import MISTAKES, norm_of
from companion.checks.ch07_optimizers.lists import F32, LAYERS, Tensors, drawing
from companion.checks.numbers import F64, number, rows, vector
from companion.checks.trace import Call, Case, Trace


def clip(slopes: list[torch.Tensor], max_norm: float) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Return new slopes whose norm over all tensors is at most ``max_norm``, and the norm that they had before."""
    norm = torch.stack([g.square().sum() for g in slopes]).sum().sqrt()
    factor = max_norm / norm if norm > max_norm else 1.0
    return [factor * g for g in slopes], norm


def _as_one_vector(slopes: Sequence[Tensor], max_norm: float) -> tuple[tuple[Tensor, ...], Tensor]:
    norm = torch.linalg.vector_norm(torch.cat([g.flatten() for g in slopes]))
    factor = (max_norm / norm).clamp(max=1)  # infinite where the norm is 0
    return tuple(factor * g for g in slopes), norm


def _as_torch_does(slopes: Sequence[Tensor], max_norm: float) -> list[object]:
    """Add a little to the norm below the line, and hand the norm back as a plain number."""
    norm = sum(g.norm().item() ** 2 for g in slopes) ** 0.5
    factor = min(1.0, max_norm / (norm + 1e-6))
    return [[factor * g for g in slopes], norm]


def _norm_of_norms(slopes: Sequence[Tensor], max_norm: float) -> tuple[list[Tensor], Tensor]:
    norm = torch.stack([torch.linalg.vector_norm(g) for g in slopes]).norm()
    over = norm.clamp(min=max_norm) / max_norm  # 1 where the slopes are short enough
    return [g / over for g in slopes], norm


def _cases(seed: int) -> list[Case]:
    draw = drawing(seed + 3)

    def case(name: str, slopes: Tensors, max_norm: float, *, example: bool = False, aside: bool = False) -> Case:
        return Case(name, {"slopes": slopes, "max_norm": max_norm}, example=example, aside=aside)

    layers, tables = draw(*LAYERS), draw((4, 2), (3, 4), dtype=F32, strided=True)
    return [
        case("the slopes worked out", [vector(2, -4), vector(4)], 1.5, example=True),
        case("slopes that are short enough", [vector(2, -4), vector(4)], 10.0),
        case("slopes shorter than 1", [vector(0.3, 0.1), vector(-0.2)], 0.75),
        case("slopes that are exactly as long as they may be", [vector(3, 0), vector(4)], 5.0),
        case("a single number", [number(-8)], 2.0),
        case("slopes that are all 0", [vector(0, 0, 0), vector(0)], 1.0, aside=True),
        case("one tensor longer than the limit and one shorter", [vector(0.6, -0.8), rows([6, 2, -3], [2, 1, 4])], 3.0),
        case("a tensor without entries between two others", [*draw((2, 3)), torch.zeros(0, 2, dtype=F64), *draw((4,))], 2.5),
        case("two layers in float64", layers, 0.25 * norm_of(layers).item()),
        case("two layers whose norm is below the limit", layers, 1.2 * norm_of(layers).item()),
        case("two tables in float32, with gaps in memory", tables, 0.6 * norm_of(tables).item()),
    ]  # fmt: skip


def _script(case: Case) -> list[Call]:
    given, names = tuple(case.args.values()), tuple(case.args)
    return [
        Call("clip", given, names, returns=(), repeat=False, new=True),
        Call("clip", given, names, keep="made"),
        Call("@listed", ("$made", True), returns=("made",)),
    ]


def _observe(case: Case, trace: Trace) -> Observed:
    return {n.removeprefix("made."): t for n, t in trace.tensors.items() if n.startswith("made.")}


def _fits(case: Case, observed: Observed) -> bool:
    due = {f"1.{n}": g.shape for n, g in enumerate(case.args["slopes"], 1)} | {"2": torch.Size([])}
    return {n: t.shape for n, t in observed.items()} == due


def _short(case: Case, observed: Observed) -> bool:
    return bool(norm_of([t.to(F64) for n, t in observed.items() if n != "2"]) <= 1.001 * case.args["max_norm"])


def _same_way(case: Case, observed: Observed) -> bool:
    """Return whether new and old slopes point the same way, as one long vector."""
    old, new = (torch.cat([t.flatten().to(F64) for t in side]) for side in (case.args["slopes"], [t for n, t in observed.items() if n != "2"]))  # fmt: skip
    return bool(torch.dot(old, new) >= 0.9999 * old.norm() * new.norm())


def _long_before(case: Case, observed: Observed) -> bool:
    """Return whether the norm handed back is above the limit where the old slopes are longer than it."""
    old, most = norm_of(case.args["slopes"]).item(), case.args["max_norm"]
    return old <= most or observed["2"].item() > most * (1 + 1e-4)


def _told(case: Case, observed: Observed) -> bool:
    return bool(torch.isclose(observed["2"].to(F64), norm_of(case.args["slopes"]).to(F64), rtol=1e-4, atol=1e-6))


def _reaches(case: Case, observed: Observed) -> bool:
    """Return whether the new slopes are as long as they may be, or as long as they were."""
    due = min(norm_of(case.args["slopes"]).item(), case.args["max_norm"])
    return bool(norm_of([t.to(F64) for n, t in observed.items() if n != "2"]) >= 0.999 * due)


_PROPERTIES = (
    Property(
        "a list of slopes and a norm without axes",
        _fits,
        "Two things should come back: a list with a tensor for each tensor of slopes, of its shape, and the norm as a single number.",
        "`return slopes, norm` hands back two things. A norm with axes is one for each row or for each tensor.",
        "Print the shapes of what you return, one after the other.",
    ),
    Property(
        "the new slopes are not longer than the limit",
        _short,
        "Your new slopes are still longer than `max_norm`, taken together.",
        "The limit is for all tensors at once: the root of the sum of all squares.",
        "Compute the norm of the list that you return, in the same way as the first one.",
    ),
    Property(
        "the direction stays",
        _same_way,
        "Your new slopes point another way than the old ones.",
        "Only one factor for all entries of all tensors keeps the direction.",
        "Divide new by old entry by entry. Are all of these numbers the same?",
    ),
    Property(
        "the norm is that of the slopes as they came in",
        _long_before,
        "The slopes that came in are longer than `max_norm`, and the norm that you hand back is not: it does not tell how long they were.",
        "What is asked for is the length before the clipping. One that is taken afterwards is never above the limit, whatever the batch was like.",
        "In which line is the number computed that you hand back, and does it stand before the clipping or behind it?",
    ),
    Property(
        "the norm is the length of all slopes",
        _told,
        "The norm that you hand back is not the length of the slopes that came in.",
        "The length is the root of one sum: the squares of all entries of all tensors.",
        "For the slopes [3] and [4] the norm is 5. What does your line make of them?",
    ),
    Property(
        "the new slopes are as long as they may be",
        _reaches,
        "Your norm is right, and the new slopes are shorter than they should be.",
        "Slopes that are too long end with exactly the length of the limit, and others keep theirs.",
        "Compute the norm of the list that you return, and put it beside the old norm and `max_norm`.",
    ),
)


@exercise("07.7", title="Clip by norm", points=2)
class ClipByNorm:
    """One norm over all tensors, one factor for all of them."""

    reference = clip
    read = "Clipping"
    returns = (Out("made", "tensors"),)
    script = _script
    observe = _observe
    properties = _PROPERTIES
    forbidden: ClassVar = {"nn.utils": "It clips by itself. Here you find out what it does with the norm."}
    statement = r"""
        A cliff in the loss, or one bad batch, gives slopes that are far too long, and a single step along them can undo a
        training. Clipping makes them shorter and keeps their direction. It looks at all slopes of a network as **one** long vector:

        $$\lVert g \rVert = \sqrt{\textstyle\sum_i g_i^2} \quad \text{over all entries of all tensors}$$

        Where this norm is above a limit, every slope is multiplied by limit over norm, so that the new norm is the limit. Where it
        is not, nothing changes.

        Write `clip(slopes, max_norm)`. `slopes` is a list of tensors, and `max_norm` is the limit, a number above 0. Return two
        things, `return slopes, norm`: a **new list of new tensors** of the same shapes, and the norm as it was **before** the
        clipping, as a tensor without axes or as a plain number. It may be that all slopes are 0. What came in is not
        changed, and none of it is handed back: where the slopes are short enough, return copies of them. `torch.nn.utils` is not to be used.

        Example: the slopes `[[2, -4], [4]]` and a limit of 1.5. The norm is $\sqrt{4 + 16 + 16} = 6$, and the factor
        is $1.5 / 6 = 0.25$. So the new slopes are `[tensor([0.5, -1.0]), tensor([1.0])]`, and the norm that comes back is 6.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "as one long vector, in a tuple": _as_one_vector,
        "as torch does it, with a plain number": _as_torch_does,
        "the norm of the norms": _norm_of_norms,
    }
    hints = (
        "What has to be known before the first slope can be changed? So how often do you go through the list?",
        "Add up the squares of each tensor, then these sums, and take the root at the very end. `torch.stack` makes one tensor of a list of single numbers.",
        "`factor = max_norm / norm if norm > max_norm else 1.0`, then the list of `factor * g`, and beside it the norm.",
    )
