"""Chapter 01: known mistakes in forms that the bank does not hold, named all the same."""

from __future__ import annotations

import pytest
import torch

from companion.checks import bank, diagnose
from companion.checks.ch01_neurons import e4_mistakes, e7_mistakes


def step(z):
    return (z >= 0).to(z.dtype)


def mistake_named(id, *functions):
    exercise = bank.get(id)
    return diagnose.assess(exercise, dict(zip(exercise.functions, functions))).mistake


# -- 01.1 and 01.2 ---------------------------------------------------------------------------------


def loop_over_rows(x, weight, bias):
    z = bias
    for i in range(min(len(x), len(weight))):
        z = z + x[i] * weight[i]
    return z


def cut_off_by_clamp(x, weight, bias):
    return (x @ weight + bias).clamp(min=0)


def x_on_both(x, target, weight, bias, lr):
    error = target - step(x @ weight + bias)
    change = lr * error * x
    return weight + change, bias + change


def by_labels(x, target, weight, bias, lr):
    label = 1.0 if target == 1 else -1.0
    wrong = label * float(x @ weight + bias) <= 0
    return (weight + lr * label * x, bias + lr * label) if wrong else (weight.clone(), bias.clone())


def first_round(sizes, bias=True):
    for i in range(len(sizes) - 1):
        total = sizes[i] * sizes[i + 1]
        return total + sizes[i + 1] if bias else total


FORMS = {
    "loop over rows": ("01.1", loop_over_rows, "takes the rows for features"),
    "clamp": ("01.1", cut_off_by_clamp, "cuts negative sums off"),
    "sigmoid by exp": ("01.1", lambda x, w, b: 1 / (1 + torch.exp(-(x @ w + b))), "puts a sigmoid on the sum"),
    "the step from memory": (
        "01.2",
        lambda z, threshold: torch.where(z > 0, 1.0, 0.0).to(z.dtype),
        "ignores the threshold, and does not fire at the threshold itself",
    ),
    "one half for the sum": (
        "01.3",
        lambda x, t, w, b, lr: (w + lr * (t - (x @ w + b > 0.5).float()) * x, b + lr * (t - (x @ w + b > 0.5).float())),
        "asks for a sum of one half",
    ),
    "x on the bias too, by cases": ("01.3", x_on_both, "multiplies the bias's step by x"),
    "labels in a loop": ("01.3", by_labels, "counts a sum of exactly 0 as wrong for both kinds"),
    "mean and minus": (
        "01.1",
        lambda x, w, b: (x * w).sum(dim=1) / x.shape[1] - b,
        "averages instead of summing, and subtracts the bias",
    ),
    "return in the loop over indices": ("01.6", first_round, "returns inside the loop"),
    "paths": ("01.6", lambda sizes, bias=True: int(torch.tensor(sizes).prod()), "multiplies all sizes, and forgets"),
}


@pytest.mark.parametrize("form", FORMS)
def test_another_form_of_a_mistake_is_named(form):
    id, answer, named = FORMS[form]
    assert mistake_named(id, answer).startswith(named)


def two_features(x, target, weight, bias, lr):
    error = target - step(x[:2] @ weight[:2] + bias)
    return weight + lr * error * x, bias + lr * error


def test_a_prediction_from_two_features_is_refused():
    assert diagnose.assess(bank.get("01.3"), {"perceptron_update": two_features}).status == "wrong"


CHAPTER = [e for id in bank.ids("01") for e in bank.variants(id)]


@pytest.mark.parametrize("exercise", CHAPTER, ids=[f"{e.id}-{e.variant}" for e in CHAPTER])
def test_messages_have_three_parts_of_a_length_that_is_read(exercise):
    for part in ("seen", "why", "next"):
        texts = {m.name: getattr(m, part) for m in exercise.mistakes}
        assert len(set(texts.values())) == len(texts)
        assert {name: len(t) for name, t in texts.items() if not 40 <= len(t) <= 220} == {}


# -- 01.4 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lr", [0.01, 0.1, 0.5, 2.0])
def test_any_other_learning_rate_is_named(lr):
    assert mistake_named("01.4", e4_mistakes.training(lr=lr)) == "uses another learning rate"


def test_another_learning_rate_is_not_named_when_the_path_differs_too():
    both = e4_mistakes.training(lr=0.5, start=torch.ones_like)
    assert mistake_named("01.4", both) != "uses another learning rate"


@pytest.mark.parametrize("start", [torch.rand_like, lambda w: 0.01 * torch.randn_like(w)])
def test_any_random_start_is_named(start):
    assert mistake_named("01.4", e4_mistakes.training(start=start)) == "starts from random weights"


def test_fractions_that_come_from_the_answer_are_not_taken_for_a_random_start():
    assert mistake_named("01.4", e4_mistakes.training(answer=torch.sigmoid)) != "starts from random weights"


def counted(code):
    """Return a training that counts by these lines: before it, per epoch, per row, and after the rows."""
    before, epoch, row, after = code
    source = f"""
def train_perceptron(X, y, max_epochs):
    w, b, history = torch.zeros_like(X[0]), torch.zeros_like(y[0]), []
    {before}
    for _ in range(max_epochs):
        {epoch}
        for x, target in zip(X, y):
            error = target - (x @ w + b >= 0).to(X.dtype)
            w, b = w + error * x, b + error
            {row}
        {after}
    return w, b, history
"""
    space = {"torch": torch}
    exec(source, space)
    return space["train_perceptron"]


STOP = "history.append(m)\n        if m == 0: break"
COUNTS = {
    "carried on, to the end": (("m = 0", "", "m += int(error != 0)", "history.append(m)"), "waits for a count that"),
    "carried on, by the last row": (
        ("m = 0", "", "m += int(error != 0)", "history.append(m)\n        if error == 0: break"),
        "never sets the count back",
    ),
    "one tensor, carried on": (("m = 0", "", "m += error != 0", STOP), "lists one tensor again and again"),
    "one tensor, sizes of errors": (("m = 0", "", "m += abs(error)", STOP), "lists one tensor again and again"),
    "signed": (("", "m = 0", "m += error", STOP), "adds up the errors with their sign"),
    "signed, to the end": (
        ("", "m = 0", "m += int(error)", "history.append(m)"),
        "adds up the errors with their sign",
    ),
    "signed, carried on": (
        ("m = 0", "", "m += int(error)", STOP),
        "adds up the errors with their sign, and never sets the count back",
    ),
    "signed, one tensor carried on": (
        ("m = 0", "", "m += error", "history.append(m)"),
        "adds up the errors with their sign, and never sets the count back",
    ),
    "missed only": (("", "m = 0", "m += int(error == 1)", STOP), "counts one kind of mistake only"),
    "false alarms only": (("", "m = 0", "m += int(error == -1)", STOP), "counts one kind of mistake only"),
    "row by row": (
        ("", "m = 0", "m += int(error != 0); history.append(m)", "if m == 0: break"),
        "writes the count down after each row",
    ),
    "by the last row": (
        ("", "m = 0", "m += int(error != 0)", "history.append(m)\n        if error == 0: break"),
        "stops when the last row is right",
    ),
}


@pytest.mark.parametrize("form", COUNTS)
def test_another_way_to_count_is_named(form):
    code, named = COUNTS[form]
    assert mistake_named("01.4", counted(code)).startswith(named)


def test_right_way_to_count_is_right_and_a_list_beside_other_weights_is_not_explained_by_counting():
    right = ("", "m = 0", "m += int(error != 0)", STOP)
    exercise = bank.get("01.4")
    assert diagnose.assess(exercise, {"train_perceptron": counted(right)}).status == "right"
    signed = counted(("", "m = 0", "m += int(error)", "history.append(m)"))

    def other_weights(X, y, max_epochs):
        weight, bias, history = signed(X, y, max_epochs)
        return weight + 1, bias, history

    assert mistake_named("01.4", other_weights) == ""


# -- 01.5 ------------------------------------------------------------------------------------------


def gate(hidden_weight, hidden_bias, out_weight, out_bias):
    return lambda: (
        torch.tensor(hidden_weight, dtype=torch.float32),
        torch.tensor(hidden_bias),
        torch.tensor(out_weight),
        torch.tensor(out_bias),
    )


GATES = {
    "the chapter's network with thresholds": (
        gate([[1, 1], [1, 1]], [0.5, 1.5], [1.0, -2.0], 0.5),
        "gives thresholds where biases are asked for",
    ),
    "one column per unit": (gate([[1, -1], [1, -1]], [-0.5, 1.5], [1.0, 1.0], -1.5), "writes one column"),
    "twice NOR": (gate([[-1, -1], [-2, -2]], [0.5, 1.0], [1.0, 1.0], -0.5), "makes both hidden units alike"),
    "OR from two different units": (gate([[1, 0], [0, 1]], [-0.5, -0.5], [1.0, 1.0], -0.5), "computes or"),
}


@pytest.mark.parametrize("form", GATES)
def test_wrong_network_for_xor_is_named_by_its_cause(form):
    network, named = GATES[form]
    assert mistake_named("01.5", network).startswith(named)


def test_hidden_units_that_agree_are_fine_where_one_is_enough():
    both = gate([[1, -1], [1, -1]], [-0.5, -0.5], [1.0, 1.0], -1.0)
    exercise = bank.get("01.5", 2)
    assert diagnose.assess(exercise, {"gate_network": both}).status == "right"


# -- 01.7 ------------------------------------------------------------------------------------------


def sums_of_means(X, y, X_test):
    a, b = X[y == 0].mean(dim=0), X[y == 1].mean(dim=0)
    return X_test @ (b - a) - (a + b) @ (b - a) / 2


ANSWERS = {
    "sums": (sums_of_means, "returns the sums"),
    "signs": (lambda X, y, X_test: torch.sign(sums_of_means(X, y, X_test)), "answers with -1 and 1"),
    "shares": (lambda X, y, X_test: torch.sigmoid(sums_of_means(X, y, X_test)), "returns shares instead of answers"),
    "signs turned": (lambda X, y, X_test: step(-sums_of_means(X, y, X_test)), "has the two kinds swapped"),
    "whole numbers in a column": (
        lambda X, y, X_test: step(sums_of_means(X, y, X_test))[:, None].int(),
        "answers in a column",
    ),
    "its own training rows": (
        lambda X, y, X_test: step(sums_of_means(X, y, X)),
        "answers for the training flowers",
    ),
}


@pytest.mark.parametrize("form", ANSWERS)
def test_what_came_back_for_the_flowers_is_named(form):
    answer, named = ANSWERS[form]
    assert mistake_named("01.7", answer) == named


def prepared(X, like):
    return (X - like.mean(dim=0)) / like.std(dim=0, correction=0)


def by_labels_on(prepare):
    def train_neuron(X, y, X_test):
        A, B = prepare(X, X), prepare(X_test, X)
        w, b = torch.zeros(4), torch.zeros(())
        for _ in range(60):
            for x, label in zip(A, y):
                if not label * (x @ w + b) > 0:
                    w, b = w + label * x, b + label
        return step(B @ w + b)

    return train_neuron


@pytest.mark.parametrize("prepare", [prepared, lambda X, like: X - like.mean(dim=0)])
def test_rule_for_other_labels_is_named_however_the_flowers_were_prepared(prepare):
    assert mistake_named("01.7", by_labels_on(prepare)) == "uses the rule for labels -1 and 1 with 0 and 1"


def least_squares(X, y, X_test):
    def with_one(A):
        return torch.cat([A, torch.ones(len(A), 1)], dim=1)

    return step(with_one(X_test) @ torch.linalg.lstsq(with_one(X), y[:, None]).solution[:, 0] - 0.5)


def test_test_mean_of_its_own_is_refused_and_named():
    def train_neuron(X, y, X_test):
        return least_squares(prepared(X, X), y, prepared(X_test, X_test))

    assert mistake_named("01.7", train_neuron) == "prepares X_test by its own mean"
    assert diagnose.assess(bank.get("01.7"), {"train_neuron": least_squares}).status == "right"


def test_a_bar_that_is_missed_is_told_without_presuming_a_perceptron():
    def second_feature(X, y, X_test):
        return step(X_test[:, 1] - X[:, 1].mean())

    result = diagnose.assess(bank.get("01.7"), {"train_neuron": second_feature})
    assert (result.status, result.mistake) == ("wrong", "")
    assert "0.9 is needed" in result.message
    assert result.why
    assert result.next
    assert "perceptron" not in f"{result.message} {result.why} {result.next}"


def test_one_number_for_all_flowers_is_no_known_mistake_and_says_the_shape():
    result = diagnose.assess(bank.get("01.7"), {"train_neuron": lambda X, y, X_test: y.mean()})
    assert (result.status, result.mistake) == ("wrong", "")
    assert "the shape (M,)" in result.message


def test_rule_that_was_written_by_hand_is_right_and_told_of_learning():
    exercise = bank.get("01.7")

    def by_hand(X, y, X_test):
        return (X_test[:, 2] + X_test[:, 3] >= 6.55).float()

    result = diagnose.assess(exercise, {"train_neuron": by_hand})
    assert result.status == "right"
    assert result.message.startswith("5 of 5 cases are as they should be. That counts.")
    assert "finds such a rule by itself" in result.message
    learned = diagnose.assess(exercise, {"train_neuron": least_squares})
    assert (learned.status, learned.message) == ("right", "5 of 5 cases are as they should be.")


def three_nearest(X, y, X_test):
    return y[torch.cdist(X_test, X).topk(3, largest=False).indices].mean(dim=1).round()


@pytest.mark.parametrize("bent", [e7_mistakes.nearest_flower, three_nearest])
def test_boundary_that_is_not_flat_is_no_neurons(bent):
    assert mistake_named("01.7", bent) == "is not one neuron"
