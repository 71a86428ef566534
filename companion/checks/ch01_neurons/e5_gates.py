"""The gates of exercise 01.5 and networks of steps that compute them, or nearly."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from companion.checks.numbers import F64, number, rows, vector

CORNERS = rows([0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0])
GATES: dict[str, tuple[float, float, float, float]] = {
    "xor": (0.0, 1.0, 1.0, 0.0),
    "xnor": (1.0, 0.0, 0.0, 1.0),
    "x1 and not x2": (0.0, 0.0, 1.0, 0.0),
    "x2 implies x1": (1.0, 0.0, 1.0, 1.0),
    "or": (0.0, 1.0, 1.0, 1.0),
    "and": (0.0, 0.0, 0.0, 1.0),
    "nand": (1.0, 1.0, 1.0, 0.0),
    "nor": (1.0, 0.0, 0.0, 0.0),
    "always 0": (0.0, 0.0, 0.0, 0.0),
    "always 1": (1.0, 1.0, 1.0, 1.0),
}
Network = tuple[Tensor, Tensor, Tensor, Tensor]


def _xor_network() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return hidden_weight (2, 2), hidden_bias (2,), out_weight (2,) and out_bias () of a step network."""
    hidden_weight = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
    hidden_bias = torch.tensor([-0.5, -1.5])  # at least one input; both inputs
    out_weight = torch.tensor([1.0, -1.0])  # at least one, and not both
    return hidden_weight, hidden_bias, out_weight, torch.tensor(-0.5)


def _xnor_network() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return hidden_weight (2, 2), hidden_bias (2,), out_weight (2,) and out_bias () of a step network."""
    hidden_weight = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
    hidden_bias = torch.tensor([0.5, -1.5])  # no input; both inputs
    out_weight = torch.tensor([1.0, 1.0])  # either of the two
    return hidden_weight, hidden_bias, out_weight, torch.tensor(-0.5)


def _first_only_network() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return hidden_weight (2, 2), hidden_bias (2,), out_weight (2,) and out_bias () of a step network."""
    hidden_weight = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    hidden_bias = torch.tensor([-0.5, -0.5])  # the first input; the second input
    out_weight = torch.tensor([1.0, -1.0])  # the first, and not the second
    return hidden_weight, hidden_bias, out_weight, torch.tensor(-0.5)


def _implies_network() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return hidden_weight (2, 2), hidden_bias (2,), out_weight (2,) and out_bias () of a step network."""
    hidden_weight = torch.tensor([[1.0, 0.0], [0.0, -1.0]])
    hidden_bias = torch.tensor([-0.5, 0.5])  # the first input; not the second input
    out_weight = torch.tensor([1.0, 1.0])  # either of the two
    return hidden_weight, hidden_bias, out_weight, torch.tensor(-0.5)


NETWORKS = {
    "xor": _xor_network,
    "xnor": _xnor_network,
    "x1 and not x2": _first_only_network,
    "x2 implies x1": _implies_network,
}

_OTHER_NETWORKS: dict[str, tuple[Sequence[Sequence[float]], Sequence[float], Sequence[float], float]] = {
    "xor": ([[1, 1], [-1, -1]], [-0.5, 1.5], [1, 1], -1.5),
    "xnor": ([[-1, -1], [1, 1]], [1.5, -0.5], [-1, -1], 1.5),
    "x1 and not x2": ([[1, -1], [1, 0]], [-0.5, -0.5], [1, 1], -1.5),
    "x2 implies x1": ([[1, -1], [1, 0]], [0.5, -0.5], [1, 1], -0.5),
    "or": ([[1, 0], [0, 1]], [-0.5, -0.5], [1, 1], -0.5),
    "and": ([[1, 0], [0, 1]], [-0.5, -0.5], [1, 1], -1.5),
    "nand": ([[1, 0], [0, 1]], [-0.5, -0.5], [-1, -1], 1.5),
    "nor": ([[1, 0], [0, 1]], [-0.5, -0.5], [-1, -1], 0.5),
    "always 0": ([[0, 0], [0, 0]], [-1, -1], [1, 1], -0.5),
    "always 1": ([[0, 0], [0, 0]], [0, 0], [0, 0], 0),
}
"""Hidden weight, hidden bias, output weight and output bias; the columns of the first four are not their rows."""


def network_for(gate: str) -> Callable[[], Network]:
    """Return a 2-2-1 network for any gate: known mistakes are right networks of other gates."""
    return NETWORKS.get(gate) or other_network(gate)


def other_network(gate: str, *, sign: float = 1.0, transposed: bool = False) -> Callable[[], Network]:
    """Return a second network for a gate; with ``sign`` -1 and ``transposed`` one that misreads its form."""

    def network() -> Network:
        w, b, v, c = _OTHER_NETWORKS[gate]
        hidden_weight = rows(*w)
        hidden_weight = hidden_weight.T.contiguous() if transposed else hidden_weight
        return hidden_weight, sign * vector(*b), vector(*v), sign * number(c)

    return network


_RELU_NETWORKS: dict[str, tuple[Sequence[Sequence[float]], Sequence[float], Sequence[float], float]] = {
    "xor": ([[1, 1], [1, 1]], [0, -1], [1, -2], 0),
    "xnor": ([[1, 1], [1, 1]], [0, -1], [-1, 2], 1),
    "x1 and not x2": ([[1, -1], [1, 1]], [0, -2], [1, 1], 0),
    "x2 implies x1": ([[-1, 1], [1, 1]], [0, -2], [-1, -1], 1),
}


def relu_network(gate: str) -> Callable[[], Network]:
    """Return a network that computes a gate if its hidden units are ReLUs and its output has no step."""

    def network() -> Network:
        w, b, v, c = _RELU_NETWORKS[gate]
        return rows(*w), vector(*b), vector(*v), number(c)

    return network


def without_margin(gate: str) -> Callable[[], Network]:
    """Return a network that is right on the corners and sits on the threshold there."""

    def network() -> Network:
        hidden_weight, hidden_bias, out_weight, out_bias = NETWORKS[gate]()
        least = (CORNERS @ hidden_weight.T + hidden_bias).where(CORNERS @ hidden_weight.T + hidden_bias >= 0, torch.inf)
        return hidden_weight, hidden_bias - least.amin(dim=0), out_weight, out_bias

    return network


def scaled_networks(gate: str) -> tuple[Callable[[], Network], Callable[[], Network]]:
    """Return two other right networks: hidden units swapped and scaled, and a larger output sum."""

    def swapped() -> Network:
        w, b, v, c = NETWORKS[gate]()
        return 20 * w.flip(0), 20 * b.flip(0), v.flip(0), c

    def larger() -> Network:
        w, b, v, c = NETWORKS[gate]()
        return w, b, 7 * v, 7 * c

    return swapped, larger


def answers(network: Network, x: Tensor) -> Tensor:
    """Return what a network answers for each row of x."""
    w, b, v, c = (part.to(F64) for part in network)
    hidden = (x.to(F64) @ w.T + b >= 0).to(F64)
    return (hidden @ v + c >= 0).to(F64)
