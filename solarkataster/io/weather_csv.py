"""Hourly tables whose columns the config describes."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Mapping
from typing import Any

import pandas as pd

from solarkataster.errors import ConfigError, InputError, InputErrors
from solarkataster.weather import WeatherRecords

#: What [weather.columns] may name.
COLUMN_KEYS = ("time", "ghi", "dhi", "bhi", "dni", "temp_air", "wind_speed")
#: Ways to write a time stamp, tried in this order.
TIME_FORMATS = (
    "ISO8601",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%Y%m%d:%H%M",
    "%Y%m%d%H%M",
    "%Y%m%d%H",
)


def csv_records(text: str, source: str, settings: Any) -> WeatherRecords:
    """
    A table as it stands, by the columns, site and clock of the ``[weather]`` section.

    Parameters
    ----------
    text : str
        Content of the file: comma, semicolon or tab between fields, lines before the header
        allowed, decimal comma if fields are split by semicolons.
    source : str
        File name, for messages.
    settings : object
        With ``columns``, ``latitude``, ``longitude``, ``elevation_m``, ``utc_offset_hours``.

    Returns
    -------
    WeatherRecords

    Raises
    ------
    InputErrors
        With every missing setting and column.
    """
    columns = dict(getattr(settings, "columns", None) or {})
    faults = _setting_faults(columns, settings)
    if faults:
        raise InputErrors(faults)
    lines = text.splitlines()
    i_header, separator = _header_line(lines, columns, source)
    header = [name.strip() for name in next(csv.reader([lines[i_header]], delimiter=separator))]
    numbers, rows = [], []
    for i, fields in enumerate(csv.reader(lines[i_header + 1 :], delimiter=separator)):
        if any(field.strip() for field in fields):
            numbers.append(i_header + 2 + i)
            rows.append((fields + [""] * len(header))[: len(header)])
    cells = pd.DataFrame(rows, index=pd.Index(numbers), columns=range(len(header)))
    text_of = {key: cells.iloc[:, header.index(name)] for key, name in columns.items()}
    table = _clock_columns(text_of.pop("time"), settings.utc_offset_hours, source)
    for key, number_text in text_of.items():
        if separator == ";":
            number_text = number_text.str.replace(",", ".", regex=False)
        table[key] = pd.to_numeric(number_text.str.strip(), errors="coerce").astype("float64")
    return WeatherRecords(
        table=table,
        latitude=float(settings.latitude),
        longitude=float(settings.longitude),
        elevation_m=float(getattr(settings, "elevation_m", None) or 0.0),
        utc_offset_hours=float(settings.utc_offset_hours),
        source=source,
        kind="CSV",
    )


def _setting_faults(columns: Mapping[str, str], settings: Any) -> list[InputError]:
    """What the config leaves out or misspells."""
    faults: list[InputError] = []
    for key in columns:
        if key not in COLUMN_KEYS:
            near = difflib.get_close_matches(key, COLUMN_KEYS, n=1)
            faults.append(
                ConfigError(
                    f"unknown key {key}.",
                    where="[weather.columns]",
                    expected="keys " + ", ".join(COLUMN_KEYS),
                    remedy=f"Did you mean {near[0]}?" if near else None,
                )
            )
    if "time" not in columns or "dhi" not in columns or not {"ghi", "bhi"} & set(columns):
        faults.append(
            ConfigError(
                "names " + (", ".join(columns) or "no column") + ".",
                where="[weather.columns]",
                expected="time, dhi (diffuse) and ghi (global) or bhi (direct on the horizontal)",
                remedy='For example: time = "Zeit", ghi = "G", dhi = "D".',
            )
        )
    for key in ("latitude", "longitude", "utc_offset_hours"):
        if getattr(settings, key, None) is None:
            faults.append(
                ConfigError(
                    f"{key} is missing.",
                    where="[weather]",
                    expected=f"{key} of the weather site; a table does not say it",
                    remedy=f"Add {key} to [weather] of the config.",
                )
            )
    return faults


def _header_line(lines: list[str], columns: Mapping[str, str], source: str) -> tuple[int, str]:
    """Index of the line that names all columns, and its separator."""
    wanted = set(columns.values())
    best: tuple[set[str], list[str]] = (set(wanted), [])
    for i, line in enumerate(lines[:200]):
        for separator in (";", ",", "\t"):
            names = [name.strip() for name in next(csv.reader([line], delimiter=separator), [])]
            missing = wanted - set(names)
            if not missing:
                return i, separator
            if len(missing) < len(best[0]) or not best[1]:
                best = (missing, names)
    missing, names = best
    near = [match for name in missing for match in difflib.get_close_matches(name, names, n=1)]
    raise InputError(
        f"no header line with column {', '.join(sorted(missing))}.",
        where=source,
        expected="a line with " + ", ".join(sorted(wanted)),
        remedy="Correct [weather.columns] of the config"
        + (f"; the file has {', '.join(near)}." if near else "."),
    )


def _clock_columns(stamps: pd.Series, utc_offset_hours: float, source: str) -> pd.DataFrame:
    """Year, month, day, hour, minute of text stamps in the file's clock; NaN if unreadable."""
    text = stamps.str.strip()
    # Midnight written as 24:00 is the next day's 00:00, which pandas does not read.
    is_midnight = text.str.contains(r"[ T:]24:?00", regex=True)
    text = text.str.replace(r"([ T:])24(:?00)", r"\g<1>00\g<2>", regex=True)
    has_offset = text.str.contains(r"\d(?:Z|[+-]\d\d:?\d\d)$", regex=True) & text.str.contains(":")
    if has_offset.all() and len(text) > 0:
        times = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
        times = times.dt.tz_localize(None) + pd.Timedelta(hours=utc_offset_hours)
    elif has_offset.any():
        raise InputError(
            f"{has_offset.sum()} of {len(text)} time stamps name an offset to UTC, the others not.",
            where=source,
            expected="all or none",
            remedy="Write all time stamps the same way.",
        )
    else:
        tried = [pd.to_datetime(text, format=f, errors="coerce") for f in TIME_FORMATS]
        times = min(tried, key=lambda result: int(result.isna().sum()))
    times = times + pd.to_timedelta(is_midnight.astype("int64"), unit="D")
    return pd.DataFrame(
        {
            "year": times.dt.year,
            "month": times.dt.month,
            "day": times.dt.day,
            "hour": times.dt.hour,
            "minute": times.dt.minute,
        },
        index=stamps.index,
    ).astype("float64")
