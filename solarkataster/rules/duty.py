"""What a state's law asks of buildings and car parks: one file of rules per state."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from solarkataster.rules.base import Fraction, NotNegative, Positive, Rules, SourcedTable
from solarkataster.rules.rating import MonumentWords

#: Kinds of building a law can speak of.
Group = Literal["commercial", "public", "residential", "other"]

#: What sets a duty off.
Event = Literal["new build", "roof renovation"]

_Names = Annotated[tuple[str, ...], Field(strict=False)]
_Text = Annotated[str, Field(min_length=1)]


class Law(SourcedTable):
    """The law; ``date`` is that of its version."""

    name: _Text
    """As citizens read it, with the state."""


class Groups(SourcedTable):
    """Which uses and owners the law's words mean."""

    commercial: _Names
    """Use classes of trade, crafts, industry and traffic."""

    public: _Names
    """Use classes of public services; a duty also asks for a public owner."""

    offices: _Names
    """Use classes that are public with a public owner, and may be commercial with another."""

    unclear: _Names
    """Use classes that the law's words divide, or that have exemptions: always unknown."""

    residential: _Names
    """Use classes of homes."""

    other: _Names
    """Use classes the law names nowhere, such as farming."""

    public_owners: _Names
    """Owner classes of the public hand."""

    commercial_owners: _Names
    """Owner classes of businesses, for car parks, which have no use class."""

    private_owners: _Names
    """Owner classes whose car parks the law leaves out."""

    @model_validator(mode="after")
    def _each_once(self) -> Groups:
        names = [
            name
            for group in (
                self.commercial, self.public, self.offices, self.unclear, self.residential,
                self.other,
            )
            for name in group
        ]  # fmt: skip
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PydanticCustomError(
                "twice", "each use class in one group, found twice: {names}", {"names": twice}
            )
        return self


class BuildingDuty(SourcedTable):
    """Duty to build a solar plant, for one group of buildings."""

    paragraphs: _Text
    """Where the law says so."""

    events: Annotated[tuple[Event, ...], Field(strict=False, min_length=1)]
    """What sets it off."""

    since: datetime.date
    """Building applications from this day on."""

    above_usable_area_m2: NotNegative
    """Buildings with more usable floor area than this. [m²]"""


class ReadyDuty(SourcedTable):
    """Duty to prepare a roof for a later plant; no plant is asked for."""

    paragraphs: _Text
    """Where the law says so."""

    since: datetime.date
    """Building applications from this day on."""


class CarParkDuty(SourcedTable):
    """Duty to build a canopy with modules over new car parks."""

    paragraphs: _Text
    """Where the law says so."""

    from_spaces: Positive
    """Car parks with at least so many spaces."""

    since_commercial: datetime.date
    """Applications from this day on, car parks of businesses."""

    since_public: datetime.date
    """The same, car parks of the public hand."""


class UsableArea(SourcedTable):
    """Between what bounds the usable floor area lies, where only footprint and height are known."""

    least_of_footprint: Fraction
    """At least this share of the footprint is usable floor: one storey without walls, stairs and
    plant rooms. [–]"""

    storey_height_m: Positive
    """Least height of a storey; with it and one cellar the most storeys are counted. [m]"""


class DutyRules(Rules):
    """One state."""

    state: _Text
    """Its name."""

    law: Law
    """The law."""

    groups: Groups
    """Its words."""

    buildings: dict[Group, BuildingDuty] = Field(default={})
    """Duties by group; a group without one has none."""

    ready: ReadyDuty | None = None
    """Preparation for a later plant, all groups."""

    car_parks: CarParkDuty | None = None
    """Canopies."""

    usable_area: UsableArea
    """Bounds of an unknown area."""

    monuments: MonumentWords | None = None
    """Wording about monuments in this state."""
