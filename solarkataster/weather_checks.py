"""What is wrong with a weather file: every check, each returning faults instead of raising."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from solarkataster.errors import InputError
from solarkataster.sun import SunPosition, sun_position
from solarkataster.units import WH_PER_KWH

if TYPE_CHECKING:
    from solarkataster.weather import Weather

HOURS_PER_YEAR = 8760

#: Clear-day centroid of direct light that still counts as noon; half an hour is 7.5°. [°]
LABEL_TOLERANCE_DEG = 3.0
#: Days taken as clear: those with the largest share of the extraterrestrial light.
N_CLEAR_DAYS = 30

#: Yearly global irradiation found on Earth, poles to deserts, with room on both sides. [kWh/m²]
GHI_YEAR_RANGE_KWH_M2 = (500.0, 2600.0)
#: No hour on the ground gets more than the solar constant plus reflection from clouds. [Wm⁻²]
MAX_LIGHT_W_M2 = 1500.0
#: Share of hours that may break a rule before the column is taken for another one. [–]
ODD_HOURS_FRACTION = 0.01
#: Yearly share of direct + diffuse that may differ from global light. [–]
MAX_CLOSURE_FRACTION = 0.05

LIGHT_COLUMNS = ("ghi", "dhi", "bhi", "dni")
#: Columns the light does not need, with the values that are believed.
SIDE_COLUMNS: Mapping[str, tuple[float, float, str]] = {
    "temp_air": (-60.0, 60.0, "degrees Celsius"),
    "wind_speed": (0.0, 100.0, "m/s"),
}

_SWAPPED = "Check which column is which; the light columns look swapped."


def calendar_faults(table: pd.DataFrame, where: str) -> list[InputError]:
    """Faults of the clock: impossible dates, leap day, wrong count, gaps, doubles."""
    faults = []
    dates = pd.to_datetime(
        pd.DataFrame({"year": 2016, "month": table["month"], "day": table["day"]}),
        errors="coerce",
    )
    clock = table["hour"] + table["minute"] / 60.0
    impossible = dates.isna() | ~clock.between(0.0, 24.0)
    if impossible.any():
        faults.append(
            InputError(
                f"{impossible.sum()} rows have an impossible date or hour, the first in line "
                f"{table.index[impossible][0]}.",
                where=where,
                expected="months 1-12, days of that month, hours 0-24",
                remedy="Fetch the file again, or correct these rows.",
            )
        )
        return faults
    is_leap_day = (table["month"] == 2) & (table["day"] == 29)
    if is_leap_day.any():
        faults.append(
            InputError(
                f"leap day: {is_leap_day.sum()} rows of 29 February, {len(table)} rows in all.",
                where=where,
                expected=f"{HOURS_PER_YEAR} rows, a year without leap day",
                remedy="Remove the rows of 29 February.",
            )
        )
    kept = table[~is_leap_day]
    if len(kept) != HOURS_PER_YEAR:
        faults.append(
            InputError(
                f"{len(kept)} hours.",
                where=where,
                expected=f"{HOURS_PER_YEAR} hours, one row for each hour of one year",
                remedy="Fetch the file again, or use one that holds a whole year of hours.",
            )
        )
    if len(kept) > 1:
        faults += _step_faults(kept, where)
    return faults


def _step_faults(table: pd.DataFrame, where: str) -> list[InputError]:
    """Rows that do not follow the one before by an hour; the year may begin anywhere."""
    # Days counted in a year without leap day, so that stitched and shortened years are whole.
    day_of_year = pd.to_datetime(
        pd.DataFrame({"year": 2015, "month": table["month"], "day": table["day"]})
    ).dt.day_of_year
    hour_of_year = 24.0 * (day_of_year - 1) + table["hour"] + table["minute"] / 60.0
    step_h = np.diff(hour_of_year.to_numpy()) % HOURS_PER_YEAR
    odd = np.flatnonzero(np.abs(step_h - 1.0) > 1e-6)
    if odd.size == 0:
        return []
    i = odd[0]
    step = float(step_h[i])
    what = f"a step of {step:g} h" if step <= HOURS_PER_YEAR / 2 else "a step back"
    if step == 0.0:
        what = "the same hour twice"
    remedy = "Fill or remove it at the source; nothing is filled in here."
    months = set(table["month"].to_numpy()[odd].astype(int))
    if odd.size == 2 and months == {3, 10}:
        remedy = "This looks like summer time. Give the file in standard time all year."
    return [
        InputError(
            f"gap: {odd.size} places where rows do not follow hour by hour, the first after line "
            f"{table.index[i]} ({_row_label(table, i)}): {what}.",
            where=where,
            expected="one row per hour, in order, none twice",
            remedy=remedy,
        )
    ]


def _row_label(table: pd.DataFrame, i: int) -> str:
    row = table.iloc[i]
    return (
        f"month {row['month']:.0f}, day {row['day']:.0f}, {row['hour']:02.0f}:{row['minute']:02.0f}"
    )


def value_faults(table: pd.DataFrame, where: str) -> list[InputError]:
    """Faults that a column shows by itself: missing, negative or impossible numbers."""
    faults = []
    for name in LIGHT_COLUMNS:
        if name not in table:
            continue
        column = table[name]
        if name != "dni":  # compared only, so its gaps do no harm
            faults += _rows_fault(
                table, column.isna(), where, f"gap: {name} has no number", "a number in every row"
            )
        faults += _rows_fault(
            table, column < 0.0, where, f"negative values: {name} is below 0", "0 W/m2 or more"
        )
        faults += _rows_fault(
            table,
            column > MAX_LIGHT_W_M2,
            where,
            f"impossible values: {name} is over {MAX_LIGHT_W_M2:g} W/m2",
            f"0 to {MAX_LIGHT_W_M2:g} W/m2; light as mean power of the hour",
        )
    for name, (low, high, unit) in SIDE_COLUMNS.items():
        if name in table:
            column = table[name]
            faults += _rows_fault(
                table,
                (column < low) | (column > high),
                where,
                f"impossible values: {name} is not {low:g} to {high:g} {unit}",
                f"{unit}; a swapped column or another unit?",
            )
    return faults


def _rows_fault(
    table: pd.DataFrame, bad: pd.Series, where: str, found: str, expected: str
) -> list[InputError]:
    """One fault for all bad rows of one kind, naming how many and the first."""
    if not bad.any():
        return []
    i = int(np.argmax(bad.to_numpy()))
    return [
        InputError(
            f"{found} in {bad.sum()} of {len(table)} rows, the first in line {table.index[i]} "
            f"({_row_label(table, i)}).",
            where=where,
            expected=expected,
            remedy="Correct the file at its source; nothing is filled in or cut off here.",
        )
    ]


def side_column_notes(table: pd.DataFrame) -> list[str]:
    """A sentence for each column without light that is there but cannot be used."""
    notes = []
    for name in SIDE_COLUMNS:
        if name in table and table[name].isna().any():
            n = int(table[name].isna().sum())
            notes.append(f"{name} is missing in {n} hours, so it is not used.")
    return notes


def light_faults(weather: Weather, table: pd.DataFrame) -> tuple[SunPosition, list[InputError]]:
    """
    Faults that only show against the sun or between columns.

    Returns
    -------
    sun : SunPosition
        At the middle of each hour, so that it is asked once.
    faults : list of InputError
    """
    middle = weather.times + pd.Timedelta(minutes=30)
    sun = sun_position(middle, weather.latitude, weather.longitude, weather.elevation_m)
    faults = (
        _yearly_sum_faults(weather)
        + _between_column_faults(table, weather.source)
        + _extraterrestrial_faults(weather, sun)
        + _swapped_direct_faults(weather, sun)
        + _night_faults(weather, sun)
    )
    return sun, faults


def _yearly_sum_faults(weather: Weather) -> list[InputError]:
    low, high = GHI_YEAR_RANGE_KWH_M2
    year = weather.ghi_year_kwh_m2
    if low <= year <= high:
        return []
    return [
        InputError(
            f"impossible sum: global light of the year is {year:.0f} kWh/m2.",
            where=weather.source,
            expected=f"{low:g} to {high:g} kWh/m2",
            remedy="Check the unit (W/m2, mean of the hour) and which column is which.",
        )
    ]


def _between_column_faults(table: pd.DataFrame, where: str) -> list[InputError]:
    """Diffuse over global light, and three columns that do not add up."""
    if "ghi" not in table:
        return []
    faults = []
    ghi, dhi = table["ghi"], table["dhi"]
    n_lit = max(int((ghi > 0.0).sum()), 1)
    n_over = int((dhi > 1.05 * ghi + 5.0).sum())
    if n_over > ODD_HOURS_FRACTION * n_lit:
        faults.append(
            InputError(
                f"impossible sum: diffuse exceeds global light in {n_over} of {n_lit} lit hours.",
                where=where,
                expected="dhi never above ghi",
                remedy=_SWAPPED,
            )
        )
    if "bhi" in table:
        closure = float((ghi - dhi - table["bhi"]).sum())
        if abs(closure) > MAX_CLOSURE_FRACTION * float(ghi.sum()):
            faults.append(
                InputError(
                    "impossible sum: direct + diffuse differ from global light by "
                    f"{100 * closure / max(float(ghi.sum()), 1.0):+.1f} % over the year.",
                    where=where,
                    expected="ghi = bhi + dhi; bhi is direct light on the horizontal, not DNI",
                    remedy="Check which column is which; name a direct normal column dni.",
                )
            )
    return faults


def _solar_day(weather: Weather) -> np.ndarray:
    """Number of the local solar day of each hour, shape (n_time,): one noon in each."""
    middle = weather.times.tz_convert("UTC") + pd.Timedelta(hours=0.5 + weather.longitude / 15.0)
    return np.asarray((middle.normalize() - middle[0].normalize()).days)


def _extraterrestrial_faults(weather: Weather, sun: SunPosition) -> list[InputError]:
    """Days with more direct light than reaches the top of the air."""
    day = _solar_day(weather)
    direct = np.bincount(day, weather.bhi)
    extra = np.bincount(day, sun.dni_extra * sun.cos_zenith)
    over = np.flatnonzero(direct > extra + 50.0)  # 50 Wh/m² spares polar nights
    if over.size == 0:
        return []
    first = weather.times[int(np.argmax(day == over[0]))]
    return [
        InputError(
            f"impossible sum: direct light exceeds the extraterrestrial on {over.size} days, the "
            f"first on {first:%d %B}: {direct[over[0]] / WH_PER_KWH:.1f} against "
            f"{extra[over[0]] / WH_PER_KWH:.1f} kWh/m2.",
            where=weather.source,
            expected="direct light on the horizontal below the extraterrestrial",
            remedy="Check that the direct column is on the horizontal (not DNI), its unit, and "
            "latitude and longitude of the site.",
        )
    ]


def _swapped_direct_faults(weather: Weather, sun: SunPosition) -> list[InputError]:
    """Direct light without diffuse light: the sky is never black by day."""
    is_day = (sun.elevation_deg > 10.0) & (weather.ghi > 20.0)
    is_black = is_day & (weather.dhi < 0.02 * weather.bhi)
    n_day = max(int(is_day.sum()), 1)
    if is_black.sum() <= ODD_HOURS_FRACTION * n_day:
        return []
    return [
        InputError(
            f"impossible values: {is_black.sum()} of {n_day} hours by day have direct but no "
            "diffuse light.",
            where=weather.source,
            expected="diffuse light whenever the sun is up",
            remedy="Direct and diffuse columns are probably swapped; check which is which.",
        )
    ]


def _night_faults(weather: Weather, sun: SunPosition) -> list[InputError]:
    """Light while the sun is far below the horizon throughout the hour."""
    dark = weather.ghi[sun.elevation_deg < -12.0].sum()
    share = float(dark / max(weather.ghi.sum(), 1.0))
    if share <= ODD_HOURS_FRACTION:
        return []
    return [
        InputError(
            f"impossible values: {100 * share:.1f} % of the year's light falls at night.",
            where=weather.source,
            expected="no light while the sun is 12 deg below the horizon",
            remedy="Check the offset to UTC, latitude and longitude of the site, and which "
            "column is which.",
        )
    ]


def clear_day_centroid_deg(weather: Weather, sun: SunPosition) -> float:
    """
    Hour angle around which the direct light of the clearest days is centred.

    Parameters
    ----------
    weather : Weather
    sun : SunPosition
        At the middle of each hour of ``weather``.

    Returns
    -------
    float
        0 if the rows lie on the sun's clock; negative if they were placed too early. [°]

    Notes
    -----
    Clear days are the N_CLEAR_DAYS with the largest share of the extraterrestrial light as
    direct light. Their light is symmetric about noon but for chance: ±1.5° on typical years.
    """
    day = _solar_day(weather)
    direct = np.bincount(day, weather.bhi)
    extra = np.bincount(day, sun.dni_extra * sun.cos_zenith)
    clearness = direct / np.maximum(extra, 1.0)
    clearest = np.argsort(-clearness, kind="stable")[:N_CLEAR_DAYS]
    light = np.where(np.isin(day, clearest), weather.bhi, 0.0)
    return float((light * sun.hour_angle_deg).sum() / max(light.sum(), 1e-9))


def fitting_label(
    centroid_deg: float, label: str, labels: Mapping[str, datetime.timedelta]
) -> str | None:
    """The label that would bring the centroid to noon, or None if none does."""
    off_deg = {
        name: abs(centroid_deg + 15.0 * (shift - labels[label]).total_seconds() / 3600.0)
        for name, shift in labels.items()
    }
    best = min(off_deg, key=lambda name: off_deg[name])
    return best if off_deg[best] <= LABEL_TOLERANCE_DEG else None
