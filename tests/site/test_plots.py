"""Matplotlib's figures on a phone: every text can be read, none is cut off or printed over another, colours follow the mode.

Why 9 pixels: below that a lowercase letter is under five pixels high, and the openings of a, e and s close; it is also what
print allows at least (about 7 points). Why 7 for raised and lowered digits of a formula: they are then as high as such a letter. Why 4.5: the contrast that WCAG AA wants of text.
"""

from __future__ import annotations

import pytest
from built import HTML, TAUGHT

pytestmark = pytest.mark.browser

each_chapter = pytest.mark.parametrize("chapter", TAUGHT)
SMALLEST, RAISED, CONTRAST, ROOM = 9.0, 7.0, 4.5, 1.5

# Every text of every plot: its words, its size on the screen, its box without the empty part above and below the letters,
# its contrast, and the drawing that it must stay in.
TEXTS = """() => {
  const sheet = document.createElement("style");
  sheet.textContent = "* { content-visibility: visible !important; }";
  document.head.append(sheet);
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => { pen.clearRect(0, 0, 1, 1); pen.fillStyle = color; pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data]; };
  const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const ground = (node) => { for (let n = node; n; n = n.parentElement) { const c = rgba(getComputedStyle(n).backgroundColor);
    if (c[3] === 255) return c; } return rgba("#fff"); };
  const paper = rgba(getComputedStyle(document.documentElement).getPropertyValue("--plot-paper"));
  return [...document.querySelectorAll("figure.plot svg")].map((svg, number) => {
    const frame = svg.getBoundingClientRect();
    return { number, left: frame.left, right: frame.right, top: frame.top, bottom: frame.bottom,
      texts: [...svg.querySelectorAll("text")].filter((t) => t.textContent.trim()).map((t) => {
        const look = getComputedStyle(t), m = t.getScreenCTM(), r = t.getBoundingClientRect(), upright = Math.abs(m.a) > Math.abs(m.b);
        const [dx, dy] = upright ? [0, r.height * 0.22] : [r.width * 0.22, 0];
        const sizes = [...t.querySelectorAll("tspan")].map((part) => parseFloat(getComputedStyle(part).fontSize));
        const k = Math.hypot(m.a, m.b), size = sizes.length ? Math.max(...sizes) : parseFloat(look.fontSize);
        const ink = rgba(look.fill);
        const alpha = +look.opacity * +look.fillOpacity;
        const over = (back) => contrast(ink.slice(0, 3).map((v, i) => alpha * v + (1 - alpha) * back[i]), back);
        return { words: t.textContent.trim(), size: size * k, raised: Math.min(size, ...sizes) * k,
          left: r.left + dx, right: r.right - dx, top: r.top + dy, bottom: r.bottom - dy, contrast: Math.min(over(paper), over(ground(svg))) };
      }) };
  });
}"""


@pytest.fixture
def plots(chromium):
    """Return a function that reads every plot of a chapter at 390 pixels, in a mode, with something planted if asked."""
    views = []

    def reader(chapter, mode="light", plant=""):
        if not (HTML / chapter).exists():
            pytest.fail(f"no site in {HTML}: run make book first", pytrace=False)
        views.append(chromium.new_page(viewport={"width": 390, "height": 900}, reduced_motion="reduce"))
        views[-1].goto((HTML / chapter).as_uri())
        views[-1].evaluate("(mode) => { document.documentElement.dataset.theme = mode; }", mode)
        views[-1].evaluate(f"() => {{ {plant} }}")
        return views[-1].evaluate(TEXTS)

    yield reader
    for view in views:
        view.close()


def too_small(found):
    return [
        (p["number"], t["words"], round(t["size"], 1), round(t["raised"], 1))
        for p in found
        for t in p["texts"]
        if t["size"] < SMALLEST - 0.05 or t["raised"] < RAISED - 0.05
    ]


def cut_off(found):
    def outside(plot, text):
        over = [
            plot["left"] - text["left"],
            text["right"] - plot["right"],
            plot["top"] - text["top"],
            text["bottom"] - plot["bottom"],
        ]
        return max(over) > ROOM

    return [(p["number"], t["words"]) for p in found for t in p["texts"] if outside(p, t)]


def overlapping(found):
    def both(a, b):
        wide = min(a["right"], b["right"]) - max(a["left"], b["left"])
        return min(wide, min(a["bottom"], b["bottom"]) - max(a["top"], b["top"])) > ROOM

    return [
        (p["number"], a["words"], b["words"])
        for p in found
        for i, a in enumerate(p["texts"])
        for b in p["texts"][:i]
        if both(a, b)
    ]


def too_faint(found):
    return [
        (p["number"], t["words"], round(t["contrast"], 2))
        for p in found
        for t in p["texts"]
        if t["contrast"] < CONTRAST
    ]


@each_chapter
def test_text_in_plots_can_be_read_on_a_phone(plots, chapter):
    found = plots(chapter)
    assert sum(len(p["texts"]) for p in found) >= 50
    assert too_small(found) == []


@each_chapter
def test_no_text_in_plots_is_cut_off_or_printed_over_another(plots, chapter):
    found = plots(chapter)
    assert cut_off(found) == []
    assert overlapping(found) == []


@each_chapter
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_in_plots_stands_out_from_the_paper(plots, chapter, mode):
    assert too_faint(plots(chapter, mode)) == []


FIRST = 'const t = document.querySelector("figure.plot svg").querySelectorAll("text");'
PLANTS = {
    "a small text": (f'{FIRST} t[0].style.fontSize = "7px";', too_small),
    "a text beyond the edge": (f'{FIRST} t[0].style.transform = "translate(-300px, 0)";', cut_off),
    "a text over another": (f"{FIRST} t[1].replaceWith(t[0].cloneNode(true));", overlapping),
    "a text in a fixed colour": (f'{FIRST} t[0].style.fill = "#262626";', too_faint),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_each_check_sees_what_is_planted(plots, plant):
    script, check = PLANTS[plant]
    found = check(plots(TAUGHT[0], "dark", script))
    assert [entry[0] for entry in found] == [0]
