"""What ``solution`` answers: the source of one right answer, or a sentence on what to do first."""

from __future__ import annotations

import html
from dataclasses import dataclass

from companion.checks.appear import seen


@dataclass(frozen=True, repr=False)
class Solution:
    """The answer of :func:`companion.checks.solution`.

    Attributes:
        id: the exercise; empty if there is none of that number.
        title: its title.
        source: one right answer, as a learner would have written it; empty if it is not shown yet.
        text: what to do first, if it is not.

    >>> Solution("01.1", "Weighted sum", "def weighted_sum(x): ...")
    01.1 Weighted sum, one of several ways:
    def weighted_sum(x): ...
    """

    id: str
    title: str = ""
    source: str = ""
    text: str = ""

    @property
    def head(self) -> str:
        """The line above it."""
        return f"{self.id} {self.title}, one of several ways:" if self.source else f"{self.id} solution".strip()

    def __repr__(self) -> str:
        seen(self)
        return f"{self.head}\n{self.source}" if self.source else f"{self.head}: {self.text}"

    def _repr_html_(self) -> str:
        seen(self)
        if not self.source:
            return f'<div role="status"><strong>{html.escape(self.head)}</strong>: {html.escape(self.text)}</div>'
        code = f'<pre tabindex="0"><code class="language-python">{html.escape(self.source)}</code></pre>'
        return f"<figure><figcaption>{html.escape(self.head)}</figcaption>{code}</figure>"
