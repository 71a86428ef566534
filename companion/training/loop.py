"""The training loop."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from companion import device as devices
from companion.data import Batches
from companion.errors import bad_type, bad_value
from companion.functional._arguments import require_module, require_number, require_whole
from companion.optim import Adam
from companion.training.batches import Placed, in_groups, require_type, training_batches
from companion.training.evaluation import Metrics
from companion.training.first_look import FirstLook
from companion.training.held_out import HeldOut
from companion.training.run import Callback, History, Run, in_order
from companion.training.step import LossFunction, Step, loss_function


def fit(
    model: Module,
    X: Tensor | Iterable[Any],
    y: Tensor | None = None,
    *,
    loss: str | LossFunction,
    epochs: int = 100,
    lr: float = 0.01,
    batch_size: int = 32,
    optimizer: Callable[..., torch.optim.Optimizer] = Adam,
    generator: torch.Generator | None = None,
    validation: tuple[Tensor, Tensor] | Iterable[Any] | None = None,
    metrics: Metrics = (),
    callbacks: Sequence[Callback] = (),
    accumulate: int = 1,
    precision: str | None = None,
    compile: bool | str = False,
    device: str | torch.device | None = None,
) -> History:
    r"""Train a model: shuffle, cut into batches, and take one optimizer step for each batch.

    .. math:: \theta \leftarrow \theta - \text{step} \left( \nabla_\theta \, \frac{1}{|B|}
              \sum_{i \in B} \ell(f_\theta(x_i), y_i) \right) \quad \text{for each batch } B

    Ctrl-C ends the training in order: callbacks tidy up, and what was measured so far is returned.

    Args:
        model: What to train; its parameters are changed.
        X: The examples, the first axis counts them; they stay in memory and are indexed by a permutation,
            which is quicker than a ``DataLoader``. Or batches, pairs of examples and targets, that can be
            gone through anew in each epoch: a ``DataLoader``, a list.
        y: The targets, one for each example; None where X has them.
        loss: ``"mse"``, ``"bce"`` (outputs are logits, targets 0 to 1), ``"cross_entropy"`` (outputs are
            logits; a model that ends in a sigmoid or softmax gets a warning), or a function of outputs and targets that returns the mean over the batch as a single
            number. A function has to see to it itself that shapes meet; fit warns where (B, 1) meets (B,).
        epochs: How often to go through all examples, 0 or more.
        lr: The optimizer's learning rate, above 0. The default suits the small networks and short trainings
            of this course; it is ten times the 0.001 of PyTorch's Adam, which larger and deeper networks want.
        batch_size: Examples for each step, 1 or more. The last batch of an epoch may be shorter; the
            recorded loss counts it by its size. Where X holds batches they keep their own.
        optimizer: What makes an optimizer from parameters and ``lr=``.
        generator: A CPU generator for the shuffling; None takes that of X where it has one, else PyTorch's
            global one.
        validation: Examples and targets, or batches, to measure on after each epoch; never trained on. The
            first batch of tensors or of a list is tried before the first epoch.
        metrics: What else is measured there, as for :func:`~companion.training.evaluate`: names, or
            functions under names of your own, called f(targets, outputs).
        callbacks: What looks on and steps in, called in this order, checkpoints last.
        accumulate: Take one step for so many batches, 1 or more. Their gradients are averaged by size: it is
            the step of one large batch, if the loss is a mean over examples and no layer (batch
            normalisation) looks across the batch.
        precision: ``"bfloat16"`` or, on CUDA only, ``"float16"`` to multiply matrices in 16 bits while
            parameters and losses keep theirs; None for no such thing.
        compile: Whether to run the model through ``torch.compile``, or the backend's name.
        device: Where to train, as for :func:`companion.device.pick`; model and data are moved there. None
            stays where the model is.

    Returns:
        The losses by epoch. The model is left in eval mode.

    Raises:
        TypeError: If an argument is of the wrong kind, or X holds floats of another type than the model.
        ValueError: If shapes do not meet, a number is out of range, the device is missing, there is no
            example or nothing to train.
        FloatingPointError: If the loss of a batch, or that of the validation, is nan or infinite. The model
            keeps the weights that led there, unless a callback puts better ones back; what was measured
            until then is in the error's ``history``.

    Source:
        Robbins and Monro (1951), A stochastic approximation method. 16 bits: Micikevicius et al. (2018),
        Mixed precision training.

    >>> line = torch.nn.Linear(1, 1)
    >>> X = torch.tensor([[0.0], [1.0], [2.0]])
    >>> history = fit(line, X, 2 * X + 1, loss="mse", epochs=200, lr=0.1)
    >>> [round(p.item(), 2) for p in line.parameters()]
    [2.0, 1.0]
    """
    loss_of = loss_function(loss)
    require_whole("fit", "epochs", epochs, least=0)
    require_whole("fit", "batch_size", batch_size, least=1)
    require_whole("fit", "accumulate", accumulate, least=1)
    require_number("fit", "lr", lr, positive=True)
    place = _place(model, device)
    order = _generator(X, generator)
    batches = training_batches(X, y, batch_size, order, place)
    require_type("X", X, model, precision)
    held_out = HeldOut(validation, place, loss_of, metrics)
    step_of = Step(model, loss_of, FirstLook(model, loss, precision), place, precision, compile)
    held_out.require_type(model)
    called = in_order(callbacks)
    if device is not None:
        model.to(place)
    if epochs:
        held_out.rehearse(model, (X, y))
    stepper = _make_optimizer(optimizer, model, lr)
    run = Run(model, stepper, epochs, _count(batches), order, step_of.scaler, called)
    run.call("on_fit_start")
    try:
        while run.epoch < epochs and not run.stop:
            _epoch(run, batches, accumulate, step_of, held_out)
    except KeyboardInterrupt:
        run.history.interrupted = True
    finally:
        model.eval()
        run.call("on_fit_end")
    return run.history


def _epoch(run: Run, batches: Batches | Placed, accumulate: int, step_of: Step, held_out: HeldOut) -> None:
    """Go through all batches once, and measure on the rows that are held out."""
    run.model.train()
    run.call("on_epoch_start")
    total, seen, run.batch = 0.0, 0, 0
    for group in in_groups(batches, accumulate):
        size = sum([len(y) for _, y in group])
        run.optimizer.zero_grad()
        run.loss = step_of.backward(run, group, size)
        run.scaler.unscale_(run.optimizer)
        run.call("on_before_optimizer_step")
        run.scaler.step(run.optimizer)
        run.scaler.update()
        run.step += 1
        total += run.loss * size
        seen += size
        run.call("on_step_end")
    run.history.add(total / seen, held_out.measure(run))
    held_out.require_finite(run)
    run.call("on_epoch_end")
    run.epoch += 1


def _count(batches: Batches | Placed) -> int | None:
    """Return how many batches an epoch has; None where the data does not say."""
    try:
        return len(batches)
    except TypeError:
        return None


def _generator(X: Any, generator: torch.Generator | None) -> torch.Generator | None:
    """Return what shuffles, so that a checkpoint can hold its state: the one asked for, or that of a loader."""
    if generator is None:
        own = getattr(X, "generator", None)
        return own if isinstance(own, torch.Generator) else None
    if not isinstance(generator, torch.Generator):
        hint = "companion.random.generator(0) makes one"
        raise bad_type("fit", "generator", "a torch.Generator", generator, hint)
    if generator.device.type != "cpu":
        raise bad_value("fit", "generator", "one on the CPU, where rows are shuffled", f"one on {generator.device}")
    return generator


def _place(model: Module, device: str | torch.device | None) -> torch.device:
    """Return where to train; refuse what cannot be trained."""
    require_module("fit", "model", model)
    if not any(p.requires_grad for p in model.parameters()):
        hint = "model.requires_grad_(True) lets all of them learn"
        raise bad_value("fit", "model", "a parameter or more that needs a gradient", "none", hint)
    return next(model.parameters()).device if device is None else devices.pick(str(device))


def _make_optimizer(optimizer: Callable[..., torch.optim.Optimizer], model: Module, lr: float) -> torch.optim.Optimizer:
    if isinstance(optimizer, torch.optim.Optimizer) or not callable(optimizer):
        hint = "pass the class, SGD, or functools.partial(SGD, momentum=0.9)"
        raise bad_type("fit", "optimizer", "what makes an optimizer", optimizer, hint)
    made = optimizer(model.parameters(), lr=lr)
    if not isinstance(made, torch.optim.Optimizer):
        raise bad_type("fit", "optimizer", "what makes an optimizer", made)
    closure = inspect.signature(made.step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        hint = "fit computes the loss once for each step, which SGD and Adam are content with"
        raise bad_type("fit", "optimizer", "one whose step needs no closure", made, hint)
    return made
