"""Checkpoints: a training that was stopped goes on as if nothing had happened."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from companion.errors import bad_value
from companion.functional._arguments import require_module, require_whole
from companion.training.files import read_whole, write_atomically
from companion.training.run import Callback, Run
from companion.training.stopping import Watch


class Checkpoint(Callback):
    """Write everything that a training needs to go on into one file, and go on from there.

    That is: weights, optimizer, history, what every callback remembers, and the states of the random
    generators: PyTorch's, Python's, NumPy's, the one that shuffles and those that layers hold. Ten epochs,
    a kill and ten more give the same bits as twenty. The file is written under another name and renamed, so
    there is always a whole one. It holds tensors and plain data; nothing in it is run when it is opened.

    Args:
        path: The file, in a folder that exists. A new training writes over it.
        every: Write after every so many epochs, 1 or more, and after the last one.
        best: Write only when what is watched is better than ever.
        monitor: What is watched, as for :class:`~companion.training.BestWeights`.
        mode: ``"min"`` or ``"max"``.
        resume: Whether to go on from the file where there is one. Model, optimizer, data, batch size and
            callbacks have to be those of before; the rates come from the file, not from ``fit``'s ``lr``.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If the folder does not exist, or the file is truncated, no checkpoint, or one of another
            training; nothing is loaded then.

    >>> from companion.training import fit
    >>> fit(model, X, y, loss="mse", callbacks=[Checkpoint("run.pt", resume=True)])  # doctest: +SKIP
    """

    last = True

    def __init__(
        self,
        path: str | Path,
        *,
        every: int = 1,
        best: bool = False,
        monitor: str | None = None,
        mode: str = "min",
        resume: bool = False,
    ) -> None:
        require_whole("Checkpoint", "every", every, least=1)
        self.path, self.every, self.best, self.resume = Path(path), every, best, resume
        self._watch = Watch("Checkpoint", monitor, mode, 0.0)
        if not self.path.parent.is_dir():
            raise bad_value("Checkpoint", "path", "a file in a folder that exists", f"'{path}'", "Path.mkdir makes one")
        if self.path.is_dir():
            raise bad_value("Checkpoint", "path", "a file", f"the folder '{path}'")

    def on_fit_start(self, run: Run) -> None:
        """Go on from the file, or write the first one: a disk that refuses shows before any work is done."""
        self._watch.forget()
        if self.resume and self.path.exists():
            restore(run, read_whole("Checkpoint", self.path))
        elif not self.path.exists():
            write_atomically(self.path, collect(run, epoch=0))

    def on_epoch_end(self, run: Run) -> None:
        """Write when it is time."""
        done = run.epoch + 1
        if self.best:
            due = self._watch.improved(run)
        else:
            due = done % self.every == 0 or done == run.epochs or run.stop
        if due:
            write_atomically(self.path, collect(run, epoch=done))

    def state_dict(self) -> dict[str, Any]:
        """Return the best value so far."""
        return {"best": self._watch.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self._watch.best = state_dict["best"]


def load_weights(model: Module, path: str | Path) -> None:
    """Load the weights of a checkpoint into a model, all of them or none.

    Args:
        model: A module with the parameters of the one that was trained.
        path: A file that :class:`Checkpoint` wrote.

    Raises:
        TypeError: If the model is no module.
        ValueError: If there is no such file, it is truncated or something else, or it belongs to another
            model; the message names the parameters that differ.

    >>> load_weights(model, "best.pt")  # doctest: +SKIP
    """
    require_module("load_weights", "model", model)
    content = read_whole("load_weights", Path(path))
    require_same_model("load_weights", model, content["model"])
    model.load_state_dict(content["model"])


def collect(run: Run, epoch: int) -> dict[str, Any]:
    """Return all that a training needs to go on after so many epochs, as plain data."""
    return {
        "epoch": epoch,
        "step": run.step,
        "stop": run.stop,
        "model": dict(run.model.state_dict()),
        "optimizer": {"name": type(run.optimizer).__name__, "state": run.optimizer.state_dict()},
        "scaler": run.scaler.state_dict(),
        "history": dataclasses.asdict(run.history),
        "callbacks": [[name, callback.state_dict()] for name, callback in _remembering(run)],
        "random": random_states(run),
    }


def restore(run: Run, content: dict[str, Any]) -> None:
    """Put a run into the state of a checkpoint; refuse one of another training before anything is changed."""
    require_same_model("Checkpoint", run.model, content["model"])
    _require_same_run(run, content)
    for (_, callback), (_, state) in zip(_remembering(run), content["callbacks"]):
        callback.load_state_dict(state)
    run.optimizer.load_state_dict(content["optimizer"]["state"])
    run.scaler.load_state_dict(content["scaler"])
    run.model.load_state_dict(content["model"])
    run.epoch, run.step, run.stop = content["epoch"], content["step"], content["stop"]
    for name, value in content["history"].items():
        setattr(run.history, name, value)
    set_random_states(run, content["random"])


def random_states(run: Run) -> dict[str, Any]:
    """Return the states of all generators that a training may draw from."""
    state: Any = np.random.get_state()
    kind, words, *rest = state
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "python": random.getstate(),
        "numpy": [kind, words.tolist(), *rest],
        "order": None if run.generator is None else run.generator.get_state(),
        "layers": [generator.get_state() for generator in _generators_of(run.model)],
    }


def set_random_states(run: Run, states: dict[str, Any]) -> None:
    """Put all generators back into such states."""
    torch.set_rng_state(states["torch"])
    if states["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])
    random.setstate(states["python"])
    np.random.set_state(tuple(states["numpy"]))
    if run.generator is not None:
        run.generator.set_state(states["order"])
    for generator, state in zip(_generators_of(run.model), states["layers"]):
        generator.set_state(state)


def require_same_model(where: str, model: Module, weights: dict[str, Tensor]) -> None:
    """Refuse weights of another model and name what differs."""
    own = model.state_dict()
    faults = [f"{name} is missing" for name in own if name not in weights]
    faults += [f"{name} is unknown here" for name in weights if name not in own]
    for name in own.keys() & weights.keys():
        if own[name].shape != weights[name].shape:
            faults.append(f"{name} has shape {tuple(weights[name].shape)}, here {tuple(own[name].shape)}")
        elif own[name].dtype != weights[name].dtype:
            faults.append(f"{name} is {weights[name].dtype}, here {own[name].dtype}")
    if faults:
        more = f", and {len(faults) - 4} more" if len(faults) > 4 else ""
        got = "one of another: " + ", ".join(sorted(faults)[:4]) + more
        raise bad_value(where, "path", "a checkpoint of this model", got, "nothing was loaded")


def _require_same_run(run: Run, content: dict[str, Any]) -> None:
    """Refuse a checkpoint that was made with another optimizer, other callbacks or other generators."""
    optimizer, groups = type(run.optimizer).__name__, [len(g["params"]) for g in run.optimizer.param_groups]
    saved = content["optimizer"]
    callbacks = [name for name, _ in _remembering(run)]
    states = content["random"]
    pairs = [
        ("optimizer", optimizer, saved["name"]),
        ("parameter groups", groups, [len(g["params"]) for g in saved["state"]["param_groups"]]),
        ("callbacks", callbacks, [name for name, _ in content["callbacks"]]),
        ("generator=", run.generator is not None, states["order"] is not None),
        ("generators of layers", len(_generators_of(run.model)), len(states["layers"])),
    ]
    for name, here, there in pairs:
        if here != there:
            got = f"one with {name} {there}"
            raise bad_value("Checkpoint", "path", f"a checkpoint with {name} {here}", got, "nothing was loaded")


def _remembering(run: Run) -> list[tuple[str, Callback]]:
    """Return the callbacks that have something to remember, with their names."""
    writes = [c for c in run.callbacks if type(c).state_dict is not Callback.state_dict]
    return [(type(callback).__name__, callback) for callback in writes]


def _generators_of(model: Module) -> list[torch.Generator]:
    """Return the generators that layers hold, such as dropout with its own."""
    found = (getattr(module, "generator", None) for module in model.modules())
    return [generator for generator in found if isinstance(generator, torch.Generator)]
