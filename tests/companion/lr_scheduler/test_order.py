"""What schedules say of the order of steps, and what they keep to themselves."""

import copy
import gc
import pickle
import warnings
import weakref

import pytest
import torch

from companion import lr_scheduler as ours
from companion import nn, optim

BOTH = pytest.mark.parametrize("kind", [optim.SGD, torch.optim.SGD, optim.Adam, torch.optim.Adam])
MAKERS = {
    "StepLR": lambda o: ours.StepLR(o, 3),
    "OneCycleLR": lambda o: ours.OneCycleLR(o, 1.0, total_steps=30, cycle_momentum=False),
    "CosineAnnealingWarmRestarts": lambda o: ours.CosineAnnealingWarmRestarts(o, 3),
    "SequentialLR": lambda o: ours.SequentialLR(o, [ours.LinearLR(o), ours.ExponentialLR(o, 0.9)], [2]),
}
EVERY = pytest.mark.parametrize("name", MAKERS)


def one(kind=optim.SGD):
    return kind([torch.nn.Parameter(torch.ones(2))], lr=0.5)


def said(call):
    """Return what is warned of, each with the file it points to."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [(str(w.message), w.filename) for w in caught]


@BOTH
@EVERY
def test_a_step_before_the_optimizers_first_is_said_once_and_taken(kind, name):
    o = one(kind)
    schedule = MAKERS[name](o)
    rates = list(schedule.get_last_lr())
    sentence = (
        f"{name}: step expected a call after optimizer.step(), got one before it; "
        "no step is taken with the first rate; call optimizer.step() first, then that of the schedule"
    )
    assert said(schedule.step) == [(sentence, __file__)]
    assert schedule.last_epoch == 1
    assert said(lambda: [schedule.step() for _ in range(4)]) == []
    assert schedule.get_last_lr() != rates


@BOTH
@EVERY
def test_nothing_is_said_in_the_right_order(kind, name):
    o = one(kind)
    schedule = MAKERS[name](o)

    def go():
        for _ in range(6):
            o.step()
            schedule.step()

    assert said(go) == []
    assert said(lambda: (schedule.restart(), schedule.step())) == []


def test_a_schedule_that_watches_or_is_placed_may_come_first():
    o = one()
    assert said(lambda: ours.ReduceLROnPlateau(o, patience=0).step(1.0)) == []
    assert said(lambda: ours.CosineAnnealingWarmRestarts(o, 3).step(0.5)) == []


def test_a_step_that_the_scaler_of_gradients_left_out_is_no_fault():
    x = torch.nn.Parameter(torch.ones(2))
    o, scaler = optim.SGD([x]), torch.amp.GradScaler("cpu")
    schedule = ours.StepLR(o, 1)
    scaler.scale((x * torch.inf).sum()).backward()
    scaler.step(o)
    assert said(schedule.step) == []


@EVERY
def test_state_copies_and_pickles_hold_nothing_of_it(name):
    o = one()
    plain = set(o.state_dict()), set(o.state_dict()["param_groups"][0])
    schedule = MAKERS[name](o)
    o.step()
    assert set(o.state_dict()) == plain[0]
    assert set(o.state_dict()["param_groups"][0]) - plain[1] <= {"initial_lr", "max_lr", "min_lr"}
    theirs = torch.optim.lr_scheduler.StepLR(one(torch.optim.SGD), 3).state_dict()
    assert set(ours.StepLR(one(), 3).state_dict()) <= set(theirs)
    pickle.loads(pickle.dumps((o.state_dict(), schedule.state_dict())))
    for again in (copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))):
        other, follower = again((o, schedule))
        assert said(follower.step) == []
        other.step()
        assert follower.optimizer is other
        assert follower.last_epoch == 1


def test_a_schedule_that_goes_on_from_a_saved_state_may_step_at_once():
    first = ours.StepLR(one(), 2)
    first.optimizer.step()
    first.step()
    second = ours.StepLR(one(), 2)
    second.load_state_dict(first.state_dict())
    assert said(second.step) == []


def test_optimizer_and_schedule_are_let_go():
    o = one()
    schedule = ours.StepLR(o, 2)
    o.step()
    schedule.step()
    gone = weakref.ref(o), weakref.ref(schedule)
    del o, schedule
    gc.collect()
    assert [r() for r in gone] == [None, None]


def test_two_schedules_that_take_turns_on_one_optimizer_are_pointed_to_a_sequence_once():
    o = one()
    warm, decay = ours.LinearLR(o, 0.1), ours.ExponentialLR(o, 0.9)

    def epoch():
        o.step()
        warm.step()
        decay.step()

    assert said(epoch) == []  # one may take over from the other for good
    sentence = (
        "LinearLR: optimizer expected one schedule at a time, got rates that ExponentialLR had set in between; "
        "each sets the rates anew, and SequentialLR puts one after the other"
    )
    assert said(epoch) == [(sentence, __file__)]
    assert said(epoch) == said(epoch) == []


def test_a_plateau_whose_lower_rate_is_written_over_is_named():
    o = one()
    steady, plateau = ours.StepLR(o, 100), ours.ReduceLROnPlateau(o, patience=1, factor=0.5)
    told = []
    for _ in range(4):
        o.step()
        told.append(said(steady.step))
        told.append(said(lambda: plateau.step(1.0)))
    assert [len(t) for t in told] == [0, 0, 0, 0, 0, 0, 1, 0]
    assert "got rates that ReduceLROnPlateau had set in between" in told[6][0][0]


def test_schedules_in_turn_for_good_and_in_sequences_are_left_in_peace():
    o = one()

    def go():
        for make in (*MAKERS.values(), MAKERS["StepLR"]):
            schedule = make(o)
            for _ in range(5):
                o.step()
                schedule.step()
        inner = ours.SequentialLR(o, [ours.LinearLR(o), ours.StepLR(o, 2)], [2])
        outer = ours.SequentialLR(o, [inner, ours.ExponentialLR(o, 0.9)], [5])
        for _ in range(9):
            o.step()
            outer.step()
        outer.restart()
        outer.step()

    assert said(go) == []


def test_training_with_a_schedule_says_nothing():
    from companion.training import Schedule, fit

    X = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    callback = Schedule(lambda o: ours.OneCycleLR(o, 0.1, total_steps=6), every="batch")
    model = nn.Linear(2, 1)
    momentum = lambda p, lr: optim.SGD(p, lr, momentum=0.9)  # noqa: E731
    told = said(
        lambda: fit(model, X, X[:, :1], loss="mse", epochs=2, batch_size=8, optimizer=momentum, callbacks=[callback])
    )
    assert told == []
    assert callback.scheduler.last_epoch == 6
