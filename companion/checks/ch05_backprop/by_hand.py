"""What must not do the work where slopes are to be found by hand (exercises 05.1 to 05.3 and 05.5 to 05.7)."""

from __future__ import annotations

AUTOGRAD = (
    "autograd.grad",
    "autograd.backward",
    "Tensor.backward",
    "_VariableFunctionsClass._make_dual",  # what torch.func.jvp and jacfwd, and dual numbers, begin with
)
"""Every way into autograd, back or forward, passes one of these. Recording alone does no harm."""
