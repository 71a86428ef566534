"""Figures of chapter 03: a small network traced by hand, a curve built from bumps, and a sheet of paper folded by depth."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from companion import functional as F
from companion.figures.controls import Choice, Control, Slider, Steps
from companion.figures.figure import Figure, figure, minus
from companion.figures.svg import Picture, named_rows

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
    rows = []
    for name, weights, biases, given, sums, left in layers:
        for j, (row, bias, total, out) in enumerate(zip(weights, biases, sums.tolist(), left)):
            terms = " + ".join(f"{w:g} · {v:g}" for w, v in zip(row, given.tolist())) + f" + {bias:g}"
            told = f"{terms} = {total:g}".replace("+ -", "- ").replace("- ", "− ")
            rows.append((f"{name}{'₁₂₃'[j]}", (minus(told), out if isinstance(out, str) else f"{out:g}")))
    return named_rows("All steps at x = (2, 1)", ("neuron", "products, bias, sum", "ReLU or softmax"), rows)


# ---- a curve from bumps

_TARGETS = {"wave": "wave", "jump": "sawtooth with a jump", "cusp": "cusp, infinitely steep"}
_KINDS = {"bumps": "bumps of two sigmoids", "corners": "corners of ReLUs"}
_BREAK = 0.4  # where the sawtooth jumps from 0.8 to −0.8, and where the cusp has its tip
_INNER = (
    torch.arange(50, 951, dtype=torch.float64) / 1000
)  # where the error is measured; at 0 and 1 a step is half way up


def target(name: str, x: Tensor) -> Tensor:
    """Return a curve on [0, 1]; on the jump itself the value to its right.

    The three differ in what they do to the largest error of ``n`` bumps: the smooth wave lets it fall like 1/n (and with
    ReLU corners like 1/n²), at the cusp it falls like 1/√n with either, and at the jump it stays.
    """
    if name == "wave":
        return 0.8 * torch.sin(2 * math.pi * x) + 0.3 * torch.sin(6 * math.pi * x)
    if name == "jump":
        return torch.where(x < _BREAK, 4 * x - 0.8, (x - _BREAK) * 8 / 3 - 0.8)
    return 2 * (x - _BREAK).abs().sqrt() - 0.8


def built(name: str, kind: str, n: int, steepness: float, x: Tensor) -> Tensor:
    """Return what one hidden layer makes of ``x (N,)`` when its weights are set by hand to follow a curve.

    ``bumps``: 2n sigmoids, one up and one down at the ends of each of n intervals, the curve at its middle as height;
    each step goes by ``steepness`` over the width of a bump. ``corners``: n ReLUs, which join n + 1 points of the curve.
    """
    k = torch.arange(n, dtype=torch.float64)
    if kind == "bumps":
        height = target(name, (k + 0.5) / n)
        weight = torch.full((2 * n, 1), float(steepness * n), dtype=torch.float64)
        hidden = F.sigmoid(F.linear(x[:, None], weight, -steepness * torch.cat([k, k + 1])))  # (N, 1) -> (N, 2n)
        return F.linear(hidden, torch.cat([height, -height])[None])[:, 0]
    at = target(name, torch.arange(n + 1, dtype=torch.float64) / n)
    slopes = at.diff() * n
    bends = torch.cat([slopes[:1], slopes.diff()])
    hidden = F.relu(F.linear(x[:, None], torch.ones(n, 1, dtype=torch.float64), -k / n))  # (N, 1) -> (N, n)
    return F.linear(hidden, bends[None], at[:1])[:, 0]


def largest_error(name: str, kind: str, n: int, steepness: float) -> float:
    """Return the largest distance from the curve over 0.05, 0.051, ..., 0.95, at the jump to both of its sides."""
    value = built(name, kind, n, steepness, _INNER)
    largest = (value - target(name, _INNER)).abs().max().item()
    if name == "jump":
        (middle,) = value[_INNER == _BREAK].tolist()
        largest = max(largest, abs(middle - 0.8))
    return largest


@figure("03", "A curve from bumps")
def bump_builder() -> Figure:
    """Return universal approximation by hand: n bumps of sigmoids or n corners of ReLUs on one of three curves."""
    n, steep = 8, 20
    error = largest_error("wave", "bumps", n, steep)
    small, large = (largest_error("wave", "bumps", k, steep) for k in (20, 40))
    bent, flatter = (largest_error("wave", "corners", k, steep) for k in (20, 40))
    cusp = largest_error("cusp", "bumps", 20, steep) / largest_error("cusp", "bumps", 40, steep)
    soft = largest_error("wave", "bumps", 20, 3) / largest_error("wave", "bumps", 40, 3)
    factors = (1.4, 2.0, 4.0)
    alt = minus(
        f"A wave on [0, 1] and {n} bumps of two sigmoid steps each, {2 * n} hidden units: their sum follows the wave with a "
        f"largest error of {error:.3f} between 0.05 and 0.95. Below, the error against the number of bumps, on logarithmic axes."
    )
    answer = minus(
        f"By about 2: from 20 to 40 steep bumps the largest error falls from {small:.3f} to {large:.3f}, a factor of "
        f"{small / large:.2f}. A flat top misses a slope by what the slope does in half a bump, and half the width halves that. "
        f"ReLU corners follow the slope and miss only its bend: from {bent:.4f} to {flatter:.4f}, a factor of "
        f"{bent / flatter:.2f}, near 4. (Gentle bumps melt into each other and gain more as well: {soft:.2f} with steepness 3.) "
        f"At the cusp the factor is {cusp:.2f}. At a jump nothing helps: a network has no breaks, so half of the jump, 0.8, is "
        "missed on one side at least."
    )
    caption = (
        f"One hidden layer comes as near to a curve as you like: on the wave 20 steep bumps miss it by {small:.2f}, 40 by "
        f"{large:.2f}. It takes a curve without a jump, and many units where the curve is steep."
    )
    controls: dict[str, Control] = {
        "curve": Choice("curve", _TARGETS, "wave"),
        "kind": Choice("parts", _KINDS, "bumps"),
        "n": Slider("number n", 1, 60, 1, n),
        "steepness": Slider("steepness of a step", 1, 50, 1, steep),
    }
    return Figure(
        "bump_builder",
        {"low": 50, "high": 950, "parts": 1000, "jump": [_BREAK, 0.8]},
        alt=alt,
        caption=caption,
        controls=controls,
        task="Predict: twice as many steep bumps divide the largest error on the wave by about how much? Then compare n = 20 "
        "with n = 40, and try ReLU corners and the other curves.",
        guesses=tuple(f"about {factor:g}" for factor in factors),
        right=min(range(3), key=lambda i: abs(math.log(small / large / factors[i]))),
        answer=answer,
        fallback=_sum_of_bumps(n, steep, alt),
    )


def _sum_of_bumps(n: int, steepness: float, alt: str) -> str:
    x = torch.linspace(0, 1, 241, dtype=torch.float64)
    picture = Picture((0, 1), (-1, 1), xlabel="x", ylabel="y", ticks=((0, 0.5, 1), (-1, 0, 1)))
    picture.line(zip(x.tolist(), target("wave", x).tolist()), "b", dash="7 5")
    picture.line(zip(x.tolist(), built("wave", "bumps", n, steepness, x).tolist()), "a", width=2.6)
    return picture.svg(alt) + f"<p>dashed: the wave, solid: the sum of {n} bumps</p>"


# ---- a sheet of paper, folded


def folded(x: Tensor, depth: int) -> Tensor:
    """Return the tent map ``2 · min(x, 1 − x)`` applied ``depth`` times, as a chain 1-2-2-...-1 of ReLU layers.

    Each layer has two neurons, ``relu(u)`` and ``relu(u − 1/2)`` with ``u = 2 h₁ − 4 h₂`` of the layer before: 4 numbers in the
    first layer, 6 in each other, 3 in the output, ``6 · depth + 1`` together. Shape: ``x (N,)`` to ``(N,)``.
    """
    bias = torch.tensor([0.0, -0.5], dtype=torch.float64)
    fold = torch.tensor([[2.0, -4.0]], dtype=torch.float64)
    hidden = F.relu(F.linear(x[:, None], torch.ones(2, 1, dtype=torch.float64), bias))  # (N, 1) -> (N, 2)
    for _ in range(depth - 1):
        hidden = F.relu(F.linear(hidden, fold.expand(2, 2), bias))
    return F.linear(hidden, fold)[:, 0]


def flat(x: Tensor, depth: int, units: int) -> Tensor:
    """Return one hidden layer of ``units`` ReLUs that follows the folded paper from the left as far as its units reach.

    The first unit has its corner at 0 and gives the first slope, each other one a corner inside [0, 1]: as many pieces as units.
    From ``2**depth`` units on the two are equal. With fewer, the corners lie on those of the folded paper, and the last one
    lets the line go on at 1/2, the mean of what is left. That is fairer than corners at equal distances with the best heights,
    which stay near a gap of 1/12 for most numbers of units; a random search for better corners, at depth 2 and 3, won less
    than 10 %.
    """
    pieces = 2**depth
    used = min(units, pieces)
    slopes = [pieces * (-1) ** k for k in range(used)]
    corners = [k / pieces for k in range(used)]
    start = 0.0
    if units < pieces:
        slopes[-1], start = 0, 0.5 if units == 1 else 0.0
        corners[-1] = (used - 1.5) / pieces if units > 1 else 0.0
    at = torch.tensor(corners, dtype=torch.float64)
    bends = torch.tensor(slopes, dtype=torch.float64).diff(prepend=torch.zeros(1, dtype=torch.float64))
    hidden = F.relu(F.linear(x[:, None], torch.ones(used, 1, dtype=torch.float64), -at))  # (N, 1) -> (N, used)
    return F.linear(hidden, bends[None], torch.tensor([start], dtype=torch.float64))[:, 0]


def squared_gap(depth: int, units: int) -> float:
    """Return the mean squared gap between both curves over [0, 1].

    Both are straight between multiples of half a piece, so ``(a² + ab + b²) / 3`` is exact for a gap that goes from a to b.
    """
    x = torch.linspace(0, 1, 2 ** (depth + 1) + 1, dtype=torch.float64)
    gap = folded(x, depth) - flat(x, depth, units)
    a, b = gap[:-1], gap[1:]
    return ((a * a + a * b + b * b) / 3).mean().item()


def pieces_of(depth: int) -> int:
    """Count the straight pieces of the folded paper: one more than the places where its slope changes."""
    slopes = folded(torch.linspace(0, 1, 2 ** (depth + 2) + 1, dtype=torch.float64), depth).diff()
    return 1 + int((slopes.diff().abs() > 1e-9).sum())


@figure("03", "Depth folds")
def folded_paper() -> Figure:
    """Return the tent map folded layer by layer, against one hidden layer that buys its corners one by one."""
    depth, units, asked = 4, 8, 6
    pieces = pieces_of(asked)
    exact = next(u for u in range(1, 301) if squared_gap(asked, u) == 0)
    options = (2 * asked, 6 * asked, exact)
    gap, same = squared_gap(depth, units), squared_gap(asked, 2 * asked)
    alt = minus(
        f"A zigzag of {pieces_of(depth)} straight pieces on [0, 1], made by {depth} layers of two ReLUs with {6 * depth + 1} "
        f"parameters. One hidden layer of {units} ReLUs, also {3 * units + 1} parameters, follows it up to x = {(units - 1.5) / 2**depth:.2f} and then stays "
        f"at one half: the mean squared gap is {gap:.4f}. Below, the gap against the number of units."
    )
    answer = (
        f"{exact}. Each layer folds once more and doubles the pieces: {asked} layers make {pieces}. One hidden layer gets one corner from each "
        f"unit: {pieces - 1} for the corners inside and one for the first slope. That is {3 * exact + 1} parameters, where the deep "
        f"network has {6 * asked + 1}. With as many units as the deep one, {2 * asked}, and as many parameters, the mean squared gap "
        f"is {same:.4f}; a flat line at one half has {1 / 12:.4f}."
    )
    return Figure(
        "folded_paper",
        {},
        alt=alt,
        caption=f"Depth multiplies, width adds: {asked} layers of two units make {pieces} pieces with {6 * asked + 1} parameters, one "
        f"hidden layer needs {exact} units and {3 * exact + 1} parameters for them.",
        controls={
            "depth": Slider("depth", 1, 8, 1, depth),
            "units": Slider("units of the one layer", 1, 300, 1, units),
        },
        task=f"At depth {asked} the deep network has {2 * asked} hidden units. Predict: how many does one hidden layer need to draw "
        "the same zigzag exactly? Then find it.",
        guesses=(
            f"{options[0]}, as many as the deep one",
            f"{options[1]}, about as many as the deep one has parameters",
            f"{options[2]}, two to the power of the depth",
        ),
        right=options.index(exact),
        answer=answer,
        fallback=_two_zigzags(depth, units, alt),
    )


def _two_zigzags(depth: int, units: int, alt: str) -> str:
    x = torch.linspace(0, 1, 2 ** (depth + 1) + 1, dtype=torch.float64)
    picture = Picture((0, 1), (0, 1), xlabel="x", ylabel="y", ticks=((0, 0.5, 1), (0, 0.5, 1)))
    picture.line(zip(x.tolist(), folded(x, depth).tolist()), "a")
    picture.line(zip(x.tolist(), flat(x, depth, units).tolist()), "b", width=2.6, dash="7 5")
    return picture.svg(alt) + f"<p>solid: {depth} layers of two, dashed: one layer of {units}</p>"
