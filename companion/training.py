"""The training loop that every chapter uses, and the accuracy of what comes out of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import Module

from companion import functional as F
from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_number, require_tensor, require_whole

LossFunction = Callable[[Tensor, Tensor], Tensor]

_CHUNK = 1024  # rows at once when nothing is learned, so that large sets fit into memory


@dataclass
class History:
    """How the loss went, one number an epoch.

    Attributes:
        loss: Mean over the training rows, each counted once, while the model was changing.
        val_loss: Mean over the validation rows after each epoch; empty where there are none.
    """

    loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)


def fit(
    model: Module,
    X: Tensor,
    y: Tensor,
    *,
    loss: str | LossFunction,
    epochs: int = 100,
    lr: float = 0.01,
    batch_size: int = 32,
    optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
    generator: torch.Generator | None = None,
    validation: tuple[Tensor, Tensor] | None = None,
) -> History:
    r"""Train a model: shuffle, cut into batches, and take one optimizer step for each batch.

    .. math:: \theta \leftarrow \theta - \text{step} \left( \nabla_\theta \, \frac{1}{|B|}
              \sum_{i \in B} \ell(f_\theta(x_i), y_i) \right) \quad \text{for each batch } B

    The data stays in memory and is indexed by a permutation, which is quicker than a ``DataLoader``.

    Args:
        model: What to train, on the device of X; its parameters are changed.
        X: The examples; the first axis counts them.
        y: The targets, one for each example. For ``"mse"`` and ``"bce"`` they need the very shape of the
            model's outputs; for ``"cross_entropy"`` they are class numbers of shape (N,) beside outputs of
            shape (N, C).
        loss: ``"mse"``, ``"bce"`` (outputs are logits, targets 0 to 1), ``"cross_entropy"`` (outputs are
            logits), or a function of outputs and targets that returns the mean over the batch as a single
            number.
        epochs: How often to go through all examples, 0 or more.
        lr: The optimizer's learning rate, above 0.
        batch_size: Examples for each step, 1 or more. The last batch of an epoch may be shorter; the
            recorded loss counts it by its size.
        optimizer: What makes an optimizer from parameters and ``lr=``.
        generator: A CPU generator for the shuffling; None takes PyTorch's global one.
        validation: Further examples and targets to measure the loss on after each epoch; never trained on.

    Returns:
        The loss by epoch. The model is left in eval mode.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If shapes do not meet or a number is out of range.
        FloatingPointError: If the loss of a batch is nan or infinite; the model keeps the weights that led
            there.

    Source:
        Robbins and Monro (1951), A stochastic approximation method.

    >>> line = torch.nn.Linear(1, 1)
    >>> X = torch.tensor([[0.0], [1.0], [2.0]])
    >>> history = fit(line, X, 2 * X + 1, loss="mse", epochs=200, lr=0.1)
    >>> [round(p.item(), 2) for p in line.parameters()]
    [2.0, 1.0]
    """
    loss_of = _loss_function(loss)
    require_whole("fit", "epochs", epochs, least=0)
    require_whole("fit", "batch_size", batch_size, least=1)
    require_number("fit", "lr", lr, positive=True)
    _require_pair("X", X, "y", y, loss)
    if validation is not None:
        _require_pair("validation[0]", validation[0], "validation[1]", validation[1], loss)
    stepper = _make_optimizer(optimizer, model, lr)
    history = History()
    step = 0
    try:
        for epoch in range(epochs):
            model.train()
            total = 0.0
            order = torch.randperm(len(X), generator=generator).to(X.device)
            for rows in order.split(batch_size):
                stepper.zero_grad()
                batch_loss = loss_of(model(X[rows]), y[rows])
                value = batch_loss.item()
                if not math.isfinite(value):
                    raise _not_finite(value, step, epoch, lr)
                batch_loss.backward()
                stepper.step()
                total += value * len(rows)
                step += 1
            history.loss.append(total / len(X))
            if validation is not None:
                history.val_loss.append(_loss_on(model, *validation, loss_of))
    finally:
        model.eval()
    return history


def accuracy(model: Callable[[Tensor], Tensor], X: Tensor, y: Tensor) -> float:
    """Measure the share of examples that a classifier gets right.

    One output for each example is a logit: class 1 where it reaches 0. Several are the logits of the
    classes: the largest wins, the first of equals.

    Args:
        model: A module, which is put into eval mode meanwhile, or any function from examples to logits.
        X: The examples; the first axis counts them.
        y: The class numbers, N of them.

    Shape:
        The model's outputs are (N,), (N, 1) or (N, C).

    Returns:
        From 0 to 1; 1 is best.

    Raises:
        TypeError: If X or y is no tensor.
        ValueError: If there is no example, or outputs and targets are not N each.

    >>> accuracy(lambda x: x - 0.5, torch.tensor([0.0, 1.0, 1.0]), torch.tensor([0, 1, 0]))
    0.6666666666666666
    """
    require_tensor("accuracy", "X", X)
    require_tensor("accuracy", "y", y)
    if not len(X):
        raise bad_value("accuracy", "X", "one example or more", "none")
    if y.numel() != len(X) or len(y) != len(X):
        hint = "y.argmax(dim=1) turns rows of 0 and 1 into class numbers"
        raise bad_value("accuracy", "y", f"{len(X)} class numbers", f"shape {tuple(y.shape)}", hint)
    outputs = _outputs(model, X)
    if len(outputs) != len(X) or outputs.ndim not in (1, 2):
        expected = f"outputs of shape ({len(X)},), ({len(X)}, 1) or ({len(X)}, C)"
        raise bad_value("accuracy", "model", expected, tuple(outputs.shape))
    if outputs.ndim == 2 and outputs.shape[1] > 1:
        said = outputs.argmax(dim=1)  # (N, C) -> (N,)
    else:
        said = (outputs >= 0).reshape(len(X))  # (N, 1) or (N,) -> (N,)
    return (said == y.reshape(len(X))).double().mean().item()


def _mse(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean of squared differences."""
    _require_same_shape(outputs, targets)
    return ((outputs - targets) ** 2).mean()


def _bce(outputs: Tensor, targets: Tensor) -> Tensor:
    r"""Mean of :math:`\log(1 + e^z) - t z`: binary cross-entropy straight from logits z."""
    _require_same_shape(outputs, targets)
    return (F.softplus(outputs, threshold=math.inf) - targets * outputs).mean()


def _cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean of minus the logarithm of the right class's probability."""
    if outputs.ndim != 2 or outputs.shape[1] < 2:
        hint = "for a single logit use loss='bce'"
        raise bad_value("fit", "model", "outputs of shape (N, C), one for each class", tuple(outputs.shape), hint)
    if not 0 <= targets.min() <= targets.max() < outputs.shape[1]:
        got = f"{targets.min().item()} to {targets.max().item()}"
        hint = "the model's outputs decide how many classes there are"
        raise bad_value("fit", "y", f"class numbers from 0 to {outputs.shape[1] - 1}", got, hint)
    logs = F.log_softmax(outputs, dim=1)  # (B, C)
    return -logs.gather(1, targets.unsqueeze(1)).mean()  # (B, 1) -> ()


_LOSSES: dict[str, LossFunction] = {"mse": _mse, "bce": _bce, "cross_entropy": _cross_entropy}


def _loss_function(loss: str | LossFunction) -> LossFunction:
    if isinstance(loss, str):
        if loss not in _LOSSES:
            expected = "'mse', 'bce', 'cross_entropy' or a function"
            raise bad_value("fit", "loss", expected, repr(loss), "a function takes outputs and targets")
        return _LOSSES[loss]
    if not callable(loss):
        raise bad_type("fit", "loss", "a name or a function of outputs and targets", loss)
    return lambda outputs, targets: _require_scalar(loss(outputs, targets))


def _make_optimizer(optimizer: Callable[..., torch.optim.Optimizer], model: Module, lr: float) -> torch.optim.Optimizer:
    if not isinstance(model, Module):
        raise bad_type("fit", "model", "a module", model)
    if isinstance(optimizer, torch.optim.Optimizer) or not callable(optimizer):
        hint = "pass the class, torch.optim.SGD, or functools.partial(torch.optim.SGD, momentum=0.9)"
        raise bad_type("fit", "optimizer", "what makes an optimizer", optimizer, hint)
    return optimizer(model.parameters(), lr=lr)


@contextmanager
def _evaluating(model: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Put a module into eval mode and record no gradients; afterwards every part is in its former mode."""
    modes = {part: part.training for part in model.modules()} if isinstance(model, Module) else {}
    if isinstance(model, Module):
        model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def _outputs(model: Callable[[Tensor], Tensor], X: Tensor) -> Tensor:
    """Run a model over all examples, a chunk at a time."""
    with _evaluating(model):
        return torch.cat([model(chunk) for chunk in X.split(_CHUNK)])


def _loss_on(model: Module, X: Tensor, y: Tensor, loss_of: LossFunction) -> float:
    outputs = _outputs(model, X)
    with torch.no_grad():
        return loss_of(outputs, y).item()


def _not_finite(value: float, step: int, epoch: int, lr: float) -> FloatingPointError:
    what = f"fit: the loss became {value} at step {step} (epoch {epoch}, both counted from 0)"
    if step == 0:
        advice = "nothing was learned yet: look for nan or inf in X and y, or for numbers too large to be squared"
    else:
        advice = f"try a learning rate below {lr} (a tenth), standardise the inputs, or clip the gradients"
    return FloatingPointError(f"{what}; {advice}")


def _require_pair(x_name: str, X: Tensor, y_name: str, y: Tensor, loss: str | LossFunction) -> None:
    """Refuse examples and targets that cannot belong together."""
    require_tensor("fit", x_name, X)
    require_tensor("fit", y_name, y)
    if X.ndim == 0 or not len(X):
        raise bad_value("fit", x_name, "one example or more", tuple(X.shape))
    if y.ndim == 0 or len(y) != len(X):
        raise bad_value("fit", y_name, f"{len(X)} targets, one for each example", tuple(y.shape))
    if loss != "cross_entropy":
        return
    if y.ndim != 1:
        hint = "y.argmax(dim=1) turns rows of 0 and 1 into class numbers"
        raise bad_value("fit", y_name, f"class numbers of shape ({len(X)},)", tuple(y.shape), hint)
    if y.dtype != torch.int64:
        raise bad_value("fit", y_name, "class numbers of type torch.int64", y.dtype, "y.long() converts them")


def _require_same_shape(outputs: Tensor, targets: Tensor) -> None:
    if outputs.shape != targets.shape:
        expected = f"the shape of the model's outputs, {tuple(outputs.shape)}"
        hint = "broadcasting would compare every output with every target"
        if outputs.ndim == targets.ndim + 1 and outputs.shape[-1] == 1:
            hint += "; y.unsqueeze(1) makes the shapes meet"
        raise bad_value("fit", "y", expected, tuple(targets.shape), hint)


def _require_scalar(loss: Tensor) -> Tensor:
    if not isinstance(loss, Tensor):
        raise bad_type("fit", "loss", "a function that returns a tensor", loss)
    if loss.ndim:
        raise bad_value("fit", "loss", "a single number for the batch", tuple(loss.shape), "take the mean")
    return loss
