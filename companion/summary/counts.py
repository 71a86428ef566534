"""What a model consists of and what it costs, each as one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from companion.errors import bad_value
from companion.functional._arguments import require_module
from companion.summary._passes import KeptMemory, flop_counter, require_call, undisturbed


def count_parameters(model: Module) -> int:
    """Count the numbers that a model can learn: all its weights and biases.

    Frozen parameters count, as they are part of the model; a parameter that two layers share counts once;
    buffers, such as the running means of batch normalisation, do not count.

    Args:
        model: Any module.

    Returns:
        The number of single numbers, 0 or more.

    Raises:
        TypeError: If ``model`` is no module.

    >>> from torch.nn import Linear
    >>> count_parameters(Linear(3, 2))
    8
    """
    require_module("count_parameters", "model", model)
    return sum(parameter.numel() for parameter in model.parameters())


def count_flops(model: Callable[..., Any], *inputs: Tensor) -> int:
    r"""Count the multiplications and additions in the matrix products of one forward pass.

    .. math:: \text{FLOPs}\left( (n \times k) (k \times m) \right) = 2 n k m

    Only products count, because nearly all the work lies there: the sums with biases, activations and
    normalisation are left out. Convolutions count as the products that they are, padding included.

    What PyTorch computes in one closed piece cannot be seen and counts 0: on a CPU ``torch.nn.LSTM``,
    ``torch.nn.Bilinear``, and in eval mode ``torch.nn.MultiheadAttention`` and the encoder layers made of it.
    The LSTM and the attention of ``companion.nn`` count in full.

    Args:
        model: A module, of which a copy is run, or any function of tensors.
        inputs: What it is called with; the numbers in it do not matter, the shapes do.

    Returns:
        Floating-point operations, for the whole batch. Half of it are the multiply-adds that other counters
        report.

    Raises:
        TypeError: If ``model`` cannot be called or an input is no tensor.

    >>> from torch.nn import Linear
    >>> count_flops(Linear(3, 2), torch.zeros(5, 3))
    60
    """
    require_call("count_flops", model, inputs)
    with undisturbed(model, inputs) as twin, torch.no_grad(), flop_counter() as counter:
        twin(*inputs)
    return int(counter.get_total_flops())


def saved_bytes(model: Callable[..., Any], *inputs: Tensor) -> int:
    """Measure the memory that a forward pass keeps for the backward pass.

    It grows with the batch and is what training needs beyond the parameters, their gradients and the
    optimizer's state. What was there before the pass is left out: inputs, parameters, buffers, and tensors that
    a function holds. Under ``torch.no_grad`` a forward pass keeps nothing, and the answer is 0.

    Args:
        model: A module, of which a copy is run, or any function of tensors.
        inputs: What it is called with.

    Returns:
        Bytes. Two results that share their memory count once.

    Raises:
        TypeError: If ``model`` cannot be called or an input is no tensor.
        ValueError: If a tensor holds no numbers, as on the device ``meta``.

    >>> saved_bytes(torch.exp, torch.zeros(10, requires_grad=True))
    40
    """
    require_call("saved_bytes", model, inputs)
    keeping = torch.autograd.graph.saved_tensors_hooks
    memory = KeptMemory("saved_bytes", inputs)
    with undisturbed(model, inputs) as twin, memory, keeping(memory.keep, lambda value: value):
        result = twin(*inputs)  # held until all is counted, so that no memory is given away and counted twice
    del result
    return memory.new_bytes()


def gradient_norms(model: Module) -> dict[str, float]:
    r"""Measure how long the gradient of each parameter is after ``loss.backward()``.

    .. math:: \lVert g \rVert = \sqrt{\sum_i g_i^2}

    Read along the layers they show where gradients vanish or explode.

    Args:
        model: A module whose gradients have been computed.

    Returns:
        The length for each parameter's name, in the model's order; parameters without a gradient are left out.

    Raises:
        TypeError: If ``model`` is no module.
        ValueError: If no parameter has a gradient.

    >>> from torch.nn import Linear
    >>> layer = Linear(2, 1)
    >>> layer(torch.tensor([[3.0, 4.0]])).sum().backward()
    >>> gradient_norms(layer)
    {'weight': 5.0, 'bias': 1.0}
    """
    require_module("gradient_norms", "model", model)
    norms = {n: p.grad.norm().item() for n, p in model.named_parameters() if p.grad is not None}
    if not norms:
        hint = "call loss.backward() first"
        raise bad_value("gradient_norms", "model", "parameters with gradients", "none", hint)
    return norms
