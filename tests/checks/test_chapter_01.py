"""Chapter 01: known mistakes in forms that the bank does not hold, named all the same."""

from __future__ import annotations

import pytest
import torch

from companion.checks import bank, diagnose
from companion.checks.ch01_neurons import e4_mistakes


def step(z):
    return (z >= 0).to(z.dtype)


def mistake_named(id, *functions):
    exercise = bank.get(id)
    return diagnose.assess(exercise, dict(zip(exercise.functions, functions))).mistake


# -- 01.1 and 01.2 ---------------------------------------------------------------------------------


def loop_over_rows(x, weight, bias):
    z = bias
    for i in range(min(len(x), len(weight))):
        z = z + x[i] * weight[i]
    return z


def cut_off_by_clamp(x, weight, bias):
    return (x @ weight + bias).clamp(min=0)


def written_in_place(z, threshold):
    z[z >= threshold] = 1
    z[z < threshold] = 0
    return z


FORMS = {
    "loop over rows": ("01.1", loop_over_rows, "takes the rows for features"),
    "clamp": ("01.1", cut_off_by_clamp, "cuts negative sums off"),
    "sigmoid by exp": ("01.1", lambda x, w, b: 1 / (1 + torch.exp(-(x @ w + b))), "puts a sigmoid on the sum"),
    "two writes into the argument": ("01.2", written_in_place, "compares again what it has written"),
    "the step from memory": (
        "01.2",
        lambda z, threshold: torch.where(z > 0, 1.0, 0.0).to(z.dtype),
        "ignores the threshold, and does not fire at the threshold itself",
    ),
    "one half for the sum": (
        "01.3",
        lambda x, t, w, b, lr: (w + lr * (t - (x @ w + b > 0.5).float()) * x, b + lr * (t - (x @ w + b > 0.5).float())),
        "asks for a sum of one half",
    ),
    "paths": ("01.6", lambda sizes, bias=True: int(torch.tensor(sizes).prod()), "multiplies all sizes, and forgets"),
}


@pytest.mark.parametrize("form", FORMS)
def test_another_form_of_a_mistake_is_named(form):
    id, answer, named = FORMS[form]
    assert mistake_named(id, answer).startswith(named)


# -- 01.4 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lr", [0.01, 0.1, 0.5, 2.0])
def test_any_other_learning_rate_is_named(lr):
    assert mistake_named("01.4", e4_mistakes._training(lr=lr)) == "uses another learning rate"


def test_another_learning_rate_is_not_named_when_the_path_differs_too():
    both = e4_mistakes._training(lr=0.5, start=torch.ones_like)
    assert mistake_named("01.4", both) != "uses another learning rate"


@pytest.mark.parametrize("start", [torch.rand_like, lambda w: 0.01 * torch.randn_like(w)])
def test_any_random_start_is_named(start):
    assert mistake_named("01.4", e4_mistakes._training(start=start)) == "starts from random weights"


def test_fractions_that_come_from_the_answer_are_not_taken_for_a_random_start():
    assert mistake_named("01.4", e4_mistakes._training(answer=torch.sigmoid)) != "starts from random weights"
