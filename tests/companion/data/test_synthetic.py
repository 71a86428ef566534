"""Made-up sets: they are what their papers say, and lead where the papers say."""

import itertools

import pytest
import torch

from companion.data import mirror_symmetry, wilson_construction
from companion.random import generator


@pytest.mark.parametrize("bits", [2, 4, 6])
def test_mirror_symmetry_is_every_row_and_its_answer(bits):
    data = mirror_symmetry(bits)
    rows = [list(map(float, row)) for row in itertools.product([0, 1], repeat=bits)]
    assert data.X.tolist() == rows
    assert data.y.tolist() == [int(row == row[::-1]) for row in rows]
    assert int(data.y.sum()) == 2 ** (bits // 2)
    assert data.synthetic
    assert f"only {2 ** (bits // 2)} of {2**bits}" in data.quirks[0]


def test_the_network_of_the_paper_solves_mirror_symmetry():
    data = mirror_symmetry()
    assert len(data) == 64
    w = torch.tensor([1.0, 2.0, 4.0, -4.0, -2.0, -1.0])  # two hidden units that see opposite halves, weights 1 : 2 : 4
    hidden = torch.stack([data.X @ w, data.X @ -w]) > 0.5
    assert torch.equal((~hidden.any(0)).long(), data.y)


def rows_by_hand(y, first, n):
    """Write the paper's formula out, with indices from 1."""
    X = torch.zeros(len(y), 3 + 5 * n)
    for k, label in enumerate(y.tolist()):
        i, sign = first + k + 1, 2 * label - 1
        X[k, 0] = sign
        for j in range(2, 4 + 5 * n):
            if j in (2, 3) or 4 + 5 * (i - 1) <= j <= 4 + 5 * (i - 1) + 2 * (1 - sign):
                X[k, j - 1] = 1
    return X


@pytest.mark.parametrize(("train", "test"), [(1, 1), (4, 2), (3, 5)])
def test_wilsons_construction_is_the_papers_formula(train, test):
    learn, judge = wilson_construction(train, test, generator=generator(1))
    assert torch.equal(learn.X, rows_by_hand(learn.y, 0, train + test))
    assert torch.equal(judge.X, rows_by_hand(judge.y, train, train + test))
    assert learn.feature_names == judge.feature_names
    assert learn.synthetic
    assert judge.synthetic


def test_the_share_of_positives_and_the_generator_are_kept():
    learn, judge = wilson_construction(900, 300, positive=0.7, generator=generator(0))
    share = torch.cat([learn.y, judge.y]).double().mean().item()
    assert abs(share - 0.7) < 4 * (0.21 / 1200) ** 0.5
    again, _ = wilson_construction(900, 300, positive=0.7, generator=generator(0))
    assert torch.equal(again.y, learn.y)


@pytest.mark.parametrize(
    ("optimizer", "lr", "learns"),
    [(torch.optim.SGD, 0.05, True), (torch.optim.Adam, 0.01, False), (torch.optim.Adagrad, 0.05, False), (torch.optim.RMSprop, 0.005, False)],
)  # fmt: skip
def test_gradient_descent_learns_it_and_adaptive_methods_follow_the_majority(optimizer, lr, learns):
    learn, judge = wilson_construction(60, 60, generator=generator(0))
    w = torch.zeros(learn.X.shape[1], requires_grad=True)
    stepper = optimizer([w], lr=lr)
    sign = 2.0 * learn.y - 1
    for _ in range(600):
        stepper.zero_grad()
        ((learn.X @ w - sign) ** 2).mean().backward()
        stepper.step()
    right = lambda part: ((part.X @ w > 0).long() == part.y).double().mean().item()  # noqa: E731
    assert right(learn) == 1.0
    assert right(judge) == (1.0 if learns else judge.y.double().mean().item())


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (lambda: mirror_symmetry(3), ValueError, "mirror_symmetry: bits expected an even number from 2 to 16, got 3"),
        (lambda: mirror_symmetry(18), ValueError, "mirror_symmetry: bits expected an even number from 2 to 16, got 18"),
        (lambda: mirror_symmetry(0), ValueError, "mirror_symmetry: bits expected 2 or more, got 0"),
        (lambda: wilson_construction(0, 1), ValueError, "wilson_construction: train expected 1 or more, got 0"),
        (lambda: wilson_construction(1, 0), ValueError, "wilson_construction: test expected 1 or more, got 0"),
        (lambda: wilson_construction(1, 1, positive=0.5), ValueError, "wilson_construction: positive expected a share above 0.5 and below 1, got 0.5; with a minority of positives the constant columns would vote for the other class"),
        (lambda: wilson_construction(1, 1, positive="much"), TypeError, "wilson_construction: positive expected a finite number, got str"),
    ],
)  # fmt: skip
def test_impossible_sets_are_refused_in_words(run, error, message):
    with pytest.raises(error) as caught:
        run()
    assert str(caught.value) == message
