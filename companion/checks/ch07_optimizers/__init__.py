"""Exercises of chapter 07: Optimizers and schedules."""
