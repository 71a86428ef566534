"""A table of examples with its names and source, and what may be done to it before training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from companion.data.scale import Standardizer
from companion.errors import bad_type, bad_value
from companion.random import generator


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Keep examples, targets, names and source together.

    Attributes:
        X: The examples, float32, shape (N, D).
        y: The targets, shape (N,): class numbers from 0 (int64), or float32 numbers when there are no
            classes.
        name: What the data is called.
        feature_names: One name for each of the D columns.
        class_names: One name for each class; empty where y holds numbers to be predicted.
        source: Who collected it and where it comes from.
        synthetic: Whether it was made up instead of measured.
        units: The unit of each column, empty where its source names none; ``()`` if it names none at all.
        licence: Under which terms it may be passed on, as far as stated.
        quirks: What one should know before trusting a result: duplicates, groups, columns that say the same.

    Raises:
        ValueError: If shapes, types or names do not fit together.
    """

    X: Tensor
    y: Tensor
    name: str
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    source: str
    synthetic: bool = False
    units: tuple[str, ...] = ()
    licence: str = ""
    quirks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.X.ndim != 2 or self.X.dtype != torch.float32:
            got = f"{tuple(self.X.shape)} of {self.X.dtype}"
            raise bad_value("Dataset", "X", "rows of float32 examples, shape (N, D)", got)
        if self.y.shape != self.X.shape[:1]:
            raise bad_value("Dataset", "y", f"shape ({len(self.X)},)", tuple(self.y.shape))
        if len(self.feature_names) != self.X.shape[1]:
            raise bad_value("Dataset", "feature_names", f"{self.X.shape[1]} names", len(self.feature_names))
        if len(self.units) not in (0, self.X.shape[1]):
            raise bad_value("Dataset", "units", f"{self.X.shape[1]} units or none", len(self.units))
        wanted = torch.int64 if self.class_names else torch.float32
        if self.y.dtype != wanted:
            hint = "class numbers are int64, numbers to be predicted are float32"
            raise bad_value("Dataset", "y", str(wanted), self.y.dtype, hint)
        if self.class_names and len(self.y) and not 0 <= self.y.min() <= self.y.max() < len(self.class_names):
            got = f"{self.y.min().item()} to {self.y.max().item()}"
            raise bad_value("Dataset", "y", f"class numbers from 0 to {len(self.class_names) - 1}", got)

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        kind = f"{len(self.class_names)} classes" if self.class_names else "a number to predict"
        made = ", synthetic" if self.synthetic else ""
        return f"Dataset({self.name}: {len(self)} rows, {self.X.shape[1]} features, {kind}{made})"

    def select(
        self, *, classes: Sequence[str | int] | None = None, features: Sequence[str | int] | None = None
    ) -> Dataset:
        """Keep some classes, some features, or both.

        Args:
            classes: Names or numbers, at least one. The first becomes class 0, the second class 1 and so on.
            features: Names or numbers of columns, at least one, in the order wanted.

        Returns:
            A new data set; rows keep their order.

        Raises:
            ValueError: If a name or number is unknown, repeated, or none is given.
        """
        chosen = self
        if features is not None:
            columns = _positions("features", features, self.feature_names)
            names = tuple(self.feature_names[i] for i in columns)
            units = tuple(self.units[i] for i in columns) if self.units else ()
            chosen = replace(chosen, X=chosen.X[:, columns], feature_names=names, units=units)
        if classes is not None:
            old = _positions("classes", classes, self.class_names)
            renumbered = torch.full((len(self.class_names),), -1)
            renumbered[old] = torch.arange(len(old))
            y = renumbered[chosen.y]
            rows = y >= 0
            names = tuple(self.class_names[i] for i in old)
            chosen = replace(chosen, X=chosen.X[rows], y=y[rows], class_names=names)
        return chosen

    def split(self, test: float = 0.25, seed: int = 0) -> tuple[Dataset, Dataset]:
        """Set rows aside for testing, the same share of every class.

        Args:
            test: Share of the rows to set aside, between 0 and 1.
            seed: Which rows: the same seed gives the same split on every machine.

        Returns:
            The training part and the test part, each in shuffled order; no row is in both.

        Raises:
            ValueError: If the share leaves a class without a row on one side.
        """
        if not 0 < test < 1:
            raise bad_value("split", "test", "a share between 0 and 1", test, "0.25 sets a quarter aside")
        rng = generator(seed)
        kept, aside = [], []
        for label, rows in self._groups():
            size = round(test * len(rows))
            if not 0 < size < len(rows):
                got = f"{test}, which is {size} of {len(rows)} rows of {label}"
                raise bad_value("split", "test", "a share with a row of each class on both sides", got)
            rows = rows[torch.randperm(len(rows), generator=rng)]
            aside.append(rows[:size])
            kept.append(rows[size:])
        train, held = (torch.cat(part) for part in (kept, aside))
        train = train[torch.randperm(len(train), generator=rng)]
        held = held[torch.randperm(len(held), generator=rng)]
        return self._rows(train), self._rows(held)

    def _groups(self) -> list[tuple[str, Tensor]]:
        """List the rows of each class, or all rows where there are no classes."""
        if not self.class_names:
            return [("the data", torch.arange(len(self)))]
        return [(name, torch.nonzero(self.y == i).squeeze(1)) for i, name in enumerate(self.class_names)]

    def _rows(self, rows: Tensor) -> Dataset:
        return replace(self, X=self.X[rows], y=self.y[rows])


def standardise(train: Dataset, *others: Dataset) -> tuple[Dataset, ...]:
    r"""Give every feature mean 0 and standard deviation 1, measured on the training data only.

    .. math:: x' = \frac{x - \mu_{\text{train}}}{\sigma_{\text{train}}}

    Test rows are moved by the training rows' numbers: measured on all rows, the test set would already have
    had its say. A column that is constant in training becomes 0 there, and is not divided by its spread of 0.

    Args:
        train: The data to measure, one row or more.
        others: Validation and test data with the same features.

    Returns:
        As many data sets as came in, in the same order.

    Raises:
        ValueError: If ``train`` is empty or another data set has other features.

    Source:
        LeCun, Bottou, Orr and Müller (1998), Efficient BackProp.

    >>> people = Dataset(torch.tensor([[1.5], [1.7]]), torch.rand(2), "people", ("m",), (), "made up")
    >>> standardise(people)[0].X.tolist()
    [[-1.0], [1.0]]
    """
    if not len(train):
        raise bad_value("standardise", "train", "one row or more", "none")
    for other in others:
        if other.feature_names != train.feature_names:
            hint = "all data sets need the features of the training data, in the same order"
            raise bad_value(
                "standardise", "others", ", ".join(train.feature_names), ", ".join(other.feature_names), hint
            )
    scaler = Standardizer().fit(train.X)
    return tuple(replace(d, X=scaler.transform(d.X), units=()) for d in (train, *others))


def _positions(argument: str, wanted: Sequence[str | int], names: tuple[str, ...]) -> list[int]:
    """Translate names or numbers into positions, each once."""
    if isinstance(wanted, (str, int)):
        raise bad_type("select", argument, "a list of names or numbers", wanted, f"write {argument}=[{wanted!r}]")
    known = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "") or "none"
    positions = []
    for item in wanted:
        if item in names:
            positions.append(names.index(item))
        elif isinstance(item, int) and 0 <= item < len(names):
            positions.append(item)
        else:
            raise bad_value("select", argument, f"names or numbers of these: {known}", repr(item))
    if not positions or len(set(positions)) < len(positions):
        raise bad_value("select", argument, "one or more, each once", list(wanted))
    return positions
