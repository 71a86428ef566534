"""Exercise 02.4: derivatives by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from companion.checks.bank import Mistake, exercise, rng
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


def _named_as(name: str, function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    function.__name__ = name
    return function


def _sigmoid_grad_by_formula(z: Tensor) -> Tensor:
    e = torch.exp(-z)
    return e / (1 + e) ** 2


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
    statement = r"""
        Backpropagation multiplies derivatives, so you should know these three by hand. Write three functions
        of the input $z$, each for a tensor of any shape:

        * `sigmoid_grad(z)` for $\sigma(z) = 1/(1+e^{-z})$;
        * `tanh_grad(z)` for $\tanh(z)$;
        * `relu_grad(z)` for $\max(0, z)$, with 0 at $z = 0$, as PyTorch has it.

        Each returns the derivative at every entry, in the shape and dtype of `z`. You may call
        `torch.sigmoid` and `torch.tanh`; leave autograd out. Mind what your formula does at -100.

        Example: at $z = 0$ the three are 0.25, 1 and 0.

        *Serves the objective: derive the derivatives of the common activation functions and say where they
        vanish.*
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
    mistakes = (
        Mistake(
            "puts z into a formula meant for the sigmoid's output",
            _named_as("sigmoid_grad", lambda z: z * (1 - z)),
            "y(1 - y) is right for y = sigmoid(z), the output. You put z itself into it: at z = 0 that "
            "gives 0 instead of 0.25.",
        ),
        Mistake(
            "returns the sigmoid itself",
            _named_as("sigmoid_grad", lambda z: torch.sigmoid(z)),
            "That is the sigmoid, not its slope. Far out the curve is flat: its derivative must go to 0 on both sides.",
        ),
        Mistake(
            "adds where it should subtract",
            _named_as("sigmoid_grad", lambda z: torch.sigmoid(z) * (1 + torch.sigmoid(z))),
            "Your slope goes to 2 for large z, where the curve is flat. Look at the sign inside y(1 - y).",
        ),
        Mistake(
            "overflows at -100",
            _named_as("sigmoid_grad", _sigmoid_grad_by_formula),
            "The formula is right, and at -100 float32 gives inf over inf, which is nan. The derivative is "
            "the same for z and -z: which of the two has the small exponential?",
        ),
        Mistake(
            "puts z into a formula meant for the output of tanh",
            _named_as("tanh_grad", lambda z: 1 - z**2),
            "1 - y squared is right for y = tanh(z), the output. You put z itself into it: at z = 2 that gives -3.",
        ),
        Mistake(
            "does not square tanh",
            _named_as("tanh_grad", lambda z: 1 - torch.tanh(z)),
            "The square is missing: your slope goes to 2 for very negative z, where tanh is flat.",
        ),
        Mistake(
            "uses the sigmoid's derivative for tanh",
            _named_as("tanh_grad", lambda z: torch.sigmoid(z) * (1 - torch.sigmoid(z))),
            "That is the sigmoid's derivative. tanh is steeper: its slope at 0 is 1, not 0.25.",
        ),
        Mistake(
            "asks whether the output of ReLU is at least 0",
            _named_as("relu_grad", lambda z: (torch.relu(z) >= 0).to(z.dtype)),
            "Your derivative is 1 everywhere: the output of a ReLU is never below 0, so asking it whether "
            "it is >= 0 says nothing. Ask z, or ask whether the output is > 0.",
        ),
        Mistake(
            "uses the sigmoid's derivative for ReLU",
            _named_as("relu_grad", lambda z: torch.sigmoid(z) * (1 - torch.sigmoid(z))),
            "That is the sigmoid's derivative. A ReLU has only two slopes: which?",
        ),
        Mistake(
            "takes 1 at z = 0",
            _named_as("relu_grad", lambda z: (z >= 0).to(z.dtype)),
            "At z = 0 the ReLU has a corner, and any slope from 0 to 1 could be defended. PyTorch takes 0, "
            "and so does this exercise.",
        ),
        Mistake(
            "returns the ReLU itself",
            _named_as("relu_grad", lambda z: torch.relu(z)),
            "That is the ReLU, not its slope. How steep is it at z = 0.5, and how steep at z = 5?",
        ),
        Mistake(
            "returns truth values",
            _named_as("relu_grad", lambda z: z > 0),
            "True and False in the right places. The chain rule multiplies by them, so they should be "
            "numbers of z's dtype.",
        ),
        Mistake(
            "squares inside the bracket for the sigmoid",
            _named_as("sigmoid_grad", lambda z: 1 - torch.sigmoid(z) ** 2),
            "1 - y squared is the derivative for y = tanh(z). For the sigmoid the two factors differ: y and what is "
            "left of 1.",
        ),
        Mistake(
            "uses the sigmoid's formula with tanh",
            _named_as("tanh_grad", lambda z: torch.tanh(z) * (1 - torch.tanh(z))),
            "y(1 - y) belongs to the sigmoid. With tanh for y it is negative for every negative z, and tanh rises "
            "everywhere. Its own formula has a square.",
        ),
        Mistake(
            "adds where tanh subtracts",
            _named_as("tanh_grad", lambda z: 1 + torch.tanh(z) ** 2),
            "Your slope goes to 2 on both sides, where tanh is flat. Look at the sign between 1 and the square.",
        ),
        Mistake(
            "takes the sign",
            _named_as("relu_grad", lambda z: torch.sign(z)),
            "The sign is -1 for negative z. A ReLU is flat there, so its slope is 0: it never falls.",
        ),
    )
    alternatives: ClassVar = {
        "from the outputs": (
            _named_as("sigmoid_grad", _sigmoid_grad_from_output),
            _named_as("tanh_grad", _tanh_grad_from_cosh),
            _named_as("relu_grad", _relu_grad_from_output),
        )
    }
    hints = (
        "Draw each curve and lay a ruler against it: where is it flat, where steepest, and how steep there?",
        "With y for the output: the sigmoid's derivative is y(1 - y), that of tanh is 1 - y squared. y is "
        "the output, not z.",
        "ReLU has slope 1 where z > 0 and 0 elsewhere: compare, then turn truth values into numbers of z's dtype.",
    )
