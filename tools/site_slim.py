"""After the build: what a page carries is cut down to what its readers need."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import time
from pathlib import Path

import kept
import site_extras
import site_search
import styles
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

#: Scripts that a page may run later, in order, without holding up its first paint.
DEFERRED = r"doctools|sphinx_highlight|clipboard\.min|copybutton|scripts/sphinx-book-theme|scripts/bootstrap|scripts/pydata-sphinx-theme"

#: Highlighted code. A name, a bracket and a space have the colour of the code around them: 4,900 elements of chapter 2, a third of all.
HIGHLIGHTED = re.compile(r'<div class="highlight"><pre>.*?</pre>', re.S)


def slim(app: Sphinx, error: Exception | None) -> None:
    """After the build: defer scripts, one stylesheet, names for the theme's unnamed controls.

    The theme writes these tags inside its own macros, out of reach of page_context.
    """
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    site_extras.near_again(out / "404.html", app.config.html_baseurl)
    texts = site_search.write(app, out)
    pages = [
        file
        for file in out.rglob("*.html")
        if "_static" not in file.relative_to(out).parts and not site_extras.is_redirect(file)
    ]
    options = (out / "_static" / "documentation_options.js").read_text(encoding="utf-8")
    for file in pages:
        before = file.read_text(encoding="utf-8")
        is_search = file == out / "search.html"  # the source of companion.figures.search has a page of this name too
        after = slimmed(before, options, is_search)
        after = site_search.loaded(after, texts) if is_search else after
        if after != before:
            file.write_text(after, encoding="utf-8")
    one_stylesheet(out, pages)
    for script, changes in UNHURRIED.items():
        unhurried(out / "_static" / script, changes)
    site_extras.write(app, out)


#: What scripts of the theme do to a whole chapter at once, and how each does it less hurriedly: the code boxes are measured by
#: scroll.js near the reader, and get their copy buttons there. Measured on chapter 2, mobile profile: 0.37 s of layout, and 0.07 s.
UNHURRIED = {
    "scripts/pydata-sphinx-theme.js": [
        (
            '["pre",".nboutput > .output_area",".cell_output > .output",".jp-RenderedHTMLCommon",".pst-scrollable-table-container"]',
            '[".nboutput > .output_area",".jp-RenderedHTMLCommon"]',
        ),
    ],
    "copybutton.js": [
        (
            "codeCells.forEach((codeCell, index) => {",
            """;((cells, addButton) => {
    const near = new IntersectionObserver((met) => met.filter((m) => m.isIntersecting).forEach(({ target }) => {
      near.unobserve(target)
      addButton(target, [...cells].indexOf(target))
    }), { rootMargin: '800px' })
    cells.forEach((cell) => near.observe(cell))
  })(codeCells, (codeCell, index) => {""",
        ),
    ],
}


def unhurried(script: Path, changes: list[tuple[str, str]]) -> None:
    """Make the changes in a script; one that an earlier build changed stays as it is, one that no longer fits stops the build."""
    text = script.read_text(encoding="utf-8")
    for before, after in changes:
        if after in text:
            continue
        if before not in text:
            raise ExtensionError(
                f"{script.name} has changed: UNHURRIED in tools/site_slim.py no longer finds {before!r}"
            )
        text = text.replace(before, after)
    script.write_text(text, encoding="utf-8")


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
    text = HIGHLIGHTED.sub(lambda found: re.sub(r'<span class="[npw]">([^<]*)</span>', r"\1", found[0]), text)
    text = re.sub(r"<img (?![^>]*loading=)", '<img loading="lazy" ', text)
    # Roles that do not fit where docutils puts them, and lists within lists that stand beside their item instead of in it.
    text = text.replace(' role="doc-biblioentry"', "").replace('<div role="list" class="citation-list">', "<div>")
    head, mark, index = text.partition("<h1>All modules for which code is available</h1>")
    index = re.sub(r"</li>(?=\s*<ul>)", "", index)
    text = head + mark + (re.sub(r"</ul>(?=\s*(?:<li>|</ul>))", "</ul></li>", index) if mark else "")
    # The visible text must be part of a control's name; the sidebar is a landmark; its arrows have names.
    text = re.sub(r'(<button[^>]*(?:search-button|theme-switch-button)[^>]*?)\s+aria-label="[^"]*"', r"\1", text)
    text = text.replace('<summary aria-label="Toggle hidden content">', "<summary>")
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
    rules, used = styles.joined(static, sheets), styles.names(texts.values(), scripts)
    made_from = (rules, " ".join(sorted(used)), Path(styles.__file__))
    css = kept.kept(made_from, lambda: styles.with_icons(styles.needed(rules, used), static).encode()).decode()
    sheet.write_text(css, encoding="utf-8")
    version = hashlib.sha256(css.encode()).hexdigest()[:10]
    for page, text in texts.items():
        root = os.path.relpath(static, page.parent.resolve()).replace(os.sep, "/")
        replaced = iter([f'<link rel="stylesheet" href="{root}/all.css?v={version}" />\n'])
        page.write_text(re.sub(link, lambda m: next(replaced, ""), text), encoding="utf-8")  # noqa: B023


def without_figure_numbers() -> None:
    """Let Sphinx number no figures: none has a number here, and to count them it opens every page again, 3 s of each build."""
    from sphinx.environment.collectors.toctree import TocTreeCollector

    TocTreeCollector.assign_figure_numbers = lambda self, env: []  # type: ignore[method-assign]


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
