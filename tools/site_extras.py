"""Files beside the pages: the front door, the page for lost visitors, redirects of renamed pages, sitemap and robots.txt."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import site_meta
import yaml
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

#: Marks the pages that only lead on, so that those of renamings that are no longer listed can be removed.
MARK = '<meta name="generator" content="redirect">'
FILE = "book/redirects.yml"


def front_door(app: Sphinx, out: Path) -> None:
    """Give the page that leads to the first one a language, a title and a link for those whom it does not take along."""
    door, first = out / "index.html", f"{app.config.root_doc}.html"
    if app.config.root_doc == "index" or not (out / first).exists():
        return
    title = html.escape(site_meta.site_name(app))
    door.write_text(
        f'<!DOCTYPE html>\n<html lang="{app.config.language}"><head><meta charset="utf-8"><title>{title}</title>'
        f'<link rel="canonical" href="{app.config.html_baseurl}{first}">'
        f'<link rel="icon" href="_static/favicon.svg"><meta http-equiv="refresh" content="0; url={first}"></head>'
        f'<body><h1><a href="{first}">{title}</a></h1></body></html>\n',
        encoding="utf-8",
    )


# ---- the page for lost visitors


def lost(app: Sphinx) -> Iterable[tuple[str, dict[str, Any], str]]:
    """Yield the page that a server shows in place of one that is not there."""
    yield "404", {"title": "This page is not here"}, "404.html"


def from_any_depth(page: Path, baseurl: str) -> None:
    """Make every address of the page for lost visitors absolute: it is shown at addresses of any depth."""
    if not page.exists():
        return
    text = page.read_text(encoding="utf-8")
    text = re.sub(r'\s*<link rel="canonical"[^>]*>', "", text)
    page.write_text(absolute(text, urlsplit(baseurl).path), encoding="utf-8")


def near_again(page: Path, baseurl: str) -> None:
    """Undo that on a page which this build left alone, so that the steps for all pages find what they know."""
    if page.exists():
        text = page.read_text(encoding="utf-8")
        page.write_text(relative(text, urlsplit(baseurl).path), encoding="utf-8")


def relative(text: str, root: str) -> str:
    """Return HTML whose addresses below the site's root are relative to it.

    >>> relative('<a href="/course/book/a.html">a</a> <a href="/else">e</a>', "/course/")
    '<a href="book/a.html">a</a> <a href="/else">e</a>'
    """
    return re.sub(rf'\b(href|src|action)="{re.escape(root)}([^"]*)"', r'\1="\2"', text)


def absolute(text: str, root: str) -> str:
    """Return HTML whose relative addresses begin at the site's root.

    >>> absolute('<a href="book/a.html">a</a> <a href="#b">b</a> <form action="search.html">', "/course/")
    '<a href="/course/book/a.html">a</a> <a href="#b">b</a> <form action="/course/search.html">'
    """
    text = re.sub(r'data-content_root="[^"]*"', f'data-content_root="{root}"', text)
    return re.sub(r'\b(href|src|action)="(?!#|/|[a-z][a-z+.-]*:)([^"]*)"', rf'\1="{root}\2"', text)


# ---- redirects


def redirects(text: str, pages: set[str]) -> dict[str, str]:
    """Return old page and new page of each renaming, checked against the pages that there are.

    Args:
        text: YAML, one line `old: new` a renaming, page names without ending.
        pages: the names of all pages.
    """
    found = yaml.safe_load(text) or {}
    if not isinstance(found, dict):
        raise ExtensionError(f"redirects: {FILE} expected lines `old/page: new/page`, got {type(found).__name__}")
    for old, new in found.items():
        if old in pages:
            raise ExtensionError(
                f"redirects: {FILE} leads {old} to {new}, but {old} is still a page; rename it or remove the line"
            )
        if new in found:
            raise ExtensionError(
                f"redirects: {FILE} leads {old} to {new}, which leads on to {found[new]}; lead {old} there at once"
            )
        if new not in pages:
            raise ExtensionError(
                f"redirects: {FILE} leads {old} to {new}, and there is no such page; name one of _toc.yml"
            )
    return {str(old): str(new) for old, new in found.items()}


def write_redirects(out: Path, found: dict[str, str], baseurl: str, language: str) -> None:
    """Write a page for each renaming and remove those of renamings that are no longer listed."""
    for page in out.rglob("*.html"):
        if page.relative_to(out).with_suffix("").as_posix() not in found and is_redirect(page):
            page.unlink()
    for old, new in found.items():
        page = out / f"{old}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        way = os.path.relpath(out / f"{new}.html", page.parent).replace(os.sep, "/")
        page.write_text(leading(way, f"{baseurl}{new}.html", language), encoding="utf-8")


def is_redirect(page: Path) -> bool:
    """Say whether a page only leads on."""
    with page.open(encoding="utf-8") as file:
        return MARK in file.read(600)


def leading(way: str, canonical: str, language: str) -> str:
    """Return a page that leads to another one, also without a script."""
    way = html.escape(way, quote=True)
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8"><title>This page has moved</title>{MARK}'
        '<meta name="description" content="This page has a new address, and leads to it."><meta name="robots" content="noindex">'
        f'<link rel="canonical" href="{html.escape(canonical, quote=True)}">'
        f'<meta http-equiv="refresh" content="0; url={way}"></head>'
        f'<body><h1>This page has moved</h1><p><a href="{way}">Go to its new place</a></p></body></html>\n'
    )


# ---- for search engines


def sitemap(pages: Iterable[str], baseurl: str) -> str:
    """Return the sitemap: every page of the course by its canonical address.

    >>> print(sitemap(["b", "a"], "https://x/").splitlines()[2])
    <url><loc>https://x/a.html</loc></url>
    """
    rows = "\n".join(f"<url><loc>{html.escape(baseurl + page)}.html</loc></url>" for page in sorted(pages))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        f"{rows}\n</urlset>\n"
    )


def write(app: Sphinx, out: Path) -> None:
    """Write everything that stands beside the pages."""
    baseurl = app.config.html_baseurl
    front_door(app, out)
    from_any_depth(out / "404.html", baseurl)
    listed = Path(app.srcdir) / FILE
    moved = redirects(listed.read_text(encoding="utf-8"), app.env.found_docs) if listed.exists() else {}
    write_redirects(out, moved, baseurl, app.config.language)
    (out / "sitemap.xml").write_text(sitemap(app.env.found_docs, baseurl), encoding="utf-8")
    (out / "robots.txt").write_text(f"User-agent: *\nAllow: /\nSitemap: {baseurl}sitemap.xml\n", encoding="utf-8")
