"""What a run keeps of its physics, so that ratings are made again without any input."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from solarkataster.checks.rating import RatingInputs
from solarkataster.errors import InputError
from solarkataster.io.installed_plants import InstalledPlants
from solarkataster.io.results import write_geoparquet
from solarkataster.stages.layers import BESIDE, RATED, Tables

#: Folder of a run that holds the layers as the computation left them.
FOLDER = "physics"


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


def write_inputs(
    folder: Path, inputs: RatingInputs, outlines: gpd.GeoSeries, measured_share: np.ndarray | None
) -> None:
    """
    Keep what a rating knows beside the layers.

    Parameters
    ----------
    folder : Path
        Of the final files.
    inputs : RatingInputs
    outlines : GeoSeries, n_building
        Footprints in the order of ``inputs.buildings``.
    measured_share : ndarray, shape (35040,), or None
        Measured load profile.
    """
    known = buildings_of(inputs, outlines)
    tables: dict[str, pd.DataFrame] = {"known": known}
    if inputs.unknown_own_ids:
        tables["unknown_own"] = pd.DataFrame({"building_id": list(inputs.unknown_own_ids)})
    if inputs.installed is not None:
        tables["installed_plants"] = inputs.installed.table
    if measured_share is not None:
        tables["load_profile"] = pd.DataFrame({"share": measured_share})
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_parquet(target / f"{name}.parquet", index=False, compression="zstd")
    for name in ("districts", "parking"):
        layer = getattr(inputs, name)
        if layer is not None:
            write_geoparquet(target / f"{name}.parquet", layer)


def buildings_of(inputs: RatingInputs, outlines: gpd.GeoSeries) -> pd.DataFrame:
    """What is known of buildings, with the area of their footprints. [m²]"""
    return inputs.buildings.assign(footprint_area_m2=outlines.area.to_numpy())


def read_inputs(run: Path) -> tuple[RatingInputs, np.ndarray | None]:
    """
    What :func:`write_inputs` has kept.

    Parameters
    ----------
    run : Path

    Returns
    -------
    inputs : RatingInputs
        ``buildings`` with ``footprint_area_m2``.
    measured_share : ndarray, shape (35040,), or None

    Raises
    ------
    InputError
        If the run keeps nothing.
    """
    folder = run / FOLDER
    _require(folder / "known.parquet")

    def table(name: str) -> pd.DataFrame | None:
        path = folder / f"{name}.parquet"
        return pd.read_parquet(path) if path.is_file() else None

    def layer(name: str) -> gpd.GeoDataFrame | None:
        path = folder / f"{name}.parquet"
        return gpd.read_parquet(path) if path.is_file() else None

    plants, profile = table("installed_plants"), table("load_profile")
    unknown = table("unknown_own")
    known = table("known")
    assert known is not None
    inputs = RatingInputs(
        buildings=known,
        districts=layer("districts"),
        parking=layer("parking"),
        installed=None if plants is None else InstalledPlants(plants, {}, 0),
        unknown_own_ids=() if unknown is None else tuple(unknown["building_id"]),
    )
    return inputs, None if profile is None else profile["share"].to_numpy()


def _require(path: Path) -> None:
    if not path.is_file():
        raise InputError(
            "file not found",
            where=str(path),
            expected="the folder of a finished run",
            remedy="Give the folder of a run, or run it again: solarkataster run CONFIG",
        )


def read_physics(run: Path, *, with_others: bool = True) -> Tables:
    """
    The layers of a finished run as they were before its rating.

    Parameters
    ----------
    run : Path
    with_others : bool
        Read modules and all else that a rating does not change too; these are empty without.

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
        is_left_out = name not in RATED and not with_others
        if is_left_out or (not path.is_file() and name == "facade_elements"):
            tables[name] = gpd.GeoDataFrame({"geometry": []})
            continue
        _require(path)
        tables[name] = gpd.read_parquet(path)
    return Tables(**tables)
