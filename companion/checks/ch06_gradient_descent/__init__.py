"""Exercises of chapter 06: Gradient descent."""
