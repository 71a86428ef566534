"""The training loop that every chapter uses, what looks on meanwhile, and what comes out of it.

:func:`fit` holds what every training needs. The rest are callbacks: stopping in time, schedules, clipping,
checkpoints, progress. A callback is a class with a few methods, and yours are as good as these.
"""

from companion.training.adjust import ClipGradients, FreezeNorm, Schedule
from companion.training.checkpoint import Checkpoint, load_weights
from companion.training.evaluation import accuracy, evaluate, predict
from companion.training.loop import fit
from companion.training.report import CSVLog, ProgressBar, TensorBoard
from companion.training.run import Callback, History, Run
from companion.training.stopping import BestWeights, EarlyStopping
from companion.training.temperature import fit_temperature

__all__ = [
    "BestWeights",
    "CSVLog",
    "Callback",
    "Checkpoint",
    "ClipGradients",
    "EarlyStopping",
    "FreezeNorm",
    "History",
    "ProgressBar",
    "Run",
    "Schedule",
    "TensorBoard",
    "accuracy",
    "evaluate",
    "fit",
    "fit_temperature",
    "load_weights",
    "predict",
]
