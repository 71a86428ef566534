"""What goes wrong with a checkpoint (exercise 10.5), and what to say about it."""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Callable, Sequence
from typing import Any

import torch

from companion.checks.bank import Mistake

State = dict[str, Any]
Write = Callable[[State, str], None]


def _replacing(state: State, path: str) -> None:
    torch.save(state, f"{path}.part")
    os.replace(f"{path}.part", path)


def _over(state: State, path: str) -> None:
    torch.save(state, path)


def _removed_first(state: State, path: str) -> None:
    if os.path.exists(path):
        os.remove(path)
    torch.save(state, path)


def _never_renamed(state: State, path: str) -> None:
    torch.save(state, f"{path}.part")


def _copied(state: State, path: str) -> None:
    torch.save(state, f"{path}.part")
    shutil.copyfile(f"{path}.part", path)


def _silent(state: State, path: str) -> None:
    try:
        _replacing(state, path)
    except Exception:  # the mistake: nobody is told
        print("could not save")


def _net_of(net: Any) -> State:
    return dict(net.state_dict())


def _set_net(net: Any, state: State) -> None:
    net.load_state_dict(state)


def made(
    without: Sequence[str] = (),
    *,
    write: Write = _replacing,
    net_of: Callable[[Any], State] = _net_of,
    set_net: Callable[[Any, State], None] = _set_net,
    optimizer_of: Callable[[Any], Any] = lambda optimizer: optimizer.state_dict(),
    set_optimizer: Callable[[Any, Any], None] = lambda optimizer, state: optimizer.load_state_dict(state),
    generator_of: Callable[[torch.Generator], Any] = lambda g: g.get_state(),
    set_generator: Callable[[torch.Generator, Any], Any] = lambda g, state: g.set_state(state),
    shared_of: Callable[[], Any] = torch.get_rng_state,
    set_shared: Callable[[Any], Any] = torch.set_rng_state,
    progress_of: Callable[[Any], Any] = lambda progress: progress,
    given_back: Callable[[Any], Any] = lambda progress: progress,
    also: Callable[[Any], object] = lambda net: None,
    exchanged: bool = False,
) -> type:
    """Return a checkpoint by other rules.

    Args:
        without: which parts are not put back: net, optimizer, schedule, generator, shared, progress.
        write: how a state is written.
        net_of: what is kept of the network.
        set_net: how it is put back.
        optimizer_of: what is kept of the optimizer.
        set_optimizer: how it is put back.
        generator_of: what is kept of the generator.
        set_generator: how it is put back.
        shared_of: what is kept of the shared generator.
        set_shared: how it is put back.
        progress_of: what is kept of the progress.
        given_back: what is returned of what was kept.
        also: what is done to the network when it is saved.
        exchanged: whether the states of the two generators are exchanged.
    """

    class Checkpoint:
        def __init__(self, path: str) -> None:
            self.path = path

        def save(self, net: Any, optimizer: Any, schedule: Any, generator: Any, progress: Any) -> None:
            also(net)
            state = {
                **{"net": net_of(net), "optimizer": optimizer_of(optimizer), "schedule": schedule.state_dict()},
                **{"generator": generator_of(generator), "shared": shared_of(), "progress": progress_of(progress)},
            }
            write(state, self.path)

        def load(self, net: Any, optimizer: Any, schedule: Any, generator: Any) -> Any:
            state = torch.load(self.path)
            if exchanged:
                state["generator"], state["shared"] = state["shared"], state["generator"]
            steps = {
                "net": lambda: set_net(net, state["net"]),
                "optimizer": lambda: set_optimizer(optimizer, state["optimizer"]),
                "schedule": lambda: schedule.load_state_dict(state["schedule"]),
                "generator": lambda: set_generator(generator, state["generator"]),
                "shared": lambda: set_shared(state["shared"]),
            }
            for name, step in steps.items():
                if name not in without:
                    step()
            return None if "progress" in without else given_back(state["progress"])

    return Checkpoint


def _parameters_only(net: Any) -> State:
    return {name: p.detach() for name, p in net.named_parameters()}


def _half(net: Any) -> State:
    return {n: t.half() if t.is_floating_point() else t for n, t in net.state_dict().items()}


def _only_groups(optimizer: Any) -> Any:
    state = optimizer.state_dict()
    return {"state": {}, "param_groups": state["param_groups"]}


def _only_moments(optimizer: Any, state: Any) -> None:
    rates = [group["lr"] for group in optimizer.param_groups]
    optimizer.load_state_dict(state)
    for group, rate in zip(optimizer.param_groups, rates):
        group["lr"] = rate


class _InMemory:
    """Keep a copy of everything on the class."""

    kept: tuple[Any, ...] = ()

    def __init__(self, path: str) -> None:
        self.path = path

    def save(self, net: Any, optimizer: Any, schedule: Any, generator: Any, progress: Any) -> None:
        things = [net.state_dict(), optimizer.state_dict(), schedule.state_dict()]
        _InMemory.kept = copy.deepcopy((*things, generator.get_state(), torch.get_rng_state(), progress))

    def load(self, net: Any, optimizer: Any, schedule: Any, generator: Any) -> Any:
        *states, own, shared, progress = copy.deepcopy(_InMemory.kept)
        for thing, state in zip((net, optimizer, schedule), states):
            thing.load_state_dict(state)
        generator.set_state(own)
        torch.set_rng_state(shared)
        return progress


def _seeds(net: Any) -> None:
    torch.manual_seed(0)


_CHANCES = ("generator", "shared")

_PARTS = (
    Mistake(
        "saves the weights alone",
        made(("optimizer", "schedule", *_CHANCES, "progress")),
        "Only the network comes back. Optimizer, schedule, both generators and the progress begin anew.",
        "That is enough to use a network, and not to go on with its training: moments, rate, order of the rows and dropout are others.",
        "Go through one step of the training. What does it read beside the weights?",
    ),
    Mistake(
        "keeps weights, optimizer and progress",
        made(("schedule", *_CHANCES)),
        "Network, optimizer and progress come back. The schedule and both sources of chance begin anew.",
        "So it stands in many examples. The training goes on well, and it is another training: with another rate soon, and other batches.",
        "Three things are missing. Which of them has a `state_dict`, and which ones a `get_state`?",
    ),
    Mistake(
        "keeps weights and optimizer",
        made(("schedule", *_CHANCES, "progress")),
        "Network and optimizer come back, and nothing else: no schedule, no chance, no progress.",
        "Nobody then knows in which epoch the training was. It would begin to count at 0, and go through its schedule once more.",
        "What should `load` return? Begin with that, and then list what a step reads.",
    ),
    Mistake(
        "forgets all chance",
        made(_CHANCES),
        "All that was learned comes back. The order of the rows and the dropout after `load` are others.",
        "Random numbers go on from a state. Two sources are in play here, and neither has been kept.",
        "Where do the rows get their order from, and where does dropout draw?",
    ),
    Mistake(
        "forgets the optimizer",
        made(("optimizer",)),
        "The optimizer begins anew: without its moments, and at the rate that it was made with.",
        "Momentum and the means of Adam hold many steps of the past. The first steps without them are jumps, and a curve shows them as a spike.",
        "Which two methods does every optimizer of PyTorch have for this?",
    ),
    Mistake(
        "keeps the settings of the optimizer only",
        made(optimizer_of=_only_groups),
        "Rate and settings of the optimizer come back. Its moments are lost.",
        "`param_groups` holds settings. What has been gathered over the steps stands in `state`, one entry for each tensor of weights.",
        "Print the keys of `optimizer.state_dict()`, and how many entries each has.",
    ),
    Mistake(
        "keeps the moments of the optimizer only",
        made(set_optimizer=_only_moments),
        "The moments come back. The rate is that with which the optimizer was made.",
        "A schedule has moved the rate since then. It stands in `param_groups`, and comes back with the whole `state_dict`.",
        "Print `optimizer.param_groups[0]['lr']` before saving and after loading.",
    ),
    Mistake(
        "forgets the schedule",
        made(("schedule",)),
        "The schedule begins anew: it does not know how many steps it has taken.",
        "The rate right after `load` is right, because it came with the optimizer. At the schedule's next step it is that of the beginning, or one computed from a wrong count.",
        "Does a schedule have a `state_dict`? Print `schedule.last_epoch` after loading.",
    ),
    Mistake(
        "keeps neither optimizer nor schedule",
        made(("optimizer", "schedule")),
        "Network and chance come back. The optimizer and the schedule that `load` was given have not changed.",
        "They were not kept, or were read into other objects: what is bound to a name within `load` is gone when it returns. "
        "Moments, rate and the count of steps then begin anew.",
        "Both have a `state_dict` and a `load_state_dict`. On which objects do you call these?",
    ),
    Mistake(
        "forgets the generator of the rows",
        made(("generator",)),
        "Everything comes back but the generator that shuffles: from here on the rows come in another order.",
        "No number looks wrong, and the training is another one. Two runs can then not be compared any more.",
        "What does `generator.get_state()` return, and where should it be handed to?",
    ),
    Mistake(
        "forgets the shared generator",
        made(("shared",)),
        "Everything comes back but torch's shared generator: from here on dropout drops other units.",
        "Dropout is handed no generator. It draws from the one that everybody shares, and that has a state, too.",
        "Which two functions of the task read and write the state of this generator?",
    ),
    Mistake(
        "exchanges the two generators",
        made(exchanged=True),
        "Both states of chance are kept, and each comes back in the place of the other.",
        "They look alike, two tensors of bytes, so that nothing complains.",
        "Give them names in the dict by which nobody can confuse them.",
    ),
    Mistake(
        "keeps the seed of the generator",
        made(generator_of=lambda g: g.initial_seed(), set_generator=lambda g, seed: g.manual_seed(seed)),
        "After `load` the generator of the rows stands at its beginning again.",
        "A seed says where a generator began, and not how far it is. The next epoch would have the order of the first one.",
        "What is the difference between `initial_seed()` and `get_state()`?",
    ),
    Mistake(
        "keeps the seed of torch",
        made(shared_of=torch.initial_seed, set_shared=torch.manual_seed),
        "After `load` torch's shared generator stands at its beginning again.",
        "`torch.initial_seed()` says where it began. What dropout has drawn since then is not in it, so that the same units are dropped once more.",
        "Which function of torch gives the state, and not the seed?",
    ),
    Mistake(
        "keeps parameters and no statistics",
        made(net_of=_parameters_only, set_net=lambda net, state: net.load_state_dict(state, strict=False)),
        "The weights come back. The running statistics of the batch normalisation are those of a new network.",
        "`named_parameters` lists what is learned. Means and variances are buffers, which only `state_dict` holds beside the parameters.",
        "Compare the keys of `dict(net.named_parameters())` with those of `net.state_dict()`.",
    ),
    Mistake(
        "keeps weights in half precision",
        made(net_of=_half),
        "The weights come back rounded: they are stored as float16.",
        "Half the file, and half of the digits are gone. To use a network that may do; here each step goes on from other numbers.",
        "Compare a weight before saving and after loading with `torch.equal`.",
    ),
    Mistake(
        "puts everything back but the weights",
        made(("net",)),
        "Everything comes back, and the network keeps the weights with which it was made.",
        "They are loaded into another network or under another name, or not at all. With `strict=False` names that do not fit are passed over without a word.",
        "Print a weight of the network that `load` was given, before and after.",
    ),
    Mistake(
        "loads into other objects",
        made(("net", "optimizer", "schedule")),
        "Network, optimizer and schedule that `load` was given have not changed. What was saved went elsewhere.",
        "What is made or read within `load`, also under the names of its arguments, is gone when it returns. The caller goes on with the objects that were handed over.",
        "Which objects does the caller hold? Call `load_state_dict` on these.",
    ),
)  # fmt: skip

_PROGRESS = (
    Mistake(
        "returns nothing from load",
        made(("progress",)),
        "Everything comes back into the objects. `load` returns None, and the caller does not know in which epoch it is.",
        "The progress is no object that can be filled. It has to be handed back.",
        "What does the last line of your `load` do with the progress?",
    ),
    Mistake(
        "keeps epoch and best only",
        made(progress_of=lambda p: {"epoch": p["epoch"], "best": p["best"]}),
        "`epoch` and `best` come back. Other entries of the progress are lost.",
        "A patience that counts, for example, would begin anew. The task says that there may be more entries.",
        "Who decides what belongs to the progress? Keep the dict as it is.",
        best="AdamW, killed after 1 of 3 epochs",
    ),
    Mistake(
        "counts an epoch on",
        made(given_back=lambda p: {**p, "epoch": p["epoch"] + 1}),
        "The epoch that comes back is larger by one than the one that was saved.",
        "It counts epochs that are done. With one more the resumed training leaves one out.",
        "Who adds 1 to the epoch, the loop or the checkpoint? One of them is enough.",
    ),
    Mistake(
        "counts an epoch back",
        made(progress_of=lambda p: {**p, "epoch": p["epoch"] - 1}),
        "The epoch that comes back is smaller by one than the one that was saved.",
        "Then an epoch that is done would be trained once more, with a schedule that is one ahead.",
        "Print the progress that comes in and the one that goes out.",
    ),
    Mistake(
        "forgets the best so far",
        made(progress_of=lambda p: {k: v for k, v in p.items() if k != "best"}),
        "The epoch comes back. The best value so far does not.",
        "The first epoch after the restart would count as a new best, and its weights would replace better ones.",
        "Which entries does the progress have when it comes in, and which ones when it goes out?",
    ),
    Mistake(
        "returns the epoch alone",
        made(given_back=lambda p: p["epoch"]),
        "`load` returns a number, where it should return the dict with all entries.",
        "Best value, patience and whatever else was there do not come back to the caller.",
        "What type has the progress that was saved, and what type do you return?",
    ),
)

_FILES = (
    Mistake(
        "writes over the old file",
        made(write=_over),
        "Everything comes back. But the new checkpoint is written over the old one: if that breaks off, both are lost.",
        "Opened for writing, a file is empty at once. A kill, or a full disc, then leaves half a file and no training.",
        "Write under another name first. Which function exchanges two files in one step?",
    ),
    Mistake(
        "removes the old file first",
        made(write=_removed_first),
        "The old checkpoint is removed before the new one is there.",
        "Between the two lines lies the whole time of writing, and a kill in it leaves nothing at all.",
        "In which order would you move house: give up the old flat first, or last?",
    ),
    Mistake(
        "never exchanges the files",
        made(write=_never_renamed),
        "The checkpoint is written under another name, and stays there: under `path` nothing can be loaded.",
        "The second half of the protection is missing. Once the new file is whole, it takes the name of the old one.",
        "What does `os.replace(new, path)` do, and where in `save` does it belong?",
    ),
    Mistake(
        "copies the new file over the old one",
        made(write=_copied),
        "The new checkpoint is complete under another name, and then copied over the old one.",
        "A copy is written byte by byte as well, so that a kill may meet it half-way. To rename happens in one step.",
        "Which function of `os` gives a file another name, and replaces what was there?",
    ),
    Mistake(
        "hides that nothing was written",
        made(write=_silent),
        "When the writing fails your `save` goes on as if nothing had happened.",
        "`except` without `raise` swallows the error. It is noticed after the kill, when there is no checkpoint of the last two days.",
        "Who should learn that a checkpoint could not be written, and when?",
    ),
    Mistake(
        "keeps it in memory",
        _InMemory,
        "Nothing is written: what you keep is in memory, and dies with the process.",
        "It works as long as the notebook lives. A kill, or a restart of the machine, takes all of it.",
        "Which line of your `save` writes to `self.path`?",
    ),
    Mistake(
        "sets a seed when it saves",
        made(also=_seeds),
        "Your `save` changes the training: after it, torch's shared generator stands at another place.",
        "A seed in `save` gives every epoch the same dropout. To keep a state is to read it.",
        "Which lines of `save` write to something that the training uses?",
    ),
    Mistake(
        "leaves the network in evaluation",
        made(also=lambda net: net.eval()),
        "After `save` the network is in evaluation, and goes on training like that.",
        "Weights are the same in both modes, so that saving needs neither. From the first checkpoint on nothing would be dropped.",
        "Why does your `save` change the mode? Take the line out.",
    ),
)

_PAIRS = (
    Mistake(
        "saves the weights alone, and writes over the old file",
        made(("optimizer", "schedule", *_CHANCES, "progress"), write=_over),
        "Only the network comes back, from a file that is written over the old one.",
        "That is `torch.save(net.state_dict(), path)`: enough to use a network. To go on with its training five more things are needed, and a second name.",
        "Begin with a dict that holds the state of everything that a step reads. The file comes after that.",
    ),
    Mistake(
        "keeps weights, optimizer and progress, and writes over the old file",
        made(("schedule", *_CHANCES), write=_over),
        "Network, optimizer and progress come back, from a file that is written over the old one.",
        "Three things are missing, the schedule and two sources of chance. And a kill while saving would leave half a file.",
        "Begin with the schedule. Then ask where random numbers come from, and last of all how the file is written.",
    ),
    Mistake(
        "keeps neither optimizer nor schedule, and hides that nothing was written",
        made(("optimizer", "schedule"), write=_silent),
        "The network comes back. The optimizer and the schedule that `load` was given have not changed. And a failed `save` says nothing.",
        "Two things at once: what is bound to a name within `load` is gone when it returns, and an `except` without `raise` swallows the error.",
        "Begin with `load`: call `load_state_dict` on the objects that came in. Then take the `except` out.",
    ),
    Mistake(
        "forgets all chance, and writes over the old file",
        made(_CHANCES, write=_over),
        "All that was learned comes back, without any state of chance, from a file that is written over the old one.",
        "Two things at once: order and dropout go on otherwise, and a kill while saving would leave half a file.",
        "Begin with the two generators. Then write under another name first.",
    ),
    Mistake(
        "forgets the shared generator, and writes over the old file",
        made(("shared",), write=_over),
        "All comes back but torch's shared generator, from a file that is written over the old one.",
        "Two things at once: dropout goes on with other units, and a kill while saving would leave half a file.",
        "Which two functions of the task belong to dropout? After that, look at `os.replace`.",
    ),
    Mistake(
        "forgets the generator of the rows, and writes over the old file",
        made(("generator",), write=_over),
        "All comes back but the generator of the rows, which are then shuffled otherwise, from a file that is written over the old one.",
        "Two things at once: the batches to come are others, and a kill while saving would leave half a file.",
        "Begin with `generator.get_state()`. After that, write under another name first.",
    ),
    Mistake(
        "forgets the schedule, and writes over the old file",
        made(("schedule",), write=_over),
        "All comes back but the count of the schedule, from a file that is written over the old one.",
        "Two things at once: the rates to come are others, and a kill while saving would leave half a file.",
        "Begin with `schedule.state_dict()`. After that, look at `os.replace`.",
    ),
)

MISTAKES = (*_PARTS, *_PROGRESS, *_FILES, *_PAIRS)
