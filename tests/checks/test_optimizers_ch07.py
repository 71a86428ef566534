"""The exercises of chapter 7 but the last: the right answers are those of torch, and the examples are those of the statements."""

from __future__ import annotations

import itertools

import pytest
import torch

from companion.checks import bank, check
from companion.checks.ch07_optimizers.e6_plans import PLANS

F64 = torch.float64
SHAPES = ((3, 4), (3,), (), (0, 2))


def reference(id, variant=0):
    found = bank.get(id, variant).reference
    return found if len(found) > 1 else found[0]


def walk(steps=6, seed=0):
    """Return weights to begin with, and slopes for each step."""
    g = torch.Generator().manual_seed(seed)

    def drawn():
        return [torch.randn(shape, generator=g, dtype=F64) for shape in SHAPES]

    return drawn(), [drawn() for _ in range(steps)]


def by_torch(make, weights, slopes):
    """Return the weights after each step of an optimizer of torch's."""
    leaves = [w.clone().requires_grad_() for w in weights]
    optimizer, found = make(leaves), []
    for of_step in slopes:
        for leaf, g in zip(leaves, of_step):
            leaf.grad = g.clone()
        optimizer.step()
        found.append([leaf.detach().clone() for leaf in leaves])
    return found


def by_class(optimizer, weights, slopes):
    found = []
    for of_step in slopes:
        weights = optimizer.step(weights, of_step)
        found.append(weights)
    return found


@pytest.mark.parametrize(("id", "nesterov"), [("07.1", False), ("07.2", True)])
def test_steps_with_momentum_are_those_of_torch(id, nesterov):
    weights, slopes = walk()
    due = by_torch(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.7, nesterov=nesterov), weights, slopes)
    velocity = [torch.zeros_like(w) for w in weights]
    for of_step, expected in zip(slopes, due):
        weights, velocity = reference(id)(weights, of_step, velocity, 0.1, 0.7)
        torch.testing.assert_close(weights, expected)


def test_look_ahead_is_the_textbooks_walk_seen_from_the_place_ahead():
    torch.manual_seed(0)
    table = torch.tensor([[3.0, 1.0], [1.0, 0.5]], dtype=F64)
    lr, momentum, k = 0.1, 0.8, 6
    ahead, velocity = [torch.tensor([1.0, -2.0], dtype=F64)], [torch.zeros(2, dtype=F64)]
    place, speed = ahead[0].clone(), torch.zeros(2, dtype=F64)
    for _ in range(k):
        ahead, velocity = reference("07.2")(ahead, [table @ ahead[0]], velocity, lr, momentum)
        speed = momentum * speed - lr * table @ (place + momentum * speed)
        place = place + speed
        torch.testing.assert_close(ahead[0], place + momentum * speed)
        assert not torch.allclose(ahead[0], place, atol=1e-3)


OPTIMIZERS = {
    "Adagrad": (lambda: reference("07.3")[0](0.3, 0.01), lambda p: torch.optim.Adagrad(p, lr=0.3, eps=0.01)),
    "RMSProp": (
        lambda: reference("07.3")[1](0.1, 0.9, 0.01),
        lambda p: torch.optim.RMSprop(p, lr=0.1, alpha=0.9, eps=0.01),
    ),
    "Adam": (
        lambda: reference("07.4")(0.1, (0.8, 0.95), 0.01),
        lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.8, 0.95), eps=0.01),
    ),
    "AdamW": (
        lambda: reference("07.5")(0.1, (0.8, 0.95), 0.01, 0.4, [True, False, False, True]),
        lambda p: torch.optim.AdamW(
            [{"params": [p[0], p[3]], "weight_decay": 0.4}, {"params": p[1:3], "weight_decay": 0.0}],
            lr=0.1, betas=(0.8, 0.95), eps=0.01,
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("which", OPTIMIZERS)
def test_classes_that_remember_take_the_steps_of_torch(which):
    make, oracle = OPTIMIZERS[which]
    weights, slopes = walk()
    for mine, due in zip(by_class(make(), weights, slopes), by_torch(oracle, weights, slopes)):
        torch.testing.assert_close(mine, due)


@pytest.mark.parametrize("most", [0.5, 3.0, 100.0])
def test_clipping_is_that_of_torch(most):
    _, (slopes,) = walk(1)
    leaves = [g.clone().requires_grad_() for g in slopes]
    for leaf, g in zip(leaves, slopes):
        leaf.grad = g.clone()
    due = torch.nn.utils.clip_grad_norm_(leaves, most)
    new, norm = reference("07.7")(slopes, most)
    torch.testing.assert_close(norm, due)
    torch.testing.assert_close(new, [leaf.grad for leaf in leaves], rtol=1e-5, atol=1e-6)


def rates_of_torch(lr, floor, warm, total):
    """Return the rates of the way down by torch's cosine."""
    leaf = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([leaf], lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total - warm, eta_min=floor)
    found = []
    for _ in range(total - warm):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


@pytest.mark.parametrize("plan", PLANS)
def test_way_down_is_the_cosine_of_torch_and_warm_up_meets_it_at_the_whole_rate(plan):
    lr, warm, total = 0.6, 5, 23
    rate, args = PLANS[plan].reference, PLANS[plan].args
    long = 3 if plan == "once in an epoch" else 1
    found = [rate(**args(long * k, lr, warm, total)) for k in range(total + 3)]
    floor = lr / 16 if plan == "down to a floor" else 0.0
    assert found[warm:total] == pytest.approx(rates_of_torch(lr, floor, warm, total))
    assert found[total:] == [floor] * 3
    up = [b - a for a, b in itertools.pairwise(found[:warm])]
    assert up == pytest.approx([lr / warm] * (warm - 1))
    assert found[warm - 1] == pytest.approx(lr if long * floor == 0 else lr * (warm - 1) / warm)
    if long > 1:
        assert all(rate(**args(3 * k + r, lr, warm, total)) == found[k] for k in range(total) for r in range(3))


# -- the numbers of the statements ---------------------------------------------------------------------


def rounded(tensors, digits=4):
    return [[round(v, digits) for v in t.flatten().tolist()] for t in tensors]


def test_examples_of_the_statements_with_momentum():
    given = bank.get("07.1").cases(0)[0].args
    weights, velocity = reference("07.1")(*given.values())
    assert (rounded(weights), rounded(velocity)) == ([[3.75, 1.075], [1.8]], [[2.5, -0.75], [2.0]])
    weights, velocity = reference("07.2")(*given.values())
    assert (rounded(weights), rounded(velocity)) == ([[3.675, 1.1375], [1.6]], [[2.5, -0.75], [2.0]])


def vector(*numbers):
    return [torch.tensor(numbers)]


def test_examples_of_the_statements_with_a_rate_for_every_weight():
    adagrad, rmsprop = (make(*rest) for make, rest in zip(reference("07.3"), ((0.5, 0.0001), (0.4, 0.75, 0.0001))))
    first, second = vector(4.0, -1.0), vector(3.0, 0.0)
    assert rounded(adagrad.step(vector(1.0, 2.0), first), 3) == [[0.5, 2.5]]
    assert rounded(adagrad.step(vector(0.5, 2.5), second), 3) == [[0.2, 2.5]]
    assert rounded(rmsprop.step(vector(1.0, 2.0), first), 2) == [[0.2, 2.8]]
    assert rounded(rmsprop.step(vector(0.2, 2.8), second), 3) == [[-0.324, 2.8]]
    adam = reference("07.4")(0.5, (0.5, 0.75), 0.0001)
    assert rounded(adam.step(vector(1.0, 2.0), first), 3) == [[0.5, 2.5]]
    assert rounded(adam.step(vector(0.5, 2.5), vector(2.0, -1.0)), 3) == [[0.059, 3.0]]


def test_example_of_the_statement_with_decay():
    given = bank.get("07.5").cases(0)[0].args
    optimizer = reference("07.5")(*list(given.values())[:5])
    assert rounded(optimizer.step(given["weights"][0], given["slopes"][0]), 2) == [[3.1, -1.3], [2.5]]


@pytest.mark.parametrize(
    ("variant", "due"),
    [
        (0, {0: 0.2, 3: 0.8, 4: 0.8, 6: 0.6828, 8: 0.4, 12: 0.0}),
        (1, {0: 0.0, 3: 0.6, 4: 0.8, 6: 0.6902, 8: 0.425, 12: 0.05}),
        (2, {0: 0.2, 2: 0.2, 9: 0.8, 14: 0.8, 18: 0.6828, 24: 0.4, 36: 0.0}),
    ],
)
def test_examples_of_the_statements_with_a_schedule(variant, due):
    plan = list(PLANS.values())[variant]
    assert {k: round(plan.reference(**plan.args(k, 0.8, 4, 12)), 4) for k in due} == pytest.approx(due)
    assert all(f"{rate:g}" in plan.example for rate in due.values())


def test_schedules_differ_in_each_variant():
    plans = list(PLANS)
    for variant, plan in enumerate(plans):
        for other in plans:
            if len(PLANS[other].names) == len(PLANS[plan].names) and other != plan:
                assert check("07.6", PLANS[other].reference, variant=variant).status == "wrong"


def test_hints_and_statements_of_the_schedules_differ_where_they_should():
    assert len({p.formula for p in PLANS.values()}) == 3
    assert len({p.hints for p in PLANS.values()}) == 3
