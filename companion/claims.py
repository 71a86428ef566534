"""Guards for the numbers that a chapter quotes.

A sentence says "about 0.97"; the cell above it computes the number and guards it. What is printed, stored and
compared at every run is the *expected* value with its tolerance, never the raw result: training gives slightly
different numbers on another processor, and a claim must hold on all of them. In a notebook, and so on the page, the
number that *this* run gave stands beside it.
"""

from __future__ import annotations

import html
import math
import sys
from decimal import Decimal
from typing import Any

import torch

from .errors import bad_type, bad_value

Number = int | float | str


class ClaimError(AssertionError):
    """A quoted number is not what the code gives."""


def claim(
    value: Any,
    expected: Number | bool | None = None,
    *,
    what: str,
    abs: float | None = None,
    spread: float | None = None,
    runs: int = 1,
    at_least: Number | None = None,
    at_most: Number | None = None,
) -> None:
    """Check a number that the text quotes, and print what was expected.

    Args:
        value: what the cell computed (a number or a tensor with one element).
        expected: what the text says. Write it as text (``"0.90"``) to keep a final zero.
        what: the quantity in words; it is printed and named when the claim fails.
        abs: the tolerance; at most one unit of the last digit of ``expected``.
        spread: the recorded standard deviation of a single run over seeds; the tolerance is three times that of
            the value, which is a mean over ``runs``: 3 spread / √runs.
        runs: how many runs the value is the mean of.
        at_least: a lower bound, in place of ``expected``.
        at_most: an upper bound, in place of ``expected`` or beside ``at_least``.

    Raises:
        ClaimError: with *expected, got, what* when the claim does not hold.
        ValueError: when the tolerance is so wide that nothing is claimed.

    >>> claim(88.7228, 88.72, abs=0.01, what="largest exponent")
    ✓ largest exponent: 88.72 ± 0.01
    """
    number = _number(value)
    if expected is None:
        _bounds(number, at_least, at_most, what)
        return
    if at_least is not None or at_most is not None:
        raise bad_value("claim", "expected", "either a value or bounds", "both", "state one of them")
    if isinstance(expected, bool | int) and abs is None and spread is None:
        _hold(number == expected, f"{expected}", number, what)
        return
    tolerance = _tolerance(expected, abs, spread, runs)
    # Half a unit of the last float digit is granted to the comparison itself: 0.3 - 0.2 is not 0.1.
    inside = -tolerance * 1.000001 <= number - float(expected) <= tolerance * 1.000001
    _hold(inside or number == float(expected), f"{expected} ± {tolerance:.3g}", number, what)


def agree(*values: Any, tol: float = 1e-6, digits: int = 4) -> None:
    """Check that several implementations give the same numbers, and print them once.

    Args:
        values: two or more tensors, arrays or numbers of one shape.
        tol: the largest absolute difference allowed.
        digits: decimals that are printed.

    Raises:
        ClaimError: when shapes or values differ, with the largest difference.
        TypeError: when a value does not hold real numbers.
        ValueError: when there is one value, or no number to compare.

    >>> agree([1.0, 2.0], torch.tensor([1.0, 2.0]))
    2 implementations agree within 1e-06: [1.0000, 2.0000]
    """
    if len(values) < 2:
        raise bad_value("agree", "values", "two or more results to compare", len(values))
    tensors = [_doubles(value) for value in values]
    first = tensors[0]
    for place, other in enumerate(tensors[1:], start=2):
        if other.shape != first.shape:
            raise ClaimError(f"agree: result 1 has shape {tuple(first.shape)}, result {place} {tuple(other.shape)}")
        same = (first == other) | (first.isnan() & other.isnan())  # equal infinities differ by nan
        gap = torch.where(same, 0.0, (first - other).abs())
        if gap.numel() and not gap.max() <= tol:  # nan is a difference too
            raise ClaimError(f"agree: result {place} differs from result 1 by {gap.max():.3g}, allowed {tol:g}")
    if not first.numel():
        raise bad_value("agree", "values", "one number or more to compare", f"shape {tuple(first.shape)}")
    print(f"{len(values)} implementations agree within {tol:g}: {_show(first, digits)}")


def _doubles(value: Any) -> torch.Tensor:
    try:
        tensor = torch.as_tensor(value).detach().cpu()
    except (TypeError, ValueError, RuntimeError):
        tensor = None
    if tensor is None or tensor.is_complex():
        raise bad_type("agree", "values", "tensors, arrays or lists of real numbers", value) from None
    return tensor.double()


def _bounds(number: float, at_least: Number | None, at_most: Number | None, what: str) -> None:
    if at_least is None and at_most is None:
        raise bad_value("claim", "expected", "a value, at_least= or at_most=", None)
    low = at_least is None or number >= float(at_least)
    high = at_most is None or number <= float(at_most)
    words = [f"at least {at_least}"] * (at_least is not None) + [f"at most {at_most}"] * (at_most is not None)
    _hold(low and high, " and ".join(words), number, what)


def _hold(holds: bool, expected: str, number: float, what: str) -> None:
    if not holds:
        raise ClaimError(f"claim: {what} expected {expected}, got {number:.6g}; mend the text or the code")
    text = f"✓ {what}: {expected}"
    came = f"{number:.0f}" if math.isfinite(number) and number == round(number) < 1e9 else f"{number:.4g}"
    stated = "" if expected in (came, "True", "False") else f" (stated: {html.escape(expected)})"
    _tell(text, f"✓ {html.escape(what)}: <b>{came if stated else expected}</b>{stated}")


def _tell(text: str, rich: str) -> None:
    """Print the text; in a notebook it is what is stored and compared, and the rich one is what is shown."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        print(text)
        return
    from IPython.display import display

    display({"text/plain": text, "text/html": f'<pre class="claim">{rich}</pre>'}, raw=True)


def _tolerance(expected: Number, abs: float | None, spread: float | None, runs: int) -> float:
    if (abs is None) == (spread is None):
        raise bad_value("claim", "abs, spread", "exactly one of the two for a value with digits", (abs, spread))
    if spread is not None:
        return float(3 * spread / runs**0.5)
    assert abs is not None
    exponent = Decimal(str(expected)).as_tuple().exponent
    unit = 10.0 ** (exponent if isinstance(exponent, int) else 0)
    if not 0 <= abs <= unit * 1.000001:
        raise bad_value(
            "claim",
            "abs",
            f"at most one unit of the last digit of {expected}, {unit:g}",
            abs,
            "or the claim says less than the text",
        )
    return abs


def _number(value: Any) -> float:
    try:
        return float(value.detach() if isinstance(value, torch.Tensor) else value)
    except (TypeError, ValueError, RuntimeError):
        raise bad_type("claim", "value", "one number", value, "reduce it first, for example with .mean()") from None


def _show(tensor: torch.Tensor, digits: int) -> str:
    """Return the values in a form that does not depend on the library's print settings."""
    if tensor.ndim == 0:
        text = f"{tensor.item():.{digits}f}"
        return text.replace("-", "", 1) if float(text) == 0 else text
    rows = [_show(row, digits) for row in tensor[:6]]
    return "[" + ", ".join(rows) + (", ..." if len(tensor) > 6 else "") + "]"
