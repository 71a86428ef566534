"""The pages' texts as a script of their own, so that search shows excerpts where a page may not fetch others (``file://``)."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

FILE = "searchtexts.js"


def write(app: Sphinx, out: Path) -> str:
    """Write the texts of all pages beside Sphinx' index and return the script's address."""
    texts = {page: sections(app.env.get_doctree(page)) for page in sorted(app.env.found_docs)}
    script = f"window.searchTexts = {json.dumps(texts, ensure_ascii=False, separators=(',', ':'))};\n"
    (out / FILE).write_text(script, encoding="utf-8")
    return f"{FILE}?v={hashlib.sha256(script.encode()).hexdigest()[:8]}"


def sections(doctree: nodes.document) -> list[tuple[str, str, str]]:
    """Return anchor, heading and text of each section of a page; the first one has no anchor, it is the page."""
    found = []
    for n, section in enumerate(doctree.findall(nodes.section)):
        own = [child for child in section.children if not isinstance(child, (nodes.section, nodes.title))]
        found.append((section["ids"][0] if n else "", section[0].astext(), " ".join(map(plain, own)).strip()))
    return [(anchor, heading, re.sub(r"\s+", " ", text)) for anchor, heading, text in found]


def plain(node: nodes.Node) -> str:
    """Return what a reader sees of a part of a page, without outputs of cells and raw HTML."""
    if isinstance(node, (nodes.raw, nodes.comment, nodes.target)) or "cell_output" in getattr(
        node, "attributes", {}
    ).get("classes", []):
        return ""
    if isinstance(node, (nodes.Text, nodes.math, nodes.math_block)):
        return node.astext()
    joint = "" if isinstance(node, nodes.TextElement) else " "
    return joint.join(map(plain, node.children))


def loaded(text: str, script: str) -> str:
    """Return the search page with the texts and the script that shows excerpts, after Sphinx' own."""
    here = r"(<script[^>]*searchindex\.js[^>]*></script>)(?!\s*<script[^>]*searchtexts)"
    return re.sub(here, rf'\1\n  <script src="{script}"></script>\n  <script src="_static/search.js"></script>', text)
