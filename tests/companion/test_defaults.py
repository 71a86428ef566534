"""What is left out means the same here as in PyTorch and scikit-learn: every default of an argument both have."""

from __future__ import annotations

import inspect

import pytest
import sklearn.metrics
import torch

from companion import functional, init, lr_scheduler, metrics, nn, optim

HOMES = [
    (nn, torch.nn),
    (functional, torch.nn.functional),
    (init, torch.nn.init),
    (optim, torch.optim),
    (lr_scheduler, torch.optim.lr_scheduler),
    (metrics, sklearn.metrics),
]
DIFFERENT = {
    ("Softmax", "dim"): "PyTorch guesses the axis, and warns that it does",
    ("LogSoftmax", "dim"): "as above",
    ("softmax", "dim"): "as above",
    ("log_softmax", "dim"): "as above",
    ("TransformerEncoderLayer", "activation"): "a name here, the function of that name there",
    (
        "average_precision_score",
        "pos_label",
    ): "None stands for 1, and is refused where the labels are neither 0/1 nor -1/1",
}


def arguments(thing):
    try:
        return inspect.signature(thing).parameters
    except (ValueError, TypeError):  # a function written in C
        return {}


def shared():
    for ours, theirs in HOMES:
        for name in sorted(vars(ours)):
            mine, reference = getattr(ours, name), getattr(theirs, name, None)
            if not name.startswith("_") and callable(mine) and callable(reference):
                for argument, p in arguments(mine).items():
                    other = arguments(reference).get(argument)
                    if other is not None and p.default is not p.empty and other.default is not other.empty:
                        yield pytest.param(
                            name, argument, p.default, other.default, id=f"{ours.__name__}.{name}-{argument}"
                        )


@pytest.mark.parametrize(("name", "argument", "mine", "theirs"), list(shared()))
def test_default_is_that_of_the_original(name, argument, mine, theirs):
    assert (mine == theirs) is ((name, argument) not in DIFFERENT), DIFFERENT.get((name, argument), "")
