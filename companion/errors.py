"""The one form in which the companion refuses wrong input."""

from __future__ import annotations


def bad_value(where: str, argument: str, expected: str, got: object, hint: str = "") -> ValueError:
    """Return (not raise) a ``ValueError`` in the form *where: argument expected ..., got ...; hint*.

    >>> bad_value("softmax", "dim", "an axis from -2 to 1", 3, "the last axis (-1) usually holds the classes")
    ValueError('softmax: dim expected an axis from -2 to 1, got 3; the last axis (-1) usually holds the classes')
    """
    return ValueError(_sentence(where, argument, expected, got, hint))


def bad_type(where: str, argument: str, expected: str, got: object, hint: str = "") -> TypeError:
    """Return (not raise) a ``TypeError`` in the same form, naming the type of what came."""
    return TypeError(_sentence(where, argument, expected, type(got).__name__, hint))


def _sentence(where: str, argument: str, expected: str, got: object, hint: str) -> str:
    return f"{where}: {argument} expected {expected}, got {got}" + (f"; {hint}" if hint else "")
