"""A training that is killed and goes on from what a learner's checkpoint has kept, beside the same one that ran through.

Compared is to the bit. What is killed here leaves nothing behind but files: everything is made anew, by other seeds,
before it is loaded.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from companion.checks.reading import fits

ROWS, FEATURES, CLASSES, BATCH = 36, 5, 3, 8


class DiscFull:
    """Stands in an optimizer and cannot be written: as when a disc is full in the middle of a file."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise OSError("no space left on device")


class Run:
    """A training as far as it has come: network, optimizer, schedule, generator and progress."""

    def __init__(self, settings: Mapping[str, Any], seed: int) -> None:
        chance = torch.Generator().manual_seed(seed)
        self.net = nn.Sequential(
            nn.Linear(FEATURES, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, CLASSES)
        )
        with torch.no_grad():
            for p in self.net.parameters():
                p.copy_(torch.randn(p.shape, generator=chance))
        if settings["optimizer"] == "AdamW":
            self.optimizer: Any = torch.optim.AdamW(self.net.parameters(), lr=0.02)
        else:
            self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1, momentum=settings["momentum"])
        if settings["schedule"] == "cosine":
            self.schedule: Any = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, settings["epochs"])
        else:
            self.schedule = torch.optim.lr_scheduler.StepLR(self.optimizer, 1, 0.7)
        self.generator = torch.Generator().manual_seed(seed + 1)
        self.progress: Any = {"epoch": 0, "best": 100.0, **settings["more"]}
        torch.manual_seed(seed + 2)
        g = torch.Generator().manual_seed(settings["data"])  # the data are the same for all
        self.X = torch.randn(ROWS, FEATURES, generator=g)
        self.y = torch.randint(CLASSES, (ROWS,), generator=g)

    @property
    def parts(self) -> tuple[Any, Any, Any, Any]:
        """What is handed to a checkpoint, beside the progress."""
        return self.net, self.optimizer, self.schedule, self.generator

    def steps(self, most: int | None = None) -> None:
        """Take the steps of an epoch, or the first of them."""
        for rows in torch.randperm(ROWS - 6, generator=self.generator).split(BATCH)[:most]:
            self.optimizer.zero_grad()
            nn.functional.cross_entropy(self.net(self.X[rows]), self.y[rows]).backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()

    def epoch(self) -> None:
        """Train for an epoch, and note how far it is."""
        self.steps()
        self.schedule.step()
        was = self.net.training
        self.net.eval()
        with torch.no_grad():
            loss = float(nn.functional.cross_entropy(self.net(self.X[-6:]), self.y[-6:]))
        self.net.train(was)
        done = {"epoch": self.progress["epoch"] + 1, "best": min(self.progress["best"], loss)}
        self.progress = {**self.progress, **done, **{k: v + 1 for k, v in self.progress.items() if k not in done}}

    def state(self) -> dict[str, Any]:
        """Return a copy of all that there is."""
        named = dict(self.net.named_parameters())
        optimizer = self.optimizer.state_dict()
        return copy.deepcopy(
            {
                "weights": {n: t for n, t in self.net.state_dict().items() if n in named},
                "statistics": {n: t for n, t in self.net.state_dict().items() if n not in named},
                "moments": optimizer["state"],
                "rate": [group["lr"] for group in optimizer["param_groups"]],
                "schedule": {k: v for k, v in self.schedule.state_dict().items() if not callable(v)},
                "generator": self.generator.get_state(),
                "shared generator": torch.get_rng_state(),
                "progress": self.progress,
            }
        )


def resumed(checkpoint: Callable[..., Any], settings: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return how a training that was killed stands to one that was not."""
    fits(checkpoint, ("path",))
    epochs, killed = settings["epochs"], settings["killed after"]
    due = _through(json.dumps(dict(settings)))
    with tempfile.TemporaryDirectory() as here, tempfile.TemporaryDirectory() as there:
        path, moved = os.path.join(here, "training.pt"), os.path.join(there, "training.pt")
        saved, found = _until_killed(checkpoint, path, settings)
        found["written"] = any(Path(here).iterdir())
        shutil.copytree(here, there, dirs_exist_ok=True)
        run, back = _loaded(checkpoint, moved, settings)
        found |= {name: int(_alike(back[name], saved[name])) for name in saved} | _how(back, saved, settings)
        if all(k in run.progress for k in ("epoch", "best")):
            for _ in range(epochs - killed):
                run.epoch()
        end = run.state()
        found["as if nothing had happened"] = all(_alike(end[name], due[name]) for name in due)
        found |= _when_the_disc_is_full(checkpoint, moved, settings, run, saved)
    found["undisturbed"] = _saves_and_goes_on(checkpoint, settings, due)
    return {name: torch.tensor(value) for name, value in found.items()}


@cache
def _through(settings: str) -> dict[str, Any]:
    """Return the end of a training that nobody kills or saves; learners' code has no part in it."""
    run = Run(json.loads(settings), json.loads(settings)["seed"])
    for _ in range(json.loads(settings)["epochs"]):
        run.epoch()
    return run.state()


def _until_killed(
    checkpoint: Callable[..., Any], path: str, settings: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Train, save after each epoch, and go some steps farther; return what was to be saved, and whether a file was written over."""
    run = Run(settings, settings["seed"])
    keeper = checkpoint(path)
    for _ in range(settings["killed after"]):
        run.epoch()
        keeper.save(*run.parts, dict(run.progress))
    saved = run.state()
    before = os.stat(path).st_ino if os.path.exists(path) else None
    with _held_open(path):
        keeper.save(*run.parts, dict(run.progress))
    within = before is not None and os.path.exists(path) and os.stat(path).st_ino == before
    kept = run.net.training
    run.steps(2)  # what was learned after the last checkpoint is lost, and has to be learned again
    return saved, {"in the same file": within, "mode kept": kept}


def _how(back: Mapping[str, Any], saved: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, int]:
    """Return how things came back that are not equal: rounded, at their beginning, in another one's place, in part."""
    found: dict[str, int] = {}
    weights = [(back["weights"][n], t) for n, t in saved["weights"].items()]
    if not _alike(back["weights"], saved["weights"]) and all(torch.allclose(a, b, atol=1e-2) for a, b in weights):
        found["weights"] = ROUNDED
    begins = Run(settings, settings["seed"]).state()
    for name, other in (("generator", "shared generator"), ("shared generator", "generator")):
        if not _alike(back[name], saved[name]):
            places = {BEGINNING: begins[name], EXCHANGED: saved[other]}
            found[name] = next((code for code, state in places.items() if _alike(back[name], state)), 0)
    came, due = back["progress"], saved["progress"]
    kept = dict(came) if issubclass(type(came), dict) else {}
    found["progress is"] = 2 if issubclass(type(came), dict) else int(came is not None)
    found["entries missing"] = sum(key not in kept for key in due)
    epoch = kept.get("epoch")
    found["epochs on"] = epoch - due["epoch"] if type(epoch) is int else 0
    found["best kept"] = int(_alike(kept.get("best"), due["best"]))
    return found


ROUNDED, BEGINNING, EXCHANGED = 2, 2, 3
"""How something came back: nearly equal, as at the very beginning, in the place of another one."""


@contextlib.contextmanager
def _held_open(path: str) -> Iterator[None]:
    """Keep a file open for a while, where that is allowed, so that its number is not given to another one."""
    with contextlib.ExitStack() as stack:
        if os.name == "posix" and os.path.exists(path):
            stack.enter_context(open(path, "rb"))
        yield


def _loaded(checkpoint: Callable[..., Any], path: str, settings: Mapping[str, Any]) -> tuple[Run, dict[str, Any]]:
    """Make everything anew by other seeds and load; return the run and its state."""
    run = Run(settings, settings["seed"] + 100)
    run.progress = checkpoint(path).load(*run.parts)
    state = run.state()
    if not issubclass(type(run.progress), dict):
        run.progress = {}
    return run, state


def _when_the_disc_is_full(
    checkpoint: Callable[..., Any], path: str, settings: Mapping[str, Any], run: Run, saved: Mapping[str, Any]
) -> dict[str, Any]:
    """Save where the writing breaks off; return whether that was told, and whether the checkpoint before can still be loaded."""
    run.optimizer.param_groups[0]["note"] = DiscFull()
    told = False
    try:
        checkpoint(path).save(*run.parts, {"epoch": 99, "best": 0.0, **settings["more"]})
    except Exception:  # the OSError, or what a learner makes of it
        told = True
    try:
        _, back = _loaded(checkpoint, path, settings)
        survives = _alike(back["weights"], saved["weights"])
    except Exception:  # whatever becomes of a file that is broken or gone
        survives = False
    return {"told": told, "survives": survives}


def _saves_and_goes_on(checkpoint: Callable[..., Any], settings: Mapping[str, Any], due: Mapping[str, Any]) -> bool:
    """Return whether a training that saves after each epoch comes to the same as one that never does."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(settings, settings["seed"])
        keeper = checkpoint(os.path.join(folder, "training.pt"))
        for _ in range(settings["epochs"]):
            run.epoch()
            keeper.save(*run.parts, dict(run.progress))
        end = run.state()
    return all(_alike(end[name], due[name]) for name in due)


def _alike(one: Any, other: Any) -> bool:
    """Return whether two values are equal to the bit, down to the entries of their lists and dicts."""
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        return isinstance(one, Tensor) and isinstance(other, Tensor) and torch.equal(one, other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    return bool(type(one) is type(other) and one == other)
