"""Layers of areas beside the footprints: districts, car parks, roads, monuments."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from solarkataster.errors import InputError, InputErrors
from solarkataster.io.column_names import matching, missing_column, named_columns
from solarkataster.io.footprints import (
    FORMATS,
    PARQUET_SUFFIXES,
    crs_faults,
    id_texts,
    in_crs,
    polygons_of,
)

#: Usual names of columns, lower case, letters and digits alone, the likeliest first.
_DISTRICT = (
    "districtname", "district", "ortsteilname", "ortsteil", "stadtteilname", "stadtteil",
    "ortsbezirk", "stadtbezirk", "bezirk", "gemarkung", "quartier", "name", "bezeichnung",
)  # fmt: skip
_SPACES = (
    "anzahlstellplaetze", "stellplaetze", "stellplatzzahl", "anzstellplaetze", "stellplaetz",
    "stellplatz", "parkplaetze", "plaetze", "kapazitaet", "nspaces", "spaces", "capacity",
)  # fmt: skip
_NAME = ("name", "bezeichnung", "parkplatz", "parkplatzname", "title")
_OWNER = ("ownerclass", "owner", "eigentuemerart", "eigentuemer", "eigentum", "traeger")


@dataclass(frozen=True)
class Kind:
    """
    What a layer holds, for its messages.

    Parameters
    ----------
    key : str
        Its key in [inputs].
    what : str
        As in "cannot be read as …".
    areas_only : bool
        Points and lines are refused; otherwise they are kept.
    """

    key: str
    what: str
    areas_only: bool = True


MONUMENTS = Kind("monuments", "monuments", areas_only=False)
PUBLIC_SPACE = Kind("public_space", "public space")
DISTRICTS = Kind("districts", "districts")
PARKING = Kind("parking", "car parks")


def read_layers(
    path: str | Path,
    kind: Kind,
    crs: str | None = None,
    *,
    named: dict[str, str | None] | None = None,
) -> gpd.GeoDataFrame:
    """
    Read every layer with geometry of a file.

    Parameters
    ----------
    path : path
        GeoPackage, Shapefile, GeoJSON, FlatGeobuf or GeoParquet.
    kind : Kind
    crs : str, optional
        Coordinate system to transform to: that of the surface model.
    named : dict, optional
        Columns by their config key; each must be in a layer if it is named.

    Returns
    -------
    GeoDataFrame
        All columns, ``geometry`` valid and in the plane; rows without geometry are left out.

    Raises
    ------
    InputErrors
        Every fault of: missing or unreadable file, no coordinate system or the wrong one, points
        or lines instead of areas, no geometry, a missing column.
    """
    path = Path(path)
    faults: list[InputError] = []
    found: list[gpd.GeoDataFrame] = []
    tables = _tables(path, kind)
    for table in tables:
        wrong = crs_faults(path, table)
        faults += [fault for fault in wrong if str(fault) not in map(str, faults)]
        if wrong:
            continue
        try:
            moved = in_crs(path, _flat(table), crs)
        except InputErrors as error:
            faults += error.errors
            continue
        found.append(moved)
        crs = crs or moved.crs.to_wkt()
    faults += _column_faults(path, tables, named or {})
    joined = _joined(found, crs)
    faults += _kind_faults(path, joined, kind)
    if not faults and joined.empty:
        faults = [_no_geometry(path, kind)]
    if faults:
        raise InputErrors(faults)
    shapes = shapely.make_valid(joined.geometry.to_numpy())
    if kind.areas_only:
        shapes = np.array([polygons_of(one) for one in shapes], dtype=object)
    joined = joined.set_geometry(gpd.GeoSeries(shapes, index=joined.index, crs=joined.crs))
    return joined[~joined.geometry.is_empty].reset_index(drop=True)


def read_districts(
    path: str | Path, crs: str | None = None, name_column: str | None = None
) -> gpd.GeoDataFrame:
    """
    Read districts.

    Parameters
    ----------
    path, crs
        As for :func:`read_layers`.
    name_column : str, optional
        Without it the likeliest of the usual names is taken.

    Returns
    -------
    GeoDataFrame
        ``name`` (text), ``geometry``; sorted by name, so that the first one is the same however
        the file is sorted.

    Raises
    ------
    InputErrors
        As :func:`read_layers`; districts without a name, or no column with names.
    """
    table = read_layers(path, DISTRICTS, crs, named={"district_name": name_column})
    column = name_column or first_of(_names(table), _DISTRICT)
    if column is None:
        raise InputErrors(
            [
                InputError(
                    "no column with the names of the districts was recognised",
                    where=str(path),
                    expected="one among " + named_columns(_names(table)),
                    remedy="Name it in [inputs]: district_name = ...",
                )
            ]
        )
    names = texts_of(table, column)
    unnamed = np.flatnonzero(names == "")
    if unnamed.size:
        raise InputErrors(
            [
                InputError(
                    f"{unnamed.size} of {len(table)} districts have no name in column {column}",
                    where=str(path),
                    expected="a name for each",
                    remedy="Fill them, or name another column: district_name in [inputs].",
                )
            ]
        )
    districts = gpd.GeoDataFrame({"name": names}, geometry=table.geometry.to_numpy(), crs=table.crs)
    return districts.sort_values("name", kind="stable", ignore_index=True)


def read_parking(
    path: str | Path, crs: str | None = None, spaces_column: str | None = None
) -> gpd.GeoDataFrame:
    """
    Read car parks.

    Parameters
    ----------
    path, crs
        As for :func:`read_layers`.
    spaces_column : str, optional
        Without it the likeliest of the usual names is taken, if there is any.

    Returns
    -------
    GeoDataFrame
        ``parking_id`` (p1, p2, … in the order of the file), ``name`` and ``owner`` (text, empty
        where unknown), ``n_spaces`` (as the file has it, unjudged; None without a column),
        ``geometry``. ``attrs["spaces_column"]`` is the column taken, or None.

    Raises
    ------
    InputErrors
        As :func:`read_layers`.
    """
    table = read_layers(path, PARKING, crs, named={"parking_spaces": spaces_column})
    names = _names(table)
    spaces = spaces_column or first_of(names, _SPACES)
    parking = gpd.GeoDataFrame(
        {
            "parking_id": [f"p{i + 1}" for i in range(len(table))],
            "name": texts_of(table, first_of(names, _NAME)),
            "owner": texts_of(table, first_of(names, _OWNER)),
            "n_spaces": table[spaces].astype(object) if spaces else None,
        },
        geometry=table.geometry.to_numpy(),
        crs=table.crs,
    )
    parking.attrs["spaces_column"] = spaces
    return parking


def first_of(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """The column with the likeliest of the usual names."""
    for name in names:
        found = matching(columns, [name])
        if found:
            return found[0]
    return None


def _names(table: gpd.GeoDataFrame) -> list[str]:
    return [str(column) for column in table.columns if column != table.geometry.name]


def texts_of(table: gpd.GeoDataFrame, column: str | None) -> np.ndarray:
    """A column as stripped text, empty where there is none."""
    if column is None:
        return np.full(len(table), "", dtype=object)
    texts = id_texts(table[column])
    return np.array(["" if text is None else text.strip() for text in texts], dtype=object)


def _tables(path: Path, kind: Kind) -> list[gpd.GeoDataFrame]:
    """Every layer with geometry."""
    if not path.exists():
        raise InputErrors(
            [
                InputError(
                    "file not found",
                    where=str(path),
                    expected=f"{kind.what} as {FORMATS}",
                    remedy=f"Correct {kind.key} in [inputs] of the config.",
                )
            ]
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of M values and curves, which are not kept anyway
            if path.suffix.lower() in PARQUET_SUFFIXES:
                return [gpd.read_parquet(path)]
            layers = [name for name, shape in pyogrio.list_layers(path) if shape is not None]
            return [pyogrio.read_dataframe(path, layer=name) for name in layers]
    except (DataSourceError, DataLayerError, ValueError, OSError) as error:
        raise InputErrors(
            [
                InputError(
                    f"cannot be read as {kind.what} ({' '.join(str(error).split())[:300]})",
                    where=str(path),
                    expected=FORMATS,
                    remedy="Export it again; `ogrinfo FILE` must print it.",
                )
            ]
        ) from None


def _flat(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows with geometry, in the plane, in a column of that name."""
    shapes = shapely.force_2d(table.geometry.to_numpy())
    plain = table.drop(columns={table.geometry.name, "geometry"} & set(table.columns))
    flat = gpd.GeoDataFrame(pd.DataFrame(plain), geometry=shapes, crs=table.crs)
    return flat[~(flat.geometry.isna() | flat.geometry.is_empty)]


def _joined(tables: list[gpd.GeoDataFrame], crs: str | None) -> gpd.GeoDataFrame:
    tables = [table for table in tables if len(table)]
    if not tables:
        return gpd.GeoDataFrame(geometry=[], crs=crs)
    shapes = np.concatenate([table.geometry.to_numpy() for table in tables])
    rest = [pd.DataFrame(table.drop(columns="geometry")).astype(object) for table in tables]
    return gpd.GeoDataFrame(pd.concat(rest, ignore_index=True), geometry=shapes, crs=tables[0].crs)


def _column_faults(
    path: Path, tables: list[gpd.GeoDataFrame], named: dict[str, str | None]
) -> list[InputError]:
    columns = list(dict.fromkeys(name for table in tables for name in _names(table)))
    return [
        missing_column(path, f"{key} in [inputs], or leave the key out", name, columns)
        for key, name in named.items()
        if name is not None and name not in columns
    ]


def _kind_faults(path: Path, table: gpd.GeoDataFrame, kind: Kind) -> list[InputError]:
    """Points and lines where areas are meant; collections may hold both."""
    shapes = table.geometry.to_numpy()
    wrong = shapely.get_dimensions(shapes) < 2
    if not kind.areas_only or not wrong.any():
        return []
    name = shapes[np.flatnonzero(wrong)[0]].geom_type
    return [
        InputError(
            f"{int(wrong.sum())} of {wrong.size} geometries are no areas but {name}",
            where=str(path),
            expected=f"{kind.what} as polygons",
            remedy="Take the layer with the areas; close lines to polygons.",
        )
    ]


def _no_geometry(path: Path, kind: Kind) -> InputError:
    shapes = "areas" if kind.areas_only else "areas, points or lines"
    return InputError(
        "holds no geometry",
        where=str(path),
        expected=f"{kind.what} as {shapes}",
        remedy=f"Export it with geometry, or leave {kind.key} out of [inputs].",
    )
