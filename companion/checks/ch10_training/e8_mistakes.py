"""Ways to search on a budget (exercise 10.8), known mistakes, how they are recognised, and what to say about each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from companion.checks.bank import Mistake, Observed
from companion.checks.trace import Case
from companion.search import GaussianProcess, expected_improvement, matern52

TARGET, BUDGET = 0.101, 24
Ask = Callable[[int], float]
Search = Callable[[Tensor, Ask, int], Any]
Choose = Callable[[list[int], list[float]], Any]
"""From the candidates tried and what they got wrong, to what is returned."""


def luckiest(tried: list[int], wrong: list[float]) -> int:
    """Return the candidate whose training came out best."""
    return tried[wrong.index(min(wrong))]


def by_chance(choose: Choose = luckiest, *, part: float = 1.0, trials: int = 0) -> Search:
    """Return a search by chance.

    Args:
        choose: what is returned in the end.
        part: of the budget that is used.
        trials: how many are made, whatever the budget is; 0: as many as it allows.
    """

    def search(candidates: Tensor, ask: Ask, budget: int) -> Any:
        tried = torch.randperm(len(candidates))[: trials or round(part * budget)].tolist()
        return choose(tried, [ask(k) for k in tried])

    return search


def by_process(
    worth: Callable[[Tensor, Tensor, float], Tensor] = expected_improvement,
    choose: Choose = luckiest,
    *,
    first: int = 5,
    sign: float = 1.0,
    more: int = 0,
    again: bool = False,
) -> Search:
    """Return a search by a Gaussian process.

    Args:
        worth: of the candidates, from means, standard deviations and the lowest mean at a trial.
        choose: what is returned in the end.
        first: how many are tried by chance to begin with.
        sign: of the errors; -1 looks for the highest.
        more: how many trials are made beyond the budget.
        again: whether candidates may be tried again.
    """

    def search(candidates: Tensor, ask: Ask, budget: int) -> Any:
        tried = torch.randperm(len(candidates))[:first].tolist()
        wrong = [ask(k) for k in tried]
        while len(tried) < budget + more:
            y = sign * torch.tensor(wrong, dtype=candidates.dtype).log()
            process = GaussianProcess(0.5, noise=0.05, kernel=matern52).fit(candidates[tried], (y - y.mean()) / y.std())
            mean, std = process.predict(candidates)
            value = worth(mean, std, float(mean[tried].min()))
            if not again:
                value = value.index_fill(0, torch.tensor(tried), -torch.inf)
            tried.append(int(value.argmax()))
            wrong.append(ask(tried[-1]))
        return choose(tried, wrong)

    return search


def near_the_best(first: int, closest: int) -> Search:
    """Return a search that begins by chance and then tries candidates close to the best so far."""

    def search(candidates: Tensor, ask: Ask, budget: int) -> int:
        tried = torch.randperm(len(candidates))[:first].tolist()
        wrong = [ask(k) for k in tried]
        while len(tried) < budget:
            apart = (candidates - candidates[luckiest(tried, wrong)]).norm(dim=1)
            apart[tried] = torch.inf
            tried.append(int(apart.argsort()[torch.randint(closest, ())]))
            wrong.append(ask(tried[-1]))
        return luckiest(tried, wrong)

    return search


def axis_by_axis(candidates: Tensor, ask: Ask, budget: int) -> int:
    """Try other places along one axis, go on from the best along the next, and around again."""
    tried = [int(torch.randint(len(candidates), ()))]
    wrong = [ask(tried[0])]
    turn = 0
    while len(tried) < budget:
        apart = (candidates - candidates[luckiest(tried, wrong)]).abs()
        apart[:, turn % candidates.shape[1]] = 0
        line = [k for k in (apart.sum(dim=1) < 1e-9).nonzero().flatten().tolist() if k not in tried]
        for place in torch.randperm(len(line))[: min(6, budget - len(tried))].tolist():
            tried.append(line[place])
            wrong.append(ask(line[place]))
        turn += 1
    return luckiest(tried, wrong)


def trained_again(candidates: Tensor, ask: Ask, budget: int) -> int:
    """Try candidates by chance with three quarters of the budget, and train the best of them again with the rest."""
    tried = torch.randperm(len(candidates))[: budget - budget // 4].tolist()
    wrong = [[ask(k)] for k in tried]

    def best() -> int:
        return min(range(len(tried)), key=lambda n: sum(wrong[n]) / len(wrong[n]))

    for _ in range(budget // 4):
        wrong[best()].append(ask(tried[best()]))
    return tried[best()]


def _the_first(candidates: Tensor, ask: Ask, budget: int) -> int:
    return 0


def _by_heart(candidates: Tensor, ask: Ask, budget: int) -> int:
    ask(700)
    return 700


def _one_setting(candidates: Tensor, ask: Ask, budget: int) -> int:
    k = int(torch.randint(len(candidates), ()))
    for _ in range(budget):
        ask(k)
    return k


# -- how mistakes are recognised ------------------------------------------------------------------------


def _every(test: Callable[[Observed], bool]) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    """Return what recognises something that is to be seen in all groups."""
    return lambda cases, observed: all("error" in o and test(o) for o in observed)


def _misses(test: Callable[[Observed], bool]) -> Callable[[Sequence[Case], Sequence[Observed]], bool]:
    """Return the same, where the target is missed in some group."""

    def matches(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
        return _every(test)(cases, observed) and any(o["error"].item() > TARGET for o in observed)

    return matches


def _share(o: Observed, name: str) -> float:
    """Return in which share of the searches the choice is that trial."""
    return float((o["number"] == o[name]).double().mean())


def _overspends(cases: Sequence[Case], observed: Sequence[Observed]) -> bool:
    return any("calls" in o and int(o["calls"].max()) > BUDGET for o in observed)


def _by_places(o: Observed) -> bool:
    """Return whether all choices are small numbers, as places in a list of trials are."""
    return int(o["number"].max()) < BUDGET and int(o["calls"].min()) > 0 and _share(o, "best") < 0.5


def _mean(o: Observed, name: str) -> float:
    return float(o[name].double().mean())


_SPENT = (
    Mistake(
        "trains more often than it may",
        by_process(more=3),
        "You ask for more trainings than the budget allows, in some search at least.",
        "Each call of `ask` is a training. Who may train longer finds better settings with almost any method, so that all have to have the same budget.",
        "Count your calls: those to begin with, those of the loop, and those that ask about a candidate again. Is the comparison `<` or `<=`?",
        matches=_overspends,
    ),
    Mistake(
        "never asks",
        _the_first,
        "Your search chooses a candidate and never trains one.",
        "The points say nothing about errors by themselves: rows, axes and directions are other ones in each search.",
        "Which line calls `ask`? Begin with a few candidates by chance.",
        matches=_misses(lambda o: int(o["calls"].max()) == 0),
    ),
    Mistake(
        "returns the same number in every search",
        _by_heart,
        "Your search chooses the same number in every search, whatever it was told.",
        "A number that was found once names another setting in the next search: the rows stand in another order there. What is learned has to be learned anew each time.",
        "Where does the number come from that you return? It should come from the answers of this search.",
        matches=_misses(lambda o: len(o["number"].unique()) == 1),
    ),
    Mistake(
        "leaves much of its budget",
        by_chance(part=0.4),
        "Your search stops early: a good part of the trainings that it may make is left.",
        "Nobody gives back a training that was not made. What is known at the end decides about the choice.",
        "How often does your loop run, and how large is `budget`?",
        matches=_misses(lambda o: _mean(o, "calls") < 0.8 * BUDGET),
    ),
    Mistake(
        "trains the same candidates again and again",
        by_process(lambda mean, std, best: -mean, again=True),
        "Most of your trials go to a few candidates that were trained before.",
        "What came out best is the most promising again, where nobody notes what was tried, or where the mean of a model decides alone. "
        "A repetition tells about noise, and nothing about the others.",
        "Set the worth of everything that was tried to minus infinity before you take the highest. If the mean of a model decides, let its standard deviation take part.",
        matches=_misses(lambda o: _mean(o, "different") < 0.7 * _mean(o, "calls")),
    ),
)

_CHOICE = (
    Mistake(
        "looks for the highest, and chooses the last one",
        by_process(choose=lambda tried, wrong: tried[-1], sign=-1.0),
        "Your trials get more and more wrong towards the end, and the last of them is what you choose.",
        "Two things at once: `ask` tells the share that is wrong, which should be low, and what was tried last need not be what came out best.",
        "Begin with the direction: is a 0.1 better or worse than a 0.8 here? Then ask where you keep the best of your trials.",
        matches=_misses(lambda o: _share(o, "last") > 0.9 and _share(o, "best") < 0.5 and _mean(o, "rises") > 0.1),
    ),
    Mistake(
        "returns the place in its list",
        by_chance(lambda tried, wrong: wrong.index(min(wrong))),
        "What you return is always a small number: the place of the best trial in your list, and not the candidate's number.",
        "`argmin` over the trials counts trials. Which candidate that was stands in the other list, at the same place.",
        "Print what you return beside the list of numbers that you asked about.",
        matches=_misses(_by_places),
    ),
    Mistake(
        "chooses the worst",
        by_process(choose=lambda tried, wrong: tried[wrong.index(max(wrong))], sign=-1.0),
        "You choose the candidate that came out worst of all that were tried.",
        "`ask` tells the share that is wrong, which should be low. `argmax` and `max` look for a score.",
        "Is a 0.1 better or worse than a 0.8 here?",
        matches=_misses(lambda o: _share(o, "worst") > 0.8),
    ),
    Mistake(
        "looks for the highest",
        by_process(sign=-1.0),
        "Your later trials lie far from the best one so far, in places where much is wrong.",
        "The model, or the rule by which the next candidate is chosen, prefers high values. Or the errors went in with their sign turned.",
        "Print the errors of your trials in their order. Do they get lower towards the end?",
        matches=_misses(lambda o: _mean(o, "near") > 1.1 and _mean(o, "rises") > 0.1),
    ),
    Mistake(
        "chooses the last one",
        by_chance(lambda tried, wrong: tried[-1]),
        "You choose what was tried last, whatever came out.",
        "The last trial is one of many, and often a curious one. The choice is made among all that were tried.",
        "Which of your trials came out best, and where do you keep that?",
        matches=_misses(lambda o: _share(o, "last") > 0.9 and _share(o, "best") < 0.5),
    ),
)

_PLACES = (
    Mistake(
        "only looks where nothing is known",
        by_process(lambda mean, std, best: std),
        "Your later trials lie farther from the best so far than candidates drawn by chance would.",
        "You go where the model is least sure, which is in the corners. That maps the whole space, and most of it is bad.",
        "What does your rule say of a candidate beside the best one? Let the mean take part.",
        matches=_misses(lambda o: _mean(o, "near") > 1.1),
    ),
    Mistake(
        "goes along one axis at a time",
        axis_by_axis,
        "Nearly all of your trials differ from an earlier one along a single axis.",
        "So one does it by hand. Where axes act together, as rate and decay do, and with a start by chance, it often ends beside the valley.",
        "How many different values of the most important axis have you seen in the end?",
        matches=_misses(lambda o: _mean(o, "in lines") > 0.8),
    ),
    Mistake(
        "stays where it began",
        near_the_best(5, 10),
        "Your later trials lie close to the best so far, and in many searches that is not where the good settings are.",
        "After a few trials by chance the best of them is rarely good. Who only improves on it never sees the other end of the space.",
        "In how many of your searches is the choice above 0.12? Begin with more by chance, or ask a model that knows how sure it is.",
        matches=_misses(lambda o: _mean(o, "near") < 0.4),
    ),
    Mistake(
        "searches by chance",
        by_chance(),
        "Your trials take no notice of what the trials before have told: that is the baseline.",
        "Chance, or a fixed plan, looks everywhere alike. After ten trials it is known where nothing is to be found, and that knowledge is not used.",
        "Take a third of the budget by chance, and let the other trials depend on what came out.",
        matches=_misses(lambda o: 0.9 < _mean(o, "near") < 1.1),
    ),
)

MISTAKES = (*_SPENT, *_CHOICE, *_PLACES)
