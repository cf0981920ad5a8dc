"""Costs, tariffs and cash flows of plants, and the carbon dioxide they save."""
