"""Exercises of chapter 01: weighted sum, threshold, learning rule, and what one neuron cannot do."""
