"""What all optimizers share: the walk over parameters, so that each of them only writes its update."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_number

_SWITCHES = {"foreach", "fused", "capturable", "differentiable", "decoupled_weight_decay", "maximize"}
_BESIDE_OPTIONS = {"params", "param_names", "name", "initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum"}
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
        TypeError: If ``params`` is a single tensor, a module, or nothing to walk over.
        ValueError: If there is no parameter, one holds whole numbers, or a group has an option that is out of
            range or that this optimizer does not know.
    """

    def __init__(self, params: Iterable[Any], **options: Any) -> None:
        name = type(self).__name__
        if not isinstance(params, Iterable) or isinstance(params, (Tensor, Module)):
            raise bad_type(name, "params", "an iterable of tensors or of groups", params, way_out(params))
        params = list(params)
        if not params:
            hint = "an iterator such as model.parameters() can be used up only once"
            raise bad_value(name, "params", "one parameter or more", "none", hint)
        super().__init__(params, options)

    def require(self, options: dict[str, Any], of: str = "") -> None:
        """Refuse options that are out of range.

        Args:
            options: All options of a group.
            of: Whose they are, for the message: empty, or such as ``" of group 1"``.
        """

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take in further parameters.

        Args:
            param_group: ``"params"`` and options for them; what it leaves out is as the optimizer was made.

        Raises:
            TypeError: If the group is no dictionary, or its parameters are no tensors.
            ValueError: If it lacks ``"params"``, one of them holds whole numbers, or an option is unknown or
                out of range.
        """
        self._require_group(param_group, f"group {len(self.param_groups)}")
        super().add_param_group(param_group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from where an optimizer of this kind was saved, ours or PyTorch's.

        Args:
            state_dict: What ``state_dict()`` returned; options that this optimizer does not know are kept.

        Raises:
            TypeError: If it is no dictionary.
            ValueError: If it comes from another kind of optimizer or other parameters; nothing is loaded then.
        """
        name = type(self).__name__
        if not isinstance(state_dict, dict):
            raise bad_type(name, "state_dict", "what state_dict() returned", state_dict)
        missing = sorted({"state", "param_groups"} - set(state_dict))
        if missing:
            raise bad_value(name, "state_dict", f"one of {name}", f"one without {', '.join(missing)}")
        super().load_state_dict(state_dict)

    def __setstate__(self, state: dict[str, Any]) -> None:
        if hasattr(self, "param_groups"):  # a state is being loaded; else a pickle is being opened
            self._require_fitting(state)
        super().__setstate__(state)
        for group in self.param_groups:
            for key in _SWITCHES & set(self.defaults):  # an older PyTorch did not write all of them
                group.setdefault(key, self.defaults[key])

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

    def _require_group(self, group: dict[str, Any], which: str) -> None:
        """Refuse a group that lacks parameters, or has such as cannot learn, or options that do not fit."""
        name = type(self).__name__
        if not isinstance(group, dict):
            raise bad_type(name, which, "a dictionary with 'params'", group)
        if "params" not in group:
            raise bad_value(name, which, "a dictionary with 'params'", f"one with {', '.join(map(str, group))}")
        params = group["params"]
        if not isinstance(params, Iterable) or isinstance(params, Module):
            raise bad_type(name, f"params of {which}", "tensors", params, way_out(params))
        unknown = [str(key) for key in group if key not in self.defaults and key not in _BESIDE_OPTIONS]
        if unknown:
            known = ", ".join(key for key in self.defaults if key not in _SWITCHES or key == "maximize")
            raise bad_value(name, f"options of {which}", f"some of {known}", ", ".join(unknown))
        self.require({**self.defaults, **group}, f" of {which}")
        if not isinstance(params, (Tensor, set)):  # PyTorch refuses sets itself: they have no order
            group["params"] = params = list(params)
        for p in [params] if isinstance(params, Tensor) else params:
            p = p[1] if isinstance(p, tuple) and len(p) == 2 else p  # name and tensor
            if isinstance(p, Tensor) and not (p.is_floating_point() or p.is_complex()):
                raise bad_value(name, f"params of {which}", "float tensors", p.dtype, "whole numbers have no gradient")

    def _require_fitting(self, state: dict[str, Any]) -> None:
        """Refuse the state of another kind of optimizer, or one of tensors with other shapes."""
        name, hint = type(self).__name__, "nothing was loaded"
        for group in state["param_groups"]:
            missing = sorted(set(self.defaults) - _SWITCHES - set(group))
            if missing:
                raise bad_value(name, "state_dict", f"one of {name}", f"one without {', '.join(missing)}", hint)
            for i, p in enumerate(group["params"]):
                memory = state["state"].get(p, {})
                for key in self.memories(group):
                    if isinstance(memory.get(key), Tensor) and memory[key].shape != p.shape:
                        expected = f"{key} of parameter {i} in shape {tuple(p.shape)}"
                        raise bad_value(name, "state_dict", expected, tuple(memory[key].shape), hint)

    def _gradient_of(self, p: Tensor) -> Tensor:
        assert p.grad is not None
        if p.grad.is_sparse:
            raise sparse(type(self).__name__, "params")
        return p.grad


def count_steps(states: list[dict]) -> list[float]:
    """Count one step more for each parameter and return the counts."""
    counters = [state["step"] for state in states]
    torch._foreach_add_(counters, 1)
    return [counter.item() for counter in counters]


def column(states: list[dict], name: str) -> list[Tensor]:
    """Return one memory of each parameter."""
    return [state[name] for state in states]


def require_options(where: str, of: str, options: dict[str, Any], *names: str) -> None:
    """Refuse options that are no finite number of 0 or more."""
    for name in names:
        require_number(where, name + of, options[name], least=0)


def sparse(where: str, argument: str) -> ValueError:
    """Return what refuses a sparse gradient."""
    return bad_value(where, argument, "dense gradients", "a sparse one", "use sparse=False")


def require_kept_share(where: str, argument: str, value: float) -> None:
    """Refuse what is not in [0, 1): the share of the old that a running mean keeps."""
    require_number(where, argument, value)
    if not 0 <= value < 1:
        raise bad_value(where, argument, "0 or more and below 1", value)


def way_out(params: Any) -> str:
    """Return what to hand in instead of what are no parameters."""
    if isinstance(params, Tensor):
        return "put it into a list"
    return "model.parameters() gives those of a module" if isinstance(params, Module) else ""


def _bundles(params: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Cut parameters into lists that are updated together: on the CPU large ones alone, else by place and type."""
    together: dict[tuple, list[Tensor]] = {}
    for p in params:
        if p.device.type == "cpu" and p.numel() > _TOGETHER:
            yield [p]
        else:
            together.setdefault((p.device, p.dtype), []).append(p)
    yield from together.values()
