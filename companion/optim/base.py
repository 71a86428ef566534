"""What all optimizers share: the walk over parameters, so that each of them only writes its update."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_number

_TOGETHER = 262144  # entries: larger tensors pass the processor's cache one by one, smaller ones share their calls


class Optimizer(torch.optim.Optimizer):
    r"""Walk over the parameters that have a gradient and hand them to ``update``.

    PyTorch's base class keeps the books, as ``torch.nn.Module`` does for layers: parameter groups,
    ``zero_grad``, ``add_param_group``, ``state_dict``. It holds no algorithm, and PyTorch's own schedules and
    gradient scaler accept nothing else.

    An update receives lists of tensors and treats them with ``torch._foreach_*``, one call for all of them
    instead of one for each. On the CPU a list holds small parameters together and large ones alone, on a GPU
    all that share a type.

    Args:
        params: Tensors, pairs of name and tensor, or dictionaries with ``"params"`` and options for them.
        options: The options of groups that do not say otherwise.

    Raises:
        TypeError: If ``params`` is a single tensor.
        ValueError: If there is no parameter.
    """

    def __init__(self, params: Iterable[Any], **options: Any) -> None:
        name = type(self).__name__
        if isinstance(params, Tensor):
            raise bad_type(name, "params", "an iterable of tensors or of groups", params, "put it into a list")
        params = list(params)
        if not params:
            hint = "an iterator such as model.parameters() can be used up only once"
            raise bad_value(name, "params", "one parameter or more", "none", hint)
        super().__init__(params, options)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient.

        Args:
            closure: Clears the gradients, computes the loss, runs it backwards and returns it; None where
                that has been done.

        Returns:
            What the closure returned, or None.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for params in _bundles(p for p in group["params"] if p.grad is not None):
                grads = [self._gradient_of(p) for p in params]
                if group["maximize"]:
                    grads = list(torch._foreach_neg(grads))
                if group["weight_decay"] and not group.get("decoupled_weight_decay"):
                    grads = list(torch._foreach_add(grads, params, alpha=group["weight_decay"]))
                self.update(params, grads, [self.memory_of(p, group) for p in params], group)
        return loss

    @abstractmethod
    def update(self, params: list[Tensor], grads: list[Tensor], states: list[dict], group: dict[str, Any]) -> None:
        """Change parameters and their memories in place.

        Args:
            params: Some parameters.
            grads: The directions in which the loss rises, one for each; L2 decay is in them already. They
                may be the parameters' own ``grad`` and must not be changed.
            states: What is remembered of each parameter.
            group: The options.
        """

    def memory_of(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """Return what is remembered of a parameter: the number of its steps and, at first zeros, the rest."""
        state = self.state[p]
        if not state:
            state["step"] = torch.tensor(0.0)
        for name in self.memories(group):
            if name not in state:
                state[name] = torch.zeros_like(p, memory_format=torch.preserve_format)
        return state

    def memories(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Name what is remembered of each parameter, given a group's options, beside the number of its steps."""
        return ()

    def _gradient_of(self, p: Tensor) -> Tensor:
        assert p.grad is not None
        if p.grad.is_sparse:
            raise bad_value(type(self).__name__, "params", "dense gradients", "a sparse one", "use sparse=False")
        return p.grad


def count_steps(states: list[dict]) -> list[float]:
    """Count one step more for each parameter and return the counts."""
    counters = [state["step"] for state in states]
    torch._foreach_add_(counters, 1)
    return [counter.item() for counter in counters]


def column(states: list[dict], name: str) -> list[Tensor]:
    """Return one memory of each parameter."""
    return [state[name] for state in states]


def require_options(where: str, **options: float) -> None:
    """Refuse options that are no finite number of 0 or more."""
    for name, value in options.items():
        require_number(where, name, value, least=0)


def require_kept_share(where: str, argument: str, value: float) -> None:
    """Refuse what is not in [0, 1): the share of the old that a running mean keeps."""
    require_number(where, argument, value)
    if not 0 <= value < 1:
        raise bad_value(where, argument, "0 or more and below 1", value)


def _bundles(params: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Cut parameters into lists that are updated together: on the CPU large ones alone, else by place and type."""
    together: dict[tuple, list[Tensor]] = {}
    for p in params:
        if p.device.type == "cpu" and p.numel() > _TOGETHER:
            yield [p]
        else:
            together.setdefault((p.device, p.dtype), []).append(p)
    yield from together.values()
