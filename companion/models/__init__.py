"""Whole models, put together from the layers of :mod:`companion.nn`."""

from companion.models.mlp import mlp
from companion.models.perceptron import Perceptron, PerceptronHistory, PerceptronStep

__all__ = ["Perceptron", "PerceptronHistory", "PerceptronStep", "mlp"]
