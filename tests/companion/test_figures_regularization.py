"""What the figures of chapter 09 compute: solutions under a price against scikit-learn, stops against the companion's callback."""

from __future__ import annotations

import math
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, Ridge

from companion import figures
from companion.figures.regularization import (
    LOOKS,
    PATH,
    RUNS,
    SIZES,
    STRENGTHS,
    Priced,
    ball,
    curve_of,
    ellipse,
    ends_of,
    least_patience,
    loss_of,
    on_slider,
    price_of,
    smoothed,
    solution,
    stop,
    wrong_of,
    zero_from,
)
from companion.training import EarlyStopping

# ---- a price on two weights

CASES = [
    Priced(wanted, tilt, narrow)
    for wanted, tilt, narrow in product(((2.6, 1.0), (2.6, -0.2), (-1.3, -2.5)), (-85, -20, 0, 45, 90), (1.0, 3.0, 5.0))
]


def as_data(case):
    """Return examples, 2 of them, whose mean square is the loss: XᵀX / 2 is H, and the targets are X c."""
    a, b, d = case.bend
    x = math.sqrt(2) * np.linalg.cholesky(np.array([[a, b], [b, d]])).T
    return x, x @ np.array(case.wanted)


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("strength", [0.1, 0.8, 2.5])
def test_solution_is_that_of_scikit_learns_elastic_net(share, strength):
    for case in CASES:
        model = ElasticNet(strength, l1_ratio=share, fit_intercept=False, tol=1e-14, max_iter=1_000_000)
        assert solution(case._replace(share=share), strength) == pytest.approx(
            model.fit(*as_data(case)).coef_, abs=1e-6
        )


@pytest.mark.parametrize("strength", [0.1, 2.5, 100.0])
def test_solution_under_l2_is_ridge(strength):
    for case in CASES:
        due = Ridge(2 * strength, fit_intercept=False).fit(*as_data(case)).coef_  # on the sum of two squares
        assert solution(case._replace(share=0.0), strength) == pytest.approx(due, abs=1e-9)


def test_round_contours_give_the_chapters_formulas():
    case = Priced((3.0, 0.8), narrow=1.0)
    assert solution(case, 1.0) == pytest.approx((2.0, 0.0), abs=1e-15)
    assert solution(case, 1.0)[1] == 0
    assert solution(case._replace(share=0.0), 2.0) == pytest.approx((1.0, 0.8 / 3))
    assert solution(case, 0) == pytest.approx((3.0, 0.8))


def test_weight_that_is_0_stays_0_from_the_strength_that_is_said():
    for case, share in product(CASES, (0.1, 1.0)):
        one = case._replace(share=share)
        ends = [zero_from(one, i) for i in (0, 1)]
        assert share * max(ends) == pytest.approx(max(map(abs, one.pull)))
        assert max(ends) < PATH[-1]
        for i, end in enumerate(ends):
            assert solution(one, end * (1 - 1e-9))[i] != 0
            assert all(solution(one, strength)[i] == 0 for strength in [end, *PATH] if strength >= end)


def test_no_strength_of_l2_brings_a_weight_to_0():
    for case in CASES:
        one = case._replace(share=0.0)
        assert zero_from(one, 0) == zero_from(one, 1) == math.inf
        assert all(all(solution(one, strength)) for strength in PATH)


def test_contour_and_ball_touch_at_the_solution_and_nowhere_cross():
    for case, share in product(CASES, (0.0, 0.4, 1.0)):
        one = case._replace(share=share)
        w = solution(one, 0.8)
        loss, price = loss_of(one, w), price_of(one, w)
        assert all(price_of(one, place) >= price - 1e-9 for place in ellipse(one, math.sqrt(2 * loss)))
        assert all(loss_of(one, place) >= loss - 1e-9 for place in ball(share, price))


def test_ball_without_a_price_is_a_point():
    assert set(ball(0.5, 0.0)) == {(0.0, 0.0)}


def test_penalty_geometry_says_what_is_computed():
    figure, case = figures.penalty_geometry(), Priced()
    ends = [zero_from(case, i) for i in (0, 1)]
    assert ends[0] < ends[1]
    assert case.wanted[0] > case.wanted[1], "the longer one goes first"
    assert figure.guesses[figure.right].startswith("w₁")
    assert f"{ends[0]:.2f} (on the slider at {on_slider(ends[0]):g}); w₂ follows at {ends[1]:.2f}" in figure.answer
    assert max(solution(case, strength)[1] for strength in PATH) > 1.2 * case.wanted[1]
    assert solution(case._replace(wanted=(2.6, -0.2)), 1.4)[1] > 0.05
    now = STRENGTHS[figure.controls["strength"].start]
    assert "({:.2f}, {:.2f})".format(*solution(case, now)) in figure.alt
    assert all(solution(case, now)), "the default state does not give the answer away"


# ---- when to stop


def test_stop_by_hand_as_in_the_chapter():
    curve = [1.0, 0.8, 0.9, 0.7, 0.75, 0.72, 0.71, 0.6]
    assert stop(curve, 3) == (6, 3)
    assert stop(curve, 1) == (2, 1)
    assert stop(curve, 4) == (7, 7)
    assert stop(curve, 2, 0.15) == (3, 1)
    assert stop([0.5], 1) == (0, 0)


@pytest.mark.parametrize("patience", [1, 3, 7, 20])
@pytest.mark.parametrize("delta", [0, 30])
def test_stop_is_where_the_companions_callback_stops(patience, delta):
    for run, size in product(range(1, RUNS + 1), SIZES):
        curve, columns = curve_of(run, size), {"val_loss": list[int]()}
        history, weights = SimpleNamespace(columns=lambda columns=columns: columns), SimpleNamespace(state_dict=dict)
        state = SimpleNamespace(history=history, model=weights, epoch=-1, stop=False)
        callback = EarlyStopping(patience, min_delta=delta)
        callback.on_fit_start(state)
        while not state.stop and state.epoch < LOOKS - 1:
            state.epoch += 1
            columns["val_loss"].append(curve[state.epoch])
            callback.on_epoch_end(state)
        assert stop(curve, patience, delta) == (state.epoch, callback.best_epoch), (run, size)


def test_smoothing_takes_the_last_looks_and_fewer_at_the_beginning():
    assert smoothed([4, 2, 9, 1], 1) == [4, 2, 9, 1]
    assert smoothed([4, 2, 9, 1], 3) == [4, 3, 5, 4]
    assert smoothed([4, 2], 9) == [4, 3]


def test_ends_are_read_at_the_looks_of_the_raw_record():
    end = ends_of(1, 10, 3, 20, window=5)
    curve = smoothed(curve_of(1, 10), 5)
    assert end.stop == stop(curve, 3, 20)
    assert curve[end.lowest] == min(curve)
    assert end.best_wrong == wrong_of(1)[end.stop.best] / 1000
    assert end.last_wrong == wrong_of(1)[end.stop.at] / 1000
    assert end.lowest_wrong == wrong_of(1)[end.lowest] / 1000


def test_least_patience_is_the_least():
    for run, size in product(range(1, RUNS + 1), SIZES):
        least = least_patience(run, size)
        found = [(end := ends_of(run, size, patience)).stop.best == end.lowest for patience in range(1, 41)]
        assert found == [patience >= least for patience in range(1, 41)]


def test_early_stop_says_what_is_recorded():
    figure, need = figures.early_stop(), least_patience(7, 50)
    now, found = ends_of(7, 50, 2), ends_of(7, 50, need)
    assert figure.guesses[figure.right] == str(need)
    assert now.stop.best < now.stop.at < now.lowest, "the default state does not give the answer away"
    assert found.best_wrong < now.best_wrong - 0.03
    assert ends_of(7, 50, 20).last_wrong > found.best_wrong + 0.05
    assert f"from {now.best_wrong:.3f} to {found.best_wrong:.3f}" in figure.answer
    few = least_patience(1, 10)
    lucky, better = ends_of(1, 10, few), ends_of(1, 50, few)
    assert few > 10
    assert lucky.best_wrong > better.best_wrong + 0.03, "the lowest point of ten digits is luck"
    assert f"{lucky.best_wrong:.3f} of the new digits are wrong there" in figure.answer
    assert f"{now.best_wrong:.3f} at the best look" in figure.alt
