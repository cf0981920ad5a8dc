"""One year of hourly light at one site, and what makes a weather file unusable."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from solarkataster.errors import InputError, InputErrors
from solarkataster.units import WH_PER_KWH
from solarkataster.weather_checks import (
    LABEL_TOLERANCE_DEG,
    calendar_faults,
    clear_day_centroid_deg,
    fitting_label,
    light_faults,
    side_column_notes,
    value_faults,
)

#: From the instant a row is labelled with to the start of its hour.
LABELS: Mapping[str, datetime.timedelta] = {
    "start": datetime.timedelta(0),
    "centre": datetime.timedelta(minutes=-30),
    "end": datetime.timedelta(hours=-1),
}

#: Year given to a file that has none (TRY) or several (typical years stitched from months). It and
#: both neighbours have no leap day, so that 8760 hours fit wherever the file begins.
NOMINAL_YEAR = 2014

#: A DNI column that says this much more or less than GHI − DHI over the year is worth a note. [–]
DNI_EXCESS_FRACTION = 0.02
#: The same hour by hour, absolute; 0.01 is what the sun's position at mid-hour costs. [–]
DNI_DEVIATION_FRACTION = 0.05


@dataclass(frozen=True)
class WeatherRecords:
    """
    What a weather file says, before anything is believed.

    Attributes
    ----------
    table : DataFrame, one row per line of the file, index = line number in the file
        ``month``, ``day``, ``hour`` (0 to 24), ``minute`` and, if the file has it, ``year``: the
        instant the row is labelled with, in the clock of ``utc_offset_hours``. Light on the
        horizontal [Wm⁻²]: ``dhi`` and at least one of ``ghi`` and ``bhi`` (direct), maybe
        ``dni``; maybe ``temp_air`` [°C] and ``wind_speed`` [m/s]. NaN where the file has nothing.
    latitude, longitude : float
        WGS 84, north and east positive. [°]
    elevation_m : float
        Above sea level. [m]
    utc_offset_hours : float
        Of the file's clock, the same all year. [h]
    source : str
        File name, for messages.
    kind : str
        What sort of year, in the file's own words.
    """

    table: pd.DataFrame
    latitude: float
    longitude: float
    elevation_m: float
    utc_offset_hours: float
    source: str
    kind: str


@dataclass(frozen=True)
class Weather:
    """
    A year of hourly light, checked.

    Attributes
    ----------
    times : DatetimeIndex, length 8760
        Start of each hour, in the file's clock (fixed offset to UTC).
    ghi, dhi, bhi : ndarray, shape (8760,), float64
        Global, diffuse and direct light on the horizontal; ghi = dhi + bhi. [Wm⁻²]
    temp_air, wind_speed : ndarray, shape (8760,), float64, or None
        [°C], [m/s]; None where the file has no usable column (a note says so).
    latitude, longitude : float
        Of the weather site, WGS 84. [°]
    elevation_m : float
        Of the weather site above sea level. [m]
    source, kind : str
        File name; sort of year in the file's own words.
    label : str
        How the file's rows were read: ``start``, ``centre`` or ``end`` of the hour.
    notes : tuple of str
        What the reader of a run should know, one sentence each, without the file's name.
    facts : mapping of str to float
        Figures behind the notes: ``clear_day_centroid_deg``, ``closure_kwh_m2`` (the file's own
        GHI less its direct and diffuse light; 0 if it has no third column),
        ``diffuse_over_global_kwh_m2`` and, if the file has a DNI column,
        ``dni_column_excess_fraction`` and ``dni_column_deviation_fraction`` (hour by hour).
    """

    times: pd.DatetimeIndex
    ghi: np.ndarray
    dhi: np.ndarray
    bhi: np.ndarray
    temp_air: np.ndarray | None
    wind_speed: np.ndarray | None
    latitude: float
    longitude: float
    elevation_m: float
    source: str
    kind: str
    label: str
    notes: tuple[str, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def ghi_year_kwh_m2(self) -> float:
        """Global horizontal irradiation of the year. [kWh/m²]"""
        return float(self.ghi.sum() / WH_PER_KWH)


def weather_from_records(records: WeatherRecords, label: str | None = None) -> Weather:
    """
    Check what a file says and turn it into a year of hourly light.

    Parameters
    ----------
    records : WeatherRecords
        As read.
    label : {"start", "centre", "end"}, optional
        Which instant of its hour a row is labelled with. Without it the end of the hour is
        taken, and a file that does not bear this out is refused; with it the reader is believed
        and a disagreement is a note.

    Returns
    -------
    Weather

    Raises
    ------
    InputErrors
        With every fault: gaps, wrong hour count, leap day, negative or impossible values,
        swapped columns, rows labelled otherwise than read.

    Notes
    -----
    Truth is GHI and DHI where the file has both (direct light is their difference, the file's
    own direct columns are compared with it), else direct and diffuse light.
    """
    where = records.source
    if label is not None and label not in LABELS:
        raise InputErrors([_unknown_label(label, where)])
    faults = calendar_faults(records.table, where)
    faults += value_faults(records.table, where)
    if faults:  # without a clock and numbers the sun cannot be asked
        raise InputErrors(faults)

    used_label = label or "end"
    times = _hour_starts(records.table, used_label, records.utc_offset_hours)
    ghi, dhi, bhi, facts = _light_on_the_horizontal(records.table)
    weather = Weather(
        times=times,
        ghi=ghi,
        dhi=dhi,
        bhi=bhi,
        temp_air=_side_column(records.table, "temp_air"),
        wind_speed=_side_column(records.table, "wind_speed"),
        latitude=records.latitude,
        longitude=records.longitude,
        elevation_m=records.elevation_m,
        source=records.source,
        kind=records.kind,
        label=used_label,
    )
    sun, faults = light_faults(weather, records.table)
    centroid_deg = clear_day_centroid_deg(weather, sun)
    facts["clear_day_centroid_deg"] = centroid_deg
    notes = side_column_notes(records.table)
    if abs(centroid_deg) > LABEL_TOLERANCE_DEG:
        fault = _label_fault(centroid_deg, used_label, where)
        if label is None:
            faults.append(fault)
        else:
            notes.append(f"{fault.found} Kept, because label = {label!r} is set.")
    if faults:
        raise InputErrors(faults)
    if "dni" in records.table:
        facts |= _dni_facts(records.table, bhi, sun.cos_zenith)
    notes += _figure_notes(facts, float(ghi.sum()) / WH_PER_KWH)
    return _with_notes(weather, notes, facts)


def _hour_starts(table: pd.DataFrame, label: str, utc_offset_hours: float) -> pd.DatetimeIndex:
    """Start of each row's hour; the file's own year if it is one, else NOMINAL_YEAR."""
    zone = datetime.timezone(datetime.timedelta(hours=utc_offset_hours))
    clock = pd.to_timedelta(table["hour"].to_numpy() * 60.0 + table["minute"].to_numpy(), unit="m")
    if "year" in table:
        labels = pd.DatetimeIndex(pd.to_datetime(table[["year", "month", "day"]])) + clock
        span_days = (labels[-1] - labels[0]) / pd.Timedelta(days=1)
        if labels.is_monotonic_increasing and span_days < 367:
            return (labels + pd.Timedelta(LABELS[label])).tz_localize(zone)
    row = table.iloc[0]
    first = pd.Timestamp(year=NOMINAL_YEAR, month=int(row["month"]), day=int(row["day"]))
    labels = pd.date_range(first + clock[0], periods=len(table), freq="h")
    return (labels + pd.Timedelta(LABELS[label])).tz_localize(zone)


def _light_on_the_horizontal(
    table: pd.DataFrame,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, float]]:
    """Global, diffuse, direct so that the first is the sum of the others, and closure figures."""
    dhi = table["dhi"].to_numpy(dtype=np.float64)
    facts = {"closure_kwh_m2": 0.0, "diffuse_over_global_kwh_m2": 0.0}
    if "ghi" not in table:
        bhi = table["bhi"].to_numpy(dtype=np.float64)
        return bhi + dhi, dhi, bhi, facts
    ghi = table["ghi"].to_numpy(dtype=np.float64)
    if "bhi" in table:
        facts["closure_kwh_m2"] = float((ghi - dhi - table["bhi"]).sum()) / WH_PER_KWH
    # Rounding can leave the diffuse light a little over the global light; the sum is kept.
    facts["diffuse_over_global_kwh_m2"] = float(np.maximum(dhi - ghi, 0.0).sum()) / WH_PER_KWH
    dhi = np.minimum(dhi, ghi)
    return ghi, dhi, ghi - dhi, facts


def _side_column(table: pd.DataFrame, name: str) -> np.ndarray | None:
    """A column the light does not need; None if it is absent or has gaps."""
    if name not in table or table[name].isna().any():
        return None
    return table[name].to_numpy(dtype=np.float64)


def _dni_facts(table: pd.DataFrame, bhi: np.ndarray, cos_zenith: np.ndarray) -> dict[str, float]:
    """DNI · cos z at mid-hour against direct horizontal light: year, and hour by hour."""
    has_dni = table["dni"].notna().to_numpy()
    direct = table["dni"].to_numpy(dtype=np.float64)[has_dni] * cos_zenith[has_dni]
    expected = bhi[has_dni]
    year = max(float(expected.sum()), 1.0)
    return {
        "dni_column_excess_fraction": float((direct - expected).sum()) / year,
        "dni_column_deviation_fraction": float(np.abs(direct - expected).sum()) / year,
    }


def _unknown_label(label: str, where: str) -> InputError:
    return InputError(
        f"label = {label!r} is not known.",
        where=where,
        expected="one of " + ", ".join(LABELS),
        remedy="Correct label in [weather] of the config.",
    )


def _label_fault(centroid_deg: float, label: str, where: str) -> InputError:
    """The rows are labelled otherwise than read; names the label that would fit."""
    minutes = 4.0 * centroid_deg
    found = (
        f"on clear days the direct light centres {abs(minutes):.0f} min "
        f"{'before' if minutes < 0 else 'after'} solar noon ({centroid_deg:+.1f} deg) when rows "
        f"are read as labelled with the {label} of their hour."
    )
    fitting = fitting_label(centroid_deg, label, LABELS)
    if fitting is None:
        remedy = (
            "No label fits. Check the offset to UTC (standard time all year, no summer time), "
            "latitude and longitude of the site, and which column is which."
        )
    else:
        remedy = f'Set label = "{fitting}" in [weather] of the config.'
    return InputError(
        found,
        where=where,
        expected=f"within {LABEL_TOLERANCE_DEG:g} deg of solar noon",
        remedy=remedy,
    )


def _figure_notes(facts: Mapping[str, float], ghi_year_kwh_m2: float) -> list[str]:
    """One sentence for each figure that is not what it should be."""
    notes = []
    closure = facts["closure_kwh_m2"]
    if abs(closure) > 0.0005 * ghi_year_kwh_m2:
        notes.append(
            f"its global light exceeds direct + diffuse by {closure:+.1f} kWh/m2 a year; "
            "global and diffuse are taken, direct is their difference."
        )
    over = facts["diffuse_over_global_kwh_m2"]
    if over > 0.0005 * ghi_year_kwh_m2:
        notes.append(
            f"diffuse exceeds global light in some hours, {over:.1f} kWh/m2 a year in "
            "all; it is cut to the global light there."
        )
    excess = facts.get("dni_column_excess_fraction", 0.0)
    deviation = facts.get("dni_column_deviation_fraction", 0.0)
    if abs(excess) > DNI_EXCESS_FRACTION or deviation > DNI_DEVIATION_FRACTION:
        notes.append(
            f"its DNI column disagrees with GHI - DHI by {100 * excess:+.1f} % over the "
            f"year and {100 * deviation:.1f} % hour by hour (made for another label of the hour?); "
            "GHI and DHI are taken, DNI follows from them."
        )
    return notes


def _with_notes(weather: Weather, notes: list[str], facts: dict[str, float]) -> Weather:
    return Weather(**{**vars(weather), "notes": tuple(notes), "facts": facts})
