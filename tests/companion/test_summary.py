"""Counting parameters."""

import pytest
import torch

from companion.models import mlp
from companion.summary import count_parameters


def test_count_of_an_mlp_equals_the_count_by_hand():
    assert count_parameters(mlp([2, 3, 1])) == (2 * 3 + 3) + (3 * 1 + 1)
    assert count_parameters(mlp([64, 32, 10])) == 64 * 32 + 32 + 32 * 10 + 10


def test_count_takes_frozen_once_shared_once_and_buffers_never():
    layer = torch.nn.Linear(3, 3)
    layer.weight.requires_grad_(False)
    model = torch.nn.Sequential(layer, torch.nn.BatchNorm1d(3), layer)
    assert count_parameters(model) == 12 + 6
    assert count_parameters(torch.nn.ReLU()) == 0


def test_count_refuses_what_is_no_module():
    with pytest.raises(TypeError, match=r"^count_parameters: model expected a module, got list$"):
        count_parameters([torch.zeros(3)])
