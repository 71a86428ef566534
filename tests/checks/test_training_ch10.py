"""Chapter 10: what its exercises ask for, beside PyTorch, scikit-learn, a real kill, and trainings that are measured again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from sklearn.preprocessing import StandardScaler
from torch import nn

from companion.checks import bank, diagnose
from companion.checks.ch10_training.e6_bugs import MEASURED, RIGHT, measure
from companion.checks.ch10_training.e6_mistakes import checklist
from companion.checks.loops import descent, falling, network, once
from companion.data import Standardizer
from companion.search import expected_improvement as of_the_companion

ROOT = Path(__file__).resolve().parents[2]


def reference(id):
    return bank.get(id).reference[0]


def drawn(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# -- 10.1 ----------------------------------------------------------------------------------------------


def test_split_draws_everybody_of_a_class_equally_often():
    persons = [p for p in range(12) for _ in range(1 + p % 3)]
    classes = [int(p >= 5) for p in persons]
    times = torch.zeros(12)
    for seed in range(600):
        _, validation, _ = reference("10.1")(persons, classes, [0.4, 0.3], torch.Generator().manual_seed(seed))
        times[torch.tensor(persons)[validation].unique()] += 1
    share = times / 600  # of 5 persons 2 are drawn, of 7 persons 3
    assert torch.allclose(share[:5], torch.tensor(0.4), atol=0.08)
    assert torch.allclose(share[5:], torch.tensor(3 / 7), atol=0.08)


def test_shares_of_the_cases_lie_beside_no_half():
    for seed in range(6):
        for case in bank.get("10.1").cases(seed):
            kind = dict(zip(case.args["persons"], case.args["classes"]))
            for label in set(kind.values()):
                n = list(kind.values()).count(label)
                assert all(abs(share * n % 1 - 0.5) > 0.01 for share in case.args["shares"])


def cut_in_three(burned, fewer):
    """Return a split that draws so many numbers before, and so many persons of each class less than there are."""

    def split(persons, classes, shares, generator):
        torch.rand(burned, generator=generator)
        chosen = {}
        for label in sorted(set(classes)):
            people = sorted({p for p, its in zip(persons, classes) if its == label})
            a, b = (round(share * len(people)) for share in shares)
            order = torch.randperm(len(people) - fewer, generator=generator).tolist()
            chosen |= {people[k]: 1 if n < a else 2 for n, k in enumerate(order[: a + b])}
        return tuple([row for row, p in enumerate(persons) if chosen.get(p, 0) == part] for part in range(3))

    return split


@pytest.mark.parametrize("burned", [0, 1, 2, 3, 5, 19, 20, 32, 35, 38, 39])
def test_fair_split_is_right_whatever_its_luck(burned):
    assert diagnose.assess(bank.get("10.1"), {"split": cut_in_three(burned, 0)}).status == "right"


def test_split_that_never_asks_the_last_person_of_a_class_is_not_fair():
    result = diagnose.assess(bank.get("10.1"), {"split": cut_in_three(0, 1)})
    assert result.status == "wrong"
    assert "Some persons are never drawn for a part" in result.message


# -- 10.2 ----------------------------------------------------------------------------------------------


def test_scaler_is_that_of_scikit_learn_and_of_the_companion():
    X, new = drawn(1, 20, 4) * torch.tensor([1.0, 30.0, 1e-7, 1.0]), drawn(2, 6, 4)
    X[:, 3] = 4.5
    mine = reference("10.2")().fit(X)
    theirs, ours = StandardScaler().fit(X.numpy()), Standardizer().fit(X)
    assert torch.allclose(mine.transform(new), torch.tensor(theirs.transform(new.numpy())), rtol=1e-9)
    assert torch.allclose(mine.transform(new), ours.transform(new), rtol=1e-9)
    assert torch.allclose(mine.scale, torch.tensor(theirs.scale_), rtol=1e-9)


# -- 10.3 and 10.4 -------------------------------------------------------------------------------------


def test_mean_over_an_epoch_does_not_depend_on_how_the_rows_are_cut():
    net = network((3, 6, 4), 5, True, 0.5, True)
    x, y = drawn(3, 23, 3), torch.arange(23) % 4
    found = {size: reference("10.3")(net, once(list(zip(x.split(size), y.split(size))))) for size in (1, 5, 8, 23)}
    scores = net.eval()(x).detach()
    right = nn.functional.cross_entropy(scores, y).item(), (scores.argmax(dim=1) == y).double().mean().item()
    assert all(pair == pytest.approx(right, rel=1e-9) for pair in found.values())


def test_loop_takes_the_steps_of_pytorch_with_its_own_schedule():
    batches = [(drawn(k, 6, 3), torch.arange(6) % 2) for k in range(5)]
    mine, theirs = (network((3, 4, 2), 9, True, 0.0, True) for _ in range(2))
    optimizer = descent(mine, 0.1, 0.9)
    reference("10.4")(mine, optimizer, falling(optimizer, 0.8), once(batches), 0.5)
    plain = torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.ExponentialLR(plain, 0.8)
    for x, y in batches:
        plain.zero_grad()
        nn.functional.cross_entropy(theirs.layers(x), y).backward()
        nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
        plain.step()
        schedule.step()
    assert all(torch.equal(a, b) for a, b in zip(mine.parameters(), theirs.parameters()))
    assert optimizer.param_groups[0]["lr"] == pytest.approx(schedule.get_last_lr()[0])


# -- 10.5: a process that is killed by the system ------------------------------------------------------

SCRIPT = """
import hashlib, os, signal, sys, torch
from companion.checks import bank, diagnose
from companion.checks.resumed import Run
torch.set_num_threads(1)
settings = {"optimizer": "AdamW", "schedule": "cosine", "momentum": 0.9, "epochs": 5, "more": {}, "data": 3}
path, seed, kill_after = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
checkpoint = bank.get("10.5").reference[0](path)
run = Run(settings, seed)
if os.path.exists(path):
    run.progress = checkpoint.load(*run.parts)
while run.progress["epoch"] < settings["epochs"]:
    run.epoch()
    checkpoint.save(*run.parts, run.progress)
    if run.progress["epoch"] == kill_after:
        run.steps(2)
        os.kill(os.getpid(), signal.SIGKILL)
numbers = [t.double().flatten() for t in run.net.state_dict().values()]
print(hashlib.sha256(torch.cat(numbers).numpy().tobytes()).hexdigest(), run.progress)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a signal of POSIX")
def test_training_that_is_killed_by_the_system_goes_on_to_the_same_bits(tmp_path):
    def started(name, seed, kill_after):
        command = [sys.executable, "-c", SCRIPT, str(tmp_path / name), str(seed), str(kill_after)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, done.stdout

    through, killed = started("through.pt", 1, 0), started("killed.pt", 1, 2)
    assert through[0] == 0
    assert killed == (-signal.SIGKILL, "")
    assert started("killed.pt", 77, 0) == through


# -- 10.6 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bug", RIGHT)
def test_bug_shows_the_numbers_of_the_task(bug):
    now, then = measure(bug), MEASURED[bug]
    assert now.start == pytest.approx(then.start, rel=0.02)
    assert now.one_batch == pytest.approx(then.one_batch, abs=0.03)
    assert now.slopes == pytest.approx(then.slopes, rel=0.02, abs=0.006)
    assert now.twice == pytest.approx(then.twice, abs=0.03)
    assert (now.twice[0] == now.twice[1]) == (then.twice[0] == then.twice[1])
    assert now.shuffled == pytest.approx(then.shuffled, abs=0.06)
    for mine, stated in zip(now.curve, then.curve):
        assert mine[0] == stated[0]
        assert mine[1:3] == pytest.approx(stated[1:3], abs=0.06)
        assert mine[3:] == pytest.approx(stated[3:], abs=0.04)


def test_program_without_a_bug_ends_as_the_task_says():
    healthy = measure("none")
    assert healthy.curve[-1][1:] == pytest.approx((0.02, 0.10, 1.00, 0.98), abs=0.02)
    assert healthy.start == pytest.approx(2.30, abs=0.3)
    assert healthy.one_batch == pytest.approx((0.0, 1.0), abs=0.01)
    assert healthy.twice[0] == healthy.twice[1]
    assert healthy.shuffled[1] == pytest.approx(0.10, abs=0.05)


def test_each_bug_has_a_number_that_no_other_one_shows():
    def alone(mark):
        return [bug for bug, e in MEASURED.items() if mark(e)]

    assert alone(lambda e: e.start > 5) == ["a loud start"]
    assert alone(lambda e: e.slopes == 0) == ["cleared too late"]
    assert alone(lambda e: e.twice[0] != e.twice[1]) == ["validation in training mode"]
    assert alone(lambda e: e.shuffled[1] > 0.3) == ["seen before"]
    assert alone(lambda e: 1.4 < e.one_batch[0] < 1.5 and e.one_batch[1] == 1) == ["two softmaxes"]
    assert alone(lambda e: e.one_batch[1] == 1 and e.curve[-1][4] < 0.2) == ["labels of others"]
    still = alone(lambda e: e.one_batch[0] < 0.1 and abs(e.curve[2][1] - e.curve[-1][1]) < 0.01)
    assert still == ["a schedule in a hurry"]


@pytest.mark.parametrize("exercise", bank.variants("10.6"), ids=lambda e: e.parameter["bug"])
def test_variant_shows_its_numbers_and_not_its_name(exercise):
    bug = exercise.parameter["bug"]
    assert checklist(bug) in exercise.statement
    assert bug not in exercise.statement
    assert len(exercise.mistakes) == 6


# -- 10.7 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("best", "margin"), [(0.5, 0.0), (0.2, 0.3), (-1.0, 0.1)])
def test_expected_improvement_is_the_mean_over_the_distribution(best, margin):
    mean, std = drawn(7, 6), drawn(8, 6).abs() + 0.1
    z = torch.linspace(-10, 10, 200_001, dtype=torch.float64)
    weight = torch.exp(-(z**2) / 2) / (2 * torch.pi) ** 0.5
    gains = (best - margin - (mean[:, None] + std[:, None] * z)).clamp(min=0)
    integral = torch.trapezoid(gains * weight, z, dim=1)
    mine = reference("10.7")(mean, std, best, margin)
    assert torch.allclose(mine, integral, atol=1e-8)
    assert torch.allclose(mine, of_the_companion(mean, std, best, margin=margin), atol=1e-12)
