"""The pages' texts as a script of their own, so that search shows excerpts where a page may not fetch others (``file://``)."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import site_env
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.index_entries import split_index_msg

FILE = "searchtexts.js"
HEAD = "window.searchTexts = "


def write(app: Sphinx, out: Path) -> str:
    """Write the texts of all pages beside Sphinx' index and return the script's address."""
    found = {page: texts for page, (texts, _) in sorted(site_env.remembered(app.env, "search").items())}
    script = f"{HEAD}{json.dumps(found, ensure_ascii=False, separators=(',', ':'))};\n"
    (out / FILE).write_text(script, encoding="utf-8")
    return f"{FILE}?v={hashlib.sha256(script.encode()).hexdigest()[:8]}"


def remember(app: Sphinx, doctree: nodes.document) -> None:
    """Remember the texts and the index entries of a page that was read."""
    entries = [e for node in doctree.findall(addnodes.index) for e in node["entries"]]
    words = {(word, id, main) for kind, value, id, main, _ in entries for word in split_index_msg(kind, value)}
    site_env.remembered(app.env, "search")[app.env.docname] = sections(doctree), sorted(words)


def remember_index(app: Sphinx) -> tuple[()]:
    """Give Sphinx' search the index entries of pages that this build does not write again.

    Sphinx keeps their words from build to build and forgets their entries, so that a term's definition no longer came first.
    """
    held = app.builder.indexer._index_entries  # type: ignore[attr-defined]  # of the HTML builder
    for page, (_, words) in site_env.remembered(app.env, "search").items():
        held.setdefault(page, words)
    return ()


def sections(doctree: nodes.document) -> list[tuple[str, str, str]]:
    """Return anchor, heading and text of each section, function and glossary term of a page; the first one is the page itself."""
    found: list[tuple[str, str, str]] = []
    for node in doctree.findall(is_place):
        if isinstance(node, nodes.section):
            anchor, heading = (node["ids"][0] if found else ""), node[0].astext()
        elif isinstance(node, addnodes.desc):
            anchor, heading = next(iter(node[0]["ids"]), ""), node[0].get("fullname", node[0].astext())
        else:
            anchor, heading = next(iter(node[0]["ids"]), ""), node[0].astext()
        own = " ".join(plain(child) for child in node.children[1:] if not is_place(child))
        found.append((anchor, heading, re.sub(r"\s+", " ", own).strip()))
    return found


def is_place(node: nodes.Node) -> bool:
    """Say whether a part of a page is found for itself: a section, an entry of the API, a term of the glossary."""
    if isinstance(node, nodes.definition_list_item):
        return bool(node.children and node[0].get("ids"))
    return isinstance(node, nodes.section) or (isinstance(node, addnodes.desc) and bool(node[0].get("ids")))


def plain(node: nodes.Node) -> str:
    """Return what a reader sees of a part of a page, without outputs of cells, raw HTML and parts that are found for themselves."""
    kinds = getattr(node, "attributes", {}).get("classes", [])
    if isinstance(node, (nodes.raw, nodes.comment, nodes.target)) or "cell_output" in kinds or is_place(node):
        return ""
    if isinstance(node, (nodes.math, nodes.math_block)):
        return re.sub(r"\\[,;!]|[\\{}]", "", node.astext())
    if isinstance(node, nodes.Text):
        return node.astext()
    joint = "" if isinstance(node, nodes.TextElement) else " "
    return joint.join(map(plain, node.children))


def loaded(text: str, script: str) -> str:
    """Return the search page with the texts and the script that shows excerpts, after Sphinx' own."""
    here = r"(<script[^>]*searchindex\.js[^>]*></script>)(?!\s*<script[^>]*searchtexts)"
    return re.sub(here, rf'\1\n  <script src="{script}"></script>\n  <script src="_static/search.js"></script>', text)
