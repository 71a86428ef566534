"""Running a model once to look at it, and leaving it and the random numbers as they were."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.nn import Module
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from companion.errors import bad_type, bad_value

Model = TypeVar("Model", bound=Callable[..., Any])


def require_call(where: str, model: Callable[..., Any], inputs: tuple[Tensor, ...]) -> None:
    """Refuse what cannot be called with tensors."""
    if not callable(model):
        raise bad_type(where, "model", "a module or a function", model)
    for value in inputs:
        if not isinstance(value, Tensor):
            raise bad_type(where, "inputs", "tensors", value)


@contextmanager
def undisturbed(model: Model, inputs: tuple[Tensor, ...]) -> Iterator[Model]:
    """Give a copy of a module to run, and restore the global random numbers afterwards.

    The running numbers of batch normalisation move with each pass, and dropout would take random numbers away
    from whoever draws next. A function is given as it is.
    """
    values, computed = list(inputs), {}
    if isinstance(model, Module):
        values += [*model.parameters(), *model.buffers()]
        parts = [value for part in model.modules() for value in vars(part).values()]
        computed = {id(v): v for v in parts if isinstance(v, Tensor) and not v.is_leaf}  # PyTorch copies leaves only
    chips = {value.get_device() for value in values if value.is_cuda and torch.cuda.is_available()}
    with torch.random.fork_rng(devices=chips):
        yield copy.deepcopy(model, computed) if isinstance(model, Module) else model


def flop_counter() -> FlopCounterMode:
    """Make PyTorch's counter of operations, which knows no product with a vector, one that knows them."""
    aten = torch.ops.aten
    by_size = dict.fromkeys((aten.mv, aten.dot, aten.vdot), _by_first) | {aten.addmv: _by_second}
    return FlopCounterMode(display=False, custom_mapping=by_size)


def _by_first(first: torch.Size, *_: Any, **__: Any) -> int:
    return 2 * first.numel()


def _by_second(_: Any, second: torch.Size, *__: Any, **___: Any) -> int:
    return 2 * second.numel()


class KeptMemory(TorchDispatchMode):
    """Watch a pass and measure what it keeps of the memory that came into being in it.

    An operand that no earlier operation of the pass has made was there before: a parameter, a buffer, an input,
    or what a function holds.
    """

    def __init__(self, where: str, inputs: tuple[Tensor, ...]) -> None:
        super().__init__()
        self._where = where
        self._made: set[int] = set()
        self._kept: dict[int, int] = {}
        self._before = self._memory(inputs)  # held, so that no address is given away and taken for it

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not torch.ops.aten.lift_fresh.default:  # its operand is a constant that the pass has written
            self._before |= {a: s for a, s in self._memory((args, kwargs)).items() if a not in self._made}
        result = func(*args, **(kwargs or {}))
        self._made |= self._memory(result).keys() - self._before.keys()
        return result

    def keep(self, value: Tensor) -> Tensor:
        """Note the memory of a tensor that is kept for the backward pass."""
        self._kept |= {address: storage.nbytes() for address, storage in self._memory(value).items()}
        return value

    def new_bytes(self) -> int:
        """Add up what is kept and was not there before; known after the pass, as a tensor may be kept before it is used."""
        return sum(size for address, size in self._kept.items() if address not in self._before)

    def _memory(self, values: Any) -> dict[int, torch.UntypedStorage]:
        """Find the memory of all tensors in nested lists and dicts, by its address."""
        dense = [v for v in tree_leaves(values) if isinstance(v, Tensor) and v.layout == torch.strided]
        storages = [value.untyped_storage() for value in dense]
        if any(storage.device.type == "meta" for storage in storages):
            hint = "there is no memory to measure; count_flops needs no numbers"
            raise bad_value(self._where, "model and inputs", "tensors that hold numbers", "one that holds none", hint)
        return {storage.data_ptr(): storage for storage in storages}
