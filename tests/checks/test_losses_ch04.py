"""The losses of chapter 4's first exercises against PyTorch's, and mistakes in them that are written in other words."""

from __future__ import annotations

import pytest
import torch
from torch import distributions as d

from companion.checks import bank, diagnose
from companion.checks.ch04_losses.e2_families import FAMILIES
from companion.random import generator

F = torch.nn.functional
F64 = torch.float64


def drawn(n, seed):
    return torch.randn(n, generator=generator(seed), dtype=F64)


def both(function, *args):
    """Return a loss and its gradients by all arguments that ask for one."""
    value = function(*args)
    leaves = [a for a in args if isinstance(a, torch.Tensor) and a.requires_grad]
    return [value.detach(), *torch.autograd.grad(value.sum(), leaves)]


def assessed(id, *functions, variant=0):
    exercise = bank.variants(id)[variant]
    return diagnose.assess(exercise, dict(zip(exercise.functions, functions)))


# -- the references are what PyTorch computes --------------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_cross_entropy_from_logits_agrees_with_torch(scale):
    z = (scale * drawn(20, 0)).requires_grad_()
    yes = (drawn(20, 1) > 0.3).to(F64)
    zero_or_one, minus_or_plus_one = (e.reference[0] for e in bank.variants("04.1"))
    torch.testing.assert_close(both(zero_or_one, z, yes), both(F.binary_cross_entropy_with_logits, z, yes))
    signs = 2 * yes - 1
    torch.testing.assert_close(both(minus_or_plus_one, z, signs), both(F.soft_margin_loss, z, signs))


@pytest.mark.parametrize("variant", [0, 1])
@pytest.mark.parametrize(
    ("logit", "side", "value", "slope"), [(1000, -1, 1000, 1), (1000, 1, 0, 0), (0, 1, 0.6931472, 0.5)]
)
def test_cross_entropy_from_logits_is_exact_far_out_and_at_0(variant, logit, side, value, slope):
    for sign in (1.0, -1.0):
        target = sign if variant else (sign + 1) / 2
        z = torch.tensor([sign * side * logit], dtype=torch.float32, requires_grad=True)
        got, grad = both(bank.variants("04.1")[variant].reference[0], z, torch.tensor([target]))
        assert got.item() == pytest.approx(value)
        assert grad.item() == pytest.approx(-sign * slope)


def test_chapters_form_is_told_of_its_slope_at_0():
    def bce(z, t):
        return (z.clamp(min=0) - t * z + torch.log1p(torch.exp(-z.abs()))).mean()

    assert assessed("04.1", bce).mistake == "counts the corner at 0 in full"


LIKELIHOODS = {
    "poisson": lambda f, t: d.Poisson(f.exp()).log_prob(t),
    "exponential": lambda f, t: d.Exponential(f.exp()).log_prob(t),
    "gaussian": lambda f, s, t: d.Normal(f, s.exp()).log_prob(t),
    "laplace": lambda f, t, b: d.Laplace(f, b).log_prob(t),
}


@pytest.mark.parametrize("variant", range(len(FAMILIES)))
def test_negative_log_likelihood_agrees_with_torch_distributions(variant):
    exercise = bank.variants("04.2")[variant]
    log_prob = LIKELIHOODS[exercise.parameter["family"]]
    for case in exercise.cases(3):
        args = [a.to(F64) if isinstance(a, torch.Tensor) else a for a in case.args.values()]
        args = [a.requires_grad_() if n in case.grad else a for n, a in zip(case.args, args)]
        ours = both(exercise.reference[0], *args) if case.grad else [exercise.reference[0](*args)]
        theirs = both(lambda *a: -log_prob(*a).mean(), *args) if case.grad else [-log_prob(*args).mean()]
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("name", FAMILIES)
def test_density_of_a_family_is_that_of_its_loss(name):
    family = FAMILIES[name]
    args = [v if isinstance(v, float) else torch.tensor(v, dtype=F64) for v in family.given.values()]
    torch.testing.assert_close(-family.density(*args).log(), family.each(*args))


@pytest.mark.parametrize("delta", [0.3, 1.0, 2.5])
def test_huber_and_its_slope_agree_with_torch_and_autograd(delta):
    huber, slope = bank.get("04.3").reference
    e = (2 * drawn(50, 2)).reshape(5, 10).requires_grad_()
    ours, by_autograd = both(huber, e, delta)
    torch.testing.assert_close(ours, F.huber_loss(e.detach(), torch.zeros_like(e), delta=delta, reduction="none"))
    torch.testing.assert_close(by_autograd, slope(e.detach(), delta))


# -- the same mistakes in other words ----------------------------------------------------------------


def clamped(eps):
    def bce(z, t):
        p = torch.sigmoid(z).clamp(eps, 1 - eps)
        return -(t * p.log() + (1 - t) * (1 - p).log()).mean()

    return bce


def cut(limit):
    def bce(z, t):
        p = torch.sigmoid(z.clamp(-limit, limit))
        return -(t * p.log() + (1 - t) * torch.sigmoid(-z.clamp(-limit, limit)).log()).mean()

    return bce


def by_logsumexp(z, t):
    u = (1 - 2 * t) * z
    return torch.logsumexp(torch.stack([u, torch.zeros_like(u)]), dim=0).mean()


OTHER_WORDS = {
    "probabilities kept 1e-6 away from 0 and 1": ("04.1", (clamped(1e-6),), 0, "pads the logarithm"),
    "probabilities kept 1e-4 away from 0 and 1": ("04.1", (clamped(1e-4),), 0, "pads the logarithm"),
    "logits cut off at 20": ("04.1", (cut(20.0),), 0, "cuts the logit off"),
    "logits cut off at 12.5": ("04.1", (cut(12.5),), 0, "cuts the logit off"),
    "log-sum-exp with 0": ("04.1", (by_logsumexp,), 0, "loses small losses"),
    "log of the sigmoid": (
        "04.1",
        (lambda z, t: -torch.log(torch.sigmoid(t * z)).mean(),),
        1,
        "takes the formula as it stands",
    ),
    "squared error of a probability, by a power": (
        "04.1",
        (lambda z, t: ((1 / (1 + torch.exp(-z)) - t) ** 2).mean(),),
        0,
        "squares the distance of the probability",
    ),
    "the Gaussian of a log-variance": (
        "04.2",
        (lambda f, s, t: 0.5 * (s + (t - f) ** 2 * torch.exp(-s) + 1.8378770664).mean(),),
        2,
        "takes s for the logarithm of the variance",
    ),
    "half of the constant": (
        "04.2",
        (lambda f, t, b: ((t - f).abs() / b).sum() / len(t) - torch.log(torch.tensor(1 / b)),),
        3,
        "forgets the 2 before b",
    ),
}


@pytest.mark.parametrize("which", OTHER_WORDS)
def test_known_mistake_in_other_words_is_named(which):
    id, functions, variant, mistake = OTHER_WORDS[which]
    assert assessed(id, *functions, variant=variant).mistake == mistake


def right_huber(error, delta):
    return torch.where(error.abs() <= delta, error**2 / 2, delta * error.abs() - delta**2 / 2)


def right_slope(error, delta):
    return torch.clamp(error, -delta, delta)


def test_huber_is_told_on_which_side_of_delta_it_is_wrong():
    def soft(error, delta):
        return delta**2 * (torch.sqrt(1 + (error / delta) ** 2) - 1)

    def cubed(error, delta):
        return torch.where(error.abs() <= delta, error**2 / 2, delta * error.abs() - delta**3 / 2)

    assert "at most delta" in assessed("04.3", soft, right_slope).message
    assert "not for those beyond it" in assessed("04.3", cubed, right_slope).message
    assert "at most delta" in assessed("04.3", right_huber, lambda e, d: d * torch.tanh(e / d)).message
    halved = assessed("04.3", right_huber, lambda e, d: torch.where(e.abs() <= d, e, d * e.sign() / 2))
    assert "not for those beyond it" in halved.message


@pytest.mark.parametrize(
    ("id", "functions", "used"),
    [
        ("04.1", (lambda z, t: F.binary_cross_entropy_with_logits(z, t),), "binary_cross_entropy_with_logits"),
        ("04.1", (lambda z, t: F.binary_cross_entropy(torch.sigmoid(z), t),), "binary_cross_entropy"),
        ("04.1", (lambda z, t: F.softplus((1 - 2 * t) * z).mean(),), "softplus"),
        ("04.2", (lambda f, t: F.poisson_nll_loss(f, t, full=True),), "poisson_nll_loss"),
        ("04.2", (lambda f, t: -d.Poisson(f.exp()).log_prob(t).mean(),), "torch.distributions.poisson.Poisson"),
        ("04.2", (lambda f, t: -d.poisson.Poisson(f.exp()).log_prob(t).mean(),), "torch.distributions.poisson.Poisson"),
        ("04.3", (lambda e, d: F.huber_loss(e, 0 * e, delta=d, reduction="none"), right_slope), "huber_loss"),
    ],
)
def test_ready_made_loss_is_named(id, functions, used):
    result = assessed(id, *functions)
    assert (result.kind, used in result.message) == ("forbidden", True)
    assert result.why == bank.get(id).forbidden.get(
        "distributions" if "distributions" in used else f"nn.functional.{used}"
    )
