"""Chapter 02's known mistakes in other words: the same belief, written as another learner would, gets the same name."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import nn

from companion.checks import bank, deep, diagnose


def leaky_in_a_mask(z, negative_slope=0.01):
    return z * (z < 0) + negative_slope * z * (z >= 0)


def leaky_by_relus(z, negative_slope=0.01):
    return torch.relu(z) + 0.01 * torch.relu(-z) * -1


def sigmoid_cut_after_exp(z):
    return 1 / (1 + torch.exp(-z).clamp(max=1e30))


def sigmoid_with_fixed_ends(z):
    inside = 1 / (1 + torch.exp(-z))
    return torch.where(z > 80, torch.ones_like(z), torch.where(z < -80, torch.zeros_like(z), inside))


def sigmoid_by_base(z):
    return 1 / 1 + math.e ** (-z)


def softmax_last_by_max(z, dim):
    e = (z - z.max(-1, keepdim=True)[0]).exp()
    return e / e.sum(-1)[..., None]


def softmax_cut_on_both_sides(z, dim):
    e = z.clamp(-50, 50).exp()
    return e / e.sum(dim, keepdim=True)


def softmax_by_formula_with_whole_sum(z, dim):
    powers = math.e**z
    return powers / powers.sum()


def sigmoid_grad(z):
    return 1 / (1 + torch.exp(z))


def tanh_grad(z):
    return 1 - torch.pow(z, 2)


def relu_grad(z):
    return torch.where(torch.clamp(z, min=0) >= 0, torch.ones_like(z), torch.zeros_like(z))


def merge_for_rows(W1, b1, W2, b2):
    return torch.einsum("ih,ho->io", W1, W2), torch.einsum("h,ho->o", b1, W2) + b2


def merge_plain_biases(W1, b1, W2, b2):
    return torch.matmul(W2, W1), torch.add(b2, b1)


def dead_entries(activations):
    return 1 - torch.count_nonzero(activations).item() / activations.numel()


def dead_rows(activations):
    return sum(bool((row == 0).all()) for row in activations) / len(activations)


def stack_with_small_weights():
    network = nn.Sequential(*(m for _ in range(6) for m in (nn.LazyLinear(32), nn.Tanh())), nn.LazyLinear(10))
    network(torch.zeros(1, 64))
    for parameter in network.parameters():
        nn.init.uniform_(parameter, -1e-3, 1e-3) if parameter.dim() == 2 else nn.init.zeros_(parameter)
    return network


def softmax_over_largest(z, dim):
    powers = torch.exp(z / z.max(dim=dim, keepdim=True).values)
    return powers / powers.sum(dim=dim, keepdim=True)


def merge_by_assigning(W1, b1, W2, b2):
    W, b = torch.zeros(len(W2), W1.shape[1], dtype=W1.dtype), torch.zeros_like(b2)
    for unit in range(len(b1)):
        W[:] = W2[:, unit, None] * W1[unit]
        b[:] = W2[:, unit] * b1[unit] + b2
    return W, b


def stack_with_little_dropout(share):
    def make_network():
        layers = []
        for inputs in (64, 32, 32, 32, 32, 32):
            layers += [nn.Linear(inputs, 32), nn.ReLU()]
            nn.init.kaiming_normal_(layers[-2].weight)
            nn.init.zeros_(layers[-2].bias)
        return nn.Sequential(*layers[:2], nn.Dropout(share), *layers[2:], nn.Linear(32, 10))

    return make_network


def test_dropout_that_does_no_harm_is_right():
    assert diagnose.assess(bank.get("02.7"), {"make_network": stack_with_little_dropout(0.02)}).status == "right"


@pytest.mark.parametrize("limit", [12, 15])
def test_sigmoid_that_is_cut_off_a_little_too_early_is_refused_and_named(limit):
    exercise = bank.get("02.2")
    result = diagnose.assess(exercise, {"sigmoid": lambda z: 1 / (1 + torch.exp(-z.clamp(-limit, limit)))})
    assert result.mistake == "cuts z off too early"


def test_dead_units_of_the_first_two_samples_are_refused():
    result = diagnose.assess(bank.get("02.6"), {"dead_share": lambda a: (a[:2] == 0).all(dim=0).double().mean()})
    assert result.status == "wrong"


FORMS = [
    ("02.2", lambda z: 1 / (1 + torch.exp(torch.clamp(-z, max=700))), "cuts z off too late"),
    ("02.3", softmax_over_largest, "divides by the maximum"),
    ("02.3", lambda z, dim: z.exp() / z.exp().sum(1, keepdim=True), "does not shift, and always sums over axis 1"),
    ("02.5", merge_by_assigning, "keeps the last hidden unit only, in W and in b"),
    ("02.5", lambda W1, b1, W2, b2: (W2 @ W1, b2 + sum(W2 @ b1)), "adds the same sum of products to every output"),
    (
        "02.6",
        lambda a: (a != 0).all(dim=0).sum() / a.shape[1],
        "returns the share that lives, and calls a unit dead after one zero",
    ),
    ("02.1", leaky_in_a_mask, "puts the slope on the positive side"),
    (
        "02.1",
        lambda z, negative_slope=0.01: torch.minimum(z, negative_slope * z),
        "puts the slope on the positive side",
    ),
    ("02.1", leaky_by_relus, "always uses the default slope"),
    (
        "02.1",
        lambda z, negative_slope=0.01: negative_slope * torch.minimum(z, torch.tensor(0.0)),
        "loses the positive side",
    ),
    ("02.2", sigmoid_cut_after_exp, "uses 1/(1+exp(-z)) everywhere"),
    ("02.2", sigmoid_with_fixed_ends, "uses 1/(1+exp(-z)) everywhere"),
    ("02.2", sigmoid_by_base, "forgets the brackets"),
    ("02.3", softmax_last_by_max, "always sums over the last axis"),
    ("02.3", softmax_cut_on_both_sides, "cuts large logits off"),
    ("02.3", softmax_by_formula_with_whole_sum, "does not shift, and divides by the sum of everything"),
    ("02.4", sigmoid_grad, "keeps one factor only"),
    ("02.4", tanh_grad, "puts z into a formula meant for the output of tanh"),
    ("02.4", relu_grad, "asks whether the output of ReLU is at least 0"),
    ("02.5", merge_for_rows, "multiplies in the wrong order, and puts the bias on the wrong side"),
    ("02.5", merge_plain_biases, "adds the two biases"),
    ("02.6", dead_entries, "counts zeros"),
    ("02.6", dead_rows, "looks at samples instead of units"),
    ("02.7", stack_with_small_weights, "starts with weights that are too small"),
]


@pytest.mark.parametrize(
    ("id", "answer", "mistake"), FORMS, ids=[f"{id}-{answer.__name__}-{m}" for id, answer, m in FORMS]
)
def test_mistake_in_other_words_gets_its_name(id, answer, mistake):
    exercise = bank.get(id)
    result = diagnose.assess(exercise, exercise.answer(answer))
    assert (result.status, result.mistake) == ("wrong", mistake)


# -- 02.7: what the statement says about starting weights -------------------------------------------


def drawn_again(activation, draw):
    def make_network():
        layers, sizes = [], [64, *[32] * 6, 10]
        for a, b in itertools.pairwise(sizes):
            linear = torch.nn.Linear(a, b)
            if draw is not None:
                draw(linear.weight)
                torch.nn.init.zeros_(linear.bias)
            layers += [linear, activation()]
        return torch.nn.Sequential(*layers[:-1])

    return make_network


@pytest.mark.parametrize(
    ("activation", "name"), [(torch.nn.ReLU, "kaiming_normal_"), (torch.nn.Tanh, "xavier_normal_")]
)
def test_starting_weights_that_the_statement_names_are_enough(activation, name):
    exercise = bank.get("02.7")
    assert f"`torch.nn.init.{name}(linear.weight)`" in exercise.statement
    answer = drawn_again(activation, getattr(torch.nn.init, name))
    assert diagnose.assess(exercise, {"make_network": answer}).status == "right"


def test_network_that_learns_too_slowly_is_sent_to_the_starting_weights():
    result = diagnose.assess(bank.get("02.7"), {"make_network": drawn_again(torch.nn.Tanh, None)})
    assert (result.status, result.mistake) == ("wrong", "")
    assert "draw other starting weights" in result.next


# -- 02.7: depth is a way through the layers, not a number of them --------------------------------------


class Pile(torch.nn.Module):
    """Holds seven matrices and sends the pixels through some of them."""

    def __init__(self, side_by_side):
        super().__init__()
        self.first, self.scores = torch.nn.Linear(64, 32), torch.nn.Linear(32, 10)
        self.inner = torch.nn.ModuleList(torch.nn.Linear(32, 32) for _ in range(5))
        self.side_by_side = side_by_side

    def forward(self, x):
        h = torch.relu(self.first(x))
        if self.side_by_side:
            h = sum(torch.relu(layer(h)) for layer in self.inner)
        return self.scores(h)


@pytest.mark.parametrize(("side_by_side", "passed"), [(False, 2), (True, 3)])
def test_layers_that_are_not_in_a_row_are_no_depth(side_by_side, passed):
    result = diagnose.assess(bank.get("02.7"), {"make_network": lambda: Pile(side_by_side)})
    assert result.mistake == "has too few hidden layers"
    x = torch.zeros(2, 64, requires_grad=True)
    assert deep.in_a_row(Pile(side_by_side)(x), x) == passed
