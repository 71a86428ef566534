"""The one look of all figures: colours, dashes, markers and matplotlib's defaults."""

from __future__ import annotations

import matplotlib.pyplot as plt

#: Colour-blind-safe colours, readable on white and (through the page's variables) on dark. One colour per thing through a chapter.
COLORS = {
    "blue": "#0072b2",
    "orange": "#c44e00",
    "green": "#00795a",
    "purple": "#9b3d86",
    "grey": "#6e6e6e",
    "gold": "#8a6a00",
}
#: The second cue beside colour, in the same order.
DASHES = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1))]
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*", "<", "p", ">", "h"]

plt.rcParams.update(
    {
        "figure.figsize": (4.8, 3.2),
        "font.size": 11,
        "font.sans-serif": ["DejaVu Sans", "Arial", "sans-serif"],
        "axes.prop_cycle": plt.cycler(color=list(COLORS.values())),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#cccccc",
        "grid.linewidth": 0.6,
        "lines.linewidth": 2,
        "legend.frameon": False,
        "legend.fontsize": 10,
        "figure.constrained_layout.use": True,
        "svg.fonttype": "none",
        "svg.hashsalt": "neurons-to-gans",
    }
)


def rounded(value: float, digits: int) -> str:
    """Return a number with so many digits that count; what is nearly 0 is 0."""
    text = f"{float(value):.{digits}g}"
    return "0" if abs(float(text)) < 1e-9 else text
