"""Sphinx hooks of the site: what a reading page needs and nothing else, and what search engines and cards want."""

from __future__ import annotations

import hashlib
import html
import itertools
import os
import re
import time
from pathlib import Path
from typing import Any

import styles
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

#: Scripts that a page may run later, in order, without holding up its first paint.
DEFERRED = r"doctools|sphinx_highlight|clipboard\.min|copybutton|scripts/sphinx-book-theme|scripts/bootstrap|scripts/pydata-sphinx-theme"


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


def add_hints(app: Sphinx, doctree: nodes.document) -> None:
    """Put folded hints under each exercise of an exercise notebook, and a list of the exercises into their chapter.

    A notebook in Jupyter gets them by ``hint("01.1")``; who only reads the page has no kernel.
    """
    from companion.checks import bank

    page = app.env.docname
    folder, name = page.split("/")[-2:] if "/" in page else ("", page)
    numbers = bank.ids(name[:2]) if name[:2] in bank.chapters() else []
    for section in list(doctree.findall(nodes.section)):
        title = section.next_node(nodes.title)
        heading = title.astext() if title is not None else ""
        number = heading.split(" ")[0]
        if folder == "exercises" and number in numbers:
            section += nodes.raw("", folded(bank.get(number).hints), format="html")
        elif folder == "book" and heading == "Exercises":
            found = [bank.get(number) for number in numbers]
            items = [
                f'<li><a href="../exercises/{name}.html#{nodes.make_id(f"{e.id} {e.title}")}">{e.id} {html.escape(e.title)}</a></li>'
                for e in found
            ]
            section += nodes.raw("", f'<ul class="nlist">{"".join(items)}</ul>' if items else "", format="html")


def folded(hints: tuple[str, ...]) -> str:
    """Return hints as HTML, each folded, from a nudge to nearly there."""
    from companion.checks.result import prose

    return "".join(
        f"<details><summary>Hint {n} of {len(hints)}</summary><p>{prose(hint)}</p></details>"
        for n, hint in enumerate(hints, 1)
    )


def page_context(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Add description and sharing card, load figures only where there are any, drop what the site does not use."""
    if app.builder.format != "html":
        return
    body = context.get("body") or ""
    shown = sorted(set(re.findall(r'data-nfig="(\w+)"', body)))
    for name in ["kit", *shown] if shown else []:
        app.add_js_file(f"figures/{name}.js", loading_method="defer")
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
    pages = [file for file in out.rglob("*.html") if "_static" not in file.relative_to(out).parts]
    options = (out / "_static" / "documentation_options.js").read_text(encoding="utf-8")
    for file in pages:
        before = file.read_text(encoding="utf-8")
        after = slimmed(before, options, is_search=file.name == "search.html")
        if after != before:
            file.write_text(after, encoding="utf-8")
    one_stylesheet(out, pages)
    unhurried(out / "_static" / "scripts" / "pydata-sphinx-theme.js")
    front_door(app, out)


def unhurried(script: Path) -> None:
    """Keep the theme from measuring every code block at once, and again at each change of a figure: scroll.js does it near the reader.

    Measured on chapter 2, mobile profile: 0.37 s of layout.
    """
    text = script.read_text(encoding="utf-8")
    measured, none = '["pre",".nboutput > .output_area"', '[".none",".nboutput > .output_area"'
    if measured not in text and none not in text:
        raise ExtensionError(
            f"{script.name} has changed: unhurried() in tools/sphinx_ext.py no longer finds its list of boxes"
        )
    text = (
        text.replace(measured, none)
        .replace('".cell_output > .output",', "")
        .replace('".pst-scrollable-table-container"', '".none"')
    )
    script.write_text(text, encoding="utf-8")


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


def slimmed(text: str, options: str, is_search: bool) -> str:
    """Return a page's HTML without what a reader does not need; the small script that must run first stands in the page.

    A page that an earlier build slimmed and this one left alone comes back as it was.
    """
    text = re.sub(
        r'<script src="(?!https?:)[^"]*documentation_options\.js[^"]*"></script>',
        lambda _: f"<script>{' '.join(options.split())}</script>",
        text,
    )
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
    # Roles that do not fit where docutils puts them, and lists within lists that stand beside their item instead of in it.
    text = text.replace(' role="doc-biblioentry"', "").replace('<div role="list" class="citation-list">', "<div>")
    head, mark, index = text.partition("<h1>All modules for which code is available</h1>")
    index = re.sub(r"</li>(?=\s*<ul>)", "", index)
    text = head + mark + (re.sub(r"</ul>(?=\s*(?:<li>|</ul>))", "</ul></li>", index) if mark else "")
    # The visible text must be part of a control's name; the sidebar is a landmark; its arrows have names.
    text = re.sub(r'(<button[^>]*(?:search-button|theme-switch-button)[^>]*?)\s+aria-label="[^"]*"', r"\1", text)
    text = text.replace(
        '<div id="pst-primary-sidebar" class',
        '<div id="pst-primary-sidebar" role="complementary" aria-label="Site" class',
    )
    text = text.replace(
        '<summary><span class="toctree-toggle"',
        '<summary aria-label="Pages below this one"><span class="toctree-toggle"',
    )
    return text


def one_stylesheet(out: Path, pages: list[Path]) -> None:
    """Give all pages one stylesheet that holds what they use; a build that wrote no page anew changes nothing."""
    link = r'[ \t]*<link[^>]*href="((?!https?:)[^"?]+\.css)(?:\?[^"]*)?"[^>]*/?>\n?'
    static = (out / "_static").resolve()
    sheet = static / "all.css"
    texts = {page: page.read_text(encoding="utf-8") for page in pages}
    linked = {page: [(page.parent / found).resolve() for found in re.findall(link, texts[page])] for page in pages}
    sheets = [path for path in dict.fromkeys(itertools.chain(*linked.values())) if path != sheet]
    if not sheets:
        return
    run = {(p.parent / s).resolve() for p in pages for s in re.findall(r'<script[^>]*src="([^"?]+)', texts[p])}
    scripts = [path.read_text(encoding="utf-8") for path in run if path.exists() and path.name != "searchindex.js"]
    css = styles.needed(styles.joined(static, sheets), styles.names(texts.values(), scripts))
    css = styles.with_icons(css, static)
    sheet.write_text(css, encoding="utf-8")
    version = hashlib.sha256(css.encode()).hexdigest()[:10]
    for page, text in texts.items():
        root = os.path.relpath(static, page.parent.resolve()).replace(os.sep, "/")
        replaced = iter([f'<link rel="stylesheet" href="{root}/all.css?v={version}" />\n'])
        page.write_text(re.sub(link, lambda m: next(replaced, ""), text), encoding="utf-8")  # noqa: B023


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
    app.add_css_file("figures/figures.css")
    app.add_js_file("scroll.js", loading_method="defer")
    app.connect("doctree-read", add_hints)
    app.connect("html-page-context", page_context, priority=900)
    app.connect("build-finished", slim, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
