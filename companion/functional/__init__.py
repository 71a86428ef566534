"""Activations, the softmax family and the affine map as pure functions of tensors, written by hand.

None of them calls PyTorch's own version of itself; all of them agree with it in value and gradient, on any
device, for any float type, and under ``torch.func``.
"""

from companion.functional.activations import (
    elu,
    gelu,
    leaky_relu,
    relu,
    sigmoid,
    silu,
    softplus,
    step,
    tanh,
)
from companion.functional.affine import linear
from companion.functional.dropout import dropout, dropout2d
from companion.functional.norm import batch_norm, group_norm, layer_norm
from companion.functional.recurrent import gru_cell, lstm_cell, rnn_cell
from companion.functional.shares import log_softmax, logsumexp, softmax

__all__ = [
    "batch_norm",
    "dropout",
    "dropout2d",
    "elu",
    "gelu",
    "group_norm",
    "gru_cell",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsumexp",
    "lstm_cell",
    "relu",
    "rnn_cell",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "step",
    "tanh",
]
