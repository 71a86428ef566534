"""What a check answers: plain text for every front end, simple HTML where there is one."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from torch import Tensor

from companion.checks.appear import seen


@dataclass(frozen=True, repr=False)
class Result:
    """The answer of :func:`companion.checks.check`.

    Attributes:
        id: the exercise.
        status: ``"right"``, ``"wrong"`` or ``"not attempted"``.
        message: what was seen, in a sentence or two.
        why: why that happens.
        next: what to try next.
        shown: lines beneath it, as (label, text): the input that shows it, what came back.
        kind: ``"mistake"``, ``"crash"``, ``"timeout"``, ``"type"``, ``"shape"``, ``"value"``, ...
        mistake: name of the known mistake, if one was recognised.
        case: name of the case that is shown.
        scores: measured numbers, shown in HTML only (they may differ in the last digit between machines).
    """

    id: str
    status: str
    message: str
    why: str = ""
    next: str = ""
    shown: tuple[tuple[str, str], ...] = ()
    kind: str = ""
    mistake: str = ""
    case: str = ""
    scores: str = ""

    def __repr__(self) -> str:
        seen(self)
        head = f"{self.id} {self.status}: {self.message}" if self.id else f"check: {self.message}"
        return "\n".join([head, *(f"  {label}: {text}" for label, text in (*self.explained, *self.shown))])

    @property
    def explained(self) -> tuple[tuple[str, str], ...]:
        """The parts of the explanation that there are, with their labels."""
        return tuple((label, text) for label, text in (("why", self.why), ("next", self.next)) if text)

    def _repr_html_(self) -> str:
        seen(self)
        sign = {"right": "✓", "wrong": "✗", "not attempted": "○"}[self.status]
        rows = [*self.shown, *([("measured", self.scores)] if self.scores else [])]
        details = "".join(
            f"<div><span>{html.escape(label)}:</span> <code "
            f'style="white-space:pre-wrap">{html.escape(text)}</code></div>'
            for label, text in rows
        )
        message = prose(self.message) + "".join(
            f"<div><em>{label}:</em> {prose(text)}</div>" for label, text in self.explained
        )
        head = html.escape(f"{self.id} {self.status}" if self.id else "check")
        style = "border-left:4px solid currentColor;padding:0.25em 0.75em;margin:0.25em 0"
        return (
            f'<div class="ncheck ncheck-{self.status.replace(" ", "-")}" role="status" '
            f'style="{style}"><strong><span aria-hidden="true">{sign}</span> {head}</strong>: '
            f"{message}{details}</div>"
        )


@dataclass(frozen=True, repr=False)
class Hint:
    """One hint, and how many there are."""

    id: str
    number: int
    total: int
    text: str

    def __repr__(self) -> str:
        seen(self)
        return f"{self._where}: {self.text}"

    @property
    def _where(self) -> str:
        return f"{self.id} hint {self.number} of {self.total}" if self.id else "hint"

    def _repr_html_(self) -> str:
        seen(self)
        return f'<div class="nhint"><strong>{html.escape(self._where)}</strong>: {prose(self.text)}</div>'


def prose(text: str) -> str:
    """Return a text as HTML, with code between backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def show(value: object, limit: int = 16) -> str:
    """Write a value in few characters and the same on every machine.

    >>> import torch
    >>> show(torch.tensor([[0.0, 1.0], [5.0, -0.25]]))
    '[[0, 1], [5, -0.25]]'
    >>> show([torch.tensor([1.0, 2.0]), torch.zeros(3, 9)])
    '[[1, 2], a tensor of shape (3, 9)]'
    """
    if isinstance(value, Tensor):
        if value.numel() > limit:
            return f"a tensor of shape {tuple(value.shape)}"
        return _nested(value.tolist()) if value.numel() else f"an empty tensor of shape {tuple(value.shape)}"
    return _nested(value)


def _nested(value: object) -> str:
    if isinstance(value, Tensor):
        return show(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_nested(v) for v in value) + "]"
    return f"{value:.4g}" if isinstance(value, float) else repr(value)
