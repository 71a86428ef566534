"""Exercises of chapter 02: activation functions, their derivatives and range, and what they do in depth."""

from companion.checks.ch02_activations import (
    e1_leaky_relu,
    e2_a_sigmoid_that_does_not_overflow,
    e3_stable_softmax,
    e4_derivatives_by_hand,
    e5_two_linear_layers_are_one,
    e6_count_the_dead_units,
    e7_a_deep_and_narrow_network_that_learns,
)

__all__ = [
    "e1_leaky_relu",
    "e2_a_sigmoid_that_does_not_overflow",
    "e3_stable_softmax",
    "e4_derivatives_by_hand",
    "e5_two_linear_layers_are_one",
    "e6_count_the_dead_units",
    "e7_a_deep_and_narrow_network_that_learns",
]
