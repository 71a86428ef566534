"""Train a small network as one does at work: ``python -m companion.train --lr 0.1 --out runs/a``.

Each run has a folder of its own: ``config.json`` what was asked for, ``log.csv`` a row for each epoch, ``last.pt`` all that
``--resume`` needs, ``best.pt`` the weights to use and the scale of their inputs, ``result.json`` what came out. Each of them is
the old file or the new one, never half of each, so a kill at any moment costs an epoch at most.

Exit status: 0 the run is done, 1 the training failed, 2 what was asked for cannot be done, 130 Ctrl-C stopped it.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import numpy as np
import torch
import typer
from torch import Tensor
from torch.nn import Module

import companion
from companion import data as sets
from companion import device as devices
from companion import training
from companion.errors import bad_value
from companion.lr_scheduler import CosineAnnealingLR
from companion.models import mlp
from companion.optim import SGD
from companion.random import generator
from companion.training.files import read_whole, write_atomically, write_text

Parts = dict[str, tuple[Tensor, Tensor]]  # rows and targets of train, val and test

DATA = {f.__name__: f for f in (sets.digits, sets.breast_cancer, sets.iris, sets.wine)}
PRECISIONS = ("float32", "bfloat16", "float16")
SEEDS = range(2**64)
#: For each option: when it is right, what is expected, and what to do.
RULES: dict[str, tuple[Callable[[Any], bool], str, str]] = {
    "data": (DATA.__contains__, f"one of {', '.join(DATA)}", "to add your own, enter it in DATA"),
    "hidden": (lambda n: n >= 1, "1 neuron or more", "64 is a start"),
    "lr": (lambda x: 0 < x < math.inf, "a finite number above 0", "0.1 is a start; then try a third and the triple"),
    "epochs": (lambda n: n >= 1, "1 or more", "20 is a start; the log shows whether the loss still falls"),
    "batch_size": (lambda n: n >= 1, "1 row or more", "64 is a start"),
    "decay": (lambda x: 0 <= x < math.inf, "a finite number, 0 or more", "0 is none, 0.001 a start"),
    "seed": (SEEDS.__contains__, "a whole number from 0 to 2^64 - 1", "0 is as good as any"),
    "split_seed": (SEEDS.__contains__, "a whole number from 0 to 2^64 - 1", "0, so that runs share their test rows"),
    "patience": (lambda n: n >= 0, "0 epochs or more", "0 trains to the end"),
    "precision": (PRECISIONS.__contains__, f"one of {', '.join(PRECISIONS)}", "float32 runs everywhere"),
}


@dataclass(frozen=True)
class Config:
    """Everything that decides what comes out; a wrong value is refused when it is made."""

    data: str = "digits"
    hidden: int = 64
    lr: float = 0.1
    epochs: int = 20
    batch_size: int = 64
    decay: float = 0.001
    seed: int = 0
    split_seed: int = 0
    patience: int = 0
    device: str = "auto"
    precision: str = "float32"

    def __post_init__(self) -> None:
        for name, (right, expected, hint) in RULES.items():
            if not right(value := getattr(self, name)):
                raise bad_value("train", _option(name), expected, repr(value), hint)
        place = self.place  # refuses a device that this machine lacks
        if self.precision == "float16" and place.type != "cuda":
            raise bad_value("train", "--precision", f"float32 or bfloat16 on {place}", "'float16'", "it needs CUDA")

    @property
    def place(self) -> torch.device:
        """Where to train."""
        return devices.pick(None if self.device == "auto" else self.device)


def claim(folder: Path, config: Config, resume: bool) -> dict[str, Any] | None:
    """Make a folder this run's own, or find its run again; return what came out, if that run is finished."""
    asked, result = folder / "config.json", folder / "result.json"
    if not asked.exists():
        if folder.exists() and (not folder.is_dir() or any(path.suffix != ".part" for path in folder.iterdir())):
            raise bad_value("train", "--out", "a folder that is new, empty or a run's", f"'{folder}'", "choose another")
        folder.mkdir(parents=True, exist_ok=True)
        write_text(asked, json.dumps(asdict(config), indent=2) + "\n")
        return None
    if not resume:
        state = "a finished run" if result.exists() else "an unfinished run"
        raise bad_value("train", "--out", "a new folder", f"'{folder}' with {state}", "choose another, or add --resume")
    before = _told(asked)
    changed = [f"{_option(k)} {v} (before {before.get(k)})" for k, v in asdict(config).items() if v != before.get(k)]
    if changed:
        hint = "repeat those of before, or begin a new run with another --out"
        raise bad_value("train", "--resume", f"the options of '{folder}'", ", ".join(changed), hint)
    for part in folder.glob(".*.part"):  # what a kill left in the middle of writing
        part.unlink()
    return _told(result) if result.exists() else None


def _told(path: Path) -> dict[str, Any]:
    """Return what one of a run's JSON files says."""
    try:
        content = json.loads(path.read_text())
    except ValueError:  # no JSON, or no text at all
        content = None
    if not isinstance(content, dict):
        hint = "put it right, or begin a new run with another --out"
        raise bad_value("train", "--resume", f"'{path}' as the run wrote it", "something else", hint)
    return content


def prepare(config: Config) -> tuple[Parts, sets.Standardizer]:
    """Split class by class, measure the scale on the training rows alone, and bring all parts to it."""
    table = DATA[config.data]()
    split = sets.train_val_test_split(len(table), stratify=table.y, generator=generator(config.split_seed))
    scale = sets.Standardizer().fit(table.X[split.train])
    return {name: (scale.transform(table.X[rows]), table.y[rows]) for name, rows in split._asdict().items()}, scale


def train(
    config: Config, folder: Path, *, test: bool = False, callbacks: tuple[training.Callback, ...] = ()
) -> dict[str, Any]:
    """Train from the start, or on from ``last.pt``; write what came out, and return it.

    Args:
        config: What to train, and how.
        folder: A folder that this run has for itself.
        test: Whether to measure on the test rows too: once, for the run that you have chosen by its validation.
        callbacks: What else looks on.

    Raises:
        KeyboardInterrupt: If Ctrl-C ended it; ``last.pt`` holds the last whole epoch.
        FloatingPointError: If the loss has left the numbers.
    """
    parts, scale = prepare(config)
    streams = np.random.SeedSequence(config.seed).generate_state(2, np.uint64)  # a wider layer leaves the order alone
    weights_from, order_from = (generator(int(stream)) for stream in streams)
    X, y = parts["train"]
    model = mlp([X.shape[1], config.hidden, int(y.max()) + 1], generator=weights_from)
    log = training.CSVLog(folder / "log.csv")
    cosine = training.Schedule(lambda optimizer: CosineAnnealingLR(optimizer, T_max=config.epochs))
    best = training.EarlyStopping(config.patience) if config.patience else training.BestWeights()
    last = training.Checkpoint(folder / "last.pt", resume=True)  # the folder is new, or its run is to go on
    history = training.fit(
        model, X, y, loss="cross_entropy", validation=parts["val"], metrics="accuracy",
        optimizer=partial(SGD, momentum=0.9, weight_decay=config.decay), lr=config.lr,
        epochs=config.epochs, batch_size=config.batch_size, generator=order_from,
        device=str(config.place), precision=None if config.precision == "float32" else config.precision,
        callbacks=[*callbacks, log, cosine, best, last],
    )  # fmt: skip
    if history.interrupted:
        raise KeyboardInterrupt(f" after {read_whole('train', last.path)['epoch']} of {config.epochs} epochs")
    weights = {name: value.cpu() for name, value in model.state_dict().items()}  # the best ones: best put them back
    write_atomically(folder / "best.pt", {"model": weights, "mean": scale.mean, "scale": scale.scale})
    result = {
        "epochs": len(log.rows),
        "best_epoch": best.best_epoch,
        **measure(model, parts, test),
        "weights_sha256": hashlib.sha256(b"".join(w.numpy().tobytes() for w in weights.values())).hexdigest(),
        "seconds": log.rows[-1]["seconds"],
        **circumstances(config),
    }
    write_text(folder / "result.json", json.dumps(result, indent=2) + "\n")
    return result


def measure(model: Module, parts: Parts, test: bool) -> dict[str, Any]:
    """Return how many rows each part has, the scores on the validation rows, and those on the test rows if asked."""
    names = ("cross_entropy", "accuracy")
    return {
        "rows": {name: len(y) for name, (_, y) in parts.items()},
        "val": training.evaluate(model, *parts["val"], metrics=names),
        "test": training.evaluate(model, *parts["test"], metrics=names) if test else None,
    }


def circumstances(config: Config) -> dict[str, Any]:
    """Return what else the last digits may depend on."""
    return {
        "device": str(config.place),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "companion": companion.__version__,
    }


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def main(
    out: Annotated[Path, typer.Option(help="The run's folder; it is made.")],
    data: Annotated[str, typer.Option(help=f"What to learn: {', '.join(DATA)}.")] = Config.data,
    hidden: Annotated[int, typer.Option(help="Neurons in the hidden layer.")] = Config.hidden,
    lr: Annotated[float, typer.Option(help="The first learning rate; it falls along a cosine.")] = Config.lr,
    epochs: Annotated[int, typer.Option(help="How often to go through the training rows.")] = Config.epochs,
    batch_size: Annotated[int, typer.Option(help="Rows for each step.")] = Config.batch_size,
    decay: Annotated[float, typer.Option(help="Weight decay.")] = Config.decay,
    seed: Annotated[int, typer.Option(help="Decides the first weights and the order of rows.")] = Config.seed,
    split_seed: Annotated[int, typer.Option(help="Decides which rows are held out.")] = Config.split_seed,
    patience: Annotated[int, typer.Option(help="Epochs without a new best to stop after; 0: none.")] = Config.patience,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = Config.device,
    precision: Annotated[str, typer.Option(help=f"{', '.join(PRECISIONS)}.")] = Config.precision,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in this folder.")] = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write curves for TensorBoard.")] = False,
    test: Annotated[bool, typer.Option("--test", help="Measure on the test rows: once, the run you chose.")] = False,
) -> None:
    """Train a small network, and keep what it takes to trust, repeat and resume the run.

    Exit status: 0 the run is done, 1 the training failed, 2 what was asked for cannot be done, 130 Ctrl-C stopped it.
    """
    try:
        config = Config(data, hidden, lr, epochs, batch_size, decay, seed, split_seed, patience, device, precision)
        board = (training.TensorBoard(out),) if tensorboard else ()
        result = claim(out, config, resume)
    except (ValueError, ImportError, OSError) as error:
        _stop(str(error), 2)
    try:
        if result is None or (test and not result["test"]):
            result = train(config, out, test=test, callbacks=(training.ProgressBar(), *board))
    except KeyboardInterrupt as when:
        _stop(f"Stopped by Ctrl-C{when}. The same command with --resume goes on.", 130)
    except (FloatingPointError, OSError) as error:  # anything else is a fault of the program, and keeps its traceback
        _stop(str(error), 1)
    typer.echo(_sentence(out, result))


def _sentence(out: Path, result: dict[str, Any]) -> str:
    scores = [f"{result[part]['accuracy']:.3f} ({part})" for part in ("val", "test") if result[part]]
    count = f"{result['epochs']} epochs in {result['seconds']:.1f} s, best was number {result['best_epoch']} from 0"
    return f"{out}: accuracy {' and '.join(scores)}; {count}"


def _option(field: str) -> str:
    return "--" + field.replace("_", "-")


def _stop(sentence: str, status: int) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(status)


if __name__ == "__main__":
    app()
