"""A result of the wrong kind: what came is named, and the line that makes the right one of it."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from companion.checks import bank, check, diagnose
from companion.checks.bank import Out
from companion.checks.reading import read
from companion.checks.trace import Case
from companion.checks.wrong_kind import advice, of_dtype

T = torch.tensor


def list_of_tensors(x, weight, bias):
    return [(row * weight).sum() + bias for row in x]


def list_of_numbers(x, weight, bias):
    return [float((row * weight).sum() + bias) for row in x]


def numpy_array(x, weight, bias):
    return (x @ weight + bias).detach().numpy()


def numpy_number(x, weight, bias):
    return (x @ weight + bias).detach().numpy().sum()


def layer(x, weight, bias):
    return torch.nn.Linear(2, 1)


def values_and_indices(x, weight, bias):
    return (x * weight + bias).max(dim=1)


def word(x, weight, bias):
    return "five"


SUMS = {
    list_of_tensors: ("is a list of tensors", "`torch.stack(results)`"),
    list_of_numbers: ("is a list of numbers", "`torch.tensor([1.0, 2.0])`"),
    numpy_array: ("is a numpy array", "`torch.from_numpy(...)`"),
    numpy_number: ("is a numpy number", "`torch.tensor(...)`"),
    layer: ("is a network", "`layer(x)`"),
    values_and_indices: ("is a max", "`.values`"),
    word: ("is a str", "`type(...)`"),
}


@pytest.mark.parametrize("answer", SUMS, ids=lambda f: f.__name__)
def test_what_came_instead_of_a_tensor_is_named_with_the_line_that_mends_it(answer):
    seen, line = SUMS[answer]
    result = check("01.1", answer)
    assert (result.kind, result.message) == ("type", f"It should be a torch tensor, and {seen}.")
    assert line in result.next
    assert result.why


def plain_bias(X, y, max_epochs):
    weight, bias, history = torch.zeros_like(X[0]), 0.0, []
    for _ in range(max_epochs):
        mistakes = 0
        for x, target in zip(X, y):
            error = target.item() - (1.0 if x @ weight + bias >= 0 else 0.0)
            weight, bias = weight + error * x, bias + error
            mistakes += error != 0
        history.append(mistakes)
        if mistakes == 0:
            break
    return weight, bias, history


def test_bias_that_began_as_a_python_number_is_told_where_to_begin():
    result = check("01.4", plain_bias)
    assert result.message == "`bias` should be a torch tensor, and is a float."
    assert "`torch.tensor(0.0)` instead of `0.0`" in result.next


def test_bias_with_brackets_round_it_is_told_to_drop_them():
    network = lambda: (T([[1.0, 1.0], [1.0, 1.0]]), T([-0.5, -1.5]), T([1.0, -1.0]), T([-0.5]))  # noqa: E731
    result = check("01.5", network)
    assert "(1,)" in result.message
    assert "`torch.tensor(-0.5)` and not `torch.tensor([-0.5])`" in result.next

    def train(X, y, max_epochs):
        weight, bias, history = bank.get("01.4").reference[0](X, y, max_epochs)
        return weight, bias[None], history

    exercise = bank.get("01.4")
    result = diagnose.assess(exercise, exercise.answer(train), ours=True)
    assert (result.kind, "(1,)" in result.message) == ("shape", True)
    assert "`torch.tensor(-0.5)` and not `torch.tensor([-0.5])`" in result.next


def test_network_in_plain_lists_is_told_how_to_make_tensors():
    result = check("01.5", lambda: ([[1, 1], [1, 1]], [-0.5, -1.5], [1, -1], -0.5))
    assert result.message == "`hidden_weight` should be a torch tensor, and is a list of numbers."
    assert "a list of lists" in result.next


@pytest.mark.parametrize(
    ("came", "words"),
    [
        ([9], "without the brackets"),
        (T([9]), "without brackets"),
        ([4, 5], "Which of them is the answer"),
        (T([4, 5]), "Which of them is the answer"),
        (9.0, "`//`"),
        (T(9.0), "`//`"),
    ],
)
def test_count_that_is_no_whole_number_is_told_why(came, words):
    words = words.replace("without the brackets", "Leave the brackets away")
    result = check("01.6", lambda sizes, bias=True: came)
    assert result.kind == "type"
    assert words in result.next


@pytest.mark.parametrize(
    ("wanted", "kind", "shape", "words"),
    [
        ("counts", "int", (), "counts.append"),
        ("counts", "tensor", (), "counts.append"),
        ("counts", "list", (3,), "int(...)"),
        ("counts", "str", None, "type(...)"),
        ("number", "str", None, "type(...)"),
        ("table", "int", (), "type(...)"),
        ("tensor", "dict", None, "type(...)"),
    ],
)
def test_advice_for_what_is_rarer(wanted, kind, shape, words):
    assert words in advice(wanted, kind, "", shape).next


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ([T(1.0), T(2.0)], "tensors"),
        ([1, 2.0, True], "numbers"),
        ([[1], (2.0,)], "numbers"),
        ([T(1.0), 2.0], ""),
        ([[T(1.0)]], ""),
        (["a"], ""),
        ([], ""),
    ],
)
def test_what_a_list_holds_is_noted(value, holds):
    facts: dict[str, str] = {}
    read(value, ("out",), {}, facts)
    assert facts.get("out.holds", "") == holds


def test_mistake_in_a_list_of_another_kind_is_still_named():
    """A known mistake counts in plain numbers, a learner in tensors of one number each: the same mistake."""
    exercise = bank.get("01.4")
    assert exercise.returns[2] == Out("mistakes", "counts")
    known = next(m for m in exercise.mistakes if m.name == "never sets the count back")

    def in_tensors(X, y, max_epochs):
        weight, bias, history = known.answer(X, y, max_epochs)
        return weight, bias, [T(n) for n in history]

    assert diagnose.assess(exercise, exercise.answer(in_tensors), ours=True).mistake == known.name


# -- another dtype -----------------------------------------------------------------------------------


def test_float_where_the_dtype_should_stay_is_told_on_two_numbers():
    result = check("01.2", lambda z, threshold: (z >= threshold).float())
    assert result.message == "`z` is float64 here, and your result is float32: it should keep that dtype."
    assert result.why.startswith("`.float()` gives float32 always")
    assert result.next.startswith("Write `.to(z.dtype)`")
    assert dict(result.shown)["input"] == "z = [-1, 2], threshold = 0.5"


def test_dtype_of_one_of_several_results_keeps_the_case_of_its_name():
    result = check("02.5", lambda W1, b1, W2, b2: ((W2 @ W1).float(), W2 @ b1 + b2))
    assert result.message == "`W1` is float64 here, and `W` is float32: it should keep that dtype."


@pytest.mark.parametrize(
    ("got", "words"),
    [
        ("float32", "`.float()`"),
        ("float64", "`.double()`"),
        ("int64", "`.long()`"),
        ("int32", "`.int()`"),
        ("bool", "True and False"),
        ("float16", "of its own"),
    ],
)
def test_what_made_another_dtype_is_named(got, words):
    said = of_dtype(got, "z")
    assert words in said.why
    assert "z.dtype" in said.next


def test_dtype_that_no_argument_has_is_told_by_its_name():
    exercise = bank.get("01.2")
    z = torch.tensor([1, 2])
    cases = [Case("whole numbers", {"z": z, "threshold": 1.5})]
    found = dataclasses.replace(
        exercise, mistakes=(), cases=lambda seed: cases, reference=(lambda z, threshold: (z >= threshold).float(),)
    )
    result = diagnose.assess(found, {"fires": lambda z, threshold: (z >= threshold).double()})
    assert result.message == "Your result should have the dtype float32 with whole numbers, and has float64."
