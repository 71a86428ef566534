"""Exercise 06.6: sharpness."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Observed, Out, Property, exercise, rng
from companion.checks.ch06_gradient_descent.e6_mistakes import ALLOWED, MISTAKES, Times, iterated
from companion.checks.levels import close
from companion.checks.numbers import F64, rows
from companion.checks.trace import Call, Case, Trace


def sharpness(times: object, n: int, steps: int, generator: torch.Generator) -> torch.Tensor:
    """Return the largest eigenvalue of the symmetric table behind ``times``, with its sign, by power iteration."""
    assert callable(times)

    def iterate(shift: torch.Tensor | float) -> tuple[torch.Tensor, torch.Tensor]:
        v = torch.randn(n, generator=generator)
        size = v.norm()
        for _ in range(steps):
            v = v / size
            v = times(v) + shift * v
            size = v.norm()
        return v / size, size

    _, size = iterate(0.0)  # how large the largest eigenvalue is, whatever its sign
    v, _ = iterate(size)  # moved up by it, no eigenvalue is negative any more
    return v @ times(v)


def _only_if_negative(times: Times, n: int, steps: int, generator: torch.Generator) -> float:
    v = iterated(times, n, steps, generator)
    found = (v @ times(v)).item()
    if found < 0:
        v = iterated(lambda u: times(u) - found * u, n, steps, generator)
        found = (v @ times(v)).item()
    return found


def _by_quotients(times: Times, n: int, steps: int, generator: torch.Generator) -> Tensor:
    """Divide by the largest entry on the way, and by the squares at the end.

    The first round has all but lost the direction that the second one looks for: a little chance brings it back.
    """
    v = 2 * torch.rand(n, generator=generator, dtype=F64) - 1
    for _ in range(steps):
        v = times(v)
        v = v / v.abs().max()
    up = times(v).norm() / v.norm()
    for _ in range(steps - 1):
        v = times(v) / up + v + 1e-6 * torch.randn(n, generator=generator, dtype=F64)
        v = v / v.abs().max()
    return torch.dot(v, times(v)) / torch.dot(v, v)


def _by_lanczos(times: Times, n: int, steps: int, generator: torch.Generator) -> Tensor:
    """Gather directions and look at the small table that they span."""
    basis: list[Tensor] = []
    v = torch.randn(n, generator=generator, dtype=F64)
    for _ in range(min(n, steps)):
        for b in basis * 2:
            v = v - (b @ v) * b
        if v.norm() < 1e-9:
            v = torch.randn(n, generator=generator, dtype=F64)
            for b in basis * 2:
                v = v - (b @ v) * b
        basis.append(v / v.norm())
        v = times(basis[-1])
    Q = torch.stack(basis)  # (k, n)
    return torch.linalg.eigvalsh(Q @ torch.stack([times(q) for q in Q]).T)[-1]


def _table(eigenvalues: list[float], seed: int) -> Tensor:
    """Return a symmetric table with these eigenvalues, in directions drawn by chance."""
    n = len(eigenvalues)
    turned, _ = torch.linalg.qr(torch.randn(n, n, generator=rng(seed), dtype=F64))
    table = turned @ torch.diag(torch.tensor(eigenvalues, dtype=F64)) @ turned.T
    return ((table + table.T) / 2).float()


def _cases(seed: int) -> list[Case]:
    g = rng(seed + 41)
    spread = (6 * torch.rand(198, generator=g, dtype=F64) - 4).tolist()  # from -4 to 2

    def case(name: str, table: Tensor, steps: int, *, example: bool = False, says: str = "", show: bool = True) -> Case:
        given = {"times": table, "n": len(table), "steps": steps, "generator": 30 * seed + steps}
        return Case(name, given, example=example, says=says, show=show)

    one, across = torch.ones(4, 4) / 2, torch.tensor([[2.0], [-1.0], [1.0], [-2.0]])
    return [
        case("the table worked out", rows([1, 0], [0, -3]), 40, example=True),
        case("a largest eigenvalue that is positive", rows([2, 1, 0], [1, 3, 1], [0, 1, -1]), 100),
        case("an eigenvalue below 0 that is larger in size", rows([-4, 2, 1], [2, -3, 0], [1, 0, 1.5]), 150),
        case("a first weight that has nothing to do with the others", rows([0.5, 0, 0], [0, 3, 1], [0, 1, -4]), 100),
        case("a bowl", _table([0.5, 1.0, 2.0, 5.0], 9 * seed + 1), 60),
        case("a hilltop, where all eigenvalues are below 0", rows([-2, 1, 0], [1, -3, 0.5], [0, 0.5, -5]), 150),
        case("a steep direction in which the entries add up to 0", across @ across.T - one, 60),
        case("large curvatures", _table([60.0, -35.0, 20.0, 3.0, 0.1], 9 * seed + 2), 80),
        case("small curvatures", _table([0.004, -0.006, 0.001, 0.0005], 9 * seed + 3), 100),
        case("eight weights, with a steep way up and a steep way down", _table([-9, -3, -1, 0, 1, 2, 3, 6], 9 * seed + 4), 150),
        case("200 weights", _table([9.0, -12.0, *spread], 9 * seed + 5), 60, show=False),
    ]  # fmt: skip


def _script(case: Case) -> list[Call]:
    table, n, steps, seed = case.args.values()
    return [
        Call("@product", (table,), keep="times"),
        Call("@generator", (seed,), keep="generator"),
        Call("sharpness", ("$times", n, steps, "$generator"), tuple(case.args), ("sharpness",), repeat=False),
        Call("@asked", ("$times",), returns=("asked",)),
    ]


def _observe(case: Case, trace: Trace) -> Observed:
    """Return the number in units of the steepest curvature, and whether the products were few."""
    found = trace.tensors.get("sharpness")
    if found is None or found.numel() != 1 or "asked.calls" not in trace.tensors:
        return {}
    unit = torch.linalg.eigvalsh(case.args["times"].to(F64)).abs().max()
    few = int(trace.tensors["asked.calls"]) <= 2 * case.args["steps"] + ALLOWED
    return {"sharpness": found.to(F64) / unit, "few": torch.tensor(few), "own": torch.tensor("drew" in trace.facts)}


def _largest(case: Case) -> float:
    found = torch.linalg.eigvalsh(case.args["times"].to(F64))
    return (found[-1] / found.abs().max()).item()


_PROPERTIES = (
    Property(
        "the largest eigenvalue",
        lambda case, o: "sharpness" in o and close(o["sharpness"], torch.tensor(_largest(case), dtype=F64), 1e-3),
        "Your number is not the largest eigenvalue of the table behind `times`.",
        "Power iteration turns any start towards the eigenvalue that is largest in size. The quotient of its direction says which.",
        "Print the quotient v·Hv after each step, for the case shown. Does it come to rest, and on what?",
    ),
    Property(
        "few products",
        lambda case, o: bool(o.get("few", True)),
        f"Your number is right, and `times` was called too often: 2 * steps + {ALLOWED} calls are allowed.",
        "Each call costs as much as a sweep forwards and back through the network.",
        "In which loops of yours does `times` stand, and how often does each of them run?",
    ),
)


@exercise("06.6", title="Sharpness", points=3)
class Sharpness:
    """The steepest curvature of a loss whose Hessian nobody can write down."""

    reference = sharpness
    read = "On the edge"
    returns = (Out("sharpness", "number"),)
    script = _script
    observe = _observe
    properties = _PROPERTIES
    tolerance = 1e-3  # of the steepest curvature: power iteration comes near, and float32 has few digits
    random = True  # told as a mistake of its own, because chance is part of this task
    statement = r"""
        The Hessian of a network has a row for each weight, and is too large to be written down. What can be had is its product
        with a vector. You are handed a function `times`: `times(v)` returns $H v$ for a symmetric table $H$ of size n by n, and
        `v` is a vector of shape (n,). Find the **largest eigenvalue** of $H$ with its sign. It is the sharpness, and it sets the
        limit 2/λmax.

        Power iteration begins with a vector drawn by chance. Each step takes the product, $v \leftarrow H v$, and makes it as
        long as 1 again. The vector turns towards the eigenvalue that is largest **in size**, and $v \cdot H v$ says which one
        that is. It may be negative. A second round helps then: the table $H + s I$ has the same directions, and every eigenvalue is
        larger by $s$. Choose $s$ so that none of them is negative any more. (No two eigenvalues have the same size and opposite
        signs: then the first round would not come to rest.)

        Write `sharpness(times, n, steps, generator)`. Return one number. `steps` is how many steps each of two rounds
        may take. It is enough to come within a thousandth of the largest size. In all you may call `times` at most
        `2 * steps + 5` times. Draw what you need from `generator`, a `torch.Generator`.

        Example: behind `times` stands the table `[[1, 0], [0, -3]]`. Its eigenvalues are 1 and -3. The first round comes to rest
        on -3, whose size is 3. Moved up by 3 the eigenvalues are 4 and 0. So the second round turns towards (1, 0), or (-1, 0),
        and there $v \cdot H v$ is 1. The result is 1, and neither 3 nor -3 nor 4.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "a second round only if it is needed": _only_if_negative,
        "one vector for both rounds": _by_quotients,
        "the table of all directions so far": _by_lanczos,
    }
    hints = (
        "Write one round first, for a table that you know, such as the one of the example. Print v and v·Hv in each step.",
        "A round is `v = times(v)`, then `v = v / v.norm()`, `steps` times. Behind it the length of `times(v)` is the size of the "
        "eigenvalue that is largest in size. Call it s.",
        "The second round begins with a new vector and takes `times(v) + s * v` for the product. Its direction is the one that is "
        "wanted. At the end ask the old table about it: `v @ times(v)`.",
    )
