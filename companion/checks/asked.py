"""Which exercise or chapter was asked for; one sentence where there is none of that number."""

from __future__ import annotations

from companion.checks import bank, versions

made_for: object = None
"""The version that this notebook was made for, once it has said so."""


def find(exercise: object, variant: object, usage: str) -> bank.Exercise | str:
    """Return an exercise, or a sentence on what to pass instead.

    Args:
        exercise: its number as a text.
        variant: the number of the variant.
        usage: the sentence for something that is no number at all.

    >>> find(2.3, 0, "")
    'the number of an exercise is a text, in quotes: "02.3".'
    """
    if isinstance(exercise, int | float):
        near = bank.nearest(f"{exercise:04.1f}" if 0 < exercise < 100 else "01.1")
        return f'the number of an exercise is a text, in quotes: "{near}".'
    if type(exercise) is not str:
        return _by_function(exercise) or usage
    if type(variant) is not int:
        return f"variant expected a whole number, 0 for the one in the notebook, got {type(variant).__name__}."
    try:
        return bank.get(exercise, variant)
    except KeyError as error:
        more = "" if exercise in bank.ids() else f" {versions.may_be_newer(made_for)}"
        return f"{error.args[0]}.{more}"


def chapter(number: object) -> tuple[str | None, str]:
    """Return a chapter's number, or ``None`` for all; and a sentence where there is no such chapter.

    >>> chapter("1")
    ('01', '')
    """
    there = list(bank.chapters())
    if number is None:
        return None, ""
    if type(number) is str and (two := number.strip().rjust(2, "0")) in there:
        return two, ""
    if isinstance(number, int) and 0 <= number < 100 and f"{number:02}" in there:
        return None, f'the number of a chapter is a text, in quotes: "{number:02}".'
    return None, f"there is no chapter {_shown(number)}; there are {', '.join(there)}."


def _by_function(thing: object) -> str:
    """Return how to check this function, if its name is that of an exercise's."""
    name = getattr(thing, "__name__", None)
    for number in bank.ids() if type(name) is str else ():
        if name in (functions := bank.get(number).functions):
            return f'it needs the exercise too: check("{number}", {", ".join(functions)}).'
    return ""


def _shown(number: object) -> str:
    return repr(number[:20]) if isinstance(number, str) else f"of type {type(number).__name__}"
