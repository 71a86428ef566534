"""Where tensors live: one function that chooses, one variable that overrides it."""

from __future__ import annotations

import os

import torch

from companion.errors import bad_value

VARIABLE = "NEURONS_DEVICE"


def pick(name: str | None = None) -> torch.device:
    """Choose the device to compute on: a CUDA GPU, else Apple's GPU (MPS), else the CPU.

    Args:
        name: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``, or None to take the environment variable
            ``NEURONS_DEVICE`` and, where that is unset, the first device that is present.

    Returns:
        A device that is present on this machine.

    Raises:
        ValueError: If the name is unknown or this machine has no such device.

    >>> pick("cpu")
    device(type='cpu')
    """
    argument = "name"
    if name is None and os.environ.get(VARIABLE):
        argument, name = VARIABLE, os.environ[VARIABLE]
    present = _present()
    if name is None:
        return torch.device(present[0])
    known = {*present, *(device.partition(":")[0] for device in present)}
    if name not in known:
        expected = "one of this machine's devices, " + " or ".join(present)
        raise bad_value("pick", argument, expected, repr(name), "pick() takes the fastest that is there")
    return torch.device(name)


def _present() -> list[str]:
    """Name every device of this machine, the preferred one first."""
    names = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if names:
        names.insert(0, "cuda")
    if torch.backends.mps.is_available():
        names.append("mps")
    return [*names, "cpu"]
