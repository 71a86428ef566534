"""The course's figures: one look, one way to show them, text that says what they hold.

Importing this module sets matplotlib's defaults to the course's style. ``show`` ends every figure cell: it turns
the figure into an inline SVG that follows the page's light or dark mode, and stores a text that holds the caption, the alt text
and a summary of the plotted numbers. That text is compared at every run, so a figure cannot change unnoticed.
"""

from __future__ import annotations

import hashlib
import html
import io
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer
from matplotlib.figure import Figure as MplFigure

from companion.errors import bad_type, bad_value
from companion.plotting.diagrams import Wires, network, questions
from companion.plotting.look import COLORS, DASHES, MARKERS, plt, rounded
from companion.plotting.planes import boundary, regions, scatter_classes

__all__ = [
    "COLORS",
    "DASHES",
    "MARKERS",
    "Shown",
    "bars",
    "boundary",
    "lines",
    "network",
    "plt",
    "questions",
    "regions",
    "scatter_classes",
    "show",
    "summary",
]


MAX_BYTES = 150_000
#: How small a letter, and a raised or lowered digit, may get on the screen (CSS pixels): a digit of 7 is as high as an "x" of 9.
SMALLEST, SMALLEST_RAISED = 9.0, 7.0
#: The text column of a phone. A plot whose letters would get too small in it scrolls sideways instead.
PHONE = 340


class Shown:
    """A figure as a notebook output: inline SVG for people who see, text for everybody and for the comparison."""

    def __init__(self, svg: str, caption: str, alt: str, data: str) -> None:
        self.svg, self.caption, self.alt, self.data = svg, caption, alt, data

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        wide = 'tabindex="0" role="group" aria-label="Wide figure, scrolls sideways" ' if self.width > PHONE else ""
        box = f'<div class="plot-box" {wide}style="overflow-x:auto">{self.svg}</div>'
        body = f'<figure class="plot">{box}<figcaption>{html.escape(self.caption)}</figcaption></figure>'
        return {"text/html": body, "text/plain": repr(self)}

    @property
    def width(self) -> int:
        """Return the least width in CSS pixels at which every letter can be read."""
        found = re.search(r"min-width:(\d+)px", self.svg)
        return int(found[1]) if found else 0

    def __repr__(self) -> str:
        return f"Figure: {self.caption}\nAlt text: {self.alt}\nData: {self.data}"


def show(fig: MplFigure, *, caption: str, alt: str, digits: int = 3) -> Shown:
    """Show a figure with the sentence it proves and a text for those who cannot see it.

    Args:
        fig: the matplotlib figure; it is closed, so that it appears once.
        caption: one sentence that states the finding.
        alt: what is seen, with the numbers it shows computed by the cell (at least 40 characters).
        digits: significant digits of the data summary, 0 to 6; use 1 for what comes out of training and 0 where even one
            digit depends on the machine.

    Raises:
        ValueError: when caption or alt text is missing or too short, or when the SVG is over 150 kB.
    """
    if not isinstance(fig, MplFigure):
        raise bad_type("show", "fig", "a matplotlib figure", fig, "make it with plt.subplots()")
    if len(alt.strip()) < 40:
        raise bad_value(
            "show", "alt", "a description of at least 40 characters", repr(alt), "say what is seen, with its numbers"
        )
    if len(caption.strip()) < 20:
        raise bad_value("show", "caption", "a sentence that states the finding", repr(caption))
    data = summary(fig, digits)
    svg = _svg(fig, alt)
    plt.close(fig)
    if len(svg) > MAX_BYTES:
        raise bad_value(
            "show",
            "fig",
            f"an SVG of at most {MAX_BYTES // 1000} kB",
            f"{len(svg) // 1000} kB",
            "pass rasterized=True to the heavy layer",
        )
    return Shown(svg, " ".join(caption.split()), " ".join(alt.split()), data)


def summary(fig: MplFigure, digits: int = 3) -> str:
    """Return what the figure plots in words and numbers, the same on every machine at the given digits."""
    return "; ".join(part for ax in fig.axes for part in _axes_parts(ax, digits)) or "none"


def lines(
    x: Sequence[float], series: dict[str, Any], *, xlabel: str, ylabel: str, markers: bool = False, **axes: Any
) -> MplFigure:
    """Return a figure of one curve per series, each with its own colour *and* dash; ``axes`` goes to ``Axes.set``."""
    fig, ax = plt.subplots()
    for k, (label, values) in enumerate(series.items()):
        marker = MARKERS[k % len(MARKERS)] if markers else None
        ax.plot(list(x), [float(v) for v in values], label=label, ls=DASHES[k % len(DASHES)], marker=marker)
    ax.set(xlabel=xlabel, ylabel=ylabel, **axes)
    if len(series) > 1:
        ax.legend()
    return fig


def bars(
    labels: Sequence[str], values: Sequence[float] | torch.Tensor, *, xlabel: str, ylabel: str, **axes: Any
) -> MplFigure:
    """Return a figure of one bar per label; ``axes`` goes to ``Axes.set``."""
    fig, ax = plt.subplots()
    ax.bar(list(labels), [float(v) for v in values], color=COLORS["blue"], width=0.65)
    ax.axhline(0, color="black", lw=1)
    ax.set(xlabel=xlabel, ylabel=ylabel, **axes)
    return fig


def _svg(fig: MplFigure, alt: str) -> str:
    """Return the figure as SVG whose black, white and colours follow the page through CSS variables."""
    buffer = io.StringIO()
    fig.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.S)
    text = re.sub(r"<!--.*?-->\n?", "", text)
    text = _short(text)
    text = re.sub(r"(stroke|fill): ?#(000000|262626|000)\b", r"\1: currentColor", text)
    text = re.sub(r"(stroke|fill): ?#ffffff\b", r"\1: var(--plot-paper, #ffffff)", text)
    text = re.sub(r"stroke: ?#cccccc\b", "stroke: currentColor; stroke-opacity: .22", text)
    for name, color in COLORS.items():
        text = text.replace(color, f"var(--plot-{name}, {color})")
    text = re.sub(r"<text(?=[\s>])", '<text fill="currentColor"', text)  # formulas are `<text>` without an attribute
    size = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', text)
    points = float(size[1]) if size else 450.0
    widths = f"width:100%;min-width:{_legible(text, points)}px;max-width:{points * 4 / 3 * 1.15:.0f}px"
    label = html.escape(" ".join(alt.split()), quote=True)
    head = f'<svg role="img" aria-label="{label}" style="display:block;{widths};height:auto" '
    return re.sub(r'width="[\d.]+pt" height="[\d.]+pt" ', "", text, count=1).replace("<svg ", head, 1)


def _short(svg: str) -> str:
    """Return an SVG without what nobody sees: places beyond a hundredth of a point, ids that nothing refers to, empty groups, and
    the ends of lines. A chapter's page carries a dozen drawings, which are half of it; this halves them.
    """
    prefix = "p" + hashlib.sha256(svg.encode()).hexdigest()[:8] + "-"
    used = {
        name: f"{prefix}{i:x}" for i, name in enumerate(dict.fromkeys(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)))
    }
    svg = re.sub(r' id="([^"]*)"', lambda found: f' id="{used[found[1]]}"' if found[1] in used else "", svg)
    svg = re.sub(r'(href="#|url\(#)([^")]+)', lambda found: found[1] + used[found[2]], svg)
    places = r'(?<= d=")[^"]*|(?<= [xy]=")[^"]*|(?<=translate\()[^)]*'
    svg = re.sub(
        places,
        lambda found: re.sub(r"-?\d+\.\d+", lambda n: f"{float(n[0]):.2f}".rstrip("0").rstrip("."), found[0]),
        svg,
    )
    svg = re.sub(r">\s+<", "><", re.sub(r" ?\n *(?=[^<]*>)", " ", svg))
    while (fewer := re.sub(r"<g>((?:(?!</?g\b).)*)</g>", r"\1", svg, flags=re.S)) != svg:
        svg = fewer
    return svg


def _legible(svg: str, points: float) -> int:
    """Return the width on the screen below which a text of an SVG, drawn ``points`` wide, gets too small."""
    needed = [0.0]
    for words in re.findall(r"<text.*?</text>", svg, flags=re.S):
        if sizes := [float(size) for size in re.findall(r"font(?:-size)?: ?(?:bold |italic )*([\d.]+)px", words)]:
            needed.append(max(SMALLEST / max(sizes), SMALLEST_RAISED / min(sizes)))
    return math.ceil(points * max(needed))


def _axes_parts(ax: Axes, digits: int) -> list[str]:
    parts = []
    for line in ax.get_lines():
        parts.append(
            _part(
                "line",
                line.get_label(),
                np.asarray(line.get_xdata(), float),
                np.asarray(line.get_ydata(), float),
                digits,
            )
        )
    for collection in ax.collections:
        if isinstance(collection, PathCollection):
            at = np.asarray(collection.get_offsets(), float)
            parts.append(_part("points", collection.get_label(), at[:, 0], at[:, 1], digits))
        elif isinstance(collection, Wires):
            parts.append(collection.said(digits))
        elif len(collection.get_paths()):  # filled contours and areas: their outline
            outline = np.concatenate([p.vertices for p in collection.get_paths()])
            if len(outline):
                parts.append(_part("area", collection.get_label(), outline[:, 0], outline[:, 1], min(digits, 2)))
    for bars in ax.containers:
        if isinstance(bars, BarContainer):
            sizes = np.array([p.get_width() if bars.orientation == "horizontal" else p.get_height() for p in bars])
            parts.append(_part("bars", bars.get_label(), np.arange(len(sizes), dtype=float), sizes, digits))
    for image in ax.images:
        values = np.asarray(image.get_array(), float)
        parts.append(
            f"image {'x'.join(map(str, values.shape))}" + (f", mean {rounded(values.mean(), digits)}" if digits else "")
        )
    return parts


def _part(kind: str, label: object, x: np.ndarray, y: np.ndarray, digits: int) -> str:
    name = "" if str(label).startswith("_") else f" '{label}'"
    text = f"{kind}{name}: {len(y)} values"
    finite = np.isfinite(y)
    if digits == 0 or not finite.any():
        return text
    low, high, mean = (rounded(v, digits) for v in (y[finite].min(), y[finite].max(), y[finite].mean()))
    where = f"x {rounded(np.nanmin(x), digits)} to {rounded(np.nanmax(x), digits)}, " if kind != "bars" else ""
    return f"{text}, {where}y {low} to {high}, mean {mean}"
