"""Callbacks: stopping with the best weights, schedules, clipping, frozen statistics, bars and curves."""

import io
import math
import sys
import types

import pytest
import torch

from companion import nn, optim
from companion.lr_scheduler import ExponentialLR, OneCycleLR, ReduceLROnPlateau
from companion.random import generator
from companion.training import (
    BestWeights,
    Callback,
    Checkpoint,
    ClipGradients,
    CSVLog,
    EarlyStopping,
    FreezeNorm,
    History,
    ProgressBar,
    Run,
    Schedule,
    TensorBoard,
    files,
    fit,
)

X, Y = torch.linspace(-1, 1, 12)[:, None], torch.linspace(-3, 3, 12)[:, None]


def line():
    return nn.Linear(1, 1, generator=generator(0))


def follow(callback, values, name="val_loss"):
    """Show a callback a run whose history grows by these values; return the epochs seen and the model."""
    model = line()
    run = Run(model, torch.optim.SGD(model.parameters(), lr=1.0), len(values), callbacks=[callback])
    run.call("on_fit_start")
    for run.epoch, value in enumerate(values):
        torch.nn.init.constant_(model.weight, run.epoch)
        run.history.add(9.0, {name: value})
        run.call("on_epoch_end")
        if run.stop:
            break
    run.call("on_fit_end")
    return run.epoch + 1, model


@pytest.mark.parametrize(
    ("values", "options", "epochs", "best", "best_epoch"),
    [
        ([5, 4, 3, 2, 1], {"patience": 1}, 5, 1, 4),
        ([5, 4, 4, 3, 2], {"patience": 1}, 3, 4, 1),  # an equal value is not better
        ([5, 4, 4.5, 4.2, 3], {"patience": 2}, 4, 4, 1),
        ([5, 4, 4.5, 3, 3.5, 3.2, 1], {"patience": 2}, 6, 3, 3),
        ([5, 4.5, 4.1, 3.9, 2], {"patience": 3, "min_delta": 1.0}, 5, 2, 4),
        ([5, 4.5, 4.1, 4.0, 2], {"patience": 2, "min_delta": 1.0}, 3, 5, 0),
        ([5, 4, 4, 4], {"patience": 1, "min_delta": 1.0}, 2, 5, 0),  # exactly min_delta is not enough
        ([1, 2, 3, 2, 1, 0], {"patience": 2, "mode": "max"}, 5, 3, 2),
        ([1, 1.5, 1.9], {"patience": 2, "mode": "max", "min_delta": 1.0}, 3, 1, 0),
    ],
)
def test_early_stopping_stops_in_time_and_puts_the_best_weights_back(values, options, epochs, best, best_epoch):
    stopping = EarlyStopping(**options)
    seen, model = follow(stopping, values)
    assert (seen, stopping.best, stopping.best_epoch) == (epochs, best, best_epoch)
    assert model.weight.item() == best_epoch
    assert stopping.waited == epochs - 1 - best_epoch


@pytest.mark.parametrize(
    ("values", "epochs", "best", "best_epoch", "nans"),
    [([3, math.nan, math.nan, 1], 3, 3, 0, [1, 2]), ([math.nan, 2, 3], 3, 2, 1, [0])],
)
def test_early_stopping_says_that_a_value_is_nan_and_counts_it_as_no_new_best(values, epochs, best, best_epoch, nans):
    stopping = EarlyStopping(2, "score")
    with pytest.warns(UserWarning, match="is nan in epoch") as caught:
        seen, _ = follow(stopping, values, "score")
    assert [str(warning.message) for warning in caught] == [
        f"EarlyStopping: 'score' is nan in epoch {epoch}, counted from 0; it counts as no new best" for epoch in nans
    ]
    assert (seen, stopping.best, stopping.best_epoch) == (epochs, best, best_epoch)


def test_early_stopping_points_its_warning_at_the_line_that_trains():
    stopping = EarlyStopping(1, "score")
    with pytest.warns(UserWarning, match="'score' is nan in epoch 0") as caught:
        fit(line(), X, Y, loss="mse", epochs=1, validation=(X, Y), metrics={"score": lambda y, z: math.nan}, callbacks=[stopping])  # fmt: skip
    assert caught[0].filename == __file__


def test_a_validation_loss_that_is_nan_ends_the_training_before_early_stopping_could_wait_for_it():
    stopping = EarlyStopping(5)
    losses = iter([9.0, 1.0, 0.5, math.nan, 0.1])  # the first is that of the rehearsal
    model = line()

    def loss(outputs, targets):
        return (outputs - targets).square().mean() if model.training else torch.tensor(next(losses))

    with pytest.raises(FloatingPointError, match="the validation loss became nan"):
        fit(model, X, Y, loss=loss, validation=(X, Y), callbacks=[stopping])
    assert (stopping.best, stopping.best_epoch, stopping.waited) == (0.5, 1, 0)


def test_best_weights_never_stop_a_training_and_forget_an_earlier_one():
    best = BestWeights("score", mode="max")
    for values, epoch in (([1, 3, 2, 2, 2], 1), ([0.2, 0.1], 0)):
        seen, model = follow(best, values, "score")
        assert seen == len(values)
        assert model.weight.item() == best.best_epoch == epoch
        assert best.best == values[epoch]


def test_best_weights_watch_the_training_loss_where_nothing_is_validated():
    best = BestWeights()
    history = fit(line(), X, Y, loss="mse", epochs=8, lr=0.9, callbacks=[best])
    assert best.best == min(history.loss)
    assert best.best_epoch == history.loss.index(best.best)


def test_best_weights_prefer_the_validation_loss():
    best = BestWeights()
    history = fit(line(), X, Y, loss="mse", epochs=8, lr=0.9, validation=(X, -Y), callbacks=[best])
    assert best.best == min(history.val_loss) != min(history.loss)


def test_best_weights_are_put_back_after_an_error_and_hold_running_statistics():
    class Spoil(Callback):
        def on_epoch_end(self, run):
            if run.epoch == 3:
                raise ZeroDivisionError

    model = torch.nn.Sequential(line(), nn.BatchNorm1d(1))
    best, state = BestWeights(), {}

    class Look(Callback):
        def on_epoch_end(self, run):
            if best.best_epoch == run.epoch:
                state.update({k: v.clone() for k, v in run.model.state_dict().items()})

    with pytest.raises(ZeroDivisionError):
        fit(model, X, Y, loss="mse", lr=0.5, callbacks=[best, Look(), Spoil()], generator=generator(0))
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    assert state["1.num_batches_tracked"] == best.best_epoch + 1


def test_early_stopping_with_a_metric_of_fit():
    scores = iter([0.5, 0.7, 0.6, 0.7, 0.9])
    stopping = EarlyStopping(2, "score", mode="max")
    metrics = {"score": lambda t, z: next(scores)}
    history = fit(line(), X, Y, loss="mse", validation=(X, Y), metrics=metrics, callbacks=[stopping])
    assert history.metrics["score"] == [0.5, 0.7, 0.6, 0.7]
    assert stopping.best == 0.7


def rates(schedule, epochs=4, batch_size=6, optimizer=optim.SGD, **options):
    seen = []

    class Look(Callback):
        def on_before_optimizer_step(self, run):
            seen.append(run.optimizer.param_groups[0]["lr"])

    fit(line(), X, Y, loss="mse", epochs=epochs, lr=0.1, batch_size=batch_size, optimizer=optimizer, callbacks=[schedule, Look()], **options)  # fmt: skip
    return seen


def test_schedule_steps_by_epoch_or_by_batch():
    assert rates(Schedule(lambda o: ExponentialLR(o, 0.5))) == pytest.approx(
        [0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.0125, 0.0125]
    )
    by_batch = Schedule(lambda o: ExponentialLR(o, 0.5), every="batch")
    assert rates(by_batch, epochs=2) == pytest.approx([0.1, 0.05, 0.025, 0.0125])
    assert by_batch.scheduler.last_epoch == 4
    assert rates(by_batch, epochs=2, batch_size=3, accumulate=2) == pytest.approx([0.1, 0.05, 0.025, 0.0125])


def test_schedule_goes_the_way_of_torch():
    ours = rates(Schedule(lambda o: OneCycleLR(o, 0.3, total_steps=9), every="batch"))
    theirs = rates(Schedule(lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.3, total_steps=9), every="batch"))
    assert ours == pytest.approx(theirs, rel=1e-9)
    assert len(set(ours)) > 5


@pytest.mark.parametrize("home", [ReduceLROnPlateau, torch.optim.lr_scheduler.ReduceLROnPlateau])
def test_schedule_shows_the_watched_number_to_one_that_watches(home):
    scores = iter([1.0, 1.0, 1.0, 0.5, 0.5])
    options = {"validation": (X, Y), "metrics": {"score": lambda t, z: next(scores)}}
    schedule = Schedule(lambda o: home(o, patience=0, factor=0.5), monitor="score")
    assert rates(schedule, epochs=5, batch_size=12, **options) == pytest.approx([0.1, 0.1, 0.05, 0.025, 0.025])


def gradients(clip, batch_size=6, **options):
    """Return the gradients right after a callback has clipped them."""
    seen = []

    class Look(Callback):
        def on_before_optimizer_step(self, run):
            seen.append(torch.cat([p.grad.flatten() for p in run.model.parameters()]))

    options = {"batch_size": batch_size, "generator": generator(0), "callbacks": [*clip, Look()], **options}
    fit(line(), X, 5 + 9 * X, loss="mse", epochs=2, **options)
    return torch.stack(seen)


def test_gradients_are_clipped_by_norm_or_by_value():
    free = gradients([])
    assert (free.norm(dim=1) > 1).all()
    by_norm = gradients([ClipGradients(norm=0.5)])
    torch.testing.assert_close(by_norm.norm(dim=1), torch.full((4,), 0.5), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(by_norm[0], free[0] / free[0].norm() * 0.5, rtol=1e-5, atol=1e-5)
    by_value = gradients([ClipGradients(value=0.25)])
    torch.testing.assert_close(by_value[0], free[0].clamp(-0.25, 0.25))
    torch.testing.assert_close(gradients([ClipGradients(norm=1e6), ClipGradients(value=1e6)]), free)


def test_the_step_is_taken_with_the_clipped_gradients():
    model = line()
    before = torch.cat([p.detach().flatten() for p in model.parameters()])
    options = {"optimizer": optim.SGD, "lr": 0.1, "batch_size": 12, "callbacks": [ClipGradients(norm=0.5)]}
    fit(model, X, 5 + 9 * X, loss="mse", epochs=1, **options)
    after = torch.cat([p.detach().flatten() for p in model.parameters()])
    assert (after - before).norm().item() == pytest.approx(0.05, rel=1e-4)


def test_gradients_of_several_batches_are_clipped_once_as_a_whole():
    whole = gradients([ClipGradients(norm=0.5)])
    parts = gradients([ClipGradients(norm=0.5)], batch_size=3, accumulate=2)
    torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-4)


def backbone():
    return torch.nn.Sequential(
        torch.nn.Sequential(line(), nn.BatchNorm1d(1), torch.nn.BatchNorm1d(1), nn.LayerNorm(1)),
        torch.nn.Sequential(line(), nn.BatchNorm1d(1), torch.nn.Dropout(0.5)),
    )


@pytest.mark.parametrize("part", [None, 0])
def test_frozen_statistics_stay_while_everything_else_trains(part):
    model, modes = backbone(), []
    model.register_forward_hook(lambda m, inputs, out: modes.append([p.training for p in m.modules()]))
    fit(model, X, Y, loss="mse", epochs=2, callbacks=[FreezeNorm(None if part is None else model[part])])
    counts = [model[0][1].num_batches_tracked, model[0][2].num_batches_tracked, model[1][1].num_batches_tracked]
    assert counts == ([0, 0, 0] if part is None else [0, 0, 2])
    #       whole, first, line, norm, norm, layer norm, second, line, norm, dropout
    assert modes == 2 * [[True, True, True, False, False, True, True, True, part is not None, True]]
    assert torch.equal(model[0][1].running_mean, torch.zeros(1))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_bar_prints_nothing_when_nobody_looks(capfd):
    fit(line(), X, Y, loss="mse", epochs=2, callbacks=[ProgressBar()])
    assert capfd.readouterr() == ("", "")


def test_progress_bar_shows_steps_and_losses_in_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    bar = ProgressBar()
    history = fit(line(), X, Y, loss="mse", epochs=3, batch_size=4, validation=(X, Y), callbacks=[bar])
    last = screen.getvalue().rstrip().split("\r")[-1]
    assert "9/9" in last
    assert "epoch=3/3" in last
    assert f"loss={history.loss[-1]:.4g}, val_loss={history.val_loss[-1]:.4g}" in last
    monkeypatch.setattr(sys, "stderr", other := Terminal())
    fit(line(), X, Y, loss="mse", epochs=1, callbacks=[ProgressBar(show=False)])
    assert other.getvalue() == ""


def test_progress_bar_can_be_asked_for_and_knows_no_end_without_a_length(capfd):
    class Stream:
        def __iter__(self):
            return iter([(X, Y), (X, Y)])

    fit(line(), Stream(), loss="mse", epochs=2, callbacks=[ProgressBar(show=True)])
    assert "4step" in capfd.readouterr().err


def test_progress_bar_is_closed_after_an_error(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    bar = ProgressBar()
    with pytest.raises(FloatingPointError):
        fit(line(), X * math.nan, Y, loss="mse", callbacks=[bar])
    assert bar._bar is None


def test_csv_log_has_a_row_for_each_epoch_with_the_rate_it_was_trained_with(tmp_path):
    log = CSVLog(tmp_path / "log.csv")
    history = fit(
        line(), X, Y, loss="mse", epochs=3, lr=0.5, validation=(X, Y), metrics={"mae": lambda t, z: (z - t).abs().mean()},
        callbacks=[log, Schedule(lambda o: ExponentialLR(o, 0.5))],
    )  # fmt: skip
    head, *lines = (tmp_path / "log.csv").read_text().splitlines()
    assert head == "epoch,lr,loss,val_loss,mae,seconds"
    table = [[float(number) for number in row.split(",")] for row in lines]
    columns = list(zip(*table))
    assert columns[:2] == [(0, 1, 2), (0.5, 0.25, 0.125)]
    assert columns[2:5] == [tuple(history.loss), tuple(history.val_loss), tuple(history.metrics["mae"])]
    assert 0 <= columns[5][0] <= columns[5][1] <= columns[5][2]
    assert [list(row.values()) for row in log.rows] == table


def test_csv_log_is_the_old_file_or_the_new_one(tmp_path, monkeypatch):
    log = CSVLog(tmp_path / "log.csv")
    fit(line(), X, Y, loss="mse", epochs=2, callbacks=[log])
    before = (tmp_path / "log.csv").read_bytes()

    def refuse(part, path):
        assert part.read_text().count("\n") == 2  # a new training, whole, and not yet in place
        raise OSError("no")

    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(OSError, match="no"):
        fit(line(), X, Y, loss="mse", epochs=2, callbacks=[log])
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]
    assert (tmp_path / "log.csv").read_bytes() == before


def test_csv_log_goes_on_below_the_rows_of_a_checkpoint(tmp_path):
    def train(epochs):
        log = CSVLog(tmp_path / "log.csv")
        fit(line(), X, Y, loss="mse", epochs=epochs, callbacks=[log, Checkpoint(tmp_path / "run.pt", resume=True)])
        return log.rows

    first = train(2)
    (tmp_path / "log.csv").write_text("a row that no checkpoint knows\n")
    rows = train(4)
    assert rows[:2] == first
    assert [row["epoch"] for row in rows] == [0, 1, 2, 3]
    assert rows[2]["seconds"] >= first[1]["seconds"]
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 5


def test_csv_log_begins_anew_with_a_new_training(tmp_path):
    log = CSVLog(tmp_path / "log.csv")
    for _ in range(2):
        fit(line(), X, Y, loss="mse", epochs=1, callbacks=[log])
    assert len(log.rows) == 1


class Writer:
    """What TensorBoard's writer does, as a list."""

    def __init__(self, folder):
        self.folder, self.points, self.closed = folder, [], False
        Writer.made = self

    def add_scalar(self, name, value, step):
        assert not self.closed
        self.points.append((name, step, value))

    def close(self):
        self.closed = True


def test_tensorboard_gets_every_curve_and_is_closed(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", types.SimpleNamespace(SummaryWriter=Writer))
    board = TensorBoard("runs/first")
    history = fit(
        line(), X, Y, loss="mse", epochs=2, lr=0.5, validation=(X, Y), metrics={"mae": lambda t, z: (z - t).abs().mean()},
        callbacks=[Schedule(lambda o: ExponentialLR(o, 0.5)), board],
    )  # fmt: skip
    assert (Writer.made.folder, Writer.made.closed) == ("runs/first", True)
    assert Writer.made.points == [
        *[("loss", 0, history.loss[0]), ("val_loss", 0, history.val_loss[0]), ("mae", 0, history.metrics["mae"][0]), ("lr/0", 0, 0.25)],
        *[("loss", 1, history.loss[1]), ("val_loss", 1, history.val_loss[1]), ("mae", 1, history.metrics["mae"][1]), ("lr/0", 1, 0.125)],
    ]  # fmt: skip


def test_tensorboard_says_in_one_sentence_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ImportError) as caught:
        TensorBoard("runs")
    assert str(caught.value) == (
        "TensorBoard: environment expected the package tensorboard, got none; "
        "pip install 'neurons-to-gans[tensorboard]' brings it"
    )


def test_tensorboard_writes_files_that_it_can_read_itself(tmp_path):
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="the extra tensorboard is not installed"
    )
    history = fit(line(), X, Y, loss="mse", epochs=3, callbacks=[TensorBoard(tmp_path)])
    events = reader.EventAccumulator(str(tmp_path)).Reload()
    assert [e.step for e in events.Scalars("loss")] == [0, 1, 2]
    assert [e.value for e in events.Scalars("loss")] == pytest.approx(history.loss, rel=1e-6)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: CSVLog("nowhere/log.csv"), ValueError, "CSVLog: path expected a file in a folder that exists, got 'nowhere/log.csv'; Path.mkdir makes one"),
        (lambda: EarlyStopping(0), ValueError, "EarlyStopping: patience expected 1 or more, got 0"),
        (lambda: EarlyStopping(2.5), TypeError, "EarlyStopping: patience expected a whole number, got float"),
        (lambda: EarlyStopping(mode="lowest"), ValueError, "EarlyStopping: mode expected 'min' or 'max', got 'lowest'"),
        (lambda: BestWeights(min_delta=-1), ValueError, "BestWeights: min_delta expected 0 or more, got -1"),
        (lambda: Schedule(ExponentialLR), TypeError, "Schedule: make expected a function from the optimizer to a schedule, got type; lambda optimizer: StepLR(optimizer, 10) makes one"),
        (lambda: Schedule(3), TypeError, "Schedule: make expected a function from the optimizer to a schedule, got int; lambda optimizer: StepLR(optimizer, 10) makes one"),
        (lambda: Schedule(print, "step"), ValueError, "Schedule: every expected 'epoch' or 'batch', got 'step'"),
        (lambda: ClipGradients(), ValueError, "ClipGradients: norm, value expected one of the two, got neither"),
        (lambda: ClipGradients(norm=1, value=1), ValueError, "ClipGradients: norm, value expected one of the two, got both"),
        (lambda: ClipGradients(norm=0), ValueError, "ClipGradients: norm expected a finite number above 0, got 0"),
        (lambda: ClipGradients(value="1"), TypeError, "ClipGradients: value expected a finite number above 0, got str"),
        (lambda: FreezeNorm("backbone"), TypeError, "FreezeNorm: part expected a module, got str"),
    ],
)  # fmt: skip
def test_callbacks_refuse_wrong_arguments(make, error, message):
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("callback", "error", "message"),
    [
        (EarlyStopping(monitor="val_loss"), ValueError, "EarlyStopping: monitor expected 'loss', got 'val_loss'; fit(..., validation=, metrics=) measures more"),
        (Schedule(lambda o: None), TypeError, "Schedule: make expected a function that returns a schedule, got NoneType"),
        (Schedule(lambda o: ReduceLROnPlateau(o), "batch"), ValueError, "Schedule: every expected 'epoch' for a schedule that watches a value, got 'batch'; its value is measured once an epoch"),
        (FreezeNorm(), ValueError, "FreezeNorm: part expected a layer with running statistics or more, got none"),
    ],
)  # fmt: skip
def test_callbacks_refuse_a_training_that_they_do_not_fit(callback, error, message):
    with pytest.raises(error) as caught:
        fit(line(), X, Y, loss="mse", epochs=1, callbacks=[callback])
    assert str(caught.value) == message


def test_history_names_its_columns():
    history = History()
    assert history.columns() == {"loss": []}
    history.add(2.0, {"val_loss": 3.0, "mae": 1.0})
    history.add(1.0, {"val_loss": 2.0, "mae": 0.5})
    assert history.columns() == {"loss": [2.0, 1.0], "val_loss": [3.0, 2.0], "mae": [1.0, 0.5]}
    assert history == History([2.0, 1.0], [3.0, 2.0], {"mae": [1.0, 0.5]})
