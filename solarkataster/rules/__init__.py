"""Dated rules: tariffs, prices, factors, limits and duties, each number with its source."""
