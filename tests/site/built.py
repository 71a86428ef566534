"""The built site as the tests see it: its pages, a visit to one of them in a browser, and what a page's file says."""

from __future__ import annotations

import functools
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import figure_page
import pytest
import site_extras
import yaml


def built_site() -> Path:
    """Where `make book` puts the site; NEURONS_HTML names another place."""
    return Path(os.environ.get("NEURONS_HTML") or Path(__file__).parents[2] / "_build" / "html").resolve()


HTML = built_site()
ROOT = HTML.parents[1]  # the checkout that the site was built from
HOME = ROOT if (ROOT / "_config.yml").exists() else Path(__file__).parents[2]
CONFIG = yaml.safe_load((HOME / "_config.yml").read_text(encoding="utf-8"))
ADDRESS = CONFIG["sphinx"]["config"]["html_baseurl"]  # where the site is published
NOT_BUILT = "(not built)"
#: A browser fetches these without being asked.
FETCHED = {"stylesheet", "preload", "modulepreload", "prefetch", "preconnect", "dns-prefetch", "icon", "manifest"}
REDIRECT = "index.html"


def all_pages() -> list[str]:
    found = (p.relative_to(HTML) for p in HTML.rglob("*.html") if not site_extras.is_redirect(p))
    return sorted(p.as_posix() for p in found if "_static" not in p.parts) or [NOT_BUILT]


def numbered(folder: str) -> list[str]:
    return [p for p in PAGES if re.match(rf"{folder}/\d\d\w?_", p)] or [NOT_BUILT]


PAGES = all_pages()
CHAPTERS = numbered("book")
EXERCISES, SOLUTIONS = numbered("exercises"), numbered("solutions")
NOTEBOOKS = sorted({*CHAPTERS, *EXERCISES, *SOLUTIONS})
TAUGHT = [p for p in CHAPTERS if not p.startswith("book/00")] or [NOT_BUILT]  # chapters with figures and study aids
SAMPLE = [
    "book/index.html",
    *CHAPTERS[:3],
    EXERCISES[0],
    SOLUTIONS[-1],
    "book/glossary.html",
    "book/api/nn.html",
]
each_page = pytest.mark.parametrize("path", PAGES)
each_chapter = pytest.mark.parametrize("path", CHAPTERS)
each_taught = pytest.mark.parametrize("path", TAUGHT)


def ends(pages):
    """Try what all pages have from the same template: on the first and the last in the gate, on those between in `make test-all`."""
    between = [pytest.param(p, marks=pytest.mark.slow) for p in pages[1:-1]]
    return pytest.mark.parametrize("path", [*pages[:1], *between, *pages[1:][-1:]])


ends_taught = ends(TAUGHT)
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS)


def put(page, name, **values):
    """Set controls of a figure by their names in Python."""
    controls = figure_page.default(name).controls
    for key, value in values.items():
        page.evaluate("([name, label, v]) => put(name, label, v)", [name, controls[key].label, value])


class Visit:
    """A page of the site in its own browser context, with what it loaded, what it asked elsewhere and what it logged."""

    def __init__(self, chromium, served, path, *, mode="light", width=1280, js=True, script=""):
        self.errors, self.elsewhere, self.responses = [], [], []
        self.context = chromium.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=js, reduced_motion="reduce"
        )

        def answer(route):
            if route.request.url.startswith(served):
                route.continue_()
            else:
                self.elsewhere.append(route.request.url)
                route.abort()

        self.context.route("**/*", answer)
        self.context.add_init_script(f"localStorage.setItem('mode', '{mode}'); localStorage.setItem('theme', '{mode}')")
        self.page = self.context.new_page()
        if script:
            self.page.add_init_script(script)

        def heard(message):
            if message.type in ("error", "warning"):
                self.errors.append(f"{message.text} {message.location.get('url', '')}".strip())

        self.page.on("console", heard)
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.on("response", lambda r: self.responses.append(r))
        self.answer = self.page.goto(served + path, wait_until="load")
        if js and self.page.locator("[data-nfig]").count() and "#" not in path:
            figure_page.start_all(self.page)

    def overflow(self) -> tuple[int, list[str]]:
        """By how many pixels the page is wider than the window, and which elements of it are."""
        return tuple(
            self.page.evaluate(
                """() => { const wide = document.documentElement.clientWidth, out = [];
                  for (const e of document.querySelectorAll(".bd-main *")) {
                    let clipped = false;
                    for (let p = e.parentElement; p; p = p.parentElement)
                      if (p !== document.body && p !== document.documentElement &&
                          getComputedStyle(p).overflowX !== "visible") { clipped = true; break; }
                    for (let p = e; p; p = p.parentElement)  // a drawer waits beside the window
                      if (getComputedStyle(p).position === "fixed") { clipped = true; break; }
                    // the box of a picture in a picture is that of all its content, also of what it cuts off
                    if (e.ownerSVGElement && e.tagName === "svg" && getComputedStyle(e).overflowX !== "visible") clipped = true;
                    if (!clipped && e.getBoundingClientRect().right > wide + 1)
                      out.push(e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + "." + [...e.classList].join("."));
                  }
                  return [document.documentElement.scrollWidth - wide, out.slice(0, 5)]; }"""
            )
        )


class Reader(HTMLParser):
    """What a page names: its title, language and metadata, its anchors, and everything that it points to."""

    def __init__(self) -> None:
        super().__init__()
        self.title, self.lang, self.meta, self.ids = "", "", {}, []
        self.links, self.fetched = [], []
        self._in_title = False

    def handle_starttag(self, tag, attributes):
        a = {k: v or "" for k, v in attributes}
        self.ids += [a["id"]] if a.get("id") else []
        self.ids += [a["name"]] if tag == "a" and a.get("name") else []
        if tag == "html":
            self.lang = a.get("lang", "")
        elif tag == "title" and not self.title:
            self._in_title = True
        elif tag == "meta":
            self.meta.setdefault(a.get("name") or a.get("property") or "", []).append(a.get("content", ""))
            if a.get("http-equiv", "").lower() == "refresh":
                self.links.append(a["content"].split("url=")[1])
        elif tag == "a" and "href" in a:
            self.links.append(a["href"])
        if tag == "link" and FETCHED & set(a.get("rel", "").split()):
            self.fetched.append(a["href"])
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed") and a.get("src"):
            self.fetched.append(a["src"])

    def handle_endtag(self, tag):
        self._in_title = self._in_title and tag != "title"

    def handle_data(self, data):
        self.title += data if self._in_title else ""


@functools.cache
def read(path: str) -> Reader:
    reader = Reader()
    reader.feed((HTML / path).read_text(encoding="utf-8"))
    return reader


def unresolved(path: str, address: str) -> str:
    """Return why an address on a page leads nowhere, or nothing."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return ""
    below = urlsplit(ADDRESS).path  # the page for lost visitors names everything from the site's root
    way = parts.path.removeprefix(below) if parts.path.startswith(below) else urljoin(f"/{path}", address)
    target = unquote(urlsplit(way).path).lstrip("/")
    target = path if not parts.path else target
    file = HTML / target
    if target.endswith("/") or not file.is_file():
        return f"{address}: no such file"
    if parts.fragment and target.endswith(".html") and unquote(parts.fragment) not in read(target).ids:
        return f"{address}: no such anchor"
    return ""
