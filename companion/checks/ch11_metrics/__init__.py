"""Exercises of chapter 11: Evaluation metrics."""
