"""Answers that are no code: a number with its unit, one of several options, lines put in order.

Each reads what a learner hands in and turns it into a trace, as the driver does for a function; whoever judges sees
the trace alone. A wrong option, a missing factor, a line in the wrong place is a known mistake like any other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
import torch

from companion.checks.trace import Crash, Finding, Trace

_NUMBER = re.compile(r"^\s*([-+]?(?:\d[\d,_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*$")


class NotReadable(ValueError):
    """What came is no answer of this kind; the text says what one looks like."""


@dataclass(frozen=True)
class Number:
    """A number, with a unit where it has one.

    Args:
        right: the number, in ``unit``.
        unit: what it is measured in; empty for a plain number.
        units: further units that are understood, each with how many ``unit`` it is.
        tolerance: relative error that is still right.
    """

    right: float
    unit: str = ""
    units: Mapping[str, float] = field(default_factory=dict)
    tolerance: float = 0.01

    def read(self, value: object) -> Trace:
        """Return the number in this question's unit."""
        number, unit = self._parts(value)
        scales = {self.unit: 1.0, **self.units}
        if unit not in scales:
            raise NotReadable(self._about(unit, ", ".join(u for u in scales if u)))
        return Trace({"answer": torch.tensor(number * scales[unit], dtype=torch.float64)}, {"answer.unit": unit})

    def _about(self, unit: str, known: str) -> str:
        """Return what to do about a unit that is not understood, or is missing."""
        if not known:
            return f"this question has no units, and the number alone is wanted, without {_short(unit)}"
        return f"the unit {unit!r} is not one of {known}" if unit else f"give the unit too, one of {known}"

    def _parts(self, value: object) -> tuple[float, str]:
        if isinstance(value, (tuple, list)) and len(value) == 2:
            value = f"{_plain(value[0])} {value[1]}"
        value = _plain(value)
        if isinstance(value, Real) and not isinstance(value, bool):
            return float(value), ""
        found = _NUMBER.match(value) if isinstance(value, str) else None
        if found is None:
            example = f'"3.7 {self.unit}"' if self.unit else "3.7"
            raise NotReadable(f"a number is wanted, such as {example}, and {_short(value)} came")
        return float(re.sub("[,_]", "", found[1])), found[2]

    def same(self, one: Trace, other: Trace) -> bool:
        """Return whether two answers are the same number."""
        a, b = float(one.tensors["answer"]), float(other.tensors["answer"])
        if not (math.isfinite(a) and math.isfinite(b)):
            return a == b
        return abs(a - b) <= self.tolerance * max(abs(a), abs(b)) + 1e-12

    @property
    def solution(self) -> object:
        """What a learner would have written."""
        return f"{self.right:g} {self.unit}" if self.unit else self.right

    def fault(self, mine: Trace, right: Trace) -> Finding:
        """Say how a wrong number stands to the right one, without naming that."""
        mine_is, right_is = float(mine.tensors["answer"]), float(right.tensors["answer"])
        if math.isfinite(right_is) and not math.isfinite(mine_is):
            why = "The question has a finite answer. A division by 0, a logarithm of 0 or a loop that does not end leads away from it."
            return Finding(
                "It is infinite, or no number at all.",
                why,
                "Print each step of your calculation: where does it get lost?",
            )
        if mine_is * right_is < 0:
            why = "A difference is taken the other way round."
            return Finding("The sign is the wrong one.", why, "What is subtracted from what?")
        ratio = math.log10(mine_is / right_is) if mine_is and right_is else 0.5
        if abs(ratio) > 0.5 and abs(ratio - round(ratio)) < 0.005:
            why = "The digits are right: a unit or a prefix is taken for another."
            return Finding(
                "It is off by a power of ten.", why, "Write the unit behind each number of your calculation."
            )
        large = "large" if abs(mine_is) > abs(right_is) else "small"
        why = "A factor or a term is missing, or is there once too often."
        return Finding(f"It is too {large}.", why, "Do the smallest case on paper first, then this one.")

    def shown(self) -> str:
        """Return what stands beneath the question."""
        return (
            f'Answer with a number and its unit, such as `"3.7 {self.unit}"`.' if self.unit else "Answer with a number."
        )


@dataclass(frozen=True)
class Option:
    """One option of a choice.

    Args:
        text: what it says.
        seen: what follows from it, told to whoever takes it (for the right option: why it is right).
        why: what one believes who takes it.
        next: what to look at next.
    """

    text: str
    seen: str
    why: str = ""
    next: str = ""


@dataclass(frozen=True)
class Choice:
    """One of several options, named by a letter; each carries its own explanation.

    Args:
        options: letter to option.
        right: the letter of the right one.
    """

    options: Mapping[str, Option]
    right: str

    def read(self, value: object) -> Trace:
        """Return the place of the option that was named."""
        letters = list(self.options)
        letter = value.strip().strip(".)").lower() if type(value) is str else ""
        if letter not in letters:
            raise NotReadable(f"one of the letters {', '.join(letters)} is wanted, and {_short(value)} came")
        return Trace({"answer": torch.tensor(letters.index(letter))}, {"answer.letter": letter})

    def same(self, one: Trace, other: Trace) -> bool:
        """Return whether two answers are the same option."""
        return one.facts["answer.letter"] == other.facts["answer.letter"]

    @property
    def solution(self) -> object:
        """What a learner would have written."""
        return self.right

    def fault(self, mine: Trace, right: Trace) -> Finding:
        """Say that this is not it; each wrong option says more, as a known mistake."""
        return Finding("That is not the right answer.", "", "Read the question again.")

    def shown(self) -> str:
        """Return what stands beneath the question."""
        return "\n".join(f"- **{letter}** {option.text}" for letter, option in self.options.items())


@dataclass(frozen=True)
class Order:
    """Lines put in order, named by letters; every order that keeps the rules is right.

    Args:
        lines: letter to line, as they are shown.
        right: one right order, such as ``"cab"``.
        rules: pairs of letters, the first of which has to stand before the second.
        spare: letters of lines that belong nowhere.
    """

    lines: Mapping[str, str]
    right: str
    rules: Sequence[str]
    spare: str = ""

    def read(self, value: object) -> Trace:
        """Return the order as places in the list of lines, and which rules it breaks."""
        letters = list(self.lines)
        given = "".join(value) if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value) else value
        order = [c for c in given.lower() if c.isalpha()] if isinstance(given, str) else []
        if not order or any(c not in letters for c in order) or len(set(order)) != len(order):
            raise NotReadable(
                f"the letters {', '.join(letters)} in order are wanted, each at most once, and {_short(value)} came"
            )
        missing = [c for c in letters if c not in order and c not in self.spare]
        broken = [r for r in self.rules if r[0] in order and r[1] in order and order.index(r[0]) > order.index(r[1])]
        faults = (
            [f"spare {c}" for c in order if c in self.spare]
            + [f"missing {c}" for c in missing]
            + [f"rule {r}" for r in broken]
        )
        return Trace({"answer": torch.tensor([letters.index(c) for c in order])}, {"answer.faults": "; ".join(faults)})

    def same(self, one: Trace, other: Trace) -> bool:
        """Return whether two orders keep all rules, or show the same first fault."""
        first = [t.facts["answer.faults"].split("; ")[0] for t in (one, other)]
        return first[0] == first[1]

    @property
    def solution(self) -> object:
        """What a learner would have written."""
        return self.right

    def fault(self, mine: Trace, right: Trace) -> Finding:
        """Say which line is out of place, for the first rule that is broken."""
        fault, letters = mine.facts["answer.faults"].split("; ")[0].split()
        seen, why = {
            "spare": (
                f"Line {letters} is not needed.",
                "It does something that the task does not ask for, or undoes something.",
            ),
            "missing": (f"Line {letters} is missing.", "What it computes is needed by another line."),
            "rule": (
                f"Line {letters[-1]} stands before line {letters[0]}.",
                "It uses something that is not there yet, or changes what the other still needs.",
            ),
        }[fault]
        next = "Go through your order with pencil and paper: what does each name hold after each line?"
        return Finding(seen, why, next)

    def shown(self) -> str:
        """Return what stands beneath the question."""
        lines = "\n".join(f"{letter}:  {line}" for letter, line in self.lines.items())
        return f'```python\n{lines}\n```\n\nAnswer with the letters in order, such as `"{"".join(self.lines)}"`.'


Written = Number | Choice | Order


def trace_of(kind: Written, value: Any) -> Trace:
    """Read an answer into a trace; one that cannot be read is a crash whose text says what is wanted."""
    try:
        return kind.read(value)
    except NotReadable as error:
        return Trace({}, {}, Crash("unreadable", text=str(error)))


def _plain(value: object) -> object:
    """Return the number in a tensor or an array without axes; anything else as it is."""
    if isinstance(value, torch.Tensor | np.ndarray) and value.ndim == 0 and getattr(value, "is_meta", False) is False:
        return value.item()
    return value


def _short(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
