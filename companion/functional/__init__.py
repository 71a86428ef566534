"""What layers compute, as pure functions of tensors, written by hand.

None of them calls PyTorch's own version of itself; all of them agree with it in value and gradient, on any
device, for any float type, and under ``torch.func``.
"""

from companion.functional.activations import elu, gelu, leaky_relu, relu, sigmoid, silu, softplus, step, tanh
from companion.functional.affine import linear
from companion.functional.attention import scaled_dot_product_attention
from companion.functional.conv import conv1d, conv2d, conv_transpose2d
from companion.functional.dropout import dropout, dropout2d
from companion.functional.embedding import embedding
from companion.functional.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    nll_loss,
    sigmoid_focal_loss,
)
from companion.functional.norm import batch_norm, group_norm, layer_norm
from companion.functional.pool import adaptive_avg_pool2d, avg_pool2d, max_pool2d
from companion.functional.recurrent import gru_cell, lstm_cell, rnn_cell
from companion.functional.shares import log_softmax, logsumexp, softmax

__all__ = [
    "adaptive_avg_pool2d",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv1d",
    "conv2d",
    "conv_transpose2d",
    "cross_entropy",
    "dropout",
    "dropout2d",
    "elu",
    "embedding",
    "gelu",
    "group_norm",
    "gru_cell",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsumexp",
    "lstm_cell",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "relu",
    "rnn_cell",
    "scaled_dot_product_attention",
    "sigmoid",
    "sigmoid_focal_loss",
    "silu",
    "softmax",
    "softplus",
    "step",
    "tanh",
]
