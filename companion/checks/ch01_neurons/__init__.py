"""Exercises of chapter 01: weighted sum, threshold, learning rule, and what one neuron cannot do."""

from companion.checks.ch01_neurons import (
    e1_weighted_sum,
    e2_a_movable_threshold,
    e3_the_perceptron_learning_rule,
    e4_train_a_perceptron,
    e5_two_layers_for_one_gate,
    e6_count_the_parameters,
    e7_two_kinds_of_iris_one_neuron,
)

__all__ = [
    "e1_weighted_sum",
    "e2_a_movable_threshold",
    "e3_the_perceptron_learning_rule",
    "e4_train_a_perceptron",
    "e5_two_layers_for_one_gate",
    "e6_count_the_parameters",
    "e7_two_kinds_of_iris_one_neuron",
]
