"""Every item that the course promises is taught where book/brief.yml says, and every DOI is in the references."""

from __future__ import annotations

import re
from urllib.parse import unquote

import anatomy
import pytest
import yaml

from companion import study

ITEMS = {
    f"{group}: {item}": str(place)
    for group, items in yaml.safe_load((anatomy.ROOT / "book" / "brief.yml").read_text(encoding="utf-8")).items()
    for item, place in items.items()
}
NAMES = [p.stem for p in sorted((anatomy.ROOT / "book").glob("*.ipynb"))]
DOI = re.compile(r"https?://(?:dx\.)?doi\.org/(.+)")


def problems(items: dict[str, str], finished: set[str], anchors: dict[str, set[str]]) -> list[str]:
    """Return the items whose chapter is finished and whose place is not there."""
    found = []
    for item, place in items.items():
        page, _, anchor = place.partition("#")
        if not re.fullmatch(r"\d\d[a-f]?(?:_\w+)?", page):
            found.append(f"{item}: {place!r} names no chapter")
        elif page.split("_")[0] in finished and anchor not in anchors.get(page, set()):
            found.append(f"{item}: {place!r} is no heading of a finished chapter")
    return found


def test_items_of_finished_chapters_have_a_place_that_exists():
    finished = {"00", *anatomy.by_status("done")}
    anchors = {name: anatomy.anchors(anatomy.ROOT / "book" / f"{name}.ipynb") for name in NAMES}
    to_come = [item for item, place in ITEMS.items() if place.split("_")[0] not in finished]
    print(f"\nbrief: {len(ITEMS) - len(to_come)} items taught, {len(to_come)} in chapters to come")
    assert len(ITEMS) > len(to_come) > 0 or not to_come
    assert not problems(ITEMS, finished, anchors)


def test_a_missing_place_is_named():
    anchors = {"01_neurons": {"the-weighted-sum"}}
    items = {"a": "01_neurons#the-weighted-sum", "b": "01_neurons#gone", "c": "01", "d": "09", "e": "later"}
    found = problems(items, {"01"}, anchors)
    assert [f[0] for f in found] == ["b", "c", "e"]
    assert "01_neurons#gone" in found[0]


def missing_dois(text: str, references: str) -> list[str]:
    """Return the DOIs that a text links and the references do not hold."""
    known = {d.lower() for d in re.findall(r"\bdoi\s*=\s*[{\"]([^}\"]+)", references, flags=re.I)}
    linked = [m[1] for m in map(DOI.fullmatch, anatomy.links(text)) if m]
    return [doi for doi in linked if unquote(doi).lower() not in known]


@pytest.mark.parametrize("name", NAMES)
def test_linked_dois_are_in_the_references(name):
    references = (anatomy.ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    assert not missing_dois(anatomy.markdown(anatomy.read(anatomy.ROOT / "book" / f"{name}.ipynb")), references)


def test_a_doi_that_is_not_in_the_references_is_named():
    text = "[a](https://doi.org/10.1/A(1)2) and [b](https://doi.org/10.2/b) and [c](01_neurons.ipynb)"
    assert missing_dois(text, "doi = {10.1/a(1)2}") == ["10.2/b"]


def test_every_chapter_with_aids_has_a_page():
    assert {c for c in study.chapters()} <= {n.split("_")[0] for n in NAMES}
