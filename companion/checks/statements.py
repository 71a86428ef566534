"""Statements that are put together from parts, where an exercise has variants."""

from __future__ import annotations

import re
import textwrap

WIDTH = 116


def paragraphs(*parts: str) -> str:
    """Return paragraphs in lines, none of which ends within a formula or a piece of code.

    >>> print(paragraphs("One.", "Two with $a b$."))
    One.
    <BLANKLINE>
    Two with $a b$.
    """
    return "\n\n".join(map(_wrapped, parts))


def _wrapped(text: str) -> str:
    whole = re.sub(r"`[^`]*`|\$[^$]+\$", lambda m: m[0].replace(" ", "\0"), text)
    return textwrap.fill(whole, WIDTH, break_long_words=False, break_on_hyphens=False).replace("\0", " ")
