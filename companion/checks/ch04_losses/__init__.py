"""Exercises of chapter 04: Loss functions."""
