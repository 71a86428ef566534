"""Intervals and tests against SciPy and by hand."""

import math

import numpy as np
import pytest
import scipy.stats
import torch

from companion import metrics


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def sample():
    return torch.rand(30, generator=seeded(3)).log().neg()


@pytest.mark.parametrize("method", ["BCa", "percentile"])
@pytest.mark.parametrize("level", [0.9, 0.99])
def test_bootstrap_ends_are_scipys_for_the_same_draws(sample, method, level):
    found = metrics.bootstrap_interval(
        lambda x: float(x.std()), sample, confidence_level=level, n_resamples=400, method=method, generator=seeded()
    )
    drawn = type("Drawn", (), {"bootstrap_distribution": found.distribution.numpy()})
    theirs = scipy.stats.bootstrap(
        (sample.numpy(),),
        lambda x: x.std(ddof=1),
        n_resamples=0,
        confidence_level=level,
        method=method,
        vectorized=False,
        bootstrap_result=drawn,
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx(tuple(theirs), abs=1e-5)
    assert found.distribution.shape == (400,)


def test_bootstrap_keeps_rows_together():
    true = torch.randint(2, (50,), generator=seeded())
    found = metrics.bootstrap_interval(
        metrics.accuracy_score, true, true, n_resamples=50, method="percentile", generator=seeded()
    )
    assert (found.low, found.high) == (1, 1)


def test_percentile_interval_covers_the_mean_about_as_often_as_it_says():
    hits = 0
    for seed in range(60):
        x = torch.randn(40, generator=seeded(seed))
        found = metrics.bootstrap_interval(
            lambda x: float(x.mean()),
            x,
            confidence_level=0.8,
            n_resamples=200,
            method="percentile",
            generator=seeded(seed),
        )
        hits += found.low <= 0 <= found.high
    assert 0.65 <= hits / 60 <= 0.93


@pytest.mark.parametrize(
    ("options", "samples", "said"),
    [
        ({}, (), "at least one tensor"),
        ({}, (torch.ones(1),), "two rows or more"),
        ({}, (torch.ones(3), torch.ones(4)), r"lengths \[3, 4\]"),
        ({"confidence_level": 95}, (torch.rand(5),), "between 0 and 1, got 95"),
        ({"n_resamples": 0}, (torch.rand(5),), "n_resamples expected"),
        ({"method": "basic"}, (torch.rand(5),), "method expected 'BCa' or 'percentile'"),
        ({}, (torch.ones(5),), "one that varies over resamples"),
        ({}, (torch.tensor([1.0, math.nan]),), "finite numbers"),
    ],
)
def test_bootstrap_refuses_in_words(options, samples, said):
    with pytest.raises(ValueError, match=said):
        metrics.bootstrap_interval(lambda *x: float(x[0].mean()), *samples, generator=seeded(), **options)


@pytest.mark.parametrize(("only_a", "only_b"), [(7, 2), (0, 5), (3, 3), (30, 11), (1, 0)])
def test_mcnemar_is_the_binomial_and_the_chi_squared_test(only_a, only_b):
    true = torch.zeros(only_a + only_b + 9)
    a, b = torch.zeros_like(true), torch.zeros_like(true)
    b[:only_a] = 1
    a[only_a : only_a + only_b] = 1
    a[-3:] = b[-3:] = 1  # both wrong
    found = metrics.mcnemar_test(true, a, b)
    total = only_a + only_b
    assert found[:3] == (only_a, only_b, min(only_a, only_b))
    assert found.pvalue == pytest.approx(scipy.stats.binomtest(only_a, total).pvalue)
    rough = metrics.mcnemar_test(true, a, b, exact=False)
    statistic = max(abs(only_a - only_b) - 1, 0) ** 2 / total
    assert rough.statistic == pytest.approx(statistic)
    assert rough.pvalue == pytest.approx(scipy.stats.chi2.sf(statistic, 1))
    assert metrics.mcnemar_test(true, b, a).pvalue == found.pvalue


def test_mcnemar_of_equal_answers_finds_nothing():
    same = torch.tensor([0, 1, 1])
    assert metrics.mcnemar_test(torch.tensor([0, 0, 1]), same, same) == (0, 0, 0.0, 1.0)


def test_few_pairs_are_all_flipped_as_scipy_does():
    a, b = torch.rand(9, generator=seeded()), torch.rand(9, generator=seeded(1))
    found = metrics.paired_permutation_test(a, b)
    theirs = scipy.stats.permutation_test(
        (a.double().numpy(), b.double().numpy()),
        lambda x, y: np.mean(x - y),
        permutation_type="samples",
        n_resamples=9999,
    )
    assert found.statistic == pytest.approx(theirs.statistic)
    assert found.pvalue == pytest.approx(theirs.pvalue)


def test_many_pairs_are_flipped_at_random():
    a = torch.randn(40, generator=seeded())
    found = metrics.paired_permutation_test(a + 0.35, a * 0, n_resamples=2000, generator=seeded())
    theirs = scipy.stats.ttest_1samp((a + 0.35).numpy(), 0).pvalue  # the shares are close to normal here
    assert found.pvalue == pytest.approx(theirs, abs=0.02)
    assert metrics.paired_permutation_test(a + 9, a, n_resamples=200, generator=seeded()).pvalue == pytest.approx(
        1 / 201
    )
    assert metrics.paired_permutation_test(a, a, n_resamples=200, generator=seeded()).pvalue == 1


def test_permutation_refuses_in_words():
    with pytest.raises(ValueError, match="n_resamples expected a whole number from 1, got 0"):
        metrics.paired_permutation_test(torch.ones(2), torch.ones(2), n_resamples=0)
    with pytest.raises(ValueError, match="as many as a"):
        metrics.paired_permutation_test(torch.ones(2), torch.ones(3))


def test_signs_are_drawn_where_the_generator_lives(monkeypatch):
    asked = []
    randint = torch.randint

    def noting(*args, device=None, **options):
        asked.append(device)
        return randint(*args, device=device, **options)

    monkeypatch.setattr(torch, "randint", noting)
    g = torch.Generator().manual_seed(0)
    metrics.paired_permutation_test(torch.rand(40), torch.rand(40), n_resamples=20, generator=g)
    metrics.paired_permutation_test(torch.rand(40), torch.rand(40), n_resamples=20)
    assert asked == [torch.device("cpu"), None]
