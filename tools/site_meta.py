"""What search engines and cards want of a page: description, picture, and structured data."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import site_terms
from docutils import nodes
from sphinx.application import Sphinx

LICENSE = "https://creativecommons.org/licenses/by/4.0/"
LEVEL = "Beginner to intermediate: Python and school calculus"
#: Pages that are no content and stand in no sitemap, with what they are.
TOOLS = {
    "search": "Search the whole course: every section, function and glossary term, with excerpts.",
    "genindex": "The general index of the course: glossary terms, functions and classes, each with the way to it.",
    "404": "There is no page at this address; search the course, or choose a page.",
}


def site_name(app: Sphinx) -> str:
    """Return the course's name; Jupyter Book keeps it as the HTML title."""
    return str(app.config.html_title or app.config.project)


def description(app: Sphinx, page: str, doctree: nodes.document | None) -> str:
    """Return what the page is about: a chapter's promise, else the page's first paragraph."""
    from companion import study

    if page in TOOLS:
        return TOOLS[page]
    name = page.split("/")[-1]
    if page.startswith("book/") and name[:2] in study.chapters():
        return study.load(name[:2]).promise
    found = doctree.findall(nodes.paragraph) if doctree is not None else iter(())
    first = next((" ".join(p.astext().split()) for p in found if len(p.astext()) > 40), "")
    if page.startswith(("exercises/", "solutions/")) and page in app.env.titles:  # the same first sentence on all
        first = f"{app.env.titles[page].astext()}. {first}"
    return first[:155] or f"{site_name(app)}: {name.replace('_', ' ')}"


def tags(app: Sphinx, page: str, context: dict[str, Any], doctree: nodes.document | None) -> str:
    """Return a page's metadata as HTML."""
    chapter = page.split("/")[-1][:2]
    base = app.config.html_baseurl
    has_card = page.startswith("book/") and (Path(app.config.html_static_path[1]) / "cards" / f"{chapter}.png").exists()
    title = html.escape(re.sub(r"<[^>]+>", "", context.get("title") or site_name(app)), quote=True)
    about = html.escape(description(app, page, doctree), quote=True)
    said = {
        "og:title": title,
        "og:description": about,
        "og:image": f"{base}_static/cards/{chapter if has_card else 'site'}.png",
        "og:type": "article",
        "og:url": f"{base}{page}.html",
    }
    meta = "".join(f'<meta property="{k}" content="{v}" />\n' for k, v in said.items())
    meta += (
        f'<meta name="description" content="{about}" />\n<meta name="twitter:card" content="summary_large_image" />\n'
    )
    if page in TOOLS:
        return meta + '<meta name="robots" content="noindex" />\n'
    data = json.dumps(structured(app, page, doctree), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return meta + f'<script type="application/ld+json">{data}</script>\n'


def structured(app: Sphinx, page: str, doctree: nodes.document | None) -> dict[str, Any]:
    """Return a page's structured data: the course on the first page, a chapter as learning resource, and the way to the page."""
    from companion import study

    found: list[dict[str, Any]] = []
    number = page.split("/")[-1][:2]
    if page == app.config.root_doc:
        found.append(course(app, doctree))
    elif page.startswith("book/") and number in study.chapters():
        found.append(resource(app, page, study.load(number), minutes(doctree)))
    if page != app.config.root_doc:
        found.append(breadcrumbs(app, page))
    return {"@context": "https://schema.org", "@graph": found}


def course(app: Sphinx, doctree: nodes.document | None) -> dict[str, Any]:
    """Return the course as structured data."""
    base = app.config.html_baseurl
    return {
        "@type": "Course",
        "@id": f"{base}#course",
        "name": site_name(app),
        "description": description(app, app.config.root_doc, doctree),
        "url": f"{base}{app.config.root_doc}.html",
        "inLanguage": app.config.language,
        "isAccessibleForFree": True,
        "license": LICENSE,
        "educationalLevel": LEVEL,
        "provider": {"@type": "Organization", "name": app.config.author, "url": base},
        "hasPart": [
            {"@id": f"{base}{page}.html"} for page in sorted(app.env.found_docs) if site_terms.chapter_of(page)
        ],
    }


def resource(app: Sphinx, page: str, aids: Any, time: int) -> dict[str, Any]:
    """Return a chapter as structured data: what it teaches, for whom, in how much time."""
    address = f"{app.config.html_baseurl}{page}.html"
    found = {
        "@type": "LearningResource",
        "@id": address,
        "url": address,
        "name": aids.title,
        "description": aids.promise,
        "learningResourceType": "chapter",
        "educationalLevel": LEVEL,
        "teaches": [" ".join(o.text.split()) for o in aids.objectives],
        "isPartOf": {"@id": f"{app.config.html_baseurl}#course"},
        "isAccessibleForFree": True,
        "license": LICENSE,
        "inLanguage": app.config.language,
    }
    return found | ({"timeRequired": f"PT{time}M"} if time else {})


def minutes(doctree: nodes.document | None) -> int:
    """Return how many minutes a chapter says that it takes to read, or 0 where it does not say."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree is not None else ():
        if found := re.match(r"Time: (\d+) minutes", paragraph.astext()):
            return int(found[1])
    return 0


def breadcrumbs(app: Sphinx, page: str) -> dict[str, Any]:
    """Return the way from the first page to this one; an exercise page lies below its chapter, an API page below the API's first."""
    way = [app.config.root_doc, page]
    folder, _, name = page.rpartition("/")
    if folder in ("exercises", "solutions") and f"book/{name}" in app.env.found_docs:
        way.insert(1, f"book/{name}")
    elif folder == "book/api" and name != "index":
        way.insert(1, "book/api/index")
    items = [
        {
            "@type": "ListItem",
            "position": n,
            "name": app.env.titles[step].astext() if step in app.env.titles else step.rsplit("/", 1)[-1],
            "item": f"{app.config.html_baseurl}{step}.html",
        }
        for n, step in enumerate(way, 1)
    ]
    return {"@type": "BreadcrumbList", "itemListElement": items}
