"""Layers: the functions of :mod:`companion.functional` as modules, drop-in for those of ``torch.nn``.

Names, constructor arguments, parameter names and initial distributions are PyTorch's; a ``state_dict`` made
by one loads into the other. The containers are PyTorch's own.
"""

from torch.nn import Flatten, Module, Parameter, Sequential

from companion.nn.activation import (
    ELU,
    GELU,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Step,
    Tanh,
)
from companion.nn.dropout import Dropout, Dropout2d
from companion.nn.linear import Linear
from companion.nn.norm import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm
from companion.nn.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "BatchNorm1d",
    "BatchNorm2d",
    "Dropout",
    "Dropout2d",
    "Flatten",
    "GRUCell",
    "GroupNorm",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "Module",
    "Parameter",
    "RNNCell",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Step",
    "Tanh",
]
