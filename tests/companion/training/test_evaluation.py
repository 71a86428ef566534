"""What a model says and how good it is: right on every batch size, and leaving the model as it was."""

import pytest
import torch
import torch.nn.functional as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from torch._subclasses.fake_tensor import FakeTensorMode

from companion import nn
from companion.data import gate, iris
from companion.functional import l1_loss
from companion.metrics import f1_score, precision_score, recall_score
from companion.models import Perceptron, mlp
from companion.random import generator
from companion.training import accuracy, evaluate, predict

PROPERTY = settings(max_examples=30, deadline=None, derandomize=True)


@PROPERTY
@given(rows=st.integers(1, 12), size=st.integers(1, 13))
def test_predict_gives_what_the_model_says_at_once(rows, size):
    model, X = nn.Linear(3, 2, generator=generator(0)), torch.randn(rows, 3, generator=generator(rows))
    with torch.no_grad():
        want = model(X)
    got = predict(model, X, batch_size=size)
    torch.testing.assert_close(got, want)
    assert not got.requires_grad
    for batches in (list(X.split(size)), [(x, torch.zeros(1)) for x in X.split(size)]):
        torch.testing.assert_close(predict(model, batches), want)


def test_predict_goes_in_pieces_of_the_size_asked_for_in_eval_mode_and_puts_the_modes_back():
    seen = []
    model = torch.nn.Sequential(nn.Linear(1, 1), torch.nn.Dropout(0.5)).train()
    model.register_forward_hook(lambda m, inputs, out: seen.append((len(inputs[0]), m.training, m[1].training)))
    predict(model, torch.zeros(5, 1), batch_size=2)
    assert seen == [(2, False, False), (2, False, False), (1, False, False)]
    assert model.training
    assert model[1].training


def test_predict_and_evaluate_move_the_data_to_the_model(device):
    model = nn.Linear(2, 1, device=device)
    X, y = torch.zeros(3, 2), torch.zeros(3, 1)
    assert predict(model, X).device.type == device.type
    assert set(evaluate(model, X, y, metrics=["mse"])) == {"mse"}


def test_predict_moves_the_data_to_a_pretended_gpu():
    with FakeTensorMode():
        model = nn.Linear(2, 1, device="cuda")
        assert predict(model, torch.zeros(3, 2)).device.type == "cuda"


@PROPERTY
@given(rows=st.integers(1, 20), size=st.integers(1, 21), over=st.sampled_from(["all", "batches"]))
def test_evaluate_counts_every_example_once_whatever_the_size_of_the_last_batch(rows, size, over):
    model = nn.Linear(3, 4, dtype=torch.float64, generator=generator(0))
    X = torch.randn(rows, 3, dtype=torch.float64, generator=generator(rows))
    y = torch.arange(rows) % 4
    with torch.no_grad():
        logits = model(X)
    want = {
        "cross_entropy": oracle.cross_entropy(logits, y).item(),
        "accuracy": (logits.argmax(1) == y).double().mean().item(),
    }
    got = evaluate(model, X, y, metrics=["cross_entropy", "accuracy"], batch_size=size, over=over)
    assert got == pytest.approx(want, rel=1e-12)
    assert list(got) == ["cross_entropy", "accuracy"]
    pairs = list(zip(X.split(size), y.split(size)))
    assert evaluate(model, pairs, metrics=["accuracy"], over=over) == pytest.approx({"accuracy": want["accuracy"]})


def test_evaluate_over_all_is_right_for_what_is_no_mean_over_examples():
    data = iris()
    model = mlp([4, 3], generator=generator(0))
    f1 = lambda y, z: f1_score(y, z.argmax(1), average="macro")  # noqa: E731
    with torch.no_grad():
        want = f1(data.y, model(data.X))
    assert evaluate(model, data.X, data.y, metrics={"f1": f1}, batch_size=7) == {"f1": want}
    parts = evaluate(model, data.X, data.y, metrics={"f1": f1}, batch_size=50, over="batches")["f1"]
    assert parts == pytest.approx(sum(f1(t, model(x)) for x, t in zip(data.X.split(50), data.y.split(50))) / 3)
    assert parts != want


def test_evaluate_takes_names_functions_and_a_single_name():
    X, y = torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0], [1.0]])
    assert evaluate(lambda x: x, X, y, metrics="mse") == {"mse": 2.5}
    assert evaluate(lambda x: x, X, y, metrics=("mse",)) == {"mse": 2.5}
    assert evaluate(lambda x: x, X, y, metrics={"mae": l1_loss, "rows": lambda t, z: len(t)}) == {
        "mae": 1.5,
        "rows": 2.0,
    }
    assert evaluate(lambda x: x - 2, X, y, metrics="bce")["bce"] == pytest.approx(
        oracle.binary_cross_entropy_with_logits(X - 2, y).item()
    )


def test_evaluate_gives_own_functions_the_truth_first_so_that_precision_and_recall_stay_themselves():
    X, y = torch.tensor([1.0, 1.0, 1.0, -1.0]), torch.tensor([1, 0, 0, 1])  # 3 said, 1 of them right; 2 true
    scores = {"precision": precision_score, "recall": recall_score}
    want = {"precision": 1 / 3, "recall": 1 / 2}
    for over, size in (("all", 3), ("batches", 4)):
        assert evaluate(lambda x: (x >= 0).long(), X, y, metrics=scores, over=over, batch_size=size) == want


X, Y = torch.zeros(2, 1), torch.zeros(2, 1)
SEVERAL = (
    "accuracy is the share of examples whose one class is right, and these rows hold several labels; measure "
    "each label: metrics={'labels': lambda y, z: ((z >= 0) == y).double().mean()}"
)
PAIRS = "a tensor, or batches that can be gone through again"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: predict(lambda x: x, X, batch_size=0), ValueError, "predict: batch_size expected 1 or more, got 0"),
        (lambda: predict(lambda x: x, torch.tensor(1.0)), ValueError, "predict: X expected one example or more, got ()"),
        (lambda: predict(lambda x: x, X[:0]), ValueError, "predict: X expected one example or more, got none"),
        (lambda: predict(lambda x: x, []), ValueError, "predict: X expected one example or more, got none"),
        (lambda: predict(lambda x: x, iter([X])), TypeError, f"predict: X expected {PAIRS}, got list_iterator"),
        (lambda: predict(lambda x: x, 3), TypeError, f"predict: X expected {PAIRS}, got int"),
        (lambda: predict(lambda x: (x, x), X), TypeError, "predict: model expected a tensor as output, got tuple; wrap it in a function that picks one"),
        (lambda: predict(lambda x: x[:1], X), ValueError, "predict: model expected 2 outputs, one for each example, got (1, 1)"),
        (lambda: predict(lambda x: x.sum(), X), ValueError, "predict: model expected one output for each example, got a single number"),
        (lambda: evaluate(lambda x: x, X, Y, metrics="f1"), ValueError, "evaluate: metrics expected 'accuracy' or 'mse' or 'bce' or 'cross_entropy', got 'f1'"),
        (lambda: evaluate(lambda x: x, X, Y, metrics=l1_loss), TypeError, "evaluate: metrics expected names, or functions by name, got function; {'mae': l1_loss} gives one a name"),
        (lambda: evaluate(lambda x: x, X, Y, metrics={"f1": "f1"}), TypeError, "evaluate: metrics['f1'] expected a function of targets and outputs, got str"),
        (lambda: evaluate(lambda x: x, X, Y, metrics={"gap": torch.sub}), ValueError, "evaluate: metrics['gap'] expected a single number, got (2, 1); take the mean"),
        (lambda: evaluate(lambda x: x, X, Y, metrics="mse", over="rows"), ValueError, "evaluate: over expected 'all' or 'batches', got 'rows'"),
        (lambda: evaluate(lambda x: x, X, Y[:1], metrics="mse"), ValueError, "evaluate: y expected 2 targets, one for each example, got (1, 1)"),
        (lambda: evaluate(lambda x: x, X, metrics="mse"), TypeError, "evaluate: y expected a tensor, got NoneType; torch.as_tensor(y) makes one"),
        (lambda: evaluate(lambda x: x, X[:0], Y[:0], metrics="mse"), ValueError, "evaluate: X expected one example or more, got (0, 1)"),
        (lambda: evaluate(lambda x: x, X, Y, metrics="mse", batch_size=1.5), TypeError, "evaluate: batch_size expected a whole number, got float"),
        (lambda: evaluate(lambda x: x, X, torch.zeros(2, 2), metrics="accuracy"), ValueError, "accuracy: y expected 2 class numbers, got shape (2, 2); " + SEVERAL),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_refused(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


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
        (torch.zeros(2), torch.zeros(2), torch.zeros(3), ValueError, "accuracy: y expected 2 class numbers, got shape (3,)"),
        (torch.zeros(2, 2), torch.zeros(2), torch.eye(2), ValueError, "accuracy: y expected 2 class numbers, got shape (2, 2); y.argmax(dim=1) turns rows of 0 and 1 into class numbers"),
        (torch.zeros(2, 3), torch.zeros(2), torch.tensor([[1, 1, 0], [0, 0, 0]]), ValueError, "accuracy: y expected 2 class numbers, got shape (2, 3); " + SEVERAL),
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


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("outputs", "y", "message"),
    [
        ([NAN, 1.0, NAN], [0, 1, 1], "model expected finite outputs, got nan for 2 of 3 examples; look at the model's weights and at X for nan"),
        ([[NAN, 1.0], [0.0, 1.0]], [1, 1], "model expected finite outputs, got nan for 1 of 2 examples; look at the model's weights and at X for nan"),
        ([0.0, 1.0], [-1, 1], "y expected class numbers 0 and 1, got values from -1 to 1; (y + 1) / 2 makes 0 and 1 of -1 and 1"),
        ([0.0, 1.0], [1, 2], "y expected class numbers 0 and 1, got values from 1 to 2; y - 1 makes them start at 0"),
        ([[0.0], [1.0]], [0, 2], "y expected class numbers 0 and 1, got values from 0 to 2; one output tells two classes apart; a model needs one output for each class"),
        ([[0.0, 1, 2], [1, 2, 3], [1, 2, 3]], [1, 2, 3], "y expected class numbers, whole, from 0 to 2, got values from 1 to 3; y - 1 makes them start at 0"),
        ([[0.0, 1, 2], [1, 2, 3]], [-100, 2], "y expected class numbers, whole, from 0 to 2, got values from -100 to 2; the model has 3 outputs; a model needs one output for each class"),
        ([0.0, 1.0], [0.25, 1.0], "y expected class numbers 0 and 1, got values from 0.25 to 1; for targets that are no classes there are 'mse' and companion.metrics.r2_score"),
        ([[0.0, 1, 2], [1, 2, 3]], [0.5, 2.0], "y expected class numbers, whole, from 0 to 2, got values from 0.5 to 2; for targets that are no classes there are 'mse' and companion.metrics.r2_score"),
        ([0.0, 1.0], [NAN, 1.0], "y expected class numbers 0 and 1, got nan for 1 of 2"),
    ],
)  # fmt: skip
def test_accuracy_refuses_outputs_that_are_nan_and_labels_of_no_class(outputs, y, message):
    outputs, y = torch.tensor(outputs), torch.tensor(y)
    for call in (accuracy, lambda *data: evaluate(*data, metrics="accuracy")):
        with pytest.raises(ValueError) as caught:
            call(lambda x: outputs, torch.zeros(len(y)), y)
        assert str(caught.value) == "accuracy: " + message


def test_accuracy_takes_infinite_logits_and_labels_of_any_type():
    logits = torch.tensor([INF, -INF, 1.0])
    for y in (torch.tensor([1, 0, 0]), torch.tensor([1.0, 0.0, 0.0]), torch.tensor([True, False, False])):
        assert accuracy(lambda x: logits, y, y) == pytest.approx(2 / 3)
        assert accuracy(lambda x: torch.stack([-logits, logits], 1), y, y) == pytest.approx(2 / 3)


def test_what_is_advised_for_several_labels_measures_each_of_them():
    y, z = torch.tensor([[1.0, 1.0], [0.0, 1.0]]), torch.tensor([[2.0, -1.0], [-1.0, 3.0]])
    advised = {"labels": lambda y, z: ((z >= 0) == y).double().mean()}
    assert evaluate(lambda x: z, torch.zeros(2), y, metrics=advised) == {"labels": 0.75}
