"""Where the site leads on to: launch links, what opens there, renamed pages, lost visitors, sitemap, cards, structured data."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import kept
import pytest
import site_card
import site_extras
from built import (
    ADDRESS,
    CHAPTERS,
    HTML,
    NOTEBOOKS,
    PAGES,
    REDIRECT,
    ROOT,
    SAMPLE,
    TAUGHT,
    each_notebook,
    each_taught,
    read,
)
from sphinx.errors import ExtensionError

from companion import study

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "notebooks"))
from test_rendering import residue

# ---- launching


@pytest.fixture(scope="module")
def committed():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(listed.stdout.splitlines())


def launched(address: str) -> tuple[str, str, str, str] | None:
    """Return host, repository, branch and path of a link that opens a file of a repository elsewhere."""
    parts = urlsplit(address)
    if parts.netloc == "colab.research.google.com":
        found = re.fullmatch(r"/github/([^/]+/[^/]+)/blob/([^/]+)/(.+)", parts.path)
        return ("colab", *found.groups()) if found else ("colab", "", "", "")
    if parts.netloc == "mybinder.org":
        found = re.fullmatch(r"/v2/gh/([^/]+/[^/]+)/([^/]+)", parts.path)
        path = parse_qs(parts.query).get("urlpath", [""])[0]
        return ("binder", *found.groups(), path.removeprefix("lab/tree/")) if found else ("binder", "", "", "")
    found = re.fullmatch(r"/([^/]+/[^/]+)/(?:edit|blob)/([^/]+)/(.+)", parts.path)
    return ("github", *found.groups()) if found and parts.netloc == "github.com" else None


@each_notebook
def test_every_launch_link_opens_this_notebook_of_this_repository(config, committed, path):
    slug = urlsplit(config["repository"]["url"]).path.strip("/")
    found = [link for link in map(launched, read(path).links) if link]
    assert {host for host, *_ in found} == {"colab", "binder", "github"}
    notebook = path.replace(".html", ".ipynb")
    assert notebook in committed
    assert {tuple(rest) for _, *rest in found} == {(slug, config["repository"]["branch"], notebook)}


@each_notebook
def test_lab_opens_by_binder_and_the_notebook_can_be_downloaded(path):
    assert any(urlsplit(a).netloc == "mybinder.org" and "urlpath=lab/tree/" in a for a in read(path).links)
    assert f"../_sources/{path.replace('.html', '.ipynb')}" in read(path).links


def test_binder_finds_what_it_needs_to_install(committed):
    assert {".binder/requirements.txt", ".binder/runtime.txt"} <= committed


@each_notebook
def test_what_opens_reads_well_without_our_markup(site, path):
    copy = json.loads((site / "_sources" / path.replace(".html", ".ipynb")).read_text(encoding="utf-8"))
    prose = ["".join(c["source"]) for c in copy["cells"] if c["cell_type"] == "markdown"]
    assert len(prose) >= 3
    assert [found for text in prose for found in residue(text)] == []


# ---- renamed pages


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("book/old: book/nowhere", r"leads book/old to book/nowhere, and there is no such page; name one of _toc\.yml"),
        ("book/a: book/b", r"leads book/a to book/b, but book/a is still a page; rename it or remove the line"),
        (
            "book/x: book/y\nbook/y: book/a",
            r"leads book/x to book/y, which leads on to book/a; lead book/x there at once",
        ),
        ("- book/x", r"expected lines `old/page: new/page`, got list"),
    ],
)
def test_a_redirect_that_leads_nowhere_is_refused_in_a_sentence(text, said):
    with pytest.raises(ExtensionError, match=f"^redirects: book/redirects.yml {said}$"):
        site_extras.redirects(text, {"book/a", "book/b"})


def test_no_redirects_are_none():
    assert site_extras.redirects("# nothing\n{}\n", {"book/a"}) == {}
    assert site_extras.redirects("", {"book/a"}) == {}


def test_a_renamed_page_leads_to_its_new_place_until_it_is_no_longer_listed(tmp_path):
    (tmp_path / "real.html").write_text("<html><head></head></html>")
    site_extras.write_redirects(tmp_path, {"deep/er/old": "book/new"}, "https://x.io/course/", "en")
    page = (tmp_path / "deep/er/old.html").read_text()
    assert '<meta http-equiv="refresh" content="0; url=../../book/new.html">' in page
    assert '<link rel="canonical" href="https://x.io/course/book/new.html">' in page
    assert '<a href="../../book/new.html">' in page
    assert site_extras.is_redirect(tmp_path / "deep/er/old.html")
    site_extras.write_redirects(tmp_path, {}, "https://x.io/course/", "en")
    assert [p.name for p in tmp_path.rglob("*.html")] == ["real.html"]


# ---- lost visitors


@pytest.mark.browser
@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("depth", ["nowhere.html", "book/nowhere.html", "a/b/c/d/"])
def test_a_lost_visitor_finds_search_and_contents_from_any_depth(visit, served, depth, mode):
    below = urlsplit(ADDRESS).path.strip("/")
    seen = visit(f"{below}/{depth}", mode=mode)
    assert seen.answer.status == 404
    assert [r.url for r in seen.responses if r.status >= 400] == [seen.page.url]
    assert seen.page.locator("h1").inner_text() == "This page is not here"
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    assert [v["id"] for v in axe.run(seen.page).response["violations"]] == []
    links = seen.page.locator("article.lost nav a")
    assert links.count() >= len(CHAPTERS)
    assert seen.page.locator("article.lost nav a[href$='book/01_neurons.html']").count() == 1
    seen.page.get_by_label("Search the course").fill("bias")
    seen.page.get_by_label("Search the course").press("Enter")
    seen.page.locator("ul.search > li").first.wait_for()
    assert urlsplit(seen.page.url).path == f"/{below}/search.html"


def test_the_lost_page_survives_a_build_that_leaves_it_alone(tmp_path):
    page = tmp_path / "404.html"
    first = '<html data-content_root="./"><link href="_static/all.css"><a href="#here">x</a><a href="https://x.io/">y</a></html>'
    page.write_text(first)
    site_extras.from_any_depth(page, "https://x.io/course/")
    shown = page.read_text()
    assert 'href="/course/_static/all.css"' in shown
    site_extras.near_again(page, "https://x.io/course/")
    assert 'href="_static/all.css"' in page.read_text()
    site_extras.from_any_depth(page, "https://x.io/course/")
    assert page.read_text() == shown


def test_the_server_of_the_tests_answers_as_the_host_does(served):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{served}nowhere")
    assert refused.value.code == 404
    assert b"This page is not here" in refused.value.read()


# ---- for search engines


def test_the_sitemap_holds_every_page_by_its_canonical_address(site):
    places = {e.text for e in ET.parse(site / "sitemap.xml").iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")}
    wanted = {ADDRESS + p for p in PAGES if p.startswith(("book/", "exercises/", "solutions/"))}
    assert places == wanted
    assert f"Sitemap: {ADDRESS}sitemap.xml" in (site / "robots.txt").read_text()


@pytest.mark.parametrize("path", [p for p in PAGES if p not in (REDIRECT, "404.html")])
def test_every_page_names_its_canonical_address(site, path):
    page = (site / path).read_text(encoding="utf-8")
    assert re.findall(r'<link rel="canonical" href="([^"]+)"', page) == [ADDRESS + path]


def graph(path: str) -> dict[str, dict]:
    (text,) = re.findall(
        r'<script type="application/ld\+json">(.*?)</script>', (HTML / path).read_text(encoding="utf-8"), re.S
    )
    data = json.loads(text)
    assert data["@context"] == "https://schema.org"
    return {thing["@type"]: thing for thing in data["@graph"]}


def test_the_first_page_is_the_course(site):
    course = graph("book/index.html")["Course"]
    assert course["name"] == "From Neurons to GANs"
    assert {part["@id"] for part in course["hasPart"]} == {ADDRESS + p for p in CHAPTERS}
    assert len(course["description"]) > 40


@each_taught
def test_a_chapter_says_what_it_teaches(site, path):
    things = graph(path)
    aids = study.load(path.split("/")[1][:2])
    chapter = things["LearningResource"]
    assert chapter["teaches"] == [" ".join(o.text.split()) for o in aids.objectives]
    assert (chapter["name"], chapter["description"], chapter["url"]) == (aids.title, aids.promise, ADDRESS + path)
    assert re.fullmatch(r"PT\d+M", chapter["timeRequired"])
    assert chapter["isPartOf"]["@id"] == graph("book/index.html")["Course"]["@id"]
    steps = [step["item"] for step in things["BreadcrumbList"]["itemListElement"]]
    assert steps == [f"{ADDRESS}book/index.html", ADDRESS + path]


@pytest.mark.parametrize("path", [p for p in SAMPLE if p != "book/index.html"])
def test_the_way_to_a_page_names_pages_that_are_there(site, path):
    steps = graph(path)["BreadcrumbList"]["itemListElement"]
    assert [step["position"] for step in steps] == list(range(1, len(steps) + 1))
    assert steps[-1]["item"] == ADDRESS + path
    assert [s["item"] for s in steps if not (site / s["item"].removeprefix(ADDRESS)).exists()] == []


# ---- cards

SVG = '<svg viewBox="0 0 100 60"><rect width="100" height="60" fill="{}"/></svg>'


@each_taught
def test_each_chapter_has_a_card_of_its_own(site, path):
    from PIL import Image

    cards = {p: (site / "_static" / "cards" / f"{p.split('/')[1][:2]}.png").read_bytes() for p in TAUGHT}
    own = cards.pop(path)
    assert len(own) <= site_card.LIMIT
    assert Image.open(io.BytesIO(own)).size == (1200, 630)
    assert own not in cards.values()


@pytest.mark.browser
def test_a_card_shows_the_figure_and_is_drawn_once(chromium, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    red, blue = (site_card.drawn(SVG.format(colour)) for colour in ("#ff0000", "#0000ff"))
    assert red != blue
    assert site_card.card("A title", "A line", "Chapter 0", red) != site_card.card(
        "A title", "A line", "Chapter 0", blue
    )
    assert site_card.card("A title", "A line", "Chapter 0", red) == site_card.card(
        "A title", "A line", "Chapter 0", red
    )
    monkeypatch.setattr(site_card, "photograph", lambda *_: pytest.fail("drawn again"))
    assert site_card.drawn(SVG.format("#ff0000")) == red


def test_a_card_without_a_browser_shows_a_network(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    monkeypatch.setattr(site_card.gate, "chromium_here", lambda: None)
    assert site_card.drawn(SVG.format("#ff0000")) == b""
    assert site_card.drawn("") == b""
    assert site_card.card("A title", "A line", "")[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_card_that_grew_too_heavy_is_refused(monkeypatch):
    monkeypatch.setattr(site_card, "LIMIT", 1000)
    with pytest.raises(
        ValueError, match=r"^card: 'A title' expected at most 1000 bytes, got \d+; draw its first figure"
    ):
        site_card.card("A title", "A line", "")


def test_the_first_figure_of_a_chapter_is_taken_from_its_notebook(tmp_path):
    shell = '<figure data-nfig="{}"><div class="nfig-fallback">{}</div></figure>'
    outputs = [
        {"data": {"text/html": shell.format("a", "<p>words</p>")}},
        {"data": {"text/html": [shell.format("b", SVG)]}},
    ]
    notebook = tmp_path / "n.ipynb"
    notebook.write_text(json.dumps({"cells": [{"cell_type": "code", "outputs": outputs}]}))
    assert site_card.first_figure(notebook) == SVG
    assert site_card.first_figure(tmp_path / "none.ipynb") == ""


def test_there_are_notebooks_to_open():
    assert len(NOTEBOOKS) >= 7
