"""Figures of chapter 06: a path downhill step by step on five surfaces, and the slopes of batches around that of all examples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from companion.data import diabetes
from companion.figures.chance import seeded, shuffled
from companion.figures.controls import Choice, Slider, Steps, Toggle
from companion.figures.figure import Figure, figure, minus
from companion.figures.svg import Picture, named_rows

Number = TypeVar("Number", float, Tensor)
Place = tuple[float, float]

# ---- a path downhill


class Surface(NamedTuple):
    """A loss over two weights: lift + ½(a w₁² + b w₂²) + quartic · w₂⁴, less depth / (1 + r² / width²)² around each pit."""

    bend: tuple[float, float]
    quartic: float = 0.0
    lift: float = 0.0
    pits: tuple[tuple[float, float, float, float], ...] = ()  # w₁, w₂, depth, width


#: Sums, products and quotients only, which Python and JavaScript round alike. The lowest loss of each is 0, or nearly.
SURFACES = {
    "bowl": Surface((1.0, 1.0)),
    "valley": Surface((0.1, 2.0)),
    "saddle": Surface((1.0, -1.0), quartic=0.0625, lift=1.0),
    "hollows": Surface((0.08, 0.08), lift=1.86, pits=((-2.0, 0.9, 1.3, 1.7), (1.9, -0.8, 2.0, 1.0))),
    "plateau": Surface((0.0, 0.0), lift=2.0, pits=((0.8, -0.4, 2.0, 1.2),)),
}
_WORDS = {
    "bowl": "round bowl",
    "valley": "narrow valley",
    "saddle": "saddle",
    "hollows": "two hollows",
    "plateau": "plateau with a hole",
}
EDGE = (4, 3)  # the map goes from -4 to 4 and from -3 to 3
STEPS = 60
RATES = (2.4, 0.02)  # the largest rate of the slider, and its step
_FAR = 1000  # beyond this a path has flown off and ends
_FLAT = 0.01  # a slope, or a bend, that counts as none
_SEED = 6
#: What a path does: a word or two, and a sentence.
REGIMES = {
    "start": ("not started", "No step is taken yet; the slope here decides the first one."),
    "off": ("flies off", "It flies off: its steps carry it away from the lowest place."),
    "noise": (
        "circles in the noise",
        "It circles in the noise: chance carries it as far as the slope pulls it back.",
    ),
    "ridge": (
        "sits on the ridge",
        "It sits on the ridge: the slope is zero, though the ground falls on both sides. The smallest push frees it.",
    ),
    "rest": ("has arrived", "It has arrived: hardly any slope is left, and the ground rises on all sides."),
    "plain": ("stands on a plain", "It stands on a plain: hardly any slope is left, and hardly any bend."),
    "swings": ("swings", "It swings: it steps over the lowest line and comes back."),
    "creeps": ("creeps", "It creeps: its steps are short, and hardly change from one to the next."),
    "down": ("goes down", "It is on its way down."),
}
EXAMPLES = 64
BATCHES = [2**k for k in range(7)]
#: Each example has the surface of all, tilted by its own amount, in thousandths: whole numbers, so that all 64 add up to 0 exactly.
TILTS = [
    (sign * round(2000 * r * math.cos(turn)), sign * round(2000 * r * math.sin(turn)))
    for sign in (1, -1)
    for r, turn in ((math.sqrt((k + 0.5) / 32), k * math.pi * (3 - math.sqrt(5))) for k in range(32))
]


def loss_at(kind: str, w1: Number, w2: Number) -> Number:
    """Return the loss at a place."""
    return height_of(SURFACES[kind], w1, w2)


def slope_at(kind: str, w1: float, w2: float) -> Place:
    """Return the gradient at a place."""
    return slope_of(SURFACES[kind], w1, w2)


def height_of(surface: Surface, w1: Number, w2: Number) -> Number:
    """Return the loss of a surface at a place."""
    (a, b), quartic, lift, pits = surface
    loss = lift + (a * w1 * w1 + b * w2 * w2) / 2 + quartic * w2 * w2 * w2 * w2
    for x, y, depth, width in pits:
        q = 1 + ((w1 - x) * (w1 - x) + (w2 - y) * (w2 - y)) / (width * width)
        loss = loss - depth / (q * q)
    return loss


def slope_of(surface: Surface, w1: float, w2: float) -> Place:
    """Return the gradient of a surface at a place."""
    (a, b), quartic, _, pits = surface
    g1, g2 = a * w1, b * w2 + 4 * quartic * w2 * w2 * w2
    for x, y, depth, width in pits:
        u, v, ww = w1 - x, w2 - y, width * width
        q = 1 + (u * u + v * v) / ww
        k = 4 * depth / ww / (q * q * q)
        g1, g2 = g1 + k * u, g2 + k * v
    return g1, g2


def hessian_at(kind: str, w1: float, w2: float) -> tuple[float, float, float]:
    """Return the second derivatives at a place: by w₁ twice, by both, by w₂ twice."""
    (a, b), quartic, _, pits = SURFACES[kind]
    h11, h12, h22 = a, 0.0, b + 12 * quartic * w2 * w2
    for x, y, depth, width in pits:
        u, v, ww = w1 - x, w2 - y, width * width
        q = 1 + (u * u + v * v) / ww
        k = 4 * depth / ww / (q * q * q)
        m = 6 / ww / q * k
        h11, h12, h22 = h11 + (k - m * u * u), h12 - m * u * v, h22 + (k - m * v * v)
    return h11, h12, h22


def curvatures(kind: str, w1: float, w2: float) -> Place:
    """Return the largest and the smallest eigenvalue of the Hessian at a place."""
    h11, h12, h22 = hessian_at(kind, w1, w2)
    middle, half = (h11 + h22) / 2, math.hypot((h11 - h22) / 2, h12)
    return middle + half, middle - half


def limit_at(kind: str, w1: float, w2: float) -> float:
    """Return the rate beyond which steps swing wider and wider at a place: 2/λmax, infinite where nothing bends upwards."""
    largest, _ = curvatures(kind, w1, w2)
    return 2 / largest if largest > 0 else math.inf


def path_of(
    kind: str, start: Place, *, lr: float, batch: int = EXAMPLES, momentum: float = 0.0, steps: int = STEPS
) -> list[Place]:
    """Return the places of gradient descent from ``start``, which is the first; the path ends early where it flies off.

    Each step takes the mean slope of ``batch`` examples, drawn without replacement. The order of arithmetic is that of the page.
    """
    path, draw, v = [start], seeded(_SEED), (0.0, 0.0)
    for _ in range(steps):
        w1, w2 = path[-1]
        if max(abs(w1), abs(w2)) > _FAR:
            break
        taken = shuffled(TILTS, draw)[:batch] if batch < EXAMPLES else TILTS
        tilt = [sum(one[i] for one in taken) / (1000 * batch) for i in (0, 1)]
        g1, g2 = slope_at(kind, w1, w2)
        v = momentum * v[0] + (g1 + tilt[0]), momentum * v[1] + (g2 + tilt[1])
        path.append((w1 - lr * v[0], w2 - lr * v[1]))
    return path


def rms(total: float, n: int, batch: int, again: bool = False) -> float:
    """Return how far the mean of a batch is from that of all ``n``, where a single one is ``total`` away (root of mean squares).

    Without replacement, so the last examples leave no room for chance: ``again`` says that each may be drawn again.
    """
    return total * math.sqrt(1 / batch * (1 if again else (n - batch) / (n - 1)))


def noise_of(batch: int) -> float:
    """Return the root of the mean squared distance of a batch's slope from that of all examples, on any surface."""
    return rms(math.sqrt(sum(a * a + b * b for a, b in TILTS) / len(TILTS)) / 1000, EXAMPLES, batch)


def regime(kind: str, path: list[Place], k: int, *, lr: float, batch: int = EXAMPLES, momentum: float = 0.0) -> str:
    """Return what a path does after ``k`` of its steps, in one of the words of the figure."""
    if not k:
        return "start"
    so_far = path[: k + 1]
    losses = [loss_at(kind, *w) for w in so_far]
    moves = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(so_far)]
    if any(abs(w) > 2 * edge for w, edge in zip(so_far[-1], EDGE)):
        return "off"
    if batch < EXAMPLES:
        return "noise" if _circles(kind, so_far, lr, noise_of(batch), momentum) else "down"
    if _grows(moves, losses, momentum):
        return "off"
    if math.hypot(*slope_at(kind, *so_far[-1])) < _FLAT:
        _, smallest = curvatures(kind, *so_far[-1])
        return "rest" if smallest > _FLAT else "ridge" if smallest < -_FLAT else "plain"
    late = moves[-12:] if momentum else moves[-2:]
    if any(_turned(a[i], b[i]) for a, b in pairwise(late) for i in (0, 1)):
        return "swings"
    long = [math.hypot(*move) for move in moves[-2:]]
    return "creeps" if len(long) == 2 and 0.9 * long[0] < long[1] < 0.25 else "down"


def _turned(a: float, b: float) -> bool:
    return a * b < 0 and max(abs(a), abs(b)) > _FLAT


def _grows(moves: list[Place], losses: list[float], momentum: float) -> bool:
    """Tell whether each swing is longer than the one before, or, with momentum, the second half of the way higher than the first."""
    if not momentum and len(moves) > 1:
        a, b = moves[-2:]
        if any(_turned(a[i], b[i]) and abs(b[i]) > abs(a[i]) * (1 + 1e-9) for i in (0, 1)):
            return True
    half = len(moves) // 2
    return half > 3 and max(losses[half + 1 :]) > max(losses[: half + 1]) * (1 + 1e-9)


def _circles(kind: str, path: list[Place], lr: float, noise: float, momentum: float) -> bool:
    """Tell whether late slopes are about as small as chance leaves them.

    On a quadratic, where pull and noise are in balance, the variance of the slope is that of a batch times
    e (1 + μ) / ((1 − μ) (2 (1 + μ) − e)), with e = η λ.
    """
    steps = len(path) - 1
    if steps < 12:
        return False
    late = [math.hypot(*slope_at(kind, *w)) for w in path[-(steps // 4) :]]
    e, more = lr * max(curvatures(kind, *w)[0] for w in path[-(steps // 4) :]), 1 + momentum
    left = e * more / (1 - momentum) / (2 * more - e) if e < 2 * more else math.inf
    return sum(late) / len(late) < 1.5 * noise * math.sqrt(max(0.01, left))


@cache
def quickest(kind: str, start: Place, share: float = 0.01) -> tuple[int, float]:
    """Return the fewest steps, with all examples, that leave a share of the loss at the start, and the slider's rate that needs them."""
    enough, found = share * loss_at(kind, *start), []
    for lr in (round(k * RATES[1], 2) for k in range(1, round(RATES[0] / RATES[1]) + 1)):
        left = (k for k, w in enumerate(path_of(kind, start, lr=lr)) if loss_at(kind, *w) <= enough)
        found.append((next(left, math.inf), lr))
    steps, lr = min(found)
    return int(steps), lr


@figure("06", "Downhill, step by step")
def descent() -> Figure:
    """Return the map of a surface with a path of gradient descent, whose start, rate, batch and momentum the reader sets."""
    start, lr, now, over = (-3.4, 1.6), 0.84, 10, 1.02
    path, wide = path_of("valley", start, lr=lr), path_of("valley", start, lr=over)
    flat, steep = SURFACES["valley"].bend
    limit, kappa = limit_at("valley", *start), steep / flat
    (few, _), (many, _) = quickest("bowl", start), quickest("valley", start)
    first, here = loss_at("valley", *start), loss_at("valley", *path[now])
    grown = abs(wide[-1][1]) > abs(start[1]) and abs(wide[-1][0]) < abs(start[0])
    alt = minus(
        f"A map of a valley that bends {kappa:g} times as much across as along. From ({start[0]:g}, {start[1]:g}) a path of {now} steps "
        f"with rate {lr:g} zigzags to ({path[now][0]:.2f}, {path[now][1]:.2f}); its loss falls from {first:.2f} to {here:.3f}. The "
        f"largest curvature is {steep:g}, so the limit of the rate is {limit:g}."
    )
    answer = minus(
        f"They swing across the valley wider and wider, and go down along it all the same. Along it each step multiplies w₁ by 1 − {over:g} · {flat:g} = {1 - over * flat:.3f}, across it each one "
        f"multiplies w₂ by 1 − {over:g} · {steep:g} = {1 - over * steep:.2f}. So after {STEPS} steps w₁ has come from {start[0]:g} to "
        f"{wide[-1][0]:.3f}, and w₂ has gone from {start[1]:g} to {wide[-1][1]:.2f}: the loss is {loss_at('valley', *wide[-1]):.0f}, "
        f"where it began with {first:.2f}. The steepest direction alone decides whether a rate is too large."
    )
    return Figure(
        "descent",
        {
            "surfaces": {name: surface._asdict() for name, surface in SURFACES.items()},
            "edge": EDGE,
            "far": _FAR,
            "flat": _FLAT,
            "seed": _SEED,
            "tilts": TILTS,
            "words": REGIMES,
        },
        alt=alt,
        caption=f"The steepest direction limits the rate, the flattest one sets the number of steps: from the same start, each at its best "
        f"rate, a hundredth of the loss is left after {few} step in the bowl and after {many} in the valley.",
        controls={
            "surface": Choice("surface", _WORDS, "valley"),
            "rate": Slider("learning rate η", RATES[1], RATES[0], RATES[1], lr),
            "batch": Choice(
                "examples in a batch",
                {str(n): f"{n} of {EXAMPLES}" if n < EXAMPLES else f"all {n}" for n in BATCHES},
                str(EXAMPLES),
            ),
            "momentum": Slider("momentum", 0, 0.95, 0.05, 0),
            "w1": Slider("start w₁", -EDGE[0], EDGE[0], 0.1, start[0]),
            "w2": Slider("start w₂", -EDGE[1], EDGE[1], 0.1, start[1]),
            "step": Steps("steps", STEPS, now, interval=250),
        },
        task=f"Predict: the limit of the rate in the valley is 2/λmax = {limit:g}. With a rate of {over:g}, a little above it, what do {STEPS} "
        "steps do? Then set the rate and play them.",
        guesses=(
            "they arrive at the bottom, only a little later",
            "they go down along the valley and swing across it wider and wider",
            "they leave the map at once",
        ),
        right=1 if grown else 0,
        answer=answer,
        fallback=_valley(path[: now + 1], alt),
    )


def valley_map(levels: Sequence[float], corners: int = 120) -> Picture:
    """Return a picture of the map with lines of equal loss of the valley."""
    (wide, high), (flat, steep) = EDGE, SURFACES["valley"].bend
    ticks = ((-4, -2, 0, 2, 4), (-3, 0, 3))
    picture = Picture((-wide, wide), (-high, high), xlabel="w₁", ylabel="w₂", height=298, ticks=ticks)
    for level in levels:
        turns = [2 * k * math.pi / corners for k in range(corners + 1)]
        ring = [(math.sqrt(2 * level / flat) * math.cos(t), math.sqrt(2 * level / steep) * math.sin(t)) for t in turns]
        for upper in (True, False):  # in halves, because what leaves the picture is left out
            picture.line([w for w in ring if abs(w[0]) <= wide and (w[1] >= 0) == upper], "a", width=0.9)
    return picture


def _valley(path: list[Place], alt: str) -> str:
    """Draw lines of equal loss of the valley, a path over them, and its places as a table."""
    picture = valley_map((0.1, 0.4, 0.9, 1.6, 2.5, 3.6, 4.9, 6.4, 8.1))
    picture.line(path, "ink", width=1.4)
    picture.mark(path[0], 0)
    picture.mark(path[-1], 1)
    rows = [
        (f"step {k}", [minus(f"{v:.3f}") for v in (*path[k], loss_at("valley", *path[k]))])
        for k in (0, 1, 2, 5, len(path) - 1)
    ]
    table = named_rows("The first steps in the valley", ("", "w₁", "w₂", "loss"), rows)
    return f"{picture.svg(alt)}<p>lines of equal loss; dot: start; triangle: after {len(path) - 1} steps</p>{table}"


# ---- the slope of a batch

PATIENTS, DRAWS, LAST_SET = 97, 60, 20
SIZES = [1, 2, 4, 8, 16, 32, 64, PATIENTS]
_SPAN = ((-7.5, 4.5), (-7.0, 5.0))  # of the picture, in slopes


@cache
def patients() -> Tensor:
    """Return body mass index, blood pressure and progression of the first 97 patients, standardised, in float64.

    Shape: ``(97, 3)``, rounded to four decimals, so that the page reads the same numbers.
    """
    data = diabetes()
    columns = [data.feature_names.index(name) for name in ("bmi", "bp")]
    table = torch.cat([data.X[:, columns], data.y[:, None]], dim=1)[:PATIENTS].double()  # (97, 3)
    return ((table - table.mean(dim=0)) / table.std(dim=0, correction=0)).round(decimals=4)


@cache
def weights() -> dict[str, list[float]]:
    """Return the places at which slopes are taken: the start, half of the way to the lowest loss, and nine tenths of it."""
    table = patients()
    best = torch.linalg.lstsq(table[:, :2], table[:, 2:]).solution[:, 0]  # (2,)
    return {
        name: (part * best).round(decimals=4).tolist() for name, part in (("start", 0), ("half", 0.5), ("near", 0.9))
    }


def slopes_of(where: str) -> Tensor:
    """Return the gradient of each patient's squared error at one of the places. Shape: ``(97, 2)``."""
    x, y = patients()[:, :2], patients()[:, 2]
    miss = x @ torch.tensor(weights()[where], dtype=torch.float64) - y  # (97,)
    return 2 * miss[:, None] * x


def batch_slopes(where: str, batch: int, *, draws: int = 1, again: bool = False) -> Tensor:
    """Return the mean gradient of each of 60 batches. Shape: ``(60, 2)``."""
    slopes, draw = slopes_of(where), seeded(draws)
    rows = range(PATIENTS)
    taken = [
        [int(draw() * PATIENTS) for _ in range(batch)] if again else shuffled(rows, draw)[:batch] for _ in range(DRAWS)
    ]
    return slopes[torch.tensor(taken)].mean(dim=1)  # (60, batch, 2) -> (60, 2)


def spread(where: str, batch: int, *, again: bool = False) -> float:
    """Return the predicted root of the mean squared distance of a batch's gradient from that of all patients."""
    slopes = slopes_of(where)
    return rms((slopes - slopes.mean(dim=0)).square().sum(dim=1).mean().sqrt().item(), PATIENTS, batch, again)


def measured(where: str, batch: int, *, draws: int = 1, again: bool = False) -> tuple[float, int]:
    """Return the same as measured on 60 batches, and how many of them step uphill."""
    full, found = slopes_of(where).mean(dim=0), batch_slopes(where, batch, draws=draws, again=again)
    far = (found - full).square().sum(dim=1).mean().sqrt().item()
    return far, int((found @ full < 0).sum())


@figure("06", "The slope of a batch")
def batch_noise() -> Figure:
    """Return the slopes of 60 batches around that of all examples, with their predicted and their measured distance."""
    batch, larger = 4, 16
    full = slopes_of("start").mean(dim=0)
    (far, uphill), predicted = measured("start", batch), spread("start", batch)
    ratio = spread("start", larger) / predicted
    near, _ = measured("start", larger)
    shares = (0.75, 0.5, 0.25)
    alt = minus(
        f"An arrow ({full[0]:.2f}, {full[1]:.2f}), the slope of {PATIENTS} patients, and {DRAWS} dots, the slopes of batches of {batch}. "
        f"Their spread, the root of the mean squared distance from its tip, is {far:.2f}, predicted {predicted:.2f}; {uphill} of them step "
        "uphill. Beside it, the spread against the size of the batch."
    )
    sets = range(1, LAST_SET + 1)
    pooled = [math.sqrt(sum(measured("start", n, draws=k)[0] ** 2 for k in sets) / LAST_SET) for n in (batch, larger)]
    answer = minus(
        f"To about half: the prediction goes from {predicted:.2f} to {spread('start', larger):.2f}, which is {ratio:.2f} of it. These {DRAWS} "
        f"batches give {far:.2f} and {near:.2f}, all {LAST_SET} sets of batches together {pooled[0]:.2f} and {pooled[1]:.2f}. Four times "
        f"the examples leave half of the noise, √¼. It is a little less than half because {larger} of {PATIENTS} examples, drawn without "
        f"replacement, leave less to chance; all {PATIENTS} leave nothing."
    )
    controls: dict[str, Any] = {
        "size": Slider("batch size B", 0, len(SIZES) - 1, 1, SIZES.index(batch)),
        "again": Toggle("drawn with replacement"),
        "where": Choice(
            "weights", {"start": "at (0, 0)", "half": "half of the way down", "near": "near the lowest loss"}, "start"
        ),
        "draws": Slider(f"which {DRAWS} batches", 1, LAST_SET, 1, 1),
    }
    return Figure(
        "batch_noise",
        {
            "patients": patients().tolist(),
            "weights": weights(),
            "sizes": SIZES,
            "draws": DRAWS,
            "span": _SPAN,
        },
        alt=alt,
        caption=f"A batch's slope is right on average, and its noise falls with the root of its size: {SIZES[3]} examples leave "
        f"{spread('start', SIZES[3]):.2f}, four times as many {spread('start', SIZES[5]):.2f}, all {PATIENTS} none.",
        controls=controls,
        task=f"Predict: the slopes of {DRAWS} batches of {batch} examples make a cloud around the slope of all {PATIENTS}. To how much does its "
        f"spread shrink with batches of {larger}? Then move the slider.",
        guesses=("to about three quarters", "to about half", "to about a quarter"),
        right=min(range(3), key=lambda k: abs(shares[k] - ratio)),
        answer=answer,
        fallback=_cloud(batch, alt),
    )


def _cloud(batch: int, alt: str) -> str:
    """Draw the slopes of all batches, the slope of all patients, the predicted circle, and the spreads as a table."""
    across, up = _SPAN
    height = round(320 * (up[1] - up[0]) / (across[1] - across[0])) + 58
    ticks = ((-6, -3, 0, 3), (-6, -3, 0, 3))
    picture = Picture(across, up, xlabel="slope along w₁", ylabel="slope along w₂", height=height, ticks=ticks)
    a, b = full = slopes_of("start").mean(dim=0).tolist()
    for g in batch_slopes("start", batch).tolist():
        picture.mark(g, int(g[0] * a + g[1] * b < 0))
    r, turns = spread("start", batch), [k * math.pi / 40 for k in range(81)]
    picture.line([(a + r * math.cos(t), b + r * math.sin(t)) for t in turns], "ink", width=1.6, dash="5 4")
    picture.line([(0, 0), full], "bad", width=3)
    rows = [
        (f"B = {n}", [f"{spread('start', n):.3f}", f"{measured('start', n)[0]:.3f}", f"{measured('start', n)[1]}"])
        for n in SIZES
    ]
    head = ("", "predicted", "measured", f"uphill, of {DRAWS}")
    table = named_rows("Spread of batches' slopes around the slope of all", head, rows)
    words = "thick line: the slope of all; dots and triangles: slopes of batches, triangles step uphill; dashed: predicted spread"
    return f"{picture.svg(alt)}<p>{words}</p>{table}"
