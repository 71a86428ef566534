"""One stylesheet for the site with only what its pages use: the theme brings 520 kB of rules and 270 kB of icons.

A rule goes when its selector names a class or an id that stands in no page and in no script. What scripts may build from parts is
kept: a text that ends in a hyphen keeps every name that it begins.
"""

from __future__ import annotations

import base64
import io
import itertools
import os
import re
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any

import tinycss2

#: A stylesheet that imports another one of the site.
IMPORT = r"@import\s*(?:url\()?\s*[\"']?([\w./-]+\.css)[\"']?\s*\)?\s*;"
#: Rules of these hold rules.
NESTED = {"media", "supports", "layer", "container"}


def joined(static: Path, sheets: Iterable[Path]) -> str:
    """Return the text of all stylesheets as one that lies in ``static``."""
    css = ""
    for path in sheets:
        # An import counts only at the head of a sheet, and from its own folder: put the file in its place.
        own = re.sub(IMPORT, partial(_imported, static, path.parent), _readdressed(static, path))
        css += re.sub(r"/\*# sourceMappingURL.*?\*/", "", own) + "\n"
    return css


def _imported(static: Path, folder: Path, found: re.Match[str]) -> str:
    for path in ((folder / found[1]).resolve(), (static / found[1]).resolve()):
        if path.exists():
            return _readdressed(static, path) + "\n"
    return ""


def _readdressed(static: Path, path: Path) -> str:
    """Return a stylesheet whose relative addresses are as seen from ``static``."""
    relative = r'url\(\s*(["\']?)(?!["\']|data:|https?:|#|/)'
    return re.sub(relative, rf"url(\g<1>{os.path.relpath(path.parent, static)}/", path.read_text(encoding="utf-8"))


def names(pages: Iterable[str], scripts: Iterable[str]) -> set[str]:
    """Return every class and id of the pages, and every word of the scripts, inline ones too."""
    found: set[str] = set()
    words = list(scripts)
    for page in pages:
        for value in re.findall(r'\s(?:class|id)="([^"]*)"', page):
            found.update(value.split())
        words += re.findall(r"<script(?![^>]*application/(?:ld\+)?json)[^>]*>(.+?)</script>", page, flags=re.S)
    for script in set(words):
        found.update(w.rstrip("-") for w in re.findall(r"[A-Za-z_][\w-]*", script))
        found.update(re.findall(r"[A-Za-z_][\w-]*-(?=[\"'`]|\$\{)", script))
    return found


def needed(css: str, used: set[str]) -> str:
    """Return the stylesheet without the rules whose selectors name what no page has, and without comments.

    >>> needed(".a,.b{top:0} .c:hover{top:1px} p:not(.c){top:2px} @media print{.c{top:3px}}", {"a"})
    '@charset "utf-8";.a{top:0}p:not(.c){top:2px}'
    """
    starts = tuple(word for word in used if word.endswith("-"))

    def known(name: str) -> bool:
        return name in used or name.startswith(starts)

    def kept(rules: list[Any]) -> str:
        out = []
        for rule in rules:
            if rule.type == "qualified-rule":
                lists = _split(rule.prelude)
                alive = [tinycss2.serialize(s).strip() for s in lists if all(known(n) for n in _names(s))]
                if alive:
                    out.append(",".join(alive) + "{" + tinycss2.serialize(rule.content).strip() + "}")
            elif rule.type == "at-rule" and rule.lower_at_keyword in NESTED and rule.content is not None:
                inner = kept(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True))
                if inner:
                    out.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude).rstrip()}{{{inner}}}")
            elif rule.type == "at-rule":
                out.append(rule.serialize())
        return "".join(out)

    # Written out, an escape such as \\f007 is the character itself.
    return '@charset "utf-8";' + kept(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True))


def _split(prelude: list[Any]) -> list[list[Any]]:
    """Return the selectors of a rule's head."""
    lists: list[list[Any]] = [[]]
    for token in prelude:
        if token == ",":
            lists.append([])
        elif token.type != "comment":
            lists[-1].append(token)
    return lists


def _names(selector: list[Any]) -> list[str]:
    """Return the classes and ids that an element must have for the selector to match, but not those inside :not(), :is()."""
    found = [t.value for t in selector if t.type == "hash"]
    return found + [b.value for a, b in itertools.pairwise(selector) if a == "." and b.type == "ident"]


def with_icons(css: str, static: Path) -> str:
    """Return the stylesheet with the icon fonts inside, cut down to the icons that its rules show; a font of none goes."""
    codes = tuple(sorted({ord(char) for char in css if "\ue000" <= char <= "\uf8ff"}))

    def face(found: re.Match[str]) -> str:
        source = re.search(r'url\("?([^")]+fa-[^")]+\.woff2)"?\)', found[0])
        if not source:
            return found[0]
        font = _subset((static / source[1]).resolve(), codes)
        inside = f'src:url("data:font/woff2;base64,{font}") format("woff2")'
        return re.sub(r"src:[^;}]+", lambda _: inside, found[0]) if font else ""

    return re.sub(r"@font-face\s*\{[^}]*\}", face, css).replace("font-display:block", "font-display:swap")


@cache
def _subset(font: Path, codes: tuple[int, ...]) -> str:
    """Return a font with the glyphs of ``codes`` only, in base64; empty when it has none of them."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    with TTFont(font, lazy=True, recalcTimestamp=False) as whole:
        if not set(codes) & set(whole.getBestCmap()):
            return ""
        options = subset.Options(flavor="woff2", layout_features=[], notdef_outline=False, with_zopfli=False)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=codes)
        cutter.subset(whole)
        whole.flavor = "woff2"
        out = io.BytesIO()
        whole.save(out)
    return base64.b64encode(out.getvalue()).decode("ascii")
