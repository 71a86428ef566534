"""Whole models, put together from the layers of :mod:`companion.nn`."""

from companion.models.inception import Inception, InceptionBlock
from companion.models.lenet import LeNet
from companion.models.mlp import mlp
from companion.models.perceptron import Perceptron, PerceptronHistory, PerceptronStep
from companion.models.resnet import ResidualBlock, ResNet
from companion.models.vgg import VGG

__all__ = [
    "VGG",
    "Inception",
    "InceptionBlock",
    "LeNet",
    "Perceptron",
    "PerceptronHistory",
    "PerceptronStep",
    "ResNet",
    "ResidualBlock",
    "mlp",
]
