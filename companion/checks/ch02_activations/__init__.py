"""Exercises of chapter 02: activation functions, their derivatives and range, and what they do in depth."""
