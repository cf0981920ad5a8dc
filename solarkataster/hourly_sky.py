"""The sky hour by hour: sun steps with their beams, and what the rest of the sky sends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from solarkataster.all_weather import N_PATCH, patch_sr, summed_radiance
from solarkataster.light_series import PVLIB_MODELS, LightSeries, light_series
from solarkataster.weather import Weather

#: Rows of the all-weather lattice at which rows of an hour's patches begin: as fine as it low down,
#: where houses end the view, and coarse towards the zenith. Borders of the sky record's steps.
PATCH_ROWS = np.array([0, 1, 2, 3, 4, 5, 6, 9, 12, 15, 20, 25, 30, 35, 45])

#: Patches of an hour in a row, from north: two of the lattice each.
N_HOUR_PATCH = N_PATCH // 2


@dataclass(frozen=True, eq=False)
class HourlySky:
    """
    A year of light by hours, sorted by where in the sky it comes from.

    Parameters
    ----------
    month : ndarray, shape (n_hour,), int64
        0 to 11, in the clock of the weather file.
    ghi : ndarray, shape (n_hour,)
        Global light on the horizontal, mean of the hour. [Wm⁻²]
    dome, band : ndarray, shape (n_hour,)
        Even sky on the horizontal, twilight included; brightening along the horizon on a vertical
        plane, which can be negative. [Wm⁻²]
    step_hour : ndarray, shape (n_step,), int64
        Hour of each step with the sun up, rising.
    solar_elevation_deg, solar_azimuth_deg : ndarray, shape (n_step,)
        The sun at the middle of the step, azimuth from true north. [°]
    beam, circumsolar : ndarray, shape (n_step,)
        Normal to the sun, what the step adds to the mean of its hour: direct light, and diffuse
        light from around the sun. [Wm⁻²]
    radiance : ndarray, shape (n_lit, n_row · N_HOUR_PATCH), float32, or None
        Mean radiance of patches of the sky, row by row from the horizon, clockwise from true
        north, of the hours with the sun up; None where the model has only the parts above.
        [Wm⁻²sr⁻¹]

    Notes
    -----
    :class:`solarkataster.sky.SkySources` sums the same series by months.
    """

    month: np.ndarray
    ghi: np.ndarray
    dome: np.ndarray
    band: np.ndarray
    step_hour: np.ndarray
    solar_elevation_deg: np.ndarray
    solar_azimuth_deg: np.ndarray
    beam: np.ndarray
    circumsolar: np.ndarray
    radiance: np.ndarray | None

    @cached_property
    def lit_hours(self) -> np.ndarray:
        """Hours with the sun up, those of ``radiance``, rising, (n_lit,)."""
        return np.unique(self.step_hour)

    @property
    def n_hour(self) -> int:
        """Hours of the year."""
        return len(self.month)


def hourly_sky(weather: Weather, model: str = "perez", step_minutes: int = 5) -> HourlySky:
    """
    Sort the light of a year by hours and by where it comes from.

    Parameters
    ----------
    weather : Weather
    model : {"perez", "perez-driesse", "all-weather"}
    step_minutes : int
        As for :func:`solarkataster.sky.sky_sources`.

    Returns
    -------
    HourlySky

    Raises
    ------
    InputError
        If the model is unknown or the step does not divide an hour.
    """
    year = light_series(weather, model, step_minutes)
    n_hour = len(weather.ghi)
    month = weather.times.month.to_numpy().astype(np.int64) - 1

    def by_hour(values: np.ndarray) -> np.ndarray:
        return np.bincount(year.hour, values * year.step_h, n_hour).astype(np.float64)

    return HourlySky(
        month=month,
        ghi=np.asarray(weather.ghi, dtype=np.float64),
        dome=by_hour(year.dome) + year.twilight,
        band=by_hour(year.band),
        step_hour=year.hour,
        solar_elevation_deg=year.sun.elevation_deg,
        solar_azimuth_deg=year.sun.azimuth_deg,
        beam=year.dni * year.step_h,
        circumsolar=year.circumsolar * year.step_h,
        radiance=None if model in PVLIB_MODELS else _radiance_by_hour(year, month),
    )


def _radiance_by_hour(year: LightSeries, month: np.ndarray) -> np.ndarray:
    """Radiance of the patches of each hour with sun, (n_lit, n_patch), float32."""
    lit = np.unique(year.hour)
    out = np.zeros((len(lit), (len(PATCH_ROWS) - 1) * N_HOUR_PATCH), dtype=np.float32)
    weight = patch_sr()
    of_rows = np.add.reduceat(weight, PATCH_ROWS[:-1])
    month_of_step = month[year.hour]
    for one in range(12):
        at = month_of_step == one
        if not at.any():
            continue
        hours, slot = np.unique(year.hour[at], return_inverse=True)
        light = year.dhi[at] * year.step_h
        fine = summed_radiance(year.dhi[at], year.dni[at], year.sun.at(at), slot, light, len(hours))
        rows = np.add.reduceat(fine * weight[:, None], PATCH_ROWS[:-1], axis=1)
        rows /= of_rows[:, None]
        coarse = rows.reshape(len(rows), len(of_rows), N_HOUR_PATCH, -1).mean(axis=3)
        out[np.searchsorted(lit, hours)] = coarse.reshape(len(rows), -1)
    return out
