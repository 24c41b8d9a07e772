"""Figures, printed as ratios in one run; no test asserts a time."""
