"""Compiled loops: numpy arrays and numbers in, numbers out."""
