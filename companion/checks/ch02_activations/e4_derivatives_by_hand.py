"""Exercise 02.4: derivatives by hand."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import exercise, rng
from companion.checks.ch02_activations.e4_mistakes import MISTAKES, named_as
from companion.checks.numbers import F64, vector
from companion.checks.trace import Case


def sigmoid_grad(z: torch.Tensor) -> torch.Tensor:
    """Return the derivative of the sigmoid at every entry of z."""
    e = torch.exp(-z.abs())  # the derivative is even, so the sign of z does not matter
    return e / (1 + e) ** 2


def tanh_grad(z: torch.Tensor) -> torch.Tensor:
    """Return the derivative of tanh at every entry of z."""
    return 1 - torch.tanh(z) ** 2


def relu_grad(z: torch.Tensor) -> torch.Tensor:
    """Return the derivative of ReLU at every entry of z, taking 0 at z = 0."""
    return (z > 0).to(z.dtype)


def _sigmoid_grad_from_output(z: Tensor) -> Tensor:
    y = torch.sigmoid(z)
    return y * (1 - y)


def _tanh_grad_from_cosh(z: Tensor) -> Tensor:
    return 4 / (torch.exp(z.clamp(-40, 40)) + torch.exp(-z.clamp(-40, 40))) ** 2


def _relu_grad_from_output(z: Tensor) -> Tensor:
    y = torch.clamp(z, min=0)
    return torch.where(y == 0, torch.zeros_like(y), torch.ones_like(y))


def _sigmoid_grad_from_tanh(z: Tensor) -> Tensor:
    return (1 - torch.tanh(z / 2).square()) / 4


def _tanh_grad_from_sigmoid(z: Tensor) -> Tensor:
    return 4 * torch.sigmoid(2 * z) * torch.sigmoid(-2 * z)


def _relu_grad_by_loop(z: Tensor) -> Tensor:
    slope = torch.zeros_like(z)
    for place, number in enumerate(z.flatten().tolist()):
        if number > 0:
            slope.view(-1)[place] = 1
    return slope


def _grad_cases(seed: int) -> list[Case]:
    drawn = 2 * torch.randn(2, 3, generator=rng(seed), dtype=F64)
    cases = []
    for function, word in (("sigmoid_grad", "sigmoid"), ("tanh_grad", "tanh"), ("relu_grad", "ReLU")):
        cases += [
            Case(f"{word} at 0 and on both sides", {"z": vector(-2.0, 0.0, 0.5)}, function),
            Case(f"{word} far out, at -100 and 100", {"z": vector(-100.0, 100.0)}, function),
            Case(f"{word} on two axes in float64", {"z": drawn}, function),
        ]
    return cases


_BY_HAND = "Derive the formula on paper: autograd is the oracle here, not the answer."


@exercise("02.4", title="Derivatives by hand", points=2)
class Derivatives:
    """Three functions, checked against autograd's numbers."""

    reference = (sigmoid_grad, tanh_grad, relu_grad)
    read = "Sigmoid"
    statement = r"""
        Backpropagation multiplies derivatives, so you should know these three by hand. Write three functions
        of the input $z$, each for a tensor of any shape:

        * `sigmoid_grad(z)` for $\sigma(z) = 1/(1+e^{-z})$;
        * `tanh_grad(z)` for $\tanh(z)$;
        * `relu_grad(z)` for $\max(0, z)$, with 0 at $z = 0$, as PyTorch has it.

        Each returns the derivative at every entry, in the shape and dtype of `z`. You may call
        `torch.sigmoid` and `torch.tanh`; leave autograd out. Mind what your formula does at -100.

        Example: at $z = 0$ the three are 0.25, 1 and 0.
    """
    cases = _grad_cases
    forbidden = dict.fromkeys(
        (
            "autograd.grad",
            "autograd.backward",
            "Tensor.backward",
            "autograd.functional.jacobian",
            "func.grad",
            "func.vjp",
        ),
        _BY_HAND,
    )
    mistakes = MISTAKES
    alternatives: ClassVar = {
        "from the outputs": (
            named_as("sigmoid_grad", _sigmoid_grad_from_output),
            named_as("tanh_grad", _tanh_grad_from_cosh),
            named_as("relu_grad", _relu_grad_from_output),
        ),
        "from each other, and a loop": (
            named_as("sigmoid_grad", _sigmoid_grad_from_tanh),
            named_as("tanh_grad", _tanh_grad_from_sigmoid),
            named_as("relu_grad", _relu_grad_by_loop),
        ),
    }
    hints = (
        "Draw each curve and lay a ruler against it: where is it flat, where steepest, and how steep there?",
        "With y for the output: the sigmoid's derivative is y(1 - y), that of tanh is 1 - y squared. y is "
        "the output, not z.",
        "ReLU has slope 1 where z > 0 and 0 elsewhere: compare, then turn truth values into numbers of z's dtype.",
    )
