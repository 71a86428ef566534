"""Data that is there without a network, as tensors, with names, source and honest splits."""

from companion.data.dataset import Dataset, standardise
from companion.data.embedded import breast_cancer, diabetes, digits, gate, iris
from companion.data.scale import Standardizer
from companion.data.split import Fold, Split, k_fold, train_val_test_split

__all__ = [
    "Dataset", "Fold", "Split", "Standardizer", "breast_cancer", "diabetes", "digits", "gate", "iris", "k_fold", "standardise",
    "train_val_test_split",
]  # fmt: skip
