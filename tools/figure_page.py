"""Figures on a page of their own, in the system's Chromium: what pictures, films and measurements of figures stand on."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import gate

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from companion import figures, study
from companion.figures import Figure

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
LOOK = (
    "body{margin:0;font:16px/1.5 system-ui,sans-serif;background:#fff;color:#1c2430}"
    "main{max-width:46rem;margin:auto;padding:0 12px}html[data-theme=dark] body{background:#14181e;color:#e6eaf0}"
)
#: An address that no machine has: the browser is handed the page itself, and the page has storage as on a real site.
ADDRESS = "http://figures.invalid/"
#: A figure starts when a reader comes near: go past all of them, as one does, and back to what was on the screen.
PAST_ALL = """async () => {
  dispatchEvent(new Event("wheel")); // a reader who moves: from here on no figure holds the page
  const seen = scrollY && document.elementFromPoint(innerWidth / 2, innerHeight / 2), place = seen && (seen.closest("[data-nfig]") || seen);
  const top = place && place.getBoundingClientRect().top;
  for (const figure of document.querySelectorAll("[data-nfig]:not([data-on])")) {
    if (!figure.getClientRects().length) continue;
    figure.scrollIntoView({ behavior: "instant" });
    for (let n = 0; !figure.dataset.on; n += 1) {
      if (n > 600) throw new Error(`figure ${figure.dataset.nfig} did not start`);
      await new Promise(requestAnimationFrame);
    }
  }
  if (place) scrollBy({ top: place.getBoundingClientRect().top - top, behavior: "instant" });
  else scrollTo({ top: 0, behavior: "instant" }); }"""


def names() -> dict[str, str]:
    """Return where each figure with a default state is made, by its name: module `figures` or, for study aids, `study`.

    A figure is a function of ``companion.figures`` without arguments, a study aid one of ``companion.study`` that
    wants a chapter or nothing. So a new one is found without being listed anywhere.
    """
    found: dict[str, str] = {}
    for module, wanted in ((figures, [[]]), (study, [[], ["chapter"]])):
        for name, thing in vars(module).items():
            if name.startswith("_") or not inspect.isfunction(thing):
                continue
            given = inspect.signature(thing)
            free = [p.name for p in given.parameters.values() if p.default is p.empty]
            if free in wanted and given.return_annotation in (Figure, "Figure"):
                found[name] = module.__name__.rsplit(".", 1)[1]
    return found


def chapter() -> str:
    """Return the chapter whose study aids stand for all: the first that is done."""
    return study.finished()[0].chapter


@cache
def default(name: str) -> Figure:
    """Return a figure or study aid in its default state."""
    where = names()
    if name not in where:
        raise SystemExit(f"figures: expected one of {', '.join(sorted(where))}, got {name!r}")
    if where[name] == "figures":
        return getattr(figures, name)()
    make = getattr(study, name)
    return make(chapter()) if inspect.signature(make).parameters else make()


def unseen() -> list[str]:
    """Return the modules of which no function makes a default state."""
    shown = {default(name).name for name in names()}
    return sorted(set(figures.modules()) - shown)


def document(body: str, modules: Sequence[str], *, title: str = "Figures", mode: str = "light", style: str = "") -> str:
    """Return a whole page that needs nothing but itself, with the scripts of these modules."""
    files = figures.page_files()
    script = "\n".join(files[f"{name}.js"] for name in dict.fromkeys(["kit", *modules]))
    return (
        f'<!doctype html><html lang="en" data-theme="{mode}"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">'
        f"<style>{LOOK}{files['figures.css']}{style}</style></head><body><main>{body}</main><script>{script}</script></body></html>"
    )


def page(shown: Sequence[Figure], *, mode: str = "light", style: str = "", heading: bool = False) -> str:
    """Return a whole page with these figures, one under the other."""
    title = "<h1>Figures</h1>" if heading else ""
    return document(title + "".join(f.html for f in shown), [f.name for f in shown], mode=mode, style=style)


@contextlib.contextmanager
def browser(tool: str) -> Iterator[Browser]:
    """Start the system's Chromium for a tool, or leave with one sentence."""
    found = gate.chromium()
    if not found:
        sys.exit(
            f"{tool}: no Chromium found; install it (Debian: apt install chromium) or set CHROMIUM=/path/to/chrome"
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        started = p.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


def fill(view: Page, text: str) -> None:
    """Put a page into the browser and wait until every figure stands and every letter has its font."""
    view.unroute(ADDRESS)
    view.route(ADDRESS, lambda route: route.fulfill(body=text, content_type="text/html; charset=utf-8"))
    view.goto(ADDRESS, wait_until="load")
    start_all(view)


def start_all(view: Page) -> None:
    """Start every figure of a page and wait until it is drawn: a plot takes its width in the frame after its start."""
    view.evaluate(PAST_ALL)
    settle(view)


def settle(view: Page) -> None:
    """Wait until what was asked for is painted: two frames, because the first may still belong to what was before."""
    view.evaluate(
        "() => document.fonts.ready.then(() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))))"
    )
