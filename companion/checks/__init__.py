"""Checks for the exercises: ``check("01.1", weighted_sum)`` says right, wrong (and why), or not attempted.

``hint`` helps on, ``solution`` shows one right answer, ``progress`` how far you are; ``forget`` begins anew.
In a notebook the answer appears wherever the call stands in its cell. What they remember stays in one file on your machine (:mod:`companion.checks.record`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from companion.checks.appear import wherever
from companion.checks.result import Hint, Result

if TYPE_CHECKING:
    from companion.checks.answers import Solution
    from companion.checks.overview import Progress

__all__ = ["Hint", "Result", "check", "forget", "hint", "history", "needs", "progress", "solution"]

history: list[Result] = []
"""Every result of this session, in order; ``neurons check`` reads it."""


@wherever
def check(exercise: object = None, *answer: object, variant: int = 0, timeout: float | None = None) -> Result:
    """Check your answer to an exercise.

    What your code prints meanwhile is not shown: it is called many times. To see prints, call it yourself.

    Args:
        exercise: its number, such as ``"01.1"``.
        answer: your function, without parentheses; several where the exercise asks for several.
        variant: which variant of the exercise; 0 is the one in the notebook.
        timeout: seconds after which your code is stopped.

    >>> check("01.2", lambda z, threshold: (z >= threshold).to(z.dtype)).status
    'right'
    """
    from companion.checks import (  # not at the top: a notebook that only imports this stays quick
        asked,
        diagnose,
        handed_in,
        record,
    )

    found = asked.find(exercise, variant, 'it needs the exercise and your function: check("01.1", weighted_sum).')
    if isinstance(found, str):
        return Result("", "not attempted", found)
    functions, sentence = handed_in.named(found, answer)
    if sentence:
        usage = f'check("{found.id}", {", ".join(found.functions)})'
        status = "wrong" if answer else "not attempted"
        result = Result(found.id, status, f"{sentence}: {usage}.", kind="usage")
    elif empty := handed_in.empty(functions):
        result = diagnose.not_attempted(found, empty)
    else:
        result = diagnose.assess(found, functions, timeout=timeout)
    history.append(result)
    record.current().add("check", found.id, found.variant, result.status, result.mistake or result.kind)
    return result


@wherever
def hint(exercise: object = None, number: object = None) -> Hint:
    """Return the next hint of an exercise, or hint ``number``.

    They go from a nudge to nearly there. The next one is the first that you have not seen, also after a restart.

    >>> hint("01.1", 1).number
    1
    """
    from companion.checks import asked, record

    found = asked.find(exercise, 0, 'which exercise? For example hint("01.1").')
    if isinstance(found, str):
        return Hint("", 0, 0, found)
    total = len(found.hints)
    seen = {entry.number for entry in record.current().entries(found.id) if entry.what == "hint"}
    unseen = [n for n in range(1, total + 1) if n not in seen]
    if number is not None and type(number) is not int:
        return Hint("", 0, 0, f'which of the {total} hints? For example hint("{found.id}", 1).')
    if not total or (number is None and not unseen):
        again = f'hint("{found.id}", 1) shows the first again' if total else "there is none"
        return Hint(found.id, total, total, f'no hint is left; {again}, solution("{found.id}") one right answer.')
    n = min(max(unseen[0] if number is None else number, 1), total)
    record.current().add("hint", found.id, n)
    return Hint(found.id, n, total, found.hints[n - 1])


@wherever
def solution(exercise: object = None, *, insist: bool = False, variant: int = 0) -> Solution:
    """Show one right answer, once you have checked an answer of your own.

    Args:
        exercise: its number, such as ``"01.1"``.
        insist: show it without an attempt.
        variant: which variant of the exercise; 0 is the one in the notebook.

    >>> solution("01.2", insist=True).source.startswith("def fires(")
    True
    """
    from companion.checks import answers, asked, overview, record

    found = asked.find(exercise, variant, 'which exercise? For example solution("01.1").')
    if isinstance(found, str):
        return answers.Solution("", text=found)
    if not insist and not overview.attempted(record.current().entries(found.id)):
        call = f'check("{found.id}", {", ".join(found.functions)})'
        text = f'try it first, {call}; solution("{found.id}", insist=True) shows it all the same.'
        return answers.Solution(found.id, found.title, text=text)
    record.current().add("solution", found.id, found.variant)
    return answers.Solution(found.id, found.title, found.source())


@wherever
def progress(chapter: object = None) -> Progress:
    """Return a table of how far you are, in all chapters or in one, and what to read again.

    An exercise that was right once stays right in it.

    >>> [row.id for row in progress("01").rows][:2]
    ['01.1', '01.2']
    """
    from companion.checks import asked, overview, record

    number, sentence = asked.chapter(chapter)
    if sentence:
        return overview.Progress(text=sentence)
    return overview.overview(record.current().entries(), number)


def forget(*, insist: bool = False) -> None:
    """Begin anew: no check, no hint and no solution is remembered. The old file is kept beside the new one.

    >>> forget()
    This clears your progress in every chapter. If you want that: forget(insist=True).
    """
    from companion.checks import record

    if not insist:
        print("This clears your progress in every chapter. If you want that: forget(insist=True).")
        return
    try:
        kept = record.current().forget()
    except OSError as error:
        print(f"The file cannot be moved ({error.strerror}); close other notebooks of the course, then try again.")
        return
    print(f"Your progress begins anew. What there was is kept as {kept}." if kept else "Your progress begins anew.")


def needs(version: str) -> None:
    """Say so if this notebook was made for a newer companion than the installed one; else say nothing.

    >>> needs("0.0.1")
    """
    from companion.checks import asked, versions

    asked.made_for = version
    if sentence := versions.older_than(version):
        print(sentence)
