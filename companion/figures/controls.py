"""What a reader can move in a figure, described once: the page builds it, the state is checked by it, tests move it over its range."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from companion.errors import bad_value


@dataclass(frozen=True)
class Slider:
    """A number between two ends in steps of ``step``; in the address of a shared state it is written as it is."""

    label: str
    low: float
    high: float
    step: float
    start: float

    def fault(self) -> str:
        """Return what is wrong with the description, or nothing."""
        if not all(map(math.isfinite, (self.low, self.high, self.step, self.start))):
            return "its numbers are not all finite"
        if not self.low < self.high or self.step <= 0:
            return f"its range {self.low:g} to {self.high:g} in steps of {self.step:g} is empty"
        if not self.low <= self.start <= self.high:
            return f"it starts at {self.start:g}, outside of its range {self.low:g} to {self.high:g}"
        steps = (self.start - self.low) / self.step
        return "" if abs(steps - round(steps)) < 1e-6 else f"it starts at {self.start:g}, between two of its steps"

    def stops(self, n: int = 5) -> list[Any]:
        """Return about ``n`` values over the whole range, both ends among them."""
        last = math.floor((self.high - self.low) / self.step + 1e-9)
        return [round(self.low + self.step * k, 9) for k in sorted({round(last * i / (n - 1)) for i in range(n)})]

    def data(self) -> dict[str, Any]:
        """Return the description as the module reads it."""
        return {"kind": "slider", "min": self.low, "max": self.high, "step": self.step, "value": self.start}


@dataclass(frozen=True)
class Steps:
    """The place in a sequence of steps 0 to ``last``, with play, back and next."""

    label: str
    last: int
    start: int = 0
    now: int = 0  # the last step that the default state has, where other states have more
    interval: int = 0  # milliseconds between two steps while it plays; 0 is the player's own

    def fault(self) -> str:
        """Return what is wrong with the description, or nothing."""
        if not 0 <= self.start <= self.last or not self.last:
            return f"it starts at {self.start} of {self.last} steps"
        return (
            "" if self.start <= (self.now or self.last) <= self.last else f"it has {self.now} of {self.last} steps now"
        )

    def stops(self, n: int = 5) -> list[Any]:
        """Return about ``n`` steps of the default state, the first and the last among them."""
        return sorted({round((self.now or self.last) * i / (n - 1)) for i in range(n)})

    def data(self) -> dict[str, Any]:
        """Return the description as the module reads it."""
        pace = {"interval": self.interval} if self.interval else {}
        return {"kind": "steps", "last": self.last, "value": self.start, **pace}


@dataclass(frozen=True)
class Choice:
    """One of several values, each with the words that are shown for it."""

    label: str
    options: Mapping[str, str]
    start: str

    def fault(self) -> str:
        """Return what is wrong with the description, or nothing."""
        known = ", ".join(self.options)
        return "" if self.start in self.options else f"it starts with {self.start!r}, which is none of {known}"

    def stops(self, n: int = 0) -> list[Any]:
        """Return every option."""
        return list(self.options)

    def data(self) -> dict[str, Any]:
        """Return the description as the module reads it."""
        return {"kind": "choice", "options": [[k, v] for k, v in self.options.items()], "value": self.start}


@dataclass(frozen=True)
class Text:
    """A line that the reader types, with what may be written (``hint``); the module says what is wrong with one."""

    label: str
    start: str
    hint: str
    examples: tuple[str, ...]
    longest: int = 60

    def fault(self) -> str:
        """Return what is wrong with the description, or nothing."""
        if not self.start or self.start not in self.examples:
            return f"it starts with {self.start!r}, which is none of its examples"
        long = max(self.examples, key=len)
        return "" if len(long) <= self.longest else f"{long!r} has more than {self.longest} characters"

    def stops(self, n: int = 0) -> list[Any]:
        """Return every example."""
        return list(self.examples)

    def data(self) -> dict[str, Any]:
        """Return the description as the module reads it."""
        return {"kind": "text", "value": self.start, "hint": self.hint, "longest": self.longest}


@dataclass(frozen=True)
class Toggle:
    """Yes or no."""

    label: str
    start: bool = False

    def fault(self) -> str:
        """Return what is wrong with the description, or nothing."""
        return ""

    def stops(self, n: int = 0) -> list[Any]:
        """Return both values."""
        return [False, True]

    def data(self) -> dict[str, Any]:
        """Return the description as the module reads it."""
        return {"kind": "toggle", "value": self.start}


Control = Slider | Steps | Choice | Text | Toggle


def described(figure: str, controls: Mapping[str, Control]) -> list[dict[str, Any]]:
    """Return the controls of a figure as its module reads them.

    Raises:
        ValueError: a control that starts outside of its range, two with one label, or a name that an address cannot carry.
    """
    where = f"Figure {figure}"
    for name, control in controls.items():
        if not name.isidentifier() or name == "figure":
            raise bad_value(where, "controls", "names of letters, digits and _, other than 'figure'", repr(name))
        if fault := control.fault():
            raise bad_value(where, f"control {name!r}", "a start that the reader can come back to", fault)
    labels = [control.label for control in controls.values()]
    if len(set(labels)) < len(labels):
        raise bad_value(where, "controls", "a label of its own for each control", ", ".join(labels))
    return [{"name": name, "label": control.label, **control.data()} for name, control in controls.items()]
