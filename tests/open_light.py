"""Hourly light of open planes straight from pvlib, as a surface's own record would give it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pvlib

from solarkataster.hourly_light import HourlyLight, SunPath, hourly_light
from solarkataster.hourly_sky import hourly_sky
from solarkataster.pv.incidence import Glass, incidence_table
from solarkataster.visibility import open_record
from solarkataster.weather import Weather

STEP_MIN = 5


def steps_of(weather: Weather) -> tuple[pd.DatetimeIndex, pd.DataFrame, np.ndarray]:
    """Middles of the steps, the sun there, and which hour each belongs to."""
    n = 60 // STEP_MIN
    hour = np.repeat(np.arange(len(weather.times)), n)
    aside = pd.to_timedelta((np.tile(np.arange(n), len(weather.times)) + 0.5) * STEP_MIN, unit="m")
    times = weather.times[hour] + aside
    sun = pvlib.solarposition.get_solarposition(
        times, weather.latitude, weather.longitude, altitude=weather.elevation_m
    )
    return times, sun, hour


def open_light(weather: Weather, planes, albedo: float = 0.2, iam=pvlib.iam.physical):
    """
    HourlyLight of open planes ``[(tilt, azimuth), …]``, 5-min sun, DNI and DHI constant while it
    is up, direct light at most extraterrestrial.
    """
    times, sun, hour = steps_of(weather)
    zenith = sun["apparent_zenith"].to_numpy()
    azimuth = sun["azimuth"].to_numpy()
    up = zenith < 90.0
    cos_zenith = np.where(up, np.cos(np.radians(zenith)), 0.0)
    extra = pvlib.irradiance.get_extra_radiation(times).to_numpy()
    mean_cos = np.bincount(hour, cos_zenith) / (60 / STEP_MIN)
    mean_up = np.bincount(hour, up) / (60 / STEP_MIN)
    with np.errstate(divide="ignore", invalid="ignore"):
        dni_hour = np.where(mean_cos > 0, weather.bhi / mean_cos, 0.0)
        dni_hour = np.minimum(dni_hour, extra[:: 60 // STEP_MIN])
        rest = weather.ghi - dni_hour * mean_cos
        dhi_hour = np.where(mean_up > 0, rest / mean_up, 0.0)
    dni, dhi = np.where(up, dni_hour[hour], 0.0), np.where(up, dhi_hour[hour], 0.0)
    twilight = np.where(mean_up > 0, 0.0, weather.ghi)
    airmass = pvlib.atmosphere.get_relative_airmass(np.where(up, zenith, 89.9))

    def mean(values):
        return np.bincount(hour, np.nan_to_num(values)) / (60 / STEP_MIN)

    rows = []
    for tilt, facing in planes:
        aoi = pvlib.irradiance.aoi(tilt, facing, zenith, azimuth)
        parts = pvlib.irradiance.perez(
            tilt, facing, dhi, dni, extra, np.where(up, zenith, 89.9), azimuth, airmass,
            return_components=True,
        )  # fmt: skip
        direct = dni * np.maximum(np.cos(np.radians(aoi)), 0.0)
        circumsolar = np.where(dhi > 0, parts["poa_circumsolar"], 0.0)
        sky = np.where(dhi > 0, parts["poa_isotropic"] + parts["poa_horizon"], 0.0)
        sky = np.maximum(sky, 0.0)
        seen = (1.0 + np.cos(np.radians(tilt))) / 2.0
        rows.append(
            (
                mean(direct),
                mean(circumsolar),
                mean(sky) + twilight * seen,
                albedo * weather.ghi * (1.0 - seen),
                mean((direct + circumsolar) * iam(np.minimum(aoi, 90.0))),
                np.ones(len(weather.times)),
            )
        )
    return HourlyLight(*(np.array(part, dtype=np.float32) for part in zip(*rows, strict=True)))


def recorded_light(weather: Weather, planes, albedo: float = 0.2) -> HourlyLight:
    """The same through the chain of a run: record of an open sky, sky of the hours, glass."""
    sky = hourly_sky(weather)
    tilt, azimuth = np.array(planes, dtype=np.float64).T
    record = open_record(tilt, azimuth)
    ghi_month = np.bincount(sky.month, weather.ghi / 1000.0, 12)
    ground = albedo * np.outer((1.0 - np.cos(np.radians(tilt))) / 2.0, ghi_month)
    suns = SunPath(sky, record.n_sector, record.convergence_deg)
    return hourly_light(suns, record, ground, iam=incidence_table(Glass()))
