"""Monuments and protected ensembles: areas, points or lines of any layer of a file."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from solarkataster.io.areas import MONUMENTS, read_layers, texts_of


def read_monuments(
    path: str | Path, crs: str | None = None, kind_column: str | None = None
) -> gpd.GeoDataFrame:
    """
    Read the geometries of all layers.

    Parameters
    ----------
    path : path
        GeoPackage, Shapefile, GeoJSON, FlatGeobuf or GeoParquet. Registers keep areas and points
        in layers of their own; every layer with geometry counts.
    crs : str, optional
        Coordinate system to transform to: that of the surface model.
    kind_column : str, optional
        Column with the kind of monument.

    Returns
    -------
    GeoDataFrame
        ``kind`` (text, empty where unknown), ``geometry``: valid and in the plane; rows without
        geometry are left out.

    Raises
    ------
    InputErrors
        If the file is missing or unreadable, names no coordinate system or the wrong one, lacks
        the column or holds no geometry.
    """
    table = read_layers(path, MONUMENTS, crs, named={"monument_kind": kind_column})
    kinds = texts_of(table, kind_column)
    return gpd.GeoDataFrame({"kind": kinds}, geometry=table.geometry.to_numpy(), crs=table.crs)
