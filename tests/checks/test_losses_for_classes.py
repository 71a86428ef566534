"""Exercises 04.4 to 04.6: the references agree with PyTorch and scikit-learn, and the examples of the tasks are right."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from companion.checks import bank, diagnose
from companion.checks.ch04_losses.e4_cross_entropy_with_smoothed_labels import smoothed_cross_entropy
from companion.checks.ch04_losses.e5_weights_for_a_rare_class import class_weights, weighted_cross_entropy
from companion.checks.ch04_losses.e6_two_divergences import two_divergences

F = torch.nn.functional


def drawn(n=6, classes=4, seed=0):
    g = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(n, classes, generator=g, dtype=torch.float64)
    return logits.requires_grad_(), torch.randint(classes, (n,), generator=g)


def value_and_gradient(loss, logits):
    value = loss(logits)
    return value, torch.autograd.grad(value, logits)[0]


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.6, 1.0])
def test_smoothed_loss_is_that_of_pytorch_in_value_and_gradient(smoothing):
    logits, labels = drawn()
    mine = value_and_gradient(lambda z: smoothed_cross_entropy(z, labels, smoothing), logits)
    theirs = value_and_gradient(lambda z: F.cross_entropy(z, labels, label_smoothing=smoothing), logits)
    torch.testing.assert_close(mine, theirs)


def test_weighted_loss_is_that_of_pytorch_in_value_and_gradient():
    logits, labels = drawn(seed=1)
    weights = torch.tensor([0.5, 2.0, 1.0, 7.0], dtype=torch.float64)
    mine = value_and_gradient(lambda z: weighted_cross_entropy(z, labels, weights), logits)
    theirs = value_and_gradient(lambda z: F.cross_entropy(z, labels, weight=weights), logits)
    torch.testing.assert_close(mine, theirs)


def test_class_weights_are_the_balanced_ones_of_scikit_learn_where_all_classes_are_there():
    labels = torch.tensor([0, 2, 1, 0, 0, 2, 0])
    theirs = compute_class_weight("balanced", classes=np.arange(3), y=labels.numpy())
    torch.testing.assert_close(class_weights(labels, 3), torch.tensor(theirs, dtype=torch.float32))


def test_divergences_are_those_of_pytorch_where_nothing_is_0():
    p, q = (torch.softmax(drawn(seed=s)[0].detach(), dim=1) for s in (2, 3))
    theirs = [F.kl_div(b.log(), a, reduction="none").sum(dim=1) for a, b in ((p, q), (q, p))]
    torch.testing.assert_close(list(two_divergences(p, q)), theirs)


def test_examples_of_the_tasks_are_right():
    T = torch.tensor
    assert smoothed_cross_entropy(T([[2.0, 1.0, 0.0]]), T([0]), 0.3).item() == pytest.approx(0.7076, abs=5e-5)
    assert class_weights(T([0, 0, 0, 1]), 3).tolist() == pytest.approx([0.444, 1.333, 0.0], abs=5e-4)
    logits, labels = T([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), T([0, 1])
    assert weighted_cross_entropy(logits, labels, T([1.0, 3.0, 0.5])).item() == pytest.approx(0.9259, abs=5e-5)
    forward, reverse = two_divergences(T([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]]), T([[0.9, 0.1, 0.0], [1.0, 0.0, 0.0]]))
    assert forward.tolist() == pytest.approx([0.511, float("inf")], abs=5e-4)
    assert reverse.tolist() == pytest.approx([0.368, 0.693], abs=5e-4)


# -- what wrong answers are told ---------------------------------------------------------------------------


def assessed(id, *functions):
    exercise = bank.get(id)
    return diagnose.assess(exercise, dict(zip(exercise.functions, functions)))


def divergences(kl):
    return assessed("04.6", lambda p, q: (kl(p, q), kl(q, p)))


@pytest.mark.parametrize("limit", [1e-12, 1e-8, 1e-6, 1e-3])
def test_limit_in_place_of_0_is_named_whatever_its_size(limit):
    result = divergences(lambda a, b: torch.where(a < limit, 0.0, a * (a / b).log()).sum(dim=1))
    assert result.mistake == "takes small weights for 0"


@pytest.mark.parametrize("tiny", [1e-12, 1e-8, 1e-5])
def test_padded_logarithm_is_named_whatever_its_size(tiny):
    added = divergences(lambda a, b: (a * ((a + tiny) / (b + tiny)).log()).sum(dim=1))
    cut = divergences(lambda a, b: (a * (a.clamp(min=tiny) / b.clamp(min=tiny)).log()).sum(dim=1))
    assert [added.mistake, cut.mistake] == ["keeps the logarithm from 0 by a small number"] * 2


def test_ready_made_divergence_of_torch_distributions_is_refused():
    of = torch.distributions.Categorical
    result = divergences(lambda a, b: torch.distributions.kl_divergence(of(a), of(b)))
    assert (result.kind, "torch.distributions" in result.message) == ("forbidden", True)


@pytest.mark.parametrize(
    "reduce",
    [
        lambda losses, each: losses.mean(),
        lambda losses, each: losses.sum(),
        lambda losses, each: losses.sum() / each.sum(),
        lambda losses, each: (each * losses).sum() / each.sum(),
    ],
    ids=["mean", "sum", "by the weights", "weighed again"],
)
def test_weights_in_the_logits_are_named_whatever_comes_after(reduce):
    def loss(logits, labels, weights):
        losses = -torch.log_softmax(weights * logits, dim=1).gather(1, labels[:, None])[:, 0]
        return reduce(losses, weights[labels])

    assert assessed("04.5", class_weights, loss).mistake == "multiplies the logits by the weights"
