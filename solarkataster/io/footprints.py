"""Building footprints: any format GIS offices send, as flat polygons with a text id."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from solarkataster.crs import crs_name, horizontal_crs, same_crs, zone_prefix_fault
from solarkataster.errors import InputError, InputErrors
from solarkataster.io.column_names import missing_column

PARQUET_SUFFIXES = (".parquet", ".geoparquet", ".pq")
DRIVERS = ("GPKG", "ESRI Shapefile", "GeoJSON", "GeoJSONSeq", "FlatGeobuf")
FORMATS = "GeoPackage, Shapefile, GeoJSON, FlatGeobuf or GeoParquet"

#: An input column of this name that is not the named id keeps its values under the second name.
ID_COLUMN, DISPLACED_ID_COLUMN = "building_id", "building_id_input"


def read_footprints(
    path: str | Path,
    id_column: str,
    layer: str | None = None,
    crs: str | None = None,
    *,
    named: Mapping[str, str | None] | None = None,
) -> gpd.GeoDataFrame:
    """
    Read footprints as they are: no row is dropped, repaired or reordered.

    Parameters
    ----------
    path : path
        GeoPackage, Shapefile, GeoJSON, FlatGeobuf or GeoParquet.
    id_column : str
        Column with the id; the feature id of a GeoPackage may be named too.
    layer : str, optional
        Needed if the file holds several.
    crs : str, optional
        Coordinate system to transform to, as WKT or code: that of the surface model.
    named : mapping, optional
        Further columns by their config key, which must be there if they are named.

    Returns
    -------
    GeoDataFrame
        ``building_id`` (text, unique; whole-number floats without ``.0``), all columns of the
        input, ``geometry`` (polygons in the plane, curves stroked, Z and M dropped; missing ones
        are None).

    Raises
    ------
    InputErrors
        Every fault of: missing or unreadable file, unnamed layer, missing id column (similar ones
        are named), ids that are missing or double, no coordinate system, zone number in the
        eastings, points or lines instead of areas.

    Notes
    -----
    Where the outlines were transformed, ``attrs["transformed_from"]`` is their own system.
    """
    path = Path(path)
    try:
        table = _read_table(path, id_column, layer)
    except InputError as error:
        raise InputErrors([error]) from None
    faults = [*crs_faults(path, table), *_kind_faults(path, table.geometry.to_numpy())]
    if id_column in table.columns:
        ids = id_texts(table[id_column])
        faults += _id_faults(path, id_column, ids)
    else:
        faults.append(_missing_id_column(path, id_column, table))
    columns = [str(column) for column in table.columns if column != table.geometry.name]
    faults += [
        missing_column(path, f"{key} in [inputs], or leave the key out", name, columns)
        for key, name in (named or {}).items()
        if name is not None and name not in columns
    ]
    if faults:
        raise InputErrors(faults)
    table = in_crs(path, _flat(table), crs)
    if id_column == ID_COLUMN:
        table = table.drop(columns=ID_COLUMN)
    elif ID_COLUMN in table.columns:
        table = table.rename(columns={ID_COLUMN: DISPLACED_ID_COLUMN})
    table.insert(0, ID_COLUMN, ids)
    return table


def _read_table(path: Path, id_column: str, layer: str | None) -> gpd.GeoDataFrame:
    if not path.exists():
        raise InputError(
            "file not found",
            where=str(path),
            expected=f"footprints as {FORMATS}",
            remedy="Correct footprints in [inputs] of the config.",
        )
    try:
        with warnings.catch_warnings():
            # Readers warn about M values and curves, which are not kept anyway.
            warnings.simplefilter("ignore")
            if path.suffix.lower() in PARQUET_SUFFIXES:
                return gpd.read_parquet(path)
            return _read_with_gdal(path, id_column, layer)
    except (DataSourceError, DataLayerError, ValueError, OSError) as error:
        raise InputError(
            f"cannot be read as footprints ({' '.join(str(error).split())[:300]})",
            where=str(path),
            expected=FORMATS,
            remedy="Export it again; `ogrinfo FILE` must print it.",
        ) from None


def _read_with_gdal(path: Path, id_column: str, layer: str | None) -> gpd.GeoDataFrame:
    layer = layer or _only_layer(path)
    info = pyogrio.read_info(path, layer=layer)
    if info["driver"] not in DRIVERS:
        raise InputError(
            f"is {info['driver']}",
            where=str(path),
            expected=FORMATS,
            remedy="Convert it, for example: ogr2ogr footprints.gpkg FILE",
        )
    is_feature_id = id_column == info["fid_column"] and id_column not in info["fields"]
    table = pyogrio.read_dataframe(path, layer=layer, fid_as_index=is_feature_id)
    return table.reset_index(names=id_column) if is_feature_id else table


def _only_layer(path: Path) -> str:
    layers = pyogrio.list_layers(path)
    names = [name for name, kind in layers if kind is not None]
    if len(names) != 1:
        raise InputError(
            f"has {len(names)} layers with geometry: {', '.join(map(str, names))}",
            where=str(path),
            expected="one layer, or its name",
            remedy="Name it in [inputs]: footprint_layer = ...",
        )
    return names[0]


def _missing_id_column(path: Path, id_column: str, table: gpd.GeoDataFrame) -> InputError:
    columns = [str(c) for c in table.columns if c != table.geometry.name]
    lower = {c.lower(): c for c in columns}
    near = difflib.get_close_matches(id_column.lower(), lower, n=3, cutoff=0.5)
    near = [lower[name] for name in near]
    # Without a similar name: columns whose values could be ids.
    unique = [c for c in columns if table[c].notna().all() and table[c].astype(str).is_unique]
    remedy = "Name the column with the id in [inputs]: footprint_id = ..."
    if near or unique:
        what = "Similar" if near else "Unique in every row"
        remedy = f"{what}: {', '.join((near or unique)[:5])}. {remedy}"
    return InputError(
        f"no column {id_column}",
        where=str(path),
        expected="one of " + (", ".join(columns) or "(the file has no columns)"),
        remedy=remedy,
    )


def id_texts(values: pd.Series) -> np.ndarray:
    """
    Ids as text.

    Parameters
    ----------
    values : Series, length n_building

    Returns
    -------
    ndarray of object, shape (n_building,)
        Whole-number floats without ``.0``; None where there is no id. Text stays as it is.
    """
    texts = np.empty(len(values), dtype=object)
    for i, (value, is_missing) in enumerate(zip(values, values.isna(), strict=True)):
        if is_missing:
            texts[i] = None
        elif isinstance(value, float | np.floating) and float(value).is_integer():
            texts[i] = str(int(value))
        else:
            texts[i] = str(value)
    return texts


def _id_faults(path: Path, id_column: str, ids: np.ndarray) -> list[InputError]:
    missing = np.flatnonzero([not text or not text.strip() for text in ids])
    if missing.size:
        return [
            InputError(
                f"{missing.size} of {ids.size} rows have no {id_column}, "
                f"the first is row {missing[0] + 1}",
                where=str(path),
                expected="an id in every row",
                remedy="Fill them, or name another column: footprint_id = ...",
            )
        ]
    names, counts = np.unique(ids.astype(str), return_counts=True)
    double = names[counts > 1]
    if not double.size:
        return []
    return [
        InputError(
            f"{double.size} ids stand more than once in {id_column}: {', '.join(double[:5])}",
            where=str(path),
            expected="one row per building; its parts as one multipolygon",
            remedy="Dissolve by the id, or name another column: footprint_id = ...",
        )
    ]


def crs_faults(path: Path, table: gpd.GeoDataFrame) -> list[InputError]:
    """A coordinate system that is missing, or that the eastings contradict."""
    if table.crs is None:
        return [
            InputError(
                "has no coordinate system",
                where=str(path),
                expected="a known coordinate system",
                remedy="If you know it, write it in: ogr2ogr -a_srs EPSG:25832 OUT FILE",
            )
        ]
    geometry = table.geometry.to_numpy()
    bounds = shapely.total_bounds(geometry) if len(geometry) else np.full(4, np.nan)
    prefix = zone_prefix_fault(table.crs.to_wkt(), bounds[0], bounds[2])
    if not prefix:
        return []
    found, right = prefix
    return [
        InputError(
            found,
            where=str(path),
            expected=f"{right}, by the eastings",
            remedy=f"Write the right system in: ogr2ogr -a_srs {right} OUT FILE",
        )
    ]


def in_crs(path: Path, table: gpd.GeoDataFrame, crs: str | None) -> gpd.GeoDataFrame:
    """The table in another coordinate system; raises InputErrors if that cannot be."""
    own = table.crs.to_wkt()
    if crs is None:
        return table
    if same_crs(own, crs):
        return table.set_crs(crs, allow_override=True)
    # Heights were dropped, so only the ground plan of a compound system counts.
    moved = table.set_crs(horizontal_crs(own), allow_override=True).to_crs(horizontal_crs(crs))
    bounds = shapely.bounds(moved.geometry.to_numpy())
    if np.isinf(bounds).any():
        raise InputErrors(
            [
                InputError(
                    f"coordinates cannot be transformed from {crs_name(own)} to {crs_name(crs)}",
                    where=str(path),
                    expected=f"coordinates in {crs_name(crs)} or in the system the file names",
                    remedy="Compare their coordinates with those of the surface model.",
                )
            ]
        )
    moved = moved.set_crs(crs, allow_override=True)
    moved.attrs["transformed_from"] = own
    return moved


def _flat(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Polygons without Z and M, in a column named geometry."""
    flat = shapely.force_2d(table.geometry.to_numpy())
    is_collection = shapely.get_type_id(flat) == shapely.GeometryType.GEOMETRYCOLLECTION
    for i in np.flatnonzero(is_collection):
        flat[i] = polygons_of(flat[i])
    name = table.geometry.name
    table = table.set_geometry(gpd.GeoSeries(flat, index=table.index, crs=table.crs))
    if table.geometry.name != name:
        table = table.drop(columns=name, errors="ignore")
    return table if table.geometry.name == "geometry" else table.rename_geometry("geometry")


def _kind_faults(path: Path, geometry: np.ndarray) -> list[InputError]:
    areal = (
        -1,
        shapely.GeometryType.POLYGON,
        shapely.GeometryType.MULTIPOLYGON,
        shapely.GeometryType.GEOMETRYCOLLECTION,
    )
    wrong = ~np.isin(shapely.get_type_id(geometry), areal) & ~shapely.is_empty(geometry)
    if not wrong.any():
        return []
    name = geometry[np.flatnonzero(wrong)[0]].geom_type
    return [
        InputError(
            f"{int(wrong.sum())} of {geometry.size} geometries are no areas but {name}",
            where=str(path),
            expected="polygons",
            remedy="Take the layer with the building outlines; close lines to polygons.",
        )
    ]


def polygons_of(geometry: shapely.Geometry) -> shapely.Geometry:
    """The areas of a geometry as Polygon or MultiPolygon; empty if it has none."""
    parts = shapely.get_parts(shapely.get_parts(geometry))
    parts = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(list(parts))


def read_outlines(path: str | Path, crs: str) -> np.ndarray:
    """
    Outlines alone, without ids, in a given coordinate system.

    Parameters
    ----------
    path : path
        As for :func:`read_footprints`.
    crs : str
        Coordinate system to transform to, as WKT or code.

    Returns
    -------
    outlines : ndarray of shapely geometry, shape (n_outline,)

    Raises
    ------
    InputErrors
        If the file is missing or unreadable, has no known coordinate system, or holds no areas.
    """
    path = Path(path)
    try:
        table = _read_table(path, "", None)
    except InputError as error:
        raise InputErrors([error]) from None
    faults = [*crs_faults(path, table), *_kind_faults(path, table.geometry.to_numpy())]
    if faults:
        raise InputErrors(faults)
    return in_crs(path, _flat(table), crs).geometry.to_numpy()
