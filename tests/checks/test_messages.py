"""What the exercises of a chapter say: messages in three parts, pairs of known mistakes, and the section that asks for each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from companion.checks import bank

BOOK = Path(__file__).resolve().parents[2] / "book"
AIDS = BOOK.parent / "companion" / "aids"
PAGES = {
    "02": "02_activations.ipynb",
    "03": "03_forward.ipynb",
    "04": "04_losses.ipynb",
    "05": "05_backprop.ipynb",
    "06": "06_gradient_descent.ipynb",
    "07": "07_optimizers.ipynb",
    "08": "08_challenges.ipynb",
    "09": "09_regularization.ipynb",
    "10": "10_training.ipynb",
    "11": "11_metrics.ipynb",
}
EXERCISES = [e for chapter in PAGES for id in bank.ids(chapter) for e in bank.variants(id)]


@pytest.mark.parametrize("exercise", EXERCISES, ids=[f"{e.id}-{e.variant}" for e in EXERCISES])
def test_messages_have_three_parts_that_occur_once_and_pairs_are_of_known_mistakes(exercise):
    names = [m.name for m in exercise.mistakes]
    for part in ("seen", "why", "next"):
        texts = [getattr(m, part) for m in exercise.mistakes]
        assert len(set(texts)) == len(texts)
        assert {m.name: len(t) for m, t in zip(exercise.mistakes, texts) if not 40 <= len(t) <= 220} == {}
    pairs = [name.split(", and ") for name in names if ", and " in name]
    assert {half for pair in pairs for half in pair} <= set(names)
    assert pairs or exercise.id in (
        "02.7",
        "03.7",
        "04.7",
        "05.7",
        "06.7",
        "07.8",
        "08.5",
        "08.8",
        "09.6",
        "09.8",
        "10.6",
        "10.8",
        "11.6",
        "11.8",
    )


@pytest.mark.parametrize("chapter", PAGES)
def test_every_exercise_names_a_section_of_the_chapter(chapter):
    if yaml.safe_load((AIDS / f"{PAGES[chapter][:-6]}.yml").read_text(encoding="utf-8")).get("status") == "draft":
        pytest.skip("the chapter's sections are still being written")
    cells = json.loads((BOOK / PAGES[chapter]).read_text(encoding="utf-8"))["cells"]
    lines = [line for c in cells if c["cell_type"] == "markdown" for line in "".join(c["source"]).splitlines()]
    headings = {line.lstrip("#").strip() for line in lines if line.startswith(("## ", "### "))}
    assert {e.id: e.read for e in EXERCISES if e.id[:2] == chapter and e.read not in headings} == {}
