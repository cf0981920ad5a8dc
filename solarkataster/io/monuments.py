"""Monuments and protected ensembles: areas, points or lines of any layer of a file."""

from __future__ import annotations

import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from solarkataster.errors import InputError, InputErrors
from solarkataster.io.footprints import FORMATS, PARQUET_SUFFIXES, crs_faults, in_crs


def read_monuments(path: str | Path, crs: str | None = None) -> np.ndarray:
    """
    Read the geometries of all layers.

    Parameters
    ----------
    path : path
        GeoPackage, Shapefile, GeoJSON, FlatGeobuf or GeoParquet. Registers keep areas and points
        in layers of their own; every layer with geometry counts.
    crs : str, optional
        Coordinate system to transform to: that of the surface model.

    Returns
    -------
    monuments : ndarray of shapely geometry, shape (n_monument,)
        Valid and in the plane; rows without geometry are left out.

    Raises
    ------
    InputErrors
        If the file is missing or unreadable, names no coordinate system or the wrong one, or holds
        no geometry.
    """
    path = Path(path)
    found: list[np.ndarray] = []
    faults: list[InputError] = []
    for table in _tables(path):
        wrong = crs_faults(path, table)
        faults += [fault for fault in wrong if str(fault) not in map(str, faults)]
        if wrong:
            continue
        flat = gpd.GeoDataFrame(geometry=shapely.force_2d(table.geometry.to_numpy()), crs=table.crs)
        try:
            known = in_crs(path, flat[~(flat.geometry.isna() | flat.geometry.is_empty)], crs)
        except InputErrors as error:
            faults += error.errors
            continue
        found.append(shapely.make_valid(known.geometry.to_numpy()))
    if not faults and not sum(map(len, found)):
        faults = [
            InputError(
                "holds no geometry",
                where=str(path),
                expected="monuments as areas, points or lines",
                remedy="Export it with geometry, or leave monuments out of [inputs].",
            )
        ]
    if faults:
        raise InputErrors(faults)
    return np.concatenate(found)


def _tables(path: Path) -> list[gpd.GeoDataFrame]:
    """Every layer with geometry."""
    if not path.exists():
        raise InputErrors(
            [
                InputError(
                    "file not found",
                    where=str(path),
                    expected=f"monuments as {FORMATS}",
                    remedy="Correct monuments in [inputs] of the config.",
                )
            ]
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of M values and curves, which are not kept anyway
            if path.suffix.lower() in PARQUET_SUFFIXES:
                return [gpd.read_parquet(path)]
            layers = [name for name, kind in pyogrio.list_layers(path) if kind is not None]
            return [pyogrio.read_dataframe(path, layer=name, columns=[]) for name in layers]
    except (DataSourceError, DataLayerError, ValueError, OSError) as error:
        raise InputErrors(
            [
                InputError(
                    f"cannot be read as monuments ({' '.join(str(error).split())[:300]})",
                    where=str(path),
                    expected=FORMATS,
                    remedy="Export it again; `ogrinfo FILE` must print it.",
                )
            ]
        ) from None
