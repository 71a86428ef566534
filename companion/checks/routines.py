"""What a script can ask of the driver itself, as ``@name``: to make, feed, read and train what learners' objects need.

Each takes plain data and kept objects and returns something that can be read or kept. None knows an expected answer.
"""

from __future__ import annotations

import contextlib
import dis
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

import torch
from torch import Tensor

from companion.checks.counted import Product, Rounds, Slopes
from companion.checks.deep import FAR, in_a_row, losses_of, train_by
from companion.checks.loops import LOOPS
from companion.checks.modules import drawn, fill, shapes, slopes_by_parameters
from companion.checks.reading import fits
from companion.checks.resamples import resamples
from companion.checks.resumed import resumed
from companion.checks.splits import splits
from companion.checks.tables import searches

Routine = Callable[..., Any]


def parameter(values: Tensor) -> Tensor:
    """Return a leaf that records gradients, to hand to a learner's optimizer."""
    return values.clone().requires_grad_()


def leaves(values: Sequence[Tensor]) -> list[Tensor]:
    """Return leaves that record gradients, as a network's parameters do."""
    return [parameter(v) for v in values]


def write(leaves: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    """Write numbers into leaves, as the steps of a training do."""
    with torch.no_grad():
        for leaf, new in zip(leaves, values):
            leaf.copy_(new)


def gradient(leaf: Tensor, values: Tensor | None) -> None:
    """Put a gradient where an optimizer finds it, or take it away."""
    leaf.grad = None if values is None else values.clone()


def value(leaf: Tensor) -> Tensor:
    """Return a parameter's numbers as they are now."""
    return leaf.detach().clone()


def attribute(thing: Any, name: str) -> Any:
    """Return an attribute of a learner's object."""
    return getattr(thing, name)


def recorded(thing: Any, names: Sequence[str]) -> Tensor:
    """Return whether any of some tensors of a learner's object carries a record of how it was computed."""
    return torch.tensor(any(getattr(getattr(thing, name, None), "grad_fn", None) is not None for name in names))


PASSED, REFUSED, ACCIDENT, OTHERWISE = 0, 1, 2, 3
"""What became of a call that is to be refused: something came back, a RuntimeError, an error that Python finds by itself, or another one."""


def refuses(thing: Any, method: str, *given: Any) -> Tensor:
    """Return whether a method of a learner's object refuses to be called, and how."""
    try:
        getattr(thing, method)(*given)
    except RuntimeError:
        return torch.tensor(REFUSED)
    except (AttributeError, TypeError, NameError, LookupError):
        return torch.tensor(ACCIDENT)
    except Exception:  # whatever a learner's code raises
        return torch.tensor(OTHERWISE)
    return torch.tensor(PASSED)


def identical(one: Any, other: Any) -> Tensor:
    """Return whether two kept things are the same object; -1 where the first is nothing."""
    return torch.tensor(-1 if one is None else int(one is other))


def state(thing: Any) -> dict[str, Tensor]:
    """Return the tensors of a learner's ``state_dict()``, whose names become part of the trace."""
    return {name: t.detach().clone() for name, t in thing.state_dict().items() if isinstance(t, Tensor)}


def load(to: Any, of: Any) -> None:
    """Load one object's state into another of the same class."""
    to.load_state_dict(of.state_dict())


def listed(things: Any, numbers: bool = False) -> Any:
    """Return the tensors of a list, or of lists in a list, by their numbers from 1 on; anything else as it is.

    Args:
        things: what came back.
        numbers: whether plain numbers count as tensors without axes.

    >>> listed([torch.zeros(2), [torch.ones(1)]])
    {'1': tensor([0., 0.]), '2.1': tensor([1.])}
    >>> listed((2.5, [torch.ones(1)]), True)
    {'1': tensor(2.5000, dtype=torch.float64), '2.1': tensor([1.])}
    """
    if not issubclass(type(things), list | tuple):
        return things
    found: dict[str, Tensor] = {}
    for number, thing in enumerate(things, 1):
        if issubclass(type(thing), Tensor):
            found[str(number)] = thing.detach().clone()
        elif issubclass(type(thing), list | tuple):
            found |= {f"{number}.{below}": t for below, t in listed(thing, numbers).items()}
        elif numbers and issubclass(type(thing), int | float):
            found[str(number)] = torch.tensor(thing, dtype=torch.float64)
    return found


def held(model: Any) -> Tensor:
    """Return how many parameters a network needs to answer, and how many other numbers.

    Counted is what its modules keep, also in lists, and what the functions written for it read from outside.
    """
    if not issubclass(type(model), torch.nn.Module):
        raise TypeError("return the trained network, a torch.nn.Module")
    found = {id(t): t for t in _reached(model, set())}.values()
    learned = sum(t.numel() for t in found if issubclass(type(t), torch.nn.Parameter))
    return torch.tensor([learned, sum(t.numel() for t in found) - learned])


def predictor(thing: Any) -> None:
    """Refuse what cannot be asked: a learner's function is to return a network or another function."""
    if not callable(thing):
        what = "nothing" if thing is None else f"a {type(thing).__name__}"
        raise TypeError(f"return a network or a function that can be asked about new rows, and not {what}")


def _reached(thing: Any, seen: set[int]) -> Iterator[Tensor]:
    """Yield the tensors in a module, a container or the surroundings of a function, of libraries nothing but what is kept."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if issubclass(type(thing), Tensor):
        yield thing
        return
    parts: Iterable[Any] = ()
    if issubclass(type(thing), torch.nn.Module):
        parts = [vars(thing), *(vars(type(thing)).values() if _own(type(thing)) else ())]
    elif issubclass(type(thing), dict):
        parts = list(thing.values())
    elif issubclass(type(thing), list | tuple | set):
        parts = thing
    elif isinstance(thing, FunctionType) and _own(thing):
        parts = _read_by(thing)
    elif isinstance(thing, MethodType):
        parts = [thing.__self__, thing.__func__]
    elif isinstance(thing, partial):
        parts = [thing.func, thing.args, thing.keywords]
    for part in parts:
        yield from _reached(part, seen)


def _own(thing: Any) -> bool:
    return str(thing.__module__).split(".")[0] != "torch"


def _read_by(function: FunctionType) -> list[Any]:
    """Return the values that a function takes from outside: from around it, from its module, and as defaults."""
    cells: list[Any] = []
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # a variable that was never given a value
            cells.append(cell.cell_contents)
    codes, names = [function.__code__], set[str]()
    while codes:
        code = codes.pop()
        names |= {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
        codes += [c for c in code.co_consts if isinstance(c, CodeType)]
    shared = [function.__globals__[n] for n in names if n in function.__globals__]
    return [*cells, *shared, function.__defaults__, function.__kwdefaults__]


def size(model: Any, x: Tensor) -> Tensor:
    """Return how many numbers a model learns and how many FLOPs one pass takes."""
    from companion.summary import count_flops, count_parameters

    return torch.tensor([count_parameters(model), count_flops(model, x)])


class Limited:
    """Batches of a data set, shuffled, as many as the budget allows; counts how many were taken."""

    def __init__(self, X: Tensor, y: Tensor, batch_size: int, budget: int, seed: int = 0) -> None:
        self.data, self.batch_size, self.budget, self.taken = (X, y), batch_size, budget, 0
        self._order = torch.Generator().manual_seed(seed)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        X, y = self.data
        rows = torch.randperm(len(X), generator=self._order)
        for part in rows.split(self.batch_size):
            if self.taken == self.budget:
                return
            self.taken += 1
            yield X[part], y[part]

    def __len__(self) -> int:
        return -(-len(self.data[0]) // self.batch_size)


def taken(batches: Limited) -> Tensor:
    """Return how many steps of its budget a learner's training took."""
    return torch.tensor(batches.taken)


def train(make: Routine, settings: Mapping[str, Any]) -> dict[str, Tensor]:
    """Train what ``make()`` returns by plain gradient descent on cross-entropy; return its scores for held-out rows."""
    fits(make, ())
    network = make()
    if not issubclass(type(network), torch.nn.Module):
        return {}
    parameters = [p for p in network.parameters() if p.requires_grad]
    matrices = [p for p in parameters if p.dim() == 2]
    found = {
        "shared": torch.tensor(make() is network),
        "shapes": torch.tensor([list(p.shape) for p in matrices], dtype=torch.int64).reshape(-1, 2),
        "twins": torch.tensor([float(len(p) > 1 and bool((p == p[0]).all())) for p in matrices]),
    }
    probe, held_out = settings["probe"], settings["held_out"]
    entering = probe.clone().requires_grad_()
    scores = network(entering)
    found["start"] = scores.detach().clone()
    found["in a row"] = torch.tensor(in_a_row(scores, entering))
    if found["start"].shape != (len(probe), settings["classes"]) or not parameters:
        return found
    found["loss"] = torch.tensor(_descend(network, parameters, settings))
    network.eval()
    with torch.no_grad():
        found["scores"] = network(held_out.clone()).detach().clone()
        found["far"] = network(FAR * probe).detach().clone()
    return found


def _descend(network: Any, parameters: Sequence[Tensor], settings: Mapping[str, Any]) -> list[float]:
    """Take the steps of plain gradient descent; return the loss of each."""

    def step(loss: Tensor) -> None:
        grads = torch.autograd.grad(loss, parameters, allow_unused=True)
        with torch.no_grad():
            for p, grad in zip(parameters, grads):
                if grad is not None:
                    p -= settings["lr"] * grad

    return losses_of(network, settings, step)


def figure(drawn: Any) -> dict[str, Any]:
    """Return what can be read off a matplotlib figure or axes: texts as facts, lines as tensors."""
    axes = drawn if hasattr(drawn, "get_xlabel") else (getattr(drawn, "axes", None) or [None])[0]
    if axes is None:
        raise TypeError("return the axes, or the figure, that you drew on")
    found: dict[str, Any] = {
        "x label": axes.get_xlabel(),
        "y label": axes.get_ylabel(),
        "title": axes.get_title(),
        "x scale": axes.get_xscale(),
        "y scale": axes.get_yscale(),
        "legend": " | ".join(t.get_text() for t in axes.get_legend().get_texts()) if axes.get_legend() else "",
        "lines": torch.tensor(len(axes.lines)),
    }
    for i, line in enumerate(axes.lines):
        found[f"line {i}"] = torch.as_tensor(line.get_xydata())
    return found


def generator(seed: int) -> torch.Generator:
    """Return a generator to hand to a learner's function."""
    return torch.Generator().manual_seed(seed)


def orders(batches: Routine, n: int, size: int, generator: torch.Generator, times: int) -> Tensor:
    """Return in which order the rows stand in the batches of so many epochs, a line for each; -1 where they are not n.

    >>> orders(lambda n, size, g: [torch.arange(n)], 3, 3, torch.Generator(), 2)
    tensor([[0, 1, 2],
            [0, 1, 2]])
    """
    fits(batches, (n, size, generator))
    found: list[list[int]] = []
    while len(found) < times and (not found or found[-1][0] >= 0):  # after rows that are not n no more is learned
        made = batches(n, size, generator)
        parts = list(listed(made).values()) if issubclass(type(made), list | tuple) else []
        rows = [row for t in parts if t.device.type == "cpu" for row in t.flatten().tolist()]
        found.append(rows if len(rows) == n and all(type(row) is int for row in rows) else [-1] * n)
    return torch.tensor(found)


def asked(thing: Product | Slopes | Rounds) -> dict[str, Tensor]:
    """Return what something that was handed out has been asked for."""
    return thing.asked()


def formula(text: str, shape: Sequence[int] | None = None) -> Routine:
    """Return the function of one tensor ``x`` that an exercise writes down, to be handed to a learner's function.

    With a shape of one axis or more it raises a ``ValueError`` for a tensor of any other one.

    >>> formula("(x ** 2).sum()")(torch.tensor([1.0, 2.0]))
    tensor(5.)
    """
    code = compile(text, "<the function of the exercise>", "eval")

    def f(x: Tensor) -> Any:
        if shape and tuple(x.shape) != tuple(shape):
            raise ValueError(f"f got a tensor of shape {tuple(x.shape)}, x has {tuple(shape)}")
        return eval(code, {"torch": torch, "x": x})

    return f


NEEDS = {"size": "companion.summary", "searches": "companion.experiments.search"}
"""What a routine imports: done before the learner's time begins."""
ROUTINES: dict[str, Routine] = {
    r.__name__.lower(): r
    for r in (
        parameter,
        leaves,
        write,
        gradient,
        value,
        attribute,
        recorded,
        refuses,
        identical,
        state,
        load,
        listed,
        shapes,
        drawn,
        fill,
        slopes_by_parameters,
        held,
        predictor,
        size,
        taken,
        train,
        train_by,
        figure,
        formula,
        generator,
        orders,
        asked,
        splits,
        resamples,
        resumed,
        searches,
        *LOOPS,
    )
} | {"batches": Limited, "product": Product, "slopes": Slopes, "rounds": Rounds}
"""The routines by the name that a script uses, without the ``@``."""
