"""Products with the Hessian and its largest eigenvalue: against the whole matrix, known spectra and exact derivatives."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import functional_call

from companion import nn
from companion.functional import cross_entropy, mse_loss
from companion.models import mlp
from companion.random import generator
from companion.summary import hessian_vector, sharpness

X = torch.randn(40, 4, generator=generator(1), dtype=torch.float64)
CLASSES = torch.randint(0, 3, (40,), generator=generator(2))
NUMBERS = torch.randn(40, 3, generator=generator(3), dtype=torch.float64)
# name: activation, loss and targets
NETS = {
    "tanh, cross-entropy": (nn.Tanh, cross_entropy, CLASSES),
    "sigmoid, squared error": (nn.Sigmoid, mse_loss, NUMBERS),
    "GELU, cross-entropy": (nn.GELU, cross_entropy, CLASSES),
    "ReLU, squared error": (torch.nn.ReLU, torch.nn.functional.mse_loss, NUMBERS),
}
EVERY_NET = pytest.mark.parametrize("name", NETS)


def net(name, dtype=torch.float64):
    """Return a small network's parameters, its loss, and its whole Hessian as one matrix."""
    activation, loss, targets = NETS[name]
    model = mlp([4, 5, 3], activation=activation, generator=generator(4)).to(dtype)
    names, weights = zip(*model.named_parameters(), strict=True)
    targets = targets.to(dtype) if targets.is_floating_point() else targets

    def of(*values):
        return loss(functional_call(model, dict(zip(names, values, strict=True)), (X.to(dtype),)), targets)

    blocks = torch.autograd.functional.hessian(of, weights)
    rows = [[b.reshape(w.numel(), -1) for b in row] for w, row in zip(weights, blocks, strict=True)]
    return weights, of(*weights), torch.cat([torch.cat(row, 1) for row in rows])


def bowl(eigenvalues, dtype=torch.float64):
    """Return weights and a quadratic loss with these eigenvalues along axes that are turned."""
    n = len(eigenvalues)
    axes = torch.linalg.qr(torch.randn(n, n, generator=generator(n), dtype=torch.float64))[0]
    h = axes @ torch.diag(torch.tensor(eigenvalues, dtype=torch.float64)) @ axes.T
    w = torch.linspace(-1, 2, n, dtype=dtype).requires_grad_()
    return w, w @ h.to(dtype) @ w / 2


@EVERY_NET
def test_product_equals_that_with_the_whole_hessian(name):
    weights, loss, h = net(name)
    vectors = [torch.randn(w.shape, generator=generator(5), dtype=w.dtype) for w in weights]
    found = hessian_vector(loss, weights, vectors)
    assert [f.shape for f in found] == [w.shape for w in weights]
    flat = torch.cat([f.flatten() for f in found])
    torch.testing.assert_close(flat, h @ torch.cat([v.flatten() for v in vectors]), rtol=1e-10, atol=1e-12)


@EVERY_NET
@pytest.mark.parametrize(("dtype", "tol"), [(torch.float64, 1e-6), (torch.float32, 1e-4)])
def test_sharpness_of_a_network_is_the_largest_eigenvalue(name, dtype, tol):
    weights, loss, h = net(name, dtype)
    low, *_, high = torch.linalg.eigvalsh(h).tolist()
    assert sharpness(loss, weights, tol=tol) == pytest.approx(high, rel=tol)
    assert sharpness(-loss, weights, tol=tol) == pytest.approx(-low, abs=tol * max(high, -low))


def test_product_by_hand():
    w = torch.tensor([2.0, 3.0], requires_grad=True)  # L = x^3 y: H = [[6xy, 3x^2], [3x^2, 0]]
    (found,) = hessian_vector(w[0] ** 3 * w[1], [w], [torch.tensor([1.0, -2.0])])
    assert found.tolist() == [36 - 24, 12]
    assert not found.requires_grad


SPECTRA = [
    ([1.0, 10.0], 10), ([2.0, -6.0], 2), ([-3.0, -1.0, -7.0], -1), ([1.0, -1.0], 1), ([-4.0, -4.0], -4), ([0.0, -5.0], 0),
    ([5.0, 5.0, 5.0], 5), ([1.0, -0.999], 1), ([1.0, -1.001, 0.3], 1), ([-100.0, 1.0, 0.5], 1), ([3.0], 3), ([-3.0], -3),
    ([1e-20, -3e-20], 1e-20), ([1e12, 1.0], 1e12), ([-1.0] * 50, -1),
]  # fmt: skip


@pytest.mark.parametrize(("eigenvalues", "largest"), SPECTRA, ids=[str(s[0])[:22] for s in SPECTRA])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_sharpness_of_a_quadratic_is_the_eigenvalue_that_it_was_built_with(eigenvalues, largest, dtype):
    w, loss = bowl(eigenvalues, dtype)
    size = max(map(abs, eigenvalues))
    assert sharpness(loss, w) == pytest.approx(largest, abs=1e-4 * size, rel=1e-6)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.floats(-10, 10).filter(lambda v: abs(v) > 1e-3), min_size=1, max_size=6))
def test_sharpness_is_as_accurate_as_tol_for_any_spectrum(eigenvalues):
    w, loss = bowl(eigenvalues)
    off = abs(sharpness(loss, w, tol=1e-3) - max(eigenvalues))
    assert off <= 2e-3 * max(map(abs, eigenvalues))


def test_sharpness_takes_a_loss_with_one_entry():
    w = torch.ones(2, requires_grad=True)
    assert sharpness(w[:1] ** 2 + 3 * w[1:] ** 2, w) == pytest.approx(6)


def test_smaller_tol_is_more_accurate():
    w, loss = bowl([1.0, 0.9, -0.5])
    errors = [abs(sharpness(loss, w, tol=tol) - 1) for tol in (1e-1, 1e-2, 1e-4)]
    assert errors[0] > 10 * errors[1] > 100 * errors[2] > 0


def test_sharpness_is_where_gradient_descent_begins_to_diverge():
    model, y = torch.nn.Linear(4, 1, dtype=torch.float64), X[:, :1] * 2 - X[:, 1:2]
    edge = 2 / sharpness(mse_loss(model(X), y), model.parameters(), tol=1e-6)
    ends = {}
    for share in (0.99, 1.01):
        w = copy.deepcopy(model)
        first = mse_loss(w(X), y).item()
        for _ in range(1000):
            slopes = torch.autograd.grad(mse_loss(w(X), y), list(w.parameters()))
            with torch.no_grad():
                for p, g in zip(w.parameters(), slopes, strict=True):
                    p -= share * edge * g
        ends[share] = mse_loss(w(X), y).item() / first
    assert ends[0.99] < 1e-6 < 1e6 < ends[1.01]


def test_parameters_that_the_loss_does_not_use_have_a_hessian_of_zero():
    used, unused = torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)
    loss = (used * torch.tensor([1.0, 3.0])).square().sum()
    vectors = [torch.ones(3), torch.ones(2)]
    found = hessian_vector(loss, [unused, used], vectors)
    assert [(h.tolist(), h.requires_grad) for h in found] == [([0, 0, 0], False), ([2, 18], False)]
    assert sharpness(loss, [unused, used]) == pytest.approx(18)
    assert sharpness(-loss, [unused, used]) == pytest.approx(0, abs=1e-3)


def test_loss_without_a_bend_has_zeros_and_one_with_a_straight_part_keeps_the_rest():
    a, b = torch.ones(2, requires_grad=True), torch.ones(1, requires_grad=True)
    vectors = [torch.ones(2), torch.ones(1)]
    assert sharpness(a.sum() + 2 * b.sum(), [a, b]) == 0
    assert [h.tolist() for h in hessian_vector(a.sum() + b.sum(), [a, b], vectors)] == [[0, 0], [0]]
    assert [h.tolist() for h in hessian_vector(a.sum() + b.sum() ** 2, [a, b], vectors)] == [[0, 0], [2]]


def test_curvature_leaves_weights_slopes_graph_and_random_numbers_as_they_were():
    weights, loss, _ = net("tanh, cross-entropy")
    before, state = [w.detach().clone() for w in weights], torch.get_rng_state()
    vectors = [torch.ones_like(w) for w in weights]
    kept = [v.clone() for v in vectors]
    with torch.no_grad():
        once = (sharpness(loss, weights), hessian_vector(loss, weights, vectors))
    assert all(w.grad is None for w in weights)
    assert once[0] == sharpness(loss, weights)
    assert all(torch.equal(a, b) for a, b in zip(once[1], hessian_vector(loss, weights, vectors), strict=True))
    assert all(torch.equal(a, b) for a, b in zip([*before, *kept], [*weights, *vectors], strict=True))
    assert torch.equal(state, torch.get_rng_state())
    loss.backward()
    assert all(w.grad is not None for w in weights)


def test_first_direction_comes_from_the_generator():
    w, loss = bowl([1.0, 0.9, 0.8])
    rough = [sharpness(loss, w, tol=0.5, generator=generator(seed)) for seed in (0, 0, 1)]
    assert rough[0] == rough[1] != rough[2]
    own = generator(7)
    start = own.get_state()
    sharpness(loss, w, generator=own)
    assert not torch.equal(start, own.get_state())


def test_steps_that_are_allowed_are_enough_or_refused():
    w, loss = bowl([1.0, 0.5])
    products = 0

    def count(grad):
        nonlocal products
        products += 1

    w.register_hook(count)
    sharpness(loss, w)
    needed = products - 1  # the gradient itself has passed by once
    assert sharpness(loss, w, max_steps=needed) == pytest.approx(1)
    with pytest.raises(ValueError, match=rf"^sharpness: max_steps expected steps enough .* got {needed - 1}; allow"):
        sharpness(loss, w, max_steps=needed - 1)


W = torch.ones(2, requires_grad=True)
FROZEN = torch.ones(2)
NO_GRAPH = "loss expected a number with its graph, got one without; compute it outside of torch.no_grad"
EITHER = [
    (3.0, [W], TypeError, "loss expected a tensor, got float; torch.as_tensor(loss) makes one"),
    (W.square(), [W], ValueError, "loss expected a single number, got shape (2,); loss.mean() makes one"),
    (FROZEN.sum(), [W], ValueError, NO_GRAPH),
    (W.sum() * math.inf, [W], ValueError, "loss expected a finite number, got inf"),
    (W.sum() * math.nan, [W], ValueError, "loss expected a finite number, got nan"),
    (W.sum(), [], ValueError, "parameters expected at least one tensor, got none"),
    (W.sum(), [2.0], TypeError, "parameters expected a tensor, got float; torch.as_tensor(parameters) makes one"),
    (
        W.sum(), [FROZEN], ValueError,
        "parameters expected tensors that require gradients, got parameters[0] of shape (2,), which does not; leave those out that are frozen",
    ),
    (
        W.sum(), [torch.ones(2, requires_grad=True)], ValueError,
        "parameters expected at least one that the loss depends on, got none",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "parameters", "error", "message"), EITHER, ids=[case[3] for case in EITHER])
@pytest.mark.parametrize("function", [sharpness, hessian_vector])
def test_refusals_say_what_was_expected_of_loss_and_parameters(function, loss, parameters, error, message):
    vectors = [] if function is sharpness else [[torch.ones(2)] * max(1, len(parameters))]
    if not parameters and vectors:
        message = "parameters expected at least one tensor, got none"
    with pytest.raises(error) as refusal:
        function(loss, parameters, *vectors)
    assert str(refusal.value) == f"{function.__name__}: {message}"


VECTORS = [
    ([], ValueError, "hessian_vector: vectors expected at least one tensor, got none"),
    ([torch.ones(2)] * 2, ValueError, "hessian_vector: vectors expected 1, one for each parameter, got 2"),
    ([torch.ones(3)], ValueError, "hessian_vector: vectors expected shape (2,), got (3,)"),
    ([1.0], TypeError, "hessian_vector: vectors expected a tensor, got float; torch.as_tensor(vectors) makes one"),
]


@pytest.mark.parametrize(("vectors", "error", "message"), VECTORS, ids=[case[2] for case in VECTORS])
def test_refusals_say_what_was_expected_of_vectors(vectors, error, message):
    with pytest.raises(error) as refusal:
        hessian_vector(W.square().sum(), [W], vectors)
    assert str(refusal.value) == message


OPTIONS = [
    ({"tol": 0.0}, ValueError, "sharpness: tol expected a finite number above 0, got 0.0"),
    ({"tol": 1.0}, ValueError, "sharpness: tol expected a number above 0 and below 1, got 1.0"),
    ({"tol": "1"}, TypeError, "sharpness: tol expected a finite number above 0, got str"),
    ({"max_steps": 0}, ValueError, "sharpness: max_steps expected 1 or more, got 0"),
    ({"max_steps": 1.5}, TypeError, "sharpness: max_steps expected a whole number, got float"),
]


@pytest.mark.parametrize(("options", "error", "message"), OPTIONS, ids=[case[2] for case in OPTIONS])
def test_refusals_say_what_was_expected_of_options(options, error, message):
    with pytest.raises(error) as refusal:
        sharpness(W.square().sum(), [W], **options)
    assert str(refusal.value) == message


@pytest.mark.parametrize("value", [0.0, math.nan])
def test_second_derivatives_that_are_not_finite_are_refused(value):
    w = torch.zeros(1, requires_grad=True)
    loss = w.abs().pow(1.5).sum() if value == 0 else (w.sqrt() * w).sum()
    with pytest.raises(ValueError, match=r"^sharpness: loss expected finite second derivatives, got (inf|nan); at a"):
        sharpness(loss, w)


@pytest.mark.parametrize("function", [sharpness, lambda loss, w: hessian_vector(loss, w, torch.ones(2))])
def test_loss_whose_graph_is_freed_is_refused(function):
    w = torch.ones(2, requires_grad=True)
    loss = w.exp().sum()
    loss.backward()
    with pytest.raises(ValueError, match=r"loss expected a number with its graph, got one whose graph is freed; comp"):
        function(loss, w)


def test_what_holds_parameters_is_refused_with_how_to_get_them():
    net = torch.nn.Linear(2, 1)
    loss = net(torch.ones(1, 2)).square().sum()
    with pytest.raises(TypeError, match=r"parameters expected tensors, .* got Linear; pass model\.parameters\(\)$"):
        sharpness(loss, net)
    with pytest.raises(TypeError, match=r"got dict; pass its values$"):
        sharpness(loss, dict(net.named_parameters()))
    with pytest.raises(TypeError, match=r"got tuple; pass model\.parameters\(\), not named_parameters\(\)$"):
        sharpness(loss, net.named_parameters())


def test_parameter_that_is_listed_twice_is_refused():
    with pytest.raises(
        ValueError, match=r"^sharpness: parameters expected each parameter once, got one that is listed"
    ):
        sharpness(W.square().sum(), [W, W])


def test_parameter_that_is_frozen_is_named_by_its_place():
    loss = W.square().sum()
    with pytest.raises(ValueError, match=r"got parameters\[1\] of shape \(3,\), which does not; leave those out"):
        hessian_vector(loss, [W, torch.ones(3)], [torch.ones(2), torch.ones(3)])


def test_operation_without_second_derivatives_is_told_in_a_sentence():
    q = torch.randn(1, 1, 4, 8, generator=generator(1)).requires_grad_()
    loss = torch.nn.functional.scaled_dot_product_attention(q, q, q).square().sum()
    with pytest.raises(ValueError, match=r"expected operations with second derivatives, .*SDPBackend\.MATH"):
        sharpness(loss, q)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        loss = torch.nn.functional.scaled_dot_product_attention(q, q, q).square().sum()
    assert sharpness(loss, q, tol=1e-2) > 0


def test_direction_that_cannot_settle_in_16_bits_is_told_what_helps():
    w = torch.tensor([1.0, 2.0, 3.0], dtype=torch.bfloat16, requires_grad=True)
    curvature = torch.tensor([1.0, 1.01, 0.9], dtype=torch.bfloat16)
    with pytest.raises(ValueError, match="in 16 bits take tol=1e-2, or float32"):
        sharpness((curvature * w.square()).sum(), w, tol=1e-6, max_steps=3)
