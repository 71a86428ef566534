"""Exercise 05.6, check a gradient: steps that are right and wrong, and what may not be the judge."""

from __future__ import annotations

import pytest
import torch

from companion.checks import bank, check, diagnose
from companion.checks.ch05_backprop.e6_functions import by, central, compared, nudged


def assessed(answer):
    exercise = bank.get("05.6")
    return diagnose.assess(exercise, exercise.answer(answer), ours=True)


def in_float32(f, x, claimed):
    return compared(central(f, x.float()), claimed)


def behind(f, x, claimed):
    return by(1e-5, sided="behind")(f, x, claimed)


def in_proportion(f, x, claimed):
    def quotient(e):
        step = 1e-5 * (x * e).abs().sum()
        return (f(x + step * e) - f(x - step * e)) / (2 * step)

    return compared(nudged(f, x, quotient), claimed)


@pytest.mark.parametrize("step", [1e-4, 1e-5, 1e-6, 1e-7])
def test_step_in_the_valley_is_right(step):
    assert assessed(by(step)).status == "right"


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (by(1e-3), "takes a step that is too large"),
        (by(0.1), "takes a step that is too large"),
        (by(1e-8), "takes a step so small that rounding wins"),
        (by(1e-9), "takes a step so small that rounding wins"),
        (by(1e-13), "takes a step so small that rounding wins"),
        (in_float32, "takes a step so small that rounding wins"),
        (by(1e-4, sided="ahead"), "looks to one side only"),
        (by(1e-8, sided="ahead"), "looks to one side only"),
        (behind, "looks to one side only"),
        (in_proportion, "takes a step so small that rounding wins"),
    ],
    ids=["1e-3", "0.1", "1e-8", "1e-9", "1e-13", "float32", "ahead 1e-4", "ahead 1e-8", "behind", "in proportion to x"],
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
    shown = dict(assessed(lambda f, x, claimed: compared(2 * central(f, x), claimed)).shown)
    assert "f = '(x ** 3).sum()', x = [1, 2]" in shown["input"]


@pytest.mark.parametrize(
    ("answer", "case", "seen"),
    [
        (by(1e-5, sided="ahead"), "the bottom of a steep bowl", "1000 * (x - "),
        (by(1e-12), "values far from 0", "3000 + "),
        (by(1e-2), "a function that bends fast", "torch.sin(10 * x)"),
    ],
    ids=["one side", "too small", "too large"],
)
def test_step_is_shown_where_it_does_harm(answer, case, seen):
    result = assessed(answer)
    shown = dict(result.shown)
    assert (result.case, seen in shown["input"]) == (case, True)
    assert float(shown["yours"]) > 1e-6  # the claim is right, and nothing should be left


def in_the_claims_dtype(f, x, claimed):
    x = x.to(claimed.dtype)
    q = torch.stack(
        [(f(x + e) - f(x - e)) / 2e-5 for e in 1e-5 * torch.eye(x.numel(), dtype=x.dtype).reshape(-1, *x.shape)]
    )
    return compared(q.reshape(x.shape), claimed)


def test_point_that_is_brought_to_the_claims_dtype_is_named():
    result = assessed(in_the_claims_dtype)
    assert (result.mistake, result.case) == ("computes in the claim's dtype", "a claim in float32")


def flattened(f, x, claimed):
    q = torch.stack(
        [(f(x.flatten() + e) - f(x.flatten() - e)) / 2e-5 for e in 1e-5 * torch.eye(x.numel(), dtype=x.dtype)]
    )
    return compared(q, claimed.flatten())


def test_flattened_point_is_told_with_both_shapes():
    result = assessed(flattened)
    assert "stops with ValueError: f got a tensor of shape (6,), x has (2, 3)." in result.message
    assert "a flattened point" in result.why
    assert "`reshape(x.shape)`" in result.next


# -- a claim that is nan ----------------------------------------------------------------------------------


def with_gaps(largest):
    return lambda f, x, claimed: largest((central(f, x) - claimed).abs()) / central(f, x).abs().max().clamp(min=1)


def infinite_at_nan(f, x, claimed):
    return torch.tensor(float("inf")) if claimed.isnan().any() else compared(central(f, x), claimed)


def over_the_list(gaps):
    largest = 0.0
    for gap in gaps.flatten():
        if gap > largest:
            largest = gap
    return largest


@pytest.mark.parametrize("answer", [infinite_at_nan, lambda f, x, claimed: infinite_at_nan(f, x, claimed).item()])
def test_inf_says_of_a_claim_that_is_nan_what_nan_says(answer):
    assert assessed(answer).status == "right"


@pytest.mark.parametrize(
    "largest", [lambda gaps: gaps.nan_to_num().max(), lambda gaps: max(gaps.flatten().tolist()), over_the_list]
)
def test_claim_that_is_nan_may_not_pass(largest):
    result = assessed(with_gaps(largest))
    assert (result.mistake, result.case) == ("passes over a claim that is nan", "a claim that is nan")


def test_other_mistakes_are_named_beside_a_nan_that_is_passed_over():
    def largest_gap(f, x, claimed):
        q = central(f, x)
        return max(((q - claimed).abs() / q.abs().clamp(min=1)).flatten().tolist())

    assert assessed(largest_gap).mistake == "scales each entry by itself"
