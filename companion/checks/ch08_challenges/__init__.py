"""Exercises of chapter 08: What goes wrong: challenges in training."""
