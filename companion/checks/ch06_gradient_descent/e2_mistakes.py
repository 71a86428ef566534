"""What goes wrong with the rates that a bowl allows (exercise 06.2), and what to say about it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.levels import all_close
from companion.checks.trace import Case

Rates = tuple[Tensor, Tensor, Tensor]
Rule = Callable[[Tensor, Tensor], Tensor]


def _from(
    curvatures: Callable[[Tensor], tuple[Tensor, Tensor]] = lambda h: _ends(torch.linalg.eigvalsh(h)),
    limit: Rule = lambda flat, steep: 2 / steep,
    best: Rule = lambda flat, steep: 2 / (flat + steep),
    factor: Rule = lambda flat, steep: (steep - flat) / (steep + flat),
) -> Callable[[Tensor], Rates]:
    """Return the three numbers from other curvatures, the flattest and the steepest, or by other rules."""

    def rates(hessian: Tensor) -> Rates:
        flat, steep = curvatures(hessian)
        return limit(flat, steep), best(flat, steep), factor(flat, steep)

    return rates


def _ends(numbers: Tensor) -> tuple[Tensor, Tensor]:
    return numbers.min(), numbers.max()


def _mean_curvature(hessian: Tensor) -> Rates:
    found = torch.linalg.eigvalsh(hessian)
    return 2 / found[-1], 1 / found.mean(), (found[-1] - found[0]) / (found[-1] + found[0])


def _exchanged(hessian: Tensor) -> Rates:
    limit, best, factor = _from()(hessian)
    return best, limit, factor


def _unsorted(hessian: Tensor) -> Tensor:
    return torch.linalg.eigvals(hessian).real


def _as_they_come(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise the first and the last of unsorted eigenvalues, one as the flattest and the other as the steepest."""

    def made(curvatures: Callable[[Tensor], tuple[Tensor, Tensor]]) -> list[bool]:
        found = [dict(zip(("limit", "best", "factor"), _from(curvatures)(c.args["hessian"]))) for c in cases]
        return [all_close({n: t.real for n, t in o.items()}, f, 1e-4) for o, f in zip(observed, found)]

    ways = (lambda h: (_unsorted(h)[0], _unsorted(h)[-1]), lambda h: (_unsorted(h)[-1], _unsorted(h)[0]))
    right = made(lambda h: _ends(torch.linalg.eigvalsh(h)))
    return not all(right) and any(all(made(way)) for way in ways)


def _numbers(rates: Rates) -> Observed:
    return {name: t.double() for name, t in zip(("limit", "best", "factor"), rates)}


def _best_is(rule: Callable[[Tensor], Tensor]) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    """Recognise a best rate by a wrong rule, where the factor is right or made from that rate in one of its directions."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        wrong = False
        for case, o in zip(cases, observed):
            hessian = case.args["hessian"].double()
            limit, right, factor = _from()(hessian)
            best = rule(hessian)
            left = 1 - best * torch.stack(_ends(torch.linalg.eigvalsh(hessian)))
            mine = {name: t.real.double() for name, t in o.items()}
            ways = [_numbers((limit, best, f)) for f in (factor, *left, *-left)]
            if not any(all_close(mine, way, 1e-4) for way in ways):
                return False
            wrong = wrong or not all_close({"best": best}, {"best": right}, 1e-4)
        return wrong

    return matches


def _of_ends(rule: Rule) -> Callable[[Tensor], Tensor]:
    return lambda hessian: rule(*_ends(torch.linalg.eigvalsh(hessian)))


def _in_another_order(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    """Recognise the three numbers in one other order, the same for all tables."""

    def all_as(order: tuple[int, ...]) -> bool:
        due = [_from()(c.args["hessian"].double()) for c in cases]
        mine = ({name: t.real.double() for name, t in o.items()} for o in observed)
        return all(all_close(o, _numbers((d[order[0]], d[order[1]], d[order[2]])), 1e-4) for o, d in zip(mine, due))

    return any(all_as(order) for order in itertools.permutations(range(3)) if order not in ((0, 1, 2), (1, 0, 2)))


_CURVATURES = (
    Mistake(
        "takes the diagonal for the eigenvalues",
        _from(lambda h: _ends(h.diagonal())),
        "For diagonal tables you are right. For others your numbers are made from the entries of the diagonal.",
        "An entry of the diagonal is the curvature along one weight alone. The steepest direction of a turned bowl changes several "
        "weights at once.",
        "In the example the diagonal holds 5 and 2, and the eigenvalues are 6 and 1. Which function finds those?",
    ),
    Mistake(
        "takes the largest and the smallest entry",
        _from(_ends),
        "Your numbers are made from the largest and the smallest entry of the table.",
        "An entry tells how the slope of one weight changes with one weight. How a bowl curves along a direction takes them all.",
        "What does your code see in a diagonal table, where most entries are 0?",
    ),
    Mistake(
        "takes the sum of the curvatures for the largest",
        _from(lambda h: (torch.linalg.eigvalsh(h)[0], h.trace())),
        "With a single weight you are right. With more of them your rates are too small.",
        "The trace is the sum of all eigenvalues. The limit asks about the steepest direction alone, however many others there are.",
        "The table of a round bowl has equal eigenvalues. Should its limit become smaller when it gets more of them?",
    ),
    Mistake(
        "takes the length of the whole table for the largest",
        _from(lambda h: (torch.linalg.eigvalsh(h)[0], h.norm())),
        "Your rates are somewhat too small: the largest curvature comes out too large.",
        "`norm` without a further word squares all entries and adds them up. Every direction goes into that, and not the steepest "
        "alone.",
        "Print `hessian.norm()` and the eigenvalues for the round bowl with 0.5 three times. Which of them is 0.5?",
    ),
    Mistake(
        "exchanges the flattest and the steepest direction",
        _from(lambda h: (torch.linalg.eigvalsh(h)[-1], torch.linalg.eigvalsh(h)[0])),
        "Your `limit` is far too large, and your `factor` is negative. Only `best`, which does not ask which is which, is right.",
        "The eigenvalues were taken in the wrong order. `eigvalsh` begins with the smallest, `svdvals` with the largest, and "
        "`eigvals` has no order.",
        "Print what your function of `torch.linalg` returns for the valley of the chapter. Which one stands first?",
    ),
)

_ORDER = (
    Mistake(
        "takes the eigenvalues as they come",
        _from(lambda h: (_unsorted(h)[0], _unsorted(h)[-1])),
        "For some tables you are right. For others an eigenvalue from the middle or from the wrong end was taken.",
        "`eigvals` works for any table and has no order, and its numbers are complex. So the first and the last of them mean "
        "nothing.",
        "Print what your function of `torch.linalg` returns for the case with the steep direction first. Which one sorts them?",
        matches=_as_they_come,
        best="the steep direction first",
    ),
)

_LIMIT = (
    Mistake(
        "takes half the limit",
        _from(limit=lambda flat, steep: 1 / steep),
        "Your `limit` is half of what it should be. Twice as long a step still comes nearer in the end.",
        "At 1/λmax the steepest direction arrives in one step. Beyond that it changes sides, and it runs away only from twice that "
        "rate on.",
        "Take L = ½ λ w² with λ = 6. By what is w multiplied at a rate of 0.2? Is that nearer to 0 or farther away?",
    ),
    Mistake(
        "sets the limit by the flattest direction",
        _from(limit=lambda flat, steep: 2 / flat),
        "Your `limit` is far too large: at that rate the steepest direction runs away at once.",
        "Each direction has a limit of its own, and the flattest has the largest. A single rate must be good for all of them.",
        "Take the valley of the chapter at your limit. By what does each step multiply the weight whose curvature is 10?",
    ),
)

_BEST = (
    Mistake(
        "forgets the 2 of the best rate",
        _from(best=lambda flat, steep: 1 / (flat + steep)),
        "Your `best` is half of what it should be.",
        "The best rate lies between 1/λmax and 2/λmax. Below 1/λmax every direction would gain by a longer step.",
        "Compare your `best` with 1/λmax for the example. At your rate, which directions change sides?",
        matches=_best_is(_of_ends(lambda flat, steep: 1 / (flat + steep))),
    ),
    Mistake(
        "takes half the limit for the best rate",
        _from(best=lambda flat, steep: 1 / steep),
        "Your `best` is right for round bowls alone. Elsewhere it is too small.",
        "At 1/λmax the steepest direction arrives in one step, and the flattest one creeps. A longer step makes the slowest "
        "faster.",
        "In the example take the rates 1/6 and 2/7. By what does each of them multiply the distance in the flattest direction?",
        matches=_best_is(_of_ends(lambda flat, steep: 1 / steep)),
    ),
    Mistake(
        "takes the difference of the curvatures",
        _from(best=lambda flat, steep: 2 / (steep - flat)),
        "Your `best` lies above the limit, and for a round bowl it is infinite.",
        "Below the line of the best rate stands a sum. A difference becomes smaller the rounder the bowl is, and the rate larger.",
        "What does your `best` become for a single weight, where both curvatures are the same number?",
        matches=_best_is(_of_ends(lambda flat, steep: 2 / (steep - flat))),
    ),
    Mistake(
        "averages all curvatures",
        _mean_curvature,
        "With one or two weights your `best` is right. With more it depends on the curvatures between, and should not.",
        "You take 1 by the mean of all eigenvalues. The slowest direction is always one of the two ends, so only these decide.",
        "Change the middle eigenvalue of a diagonal table of three. Should the best rate change?",
        matches=_best_is(lambda hessian: 1 / torch.linalg.eigvalsh(hessian).mean()),
    ),
    Mistake(
        "takes the trace for the sum of the two ends",
        lambda hessian: (_from()(hessian)[0], 2 / hessian.trace(), _from()(hessian)[2]),
        "With two weights your `best` is right. With more of them it is too small, and with one it is too large.",
        "The trace adds up all eigenvalues. Only with two of them are these the flattest and the steepest, and nothing else.",
        "How many curvatures are in the trace of a table with three rows, and how many stand below the line of `best`?",
        matches=_best_is(lambda hessian: 2 / hessian.trace()),
        best="the steep direction first",
    ),
    Mistake(
        "averages the curvatures as a product",
        _from(best=lambda flat, steep: 1 / (flat * steep).sqrt()),
        "Your `best` is too large, and in a narrow valley it lies above the limit.",
        "The root of a product was taken in place of half the sum. It lies far nearer to the small curvature.",
        "At the best rate both ends shrink by the same factor. Write 1 - ηλmin = ηλmax - 1 and solve it for η.",
        matches=_best_is(_of_ends(lambda flat, steep: 1 / (flat * steep).sqrt())),
    ),
)

_FACTOR = (
    Mistake(
        "returns the condition number",
        _from(factor=lambda flat, steep: steep / flat),
        "Your `factor` is 1 or larger: with it the distance would never shrink.",
        "It is κ itself, which says how narrow the valley is. The factor is made from it and lies between 0 and 1.",
        "Which factor should a round bowl have, where the best rate arrives in one step? What does your code give there?",
    ),
    Mistake(
        "has the condition number upside down",
        _from(factor=lambda flat, steep: (flat - steep) / (flat + steep)),
        "Your `factor` has the right size and lies below 0.",
        "Your κ is the flattest by the steepest, so it is 1 or smaller, and κ - 1 is negative. The steepest stands above the line.",
        "Print your κ for the example. Is it 6, or a sixth?",
    ),
    Mistake(
        "gives the factor of another rate",
        _from(factor=lambda flat, steep: 1 - flat / steep),
        "Your `factor` belongs to the rate 1/λmax. At the best rate the distance shrinks faster.",
        "`1 - λmin * η` is right, and the rate in it is another one than your `best`.",
        "Put your own `best` into 1 - ηλmin, and then into ηλmax - 1. Do you get the same number twice?",
    ),
    Mistake(
        "gives the factor of the loss",
        _from(factor=lambda flat, steep: ((steep - flat) / (steep + flat)) ** 2),
        "Your `factor` is the square of what is asked for.",
        "The loss of a bowl grows with the square of the distance, so it shrinks by the square. The task asks about the distance.",
        "A weight goes from 4 to 2. By what was the distance multiplied, and by what the loss ½ w²?",
    ),
    Mistake(
        "takes the root of the condition number",
        _from(factor=lambda flat, steep: (steep.sqrt() - flat.sqrt()) / (steep.sqrt() + flat.sqrt())),
        "Your `factor` is too small: plain steps are not that fast.",
        "You put the root of κ into the formula. That factor belongs to momentum at its best, which chapter 7 has.",
        "Check with the example: at the rate 2/7, what is 1 - 2/7 · 1, and what is 2/7 · 6 - 1?",
    ),
)

_SEVERAL = (
    Mistake(
        "returns the numbers in another order",
        lambda hessian: tuple(_from()(hessian)[n] for n in (1, 2, 0)),
        "All three numbers are there, and not in the order that is asked for.",
        "What is returned together is told apart by its place alone. A name inside your function does not come with it.",
        "Read what stands behind your `return` from left to right, and compare it with the last line of the task.",
        matches=_in_another_order,
    ),
    Mistake(
        "exchanges the limit and the best rate, and gives the factor of the loss",
        lambda hessian: (*_exchanged(hessian)[:2], _exchanged(hessian)[2].square()),
        "Your first two numbers stand in each other's place, and your `factor` is the square of what is asked for.",
        "Two things at once: the check takes the numbers by their place, the limit first. And the loss shrinks by the square, where "
        "the task asks about the distance.",
        "Set the order right first: the best rate cannot lie above the limit. Then: a weight goes from 4 to 2, by what is it multiplied?",
    ),
    Mistake(
        "exchanges the limit and the best rate",
        _exchanged,
        "All three numbers are there, and the first two stand in each other's place.",
        "The check takes them by their place behind `return`: the limit, then the best rate, then the factor.",
        "Which of your first two numbers is larger? The best rate cannot lie above the limit.",
    ),
    Mistake(
        "takes half the limit, and returns the condition number",
        _from(limit=lambda flat, steep: 1 / steep, factor=lambda flat, steep: steep / flat),
        "Your `limit` is half of what it should be, and your `factor` is κ itself.",
        "Two things at once: 1/λmax is where the steepest direction arrives in one step, and κ says how narrow the valley is.",
        "Begin with the limit: when is 1 - ηλ exactly -1? Then ask which factor a round bowl must have.",
    ),
    Mistake(
        "takes the diagonal for the eigenvalues, and takes half the limit",
        _from(lambda h: _ends(h.diagonal()), limit=lambda flat, steep: 1 / steep),
        "Your numbers are made from the diagonal alone, and for diagonal tables your `limit` is half of what it should be.",
        "Two things at once: the diagonal holds the curvatures along single weights, and 1/λmax is not where steps run away.",
        "Find the eigenvalues first and print them for the example: 1 and 6. Then ask when 1 - ηλ is exactly -1.",
    ),
)

MISTAKES = (*_CURVATURES, *_ORDER, *_LIMIT, *_BEST, *_FACTOR, *_SEVERAL)
