"""Looks at what surrounds the values: kind, shape, dtype, device, nan, arguments, ready-made functions, gradients, settings."""

from __future__ import annotations

import torch
from torch import Tensor

from companion.checks import wrong_kind
from companion.checks.bank import Exercise
from companion.checks.levels import Failure, Level, close
from companion.checks.surroundings import SEED_OF_TORCH
from companion.checks.trace import Case, Trace
from companion.checks.watch import is_in


def _structure(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    if "structure" not in mine.facts:
        return None
    wanted = ", ".join(out.name for out in exercise.returns)
    seen = f"Return {len(exercise.returns)} things, {wanted}; it returned {mine.facts['structure']}."
    why = "The check takes the results by their place in the tuple that `return a, b` makes."
    return Failure(
        Level.KIND,
        "structure",
        seen,
        why,
        "Look at the last line of your function: what does it hand back, and in which order?",
    )


def _kinds(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    if exercise.script is not None:
        outs = [out for out in exercise.returns if out.name in right.tensors or f"{out.name}.type" in mine.facts]
    else:
        outs = list(exercise.returns)
    for out in outs:
        kind = mine.facts.get(f"{out.name}.type", "nothing")
        if out.kind in ("table", "tensors", "named") and kind == "dict":
            continue
        if kind in _ACCEPTED[out.kind] and out.name in mine.tensors:
            if out.kind == "tensor" or kind != "tensor" or _reads_as(out.kind, mine, out.name):
                continue
            kind = f"tensor of {mine.facts[f'{out.name}.dtype']} with shape {tuple(mine.tensors[out.name].shape)}"
        what = "It" if len(exercise.returns) == 1 else f"`{out.name}`"
        if kind == "None":
            why = "A function without `return` hands back None, whatever it computed."
            return Failure(
                Level.KIND, "type", f"{what} came back as None.", why, "Is a `return` missing, or on one path only?"
            )
        seen = f"{what} should be {_WANTED[out.kind]}, and is {wrong_kind.article(kind)}{_of_what(mine, out.name)}."
        return Failure(Level.KIND, "type", seen, *_advice(out.kind, mine, out.name))
    return None


_ACCEPTED: dict[str, tuple[str, ...]] = {
    "tensor": ("tensor", "Parameter"),
    "number": ("tensor", "int", "float", "numpy number"),
    "integer": ("tensor", "int", "numpy number"),
    "counts": ("tensor", "list", "tuple", "numpy array"),
    "table": ("dict",),
    "named": ("dict",),
    "tensors": ("dict",),  # as the driver's routine `listed` reads them
}
_WANTED = {
    "tensor": "a torch tensor",
    "number": "one number (a tensor without axes, or a Python number)",
    "integer": "a whole number",
    "counts": "a list of whole numbers",
    "table": "what was drawn or stored",
    "named": "a dict with a number for each name",
    "tensors": "a list of torch tensors",
}


def _reads_as(kind: str, trace: Trace, name: str) -> bool:
    tensor = trace.tensors[name]
    whole = not tensor.is_floating_point() and tensor.dtype is not torch.bool
    return tensor.dim() == (1 if kind == "counts" else 0) and (whole or kind == "number")


def _of_what(trace: Trace, name: str) -> str:
    """Say what a list holds, where that can be said."""
    holds = trace.facts.get(f"{name}.holds", "")
    return f" of {holds}" if holds else ""


def _advice(wanted: str, trace: Trace, name: str) -> wrong_kind.Advice:
    came = trace.tensors.get(name)
    shape = None if came is None else tuple(came.shape)
    return wrong_kind.advice(wanted, trace.facts.get(f"{name}.type", ""), trace.facts.get(f"{name}.holds", ""), shape)


def _what(exercise: Exercise, name: str) -> str:
    return "Your result" if len(exercise.returns) == 1 else f"`{name}`"


def _shapes(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    for out in exercise.returns:
        if out.kind not in ("tensor", "number") or out.name not in right.tensors:
            continue
        got, wanted = tuple(mine.tensors[out.name].shape), tuple(right.tensors[out.name].shape)
        if got != wanted:
            seen = f"{_what(exercise, out.name)} should have the shape {wanted} with {case.name}, and has {got}."
            if (got, wanted) == ((1,), ()):
                return Failure(Level.SHAPE, "shape", seen, *wrong_kind.ONE_TOO_NESTED)
            next = "Follow the shape line by line, with a comment behind each that changes it."
            return Failure(Level.SHAPE, "shape", seen, _why_shape(got, wanted), next)
    return None


def _why_shape(got: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    if sorted(got) == sorted(wanted):
        return "The axes are the right ones in another order."
    if [g for g in got if g != 1] == [w for w in wanted if w != 1]:
        return (
            "An axis of size 1 is there too many or too few; against it, a later operation broadcasts without a word."
        )
    if len(got) > len(wanted):
        return "An axis is left that should have been summed, averaged or selected away, or a broadcast has made one."
    if len(got) < len(wanted):
        return "A reduction has swallowed an axis that should have stayed."
    return "An axis has another size than the task's."


def _dtypes(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    if exercise.observe is not None:
        return None  # judged by behaviour: how the numbers are stored does not matter
    for out in exercise.returns:
        key = f"{out.name}.dtype"
        got, wanted = mine.facts.get(key), right.facts.get(key)
        if out.kind == "tensor" and wanted is not None and got != wanted:
            given = next(
                (n for n, a in case.args.items() if getattr(a, "dtype", None) == right.tensors[out.name].dtype), ""
            )
            what = _what(exercise, out.name).replace("Your", "your")
            seen = f"`{given}` is {wanted} here, and {what} is {got}: it should keep that dtype."
            if not given:
                seen = f"{_what(exercise, out.name)} should have the dtype {wanted} with {case.name}, and has {got}."
            return Failure(Level.DTYPE, "dtype", seen, *wrong_kind.of_dtype(got, given or "x"))
    return None


def _devices(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    for out in exercise.returns:
        got, wanted = (t.facts.get(f"{out.name}.device") for t in (mine, right))
        if got and wanted and got != wanted:
            seen = f"{_what(exercise, out.name)} should stay on the argument's device, {wanted}, and is on {got}."
            why = "A tensor was made or moved somewhere else than where the argument lives."
            return Failure(
                Level.DEVICE,
                "device",
                seen,
                why,
                "Make new tensors with `device=` of the argument, or from it with zeros_like.",
            )
    return None


def _finite(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    if exercise.judge is not None:
        return None
    for out in exercise.returns:
        got, wanted = mine.tensors.get(out.name), right.tensors.get(out.name)
        if got is None or wanted is None or got.shape != wanted.shape:
            continue
        for bad, word, why in (
            (
                torch.isnan,
                "nan",
                "nan stands for a number that there is not: inf - inf, 0 / 0 and 0 * inf have no value, and neither has "
                "the logarithm of a negative number.",
            ),
            (torch.isinf, "inf", "A number has grown beyond what the dtype holds, or something was divided by 0."),
        ):
            # Where nan is due inf is a matter of values: an exercise may take one for the other.
            if bool((bad(got) & ~bad(wanted) & ~torch.isnan(wanted)).any()):
                seen = f"Your result holds {word} with {case.name}."
                return Failure(
                    Level.FINITE,
                    "finite",
                    seen,
                    why,
                    "Print each intermediate result for the input shown: which is the first that holds nan or inf?",
                    shows_answer=True,
                )
    return None


def _untouched(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    for name, given in case.args.items():
        after, meant = mine.tensors.get(f"after.{name}"), right.tensors.get(f"after.{name}")
        if isinstance(given, Tensor) and after is not None and not close(given, after, 0.0):
            if meant is not None and not close(given, meant, 0.0):
                continue  # writing into it is the task
            seen = f"`{name}` has changed: your code writes into its argument."
            why = "The caller still holds this tensor, and finds other numbers in it after the call."
            return Failure(
                Level.MUTATED,
                "mutated",
                seen,
                why,
                "Look for +=, x[...] = and names that end in _; make a new tensor instead.",
            )
    if (changed := mine.facts.get("changed")) and changed != right.facts.get("changed"):
        name = changed.split(", ")[0]
        given = case.args.get(name, [])
        next = "Look for pop, append, sort, clear, del and assignments such as `x[k] = ...`; work on a list or dict of your own."
        if _holds_tensors(given):
            next = "Look for `x[k] = ...`, for +=, -= and *=, and for names that end in _; put new tensors into a list of your own."
        return Failure(
            Level.MUTATED,
            "mutated",
            f"`{name}` has changed: your code writes into its argument.",
            f"The caller still holds this {type(given).__name__}, and finds something else in it after the call.",
            next,
        )
    return None


def _holds_tensors(given: object) -> bool:
    """Return whether a list holds tensors and nothing else, or lists of them."""
    if not isinstance(given, (list, tuple)):
        return False
    return bool(given) and all(isinstance(item, Tensor) or _holds_tensors(item) for item in given)


#: By what name people know a function that they reach through others.
_KNOWN_AS = {"torch._VariableFunctionsClass._make_dual": "torch.autograd.forward_ad"}


def _allowed(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    used = mine.facts.get("used")
    if not used:
        return None
    if ".checks." in used:
        why = "It is the solution's own function."
        return Failure(
            Level.FORBIDDEN,
            "forbidden",
            f"`{used}` does the work.",
            why,
            f'Write it yourself; hint("{exercise.id}") helps one step at a time.',
        )
    named = (why for name, why in exercise.forbidden.items() if is_in(used.removeprefix("torch."), name))
    reason = next(named, "The exercise is to write it, so that you know each step of it.")
    through = ", called by your code or by a ready-made layer in it" if ".nn.functional." in f".{used}" else ""
    return Failure(
        Level.FORBIDDEN,
        "forbidden",
        f"`{_KNOWN_AS.get(used, used)}` does the work{through}.",
        reason,
        "Which tensor operations is it made of? Start from the formula in the task.",
    )


def _lost(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    for name in case.grad:
        slope = right.tensors.get(f"grad.{name}")
        if slope is not None and bool(slope.any()) and mine.facts.get(f"grad.{name}") == "lost":
            seen = f"No gradient reaches `{name}`."
            why = "detach, item, data, numpy, no_grad and torch.tensor(...) cut the graph; so do round, floor and comparisons."
            return Failure(
                Level.LOST,
                "gradient",
                seen,
                why,
                "Print `requires_grad` of each intermediate result: where does it turn False?",
            )
    return None


def _surroundings(exercise: Exercise, case: Case, mine: Trace, right: Trace) -> Failure | None:
    changed = mine.facts.get("touched", "").split(", ")
    if exercise.random:  # a training may be seeded: what the caller had is put back after each case, as with numpy's
        changed = [what for what in changed if what != SEED_OF_TORCH]
    if touched := ", ".join(changed):
        seen = f"Your code changes {touched}, for everything that runs after it."
        why = "These settings belong to the whole program: whoever calls your function does not expect them to move."
        return Failure(
            Level.TOUCHED,
            "touched",
            seen,
            why,
            "Pass a torch.Generator, a dtype or a device instead of setting it for all.",
        )
    if (drew := mine.facts.get("drew")) and not exercise.random and "drew" not in right.facts:
        seen = f"Your code draws random numbers (from {drew}), and the task has no chance in it."
        why = "The same input should give the same answer, and others share the generator that you draw from."
        return Failure(
            Level.TOUCHED, "touched", seen, why, "Which line makes random numbers, and what should stand there?"
        )
    return None


BEFORE_VALUES = (_structure, _kinds, _shapes, _dtypes, _devices, _finite, _untouched, _allowed, _lost, _surroundings)
"""The looks in the order in which they are taken, before the values are compared."""
