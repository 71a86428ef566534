"""Numbers in the prose come from the cells beside them, and words that belittle the reader's trouble are not used."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

import anatomy
import pytest

from companion import study

BANNED = re.compile(r"\b(?:obviously|simply|just)\b", flags=re.I)
SIGN = r"(?:−|(?<![\w)])-)?"
DECIMAL = rf"{SIGN}(?<![\w.,])(?!0\d)\d[\d,]*\.\d+(?![\w]|\.\d)"
PERCENT = rf"{SIGN}(?<![\w.,])\d[\d,]*(?:\.\d+)?(?=\s?(?:%|percent\b|per cent\b))"
QUOTED = re.compile(rf"{PERCENT}|{DECIMAL}")
STORED = re.compile(r"[−-]?\d[\d,]*(?:\.\d+)?(?:e[−+-]?\d+)?")
IS_PERCENT = re.compile(r"\s?(?:%|percent\b|per cent\b)")
PAGES = sorted((anatomy.ROOT / "book").glob("*.ipynb"))


def prose(text: str) -> str:
    """Return Markdown without code, formulas, links and references to exercises."""
    text = re.sub(r"\[[^\]]*\]\([^)\s]*(?:\([^)]*\))?[^)]*\)", " ", anatomy.without_math(text))
    return re.sub(r"(?i)\bexercises? \d\d\.\d+", " ", re.sub(r"<[^>]+>", " ", text))


def same(quoted: str, stored: str, percent: bool) -> bool:
    """Say whether a stored number has the quoted value with at least its digits; a sign counts when it is quoted."""
    a, b = (x.replace("−", "-").replace(",", "") for x in (quoted, stored))
    if not a.startswith("-"):
        b = b.lstrip("-")
    ways = [Decimal(b), Decimal(b) * 100] if percent else [Decimal(b)]
    digits = -min(0, int(Decimal(a).as_tuple().exponent))
    has = -min(0, int(Decimal(b).as_tuple().exponent))
    return Decimal(a) in ways and (percent or has >= digits)


def unsupported(cells: Iterable[anatomy.Cell], given: Iterable[str]) -> list[str]:
    """Return each decimal and percentage of the prose that no stored output of its section and no ``given`` entry holds."""
    known, found = {g.replace("-", "−") for g in given}, []
    for title, part in anatomy.sections(cells).items():
        stored = STORED.findall("\n".join(anatomy.output(c) for c in part if c["cell_type"] == "code"))
        text = prose(anatomy.markdown(part))
        for hit in QUOTED.finditer(text):
            number, percent = hit[0], bool(IS_PERCENT.match(text, hit.end()))
            shown = number.replace("-", "−")
            if {shown, shown.lstrip("−"), f"{shown}%", f"{shown} percent"} & known:
                continue
            if not any(same(number, s, percent) for s in stored):
                words = " ".join(text[max(0, hit.start() - 40) : hit.end() + 20].split())
                found.append(f"section {title!r}: {number}{' percent' * percent} stands in no output: ... {words} ...")
    return found


def belittling(cells: Iterable[anatomy.Cell]) -> list[str]:
    """Return each banned word of the prose with its section."""
    return [
        f"section {title!r}: {hit[0]!r}"
        for title, part in anatomy.sections(cells).items()
        for hit in BANNED.finditer(prose(anatomy.markdown(part)))
    ]


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_numbers_in_the_prose_stand_in_an_output_of_their_section(path):
    chapter = path.stem.split("_")[0]
    given = [g.number for g in study.load(chapter).given] if chapter in study.chapters() else []
    found = unsupported(anatomy.read(path), given)
    assert not found


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_no_word_belittles_the_readers_trouble(path):
    found = belittling(anatomy.read(path))
    assert not found


@pytest.mark.parametrize("chapter", study.chapters())
def test_given_numbers_are_used(chapter):
    text = prose(anatomy.markdown(anatomy.read(anatomy.page(chapter))))
    quoted = {q.lstrip("−-") for q in QUOTED.findall(text)}
    given = {g.number: re.sub(r"^[−-]|\s?(?:%|percent)$", "", g.number) for g in study.load(chapter).given}
    unused = [number for number, plain in given.items() if plain not in quoted]
    assert not unused


def made_up(prose: str, output: str) -> list[anatomy.Cell]:
    stored = [{"output_type": "stream", "name": "stdout", "text": [output]}]
    return [
        {"cell_type": "markdown", "metadata": {}, "source": "# T\n\n## First\n\nWords.\n"},
        {"cell_type": "code", "metadata": {}, "source": "", "outputs": stored},
        {"cell_type": "markdown", "metadata": {}, "source": f"{prose}\n\n## Second\n\nWords.\n"},
    ]


def test_a_planted_number_is_caught_and_named_with_its_section():
    found = unsupported(made_up("The accuracy is 0.123 here.", "accuracy 0.97"), [])
    assert len(found) == 1
    assert found[0].startswith("section 'First': 0.123 stands in no output")
    assert not unsupported(made_up("The accuracy is 0.123 here.", "accuracy 0.97"), ["0.123"])


def test_a_number_of_another_section_does_not_count():
    cells = made_up("", "accuracy 0.97")
    cells.append({"cell_type": "markdown", "metadata": {}, "source": "It was 0.97."})
    assert "'Second'" in unsupported(cells, [])[0]


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("It is 0.97.", "0.97 ± 0.01"),
        ("It is −0.5, and 1,024.5 too.", "[-0.5000, 1024.5]"),
        ("About 45 percent of it, or 45%.", "share 0.45"),
        ("It is 12.5%.", "12.5 percent"),
        (r"In $x = 0.31$ and `0.32` and [0.33](https://doi.org/10.1/0.34) and exercise 12.3.", "nothing"),
        ("Exercise 01.7, version 1.2.3, in 1958.", "nothing"),
    ],
)
def test_what_is_supported_or_no_quoted_number(text, output):
    assert not unsupported(made_up(text, output), [])


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("It is 0.90.", "0.9"),
        ("It is −0.5.", "0.5"),
        ("It is 0.5.", "10.5 and 0.55"),
        ("About 45%.", "0.46"),
        ("| 0.97 | 0.96 |", "0.97"),
    ],
)
def test_what_is_not_supported(text, output):
    assert len(unsupported(made_up(text, output), [])) == 1


def test_a_banned_word_is_named_with_its_section():
    assert belittling(made_up("You Simply add `just` and adjust.", "")) == ["section 'First': 'Simply'"]
