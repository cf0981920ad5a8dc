"""Rules of solar heat and of who gets the square metre; the shipped values are in heat.toml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from solarkataster.rules.base import Fraction, NotNegative, Positive, Rules, SourcedTable

Use = Literal["pv", "heat", "green"]


class CollectorTable(SourcedTable):
    """A collector as tested by EN ISO 9806 (before: EN 12975)."""

    kind: str
    """Kind of collector, for reports."""

    eta0: Fraction
    """Efficiency at the temperature of the air."""

    a1_w_m2_k: NotNegative
    """Loss per kelvin above the air, in W/(m²K)."""

    a2_w_m2_k2: NotNegative
    """Loss per kelvin squared, in W/(m²K²)."""

    aperture_fraction: Annotated[float, Field(gt=0, le=1)]
    """Share of the collector's area that the three figures above refer to; 1 if tested per gross
    area."""


class LoopTable(SourcedTable):
    """What lies between collector and store."""

    incidence_modifier: Fraction
    """Light at flat angles over light from the front, mean of the year."""

    loop_efficiency: Fraction
    """Share that heat exchanger and loop pass on."""

    pipe_loss_w_k: NotNegative
    """Loss of the pipes, in W/K, whatever the area."""

    pipe_loss_w_m2_k: NotNegative
    """Loss of the pipes per collector area, in W/(m²K)."""

    temperature_difference_k: NotNegative
    """Of collector and air, at which the squared loss is taken, in K."""


class StorageTable(SourcedTable):
    """The solar store."""

    litres_per_m2: Annotated[float, Field(ge=37.5, le=300)]
    """Volume that the sun heats, per collector area; within what the f-chart method holds for."""


class HotWaterTable(SourcedTable):
    """Hot water of a household."""

    litres_per_person_day: NotNegative
    """Hot water of one person in a day."""

    hot_c: Annotated[float, Field(ge=50, le=70)]
    """Its temperature, in °C; within what the correction for hot water holds for."""


class ColdWaterTable(SourcedTable):
    """Water from the mains."""

    cold_c: Annotated[float, Field(ge=0, le=25)]
    """Its temperature, in °C."""


class ResidentsTable(SourcedTable):
    """How people live, where only areas or dwellings are known."""

    living_area_per_person_m2: Positive
    """Living area of one person, in m²."""

    living_area_per_dwelling_m2: Positive
    """Living area of one dwelling, in m²."""


class HeatingTable(SourcedTable):
    """Heat for rooms."""

    is_supported: bool
    """Collectors also support heating."""

    demand_kwh_m2: NotNegative
    """Heat for rooms per living area and year, in kWh/m²."""


class HeatingSeasonTable(SourcedTable):
    """When rooms are heated."""

    base_temperature_c: Annotated[float, Field(ge=0, le=25)]
    """No heating in months that are warmer, in °C."""


class SizingTable(SourcedTable):
    """How much collector a household gets at most."""

    hot_water_m2_per_person: NotNegative
    """Collector area per person for hot water, in m²."""

    with_heating_m2_per_person: NotNegative
    """The same if it supports heating, in m²."""


class RoofLimitTable(SourcedTable):
    """How much collector a roof plane gets at most."""

    max_m2_per_plane: NotNegative
    """In m²."""


class SmallestTable(SourcedTable):
    """The smallest plant."""

    min_m2_per_plane: NotNegative
    """No plane gets less than this, in m²."""


class FlatRoofTable(SourcedTable):
    """Collectors on racks."""

    ground_per_collector: Annotated[float, Field(ge=1, le=10)]
    """Roof area that one m² of collector needs."""


class AllocationTable(SourcedTable):
    """Who gets the square metre."""

    order: Annotated[tuple[Use, ...], Field(strict=False)]
    """Each takes what those before leave; heat or green that is not named gets nothing."""

    green_between_racks: bool
    """Extensive green roofs grow in the strips between rows of racks; else a plane with racks has
    none."""

    @field_validator("order")
    @classmethod
    def _once_and_with_pv(cls, order: tuple[Use, ...]) -> tuple[Use, ...]:
        if len(set(order)) < len(order):
            raise ValueError("a use is named twice")
        if "pv" not in order:
            # Without modules every yield and all money of the run would be silently zero.
            raise ValueError("'pv' in the order; put it last if the other uses come first")
        return order


class HeatRules(Rules):
    """Rules of solar heat."""

    collector: CollectorTable
    loop: LoopTable
    storage: StorageTable
    hot_water: HotWaterTable
    cold_water: ColdWaterTable
    residents: ResidentsTable
    heating: HeatingTable
    heating_season: HeatingSeasonTable
    sizing: SizingTable
    roof_limit: RoofLimitTable
    smallest: SmallestTable
    flat_roof: FlatRoofTable
    allocation: AllocationTable
