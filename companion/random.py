"""Randomness that is named: a seed goes in, a generator comes out and is handed on as an argument."""

from __future__ import annotations

import random as python_random
from collections.abc import Sequence
from numbers import Integral

import numpy as np
import torch

from companion.errors import bad_type, bad_value


def generator(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a new stream of random numbers that starts at ``seed``.

    Two generators with the same seed on the same kind of device give the same numbers, whatever else the
    program draws in between. That is why functions here take ``generator=`` and never seed anything
    themselves.

    Args:
        seed: Whole number from 0 to 2^64 - 1.
        device: Where the numbers are drawn. A generator on the CPU also serves layers on a GPU, which then
            start from the same weights as on the CPU.

    Returns:
        A generator that nobody else draws from.

    Raises:
        TypeError: If ``seed`` is no whole number.
        ValueError: If ``seed`` is out of range.

    >>> torch.equal(torch.rand(3, generator=generator(0)), torch.rand(3, generator=generator(0)))
    True
    """
    _require_seed("generator", seed)
    return torch.Generator(device=device).manual_seed(int(seed))


def seed_everything(seed: int) -> torch.Generator:
    """Seed Python's, NumPy's and PyTorch's global generators, and return a named one as well.

    The global ones are for code that takes no ``generator=``, such as dropout. NumPy accepts 32 bits only and
    gets the seed's last 32.

    Args:
        seed: Whole number from 0 to 2^64 - 1.

    Returns:
        A fresh generator on the CPU with the same seed.

    Raises:
        TypeError: If ``seed`` is no whole number.
        ValueError: If ``seed`` is out of range.

    >>> rng = seed_everything(7)
    >>> rng.initial_seed()
    7
    """
    _require_seed("seed_everything", seed)
    seed = int(seed)
    python_random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    return generator(seed)


def uniform(
    shape: Sequence[int],
    *,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> torch.Tensor:
    """Draw numbers from 0 to below 1, on the generator's device, and hand them over on another.

    Args:
        shape: How many, by axis.
        generator: Where they come from; None takes PyTorch's global generator of ``device``.
        device: Where the result lives.
        dtype: Its float type; None is PyTorch's default.

    Returns:
        A tensor of that shape.

    >>> torch.equal(uniform([2], generator=generator(0)), torch.rand(2, generator=generator(0)))
    True
    """
    drawn = torch.rand(tuple(shape), generator=generator, device=_home(generator, device), dtype=dtype)
    return drawn.to(device)


def normal(
    shape: Sequence[int],
    *,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> torch.Tensor:
    """Draw numbers with mean 0 and variance 1 from the bell curve; arguments as for :func:`uniform`.

    >>> torch.equal(normal([2], generator=generator(0)), torch.randn(2, generator=generator(0)))
    True
    """
    drawn = torch.randn(tuple(shape), generator=generator, device=_home(generator, device), dtype=dtype)
    return drawn.to(device)


def _home(generator: torch.Generator | None, device: torch.device | str | None) -> torch.device | str | None:
    return device if generator is None else generator.device


def _require_seed(where: str, seed: int) -> None:
    if isinstance(seed, bool) or not isinstance(seed, Integral):
        raise bad_type(where, "seed", "a whole number", seed, "0 is as good as any")
    if not 0 <= seed < 2**64:
        raise bad_value(where, "seed", "a whole number from 0 to 2^64 - 1", seed)
