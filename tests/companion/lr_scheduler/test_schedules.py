"""The schedules against PyTorch's, step by step, with exchange of states; the range test; what is refused."""

import copy
import inspect
import math
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion import lr_scheduler as ours
from companion import nn, optim

theirs = torch.optim.lr_scheduler
MANY = settings(max_examples=40, deadline=None, derandomize=True)
# Schedules are stepped here without an optimizer's step between, which PyTorch's own and ours warn about
ORDER = pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step:UserWarning")
EPOCH = pytest.mark.filterwarnings("ignore:The epoch parameter:UserWarning")
OURS = pytest.mark.filterwarnings(r"ignore:\w+. step expected a call after optimizer.step:UserWarning")
pytestmark = [ORDER, EPOCH, OURS]


class Falling:
    """A factor that is an object with something to remember."""

    def __init__(self):
        self.speed = 0.1

    def __call__(self, t):
        return math.exp(-self.speed * t)


def both(t):
    return 1 / (1 + t)


def other(t):
    return 0.5**t


CASES = [
    ("StepLR", {"step_size": 3}), ("StepLR", {"step_size": 1, "gamma": 0.9}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 9]}), ("MultiStepLR", {"milestones": [0, 4], "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.9}), ("ExponentialLR", {"gamma": 1.1}),
    ("LinearLR", {}), ("LinearLR", {"start_factor": 0.1, "end_factor": 0.9, "total_iters": 7}), ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 30}),
    ("CosineAnnealingLR", {"T_max": 10}), ("CosineAnnealingLR", {"T_max": 4, "eta_min": 0.01}), ("CosineAnnealingLR", {"T_max": 1}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4}), ("CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 2, "eta_min": 0.01}), ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 3}),
    ("OneCycleLR", {"max_lr": 0.7, "total_steps": 31}), ("OneCycleLR", {"max_lr": [0.7, 0.1], "epochs": 5, "steps_per_epoch": 7, "pct_start": 0.4}),
    ("OneCycleLR", {"max_lr": 0.7, "total_steps": 40, "anneal_strategy": "linear", "three_phase": True, "div_factor": 10.0, "final_div_factor": 100.0}),
    ("OneCycleLR", {"max_lr": 0.7, "total_steps": 40, "base_momentum": [0.8, 0.7], "max_momentum": 0.9, "three_phase": True}),
    ("OneCycleLR", {"max_lr": 0.7, "total_steps": 40, "cycle_momentum": False}),
    ("LambdaLR", {"lr_lambda": both}), ("LambdaLR", {"lr_lambda": [both, other]}), ("LambdaLR", {"lr_lambda": [Falling(), other]}),
]  # fmt: skip
EVERY = pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{n}-{i}" for i, (n, _) in enumerate(CASES)])


def optimizer(kind=optim.SGD, **options):
    if kind in (optim.SGD, torch.optim.SGD):
        options = {"momentum": 0.9} | options
    groups = [
        {"params": [torch.nn.Parameter(torch.ones(2))]},
        {"params": [torch.nn.Parameter(torch.ones(3))], "lr": 0.02},
    ]
    return kind(groups, lr=0.5, **options)


def state_of(o):
    """Return what schedules change: rate and momentum or betas of each group."""
    return [[g["lr"], g.get("momentum", 0), *g.get("betas", ())] for g in o.param_groups]


def close(a, b):
    for mine, reference in zip(a, b, strict=True):
        assert mine == pytest.approx(reference, rel=1e-9, abs=1e-15)


def make(module, name, options, kind=optim.SGD):
    o = optimizer(kind)
    return o, getattr(module, name)(o, **copy.deepcopy(options))


@EVERY
@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, torch.optim.SGD])
def test_schedule_agrees_with_torch_at_each_of_30_steps(name, options, kind):
    (a, mine), (b, reference) = make(ours, name, options, kind), make(theirs, name, options, kind)
    seen = set()
    for _ in range(30):
        close(state_of(a), state_of(b))
        assert mine.get_last_lr() == [g["lr"] for g in a.param_groups]
        assert mine.last_epoch == reference.last_epoch
        seen.add(round(mine.get_last_lr()[0], 12))
        mine.step()
        reference.step()
    close(state_of(a), state_of(b))
    assert len(seen) > 1


@EVERY
def test_schedule_of_the_present_step_can_be_asked_for_again(name, options):
    _, mine = make(ours, name, options)
    for _ in range(5):
        mine.step()
    assert mine.get_lr() == mine.get_last_lr() == mine.get_lr()


@EVERY
@pytest.mark.parametrize("direction", ["to ours", "to torch", "ours to ours"])
def test_schedule_goes_on_from_a_saved_state(name, options, direction):
    first = theirs if direction == "to ours" else ours
    second = theirs if direction == "to torch" else ours
    o, whole = make(first, name, options)
    for _ in range(7):
        whole.step()
    saved = pickle.loads(pickle.dumps((o.state_dict(), whole.state_dict())))
    o2, resumed = make(second, name, options)
    o2.load_state_dict(saved[0])
    kept = copy.deepcopy(saved[1])
    resumed.load_state_dict(saved[1])
    assert saved[1] == kept, "the state was changed"
    for _ in range(20):
        close(state_of(o), state_of(o2))
        if direction == "ours to ours":
            assert state_of(o) == state_of(o2)
        whole.step()
        resumed.step()
    close(state_of(o), state_of(o2))


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES} | {"ReduceLROnPlateau", "SequentialLR"}))
def test_signature_is_torchs(name):
    mine, reference = (inspect.signature(getattr(module, name)).parameters for module in (ours, theirs))
    assert {n: p.default for n, p in mine.items()} == {n: p.default for n, p in reference.items()}
    assert list(mine) == list(reference)


def test_every_schedule_is_compared():
    compared = {name for name, _ in CASES} | {"ReduceLROnPlateau", "SequentialLR"}
    assert compared == {n for n in ours.__all__ if n.endswith("LR") or n.startswith("Cosine") or n.endswith("Plateau")}


@pytest.mark.parametrize("name", ["StepLR", "ExponentialLR", "CosineAnnealingLR", "LambdaLR", "MultiStepLR"])
def test_schedule_can_begin_at_a_later_step(name):
    options = dict(CASES)[name]
    a, b = optimizer(), optimizer()
    for o in (a, b):
        for group in o.param_groups:
            group["initial_lr"] = group["lr"]
    mine = getattr(ours, name)(a, **options, last_epoch=5)
    assert mine.last_epoch == 6
    fresh = getattr(ours, name)(b, **options)
    for _ in range(6):
        fresh.step()
    assert state_of(a) == state_of(b)


def test_schedules_equal_what_one_computes_by_hand():
    o = optim.SGD([torch.zeros(1)], lr=1.0)
    wave = ours.CosineAnnealingLR(o, T_max=4, eta_min=0.2)
    seen = [wave.get_last_lr()[0]] + [wave.step() or o.param_groups[0]["lr"] for _ in range(8)]
    assert seen == pytest.approx(
        [
            1.0,
            0.6 + 0.4 * 0.5**0.5,
            0.6,
            0.6 - 0.4 * 0.5**0.5,
            0.2,
            0.6 - 0.4 * 0.5**0.5,
            0.6,
            0.6 + 0.4 * 0.5**0.5,
            1.0,
        ]
    )
    line = ours.LinearLR(optim.SGD([torch.zeros(1)], lr=2.0), 0.25, 0.75, total_iters=2)
    assert [line.get_last_lr()[0]] + [line.step() or line.get_last_lr()[0] for _ in range(3)] == [0.5, 1.0, 1.5, 1.5]


@MANY
@given(
    T_0=st.integers(1, 5),
    T_mult=st.integers(1, 3),
    places=st.lists(st.floats(0, 40).map(lambda e: round(e, 2)), min_size=1, max_size=6),
)
def test_restarts_can_be_placed_at_fractions_of_an_epoch(T_0, T_mult, places):
    options = {"T_0": T_0, "T_mult": T_mult, "eta_min": 0.05}
    (a, mine), (b, reference) = (
        make(ours, "CosineAnnealingWarmRestarts", options),
        make(theirs, "CosineAnnealingWarmRestarts", options),
    )
    for place in places:
        mine.step(place)
        reference.step(place)
        if not math.isclose(
            reference.T_cur, reference.T_i
        ):  # there PyTorch's logarithm falls on either side of a restart
            close(state_of(a), state_of(b))
            assert mine.last_epoch == reference.last_epoch


# -- one after the other ---------------------------------------------------------------------------

PARTS = [
    ([("LinearLR", {"start_factor": 0.1, "total_iters": 4}), ("CosineAnnealingLR", {"T_max": 9})], [4]),
    ([("LinearLR", {}), ("ExponentialLR", {"gamma": 0.9}), ("StepLR", {"step_size": 2})], [5, 12]),
    ([("ExponentialLR", {"gamma": 0.5})], []),
    ([("StepLR", {"step_size": 2}), ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 2}), ("LambdaLR", {"lr_lambda": both})], [3, 9]),
    ([("MultiStepLR", {"milestones": [1, 3]}), ("LinearLR", {"start_factor": 0.5, "total_iters": 3})], [7]),
]  # fmt: skip


def sequence(module, parts, milestones):
    o = optimizer()
    return o, module.SequentialLR(o, [getattr(module, name)(o, **options) for name, options in parts], milestones)


@pytest.mark.parametrize(("parts", "milestones"), PARTS)
def test_sequence_agrees_with_torch_step_by_step(parts, milestones):
    (a, mine), (b, reference) = sequence(ours, parts, milestones), sequence(theirs, parts, milestones)
    for _ in range(20):
        close(state_of(a), state_of(b))
        assert mine.get_last_lr() == [g["lr"] for g in a.param_groups]
        mine.step()
        reference.step()


@pytest.mark.parametrize(("parts", "milestones"), PARTS)
@pytest.mark.parametrize("at", [0, 2, 8])
@pytest.mark.parametrize("direction", ["to ours", "to torch", "ours to ours"])
def test_sequence_goes_on_from_a_saved_state(parts, milestones, at, direction):
    first = theirs if direction == "to ours" else ours
    second = theirs if direction == "to torch" else ours
    o, whole = sequence(first, parts, milestones)
    for _ in range(at):
        whole.step()
    o2, resumed = sequence(second, parts, milestones)
    o2.load_state_dict(copy.deepcopy(o.state_dict()))
    resumed.load_state_dict(copy.deepcopy(whole.state_dict()))
    for _ in range(12):
        close(state_of(o), state_of(o2))
        whole.step()
        resumed.step()


def test_a_sequence_in_a_sequence_starts_each_part_at_its_beginning():
    o = optim.SGD([torch.zeros(1)], lr=1.0)
    inner = ours.SequentialLR(o, [ours.LinearLR(o, 0.5, total_iters=1), ours.ExponentialLR(o, 0.5)], [1])
    outer = ours.SequentialLR(o, [ours.LinearLR(o, 0.1, total_iters=2), inner], [2])
    seen = [outer.get_last_lr()[0]] + [outer.step() or o.param_groups[0]["lr"] for _ in range(4)]
    assert seen == pytest.approx([0.1, 0.55, 0.5, 1.0, 0.5])


# -- on a plateau ----------------------------------------------------------------------------------

PLATEAUS = [
    {}, {"patience": 0}, {"patience": 2, "factor": 0.5, "cooldown": 2}, {"mode": "max", "patience": 1}, {"mode": "max", "threshold_mode": "abs", "threshold": 0.3, "patience": 1},
    {"threshold": 0.2, "patience": 1}, {"threshold": 0.2, "threshold_mode": "abs", "patience": 1}, {"min_lr": [0.1, 0.001], "patience": 0, "factor": 0.3}, {"eps": 0.1, "patience": 0, "min_lr": 0.01},
]  # fmt: skip


@pytest.mark.parametrize("options", PLATEAUS, ids=str)
@MANY
@given(
    values=st.lists(
        st.sampled_from([math.nan, math.inf, -1.0, 0.0, 0.5, 0.7, 0.8, 0.9, 0.99995, 1.0, 1.2, 3.0]),
        min_size=1,
        max_size=25,
    )
)
def test_plateau_agrees_with_torch_value_by_value(options, values):
    (a, mine), (b, reference) = make(ours, "ReduceLROnPlateau", options), make(theirs, "ReduceLROnPlateau", options)
    for i, value in enumerate(values):
        mine.step(torch.tensor(value, dtype=torch.float64))
        reference.step(value)
        close(state_of(a), state_of(b))
        assert mine.get_last_lr() == pytest.approx(reference.get_last_lr())
        if i == len(values) // 2:
            o, mine = make(ours, "ReduceLROnPlateau", options)
            o.load_state_dict(a.state_dict())
            mine.load_state_dict(reference.state_dict())
            a, saved = o, mine.state_dict()
            assert saved.keys() == reference.state_dict().keys()


def test_plateau_waits_for_patience_and_cooldown():
    o = optim.SGD([torch.zeros(1)], lr=1.0)
    schedule = ours.ReduceLROnPlateau(o, factor=0.5, patience=1, cooldown=2)
    seen = [schedule.step(1.0) or o.param_groups[0]["lr"] for _ in range(9)]
    assert seen == [1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]


# -- optimizer and schedule together ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "RMSprop", "Adam", "AdamW"])
@pytest.mark.parametrize("schedule", ["OneCycleLR", "CosineAnnealingWarmRestarts", "SequentialLR"])
def test_ten_steps_and_ten_more_equal_twenty_bit_for_bit(name, schedule, tmp_path):
    X = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))

    def build():
        model = nn.Linear(3, 2, generator=torch.Generator().manual_seed(1))
        options = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
        o = getattr(optim, name)(model.parameters(), lr=0.05, **options)
        if schedule == "SequentialLR":
            return model, o, ours.SequentialLR(o, [ours.LinearLR(o), ours.ExponentialLR(o, 0.9)], [5])
        arguments = (
            {"max_lr": 0.1, "total_steps": 20, "cycle_momentum": name != "Adagrad"}
            if schedule == "OneCycleLR"
            else {"T_0": 3, "T_mult": 2}
        )
        return model, o, getattr(ours, schedule)(o, **arguments)

    def run(model, o, s, steps):
        for _ in range(steps):
            o.zero_grad()
            (model(X) ** 2).mean().backward()
            optim.clip_grad_norm_(model.parameters(), 0.5)
            o.step()
            s.step()

    whole, parts, resumed = build(), build(), build()
    run(*whole, 20)
    run(*parts, 10)
    torch.save([part.state_dict() for part in parts], tmp_path / "checkpoint.pt")
    # a Counter and such are plain containers, but PyTorch's strict reader takes them only by name
    for part, state in zip(resumed, torch.load(tmp_path / "checkpoint.pt", weights_only=True)):
        part.load_state_dict(state)
    run(*resumed, 10)
    assert torch.equal(resumed[0].weight, whole[0].weight)
    assert state_of(resumed[1]) == state_of(whole[1])
    assert not torch.equal(parts[0].weight, whole[0].weight)


# -- the range test --------------------------------------------------------------------------------


def problem():
    X = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    return X, X @ torch.tensor([[1.0], [-2.0]])


def test_range_test_falls_then_breaks():
    X, y = problem()
    seen = ours.lr_range_test(
        nn.Linear(2, 1, generator=torch.Generator().manual_seed(0)),
        X,
        y,
        loss="mse",
        low=1e-4,
        high=100.0,
        generator=torch.Generator().manual_seed(0),
    )
    rates, losses = seen
    assert len(rates) == len(losses) < 100, "it did not stop"
    best = losses.index(min(losses))
    assert 0 < best < len(losses) - 1
    assert losses[best] < 0.2 * losses[0]
    assert not seen.smoothed[-1] <= 4 * min(seen.smoothed[9:])
    assert rates[:2] == pytest.approx([1e-4, 1e-4 * 10 ** (6 / 99)])


def test_range_test_equals_a_loop_written_out():
    X, y = problem()
    model = nn.Linear(2, 1, generator=torch.Generator().manual_seed(0))
    seen = ours.lr_range_test(
        model,
        X,
        y,
        loss=lambda a, b: ((a - b) ** 2).sum(),
        low=1e-3,
        high=1e-1,
        steps=5,
        batch_size=48,
        stop=math.inf,
        generator=torch.Generator().manual_seed(3),
    )
    order = torch.Generator().manual_seed(3)
    rows = [torch.randperm(64, generator=order)[:48] for _ in range(5)]  # the last 16 of each are left out
    weight, bias, losses = model.weight.detach().clone(), model.bias.detach().clone(), []
    for i in range(5):
        x, t, rate = X[rows[i]], y[rows[i]], 1e-3 * 100 ** (i / 4)
        error = x @ weight.T + bias - t
        losses.append((error**2).sum().item())
        weight -= rate * 2 * error.T @ x
        bias -= rate * 2 * error.sum(0)
    assert seen.losses == pytest.approx(losses, rel=1e-4)
    assert seen.rates == pytest.approx([1e-3, 10**-2.5, 1e-2, 10**-1.5, 1e-1])


@pytest.mark.parametrize("training", [True, False])
def test_range_test_leaves_the_model_as_it_was(training):
    X, y = problem()
    model = torch.nn.Sequential(nn.Linear(2, 4), torch.nn.BatchNorm1d(4), torch.nn.Dropout(0.5), nn.Linear(4, 1)).train(
        training
    )
    model(X).sum().backward()
    kept = copy.deepcopy(model.state_dict())
    gradients = [p.grad.clone() for p in model.parameters()]
    ours.lr_range_test(model, X, y, loss="mse", steps=10, optimizer=optim.Adam)
    for key, value in model.state_dict().items():
        assert torch.equal(value, kept[key])
    assert all(torch.equal(p.grad, g) for p, g in zip(model.parameters(), gradients))
    assert all(part.training is training for part in model.modules())


@pytest.mark.parametrize(
    ("loss", "outputs", "targets"),
    [("bce", 1, lambda y: (y > 0).float()), ("cross_entropy", 2, lambda y: (y > 0).long().flatten())],
)
def test_range_test_knows_losses_by_name(loss, outputs, targets):
    X, y = problem()
    seen = ours.lr_range_test(nn.Linear(2, outputs), X, targets(y), loss=loss, low=1e-2, high=10.0)
    assert min(seen.losses) < 0.7 * seen.losses[0]


def test_range_test_stops_where_the_loss_is_no_longer_finite():
    X, y = problem()
    seen = ours.lr_range_test(nn.Linear(2, 1), X, y, loss="mse", low=1e20, high=1e30, stop=math.inf)
    assert 1 < len(seen.losses) < 5
    assert not math.isfinite(seen.losses[-1])
    assert all(map(math.isfinite, seen.losses[:-1]))


NOISY = [
    (100, 32, 3), (1000, 8, 3), (1000, 2, 3), (33, 32, 1),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "size", "features"), NOISY)
def test_range_test_ends_at_the_wall_and_not_at_noise(rows, size, features):
    for seed in range(10):
        g = torch.Generator().manual_seed(seed)
        X = torch.randn(rows, features, generator=g)
        y = X.sum(1, keepdim=True) + torch.randn(rows, 1, generator=g)
        model = nn.Linear(features, 1, generator=g)
        seen = ours.lr_range_test(model, X, y, loss="mse", batch_size=size, generator=g)
        assert 0.1 < seen.rates[-1] < 10, (seed, "noise ended it, or nothing did")
        usual = sum(seen.losses[:20]) / 20
        calm = max(i for i, loss in enumerate(seen.losses) if loss <= 4 * usual)
        assert len(seen.losses) - 1 - calm <= 6, (seed, "it went on for long after the wall")


def test_range_test_is_judged_by_a_corrected_running_mean_from_the_tenth_loss_on():
    seen = ours.RangeTest([1.0, 2.0, 3.0], [4.0, 8.0, 1.0])
    kept, new = 0.9, 0.1
    expected = [
        4.0,
        (kept * new * 4 + new * 8) / (1 - kept**2),
        (kept**2 * new * 4 + kept * new * 8 + new) / (1 - kept**3),
    ]
    assert seen.smoothed == pytest.approx(expected)
    assert ours.RangeTest([], []).smoothed == []
    X, y = problem()
    falling = iter([1e-6, *[1.0] * 11, *[100.0] * 50])  # the first would be an unfair yardstick

    def told(z, t):
        return next(falling) + 0 * z.sum()

    seen = ours.lr_range_test(M, X, y, loss=told, steps=40)
    assert seen.losses.count(100.0) == 1
    assert seen.smoothed[-1] > 4 * min(seen.smoothed[9:-1])


def test_range_test_says_that_a_loss_below_zero_has_no_multiple():
    X, y = problem()
    with pytest.warns(UserWarning, match="^lr_range_test: loss") as caught:
        seen = ours.lr_range_test(M, X, y, loss=lambda z, t: mse(z, t) - 100, low=1e-5, high=0.1, steps=20)
    assert len(caught) == 1
    assert len(seen.losses) == 20
    assert str(caught[0].message).startswith("lr_range_test: loss expected 0 or more for a finite stop, got -9")
    assert str(caught[0].message).endswith("; from here on only nan or inf ends the test")
    assert caught[0].filename == __file__
    assert len(ours.lr_range_test(M, X, y, loss=lambda z, t: mse(z, t) - 100, high=0.1, stop=math.inf).losses) == 100


def mse(z, t):
    return ((z - t) ** 2).mean()


def test_range_test_says_that_a_loss_of_zero_throughout_tells_nothing():
    X, y = problem()
    with pytest.warns(UserWarning, match="^lr_range_test: loss") as caught:
        seen = ours.lr_range_test(M, X, y, loss=lambda z, t: 0 * z.sum(), steps=5)
    assert str(caught[0].message) == (
        "lr_range_test: loss expected above 0 at one rate or more, got 0 throughout; no rate can be told from another"
    )
    assert caught[0].filename == __file__
    assert seen.losses == [0.0] * 5


def test_range_test_is_not_ended_by_a_loss_that_starts_at_zero():
    X, y = problem()
    values = iter([*[0.0] * 15, *[1.0] * 15])
    assert len(ours.lr_range_test(M, X, y, loss=lambda z, t: next(values) + 0 * z.sum(), steps=16).losses) == 16


# -- what is refused -------------------------------------------------------------------------------

O, OTHER = optimizer(), optimizer()
PLAIN = optim.Adagrad([torch.nn.Parameter(torch.ones(1))])
X, Y = problem()
M = nn.Linear(2, 1)
REFUSED = [
    (lambda: ours.StepLR("SGD", 1), TypeError, "StepLR: optimizer expected an optimizer, got str"),
    (lambda: ours.StepLR(O, 0), ValueError, "StepLR: step_size expected 1 or more, got 0"),
    (lambda: ours.StepLR(O, 1, gamma="half"), TypeError, "StepLR: gamma expected a finite number, got str"),
    (lambda: ours.StepLR(optimizer(), 1, last_epoch=4), ValueError, "StepLR: last_epoch expected -1 for an optimizer that had no schedule, got 4; load the optimizer's state_dict first, or start with last_epoch=-1"),
    (lambda: ours.MultiStepLR(O, [1, -1]), ValueError, "MultiStepLR: milestones expected 0 or more, got -1"),
    (lambda: ours.MultiStepLR(O, [1.5]), TypeError, "MultiStepLR: milestones expected a whole number, got float"),
    (lambda: ours.ExponentialLR(O, math.inf), ValueError, "ExponentialLR: gamma expected a finite number, got inf"),
    (lambda: ours.LinearLR(O, 0), ValueError, "LinearLR: start_factor expected a finite number above 0, got 0"),
    (lambda: ours.LinearLR(O, 1.5), ValueError, "LinearLR: start_factor expected above 0 and up to 1, got 1.5"),
    (lambda: ours.LinearLR(O, 0.5, -1), ValueError, "LinearLR: end_factor expected 0 to 1, got -1"),
    (lambda: ours.LinearLR(O, 0.5, 1, 0), ValueError, "LinearLR: total_iters expected 1 or more, got 0"),
    (lambda: ours.LambdaLR(O, 0.5), TypeError, "LambdaLR: lr_lambda expected a function of the step, got float"),
    (lambda: ours.LambdaLR(O, [both]), ValueError, "LambdaLR: lr_lambda expected one value, or 2, one for each parameter group, got 1"),
    (lambda: ours.CosineAnnealingLR(O, 0), ValueError, "CosineAnnealingLR: T_max expected 1 or more, got 0"),
    (lambda: ours.CosineAnnealingWarmRestarts(O, 0), ValueError, "CosineAnnealingWarmRestarts: T_0 expected 1 or more, got 0"),
    (lambda: ours.CosineAnnealingWarmRestarts(O, 1, 0), ValueError, "CosineAnnealingWarmRestarts: T_mult expected 1 or more, got 0"),
    (lambda: ours.CosineAnnealingWarmRestarts(O, 1).step(-0.5), ValueError, "CosineAnnealingWarmRestarts: epoch expected 0 or more, got -0.5"),
    (lambda: ours.OneCycleLR(O, 1.0), ValueError, "OneCycleLR: total_steps expected a number, or epochs and steps_per_epoch, got neither"),
    (lambda: ours.OneCycleLR(O, 1.0, 0), ValueError, "OneCycleLR: total_steps expected 1 or more, got 0"),
    (lambda: ours.OneCycleLR(O, 1.0, epochs=2, steps_per_epoch=0), ValueError, "OneCycleLR: steps_per_epoch expected 1 or more, got 0"),
    (lambda: ours.OneCycleLR(O, 1.0, epochs=0, steps_per_epoch=2), ValueError, "OneCycleLR: epochs expected 1 or more, got 0"),
    (lambda: ours.OneCycleLR(O, 0, 9), ValueError, "OneCycleLR: max_lr expected a finite number above 0, got 0"),
    (lambda: ours.OneCycleLR(O, 1.0, 9, pct_start=1.5), ValueError, "OneCycleLR: pct_start expected 0 to 1, got 1.5"),
    (lambda: ours.OneCycleLR(O, 1.0, 9, anneal_strategy="step"), ValueError, "OneCycleLR: anneal_strategy expected 'cos' or 'linear', got 'step'"),
    (lambda: ours.OneCycleLR(O, 1.0, 9, div_factor=0), ValueError, "OneCycleLR: div_factor expected a finite number above 0, got 0"),
    (lambda: ours.OneCycleLR(O, [1.0], 9), ValueError, "OneCycleLR: max_lr expected one value, or 2, one for each parameter group, got 1"),
    (lambda: ours.OneCycleLR(PLAIN, 1.0, 9), ValueError, "OneCycleLR: optimizer expected one with momentum or betas, got Adagrad; cycle_momentum=False leaves it out"),
    (lambda: ours.ReduceLROnPlateau(O, "low"), ValueError, "ReduceLROnPlateau: mode expected 'min' or 'max', got 'low'"),
    (lambda: ours.ReduceLROnPlateau(O, factor=1.0), ValueError, "ReduceLROnPlateau: factor expected 0 or more and below 1, got 1.0"),
    (lambda: ours.ReduceLROnPlateau(O, patience=-1), ValueError, "ReduceLROnPlateau: patience expected 0 or more, got -1"),
    (lambda: ours.ReduceLROnPlateau(O, threshold_mode="x"), ValueError, "ReduceLROnPlateau: threshold_mode expected 'rel' or 'abs', got 'x'"),
    (lambda: ours.ReduceLROnPlateau(O, min_lr=[0.1]), ValueError, "ReduceLROnPlateau: min_lr expected one value, or 2, one for each parameter group, got 1"),
    (lambda: ours.SequentialLR(O, [], []), ValueError, "SequentialLR: schedulers expected one schedule or more, got none"),
    (lambda: ours.SequentialLR(O, [ours.LinearLR(O)], [3]), ValueError, "SequentialLR: milestones expected 0 rising steps for 1 schedules, got [3]"),
    (lambda: ours.SequentialLR(O, [ours.LinearLR(O)] * 3, [3, 2]), ValueError, "SequentialLR: milestones expected 2 rising steps for 3 schedules, got [3, 2]"),
    (lambda: ours.SequentialLR(O, [ours.LinearLR(OTHER)], []), ValueError, "SequentialLR: schedulers[0] expected a schedule of the same optimizer, got one of another"),
    (lambda: ours.SequentialLR(O, [ours.ReduceLROnPlateau(O)], []), ValueError, "SequentialLR: schedulers[0] expected a schedule of steps alone, got ReduceLROnPlateau; it needs a value at each step"),
    (lambda: ours.SequentialLR(O, [both], []), TypeError, "SequentialLR: schedulers[0] expected a schedule of companion.lr_scheduler, got function"),
    (lambda: ours.SequentialLR(O, [ours.LinearLR(O)], [], last_epoch=3), ValueError, "SequentialLR: last_epoch expected -1, got 3; load_state_dict goes on from where a sequence was saved"),
    (lambda: ours.SequentialLR(O, [ours.LinearLR(O)] * 2, 5), TypeError, "SequentialLR: milestones expected a list of steps, got int"),
    (lambda: ours.SequentialLR(O, ours.LinearLR(O), []), TypeError, "SequentialLR: schedulers expected a list of schedules, got LinearLR"),
    (lambda: ours.SequentialLR(O, [ours.LinearLR(O)] * 2, [-3]), ValueError, "SequentialLR: milestones expected 0 or more, got -3"),
    (lambda: ours.SequentialLR(O, [ours.LinearLR(O)] * 2, [2.5]), TypeError, "SequentialLR: milestones expected a whole number, got float"),
    (lambda: ours.MultiStepLR(O, 30), TypeError, "MultiStepLR: milestones expected a list of steps, got int; [30] is one of a single step"),
    (lambda: ours.LambdaLR("SGD", both), TypeError, "LambdaLR: optimizer expected an optimizer, got str"),
    (lambda: ours.LambdaLR(O, lambda t: None), TypeError, "LambdaLR: lr_lambda expected a function that returns a number, got NoneType"),
    (lambda: ours.ReduceLROnPlateau(O).step(None), TypeError, "ReduceLROnPlateau: metrics expected a number, got NoneType"),
    (lambda: ours.ReduceLROnPlateau(O).step("0.5"), TypeError, "ReduceLROnPlateau: metrics expected a number, got str"),
    (lambda: ours.ReduceLROnPlateau(O).step(torch.ones(3)), ValueError, "ReduceLROnPlateau: metrics expected a single number, got shape (3,); .mean() makes one"),
    (lambda: ours.StepLR(O, 1).step(torch.ones(())), TypeError, "StepLR: step expected no argument, got Tensor; ReduceLROnPlateau is the one that watches a value"),
    (lambda: ours.SequentialLR(O, [ours.LinearLR(O)], []).step(0.5), TypeError, "SequentialLR: step expected no argument, got float; ReduceLROnPlateau is the one that watches a value"),
    (lambda: ours.StepLR(O, 1).load_state_dict(None), TypeError, "StepLR: state_dict expected what state_dict() returned, got NoneType"),
    (lambda: ours.SequentialLR(O, [ours.LinearLR(O)], []).load_state_dict(None), TypeError, "SequentialLR: state_dict expected what state_dict() returned, got NoneType"),
    (lambda: ours.StepLR(O, 1).load_state_dict(ours.ExponentialLR(O, 0.5).state_dict()), ValueError, "StepLR: state_dict expected one of a StepLR, got one without step_size"),
    (lambda: ours.lr_range_test("model", X, Y, loss="mse"), TypeError, "lr_range_test: model expected a module, got str"),
    (lambda: ours.lr_range_test(M, X, Y, loss="mse", optimizer="adam"), TypeError, "lr_range_test: optimizer expected what makes one from parameters and lr=, got str; optim.Adam, the class without a call, is such a one"),
    (lambda: ours.lr_range_test(M, X, Y, loss="mse", optimizer=optim.SGD(M.parameters())), TypeError, "lr_range_test: optimizer expected what makes one from parameters and lr=, got SGD; optim.Adam, the class without a call, is such a one"),
    (lambda: ours.lr_range_test(M, X, Y, loss="mse", optimizer=lambda params, lr: None), TypeError, "lr_range_test: optimizer expected what returns an optimizer, got NoneType; optim.Adam, the class without a call, is such a one"),
    (lambda: ours.lr_range_test(copy.deepcopy(M).requires_grad_(False), X, Y, loss="mse"), ValueError, "lr_range_test: model expected a parameter or more that can learn, got none; model.requires_grad_() lets all learn"),
    (lambda: ours.lr_range_test(M, X, Y, loss=lambda z, t: 1.0), TypeError, "lr_range_test: loss expected a function that returns a tensor, got float; leave .item() out"),
    (lambda: ours.lr_range_test(M, X, Y, loss=lambda z, t: (z - t).flatten()), ValueError, "lr_range_test: loss expected a single number, got shape (32,); .mean() makes one"),
    (lambda: ours.lr_range_test(M, X, Y, loss=lambda z, t: z.detach().sum()), ValueError, "lr_range_test: loss expected one that hangs on the parameters, got one cut off from them"),
    (lambda: ours.lr_range_test(M, X.double(), Y, loss="mse"), TypeError, "lr_range_test: X expected float32 like the model's parameters, got float64; X.float(), or model.double()"),
    (lambda: ours.lr_range_test(M, X * math.nan, Y, loss="mse"), ValueError, "lr_range_test: X expected finite numbers, got nan or inf in a row; X.isfinite() shows where"),
    (lambda: ours.lr_range_test(M, X, Y * math.inf, loss="mse"), ValueError, "lr_range_test: y expected finite numbers, got nan or inf in a row; y.isfinite() shows where"),
    (lambda: ours.lr_range_test(M, X, Y, loss=lambda z, t: z.sum() * 0 + math.inf), ValueError, "lr_range_test: loss expected a finite number before the first step, got inf; look at the weights and at the loss itself"),
    (lambda: ours.lr_range_test(M, X, Y, loss="rmse"), ValueError, "lr_range_test: loss expected 'mse' or 'bce' or 'cross_entropy', got 'rmse'"),
    (lambda: ours.lr_range_test(M, X, Y, loss=None), TypeError, "lr_range_test: loss expected a name or a function of outputs and targets, got NoneType"),
    (lambda: ours.lr_range_test(M, X, Y[:5], loss="mse"), ValueError, "lr_range_test: y expected 64 targets, one for each example, got (5, 1)"),
    (lambda: ours.lr_range_test(M, X[:0], Y[:0], loss="mse"), ValueError, "lr_range_test: X expected one example or more, got (0, 2)"),
    (lambda: ours.lr_range_test(M, X, Y, loss="mse", low=0), ValueError, "lr_range_test: low expected a finite number above 0, got 0"),
    (lambda: ours.lr_range_test(M, X, Y, loss="mse", low=1, high=1), ValueError, "lr_range_test: high expected a rate above low, 1, got 1"),
    (lambda: ours.lr_range_test(M, X, Y, loss="mse", steps=1), ValueError, "lr_range_test: steps expected 2 or more, got 1"),
    (lambda: ours.lr_range_test(M, X, Y, loss="mse", batch_size=0), ValueError, "lr_range_test: batch_size expected 1 or more, got 0"),
    (lambda: ours.lr_range_test(M, X, Y, loss="mse", stop=1), ValueError, "lr_range_test: stop expected above 1, or inf for never, got 1"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


def test_one_cycle_refuses_to_go_beyond_its_end_like_torch():
    schedule = ours.OneCycleLR(optimizer(), 1.0, total_steps=3)
    for _ in range(3):
        schedule.step()
    with pytest.raises(ValueError, match=r"^OneCycleLR: step expected at most 3 steps, got 4; the cycle is over"):
        schedule.step()


def test_groups_added_after_the_schedule_are_named():
    o = optim.SGD([torch.nn.Parameter(torch.ones(1))])
    schedule = ours.StepLR(o, 1)
    o.add_param_group({"params": [torch.nn.Parameter(torch.ones(1))]})
    with pytest.raises(ValueError) as caught:
        schedule.step()
    assert (
        str(caught.value)
        == "StepLR: optimizer expected 1 parameter groups, got 2; make the schedule after the last add_param_group"
    )


def test_a_state_that_does_not_fit_loads_nothing():
    o, (parts, milestones) = optimizer(), PARTS[0]
    _, good = sequence(ours, parts, milestones)
    for _ in range(6):
        good.step()
    mine = ours.SequentialLR(o, [ours.LinearLR(o, 0.1, total_iters=4), ours.StepLR(o, 2)], [4])
    before = copy.deepcopy(mine.state_dict())
    with pytest.raises(
        ValueError, match=r"^StepLR: state_dict expected one of a StepLR, got one without gamma, step_size$"
    ):
        mine.load_state_dict(good.state_dict())
    assert mine.state_dict() == before
    with pytest.raises(ValueError, match=r"^SequentialLR: state_dict expected states of 2 schedules, got 1$"):
        mine.load_state_dict({**before, "_schedulers": before["_schedulers"][:1]})


@EVERY
def test_counts_of_steps_are_torchs(name, options):
    (_, mine), (_, reference) = make(ours, name, options), make(theirs, name, options)
    for _ in range(4):
        for count in ("last_epoch", "_step_count"):
            if hasattr(reference, count) and hasattr(mine, count):
                assert getattr(mine, count) == getattr(reference, count), count
        mine.step()
        reference.step()


def test_a_plateau_counts_its_steps():
    (_, mine), (_, reference) = make(ours, "ReduceLROnPlateau", {}), make(theirs, "ReduceLROnPlateau", {})
    for i in range(3):
        mine.step(torch.tensor(1.0))
        reference.step(1.0)
        assert mine.last_epoch == reference.last_epoch == i + 1


def test_a_schedule_of_ones_own_begins_at_the_beginning():
    class Halving(ours.LRScheduler):
        def rate(self, base):
            return base * 0.5**self.last_epoch

    o = optim.SGD([torch.zeros(1)], lr=1.0)
    schedule = Halving(o)
    assert (schedule.last_epoch, schedule._step_count, o.param_groups[0]["lr"]) == (0, 1, 1.0)
    schedule.step()
    assert o.param_groups[0]["lr"] == 0.5


def test_range_test_takes_32_rows_at_every_step_and_stops_at_four_times_the_least_mean_loss():
    sizes = []

    class Noting(torch.nn.Linear):
        def forward(self, x):
            sizes.append(len(x))
            return super().forward(x)

    X = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    seen = ours.lr_range_test(Noting(2, 1), X, X[:, :1], loss="mse", low=1e-3, high=1e3, steps=60)
    assert set(sizes) == {32}
    assert len(seen.losses) < 60  # it broke off
    means = seen.smoothed[9:]
    beyond = [mean > 4 * min(means[: i + 1]) for i, mean in enumerate(means)]
    assert beyond == [False] * (len(means) - 1) + [True]
    sizes.clear()
    ours.lr_range_test(Noting(2, 1), X[:20], X[:20, :1], loss="mse", steps=3)
    assert sizes == [20, 20, 20]


def test_all_of_the_cycle_on_the_way_up_equals_torch_and_a_step_too_many_divides_by_no_zero():
    def rates(module, steps):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)
        schedule, seen = module.OneCycleLR(optimizer, 1.0, total_steps=4, pct_start=1.0), []
        for _ in range(steps):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        return [*seen, optimizer.param_groups[0]["lr"]]

    assert rates(ours, 3) == pytest.approx(rates(theirs, 3))
    with pytest.raises(ZeroDivisionError):
        rates(theirs, 4)
    assert rates(ours, 4)[-1] == pytest.approx(4e-6)
    with pytest.raises(ValueError, match="at most 4 steps, got 5"):
        rates(ours, 5)
