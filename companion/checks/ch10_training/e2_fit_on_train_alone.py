"""Exercise 10.2: fit on train alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Property, exercise, rng
from companion.checks.ch10_training.e2_mistakes import MISTAKES
from companion.checks.levels import close
from companion.checks.numbers import F64, rows
from companion.checks.routines import REFUSED
from companion.checks.trace import Call, Case, Trace


class Scaler:
    """Give every column the mean 0 and the spread 1, by numbers of the rows that ``fit`` has seen."""

    def __init__(self) -> None:
        """Nothing has been measured yet."""
        self.mean: torch.Tensor | None = None
        self.scale: torch.Tensor | None = None

    def fit(self, X: torch.Tensor) -> object:
        """Measure mean and spread of each column of X (N, D). Return this object."""
        constant = X.amin(dim=0) == X.amax(dim=0)
        self.mean = X.mean(dim=0)
        self.scale = X.std(dim=0, unbiased=False).masked_fill(constant, 1.0)
        return self

    def transform(self, X: torch.Tensor) -> torch.Tensor:
        """Return rows X (M, D) in the units of the rows that were measured."""
        if self.mean is None or self.scale is None:
            raise RuntimeError("nothing has been measured yet: call fit first")
        return (X - self.mean) / self.scale

    def inverse_transform(self, Z: torch.Tensor) -> torch.Tensor:
        """Return standardised rows Z (M, D) in their own units."""
        if self.mean is None or self.scale is None:
            raise RuntimeError("nothing has been measured yet: call fit first")
        return Z * self.scale + self.mean


class _ByColumns:
    """Measure column by column in double precision, and keep pairs."""

    def __init__(self) -> None:
        self.fitted = False

    def fit(self, X: Tensor) -> _ByColumns:
        columns = [column.double() for column in X.unbind(dim=1)]
        pairs = [(c.sum() / len(c), 1.0 if len(c.unique()) == 1 else c.var(correction=0) ** 0.5) for c in columns]
        self.mean, self.scale = (torch.tensor(numbers).to(X.dtype) for numbers in zip(*pairs))
        self.fitted = True
        return self

    def _ask(self) -> None:
        if not self.fitted:
            raise RuntimeError("fit it to the training rows first")

    def transform(self, X: Tensor) -> Tensor:
        self._ask()
        return torch.stack([(c - m) / s for c, m, s in zip(X.T, self.mean, self.scale)], dim=1)

    def inverse_transform(self, Z: Tensor) -> Tensor:
        self._ask()
        return torch.addcmul(self.mean, Z, self.scale)


class _BySums:
    """Keep sums of powers of the distances from the first row."""

    def __init__(self) -> None:
        self.state: dict[str, Tensor] = {}

    def fit(self, X: Tensor) -> _BySums:
        first = X[0].clone()
        apart = X - first
        m = apart.sum(0) / len(X)
        spread = ((apart - m).square().sum(0) / len(X)).sqrt()
        same = (apart == 0).all(0)
        self.state = {"mean": first + m, "scale": torch.where(same, torch.ones_like(spread), spread)}
        return self

    @property
    def mean(self) -> Tensor:
        if not self.state:
            raise RuntimeError("no mean before fit")
        return self.state["mean"]

    @property
    def scale(self) -> Tensor:
        return self.state["scale"]

    def transform(self, X: Tensor) -> Tensor:
        return X.sub(self.mean).div(self.scale)

    def inverse_transform(self, Z: Tensor) -> Tensor:
        mean = self.mean
        return Z.mul(self.scale).add(mean)


def _cases(seed: int) -> list[Case]:
    g = rng(seed + 102)

    def drawn(n: int, d: int, dtype: torch.dtype, units: tuple[float, float] = (-1.0, 1.0)) -> Tensor:
        unit = torch.logspace(*units, d, dtype=F64)
        return ((torch.randn(n, d, generator=g, dtype=F64) + torch.linspace(-3, 2, d, dtype=F64)) * unit).to(dtype)

    def case(
        name: str,
        n: int,
        d: int,
        *,
        constant: dict[int, float] | None = None,
        dtype: torch.dtype = F64,
        units: tuple[float, float] = (-1.0, 1.0),
    ) -> Case:
        X, new, other = drawn(n, d, dtype, units), 3 * drawn(n + 2, d, dtype, units) + 1, drawn(n - 1, d, dtype) - 2
        for column, value in (constant or {}).items():
            X[:, column] = value
            new[:, column] = value
            new[1::2, column] += 2.0
        return Case(name, {"X": X, "new": new, "other": other, "Z": drawn(3, d, dtype)})

    worked_out = {
        "X": rows([1, 5, 10], [3, 5, 30], dtype=F64),
        "new": rows([4, 5, 0], [2, 6, 20], dtype=F64),
        "other": rows([0, 1, 2], [4, 1, 0], [2, 4, 7], dtype=F64),
        "Z": rows([1, 2, -1], dtype=F64),
    }
    return [
        Case("the two rows worked out", worked_out),
        case("four columns", 6, 4),
        case("a column that is constant in training", 5, 3, constant={1: 4.0}),
        case("two constant columns, one of them at 0", 7, 5, constant={0: 0.0, 3: -2.5}),
        case("a constant column of 0.1 in float32", 7, 3, constant={1: 0.1}, dtype=torch.float32),
        case("columns in very small units", 6, 4, units=(-9.0, 0.0)),
        case("nothing but a constant", 4, 1, constant={0: 7.0}),
    ]


_STATISTICS = ("mean", "scale")


def _script(case: Case) -> list[Call]:
    X, new, other, Z = case.args.values()

    def told(thing: str, when: str) -> list[Call]:
        return [Call("@attribute", (thing, name), returns=(f"{name}{when}",)) for name in _STATISTICS]

    return [
        Call("Scaler", keep="scaler"),
        Call("@refuses", ("$scaler", "transform", new), returns=("transform refused",)),
        Call("@refuses", ("$scaler", "inverse_transform", Z), returns=("inverse refused",)),
        Call("$scaler.fit", (X,), ("X",), keep="fitted"),
        Call("@identical", ("$fitted", "$scaler"), returns=("itself",)),
        *told("$scaler", ""),
        Call("$scaler.transform", (X,), ("X",), ("training rows",)),
        Call("$scaler.transform", (new,), ("new",), ("new rows",)),
        Call("$scaler.transform", (new[1:2].clone(),), returns=("one row",)),
        *told("$scaler", " after transform"),
        Call("$scaler.inverse_transform", (Z,), ("Z",), ("inverse",)),
        Call("$scaler.transform", (new,), keep="made"),
        Call("$scaler.inverse_transform", ("$made",), returns=("there and back",)),
        Call("Scaler", keep="second"),
        Call("$second.fit", (other,), ("other",), ()),
        *told("$scaler", " beside another"),
        Call("$scaler.fit", (other,), ("other",), ()),
        *told("$scaler", " of a second fit"),
    ]


_ROWS = ("training rows", "new rows", "one row", "inverse", "there and back")


def _observe(case: Case, trace: Trace) -> Observed:
    names = (*_ROWS, "transform refused", "inverse refused", "itself")
    after = [
        f"{n}{when}" for n in _STATISTICS for when in ("", " after transform", " beside another", " of a second fit")
    ]
    found = {n: trace.tensors[n] for n in (*names, *after) if n in trace.tensors}
    kept = {trace.facts.get(f"{n}.dtype") for n in _ROWS} == {str(case.args["X"].dtype).removeprefix("torch.")}
    return {**found, "dtype kept": torch.tensor(kept)}


def _measured(case: Case) -> tuple[Tensor, Tensor]:
    X = case.args["X"].double()
    constant = X.amin(dim=0) == X.amax(dim=0)
    return X.mean(dim=0), X.std(dim=0, unbiased=False).masked_fill(constant, 1.0)


def _is(o: Observed, name: str, due: Tensor, tolerance: float = 1e-4) -> bool:
    return name in o and close(o[name], due, tolerance)


def _stays(when: str) -> Callable[[Case, Observed], bool]:
    return lambda case, o: all(_is(o, f"{n}{when}", o[n]) for n in _STATISTICS if n in o)


_PROPERTIES = (
    Property(
        "it refuses before fit",
        lambda case, o: {int(o["transform refused"]), int(o["inverse refused"])} == {REFUSED},
        "Before `fit`, `transform` and `inverse_transform` should both raise a RuntimeError of your own.",
        "Nothing has been measured then. Numbers that come out all the same look like data, and nobody notices that `fit` was forgotten.",
        'Let `__init__` set both statistics to None, and ask for that in both methods: `raise RuntimeError("...")`.',
    ),
    Property(
        "fit returns the object",
        lambda case, o: int(o["itself"]) == 1,
        "`fit` should return the object itself, so that `scaler = Scaler().fit(X_train)` can be written.",
        "A method without `return` hands back None, and whoever writes the line above holds nothing.",
        "Which name of the method stands for the object? It is its first argument.",
    ),
    Property(
        "mean and scale are there",
        lambda case, o: all(name in o and o[name].shape == case.args["X"].shape[1:] for name in _STATISTICS),
        "After `fit` the attributes `mean` and `scale` should be tensors with one number for each column.",
        "The check reads them, and so does everybody who wants to know in which units the network works.",
        "Print `scaler.mean.shape` and `scaler.scale.shape` after `fit`, beside the shape of X.",
    ),
    Property(
        "the mean is that of each column",
        lambda case, o: _is(o, "mean", _measured(case)[0]),
        "`mean` does not hold the mean of each column of the rows that `fit` was called with.",
        "Every feature has a unit of its own, so that it has a mean of its own: over the rows, from top to bottom.",
        "Print `scaler.mean` for the example. Its three means can be read off.",
    ),
    Property(
        "constant columns have the scale 1",
        lambda case, o: bool((o["scale"].double() == 1)[case.args["X"].amin(dim=0) == case.args["X"].amax(dim=0)].all()),
        "A column whose training rows are all equal should have the scale 1, and yours has another one.",
        "Its spread is 0, or through rounding nearly 0. Divided by that, nothing or noise is left.",
        "How do you find out that all numbers of a column are equal? Compare its smallest with its largest number.",
    ),
    Property(
        "the scale is the spread of each column",
        lambda case, o: _is(o, "scale", _measured(case)[1], 1e-3),
        "`scale` does not hold the spread of each column: the root of the mean squared distance from the mean.",
        "The mean of the squares divides by the number of rows, N. Only constant columns are an exception.",
        "In the example the first column holds 1 and 3. How far is each from the mean, and what is the scale?",
    ),
    Property(
        "transform changes nothing in the object",
        _stays(" after transform"),
        "`mean` or `scale` is another one after `transform` was called.",
        "What was measured on the training rows would be overwritten by rows that are to be judged.",
        "Which lines of `transform` write to `self`? There should be none.",
    ),
    Property(
        "rows are measured in the units of the training",
        lambda case, o: _is(o, "new rows", (case.args["new"].double() - _measured(case)[0]) / _measured(case)[1], 1e-3),
        "Statistics are right. New rows do not come out in the units of the training rows.",
        "The same mean is taken off and the same scale divides, whatever rows come.",
        "Do the first new row of the example by hand: 4 in a column of mean 2 and scale 1.",
    ),
    Property(
        "the inverse leads back",
        lambda case, o: _is(o, "there and back", case.args["new"], 1e-3),
        "`inverse_transform` does not lead back to the rows that `transform` was called with.",
        "What is done last is undone first: first the scale, then the mean.",
        "Write `transform` as two steps, and take them back one by one.",
    ),
    Property(
        "two objects do not share",
        _stays(" beside another"),
        "`mean` or `scale` changes when another `Scaler` is fitted.",
        "What belongs to one object is set on `self`. Names of the class, or of the notebook, are shared by all.",
        "Where is `mean` set in your code? It should be `self.mean = ...` in a method.",
    ),
    Property(
        "the dtype is kept",
        lambda case, o: bool(o["dtype kept"]),
        "Your rows come back in another dtype than they came in: float32 should stay float32, and float64 stay float64.",
        "A network with float32 weights refuses float64 rows, far away from the line that made them.",
        "Which of your tensors has a dtype of its own? `.to(X.dtype)` or tensors made from X keep it.",
    ),
    Property(
        "a second fit begins anew",
        lambda case, o: False,
        "After a second `fit` the statistics should be those of the second rows alone.",
        "Whoever fits again, in the next fold for example, wants nothing to be left of the rows before.",
        "Which of your lines looks at what is there already?",
    ),
)  # fmt: skip


@exercise("10.2", title="Fit on train alone", points=2)
class FitOnTrainAlone:
    """A standardiser that measures once and is used everywhere."""

    reference = Scaler
    read = "Fitted on the training part"
    returns = tuple(Out(name) for name in _ROWS)
    script = _script
    observe = _observe
    properties = _PROPERTIES
    tolerance = 1e-4
    statement = r"""
        Columns in different units are brought to one scale, with numbers that come **from the training rows alone**. You write the object that
        measures them, keeps them and uses them:

        $$z = \frac{x - \text{mean}}{\text{scale}}$$

        Write a class `Scaler()` with three methods.

        * `fit(X)` measures the rows X, of shape (N, D), and returns the object itself. Then two attributes can be read, each of shape (D,): `mean`,
          the mean of each column, and `scale`, its spread: the root of the **mean** squared distance from the mean, divided by N. For a column whose
          N numbers are all equal, `scale` is 1.
        * `transform(X)` returns any number of rows in these units. It measures nothing.
        * `inverse_transform(Z)` leads back: `inverse_transform(transform(X))` is X.

        Before `fit`, both raise a `RuntimeError`. A second `fit` begins anew. Arguments are not changed, and results have the dtype of what came in.
        Do not take columns for constant that are only measured in a small unit. And mind rounding: the mean of seven times 0.1 need not be 0.1, so
        that distances from it need not be exactly 0.

        Example: `fit` with the rows `[[1, 5, 10], [3, 5, 30]]` gives the mean `[2, 5, 20]` and the scale `[1, 1, 10]`: the second column is constant.
        `transform` of the new rows `[[4, 5, 0], [2, 6, 20]]` gives `[[2, 0, -2], [0, 1, 0]]`, and `inverse_transform` of `[[1, 2, -1]]` gives
        `[[3, 7, 10]]`.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {"column by column": _ByColumns, "by sums from the first row": _BySums}
    hints = (
        "Only `fit` looks at numbers of its rows as a whole. What does `transform` need of them? That is what you keep on `self`.",
        "`X.std(dim=0)` divides by N - 1, and `X.std(dim=0, unbiased=False)` by N. Which columns are constant can be told without any spread: there the smallest and "
        "the largest number are equal.",
        "`constant = X.amin(dim=0) == X.amax(dim=0)`, then `self.scale = X.std(dim=0, unbiased=False).masked_fill(constant, 1.0)`. "
        "In `__init__` both are None, and both other methods ask for that first.",
    )
