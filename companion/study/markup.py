"""The little markup that texts of the aids may hold, as safe HTML."""

from __future__ import annotations

import html
import re


def inline(text: str) -> str:
    """Return text with `code`, *emphasis*, **strong** and [links](https://...) as HTML; everything else is escaped."""
    text = html.escape(" ".join(text.split()), quote=False)
    codes: list[str] = []

    def keep(match: re.Match[str]) -> str:
        codes.append(f"<code>{match[1]}</code>")
        return f"\0{len(codes) - 1}\0"

    text = re.sub(r"`([^`]+)`", keep, text)
    text = re.sub(r"\*\*(\S[^*]*)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"(?<![\w*])\*(\S[^*]*)\*(?!\w)", r"<em>\1</em>", text)
    text = re.sub(
        r"\[([^\]]+)\]\((https?://[^)\s\"]+|[\w./-]+\.(?:html|ipynb)(?:#[\w-]+)?)\)", r'<a href="\2">\1</a>', text
    )
    return re.sub(r"\0(\d+)\0", lambda m: codes[int(m[1])], text)


def block(text: str) -> str:
    """Return paragraphs (separated by blank lines) and lists (lines that begin with "- ") as HTML."""
    parts = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = paragraph.strip().splitlines()
        if all(line.lstrip().startswith("- ") for line in lines):
            parts.append("<ul>" + "".join(f"<li>{inline(line.lstrip()[2:])}</li>" for line in lines) + "</ul>")
        else:
            parts.append(f"<p>{inline(paragraph)}</p>")
    return "".join(parts)
