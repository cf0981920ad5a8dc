"""Tree cadastres: points in any format that GIS offices send, with columns of any name."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from solarkataster.config_inputs import TreesConfig
from solarkataster.crs import crs_name, parse_crs, same_crs
from solarkataster.errors import InputError, InputErrors
from solarkataster.io.column_values import NOTHING
from solarkataster.io.footprints import FORMATS, PARQUET_SUFFIXES, crs_faults, id_texts, in_crs
from solarkataster.io.text_tables import TABLE_SUFFIXES
from solarkataster.io.tree_columns import TreeColumns, tree_columns
from solarkataster.io.tree_tables import read_tree_table
from solarkataster.tree_records import TreeRecords

_METRES = {"m": 1.0, "dm": 0.1, "cm": 0.01, "ft": 0.3048}
_NUMBER = re.compile(r"^([+-]?\d+(?:[.,]\d+)?)\s*m?$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class TreeFile:
    """
    A tree cadastre as it was read.

    Parameters
    ----------
    records : TreeRecords
        In the order of the file, in the coordinate system that was asked for.
    columns : TreeColumns
    notes : list of str
        Which columns were taken, and whether places were transformed.
    """

    records: TreeRecords
    columns: TreeColumns
    notes: list[str]


def read_trees(
    path: str | Path, settings: TreesConfig | None = None, crs: str | None = None
) -> TreeFile:
    """
    Read a tree cadastre; no row is dropped or judged.

    Parameters
    ----------
    path : path
        GeoPackage, Shapefile, GeoJSON, FlatGeobuf or GeoParquet with points, or CSV with columns
        x and y, lon and lat, or a point as text; separators and decimal commas as they come.
    settings : TreesConfig, optional
        Names of columns, units, the coordinate system of a file that names none.
    crs : str, optional
        Coordinate system to transform to, as WKT or code: that of the surface model.

    Returns
    -------
    TreeFile

    Raises
    ------
    InputErrors
        Every fault of: missing or unreadable file, unnamed layer, no row, missing or ambiguous
        columns, no coordinate system or the wrong one, areas or lines instead of points.
    """
    path, settings = Path(path), settings or TreesConfig()
    try:
        table = _read_table(path, settings)
    except InputError as error:
        raise InputErrors([error]) from None
    if not len(table):
        raise InputErrors([_no_rows(path)])
    names = [str(one) for one in table.columns if one != table.geometry.name]
    unique = [one for one in names if table[one].notna().all() and table[one].is_unique]
    columns, faults = tree_columns(path, names, unique, settings)
    faults += [*_kind_faults(path, table.geometry.to_numpy()), *_crs_faults(path, table, settings)]
    if faults or columns is None:
        raise InputErrors(faults)
    if _names_no_place(table) and settings.crs:
        table = table.set_crs(settings.crs, allow_override=True)
    remarks: dict[int, list[str]] = {}
    flat = gpd.GeoDataFrame(geometry=_points(table.geometry.to_numpy(), remarks), crs=table.crs)
    placed = in_crs(path, flat, crs)
    notes = [columns.note()]
    if crs is not None and not same_crs(table.crs.to_wkt(), crs):
        notes.append(f"trees moved from {crs_name(table.crs.to_wkt())} to {crs_name(crs)}")
    return TreeFile(_records(table, placed, columns, settings, remarks), columns, notes)


def _records(
    table: gpd.GeoDataFrame,
    placed: gpd.GeoDataFrame,
    columns: TreeColumns,
    settings: TreesConfig,
    remarks: dict[int, list[str]],
) -> TreeRecords:
    n = len(table)
    xy = np.full((n, 2), np.nan)
    points = placed.geometry.to_numpy()
    known = ~(shapely.is_missing(points) | shapely.is_empty(points))
    xy[known] = shapely.get_coordinates(points[known])

    def metres(column: str | None, unit: str, what: str) -> np.ndarray:
        if column is None:
            return np.full(n, np.nan)
        return _numbers(table[column], what, remarks) * _METRES[unit]

    crown_m = metres(columns.crown, settings.crown_unit, "crown")
    ids = _ids(table, columns, remarks)
    return TreeRecords(
        ids,
        xy[:, 0],
        xy[:, 1],
        metres(columns.height, settings.height_unit, "height"),
        2.0 * crown_m if columns.crown_is_radius else crown_m,
        metres(columns.base, settings.crown_unit, "crown's base"),
        _species(table, columns.species),
        remarks,
    )


def _read_table(path: Path, settings: TreesConfig) -> gpd.GeoDataFrame:
    if not path.exists():
        raise InputError(
            "file not found",
            where=str(path),
            expected=f"trees as {FORMATS} or CSV",
            remedy="Correct trees in [inputs] of the config.",
        )
    if path.suffix.lower() in TABLE_SUFFIXES:
        return read_tree_table(path, settings)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of M values, which are not kept anyway
            if path.suffix.lower() in PARQUET_SUFFIXES:
                return gpd.read_parquet(path)
            return pyogrio.read_dataframe(path, layer=settings.layer or _only_layer(path))
    except (DataSourceError, DataLayerError, ValueError, OSError) as error:
        raise InputError(
            f"cannot be read as trees ({' '.join(str(error).split())[:300]})",
            where=str(path),
            expected=f"{FORMATS} or CSV",
            remedy="Export it again; `ogrinfo FILE` must print it.",
        ) from None


def _only_layer(path: Path) -> str:
    names = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
    if len(names) != 1:
        raise InputError(
            f"has {len(names)} layers with geometry: {', '.join(names)}",
            where=str(path),
            expected="one layer with points, or its name",
            remedy="Name it in [trees]: layer = ...",
        )
    return names[0]


def _no_rows(path: Path) -> InputError:
    return InputError(
        "has no rows",
        where=str(path),
        expected="one row per tree",
        remedy="Is this the right layer? Else leave trees out of [inputs].",
    )


def _kind_faults(path: Path, geometry: np.ndarray) -> list[InputError]:
    kinds = (-1, shapely.GeometryType.POINT, shapely.GeometryType.MULTIPOINT)
    wrong = ~np.isin(shapely.get_type_id(geometry), kinds) & ~shapely.is_empty(geometry)
    if not wrong.any():
        return []
    name = geometry[np.flatnonzero(wrong)[0]].geom_type
    return [
        InputError(
            f"{int(wrong.sum())} of {geometry.size} geometries are no points but {name}",
            where=str(path),
            expected="points: where the trunks stand",
            remedy="Take the layer with the points; crowns as areas have centroids.",
        )
    ]


def _names_no_place(table: gpd.GeoDataFrame) -> bool:
    """Whether the coordinate system is missing, or is the one readers give to GeoJSON without."""
    if table.crs is None:
        return True
    west, south, east, north = table.total_bounds
    far = max(abs(west), abs(east)) > 360.0 or max(abs(south), abs(north)) > 90.0
    return bool(table.crs.is_geographic and far)


def _crs_faults(path: Path, table: gpd.GeoDataFrame, settings: TreesConfig) -> list[InputError]:
    if not _names_no_place(table):
        return _exchanged(path, table) or crs_faults(path, table)
    if settings.crs is not None:
        try:
            parse_crs(settings.crs)
        except InputError as error:
            return [error]
        return []
    found = "has no coordinate system"
    if table.crs is not None:
        west, south = table.total_bounds[:2]
        found = f"coordinates such as {west:.0f} {south:.0f} are no degrees, as its system says"
    return [
        InputError(
            found,
            where=str(path),
            expected="a known coordinate system",
            remedy='If you know it, name it in [trees]: crs = "EPSG:25832"',
        )
    ]


def _exchanged(path: Path, table: gpd.GeoDataFrame) -> list[InputError]:
    """Northings of Europe's grids in place of their eastings."""
    if table.crs.is_geographic:
        return []
    west, south, _, north = table.total_bounds
    if not (west > 4.5e6 and south > 0.0 and north < 1.0e6):
        return []
    return [
        InputError(
            f"easting and northing are exchanged: {west:.0f} {south:.0f}",
            where=str(path),
            expected="eastings first",
            remedy="Exchange x_column and y_column in [trees], or export the points again.",
        )
    ]


def _points(geometry: np.ndarray, remarks: dict[int, list[str]]) -> np.ndarray:
    """Points in the plane, None where there is no place."""
    flat = shapely.force_2d(geometry)
    result = np.full(len(flat), None, dtype=object)
    is_point = shapely.get_type_id(flat) == shapely.GeometryType.POINT
    is_point &= ~shapely.is_empty(flat)
    result[is_point] = flat[is_point]
    for i in np.flatnonzero(shapely.get_type_id(flat) == shapely.GeometryType.MULTIPOINT):
        parts = shapely.get_parts(flat[i])
        if len(parts) == 1:
            result[i] = parts[0]
        elif len(parts):
            remarks.setdefault(int(i), []).append(f"one row with {len(parts)} points")
    finite = np.isfinite(shapely.bounds(result)).all(axis=1)
    result[~finite] = None
    return result


def _numbers(values: pd.Series, what: str, remarks: dict[int, list[str]]) -> np.ndarray:
    """A column as numbers, NaN for what is none; text that is no number gets a remark."""
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = np.full(len(values), np.nan)
    for i, value in enumerate(values):
        text = "" if value is None or value is pd.NA or value != value else str(value).strip()
        match = _NUMBER.match(text)
        if match:
            numbers[i] = float(match.group(1).replace(",", "."))
        elif text.lower() not in NOTHING:
            remarks.setdefault(i, []).append(f"{what} {text!r} is no number")
    return numbers


def _ids(
    table: gpd.GeoDataFrame, columns: TreeColumns, remarks: dict[int, list[str]]
) -> np.ndarray:
    """Ids as text; the number of the row where there is none."""
    if columns.tree_id is None:
        return np.array([str(i + 1) for i in range(len(table))], dtype=object)
    ids = id_texts(table[columns.tree_id])
    for i, one in enumerate(ids):
        ids[i] = one.strip() if one else ""
        if not ids[i]:
            ids[i] = f"row {i + 1}"
            remarks.setdefault(i, []).append(f"has no {columns.tree_id}")
    return ids


def _species(table: gpd.GeoDataFrame, columns: tuple[str, ...]) -> np.ndarray:
    """What all columns say of the species, None where they say nothing."""
    texts = np.full(len(table), None, dtype=object)
    parts = [[None if p else str(v).strip() for v, p in zip(table[c], table[c].isna(), strict=True)]
             for c in columns]  # fmt: skip
    for i in range(len(table)):
        said = dict.fromkeys(
            part[i] for part in parts if part[i] and str(part[i]).lower() not in NOTHING
        )
        texts[i] = ", ".join(str(one) for one in said) or None
    return texts
