"""A made-up year of hourly light for the demo town: clear-sky model times a cloud process.

Generated, not shipped: the formula is shorter than the table, and whole W/m² hide the last digits
in which machines differ.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pvlib

LATITUDE_DEG, LONGITUDE_DEG, ELEVATION_M, UTC_OFFSET_HOURS = 49.45, 7.75, 236.0, 1.0
#: A year without leap day.
_YEAR = 2014
#: Clouds whose year (1092 and 560 kWh/m²) and months come near those of a DWD test reference year
#: of the Upper Rhine plain.
USUAL_SEED = 2
#: Linke turbidity by month: mid-European values, clear winters and hazy summers. [–]
_LINKE = (2.6, 2.8, 3.1, 3.5, 3.7, 3.8, 3.9, 3.8, 3.4, 3.0, 2.7, 2.6)
#: Share of clear and of broken-cloud days by month; the others are overcast. [–]
_CLEAR = (0.13, 0.17, 0.21, 0.24, 0.24, 0.24, 0.27, 0.27, 0.25, 0.19, 0.13, 0.11)
_BROKEN = (0.27, 0.3, 0.38, 0.43, 0.45, 0.46, 0.45, 0.45, 0.41, 0.36, 0.27, 0.24)
#: Chance that a day's weather stays, and the light that the clouds of broken and dull days leave.
_PERSISTENCE, _BROKEN_CLEARNESS, _DULL_CLEARNESS = 0.45, (0.35, 1.0), (0.12, 0.6)
#: Mean temperature of the year, its swing and the swing of a day. [°C]
_TEMP_MEAN_C, _TEMP_YEAR_C, _TEMP_DAY_C = 10.2, 9.0, 3.5


def weather_table(seed: int = USUAL_SEED) -> pd.DataFrame:
    """
    A year of hourly light at 49.45° N, 7.75° E.

    Parameters
    ----------
    seed : int
        Of the clouds.

    Returns
    -------
    DataFrame, 8760 rows
        ``time`` (end of the hour, UTC+1), ``ghi``, ``dhi`` [Wm⁻²], ``temp_air`` [°C],
        ``wind_speed`` [m/s].

    Notes
    -----
    Clear sky after Ineichen and Perez with fixed monthly Linke turbidity, split into direct and
    diffuse light by Erbs, both as pvlib has them; clear days keep the clear sky all day, so that
    their direct light centres on noon.
    """
    rng = np.random.default_rng([seed, 6])
    starts = pd.date_range(f"{_YEAR}-01-01", periods=8760, freq="h", tz="Etc/GMT-1")
    clear, cos_zenith, zenith_deg = _clear_sky(starts)
    clearness = _clearness(rng, starts)
    ghi = clear["ghi"] * clearness
    day_of_year = starts.day_of_year.to_numpy()
    split = pvlib.irradiance.erbs(ghi, zenith_deg, day_of_year, min_cos_zenith=0.02)
    # Clear hours keep the model's own diffuse light; Erbs speaks for the clouds.
    dhi = np.where(clearness > 0.995, clear["dhi"], np.asarray(split["dhi"]))
    dhi = np.where(cos_zenith < 0.03, ghi, np.minimum(dhi, ghi))
    ghi, dhi = np.rint(ghi).astype(int), np.rint(dhi).astype(int)
    return pd.DataFrame(
        {
            "time": (starts + pd.Timedelta(hours=1)).strftime("%Y-%m-%d %H:%M"),
            "ghi": ghi,
            "dhi": np.minimum(dhi, ghi),
            **_air(rng, starts, clearness),
        }
    )


def _clear_sky(starts: pd.DatetimeIndex):
    """Hour means of clear-sky light and of cos z, and the zenith that belongs to the latter."""
    n_steps = 6  # at the middle of every 10 minutes
    times = pd.date_range(
        starts[0] + pd.Timedelta(minutes=5), periods=n_steps * len(starts), freq="10min"
    )
    sun = pvlib.solarposition.get_solarposition(times, LATITUDE_DEG, LONGITUDE_DEG, ELEVATION_M)
    zenith_deg = sun["apparent_zenith"].to_numpy()
    pressure_pa = pvlib.atmosphere.alt2pres(ELEVATION_M)
    airmass = pvlib.atmosphere.get_absolute_airmass(
        pvlib.atmosphere.get_relative_airmass(zenith_deg), pressure_pa
    )
    dni_extra = np.asarray(pvlib.irradiance.get_extra_radiation(times.day_of_year.to_numpy()))
    with np.errstate(divide="ignore", invalid="ignore"):  # pvlib divides by the night's cos z = 0
        clear = pvlib.clearsky.ineichen(
            zenith_deg,
            airmass,
            np.array(_LINKE)[times.month - 1],
            altitude=ELEVATION_M,
            dni_extra=dni_extra,
        )
    means = {
        name: np.nan_to_num(np.asarray(clear[name])).reshape(-1, n_steps).mean(axis=1)
        for name in ("ghi", "dhi")
    }
    cos_zenith = np.maximum(np.cos(np.radians(zenith_deg)), 0.0)
    cos_zenith = cos_zenith.reshape(-1, n_steps).mean(axis=1)
    return means, cos_zenith, np.degrees(np.arccos(cos_zenith))


def _clearness(rng: np.random.Generator, starts: pd.DatetimeIndex) -> np.ndarray:
    """Light under the clouds as a share of the clear sky, shape (8760,). [–]"""
    n_days = len(starts) // 24
    draws, stays, level = rng.random((3, n_days))
    month = starts.month.to_numpy()[::24] - 1
    is_clear = draws < np.array(_CLEAR)[month]
    is_broken = ~is_clear & (draws < np.array(_CLEAR)[month] + np.array(_BROKEN)[month])
    kind = np.where(is_clear, 0, np.where(is_broken, 1, 2))
    for day in range(1, n_days):
        if stays[day] < _PERSISTENCE:
            kind[day] = kind[day - 1]
    ripple = _red_noise(rng, len(starts), 0.6).reshape(n_days, 24)
    broken = np.clip(0.72 + 0.2 * (level[:, None] - 0.5) + 0.22 * ripple, *_BROKEN_CLEARNESS)
    dull = np.clip(0.32 + 0.2 * (level[:, None] - 0.5) + 0.07 * ripple, *_DULL_CLEARNESS)
    days = np.select([kind[:, None] == 0, kind[:, None] == 1], [np.ones_like(broken), broken], dull)
    return days.reshape(-1)


def _air(rng: np.random.Generator, starts: pd.DatetimeIndex, clearness: np.ndarray) -> dict:
    """Temperature and wind that go with the light: warm clear afternoons, restless air."""
    hour = np.arange(len(starts))
    year_c = -_TEMP_YEAR_C * np.cos(2.0 * np.pi * (hour / 24.0 - 19.0) / 365.0)
    day_c = -_TEMP_DAY_C * (0.4 + 0.9 * clearness) * np.cos(2.0 * np.pi * (hour - 3.0) / 24.0)
    drift_c = 3.0 * _red_noise(rng, len(starts), 0.99)
    wind = np.maximum(0.3, 3.0 + 1.4 * _red_noise(rng, len(starts), 0.93))
    return {
        "temp_air": np.round(_TEMP_MEAN_C + year_c + day_c + drift_c, 1),
        "wind_speed": np.round(wind, 1),
    }


def _red_noise(rng: np.random.Generator, n: int, memory: float) -> np.ndarray:
    """Noise of unit variance in which a value keeps a share of the one before, shape (n,)."""
    kicks = rng.standard_normal(n)
    noise = np.empty(n)
    noise[0] = kicks[0]
    for i in range(1, n):
        noise[i] = memory * noise[i - 1] + (1.0 - memory**2) ** 0.5 * kicks[i]
    return noise
