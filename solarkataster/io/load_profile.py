"""Measured load profiles: a CSV with a whole year of quarter hours or hours."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from solarkataster.errors import InputError
from solarkataster.load.load_profiles import LOCAL_CLOCK

#: Ending of the value column's name -> kWh or kW per unit, and whether it is a power.
_UNITS = {"kwh": (1.0, False), "wh": (0.001, False), "mwh": (1000.0, False),
          "kw": (1.0, True), "w": (0.001, True), "mw": (1000.0, True)}  # fmt: skip
_UNIT = re.compile(r"(?:^|[^a-z])(kwh|mwh|wh|kw|mw|w)\W*$", re.IGNORECASE)
_STEPS = {pd.Timedelta(minutes=15): 35_040, pd.Timedelta(hours=1): 8760}
#: Winter time of Germany, taken for clocks that never change and name no offset.
_WINTER_CLOCK = "Etc/GMT-1"


@dataclass(frozen=True, eq=False)
class MeasuredLoad:
    """
    A measured year.

    Attributes
    ----------
    times : DatetimeIndex, UTC
        Start of each step.
    energy_kwh : ndarray, shape (n_step,)
        [kWh]
    step : Timedelta
        A quarter of an hour or an hour.
    notes : tuple of str
        How clock and unit were read.
    source : str
        File name.
    """

    times: pd.DatetimeIndex
    energy_kwh: np.ndarray
    step: pd.Timedelta
    notes: tuple[str, ...]
    source: str


def read_load_profile(path: str | Path) -> MeasuredLoad:
    """
    Read a measured year of one building's demand.

    Parameters
    ----------
    path : path
        CSV with a header: first column the start of each step (ISO, or day.month.year hour:minute),
        second the demand, its name ending in its unit: kWh, Wh, MWh a step, or kW, W, MW. Semicolon
        or comma between columns, decimal comma or point.

    Returns
    -------
    MeasuredLoad

    Raises
    ------
    InputError
        Unreadable file, unit not named, gaps, steps that are neither hours nor quarter hours, not a
        whole year, negative values, nothing but zeros, a change to summer time without the way
        back.

    Notes
    -----
    Times with an offset are taken as they are. Without: if an hour of October comes twice, the
    clock is German local time; otherwise it is winter time the year round, and an hour that is
    missing in March is a gap.
    """
    path = Path(path)
    texts, values, unit = _columns(path)
    times, clock = _in_utc(texts, path)
    step = _step(times, path)
    _whole_year(times, step, path)
    _plausible(values, times, path)
    factor, is_power = _UNITS[unit]
    hours = step / pd.Timedelta(hours=1)
    energy_kwh = values * factor * (hours if is_power else 1.0)
    notes = (f"values read as {unit} per step", clock)
    return MeasuredLoad(times, energy_kwh, step, notes, path.name)


def _columns(path: Path) -> tuple[pd.Series, np.ndarray, str]:
    """Texts of the times, numbers, unit."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"cannot be read ({error})", where=str(path), expected="a CSV file in UTF-8"
        ) from error
    separator = ";" if ";" in text.partition("\n")[0] else ","
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if row]
    if len(rows) < 2 or min(len(row) for row in rows) < 2:
        short = next((i for i, row in enumerate(rows, 1) if len(row) < 2), len(rows))
        raise InputError(
            f"row {short} has no two columns",
            where=str(path),
            expected="a header and rows of time and demand",
        )
    found = _UNIT.search(rows[0][1].strip())
    if found is None:
        raise InputError(
            f"the name of the second column, {rows[0][1]!r}, ends in no unit",
            where=str(path),
            expected="a name that ends in kWh, Wh, MWh, kW, W or MW, such as demand_kwh",
            remedy="Name the column after the unit of its values.",
        )
    decimal = [row[1].strip().replace(",", ".") if separator == ";" else row[1] for row in rows[1:]]
    values = pd.to_numeric(pd.Series(decimal), errors="coerce").to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        row = int((~np.isfinite(values)).argmax())
        raise InputError(
            f"row {row + 2}: {rows[row + 1][1]!r} is no number",
            where=str(path),
            expected="a value in every row",
            remedy="Fill the gap with measured values; it is not guessed.",
        )
    return pd.Series([row[0].strip() for row in rows[1:]]), values, found[1].lower()


def _in_utc(texts: pd.Series, path: Path) -> tuple[pd.DatetimeIndex, str]:
    """Times in UTC, and how the clock was read."""
    is_german = bool(re.match(r"\d{1,2}\.\d{1,2}\.\d{4}", texts.iloc[0]))
    has_offset = bool(re.search(r"(Z|[+-]\d{2}:?\d{2})$", texts.iloc[0]))
    try:
        times = pd.DatetimeIndex(pd.to_datetime(texts, dayfirst=is_german, utc=has_offset))
    except (ValueError, TypeError) as error:
        raise InputError(
            f"times cannot be read ({' '.join(str(error).split())[:200]})",
            where=str(path),
            expected="times such as 2025-01-01 00:15 or 01.01.2025 00:15, all alike",
        ) from error
    if has_offset:
        return times.tz_convert("UTC"), "clock: offsets to UTC as given"
    if times.is_unique and times.is_monotonic_increasing:  # gaps are told later
        return times.tz_localize(_WINTER_CLOCK).tz_convert("UTC"), "clock: winter time all year"
    try:
        local = times.tz_localize(LOCAL_CLOCK, ambiguous="infer")
    except ValueError as error:
        raise InputError(
            f"times fit neither a clock that never changes nor German local time ({error})",
            where=str(path),
            expected="no step missing or twice; with summer time 02:00 to 03:00 missing on the "
            "last Sunday of March and twice on that of October",
            remedy="Export the series with its offset to UTC, such as 2025-01-01T00:00+01:00.",
        ) from error
    return local.tz_convert("UTC"), "clock: German local time with summer time"


def _step(times: pd.DatetimeIndex, path: Path) -> pd.Timedelta:
    steps = pd.TimedeltaIndex(np.diff(times))
    step = pd.Timedelta(steps.min())
    if step not in _STEPS:
        twice = times[:-1][np.asarray(steps <= pd.Timedelta(0))]
        found = f"steps of {step}"
        if len(twice):
            found = f"{twice[0]} is followed by an earlier or equal time"
        raise InputError(
            found, where=str(path), expected="rising times, a quarter of an hour or an hour apart"
        )
    gaps = np.flatnonzero(np.asarray(steps != step))
    if len(gaps):
        first = gaps[0]
        raise InputError(
            f"{len(gaps)} gaps; the first after row {first + 2}, of "
            f"{times[first + 1] - times[first]} up to {times[first + 1]}",
            where=str(path),
            expected="every step of the year",
            remedy="Fill the gaps with measured values; they are not guessed. A missing hour in "
            "March without a double one in October is a gap, too.",
        )
    return step


def _whole_year(times: pd.DatetimeIndex, step: pd.Timedelta, path: Path) -> None:
    n = _STEPS[step]
    per_day = pd.Timedelta(days=1) // step
    holds_leap_day = bool(((times.month == 2) & (times.day == 29)).any())
    wanted = n + per_day if holds_leap_day else n
    if len(times) != wanted:
        raise InputError(
            f"{len(times)} steps from {times[0]} to {times[-1]}",
            where=str(path),
            expected=f"a whole year: {wanted} steps of {step}",
        )


def _plausible(values: np.ndarray, times: pd.DatetimeIndex, path: Path) -> None:
    if (values < 0.0).any():
        row = int((values < 0.0).argmax())
        raise InputError(
            f"{int((values < 0.0).sum())} negative values; the first, {values[row]:g}, at "
            f"{times[row]}",
            where=str(path),
            expected="demand from 0; a meter that also counts feed-in is no demand",
        )
    if not values.any():
        raise InputError("all values are 0", where=str(path), expected="a building's demand")
