"""A model beside the same model made of PyTorch's layers."""

import sys

import pytest
import torch
from twins import named, torch_layers

from companion import nn


@pytest.fixture
def twin(monkeypatch):
    """Return a call that makes a model with our layers and again with PyTorch's, and gives both the same parameters."""

    def make(model, *args, **options):
        options = {"generator": torch.Generator().manual_seed(0), **options}
        ours = model(*args, **named(nn, options))
        with monkeypatch.context() as patch:
            patch.setattr(sys.modules[model.__module__], "nn", torch_layers())
            theirs = model(*args, **named(torch.nn, options))
        assert {type(m).__module__.split(".")[0] for m in theirs.modules()} <= {"torch", "companion"}
        assert not [m for m in theirs.modules() if type(m).__module__.startswith("companion.nn")]
        theirs.load_state_dict(ours.state_dict())
        ours.load_state_dict(theirs.state_dict())
        return ours, theirs

    return make
