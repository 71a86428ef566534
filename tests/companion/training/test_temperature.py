"""The temperature against SciPy's minimum and by hand."""

import math

import pytest
import scipy.optimize
import torch

from companion.functional import cross_entropy
from companion.training import fit_temperature


def said(seed, scale, classes=4, samples=200):
    g = torch.Generator().manual_seed(seed)
    honest = torch.randn(samples, classes, generator=g, dtype=torch.double) * 1.5
    drawn = torch.multinomial(honest.softmax(1), 1, generator=g)[:, 0]
    return honest * scale, drawn


@pytest.mark.parametrize("scale", [0.3, 1.0, 8.0])
def test_temperature_is_where_scipy_finds_the_least_loss(scale):
    logits, y = said(0, scale)
    theirs = scipy.optimize.minimize_scalar(
        lambda log_t: float(cross_entropy(logits / math.exp(log_t), y)),
        bounds=(-5, 5),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert fit_temperature(logits, y) == pytest.approx(math.exp(theirs.x), rel=1e-5)


def test_temperature_undoes_a_factor():
    logits, y = said(1, 1.0)
    assert fit_temperature(logits * 7, y) == pytest.approx(7 * fit_temperature(logits, y), rel=1e-9)
    assert 0.8 < fit_temperature(logits, y) < 1.25  # drawn from these very probabilities


def test_temperature_by_hand():
    logits = torch.tensor([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    assert fit_temperature(logits, torch.zeros(4, dtype=torch.long)) == pytest.approx(4 / math.log(3), rel=1e-9)


def test_temperature_leaves_the_logits_alone():
    logits, y = said(2, 2.0)
    before = logits.clone()
    fit_temperature(logits, y)
    assert torch.equal(logits, before)


@pytest.mark.parametrize(
    ("logits", "y", "said"),
    [
        (torch.tensor([[3.0, 0.0], [0.0, 1.0]]), [0, 1], "some wrong answers"),
        (torch.tensor([[3.0, 0.0], [0.0, 1.0]]), [1, 0], "better than a guess"),
        (torch.tensor([3.0, 0.0]), [0, 1], "shape"),
        (torch.zeros(2, 1), [0, 0], "K at least 2"),
        (torch.zeros(0, 2), [], "shape"),
        (torch.tensor([[3.0, 0.0], [0.0, math.inf]]), [0, 1], "finite"),
        (torch.tensor([[3.0, 0.0], [0.0, 1.0]]), [0], "2 classes, one per row"),
        (torch.tensor([[3.0, 0.0], [0.0, 1.0]]), [0.0, 1.0], "whole numbers"),
        (torch.tensor([[3.0, 0.0], [0.0, 1.0]]), [1, 2], "classes 0 to 1, got 1 to 2"),
        (torch.tensor([[3.0, 0.0], [0.0, 1.0]]), [0, -1], "classes 0 to 1"),
    ],
)
def test_temperature_refuses(logits, y, said):
    with pytest.raises(ValueError, match=said):
        fit_temperature(logits, torch.tensor(y) if y else torch.zeros(0, dtype=torch.long))


def test_temperature_refuses_a_list():
    with pytest.raises(TypeError, match="logits"):
        fit_temperature([[1.0, 2.0]], torch.tensor([1]))
