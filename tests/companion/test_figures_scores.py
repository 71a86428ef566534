"""What the figures of chapter 11 compute: against the companion's metrics and scikit-learn's, and what they say of it."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from sklearn import metrics as oracle
from sklearn.linear_model import LogisticRegression

from companion import data, figures, metrics
from companion.figures import scores as made
from companion.figures.chance import seeded
from companion.figures.scores import (
    ASKED,
    COLD,
    CUT,
    DEALS,
    DRAWS,
    FEWEST,
    GRAIN,
    HOT,
    LETTERS,
    LINES,
    MEASURED,
    NAMES,
    PART,
    area,
    average_precision,
    best_temperature,
    by_formula,
    cheapest,
    cost,
    counted,
    curve,
    dealt,
    judged,
    measured,
    one_in,
    packed,
    ratios,
    recorded,
    reliability_bins,
    scores,
    temperature,
    trust,
)
from companion.random import generator
from companion.training import fit_temperature

# ---- a line through the scores


def patients(prevalence=None):
    """Truths, scores and the weight of each patient, so that the ill weigh as much as the prevalence says."""
    ill, healthy = scores()
    truth = torch.tensor([1] * len(ill) + [0] * len(healthy))
    share = measured() if prevalence is None else prevalence
    has = truth.double()
    weight = has * share / len(ill) + (1 - has) * (1 - share) / len(healthy)
    return truth, torch.tensor(ill + healthy).double(), weight


def test_scores_are_those_of_scikit_learns_logistic_regression_on_the_test_part():
    tumours = data.breast_cancer()
    ill = (tumours.y == tumours.class_names.index("malignant")).long()
    X = tumours.X[:, [tumours.feature_names.index(name) for name in MEASURED]]
    parts = data.train_val_test_split(len(ill), val=PART, test=PART, stratify=ill, generator=generator(0))
    X = data.Standardizer().fit(X[parts.train]).transform(X).double()
    model = LogisticRegression(C=1e9, tol=1e-10).fit(X[parts.train], ill[parts.train])
    due = torch.from_numpy(model.predict_proba(X[parts.test])[:, 1]) * GRAIN
    for group, has in zip(scores(), (1, 0)):
        assert group == pytest.approx(sorted(due[ill[parts.test] == has].tolist()), abs=0.51)
    assert [len(group) for group in scores()] == [64, 107]


def test_both_ends_of_the_slider_call_everybody_and_nobody_ill():
    ill, healthy = scores()
    assert min(ill + healthy) > 0
    assert max(ill + healthy) < GRAIN
    assert counted(0, 0.01) == pytest.approx((0.01, 0, 0.99, 0))
    assert counted(GRAIN, 0.01) == pytest.approx((0, 0.01, 0, 0.99))


def test_metrics_where_measured_are_the_companions():
    truth, score, _ = patients()
    for line in LINES:
        called, found = (score >= line).long(), judged(line, measured())
        due = {
            "recall": metrics.recall_score(truth, called),
            "specificity": metrics.recall_score(truth, called, pos_label=0),
            "balanced": metrics.balanced_accuracy_score(truth, called),
            "area": metrics.roc_auc_score(truth, score),
            "accuracy": metrics.accuracy_score(truth, called),
            "precision": metrics.precision_score(truth, called, zero_division=0.0),
            "f1": metrics.f1_score(truth, called),
            "matthews": metrics.matthews_corrcoef(truth, called),
            "average": metrics.average_precision_score(truth, score),
        }
        assert found == pytest.approx(due, abs=1e-9), line
    assert set(found) == set(NAMES)


@pytest.mark.parametrize("place", [0, 3, 7, 9])
def test_metrics_at_another_prevalence_are_scikit_learns_with_weights(place):
    prevalence = 1 / one_in()[place]
    truth, score, weight = patients(prevalence)
    for line in (0, 15, 160, 500, 725, 985):
        called, found = (score >= line).long(), judged(line, prevalence)
        given = {"sample_weight": weight}
        due = {
            "accuracy": oracle.accuracy_score(truth, called, **given),
            "precision": oracle.precision_score(truth, called, **given),
            "f1": oracle.f1_score(truth, called, **given),
            "matthews": oracle.matthews_corrcoef(truth, called, **given),
            "balanced": oracle.balanced_accuracy_score(truth, called, **given),
            "average": oracle.average_precision_score(truth, score, **given),
            "area": oracle.roc_auc_score(truth, score, **given),
        }
        assert {name: found[name] for name in due} == pytest.approx(due, abs=1e-9), line


def test_metrics_of_the_ill_and_the_healthy_apart_stay_and_the_others_move_with_the_prevalence():
    stay = {"recall", "specificity", "balanced", "area"}
    one, other = judged(500, 1 / one_in()[3]), judged(500, 1 / one_in()[-1])
    assert {name for name in NAMES if one[name] == pytest.approx(other[name], abs=1e-9)} == stay
    assert list(NAMES)[:4] == ["recall", "specificity", "balanced", "area"], "the page shows them on one side"


def test_nothing_over_nothing_is_0():
    assert ratios(counted(GRAIN, 0.5)) == pytest.approx(
        {"recall": 0, "specificity": 1, "balanced": 0.5, "accuracy": 0.5, "precision": 0, "f1": 0, "matthews": 0}
    )
    assert ratios(counted(0, 0.5))["matthews"] == 0


def test_curve_is_the_companions_from_nobody_to_everybody():
    truth, score, _ = patients()
    fpr, tpr, _ = metrics.roc_curve(truth, score, drop_intermediate=False)
    assert torch.allclose(torch.tensor(curve(), dtype=torch.double), torch.stack([fpr, tpr], dim=1))
    assert area() == pytest.approx(metrics.roc_auc_score(truth, score))
    assert average_precision(measured()) == pytest.approx(metrics.average_precision_score(truth, score))


@pytest.mark.parametrize("missed", [1, 10, 50])
def test_cost_by_hand_and_the_cheapest_line_is_the_first_of_the_cheapest(missed):
    truth, score, weight = patients(0.02)
    by_hand = [
        float((weight * torch.where(truth == 1, missed * (score < line), 1.0 * (score >= line))).sum())
        for line in LINES
    ]
    assert [cost(line, 0.02, missed) for line in LINES] == pytest.approx(by_hand, abs=1e-6)
    best = cheapest(0.02, missed)
    assert by_hand[best // 5] == pytest.approx(min(by_hand), abs=1e-6)
    assert all(v > min(by_hand) + 1e-6 for v in by_hand[: best // 5])


def test_formula_is_that_of_the_chapter_where_measured_and_moves_with_the_odds():
    for missed in (1, 10, 50):
        assert by_formula(measured(), missed) == pytest.approx(1 / (1 + missed))
    score = by_formula(0.01, 10)
    likelihood = score / (1 - score) / (measured() / (1 - measured()))  # how much likelier this score is of the ill
    p = 0.01 * likelihood / (0.01 * likelihood + 0.99)
    assert 10 * p == pytest.approx(1 - p)
    assert by_formula(0.001, 1) > 0.99


def test_the_more_a_missed_case_costs_the_lower_the_line_and_the_rarer_the_ill_the_higher():
    assert [cheapest(measured(), missed) for missed in (1, 3, 10, 50)] == sorted(
        (cheapest(measured(), missed) for missed in (1, 3, 10, 50)), reverse=True
    )
    lines = [cheapest(1 / n, 10) for n in one_in()]
    assert lines == sorted(lines, reverse=True)
    assert lines[0] > lines[-1]


def test_places_of_use_go_from_rare_to_half_with_the_test_parts_own_among_them():
    assert list(one_in()) == sorted(one_in(), reverse=True)
    assert (one_in()[0], one_in()[-1]) == (1000, 2)
    assert measured() == pytest.approx(64 / 171)
    assert figures.threshold_metrics().controls["place"].start == one_in().index(171 / 64)


def test_threshold_metrics_says_what_is_computed():
    figure = figures.threshold_metrics()
    truth, score, _ = patients()
    called = (score >= 500).long()
    for words, value in (
        ("recall", metrics.recall_score(truth, called)),
        ("precision", metrics.precision_score(truth, called)),
        ("accuracy", metrics.accuracy_score(truth, called)),
        ("average precision", metrics.average_precision_score(truth, score)),
    ):
        assert f"{words} {value:.2f}" in figure.alt.replace("precision is", "precision").replace("the average precision 0", "average precision 0")  # fmt: skip
    low, up = cheapest(measured(), 10), cheapest(0.01, 10)
    assert f"at {low / GRAIN:g}, {cost(low, measured(), 10):.2f}" in figure.alt
    assert figure.answer.startswith(f"Far up, at {up / GRAIN:g}.")
    assert figure.guesses[figure.right] == "far up, above 0.5"
    assert up > 500 > low
    moved, stays = figure.answer.split("What stays: ")
    assert all(NAMES[name] in stays for name in ("recall", "specificity", "balanced", "area"))
    assert all(f"{NAMES[name]} from" in moved for name in ("accuracy", "precision", "f1", "matthews", "average"))
    assert f"it costs {cost(low, 0.01, 10):.2f} a person" in moved


def test_state_holds_every_patient():
    state = figures.threshold_metrics().state
    assert [[int(v) for v in state[name].split()] for name in ("ill", "healthy")] == list(map(list, made.scores()))
    assert list(state["oneIn"]) == list(one_in())


# ---- can a probability be taken at its word?


def said(k, deal=1, samples=360):
    """Classes and probabilities of the digits that are taken."""
    labels, logits = recorded()
    rows = dealt(deal, samples)
    return labels[rows], (logits[rows] / temperature(k)).softmax(dim=1)


def test_temperatures_go_from_a_half_to_three_and_double_in_twelve_steps():
    assert [temperature(k) for k in (COLD, 0, 12, HOT)] == [0.5, 1, 2, 3]
    values = [temperature(k) for k in range(COLD, HOT + 1)]
    assert all(0.03 < b / a - 1 < 0.09 for a, b in pairwise(values))


def test_recorded_logits_have_one_largest_each_and_a_deal_takes_other_digits():
    labels, logits = recorded()
    assert logits.shape == (ASKED, 10)
    assert bool(((logits == 0).sum(dim=1) == 1).all())
    assert bool((logits <= 0).all())
    assert sorted(dealt(3, ASKED)) == list(range(ASKED))
    assert dealt(3, 60) == dealt(3, 120)[:60]
    assert len({tuple(dealt(deal, 60)) for deal in range(1, DEALS + 1)}) == DEALS
    assert (logits.argmax(dim=1) == labels).double().mean() == pytest.approx(0.87, abs=0.01)


@pytest.mark.parametrize(("k", "bins", "samples", "deal"), [(0, 10, 360, 1), (14, 20, 60, 7), (HOT, 5, 480, 20), (COLD, 13, 120, 2)])  # fmt: skip
def test_numbers_are_those_of_the_metrics(k, bins, samples, deal):
    labels, p = said(k, deal, samples)
    confidence, now = p.max(dim=1).values, trust(k, bins, samples, deal)
    assert now.error == pytest.approx(metrics.expected_calibration_error(labels, p, n_bins=bins))
    assert now.accuracy == pytest.approx(metrics.accuracy_score(labels, p.argmax(dim=1)))
    assert now.said == pytest.approx(float(confidence.mean()))
    if k > 0:  # a colder one has probabilities of 1e-17, which scikit-learn moves away from 0
        assert now.log_loss == pytest.approx(oracle.log_loss(labels, p, labels=range(10)))
    draw = seeded(2 * deal + 1)
    errors = []
    for _ in range(DRAWS):
        right = torch.tensor([draw() < c for c in confidence.tolist()]).long()
        errors.append(metrics.expected_calibration_error(right, confidence, n_bins=bins))
    assert now.usual == pytest.approx(sum(errors) / DRAWS)
    assert now.limit == pytest.approx(sorted(errors)[int(0.95 * DRAWS) - 1])


def test_log_loss_of_a_sure_mistake_is_not_cut_off():
    labels, logits = recorded()
    by_hand = -(logits / 0.5).log_softmax(dim=1).gather(1, labels[:, None]).mean()
    assert trust(COLD, samples=ASKED).log_loss == pytest.approx(float(by_hand))


def test_null_is_that_of_other_draws_and_falls_with_the_root_of_the_answers():
    for samples in (FEWEST, ASKED):
        confidence, g = said(14, samples=samples)[1].max(dim=1).values, generator(5)
        errors = torch.tensor(
            [
                metrics.expected_calibration_error(
                    (torch.rand(samples, generator=g, dtype=torch.double) < confidence).long(), confidence
                )
                for _ in range(1000)
            ]
        )
        assert trust(14, samples=samples).usual == pytest.approx(float(errors.mean()), rel=0.08)
        assert trust(14, samples=samples).limit == pytest.approx(float(errors.quantile(0.95)), rel=0.12)
    ratio = trust(14, samples=FEWEST).usual / trust(14, samples=ASKED).usual
    assert ratio == pytest.approx((ASKED / FEWEST) ** 0.5, rel=0.2)


def test_accuracy_does_not_know_the_temperature():
    assert len({trust(k).accuracy for k in range(COLD, HOT + 1)}) == 1
    assert [trust(k).said for k in range(COLD, HOT + 1)] == sorted(
        (trust(k).said for k in range(COLD, HOT + 1)), reverse=True
    )


@pytest.mark.parametrize("samples", [60, 360, 480])
def test_best_temperature_is_the_nearest_to_the_companions(samples):
    labels, logits = recorded()
    rows = dealt(1, samples)
    due = fit_temperature(logits[rows], labels[rows])
    assert temperature(best_temperature(samples)) == pytest.approx(due, rel=0.06)


@pytest.mark.parametrize(("k", "bins", "samples"), [(0, 10, 360), (14, 20, 60), (COLD, 5, 480)])
def test_bins_hold_all_answers_and_their_gaps_add_up_to_the_error(k, bins, samples):
    found, now = reliability_bins(k, bins, samples), trust(k, bins, samples)
    assert sum(b.answers for b in found) == samples
    assert sum(b.answers * abs(b.right - b.said) for b in found) / samples == pytest.approx(now.error)
    assert sum(b.answers * b.right for b in found) / samples == pytest.approx(now.accuracy)
    assert len(found) < bins, "an empty bin has no point"
    assert all(0 <= b.low <= b.high <= 1 for b in found)
    labels, p = said(k, samples=samples)
    right = (p.argmax(dim=1) == labels).long()
    if len(found) > 1:
        curve_of = metrics.calibration_curve(right, p.max(dim=1).values, n_bins=bins)
        assert [b.right for b in found] == pytest.approx(curve_of.prob_true.tolist())
        assert [b.said for b in found] == pytest.approx(curve_of.prob_pred.tolist())


def test_band_holds_a_calibrated_model_in_about_95_of_100_cases():
    confidence, bands, g = said(14)[1].max(dim=1).values, reliability_bins(14), generator(1)
    where = (confidence * 10).ceil().long() - 1
    inside = []
    for _ in range(400):
        right = torch.rand(len(confidence), generator=g, dtype=torch.double) < confidence
        shares = [right[where == b].double().mean().item() for b in range(10) if bool((where == b).any())]
        inside += [band.low - 1e-12 <= share <= band.high + 1e-12 for band, share in zip(bands, shares)]
    assert 0.93 < sum(inside) / len(inside) < 0.99
    assert CUT == 0.025 * DRAWS


def test_letters_hold_what_is_recorded():
    state = figures.reliability().state
    assert len(set(LETTERS)) == 64
    assert not set('"\\<&') & set(LETTERS), "a sign that JSON or HTML would write with more letters"
    values = [LETTERS.index(a) * 64 + LETTERS.index(b) for a, b in zip(state["below"][::2], state["below"][1::2])]
    logits = recorded()[1]
    assert torch.equal(torch.tensor(values).view(ASKED, 10).double() / -100, logits)
    assert state["labels"] == "".join(map(str, recorded()[0].tolist()))
    assert packed([[4095]]) == "//"


def test_reliability_says_what_is_computed():
    figure, best = figures.reliability(), best_temperature()
    plain, cooled, few = trust(0), trust(best), trust(best, samples=FEWEST)
    assert figure.guesses[figure.right] == "it more than doubles"
    assert few.error > 2 * cooled.error
    assert few.error < few.limit
    mean = sum(trust(best, samples=FEWEST, deal=deal).error for deal in range(1, DEALS + 1)) / DEALS
    assert mean > 2 * cooled.error
    assert plain.error > 2 * plain.limit, "too sure, and not by chance"
    assert cooled.error < cooled.limit
    assert f"With {FEWEST} of these answers the error is {few.error:.3f}, in the mean of {DEALS} deals {mean:.3f}" in figure.answer  # fmt: skip
    assert f"is at T = {temperature(best):g}; the error falls from {plain.error:.3f} to {cooled.error:.3f}" in figure.answer  # fmt: skip
    over = [deal for deal in range(1, DEALS + 1) if trust(best, 10, FEWEST, deal).error > trust(best, 10, FEWEST, deal).limit]  # fmt: skip
    assert over == []
    assert "So none of the 20 deals says anything" in figure.answer
    outside = [b for b in reliability_bins(0) if b.outside]
    assert f"{len(outside)} lie outside, below the diagonal" in figure.alt
    assert all(b.right < b.said for b in outside)
    assert figure.fallback.count("<circle") == sum(not b.outside for b in reliability_bins(0))
