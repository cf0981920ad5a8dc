"""Why a roof plane holds no modules, in one sentence each, and what it lacks."""

from __future__ import annotations

from dataclasses import dataclass

#: A plane of which more than this was never measured is too little known to plan on. [–]
MAX_NO_DATA_FRACTION = 0.5

MONUMENT = "monument: needs a permit"


@dataclass(frozen=True)
class Demand:
    """What a plane must offer: module area [m²] and irradiation [kWh/m² a year]."""

    area_m2: float
    year_kwh_m2: float


def small_reason(demand: Demand, module_area_m2: float) -> str:
    """Too few modules fit."""
    if module_area_m2 <= 0.0:
        return "too small: no module fits"
    return f"too small: {_short_of(demand, module_area_m2)}"


def obstacle_reason(demand: Demand, module_area_m2: float, without_m2: float) -> str:
    """Too few modules fit beside the superstructures."""
    return (
        f"obstacles: {_short_of(demand, module_area_m2)}; without superstructures they would "
        f"cover {without_m2:.1f} m²"
    )


def dark_reason(demand: Demand, year_kwh_m2: float, open_kwh_m2: float) -> str:
    """
    Too little light.

    Parameters
    ----------
    demand : Demand
    year_kwh_m2, open_kwh_m2 : float
        What the plane gets, and what it would get under an open sky. [kWh/m²]
    """
    needed = demand.year_kwh_m2
    if open_kwh_m2 < needed:
        return (
            f"north and steep: {open_kwh_m2:.0f} kWh/m² under an open sky, "
            f"{needed - open_kwh_m2:.0f} kWh/m² short of {needed:.0f} kWh/m²"
        )
    return (
        f"too shaded: {year_kwh_m2:.0f} kWh/m² of {open_kwh_m2:.0f} kWh/m² under an open sky, "
        f"{needed - year_kwh_m2:.0f} kWh/m² short of {needed:.0f} kWh/m²"
    )


def patchy_reason(demand: Demand, module_area_m2: float, without_m2: float) -> str:
    """Bright enough on the whole, but the bright parts are too small."""
    return (
        f"too shaded: on the parts with {demand.year_kwh_m2:.0f} kWh/m² "
        f"{_short_of(demand, module_area_m2)}; without shade they would cover {without_m2:.1f} m²"
    )


def no_data_reason(no_data_fraction: float) -> str:
    """The plane was hardly measured."""
    return f"no data: {no_data_fraction:.0%} of the plane without height"


def _short_of(demand: Demand, module_area_m2: float) -> str:
    return (
        f"modules cover {module_area_m2:.1f} m², {demand.area_m2 - module_area_m2:.1f} m² short of "
        f"{demand.area_m2:g} m²"
    )
