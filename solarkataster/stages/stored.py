"""What a run keeps of its physics, so that ratings are made again without any input."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from solarkataster.errors import InputError
from solarkataster.io.results import write_geoparquet
from solarkataster.stages.layers import BESIDE, Tables

#: Folder of a run that holds the layers as the computation left them.
FOLDER = "physics"

#: Layers that a rating changes.
RATED = ("roofs", "buildings", "facades", "facade_storeys")


def write_physics(folder: Path, tables: Tables) -> None:
    """
    Keep the layers that a rating starts from.

    Parameters
    ----------
    folder : Path
        Of the final files.
    tables : Tables
        Before any rating.
    """
    for name in RATED:
        write_geoparquet(folder / FOLDER / f"{name}.parquet", getattr(tables, name))


def read_physics(run: Path) -> Tables:
    """
    The layers of a finished run as they were before its rating.

    Parameters
    ----------
    run : Path

    Returns
    -------
    Tables

    Raises
    ------
    InputError
        If files are missing.
    """
    paths = {name: run / FOLDER / f"{name}.parquet" for name in RATED}
    paths |= {name: run / f"{name}.parquet" for name in BESIDE if name not in RATED}
    tables = {}
    for name, path in paths.items():
        if not path.is_file() and name == "facade_elements":
            tables[name] = gpd.GeoDataFrame({"geometry": []})
            continue
        if not path.is_file():
            raise InputError(
                "file not found",
                where=str(path),
                expected="the folder of a finished run",
                remedy="Give the folder of a run, or run it again: solarkataster run CONFIG",
            )
        tables[name] = gpd.read_parquet(path)
    return Tables(**tables)
