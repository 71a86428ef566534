"""Exercises of chapter 03: Forward propagation and depth."""
