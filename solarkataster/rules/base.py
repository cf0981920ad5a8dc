"""What every table of a rule file shares: where its numbers come from, and from when."""

from __future__ import annotations

import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Source = Annotated[str, Field(min_length=8)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class Rules(BaseModel):
    """Rules of one topic: tables of numbers, each table with its source."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )


class SourcedTable(Rules):
    """
    One table of a rule file. Its numbers share a source and a date; numbers of another source stand
    in a table of their own.
    """

    source: Source
    """Who says so: publication, law or statistic, exact enough to find it again."""

    date: datetime.date
    """Of the source: published, or in force since."""

    verified: bool = True
    """False if the numbers are derived or could not be looked up again; reports say so."""

    note: str = ""
    """How the numbers were derived, or what they leave out."""
