"""What the figures of chapter 07 compute: grounds, six paths and their rates, schedules and the expected loss, against PyTorch and by chance."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch

from companion import figures, lr_scheduler, optim
from companion.figures.descent import EDGE
from companion.figures.optimizers import (
    CURVATURES,
    GROUNDS,
    METHODS,
    NOISE,
    RACE,
    RATES,
    SCHEDULES,
    SHARES,
    Plan,
    best_constant,
    best_rate,
    end_of,
    expected,
    few,
    left_at,
    loss_on,
    race_path,
    rates_of,
    schedule_of,
    slope_on,
    standing,
)

START = (-3.4, 1.4)
MAKERS = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "adagrad": ("Adagrad", {}),
    "rmsprop": ("RMSprop", {}),
    "adam": ("Adam", {}),
}


def walked(library, kind, method, lr, steps=RACE):
    """Return the places that a library's optimizer visits with slopes of autograd. Shape: ``(steps + 1, 2)``."""
    name, options = MAKERS[method]
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    by = getattr(library, name)([w], lr=lr, **options)
    way = [w.detach().clone()]
    for _ in range(steps):
        by.zero_grad()
        loss_on(kind, w[0], w[1]).backward()
        by.step()
        way.append(w.detach().clone())
    return torch.stack(way)


# ---- grounds


@pytest.mark.parametrize("kind", GROUNDS)
def test_slopes_on_each_ground_are_those_of_autograd(kind):
    for place in product((-3.9, -1.1, 0.0, 0.8, 2.5), (-2.8, -0.4, 0.0, 1.7)):
        w = torch.tensor(place, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(loss_on(kind, w[0], w[1]), w)
        assert slope_on(kind, *place) == pytest.approx(slope.tolist(), abs=1e-12)


@pytest.mark.parametrize("kind", GROUNDS)
def test_lowest_loss_on_the_map_of_each_ground_is_nearly_0_and_never_below(kind):
    table = torch.tensor([[loss_on(kind, a / 20, b / 20) for b in range(-60, 61)] for a in range(-80, 81)])
    assert -1e-12 < table.min() < 0.005


def test_turned_valley_is_the_valley_and_the_first_start_lies_to_both_alike():
    half = math.sqrt(0.5)
    for u, v in ((-3.4, 1.4), (2.0, -0.3)):
        assert loss_on("turned", half * (u + v), half * (v - u)) == pytest.approx(loss_on("valley", u, v))
    assert loss_on("turned", *START) == pytest.approx(loss_on("valley", *START), rel=0.02)
    ridge = [slope_on("saddle", w1, 1.5)[1] for w1 in (-3.4, 0.0, 2.0)]
    assert ridge == [0, 0, 0], "the saddle's ridge, a tenth below the first start"


# ---- paths


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", GROUNDS)
def test_paths_are_those_of_the_companions_optimizers_and_of_pytorch(kind, method):
    for lr, library in product((0.02, 0.2), (optim, torch.optim)):
        path = torch.tensor(race_path(kind, START, method, lr=lr), dtype=torch.float64)
        torch.testing.assert_close(path, walked(library, kind, method, lr), atol=1e-9, rtol=0)


def test_every_choice_of_the_toggles_is_a_method_with_a_path_of_its_own():
    ends = {method: race_path("banana", START, method, lr=0.1)[-1] for method in METHODS}
    assert len(set(ends.values())) == len(METHODS) == 6
    assert set(METHODS) <= set(figures.optimizer_race().controls)


def test_path_that_runs_away_ends_and_is_told_by_the_step_at_which_it_left():
    path = race_path("valley", START, "sgd", lr=2.0)
    assert len(path) < RACE
    assert max(map(abs, path[-1])) > 1000 >= max(map(abs, path[-2]))
    k = left_at(path)
    assert k == 2
    assert all(any(abs(w) > 2 * e for w, e in zip(place, EDGE)) for place in path[k:])
    assert left_at(path[:k]) == 0
    assert left_at(race_path("valley", START, "adam", lr=0.1)) == 0


@pytest.mark.parametrize("method", METHODS)
def test_best_rate_is_the_one_that_no_other_of_the_grid_beats(method):
    for kind in ("valley", "plateau"):
        best = best_rate(kind, START, method)
        ends = {lr: race_path(kind, START, method, lr=lr) for lr in RATES}
        losses = {lr: loss_on(kind, *path[-1]) for lr, path in ends.items() if len(path) > RACE}
        assert best in losses
        assert losses[best] == min(losses.values())


def test_turning_the_valley_changes_the_losses_of_those_with_a_rate_for_each_weight_and_of_no_other():
    for lr in (0.1, 0.2, 0.3):
        before, after = (standing(kind, START, 30, lr=lr) for kind in ("valley", "turned"))
        for method in METHODS:
            same = after[method] == pytest.approx(before[method], rel=0.03)
            assert same == (method in ("sgd", "momentum", "nesterov")), (lr, method)


def test_race_says_what_the_paths_do():
    figure, before = figures.optimizer_race(), standing("valley", START, 30, lr=0.2)
    assert figure.guesses[figure.right].startswith("Adagrad, RMSProp and Adam")
    assert f"Nesterov {before['nesterov']:.3f}" in figure.alt
    best = {kind: standing(kind, START, RACE) for kind in ("valley", "turned")}
    ahead = [METHODS[min(best[kind], key=best[kind].get)] for kind in best]
    assert f"{ahead[0]} is ahead along the axes, {ahead[1]} in the turned valley" in figure.answer


@pytest.mark.parametrize(
    ("v", "text"), [(0, "0.000"), (0.1716, "0.172"), (0.00999, "9.99e-3"), (2.46e-23, "2.46e-23"), (2e5, "2.00e5")]
)
def test_losses_are_written_as_the_page_writes_them(v, text):
    assert few(v) == text


# ---- schedules

PLANS = [
    Plan(kind, base, steps, warm, drops, share)
    for kind, (base, steps), warm, drops, share in product(
        SCHEDULES, ((0.5, 200), (2.4, 40), (0.05, 60)), (0.0, 0.1, 0.5), (1, 6), (1.0, 0.01, 0.001)
    )
]


@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step:UserWarning")
def test_rates_are_those_of_pytorchs_schedules():
    for plan in PLANS:
        assert rates_of(plan) == pytest.approx(rates_of(plan, torch.optim.lr_scheduler), abs=1e-12), plan


def test_plateau_is_lowered_where_the_loss_has_stopped_falling_and_never_below_its_share():
    plan = Plan("plateau", base=1.0, steps=400, share=0.01)
    rates = rates_of(plan)
    losses = [sum(pair) for pair in expected(rates)]
    drops = [k for k in range(1, 400) if rates[k] < rates[k - 1]]
    assert len(drops) >= 2
    assert [rates[k] / rates[k - 1] for k in drops] == pytest.approx([0.01 ** (1 / 3)] * len(drops))
    assert min(losses[drops[0] - 10 : drops[0] + 1]) > 0.98 * min(losses[: drops[0] - 10])
    assert min(rates_of(plan._replace(drops=1))) == pytest.approx(0.01)
    assert set(rates_of(plan._replace(share=1.0))) == {1.0}


def test_schedules_end_near_the_share_and_begin_with_a_tenth_where_they_warm_up():
    for kind in ("exponential", "cosine", "step", "cycle"):
        plan = Plan(kind, steps=400, drops=3)
        rates = rates_of(plan)
        assert rates[0] == pytest.approx(0.05)
        assert max(rates) == pytest.approx(0.5, rel=1e-3)
        assert 0.005 <= rates[-1] <= 0.0053
    assert set(rates_of(Plan("constant", warm=0.0))) == {0.5}


def test_each_part_of_a_schedule_is_one_of_the_companions():
    optimizer = optim.SGD([torch.zeros(1)], lr=0.5)
    assert schedule_of(Plan("constant", warm=0.0), optimizer) is None
    assert isinstance(schedule_of(Plan("step", warm=0.0), optimizer), lr_scheduler.StepLR)
    assert isinstance(schedule_of(Plan("cosine"), optimizer), lr_scheduler.SequentialLR)
    assert isinstance(schedule_of(Plan("cycle"), optimizer), lr_scheduler.OneCycleLR)
    assert isinstance(schedule_of(Plan("plateau"), optimizer), lr_scheduler.ReduceLROnPlateau)


@pytest.mark.parametrize("kind", ["constant", "cosine"])
def test_expected_loss_is_the_mean_over_runs_with_noise(kind):
    rates = rates_of(Plan(kind, steps=60))
    chance = torch.Generator().manual_seed(7)
    curvature = torch.tensor(CURVATURES, dtype=torch.float64)
    w = torch.ones(20_000, len(CURVATURES), dtype=torch.float64)
    for k, rate in enumerate(rates, start=1):
        noise = torch.randn(w.shape, generator=chance, dtype=torch.float64) * math.sqrt(NOISE)
        w = w - rate * (curvature * w + noise)
        if k in (1, 10, 60):
            found = (curvature * w.square()).sum(dim=1).mean().item() / 2
            assert found == pytest.approx(sum(expected(rates)[k]), rel=0.02)


def test_expected_loss_in_closed_form_at_a_constant_rate():
    found = expected([0.5] * 400)
    assert found[0] == (pytest.approx(sum(CURVATURES) / 2), 0)
    way = sum(c * (1 - 0.5 * c) ** 800 for c in CURVATURES) / 2
    cloud = sum(c * 0.25 * NOISE * (1 - (q := (1 - 0.5 * c) ** 2) ** 400) / (1 - q) for c in CURVATURES) / 2
    assert found[400] == pytest.approx((way, cloud))


def test_rate_above_the_limit_grows_and_one_below_does_not():
    assert max(CURVATURES) == 1, "so that the limit is 2"
    for rate, grows in ((1.95, False), (2.05, True)):
        losses = [way for way, _ in expected([rate] * 400)]
        assert (losses[-1] > losses[0]) == grows


def test_best_constant_rate_is_the_one_that_no_other_beats():
    for steps in (40, 200):
        rate, loss = best_constant(steps)
        for other in (0.05, rate - 0.05, rate + 0.05, 1.0, 2.0):
            assert sum(expected([other] * steps)[-1]) > loss
        assert sum(expected([rate] * steps)[-1]) == pytest.approx(loss)


def test_designer_says_what_the_schedules_do():
    figure = figures.schedule_designer()
    ends = {kind: sum(end_of(Plan(kind))) for kind in SCHEDULES}
    assert min(ends, key=ends.get) == "cosine"
    assert figure.guesses[figure.right] == "the cosine schedule"
    assert all(f"{name} {ends[kind]:.4f}" in figure.answer for kind, name in SCHEDULES.items())
    assert ends["cosine"] < best_constant(200)[1] < ends["constant"]
    late = {kind: sum(end_of(Plan(kind, base=1.5))) for kind in SCHEDULES}
    assert f"from a base rate of 1.5 {min(late, key=late.get)} ends lowest" in figure.answer
    assert SHARES[figure.controls["share"].start] == Plan().share
