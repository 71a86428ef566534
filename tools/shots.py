"""Pictures of every figure and study aid in its default state: `make shots` stores them, tests/site/test_visual.py compares.

How two pictures are compared, and why so. Each channel is rounded to 16 levels, which makes a picture small (a palette
of at most a few hundred colours) and exact: the same drawing gives the same bytes. A pixel counts as changed when a
channel moved by more than one level, because a value on the edge between two levels may fall to either side. A picture
counts as changed when more than 0.02 % of its pixels did: that is room for a speck, while the thinnest thing a figure
has, an axis one pixel wide along a plot on a phone, is eight times as much. Letters and controls differ between
machines, so a small page of both is stored with the pictures; where it comes out otherwise nothing can be compared.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import figure_page
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FloatRect, Page

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "site" / "shots"
MODES, WIDTHS = ("light", "dark"), (390, 1280)
LEVELS, SHARE = 17, 2e-4  # 256 / 15 rounded to what divides 255; the part of a picture that may differ
HIGHEST = {"figures": 1400, "study": 720}  # figures are stored whole; of a study aid several screens long the first one
MEAN_BYTES = 30_000  # of a picture: the course will have hundreds. Graphs and a surface made it 24,200, six paths in six colours 27,600, seven controls 28,150, a table of promises and two clouds of points 29,266, every patient beside a line 29,754
COMMAND = "make shots"
#: Letters, numbers, signs, controls and a curve: what a machine may draw in its own way.
SAMPLE = (
    "<!doctype html><meta charset=utf-8><style>body{margin:8px;font:16px/1.5 system-ui,sans-serif;width:560px}b{font-size:12.5px}"
    "i{font:italic 20px serif}</style><p>Handgloves 0123456789 w₁x₂ − ≥ ∞ σ′ · ✓ ✗ ▲ ● ▨ ➔ <b>Handgloves 0.25</b> <i>Handgloves</i></p>"
    "<input type=range><input type=checkbox checked><input type=radio><button>Reset</button><select><option>tanh</select>"
    '<svg width=200 height=60><path d="M2 50Q100-40 198 50" fill=none stroke=#0b5cad stroke-width=2.6 /></svg>'
)


def stored(name: str, mode: str, width: int) -> Path:
    """Return where a picture is kept."""
    return FOLDER / f"{name}-{mode}-{width}.png"


def reduced(png: bytes) -> np.ndarray:
    """Return a picture with 16 levels a channel. Shape: (height, width, 3)."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=float)
    return (np.rint(pixels / LEVELS) * LEVELS).astype(np.uint8)


def packed(pixels: np.ndarray) -> bytes:
    """Return a picture as PNG, by palette where its colours fit into one."""
    picture = Image.fromarray(pixels)
    if picture.getcolors(256):
        picture = picture.quantize(256, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def difference(before: np.ndarray, now: np.ndarray) -> str:
    """Return in words what is different between two pictures, or nothing."""
    if before.shape != now.shape:
        (h, w), (high, wide) = before.shape[:2], now.shape[:2]
        return f"it was {w} x {h} pixels and is {wide} x {high}"
    moved = np.abs(before.astype(int) - now.astype(int)).max(axis=2) > LEVELS  # (H, W, 3) -> (H, W)
    if moved.mean() <= SHARE:
        return ""
    rows, columns = np.nonzero(moved)
    where = f"x {columns.min()} to {columns.max()}, y {rows.min()} to {rows.max()}"
    return f"{moved.sum()} pixels ({100 * moved.mean():.2f} %) changed, within {where}"


@cache
def page(name: str, mode: str, style: str = "") -> str:
    """Return the page with one figure that a picture is taken of; ``style`` is added to its stylesheet."""
    return figure_page.page([figure_page.default(name)], mode=mode, style=style)


def view(browser: Browser, width: int) -> Page:
    """Return an empty page of this width, without motion, on which chance is the same each time."""
    page = browser.new_page(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page.add_init_script("let chance = 1; Math.random = () => (chance = (chance * 16807) % 2147483647) / 2147483647;")
    return page


def taken(view: Page, name: str, mode: str, style: str = "") -> np.ndarray:
    """Return the picture of a figure, its first screen if it is longer."""
    figure_page.fill(view, page(name, mode, style))
    box = view.locator("[data-nfig]").bounding_box()
    assert box, name
    high = min(box["height"], HIGHEST[figure_page.names()[name]])
    clip: FloatRect = {"x": round(box["x"]), "y": round(box["y"]), "width": round(box["width"]), "height": round(high)}
    return reduced(view.screenshot(clip=clip, full_page=True, animations="disabled", caret="hide"))


def machine(browser: Browser) -> dict[str, str]:
    """Return how this machine draws letters and controls: a hash of the sample page, and the browser's version for people."""
    sheet = browser.new_page(viewport={"width": 600, "height": 300})
    sheet.set_content(SAMPLE)
    figure_page.settle(sheet)
    drawn = hashlib.sha256(reduced(sheet.screenshot(caret="hide")).tobytes()).hexdigest()
    sheet.close()
    return {"drawn": drawn[:16], "chromium": browser.version}


def other_machine(browser: Browser) -> str:
    """Return in one sentence why nothing can be compared here, or nothing."""
    file = FOLDER / "machine.json"
    if not file.exists():
        return f"no pictures are stored yet: run `{COMMAND}`"
    then, now = json.loads(file.read_text(encoding="utf-8")), machine(browser)
    if then["drawn"] == now["drawn"]:
        return ""
    return (
        f"this machine (Chromium {now['chromium']}) draws letters or controls otherwise than the one that stored the pictures "
        f"(Chromium {then['chromium']}), so nothing can be compared: look at the figures, then run `{COMMAND}`"
    )


def main() -> None:
    """Take every picture anew, remove those of figures that are gone, say what changed."""
    if unseen := figure_page.unseen():
        sys.exit(
            f"shots: no function of companion.figures or companion.study makes a default state of {', '.join(unseen)}"
        )
    files: dict[Path, bytes] = {}
    with figure_page.browser("shots") as browser:
        for width in WIDTHS:
            sheet = view(browser, width)
            for name in figure_page.names():
                for mode in MODES:
                    files[stored(name, mode, width)] = packed(taken(sheet, name, mode))
        files[FOLDER / "machine.json"] = (json.dumps(machine(browser), indent=1) + "\n").encode()
    size = sum(map(len, files.values()))
    if size > MEAN_BYTES * len(files):
        sys.exit(
            f"shots: a picture expected at most {MEAN_BYTES} bytes in the mean, got {size // len(files)}; lower HIGHEST in tools/shots.py"
        )
    FOLDER.mkdir(exist_ok=True)
    gone = [file for file in FOLDER.iterdir() if file not in files]
    changed = [file for file, data in files.items() if not file.exists() or file.read_bytes() != data]
    for file in changed:
        file.write_bytes(files[file])
    for file in gone:
        file.unlink()
    for word, names in (("stored", changed), ("removed", gone)):
        print("\n".join(f"{word}: {file.name}" for file in sorted(names)) or f"{word}: none")
    print(f"{len(files) - 1} pictures, {size // 1000} kB; look at them before you commit")


if __name__ == "__main__":
    main()
