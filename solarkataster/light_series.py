"""A year's light step by step: sun, direct light, and the parts of diffuse light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pvlib

from solarkataster.errors import InputError
from solarkataster.sun import SunPosition, sun_position
from solarkataster.units import WH_PER_KWH
from solarkataster.weather import Weather

#: Diffuse models of pvlib: an even dome, light around the sun, a band at the horizon.
PVLIB_MODELS = ("perez", "perez-driesse")

#: Sky models that a run offers; the last one has a radiance for every direction.
SKY_MODELS = (*PVLIB_MODELS, "all-weather")

#: Below this elevation pvlib's Perez models hold the circumsolar light's projection fixed. [°]
LOWEST_CIRCUMSOLAR_DEG = 5.0
#: Tilt of the plane that reads the model's parts: enough for the horizon band to count, too
#: little for pvlib's cut of a negative sky at 0 to act. [°]
PROBE_TILT_DEG = 10.0


@dataclass(frozen=True)
class LightSeries:
    """
    Light of a year in steps with the sun up.

    Parameters
    ----------
    sun : SunPosition
        At the middle of each step.
    hour : ndarray, shape (n_step,), int64
        Hour of the weather file that each step lies in, rising.
    step_h : float
        Length of a step. [h]
    dni, dhi : ndarray, shape (n_step,)
        Direct light normal to the sun, and diffuse light on the horizontal. [Wm⁻²]
    dome, circumsolar, band : ndarray, shape (n_step,)
        Diffuse light by parts: even sky on the horizontal; around the sun, normal to it; along
        the horizon, on a vertical plane. All 0 for a sky with a radiance for every direction.
        [Wm⁻²]
    twilight : ndarray, shape (n_hour,)
        Light of hours without sun, which belongs to the even sky. [Wm⁻²]
    spill : mapping of str to float
        Direct light that became diffuse, by cause. [kWh/m²]
    """

    sun: SunPosition
    hour: np.ndarray
    step_h: float
    dni: np.ndarray
    dhi: np.ndarray
    dome: np.ndarray
    circumsolar: np.ndarray
    band: np.ndarray
    twilight: np.ndarray
    spill: Mapping[str, float]


def light_series(weather: Weather, model: str = "perez", step_minutes: int = 5) -> LightSeries:
    """
    Light of a year, step by step and part by part.

    Parameters
    ----------
    weather : Weather
        Hourly light at its site; the sun is that of the site too.
    model : {"perez", "perez-driesse", "all-weather"}
        How diffuse light is spread over the sky.
    step_minutes : int
        Length of a sun step, a divisor of 60. [min]

    Returns
    -------
    LightSeries

    Raises
    ------
    InputError
        If the model is unknown or the step does not divide an hour.

    Notes
    -----
    How hours become steps, and the sources of the models:
    :func:`solarkataster.sky.sky_sources`.
    """
    _check_choices(model, step_minutes)
    step_h = step_minutes / 60.0
    lit = np.flatnonzero(weather.ghi > 0.0)  # dark hours have nothing to sort
    sun = _sun_of_steps(weather, lit, step_minutes)
    shape = (lit.size, 60 // step_minutes)
    is_up = (sun.elevation_deg > 0.0).reshape(shape)
    dni, dhi, spill = _light_of_hours(
        weather.bhi[lit],
        weather.dhi[lit],
        (sun.cos_zenith.reshape(shape) * step_h).sum(axis=1),
        is_up.sum(axis=1) * step_h,
        sun.dni_extra.reshape(shape).min(axis=1),
    )
    up = np.flatnonzero(is_up)
    hour = up // shape[1]
    dni, dhi, sun = dni[hour], dhi[hour], sun.at(up)
    dome, circumsolar, band = np.zeros((3, up.size))
    if model in PVLIB_MODELS:
        dome, circumsolar, band = _diffuse_parts(model, dhi, dni, sun)
    twilight = np.zeros(len(weather.ghi))
    twilight[lit] = np.where(is_up.any(axis=1), 0.0, weather.ghi[lit])
    return LightSeries(sun, lit[hour], step_h, dni, dhi, dome, circumsolar, band, twilight, spill)


def _check_choices(model: str, step_minutes: int) -> None:
    if model not in SKY_MODELS:
        raise InputError(
            f"sky = {model!r} is not known.",
            expected="one of " + ", ".join(SKY_MODELS),
            remedy="Correct sky in [irradiation] of the config, or --sky.",
        )
    if step_minutes < 1 or 60 % step_minutes:
        raise InputError(
            f"step_minutes = {step_minutes} does not divide an hour.",
            expected="1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 or 60",
        )


def _sun_of_steps(weather: Weather, hours: np.ndarray, step_minutes: int) -> SunPosition:
    """The sun at the middle of each step of the given hours, hour by hour."""
    middles = pd.to_timedelta((np.arange(60 // step_minutes) + 0.5) * step_minutes, unit="m")
    starts = weather.times[hours]
    times = starts.repeat(len(middles)) + np.tile(middles, len(starts))
    return sun_position(times, weather.latitude, weather.longitude, weather.elevation_m)


def _light_of_hours(
    bhi: np.ndarray,
    dhi: np.ndarray,
    cos_zenith_hours: np.ndarray,
    sunny_hours: np.ndarray,
    dni_extra: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    """
    Direct normal and diffuse light while the sun is up, energy kept.

    Parameters
    ----------
    bhi, dhi : ndarray, shape (n_hour,)
        Means of the whole hour. [Wm⁻²]
    cos_zenith_hours, sunny_hours : ndarray, shape (n_hour,)
        Σ cos z · Δt and Σ Δt over the steps with the sun up. [h]
    dni_extra : ndarray, shape (n_hour,)
        Upper limit of direct normal light. [Wm⁻²]

    Returns
    -------
    dni, dhi : ndarray, shape (n_hour,)
        Constant over the steps with the sun up; 0 where there is none. [Wm⁻²]
    spill : dict
        Direct light that became diffuse, by cause. [kWh/m²]
    """
    has_sun = sunny_hours > 0.0
    dni = np.where(has_sun, bhi / np.where(has_sun, cos_zenith_hours, 1.0), 0.0)
    dni = np.minimum(dni, dni_extra)
    excess = bhi - dni * cos_zenith_hours
    excess[excess < 1e-9 * bhi] = 0.0  # rounding is no excess
    diffuse = np.where(has_sun, (dhi + excess) / np.where(has_sun, sunny_hours, 1.0), 0.0)
    return (
        dni,
        diffuse,
        {
            "beam_over_extraterrestrial_kwh_m2": float(excess[has_sun].sum()) / WH_PER_KWH,
            "beam_without_sun_kwh_m2": float(bhi[~has_sun].sum()) / WH_PER_KWH,
        },
    )


def _diffuse_parts(
    model: str, dhi: np.ndarray, dni: np.ndarray, sun: SunPosition
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Dome on the horizontal, circumsolar normal to the sun, band on a vertical plane, in W/m².

    pvlib returns what a tilted plane gets of each part. A plane tilted towards the sun by
    PROBE_TILT_DEG gets of the dome (1 + cos β) / 2 and of the band sin β, so dividing gives the
    parts; what the dome lacks of DHI is circumsolar light, which pvlib projects with the sun's
    own sine, never less than that of LOWEST_CIRCUMSOLAR_DEG.
    """
    zenith_deg = 90.0 - sun.elevation_deg
    sky = pvlib.irradiance.perez if model == "perez" else pvlib.irradiance.perez_driesse
    parts = sky(
        surface_tilt=PROBE_TILT_DEG,
        surface_azimuth=sun.azimuth_deg,
        dhi=dhi,
        dni=dni,
        dni_extra=sun.dni_extra,
        solar_zenith=zenith_deg,
        solar_azimuth=sun.azimuth_deg,
        airmass=pvlib.atmosphere.get_relative_airmass(zenith_deg),
        return_components=True,
    )
    tilt_rad = np.radians(PROBE_TILT_DEG)
    # Without diffuse light the models' clearness is 0 / 0.
    dome, band = (
        np.where(dhi > 0.0, parts[name] / share, 0.0)
        for name, share in (
            ("poa_isotropic", (1.0 + np.cos(tilt_rad)) / 2.0),
            ("poa_horizon", np.sin(tilt_rad)),
        )
    )
    lowest = np.sin(np.radians(LOWEST_CIRCUMSOLAR_DEG))
    circumsolar = (dhi - dome) / np.maximum(sun.cos_zenith, lowest)
    return dome, np.maximum(circumsolar, 0.0), band
