"""Chapter 03's known mistakes in other words, and right answers that look wrong: each is told for what it is."""

from __future__ import annotations

import itertools

import pytest
import torch

from companion.checks import bank, diagnose


def assessed(id, answer):
    exercise = bank.get(id)
    return diagnose.assess(exercise, exercise.answer(answer))


# -- 03.1 ------------------------------------------------------------------------------------------


def layer_by_loops_of_the_chapter(x, weight, bias):
    z = torch.zeros(len(x), len(weight), dtype=x.dtype)
    for i, row in enumerate(x):
        for j, w in enumerate(weight):
            z[i, j] = (w * row).sum() + (0 if bias is None else bias[j])
    return z


def layer_with_added_axis(x, weight, bias):
    z = torch.atleast_2d(x) @ weight.T + (0 if bias is None else bias)
    return z if x.dim() > 1 else z.squeeze(0)


def layer_by_matmul_of_the_side(x, weight, bias):
    z = torch.matmul(x, weight)
    if bias is not None:
        z = z + bias
    return z


def layer_that_thresholds(x, weight, bias):
    z = torch.einsum("...n,mn->...m", x, weight)
    return z - bias if bias is not None else z


# -- 03.2 ------------------------------------------------------------------------------------------


def forward_with_a_flag(x, weights, biases):
    left = []
    for k in range(len(weights)):
        left.append((left[-1] if left else x) @ weights[k].t() + biases[k])
        left[-1] = torch.nn.functional.relu(left[-1]) if k + 1 < len(weights) else left[-1]
    return left


def forward_with_a_list_that_stays(x, weights, biases, left=[]):  # noqa: B006
    for w, b in zip(weights[:-1], biases[:-1]):
        x = torch.relu(x @ w.T + b)
        left.append(x)
    left.append(x @ weights[-1].T + biases[-1])
    return left


def forward_to_the_logits(x, weights, biases):
    for w, b in zip(weights[:-1], biases[:-1]):
        x = torch.clamp(x @ w.T + b, min=0)
    return torch.matmul(x, weights[-1].T) + biases[-1]


def forward_by_repeating_the_input(x, weights, biases):
    left = []
    for w, b in zip(weights, biases):
        left.append(torch.relu(x @ w.T + b))
    left[-1] = x @ weights[-1].T + biases[-1]
    return left


# -- 03.3 ------------------------------------------------------------------------------------------


def bump_from_one_factor(left, right, height, steepness):
    sides = torch.tensor([1.0, -1.0])
    return (
        (steepness * sides)[:, None],
        -steepness * sides * torch.tensor([left, right]),
        torch.full((1, 2), height),
        torch.full((1,), -height),
    )


def stair_in_another_order(left, right, height, steepness):
    return (
        torch.full((2, 1), steepness),
        torch.tensor([-right, -left]) * steepness,
        torch.full((1, 2), height),
        torch.zeros(1),
    )


def bump_with_edges_of_the_wrong_steepness(left, right, height, steepness):
    w = 2 * steepness
    return torch.full((2, 1), w), -w * torch.tensor([left, right]), torch.tensor([[height, -height]]), torch.zeros(1)


def bump_as_a_row(left, right, height, steepness):
    W1, b1, W2, b2 = bump_from_one_factor(left, right, height, steepness)
    return W1.T, b1, W2, b2


# -- 03.4 ------------------------------------------------------------------------------------------


def chain(first, between, last, biases, depth):
    weights = [torch.tensor(first), *[torch.tensor(between)] * (depth - 1), torch.tensor(last)]
    return weights, [*[torch.tensor(biases)] * depth, torch.tensor([0.0])]


def folds_with_units_swapped(depth):
    return chain([[1.0], [1.0]], [[-4.0, 2.0], [-4.0, 2.0]], [[-4.0, 2.0]], [-0.5, 0.0], depth)


def folds_swapped_and_level(depth):
    return chain([[1.0], [1.0]], [[-2.0, 2.0], [-2.0, 2.0]], [[-2.0, 2.0]], [-0.5, 0.0], depth)


def folds_in_pairs(depth):
    return list(zip(*chain([[1.0], [1.0]], [[2.0, -4.0], [2.0, -4.0]], [[2.0, -4.0]], [0.0, -0.5], depth)))


def folds_with_three_units(depth):
    return chain([[1.0], [1.0], [1.0]], [[2.0, -4.0, 0.0]] * 3, [[2.0, -4.0, 0.0]], [0.0, -0.5, 0.0], depth)


def folds_too_steep(depth):
    return chain([[1.0], [1.0]], [[2.0, -4.0], [2.0, -4.0]], [[3.0, -6.0]], [0.0, -0.5], depth)


# -- 03.5 ------------------------------------------------------------------------------------------


def width_by_dividing(budget, inputs, outputs, depth):
    a, b, c = depth - 1, inputs + outputs + depth, outputs - budget
    if c > 0:
        return 0
    return int(-c // b) if a == 0 else int((-b + (b * b - 4 * a * c) ** 0.5) // (2 * a))


def width_rounded(budget, inputs, outputs, depth):
    a, b, c = depth - 1, inputs + outputs + depth, outputs - budget
    if c > 0:
        return 0
    return round(-c / b) if a == 0 else round((-b + (b * b - 4 * a * c) ** 0.5) / (2 * a))


def width_with_weights_only(budget, inputs, outputs, depth):
    for width in range(budget + 1):
        if inputs * width + (depth - 1) * width**2 + width * outputs > budget:
            return width - 1
    return 0


def width_that_runs_for_ever(budget, inputs, outputs, depth):
    width = 0
    while (inputs + 1) * (width + 1) + (width + 2) * outputs * 0 <= budget:
        width += 0
    return width


# -- 03.6 ------------------------------------------------------------------------------------------


def cost_layer_by_layer(sizes, batch):
    costs = [(a * b + b, 2 * batch * a * b, batch * b) for a, b in itertools.pairwise(sizes)]
    return tuple(sum(c) for c in zip(*costs))


def cost_with_input_kept(sizes, batch):
    parameters, flops, kept = cost_layer_by_layer(sizes, batch)
    return parameters, flops, kept + batch * sizes[0]


RIGHT = [
    ("03.6", cost_layer_by_layer),
    ("03.5", width_by_dividing),
    ("03.4", folds_with_units_swapped),
    ("03.1", layer_with_added_axis),
    ("03.2", forward_with_a_flag),
    ("03.3", bump_from_one_factor),
]
FORMS = [
    ("03.6", cost_with_input_kept, "counts the input among what is kept"),
    ("03.5", width_with_weights_only, "forgets the biases"),
    ("03.1", layer_by_loops_of_the_chapter, "goes along the first axis only"),
    ("03.1", layer_by_matmul_of_the_side, "does not transpose the weights"),
    ("03.1", layer_that_thresholds, "subtracts the bias"),
    ("03.1", lambda x, w, b: torch.einsum("...n,mn->...m", x, w), "leaves out the bias"),
    ("03.1", lambda x, w, b: torch.flatten(x, end_dim=-2) @ w.T if b is None else x.view(-1, len(w[0])) @ w.T + b,
     "flattens the axes in front"),
    ("03.1", lambda x, w, b: (x @ w.T + (0 if b is None else b)).clamp(min=0), "bends the sums"),
    ("03.2", forward_to_the_logits, "returns the logits alone"),
    ("03.2", forward_by_repeating_the_input, "gives the input to every layer"),
    ("03.3", stair_in_another_order, "adds both steps"),
    ("03.4", folds_swapped_and_level, "goes level after the middle"),
]  # fmt: skip


@pytest.mark.parametrize(("id", "answer"), RIGHT, ids=[f"{id}-{a.__name__}" for id, a in RIGHT])
def test_right_answer_that_looks_odd_is_right(id, answer):
    assert assessed(id, answer).status == "right"


@pytest.mark.parametrize(
    ("id", "answer", "mistake"), FORMS, ids=[f"{id}-{m}-{n}" for n, (id, _, m) in enumerate(FORMS)]
)
def test_mistake_in_other_words_gets_its_name(id, answer, mistake):
    result = assessed(id, answer)
    assert (result.status, result.mistake) == ("wrong", mistake), result


def test_list_that_stays_from_call_to_call_is_told_by_its_length():
    result = assessed("03.2", forward_with_a_list_that_stays)
    assert (result.status, result.kind) == ("wrong", "value")
    assert "what an earlier call has left" in result.why


def test_forward_pass_that_returns_nothing_or_a_word_is_told_so():
    assert "came back as None" in assessed("03.2", lambda x, weights, biases: [None][0]).message
    assert "a list of torch tensors, and is a str" in assessed("03.2", lambda x, weights, biases: "y").message


def test_wrong_list_of_layers_is_shown_as_it_came():
    result = assessed("03.2", lambda x, weights, biases: [x @ weights[0].T * 0, x @ weights[0].T[:, :2]])
    assert "layer 1 of 2 is the first" in result.message
    known = assessed("03.2", forward_to_the_logits)
    assert ("yours", "[[-0.5, 1.5]]") in known.shown
    assert known.shown[0][1].startswith("x = [[2, 1]], weights = [[[0.5, -0.5], [1, 1], [-1, 0.5]], [[1, -1, 2]")


def test_bump_that_is_wrong_in_a_new_way_is_told_by_its_place():
    result = assessed("03.3", bump_with_edges_of_the_wrong_steepness)
    assert (result.kind, result.mistake) == ("value", "")
    assert "both sides are right, or nearly, and the edges are not" in result.message
    assert "`W1` should have the shape (2, 1)" in assessed("03.3", bump_as_a_row).message


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (folds_in_pairs, "cannot be read as a network"),
        (lambda depth: [torch.zeros(2, 1)], "cannot be read as a network"),
        (lambda depth: torch.zeros(2, 1), "a list of torch tensors, and is a tensor"),
        (
            lambda depth: ([torch.zeros(2, 1), torch.zeros(1, 3)], [torch.zeros(2), torch.zeros(1)]),
            "layer 2 does not fit: it is handed 2",
        ),
        (lambda depth: ([torch.zeros(2)], [torch.zeros(2)]), "cannot be read as a network"),
        (lambda depth: ([torch.zeros(2, 2)], [torch.zeros(2)]), "has the sizes 2-2."),
        (folds_with_three_units, "has the sizes 1-3-1."),
        (folds_too_steep, "is wrong at x = 0.125: it gives 0.375."),
    ],
    ids=["pairs", "one list", "tensor", "unchained", "vectors", "two inputs", "three units", "too steep"],
)
def test_network_of_another_form_is_told_by_its_form(answer, said):
    assert said in assessed("03.4", answer).message


def test_width_that_is_rounded_is_refused_and_a_search_without_end_is_stopped():
    assert assessed("03.5", width_rounded).status == "wrong"
    exercise = bank.get("03.5")
    result = diagnose.assess(exercise, {"width_for": width_that_runs_for_ever}, timeout=0.3)
    assert (result.status, result.kind) == ("wrong", "timeout")


@pytest.mark.parametrize("variant", range(4))
def test_example_of_each_variant_is_what_its_reference_gives(variant):
    exercise = bank.get("03.5", variant)
    example = exercise.cases(0)[0].args
    said = f"`width_for({example['budget']}, 3, 2, 2)` is {exercise.reference[0](**example)}."
    assert said in exercise.statement


def test_two_mistakes_in_two_counts_are_told_by_the_counts_that_are_wrong():
    def answer(sizes, batch):
        parameters, flops, kept = cost_with_input_kept(sizes, batch)
        return parameters - sum(sizes[1:]), flops, kept

    result = assessed("03.6", answer)
    assert result.message == "`flops` is right; `parameters` and `kept` are not."
    assert "Return 3 things" in assessed("03.6", lambda sizes, batch: sum(sizes)).message


def test_argument_that_is_none_is_named():
    result = assessed("03.1", lambda x, weight, bias: (weight @ x.T).T.clone() + bias)
    assert "In this case `bias` is None, as the task allows." in str(result)
