"""The perceptron's rule, its bound, and what it cannot learn."""

import math

import pytest
import torch

from companion.data import gate, iris
from companion.models import Perceptron
from companion.random import generator


def separable(seed, n=60):
    """Points on two sides of a line, with the line (unit length, bias last) that separates them."""
    rng = generator(seed)
    line = torch.randn(3, generator=rng, dtype=torch.float64)
    line = line / line.norm()
    X = torch.randn(n, 2, generator=rng, dtype=torch.float64)
    side = X @ line[:2] + line[2]
    keep = side.abs() > 0.05
    return X[keep], (side[keep] > 0).long(), line


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shuffled", [False, True])
def test_perceptron_converges_within_the_bound_of_novikoff(seed, shuffled):
    X, y, line = separable(seed)
    ones = torch.ones(len(X), 1, dtype=torch.float64)
    signed = torch.cat([X, ones], 1) * (2 * y - 1)[:, None]  # bias as a third input, every row on the positive side
    bound = (signed.norm(dim=1).max() / (signed @ line).min()) ** 2
    neuron = Perceptron(2, dtype=torch.float64)
    history = neuron.fit(X, y, max_epochs=10_000, generator=generator(seed) if shuffled else None)
    assert history.converged
    assert history.mistakes[-1] == 0
    assert 0 < sum(history.mistakes) <= bound
    assert torch.equal(neuron.predict(X).long(), y)


@pytest.mark.parametrize("name", ["and", "or", "nand", "nor"])
def test_perceptron_learns_the_separable_gates(name):
    rows = gate(name)
    neuron = Perceptron(2)
    assert neuron.fit(rows.X, rows.y).converged
    assert torch.equal(neuron.predict(rows.X).long(), rows.y)


@pytest.mark.parametrize("name", ["xor", "xnor"])
def test_perceptron_never_learns_xor_however_long_it_tries(name):
    rows = gate(name)
    history = Perceptron(2).fit(rows.X, rows.y, max_epochs=200)
    assert not history.converged
    assert len(history.mistakes) == 200
    assert min(history.mistakes) > 0


def test_perceptron_separates_setosa_from_versicolor():
    flowers = iris().select(classes=["setosa", "versicolor"])
    assert Perceptron(4).fit(flowers.X, flowers.y).converged


def test_perceptron_takes_the_steps_that_one_takes_by_hand():
    neuron = Perceptron(2, lr=0.5)
    assert neuron.predict(torch.tensor([3.0, -1.0])) == 1, "0 reaches the threshold"
    assert neuron.update(torch.tensor([3.0, -1.0]), 0)
    assert neuron.weight.tolist() == [-1.5, 0.5]
    assert neuron.bias.item() == -0.5
    assert not neuron.update(torch.tensor([3.0, -1.0]), 0)
    assert neuron.weight.tolist() == [-1.5, 0.5]
    assert neuron.update(torch.tensor([0.0, 0.0]), torch.tensor(1))
    assert neuron.bias.item() == 0
    assert repr(neuron) == "Perceptron(weight=[-1.5, 0.5], bias=0.0)"


def test_perceptron_history_holds_every_look_with_the_state_after_it():
    rows = gate("or")
    neuron = Perceptron(2)
    history = neuron.fit(rows.X, rows.y)
    assert len(history.steps) == 4 * len(history.mistakes)
    assert [s.index for s in history.steps[:4]] == [0, 1, 2, 3]
    replay = Perceptron(2)
    for s in history.steps:
        assert s.prediction == replay.predict(rows.X[s.index]).item()
        assert replay.update(rows.X[s.index], s.target) == (s.prediction != s.target)
        assert torch.equal(s.weight, replay.weight)
        assert torch.equal(s.bias, replay.bias)
    wrong = [s.prediction != s.target for s in history.steps]
    assert [sum(wrong[i : i + 4]) for i in range(0, len(wrong), 4)] == history.mistakes
    assert torch.equal(history.steps[-1].weight, neuron.weight)


def test_perceptron_learning_rate_scales_weights_and_changes_no_decision():
    X, y, _ = separable(3)
    a, b = Perceptron(2, dtype=torch.float64), Perceptron(2, lr=0.25, dtype=torch.float64)
    first, second = a.fit(X, y), b.fit(X, y)
    assert first.mistakes == second.mistakes
    torch.testing.assert_close(a.weight, 4 * b.weight)


def test_perceptron_order_is_the_generators():
    X, y, _ = separable(1)
    orders = [[s.index for s in Perceptron(2, dtype=X.dtype).fit(X, y, 1, generator(g)).steps] for g in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == list(range(len(X)))


def test_perceptron_can_be_set_by_hand():
    neuron = Perceptron(2)
    neuron.weight, neuron.bias = torch.tensor([1.0, 1.0]), torch.tensor(-1.5)
    assert torch.equal(neuron.predict(gate("and").X).long(), gate("and").y)
    assert neuron.decision(torch.tensor([2.0, 3.0])).item() == 3.5
    neuron.bias = 0.0
    assert neuron.decision(torch.zeros(4, 2)).shape == (4,)


def test_perceptron_leaves_its_examples_alone_and_works_on_every_device(device):
    rows = gate("and")
    X, y = rows.X.to(device), rows.y.to(device)
    kept = X.clone()
    neuron = Perceptron(2, device=device)
    assert neuron.fit(X, y).converged
    assert torch.equal(X, kept)
    assert neuron.weight.device.type == device.type


def test_perceptron_stops_at_the_epochs_it_was_given():
    history = Perceptron(2).fit(gate("xor").X, gate("xor").y, max_epochs=0)
    assert (history.mistakes, history.converged, history.steps) == ([], False, [])


X2, Y2, Y3 = torch.zeros(2, 2), torch.tensor([0, 1]), torch.tensor([0, 1, 1])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Perceptron(0), ValueError, "Perceptron: in_features expected 1 or more, got 0"),
        (lambda: Perceptron(2, lr=0), ValueError, "Perceptron: lr expected a finite number above 0, got 0"),
        (lambda: Perceptron(2).decision(torch.zeros(3)), ValueError, "decision: x expected shape (2,) or (N, 2), got (3,)"),
        (lambda: Perceptron(2).update(X2, 1), ValueError, "update: x expected one example, one axis, got (2, 2); fit(X, y) takes many"),
        (lambda: Perceptron(2).update(X2[0], -1), ValueError, "update: target expected 0 or 1, got -1.0"),
        (lambda: Perceptron(2).fit([[0.0, 1.0]], Y2), TypeError, "fit: X expected a tensor, got list; torch.as_tensor(X) makes one"),
        (lambda: Perceptron(2).fit(X2, [0, 1]), TypeError, "fit: y expected a tensor, got list; torch.as_tensor(y) makes one"),
        (lambda: Perceptron(2).fit(X2.long(), Y2), ValueError, "fit: X expected a float tensor, got torch.int64; X.float() converts it"),
        (lambda: Perceptron(2).fit(X2.double(), Y2), TypeError, "fit: X expected float32 like the perceptron's weights, got float64; X.float()"),
        (lambda: Perceptron(2, dtype=torch.float64).fit(X2, Y2), TypeError, "fit: X expected float64 like the perceptron's weights, got float32; X.double()"),
        (lambda: Perceptron(2).fit(torch.tensor([[1.0, math.nan], [math.inf, math.nan], [0, 1]]), Y3), ValueError, "fit: X expected finite numbers, got nan or inf in 2 of 3 rows; a sum with nan reaches no decision: clean the data"),
        (lambda: Perceptron(2).fit(torch.tensor([[1.0, 2.0], [1, 3], [-math.inf, 1]]), Y3), ValueError, "fit: X expected finite numbers, got nan or inf in 1 of 3 rows; a sum with nan reaches no decision: clean the data"),
        (lambda: Perceptron(2).fit(X2[0], Y2), ValueError, "fit: X expected rows of examples, shape (N, D), got (2,)"),
        (lambda: Perceptron(2).fit(X2, Y2[:, None]), ValueError, "fit: y expected one target for each row, shape (2,), got (2, 1)"),
        (lambda: Perceptron(2).fit(X2, 2 * Y2 - 1), ValueError, "fit: y expected only 0 and 1, got [-1, 1]; targets -1 and 1 become 0 and 1 by (y + 1) / 2"),
        (lambda: Perceptron(2).fit(X2, Y2, max_epochs=-1), ValueError, "fit: max_epochs expected 0 or more, got -1"),
    ],
)  # fmt: skip
def test_perceptron_refuses_what_it_cannot_learn_from(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize("method", ["predict", "decision", "update"])
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ([0.0, 1.0], TypeError, "x expected a tensor, got list; torch.as_tensor(x) makes one"),
        (torch.zeros(2).double(), TypeError, "x expected float32 like the perceptron's weights, got float64; x.float()"),
        (torch.zeros(2).long(), ValueError, "x expected a float tensor, got torch.int64; x.float() converts it"),
        (torch.zeros(3), ValueError, "x expected shape (2,) or (N, 2), got (3,)"),
    ],
)  # fmt: skip
def test_perceptron_says_what_an_example_should_be(method, x, error, message):
    neuron = Perceptron(2)
    with pytest.raises(error) as caught:
        getattr(neuron, method)(*([x, 1] if method == "update" else [x]))
    assert str(caught.value) == f"{method}: {message}"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_perceptron_learns_nothing_from_an_example_that_is_not_finite(number):
    neuron = Perceptron(2)
    neuron.update(torch.tensor([3.0, -1.0]), 0)
    with pytest.raises(ValueError) as caught:
        neuron.update(torch.tensor([1.0, number]), 0)
    assert str(caught.value) == (
        "update: x expected finite numbers, got nan or inf; a sum with nan reaches no decision: clean the data"
    )
    assert neuron.weight.tolist() == [-3.0, 1.0]
    assert neuron.bias.item() == -1.0


def test_perceptron_names_the_columns_that_it_cannot_fit():
    with pytest.raises(ValueError) as caught:
        Perceptron(2).fit(torch.zeros(4, 3), torch.tensor([0, 1, 1, 0]))
    assert str(caught.value) == "fit: X expected shape (N, 2), got (4, 3)"


def test_perceptron_with_whole_weights_set_by_hand_takes_whole_numbers():
    neuron = Perceptron(2)
    neuron.weight, neuron.bias = torch.tensor([1, 1]), torch.tensor(-2)
    assert neuron.decision(torch.tensor([[1, 1], [0, 1]])).tolist() == [0, -1]
