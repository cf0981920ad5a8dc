"""Every table column and raster that leaves a run: dtype, unit, range and prose, declared once."""

from __future__ import annotations

from dataclasses import dataclass

from solarkataster.units import MONTHS


@dataclass(frozen=True)
class Column:
    """One column of a result table."""

    name: str
    dtype: str
    unit: str
    description: str


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
    "Irradiation lost against the same plane with an open horizon.",
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
_REASON = Column("reason", "str", "–", "Empty, or why there is no value.")

ROOF_COLUMNS = (
    Column("building_id", "str", "–", "The input's id as text."),
    Column("roof_id", "str", "–", "<building_id>/r<n>, n in a fixed geometric order."),
    Column("surface_tilt", "float64", "°", "Tilt from the horizontal."),
    Column("surface_azimuth", "float64", "°", "Clockwise from true north; NaN on a level roof."),
    Column("area_m2", "float64", "m²", "True, inclined area."),
    *IRRADIATION_COLUMNS,
    _YEAR_SUM,
    _SKY_VIEW,
    _SHADING,
    *_DATES,
    _QUALITY,
    _REASON,
)

BUILDING_COLUMNS = (
    Column("building_id", "str", "–", "The input's id as text."),
    Column("height_m", "float64", "m", "Highest roof plane above the terrain."),
    Column("n_roofs", "int32", "–", "Roof planes with a value."),
    Column("area_m2", "float64", "m²", "Sum of the inclined roof areas."),
    *IRRADIATION_COLUMNS,
    _YEAR_SUM,
    _SKY_VIEW,
    _SHADING,
    *_DATES,
    _QUALITY,
    _REASON,
)

POA_YEAR_RASTER = Raster(
    "poa_global_year_kwh_m2", ("year",), "kWh/m²", "Global irradiation of roof cells, year."
)
POA_MONTH_RASTER = Raster(
    "poa_global_month_kwh_m2", MONTHS, "kWh/m²", "Global irradiation of roof cells by month."
)
SKY_VIEW_RASTER = Raster("sky_view_factor", ("sky_view_factor",), "–", "Sky view of roof cells.")
RASTERS = (POA_YEAR_RASTER, POA_MONTH_RASTER, SKY_VIEW_RASTER)
