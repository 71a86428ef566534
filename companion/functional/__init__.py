"""Activations, the softmax family, the affine map and losses as pure functions of tensors, written by hand.

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
from companion.functional.shares import log_softmax, logsumexp, softmax

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "elu",
    "gelu",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsumexp",
    "mse_loss",
    "nll_loss",
    "relu",
    "sigmoid",
    "sigmoid_focal_loss",
    "silu",
    "softmax",
    "softplus",
    "step",
    "tanh",
]
