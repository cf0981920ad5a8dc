"""Vector tiles of what lies and stands on roofs: modules and superstructures, near views only."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from solarkataster.columns import Column
from solarkataster.io.webtiles_vector import TileLayer, tile_table, write_vector_tiles
from solarkataster.layers import MODULE_COLUMNS, SUPERSTRUCTURE_COLUMNS

#: The only zoom of these archives; closer views enlarge it. A module is 5 screen pixels wide here,
#: and a tile's unit is 5 cm. With one zoom and three attributes a million modules stay small.
ROOF_THING_ZOOM = 17

#: Modules are drawn without a frame this wide, so that neighbours 2 cm apart stay apart on the
#: screen, also in 3D, where nothing can be outlined. [m]
FRAME_M = 0.06

_BUILDING_HEIGHT = Column("building_height_m", "float64", "m", "Height of its building.")
_BY_NAME = {column.name: column for column in (*MODULE_COLUMNS, *SUPERSTRUCTURE_COLUMNS)}
MODULE_TILE_COLUMNS = (
    _BY_NAME["roof_id"],
    _BY_NAME["poa_global_year_kwh_m2"],
    _BUILDING_HEIGHT,
)
SUPERSTRUCTURE_TILE_COLUMNS = (
    _BY_NAME["roof_id"],
    _BY_NAME["kind"],
    _BY_NAME["height_m"],
    _BUILDING_HEIGHT,
    Column("has_plane", "bool", "–", "A roof plane of its own lies on it and shows its light."),
)


def write_module_tiles(path: Path, modules: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame) -> int:
    """
    Write the modules as vector tiles, layer ``modules``, zoom :data:`ROOF_THING_ZOOM` only.

    Parameters
    ----------
    path : Path
        PMTiles file to write.
    modules, buildings : GeoDataFrame, shape (n_module,) and (n_building,)
        Columns of :data:`solarkataster.layers.MODULE_COLUMNS` and ``BUILDING_COLUMNS``; a
        projected CRS in metres. The tiles carry the roof's id, the irradiation rounded to
        1 kWh/m² and the building's height.

    Returns
    -------
    int
        Modules in the tiles; 0 means that no file was written.

    Raises
    ------
    InputError
        If a column or the CRS is missing.
    """
    outlines = modules.geometry.to_numpy()
    inner = shapely.buffer(outlines, -FRAME_M, join_style="mitre")
    drawn = modules.assign(
        building_height_m=_height_m(modules, buildings),
        poa_global_year_kwh_m2=modules["poa_global_year_kwh_m2"].astype("float64").round(),
    ).set_geometry(np.where(shapely.is_empty(inner), outlines, inner), crs=modules.crs)
    return _write(path, tile_table(drawn, MODULE_TILE_COLUMNS, "modules"), "modules")


def write_superstructure_tiles(
    path: Path,
    superstructures: gpd.GeoDataFrame,
    roofs: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
) -> int:
    """
    Write what stands on roofs as vector tiles, layer ``superstructures``.

    Parameters
    ----------
    path : Path
        PMTiles file to write.
    superstructures, roofs, buildings : GeoDataFrame
        Columns of :data:`solarkataster.layers.SUPERSTRUCTURE_COLUMNS`, ``ROOF_COLUMNS`` and
        ``BUILDING_COLUMNS``, all in one CRS.

    Returns
    -------
    int
        Superstructures in the tiles; 0 means that no file was written.

    Raises
    ------
    InputError
        If a column or the CRS is missing.
    """
    drawn = superstructures.assign(
        building_height_m=_height_m(superstructures, buildings),
        height_m=superstructures["height_m"].astype("float64").round(2),
        has_plane=_has_plane(superstructures, roofs),
    )
    table = tile_table(drawn, SUPERSTRUCTURE_TILE_COLUMNS, "superstructures")
    return _write(path, table, "superstructures")


def _height_m(things: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame) -> pd.Series:
    """Height of the building under each thing, to draw it on the lid that stands for the roof."""
    height_m = buildings.drop_duplicates("building_id").set_index("building_id")["height_m"]
    return things["building_id"].map(height_m).astype("float64")


def _has_plane(superstructures: gpd.GeoDataFrame, roofs: gpd.GeoDataFrame) -> np.ndarray:
    """Whether another plane than the host's lies on each one (a dormer with a roof of its own)."""
    found = np.zeros(len(superstructures), dtype=bool)
    shapes = superstructures.geometry.to_numpy()
    has_place = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    if not has_place.size or not len(roofs):
        return found
    inside = shapely.point_on_surface(shapes[has_place])
    at, plane = shapely.STRtree(roofs.geometry.to_numpy()).query(inside, predicate="within")
    host = superstructures["roof_id"].to_numpy()[has_place[at]]
    found[has_place[at[roofs["roof_id"].to_numpy()[plane] != host]]] = True
    return found


def _write(path: Path, table: gpd.GeoDataFrame, name: str) -> int:
    if table.empty:
        return 0
    write_vector_tiles(path, {name: TileLayer(table, ROOF_THING_ZOOM, ROOF_THING_ZOOM)})
    return len(table)
