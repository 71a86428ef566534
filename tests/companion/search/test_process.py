"""The Gaussian process against scikit-learn's, expected improvement against an integral and by hand."""

import itertools
import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import torch
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern

from companion.random import generator
from companion.search import (
    GaussianProcess,
    expected_improvement,
    likeliest_process,
    matern52,
    squared_exponential,
)
from companion.search.process import LENGTHS, NOISES

KERNELS = {
    "squared exponential": (squared_exponential, lambda length: RBF(length, "fixed")),
    "matern52": (matern52, lambda length: Matern(length, "fixed", nu=2.5)),
}


def data(n, d, seed=0):
    g = generator(seed)
    X = torch.rand(n, d, generator=g, dtype=torch.double)
    return X, torch.sin(5 * X.sum(dim=1)) + 0.1 * torch.randn(n, generator=g, dtype=torch.double)


def theirs(kernel, length, variance, noise, X, y):
    made = ConstantKernel(variance, "fixed") * KERNELS[kernel][1](length)
    return GaussianProcessRegressor(made, alpha=noise, optimizer=None).fit(X.numpy(), y.numpy())


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("length", "d"), [(0.3, 1), (0.7, 3), ((0.2, 0.9, 3.0), 3)])
@pytest.mark.parametrize(("n", "variance", "noise"), [(1, 1.0, 1e-6), (20, 2.5, 1e-4), (40, 0.3, 0.2)])
def test_process_is_scikit_learns(kernel, length, d, n, variance, noise):
    X, y = data(n, d)
    new = torch.rand(15, d, generator=generator(1), dtype=torch.double) * 2 - 0.5
    mine = GaussianProcess(length, variance=variance, noise=noise, kernel=KERNELS[kernel][0]).fit(X, y)
    reference = theirs(kernel, length, variance, noise, X, y)
    mean, std = mine.predict(new)
    expected = reference.predict(new.numpy(), return_std=True)
    torch.testing.assert_close(mean, torch.as_tensor(expected[0]), rtol=0, atol=1e-8)
    torch.testing.assert_close(std, torch.as_tensor(expected[1]), rtol=0, atol=1e-8)
    assert mine.log_marginal_likelihood() == pytest.approx(reference.log_marginal_likelihood_value_, abs=1e-8)


def test_log_marginal_likelihood_is_the_density_of_the_values():
    X, y = data(6, 2)
    K = 1.7 * torch.exp(-(torch.cdist(X, X) ** 2) / (2 * 0.5**2)) + 0.1 * torch.eye(6)
    density = scipy.stats.multivariate_normal(cov=K.numpy()).logpdf(y.numpy())
    assert GaussianProcess(0.5, variance=1.7, noise=0.1).fit(X, y).log_marginal_likelihood() == pytest.approx(density)


def test_one_observation_is_met_and_forgotten_far_away():
    process = GaussianProcess(0.5, variance=4.0, noise=0.0).fit(torch.zeros(1, 1), torch.tensor([3.0]))
    mean, std = process.predict(torch.tensor([[0.0], [0.5], [50.0]]))
    assert mean.tolist() == pytest.approx([3, 3 * math.exp(-0.5), 0], abs=1e-7)  # float32 places in
    assert std.tolist() == pytest.approx([0, 2 * math.sqrt(1 - math.exp(-1)), 2], abs=1e-7)
    assert process.log_marginal_likelihood() == pytest.approx(scipy.stats.norm(scale=2).logpdf(3))


def test_values_seen_are_met_without_noise_and_not_with_it():
    X, y = data(8, 1)
    exact, _ = GaussianProcess(0.2, noise=0.0, kernel=matern52).fit(X, y).predict(X)
    torch.testing.assert_close(exact, y, rtol=0, atol=1e-9)
    drawn_in, std = GaussianProcess(0.2, noise=0.5, kernel=matern52).fit(X, y).predict(X)
    assert (drawn_in - y).abs().max() > 0.05
    assert (std > 0.2).all()


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_doubt_is_never_below_zero_where_rounding_carries_what_is_known_over_the_variance(n):
    X = torch.linspace(0, 1, n, dtype=torch.double)[:, None]
    for variance in (0.1, 0.3, 1.0, 2.5, 7.0):  # at some of them it does so, by the last digit
        std = GaussianProcess(0.3, variance=variance, noise=0).fit(X, X[:, 0]).predict(X)[1]
        assert ((std >= 0) & (std < 1e-6)).all()


def test_noise_that_is_not_given_is_a_millionth_of_the_variance():
    std = GaussianProcess(1.0).fit(torch.zeros(1, 1), torch.ones(1)).predict(torch.zeros(1, 1))[1]
    assert std.item() == pytest.approx(math.sqrt(1 - 1 / (1 + 1e-6)))


def test_same_place_twice_is_the_mean_of_its_values_seen_through_the_noise():
    X, y = torch.tensor([[0.3], [0.3]]), torch.tensor([1.0, 2.0])
    mean, _ = GaussianProcess(1.0, noise=0.5).fit(X, y).predict(X[:1])
    assert mean.item() == pytest.approx(1.5 / 1.25)  # variance 1 against noise 0.5 / 2


def test_fit_leaves_its_arguments_alone_and_can_be_repeated():
    X, y = data(5, 2)
    before = X.clone(), y.clone()
    process = GaussianProcess(0.5)
    first = process.fit(X, y).predict(X)[0]
    assert (X - before[0]).count_nonzero() + (y - before[1]).count_nonzero() == 0
    process.fit(X[:2], -y[:2])
    assert not torch.allclose(process.predict(X)[0], first)
    torch.testing.assert_close(process.fit(X, y).predict(X)[0], first)
    assert process.fit(X, y) is process


@pytest.mark.parametrize("kernel", [squared_exponential, matern52])
def test_kernel_is_one_at_no_distance_and_falls_to_nothing(kernel):
    k = kernel(torch.linspace(0, 36, 400, dtype=torch.double))
    assert k[0] == 1
    assert (k.diff() < 0).all()
    assert k[-1] < 1e-30


# ---- the likeliest process


def test_likeliest_process_is_the_best_of_its_set_on_one_axis():
    X, y = data(15, 1)
    y = (y - y.mean()) / y.std(correction=0)
    found = likeliest_process(X, y)
    all_ = [GaussianProcess(a, noise=b, kernel=matern52).fit(X, y) for a, b in itertools.product(LENGTHS, NOISES)]
    best = max(all_, key=lambda p: p.log_marginal_likelihood())
    assert (found.length_scale, found.noise) == (best.length_scale, best.noise)
    assert found.kernel is matern52


def test_likeliest_process_gives_an_axis_without_effect_the_longest_length():
    g = generator(2)
    X = torch.rand(40, 3, generator=g, dtype=torch.double)
    y = torch.cos(9 * X[:, 1])
    found = likeliest_process(X, (y - y.mean()) / y.std(correction=0), kernel=squared_exponential)
    assert found.length_scale[0] == found.length_scale[2] == max(LENGTHS)
    assert found.length_scale[1] <= 0.4
    assert found.noise == min(NOISES)


def test_likeliest_process_calls_noise_noise():
    X = torch.rand(60, 1, generator=generator(0), dtype=torch.double)
    y = torch.randn(60, generator=generator(1), dtype=torch.double)
    steady = 2 * X[:, 0] + 0.3 * y
    found = likeliest_process(X, (steady - steady.mean()) / steady.std(correction=0))
    assert found.noise >= 0.1


def test_likeliest_process_takes_a_set_of_ones_own_and_equal_values():
    X, _ = data(4, 2)
    found = likeliest_process(X, torch.zeros(4), lengths=[0.7], noises=[0.05])
    assert (found.length_scale, found.noise) == ((0.7, 0.7), 0.05)
    assert found.predict(X)[0].tolist() == [0] * 4


def test_written_out_set_is_the_one_that_the_figure_and_the_chapter_name():
    assert LENGTHS == (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
    assert NOISES == (1e-4, 1e-3, 1e-2, 0.1, 0.3)


def test_likeliest_process_goes_twice_around_and_tries_no_combination_besides(monkeypatch):
    fitted = []
    fit = GaussianProcess.fit
    monkeypatch.setattr(GaussianProcess, "fit", lambda self, X, y: fitted.append(self) or fit(self, X, y))
    likeliest_process(*data(6, 3))
    assert len(fitted) == 1 + 2 * (3 * len(LENGTHS) + len(NOISES))


def test_likeliest_process_stays_in_the_middle_where_all_lengths_are_equally_probable():
    one = likeliest_process(torch.full((1, 2), 0.5), torch.zeros(1))  # a single value knows of no distance
    assert one.length_scale == (LENGTHS[3], LENGTHS[3])
    assert one.noise == min(NOISES)


# ---- expected improvement


@pytest.mark.parametrize("mean", [-1.0, 0.4, 2.5])
@pytest.mark.parametrize("std", [0.05, 1.0, 3.0])
@pytest.mark.parametrize("margin", [0.0, 0.2])
def test_expected_improvement_is_the_integral_of_the_gain(mean, std, margin):
    best = 0.5
    gain = scipy.integrate.quad(
        lambda z: max(best - margin - mean - std * z, 0) * scipy.stats.norm.pdf(z), -12, 12, points=[(best - margin - mean) / std], limit=200
    )[0]  # fmt: skip
    found = expected_improvement(torch.tensor([mean]), torch.tensor([std]), best, margin=margin)
    assert found.item() == pytest.approx(gain, abs=1e-7)


def test_expected_improvement_by_hand():
    # z = (1 - 0.8) / 0.4 = 0.5: 0.4 * (0.5 * 0.6914625 + 0.3520653) = 0.2791186
    found = expected_improvement(torch.tensor([0.8], dtype=torch.double), torch.tensor([0.4], dtype=torch.double), 1.0)
    assert found.item() == pytest.approx(0.2791186, abs=1e-7)


def test_expected_improvement_without_doubt_is_the_plain_gain():
    found = expected_improvement(torch.tensor([0.2, 0.5, 0.9]).double(), torch.zeros(3), 0.5, margin=0.1)
    assert found.tolist() == pytest.approx([0.2, 0, 0])


def test_expected_improvement_is_never_below_zero_and_grows_with_doubt():
    std = torch.logspace(-3, 2, 200, dtype=torch.double)
    for mean in (-2.0, 0.0, 0.3, 40.0):
        found = expected_improvement(torch.full_like(std, mean), std, 0.0)
        assert (found >= 0).all()
        assert (found.diff() >= -1e-15).all()
    far = expected_improvement(torch.linspace(5, 60, 500).double(), torch.ones(500), 0.0)
    assert ((far >= 0) & torch.isfinite(far)).all()


def test_expected_improvement_falls_with_the_margin_and_the_mean():
    mean = torch.linspace(-1, 1, 9).double()
    none, some = (expected_improvement(mean, torch.full_like(mean, 0.5), 0.0, margin=m) for m in (0, 0.3))
    assert (some < none).all()
    assert (none.diff() < 0).all()
    torch.testing.assert_close(some, expected_improvement(mean + 0.3, torch.full_like(mean, 0.5), 0.0))


ONE = torch.ones(2, 1)
NAN = torch.tensor([0.0, np.nan])


@pytest.mark.parametrize(
    ("run", "error", "said"),
    [
        (lambda: GaussianProcess(0), ValueError, "length_scale expected a finite number above 0, got 0"),
        (lambda: GaussianProcess([]), ValueError, "length_scale expected one number, or one for each axis, got none"),
        (lambda: GaussianProcess("1"), TypeError, "length_scale expected a finite number above 0, got str"),
        (lambda: GaussianProcess(1, variance=-1), ValueError, "variance expected a finite number above 0, got -1"),
        (lambda: GaussianProcess(1, noise=-1e-9), ValueError, "noise expected 0 or more, got -1e-09"),
        (lambda: GaussianProcess(1).predict(ONE), ValueError, r"none yet; call fit\(X, y\) first"),
        (lambda: GaussianProcess(1).log_marginal_likelihood(), ValueError, r"none yet; call fit\(X, y\) first"),
        (lambda: GaussianProcess(1).fit([[1.0]], ONE[:, 0]), TypeError, "X expected a tensor, got list"),
        (lambda: GaussianProcess(1).fit(torch.ones(2), torch.ones(2)), ValueError, r"shape \(n, d\), got \(2,\)"),
        (lambda: GaussianProcess((1, 2)).fit(ONE, torch.ones(2)), ValueError, r"shape \(n, 2\), got \(2, 1\)"),
        (lambda: GaussianProcess(1).fit(ONE, torch.ones(3)), ValueError, "one value for each place"),
        (lambda: GaussianProcess(1).fit(ONE, torch.ones(2).long()), ValueError, "y expected a float tensor"),
        (lambda: GaussianProcess(1).fit(ONE[:0], ONE[:0, 0]), ValueError, "X expected one place or more, got none"),
        (lambda: GaussianProcess(1).fit(ONE, NAN), ValueError, "y expected finite values, got nan or infinity; give"),
        (lambda: GaussianProcess(1).fit(NAN[:, None], NAN), ValueError, "X expected finite places"),
        (lambda: GaussianProcess(1, noise=0).fit(ONE, ONE[:, 0]), ValueError, "noise expected more, as places lie too"),
        (lambda: GaussianProcess(1).fit(ONE, ONE[:, 0]).predict(torch.ones(1, 2)), ValueError, "1 columns, as in fit, got 2"),
        (lambda: likeliest_process(ONE, ONE[:, 0], lengths=[]), ValueError, "one of each or more, got 0 and 5"),
        (lambda: likeliest_process(ONE[:, 0], ONE[:, 0]), ValueError, r"shape \(n, d\), got \(2,\)"),
        (lambda: likeliest_process([[1.0]], ONE[:, 0]), TypeError, "X expected a tensor, got list"),
        (lambda: expected_improvement(ONE, ONE[:1], 0.0), ValueError, "std expected shape"),
        (lambda: expected_improvement([1.0], ONE, 0.0), TypeError, "mean expected a tensor, got list"),
        (lambda: expected_improvement(ONE, -ONE, 0.0), ValueError, "std expected finite numbers from 0, got one below 0"),
        (lambda: expected_improvement(NAN, NAN, 0.0), ValueError, "mean expected finite numbers"),
        (lambda: expected_improvement(torch.zeros(2), NAN, 0.0), ValueError, "std expected finite numbers from 0"),
        (lambda: expected_improvement(ONE, ONE, math.inf), ValueError, "best expected a finite number, got inf"),
        (lambda: expected_improvement(ONE, ONE, 0.0, margin=-1), ValueError, "margin expected 0 or more, got -1"),
    ],
)  # fmt: skip
def test_what_cannot_be_guessed_from_is_refused_in_words(run, error, said):
    with pytest.raises(error, match=said):
        run()
