"""Splits that leak nothing, and a scale that is measured on training rows only."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from companion.data import Standardizer, k_fold, train_val_test_split
from companion.random import generator

PROPERTY = settings(max_examples=60, deadline=None, derandomize=True)


def labels(n, k, seed=0):
    return torch.randint(k, (n,), generator=generator(seed))


@PROPERTY
@given(
    n=st.integers(10, 80),
    val=st.sampled_from([0.0, 0.2, 0.35]),
    test=st.sampled_from([0.1, 0.25]),
    seed=st.integers(0, 9),
)
def test_every_row_is_in_exactly_one_part_of_the_size_asked_for(n, val, test, seed):
    parts = train_val_test_split(n, val=val, test=test, generator=generator(seed))
    assert torch.cat(parts).sort().values.tolist() == list(range(n))
    for part, share in zip(parts, (1 - val - test, val, test), strict=True):
        assert abs(len(part) - share * n) <= 1


def test_chance_follows_the_generator_and_shuffles():
    first, again, other = (train_val_test_split(50, generator=generator(s)) for s in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first.train, other.train)
    assert not torch.equal(first.train, first.train.sort().values)


@PROPERTY
@given(sizes=st.lists(st.integers(4, 40), min_size=2, max_size=4), seed=st.integers(0, 9))
def test_each_part_has_its_share_of_every_class(sizes, seed):
    y = torch.cat([torch.full((m,), c) for c, m in enumerate(sizes)])[
        torch.randperm(sum(sizes), generator=generator(seed))
    ]
    parts = train_val_test_split(len(y), val=0.25, test=0.25, stratify=y, generator=generator(seed))
    for part, share in zip(parts, (0.5, 0.25, 0.25), strict=True):
        for c, m in enumerate(sizes):
            assert abs(int((y[part] == c).sum()) - share * m) <= 2
    for fold in k_fold(len(y), 4, stratify=y, generator=generator(seed)):
        for c, m in enumerate(sizes):
            assert abs(int((y[fold.held] == c).sum()) - m / 4) <= 2


@PROPERTY
@given(n=st.integers(30, 90), k=st.integers(8, 15), seed=st.integers(0, 9))
def test_no_group_is_in_two_parts(n, k, seed):
    groups = labels(n, k, seed)
    parts = train_val_test_split(n, val=0.25, test=0.25, groups=groups, generator=generator(seed))
    seen = [set(groups[part].tolist()) for part in parts]
    assert not (seen[0] & seen[1])
    assert not (seen[0] & seen[2])
    assert not (seen[1] & seen[2])
    assert torch.cat(parts).sort().values.tolist() == list(range(n))
    for fold in k_fold(n, 3, groups=groups, generator=generator(seed)):
        assert not set(groups[fold.train].tolist()) & set(groups[fold.held].tolist())


@PROPERTY
@given(n=st.integers(12, 60), spread=st.integers(6, 40), seed=st.integers(0, 9))
def test_nothing_is_learned_from_the_future(n, spread, seed):
    times = torch.cat([torch.arange(6), labels(n, spread, seed)])
    n = len(times)
    for fold in k_fold(n, 3, times=times):
        assert times[fold.train].max() < times[fold.held].min()
    parts = train_val_test_split(n, val=0.3, test=0.3, times=torch.arange(n).flip(0))
    assert parts.test.tolist() == list(range(len(parts.test)))[::-1]
    assert len(parts.train) == pytest.approx(0.4 * n, abs=1)


@PROPERTY
@given(n=st.integers(2, 40), k=st.integers(2, 7))
def test_folds_hold_each_row_out_once_and_are_even(n, k):
    if n < k:
        with pytest.raises(ValueError, match=f"k expected at most {n} folds for this data, got {k}"):
            k_fold(n, k)
        return
    folds = k_fold(n, k, generator=generator(0))
    assert torch.cat([f.held for f in folds]).sort().values.tolist() == list(range(n))
    assert all(sorted([*f.train.tolist(), *f.held.tolist()]) == list(range(n)) for f in folds)
    assert max(len(f.held) for f in folds) - min(len(f.held) for f in folds) <= 1


def test_a_large_group_leaves_a_fold_for_the_others():
    groups = torch.tensor([0] * 90 + [1, 2, 3])
    for seed in range(5):
        assert all(len(f.held) for f in k_fold(93, 4, groups=groups, generator=generator(seed)))


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (lambda: train_val_test_split(10, val=1.0), "val expected a share from 0 to below 1, got 1.0"),
        (lambda: train_val_test_split(10, val=0.5, test=0.5), "something must be left to learn from"),
        (lambda: train_val_test_split(3, val=0.1, test=0.1), "test expected at least one row, got none"),
        (lambda: train_val_test_split(0), "n expected 1 or more, got 0"),
        (lambda: train_val_test_split(4, stratify=torch.ones(3)), r"shape \(4,\), got \(3,\)"),
        (lambda: train_val_test_split(4, groups=torch.ones(4), times=torch.ones(4)), "got groups and times"),
        (lambda: train_val_test_split(9, groups=torch.ones(9)), "larger shares, more rows or smaller groups"),
        (lambda: k_fold(10, 1), "k expected 2 or more, got 1"),
        (
            lambda: k_fold(10, 3, groups=torch.arange(10) // 5),
            "at most 2 folds .* rows of one group or time stay together",
        ),
        (lambda: k_fold(4, 4, times=torch.arange(4)), "at most 3 folds"),
    ],
)
def test_what_cannot_be_split_is_refused_in_words(run, said):
    with pytest.raises(ValueError, match=said):
        run()


def test_labels_that_are_no_tensor_are_refused():
    with pytest.raises(TypeError, match="train_val_test_split: groups expected a tensor, got list"):
        train_val_test_split(3, groups=[0, 1, 2])


def test_standardizer_is_scikit_learns():
    train, new = torch.randn(40, 3, generator=generator(0)) * 5 + 2, torch.randn(7, 3, generator=generator(1))
    scaler, oracle = Standardizer().fit(train), StandardScaler().fit(train.double().numpy())
    torch.testing.assert_close(scaler.transform(new.double()), torch.as_tensor(oracle.transform(new.double().numpy())))
    torch.testing.assert_close(scaler.inverse_transform(scaler.transform(new)), new)
    assert scaler.transform(new).dtype == torch.float32


def test_constant_columns_are_not_divided():
    scaler = Standardizer().fit(torch.tensor([[0.1, 1.0], [0.1, 3.0]]))
    assert scaler.transform(torch.tensor([[0.1, 2.0], [0.6, 4.0]])).tolist() == [[0.0, 0.0], [pytest.approx(0.5), 2.0]]


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (lambda: Standardizer().transform(torch.ones(2, 2)), r"none yet; call fit\(training rows\) first"),
        (lambda: Standardizer().fit(torch.ones(0, 2)), "one row or more"),
        (lambda: Standardizer().fit(torch.tensor([[1.0], [float("nan")]])), "finite numbers"),
        (lambda: Standardizer().fit(torch.ones(3)), r"rows of features, shape \(N, D\), got \(3,\)"),
        (
            lambda: Standardizer().fit(torch.rand(3, 2)).inverse_transform(torch.ones(1, 3)),
            "2 columns, as in training, got 3",
        ),
        (lambda: Standardizer().fit(torch.ones(3, 2).long()), "a float tensor"),
    ],
)
def test_a_scale_that_cannot_be_is_refused_in_words(run, said):
    with pytest.raises(ValueError, match=said):
        run()
