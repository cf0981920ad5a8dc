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
