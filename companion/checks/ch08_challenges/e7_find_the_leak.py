"""Exercise 08.7: find the leak."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Property, exercise
from companion.checks.ch08_challenges.e7_mistakes import MISTAKES
from companion.checks.ch08_challenges.e7_tables import cases_of
from companion.checks.trace import Call, Case, Trace


def accuracy(X: torch.Tensor, y: torch.Tensor, patients: torch.Tensor, train: torch.Tensor, k: int) -> torch.Tensor:
    """Return the share of right answers on the rows of patients of whom no row was trained on."""
    held_out = ~torch.isin(patients, patients[train])
    X = (X - X[train].mean(dim=0)) / X[train].std(dim=0)
    A, a = X[train], y[train]
    apart = A[a == 1].mean(dim=0) - A[a == 0].mean(dim=0)
    kept = apart.abs().topk(k).indices
    nearest = torch.cdist(X[held_out][:, kept], A[:, kept]).argmin(dim=1)
    return (a[nearest] == y[held_out]).double().mean()


def _row_by_row(X: Tensor, y: Tensor, patients: Tensor, train: Tensor, k: int) -> float:
    known = {int(p) for p, t in zip(patients, train) if t}
    A, a = X[train], y[train]
    spread = ((A - A.mean(0)) ** 2).mean(0).sqrt()  # by another factor than std, the same for all columns
    means = [A[a == c].mean(0) / spread for c in (0, 1)]
    kept = (means[0] - means[1]).abs().sort(descending=True).indices[:k]
    right, asked = 0, 0
    for row, label, patient in zip(X, y, patients):
        if int(patient) not in known:
            far = ((A[:, kept] - row[kept]) / spread[kept]).square().sum(dim=1)
            right += int(a[far.argmin()] == label)
            asked += 1
    return right / asked


def _by_weights(X: Tensor, y: Tensor, patients: Tensor, train: Tensor, k: int) -> Tensor:
    """Give a weight of 0 to the columns that are left out, and keep all of them."""
    A, B = X[train], X[(patients[:, None] != patients[train]).all(dim=1)]
    due = y[(patients[:, None] != patients[train]).all(dim=1)]
    means, spreads = A.mean(dim=0), A.std(dim=0)
    A, B = (A - means) / spreads, (B - means) / spreads
    ones = y[train].to(X.dtype)
    apart = (ones @ A / ones.sum() - (1 - ones) @ A / (1 - ones).sum()).abs()
    weights = (apart >= apart.sort().values[-k]).to(X.dtype)
    found = [int(((b - A) * weights).norm(dim=1).argmin()) for b in B]
    return (y[train][found] == due).float().mean()


def _held_out(case: Case) -> Tensor:
    return ~torch.isin(case.args["patients"], case.args["patients"][case.args["train"]])


def _script(case: Case) -> list[Call]:
    """Ask as it is; with other classes outside of the training; with one more row, far away; without unused rows."""
    X, y, patients, train, k = case.args.values()
    far = torch.where(torch.arange(X.shape[1]) % 2 == 0, 1000 * X.abs().amax(), X[0])
    one_more = torch.cat([X, far[None]]), torch.cat([y, y[:1]]), torch.cat([patients, patients.max()[None] + 1])
    use = train | _held_out(case)

    def call(name: str, *given: object) -> Call:
        return Call("accuracy", given, returns=(name,), repeat=False)

    return [
        Call("accuracy", (X, y, patients, train, k), tuple(case.args), ("out",)),
        call("turned", X, torch.where(train, y, 1 - y), patients, train, k),
        call("one more", *one_more, torch.cat([train, torch.tensor([False])]), k),
        call("without", X[use], y[use], patients[use], train[use], k),
    ]


_NAMES = ("out", "turned", "one more", "without")


def _observe(case: Case, trace: Trace) -> Observed:
    """Return the four shares; nan for what is no single number."""
    found = {n: trace.tensors.get(n, torch.zeros(0)) for n in _NAMES}
    nothing = torch.tensor(float("nan"), dtype=torch.float64)
    return {n: t.double().reshape(()) if t.numel() == 1 else nothing for n, t in found.items()}


def _lets_one_more_alone(case: Case, o: Observed) -> bool:
    """Return whether a row that is added changes nothing about the others: it is right or wrong, and that is all."""
    asked = int(_held_out(case).sum())
    more = (o["one more"] * (asked + 1) - o["out"] * asked).item()
    return min(abs(more), abs(more - 1)) < 1e-3


_PROPERTIES = (
    Property(
        "a share lies between 0 and 1",
        lambda case, o: bool(0 <= o["out"] <= 1),
        "Your number is no share: it lies below 0 or above 1, or is none at all.",
        "A share of right answers is a number of rows divided by another one. A mean of nothing is nan.",
        "Print the rows that you ask about, and the answers that your mean runs over.",
    ),
    Property(
        "classes of held-out rows are not learned from",
        lambda case, o: bool((o["turned"] - (1 - o["out"])).abs() < 1e-3),
        "When every row outside of `train` gets the other class, right answers should become wrong ones, and in "
        "yours others do too.",
        "Something is learned from classes that are held out. In use the class of a new patient is what nobody knows.",
        "Which lines of yours use `y`? In all but the last one it should be `y[train]`.",
    ),
    Property(
        "a held-out row does not depend on the others",
        _lets_one_more_alone,
        "When one more row is held out, far away from all others, some of the other rows are answered otherwise.",
        "Something is learned from measurements that are held out: a mean, a spread, or the rows among which the "
        "nearest is sought.",
        "Which lines of yours use `X`? Ask of each of them whether its result would change if a held-out row were missing.",
    ),
    Property(
        "rows that are used for nothing do not matter",
        lambda case, o: bool((o["without"] - o["out"]).abs() < 1e-6),
        "Your number changes when the rows are taken away that are neither trained on nor held out.",
        "These are rows of patients who are trained on with another row. Something is learned from them, or they "
        "are asked about.",
        "Print which rows each line uses. Where do rows come in that are neither in `train` nor held out?",
    ),
)


@exercise("08.7", title="Find the leak", points=3)
class FindTheLeak:
    """An evaluation that flatters, to be mended until what is held out has never been seen."""

    reference = accuracy
    read = "How to find a leak"
    returns = (Out("out", "number"),)
    script = _script
    observe = _observe
    properties = _PROPERTIES
    statement = r"""
        A hospital wants to know how well a simple method does on **patients it has never seen**. The method standardises the
        measurements, keeps the k columns in which the two classes differ most, and answers for a new row with the class of
        the nearest training row. Here is how it has been evaluated so far:

        ```python
        def accuracy(X, y, patients, train, k):
            X = (X - X.mean(dim=0)) / X.std(dim=0)
            apart = X[y == 1].mean(dim=0) - X[y == 0].mean(dim=0)
            kept = apart.abs().topk(k).indices
            nearest = torch.cdist(X[:, kept], X[train][:, kept]).argmin(dim=1)
            return (y[train][nearest] == y).double().mean()
        ```

        It is wrong in four ways, and each of them flatters: something of what should be held out has been seen before. Mend
        it.

        Write `accuracy(X, y, patients, train, k)` with the same arguments. The method stays as it is; what is learned, and
        from which rows, is what changes. It returns the share of right answers on the held-out rows, one number.

        * `X` has the shape (N, D), one visit of a patient in each row, and `y` the classes, 0 or 1. `k` is at most D.
        * `train` has the shape (N,) and holds True for the rows that may be learned from. All of them are used.
        * `patients` has the shape (N,) and holds the number of each row's patient. Many patients came several times, and
          their rows are nearly alike. **A row is held out if no row at all of its patient is trained on.** Rows that are
          neither trained on nor held out are not used for anything.
        * Whatever is learned, means, spreads and the choice of columns, comes from the rows of `train` alone. It is then used
          as it is for the held-out rows.

        Both classes occur among the training rows, no column is constant there, and at least one row is held out.

        Example: seven rows with the measurements `[[0, 5], [2, 1], [8, 4], [10, 2], [1.5, 9], [8.5, 0], [7.8, 3]]`, the
        classes `[0, 0, 1, 1, 0, 0, 1]` and the patients `[1, 2, 3, 4, 5, 6, 3]`. The first four are trained on, and `k = 1`.
        In the training rows the classes differ by 8 in the first column and by 0 in the second, so that the first is kept.
        The last row is of patient 3, who is trained on, and drops out. The fifth row lies nearest to 2, class 0, which is
        right. The sixth lies nearest to 8, class 1, which is wrong. So the result is 0.5.

        On 60 rows of pure noise with 400 columns the evaluation above comes to 0.88, in the mean of twenty draws, and no
        method can be right for more than half of new patients there, on average.
    """
    cases = cases_of
    mistakes = MISTAKES
    alternatives: ClassVar = {"row by row": _row_by_row, "by weights": _by_weights}
    hints = (
        "Go through the lines with one question: which rows does this number depend on? A mean, a spread and a "
        "choice of columns are "
        "learned in the same way as weights are.",
        "Three of the four leaks are mended with `X[train]` and `y[train]` in the right places. For the fourth "
        "you need to know for each row whether "
        "its patient occurs among `patients[train]`.",
        "`held_out = ~torch.isin(patients, patients[train])` are the rows to be asked about. Mean and spread "
        "come from `X[train]` and are used for all "
        "rows; the class means come from `X[train]` and `y[train]`.",
    )
