"""What the tiles of the web map carry: what a citizen's card shows, and nothing that is private."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from solarkataster.columns import Column
from solarkataster.layers import BUILDING_COLUMNS, FACADE_COLUMNS, ROOF_COLUMNS

#: Decimals that the tiles keep, by the end of the column's name; the tables have all of them.
_DECIMALS = (
    ("_kwh_m2", 1),
    ("_kwh_per_kwp", 0),
    ("_eur_per_kwh", 4),
    ("battery_kwh", 1),
    ("_kwh", 0),
    ("_kwp", 2),
    ("_eur", 0),
    ("_kg_per_year", 0),
    ("_years", 1),
    ("n_spaces", 0),
    ("_m2", 1),
    ("_m", 2),
    ("azimuth", 1),
    ("tilt", 1),
    ("", 4),
)

#: The page tells dates once; parts of a yield's loss and of its uncertainty are for the tables.
_TOLD_ELSEWHERE = (
    "surface_model_date",
    "footprint_date",
    "suitability_fraction",
    "loss_incidence_fraction",
    "loss_temperature_fraction",
    "loss_shading_mismatch_fraction",
    "loss_inverter_fraction",
    "module_poa_year_kwh_m2",
    "yield_sigma_common_fraction",
    "yield_sigma_own_fraction",
    "yield_sigma_fraction",
)
_NOT_OF_ROOFS = ("pv_area_m2", "monument_visible")
_NOT_OF_FACADES = (
    "surface_tilt",
    "foot_elevation_m",
    "ground_elevation_m",
    "window_fraction",
    "overhang_source",
)
#: Who owns a building is nobody's business; the rest is for the tables.
_NOT_OF_BUILDINGS = (
    "owner_class",
    "is_own_building",
    "district",
    "facade_usable_area_m2",
    "self_consumed_kwh",
    "self_consumed_battery_kwh",
    "curtailed_kwh",
    "irr_fraction",
    "heat_demand_year_kwh",
    "heat_first_pv_fraction",
)


def _without(columns: tuple[Column, ...], *left_out: str) -> tuple[Column, ...]:
    names = (*_TOLD_ELSEWHERE, *left_out)
    return tuple(one for one in columns if one.name not in names)


ROOF_TILE_COLUMNS = (
    *_without(ROOF_COLUMNS, *_NOT_OF_ROOFS),
    Column("building_height_m", "float64", "m", "Height of its building, to draw it in 3D."),
)
BUILDING_TILE_COLUMNS = _without(BUILDING_COLUMNS, *_NOT_OF_BUILDINGS)
FACADE_TILE_COLUMNS = (
    *_without(FACADE_COLUMNS, *_NOT_OF_FACADES),
    Column(
        "storeys",
        "str",
        "–",
        "JSON, one list a storey with a value, the lowest first: storey, kWh/m² a year, class, kWh "
        "of a balcony plant upright and tilted, its class.",
    ),
)
#: Strips of storeys: nothing that a rating changes, so that they need not be cut again.
STRIP_TILE_COLUMNS = (
    Column("facade_id", "str", "–", "Wall it belongs to."),
    Column("storey", "int32", "–", "0 at the ground."),
    Column("base_m", "float64", "m", "Lower edge over the ground of the building."),
    Column("top_m", "float64", "m", "Upper edge over it."),
    Column("poa_global_year_kwh_m2", "float64", "kWh/m²", "Global irradiation, year."),
)
PARKING_TILE_COLUMNS = (
    Column("parking_id", "str", "–", "The input's id as text."),
    Column("name", "str", "–", "As given."),
    Column("area_m2", "float64", "m²", "Of the outline."),
    Column("n_spaces", "float64", "–", "Parking spaces."),
    Column("n_spaces_source", "str", "–", "Whether they are given or estimated."),
    Column("canopy_area_m2", "float64", "m²", "Area that a canopy could cover."),
    Column("dc_power_kwp", "float64", "kWp", "Power on it."),
    Column("yield_year_kwh", "float64", "kWh", "Yield of a typical year."),
    Column("solar_duty", "str", "–", "What the state's law would ask for."),
    Column("solar_duty_basis", "str", "–", "Law, paragraph and date."),
    Column("reason", "str", "–", "What is missing."),
)
ROOF_OVERVIEW = ("roof_id", "poa_global_year_kwh_m2", "suitability", "building_height_m")
BUILDING_OVERVIEW = ("building_id", "poa_global_year_kwh_m2", "suitability", "height_m")

#: What would tell a demand that somebody has given: computed with it, or the figure itself.
_OF_DEMAND = (
    "annual_demand_kwh",
    "feed_in_kwh",
    "grid_draw_kwh",
    "self_consumption_fraction",
    "autarky_fraction",
    "battery_kwh",
    "feed_in_battery_kwh",
    "self_consumption_battery_fraction",
    "autarky_battery_fraction",
    "investment_eur",
    "npv_eur",
    "npv_p90_eur",
    "payback_years",
    "payback_p90_years",
    "lcoe_eur_per_kwh",
    "npv_self_consumption_eur",
    "npv_battery_eur",
)
_TEXTS_OF_DEMAND = ("variant", "load_profile")
_GIVEN, _UNKNOWN = "given", "unknown"


def public_buildings(buildings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """
    Buildings without what somebody has told about one household or firm.

    Parameters
    ----------
    buildings : GeoDataFrame, shape (n_building,)
        Columns of :data:`solarkataster.layers.BUILDING_COLUMNS`.

    Returns
    -------
    GeoDataFrame, same rows
        Where the demand was given: no demand, and nothing that it can be worked out from. Of
        demands that were refused the remark says so, but not how much was given;
        ``demand_source`` of unknown ones is "unknown" alone.
    """
    source = _text(buildings["demand_source"])
    is_given = (source == _GIVEN).to_numpy()
    is_unknown = source.str.startswith(_UNKNOWN).to_numpy()
    reason = _text(buildings["demand_reason"]).str.replace(
        r"^(Bedarf un(?:glaubwürdig|brauchbar)):[^;]*", r"\1: Angabe nicht verwendet", regex=True
    )
    hidden: dict[str, np.ndarray] = {
        "demand_source": np.where(is_unknown, _UNKNOWN, source),
        "demand_reason": np.where(is_given, "", reason),
    }
    for name in _OF_DEMAND:
        hidden[name] = np.where(is_given, np.nan, buildings[name].astype("float64"))
    for name in _TEXTS_OF_DEMAND:
        hidden[name] = np.where(is_given, "", _text(buildings[name]))
    return buildings.assign(**hidden)


def _text(values: pd.Series) -> pd.Series:
    return values.astype(object).fillna("").astype(str)


def decimals(name: str) -> int:
    """Decimals that the tiles keep of a column."""
    return next(n for end, n in _DECIMALS if name.endswith(end))


def rounded(table: gpd.GeoDataFrame, columns: tuple[Column, ...]) -> gpd.GeoDataFrame:
    """Numbers with the digits that the page shows: repeated values make small tiles."""
    return table.assign(
        **{
            one.name: table[one.name].astype("float64").round(decimals(one.name))
            for one in columns
            if one.dtype == "float64" and one.name in table
        }
    )
