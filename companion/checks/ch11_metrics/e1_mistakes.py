"""What goes wrong with the four counts and their ratios (exercise 11.1), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case

Counts = tuple[float, float, float, float]
"""TP, FP, FN and TN."""
Ratio = Callable[[float, float, float, float], tuple[float, float]]
"""From the four counts, what stands above the line and below it."""

RATIOS: Mapping[str, Ratio] = {
    "recall": lambda tp, fp, fn, tn: (tp, tp + fn),
    "specificity": lambda tp, fp, fn, tn: (tn, tn + fp),
    "precision": lambda tp, fp, fn, tn: (tp, tp + fp),
    "accuracy": lambda tp, fp, fn, tn: (tp + tn, tp + fp + fn + tn),
    "f1": lambda tp, fp, fn, tn: (2 * tp, 2 * tp + fp + fn),
}
_LOOSE = ("f1", "accuracy")
"""Ratios that people make of others, or of something that is never empty."""
Told = Callable[[Tensor, Tensor, float], dict[str, float]]


def _share(part: float, whole: float, nothing: float) -> float:
    return part / whole if whole else nothing


def by(
    *,
    flagged: Callable[[Tensor, float], Tensor] = lambda scores, threshold: scores >= threshold,
    counts: Callable[[float, float, float, float], Counts] = lambda tp, fp, fn, tn: (tp, fp, fn, tn),
    shown: Callable[[float, float, float, float], Counts] = lambda tp, fp, fn, tn: (tp, fp, fn, tn),
    nothing: float = 0.0,
    share: Callable[[float, float, float], float] = _share,
    after: Callable[[dict[str, float]], dict[str, float]] = lambda ratios: ratios,
    **ratios: Ratio,
) -> Told:
    """Return the four counts and the ratios by other rules.

    Args:
        flagged: who is called ill, from scores and threshold.
        counts: what is made of the counts before anything else.
        shown: what is made of the counts that are told.
        nothing: what 0/0 counts as.
        share: how a ratio is made of its two parts and ``nothing``.
        after: what becomes of the ratios.
        ratios: those that are others than in the task, by name.
    """

    def four_counts(y: Tensor, scores: Tensor, threshold: float) -> dict[str, float]:
        ill, called = y == 1, flagged(scores, threshold)
        four = counts(
            int((ill & called).sum()),
            int((~ill & called).sum()),
            int((ill & ~called).sum()),
            int((~ill & ~called).sum()),
        )
        rules = {**RATIOS, **ratios}
        found = {name: share(*rules[name](*four), nothing) for name in RATIOS}
        return dict(zip(("tp", "fp", "fn", "tn"), shown(*four))) | after(found)

    return four_counts


def _of_both(found: dict[str, float], mean: Callable[[float, float], float]) -> dict[str, float]:
    return found | {"f1": mean(found["precision"], found["recall"])}


def _near(got: float, *wanted: float) -> bool:
    return any(abs(got - value) < 1e-5 for value in wanted)


def _moved_by(little: float, told: Mapping[str, float], four: Counts) -> bool:
    """Return whether ratios have so much added below the line; F1 may be made of two others, and accuracy be exact."""
    parts = {name: ratio(*four) for name, ratio in RATIOS.items()}
    if not all(_near(told[n], part / (whole + little)) for n, (part, whole) in parts.items() if n not in _LOOSE):
        return False
    p, r = told["precision"], told["recall"]
    may_be = {"f1": (2 * p * r / (p + r + little), _share(2 * p * r, p + r, 0.0)), "accuracy": ()}
    for name, others in may_be.items():
        part, whole = parts[name]
        if not _near(told[name], part / (whole + little), _share(part, whole, 0.0), *others):
            return False
    return True


def _with_a_little(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise one and the same little number below the line, whatever its size, beside right counts."""
    if not all(name in o and o[name].numel() == 1 for o in observed for name in ("tp", "fp", "fn", "tn", *RATIOS)):
        return False
    told = [{name: float(value) for name, value in o.items()} for o in observed]
    fours: list[Counts] = [(t["tp"], t["fp"], t["fn"], t["tn"]) for t in told]
    due = [by()(c.args["y"], c.args["scores"], c.args["threshold"]) for c in cases]
    if any(t[name] != d[name] for t, d in zip(told, due) for name in ("tp", "fp", "fn", "tn")):
        return False
    rests = [
        part / t[name] - whole
        for t, four in zip(told, fours)
        for name in ("recall", "specificity", "precision")
        for part, whole in [RATIOS[name](*four)]
        if part > 0 and t[name] > 0
    ]
    little = median(rests) if rests else 0.0
    return 1e-6 < little < 0.9 and all(_moved_by(little, t, four) for t, four in zip(told, fours))


def _f1(**how: Callable[[float, float], float]) -> Told:
    return by(after=lambda found: _of_both(found, how["mean"]))


_MASKS = (
    Mistake(
        "leaves out the threshold itself",
        by(flagged=lambda s, t: s > t),
        "Patients whose score lies exactly at the threshold are called healthy by your code.",
        "`>` asks for more than the threshold. Who reaches it is called ill here, as in scikit-learn's curves, and that takes `>=`.",
        "Which two patients of the example have a score of exactly 0.5, and where do you count them?",
    ),
    Mistake(
        "always asks for one half",
        by(flagged=lambda s, t: s >= 0.5),
        "Your counts stay the same whatever the threshold is: you compare with 0.5, or you round.",
        "0.5 is one threshold of many, and nobody's in particular. Scores need not be probabilities either.",
        "Where does `threshold` stand in your code?",
        best="a higher threshold",
    ),
    Mistake(
        "calls low scores ill",
        by(flagged=lambda s, t: s <= t),
        "With you those are called ill who have a low score.",
        "A higher score means more ill in this task. Turned round, each answer but those at the threshold is the opposite one.",
        "Who of the example's ten patients has the lowest score, and what does your code say of that one?",
    ),
    Mistake(
        "calls scores below the threshold ill",
        by(flagged=lambda s, t: s < t),
        "Your answers are the opposite ones: who stays below the threshold is called ill.",
        "A higher score means more ill in this task. Your four counts are right for a model that says the reverse of everything.",
        "What does your code say of the first patient of the example, whose score is 0.875?",
    ),
    Mistake(
        "takes the scores for logits",
        by(flagged=lambda s, t: s.sigmoid() >= t),
        "You put the scores through a sigmoid before you compare them with the threshold.",
        "A sigmoid belongs to logits. It makes 0.5 and more of every score from 0 on, and the threshold was meant for the scores as they come.",
        "What becomes of a score of 0.125 in your code, and who is called ill then?",
    ),
)

_COUNTS = (
    Mistake(
        "exchanges truth and answer",
        by(counts=lambda tp, fp, fn, tn: (tp, fn, fp, tn)),
        "Your FP and FN have changed places, and with them recall and precision.",
        "That happens when the answers are taken for the truth, as in `f(y_pred, y_true)`. Accuracy and F1 do not notice.",
        "The example has one ill person who is missed. Under which name do you count that person?",
    ),
    Mistake(
        "takes the healthy for the positive class",
        by(counts=lambda tp, fp, fn, tn: (tn, fn, fp, tp)),
        "Your counts look at the test from the other side: healthy people are your positives.",
        "What is looked for is the positive class, and here that is the illness, label 1. Recall and specificity change places with you.",
        "A true positive is somebody of which class, and what was said about them?",
    ),
    Mistake(
        "exchanges TP and TN",
        by(shown=lambda tp, fp, fn, tn: (tn, fp, fn, tp)),
        "Your ratios are right, and the counts of true positives and true negatives stand under each other's name.",
        "A table whose first row is class 0 begins with TN: scikit-learn's reads TN, FP, FN, TP from left to right.",
        "How many ill people of the example are found? Compare with what you return as `tp`.",
    ),
    Mistake(
        "exchanges FP and FN",
        by(shown=lambda tp, fp, fn, tn: (tp, fn, fp, tn)),
        "Your ratios are right, and the counts of false positives and false negatives stand under each other's name.",
        "The second word is what was said, and the first is whether that was right. A false negative was called healthy, and is ill.",
        "Who is it that was called ill and is healthy? Say the name of that count aloud.",
    ),
    Mistake(
        "counts everybody who is called ill",
        by(counts=lambda tp, fp, fn, tn: (tp + fp, fp, fn, tn)),
        "Your TP counts all who are called ill, and not only those of them who are.",
        "A true positive is called ill and is ill. `(scores >= threshold).sum()` asks for the first half alone.",
        "Which two masks have to be true together for a true positive?",
    ),
    Mistake(
        "counts everybody who is ill",
        by(counts=lambda tp, fp, fn, tn: (tp + fn, fp, fn, tn)),
        "Your TP counts all who are ill, found or not.",
        "A true positive is ill and is called ill. `y.sum()` asks for the first half alone.",
        "The example has four ill people. How many of them does your code call true positives, and how many are found?",
    ),
    Mistake(
        "tells shares in place of counts",
        by(shown=lambda tp, fp, fn, tn: (
            tp / (tp + fp + fn + tn), fp / (tp + fp + fn + tn), fn / (tp + fp + fn + tn), tn / (tp + fp + fn + tn),
        )),
        "Your four counts are shares of all patients: they add up to 1.",
        "A mean of a mask is a share. The ratios are the same either way; how many patients there were cannot be seen any more.",
        "Which method counts the True entries of a mask?",
    ),
)  # fmt: skip

_RATIOS = (
    Mistake(
        "exchanges recall and precision",
        by(recall=RATIOS["precision"], precision=RATIOS["recall"]),
        "Your counts are right. Recall and precision stand under each other's name.",
        "Recall asks about those who are ill, precision about those who are called ill. Both have TP above the line.",
        "Which of the two can be told without knowing who was called ill wrongly?",
    ),
    Mistake(
        "tells false alarms for specificity",
        by(specificity=lambda tp, fp, fn, tn: (fp, tn + fp)),
        "Your specificity is the share of the healthy who are called ill.",
        "That is the false-positive rate, 1 minus the specificity. A ROC curve has it on its axis; specificity is high when it is low.",
        "A test that calls nobody ill has which specificity?",
    ),
    Mistake(
        "asks the specificity of those who are called healthy",
        by(specificity=lambda tp, fp, fn, tn: (tn, tn + fn)),
        "Your specificity divides by all who are called healthy.",
        "That is the negative predictive value: of those who are sent home, how many are healthy? Specificity asks about the healthy.",
        "Which two counts are healthy people? These stand below the line.",
    ),
    Mistake(
        "divides recall by all patients",
        by(recall=lambda tp, fp, fn, tn: (tp, tp + fp + fn + tn)),
        "Your recall divides by the number of all patients.",
        "`(ill & flagged).float().mean()` is a mean over everybody. Recall is one over the ill alone, and 1 when all of them are found.",
        "How large can your recall become where one in a hundred is ill?",
    ),
    Mistake(
        "divides precision by all patients",
        by(precision=lambda tp, fp, fn, tn: (tp, tp + fp + fn + tn)),
        "Your precision divides by the number of all patients.",
        "Precision is asked of those who are called ill: of these alarms, how many are true?",
        "What should the precision be if only one person is called ill, and is?",
    ),
    Mistake(
        "divides recall by precision's group",
        by(recall=RATIOS["precision"]),
        "Your recall is the precision: TP is divided by all who are called ill.",
        "Below the line stands the group that is asked about. For recall these are the ill, found or missed.",
        "Which two of the four counts are ill people?",
    ),
    Mistake(
        "tells balanced accuracy for accuracy",
        by(after=lambda found: found | {"accuracy": (found["recall"] + found["specificity"]) / 2}),
        "Your accuracy is the mean of recall and specificity.",
        "That is the balanced accuracy, in which both classes count the same however rare one is. Accuracy counts patients.",
        "How many of all patients of the example get a right answer?",
    ),
    Mistake(
        "forgets the healthy in accuracy",
        by(accuracy=lambda tp, fp, fn, tn: (tp, tp + fp + fn + tn)),
        "Your accuracy counts the ill who are found, and not the healthy who are left in peace.",
        "An answer is right for both kinds of people. Where illness is rare, nearly all right answers are true negatives.",
        "Which two of the four counts are right answers?",
    ),
    Mistake(
        "averages precision and recall",
        _f1(mean=lambda p, r: (p + r) / 2),
        "Your F1 is the plain mean of precision and recall.",
        "F1 is their harmonic mean, which lies near the lower one: who calls everybody ill gets a recall of 1 and no good F1.",
        "Compute both means for a precision of 0.1 and a recall of 1. Which of them warns you?",
    ),
    Mistake(
        "takes the geometric mean for F1",
        _f1(mean=lambda p, r: (p * r) ** 0.5),
        "Your F1 is the root of precision times recall.",
        "That is their geometric mean, which lies between the plain one and the harmonic one.",
        "Compute F1 of the example from the counts, by the formula in the task.",
    ),
    Mistake(
        "forgets the 2 in F1",
        by(f1=lambda tp, fp, fn, tn: (tp, 2 * tp + fp + fn)),
        "Your F1 is half of what it should be: it never comes above 0.5.",
        "The harmonic mean of two numbers has a 2 above the line, 2PR/(P + R). Without it a perfect test gets one half.",
        "What is your F1 when precision and recall are both 1?",
    ),
    Mistake(
        "takes the overlap for F1",
        by(f1=lambda tp, fp, fn, tn: (tp, tp + fp + fn)),
        "Your F1 is TP divided by the sum TP + FP + FN, with no 2 in it.",
        "That is the Jaccard index, or intersection over union. It puts models in the same order as F1, and is always lower in between.",
        "How often does TP stand in the formula of F1, above and below the line?",
    ),
    Mistake(
        "tells per cent",
        by(after=lambda found: {name: 100 * value for name, value in found.items()}),
        "Your ratios are a hundred times too large: they are in per cent.",
        "A share runs from 0 to 1. Whoever goes on computing with it, as with 1 minus the specificity, needs it in that form.",
        "Take the factor away, and put the per cent sign where it is printed.",
    ),
    Mistake(
        "rounds the ratios",
        by(after=lambda found: {name: round(value, 2) for name, value in found.items()}),
        "Your ratios are rounded: their later digits are all 0.",
        "That belongs to the last line before somebody reads them. What is rounded within a function is lost to whoever calls it.",
        "Where does your code round, and who needs it there?",
    ),
    Mistake(
        "divides without a remainder",
        by(share=lambda part, whole, nothing: float(part // whole) if whole else nothing),
        "Your ratios are 0 or 1 and nothing in between.",
        "`//` divides whole numbers and throws the rest away, and so does a conversion to a whole number after `/`.",
        "What is `3 // 4` in Python, and what is `3 / 4`?",
    ),
)

_NOTHING = (
    Mistake(
        "divides by 0",
        by(share=lambda part, whole, nothing: part / whole),
        "Where nobody is called ill, or nobody is, your code stops: Python divides no number by 0.",
        "The group below the line is empty then. In a batch or a bin with few patients that is no rare event.",
        "What should come out when the group is empty? Ask for it before you divide.",
    ),
    Mistake(
        "lets 0/0 be nan",
        by(nothing=float("nan")),
        "A ratio with an empty group comes out as nan with you.",
        "0/0 has no value, and tensors say nan for it. It spreads into each mean that it meets. The task takes 0, and says that this is a convention.",
        "Which group is empty in the case shown? Choose 0 there, with an `if` or with `torch.where`.",
    ),
    Mistake(
        "lets 0/0 be 1",
        by(nothing=1.0),
        "A ratio with an empty group comes out as 1 with you.",
        "One can argue that no alarm was false where there was none. Then a test that never finds anybody has a perfect precision. The task takes 0.",
        "What is your precision when nobody is called ill, and what does the task say?",
    ),
    Mistake(
        "adds 1 below the line",
        by(share=lambda part, whole, nothing: part / (whole + 1)),
        "Your ratios are all a little too small: a perfect one does not come to 1.",
        "Adding 1 below the line avoids 0/0 and moves every ratio. With three patients it makes 0.75 of 1.",
        "Divide by what is there, and treat the empty group as a case of its own.",
    ),
    Mistake(
        "adds a little below the line",
        by(share=lambda part, whole, nothing: part / (whole + 0.003)),
        "Your ratios are a little too small, all of them: you add a small number below the line.",
        "It keeps you from 0/0, and it moves every other ratio as well, the more the fewer patients there are. 1e-12 would do no harm; yours is large enough to be seen.",
        "What does your code make of 3/4? Ask whether the group is empty, and divide by what is there.",
        matches=_with_a_little,
    ),
    Mistake(
        "has no F1 where nobody is found",
        by(after=lambda found: _of_both(
            found, lambda p, r: 2 * p * r / (p + r) if p + r else float("nan"),
        )),
        "Where precision and recall are both 0 your F1 is nan.",
        "2PR/(P + R) is 0/0 then. From the counts it has a value: with TP = 0 and a false alarm or a miss it is 0.",
        "Write F1 with the counts, as in the task, and look at the denominator again.",
        best="ill people, none of whom is found",
    ),
    Mistake(
        "gives everything up where nobody is called ill",
        by(after=lambda found: dict.fromkeys(found, 0.0) if found["precision"] == 0 == found["recall"] else found),
        "Where nobody is found you return 0 for all five ratios, accuracy and specificity among them.",
        "Only the ratio whose group is empty has no value. The healthy are there, and who leaves them in peace is right.",
        "In the case shown, how many healthy people get a right answer?",
        best="nobody above the threshold",
    ),
)  # fmt: skip

_PAIRS = (
    Mistake(
        "has no F1 where nobody is found, and lets 0/0 be nan",
        by(
            nothing=float("nan"),
            after=lambda found: _of_both(found, lambda p, r: 2 * p * r / (p + r) if p + r else float("nan")),
        ),
        "A ratio with an empty group comes out as nan with you, and so does F1 wherever precision or recall do, or are both 0.",
        "Tensors say nan for 0/0. Made of precision and recall, your F1 takes it over, and has a 0/0 of its own where both are 0. The task takes 0 for an empty group, and makes F1 of the counts.",
        "Which group is empty in the case shown? Choose 0 there, and write F1 with TP, FP and FN.",
        best="nobody above the threshold",
    ),
    Mistake(
        "asks the specificity of those who are called healthy, and lets 0/0 be 1",
        by(specificity=lambda tp, fp, fn, tn: (tn, tn + fn), nothing=1.0),
        "Your specificity divides by all who are called healthy, and a ratio with an empty group comes out as 1 with you.",
        "Two things at once: specificity asks about the healthy, TN + FP, and 0/0 counts as 0 in this task.",
        "Mend the specificity first, with the example: which two counts are healthy people? Then look at an empty group.",
    ),
    Mistake(
        "leaves out the threshold itself, and lets 0/0 be nan",
        by(flagged=lambda s, t: s > t, nothing=float("nan")),
        "Scores at the threshold are called healthy, and a ratio with an empty group is nan.",
        "Two things at once: reaching the threshold takes `>=`, and 0/0 counts as 0 in this task.",
        "Mend the comparison first, with the two patients at 0.5. Then look at an empty group.",
    ),
    Mistake(
        "exchanges truth and answer, and lets 0/0 be nan",
        by(counts=lambda tp, fp, fn, tn: (tp, fn, fp, tn), nothing=float("nan")),
        "Your FP and FN have changed places, and a ratio with an empty group is nan.",
        "Two things at once: the answers are taken for the truth, and 0/0 counts as 0 in this task.",
        "Count the ill person who is missed in the example first. Then look at an empty group.",
    ),
    Mistake(
        "exchanges recall and precision, and divides by 0",
        by(recall=RATIOS["precision"], precision=RATIOS["recall"], share=lambda part, whole, nothing: part / whole),
        "Recall and precision stand under each other's name, and where a group is empty your code stops.",
        "Two things at once: TP is divided by the other group in each of the two, and nothing asks whether the group is empty.",
        "Say both ratios as questions first: of whom, how many? Then ask what happens if there is nobody.",
    ),
    Mistake(
        "leaves out the threshold itself, and divides by 0",
        by(flagged=lambda s, t: s > t, share=lambda part, whole, nothing: part / whole),
        "Scores at the threshold are called healthy, and where a group is empty your code stops.",
        "Two things at once: reaching the threshold takes `>=`, and nothing asks whether the group below the line is empty.",
        "Ask first where a score of exactly 0.5 belongs. Then what should come out when nobody is called ill.",
    ),
)

MISTAKES = (*_MASKS, *_COUNTS, *_RATIOS, *_NOTHING, *_PAIRS)
