"""Sky records on disk: one Parquet table of roof planes, racks and chords of walls."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from solarkataster.canopy import DECIDUOUS, EVERGREEN
from solarkataster.errors import InputError
from solarkataster.layers_visibility import VISIBILITY_COLUMNS
from solarkataster.sky_table import N_STEP
from solarkataster.surface_records import SurfaceRecords
from solarkataster.units import MONTHS
from solarkataster.visibility import BOTH, EDGE_STEP, N_EDGE, SkyRecord

#: Columns of the layers behind crowns; empty for a surface that sees none.
_BEHIND = {
    "through_deciduous": DECIDUOUS,
    "through_evergreen": EVERGREEN,
    "through_both": BOTH,
}
_MONTHS = ("poa_global", "poa_ground_diffuse")

#: Key of the table's own metadata.
_META = b"sky_visibility"

_TYPES = {
    "str": pa.string(),
    "int32": pa.int32(),
    "float64": pa.float64(),
    "binary": pa.binary(),
}

#: Type of every column, the same in each tile.
SCHEMA = pa.schema([(column.name, _TYPES[column.dtype]) for column in VISIBILITY_COLUMNS])


@dataclass(frozen=True, eq=False)
class StoredRecords:
    """
    Sky records as a run keeps them.

    Parameters
    ----------
    building_id, surface_id : ndarray of str, shape (n,)
        Building, and roof plane or wall, of each row.
    records : SurfaceRecords, n rows
        ``owner`` numbers the surfaces in the order in which they come.
    """

    building_id: np.ndarray
    surface_id: np.ndarray
    records: SurfaceRecords


def records_table(
    building_id: np.ndarray, surface_id: np.ndarray, records: SurfaceRecords
) -> pa.Table:
    """
    Sky records as a table.

    Parameters
    ----------
    building_id, surface_id : ndarray of str, shape (n,)
    records : SurfaceRecords, n rows

    Returns
    -------
    Table
        Columns of :data:`solarkataster.layers_visibility.VISIBILITY_COLUMNS`.
    """
    record = records.record
    columns = {
        "building_id": list(building_id),
        "surface_id": list(surface_id),
        "kind": list(records.kind),
        "part": records.part,
        "surface_tilt": record.surface_tilt,
        "surface_azimuth": (record.grid_azimuth + record.convergence_deg) % 360.0,
        "weight": records.weight,
        "n_sector": np.full(len(records), record.n_sector),
        "first_sector": record.first_sector,
        "visible": [one.tobytes() for one in record.visible],
    }
    for name, layer in _BEHIND.items():
        columns[name] = _bytes_of(record, layer)
    for name in _MONTHS:
        values = getattr(records, f"{name}_month_kwh_m2")
        for i, month in enumerate(MONTHS):
            columns[f"{name}_{month}_kwh_m2"] = values[:, i]
    arrays = [pa.array(columns[field.name], field.type) for field in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=_schema_at(record.convergence_deg))


def _bytes_of(record: SkyRecord, layer: int) -> list[bytes | None]:
    """A layer behind crowns, surface by surface; None for one that sees none."""
    n, n_slot, _ = record.visible.shape
    if not len(record.behind_row):
        return [None] * n
    out: list[bytes | None] = []
    for row in record.behind_row[layer - 1]:
        if (row < 0).all():
            out.append(None)
            continue
        dense = np.zeros((n_slot, N_EDGE), np.uint8)
        dense[row >= 0] = record.behind[row[row >= 0]]
        out.append(dense.tobytes())
    return out


def _edges() -> list[float]:
    """Edges of a record as q = t / (1 + t), t the tangent of the elevation."""
    return [round(float(q), 6) for q in EDGE_STEP / N_STEP]


def _schema_at(convergence_deg: float) -> pa.Schema:
    """Types, and what is needed to read the shares."""
    meta = {"edge_q": _edges(), "full_share": 255, "convergence_deg": float(convergence_deg)}
    return SCHEMA.with_metadata({_META: json.dumps(meta, sort_keys=True)})


class RecordsWriter:
    """
    Writes sky records block by block, the same bytes for the same rows.

    Parameters
    ----------
    path : Path
    convergence_deg : float
        Azimuth of grid north from true north at the middle of the run's raster. [°]
    """

    def __init__(self, path: Path, convergence_deg: float) -> None:
        self._schema = _schema_at(convergence_deg)
        self._file = pq.ParquetWriter(path, self._schema, compression="zstd")

    def __enter__(self) -> RecordsWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def write(self, table: pa.Table) -> None:
        """Add rows as one group."""
        self._file.write_table(
            table.replace_schema_metadata(self._schema.metadata), row_group_size=len(table) or 1
        )


def read_sky_records(path: Path, kinds: Sequence[str]) -> StoredRecords:
    """
    Read the sky records of some kinds of rows.

    Parameters
    ----------
    path : Path
        ``sky_visibility.parquet`` of a run, or of one of its tiles.
    kinds : sequence of str
        ``roof`` and ``rack``, or ``wall``: rows with as many sectors.

    Returns
    -------
    StoredRecords

    Raises
    ------
    InputError
        If the file is missing, no such table, or of a version with other edges.
    """
    if not path.is_file():
        raise InputError(
            "file not found",
            where=str(path),
            expected="the sky records of a finished run",
            remedy="Run it again: solarkataster run CONFIG",
        )
    table = pq.read_table(path, filters=[("kind", "in", list(kinds))])
    return records_of(table, str(path))


def iterate_sky_records(
    path: Path, kinds: Sequence[str], n_row: int = 4096
) -> Iterator[StoredRecords]:
    """
    Read sky records some rows at a time, so that memory does not grow with the municipality.

    Parameters
    ----------
    path, kinds
        As of :func:`read_sky_records`.
    n_row : int
        Rows at a time, at most.

    Yields
    ------
    StoredRecords
        In the order of the file; the rows of a surface may lie in two blocks.
    """
    file = pq.ParquetFile(path)
    schema = file.schema_arrow
    for batch in file.iter_batches(n_row):
        table = pa.Table.from_batches([batch], schema=schema)
        is_kind = np.isin(table["kind"].to_numpy(zero_copy_only=False).astype(str), list(kinds))
        if is_kind.any():
            yield records_of(table.filter(pa.array(is_kind)), str(path))


def records_of(table: pa.Table, where: str) -> StoredRecords:
    """
    Sky records from their table.

    Parameters
    ----------
    table : Table
        Of :func:`records_table`, or some of its rows.
    where : str
        File that it comes from, for messages.

    Returns
    -------
    StoredRecords

    Raises
    ------
    InputError
        If it is no such table, or has rows of several numbers of sectors.
    """
    meta = json.loads((table.schema.metadata or {}).get(_META, b"{}"))
    if meta.get("edge_q") != _edges():
        raise InputError(
            "sky records with other steps of elevation",
            where=where,
            expected=f"{N_EDGE} edges, as this version writes them",
            remedy="Run it again: solarkataster run CONFIG",
        )
    data = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    sectors = np.unique(data["n_sector"])
    if len(sectors) > 1:
        raise InputError(
            f"sky records of {' and '.join(str(n) for n in sectors)} sectors",
            where=where,
            expected="one number: read roofs and racks, or walls",
        )
    n, n_sector = len(table), int(sectors[0]) if len(sectors) else 8
    visible = _shares(data["visible"], n)
    surface_id = data["surface_id"].astype(object)
    first = {one: i for i, one in enumerate(dict.fromkeys(surface_id))}
    months = {
        name: np.stack([data[f"{name}_{month}_kwh_m2"] for month in MONTHS], axis=1).reshape(n, 12)
        for name in _MONTHS
    }
    convergence_deg = float(meta["convergence_deg"])
    record = SkyRecord(
        data["surface_tilt"],
        (data["surface_azimuth"] - convergence_deg) % 360.0,
        n_sector,
        data["first_sector"].astype(np.int64),
        visible,
        *_behind_of([data[name] for name in _BEHIND], visible.shape),
        convergence_deg,
    )
    records = SurfaceRecords(
        record,
        data["kind"].astype(object),
        np.array([first[one] for one in surface_id], dtype=np.int64),
        data["part"].astype(np.int64),
        data["weight"],
        months["poa_global"],
        months["poa_ground_diffuse"],
    )
    return StoredRecords(data["building_id"].astype(object), surface_id, records)


def _shares(texts: np.ndarray, n: int) -> np.ndarray:
    """Shares of n surfaces from their bytes, (n, n_slot, N_EDGE)."""
    joined = np.frombuffer(b"".join(texts), dtype=np.uint8)
    return joined.reshape(n, -1, N_EDGE) if n else np.zeros((0, 1, N_EDGE), np.uint8)


def _behind_of(layers: list[np.ndarray], shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and shares of what lies behind crowns, as `SkyRecord` has them."""
    n, n_slot, _ = shape
    if all(text is None for texts in layers for text in texts):
        return np.zeros((0, n, n_slot), np.int32), np.zeros((0, N_EDGE), np.uint8)
    rows = np.full((3, n, n_slot), -1, np.int32)
    shares, count = [], 0
    for k, texts in enumerate(layers):
        for i, text in enumerate(texts):
            if text is None:
                continue
            dense = np.frombuffer(text, dtype=np.uint8).reshape(n_slot, N_EDGE)
            at = np.flatnonzero(dense.any(axis=1))
            rows[k, i, at] = count + np.arange(at.size)
            count += at.size
            shares.append(dense[at])
    return rows, np.concatenate(shares)
