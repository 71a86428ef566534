"""What stood around the line of a learner's code that stopped: the shapes of its names, and names like one that is not there."""

from __future__ import annotations

import contextlib
import difflib
import keyword
import re
from types import FrameType
from typing import Any

import numpy as np
from torch import Tensor

LIMIT = 6
"""So many names are told at most."""


def names_in(line: str, frame: FrameType) -> str:
    """Return the tensors, arrays and lists that a line names, each with its shape, or the length of a list.

    Their dtypes are told where they differ.

    >>> import sys, torch
    >>> x, weight = torch.zeros(3, 2), torch.zeros(2)
    >>> names_in("weight @ x + 1", sys._getframe())
    'weight (2,), x (3, 2)'
    """
    words = dict.fromkeys(re.findall(r"(?<![\w.\"'])[A-Za-z_]\w*", line))
    found = {}
    for word in words:
        value = frame.f_locals.get(word, frame.f_globals.get(word))
        with contextlib.suppress(Exception):  # whatever a learner's names stand for, they cannot stop the check
            if isinstance(value, Tensor | np.ndarray | list):
                found[word] = _size(value), "" if isinstance(value, list) else str(value.dtype).removeprefix("torch.")
    dtypes = {dtype for _, dtype in found.values() if dtype}
    told = [f"{n} {size} {dtype if len(dtypes) > 1 else ''}".rstrip() for n, (size, dtype) in found.items()]
    return ", ".join(told[:LIMIT])


def _size(value: Any) -> str:
    """Return the length of a list, the shape of anything else."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return f"{'' if isinstance(value, Tensor) else 'a numpy array '}{tuple(value.shape)}"


def like(missing: str, frame: FrameType) -> str:
    """Return a name that is there and is written nearly as one that is not, or an empty text.

    >>> import sys
    >>> bias = 0.5
    >>> like("biias", sys._getframe())
    'bias'
    """
    there = [n for n in (*frame.f_locals, *frame.f_globals) if type(n) is str and not n.startswith("_")]
    near = difflib.get_close_matches(missing, [n for n in there if not keyword.iskeyword(n)], 1, 0.7)
    return near[0] if near and len(missing) > 2 else ""
