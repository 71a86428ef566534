"""Data that is there without a network, as tensors, with names, source and honest splits."""

from companion.data.dataset import Dataset, standardise
from companion.data.embedded import breast_cancer, diabetes, digits, gate, iris

__all__ = ["Dataset", "breast_cancer", "diabetes", "digits", "gate", "iris", "standardise"]
