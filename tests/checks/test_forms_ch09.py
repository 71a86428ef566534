"""Chapter 9: answers in other forms than those that are kept: right ones pass, known mistakes are named all the same."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from companion.checks import bank, diagnose
from companion.checks.ch09_regularization.e6_mistakes import LAYERS, LEARNED, MEANS, SHARING


def told(id, answer):
    exercise = bank.get(id)
    return diagnose.assess(exercise, exercise.answer(answer))


# -- 09.1 and 09.2 -------------------------------------------------------------------------------------


def by_the_smaller_matrix(X, Y, strength):
    """Solve in the space of the examples where there is a price, else as usual."""
    A, B = X - X.mean(0, keepdim=True), Y - Y.mean(0, keepdim=True)
    if strength > 0:
        weight = A.T @ torch.linalg.solve(A @ A.T + strength * torch.eye(len(A), dtype=A.dtype), B)
    else:
        weight = torch.linalg.pinv(A) @ B
    return weight, (Y - X @ weight).mean(0)


def ones_under_the_price(X, Y, strength):
    Z = torch.hstack([torch.ones(len(X), 1, dtype=X.dtype), X])
    both = torch.linalg.pinv(Z.T @ Z + strength * torch.eye(Z.shape[1], dtype=X.dtype)) @ (Z.T @ Y)
    return both[1:], both[0]


def number_on_the_table(X, Y, strength):
    x, y = X - X.mean(0), Y - Y.mean(0)
    weight = torch.linalg.lstsq(x.T @ x + strength, x.T @ y, driver="gelsd").solution
    return weight, Y.mean(0) - X.mean(0) @ weight


def by_shrinkage_of_torch(w, b, X, y, lr, strength):
    error = X.matmul(w).add(b).sub(y)
    return nn.Softshrink(lr * strength)(w - lr * error @ X / error.numel()), b - lr * error.sum() / error.numel()


def by_relu(w, b, X, y, lr, strength):
    error = X @ w + b - y
    return torch.relu(w - lr * (X.T @ error) / len(y) - lr * strength), b - lr * error.mean()


# -- 09.3 ----------------------------------------------------------------------------------------------


def of_the_chapter(h, u, p, training):
    if not training:
        return h
    return h * (u >= p) / (1 - p)


def by_a_layer(h, u, p, training):
    return nn.Dropout(p).train(training)(h)


def by_chance_of_its_own(h, u, p, training):
    return h * (torch.rand_like(h) >= p) / (1 - p) if training and p < 1 else h * float(not training)


def with_a_product(h, u, p, training):
    keep = 1.0 - p
    if not training or keep == 1:
        return h.clone()
    return h.masked_fill(u < p, 0.0) * (1 / keep if keep else 1.0)


# -- 09.4 ----------------------------------------------------------------------------------------------


class Base:
    def __init__(self, patience, min_delta, mode):
        self.patience, self.min_delta, self.mode = patience, min_delta, mode
        self.best, self.best_epoch, self.weights = None, None, None
        self.waited, self.n = 0, -1

    def keep(self, weights):
        return copy.deepcopy(weights)

    def better(self, value):
        if math.isnan(value):
            return False
        if self.best is None:
            return True
        gain = value - self.best if self.mode == "max" else self.best - value
        return gain > self.min_delta

    def look(self, value, weights):
        self.n += 1
        if self.better(value):
            self.best, self.best_epoch, self.weights, self.waited = value, self.n, self.keep(weights), 0
            return False
        self.waited += 1
        return self.waited >= self.patience


class InAList(Base):
    def keep(self, weights):
        return list(weights)


class Shallow(Base):
    def keep(self, weights):
        return copy.copy(weights)


class Detached(Base):
    def keep(self, weights):
        return [w.detach() for w in weights]


class NanIsBest(Base):
    def better(self, value):
        if self.best is None:
            return True
        worse = value <= self.best + self.min_delta if self.mode == "max" else value >= self.best - self.min_delta
        return not worse


# -- 09.5 ----------------------------------------------------------------------------------------------


class OfTheChapter(nn.Module):
    def __init__(self, units, momentum, eps):
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(units)), nn.Parameter(torch.zeros(units))
        self.mean, self.variance = torch.zeros(units), torch.ones(units)
        self.momentum, self.eps = momentum, eps

    def forward(self, z):
        if self.training:
            self.mean = self.mean + self.momentum * (z.detach().mean(dim=0) - self.mean)
            self.variance = self.variance + self.momentum * (z.detach().var(dim=0) - self.variance)
            z = (z - z.mean(dim=0)) / (z.var(dim=0, unbiased=False) + self.eps).sqrt()
        else:
            z = (z - self.mean) / (self.variance + self.eps).sqrt()
        return self.gamma * z + self.beta


class Wrapped(nn.Module):
    def __init__(self, units, momentum, eps):
        super().__init__()
        self.layer = nn.BatchNorm1d(units, eps, momentum)
        self.gamma, self.beta = self.layer.weight, self.layer.bias
        self.register_buffer("mean", self.layer.running_mean)
        self.register_buffer("variance", self.layer.running_var)

    def forward(self, z):
        return self.layer(z)


class ByStd(nn.Module):
    def __init__(self, units, momentum, eps):
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(units)), nn.Parameter(torch.zeros(units))
        self.register_buffer("mean", torch.zeros(units))
        self.register_buffer("variance", torch.ones(units))
        self.a, self.eps = momentum, eps

    def forward(self, z):
        mu, var = (z.mean(0), z.std(0, unbiased=False) ** 2) if self.training else (self.mean, self.variance)
        if self.training:
            n = z.size(0)
            self.mean = self.a * mu.detach() + (1 - self.a) * self.mean
            self.variance = self.a * var.detach() * n / (n - 1) + (1 - self.a) * self.variance
        return self.gamma * ((z - mu) / torch.sqrt(var + self.eps)) + self.beta


# -- 09.7 ----------------------------------------------------------------------------------------------


def with_one_hot_of_torch(x, labels, share, partner, smoothing, classes):
    t = nn.functional.one_hot(labels, classes).type_as(x) * (1 - smoothing) + smoothing / classes
    t = torch.einsum("n,nc->nc", share, t) + torch.einsum("n,nc->nc", 1 - share, t[partner])
    wide = share.view([-1] + [1] * (x.ndim - 1))
    floor = nn.functional.cross_entropy(t.clamp(min=1e-45).log(), t)
    return x[partner] + wide * (x - x[partner]), t, floor


def naive_floor(x, labels, share, partner, smoothing, classes):
    inputs, t, _ = with_one_hot_of_torch(x, labels, share, partner, smoothing, classes)
    return inputs, t, -(t * torch.log(t)).sum(1).mean()


def scattered(x, labels, share, partner, smoothing, classes):
    back = torch.empty_like(partner)
    back[partner] = torch.arange(len(partner))
    return with_one_hot_of_torch(x, labels, share, back, smoothing, classes)


RIGHT = [
    ("09.1", by_the_smaller_matrix),
    ("09.2", by_shrinkage_of_torch),
    ("09.3", with_a_product),
    ("09.4", Base),
    ("09.5", ByStd),
    ("09.7", with_one_hot_of_torch),
]
NAMED = [
    ("09.1", ones_under_the_price, "puts a price on the bias"),
    ("09.1", number_on_the_table, "adds the price to every entry"),
    ("09.2", by_relu, "sets negative weights to 0"),
    ("09.3", of_the_chapter, "divides by 0 when everything is dropped"),
    ("09.4", InAList, "keeps the tensors themselves"),
    ("09.4", Shallow, "keeps the tensors themselves"),
    ("09.4", Detached, "keeps the tensors themselves"),
    ("09.4", NanIsBest, "takes nan for a new best"),
    ("09.5", OfTheChapter, "keeps the statistics as plain attributes"),
    ("09.7", naive_floor, "returns nan where a target is 0"),
    ("09.7", scattered, "looks the partner up the other way round"),
]
REFUSED = [
    ("09.3", by_a_layer, "forbidden"),
    ("09.3", by_chance_of_its_own, "touched"),
    ("09.5", Wrapped, "forbidden"),
]


def ids(rows):
    return [f"{row[0]}-{row[1].__name__}" for row in rows]


@pytest.mark.parametrize(("id", "answer"), RIGHT, ids=ids(RIGHT))
def test_right_answer_in_another_form_is_right(id, answer):
    answer.__name__ = bank.get(id).functions[0]
    result = told(id, answer)
    assert result.status == "right", result


@pytest.mark.parametrize(("id", "answer", "mistake"), NAMED, ids=ids(NAMED))
def test_known_mistake_in_another_form_is_named(id, answer, mistake):
    assert told(id, answer).mistake == mistake


@pytest.mark.parametrize(("id", "answer", "kind"), REFUSED, ids=ids(REFUSED))
def test_what_is_ready_made_or_drawn_is_refused(id, answer, kind):
    result = told(id, answer)
    assert (result.status, result.kind) == ("wrong", kind)


# -- 09.6: the counts are those of PyTorch's layers ------------------------------------------------------


def made(layer):
    return {
        "batch": lambda: nn.BatchNorm2d(layer.c),
        "layer": lambda: nn.LayerNorm([layer.c, layer.h, layer.w]),
        "instance": lambda: nn.InstanceNorm2d(layer.c),
        "group": lambda: nn.GroupNorm(layer.g, layer.c),
    }[layer.kind]()


def reached_by_one(layer):
    """Return how many results change if the first number of the batch does: those that share its mean."""
    x = torch.randn(layer.n, layer.c, layer.h, layer.w, dtype=torch.float64)
    net = made(layer).double()
    moved = x.clone()
    moved[0, 0, 0, 0] += 1
    return int((net(x) != net(moved)).sum())


@pytest.mark.parametrize("name", LAYERS)
def test_count_of_the_task_is_what_the_layer_does(name):
    layer = LAYERS[name]
    if layer.asks == LEARNED:
        assert layer.right == sum(p.numel() for p in made(layer).parameters())
    else:
        share = reached_by_one(layer)
        assert layer.right == {SHARING: share, MEANS: layer.numbers // share}[layer.asks]


@pytest.mark.parametrize("exercise", bank.variants("09.6"), ids=lambda e: e.parameter["layer"])
def test_variant_knows_a_dozen_wrong_counts_and_its_example_gives_none_away(exercise):
    assert len(exercise.mistakes) >= 12
    assert exercise.written.right not in (40, 3, 6)


def test_variants_ask_for_different_numbers():
    numbers = [layer.right for layer in LAYERS.values()]
    assert len(set(numbers)) == len(numbers)
