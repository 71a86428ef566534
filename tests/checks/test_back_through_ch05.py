"""Exercise 05.5, the way back through an operation: its right answers beside autograd, and what may not do the work."""

from __future__ import annotations

import pytest
import torch

from companion.checks import bank, check
from companion.checks.ch05_backprop.e5_operations import OPERATIONS


def by_autograd(forward, x, g):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(forward(x), x, g)[0]


@pytest.mark.parametrize("exercise", bank.variants("05.5"), ids=lambda e: e.parameter["operation"])
def test_way_back_is_that_of_autograd(exercise):
    operation = OPERATIONS[exercise.parameter["operation"]]
    for case in [c for seed in range(3) for c in exercise.cases(seed)]:
        x, g = (a.double() for a in case.args.values())
        due = by_autograd(operation.forward, x, g)
        for answer in (operation.reference, *operation.alternatives.values()):
            torch.testing.assert_close(answer(x, g), due, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("exercise", bank.variants("05.5"), ids=lambda e: e.parameter["operation"])
def test_example_of_the_statement_is_right(exercise):
    operation = OPERATIONS[exercise.parameter["operation"]]
    x, g = (torch.tensor(a, dtype=torch.float64) for a in operation.given)
    told = {
        "length": [[0.128, -0.096]],
        "softmax": [[0.75, -0.25, -0.5]],
        "logsumexp": [[0.5, 0.5, 1]],
        "standardise": [[1.0607, -1.0607, 0]],
    }[exercise.parameter["operation"]]
    torch.testing.assert_close(operation.reference(x, g), torch.tensor(told, dtype=torch.float64), rtol=0, atol=5e-5)
    assert ", ".join(f"{number:g}" for number in told[0]) in exercise.statement


def forward(x):
    return x / x.norm(dim=-1, keepdim=True)


def by_backward(x, g):
    x = x.clone().requires_grad_()
    forward(x).backward(g)
    return x.grad


def by_vjp(x, g):
    return torch.func.vjp(forward, x)[1](g)[0]


def by_the_way_forwards(x, g):
    columns = [torch.func.jvp(forward, (x,), (torch.zeros_like(x).index_fill(1, torch.tensor(j), 1),))[1]
               for j in range(x.shape[1])]  # fmt: skip
    return torch.stack([(g * column).sum(dim=-1) for column in columns], dim=-1)


@pytest.mark.parametrize("answer", [by_backward, by_vjp, by_the_way_forwards])
def test_autograd_in_any_form_is_told_as_ready_made(answer):
    assert check("05.5", answer).kind == "forbidden"


def test_sum_that_should_be_0_is_told_where_no_mistake_is_known():
    def way_back(x, g):
        y = forward(x)
        return (g - y * (g * y).mean(dim=-1, keepdim=True)) / x.norm(dim=-1, keepdim=True)

    result = check("05.5", way_back)
    assert (result.kind, result.mistake) == ("property", "")
    assert result.message.startswith("Multiply your slopes by the entries of their row and add")


@pytest.mark.parametrize(
    ("lengths", "mistake"),
    [
        (lambda x: x.norm(dim=0, keepdim=True), "takes the lengths of the columns"),
        (lambda x: x.square().sum(dim=0).sqrt(), "takes the lengths of the columns"),
        (lambda x: x.norm(), "takes one length for the whole table"),
    ],
    ids=["norm", "root of a sum", "of everything"],
)
def test_lengths_along_another_axis_are_named(lengths, mistake):
    def way_back(x, g):
        y = x / lengths(x)
        return (g - y * (g * y).sum(dim=1, keepdim=True)) / lengths(x)

    assert check("05.5", way_back).mistake == mistake


def test_columns_that_are_scaled_are_named():
    def way_back(x, g):
        y = x / x.norm(dim=0)
        return (g - y * (g * y).sum(dim=0)) / x.norm(dim=0)

    assert check("05.5", way_back).mistake == "scales the columns"


def chain(w, b, x, t):
    return (torch.tanh(w * x + b) - t) ** 2


def by_func_grad(*numbers):
    return torch.func.grad(chain, argnums=(0, 1, 2))(*(torch.tensor(float(v)) for v in numbers))


def by_func_jacfwd(*numbers):
    return torch.func.jacfwd(chain, argnums=(0, 1, 2))(*(torch.tensor(float(v)) for v in numbers))


@pytest.mark.parametrize(("answer", "named"), [(by_func_grad, "autograd.grad"), (by_func_jacfwd, "forward_ad")])
def test_autograd_in_other_clothes_is_called_by_a_name_that_people_know(answer, named):
    result = check("05.1", answer)
    assert (result.kind, f"`torch.autograd.{named.split('.')[-1]}` does the work." in result.message) == (
        "forbidden",
        True,
    )
