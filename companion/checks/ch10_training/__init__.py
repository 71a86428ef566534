"""Exercises of chapter 10: The training loop in practice."""
