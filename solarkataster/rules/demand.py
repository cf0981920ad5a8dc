"""Rules for demand: what buildings use, when they use it, and what else may be connected."""

from __future__ import annotations

import itertools
from typing import Annotated

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from solarkataster.errors import InputError
from solarkataster.rules.base import Fraction, NotNegative, Positive, Rules, SourcedTable
from solarkataster.rules.profiles import DEMAND_PROFILES, refuse_as_demand

_Hour = Annotated[float, Field(ge=0.0, le=24.0)]


class CalendarRules(SourcedTable):
    """Which days are working days."""

    year: Annotated[int, Field(ge=1991, le=2100)]
    """Calendar year whose weekdays, holidays and summer time apply to the typical year."""

    state: str = ""
    """Whose holidays: name of a German state or its ISO code; without it, those all states have."""


class UseClass(SourcedTable):
    """What buildings of one use need."""

    name: str
    """As citizens read it."""

    load_profile: str
    """H25, G25 or L25, or two of them in equal parts: H25+G25; empty for no demand."""

    kwh_per_m2: NotNegative
    """Electricity per floor area, without heating. [kWh/m² a year]"""

    storey_height_m: Positive
    """[m]"""

    most_storeys: Positive
    """Halls are counted as one storey, however high."""

    floor_fraction: Fraction
    """Floor area over the outer area of a storey."""

    most_kwh: NotNegative
    """A building said to use more is not believed; one whose use is unknown, if no use with its
    profile may use as much. [kWh a year]"""

    most_kwh_per_m2: Positive | None = None
    """The same per floor area; no limit where it is missing. [kWh/m² a year]"""

    is_home: bool = False
    """Heat pumps and electric cars are counted for homes only."""

    @field_validator("load_profile")
    @classmethod
    def _is_demand(cls, profile: str) -> str:
        for part in profile.split("+") if profile else ():
            try:
                refuse_as_demand(part)
            except InputError as error:
                raise PydanticCustomError(
                    "no_demand",
                    "{names}, or parts of them joined by +, as {why}",
                    {"names": ", ".join(DEMAND_PROFILES), "why": error.found},
                ) from None
        return profile


class UseCodes(SourcedTable):
    """How building uses in the data are read."""

    ranges: dict[str, list[list[int]]]
    """Use -> ranges of codes of the ALKIS building function, both ends included."""

    words: dict[str, list[str]]
    """Use -> words, in lower case."""

    @model_validator(mode="after")
    def _no_overlap(self) -> UseCodes:
        spans = sorted(
            (low, high, use) for use, pairs in self.ranges.items() for low, high in pairs
        )
        for (low, high, use), (after, _, other) in itertools.pairwise(spans):
            if low > high or after <= high:
                raise PydanticCustomError(
                    "overlap", f"ranges that do not overlap ({use} {low} to {high}, {other})"
                )
        words = sorted((word, use) for use, some in self.words.items() for word in some)
        for (word, use), (after_word, other) in itertools.pairwise(words):
            if word == after_word:
                raise PydanticCustomError(
                    "twice", f"each word once ({word!r} is in {use} and {other})"
                )
        return self


class Volume(SourcedTable):
    """From the highest point to the storeys."""

    height_fraction: Fraction
    """Mean height of a building with floors, over that of its highest roof plane."""


class GivenFloorArea(SourcedTable):
    """When a floor area that is given is believed."""

    most_per_storeys: Annotated[float, Field(ge=1.0, le=100.0)]
    """Not if it is more than this times footprint × storeys. [–]"""


class FlatRules(SourcedTable):
    """The mean flat, where a home's flats are known and its floor area is not."""

    floor_area_m2: Positive
    """[m²]"""


class HeatPumpRules(SourcedTable):
    """Heat pumps, off unless a building says otherwise."""

    by_default: bool
    """Whether a home has one if nothing is said of it."""

    heat_kwh_per_m2: NotNegative
    """Heat for rooms and hot water per floor area. [kWh/m² a year]"""

    hot_water_fraction: Fraction
    """Of it, for hot water."""

    heating_limit_c: float
    """Rooms are heated below this mean outdoor temperature. [°C]"""

    day_weights: list[NotNegative]
    """Weight of the outdoor temperature of today, yesterday and so on."""

    flow_at_zero_c: float
    """Temperature of the heating water when it is 0 °C outside. [°C]"""

    flow_per_k: NotNegative
    """By how much it is lower per degree that it is warmer outside. [K/K]"""

    hot_water_c: float
    """Temperature of the hot water. [°C]"""

    cop_coefficients: Annotated[list[float], Field(min_length=3, max_length=3)]
    """Constant, linear and square term over the lift of temperature. [–, 1/K, 1/K²]"""

    cop_correction: Fraction
    """What of it remains in use, against the test bench."""

    least_lift_k: NotNegative
    """Lifts below are taken as this. [K]"""


class CarRules(SourcedTable):
    """Electric cars, off unless a building says otherwise."""

    per_home: NotNegative
    """Cars per flat if nothing is said of them."""

    km_per_year: NotNegative
    """[km]"""

    kwh_per_100_km: NotNegative
    """At the meter, losses of charging included. [kWh]"""

    home_charging_fraction: Fraction
    """Of it charged at home."""

    charge_kw: Positive
    """Power of the charging point. [kW]"""

    leaves_at: _Hour
    """On working days, local time. [h]"""

    arrives_from: _Hour
    """Arrivals spread evenly from here. [h]"""

    arrives_to: _Hour
    """To here. [h]"""

    is_solar_led: bool
    """Charge when the sun shines and the car is there, otherwise on arrival."""

    most_waiting_kwh: NotNegative
    """Solar-led: what may wait for the sun; more is charged at once. [kWh]"""


class BatteryRules(SourcedTable):
    """Batteries: size by rule, and what all share."""

    kwh_per_kwp: NotNegative
    """Usable size per rated power of the plant. [kWh/kWp]"""

    kwh_per_mwh_demand: NotNegative
    """But not more than this per demand. [kWh/(MWh a year)]"""

    least_kwh: NotNegative
    """No battery where the rule gives less. [kWh]"""

    most_kwh: NotNegative
    """And none larger. [kWh]"""

    least_kwp_per_mwh: NotNegative
    """No battery where the plant is smaller than this for the demand. [kWp/(MWh a year)]"""

    charge_efficiency: Annotated[float, Field(gt=0.0, le=1.0)]
    """From the house's wires into the cells."""

    discharge_efficiency: Annotated[float, Field(gt=0.0, le=1.0)]
    """And back."""

    power_kw_per_kwh: Positive
    """Power in and out per usable size. [kW/kWh]"""


class DemandRules(Rules):
    """Demand of buildings."""

    calendar: CalendarRules
    volume: Volume
    use_codes: UseCodes
    use: dict[str, UseClass]
    given_floor_area: GivenFloorArea
    flat: FlatRules
    heat_pump: HeatPumpRules
    car: CarRules
    battery: BatteryRules

    @model_validator(mode="after")
    def _codes_name_classes(self) -> DemandRules:
        for use in [*self.use_codes.ranges, *self.use_codes.words]:
            if use not in self.use:
                raise PydanticCustomError(
                    "no_class", f"codes for classes of [use] only ({use!r} is none)"
                )
        return self
