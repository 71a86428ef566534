"""What a model consists of, in numbers."""

from __future__ import annotations

from torch.nn import Module

from companion.errors import bad_type


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
    if not isinstance(model, Module):
        raise bad_type("count_parameters", "model", "a module", model)
    return sum(parameter.numel() for parameter in model.parameters())
