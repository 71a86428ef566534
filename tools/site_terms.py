"""Glossary terms in the prose: the first use on a page opens the definition, and chapters know which build on which.

Where a chapter uses a term of a chapter's aids file, outside headings, code, links, formulas, tables and the section that
explains it, the word becomes a link to the glossary; ``site/terms.js`` turns it into a button that opens the definition in place.
"""

from __future__ import annotations

import html
import re
from functools import cache
from typing import Any, NamedTuple

import site_env
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

#: What is no prose, or has links and names of its own.
NOT_PROSE = (
    nodes.title,
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.reference,
    addnodes.pending_xref,
    nodes.raw,
    nodes.table,
    nodes.figure,
    nodes.caption,
)
#: Sections after the lesson, where nothing is marked.
AFTER = {"further-reading", "exercises", "dialogue", "summary", "memory-aids", "flashcards", "practice-test"}


class Entry(NamedTuple):
    """A glossary term, the chapter that explains it and the anchor of the section."""

    term: str
    definition: str
    chapter: str
    anchor: str

    @property
    def slug(self) -> str:
        """Return the name of the term in addresses."""
        return re.sub(r"[^A-Za-z0-9]+", "-", self.term).strip("-")


class Use(NamedTuple):
    """What the environment keeps of a chapter page: its title and sections, the terms it uses, those marked on it."""

    title: str
    sections: dict[str, str]
    used: list[str]
    marked: list[str]


def collected(chapters: list[Any]) -> dict[str, Entry]:
    """Return every term by its name in small letters; the same name with two definitions is refused."""
    found: dict[str, Entry] = {}
    for aids in chapters:
        for t in aids.terms:
            entry = Entry(t.term, " ".join(t.definition.split()), aids.chapter, t.anchor)
            other = found.setdefault(t.term.lower(), entry)
            if other.definition != entry.definition:
                raise ExtensionError(
                    f"glossary: '{t.term}' has one definition in chapter {other.chapter} and another in chapter {aids.chapter}; "
                    "keep one of them, or give the second term a name of its own"
                )
    return found


@cache
def entries() -> dict[str, Entry]:
    """Return the terms of all chapters that are not drafts."""
    from companion import study

    return collected(study.finished())


def pattern(terms: dict[str, Entry]) -> re.Pattern[str]:
    """Return the expression that finds a term as a whole word, the longest first, with a plural s.

    >>> found = pattern({"layer": Entry("layer", "", "01", ""), "hidden layer": Entry("hidden layer", "", "01", "")})
    >>> [m[0] for m in found.finditer("Hidden layers, a layer-wise player, one layer.")]
    ['Hidden layers', 'layer']
    """
    words = sorted(terms, key=lambda name: (-len(name), name))
    one = "|".join(re.escape(w).replace(r"\ ", r"\s+") for w in words) or r"(?!)"
    return re.compile(rf"(?<![\w-])({one})s?(?![\w-])", re.IGNORECASE)


def name_of(text: str) -> str:
    """Return the name under which a found text is kept."""
    return " ".join(text.lower().split())


def chapter_of(docname: str) -> str:
    """Return the number of the chapter that a page is, or nothing.

    >>> chapter_of("book/01_neurons"), chapter_of("book/20a_healthcare"), chapter_of("exercises/01_neurons")
    ('01', '20a', '')
    """
    found = re.fullmatch(r"book/(\d\d[a-f]?)_\w+", docname)
    return found[1] if found else ""


def mark(app: Sphinx, doctree: nodes.document) -> None:
    """Turn the first use of each term on a chapter page into a link to the glossary, and remember what the page uses."""
    page = app.env.docname
    if not chapter_of(page):
        return
    sections, used, marked = marks(doctree, entries(), chapter_of(page))
    title = next(iter(doctree.findall(nodes.title)), None)
    uses(app.env)[page] = Use(title.astext() if title is not None else page, sections, used, marked)


def marks(
    doctree: nodes.document, terms: dict[str, Entry], chapter: str
) -> tuple[dict[str, str], list[str], list[str]]:
    """Mark a page's terms in place; return its sections by anchor, the terms it uses and those that are marked."""
    search = pattern(terms)
    sections: dict[str, str] = {}
    used: list[str] = []
    marked: list[str] = []
    for section in doctree.findall(nodes.section):
        for name in {section.get("slug"), *section["ids"]} - {None}:
            sections[str(name)] = section[0].astext()
    for text in [t for t in doctree.findall(nodes.Text) if is_lesson(t)]:
        pieces: list[nodes.Node] = []
        end = 0
        for found in search.finditer(text.astext()):
            name = name_of(found[1])
            if name in used:
                continue
            used.append(name)
            if terms[name].chapter == chapter and terms[name].anchor in anchors(text):
                continue
            marked.append(name)
            pieces += [nodes.Text(text.astext()[end : found.start()]), link(found[0], terms[name])]
            end = found.end()
        if pieces:
            text.parent.replace(text, [*pieces, nodes.Text(text.astext()[end:])])
    return sections, used, marked


def link(shown: str, entry: Entry) -> nodes.reference:
    """Return the marked word: a link to the glossary that the page's script turns into a button."""
    made = nodes.reference("", shown, refuri=f"glossary.html#term-{entry.slug}", internal=True)
    made["classes"] = ["term"]
    return made


def is_lesson(text: nodes.Text) -> bool:
    """Say whether a text is prose of a lesson: in a section below the page's title and in nothing that is no prose."""
    depth = 0
    node = text.parent
    while node is not None:
        if isinstance(node, NOT_PROSE) or (isinstance(node, nodes.container) and "cell" in node["classes"]):
            return False
        if isinstance(node, nodes.section):
            depth += 1
            if AFTER & set(node["ids"]):
                return False
        node = node.parent
    return depth >= 2


def anchors(node: nodes.Node) -> set[str]:
    """Return the anchors of all sections that a node stands in."""
    found: set[str] = set()
    while node is not None:
        if isinstance(node, nodes.section):
            found |= {str(node.get("slug")), *node["ids"]}
        node = node.parent
    return found


# ---- what the pages know of each other


def uses(env: BuildEnvironment) -> dict[str, Use]:
    """Return what is known of every chapter page."""
    return site_env.remembered(env, "uses")


def relations(known: dict[str, Use], docname: str) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the earlier chapters that a page builds on and the later ones that use it, each with the terms they share."""
    own, terms = chapter_of(docname), entries()
    page_of = {chapter_of(name): name for name in known}
    builds: dict[str, list[str]] = {}
    serves: dict[str, list[str]] = {}
    for name in known[docname].used:
        if terms[name].chapter < own and terms[name].chapter in page_of:
            builds.setdefault(page_of[terms[name].chapter], []).append(name)
    for page, use in sorted(known.items()):
        shared = [name for name in use.used if terms[name].chapter == own < chapter_of(page)]
        if shared:
            serves[page] = shared
    return dict(sorted(builds.items())), serves


def rewritten(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Return the chapter pages whose last line changed because another page did."""
    known = uses(env)
    now = {page: repr((relations(known, page), known[page].title)) for page in known}
    before = getattr(env, "neurons_relations", {})
    env.neurons_relations = now  # type: ignore[attr-defined]
    return [page for page in now if before.get(page) != now[page]]


# ---- HTML


def below(app: Sphinx, docname: str) -> str:
    """Return what stands at a chapter's end: what it builds on, what uses it, and the definitions that its terms open."""
    known = uses(app.env)
    if docname not in known:
        return ""
    builds, serves = relations(known, docname)
    lines = [
        ("This chapter builds on", [told(known, page, page, names) for page, names in builds.items()]),
        ("It is used by", [told(known, page, docname, names) for page, names in serves.items()]),
    ]
    text = "".join(f"<p>{said}: {'; '.join(items)}.</p>" for said, items in lines if items)
    related = f'<aside class="related" aria-label="Related chapters">{text}</aside>' if text else ""
    notes = "".join(note(known, entries()[name]) for name in known[docname].marked)
    return related + (f'<div class="term-notes">{notes}</div>' if notes else "")


def told(known: dict[str, Use], page: str, explained_on: str, names: list[str]) -> str:
    """Return a link to a chapter with the terms that it shares, each linked to its explanation."""
    here = explained_on.rsplit("/", 1)[-1]
    linked = [
        f'<a href="{here}.html#{entries()[name].anchor}">{html.escape(entries()[name].term)}</a>'
        for name in sorted(names)
    ]
    title = html.escape(known[page].title)
    return f'<a href="{page.rsplit("/", 1)[-1]}.html">{title}</a> ({", ".join(linked)})'


def note(known: dict[str, Use], entry: Entry) -> str:
    """Return the definition that a marked term opens, with the way to the section that explains it."""
    page = next((name for name in known if chapter_of(name) == entry.chapter), None)
    way = ""
    if page is not None:
        section = html.escape(known[page].sections.get(entry.anchor, known[page].title))
        way = (
            f'<p><a href="{page.rsplit("/", 1)[-1]}.html#{entry.anchor}">'
            f"Explained in chapter {entry.chapter.lstrip('0') or '0'}: {section}</a></p>"
        )
    return (
        f'<div class="term-note" id="note-{entry.slug}" popover="manual" role="group" aria-label="{html.escape(entry.term)}">'
        f"<p><strong>{html.escape(entry.term)}</strong>: {html.escape(entry.definition)}</p>{way}</div>"
    )


def connect(app: Sphinx) -> None:
    """Connect the hooks."""
    app.add_config_value("terms", "", "env")
    app.connect("doctree-read", mark, priority=900)
    app.connect("env-updated", rewritten)
