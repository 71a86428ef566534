"""What is drawn on a plane of two features: examples, a neuron's line, the side where a model says 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes

from companion.errors import bad_type, bad_value
from companion.plotting.look import COLORS, MARKERS


def scatter_classes(ax: Axes, X: torch.Tensor, y: torch.Tensor, names: Sequence[str]) -> None:
    """Plot two features of each example, one colour *and* marker per class.

    No two classes share a marker. Beyond six the colours come again, with hollow markers.

    Args:
        ax: where to plot.
        X: the examples.
        y: the class numbers, from 0 to one less than there are names.
        names: the names of the classes for the legend, 12 at most.

    Shape: X (N, 2), y (N,).

    Raises:
        TypeError: when X or y is no tensor.
        ValueError: when shapes do not meet, a label has no name, or there are too many classes.
    """
    _require_classes(X, y, names)
    points, labels = X.detach().cpu().numpy(), y.detach().cpu().numpy()
    for k, name in enumerate(names):
        own = points[labels == k]
        color = list(COLORS.values())[k % len(COLORS)]
        filled: dict[str, Any] = {"color": color, "linewidths": 0}
        hollow: dict[str, Any] = {"facecolors": "none", "edgecolors": color, "linewidths": 1.3}
        style = filled if k < len(COLORS) else hollow
        ax.scatter(own[:, 0], own[:, 1], s=26, marker=MARKERS[k], alpha=0.8, label=name, **style)


def boundary(ax: Axes, weight: Sequence[float], bias: float, xlim: tuple[float, float], **style: Any) -> None:
    """Draw the line on which a neuron's weighted sum is 0: w1 x1 + w2 x2 + b = 0."""
    w1, w2 = (float(w) for w in weight)
    if w2 == 0:
        if w1 == 0:
            raise bad_value(
                "boundary", "weight", "at least one weight other than 0", [w1, w2], "without it there is no line"
            )
        ax.axvline(-float(bias) / w1, **style)
        return
    ends = np.array(xlim)
    ax.plot(ends, -(w1 * ends + float(bias)) / w2, **style)


def regions(
    ax: Axes,
    predict: Callable[[torch.Tensor], torch.Tensor],
    xlim: tuple[float, float],
    ylim: tuple[float, float],
    steps: int = 60,
) -> None:
    """Shade the part of the plane where ``predict`` says 1.

    Args:
        ax: where to draw.
        predict: maps points to decisions 0 and 1, or to logits: class 1 is where one logit reaches 0, or where
            the second of two is the larger.
        xlim: from where to where, sideways.
        ylim: from where to where, upwards.
        steps: points along each side.

    Shape: ``predict`` maps (N, 2) to (N,), (N, 1) or, two logits each, (N, 2).

    Raises:
        TypeError: when ``predict`` returns no tensor.
        ValueError: when what it returns is neither, or can be read as both: shares between 0 and 1.
    """
    grid_x, grid_y = torch.meshgrid(torch.linspace(*xlim, steps), torch.linspace(*ylim, steps), indexing="xy")
    with torch.no_grad():
        said = predict(torch.stack([grid_x.ravel(), grid_y.ravel()], dim=1))
    fires = _decisions(said, steps * steps).reshape(steps, steps)
    ax.contourf(grid_x, grid_y, fires.numpy(), levels=[0.5, 1.5], colors=[COLORS["orange"]], alpha=0.15, hatches=["//"])


def _decisions(said: torch.Tensor, n: int) -> torch.Tensor:
    """Return 1.0 where a model decides for class 1, else 0.0, from its decisions or its logits."""
    if not isinstance(said, torch.Tensor):
        raise bad_type("regions", "predict", "a function that returns a tensor", said)
    if tuple(said.shape) == (n, 2):
        said = said[:, 1] - said[:, 0]
        return (said > 0).float().cpu()  # of equals the first class wins, as in accuracy
    if tuple(said.shape) not in ((n,), (n, 1)):
        expected = "one decision, or one or two logits, for each point"
        hint = "lambda x: model(x).argmax(dim=1) == k shades class k"
        raise bad_value("regions", "predict", expected, tuple(said.shape), hint)
    said = said.detach().reshape(n).double().cpu()
    whole = bool((said == said.round()).all())
    low, high = said.min().item(), said.max().item()
    if whole and low >= 0 and high <= 1:
        return said.float()
    if torch.isnan(said).any() or (low >= 0 and (whole or high <= 1)):
        hint = "write lambda x: model(x) >= 0 for logits, >= 0.5 for probabilities, == k for class numbers"
        raise bad_value(
            "regions", "predict", "decisions 0 and 1, or logits", f"values from {low:.4g} to {high:.4g}", hint
        )
    return (said >= 0).float()


def _require_classes(X: torch.Tensor, y: torch.Tensor, names: Sequence[str]) -> None:
    """Refuse what cannot be plotted as points of named classes."""
    where = "scatter_classes"
    for argument, value in (("X", X), ("y", y)):
        if not isinstance(value, torch.Tensor):
            raise bad_type(where, argument, "a tensor", value)
    if X.ndim != 2 or X.shape[1] != 2:
        raise bad_value(
            where, "X", "two features of each example, shape (N, 2)", tuple(X.shape), "X[:, [0, 1]] takes two"
        )
    if y.shape != X.shape[:1]:
        raise bad_value(where, "y", f"{len(X)} class numbers, shape ({len(X)},)", tuple(y.shape))
    if not 1 <= len(names) <= len(MARKERS):
        hint = "more could not be told apart: draw some of them, or several plots"
        raise bad_value(where, "names", f"1 to {len(MARKERS)} classes", len(names), hint)
    unknown = [v for v in y.unique().tolist() if v not in range(len(names))]
    if unknown:
        hint = "each name stands for a number, the first for 0"
        expected = f"class numbers from 0 to {len(names) - 1}, as there are {len(names)} names"
        raise bad_value(where, "y", expected, ", ".join(f"{v:g}" for v in unknown[:5]), hint)
