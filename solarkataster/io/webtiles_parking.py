"""Vector tiles of car parks and what canopies over them could yield."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from solarkataster.io.webtiles import MAX_VECTOR_ZOOM, MIN_VECTOR_ZOOM
from solarkataster.io.webtiles_columns import PARKING_TILE_COLUMNS, rounded
from solarkataster.io.webtiles_vector import TileLayer, tile_table, write_vector_tiles


def write_parking_tiles(path: Path, parking: gpd.GeoDataFrame) -> int:
    """
    Write car parks as vector tiles, layer ``parking``, all zooms of the map's vector tiles.

    Parameters
    ----------
    path : Path
        PMTiles file to write.
    parking : GeoDataFrame, shape (n_parking,)
        Columns of :data:`solarkataster.rating.parking.PARKING_COLUMNS`, any CRS.

    Returns
    -------
    int
        Car parks in the tiles; 0 means that no file was written.

    Raises
    ------
    InputError
        If a column or the CRS is missing.
    """
    table = tile_table(rounded(parking, PARKING_TILE_COLUMNS), PARKING_TILE_COLUMNS, "parking")
    if table.empty:
        return 0
    write_vector_tiles(path, {"parking": TileLayer(table, MIN_VECTOR_ZOOM, MAX_VECTOR_ZOOM)})
    return len(table)
