"""The site's one stylesheet: what goes, what stays, and which icons its fonts hold."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest
import styles
from fontTools.ttLib import TTFont

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("css", "left"),
    [
        (".a{top:0}", ".a{top:0}"),
        (".x{top:0}", ""),
        (".x,.a,#y{top:0}", ".a{top:0}"),
        (".a .x{top:0}", ""),
        ("#i>p.a:hover{top:0}", "#i>p.a:hover{top:0}"),
        ("p:not(.x){top:0}", "p:not(.x){top:0}"),
        ("p:is(.x,.a){top:0}", "p:is(.x,.a){top:0}"),
        ("[data-x=y]{top:0}", "[data-x=y]{top:0}"),
        (".made-by-script{top:0}", ".made-by-script{top:0}"),
        ("@media print{.x{top:0}}", ""),
        ("@media print{.x{top:0}.a{top:0}}", "@media print{.a{top:0}}"),
        ("@keyframes k{from{top:0}}", "@keyframes k{from{top:0}}"),
        (":root{--x:1}", ":root{--x:1}"),
    ],
)
def test_rules_stay_when_a_page_can_match_them(css, left):
    assert styles.needed(css, {"a", "i", "made-"}) == '@charset "utf-8";' + left


def test_names_come_from_pages_and_scripts():
    page = '<p class="a b" id="c"><script>d("e-f")</script><script type="application/json">{"g":1}</script>'
    found = styles.names([page], ["x.classList.add(`tip-${side}`)"])
    assert {"a", "b", "c", "e-f", "tip-"} <= found
    assert "g" not in found


def test_icon_fonts_hold_the_icons_that_are_shown_and_no_other():
    css = (ROOT / "_build/html/_static/all.css").read_text(encoding="utf-8")
    shown = {ord(char) for char in re.findall('content: ?"([\ue000-\uf8ff])"', css)}
    assert len(shown) >= 5
    held: set[int] = set()
    for font in re.findall(r"data:font/woff2;base64,([^\"]+)", css):
        held |= set(TTFont(io.BytesIO(base64.b64decode(font))).getBestCmap())
    assert shown <= held
    assert len(held) < 100
    assert "fa-solid-900.woff2" not in css
