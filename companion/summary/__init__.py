"""What a model consists of and what it costs: parameters, operations, memory, and what an output can see."""

from companion.summary.counts import count_flops, count_parameters, gradient_norms, saved_bytes
from companion.summary.field import receptive_field
from companion.summary.table import Row, Summary, summary

__all__ = [
    "Row",
    "Summary",
    "count_flops",
    "count_parameters",
    "gradient_norms",
    "receptive_field",
    "saved_bytes",
    "summary",
]
