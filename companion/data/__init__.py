"""Data as tensors, with names, source and honest splits: what travels with the libraries, what is fetched, what is made up."""

from companion.data.augment import (
    jitter,
    mixup,
    random_crop,
    random_erase,
    random_flip,
    random_noise,
    random_rotation,
    random_shift,
    scaling,
    time_shift,
    window_slice,
)
from companion.data.batches import Batches
from companion.data.dataset import Dataset, standardise
from companion.data.embedded import breast_cancer, diabetes, digits, gate, iris, photograph, wine
from companion.data.mapped import MappedBatches
from companion.data.public import cifar10, fashion_mnist
from companion.data.scale import Standardizer
from companion.data.split import Fold, Split, k_fold, train_val_test_split
from companion.data.synthetic import mirror_symmetry, wilson_construction

__all__ = [
    "Batches", "Dataset", "Fold", "MappedBatches", "Split", "Standardizer", "breast_cancer", "cifar10", "diabetes", "digits",
    "fashion_mnist", "gate", "iris", "jitter", "k_fold", "mirror_symmetry", "mixup", "photograph", "random_crop",
    "random_erase", "random_flip", "random_noise", "random_rotation", "random_shift", "scaling", "standardise", "time_shift",
    "train_val_test_split", "wilson_construction", "window_slice", "wine",
]  # fmt: skip
