"""Vector tiles from tables: declared columns, typed, quickly."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

# freestiler's own preparation asks pandas about every value one by one, which takes four fifths
# of its time; what it hands to its compiled part is made here from whole columns.
from freestiler._freestiler import _freestile

from solarkataster.columns import Column
from solarkataster.errors import InputError
from solarkataster.io.results import typed_values
from solarkataster.quality import REMOVED_MARK
from solarkataster.rating.reasons import german_reason

log = logging.getLogger(__name__)

_KINDS = {
    0: "POINT",
    1: "LINESTRING",
    3: "POLYGON",
    4: "MULTIPOINT",
    5: "MULTILINESTRING",
    6: "MULTIPOLYGON",
}


@dataclass(frozen=True)
class TileLayer:
    """
    A layer of an archive.

    Parameters
    ----------
    table : GeoDataFrame
        In EPSG:4326, as :func:`tile_table` makes it.
    min_zoom, max_zoom : int
    """

    table: gpd.GeoDataFrame
    min_zoom: int
    max_zoom: int


def tile_table(
    table: gpd.GeoDataFrame, columns: tuple[Column, ...], layer: str
) -> gpd.GeoDataFrame:
    """
    A layer in longitude and latitude with its declared columns, texts never null.

    Parameters
    ----------
    table : GeoDataFrame
        Rows without a geometry are left out, with a warning unless a scenario removed them.
    columns : tuple of Column
        What goes into the tiles.
    layer : str
        Name of the layer in messages.

    Returns
    -------
    GeoDataFrame
        In EPSG:4326.

    Raises
    ------
    InputError
        If a column or the CRS is missing.
    """
    missing = [column.name for column in columns if column.name not in table.columns]
    if missing:
        raise InputError(f"no column {', '.join(missing)}", where=f"layer {layer}")
    if table.crs is None:
        raise InputError("no coordinate system", where=f"layer {layer}")
    # Not GeoSeries.notna(), which warns the user when a geometry is empty.
    outlines = table.geometry.to_numpy()
    has_place = ~(shapely.is_missing(outlines) | shapely.is_empty(outlines))
    lost = ~has_place
    if "reason" in table:
        lost &= (~table["reason"].isin([REMOVED_MARK, german_reason(REMOVED_MARK)])).to_numpy()
    if lost.any():
        log.warning("%s without geometry are not on the map: %d", layer, lost.sum())
    values = {one.name: typed_values(table.loc[has_place, one.name], one) for one in columns}
    places = gpd.GeoSeries(outlines[has_place], crs=table.crs).to_crs("EPSG:4326")
    return gpd.GeoDataFrame(pd.DataFrame(values), geometry=places.to_numpy(), crs="EPSG:4326")


def write_vector_tiles(path: Path, layers: dict[str, TileLayer]) -> None:
    """
    Write an archive of vector tiles.

    Parameters
    ----------
    path : Path
        PMTiles file to write; replaced if it is there.
    layers : dict of str to TileLayer
        By their names in the tiles, none empty. NaN becomes "no such attribute".
    """
    _freestile(
        layers=[_prepared(name, layer) for name, layer in layers.items()],
        output_path=str(path.resolve()),
        tile_format="mvt",
        min_zoom=min(layer.min_zoom for layer in layers.values()),
        max_zoom=max(layer.max_zoom for layer in layers.values()),
        base_zoom=-1,
        do_simplify=True,
        generate_ids=True,
        quiet=True,
        drop_rate=-1.0,
        cluster_distance=-1.0,
        cluster_maxzoom=-1,
        do_coalesce=False,
    )


def _prepared(name: str, layer: TileLayer) -> dict[str, Any]:
    """Columns and outlines as lists, by type, as the compiled part takes them."""
    shapes = shapely.force_2d(layer.table.geometry.to_numpy())
    data: dict[str, Any] = {
        "name": name,
        "wkb": shapely.to_wkb(shapes).tolist(),
        "geom_types": [_KINDS[kind] for kind in shapely.get_type_id(shapes).tolist()],
        "prop_names": [],
        "prop_types": [],
        "string_columns": [],
        "int_columns": [],
        "float_columns": [],
        "bool_columns": [],
        "min_zoom": layer.min_zoom,
        "max_zoom": layer.max_zoom,
    }
    for column in layer.table.columns.drop(layer.table.geometry.name):
        kind, values = _values(layer.table[column])
        data["prop_names"].append(column)
        data["prop_types"].append(
            {"float": "double", "int": "integer", "bool": "boolean"}.get(kind, kind)
        )
        data[f"{kind}_columns"].append(values)
    return data


def _values(series: pd.Series) -> tuple[str, list]:
    if pd.api.types.is_bool_dtype(series):
        return "bool", series.to_numpy(dtype=bool).tolist()
    if pd.api.types.is_integer_dtype(series):
        return "int", series.to_numpy().tolist()
    if pd.api.types.is_float_dtype(series):
        numbers = series.to_numpy(dtype=np.float64)
        values = numbers.astype(object)
        values[np.isnan(numbers)] = None
        return "float", values.tolist()
    return "string", series.astype(object).tolist()
