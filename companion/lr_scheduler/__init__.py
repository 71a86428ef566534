"""Learning-rate schedules: how large the steps are, as training goes on.

Names, arguments and ``state_dict`` are PyTorch's. Each schedule here is a function of the step alone, where
PyTorch multiplies the rate that it finds: the numbers are the same, but two schedules on one optimizer do not
multiply, and a warning says so where they take turns (put one after the other with :class:`SequentialLR`). A
rate set by hand lasts until the next step.
"""

from companion.lr_scheduler.base import LRScheduler
from companion.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from companion.lr_scheduler.decay import ExponentialLR, LambdaLR, LinearLR, MultiStepLR, StepLR
from companion.lr_scheduler.one_cycle import OneCycleLR
from companion.lr_scheduler.plateau import ReduceLROnPlateau
from companion.lr_scheduler.range_test import RangeTest, lr_range_test
from companion.lr_scheduler.sequential import SequentialLR

__all__ = [
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "RangeTest",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
    "lr_range_test",
]
