"""Sphinx hooks of the site: what a reading page needs and nothing else, and what search engines and cards want."""

from __future__ import annotations

import hashlib
import html
import os
import re
import time
from functools import cache, partial
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

#: Scripts that a page may run later, in order, without holding up its first paint.
DEFERRED = r"doctools|sphinx_highlight|clipboard\.min|copybutton|scripts/sphinx-book-theme|scripts/bootstrap|scripts/pydata-sphinx-theme"


#: A stylesheet that imports another one of the site.
IMPORT = r"@import\s*(?:url\()?\s*[\"']?([\w./-]+\.css)[\"']?\s*\)?\s*;"


def description(app: Sphinx, page: str, doctree: nodes.document | None) -> str:
    """Return what the page is about: a chapter's promise, else the page's first paragraph."""
    from companion import study

    name = page.split("/")[-1]
    if page.startswith("book/") and name[:2] in study.chapters():
        return study.load(name[:2]).promise
    found = doctree.findall(nodes.paragraph) if doctree is not None else iter(())
    first = next((" ".join(p.astext().split()) for p in found if len(p.astext()) > 40), "")
    if page.startswith(("exercises/", "solutions/")) and page in app.env.titles:  # the same first sentence on all
        first = f"{app.env.titles[page].astext()}. {first}"
    return first[:155] or f"{app.config.project}: {name.replace('_', ' ')}"


def page_context(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Add description and sharing card, load figures only where there are any, drop what the site does not use."""
    if app.builder.format != "html":
        return
    body = context.get("body") or ""
    if "data-nfig=" in body:
        app.add_js_file("figures.js", loading_method="defer")
    unused = ["thebe", "THEBE", "mathjax", "MathJax", "require.min", "embed-amd", "katex-math.css"]
    unused += ["design-tabs", "sphinx-design", "togglebutton"]  # no page has tabs of theirs or toggle classes

    def kept(file: Any) -> bool:
        text = f"{getattr(file, 'filename', file)} {getattr(file, 'attributes', {})}"
        return not any(word in text for word in unused)

    context["script_files"] = [f for f in context["script_files"] if kept(f)]
    context["css_files"] = [f for f in context["css_files"] if kept(f)]
    chapter = page.split("/")[-1][:2]
    base = app.config.html_baseurl
    has_card = page.startswith("book/") and (Path(app.config.html_static_path[1]) / "cards" / f"{chapter}.png").exists()
    image = f"{base}_static/cards/{chapter if has_card else 'site'}.png"
    title = html.escape(re.sub(r"<[^>]+>", "", context.get("title") or app.config.project), quote=True)
    about = html.escape(description(app, page, doctree), quote=True)
    tags = {
        "og:title": title,
        "og:description": about,
        "og:image": image,
        "og:type": "article",
        "og:url": f"{base}{page}.html",
    }
    meta = "".join(f'<meta property="{k}" content="{v}" />\n' for k, v in tags.items())
    meta += (
        f'<meta name="description" content="{about}" />\n<meta name="twitter:card" content="summary_large_image" />\n'
    )
    context["metatags"] = re.sub(r'<meta name="description"[^>]*>\n?', "", context.get("metatags") or "") + meta


def slim(app: Sphinx, error: Exception | None) -> None:
    """After the build: defer scripts, one stylesheet, names for the theme's unnamed controls.

    The theme writes these tags inside its own macros, out of reach of page_context.
    """
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for file in out.rglob("*.html"):
        if "_static" in file.relative_to(out).parts:
            continue
        before = file.read_text(encoding="utf-8")
        after = one_stylesheet(out, file, slimmed(before, is_search=file.name == "search.html"))
        if after != before:
            file.write_text(after, encoding="utf-8")
    front_door(app, out)


def front_door(app: Sphinx, out: Path) -> None:
    """Give the page that leads to the first one a language, a title and a link for those whom it does not take along."""
    door, first = out / "index.html", f"{app.config.root_doc}.html"
    if app.config.root_doc == "index" or not (out / first).exists():
        return
    title = html.escape(app.config.project)
    door.write_text(
        f'<!DOCTYPE html>\n<html lang="{app.config.language}"><head><meta charset="utf-8"><title>{title}</title>'
        f'<link rel="canonical" href="{app.config.html_baseurl}{first}">'
        f'<link rel="icon" href="_static/favicon.svg"><meta http-equiv="refresh" content="0; url={first}"></head>'
        f'<body><h1><a href="{first}">{title}</a></h1></body></html>\n',
        encoding="utf-8",
    )


def slimmed(text: str, is_search: bool) -> str:
    """Return a page's HTML without what a reader does not need."""
    if not is_search:
        text = re.sub(r"\s*<script[^>]*(searchtools|language_data|searchindex)\.js[^>]*></script>", "", text)
        text = re.sub(
            rf'<script src="((?!https?:)[^"]*_static/(?:{DEFERRED})[^"]*)"></script>',
            r'<script defer src="\1"></script>',
            text,
        )
    text = re.sub(r"\s*<(link|script)[^>]*fontawesome\.js[^>]*>(</script>)?", "", text)
    text = re.sub(r'\s*<link[^>]*rel="preload"[^>]*(fa-brands|fa-regular)[^>]*>', "", text)
    text = re.sub(r'\s*<link rel="preload" as="script"[^>]*>', "", text)
    # Without a stored choice the theme's first script sets an empty mode, and its second one complains on the console.
    text = text.replace(
        'dataset.mode = localStorage.getItem("mode") || ""', 'dataset.mode = localStorage.getItem("mode") || "auto"'
    )
    text = re.sub(r"<img (?![^>]*loading=)", '<img loading="lazy" ', text)
    # The visible text must be part of a control's name; the sidebar is a landmark; its arrows have names.
    text = re.sub(r'(<button[^>]*(?:search-button|theme-switch-button)[^>]*?)\s+aria-label="[^"]*"', r"\1", text)
    text = text.replace(
        '<div id="pst-primary-sidebar" ', '<div id="pst-primary-sidebar" role="complementary" aria-label="Site" '
    )
    text = text.replace(
        '<summary><span class="toctree-toggle"',
        '<summary aria-label="Pages below this one"><span class="toctree-toggle"',
    )
    return text


def one_stylesheet(out: Path, file: Path, text: str) -> str:
    """Return the page with all its local stylesheets as one file."""
    link = r'[ \t]*<link[^>]*href="((?!https?:)[^"?]+\.css)(?:\?[^"]*)?"[^>]*/?>\n?'
    paths = [(file.parent / found).resolve() for found in re.findall(link, text)]
    if len(paths) < 2 or not all(p.exists() for p in paths):
        return text
    static = (out / "_static").resolve()
    root = os.path.relpath(static, file.parent.resolve()).replace(os.sep, "/")
    replaced = iter([f'<link rel="stylesheet" href="{root}/{combined(static, tuple(paths))}" />\n'])
    return re.sub(link, lambda m: next(replaced, ""), text)


@cache
def combined(static: Path, paths: tuple[Path, ...]) -> str:
    """Write the stylesheets as one file below _static and return its name; most pages of a build ask for the same."""
    css = ""
    for path in paths:
        # An import counts only at the head of a sheet, and from its own folder: put the file in its place.
        own = re.sub(IMPORT, partial(imported, static, path.parent), readdressed(static, path))
        css += re.sub(r"/\*# sourceMappingURL.*?\*/", "", own).replace("font-display:block", "font-display:swap") + "\n"
    name = f"all-{hashlib.sha256(css.encode()).hexdigest()[:10]}.css"
    (static / name).write_text(css, encoding="utf-8")
    return name


def imported(static: Path, folder: Path, found: re.Match[str]) -> str:
    """Return the text of a stylesheet that another one in ``folder`` imports, with addresses as seen from _static."""
    for path in ((folder / found[1]).resolve(), (static / found[1]).resolve()):
        if path.exists():
            return readdressed(static, path) + "\n"
    return ""


def readdressed(static: Path, path: Path) -> str:
    """Return a stylesheet whose relative addresses are as seen from _static."""
    relative = r'url\(\s*(["\']?)(?!["\']|data:|https?:|#|/)'
    return re.sub(relative, rf"url(\g<1>{os.path.relpath(path.parent, static)}/", path.read_text(encoding="utf-8"))


def patient_katex() -> None:
    """Let KaTeX's server take its time: the extension connects as soon as its socket exists, a moment before it listens.

    Measured: the build failed with "connection refused" on a busy machine, about one start in three.
    """
    from sphinxcontrib import katex

    original = katex.KaTeXServer.start
    katex.STARTUP_TIMEOUT = 60.0

    def start() -> katex.KaTeXServer:
        for pause in (0.1, 0.3, 1.0, 3.0, 5.0):
            try:
                return original()
            except ConnectionRefusedError:
                time.sleep(pause)
        return original()

    katex.KaTeXServer.start = start


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the hooks."""
    app.add_config_value("looks", "", "html")
    patient_katex()
    app.add_css_file("figures.css")
    app.add_js_file("scroll.js", loading_method="defer")
    app.connect("html-page-context", page_context, priority=900)
    app.connect("build-finished", slim, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
