"""What is wrong with one case: the first of several looks at a trace that finds something."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from companion.checks.bank import Exercise, Observed
from companion.checks.trace import Case, Crash, Trace


@dataclass(frozen=True)
class Failure:
    """The first thing that is wrong with one case. The lower its order, the earlier it should be mended."""

    order: int
    kind: str
    message: str
    shows_answer: bool = False


def first_failure(
    exercise: Exercise, case: Case, mine: Trace, right: Trace, observed: Observed, expected: Observed
) -> Failure | None:
    """Return the first thing that is wrong with a case, or ``None``."""
    if right.crash:
        raise RuntimeError(f"the reference of {exercise.id} fails on {case.name!r}: {right.crash}")
    if mine.crash:
        return _crash(exercise, case, mine.crash)
    if "structure" in mine.facts:
        wanted = ", ".join(out.name for out in exercise.returns)
        return Failure(
            1,
            "structure",
            f"Return {len(exercise.returns)} things, {wanted}; it returned {mine.facts['structure']}.",
        )
    for check in (_kinds, _shapes, _dtypes, _finite):
        if failure := check(exercise, case, mine, right):
            return failure
    if exercise.judge is not None:
        if said := exercise.judge(case, observed, expected):
            return Failure(7, "value", said)
    elif not all_close(observed, expected, exercise.tolerance):
        return Failure(7, "value", f"The result is not right yet with {case.name}.", shows_answer=True)
    for check in (_untouched, _gradients, _pure, _allowed):
        if failure := check(exercise, case, mine, right):
            return failure
    return None


def _crash(exercise: Exercise, case: Case, crash: Crash) -> Failure:
    name = case.function or exercise.functions[0]
    if crash.kind == "timeout":
        return Failure(
            0,
            "timeout",
            f"`{name}` did not come to an end with {case.name}. Which loop never meets its condition?",
        )
    if crash.kind == "not reached":
        return Failure(12, "not reached", f"`{name}` was stopped before this case.")
    if crash.kind == "signature":
        takes = crash.text or "nothing"
        return Failure(0, "signature", f"`{name}` is called with ({', '.join(case.args)}), but yours takes ({takes}).")
    where = f"line {crash.line_number} of your code" if crash.line_number else "your code"
    where += f", `{crash.line}`," if crash.line else ""
    text = f": {crash.text.rstrip('.')}" if crash.text else ""
    message = f"With {case.name}, {where} stops with {crash.type}{text}. {_look_at(crash)}"
    return Failure(0, "crash", message)


def _look_at(crash: Crash) -> str:
    for sign, advice in _ADVICE:
        if sign in f"{crash.type}: {crash.text}":
            return advice
    return "Print the shapes and values that go into this line."


_ADVICE = (
    ("size of tensor", "Two shapes do not fit together: print both just above this line."),
    ("shapes cannot be multiplied", "Two shapes do not fit together: print both just above this line."),
    ("size mismatch", "Two shapes do not fit together: print both just above this line."),
    ("inconsistent tensor size", "Two shapes do not fit together: print both just above this line."),
    (
        "same dtype",
        "Two tensors of different precision meet: make new tensors with the dtype of the argument.",
    ),
    (
        "Boolean value of Tensor",
        "An `if` needs one truth value and this tensor holds many; torch.where chooses per entry.",
    ),
    ("NameError", "Is the name spelt as where it was made, and has that cell been run?"),
    (
        "UnboundLocalError",
        "This name gets its value only on some paths: give it one before the branch or loop.",
    ),
    ("IndexError", "An index lies outside: print the shape and the index."),
    ("KeyError", "This key is not in the dictionary: print its keys."),
    ("RecursionError", "The function calls itself without an end: which case should return without a call?"),
    ("ZeroDivisionError", "Something you divide by is 0 here: what should the answer be then?"),
    ("AttributeError", "This object has no such attribute: print its type."),
    ("TypeError", "A function in this line was given something it does not take: print the types."),
)


def _kinds(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    for out in exercise.returns:
        kind = mine.facts.get(f"{out.name}.type", "nothing")
        if kind in _ACCEPTED[out.kind] and out.name in mine.tensors:
            if out.kind == "tensor" or kind != "tensor" or _reads_as(out.kind, mine, out.name):
                continue
            shape = tuple(mine.tensors[out.name].shape)
            kind = f"tensor of {mine.facts[f'{out.name}.dtype']} with shape {shape}"
        what = "It" if len(exercise.returns) == 1 else f"`{out.name}`"
        if kind == "None":
            return Failure(1, "type", f"{what} came back as None. Is a `return` missing?")
        return Failure(2, "type", f"{what} should be {_WANTED[out.kind]}, and is {_article(kind)}.")
    return None


_ACCEPTED: dict[str, tuple[str, ...]] = {
    "tensor": ("tensor", "Parameter"),
    "number": ("tensor", "int", "float", "numpy number"),
    "integer": ("tensor", "int", "numpy number"),
    "counts": ("tensor", "list", "tuple", "numpy array"),
}
_WANTED = {
    "tensor": "a torch tensor",
    "number": "one number (a tensor without axes, or a Python number)",
    "integer": "a whole number",
    "counts": "a list of whole numbers",
}


def _reads_as(kind: str, trace: Trace, name: str) -> bool:
    tensor = trace.tensors[name]
    whole = not tensor.is_floating_point() and tensor.dtype is not torch.bool
    return tensor.dim() == (1 if kind == "counts" else 0) and (whole or kind == "number")


def _article(kind: str) -> str:
    return f"an {kind}" if kind[:1] in "aeiou" else f"a {kind}"


def _shapes(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    for out in exercise.returns:
        if out.kind not in ("tensor", "number") or out.name not in right.tensors:
            continue
        got, wanted = tuple(mine.tensors[out.name].shape), tuple(right.tensors[out.name].shape)
        if got != wanted:
            what = "Your result" if len(exercise.returns) == 1 else f"`{out.name}`"
            return Failure(3, "shape", f"{what} should have the shape {wanted} with {case.name}, and has {got}.")
    return None


def _dtypes(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    if exercise.observe is not None:
        return None  # judged by behaviour: how the numbers are stored does not matter
    for out in exercise.returns:
        key = f"{out.name}.dtype"
        got, wanted = mine.facts.get(key), right.facts.get(key)
        if out.kind == "tensor" and got != wanted:
            what = "Your result" if len(exercise.returns) == 1 else f"`{out.name}`"
            return Failure(
                4,
                "dtype",
                f"{what} should keep the argument's dtype, {wanted}, with {case.name}, and is {got}.",
            )
    return None


def _finite(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    if exercise.judge is not None:
        return None
    for out in exercise.returns:
        got, wanted = mine.tensors.get(out.name), right.tensors.get(out.name)
        if got is None or wanted is None or got.shape != wanted.shape:
            continue
        for bad, word in ((torch.isnan, "nan"), (torch.isinf, "inf")):
            if bool((bad(got) & ~bad(wanted)).any()):
                return Failure(5, "finite", f"Your result holds {word} with {case.name}.", shows_answer=True)
    return None


def _untouched(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    for name, given in case.args.items():
        after = mine.tensors.get(f"after.{name}")
        if isinstance(given, Tensor) and after is not None and not _close(given, after, 0.0):
            return Failure(
                6, "mutated", f"`{name}` has changed: your code writes into its argument. Make a new tensor."
            )
    return None


def _gradients(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    for name in case.grad:
        key = f"grad.{name}"
        if key not in right.tensors:
            continue
        if mine.facts.get(key) == "lost":
            return Failure(
                8,
                "gradient",
                f"No gradient reaches `{name}`. detach, item, data, numpy, no_grad and torch.tensor(...) "
                "cut the graph.",
            )
        got, wanted = mine.tensors.get(key), right.tensors[key]
        if got is None or not _close(got, wanted, exercise.tolerance):
            nan = got is not None and bool(torch.isnan(got).any())
            what = "is nan" if nan else "is not right"
            return Failure(
                9, "gradient", f"The values are right, but the gradient by `{name}` {what} with {case.name}."
            )
    return None


def _pure(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    for out in exercise.returns:
        again = mine.tensors.get(f"again.{out.name}")
        if f"again.{out.name}" in right.tensors and (
            again is None or not _close(again, mine.tensors[out.name], exercise.tolerance)
        ):
            return Failure(
                10,
                "impure",
                "A second call with the same arguments gives another answer. What is kept between calls?",
            )
    return None


def _allowed(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    if used := mine.facts.get("used"):
        reason = exercise.forbidden[used.removeprefix("torch.")]
        return Failure(11, "forbidden", f"Right, but `{used}` does the work. {reason}")
    return None


def all_close(one: Observed, other: Observed, tolerance: float) -> bool:
    """Return whether the same things were observed with nearly the same numbers."""
    return set(one) == set(other) and all(_close(one[k], other[k], tolerance) for k in one)


def _close(one: Tensor, other: Tensor, tolerance: float) -> bool:
    if one.shape != other.shape:
        return False
    a, b = one.to(torch.float64), other.to(torch.float64)
    return bool(torch.isclose(a, b, rtol=tolerance, atol=tolerance / 10, equal_nan=True).all())
