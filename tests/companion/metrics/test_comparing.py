"""The corrected t-test, Wilson's interval and Matthews' correlation against SciPy, scikit-learn and by hand."""

import math

import pytest
import scipy.stats
import sklearn.metrics
import torch

from companion import metrics


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_corrected_t_is_the_usual_one_with_a_wider_error():
    a, b = torch.rand(10, generator=seeded(1)), torch.rand(10, generator=seeded(2))
    usual = scipy.stats.ttest_rel(a.double().numpy(), b.double().numpy())
    found = metrics.corrected_cv_ttest(a, b, test_share=0.2)
    narrower = math.sqrt((1 / 10) / (1 / 10 + 0.2 / 0.8))
    assert found.statistic == pytest.approx(usual.statistic * narrower, rel=1e-12)
    assert found.pvalue == pytest.approx(2 * scipy.stats.t.sf(abs(found.statistic), 9), rel=1e-12)
    assert found.difference == pytest.approx(float((a.double() - b.double()).mean()), rel=1e-12)
    assert found.df == 9


def test_corrected_t_with_next_to_nothing_tested_is_the_usual_one():
    a, b = torch.rand(6, generator=seeded(3)), torch.rand(6, generator=seeded(4))
    usual = scipy.stats.ttest_rel(a.double().numpy(), b.double().numpy())
    found = metrics.corrected_cv_ttest(a, b, test_share=1e-12)
    assert (found.statistic, found.pvalue) == pytest.approx((usual.statistic, usual.pvalue), rel=1e-9)


@pytest.mark.parametrize(("gap", "t", "p"), [(0.0, 0.0, 1.0), (0.5, math.inf, 0.0), (-0.5, -math.inf, 0.0)])
def test_corrected_t_of_differences_that_are_all_equal(gap, t, p):
    b = torch.tensor([0.25, 0.5, 0.125])
    found = metrics.corrected_cv_ttest(b + gap, b, test_share=0.25)
    assert (found.statistic, found.pvalue) == (t, p)


def test_corrected_t_turns_round_with_its_arguments():
    a, b = torch.rand(5, generator=seeded(5)), torch.rand(5, generator=seeded(6))
    one, other = (metrics.corrected_cv_ttest(*pair, test_share=0.1) for pair in ((a, b), (b, a)))
    assert (one.statistic, one.pvalue) == pytest.approx((-other.statistic, other.pvalue))


@pytest.mark.parametrize("share", [0, 1, -0.2, 20])
def test_corrected_t_refuses_a_share_that_is_none(share):
    with pytest.raises(ValueError, match=r"test_share expected a number between 0 and 1.*1 / k for k folds"):
        metrics.corrected_cv_ttest(torch.rand(3), torch.rand(3), test_share=share)


def test_corrected_t_refuses_one_split():
    with pytest.raises(ValueError, match="two splits or more"):
        metrics.corrected_cv_ttest(torch.rand(1), torch.rand(1), test_share=0.2)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(("hits", "n"), [(0, 7), (7, 7), (1, 1), (3, 20), (349, 360)])
def test_wilson_is_scipys(hits, n, level):
    theirs = scipy.stats.binomtest(hits, n).proportion_ci(confidence_level=level, method="wilson")
    found = metrics.wilson_interval(hits, n, confidence_level=level)
    assert found == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0.9, 20), "hits expected a whole number from 0 to 20, got 0.9"),
        ((21, 20), "hits"),
        ((-1, 20), "hits"),
        ((True, 20), "hits"),
        ((0, 0), "n expected a whole number from 1"),
        ((1, 2.0), "n expected"),
    ],
)
def test_wilson_refuses_what_is_no_count(arguments, said):
    with pytest.raises(ValueError, match=said):
        metrics.wilson_interval(*arguments)


def test_wilson_refuses_a_level_in_per_cent():
    with pytest.raises(ValueError, match="confidence_level expected a number between 0 and 1, got 95"):
        metrics.wilson_interval(3, 4, confidence_level=95)


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_matthews_is_scikit_learns(classes, seed):
    true = torch.randint(classes, (40,), generator=seeded(seed))
    pred = torch.where(
        torch.rand(40, generator=seeded(seed + 9)) < 0.6,
        true,
        torch.randint(classes, (40,), generator=seeded(seed + 5)),
    )
    theirs = sklearn.metrics.matthews_corrcoef(true.numpy(), pred.numpy())
    assert metrics.matthews_corrcoef(true, pred) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.filterwarnings("ignore:A single label")
@pytest.mark.parametrize(
    ("true", "pred"),
    [([0, 0, 1], [0, 0, 0]), ([1, 1, 1], [0, 1, 1]), ([2, 2], [2, 2]), ([0, 1], [1, 0]), ([3, -1, 3], [3, -1, -1])],
)
def test_matthews_at_the_edges_is_scikit_learns(true, pred):
    theirs = sklearn.metrics.matthews_corrcoef(true, pred)
    assert metrics.matthews_corrcoef(torch.tensor(true), torch.tensor(pred)) == pytest.approx(theirs, abs=1e-12)
