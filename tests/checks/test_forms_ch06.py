"""Chapter 6: known mistakes that a learner writes in another form than the one that is kept are named all the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from companion.checks import bank, diagnose


def told(id, answer):
    exercise = bank.get(id)
    return diagnose.assess(exercise, exercise.answer(answer))


def scaled_in_place(weights, slopes, lr):
    return [w.sub(g.mul_(lr)) for w, g in zip(weights, slopes)]


def divided(length):
    """Return a step along slopes that are divided by a length of a tensor's slopes, or of all."""
    return lambda weights, slopes, lr: [w - lr * g / length(g, slopes) for w, g in zip(weights, slopes)]


def of_all(g, slopes):
    return torch.cat([s.flatten() for s in slopes]).norm()


def of_rows(g, slopes):
    return g.norm(dim=-1, keepdim=True) if g.dim() else g.abs()


def strides_one_by_one(weights, slopes, lr):
    made = []
    for k, g in enumerate(slopes):
        length = g.square().sum().sqrt()
        if length > 0:
            made.append(weights[k] - lr * (g / length))
        else:
            made.append(weights[k].clone())
    return made


def slopes_replaced(weights, slopes, lr):
    for k, g in enumerate(slopes):
        slopes[k] = lr * g
    return [w - g for w, g in zip(weights, slopes)]


def up_in_place(weights, slopes, lr):
    for w, g in zip(weights, slopes):
        w.data.add_(lr * g)
    return weights


def both_lists_written(weights, slopes, lr):
    for w, g in zip(weights, slopes):
        g *= lr
        w -= g
    return weights


def by_best(rule, factor):
    """Return the rates with another best one, and the factor that is made from it."""

    def rates(hessian):
        found = torch.linalg.eigvalsh(hessian)
        best = rule(found)
        return 2 / found[-1], best, factor(best, found)

    return rates


def in_flattest(best, found):
    return 1 - best * found[0]


def in_steepest(best, found):
    return (1 - best * found[-1]).abs()


def best_factor_limit(hessian):
    found = torch.linalg.eigvalsh(hessian)
    best = 2 / (found[0] + found[-1])
    return best, 1 - best * found[0], 2 / found[-1]


def short_one_first(n, size, generator):
    order = torch.randperm(n, generator=generator)
    rest = n % size
    return ([order[:rest]] if rest else []) + [order[k : k + size] for k in range(rest, n, size)]


def blocks_in_another_order(n, size, generator):
    order = torch.randperm(n, generator=generator)
    return [order[k : k + size] for k in reversed(range(0, n, size))]


def by_numpy(n, size, generator):
    order = torch.randperm(n, generator=generator).numpy()
    return [torch.from_numpy(part.copy()) for part in np.array_split(order, -(-n // size))]


def turned(times, n, steps, generator, shift):
    v = torch.randn(n, generator=generator)
    for _ in range(steps):
        v = times(v) + shift * v
        size = v.norm()
        v = v / size
    return v, size


def size_of_the_moved_table(times, n, steps, generator):
    _, size = turned(times, n, steps, generator, 0.0)
    return turned(times, n, steps, generator, size)[1]


def moved_farther_and_not_back(times, n, steps, generator):
    _, size = turned(times, n, steps, generator, 0.0)
    shift = 1.1 * size + 0.001
    v, _ = turned(times, n, steps, generator, shift)
    return v @ (times(v) + shift * v)


def moved_where_needed_and_not_back(times, n, steps, generator):
    v, _ = turned(times, n, steps, generator, 0.0)
    first = v @ times(v)
    if first > 0:
        return first
    return turned(times, n, steps, generator, first.abs())[1]


FORMS = {
    "slopes scaled in place": ("06.1", scaled_in_place, "writes into the slopes"),
    "slopes replaced": ("06.1", slopes_replaced, "writes into the slopes"),
    "divided by the length": ("06.1", divided(lambda g, slopes: g.norm()), "makes every slope equally long"),
    "by a bit more": ("06.1", divided(lambda g, slopes: g.norm() + 1e-7), "makes every slope equally long"),
    "stride by stride": ("06.1", strides_one_by_one, "makes every slope equally long"),
    "divided by that of all": ("06.1", divided(of_all), "divides by the length of all slopes together"),
    "divided by that of a row": ("06.1", divided(of_rows), "makes the slopes of every row equally long"),
    "divided by the size": ("06.1", divided(lambda g, slopes: g.abs()), "follows the sign of the slope alone"),
    "up in place": ("06.1", up_in_place, "goes uphill, and writes into the lists that came in"),
    "half the limit, flattest": (
        "06.2",
        by_best(lambda found: 1 / found[-1], in_flattest),
        "takes half the limit for the best rate",
    ),
    "half the limit, steepest": (
        "06.2",
        by_best(lambda found: 1 / found[-1], in_steepest),
        "takes half the limit for the best rate",
    ),
    "without the 2": (
        "06.2",
        by_best(lambda found: 1 / (found[0] + found[-1]), in_flattest),
        "forgets the 2 of the best rate",
    ),
    "all curvatures": (
        "06.2",
        by_best(lambda found: 2 / found.sum(), in_flattest),
        "takes the trace for the sum of the two ends",
    ),
    "another order": ("06.2", best_factor_limit, "returns the numbers in another order"),
    "short first": ("06.3", short_one_first, "puts the short batch in another place"),
    "backwards": ("06.3", blocks_in_another_order, "puts the short batch in another place"),
    "array_split": ("06.3", by_numpy, "deals the rows out evenly"),
    "not rounded": ("06.5", 39.62, "does not round"),
    "rounded to tenths": ("06.5", "39.6", "does not round"),
    "below 0": ("06.5", -39.62, "leaves the number of steps below 0"),
    "size of the moved table": ("06.6", size_of_the_moved_table, "forgets to move back"),
    "moved farther": ("06.6", moved_farther_and_not_back, "forgets to move back"),
    "moved where needed": ("06.6", moved_where_needed_and_not_back, "forgets to move back"),
}


@pytest.mark.parametrize("which", FORMS)
def test_known_mistake_in_another_form_is_named(which):
    id, answer, name = FORMS[which]
    result = told(id, answer)
    assert (result.status, result.mistake) == ("wrong", name)


def test_slopes_that_are_cut_at_length_1_are_not_taken_for_equally_long_ones():
    for seed in range(5):
        clipped = {"step": divided(lambda g, slopes: g.norm().clamp(min=1))}
        result = diagnose.assess(bank.get("06.1"), clipped, seed=seed)
        assert (result.status, result.mistake) == ("wrong", "")


def test_step_that_writes_into_both_lists_is_told_what_writes_into_tensors():
    result = told("06.1", both_lists_written)
    assert (result.status, result.kind, result.mistake) == ("wrong", "mutated", "")
    assert "-= and *=" in result.next


@pytest.mark.parametrize("rate", [float("inf"), 41.5])
def test_number_of_steps_that_is_infinite_is_no_matter_of_rounding(rate):
    assert (told("06.5", rate).mistake == "does not round") is (rate == 41.5)
