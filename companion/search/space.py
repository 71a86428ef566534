"""What may be chosen: the axes of a search, and the way from the unit cube to settings and back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from companion import random
from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_float, require_number, require_whole, whole_numbers


@dataclass(frozen=True)
class Axis:
    r"""One hyperparameter: its range, and how the range is laid on the interval from 0 to 1.

    .. math:: v = low + u \, (high - low), \qquad \text{with log:} \quad v = low \left( \frac{high}{low} \right)^{u}

    A log axis gives each power of ten the same room: what matters of a learning rate is its size, not its digits. An
    integer axis gives each whole number the same room (on a log axis: room for its size), both ends included.

    Args:
        low: the lowest value.
        high: the highest value, above ``low``.
        log: whether equal steps multiply in place of adding; then ``low`` is above 0.
        integer: whether only whole numbers are meant.

    Raises:
        TypeError: If an end is no number.
        ValueError: If the range is empty or not finite, a log axis does not lie above 0, or an end of an integer axis is not whole.

    Source:
        Bergstra and Bengio (2012), Random search for hyper-parameter optimization, section 2.

    >>> Axis(1e-4, 1, log=True).value(0.5)
    0.01
    >>> [Axis(1, 3, integer=True).value(u) for u in (0, 0.4, 1)]
    [1, 2, 3]
    """

    low: float
    high: float
    log: bool = False
    integer: bool = False

    def __post_init__(self) -> None:
        for name, end in (("low", self.low), ("high", self.high)):
            require_number("Axis", name, end, positive=self.log)
            if self.integer and end != int(end):
                raise bad_value("Axis", name, "a whole number, for an integer axis", end)
        if self.low >= self.high:
            raise bad_value(
                "Axis", "high", f"more than low, {self.low:g}", self.high, "fix the value outside of the search"
            )

    def value(self, u: float) -> float:
        """Return the value at a place from 0 to 1; a whole number of an integer axis.

        Raises:
            ValueError: If the place is not from 0 to 1.
        """
        if not 0 <= u <= 1:
            raise bad_value("Axis.value", "u", "a place from 0 to 1", u)
        high = self.high + 1 if self.integer else self.high  # the last whole number has room behind it too
        v = self.low * (high / self.low) ** u if self.log else self.low + u * (high - self.low)
        return min(math.floor(v), int(self.high)) if self.integer else min(v, self.high)

    def place(self, v: float) -> float:
        """Return the place from 0 to 1 of a value; ``value(place(v))`` is v again, but for rounding.

        Raises:
            TypeError: If the value is no number.
            ValueError: If it is out of the range, or not whole on an integer axis.
        """
        return self._place("Axis.place", "v", v)

    def _place(self, where: str, argument: str, v: float) -> float:
        """Return the place of a value that was called so there."""
        require_number(where, argument, v)
        if not self.low <= v <= self.high or (self.integer and v != int(v)):
            kind = "a whole number" if self.integer else "a value"
            raise bad_value(where, argument, f"{kind} from {self.low:g} to {self.high:g}", v)
        if self.log:
            return math.log(v / self.low) / math.log(self.high / self.low)
        return (v - self.low) / (self.high - self.low)


class Space:
    """Several named axes: a unit cube of d axes, each point of which is a setting.

    Args:
        axes: the axes by name, in the order of the cube's coordinates.

    Attributes:
        axes: what was given.

    Raises:
        TypeError: If what stands by a name is no axis.
        ValueError: If there is no axis.

    >>> space = Space({"lr": Axis(1e-4, 1, log=True), "width": Axis(8, 64, integer=True)})
    >>> space.points(torch.tensor([[0.25, 1.0]]))
    [{'lr': 0.001, 'width': 64}]
    """

    def __init__(self, axes: Mapping[str, Axis]) -> None:
        if not axes:
            raise bad_value("Space", "axes", "one axis or more, by name", "none")
        for name, axis in axes.items():
            if not isinstance(axis, Axis):
                raise bad_type("Space", f"axes[{name!r}]", "an Axis", axis, "Axis(low, high) makes one")
        self.axes = dict(axes)

    def __len__(self) -> int:
        return len(self.axes)

    def points(self, unit: Tensor) -> list[dict[str, float]]:
        """Return the settings at points of the unit cube.

        Args:
            unit: coordinates from 0 to 1.

        Shape:
            (n, d), float; the list has n dictionaries of d values.

        Raises:
            TypeError: If ``unit`` is no tensor.
            ValueError: If it has another shape or kind, or a coordinate is not from 0 to 1.
        """
        require_float("Space.points", "unit", unit)
        if unit.ndim != 2 or unit.shape[1] != len(self):
            raise bad_value("Space.points", "unit", f"shape (n, {len(self)})", tuple(unit.shape))
        named = self.axes.items()
        return [{name: axis.value(u) for (name, axis), u in zip(named, row)} for row in unit.double().tolist()]

    def unit(self, settings: Sequence[Mapping[str, float]]) -> Tensor:
        """Return the points of the unit cube at which settings lie: the way back from :meth:`points`.

        Args:
            settings: for each a value by the name of every axis.

        Shape:
            n settings -> (n, d), float64.

        Raises:
            TypeError: If a value is no number.
            ValueError: If a name is missing or unknown, or a value is out of its range.
        """
        for k, setting in enumerate(settings):
            if set(setting) != set(self.axes):
                raise bad_value(
                    "Space.unit", f"settings[{k}]", f"values for {', '.join(self.axes)}", ", ".join(setting)
                )
        rows = [
            [axis._place("Space.unit", f"settings[{k}][{name!r}]", setting[name]) for name, axis in self.axes.items()]
            for k, setting in enumerate(settings)
        ]
        return torch.tensor(rows, dtype=torch.double).reshape(len(rows), len(self))

    def grid(self, counts: int | Sequence[int]) -> Tensor:
        """Return every combination of equally spaced places, both ends among them; a count of 1 takes the middle.

        Args:
            counts: how many places, one number for each axis or one for all.

        Shape:
            (n, d), float64, n the product of the counts; the last axis changes fastest.

        Raises:
            TypeError: If a count is no whole number.
            ValueError: If a count is below 1, there is another number of them, or an integer axis has fewer values.
        """
        each = whole_numbers("Space.grid", "counts", counts, len(self), least=1)
        places = [[i / (m - 1) for i in range(m)] if m > 1 else [0.5] for m in each]
        for (name, axis), m, along in zip(self.axes.items(), each, places):
            if axis.integer and len({axis.value(u) for u in along}) < m:
                raise bad_value(
                    "Space.grid", f"the count of {name}", "as many different whole numbers", m, "take fewer"
                )
        columns = torch.meshgrid(*[torch.tensor(along, dtype=torch.double) for along in places], indexing="ij")
        return torch.stack([column.flatten() for column in columns], dim=1)  # d times (m1, .., md) -> (n, d)

    def random(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Return points drawn uniformly from the unit cube.

        Args:
            n: how many.
            generator: where they come from.

        Shape:
            (n, d), float64.

        Raises:
            TypeError: If ``n`` is no whole number.
            ValueError: If ``n`` is below 1.
        """
        require_whole("Space.random", "n", n, least=1)
        return random.uniform((n, len(self)), generator=generator, dtype=torch.double)
