"""What the figures of chapter 06 compute: surfaces, paths, their words, and the noise of batches, against PyTorch and by counting."""

from __future__ import annotations

import math
from itertools import combinations, pairwise, product

import pytest
import torch

from companion import figures, optim
from companion.figures.chance import seeded, shuffled
from companion.figures.descent import (
    BATCHES,
    EDGE,
    EXAMPLES,
    PATIENTS,
    REGIMES,
    SIZES,
    STEPS,
    SURFACES,
    TILTS,
    batch_slopes,
    curvatures,
    hessian_at,
    limit_at,
    loss_at,
    measured,
    noise_of,
    path_of,
    patients,
    quickest,
    regime,
    rms,
    slope_at,
    slopes_of,
    spread,
    weights,
)

PLACES = list(product((-3.9, -1.1, 0.0, 0.8, 2.5), (-2.8, -0.4, 0.0, 1.7)))


# ---- surfaces


@pytest.mark.parametrize("kind", SURFACES)
def test_slopes_and_hessians_are_those_of_autograd(kind):
    for place in PLACES:
        w = torch.tensor(place, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(loss_at(kind, w[0], w[1]), w)
        assert slope_at(kind, *place) == pytest.approx(slope.tolist(), abs=1e-12)
        hessian = torch.autograd.functional.hessian(lambda v: loss_at(kind, v[0], v[1]), w.detach())
        h11, h12, h22 = hessian_at(kind, *place)
        torch.testing.assert_close(torch.tensor([[h11, h12], [h12, h22]], dtype=torch.float64), hessian)
        smallest, largest = torch.linalg.eigvalsh(hessian).tolist()
        assert curvatures(kind, *place) == pytest.approx((largest, smallest), abs=1e-12)


def test_limit_is_two_over_the_largest_curvature_and_none_where_nothing_bends_upwards():
    assert limit_at("bowl", 3.0, 1.0) == 2
    assert limit_at("valley", 3.0, 1.0) == 1
    assert limit_at("saddle", 0.0, 2.0) == pytest.approx(1)
    assert curvatures("plateau", 0.8, -0.4) == pytest.approx((8 / 1.44,) * 2)
    steep = [(w1, w2) for w1, w2 in PLACES if curvatures("plateau", w1, w2)[0] <= 0]
    assert all(math.isinf(limit_at("plateau", *w)) for w in steep)


def test_surfaces_are_what_their_names_say():
    at = {
        kind: torch.tensor([[loss_at(kind, a / 10, b / 10) for b in range(-30, 31)] for a in range(-40, 41)])
        for kind in SURFACES
    }
    for kind, table in at.items():
        inside = table[1:-1, 1:-1]
        lowest = torch.ones_like(inside, dtype=torch.bool)
        for i, j in product((0, 1, 2), (0, 1, 2)):
            if (i, j) != (1, 1):
                lowest &= inside < table[i : i + inside.shape[0], j : j + inside.shape[1]]
        hollows = inside[lowest]
        assert len(hollows) == {"saddle": 2, "hollows": 2}.get(kind, 1), kind
        assert hollows.min().abs() < 0.02, kind
        assert (hollows.max() > 0.5) == (kind == "hollows")
    assert curvatures("valley", 1.0, 1.0) == pytest.approx((2, 0.1))
    assert curvatures("saddle", 0.0, 0.0) == (1, -1)
    assert math.hypot(*slope_at("plateau", -3.9, 2.9)) < 0.01


# ---- paths


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("kind", SURFACES)
def test_paths_are_those_of_the_companions_optimiser_and_of_pytorch(kind, momentum):
    start, lr = (-3.0, 1.2), 0.1
    path = torch.tensor(path_of(kind, start, lr=lr, momentum=momentum), dtype=torch.float64)
    for library in (optim.SGD, torch.optim.SGD):
        w = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        by = library([w], lr=lr, momentum=momentum)
        way = [w.detach().clone()]
        for _ in range(STEPS):
            by.zero_grad()
            loss_at(kind, w[0], w[1]).backward()
            by.step()
            way.append(w.detach().clone())
        torch.testing.assert_close(path, torch.stack(way), atol=1e-9, rtol=0)


def test_path_in_the_valley_is_the_closed_form():
    for lr in (0.02, 0.5, 0.98, 1.02):
        for k, (w1, w2) in enumerate(path_of("valley", (-3.4, 1.6), lr=lr)):
            assert w1 == pytest.approx(-3.4 * (1 - 0.1 * lr) ** k)
            assert w2 == pytest.approx(1.6 * (1 - 2 * lr) ** k)


def test_path_exactly_on_the_ridge_stays_there_and_any_batch_frees_it():
    assert all(w2 == 0 for _, w2 in path_of("saddle", (2.0, 0.0), lr=0.2))
    off = path_of("saddle", (2.0, 0.0), lr=0.2, batch=32)
    assert abs(off[-1][1]) > 1.5


def test_path_that_flies_off_ends():
    path = path_of("saddle", (4.0, 3.0), lr=2.4)
    assert len(path) < STEPS
    assert max(map(abs, path[-1])) > 1000 >= max(map(abs, path[-2]))
    assert all(map(math.isfinite, path[-1]))


def test_quickest_rate_is_the_one_that_no_other_beats():
    start = (-3.4, 1.6)
    assert quickest("bowl", start) == (1, 0.9), "the loss falls to a hundredth where the place is multiplied by a tenth"
    steps, best = quickest("valley", start)
    for lr in (0.02, 0.5, best, 0.9, 0.98, 1.02):
        losses = [0.05 * (-3.4 * (1 - 0.1 * lr) ** k) ** 2 + (1.6 * (1 - 2 * lr) ** k) ** 2 for k in range(steps + 1)]
        assert (losses[steps] <= 0.01 * losses[0]) >= (lr == best)
        assert losses[steps - 1] > 0.01 * losses[0], lr


@pytest.mark.parametrize(
    ("kind", "start", "options", "k", "said"),
    [
        ("bowl", (3, 1), {"lr": 0.5}, 0, "start"),
        ("bowl", (3, 1), {"lr": 0.5}, 3, "down"),
        ("bowl", (3, 1), {"lr": 1.0}, 1, "rest"),
        ("bowl", (3, 1), {"lr": 0.02}, 40, "creeps"),
        ("bowl", (3, 1), {"lr": 1.6}, 3, "swings"),
        ("bowl", (3, 1), {"lr": 2.0}, 60, "swings"),
        ("bowl", (3, 1), {"lr": 2.02}, 2, "off"),
        ("bowl", (3, 1), {"lr": 2.4, "momentum": 0.5}, 60, "rest"),
        ("valley", (-3.4, 1.6), {"lr": 0.02}, 60, "creeps"),
        ("valley", (-3.4, 1.6), {"lr": 0.94}, 60, "rest"),
        ("valley", (-3.4, 1.6), {"lr": 0.98}, 20, "swings"),
        ("valley", (-3.4, 1.6), {"lr": 1.02}, 20, "off"),
        ("saddle", (2, 0), {"lr": 0.2}, 60, "ridge"),
        ("saddle", (2, 0.1), {"lr": 0.2}, 60, "rest"),
        ("hollows", (-3, 2), {"lr": 0.4}, 60, "rest"),
        ("plateau", (-3.9, 2.9), {"lr": 1.0}, 60, "plain"),
        ("bowl", (3, 1), {"lr": 0.2, "batch": 1}, 60, "noise"),
        ("bowl", (3, 1), {"lr": 0.02, "batch": 32}, 20, "down"),
        ("hollows", (3.5, -2.5), {"lr": 0.5, "batch": 8, "momentum": 0.5}, 60, "noise"),
    ],
)
def test_regimes_are_told_apart(kind, start, options, k, said):
    path = path_of(kind, start, **options)
    assert regime(kind, path, min(k, len(path) - 1), **options) == said
    assert said in REGIMES


def test_all_four_regimes_of_the_rate_lie_on_the_slider_for_bowl_and_valley():
    slider = figures.descent().controls["rate"]
    rates = [round(slider.low + slider.step * k, 9) for k in range(120)]
    assert rates[-1] == slider.high
    for kind in ("bowl", "valley"):
        seen = {regime(kind, path_of(kind, (-3.4, 1.6), lr=lr, steps=12), 12, lr=lr) for lr in rates}
        assert seen >= {"creeps", "down", "swings", "off"}, kind


# ---- noise


def test_tilts_cancel_and_pull_all_ways_alike():
    table = torch.tensor(TILTS, dtype=torch.float64) / 1000
    assert [sum(column) for column in zip(*TILTS)] == [0, 0]
    torch.testing.assert_close(table.T @ table / EXAMPLES, torch.eye(2, dtype=torch.float64), atol=0.05, rtol=0)


def test_noise_formula_is_the_mean_over_all_batches_there_are():
    some = torch.tensor(TILTS[:4] + TILTS[40:43], dtype=torch.float64)  # seven examples, not centred
    middle = some.mean(dim=0)
    one = (some - middle).square().sum(dim=1).mean().sqrt().item()
    for batch in range(1, 8):
        every = torch.stack([some[list(rows)].mean(dim=0) for rows in combinations(range(7), batch)])
        assert rms(one, 7, batch) == pytest.approx((every - middle).square().sum(dim=1).mean().sqrt().item(), abs=1e-9)
    for batch in (1, 2, 3):
        every = torch.stack([some[list(rows)].mean(dim=0) for rows in product(range(7), repeat=batch)])
        wanted = (every - middle).square().sum(dim=1).mean().sqrt().item()
        assert rms(one, 7, batch, again=True) == pytest.approx(wanted, abs=1e-9)


def test_noise_of_a_batch_is_what_its_steps_show():
    assert noise_of(EXAMPLES) == 0
    for batch in BATCHES[:-1]:
        path = path_of(
            "bowl", (0.0, 0.0), lr=1.0, batch=batch, steps=3000
        )  # rate 1 forgets the place: w is minus the tilt
        found = math.sqrt(sum(a * a + b * b for a, b in path[1:]) / 3000)
        assert found == pytest.approx(noise_of(batch), rel=0.05)


@pytest.mark.parametrize(("lr", "momentum"), [(0.2, 0.0), (1.0, 0.0), (1.7, 0.0), (0.2, 0.9), (1.0, 0.5)])
def test_noise_and_pull_are_in_balance_as_the_words_take_it(lr, momentum):
    path = path_of("bowl", (0.0, 0.0), lr=lr, batch=4, momentum=momentum, steps=6000)  # the slope is the place itself
    found = sum(a * a + b * b for a, b in path[200:]) / len(path[200:])
    left = lr * (1 + momentum) / ((1 - momentum) * (2 * (1 + momentum) - lr))
    assert found == pytest.approx(noise_of(4) ** 2 * left, rel=0.1)
    told = [regime("bowl", path[:k], k - 1, lr=lr, batch=4, momentum=momentum) for k in range(61, 1061, 20)]
    assert told.count("noise") > 40


def test_chance_is_even_and_repeatable():
    draw, other = seeded(3), seeded(3)
    assert [draw() for _ in range(5)] == [other() for _ in range(5)]
    assert seeded(3)() != seeded(4)()
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(6000):
        order = tuple(shuffled(range(3), draw))
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6
    assert all(900 < n < 1100 for n in counts.values())
    assert sorted(shuffled("abcde", draw)) == list("abcde")


# ---- the slope of a batch


def test_slopes_of_patients_are_those_of_autograd():
    table = patients()
    assert table.shape == (PATIENTS, 3)
    torch.testing.assert_close(table.mean(dim=0), torch.zeros(3, dtype=torch.float64), atol=1e-4, rtol=0)
    torch.testing.assert_close(table.std(dim=0, correction=0), torch.ones(3, dtype=torch.float64), atol=1e-4, rtol=0)
    for where, at in weights().items():
        w = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        (table[:, :2] @ w - table[:, 2]).square().mean().backward()
        torch.testing.assert_close(slopes_of(where).mean(dim=0), w.grad)
        one = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        (table[5, :2] @ one - table[5, 2]).square().backward()
        torch.testing.assert_close(slopes_of(where)[5], one.grad)


def test_full_slope_shrinks_towards_the_lowest_loss_and_more_batches_step_uphill():
    full = {where: slopes_of(where).mean(dim=0).norm().item() for where in weights()}
    assert full["half"] == pytest.approx(full["start"] / 2, rel=1e-3)
    assert full["near"] == pytest.approx(full["start"] / 10, rel=1e-2)
    uphill = {where: sum(measured(where, 16, draws=k)[1] for k in range(1, 21)) for where in full}
    assert uphill["start"] < uphill["half"] < uphill["near"]


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("where", ["start", "near"])
def test_batches_are_as_far_away_as_predicted_and_right_on_average(where, again):
    full = slopes_of(where).mean(dim=0)
    for batch in SIZES[:-1]:
        found = torch.cat([batch_slopes(where, batch, draws=k, again=again) for k in range(1, 41)])  # (2400, 2)
        far = (found - full).square().sum(dim=1).mean().sqrt().item()
        assert far == pytest.approx(spread(where, batch, again=again), rel=0.08)
        assert (found.mean(dim=0) - full).norm() < 4 * spread(where, batch, again=again) / math.sqrt(2400)
    assert measured(where, PATIENTS)[0] == pytest.approx(0, abs=1e-12)
    assert spread(where, PATIENTS) == 0
    assert spread(where, PATIENTS, again=True) > 0.1 * spread(where, 1)


def test_answers_follow_from_what_is_computed():
    valley, noise = figures.descent(), figures.batch_noise()
    wide = path_of("valley", (-3.4, 1.6), lr=1.02)
    assert valley.guesses[valley.right] == "they go down along the valley and swing across it wider and wider"
    assert all(abs(b[1]) > abs(a[1]) and abs(b[0]) < abs(a[0]) for a, b in pairwise(wide))
    assert abs(wide[1][1]) < EDGE[1], "it does not leave at once"
    assert f"{loss_at('valley', *wide[-1]):.0f}" in valley.answer
    assert noise.guesses[noise.right] == "to about half"
    assert f"{spread('start', 16) / spread('start', 4):.2f}" in noise.answer
