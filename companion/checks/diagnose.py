"""Compare traces and say what is wrong in the words that help most. Reads traces only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from companion.checks.bank import Exercise, Function, Mistake, Observed
from companion.checks.drive import drive
from companion.checks.failures import Failure, all_close, first_failure
from companion.checks.result import Result, show
from companion.checks.trace import Case, Crash, Trace

RunMistake = Callable[[Mistake, Sequence[int]], list[Trace]]
"""Runs a known mistake on the cases with these numbers."""


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
        return _wrong(exercise, mistake.seen, cases[i], mine[i], failures[i], known=mistake)
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
    return facts[0] == facts[1] and all_close(one.tensors, other.tensors, exercise.tolerance)


def same_results(exercise: Exercise, one: Trace, other: Trace) -> bool:
    """Return whether two traces agree in the values of the results, whatever else differs."""
    if one.crash or other.crash:
        return _same_crash(one.crash, other.crash)
    names = {out.name for out in exercise.returns}
    a, b = ({k: v for k, v in t.tensors.items() if k in names} for t in (one, other))
    return bool(a) and all_close(a, b, exercise.tolerance)


def _same_crash(one: Crash | None, other: Crash | None) -> bool:
    return one is not None and other is not None and (one.kind, one.type) == (other.kind, other.type)


# -- helpers ------------------------------------------------------------------------------------------


def _observe(exercise: Exercise, case: Case, trace: Trace) -> Observed:
    if exercise.observe is not None:
        return {} if trace.crash or "structure" in trace.facts else exercise.observe(case, trace)
    names = {out.name for out in exercise.returns}
    return {k: v for k, v in trace.tensors.items() if k in names}


def _order(failures: Sequence[Failure | None], i: int) -> int:
    """Return how early a failure is told. Cases go from plain to odd: a crash on an odd one waits."""
    failure = failures[i]
    if failure is None:
        return 99
    earlier = any(f is not None and f.kind not in ("crash", "not reached") for f in failures[:i])
    return 12 if failure.kind == "crash" and earlier else failure.order


def _wrong(
    exercise: Exercise, message: str, case: Case, trace: Trace, failure: Failure | None, known: Mistake | None = None
) -> Result:
    lines = []
    if case.show and case.args:
        lines.append(("input", ", ".join(f"{n} = {show(v)}" for n, v in case.args.items())))
    if failure and failure.shows_answer and case.show:
        came = [(out.name, trace.tensors.get(out.name)) for out in exercise.returns]
        text = ", ".join((f"{n} = " if len(came) > 1 else "") + show(v) for n, v in came if v is not None)
        lines.append(("yours", text))
    lines.append(("hint", f'hint("{exercise.id}")'))
    why, next = (known.why, known.next) if known else ("", "")
    kind = "mistake" if known else failure.kind if failure else ""
    name = known.name if known else ""
    return Result(exercise.id, "wrong", message, why, next, tuple(lines), kind, name, case.name)
