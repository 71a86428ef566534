"""Figures of chapter 09: what a price does to two weights, and when a training is stopped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from companion import experiments
from companion.figures.controls import Choice, Control, Slider, Toggle
from companion.figures.figure import Figure, figure, minus
from companion.figures.svg import Picture, named_rows

# ---- a price on two weights

Pair = tuple[float, float]

STRENGTHS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.5]
STRENGTHS += [3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0]
#: Along a path: no price, then 301 strengths from 0.01 to 300, at which no share of L1 on the slider leaves a weight.
PATH = [0.0, *(float(f"{0.01 * 30_000 ** (k / 300):.6g}") for k in range(301))]
_TIE = 1e-12  # what rounding may leave of a slope that balances the price
_EDGE = (4, 3)  # the map goes from -4 to 4 and from -3 to 3


class Priced(NamedTuple):
    """A squared loss ½ (w − c)ᵀ H (w − c) with a price: the lowest place c, how its contours lie, and L1's share of the price.

    The contours are ellipses ``narrow`` times as long as wide; the long axis is turned by ``tilt`` degrees from that of w₁.
    """

    wanted: Pair = (2.6, 1.0)
    tilt: float = -20.0
    narrow: float = 3.0
    share: float = 1.0

    @property
    def bend(self) -> tuple[float, float, float]:
        """Return the second derivatives H: by w₁ twice, by both, by w₂ twice; their determinant is 1."""
        turn, n = self.tilt * math.pi / 180, self.narrow
        c, s = math.cos(turn), math.sin(turn)
        return c * c / n + s * s * n, c * s * (1 / n - n), s * s / n + c * c * n

    @property
    def pull(self) -> Pair:
        """Return H c, with which the loss pulls at weights that are 0."""
        (a, b, d), (x, y) = self.bend, self.wanted
        return a * x + b * y, b * x + d * y


def loss_of(case: Priced, w: Pair) -> float:
    """Return the loss at a place; 0 is its lowest."""
    (a, b, d), u, v = case.bend, w[0] - case.wanted[0], w[1] - case.wanted[1]
    return (a * u * u + 2 * b * u * v + d * v * v) / 2


def price_of(case: Priced, w: Pair) -> float:
    r"""Return the price at the strength 1.

    .. math:: \alpha \sum_i |w_i| + \frac{1 - \alpha}{2} \sum_i w_i^2
    """
    return case.share * (abs(w[0]) + abs(w[1])) + (1 - case.share) / 2 * (w[0] * w[0] + w[1] * w[1])


def solution(case: Priced, strength: float) -> Pair:
    """Return where the loss plus ``strength`` times the price is lowest: which weights are 0 is tried case by case.

    A weight is 0 where the loss pulls at it with no more than L1's fee. Else its slope is put to 0, with the fee on its side.
    """
    (a, b, d), (p, q) = case.bend, case.pull
    fee, more = strength * case.share, strength * (1 - case.share)
    a, d = a + more, d + more
    least = fee + _TIE
    if abs(p) <= least and abs(q) <= least:
        return 0.0, 0.0
    one = math.copysign(max(abs(p) - fee, 0.0), p) / a
    if abs(q - b * one) <= least:
        return one, 0.0
    two = math.copysign(max(abs(q) - fee, 0.0), q) / d
    if abs(p - b * two) <= least:
        return 0.0, two
    found = []
    for s, t in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        u, v, whole = p - fee * s, q - fee * t, a * d - b * b
        w = (d * u - b * v) / whole, (a * v - b * u) / whole
        found.append((min(s * w[0], t * w[1]), w))
    return max(found)[1]  # the one whose weights have the signs that were supposed


def zero_from(case: Priced, i: int) -> float:
    """Return the strength from which on weight ``i``, 0 or 1, stays exactly 0; infinite for a price without L1."""
    if not case.share:
        return math.inf
    last = max((k for k, strength in enumerate(PATH) if solution(case, strength)[i]), default=-1)
    if last < 0:
        return 0.0
    low, high = PATH[last], PATH[last + 1]
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if solution(case, middle)[i] else (low, middle)
    return high


def on_slider(strength: float) -> float:
    """Return the first strength of the slider that is not below one."""
    return next(one for one in STRENGTHS if one >= strength)


@figure("09", "A price on two weights")
def penalty_geometry() -> Figure:
    """Return a squared loss over two weights and a price on them: contour, ball, solution and its path; all of it is the reader's."""
    case, now = Priced(), 0.5
    (x, y), (w1, w2), ends = case.wanted, solution(case, now), [zero_from(case, i) for i in (0, 1)]
    longest = max(solution(case, strength)[1] for strength in STRENGTHS)
    ridge = solution(case._replace(share=0.0), STRENGTHS[-1])
    other = case._replace(wanted=(x, -0.2))
    after = solution(other, 1.4)[1]
    first = ends.index(min(ends))
    guesses = (
        f"w₂, which is the shorter one, {y:g}",
        f"w₁, which is the longer one, {x:g}",
        "both at the same strength",
        "none: they only get shorter",
    )
    alt = minus(
        f"The plane of two weights with elliptic contours of a loss around ({x:g}, {y:g}), {case.narrow:g} times as long as wide and turned by {case.tilt:g} degrees, "
        f"and a diamond around 0: the price is L1, of strength {now:g}. They touch at ({w1:.2f}, {w2:.2f}), on a side of the diamond. "
        "Below, both weights against the strength, logarithmic, as far as it is now."
    )
    answer = minus(
        f"w₁, although it is the longer one, at λ = {ends[0]:.2f} (on the slider at {on_slider(ends[0]):g}); w₂ follows at {ends[1]:.2f}. The long way of the contours runs nearly along w₁: there the loss hardly "
        f"rises, so w₁ is not worth its price. And w₂ takes over its work: it grows from {y:g} to {longest:.2f} before it shrinks. Length does not decide who goes. "
        f"With L2 (share 0) neither ever is 0: at λ = {STRENGTHS[-1]:g} they are {ridge[0]:.3f} and {ridge[1]:.3f}. "
        f"Then let the loss want w₂ = {other.wanted[1]:g} under L1: at λ = 1.4 the weight stands at {after:.2f}, with the other sign."
    )
    controls: dict[str, Control] = {
        "share": Slider("share of L1", 0, 1, 0.1, case.share),
        "strength": Slider("strength λ", 0, len(STRENGTHS) - 1, 1, STRENGTHS.index(now)),
        "c1": Slider("the loss wants w₁", -3.5, 3.5, 0.1, x),
        "c2": Slider("the loss wants w₂", -2.5, 2.5, 0.1, y),
        "tilt": Slider("tilt", -85, 90, 5, case.tilt),
        "narrow": Slider("narrowness", 1, 5, 0.5, case.narrow),
        "whole": Toggle("the whole path"),
    }
    return Figure(
        "penalty_geometry",
        {"strengths": STRENGTHS, "path": PATH, "edge": _EDGE},
        alt=alt,
        caption="The solution is where a contour of the loss touches the shape of equal price. A diamond has corners on the axes, and a contour that touches it there leaves a weight at exactly 0; "
        "a circle has none. (The price is λ·Σ|w| for L1, (λ/2)·Σw² for L2, and the elastic net in between takes a share of each.)",
        controls=controls,
        task=minus(
            f"Predict: the price is L1, and its strength grows from {now:g}. The loss wants w₁ = {x:g} and w₂ = {y:g}. Which weight becomes exactly 0 first? "
            "Then move the strength, and try it with L2."
        ),
        guesses=guesses,
        right=1 - first,
        answer=answer,
        fallback=_touching(case, now, alt),
    )


def ellipse(case: Priced, radius: float, corners: int = 72) -> list[Pair]:
    """Return places of equal loss, radius² / 2."""
    turn, long, wide = case.tilt * math.pi / 180, radius * math.sqrt(case.narrow), radius / math.sqrt(case.narrow)
    (x, y), c, s = case.wanted, math.cos(turn), math.sin(turn)
    round_ = [2 * math.pi * k / corners for k in range(corners + 1)]
    return [
        (x + c * long * math.cos(t) - s * wide * math.sin(t), y + s * long * math.cos(t) + c * wide * math.sin(t))
        for t in round_
    ]


def ball(share: float, price: float, corners: int = 96) -> list[Pair]:
    """Return places of equal price, the corners on the axes among them."""
    places = []
    for k in range(corners + 1):
        t = 2 * math.pi * k / corners
        u, v = math.cos(t), math.sin(t)
        fee = share * (abs(u) + abs(v))
        r = 2 * price / (fee + math.sqrt(fee * fee + 2 * (1 - share) * price)) if price else 0.0
        places.append((r * u, r * v))
    return places


def _touching(case: Priced, now: float, alt: str) -> str:
    """Draw contours, ball, solution and path of the default state, and a table of solutions under three prices."""
    w = solution(case, now)
    picture = Picture(
        (-4, 4), (-3, 3), xlabel="weight w₁", ylabel="weight w₂", height=290, ticks=((-4, -2, 0, 2, 4), (-2, 0, 2))
    )
    for radius in (0.7, 1.4, 2.1, 2.8):
        picture.line(ellipse(case, radius), "a", width=0.7)
    picture.line(ellipse(case, math.sqrt(2 * loss_of(case, w))), "a")
    picture.line(ball(case.share, price_of(case, w)), "b")
    picture.line([solution(case, strength) for strength in PATH if strength <= now])
    picture.mark(case.wanted, 0)
    picture.mark(w, 1)
    rows = [
        (
            f"λ = {strength:g}",
            [
                minus(f"{v:.2f}" if v else "0")
                for share in (1.0, 0.5, 0.0)
                for v in solution(case._replace(share=share), strength)
            ],
        )
        for strength in (0, 0.5, 1.0, 2.0, 5.0, 10.0)
    ]
    table = named_rows(
        "Both weights under three prices", ("", "L1: w₁", "w₂", "half of each: w₁", "w₂", "L2: w₁", "w₂"), rows
    )
    words = "blue: equal loss; orange: equal price; dot: what the loss wants; triangle: the solution"
    return f"{picture.svg(alt)}<p>{words}</p>{table}"


# ---- when to stop

SIZES = (10, 50, 200)
RUNS, LOOKS, EVERY = 8, 60, 10
_RUN, _SIZE, _PATIENCE = 7, 50, 2


class Stop(NamedTuple):
    """Where a training is stopped, and where it was best by then; looks, counted from 0."""

    at: int
    best: int


class Ends(NamedTuple):
    """What becomes of one training: where it stops, where its whole curve is lowest, and the shares of new digits wrong."""

    stop: Stop
    lowest: int
    best_wrong: float
    last_wrong: float
    lowest_wrong: float


@cache
def curve_of(run: int, size: int) -> list[int]:
    """Return the validation loss of a run, from 1, at each look, in thousandths."""
    return [int(v) for v in experiments.recorded("stopping").results["networks"][run - 1]["held"][str(size)].split()]


@cache
def wrong_of(run: int) -> list[int]:
    """Return the share of new digits that a run, from 1, gets wrong at each look, in thousandths."""
    return [int(v) for v in experiments.recorded("stopping").results["networks"][run - 1]["wrong"].split()]


def smoothed(curve: Sequence[int], window: int) -> list[float]:
    """Return the mean of the last ``window`` looks at each look, of fewer at the beginning."""
    parts = [curve[max(0, k - window + 1) : k + 1] for k in range(len(curve))]
    return [sum(part) / len(part) for part in parts]


def stop(curve: Sequence[float], patience: int, min_delta: float = 0) -> Stop:
    """Return where a training stops: after ``patience`` looks in a row that have not beaten the best by more than ``min_delta``."""
    best = 0
    for k, value in enumerate(curve):
        if k and value < curve[best] - min_delta:
            best = k
        elif k - best >= patience:
            break
    return Stop(k, best)


def ends_of(run: int, size: int, patience: int, min_delta: int = 0, window: int = 1) -> Ends:
    """Return what becomes of a run, from 1; ``min_delta`` in thousandths."""
    curve, wrong = smoothed(curve_of(run, size), window), [v / 1000 for v in wrong_of(run)]
    end, lowest = stop(curve, patience, min_delta), curve.index(min(curve))
    return Ends(end, lowest, wrong[end.best], wrong[end.at], wrong[lowest])


def least_patience(run: int, size: int) -> int:
    """Return the smallest patience with which a run comes to the lowest point of its whole curve."""
    return next(p for p in range(1, LOOKS + 1) if (end := ends_of(run, size, p)).stop.best == end.lowest)


def step_of(look: int) -> int:
    """Return the step after which a look is taken."""
    return EVERY * (look + 1)


@figure("09", "When to stop")
def early_stop() -> Figure:
    """Return recorded validation curves of eight trainings; patience, least gain, smoothing and the weights kept are the reader's."""
    now, need = ends_of(_RUN, _SIZE, _PATIENCE), least_patience(_RUN, _SIZE)
    found, patient = ends_of(_RUN, _SIZE, need), ends_of(_RUN, _SIZE, 20)
    few = least_patience(1, SIZES[0])
    lucky, better = ends_of(1, SIZES[0], few), ends_of(1, SIZES[1], few)
    guesses = (need - 1, need, 2 * need, 4 * need)
    alt = (
        f"The validation loss of a training, drawn up to step {step_of(now.stop.at)}, where it stops; the rest, up to step {step_of(LOOKS - 1)}, is faint. "
        f"It was best at step {step_of(now.stop.best)}; the lowest point of the whole curve is at step {step_of(now.lowest)}. "
        f"Below, the share of new digits wrong: {now.best_wrong:.3f} at the best look, {now.last_wrong:.3f} at the stop, {now.lowest_wrong:.3f} at the lowest point."
    )
    answer = (
        f"With {need}. After step {step_of(now.stop.best)} come {found.lowest - now.stop.best - 1} looks without a new best, and the next one, at step {step_of(found.lowest)}, is the lowest of all. "
        f"The share of new digits wrong falls from {now.best_wrong:.3f} to {found.best_wrong:.3f}. A patience of 20 finds the same point, and costs {EVERY * (patient.stop.at - found.stop.at)} steps more. "
        f"But it needs the best weights put back: the last ones would be wrong on {patient.last_wrong:.3f}. "
        f"And more patience is not always better. In run 1 with ten validation digits a patience of {few} finds the lowest point at step {step_of(lucky.lowest)}, and that point is luck: "
        f"{lucky.best_wrong:.3f} of the new digits are wrong there. Fifty digits choose step {step_of(better.stop.best)}, with {better.best_wrong:.3f}."
    )
    controls: dict[str, Control] = {
        "run": Slider("run", 1, RUNS, 1, _RUN),
        "size": Choice("validation set", {str(size): f"{size} digits" for size in SIZES}, str(_SIZE)),
        "patience": Slider("patience", 1, 20, 1, _PATIENCE),
        "delta": Slider("least gain (min_delta)", 0, 0.1, 0.01, 0),
        "window": Slider("smoothing", 1, 9, 1, 1),
        "kept": Choice("weights", {"best": "the best are put back", "last": "the last are kept"}, "best"),
        "whole": Toggle("to the end of the training"),
    }
    return Figure(
        "early_stop",
        {"networks": experiments.recorded("stopping").results["networks"], "every": EVERY},
        alt=alt,
        caption=f"Eight real trainings on 200 digits each, a fifth of their labels dealt anew, seen every {EVERY} steps. Stopping sees the loss on the validation set; "
        "what it is for, the share of new digits wrong with their true labels, it never sees.",
        controls=controls,
        task=f"Predict: with a patience of {_PATIENCE} run {_RUN} stops at step {step_of(now.stop.at)} and misses the lowest point of its curve. What is the smallest patience that finds it? "
        "Count the looks in the picture, then try.",
        guesses=[str(guess) for guess in guesses],
        right=guesses.index(need),
        answer=answer,
        fallback=_stopped(now, alt),
    )


def _stopped(now: Ends, alt: str) -> str:
    """Draw the default run's validation loss with its best look and its stop, and a table of several patiences."""
    curve = [v / 1000 for v in curve_of(_RUN, _SIZE)]
    places = [(step_of(k), v) for k, v in enumerate(curve)]
    picture = Picture(
        (0, step_of(LOOKS - 1)),
        (0, 3.2),
        xlabel="step",
        ylabel="validation loss",
        ticks=((0, 200, 400, 600), (0, 1, 2, 3)),
    )
    picture.line(places, width=0.8)
    picture.line(places[: now.stop.at + 1], "a", width=2.6)
    picture.mark(places[now.stop.best], 0)
    picture.ring(places[now.lowest])
    rows = []
    for patience in (1, 2, 3, 4, 5, 10, 20):
        end = ends_of(_RUN, _SIZE, patience)
        texts = [
            str(step_of(end.stop.at)),
            str(step_of(end.stop.best)),
            f"{end.best_wrong:.3f}",
            f"{end.last_wrong:.3f}",
        ]
        rows.append((f"patience {patience}", texts))
    columns = ("", "stops at step", "best step", "wrong, best weights", "wrong, last weights")
    words = "thick line: what is seen; dot: the best look; ring: the lowest point of the whole curve"
    return f"{picture.svg(alt)}<p>{words}</p>{named_rows(f'Run {_RUN}, {_SIZE} validation digits', columns, rows)}"
