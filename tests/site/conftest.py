"""The system's Chromium, the built site, served, and visits to its pages, for every test that needs them."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import figure_page
import gate
import site_server
from built import ADDRESS, CONFIG, HTML, Visit

from companion import figures

# Set sliders by their label, as a hand would, and read each number that is shown with all its digits.
HELPERS = """
window.fig = (name) => document.querySelector(`[data-nfig=${name}]`);
window.ctl = (name, label) => { const f = fig(name);
  const l = [...f.querySelectorAll("label")].find((x) => x.textContent.startsWith(label));
  return f.querySelector("#" + l.htmlFor); };
window.put = (name, label, v) => { const c = ctl(name, label); c.value = v;
  c.dispatchEvent(new Event(c.type === "range" ? "input" : "change", { bubbles: true })); return +c.value; };
window.num = (name, sel) => { const v = fig(name).querySelector(sel).dataset.v;
  return v === "NaN" ? NaN : Number(v); };
window.row = (name, sel) => [...fig(name).querySelectorAll(sel)].map((c) => c.dataset.v);
window.press = (name, text) => [...fig(name).querySelectorAll("button")]
  .find((b) => b.textContent.startsWith(text)).click();
window.say = (name) => fig(name).querySelector(".nfig-say").textContent;
"""


@pytest.fixture(scope="session")
def chromium():
    path = gate.chromium_here()
    if not path:
        pytest.skip("no Chromium: install the system's package or set CHROMIUM=/path/to/chrome")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=path, args=figure_page.FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site():
    """The folder of the built site."""
    folder = HTML
    if not (folder / "book" / "index.html").exists():
        pytest.fail(f"no site in {folder}: run make book first", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def served(site):
    """The address at which the built site is served, as a reader's browser sees it."""
    with site_server.served(site, ADDRESS) as address:
        yield address


@pytest.fixture
def visit(chromium, served):
    """Return a function that opens a page of the site; whatever it opened is closed after the test."""
    visits = []

    def opener(path, **options):
        visits.append(Visit(chromium, served, path, **options))
        return visits[-1]

    yield opener
    for one in visits:
        one.context.close()


@pytest.fixture(scope="session")
def config(site):
    return CONFIG


@pytest.fixture
def opened(chromium):
    """Return a function that opens a page in a fresh context; no page may log, fail or ask another host."""
    contexts, complaints = [], []

    def opener(
        url: str, *, script: str = "", js: bool = True, width: int = 1280, clock: float | None = None, **options
    ):
        context = chromium.new_context(viewport={"width": width, "height": 900}, java_script_enabled=js, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.on(
            "request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else complaints.append(r.url)
        )
        if clock is not None:
            page.clock.set_fixed_time(clock)
        if script:
            page.add_init_script(script)
        page.goto(url)
        if js:
            figure_page.start_all(page)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def page_with(tmp_path_factory):
    """Return a function that gives the address of a page with some figures. A page with all takes six times as long to open."""
    folder = tmp_path_factory.mktemp("figures")

    @functools.cache
    def address(*names: str) -> str:
        file = folder / f"{len(list(folder.iterdir()))}.html"
        file.write_text(figure_page.page([figure_page.default(n) for n in names], heading=True), encoding="utf-8")
        return file.as_uri()

    return address


@pytest.fixture
def harness(page_with, request):
    """The address of a page with the figures that the test file names in ``SHOWN``; without it, with every figure."""
    return page_with(*getattr(request.module, "SHOWN", figures.GALLERY))


@pytest.fixture
def open_page(opened, harness, page_with):
    """Return a function that opens the page of these figures, or of one alone, with names for what a hand does there."""

    def opener(*, url: str = harness, only: str = "", js: bool = True, **options):
        page = opened(page_with(only) if only else url, js=js, **options)
        if js:
            page.evaluate(HELPERS + "0")
        return page

    return opener
