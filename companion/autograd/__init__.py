"""Automatic differentiation in reverse, on NumPy arrays, small enough to be read in one sitting.

The class is called :class:`Value`, because in this course a ``Tensor`` is always PyTorch's.
"""

from companion.autograd.engine import Value
from companion.autograd.functions import concatenate, cross_entropy, gradcheck, trace

__all__ = ["Value", "concatenate", "cross_entropy", "gradcheck", "trace"]
