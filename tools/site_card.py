"""The picture that social networks show for a page, 1200 x 630, with the chapter's own figure where a browser can draw it."""

from __future__ import annotations

import io
import itertools
import json
import re
import subprocess
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import gate
import kept

#: The figure's place on the card, in pixels; it is drawn at twice that size.
WIDE, HIGH = 520, 380
LIMIT = 150_000


def card(title: str, line: str, above: str, figure: bytes = b"") -> bytes:
    """Return the card; without a figure it shows a small network.

    Raises:
        ValueError: if it is larger than social networks take.
    """
    data = kept.kept([title, line, above, figure, Path(__file__)], lambda: painted(title, line, above, figure))
    if len(data) > LIMIT:
        raise ValueError(
            f"card: '{title}' expected at most {LIMIT} bytes, got {len(data)}; draw its first figure with less in it"
        )
    return data


def painted(title: str, line: str, above: str, figure: bytes) -> bytes:
    """Paint the card."""
    import matplotlib.pyplot as plt
    from PIL import Image

    fig = plt.figure(figsize=(12, 6.3), dpi=100, facecolor="#10243e", layout="none")
    if not figure:
        network(fig.add_axes((0.62, 0, 0.38, 1)))
    else:
        ax = fig.add_axes((0.535, (630 - HIGH) / 1260, WIDE / 1200, HIGH / 630))
        ax.set_axis_off()
        ax.imshow(plt.imread(io.BytesIO(figure)), aspect="equal", interpolation="antialiased")
    fig.text(0.06, 0.80, above or "A course with a tested companion package", color="#9fc6ea", fontsize=24)
    size, columns = (44, 16) if figure else (46, 24)
    fig.text(0.06, 0.57, textwrap.fill(title, columns), color="white", fontsize=size, weight="bold", va="center")
    fig.text(0.06, 0.22, textwrap.fill(line, 31 if figure else 48), color="#d7e6f5", fontsize=22, va="center")
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", metadata={"Software": None})
    plt.close(fig)
    small = io.BytesIO()
    Image.open(buffer).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return min(buffer.getvalue(), small.getvalue(), key=len)


def network(ax: Any) -> None:
    """Draw three layers of a network."""
    ax.set_axis_off()
    layers: list[list[tuple[float, float]]] = [
        [(0, y) for y in (1, 2, 3)],
        [(1, y) for y in (0.5, 1.5, 2.5, 3.5)],
        [(2, y) for y in (1.5, 2.5)],
    ]
    for left, right in itertools.pairwise(layers):
        for a in left:
            for b in right:
                ax.plot(*zip(a, b, strict=True), color="#5aa9e6", lw=1.5, alpha=0.5)
    for k, layer in enumerate(layers):
        ax.scatter(
            [x for x, _ in layer], [y for _, y in layer], s=900, color=["#5aa9e6", "#f4a259", "#7fd1ae"][k], zorder=3
        )
    ax.set(xlim=(-0.4, 2.4), ylim=(-0.4, 4.4))


def first_figure(executed: Path) -> str:
    """Return the drawing of a chapter's first interactive figure in its default state, or nothing.

    Args:
        executed: the chapter's executed notebook.
    """
    if not executed.exists():
        return ""
    for cell in json.loads(executed.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            shown = "".join(output.get("data", {}).get("text/html", ""))
            if found := re.search(r'data-nfig="\w+".*?nfig-fallback">\s*(<svg.*?</svg>)', shown, re.S):
                return found[1]
    return ""


def drawn(svg: str) -> bytes:
    """Return a picture of a figure's drawing, made once by the system's Chromium; nothing where there is none."""
    from companion import figures

    chromium = gate.chromium_here()
    if not svg or not chromium:
        return b""
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><style>'
        f"{figures.page_files()['figures.css']} html,body{{margin:0;background:transparent;font-family:'DejaVu Sans',sans-serif}} .nfig{{margin:0;border:0;border-radius:24px;padding:20px;"
        f"width:{WIDE}px;height:{HIGH}px;box-sizing:border-box;display:flex;align-items:center;justify-content:center}}"
        f'.nfig svg{{width:100%;max-width:none;max-height:100%}}</style></head><body><div class="nfig">{svg}</div></body></html>'
    )
    return kept.kept([page], lambda: photograph(chromium, page))


def photograph(chromium: str, page: str) -> bytes:
    """Let the browser draw a page and return the picture; a browser that fails returns none."""
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "card.html", Path(folder) / "card.png"
        source.write_text(page, encoding="utf-8")
        words = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=2"]
        words += ["--default-background-color=00000000", f"--window-size={WIDE},{HIGH}", f"--screenshot={made}"]
        command = [chromium, *words, f"--user-data-dir={folder}/profile", source.as_uri()]
        try:
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=True)
        except (subprocess.SubprocessError, OSError) as error:
            print(f"card: Chromium could not draw a figure ({error}); the card shows a network instead", flush=True)
            return b""
        return made.read_bytes() if made.exists() else b""
