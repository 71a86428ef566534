"""Compare traces and say what is wrong in the words that help most. Reads traces only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from companion.checks.bank import Exercise, Function, Mistake, Observed
from companion.checks.drive import drive
from companion.checks.result import Result, show
from companion.checks.trace import Case, Crash, Trace

RunMistake = Callable[[Mistake, Sequence[int]], list[Trace]]
"""Runs a known mistake on the cases with these numbers."""


@dataclass(frozen=True)
class Failure:
    """The first thing that is wrong with one case. The lower its order, the earlier it should be mended."""

    order: int
    kind: str
    message: str
    shows_answer: bool = False


def run(exercise: Exercise, functions: Mapping[str, Function], cases: Sequence[Case], timeout: float) -> list[Trace]:
    """Drive functions through an exercise's cases."""
    scripts = [(exercise.calls(case), case.seed) for case in cases]
    return drive(functions, scripts, timeout=timeout, watch=tuple(exercise.forbidden))


def assess(
    exercise: Exercise, functions: Mapping[str, Function], *, seed: int = 0, timeout: float | None = None
) -> Result:
    """Run, compare and explain."""
    cases = exercise.cases(seed)
    limit = exercise.timeout if timeout is None else timeout
    mine = run(exercise, functions, cases, limit)
    if all(t.crash and t.crash.type == "NotImplementedError" for t in mine):
        return not_attempted(exercise)
    right = [Trace({}, {})] * len(cases)
    if exercise.needs_reference:
        right = run(exercise, dict(zip(exercise.functions, exercise.reference)), cases, 60.0 + exercise.timeout)

    def run_mistake(mistake: Mistake, among: Sequence[int]) -> list[Trace]:
        return run(exercise, exercise.answer(mistake.answer), [cases[i] for i in among], 60.0 + exercise.timeout)

    return judge(exercise, cases, mine, right, run_mistake)


def judge(
    exercise: Exercise,
    cases: Sequence[Case],
    mine: Sequence[Trace],
    right: Sequence[Trace],
    run_mistake: RunMistake,
) -> Result:
    """Turn traces into a result: the learner's, the reference's, on demand those of known mistakes."""
    observed = [_observe(exercise, c, t) for c, t in zip(cases, mine)]
    expected = [_observe(exercise, c, t) for c, t in zip(cases, right)]
    failures = [first_failure(exercise, c, t, r, o, e) for c, t, r, o, e in zip(cases, mine, right, observed, expected)]
    wrong = [i for i, failure in enumerate(failures) if failure]
    if not wrong:
        done = f"{len(cases)} of {len(cases)} cases are as they should be."
        scores = exercise.scores(observed) if exercise.scores else ""
        return Result(exercise.id, "right", done, scores=scores)
    smallest = min(wrong, key=lambda i: cases[i].size)
    known = recognise(exercise, cases, mine, right, observed, failures, run_mistake)
    if known:
        mistake, i = known
        return _wrong(exercise, mistake.message, cases[i], mine[i], failures[i], mistake=mistake.name)
    worst = min(wrong, key=lambda i: (_order(failures, i), cases[i].size, i))
    failure = failures[worst]
    assert failure is not None
    if failure.kind == "value" and cases[smallest].says and worst == smallest:
        return _wrong(exercise, cases[smallest].says, cases[smallest], mine[smallest], failure)
    return _wrong(exercise, failure.message, cases[worst], mine[worst], failure)


def not_attempted(exercise: Exercise, empty: Sequence[str] = ()) -> Result:
    """Return the result for a function that is still empty."""
    names = " and ".join(f"`{n}`" for n in empty or exercise.functions)
    return Result(exercise.id, "not attempted", f"write {names}, run its cell, then run this one again.")


# -- known mistakes -----------------------------------------------------------------------------------


def recognise(
    exercise: Exercise,
    cases: Sequence[Case],
    mine: Sequence[Trace],
    right: Sequence[Trace],
    observed: Sequence[Observed],
    failures: Sequence[Failure | None],
    run_mistake: RunMistake,
) -> tuple[Mistake, int] | None:
    """Return the known mistake that behaves like the learner's answer, and the smallest case that shows it.

    First a mistake that agrees in everything; failing that, one that agrees in the values of the results.
    """
    same_values = None
    for mistake in exercise.mistakes:
        if mistake.matches is not None:
            if not any(t.crash for t in mine) and mistake.matches(cases, observed):
                return mistake, _smallest(cases, failures, range(len(cases)))
            continue
        # With several functions a mistake in one of them is judged on that one's cases only.
        about = [i for i, c in enumerate(cases) if c.function in ("", mistake.answer.__name__)]
        about = about if len(exercise.functions) > 1 else list(range(len(cases)))
        if not any(failures[i] for i in about):
            continue
        first = _smallest(cases, failures, about)
        (theirs,) = run_mistake(mistake, [first])
        if not (same(exercise, mine[first], theirs) or same_results(exercise, mine[first], theirs)):
            continue  # most mistakes end here: one small case tells them apart
        traces = run_mistake(mistake, about)
        if all(same(exercise, mine[i], t) for i, t in zip(about, traces)):
            return mistake, first
        in_values = any(not same_results(exercise, right[i], t) for i, t in zip(about, traces))
        if in_values and all(same_results(exercise, mine[i], t) for i, t in zip(about, traces)):
            same_values = same_values or (mistake, first)
    return same_values


def _smallest(cases: Sequence[Case], failures: Sequence[Failure | None], among: Sequence[int]) -> int:
    return min((i for i in among if failures[i]), key=lambda i: (cases[i].size, i), default=0)


def same(exercise: Exercise, one: Trace, other: Trace) -> bool:
    """Return whether two traces agree in results, what happened to arguments, gradients, kinds and errors."""
    if (one.crash or other.crash) and not _same_crash(one.crash, other.crash):
        return False
    facts = [{k: v for k, v in t.facts.items() if k != "used"} for t in (one, other)]
    return facts[0] == facts[1] and _all_close(one.tensors, other.tensors, exercise.tolerance)


def same_results(exercise: Exercise, one: Trace, other: Trace) -> bool:
    """Return whether two traces agree in the values of the results, whatever else differs."""
    if one.crash or other.crash:
        return _same_crash(one.crash, other.crash)
    names = {out.name for out in exercise.returns}
    a, b = ({k: v for k, v in t.tensors.items() if k in names} for t in (one, other))
    return bool(a) and _all_close(a, b, exercise.tolerance)


def _same_crash(one: Crash | None, other: Crash | None) -> bool:
    return one is not None and other is not None and (one.kind, one.type) == (other.kind, other.type)


# -- one case -----------------------------------------------------------------------------------------


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
    elif not _all_close(observed, expected, exercise.tolerance):
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


# -- helpers ------------------------------------------------------------------------------------------


def _observe(exercise: Exercise, case: Case, trace: Trace) -> Observed:
    if exercise.observe is not None:
        return {} if trace.crash or "structure" in trace.facts else exercise.observe(case, trace)
    names = {out.name for out in exercise.returns}
    return {k: v for k, v in trace.tensors.items() if k in names}


def _all_close(one: Observed, other: Observed, tolerance: float) -> bool:
    return set(one) == set(other) and all(_close(one[k], other[k], tolerance) for k in one)


def _close(one: Tensor, other: Tensor, tolerance: float) -> bool:
    if one.shape != other.shape:
        return False
    a, b = one.to(torch.float64), other.to(torch.float64)
    return bool(torch.isclose(a, b, rtol=tolerance, atol=tolerance / 10, equal_nan=True).all())


def _order(failures: Sequence[Failure | None], i: int) -> int:
    """Return how early a failure is told. Cases go from plain to odd: a crash on an odd one waits."""
    failure = failures[i]
    if failure is None:
        return 99
    earlier = any(f is not None and f.kind not in ("crash", "not reached") for f in failures[:i])
    return 12 if failure.kind == "crash" and earlier else failure.order


def _wrong(
    exercise: Exercise, message: str, case: Case, trace: Trace, failure: Failure | None, mistake: str = ""
) -> Result:
    lines = []
    if case.show and case.args:
        lines.append(("input", ", ".join(f"{n} = {show(v)}" for n, v in case.args.items())))
    if failure and failure.shows_answer and case.show:
        came = [(out.name, trace.tensors.get(out.name)) for out in exercise.returns]
        text = ", ".join((f"{n} = " if len(came) > 1 else "") + show(v) for n, v in came if v is not None)
        lines.append(("yours", text))
    lines.append(("next", f'hint("{exercise.id}")'))
    kind = "mistake" if mistake else failure.kind if failure else ""
    return Result(exercise.id, "wrong", message, tuple(lines), kind, mistake, case.name)
