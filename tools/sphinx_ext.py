"""Sphinx hooks of the site: what a reading page needs and nothing else, and what search engines and cards want."""

from __future__ import annotations

import html
import re
from typing import Any

import release
import site_code
import site_env
import site_extras
import site_meta
import site_search
import site_slim
import site_terms
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

COURSE_VERSION = release.version()  # read once, and shown below every page


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


def add_listening(app: Sphinx, doctree: nodes.document) -> None:
    """Put the player that reads a chapter aloud under its title, and its film, if there is one, under its dialogue."""
    import video

    from companion import study

    chapter = site_terms.chapter_of(app.env.docname)
    title = doctree.next_node(nodes.title)
    if title is None or chapter not in {aids.chapter for aids in study.finished()}:
        return
    title.parent.insert(title.parent.index(title) + 1, nodes.raw("", study.listener(chapter).html, format="html"))
    for section in list(doctree.findall(nodes.section)):
        if "dialogue" in section["ids"]:
            section += nodes.raw("", video.section(chapter), format="html")


def add_index(app: Sphinx, doctree: nodes.document) -> None:
    """Put the general index into the side bar after the glossary; Sphinx makes that page, so _toc.yml cannot name it."""
    for tree in doctree.findall(addnodes.toctree) if app.env.docname == app.config.root_doc else ():
        names = [name for _, name in tree["entries"]]
        if "book/glossary" in names and "genindex" not in names:
            tree["entries"].insert(names.index("book/glossary") + 1, (None, "genindex"))


def page_context(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Add description and sharing card, load figures only where there are any, drop what the site does not use."""
    if app.builder.format != "html":
        return
    context["course_version"] = COURSE_VERSION
    body = context.get("body") or ""
    if body:
        body = context["body"] = site_code.linked(app, page, body, doctree) + site_terms.below(app, page)
    shown = sorted(set(re.findall(r'data-nfig="(\w+)"', body)))
    for name in ["kit", *shown] if shown else []:
        app.add_js_file(f"figures/{name}.js", loading_method="defer")
    if 'class="term-note"' in body:
        app.add_js_file("terms.js", loading_method="defer")
    unused = ["thebe", "THEBE", "mathjax", "MathJax", "require.min", "embed-amd", "katex-math.css"]
    unused += ["design-tabs", "sphinx-design", "togglebutton"]  # no page has tabs of theirs or toggle classes

    def kept(file: Any) -> bool:
        text = f"{getattr(file, 'filename', file)} {getattr(file, 'attributes', {})}"
        return not any(word in text for word in unused)

    context["script_files"] = [f for f in context["script_files"] if kept(f)]
    context["css_files"] = [f for f in context["css_files"] if kept(f)]
    meta = site_meta.tags(app, page, context, doctree)
    context["metatags"] = re.sub(r'<meta name="description"[^>]*>\n?', "", context.get("metatags") or "") + meta


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the hooks."""
    app.add_config_value("looks", "", "html")
    app.add_config_value("films", "", "env")
    site_slim.patient_katex()
    site_slim.without_figure_numbers()
    site_env.connect(app)
    site_terms.connect(app)
    site_code.connect(app)
    app.add_css_file("figures/figures.css")
    app.add_js_file("scroll.js", loading_method="defer")
    app.connect("doctree-read", add_hints)
    app.connect("doctree-read", add_listening)
    app.connect("doctree-read", add_index, priority=950)
    app.connect("doctree-read", site_search.remember, priority=990)  # the last: of the page as it is kept
    app.connect("html-page-context", page_context, priority=900)
    app.connect("html-collect-pages", site_extras.lost)
    app.connect("html-collect-pages", site_search.remember_index)
    app.connect("build-finished", site_slim.slim, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
