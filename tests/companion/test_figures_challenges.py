"""What the figures of chapter 08 compute: variances against integrals and chance, slopes against autograd, and ten trainings measured again."""

from __future__ import annotations

import math
from itertools import pairwise, product

import pytest
import torch
from scipy import integrate

from companion import figures, init
from companion import functional as F
from companion.experiments import recorded
from companion.experiments.patients import EPOCHS, PATIENTS, measure
from companion.figures.challenges import (
    ACTIVATIONS,
    ILLNESSES,
    STARTS,
    WIDTHS,
    Net,
    curves_of,
    depth_that_loses,
    drawn,
    factor_back,
    findings,
    measured,
    moments,
    predicted,
    share_of_first,
)
from companion.figures.chance import drawn_at_once, seeded
from companion.random import generator

VALUES = {"sigmoid": F.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "linear": lambda z: z}

# ---- where a slope vanishes


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
@pytest.mark.parametrize("q", [1e-6, 0.3, 1.0, 9.0, 400.0])
def test_moments_are_the_integrals_over_a_normal(name, q):
    value = {"sigmoid": lambda z: 1 / (1 + math.exp(-z)), "tanh": math.tanh}[name]
    slope = {"sigmoid": lambda z: value(z) * value(-z), "tanh": lambda z: 1 - math.tanh(z) ** 2}[name]
    bell = lambda z: math.exp(-z * z / 2) / math.sqrt(2 * math.pi)  # noqa: E731
    for found, f in zip(moments(name, q), (value, slope)):
        due, _ = integrate.quad(lambda z, f=f: f(math.sqrt(q) * z) ** 2 * bell(z), -9, 9, points=[0], limit=400)
        assert found == pytest.approx(due, rel=2e-4)


def test_moments_of_a_relu_are_half_of_those_of_a_line():
    for q in (1e-9, 1.0, 1e9):
        (value, slope), (whole, one) = moments("relu", q), moments("linear", q)
        assert value == pytest.approx(whole / 2)
        assert (whole, slope, one) == pytest.approx((q, 0.5, 1.0), rel=2e-4)


@pytest.mark.parametrize("start", STARTS)
def test_starts_have_the_standard_deviations_of_the_library(start):
    made = {
        "small": lambda w: init.normal_(w, std=0.01, generator=generator(0)),
        "large": lambda w: init.normal_(w, generator=generator(0)),
        "xavier": lambda w: init.xavier_normal_(w, generator=generator(0)),
        "he": lambda w: init.kaiming_normal_(w, nonlinearity="relu", generator=generator(0)),
        "torch": lambda w: w.uniform_(-(w.shape[1] ** -0.5), w.shape[1] ** -0.5, generator=generator(0)),
    }[start](torch.empty(300, 300))
    assert Net(start=start, width=300).std == pytest.approx(made.std().item(), rel=0.01)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_are_those_of_autograd(name):
    net = Net(name, "he", 1.2, depth=6, width=10)
    flow, (x, back, tables) = measured(net, 2), drawn(2, 10)
    tables = (tables[:6] * net.std).requires_grad_()
    lengths, sizes = torch.zeros(6, dtype=torch.float64), torch.zeros(6, dtype=torch.float64)
    for row, end in zip(x, back):
        now, sums = row, []
        for k in range(6):
            sums.append(now @ tables[k])
            now = VALUES[name](sums[-1])
        (slope,) = torch.autograd.grad(sums[-1] @ end, tables)
        lengths += slope.square().sum(dim=(1, 2)) / len(x)
        sizes += torch.stack([z.detach().square().mean() for z in sums]) / len(x)
    assert flow.weights == pytest.approx(lengths.sqrt().tolist(), rel=1e-9)
    assert flow.forward == pytest.approx(sizes.tolist(), rel=1e-9)
    assert flow.sums[-1] == pytest.approx(1)


@pytest.mark.parametrize(("name", "start"), [*product(ACTIVATIONS, STARTS)])
def test_prediction_holds_in_wide_networks_and_narrow_ones_scatter_more(name, start):
    gap = {}
    for width in (10, 100):
        net = Net(name, start, depth=16, width=width)
        told = predicted(net).weights[0]
        gap[width] = [math.log10(measured(net, seed).weights[0] / told) for seed in range(1, 9)]
    wide, narrow = (math.sqrt(sum(v * v for v in gap[width]) / 8) for width in (100, 10))
    assert wide < (0.7 if (name, start) == ("tanh", "large") else 0.4), "powers of ten"
    assert narrow > wide


def test_prediction_needs_no_luck_on_the_way_forwards():
    told = predicted(Net("tanh", depth=20)).forward
    mean = torch.tensor([measured(Net("tanh", depth=20), seed).forward for seed in range(1, 13)]).mean(dim=0)
    assert [a / b for a, b in zip(mean.tolist(), told)] == pytest.approx([1] * 20, abs=0.2)


def test_a_relu_layer_with_pytorchs_start_leaves_a_sixth():
    told = predicted(Net("relu", "torch", depth=31)).forward
    assert told[30] / told[0] == pytest.approx(6**-30.0, rel=0.01)


def test_numbers_drawn_at_once_are_those_drawn_one_by_one():
    draw = seeded(11)
    assert drawn_at_once(11, 1000).tolist() == [draw() for _ in range(1000)]


@pytest.mark.parametrize("width", WIDTHS)
def test_inputs_have_mean_square_1_and_weights_variance_1(width):
    x, back, tables = drawn(7, width)
    torch.testing.assert_close(x.square().mean(dim=1), torch.ones(4, dtype=torch.float64))
    torch.testing.assert_close(back.norm(dim=1), torch.ones(4, dtype=torch.float64))
    assert tables.var().item() == pytest.approx(1, abs=0.03)
    assert tables.mean().item() == pytest.approx(0, abs=0.03)
    assert tables[0].flatten() @ tables[1].flatten() / width**2 == pytest.approx(0, abs=4 / width)


def test_flow_says_what_the_networks_do():
    figure, net = figures.gradient_flow(), Net()
    depth = depth_that_loses(1e-6)
    assert share_of_first(predicted(Net(depth=depth))) <= 1e-6 < share_of_first(predicted(Net(depth=depth - 1)))
    assert figure.guesses[figure.right] == f"at about {depth} layers"
    assert figure.answer.startswith(f"At {depth} layers by the calculation, and at 11 to 12 in the first 5 networks")
    assert f"{factor_back(predicted(net)):.2f}" in figure.answer
    assert factor_back(predicted(Net(times=4.0))) < 0.7
    for crossing in (Net("tanh", depth=40), Net("relu", "he", depth=40)):
        assert 0.1 < share_of_first(measured(crossing, 1)) < 10
    assert f"{math.log10(measured(net, 1).weights[0]):.1f}".replace("-", "−") in figure.alt


# ---- ten trainings to be diagnosed

CALM = [1, 2, 3, 5, 6, 9]  # trainings that rounding in another order hardly leads elsewhere


@pytest.mark.parametrize("k", CALM)
def test_patients_curves_come_out_as_recorded(k):
    for i, (found, stated) in enumerate(zip(measure(PATIENTS[k - 1].training), curves_of(k))):
        assert found[:11] == pytest.approx(stated[:11], abs=0.1 if i % 2 == 0 else 0.06)
        assert found[11:] == pytest.approx(stated[11:], abs=0.1, rel=0.1)
        assert len(stated) == EPOCHS + 1


@pytest.mark.parametrize("k", [2, 5, 6, 7, 9])
def test_cures_come_out_as_recorded(k):
    found = [curve[-1] for curve in measure(PATIENTS[k - 1].after)]
    loss, right, held, right_held = recorded("patients").results["after"][k - 1]
    assert found == pytest.approx([loss / 1000, right / 100, held / 1000, right_held / 100], abs=0.06)


def test_patients_that_are_thrown_about_or_learn_nothing_do_so_on_every_machine():
    loss, right, *_ = measure(PATIENTS[7].training)
    assert max(loss[2:6]) > loss[1]
    assert min(loss[12:]) > 2.25
    assert max(right[12:]) < 0.2
    loss, right, held, _ = measure(PATIENTS[3].training)
    assert all(v == pytest.approx(math.log(10), abs=0.06) for v in loss + held)
    assert max(right) < 0.25


def test_validation_lies_below_only_while_dropout_is_at_work():
    for training, above in ((PATIENTS[6].training, False), (PATIENTS[6].after, True)):
        loss, _, held, _ = measure(training)
        assert [b > a for a, b in zip(loss, held)].count(above) >= 36


def test_small_validation_set_jumps_and_a_large_one_does_not():
    (*_, few), (_, _, _, many) = measure(PATIENTS[9].training), measure(PATIENTS[9].after)
    assert max(few[10:]) - min(few[10:]) >= 2 / 12
    assert torch.tensor(few[10:]).std() > 1.8 * torch.tensor(many[10:]).std()
    assert all(v * 12 == pytest.approx(round(v * 12)) for v in few)


def test_patients_differ_in_their_illness_and_each_can_be_named():
    rights = [patient.right for patient in PATIENTS]
    assert len(set(rights)) == len(rights) == 10
    assert set(rights) < set(ILLNESSES)
    assert set(ILLNESSES) - set(rights) == {"e", "l"}, "two that no patient has"
    assert len({one.label for one in ILLNESSES.values()}) == len(ILLNESSES)
    assert all(len(one.training) == len(one.validation) == 9 for one in ILLNESSES.values())


def test_findings_are_true_of_the_curves():
    loss, _, held, _ = curves_of(1)
    assert 0 < held.index(min(held)) < EPOCHS // 2
    assert held[-1] > min(held) + 0.2
    falls = [a - b for a, b in pairwise(curves_of(2)[0])]
    assert max(falls) < 0.015
    assert min(falls) > 0.009
    assert min(curves_of(3)[3][2:]) == 1
    loss, _, held, _ = curves_of(5)
    assert max(b - a for a, b in pairwise(held)) < 0.002
    _, right, held, guessed = curves_of(6)
    assert (right[-1], max(guessed) < 0.15, held.index(min(held))) == (1, True, 0)
    loss, _, held, _ = curves_of(7)
    assert sum(b < a for a, b in zip(loss[1:], held[1:])) == EPOCHS
    loss, *_ = curves_of(9)
    assert max(loss[30:]) - min(loss[30:]) < 0.07
    for k in range(1, 11):
        sign, why = findings(k)
        assert sign[0].islower()
        assert why.endswith(".")
        assert ILLNESSES[PATIENTS[k - 1].right].label not in sign, "what is seen does not give it away"


def test_curves_answer_follows_the_record():
    figure, (loss, _, held, _) = figures.learning_curves(), curves_of(1)
    assert figure.guesses[figure.right] == "training falls on, validation turns upwards"
    assert held[8] > min(held), "it has not turned yet where the reader begins"
    assert f"{loss[8]:.2f}" in figure.alt
    assert figure.controls["sheet"].examples[1] == "".join(p.right for p in PATIENTS)
