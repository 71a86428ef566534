"""Exercise 03.7, small and good: its table, its two conditions, and answers that look otherwise than ours."""

from __future__ import annotations

import pytest
import torch

from companion.checks import bank, diagnose, kinds
from companion.checks.cases import digits
from companion.checks.ch03_forward import e7_mistakes
from companion.checks.ch03_forward import e7_small_and_good as small


def assessed(answer):
    exercise = bank.get("03.7")
    return diagnose.assess(exercise, exercise.answer(answer), ours=True)


def small_by_a_loop_of_its_own(X, y):
    mean, spread = X.mean(), X.std()
    net = torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.Tanh(), torch.nn.Linear(16, 2))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(20):
        for rows in torch.randperm(len(X)).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net((X[rows] - mean) / spread), y[rows]).backward()
            optimizer.step()

    class Scaled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            return self.net((x - mean) / spread)

    return Scaled()


def small_with_batch_norm_left_in_training(X, y):
    net = torch.nn.Sequential(
        torch.nn.BatchNorm1d(64), torch.nn.Linear(64, 14), torch.nn.ReLU(), torch.nn.Linear(14, 2)
    )
    return e7_mistakes.trained(net, X, y, before=None).train()


def small_with_a_cheat_beside_its_parameters(X, y):
    net = e7_mistakes.trained([64, 17, 2], X, y)
    net.memory = {"pictures": [X[:4]]}
    return net


def test_training_by_a_loop_of_ones_own_is_right():
    assert assessed(small_by_a_loop_of_its_own).status == "right"


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (small_with_batch_norm_left_in_training, "scales with the pictures that it is asked about"),
        (small_with_a_cheat_beside_its_parameters, "keeps the pictures"),
        (lambda X, y: e7_mistakes.trained([64, 18, 2], X, y), "has too many parameters"),
    ],
    ids=["batch norm", "pictures in a list", "one unit too many"],
)
def test_condition_that_is_broken_in_another_way_is_named(answer, mistake):
    assert assessed(answer).mistake == mistake


def test_table_of_03_7_is_what_the_baselines_give():
    exercise = bank.get("03.7")
    stated = kinds.board(exercise.statement)
    assert set(stated) == set(small.BASELINES)
    cases = exercise.cases(0)
    for label, make in small.BASELINES.items():
        traces = diagnose.run(exercise, {"train_small": make}, cases, 60)
        got = [exercise.observe(c, t)["accuracy"].item() for c, t in zip(cases, traces)]
        # Training differs a little between machines.
        assert stated[label] == pytest.approx(got, abs=0.02)
        assert min(got) < e7_mistakes.TARGET


def test_small_network_that_falls_short_is_told_how_it_did_in_training():
    result = assessed(small.BASELINES["17 ReLUs, one epoch, 1,141 parameters"])
    assert (result.status, result.mistake, result.kind) == ("wrong", "", "value")
    assert "of the held-out pictures; 0.95 is needed." in result.message
    assert result.why.startswith("On the pictures of the training it is right for 0.9")


def test_condition_of_03_7_is_at_most_1200_parameters():
    def nearly(extra):
        def train_small(X, y):
            net = e7_mistakes.trained([64, 17, 2], X, y)
            net.spare = torch.nn.Parameter(torch.zeros(extra))
            return net

        return train_small

    assert assessed(nearly(59)).status == "right"
    assert assessed(nearly(60)).mistake == "has too many parameters"


def test_no_picture_is_held_out_and_trained_on():
    X, _, X_test, _ = small.parts(0)
    assert (len(X), len(X_test)) == (1347, 450)
    everything = torch.cat([X, X_test])
    assert everything.sum().item() == digits()[0].sum().item()
