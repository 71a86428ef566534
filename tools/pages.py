"""Pages and files that are made from data: glossary, flashcards, bibliography, brief, benchmarks, evidence, architecture, API, scripts, cards, deck."""

from __future__ import annotations

import importlib
import io
import json
import tempfile
import zipfile
from pathlib import Path

import architecture_page
import evidence_page
import kept
import notebooks
import site_card
import video
import yaml

from companion import study

ROOT = notebooks.ROOT
API = {
    "functional": ("Functions", "What layers and losses compute, as pure functions.", ["functional"]),
    "nn": (
        "Layers",
        "The same as modules, with the names, parameters and initial values of `torch.nn`; and the ways to draw those values.",
        ["nn", "init"],
    ),
    "autograd": (
        "Automatic differentiation",
        "The engine of chapter 5: gradients on NumPy arrays, in code that can be read in one sitting.",
        ["autograd"],
    ),
    "optim": (
        "Optimizers and schedules",
        "How parameters move, and how far, with the names and states of `torch.optim`.",
        ["optim", "lr_scheduler"],
    ),
    "models": ("Models", "Networks that chapters build and use.", ["models", "models.perceptron", "summary"]),
    "training": (
        "Training",
        "The training loop that is a black box until chapter 6, the callbacks beside it, and the search for hyperparameters.",
        ["training", "search"],
    ),
    "data": ("Data", "Data sets, honest splits, batches, and changes that leave the label as it is.", ["data"]),
    "metrics": ("Metrics", "How good a model is, by scikit-learn's names, on tensors of any device.", ["metrics"]),
    "notebook": (
        "In the notebook",
        "Claims, figures, study aids and checks.",
        ["claims", "plotting", "figures", "figures.controls", "study", "checks"],
    ),
    "helpers": ("Helpers", "Errors, randomness and devices.", ["errors", "random", "device"]),
}


def generated() -> dict[str, str | bytes]:
    """Return the generated pages by their path in the staged sources."""
    made: dict[str, str | bytes] = {
        "book/glossary.md": glossary(),
        "book/flashcards.md": flashcards(),
        "book/bibliography.md": "# Bibliography\n\nEvery source that the chapters cite.\n\n```{bibliography}\n:all:\n:style: plain\n```\n",
        "book/brief.md": brief(),
        "book/benchmarks.md": benchmarks(),
        "book/evidence.md": evidence_page.page(),
        "book/architecture.md": architecture_page.page(),
        "book/gallery.md": kept.kept(gallery_sources(), lambda: gallery().encode()),
        "book/api/index.md": api_index(),
    }
    documented: set[str] = set()
    for name, (title, intro, modules) in API.items():
        blocks = "\n".join(api_block(m, documented) for m in modules)
        made[f"book/api/{name}.md"] = f"# {title}\n\n{intro}\n\n```{{eval-rst}}\n{blocks}```\n"
    return made


def api_block(module: str, documented: set[str]) -> str:
    """Return the directives for what a module of the companion offers under its own name, each thing once."""
    found = importlib.import_module(f"companion.{module}")
    lines = [f".. currentmodule:: companion.{module}", ""]
    for name, thing in sorted(vars(found).items(), key=lambda pair: pair[0].lower()):
        home = getattr(thing, "__module__", "") or ""
        own = home == found.__name__ or (
            home.startswith(found.__name__ + ".") and name in getattr(found, "__all__", [])
        )
        is_schema = isinstance(thing, type) and hasattr(thing, "model_fields")
        identity = f"{home}.{name}"
        if name.startswith("_") or not own or is_schema or identity in documented or not callable(thing):
            continue
        documented.add(identity)
        if isinstance(thing, type):
            lines += [f".. autoclass:: {name}", *members(thing), ""]
        else:
            lines += [f".. autofunction:: {name}", ""]
    return "\n".join(lines) + "\n"


def members(thing: type) -> list[str]:
    """Return the line that names a class's own methods, without those that say the same in every layer."""
    told = {"forward", "extra_repr", "reset_parameters"}
    own = [n for n, m in vars(thing).items() if callable(m) or isinstance(m, (classmethod, staticmethod))]
    named = [n for n in own if not n.startswith("_") and n not in told and getattr(thing, n).__doc__]
    return [f"   :members: {', '.join(named)}"] if named else []


def figure_files() -> dict[str, str]:
    """Return the scripts and the stylesheet of all interactive figures by their path below _static/."""
    from companion import figures

    return {f"figures/{name}": text for name, text in figures.page_files().items()}


def static_files() -> dict[str, str | bytes]:
    """Return the generated static files by their path below _static/."""
    made: dict[str, str | bytes] = {**figure_files(), **video.static_files(), "neurons-to-gans.apkg": deck()}
    made["cards/site.png"] = site_card.card(
        "From Neurons to GANs", "Deep learning you can read, run, move and check", ""
    )
    for aids in study.finished():
        figure = site_card.drawn(site_card.first_figure(notebooks.executed(ROOT / "book" / page_of(aids.chapter))))
        made[f"cards/{aids.chapter}.png"] = site_card.card(aids.title, aids.promise, f"Chapter {aids.chapter}", figure)
    return made


def page_of(chapter: str) -> str:
    """Return the file name of a chapter's notebook."""
    return next((ROOT / "book").glob(f"{chapter}_*.ipynb")).name


def glossary() -> str:
    """Return the glossary: every term of every chapter, linked to where it is explained."""
    terms = sorted(((t, a.chapter) for a in study.finished() for t in a.terms), key=lambda pair: pair[0].term.lower())
    entries = "\n\n".join(
        f"{t.term}\n  {' '.join(t.definition.split())} Explained in [chapter {c}]({page_of(c)}#{t.anchor})."
        for t, c in terms
    )
    return (
        "# Glossary\n\nEvery term of the course, linked to the section that explains it. Functions and terms together stand "
        f'in the <a href="../genindex.html">index</a>.\n\n```{{glossary}}\n{entries}\n```\n'
    )


def flashcards() -> str:
    """Return the page of all flashcards: those that are due in this browser, the Anki deck, and every card."""
    parts = [
        "# Flashcards\n\nAll cards of the course, and one "
        '<a href="../_static/neurons-to-gans.apkg" download>deck for Anki</a>. A card keeps its identity when its wording '
        "is mended, so your learning history stays.\n",
        f"## Due today\n\n{study.due_cards().html}\n",
    ]
    for aids in study.finished():
        rows = "".join(
            f"<details><summary>{study.inline(c.front)}</summary><p>{study.inline(c.back)}</p></details>\n"
            for c in aids.flashcards
        )
        parts.append(f'## {aids.chapter} {aids.title}\n\n<div class="cards">\n{rows}</div>\n')
    return "\n".join(parts)


def brief() -> str:
    """Return the page that says where each item the course promises is taught."""
    items = yaml.safe_load((ROOT / "book" / "brief.yml").read_text(encoding="utf-8"))
    lines = ["# What is taught where", "", "Every item that the course promises, and the section that teaches it.", ""]
    for group, entries in items.items():
        lines += [f"## {group}", "", "| Item | Taught in |", "| --- | --- |"]
        for item, place in entries.items():
            where = (
                f"[chapter {place[:2]}](" + place.replace("#", ".ipynb#") + ")"
                if "#" in str(place)
                else f"chapter {place} (to come)"
            )
            lines.append(f"| {item} | {where} |")
        lines.append("")
    return "\n".join(lines)


def benchmarks() -> str:
    """Return the table of the last recorded benchmark run."""
    found = json.loads((ROOT / "tests" / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    rows = "\n".join(
        f"| {r['name']} | {r['ratio']:.2f} | {r['ours_us']:.0f} | {r['theirs_us']:.0f} |" for r in found["rows"]
    )
    return (
        "# Benchmarks\n\nHand-written code against the library, in the same run: the median of many calls, in microseconds, and the "
        f"ratio of the two. Recorded on {found['date']} by `make bench` ({found['machine']}; {found['versions']}).\n\n"
        f"| What | ratio | ours (µs) | library (µs) |\n| --- | ---: | ---: | ---: |\n{rows}\n"
    )


def gallery_sources() -> list[str | Path]:
    """Return what the gallery is made from: figures that take seconds to compute, and the names of the chapters' pages."""
    names = sorted(path.name for path in (ROOT / "book").glob("*.ipynb"))
    return [*names, Path(__file__), ROOT / "constraints.txt", *kept.sources("companion")]


def gallery() -> str:
    """Return the page of all interactive figures, chapter by chapter."""
    from companion import figures

    chapters = {aids.chapter for aids in study.finished()}
    entries = sorted(figures.GALLERY.items(), key=lambda item: item[1].chapter)
    shown = [(name, entry, entry.make()) for name, entry in entries]
    parts = [
        "# All interactive figures\n\nEvery figure of the course that you can move, each with its question. They work without a "
        "kernel; in a notebook `from companion import figures` and the name in grey show the same.\n",
        "\n".join(f"- [{entry.title}](#all-{name}): {figure.task}" for name, entry, figure in shown),
    ]
    for name, entry, figure in shown:
        chapter = f"chapter {entry.chapter}"
        where = f"[{chapter}]({page_of(entry.chapter)})" if entry.chapter in chapters else f"{chapter} (to come)"
        parts.append(f"(all-{name})=\n## {entry.title}\n\nFrom {where}: `figures.{name}()`\n\n{figure.html}\n")
    return "\n".join(parts)


def api_index() -> str:
    """Return the first page of the API reference."""
    rows = "\n".join(f"| [{title}]({name}.md) | {intro} |" for name, (title, intro, _) in API.items())
    return (
        "# The companion package\n\nEverything that a chapter imports, from its own docstrings. Each function links to its source: "
        f"reading it is part of the course.\n\n| Part | What is in it |\n| --- | --- |\n{rows}\n"
    )


def deck() -> bytes:
    """Return all flashcards as an Anki deck; a note's identity comes from its card's key."""
    import genanki

    model = genanki.Model(
        1607392319,
        "From Neurons to GANs",
        fields=[{"name": "Front"}, {"name": "Back"}],
        templates=[{"name": "Card", "qfmt": "{{Front}}", "afmt": "{{FrontSide}}<hr id=answer>{{Back}}"}],
    )
    decks = []
    for aids in study.finished():
        one = genanki.Deck(2059400110 + int(aids.chapter[:2]), f"From Neurons to GANs::{aids.chapter} {aids.title}")
        for c in aids.flashcards:
            guid = genanki.guid_for("neurons-to-gans", aids.chapter, c.key)
            one.add_note(genanki.Note(model=model, fields=[study.inline(c.front), study.inline(c.back)], guid=guid))
        decks.append(one)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deck.apkg"
        genanki.Package(decks).write_to_file(str(path), timestamp=1_700_000_000)
        return undated(path)


def undated(path: Path) -> bytes:
    """Return an archive without the time at which it was packed, so that the same content has the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(path) as packed, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as fixed:
        for name in packed.namelist():
            fixed.writestr(zipfile.ZipInfo(name), packed.read(name), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
