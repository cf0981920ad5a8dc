"""Files of a rating beside the layers: sums, own buildings, installed plants, car parks, hours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd

from solarkataster.io.results import Layer, write_geoparquet
from solarkataster.io.statistics import write_tables
from solarkataster.layers_statistics import (
    INSTALLED_COLUMNS,
    INSTALLED_YEAR_COLUMNS,
    PORTFOLIO_FILE_COLUMNS,
    STATISTICS_FILE_COLUMNS,
)
from solarkataster.stages.rating import Rating
from solarkataster.stages.yield_pass import YieldJob, write_hours

#: Hourly yields of buildings.
HOURS_FILE = "hourly_yield.parquet"

_PARKING_COLOUR = "#5b7fa6"


def write_rating(
    folder: Path,
    rating: Rating,
    jobs: list[YieldJob],
    faults: Mapping[str, str],
    *,
    with_hours: bool = True,
) -> dict[str, Layer]:
    """
    Write what stands beside the layers.

    Parameters
    ----------
    folder : Path
        Of the final files.
    rating : Rating
    jobs : list of YieldJob
    faults : mapping
        Tiles whose yields failed.
    with_hours : bool
        Write the hourly yields too; a rating that changed none of them need not.

    Returns
    -------
    dict of str to Layer
        More layers for the GeoPackage.
    """
    write_tables(folder, "statistics", rating.statistics, STATISTICS_FILE_COLUMNS)
    if rating.portfolio is not None:
        write_tables(folder, "portfolio", rating.portfolio.table, PORTFOLIO_FILE_COLUMNS)
    if rating.installed is not None:
        write_tables(folder, "installed", rating.installed.table, INSTALLED_COLUMNS)
        write_tables(folder, "installed_years", rating.installed.by_year, INSTALLED_YEAR_COLUMNS)
    if with_hours:
        write_hours(folder / HOURS_FILE, jobs, faults)
    if rating.parking is None:
        return {}
    write_geoparquet(folder / "parking.parquet", rating.parking)
    return {"parking": parking_layer(rating.parking)}


def parking_layer(parking: gpd.GeoDataFrame) -> Layer:
    """Car parks in the GeoPackage."""
    return Layer(parking, "", (), "Car parks and what their canopies could yield", _PARKING_COLOUR)
