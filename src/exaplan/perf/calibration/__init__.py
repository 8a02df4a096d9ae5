"""Fit the coefficients of the performance model to published measurements, and say how far they can be trusted."""
