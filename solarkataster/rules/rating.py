"""Limits of the classes, wording about monuments, and what car parks are reckoned with."""

from __future__ import annotations

import itertools
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from solarkataster.rules.base import Fraction, Positive, Rules, SourcedTable, within

#: A sentence of a rule file; a semicolon would part it in two on the map.
Sentence = Annotated[str, Field(min_length=1, pattern=r"^[^;]*$")]


def _rising(values: tuple[float, ...]) -> tuple[float, ...]:
    if not all(low < high for low, high in itertools.pairwise(values)):
        raise PydanticCustomError("not_rising", "limits that rise from class to class")
    return values


def _one_limit_for(*classes: str) -> BeforeValidator:
    """As many limits as there are classes that begin at one; counted before they are read."""

    def check(values: Any) -> Any:
        if isinstance(values, list | tuple) and len(values) != len(classes):
            raise PydanticCustomError(
                "n_limits",
                "{n} limits ({classes}), found {n_found}",
                {"n": len(classes), "classes": ", ".join(classes), "n_found": len(values)},
            )
        return values

    return BeforeValidator(check)


_FOUR = _one_limit_for("mittel", "gut", "sehr gut", "hervorragend")
_THREE = _one_limit_for("mittel", "gut", "sehr gut")
_Share = Annotated[Fraction, Field(gt=0.0)]
Shares = Annotated[
    tuple[_Share, _Share, _Share, _Share], Field(strict=False), AfterValidator(_rising), _FOUR
]
Irradiations = Annotated[
    tuple[Positive, Positive, Positive, Positive],
    Field(strict=False),
    AfterValidator(_rising),
    _FOUR,
]


class ClassTable(SourcedTable):
    """
    From where on mittel, gut, sehr gut and hervorragend are reached; below: gering.

    Either as a share of what the best open plane at the site gets, or in kWh/m² a year; a scheme
    that says nothing of walls leaves them out.
    """

    roofs_fraction: Shares | None = None
    """Share of the best open plane. [–]"""

    roofs_kwh_m2: Irradiations | None = None
    """Irradiation of the roof plane. [kWh/m² a]"""

    walls_fraction: Shares | None = None
    """Share of the best open vertical plane. [–]"""

    walls_kwh_m2: Irradiations | None = None
    """Irradiation of the wall. [kWh/m² a]"""

    @model_validator(mode="after")
    def _one_kind_each(self) -> ClassTable:
        for surface in ("roofs", "walls"):
            if None not in (self.fraction(surface), self.kwh_m2(surface)):
                raise PydanticCustomError(
                    "two_kinds",
                    "{surface}_fraction or {surface}_kwh_m2, not both",
                    {"surface": surface},
                )
        if not any((self.fraction(s) or self.kwh_m2(s)) for s in ("roofs", "walls")):
            raise PydanticCustomError("no_limits", "limits for roofs, walls or both")
        return self

    def fraction(self, surface: str) -> tuple[float, ...] | None:
        """Shares for ``roofs`` or ``walls``."""
        return self.roofs_fraction if surface == "roofs" else self.walls_fraction

    def kwh_m2(self, surface: str) -> tuple[float, ...] | None:
        """Irradiations for ``roofs`` or ``walls``."""
        return self.roofs_kwh_m2 if surface == "roofs" else self.walls_kwh_m2


class BalconyClasses(SourcedTable):
    """From which yield on a balcony plant is called mittel, gut and sehr gut; below: gering."""

    year_kwh: Annotated[
        tuple[Positive, Positive, Positive], Field(strict=False), AfterValidator(_rising), _THREE
    ]
    """Yield of the plant in a year, of its better tilt. [kWh]"""


class Choice(Rules):
    """Which of the tables below classes are made with."""

    roofs: Literal["share", "swiss", "own"] = "share"
    """Scheme of the roofs."""

    walls: Literal["share", "swiss", "own"] = "share"
    """Scheme of the walls."""

    light: Literal["surface", "modules"] = "surface"
    """Light that roofs are rated by: of the roof plane as it lies, or of the modules laid on it,
    which stand on racks where it is flat."""

    with_rejected: bool = False
    """Whether surfaces that hold no module have a class by their light all the same."""


class DataAge(SourcedTable):
    """When a reason tells that the heights are old."""

    max_years: Positive
    """Surface models flown longer ago are named with their year. [a]"""


class MonumentWords(SourcedTable):
    """What a reason says of protected buildings where no state's rule file says more."""

    single: Sentence
    """Of a monument, and where the layer does not tell which kind it is."""

    ensemble: Sentence
    """Of a building in a protected ensemble that is no monument itself."""


class Visibility(SourcedTable):
    """From where a roof is looked at."""

    eye_height_m: Positive
    """Eyes over the ground. [m]"""

    radius_m: Positive
    """A roof farther away than this is not looked at. [m]"""

    viewer_spacing_m: Positive
    """Distance between the places from which one looks. [m]"""


class CarParks(SourcedTable):
    """Spaces and canopies of a car park of which only the outline is known."""

    space_m2: Positive
    """Size of one space. [m²]"""

    least_space_m2: Annotated[float, within(1.0, 50.0, "m²")]
    """More spaces than this leaves room for, lanes left out, are told as doubtful. [m²]"""

    spaces_fraction: Fraction
    """Share of a car park that spaces take, the rest being lanes, paths and greenery. [–]"""

    spaces_fraction_low: Fraction
    """The least of it; an estimate of the number is at least this. [–]"""

    spaces_fraction_high: Fraction
    """The most of it. [–]"""

    canopy_fraction: Fraction
    """Share of a car park that can be roofed with modules. [–]"""

    power_kwp_per_m2: Annotated[float, within(0.05, 0.4, "kWp/m²")]
    """Rated power of a canopy. [kWp/m²]"""

    tilt_deg: Annotated[float, Field(ge=0.0, le=90.0)]
    """Tilt of its modules, which face the noon sun. [°]"""

    @model_validator(mode="after")
    def _in_order(self) -> CarParks:
        if not 0.0 < self.spaces_fraction_low <= self.spaces_fraction <= self.spaces_fraction_high:
            raise PydanticCustomError(
                "order", "spaces_fraction between spaces_fraction_low and spaces_fraction_high"
            )
        return self


class RatingRules(Rules):
    """Classes, monuments, visibility and car parks."""

    choice: Choice = Choice()
    """Schemes that are used."""

    share: ClassTable
    """Shares of the best open plane."""

    swiss: ClassTable
    """Limits of the Swiss cadastre."""

    own: ClassTable | None = None
    """A municipality's own limits."""

    balcony: BalconyClasses
    """Classes of balcony plants."""

    data_age: DataAge
    """Old heights."""

    monuments: MonumentWords
    """Wording."""

    visibility: Visibility
    """View from public space."""

    car_parks: CarParks
    """Canopies."""

    @model_validator(mode="after")
    def _own_is_there(self) -> RatingRules:
        if "own" in (self.choice.roofs, self.choice.walls) and self.own is None:
            raise PydanticCustomError(
                "no_own", "a table [rating.own] with limits, source and date for the scheme own"
            )
        return self

    def scheme(self, surface: str) -> tuple[str, ClassTable]:
        """Name and table of the scheme chosen for ``roofs`` or ``walls``."""
        name = self.choice.roofs if surface == "roofs" else self.choice.walls
        table = getattr(self, name)
        assert table is not None  # see _own_is_there
        return name, table
