"""Figures of chapter 11: a line through the scores of patients, and whether probabilities can be taken at their word."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import torch

from companion.data import Standardizer, breast_cancer, train_val_test_split
from companion.figures.controls import Control, Slider
from companion.figures.figure import Figure, figure, minus
from companion.figures.svg import Picture, named_rows
from companion.random import generator

# ---- where to draw the line

MEASURED = ("mean texture", "mean smoothness")
PART, NEWTON, RIDGE = 0.3, 8, 1e-3
GRAIN, STEP = 1000, 5  # scores in thousandths; the line moves in steps of five
LINES = range(0, GRAIN + 1, STEP)
_LINE, _MISSED, _RARE = 500, 10, 100
NAMES = {
    "recall": "recall",
    "specificity": "specificity",
    "balanced": "balanced accuracy",
    "area": "area under the ROC curve",  # so far, whatever the prevalence is
    "accuracy": "accuracy",
    "precision": "precision",
    "f1": "F1",
    "matthews": "Matthews",
    "average": "average precision",
}


class Counts(NamedTuple):
    """The four counts, as shares of all people in use."""

    tp: float
    fn: float
    fp: float
    tn: float


@cache
def scores() -> tuple[list[int], list[int]]:
    """Return the scores of the ill and of the healthy patients of the test part, in thousandths, sorted.

    The model is a neuron with a sigmoid on two measurements, fitted by Newton's method: the first split of the chapter.
    """
    tumours = breast_cancer()
    ill = (tumours.y == tumours.class_names.index("malignant")).long()
    parts = train_val_test_split(len(ill), val=PART, test=PART, stratify=ill, generator=generator(0))
    X = tumours.X[:, [tumours.feature_names.index(name) for name in MEASURED]]
    X = torch.cat([Standardizer().fit(X[parts.train]).transform(X), torch.ones(len(X), 1)], dim=1).double()
    known, weight = X[parts.train], torch.zeros(X.shape[1], dtype=torch.double)
    for _ in range(NEWTON):
        p = torch.sigmoid(known @ weight)
        curvature = (known * (p * (1 - p))[:, None]).T @ known + RIDGE * torch.eye(len(weight), dtype=torch.double)
        weight -= torch.linalg.solve(curvature, known.T @ (p - ill[parts.train]))
    seen = (GRAIN * torch.sigmoid(X[parts.test] @ weight)).round().long()
    return tuple(sorted(seen[ill[parts.test] == has].tolist()) for has in (1, 0))  # type: ignore[return-value]


@cache
def one_in() -> tuple[float, ...]:
    """Return for each place of the slider in how many people one is ill; the last but one is that of the test part."""
    ill, healthy = scores()
    return 1000, 500, 200, 100, 50, 20, 10, 5, (len(ill) + len(healthy)) / len(ill), 2


def measured() -> float:
    """Return the prevalence in the test part."""
    return 1 / one_in()[-2]


def counted(line: int, prevalence: float) -> Counts:
    """Return the four counts where everybody with a score of at least ``line`` is called ill."""
    found, alarmed = (sum(v >= line for v in group) / len(group) for group in scores())
    return Counts(
        prevalence * found, prevalence * (1 - found), (1 - prevalence) * alarmed, (1 - prevalence) * (1 - alarmed)
    )


def ratios(now: Counts) -> dict[str, float]:
    """Return every metric of the four counts; 0/0 is 0 by agreement."""
    tp, fn, fp, tn = now
    recall, specificity = _share(tp, tp + fn), _share(tn, tn + fp)
    return {
        "recall": recall,
        "specificity": specificity,
        "balanced": (recall + specificity) / 2,
        "accuracy": tp + tn,
        "precision": _share(tp, tp + fp),
        "f1": _share(2 * tp, 2 * tp + fp + fn),
        "matthews": _share(tp * tn - fp * fn, ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) ** 0.5),
    }


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def cost(line: int, prevalence: float, missed: float) -> float:
    """Return what a line costs for each person in use; an alarm costs 1."""
    now = counted(line, prevalence)
    return missed * now.fn + now.fp


def cheapest(prevalence: float, missed: float) -> int:
    """Return the line that costs least for these patients, of equal ones the lowest."""
    return min(LINES, key=lambda line: cost(line, prevalence, missed))


def by_formula(prevalence: float, missed: float) -> float:
    """Return the score at which a case and an alarm cost the same, if a score is a probability where it was measured.

    In odds: those of the costs, times by how much rarer the ill have become.
    """
    here = measured()
    odds = here / (1 - here) * (1 - prevalence) / prevalence / missed
    return odds / (1 + odds)


def curve() -> list[tuple[float, float]]:
    """Return false-positive rate and recall at each score that there is, from the highest; it begins with nobody called ill."""
    ill, healthy = scores()
    return [
        (sum(v >= line for v in healthy) / len(healthy), sum(v >= line for v in ill) / len(ill))
        for line in (GRAIN + 1, *sorted({*ill, *healthy}, reverse=True))
    ]


def area() -> float:
    """Return the area under the ROC curve: how often an ill patient has the higher score of a pair."""
    ill, healthy = scores()
    return sum((a > b) + (a == b) / 2 for a in ill for b in healthy) / len(ill) / len(healthy)


def average_precision(prevalence: float) -> float:
    """Return the mean precision over the steps of the recall, at a prevalence in use."""
    total, before = 0.0, 0.0
    for alarmed, found in curve()[1:]:
        total += (found - before) * _share(prevalence * found, prevalence * found + (1 - prevalence) * alarmed)
        before = found
    return total


def judged(line: int, prevalence: float) -> dict[str, float]:
    """Return every metric of a line, and the two that ask all lines at once."""
    return ratios(counted(line, prevalence)) | {"area": area(), "average": average_precision(prevalence)}


def _two(value: float) -> str:
    """Return a number with two decimals, or three where it is small."""
    return minus(f"{value:.3f}" if value and abs(value) < 0.1 else f"{value:.2f}")


@figure("11", "A line through the scores")
def threshold_metrics() -> Figure:
    """Return scores of ill and healthy patients and a line through them; line, costs and prevalence are the reader's."""
    (ill, healthy), here, rare = scores(), measured(), 1 / _RARE
    low, up = cheapest(here, _MISSED), cheapest(rare, _MISSED)
    now, kept, moved = judged(_LINE, here), judged(low, here), judged(low, rare)
    of = [round(GRAIN * v) for v in counted(_LINE, here)]
    guesses = (
        "where it was: the costs are the same",
        "lower still: the few ill must not be missed",
        "a little higher, below 0.5",
        "far up, above 0.5",
    )
    alt = (
        f"Scores of {len(ill)} ill and {len(healthy)} healthy patients, ill above and healthy below an axis from 0 to 1, and a line at {_LINE / GRAIN:g}. Of 1,000 such people {of[0]} are ill and found, {of[1]} missed, "
        f"{of[2]} alarmed and {of[3]} left in peace; recall {_two(now['recall'])}, precision {_two(now['precision'])}, accuracy {_two(now['accuracy'])}. "
        f"If a missed case costs {_MISSED} and an alarm 1, this line costs {_two(cost(_LINE, here, _MISSED))} a person, and the cheapest one, at {low / GRAIN:g}, {_two(cost(low, here, _MISSED))}. "
        f"The area under the ROC curve is {_two(now['area'])}, the average precision {_two(now['average'])}."
    )
    changes = [f"{NAMES[k]} from {_two(kept[k])} to {_two(v)}" for k, v in moved.items() if abs(v - kept[k]) >= 0.005]
    stay = [f"{NAMES[k]} {_two(v)}" for k, v in moved.items() if abs(v - kept[k]) < 0.005]
    answer = (
        f"Far up, at {up / GRAIN:g}. A line at {low / GRAIN:g} alarms {_two(1 - kept['specificity'])} of the healthy, and now there are {_RARE - 1} of them for each ill person: it costs {_two(cost(low, rare, _MISSED))} a person, at {up / GRAIN:g} it would be {_two(cost(up, rare, _MISSED))}. "
        f"(Calling nobody ill costs {_two(rare * _MISSED)}: at this place the model is hardly worth its alarms.) Stay at {low / GRAIN:g} and see what moved when the ill became rare: {', '.join(changes)}. "
        f"What stays: {', '.join(stay)}. Each of these asks the ill and the healthy apart. "
        f"The formula says 1/{1 + _MISSED} where the scores were measured, and {_two(by_formula(rare, _MISSED))} here. That the lowest place of {len(ill) + len(healthy)} patients lies beside it is chance."
    )
    controls: dict[str, Control] = {
        "line": Slider("threshold", 0, 1, STEP / GRAIN, _LINE / GRAIN),
        "missed": Slider("a missed case costs", 1, 50, 1, _MISSED),
        "place": Slider("prevalence", 0, len(one_in()) - 1, 1, len(one_in()) - 2),
    }
    return Figure(
        "threshold_metrics",
        {"ill": _text(ill), "healthy": _text(healthy), "oneIn": one_in(), "names": NAMES},
        alt=minus(alt),
        caption=f"Real scores: a neuron that sees two measurements of a tumour, on {len(ill) + len(healthy)} patients it has not learned from. The model stays as it is. "
        "The line is a decision and the prevalence belongs to the place: together they make every number here except the area under the ROC curve.",
        controls=controls,
        task=f"First find the cheapest line, at {_MISSED} : 1. Then predict: the model goes where 1 in {_RARE} is ill, and the costs stay. Where is the cheapest line now, and which metrics move while you leave the line alone?",
        guesses=guesses,
        right=len(guesses) - 1,
        answer=minus(answer),
        fallback=_lined(minus(alt), low),
    )


def _text(numbers: Sequence[int]) -> str:
    return " ".join(map(str, numbers))


def _lined(alt: str, low: int) -> str:
    """Draw how the scores of both groups lie, and a table of every metric for two lines and two places."""
    bins = 20
    picture = Picture((0, 1), (0, 0.32), xlabel="score", ylabel="share of each group", ticks=((0, 0.5, 1), (0, 0.1, 0.2, 0.3)))  # fmt: skip
    for group, ink, dash in zip(scores(), ("b", "a"), ("", "6 4")):
        shares = [sum(min(v * bins // GRAIN, bins - 1) == k for v in group) / len(group) for k in range(bins)]
        picture.line([(x / bins, v) for k, v in enumerate(shares) for x in (k, k + 1)], ink, dash=dash)
    picture.line([(_LINE / GRAIN, 0), (_LINE / GRAIN, 0.32)], dash="2 4")
    here, rare = measured(), 1 / _RARE
    cases = [(_LINE, here), (low, here), (low, rare), (cheapest(rare, _MISSED), rare)]
    found = [judged(*case) for case in cases]
    rows = [(words, [_two(one[name]) for one in found]) for name, words in NAMES.items()]
    rows.append((f"cost a person, {_MISSED} : 1", [_two(cost(*case, _MISSED)) for case in cases]))
    places = {here: "as measured", rare: f"1 in {_RARE} ill"}
    columns = ("", *(f"{line / GRAIN:g}, {places[place]}" for line, place in cases))
    return f"{picture.svg(alt)}<p>orange: ill; blue, dashed: healthy; dotted: the line</p>{named_rows('One model, two lines, two places', columns, rows)}"
