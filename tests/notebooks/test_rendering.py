"""Markdown reads well where nothing of ours renders it (GitHub, JupyterLab, Colab), and relative links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import anatomy
import build_site
import notebooks
import pages
import pytest

RESIDUE = {
    "a colon fence": re.compile(r":::"),
    "a directive": re.compile(r'<code class="language-\{'),
    "a role": re.compile(r"\{[a-zA-Z][\w:-]*\}(?:<code>|`)"),
    "a target": re.compile(r"(?m)^(?:<p>)?\([\w-]+\)="),
    "a comment": re.compile(r"(?m)^(?:<p>)?% |<!--"),
    "unrendered emphasis": re.compile(r"(?<!\*)\*\*(?!\*)"),
}
PAGES = notebooks.notebooks() + sorted((anatomy.ROOT / "book").glob("*.md"))
#: Pages of the site that are made from data when it is built.
MADE = {Path(name).name for name in pages.generated()}
every = pytest.mark.parametrize("path", PAGES, ids=lambda p: p.relative_to(anatomy.ROOT).as_posix())


def texts(path: Path) -> list[str]:
    """Return the pieces that are rendered on their own: the markdown cells, or a whole .md file."""
    if path.suffix == ".md":
        return [path.read_text(encoding="utf-8")]
    return [c["source"] for c in anatomy.read(path) if c["cell_type"] == "markdown"]


def residue(text: str) -> list[str]:
    """Return what a plain renderer leaves standing as signs that mean nothing to a reader."""
    found = []
    code_free = re.sub(r"`[^`\n]*`", "", re.sub(r"(?ms)^(```|~~~).*?^\1", "", text))
    if code_free.count("$$") % 2:
        found.append("an unbalanced $$")
    elif re.sub(r"\\\$", "", re.sub(r"\$\$.*?\$\$", "", code_free, flags=re.S)).count("$") % 2:
        found.append("an unbalanced $")
    formulas = re.sub(r"(?<!\\)\$[^$\n]+\$", "x", re.sub(r"\$\$.*?\$\$", "x", text, flags=re.S))
    shown = anatomy.rendered(formulas)
    prose = re.sub(r"(<code[^>]*>).*?</code>", r"\1", shown, flags=re.S)
    for what, pattern in RESIDUE.items():
        if hit := pattern.search(prose):
            found.append(f"{what}: ...{prose[max(0, hit.start() - 20) : hit.end() + 30]}...")
    return found


def dead(text: str, folder: Path) -> list[str]:
    """Return the relative links that lead to no file, no chapter to come, or no heading."""
    found = []
    for link in anatomy.links(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = folder / name
        if name and not target.exists():
            if name not in {f"{chapter}.ipynb" for chapter in build_site.CHAPTERS} | MADE:
                found.append(f"{link}: no such file")
        elif anchor and target.suffix in {".ipynb", ".md"} and anchor not in anatomy.anchors(target):
            found.append(f"{link}: no such heading")
    return found


@every
def test_no_residue(path):
    assert not {
        f"{path.name}, {text.strip().splitlines()[0][:50]!r}": residue(text) for text in texts(path) if residue(text)
    }


@every
def test_relative_links_lead_somewhere(path):
    own = anatomy.anchors(path)
    wrong = [w for text in texts(path) for w in dead(text, path.parent)]
    wrong += [x for text in texts(path) for x in anatomy.links(text) if x.startswith("#") and x[1:] not in own]
    assert not wrong


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (":::{note}\nwords\n:::", "colon fence"),
        ("```{note}\nwords\n```", "directive"),
        ("see {ref}`there`", "role"),
        ("{doc}`there` and {cite:p}`a2020`", "role"),
        ("(label)=\n# T", "target"),
        ("% a remark", "comment"),
        ("<!-- a remark -->", "comment"),
        ("$$x = 1", "unbalanced $$"),
        ("the price $x and no more", "unbalanced $"),
        ("this is ** not bold**", "emphasis"),
    ],
)
def test_residue_is_found(text, what):
    found = residue(text)
    assert found
    assert what in found[0]


@pytest.mark.parametrize(
    "text", ["`{ref}` is a role", "$a_{ij}$ and $$b$$", "**bold** and *so*", "```python\nx ** 2\n```"]
)
def test_what_reads_well_is_left_alone(text):
    assert not residue(text)


def test_dead_links_are_named():
    book = anatomy.ROOT / "book"
    text = "[a](gone.ipynb) [b](25_energy.ipynb) [c](01_neurons.ipynb#gone) [d](01_neurons.ipynb#dialogue) [e](https://x.org)"
    assert dead(text, book) == ["gone.ipynb: no such file", "01_neurons.ipynb#gone: no such heading"]


def test_a_formula_that_katex_sets_in_red_stops_the_build(tmp_path, monkeypatch):
    monkeypatch.setattr(build_site, "HTML", tmp_path)
    (tmp_path / "good.html").write_text('<span class="katex">x</span>', encoding="utf-8")
    assert build_site.formulas_that_failed() == []
    red = '<span class="katex-error" title="ParseError: got &#x27;&amp;&#x27; at position 6">r &amp;= 1</span>'
    (tmp_path / "bad.html").write_text(red, encoding="utf-8")
    assert build_site.formulas_that_failed() == ["bad.html: ParseError: got '&' at position 6"]
