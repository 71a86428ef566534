"""Which rows may teach and which must judge: by chance, class by class, group by group, or by time."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_tensor, require_whole


class Split(NamedTuple):
    """Row numbers of the three parts, none in two of them."""

    train: Tensor
    val: Tensor
    test: Tensor


class Fold(NamedTuple):
    """Row numbers of one round of cross-validation."""

    train: Tensor
    held: Tensor


def train_val_test_split(
    n: int,
    *,
    val: float = 0.2,
    test: float = 0.2,
    stratify: Tensor | None = None,
    groups: Tensor | None = None,
    times: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Split:
    """Share out row numbers to a part that teaches, one that chooses between models, and one that judges at the end.

    Rows that belong together must not be torn apart. Without a keyword each row goes its own way. With ``stratify``
    each part gets its share of every class, to the nearest row. With ``groups`` whole groups move (all pictures of
    one patient), so shares are met only roughly. With ``times`` the earliest rows teach and the latest judge, as
    in use; rows of the same time stay together.

    Args:
        n: how many rows there are.
        val: share of the rows for choosing, from 0 to below 1.
        test: share for judging, from 0 to below 1; both together below 1.
        stratify: the class of each row.
        groups: the group of each row.
        times: the time of each row.
        generator: a CPU generator that decides; not asked for ``times``.

    Shape:
        Labels (n,); the parts have n rows together.

    Returns:
        ``(train, val, test)``, shuffled, or in order of time.

    Raises:
        TypeError: If labels are no tensor or n no whole number.
        ValueError: If shares are out of range, more than one keyword is given, lengths differ, or a part stays
            empty that was to have rows.

    Source:
        Kaufman, Rosset, Perlich and Stitelman (2012), Leakage in data mining: formulation, detection, and avoidance.

    >>> parts = train_val_test_split(10, val=0.2, test=0.3, generator=torch.Generator().manual_seed(0))
    >>> [len(part) for part in parts]
    [5, 2, 3]
    """
    where = "train_val_test_split"
    for name, share in (("val", val), ("test", test)):
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
            raise bad_value(where, name, "a share from 0 to below 1", share)
    if val + test >= 1:
        raise bad_value(
            where, "val and test", "less than 1 together", val + test, "something must be left to learn from"
        )
    rows, ends = _ordered(where, n, stratify, groups, times, generator)
    cuts = [_cut(ends, n * (1 - val - test)), _cut(ends, n * (1 - test))]
    parts = Split(rows[: cuts[0]], rows[cuts[0] : cuts[1]], rows[cuts[1] :])
    for name, part, share in zip(Split._fields, parts, (1 - val - test, val, test), strict=True):
        if share > 1e-9 and not len(part):
            raise bad_value(where, name, "at least one row", "none", "take larger shares, more rows or smaller groups")
    return parts


def k_fold(
    n: int,
    k: int = 5,
    *,
    stratify: Tensor | None = None,
    groups: Tensor | None = None,
    times: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> list[Fold]:
    """Cut rows into k parts and hold each out once; by time, learn only from what came before.

    Args:
        n: how many rows there are.
        k: how many folds, 2 or more.
        stratify: the class of each row, to give each fold its share of every class.
        groups: the group of each row; a group is held out whole.
        times: the time of each row: k + 1 stretches, each but the first held out after learning from all before it.
        generator: a CPU generator that decides; not asked for ``times``.

    Shape:
        Labels (n,).

    Returns:
        k pairs ``(train, held)``; without ``times`` each row is held out exactly once.

    Raises:
        TypeError: If labels are no tensor, or n or k no whole number.
        ValueError: If there are fewer rows or groups than folds, lengths differ, or several keywords are given.

    Source:
        Stone (1974), Cross-validatory choice and assessment of statistical predictions.

    >>> [fold.held.tolist() for fold in k_fold(5, 2, times=torch.arange(5))]
    [[2], [3, 4]]
    """
    require_whole("k_fold", "k", k, least=2)
    rows, ends = _ordered("k_fold", n, stratify, groups, times, generator)
    parts = k if times is None else k + 1
    if len(ends) < parts:
        hint = "rows of one group or time stay together" if groups is not None or times is not None else ""
        raise bad_value("k_fold", "k", f"at most {len(ends) - (times is not None)} folds for this data", k, hint)
    cuts = _even_cuts(ends, n, parts)
    held = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, n], strict=True)]
    if times is not None:
        return [Fold(torch.cat(held[:i]), held[i]) for i in range(1, parts)]
    return [Fold(torch.cat(held[:i] + held[i + 1 :]), held[i]) for i in range(k)]


def _ordered(
    where: str,
    n: int,
    stratify: Tensor | None,
    groups: Tensor | None,
    times: Tensor | None,
    rng: torch.Generator | None,
) -> tuple[Tensor, Tensor]:
    """Return the rows in the order in which they are shared out, and the places after which one may cut."""
    require_whole(where, "n", n, least=1)
    given = {k: v for k, v in (("stratify", stratify), ("groups", groups), ("times", times)) if v is not None}
    if len(given) > 1:
        raise bad_value(where, "keywords", "one of stratify, groups and times", " and ".join(given))
    for name, labels in given.items():
        require_tensor(where, name, labels)
        if labels.shape != (n,):
            raise bad_value(where, name, f"one label for each row, shape ({n},)", f"{tuple(labels.shape)}")
    anywhere = torch.arange(1, n + 1)
    if times is not None:
        rows = torch.argsort(times.cpu(), stable=True)
        return rows, _ends(times.cpu()[rows])
    shuffled = torch.randperm(n, generator=rng)
    if stratify is not None:
        return _interleaved(shuffled, stratify.cpu()), anywhere
    if groups is not None:
        of_row = torch.unique(groups.cpu(), return_inverse=True)[1]
        place = torch.randperm(int(of_row.max()) + 1, generator=rng)[of_row]  # a random place for each group
        rows = shuffled[torch.argsort(place[shuffled], stable=True)]
        return rows, _ends(of_row[rows])
    return shuffled, anywhere


def _interleaved(rows: Tensor, labels: Tensor) -> Tensor:
    """Return the rows so that each stretch of them has its share of every class.

    The j-th of m rows of a class goes to place (j + 1/2) / m on a line from 0 to 1; all rows are taken in order of
    their place.
    """
    place = torch.empty(len(rows), dtype=torch.double)
    for label in labels.unique():
        of_class = rows[labels[rows] == label]
        place[of_class] = (torch.arange(len(of_class)) + 0.5).double() / len(of_class)
    return rows[torch.argsort(place[rows], stable=True)]


def _ends(labels: Tensor) -> Tensor:
    """Return after how many rows a run of equal labels ends."""
    return torch.cat([torch.nonzero(labels[1:] != labels[:-1]).flatten() + 1, torch.tensor([len(labels)])])


def _cut(ends: Tensor, wanted: float) -> int:
    """Return the place nearest to the wanted one at which one may cut; 0 counts too."""
    places = torch.cat([torch.tensor([0]), ends])
    return int(places[(places - wanted).abs().argmin()])


def _even_cuts(ends: Tensor, n: int, parts: int) -> list[int]:
    """Return parts - 1 places to cut at, as even as the runs allow, with a run or more in each part."""
    cuts: list[int] = []
    first = 0  # number of the run after the last cut
    for i in range(1, parts):
        last = len(ends) - (parts - i)  # leave a run for each part that is still to come
        near = (ends[first:last] - n * i / parts).abs().argmin()
        cuts.append(int(ends[first + int(near)]))
        first += int(near) + 1
    return cuts
