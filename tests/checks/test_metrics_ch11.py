"""Chapter 11: what its exercises ask for, beside scikit-learn, SciPy and closed forms, and reports whose numbers are computed again."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import optimize, stats
from sklearn import metrics

from companion.checks import bank
from companion.checks.ch11_metrics.e6_mistakes import REPORTS
from companion.checks.ch11_metrics.e6_reports import calibrated_by_chance, chosen_on_the_test
from companion.metrics import expected_calibration_error


def reference(id):
    return bank.get(id).reference


def drawn(seed, n, ill, *, steps=0.0):
    g = torch.Generator().manual_seed(seed)
    y = torch.zeros(n, dtype=torch.int64)
    y[torch.randperm(n, generator=g)[:ill]] = 1
    scores = torch.randn(n, generator=g, dtype=torch.float64) + y
    return y, (scores / steps).round() * steps if steps else scores


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize("threshold", [-9.0, -0.5, 0.0, 1.25, 9.0])
def test_four_counts_are_those_of_scikit_learn(threshold):
    y, scores = drawn(1, 60, 17, steps=0.25)
    found = reference("11.1")[0](y, scores, threshold)
    said = (scores >= threshold).long()
    assert [found[n] for n in ("tn", "fp", "fn", "tp")] == metrics.confusion_matrix(y, said).ravel().tolist()
    assert found["recall"] == metrics.recall_score(y, said)
    assert found["specificity"] == metrics.recall_score(y, said, pos_label=0)
    assert found["precision"] == metrics.precision_score(y, said)
    assert found["accuracy"] == metrics.accuracy_score(y, said)
    assert found["f1"] == pytest.approx(metrics.f1_score(y, said))


@pytest.mark.parametrize("costs", [(1.0, 10.0), (7.0, 2.0), (1.0, 1.0)])
def test_threshold_costs_no_more_than_any_other(costs):
    y, scores = drawn(2, 90, 25)
    line, least = reference("11.2")[0](y, scores, *costs)

    def cost(t):
        called = scores >= t
        return (costs[0] * (called & (y == 0)).sum() + costs[1] * (~called & (y == 1)).sum()).item() / len(y)

    assert cost(line) == pytest.approx(least.item())
    lines = [*torch.linspace(-5, 5, 2001).tolist(), math.inf]
    assert min(cost(t) for t in lines) >= least.item() - 1e-6
    assert min([math.inf, *(cost(t) for t in scores[scores > line].tolist())]) > least.item() + 1e-6


@pytest.mark.parametrize("steps", [0.0, 0.5, 10.0])
def test_roc_is_that_of_scikit_learn_and_its_area_a_chance(steps):
    y, scores = drawn(3, 70, 20, steps=steps)
    fpr, tpr, area = reference("11.3")[0](y, scores)
    theirs = metrics.roc_curve(y, scores, drop_intermediate=False)
    assert fpr.tolist() == pytest.approx(theirs[0].tolist())
    assert tpr.tolist() == pytest.approx(theirs[1].tolist())
    ill, healthy = scores[y == 1].numpy(), scores[y == 0].numpy()
    u = stats.mannwhitneyu(ill, healthy).statistic
    assert area.item() == pytest.approx(u / (len(ill) * len(healthy)))
    assert area.item() == pytest.approx(metrics.roc_auc_score(y, scores))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_f1_scores_are_those_of_scikit_learn_with_empty_classes():
    for case in bank.get("11.4").cases(3):
        matrix = case.args["matrix"].double()
        true, said = matrix.nonzero().T
        weights = matrix[true, said]
        found = [float(v) for v in reference("11.4")[0](matrix)]
        theirs = [
            metrics.f1_score(true, said, average=a, sample_weight=weights) for a in ("macro", "micro", "weighted")
        ]
        assert found == pytest.approx(theirs), case.name
        assert found[1] == pytest.approx(metrics.accuracy_score(true, said, sample_weight=weights))


@pytest.mark.parametrize("bins", [1, 3, 10, 15])
def test_calibration_error_is_that_of_the_companion(bins):
    g = torch.Generator().manual_seed(5)
    p = torch.softmax(2 * torch.randn(150, 4, generator=g, dtype=torch.float64), dim=1)
    y = torch.randint(4, (150,), generator=g)
    mine = reference("11.5")[0](p, y, bins)
    assert mine.item() == pytest.approx(expected_calibration_error(y, p, n_bins=bins), abs=1e-6)


@pytest.mark.parametrize("scale", [0.3, 1.0, 5.0])
def test_temperature_is_where_scipy_finds_the_lowest_loss(scale):
    g = torch.Generator().manual_seed(6)
    logits = 1.3 * torch.randn(90, 3, generator=g, dtype=torch.float64)
    y = torch.multinomial(torch.softmax(logits, dim=1), 1, generator=g).flatten()
    logits = logits * scale

    def loss(T):
        return torch.nn.functional.cross_entropy(logits / T, y).item()

    theirs = optimize.minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-9}).x
    assert reference("11.5")[1](logits, y).item() == pytest.approx(theirs, rel=1e-4)


def test_temperatures_that_are_asked_for_lie_between_a_tenth_and_ten():
    for seed in range(8):
        for case in bank.get("11.5").cases(seed):
            if case.function == "fit_temperature":
                assert 0.1 < reference("11.5")[1](*case.args.values()).item() < 10


def test_interval_of_a_difference_is_that_of_scipy():
    g = torch.Generator().manual_seed(7)
    y, noise = torch.randn(50, generator=g), torch.randn(50, generator=g)
    a, b = y + noise, y + 0.8 * noise + 0.2

    def metric(truth, scores):
        return float((truth - scores).abs().mean())

    difference, low, high = reference("11.7")[0](metric, y, a, b, 4000, g)
    theirs = stats.bootstrap(
        (y.numpy(), a.numpy(), b.numpy()),
        lambda t, u, v, axis: np.abs(t - v).mean(axis) - np.abs(t - u).mean(axis),
        paired=True, method="percentile", n_resamples=4000, rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    assert difference == pytest.approx(metric(y, b) - metric(y, a))
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.05 * (high - low))


# -- 11.6: what the reports say ------------------------------------------------------------------------


def text(name):
    report = REPORTS[name]
    return " ".join([report.text, *(f"{o.text} {o.seen}" for o in report.choice.options.values())])


def holds(name, *numbers):
    missing = [n for n in numbers if n not in text(name)]
    assert missing == []


def test_report_of_the_rare_illness_adds_up():
    tp, fp, fn = 60, 110, 40
    tn = 10_000 - tp - fp - fn
    assert (tp + tn) / 10_000 == 0.985
    holds("rare", f"{tn / (tn + fp):.3f}", f"{tp / (tp + fn):.2f}", f"{tp / (tp + fp):.2f}", "0.990")


def test_report_of_the_test_elsewhere_adds_up():
    precision = 90 / (90 + 0.1 * 9_900)
    assert precision == pytest.approx(0.0833, abs=1e-4)
    apart = 2 * stats.norm.ppf(0.9)
    assert stats.norm.cdf(apart / math.sqrt(2)) == pytest.approx(0.96, abs=0.006)
    holds("elsewhere", "1,080", "0.083", "one in twelve")


def test_report_of_the_threshold_is_what_cohorts_of_that_kind_do():
    found = chosen_on_the_test()
    holds("one threshold of many", *(f"{v:.2f}" for v in found))
    assert found.best - found.new == pytest.approx(0.07, abs=0.01)


def test_report_of_the_calibration_error_is_what_chance_does():
    found = calibrated_by_chance()
    holds("an error above 0", f"{found.mean:.3f}", f"{found.most:.3f}")
    assert calibrated_by_chance(bins=100).mean > found.mean
    assert calibrated_by_chance(n=3_600).mean < found.mean


def test_report_of_ten_splits_has_the_t_of_scipy_and_of_nadeau_and_bengio():
    differences = np.random.default_rng(0).normal(size=10)
    differences = 0.012 + 0.015 * (differences - differences.mean()) / differences.std(ddof=1)
    naive = stats.ttest_1samp(differences, 0)
    corrected = 0.012 / (0.015 * math.sqrt(1 / 10 + 1 / 9))
    p = 2 * stats.t.sf(corrected, 9)
    holds("ten splits", f"{naive.statistic:.2f}", f"{naive.pvalue:.2f}", f"{corrected:.2f}", f"{p:.2f}")


def test_report_of_two_intervals_has_those_of_wilson_and_the_test_of_mcnemar():
    for right in (430, 448):
        ends = stats.binomtest(right, 500).proportion_ci(method="wilson")
        holds("two intervals", f"from {ends.low:.3f} to {ends.high:.3f}")
    assert 448 - 430 == 28 - 10
    holds("two intervals", f"p = {stats.binomtest(10, 38).pvalue:.3f}")


def test_report_of_three_metrics_adds_up():
    size = np.array([900, 25, 25, 25, 25])
    for right, accuracy, mean in (([890, 10, 5, 5, 0], 0.910, 0.36), ([850, 19, 18, 17, 16], 0.920, 0.75)):
        assert sum(right) / 1000 == accuracy
        assert (np.array(right) / size).mean() == pytest.approx(mean, abs=0.005)
        holds("three metrics", f"{accuracy:.3f}", f"{mean:.2f}")


@pytest.mark.parametrize("exercise", bank.variants("11.6"), ids=lambda e: e.parameter["report"])
def test_report_stands_in_the_task_and_each_conclusion_is_explained(exercise):
    assert REPORTS[exercise.parameter["report"]].text in exercise.statement
    assert len(exercise.mistakes) == 4
    options = exercise.written.options.values()
    assert all(40 <= len(o.seen) <= 260 for o in options)


def test_right_letters_are_spread_over_the_reports():
    assert len({r.choice.right for r in REPORTS.values()}) == 5
