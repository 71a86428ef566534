"""The system's Chromium, the built site, served, and visits to its pages, for every test that needs them."""

from __future__ import annotations

import functools
import http.server
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import gate
import site_server
from built import ADDRESS, CONFIG, HTML, Visit

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def chromium():
    path = gate.chromium_here()
    if not path:
        pytest.skip("no Chromium: install the system's package or set CHROMIUM=/path/to/chrome")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=path, args=FLAGS)
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
    handler = functools.partial(site_server.below(ADDRESS, site_server.Quiet), directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


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
            page.wait_for_function("() => !document.querySelector('[data-nfig]:not([data-on])')")
        return page

    yield opener
    for context in contexts:
        context.close()
    assert complaints == []
