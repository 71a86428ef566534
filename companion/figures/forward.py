"""Figures of chapter 03: a small network traced by hand, a curve built from bumps, and a sheet of paper folded by depth."""

from __future__ import annotations

import torch
from torch import Tensor

from companion import functional as F
from companion.figures.controls import Choice, Control, Slider, Steps
from companion.figures.figure import Figure, figure, minus

# ---- the network of 2, 3 and 2 neurons

_W1, _B1 = [[0.5, -0.5], [1.0, 1.0], [-1.0, 0.5]], [0.5, -1.0, 0.0]
_W2, _B2 = [[1.0, -1.0, 2.0], [0.5, 1.0, -1.0]], [0.5, -1.0]
_OTHERS = [[-1.0, 1.0], [1.0, 3.0]]  # the two rows beside the reader's in a batch
_MOVES = {"x₁ up to 3": (3.0, 1.0), "x₂ up to 3": (2.0, 3.0), "x₁ down to −1": (-1.0, 1.0)}


def passed(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Run the network on a batch; return sums, hidden values, logits and probabilities.

    Shape: ``x (N, 2)``; results ``(N, 3)``, ``(N, 3)``, ``(N, 2)``, ``(N, 2)``, in float64.
    """
    w1, b1, w2, b2 = (torch.tensor(v, dtype=torch.float64) for v in (_W1, _B1, _W2, _B2))
    z = F.linear(x.double(), w1, b1)  # (N, 2) @ (2, 3) -> (N, 3)
    h = F.relu(z)
    y = F.linear(h, w2, b2)  # (N, 3) @ (3, 2) -> (N, 2)
    return z, h, y, F.softmax(y)


def traced(x: Tensor) -> list[float]:
    """Return the number that each step of the figure gives for one example ``(2,)``, from step 0 on.

    The order is that of paper: for each neuron its products, their sum with the bias and, in the hidden layer, ReLU.
    The last step is the larger probability; step 0 has computed nothing and counts as 0.
    """
    z, h, y, p = (part[0] for part in passed(x[None]))
    numbers = [0.0]
    for row, total, bent in zip(torch.tensor(_W1) * x, z, h):
        numbers += [*row.tolist(), total.item(), bent.item()]
    for row, total in zip(torch.tensor(_W2) * h, y):
        numbers += [*row.tolist(), total.item()]
    return [*numbers, p.max().item()]


@figure("03", "A network of 2, 3 and 2, traced")
def forward_trace() -> Figure:
    """Return the paper network at work: one product, sum or bend a step, as a column or as rows of a batch."""
    start = (2.0, 1.0)
    x = torch.tensor([start, *_MOVES.values()])
    z, h, y, p = passed(x)
    on = [i for i in range(len(_MOVES)) if h[i + 1, 2] > 0]
    last = len(traced(x[0])) - 1
    products = sum(len(row) for row in _W1 + _W2)
    winner = int(p[0].argmax())
    alt = minus(
        f"A network of 2 inputs, 3 hidden neurons and 2 outputs at input (2, 1), before its first step. {last} steps lead to "
        f"the hidden values {_listed(h[0])}, the logits {_listed(y[0])} and the probabilities {_listed(p[0], 4)}."
    )
    move, to = list(_MOVES)[on[0]], on[0] + 1
    off = " and ".join(f"{z[i + 1, 2]:g} with {name}" for i, name in enumerate(_MOVES) if i not in on)
    answer = minus(
        f"{move[0]}{move[1:]}: the third neuron's sum goes from {z[0, 2]:g} to {z[to, 2]:g}, and it alone is on, because the "
        f"others sum to {_listed(z[to, :2])}. The logits turn from {_listed(y[0])} to {_listed(y[to])}: class "
        f"{int(p[to].argmax()) + 1} wins with {100 * p[to].max():.1f} %. The third sum is {off}, so there it stays off, and its "
        f"outgoing weights {_W2[0][2]:g} and {_W2[1][2]:g} count for nothing, whatever they are."
    )
    caption = (
        f"A forward pass is arithmetic that fits on paper: {products} products, {len(_B1 + _B2)} sums, {len(_B1)} bends and one "
        f"softmax lead from (2, 1) to {100 * p[0].max():.2f} % for class {winner + 1}."
    )
    controls: dict[str, Control] = {
        "x1": Slider("input x₁", -3, 3, 0.5, start[0]),
        "x2": Slider("input x₂", -3, 3, 0.5, start[1]),
        "layout": Choice("layout", {"column": "one example as a column", "rows": "a batch as rows"}, "column"),
        "step": Steps("step", last),
    }
    return Figure(
        "forward_trace",
        {"w1": _W1, "b1": _B1, "w2": _W2, "b2": _B2, "others": _OTHERS},
        alt=alt,
        caption=caption,
        controls=controls,
        task=f"At (2, 1) the third hidden neuron is off and class {winner + 1} wins. Predict: which one move switches that "
        "neuron on? Then make the move and follow the steps.",
        guesses=(*_MOVES, "none of these"),
        right=on[0] if len(on) == 1 else len(_MOVES),
        answer=answer,
        fallback=_worked(x[0], z[0], h[0], y[0], p[0]),
    )


def _listed(values: Tensor, digits: int | None = None) -> str:
    """Return numbers as ``a, b and c``, in full or with a fixed number of decimals."""
    texts = [f"{v:g}" if digits is None else f"{v:.{digits}f}" for v in values.tolist()]
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def _worked(x: Tensor, z: Tensor, h: Tensor, y: Tensor, p: Tensor) -> str:
    """Return the whole pass as a table: for each neuron its arithmetic, its sum, and what leaves it."""
    layers = (("h", _W1, _B1, x, z, h.tolist()), ("y", _W2, _B2, h, y, [f"{v:.4f}" for v in p.tolist()]))
    body = ""
    for name, weights, biases, given, sums, left in layers:
        for j, (row, bias, total, out) in enumerate(zip(weights, biases, sums.tolist(), left)):
            terms = " + ".join(f"{w:g} · {v:g}" for w, v in zip(row, given.tolist())) + f" + {bias:g}"
            told = f"{terms} = {total:g}".replace("+ -", "- ").replace("- ", "− ")
            shown = out if isinstance(out, str) else f"{out:g}"
            body += f'<tr><th scope="row">{name}{"₁₂₃"[j]}</th><td>{minus(told)}</td><td>{shown}</td></tr>'
    head = '<th scope="col">neuron</th><th scope="col">products, bias, sum</th><th scope="col">ReLU or softmax</th>'
    caption = "All steps at x = (2, 1)"
    return f'<table class="nfig-table"><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
