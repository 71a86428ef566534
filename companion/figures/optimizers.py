"""Figures of chapter 07: six optimizers from one start, and what a schedule of the rate does to noisy descent."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch

from companion import lr_scheduler
from companion.figures.controls import Choice, Control, Slider, Steps, Toggle
from companion.figures.descent import EDGE, SURFACES, Number, Place, Surface, height_of, slope_of, valley_map
from companion.figures.figure import Figure, figure, minus
from companion.figures.svg import Picture, named_rows

# ---- six optimizers from one start

_HALF = math.sqrt(0.5)


class Ground(NamedTuple):
    """A surface over other coordinates: turned, bent by ``fold`` times the square of the first, then moved to ``at``."""

    surface: Surface
    turn: Place = (1.0, 0.0)  # cosine and sine of the angle
    fold: float = 0.0
    at: Place = (0.0, 0.0)
    bow: int = 2  # how close the lines of equal loss lie near the lowest place of the map


#: The lowest loss of each is 0. From the first start both valleys have nearly the same coordinates, the saddle's ridge is near, the
#: banana's floor too, and the hole is far away.
GROUNDS = {
    "valley": Ground(SURFACES["valley"]),
    "turned": Ground(SURFACES["valley"], turn=(_HALF, -_HALF)),
    "saddle": Ground(Surface((1.0, -0.3), quartic=0.0375, lift=0.15), at=(0.0, 1.5)),
    "banana": Ground(Surface((0.1, 2.0)), fold=0.3, at=(2.0, -2.0), bow=3),
    "plateau": Ground(SURFACES["plateau"], bow=1),
}
_GROUND_WORDS = {
    "valley": "valley along the axes",
    "turned": "valley turned by 45°",
    "saddle": "saddle",
    "banana": "banana",
    "plateau": "plateau with a hole",
}
METHODS = {
    "sgd": "SGD",
    "momentum": "Momentum",
    "nesterov": "Nesterov",
    "adagrad": "Adagrad",
    "rmsprop": "RMSProp",
    "adam": "Adam",
}
#: Each has a rate for every weight of its own.
ADAPTIVE = ("adagrad", "rmsprop", "adam")
RATES = [0.001, 0.0015, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07]
RATES += [0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0]
RACE = 60
_FAR = 1000  # beyond this a path has run away and ends
_ALPHA, _BETA1, _BETA2 = 0.99, 0.9, 0.999  # what is kept of the running means, and eps below: PyTorch's defaults
_START, _RATE, _MOMENTUM, _NOW = (-3.4, 1.4), 0.2, 0.9, 30


def loss_on(kind: str, w1: Number, w2: Number) -> Number:
    """Return the loss at a place of one of the grounds."""
    ground = GROUNDS[kind]
    (c, s), (a, b) = ground.turn, ground.at
    u, v = c * w1 + s * w2, c * w2 - s * w1
    return height_of(ground.surface, u - a, v - ground.fold * u * u - b)


def slope_on(kind: str, w1: float, w2: float) -> Place:
    """Return the gradient at a place of one of the grounds."""
    ground = GROUNDS[kind]
    (c, s), (a, b) = ground.turn, ground.at
    u, v = c * w1 + s * w2, c * w2 - s * w1
    g, gv = slope_of(ground.surface, u - a, v - ground.fold * u * u - b)
    gu = g - 2 * ground.fold * u * gv
    return c * gu - s * gv, s * gu + c * gv


def race_path(
    kind: str, start: Place, method: str, *, lr: float, momentum: float = _MOMENTUM, steps: int = RACE
) -> list[Place]:
    """Return the places of one optimizer from ``start``, which is the first; the path ends early where it runs away.

    What it remembers of each weight is ``m`` and ``s``. The order of arithmetic is that of the page.
    """
    path, m, s, kept1, kept2 = [start], [0.0, 0.0], [0.0, 0.0], 1.0, 1.0
    for _ in range(steps):
        w = list(path[-1])
        if max(map(abs, w)) > _FAR:
            break
        kept1, kept2 = kept1 * _BETA1, kept2 * _BETA2
        for i, g in enumerate(slope_on(kind, *path[-1])):
            if method in ("momentum", "nesterov"):
                m[i] = momentum * m[i] + g
                along = m[i] if method == "momentum" else g + momentum * m[i]
            elif method == "adagrad":
                s[i] = s[i] + g * g
                along = g / (math.sqrt(s[i]) + 1e-10)
            elif method == "rmsprop":
                s[i] = _ALPHA * s[i] + (1 - _ALPHA) * g * g
                along = g / (math.sqrt(s[i]) + 1e-8)
            elif method == "adam":
                m[i] = _BETA1 * m[i] + (1 - _BETA1) * g
                s[i] = _BETA2 * s[i] + (1 - _BETA2) * g * g
                along = m[i] / (1 - kept1) / (math.sqrt(s[i] / (1 - kept2)) + 1e-8)
            else:
                along = g
            w[i] -= lr * along
        path.append((w[0], w[1]))
    return path


@cache
def best_rate(kind: str, start: Place, method: str, momentum: float = _MOMENTUM) -> float:
    """Return the rate of the grid with the lowest loss after the last step of the race; of several, the smallest."""
    found = []
    for lr in RATES:
        path = race_path(kind, start, method, lr=lr, momentum=momentum)
        found.append((max(0.0, loss_on(kind, *path[-1])) if len(path) > RACE else math.inf, lr))
    return min(found)[1]


def left_at(path: list[Place]) -> int:
    """Return the step at which a path left twice the map for good; 0 where it is inside."""
    j = len(path)
    while j > 1 and any(abs(w) > 2 * edge for w, edge in zip(path[j - 1], EDGE)):
        j -= 1
    return j if j < len(path) else 0


def standing(
    kind: str, start: Place, k: int, *, lr: float | None = None, momentum: float = _MOMENTUM
) -> dict[str, float]:
    """Return the loss of each optimizer after ``k`` steps, at one rate for all or, without one, at the best of each.

    A path that has run away stands where it ended.
    """
    losses = {}
    for method in METHODS:
        rate = best_rate(kind, start, method, momentum) if lr is None else lr
        path = race_path(kind, start, method, lr=rate, momentum=momentum)
        losses[method] = max(0.0, loss_on(kind, *path[min(k, len(path) - 1)]))
    return losses


def few(v: float) -> str:
    """Return a loss in three decimals or, where those do not say it, in the form 1.2e-7.

    >>> few(0.1716), few(2.46e-23)
    ('0.172', '2.46e-23')
    """
    if v == 0 or 0.01 <= v < 1e5:
        return f"{v:.3f}"
    digits, power = f"{v:.2e}".split("e")
    return f"{digits}e{int(power)}"


@figure("07", "Six optimizers, one start")
def optimizer_race() -> Figure:
    """Return the paths of six optimizers on a map, and their losses; surface, start, rates and momentum are the reader's."""
    before, after = (standing(kind, _START, _NOW, lr=_RATE) for kind in ("valley", "turned"))
    best = {kind: standing(kind, _START, RACE) for kind in ("valley", "turned")}
    order = sorted(before, key=before.__getitem__)
    told = ", ".join(f"{METHODS[m]} {few(before[m])}" for m in order)
    alt = minus(
        f"A map of a narrow valley along the axes with six paths from ({_START[0]:g}, {_START[1]:g}), all at the rate {_RATE:g}. After {_NOW} "
        f"steps their losses are: {told}; at the start it was {loss_on('valley', *_START):.3f}. Below, each loss against the step, on a "
        "logarithmic scale."
    )
    lose = [m for m in METHODS if after[m] > 1.5 * before[m]]
    most = max(METHODS, key=lambda m: after[m] / before[m])
    changes = "; ".join(f"{METHODS[m]} from {few(before[m])} to {few(after[m])}" for m in METHODS)
    ahead = {kind: METHODS[min(losses, key=losses.__getitem__)] for kind, losses in best.items()}
    guesses = {
        (): "none: a turned valley is the same valley",
        ("sgd", "momentum", "nesterov"): "SGD, momentum and Nesterov: they zigzag across it",
        ADAPTIVE: "Adagrad, RMSProp and Adam: they see each weight alone",
        tuple(METHODS): "all six: a valley aslant is harder for everyone",
    }
    answer = minus(
        f"{changes}. The first three step along slopes, and a slope turns with the valley. The other three divide by a size for each weight: along the axes "
        f"that evens out steep and flat, aslant both weights feel both, and little is left to even out. {METHODS[most]} loses the most. "
        f"With the best of {len(RATES)} rates for each and {RACE} steps, {ahead['valley']} is ahead along the axes, {ahead['turned']} in the turned valley."
    )
    controls: dict[str, Control] = {
        "surface": Choice("surface", _GROUND_WORDS, "valley"),
        "rates": Choice("rates", {"same": "the same rate for all", "best": "each its best"}, "same"),
        "rate": Slider("learning rate η", 0, len(RATES) - 1, 1, RATES.index(_RATE)),
        "mu": Slider("μ of momentum and Nesterov", 0, 0.95, 0.05, _MOMENTUM),
        **{method: Toggle(label, True) for method, label in METHODS.items()},
        "w1": Slider("start w₁", -EDGE[0], EDGE[0], 0.1, _START[0]),
        "w2": Slider("start w₂", -EDGE[1], EDGE[1], 0.1, _START[1]),
        "step": Steps("steps", RACE, _NOW, interval=200),
    }
    return Figure(
        "optimizer_race",
        {
            "grounds": {
                name: {**ground._asdict(), "surface": ground.surface._asdict()} for name, ground in GROUNDS.items()
            },
            "edge": EDGE,
            "far": _FAR,
            "grid": RATES,
        },
        alt=alt,
        caption=minus(
            f"A rate for every weight is worth most where the valley lies along the weights. After {_NOW} steps at η = {_RATE:g} RMSProp has "
            f"{few(before['rmsprop'])} left along the axes and {few(after['rmsprop'])} in the turned valley; Nesterov {few(before['nesterov'])} "
            f"and {few(after['nesterov'])}. (Much later RMSProp begins to dance: its memory of the long first slopes fades.) AdamW is left out: without decay it is Adam."
        ),
        controls=controls,
        task=f"Predict: the valley is turned by 45 degrees, and the start lies beside it as before. Which methods have a larger loss after {_NOW} "
        f"steps at the rate {_RATE:g} than they had along the axes? Then choose the turned valley.",
        guesses=list(guesses.values()),
        right=list(guesses).index(tuple(lose)),
        answer=answer,
        fallback=_race(alt),
    )


_DASHES = dict(zip(METHODS, ("", "8 4", "3 3", "10 3 2 3", "1 4", "16 5")))
_INKS = dict(zip(METHODS, ("ink", "b", "bad", "ink", "b", "a")))


def _race(alt: str) -> str:
    """Draw the paths in the valley, their losses against the step on a logarithmic scale, and two standings as a table."""
    paths = {method: race_path("valley", _START, method, lr=_RATE) for method in METHODS}
    seen = valley_map((0.1, 0.9, 2.5, 4.9), corners=96)
    fall = Picture(
        (0, RACE), (-8, 1), xlabel="steps", ylabel="loss, powers of ten", ticks=((0, 20, 40, 60), (0, -2, -4, -6, -8))
    )
    for method, path in paths.items():
        at = [(k, math.log10(max(1e-12, loss_on("valley", *w)))) for k, w in enumerate(path)]
        for picture, line in ((seen, path[: _NOW + 1]), (fall, at)):
            picture.line(line, _INKS[method], width=1.6, dash=_DASHES[method])
    seen.mark(_START, 0)
    rows = [
        (label, [minus(few(standing(kind, _START, _NOW, lr=_RATE)[method])) for kind in ("valley", "turned")])
        for method, label in METHODS.items()
    ]
    table = named_rows(f"Loss after {_NOW} steps at the rate {_RATE:g}", ("", "along the axes", "turned by 45°"), rows)
    words = "dot: the start; full line: SGD; long dashes: momentum and, longer, Adam; short: Nesterov; dots: RMSProp; dash and dot: Adagrad"
    label = f"The losses of the same paths over {RACE} steps, on a logarithmic scale"
    return f"{seen.svg(alt)}{fall.svg(label)}<p>{words}</p>{table}"


# ---- what a schedule of the rate does

#: A quadratic with its axes along the weights: the curvature of each, and what each slope has of noise. All weights start at 1.
CURVATURES = [0.01, 0.017, 0.028, 0.046, 0.077, 0.13, 0.22, 0.36, 0.6, 1.0]
NOISE = 0.03  # the variance of a slope
SHARES = [1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001]
SCHEDULES = {
    "constant": "constant",
    "step": "step",
    "exponential": "exponential",
    "cosine": "cosine",
    "cycle": "one cycle",
    "plateau": "reduce on plateau",
}
_GUESSED = ["constant", "step", "exponential", "cosine"]
_BASES = (0.05, 2.4, 0.05)  # the smallest and the largest base rate, and their step
_FIRST = 0.1  # of the base rate, where a warm-up begins
#: When the plateau's schedule lowers the rate: after more than 10 steps in which the loss has not fallen by one in a hundred.
_PATIENCE, _THRESHOLD = 10, 0.01


class Plan(NamedTuple):
    """A schedule's kind and its numbers: base rate, steps, share of warm-up, number of drops, and share of the rate at the end."""

    kind: str = "step"
    base: float = 0.5
    steps: int = 200
    warm: float = 0.1
    drops: int = 3
    share: float = 0.01


def schedule_of(plan: Plan, optimizer: torch.optim.Optimizer, library: Any = lr_scheduler) -> Any:
    """Return a schedule of the companion, or of PyTorch, for an optimizer whose rate is the base rate; none where that stays."""
    kind, base, steps, warm, drops, share = plan
    w = round(warm * steps)
    n = steps - w
    if kind == "cycle":
        ends = {"div_factor": 1 / _FIRST, "final_div_factor": _FIRST / share, "cycle_momentum": False}
        return library.OneCycleLR(optimizer, max_lr=base, total_steps=steps, pct_start=warm, **ends)
    if kind == "plateau":  # it watches a loss, so no warm-up can be put before it by SequentialLR
        bounds = {"patience": _PATIENCE, "threshold": _THRESHOLD, "min_lr": base * share}
        return library.ReduceLROnPlateau(optimizer, factor=share ** (1 / drops), **bounds) if share < 1 else None
    parts = [library.LinearLR(optimizer, start_factor=_FIRST, total_iters=w)] if w else []
    if kind == "step":
        size = math.ceil(n / (drops + 1))
        parts.append(library.StepLR(optimizer, step_size=size, gamma=share ** (1 / drops)))
    elif kind == "exponential":
        parts.append(library.ExponentialLR(optimizer, gamma=share ** (1 / n)))
    elif kind == "cosine":
        parts.append(library.CosineAnnealingLR(optimizer, T_max=n, eta_min=base * share))
    if len(parts) == 2:
        return library.SequentialLR(optimizer, parts, milestones=[w])
    return parts[0] if parts else None


@cache
def rates_of(plan: Plan, library: Any = lr_scheduler) -> list[float]:
    """Return the rate of each step, as the companion's schedules set it, or PyTorch's."""
    optimizer, after = torch.optim.SGD([torch.zeros(1)], lr=plan.base), noisy()
    schedule, rates = schedule_of(plan, optimizer, library), []
    for _ in range(plan.steps):
        rates.append(optimizer.param_groups[0]["lr"])
        loss = sum(after(rates[-1]))
        if schedule and len(rates) < plan.steps:
            optimizer.step()  # of nothing: PyTorch wants it before the schedule's
            schedule.step(loss) if plan.kind == "plateau" else schedule.step()
    return rates


def noisy() -> Callable[[float], Place]:
    """Return a function that takes one step of a rate and says the expected loss after it: what is left of the way, what is noise.

    A step multiplies a weight by 1 − ηλ and adds η times noise, so E[w²] becomes (1 − ηλ)² E[w²] + η² s²; the loss is the sum of
    ½ λ E[w²]. Both parts follow the same line, one from 1 and without noise, the other from 0.
    """
    way, noise = [1.0] * len(CURVATURES), [0.0] * len(CURVATURES)

    def step(rate: float) -> Place:
        for i, c in enumerate(CURVATURES):
            way[i] *= (1 - rate * c) ** 2
            noise[i] = (1 - rate * c) ** 2 * noise[i] + rate * rate * NOISE
        return sum(c * v for v, c in zip(way, CURVATURES)) / 2, sum(c * v for v, c in zip(noise, CURVATURES)) / 2

    return step


def expected(rates: list[float]) -> list[Place]:
    """Return the two parts of the expected loss before the first and after each step."""
    step = noisy()
    return [step(rate) for rate in [0.0, *rates]]


def end_of(plan: Plan) -> Place:
    """Return the two parts of the expected loss after the last step."""
    return expected(rates_of(plan))[-1]


@cache
def best_constant(steps: int) -> tuple[float, float]:
    """Return the rate of the slider with the lowest expected loss after so many steps without a schedule, and that loss."""
    low, high, by = _BASES
    rates = [round(low + by * k, 9) for k in range(round((high - low) / by) + 1)]
    loss, rate = min((sum(expected([rate] * steps)[-1]), rate) for rate in rates)
    return rate, loss


@figure("07", "A rate over time")
def schedule_designer() -> Figure:
    """Return the rate against the step, and the expected loss of noisy descent under it; the schedule is the reader's."""
    plan = Plan()
    rates, plans = rates_of(plan), {kind: plan._replace(kind=kind) for kind in SCHEDULES}
    ends = {kind: end_of(one) for kind, one in plans.items()}
    loss = {kind: sum(parts) for kind, parts in ends.items()}
    fast = {kind: sum(end_of(one._replace(base=1.5))) for kind, one in plans.items()}
    lowest, other = (min(found, key=found.__getitem__) for found in (loss, fast))
    rate, constant = best_constant(plan.steps)
    warm, way, noise = round(plan.warm * plan.steps), *ends["step"]
    alt = minus(
        f"Two plots. The rate: {warm} steps of warm-up from {rates[0]:g} to {plan.base:g}, then {plan.drops} drops, to {rates[-1]:g} at step "
        f"{plan.steps}. The expected loss on a logarithmic scale falls from {sum(expected(rates)[0]):.2f} to {way + noise:.4f}, of which "
        f"{way:.4f} is left of the way and {noise:.4f} is noise. Thin and dashed, a constant rate of {plan.base:g}: it ends at {loss['constant']:.4f}."
    )
    parts = "; ".join(f"{name} {loss[k]:.4f}, of which {ends[k][1]:.4f} noise" for k, name in SCHEDULES.items())
    answer = minus(
        f"{SCHEDULES[lowest].capitalize()}. The losses after {plan.steps} steps: {parts}. A rate that stays large leaves a cloud, a rate that falls early leaves "
        f"some of the way, and the {SCHEDULES[lowest]} pays least for the two together; one cycle is nearly the same curve. The order is no law: from a base rate of 1.5 {SCHEDULES[other]} ends "
        f"lowest, with {fast[other]:.4f}. And the best constant rate, {rate:g}, ends at {constant:.4f}: compare schedules with that one."
    )
    controls: dict[str, Control] = {
        "kind": Choice("schedule", SCHEDULES, plan.kind),
        "base": Slider("base rate η₀", *_BASES, plan.base),
        "steps": Slider("number of steps", 40, 400, 20, plan.steps),
        "warm": Slider("warm-up, share of the steps", 0, 0.5, 0.05, plan.warm),
        "drops": Slider("number of drops", 1, 6, 1, plan.drops),
        "share": Slider("last rate, share of the base", 0, len(SHARES) - 1, 1, SHARES.index(plan.share)),
    }
    return Figure(
        "schedule_designer",
        {
            "curvatures": CURVATURES,
            "noise": NOISE,
            "shares": SHARES,
            "fixed": {"first": _FIRST, "patience": _PATIENCE, "threshold": _THRESHOLD},
        },
        alt=alt,
        caption=f"A large rate covers the way, a small one calms the noise, a schedule has one after the other: from {plan.base:g}, {plan.steps} steps end at "
        f"{loss['constant']:.4f} with a constant rate and at {loss[lowest]:.4f} with {SCHEDULES[lowest]}.",
        controls=controls,
        task=f"Predict: {plan.steps} steps with noise, base rate {plan.base:g}, a warm-up of {warm} steps, and {100 * plan.share:g} % of the rate at the end. Which of these "
        "ends lowest? Then choose them one by one.",
        guesses=[f"the {SCHEDULES[kind]} schedule" for kind in _GUESSED],
        right=_GUESSED.index(lowest),
        answer=answer,
        fallback=_designed(plan, alt),
    )


def _designed(plan: Plan, alt: str) -> str:
    """Draw the rate and the loss of a schedule beside those of a constant rate, and where each kind of schedule ends, as a table."""
    rates, still = rates_of(plan), [plan.base] * plan.steps
    across, ticks = (0, 1.05 * plan.steps), (0, 50, 100, 150, 200)
    above = Picture(across, (0, 0.6), xlabel="steps", ylabel="rate", height=150, ticks=(ticks, (0, 0.25, 0.5)))
    below = Picture(
        across,
        (-2, 0.4),
        xlabel="steps",
        ylabel="expected loss, powers of ten",
        height=200,
        ticks=(ticks, (-2, -1, 0)),
    )
    for one, ink, width, dash in ((still, "ink", 1.2, "5 4"), (rates, "a", 2.2, "")):
        above.line(enumerate(one), ink, width=width, dash=dash)
        at = [(k, math.log10(sum(pair))) for k, pair in enumerate(expected(one))]
        below.line(at[::2], ink, width=width, dash=dash)
    rows = [
        (name, [f"{v:.4f}" for v in (*end_of(plan._replace(kind=kind)), sum(end_of(plan._replace(kind=kind))))])
        for kind, name in SCHEDULES.items()
    ]
    table = named_rows(f"Expected loss after {plan.steps} steps", ("", "of the way", "noise", "together"), rows)
    label = f"The expected loss of the same {plan.steps} steps"
    return f"{above.svg(alt)}{below.svg(label)}<p>dashed: a constant rate of {plan.base:g}</p>{table}"
