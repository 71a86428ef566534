"""What a trained model says, and how good it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_choice, require_tensor, require_whole
from companion.functional._modes import evaluating
from companion.functional.losses import NAMED
from companion.training.batches import Batch, Placed, batches_in_order, device_of, moved
from companion.training.right import require_one_each, share_right

Metric = Callable[[Tensor, Tensor], Any]
Metrics = str | Sequence[str] | Mapping[str, Metric]

CHUNK = 1024  # rows at once when nothing is learned, so that large sets fit into memory


def predict(model: Callable[[Tensor], Tensor], X: Tensor | Iterable[Any], *, batch_size: int = CHUNK) -> Tensor:
    """Return what a model says to every example.

    Args:
        model: A module, which is put into eval mode meanwhile, or any function from examples to outputs.
        X: The examples, or batches of them; of pairs the first is taken. They go to the model's device.
        batch_size: Examples at a time, 1 or more; it only matters for memory. Batches keep their size.

    Returns:
        The outputs, one for each example, on the model's device.

    Raises:
        TypeError: If X holds no tensors or can be gone through only once, or the model does not return a
            tensor.
        ValueError: If there is no example, or not one output for each.

    >>> predict(lambda x: 2 * x, torch.tensor([[1.0], [2.0]]))
    tensor([[2.],
            [4.]])
    """
    require_whole("predict", "batch_size", batch_size, least=1)
    if isinstance(X, Tensor) and X.ndim == 0:
        raise bad_value("predict", "X", "one example or more", ())
    batches = X.split(batch_size) if isinstance(X, Tensor) and len(X) else X
    if isinstance(batches, Iterator) or not isinstance(batches, Iterable):
        raise bad_type("predict", "X", "a tensor, or batches that can be gone through again", X)
    place = device_of(model)
    outputs = []
    with evaluating(model):
        for batch in batches:
            examples = batch[0] if isinstance(batch, (tuple, list)) else batch
            said = _said("predict", model, moved(examples, place))
            if isinstance(examples, Tensor) and len(said) != len(examples):
                expected = f"{len(examples)} outputs, one for each example"
                raise bad_value("predict", "model", expected, tuple(said.shape))
            outputs.append(said)
    if not outputs:
        raise bad_value("predict", "X", "one example or more", "none")
    return torch.cat(outputs)


def evaluate(
    model: Callable[[Tensor], Tensor],
    X: Tensor | Iterable[Any],
    y: Tensor | None = None,
    *,
    metrics: Metrics,
    batch_size: int = CHUNK,
    over: str = "all",
) -> dict[str, float]:
    r"""Measure a model on examples that it does not learn from.

    .. math:: \text{over all: } m(f(X), y), \qquad
              \text{over batches: } \frac{1}{N} \sum_B |B| \; m(f(X_B), y_B)

    Of a mean over examples (a loss, the accuracy) both give the same, whatever the size of the last batch.
    Other measures (F1, the area under a curve) need all examples at once. Where the outputs are too many to
    be kept, ``over="batches"`` lets go of each batch.

    Args:
        model: A module, which is put into eval mode meanwhile, or any function from examples to outputs.
        X: The examples, or pairs of examples and targets that can be gone through again.
        y: The targets, one for each example; None where X has them.
        metrics: Names, of ``"accuracy"``, ``"mse"``, ``"bce"``, ``"cross_entropy"``; or functions under
            names of your own. They are called f(targets, outputs): the truth first, the order of
            ``companion.metrics`` and scikit-learn, and not that of a loss.
        batch_size: Examples at a time, 1 or more. Batches keep their size.
        over: ``"all"`` or ``"batches"``.

    Returns:
        A number for each name.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If there is no example, shapes do not meet or a metric returns no single number.

    >>> evaluate(lambda x: x - 0.5, torch.tensor([0.0, 1.0, 1.0]), torch.tensor([0, 1, 0]), metrics="accuracy")
    {'accuracy': 0.6666666666666666}
    >>> from companion.metrics import precision_score
    >>> yes = {"precision": lambda y, z: precision_score(y, z >= 0)}
    >>> evaluate(lambda x: x - 0.5, torch.tensor([0.0, 1.0, 1.0]), torch.tensor([0, 1, 0]), metrics=yes)
    {'precision': 0.5}
    """
    require_whole("evaluate", "batch_size", batch_size, least=1)
    require_choice("evaluate", "over", over, ("all", "batches"))
    functions = metric_functions("evaluate", metrics)
    batches = batches_in_order("evaluate", ("X", "y"), X, y, batch_size, device_of(model))
    if over == "all":
        return measure("evaluate", model, batches, {}, functions)
    return measure("evaluate", model, batches, functions, {})


def accuracy(model: Callable[[Tensor], Tensor], X: Tensor, y: Tensor) -> float:
    """Measure the share of examples that a classifier gets right.

    One output for each example is a logit: class 1 where it reaches 0. Several are the logits of the
    classes: the largest wins, the first of equals.

    Args:
        model: A module, which is put into eval mode meanwhile, or any function from examples to logits.
        X: The examples; the first axis counts them.
        y: The class numbers, N of them: 0 and 1, or whole numbers from 0 to C - 1.

    Shape:
        The model's outputs are (N,), (N, 1) or (N, C).

    Returns:
        From 0 to 1; 1 is best.

    Raises:
        TypeError: If X or y is no tensor.
        ValueError: If there is no example, outputs and targets are not N each, an output is nan, or a target
            is the number of no class.

    >>> accuracy(lambda x: x - 0.5, torch.tensor([0.0, 1.0, 1.0]), torch.tensor([0, 1, 0]))
    0.6666666666666666
    """
    require_tensor("accuracy", "X", X)
    require_tensor("accuracy", "y", y)
    if not len(X):
        raise bad_value("accuracy", "X", "one example or more", "none")
    require_one_each(y, len(X))
    batches = batches_in_order("accuracy", ("X", "y"), X, y, CHUNK, device_of(model))
    return measure("accuracy", model, batches, {}, {"accuracy": share_right})["accuracy"]


def measure(
    where: str,
    model: Callable[[Tensor], Tensor],
    batches: Placed,
    means: Mapping[str, Metric],
    wholes: Mapping[str, Metric],
) -> dict[str, float]:
    """Go through batches once; take means over them, and measure the others on everything at the end."""
    sums, count, kept = dict.fromkeys(means, 0.0), 0, list[Batch]()
    with evaluating(model):
        for X, y in batches:
            outputs = _said(where, model, X)
            count += len(y)
            for name, function in means.items():
                sums[name] += _number(where, name, function(outputs, y)) * len(y)
            if wholes:
                kept.append((outputs, y))
        values = {name: total / count for name, total in sums.items()}
        if wholes:
            said, true = (torch.cat(parts) for parts in zip(*kept))
            values |= {name: _number(where, name, function(said, true)) for name, function in wholes.items()}
    return values


def metric_functions(where: str, metrics: Metrics) -> dict[str, Metric]:
    """Return metrics by name, all as functions of outputs and targets; own ones come the other way round."""
    if isinstance(metrics, Mapping):
        for name, function in metrics.items():
            if not callable(function):
                raise bad_type(where, f"metrics[{name!r}]", "a function of targets and outputs", function)
        return {name: _truth_first(function) for name, function in metrics.items()}
    if not isinstance(metrics, (str, list, tuple)):
        raise bad_type(where, "metrics", "names, or functions by name", metrics, "{'mae': l1_loss} gives one a name")
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    known: dict[str, Metric] = {"accuracy": share_right, **NAMED}
    for name in names:
        require_choice(where, "metrics", name, known)
    return {name: known[name] for name in names}


def _truth_first(function: Metric) -> Metric:
    return lambda outputs, targets: function(targets, outputs)


def _said(where: str, model: Callable[[Tensor], Tensor], X: Tensor) -> Tensor:
    outputs = model(X)
    if not isinstance(outputs, Tensor):
        raise bad_type(where, "model", "a tensor as output", outputs, "wrap it in a function that picks one")
    if outputs.ndim == 0:
        raise bad_value(where, "model", "one output for each example", "a single number")
    return outputs


def _number(where: str, name: str, value: Any) -> float:
    if isinstance(value, Tensor) and value.ndim:
        raise bad_value(where, f"metrics[{name!r}]", "a single number", tuple(value.shape), "take the mean")
    return float(value)
