"""Every table column and raster that leaves a run: dtype, unit, range and prose, declared once."""

from __future__ import annotations

from dataclasses import dataclass

from solarkataster.columns import Column
from solarkataster.layers_yield import (
    BUILDING_ENERGY_COLUMNS,
    BUILDING_RATING_COLUMNS,
    MONUMENT_VISIBLE_COLUMN,
    SUITABILITY_COLUMNS,
    SURFACE_ALLOCATION_COLUMNS,
    SURFACE_MODULE_COLUMNS,
    SURFACE_YIELD_COLUMNS,
)
from solarkataster.units import MONTHS


@dataclass(frozen=True)
class Raster:
    """One raster of a result folder; NaN off the roofs."""

    name: str
    bands: tuple[str, ...]
    unit: str
    description: str

    @property
    def filename(self) -> str:
        return f"{self.name}.tif"


def _irradiation(unit_suffix: str, unit: str) -> tuple[Column, ...]:
    months = tuple(
        Column(
            f"poa_global_{month}_{unit_suffix}",
            "float64",
            unit,
            f"Global irradiation in the plane, month {month}.",
        )
        for month in MONTHS
    )
    return (
        Column(f"poa_global_year_{unit_suffix}", "float64", unit, "Global irradiation, year."),
        *months,
        Column(f"poa_direct_year_{unit_suffix}", "float64", unit, "Of it from the sun's disc."),
        Column(
            f"poa_sky_diffuse_year_{unit_suffix}",
            "float64",
            unit,
            "Of it from the sky, circumsolar light included.",
        ),
        Column(
            f"poa_ground_diffuse_year_{unit_suffix}",
            "float64",
            unit,
            "Of it reflected by what lies below the horizon.",
        ),
    )


IRRADIATION_COLUMNS = _irradiation("kwh_m2", "kWh/m²")

_YEAR_SUM = Column(
    "poa_global_year_kwh", "float64", "kWh", "Global irradiation on the whole area, year."
)
_SKY_VIEW = Column(
    "sky_view_factor",
    "float64",
    "–",
    "Cosine-weighted share of the hemisphere over the surface that is visible sky.",
)
_SHADING = Column(
    "shading_loss_fraction",
    "float64",
    "–",
    "Irradiation lost against the same plane with an open horizon; below 0 where what reflects is "
    "brighter than the albedo of open ground.",
)
_DATES = (
    Column("surface_model_date", "str", "–", "Date of the flight as given; empty if unknown."),
    Column("footprint_date", "str", "–", "Date of the footprints as given; empty if unknown."),
)
_QUALITY = Column(
    "data_quality",
    "str",
    "–",
    "Semicolon-separated remarks on the data; without far terrain every row says so.",
)
_REASON = Column(
    "reason",
    "str",
    "–",
    "Empty, or why there is no value or no module, and what is missing; of a monument with modules "
    "that they need a permit. Its light is that of the modules, on flat roofs that on the racks.",
)
_MODULES = (
    Column(
        "usable_area_m2",
        "float64",
        "m²",
        "Inclined area left for modules: without margins, superstructures and dark parts; 0 where "
        "light or heights rule a plane out, NaN for a building without roof planes.",
    ),
    Column("n_modules", "int32", "–", "Modules laid."),
    Column(
        "dc_power_kwp",
        "float64",
        "kWp",
        "Rated power of the modules; NaN for a building without roof planes.",
    ),
)
_RACK = (
    Column("module_tilt", "float64", "°", "Tilt of the modules; NaN without modules."),
    Column(
        "module_azimuth",
        "float64",
        "°",
        "Where the modules face, clockwise from true north; NaN without modules, if level, or if "
        "they face two ways.",
    ),
)

ROOF_COLUMNS = (
    Column("building_id", "str", "–", "The input's id as text."),
    Column("roof_id", "str", "–", "<building_id>/r<n>, n in a fixed geometric order."),
    Column("surface_tilt", "float64", "°", "Tilt from the horizontal."),
    Column("surface_azimuth", "float64", "°", "Clockwise from true north; NaN on a level roof."),
    Column("kind", "str", "–", "roof, or dormer: a plane that stands out of another one."),
    Column("area_m2", "float64", "m²", "True, inclined area."),
    *_MODULES,
    *_RACK,
    *IRRADIATION_COLUMNS,
    _YEAR_SUM,
    _SKY_VIEW,
    _SHADING,
    *SURFACE_YIELD_COLUMNS,
    *SURFACE_ALLOCATION_COLUMNS,
    MONUMENT_VISIBLE_COLUMN,
    *SUITABILITY_COLUMNS,
    *_DATES,
    _QUALITY,
    _REASON,
)

BUILDING_COLUMNS = (
    Column("building_id", "str", "–", "The input's id as text."),
    Column("height_m", "float64", "m", "Highest roof plane above the terrain."),
    Column("n_roofs", "int32", "–", "Roof planes with a value."),
    Column("area_m2", "float64", "m²", "Sum of the inclined roof areas."),
    *_MODULES,
    Column(
        "overhang_m",
        "float64",
        "m",
        "Mean depth of the eaves beyond the footprint; NaN where the heights cannot show it.",
    ),
    Column(
        "monument",
        "bool",
        "–",
        "Overlapped by an area of the monuments layer, or hit by a point or line of it.",
    ),
    *IRRADIATION_COLUMNS,
    _YEAR_SUM,
    _SKY_VIEW,
    _SHADING,
    Column("n_facades", "int32", "–", "Walls with a value."),
    Column("facade_area_m2", "float64", "m²", "Sum of their areas, windows included."),
    Column("facade_usable_area_m2", "float64", "m²", "Of it without windows, doors and balconies."),
    Column(
        "facade_poa_global_year_kwh", "float64", "kWh", "Global irradiation on its walls, year."
    ),
    *BUILDING_ENERGY_COLUMNS,
    *BUILDING_RATING_COLUMNS,
    *SUITABILITY_COLUMNS,
    *_DATES,
    _QUALITY,
    _REASON,
)

#: Straight sides of footprints; the roof reaches beyond them by the overhang.
SIDE_COLUMNS = (
    Column("building_id", "str", "–", "The input's id as text."),
    Column("side_id", "str", "–", "<building_id>/s<n>, n along the outline."),
    Column("length_m", "float64", "m", "Length of the side."),
    Column("surface_azimuth", "float64", "°", "Where the wall faces, clockwise from true north."),
    Column("overhang_m", "float64", "m", "Depth of the eaves beyond the side; NaN if not seen."),
    Column(
        "overhang_source",
        "str",
        "–",
        "surface or points: measured there; none: the heights cannot show it; party wall: another "
        "building adjoins.",
    ),
)

#: Walls, one row each; what neighbours hide has no light.
FACADE_COLUMNS = (
    Column("building_id", "str", "–", "The input's id as text."),
    Column("facade_id", "str", "–", "<building_id>/f<n>, n in a fixed geometric order."),
    Column("surface_tilt", "float64", "°", "Tilt from the horizontal: 90."),
    Column("surface_azimuth", "float64", "°", "Where the wall faces, clockwise from true north."),
    Column("length_m", "float64", "m", "Length along the footprint."),
    Column("height_m", "float64", "m", "From the lowest visible to the highest point."),
    Column("foot_elevation_m", "float64", "m", "Lowest visible point, in the surface's datum."),
    Column(
        "ground_elevation_m",
        "float64",
        "m",
        "Mean terrain along the wall, from which storeys are counted.",
    ),
    Column("is_courtyard", "bool", "–", "The wall looks into a courtyard."),
    Column("area_m2", "float64", "m²", "Area that is seen, windows included."),
    Column("hidden_area_m2", "float64", "m²", "Area hidden by a neighbour: party wall."),
    Column("window_fraction", "float64", "–", "Share of windows and doors, as the config has it."),
    Column("usable_area_m2", "float64", "m²", "Area without windows, doors and balconies."),
    Column("overhang_m", "float64", "m", "Depth of the eaves above, mean along the wall."),
    Column(
        "overhang_source",
        "str",
        "–",
        "surface or points: measured there; config: the setting, since the heights cannot show it; "
        "party wall: none, another building adjoins.",
    ),
    *IRRADIATION_COLUMNS,
    Column(
        "poa_global_year_low_kwh_m2",
        "float64",
        "kWh/m²",
        "The same if the eaves are deeper by the standard uncertainty of their depth.",
    ),
    Column(
        "poa_global_year_high_kwh_m2",
        "float64",
        "kWh/m²",
        "The same if they are less deep by as much.",
    ),
    _YEAR_SUM,
    Column("poa_global_year_usable_kwh", "float64", "kWh", "Irradiation of the usable area, year."),
    Column(
        "poa_global_year_half_kwh",
        "float64",
        "kWh",
        "Irradiation of half of the wall, the scenario of the Swiss cadastre of façades.",
    ),
    Column("poa_global_year_quarter_kwh", "float64", "kWh", "The same of a quarter of the wall."),
    _SKY_VIEW,
    _SHADING,
    *SURFACE_MODULE_COLUMNS,
    *SURFACE_YIELD_COLUMNS,
    *SUITABILITY_COLUMNS,
    *_DATES,
    _QUALITY,
    Column("reason", "str", "–", "Empty, or why the wall has no value."),
)

#: Storeys of walls: what a flat behind them could use.
STOREY_COLUMNS = (
    Column("building_id", "str", "–", "The input's id as text."),
    Column("facade_id", "str", "–", "Wall it belongs to."),
    Column("storey_id", "str", "–", "<facade_id>/g<n>, n the storey."),
    Column("storey", "int32", "–", "0 at the ground, counted by the config's storey height."),
    Column("surface_azimuth", "float64", "°", "Where the wall faces, clockwise from true north."),
    Column("lowest_point_m", "float64", "m", "Lowest point with a value, over the terrain."),
    Column("highest_point_m", "float64", "m", "Highest point with a value, over the terrain."),
    Column("area_m2", "float64", "m²", "Area that is seen, windows included."),
    Column("usable_area_m2", "float64", "m²", "Area without windows, doors and balconies."),
    *IRRADIATION_COLUMNS,
    _YEAR_SUM,
    Column("poa_global_year_usable_kwh", "float64", "kWh", "Irradiation of the usable area, year."),
    _SKY_VIEW,
    Column("suitability", "str", "–", "As of the wall."),
    Column(
        "balcony_tilted_poa_year_kwh_m2",
        "float64",
        "kWh/m²",
        "Irradiation of modules that hang tilted before the storey, year; NaN where it is too "
        "narrow for points of their own.",
    ),
    Column(
        "balcony_upright_kwh",
        "float64",
        "kWh",
        "Yield of a balcony plant that hangs upright, year: of an open one of this facing, by the "
        "rules, per light, times the light here.",
    ),
    Column("balcony_tilted_kwh", "float64", "kWh", "The same of a tilted one."),
    Column(
        "balcony_class",
        "str",
        "–",
        "gering, mittel, gut or sehr gut: the better of both against the limits of the rules.",
    ),
)

#: Points of walls, written if the config wants them.
ELEMENT_COLUMNS = (
    Column("building_id", "str", "–", "The input's id as text."),
    Column("facade_id", "str", "–", "Wall it belongs to."),
    Column("storey", "int32", "–", "0 at the ground."),
    Column("height_m", "float64", "m", "Over the terrain at the wall."),
    Column("area_m2", "float64", "m²", "Share of the wall's area."),
    Column("overhang_m", "float64", "m", "Depth of the eaves above."),
    *IRRADIATION_COLUMNS,
    _SKY_VIEW,
)

#: What stands out of a roof plane.
SUPERSTRUCTURE_COLUMNS = (
    Column("building_id", "str", "–", "The input's id as text."),
    Column("roof_id", "str", "–", "Plane it stands on."),
    Column("superstructure_id", "str", "–", "<building_id>/o<n>, n in a fixed geometric order."),
    Column(
        "kind", "str", "–", "dormer, chimney, lift housing, terrace, parapet or other: a guess."
    ),
    Column("height_m", "float64", "m", "Highest point over the plane; negative for a terrace."),
    Column("plan_area_m2", "float64", "m²", "Area in plan."),
)

#: What stands outside all footprints and is no plant: it blocks light, but has no roof here.
BLOCK_COLUMNS = (
    Column("area_m2", "float64", "m²", "Area in plan."),
    Column("height_m", "float64", "m", "Mean height over the terrain."),
)

#: Modules one by one.
MODULE_COLUMNS = (
    Column("building_id", "str", "–", "The input's id as text."),
    Column("roof_id", "str", "–", "Plane it lies on."),
    Column("module_id", "str", "–", "<roof_id>/m<n>, row by row from the eaves."),
    Column("row", "int32", "–", "Row on the plane, 1 at the eaves or the front."),
    Column("column", "int32", "–", "Place in the row, 1 at the left seen from the front."),
    Column("orientation", "str", "–", "portrait or landscape."),
    *_RACK,
    Column("dc_power_kwp", "float64", "kWp", "Rated power."),
    Column("poa_global_year_kwh_m2", "float64", "kWh/m²", "Global irradiation, year."),
)

TREE_COLUMNS = (
    Column("tree_id", "str", "–", "The cadastre's id as text."),
    Column(
        "is_used", "bool", "–", "Whether it stands in the canopy; if not, data_quality says why."
    ),
    Column("height_m", "float64", "m", "Height above the ground at the trunk."),
    Column("crown_diameter_m", "float64", "m", "Diameter of the crown."),
    Column("crown_base_m", "float64", "m", "Underside of the crown above the ground."),
    Column("kind", "str", "–", "deciduous or evergreen."),
    Column("data_quality", "str", "–", "What was filled in or doubtful; empty if nothing was."),
)

DIFFERENCE_COLUMNS = (
    Column("surface_id", "str", "–", "roof_id or facade_id, the same in both runs."),
    Column("building_id", "str", "–", "The input's id as text."),
    Column("surface", "str", "–", "roof or facade."),
    Column(
        "change",
        "str",
        "–",
        "unchanged, changed, new, removed, failed, or reshaped: the id names another surface now.",
    ),
    Column("base_year_kwh_m2", "float64", "kWh/m²", "Global irradiation without the scenario."),
    Column("scenario_year_kwh_m2", "float64", "kWh/m²", "Global irradiation with it."),
    Column("difference_year_kwh_m2", "float64", "kWh/m²", "Scenario less base."),
    Column("base_year_kwh", "float64", "kWh", "Of the whole surface without the scenario."),
    Column("scenario_year_kwh", "float64", "kWh", "Of the whole surface with it."),
    Column(
        "difference_year_kwh",
        "float64",
        "kWh",
        "Scenario less base; a surface that is missing counts as 0.",
    ),
)

POA_YEAR_RASTER = Raster(
    "poa_global_year_kwh_m2", ("year",), "kWh/m²", "Global irradiation of roof cells, year."
)
POA_MONTH_RASTER = Raster(
    "poa_global_month_kwh_m2", MONTHS, "kWh/m²", "Global irradiation of roof cells by month."
)
SKY_VIEW_RASTER = Raster("sky_view_factor", ("sky_view_factor",), "–", "Sky view of roof cells.")
RASTERS = (POA_YEAR_RASTER, POA_MONTH_RASTER, SKY_VIEW_RASTER)
