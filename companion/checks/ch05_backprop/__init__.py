"""Exercises of chapter 05: Backpropagation."""
