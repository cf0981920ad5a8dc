"""Tree cadastres as text: separators, decimal commas and coordinates as offices export them."""

from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from solarkataster.config_inputs import TreesConfig
from solarkataster.errors import InputError
from solarkataster.io.column_names import matching
from solarkataster.io.text_tables import read_text_table
from solarkataster.io.tree_columns import EASTING, LATITUDE, LONGITUDE, NORTHING

_POINT = re.compile(r"^\s*(?:SRID=(\d+);)?\s*POINT\s*Z?\s*\(", re.IGNORECASE)
_DEGREES = "EPSG:4326"


def read_tree_table(path: Path, settings: TreesConfig) -> gpd.GeoDataFrame:
    """
    Read a table of trees.

    Parameters
    ----------
    path : Path
        UTF-8 or Windows-1252; separated by semicolon, comma, tab or bar, whichever the first line
        has most of.
    settings : TreesConfig

    Returns
    -------
    GeoDataFrame
        All columns as text; points where the coordinates are numbers, else None. Longitude and
        latitude are in WGS 84; x and y in ``settings.crs``, or in none.

    Raises
    ------
    InputError
        If the file cannot be read, or no columns hold coordinates.
    """
    table = read_text_table(path, "one line per tree")
    place = _place_columns(path, table, settings)
    crs: str | None
    if len(place) == 1:
        geometry, crs = _from_text(table[place[0]], settings.crs)
    else:
        x, y = (_coordinates(table[name]) for name in place)
        known = np.isfinite(x) & np.isfinite(y)
        geometry = np.full(len(table), None, dtype=object)
        geometry[known] = shapely.points(x[known], y[known])
        is_degrees = bool(matching(place[:1], LONGITUDE)) and bool(matching(place[1:], LATITUDE))
        crs = settings.crs or (_DEGREES if is_degrees else None)
    name = "geometry"
    while name in table.columns:
        name += "_"
    return gpd.GeoDataFrame(table.assign(**{name: geometry}), geometry=name, crs=crs)


def _place_columns(path: Path, table: pd.DataFrame, settings: TreesConfig) -> list[str]:
    """The column with points as text, or the two with coordinates."""
    names = list(table.columns)
    if settings.x_column and settings.y_column:
        missing = [n for n in (settings.x_column, settings.y_column) if n not in names]
        if not missing:
            return [settings.x_column, settings.y_column]
        raise _no_place(path, f"no column {' and '.join(missing)}", names)
    pairs = [(matching(names, EASTING), matching(names, NORTHING))]
    degrees = (matching(names, LONGITUDE), matching(names, LATITUDE))
    # Degrees name their system themselves; metres only with one in the config.
    pairs.insert(1 if settings.crs else 0, degrees)
    for x, y in pairs:
        if len(x) == 1 and len(y) == 1:
            return [x[0], y[0]]
        if x and y:
            raise _no_place(path, f"several columns with coordinates: {', '.join(x + y)}", names)
    texts = [n for n in names if len(table) and table[n].str.match(_POINT).any()]
    if len(texts) == 1:
        return texts
    raise _no_place(path, "no columns with coordinates were recognised", names)


def _no_place(path: Path, found: str, names: list[str]) -> InputError:
    return InputError(
        found,
        where=str(path),
        expected="x and y, or lon and lat, among " + ", ".join(names),
        remedy="Name them in [trees]: x_column and y_column, and crs if they are metres.",
    )


def _coordinates(values: pd.Series) -> np.ndarray:
    """Numbers with point or comma, NaN for what is none."""
    text = values.str.strip().str.replace(",", ".", regex=False)
    return pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)


def _from_text(values: pd.Series, crs: str | None) -> tuple[np.ndarray, str]:
    """Points written as WKT; without a system they are in degrees, as in WFS exports."""
    geometry = np.full(len(values), None, dtype=object)
    codes = set()
    for i, text in enumerate(values):
        match = _POINT.match(text)
        if match:
            codes.add(match.group(1))
            geometry[i] = shapely.from_wkt(text.split(";")[-1], on_invalid="ignore")
    named = sorted(code for code in codes if code)
    return geometry, crs or (f"EPSG:{named[0]}" if len(named) == 1 else _DEGREES)
