"""What a model consists of and what it costs: parameters, operations, memory, what an output can see, how signals fare, and how the loss is bent."""

from companion.summary.counts import count_flops, count_parameters, gradient_norms, saved_bytes
from companion.summary.curvature import hessian_vector, sharpness
from companion.summary.field import receptive_field
from companion.summary.signals import Signal, Signals, signals
from companion.summary.table import Row, Summary, summary

__all__ = [
    "Row",
    "Signal",
    "Signals",
    "Summary",
    "count_flops",
    "count_parameters",
    "gradient_norms",
    "hessian_vector",
    "receptive_field",
    "saved_bytes",
    "sharpness",
    "signals",
    "summary",
]
