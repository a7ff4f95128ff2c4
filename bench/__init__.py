"""Measurements: what the platform does, beside yardsticks taken in the same run."""
