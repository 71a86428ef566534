"""Exercise 10.5: save and resume."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import torch

from companion.checks.bank import Observed, Property, exercise
from companion.checks.ch10_training.e5_mistakes import MISTAKES
from companion.checks.trace import Call, Case, Trace


class Checkpoint:
    """Keep a training in a file, so that it can go on after a kill as if nothing had happened."""

    def __init__(self, path: str) -> None:
        """Remember where the file is to be."""
        self.path = path

    def save(
        self,
        net: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        generator: torch.Generator,
        progress: dict[str, float],
    ) -> None:
        """Write all that the training needs; the file before is there until the new one is complete."""
        import os

        state = {
            "net": net.state_dict(),
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
            "generator": generator.get_state(),
            "shared generator": torch.get_rng_state(),
            "progress": progress,
        }
        torch.save(state, f"{self.path}.part")
        os.replace(f"{self.path}.part", self.path)

    def load(
        self,
        net: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        generator: torch.Generator,
    ) -> dict[str, float]:
        """Put everything back where it was. Return the progress."""
        state = torch.load(self.path)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        generator.set_state(state["generator"])
        torch.set_rng_state(state["shared generator"])
        return state["progress"]


class _Pickled:
    """Make the bytes in memory, write them beside the file, and exchange the two."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def save(self, net: Any, optimizer: Any, schedule: Any, generator: Any, progress: Any) -> None:
        parts = [thing.state_dict() for thing in (net, optimizer, schedule)]
        chance = [generator.get_state(), torch.random.get_rng_state()]
        new = self.path.with_suffix(".new")
        new.write_bytes(pickle.dumps((parts, chance, progress)))
        new.replace(self.path)

    def load(self, net: Any, optimizer: Any, schedule: Any, generator: Any) -> Any:
        parts, (own, shared), progress = pickle.loads(self.path.read_bytes())
        for thing, its in zip((schedule, optimizer, net), reversed(parts)):
            thing.load_state_dict(its)
        generator.set_state(own)
        torch.random.set_rng_state(shared)
        return progress


class _TwoFiles:
    """Write one file after the other by turns, and say in a third which one is complete."""

    def __init__(self, path: str) -> None:
        self.path = path

    def save(self, net: Any, optimizer: Any, schedule: Any, generator: Any, progress: Any) -> None:
        buffer = io.BytesIO()
        everything = [net.state_dict(), optimizer.state_dict(), schedule.state_dict()]
        torch.save([*everything, generator.get_state(), torch.default_generator.get_state(), progress], buffer)
        turn = "b" if self._current() == "a" else "a"
        Path(f"{self.path}.{turn}").write_bytes(buffer.getvalue())
        Path(f"{self.path}.turn.new").write_text(turn)
        os.rename(f"{self.path}.turn.new", f"{self.path}.turn")

    def _current(self) -> str:
        turn = Path(f"{self.path}.turn")
        return turn.read_text() if turn.exists() else ""

    def load(self, net: Any, optimizer: Any, schedule: Any, generator: Any) -> Any:
        *states, own, shared, progress = torch.load(f"{self.path}.{self._current()}", weights_only=False)
        for thing, state in zip((net, optimizer, schedule), states):
            thing.load_state_dict(state)
        generator.set_state(own)
        torch.default_generator.set_state(shared)
        return progress


def _cases(seed: int) -> list[Case]:
    def case(name: str, epochs: int, killed: int, optimizer: str, schedule: str, **more: float) -> Case:
        settings = {
            **{"epochs": epochs, "killed after": killed, "optimizer": optimizer, "schedule": schedule},
            **{"momentum": more.pop("momentum", 0.9), "more": more, "data": 5 + seed, "seed": 20 + 7 * seed},
        }
        return Case(name, settings)

    return [
        case("momentum, killed after 2 of 4 epochs", 4, 2, "SGD", "steps"),
        case("AdamW, killed after 1 of 3 epochs", 3, 1, "AdamW", "steps", waited=0),
        case("momentum and a cosine, killed after 3 of 4 epochs", 4, 3, "SGD", "cosine", waited=2, looks=1),
    ]


def _script(case: Case) -> list[Call]:
    return [Call("@resumed", ("$Checkpoint", dict(case.args)), returns=("found",))]


def _observe(case: Case, trace: Trace) -> Observed:
    return {name.removeprefix("found."): t for name, t in trace.tensors.items() if name.startswith("found.")}


def _all(*names: str) -> Callable[[Case, Observed], bool]:
    return lambda case, o: all(int(o[name]) == 1 for name in names)


_PROPERTIES = (
    Property(
        "a file is written",
        _all("written"),
        "After `save` there is no file: a killed process takes everything with it that is only in memory.",
        "An attribute, a dict or a name of the notebook lives as long as its process. The check makes everything anew before it loads.",
        "Which line of `save` writes to `self.path`?",
    ),
    Property(
        "weights come back",
        _all("weights", "statistics"),
        "After `load` the network is not the one that was saved, to the bit: a weight or a running statistic differs.",
        "A network's state is its parameters and its buffers, such as the running statistics of batch normalisation.",
        "Compare `net.state_dict()` before saving and after loading, entry by entry.",
    ),
    Property(
        "the optimizer comes back",
        _all("moments", "rate"),
        "The network comes back. What the optimizer knew does not: its moments or its rate are others.",
        "Momentum and the two means of Adam are as long as the weights, and a training without them makes other steps from here on.",
        "What does `optimizer.state_dict()` hold, and where do you hand it to `load_state_dict`?",
    ),
    Property(
        "the schedule comes back",
        _all("schedule"),
        "Network and optimizer come back. The schedule does not know how far it was.",
        "It counts steps. Begun anew it would go through its beginning once more.",
        "Print `schedule.state_dict()` before saving and after loading.",
    ),
    Property(
        "chance goes on",
        _all("generator", "shared generator"),
        "Everything that was learned comes back. The random numbers after `load` are others than they would have been.",
        "There are two sources: the generator that shuffles the rows, and the one of torch that dropout draws from.",
        "`generator.get_state()` is one of the two states. Which function of torch gives the other?",
    ),
    Property(
        "the progress comes back",
        _all("progress"),
        "`load` should return the progress that was saved: the same dict with the same entries.",
        "Epoch and best so far decide how long is still to be trained and what counts as a new best.",
        "Print what `load` returns beside what `save` was given.",
    ),
    Property(
        "saving does not disturb",
        _all("undisturbed", "mode kept"),
        "A training that saves after each epoch does not come to the same as one that never saves.",
        "`save` changes something: the mode of the network, its weights, or the state of a generator.",
        "Which lines of `save` change anything, and which ones only read?",
    ),
    Property(
        "a broken file does no harm",
        lambda case, o: bool(o["survives"]) and not bool(o["in the same file"]),
        "If the writing breaks off half-way, the checkpoint before is lost.",
        "To open a file for writing empties it. Killed at this moment, a training has neither the old nor the new one.",
        "Write under another name first. What does `os.replace` do then, in one step?",
    ),
    Property(
        "a failure is told",
        _all("told"),
        "When nothing could be written your `save` says nothing.",
        "The training goes on, and after the kill it turns out that there is no checkpoint. An error should be seen when it happens.",
        "Look for `try` and `except` in your `save`.",
    ),
    Property(
        "it is as if nothing had happened",
        lambda case, o: False,
        "Right after `load` everything looks as it did. In the end the resumed training comes to other weights than the one that ran through.",
        "Something is loaded into a copy, or is shared by the two, so that later steps go elsewhere.",
        "Follow the first weight of both trainings, step by step. Where do they part?",
    ),
)


@exercise("10.5", title="Save and resume", points=3)
class SaveAndResume:
    """A checkpoint that a training goes on from, bit for bit."""

    reference = Checkpoint
    read = "A real kill"
    returns = ()
    script = _script
    observe = _observe
    properties = _PROPERTIES
    random = True  # dropout draws
    tolerance = 0.0
    timeout = 20.0
    statement = r"""
        A training of two days is killed in the second night. You write what makes that harmless: an object that keeps a training in a file, and puts
        it back so that it goes on **as if nothing had happened, to the bit**.

        Write a class `Checkpoint(path)` with two methods. `path` is the name of a file, a string.

        * `save(net, optimizer, schedule, generator, progress)` writes everything that the training needs. `net` has batch normalisation and dropout.
          `optimizer` and `schedule` are those of PyTorch. `generator` is the `torch.Generator` that shuffles the rows in each epoch. `progress` is a
          dict of numbers, such as `{"epoch": 3, "best": 0.41}`, and may have more entries.
        * `load(net, optimizer, schedule, generator)` is called in a new process, with objects that were made anew with other random numbers. It puts
          everything back **into these objects** and returns the progress.

        Three things are easily forgotten. Dropout draws from torch's shared generator; `torch.get_rng_state()` and `torch.set_rng_state(state)` read
        and write its state. A process may also be killed **while it saves**: then the checkpoint before must still be there and whole. So write under
        another name first, and exchange the files with `os.replace(new, path)`, which happens in one step. And an error in writing must be seen by
        whoever calls `save`.

        To save must not change the training. The file has to lie beside `path` or under it: the check moves the folder before it loads.
        `torch.save(thing, name)` and `torch.load(name)` write and read dicts of tensors and numbers.

        Example: `Checkpoint("run.pt").save(net, optimizer, schedule, generator, {"epoch": 3, "best": 0.41})` in one process. In the next one
        `Checkpoint("run.pt").load(net, optimizer, schedule, generator)` returns `{"epoch": 3, "best": 0.41}`, and the fourth epoch has the same
        batches, the same dropout and the same weights as it would have had.
    """
    cases = _cases
    mistakes = MISTAKES
    alternatives: ClassVar = {"by pickle and pathlib": _Pickled, "by two files in turn": _TwoFiles}
    hints = (
        "Go through one step of the training, and ask of each thing that it reads: would it be the same after a restart? The weights are one of six things.",
        "Five of the six have a state that can be read and set: `state_dict` and `load_state_dict` for network, optimizer and schedule, `get_state` and `set_state` for the generator, "
        "and the two functions of torch for the shared one. Put them into one dict.",
        '`torch.save(state, f"{self.path}.part")`, then `os.replace(f"{self.path}.part", self.path)`. In `load` each thing gets its part back, and the progress is returned.',
    )
