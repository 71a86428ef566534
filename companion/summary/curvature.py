"""How a loss is bent around where its parameters are: products with its Hessian, and the largest eigenvalue."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor
from torch.nn import Module

from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_float, require_number, require_shape, require_tensor, require_whole
from companion.random import generator as seeded

Product = Callable[[Tensor], Tensor]


def hessian_vector(
    loss: Tensor, parameters: Tensor | Iterable[Tensor], vectors: Tensor | Iterable[Tensor]
) -> list[Tensor]:
    r"""Multiply the Hessian of a loss by a vector, without ever writing the Hessian down.

    .. math:: H v = \nabla_w \left( \nabla_w L \cdot v \right)

    The gradient is differentiated once more, along the vector. That takes about as long as two
    gradients, whatever the number of parameters, whose square is the number of the Hessian's entries.

    Args:
        loss: A single number with its graph, which can be used again afterwards.
        parameters: By which the loss is differentiated, twice; those that it does not depend on get zeros.
        vectors: One for each parameter, of the same shape; together they are v.

    Returns:
        The parts of the product, one for each parameter, without a graph.

    Raises:
        TypeError: If something is no tensor.
        ValueError: If the loss is no finite number with a graph that leads to a parameter, or shapes differ.

    Source:
        Pearlmutter (1994), Fast exact multiplication by the Hessian.

    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> hessian_vector(w[0] ** 2 * w[1], [w], [torch.tensor([1.0, 0.0])])
    [tensor([4., 2.])]
    """
    weights = _listed("hessian_vector", "parameters", parameters)
    parts = _listed("hessian_vector", "vectors", vectors)
    if len(parts) != len(weights):
        raise bad_value("hessian_vector", "vectors", f"{len(weights)}, one for each parameter", len(parts))
    for weight, part in zip(weights, parts, strict=True):
        require_shape("hessian_vector", "vectors", part, weight.shape)
    return _along(_slopes("hessian_vector", loss, weights), weights, parts)


def sharpness(
    loss: Tensor,
    parameters: Tensor | Iterable[Tensor],
    *,
    tol: float = 1e-4,
    max_steps: int = 10_000,
    generator: torch.Generator | None = None,
) -> float:
    r"""Find the largest eigenvalue of the Hessian of a loss, with its sign, by power iteration.

    .. math:: \lambda_\text{max} = \max_{\lVert v \rVert = 1} v \cdot H v

    A vector that is multiplied by H over and over turns towards the eigenvalue of the largest absolute value. If
    that one is negative, at -s, the same is done with H + sI, whose eigenvalues all are 0 or more, and s is
    subtracted. Gradient descent with a learning rate above 2 / λmax moves away along that eigenvector.

    Args:
        loss: A single number with its graph, which is gone through once in each step and can be used afterwards.
        parameters: By which the loss is differentiated, twice.
        tol: How far the direction may still turn in two steps, above 0 and below 1. The result is about as
            accurate, as a share of the largest absolute eigenvalue. In float32 1e-5 is about the least.
        max_steps: Products with the Hessian that may be spent, and as many once more after a shift.
        generator: Draws the first direction. Without one it is the same each time, and no random numbers of
            anybody else are used.

    Returns:
        λmax: above 0 where the loss bends upwards in some direction, below 0 at the top of a hill.

    Raises:
        TypeError: If something is no tensor or no number.
        ValueError: If the loss is no finite number with a graph that leads to a parameter, its second
            derivatives are not finite, an option is out of range, or the direction does not settle.

    Source:
        von Mises and Pollaczek-Geiringer (1929), Praktische Verfahren der Gleichungsauflösung.

    >>> w = torch.ones(2, requires_grad=True)
    >>> round(sharpness(w[0] ** 2 - 3 * w[1] ** 2, [w]), 3)
    2.0
    """
    require_number("sharpness", "tol", tol, positive=True)
    if tol >= 1:
        raise bad_value("sharpness", "tol", "a number above 0 and below 1", tol)
    require_whole("sharpness", "max_steps", max_steps, least=1)
    weights = _listed("sharpness", "parameters", parameters)
    slopes = _slopes("sharpness", loss, weights)
    sizes = [weight.numel() for weight in weights]

    def product(v: Tensor) -> Tensor:
        parts = [part.view_as(w) for part, w in zip(v.split(sizes), weights, strict=True)]
        return torch.cat([part.flatten() for part in _along(slopes, weights, parts)])

    draws = seeded(0) if generator is None else generator

    def direction() -> Tensor:
        v = torch.randn(sum(sizes), generator=draws, device=draws.device).to(weights[0])
        return v / torch.linalg.vector_norm(v)

    value, size = _power_iteration(product, direction(), 0.0, tol, max_steps)
    if value < (1 - tol) * size:  # negative, or between two of equal size and opposite sign
        value, _ = _power_iteration(product, direction(), size, tol, max_steps)
    return value


def _power_iteration(product: Product, v: Tensor, shift: float, tol: float, max_steps: int) -> tuple[float, float]:
    """Multiply a direction by H + shift I until it settles; return its eigenvalue of H and the length of the last product.

    It has settled when it is back after two steps: with a negative eigenvalue it changes sides in each.
    """
    before = torch.zeros_like(v)
    for _ in range(max_steps):
        bent = product(v)
        value, turned = float(v @ bent), bent + shift * v
        size = float(torch.linalg.vector_norm(turned))
        if not size < float("inf"):
            hint = "at a kink or an edge, as of sqrt at 0, there are none"
            raise bad_value("sharpness", "loss", "finite second derivatives", size, hint)
        if size == 0:
            return value, size
        before, v, last = v, turned / size, before
        if float(torch.linalg.vector_norm(v - last)) * size <= tol * max(size, shift):
            return value, size
    expected = f"steps enough for the direction to settle within {tol}"
    coarse = v.dtype in (torch.bfloat16, torch.float16)
    hint = "in 16 bits take tol=1e-2, or float32" if coarse else "allow more steps, or a larger tol"
    raise bad_value("sharpness", "max_steps", expected, max_steps, hint)


def _listed(where: str, argument: str, values: Tensor | Iterable[Tensor]) -> list[Tensor]:
    if isinstance(values, Module | Mapping):
        hint = "pass model.parameters()" if isinstance(values, Module) else "pass its values"
        raise bad_type(where, argument, "tensors, one for each part", values, hint)
    values = [values] if isinstance(values, Tensor) else list(values)
    if not values:
        raise bad_value(where, argument, "at least one tensor", "none")
    for value in values:
        if isinstance(value, tuple):
            raise bad_type(where, argument, "tensors", value, "pass model.parameters(), not named_parameters()")
        require_tensor(where, argument, value)
    if argument == "parameters" and len({id(value) for value in values}) < len(values):
        raise bad_value(where, argument, "each parameter once", "one that is listed twice")
    return values


def _slopes(where: str, loss: Tensor, weights: list[Tensor]) -> list[Tensor]:
    """Differentiate a loss by its parameters once, with the graph that the second time needs."""
    require_float(where, "loss", loss)
    if loss.numel() != 1:
        raise bad_value(where, "loss", "a single number", f"shape {tuple(loss.shape)}", "loss.mean() makes one")
    if not loss.requires_grad:
        raise bad_value(where, "loss", "a number with its graph", "one without", "compute it outside of torch.no_grad")
    if not torch.isfinite(loss):
        raise bad_value(where, "loss", "a finite number", loss.item())
    for place, weight in enumerate(weights):
        if not weight.requires_grad:
            got = f"parameters[{place}] of shape {tuple(weight.shape)}, which does not"
            raise bad_value(
                where, "parameters", "tensors that require gradients", got, "leave those out that are frozen"
            )
    try:
        slopes = torch.autograd.grad(loss, weights, create_graph=True, allow_unused=True)
    except RuntimeError as error:
        if "second time" not in str(error):
            raise
        hint = "compute it anew, or call loss.backward(retain_graph=True)"
        raise bad_value(where, "loss", "a number with its graph", "one whose graph is freed", hint) from None
    if all(slope is None for slope in slopes):
        raise bad_value(where, "parameters", "at least one that the loss depends on", "none")
    return [torch.zeros_like(w) if s is None else s for s, w in zip(slopes, weights, strict=True)]


def _along(slopes: list[Tensor], weights: list[Tensor], parts: list[Tensor]) -> list[Tensor]:
    """Differentiate the slopes once more, along a vector; a slope without a graph is the same everywhere."""
    bent = [(slope, part) for slope, part in zip(slopes, parts, strict=True) if slope.requires_grad]
    if not bent:
        return [torch.zeros_like(weight) for weight in weights]
    outputs, along = zip(*bent, strict=True)
    try:
        bends = torch.autograd.grad(outputs, weights, along, retain_graph=True, materialize_grads=True)
        return [part.detach() for part in bends]  # PyTorch 2.8 makes its zeros with a graph
    except RuntimeError as error:
        if not re.search("not implemented|double backward", str(error)):
            raise
        hint = "no torch.compile; run attention inside torch.nn.attention.sdpa_kernel(SDPBackend.MATH)"
        raise bad_value("hessian_vector", "loss", "operations with second derivatives", str(error)[:90], hint) from None
