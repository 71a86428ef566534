"""What goes wrong with a standardiser (exercise 10.2), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from companion.checks.bank import Mistake

Columns = Callable[[Tensor], Tensor]


def _mean(X: Tensor) -> Tensor:
    return X.mean(dim=0)


def _constant(X: Tensor) -> Tensor:
    return X.amin(dim=0) == X.amax(dim=0)


def _scale(X: Tensor) -> Tensor:
    return X.std(dim=0, unbiased=False).masked_fill(_constant(X), 1.0)


def _spread(X: Tensor) -> Tensor:
    return X.std(dim=0, unbiased=False)


def _no_longer(spread: Columns, constant: Columns = _constant) -> Columns:
    """Return a scale by another spread, with 1 where a column is constant."""
    return lambda X: spread(X).masked_fill(constant(X), 1.0)


def made(
    *,
    mean: Columns = _mean,
    scale: Columns = _scale,
    there: Callable[[Any, Tensor], Tensor] = lambda self, X: (X - self.mean) / self.scale,
    back: Callable[[Any, Tensor], Tensor] = lambda self, Z: Z * self.scale + self.mean,
    gives: Callable[[Any, Tensor], Any] = lambda self, X: self,
    refused: tuple[str, ...] = ("transform", "inverse"),
    begins: tuple[Any, Any] = (None, None),
    keeps: Callable[[Any, Tensor, Tensor], tuple[Tensor, Tensor]] = lambda self, mean, scale: (mean, scale),
    measures: bool = False,
    error: type[Exception] = RuntimeError,
) -> type:
    """Return a standardiser by other rules.

    Args:
        mean: of a table, for each column.
        scale: likewise.
        there: from the object and rows to what comes out.
        back: likewise, the way back.
        gives: what ``fit`` returns.
        refused: which methods ask whether anything has been measured.
        begins: mean and scale before ``fit``.
        keeps: what is kept, from the object and the new mean and scale.
        measures: whether ``transform`` measures the rows that it is called with.
        error: what is raised before ``fit``.
    """

    class Scaler:
        def __init__(self) -> None:
            self.mean, self.scale = begins
            self.fitted = False

        def fit(self, X: Tensor) -> Any:
            self.mean, self.scale = keeps(self, mean(X), scale(X))
            self.fitted = True
            return gives(self, X)

        def transform(self, X: Tensor) -> Tensor:
            if measures:
                self.fit(X)
            if not self.fitted and "transform" in refused:
                raise error("call fit first")
            return there(self, X)

        def inverse_transform(self, Z: Tensor) -> Tensor:
            if not self.fitted and "inverse" in refused:
                raise error("call fit first")
            return back(self, Z)

    return Scaler


class _Shared:
    """Keep the statistics in the class."""

    mean: Any = None
    scale: Any = None

    def fit(self, X: Tensor) -> _Shared:
        _Shared.mean, _Shared.scale = _mean(X), _scale(X)
        return self

    def transform(self, X: Tensor) -> Tensor:
        if self.mean is None:
            raise RuntimeError("call fit first")
        return (X - self.mean) / self.scale

    def inverse_transform(self, Z: Tensor) -> Tensor:
        if self.mean is None:
            raise RuntimeError("call fit first")
        return Z * self.scale + self.mean


class _SharedAnew(_Shared):
    """The same, begun anew with the first object of each run, so that it can be run again."""

    def __init__(self) -> None:
        alive = getattr(_Shared, "objects", 0)
        _Shared.objects = alive + 1  # type: ignore[attr-defined]
        if alive % 2 == 0:
            _Shared.mean = _Shared.scale = None


def _by_hand(X: Tensor) -> Tensor:
    """Return the spread by the formula: in float32 the mean is rounded, and with it the distances."""
    return (X - X.mean(dim=0)).square().mean(dim=0).sqrt()


def _own(self: Any, X: Tensor) -> Tensor:
    return (X - _mean(X)) / _scale(X)


def _in_place(self: Any, X: Tensor) -> Tensor:
    X -= self.mean
    X /= self.scale
    return X


def _zeroed(self: Any, X: Tensor) -> Tensor:
    """Set to 0 whatever was constant in the training."""
    return torch.where(self.scale == 0, torch.zeros_like(X), (X - self.mean) / self.scale)


def _cleaned(self: Any, X: Tensor) -> Tensor:
    return ((X - self.mean) / self.scale).nan_to_num(0.0)


_FITTED = (
    Mistake(
        "measures anew in transform",
        made(measures=True),
        "Your `transform` calls `fit`, or does its work: `mean` and `scale` are then those of the rows that are to be judged.",
        "Every part is standardised by itself, and what the training has measured is gone. A shift of all new rows is wiped away.",
        "Which method may look at rows as a whole? Take everything else out of `transform`.",
    ),
    Mistake(
        "standardises new rows by themselves",
        made(there=_own),
        "`mean` and `scale` are right, and `transform` does not use them: each table comes out by its own mean and spread.",
        "The same person then gets other numbers in other company, and a single row becomes 0 in every column.",
        "In `transform`, whose mean is taken off? It is on `self`.",
    ),
    Mistake(
        "measures once and never again",
        made(keeps=lambda self, m, s: (m, s) if self.mean is None else (self.mean, self.scale)),
        "A second `fit` of yours changes nothing: the first numbers stay.",
        "It asks whether something is there already. In the next fold the statistics would then be those of the first one's rows, in part held out by now.",
        "What should `fit` do with what was there before? Nothing at all.",
    ),
    Mistake(
        "mixes a second fit with the first",
        made(keeps=lambda self, m, s: (m, s) if self.mean is None else ((self.mean + m) / 2, (self.scale + s) / 2)),
        "After a second `fit` your statistics hold something of the first rows, too.",
        "A running mean is right where rows come in parts. Here each `fit` begins anew, since the next fold has other training rows.",
        "Which of your lines in `fit` reads `self.mean`? It may only be written there.",
    ),
    Mistake(
        "keeps the statistics in the class",
        _SharedAnew,
        "When a second `Scaler` is fitted, the numbers of the first one change with it.",
        "What is set on the class, or on a name of the notebook, belongs to all objects. What is set on `self` belongs to one.",
        "Find the lines that set `mean` and `scale`. What stands before the dot?",
    ),
    Mistake(
        "returns nothing from fit",
        made(gives=lambda self, X: None),
        "All numbers are right. `fit` returns None, where it should return the object.",
        "With `scaler = Scaler().fit(X_train)` the name then holds nothing, and the error comes at the next use.",
        "Which word is missing in the last line of `fit`, and what is the object called there?",
    ),
    Mistake(
        "returns rows from fit",
        made(gives=lambda self, X: (X - self.mean) / self.scale),
        "`fit` returns the standardised rows, where it should return the object.",
        "That would be `fit_transform`. With `scaler = Scaler().fit(X)` the name would hold a table and not the scaler.",
        "What should the name `scaler` hold in `scaler = Scaler().fit(X_train)`?",
    ),
    Mistake(
        "writes into the rows",
        made(there=_in_place),
        "Your numbers are right, and the caller's own table has changed with them.",
        "`X -= ...` and `X /= ...` write into the tensor that came in. Transformed a second time, the rows would be standardised twice.",
        "Write `X = X - ...` or put both into one expression.",
    ),
    Mistake(
        "returns float64",
        made(mean=lambda X: X.double().mean(dim=0), scale=lambda X: _scale(X).double()),
        "The numbers are right. Rows of float32 come back as float64.",
        "One operand in float64 is enough to make the result so. The network's weights are float32, and its first layer refuses the rows.",
        "Measure in double precision if you like. What does `.to(X.dtype)` do at the end of `transform`?",
        best="a constant column of 0.1 in float32",
    ),
)

_REFUSED = (
    Mistake(
        "lets both pass before fit",
        made(refused=(), begins=(0.0, 1.0)),
        "Before `fit`, your `transform` and its inverse return the rows as they are.",
        "They begin with the mean 0 and the scale 1. Whoever forgets `fit` then trains on raw rows and is told nothing.",
        "Which value of `self.mean` could say that nothing has been measured yet?",
    ),
    Mistake(
        "lets the inverse pass before fit",
        made(refused=("transform",), begins=(0.0, 1.0)),
        "`transform` refuses before `fit`. `inverse_transform` returns something.",
        "Both use what has been measured. Predictions that are led back by nothing look like predictions.",
        "Put the question into a small method of its own, and call it from both.",
    ),
    Mistake(
        "lets transform pass before fit",
        made(refused=("inverse",), begins=(0.0, 1.0)),
        "`inverse_transform` refuses before `fit`. `transform` returns something.",
        "Both use what has been measured. Raw rows that pass as standardised ones are found late.",
        "Which of your two methods asks whether there is a mean? The other one needs the same line.",
    ),
    Mistake(
        "stops by accident before fit",
        made(refused=()),
        "Before `fit` your methods stop, by an accident: Python cannot compute with None, or finds no attribute.",
        "Such an error names a type or an attribute, and nobody reads from it that `fit` was forgotten. A RuntimeError of your own can say so.",
        "Ask at the beginning of both methods, and raise a RuntimeError with a sentence.",
    ),
    Mistake(
        "raises another error",
        made(error=ValueError),
        "Both methods refuse before `fit`, with another error than a RuntimeError.",
        "A ValueError says that an argument is wrong. Here the argument is fine, and the object is not ready. Who wants to catch that has to know the kind.",
        "Which name does the task give after the word raise?",
    ),
)

_NUMBERS = (
    Mistake(
        "divides by N - 1",
        made(scale=_no_longer(lambda X: X.std(dim=0))),
        "Each of your scales is a little too large: the squares are divided by N - 1.",
        "`X.std(dim=0)` does that by itself, to estimate the spread of everything from a sample. Here the rows that are there are brought to a spread of 1.",
        "What is the scale of 1 and 3, if the mean of the squared distances is taken? Which option of `std` does so?",
    ),
    Mistake(
        "has one mean for all columns",
        made(mean=lambda X: X.mean().expand(X.shape[1])),
        "Your mean is the same number in every column: that of the whole table.",
        "Without `dim` a mean runs over everything. Age in years and income in euros have no common mean.",
        "Which axis should disappear, that of the rows or that of the columns?",
    ),
    Mistake(
        "has one scale for all columns",
        made(scale=lambda X: X.std(unbiased=False).clamp(min=1e-12).expand(X.shape[1])),
        "Your scale is the same number in every column: the spread of the whole table.",
        "Without `dim` a spread runs over everything, so that columns in large units stay large beside the others.",
        "Which argument of `std` says that each column has a spread of its own?",
    ),
    Mistake(
        "divides by the variance",
        made(scale=_no_longer(lambda X: X.var(dim=0, unbiased=False))),
        "Your scale is the variance: the root is missing.",
        "The variance has the unit of the column squared. Divided by it, a column in metres has another spread than the same in centimetres.",
        "What should the spread of each column of the standardised training rows be? Print yours.",
    ),
    Mistake(
        "scales to the range",
        made(mean=lambda X: X.amin(dim=0), scale=_no_longer(lambda X: X.amax(dim=0) - X.amin(dim=0))),
        "You bring each column to the range from 0 to 1: the smallest number is taken off, and the range divides.",
        "That is another scaling, and one that hangs on two rows alone. Asked for are mean and spread.",
        "Which two numbers of a column does the formula of the task need?",
    ),
    Mistake(
        "takes the mean distance for the spread",
        made(scale=_no_longer(lambda X: (X - X.mean(dim=0)).abs().mean(dim=0))),
        "Your scale is the mean distance from the mean, without squares.",
        "With two rows both are equal. With more the root of the mean square is larger, because far numbers count more in it.",
        "In which order do square, mean and root come?",
    ),
    Mistake(
        "takes the spread around 0",
        made(scale=_no_longer(lambda X: X.square().mean(dim=0).sqrt())),
        "Your scale grows with the mean of a column: the squares are those of the numbers and not of their distances from the mean.",
        "A column of 1001 and 1003 has a spread of 1. Measured from 0 it would be a thousand.",
        "What is taken off before the square? It stands in the task's sentence about the spread.",
    ),
    Mistake(
        "does not take the mean off",
        made(there=lambda self, X: X / self.scale, back=lambda self, Z: Z * self.scale),
        "Your columns have the right spread, and their means have stayed.",
        "`transform` divides only. The network then begins with inputs that all lie on one side of 0.",
        "Which part of the formula's numerator is missing in your `transform`?",
    ),
    Mistake(
        "only takes the mean off",
        made(there=lambda self, X: X - self.mean, back=lambda self, Z: Z + self.mean),
        "Your columns have the mean 0, and are still in their own units.",
        "`transform` does not divide. Columns in large units go on deciding about the length of a step.",
        "Which part of the formula, below the line, is missing in your `transform`?",
    ),
    Mistake(
        "divides before it takes the mean off",
        made(there=lambda self, X: X / self.scale - self.mean, back=lambda self, Z: (Z + self.mean) * self.scale),
        "You divide first, and then take the whole mean off: without brackets the fraction comes before the minus.",
        "The mean is in the column's unit, so that it has to be taken off before the unit changes.",
        "Put brackets where the numerator of the formula begins and ends.",
    ),
)

_CONSTANT = (
    Mistake(
        "divides by 0 in a constant column",
        made(scale=_spread),
        "In a column that is constant in training your scale is 0, and what comes out is nan or infinite.",
        "0 / 0 is nan. One such number in a row makes its loss nan, and after a step all weights.",
        "What should a constant column be divided by, so that its distance from the mean stays as it is?",
        best="a column that is constant in training",
    ),
    Mistake(
        "adds a little to every scale",
        made(scale=lambda X: _spread(X) + 1e-8),
        "A constant column has the scale 0.00000001 with you: a new number beside the constant becomes a hundred million.",
        "A small number keeps nan away and nothing else. And columns in very small units are changed by it.",
        "What does your `transform` make of a 6, where all training rows were 5?",
        best="a column that is constant in training",
    ),
    Mistake(
        "raises small scales to a least one",
        made(scale=lambda X: _spread(X).clamp(min=1e-8)),
        "A constant column gets a tiny scale with you, and a new number in it becomes huge. Columns in very small units are scaled wrongly.",
        "A least scale cannot tell a constant from a small unit: a current in nanoampere has a spread of a billionth, and is no constant.",
        "Ask the numbers themselves: are all of them equal?",
        best="a column that is constant in training",
    ),
    Mistake(
        "takes small units for constant",
        made(scale=_no_longer(_spread, lambda X: _spread(X) < 1e-6)),
        "Columns in very small units get the scale 1 with you, as if they were constant.",
        "A threshold on the spread is a threshold on the unit. Told in nanoampere instead of ampere, the same column would be scaled.",
        "What do equal numbers have in common that small ones do not? Compare the smallest with the largest.",
        best="columns in very small units",
    ),
    Mistake(
        "asks whether the spread is exactly 0",
        made(scale=_no_longer(_by_hand, lambda X: _by_hand(X) == 0)),
        "Your constant columns are right, but for one of 0.1 in float32: its spread comes out as a tiny number and not as 0.",
        "The mean of seven times 0.1 is rounded and is not 0.1. The distances are rounding then, and divided by their own size they look like data.",
        "Compare `X.amin(dim=0)` with `X.amax(dim=0)`: nothing is computed there, and so nothing is rounded.",
        best="a constant column of 0.1 in float32",
    ),
    Mistake(
        "sets constant columns to 0",
        made(scale=_spread, there=_zeroed),
        "Your `transform` makes 0 of everything in a column that was constant in training, also of new numbers.",
        "Then a new value that has never been seen looks like all others, and the inverse cannot lead back. Your `scale` is 0 there, too.",
        "With a scale of 1, what becomes of a 6 where all training rows were 5?",
        best="a column that is constant in training",
    ),
    Mistake(
        "replaces nan by 0",
        made(scale=_spread, there=_cleaned),
        "Your scale of a constant column is 0. `nan_to_num` hides the nan, and a new number in such a column becomes gigantic.",
        "6 where all training rows were 5 is 1 / 0, infinite, and replaced by the largest number that there is. A nan from a gap in the data is hidden as well.",
        "Mend the scale, in `fit`. What must stand in the denominator, so that no nan arises?",
        best="a column that is constant in training",
    ),
    Mistake(
        "gives up all scales for one constant column",
        made(scale=lambda X: torch.ones(X.shape[1], dtype=X.dtype) if bool(_constant(X).any()) else _spread(X)),
        "As soon as one column is constant all of your scales are 1.",
        "The question is asked of the whole table, with `any()`. It has an answer for each column.",
        "What is the shape of your comparison? It should be (D,).",
        best="a column that is constant in training",
    ),
    Mistake(
        "leaves constant columns where they are",
        made(mean=lambda X: X.mean(dim=0).masked_fill(_constant(X), 0.0)),
        "Your constant columns keep their value: their mean is set to 0.",
        "Only the scale needs care there. The mean is taken off as everywhere, so that the column becomes 0 in training.",
        "In the example the second column is 5 in training. What should `transform` make of a 5?",
    ),
)  # fmt: skip

_BACK = (
    Mistake(
        "undoes the steps in the same order",
        made(back=lambda self, Z: (Z + self.mean) * self.scale),
        "Your inverse adds the mean first, and multiplies it with the scale then.",
        "What was done last has to be undone first. The division came last.",
        "Which brackets stand in your inverse, and are there any in the formula solved for x?",
    ),
    Mistake(
        "divides on the way back",
        made(back=lambda self, Z: Z / self.scale + self.mean),
        "Your inverse divides by the scale once more.",
        "The way there divided, so that the way back multiplies.",
        "In the example a 1 in the first column should become 3, and a -1 in the third 10. Which operation does it?",
    ),
    Mistake(
        "forgets the mean on the way back",
        made(back=lambda self, Z: Z * self.scale),
        "Your inverse gives back the units, and everything lies around 0.",
        "The mean that was taken off has to be added again, after the scale.",
        "What should the inverse make of a row of zeros? The rows of the training say it.",
    ),
    Mistake(
        "takes the mean off on the way back",
        made(back=lambda self, Z: Z * self.scale - self.mean),
        "Your inverse takes the mean off once more, where it should add it.",
        "Both steps are turned round on the way back: multiplied instead of divided, added instead of taken off.",
        "Solve the formula of the task for x. Which sign does the mean have then?",
    ),
)

_PAIRS = (
    Mistake(
        "divides by N - 1, and divides by 0 in a constant column",
        made(scale=lambda X: X.std(dim=0)),
        "Your scales are a little too large, and 0 in a constant column: that is `X.std(dim=0)` as it stands.",
        "Two things at once: by itself `std` divides by N - 1, and a constant column has no spread to divide by.",
        "Begin with the option `unbiased` of `std`. Then think of the constant column.",
    ),
    Mistake(
        "divides by N - 1, and adds a little to every scale",
        made(scale=lambda X: X.std(dim=0) + 1e-8),
        "Your scales are a little too large, and a constant column has one that is nearly 0.",
        "Two things at once: `std` divides by N - 1, and a small number is no scale for a column without spread.",
        "Begin with the option `unbiased` of `std`. Then ask which columns hold equal numbers only.",
    ),
    Mistake(
        "divides by N - 1, and lets both pass before fit",
        made(scale=_no_longer(lambda X: X.std(dim=0)), refused=(), begins=(0.0, 1.0)),
        "Your scales are a little too large, and before `fit` rows pass as they are.",
        "Two things at once: `std` divides by N - 1, and a mean of 0 with a scale of 1 looks as if something had been measured.",
        "Begin with None in `__init__`. Then look at the option `unbiased` of `std`.",
    ),
    Mistake(
        "has one mean for all columns, and has one scale for all columns",
        made(mean=lambda X: X.mean(), scale=lambda X: X.std(unbiased=False)),
        "Your mean is one number for the whole table, and so is your scale. In a table of one constant column nan comes out.",
        "Two things at once: each column has a unit of its own, so that both need an entry for each. Without `dim=0` they run over everything.",
        "What is the shape of `X.mean(dim=0)`, and which one has yours? Then think of the constant column.",
    ),
    Mistake(
        "adds a little to every scale, and undoes the steps in the same order",
        made(scale=lambda X: _spread(X) + 1e-8, back=lambda self, Z: (Z + self.mean) * self.scale),
        "A constant column has a scale of nearly 0 with you, and your inverse adds the mean before it multiplies.",
        "Two things at once: a small number is no scale for a column without spread, and what was done last has to be undone first.",
        "Begin with the inverse: solve the formula of the task for x. Then ask which columns hold equal numbers only.",
    ),
    Mistake(
        "measures anew in transform, and divides by N - 1",
        made(measures=True, scale=_no_longer(lambda X: X.std(dim=0).nan_to_num(1.0))),
        "Your `transform` measures the rows that it gets, and its squares are divided by N - 1.",
        "Two things at once: what the training has measured is thrown away, and `std` divides by N - 1 by itself.",
        "Take the measuring out of `transform` first.",
    ),
    Mistake(
        "asks whether the spread is exactly 0, and stops by accident before fit",
        made(scale=_no_longer(_by_hand, lambda X: _by_hand(X) == 0), refused=()),
        "Before `fit` your methods stop by an accident, and a constant column of 0.1 is not found.",
        "Two things at once: nobody asks whether anything has been measured, and a spread that is rounded is not exactly 0.",
        "Begin with the RuntimeError in both methods. Then compare smallest and largest number of each column.",
        best="a constant column of 0.1 in float32",
    ),
)

MISTAKES = (*_FITTED, *_REFUSED, *_NUMBERS, *_CONSTANT, *_BACK, *_PAIRS)
