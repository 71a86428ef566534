"""The multilayer perceptron."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch

from companion import nn
from companion.errors import bad_type, bad_value


def mlp(
    sizes: Sequence[int],
    activation: Callable[[], nn.Module] = nn.ReLU,
    out_activation: Callable[[], nn.Module] | None = None,
    generator: torch.Generator | None = None,
) -> nn.Sequential:
    r"""Stack fully connected layers with an activation after each but the last.

    .. math:: h_0 = x, \qquad h_l = f(h_{l-1} W_l^\top + b_l), \qquad y = h_{L-1} W_L^\top + b_L

    The last layer gives bare weighted sums (logits) unless ``out_activation`` is set: the losses for classes
    want logits.

    Args:
        sizes: Number of inputs, of neurons in each hidden layer, and of outputs: two numbers or more.
        activation: What makes the activation of a hidden layer, such as the class ``nn.Tanh``; called once
            for each.
        out_activation: What makes the activation after the last layer, or None.
        generator: Where the initial weights come from.

    Shape:
        Input (..., sizes[0]), output (..., sizes[-1]).

    Returns:
        The layers in a row; its ``state_dict`` is that of the same row made of ``torch.nn`` layers.

    Raises:
        TypeError: If an activation is a finished layer instead of what makes one.
        ValueError: If there are fewer than two sizes.

    Source:
        Rumelhart, Hinton and Williams (1986), Learning representations by back-propagating errors.

    >>> [type(layer).__name__ for layer in mlp([2, 3, 1], activation=nn.Tanh)]
    ['Linear', 'Tanh', 'Linear']
    """
    if len(sizes) < 2:
        raise bad_value("mlp", "sizes", "two numbers or more, inputs and outputs", list(sizes), "try [2, 3, 1]")
    for argument, maker in (("activation", activation), ("out_activation", out_activation)):
        if isinstance(maker, nn.Module):
            raise bad_type(
                "mlp", argument, "what makes a layer", maker, "leave out the brackets: nn.ReLU, not nn.ReLU()"
            )
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs, generator=generator), activation()]
    layers.pop()  # the last activation
    if out_activation is not None:
        layers.append(out_activation())
    return nn.Sequential(*layers)
