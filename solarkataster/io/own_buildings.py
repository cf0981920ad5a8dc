"""The municipality's own buildings: a list of ids in a table of any format."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from solarkataster.errors import InputError, InputErrors
from solarkataster.io.column_names import missing_column, named_columns
from solarkataster.io.footprints import FORMATS, PARQUET_SUFFIXES, id_texts
from solarkataster.io.text_tables import TABLE_SUFFIXES, read_text_table


@dataclass(frozen=True, eq=False)
class OwnBuildings:
    """
    A list of buildings.

    Parameters
    ----------
    column : str
        Where the ids were found.
    known, unknown : tuple of str
        Ids of footprints, and ids that no footprint has; each once, in the order of the file.
    """

    column: str
    known: tuple[str, ...]
    unknown: tuple[str, ...]


def read_own_buildings(
    path: str | Path, building_ids: np.ndarray, id_column: str | None = None
) -> OwnBuildings:
    """
    Read a list of ids.

    Parameters
    ----------
    path : path
        CSV, GeoPackage, Shapefile, GeoJSON, FlatGeobuf or (Geo)Parquet; of a GeoPackage the first
        layer counts.
    building_ids : ndarray of str, shape (n_building,)
        Ids of the footprints.
    id_column : str, optional
        Without it the column with most ids of footprints is taken.

    Returns
    -------
    OwnBuildings

    Raises
    ------
    InputErrors
        If the file is missing or unreadable, the column is missing, or no id is that of a
        footprint.
    """
    path = Path(path)
    try:
        table = _read(path)
    except InputError as error:
        raise InputErrors([error]) from None
    columns = [str(column) for column in table.columns]
    table.columns = pd.Index(columns)
    if id_column is not None and id_column not in columns:
        raise InputErrors(
            [missing_column(path, "own_buildings_id in [inputs]", id_column, columns)]
        )
    all_ids = set(map(str, building_ids))
    ids = {name: _ids(table[name]) for name in ([id_column] if id_column else columns)}
    best = max(ids, key=lambda name: sum(one in all_ids for one in ids[name]), default="")
    known = tuple(one for one in ids.get(best, ()) if one in all_ids)
    if not known:
        raise InputErrors([_none_known(path, columns, ids, id_column, building_ids)])
    return OwnBuildings(best, known, tuple(one for one in ids[best] if one not in all_ids))


def _read(path: Path) -> pd.DataFrame:
    if not path.exists():
        raise InputError(
            "file not found",
            where=str(path),
            expected=f"a list of buildings as CSV, {FORMATS}",
            remedy="Correct own_buildings in [inputs] of the config.",
        )
    if path.suffix.lower() in TABLE_SUFFIXES:
        return read_text_table(path, "one line per building")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of M values and curves: no geometry is read
            if path.suffix.lower() in PARQUET_SUFFIXES:
                return pd.read_parquet(path)
            return pyogrio.read_dataframe(path, read_geometry=False)
    except (DataSourceError, DataLayerError, ValueError, OSError) as error:
        raise InputError(
            f"cannot be read as a list of buildings ({' '.join(str(error).split())[:300]})",
            where=str(path),
            expected=f"CSV, {FORMATS}",
            remedy="Export it again as CSV.",
        ) from None


def _ids(values: pd.Series) -> list[str]:
    """Ids of a column, each once."""
    texts = [text.strip() for text in id_texts(values) if text and text.strip()]
    return list(dict.fromkeys(texts))


def _none_known(
    path: Path,
    columns: list[str],
    ids: dict[str, list[str]],
    id_column: str | None,
    building_ids: np.ndarray,
) -> InputError:
    where = f"column {id_column}" if id_column else "any column"
    example = next((one for found in ids.values() for one in found), "nothing")
    like = f", such as {building_ids[0]}" if len(building_ids) else ""
    return InputError(
        f"no id of a footprint in {where}; it holds {example}",
        where=str(path),
        expected=f"ids of the footprints{like}; the columns are {named_columns(columns)}",
        remedy="Take the ids of footprint_id, and name their column: own_buildings_id in [inputs].",
    )
