"""What to say about a result of the wrong kind: a list, a Python number, a NumPy array, one number with an axis."""

from __future__ import annotations

from typing import NamedTuple

NUMBERS = ("int", "float", "bool", "numpy number")
LISTS = ("list", "tuple")
TWO_THINGS = ("max", "min", "sort", "topk", "median", "mode", "kthvalue", "cummax", "cummin")
"""What torch calls the pairs of values and indices that these functions return."""


class Advice(NamedTuple):
    """Why a kind does not do, and the line that makes the right one of it."""

    why: str
    next: str


LIST_OF_TENSORS = Advice(
    "A Python list of tensors is not a tensor yet: it has no shape, and it cannot be multiplied or added up as a whole.",
    "Put them together in the last line: `torch.stack(results)` makes one tensor of a list of tensors.",
)
LIST_OF_NUMBERS = Advice(
    "A Python list holds plain numbers: it has no shape and no dtype, and it cannot be multiplied entry by entry.",
    "Make a tensor of it: `torch.tensor([1.0, 2.0])` instead of `[1.0, 2.0]`, also for a list of lists.",
)
PYTHON_NUMBER = Advice(
    "A Python number has no shape and no dtype, and the code that comes after asks for both.",
    "Make it a tensor in the line where it begins: `torch.tensor(0.0)` instead of `0.0`.",
)
NUMPY_ARRAY = Advice(
    "A NumPy array knows nothing of gradients and does not mix with tensors. A `.numpy()` or a function of `np` has "
    "made it.",
    "Stay with torch from the first line to the last; or turn the result back at the end, with `torch.from_numpy(...)`.",
)
NUMPY_NUMBER = Advice(
    "A NumPy number knows nothing of gradients. A `.numpy()` or a function of `np` has made it.",
    "Stay with torch from the first line to the last; or turn the result back at the end, with `torch.tensor(...)`.",
)
VALUES_AND_INDICES = Advice(
    "With an axis, max, min, sort and topk return two things: the values and their places.",
    "Take one of the two by its name: `.values` or `.indices`.",
)
ONE_TOO_NESTED = Advice(
    "`[-0.5]` is a list with one number in it, so its tensor has an axis of length 1 and the shape (1,). A number alone "
    "has no axis: its shape is ().",
    "Write the number without brackets, `torch.tensor(-0.5)` and not `torch.tensor([-0.5])`. Of a result that has the "
    "axis already, `result[0]` takes the number out.",
)
LIST_OF_ONE = Advice(
    "`[9]` is a list with one number in it, and not the number 9.",
    "Leave the brackets away where the number is made, or take it out of the list with `result[0]`.",
)
SEVERAL_FOR_ONE = Advice(
    "One number is asked for, and here several came back together.",
    "Which of them is the answer, or what makes one of them all: their sum, their mean, the last? Print the result first.",
)
NOT_WHOLE = Advice(
    "A count is a whole number, 9 and not 9.0. A decimal point comes from a division, or from decimal numbers that were "
    "added up.",
    "Write `//` for a division that has no remainder, or `int(...)` around a number that is whole.",
)
LIST_WANTED = Advice(
    "One count is asked for in each round, in the order of the rounds, and a single thing came back.",
    "Begin with an empty list, `counts = []`, before the loop, and write `counts.append(...)` once in each round.",
)
NETWORK = Advice(
    "A layer or a network is a machine, not yet what comes out of it.",
    "Call it with the input, as in `layer(x)`, and return what that gives.",
)


def advice(wanted: str, kind: str, holds: str, shape: tuple[int, ...] | None) -> Advice:
    """Return what to say about a result.

    Args:
        wanted: the kind of an :class:`~companion.checks.bank.Out`.
        kind: what came, as :func:`companion.checks.reading.kind_of` names it.
        holds: what a list or tuple holds: ``"tensors"``, ``"numbers"`` or something else.
        shape: the shape of what came, if it has one.
    """
    if kind in TWO_THINGS:
        return VALUES_AND_INDICES
    if kind == "network":
        return NETWORK
    if wanted == "tensor":
        found = _for_a_tensor(kind, holds)
    elif wanted in ("number", "integer"):
        found = _for_one_number(wanted, kind, shape)
    else:
        found = LIST_WANTED if wanted == "counts" and (kind in NUMBERS or shape == ()) else None
        found = NOT_WHOLE if wanted == "counts" and shape and len(shape) == 1 else found
    return found or _other(kind)


def of_dtype(got: str | None, given: str) -> Advice:
    """Return what to say about a result of another dtype than that of the argument called ``given``."""
    makers = {
        "float32": "`.float()` gives float32 always, whatever came in; so do `torch.tensor(1.0)` and `torch.zeros(3)`.",
        "float64": "`.double()` gives float64 always, whatever came in; so does a number that has been through NumPy.",
        "bool": "A comparison answers with True and False, and their dtype is bool.",
        "int64": "`.long()`, `torch.tensor(1)` and `argmax` give whole numbers, whatever came in.",
        "int32": "`.int()` gives whole numbers, whatever came in.",
    }
    why = makers.get(got or "", "A new tensor or a comparison has brought in a dtype of its own.")
    return Advice(
        f"{why} The next layer multiplies the result by weights of the dtype that came in, and stops if they differ.",
        f"Write `.to({given}.dtype)` instead, or `dtype={given}.dtype` where you make a tensor; `torch.zeros_like({given})` "
        "takes the dtype over by itself.",
    )


def _for_a_tensor(kind: str, holds: str) -> Advice | None:
    if kind in LISTS:
        return {"tensors": LIST_OF_TENSORS, "numbers": LIST_OF_NUMBERS}.get(holds)
    if kind == "numpy number":
        return NUMPY_NUMBER
    return PYTHON_NUMBER if kind in NUMBERS else NUMPY_ARRAY if kind == "numpy array" else None


def _for_one_number(wanted: str, kind: str, shape: tuple[int, ...] | None) -> Advice | None:
    if shape == ():
        return NOT_WHOLE if wanted == "integer" else None
    if shape == (1,):
        return LIST_OF_ONE if kind in LISTS else ONE_TOO_NESTED
    return SEVERAL_FOR_ONE if shape is not None or kind in LISTS else None


def _other(kind: str) -> Advice:
    return Advice(
        f"The lines that come after compute with the result, and they cannot compute with {article(kind)}.",
        "Print `type(...)` of what stands behind your `return`, then of what it was made from: which line made it?",
    )


def article(kind: str) -> str:
    """Return the kind with its article.

    >>> article("int"), article("float")
    ('an int', 'a float')
    """
    return f"an {kind}" if kind[:1] in "aeiou" else f"a {kind}"
