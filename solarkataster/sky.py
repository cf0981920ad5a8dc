"""From a year of weather to what lights a plane: sun, sky around it, dome, horizon band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pvlib

from solarkataster.all_weather import month_radiance, patch_on_flat_sr
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

#: Share of the year's global light from which a figure of the report is worth a note. [–]
NOTED_FRACTION = 0.005


@dataclass(frozen=True)
class SkySources:
    """
    A year of light, sorted by where in the sky it comes from.

    Attributes
    ----------
    solar_elevation_deg, solar_azimuth_deg : ndarray, shape (n_step,), float64
        The sun at the middle of each step with the sun up: elevation over 0, refraction
        included; azimuth clockwise from true north. [°]
    month : ndarray, shape (n_step,), int64
        0 to 11, in the clock of the weather file.
    beam_kwh_m2 : ndarray, shape (n_step,), float64
        Direct light of the step, normal to the sun. [kWh/m²]
    circumsolar_kwh_m2 : ndarray, shape (n_step,), float64
        Diffuse light that comes from around the sun, normal to it; 0 where the model has it in
        ``radiance_kwh_m2_sr``. [kWh/m²]
    dome_kwh_m2 : ndarray, shape (12,), float64
        Even part of the sky, on the horizontal, twilight included. [kWh/m²]
    band_kwh_m2 : ndarray, shape (12,), float64
        Brightening along the horizon as an open vertical plane gets it; can be negative. [kWh/m²]
    ghi_kwh_m2 : ndarray, shape (12,), float64
        Global horizontal irradiation of the file. [kWh/m²]
    radiance_kwh_m2_sr : ndarray, shape (12, N_ROW, N_PATCH), float64, or None
        Sky light by direction, on the lattice of :mod:`solarkataster.all_weather`; None where the
        model has only the parts above. [kWh/m²/sr]
    report : mapping of str to float
        ``ghi_year_kwh_m2``; ``closure_kwh_m2`` and ``clear_day_centroid_deg`` of the file;
        ``beam_over_extraterrestrial_kwh_m2``: direct light beyond the extraterrestrial, and
        ``beam_without_sun_kwh_m2``: in hours without sun, both counted as diffuse;
        ``twilight_kwh_m2``: light of hours without sun, kept in the dome;
        ``flat_error_fraction``: light on an open flat plane over GHI, less 1.

    Notes
    -----
    An open plane of tilt β gets Σ (beam + circumsolar) · max(0, cos θ)
    + dome · (1 + cos β) / 2 + band · sin β + ∫ radiance · max(0, cos θ) dω,
    and from the ground albedo · ghi · (1 − cos β) / 2.
    """

    solar_elevation_deg: np.ndarray
    solar_azimuth_deg: np.ndarray
    month: np.ndarray
    beam_kwh_m2: np.ndarray
    circumsolar_kwh_m2: np.ndarray
    dome_kwh_m2: np.ndarray
    band_kwh_m2: np.ndarray
    ghi_kwh_m2: np.ndarray
    radiance_kwh_m2_sr: np.ndarray | None
    report: Mapping[str, float]


def sky_sources(weather: Weather, model: str = "perez", step_minutes: int = 5) -> SkySources:
    """
    Sort the light of a year by where it comes from.

    Parameters
    ----------
    weather : Weather
        Hourly light at its site; the sun is that of the site too.
    model : {"perez", "perez-driesse", "all-weather"}
        How diffuse light is spread over the sky.
    step_minutes : int
        Length of a sun step, a divisor of 60; the sun stands at its middle. [min]

    Returns
    -------
    SkySources

    Raises
    ------
    InputError
        If the model is unknown or the step does not divide an hour.

    Notes
    -----
    Within an hour DNI is constant over the steps with the sun up, DNI = E_beam / Σ(cos z · Δt),
    at most the extraterrestrial value; the excess counts as diffuse. DHI is constant over the
    same steps. Light of hours without any sun is twilight and belongs to the dome. The parts of
    diffuse light are those of [1]_ or [2]_ as pvlib has them, or its radiance is that of [3]_:
    light around the sun and along the horizon is then part of one distribution, and the dome
    holds nothing but twilight.

    References
    ----------
    .. [1] R. Perez et al., "Modeling daylight availability and irradiance components from direct
       and global irradiance," Solar Energy, vol. 44, no. 5, pp. 271-289, 1990,
       doi:10.1016/0038-092X(90)90055-H.
    .. [2] A. Driesse, A. R. Jensen and R. Perez, "A continuous form of the Perez diffuse sky
       model for forward and reverse transposition," Solar Energy, vol. 267, 112093, 2024,
       doi:10.1016/j.solener.2023.112093.
    .. [3] R. Perez, R. Seals and J. Michalsky, "All-weather model for sky luminance distribution:
       preliminary configuration and validation," Solar Energy, vol. 50, no. 3, pp. 235-245, 1993,
       doi:10.1016/0038-092X(93)90017-I.
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
    dni, dhi, sun = dni[hour], dhi[hour], _take(sun, up)
    month_of_hour = weather.times.month.to_numpy().astype(np.int64) - 1
    month = month_of_hour[lit][hour]
    scale = step_h / WH_PER_KWH
    radiance = None
    if model in PVLIB_MODELS:
        dome, circumsolar, band = _diffuse_parts(model, dhi, dni, sun)
    else:
        dome, circumsolar, band = np.zeros((3, up.size))
        radiance = month_radiance(dhi, dni, sun, month, dhi * scale)
    twilight = np.where(is_up.any(axis=1), 0.0, weather.ghi[lit]) / WH_PER_KWH
    dome_kwh_m2 = _month_sums(month, dome * scale) + _month_sums(month_of_hour[lit], twilight)
    ghi_kwh_m2 = _month_sums(month_of_hour, weather.ghi / WH_PER_KWH)
    flat_kwh_m2 = dome_kwh_m2.sum() + ((dni + circumsolar) * sun.cos_zenith).sum() * scale
    if radiance is not None:
        flat_kwh_m2 += (radiance * patch_on_flat_sr()[:, None]).sum()
    return SkySources(
        solar_elevation_deg=sun.elevation_deg,
        solar_azimuth_deg=sun.azimuth_deg,
        month=month,
        beam_kwh_m2=dni * scale,
        circumsolar_kwh_m2=circumsolar * scale,
        dome_kwh_m2=dome_kwh_m2,
        band_kwh_m2=_month_sums(month, band * scale),
        ghi_kwh_m2=ghi_kwh_m2,
        radiance_kwh_m2_sr=radiance,
        report={
            "ghi_year_kwh_m2": float(ghi_kwh_m2.sum()),
            "closure_kwh_m2": weather.facts.get("closure_kwh_m2", 0.0),
            "clear_day_centroid_deg": weather.facts.get("clear_day_centroid_deg", float("nan")),
            **spill,
            "twilight_kwh_m2": float(twilight.sum()),
            "flat_error_fraction": float(flat_kwh_m2 / ghi_kwh_m2.sum() - 1.0),
        },
    )


def report_notes(report: Mapping[str, float]) -> list[str]:
    """
    What the reader of a run should know of the light of a weather file, one sentence each.

    Parameters
    ----------
    report : mapping of str to float
        That of :class:`SkySources`. How the file itself closes is noted by its reader.

    Returns
    -------
    list of str
        One for each figure over NOTED_FRACTION of the year's global light.
    """
    ghi = report["ghi_year_kwh_m2"]
    notes = []
    for name, told in (
        (
            "beam_over_extraterrestrial_kwh_m2",
            "of direct light exceed what the sun sends and count as diffuse",
        ),
        (
            "beam_without_sun_kwh_m2",
            "of direct light fall in hours without sun and count as diffuse",
        ),
        ("twilight_kwh_m2", "of light fall in hours without sun and count as even sky"),
    ):
        if report[name] > NOTED_FRACTION * ghi:
            share = 100.0 * report[name] / ghi
            notes.append(f"{report[name]:.1f} kWh/m2 a year ({share:.1f} %) {told}.")
    flat = report["flat_error_fraction"]
    if abs(flat) > NOTED_FRACTION:
        notes.append(
            f"an open flat plane gets {100.0 * flat:+.1f} % against the file's global light; "
            "the sky model is made for a sun over 5 degrees."
        )
    return notes


def _month_sums(month: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sum of the values of each month, shape (12,)."""
    # bincount gives whole numbers when there is nothing to count.
    return np.bincount(month, values, 12).astype(np.float64)


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


def _take(sun: SunPosition, i: np.ndarray) -> SunPosition:
    return SunPosition(
        sun.elevation_deg[i], sun.azimuth_deg[i], sun.hour_angle_deg[i], sun.dni_extra[i]
    )


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
