"""Layers: the functions of :mod:`companion.functional` as modules, to be read and used in place of ``torch.nn``'s.

Names, constructor arguments, parameter names and initial distributions are PyTorch's; a ``state_dict`` made
by one loads into the other. The containers are PyTorch's own.

Not all that takes PyTorch's layers takes these. ``inplace=True`` is refused, and losses have no
``size_average`` and ``reduce``. ``torch.jit.script`` cannot read them; ``torch.compile`` can.
``isinstance(layer, torch.nn.Linear)`` is false, so tools that look for PyTorch's classes (quantisation,
initial weights by kind of layer) pass them by. Shapes and targets are checked more strictly.
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
from companion.nn.attention import MultiheadAttention
from companion.nn.conv import Conv1d, Conv2d, ConvTranspose2d
from companion.nn.dropout import Dropout, Dropout2d
from companion.nn.embedding import Embedding
from companion.nn.linear import Linear
from companion.nn.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    FocalLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
)
from companion.nn.norm import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm
from companion.nn.pool import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from companion.nn.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from companion.nn.transformer import TransformerEncoder, TransformerEncoderLayer

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "CrossEntropyLoss",
    "Dropout",
    "Dropout2d",
    "Embedding",
    "Flatten",
    "FocalLoss",
    "GRUCell",
    "GroupNorm",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "MultiheadAttention",
    "NLLLoss",
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
    "TransformerEncoder",
    "TransformerEncoderLayer",
]
