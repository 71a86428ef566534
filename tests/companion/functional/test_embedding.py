"""Embedding against PyTorch's and against the one-hot product that it stands for."""

import pytest
import torch
import torch.nn.functional as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

from companion import functional as F
from companion.random import generator

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
WEIGHT = torch.randn(5, 3, generator=generator(0), dtype=torch.float64)


def value_and_gradient(f, indices, weight, **options):
    weight = weight.clone().requires_grad_()
    y = f(indices, weight, **options)
    upstream = torch.randn(y.shape, generator=generator(1), dtype=torch.float64).to(y.dtype)
    return y.detach(), torch.autograd.grad(y, weight, upstream)[0]


@PROPERTY
@given(
    indices=st.lists(st.integers(0, 4), max_size=12), kind=st.sampled_from([torch.int64, torch.int32]), columns=st.booleans(),
    padding_idx=st.one_of(st.none(), st.integers(-5, 4)), dtype=st.sampled_from([torch.float64, torch.float32, torch.bfloat16]),
)  # fmt: skip
def test_embedding_agrees_with_torch_for_every_argument(indices, kind, columns, padding_idx, dtype):
    indices = torch.tensor(indices, dtype=kind)
    indices = indices.reshape(-1, 1).expand(-1, 2) if columns else indices
    weight = WEIGHT.to(dtype)
    ours, theirs = (
        value_and_gradient(f, indices, weight, padding_idx=padding_idx) for f in (F.embedding, oracle.embedding)
    )
    assert torch.equal(ours[0], theirs[0])
    tolerance = 5e-2 if dtype == torch.bfloat16 else 1e-6
    torch.testing.assert_close(ours[1], theirs[1], rtol=tolerance, atol=tolerance)


def test_embedding_is_the_product_with_one_hot_rows():
    indices = torch.tensor([[4, 0, 0], [1, 4, 4]])
    onehot = torch.eye(5, dtype=torch.float64)[indices]
    assert torch.equal(F.embedding(indices, WEIGHT), onehot @ WEIGHT)


def test_a_single_index_gives_a_single_row():
    assert torch.equal(F.embedding(torch.tensor(2), WEIGHT), WEIGHT[2])


def test_the_row_of_padding_is_looked_up_but_gets_no_gradient():
    indices = torch.tensor([0, 3, 3, 4])
    y, gradient = value_and_gradient(F.embedding, indices, WEIGHT, padding_idx=-2)
    assert torch.equal(y, WEIGHT[indices])
    assert (gradient[3] == 0).all()
    assert (gradient[[0, 4]] != 0).all()


def test_derivatives_are_those_of_the_values():
    indices = torch.tensor([[1, 1], [3, 0]])
    weight = WEIGHT.clone().requires_grad_()
    assert gradcheck(lambda w: F.embedding(indices, w), weight)
    assert gradgradcheck(lambda w: F.embedding(indices, w), weight)


def test_vmap_over_indices_and_tables():
    indices = torch.tensor([[1, 1], [3, 0]])
    got = torch.func.vmap(F.embedding, in_dims=(0, None))(indices, WEIGHT)
    assert torch.equal(got, WEIGHT[indices])
    tables = torch.stack([WEIGHT, 2 * WEIGHT])
    got = torch.func.vmap(F.embedding, in_dims=(None, 0))(indices[0], tables)
    assert torch.equal(got, tables[:, indices[0]])


@pytest.mark.parametrize(("indices", "weight", "options", "kind", "message"), [
    ([1], WEIGHT, {}, TypeError, "embedding: indices expected a tensor, got list"),
    (torch.tensor([1.0]), WEIGHT, {}, ValueError, "indices expected whole numbers, got torch.float32; indices.long"),
    (torch.tensor([True]), WEIGHT, {}, ValueError, "indices expected whole numbers, got torch.bool"),
    (torch.tensor([2, 5]), WEIGHT, {}, ValueError, "indices expected numbers from 0 to 4, the rows of weight, got 2 to 5"),
    (torch.tensor([-1, 2]), WEIGHT, {}, ValueError, "indices expected numbers from 0 to 4, the rows of weight, got -1 to 2"),
    (torch.tensor([1]), WEIGHT[0], {}, ValueError, r"weight expected two axes, \(V, D\), got \(3,\)"),
    (torch.tensor([1]), WEIGHT.long(), {}, ValueError, "weight expected a float tensor, got torch.int64"),
    (torch.tensor([1]), WEIGHT, {"padding_idx": 5}, ValueError, "padding_idx expected a row from -5 to 4, got 5"),
    (torch.tensor([1]), WEIGHT, {"padding_idx": -6}, ValueError, "padding_idx expected -5 or more, got -6"),
    (torch.tensor([1]), WEIGHT, {"padding_idx": 0.5}, TypeError, "padding_idx expected a whole number, got float"),
])  # fmt: skip
def test_embedding_refuses_what_does_not_fit_in_words(indices, weight, options, kind, message):
    with pytest.raises(kind, match=message):
        F.embedding(indices, weight, **options)
