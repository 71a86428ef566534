"""Changes that leave the label as it is, made anew each time an example is seen; and mixtures of two examples."""

from companion.data.augment.images import (
    random_crop,
    random_erase,
    random_flip,
    random_noise,
    random_rotation,
    random_shift,
)
from companion.data.augment.mixture import mixup
from companion.data.augment.series import jitter, scaling, time_shift, window_slice

__all__ = [
    "jitter", "mixup", "random_crop", "random_erase", "random_flip", "random_noise", "random_rotation", "random_shift",
    "scaling", "time_shift", "window_slice",
]  # fmt: skip
