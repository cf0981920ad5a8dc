"""Why a roof plane holds no modules, in one sentence each, and what it lacks."""

from __future__ import annotations

from dataclasses import dataclass

#: A plane of which more than this was never measured is too little known to plan on. [–]
MAX_NO_DATA_FRACTION = 0.5

#: A reason names no more decimals than these. [–]
_MOST_DECIMALS = 6

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


def facing_reason(demand: Demand, open_kwh_m2: float, *, is_north_steep: bool) -> str:
    """
    Too little light even under an open sky.

    Parameters
    ----------
    demand : Demand
    open_kwh_m2 : float
        What the plane's modules would get. [kWh/m²]
    is_north_steep : bool
        The plane is steep and looks away from the noon sun.
    """
    got, short, needed = _apart(open_kwh_m2, demand.year_kwh_m2, 0)
    why = "north and steep" if is_north_steep else "too little light as it faces"
    return f"{why}: {got} kWh/m² under an open sky, {short} kWh/m² short of {needed} kWh/m²"


def dark_reason(demand: Demand, year_kwh_m2: float, open_kwh_m2: float) -> str:
    """
    Too much shade.

    Parameters
    ----------
    demand : Demand
    year_kwh_m2, open_kwh_m2 : float
        What the plane's modules get, and what they would get under an open sky. [kWh/m²]
    """
    got, short, needed = _apart(year_kwh_m2, demand.year_kwh_m2, 0)
    decimals = len(got.partition(".")[2])
    return (
        f"too shaded: {got} kWh/m² of {open_kwh_m2:.{decimals}f} kWh/m² under an open sky, "
        f"{short} kWh/m² short of {needed} kWh/m²"
    )


def patchy_reason(demand: Demand, module_area_m2: float, without_m2: float) -> str:
    """Bright enough on the whole, but the bright parts are too small."""
    return (
        f"too shaded: on the parts with {demand.year_kwh_m2:.0f} kWh/m² "
        f"{_short_of(demand, module_area_m2)}; without shade they would cover {without_m2:.1f} m²"
    )


def both_reason(demand: Demand, module_area_m2: float, without_m2: float) -> str:
    """Neither less shade nor fewer superstructures alone would do."""
    return (
        f"obstacles and shade: {_short_of(demand, module_area_m2)}; without both they would cover "
        f"{without_m2:.1f} m²"
    )


def no_data_reason(no_data_fraction: float) -> str:
    """The plane was hardly measured."""
    return f"no data: {no_data_fraction:.0%} of the plane without height"


def _short_of(demand: Demand, module_area_m2: float) -> str:
    # A demand of the config is repeated as it stands there, to square decimetres.
    decimals = 1 if round(demand.area_m2, 1) == demand.area_m2 else 2
    got, short, needed = _apart(module_area_m2, demand.area_m2, decimals)
    return f"modules cover {got} m², {short} m² short of {needed} m²"


def _apart(got: float, needed: float, decimals: int) -> tuple[str, str, str]:
    """
    What there is, what is missing and what is needed, as numbers that add up for the reader.

    Decimals are added until something is missing: 9.99 m² are 0.01 m² short of 10 m², not 0.0.
    """
    while decimals < _MOST_DECIMALS and round(got, decimals) >= round(needed, decimals):
        decimals += 1
    got, needed = round(got, decimals), round(needed, decimals)
    whole = f"{needed:.{decimals}f}"
    if decimals:
        whole = whole.rstrip("0").rstrip(".")
    return f"{got:.{decimals}f}", f"{needed - got:.{decimals}f}", whole
