"""The weather of a run, kept with it: a rating asks for no input."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from solarkataster.errors import InputError
from solarkataster.weather import Weather

#: Name in the run folder.
FILENAME = "weather.parquet"

#: Key of the table's own metadata.
_META = b"weather"

_SITE = ("latitude", "longitude", "elevation_m", "source", "kind", "label")
_SERIES = ("ghi", "dhi", "bhi", "temp_air", "wind_speed")


def write_run_weather(path: Path, weather: Weather) -> None:
    """
    Keep a year of weather as it has been read and checked.

    Parameters
    ----------
    path : Path
        File to be written.
    weather : Weather
    """
    columns = {name: getattr(weather, name) for name in _SERIES}
    # Hours of a clock without summer time: its offset stands in the metadata.
    columns = {"time": pa.array(weather.times.tz_localize(None).to_numpy())} | {
        name: pa.array(np.asarray(values, dtype=np.float64))
        for name, values in columns.items()
        if values is not None
    }
    offset = weather.times[0].utcoffset()
    meta = {
        **{name: getattr(weather, name) for name in _SITE},
        "utc_offset_hours": 0.0 if offset is None else offset.total_seconds() / 3600.0,
        "notes": list(weather.notes),
        # JSON has no NaN.
        "facts": {k: v if np.isfinite(v) else None for k, v in sorted(weather.facts.items())},
    }
    table = pa.table(columns).replace_schema_metadata({_META: json.dumps(meta, sort_keys=True)})
    pq.write_table(table, path, compression="zstd")


def read_run_weather(path: Path) -> Weather:
    """
    Read the weather that a run has kept.

    Parameters
    ----------
    path : Path
        ``weather.parquet`` of a run.

    Returns
    -------
    Weather
        As the run had it.

    Raises
    ------
    InputError
        If the file is missing or holds no such weather.
    """
    if not path.is_file():
        raise InputError(
            "file not found",
            where=str(path),
            expected="the weather of a finished run",
            remedy="Run it again: solarkataster run CONFIG",
        )
    table = pq.read_table(path)
    text = (table.schema.metadata or {}).get(_META)
    if text is None:
        raise InputError(
            "a table without the site of its weather",
            where=str(path),
            expected="weather.parquet as a run writes it",
            remedy="Run it again: solarkataster run CONFIG",
        )
    meta = json.loads(text)
    zone = datetime.timezone(datetime.timedelta(hours=meta["utc_offset_hours"]))
    times = pd.DatetimeIndex(table["time"].to_numpy()).tz_localize(zone)
    series = {
        name: table[name].to_numpy() if name in table.column_names else None for name in _SERIES
    }
    kept: dict[str, Any] = {**series, **{name: meta[name] for name in _SITE}}
    return Weather(
        times=times,
        **kept,
        notes=tuple(meta["notes"]),
        facts={k: float("nan") if v is None else v for k, v in meta["facts"].items()},
    )
