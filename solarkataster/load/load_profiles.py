"""Load profiles: how a year's electricity falls on quarter hours, in the clock of the weather."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from solarkataster.errors import InputError
from solarkataster.load.holidays_of_states import holiday_dates
from solarkataster.rules.profiles import DEMAND_PROFILES as DEMAND_PROFILES
from solarkataster.rules.profiles import MEASURED as MEASURED
from solarkataster.rules.profiles import RESIDUAL_PROFILES as RESIDUAL_PROFILES
from solarkataster.rules.profiles import refuse_as_demand as refuse_as_demand

#: Clock that the profiles are written in, with summer time.
LOCAL_CLOCK = "Europe/Berlin"

QUARTERS_PER_HOUR = 4
_QUARTER = pd.Timedelta(minutes=15)
_DAY_QUARTERS = 24 * QUARTERS_PER_HOUR
_YEAR_QUARTERS = 365 * _DAY_QUARTERS

#: Years in which 24 and 31 December are Saturdays: without and with a leap day.
_SATURDAY_YEARS = {False: 2022, True: 2016}


@dataclass(frozen=True, eq=False)
class LoadProfiles:
    """
    Load profiles side by side, over the hours of a weather file.

    Attributes
    ----------
    names : tuple of str, length n_profile
    share : ndarray, shape (n_profile, 4 n_hour), float32
        Share of the year's energy in each quarter hour; each row sums to 1. [–]
    month_of_hour : ndarray, shape (n_hour,), int8
        Month of each hour, from 0, in the clock of the weather file.
    """

    names: tuple[str, ...]
    share: np.ndarray
    month_of_hour: np.ndarray

    def with_rows(self, rows: dict[str, np.ndarray]) -> LoadProfiles:
        """The same and more rows, each shape (4 n_hour,), scaled to sum to 1."""
        new = [_normalised(name, values) for name, values in rows.items()]
        taken = [name for name in rows if name in self.names]
        if taken:
            raise InputError(f"load profile {taken[0]} is there already", expected="new names")
        share = np.vstack([self.share, *(row[None] for row in new)])
        return LoadProfiles((*self.names, *rows), share, self.month_of_hour)


def month_of_hour(times: pd.DatetimeIndex) -> np.ndarray:
    """Month of each hour from 0, shape (n_hour,), int8, in the clock of ``times``."""
    return (np.asarray(times.month) - 1).astype(np.int8)


def quarter_hours(times: pd.DatetimeIndex, calendar_year: int) -> pd.DatetimeIndex:
    """
    Quarter hours of a calendar year that a weather file's hours stand for.

    Parameters
    ----------
    times : DatetimeIndex, length 8760
        Start of each hour, in a fixed offset to UTC, as of ``Weather``. A typical year carries a
        nominal year; only month, day and time count.
    calendar_year : int
        Whose weekdays, holidays and summer time apply. A leap day is left out.

    Returns
    -------
    DatetimeIndex, length 35 040, in the clock of ``times``
        Start of each quarter hour. Hours before the file's first of the year are the calendar
        year's too: a file from July to June wraps around.

    Raises
    ------
    InputError
        Times without a clock, not 8760 of them, or not on quarter hours.
    """
    if times.tz is None or len(times) != 8760:
        raise InputError(
            f"{len(times)} hours {'without' if times.tz is None else 'with'} offset to UTC",
            where="hours of the weather",
            expected="8760 hours with a fixed offset to UTC",
        )
    quarters, is_leap_day = _calendar(calendar_year, times.tz)
    quarters = quarters[~is_leap_day]
    return quarters[np.roll(np.arange(len(quarters)), -_place_in_year(times[0]))]


def _place_in_year(first: pd.Timestamp) -> int:
    """Quarter hour of a year without leap day, in the time's own clock."""
    first = first.replace(year=2014)
    since = first - pd.Timestamp(year=2014, month=1, day=1, tz=first.tz)
    place, rest = divmod(since, _QUARTER)
    if rest != pd.Timedelta(0):
        raise InputError(
            f"hours start at {first:%M:%S} past the hour",
            where="hours of the weather",
            expected="starts on a quarter hour",
        )
    return int(place)


def standard_profiles(
    names: Sequence[str], times: pd.DatetimeIndex, calendar_year: int, state: str
) -> LoadProfiles:
    """
    BDEW's standard load profiles of 2025 as demand.

    Parameters
    ----------
    names : sequence of str
        Of ``H25`` (homes), ``G25`` (trade and services), ``L25`` (farms).
    times : DatetimeIndex, length 8760
        Hours of the weather file.
    calendar_year : int
        Whose weekdays, holidays and summer time apply.
    state : str
        Whose holidays apply: name (``rheinland-pfalz``) or ISO code (``RP``, ``DE-RP``); empty for
        those that all states have.

    Returns
    -------
    LoadProfiles

    Raises
    ------
    InputError
        P25 or S25, unknown profile, unknown state, year out of range.

    Notes
    -----
    The profiles [1]_ are those of ``demandlib`` [2]_, by month and three kinds of days, H25 with
    BDEW's dynamisation. They are written in local time with summer time and turned into the clock
    of the weather file, which has none. Holidays count as Sundays, 24 and 31 December as Saturdays
    unless they are Sundays. Each is scaled to 1 kWh a year.

    References
    ----------
    .. [1] BDEW, "Standardlastprofile Strom," 18 March 2025.
    .. [2] demandlib, https://github.com/oemof/demandlib.
    """
    for name in names:
        refuse_as_demand(name)
    share = np.stack([_profile(name, times, calendar_year, state) for name in names])
    return LoadProfiles(tuple(names), share, month_of_hour(times))


def measured_profile(
    measured_times: pd.DatetimeIndex, energy_kwh, times: pd.DatetimeIndex
) -> np.ndarray:
    """
    A measured year in the clock of the weather.

    Parameters
    ----------
    measured_times : DatetimeIndex, length n
        Start of each step, a quarter of an hour or an hour apart, a whole year; with a clock.
    energy_kwh : array_like, shape (n,)
        [kWh]
    times : DatetimeIndex, length 8760
        Hours of the weather file.

    Returns
    -------
    ndarray, shape (35 040,), float32
        Share of the year's energy in each quarter hour, for ``LoadProfiles.with_rows``. Day follows
        day as measured: weekdays are those of the measured year. Hours are spread evenly, a leap
        day is left out.
    """
    zone = times.tz
    clock = measured_times.tz_convert(zone)
    energy = np.asarray(energy_kwh, dtype=np.float64)
    is_kept = ~np.asarray((clock.month == 2) & (clock.day == 29))
    clock, energy = clock[is_kept], energy[is_kept]
    if len(energy) * QUARTERS_PER_HOUR == _YEAR_QUARTERS:
        energy = np.repeat(energy, QUARTERS_PER_HOUR)
    if len(energy) != _YEAR_QUARTERS:
        raise InputError(
            f"{len(energy)} steps without leap day",
            where="measured load profile",
            expected=f"{_YEAR_QUARTERS} quarter hours or {_YEAR_QUARTERS // 4} hours",
        )
    place = _place_in_year(clock[0]) - _place_in_year(times[0])
    return _normalised(MEASURED, np.roll(energy, place))


def residual_profile(
    name: str, times: pd.DatetimeIndex, calendar_year: int, state: str
) -> np.ndarray:
    """
    BDEW's profile of what homes with a plant (P25), or plant and battery (S25), still draw.

    Never a demand: only to be compared with a computed grid draw.

    Returns
    -------
    ndarray, shape (35 040,), float32
        Share of the year's grid draw in each quarter hour. [–]
    """
    if name not in RESIDUAL_PROFILES:
        raise InputError(
            f"{name!r} is no profile of grid draw", expected=" or ".join(RESIDUAL_PROFILES)
        )
    return _profile(name, times, calendar_year, state)


@dataclass(frozen=True)
class GridDrawComparison:
    """
    A computed grid draw against a profile of homes that have a plant.

    Attributes
    ----------
    profile : str
        P25 or S25.
    overlap_fraction : float
        Share of the year's energy that falls on the same quarter hours in both. [–]
    correlation : float
        Of the quarter hours; NaN if the draw never changes. [–]
    summer_fraction, profile_summer_fraction : float
        Share of the energy drawn from April to September: computed, and in the profile. [–]
    """

    profile: str
    overlap_fraction: float
    correlation: float
    summer_fraction: float
    profile_summer_fraction: float


def compare_grid_draw(
    grid_draw_kwh, name: str, times: pd.DatetimeIndex, calendar_year: int, state: str
) -> GridDrawComparison:
    """
    Compare a computed grid draw with what BDEW found at homes with a plant.

    Parameters
    ----------
    grid_draw_kwh : array_like, shape (35 040,)
        Of one building or the sum of many, as of ``balance.trace``. [kWh]
    name : str
        P25 (plant) or S25 (plant and battery).
    times, calendar_year, state
        As for ``standard_profiles``.

    Returns
    -------
    GridDrawComparison
        Shapes only: both are scaled to one year's energy. The profiles average over plants of all
        sizes, so that one building need not agree.
    """
    profile = residual_profile(name, times, calendar_year, state).astype(np.float64)
    drawn = _normalised("grid draw", np.asarray(grid_draw_kwh)).astype(np.float64)
    is_summer = np.repeat(np.isin(month_of_hour(times), np.arange(3, 9)), QUARTERS_PER_HOUR)
    return GridDrawComparison(
        profile=name,
        overlap_fraction=float(np.minimum(profile, drawn).sum()),
        correlation=_correlation(profile, drawn),
        summer_fraction=float(drawn[is_summer].sum()),
        profile_summer_fraction=float(profile[is_summer].sum()),
    )


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """NaN if one of them never changes."""
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / scale if scale > 0.0 else np.nan


def _profile(name: str, times: pd.DatetimeIndex, calendar_year: int, state: str) -> np.ndarray:
    """A profile of either kind, shape (35 040,), float32."""
    instants = times.asi8.tobytes()
    return _kept_profile(name, instants, times.unit, times.tz, calendar_year, state).copy()


@lru_cache(maxsize=8)
def _kept_profile(
    name: str, instants: bytes, unit: str, zone, calendar_year: int, state: str
) -> np.ndarray:
    """The same, of instants that can be looked up: a third of a second each for the next run."""
    times = pd.DatetimeIndex(np.frombuffer(instants, dtype=f"M8[{unit}]"), tz="UTC")
    times = times.tz_convert(zone)
    quarters, _ = _calendar(calendar_year, quarter_hours(times, calendar_year).tz)
    local = quarters.tz_convert(LOCAL_CLOCK)
    # The last hours of a year in UTC are the next year's in local time.
    years = range(local[0].year, local[-1].year + 1)
    free = [day for year in years for day in holiday_dates(state, year)]
    values = pd.Series(_bdew(name, local, free), index=quarters)
    values = _saturdays_of_december(name, values, local, calendar_year)
    wanted = quarter_hours(times, calendar_year)
    return _normalised(name, values.loc[wanted].to_numpy())


def _saturdays_of_december(
    name: str, values: pd.Series, local: pd.DatetimeIndex, year: int
) -> pd.Series:
    """Give 24 and 31 December the profile of a Saturday, unless they are Sundays."""
    if datetime.date(year, 12, 24).weekday() == 6:
        return values
    # The same days of the year, since H25 depends on their number.
    like = _SATURDAY_YEARS[pd.Timestamp(year=year, month=1, day=1).is_leap_year]
    index = pd.date_range(f"{like}-12-24", f"{like}-12-31 23:45", freq="15min")
    saturday = _bdew(name, index, []).reshape(-1, _DAY_QUARTERS)
    values = values.copy()
    for day in (24, 31):
        is_day = (local.month == 12) & (local.day == day) & (local.year == year)
        minutes = 60 * np.asarray(local.hour)[is_day] + np.asarray(local.minute)[is_day]
        values[np.asarray(is_day)] = saturday[day - 24][minutes // 15]
    return values


def _bdew(name: str, local: pd.DatetimeIndex, free: list[datetime.date]) -> np.ndarray:
    """demandlib's values at local times of an even step, shape (n,)."""
    # Here, because demandlib takes half a second to import and few commands need it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, about demandlib's way to call it
        from demandlib import bdew

        return getattr(bdew, name)(local, holidays=free or None).to_numpy(dtype=np.float64)


def _calendar(year: int, zone: datetime.tzinfo | None) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """Every quarter hour of a year in a fixed clock, and which are those of a leap day."""
    if not 1991 <= year <= 2100:
        raise InputError(
            f"calendar year {year}", where="load profile", expected="a year from 1991 to 2100"
        )
    quarters = pd.date_range(
        f"{year}-01-01", f"{year + 1}-01-01", freq="15min", inclusive="left", tz=zone
    )
    return quarters, np.asarray((quarters.month == 2) & (quarters.day == 29))


def _normalised(name: str, values: np.ndarray) -> np.ndarray:
    """Scaled to sum to 1, float32."""
    values = np.asarray(values, dtype=np.float64)
    total = values.sum()
    if not (np.isfinite(total) and total > 0.0 and values.min() >= 0.0):
        raise InputError(
            f"{name}: values from {values.min()} that sum to {total}",
            where="load profile",
            expected="numbers from 0, not all 0",
        )
    return (values / total).astype(np.float32)
