"""Drawings that are no plots: a network with its weights, and questions that lead to an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from companion.plotting.look import COLORS, rounded


class Wires(LineCollection):
    """The wires between two columns of a network, with their weights, which the summary tells."""

    def __init__(self, segments: Sequence[Any], sizes: Sequence[float], *, label: str, weighted: bool) -> None:
        self.weights = np.array(sizes) if weighted else None
        super().__init__(
            segments,
            colors=[COLORS["blue" if w >= 0 else "orange"] if weighted else COLORS["grey"] for w in sizes],
            linewidths=[0.8 + min(abs(w), 3) for w in sizes],
            linestyles=["-" if w >= 0 else "--" for w in sizes],
            zorder=1,
            label=label,
        )

    def said(self, digits: int) -> str:
        """Return how many wires there are; of a few the weights, of many their range and mean."""
        text = f"wires '{self.get_label()}': {len(self.get_segments())}"
        if self.weights is None or digits == 0:
            return text
        if len(self.weights) <= 12:
            return f"{text}, weights {', '.join(rounded(w, digits) for w in self.weights)}"
        low, high, mean = (rounded(v, digits) for v in (self.weights.min(), self.weights.max(), self.weights.mean()))
        return f"{text}, weights {low} to {high}, mean {mean}"


def network(
    ax: Axes, layers: Sequence[Sequence[str]], weights: Sequence[Sequence[Sequence[float]]] | None = None
) -> None:
    """Draw a layered network. ``layers`` holds the labels; ``weights[l][j][i]`` joins unit i of layer l to unit j of the next.

    A weight's sign shows twice: positive solid and blue, negative dashed and orange; its size is the width of the line.
    """
    places = [
        [(column, (len(names) - 1) / 2 - row) for row in range(len(names))] for column, names in enumerate(layers)
    ]
    for column in range(len(layers) - 1):
        segments, sizes = [], []
        for i, start in enumerate(places[column]):
            for j, end in enumerate(places[column + 1]):
                w = 1.0 if weights is None else float(weights[column][j][i])
                segments.append([start, end])
                sizes.append(w)
                if weights is not None:
                    at = [s + 0.36 * (e - s) for s, e in zip(start, end, strict=True)]
                    ax.text(
                        at[0],
                        at[1],
                        f"{w:g}",
                        ha="center",
                        va="center",
                        fontsize=10,
                        bbox={"fc": "white", "ec": "none", "pad": 1},
                    )
        label = f"{len(places[column])} to {len(places[column + 1])}"
        ax.add_collection(Wires(segments, sizes, label=label, weighted=weights is not None))
    for names, column_places in zip(layers, places, strict=True):
        xs, ys = zip(*column_places, strict=True)
        style: dict[str, Any] = {"facecolors": "white", "edgecolors": "black", "linewidths": 1.5, "zorder": 2}
        ax.scatter(xs, ys, s=1100, label=", ".join(names), **style)
        for name, (x, y) in zip(names, column_places, strict=True):
            ax.text(x, y, name, ha="center", va="center", zorder=3, fontsize=10)
    ax.set_axis_off()
    ax.margins(0.18)


def questions(ax: Axes, answers: Mapping[str, str], otherwise: str) -> None:
    """Draw questions from top to bottom, beside each the answer where it is a yes, and at the foot what is left."""
    box: dict[str, Any] = {"boxstyle": "round,pad=0.4", "fc": "white", "ec": "black", "lw": 1.2}
    arrow = {"arrowstyle": "->", "color": "black", "lw": 1.2, "shrinkA": 16, "shrinkB": 14}
    for row, (question, answer) in enumerate(answers.items()):
        ax.annotate("", (0.62, -row), (0.30, -row), arrowprops={**arrow, "shrinkA": 34, "shrinkB": 0})
        ax.annotate("", (0.18, -row - 1), (0.18, -row), arrowprops=arrow)
        ax.text(0.53, -row + 0.09, "yes", ha="center", fontsize=10)
        ax.text(0.20, -row - 0.53, "no", fontsize=10, va="center")
        ax.text(0.18, -row, question, ha="center", va="center", bbox=box, fontsize=10)
        ax.text(0.64, -row, answer, ha="left", va="center", fontsize=10, fontweight="bold", color=COLORS["blue"])
    ax.text(
        0.18, -len(answers), otherwise, ha="center", va="center", fontsize=10, fontweight="bold", color=COLORS["blue"]
    )
    ax.set(xlim=(0, 1), ylim=(-len(answers) - 0.5, 0.5))
    ax.set_axis_off()
