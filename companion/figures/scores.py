"""Figures of chapter 11: a line through the scores of patients, and whether probabilities can be taken at their word."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from companion import experiments, metrics
from companion.data import Standardizer, breast_cancer, train_val_test_split
from companion.figures.chance import drawn_at_once, seeded, shuffled
from companion.figures.controls import Control, Slider
from companion.figures.figure import Figure, figure, minus
from companion.figures.svg import Picture, named_rows
from companion.functional import cross_entropy
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
    caption = f"Lines through the same scores, where they were measured and where the ill are rare, 1 in {_RARE}"
    columns = ("", *(f"{line / GRAIN:g}{', rare' if place == rare else ''}" for line, place in cases))
    return f"{picture.svg(alt)}<p>orange: ill; blue, dashed: healthy; dotted: the line</p>{named_rows(caption, columns, rows)}"


# ---- can a probability be taken at its word?

ASKED, FEWEST, DEALS = 480, 60, 20
COLD, HOT = -12, 19  # the slider's ends: T = 2^(k/12), from 0.5 to 3
DRAWS, CUT = (
    200,
    5,
)  # a band holds all but the lowest five and the highest five of 200 draws, a limit all but the highest ten
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_DEAL, _SAMPLES, _BINS = 1, 360, 10


class Trust(NamedTuple):
    """How far the probabilities of some digits can be taken at their word; ``usual`` and ``limit`` are the error of a model that is calibrated."""

    error: float
    usual: float
    limit: float
    log_loss: float
    accuracy: float
    said: float


class Bin(NamedTuple):
    """The answers whose confidence lies in one bin; ``low`` to ``high`` is where the share right of a calibrated model lies."""

    answers: int
    said: float
    right: float
    low: float
    high: float

    @property
    def outside(self) -> bool:
        """Return whether chance alone hardly explains the gap."""
        return not self.low <= self.right <= self.high


@cache
def recorded() -> tuple[Tensor, Tensor]:
    """Return the classes of the recorded digits, (480,), and their logits less the largest of each digit, (480, 10)."""
    found = experiments.recorded("reliability").results
    below = [[int(v) for v in row.split()] for row in found["below"]]
    return torch.tensor([int(sign) for sign in found["labels"]]), torch.tensor(below).double() / -100


def temperature(k: int) -> float:
    """Return the temperature at a place of the slider: twelve steps double it."""
    return round(2 ** (k / 12), 2)


def dealt(deal: int, samples: int) -> list[int]:
    """Return which of the recorded digits are taken."""
    return shuffled(range(ASKED), seeded(2 * deal))[:samples]


def _judged_at(k: int, deal: int, samples: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return classes, logits over temperature, and the confidence in each answer."""
    labels, logits = recorded()
    rows = dealt(deal, samples)
    scaled = logits[rows] / temperature(k)
    return labels[rows], scaled, scaled.softmax(dim=1).max(dim=1).values


def _places(confidence: Tensor, bins: int) -> Tensor:
    return (confidence * bins).ceil().long().clamp(1, bins) - 1  # on an edge: the lower bin


def _chances(confidence: Tensor, deal: int, bins: int) -> tuple[Tensor, Tensor]:
    """Return for each draw of a calibrated model how many are right in each bin, (draws, bins), and its calibration error."""
    right = drawn_at_once(2 * deal + 1, DRAWS * len(confidence)).view(DRAWS, -1) < confidence
    where = torch.nn.functional.one_hot(_places(confidence, bins), bins).double()
    hits = right.double() @ where  # (draws, N) @ (N, bins)
    return hits, (hits - confidence @ where).abs().sum(dim=1) / len(confidence)


@cache
def trust(k: int, bins: int = _BINS, samples: int = _SAMPLES, deal: int = _DEAL) -> Trust:
    """Return what the figure shows of one choice."""
    labels, scaled, confidence = _judged_at(k, deal, samples)
    errors = _chances(confidence, deal, bins)[1].sort().values
    return Trust(
        metrics.expected_calibration_error(labels, scaled.softmax(dim=1), n_bins=bins),
        float(errors.mean()),
        float(errors[-1 - 2 * CUT]),
        float(cross_entropy(scaled, labels)),
        float((scaled.argmax(dim=1) == labels).double().mean()),
        float(confidence.mean()),
    )


def reliability_bins(k: int, bins: int = _BINS, samples: int = _SAMPLES, deal: int = _DEAL) -> list[Bin]:
    """Return the bins that are not empty, from the least sure to the surest."""
    labels, scaled, confidence = _judged_at(k, deal, samples)
    hits, where = _chances(confidence, deal, bins)[0].sort(dim=0).values, _places(confidence, bins)
    right = (scaled.argmax(dim=1) == labels).double()
    found = []
    for b in range(bins):
        mine = where == b
        if count := int(mine.sum()):
            low, high = hits[CUT, b] / count, hits[-1 - CUT, b] / count
            found.append(
                Bin(count, float(confidence[mine].mean()), float(right[mine].sum()) / count, float(low), float(high))
            )
    return found


def best_temperature(samples: int = _SAMPLES, deal: int = _DEAL) -> int:
    """Return the place of the slider with the least log loss."""
    return min(range(COLD, HOT + 1), key=lambda k: trust(k, _BINS, samples, deal).log_loss)


def packed(rows: Sequence[Sequence[int]]) -> str:
    """Return whole numbers below 4096 as two letters each.

    >>> packed([[0, 63, 64]])
    'AAA/BA'
    """
    return "".join(LETTERS[v // 64] + LETTERS[v % 64] for row in rows for v in row)


@figure("11", "Taken at its word")
def reliability() -> Figure:
    """Return a reliability diagram of recorded logits; temperature, bins and the digits taken are the reader's."""
    best = best_temperature()
    plain, cooled, few = trust(0), trust(best), trust(best, samples=FEWEST)
    others = [trust(best, samples=FEWEST, deal=deal) for deal in range(1, DEALS + 1)]
    mean = sum(one.error for one in others) / DEALS
    over = sum(one.error > one.limit for one in others)
    finer = trust(best, bins=20, samples=FEWEST)
    bins = reliability_bins(0)
    t = f"{temperature(best):g}"
    alt = (
        f"Share right against confidence in {len(bins)} bins that are not empty, for {_SAMPLES} answers at temperature 1, with a band in each bin where a calibrated model would be: {sum(b.outside for b in bins)} lie outside, below the diagonal. "
        f"The network is right in {plain.accuracy:.2f} and says {plain.said:.2f} on average; the surest bin has {bins[-1].answers} answers. Its expected calibration error is {plain.error:.3f}; a calibrated model has {plain.usual:.3f} on average and {plain.limit:.3f} at most in 95 of 100 cases. "
        f"The log loss is {plain.log_loss:.2f}, and {cooled.log_loss:.2f} at the best temperature."
    )
    answer = (
        f"It more than doubles. The least log loss, {cooled.log_loss:.2f} in place of {plain.log_loss:.2f}, is at T = {t}; the error falls from {plain.error:.3f} to {cooled.error:.3f}, and the accuracy stays {plain.accuracy:.2f}, for a temperature changes no answer. "
        f"With {FEWEST} of these answers the error is {few.error:.3f}, in the mean of {DEALS} deals {mean:.3f}, and the network is the same. A calibrated model has {few.usual:.3f} on average there, and up to {few.limit:.3f}: in every bin chance leaves a gap, the error adds up their sizes, and few answers leave large ones. "
        f"So {over or 'none'} of the {DEALS} deals says anything against this network at T = {t}. More bins make it worse: with 20 of them the error of the same {FEWEST} answers is {finer.error:.3f}, and {finer.usual:.3f} is usual. "
        "Never read this error without its null. (Choose T on a validation part; here it is chosen and judged on the same digits, which flatters a little.)"
    )
    guesses = (
        "it stays: the network is the same",
        "it becomes smaller: there is less to add up",
        "it grows, by about a fifth",
        "it more than doubles",
    )
    controls: dict[str, Control] = {
        "heat": Slider("temperature", COLD, HOT, 1, 0),
        "bins": Slider("bins", 5, 20, 1, _BINS),
        "samples": Slider("answers", FEWEST, ASKED, 60, _SAMPLES),
        "deal": Slider("deal", 1, DEALS, 1, _DEAL),
    }
    found = experiments.recorded("reliability").results
    return Figure(
        "reliability",
        {
            "labels": found["labels"],
            "below": packed([[int(v) for v in row.split()] for row in found["below"]]),
            "letters": LETTERS,
        },
        alt=minus(alt),
        caption="A network that knows 100 digits by heart, asked for others. Each point is a bin of answers: how sure it was, and how many were right. "
        f"The bands are made by {DRAWS} models that are calibrated, with the same confidences: a point inside may be chance. Another deal takes other answers.",
        controls=controls,
        task=f"First find the temperature with the least log loss. Then predict: you leave it there and take {FEWEST} answers in place of {_SAMPLES}. What becomes of the expected calibration error (ECE)?",
        guesses=guesses,
        right=len(guesses) - 1,
        answer=minus(answer),
        fallback=_trusted(minus(alt), best),
    )


def _trusted(alt: str, best: int) -> str:
    """Draw the bins at temperature 1 with their bands, and a table of several temperatures."""
    picture = Picture((0, 1), (0, 1), xlabel="confidence", ylabel="share right", height=300, ticks=((0, 0.5, 1), (0, 0.5, 1)))  # fmt: skip
    picture.line([(0, 0), (1, 1)], dash="2 4", width=1)
    for one in reliability_bins(0):
        picture.line([(one.said, one.low), (one.said, one.high)], "a", width=5)
        picture.mark((one.said, one.right), int(one.outside))
    rows = []
    for k in (COLD, 0, best, HOT):
        for samples in (_SAMPLES, FEWEST):
            now = trust(k, samples=samples)
            texts = [f"{v:.3f}" for v in (now.error, now.usual, now.limit, now.log_loss, now.accuracy)]
            rows.append((f"T = {temperature(k):g}, {samples} answers", texts))
    columns = ("", "ECE", "if calibrated", "95 % below", "log loss", "accuracy")
    words = "bars: where a calibrated model would be; dot: inside; triangle: outside"
    return f"{picture.svg(alt)}<p>{words}</p>{named_rows(f'{_BINS} bins', columns, rows)}"
