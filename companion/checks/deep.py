"""Train what a learner makes, a network with its optimizer, and look at how deep it is and whether each of its layers has a say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from companion.checks.reading import fits

#: How far beyond the data a trained network is asked as well: a bend may lie outside of it, or be off at the start.
FAR = 50


def in_a_row(scores: Tensor, x: Tensor) -> int:
    """Return how many weight matrices the longest way from x to the scores passes; 0 where none can be followed."""
    known: dict[Any, tuple[int, bool]] = {}

    def passed(node: Any) -> tuple[int, bool]:
        """Return the matrices on the way from x to a node, -1 if x does not reach it; and whether a matrix feeds it by itself."""
        if node not in known:
            leaf = getattr(node, "variable", None)
            below = [passed(n) for n, _ in node.next_functions if n is not None]
            ways = [n for n, _ in below if n >= 0] + ([0] if leaf is x else [])
            fed = (leaf is not None and leaf is not x and leaf.dim() == 2) or any(f for n, f in below if n < 0)
            known[node] = (max(ways) + fed, False) if ways else (-1, fed)
        return known[node]

    return max(passed(scores.grad_fn)[0], 0) if scores.grad_fn is not None else 0


def nodes(scores: Tensor) -> Iterator[Any]:
    """Yield the operations, and the leaves, that led to the scores."""
    seen, waiting = set(), [scores.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [n for n, _ in node.next_functions]
            yield node


def outside(scores: Tensor, parameters: Sequence[Tensor]) -> int:
    """Return how many matrices that can learn the scores depend on, and that are none of these parameters.

    >>> w, x = torch.ones(2, 2, requires_grad=True), torch.ones(1, 2)
    >>> outside(x @ w, []), outside(x @ w, [w])
    (1, 0)
    """
    leaves = [node.variable for node in nodes(scores) if hasattr(node, "variable")]
    return len({id(leaf) for leaf in leaves if leaf.dim() == 2} - {id(p) for p in parameters})


def chance(network: Any, x: Tensor) -> float:
    """Return how far scores in training differ from call to call, as a part of how far pictures lie apart; 0 without any draw.

    >>> chance(torch.nn.Linear(2, 2), torch.ones(3, 2))
    0.0
    """
    state = torch.get_rng_state()
    kept = [b.clone() for b in network.buffers()]  # such as the means that a batch normalisation keeps
    with torch.no_grad():
        scores, drew = network(x.clone()), not torch.equal(state, torch.get_rng_state())
        again = network(x.clone()) if drew else scores
        for buffer, numbers in zip(network.buffers(), kept):
            buffer.copy_(numbers)
    torch.set_rng_state(state)
    apart = (scores - scores.mean(dim=0)).abs().mean().clamp(min=1e-30)
    return float((scores - again).abs().mean() / apart)


LINEAR = (
    *(
        "AccumulateGrad",
        "Addmm",
        "Mm",
        "Bmm",
        "Dot",
        "Mv",
        "T",
        "Transpose",
        "Permute",
        "View",
        "UnsafeView",
        "Reshape",
    ),
    *(
        "Add",
        "Sub",
        "Neg",
        "Mul",
        "Div",
        "Sum",
        "Mean",
        "Cat",
        "Stack",
        "Slice",
        "Select",
        "Split",
        "Unsqueeze",
        "Squeeze",
    ),
    *("Expand", "Clone", "AsStrided", "ToCopy", "NativeDropout", "Index", "Lerp", "Addcmul", "Baddbmm", "Repeat"),
)
"""What autograd calls operations that bend nothing; a product of two things that depend on the input is not looked for."""


def bends_in_a_row(scores: Tensor, x: Tensor) -> int:
    """Return how many operations that are not linear stand on the longest way from x to the scores.

    >>> x = torch.ones(1, 2, requires_grad=True)
    >>> bends_in_a_row(torch.tanh(torch.relu(2 * x) + x).sum(), x)
    2
    """
    known: dict[Any, int] = {}

    def passed(node: Any) -> int:
        """Return the bends on the way from x to a node, -1 if x does not reach it."""
        if node not in known:
            ways = [passed(n) for n, _ in node.next_functions if n is not None]
            longest = max([*ways, 0 if getattr(node, "variable", None) is x else -1])
            name = node.name().split("Backward")[0].removeprefix("torch::autograd::")
            known[node] = longest if longest < 0 else longest + (name not in LINEAR)
        return known[node]

    return max(passed(scores.grad_fn), 0) if scores.grad_fn is not None else 0


def says(network: Any, x: Tensor) -> Tensor:
    """Return for each table of weights how far the scores move if it is set to 0, as a part of how far pictures lie apart."""
    tables = [p for p in network.parameters() if p.dim() == 2]
    with torch.no_grad():
        scores = network(x.clone())
        apart = (scores - scores.mean(dim=0)).abs().mean().clamp(min=1e-30)
        found = []
        for table in tables:
            kept = table.clone()
            table.zero_()
            found.append((network(x.clone()) - scores).abs().mean() / apart)
            table.copy_(kept)
    return torch.stack(found) if found else torch.zeros(0)


def train_by(make: Callable[[], Any], settings: Mapping[str, Any]) -> dict[str, Tensor]:
    """Train the network of ``make()`` with the optimizer of ``make()`` on cross-entropy; return what there is to be seen.

    Of something that is no network with an optimizer nothing is returned.
    """
    fits(make, ())
    made = make()
    if not issubclass(type(made), tuple | list) or len(made) != 2 or not issubclass(type(made[0]), torch.nn.Module):
        return {}
    network, optimizer = made
    if not all(callable(getattr(optimizer, name, None)) for name in ("step", "zero_grad")):
        return {}
    parameters = list(network.parameters())
    tables = [p for p in parameters if p.dim() == 2]
    probe, held_out = settings["probe"], settings["held_out"]
    entering = probe.clone().requires_grad_()
    network.eval()
    scores = network(entering)
    network.train()
    other = make()
    found = {
        "shared": torch.tensor(other[0] is network),
        "shapes": torch.tensor([list(p.shape) for p in tables], dtype=torch.int64).reshape(-1, 2),
        "start": scores.detach().clone(),
        "in a row": torch.tensor(in_a_row(scores, entering)),
        "bends": torch.tensor(bends_in_a_row(scores, entering)),
        "handed": torch.tensor(_handed(optimizer, parameters)),
        "outside": torch.tensor(outside(scores, [*parameters, entering])),
    }
    if scores.shape != (len(probe), settings["classes"]) or not parameters:
        return found
    found["chance"] = torch.tensor(chance(network, settings["x"][: settings["batch"]]))

    def step(loss: Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    found["loss"] = torch.tensor(losses_of(network, settings, step))
    network.eval()
    with torch.no_grad():
        found["scores"] = network(held_out.clone()).detach().clone()
        found["far"] = network(FAR * probe).detach().clone()
    found["says"] = says(network, held_out[:100])
    return found


def _handed(optimizer: Any, parameters: Sequence[Tensor]) -> float:
    """Return which part of a network's parameters an optimizer holds; all, where it does not say which."""
    groups = getattr(optimizer, "param_groups", None)
    if not groups or not parameters:
        return 1.0
    there = {id(p) for group in groups for p in group["params"]}
    return sum(id(p) in there for p in parameters) / len(parameters)


def losses_of(network: Any, settings: Mapping[str, Any], step: Callable[[Tensor], None]) -> list[float]:
    """Hand the cross-entropy of batches that are drawn to what takes a step; return these losses."""
    x, y = settings["x"], settings["y"]
    picks = torch.Generator().manual_seed(int(settings["seed"]))
    losses = []
    for _ in range(int(settings["steps"])):
        rows = torch.randint(len(x), (int(settings["batch"]),), generator=picks)
        loss = torch.nn.functional.cross_entropy(network(x[rows]), y[rows])
        losses.append(loss.item())
        step(loss)
    return losses
