"""The training loop: equal to one written out, fair to the last batch, and loud when something is wrong."""

import copy
import functools
import math
from itertools import chain
from unittest import mock

import pytest
import torch
import torch.nn.functional as oracle
from torch.utils.data import DataLoader, TensorDataset

from companion import nn
from companion.data import gate, iris, standardise
from companion.metrics import accuracy_score, f1_score
from companion.models import mlp
from companion.optim import SGD, Adam
from companion.random import generator
from companion.training import Callback, ClipGradients, History, accuracy, evaluate, fit, loop


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
    rehearsal, *seen = seen
    assert rehearsal == (False, 10, False)
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


def test_fit_stops_at_the_step_where_the_loss_leaves_the_numbers():
    X, y = torch.ones(4, 1), torch.ones(4, 1)
    model = nn.Linear(1, 1, generator=generator(0))
    with pytest.raises(FloatingPointError) as caught:
        fit(model, X, y, loss="mse", epochs=1000, lr=1e8, batch_size=2, optimizer=torch.optim.SGD)
    assert str(caught.value) == (
        "fit: the loss became inf (batch 1 of epoch 1, step 3, all counted from 0); "
        "try a learning rate below 100000000.0 (a tenth), standardise the inputs, or clip with ClipGradients"
    )


@pytest.mark.parametrize(
    ("X", "y", "advice"),
    [
        (math.nan, 1.0, "became nan .*; X of this batch holds nan or inf: clean the data$"),
        (1.0, math.inf, "became inf .*; y of this batch holds nan or inf: clean the data$"),
        (1e30, 1.0, "became inf .*; nothing was learned yet: look for numbers too large to be squared, or a logarithm of 0$"),
    ],
)  # fmt: skip
def test_fit_says_what_to_look_at_when_the_first_loss_is_not_finite(X, y, advice):
    model = nn.Linear(1, 1, generator=generator(0))
    before = model.weight.clone()
    with pytest.raises(FloatingPointError, match=advice):
        fit(model, torch.tensor([[X]]), torch.tensor([[y]]), loss="mse")
    assert torch.equal(model.weight, before)


def test_fit_names_the_batch_within_a_step_of_several():
    X = torch.ones(6, 1)
    X[5] = math.nan
    batches = list(zip(X.split(1), X.split(1)))
    with pytest.raises(FloatingPointError, match=r"\(batch 5 of epoch 0, step 1, all counted from 0\); X of this"):
        fit(nn.Linear(1, 1), batches, loss="mse", lr=1e-3, accumulate=3)


@pytest.mark.parametrize(
    ("X", "y", "value", "advice"),
    [
        (math.nan, 1.0, "nan", "X of the validation rows holds nan or inf: clean the data"),
        (1.0, math.inf, "inf", "y of the validation rows holds nan or inf: clean the data"),
        (1e30, 1.0, "inf", "the loss of the training rows was 4: look for numbers in the validation rows that training has not seen, or try a learning rate below 0.01 (a tenth)"),
    ],
)  # fmt: skip
def test_fit_ends_at_a_validation_loss_that_is_not_finite_and_keeps_the_history(X, y, value, advice):
    model = nn.Linear(1, 1)
    torch.nn.init.constant_(model.weight, 1.0)
    torch.nn.init.zeros_(model.bias)
    held_out = torch.tensor([[1.0], [X]]), torch.tensor([[1.0], [y]])
    with pytest.raises(FloatingPointError) as caught:
        fit(model, torch.ones(1, 1), torch.full((1, 1), 3.0), loss="mse", validation=held_out)
    assert (
        str(caught.value)
        == f"fit: the validation loss became {value} (after epoch 0, step 1, both counted from 0); {advice}"
    )
    assert caught.value.history.loss == [4.0]
    assert str(caught.value.history.val_loss) == f"[{value}]"
    assert not model.training


def test_fit_keeps_the_history_when_a_loss_of_training_is_not_finite():
    losses = iter([3.0, 2.0, math.nan])
    model = nn.Linear(2, 1)
    with pytest.raises(FloatingPointError) as caught:
        fit(model, *R, loss=lambda z, y: z.sum() * 0 + next(losses))
    assert caught.value.history == History(loss=[3.0, 2.0])


@pytest.mark.parametrize(("loss", "name"), [("mse", "mse_loss"), ("bce", "binary_cross_entropy_with_logits")])
def test_fit_refuses_outputs_and_targets_that_would_broadcast(loss, name):
    X, y = torch.zeros(6, 2), torch.zeros(6)
    with pytest.raises(ValueError, match=rf"^{name}: target expected the shape of input, \(4, 1\), got \(4,\); broad"):
        fit(nn.Linear(2, 1), X, y, loss=loss, batch_size=4)
    with pytest.raises(ValueError, match=r"input, \(6,\), got \(6, 1\); broadcasting would compare every answer"):
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
        (R, {"loss": torch.nn.MSELoss}, TypeError, "fit: loss expected a name or a function of outputs and targets, got the class MSELoss; nn.MSELoss() makes one of it"),
        (R, {"loss": nn.CrossEntropyLoss}, TypeError, "fit: loss expected a name or a function of outputs and targets, got the class CrossEntropyLoss; nn.CrossEntropyLoss() makes one of it"),
        (R, {"optimizer": torch.optim.LBFGS}, TypeError, "fit: optimizer expected one whose step needs no closure, got LBFGS; fit computes the loss once for each step, which SGD and Adam are content with"),
        ((C[0], 0 * C[1]), {"loss": "cross_entropy"}, ValueError, "fit: model expected two outputs or more for cross-entropy, one for each class, got (4, 1); the loss of a single class is always 0; loss='bce' tells two classes apart by one output"),
        (R, {"epochs": -1}, ValueError, "fit: epochs expected 0 or more, got -1"),
        (R, {"epochs": 1.5}, TypeError, "fit: epochs expected a whole number, got float"),
        (R, {"batch_size": 0}, ValueError, "fit: batch_size expected 1 or more, got 0"),
        (R, {"lr": 0.0}, ValueError, "fit: lr expected a finite number above 0, got 0.0"),
        (R, {"lr": math.inf}, ValueError, "fit: lr expected a finite number above 0, got inf"),
        (R, {"optimizer": torch.optim.SGD([torch.zeros(1)], lr=1.0)}, TypeError, "fit: optimizer expected what makes an optimizer, got SGD; pass the class, SGD, or functools.partial(SGD, momentum=0.9)"),
        (R, {"optimizer": "adam"}, TypeError, "fit: optimizer expected what makes an optimizer, got str; pass the class, SGD, or functools.partial(SGD, momentum=0.9)"),
        (([[0.0]], R[1]), {}, TypeError, "fit: X expected a tensor, got list; torch.as_tensor(X) makes one"),
        ((R[0], [0.0]), {}, TypeError, "fit: y expected a tensor, got list; torch.as_tensor(y) makes one"),
        ((R[0][:0], R[1][:0]), {}, ValueError, "fit: X expected one example or more, got (0, 2)"),
        ((R[0], R[1][:3]), {}, ValueError, "fit: y expected 4 targets, one for each example, got (3, 1)"),
        ((R[0], torch.tensor(1.0)), {}, ValueError, "fit: y expected 4 targets, one for each example, got ()"),
        (R, {"validation": (R[0], R[1][:1])}, ValueError, "fit: validation[1] expected 4 targets, one for each example, got (1, 1)"),
        (C, {"loss": "cross_entropy", "outputs": 2}, ValueError, "cross_entropy: target expected class numbers from 0 to 1, got 0 to 2; the input has 2 classes; ignore_index=-100 marks an entry without target"),
        ((C[0], C[1].float()), {"loss": "cross_entropy", "outputs": 3}, ValueError, "cross_entropy: target expected class numbers of type torch.int64, got torch.float32; target.long() converts them"),
        (R, {"accumulate": 0}, ValueError, "fit: accumulate expected 1 or more, got 0"),
        (R, {"optimizer": lambda parameters, lr: None}, TypeError, "fit: optimizer expected what makes an optimizer, got NoneType"),
        ((R[0], None), {}, TypeError, "fit: y expected a tensor, got NoneType; torch.as_tensor(y) makes one"),
        ((5, None), {}, TypeError, "fit: X expected a tensor, or batches that can be gone through again, got int; an iterator is used up after one epoch; a list or a DataLoader starts anew"),
        ((iter([R]), None), {}, TypeError, "fit: X expected a tensor, or batches that can be gone through again, got list_iterator; an iterator is used up after one epoch; a list or a DataLoader starts anew"),
        (([], None), {}, ValueError, "fit: X expected one batch or more, got none"),
        (([R[0]], None), {}, ValueError, "fit: batch 0 of X expected a pair of examples and targets, got Tensor"),
        (([R, (R[0],)], None), {}, ValueError, "fit: batch 1 of X expected a pair of examples and targets, got 1 things"),
        (([(R[0], [0.0])], None), {}, TypeError, "fit: batch 0 of X expected targets as a tensor, got list; torch.as_tensor makes one"),
        (([(R[0], R[1][:3])], None), {}, ValueError, "fit: batch 0 of X expected 3 examples, as many as targets, got (4, 2)"),
        (([(R[0][:0], R[1][:0])], None), {}, ValueError, "fit: batch 0 of X expected one target or more, got (0, 1)"),
        (R, {"validation": []}, ValueError, "fit: validation expected one batch or more, got none"),
        (R, {"validation": 3}, TypeError, "fit: validation expected a tensor, or batches that can be gone through again, got int; an iterator is used up after one epoch; a list or a DataLoader starts anew"),
        (R, {"metrics": "accuracy"}, ValueError, "fit: metrics expected validation data to measure them on, got none; pass validation=(X, y)"),
        (R, {"metrics": {"val_loss": len}, "validation": R}, ValueError, "fit: metrics expected other names than 'val_loss', got 'val_loss'; the loss is measured anyway"),
        (R, {"generator": 0}, TypeError, "fit: generator expected a torch.Generator, got int; companion.random.generator(0) makes one"),
        (R, {"loss": lambda a, b: a.detach().mean()}, ValueError, "fit: loss expected a loss that depends on the model, got one that does not; detach(), item() and no_grad cut the way back"),
        (R, {"precision": "half"}, ValueError, "fit: precision expected 'bfloat16' or 'float16', got 'half'"),
        (R, {"precision": "float16"}, ValueError, "fit: precision expected 'bfloat16' on cpu, got 'float16'; float16 needs its losses scaled, which is for CUDA"),
        (R, {"compile": 1}, TypeError, "fit: compile expected True, False or the name of a backend, got int"),
        (R, {"callbacks": Callback()}, TypeError, "fit: callbacks expected a list of callbacks, got Callback; put a single one into a list"),
        (R, {"callbacks": [Callback]}, ValueError, "fit: callbacks[0] expected a callback, got the class Callback; make one of it: ()"),
        (R, {"callbacks": [Callback(), print]}, TypeError, "fit: callbacks[1] expected a callback, got builtin_function_or_method; companion.training.Callback is the mould"),
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


def test_fit_refuses_a_model_in_which_nothing_can_learn():
    frozen = nn.Linear(2, 1).requires_grad_(False)
    for model in (frozen, torch.nn.ReLU()):
        with pytest.raises(ValueError) as caught:
            fit(model, *R, loss="mse")
        assert str(caught.value) == (
            "fit: model expected a parameter or more that needs a gradient, got none; "
            "model.requires_grad_(True) lets all of them learn"
        )


def test_fit_names_a_device_that_is_missing():
    missing = "cuda:7"
    model = nn.Linear(2, 1)
    for device in (missing, torch.device(missing)):
        with pytest.raises(ValueError, match=r"expected one of this machine's devices, .*cpu, got 'cuda:7'"):
            fit(model, *R, loss="mse", device=device)


def test_fit_moves_model_and_data_to_the_device_asked_for(device):
    X, y = regression()
    model, seen = line(), []
    model.register_forward_hook(lambda m, inputs, out: seen.append((inputs[0].device.type, out.device.type)))
    batches = list(zip(X.split(10), y.split(10)))
    for data in ((X, y), (batches, None)):
        fit(model, *data, loss="mse", epochs=1, batch_size=25, validation=(X, y), device=device)
    assert set(seen) == {(device.type, device.type)}
    assert len(seen) == 1 + 2 + 1 + 1 + 5 + 1  # validation is tried once before each training


@pytest.mark.parametrize("as_batches", [False, True])
def test_fit_moves_model_and_data_to_a_device_that_computes_nothing(monkeypatch, as_batches):
    monkeypatch.setattr(loop.devices, "pick", lambda name: torch.device(name))
    seen, model = [], line()
    model.register_forward_hook(lambda m, inputs, out: seen.extend([inputs[0].device.type, m.weight.device.type]))

    def loss(outputs, targets):
        seen.append(targets.device.type)
        return (outputs - targets).mean()

    X, y = regression()
    with pytest.raises(RuntimeError, match="meta tensors"):  # there is no number to look at
        fit(model, *(([(X, y)],) if as_batches else (X, y)), loss=loss, device="meta")
    assert seen == ["meta"] * 3


def test_measuring_moves_batches_to_the_device_of_the_model():
    model, seen = nn.Linear(3, 1, device="meta"), []

    def metric(targets, outputs):
        seen.extend([outputs.device.type, targets.device.type])
        return 0.0

    X, y = (t.float() for t in regression())
    for data in ((X, y), ([(X, y)],)):
        assert evaluate(model, *data, metrics={"nothing": metric}) == {"nothing": 0.0}
    assert seen == ["meta"] * 4


# --- what it goes through ---------------------------------------------------------------------------------


def test_fit_takes_batches_of_a_list_and_of_a_data_loader_as_they_come():
    X, y = regression(10)
    loader = DataLoader(TensorDataset(X, y), batch_size=4)
    weights = []
    for data in (list(zip(X.split(4), y.split(4))), loader):
        model = line()
        history = fit(model, data, loss="mse", epochs=3, optimizer=torch.optim.SGD)
        weights.append((model.weight, history))
    bare = line()
    step = torch.optim.SGD(bare.parameters(), lr=0.01)
    for _ in range(3):
        for rows in torch.arange(10).split(4):
            step.zero_grad()
            oracle.mse_loss(bare(X[rows]), y[rows]).backward()
            step.step()
    for weight, _ in weights:
        torch.testing.assert_close(weight, bare.weight, rtol=1e-12, atol=1e-12)
    assert weights[0][1] == weights[1][1]


def test_fit_takes_examples_that_are_no_tensors():
    class Lengths(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, words):
            return torch.tensor([float(len(word)) for word in words]) * self.weight

    batches = [(["a", "abc"], torch.tensor([2.0, 6.0])), (["ab"], torch.tensor([4.0]))]
    model = Lengths()
    fit(model, batches, loss="mse", epochs=200, lr=0.1)
    assert model.weight.item() == pytest.approx(2, abs=1e-3)


def test_fit_goes_through_rows_that_are_shuffled_anew_and_each_once():
    X, seen = torch.arange(10.0)[:, None], []
    model = nn.Linear(1, 1)
    model.register_forward_hook(lambda m, inputs, out: seen.append(inputs[0].flatten().tolist()))
    fit(model, X, X, loss="mse", epochs=2, batch_size=4, generator=generator(0))
    assert [len(rows) for rows in seen] == [4, 4, 2, 4, 4, 2]
    first, second = list(chain(*seen[:3])), list(chain(*seen[3:]))
    assert sorted(first) == sorted(second) == X.flatten().tolist()
    assert first != second


def test_fit_counts_the_last_batch_of_an_iterable_by_its_size():
    X, y = torch.zeros(5, 1), torch.tensor([[0.0], [0.0], [0.0], [0.0], [10.0]])
    model = nn.Linear(1, 1)
    torch.nn.init.zeros_(model.bias)
    pairs = list(zip(X.split(2), y.split(2)))
    history = fit(model, pairs, loss="mse", epochs=1, lr=1e-12, validation=pairs)
    assert history.loss[0] == pytest.approx(100 / 5)
    assert history.val_loss[0] == pytest.approx(100 / 5)


def test_fit_measures_metrics_of_all_validation_rows_by_name():
    data = iris()
    model = mlp([4, 3], generator=generator(0))
    f1 = lambda y, z: f1_score(y, z.argmax(1), average="macro")  # noqa: E731
    history = fit(
        model, data.X, data.y, loss="cross_entropy", epochs=3, generator=generator(0), validation=(data.X, data.y),
        metrics={"accuracy": lambda y, z: accuracy_score(y, z.argmax(1)), "f1": f1},
    )  # fmt: skip
    assert {name: len(values) for name, values in history.metrics.items()} == {"accuracy": 3, "f1": 3}
    assert history.metrics["accuracy"][-1] == accuracy(model, data.X, data.y)
    assert history.metrics["f1"][-1] == f1(data.y, model(data.X))
    assert list(history.columns()) == ["loss", "val_loss", "accuracy", "f1"]


def test_fit_gives_own_metrics_the_truth_first():
    seen = []
    X, y = torch.zeros(3, 2), torch.tensor([[1.0], [2.0], [3.0]])
    metrics = {"truth": lambda targets, outputs: seen.append((targets, outputs)) or targets.sum()}
    model = nn.Linear(2, 1)
    history = fit(model, X, y, loss="mse", epochs=1, validation=(X, y), metrics=metrics)
    assert history.metrics == {"truth": [6.0]}
    assert torch.equal(seen[0][0], y)
    assert torch.equal(seen[0][1], model(X))


@pytest.mark.parametrize("as_batches", [False, True])
@pytest.mark.parametrize(
    ("held_out", "loss", "got"),
    [
        ((R[0], R[1][:, 0]), "mse", "shapes (4, 2) and (4,); mse_loss: target expected the shape of input, (4, 1), got (4,); broad"),
        ((R[0][:, :1], R[1]), "mse", "shapes (4, 1) and (4, 1); linear: x expected"),
        ((R[0], R[1] - 1), "bce", "shapes (4, 2) and (4, 1); binary_cross_entropy_with_logits: target expected values from 0 to 1, got values from -1 to -1"),
    ],
)  # fmt: skip
def test_fit_finds_validation_that_does_not_fit_before_the_first_epoch(held_out, loss, got, as_batches):
    model, begun = nn.Linear(2, 1), []
    start = type("Start", (Callback,), {"on_epoch_start": lambda self, run: begun.append(run)})()
    with pytest.raises(ValueError) as caught:
        fit(model, *R, loss=loss, validation=[held_out] if as_batches else held_out, callbacks=[start])
    want = f"fit: validation expected examples and targets that model and loss take, got a batch of {got}"
    assert str(caught.value).startswith(want)
    assert not begun


def test_fit_blames_the_training_rows_where_they_do_not_fit_either():
    flat = R[0], R[1][:, 0]
    with pytest.raises(ValueError, match=r"^mse_loss: target expected the shape of input"):
        fit(nn.Linear(2, 1), *flat, loss="mse", validation=flat)


def test_fit_tries_the_validation_without_using_up_a_random_number():
    class Noisy(nn.Linear):
        def forward(self, x):
            return super().forward(x) + torch.rand(())

    drawn = []
    for validation in (None, (R[0], R[1])):
        torch.manual_seed(3)
        model = Noisy(2, 1)
        first = type("First", (Callback,), {"on_epoch_start": lambda self, run: drawn.append(torch.rand(()).item())})()
        fit(model, *R, loss="mse", epochs=1, validation=validation, callbacks=[first])
    assert drawn[0] == drawn[1]


# --- how it takes a step ----------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [SGD, Adam])
@pytest.mark.parametrize("rows", [24, 22], ids=["equal batches", "a shorter last one"])
def test_accumulation_takes_the_steps_of_the_large_batch(optimizer, rows):
    X, y = regression(rows)
    large, small = line(), line()
    options = {"loss": "mse", "epochs": 3, "lr": 0.05, "optimizer": optimizer}
    a = fit(large, X, y, batch_size=8, generator=generator(1), **options)
    b = fit(small, X, y, batch_size=2, accumulate=4, generator=generator(1), **options)
    torch.testing.assert_close(small.weight, large.weight, rtol=1e-12, atol=1e-12)
    assert a.loss == pytest.approx(b.loss, rel=1e-12)


def test_accumulation_weighs_unequal_batches_by_their_size():
    X, y = regression(9)
    large, small = line(), line()
    batches = list(zip(X.split([1, 5, 2, 1]), y.split([1, 5, 2, 1])))
    options = {"loss": "mse", "epochs": 2, "lr": 0.05, "optimizer": SGD}
    fit(large, [(X[:8], y[:8]), (X[8:], y[8:])], **options)
    fit(small, batches, accumulate=3, **options)
    torch.testing.assert_close(small.weight, large.weight, rtol=1e-12, atol=1e-12)


def test_bfloat16_is_active_in_the_model_and_leads_near():
    X, y = (t.float() for t in regression(64))
    types, losses = [], []
    for precision in (None, "bfloat16"):
        model = torch.nn.Sequential(
            nn.Linear(3, 8, generator=generator(0)), nn.Tanh(), nn.Linear(8, 1, generator=generator(1))
        )
        model[0].register_forward_hook(lambda m, inputs, out: types.append(out.dtype))
        history = fit(model, X, y, loss="mse", epochs=20, generator=generator(0), precision=precision)
        losses.append(history.loss[-1])
        assert {p.dtype for p in model.parameters()} == {torch.float32}
        assert {p.grad.dtype for p in model.parameters()} == {torch.float32}
    assert types[0] == torch.float32
    assert set(types[len(types) // 2 :]) == {torch.bfloat16}
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)
    assert not torch.is_autocast_enabled("cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="float16 with scaled losses needs a CUDA GPU")
def test_float16_scales_the_loss_and_clips_unscaled_gradients_on_cuda():
    X, y = (t.float() for t in regression(64))
    clip, model = ClipGradients(norm=1e-3), nn.Linear(3, 1, generator=generator(0))
    before = model.weight.clone()
    history = fit(
        model, X, y, loss="mse", epochs=1, lr=1.0, optimizer=SGD, precision="float16", device="cuda", callbacks=[clip]
    )
    assert math.isfinite(history.loss[0])
    assert 0 < (model.weight.cpu() - before).norm() <= 2 * 1.01e-3


# The compiler builds an object that PyTorch's own autograd has declared out of date
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_compiled_model_goes_the_same_way_and_stays_itself(backend):
    X, y = regression(20)
    torch.compiler.reset()
    models = [torch.nn.Sequential(line(), torch.nn.Dropout(0.0)) for _ in range(2)]
    keys = list(models[0].state_dict())
    with mock.patch.object(torch, "compile", wraps=torch.compile) as compiler:
        for model, compiled in zip(models, (False, backend)):
            fit(model, X, y, loss="mse", epochs=2, batch_size=8, generator=generator(0), compile=compiled)
    assert compiler.call_args_list == [mock.call(models[1], backend=backend)]
    torch.testing.assert_close(models[0][0].weight, models[1][0].weight, rtol=1e-12, atol=1e-12)
    assert list(models[1].state_dict()) == keys


def test_compile_true_means_the_default_backend():
    with mock.patch.object(torch, "compile", side_effect=lambda model, backend: model) as compiler:
        fit(nn.Linear(2, 1), *R, loss="mse", epochs=1, compile=True)
    assert compiler.call_args.kwargs == {"backend": "inductor"}


# --- Ctrl-C and errors ------------------------------------------------------------------------------------


class AtStep(Callback):
    """Raise after the first step of an epoch."""

    def __init__(self, epoch, error=KeyboardInterrupt):
        self.epoch, self.error = epoch, error

    def on_step_end(self, run):
        if run.epoch == self.epoch:
            raise self.error


def test_ctrl_c_returns_the_history_so_far_with_a_flag_and_no_traceback():
    X, y = regression()
    model = line()
    history = fit(model, X, y, loss="mse", epochs=10, validation=(X, y), callbacks=[AtStep(3)])
    assert history.interrupted
    assert (len(history.loss), len(history.val_loss)) == (3, 3)
    assert not model.training
    assert not fit(model, X, y, loss="mse", epochs=1).interrupted


def test_an_error_in_a_callback_is_raised_after_the_others_tidied_up():
    ended = []

    class Tidy(Callback):
        def on_fit_end(self, run):
            ended.append(run.epoch)

    with pytest.raises(ZeroDivisionError):
        fit(line(), *regression(), loss="mse", callbacks=[AtStep(2, ZeroDivisionError), Tidy()])
    assert ended == [2]


def test_callbacks_are_called_at_their_moments_in_order():
    calls = []

    class Log(Callback):
        def __init__(self, name):
            self.name = name

    for hook in ("fit_start", "epoch_start", "before_optimizer_step", "step_end", "epoch_end", "fit_end"):
        setattr(Log, f"on_{hook}", lambda self, run, hook=hook: calls.append((self.name, hook, run.epoch, run.step)))
    first, second = Log("a"), Log("b")
    second.last, first.last = False, True
    model = line()
    fit(model, *regression(4), loss="mse", epochs=2, batch_size=2, callbacks=[first, second])
    assert [c[0] for c in calls] == ["b", "a"] * (len(calls) // 2)
    assert [c[1:] for c in calls[::2]] == [
        ("fit_start", 0, 0),
        ("epoch_start", 0, 0), ("before_optimizer_step", 0, 0), ("step_end", 0, 1), ("before_optimizer_step", 0, 1),
        ("step_end", 0, 2), ("epoch_end", 0, 2),
        ("epoch_start", 1, 2), ("before_optimizer_step", 1, 2), ("step_end", 1, 3), ("before_optimizer_step", 1, 3),
        ("step_end", 1, 4), ("epoch_end", 1, 4),
        ("fit_end", 2, 4),
    ]  # fmt: skip


def test_a_callback_sees_the_run_and_can_stop_it():
    seen = []

    class Look(Callback):
        def on_before_optimizer_step(self, run):
            seen.append((run.batches, run.batch, run.loss, run.model.weight.grad is not None, run.epochs))

        def on_epoch_end(self, run):
            run.stop = True

    X, y = regression(5)
    history = fit(line(), X, y, loss="mse", epochs=9, batch_size=2, callbacks=[Look()])
    assert [(s[0], s[1], s[3], s[4]) for s in seen] == [(3, 1, True, 9), (3, 2, True, 9), (3, 3, True, 9)]
    assert history.loss == [pytest.approx((2 * seen[0][2] + 2 * seen[1][2] + seen[2][2]) / 5)]


def test_a_run_of_batches_without_a_length_says_so():
    class Endless:
        def __iter__(self):
            return iter([R])

    seen = []
    callback = Callback()
    callback_type = type("Count", (Callback,), {"on_fit_start": lambda self, run: seen.append(run.batches)})
    fit(nn.Linear(2, 1), Endless(), loss="mse", epochs=1, callbacks=[callback, callback_type()])
    fit(nn.Linear(2, 1), [R, R, R], loss="mse", epochs=1, callbacks=[callback_type()])
    assert seen == [None, 3]
