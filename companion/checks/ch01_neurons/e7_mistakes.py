"""Ways to train one neuron for exercise 01.7, and known mistakes: what to say about each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case

Train = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From X, y and X_test to answers for X_test."""


def last_weights(epochs: int, *, average: bool = False) -> Train:
    """Return a plain perceptron that answers with its last weights, or with the average of all it had."""

    def train(X: Tensor, y: Tensor, X_test: Tensor) -> Tensor:
        weight, bias = torch.zeros(X.shape[1]), torch.tensor(0.0)
        total, total_bias = weight, bias
        for _ in range(epochs):
            for x, target in zip(X, y):
                error = target - (x @ weight + bias >= 0).float()
                weight, bias = weight + error * x, bias + error
                total, total_bias = total + weight, total_bias + bias
        if average:
            weight, bias = total, total_bias
        return (X_test @ weight + bias >= 0).float()

    return train


def nearer_mean(X: Tensor, y: Tensor, X_test: Tensor) -> Tensor:
    """Answer with the kind whose mean flower is nearer."""
    a, b = X[y == 0].mean(dim=0), X[y == 1].mean(dim=0)
    return (X_test @ (b - a) >= (a + b) @ (b - a) / 2).float()


def logistic(X: Tensor, y: Tensor, X_test: Tensor) -> Tensor:
    """Answer with a sigmoid neuron that starts from zeros and follows the gradient on standardised features."""
    return (_logistic_sums(X, y, X_test) >= 0).to(X.dtype)


def _standardised(X: Tensor, like: Tensor) -> Tensor:
    return (X - like.mean(dim=0)) / like.std(dim=0)


def _with_the_tests_own_mean(X: Tensor, y: Tensor, X_test: Tensor) -> Tensor:
    return (_sums_of_prepared(_standardised(X, X), y, _standardised(X_test, X_test)) >= 0).to(X.dtype)


def moves_for_ones_only(X: Tensor, y: Tensor, X_test: Tensor) -> Tensor:
    """Answer with the rule for labels -1 and 1 on standardised features, used with labels 0 and 1."""
    return _moves_for_ones_only(_standardised(X, X), y, _standardised(X_test, X))


def _moves_for_ones_only(X: Tensor, y: Tensor, X_test: Tensor) -> Tensor:
    weight, bias = torch.zeros(X.shape[1]), torch.tensor(0.0)
    for _ in range(200):
        before = weight
        for x, target in zip(X, y):
            if target * (x @ weight + bias) <= 0:
                weight, bias = weight + target * x, bias + target
        if torch.equal(before, weight):
            break
    return (X_test @ weight + bias >= 0).to(X.dtype)


def _logistic_sums(X: Tensor, y: Tensor, X_test: Tensor) -> Tensor:
    return _sums_of_prepared(_standardised(X, X), y, _standardised(X_test, X))


def _sums_of_prepared(X: Tensor, y: Tensor, X_test: Tensor) -> Tensor:
    weight, bias = torch.zeros(X.shape[1]), torch.tensor(0.0)
    for _ in range(300):
        p = 1 / (1 + torch.exp(-(X @ weight + bias)))
        weight, bias = weight - (p - y) @ X / len(y), bias - (p - y).mean()
    return X_test @ weight + bias


def always_one(X: Tensor, y: Tensor, X_test: Tensor) -> Tensor:
    """Answer 1 for every flower."""
    return torch.ones(len(X_test))


def _on_all_splits(
    test: Callable[[Observed], bool], *needs: str
) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    """Return a test of what was observed, which must hold on every split; ``needs`` names what it looks at."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        return all(all(n in o for n in needs) and test(o) for o in on_splits(cases, observed))

    return matches


def nearest_flower(X: Tensor, y: Tensor, X_test: Tensor) -> Tensor:
    """Answer with the kind of the training flower that is most alike."""
    return y[torch.cdist(X_test, X).argmin(dim=1)]


def one_kind(case: Case) -> bool:
    """Return whether flowers of one kind alone are asked about."""
    return not on_lines(case) and bool(case.secret["y_test"].min() == case.secret["y_test"].max())


def on_lines(case: Case) -> bool:
    """Return whether what is asked about lies on straight lines between flowers."""
    return "points of a line" in case.secret


def on_splits(cases: Sequence[Case], observed: Sequence[Observed]) -> list[Observed]:
    """Return what was observed on the splits, which hold both kinds."""
    return [o for c, o in zip(cases, observed) if not one_kind(c) and not on_lines(c)]


def _right_in_company_only(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    if any("accuracy" not in o for o in observed):
        return False
    alone = [o["accuracy"].item() for c, o in zip(cases, observed) if one_kind(c)]
    return max(alone) < 0.8 and all(o["accuracy"].item() >= 0.85 for o in on_splits(cases, observed))


def _has_moved_for_ones_only(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Return whether the answers are those of the rule for -1 and 1 on 0 and 1, prepared in one of the usual ways."""
    if any("said" not in o for o in observed):
        return False

    def agrees(prepare: Callable[[Tensor, Tensor], Tensor]) -> bool:
        for case, o in zip(cases, observed):
            if on_lines(case):
                continue  # such points may lie on the boundary but for rounding
            X, y, X_test = case.args["X"], case.args["y"], case.args["X_test"]
            theirs = _moves_for_ones_only(prepare(X, X), y, prepare(X_test, X))
            if not torch.equal(theirs.to(o["said"].dtype), o["said"]):
                return False
        return True

    return any(map(agrees, (_standardised, lambda X, like: X - like.mean(dim=0))))


def _of_two_kinds(o: Observed) -> bool:
    return bool(o["whole"])


def _shares(o: Observed) -> bool:
    """Return whether the answers lie between 0 and 1 and tell the kinds apart at one half."""
    said = o["said"]
    inside = bool(((said >= 0) & (said <= 1)).all()) and not bool(o["whole"])
    return inside and o["as if a share"].item() > 0.6


def _signs(o: Observed) -> bool:
    return bool((o["said"].abs() == 1).all()) and bool((o["said"] == -1).any())


def _crosses_again(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    right = all("accuracy" in o and o["accuracy"].item() >= 0.85 for o in on_splits(cases, observed))
    return right and any(int(o["changes"]) > 1 for o in observed if "changes" in o)


MISTAKES = (
    Mistake(
        "is not one neuron",
        nearest_flower,
        "Your splits go well, but along a straight line between two flowers your answer changes more than once.",
        "The boundary of one neuron is a flat plane, and a straight line crosses it once at most. Yours is bent: it comes "
        "from several neurons, from comparing with single flowers, or from features that were multiplied.",
        "What decides about a new flower in your function? For one neuron it is four weights, one bias and a step.",
        matches=_crosses_again,
    ),
    Mistake(
        "gives one answer for all flowers",
        always_one,
        "Every flower of a split gets the same answer, which is right for half of them.",
        "Either the training has not put the boundary between the flowers, or the last lines miss it: X_test is on "
        "another scale than X was, or is compared with a number that every flower passes.",
        "Print the range of what you compare at the end, for X and for X_test. On one side for both: watch the loss and "
        "the shape of your error while you train. For X_test alone: how was it prepared?",
        matches=_on_all_splits(
            lambda o: o["share of ones"].item() in (0.0, 1.0) and _of_two_kinds(o), "share of ones", "whole"
        ),
    ),
    Mistake(
        "has the two kinds swapped",
        lambda X, y, X_test: 1 - logistic(X, y, X_test),
        "Nearly every answer is the wrong one, on all three splits.",
        "To be wrong that often takes as much skill as to be right: your neuron has found the boundary, and its two "
        "sides are exchanged. One sign is turned, in the update or in the answer.",
        "Follow one training flower of each kind through your last lines, from its weighted sum to its answer, and lay "
        "y beside it.",
        matches=_on_all_splits(lambda o: o["accuracy"].item() <= 0.25 and _of_two_kinds(o), "accuracy", "whole"),
    ),
    Mistake(
        "answers with -1 and 1",
        lambda X, y, X_test: 2 * logistic(X, y, X_test) - 1,
        "Your answers are -1 and 1, while y knows 0 and 1.",
        "Many texts train with labels -1 and 1. Inside your function you may do so too, as long as you translate both "
        "ways: y where it comes in, and the answers where they leave.",
        "Print the values that occur in y and in your answers, and read again the pitfall about labels -1 and 1.",
        matches=_on_all_splits(_signs, "said"),
    ),
    Mistake(
        "returns shares instead of answers",
        lambda X, y, X_test: torch.sigmoid(_logistic_sums(X, y, X_test)),
        "Your answers lie between 0 and 1 and are neither, as those of a sigmoid are.",
        "A sigmoid says how much speaks for virginica: a score, not yet a decision. A flower is of one kind or the "
        "other, and your answer is compared with that.",
        "Print your smallest and your largest answer. From which value on would you call a flower virginica, and where "
        "in your code is that said?",
        matches=_on_all_splits(_shares, "said", "whole", "as if a share"),
    ),
    Mistake(
        "returns the sums",
        _logistic_sums,
        "Your answers are numbers of many sizes, and their signs are mostly right.",
        "These are weighted sums, the numbers by which a neuron decides. The step, which makes one of two answers of "
        "such a number, is missing at the end.",
        "Print five of your answers beside five labels of y. Which values occur in y, and what tells the kinds apart in "
        "your numbers?",
        matches=_on_all_splits(
            lambda o: not _of_two_kinds(o) and o["as if a sum"].item() > 0.6, "whole", "as if a sum"
        ),
    ),
    Mistake(
        "answers for the training flowers",
        lambda X, y, X_test: logistic(X, y, X),
        "You return as many answers as X has rows, not as many as X_test has.",
        "Answers for flowers that the neuron was trained on tell how well it remembers. What is judged is how it does "
        "on flowers that it has never seen.",
        "Follow the two tables through your function by their numbers of rows. Which of them meets the trained weights "
        "at the end?",
        matches=_on_all_splits(lambda o: o["shape"].tolist() == o["asked"][:1].tolist(), "shape", "asked"),
    ),
    Mistake(
        "answers in a column",
        lambda X, y, X_test: logistic(X, y, X_test)[:, None],
        "Your answers stand in a column of shape (M, 1); the shape (M,) is asked for.",
        "A layer keeps an axis for its neurons, even for a single one. Beside y of shape (N,) such a column is "
        "broadcast in training to a table of all pairs, and no error says so.",
        "Print the shapes of predictions and y where your code compares or subtracts them, then read again the pitfall "
        "A column compared with a row.",
        matches=_on_all_splits(lambda o: o["shape"].tolist() == [*o["asked"][1:].tolist(), 1], "shape", "asked"),
    ),
    Mistake(
        "prepares X_test by its own mean",
        _with_the_tests_own_mean,
        "Your splits go well, but asked about virginicas alone you call many of them versicolor.",
        "An answer of yours depends on which flowers are asked about together with it. So it is when X_test is moved by "
        "its own mean: the middle of whatever comes is then taken for the boundary.",
        "Which mean and which spread is each table prepared with? In use a flower comes by itself: which numbers are "
        "known before it comes?",
        matches=_right_in_company_only,
    ),
    Mistake(
        "uses the rule for labels -1 and 1 with 0 and 1",
        moves_for_ones_only,
        "Flower by flower these are the answers of a neuron that was corrected by virginicas alone.",
        "Label times sum, and 0 or less is a mistake: that asks for labels -1 and 1. With a label of 0 the product is "
        "always 0, and so is the correction, so a versicolor never moves anything.",
        "Print by how much your weights change for one training row with y = 0. Then read again the pitfall about labels "
        "-1 and 1.",
        matches=_has_moved_for_ones_only,
    ),
    Mistake(
        "keeps the last weights after ten epochs",
        last_weights(10),
        "Flower by flower these are the answers of a plain perceptron's last weights after 10 epochs.",
        "The kinds overlap, so the rule never comes to rest: each mistake throws the line about, and where it stands "
        "when you stop is a matter of luck.",
        "Record after each update how many training rows are right, and look at the curve. Which of all the weights "
        "you passed would you rather have kept?",
    ),
    Mistake(
        "keeps the last weights after a hundred epochs",
        last_weights(100),
        "Flower by flower these are the answers of a plain perceptron's last weights after 100 epochs.",
        "More epochs cannot settle what no line separates. Corrections keep their size while the weights grow, so the "
        "line trembles less, and still the last mistake decides.",
        "Read again When no line exists, which names two old cures. Or print mean and spread of the four features: how "
        "far do these differ?",
    ),
)
"""Every known mistake of 01.7."""
