"""Small hand-written SVG for the default state of a figure: what paper and pages without JavaScript show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

Point = Sequence[float]

_STROKE = {
    "ink": "currentColor",
    "a": "var(--nf-a,#0b5cad)",
    "b": "var(--nf-b,#a84300)",
    "bad": "var(--nf-bad,#a81f2d)",
}


class Picture:
    """Collect marks in the units of the data and return them as one ``<svg>`` with axes.

    Args:
        x: range of the horizontal axis.
        y: range of the vertical axis.
        xlabel: its name with unit.
        ylabel: the same for the vertical axis.
        width: width in pixels.
        height: height in pixels.
        ticks: values named on each axis, ``(horizontal, vertical)``.
    """

    def __init__(
        self,
        x: Point,
        y: Point,
        *,
        xlabel: str = "",
        ylabel: str = "",
        width: int = 360,
        height: int = 230,
        ticks: tuple[Iterable[float], Iterable[float]] = ((), ()),
    ) -> None:
        self.x, self.y, self.width, self.height = x, y, width, height
        left, top, right, bottom = 32, 22, width - 8, height - 36
        self._box = (left, top, right, bottom)
        self._parts: list[str] = []
        axes = f"M{left} {top}V{bottom}H{right}"
        self._parts.append(f'<path d="{axes}" fill="none" stroke="currentColor"/>')
        for v in ticks[0]:
            self.words(self.at((v, 0))[0], bottom + 15, f"{v:g}")
        for v in ticks[1]:
            self.words(left - 5, self.at((0, v))[1] + 4, f"{v:g}", "end")
        self.words(right, bottom + 31, xlabel, "end")
        self.words(2, 12, ylabel, "start")

    def at(self, point: Point) -> tuple[float, float]:
        """Return the pixel of a point of the data."""
        left, top, right, bottom = self._box
        across = (point[0] - self.x[0]) / (self.x[1] - self.x[0])
        up = (point[1] - self.y[0]) / (self.y[1] - self.y[0])
        return round(left + across * (right - left), 1), round(bottom - up * (bottom - top), 1)

    def words(self, x: float, y: float, text: str, anchor: str = "middle") -> None:
        """Write a text at a pixel."""
        style = f'font-size="12.5" text-anchor="{anchor}" fill="currentColor"'
        self._parts.append(f'<text x="{x}" y="{y}" {style}>{escape(text)}</text>')

    def line(self, points: Iterable[Point], ink: str = "ink", *, width: float = 2, dash: str = "") -> None:
        """Draw a line through points of the data; what leaves the picture is left out."""
        inside = [p for p in points if self.y[0] <= p[1] <= self.y[1] and self.x[0] <= p[0] <= self.x[1]]
        corners = " ".join(f"{x},{y}" for x, y in map(self.at, inside))
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        style = f'style="stroke:{_STROKE[ink]}" stroke-width="{width}"{dashed}'
        self._parts.append(f'<polyline points="{corners}" fill="none" {style}/>')

    def mark(self, point: Point, kind: int) -> None:
        """Put a dot (0) or a triangle (1) at a point of the data."""
        x, y = self.at(point)
        if kind:
            corners = f"M{x} {y - 5:.1f}L{x + 5:.1f} {y + 4:.1f}H{x - 5:.1f}Z"
            shape = f'<path d="{corners}" style="fill:{_STROKE["b"]}"/>'
        else:
            shape = f'<circle cx="{x}" cy="{y}" r="4" style="fill:{_STROKE["a"]}"/>'
        self._parts.append(shape)

    def ring(self, point: Point, ink: str = "bad") -> None:
        """Draw a ring around a point of the data."""
        x, y = self.at(point)
        style = f'style="stroke:{_STROKE[ink]}" stroke-width="1.8"'
        self._parts.append(f'<circle cx="{x}" cy="{y}" r="8" fill="none" {style}/>')

    def bar(self, left: float, right: float, top: float, ink: str = "a") -> None:
        """Fill a bar from the foot of the picture to ``top``."""
        (x0, y0), (x1, foot) = self.at((left, top)), self.at((right, self.y[0]))
        style = f'style="fill:{_STROKE[ink]}"'
        self._parts.append(f'<rect x="{x0}" y="{y0}" width="{x1 - x0:.1f}" height="{foot - y0:.1f}" {style}/>')

    def svg(self, label: str) -> str:
        """Return the picture with ``label`` as its text alternative."""
        size = f'viewBox="0 0 {self.width} {self.height}"'
        return f'<svg {size} role="img" aria-label="{escape(label)}">{"".join(self._parts)}</svg>'


def segment(x: Point, y: Point, weight: Point, bias: float) -> list[tuple[float, float]]:
    """Return the two ends of the boundary ``weight @ p + bias = 0`` inside a rectangle, or an empty list."""
    w1, w2 = weight
    ends = [(v, -(w1 * v + bias) / w2) for v in x] if w2 else []
    ends += [(-(w2 * v + bias) / w1, v) for v in y] if w1 else []
    inside = sorted({p for p in ends if x[0] <= p[0] <= x[1] and y[0] <= p[1] <= y[1]})
    return [inside[0], inside[-1]] if len(inside) > 1 else []


def table_of(rows: Sequence[Sequence[float]], caption: str) -> str:
    """Return numbers as an HTML table, for the default state of a figure that is a table."""
    return _table(caption, "", ("".join(f"<td>{v:g}</td>".replace("-", "−") for v in row) for row in rows))


def named_rows(caption: str, columns: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Return an HTML table whose columns have names, and those of its rows that have one."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = (
        (f'<th scope="row">{escape(name)}</th>' if name else "") + "".join(f"<td>{escape(text)}</td>" for text in texts)
        for name, texts in rows
    )
    return _table(caption, f"<thead><tr>{head}</tr></thead>", body)


def _table(caption: str, head: str, rows: Iterable[str]) -> str:
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<table class="nfig-table"><caption>{escape(caption)}</caption>{head}<tbody>{body}</tbody></table>'
