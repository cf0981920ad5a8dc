"""A made-up year of weather and the files it may come in, written by hand, not by the package."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pvlib

LATITUDE, LONGITUDE, ELEVATION_M = 49.4902, 8.4637, 103.0
#: The same place in the TRY header; the pair is that of the shipped Mannheim TRY.
EASTING_M, NORTHING_M = 3_892_500, 2_531_500


def made_up_year(year: int = 2014) -> pd.DataFrame:
    """Hourly means of ``bhi``, ``dhi`` [Wm⁻²] and ``temp_air``, index = start of the hour, UTC+1.

    Clear days and cloudy days by a fixed seed; direct light by the rule of thumb
    1361 W/m² · 0.7 ** (air mass ** 0.678) (Meinel and Meinel 1976).
    """
    times = pd.date_range(f"{year}-01-01", periods=8760 * 12, freq="5min", tz="Etc/GMT-1")
    sun = pvlib.solarposition.get_solarposition(
        times + pd.Timedelta(minutes=2.5), LATITUDE, LONGITUDE
    )
    zenith = sun["apparent_zenith"].to_numpy()
    is_up = zenith < 90.0
    cos_zenith = np.where(is_up, np.cos(np.radians(zenith)), 0.0)
    air_mass = pvlib.atmosphere.get_relative_airmass(np.where(is_up, zenith, 60.0))
    clear = np.repeat(np.random.default_rng(5).choice([0.0, 0.2, 0.6, 1.0], 365), 288)
    light = pd.DataFrame(
        {
            "bhi": clear * 1361.0 * 0.7 ** (air_mass**0.678) * cos_zenith,
            "dhi": (0.28 - 0.16 * clear) * 1361.0 * cos_zenith,
        },
        index=times,
    )
    hourly = light.resample("1h").mean().round(0)
    day = np.arange(8760) / 24.0
    hourly["temp_air"] = np.round(10.0 - 10.0 * np.cos(2.0 * np.pi * (day - 20.0) / 365.0), 1)
    return hourly


def try_text(light: pd.DataFrame, kind: str = "mittleres Jahr", shift_h: int = 1) -> str:
    """A TRY of 2015; ``shift_h`` = 1 labels the end of the hour as DWD does."""
    lines = [
        "Koordinatensystem : Lambert konform konisch",
        f"Rechtswert        : {EASTING_M} Meter",
        f"Hochwert          : {NORTHING_M} Meter",
        f"Hoehenlage        : {ELEVATION_M:.0f} Meter ueber NN",
        f"Art des TRY       : {kind}",
        "     RW      HW MM DD HH     t    p  WR   WG N    x  RF    B    D   A    E IL",
        "*** ",
    ]
    for row in light.itertuples():
        day, hour = row.Index, row.Index.hour + shift_h
        lines.append(
            f"{EASTING_M} {NORTHING_M} {day.month:2d} {day.day:2d} {hour:2d} {row.temp_air:5.1f}"
            f" 1010 210  2.9 6  4.5  83 {row.bhi:4.0f} {row.dhi:4.0f} 281 -314  1"
        )
    return "\n".join(lines) + "\n"


def epw_text(light: pd.DataFrame) -> str:
    """An EPW with hours 1 to 24 that label the end of the hour, and an umlaut in its header."""
    lines = [
        f"LOCATION,München,BY,DEU,made up,0,{LATITUDE},{LONGITUDE},1.0,{ELEVATION_M}",
        "DESIGN CONDITIONS,0",
        "TYPICAL/EXTREME PERIODS,0",
        "GROUND TEMPERATURES,0",
        "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0",
        "COMMENTS 1,für Tests",
        "COMMENTS 2,",
        "DATA PERIODS,1,1,Data,Monday, 1/ 1,12/31",
    ]
    for row in light.itertuples():
        start = row.Index
        fields = ["0"] * 35
        fields[:6] = [
            str(v) for v in (start.year, start.month, start.day, start.hour + 1, 60, "?9")
        ]
        fields[6] = f"{row.temp_air:.1f}"
        fields[13], fields[14] = f"{row.bhi + row.dhi:.0f}", "0"
        fields[15], fields[21] = f"{row.dhi:.0f}", "2.9"
        lines.append(",".join(fields))
    return "\n".join(lines) + "\n"


def csv_text(
    light: pd.DataFrame, label_minutes: int = 60, time_format: str = "%Y-%m-%dT%H:%M"
) -> str:
    """A table ``time,G,D,B,T``; ``label_minutes`` after the start of the hour."""
    stamps = (light.index + pd.Timedelta(minutes=label_minutes)).strftime(time_format)
    table = pd.DataFrame(
        {
            "time": stamps,
            "G": (light["bhi"] + light["dhi"]).to_numpy(),
            "D": light["dhi"].to_numpy(),
            "B": light["bhi"].to_numpy(),
            "T": light["temp_air"].to_numpy(),
        }
    )
    return table.to_csv(index=False)


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    """Put a text into a file and return its path."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def table_settings(**changes):
    """The [weather] section of a table with columns time, G, D."""
    section = {
        "format": "auto",
        "label": None,
        "columns": {"time": "time", "ghi": "G", "dhi": "D"},
        "latitude": LATITUDE,
        "longitude": LONGITUDE,
        "elevation_m": ELEVATION_M,
        "utc_offset_hours": 1.0,
    }
    return SimpleNamespace(**{**section, **changes})
