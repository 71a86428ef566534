"""Make a case that shows a fault as small and as plain as it can be while it still shows the fault."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from companion.checks.trace import Case

LIMIT = 0.4  # seconds


def shrink(case: Case, shows: Callable[[Case], bool], *, limit: float = LIMIT) -> Case:
    """Return the smallest case found that still shows the fault.

    Axes that carry the same name in several arguments are shortened together, so that the shapes go on fitting; then
    numbers become plain ones. Every step is kept only if ``shows`` says that the same fault is still to be seen.

    Args:
        case: a case that shows it; only one that names its ``axes`` is changed.
        shows: says whether a case shows the same fault.
        limit: seconds after which the best so far is returned.
    """
    end = time.monotonic() + limit
    better = True
    while better and case.axes:
        better = False
        for smaller in _smaller(case):
            if time.monotonic() > end:
                return case
            if shows(smaller):
                case, better = smaller, True
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    """Yield cases that are a step smaller or plainer, boldest first."""
    sizes: dict[str, int] = {}
    for name, axes in case.axes.items():
        sizes |= dict(zip(axes, case.args[name].shape))
    for axis, size in sizes.items():
        for length in sorted({1, 2, size // 2, size - 1}):
            if 0 < length < size:
                yield _with(case, {n: _shorten(case, n, axis, length) for n in case.axes})
    for name in case.axes:
        tensor = case.args[name]
        if isinstance(tensor, Tensor) and tensor.is_floating_point():
            for plain in (
                tensor.round() + 0,
                tensor.clamp(-9, 9).round() + 0,
                (tensor * 2).round() / 2 + 0,
            ):  # -0 + 0 is 0
                if not torch.equal(plain, tensor) and _is_telling(plain):
                    yield _with(case, {name: plain})


def _is_telling(plain: Tensor) -> bool:
    """Return whether numbers are not all the same; of a single one, whether it is not 0."""
    if plain.numel() == 1:
        return bool(plain != 0)
    return plain.numel() > 0 and bool((plain != plain.flatten()[0]).any())


def _shorten(case: Case, name: str, axis: str, length: int) -> Tensor:
    tensor: Tensor = case.args[name]
    for place, its in enumerate(case.axes[name]):
        if its == axis:
            tensor = tensor.narrow(place, 0, length)
    return tensor.clone()


def _with(case: Case, args: dict[str, Tensor]) -> Case:
    return dataclasses.replace(case, args={**case.args, **args})
