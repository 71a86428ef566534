"""Optimizers: how parameters move once their gradients are known, written by hand.

Names, arguments and ``state_dict`` are PyTorch's, without its switches between several versions of one
algorithm (``foreach``, ``fused``, ``capturable``, ``differentiable``). Each update is written once.
"""

from companion.optim.adam import Adam, AdamW
from companion.optim.adaptive import Adagrad, RMSprop
from companion.optim.base import Optimizer
from companion.optim.clip import clip_grad_norm_, clip_grad_value_
from companion.optim.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "clip_grad_norm_", "clip_grad_value_"]
