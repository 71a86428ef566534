"""What goes wrong with the sharpness by power iteration (exercise 06.6), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case

Times = Callable[[Tensor], Tensor]
Sharpness = Callable[[Times, int, int, Generator], Tensor]
ALLOWED = 5
"""How many products are allowed beside those of two rounds."""


def iterated(times: Times, n: int, steps: int, generator: Generator) -> Tensor:
    """Return the direction to which power iteration turns a start drawn by chance."""
    v = torch.randn(n, generator=generator)
    for _ in range(steps):
        v = times(v)
        v = v / v.norm()
    return v


def _in_size(times: Times, n: int, steps: int, generator: Generator) -> Tensor:
    return times(iterated(times, n, steps, generator)).norm()


def _moved(
    shift: Callable[[Tensor], Tensor | float] = lambda size: size,
    result: Callable[[Times, Tensor, Tensor], Tensor] = lambda times, v, size: v @ times(v),
) -> Sharpness:
    """Return two rounds with another shift, made of the size, or with another result at the end."""

    def sharpness(times: Times, n: int, steps: int, generator: Generator) -> Tensor:
        size = _in_size(times, n, steps, generator)
        by = shift(size)
        v = iterated(lambda u: times(u) + by * u, n, steps, generator)
        return result(times, v, size)

    return sharpness


def _largest_in_size(times: Times, n: int, steps: int, generator: Generator) -> Tensor:
    v = iterated(times, n, steps, generator)
    return v @ times(v)


def _off_the_first(times: Times, n: int, steps: int, generator: Generator) -> Tensor:
    first = _largest_in_size(times, n, steps, generator)
    v = iterated(lambda u: times(u) - first * u, n, steps, generator)
    return v @ times(v)


def _overflowing(times: Times, n: int, steps: int, generator: Generator) -> Tensor:
    v = torch.randn(n, generator=generator)
    for _ in range(steps):
        v = times(v)
    size = times(v).norm() / v.norm()
    v = torch.randn(n, generator=generator)
    for _ in range(steps):
        v = times(v) + size * v
    return v @ times(v) / (v @ v)


def _of_a_long_vector(times: Times, n: int, steps: int, generator: Generator) -> Tensor:
    size = _in_size(times, n, steps, generator)
    v = torch.randn(n, generator=generator)
    for _ in range(steps):
        v = v / v.norm()
        v = times(v) + size * v
    return v @ times(v)


def _down_and_long(times: Times, n: int, steps: int, generator: Generator) -> Tensor:
    size = _in_size(times, n, steps, generator)
    v = torch.randn(n, generator=generator)
    for _ in range(steps):
        v = v / v.norm()
        v = times(v) - size * v
    return v @ times(v)


def _from(start: Callable[[int], Tensor]) -> Sharpness:
    """Return two right rounds from a start that is always the same."""

    def sharpness(times: Times, n: int, steps: int, generator: Generator) -> Tensor:
        v = start(n)
        for _ in range(steps):
            v = times(v)
            v = v / v.norm()
        size, v = times(v).norm(), start(n)
        for _ in range(steps):
            v = times(v) + size * v
            v = v / v.norm()
        return v @ times(v)

    return sharpness


def _whole_table(times: Times, n: int, steps: int, generator: Generator) -> Tensor:
    table = torch.stack([times(column) for column in torch.eye(n)])
    return torch.linalg.eigvalsh(table)[-1]


def _three_in_each_step(times: Times, n: int, steps: int, generator: Generator) -> Tensor:
    def round(product: Times) -> Tensor:
        v = torch.randn(n, generator=generator)
        for _ in range(steps):
            v = product(v) / product(v).norm()
        return v

    size = times(round(times)).norm()
    v = round(lambda u: times(u) + size * u)
    return v @ times(v)


def _from_elsewhere(times: Times, n: int, steps: int, generator: Generator) -> Tensor:
    return _moved()(times, n, steps, torch.default_generator)


# -- how some of them are recognised ---------------------------------------------------------------------


def _right(case: Case, o: Observed) -> bool:
    found = torch.linalg.eigvalsh(case.args["times"].double())
    return "sharpness" in o and bool((o["sharpness"] - found[-1] / found.abs().max()).abs() < 1e-3)


def _but(name: str, value: bool) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    """Recognise right numbers where something beside them is not as it should be."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        right = all(_right(c, o) for c, o in zip(cases, observed))
        return right and any(bool(o[name]) is value for o in observed)

    return matches


def _unmoved(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise numbers that are right, or too large by a shift: any share of the largest size, plus any fixed number."""
    if not all("sharpness" in o and bool(o["sharpness"].isfinite()) for o in observed):
        return False
    found = [torch.linalg.eigvalsh(c.args["times"].double()) for c in cases]
    units = torch.stack([f.abs().max() for f in found])
    above = torch.stack([o["sharpness"] * u - f[-1] for o, f, u in zip(observed, found, units)])
    moved = above.abs() > 1e-2 * units
    if int(moved.sum()) < 4:
        return False
    sides = torch.stack([units[moved], torch.ones_like(units[moved])], dim=1)
    share, fixed = torch.linalg.lstsq(sides, above[moved, None]).solution.flatten()
    left = (sides @ torch.stack([share, fixed]) - above[moved]).abs()
    return bool((left < 1e-2 * units[moved]).all()) and share.item() > -1e-3 and bool((above[moved] > 0).all())


def _by_its_largest_entry(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise v·Hv of the right direction, made so long that its largest entry is 1, where it has come to rest."""
    for case, o in zip(cases, observed):
        if case.args["n"] >= 50:
            continue
        found, directions = torch.linalg.eigh(case.args["times"].double())
        due = found[-1] / found.abs().max() / directions[:, -1].abs().max().square()
        if "sharpness" not in o or not bool((o["sharpness"] - due).abs() < 0.02 * due.abs()):
            return False
    return True


def _of_the_largest_entry(times: Times, n: int, steps: int, generator: Generator) -> Tensor:
    size = _in_size(times, n, steps, generator)
    v = torch.randn(n, generator=generator)
    for _ in range(steps):
        v = times(v) + size * v
        v = v / v.abs().max()
    return v @ times(v)


def _few_where_small(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    return all(bool(o["few"]) for c, o in zip(cases, observed) if c.args["n"] < 50)


def _not_finite(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise numbers that are nan or infinite where curvatures are large, and right elsewhere or nan as well."""
    return all("sharpness" in o for o in observed) and any(
        not bool(o["sharpness"].isfinite()) for c, o in zip(cases, observed) if c.args["times"].abs().max() > 10
    )


_SIGN = (
    Mistake(
        "returns the eigenvalue that is largest in size",
        _largest_in_size,
        "Where a negative eigenvalue is larger in size than the positive ones, your sharpness is negative.",
        "Each product stretches a direction by the size of its eigenvalue, whatever its sign. So one round finds the largest "
        "in size, be it a way up or a way down.",
        "What do the eigenvalues -3 and 1 become when the table is moved up by 3? Which of them is the larger in size then?",
        best="the table worked out",
    ),
    Mistake(
        "returns the size",
        _in_size,
        "Your result is never negative: it is how long the product is, and not which eigenvalue.",
        "The length of `times(v)` forgets the sign. It is the size of the eigenvalue that is largest in size.",
        "For the table of the example your result is 3, and no eigenvalue is 3. What does v·Hv say in place of the length?",
        best="the table worked out",
    ),
    Mistake(
        "moves the eigenvalues down",
        _moved(shift=lambda size: -size),
        "You return the smallest eigenvalue, not the largest.",
        "With the size taken off, no eigenvalue is positive any more. The one that is largest in size is then the lowest of all.",
        "Do it for the eigenvalues 1 and -3: take 3 off each of them. Which one is the larger in size now?",
    ),
    Mistake(
        "takes off the eigenvalue that was found first",
        _off_the_first,
        "Where the eigenvalue that is largest in size is positive, you return the smallest eigenvalue, not the largest.",
        "You move the table by the first eigenvalue with its sign. If that is negative, all is well. If it is positive, the others "
        "are pushed below 0, and the lowest of them wins.",
        "Do it for the eigenvalues 3 and -1: take 3 off each of them. What should be added to keep both from being negative?",
    ),
    Mistake(
        "forgets to move back",
        _moved(result=lambda times, v, size: v @ (times(v) + size * v)),
        "Where you move the table your numbers are too large: by the shift.",
        "The quotient at the end was taken with the moved table. Its eigenvalues are all larger by the shift.",
        "For the table of the example you get 4. Which table should be asked about the direction in the end?",
        matches=_unmoved,
        best="the table worked out",
    ),
    Mistake(
        "moves by a fixed number",
        _moved(shift=lambda size: 1.0),
        "For some tables your number is right. Where a negative eigenvalue is more than 2 larger in size than the largest, it is not.",
        "How far the table has to be moved depends on its lowest eigenvalue. A fixed 1 is enough for some of them.",
        "How far below 0 can the lowest eigenvalue lie? Which number of your first round tells it?",
    ),
)

_LENGTHS = (
    Mistake(
        "never makes the vector short again",
        _overflowing,
        "Your result is nan where the curvatures are large.",
        "Each product makes the vector longer, by up to the size of the largest eigenvalue. After many steps it does not fit into "
        "float32.",
        "Print `v.norm()` after each step. By what does it grow, and what is that to the power of your steps?",
        matches=_not_finite,
        best="large curvatures",
    ),
    Mistake(
        "asks about a vector that is not of length 1",
        _of_a_long_vector,
        "Your numbers are wrong by the square of the vector's length.",
        "v·Hv is an eigenvalue only if v has the length 1. Here the last step was a product, and behind it nothing made v short.",
        "Print `v.norm()` in the line before your result. What should stand there?",
    ),
    Mistake(
        "makes the largest entry 1 and not the length",
        _of_the_largest_entry,
        "Where the steep direction changes one weight alone you are right. Elsewhere your numbers are wrong by the square of a length.",
        "Divided by its largest entry a vector stays small enough for float32, and its length is 1 or more. v·Hv is an eigenvalue "
        "only if v has the length 1.",
        "Print `v.norm()` in the line before your result. What should stand there, or by what could you divide?",
        matches=_by_its_largest_entry,
        best="a largest eigenvalue that is positive",
    ),
    Mistake(
        "starts with ones",
        _from(torch.ones),
        "For one of the tables the steep direction is missed: the one in which the entries add up to 0.",
        "A vector of ones has no part in that direction, and a product cannot bring it in. A start drawn by chance has a part in "
        "every direction.",
        "How large is the product of (1, 1, 1, 1) with (2, -1, 1, -2), entry by entry and added up?",
        best="a steep direction in which the entries add up to 0",
    ),
    Mistake(
        "starts along the first weight",
        _from(lambda n: torch.eye(n)[0]),
        "Where the first weight has nothing to do with the others, you never leave it: your number is its own curvature.",
        "A product mixes in only what is connected with the start. A start drawn by chance has a part in every direction.",
        "Take the table of the example and begin at (1, 0). To which eigenvalue does your first round lead, and is it the largest in size?",
        best="a first weight that has nothing to do with the others",
    ),
    Mistake(
        "stops far too early",
        lambda times, n, steps, generator: _moved()(times, n, 3, generator),
        "Your numbers come near the largest eigenvalue, and not near enough.",
        "A few steps are not enough: in each the wrong directions lose a part only. `steps` says how many may be taken.",
        "Print v·Hv after each step. Does it still change when your loop ends?",
    ),
)

_COST = (
    Mistake(
        "builds the whole table",
        _whole_table,
        "Your number is right, and with 200 weights you call `times` more often than is allowed.",
        "To write the table down takes a product for each weight. A network has millions, and each product costs a sweep forwards "
        "and back.",
        "How many calls does your function need for n weights? It should not depend on n at all.",
        matches=lambda cases, observed: _but("few", False)(cases, observed) and _few_where_small(cases, observed),
        best="200 weights",
    ),
    Mistake(
        "asks more often than it needs",
        _three_in_each_step,
        "Your number is right, and with every table you call `times` too often.",
        "In a step the product is computed more than once, or a quotient is taken in each step that nobody reads.",
        "How often does `times` stand in your loop? Give its result a name, and use that.",
        matches=lambda cases, observed: _but("few", False)(cases, observed) and not _few_where_small(cases, observed),
    ),
    Mistake(
        "does not draw from the generator",
        _from_elsewhere,
        "Your number is right, and the start was drawn from the generator that all of the program shares.",
        "Whoever sets the seed of `generator` cannot repeat your result, and others who share the other one draw different numbers.",
        "Which argument of your function has no effect? `torch.randn` takes it by name.",
        matches=_but("own", True),
    ),
    Mistake(
        "moves the eigenvalues down, and asks about a vector that is not of length 1",
        _down_and_long,
        "Your numbers are made from the smallest eigenvalue, multiplied by the square of the vector's length.",
        "Two things at once: the shift has the wrong sign, and behind the last product nothing made v short again.",
        "Set the length right first: print `v.norm()` before your result. Then follow the eigenvalues 1 and -3 through the shift.",
    ),
)


MISTAKES = (*_SIGN, *_LENGTHS, *_COST)
