"""The training loop: equal to one written out, fair to the last batch, and loud when something is wrong."""

import copy
import functools
import math
from itertools import chain

import pytest
import torch
import torch.nn.functional as oracle

from companion import nn
from companion.data import gate, iris, standardise
from companion.models import Perceptron, mlp
from companion.random import generator
from companion.training import History, accuracy, fit


def regression(n=50, seed=0):
    rng = generator(seed)
    X = torch.randn(n, 3, generator=rng, dtype=torch.float64)
    y = X @ torch.tensor([[1.0], [-2.0], [0.5]], dtype=torch.float64) + 0.3
    return X, y + 0.1 * torch.randn(n, 1, generator=rng, dtype=torch.float64)


def line(**options):
    return nn.Linear(3, 1, dtype=torch.float64, generator=generator(9), **options)


def test_fit_recovers_least_squares():
    X, y = regression()
    model = line()
    fit(model, X, y, loss="mse", epochs=300, lr=0.1, batch_size=50, optimizer=torch.optim.SGD)
    solution = torch.linalg.lstsq(torch.cat([X, torch.ones(50, 1, dtype=X.dtype)], 1), y).solution.flatten()
    torch.testing.assert_close(torch.cat([model.weight[0], model.bias]), solution, rtol=1e-8, atol=1e-8)


LOSSES = {
    "mse": (1, lambda y: y[:, None].double(), oracle.mse_loss),
    "bce": (1, lambda y: (y[:, None] > 0).double(), oracle.binary_cross_entropy_with_logits),
    "cross_entropy": (3, lambda y: y, oracle.cross_entropy),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
@pytest.mark.parametrize("batch_size", [7, 20, 64])
def test_fit_equals_a_bare_loop_step_by_step(loss, optimizer, batch_size):
    outputs, targets_of, native = LOSSES[loss]
    X = torch.randn(20, 4, generator=generator(0), dtype=torch.float64)
    y = targets_of(torch.arange(20) % 3)
    ours = mlp([4, 5, outputs], activation=nn.Tanh, generator=generator(1)).double()
    bare = copy.deepcopy(ours)
    history = fit(
        ours,
        X,
        y,
        loss=loss,
        epochs=4,
        lr=0.05,
        batch_size=batch_size,
        optimizer=optimizer,
        generator=generator(2),
    )

    step, order, means = optimizer(bare.parameters(), lr=0.05), generator(2), []
    for _ in range(4):
        total = 0.0
        for rows in torch.randperm(20, generator=order).split(batch_size):
            step.zero_grad()
            value = native(bare(X[rows]), y[rows])
            value.backward()
            step.step()
            total += value.item() * len(rows)
        means.append(total / 20)
    assert history.loss == pytest.approx(means, abs=1e-12)
    for a, b in zip(ours.parameters(), bare.parameters()):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_fit_counts_a_short_last_batch_by_its_size():
    X, y = torch.zeros(5, 1), torch.tensor([[0.0], [0.0], [0.0], [0.0], [10.0]])
    model = nn.Linear(1, 1)
    torch.nn.init.zeros_(model.bias)
    history = fit(model, X, y, loss="mse", epochs=1, batch_size=2, lr=1e-12)
    assert history.loss[0] == pytest.approx(100 / 5)  # the mean of batch means would be 0, 0, 100 over 3 or less


def test_fit_measures_validation_in_eval_mode_without_touching_the_model():
    X, y = regression(30)
    model = torch.nn.Sequential(line(), torch.nn.BatchNorm1d(1, dtype=torch.float64), torch.nn.Dropout(0.5))
    seen = []
    model.register_forward_hook(lambda m, inputs, out: seen.append((m.training, len(inputs[0]), out.requires_grad)))
    history = fit(model, X[:20], y[:20], loss="mse", epochs=2, batch_size=8, validation=(X[20:], y[20:]))
    assert seen == 2 * ([(True, 8, True), (True, 8, True), (True, 4, True), (False, 10, False)])
    assert model[1].num_batches_tracked == 6
    assert len(history.val_loss) == 2
    with torch.no_grad():
        assert history.val_loss[-1] == pytest.approx(oracle.mse_loss(model(X[20:]), y[20:]).item())


def test_fit_validation_over_several_chunks_is_the_mean_over_all_rows():
    X = torch.arange(2500.0)[:, None]
    model = nn.Linear(1, 1)
    y = torch.zeros_like(X)
    history = fit(model, X[:4], y[:4], loss="mse", epochs=1, lr=1e-9, validation=(X, y))
    with torch.no_grad():
        assert history.val_loss[0] == pytest.approx((model(X) ** 2).mean().item(), rel=1e-6)


def test_fit_validation_changes_nothing_that_is_learned():
    X, y = regression()
    a, b = line(), line()
    fit(a, X, y, loss="mse", epochs=3, generator=generator(0))
    fit(b, X, y, loss="mse", epochs=3, generator=generator(0), validation=(X, y))
    assert torch.equal(a.weight, b.weight)


def test_fit_trains_in_train_mode_whatever_mode_the_model_came_in():
    X, y = regression()
    model = torch.nn.Sequential(line(), torch.nn.BatchNorm1d(1, dtype=torch.float64))
    for calls in (1, 2):
        model.eval()
        fit(model, X, y, loss="mse", epochs=1, batch_size=50)
        assert model[1].num_batches_tracked == calls


def test_fit_leaves_the_model_in_eval_mode_even_when_it_fails():
    X, y = regression()
    model = torch.nn.Sequential(line(), torch.nn.Dropout())
    fit(model, X, y, loss="mse", epochs=1)
    assert not any(part.training for part in model.modules())
    with pytest.raises(FloatingPointError):
        fit(model, X * math.nan, y, loss="mse", epochs=1)
    assert not model.training


def test_fit_is_decided_by_its_generator():
    X, y = regression()
    before = torch.random.get_rng_state()
    runs = []
    for seed in (0, 0, 1):
        model = line()
        runs.append((fit(model, X, y, loss="mse", epochs=3, generator=generator(seed)), model.weight))
    assert runs[0][0] == runs[1][0]
    assert torch.equal(runs[0][1], runs[1][1])
    assert not torch.equal(runs[0][1], runs[2][1])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_fit_follows_the_global_seed_without_a_generator():
    X, y = regression()
    losses = []
    with torch.random.fork_rng(devices=[]):
        for _ in range(2):
            torch.manual_seed(4)
            losses.append(fit(line(), X, y, loss="mse", epochs=2).loss)
    assert losses[0] == losses[1]


def test_fit_sees_every_row_once_an_epoch_in_a_new_order():
    X = torch.arange(10.0)[:, None]
    seen = []

    class Watch(nn.Linear):
        def forward(self, x):
            seen.append(x.flatten().tolist())
            return super().forward(x)

    fit(Watch(1, 1), X, X, loss="mse", epochs=2, batch_size=4, lr=1e-6)
    assert [len(batch) for batch in seen] == [4, 4, 2, 4, 4, 2]
    first, second = list(chain(*seen[:3])), list(chain(*seen[3:]))
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


def test_fit_takes_any_loss_and_any_maker_of_optimizers():
    X, y = regression()
    a, b = line(), line()
    momentum = functools.partial(torch.optim.SGD, momentum=0.9)
    same = {"epochs": 5, "lr": 0.01, "optimizer": momentum}
    fit(a, X, y, loss=lambda out, t: ((out - t) ** 2).mean(), generator=generator(0), **same)
    fit(b, X, y, loss="mse", generator=generator(0), **same)
    assert torch.equal(a.weight, b.weight)


def test_fit_learns_xor_and_iris():
    rows = gate("xor")
    model = mlp([2, 8, 1], activation=nn.Tanh, generator=generator(0))
    fit(model, rows.X, rows.y.float()[:, None], loss="bce", epochs=300, lr=0.05, generator=generator(0))
    assert accuracy(model, rows.X, rows.y) == 1.0
    train, test = standardise(*iris().split())
    model = mlp([4, 16, 3], generator=generator(0))
    history = fit(
        model,
        train.X,
        train.y,
        loss="cross_entropy",
        epochs=60,
        generator=generator(0),
        validation=(test.X, test.y),
    )
    assert accuracy(model, test.X, test.y) >= 0.9
    assert history.loss[-1] < 0.2 * history.loss[0]


def test_fit_of_no_epochs_changes_nothing_but_the_mode():
    X, y = regression()
    model = line()
    before = model.weight.clone()
    assert fit(model, X, y, loss="mse", epochs=0) == History()
    assert torch.equal(model.weight, before)
    assert not model.training


def test_fit_leaves_the_data_alone_and_works_on_every_device(device):
    X, y = (t.to(device) for t in regression())
    kept = X.clone(), y.clone()
    history = fit(line(device=device), X, y, loss="mse", epochs=2, validation=(X, y), generator=generator(0))
    assert torch.equal(X, kept[0])
    assert torch.equal(y, kept[1])
    assert history.loss[1] < history.loss[0]


@pytest.mark.parametrize("logit", [-1e4, -50.0, -1.0, 0.0, 1.0, 25.0, 50.0, 1e4])
@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
def test_bce_agrees_with_torch_however_sure_the_model_is(logit, target):
    from companion.training import _bce

    z = torch.tensor([[logit]], dtype=torch.float64, requires_grad=True)
    t = torch.tensor([[target]], dtype=torch.float64)
    got, want = _bce(z, t), oracle.binary_cross_entropy_with_logits(z, t)
    torch.testing.assert_close(got, want, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(*(torch.autograd.grad(v, z)[0] for v in (got, want)), rtol=1e-12, atol=1e-12)


def test_fit_stops_at_the_step_where_the_loss_leaves_the_numbers():
    X, y = torch.ones(4, 1), torch.ones(4, 1)
    model = nn.Linear(1, 1, generator=generator(0))
    with pytest.raises(FloatingPointError) as caught:
        fit(model, X, y, loss="mse", epochs=1000, lr=1e8, batch_size=2, optimizer=torch.optim.SGD)
    assert str(caught.value) == (
        "fit: the loss became inf at step 3 (epoch 1, both counted from 0); "
        "try a learning rate below 100000000.0 (a tenth), standardise the inputs, or clip the gradients"
    )


def test_fit_blames_the_data_when_the_first_loss_is_not_finite():
    X = torch.tensor([[math.nan], [1.0]])
    with pytest.raises(FloatingPointError, match=r"became nan at step 0 \(epoch 0.*look for nan or inf in X and y"):
        fit(nn.Linear(1, 1), X, torch.ones(2, 1), loss="mse")


@pytest.mark.parametrize("loss", ["mse", "bce"])
def test_fit_refuses_outputs_and_targets_that_would_broadcast(loss):
    X, y = torch.zeros(6, 2), torch.zeros(6)
    with pytest.raises(ValueError) as caught:
        fit(nn.Linear(2, 1), X, y, loss=loss, batch_size=4)
    assert str(caught.value) == (
        "fit: y expected the shape of the model's outputs, (4, 1), got (4,); "
        "broadcasting would compare every output with every target; y.unsqueeze(1) makes the shapes meet"
    )
    with pytest.raises(ValueError, match=r"outputs, \(6,\), got \(6, 1\); broadcasting would compare every output"):
        fit(torch.nn.Sequential(nn.Linear(2, 1), nn.Flatten(0)), X, y[:, None], loss=loss)


R = torch.zeros(4, 2), torch.zeros(4, 1)
C = torch.zeros(4, 2), torch.tensor([0, 1, 2, 1])


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        (R, {"loss": "mae"}, ValueError, "fit: loss expected 'mse', 'bce', 'cross_entropy' or a function, got 'mae'; a function takes outputs and targets"),
        (R, {"loss": None}, TypeError, "fit: loss expected a name or a function of outputs and targets, got NoneType"),
        (R, {"loss": lambda a, b: (a - b) ** 2}, ValueError, "fit: loss expected a single number for the batch, got (4, 1); take the mean"),
        (R, {"loss": lambda a, b: 1.0}, TypeError, "fit: loss expected a function that returns a tensor, got float"),
        (R, {"epochs": -1}, ValueError, "fit: epochs expected 0 or more, got -1"),
        (R, {"epochs": 1.5}, TypeError, "fit: epochs expected a whole number, got float"),
        (R, {"batch_size": 0}, ValueError, "fit: batch_size expected 1 or more, got 0"),
        (R, {"lr": 0.0}, ValueError, "fit: lr expected a finite number above 0, got 0.0"),
        (R, {"lr": math.inf}, ValueError, "fit: lr expected a finite number above 0, got inf"),
        (R, {"optimizer": torch.optim.SGD([torch.zeros(1)], lr=1.0)}, TypeError, "fit: optimizer expected what makes an optimizer, got SGD; pass the class, torch.optim.SGD, or functools.partial(torch.optim.SGD, momentum=0.9)"),
        (R, {"optimizer": "adam"}, TypeError, "fit: optimizer expected what makes an optimizer, got str; pass the class, torch.optim.SGD, or functools.partial(torch.optim.SGD, momentum=0.9)"),
        (([[0.0]], R[1]), {}, TypeError, "fit: X expected a tensor, got list; torch.as_tensor(X) makes one"),
        ((R[0], [0.0]), {}, TypeError, "fit: y expected a tensor, got list; torch.as_tensor(y) makes one"),
        ((R[0][:0], R[1][:0]), {}, ValueError, "fit: X expected one example or more, got (0, 2)"),
        ((R[0], R[1][:3]), {}, ValueError, "fit: y expected 4 targets, one for each example, got (3, 1)"),
        ((R[0], torch.tensor(1.0)), {}, ValueError, "fit: y expected 4 targets, one for each example, got ()"),
        (R, {"validation": (R[0], R[1][:1])}, ValueError, "fit: validation[1] expected 4 targets, one for each example, got (1, 1)"),
        (C, {"loss": "cross_entropy", "outputs": 1}, ValueError, "fit: model expected outputs of shape (N, C), one for each class, got (4, 1); for a single logit use loss='bce'"),
        (C, {"loss": "cross_entropy", "outputs": 2}, ValueError, "fit: y expected class numbers from 0 to 1, got 0 to 2; the model's outputs decide how many classes there are"),
        ((C[0], C[1] - 1), {"loss": "cross_entropy", "outputs": 3}, ValueError, "fit: y expected class numbers from 0 to 2, got -1 to 1; the model's outputs decide how many classes there are"),
        ((C[0], C[1].float()), {"loss": "cross_entropy", "outputs": 3}, ValueError, "fit: y expected class numbers of type torch.int64, got torch.float32; y.long() converts them"),
        ((C[0], torch.eye(4)), {"loss": "cross_entropy", "outputs": 4}, ValueError, "fit: y expected class numbers of shape (4,), got (4, 4); y.argmax(dim=1) turns rows of 0 and 1 into class numbers"),
    ],
)  # fmt: skip
def test_fit_refuses_what_cannot_be_trained(data, options, error, message):
    options = {"loss": "mse", **options}
    model = nn.Linear(2, options.pop("outputs", 1))
    with pytest.raises(error) as caught:
        fit(model, *data, **options)
    assert str(caught.value) == message


def test_fit_refuses_what_is_no_module():
    with pytest.raises(TypeError, match=r"^fit: model expected a module, got function$"):
        fit(lambda x: x, *R, loss="mse")


def test_accuracy_equals_the_count_by_hand():
    y = torch.tensor([0, 1, 1, 0])
    logits = torch.tensor([-1.0, 0.0, -2.0, 3.0])  # right, right (0 reaches the threshold), wrong, wrong
    assert accuracy(lambda x: logits, y, y) == 0.5
    assert accuracy(lambda x: logits[:, None], y, y) == 0.5
    assert accuracy(lambda x: logits[:, None], y, y[:, None].float()) == 0.5
    classes = torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, 1, 0], [2, 2, 2]])
    assert accuracy(lambda x: classes, y, torch.tensor([0, 1, 1, 0])) == 0.75


def test_accuracy_agrees_with_the_step_of_a_perceptron():
    rows = gate("and")
    neuron = Perceptron(2)
    assert accuracy(neuron.decision, rows.X, rows.y) == (neuron.predict(rows.X) == rows.y).double().mean()


def test_accuracy_puts_every_part_back_into_its_mode_and_drops_nothing_out():
    model = torch.nn.Sequential(nn.Linear(2, 2, generator=generator(0)), torch.nn.Dropout(0.9), torch.nn.BatchNorm1d(2))
    model.train()
    model[2].eval()
    X = torch.randn(3000, 2, generator=generator(1))
    first, second = (accuracy(model, X, (X[:, 0] > 0).long()) for _ in range(2))
    assert first == second
    assert [part.training for part in model.modules()] == [True, True, True, False]


def test_accuracy_puts_the_modes_back_after_an_error():
    model = nn.Linear(2, 2)
    with pytest.raises(ValueError):
        accuracy(model, torch.zeros(3, 5), torch.zeros(3))
    assert model.training


@pytest.mark.parametrize(
    ("outputs", "X", "y", "error", "message"),
    [
        (torch.zeros(2), torch.zeros(2), torch.zeros(3), ValueError, "accuracy: y expected 2 class numbers, got shape (3,); y.argmax(dim=1) turns rows of 0 and 1 into class numbers"),
        (torch.zeros(2, 2), torch.zeros(2), torch.eye(2), ValueError, "accuracy: y expected 2 class numbers, got shape (2, 2); y.argmax(dim=1) turns rows of 0 and 1 into class numbers"),
        (torch.zeros(2, 3, 4), torch.zeros(2), torch.zeros(2), ValueError, "accuracy: model expected outputs of shape (2,), (2, 1) or (2, C), got (2, 3, 4)"),
        (torch.zeros(3), torch.zeros(2), torch.zeros(2), ValueError, "accuracy: model expected outputs of shape (2,), (2, 1) or (2, C), got (3,)"),
        (None, torch.zeros(0), torch.zeros(0), ValueError, "accuracy: X expected one example or more, got none"),
        (None, [0.0], torch.zeros(1), TypeError, "accuracy: X expected a tensor, got list; torch.as_tensor(X) makes one"),
        (None, torch.zeros(1), [0], TypeError, "accuracy: y expected a tensor, got list; torch.as_tensor(y) makes one"),
    ],
)  # fmt: skip
def test_accuracy_refuses_what_cannot_be_compared(outputs, X, y, error, message):
    with pytest.raises(error) as caught:
        accuracy(lambda x: outputs, X, y)
    assert str(caught.value) == message
