"""What tells you how a training goes: a progress bar, a log file, and TensorBoard."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from companion.errors import bad_value
from companion.training.files import write_text
from companion.training.run import Callback, Run


class ProgressBar(Callback):
    """Draw a bar that grows with every step, with the losses of the last epoch beside it.

    Args:
        show: Whether to draw it; None draws only where somebody looks, in a terminal, and prints nothing into
            a file, a pipe or a stored notebook.

    >>> bar = ProgressBar()
    """

    def __init__(self, show: bool | None = None) -> None:
        self.show = show
        self._bar: Any = None

    def on_epoch_start(self, run: Run) -> None:
        """Open the bar at the first epoch."""
        if self._bar is not None or not (sys.stderr.isatty() if self.show is None else self.show):
            return
        from tqdm import tqdm

        total = None if run.batches is None else run.epochs * run.batches
        self._bar = tqdm(total=total, initial=run.step, unit="step", file=sys.stderr, dynamic_ncols=True)

    def on_step_end(self, run: Run) -> None:
        """Move it."""
        if self._bar is not None:
            self._bar.update()

    def on_epoch_end(self, run: Run) -> None:
        """Write the numbers of the epoch beside it."""
        if self._bar is not None:
            numbers = {name: f"{values[-1]:.4g}" for name, values in run.history.columns().items()}
            self._bar.set_postfix(epoch=f"{run.epoch + 1}/{run.epochs}", **numbers)

    def on_fit_end(self, run: Run) -> None:
        """Close it."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class CSVLog(Callback):
    """Write a row for each epoch into a file that every table program reads.

    The columns are the epoch, counted from 0, the learning rate, the history's numbers and the seconds since the
    start. All rows are written anew each time, and the file takes its name when it is whole: a kill leaves no half
    line. A checkpoint keeps the rows, so that a training that goes on writes below them, none lost and none twice.

    Args:
        path: The file, in a folder that exists. A new training writes over it.

    Attributes:
        rows: What is in the file, one dictionary for each epoch.

    >>> log = CSVLog("log.csv")
    >>> log.rows
    []
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.rows: list[dict[str, float]] = []
        if not self.path.parent.is_dir():
            raise bad_value("CSVLog", "path", "a file in a folder that exists", f"'{path}'", "Path.mkdir makes one")

    def on_fit_start(self, run: Run) -> None:
        """Forget an earlier training, and start the clock."""
        self.rows, self._start = [], time.perf_counter()

    def on_epoch_end(self, run: Run) -> None:
        """Write the epoch's row below the others."""
        numbers = {name: values[-1] for name, values in run.history.columns().items()}
        seconds = round(time.perf_counter() - self._start, 3)
        self.rows.append({"epoch": run.epoch, "lr": run.optimizer.param_groups[0]["lr"], **numbers, "seconds": seconds})
        lines = [",".join(map(str, line)) for line in (self.rows[0], *[row.values() for row in self.rows])]
        write_text(self.path, "\n".join(lines) + "\n")

    def state_dict(self) -> dict[str, Any]:
        """Return the rows."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on below those rows, with their seconds on the clock."""
        self.rows = list(state_dict["rows"])
        self._start -= self.rows[-1]["seconds"] if self.rows else 0.0


class TensorBoard(Callback):
    """Write the history and the learning rates of every epoch into a folder that ``tensorboard`` shows.

    Args:
        folder: Where to; ``tensorboard --logdir folder`` draws the curves of all runs in it.

    Raises:
        ImportError: If the package tensorboard is missing.

    >>> from companion.training import fit
    >>> fit(model, X, y, loss="mse", callbacks=[TensorBoard("runs/first")])  # doctest: +SKIP
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            missing = bad_value("TensorBoard", "environment", "the package tensorboard", "none", EXTRA)
            raise ImportError(str(missing)) from error
        self.folder = Path(folder)
        self._open: Any = SummaryWriter
        self._writer: Any = None

    def on_epoch_end(self, run: Run) -> None:
        """Write one point for each curve."""
        if self._writer is None:
            self._writer = self._open(str(self.folder))
        for name, values in run.history.columns().items():
            self._writer.add_scalar(name, values[-1], run.epoch)
        for i, group in enumerate(run.optimizer.param_groups):
            self._writer.add_scalar(f"lr/{i}", group["lr"], run.epoch)

    def on_fit_end(self, run: Run) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


EXTRA = "pip install 'neurons-to-gans[tensorboard]' brings it"
