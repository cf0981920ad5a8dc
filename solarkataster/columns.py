"""One column of a result table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column of a result table."""

    name: str
    dtype: str
    unit: str
    description: str


def number_column(name: str, unit: str, description: str) -> Column:
    """A column of numbers, NaN where unknown."""
    return Column(name, "float64", unit, description)


def text_column(name: str, description: str) -> Column:
    """A column of texts, empty where there is nothing to say."""
    return Column(name, "str", "–", description)
