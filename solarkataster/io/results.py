"""Result layers on disk: GeoParquet with the same bytes every time, GeoPackage for QGIS."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from solarkataster.columns import Column
from solarkataster.io.qgis_style import Shape, categorized_style, graduated_style, plain_style
from solarkataster.io.runfolder import written_whole

_GEOMETRY_TYPES = {
    "polygon": "MultiPolygon",
    "upright": "MultiPolygon",
    "line": "MultiLineString",
    "point": "MultiPoint",
}
#: Column of classes, and what legends call surfaces without one.
_CLASS_COLUMN, _NO_CLASS = "suitability", "ungeeignet oder keine Angabe"
#: Names a GeoParquet or GeoPackage file needs for itself.
_RESERVED = ("geometry", "bbox")


@dataclass(frozen=True)
class Layer:
    """
    A table of the GeoPackage, and how QGIS draws it.

    Parameters
    ----------
    table : GeoDataFrame
        Polygons, lines or points.
    style_column : str
        Number that the colours show; not read without stops.
    style_stops : sequence of (float, str)
        Lower limit and colour of each class; empty: all features have ``colour``.
    description : str
    colour : str
        ``#rrggbb`` of a layer without stops.
    outline_mm : float
        Width of the outline of polygons; small things want a thin one. [mm on paper]
    shape : Shape
        ``polygon``, ``upright`` (walls, drawn as coloured lines), ``line`` or ``point``; of empty
        tables too.
    classes : mapping of str to str
        Colour of each class in the column ``suitability``; then that is the layer's first look
        and the colours of ``style_column`` its second one, if any row has a class.
    """

    table: gpd.GeoDataFrame
    style_column: str
    style_stops: Sequence[tuple[float, str]]
    description: str
    colour: str = "#7d838c"
    outline_mm: float = 0.1
    shape: Shape = "polygon"
    classes: Mapping[str, str] = field(default_factory=dict)

    def looks(self) -> dict[str, str]:
        """The layer's looks in QGIS by their names, the one to open with first; "" is its own."""
        if not self.classes or not self.table[_CLASS_COLUMN].astype(bool).any():
            return {"": self.qml()}
        classes = categorized_style(
            _CLASS_COLUMN, self.classes, _NO_CLASS, shape=self.shape, outline_mm=self.outline_mm
        )
        return {"Eignung": classes, "Sonnenlicht": self.qml()}

    def qml(self) -> str:
        """The layer's look in QGIS by ``style_column``."""
        if self.style_stops:
            return graduated_style(
                self.style_column,
                self.style_stops,
                shape=self.shape,
                outline_mm=self.outline_mm,
            )
        return plain_style(self.colour, shape=self.shape, outline_mm=self.outline_mm)


def typed(table: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """
    Exactly the declared columns, in their order, with their types.

    Absent columns and values become NaN, in texts the empty text, in whole numbers 0, in yes/no
    columns no.
    """
    typed_columns = {
        column.name: typed_values(
            table[column.name] if column.name in table else pd.Series(index=table.index), column
        )
        for column in columns
    }
    return pd.DataFrame(typed_columns, index=table.index)


def typed_values(values: pd.Series, column: Column) -> pd.Series:
    """Values of one column with its declared type; what is missing as in :func:`typed`."""
    if column.dtype == "str":
        return values.astype(object).fillna("").astype("str")
    if column.dtype == "bool":
        return values.astype("boolean").fillna(False).astype(bool)
    if column.dtype.startswith("int"):
        return values.fillna(0).astype(np.dtype(column.dtype))
    return values.astype(np.dtype(column.dtype))


def beside_own(inputs: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """
    Columns of the input under names that do not clash with ours: a clash gets ``_input``.

    Databases do not tell upper from lower case, so neither does the comparison.
    """
    taken = {column.name.lower() for column in columns} | set(_RESERVED)
    names = {}
    for name in inputs.columns:
        new = str(name)
        while new.lower() in taken:
            new += "_input"
        taken.add(new.lower())
        names[name] = new
    return inputs.rename(columns=names)


def write_geoparquet(path: Path, table: gpd.GeoDataFrame) -> None:
    """
    Write GeoParquet 1.1 with a bounding box per row; the same table gives the same bytes.

    Parameters
    ----------
    path : Path
        Replaced as a whole.
    table : GeoDataFrame
    """
    with written_whole(path) as temporary:
        table.to_parquet(
            temporary,
            index=False,
            compression="zstd",
            schema_version="1.1.0",
            write_covering_bbox=True,
        )


def write_geopackage(path: Path, layers: Mapping[str, Layer]) -> None:
    """
    Write layers with their styles into one file that QGIS opens as it is meant to look.

    Parameters
    ----------
    path : Path
        Replaced as a whole.
    layers : mapping of str to Layer
        By table name, the top layer first.
    """
    with written_whole(path) as temporary, _no_dates():
        _write_layers(temporary, layers)
        with closing(sqlite3.connect(temporary)) as database, database:
            _make_styles(database)
            _add_styles(database, layers)


def replace_layers(path: Path, layers: Mapping[str, Layer], old: Path) -> None:
    """
    Write a file anew with some of its layers replaced; the others stay as they are.

    Parameters
    ----------
    path : Path
        Replaced as a whole.
    layers : mapping of str to Layer
        By table name.
    old : Path
        File that has the other layers; may be ``path``.
    """
    with written_whole(path) as temporary, _no_dates():
        shutil.copyfile(old, temporary)
        _write_layers(temporary, layers)
        with closing(sqlite3.connect(temporary)) as database, database:
            names = [(name,) for name in layers]
            database.executemany("DELETE FROM layer_styles WHERE f_table_name = ?", names)
            _add_styles(database, layers)


def _write_layers(path: Path, layers: Mapping[str, Layer]) -> None:
    for name, layer in layers.items():
        table = _for_sqlite(layer.table)
        fid = "fid"
        while fid in {str(column).lower() for column in table.columns}:
            fid += "_row"
        table.to_file(
            path,
            layer=name,
            driver="GPKG",
            engine="pyogrio",
            promote_to_multi=True,
            geometry_type=_geometry_type(layer),
            layer_options={
                "FID": fid,
                "GEOMETRY_NAME": "geom",
                "DESCRIPTION": layer.description,
            },
            dataset_options={"ADD_GPKG_OGR_CONTENTS": "YES"},
        )


def _geometry_type(layer: Layer) -> str:
    """What the table says it holds; walls have heights."""
    kind = _GEOMETRY_TYPES[layer.shape]
    return f"{kind} Z" if bool(layer.table.geometry.has_z.any()) else kind


@contextmanager
def _no_dates() -> Iterator[None]:
    """GDAL writes no time of change of its own, so that the same tables give the same file."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "1970-01-01T00:00:00.000Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _for_sqlite(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Lists, dictionaries and the like as text; a GeoPackage cannot hold them."""
    plain = table.copy()
    for name in plain.columns.drop(plain.geometry.name):
        values = plain[name]
        if values.dtype == object and not values.map(_is_plain).all():
            plain[name] = values.map(lambda one: one if _is_plain(one) else str(one))
        elif isinstance(values.dtype, pd.CategoricalDtype):
            plain[name] = values.astype("str")
    return plain


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool | pd.Timestamp)


def _make_styles(database: sqlite3.Connection) -> None:
    """Make the table ``layer_styles``, from which QGIS takes a layer's default look."""
    database.execute(
        "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,"
        " f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),"
        " f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,"
        " useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),"
        " update_time DATETIME)"
    )
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description,"
        " last_change) VALUES ('layer_styles', 'attributes', 'layer_styles', '',"
        " '1970-01-01T00:00:00.000Z')"
    )


def _add_styles(database: sqlite3.Connection, layers: Mapping[str, Layer]) -> None:
    for name, layer in layers.items():
        for i, (look, qml) in enumerate(layer.looks().items()):
            database.execute(
                "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name,"
                " f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description,"
                " owner, ui, update_time) VALUES ('', '', ?, 'geom', ?, ?, '', ?, ?, '', '',"
                " '1970-01-01T00:00:00.000Z')",
                (name, look or name, qml, int(i == 0), layer.description),
            )
