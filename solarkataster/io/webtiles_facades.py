"""Vector tiles of walls: their lines in plan, and their storeys as strips that a map can raise."""

from __future__ import annotations

from pathlib import Path

import freestiler
import geopandas as gpd
import numpy as np
import pandas as pd

from solarkataster.columns import Column
from solarkataster.facades.strips import storey_strips, wall_lines
from solarkataster.io.webtiles import MAX_VECTOR_ZOOM, tile_table
from solarkataster.layers import FACADE_COLUMNS, STOREY_COLUMNS

#: Colours of the yearly irradiation of walls: (kWh/m², colour), mixed between two stops as those of
#: roofs. Matplotlib's "viridis" from 0.05 to 0.98, which roofs do not have: the same light is good
#: for a wall and poor for a roof. Lightness only rises; the range is fixed.
WALL_COLOURS = (
    (100.0, "#471365"),
    (200.0, "#443983"),
    (300.0, "#375b8d"),
    (400.0, "#2a788e"),
    (500.0, "#20938c"),
    (600.0, "#29af7f"),
    (700.0, "#5cc863"),
    (800.0, "#a5db36"),
    (900.0, "#f1e51d"),
)

#: The only zoom of this archive; closer views enlarge it. A tile's unit is 0.1 m.
WALL_ZOOM = MAX_VECTOR_ZOOM

#: A wall that stands out over the flat lid of its building is cut there. [m]
LID_M = 0.4

#: Decimals that the tiles keep, by the end of the column's name; the tables have all of them.
_DECIMALS = (("_kwh_m2", 1), ("_kwh", 0), ("_m2", 1), ("_m", 2), ("azimuth", 1), ("", 4))

_LEFT_OUT = (
    "surface_tilt",
    "foot_elevation_m",
    "ground_elevation_m",
    "overhang_source",
    "surface_model_date",
    "footprint_date",
)
FACADE_TILE_COLUMNS = tuple(one for one in FACADE_COLUMNS if one.name not in _LEFT_OUT)
_STOREY_NAMES = (
    "poa_global_year_kwh_m2",
    "usable_area_m2",
    "suitability",
    "balcony_upright_kwh",
    "balcony_tilted_kwh",
    "balcony_class",
)
_BY_NAME = {column.name: column for column in STOREY_COLUMNS}
STOREY_TILE_COLUMNS = (
    _BY_NAME["facade_id"],
    _BY_NAME["storey"],
    Column("base_m", "float64", "m", "Lower edge over the ground of the building."),
    Column("top_m", "float64", "m", "Upper edge over it."),
    *(_BY_NAME[name] for name in _STOREY_NAMES),
)


def write_facade_tiles(
    path: Path,
    facades: gpd.GeoDataFrame,
    storeys: pd.DataFrame,
    buildings: pd.DataFrame,
    storey_height_m: float,
) -> int:
    """
    Write walls as vector tiles: lines ``facades`` and strips ``facade_storeys``, one zoom.

    Parameters
    ----------
    path : Path
        PMTiles file to write.
    facades, storeys, buildings : (Geo)DataFrame
        Columns of :data:`solarkataster.layers.FACADE_COLUMNS`, ``STOREY_COLUMNS`` and
        ``BUILDING_COLUMNS``; walls in a projected CRS in metres. Parts that a neighbour hides have
        no outline and are not drawn; storeys without a value have no attributes of light.
    storey_height_m : float
        Floor to floor, as the storeys were counted. [m]

    Returns
    -------
    int
        Walls in the tiles; 0 means that no file was written.

    Raises
    ------
    InputError
        If a column or the CRS is missing.
    """
    seen = facades[~(facades.geometry.isna() | facades.geometry.is_empty).to_numpy()]
    if seen.empty:
        return 0
    lines = seen.set_geometry(wall_lines(seen.geometry.to_numpy()), crs=seen.crs)
    strips = _strips(seen, storeys, buildings, storey_height_m)
    layers = {
        "facades": tile_table(_rounded(lines, FACADE_TILE_COLUMNS), FACADE_TILE_COLUMNS, "facades"),
        "facade_storeys": tile_table(strips, STOREY_TILE_COLUMNS, "facade_storeys"),
    }
    freestiler.freestile(
        {name: freestiler.FreestileLayer(table) for name, table in layers.items()},
        path,
        min_zoom=WALL_ZOOM,
        max_zoom=WALL_ZOOM,
        quiet=True,
    )
    return len(seen)


def _strips(
    seen: gpd.GeoDataFrame,
    storeys: pd.DataFrame,
    buildings: pd.DataFrame,
    storey_height_m: float,
) -> gpd.GeoDataFrame:
    """Strips with the values of their storeys, their heights counted from one level a building."""
    ground_m = seen["ground_elevation_m"].to_numpy()
    top_m = (seen["foot_elevation_m"] + seen["height_m"]).to_numpy()
    strips = storey_strips(seen.geometry.to_numpy(), ground_m, top_m, storey_height_m)
    level_m = _levels(seen)[strips.wall]
    building_m = buildings.drop_duplicates("building_id").set_index("building_id")["height_m"]
    lid_m = LID_M + seen["building_id"].map(building_m).astype("float64").to_numpy()[strips.wall]
    base_m = np.where(strips.stands_on_ground, 0.0, np.maximum(0.0, strips.base_m - level_m))
    frame = gpd.GeoDataFrame(
        {
            "facade_id": seen["facade_id"].to_numpy()[strips.wall],
            "storey": strips.storey.astype(np.int32),
            "base_m": base_m,
            "top_m": np.fmin(strips.top_m - level_m, lid_m),
        },
        geometry=strips.polygon,
        crs=seen.crs,
    )
    values = storeys[["facade_id", "storey", *_STOREY_NAMES]]
    frame = frame[frame["top_m"] > frame["base_m"] + 0.05]
    return _rounded(
        frame.merge(values, on=["facade_id", "storey"], how="left"), STOREY_TILE_COLUMNS
    )


def _levels(facades: gpd.GeoDataFrame) -> np.ndarray:
    """Mean terrain along the walls of each wall's building: the map's ground is flat. [m]"""
    length_m = facades["length_m"].to_numpy()
    sums = pd.DataFrame({"length": length_m, "ground": length_m * facades["ground_elevation_m"]})
    sums = sums.groupby(facades["building_id"].to_numpy()).transform("sum")
    return (sums["ground"] / sums["length"]).to_numpy()


def _rounded(table: gpd.GeoDataFrame, columns: tuple[Column, ...]) -> gpd.GeoDataFrame:
    """Numbers with the digits that the page shows: repeated values make small tiles."""
    digits = {
        column.name: next(n for end, n in _DECIMALS if column.name.endswith(end))
        for column in columns
        if column.dtype == "float64" and column.name in table
    }
    return table.assign(
        **{name: table[name].astype("float64").round(n) for name, n in digits.items()}
    )
