"""Vector tiles of walls: their lines in plan, and their storeys as strips that a map can raise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from solarkataster.facades.strips import storey_strips, wall_lines
from solarkataster.io.webtiles import MAX_VECTOR_ZOOM
from solarkataster.io.webtiles_columns import (
    FACADE_TILE_COLUMNS,
    STRIP_TILE_COLUMNS,
    decimals,
    rounded,
)
from solarkataster.io.webtiles_vector import TileLayer, tile_table, write_vector_tiles

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

_LIST = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_STOREY_VALUES = (
    "poa_global_year_kwh_m2",
    "suitability",
    "balcony_upright_kwh",
    "balcony_tilted_kwh",
    "balcony_class",
)
_NUMBERS = ("_kwh_m2", "_kwh")


def write_facade_tiles(path: Path, facades: gpd.GeoDataFrame, storeys: pd.DataFrame) -> int:
    """
    Write walls as lines with the values of their storeys, layer ``facades``, one zoom.

    Parameters
    ----------
    path : Path
        PMTiles file to write.
    facades, storeys : (Geo)DataFrame
        Columns of :data:`solarkataster.layers.FACADE_COLUMNS` and ``STOREY_COLUMNS``; walls in a
        projected CRS in metres. Parts that a neighbour hides have no outline and are not drawn.

    Returns
    -------
    int
        Walls in the tiles; 0 means that no file was written.

    Raises
    ------
    InputError
        If a column or the CRS is missing.
    """
    seen = _seen(facades)
    if seen.empty:
        return 0
    lines = seen.set_geometry(wall_lines(seen.geometry.to_numpy()), crs=seen.crs)
    lines["storeys"] = seen["facade_id"].map(_storey_texts(storeys)).fillna("").to_numpy()
    table = tile_table(rounded(lines, FACADE_TILE_COLUMNS), FACADE_TILE_COLUMNS, "facades")
    write_vector_tiles(path, {"facades": TileLayer(table, WALL_ZOOM, WALL_ZOOM)})
    return len(seen)


def write_storey_tiles(
    path: Path,
    facades: gpd.GeoDataFrame,
    storeys: pd.DataFrame,
    buildings: pd.DataFrame,
    storey_height_m: float,
) -> int:
    """
    Write storeys as strips that a map can raise, layer ``facade_storeys``, one zoom.

    Parameters
    ----------
    path : Path
        PMTiles file to write.
    facades, storeys, buildings : (Geo)DataFrame
        As :func:`write_facade_tiles`, and ``BUILDING_COLUMNS``. Nothing that a rating changes is
        read; storeys without a value have none in the tiles.
    storey_height_m : float
        Floor to floor, as the storeys were counted. [m]

    Returns
    -------
    int
        Strips in the tiles; 0 means that no file was written.

    Raises
    ------
    InputError
        If a column or the CRS is missing.
    """
    seen = _seen(facades)
    if seen.empty:
        return 0
    strips = _strips(seen, storeys, buildings, storey_height_m)
    table = tile_table(strips, STRIP_TILE_COLUMNS, "facade_storeys")
    write_vector_tiles(path, {"facade_storeys": TileLayer(table, WALL_ZOOM, WALL_ZOOM)})
    return len(table)


def _seen(facades: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return facades[~(facades.geometry.isna() | facades.geometry.is_empty).to_numpy()]


def _storey_texts(storeys: pd.DataFrame) -> dict[str, str]:
    """JSON of the storeys with a value of each wall, the lowest first."""
    known = storeys[storeys["poa_global_year_kwh_m2"].notna().to_numpy()]
    known = known.sort_values(["facade_id", "storey"], kind="stable")
    columns: list[list[Any]] = [known["storey"].astype(int).to_list()]
    for name in _STOREY_VALUES:
        if name.endswith(_NUMBERS):
            values = known[name].astype("float64").round(decimals(name))
            columns.append([None if np.isnan(one) else one for one in values.to_list()])
        else:
            columns.append(known[name].astype(object).fillna("").astype(str).to_list())
    of_walls: dict[str, list[tuple]] = {}
    for wall, row in zip(known["facade_id"].to_list(), zip(*columns, strict=True), strict=True):
        of_walls.setdefault(wall, []).append(row)
    return {wall: _LIST.encode(rows) for wall, rows in of_walls.items()}


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
    values = storeys[["facade_id", "storey", "poa_global_year_kwh_m2"]]
    frame = frame[frame["top_m"] > frame["base_m"] + 0.05]
    merged = frame.merge(values, on=["facade_id", "storey"], how="left")
    return rounded(merged, STRIP_TILE_COLUMNS)


def _levels(facades: gpd.GeoDataFrame) -> np.ndarray:
    """Mean terrain along the walls of each wall's building: the map's ground is flat. [m]"""
    length_m = facades["length_m"].to_numpy()
    sums = pd.DataFrame({"length": length_m, "ground": length_m * facades["ground_elevation_m"]})
    sums = sums.groupby(facades["building_id"].to_numpy()).transform("sum")
    return (sums["ground"] / sums["length"]).to_numpy()
