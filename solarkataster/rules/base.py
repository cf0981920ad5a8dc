"""What every table of a rule file shares: where its numbers come from, and from when."""

from __future__ import annotations

import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

_SHORTEST_SOURCE = 8
_FIRST_YEAR, _LAST_YEAR = 1900, 2100


def within(low: float, high: float, unit: str) -> AfterValidator:
    """
    Bounds of a number whose unit is easily mistaken; what lies outside is taken for another unit.

    Parameters
    ----------
    low, high : float
        Both included.
    unit : str
        As the message names it.

    Returns
    -------
    AfterValidator
        For ``Annotated[float, within(...)]``.
    """
    expected = f"a number from {low:g} to {high:g} {unit}".rstrip()

    def check(value: float) -> float:
        # Also false for NaN.
        if not low <= value <= high:
            raise PydanticCustomError("not_within", "{expected}", {"expected": expected})
        return value

    return AfterValidator(check)


def _told(source: str) -> str:
    source = source.strip()
    if len(source) < _SHORTEST_SOURCE or not any(letter.isalpha() for letter in source):
        raise PydanticCustomError(
            "no_source",
            "at least {n} characters with letters: publication, law or statistic",
            {"n": _SHORTEST_SOURCE},
        )
    return source


def _of_our_time(day: datetime.date) -> datetime.date:
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise PydanticCustomError(
            "not_of_our_time",
            "a day of the years {first} to {last}",
            {"first": _FIRST_YEAR, "last": _LAST_YEAR},
        )
    return day


Source = Annotated[str, AfterValidator(_told)]
SourceDate = Annotated[datetime.date, AfterValidator(_of_our_time)]
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

    date: SourceDate
    """Of the source: published, or in force since."""

    verified: bool = True
    """False if the numbers are derived or could not be looked up again; reports say so."""

    note: str = ""
    """How the numbers were derived, or what they leave out."""
