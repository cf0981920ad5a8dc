"""Weather files: DWD test reference years (2015), EPW, and tables described in the config."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from pyproj import Transformer

from solarkataster.errors import InputError, InputErrors
from solarkataster.io.weather_csv import csv_records
from solarkataster.weather import Weather, WeatherRecords, weather_from_records

#: What a TRY calls the columns that are used. B is direct light on the HORIZONTAL.
TRY_COLUMNS: Mapping[str, str] = {
    "MM": "month",
    "DD": "day",
    "HH": "hour",
    "B": "bhi",
    "D": "dhi",
    "t": "temp_air",
    "WG": "wind_speed",
}
#: Lambert conformal conic of the TRY header (checked against the places in the file names).
TRY_CRS = "EPSG:3034"
#: Range of Rechtswert and Hochwert, as every TRY header states it. [m]
TRY_EASTING_M = (3_670_500.0, 4_389_500.0)
TRY_NORTHING_M = (2_242_500.0, 3_179_500.0)
#: Central European Time without summer time (MEZ). [h]
TRY_UTC_OFFSET_HOURS = 1.0

#: Place of the used fields in an EPW row, and the value that stands for "missing"
#: (EnergyPlus, Auxiliary Programs, EPW data dictionary).
EPW_FIELDS: Mapping[str, tuple[int, float]] = {
    "year": (0, float("inf")),
    "month": (1, float("inf")),
    "day": (2, float("inf")),
    "hour": (3, float("inf")),
    "temp_air": (6, 99.9),
    "ghi": (13, 9999.0),
    "dni": (14, 9999.0),
    "dhi": (15, 9999.0),
    "wind_speed": (21, 999.0),
}

FORMATS = ("auto", "try", "epw", "csv")


def read_weather(path: str | Path, settings: Any = None) -> Weather:
    """
    Read and check a weather file.

    Parameters
    ----------
    path : str or Path
        DWD test reference year of 2015 (``.dat``), EPW, or a table with one row per hour.
    settings : object, optional
        The ``[weather]`` section of the config: ``format`` ("auto", "try", "epw", "csv"),
        ``label`` (None, "start", "centre", "end"), and for tables ``columns`` (our name -> name
        in the file: ``time`` and two or more of ``ghi``, ``dhi``, ``bhi``, maybe ``dni``,
        ``temp_air``, ``wind_speed``), ``latitude``, ``longitude``, ``elevation_m``,
        ``utc_offset_hours``.

    Returns
    -------
    Weather

    Raises
    ------
    InputErrors
        With every fault that was found.
    """
    path = Path(path)
    try:
        text = _text_of(path)
        name = _format_of(text, path, settings)
        if name == "try":
            records = _try_records(text, path.name)
        elif name == "epw":
            records = _epw_records(text, path.name)
        else:
            records = csv_records(text, path.name, settings)
    except InputError as error:
        raise InputErrors([error]) from error
    return weather_from_records(records, label=getattr(settings, "label", None))


def _text_of(path: Path) -> str:
    """Content of a text file, UTF-8 or else Latin-1 (umlauts in EPW headers)."""
    if not path.is_file():
        raise InputError(
            "no such file." if not path.exists() else "is not a file.",
            where=str(path),
            expected="a weather file",
            remedy="Correct weather in [inputs] of the config.",
        )
    content = path.read_bytes()
    if not content.strip() or b"\0" in content[:65536]:
        raise _not_a_weather_file(path, "is empty" if not content.strip() else "is not text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _format_of(text: str, path: Path, settings: Any) -> str:
    """The format the config names, else the one the content shows."""
    chosen = getattr(settings, "format", None) or "auto"
    if chosen not in FORMATS:
        raise InputError(
            f"format = {chosen!r} is not known.",
            where=str(path),
            expected="one of " + ", ".join(FORMATS),
            remedy="Correct format in [weather] of the config.",
        )
    if chosen != "auto":
        return chosen
    if text.startswith("LOCATION,"):
        return "epw"
    if re.search(r"^\s*\*\*\*\s*$", text[:20000], flags=re.MULTILINE):
        return "try"
    if getattr(settings, "columns", None):
        return "csv"
    raise _not_a_weather_file(path, "is neither a TRY nor an EPW")


def _not_a_weather_file(path: Path, found: str) -> InputError:
    return InputError(
        f"{found}: not a weather file.",
        where=str(path),
        expected="a DWD TRY of 2015 (data after a line ***), an EPW (first word LOCATION), or a "
        "table",
        remedy="For a table, say in [weather.columns] of the config which column is which.",
    )


def _try_records(text: str, source: str) -> WeatherRecords:
    """A test reference year of 2015 as it stands; stops at summer and winter years."""
    lines = text.splitlines()
    ends = [i for i, line in enumerate(lines) if line.strip() == "***"]
    if not ends:
        raise InputError(
            "has no line *** between header and data.",
            where=source,
            expected="a DWD test reference year of 2015",
            remedy="Check the file, or format in [weather] of the config.",
        )
    header, first = lines[: ends[0]], ends[0] + 1
    kind = _try_kind(header, source)
    names = next((line.split() for line in reversed(header) if line.strip()), [])
    missing = [name for name in TRY_COLUMNS if name not in names]
    if missing:
        raise InputError(
            f"columns {', '.join(missing)} are missing in the line before ***.",
            where=source,
            expected="columns RW HW MM DD HH t p WR WG N x RF B D A E IL of a TRY of 2015",
            remedy="Older editions have other columns; take the edition of 2015.",
        )
    rows = _rows(lines, first, None, len(names), source)
    table = rows[[names.index(name) for name in TRY_COLUMNS]]
    table.columns = pd.Index(TRY_COLUMNS.values())
    latitude, longitude = _try_site(header, source)
    return WeatherRecords(
        table=_numbers(table).assign(minute=0.0),
        latitude=latitude,
        longitude=longitude,
        elevation_m=_try_number(header, "Hoehenlage", source),
        utc_offset_hours=TRY_UTC_OFFSET_HOURS,
        source=source,
        kind=f"DWD TRY, {kind}",
    )


def _try_kind(header: list[str], source: str) -> str:
    """The header's kind of year; only the mean year gives a year's sum."""
    found = re.search(r"^\s*Art des TRY\s*:\s*(.+?)\s*$", "\n".join(header), flags=re.MULTILINE)
    kind = found.group(1) if found else "not stated"
    if found and "mittler" in kind.lower():
        return kind
    season = ""
    if "somm" in kind.lower():
        season = "a summer TRY: "
    elif "wint" in kind.lower():
        season = "a winter TRY: "
    raise InputError(
        f"{season}Art des TRY is {kind}.",
        where=source,
        expected="mittleres Jahr; an extreme season gives no yearly sum",
        remedy="Take the file that ends in _Jahr.dat of the same place.",
    )


def _try_number(header: list[str], name: str, source: str) -> float:
    """The number behind a word of the header."""
    for line in header:
        found = re.match(rf"\s*{name}\s*:\s*(-?\d+(?:\.\d+)?)", line)
        if found:
            return float(found.group(1))
    raise InputError(
        f"{name} is missing in the header.",
        where=source,
        expected="a header with Rechtswert, Hochwert and Hoehenlage",
        remedy="Take the TRY of 2015 as DWD delivers it.",
    )


def _try_site(header: list[str], source: str) -> tuple[float, float]:
    """Latitude and longitude of Rechtswert and Hochwert. [°]"""
    easting_m = _try_number(header, "Rechtswert", source)
    northing_m = _try_number(header, "Hochwert", source)
    is_inside = (
        TRY_EASTING_M[0] <= easting_m <= TRY_EASTING_M[1]
        and TRY_NORTHING_M[0] <= northing_m <= TRY_NORTHING_M[1]
    )
    if not is_inside:
        raise InputError(
            f"Rechtswert {easting_m:.0f}, Hochwert {northing_m:.0f} are off the TRY lattice.",
            where=source,
            expected=f"{TRY_CRS}: Rechtswert {TRY_EASTING_M[0]:.0f} to {TRY_EASTING_M[1]:.0f}, "
            f"Hochwert {TRY_NORTHING_M[0]:.0f} to {TRY_NORTHING_M[1]:.0f}",
            remedy="Take the TRY of 2015 as DWD delivers it.",
        )
    to_geographic = Transformer.from_crs(TRY_CRS, "EPSG:4326", always_xy=True)
    longitude, latitude = to_geographic.transform(easting_m, northing_m)
    return latitude, longitude


def _epw_records(text: str, source: str) -> WeatherRecords:
    """An EPW as it stands: rows labelled as the file has them, nothing moved."""
    lines = text.splitlines()
    location = lines[0].split(",")
    periods = [i for i, line in enumerate(lines[:20]) if line.startswith("DATA PERIODS")]
    try:
        latitude, longitude, utc_offset_hours, elevation_m = (float(v) for v in location[6:10])
        records_per_hour = int(lines[periods[0]].split(",")[2])
    except (ValueError, IndexError) as error:
        raise InputError(
            "the header has no readable LOCATION or DATA PERIODS line.",
            where=source,
            expected="LOCATION,city,state,country,source,WMO,latitude,longitude,UTC offset,"
            "elevation and, 7 lines below, DATA PERIODS,1,1,...",
            remedy="Fetch the file again.",
        ) from error
    if records_per_hour != 1:
        raise InputError(
            f"wrong hour count: DATA PERIODS says {records_per_hour} records per hour.",
            where=source,
            expected="1 record per hour",
            remedy="Take the hourly file.",
        )
    n_fields = max(place for place, _ in EPW_FIELDS.values()) + 1
    rows = _rows(lines, periods[0] + 1, ",", n_fields, source, exact=False)
    table = rows[[place for place, _ in EPW_FIELDS.values()]]
    table.columns = pd.Index(EPW_FIELDS)
    table = _numbers(table)
    for name, (_, missing) in EPW_FIELDS.items():
        table[name] = table[name].mask(table[name] >= missing)
    return WeatherRecords(
        # The minute field is 0 or 60 by habit and says nothing; the hour runs from 1 to 24.
        table=table.assign(minute=0.0),
        latitude=latitude,
        longitude=longitude,
        elevation_m=elevation_m,
        utc_offset_hours=utc_offset_hours,
        source=source,
        kind=f"EPW, {location[1]}, {location[4]}",
    )


def _rows(
    lines: list[str],
    first: int,
    separator: str | None,
    n_fields: int,
    source: str,
    *,
    exact: bool = True,
) -> pd.DataFrame:
    """Fields of the data lines as text, shape (n_row, n_fields), index = line number."""
    numbers, rows = [], []
    for i in range(first, len(lines)):
        fields = lines[i].split(separator)
        if not lines[i].strip():
            continue
        if len(fields) < n_fields or (exact and len(fields) != n_fields):
            raise InputError(
                f"line {i + 1} has {len(fields)} fields.",
                where=source,
                expected=f"{n_fields} fields in every row",
                remedy="The file is cut or damaged; fetch it again.",
            )
        numbers.append(i + 1)
        rows.append(fields[:n_fields])
    return pd.DataFrame(rows, index=pd.Index(numbers), columns=range(n_fields))


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Text to numbers; what is no number becomes NaN and is reported by the checks."""
    return table.apply(pd.to_numeric, errors="coerce").astype("float64")
