"""Exercises of chapter 09: Regularization."""
