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


def bad_dtype(where: str, argument: str, expected: object, like: str, got: object, hint: str = "") -> TypeError:
    """Return (not raise) a ``TypeError`` in the same form, about the types of the numbers in two tensors.

    >>> bad_dtype("fit", "X", "torch.float32", "the model's parameters", "torch.float64", "X.float()")
    TypeError("fit: X expected float32 like the model's parameters, got float64; X.float()")
    """
    short = [str(dtype).removeprefix("torch.") for dtype in (expected, got)]
    return TypeError(_sentence(where, argument, f"{short[0]} like {like}", short[1], hint))


def _sentence(where: str, argument: str, expected: str, got: object, hint: str) -> str:
    return f"{where}: {argument} expected {expected}, got {got}" + (f"; {hint}" if hint else "")
