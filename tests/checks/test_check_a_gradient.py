"""Exercise 05.6, check a gradient: steps that are right and wrong, and what may not be the judge."""

from __future__ import annotations

import pytest
import torch

from companion.checks import bank, check, diagnose
from companion.checks.ch05_backprop.e6_functions import by, central, compared


def assessed(answer):
    exercise = bank.get("05.6")
    return diagnose.assess(exercise, exercise.answer(answer), ours=True)


def in_float32(f, x, claimed):
    return compared(central(f, x.float()), claimed)


def behind(f, x, claimed):
    return by(1e-5, sided="behind")(f, x, claimed)


@pytest.mark.parametrize("step", [1e-4, 1e-5, 1e-6, 1e-7])
def test_step_in_the_valley_is_right(step):
    assert assessed(by(step)).status == "right"


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (by(1e-3), "takes a step that is too large"),
        (by(0.1), "takes a step that is too large"),
        (by(1e-9), "takes a step so small that rounding wins"),
        (by(1e-13), "takes a step so small that rounding wins"),
        (in_float32, "takes a step so small that rounding wins"),
        (by(1e-4, sided="ahead"), "looks to one side only"),
        (by(1e-8, sided="ahead"), "looks to one side only"),
        (behind, "looks to one side only"),
    ],
    ids=["1e-3", "0.1", "1e-9", "1e-13", "float32", "ahead 1e-4", "ahead 1e-8", "behind"],
)
def test_step_of_another_size_is_named(answer, mistake):
    assert assessed(answer).mistake == mistake


def test_example_is_worked_out_as_the_statement_says():
    x, claimed = torch.tensor([1.0, 2.0]).double(), torch.tensor([3.0, 10.0]).double()
    cubes = lambda x: (x**3).sum()  # noqa: E731
    torch.testing.assert_close(central(cubes, x, 0.01), torch.tensor([3.0001, 12.0001]).double())
    assert compared(central(cubes, x), claimed).item() == pytest.approx(2 / 12)


def by_autograd(f, x, claimed):
    x = x.clone().requires_grad_()
    f(x).backward()
    return compared(x.grad, claimed)


def by_jvp(f, x, claimed):
    eye = torch.eye(x.numel(), dtype=x.dtype).reshape(-1, *x.shape)
    return compared(torch.stack([torch.func.jvp(f, (x,), (e,))[1] for e in eye]).reshape(x.shape), claimed)


@pytest.mark.parametrize("answer", [by_autograd, by_jvp])
def test_autograd_may_not_be_the_judge(answer):
    assert check("05.6", answer).kind == "forbidden"


def test_function_is_shown_to_the_learner_as_it_is_written():
    shown = dict(assessed(by(0.1)).shown)
    assert "f = '(x ** 3).sum()', x = [1, 2]" in shown["input"]
